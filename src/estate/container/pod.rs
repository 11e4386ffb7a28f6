//! Containers of Kubernetes workloads, as Terraform's blocks or as manifests describe them.

use super::flat::members;
use super::mount::{Mount, MountKind};
use super::{Container, Declared, Setting};
use crate::model::ansible::Rendered;
use crate::syntax::yaml::{Node, NodeKind, Yaml};
use crate::text::{HOLE, Loc, Span};
use crate::value::{Data, Value};
use std::collections::BTreeMap;

/// Workloads that keep running, by `kind`. A job ends.
const WORKLOADS: [&str; 6] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Pod"];
/// The same as resources of Terraform's provider.
const RESOURCES: [&str; 5] = [
    "kubernetes_deployment",
    "kubernetes_stateful_set",
    "kubernetes_daemonset",
    "kubernetes_replication_controller",
    "kubernetes_pod",
];
/// Objects of one manifest that are looked at.
const MAX_OBJECTS: usize = 256;
/// Levels of a manifest that are looked at.
const MAX_DEPTH: usize = 24;

/// Whether a resource of Terraform is a workload with blocks for its parts.
#[must_use]
pub fn is_workload(ty: &str) -> bool {
    let plain = ty.strip_suffix("_v1").unwrap_or(ty);
    RESOURCES.contains(&plain) || plain == "kubernetes_daemon_set"
}

/// The containers of a workload: a resource's blocks as a map, or an object of a manifest; none for other objects.
#[must_use]
pub fn of_workload(object: &Value, header: Loc, setting: &Setting<'_>) -> Vec<Container> {
    let kind = object.get("kind");
    if kind.as_str() == Some("List") {
        let items = object.get("items");
        return members(&items).iter().take(MAX_OBJECTS).flat_map(|item| of_workload(item, header, setting)).collect();
    }
    if !kind.is_absent() && !kind.as_str().is_some_and(|kind| WORKLOADS.contains(&kind)) {
        return Vec::new();
    }
    let outer = object.get("spec");
    let template = outer.get("template").get("spec");
    let spec = if template.is_absent() { outer.clone() } else { template };
    let name = object.get("metadata").get("name");
    let header = object.origin.filter(|_| !kind.is_absent()).unwrap_or(header);
    let pod = Pod { volumes: volumes(&spec, &outer), open: field(&spec, &["volume", "volumes"]), name, setting };
    let containers = field(&spec, &["container", "containers"]);
    members(&containers).iter().take(MAX_OBJECTS).filter_map(|one| pod.container(one, header)).collect()
}

/// The containers of a text of manifests, holes in it unknown.
#[must_use]
pub fn of_manifests(rendered: &Rendered, setting: &Setting<'_>) -> Vec<Container> {
    let text = &rendered.text.text;
    if !text.contains("apiVersion") || !text.contains("containers") {
        return Vec::new();
    }
    let yaml = Yaml::parse(text);
    let place = |span: Span| Loc { file: rendered.file, span: rendered.text.span(span) };
    let objects = yaml.documents().take(MAX_OBJECTS).map(|root| (value(root, &place, 0), place(root.span())));
    objects.flat_map(|(object, loc)| of_workload(&object, loc, setting)).collect()
}

/// A node of a manifest as a value.
fn value(node: Node<'_>, place: &dyn Fn(Span) -> Loc, depth: usize) -> Value {
    let read = if depth > MAX_DEPTH {
        Value::unknown("the manifest is nested too deeply")
    } else if node.is_map() {
        let entries = node.entries().into_iter();
        let entry = |(key, own): (Node<'_>, Node<'_>)| Some((key.as_str()?.into(), value(own, place, depth + 1)));
        Value::map(entries.filter_map(entry).collect())
    } else if node.is_seq() {
        Value::list(node.items().map(|item| value(item, place, depth + 1)).collect())
    } else if node.is_null() || !matches!(node.kind(), NodeKind::Scalar { .. }) {
        Value::absent()
    } else {
        match node.as_str() {
            Some(text) if text.contains(HOLE) => Value::unknown("a part of the manifest is not known"),
            Some(text) => Value::known(text),
            None => Value::absent(),
        }
    };
    // An object is declared where its first key stands.
    let first = node.entries().first().map(|(key, _)| key.span());
    read.at(place(first.unwrap_or_else(|| node.span())))
}

/// What stands under the first name that is there: Terraform's, or the manifest's.
fn field(value: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| value.get(name)).find(|own| !own.is_absent()).unwrap_or_default()
}

