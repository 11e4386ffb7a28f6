//! Documents say what is so: generated parts are compared with their source, commands are run.
//!
//! `STATEWARD_UPDATE=1 cargo test --test documents` writes the generated parts anew.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use support::{Folder, ROOT, Run, run, stateward};

fn read(path: &str) -> String {
    fs::read_to_string(format!("{ROOT}/{path}")).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Compares a document with what it should be, or writes it.
fn hold(path: &str, wanted: &str) {
    if std::env::var_os("STATEWARD_UPDATE").is_some() {
        fs::write(format!("{ROOT}/{path}"), wanted).unwrap();
        return;
    }
    let present = read(path);
    let first = present.lines().zip(wanted.lines()).position(|(a, b)| a != b);
    let line = first.unwrap_or_else(|| present.lines().count().min(wanted.lines().count()));
    let shown = (present.lines().nth(line).unwrap_or(""), wanted.lines().nth(line).unwrap_or(""));
    assert!(
        present == wanted,
        "{path}:{} is\n  {}\nand should be\n  {}\nrun `STATEWARD_UPDATE=1 cargo test --test documents`",
        line + 1,
        shown.0,
        shown.1
    );
}

/// The text with the part between `<!-- generated: name -->` and `<!-- end -->` replaced.
fn with_part(text: &str, name: &str, part: &str) -> String {
    let open = format!("<!-- generated: {name} -->\n");
    let from = text.find(&open).unwrap_or_else(|| panic!("no part `{name}`")) + open.len();
    let to = from + text[from..].find("<!-- end -->").expect("a part has an end");
    format!("{}{part}{}", &text[..from], &text[to..])
}

const EXCERPT: [&str; 1] = ["data-service-on-disposable-root"];

/// A few findings of a human report, and its last line.
fn excerpt(report: &str) -> String {
    let mut blocks: Vec<String> = Vec::new();
    let (findings, summary) = report.trim_end().rsplit_once('\n').expect("findings and a summary");
    for line in findings.lines() {
        if ["error[", "warning[", "info["].iter().any(|head| line.starts_with(head)) || blocks.is_empty() {
            blocks.push(String::new());
        }
        let last = blocks.last_mut().unwrap();
        let _ = writeln!(last, "{}", line.trim_end());
    }
    let shown = EXCERPT.map(|rule| {
        let found = blocks.iter().find(|block| block.contains(&format!("[{rule}]")));
        format!("{}\n", found.unwrap_or_else(|| panic!("no {rule} in\n{report}")).trim_end())
    });
    format!("```text\n{}\n…\n{}\n```\n", shown.join("\n"), summary)
}

/// A row for each family: how many rules, and what the most severe of them say.
fn families() -> String {
    let rules = run(&["rules", "--format", "json"]).json();
    let list = rules.as_array().or_else(|| rules["rules"].as_array()).expect("a list");
    let mut by_family: BTreeMap<&str, Vec<&serde_json::Value>> = BTreeMap::new();
    for rule in list.iter().filter(|rule| rule["family"] != "meta") {
        by_family.entry(rule["family"].as_str().unwrap()).or_default().push(rule);
    }
    let mut table = String::from("| family | rules | for instance |\n|---|---|---|\n");
    for (family, mut rules) in by_family {
        rules.sort_by_key(|rule| ["error", "warning", "info"].iter().position(|word| rule["severity"] == *word));
        let shown = rules.iter().take(2).map(|rule| {
            let id = rule["id"].as_str().unwrap();
            format!("[`{id}`](rules/{family}/{id}.yaml): {}", rule["summary"].as_str().unwrap())
        });
        let _ = writeln!(table, "| `{family}` | {} | {} |", rules.len(), shown.collect::<Vec<_>>().join(" "));
    }
    table
}

#[test]
fn the_readme_shows_what_the_program_says() {
    let report = run(&["check", "fixtures/platform/violating"]);
    assert_eq!(report.code, 1, "{}", report.err);
    let text = with_part(&read("README.md"), "findings", &excerpt(&report.out));
    hold("README.md", &with_part(&text, "families", &families()));
}

#[test]
fn hooks_start_for_every_file_that_can_be_judged() {
    let pattern = stateward::model::kind::pattern();
    let block: String = pattern.lines().fold("|".to_owned(), |text, line| format!("{text}\n    {line}"));
    let mut wanted = String::new();
    let mut inside = false;
    for line in read(".pre-commit-hooks.yaml").lines() {
        inside &= line.starts_with("    ");
        if line.starts_with("  files:") {
            inside = true;
            let _ = writeln!(wanted, "  files: {block}");
        } else if !inside {
            let _ = writeln!(wanted, "{line}");
        }
    }
    hold(".pre-commit-hooks.yaml", &wanted);
    let compiled = regex::Regex::new(&pattern).unwrap();
    for entry in walkdir::WalkDir::new(format!("{ROOT}/fixtures/platform")).into_iter().flatten() {
        let path = entry.path().strip_prefix(ROOT).unwrap().to_string_lossy().into_owned();
        let judged = !matches!(stateward::model::kind::by_path(&path), stateward::model::kind::Candidate::Not(_));
        assert!(!entry.file_type().is_file() || !judged || compiled.is_match(&path), "{path}");
    }
}

/// The commands of a document's `console` blocks.
fn commands(text: &str) -> Vec<String> {
    let blocks = text.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap_or(""));
    blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
}

/// What builds anew or runs everything: `.ci/run` does it, under the very same words.
fn is_for_ci(command: &str) -> bool {
    command == ".ci/run" || command.starts_with("cargo ")
}

