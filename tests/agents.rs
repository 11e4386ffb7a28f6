//! What agents are permitted: each line of the tables in `tests/agents` is a file of its product in a small repository, and must be
//! found as what it is, or not be found at all.

use stateward::config::Config;
use stateward::diag::Severity;
use stateward::engine::{Request, analyse, built_in};
use stateward::rule::card::Card;
use stateward::source::{File, Tree};

/// What every repository of the tables has, state in a bucket.
const REMOTE: &str = "terraform {\n  required_version = \"~> 1.11\"\n  backend \"s3\" {\n    bucket = \"harbor-tfstate\"\n    key = \"prod.tfstate\"\n    region = \"eu-central-1\"\n    encrypt = true\n    use_lockfile = true\n  }\n}\n\nprovider \"aws\" {}\n";
/// Or in its folder.
const LOCAL: &str = "terraform {\n  required_version = \"~> 1.11\"\n}\n\nprovider \"aws\" {}\n";

const AROUND: [(&str, &str); 5] = [
    (
        "Makefile",
        "plan:\n\tterraform plan\nlint:\n\ttflint\ncheck: lint\nrelease: lint apply\napply:\n\tterraform apply -auto-approve\n",
    ),
    ("scripts/plan.sh", "#!/bin/bash\nset -e\nterraform plan\n"),
    ("scripts/apply.sh", "#!/bin/bash\nset -e\nterraform apply -auto-approve\n"),
    ("scripts/report.py", "print(1)\n"),
    ("package.json", "{\"scripts\": {\"lint\": \"eslint .\", \"deploy\": \"tofu apply -auto-approve\"}}\n"),
];

/// The findings of the family in one file, as `rule:level`, without `agent-`.
fn findings(place: &str, content: &str, cards: &[Card]) -> Vec<String> {
    let (repository, path) = place.split_once('!').unwrap_or(("remote", place));
    let text = content.replace('⏎', "\n");
    let mut files = vec![(path.to_owned(), text)];
    let root = match repository {
        "none" => None,
        "local" => Some(LOCAL),
        _ => Some(REMOTE),
    };
    if let Some(root) = root {
        files.push(("terraform/envs/prod/main.tf".to_owned(), root.to_owned()));
        files.extend(
            AROUND.map(|(path, text)| (path.to_owned(), text.to_owned())).into_iter().filter(|it| it.0 != path),
        );
    }
    let files = files.into_iter().map(|(path, text)| File::in_memory(&path, text.into_bytes(), true)).collect();
    let tree = Tree::new(files, None);
    let request = Request { today: "2026-01-01".to_owned(), ..Request::default() };
    let analysis = analyse(&tree, cards, Config::at_root(&tree), &request).expect("there is no configuration");
    let here = analysis.findings.iter().filter(|it| tree.path(it.loc.file) == path);
    let mut found: Vec<String> = here
        .filter_map(|it| {
            let level = match it.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "info",
            };
            // A file that its product reads must not be called unreadable.
            let id = if it.rule == "unreadable-file" { "unreadable" } else { it.rule.strip_prefix("agent-")? };
            Some(format!("{id}:{level}"))
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn lines(table: &str) -> impl Iterator<Item = &str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with("# "))
}

#[test]
fn what_permits_too_much_is_found() {
    let cards = built_in().expect("cards are sound");
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in lines(include_str!("agents/grants.txt")) {
        let [expected, place, content] = line.splitn(3, '|').collect::<Vec<_>>()[..] else { panic!("{line}") };
        count += 1;
        let mut found = findings(place, content, &cards);
        if !expected.contains(":info") {
            found.retain(|it| !it.ends_with(":info"));
        }
        let fits = |want: &str, have: &String| have == want || have.split(':').next() == Some(want);
        let wanted: Vec<&str> = expected.split(',').collect();
        let all = wanted.iter().all(|want| found.iter().any(|have| fits(want, have)));
        let none_else = found.iter().all(|have| wanted.iter().any(|want| fits(want, have)));
        if !all || !none_else {
            wrong.push(format!("{place}\n    {content}\n    expected {expected}, found {found:?}"));
        }
    }
    assert!(count >= 120, "{count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_looks_alike_stays_silent() {
    let cards = built_in().expect("cards are sound");
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in lines(include_str!("agents/silent.txt")) {
        let (place, content) = line.split_once('|').expect("a place and a content");
        count += 1;
        let mut found = findings(place, content, &cards);
        found.retain(|it| !it.ends_with(":info"));
        if !found.is_empty() {
            wrong.push(format!("{place}\n    {content}\n    found {found:?}"));
        }
    }
    assert!(count >= 100, "{count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
