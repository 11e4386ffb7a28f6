//! Data that a backup job leaves out by name: `exclude_path` of a job in Terraform, `--exclude-path` of `vzdump`.

use super::Estate;
use super::machine::Machine;
use crate::text::Loc;
use crate::value::Value;
use std::collections::BTreeSet;

/// A data directory of a machine that a job leaves out.
pub struct LeftOut {
    /// The machine, by index.
    pub machine: usize,
    /// The path that is left out.
    pub path: String,
    /// What lies there: services, or the directory.
    pub holds: Vec<String>,
    /// Where the job says so.
    pub loc: Loc,
}

/// A job's list.
struct Exclusion {
    paths: Vec<String>,
    /// The guests that it takes; none for all, or when it does not say.
    guests: Option<Vec<String>>,
    loc: Loc,
}

/// Every data directory that a job leaves out, job by job.
#[must_use]
pub fn left_out(estate: &Estate<'_>) -> Vec<LeftOut> {
    let mut found = Vec::new();
    for exclusion in exclusions(estate) {
        for (at, machine) in
            estate.machines.iter().enumerate().filter(|(_, it)| it.resource.ty().starts_with("proxmox"))
        {
            let id = |value: &Value| value.scalar().map(|it| it.to_string());
            let taken = exclusion.guests.as_ref().is_none_or(|guests| {
                machine.ids.is_empty() || machine.ids.iter().any(|own| id(own).is_none_or(|own| guests.contains(&own)))
            });
            for path in exclusion.paths.iter().filter(|_| taken) {
                let holds = held(estate, at, machine, path);
                if !holds.is_empty() {
                    found.push(LeftOut { machine: at, path: path.clone(), holds, loc: exclusion.loc });
                }
            }
        }
    }
    found
}

/// What of a machine's data lies below a path.
fn held(estate: &Estate<'_>, at: usize, machine: &Machine<'_>, path: &str) -> Vec<String> {
    let below = |directory: &str| {
        let root = path.trim_end_matches(['*', '/']);
        !root.is_empty() && directory.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let placed = estate.placements.iter().filter(|it| it.machine == at && !it.dormant);
    let placed = placed.filter(|it| it.directories.iter().any(|directory| below(directory)));
    let mut holds: BTreeSet<String> = placed.flat_map(|it| it.services.iter().cloned()).collect();
    let volumes = machine.storage.iter().filter(|it| it.is_data_path() && it.path.as_str().is_some_and(below));
    holds.extend(volumes.map(|it| it.path.display()));
    holds.into_iter().collect()
}

fn exclusions(estate: &Estate<'_>) -> Vec<Exclusion> {
    let words = |value: &Value| match value.as_list() {
        Some(list) => list.items.iter().filter_map(|it| it.scalar().map(|it| it.to_string())).collect(),
        None => value.scalar().map(|it| it.split(',').map(|it| it.trim().to_owned()).collect()).unwrap_or_default(),
    };
    let jobs = estate.terraform.resources().filter(|resource| resource.ty().contains("backup_job"));
    let jobs = jobs.filter_map(|job| {
        let excluded = job.arg("exclude_path");
        let guests: Vec<String> = words(&job.arg("vmid"));
        let guests = (!guests.is_empty() && job.arg("all").as_bool() != Some(true)).then_some(guests);
        let loc = excluded.origin.filter(|it| it.file == job.loc().file).unwrap_or_else(|| job.loc());
        (!excluded.is_absent()).then(|| Exclusion { paths: words(&excluded), guests, loc })
    });
    let calls = estate.invocations.iter().filter(|it| &*it.command.program == "vzdump" && !it.instruction);
    let calls = calls.filter_map(|invocation| {
        let command = &invocation.command;
        let flags = command.flags.iter().filter(|flag| flag.name.trim_start_matches('-') == "exclude-path");
        let paths: Vec<String> = flags.filter_map(|flag| Some(flag.value.as_str()?.to_owned())).collect();
        let guests: Vec<String> = command.operands.iter().flat_map(words).collect();
        let guests = (!guests.is_empty() && command.flag("all").is_none()).then_some(guests);
        (!paths.is_empty()).then_some(Exclusion { paths, guests, loc: command.loc })
    });
    jobs.chain(calls).collect()
}
