//! Machines that Terraform makes.

use super::{Drawing, Told, by_path, class, fate, name, release};
use crate::chart::{Datum, Deed, Object, Owner, Sort, Statement, Storage, Verdict};
use crate::diag::Confidence;
use crate::estate::Estate;
use crate::estate::alias::Because;
use crate::estate::delivered::held_boots;
use crate::estate::identity::statements;
use crate::estate::listing::Ground;
use crate::estate::machine::{Machine, StorageKind};
use crate::estate::placement::{Lies, Lodging, Reach};
use crate::estate::release::of_resource;
use crate::estate::roster::mismatches;
use crate::knowledge::services;
use crate::model::terraform::{Provisioner, When};
use crate::value::{Tri, Value};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Adds every machine, with the plays that mean it.
pub(super) fn draw(drawing: &mut Drawing<'_, '_>) {
    let estate = drawing.estate;
    // What declares containers is drawn as those, with their images and mounts.
    let containers: HashSet<&String> = estate.containers.iter().filter_map(|own| own.address.as_ref()).collect();
    // So is what a job declares whose file is known.
    let jobs: HashSet<usize> = drawing.jobs.values().copied().collect();
    let own = estate.machines.iter().enumerate();
    let own = own.filter(|(at, machine)| !containers.contains(&machine.address) && !jobs.contains(at));
    let set_up = set_up_elsewhere(estate);
    for (at, machine) in own {
        let (mut object, plays) = object(estate, &drawing.plays, &set_up, (at, machine));
        by_path(&mut object.storage);
        let index = drawing.add(object);
        drawing.machines.insert(index, at);
        drawing.declared.entry(machine.resource.declaration()).or_default().push(index);
        for play in plays {
            drawing.meant.entry(play).or_default().push(index);
        }
    }
    identity(drawing);
}

/// Adds what other tools write down of the machines' identity.
fn identity(drawing: &mut Drawing<'_, '_>) {
    let estate = drawing.estate;
    let said = statements(estate).into_iter().filter_map(|fact| {
        let same =
            Statement { attribute: fact.kind, value: fact.value, variable: fact.key, agrees: true, loc: fact.loc };
        Some((fact.machine?, same))
    });
    let other = mismatches(estate).into_iter().map(|other| {
        let (value, attribute) = (other.listed, if other.attribute == "MAC address" { "mac" } else { other.attribute });
        let variable = if attribute == "address" { "ansible_host" } else { attribute }.to_owned();
        (other.machine, Statement { attribute, value, variable, agrees: false, loc: other.loc })
    });
    let objects: BTreeMap<usize, usize> =
        drawing.machines.iter().map(|(object, machine)| (*machine, *object)).collect();
    for (machine, statement) in said.chain(other).chain(name::statements(estate)) {
        let Some(object) = objects.get(&machine).and_then(|at| drawing.objects.get_mut(*at)) else { continue };
        if !object.identity.contains(&statement) {
            object.places.push(statement.loc);
            object.identity.push(statement);
        }
    }
}

/// What a machine's object is called.
pub(super) fn id(machine: &Machine<'_>) -> String {
    format!("terraform:{}:{}", machine.resource.instance.root, machine.address)
}

fn object<'m>(
    estate: &Estate<'m>,
    plays: &[Told],
    set_up: &BTreeMap<usize, Owner>,
    (at, machine): (usize, &Machine<'m>),
) -> (Object, Vec<usize>) {
    // No play logs in to what a cluster runs.
    let is_machine = !matches!(machine.ty.kind.as_str(), "k8s-workload" | release::KIND);
    let reaches: Vec<&Reach> = estate.joined.reaches.iter().filter(|reach| is_machine && reach.machine == at).collect();
    let mut owners = vec![Owner {
        tool: "terraform",
        does: Deed::Makes,
        what: machine.address.clone(),
        roles: Vec::new(),
        because: "Terraform declares it".to_owned(),
        confidence: Confidence::High,
        dormant: false,
        run: true,
        loc: machine.resource.loc(),
    }];
    owners.extend(reaches.iter().map(|reach| configured(estate, plays, reach)));
    owners.extend(provisioned(estate, machine).or_else(|| set_up.get(&at).cloned()));
    owners.extend(adjusted(estate, at));
    let texts = |values: &[Value]| values.iter().filter_map(Value::scalar).map(|text| text.to_string()).collect();
    let object = Object {
        id: id(machine),
        name: machine.name(),
        sort: if matches!(machine.ty.kind.as_str(), "container" | "k8s-workload" | release::KIND) {
            Sort::Container
        } else {
            Sort::Host
        },
        kind: machine.ty.kind.clone(),
        environment: machine.resource.instance.environment().to_owned(),
        address: Some(machine.address.clone()),
        loc: machine.resource.loc(),
        places: Vec::new(),
        addresses: texts(&machine.addresses),
        groups: groups(estate, at, &reaches),
        owners,
        identity: Vec::new(),
        // What a release runs on, and where, is the cluster's.
        storage: if machine.ty.kind == release::KIND { Vec::new() } else { storage(estate, at, machine) },
        data: match of_resource(estate, &machine.resource) {
            Some(helm) => release::data(&helm).into_iter().collect(),
            None => data(estate, at, machine),
        },
        guarded: match machine.guarded {
            Tri::True => Some(true),
            Tri::False => Some(false),
            Tri::Unknown(_) => None,
        },
        verdict: Verdict::NoData,
    };
    (object, reaches.iter().filter(|reach| !reach.vague).map(|reach| reach.play).collect())
}

