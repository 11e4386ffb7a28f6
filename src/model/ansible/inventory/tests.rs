use super::*;
use crate::model::ansible::Pattern;
use crate::model::load::Options;
use crate::source::{File, Tree};

fn tree(files: &[(&str, &str)]) -> Tree {
    let file = |(path, text): &(&str, &str)| File::in_memory(path, text.as_bytes().to_vec(), true);
    Tree::new(files.iter().map(file).collect(), None)
}

#[test]
fn projects() {
    assert_eq!(project_of("ansible/inventories/prod/hosts.yml"), "ansible");
    assert_eq!(project_of("inventory/hosts.ini"), "");
    assert_eq!(project_of("labs/db/hosts.ini"), "labs/db");
    assert!(is_inside("labs/db/tasks", "labs/db") && is_inside("labs", "") && !is_inside("labs/db2", "labs/db"));
}

#[test]
fn a_file_that_cannot_be_read_may_hold_anything_weaker() {
    let tree = tree(&[
        ("inventory/hosts", "[web]\nw1 own=1\n[web:vars]\nrole=web\n"),
        ("inventory/group_vars/web.yml", "$ANSIBLE_VAULT;1.1;AES256\n61\n"),
        ("inventory/host_vars/w1.yml", "port: 80\n"),
    ]);
    let documents = Documents::load(&tree, &Options::default());
    let inventory = read(&documents);
    let layers = layers(&documents, &inventory.merged[0], "w1", None);
    let known = |name| matches!(layers.get(name), Some(Found::Set(..)));
    assert!(known("port") && known("own"));
    let Some(Found::Unknown(reason, _)) = layers.get("role") else { panic!("a vaulted file may set it") };
    assert_eq!(&*reason, "it is vaulted");
}

#[test]
fn folders_are_one_inventory_where_files_say_so() {
    let tree = tree(&[
        ("a/ansible.cfg", "[defaults]\ninventory = ./hosts.d/\n"),
        ("a/hosts.d/one.ini", "[web]\nw1 ansible_host=10.0.0.1\n"),
        ("a/hosts.d/two.ini", "[db]\nd1 ansible_host=10.0.0.2\n"),
        ("b/inventory/01-hosts.ini", "[web]\nw2\n"),
        ("b/inventory/02-groups.ini", "[site:children]\nweb\n"),
        ("c/inventory/prod.ini", "[web]\nw3\n"),
        ("c/inventory/stage.ini", "[web]\nw3\n"),
    ]);
    let documents = Documents::load(&tree, &Options::default());
    let inventory = read(&documents);
    let sources: Vec<&str> = inventory.merged.iter().flat_map(|merged| &merged.sources).map(String::as_str).collect();
    assert_eq!(sources, ["a/hosts.d", "b/inventory", "c/inventory/prod.ini", "c/inventory/stage.ini"]);
    assert_eq!(inventory.merged_from("b/playbooks").len(), 1);
    let joined = &inventory.merged_from("b")[0];
    assert_eq!(Pattern::parse("site").select(joined), ["w2"]);
    assert_eq!(inventory.merged_from("c").len(), 2);
    assert!(inventory.seen_from("b").groups_of("w2").contains(&"site"));
}

#[test]
fn what_is_run_leaves_an_inventory_open() {
    let tree = tree(&[
        ("inventory/cloud.aws_ec2.yml", "plugin: amazon.aws.aws_ec2\nregions: [eu-central-1]\n"),
        ("inventory/find", "#!/usr/bin/env python3\nprint('{}')\n"),
        ("inventory/static.ini", "[web]\nw1 ansible_host=10.0.0.1\n"),
    ]);
    let documents = Documents::load(&tree, &Options::default());
    let inventory = read(&documents);
    let [merged] = inventory.merged.as_slice() else { panic!("one folder is one inventory") };
    assert!(merged.parsed && merged.host("w1").is_some());
    let reasons: Vec<&str> = merged.unread.iter().filter(|own| own.dynamic).map(|own| &*own.reason).collect();
    assert_eq!(
        reasons,
        [
            "the inventory plugin `amazon.aws.aws_ec2` finds hosts when it is run",
            "the script `find` finds hosts when it is run"
        ]
    );
    assert!(merged.open().is_some());
}

#[test]
fn what_is_written_beside_a_host_is_kept_where_a_group_has_its_name() {
    let tree = tree(&[("inventory/hosts", "[nas]\nnas ansible_host=10.0.0.9\n")]);
    let documents = Documents::load(&tree, &Options::default());
    let inventory = read(&documents);
    assert_eq!(inventory.hosts[0].variables[0].text, "10.0.0.9");
    assert!(inventory.merged[0].hosts[0].variables.is_empty());
    let layers = layers(&documents, &inventory.merged[0], "nas", None);
    assert!(matches!(layers.get("ansible_host"), Some(Found::Set(..))));
}

#[test]
fn broken_inventories_stay_quick() {
    let level = |at: usize| [&" ".repeat(at * 4 - 2), "children:\n", &" ".repeat(at * 4), "g:\n"].concat();
    let nested = std::iter::once("a:\n".to_owned()).chain((1..400).map(level)).collect::<Vec<_>>().concat();
    let group = |at: usize| ["[g", &at.to_string(), "]\nh[1:9999][1:9999]\n[all:children]\ng1\n"].concat();
    let wide = (0..3000).map(group).collect::<Vec<_>>().concat();
    let circle = "[a:children]\nb\n[b:children]\na\n[c]\nh".to_owned();
    let cut = "[web]\nh a='".to_owned();
    let start = std::time::Instant::now();
    for text in [nested, wide, circle, cut, "[".repeat(100_000), "[a]\nh v=".to_owned() + &"[".repeat(100_000)] {
        for name in ["inventory/hosts", "inventory/hosts.yml"] {
            let tree = tree(&[(name, &text)]);
            let documents = Documents::load(&tree, &Options::default());
            let merged = merge(&documents, &["inventory"]);
            for host in merged.hosts.iter().take(10) {
                assert!(layers(&documents, &merged, &host.name, Some("")).all().len() < 2);
            }
        }
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}
