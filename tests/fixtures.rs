//! The two platforms: what is found in them, and that nothing but they decide it.
//!
//! After a rule has changed on purpose: `INSTA_UPDATE=always cargo test --test fixtures`, then read the difference.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use support::{Run, stateward};

/// 2026-01-01: exceptions of the fixtures end before or after.
const DAY: &str = "1767225600";

fn check(platform: &str, arguments: &[&str]) -> Run {
    let folder = format!("fixtures/platform/{platform}");
    let done = stateward().args(["check", &folder]).args(arguments).env("SOURCE_DATE_EPOCH", DAY).output();
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
