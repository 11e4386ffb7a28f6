//! Objects of Kubernetes that the repository declares, in manifests, in Terraform and in tasks, read alike.

use super::Estate;
use super::container::members;
use super::data;
use super::task::is_test_path;
use crate::model::ansible::Rendered;
use crate::model::kind::Kind;
use crate::model::load::Documents;
use crate::model::terraform::{Resource, Terraform};
use crate::syntax::yaml::{Node, Yaml};
use crate::text::{Loc, Span};
use crate::value::Value;
use std::collections::HashSet;

/// Objects of one text that are looked at.
const MAX_OBJECTS: usize = 1_000;

/// An object of Kubernetes.
pub struct Object {
    /// `Deployment`, `StorageClass`…
    pub kind: &'static str,
    /// Its name, as far as known.
    pub name: Value,
    /// All of it; members are named as the API names them (`claimName`), or as Terraform does (`claim_name`).
    pub body: Value,
    /// Where it is declared.
    pub loc: Loc,
    /// The address in Terraform.
    pub address: Option<String>,
    /// It stands among tests.
    pub in_tests: bool,
}

impl Object {
    fn new(kind: &'static str, body: Value, loc: Loc, in_tests: bool) -> Self {
        Self { kind, name: at(&body, &["metadata", "name"]), body, loc, address: None, in_tests }
    }
}

/// What becomes of volumes when nobody claims them any more.
pub struct Reclaim {
    /// `StorageClass`, `PersistentVolume` or `StatefulSet`.
    pub kind: &'static str,
    /// The object's name.
    pub name: String,
    /// The argument, as the object's tool names it.
    pub argument: &'static str,
    /// Its value; absent when the default holds.
    pub policy: Value,
    /// A data service is seen to keep its data there.
    pub used_by: Option<String>,
    /// Where the policy stands, else the object.
    pub loc: Loc,
    /// The address in Terraform.
    pub address: Option<String>,
    /// It stands among tests.
    pub in_tests: bool,
}

/// A member by its name in Terraform, whichever way the object names it; of blocks the first.
#[must_use]
pub fn member(value: &Value, name: &str) -> Value {
    let first = value.as_list().and_then(|list| list.items.first()).unwrap_or(value);
    let own = first.get(name);
    if !own.is_absent() {
        return own;
    }
    let mut camel = String::new();
    for (at, part) in name.split('_').enumerate() {
        let mut letters = part.chars();
        match letters.next().filter(|_| at > 0) {
            Some(letter) => camel.extend(letter.to_uppercase().chain(letters)),
            None => camel.push_str(part),
        }
    }
    first.get(&camel)
}

/// A member below others.
#[must_use]
pub fn at(value: &Value, path: &[&str]) -> Value {
    path.iter().fold(value.clone(), |value, name| member(&value, name))
}

/// Every object of files and of Terraform, in this order. What tasks apply is asked of each task (`of_text`, `of_value`).
#[must_use]
pub fn objects<'m>(documents: &Documents<'_>, terraform: &'m Terraform<'m>) -> Vec<Object> {
    let mut found = Vec::new();
    for document in documents.of(&[Kind::Manifest]) {
        let in_tests = is_test_path(documents.tree.path(document.file));
        let place = |span: Span| Loc { file: document.file, span };
        found.extend(document.yaml().into_iter().flat_map(|yaml| of_yaml(yaml, &place, in_tests)));
    }
    let mut seen: HashSet<Loc> = found.iter().map(|object: &Object| object.loc).collect();
    for resource in terraform.resources() {
        let in_tests = is_test_path(documents.tree.path(resource.loc().file));
        found.extend(of_resource(&resource, in_tests).into_iter().filter(|object| seen.insert(object.loc)));
    }
    found
}

/// The objects of a text of manifests; what is not known of it is unknown in them.
#[must_use]
pub fn of_text(rendered: &Rendered, in_tests: bool) -> Vec<Object> {
    let text = &rendered.text.text;
    if !text.contains("apiVersion") {
        return Vec::new();
    }
    let place = |span: Span| Loc { file: rendered.file, span: rendered.text.span(span) };
    of_yaml(&Yaml::parse(text), &place, in_tests)
}

