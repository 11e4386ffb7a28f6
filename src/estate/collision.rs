//! Identity that two declarations claim: guests with one number, address or hardware address, roots with one state object.

use super::Estate;
use super::invocation::Invocation;
use super::machine::Machine;
use super::root::RootFacts;
use crate::knowledge::terraform as known;
use crate::model::terraform::{Argument, Backend, BlockView, Role};
use crate::source::file_name;
use crate::text::Loc;
use crate::value::Value;
use std::collections::{BTreeMap, HashSet};

/// Two machines that claim one identity.
pub struct Collision {
    /// The later machine, by index.
    pub machine: usize,
    /// The earlier machine, by index.
    pub other: usize,
    /// What both claim ("VMID 2111"), the strongest first.
    pub claims: Vec<String>,
    /// Where the later machine claims the first of them.
    pub loc: Loc,
}

/// The deepest chain of calls that is climbed.
const MAX_CALLS: usize = 32;
/// Pairs beyond this number are not reported.
const MAX_PAIRS: usize = 200;

/// Machines of different declarations that claim one identity.
#[must_use]
pub fn machines(estate: &Estate<'_>) -> Vec<Collision> {
    let guests: Vec<(usize, &Machine<'_>)> =
        estate.machines.iter().enumerate().filter(|(_, machine)| is_guest(machine)).collect();
    let mut by_claim: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, machine) in &guests {
        for value in machine.ids.iter().chain(&machine.macs).chain(&machine.addresses) {
            if let Some(text) = value.scalar().filter(|text| !matches!(&**text, "" | "0")) {
                let claimants = by_claim.entry(text.to_lowercase()).or_default();
                if claimants.last() != Some(at) && claimants.len() < 16 {
                    claimants.push(*at);
                }
            }
        }
    }
    // A third copy of a declaration collides with the first as it does with the second: that is one thing to say.
    let mut seen: HashSet<(&str, Loc)> = HashSet::new();
    let mut found = Vec::new();
    for claimants in by_claim.values() {
        for (position, later) in claimants.iter().enumerate() {
            for earlier in &claimants[..position] {
                let (a, b) = (&estate.machines[*earlier], &estate.machines[*later]);
                if found.len() < MAX_PAIRS && seen.insert((&a.address, b.resource.loc())) {
                    found.extend(collide(estate, a, b).map(|(claims, loc)| Collision {
                        machine: *later,
                        other: *earlier,
                        claims,
                        loc,
                    }));
                }
            }
        }
    }
    found.sort_by_key(|collision| (collision.machine, collision.other));
    found
}

/// Guests of a hypervisor or cloud that somebody applies; a container's name means nothing outside its host.
fn is_guest(machine: &Machine<'_>) -> bool {
    let applied = matches!(machine.resource.instance.role, Role::Root | Role::Child);
    applied && machine.resource.uncertain().is_none() && matches!(machine.ty.kind.as_str(), "lxc" | "vm" | "bare")
}

/// What two machines both claim, if that is enough to call them one.
fn collide<'m>(estate: &Estate<'m>, a: &Machine<'m>, b: &Machine<'m>) -> Option<(Vec<String>, Loc)> {
    if a.resource.loc() == b.resource.loc() {
        return None;
    }
    let both = |mine: &[Value], theirs: &[Value]| -> Option<Value> {
        let known = |value: &&Value| value.scalar().is_some_and(|text| !matches!(&*text, "" | "0"));
        mine.iter().filter(known).find(|value| theirs.iter().any(|other| same(value, other))).cloned()
    };
    let platform = |machine: &Machine<'_>| machine.resource.ty().split('_').next().unwrap_or("").to_owned();
    let (here, there) = (endpoint(estate, a), endpoint(estate, b));
    let cluster = here.is_some() && here == there;
    // Each cluster counts for itself.
    let other = here.is_some() && there.is_some() && here != there;
    let id = both(&b.ids, &a.ids).filter(|_| platform(a) == platform(b) && !other);
    let mac = both(&b.macs, &a.macs);
    let address = both(&b.addresses, &a.addresses);
    let name = both(&b.names, &a.names);
    let node = both(&b.nodes, &a.nodes).is_some();
    let placed = |nodes: &[Value]| nodes.iter().any(|value| value.scalar().is_some());
    let apart = !node && placed(&a.nodes) && placed(&b.nodes);
    let one_root = a.resource.instance.root == b.resource.instance.root;
    // One number alone may be given twice by two clusters, one address by two sites.
    let weight = [id.is_some(), address.is_some(), name.is_some(), node].iter().filter(|shared| **shared).count();
    let strong = id.is_some() || address.is_some();
    // Nodes that form no cluster count guests on their own.
    let alone = apart && !cluster && address.is_none() && name.is_none();
    let counted = cluster && id.is_some();
    if mac.is_none() && (alone || !(strong && (one_root || counted || weight >= 2))) {
        return None;
    }
    let words = [("VMID", &id), ("hardware address", &mac), ("address", &address), ("name", &name)];
    let claims =
        words.iter().filter_map(|(word, value)| Some(format!("{word} {}", value.as_ref()?.display()))).collect();
    let first = [&id, &mac, &address].into_iter().flatten().next()?;
    let header = b.resource.loc();
    let loc = first.origin.filter(|origin| origin.file == header.file).unwrap_or(header);
    Some((claims, loc))
}

