//! SARIF 2.1.0 for code scanning and viewers: one run, within GitHub's limits.

use super::codeql::line_hashes;
use super::{Report, RuleInfo, place};
use crate::diag::{Confidence, Finding, Fix, Severity, Suppressed};
use crate::source::Tree;
use crate::text::{FileId, Loc};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

/// GitHub refuses a run with more.
const MAX_RESULTS: usize = 25_000;

/// Related places of a result; with its own place and the steps of its flow, 1,000 locations.
const MAX_RELATED: usize = 499;

/// Related places that the message links to; GitHub shows no more locations.
const MAX_LINKS: usize = 100;

/// GitHub refuses longer descriptions, counted in characters.
const MAX_DESCRIPTION: usize = 1024;

/// GitHub shows no more tags of a rule.
const MAX_TAGS: usize = 10;

/// Writes the log, with a line break at its end.
///
/// # Errors
/// When `out` refuses.
pub fn write(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let shown = most_severe(report.findings, MAX_RESULTS);
    let log = Log {
        report,
        hashes: hashes(report.tree, &shown),
        any_suppressed: shown.iter().any(|finding| finding.suppressed.is_some()),
        any_known: shown.iter().any(|finding| !finding.new),
    };
    let results: Vec<Value> = shown.iter().map(|finding| log.result(finding)).collect();
    let document = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": driver(report)},
            "automationDetails": {"id": "stateward/"},
            "invocations": [invocation(report.findings, &shown)],
            "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The folder of the project."}}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

/// The first `limit` findings by severity, in the order given.
fn most_severe(findings: &[Finding], limit: usize) -> Vec<&Finding> {
    let mut shown: Vec<(usize, &Finding)> = findings.iter().enumerate().collect();
    if shown.len() > limit {
        shown.sort_by_key(|(index, finding)| (std::cmp::Reverse(finding.severity), *index));
        shown.truncate(limit);
        shown.sort_by_key(|(index, _)| *index);
    }
    shown.into_iter().map(|(_, finding)| finding).collect()
}

/// The line hash of every place that is a finding's own.
fn hashes(tree: &Tree, findings: &[&Finding]) -> HashMap<FileId, HashMap<u32, String>> {
    let mut lines: BTreeMap<FileId, BTreeSet<u32>> = BTreeMap::new();
    for finding in findings {
        lines.entry(finding.loc.file).or_default().insert(tree.line(finding.loc));
    }
    let texts = lines.into_iter().filter_map(|(file, lines)| Some((file, lines, tree.file(file).text().ok()?)));
    texts.map(|(file, lines, text)| (file, line_hashes(&text.text, &Vec::from_iter(lines)))).collect()
}

/// How the run went, with a word about what the limits left out.
fn invocation(all: &[Finding], shown: &[&Finding]) -> Value {
    let mut notifications = Vec::new();
    let left = all.len() - shown.len();
    if left > 0 {
        let text =
            format!("{left} of {} findings are left out, the least severe: a run holds {MAX_RESULTS}.", all.len());
        notifications.push(json!({"level": "warning", "message": {"text": text}}));
    }
    let cut = shown.iter().filter(|finding| finding.related.len() > MAX_RELATED).count();
    if cut > 0 {
        let text = format!("{cut} results name only the first {MAX_RELATED} of their related places.");
        notifications.push(json!({"level": "note", "message": {"text": text}}));
    }
    let mut invocation = json!({"executionSuccessful": true});
    if !notifications.is_empty() {
        set(&mut invocation, "toolExecutionNotifications", notifications.into());
    }
    invocation
}

