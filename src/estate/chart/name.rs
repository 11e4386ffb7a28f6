//! Names of Terraform's machines that inventories and tasks write down again, and whether they agree.

use super::host::{named, short};
use crate::chart::Statement;
use crate::estate::Estate;
use crate::estate::alias::address;
use crate::estate::guest::changes;
use crate::estate::machine::Machine;
use crate::model::ansible::Host;
use crate::text::Loc;
use crate::value::{Tri, Value};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

/// What inventories and tasks call machines, each with the machine's index.
pub(super) fn statements(estate: &Estate<'_>) -> Vec<(usize, Statement)> {
    let mut found = listed(estate);
    for change in changes(estate).into_iter().filter(|change| change.name) {
        let agrees = match change.differs {
            Tri::True => false,
            Tri::False => true,
            Tri::Unknown(_) => continue,
        };
        let (Some(value), loc) = (change.value.scalar(), estate.ansible.tasks[change.task].loc) else { continue };
        found.push((change.machine, said(&value, "hostname", agrees, loc)));
    }
    found
}

fn said(value: &str, variable: &str, agrees: bool, loc: Loc) -> Statement {
    Statement { attribute: "name", value: value.to_owned(), variable: variable.to_owned(), agrees, loc }
}

/// The hosts of inventories by the names of machines, or else by the address that one machine alone has.
fn listed(estate: &Estate<'_>) -> Vec<(usize, Statement)> {
    let mut by_address: HashMap<IpAddr, Vec<usize>> = HashMap::new();
    for (at, machine) in estate.machines.iter().enumerate() {
        for own in machine.addresses.iter().filter_map(|value| address(value.as_str()?)) {
            by_address.entry(own).or_default().push(at);
        }
    }
    let named = named(estate);
    let mut found: BTreeMap<(usize, String, bool), Loc> = BTreeMap::new();
    let hosts = estate.ansible.inventory.hosts.iter();
    for host in hosts.filter(|host| address(&host.name).is_none() && host.name != "localhost") {
        let path = estate.documents.tree.path(host.loc.file);
        let namesakes = named.get(&short(&host.name)).into_iter().flatten();
        let called = |at: &&usize| {
            let machine = estate.machines.get(**at);
            machine.is_some_and(|machine| estate.joined.sights.is_named(**at, machine, host, path))
        };
        let own: Vec<usize> = namesakes.filter(called).copied().collect();
        for at in &own {
            found.entry((*at, host.name.clone(), true)).or_insert(host.loc);
        }
        let reached = reached(host).and_then(|reached| by_address.get(&reached));
        if let (true, Some([at])) = (own.is_empty(), reached.map(Vec::as_slice))
            && is_other(&estate.machines[*at], &host.name)
        {
            found.entry((*at, host.name.clone(), false)).or_insert(host.loc);
        }
    }
    found.into_iter().map(|((at, name, agrees), loc)| (at, said(&name, "host", agrees, loc))).collect()
}

fn reached(host: &Host<'_>) -> Option<IpAddr> {
    let variable = host.variables.iter().find(|variable| variable.name == "ansible_host")?;
    address(&variable.text)
}

/// Whether a host is called by no word of the machine's names: a short form or another order of words is a second name, and no other
/// machine's.
fn is_other(machine: &Machine<'_>, host: &str) -> bool {
    let words = |name: &str| -> Vec<String> {
        let parts = name.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase);
        parts.filter(|word| word.len() > 1).collect()
    };
    let own: Vec<String> = machine.names.iter().filter_map(Value::scalar).flat_map(|name| words(&name)).collect();
    let theirs = words(short(host).as_str());
    let alike = |a: &String, b: &String| a.contains(b.as_str()) || b.contains(a.as_str());
    let known = machine.names.iter().all(|name| name.scalar().is_some());
    known && !own.is_empty() && !theirs.is_empty() && !theirs.iter().any(|word| own.iter().any(|own| alike(own, word)))
}