#[test]
fn commands_in_documents_do_what_is_said() {
    let script = read(".ci/run");
    for document in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md"] {
        for command in commands(&read(document)) {
            let (words, remark) = command.split_once("  # ").unwrap_or((&command, ""));
            let code = remark.strip_prefix("exits ").map_or(0, |code| code.parse().unwrap());
            if is_for_ci(words) {
                assert!(words == ".ci/run" || script.contains(words), "{document}: .ci/run lacks `{words}`");
                continue;
            }
            // A revision before is only there where the sources came with Git.
            let compares = ["--staged", "--since"].iter().any(|flag| words.contains(flag));
            if compares && !Path::new(ROOT).join(".git").exists() {
                continue;
            }
            let arguments = words.strip_prefix("stateward ").unwrap_or_else(|| panic!("{document}: `{words}`?"));
            let code = if words == "stateward check fixtures/platform/violating" { 1 } else { code };
            // Reports are written to a folder that goes away.
            let folder = Folder::new(&[]);
            let word = |word: &str| match word.split_once('=') {
                Some((format, file)) => format!("{format}={}", folder.path().join(file).display()),
                None => word.to_owned(),
            };
            let done: Run = stateward().args(arguments.split(' ').map(word)).output().unwrap().into();
            assert_eq!(done.code, code, "{document}: `{words}`\n{}{}", done.out, done.err);
            assert!(!done.out.is_empty(), "{document}: `{words}` says nothing");
        }
    }
}

#[test]
fn the_configuration_in_the_readme_is_sound() {
    let text = read("README.md");
    let block = text.split("```yaml\n").find(|block| block.starts_with("root: true")).expect("the configuration");
    let config = block.split("```").next().unwrap();
    let folder = Folder::new(&[(".stateward.yaml", config), ("main.tf", "locals {}\n")]);
    let done = folder.run(&["check"]);
    assert_ne!(done.code, 2, "{}", done.err);
}

#[test]
fn documents_name_rules_flags_and_formats_that_exist() {
    let readme = with_part(&read("README.md"), "findings", "");
    let help = run(&["check", "--help"]).out;
    for (at, _) in readme.match_indices("--") {
        let flag: String = readme[at..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        let elsewhere = ["--release", "--locked", "--path", "--help"].contains(&flag.as_str());
        assert!(flag.len() < 4 || elsewhere || help.contains(&flag), "README.md: {flag}");
    }
    let formats = help.split("possible values: ").nth(1).and_then(|rest| rest.split(']').next()).unwrap_or(&help);
    for format in ["human", "json", "sarif", "github", "markdown"] {
        assert!(readme.contains(&format!("| `{format}` |")) && help.contains(format), "{format}: {formats}");
    }
}

#[test]
fn inputs_of_the_action_reach_the_shell_through_the_environment_only() {
    let action = read("action.yml");
    for block in action.split("run: |").skip(1) {
        let script: String = block.lines().skip(1).take_while(|line| line.starts_with("        ")).collect();
        assert!(!script.is_empty() && !script.contains("${{"), "{script}");
    }
    for output in ["sarif", "findings", "exit-code"] {
        assert!(read(".github/check.sh").contains(&format!("{output}=")), "{output}");
    }
}

/// Runs the action's script as its step would.
#[cfg(unix)]
fn act(folder: &Folder, fail_on: &str, since: &str) -> (Run, String, String) {
    folder.write("temp/stateward/bin/keep", "");
    let own = folder.path().join("temp/stateward/bin/stateward");
    if !own.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_stateward"), own).unwrap();
    }
    folder.write("out", "");
    folder.write("summary", "");
    let mut command = std::process::Command::new("bash");
    command.arg(format!("{ROOT}/.github/check.sh")).current_dir(folder.path().join("repository"));
    for (name, value) in [("RUNNER_TEMP", "temp"), ("GITHUB_OUTPUT", "out"), ("GITHUB_STEP_SUMMARY", "summary")] {
        command.env(name, folder.path().join(value));
    }
    command.env("STATEWARD_PATHS", ".\n").env("STATEWARD_FAIL_ON", fail_on);
    command.env("STATEWARD_SINCE", since).env("STATEWARD_CONFIG", "").env("STATEWARD_SARIF", "a report.sarif");
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let done = command.output().unwrap().into();
    (done, text("out"), text("summary"))
}

#[cfg(unix)]
#[test]
fn the_action_annotates_and_reports() {
    let script = "#!/bin/sh\nterraform force-unlock -force 1234\n";
    let files = [("repository/.stateward.yaml", "root: true\n"), ("repository/a.sh", script)];
    let folder = Folder::new(&files);
    let (done, out, summary) = act(&folder, "", "");
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(done.out.contains("::error file=a.sh,line=2"), "{}", done.out);
    assert_eq!(out, "exit-code=1\nsarif=a report.sarif\nfindings=1\n");
    assert!(summary.contains("| error | force-unlock | a.sh:2 |"), "{summary}");
    assert!(folder.path().join("repository/a report.sarif").exists());
    assert_eq!(act(&folder, "never", "").0.code, 0);
    // Outside of Git there is nothing to compare with.
    assert_eq!(act(&folder, "", "main").0.code, 2);
    // An input is a word to the program, whatever it says to a shell.
    let (done, out, _) = act(&folder, "$(touch owned); touch owned", "");
    assert_eq!((done.code, out.as_str()), (2, "exit-code=2\n"));
    assert!(!folder.path().join("repository/owned").exists());
}
