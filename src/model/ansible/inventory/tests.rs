use super::*;
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
    assert_eq!(inventory.merged_from("c").len(), 2);
    assert!(inventory.seen_from("b").groups_of("w2").contains(&"site"));
}
