//! `stateward map`: what it draws of a project, in every form.

mod support;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const VIOLATING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/platform/violating");

fn map(folder: &str, format: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_stateward"))
        .args(["map", folder, "--format", format, "--color", "never"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(folder: &str) -> Value {
    serde_json::from_str(&map(folder, "json")).unwrap()
}

#[test]
fn the_tree_of_a_platform() {
    insta::assert_snapshot!(map(VIOLATING, "text"));
}

#[test]
fn every_link_and_verdict_holds() {
    let map = json(VIOLATING);
    let objects = map["objects"].as_array().unwrap();
    let ids: BTreeSet<&str> = objects.iter().filter_map(|object| object["id"].as_str()).collect();
    assert_eq!(ids.len(), objects.len(), "ids are unique");
    for link in map["links"].as_array().unwrap() {
        assert!(ids.contains(link["from"].as_str().unwrap()) && ids.contains(link["to"].as_str().unwrap()), "{link}");
    }
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for object in objects {
        *counted.entry(object["verdict"].as_str().unwrap()).or_default() += 1;
    }
    for (verdict, count) in map["summary"]["verdicts"].as_object().unwrap() {
        assert_eq!(counted.get(verdict.as_str()).copied().unwrap_or(0), count.as_u64().unwrap(), "{verdict}");
    }
    assert!(counted.get("lost").is_some_and(|count| *count > 0), "the platform loses data: {counted:?}");
}

/// What a container keeps on a mount from elsewhere outlives its host, and what it keeps beside that does not.
#[test]
fn containers_on_mounts_from_elsewhere() {
    let folder = support::Folder::new(&[
        (".stateward.yaml", "root: true\n"),
        (
            "main.tf",
            "resource \"proxmox_lxc\" \"db\" {\n  hostname = \"db-1\"\n  rootfs {\n    size = \"8G\"\n  }\n}\n",
        ),
        (
            "site.yml",
            "- hosts: db-1\n  tasks:\n    - ansible.posix.mount: {path: /srv, src: 'nas:/export', fstype: nfs, state: mounted}\n    \
             - community.docker.docker_container: {name: far, image: 'postgres:16.4', volumes: ['/srv/pg:/var/lib/postgresql/data']}\n    \
             - community.docker.docker_container: {name: near, image: 'mariadb:11.4', volumes: ['/srvdata:/var/lib/mysql']}\n",
        ),
    ]);
    let map = folder.run(&["map", "--format", "json"]).json();
    let objects = map["objects"].as_array().unwrap();
    let verdict = |name: &str| &objects.iter().find(|object| object["name"] == name).unwrap()["verdict"];
    assert_eq!((verdict("far"), verdict("near"), verdict("db-1")), (&"kept".into(), &"lost".into(), &"lost".into()));
    let host = objects.iter().find(|object| object["name"] == "db-1").unwrap();
    let kinds: Vec<&Value> = host["storage"].as_array().unwrap().iter().map(|storage| &storage["kind"]).collect();
    assert_eq!(kinds, ["root", "remote"]);
}