/// The objects that a value is: one, a `List`, or a list of them.
#[must_use]
pub fn of_value(value: &Value, loc: Loc, in_tests: bool) -> Vec<Object> {
    let listed = members(value);
    let inner = |one: &Value| {
        let list = one.get("kind").as_str() == Some("List");
        if list { members(&one.get("items")) } else { vec![one.clone()] }
    };
    let object = |body: Value| {
        let kind = known_kind(body.get("kind").as_str()?)?;
        let loc = body.origin.unwrap_or(loc);
        Some(Object::new(kind, body, loc, in_tests))
    };
    listed.iter().flat_map(inner).filter_map(object).take(MAX_OBJECTS).collect()
}

fn of_yaml(yaml: &Yaml, place: &dyn Fn(Span) -> Loc, in_tests: bool) -> Vec<Object> {
    let roots = yaml.documents().flat_map(|root| {
        let listed = root.get("kind").and_then(Node::as_str) == Some("List");
        if listed { root.get("items").into_iter().flat_map(Node::items).collect() } else { vec![root] }
    });
    roots.filter_map(|root| of_node(root, place, in_tests)).take(MAX_OBJECTS).collect()
}

fn of_node(root: Node<'_>, place: &dyn Fn(Span) -> Loc, in_tests: bool) -> Option<Object> {
    let (key, named) = root.entry("kind")?;
    let kind = known_kind(named.as_str()?)?;
    root.get("apiVersion")?;
    Some(Object::new(kind, data::of_node(root, place), place(key.span().to(named.span())), in_tests))
}

/// Types of Terraform, without `kubernetes_` and the version, and the kinds that they make.
const KINDS: [(&str, &str); 15] = [
    ("deployment", "Deployment"),
    ("stateful_set", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("daemon_set", "DaemonSet"),
    ("replica_set", "ReplicaSet"),
    ("replication_controller", "ReplicationController"),
    ("pod", "Pod"),
    ("job", "Job"),
    ("cron_job", "CronJob"),
    ("storage_class", "StorageClass"),
    ("persistent_volume", "PersistentVolume"),
    ("persistent_volume_claim", "PersistentVolumeClaim"),
    ("terraform", "Terraform"),
    ("helm_release", "HelmRelease"),
    ("oci_repository", "OCIRepository"),
];

/// The kind of that name that is looked at.
fn known_kind(name: &str) -> Option<&'static str> {
    KINDS.iter().map(|(_, kind)| *kind).find(|kind| *kind == name)
}

fn of_resource(resource: &Resource<'_, '_>, in_tests: bool) -> Vec<Object> {
    let (loc, address) = (resource.loc(), Some(resource.address()));
    // Its maps come from anywhere, a decoded file included; the resource is what declares it.
    let of_manifest = |manifest: &Value| -> Vec<Object> {
        let address = resource.address();
        let own = of_value(manifest, loc, in_tests).into_iter();
        own.map(|object| Object { loc, address: Some(address.clone()), ..object }).collect()
    };
    let mut own = match resource.ty() {
        "kubernetes_manifest" => of_manifest(&resource.arg("manifest")),
        "kubectl_manifest" => {
            if let Some(manifest) = resource.encoded("yaml_body") {
                return of_manifest(&manifest);
            }
            let text = resource.mapped("yaml_body");
            text.map(|text| of_text(&Rendered::verbatim(text.text, text.file), in_tests)).unwrap_or_default()
        }
        ty => {
            let Some(short) = ty.strip_prefix("kubernetes_") else { return Vec::new() };
            let bare = short.strip_suffix("_v1").or_else(|| short.strip_suffix("_v1beta1")).unwrap_or(short);
            let Some((_, kind)) = KINDS.iter().find(|(ty, _)| *ty == bare) else { return Vec::new() };
            vec![Object::new(kind, resource.view().to_value(), loc, in_tests)]
        }
    };
    for object in &mut own {
        object.address.clone_from(&address);
    }
    own
}

