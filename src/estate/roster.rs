//! Inventories that are written by hand beside Terraform, and where they disagree with it.

use super::Estate;
use super::machine::Machine;
use crate::text::{FileId, Loc};
use crate::value::Value;
use std::collections::BTreeMap;
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
fn address<'m>(host: &'m crate::model::ansible::Host<'_>) -> Option<(&'m str, Loc)> {
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

/// A host whose address the inventory and Terraform give differently.
pub struct Mismatch {
    /// The host.
    pub host: String,
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

/// Every host whose address is given differently.
#[must_use]
pub fn mismatches(estate: &Estate<'_>) -> Vec<Mismatch> {
    let mut found = Vec::new();
    for host in &estate.ansible.inventory.hosts {
        let Some((listed, loc)) = address(host) else { continue };
        let Ok(ip) = listed.parse::<IpAddr>() else { continue };
        let named: Vec<(usize, &Machine<'_>)> =
            estate.machines.iter().enumerate().filter(|(_, machine)| is_named(machine, &host.name)).collect();
        let own =
            |machine: &Machine<'_>| machine.addresses.iter().filter_map(Value::as_str).any(|address| address == listed);
        // Two environments may give one name to two machines: one that agrees is enough.
        if named.is_empty() || named.iter().any(|(_, machine)| own(machine) || machine.addresses.is_empty()) {
            continue;
        }
        let Some((at, machine)) = named.first() else { continue };
        // A public address beside a private one is another interface, not a contradiction.
        let Some(declared) = machine
            .addresses
            .iter()
            .find(|address| address.as_str().and_then(|text| text.parse().ok()).is_some_and(|other| near(ip, other)))
        else {
            continue;
        };
        found.push(Mismatch {
            host: host.name.clone(),
            listed: listed.to_owned(),
            declared: declared.display(),
            machine: *at,
            loc,
            place: declared.origin.unwrap_or_else(|| machine.resource.loc()),
        });
    }
    found
}

/// Whether two addresses are of one kind and range, so that one may stand for the other by mistake.
fn near(a: IpAddr, b: IpAddr) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => a.octets()[..2] == b.octets()[..2],
        (IpAddr::V6(a), IpAddr::V6(b)) => a.segments()[..3] == b.segments()[..3],
        _ => false,
    }
}
