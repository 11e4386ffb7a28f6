//! Ansible as it would run: playbooks, plays, roles, tasks with the plays that reach them, inventories, requirements.

mod arguments;
mod constructed;
mod handler;
mod include;
mod inventory;
mod invoked;
mod list;
mod lost;
mod pattern;
mod reach;
mod role;
mod settings;
mod task;
mod texts;
mod uploads;
mod values;
mod walk;

pub use constructed::Constructed;
pub use handler::Notified;
pub(crate) use inventory::is_inside;
pub use inventory::{
    Content, Found, Group, Host, HostLayers, Inventory, Layer, Member, Merged, Roll, Seen, Setting, Unread, Variable,
    layers, merge, project_of, scenarios,
};
pub use invoked::{Extra, Invoked, LISTING, Source};
pub use list::{Run, Step};
pub use pattern::Pattern;
pub use reach::Lost;
pub use role::{Dependency, Role};
pub use task::{Argument, ArgumentValue, Task};
pub use texts::{Text, TextKind};
pub use values::{Hole, PROJECT, Rendered, Turn, Turns, Variables, View};
pub use walk::Level;

use super::command::Command;
use super::kind::Kind;
use super::load::{Document, Documents};
use crate::source::{file_name, folder};
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc};
use std::collections::{BTreeSet, HashMap};

/// Everything that Ansible reads in a tree.
pub struct Ansible<'a> {
    /// The parsed files.
    pub documents: &'a Documents<'a>,
    /// Every play, in path and source order.
    pub plays: Vec<Play<'a>>,
    /// Every role, in path order.
    pub roles: Vec<Role<'a>>,
    /// Every task of every file, each declaration once.
    pub tasks: Vec<Task<'a>>,
    /// All inventories together.
    pub inventory: Inventory<'a>,
    /// Roles and collections that are to be installed.
    pub requirements: Vec<Requirement<'a>>,
    /// Variables of groups and hosts, by file.
    pub host_variables: Vec<HostVariables<'a>>,
    /// Imports and includes whose target is not in the repository or not known, by task.
    pub lost: Vec<Lost>,
    task_files: HashMap<FileId, Vec<usize>>,
    finder: role::Finder,
    ways: reach::Ways,
    links: std::sync::OnceLock<handler::Links>,
    /// The entries that import a playbook.
    imports: HashMap<FileId, Vec<(FileId, Node<'a>)>>,
    known: values::Known<'a>,
    invocations: invoked::Invocations<'a>,
    /// What provisioners upload.
    uploads: uploads::Uploads,
}

/// The part of a play that a task comes from, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// `pre_tasks:`
    Before,
    /// `roles:`
    Roles,
    /// `tasks:`
    Tasks,
    /// `post_tasks:`
    After,
    /// `handlers:`, and those of roles.
    Handlers,
}

/// A play.
pub struct Play<'a> {
    /// The file.
    pub file: FileId,
    /// The whole mapping.
    pub node: Node<'a>,
    /// Its `hosts:` key and value.
    pub loc: Loc,
    /// Its name.
    pub name: Option<&'a str>,
    /// `hosts:`, as written; the patterns of a list are joined by `,`.
    pub hosts: String,
    /// Which hosts that means, its templates having the values that they have when nobody sets anything else.
    pub pattern: Pattern,
    /// The roles that it applies by `roles:`.
    pub roles: Vec<RoleUse<'a>>,
    /// Whether its tasks run on the controller (`connection: local` or `hosts: localhost`).
    pub local: bool,
    /// Its own tasks (all four lists), by index.
    pub tasks: Vec<usize>,
    /// Where each list begins in `tasks`.
    sections: Vec<(Section, std::ops::Range<usize>)>,
    /// Whether another playbook imports the playbook; what commands run it, [`Ansible::invoked`] says.
    pub playbook_imported: bool,
}

