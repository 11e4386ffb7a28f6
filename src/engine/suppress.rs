//! Which findings are excepted: by comments in the source, and by the configuration.

use crate::config::{Config, Suppression};
use crate::diag::{Finding, Suppressed};
use crate::model::annotation::{Remark, Saying};
use crate::source::Tree;

/// One rule of one suppression comment.
pub struct Comment<'m> {
    /// The comment.
    pub remark: &'m Remark,
    /// The rule that it names; empty when it names none.
    pub rule: &'m str,
    /// Why.
    pub reason: Option<&'m str>,
    /// The last day.
    pub until: Option<&'m str>,
    /// Whether that day is over.
    pub expired: bool,
    /// Whether any finding fell under it.
    pub used: bool,
}

impl Comment<'_> {
    /// Whether it names a rule and a reason.
    #[must_use]
    pub fn complete(&self) -> bool {
        !self.rule.is_empty() && self.reason.is_some()
    }
}

/// The suppression comments among the remarks, one a rule.
#[must_use]
pub fn comments<'m>(remarks: &'m [Remark], today: &str) -> Vec<Comment<'m>> {
    let mut comments = Vec::new();
    for remark in remarks {
        let Saying::Suppress { rules, reason, until } = &remark.saying else { continue };
        let expired = until.as_deref().is_some_and(|until| until < today);
        let mut add = |rule: &'m str| {
            let (reason, until) = (reason.as_deref(), until.as_deref());
            comments.push(Comment { remark, rule, reason, until, expired, used: false });
        };
        if rules.is_empty() {
            add("");
        }
        for rule in rules {
            add(rule);
        }
    }
    comments
}

/// Marks the findings that a comment or the configuration excepts.
pub fn apply(findings: &mut [Finding], comments: &mut [Comment<'_>], config: &Config, tree: &Tree, today: &str) {
    for finding in findings {
        let covering = comments.iter_mut().find(|comment| {
            comment.complete()
                && !comment.expired
                && comment.rule == finding.rule
                && comment.remark.loc.file == finding.loc.file
                && comment.remark.covers.start <= finding.loc.span.start
                && finding.loc.span.start < comment.remark.covers.end.max(comment.remark.covers.start + 1)
        });
        if let Some(comment) = covering {
            comment.used = true;
            let reason = comment.reason.unwrap_or("").to_owned();
            finding.suppressed = Some(Suppressed { reason, loc: Some(comment.remark.loc) });
            continue;
        }
        let path = tree.path(finding.loc.file);
        let by_config =
            config.layers_for(path).flat_map(|layer| &layer.suppress).find(|entry| holds(entry, finding, path, today));
        if let Some(entry) = by_config {
            finding.suppressed =
                Some(Suppressed { reason: entry.reason.clone().unwrap_or_default(), loc: Some(entry.loc) });
        }
    }
}

fn holds(entry: &Suppression, finding: &Finding, path: &str, today: &str) -> bool {
    let fits = |glob: &globset::Glob, text: &str| {
        // Brackets in an address are its own, not a class of the pattern.
        glob.compile_matcher().is_match(text) || glob.glob() == text
    };
    let current = entry.until.as_deref().is_none_or(|until| until >= today);
    let address = entry.address.as_ref().is_none_or(|glob| {
        let mut addresses = finding.address.iter().chain(&finding.instances);
        addresses.any(|address| fits(glob, address)) || finding.address.is_none() && fits(glob, path)
    });
    let place = entry.path.as_ref().is_none_or(|glob| fits(glob, path));
    current && entry.reason.is_some() && entry.rule == finding.rule && address && place
}
