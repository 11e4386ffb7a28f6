//! Why nothing is known of what an import or include opens: its name, a missing file, or one that cannot be read.

use super::include::{self, Name, Place};
use super::reach::Lost;
use super::{Ansible, Task};
use crate::model::kind::{Kind, Skip};
use crate::model::load::{Documents, Outcome};
use crate::source::folder;
use crate::text::FileId;
use std::collections::BTreeMap;

const NO_LIST: &str = "its file is no list of tasks";

/// Plays of one task whose names are looked at.
const MAX_PLAYS: usize = 8;

/// Adds the tasks whose target is there but unread, and says of the others whether the name or the file is missing.
pub(super) fn explain(ansible: &mut Ansible<'_>) {
    let unread = unread(ansible.documents);
    let mut lost: BTreeMap<usize, &'static str> = ansible.lost.iter().map(|lost| (lost.task, lost.why)).collect();
    for (index, task) in ansible.tasks.iter().enumerate() {
        let known = lost.contains_key(&index);
        if !known && unread.is_empty() {
            continue;
        }
        let found = match task.short() {
            "include_tasks" | "import_tasks" | "include" => of_file(ansible, task, &unread),
            "include_role" | "import_role" => of_role(ansible, task, &unread),
            _ => continue,
        };
        match found {
            Why::Unread(why) => {
                lost.insert(index, why);
            }
            Why::NoName if known => {
                lost.insert(index, "its name is not known");
            }
            _ => {}
        }
    }
    ansible.lost = lost.into_iter().map(|(task, why)| Lost { task, why }).collect();
}

enum Why {
    Unread(&'static str),
    NoName,
    Missing,
}

/// The files that could hold tasks, but were not read as such.
fn unread(documents: &Documents<'_>) -> BTreeMap<FileId, &'static str> {
    let tree = documents.tree;
    let mut unread = BTreeMap::new();
    for (id, file) in tree.iter().filter(|(_, file)| file.symlink.is_none()) {
        if ![".yml", ".yaml", ".json"].iter().any(|suffix| file.path.ends_with(suffix)) {
            continue;
        }
        let why = match documents.outcomes.get(id.0 as usize) {
            Some(Outcome::Skipped(Skip::Vaulted)) => "its file is encrypted by ansible-vault",
            Some(Outcome::Skipped(Skip::Template)) => "its file is a template",
            Some(Outcome::Skipped(Skip::TooLarge | Skip::Binary)) => "its file is too large, or no text",
            Some(Outcome::Skipped(Skip::Excluded | Skip::Archived | Skip::Vendored)) => "its file is left out here",
            Some(Outcome::Unreadable(_)) => "its file cannot be parsed",
            // An empty file is a list without tasks.
            Some(Outcome::Skipped(Skip::NoKind) | Outcome::Judged(_))
                if !matches!(documents.document(id), Some(own) if own.kind == Kind::Tasks) && !blank(tree.text(id)) =>
            {
                NO_LIST
            }
            _ => continue,
        };
        unread.insert(id, why);
    }
    unread
}

fn blank(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| line.is_empty() || line == "---" || line.starts_with('#'))
}

fn of_file<'a>(ansible: &Ansible<'a>, task: &Task<'a>, unread: &BTreeMap<FileId, &'static str>) -> Why {
    let tree = ansible.documents.tree;
    let role = task.role.map(|role| &ansible.roles[role]);
    let mut named = false;
    for play in task.plays.iter().take(MAX_PLAYS) {
        let base = folder(tree.path(ansible.plays[*play].file)).to_owned();
        let place = Place { base, role: task.role, handlers: task.handler, ..Place::default() };
        for name in include::names(ansible, task, Some(*play), "file") {
            named |= name.known().is_some();
            // Of a name that is known in part, each file that fits and may hold tasks may be meant.
            let files = include::files(tree, role, &place, task.file, &name);
            let partly = name.known().is_none();
            let mut reasons = files.iter().filter_map(|file| unread.get(file));
            if let Some(why) = reasons.find(|why| !partly || **why != NO_LIST) {
                return Why::Unread(why);
            }
        }
    }
    if named { Why::Missing } else { Why::NoName }
}

