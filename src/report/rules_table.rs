//! The catalogue: every rule in a line, or as JSON.

use super::RuleInfo;
use serde::Serialize;
use std::io::{self, Write};

/// How the catalogue is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Catalogue {
    /// A table.
    Human,
    /// For tools.
    Json,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    rules: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    family: &'a str,
    severity: &'static str,
    confidence: &'static str,
    summary: &'a str,
    why: &'a str,
    help: &'a str,
    help_uri: &'a str,
    doctrine: Vec<Statement<'a>>,
}

#[derive(Serialize)]
struct Statement<'a> {
    number: &'a str,
    sentence: &'a str,
}

/// Writes the catalogue in the order given.
///
/// # Errors
/// When `out` refuses.
pub fn rules(rules: &[RuleInfo], format: Catalogue, out: &mut impl Write) -> io::Result<()> {
    match format {
        Catalogue::Human => table(rules, out),
        Catalogue::Json => {
            let document = Document { schema: 1, rules: rules.iter().map(row).collect() };
            serde_json::to_writer_pretty(&mut *out, &document)?;
            out.write_all(b"\n")
        }
    }
}

fn table(rules: &[RuleInfo], out: &mut impl Write) -> io::Result<()> {
    let widest = |cell: fn(&RuleInfo) -> &str| rules.iter().map(|rule| cell(rule).chars().count()).max().unwrap_or(0);
    let (id, family) = (widest(|rule| &rule.id).max(4), widest(|rule| &rule.family).max(6));
    let (head, place) = ("RULE", "FAMILY");
    writeln!(out, "{head:<id$}  {place:<family$}  SEVERITY  SUMMARY")?;
    for rule in rules {
        let severity = rule.severity.as_str();
        writeln!(out, "{:<id$}  {:<family$}  {severity:<8}  {}", rule.id, rule.family, rule.summary.trim_end())?;
    }
    writeln!(out, "{}", super::count(rules.len(), "rule"))
}

fn row(rule: &RuleInfo) -> Row<'_> {
    let doctrine = rule.doctrine.iter().map(|(number, sentence)| Statement { number, sentence });
    Row {
        id: &rule.id,
        family: &rule.family,
        severity: rule.severity.as_str(),
        confidence: rule.confidence.as_str(),
        summary: &rule.summary,
        why: &rule.why,
        help: &rule.help,
        help_uri: &rule.help_uri,
        doctrine: doctrine.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Data;
    use super::*;

    #[test]
    fn both_forms() {
        let data = Data::new();
        let mut out = Vec::new();
        rules(&data.rules, Catalogue::Human, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        RULE             FAMILY          SEVERITY  SUMMARY
        committed-state  control-state   error     State in version control.
        data-on-root     data-placement  error     Data on a disposable root filesystem.
        literal-name     identity        warning   A name that is written twice.
        unpinned         drift           info      A package without a version.
        4 rules
        "#);
        let mut out = Vec::new();
        rules(&data.rules, Catalogue::Json, &mut out).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(document["rules"][1]["doctrine"][0]["number"], "2.4.2");
    }
}
