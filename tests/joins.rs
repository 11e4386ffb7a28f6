//! How machines of Terraform are joined with plays, data and images: small projects, each with what the map must say of them.

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A project: its files, and a line for each join that the map must tell.
struct Case {
    name: String,
    files: Vec<(String, String)>,
    expected: BTreeSet<String>,
}

/// `=== name`, `--- path` before each file, `>>> line` for each join.
fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            cases.push(Case { name: name.to_owned(), files: Vec::new(), expected: BTreeSet::new() });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        if let Some(path) = line.strip_prefix("--- ") {
            case.files.push((path.to_owned(), String::new()));
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

fn check(text: &str, least: usize) {
    let cases = cases(text);
    assert!(cases.len() >= least, "{} projects", cases.len());
    let wrong: String = cases.iter().filter_map(judge).collect();
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn names_and_addresses() {
    check(include_str!("joins/names.txt"), 20);
}

#[test]
fn inventory_plugins() {
    check(include_str!("joins/plugins.txt"), 16);
}

#[test]
fn inventories_that_terraform_makes() {
    check(include_str!("joins/made.txt"), 16);
}

#[test]
fn what_else_comes_to_a_machine() {
    check(include_str!("joins/brought.txt"), 12);
}