fn configured(estate: &Estate<'_>, plays: &[Told], reach: &Reach) -> Owner {
    let (play, told) = (&estate.ansible.plays[reach.play], &plays[reach.play]);
    let (name, because) = reach
        .names
        .iter()
        .min_by_key(|(_, because)| *because)
        .map_or(("", Because::Words), |(name, because)| (name, *because));
    let clause = because.clause(name);
    Owner {
        tool: "ansible",
        does: Deed::Configures,
        what: told.title.clone(),
        roles: told.roles.clone(),
        because: format!("{clause}, which `hosts: {}` means", play.hosts),
        confidence: if reach.vague { Confidence::Low } else { because.confidence() },
        dormant: told.dormant,
        run: told.run,
        loc: play.loc,
    }
}

/// The first provisioner of another resource, or the first boot that another resource holds, of each machine.
fn set_up_elsewhere(estate: &Estate<'_>) -> BTreeMap<usize, Owner> {
    let ground = Ground::new(estate.documents, estate.terraform, estate.ansible, &estate.machines);
    let owner = |what: &str, because: &str, loc| Owner {
        tool: "terraform",
        does: Deed::Configures,
        what: what.to_owned(),
        roles: Vec::new(),
        because: because.to_owned(),
        confidence: Confidence::High,
        dormant: false,
        run: true,
        loc,
    };
    let mut found = BTreeMap::new();
    for resource in estate.terraform.resources() {
        let logs_in = |one: &Provisioner<'_, '_>| one.kind != "local-exec" && one.when != When::Destroy;
        for provisioner in resource.provisioners().into_iter().filter(logs_in) {
            let Some(at) = ground.set_up_by(&resource, &provisioner) else { continue };
            let own = estate.machines[at].resource.declaration() == resource.declaration();
            let of = if own { String::new() } else { format!(" of {}", resource.address()) };
            let because = if own { "it stands in its declaration" } else { "it logs in to its address" };
            let told = format!("provisioner{of}");
            found.entry(at).or_insert_with(|| owner(&told, because, provisioner.block.loc));
        }
    }
    for (at, machine) in estate.machines.iter().enumerate() {
        let Some(held) = held_boots(estate, machine).into_iter().next() else { continue };
        found.entry(at).or_insert_with(|| owner("first boot (user data)", "its declaration names it", held.loc()));
    }
    found
}

/// Provisioners and first boots that run commands in it.
fn provisioned<'m>(estate: &Estate<'m>, machine: &Machine<'m>) -> Option<Owner> {
    // Of a module that is called several times, what one instance runs was read for all.
    let place = machine.resource.loc();
    let own = |resource: &crate::model::terraform::Resource<'m, 'm>| resource.loc() == place;
    let found = estate.invocations.iter().find(|invocation| invocation.resource.as_ref().is_some_and(own))?;
    Some(Owner {
        tool: "terraform",
        does: Deed::Configures,
        what: if found.first_boot { "first boot (user data)" } else { "provisioner" }.to_owned(),
        roles: Vec::new(),
        because: "it stands in its declaration".to_owned(),
        confidence: Confidence::High,
        dormant: false,
        run: true,
        loc: found.command.loc,
    })
}

/// Tasks that set attributes of it, or manage it beside Terraform.
fn adjusted(estate: &Estate<'_>, at: usize) -> Vec<Owner> {
    let own = estate.adjustments.iter().filter(|adjustment| adjustment.machine == at);
    own.map(|adjustment| Owner {
        tool: "ansible",
        does: Deed::Adjusts,
        what: adjustment.text.clone(),
        roles: Vec::new(),
        because: format!("it sets {}, which Terraform declares", adjustment.attribute),
        confidence: Confidence::High,
        dormant: false,
        run: true,
        loc: adjustment.loc,
    })
    .collect()
}

/// The groups of the hosts that the machine is.
fn groups(estate: &Estate<'_>, at: usize, reaches: &[&Reach]) -> Vec<String> {
    let names: BTreeSet<&str> = reaches.iter().flat_map(|reach| &reach.names).map(|(name, _)| name.as_str()).collect();
    let hosts = estate.ansible.inventory.hosts.iter().filter(|host| names.contains(host.name.as_str()));
    let listed = estate.joined.sights.listed_groups(at);
    let groups: BTreeSet<&String> = hosts.flat_map(|host| &host.groups).chain(listed).collect();
    groups.into_iter().filter(|group| !matches!(group.as_str(), "all" | "ungrouped")).cloned().collect()
}

