//! Images that Packer builds, and the machines that start from them.

use super::Drawing;
use crate::chart::{Deed, Object, Owner, Sort, Verdict};
use crate::diag::Confidence;
use crate::source::file_name;
use crate::value::Value;

/// Arguments of machines that name the image they start from.
const BASES: [&str; 12] = [
    "clone",
    "clone.vm_id",
    "ostemplate",
    "operating_system.template_file_id",
    "template_file_id",
    "template",
    "image",
    "image_name",
    "ami",
    "source_image_id",
    "boot_disk.initialize_params.image",
    "source_image",
];

/// Adds every image that a template builds.
pub(super) fn draw(drawing: &mut Drawing<'_, '_>) {
    let estate = drawing.estate;
    for (template, source) in estate.packer.sources() {
        let artefact = source.artefact();
        let name = artefact.scalar().map_or_else(|| source.address.clone(), |name| name.to_string());
        let owner = Owner {
            tool: "packer",
            does: Deed::Makes,
            what: source.address.clone(),
            roles: Vec::new(),
            because: "Packer builds it".to_owned(),
            confidence: Confidence::High,
            dormant: false,
            loc: source.loc,
        };
        let image = drawing.add(Object {
            id: format!("packer:{}:{}", template.folder, source.address),
            name,
            sort: Sort::Image,
            kind: source.builder.to_string(),
            environment: template.folder.to_owned(),
            address: None,
            loc: source.loc,
            addresses: Vec::new(),
            groups: Vec::new(),
            owners: vec![owner],
            identity: Vec::new(),
            storage: Vec::new(),
            data: Vec::new(),
            guarded: None,
            verdict: Verdict::NoData,
        });
        let Some(artefact) = artefact.scalar() else { continue };
        for at in 0..drawing.objects.len() {
            let address = drawing.objects[at].address.clone();
            let machine = estate.machines.iter().find(|machine| Some(&machine.address) == address.as_ref());
            if machine.is_some_and(|machine| BASES.iter().any(|base| is_base(&machine.resource.arg(base), &artefact))) {
                drawing.link(at, image, "made-from");
            }
        }
    }
}

/// Whether an argument names the artefact, by its name or by a file of it in a store.
fn is_base(value: &Value, artefact: &str) -> bool {
    value.scalar().is_some_and(|text| {
        let file = file_name(text.rsplit(':').next().unwrap_or(&text));
        *text == *artefact || file == artefact || file.split_once(".tar").is_some_and(|(stem, _)| stem == artefact)
    })
}
