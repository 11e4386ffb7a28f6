//! Where data services keep their data: plays and roles joined with the machines that Terraform makes.

use super::invocation::Invocation;
use super::machine::{Machine, StorageKind, is_below};
use super::{Estate, mount, service};
use crate::knowledge::compute::Fate;
use crate::knowledge::services::ServiceData;
use crate::model::ansible::{Ansible, Pattern, Play, Seen};
use crate::model::command::{Command, Site};
use crate::source::folder;
use crate::text::{FileId, Loc};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A data service that a play brings to its hosts.
pub struct Use {
    /// Its proper name.
    pub label: String,
    /// What losing its data loses.
    pub data: ServiceData,
    /// Where it keeps its data.
    pub directories: Vec<String>,
    /// Where one sees it.
    pub loc: Loc,
    /// What one sees there ("this task installs PostgreSQL").
    pub clause: String,
    /// The role that brings it, by index.
    pub role: Option<usize>,
}

/// The data services on one storage of one machine.
pub struct Placement {
    /// The machine, by index.
    pub machine: usize,
    /// What the directories lie on.
    pub kind: StorageKind,
    /// What becomes of it with the machine.
    pub fate: Fate,
    /// The services' proper names.
    pub services: BTreeSet<String>,
    /// The data directories.
    pub directories: BTreeSet<String>,
    /// What losing the worst of them loses.
    pub data: ServiceData,
    /// What shows each service, in order.
    pub evidence: Vec<(Loc, String)>,
    /// Nothing runs the playbook, while another play applies the same role.
    pub dormant: bool,
}

/// Up to this many machines, a play on all hosts means each of them.
const FEW_MACHINES: usize = 6;

/// Joins plays and machines.
#[must_use]
pub fn placements(estate: &Estate<'_>) -> Vec<Placement> {
    let ansible = estate.ansible;
    let commands: Vec<&Command> = estate.invocations.iter().map(|invocation| &invocation.command).collect();
    let commands = commands.as_slice();
    let tools = run_by_tools(estate);
    let is_run = |play: &Play<'_>| {
        play.playbook_imported || !ansible.invoked(play.file).is_empty() || tools.contains(&play.file)
    };
    let runs: Vec<bool> = ansible.plays.iter().map(is_run).collect();
    let plays: Vec<(usize, Pattern, Vec<Use>)> = ansible
        .plays
        .iter()
        .enumerate()
        .filter(|(_, play)| !play.local)
        .map(|(at, play)| (at, play.pattern.clone(), service::uses(estate, at)))
        .filter(|(.., uses)| !uses.is_empty())
        .collect();
    let mounts = mount::mounts(estate);
    let mut found = Vec::new();
    for (at, machine) in estate.machines.iter().enumerate() {
        let mut known = Known::default();
        let bound = mount::elsewhere(machine, &mounts, ansible, commands, &mut known);
        for (play, pattern, uses) in &plays {
            // A play on all hosts of a larger estate is run with a limit that no file tells.
            let vague = pattern.is_all() && estate.machines.len() > FEW_MACHINES;
            let named = || speaks_of(machine, &ansible.plays[*play], pattern);
            let hosts = known.reaching(machine, ansible, &ansible.plays[*play], pattern);
            let meant = named() || !vague && !hosts.is_empty();
            for used in uses.iter().filter(|used| meant && !is_elsewhere(ansible, *play, used, &hosts)) {
                let dormant = is_dormant(ansible, *play, used, &runs);
                for directory in &used.directories {
                    place(&mut found, (at, machine), used, directory, &bound, dormant);
                }
            }
        }
    }
    found
}

