//! What single commands do to an image: they take identity away or make it anew, or put something into it that does not belong there.

use super::shipped;
use crate::knowledge::commands::Class;
use crate::knowledge::packer;
use crate::model::command::{Command, text_of};
use crate::text::Loc;

/// Identity of the machine that an image is built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// `/etc/machine-id`
    MachineId,
    /// SSH host keys.
    HostKeys,
}

/// Kinds of things that do not belong in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it; `as_str` gives the words")]
pub enum Content {
    User,
    Key,
    Password,
    Privilege,
    Data,
    ControlState,
    HostName,
    Enrolment,
    Address,
}

impl Content {
    /// The words for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Key => "key",
            Self::Password => "password",
            Self::Privilege => "privilege",
            Self::Data => "data",
            Self::ControlState => "control-state",
            Self::HostName => "host-name",
            Self::Enrolment => "enrolment",
            Self::Address => "address",
        }
    }

    /// Every word.
    pub const WORDS: [&'static str; 9] =
        ["user", "key", "password", "privilege", "data", "control-state", "host-name", "enrolment", "address"];
}

/// Something that a step does.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    /// What it does.
    pub does: Does,
    /// The command or task, on one line.
    pub text: Box<str>,
    /// Where it stands.
    pub loc: Loc,
    /// Whether it only runs under a condition.
    pub conditional: bool,
}

/// What a [`Deed`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// Takes identity away.
    Seals(Trace),
    /// Makes it anew.
    Remakes(Trace),
    /// Puts something into the image; the user, path or program that it is about, and why one can tell.
    Bakes(Content, Option<Box<str>>, Option<Box<str>>),
    /// Takes a user, the password of one, or what lies at a path, out again.
    Removes(Content, Box<str>),
    /// Removes a path.
    RemovesPath(Box<str>),
}

/// Programs that only look at the files they are given.
const READERS: [&str; 14] =
    ["cat", "grep", "egrep", "test", "[", "[[", "stat", "ls", "head", "wc", "chmod", "chown", "diff", "md5sum"];

/// What a command does to the guest; on the build host only what takes identity away counts.
pub(super) fn of_command(command: &Command, on_host: bool, deeds: &mut Vec<Deed>) {
    // What runs elsewhere does nothing to the image.
    if command.through.iter().any(|wrapper| &**wrapper == "ssh") {
        return;
    }
    let mut found = Vec::new();
    identity(command, &mut found);
    if on_host {
        found.retain(|does| matches!(does, Does::Seals(_)));
    } else {
        accounts(command, &mut found);
        content(command, &mut found);
    }
    let conditional = !command.conditions.is_empty() || command.in_test;
    let text: Box<str> = command.text.replace(crate::text::HOLE, "…").into();
    deeds.extend(found.into_iter().map(|does| Deed { does, text: text.clone(), loc: command.loc, conditional }));
}

fn operands(command: &Command) -> Vec<String> {
    command.operands.iter().map(text_of).collect()
}

/// The files that a command writes or empties by redirections.
fn targets(command: &Command) -> impl Iterator<Item = String> {
    let writes = command.redirects.iter().filter(|(op, _)| op.contains('>'));
    writes.map(|(_, target)| text_of(target))
}

