//! Groups that scripts make of Terraform's state: those of `terraform-inventory`, and lists of groups in the metadata of machines that
//! a script of the inventory reads by their key.

use super::output::state_scripts;
use super::plugin::argument_of;
use super::{Ground, Listing, Listings};
use crate::estate::alias::Because;
use crate::estate::invocation::Invocation;
use crate::estate::machine::Machine;
use crate::knowledge::inventories;
use crate::model::ansible::project_of;
use crate::model::kind::Kind;
use crate::source::{file_name, folder};
use crate::text::{FileId, Loc};
use crate::value::{Data, Value};
use std::collections::BTreeSet;

const PROGRAM: &str = "terraform-inventory";
/// Arguments that hold what machines are marked with, by provider.
const MARKS: [&str; 4] = ["metadata", "tags", "labels", "custom_configuration_parameters"];

/// Scripts that one script of an inventory calls.
const MAX_CALLED: usize = 8;

/// Who reads an inventory: a project, or one playbook alone.
type Reader = (Option<String>, Option<FileId>);

pub(super) fn list(ground: &Ground<'_, '_>, invocations: &[Invocation<'_>], found: &mut Listings) {
    let scripts = state_scripts(ground);
    let readers = readers(ground, invocations, &scripts);
    let row = inventories::plugin(PROGRAM);
    let with_called: Vec<(&str, Vec<FileId>)> = scripts
        .iter()
        .map(|script| (ground.documents.tree.path(*script), [vec![*script], called(ground, *script)].concat()))
        .collect();
    for (at, machine) in ground.machines.iter().enumerate() {
        if row.is_some_and(|row| row.types.iter().any(|ty| ty == machine.resource.ty())) {
            for (project, playbook) in &readers {
                let (project, groups) = (project.clone(), by_convention(ground, machine));
                found.add(listing(at, machine, groups, project, *playbook));
            }
        }
        for (path, files) in &with_called {
            let mut groups = BTreeSet::new();
            for file in files {
                let text = ground.documents.tree.text(*file);
                groups.extend(by_metadata(ground, machine, text));
                groups.extend(by_pairs(ground, machine, text));
            }
            if !groups.is_empty() {
                found.add(listing(at, machine, groups, Some(project_of(path).to_owned()), None));
            }
        }
    }
}

fn listing(
    machine: usize,
    own: &Machine<'_>,
    groups: BTreeSet<String>,
    project: Option<String>,
    playbook: Option<FileId>,
) -> Listing {
    let name = own.addresses.iter().find_map(Value::scalar).map(|name| name.to_string());
    Listing { machine, name, because: Because::StateScript, groups, project, playbook }
}

/// Who is run with `terraform-inventory`: the playbooks of commands that name it, projects whose settings or script do, and those
/// around what writes down what it says.
fn readers(ground: &Ground<'_, '_>, invocations: &[Invocation<'_>], scripts: &[FileId]) -> BTreeSet<Reader> {
    let tree = ground.documents.tree;
    let mut found: BTreeSet<Reader> = BTreeSet::new();
    for (playbook, ways) in ground.ansible.invocations() {
        let command = |loc: Loc| tree.text(loc.file).get(loc.span.start as usize..loc.span.end as usize);
        if ways.iter().filter_map(|way| command(way.loc)).any(names_program) {
            found.extend(
                ground.ansible.and_imported(&BTreeSet::from([playbook])).into_iter().map(|one| (None, Some(one))),
            );
        }
    }
    let settings = ground.documents.of(&[Kind::AnsibleConfig]).map(|document| document.file);
    let settings = settings.filter(|file| {
        let set = |line: &str| line.trim_start().starts_with("inventory") && names_program(line);
        tree.text(*file).lines().any(set)
    });
    let scripts = scripts.iter().copied().filter(|file| names_program(tree.text(*file)));
    found.extend(settings.chain(scripts).map(|file| (Some(project_of(tree.path(file)).to_owned()), None)));
    let runs = invocations.iter().filter(|one| &*one.command.program == PROGRAM);
    found.extend(runs.map(|one| (Some(folder(tree.path(one.command.loc.file)).to_owned()), None)));
    found
}

/// Whether a text names the program, and not a file that is called alike (`terraform-inventory.yml`).
fn names_program(text: &str) -> bool {
    let more = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.match_indices(PROGRAM).any(|(at, _)| {
        let (before, behind) = (text.get(..at).unwrap_or(""), text.get(at + PROGRAM.len()..).unwrap_or(""));
        !before.ends_with(more) && !behind.starts_with(more)
    })
}

/// The resource's name, with its number, its type, and its tags: of `role` the value alone too, as releases since Terraform 0.12 have it.
fn by_convention<'m>(ground: &Ground<'_, 'm>, machine: &Machine<'m>) -> BTreeSet<String> {
    let name = machine.resource.name();
    let mut groups = BTreeSet::from([name.to_owned(), format!("type_{}", machine.resource.ty())]);
    let key = machine.address.rsplit_once('[').map_or("0", |(_, key)| key.trim_end_matches(']').trim_matches('"'));
    groups.extend([format!("{name}.{key}"), format!("{name}_{key}")]);
    for mark in MARKS.iter().filter(|mark| **mark != "labels") {
        let value = argument_of(ground.terraform, machine, mark);
        match value.data() {
            Some(Data::List(list)) => {
                groups.extend(list.items.iter().filter_map(Value::scalar).map(|tag| tag.to_lowercase()));
            }
            Some(Data::Map(map)) => {
                for (key, value) in &map.entries {
                    let Some(value) = value.scalar().map(|value| value.to_lowercase()) else { continue };
                    let key = key.to_lowercase();
                    groups.extend((key == "role").then(|| value.clone()));
                    groups.insert(if value.is_empty() { key } else { format!("{key}_{value}") });
                }
            }
            _ => {}
        }
    }
    groups
}

/// Scripts in the same folder that a script names.
fn called(ground: &Ground<'_, '_>, script: FileId) -> Vec<FileId> {
    let tree = ground.documents.tree;
    let (path, text) = (tree.path(script), tree.text(script));
    let beside = tree.below(folder(path)).filter(|(file, entry)| {
        let name = file_name(&entry.path);
        *file != script
            && folder(&entry.path) == folder(path)
            && name.rsplit_once('.').is_some_and(|(_, end)| end == "py")
            && text.contains(name)
    });
    beside.map(|(file, _)| file).take(MAX_CALLED).collect()
}

/// Types with the group that the scripts descended from Mantl's `terraform.py` make of each pair, and the argument that holds the pairs.
const PAIRS: [(&str, &str, &str); 4] = [
    ("aws_instance", "aws_tag_", "tags"),
    ("openstack_compute_instance_v2", "os_metadata_", "metadata"),
    ("google_compute_instance", "gce_metadata_", "metadata"),
    ("triton_machine", "triton_tags_", "tags"),
];

/// The groups by pairs of tags or metadata that a script makes (`aws_tag_Role=db`), and by a pair of `role` (`role=db`).
fn by_pairs<'m>(ground: &Ground<'_, 'm>, machine: &Machine<'m>, script: &str) -> BTreeSet<String> {
    let mut groups = BTreeSet::new();
    let makes = |head: &str| script.contains(&format!("'{head}%s=%s'")) || script.contains(&format!("\"{head}%s=%s\""));
    let roles = script.contains("'role=' +") || script.contains("\"role=\" +");
    for (_, head, argument) in PAIRS.iter().filter(|(ty, ..)| *ty == machine.resource.ty()) {
        let value = argument_of(ground.terraform, machine, argument);
        for (key, value) in value.as_map().iter().flat_map(|map| &map.entries) {
            let Some(value) = value.scalar() else { continue };
            groups.extend(makes(head).then(|| format!("{head}{key}={value}")));
            groups.extend((roles && &**key == "role").then(|| format!("role={value}")));
        }
    }
    groups
}

