//! Inventories that are written by hand beside Terraform, and where they disagree with it.

use super::Estate;
use super::identity::is_number_key;
use super::machine::Machine;
use crate::model::ansible::Host;
use crate::text::{FileId, Loc};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// A static inventory that lists machines of Terraform.
pub struct Roster {
    /// Its first host that Terraform makes.
    pub loc: Loc,
    /// The file.
    pub file: FileId,
    /// How many of its hosts Terraform makes.
    pub joined: usize,
    /// One of them.
    pub example: String,
    /// Whether another file of the repository is an inventory plugin.
    pub plugin: bool,
}

/// The address that a host is reached by.
fn address<'m>(host: &'m Host<'_>) -> Option<(&'m str, Loc)> {
    let variable = host.variables.iter().find(|variable| variable.name == "ansible_host")?;
    Some((&variable.text, variable.loc))
}

fn is_named(machine: &Machine<'_>, host: &str) -> bool {
    let short = host.split('.').next().unwrap_or(host);
    machine
        .names
        .iter()
        .filter_map(Value::scalar)
        .any(|name| name.eq_ignore_ascii_case(host) || name.eq_ignore_ascii_case(short))
}

/// Every static inventory with machines of Terraform, in path order.
#[must_use]
pub fn rosters(estate: &Estate<'_>) -> Vec<Roster> {
    let mut found: BTreeMap<FileId, Roster> = BTreeMap::new();
    for host in &estate.ansible.inventory.hosts {
        let reached = |machine: &Machine<'_>| {
            let text = address(host).map_or(host.name.as_str(), |(text, _)| text);
            machine.addresses.iter().filter_map(Value::as_str).any(|own| own == text)
        };
        if !estate.machines.iter().any(|machine| is_named(machine, &host.name) || reached(machine)) {
            continue;
        }
        let roster = found.entry(host.loc.file).or_insert_with(|| Roster {
            loc: host.loc,
            file: host.loc.file,
            joined: 0,
            example: host.name.clone(),
            plugin: !estate.ansible.inventory.plugins.is_empty(),
        });
        roster.joined += 1;
    }
    found.into_values().collect()
}

/// A host of which the inventory and Terraform say different things.
pub struct Mismatch {
    /// The host.
    pub host: String,
    /// `address`, `vmid`, `node` or `MAC address`.
    pub attribute: &'static str,
    /// What the inventory says.
    pub listed: String,
    /// What Terraform says.
    pub declared: String,
    /// The machine, by index.
    pub machine: usize,
    /// Where the inventory says it.
    pub loc: Loc,
    /// Where Terraform says it.
    pub place: Loc,
}

/// What a variable of a host says of its machine's identity.
struct Stated<'m> {
    host: &'m str,
    attribute: &'static str,
    value: &'m str,
    loc: Loc,
}

/// The attribute of a machine that a variable of this name holds.
fn attribute(key: &str) -> Option<&'static str> {
    match key {
        "ansible_host" => Some("address"),
        "node" | "proxmox_node" | "pve_node" | "target_node" => Some("node"),
        "mac" | "mac_address" | "macaddr" | "hwaddr" => Some("MAC address"),
        _ if is_number_key(key) => Some("vmid"),
        _ => None,
    }
}

/// What inventories and variables of single hosts say.
fn stated<'m>(estate: &'m Estate<'_>) -> Vec<Stated<'m>> {
    let mut found = Vec::new();
    for host in &estate.ansible.inventory.hosts {
        let said = host.variables.iter().filter_map(|one| Some((attribute(&one.name)?, &*one.text, one.loc)));
        found.extend(said.map(|(attribute, value, loc)| Stated { host: &host.name, attribute, value, loc }));
    }
    for own in estate.ansible.host_variables.iter().filter(|own| own.host) {
        for (key, value) in own.node.entries() {
            let Some((attribute, value_text)) = key.as_str().and_then(attribute).zip(value.as_str()) else { continue };
            let loc = Loc { file: own.file, span: key.span().to(value.span()) };
            found.push(Stated { host: &own.name, attribute, value: value_text, loc });
        }
    }
    found
}

