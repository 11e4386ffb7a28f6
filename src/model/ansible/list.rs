//! What a playbook runs, in order, as `ansible-playbook --list-tasks` lists it.

use super::walk::{At, Level, Visit, Walk};
use super::{Ansible, Section};
use crate::source::{folder, join};
use crate::syntax::yaml::Node;
use crate::text::FileId;
use std::collections::BTreeSet;

/// Playbooks within playbooks that are followed.
const MAX_DEPTH: usize = 20;
/// Plays of one playbook that are listed.
const MAX_PLAYS: usize = 5000;

/// Keys that import a playbook.
pub(super) const IMPORT: [&str; 3] =
    ["import_playbook", "ansible.builtin.import_playbook", "ansible.legacy.import_playbook"];

/// A play with the tasks that it runs.
pub struct Run<'a> {
    /// The play.
    pub play: usize,
    /// Its name, or its hosts.
    pub name: String,
    /// Its hosts, separated by commas.
    pub hosts: String,
    /// Its tasks in order: imports opened, what is only included when it runs as one task; no handlers, and nothing that only
    /// runs when something fails or that only a tag brings in.
    pub steps: Vec<Step<'a>>,
}

/// One task of a play.
pub struct Step<'a> {
    /// The task; none for the check of a role's arguments that Ansible adds.
    pub task: Option<usize>,
    /// Which list of the play it comes from.
    pub section: Section,
    /// The name of its role, as Ansible shows it.
    pub role: Option<String>,
    /// Its name or module, as Ansible shows it.
    pub name: String,
    /// All tags that it has from anywhere.
    pub tags: BTreeSet<&'a str>,
    /// Every `when:` that applies, outermost first.
    pub conditions: Vec<(FileId, Node<'a>)>,
}

impl<'a> Ansible<'a> {
    /// The plays of a playbook and of those that it imports, each with its tasks.
    #[must_use]
    pub fn runs(&self, playbook: FileId) -> Vec<Run<'a>> {
        let mut runs = Vec::new();
        self.add_runs(playbook, &[], &mut runs);
        runs
    }

    fn add_runs(&self, playbook: FileId, levels: &[Level<'a>], runs: &mut Vec<Run<'a>>) {
        let root = self.documents.document(playbook).and_then(|document| document.yaml()?.root());
        for node in root.into_iter().flat_map(Node::items) {
            if let Some(target) = IMPORT.iter().find_map(|key| node.get(key)) {
                let mut levels = levels.to_vec();
                levels.push(Level { file: playbook, node, dynamic: false });
                if let Some(file) = self.imported(playbook, target).filter(|_| levels.len() <= MAX_DEPTH) {
                    self.add_runs(file, &levels, runs);
                }
            }
            let play = self.plays.iter().position(|play| play.file == playbook && play.node.id() == node.id());
            let Some(play) = play.filter(|_| runs.len() < MAX_PLAYS) else { continue };
            let steps = Walk::new(self, play, levels.to_vec(), List { ansible: self, steps: Vec::new() }).run().steps;
            let hosts = hosts(self.plays[play].node.get("hosts"));
            let name = self.plays[play].name.filter(|name| !name.is_empty());
            runs.push(Run { play, name: name.map_or_else(|| hosts.clone(), str::to_owned), hosts, steps });
        }
    }

    /// The playbook that an import means: a path, or the name of one in a collection.
    pub(super) fn imported(&self, from: FileId, target: Node<'a>) -> Option<FileId> {
        let tree = self.documents.tree;
        let text = target.as_str()?;
        // A string may carry parameters after the name.
        let text = super::arguments::unquoted(text.split_whitespace().next()?);
        let base = folder(tree.path(from));
        if let Some(path) = self.uploaded_from(text) {
            return tree.find(&path);
        }
        if let Some(file) = join(base, text).and_then(|path| tree.find(&tree.real(&path))) {
            return Some(file);
        }
        self.playbook_of_collection(base, text)
    }

    /// The playbook that `namespace.collection.name` means.
    pub(super) fn playbook_of_collection(&self, base: &str, text: &str) -> Option<FileId> {
        let tree = self.documents.tree;
        let (collection, name) = text.rsplit_once('.').filter(|(collection, _)| collection.split('.').count() == 2)?;
        let home = self.finder.collection(tree, base, collection)?;
        let path = |suffix: &str| join(&home, &format!("playbooks/{name}{suffix}"));
        ["", ".yml", ".yaml"].iter().find_map(|suffix| tree.find(&tree.real(&path(suffix)?)))
    }
}

fn hosts(node: Option<Node<'_>>) -> String {
    let Some(node) = node else { return String::new() };
    let split = |text: &str| text.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
    match node.as_str() {
        Some(text) => split(text).join(","),
        None => node.items().filter_map(Node::as_str).collect::<Vec<_>>().join(","),
    }
}

struct List<'w, 'a> {
    ansible: &'w Ansible<'a>,
    steps: Vec<Step<'a>>,
}

impl<'a> Visit<'a> for List<'_, 'a> {
    const DYNAMIC: bool = false;

    fn task(&mut self, at: &At<'_, 'a>, index: usize) {
        let task = &self.ansible.tasks[index];
        if matches!(task.short(), "import_tasks" | "import_role") {
            return;
        }
        let own = Level { file: task.file, node: task.node, dynamic: false };
        let name = task.name.filter(|name| !name.is_empty());
        let role = name.and_then(|_| at.place.shown.clone()).filter(|_| task.short() != "include_role");
        self.add(at, Some(own), Some(index), role, name.unwrap_or(task.written).to_owned());
    }

    fn check(&mut self, at: &At<'_, 'a>, name: String) {
        self.add(at, None, None, at.place.shown.clone(), name);
    }
}

impl<'a> List<'_, 'a> {
    fn add(
        &mut self,
        at: &At<'_, 'a>,
        own: Option<Level<'a>>,
        task: Option<usize>,
        role: Option<String>,
        name: String,
    ) {
        let levels = || at.levels.iter().copied().chain(own);
        let mut tags: BTreeSet<&'a str> = levels().filter_map(|level| level.keyword("tags")).flat_map(tags).collect();
        if own.is_none() {
            tags.insert("always");
        }
        let never = tags.contains("never") && !tags.contains("always") && !tags.contains("all");
        if at.aside || never {
            return;
        }
        let conditions = levels().flat_map(|level| super::reach::conditions_of(level.file, level.node)).collect();
        self.steps.push(Step { task, section: at.section, role, name, tags, conditions });
    }
}

/// Tags as a list or separated by commas; lists within lists are opened.
fn tags(node: Node<'_>) -> Vec<&str> {
    match node.as_str() {
        Some(text) => text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect(),
        None => node.items().flat_map(|item| item.as_str().map_or_else(|| tags(item), |tag| vec![tag])).collect(),
    }
}
