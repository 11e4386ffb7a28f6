//! What becomes of machines with data in daily work: arguments that replace them, commands that repair them, backups.

use super::Estate;
use super::machine::{Machine, StorageKind};
use crate::knowledge::compute::Fate;
use crate::knowledge::services::ServiceData;
use crate::model::ansible::Task;
use crate::model::command::Command;
use crate::text::{FileId, Loc};
use std::collections::{BTreeSet, HashSet};

/// Arguments that change in the ordinary course of things.
const ROUTINE: [&str; 14] = [
    "ssh_public_keys",
    "ssh_public_key",
    "ssh_keys",
    "password",
    "user_data",
    "custom_data",
    "metadata_startup_script",
    "ostemplate",
    "template",
    "template_file_id",
    "image",
    "image_id",
    "ami",
    "env",
];

/// A machine with data that a routine change replaces.
pub struct Fragile {
    /// The machine, by index.
    pub machine: usize,
    /// The arguments, those first that change most often.
    pub arguments: Vec<String>,
    /// Where the first of them stands.
    pub loc: Loc,
    /// Services or paths whose data goes along.
    pub holds: Vec<String>,
}

/// Every machine with data that a routine change replaces, once for each declaration; `told` are arguments of which more is said.
#[must_use]
pub fn fragile(estate: &Estate<'_>, told: &BTreeSet<(FileId, u32)>) -> Vec<Fragile> {
    let mut seen: HashSet<Loc> = HashSet::new();
    let mut found = Vec::new();
    for (at, machine) in estate.machines.iter().enumerate() {
        if machine.guarded.is_true() || seen.contains(&machine.resource.loc()) {
            continue;
        }
        let holds = holds(estate, at, machine);
        let mut arguments = replacing(machine);
        arguments.retain(|(_, loc)| !told.contains(&(loc.file, loc.span.start)));
        let Some((_, loc)) = arguments.first().filter(|_| !holds.is_empty()).cloned() else { continue };
        seen.insert(machine.resource.loc());
        found.push(Fragile {
            machine: at,
            arguments: arguments.into_iter().map(|(name, _)| name).collect(),
            loc,
            holds,
        });
    }
    found
}

/// What a machine keeps on storage that goes with it.
#[must_use]
pub fn holds(estate: &Estate<'_>, at: usize, machine: &Machine<'_>) -> Vec<String> {
    let placements = estate
        .placements
        .iter()
        .filter(|placement| placement.machine == at && placement.fate == Fate::Destroyed && !placement.dormant);
    let lasting =
        placements.filter(|placement| matches!(placement.data, ServiceData::Authoritative | ServiceData::Queue));
    let mut holds: Vec<String> = lasting.flat_map(|placement| placement.services.iter().cloned()).collect();
    let volumes = machine.storage.iter().filter(|storage| {
        storage.kind == StorageKind::OwnedVolume && storage.fate == Fate::Destroyed && storage.is_data_path()
    });
    holds.extend(volumes.map(|storage| storage.path.display()));
    let mut seen: HashSet<String> = HashSet::new();
    holds.retain(|one| seen.insert(one.clone()));
    holds
}

/// The routine arguments that are given, replace the machine and are not ignored.
fn replacing(machine: &Machine<'_>) -> Vec<(String, Loc)> {
    let ignored = |name: &str| super::wiring::ignores(machine.resource.decl, name);
    ROUTINE
        .iter()
        .filter(|name| machine.ty.replace_on.iter().any(|known| known == **name) && !ignored(name))
        .filter_map(|name| {
            let (file, attribute) = machine.resource.decl.decl.attribute(name)?;
            (!machine.resource.arg(name).is_absent())
                .then(|| ((*name).to_owned(), Loc { file, span: attribute.name_span }))
        })
        .collect()
}

/// A machine with data of which nothing here makes copies.
pub struct Uncopied {
    /// The machine, by index.
    pub machine: usize,
    /// Its services.
    pub services: Vec<String>,
    /// What shows the first of them.
    pub evidence: Option<Loc>,
}

