//! The files of variables that playbooks name by their paths: `vars_files`, `include_vars`.

use super::Estate;
use super::task::{is_test_path, runs_nowhere};
use crate::text::Loc;
use crate::value::Value;
use std::collections::HashSet;

/// A file of variables that a play or task reads.
pub struct VariableFile {
    /// What reads it: `vars_files`, `include_vars`.
    pub by: &'static str,
    /// The path, as far as known; of a template at least how it begins.
    pub path: Value,
    /// Where that is said.
    pub loc: Loc,
    /// It stands among tests.
    pub in_tests: bool,
}

/// Every file of variables that is named by a path, those of plays first.
#[must_use]
pub fn variable_files(estate: &Estate<'_>) -> Vec<VariableFile> {
    let tree = estate.documents.tree;
    let mut seen: HashSet<Loc> = HashSet::new();
    let mut found = Vec::new();
    for play in &estate.ansible.plays {
        let listed = play.node.get("vars_files").into_iter().flat_map(|node| node.items().chain(Some(node)));
        for (node, path) in
            listed.flat_map(|node| node.items().chain(Some(node))).filter_map(|it| Some((it, it.as_str()?)))
        {
            let loc = Loc { file: play.file, span: node.span() };
            if seen.insert(loc) {
                let (by, in_tests) = ("vars_files", is_test_path(tree.path(play.file)));
                found.push(VariableFile { by, path: Value::known(path), loc, in_tests });
            }
        }
    }
    for (at, task) in estate.ansible.tasks.iter().enumerate().filter(|(_, task)| task.short() == "include_vars") {
        let named = ["file", "_raw_params", "dir"].into_iter().find(|name| task.argument(name).is_some());
        let Some(path) = named.map(|name| estate.ansible.argument(task, name)) else { continue };
        if !runs_nowhere(estate.ansible, at) && seen.insert(task.loc) {
            let in_tests = is_test_path(tree.path(task.file));
            found.push(VariableFile { by: "include_vars", path, loc: task.loc, in_tests });
        }
    }
    found
}
