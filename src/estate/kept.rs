//! Where a service is made to keep its data: what tasks write into its configuration, what its role sets, what its role makes.

use super::Estate;
use super::service::words;
use crate::knowledge::services::{self, PathClass, Service};
use crate::model::ansible::{Ansible, Task, Turn};
use crate::source::file_name;
use crate::value::{Reason, Value};
use regex::Regex;
use std::collections::BTreeSet;

/// The data directories that tasks of the role, or else of the play, configure for a service; none when no setting is found,
/// a reason when what one says is not known.
pub(super) fn configured(
    estate: &Estate<'_>,
    service: &Service,
    role: Option<usize>,
    play: usize,
) -> Option<Result<Vec<String>, Reason>> {
    let own = |task: &Task<'_>| match role {
        Some(role) => task.role == Some(role),
        None => task.role.is_none() && task.plays.contains(&play),
    };
    let mut found: Vec<Value> = Vec::new();
    for (at, task) in estate.ansible.tasks.iter().enumerate().filter(|(_, task)| own(task)) {
        match task.short() {
            "lineinfile" | "blockinfile" | "copy" | "template" | "ini_file" | "replace" => {
                found.extend(of_file(estate, service, at));
            }
            "postgresql_set" if service.name == "postgresql" => {
                let set = |turn: &Turn<'_, '_, '_>| {
                    let own = turn.argument("name").as_str() == Some("data_directory");
                    own.then(|| turn.argument("value"))
                };
                found.extend(estate.ansible.in_turns(task, set).into_iter().flatten());
            }
            _ => found.extend(by_command(estate, service, at)),
        }
    }
    if found.is_empty() {
        return None;
    }
    if let Some(reason) = found.iter().find_map(Value::reason) {
        return Some(Err(reason));
    }
    let paths: BTreeSet<String> = found
        .iter()
        .filter_map(Value::as_str)
        .map(|path| path.trim_end_matches('/').to_owned())
        .filter(|path| path.len() > 1 && path.starts_with('/'))
        .collect();
    (!paths.is_empty()).then(|| Ok(paths.into_iter().collect()))
}

/// Commands that make a data directory, with the options that name it.
const MAKERS: [(&str, &str, &[&str]); 5] = [
    ("postgresql", "initdb", &["D", "pgdata"]),
    ("postgresql", "pg_createcluster", &["d", "datadir"]),
    ("mysql", "mysqld", &["datadir"]),
    ("mariadb", "mysql_install_db", &["datadir"]),
    ("mariadb", "mariadb-install-db", &["datadir"]),
];

fn by_command(estate: &Estate<'_>, service: &Service, at: usize) -> Vec<Value> {
    let directory = |command: &crate::model::command::Command| {
        let (.., options) =
            MAKERS.iter().find(|(own, program, _)| *own == service.name && *program == &*command.program)?;
        options.iter().find_map(|option| command.flag(option)).map(|flag| flag.value.clone())
    };
    estate.invocations_of(at).filter_map(directory).filter(|value| value.as_str().is_some()).collect()
}

/// The values that a file of the service's configuration gives its settings of the data directory.
fn of_file(estate: &Estate<'_>, service: &Service, at: usize) -> Vec<Value> {
    let ansible = estate.ansible;
    let task = &ansible.tasks[at];
    let paths = ["dest", "path", "destfile", "src"].iter().map(|name| ansible.argument(task, name));
    let paths: Vec<String> = paths.map(|path| path.display()).collect();
    if !paths.iter().any(|path| is_configuration(service, path)) {
        return Vec::new();
    }
    let instance = paths.iter().find_map(|path| file_name(path).split_once('@')?.1.strip_suffix(".service"));
    let each = |name: &str| ansible.each(task, name).iter().map(Value::display).collect::<Vec<_>>();
    let written: Vec<String> = match task.short() {
        "lineinfile" => each("line"),
        "blockinfile" => each("block"),
        "replace" => each("replace"),
        "ini_file" => {
            let line = |turn: &Turn<'_, '_, '_>| {
                let present = turn.argument("state").as_str() != Some("absent");
                present.then(|| format!("{} = {}", turn.argument("option").display(), turn.argument("value").display()))
            };
            ansible.in_turns(task, line).into_iter().flatten().collect()
        }
        "copy" if task.argument("content").is_some() => each("content"),
        _ => {
            let file = ansible.written_from(task, ansible.argument(task, "src").as_str().unwrap_or(""));
            return file.map_or_else(Vec::new, |file| {
                settings(service, estate.documents.tree.text(file), |text| {
                    // `%i` is the instance that the unit is written for.
                    let text = instance.map_or_else(|| text.to_owned(), |name| text.replace("%i", name));
                    if text.contains("%i") {
                        return Value::unknown("the instance of the unit is not known");
                    }
                    if task.short() == "template" {
                        ansible.evaluate_text(task, &text)
                    } else {
                        Value::known(text.as_str())
                    }
                })
            });
        }
    };
    let known = |text: &str| {
        let open = text.contains('…');
        if open { Value::unknown("a part of the setting is not known") } else { Value::known(text) }
    };
    written.iter().flat_map(|text| settings(service, text, known)).collect()
}

