//! Releases of Helm, and the data of those whose chart is a data service.

use super::Drawing;
use crate::chart::{Datum, Deed, Object, Owner, Sort, Verdict};
use crate::diag::Confidence;
use crate::estate::release::{Persistence, Release, others};
use crate::source::folder;
use crate::text::Loc;

/// The word for what a release is.
pub(super) const KIND: &str = "helm-release";

/// Adds the releases that no resource of Terraform is.
pub(super) fn draw(drawing: &mut Drawing<'_, '_>) {
    let tree = drawing.estate.documents.tree;
    for release in others(drawing.estate).into_iter().filter(|release| !release.in_tests) {
        let path = tree.path(release.loc.file);
        let name = release.name.display();
        let owner = Owner {
            tool: release.tool,
            does: Deed::Makes,
            what: release.chart.scalar().map_or_else(|| name.clone(), |chart| format!("{name} ({chart})")),
            roles: Vec::new(),
            because: "it is declared here".to_owned(),
            confidence: Confidence::High,
            dormant: false,
            run: true,
            loc: release.loc,
        };
        drawing.add(Object {
            id: format!("helm:{path}:{name}"),
            name,
            sort: Sort::Container,
            kind: KIND.to_owned(),
            environment: folder(path).to_owned(),
            address: None,
            loc: release.loc,
            places: Vec::new(),
            addresses: Vec::new(),
            groups: Vec::new(),
            owners: vec![owner],
            identity: Vec::new(),
            storage: Vec::new(),
            data: data(&release).into_iter().collect(),
            guarded: None,
            verdict: Verdict::NoData,
        });
    }
}

/// What a release of a data service holds, and what becomes of it.
pub(super) fn data(release: &Release) -> Option<Datum> {
    let service = release.service()?;
    let chart = release.chart.as_str()?;
    let mut evidence: Vec<(Loc, String)> = vec![(release.loc, format!("the chart {chart} is {}", service.label))];
    let mut shown = |loc: Loc, what: &str| evidence.push((loc, what.to_owned()));
    let (storage, fate, because) = match &release.persistence {
        // What no distribution packages is an application, whose chart often keeps the most in a database elsewhere.
        Persistence::Off(loc) if service.packages.is_empty() => {
            shown(*loc, "its values switch persistence off");
            let because = "persistence is switched off, and nothing here says what it keeps in a database";
            (None, "depends", because.to_owned())
        }
        Persistence::Off(loc) => {
            shown(*loc, "its values switch persistence off");
            (Some("anonymous"), "destroyed", "persistence is switched off, so that it goes with its pod".to_owned())
        }
        Persistence::Claim(loc) => {
            shown(*loc, "its values ask for a claim");
            let because = "it lies in a claim of the release; what becomes of that with the release, the chart decides";
            (Some("managed"), "depends", because.to_owned())
        }
        Persistence::Existing(claim, loc) => {
            shown(*loc, "its values name a claim");
            (Some("managed"), "survives", format!("it lies in the claim {claim}, which is no part of the release"))
        }
        Persistence::Both => {
            let because = "its values switch persistence on for some parts and off for others";
            (None, "depends", because.to_owned())
        }
        Persistence::Silent => {
            (None, "depends", "its values say nothing of persistence, so that the chart decides".to_owned())
        }
        Persistence::Unknown(reason) => {
            (None, "depends", format!("what its values say of persistence is not known: {reason}"))
        }
    };
    Some(Datum {
        service: service.label.clone(),
        class: super::class(service.data),
        path: None,
        storage,
        fate,
        because,
        dormant: false,
        evidence,
    })
}
