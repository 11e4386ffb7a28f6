//! Data services that a task brings to its hosts: packages that it installs and units that it runs, by modules and by commands.

use super::Estate;
use super::service::words;
use super::task::runs_nowhere;
use crate::knowledge::services::{self, Service};
use crate::model::ansible::Turn;
use crate::model::command::Command;
use crate::value::Value;

/// A service, with the verb for how it comes.
pub(super) type Brought = (&'static Service, &'static str);

/// Modules that install packages by `name`.
const PACKAGE_MODULES: [&str; 17] = [
    "apt",
    "package",
    "yum",
    "dnf",
    "dnf5",
    "pacman",
    "apk",
    "zypper",
    "homebrew",
    "apt_rpm",
    "macports",
    "openbsd_pkg",
    "opkg",
    "pkgng",
    "portage",
    "rpm_ostree_pkg",
    "snap",
];
/// Modules that run units by `name`.
const UNIT_MODULES: [&str; 10] = [
    "service",
    "systemd",
    "systemd_service",
    "sysvinit",
    "runit",
    "svc",
    "homebrew_services",
    "openwrt_init",
    "supervisorctl",
    "monit",
];
/// States in which nothing runs.
const IDLE: [&str; 9] =
    ["absent", "removed", "stopped", "killed", "killall", "down", "unmonitored", "signalled", "monitored"];

/// Whether a module installs packages of the system; those of `pip` and the like are libraries.
pub(super) fn installs_packages(module: &str) -> bool {
    PACKAGE_MODULES.contains(&module)
}

/// The services that a task brings, each with the verb for it, in every turn of its loop.
pub(super) fn by_task(estate: &Estate<'_>, at: usize) -> Vec<Brought> {
    let task = &estate.ansible.tasks[at];
    // A handler that restarts a service does not bring it.
    if task.handler {
        return Vec::new();
    }
    let short = task.short();
    let mut found: Vec<Brought> = if installs_packages(short) {
        estate.ansible.in_turns(task, |turn| installed(turn, short)).into_iter().flatten().collect()
    } else if UNIT_MODULES.contains(&short) {
        estate.ansible.in_turns(task, run).into_iter().flatten().collect()
    } else {
        let commands: Vec<&Command> = estate.invocations_of(at).collect();
        commands.iter().copied().flat_map(by_command).chain(by_installers(&commands)).collect()
    };
    let mut seen = Vec::new();
    found.retain(|(service, _)| {
        !seen.contains(&service.name.as_str()) && {
            seen.push(&service.name);
            true
        }
    });
    // Asked last: most tasks bring none, and the answer takes long.
    if !found.is_empty() && runs_nowhere(estate.ansible, at) {
        found.clear();
    }
    found
}

/// Whether a package of this name is only the client of a database where this program installs it: systems with RPM call the server
/// `postgresql-server`, Debian calls it `postgresql`.
pub(super) fn is_client(program: &str, package: &str) -> bool {
    let by_rpm = matches!(program, "dnf" | "dnf5" | "yum" | "microdnf" | "tdnf" | "zypper");
    let bare = package.split(['=', ' ', '@']).next().unwrap_or(package);
    by_rpm && bare.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-')) == "postgresql"
}

/// The names that a turn gives, by the first of some arguments.
fn names(turn: &Turn<'_, '_, '_>, arguments: &[&str]) -> Vec<String> {
    let given = arguments.iter().map(|name| turn.argument(name)).find(|value| !value.is_absent());
    given.as_ref().map(words).unwrap_or_default()
}

fn installed(turn: &Turn<'_, '_, '_>, module: &str) -> Vec<Brought> {
    if matches!(turn.argument("state").as_str(), Some("absent" | "removed")) {
        return Vec::new();
    }
    let names = names(turn, &["name", "pkg", "package"]);
    let packages = names.iter().filter(|name| !is_client(module, name));
    packages.filter_map(|name| Some((services::by_package(name)?, "task installs"))).collect()
}

fn run(turn: &Turn<'_, '_, '_>) -> Vec<Brought> {
    let state = turn.argument("state");
    let masked = turn.argument("masked").as_bool() == Some(true);
    let disabled = turn.argument("enabled").as_bool() == Some(false) && state.is_absent();
    if masked || disabled || state.as_str().is_some_and(|state| IDLE.contains(&state)) {
        return Vec::new();
    }
    let names = names(turn, &["name", "service", "unit"]);
    // A program of supervisord may be in a group (`group:program`).
    let unit = |name: &String| services::by_unit(name.rsplit(':').next().unwrap_or(name));
    names.iter().filter_map(|name| Some((unit(name)?, "task runs"))).collect()
}

