//! Objects of Kubernetes that the repository declares, in manifests and in Terraform, read alike.

use super::Estate;
use super::task::is_test_path;
use crate::model::kind::Kind;
use crate::model::load::Documents;
use crate::model::terraform::{Resource, Terraform};
use crate::syntax::yaml::{Node, Scalar, Yaml};
use crate::text::{FileId, Loc};
use crate::value::Value;
use std::collections::HashSet;
use std::sync::Arc;

/// Deeper members of a manifest are not read.
const MAX_DEPTH: usize = 24;
/// Members of one manifest that are read.
const MAX_NODES: usize = 20_000;

/// An object of Kubernetes.
pub struct Object {
    /// `Deployment`, `StorageClass`…
    pub kind: String,
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

/// The members of a list (blocks are one), or the only value.
#[must_use]
pub fn members(value: &Value) -> Vec<Value> {
    match value.as_list() {
        Some(list) => list.items.clone(),
        None if value.is_absent() => Vec::new(),
        None => vec![value.clone()],
    }
}

/// Every object, in order of files and then of Terraform.
#[must_use]
pub fn objects<'m>(documents: &Documents<'_>, terraform: &'m Terraform<'m>) -> Vec<Object> {
    let mut found = Vec::new();
    for document in documents.of(&[Kind::Manifest]) {
        let in_tests = is_test_path(documents.tree.path(document.file));
        for root in document.yaml().into_iter().flat_map(Yaml::documents) {
            let listed = root.get("kind").and_then(Node::as_str) == Some("List");
            let roots: Vec<Node<'_>> =
                if listed { root.get("items").into_iter().flat_map(Node::items).collect() } else { vec![root] };
            found.extend(roots.into_iter().filter_map(|root| of_node(root, document.file, in_tests)));
        }
    }
    let mut seen: HashSet<Loc> = HashSet::new();
    for resource in terraform.resources().filter(|resource| resource.ty().starts_with("kubernetes_")) {
        let in_tests = is_test_path(documents.tree.path(resource.loc().file));
        if let Some(object) = of_resource(&resource, in_tests)
            && seen.insert(object.loc)
        {
            found.push(object);
        }
    }
    found
}

fn of_node(root: Node<'_>, file: FileId, in_tests: bool) -> Option<Object> {
    let kind = root.get("kind").and_then(Node::as_str)?;
    root.get("apiVersion")?;
    if !KINDS.iter().any(|(_, known)| *known == kind) {
        return None;
    }
    let (key, _) = root.entry("kind")?;
    let mut left = MAX_NODES;
    let body = value(root, file, 0, &mut left);
    Some(Object {
        kind: kind.to_owned(),
        name: at(&body, &["metadata", "name"]),
        loc: Loc { file, span: key.span().to(root.get("kind").map_or_else(|| key.span(), Node::span)) },
        body,
        address: None,
        in_tests,
    })
}

/// Types of Terraform, without `kubernetes_` and the version, and the kinds that they make.
const KINDS: [(&str, &str); 11] = [
    ("deployment", "Deployment"),
    ("stateful_set", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("daemon_set", "DaemonSet"),
    ("replication_controller", "ReplicationController"),
    ("pod", "Pod"),
    ("job", "Job"),
    ("cron_job", "CronJob"),
    ("storage_class", "StorageClass"),
    ("persistent_volume", "PersistentVolume"),
    ("persistent_volume_claim", "PersistentVolumeClaim"),
];

fn of_resource(resource: &Resource<'_, '_>, in_tests: bool) -> Option<Object> {
    let (loc, address) = (resource.loc(), Some(resource.address()));
    if resource.ty() == "kubernetes_manifest" {
        let body = resource.arg("manifest");
        let kind = body.get("kind").scalar()?.to_string();
        let known = KINDS.iter().any(|(_, known)| *known == kind);
        let name = at(&body, &["metadata", "name"]);
        return known.then_some(Object { kind, name, body, loc, address, in_tests });
    }
    let short = resource.ty().trim_start_matches("kubernetes_");
    let bare = short.strip_suffix("_v1").or_else(|| short.strip_suffix("_v1beta1")).unwrap_or(short);
    let (_, kind) = KINDS.iter().find(|(ty, _)| *ty == bare)?;
    let body = resource.view().to_value();
    let name = at(&body, &["metadata", "name"]);
    Some(Object { kind: (*kind).to_owned(), name, body, loc, address, in_tests })
}

/// A node of a manifest as a value, with its places.
fn value(node: Node<'_>, file: FileId, depth: usize, left: &mut usize) -> Value {
    *left = left.saturating_sub(1);
    if *left == 0 || depth > MAX_DEPTH {
        return Value::unknown("the manifest is too large to look at");
    }
    let loc = Loc { file, span: node.span() };
    let whole = if node.is_map() {
        let entries = node.entries().into_iter().filter_map(|(key, member)| {
            let name: Arc<str> = key.as_str()?.into();
            Some((name, value(member, file, depth + 1, left)))
        });
        let entries = entries.collect();
        Value::map(entries)
    } else if node.is_seq() {
        let items = node.items().map(|item| value(item, file, depth + 1, left)).collect();
        Value::list(items)
    } else {
        scalar(node)
    };
    whole.at(loc)
}

fn scalar(node: Node<'_>) -> Value {
    match node.resolve() {
        _ if node.as_str().is_some_and(|text| text.contains("{{") || text.contains("${")) => {
            Value::unknown("it is filled in when the manifest is applied")
        }
        Scalar::Null => Value::absent(),
        Scalar::Bool(truth) => Value::known(truth),
        Scalar::Number(number) => Value::known(number),
        Scalar::Str => node.as_str().map_or_else(Value::absent, Value::known),
    }
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
    match object.kind.as_str() {
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
