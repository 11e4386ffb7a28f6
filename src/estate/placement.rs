//! Where data services keep their data: plays and roles joined with the machines that Terraform makes.

use super::alias::{self, Because, Known, Sights};
use super::delivered::{self, Delivery};
use super::invocation::Invocation;
use super::machine::{Machine, StorageKind};
use super::mount::Bound;
use super::{Estate, brought, listing, mount, service};
use crate::diag::Confidence;
use crate::knowledge::compute::Fate;
use crate::knowledge::services::ServiceData;
use crate::model::ansible::{Ansible, Play};
use crate::model::command::{Command, Site};
use crate::source::folder;
use crate::text::{FileId, Loc};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// A data service that a play brings to its hosts.
#[derive(Clone)]
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

/// A play that means a machine.
pub struct Reach {
    /// The machine, by index.
    pub machine: usize,
    /// The play, by index.
    pub play: usize,
    /// The names by which it does, each with the reason; one at least.
    pub names: Vec<(String, Because)>,
    /// The play is for all hosts of a larger estate: it is run with a limit that no file tells.
    pub vague: bool,
}

/// Whether nothing in the repository runs a play, while a play that is run applies one of its roles.
#[must_use]
pub fn play_is_dormant(ansible: &Ansible<'_>, at: usize, runs: &[bool]) -> bool {
    let roles = || ansible.plays[at].roles.iter().filter_map(|role| role.role);
    !runs.get(at).copied().unwrap_or(true) && roles().any(|role| applied_elsewhere(ansible, at, role, runs))
}

/// Whether a play of another file that is run applies a role.
fn applied_elsewhere(ansible: &Ansible<'_>, at: usize, role: usize, runs: &[bool]) -> bool {
    ansible.plays.iter().zip(runs).any(|(other, run)| {
        *run && other.file != ansible.plays[at].file && other.roles.iter().any(|one| one.role == Some(role))
    })
}

/// One data directory of one service on one machine.
pub struct Lodging {
    /// The machine, by index.
    pub machine: usize,
    /// The service's proper name.
    pub service: String,
    /// What losing its data loses.
    pub data: ServiceData,
    /// The directory.
    pub directory: String,
    /// What it lies on.
    pub lies: Lies,
    /// Where one sees the service, and what one sees there.
    pub evidence: (Loc, String),
    /// Nothing runs the playbook, while another play applies the same role.
    pub dormant: bool,
    /// Whether the service is surely on this machine.
    pub sure: bool,
}

/// What a directory lies on.
pub enum Lies {
    /// On a disk or mount of the machine's own declaration.
    On(StorageKind, Fate),
    /// Below a path on which something from elsewhere is mounted.
    Elsewhere(String),
    /// On the root or on a disk, and nothing says which.
    Open,
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
    /// Whether the service is surely on this machine.
    pub sure: bool,
}

/// Plays, machines and data, joined.
#[derive(Default)]
pub struct Joined {
    /// Which plays mean which machines, by machine and play.
    pub reaches: Vec<Reach>,
    /// Where each service keeps its data, by machine.
    pub lodgings: Vec<Lodging>,
    /// The data services of each play that brings any.
    pub uses: Vec<(usize, Vec<Use>)>,
    /// Whether anything runs each play.
    pub runs: Vec<bool>,
    /// The paths of each machine on which something is mounted that its declaration does not place.
    pub mounted: Vec<Bound>,
    /// What every folder of playbooks sees of inventories.
    pub sights: Sights,
}

/// Up to this many machines, a play on all hosts means each of them.
pub(super) const FEW_MACHINES: usize = 6;

