//! The platforms and the estate: what is found in them, and that nothing but they decide it.
//!
//! After a rule has changed on purpose: `INSTA_UPDATE=always cargo test --test fixtures`, then read the difference.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use support::{Run, stateward};

/// 2026-01-01: exceptions of the fixtures end before or after.
const DAY: &str = "1767225600";

fn check(platform: &str, arguments: &[&str]) -> Run {
    check_folder(&format!("fixtures/platform/{platform}"), arguments)
}

fn check_folder(folder: &str, arguments: &[&str]) -> Run {
    let done = stateward().args(["check", folder]).args(arguments).env("SOURCE_DATE_EPOCH", DAY).output();
    done.expect("the program starts").into()
}

/// A line a finding, in the report's order.
fn compact(report: &serde_json::Value) -> String {
    let mut shown = String::new();
    for finding in report["findings"].as_array().expect("a list") {
        let word = |name: &str| finding[name].as_str().unwrap_or("?").to_owned();
        let (path, line, severity) = (word("path"), &finding["start"]["line"], word("severity"));
        let _ = writeln!(shown, "{path}:{line} {severity} {}: {}", word("rule"), word("message"));
    }
    shown
}

#[test]
fn findings_of_the_violating_platform() {
    let done = check("violating", &["--format", "json"]);
    assert_eq!(done.code, 1, "{}", done.err);
    insta::assert_snapshot!("violating", compact(&done.json()));
}

#[test]
fn the_clean_platform_is_clean() {
    let done = check("clean", &["--format", "json"]);
    insta::assert_snapshot!("clean", compact(&done.json()));
    assert_eq!(done.code, 0, "{}", compact(&done.json()));
}

/// The estate's findings hang on how Terraform is run: the places that explain each are shown with it.
#[test]
fn findings_of_the_estate_and_what_they_hang_on() {
    let done = check_folder("fixtures/estate", &["--format", "json"]);
    assert_eq!(done.code, 1, "{}", done.err);
    let report = done.json();
    let mut shown = String::new();
    for (finding, line) in report["findings"].as_array().unwrap().iter().zip(compact(&report).lines()) {
        let _ = writeln!(shown, "{line}");
        for instance in finding["instances"].as_array().unwrap() {
            let _ = writeln!(shown, "    {}", instance.as_str().unwrap());
        }
        for place in finding["related"].as_array().unwrap() {
            let (path, message) = (place["path"].as_str().unwrap(), place["message"].as_str().unwrap());
            let _ = writeln!(shown, "  - {path}:{} {message}", place["start"]["line"]);
        }
    }
    insta::assert_snapshot!("estate", shown);
}

#[test]
fn every_family_finds_something() {
    let report = check("violating", &["--format", "json"]).json();
    let found: BTreeSet<&str> =
        report["findings"].as_array().unwrap().iter().filter_map(|finding| finding["family"].as_str()).collect();
    let folders = std::fs::read_dir(format!("{}/rules", support::ROOT)).unwrap().flatten();
    let families: BTreeSet<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert_eq!(families.len(), 16, "15 families and the linter's own");
    let silent: Vec<&String> =
        families.iter().filter(|family| *family != "meta" && !found.contains(family.as_str())).collect();
    assert!(silent.is_empty(), "silent families: {silent:?}");
}

/// The rows `| path | line | rule or reason |…` of one part of `EXPECTED.md`.
fn planted(part: &str) -> Vec<(String, u64, String)> {
    let text = std::fs::read_to_string(format!("{}/fixtures/platform/EXPECTED.md", support::ROOT)).unwrap();
    let start = text.find(&format!("\n## {part}")).expect("the part") + 4;
    let end = text[start..].find("\n## ").map_or(text.len(), |end| start + end);
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>();
    let rows = text[start..end].lines().map(cells).filter_map(|cells| match cells.as_slice() {
        [_, path, line, what, ..] => Some((path.clone(), line.parse().ok()?, what.clone())),
        _ => None,
    });
    rows.collect()
}

#[test]
fn what_was_planted_is_found_and_lookalikes_stay_silent() {
    let report = check("violating", &["--format", "json"]).json();
    let findings = report["findings"].as_array().unwrap();
    let line = |place: &serde_json::Value| place["start"]["line"].as_u64().unwrap();
    // A block's header, its attribute, or a place that the finding names beside its own.
    let near = |place: &serde_json::Value, path: &str, wanted: u64, within: u64| {
        place["path"] == path && line(place).abs_diff(wanted) <= within
    };
    let rows = planted("Violations");
    assert!(rows.len() > 70, "{}", rows.len());
    for (path, wanted, rule) in rows.iter().filter(|(.., rule)| !rule.contains(' ')) {
        let found = findings.iter().filter(|finding| finding["rule"] == rule.as_str()).any(|finding| {
            let related = finding["related"].as_array().unwrap();
            near(finding, path, *wanted, 3) || related.iter().any(|place| near(place, path, *wanted, 1))
        });
        assert!(found, "{path}:{wanted} {rule}");
    }
    // What is missed is written down, and stays written down only while it is missed.
    let missed = planted("Planted and not found");
    assert!(!missed.is_empty());
    for (path, line_of_it, rule) in &missed {
        let found = findings.iter().find(|found| found["rule"] == rule.as_str() && near(found, path, *line_of_it, 3));
        assert!(found.is_none(), "{path}:{line_of_it} {rule} is found by now: move the row up");
    }
    let lookalikes = planted("Look-alikes");
    assert!(lookalikes.len() > 15, "{}", lookalikes.len());
    for (path, wanted, why) in &lookalikes {
        let here = findings.iter().filter(|finding| near(finding, path, *wanted, 0));
        let loud: Vec<_> = here.filter(|finding| finding["severity"] != "info").collect();
        assert!(loud.is_empty(), "{path}:{wanted} {why}: {loud:?}");
    }
}

#[test]
fn the_same_bytes_whatever_the_thread_count() {
    for platform in ["clean", "violating"] {
        let bytes = |threads: &str, format: &str| {
            let out = check(platform, &["--threads", threads, "--format", format]).out;
            out.lines().filter(|line| !line.contains("\"elapsed_ms\"")).collect::<Vec<_>>().join("\n")
        };
        for format in ["json", "sarif", "human", "github", "markdown"] {
            let one = bytes("1", format);
            assert!(one.len() > 20 && !one.contains("elapsed_ms"), "{format}");
            assert_eq!(one, bytes("4", format), "{platform}, {format}");
        }
    }
}

#[test]
fn findings_point_into_files_that_exist_and_name_known_statements() {
    let report = check("violating", &["--format", "json"]).json();
    for finding in report["findings"].as_array().unwrap() {
        let rule = &finding["rule"];
        let places = std::iter::once(finding).chain(finding["related"].as_array().unwrap());
        for place in places {
            let path = format!("{}/fixtures/platform/violating/{}", support::ROOT, place["path"].as_str().unwrap());
            let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{rule}: {path}: {error}"));
            let lines = String::from_utf8_lossy(&bytes).lines().count().max(1);
            let line = usize::try_from(place["start"]["line"].as_u64().unwrap()).unwrap();
            assert!((1..=lines).contains(&line), "{rule}: {path}:{line} has {lines} lines");
        }
        assert_eq!(finding["start"]["line"], finding["end"]["line"], "{rule}: a finding points to one line");
    }
}