/// Arguments of providers that say which cluster they speak to.
const ENDPOINTS: [&str; 6] = ["pm_api_url", "endpoint", "proxmox_api_url", "vsphere_server", "auth_url", "uri"];

/// The cluster that the provider of a machine speaks to, as far as its one block for all says so.
pub(super) fn endpoint<'m>(estate: &Estate<'m>, machine: &Machine<'m>) -> Option<String> {
    let ty = machine.resource.ty().split('_').next();
    let mut at = machine.resource.instance.clone();
    for _ in 0..MAX_CALLS {
        let own: Vec<BlockView<'_, '_>> =
            estate.terraform.providers_of(&at).filter(|block| block.label(0) == ty).collect();
        if let Some(block) = own.first() {
            // Of several it takes looking at which one the machine chooses.
            let one = own.len() == 1 && block.arg("alias").is_absent();
            let said = ENDPOINTS.iter().map(|name| block.arg(name)).find(|value| !value.is_absent())?;
            return said.scalar().filter(|_| one).map(|text| text.trim_end_matches('/').to_lowercase());
        }
        drop(own);
        at = at.caller()?.0;
    }
    None
}

fn same(a: &Value, b: &Value) -> bool {
    match (a.scalar(), b.scalar()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(&b),
        _ => false,
    }
}

/// Two roots that keep their state in one object.
pub struct SharedState {
    /// The later root's folder.
    pub folder: String,
    /// The earlier root's folder.
    pub other: String,
    /// The object, for messages.
    pub location: String,
    /// The later root's backend.
    pub loc: Loc,
    /// The earlier root's backend.
    pub earlier: Loc,
}

/// Roots of different folders whose backends name one object.
#[must_use]
pub fn states<'m>(estate: &'m Estate<'m>) -> Vec<SharedState> {
    let roots = estate.terraform.tops().filter(|instance| instance.role == Role::Root);
    let mut backends: Vec<(&str, Backend<'m, 'm>)> = roots
        .filter_map(|instance| {
            let facts = RootFacts { estate, instance };
            let folder = instance.unit.as_deref().unwrap_or(facts.folder());
            let own_path =
                |backend: &Backend<'_, '_>| !backend.arg("path").is_absent() && facts.backend_type() == "local";
            let kept = |backend: &Backend<'m, 'm>| !backend.partial && (facts.remote() || own_path(backend));
            Some((folder, facts.backend().filter(kept)?))
        })
        .collect();
    // Units whose module lies elsewhere.
    let outside = estate.terraform.units.iter().filter(|unit| unit.module.is_none());
    backends.extend(outside.filter_map(|unit| Some((&*unit.folder, estate.terraform.unit_backend(unit)?))));
    // What is copied to make roots out of it is none itself.
    backends.retain(|(folder, _)| !folder.split('/').any(|part| matches!(part, "template" | "templates" | "skeleton")));
    backends.sort_by_key(|(folder, _)| *folder);
    let mut first: BTreeMap<String, (&str, Loc)> = BTreeMap::new();
    let mut found = per_environment(estate, &backends);
    for (folder, backend) in backends {
        let ty = backend.ty.scalar().unwrap_or_default();
        let place = location(&ty, &|name| backend.arg(name));
        let Some(location) = (if &*ty == "local" { local(folder, &backend) } else { place }) else { continue };
        match first.get(&location) {
            Some((other, earlier)) if *other != folder => found.push(SharedState {
                folder: shown(folder),
                other: shown(other),
                location,
                loc: backend.loc,
                earlier: *earlier,
            }),
            Some(_) => {}
            None => {
                first.insert(location, (folder, backend.loc));
            }
        }
    }
    found
}

/// Words by which environments are called.
const ENVIRONMENTS: [&str; 16] = [
    "dev",
    "development",
    "test",
    "qa",
    "uat",
    "stg",
    "stage",
    "staging",
    "preprod",
    "prod",
    "prd",
    "production",
    "sandbox",
    "lab",
    "demo",
    "live",
];

