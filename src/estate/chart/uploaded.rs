//! Compose files that a provisioner of Terraform uploads to a machine.

use super::Drawing;
use crate::estate::container::Declared;
use crate::estate::listing::Ground;
use crate::model::terraform::When;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Container → the objects of the machines to which its compose file is uploaded.
pub(super) fn hosts(drawing: &Drawing<'_, '_>) -> HashMap<usize, BTreeSet<usize>> {
    let mut found: HashMap<usize, BTreeSet<usize>> = HashMap::new();
    let uploads = uploads(drawing);
    if uploads.is_empty() {
        return found;
    }
    let estate = drawing.estate;
    let composed = |at: &usize| matches!(estate.containers[*at].declared, Declared::Compose | Declared::Text);
    for at in (0..estate.containers.len()).filter(composed) {
        let path = estate.documents.tree.path(estate.containers[at].declaration.file);
        // The file itself, or a folder that holds it.
        let above = path.match_indices('/').map(|(end, _)| &path[..end]).chain([path]);
        for objects in above.filter_map(|one| uploads.get(one)) {
            found.entry(at).or_default().extend(objects);
        }
    }
    found
}

/// Path in the repository → the machines to which it is uploaded, as objects.
fn uploads(drawing: &Drawing<'_, '_>) -> BTreeMap<String, BTreeSet<usize>> {
    let estate = drawing.estate;
    let ground = Ground::new(estate.documents, estate.terraform, estate.ansible, &estate.machines);
    let objects: HashMap<usize, usize> = drawing.machines.iter().map(|(object, machine)| (*machine, *object)).collect();
    let mut found: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for resource in estate.terraform.resources() {
        let files = resource.provisioners().into_iter().filter(|one| one.kind == "file" && one.when != When::Destroy);
        for provisioner in files {
            let source: Value = provisioner.block.arg("source");
            let root = &resource.instance.root;
            let own = ground.at(root, &resource.address());
            let machine = own.or_else(|| ground.named(root, &provisioner.host()));
            let (Some(object), Some(source)) = (machine.and_then(|at| objects.get(&at)), source.as_str()) else {
                continue;
            };
            let path = Ground::path_of(resource.instance, source).filter(|path| !path.is_empty());
            if let Some(path) = path {
                found.entry(path).or_default().insert(*object);
            }
        }
    }
    found
}