/// Joins plays and machines.
#[must_use]
pub fn join(estate: &Estate<'_>) -> Joined {
    let ansible = estate.ansible;
    let brought: Vec<_> = (0..ansible.tasks.len()).into_par_iter().map(|at| brought::by_task(estate, at)).collect();
    let tools = run_by_tools(estate);
    let listings =
        listing::listings(estate.documents, estate.terraform, ansible, &estate.machines, &estate.invocations);
    let is_run = |play: &Play<'_>| {
        play.playbook_imported
            || !ansible.invoked(play.file).is_empty()
            || tools.contains(&play.file)
            || listings.run.contains(&play.file)
    };
    let runs: Vec<bool> = ansible.plays.iter().map(is_run).collect();
    let boxed = service::boxed(estate);
    let uses: Vec<(usize, Vec<Use>)> = ansible
        .plays
        .par_iter()
        .enumerate()
        .filter(|(_, play)| !play.local)
        .map(|(at, _)| (at, service::uses(estate, at, &brought, &boxed)))
        .filter(|(_, uses)| !uses.is_empty())
        .collect();
    let sights = Sights::new(ansible, &estate.machines, listings);
    let delivered = delivered::deliveries(estate, &uses);
    let mounts = mount::mounts(estate);
    let ground = Ground { estate, mounts, uses: &uses, runs: &runs, sights: &sights, delivered: &delivered };
    let each: Vec<OfMachine> = (0..estate.machines.len()).into_par_iter().map(|at| ground.machine(at)).collect();
    let (mut reaches, mut lodgings, mut mounted) = (Vec::new(), Vec::new(), Vec::with_capacity(each.len()));
    for (own_reaches, own_lodgings, bound) in each {
        reaches.extend(own_reaches);
        lodgings.extend(own_lodgings);
        mounted.push(bound);
    }
    Joined { reaches, lodgings, uses, runs, mounted, sights }
}

/// The plays that mean a machine, the data on it, and what else is mounted there.
type OfMachine = (Vec<Reach>, Vec<Lodging>, Bound);

/// What every machine is joined with.
struct Ground<'e, 'm> {
    estate: &'e Estate<'m>,
    mounts: Vec<mount::Mounts>,
    uses: &'e [(usize, Vec<Use>)],
    runs: &'e [bool],
    sights: &'e Sights,
    delivered: &'e [Vec<Delivery>],
}

impl Ground<'_, '_> {
    fn machine(&self, at: usize) -> OfMachine {
        let (ansible, machine) = (self.estate.ansible, &self.estate.machines[at]);
        let mut known = Known::new(self.sights, at);
        let mut bound = mount::elsewhere(machine, &self.mounts, self.estate, &mut known);
        let (mut reaches, mut lodgings) = (Vec::new(), Vec::new());
        for (index, play) in ansible.plays.iter().enumerate().filter(|(_, play)| !play.local) {
            let from = folder(ansible.documents.tree.path(play.file));
            let hosts = known.reaching(machine, from, play, &play.pattern);
            // A play on all hosts of a larger estate is run with a limit that no file tells.
            let all = play.pattern.is_all() && self.estate.machines.len() > FEW_MACHINES;
            let spoken = alias::spoken_of(machine, play, &play.pattern);
            if hosts.is_empty() && spoken.is_none() {
                continue;
            }
            let handed = hosts.iter().any(|(_, because)| *because == Because::Handed);
            let vague = all && spoken.is_none() && !handed;
            let names: Vec<String> =
                hosts.iter().map(|(name, _)| name.clone()).filter(|name| !name.is_empty()).collect();
            let spoken = spoken.map(|name| (name.to_owned(), Because::Words));
            let all_names: Vec<(String, Because)> = hosts.into_iter().chain(spoken).collect();
            let sure = all_names.iter().any(|(_, because)| because.confidence() == Confidence::High);
            reaches.push(Reach { machine: at, play: index, names: all_names, vague });
            let uses = self.uses.binary_search_by_key(&index, |(play, _)| *play).ok();
            let uses = uses.map_or(&[][..], |found| &self.uses[found].1);
            for used in uses.iter().filter(|used| !vague && !is_elsewhere(ansible, index, used, &names)) {
                // Who may not be meant at all, and then only on a condition, is not said to keep anything.
                // Nor is the host whose name nobody knows: what its variables make of the condition cannot be asked.
                if !sure && is_conditional(ansible, index, used)
                    || names.is_empty() && is_conditional_role(ansible, index, used)
                {
                    continue;
                }
                let dormant = is_dormant(ansible, index, used, self.runs);
                let lodge = |directory: &String| lodging((at, machine), used, directory, &bound, (dormant, sure));
                lodgings.extend(used.directories.iter().filter_map(lodge));
            }
        }
        for one in self.delivered.get(at).into_iter().flatten() {
            let also = Bound { perhaps: one.mounted.clone(), ..bound.clone() };
            let lodge = |directory: &String| lodging((at, machine), &one.used, directory, &also, (false, one.sure));
            lodgings.extend(one.used.directories.iter().filter_map(lodge));
        }
        let deployed = self.estate.deployed.values().filter(|to| to.machines.contains(&at));
        bound.perhaps.extend(deployed.flat_map(|to| &to.mounted).cloned());
        (reaches, lodgings, bound)
    }
}