fn identity(command: &Command, found: &mut Vec<Does>) {
    let (text, program) = (&*command.text, &*command.program);
    let sub = command.sub.first().map_or("", |sub| &**sub);
    let paths = operands(command);
    match program {
        "virt-sysprep" | "sysprep" | "virt-customize" if program != "virt-customize" || text.contains("machine-id") => {
            found.extend([Does::Seals(Trace::MachineId), Does::Seals(Trace::HostKeys)]);
        }
        "waagent" if text.contains("deprovision") => {
            found.extend([Does::Seals(Trace::MachineId), Does::Seals(Trace::HostKeys)]);
        }
        "systemd-firstboot" if text.contains("--reset") => found.push(Does::Seals(Trace::MachineId)),
        "cloud-init" if text.contains(" clean") => {
            found.push(Does::Seals(Trace::HostKeys));
            if text.contains("--machine-id") {
                found.push(Does::Seals(Trace::MachineId));
            }
        }
        "cloud-init" if matches!(sub, "init" | "modules") || text.contains(" init") => {
            found.push(Does::Remakes(Trace::HostKeys));
        }
        "ssh-keygen" if command.flag("A").is_some() || text.contains("/ssh_host_") => {
            found.push(Does::Remakes(Trace::HostKeys));
        }
        "dpkg-reconfigure" if paths.iter().chain([&sub.to_owned()]).any(|it| it == "openssh-server") => {
            found.push(Does::Remakes(Trace::HostKeys));
        }
        "apt-get" | "apt" | "dnf" | "yum" | "zypper" | "apk"
            if text.contains(" openssh-server") && (text.contains(" install") || text.contains(" reinstall")) =>
        {
            found.push(Does::Remakes(Trace::HostKeys));
        }
        "systemd-machine-id-setup" | "dbus-uuidgen" | "reboot" => found.push(Does::Remakes(Trace::MachineId)),
        "systemctl" if sub == "reboot" || paths.first().is_some_and(|first| first == "reboot") => {
            found.push(Does::Remakes(Trace::MachineId));
        }
        "shutdown" if command.flag("r").is_some() => found.push(Does::Remakes(Trace::MachineId)),
        _ => files(command, &paths, found),
    }
}

/// What becomes of the files that hold identity.
fn files(command: &Command, paths: &[String], found: &mut Vec<Does>) {
    let reads = READERS.contains(&&*command.program);
    let touched = || {
        let given = paths.iter().filter(|_| !reads).cloned();
        let flags = command.flags.iter().filter(|_| !reads).map(|flag| text_of(&flag.value));
        given.chain(flags).chain(targets(command))
    };
    if touched().any(|path| path.ends_with("machine-id")) {
        found.push(Does::Seals(Trace::MachineId));
    }
    // `find /etc/ssh -name 'ssh_host_*' -delete` says both in one text.
    let keys =
        |path: &str| path.contains("ssh_host_") || path.ends_with("/var/lib/cloud") || path.contains("/var/lib/cloud/");
    if touched().any(|path| keys(&path)) || &*command.program == "find" && command.text.contains("ssh_host_") {
        found.push(Does::Seals(Trace::HostKeys));
    }
}

/// Whether an account is one of a service.
fn is_service(command: &Command) -> bool {
    let shell = |flag: &crate::model::command::Flag| {
        matches!(&*flag.name, "-s" | "--shell")
            && ["nologin", "/false"].iter().any(|end| text_of(&flag.value).ends_with(end))
    };
    command.flags.iter().any(|flag| {
        matches!(&*flag.name, "--system" | "-S" | "--disabled-login")
            || flag.name.starts_with('-') && !flag.name.starts_with("--") && flag.name.contains('r')
            || shell(flag)
    }) || ["nologin", "/bin/false"].iter().any(|shell| command.text.contains(shell))
        || command
            .text
            .split_whitespace()
            .any(|word| matches!(word, "-r" | "--system" | "-S" | "-rm" | "-rU" | "-Mr" | "-rs"))
}

fn accounts(command: &Command, found: &mut Vec<Does>) {
    let words = operands(command);
    let words: Vec<&str> = command.sub.iter().map(|sub| &**sub).chain(words.iter().map(String::as_str)).collect();
    let last = words.last().map(|word| Box::from(*word));
    let bakes = |content, name: Option<Box<str>>| Does::Bakes(content, name, None);
    match &*command.program {
        "useradd" | "adduser" if !is_service(command) && !command.text.contains("--help") => {
            // `adduser alice sudo` only puts one who is there into a group.
            let joins = &*command.program == "adduser" && words.len() == 2 && command.flags.is_empty();
            found.extend((last.is_some() && !joins).then(|| bakes(Content::User, last)));
        }
        "userdel" | "deluser" => found.extend(last.map(|name| Does::Removes(Content::User, name))),
        "chpasswd" => found.push(bakes(Content::Password, password_of(command))),
        "usermod" if command.flag("p").is_some() || command.flag("password").is_some() => {
            found.push(bakes(Content::Password, last));
        }
        "passwd" | "usermod" | "chage"
            if ["l", "lock", "L", "d", "delete"].iter().any(|flag| command.flag(flag).is_some()) =>
        {
            let locked = words.last().copied().unwrap_or("root");
            found.push(Does::Removes(Content::Password, locked.into()));
        }
        "ssh-import-id" | "ssh-copy-id" => found.push(bakes(Content::Key, None)),
        _ => {}
    }
}

