//! JSON, schema version 1. These structs are the contract: change them only by adding.

use super::{Report, place};
use crate::diag::{Finding, Fix};
use crate::source::Tree;
use crate::text;
use serde::Serialize;
use std::io::{self, Write};

const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    tool: Tool<'a>,
    summary: Summary,
    findings: Vec<Item<'a>>,
    undecided: Vec<Undecided<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<Stats<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct Summary {
    files: Files,
    findings: Severities,
    suppressed: usize,
    undecided: usize,
    /// Findings older than the change under judgement.
    known: usize,
    elapsed_ms: u64,
}

#[derive(Serialize)]
struct Files {
    judged: usize,
    skipped: usize,
    unreadable: usize,
}

#[derive(Serialize)]
struct Severities {
    error: usize,
    warning: usize,
    info: usize,
}

#[derive(Serialize)]
struct Item<'a> {
    rule: &'a str,
    family: &'a str,
    severity: &'static str,
    confidence: &'static str,
    message: &'a str,
    path: &'a str,
    start: Position,
    end: Position,
    address: Option<&'a str>,
    instances: Vec<&'a str>,
    related: Vec<Related<'a>>,
    fingerprint: &'a str,
    doctrine: &'a [String],
    fix: Option<Correction<'a>>,
    new: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<Suppressed<'a>>,
}

#[derive(Serialize)]
struct Position {
    line: u32,
    column: u32,
}

impl From<text::Position> for Position {
    fn from(position: text::Position) -> Self {
        Self { line: position.line, column: position.column }
    }
}

#[derive(Serialize)]
struct Related<'a> {
    path: &'a str,
    start: Position,
    end: Position,
    message: &'a str,
}

#[derive(Serialize)]
struct Correction<'a> {
    title: &'a str,
    safe: bool,
    edits: Vec<Edit<'a>>,
}

#[derive(Serialize)]
struct Edit<'a> {
    path: &'a str,
    start: Position,
    end: Position,
    text: &'a str,
}

#[derive(Serialize)]
struct Suppressed<'a> {
    reason: &'a str,
    /// Where the comment stands; null when the configuration says it.
    at: Option<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    line: u32,
}

#[derive(Serialize)]
struct Undecided<'a> {
    rule: &'a str,
    because: &'a str,
    count: usize,
    first: Line<'a>,
}

#[derive(Serialize)]
struct Stats<'a> {
    kinds: Vec<Group<'a>>,
    skipped: Vec<Group<'a>>,
}

#[derive(Serialize)]
struct Group<'a> {
    name: &'a str,
    files: usize,
}

