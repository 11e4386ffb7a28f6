//! Files that Ansible reads as variables because a playbook names them, whatever they are called and wherever they lie.

use super::{Documents, Outcome, Read, Skip, parse_as, skipped};
use crate::model::kind::{self, Kind};
use crate::source::{Tree, folder, join};
use crate::syntax::yaml::{Node, NodeKind, Yaml};
use crate::text::FileId;
use std::collections::BTreeSet;

/// Nodes of one file that are gone through.
const MAX_NODES: usize = 100_000;
const MAX_DEPTH: usize = 64;
const INCLUDES: [&str; 3] = ["include_vars", "ansible.builtin.include_vars", "ansible.legacy.include_vars"];

/// Reads those that were passed over because nothing in them says what they are.
pub(super) fn read(documents: &mut Documents<'_>) {
    let tree = documents.tree;
    let mut named = BTreeSet::new();
    for document in documents.of(&[Kind::Playbook, Kind::Tasks]) {
        let text = tree.text(document.file);
        if !text.contains("vars_files") && !text.contains("include_vars") {
            continue;
        }
        let base = folder(tree.path(document.file));
        let mut written = Names { found: Vec::new(), nodes: 0 };
        written.within(document.yaml().and_then(Yaml::root), 0);
        let paths = written.found.iter().filter_map(|name| join(base, name));
        named.extend(paths.filter_map(|path| found(tree, &path)));
    }
    let passed =
        |file: &FileId| matches!(documents.outcomes.get(file.0 as usize), Some(Outcome::Skipped(Skip::NoKind)));
    let named: Vec<FileId> = named.into_iter().filter(passed).collect();
    for file in named {
        let Read { document, outcome, problems } = variables(tree, file);
        documents.list.extend(document);
        documents.outcomes[file.0 as usize] = outcome;
        documents.problems.extend(problems);
    }
    documents.list.sort_by_key(|document| document.file);
    documents.problems.sort_by_key(|problem| problem.loc.file);
}

fn found(tree: &Tree, path: &str) -> Option<FileId> {
    tree.find(path).or_else(|| tree.find(&tree.real(path)))
}

fn variables(tree: &Tree, file: FileId) -> Read {
    let text = tree.text(file);
    if kind::is_vaulted(text) { skipped(Skip::Vaulted) } else { parse_as(file, Kind::AnsibleVariables, text) }
}

struct Names<'a> {
    found: Vec<&'a str>,
    nodes: usize,
}

impl<'a> Names<'a> {
    fn within(&mut self, node: Option<Node<'a>>, depth: usize) {
        let Some(node) = node.filter(|_| depth < MAX_DEPTH && self.nodes < MAX_NODES) else { return };
        self.nodes += 1;
        match node.kind() {
            NodeKind::Seq(_) => node.items().for_each(|item| self.within(Some(item), depth + 1)),
            NodeKind::Map(_) => {
                for (key, value) in node.entries() {
                    match key.as_str() {
                        Some("vars_files") => self.names(value, 0),
                        Some(key) if INCLUDES.contains(&key) => self.names(value.get("file").unwrap_or(value), 0),
                        _ => self.within(Some(value), depth + 1),
                    }
                }
            }
            _ => {}
        }
    }

    /// A name, or a list of names and of such lists.
    fn names(&mut self, node: Node<'a>, depth: usize) {
        if let Some(name) = node.as_str() {
            let name = name.trim().trim_start_matches("{{ playbook_dir }}/").trim_start_matches("{{playbook_dir}}/");
            self.found.extend(Some(name).filter(|name| !name.is_empty() && !name.contains("{{")));
        } else if depth < 2 {
            node.items().for_each(|item| self.names(item, depth + 1));
        }
    }
}
