//! What there was before a change: which findings are older than it, and what Terraform held.

use super::{ConfigError, Request, analyse, with_estate};
use crate::config::Config;
use crate::diag::Finding;
use crate::estate::loss::Held;
use crate::rule::card::Card;
use crate::source::Tree;
use crate::source::change::Before;
use std::collections::HashSet;

/// The revision before, judged.
#[derive(Debug, Default)]
pub struct Earlier {
    /// The fingerprints of its findings, in the paths of today.
    fingerprints: HashSet<String>,
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
        let mut findings = analysis.findings;
        // What a configuration that is touched says of itself is judged by what it was.
        findings.retain(|finding| !before.configured.contains(before.tree.path(finding.loc.file)));
        if !before.configuration.is_empty() {
            // Of one that was wrong nothing is known.
            let own = Config::at_root(&before.configuration);
            let own = analyse(&before.configuration, cards, own, &request);
            findings.extend(own.map(|analysis| analysis.findings).unwrap_or_default());
        }
        // What was suppressed and is so no more is new.
        let open = findings.into_iter().filter(|finding| finding.suppressed.is_none());
        Ok(Self { fingerprints: open.map(|finding| finding.fingerprint).collect(), held })
    }

    /// Says of each finding whether the change brought it.
    pub(super) fn mark(&self, findings: &mut [Finding]) {
        for finding in findings {
            finding.new = !self.fingerprints.contains(&finding.fingerprint);
        }
    }
}
