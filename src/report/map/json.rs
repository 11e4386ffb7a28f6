//! The map as JSON, schema version 1. These structs are the contract: change them only by adding.

use super::{Atlas, place};
use crate::chart::{Datum, Object, Owner, Sort, Statement, Storage, Verdict};
use crate::diag::Finding;
use crate::source::Tree;
use crate::text::Loc;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    tool: Tool<'a>,
    /// The name of the project's folder.
    project: &'a str,
    summary: Summary,
    legend: Vec<Entry>,
    objects: Vec<Item<'a>>,
    links: Vec<Link<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct Summary {
    hosts: usize,
    containers: usize,
    stores: usize,
    images: usize,
    verdicts: BTreeMap<&'static str, usize>,
}

/// A verdict and what it means; the worst first.
#[derive(Serialize)]
struct Entry {
    verdict: &'static str,
    meaning: &'static str,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    name: &'a str,
    sort: &'static str,
    kind: &'a str,
    environment: &'a str,
    address: Option<&'a str>,
    place: Place<'a>,
    addresses: &'a [String],
    groups: &'a [String],
    owners: Vec<Holder<'a>>,
    identity: Vec<Said<'a>>,
    storage: Vec<Disk<'a>>,
    data: Vec<Kept<'a>>,
    /// What only plays would bring that nothing runs, while another play applies the same role.
    dormant: Vec<Kept<'a>>,
    guarded: Option<bool>,
    verdict: &'static str,
    findings: Vec<Short<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    path: &'a str,
    line: u32,
}

impl<'a> Place<'a> {
    fn of(tree: &'a Tree, loc: Loc) -> Self {
        let place = place(tree, loc);
        Self { path: place.path, line: place.start.line }
    }
}

#[derive(Serialize)]
struct Holder<'a> {
    tool: &'static str,
    does: &'static str,
    what: &'a str,
    roles: &'a [String],
    because: &'a str,
    confidence: &'static str,
    dormant: bool,
    run: bool,
    place: Place<'a>,
}

#[derive(Serialize)]
struct Said<'a> {
    attribute: &'static str,
    value: &'a str,
    variable: &'a str,
    agrees: bool,
    place: Place<'a>,
}

#[derive(Serialize)]
struct Disk<'a> {
    path: Option<&'a str>,
    kind: &'static str,
    fate: &'static str,
    place: Place<'a>,
}

#[derive(Serialize)]
struct Kept<'a> {
    service: &'a str,
    class: &'static str,
    path: Option<&'a str>,
    storage: Option<&'static str>,
    fate: &'static str,
    because: &'a str,
    evidence: Vec<Seen<'a>>,
}

#[derive(Serialize)]
struct Seen<'a> {
    message: &'a str,
    place: Place<'a>,
}

#[derive(Serialize)]
struct Short<'a> {
    rule: &'a str,
    severity: &'static str,
    message: &'a str,
    place: Place<'a>,
}

#[derive(Serialize)]
struct Link<'a> {
    from: &'a str,
    to: &'a str,
    kind: &'static str,
}

fn document<'a>(atlas: &Atlas<'a>) -> Document<'a> {
    let objects = &atlas.chart.objects;
    let count = |sort: Sort| objects.iter().filter(|object| object.sort == sort).count();
    let summary = Summary {
        hosts: count(Sort::Host),
        containers: count(Sort::Container),
        stores: count(Sort::Store),
        images: count(Sort::Image),
        verdicts: atlas.verdicts().into_iter().map(|(verdict, count)| (verdict.as_str(), count)).collect(),
    };
    let findings = atlas.findings();
    let links = atlas.chart.links.iter();
    Document {
        schema: SCHEMA,
        tool: Tool { name: "stateward", version: atlas.tool_version },
        project: atlas.project,
        summary,
        legend: Verdict::ALL.map(|it| Entry { verdict: it.as_str(), meaning: it.meaning() }).into(),
        objects: objects.iter().zip(findings).map(|(object, own)| item(atlas.tree, object, &own)).collect(),
        links: links.map(|link| Link { from: &link.from, to: &link.to, kind: link.kind }).collect(),
    }
}

fn item<'a>(tree: &'a Tree, object: &'a Object, findings: &[&'a Finding]) -> Item<'a> {
    let finding = |finding: &&'a Finding| Short {
        rule: &finding.rule,
        severity: finding.severity.as_str(),
        message: &finding.message,
        place: Place::of(tree, finding.loc),
    };
    let data = |dormant| object.data.iter().filter(|it| it.dormant == dormant).map(|datum| kept(tree, datum)).collect();
    Item {
        id: &object.id,
        name: &object.name,
        sort: object.sort.as_str(),
        kind: &object.kind,
        environment: &object.environment,
        address: object.address.as_deref(),
        place: Place::of(tree, object.loc),
        addresses: &object.addresses,
        groups: &object.groups,
        owners: object.owners.iter().map(|owner| holder(tree, owner)).collect(),
        identity: object.identity.iter().map(|said| identity(tree, said)).collect(),
        storage: object.storage.iter().map(|storage| disk(tree, storage)).collect(),
        data: data(false),
        dormant: data(true),
        guarded: object.guarded,
        verdict: object.verdict.as_str(),
        findings: findings.iter().map(finding).collect(),
    }
}

fn holder<'a>(tree: &'a Tree, owner: &'a Owner) -> Holder<'a> {
    Holder {
        tool: owner.tool,
        does: owner.does.as_str(),
        what: &owner.what,
        roles: &owner.roles,
        because: &owner.because,
        confidence: owner.confidence.as_str(),
        dormant: owner.dormant,
        run: owner.run,
        place: Place::of(tree, owner.loc),
    }
}

fn identity<'a>(tree: &'a Tree, said: &'a Statement) -> Said<'a> {
    let place = Place::of(tree, said.loc);
    Said { attribute: said.attribute, value: &said.value, variable: &said.variable, agrees: said.agrees, place }
}

fn disk<'a>(tree: &'a Tree, storage: &'a Storage) -> Disk<'a> {
    let place = Place::of(tree, storage.loc);
    Disk { path: storage.path.as_deref(), kind: storage.kind, fate: storage.fate, place }
}

fn kept<'a>(tree: &'a Tree, datum: &'a Datum) -> Kept<'a> {
    let seen = |(loc, message): &'a (Loc, String)| Seen { message, place: Place::of(tree, *loc) };
    Kept {
        service: &datum.service,
        class: datum.class,
        path: datum.path.as_deref(),
        storage: datum.storage,
        fate: datum.fate,
        because: &datum.because,
        evidence: datum.evidence.iter().map(seen).collect(),
    }
}

/// Writes the map.
///
/// # Errors
/// When `out` refuses.
pub fn write(atlas: &Atlas<'_>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(atlas))?;
    writeln!(out)
}

/// The map on one line, fit to stand inside a script element of a page.
pub(super) fn embedded(atlas: &Atlas<'_>) -> io::Result<String> {
    let text = serde_json::to_string(&document(atlas))?;
    // No tag can end or begin inside; `\u2028` and its like end lines of scripts.
    Ok(text.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
}
