//! Hosts, groups and playbooks that are resources of Terraform's provider for Ansible.

use super::{Ground, Listing, Listings};
use crate::estate::alias::Because;
use crate::model::ansible::project_of;
use crate::model::terraform::Resource;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn list(ground: &Ground<'_, '_>, found: &mut Listings) {
    let mut parents: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let own: Vec<Resource<'_, '_>> =
        ground.terraform.resources().filter(|resource| resource.ty().starts_with("ansible_")).collect();
    for group in own.iter().filter(|resource| resource.ty() == "ansible_group") {
        let Some(name) = group.arg("name").scalar() else { continue };
        for child in texts(&group.arg("children")) {
            let key = (group.instance.root.to_string(), child);
            parents.entry(key).or_default().insert(name.to_string());
        }
    }
    for resource in &own {
        match resource.ty() {
            "ansible_host" => host(ground, resource, &parents, found),
            "ansible_playbook" => playbook(ground, resource, found),
            _ => {}
        }
    }
}

fn texts(value: &Value) -> Vec<String> {
    let list = value.as_list().map(|list| list.items.as_slice()).unwrap_or_default();
    list.iter().filter_map(|item| item.scalar().map(|text| text.to_string())).collect()
}

/// The machine of a host: by its name, else by the address in its variables.
fn machine(ground: &Ground<'_, '_>, resource: &Resource<'_, '_>) -> Option<usize> {
    let root = &*resource.instance.root;
    let variables = ["variables", "extra_vars"].map(|name| resource.arg(name));
    let given = variables.iter().flat_map(|map| ["ansible_host", "ansible_ssh_host"].map(|name| map.get(name)));
    std::iter::once(resource.arg("name")).chain(given).find_map(|value| ground.named(root, &value))
}

fn host(
    ground: &Ground<'_, '_>,
    resource: &Resource<'_, '_>,
    parents: &BTreeMap<(String, String), BTreeSet<String>>,
    found: &mut Listings,
) {
    let Some(machine) = machine(ground, resource) else { return };
    let root = resource.instance.root.to_string();
    let mut groups: BTreeSet<String> = BTreeSet::new();
    let mut open = texts(&resource.arg("groups"));
    while let Some(group) = open.pop() {
        if groups.insert(group.clone()) {
            open.extend(parents.get(&(root.clone(), group)).into_iter().flatten().cloned());
        }
    }
    let name = resource.arg("name").scalar().map(|name| name.to_string());
    let Some(projects) = projects(ground, &root) else { return };
    for project in projects {
        let (name, groups) = (name.clone(), groups.clone());
        found.add(Listing { machine, name, because: Because::Provided, groups, project, playbook: None });
    }
}

/// The projects that read a root's hosts: those of the plugin's files that name it; without any plugin's file, whoever asks. None:
/// the plugin's files all name other roots.
fn projects(ground: &Ground<'_, '_>, root: &str) -> Option<Vec<Option<String>>> {
    let inventory = &ground.ansible.inventory;
    let files: Vec<_> = inventory
        .plugins
        .iter()
        .filter(|(_, name)| name.ends_with("terraform_provider"))
        .map(|(file, _)| *file)
        .collect();
    if files.is_empty() {
        return Some(vec![None]);
    }
    let reads = |file: &&crate::text::FileId| {
        let path = ground.documents.document(**file).and_then(|document| document.yaml()?.root()?.get("project_path"));
        let Some(path) = path else { return true };
        let named: Vec<&str> =
            path.as_str().into_iter().chain(path.items().filter_map(crate::syntax::yaml::Node::as_str)).collect();
        named.iter().any(|path| {
            let end = path.trim_start_matches(['.', '/']).trim_end_matches('/');
            path.contains("{{") || end.is_empty() || root == end || root.ends_with(&format!("/{end}"))
        })
    };
    let project = |file: &crate::text::FileId| Some(project_of(ground.documents.tree.path(*file)).to_owned());
    let found: Vec<Option<String>> = files.iter().filter(reads).map(project).collect();
    (!found.is_empty()).then_some(found)
}

fn playbook(ground: &Ground<'_, '_>, resource: &Resource<'_, '_>, found: &mut Listings) {
    let Some(path) = resource.arg("playbook").scalar() else { return };
    let Some(path) = Ground::path_of(resource.instance, &path) else { return };
    let Some(file) = ground.documents.tree.find(&path) else { return };
    let run = ground.ansible.and_imported(&BTreeSet::from([file]));
    if let Some(machine) = machine(ground, resource) {
        let name = resource.arg("name").scalar().map(|name| name.to_string());
        let groups: BTreeSet<String> = texts(&resource.arg("groups")).into_iter().collect();
        for file in &run {
            let (name, groups) = (name.clone(), groups.clone());
            let because = Because::Handed;
            found.add(Listing { machine, name, because, groups, project: None, playbook: Some(*file) });
        }
    }
    found.run.extend(run);
}