/// Volumes of a pod by name: what each is, and its source.
type Volumes = BTreeMap<String, (MountKind, Value)>;

fn volumes(spec: &Value, outer: &Value) -> Volumes {
    let mut found = Volumes::new();
    for volume in members(&field(spec, &["volume", "volumes"])) {
        if let Some(name) = volume.get("name").scalar() {
            found.insert(name.to_string(), kind_of(&volume));
        }
    }
    for claim in members(&field(outer, &["volume_claim_template", "volumeClaimTemplates"])) {
        let name = claim.get("metadata").get("name");
        if let Some(text) = name.scalar() {
            found.insert(text.to_string(), (MountKind::Claim, name));
        }
    }
    found
}

/// Volumes with files of configuration: over a part of a path they hold no data.
const FILES: [&str; 7] = ["config_map", "configMap", "secret", "projected", "downward_api", "downwardAPI", "image"];

/// What a volume is.
fn kind_of(volume: &Value) -> (MountKind, Value) {
    let empty = field(volume, &["empty_dir", "emptyDir"]);
    let has = |names: &[&str]| !field(volume, names).is_absent() || names.iter().any(|name| is_given(volume, name));
    if has(&["empty_dir", "emptyDir"]) {
        let memory = empty.get("medium").as_str() == Some("Memory");
        let kind = if memory { MountKind::Memory } else { MountKind::EmptyDir };
        return (kind, Value::absent());
    }
    if has(&["ephemeral"]) {
        return (MountKind::EmptyDir, Value::absent());
    }
    let host = field(volume, &["host_path", "hostPath"]);
    if !host.is_absent() {
        return (MountKind::Bind, host.get("path"));
    }
    let claim = field(volume, &["persistent_volume_claim", "persistentVolumeClaim"]);
    if !claim.is_absent() {
        return (MountKind::Claim, field(&claim, &["claim_name", "claimName"]));
    }
    if FILES.iter().any(|name| has(&[name])) {
        return (MountKind::Unknown, Value::known("configuration"));
    }
    let named = volume.as_map().is_some_and(|map| map.entries.len() > 1);
    // What is left are disks and shares of other machines.
    (if named { MountKind::Claim } else { MountKind::Unknown }, Value::absent())
}

/// Whether a key is written, be it with nothing behind it (`emptyDir:`).
fn is_given(map: &Value, name: &str) -> bool {
    map.as_map().is_some_and(|map| map.entries.iter().any(|(key, _)| &**key == name))
}

struct Pod<'a> {
    volumes: Volumes,
    /// The list of volumes, where not all of it is known.
    open: Value,
    name: Value,
    setting: &'a Setting<'a>,
}

impl Pod<'_> {
    fn container(&self, given: &Value, header: Loc) -> Option<Container> {
        let image = given.get("image");
        if image.is_absent() {
            return None;
        }
        let name = [&self.name, &given.get("name")].into_iter().find(|name| !name.is_absent()).cloned();
        let shown = Container::shown(&name.unwrap_or_default());
        let mut own = Container::new(shown, header, Declared::Kubernetes, self.setting);
        let place = image.origin.unwrap_or(header);
        own.set_image(image, place);
        let given_words = |name: &str| Some(given.get(name)).filter(|words| !words.is_absent());
        (own.entrypoint, own.command) = (given_words("command"), given_words("args"));
        for mount in members(&field(given, &["volume_mount", "volumeMounts"])) {
            own.mounts.extend(self.mount(&mount, header));
            own.more_mounts = own.more_mounts.take().or_else(|| mount.reason());
        }
        own.more_mounts = own.more_mounts.take().or_else(|| self.open.reason());
        for variable in members(&given.get("env")) {
            if let Some(name) = variable.get("name").scalar() {
                own.environment.push((name.to_string(), variable.get("value")));
            }
        }
        if !field(given, &["env_from", "envFrom"]).is_absent() {
            own.more_environment = Some("`envFrom` may set more than the manifest shows".into());
        }
        Some(own)
    }

    fn mount(&self, mount: &Value, header: Loc) -> Option<Mount> {
        let target = field(mount, &["mount_path", "mountPath"]);
        if target.is_absent() {
            return None;
        }
        let loc = mount.origin.unwrap_or(header);
        let name = mount.get("name").scalar();
        let volume = name.and_then(|name| self.volumes.get(&*name));
        let (kind, source) = volume.cloned().unwrap_or((MountKind::Unknown, Value::absent()));
        let configuration = kind == MountKind::Unknown && source.equals(&Data::from("configuration")).is_true();
        (!configuration).then_some(Mount { target, source, kind, loc })
    }
}
