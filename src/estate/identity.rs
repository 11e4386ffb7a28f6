//! Identity that is written twice: variables that repeat what Terraform declares, objects with two owners, attributes that
//! Ansible sets on Terraform's machines.

use super::Estate;
use super::collision;
use super::machine::Machine;
use super::task::runs_nowhere;
use crate::knowledge::ansible::{self as known, Module, ModuleRole};
use crate::model::ansible::Turn;
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc};
use crate::value::Value;
use std::collections::BTreeMap;

/// A variable that holds identity.
pub struct IdentityFact {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Where it stands.
    pub loc: Loc,
    /// `vmid`, `address`, `mac`, `node` or `instance-id`.
    pub kind: &'static str,
    /// `inventory`, `host-vars`, `group-vars`, `play-vars` or `vars`.
    pub place: &'static str,
    /// The machine that Terraform gives this identity, by index.
    pub machine: Option<usize>,
    /// Where Terraform says so.
    pub declared: Option<Loc>,
    /// Variables of the same name in the same file that do the same.
    pub others: Vec<Loc>,
}

/// An object that two tools declare.
pub struct Ownership {
    /// What it is ("guest 101").
    pub object: String,
    /// The first owner.
    pub first: String,
    /// The second owner.
    pub second: String,
    /// Where the second declares it: that is where the finding stands.
    pub loc: Loc,
    /// Where the first declares it.
    pub other: Loc,
}

/// An attribute of a machine that something beside Terraform sets.
pub struct Adjustment {
    /// Its name in Terraform.
    pub attribute: String,
    /// The machine, by index.
    pub machine: usize,
    /// Where Terraform declares it.
    pub declared: Loc,
    /// Where it is set.
    pub loc: Loc,
    /// How, for messages.
    pub text: String,
}

/// Machines by what identifies them.
#[derive(Default)]
struct Index {
    addresses: Places,
    macs: Places,
    ids: Places,
    names: Places,
}

/// A value → the machine that has it, and where that is written.
type Places = BTreeMap<String, (usize, Option<Loc>)>;

