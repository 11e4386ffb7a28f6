//! Containers of engines, and the machines that they run on.

use super::{Drawing, by_weight, fate};
use crate::chart::{Datum, Deed, Object, Owner, Sort, Verdict};
use crate::diag::Confidence;
use crate::estate::carried;
use crate::estate::container::{Container, Declared, MountKind};
use crate::estate::machine::{StorageKind, is_below};
use crate::source::folder;
use crate::value::Value;
use std::collections::{BTreeSet, HashMap};

/// Adds every container that serves, with links to its hosts.
pub(super) fn draw(drawing: &mut Drawing<'_, '_>) {
    let estate = drawing.estate;
    let hosts = hosts(drawing);
    for (at, container) in estate.containers.iter().enumerate() {
        if container.in_ci || container.in_tests || container.oneshot() {
            continue;
        }
        let on: Vec<usize> = hosts.get(&at).into_iter().flatten().copied().collect();
        let object = object(drawing, container, &on);
        let index = drawing.add(object);
        for host in on {
            drawing.link(index, host, "runs-on");
        }
    }
}

/// Container → the objects that tasks run it on.
fn hosts(drawing: &Drawing<'_, '_>) -> HashMap<usize, BTreeSet<usize>> {
    let estate = drawing.estate;
    let mut found: HashMap<usize, BTreeSet<usize>> = HashMap::new();
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
        Declared::Ansible => "ansible",
        Declared::Command => "script",
        Declared::Quadlet => "quadlet",
        Declared::Kubernetes => "kubernetes",
    }
}

fn object(drawing: &Drawing<'_, '_>, container: &Container, on: &[usize]) -> Object {
    let estate = drawing.estate;
    let environment = folder(estate.documents.tree.path(container.declaration.file));
    let owner = Owner {
        tool: tool(container.declared),
        does: Deed::Makes,
        what: container.name.clone(),
        roles: Vec::new(),
        because: "it is declared here".to_owned(),
        confidence: Confidence::High,
        dormant: false,
        loc: container.declaration,
    };
    let image = if container.image.is_absent() { "built here".to_owned() } else { container.image.display() };
    let mut data = data(drawing, container, on);
    by_weight(&mut data);
    let path = estate.documents.tree.path(container.declaration.file);
    Object {
        id: format!("container:{path}:{}", container.name),
        name: container.name.clone(),
        sort: Sort::Container,
        kind: image,
        environment: environment.to_owned(),
        address: None,
        loc: container.declaration,
        addresses: Vec::new(),
        groups: Vec::new(),
        owners: vec![owner],
        storage: Vec::new(),
        data,
        guarded: None,
        verdict: Verdict::NoData,
    }
}

fn data(drawing: &Drawing<'_, '_>, container: &Container, on: &[usize]) -> Vec<Datum> {
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
                "anonymous" => ("anonymous", "it lies in a volume without a name, which goes with the container"),
                "empty-dir" => ("anonymous", "it lies in a folder made for one pod, which goes with the pod"),
                _ => ("root", "it lies in the container itself and is destroyed with it"),
            };
            vec![one(Some(directory.to_owned()), Some(storage), "destroyed", because.to_owned())]
        }
        (None, Some(_)) => durable(drawing, container, &directories, on)
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

/// A path in the container, the storage that it lies on, its fate, and why.
type Ground = (String, &'static str, &'static str, String);

/// What lies on mounts, and what becomes of it with the machines that the container runs on.
fn durable(drawing: &Drawing<'_, '_>, container: &Container, directories: &[String], on: &[usize]) -> Vec<Ground> {
    let mut found = Vec::new();
    for mount in &container.mounts {
        let Some(target) = mount.target.as_str() else { continue };
        let holds = directories.iter().any(|directory| is_below(directory, target) || is_below(target, directory));
        if !holds || mount.kind.durable() != Some(true) {
            continue;
        }
        let (storage, source) = match mount.kind {
            MountKind::Named => ("managed", format!("the named volume {}", mount.source.display())),
            MountKind::Claim => ("managed", format!("the claim {}", mount.source.display())),
            _ => ("bind", format!("{} of the host", mount.source.display())),
        };
        let (fate, because) = beneath(drawing, mount.kind, &mount.source, on, &source);
        found.push((target.to_owned(), storage, fate, because));
    }
    found
}

/// What becomes of a mount's source with the machine below it.
fn beneath(
    drawing: &Drawing<'_, '_>,
    kind: MountKind,
    source: &Value,
    on: &[usize],
    shown: &str,
) -> (&'static str, String) {
    let path = match kind {
        MountKind::Named => Some("/var/lib/docker/volumes"),
        MountKind::Bind => source.as_str().filter(|path| path.starts_with('/')),
        _ => None,
    };
    let machine = |at: &usize| {
        let id = &drawing.objects.get(*at)?.address;
        drawing.estate.machines.iter().find(|machine| Some(&machine.address) == id.as_ref())
    };
    let machines: Vec<_> = on.iter().filter_map(machine).collect();
    let (Some(path), Some(machine)) = (path, machines.first()) else {
        return ("survives", format!("it lies in {shown}, which survives the container"));
    };
    let name = machine.name();
    match machine.storage_of(path) {
        Some(storage) if storage.kind == StorageKind::Root && machine.has_unplaced_storage() => {
            ("depends", format!("it lies in {shown}; nothing here says on which disk of {name} that is"))
        }
        Some(storage) if fate(storage.fate) == "destroyed" => {
            let disk = if storage.kind == StorageKind::Root { "the root filesystem" } else { "a volume" };
            ("destroyed", format!("it lies in {shown}, on {disk} of {name}, and is destroyed with {name}"))
        }
        _ => ("survives", format!("it lies in {shown}, which survives the container and {name}")),
    }
}