/// The interface's word for a kind of storage.
fn kind(kind: StorageKind) -> &'static str {
    match kind {
        StorageKind::InlineDisk => "owned-volume",
        kind => kind.as_str(),
    }
}

fn storage(estate: &Estate<'_>, at: usize, machine: &Machine<'_>) -> Vec<Storage> {
    let own = machine.storage.iter().map(|storage| Storage {
        path: storage.path.as_str().map(str::to_owned),
        kind: kind(storage.kind),
        fate: fate(storage.fate),
        loc: storage.place,
    });
    let mut found: Vec<Storage> = own.collect();
    for mount in estate.joined.mounted.get(at).into_iter().flat_map(|bound| &bound.elsewhere) {
        if !found.iter().any(|storage| storage.path.as_ref() == Some(mount)) {
            found.push(Storage {
                path: Some(mount.clone()),
                kind: "remote",
                fate: "survives",
                loc: machine.resource.loc(),
            });
        }
    }
    found
}

fn data(estate: &Estate<'_>, at: usize, machine: &Machine<'_>) -> Vec<Datum> {
    let mut found: Vec<Datum> = Vec::new();
    for lodging in estate.joined.lodgings.iter().filter(|lodging| lodging.machine == at) {
        let same = |datum: &&mut Datum| {
            datum.service == lodging.service
                && datum.path.as_deref() == Some(&lodging.directory)
                && datum.dormant == lodging.dormant
        };
        if let Some(datum) = found.iter_mut().find(same) {
            if !datum.evidence.contains(&lodging.evidence) {
                datum.evidence.push(lodging.evidence.clone());
            }
            continue;
        }
        found.push(datum(lodging, machine));
    }
    mounted(machine, &mut found);
    found
}

/// What the place of a mount tells: a path where a service keeps its data, though nothing here brings that service.
fn mounted(machine: &Machine<'_>, found: &mut Vec<Datum>) {
    let at_data = machine.storage.iter().filter(|storage| storage.is_data_path() && !storage.is_scratch());
    for storage in at_data {
        let Some(mount) = storage.path.as_str() else { continue };
        let service = services::by_path(mount);
        let label = service.map_or("files", |service| service.label.as_str());
        let fate = fate(storage.fate);
        let told = |datum: &Datum| {
            let lies = datum.path.as_deref().and_then(|path| machine.storage_of(path));
            lies.is_some_and(|own| own.path.as_str() == Some(mount)) || datum.service == label && datum.fate == fate
        };
        if found.iter().any(|datum| !datum.dormant && told(datum)) {
            continue;
        }
        found.push(Datum {
            service: label.to_owned(),
            class: service.map_or("authoritative", |service| class(service.data)),
            path: Some(mount.to_owned()),
            storage: Some(kind(storage.kind)),
            fate,
            because: on_own(storage.kind, mount, fate, &machine.name()),
            dormant: false,
            evidence: vec![(storage.place, format!("something is mounted on {mount}, where data is kept"))],
        });
    }
}

fn datum(lodging: &Lodging, machine: &Machine<'_>) -> Datum {
    let name = machine.name();
    let (storage, fate, because) = match &lodging.lies {
        Lies::On(on, becomes) => {
            let declared = machine.storage_of(&lodging.directory).filter(|storage| storage.kind == *on);
            let mount = declared.and_then(|storage| storage.path.as_str()).unwrap_or(&lodging.directory);
            (Some(kind(*on)), fate(*becomes), on_own(*on, mount, fate(*becomes), &name))
        }
        Lies::Elsewhere(mount) => {
            (Some("remote"), "survives", format!("{mount} is mounted from elsewhere and survives {name}"))
        }
        Lies::Open => {
            let because = if machine.has_unplaced_storage() {
                format!("{name} has another disk, and nothing here says where it is mounted")
            } else {
                format!("a disk is mounted over it, and nothing here says which disk of {name} that is")
            };
            (None, "depends", because)
        }
    };
    Datum {
        service: lodging.service.clone(),
        class: class(lodging.data),
        path: Some(lodging.directory.clone()),
        storage,
        fate,
        because,
        dormant: lodging.dormant,
        evidence: vec![lodging.evidence.clone()],
    }
}

fn on_own(kind: StorageKind, mount: &str, fate: &str, name: &str) -> String {
    let what = match kind {
        StorageKind::Root => "the root filesystem".to_owned(),
        StorageKind::OwnedVolume => format!("{mount}, a volume that belongs to it,"),
        StorageKind::InlineDisk => "a disk that belongs to it".to_owned(),
        StorageKind::Bind => format!("{mount}, a path of the node,"),
        StorageKind::Managed => format!("{mount}, a volume that is declared apart,"),
    };
    match fate {
        "destroyed" => format!("{what} is destroyed with {name}"),
        "survives" => format!("{what} survives {name}"),
        _ => format!("whether {what} survives {name} depends on settings that are not known here"),
    }
}
