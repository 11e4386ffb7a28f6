//! Which plays reach which tasks: roles, their dependencies, includes and imports followed.

use super::task::ArgumentValue;
use super::{Ansible, Argument, role};
use crate::source::{folder, join};
use crate::text::FileId;
use std::collections::HashSet;

/// Marks every task with the plays that reach it.
pub(super) fn follow(ansible: &mut Ansible<'_>) {
    for play in 0..ansible.plays.len() {
        let mut walk = Walk { ansible, play, seen_roles: HashSet::new(), seen_files: HashSet::new() };
        let roles: Vec<Option<usize>> = walk.ansible.plays[play].roles.iter().map(|role| role.role).collect();
        for role in roles.into_iter().flatten() {
            walk.role(role, None);
        }
        for task in walk.ansible.plays[play].tasks.clone() {
            walk.task(task);
        }
    }
    let imported = std::mem::take(&mut ansible.inventory.imported_playbooks);
    for play in &mut ansible.plays {
        play.playbook_imported = imported.contains(&play.file);
    }
}

struct Walk<'w, 'a> {
    ansible: &'w mut Ansible<'a>,
    play: usize,
    seen_roles: HashSet<(usize, Option<FileId>)>,
    seen_files: HashSet<FileId>,
}

impl Walk<'_, '_> {
    fn role(&mut self, index: usize, tasks_from: Option<FileId>) {
        if !self.seen_roles.insert((index, tasks_from)) {
            return;
        }
        let role = &self.ansible.roles[index];
        let main = tasks_from.or(role.main);
        let from = role.folder.clone();
        let dependencies: Vec<usize> =
            role.dependencies.iter().filter_map(|name| role::resolve(&self.ansible.roles, &from, name)).collect();
        for dependency in dependencies {
            self.role(dependency, None);
        }
        if let Some(main) = main {
            self.file(main);
        }
        // Handlers may be notified by any task of the role.
        for name in ["handlers/main.yml", "handlers/main.yaml"] {
            let path = self.ansible.roles[index].path(name);
            if let Some(file) = path.and_then(|path| self.ansible.documents.tree.find(&path)) {
                self.file(file);
            }
        }
    }

    fn file(&mut self, file: FileId) {
        if !self.seen_files.insert(file) {
            return;
        }
        for task in self.ansible.tasks_of(file).to_vec() {
            let plays = &mut self.ansible.tasks[task].plays;
            if plays.last() != Some(&self.play) {
                plays.push(self.play);
            }
            self.task(task);
        }
    }

    fn task(&mut self, index: usize) {
        let task = &self.ansible.tasks[index];
        match task.short() {
            "include_tasks" | "import_tasks" | "include" => {
                let named = task
                    .argument("file")
                    .and_then(text)
                    .or_else(|| task.free.and_then(crate::syntax::yaml::Node::as_str));
                let Some(named) = named.map(str::to_owned) else { return };
                for file in self.included(index, &named) {
                    self.file(file);
                }
            }
            "include_role" | "import_role" => {
                let Some(name) = task.argument("name").and_then(text).map(str::to_owned) else { return };
                let from = folder(self.ansible.documents.tree.path(task.file)).to_owned();
                let tasks_from = task.argument("tasks_from").and_then(text).map(str::to_owned);
                let Some(role) = role::resolve(&self.ansible.roles, &from, &name) else { return };
                let tasks_from = tasks_from.and_then(|name| self.tasks_file(role, &name));
                self.role(role, tasks_from);
            }
            _ => {}
        }
    }

    fn tasks_file(&self, role: usize, name: &str) -> Option<FileId> {
        let role = &self.ansible.roles[role];
        ["", ".yml", ".yaml"].iter().find_map(|suffix| {
            let path = role.path(&format!("tasks/{name}{suffix}"))?;
            self.ansible.documents.tree.find(&path)
        })
    }

    /// The files that an include may mean: a template in the name stands for any text without `/`.
    fn included(&self, task: usize, named: &str) -> Vec<FileId> {
        let tree = self.ansible.documents.tree;
        let task = &self.ansible.tasks[task];
        let here = folder(tree.path(task.file)).to_owned();
        let role = task.role.and_then(|role| self.ansible.roles[role].path("tasks"));
        let folders = std::iter::once(here).chain(role);
        for base in folders {
            let Some(path) =
                join(&base, named.trim_start_matches("{{ role_path }}/").trim_start_matches("{{ playbook_dir }}/"))
            else {
                continue;
            };
            if let Some(file) = tree.find(&path) {
                return vec![file];
            }
            if !named.contains("{{") || named.contains('/') {
                continue;
            }
            let parts: Vec<&str> = named.split("{{").collect();
            let prefix = parts[0].trim();
            let suffix = parts.last().and_then(|part| part.rsplit("}}").next()).unwrap_or("").trim();
            if prefix.is_empty() && suffix.trim_start_matches(".yml").trim_start_matches(".yaml").is_empty() {
                continue;
            }
            let found: Vec<FileId> = tree
                .below(&base)
                .filter(|(_, file)| folder(&file.path) == base)
                .filter(|(_, file)| {
                    let name = crate::source::file_name(&file.path);
                    name.starts_with(prefix) && name.ends_with(suffix) && name.len() > prefix.len() + suffix.len()
                })
                .map(|(id, _)| id)
                .collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }
}

fn text<'t>(argument: &'t Argument<'_>) -> Option<&'t str> {
    match &argument.value {
        ArgumentValue::Node(node) => node.as_str(),
        ArgumentValue::Text(text, _) => Some(text),
    }
}
