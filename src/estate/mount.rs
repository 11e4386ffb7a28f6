//! What is mounted on a machine from elsewhere: the data below such a path is not the machine's.

use super::Estate;
use super::alias::Known;
use super::invocation::Invocation;
use super::machine::{Machine, StorageKind, is_below, waits_for};
use super::placement::Lies;
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

/// Devices that another machine or the platform serves: iSCSI, RBD, volumes of clouds by the names that these give them.
const SERVED: [&str; 7] = [
    "/dev/rbd",
    "/dev/nbd",
    "/dev/drbd",
    "/dev/disk/by-path/ip-",
    "/dev/disk/by-id/scsi-0HC_Volume",
    "/dev/disk/by-id/scsi-0DO_Volume",
    "/dev/disk/by-id/scsi-0Linode_Volume",
];

/// Whether a source is a device: a disk of its own, and not the root filesystem.
fn is_device(source: &Value) -> bool {
    ["/dev/", "UUID=", "PARTUUID=", "LABEL=", "PARTLABEL="].iter().any(|prefix| source.starts_with(prefix).is_true())
}

/// Whether a device is served from outside of the machine.
fn is_served(source: &Value) -> bool {
    SERVED.iter().any(|prefix| source.starts_with(prefix).is_true())
}

/// Where a system mounts what comes from elsewhere: what lies there is hardly ever on the root, whoever mounts it.
const MOUNT_PLACES: [&str; 2] = ["/mnt", "/media"];
/// Folders that packages and programs write in: who mounts by hand does it elsewhere.
const SYSTEM_PLACES: [&str; 6] = ["/etc", "/home", "/opt", "/root", "/usr", "/var"];

/// The paths of a machine on which something is mounted that its declaration does not place.
#[derive(Clone, Default)]
pub struct Bound {
    /// Something from elsewhere.
    pub elsewhere: Vec<String>,
    /// A disk that hangs on the machine; of which declaration that is, the path of a device does not tell.
    pub devices: Vec<String>,
    /// What a script speaks of that is not followed word by word.
    pub perhaps: Vec<String>,
}

impl Bound {
    /// What a directory of the machine lies on: the longest mount over it decides.
    #[must_use]
    pub fn lies(&self, machine: &Machine<'_>, directory: &str) -> Option<Lies> {
        let length = |path: &str| path.trim_end_matches('/').len();
        let declared = machine.storage_of(directory);
        let own = declared.and_then(|storage| storage.path.as_str()).map_or(0, length);
        let longest = |paths: &[String]| {
            let over = paths.iter().filter(|path| is_below(directory, path) && length(path) >= own);
            over.max_by_key(|path| length(path)).cloned()
        };
        let (elsewhere, device) = (longest(&self.elsewhere), longest(&self.devices));
        let covers = |path: &Option<String>| path.as_deref().map(length);
        // On the same path what comes from elsewhere is taken: it is the milder guess.
        if elsewhere.is_some() && covers(&elsewhere) >= covers(&device) {
            return elsewhere.map(Lies::Elsewhere);
        }
        let perhaps = longest(&self.perhaps);
        if perhaps.is_some() && covers(&perhaps) >= covers(&device) {
            return Some(Lies::Open);
        }
        if device.is_some() {
            return Some(on_device(machine));
        }
        let storage = declared?;
        // A volume that hangs on the machine may be mounted right there, by something that was not read.
        let unseen = || {
            let within = |places: &[&str]| places.iter().any(|place| is_below(directory, place));
            within(&MOUNT_PLACES) || machine.leaves_mounts() && !within(&SYSTEM_PLACES)
        };
        let open = storage.kind == StorageKind::Root && (machine.has_unplaced_storage() || unseen());
        Some(if open { Lies::Open } else { Lies::On(storage.kind, storage.fate) })
    }
}

