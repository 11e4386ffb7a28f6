//! Hosts of inventories that no Terraform here makes.

use super::{Drawing, Told, class};
use crate::chart::{Datum, Deed, Object, Owner, Sort, Verdict};
use crate::diag::Confidence;
use crate::estate::Estate;
use crate::estate::alias::{Because, address};
use crate::estate::placement::FEW_MACHINES;
use crate::model::ansible::Host;
use crate::source::folder;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

/// A host by its project and name.
type Key<'e> = (&'e str, &'e str);

/// Adds every host that is no machine of Terraform.
pub(super) fn draw(drawing: &mut Drawing<'_, '_>) {
    let estate = drawing.estate;
    let (joined, named) = (joined(estate), named(estate));
    let addresses: BTreeSet<IpAddr> = estate
        .machines
        .iter()
        .flat_map(|machine| &machine.addresses)
        .filter_map(|value| address(value.as_str()?))
        .collect();
    let is_here = |host: &Host<'_>| {
        let local = matches!(host.name.as_str(), "localhost" | "127.0.0.1" | "::1");
        let reached = host.variables.iter().find(|variable| variable.name == "ansible_host");
        let reached = address(reached.map_or(host.name.as_str(), |variable| variable.text.as_str()));
        let path = estate.documents.tree.path(host.loc.file);
        let is_named = |at: &usize| {
            let machine = estate.machines.get(*at);
            machine.is_some_and(|machine| estate.joined.sights.is_named(*at, machine, host, path))
        };
        local
            || reached.is_some_and(|reached| addresses.contains(&reached))
            || joined.contains(&(host.project.as_str(), host.name.as_str()))
            || named.get(&short(&host.name)).is_some_and(|machines| machines.iter().any(is_named))
    };
    let mut hosts: BTreeMap<Key<'_>, Vec<&Host<'_>>> = BTreeMap::new();
    for host in estate.ansible.inventory.hosts.iter().filter(|host| !is_here(host)) {
        hosts.entry((&host.project, &host.name)).or_default().push(host);
    }
    let few = estate.machines.len() + hosts.len() <= FEW_MACHINES;
    let plays = plays(estate, &hosts);
    for (keys, declared) in once(hosts) {
        let reached: BTreeSet<usize> = keys.iter().filter_map(|key| plays.get(key)).flatten().copied().collect();
        // A play on all hosts of a larger estate is run with a limit that no file tells.
        let is_vague = |play: &usize| !few && estate.ansible.plays[*play].pattern.is_all();
        let (vague, sure): (Vec<usize>, Vec<usize>) = reached.into_iter().partition(is_vague);
        let Some(mut object) = object(estate, &drawing.plays, &declared, &sure) else { continue };
        let for_all = vague.iter().map(|play| configured(estate, &drawing.plays, &object.name, *play, Confidence::Low));
        object.owners.extend(for_all);
        let index = drawing.add(object);
        for play in sure {
            drawing.meant.entry(play).or_default().push(index);
        }
    }
}