/// Every host of which an address, a number, a node or a hardware address is given differently.
#[must_use]
pub fn mismatches(estate: &Estate<'_>) -> Vec<Mismatch> {
    let mut found = Vec::new();
    for one in stated(estate) {
        let named: Vec<(usize, &Machine<'_>)> =
            estate.machines.iter().enumerate().filter(|(_, machine)| is_named(machine, one.host)).collect();
        // Two environments may give one name to two machines: one that agrees, or says nothing, is enough.
        let differs = |machine: &Machine<'_>| {
            let values = declared(machine, one.attribute);
            let agrees =
                values.iter().any(|value| value.scalar().is_none_or(|own| own.eq_ignore_ascii_case(one.value)));
            !values.is_empty() && !agrees
        };
        let Some((at, machine)) = named.first().filter(|_| named.iter().all(|(_, machine)| differs(machine))) else {
            continue;
        };
        let Some(declared) = contradicts(&one, declared(machine, one.attribute)) else { continue };
        found.push(Mismatch {
            host: one.host.to_owned(),
            attribute: one.attribute,
            listed: one.value.to_owned(),
            declared: declared.display(),
            machine: *at,
            loc: one.loc,
            place: declared.origin.unwrap_or_else(|| machine.resource.loc()),
        });
    }
    found
}

/// What a machine declares of an attribute.
fn declared<'m>(machine: &'m Machine<'_>, attribute: &str) -> &'m [Value] {
    match attribute {
        "address" => &machine.addresses,
        "vmid" => &machine.ids,
        "node" => &machine.nodes,
        _ => &machine.macs,
    }
}

/// The value that a statement contradicts. A public address beside a private one is another interface, and so is a second
/// hardware address; zero asks the provider for the next free number.
fn contradicts<'m>(one: &Stated<'_>, values: &'m [Value]) -> Option<&'m Value> {
    match one.attribute {
        "address" => {
            let ip: IpAddr = one.value.parse().ok()?;
            values
                .iter()
                .find(|value| value.as_str().and_then(|text| text.parse().ok()).is_some_and(|other| near(ip, other)))
        }
        "vmid" => {
            one.value.parse::<u32>().ok()?;
            values.first().filter(|value| value.as_number().is_none_or(|number| number > 0.0))
        }
        "node" => values.first().filter(|_| !one.value.contains("{{")),
        _ if values.len() == 1 && one.value.split(':').count() == 6 => values.first(),
        _ => None,
    }
}

/// A machine that only the inventory or only Terraform speaks of, while its like stand in both.
pub struct Stray {
    /// Its name.
    pub name: String,
    /// Whether it is the inventory that lists it.
    pub listed: bool,
    /// Whether an address, and not a name alone, tells that inventory and Terraform speak of the same machines.
    pub sure: bool,
    /// One of its like.
    pub like: String,
    /// The machine, or the one of its like, by index.
    pub machine: usize,
    /// Where it is listed or declared.
    pub loc: Loc,
    /// Where one of its like is listed.
    pub place: Loc,
}