fn place(
    found: &mut Vec<Placement>,
    machine: (usize, &Machine<'_>),
    used: &Use,
    directory: &str,
    bound: &[String],
    dormant: bool,
) {
    let (at, machine) = machine;
    if bound.iter().any(|mount| is_below(directory, mount)) {
        return;
    }
    let Some(storage) = machine.storage_of(directory) else { return };
    // A volume that hangs on the machine may be mounted right there, by something that was not read.
    if storage.kind == StorageKind::Root && machine.has_unplaced_storage() {
        return;
    }
    let same = |placement: &&mut Placement| {
        placement.machine == at && placement.kind == storage.kind && placement.dormant == dormant
    };
    let evidence = (used.loc, used.clause.clone());
    if let Some(placement) = found.iter_mut().find(same) {
        placement.services.insert(used.label.clone());
        placement.directories.insert(directory.to_owned());
        if weight(used.data) > weight(placement.data) {
            placement.data = used.data;
        }
        if !placement.evidence.contains(&evidence) {
            placement.evidence.push(evidence);
        }
        return;
    }
    found.push(Placement {
        machine: at,
        kind: storage.kind,
        fate: storage.fate,
        services: BTreeSet::from([used.label.clone()]),
        directories: BTreeSet::from([directory.to_owned()]),
        data: used.data,
        evidence: vec![evidence],
        dormant,
    });
}

/// How much a loss weighs; nothing for what can be made again.
pub(super) fn weight(data: ServiceData) -> u8 {
    match data {
        ServiceData::Authoritative => 4,
        ServiceData::Secret => 3,
        ServiceData::Queue => 2,
        ServiceData::State => 1,
        _ => 0,
    }
}

/// Words of host names that say nothing about which host it is.
const COMMON_WORDS: [&str; 12] =
    ["docker", "lxc", "vm", "host", "server", "node", "prod", "container", "machine", "home", "local", "main"];

/// Whether a play's own variables hold the machine's address, and the host that it names shares a telling word with it: an
/// alias that only somebody's own inventory knows.
fn speaks_of(machine: &Machine<'_>, play: &Play<'_>, pattern: &Pattern) -> bool {
    let Some(vars) = play.node.get("vars") else { return false };
    let addresses: Vec<&str> = machine.addresses.iter().filter_map(Value::as_str).collect();
    let holds =
        vars.entries().into_iter().any(|(_, value)| value.as_str().is_some_and(|text| addresses.contains(&text)));
    let words = |name: &str| -> Vec<String> {
        let parts = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
        parts.filter(|word| word.len() > 3 && !COMMON_WORDS.contains(&word.as_str())).collect()
    };
    let own = words(&machine.name());
    holds && pattern.names().any(|name| words(name).iter().any(|word| own.contains(word)))
}

/// A machine's inventory names with their groups, as each folder of playbooks sees them.
#[derive(Default)]
pub(super) struct Known(BTreeMap<String, Vec<(String, Vec<String>)>>);

impl Known {
    /// Whether the play's pattern selects the machine.
    pub(super) fn reached(
        &mut self,
        machine: &Machine<'_>,
        ansible: &Ansible<'_>,
        play: &Play<'_>,
        pattern: &Pattern,
    ) -> bool {
        !self.reaching(machine, ansible, play, pattern).is_empty()
    }

    /// The names by which the play's pattern selects the machine.
    fn reaching(
        &mut self,
        machine: &Machine<'_>,
        ansible: &Ansible<'_>,
        play: &Play<'_>,
        pattern: &Pattern,
    ) -> Vec<String> {
        let from = folder(ansible.documents.tree.path(play.file));
        let hosts = self.0.entry(from.to_owned()).or_insert_with(|| {
            let seen = ansible.inventory.seen_from(from);
            let groups = |host: &str| seen.groups_of(host).into_iter().map(str::to_owned).collect();
            hosts_of(machine, ansible, &seen)
                .into_iter()
                .map(|host| {
                    let own = groups(&host);
                    (host, own)
                })
                .collect()
        });
        let matching = hosts.iter().filter(|(host, groups)| {
            let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
            pattern.matches(host, &groups)
        });
        matching.map(|(host, _)| host.clone()).collect()
    }
}

/// Whether what a play brings surely does not come to a machine, by whatever name that has: conditions are false there, or tasks
/// work on another host.
fn is_elsewhere(ansible: &Ansible<'_>, play: usize, used: &Use, hosts: &[String]) -> bool {
    if hosts.is_empty() {
        return false;
    }
    let entry = ansible.plays[play].roles.iter().position(|entry| entry.loc == used.loc);
    // Of a role that is not here there is the entry alone.
    if let Some(entry) = entry.filter(|_| used.role.is_none()) {
        return hosts.iter().all(|host| ansible.applies(play, entry, host).is_false());
    }
    let mut tasks = ansible.tasks.iter().filter(|task| match used.role {
        // A role comes with all of its tasks.
        Some(role) if used.clause.starts_with("this role") => task.role == Some(role) && task.plays.contains(&play),
        _ => task.loc == used.loc,
    });
    let away = |task: &_| hosts.iter().all(|host| ansible.works_on(task, play, host).is_false());
    let mut any = false;
    tasks.all(|task| {
        any = true;
        away(task)
    }) && any
}

/// The inventory names of a machine: its own, short and long, and those of hosts at its addresses.
fn hosts_of(machine: &Machine<'_>, ansible: &Ansible<'_>, seen: &Seen<'_, '_>) -> Vec<String> {
    let mut names: Vec<String> = machine.names.iter().filter_map(Value::scalar).map(|name| name.to_string()).collect();
    let addresses: Vec<&str> = machine.addresses.iter().filter_map(Value::as_str).collect();
    for host in &seen.hosts {
        let short = host.name.split('.').next().unwrap_or(&host.name);
        let listed = names.iter().any(|name| name == &host.name || name == short);
        let address = host
            .variables
            .iter()
            .find(|variable| variable.name == "ansible_host")
            .map(|variable| variable.text.as_str());
        let reached = address.into_iter().chain([host.name.as_str()]).any(|address| addresses.contains(&address));
        if listed || reached {
            names.push(host.name.clone());
        }
    }
    // Host variables pin addresses too.
    for variables in ansible.host_variables.iter().filter(|variables| variables.host) {
        let address = variables.node.get("ansible_host").and_then(crate::syntax::yaml::Node::as_str);
        if address.is_some_and(|address| addresses.contains(&address)) {
            names.push(variables.name.clone());
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Whether nothing in the repository runs the play's playbook, while a playbook that is run applies the role in question.
fn is_dormant(ansible: &Ansible<'_>, at: usize, used: &Use, runs: &[bool]) -> bool {
    let Some(role) = used.role.filter(|_| !runs[at]) else { return false };
    ansible.plays.iter().zip(runs).any(|(other, run)| {
        *run && other.file != ansible.plays[at].file && other.roles.iter().any(|one| one.role == Some(role))
    })
}

/// The playbooks that tasks, provisioners, first boots and builds of images run.
fn run_by_tools(estate: &Estate<'_>) -> BTreeSet<FileId> {
    let runs = |invocation: &Invocation<'_>| {
        matches!(invocation.command.site, Site::Ansible | Site::Provisioner | Site::CloudInit)
            && !invocation.instruction
    };
    let own: Vec<&Invocation<'_>> = estate.invocations.iter().filter(|invocation| runs(invocation)).collect();
    let text = |a: &&Invocation<'_>, b: &&Invocation<'_>| {
        (a.task, a.provisioner, a.command.loc.file, a.command.scope)
            == (b.task, b.provisioner, b.command.loc.file, b.command.scope)
    };
    let playbook = |commands: &&[&Invocation<'_>]| {
        commands.iter().any(|invocation| invocation.command.program.starts_with("ansible"))
    };
    let texts: Vec<Vec<Command>> = own
        .chunk_by(text)
        .filter(playbook)
        .map(|commands| commands.iter().map(|invocation| invocation.command.clone()).collect())
        .collect();
    let mut run = estate.ansible.run_also(texts.iter().map(Vec::as_slice));
    let builds = estate.packer.templates.iter().flat_map(|template| &template.builds);
    let built = builds.flat_map(|build| &build.provisioners).flat_map(|provisioner| &provisioner.playbooks);
    run.extend(estate.ansible.and_imported(&built.filter_map(|playbook| playbook.file).collect()));
    run
}
