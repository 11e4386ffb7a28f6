//! Cards applied to rows, in parallel; hits made findings, in an order that no thread decides.

use super::select::{self, Request};
use crate::config::Config;
use crate::diag::{Finding, Related, Severity, Undecided};
use crate::model::load::Documents;
use crate::rule::card::{Card, Settings};
use crate::rule::judge::{Hit, Verdict, judge};
use crate::rule::subject::Row;
use crate::source::{Tree, file_name, folder};
use crate::text::{FileId, Hash64, Loc};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What cards said of rows.
#[derive(Default)]
pub(super) struct Outcome {
    /// Violations.
    pub findings: Vec<Finding>,
    /// What could not be decided.
    pub undecided: Vec<Undecided>,
}

/// What every evaluation needs.
pub(super) struct Ground<'a> {
    /// The tree.
    pub tree: &'a Tree,
    /// The files of it.
    pub documents: &'a Documents<'a>,
    /// The configuration.
    pub config: &'a Config,
    /// The request.
    pub request: &'a Request,
}

/// Options of cards by card and folder layer; most cards have none.
fn settings_of(ground: &Ground<'_>, card: &Card, path: &str, defaults: &Settings) -> Settings {
    let today = &ground.request.today;
    if card.options.is_empty() { defaults.clone() } else { select::settings(card, ground.config, path, today) }
}

/// Applies the cards to the rows of one table.
#[must_use]
pub(super) fn table(ground: &Ground<'_>, cards: &[&Card], rows: &[Row<'_>]) -> Outcome {
    let defaults: Vec<Settings> = cards.iter().map(|card| card.defaults()).collect();
    let judged: Vec<Vec<(usize, Loc, Verdict)>> = rows
        .par_iter()
        .with_min_len(32)
        .map(|row| {
            let mut found = Vec::new();
            for (at, card) in cards.iter().enumerate() {
                let entries = card.entries.iter().filter(|entry| std::ptr::eq(entry.subject, row.schema()));
                if !entries.into_iter().any(|entry| entry.selects(&**row)) {
                    continue;
                }
                let path = ground.tree.path(row.loc().file);
                if !ground.request.selects(card, ground.config, path) {
                    continue;
                }
                let settings = settings_of(ground, card, path, &defaults[at]);
                let verdicts = verdicts(card, row, &settings).into_iter();
                found.extend(verdicts.filter_map(|verdict| Some((at, row.loc(), placed(ground, row, verdict)?))));
            }
            found
        })
        .collect();
    collect(ground, cards, judged.into_iter().flatten())
}

/// What is found inside an installed module is told where it is called, if anywhere.
fn placed(ground: &Ground<'_>, row: &Row<'_>, verdict: Verdict) -> Option<Verdict> {
    let Verdict::Fires(mut hit) = verdict else { return Some(verdict) };
    if ground.documents.is_installed(hit.loc.file) {
        hit.loc = row.loc();
    }
    (!ground.documents.is_installed(hit.loc.file)).then_some(Verdict::Fires(hit))
}

const FAILED: &str = "evaluating it failed inside Stateward; please report this";

/// The rows' outcome; where making them fails inside, every rule that reads them is undecided, and says so.
pub(super) fn guarded(cards: &[&Card], outcome: impl FnOnce() -> Outcome) -> Outcome {
    let failed =
        |card: &&Card| Undecided { rule: card.id.clone(), because: FAILED.to_owned(), count: 1, first: Loc::default() };
    catch_unwind(AssertUnwindSafe(outcome))
        .unwrap_or_else(|_| Outcome { undecided: cards.iter().map(failed).collect(), ..Outcome::default() })
}

/// What a card says of a row; a failure inside is no silence.
fn verdicts(card: &Card, row: &Row<'_>, settings: &Settings) -> Vec<Verdict> {
    catch_unwind(AssertUnwindSafe(|| judge(card, &**row, settings)))
        .unwrap_or_else(|_| vec![Verdict::Undecided(FAILED.into())])
}

/// The file that a link shows again, so that what is in it is told once; a file of Terraform is part of another module in each folder.
fn linked(ground: &Ground<'_>, file: FileId) -> FileId {
    let tree = ground.tree;
    let path = tree.path(file);
    if tree.file(file).symlink.is_none()
        || [".tf", ".tofu", ".tfvars", ".hcl", ".json"].iter().any(|end| path.ends_with(end))
    {
        return file;
    }
    tree.find(&tree.real(path)).unwrap_or(file)
}

/// How many places one finding names beside its own.
const MAX_RELATED: usize = 24;

type Group = (Finding, Vec<(Severity, Hit)>);

fn collect(ground: &Ground<'_>, cards: &[&Card], judged: impl Iterator<Item = (usize, Loc, Verdict)>) -> Outcome {
    let mut groups: BTreeMap<(usize, Loc), Group> = BTreeMap::new();
    let mut undecided: BTreeMap<(String, String), Undecided> = BTreeMap::new();
    for (at, loc, verdict) in judged {
        let card = cards[at];
        match verdict {
            Verdict::Fires(mut hit) => {
                let path = ground.tree.path(hit.loc.file);
                // A path in the environment, as globs are over files.
                let environment = hit.environment.as_ref().map(|folder| format!("{folder}/{}", file_name(path)));
                let severity = select::severity(card, hit.severity, ground.config, path, environment.as_deref());
                hit.loc.file = linked(ground, hit.loc.file);
                let group = groups.entry((at, hit.loc)).or_insert_with(|| (finding(card, &hit, severity), Vec::new()));
                group.1.push((severity, hit));
            }
            Verdict::Undecided(reason) => {
                let key = (card.id.clone(), reason.to_string());
                let entry = undecided.entry(key).or_insert_with(|| Undecided {
                    rule: card.id.clone(),
                    because: reason.to_string(),
                    count: 0,
                    first: loc,
                });
                entry.count += 1;
                entry.first = entry.first.min(loc);
            }
        }
    }
    let findings = groups.into_values().map(|(finding, hits)| {
        let group = hits.first().and_then(|(_, hit)| hit.group.clone());
        (merge(finding, hits), group)
    });
    let findings = gather(findings.collect());
    Outcome { findings, undecided: undecided.into_values().collect() }
}