impl Index {
    fn new(machines: &[Machine<'_>]) -> Self {
        let mut index = Self::default();
        for (at, machine) in machines.iter().enumerate() {
            let mut put = |map: fn(&mut Self) -> &mut Places, values: &[Value]| {
                for value in values {
                    let Some(text) = value.scalar() else { continue };
                    map(&mut index).entry(text.to_lowercase()).or_insert((at, value.origin));
                }
            };
            put(|index| &mut index.addresses, &machine.addresses);
            put(|index| &mut index.macs, &machine.macs);
            put(|index| &mut index.names, &machine.names);
            // Zero asks the provider for the next free number.
            let ids: Vec<Value> = machine.ids.iter().filter(|id| id.as_number() != Some(0.0)).cloned().collect();
            put(|index| &mut index.ids, &ids);
        }
        index
    }
}

/// Keys that hold a guest's number.
pub(super) fn is_number_key(key: &str) -> bool {
    matches!(key, "vmid" | "vm_id" | "ctid" | "ct_id" | "container_id" | "lxc_id")
        || key.ends_with("_vmid")
        || key.ends_with("_ctid")
}

/// Every variable of inventories, host and group variables and plays that holds identity, those of one name in a file together.
#[must_use]
pub fn facts(estate: &Estate<'_>) -> Vec<IdentityFact> {
    group(statements(estate))
}

/// Every variable that holds identity, one by one.
#[must_use]
pub fn statements(estate: &Estate<'_>) -> Vec<IdentityFact> {
    let index = Index::new(&estate.machines);
    let mut found = Vec::new();
    for host in &estate.ansible.inventory.hosts {
        for variable in &host.variables {
            one(&index, &variable.name, &variable.text, variable.loc, "inventory", &mut found);
        }
        if let Some((machine, declared)) = index.addresses.get(&host.name) {
            let (key, value) = ("host".to_owned(), host.name.clone());
            let loc = host.loc;
            found.push(IdentityFact {
                key,
                value,
                loc,
                kind: "address",
                place: "inventory",
                machine: Some(*machine),
                declared: *declared,
                others: Vec::new(),
            });
        }
    }
    for variables in &estate.ansible.host_variables {
        let place = if variables.host { "host-vars" } else { "group-vars" };
        walk(&index, variables.file, variables.node, place, 0, &mut found);
    }
    for play in &estate.ansible.plays {
        if let Some(vars) = play.node.get("vars") {
            walk(&index, play.file, vars, "play-vars", 0, &mut found);
        }
    }
    found
}

fn walk(index: &Index, file: FileId, node: Node<'_>, place: &'static str, depth: usize, found: &mut Vec<IdentityFact>) {
    if depth > 6 {
        return;
    }
    for (key, value) in node.entries() {
        let name = key.as_str().unwrap_or("");
        match value.as_str() {
            Some(text) => one(index, name, text, Loc { file, span: key.span().to(value.span()) }, place, found),
            None if value.is_seq() => {
                for item in value.items() {
                    match item.as_str() {
                        Some(text) => one(index, name, text, Loc { file, span: item.span() }, place, found),
                        None => walk(index, file, item, place, depth + 1, found),
                    }
                }
            }
            None => walk(index, file, value, place, depth + 1, found),
        }
    }
}

fn one(index: &Index, key: &str, text: &str, loc: Loc, kept: &'static str, found: &mut Vec<IdentityFact>) {
    let value = text.split('/').next().unwrap_or(text).to_lowercase();
    let (kind, place) = if let Some(place) = index.addresses.get(&value) {
        ("address", Some(*place))
    } else if let Some(place) = index.macs.get(&value) {
        ("mac", Some(*place))
    } else if is_number_key(key) && text.parse::<u32>().is_ok() {
        ("vmid", index.ids.get(&value).copied())
    } else {
        return;
    };
    found.push(IdentityFact {
        key: key.to_owned(),
        value: text.to_owned(),
        loc,
        kind,
        place: kept,
        machine: place.map(|(machine, _)| machine),
        declared: place.and_then(|(_, declared)| declared),
        others: Vec::new(),
    });
}

/// One fact for each file and name: an inventory that pins fifty hosts has one habit, not fifty.
fn group(facts: Vec<IdentityFact>) -> Vec<IdentityFact> {
    let mut groups: BTreeMap<(FileId, String, bool), IdentityFact> = BTreeMap::new();
    for fact in facts {
        let key = (fact.loc.file, fact.key.clone(), fact.machine.is_some());
        match groups.get_mut(&key) {
            Some(first) => first.others.push(fact.loc),
            None => {
                groups.insert(key, fact);
            }
        }
    }
    groups.into_values().collect()
}

/// Options that hold the number or name of the object that a module manages.
const IDS: [&str; 2] = ["vmid", "vm_id"];
const NAMES: [&str; 2] = ["hostname", "name"];

/// The machines that a task manages, by their numbers or names, in each turn of its loop.
fn managed(estate: &Estate<'_>, index: &Index, at: usize) -> Vec<(usize, String)> {
    let task = &estate.ansible.tasks[at];
    let module = known::module(&task.module);
    let Some(module) = module.filter(|module| module.has(ModuleRole::Infrastructure) && !module.read_only) else {
        return Vec::new();
    };
    let mut found: Vec<(usize, String)> = Vec::new();
    for one in estate.ansible.in_turns(task, |turn| managed_in(estate, index, module, turn)).into_iter().flatten() {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    if !found.is_empty() && runs_nowhere(estate.ansible, at) {
        found.clear();
    }
    found
}

fn managed_in(estate: &Estate<'_>, index: &Index, module: &Module, turn: &Turn<'_, '_, '_>) -> Option<(usize, String)> {
    let value = |names: &[&str]| names.iter().find_map(|name| turn.argument(name).scalar());
    if let Some((id, machine)) = value(&IDS).and_then(|id| Some((id.clone(), index.ids.get(&*id)?.0))) {
        return Some((machine, format!("guest {id}")));
    }
    let name = value(&NAMES)?;
    let (machine, _) = *index.names.get(&name.to_lowercase())?;
    // A name is shared by many things: the module has to be of the machine's own platform.
    let platform = estate.machines[machine].resource.ty().split('_').next().unwrap_or("");
    let same = module.group.contains(platform)
        || module.fqcn.contains(platform)
        || platform == "digitalocean" && module.group.contains("do");
    same.then(|| (machine, format!("machine {name}")))
}

/// Objects that Terraform and an Ansible task both declare.
#[must_use]
pub fn ownerships(estate: &Estate<'_>) -> Vec<Ownership> {
    let index = Index::new(&estate.machines);
    let mut found = Vec::new();
    for (at, task) in estate.ansible.tasks.iter().enumerate() {
        for (machine, object) in managed(estate, &index, at) {
            let machine = &estate.machines[machine];
            found.push(Ownership {
                object,
                first: format!("Terraform ({})", machine.address),
                second: format!("Ansible ({})", task.module),
                loc: task.loc,
                other: machine.resource.loc(),
            });
        }
    }
    found.extend(twice_in_terraform(estate));
    found
}

/// Guests that two roots declare: the same number on the same node, or in the same cluster, can only be one guest.
fn twice_in_terraform<'m>(estate: &Estate<'m>) -> Vec<Ownership> {
    let mut first: BTreeMap<(String, String), &Machine<'m>> = BTreeMap::new();
    let mut found = Vec::new();
    for machine in &estate.machines {
        let id = machine.ids.iter().filter(|id| id.as_number() != Some(0.0)).find_map(Value::scalar);
        let Some(id) = id else { continue };
        let node = machine.nodes.iter().find_map(Value::scalar).map(|node| node.to_string());
        let cluster = collision::endpoint(estate, machine);
        // Nodes of two clusters may have one name.
        let apart = |other: &Machine<'m>| {
            let there = collision::endpoint(estate, other);
            cluster.is_some() && there.is_some() && cluster != there
        };
        let keys: Vec<(String, String)> =
            [&cluster, &node].into_iter().flatten().map(|at| (id.to_string(), at.clone())).collect();
        let earlier = keys.iter().find_map(|key| Some((key, *first.get(key)?))).filter(|(_, other)| !apart(other));
        let Some(((_, node), other)) = earlier else {
            for key in keys {
                first.entry(key).or_insert(machine);
            }
            continue;
        };
        // A switch may keep them from being there together.
        let maybe = other.resource.uncertain().is_some() || machine.resource.uncertain().is_some();
        if !maybe
            && other.resource.instance.root != machine.resource.instance.root
            && other.resource.loc() != machine.resource.loc()
        {
            found.push(Ownership {
                object: format!("guest {id} on {node}"),
                first: format!("Terraform in {} ({})", other.resource.instance.root, other.address),
                second: format!("Terraform in {} ({})", machine.resource.instance.root, machine.address),
                loc: machine.resource.loc(),
                other: other.resource.loc(),
            });
        }
    }
    found
}