fn driver(report: &Report<'_>) -> Value {
    json!({
        "name": "Stateward",
        "version": report.tool_version,
        "semanticVersion": report.tool_version,
        "informationUri": env!("CARGO_PKG_REPOSITORY"),
        "rules": report.rules.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn rule(rule: &RuleInfo) -> Value {
    // GitHub refuses empty texts.
    let or_summary = |text: &str| if text.trim().is_empty() { rule.summary.clone() } else { text.to_owned() };
    let mut described = json!({
        "id": rule.id,
        "shortDescription": {"text": shortened(&rule.summary)},
        "fullDescription": {"text": shortened(&super::layout::reflow(&or_summary(&rule.why)))},
        "help": {"text": sentence(&or_summary(&rule.help)), "markdown": markdown(rule)},
        "defaultConfiguration": {"level": level(rule.severity)},
    });
    // A name that only repeats the id is to be left out.
    let name = pascal(&rule.id);
    if !name.eq_ignore_ascii_case(&rule.id) {
        set(&mut described, "name", name.into());
    }
    if !rule.help_uri.is_empty() {
        set(&mut described, "helpUri", rule.help_uri.as_str().into());
    }
    let mut tags = vec![rule.family.clone()];
    tags.extend(rule.security.map(|_| "security".to_owned()));
    tags.extend(rule.doctrine.iter().map(|(number, _)| format!("doctrine/{number}")));
    tags.truncate(MAX_TAGS);
    let mut properties = json!({
        "tags": tags,
        "precision": match rule.confidence {
            Confidence::High => "high",
            Confidence::Medium => "medium",
            Confidence::Low => "low",
        },
        "problem.severity": match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "recommendation",
        },
    });
    if let Some(score) = rule.security {
        set(&mut properties, "security-severity", score.into());
    }
    set(&mut described, "properties", properties);
    described
}

/// The card, as GitHub shows it below an alert.
fn markdown(rule: &RuleInfo) -> String {
    let mut parts = vec![rule.why.trim().to_owned(), format!("**What to do:** {}", rule.help.trim())];
    parts.extend(rule.doctrine.iter().map(|(number, sentence)| format!("> {sentence} ({number})")));
    for (title, example) in [("Fails", &rule.fails), ("Passes", &rule.passes)] {
        if let Some(example) = example {
            // A fence longer than any that an example would hold.
            parts.push(format!("### {title}\n\n``````\n{}\n``````", example.trim_end()));
        }
    }
    parts.join("\n\n")
}

/// What the results of one log have in common.
struct Log<'a> {
    report: &'a Report<'a>,
    hashes: HashMap<FileId, HashMap<u32, String>>,
    /// Either every result says whether it is suppressed, or none.
    any_suppressed: bool,
    /// The same for whether it is new.
    any_known: bool,
}

impl Log<'_> {
    fn result(&self, finding: &Finding) -> Value {
        let tree = self.report.tree;
        let mut result = json!({"ruleId": finding.rule});
        if let Some(index) = self.report.rules.iter().position(|rule| rule.id == finding.rule) {
            set(&mut result, "ruleIndex", index.into());
        }
        set(&mut result, "level", level(finding.severity).into());
        set(&mut result, "message", json!({"text": linked(finding)}));
        let mut here = location(tree, finding.loc);
        if let Some(address) = &finding.address {
            set(&mut here, "logicalLocations", json!([{"fullyQualifiedName": address}]));
        }
        set(&mut result, "locations", json!([here]));
        set(&mut result, "partialFingerprints", self.fingerprints(finding));
        if !finding.related.is_empty() {
            set(&mut result, "relatedLocations", related(tree, finding));
        }
        let files: BTreeSet<FileId> = finding.related.iter().map(|related| related.loc.file).collect();
        if files.len() > 1 {
            set(&mut result, "codeFlows", json!([{"threadFlows": [{"locations": steps(tree, finding)}]}]));
        }
        if let Some(fix) = &finding.fix {
            set(&mut result, "fixes", json!([correction(tree, fix)]));
        }
        if self.any_suppressed {
            let covered = finding.suppressed.as_ref().map(|suppressed| suppression(tree, suppressed));
            set(&mut result, "suppressions", Vec::from_iter(covered).into());
        }
        if self.any_known {
            set(&mut result, "baselineState", if finding.new { "new" } else { "unchanged" }.into());
        }
        set(&mut result, "properties", properties(finding));
        result
    }

    fn fingerprints(&self, finding: &Finding) -> Value {
        let line = self.report.tree.line(finding.loc);
        let mut prints = Map::new();
        if let Some(hash) = self.hashes.get(&finding.loc.file).and_then(|lines| lines.get(&line)) {
            prints.insert("primaryLocationLineHash".into(), hash.as_str().into());
        }
        prints.insert("stateward/v1".into(), finding.fingerprint.as_str().into());
        prints.into()
    }
}

fn properties(finding: &Finding) -> Value {
    let mut properties = json!({
        "family": finding.family,
        "confidence": finding.confidence.as_str(),
        "doctrine": finding.doctrine,
    });
    if !finding.instances.is_empty() {
        set(&mut properties, "instances", finding.instances.as_slice().into());
    }
    properties
}

/// The message with a link to each related place.
fn linked(finding: &Finding) -> String {
    let escaped = |text: &str| text.replace('[', "\\[").replace(']', "\\]");
    let mut text = if finding.message.contains("](") { escaped(&finding.message) } else { finding.message.clone() };
    text = sentence(&text);
    let links = finding.related.iter().take(MAX_LINKS.min(MAX_RELATED)).enumerate();
    let links: Vec<String> =
        links.map(|(index, related)| format!("[{}]({})", escaped(&related.message), index + 1)).collect();
    if !links.is_empty() {
        text = format!("{text} See {}.", links.join(", "));
    }
    text
}

