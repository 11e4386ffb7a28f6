//! How machines of Terraform are joined with plays, data and images: small projects, each with what the map must say of them.

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What must have a project that shows it, and one that only looks like it.
const SHOWN: [&str; 31] = [
    "join: host name",
    "join: label of a resource",
    "join: static address",
    "join: shared address",
    "join: hardware address",
    "join: host pattern",
    "join: tag",
    "join: group",
    "join: inventory plugin",
    "join: written inventory",
    "join: script of outputs",
    "join: script of state",
    "join: constructed group",
    "join: host resource",
    "join: handed over",
    "join: pct exec",
    "join: remote-exec",
    "join: uploaded compose file",
    "join: first boot",
    "storage: root filesystem",
    "storage: container-owned volume",
    "storage: own disk",
    "storage: bind mount",
    "storage: managed volume",
    "storage: NFS",
    "storage: iSCSI",
    "storage: RBD",
    "storage: named volume",
    "storage: anonymous volume",
    "storage: pct set",
    "storage: data-holder guest",
];

/// The tables, each with the least number of its projects.
const TABLES: [(&str, usize); 5] = [
    (include_str!("joins/names.txt"), 40),
    (include_str!("joins/plugins.txt"), 46),
    (include_str!("joins/made.txt"), 34),
    (include_str!("joins/brought.txt"), 36),
    (include_str!("joins/storage.txt"), 34),
];

/// A project: its files, and a line for each join that the map must tell.
struct Case {
    name: String,
    /// What of `SHOWN` it shows, or looks like.
    shows: Option<String>,
    files: Vec<(String, String)>,
    expected: BTreeSet<String>,
}

/// `=== name`, `*** what it shows`, `--- path` before each file, `>>> line` for each join.
fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            cases.push(Case { name: name.to_owned(), shows: None, files: Vec::new(), expected: BTreeSet::new() });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        if let Some(path) = line.strip_prefix("--- ") {
            case.files.push((path.to_owned(), String::new()));
        } else if let Some(shows) = line.strip_prefix("*** ") {
            case.shows = Some(shows.to_owned());
        } else if let Some(expected) = line.strip_prefix(">>> ") {
            case.expected.insert(expected.to_owned());
        } else if let Some((_, text)) = case.files.last_mut() {
            let _ = writeln!(text, "{line}");
        }
    }
    cases
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value[key].as_array().into_iter().flatten()
}

/// What the map tells of machines: who configures each, why, how sure; what data it keeps where and what becomes of it.
fn told(map: &Value) -> BTreeSet<String> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or("").to_owned();
    let machines =
        list(map, "objects").filter(|object| object["id"].as_str().is_some_and(|id| id.starts_with("terraform:")));
    let mut found = BTreeSet::new();
    for machine in machines.filter(|machine| machine["sort"] == "host") {
        let mut name = text(machine, "name");
        if list(map, "objects").filter(|other| other["name"] == machine["name"]).count() > 1 {
            name = format!("{name} in {}", text(machine, "environment"));
        }
        for owner in list(machine, "owners").filter(|owner| owner["tool"] == "ansible" && owner["does"] == "configures")
        {
            let run = if owner["run"] == true { ", run" } else { "" };
            found.insert(format!(
                "{name} <- {}: {} ({}{run})",
                text(owner, "what"),
                text(owner, "because"),
                text(owner, "confidence")
            ));
        }
        for datum in list(machine, "data") {
            found.insert(format!(
                "{name} keeps {} in {}: {}, {}",
                text(datum, "service"),
                text(datum, "path"),
                datum["storage"].as_str().unwrap_or("unknown"),
                text(datum, "fate")
            ));
        }
    }
    found
}

fn judge(case: &Case) -> Option<String> {
    let files: Vec<(&str, &str)> = case.files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let run = support::Folder::new(&files).run(&["map", "--format", "json"]);
    assert_eq!(run.code, 0, "{}: {}", case.name, run.err);
    let found = told(&run.json());
    if found == case.expected {
        return None;
    }
    let mut told = format!("\n{}\n", case.name);
    for line in case.expected.difference(&found) {
        let _ = writeln!(told, "  missing: {line}");
    }
    for line in found.difference(&case.expected) {
        let _ = writeln!(told, "  not expected: {line}");
    }
    Some(told)
}

fn check(table: usize) {
    let (text, least) = TABLES[table];
    let cases = cases(text);
    assert!(cases.len() >= least, "{} projects", cases.len());
    let wrong: String = cases.iter().filter_map(judge).collect();
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn names_and_addresses() {
    check(0);
}

#[test]
fn inventory_plugins() {
    check(1);
}

#[test]
fn inventories_that_terraform_makes() {
    check(2);
}

#[test]
fn what_else_comes_to_a_machine() {
    check(3);
}

#[test]
fn storage_and_its_fate() {
    check(4);
}

/// Each key by which machines are joined and each kind of storage has a project that shows it and a near miss.
#[test]
fn every_key_and_storage_has_its_projects() {
    let all: Vec<Case> = TABLES.iter().flat_map(|(text, _)| cases(text)).collect();
    let mut missing = Vec::new();
    for shown in SHOWN {
        for near in [false, true] {
            let has =
                |case: &Case| case.shows.as_deref() == Some(shown) && case.name.starts_with("near miss: ") == near;
            if !all.iter().any(has) {
                missing.push((shown, if near { "near miss" } else { "project" }));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
    let unknown: Vec<&str> =
        all.iter().filter_map(|case| case.shows.as_deref()).filter(|shows| !SHOWN.contains(shows)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