/// Writes the document, indented, with a line break at its end.
///
/// # Errors
/// When `out` refuses.
pub fn write(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let tree = report.tree;
    let line = |loc: text::Loc| Line { path: tree.path(loc.file), line: tree.line(loc) };
    let undecided = report.undecided.iter().map(|group| Undecided {
        rule: &group.rule,
        because: &group.because,
        count: group.count,
        first: line(group.first),
    });
    let document = Document {
        schema: SCHEMA,
        tool: Tool { name: "stateward", version: report.tool_version },
        summary: summary(report),
        findings: report.findings.iter().map(|finding| item(tree, finding)).collect(),
        undecided: undecided.collect(),
        stats: report
            .stats
            .then(|| Stats { kinds: groups(&report.files.by_kind), skipped: groups(&report.files.by_reason) }),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn summary(report: &Report<'_>) -> Summary {
    let counts = report.counts();
    let files = &report.files;
    Summary {
        files: Files { judged: files.judged, skipped: files.skipped, unreadable: files.unreadable },
        findings: Severities { error: counts.error, warning: counts.warning, info: counts.info },
        suppressed: report.suppressed,
        undecided: report.undecided_total(),
        known: counts.known,
        elapsed_ms: report.elapsed_ms,
    }
}

fn groups(counted: &[(String, usize)]) -> Vec<Group<'_>> {
    counted.iter().map(|(name, files)| Group { name, files: *files }).collect()
}

fn item<'a>(tree: &'a Tree, finding: &'a Finding) -> Item<'a> {
    let here = place(tree, finding.loc);
    let related = finding.related.iter().map(|related| {
        let there = place(tree, related.loc);
        Related { path: there.path, start: there.start.into(), end: there.end.into(), message: &related.message }
    });
    let suppressed = finding.suppressed.as_ref().map(|suppressed| Suppressed {
        reason: &suppressed.reason,
        at: suppressed.loc.map(|loc| Line { path: tree.path(loc.file), line: tree.line(loc) }),
    });
    Item {
        rule: &finding.rule,
        family: &finding.family,
        severity: finding.severity.as_str(),
        confidence: finding.confidence.as_str(),
        message: &finding.message,
        path: here.path,
        start: here.start.into(),
        end: here.end.into(),
        address: finding.address.as_deref(),
        instances: instances(finding),
        related: related.collect(),
        fingerprint: &finding.fingerprint,
        doctrine: &finding.doctrine,
        fix: finding.fix.as_ref().map(|fix| correction(tree, fix)),
        new: finding.new,
        suppressed,
    }
}

/// All of them; the address where it is the only one.
fn instances(finding: &Finding) -> Vec<&str> {
    match &finding.address {
        Some(address) if finding.instances.is_empty() => vec![address],
        _ => finding.instances.iter().map(String::as_str).collect(),
    }
}

fn correction<'a>(tree: &'a Tree, fix: &'a Fix) -> Correction<'a> {
    let edits = fix.edits.iter().map(|edit| {
        let (start, end) = tree.positions(edit.loc);
        Edit { path: tree.path(edit.loc.file), start: start.into(), end: end.into(), text: &edit.text }
    });
    Correction { title: &fix.title, safe: fix.safe, edits: edits.collect() }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Data;

    fn document(stats: bool) -> serde_json::Value {
        let data = Data::new();
        let mut report = data.report();
        report.stats = stats;
        let mut out = Vec::new();
        super::write(&report, &mut out).unwrap();
        assert!(out.ends_with(b"}\n"));
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn keys_keep_their_order() {
        let document = document(false);
        let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(keys(&document), "schema tool summary findings undecided");
        assert_eq!(keys(&document["summary"]), "files findings suppressed undecided known elapsed_ms");
        assert_eq!(
            keys(&document["findings"][0]),
            "rule family severity confidence message path start end address instances related fingerprint doctrine fix new"
        );
        assert_eq!(keys(&document["findings"][0]["related"][0]), "path start end message");
        assert_eq!(keys(&document["undecided"][0]), "rule because count first");
    }

    #[test]
    fn places_and_fixes() {
        let document = document(true);
        insta::assert_compact_json_snapshot!(document["findings"][1], @r#"
        {
          "rule": "literal-name",
          "family": "identity",
          "severity": "warning",
          "confidence": "medium",
          "message": "pg-ä-1 is written twice: 100%",
          "path": "infra/main.tf",
          "start": {
            "line": 6,
            "column": 14
          },
          "end": {
            "line": 6,
            "column": 22
          },
          "address": null,
          "instances": [],
          "related": [],
          "fingerprint": "0000000000000079",
          "doctrine": [
            "2.4.2"
          ],
          "fix": {
            "title": "Use var.name",
            "safe": true,
            "edits": [
              {
                "path": "infra/main.tf",
                "start": {
                  "line": 6,
                  "column": 14
                },
                "end": {
                  "line": 6,
                  "column": 22
                },
                "text": "var.name"
              }
            ]
          },
          "new": true
        }
        "#);
    }

    #[test]
    fn suppressions_and_figures() {
        let document = document(true);
        insta::assert_compact_json_snapshot!(document["findings"][3]["suppressed"], @r#"{"reason": "a fixture", "at": {"path": "site.yml", "line": 2}}"#);
        insta::assert_compact_json_snapshot!(document["summary"], @r#"
        {
          "files": {
            "judged": 3,
            "skipped": 2,
            "unreadable": 1
          },
          "findings": {
            "error": 1,
            "warning": 1,
            "info": 0
          },
          "suppressed": 1,
          "undecided": 4,
          "known": 1,
          "elapsed_ms": 31
        }
        "#);
        insta::assert_compact_json_snapshot!(document["stats"]["skipped"][0], @r#"{"name": "template", "files": 1}"#);
    }
}