fn finding(card: &Card, hit: &Hit, severity: Severity) -> Finding {
    Finding {
        rule: card.id.clone(),
        family: card.family.clone(),
        severity,
        confidence: card.confidence,
        message: hit.message.clone(),
        loc: hit.loc,
        address: hit.address.clone(),
        instances: Vec::new(),
        related: hit.related.clone(),
        doctrine: card.doctrine.clone(),
        help: card.help.clone(),
        fingerprint: hit.identity.clone(),
        fix: None,
        suppressed: None,
        new: true,
    }
}

/// One declaration, one finding: the instances that fail there are listed.
fn merge(mut finding: Finding, mut hits: Vec<(Severity, Hit)>) -> Finding {
    // The worst speaks; among equals the first by address, whatever the order of evaluation.
    hits.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| (&x.address, &x.message).cmp(&(&y.address, &y.message))));
    let Some((severity, first)) = hits.first() else { return finding };
    finding.severity = *severity;
    finding.message.clone_from(&first.message);
    finding.address.clone_from(&first.address);
    finding.fingerprint.clone_from(&first.identity);
    // What is less bad there is so for another reason.
    let worst = *severity;
    hits.retain(|(severity, _)| *severity == worst);
    let mut related: Vec<Related> = Vec::new();
    for place in hits.iter().flat_map(|(_, hit)| &hit.related) {
        if related.len() < MAX_RELATED && !related.contains(place) && place.loc != finding.loc {
            related.push(place.clone());
        }
    }
    finding.related = related;
    let mut instances: Vec<String> = hits.iter().filter_map(|(_, hit)| hit.address.clone()).collect();
    instances.sort();
    instances.dedup();
    if instances.len() > 1 {
        finding.message = format!("{} (and {} more)", finding.message, instances.len() - 1);
        finding.instances = instances;
    }
    finding
}

/// Findings of one rule, file and group are one habit: the worst and first speaks, the others stand beside it.
fn gather(findings: Vec<(Finding, Option<String>)>) -> Vec<Finding> {
    let mut whole = Vec::new();
    let mut habits: BTreeMap<(String, FileId, String), Vec<Finding>> = BTreeMap::new();
    for (finding, group) in findings {
        match group {
            Some(group) => habits.entry((finding.rule.clone(), finding.loc.file, group)).or_default().push(finding),
            None => whole.push(finding),
        }
    }
    for mut habit in habits.into_values() {
        habit.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.loc));
        let mut habit = habit.into_iter();
        let Some(mut first) = habit.next() else { continue };
        let others: Vec<Finding> = habit.collect();
        if !others.is_empty() {
            first.message = format!("{}; {} more like it in this file", first.message, others.len());
            let places = others.iter().map(|other| Related { loc: other.loc, message: "here too".to_owned() });
            first.related.extend(places.take(MAX_RELATED.saturating_sub(first.related.len())));
        }
        whole.push(first);
    }
    whole
}

/// Sorts findings and gives each its fingerprint: rule, address or path, content, and a counter for repeats. `today` is the path
/// that a path counts as. Returned is what tells each apart wherever in its folder it stands; none for what says no more of itself
/// than which rule it breaks.
pub(super) fn finish<'t>(
    findings: &mut [Finding],
    tree: &'t Tree,
    today: &dyn Fn(&'t str) -> &'t str,
) -> Vec<Option<u64>> {
    findings.sort_by(|a, b| {
        (a.loc.file, a.loc.span, &a.rule, &a.message).cmp(&(b.loc.file, b.loc.span, &b.rule, &b.message))
    });
    let mut repeats: HashMap<u64, u64> = HashMap::new();
    let mut traces = Vec::with_capacity(findings.len());
    for finding in findings {
        let written = tree.path(finding.loc.file);
        let path = today(written);
        let folders = (folder(written), folder(path));
        let names = if finding.fingerprint == written { (written, path) } else { folders };
        let identity = under_new_name(&finding.fingerprint, names);
        let address = finding.address.as_deref().map(|address| under_new_name(address, folders));
        let of = |place: &str, address: &str| {
            let hash = Hash64::default().with(finding.rule.as_bytes()).with(place.as_bytes());
            hash.with(address.as_bytes()).with(identity.as_bytes())
        };
        let telling = address.is_some() || finding.fingerprint == folders.0 || finding.fingerprint.contains(' ');
        traces.push(telling.then(|| of(folders.1, address.as_deref().unwrap_or_default()).finish()));
        let hash = of(path, address.as_deref().unwrap_or(path));
        let count = repeats.entry(hash.finish()).or_default();
        let fingerprint = format!("{:016x}", hash.with(&count.to_le_bytes()).finish());
        *count += 1;
        finding.fingerprint = fingerprint;
    }
    traces
}

/// A text that may begin with a path, which now goes by another name.
fn under_new_name<'t>(text: &'t str, (old, new): (&str, &str)) -> Cow<'t, str> {
    let rest = text.strip_prefix(old).filter(|rest| rest.is_empty() || rest.starts_with(['/', ' ']));
    match rest {
        Some(rest) if old != new => Cow::Owned(format!("{new}{rest}")),
        _ => Cow::Borrowed(text),
    }
}
