//! What scripts and people rely on: exit codes, selection, formats, suppressions, and where a project ends.

mod support;

use std::fs;
use std::io::Read as _;
use std::process::Stdio;
use support::{Folder, run};

const ROOT_MARK: (&str, &str) = (".stateward.yaml", "root: true\n");
const UNLOCK: (&str, &str) = ("scripts/unlock.sh", "#!/bin/sh\nterraform force-unlock -force 1234\n");
const BROKEN: (&str, &str) = ("infra/broken.tf", "locals {\n  a = \n}\n}\n");
const STATE: &str =
    "{\"version\": 4, \"terraform_version\": \"1.9.0\", \"serial\": 12, \"lineage\": \"7d1f\", \"resources\": []}\n";

/// 2026-01-01 and 2027-01-01.
const EARLY: &str = "1767225600";
const LATE: &str = "1798761600";

/// A script whose second line is a comment and whose third breaks a lock.
fn commented(comment: &str) -> Folder {
    Folder::new(&[ROOT_MARK, ("unlock.sh", &format!("#!/bin/sh\n# {comment}\nterraform force-unlock -force 1234\n"))])
}

#[test]
fn exit_codes() {
    let clean = Folder::new(&[ROOT_MARK, ("run.sh", "#!/bin/sh\nls\n")]);
    let done = clean.run(&["check"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);

    let violating = Folder::new(&[ROOT_MARK, UNLOCK]);
    assert_eq!(violating.run(&["check"]).code, 1);
    assert_eq!(violating.run(&["check", "--fail-on", "never"]).code, 0);

    let broken = Folder::new(&[ROOT_MARK, BROKEN]);
    let done = broken.run(&["check", "-q", "--select", "meta"]);
    assert_eq!(done.code, 3, "{}", done.out);
    assert!(done.rules().iter().all(|rule| *rule == "unreadable-file") && !done.rules().is_empty());

    // A finding above the threshold weighs more than a file that could not be read.
    let both = Folder::new(&[ROOT_MARK, UNLOCK, BROKEN]);
    assert_eq!(both.run(&["check", "-q"]).code, 1);
}

#[test]
fn usage_errors_give_two_and_judge_nothing() {
    let folder = Folder::new(&[ROOT_MARK, UNLOCK]);
    for arguments in [
        &["check", "--frobnicate"][..],
        &["check", "--format", "xml"],
        &["check", "--output", "json"],
        &["check", "--select", "no-such-rule"],
        &["check", "no/such/path"],
        &["check", "--config", "no-such-file.yaml"],
        &["explain", "no-such-rule"],
        &["test", "scripts"],
    ] {
        let done = folder.run(arguments);
        assert_eq!(done.code, 2, "{arguments:?}: {}{}", done.out, done.err);
        assert!(done.out.is_empty() && !done.err.is_empty(), "{arguments:?}: {}", done.out);
        assert!(!done.err.contains("panicked"), "{}", done.err);
    }
}

#[test]
fn nothing_to_judge_is_said_and_no_error() {
    let done = Folder::new(&[("notes.txt", "nothing\n")]).run(&["check"]);
    assert_eq!(done.code, 0);
    assert!(done.err.contains("nothing here to judge"), "{}", done.err);
}

#[test]
fn thresholds() {
    let folder = Folder::new(&[(".stateward.yaml", "root: true\nseverity: {force-unlock: warning}\n"), UNLOCK]);
    let code = |least: &str| folder.run(&["check", "--fail-on", least]).code;
    assert_eq!((code("error"), code("warning"), code("info"), code("never")), (0, 1, 1, 0));
    folder.write(".stateward.yaml", "root: true\nfail-on: error\nseverity: {force-unlock: warning}\n");
    assert_eq!(folder.run(&["check"]).code, 0);
    assert_eq!(code("warning"), 1, "the flag weighs more than the file");
}

#[test]
fn select_and_ignore() {
    let folder = Folder::new(&[
        ROOT_MARK,
        UNLOCK,
        ("infra/main.tf", "resource \"aws_db_instance\" \"a\" {\n  skip_final_snapshot = true\n}\n"),
    ]);
    let rules = |arguments: &[&str]| {
        let done = folder.run(&[&["check", "-q"], arguments].concat());
        done.rules().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(rules(&[]).len() > 2);
    assert_eq!(rules(&["--select", "force-unlock"]), ["force-unlock"]);
    assert_eq!(rules(&["--select", "force-unlock,final-copy-skipped"]).len(), 2);
    assert!(rules(&["--select", "data-protection"]).contains(&"final-copy-skipped".to_owned()));
    assert!(!rules(&["--ignore", "control-state"]).contains(&"force-unlock".to_owned()));
    assert!(!rules(&["--ignore", "force-unlock"]).contains(&"force-unlock".to_owned()));
}

#[test]
fn formats() {
    let folder = Folder::new(&[ROOT_MARK, UNLOCK]);
    let out = |format: &str| {
        let done = folder.run(&["check", "--format", format]);
        assert_eq!(done.code, 1, "{format}");
        done.out
    };
    let json: serde_json::Value = serde_json::from_str(&out("json")).unwrap();
    assert_eq!(json["schema"], 1);
    let finding = &json["findings"][0];
    assert_eq!(finding["rule"], "force-unlock");
    assert_eq!(finding["path"], "scripts/unlock.sh");
    assert_eq!((finding["start"]["line"].as_u64(), finding["start"]["column"].as_u64()), (Some(2), Some(1)));

    let sarif: serde_json::Value = serde_json::from_str(&out("sarif")).unwrap();
    let sarif_run = &sarif["runs"][0];
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif_run["results"][0]["ruleId"], "force-unlock");
    assert!(sarif_run["tool"]["driver"]["rules"].as_array().unwrap().len() > 30);

    assert!(out("github").starts_with("::error file=scripts/unlock.sh,line=2,"));
    assert!(out("markdown").contains("| error | force-unlock | scripts/unlock.sh:2 |"));
    assert!(out("human").contains("error[force-unlock]"));
    assert!(!out("human").contains('\u{1b}'), "no colour on a pipe");
}

#[test]
fn several_outputs_at_once() {
    let folder = Folder::new(&[ROOT_MARK, UNLOCK]);
    let done = folder.run(&[
        "check",
        "-qq",
        "--output",
        "sarif=report.sarif",
        "--output",
        "json=report.json",
        "--color",
        "always",
    ]);
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(
        serde_json::from_str::<serde_json::Value>(&read("report.json")).unwrap()["findings"][0]["fingerprint"]
            .is_string()
    );
    assert!(read("report.sarif").contains("primaryLocationLineHash"));
    let done = folder.run(&["check", "--output", "json=no/such/folder/report.json"]);
    assert_eq!(done.code, 2);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in [
        &["check", "fixtures/platform/violating", "--no-config", "--format", "json"][..],
        &["rules"],
        &["explain", "force-unlock"],
        &["completions", "bash"],
        &["test", "rules/control-state"],
    ] {
        let mut child =
            support::stateward().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert!(child.wait().unwrap().code().is_some_and(|code| code < 2), "{arguments:?}: {err}");
        assert!(!err.contains("panicked"), "{arguments:?}: {err}");
    }
}

/// A root whose guard hangs on a variable file, and a script that uses the one for tests.
fn two_environments() -> Folder {
    Folder::new(&[
        ROOT_MARK,
        (
            "main.tf",
            "variable \"guard\" {\n  type    = bool\n  default = true\n}\nresource \"aws_db_instance\" \"main\" {\n  deletion_protection = var.guard\n}\n",
        ),
        ("test.tfvars", "guard = false\n"),
        ("prod.tfvars", "guard = true\n"),
        ("plan.sh", "terraform plan -var-file=test.tfvars\n"),
        (".gitignore", "*.tfstate*\n.terraform/\n"),
    ])
}

#[test]
fn variable_files_come_from_scripts_or_from_the_command_line() {
    let folder = two_environments();
    let guard = |args: &[&str]| {
        let run = folder.run(&[&["check", "--select", "deletion-guard-disabled", "-q"], args].concat());
        (run.code, run.out.contains("deletion_protection is false"))
    };
    assert_eq!(guard(&[]), (1, true));
    assert_eq!(guard(&["--var-file", "prod.tfvars"]), (0, false));
    assert_eq!(folder.run(&["check", "--var-file", "none.tfvars"]).code, 2);
}

#[test]
fn mistakes_in_the_configuration_have_a_place() {
    let folder = Folder::new(&[(".stateward.yaml", "root: true\nfail_on: error\nignore: [no-such-rule]\n"), UNLOCK]);
    let done = folder.run(&["check"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(done.err.contains(".stateward.yaml:2:1: unknown key `fail_on`; did you mean `fail-on`?"), "{}", done.err);
    assert!(done.err.contains("  | fail_on: error\n  | ^^^^^^^\n"), "{}", done.err);
    assert!(done.err.contains(".stateward.yaml:3:10: "), "{}", done.err);
    assert_eq!(folder.run(&["check", "--no-config"]).code, 1);
    folder.write("other.yaml", "root: true\nfail-on: never\n");
    assert_eq!(folder.run(&["check", "--config", "other.yaml"]).code, 0);
}

#[test]
fn a_suppression_with_a_reason_holds_until_its_day() {
    let folder = commented("stateward:ignore[force-unlock] reason=\"the lab's own lock\" until=2026-06-30");
    let on = |day: &str, arguments: &[&str]| -> support::Run {
        let all = [&["check", "-q"], arguments].concat();
        folder.stateward().args(all).env("SOURCE_DATE_EPOCH", day).output().unwrap().into()
    };
    assert_eq!((on(EARLY, &[]).code, on(EARLY, &[]).rules()), (0, vec![]));
    assert_eq!(on(LATE, &[]).rules(), ["unused-suppression", "force-unlock"]);
    assert_eq!(on(EARLY, &["--no-ignores"]).rules(), ["force-unlock"]);
    let shown = on(EARLY, &["--show-suppressed"]);
    assert_eq!(shown.code, 0);
    assert!(shown.out.contains("suppressed error[force-unlock]"), "{}", shown.out);
}

#[test]
fn a_suppression_that_says_too_little_suppresses_nothing() {
    for (comment, meta) in [
        ("stateward:ignore[force-unlock]", "suppression-without-reason"),
        ("stateward:ignore reason=\"because\"", "suppression-without-reason"),
        ("stateward:ignore[force-unlok] reason=\"because\"", "unused-suppression"),
        ("stateward:ignore[state-file-edit] reason=\"because\"", "unused-suppression"),
    ] {
        let folder = commented(comment);
        let done = folder.run(&["check", "-q"]);
        assert_eq!(done.rules(), [meta, "force-unlock"], "{comment}");
    }
}

#[test]
fn suppressions_by_address() {
    let main = "resource \"aws_db_instance\" \"scratch\" {\n  skip_final_snapshot = true\n}\n";
    let config = "root: true\nsuppress:\n  - {rule: final-copy-skipped, address: \"aws_db_instance.scratch\", reason: rebuilt nightly, until: 2026-06-30}\n";
    let folder = Folder::new(&[(".stateward.yaml", config), ("infra/main.tf", main)]);
    let on = |day: &str| -> support::Run {
        folder
            .stateward()
            .args(["check", "-q", "--select", "final-copy-skipped"])
            .env("SOURCE_DATE_EPOCH", day)
            .output()
            .unwrap()
            .into()
    };
    assert_eq!((on(EARLY).code, on(LATE).code), (0, 1));
}

#[test]
fn a_suppression_by_address_leaves_the_other_instances() {
    let main = "resource \"aws_db_instance\" \"d\" {\n  for_each = toset([\"a\", \"b\", \"c\"])\n  identifier = each.key\n  deletion_protection = false\n}\n";
    let with = |address: &str| {
        let config = format!(
            "root: true\nsuppress:\n  - {{rule: deletion-guard-disabled, address: '{address}', reason: rebuilt, until: 2030-01-01}}\n"
        );
        let folder = Folder::new(&[(".stateward.yaml", &config), ("main.tf", main)]);
        let report = folder.run(&["check", "--format", "json", "--select", "deletion-guard-disabled"]).json();
        report["findings"].as_array().unwrap().first().map(|finding| {
            let shown = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            (shown(&finding["address"]), finding["instances"].as_array().unwrap().len(), shown(&finding["message"]))
        })
    };
    let (address, instances, message) = with("aws_db_instance.d[\"a\"]").unwrap();
    assert_eq!((address.as_str(), instances), ("aws_db_instance.d[\"b\"]", 2));
    assert_eq!(
        message,
        "aws_db_instance.d[\"b\"]: deletion_protection is false, so that one apply may delete it with its data (and 1 more)"
    );
    assert_eq!(with("aws_db_instance.d[\"*\"]"), None);
}

#[test]
fn tracked_state_is_a_finding_and_ignored_state_is_none() {
    let files = [("envs/prod/terraform.tfstate", STATE), ("run.sh", "#!/bin/sh\nls\n")];
    let select = ["check", "-q", "--select", "state-file-committed"];
    assert_eq!(Folder::in_git(&files).run(&select).rules(), ["state-file-committed"]);

    let ignored = Folder::in_git(&[(".gitignore", "*.tfstate\n"), files[0], files[1]]);
    assert_eq!(ignored.run(&select).rules(), Vec::<&str>::new());

    // Ignoring it later does not take it out of the index.
    ignored.git(&["add", "--force", "envs/prod/terraform.tfstate"]);
    assert_eq!(ignored.run(&select).rules(), ["state-file-committed"]);
}

#[test]
fn a_project_below_is_left_out() {
    let folder =
        Folder::in_git(&[UNLOCK, ("examples/lab/.stateward.yaml", "root: true\n"), ("examples/lab/a.sh", UNLOCK.1)]);
    let paths = |from: &str| -> Vec<String> {
        let json = folder.run(&["check", from, "--format", "json", "--select", "force-unlock"]).json();
        json["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["path"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(paths("."), ["scripts/unlock.sh"]);
    assert_eq!(paths("examples/lab"), ["a.sh"]);
}

#[test]
fn paths_select_what_is_reported_not_what_is_read() {
    let module = "variable \"skip\" {}\nresource \"aws_db_instance\" \"a\" {\n  skip_final_snapshot = var.skip\n}\n";
    let call = "module \"db\" {\n  source = \"../modules/db\"\n  skip   = true\n}\n";
    let folder = Folder::new(&[ROOT_MARK, UNLOCK, ("modules/db/main.tf", module), ("prod/main.tf", call)]);
    let done = folder.run(&["check", "-q", "modules", "--select", "final-copy-skipped,force-unlock"]);
    // The value stands in the call, which was not named.
    assert_eq!(done.rules(), ["final-copy-skipped"], "{}", done.out);
    let done = folder.run(&["check", "-q", "scripts/unlock.sh"]);
    assert_eq!(done.rules(), ["force-unlock"], "{}", done.out);
    assert_eq!(folder.run(&["check", "-q", "prod", "scripts", "--select", "force-unlock"]).rules(), ["force-unlock"]);
}

#[cfg(unix)]
#[test]
fn what_a_link_shows_again_is_told_once() {
    let folder = Folder::new(&[ROOT_MARK, UNLOCK]);
    std::os::unix::fs::symlink("scripts/unlock.sh", folder.path().join("unlock.sh")).unwrap();
    let done = folder.run(&["check", "--format", "json", "--select", "force-unlock"]);
    let json = done.json();
    let found = json["findings"].as_array().unwrap();
    assert!(found.len() == 1 && found[0]["path"] == "scripts/unlock.sh", "{}", done.out);
}

#[test]
fn every_file_is_accounted_for() {
    for platform in ["clean", "violating"] {
        let done =
            run(&["check", &format!("fixtures/platform/{platform}"), "--no-config", "--format", "json", "--stats"]);
        let files = &done.json()["summary"]["files"];
        let count = |name: &str| usize::try_from(files[name].as_u64().unwrap()).unwrap();
        let folder = format!("{}/fixtures/platform/{platform}", support::ROOT);
        let on_disk =
            walkdir::WalkDir::new(folder).into_iter().flatten().filter(|entry| !entry.file_type().is_dir()).count();
        assert_eq!(count("judged") + count("skipped") + count("unreadable"), on_disk, "{platform}: {files}");
    }
}

#[test]
fn statistics_add_up() {
    let done = run(&["check", "fixtures/platform/violating", "--no-config", "--stats"]);
    let number = |word: &str| -> usize {
        let line = done
            .out
            .lines()
            .find(|line| line.ends_with(&format!("  {word}")))
            .unwrap_or_else(|| panic!("{word}: {}", done.out));
        line.trim().split(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(number("judged") + number("skipped") + number("unreadable"), number("in all"));
}

#[test]
fn the_catalogue() {
    let rules = run(&["rules", "--format", "json"]).json();
    let rules = rules.as_array().or_else(|| rules["rules"].as_array()).expect("a list").clone();
    let ids: Vec<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted() && ids.len() >= 30);
    for id in ids {
        let done = run(&["explain", id]);
        assert_eq!(done.code, 0, "{id}");
        assert!(done.out.contains(id), "{id}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(run(&["completions", shell]).out.contains("stateward"), "{shell}");
    }
}

#[test]
fn rules_of_ones_own() {
    let rule = fs::read_to_string(format!("{}/rules/control-state/force-unlock.yaml", support::ROOT)).unwrap();
    let folder = Folder::new(&[(".stateward.yaml", "root: true\nrules: [\"policy/*.yaml\"]\n"), UNLOCK]);
    folder.write(
        "policy/our-unlock.yaml",
        &rule.replace("force-unlock.yaml", "our-unlock.yaml").replacen("id: force-unlock", "id: our-unlock", 1),
    );
    let done = folder.run(&["check", "-q", "--select", "our-unlock"]);
    assert_eq!((done.code, done.rules()), (1, vec!["our-unlock"]), "{}", done.err);

    folder.write("policy/wrong.yaml", "id: wrong\nseverity: fatal\n");
    let done = folder.run(&["check"]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("policy/wrong.yaml:2:11"), "{}", done.err);
    folder.write(".stateward.yaml", "root: true\nrules: [\"rules/*.yaml\"]\n");
    assert!(folder.run(&["check"]).err.contains("names no file"));
}
