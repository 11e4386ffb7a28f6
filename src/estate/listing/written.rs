//! Inventories that Terraform writes: files whose content lists machines.

use super::{Ground, Listing, Listings, hole, marked};
use crate::estate::alias::Because;
use crate::model::ansible::{Roll, project_of};
use crate::model::terraform::Resource;
use crate::text::FileId;
use crate::value::Value;

/// Resources that write a file, with the arguments that hold its path and its content.
const WRITERS: [(&str, &str, &str); 3] = [
    ("local_file", "filename", "content"),
    ("local_sensitive_file", "filename", "content"),
    ("local_file", "filename", "sensitive_content"),
];

pub(super) fn list(ground: &Ground<'_, '_>, found: &mut Listings) {
    for resource in ground.terraform.resources() {
        for (_, path, content) in WRITERS.iter().filter(|(ty, ..)| *ty == resource.ty()) {
            let content = resource.arg(content);
            if !content.is_absent() {
                one(ground, &resource, &resource.arg(path), &content, found);
            }
        }
    }
}

/// Whether a path is one that inventories have.
pub(super) fn is_inventory_path(path: &str) -> bool {
    let path = path.to_lowercase();
    ["inventory", "inventories", "hosts"].iter().any(|word| path.contains(word))
        || ends(&path, &["ini"])
        || path.contains("ansible") && !path.contains("_vars") && !path.contains("vars")
}

/// Whether the file's name ends in one of these.
fn ends(path: &str, ends: &[&str]) -> bool {
    path.rsplit_once('.').is_some_and(|(_, end)| ends.contains(&end))
}

fn one(ground: &Ground<'_, '_>, resource: &Resource<'_, '_>, path: &Value, content: &Value, found: &mut Listings) {
    let (path, _) = marked(path);
    if !is_inventory_path(&path) && !resource.name().contains("inventory") {
        return;
    }
    let (text, holes) = marked(content);
    let root = &*resource.instance.root;
    let place = Ground::path_of(resource.instance, &path).filter(|path| !path.contains("hole"));
    let project = place.as_deref().map(|path| project_of(path).to_owned());
    let said = |text: &str| match hole(text, &holes) {
        Some(hole) => ground.awaiting(root, hole),
        None => ground.known(root, text),
    };
    enter((resource.loc().file, &path, &text), project.as_ref(), &said, found);
}

/// Enters the machines that a written text lists; `said` is the machine that a name or address means.
pub(super) fn enter(
    (file, path, text): (FileId, &str, &str),
    project: Option<&String>,
    said: &dyn Fn(&str) -> Option<usize>,
    found: &mut Listings,
) {
    let yaml = ends(path, &["yml", "yaml", "json"]);
    let Some(roll) = Roll::read(file, text, yaml) else { return };
    for entry in &roll.entries {
        let address = entry.address.as_deref().and_then(said);
        let Some(machine) = address.or_else(|| said(&entry.name)) else { continue };
        let name = Some(entry.name.clone()).filter(|name| !name.contains("hole"));
        let groups = entry.groups.iter().filter(|group| !group.contains("hole")).cloned().collect();
        let (because, project) = (Because::Written, project.cloned());
        found.add(Listing { machine, name, because, groups, project, playbook: None });
    }
}