/// Roots that are run with the variables of several environments, and keep one state for all of them.
fn per_environment<'m>(estate: &'m Estate<'m>, backends: &[(&'m str, Backend<'m, 'm>)]) -> Vec<SharedState> {
    // Whoever speaks of workspaces may choose one where nobody sees it.
    let workspaces = |invocation: &Invocation<'_>| {
        let command = &invocation.command;
        command.sub.first().is_some_and(|sub| &**sub == "workspace") || command.text.contains("TF_WORKSPACE")
    };
    if estate.invocations.iter().any(workspaces) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (folder, backend) in backends {
        let Some(runs) = estate.terraform.runs().get(*folder) else { continue };
        if runs.iter().any(|run| run.workspace.is_some() || !run.backend.is_empty()) {
            continue;
        }
        let files = runs.iter().filter(|run| run.evaluates).filter_map(|run| {
            run.arguments.iter().find_map(|argument| match argument {
                Argument::File(path) => Some((environment_of(path)?, path)),
                Argument::Value(..) => None,
            })
        });
        let by_name: BTreeMap<&str, &String> = files.collect();
        let ty = backend.ty.scalar().unwrap_or_default();
        let mut paths = by_name.into_values();
        let Some(location) = location(&ty, &|name| backend.arg(name)) else { continue };
        if let (Some(other), Some(own)) = (paths.next(), paths.next()) {
            let shown = |path: &String| format!("{} with {}", shown(folder), file_name(path));
            let (folder, other) = (shown(own), shown(other));
            found.push(SharedState { folder, other, location, loc: backend.loc, earlier: backend.loc });
        }
    }
    found
}

/// The environment that a variable file is called after.
fn environment_of(path: &str) -> Option<&str> {
    let parts = || path.split(['/', '.', '-', '_']);
    parts().rev().find(|part| ENVIRONMENTS.contains(part))
}

/// The file of a local backend, by its path in the repository.
fn local(folder: &str, backend: &Backend<'_, '_>) -> Option<String> {
    let path = backend.arg("path");
    let path = path.as_str().filter(|path| !path.starts_with(['/', '~']))?;
    Some(format!("local {}", crate::source::join(folder, path)?))
}

fn shown(folder: &str) -> String {
    if folder.is_empty() { ".".to_owned() } else { folder.to_owned() }
}

/// The object that a backend names, in one text; none when a part of it is not known or chosen by workspace.
pub(super) fn location(ty: &str, arg: &dyn Fn(&str) -> Value) -> Option<String> {
    let row = known::backend(ty)?;
    let by_workspace = ["workspaces.tags", "workspaces.prefix", "workspaces.project"];
    if by_workspace.iter().any(|name| !arg(name).is_absent()) {
        return None;
    }
    let mut parts = Vec::new();
    for name in ["endpoint", "endpoints.s3"] {
        let value = arg(name);
        if !value.is_absent() {
            parts.push(value.scalar()?.to_string());
        }
    }
    for name in row.location_args.iter().filter(|name| !name.contains("endpoint") && !name.starts_with("region")) {
        let value = arg(name);
        if value.is_absent() {
            continue;
        }
        let text = value.scalar()?;
        // Text that somebody has yet to fill in says nothing.
        let shouted = text.contains('_') && text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        if shouted
            || ["<", "CHANGE", "REPLACE", "your-", "YOUR", "example", "xxx"].iter().any(|word| text.contains(word))
        {
            return None;
        }
        parts.push(text.to_string());
    }
    (!parts.is_empty()).then(|| format!("{ty} {}", parts.join("/")))
}

/// What Terraform leaves beside a root, and a path that shows whether it is ignored.
const NAMES: [(&str, &str); 4] = [
    ("terraform.tfstate", "terraform.tfstate"),
    ("terraform.tfstate.backup", "terraform.tfstate.backup"),
    ("errored.tfstate", "errored.tfstate"),
    (".terraform", ".terraform/modules.json"),
];

/// The names that a plain `git add .` would take in beside a root: state, its backup, what a failed upload leaves, the working folder.
#[must_use]
pub fn exposed(estate: &Estate<'_>, root: &str) -> Vec<&'static str> {
    // Without Git's word nobody knows what a checkout ignores, and a few files in memory are no checkout.
    let told = if estate.documents.tree.root.is_some() {
        estate.documents.tree.git
    } else {
        estate.documents.tree.find(".gitignore").is_some()
    };
    if !told {
        return Vec::new();
    }
    let ignored = |name: &str| {
        let path = if root.is_empty() { name.to_owned() } else { format!("{root}/{name}") };
        estate.repository.ignores.ignores(&path)
    };
    NAMES.iter().filter(|(_, probe)| !ignored(probe)).map(|(name, _)| *name).collect()
}