/// Every host of a numbered row (`db-1`, `db-2`…) that the one side has and the other has not, though it has the rest of the row.
#[must_use]
pub fn strays(estate: &Estate<'_>) -> Vec<Stray> {
    let hosts = &estate.ansible.inventory.hosts;
    let machine_of = |host: &Host<'_>| {
        let text = address(host).map_or(host.name.as_str(), |(text, _)| text);
        estate.machines.iter().position(|machine| {
            is_named(machine, &host.name) || machine.addresses.iter().any(|own| own.as_str() == Some(text))
        })
    };
    let mut rows: BTreeMap<(String, FileId), Row<'_, '_>> = BTreeMap::new();
    for host in hosts {
        let Some(stem) = stem(&host.name) else { continue };
        let row = rows.entry((stem, host.loc.file)).or_default();
        match machine_of(host) {
            Some(machine) => row.both.push((host, machine)),
            None => row.listed.push(host),
        }
    }
    let dynamic = !estate.ansible.inventory.plugins.is_empty();
    let mut found = Vec::new();
    for ((stem, _), row) in &rows {
        let Some((like, machine)) = row.both.first() else { continue };
        let root = &estate.machines[*machine].resource.instance.root;
        if !is_whole(estate, root) {
            continue;
        }
        let own = &estate.machines[*machine];
        let reached = address(like).map(|(text, _)| text);
        let sure = reached.is_some_and(|text| own.addresses.iter().any(|own| own.as_str() == Some(text)));
        let stray = |name: &str, listed, machine, loc| Stray {
            name: name.to_owned(),
            listed,
            sure,
            like: like.name.clone(),
            machine,
            loc,
            place: like.loc,
        };
        // A machine in another network is another kind of machine: hardware beside guests.
        let beside = |host: &&&Host<'_>| match (address(host), reached) {
            (Some((text, _)), Some(like)) => {
                text.parse().ok().zip(like.parse().ok()).is_none_or(|(one, other)| is_beside(one, other))
            }
            _ => true,
        };
        let listed = row.listed.iter().filter(beside);
        found.extend(listed.map(|host| stray(&host.name, true, *machine, host.loc)));
        let known: BTreeSet<usize> = hosts.iter().filter_map(machine_of).collect();
        let made = estate.machines.iter().enumerate().filter(|(at, own)| {
            own.resource.instance.root == *root
                && !known.contains(at)
                && own.ty.kind == estate.machines[*machine].ty.kind
        });
        for (at, own) in made.filter(|_| !dynamic) {
            let name = own.names.iter().find_map(Value::scalar);
            if let Some(name) = name.filter(|name| self::stem(name).as_ref() == Some(stem)) {
                found.push(stray(&name, false, at, own.resource.loc()));
            }
        }
    }
    found
}

/// Hosts of one file whose names differ by their numbers alone.
#[derive(Default)]
struct Row<'e, 'm> {
    /// Those that Terraform makes, each with its machine.
    both: Vec<(&'e Host<'m>, usize)>,
    /// Those that it does not.
    listed: Vec<&'e Host<'m>>,
}

/// A name without the number at its end; none of a name without one.
fn stem(name: &str) -> Option<String> {
    let short = name.split('.').next().unwrap_or(name);
    let bare = short.trim_end_matches(|c: char| c.is_ascii_digit());
    let named = bare.chars().any(|c| c.is_ascii_alphabetic()) && bare.len() < short.len();
    named.then(|| bare.to_lowercase())
}

/// Whether every machine of a root surely exists and has a known name.
fn is_whole(estate: &Estate<'_>, root: &str) -> bool {
    let mut own = estate.machines.iter().filter(|machine| &*machine.resource.instance.root == root);
    own.all(|machine| {
        machine.resource.uncertain().is_none() && machine.names.iter().any(|name| name.scalar().is_some())
    })
}

/// Whether two addresses are of one subnet, as such are usually cut.
fn is_beside(a: IpAddr, b: IpAddr) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => a.octets()[..3] == b.octets()[..3],
        (IpAddr::V6(a), IpAddr::V6(b)) => a.segments()[..4] == b.segments()[..4],
        _ => false,
    }
}

/// Whether two addresses are of one kind and range, so that one may stand for the other by mistake.
fn near(a: IpAddr, b: IpAddr) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => a.octets()[..2] == b.octets()[..2],
        (IpAddr::V6(a), IpAddr::V6(b)) => a.segments()[..3] == b.segments()[..3],
        _ => false,
    }
}