/// Hosts that several projects list by one name and at one address are one; each with all of its keys.
///
/// A private address that stands for a name says little, as every project's test network begins at the same one: such hosts
/// are one only where they are in the same groups.
fn once<'e, 'h>(hosts: BTreeMap<Key<'e>, Vec<&'h Host<'h>>>) -> Vec<(Vec<Key<'e>>, Vec<&'h Host<'h>>)> {
    let mut found: Vec<(Vec<Key<'e>>, Vec<&'h Host<'h>>)> = Vec::new();
    let mut known: HashMap<(&'e str, IpAddr), Vec<usize>> = HashMap::new();
    for (key, declared) in hosts {
        let reached = declared.iter().flat_map(|host| &host.variables).find(|variable| variable.name == "ansible_host");
        let reached = address(reached.map_or(key.1, |variable| variable.text.as_str()));
        let same =
            reached.filter(|reached| !reached.is_loopback()).map(|reached| known.entry((key.1, reached)).or_default());
        let says_little = address(key.1).is_some_and(is_private);
        let is_same = |at: &&usize| !says_little || groups(&found[**at].1) == groups(&declared);
        let at = same.as_ref().and_then(|same| same.iter().find(is_same).copied()).unwrap_or(found.len());
        if at == found.len() {
            found.push((Vec::new(), Vec::new()));
            if let Some(same) = same {
                same.push(at);
            }
        }
        let (keys, all) = &mut found[at];
        keys.push(key);
        all.extend(declared);
    }
    found
}

/// Whether an address means another machine in every network (RFC 1918, RFC 3927, RFC 4193).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// The groups that say something of hosts.
fn groups<'h>(hosts: &[&'h Host<'_>]) -> BTreeSet<&'h str> {
    let all = hosts.iter().flat_map(|host| &host.groups).map(String::as_str);
    all.filter(|group| !matches!(*group, "all" | "ungrouped")).collect()
}

/// The hosts that plays take for a machine by more than its name.
fn joined<'e>(estate: &'e Estate<'_>) -> BTreeSet<Key<'e>> {
    let ansible = estate.ansible;
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for reach in &estate.joined.reaches {
        let from = folder(ansible.documents.tree.path(ansible.plays[reach.play].file));
        let by_more = reach.names.iter().filter(|(_, because)| *because != Because::Name);
        names.entry(from).or_default().extend(by_more.map(|(name, _)| name.as_str()));
    }
    let mut found = BTreeSet::new();
    for (from, names) in names.into_iter().filter(|(_, names)| !names.is_empty()) {
        let seen = ansible.inventory.seen_from(from).hosts.into_iter();
        let own = seen.filter(|host| names.contains(host.name.as_str()));
        found.extend(own.map(|host| (host.project.as_str(), host.name.as_str())));
    }
    found
}

/// The first label of a name, in lower case.
pub(super) fn short(name: &str) -> String {
    name.split('.').next().unwrap_or(name).to_lowercase()
}

/// The machines by the first label of their names.
pub(super) fn named(estate: &Estate<'_>) -> HashMap<String, Vec<usize>> {
    let mut found: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, machine) in estate.machines.iter().enumerate() {
        let names: BTreeSet<String> = machine.names.iter().filter_map(|name| Some(short(name.as_str()?))).collect();
        for name in names {
            found.entry(name).or_default().push(at);
        }
    }
    found
}

/// Which plays mean which hosts.
fn plays<'e>(estate: &'e Estate<'_>, hosts: &BTreeMap<Key<'e>, Vec<&'e Host<'_>>>) -> BTreeMap<Key<'e>, Vec<usize>> {
    let ansible = estate.ansible;
    let mut by_folder: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, play) in ansible.plays.iter().enumerate().filter(|(_, play)| !play.local) {
        by_folder.entry(folder(ansible.documents.tree.path(play.file))).or_default().push(at);
    }
    let mut found: BTreeMap<Key<'e>, Vec<usize>> = BTreeMap::new();
    for (from, plays) in by_folder {
        let seen = ansible.inventory.seen_from(from);
        let near: BTreeSet<Key<'_>> =
            seen.hosts.iter().map(|host| (host.project.as_str(), host.name.as_str())).collect();
        for key in hosts.keys().filter(|key| near.contains(*key)) {
            let groups = seen.groups_of(key.1);
            let meant = plays.iter().filter(|play| ansible.plays[**play].pattern.matches(key.1, &groups));
            found.entry(*key).or_default().extend(meant);
        }
    }
    found
}

fn object(estate: &Estate<'_>, told: &[Told], declared: &[&Host<'_>], plays: &[usize]) -> Option<Object> {
    let first = declared.first()?;
    let address = declared.iter().flat_map(|host| &host.variables).find(|variable| variable.name == "ansible_host");
    let environment = folder(estate.documents.tree.path(first.loc.file));
    Some(Object {
        id: format!("ansible:{environment}:{}", first.name),
        name: first.name.clone(),
        sort: Sort::Host,
        kind: "host".to_owned(),
        environment: environment.to_owned(),
        address: None,
        loc: first.loc,
        places: Vec::new(),
        addresses: address.map(|variable| variable.text.clone()).into_iter().collect(),
        groups: groups(declared).into_iter().map(str::to_owned).collect(),
        owners: plays.iter().map(|play| configured(estate, told, &first.name, *play, Confidence::High)).collect(),
        identity: Vec::new(),
        storage: Vec::new(),
        data: data(estate, &first.name, plays),
        guarded: None,
        verdict: Verdict::NoData,
    })
}

fn configured(estate: &Estate<'_>, told: &[Told], name: &str, play: usize, confidence: Confidence) -> Owner {
    let own = &estate.ansible.plays[play];
    Owner {
        tool: "ansible",
        does: Deed::Configures,
        what: told[play].title.clone(),
        roles: told[play].roles.clone(),
        because: format!("`hosts: {}` means {name}", own.hosts),
        confidence,
        dormant: told[play].dormant,
        run: told[play].run,
        loc: own.loc,
    }
}

/// The data of the services that plays bring; what it lies on, nothing here says.
fn data(estate: &Estate<'_>, name: &str, plays: &[usize]) -> Vec<Datum> {
    let mut found: Vec<Datum> = Vec::new();
    let uses = estate.joined.uses.iter().filter(|(play, _)| plays.contains(play)).flat_map(|(_, uses)| uses);
    for used in uses {
        for directory in &used.directories {
            let evidence = (used.loc, used.clause.clone());
            let same = |datum: &&mut Datum| datum.service == used.label && datum.path.as_ref() == Some(directory);
            if let Some(datum) = found.iter_mut().find(same) {
                if !datum.evidence.contains(&evidence) {
                    datum.evidence.push(evidence);
                }
                continue;
            }
            found.push(Datum {
                service: used.label.clone(),
                class: class(used.data),
                path: Some(directory.clone()),
                storage: None,
                fate: "depends",
                because: format!("nothing here says what disks {name} has"),
                dormant: false,
                evidence: vec![evidence],
            });
        }
    }
    found
}