/// One use of a role.
#[derive(Clone)]
pub struct RoleUse<'a> {
    /// As written.
    pub name: &'a str,
    /// The role, when the repository holds it.
    pub role: Option<usize>,
    /// Where.
    pub loc: Loc,
    /// The mapping that gives parameters, if it is one.
    pub node: Option<Node<'a>>,
    /// The whole entry: a name or that mapping.
    item: Node<'a>,
}

impl Play<'_> {
    /// The tasks of one of its own lists.
    #[must_use]
    pub fn section(&self, section: Section) -> &[usize] {
        let range = self.sections.iter().find(|(own, _)| *own == section).map(|(_, range)| range.clone());
        range.and_then(|range| self.tasks.get(range)).unwrap_or(&[])
    }
}

/// A role or collection of a requirements file.
pub struct Requirement<'a> {
    /// `src`, `name` or `role`.
    pub name: &'a str,
    /// Where the name stands.
    pub loc: Loc,
    /// `version`, if given.
    pub version: Option<&'a str>,
    /// Whether it is a collection (else a role).
    pub collection: bool,
    /// Whether it lies in the repository (`type: dir`, a relative path).
    pub local: bool,
}

/// A file of `group_vars` or `host_vars`.
pub struct HostVariables<'a> {
    /// The file.
    pub file: FileId,
    /// The group or host.
    pub name: String,
    /// Whether it speaks of one host.
    pub host: bool,
    /// The mapping.
    pub node: Node<'a>,
}

/// The lists of tasks of a play.
const LISTS: [(&str, Section); 4] = [
    ("pre_tasks", Section::Before),
    ("tasks", Section::Tasks),
    ("post_tasks", Section::After),
    ("handlers", Section::Handlers),
];

impl<'a> Ansible<'a> {
    /// Reads every Ansible file of the documents and follows roles, includes and imports; no command is known to run it.
    #[must_use]
    pub fn build(documents: &'a Documents<'a>) -> Self {
        Self::run_by(documents, &[])
    }

    /// The same, run as these commands run it.
    #[must_use]
    pub fn run_by(documents: &'a Documents<'a>, commands: &[Command]) -> Self {
        let roles = role::find(documents);
        let mut ansible = Self {
            documents,
            plays: Vec::new(),
            finder: role::Finder::new(documents, &roles),
            roles,
            tasks: Vec::new(),
            inventory: inventory::read(documents),
            requirements: Vec::new(),
            host_variables: Vec::new(),
            lost: Vec::new(),
            task_files: HashMap::new(),
            ways: reach::Ways::default(),
            links: std::sync::OnceLock::new(),
            imports: HashMap::new(),
            known: values::Known::default(),
            invocations: invoked::Invocations::default(),
            uploads: uploads::Uploads::of(documents),
        };
        for document in &documents.list {
            match document.kind {
                Kind::Playbook => ansible.add_playbook(document),
                Kind::Tasks => ansible.add_tasks(document),
                Kind::Requirements => ansible.add_requirements(document),
                Kind::AnsibleVariables => ansible.add_variables(document),
                _ => {}
            }
        }
        ansible.known = values::Known::of(ansible.plays.len(), ansible.tasks.len());
        ansible.find_imports();
        ansible.take_commands(commands);
        ansible.play_on_machines();
        ansible.construct();
        reach::follow(&mut ansible);
        lost::explain(&mut ansible);
        // What was found before the ways were known holds no longer.
        ansible.known = values::Known::of(ansible.plays.len(), ansible.tasks.len());
        for play in 0..ansible.plays.len() {
            if let Some(pattern) = ansible.plays[play].pattern.dynamic.then(|| ansible.pattern_of(play, None)).flatten()
            {
                ansible.plays[play].pattern = pattern;
            }
        }
        ansible
    }

    /// What a provisioner runs on a machine, after having uploaded it, is that machine's: its local host is no controller.
    fn play_on_machines(&mut self) {
        let played = self.uploads.played(self.documents.tree);
        if played.is_empty() {
            return;
        }
        let played = self.and_imported(&played);
        for play in self.plays.iter_mut().filter(|play| played.contains(&play.file)) {
            play.local = false;
        }
    }