fn of_role<'a>(ansible: &Ansible<'a>, task: &Task<'a>, unread: &BTreeMap<FileId, &'static str>) -> Why {
    let tree = ansible.documents.tree;
    let argument = ["name", "role"].into_iter().find(|name| task.argument(name).is_some()).unwrap_or("name");
    let mut named = false;
    for play in task.plays.iter().take(MAX_PLAYS) {
        let from = include::names(ansible, task, Some(*play), "tasks_from");
        let from = from.first().map_or(Some("main"), Name::known);
        for name in include::names(ansible, task, Some(*play), argument).iter().filter_map(Name::known) {
            named = true;
            let Some(from) = from else { continue };
            let last = name.rsplit(['/', '.']).next().unwrap_or(name);
            let stem = from.trim_end_matches(".yml").trim_end_matches(".yaml");
            let tasks = format!("{last}/tasks/{stem}.");
            let of_role = |path: &str| {
                let at = path.rfind(&tasks);
                at.is_some_and(|at| (at == 0 || path[..at].ends_with('/')) && !path[at + tasks.len()..].contains('/'))
            };
            if let Some((_, why)) = unread.iter().find(|(file, _)| of_role(tree.path(**file))) {
                return Why::Unread(why);
            }
        }
    }
    if named { Why::Missing } else { Why::NoName }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::load::Options;
    use crate::source::{File, Tree};

    #[test]
    fn what_is_missing_and_what_is_unread() {
        let files = [
            (
                "site.yml",
                "- hosts: all
  vars: {where: sub}
  tasks:
    - {name: there, include_tasks: there.yml}
    - {name: gone, include_tasks: gone.yml}
    - {name: vaulted, include_tasks: '{{ where }}/vaulted.yml'}
    - {name: broken, import_tasks: tasks/broken.yml}
    - {name: variables, include_tasks: sub/variables.yml}
    - {name: empty, include_tasks: sub/empty.yml}
    - {name: unnamed, include_tasks: '{{ who_knows }}'}
    - {name: role, include_role: {name: secret}}
    - {name: part, include_role: {name: open, tasks_from: hidden}}
    - {name: open, include_role: {name: open}}
    - {name: nobody's, include_role: {name: nobody}}
",
            ),
            ("there.yml", "- {name: x, debug: {msg: x}}\n"),
            ("sub/vaulted.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n"),
            ("tasks/broken.yml", "- name: x\n  debug: {msg: x\n- :\n"),
            ("sub/variables.yml", "a: 1\n"),
            ("sub/empty.yml", "---\n# nothing yet\n"),
            ("roles/secret/tasks/main.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n"),
            ("roles/open/tasks/main.yml", "- {name: y, debug: {msg: y}}\n"),
            ("roles/open/tasks/hidden.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n"),
        ];
        let files = files.map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true));
        let tree = Tree::new(files.into(), None);
        let documents = Documents::load(&tree, &Options::default());
        let ansible = Ansible::build(&documents);
        let shown: Vec<(&str, &str)> =
            ansible.lost.iter().map(|lost| (ansible.tasks[lost.task].name.unwrap(), lost.why)).collect();
        let vaulted = "its file is encrypted by ansible-vault";
        assert_eq!(
            shown,
            [
                ("gone", "no file of the repository fits the name"),
                ("vaulted", vaulted),
                ("broken", "its file cannot be parsed"),
                ("variables", "its file is no list of tasks"),
                ("unnamed", "its name is not known"),
                ("role", vaulted),
                ("part", vaulted),
                ("nobody's", "no role of the repository has the name"),
            ]
        );
    }
}
