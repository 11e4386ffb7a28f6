//! Every card proves itself by its own examples, and a card that is wrong is told where.

mod support;

use rayon::prelude::*;
use stateward::engine::{built_in, examples};
use stateward::rule::card::Card;
use support::Folder;

#[test]
fn every_example_of_every_built_in_card() {
    let cards = built_in().unwrap_or_else(|errors| panic!("{errors:#?}"));
    let files: serde_json::Value = serde_json::from_str(Card::built_in_files()).unwrap();
    let files: Vec<(&String, &serde_json::Value)> = files.as_object().unwrap().iter().collect();
    assert_eq!(files.len(), cards.len());
    let wrong: Vec<String> = files
        .par_iter()
        .flat_map_iter(|(id, file)| {
            let (path, text) = (file["path"].as_str().unwrap(), file["text"].as_str().unwrap());
            let reports = examples::run(path, text, &cards).unwrap_or_else(|errors| panic!("{id}: {errors:#?}"));
            assert!(!reports.is_empty(), "{path} has no example");
            let failed = reports.into_iter().filter(|report| !report.differences.is_empty());
            failed
                .map(|report| {
                    format!("{path}:{}: {}\n  {}", report.line, report.example, report.differences.join("\n  "))
                })
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{} examples fail:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_card_fails_and_passes_somewhere() {
    let files: serde_json::Value = serde_json::from_str(Card::built_in_files()).unwrap();
    for (id, file) in files.as_object().unwrap() {
        let text = file["text"].as_str().unwrap();
        assert!(text.contains("\nfails:") && text.contains("\npasses:"), "{id} lacks `fails` or `passes`");
    }
}

/// A card for scripts, with one part replaced.
fn card(old: &str, new: &str) -> String {
    let sound = std::fs::read_to_string(format!("{}/rules/control-state/force-unlock.yaml", support::ROOT)).unwrap();
    let changed = sound.replacen(old, new, 1);
    assert_ne!(sound, changed, "the card has no `{old}`");
    changed
}

#[test]
fn a_wrong_card_is_told_where() {
    for (old, new, place) in [
        ("severity: error", "severity: fatal", "severity: fatal"),
        ("id: force-unlock", "id: other-name", "id: other-name"),
        ("summary:", "sumary:", "sumary:"),
        ("for: command", "for: comand", "for: comand"),
    ] {
        let text = card(old, new);
        let folder = Folder::new(&[("policy/force-unlock.yaml", &text)]);
        let done = folder.run(&["test", "policy"]);
        assert_eq!(done.code, 2, "{new}: {}", done.out);
        let line = text.lines().position(|line| line.contains(place)).unwrap() + 1;
        assert!(done.err.contains(&format!("force-unlock.yaml:{line}:")), "{new}: {}", done.err);
        assert!(done.err.contains(&format!("{line} | ")) && done.err.contains('^'), "{new}: {}", done.err);
    }
}

#[test]
fn an_example_that_does_not_hold_fails_the_test() {
    let sound = card("id: ", "id:  ");
    let folder = Folder::new(&[("policy/force-unlock.yaml", &sound)]);
    let done = folder.run(&["test", "policy"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    // The marked line no longer does what the card forbids.
    let hollow = card("terraform force-unlock -force", "terraform plan -input");
    folder.write("policy/force-unlock.yaml", &hollow);
    let done = folder.run(&["test", "policy"]);
    assert_eq!(done.code, 1, "{}{}", done.out, done.err);
    assert!(done.out.contains("1 failed") && done.out.contains("policy/force-unlock.yaml:"), "{}", done.out);
}
