//! Findings to bytes, a file a format. Reports see plain data: neither the model nor the rules.

use crate::diag::{Confidence, Finding, Related, Severity, Undecided};
use crate::source::Tree;
use crate::text::{Loc, Position, Span};
use std::borrow::Cow;

mod codeql;
mod explain;
#[cfg(test)]
mod fixture;
pub mod github;
pub mod human;
pub mod json;
mod layout;
pub mod map;
pub mod markdown;
mod rules_table;
pub mod sarif;
mod snippet;

pub use explain::explain;
pub use rules_table::{Catalogue, rules};

/// What a report says about a rule.
#[derive(Clone, Debug)]
pub struct RuleInfo {
    /// The rule's id.
    pub id: String,
    /// The folder it lives in.
    pub family: String,
    /// One sentence.
    pub summary: String,
    /// A paragraph of Markdown: what is lost, and when.
    pub why: String,
    /// The remedy.
    pub help: String,
    /// Before options, environment classes and configuration.
    pub severity: Severity,
    /// How surely the evidence means a violation.
    pub confidence: Confidence,
    /// Number and sentence of each statement of the doctrine.
    pub doctrine: Vec<(String, String)>,
    /// An example that fails, as text.
    pub fails: Option<String>,
    /// An example that passes, as text.
    pub passes: Option<String>,
    /// The page about the rule; empty when there is none.
    pub help_uri: String,
    /// The `security-severity` ("0.1" to "10.0") of rules about leaked state or credentials.
    pub security: Option<&'static str>,
}

/// How many files were looked at.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Read, parsed and judged.
    pub judged: usize,
    /// Left out, for a reason.
    pub skipped: usize,
    /// To be judged, but not readable or not parsable.
    pub unreadable: usize,
    /// Skipped files by reason.
    pub by_reason: Vec<(String, usize)>,
    /// Judged files by kind.
    pub by_kind: Vec<(String, usize)>,
}

/// Everything a format may print.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The files that the places point into.
    pub tree: &'a Tree,
    /// Sorted; suppressed ones only when they are to be shown.
    pub findings: &'a [Finding],
    /// Grouped by rule and reason.
    pub undecided: &'a [Undecided],
    /// The selected rules, sorted by id.
    pub rules: &'a [RuleInfo],
    /// The files.
    pub files: Files,
    /// How many findings a suppression covers, shown or not.
    pub suppressed: usize,
    /// Wall time in milliseconds.
    pub elapsed_ms: u64,
    /// Whether the figures are wanted in full.
    pub stats: bool,
    /// How often `-v` was given: from 1, instances and doctrine sentences are listed.
    pub verbose: u8,
    /// How often `-q` was given: 1 leaves a line a finding, 2 nothing.
    pub quiet: u8,
    /// Whether to colour.
    pub color: bool,
    /// Stateward's version.
    pub tool_version: &'a str,
}

/// Findings by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    error: usize,
    warning: usize,
    info: usize,
    /// Older than the change under judgement.
    known: usize,
}

impl Report<'_> {
    /// How many findings count, and how many are older than the change.
    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for finding in self.findings.iter().filter(|finding| finding.suppressed.is_none()) {
            let slot = match finding.severity {
                _ if !finding.new => &mut counts.known,
                Severity::Error => &mut counts.error,
                Severity::Warning => &mut counts.warning,
                Severity::Info => &mut counts.info,
            };
            *slot += 1;
        }
        counts
    }

    /// Evaluations that could not be decided.
    fn undecided_total(&self) -> usize {
        self.undecided.iter().map(|group| group.count).sum()
    }

    /// What is known of a rule.
    fn rule(&self, id: &str) -> Option<&RuleInfo> {
        let at = self.rules.binary_search_by(|rule| rule.id.as_str().cmp(id));
        // A list that is not sorted only costs time.
        at.ok().and_then(|at| self.rules.get(at)).or_else(|| self.rules.iter().find(|rule| rule.id == id))
    }
}

/// A place for people: a path and two positions on one line, the second exclusive.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    path: &'a str,
    start: Position,
    end: Position,
}

/// Where `loc` is, cut to its first line.
fn place(tree: &Tree, loc: Loc) -> Place<'_> {
    let (start, end) = tree.positions(first_line(tree, loc));
    Place { path: tree.path(loc.file), start, end }
}

/// `loc` up to the end of its first line, blanks there left out.
fn first_line(tree: &Tree, loc: Loc) -> Loc {
    let slice = tree.slice(loc);
    let Some(line_end) = memchr::memchr(b'\n', slice.as_bytes()) else { return loc };
    let kept = slice.get(..line_end).unwrap_or("").trim_end().len();
    let start = loc.span.start as usize;
    Loc { file: loc.file, span: Span::new(start, start + kept) }
}

/// A related place as `path:line: message`.
fn note(tree: &Tree, related: &Related) -> String {
    format!("{}:{}: {}", tree.path(related.loc.file), tree.line(related.loc), related.message)
}

/// `1 error`, `2 errors`.
fn count(number: usize, singular: &str) -> String {
    format!("{number} {singular}{}", if number == 1 { "" } else { "s" })
}

/// Text that cannot steer a terminal: control and bidirectional characters are replaced, unknown parts shown as `…`.
fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(|character| shown(character) == character) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(shown).collect())
}

/// How a character is shown.
fn shown(character: char) -> char {
    match character {
        '\n' | '\t' => character,
        crate::text::HOLE => '…',
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        _ if character.is_control() => char::REPLACEMENT_CHARACTER,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::File;

    #[test]
    fn a_place_ends_with_its_first_line() {
        let tree = Tree::new(vec![File::in_memory("a.tf", b"x\nblock {  \r\n  a\n}\n".to_vec(), true)], None);
        let (file, _) = tree.iter().next().unwrap();
        let found = place(&tree, Loc { file, span: Span::new(2, 18) });
        assert_eq!((found.start.line, found.start.column), (2, 1));
        assert_eq!((found.end.line, found.end.column), (2, 8));
        let beyond = place(&tree, Loc { file, span: Span::new(900, 950) });
        assert_eq!(beyond.start.line, 5);
    }

    #[test]
    fn terminals_are_not_steered() {
        assert_eq!(printable("plain\ttext"), "plain\ttext");
        assert_eq!(printable("a\u{1b}[2Jb\u{202E}c\u{F8FF}"), "a\u{FFFD}[2Jb\u{FFFD}c…");
    }

    #[test]
    fn counting_leaves_out_what_does_not_count() {
        let data = fixture::Data::new();
        let counts = data.report().counts();
        assert_eq!(counts, Counts { error: 1, warning: 1, info: 0, known: 1 });
        assert_eq!(count(1, "error"), "1 error");
        assert_eq!(count(0, "error"), "0 errors");
    }
}
