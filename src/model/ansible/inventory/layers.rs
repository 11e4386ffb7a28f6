//! What a host is given by its inventory and by the files beside inventory and playbook, in the order of strength.

use super::merged::{ALL, Merged, Setting, Variable};
use super::read::entries;
use crate::model::kind::Skip;
use crate::model::load::{Documents, Outcome};
use crate::source::folder;
use crate::syntax::yaml::{Node, Yaml};
use crate::text::{FileId, Loc};
use crate::value::Reason;
use std::collections::{BTreeMap, BTreeSet};

/// Ends of names that Ansible tries, in this order.
const ENDS: [&str; 4] = ["", ".yml", ".yaml", ".json"];
/// Folders below a folder of variables nest no deeper.
const MAX_DEPTH: usize = 8;
/// Files of variables of one host or group.
const MAX_FILES: usize = 500;

/// Variables of one strength.
pub struct Layer<'m, 'a> {
    /// Which of Ansible's places it is, such as `host_vars of the playbook`.
    pub place: &'static str,
    /// What it holds.
    pub content: Content<'m, 'a>,
}

/// What a layer holds.
pub enum Content<'m, 'a> {
    /// A file of variables.
    File(FileId, Node<'a>),
    /// What the inventory says of the host or of a group.
    Set(&'m [Variable<'a>]),
    /// A file that nobody here can read, with the reason: any variable may be in it.
    Unknown(FileId, Reason),
}

/// A variable that was looked up.
pub enum Found<'a> {
    /// What it is set to, and where.
    Set(Setting<'a>, Loc),
    /// A file that cannot be read may set it.
    Unknown(Reason, FileId),
}

/// All that one host of one inventory is given.
pub struct HostLayers<'m, 'a> {
    /// The inventory.
    pub inventory: &'m Merged<'a>,
    /// The layers, the strongest first.
    pub layers: Vec<Layer<'m, 'a>>,
}

impl<'a> HostLayers<'_, 'a> {
    /// A variable: the strongest layer that has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Found<'a>> {
        self.layers.iter().find_map(|layer| match &layer.content {
            Content::File(file, node) => {
                let (key, value) = node.entry(name)?;
                Some(Found::Set(Setting::Node(value), Loc { file: *file, span: key.span() }))
            }
            Content::Set(variables) => {
                let variable = variables.iter().find(|variable| variable.name == name)?;
                Some(Found::Set(variable.setting.clone(), variable.loc))
            }
            Content::Unknown(file, reason) => Some(Found::Unknown(reason.clone(), *file)),
        })
    }

    /// Every variable that is set, by name, in its strongest setting. What only a file that cannot be read sets is not among
    /// them.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, (Setting<'a>, Loc)> {
        let mut all = BTreeMap::new();
        for layer in self.layers.iter().rev() {
            match &layer.content {
                Content::File(file, node) => {
                    for (key, value) in entries(*node) {
                        let Some(name) = key.as_str() else { continue };
                        let loc = Loc { file: *file, span: key.span() };
                        all.insert(name.to_owned(), (Setting::Node(value), loc));
                    }
                }
                Content::Set(variables) => {
                    all.extend(variables.iter().map(|own| (own.name.clone(), (own.setting.clone(), own.loc))));
                }
                Content::Unknown(..) => {}
            }
        }
        all
    }
}

/// The layers of a host; `playbook` is the folder of the playbook that is run, if there is one.
pub(super) fn of<'m, 'a>(
    documents: &'a Documents<'a>,
    inventory: &'m Merged<'a>,
    host: &str,
    playbook: Option<&str>,
) -> HostLayers<'m, 'a> {
    let mut stack = Stack { documents, layers: Vec::new() };
    let mut groups = inventory.groups_of(host);
    if groups.is_empty() {
        // `localhost`, which no inventory need list, is given what all are.
        groups.push(ALL);
    }
    let (all, others) = groups.split_first().map_or((None, &[][..]), |(all, others)| (Some(*all), others));
    let group = |at: usize| inventory.groups.get(at);
    // From the weakest to the strongest, as Ansible puts one over the other.
    stack.set("the inventory's `all`", all.and_then(group).map(|group| &*group.variables));
    for at in others {
        stack.set("a group of the inventory", group(*at).map(|group| &*group.variables));
    }
    let bases: Vec<&str> = inventory.sources.iter().map(|source| base(documents, source)).collect();
    let named: Vec<&str> = others.iter().filter_map(|at| Some(group(*at)?.name.as_str())).collect();
    for names in [&["all"][..], &named] {
        for base in &bases {
            stack.files("group_vars of the inventory", base, "group_vars", names);
        }
        if let Some(base) = playbook {
            stack.files("group_vars of the playbook", base, "group_vars", names);
        }
    }
    stack.set("the inventory's host", inventory.host(host).map(|host| &*host.variables));
    for base in &bases {
        stack.files("host_vars of the inventory", base, "host_vars", &[host]);
    }
    if let Some(base) = playbook {
        stack.files("host_vars of the playbook", base, "host_vars", &[host]);
    }
    debug_assert!(groups.first().is_none_or(|first| *first == ALL));
    stack.layers.reverse();
    HostLayers { inventory, layers: stack.layers }
}