/// `apt-get install postgresql`, `systemctl enable --now postgresql`, `service postgresql start`
pub(super) fn by_command(command: &Command) -> Vec<Brought> {
    // What runs in a container or on another machine is not this host's.
    if command.nested() || command.through.iter().any(|through| through.starts_with("ssh")) {
        return Vec::new();
    }
    by_command_within(command)
}

/// `curl … | sh`: the script of a service, but for one that makes an agent of the machine.
fn by_installers(commands: &[&Command]) -> Vec<Brought> {
    const SHELLS: [&str; 4] = ["sh", "bash", "dash", "ash"];
    let fetches = |command: &Command| matches!(&*command.program, "curl" | "wget") && !command.nested();
    let scripts = commands.iter().enumerate().filter(|(_, command)| {
        fetches(command) && command.piped_into.as_deref().is_some_and(|next| SHELLS.contains(&next))
    });
    let joins = |command: &Command| {
        let agent = |value: &Value| matches!(value.as_str(), Some("agent"));
        command.operands.iter().any(agent)
            || command.sub.iter().any(|sub| &**sub == "agent")
            || command.env.iter().any(|(name, value)| match &**name {
                "K3S_URL" => true,
                "INSTALL_K3S_EXEC" | "INSTALL_RKE2_TYPE" | "INSTALL_RKE2_EXEC" => value.contains("agent").is_true(),
                _ => false,
            })
    };
    scripts
        .filter(|(at, _)| !commands.get(at + 1).is_some_and(|next| joins(next)))
        .flat_map(|(_, command)| command.operands.iter().filter_map(Value::scalar).collect::<Vec<_>>())
        .filter_map(|address| Some((services::by_installer(&address)?, "task installs")))
        .collect()
}

/// `-i`, `-U`, `-ivh`: short options of which one installs; `-qi` asks.
fn is_short_install(word: &str) -> bool {
    let letters = word.strip_prefix('-').filter(|letters| !letters.starts_with(['-', 'q']));
    letters.is_some_and(|letters| letters.contains(['i', 'U']))
}

/// The package that a file or address of one holds: `/tmp/influxdb2_2.7.1_amd64.deb`, `elasticsearch-8.15.0-x86_64.rpm`.
fn packed(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.strip_suffix(".deb").or_else(|| name.strip_suffix(".rpm"))?;
    let digit = |at: usize| name[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    let end = name.char_indices().find(|(at, c)| *c == '_' || *c == '-' && digit(*at)).map_or(name.len(), |(at, _)| at);
    Some(&name[..end])
}

/// The same, wherever it runs.
pub(super) fn by_command_within(command: &Command) -> Vec<Brought> {
    let verb = command.sub.first().map_or("", |sub| sub);
    let operands = || command.operands.iter().filter_map(Value::scalar);
    let service = |name: &str| if is_client(&command.program, name) { None } else { services::by_package(name) };
    let package = |name: &str| service(packed(name).unwrap_or(name));
    let packages = || operands().filter_map(|name| Some((package(&name)?, "task installs"))).collect();
    let units = |names: Vec<String>| {
        names.iter().filter_map(|name| Some((services::by_unit(name)?, "task runs"))).collect::<Vec<Brought>>()
    };
    let all = || operands().map(|name| name.to_string()).collect::<Vec<String>>();
    let words: Vec<String> = command.sub.iter().map(ToString::to_string).chain(all()).collect();
    match &*command.program {
        "apt-get" | "apt" | "dnf" | "yum" | "microdnf" | "zypper" | "apk" | "pkg" => {
            let installs = words.first().is_some_and(|verb| matches!(verb.as_str(), "install" | "add" | "in"));
            if installs { packages() } else { Vec::new() }
        }
        "dpkg" | "rpm" => {
            let installs = |word: &str| word == "--install" || word == "--upgrade" || is_short_install(word);
            let files = operands().filter_map(|name| Some((service(packed(&name)?)?, "task installs")));
            if command.text.split_whitespace().any(installs) { files.collect() } else { Vec::new() }
        }
        "systemctl" => {
            let now = command.flag("now").is_some();
            let starts = matches!(verb, "start" | "restart" | "reload-or-restart") || verb == "enable" && now;
            if starts { units(all()) } else { Vec::new() }
        }
        "service" => match words.as_slice() {
            [name, verb] if matches!(verb.as_str(), "start" | "restart") => units(vec![name.clone()]),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
