//! `hosts:` against Ansible: which hosts of an inventory the plays of a playbook mean, in order.
//!
//! `tests/hosts/hosts.json` is what Ansible said of `site.yml` beside it, written by this test with `STATEWARD_UPDATE=1`. Where
//! Ansible is at hand it is asked again; `STATEWARD_ORACLES=required` makes its absence a failure.

mod support;

use stateward::model::ansible::Ansible;
use stateward::model::load::{Documents, Options};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{ROOT, ansible_python};

fn asked(python: &Path, folder: &Path) -> String {
    let mut command = Command::new(python);
    command.arg(Path::new(ROOT).join("tests/oracle/ansible_hosts.py"));
    command.args([folder.join("inventory.ini"), folder.join("site.yml")]).env("ANSIBLE_LOCALHOST_WARNING", "False");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn plays_mean_the_hosts_that_ansible_chooses() {
    let folder: PathBuf = Path::new(ROOT).join("tests/hosts");
    let record = folder.join("hosts.json");
    if let Some(asked) = ansible_python().map(|python| asked(&python, &folder)) {
        if std::env::var_os("STATEWARD_UPDATE").is_some() {
            fs::write(&record, &asked).unwrap();
        }
        assert_eq!(asked, fs::read_to_string(&record).unwrap(), "Ansible chooses others now");
    }
    let theirs: Vec<Vec<String>> = serde_json::from_str(&fs::read_to_string(&record).unwrap()).unwrap();
    let tree = stateward::source::disk::tree(&folder).unwrap();
    let documents = Documents::load(&tree, &Options::default());
    let ansible = Ansible::build(&documents);
    assert_eq!(ansible.plays.len(), theirs.len());
    assert!(theirs.len() > 60);
    let mut wrong = Vec::new();
    for (play, theirs) in ansible.plays.iter().zip(&theirs) {
        let ours: Vec<Vec<String>> = ansible.hosts_of(play).into_iter().map(|(_, hosts)| hosts).collect();
        assert!(!play.pattern.dynamic, "{}", play.hosts);
        if ours != [theirs.clone()] {
            wrong.push(format!("{}: {ours:?} here, {theirs:?} by Ansible", play.hosts));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
