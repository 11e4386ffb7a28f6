//! Outputs that are inventories by convention: maps from the name of a host to what its machine is, read by a script of the inventory.

use super::{Ground, Listing, Listings};
use crate::estate::alias::Because;
use crate::model::ansible::project_of;
use crate::text::FileId;
use crate::value::{Data, Value};
use std::collections::BTreeSet;

/// Texts of an output that are looked at.
const MAX_TEXTS: usize = 2_000;

pub(super) fn list(ground: &Ground<'_, '_>, found: &mut Listings) {
    let projects = readers(ground);
    if projects.is_empty() {
        return;
    }
    for top in ground.terraform.tops() {
        for declared in &top.module.outputs {
            let name = declared.label(0);
            let value = ground.terraform.output(top, name);
            let mut left = MAX_TEXTS;
            map(ground, &top.root, &value, &projects, 0, &mut left, found);
        }
    }
}

/// The projects whose inventory is a script that reads what Terraform made.
fn readers(ground: &Ground<'_, '_>) -> BTreeSet<String> {
    let path = |file: &FileId| project_of(ground.documents.tree.path(*file)).to_owned();
    state_scripts(ground).iter().map(path).collect()
}

/// The scripts of inventories that read what Terraform made, each once.
pub(super) fn state_scripts(ground: &Ground<'_, '_>) -> Vec<FileId> {
    let tree = ground.documents.tree;
    let merged = ground.ansible.inventory.merged.iter();
    let invoked = ground.ansible.invocations().flat_map(|(_, ways)| ways);
    let invoked = invoked.filter_map(|way| ground.ansible.inventory_of(way));
    let scripts = merged.chain(invoked).flat_map(|merged| &merged.unread).filter(|unread| unread.dynamic);
    let reads = |file: &FileId| {
        let text = tree.file(*file).text().map(|text| text.text.to_lowercase()).unwrap_or_default();
        let names = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let asks = names(&["terraform", "tofu"]) && names(&["output", "state", "terraform-inventory"]);
        text.starts_with("#!") && (asks || text.contains("tfstate"))
    };
    let each: BTreeSet<FileId> = scripts.map(|unread| unread.file).collect();
    each.into_iter().filter(reads).collect()
}

/// The members of a map that are machines, by their keys.
fn map(
    ground: &Ground<'_, '_>,
    root: &str,
    value: &Value,
    projects: &BTreeSet<String>,
    depth: usize,
    left: &mut usize,
    found: &mut Listings,
) {
    let Some(map_) = value.as_map().filter(|_| depth < 3) else { return };
    for (key, member) in &map_.entries {
        let mut machines = BTreeSet::new();
        of(ground, root, member, 0, left, &mut machines);
        match (machines.len(), machines.first()) {
            (1, Some(machine)) if is_host_name(key) => {
                for project in projects {
                    let (name, project) = (Some(key.to_string()), Some(project.clone()));
                    let groups = BTreeSet::new();
                    let (machine, because) = (*machine, Because::Output);
                    found.add(Listing { machine, name, because, groups, project, playbook: None });
                }
            }
            (0 | 1, _) => {}
            _ => map(ground, root, member, projects, depth + 1, left, found),
        }
    }
}

/// Whether a key is more likely a host than one of its attributes.
fn is_host_name(key: &str) -> bool {
    const ATTRIBUTES: [&str; 12] =
        ["ip", "id", "name", "host", "hostname", "address", "vmid", "node", "ipv4", "ipv6", "url", "value"];
    !ATTRIBUTES.contains(&key) && !key.ends_with("_ip") && !key.ends_with("_id") && !key.contains(' ')
}

fn of(ground: &Ground<'_, '_>, root: &str, value: &Value, depth: usize, left: &mut usize, found: &mut BTreeSet<usize>) {
    if depth > 3 || *left == 0 {
        return;
    }
    *left -= 1;
    match value.data() {
        Some(Data::Map(map)) => map.entries.iter().for_each(|(_, one)| of(ground, root, one, depth + 1, left, found)),
        Some(Data::List(list)) => list.items.iter().for_each(|one| of(ground, root, one, depth + 1, left, found)),
        _ => found.extend(ground.named(root, value)),
    }
}