fn related(tree: &Tree, finding: &Finding) -> Value {
    let places = finding.related.iter().take(MAX_RELATED).enumerate().map(|(index, related)| {
        let mut there = json!({"id": index + 1});
        set(&mut there, "physicalLocation", physical(tree, related.loc));
        set(&mut there, "message", json!({"text": related.message}));
        there
    });
    places.collect()
}

/// The finding's place, then the related ones, as a path to walk.
fn steps(tree: &Tree, finding: &Finding) -> Value {
    let first = (finding.loc, finding.message.as_str());
    let rest = finding.related.iter().take(MAX_RELATED).map(|related| (related.loc, related.message.as_str()));
    let steps = std::iter::once(first).chain(rest).map(|(loc, message)| {
        let mut there = location(tree, loc);
        set(&mut there, "message", json!({"text": message}));
        json!({"location": there})
    });
    steps.collect()
}

fn suppression(tree: &Tree, suppressed: &Suppressed) -> Value {
    let kind = if suppressed.loc.is_some() { "inSource" } else { "external" };
    let mut value = json!({"kind": kind, "justification": suppressed.reason});
    if let Some(loc) = suppressed.loc {
        set(&mut value, "location", location(tree, loc));
    }
    value
}

fn correction(tree: &Tree, fix: &Fix) -> Value {
    let mut files: BTreeMap<FileId, Vec<Value>> = BTreeMap::new();
    for edit in &fix.edits {
        let (start, end) = tree.positions(edit.loc);
        let region = json!({
            "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column,
        });
        let replacement = json!({"deletedRegion": region, "insertedContent": {"text": edit.text}});
        files.entry(edit.loc.file).or_default().push(replacement);
    }
    let changes = files.into_iter().map(
        |(file, replacements)| json!({"artifactLocation": artifact(tree.path(file)), "replacements": replacements}),
    );
    json!({"description": {"text": sentence(&fix.title)}, "artifactChanges": changes.collect::<Vec<_>>()})
}

fn location(tree: &Tree, loc: Loc) -> Value {
    json!({"physicalLocation": physical(tree, loc)})
}

fn physical(tree: &Tree, loc: Loc) -> Value {
    let here = place(tree, loc);
    let region = json!({
        "startLine": here.start.line, "startColumn": here.start.column,
        "endLine": here.end.line, "endColumn": here.end.column,
    });
    json!({"artifactLocation": artifact(here.path), "region": region})
}

fn artifact(path: &str) -> Value {
    json!({"uri": encoded(path), "uriBaseId": "%SRCROOT%"})
}

/// A relative URI: all but unreserved characters and `/` are percent-encoded.
fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            uri.extend([byte >> 4, byte & 0xF].map(|digit| char::from(b"0123456789ABCDEF"[digit as usize])));
        }
    }
    uri
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// `data-on-root` as `DataOnRoot`.
fn pascal(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for word in id.split(['-', '_', '/']) {
        let mut characters = word.chars();
        name.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(characters.as_str());
    }
    name
}

