//! Compose files that a provisioner of Terraform uploads to a machine.

use super::Estate;
use super::container::{Container, Declared};
use super::listing::Ground;
use crate::model::terraform::When;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Container → the machines to which its compose file is uploaded, all by index.
pub(super) fn uploaded(estate: &Estate<'_>, containers: &[Container]) -> Vec<(usize, BTreeSet<usize>)> {
    let mut found = Vec::new();
    let uploads = uploads(estate);
    if uploads.is_empty() {
        return found;
    }
    let composed = |own: &Container| matches!(own.declared, Declared::Compose | Declared::Text);
    for (at, container) in containers.iter().enumerate().filter(|(_, own)| composed(own)) {
        let path = estate.documents.tree.path(container.declaration.file);
        // The file itself, or a folder that holds it.
        let above = path.match_indices('/').map(|(end, _)| &path[..end]).chain([path]);
        let machines: BTreeSet<usize> = above.filter_map(|one| uploads.get(one)).flatten().copied().collect();
        if !machines.is_empty() {
            found.push((at, machines));
        }
    }
    found
}

/// Path in the repository → the machines to which it is uploaded.
fn uploads(estate: &Estate<'_>) -> BTreeMap<String, BTreeSet<usize>> {
    let ground = Ground::new(estate.documents, estate.terraform, estate.ansible, &estate.machines);
    let mut found: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for resource in estate.terraform.resources() {
        let files = resource.provisioners().into_iter().filter(|one| one.kind == "file" && one.when != When::Destroy);
        for provisioner in files {
            let source: Value = provisioner.block.arg("source");
            let (Some(machine), Some(source)) = (ground.set_up_by(&resource, &provisioner), source.as_str()) else {
                continue;
            };
            let path = Ground::path_of(resource.instance, source).filter(|path| !path.is_empty());
            if let Some(path) = path {
                found.entry(path).or_default().insert(machine);
            }
        }
    }
    found
}
