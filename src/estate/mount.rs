//! What is mounted on a machine from elsewhere: the data below such a path is not the machine's.

use super::Estate;
use super::alias::Known;
use super::machine::{Machine, is_below};
use super::task::runs_nowhere;
use crate::model::ansible::{Ansible, Pattern, Rendered, Task, TextKind};
use crate::syntax::jinja;
use crate::syntax::unit;
use crate::syntax::yaml::Node;
use crate::value::{Tri, Value};

/// File systems that lie on other machines.
const REMOTE: [&str; 11] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ceph",
    "fuse.ceph",
    "glusterfs",
    "fuse.glusterfs",
    "lustre",
    "fuse.sshfs",
];

/// A mount that a task makes.
struct Mount {
    path: String,
    source: Value,
    remote: Tri,
}

/// The mounts of a task in a play, and the hosts that they are for.
pub(super) struct Mounts {
    play: usize,
    pattern: Pattern,
    made: Vec<Mount>,
}

/// What each task of a play mounts.
pub(super) fn mounts(estate: &Estate<'_>) -> Vec<Mounts> {
    let ansible = estate.ansible;
    let mut found: Vec<Mounts> = Vec::new();
    for (at, task) in ansible.tasks.iter().enumerate() {
        let units = || estate.texts_of(at).iter().filter(|text| text.kind == TextKind::Unit);
        if task.short() != "mount" && units().next().is_none() {
            continue;
        }
        let gone =
            matches!(ansible.argument(task, "state").as_str(), Some("absent" | "absent_from_fstab" | "unmounted"));
        let off = task.when.iter().any(|when| ansible.condition(task, *when).is_false());
        let other = task.delegate_to.and_then(Node::as_str).is_some_and(|host| !jinja::contains_template(host));
        if gone || off || other {
            continue;
        }
        for play in task.plays.iter().filter(|play| !ansible.plays[**play].local) {
            let mut made: Vec<Mount> = units().filter_map(|text| of_unit(&text.rendered)).collect();
            if task.short() == "mount" {
                made.extend(of_task(ansible, task));
            }
            if made.is_empty() || runs_nowhere(ansible, at) {
                continue;
            }
            let pattern = ansible.plays[*play].pattern.clone();
            found.push(Mounts { play: *play, pattern, made });
        }
    }
    found
}

fn of_task<'m>(ansible: &Ansible<'m>, task: &Task<'m>) -> Vec<Mount> {
    let each = |name: &str| ansible.each(task, name);
    let paths = ["path", "name"].iter().map(|name| each(name)).find(|values| !values.is_empty()).unwrap_or_default();
    let (sources, types) = (each("src"), each("fstype"));
    // A loop gives as many of each; what stands outside of it is the same for all.
    let nth = |values: &[Value], at: usize| values.get(at).or(values.first()).cloned().unwrap_or_default();
    let mount = |(at, path): (usize, &Value)| {
        let source = nth(&sources, at);
        let remote = is_remote(&source, &nth(&types, at));
        Some(Mount { path: path.as_str()?.to_owned(), source, remote })
    };
    paths.iter().enumerate().filter_map(mount).collect()
}

/// The mount that a unit of systemd makes.
fn of_unit(rendered: &Rendered) -> Option<Mount> {
    let entries = unit::entries(&rendered.text.text);
    let value = |key: &str| {
        let own = entries.iter().rev().find(|entry| entry.section == "Mount" && entry.key == key);
        own.map(|entry| rendered.value(entry.value)).unwrap_or_default()
    };
    let source = value("What");
    let remote = is_remote(&source, &value("Type"));
    Some(Mount { path: value("Where").as_str()?.to_owned(), source, remote })
}

/// Whether a source (`host:/export`, `//host/share`) or a type of file system is another machine's.
fn is_remote(source: &Value, fstype: &Value) -> Tri {
    let known = REMOTE.iter().fold(Tri::False, |found, name| found.or(|| fstype.equals(&(*name).into())));
    known.or(|| source.contains(":/")).or(|| source.starts_with("//"))
}

/// Whether a source is a device: a disk of its own, whatever becomes of it, and not the root filesystem.
fn is_device(source: &Value) -> bool {
    ["/dev/", "UUID=", "PARTUUID=", "LABEL=", "PARTLABEL="].iter().any(|prefix| source.starts_with(prefix).is_true())
}

/// The paths of a machine on which something from elsewhere is mounted, or may be.
pub(super) fn elsewhere(
    machine: &Machine<'_>,
    mounts: &[Mounts],
    estate: &Estate<'_>,
    known: &mut Known<'_>,
) -> Vec<String> {
    let ansible = estate.ansible;
    let mut found = by_host(machine, estate);
    let mut bound: Vec<&Mount> = Vec::new();
    for mounts in mounts {
        let play = &ansible.plays[mounts.play];
        if known.reached(machine, estate.documents.tree.path(play.file), play, &mounts.pattern) {
            let (local, remote): (Vec<&Mount>, Vec<&Mount>) =
                mounts.made.iter().partition(|mount| mount.remote.is_false() && !is_device(&mount.source));
            found.extend(remote.into_iter().map(|mount| mount.path.clone()));
            bound.extend(local);
        }
    }
    // A path of such a mount may be bound to another place.
    let again: Vec<String> = bound
        .into_iter()
        .filter(|mount| mount.source.as_str().is_some_and(|source| found.iter().any(|path| is_below(source, path))))
        .map(|mount| mount.path.clone())
        .collect();
    found.extend(again);
    found
}

/// Paths that `pct set -mpN source,mp=/path` mounts from outside, in the file that declares the machine.
fn by_host(machine: &Machine<'_>, estate: &Estate<'_>) -> Vec<String> {
    let file = machine.resource.loc().file;
    let commands = estate.invocations.iter().map(|invocation| &invocation.command);
    let sets = commands.filter(|command| command.loc.file == file && *command.program == *"pct");
    let values = sets
        .flat_map(|command| command.flags.iter().filter(|flag| flag.name.trim_start_matches('-').starts_with("mp")));
    values
        .filter_map(|flag| {
            let text = flag.value.display();
            let target = text.split(',').find_map(|part| part.strip_prefix("mp="))?;
            // A volume of the storage is the container's own; a path of the host is not.
            text.starts_with(['/', '…']).then(|| target.to_owned())
        })
        .collect()
}