/// With a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// A sentence within [`MAX_DESCRIPTION`].
fn shortened(text: &str) -> String {
    let text = sentence(text);
    if text.chars().count() <= MAX_DESCRIPTION {
        return text;
    }
    text.chars().take(MAX_DESCRIPTION - 1).chain(['…']).collect()
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Data, at};
    use super::*;
    use crate::diag::Related;

    fn log(data: &Data) -> Value {
        let mut out = Vec::new();
        write(&data.report(), &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn rules_and_results() {
        let log = log(&Data::new());
        let run = &log["runs"][0];
        insta::assert_compact_json_snapshot!(run["tool"]["driver"]["rules"][0], @r#"
        {
          "id": "committed-state",
          "shortDescription": {
            "text": "State in version control."
          },
          "fullDescription": {
            "text": "The machine is **replaced** as a whole.\n\n- Its disk goes with it."
          },
          "help": {
            "text": "Mount a volume that outlives the container.",
            "markdown": "The machine is **replaced** as a whole.\n\n- Its disk goes with it.\n\n**What to do:** Mount a volume that outlives the container.\n\n> Data outlives compute. (2.4.2)\n\n### Fails\n\n``````\nresource \"proxmox_lxc\" \"pg\" {\n  rootfs = \"local\"\n}\n``````\n\n### Passes\n\n``````\nmountpoint {\n  volume = \"/data\"\n}\n``````"
          },
          "defaultConfiguration": {
            "level": "error"
          },
          "name": "CommittedState",
          "helpUri": "https://example.org/rules/committed-state",
          "properties": {
            "tags": [
              "control-state",
              "security",
              "doctrine/2.4.2"
            ],
            "precision": "high",
            "problem.severity": "error",
            "security-severity": "8.0"
          }
        }
        "#);
        let first = &run["results"][0];
        insta::assert_snapshot!(first["message"]["text"].as_str().unwrap(), @"PostgreSQL keeps /var/lib/postgresql in the root filesystem of pg-ä-1. See [its root filesystem](1), [this play configures it](2), [this task installs PostgreSQL](3).");
        insta::assert_snapshot!(first["locations"], @r#"[{"physicalLocation":{"artifactLocation":{"uri":"infra/main.tf","uriBaseId":"%SRCROOT%"},"region":{"startLine":4,"startColumn":1,"endLine":4,"endColumn":30}},"logicalLocations":[{"fullyQualifiedName":"proxmox_lxc.pg[0]"}]}]"#);
        insta::assert_snapshot!(first["partialFingerprints"], @r#"{"primaryLocationLineHash":"3e8cd4f8543c78c0:1","stateward/v1":"0000000000000035"}"#);
        insta::assert_snapshot!(first["relatedLocations"][2], @r#"{"id":3,"physicalLocation":{"artifactLocation":{"uri":"roles/pg%20sql/tasks/main.yml","uriBaseId":"%SRCROOT%"},"region":{"startLine":1,"startColumn":3,"endLine":1,"endColumn":27}},"message":{"text":"this task installs PostgreSQL"}}"#);
        assert_eq!(first["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap().len(), 4);
        assert_eq!((&first["ruleIndex"], &first["level"]), (&json!(1), &json!("error")));
        insta::assert_snapshot!(run["results"][1]["fixes"], @r#"[{"description":{"text":"Use var.name."},"artifactChanges":[{"artifactLocation":{"uri":"infra/main.tf","uriBaseId":"%SRCROOT%"},"replacements":[{"deletedRegion":{"startLine":6,"startColumn":14,"endLine":6,"endColumn":22},"insertedContent":{"text":"var.name"}}]}]}]"#);
        insta::assert_snapshot!(run["results"][3]["suppressions"], @r#"[{"kind":"inSource","justification":"a fixture","location":{"physicalLocation":{"artifactLocation":{"uri":"site.yml","uriBaseId":"%SRCROOT%"},"region":{"startLine":2,"startColumn":3,"endLine":2,"endColumn":8}}}}]"#);
        assert_eq!(run["results"][2]["baselineState"], "unchanged");
        assert_eq!(
            run["results"][2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "roles/pg%20sql/tasks/main.yml"
        );
        // A file that is no text has no line to hash.
        assert_eq!(run["results"][3]["partialFingerprints"].as_object().unwrap().len(), 1);
    }

    #[test]
    fn a_plain_run_has_no_states() {
        let mut data = Data::new();
        data.findings.truncate(2);
        let log = log(&data);
        let result = &log["runs"][0]["results"][0];
        assert!(result.get("suppressions").is_none() && result.get("baselineState").is_none());
        assert!(log["runs"][0]["invocations"][0].get("toolExecutionNotifications").is_none());
    }

    #[test]
    fn limits_hold() {
        let data = Data::new();
        let mut findings = vec![data.findings[2].clone(); 3];
        findings[1].severity = Severity::Error;
        let shown = most_severe(&findings, 2);
        assert_eq!(shown.iter().map(|finding| finding.severity).collect::<Vec<_>>(), [Severity::Info, Severity::Error]);
        let loc = at(&data.tree, "site.yml", "roles");
        findings[0].related = vec![Related { loc, message: "again [here](x)".into() }; 2000];
        let said = invocation(&findings, &most_severe(&findings, 2));
        assert_eq!(said["toolExecutionNotifications"].as_array().unwrap().len(), 2);
        assert_eq!(related(&data.tree, &findings[0]).as_array().unwrap().len(), MAX_RELATED);
        assert!(linked(&findings[0]).contains("[again \\[here\\](x)](100)"));
        assert!(!linked(&findings[0]).contains("(101)"));
        assert_eq!(shortened(&"ä".repeat(2000)).chars().count(), MAX_DESCRIPTION);
    }

    #[test]
    fn paths_are_uris() {
        assert_eq!(encoded("a b/ü:%.tf"), "a%20b/%C3%BC%3A%25.tf");
        assert_eq!(pascal("data-on-root"), "DataOnRoot");
    }
}
