//! Expressions, templates and conditions as Ansible evaluates them and as Stateward does: `tests/oracle/ansible/*.txt`
//! over the variables beside them. Ansible's answers are recorded, so the comparison needs no Ansible; where there is
//! one, `STATEWARD_UPDATE=1` records them anew, and else they are checked.

mod support;

use serde_json::{Value as Json, json};
use stateward::model::ansible::Ansible;
use stateward::model::load::{Documents, Options};
use stateward::source::{File, Tree};
use stateward::value::{Kind, Tri};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is evaluated: a template, or a condition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Case {
    condition: bool,
    text: String,
}

/// Where the answers differ, and why.
const KNOWN: [(&str, &str); 3] = [
    ("{{ 'foo' | regex_replace('(?<=f)o', '0') }}", "patterns that look around are not evaluated"),
    ("{{ +3 }}", "the parser knows no sign `+` before a number"),
    (
        "{{ names.count('bob') }}",
        "Ansible 2.19 counts no string that comes from a file, since it is marked with its origin",
    ),
];

fn folder() -> PathBuf {
    Path::new(support::ROOT).join("tests/oracle/ansible")
}

/// One case a line; between `<<<` and `>>>` one of several lines.
fn cases() -> Vec<Case> {
    let mut paths: Vec<_> = fs::read_dir(folder())
        .expect("the cases are there")
        .map(|entry| entry.expect("they can be listed").path())
        .filter(|path| path.extension().is_some_and(|own| own == "txt"))
        .collect();
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let condition = path.file_stem().is_some_and(|name| name == "conditions");
        let text = fs::read_to_string(&path).expect("the cases can be read");
        let mut block: Option<String> = None;
        let mut add = |text: String| cases.push(Case { condition, text });
        for line in text.lines() {
            match (line, &mut block) {
                ("<<<", None) => block = Some(String::new()),
                (">>>", Some(_)) => block.take().into_iter().for_each(&mut add),
                (line, Some(block)) => writeln!(block, "{line}").expect("a string takes all"),
                (line, None) if line.is_empty() || line.starts_with("# ") => {}
                (line, None) => add(line.to_owned()),
            }
        }
    }
    cases
}

fn variables() -> String {
    fs::read_to_string(folder().join("variables.yml")).expect("it can be read")
}

fn key(case: &Case) -> String {
    if case.condition { format!("when: {}", case.text) } else { case.text.clone() }
}

