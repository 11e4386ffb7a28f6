//! Whole plays against Ansible: which tasks run on which hosts, with what arguments, turn by turn.
//!
//! Each folder of `tests/plays` is a project whose `deploy.sh` runs `ansible-playbook`; `answers.json` beside its files is what every
//! named task did on every host, written by this test with `STATEWARD_UPDATE=1`. Where Ansible is at hand it runs the plays again;
//! `STATEWARD_ORACLES=required` makes its absence a failure.

mod support;

use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{ROOT, ansible_python};

const RECORD: &str = "answers.json";

fn folders() -> Vec<PathBuf> {
    let listed = fs::read_dir(Path::new(ROOT).join("tests/plays")).expect("the projects are there");
    let mut folders: Vec<PathBuf> = listed.map(|entry| entry.expect("they can be listed").path()).collect();
    folders.sort();
    folders
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What Ansible does in a project.
fn asked(python: &Path, folder: &Path) -> Json {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("plays-{}-{}", name(folder), std::process::id()));
    let script = Path::new(ROOT).join("tests/oracle/ansible_plays.py");
    let output = Command::new(python).arg(script).arg(folder).arg(&out).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(&out).expect("the answers were written");
    fs::remove_file(&out).expect("they can be removed");
    serde_json::from_str(&text).expect("they are JSON")
}

fn recorded(folder: &Path) -> Json {
    let text = fs::read_to_string(folder.join(RECORD)).expect("STATEWARD_UPDATE=1 records the answers");
    serde_json::from_str(&text).expect("the record is JSON")
}

/// Fails with the first task that now does something else.
fn differs(project: &str, asked: &Json, recorded: &Json) {
    for (now, before) in asked.as_array().into_iter().flatten().zip(recorded.as_array().into_iter().flatten()) {
        for (task, hosts) in now["tasks"].as_object().expect("tasks by name") {
            assert_eq!(hosts, &before["tasks"][task], "{project}: {task}: STATEWARD_UPDATE=1 records anew");
        }
    }
    assert!(asked == recorded, "{project}: runs, tasks or hosts are gone");
}

#[test]
fn the_record_is_what_ansible_does() {
    let (mut answers, mut differing) = (0, 0);
    let python = ansible_python();
    for folder in folders() {
        if let Some(python) = &python {
            let asked = asked(python, &folder);
            if std::env::var_os("STATEWARD_UPDATE").is_some() {
                fs::write(folder.join(RECORD), format!("{asked:#}\n")).expect("it can be written");
            }
            differs(&name(&folder), &asked, &recorded(&folder));
        }
        for run in recorded(&folder).as_array().expect("a list of runs") {
            for (_, hosts) in run["tasks"].as_object().expect("tasks by name") {
                let hosts: Vec<&Json> = hosts.as_object().into_iter().flatten().map(|(_, times)| times).collect();
                answers += hosts.len();
                differing += if hosts.iter().any(|times| *times != hosts[0]) { hosts.len() } else { 0 };
            }
        }
    }
    println!("{answers} answers, {differing} of tasks that do not do the same on every host");
    assert!(answers > 1000 && differing > 400, "{answers} answers, {differing} that differ between hosts");
}