    /// The playbooks that a text, which runs on a machine, runs from where they were uploaded to.
    #[must_use]
    pub fn played_where_uploaded(&self, text: &str) -> BTreeSet<FileId> {
        if text.contains("ansible-playbook") { self.uploads.named(self.documents.tree, text) } else { BTreeSet::new() }
    }

    /// The path in the repository of what provisioners have put at a path of a machine.
    #[must_use]
    pub fn uploaded_from(&self, path: &str) -> Option<String> {
        self.uploads.home(self.documents.tree, path)
    }

    /// Finds the playbooks that others import, and marks their plays.
    fn find_imports(&mut self) {
        let mut imports: HashMap<FileId, Vec<(FileId, Node<'a>)>> = HashMap::new();
        for document in self.documents.of(&[Kind::Playbook]) {
            let root = document.yaml().and_then(crate::syntax::yaml::Yaml::root);
            for node in root.into_iter().flat_map(Node::items) {
                let target = list::IMPORT.iter().find_map(|key| node.get(key));
                let file = target.and_then(|target| self.imported(document.file, target));
                if let Some(file) = file {
                    imports.entry(file).or_default().push((document.file, node));
                }
            }
        }
        for play in &mut self.plays {
            play.playbook_imported = imports.contains_key(&play.file);
        }
        self.imports = imports;
    }

    fn add_playbook(&mut self, document: &'a Document) {
        let Some(root) = document.yaml().and_then(crate::syntax::yaml::Yaml::root) else { return };
        for node in root.items().filter(|item| item.is_map()) {
            let Some((key, hosts)) = node.entry("hosts") else { continue };
            let index = self.plays.len();
            let (mut tasks, mut sections) = (Vec::new(), Vec::new());
            for (list, section) in LISTS {
                let Some(list) = node.get(list) else { continue };
                let first = tasks.len();
                tasks.extend(task::read(&mut self.tasks, document.file, list, section == Section::Handlers));
                sections.push((section, first..tasks.len()));
            }
            let (written, pattern) = hosts_of(hosts);
            let local = node.get("connection").and_then(Node::as_str) == Some("local")
                || matches!(written.as_str(), "localhost" | "127.0.0.1");
            let from = folder(self.documents.tree.path(document.file));
            let roles = node.get("roles").map(|roles| self.role_uses(document.file, from, roles)).unwrap_or_default();
            self.plays.push(Play {
                file: document.file,
                node,
                loc: Loc { file: document.file, span: key.span().to(hosts.span()) },
                name: node.get("name").and_then(Node::as_str),
                hosts: written,
                pattern,
                roles,
                local,
                tasks,
                sections,
                playbook_imported: false,
            });
            for task in self.plays[index].tasks.clone() {
                self.tasks[task].plays.push(index);
                self.tasks[task].of_play = true;
            }
        }
    }

    fn role_uses(&self, file: FileId, from: &str, roles: Node<'a>) -> Vec<RoleUse<'a>> {
        let mut uses = Vec::new();
        for item in roles.items() {
            let Some(name) = role::name_of(item) else { continue };
            let node = item.is_map().then_some(item);
            let spot = ["role", "name"].iter().find_map(|key| item.get(key)).unwrap_or(item);
            let from = role::From { base: from, ..role::From::default() };
            let role = self.finder.find(self.documents.tree, &self.roles, from, name).role;
            uses.push(RoleUse { name, role, loc: Loc { file, span: spot.span() }, node, item });
        }
        uses
    }

    fn add_tasks(&mut self, document: &'a Document) {
        let Some(root) = document.yaml().and_then(crate::syntax::yaml::Yaml::root) else { return };
        let path = self.documents.tree.path(document.file);
        let handlers = folder(path).ends_with("handlers");
        let tasks = task::read(&mut self.tasks, document.file, root, handlers);
        let role = self.roles.iter().position(|role| role.holds(path));
        for task in &tasks {
            self.tasks[*task].role = role;
        }
        self.task_files.insert(document.file, tasks);
    }

    fn add_requirements(&mut self, document: &'a Document) {
        let Some(root) = document.yaml().and_then(crate::syntax::yaml::Yaml::root) else { return };
        let file = document.file;
        let mut add = |list: Node<'a>, collection: bool| {
            for item in list.items() {
                let Some(spot) = ["src", "name", "role", "source"].iter().find_map(|key| item.get(key)) else {
                    continue;
                };
                let Some(name) = spot.as_str() else { continue };
                let kind = item.get("type").and_then(Node::as_str);
                let local = matches!(kind, Some("dir" | "subdirs" | "file")) || name.starts_with(['.', '/']);
                let version = item.get("version").and_then(Node::as_str).filter(|version| !version.is_empty());
                let loc = Loc { file, span: spot.span() };
                self.requirements.push(Requirement { name, loc, version, collection, local });
            }
        };
        if root.is_seq() {
            add(root, false);
        } else {
            for (key, collection) in [("roles", false), ("collections", true)] {
                if let Some(list) = root.get(key) {
                    add(list, collection);
                }
            }
        }
    }

    fn add_variables(&mut self, document: &'a Document) {
        let Some(node) = document.yaml().and_then(crate::syntax::yaml::Yaml::root) else { return };
        let path = self.documents.tree.path(document.file);
        let parts: Vec<&str> = path.split('/').collect();
        let Some(at) = parts.iter().rposition(|part| matches!(*part, "group_vars" | "host_vars")) else { return };
        let Some(next) = parts.get(at + 1) else { return };
        let name = if at + 2 == parts.len() { stem(next) } else { next };
        let host = parts[at] == "host_vars";
        self.host_variables.push(HostVariables { file: document.file, name: name.to_owned(), host, node });
    }

    /// The tasks of a file.
    #[must_use]
    pub fn tasks_of(&self, file: FileId) -> &[usize] {
        self.task_files.get(&file).map_or(&[], Vec::as_slice)
    }

    /// The hosts of a play in each inventory that it may be run with. What a template in `hosts:` chooses, and what plugins and
    /// scripts find, is not among them.
    #[must_use]
    pub fn hosts_of(&self, play: &Play<'a>) -> Vec<(&Merged<'a>, Vec<String>)> {
        let inventories = self.inventory.merged_from(folder(self.documents.tree.path(play.file)));
        inventories.into_iter().map(|inventory| (inventory, play.pattern.select(inventory))).collect()
    }

    /// What a host is given in each inventory that lists it and that a playbook of the folder may be run with.
    #[must_use]
    pub fn host_layers(&self, host: &str, playbook: &str) -> Vec<HostLayers<'_, 'a>> {
        let inventories = self.inventory.merged_from(playbook).into_iter();
        let listing = inventories.filter(|inventory| inventory.host(host).is_some());
        listing.map(|inventory| layers(self.documents, inventory, host, Some(playbook))).collect()
    }

    /// The plays whose hosts a task may run on, in order; empty when nothing here reaches it.
    pub fn plays_of(&self, task: &Task<'a>) -> impl Iterator<Item = &Play<'a>> {
        task.plays.iter().map(|index| &self.plays[*index])
    }
}

/// A file name without `.yml`, `.yaml` or `.json`.
fn stem(name: &str) -> &str {
    [".yml", ".yaml", ".json"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(file_name(name))
}

fn hosts_of(hosts: Node<'_>) -> (String, Pattern) {
    if let Some(text) = hosts.as_str() {
        return (text.to_owned(), Pattern::parse(text));
    }
    let texts: Vec<&str> = hosts.items().filter_map(Node::as_str).collect();
    let parts: Vec<&str> = texts.iter().flat_map(|text| pattern::split(text)).collect();
    (parts.join(","), Pattern::of(texts))
}
