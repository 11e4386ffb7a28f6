//! Compose files and units of the repository that tasks carry to their hosts or run where they lie: their containers are the hosts'.

use super::Estate;
use super::container::{Container, Declared};
use super::task::runs_nowhere;
use crate::model::ansible::{PROJECT, Task};
use crate::model::kind::Kind;
use crate::source::{folder, join};
use crate::text::FileId;
use std::collections::BTreeSet;

/// Names that compose looks for in its folder.
const USUAL: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// The containers of the files that a task copies as they are, or runs by a path in the repository.
pub(super) fn containers<'e>(estate: &'e Estate<'_>, at: usize) -> Vec<&'e Container> {
    let task = &estate.ansible.tasks[at];
    let paths = match task.short() {
        "copy" | "synchronize" => named(estate, task, "src", &["files", ""]),
        "docker_compose_v2" | "docker_compose" => projects(estate, task),
        "docker_stack" => named(estate, task, "compose", &[""]),
        _ => return Vec::new(),
    };
    let within = |path: &str| {
        paths.contains(path)
            || paths.iter().any(|own| path.strip_prefix(own.as_str()).is_some_and(|rest| rest.starts_with('/')))
    };
    // Units are read where they lie, too; a project of compose runs none.
    let carries = matches!(task.short(), "copy" | "synchronize");
    let own = |container: &&Container| {
        let path = estate.documents.tree.path(container.declaration.file);
        let unit = || carries && is_unit(estate, container.declaration.file);
        (container.declared == Declared::Compose || unit()) && within(path)
    };
    if paths.is_empty() {
        return Vec::new();
    }
    let found: Vec<&Container> = estate.containers.iter().filter(own).collect();
    if found.is_empty() || runs_nowhere(estate.ansible, at) { Vec::new() } else { found }
}

/// Whether a file is a unit of systemd or Podman.
fn is_unit(estate: &Estate<'_>, file: FileId) -> bool {
    let document = estate.documents.document(file);
    document.is_some_and(|document| matches!(document.kind, Kind::SystemdUnit | Kind::Quadlet))
}

/// The files of the project that a task runs, when its folder is in the repository.
fn projects<'m>(estate: &Estate<'m>, task: &Task<'m>) -> BTreeSet<String> {
    let folders = named(estate, task, "project_src", &[""]);
    let files: Vec<String> = estate.ansible.each(task, "files").iter().flat_map(super::service::words).collect();
    let usual = || USUAL.iter().map(|name| (*name).to_owned()).collect();
    let files: Vec<String> = if files.is_empty() { usual() } else { files };
    let all = folders.iter().flat_map(|folder| files.iter().filter_map(|file| join(folder, file)));
    all.collect()
}

/// What the paths of an argument name in the repository, looked for where Ansible looks.
fn named<'m>(estate: &Estate<'m>, task: &Task<'m>, argument: &str, parts: &[&str]) -> BTreeSet<String> {
    let given = estate.ansible.each(task, argument);
    let names: BTreeSet<String> = given.iter().flat_map(super::service::words).collect();
    names.iter().filter_map(|name| found(estate, task, name, parts)).collect()
}

fn found(estate: &Estate<'_>, task: &Task<'_>, name: &str, parts: &[&str]) -> Option<String> {
    let tree = estate.documents.tree;
    // The whole repository is more than one application.
    let exists = |path: &String| !path.is_empty() && (tree.find(path).is_some() || tree.below(path).next().is_some());
    let name = name.trim_end_matches('/');
    if let Some(path) = name.strip_prefix(PROJECT) {
        return join("", path.trim_start_matches('/')).filter(exists);
    }
    if name.is_empty() || name.starts_with(['/', '~']) {
        return None;
    }
    let ansible = estate.ansible;
    let role = task.role.map(|role| ansible.roles[role].folder.as_str());
    let here = folder(tree.path(task.file));
    let plays = task.plays.iter().take(1).map(|play| folder(tree.path(ansible.plays[*play].file)));
    let bases = role.into_iter().chain([here]).chain(plays);
    bases.flat_map(|base| parts.iter().filter_map(move |part| join(base, &format!("{part}/{name}")))).find(exists)
}