/// What lies on a disk without a path: known where all that hang on the machine are of one kind.
fn on_device(machine: &Machine<'_>) -> Lies {
    let mut unplaced = machine.storage.iter().filter(|storage| storage.extra && storage.path.as_str().is_none());
    let Some(first) = unplaced.next() else { return Lies::Open };
    let alike = unplaced.all(|other| (other.kind, other.fate) == (first.kind, first.fate));
    if alike { Lies::On(first.kind, first.fate) } else { Lies::Open }
}

/// The paths of a machine on which something is mounted by what does not declare it.
pub(super) fn elsewhere(machine: &Machine<'_>, mounts: &[Mounts], estate: &Estate<'_>, known: &mut Known<'_>) -> Bound {
    let ansible = estate.ansible;
    let (mut found, mut devices) = (by_host(machine, estate), Vec::new());
    let mut bound: Vec<&Mount> = Vec::new();
    for mounts in mounts {
        let play = &ansible.plays[mounts.play];
        if known.reached(machine, estate.documents.tree.path(play.file), play, &mounts.pattern) {
            for mount in &mounts.made {
                let local = mount.remote.is_false() && !is_served(&mount.source);
                match (local, is_device(&mount.source)) {
                    (false, _) => found.push(mount.path.clone()),
                    (true, true) => devices.push(mount.path.clone()),
                    (true, false) => bound.push(mount),
                }
            }
        }
    }
    // A path of such a mount may be bound to another place.
    let again: Vec<String> = bound
        .into_iter()
        .filter(|mount| mount.source.as_str().is_some_and(|source| found.iter().any(|path| is_below(source, path))))
        .map(|mount| mount.path.clone())
        .collect();
    found.extend(again);
    Bound { elsewhere: found, devices, perhaps: Vec::new() }
}

/// Paths that `pct set ID -mpN source,mp=/path` mounts from outside.
fn by_host(machine: &Machine<'_>, estate: &Estate<'_>) -> Vec<String> {
    let sets = estate.invocations.iter().filter(|one| *one.command.program == *"pct" && is_for(one, machine));
    let values = sets
        .flat_map(|one| one.command.flags.iter().filter(|flag| flag.name.trim_start_matches('-').starts_with("mp")));
    values
        .filter_map(|flag| {
            let text = flag.value.display();
            let target = text.split(',').find_map(|part| part.strip_prefix("mp="))?;
            // A volume of the storage is the container's own, but for one that bears the number of another guest.
            let outside = text.starts_with(['/', '…']) || is_anothers(&text, machine);
            outside.then(|| target.to_owned())
        })
        .collect()
}

/// Whether a command on the node names the machine: by its number, by the resource that it stands in, or by nothing that is
/// known in the file that declares the machine.
fn is_for(invocation: &Invocation<'_>, machine: &Machine<'_>) -> bool {
    let command = &invocation.command;
    let same_file = command.loc.file == machine.resource.loc().file;
    let number = command.operands.iter().find(|word| word.as_str() != Some("set"));
    if let Some(number) = number.and_then(Value::scalar) {
        let mut own = machine.ids.iter().filter_map(Value::scalar).peekable();
        return if own.peek().is_none() { same_file } else { own.any(|id| *id == *number) };
    }
    if let Some(number) = number.filter(|number| waits_for(number, &|_| true).is_some()) {
        return waits_for(number, &|address| address == machine.address).is_some();
    }
    match &invocation.resource {
        Some(resource) if resource.declaration() == machine.resource.declaration() => true,
        _ => same_file,
    }
}

/// Whether a volume (`local-lvm:vm-900-disk-1`, `tank:subvol-900-disk-0`) is another guest's.
fn is_anothers(text: &str, machine: &Machine<'_>) -> bool {
    let volume = text.split(',').next().and_then(|source| source.split_once(':')).map_or("", |(_, volume)| volume);
    let number = volume.rsplit('/').next().and_then(|name| {
        let rest = name.strip_prefix("vm-").or_else(|| name.strip_prefix("subvol-"))?;
        rest.split_once("-disk-").map(|(number, _)| number)
    });
    let own = || machine.ids.iter().filter_map(Value::scalar).any(|id| number == Some(&*id));
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) && !own()
}
