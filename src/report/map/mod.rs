//! The ownership map to bytes, a file a format.

pub mod graph;
pub mod html;
pub mod json;
pub mod text;

use super::place;
use crate::chart::{Chart, Object, Sort, Verdict};
use crate::diag::Finding;
use crate::source::Tree;
use crate::text::{FileId, Span};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Everything that a map may show.
#[derive(Clone, Debug)]
pub struct Atlas<'a> {
    /// The project's name: that of its folder.
    pub project: &'a str,
    /// The files that the places point into.
    pub tree: &'a Tree,
    /// The map.
    pub chart: &'a Chart,
    /// The findings that are not suppressed, sorted.
    pub findings: &'a [Finding],
    /// Whether to colour.
    pub color: bool,
    /// Stateward's version.
    pub tool_version: &'a str,
}

impl<'a> Atlas<'a> {
    /// The findings of each object, in the order of the objects: those that name its address, or stand at its declaration, at
    /// a part of that, or at what shows its data; of a host also those in plays and tasks that run on it.
    fn findings(&self) -> Vec<Vec<&'a Finding>> {
        let mut by_address: HashMap<&str, Vec<&'a Finding>> = HashMap::new();
        let mut by_place: HashMap<_, Vec<&'a Finding>> = HashMap::new();
        for finding in self.findings {
            let named = finding.address.iter().filter(|_| finding.instances.is_empty()).chain(&finding.instances);
            for address in named {
                by_address.entry(address.as_str()).or_default().push(finding);
            }
            if finding.address.is_none() {
                by_place.entry(finding.loc).or_default().push(finding);
            }
        }
        let mut namesakes: HashMap<&str, usize> = HashMap::new();
        for address in self.chart.objects.iter().filter_map(|object| object.address.as_deref()) {
            *namesakes.entry(address).or_default() += 1;
        }
        let mut reaching = self.reaching();
        let own = |(at, object): (usize, &'a Object)| {
            let named = object.address.as_deref();
            let one = named.is_none_or(|address| namesakes.get(address) == Some(&1));
            let named = named.and_then(|address| by_address.get(address)).into_iter().flatten().copied();
            // Roots may declare one address each; the module that they share is judged once for all of them.
            let mut found: Vec<&'a Finding> = named.filter(|it| one || it.loc.file == object.loc.file).collect();
            let places = object.data.iter().flat_map(|datum| &datum.evidence).map(|(loc, _)| loc);
            let places = places.filter(|_| object.sort == Sort::Container).chain(&object.places).chain([&object.loc]);
            found.extend(places.filter_map(|loc| by_place.get(loc)).flatten());
            found.extend(reaching.remove(&at).into_iter().flatten());
            // The fingerprint is the same for the same finding alone.
            found.sort_by_key(|finding| {
                (std::cmp::Reverse(finding.severity), finding.loc, &finding.rule, &finding.fingerprint)
            });
            found.dedup_by_key(|finding| &finding.fingerprint);
            found
        };
        self.chart.objects.iter().enumerate().map(own).collect()
    }

    /// Object → the findings that stand in plays and tasks which run on it.
    fn reaching(&self) -> HashMap<usize, Vec<&'a Finding>> {
        let mut by_file: HashMap<FileId, Vec<(Span, usize)>> = HashMap::new();
        for (at, play) in self.chart.plays.iter().enumerate() {
            for place in &play.places {
                by_file.entry(place.file).or_default().push((place.span, at));
            }
        }
        let mut found: HashMap<usize, Vec<&'a Finding>> = HashMap::new();
        for finding in self.findings.iter().filter(|finding| finding.address.is_none()) {
            let around = by_file.get(&finding.loc.file).into_iter().flatten();
            let around = around.filter(|(span, _)| span.contains(finding.loc.span));
            let plays: BTreeSet<usize> = around.map(|(_, play)| *play).collect();
            let objects: BTreeSet<usize> =
                plays.iter().flat_map(|play| &self.chart.plays[*play].objects).copied().collect();
            for object in objects {
                found.entry(object).or_default().push(finding);
            }
        }
        found
    }

    /// `path:line` of a place.
    fn at(&self, loc: crate::text::Loc) -> String {
        let place = place(self.tree, loc);
        format!("{}:{}", place.path, place.start.line)
    }

    /// Objects by environment, in order; each with its index.
    fn environments(&self) -> BTreeMap<&'a str, Vec<(usize, &'a Object)>> {
        let mut found: BTreeMap<&str, Vec<(usize, &Object)>> = BTreeMap::new();
        for (at, object) in self.chart.objects.iter().enumerate() {
            found.entry(object.environment.as_str()).or_default().push((at, object));
        }
        found
    }

    /// How many objects have each verdict, the worst first.
    fn verdicts(&self) -> Vec<(Verdict, usize)> {
        let count = |verdict| self.chart.objects.iter().filter(|object| object.verdict == verdict).count();
        Verdict::ALL.into_iter().map(|verdict| (verdict, count(verdict))).collect()
    }
}