fn lodging(
    (at, machine): (usize, &Machine<'_>),
    used: &Use,
    directory: &str,
    bound: &Bound,
    (dormant, sure): (bool, bool),
) -> Option<Lodging> {
    let lies = bound.lies(machine, directory)?;
    Some(Lodging {
        machine: at,
        service: used.label.clone(),
        data: used.data,
        directory: directory.to_owned(),
        lies,
        evidence: (used.loc, used.clause.clone()),
        dormant,
        sure,
    })
}

/// What lies on storage of machines, the services of one storage together.
#[must_use]
pub fn placements(lodgings: &[Lodging]) -> Vec<Placement> {
    let mut found: Vec<Placement> = Vec::new();
    for lodging in lodgings {
        let Lies::On(kind, fate) = lodging.lies else { continue };
        let same = |placement: &&mut Placement| {
            (placement.machine, placement.kind, placement.dormant, placement.sure)
                == (lodging.machine, kind, lodging.dormant, lodging.sure)
        };
        // Those of one machine stand together.
        let placement = if let Some(placement) = found.iter_mut().rev().take(16).find(same) {
            placement
        } else {
            found.push(Placement {
                machine: lodging.machine,
                kind,
                fate,
                services: BTreeSet::new(),
                directories: BTreeSet::new(),
                data: lodging.data,
                evidence: Vec::new(),
                dormant: lodging.dormant,
                sure: lodging.sure,
            });
            let Some(last) = found.last_mut() else { continue };
            last
        };
        placement.services.insert(lodging.service.clone());
        placement.directories.insert(lodging.directory.clone());
        if weight(lodging.data) > weight(placement.data) {
            placement.data = lodging.data;
        }
        if !placement.evidence.contains(&lodging.evidence) {
            placement.evidence.push(lodging.evidence.clone());
        }
    }
    found
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

/// Whether what a play brings comes only on a condition.
fn is_conditional(ansible: &Ansible<'_>, play: usize, used: &Use) -> bool {
    is_conditional_role(ansible, play, used)
        || ansible.tasks.iter().any(|task| task.loc == used.loc && !task.when.is_empty())
}

/// Whether the play takes the role that brings it only on a condition.
fn is_conditional_role(ansible: &Ansible<'_>, play: usize, used: &Use) -> bool {
    let entry = ansible.plays[play].roles.iter().find(|entry| entry.loc == used.loc);
    entry.and_then(|entry| entry.node?.get("when")).is_some()
}

/// Whether nothing in the repository runs the play's playbook, while a playbook that is run applies the role in question.
fn is_dormant(ansible: &Ansible<'_>, at: usize, used: &Use, runs: &[bool]) -> bool {
    used.role.is_some_and(|role| !runs[at] && applied_elsewhere(ansible, at, role, runs))
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
