//! Containers of engines, and the machines that they run on.

use super::{Drawing, by_weight};
use crate::chart::{Datum, Deed, Object, Owner, Sort, Verdict};
use crate::diag::Confidence;
use crate::estate::container::{Container, Declared, Mount, MountKind, is_file};
use crate::estate::machine::{Machine, StorageKind, is_below};
use crate::estate::mount::Bound;
use crate::estate::placement::Lies;
use crate::estate::{Estate, carried};
use crate::knowledge::compute::Fate;
use crate::source::folder;
use crate::text::Loc;
use crate::value::{Kind, Value};
use std::collections::{BTreeSet, HashMap};

/// Adds every container that serves, with links to its hosts, whose data its data is too.
pub(super) fn draw(drawing: &mut Drawing<'_, '_>) {
    let estate = drawing.estate;
    let hosts = hosts(drawing);
    // One declaration may be read several times, with the values of several hosts.
    let mut drawn: HashMap<(Loc, &str, String), usize> = HashMap::new();
    for (at, container) in estate.containers.iter().enumerate() {
        if container.in_ci || container.in_tests || container.oneshot() {
            continue;
        }
        let on: Vec<usize> = hosts.get(&at).into_iter().flatten().copied().collect();
        let machine = on.iter().map(|host| under(drawing, *host)).find(|under| matches!(under, Under::Machine(..)));
        let mut object = object(estate, container, machine.unwrap_or(Under::Nothing));
        object.owners.extend(submitter(drawing, container));
        let key = (container.declaration, container.name.as_str(), object.kind.clone());
        let index = if let Some(index) = drawn.get(&key).copied() {
            let own = &mut drawing.objects[index];
            own.data.extend(object.data.into_iter().filter(|datum| !own.data.contains(datum)).collect::<Vec<_>>());
            index
        } else {
            let index = drawing.add(object);
            drawn.insert(key, index);
            index
        };
        for host in on {
            drawing.link(index, host, "runs-on");
            let own = data(container, under(drawing, host));
            drawing.hold(host, own, &container.name);
        }
    }
}

/// The resource of Terraform that submits the job of which a container is part.
fn submitter(drawing: &Drawing<'_, '_>, container: &Container) -> Option<Owner> {
    let at = drawing.jobs.get(&container.declaration.file).filter(|_| container.declared == Declared::Nomad)?;
    let machine = drawing.estate.machines.get(*at)?;
    Some(Owner {
        tool: "terraform",
        does: Deed::Makes,
        what: machine.address.clone(),
        roles: Vec::new(),
        because: "it submits the job that declares it".to_owned(),
        confidence: Confidence::High,
        dormant: false,
        run: true,
        loc: machine.resource.loc(),
    })
}

/// What a container stands on.
#[derive(Clone, Copy)]
enum Under<'e, 'm> {
    /// Nothing that is known.
    Nothing,
    /// A host whose disks nothing here tells.
    Host,
    /// A machine of Terraform, and what is mounted on it that its declaration does not place.
    Machine(&'e Machine<'m>, &'e Bound),
}

fn under<'e, 'm>(drawing: &Drawing<'e, 'm>, host: usize) -> Under<'e, 'm> {
    match (drawing.machine(host), drawing.mounted(host)) {
        (Some(machine), Some(bound)) => Under::Machine(machine, bound),
        _ => Under::Host,
    }
}

/// Container → the objects that tasks run it on, or to which a provisioner uploads its file.
fn hosts(drawing: &Drawing<'_, '_>) -> HashMap<usize, BTreeSet<usize>> {
    let estate = drawing.estate;
    let mut found: HashMap<usize, BTreeSet<usize>> = HashMap::new();
    let objects: HashMap<usize, usize> = drawing.machines.iter().map(|(object, machine)| (*machine, *object)).collect();
    for (container, to) in &estate.deployed {
        let on = to.machines.iter().filter_map(|machine| objects.get(machine));
        found.entry(*container).or_default().extend(on);
    }
    let at_of: HashMap<*const Container, usize> =
        estate.containers.iter().enumerate().map(|(at, container)| (std::ptr::from_ref(container), at)).collect();
    for (at, task) in estate.ansible.tasks.iter().enumerate() {
        let own = estate.containers_of(at).iter().chain(carried::containers(estate, at));
        let own: Vec<usize> = own.filter_map(|container| at_of.get(&std::ptr::from_ref(container)).copied()).collect();
        if own.is_empty() {
            continue;
        }
        let on: BTreeSet<usize> =
            task.plays.iter().filter_map(|play| drawing.meant.get(play)).flatten().copied().collect();
        for container in own {
            found.entry(container).or_default().extend(&on);
        }
    }
    found
}

fn tool(declared: Declared) -> &'static str {
    match declared {
        Declared::Compose | Declared::Text => "compose",
        Declared::Terraform => "terraform",
        Declared::Ecs => "ecs",
        Declared::Ansible => "ansible",
        Declared::Command => "script",
        Declared::Quadlet => "quadlet",
        Declared::Nomad => "nomad",
        Declared::Kubernetes => "kubernetes",
    }
}

