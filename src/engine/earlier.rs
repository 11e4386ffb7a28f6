//! What there was before a change: which findings are older than it, and what Terraform held.

use super::{Analysis, ConfigError, Request, analyse, with_estate};
use crate::config::Config;
use crate::diag::Finding;
use crate::estate::loss::Held;
use crate::rule::card::Card;
use crate::source::Tree;
use crate::source::change::Before;
use std::collections::{HashMap, HashSet};

/// The revision before, judged.
#[derive(Debug, Default)]
pub struct Earlier {
    /// Its findings by their fingerprints, in the paths of today, each with its trace.
    findings: HashMap<String, Option<u64>>,
    /// What Terraform held that has data in it.
    pub(super) held: Held,
}

impl Earlier {
    /// Judges the revision before as the one after it is judged; `load` reads the configuration of a tree.
    ///
    /// # Errors
    /// What is wrong with the configuration, as in the revision after.
    pub fn of(
        before: &Before,
        cards: &[Card],
        load: &dyn Fn(&Tree) -> Config,
        request: &Request,
    ) -> Result<Self, Vec<ConfigError>> {
        // Which paths are reported is a matter of the revision after.
        let request = Request {
            paths: Vec::new(),
            chart: false,
            earlier: None,
            renamed: before.renamed.clone(),
            ..request.clone()
        };
        let judged = with_estate(&before.tree, cards, load(&before.tree), &request, &mut |estate, analysis| {
            (Held::of(estate), analysis)
        });
        let (held, analysis) = judged?;
        let mut findings = traced(analysis);
        // What a configuration that is touched says of itself is judged by what it was.
        findings.retain(|(finding, _)| !before.configured.contains(before.tree.path(finding.loc.file)));
        if !before.configuration.is_empty() {
            // Of one that was wrong nothing is known.
            let own = Config::at_root(&before.configuration);
            let own = analyse(&before.configuration, cards, own, &request);
            findings.extend(own.map(traced).unwrap_or_default());
        }
        // What was suppressed and is so no more is new.
        let open = findings.into_iter().filter(|(finding, _)| finding.suppressed.is_none());
        Ok(Self { findings: open.map(|(finding, trace)| (finding.fingerprint, trace)).collect(), held })
    }

    /// Says of each finding whether the change brought it; one that only went to another file of its folder is not new.
    pub(super) fn mark(&self, findings: &mut [Finding], traces: &[Option<u64>]) {
        let here: HashSet<&str> = findings.iter().map(|finding| finding.fingerprint.as_str()).collect();
        let mut gone: HashMap<u64, usize> = HashMap::new();
        let vanished = self.findings.iter().filter(|(fingerprint, _)| !here.contains(fingerprint.as_str()));
        for trace in vanished.filter_map(|(_, trace)| *trace) {
            *gone.entry(trace).or_default() += 1;
        }
        for (finding, trace) in findings.iter_mut().zip(traces) {
            let mut moved = || match trace.and_then(|trace| gone.get_mut(&trace)) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    true
                }
                _ => false,
            };
            finding.new = !self.findings.contains_key(&finding.fingerprint) && !moved();
        }
    }
}

/// The findings of an analysis with their traces.
fn traced(analysis: Analysis) -> Vec<(Finding, Option<u64>)> {
    analysis.findings.into_iter().zip(analysis.traces).collect()
}