/// The folder of a source: itself, or that of the file.
fn base<'p>(documents: &Documents<'_>, source: &'p str) -> &'p str {
    if documents.tree.find(&documents.tree.real(source)).is_some() { folder(source) } else { source }
}

/// The lines of a YAML text that say something.
fn said(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#') && !matches!(*line, "---" | "..."))
}

struct Stack<'m, 'a> {
    documents: &'a Documents<'a>,
    layers: Vec<Layer<'m, 'a>>,
}

impl<'m, 'a> Stack<'m, 'a> {
    fn set(&mut self, place: &'static str, variables: Option<&'m [Variable<'a>]>) {
        let variables = variables.filter(|variables| !variables.is_empty());
        self.layers.extend(variables.map(|variables| Layer { place, content: Content::Set(variables) }));
    }

    fn files(&mut self, place: &'static str, base: &str, kind: &str, names: &[&str]) {
        let folder = self.documents.tree.real(format!("{base}/{kind}").trim_start_matches('/'));
        if self.documents.tree.below(&folder).next().is_none() {
            return;
        }
        // A host that is a path (a chroot) has no files of variables.
        for name in names.iter().filter(|name| !name.is_empty() && !name.starts_with('/')) {
            for file in self.named(&folder, name) {
                let content = self.content(file);
                self.layers.extend(content.map(|content| Layer { place, content }));
            }
        }
    }

    /// The files of a host or group: the first of its names that exists; a folder stands for what is in it.
    fn named(&self, folder: &str, name: &str) -> Vec<FileId> {
        let tree = self.documents.tree;
        for end in ENDS {
            let path = tree.real(&format!("{folder}/{name}{end}"));
            if let Some(file) = tree.find(&path) {
                return vec![file];
            }
            if tree.below(&path).next().is_some() {
                let mut files = Vec::new();
                self.inside(&path, &mut files, 0, &mut 0);
                return files;
            }
        }
        Vec::new()
    }

    fn inside(&self, folder: &str, files: &mut Vec<FileId>, depth: usize, looked: &mut usize) {
        if depth > MAX_DEPTH || *looked > MAX_FILES {
            return;
        }
        *looked += 1;
        let tree = self.documents.tree;
        let below = tree.below(folder).filter_map(|(_, file)| file.path.get(folder.len() + 1..)?.split('/').next());
        let names: BTreeSet<&str> = below.collect();
        for name in names.into_iter().filter(|name| !name.starts_with('.') && !name.ends_with('~')) {
            let end = name.rfind('.').map_or("", |at| &name[at..]);
            let path = tree.real(&format!("{folder}/{name}"));
            match tree.find(&path) {
                Some(file) if ENDS.contains(&end) && files.len() < MAX_FILES => files.push(file),
                None if end.is_empty() => self.inside(&path, files, depth + 1, looked),
                _ => {}
            }
        }
    }

    fn content(&self, file: FileId) -> Option<Content<'m, 'a>> {
        let unknown = |reason: &str| Some(Content::Unknown(file, reason.into()));
        match self.documents.document(file).and_then(|document| document.yaml()).map(Yaml::root) {
            Some(Some(root)) if root.is_map() => Some(Content::File(file, root)),
            Some(root) if root.is_none_or(Node::is_null) => None,
            Some(_) => unknown("it holds no variables by name"),
            None => match self.documents.outcomes.get(file.0 as usize) {
                Some(Outcome::Skipped(Skip::Vaulted)) => unknown("it is vaulted"),
                // Nothing but comments is no variables.
                _ if said(self.documents.tree.text(file)).next().is_none() => None,
                _ => unknown("it cannot be read"),
            },
        }
    }
}