/// Every policy by which volumes go with their claims, with what keeps data there.
#[must_use]
pub fn reclaims(estate: &Estate<'_>) -> Vec<Reclaim> {
    estate.cluster.iter().flat_map(|object| reclaims_of(estate, object)).collect()
}

fn reclaims_of(estate: &Estate<'_>, object: &Object) -> Vec<Reclaim> {
    let reclaim = |kind, argument, policy: Value, used_by| Reclaim {
        kind,
        name: object.name.display(),
        argument,
        loc: policy.origin.unwrap_or(object.loc),
        policy,
        used_by,
        address: object.address.clone(),
        in_tests: object.in_tests,
    };
    let terraform = object.address.is_some() && object.body.get("apiVersion").is_absent();
    match object.kind {
        "StorageClass" => {
            let argument = if terraform { "reclaim_policy" } else { "reclaimPolicy" };
            let policy = member(&object.body, "reclaim_policy");
            vec![reclaim("StorageClass", argument, policy, user_of_class(estate, object))]
        }
        "PersistentVolume" => {
            let argument = if terraform { "persistent_volume_reclaim_policy" } else { "persistentVolumeReclaimPolicy" };
            let policy = at(&object.body, &["spec", "persistent_volume_reclaim_policy"]);
            let claim = at(&object.body, &["spec", "claim_ref", "name"]);
            vec![reclaim("PersistentVolume", argument, policy, user_of_claim(estate, &claim))]
        }
        "StatefulSet" => {
            let policies = at(&object.body, &["spec", "persistent_volume_claim_retention_policy"]);
            let mut users = estate.containers.iter().filter(|container| container.owner == Some(object.loc));
            let user = users.find_map(keeps_data);
            let each = [("when_deleted", "whenDeleted"), ("when_scaled", "whenScaled")];
            let given = each
                .into_iter()
                .map(|(snake, camel)| (if terraform { snake } else { camel }, member(&policies, snake)));
            given
                .filter(|(_, policy)| !policy.is_absent())
                .map(|(argument, policy)| reclaim("StatefulSet", argument, policy, user.clone()))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The data service in a container, if it holds what cannot be made again.
fn keeps_data(container: &super::container::Container) -> Option<String> {
    let service = container.service()?;
    let lasting = matches!(container.data().as_str(), Some("authoritative" | "secret" | "queue"));
    lasting.then(|| service.label.clone())
}

/// A data service that mounts a claim.
fn user_of_claim(estate: &Estate<'_>, claim: &Value) -> Option<String> {
    let claim = claim.scalar()?;
    let mounts = |container: &&super::container::Container| {
        container.owner.is_some()
            && container.mounts.iter().any(|mount| mount.source.scalar().is_some_and(|name| name == claim))
    };
    estate.containers.iter().filter(mounts).find_map(keeps_data)
}

/// A data service whose claims name a storage class.
fn user_of_class(estate: &Estate<'_>, class: &Object) -> Option<String> {
    let name = class.name.scalar()?;
    let is_class = |spec: &Value| member(spec, "storage_class_name").scalar().is_some_and(|own| own == name);
    let claims = estate.cluster.iter().filter(|object| object.kind == "PersistentVolumeClaim");
    let of_claim = claims
        .filter(|object| is_class(&member(&object.body, "spec")))
        .find_map(|object| user_of_claim(estate, &object.name));
    of_claim.or_else(|| {
        let sets = estate.cluster.iter().filter(|object| object.kind == "StatefulSet");
        let of_class =
            sets.filter(|object| claim_templates(object).iter().any(|template| is_class(&member(template, "spec"))));
        of_class.into_iter().find_map(|set| {
            estate.containers.iter().filter(|container| container.owner == Some(set.loc)).find_map(keeps_data)
        })
    })
}

/// The claims that a set makes for each of its members.
#[must_use]
pub fn claim_templates(object: &Object) -> Vec<Value> {
    let spec = member(&object.body, "spec");
    let own = member(&spec, "volume_claim_template");
    members(&if own.is_absent() { member(&spec, "volume_claim_templates") } else { own })
}