fn object(estate: &Estate<'_>, container: &Container, under: Under<'_, '_>) -> Object {
    let environment = folder(estate.documents.tree.path(container.declaration.file));
    let owner = Owner {
        tool: if container.address.is_some() { "terraform" } else { tool(container.declared) },
        does: Deed::Makes,
        what: container.address.clone().unwrap_or_else(|| container.name.clone()),
        roles: Vec::new(),
        because: "it is declared here".to_owned(),
        confidence: Confidence::High,
        dormant: false,
        run: true,
        loc: container.declaration,
    };
    let image = match &container.image.kind {
        Kind::Absent => "built here".to_owned(),
        Kind::Unknown(_) => "image not known".to_owned(),
        _ => container.image.display(),
    };
    let mut data = data(container, under);
    by_weight(&mut data);
    let path = estate.documents.tree.path(container.declaration.file);
    let places = container.mounts.iter().map(|mount| mount.loc).chain([container.image_place]).collect();
    Object {
        id: format!("container:{path}:{}", container.name),
        name: container.name.clone(),
        sort: Sort::Container,
        kind: image,
        environment: environment.to_owned(),
        address: container.address.clone(),
        loc: container.declaration,
        places,
        addresses: Vec::new(),
        groups: Vec::new(),
        owners: vec![owner],
        identity: Vec::new(),
        storage: Vec::new(),
        data,
        guarded: None,
        verdict: Verdict::NoData,
    }
}

/// The data of a container, and what becomes of it with what the container stands on.
fn data(container: &Container, under: Under<'_, '_>) -> Vec<Datum> {
    let Some(service) = container.service() else { return Vec::new() };
    let class = match container.data().as_str() {
        Some("authoritative") => "authoritative",
        _ => super::class(service.data),
    };
    let keeping = container.unmounted();
    let evidence = vec![(container.image_place, format!("this image is {}", service.label))];
    let one = |path: Option<String>, storage, fate, because| Datum {
        service: service.label.clone(),
        class,
        path,
        storage,
        fate,
        because,
        dormant: false,
        evidence: evidence.clone(),
    };
    let directories = container.directories();
    match (keeping.directory.as_str(), keeping.kind.as_str()) {
        (Some(directory), Some(kind)) => {
            let (storage, because) = match kind {
                "memory" => ("memory", "it lies in memory"),
                "empty-dir" => ("anonymous", goes_with(container.declared)),
                "anonymous" => ("anonymous", "it lies in a volume without a name, which goes with the container"),
                _ => ("root", "it lies in the container itself and is destroyed with it"),
            };
            vec![one(Some(directory.to_owned()), Some(storage), "destroyed", because.to_owned())]
        }
        (None, Some(_)) => durable(container, &directories, under)
            .into_iter()
            .map(|(path, storage, fate, because)| one(Some(path), Some(storage), fate, because))
            .collect(),
        _ if directories.is_empty() && keeping.kind.is_absent() => Vec::new(),
        _ => {
            let reason = keeping.kind.reason().map_or("what is mounted is not known".to_owned(), |why| why.to_string());
            vec![one(directories.first().cloned(), None, "depends", reason)]
        }
    }
}

/// What becomes of a directory that is made for what the container is a part of.
fn goes_with(declared: Declared) -> &'static str {
    match declared {
        Declared::Kubernetes => "it lies in a directory that goes with its pod",
        Declared::Nomad => "it lies in a directory that goes with its allocation",
        Declared::Ecs => "it lies in a volume that goes with its task",
        _ => "it lies in a volume that goes with its group",
    }
}

