//! Containers of pods, whatever kind of object makes them.

use super::flat::members;
use super::mount::{Mount, MountKind};
use super::{Container, Declared, Setting};
use crate::estate::cluster::{Object, at, claim_templates, member};
use crate::value::Value;

/// The containers of an object; none of one that makes no pods.
#[must_use]
pub fn of_object(object: &Object, setting: &Setting<'_>) -> Vec<Container> {
    let spec = member(&object.body, "spec");
    let pod = match object.kind {
        "Pod" => spec.clone(),
        "CronJob" => at(&spec, &["job_template", "spec", "template", "spec"]),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" => {
            at(&spec, &["template", "spec"])
        }
        _ => return Vec::new(),
    };
    let own = member(&pod, "container");
    let containers = members(&if own.is_absent() { member(&pod, "containers") } else { own });
    let volumes = Volumes::of(&pod, object);
    containers.iter().map(|container| one(object, container, &spec, &volumes, setting)).collect()
}

fn one(object: &Object, given: &Value, spec: &Value, volumes: &Volumes, setting: &Setting<'_>) -> Container {
    let place = given.origin.unwrap_or(object.loc);
    let image = member(given, "image");
    let place = image.origin.unwrap_or(place);
    let name = if object.name.is_absent() { member(given, "name") } else { object.name.clone() };
    let mut own = Container::new(Container::shown(&name), object.loc, Declared::Kubernetes, setting);
    own.set_image(image, place);
    own.owner = Some(object.loc);
    own.address.clone_from(&object.address);
    own.workload = object.kind;
    own.members = member(spec, "replicas");
    own.removed_at_end = matches!(object.kind, "Job" | "CronJob");
    let list = |name: &str| Some(member(given, name)).filter(|value| !value.is_absent());
    // What the image's own program is called there is the command here.
    own.entrypoint = list("command");
    own.command = list("args");
    let mounts = member(given, "volume_mount");
    let mounts = if mounts.is_absent() { member(given, "volume_mounts") } else { mounts };
    own.more_mounts = mounts.reason().filter(|_| mounts.as_list().is_none());
    for mount in members(&mounts) {
        own.more_mounts = own.more_mounts.take().or_else(|| mount.reason());
        let loc = mount.origin.unwrap_or(place);
        let (source, kind) = volumes.named(&member(&mount, "name"));
        if let Some(kind) = kind {
            own.mounts.push(Mount { target: member(&mount, "mount_path"), source, kind, loc });
        }
    }
    let variables = members(&member(given, "env"));
    for variable in &variables {
        let Some(name) = member(variable, "name").scalar() else { continue };
        let value = member(variable, "value");
        let value =
            if value.is_absent() { Value::unknown("a secret or a field of the cluster gives it") } else { value };
        own.environment.push((name.to_string(), value));
    }
    if !member(given, "env_from").is_absent() {
        own.more_environment = Some("a secret or map of the cluster may set more".into());
    }
    own
}

/// The volumes of a pod.
struct Volumes {
    list: Vec<(Value, Value, Option<MountKind>)>,
}

impl Volumes {
    fn of(pod: &Value, object: &Object) -> Self {
        let own = member(pod, "volume");
        let all = if own.is_absent() { member(pod, "volumes") } else { own };
        let mut list: Vec<_> = members(&all)
            .iter()
            .map(|volume| {
                let (source, kind) = kind(volume);
                (member(volume, "name"), source, kind)
            })
            .collect();
        for template in claim_templates(object) {
            let name = at(&template, &["metadata", "name"]);
            list.push((name.clone(), name, Some(MountKind::Claim)));
        }
        Self { list }
    }

    /// The source and kind of the volume of that name; no kind for what holds no data (settings, secrets).
    fn named(&self, name: &Value) -> (Value, Option<MountKind>) {
        let known = name
            .scalar()
            .and_then(|name| self.list.iter().find(|(own, ..)| own.scalar().is_some_and(|own| own == name)));
        match known {
            Some((_, source, kind)) => (source.clone(), *kind),
            // What is not seen may be anything.
            None => (Value::absent(), Some(MountKind::Unknown)),
        }
    }
}

/// What a volume is, and what it is called elsewhere.
fn kind(volume: &Value) -> (Value, Option<MountKind>) {
    const SETTINGS: [&str; 5] = ["config_map", "secret", "projected", "downward_api", "image"];
    let has = |name: &str| !member(volume, name).is_absent() || is_given_empty(volume, name);
    if SETTINGS.iter().any(|name| has(name)) {
        return (Value::absent(), None);
    }
    if has("empty_dir") {
        let memory = at(volume, &["empty_dir", "medium"]).as_str() == Some("Memory");
        return (Value::absent(), Some(if memory { MountKind::Memory } else { MountKind::EmptyDir }));
    }
    if has("ephemeral") {
        return (Value::absent(), Some(MountKind::EmptyDir));
    }
    if has("persistent_volume_claim") {
        return (at(volume, &["persistent_volume_claim", "claim_name"]), Some(MountKind::Claim));
    }
    if has("host_path") {
        return (at(volume, &["host_path", "path"]), Some(MountKind::Bind));
    }
    // What is left are disks and shares of other machines.
    let given = volume.as_map().is_some_and(|map| map.entries.len() > 1);
    (Value::absent(), Some(if given { MountKind::Claim } else { MountKind::Unknown }))
}

/// `emptyDir:` with nothing behind it, or an empty block.
fn is_given_empty(volume: &Value, name: &str) -> bool {
    let first = volume.as_list().and_then(|list| list.items.first()).unwrap_or(volume);
    let bare = name.replace('_', "");
    first
        .as_map()
        .is_some_and(|map| map.entries.iter().any(|(key, _)| key.replace('_', "").eq_ignore_ascii_case(&bare)))
}
