//! Machines that a provisioner hands to a playbook by address: `ansible-playbook -i '${self.ipv4_address},' site.yml`.

use super::{Ground, Listing, Listings, hole, marked};
use crate::estate::alias::Because;
use crate::model::terraform::{Provisioner, Resource, When};
use crate::text::FileId;
use crate::value::Value;
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// `-i 'host,'`
static LISTED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?:\s-i|--inventory(?:-file)?)[\s=]*\\?["']?([^\s"',]+),"#).ok());

/// A word that may be a playbook, after nothing that is an option with a value.
static PLAYBOOK: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?:^|[\s"'])(-\S+[\s=])?["']?([^\s"'@=,]+\.ya?ml)\b"#).ok());

pub(super) fn list(ground: &Ground<'_, '_>, found: &mut Listings) {
    for resource in ground.terraform.resources() {
        for provisioner in resource.provisioners() {
            if provisioner.when == When::Destroy {
                continue;
            }
            if provisioner.kind == "remote-exec" {
                on_itself(ground, &resource, &provisioner, found);
            }
            if provisioner.kind != "local-exec" {
                continue;
            }
            let command = provisioner.block.arg("command");
            if command.contains("ansible-playbook").is_false() {
                continue;
            }
            one(ground, &resource, &command, &provisioner.block.arg("working_dir"), found);
        }
    }
}

/// A playbook that was uploaded to a machine, and that runs there for its local host.
fn on_itself<'m>(
    ground: &Ground<'_, 'm>,
    resource: &Resource<'m, 'm>,
    provisioner: &Provisioner<'m, 'm>,
    found: &mut Listings,
) {
    let texts = provisioner.commands();
    // One command may be written in several lines.
    let text = texts.iter().map(|text| text.text.text.as_str()).collect::<Vec<_>>().join("\n");
    let playbooks = ground.ansible.played_where_uploaded(&text);
    let Some(machine) = ground.set_up_by(resource, provisioner).filter(|_| !playbooks.is_empty()) else { return };
    for file in ground.ansible.and_imported(&playbooks) {
        let name = Some("localhost".to_owned());
        let (groups, because) = (BTreeSet::new(), Because::Handed);
        found.add(Listing { machine, name, because, groups, project: None, playbook: Some(file) });
    }
}

fn one(ground: &Ground<'_, '_>, resource: &Resource<'_, '_>, command: &Value, folder: &Value, found: &mut Listings) {
    let (text, holes) = marked(command);
    let listed = LISTED.as_ref().and_then(|listed| listed.captures(&text)?.get(1));
    let Some(listed) = listed.map(|word| word.as_str()) else { return };
    found.told = true;
    let root = &*resource.instance.root;
    let unknown = hole(listed, &holes);
    let machine = match unknown {
        Some(unknown) => ground.awaiting(root, unknown),
        None => ground.known(root, listed),
    };
    // What `self` is in a machine's own provisioner need not be known.
    let own = || ground.at(root, &resource.address());
    let Some(machine) = machine.or_else(own) else { return };
    let playbooks: BTreeSet<FileId> = PLAYBOOK
        .as_ref()
        .into_iter()
        .flat_map(|playbook| playbook.captures_iter(&text))
        .filter(|word| {
            word.get(1).is_none_or(|option| matches!(option.as_str().trim(), "-b" | "-v" | "--become" | "--diff"))
        })
        .filter_map(|word| word.get(2))
        .filter_map(|word| file(ground, resource, word.as_str(), folder))
        .collect();
    let name = Some(listed.to_owned()).filter(|_| unknown.is_none() && !listed.contains("hole"));
    for file in ground.ansible.and_imported(&playbooks) {
        let groups = BTreeSet::new();
        let name = name.clone();
        found.add(Listing { machine, name, because: Because::Handed, groups, project: None, playbook: Some(file) });
    }
}

/// The playbook that a word names: from the folder that the command goes to, that of the root, that of the module, or the tree's own.
fn file(ground: &Ground<'_, '_>, resource: &Resource<'_, '_>, word: &str, folder: &Value) -> Option<FileId> {
    let tree = ground.documents.tree;
    let word = word.trim_start_matches("./");
    let gone = folder.as_str().map(|folder| format!("{}/{word}", folder.trim_end_matches('/')));
    let from = |base: &str, path: &str| crate::source::join(base, path).and_then(|path| tree.find(&path));
    let (root, module) = (&*resource.instance.root, &*resource.instance.module.folder);
    let paths = gone.iter().map(String::as_str).chain([word]);
    paths.flat_map(|path| [from(root, path), from(module, path), from("", path)]).flatten().next()
}