/// The user whose password `chpasswd` is told.
fn password_of(command: &Command) -> Option<Box<str>> {
    let told = command.redirects.iter().find(|(op, _)| op.contains("<<"))?;
    let text = text_of(&told.1);
    let (user, _) = text.trim().trim_matches(['"', '\'']).split_once(':')?;
    (!user.is_empty() && !user.contains([' ', '\n'])).then(|| user.into())
}

fn content(command: &Command, found: &mut Vec<Does>) {
    let program = &*command.program;
    let paths = operands(command);
    let mut written: Vec<String> = targets(command).collect();
    match program {
        "rm" | "unlink" | "shred" | "truncate" => {
            found.extend(paths.iter().map(|path| Does::RemovesPath(path.as_str().into())));
        }
        "tee" => written.extend(paths.iter().cloned()),
        "curl" | "wget" => written.extend(command.flags.iter().map(|flag| text_of(&flag.value))),
        "cp" | "install" | "mv" | "rsync" => written.extend(paths.last().cloned()),
        _ => {}
    }
    let discards = paths.iter().any(|path| path == "/dev/null") || matches!(program, ":" | "true" | "truncate" | "");
    for path in written {
        if discards {
            found.push(Does::RemovesPath(path.into()));
            continue;
        }
        let about = Some(Box::from(path.as_str()));
        if path.contains("authorized_keys") && !command.text.contains("insecure") {
            found.push(Does::Bakes(Content::Key, about, None));
        } else if path.contains("/etc/sudoers.d/") || path.ends_with("/etc/sudoers") {
            found.push(Does::Bakes(Content::Privilege, about, None));
        } else if path.ends_with("/etc/hostname") && program == "echo" {
            found.extend(host_name(paths.first().map_or("", String::as_str)));
        }
    }
    if program == "hostnamectl" {
        found.extend(host_name(paths.last().map_or("", String::as_str)));
    }
    if command.does(Class::DataLoad) && !only_reads(command) {
        found.push(Does::Bakes(Content::Data, None, command.rows.first().map(|row| row.effect.clone())));
    } else if shipped::makes_cluster(command) {
        found.push(Does::Bakes(Content::Data, None, Some("makes a database".into())));
    }
    if let Some(row) = packer::enrolment(program, &command.text) {
        found.push(Does::Bakes(Content::Enrolment, Some(row.state.as_str().into()), Some(row.what.as_str().into())));
    }
}

/// Migrations of an application, and what takes away.
fn only_reads(command: &Command) -> bool {
    let rows = || command.rows.iter().filter(|row| row.class == Class::DataLoad);
    rows().all(|row| &*row.id == "application-migration")
}

/// A host name that is not the template's own.
pub(super) fn host_name(name: &str) -> Option<Does> {
    let name = name.trim().trim_matches(['"', '\'']);
    let lower = name.to_ascii_lowercase();
    let general = ["localhost", "template", "tmpl", "packer", "base", "image", "golden", "debian", "ubuntu"];
    let open = name.is_empty() || name.contains(crate::text::HOLE) || name.contains(['$', '…']);
    (!open && !general.iter().any(|word| lower.contains(word)))
        .then(|| Does::Bakes(Content::HostName, Some("/etc/hostname".into()), None))
}