/// The groups that are listed under keys of its metadata which a script reads (`…_groups`).
fn by_metadata<'m>(ground: &Ground<'_, 'm>, machine: &Machine<'m>, script: &str) -> BTreeSet<String> {
    let mut groups = BTreeSet::new();
    for mark in MARKS {
        let value = argument_of(ground.terraform, machine, mark);
        let Some(map) = value.as_map() else { continue };
        for (key, value) in &map.entries {
            let reads = |quote: char| script.contains(&format!("{quote}{key}{quote}"));
            if key.to_lowercase().ends_with("groups") && (reads('\'') || reads('"')) {
                let listed = value.scalar();
                let listed = listed.iter().flat_map(|text| text.split(',')).map(str::trim);
                groups.extend(listed.filter(|group| !group.is_empty()).map(str::to_owned));
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::names_program;

    #[test]
    fn the_program_and_files_that_are_called_alike() {
        for (text, expected) in [
            ("ansible-playbook -i $(which terraform-inventory) site.yml", true),
            ("inventory = /usr/local/bin/terraform-inventory", true),
            ("exec terraform-inventory --list", true),
            ("ansible-playbook -i gen/terraform-inventory.yml site.yml", false),
            ("ansible-playbook -i my-terraform-inventory site.yml", false),
        ] {
            assert_eq!(names_program(text), expected, "{text}");
        }
    }
}