/// Attributes of declared machines that tasks or hypervisor commands in tasks set.
#[must_use]
pub fn adjustments(estate: &Estate<'_>) -> Vec<Adjustment> {
    let index = Index::new(&estate.machines);
    let mut found = Vec::new();
    for (at, task) in estate.ansible.tasks.iter().enumerate() {
        for (machine, _) in managed(estate, &index, at) {
            for argument in &task.arguments {
                let Some(declared) = declared(&estate.machines[machine], &argument.name) else { continue };
                let (attribute, loc) = (argument.name.to_string(), task.loc);
                let text = format!("{}: {attribute}", task.short());
                found.push(Adjustment { attribute, machine, declared, loc, text });
            }
        }
    }
    found.extend(by_command(estate, &index));
    found
}

/// Attributes that `pct set`, `qm set` and `resize` in tasks change.
fn by_command(estate: &Estate<'_>, index: &Index) -> Vec<Adjustment> {
    let mut found = Vec::new();
    for invocation in &estate.invocations {
        let command = &invocation.command;
        let Some(task) = invocation.task else { continue };
        let sets = command.sub.first().is_some_and(|sub| matches!(&**sub, "set" | "resize"));
        if !matches!(&*command.program, "pct" | "qm") || !sets {
            continue;
        }
        let Some(id) = command.operands.first().and_then(Value::scalar) else { continue };
        let Some((machine, _)) = index.ids.get(&*id).copied() else { continue };
        if runs_nowhere(estate.ansible, task) {
            continue;
        }
        // `pct resize 101 rootfs +10G` names the disk as a word.
        let disk = command
            .sub
            .first()
            .filter(|sub| &***sub == "resize")
            .and_then(|_| command.operands.get(1))
            .and_then(Value::scalar);
        let named = command.flags.iter().map(|flag| flag.name.trim_start_matches('-').to_owned());
        for attribute in named.chain(disk.map(|disk| disk.to_string())) {
            if let Some(declared) = declared(&estate.machines[machine], &attribute) {
                found.push(Adjustment { attribute, machine, declared, loc: command.loc, text: command.text.clone() });
            }
        }
    }
    found
}

/// Where a machine declares an attribute, under the name that Ansible or the hypervisor gives it.
fn declared(machine: &Machine<'_>, name: &str) -> Option<Loc> {
    const IDENTITY: [&str; 8] = ["vmid", "hostname", "name", "node", "state", "target_node", "api_host", "clone"];
    if IDENTITY.contains(&name) {
        return None;
    }
    // `net0`, `scsi1`: the number tells one of several.
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let aliases: &[&str] = match bare {
        "disk" | "disk_volume" | "rootfs" | "scsi" | "virtio" | "sata" | "ide" => &["rootfs", "disk", "disks"],
        "netif" | "net" => &["network", "network_device", "network_interface"],
        "mp" => &["mountpoint", "mount_point"],
        "ipconfig" => &["ipconfig0", "initialization"],
        "cpus" | "cores" | "sockets" | "vcpus" => &["cores", "cpu"],
        "features" => &["features"],
        _ => std::slice::from_ref(&name),
    };
    aliases.iter().find_map(|alias| {
        let value = machine.resource.arg(alias);
        let place = || machine.resource.blocks(alias).first().map(|block| block.loc);
        if value.is_absent() { place() } else { value.origin.or_else(place) }
    })
}