/// The interface's word for what lasts.
fn storage_of(kind: MountKind) -> &'static str {
    if matches!(kind, MountKind::Named | MountKind::Claim) { "managed" } else { "bind" }
}

/// What is mounted, by its name where that is known.
fn source(declared: Declared, mount: &Mount) -> String {
    let known = Some(&mount.source).filter(|source| !matches!(source.kind, Kind::Unknown(_) | Kind::Absent));
    let share = if matches!(declared, Declared::Kubernetes | Declared::Nomad) { "claim" } else { "share" };
    match (mount.kind, known.map(Value::display)) {
        (MountKind::Named, Some(name)) => format!("the named volume {name}"),
        (MountKind::Named, None) => "a named volume".to_owned(),
        (MountKind::Claim, Some(name)) => format!("the {share} {name}"),
        (MountKind::Claim, None) => format!("a {share} of its own"),
        (MountKind::RelativeBind, Some(path)) => format!("{path} beside its compose file"),
        (MountKind::RelativeBind, None) => "a folder beside its compose file".to_owned(),
        (_, Some(path)) => format!("{path} of its host"),
        (_, None) => "a folder of its host".to_owned(),
    }
}

/// A path in the container, the storage that it lies on, its fate, and why.
type Ground = (String, &'static str, &'static str, String);

/// What lies on mounts, and what becomes of it with the machine that the container runs on.
fn durable(container: &Container, directories: &[String], under: Under<'_, '_>) -> Vec<Ground> {
    let mut found = Vec::new();
    for mount in &container.mounts {
        let Some(target) = mount.target.as_str() else { continue };
        // A file that is mounted into the data directory is configuration.
        let inside = |directory: &String| is_below(target, directory) && !is_file(target);
        let holds = directories.iter().any(|directory| is_below(directory, target) || inside(directory));
        if !holds || mount.kind.durable() != Some(true) {
            continue;
        }
        let (storage, shown) = (storage_of(mount.kind), source(container.declared, mount));
        let (fate, because) = beneath(mount, under, &shown);
        found.push((target.to_owned(), storage, fate, because));
    }
    found
}

/// What becomes of a mount's source with what lies below it.
fn beneath(mount: &Mount, under: Under<'_, '_>, shown: &str) -> (&'static str, String) {
    let survives = || ("survives", format!("it lies in {shown}, which survives the container"));
    let (machine, mounted) = match under {
        _ if mount.kind == MountKind::Claim => return survives(),
        Under::Nothing => return survives(),
        Under::Host => return ("depends", format!("it lies in {shown}; nothing here says on which disk that is")),
        Under::Machine(machine, mounted) => (machine, mounted),
    };
    let name = machine.name();
    let path = match mount.kind {
        MountKind::Named => Some("/var/lib/docker/volumes"),
        MountKind::Bind => mount.source.as_str().filter(|path| path.starts_with('/')),
        _ => None,
    };
    // Where all of its storage is of one fate, a path that is not known is of that fate too.
    let alike = || {
        let none = mounted.elsewhere.is_empty() && mounted.devices.is_empty() && mounted.perhaps.is_empty();
        none && machine.storage.iter().all(|storage| storage.fate == Fate::Destroyed)
    };
    let lies = match path {
        Some(path) => mounted.lies(machine, path),
        None => machine.storage.first().filter(|_| alike()).map(|storage| Lies::On(storage.kind, storage.fate)),
    };
    match lies {
        Some(Lies::Elsewhere(mount)) => (
            "survives",
            format!("it lies in {shown}, below {mount}, which is mounted from elsewhere and survives {name}"),
        ),
        Some(Lies::On(kind, Fate::Destroyed)) => {
            let disk = if kind == StorageKind::Root { "the root filesystem" } else { "a volume" };
            ("destroyed", format!("it lies in {shown}, on {disk} of {name}, and is destroyed with {name}"))
        }
        Some(Lies::On(_, Fate::Survives)) => {
            ("survives", format!("it lies in {shown}, which survives the container and {name}"))
        }
        Some(Lies::Open | Lies::On(_, Fate::Depends)) | None => {
            ("depends", format!("it lies in {shown}; nothing here says on which disk of {name} that is"))
        }
    }
}