/// Whether a path is one of the service's configuration, by its name or that of a unit.
fn is_configuration(service: &Service, path: &str) -> bool {
    let path = path.to_lowercase();
    let also: &[&str] = match service.name.as_str() {
        "postgresql" => &["postgres"],
        "mysql" | "mariadb" => &["my.cnf", "mysql", "mariadb"],
        "mongodb" => &["mongod"],
        _ => &[],
    };
    path.contains(&service.name) || also.iter().any(|name| path.contains(name))
}

/// What a text of configuration says of the data directory: `data_directory = '/x'`, `dir /x`, `--data-dir=/x`.
fn settings(service: &Service, text: &str, value: impl Fn(&str) -> Value) -> Vec<Value> {
    let mut found = Vec::new();
    for name in service.data_settings.iter().filter(|name| text.contains(name.as_str())) {
        let pattern = format!(
            r#"^[^#;]*?(?:^|[\s"'])-{{0,2}}{}["']?\s*[=:\s]\s*["']?(\{{\{{.*?\}}\}}[^\s"',;]*|[/…][^\s"',;]*)"#,
            regex::escape(name)
        );
        let Ok(pattern) = Regex::new(&pattern) else { continue };
        let lines = text.lines().filter_map(|line| pattern.captures(line)?.get(1));
        // What the shell or systemd puts in is not known.
        let open = |text: &str| text.contains(['$', '%']) && !text.contains("{{");
        found.extend(lines.map(|given| match given.as_str() {
            text if open(&text.replace("%i", "")) => Value::unknown("a variable is a part of the setting"),
            text => value(text),
        }));
    }
    found
}

/// Variables of a role that name a data directory of the service.
pub(super) fn set_by_role(ansible: &Ansible<'_>, role: usize, service: &Service) -> Vec<String> {
    const ENDINGS: [&str; 9] = [
        "data_dir",
        "datadir",
        "data_dirs",
        "data_directory",
        "data_path",
        "storage_path",
        "home",
        "data_location",
        "path_prefix",
    ];
    let role = &ansible.roles[role];
    let own = role.name.to_lowercase();
    let mut found = BTreeSet::new();
    for (_, node) in &role.defaults {
        for (key, _) in node.entries() {
            let Some(name) = key.as_str() else { continue };
            if !ENDINGS.iter().any(|ending| name.ends_with(ending)) {
                continue;
            }
            let value = ansible.role_variable(role, name);
            // A role for several services names each in the variable.
            let speaks = own.contains(&service.name)
                || own.contains(name.split('_').next().unwrap_or(name))
                || name.contains(&service.name);
            let paths = words(&value).into_iter().filter(|path| path.starts_with('/'));
            found.extend(paths.filter(|path| {
                let other = services::by_path(path)
                    .is_some_and(|other| other.name != service.name && other.dirs_package != service.dirs_package);
                speaks && !other
            }));
        }
    }
    found.into_iter().collect()
}

/// Directories for data that a role makes, by modules and by `mkdir`.
pub(super) fn made_by_role(estate: &Estate<'_>, role: usize) -> Vec<String> {
    let ansible = estate.ansible;
    let tasks = ansible.tasks.iter().filter(|task| task.role == Some(role) && task.short() == "file");
    let made = tasks.filter(|task| ansible.argument(task, "state").as_str() == Some("directory"));
    let paths = made
        .flat_map(|task| ["path", "dest", "name"].iter().flat_map(|name| ansible.each(task, name)).collect::<Vec<_>>());
    let own = ansible.tasks.iter().enumerate().filter(|(_, task)| task.role == Some(role));
    let commands = own.flat_map(|(at, _)| estate.invocations_of(at)).filter(|command| &*command.program == "mkdir");
    let by_command = commands.flat_map(|command| command.operands.iter().cloned());
    let data: BTreeSet<String> = paths
        .chain(by_command)
        .filter_map(|path| path.as_str().map(str::to_owned))
        .filter(|path| services::data_path(path) == Some(PathClass::Data))
        .collect();
    data.into_iter().collect()
}
