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
        for entry in config.layers_for(path).flat_map(|layer| &layer.suppress) {
            if !holds(entry, finding, path, today) {
                continue;
            }
            let rest = left_by(entry, finding);
            if let Some(first) = rest.first() {
                narrow(finding, &first.clone(), rest);
                continue;
            }
            finding.suppressed =
                Some(Suppressed { reason: entry.reason.clone().unwrap_or_default(), loc: Some(entry.loc) });
            break;
        }
    }
}

/// Whether a pattern fits a text: brackets are those of addresses, not a class of the pattern.
fn fits(glob: &globset::Glob, text: &str) -> bool {
    let escaped = glob.glob().replace('[', "\\[").replace(']', "\\]");
    let matcher = globset::GlobBuilder::new(&escaped).backslash_escape(true).build();
    matcher.is_ok_and(|matcher| matcher.compile_matcher().is_match(text)) || glob.glob() == text
}

fn holds(entry: &Suppression, finding: &Finding, path: &str, today: &str) -> bool {
    let current = entry.until.as_deref().is_none_or(|until| until >= today);
    let address = entry.address.as_ref().is_none_or(|glob| {
        let mut addresses = finding.address.iter().chain(&finding.instances);
        addresses.any(|address| fits(glob, address)) || finding.address.is_none() && fits(glob, path)
    });
    let place = entry.path.as_ref().is_none_or(|glob| fits(glob, path));
    current && entry.reason.is_some() && entry.rule == finding.rule && address && place
}

/// The instances of a finding that an exception by address does not speak of.
fn left_by(entry: &Suppression, finding: &Finding) -> Vec<String> {
    let Some(glob) = &entry.address else { return Vec::new() };
    finding.instances.iter().filter(|address| !fits(glob, address)).cloned().collect()
}

/// Makes a finding speak of fewer instances.
fn narrow(finding: &mut Finding, first: &str, rest: Vec<String>) {
    let more = |count: usize| format!(" (and {} more)", count - 1);
    if let Some(before) = finding.message.strip_suffix(&more(finding.instances.len())) {
        finding.message = before.to_owned();
    }
    if let Some(old) = finding.address.replace(first.to_owned()) {
        finding.message = finding.message.replace(&old, first);
    }
    if rest.len() > 1 {
        finding.message.push_str(&more(rest.len()));
    }
    finding.instances = rest;
}
