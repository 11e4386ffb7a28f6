//! Images that Packer builds, and the machines that start from them.

use super::Drawing;
use super::machine::id as machine_id;
use crate::chart::{Deed, Object, Owner, Sort, Verdict};
use crate::diag::Confidence;
use crate::estate::started;

/// Adds every image that a template builds.
pub(super) fn draw(drawing: &mut Drawing<'_, '_>) {
    let estate = drawing.estate;
    let starts = started::starts(estate);
    let templates = estate.packer.templates.iter().enumerate();
    let sources = templates.flat_map(|(of, template)| {
        template.sources.iter().enumerate().map(move |(position, source)| (of, position, template, source))
    });
    for (of, position, template, source) in sources {
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
            run: true,
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
            places: Vec::new(),
            addresses: Vec::new(),
            groups: Vec::new(),
            owners: vec![owner],
            identity: Vec::new(),
            storage: Vec::new(),
            data: Vec::new(),
            guarded: None,
            verdict: Verdict::NoData,
        });
        for start in starts.iter().filter(|start| (start.template, start.source) == (of, position)) {
            let id = estate.machines.get(start.machine).map(|machine| machine_id(machine));
            let at = id.and_then(|id| drawing.objects.iter().position(|object| object.id == id));
            if let Some(at) = at {
                drawing.link(at, image, "made-from");
            }
        }
    }
}
