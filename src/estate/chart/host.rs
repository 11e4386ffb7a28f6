//! Hosts of inventories that no Terraform here makes.

use super::{Drawing, Told, class};
use crate::chart::{Datum, Deed, Object, Owner, Sort, Verdict};
use crate::diag::Confidence;
use crate::estate::Estate;
use crate::model::ansible::Host;
use crate::source::folder;
use std::collections::{BTreeMap, BTreeSet};

/// A host by its project and name.
type Key<'e> = (&'e str, &'e str);

/// Adds every host that is no machine of Terraform.
pub(super) fn draw(drawing: &mut Drawing<'_, '_>) {
    let estate = drawing.estate;
    let joined: BTreeSet<&str> = estate
        .joined
        .reaches
        .iter()
        .flat_map(|reach| reach.names.iter().map(|(name, _)| name.as_str()))
        .chain(drawing.estate.machines.iter().flat_map(|machine| machine.names.iter().filter_map(|name| name.as_str())))
        .collect();
    let addresses: BTreeSet<&str> =
        estate.machines.iter().flat_map(|machine| &machine.addresses).filter_map(|address| address.as_str()).collect();
    let is_here = |host: &Host<'_>| {
        let address = host.variables.iter().find(|variable| variable.name == "ansible_host");
        let address = address.map_or(host.name.as_str(), |variable| variable.text.as_str());
        let local = matches!(host.name.as_str(), "localhost" | "127.0.0.1" | "::1");
        local || joined.contains(host.name.as_str()) || addresses.contains(address)
    };
    let mut hosts: BTreeMap<Key<'_>, Vec<&Host<'_>>> = BTreeMap::new();
    for host in estate.ansible.inventory.hosts.iter().filter(|host| !is_here(host)) {
        hosts.entry((&host.project, &host.name)).or_default().push(host);
    }
    let plays = plays(estate, &hosts);
    for (key, declared) in hosts {
        let reached = plays.get(&key).map_or(&[][..], Vec::as_slice);
        let Some(object) = object(estate, &drawing.plays, &declared, reached) else { continue };
        let index = drawing.add(object);
        for play in reached {
            drawing.meant.entry(*play).or_default().push(index);
        }
    }
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
    let configured = |play: &usize| {
        let own = &estate.ansible.plays[*play];
        Owner {
            tool: "ansible",
            does: Deed::Configures,
            what: told[*play].title.clone(),
            roles: told[*play].roles.clone(),
            because: format!("`hosts: {}` means {}", own.hosts, first.name),
            confidence: Confidence::High,
            dormant: told[*play].dormant,
            run: told[*play].run,
            loc: own.loc,
        }
    };
    let address = declared.iter().flat_map(|host| &host.variables).find(|variable| variable.name == "ansible_host");
    let groups: BTreeSet<&String> = declared.iter().flat_map(|host| &host.groups).collect();
    let environment = folder(estate.documents.tree.path(first.loc.file));
    Some(Object {
        id: format!("ansible:{environment}:{}", first.name),
        name: first.name.clone(),
        sort: Sort::Host,
        kind: "host".to_owned(),
        environment: environment.to_owned(),
        address: None,
        loc: first.loc,
        addresses: address.map(|variable| variable.text.clone()).into_iter().collect(),
        groups: groups.into_iter().filter(|group| !matches!(group.as_str(), "all" | "ungrouped")).cloned().collect(),
        owners: plays.iter().map(configured).collect(),
        identity: Vec::new(),
        storage: Vec::new(),
        data: data(estate, &first.name, plays),
        guarded: None,
        verdict: Verdict::NoData,
    })
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