/// Programs that make copies of data.
const PROGRAMS: [&str; 21] = [
    "restic",
    "borg",
    "borgmatic",
    "pgbackrest",
    "barman",
    "wal-g",
    "wal-e",
    "vzdump",
    "proxmox-backup-client",
    "velero",
    "pg_dump",
    "pg_dumpall",
    "mysqldump",
    "mariadb-dump",
    "mariabackup",
    "xtrabackup",
    "mongodump",
    "kopia",
    "duplicity",
    "rsnapshot",
    "sanoid",
];

/// Words of a role, task or module that makes copies.
const WORDS: [&str; 16] = [
    "backup",
    "restic",
    "borg",
    "pgbackrest",
    "barman",
    "wal-g",
    "walg",
    "vzdump",
    "velero",
    "kopia",
    "duplicity",
    "snapshot",
    "sanoid",
    "syncoid",
    "pg_dump",
    "mysqldump",
];

fn speaks(text: &str) -> bool {
    let text = text.to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// Every machine with data of which nothing here makes copies, once for each declaration.
#[must_use]
pub fn uncopied(estate: &Estate<'_>) -> Vec<Uncopied> {
    let by_repository = estate.terraform.resources().any(|resource| is_backup_type(resource.ty()))
        || estate.invocations.iter().any(|invocation| invocation.task.is_none() && makes_copy(&invocation.command));
    if by_repository {
        return Vec::new();
    }
    let mut seen: HashSet<Loc> = HashSet::new();
    let mut found = Vec::new();
    let mut speaking: Option<Vec<bool>> = None;
    for placement in
        estate.placements.iter().filter(|placement| placement.data == ServiceData::Authoritative && !placement.dormant)
    {
        let Some(machine) = estate.machines.get(placement.machine) else { continue };
        let tasks = speaking.get_or_insert_with(|| speaking_tasks(estate));
        let copied = machine.storage.iter().any(|storage| storage.backup.as_bool() == Some(true))
            || copied_by_play(estate, placement.machine, tasks);
        if !copied && seen.insert(machine.resource.loc()) {
            found.push(Uncopied {
                machine: placement.machine,
                services: placement.services.iter().cloned().collect(),
                evidence: placement.evidence.first().map(|(loc, _)| *loc),
            });
        }
    }
    found
}

/// Whether a command makes a copy that is kept; what a standby starts from is overwritten with the next mistake.
fn makes_copy(command: &Command) -> bool {
    let standby = || command.flags.iter().any(|flag| matches!(&*flag.name, "-R" | "--write-recovery-conf"));
    match &*command.program {
        "pg_basebackup" => !standby(),
        program => PROGRAMS.contains(&program),
    }
}

fn is_backup_type(ty: &str) -> bool {
    ty.contains("backup_job")
        || ty.contains("backup_plan")
        || ty.contains("backup_selection")
        || ty.contains("backup_schedule")
        || ty.contains("snapshot_schedule")
        || ty.contains("dlm_lifecycle")
}

/// For each task, whether its text speaks of copies.
fn speaking_tasks(estate: &Estate<'_>) -> Vec<bool> {
    let text = |task: &Task<'_>| speaks(task.node.span().slice(estate.documents.tree.text(task.file)));
    estate.ansible.tasks.iter().map(text).collect()
}

/// Whether a play that reaches the machine has a role or task that makes copies.
fn copied_by_play(estate: &Estate<'_>, machine: usize, speaking: &[bool]) -> bool {
    let ansible = estate.ansible;
    let reaches = estate.joined.reaches.iter().filter(|reach| reach.machine == machine);
    let plays: HashSet<usize> = reaches.map(|reach| reach.play).collect();
    let by_role = plays.iter().any(|at| ansible.plays[*at].roles.iter().any(|role| speaks(role.name)));
    let by_task = |(task, speaks): (&Task<'_>, &bool)| *speaks && task.plays.iter().any(|play| plays.contains(play));
    by_role || ansible.tasks.iter().zip(speaking).any(by_task)
}