/// The interpreter that has Ansible.
fn python() -> Option<String> {
    let named = std::env::var("STATEWARD_ANSIBLE_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&named).args(["-c", "import ansible.template"]).output();
    let found = found.is_ok_and(|output| output.status.success());
    let required = std::env::var("STATEWARD_ORACLES").is_ok_and(|value| value == "required");
    assert!(found || !required, "STATEWARD_ORACLES=required, and `{named}` has no Ansible");
    if !found {
        println!("skipped: `{named}` has no Ansible; its recorded answers are taken");
    }
    found.then_some(named)
}

/// Ansible's answers, by case.
fn asked(python: &str, cases: &[Case]) -> BTreeMap<String, Json> {
    let texts: Vec<Json> = cases.iter().map(|case| json!({ "text": case.text, "condition": case.condition })).collect();
    let request = json!({ "folder": folder(), "variables": "variables.yml", "cases": texts });
    let mut child = Command::new(python)
        .arg(folder().join("record.py"))
        .env("PYTHONHASHSEED", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut input = child.stdin.take().expect("it was piped");
    input.write_all(request.to_string().as_bytes()).expect("Python reads");
    drop(input);
    let output = child.wait_with_output().expect("Python ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<Json> = serde_json::from_slice(&output.stdout).expect("it writes JSON");
    cases.iter().map(key).zip(answers).collect()
}

fn recorded_path() -> PathBuf {
    folder().join("recorded.json")
}

fn recorded() -> BTreeMap<String, Json> {
    let text = fs::read_to_string(recorded_path()).unwrap_or_else(|_| "{}".into());
    serde_json::from_str(&text).expect("it is JSON")
}

/// Whether Ansible refused; the message is for people and differs between versions.
fn refused(answer: &Json) -> bool {
    answer.get("@refused").is_some()
}

/// What Ansible answers: recorded, and compared with an Ansible that is there.
fn theirs(cases: &[Case]) -> BTreeMap<String, Json> {
    let update = std::env::var_os("STATEWARD_UPDATE").is_some();
    let old = recorded();
    let Some(python) = python() else { return old };
    let new = asked(&python, cases);
    if update {
        let mut text = serde_json::to_string_pretty(&new).expect("it is JSON");
        text.push('\n');
        fs::write(recorded_path(), text).expect("it can be written");
        return new;
    }
    for (case, answer) in &new {
        let before = old.get(case);
        let same = before.is_some_and(|before| refused(before) && refused(answer) || before == answer);
        assert!(same, "{case}: recorded {before:?}, now {answer}; STATEWARD_UPDATE=1 records anew");
    }
    old
}

/// A tree with the variables in reach of one task.
fn tree(variables: &str) -> Tree {
    let playbook = "- hosts: all\n  vars_files: [variables.yml]\n  tasks:\n    - debug:\n        msg: x\n";
    let read = |path: &str| fs::read(folder().join(path)).expect("it can be read");
    let files = [
        ("site.yml", playbook.into()),
        ("variables.yml", variables.into()),
        ("files/motd.txt", read("files/motd.txt")),
    ];
    let files: Vec<File> =
        files.into_iter().map(|(path, text): (&str, Vec<u8>)| File::in_memory(path, text, true)).collect();
    Tree::new(files, None)
}

fn ours(cases: &[Case], variables: &str) -> Vec<Result<Json, String>> {
    let tree = tree(variables);
    let documents = Documents::load(&tree, &Options::default());
    let ansible = Ansible::build(&documents);
    let task = &ansible.tasks[0];
    let answer = |case: &Case| {
        if !case.condition {
            let value = ansible.evaluate_text(task, &case.text);
            // What is omitted is an error outside of arguments.
            return if matches!(value.kind, Kind::Absent) {
                Err("it is omitted".into())
            } else {
                support::as_json(&value)
            };
        }
        match ansible.condition_text(task, &case.text, task.loc) {
            Tri::Unknown(reason) => Err(reason.to_string()),
            truth => Ok(truth.is_true().into()),
        }
    };
    cases.iter().map(answer).collect()
}

/// Equal, whole numbers and others being one.
fn same(a: &Json, b: &Json) -> bool {
    if let Some(written) = a.get("@float").and_then(Json::as_str) {
        let (a, b) = (written.parse::<f64>().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
        return (a - b).abs() <= 1e-12 * a.abs();
    }
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}

#[test]
fn expressions_come_out_as_in_ansible() {
    let cases = cases();
    let theirs = theirs(&cases);
    let mut differing = Vec::new();
    let mut wrong = 0;
    for (case, ours) in cases.iter().zip(ours(&cases, &variables())) {
        let name = key(case);
        let theirs =
            theirs.get(&name).unwrap_or_else(|| panic!("{name} is not recorded; STATEWARD_UPDATE=1 records it"));
        let agree = match &ours {
            Ok(ours) => !refused(theirs) && same(theirs, ours),
            Err(_) => refused(theirs),
        };
        if !agree {
            println!("{}\n    ansible:   {theirs}\n    stateward: {ours:?}", name.trim_end());
            wrong += usize::from(ours.is_ok());
            differing.push(name.trim_end().to_owned());
        }
    }
    let agreed = cases.len() - differing.len();
    println!("{agreed} of {} agree; {} differ, {wrong} of them known and wrong", cases.len(), differing.len());
    assert!(agreed * 100 >= cases.len() * 98, "fewer than 98 % agree");
    let mut known: Vec<&str> = KNOWN.iter().map(|(case, _)| *case).collect();
    differing.sort_unstable();
    known.sort_unstable();
    assert_eq!(differing, known, "what differs and what is listed with its cause");
}

/// What is known although a variable is not is what comes out when it is: nothing is guessed.
#[test]
fn what_is_known_early_stays() {
    let (cases, all) = (cases(), variables());
    let full = ours(&cases, &all);
    let names: Vec<&str> = all
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| Some(line.split_once(':')?.0))
        .collect();
    let mut early = 0;
    for name in names {
        let mut inside = false;
        let mut without = String::new();
        for line in all.lines() {
            inside = if line.starts_with(' ') { inside } else { line.starts_with(&format!("{name}:")) };
            if !inside {
                writeln!(without, "{line}").expect("a string takes all");
            }
        }
        writeln!(without, "{name}: \"{{{{ ansible_facts.{name} }}}}\"").expect("a string takes all");
        for ((case, full), answer) in cases.iter().zip(&full).zip(ours(&cases, &without)) {
            if let Ok(known) = answer {
                let mentioned = case.text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name);
                early += usize::from(mentioned);
                let stays = full.as_ref().is_ok_and(|full| same(&known, full));
                assert!(stays, "without `{name}`, {}: {known}; with it, {full:?}", key(case));
            }
        }
    }
    println!("{early} answers are known without a variable that they name");
    assert!(early > 20, "only {early}");
}
