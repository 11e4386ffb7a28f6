//! The way through a play as Ansible goes: lists in order, roles with what they depend on, imports and includes opened.

use super::include::{self, Name, Place};
use super::role::{self, Found, From};
use super::{Ansible, Section};
use crate::syntax::yaml::Node;
use crate::text::FileId;

/// Imports, includes and roles within one another that are followed.
const MAX_DEPTH: usize = 40;
/// Tasks of one play that are visited.
const MAX_VISITS: usize = 50_000;

/// Something around a task that hands keywords down to it.
#[derive(Clone, Copy)]
pub struct Level<'a> {
    /// The file.
    pub file: FileId,
    /// The mapping: a play, an entry of `roles:`, a block, an import or include.
    pub node: Node<'a>,
    /// An `include_tasks` or `include_role`: only its `when`, its `vars` and what it says under `apply` reach further.
    pub dynamic: bool,
}

impl<'a> Level<'a> {
    /// A keyword that it hands down.
    #[must_use]
    pub fn keyword(&self, name: &str) -> Option<Node<'a>> {
        let own = || self.node.get(name).filter(|_| !self.dynamic || matches!(name, "when" | "vars"));
        if self.dynamic { own().or_else(|| self.applied(name)) } else { own() }
    }

    /// What an include says under `apply:`.
    #[must_use]
    pub fn applied(&self, name: &str) -> Option<Node<'a>> {
        self.apply()?.get(name)
    }

    fn apply(&self) -> Option<Node<'a>> {
        let arguments = self.node.entries().into_iter().find(|(key, _)| is_include(key.as_str().unwrap_or("")))?.1;
        arguments.get("apply")
    }

    /// The mapping whose keywords come down to what is inside: of an include, what it says under `apply:`.
    #[must_use]
    pub fn handed_down(&self) -> Option<Node<'a>> {
        if self.dynamic { self.apply() } else { Some(self.node) }
    }
}

fn is_include(module: &str) -> bool {
    matches!(module.rsplit('.').next(), Some("include_tasks" | "include_role"))
}

/// By what a file with tasks is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// A task that imports or includes it, or its role.
    Task(usize),
    /// An entry of the play's `roles:`.
    Use(usize),
    /// An entry of the `dependencies:` of a role.
    Dependency(usize, usize),
}

/// What looks at a play on the way.
pub(super) trait Visit<'a> {
    /// Whether what only a run includes is entered, and handlers too.
    const DYNAMIC: bool;
    /// A task, with all that stands around it, outermost first.
    fn task(&mut self, at: &At<'_, 'a>, index: usize);
    /// The check of a role's arguments that Ansible puts before its tasks.
    fn check(&mut self, _at: &At<'_, 'a>, _name: String) {}
    /// A role that is entered, and by what.
    fn role(&mut self, _role: usize, _by: By) {}
    /// Whether what a role depends on need not be looked at again.
    fn known(&mut self, _role: usize) -> bool {
        false
    }
    /// Whether to read the tasks of a file that is entered.
    fn enter(&mut self, _file: FileId, _by: By) -> bool {
        true
    }
    /// A task whose target is not known.
    fn lost(&mut self, _index: usize, _why: &'static str) {}
}

/// Where the way has come to.
pub(super) struct At<'w, 'a> {
    /// Which of the play's lists it started from.
    pub section: Section,
    /// What hands keywords down, the outermost first.
    pub levels: &'w [Level<'a>],
    /// The role and the includes.
    pub place: &'w Place,
    /// In `rescue:` or `always:` of a block.
    pub aside: bool,
}

/// The collection in whose folder a path lies.
fn collection_of(path: &str) -> Option<String> {
    let mut parts = path.split('/').skip_while(|part| *part != "ansible_collections").skip(1);
    let (namespace, name) = (parts.next()?, parts.next()?);
    parts.next().map(|_| format!("{namespace}.{name}"))
}

pub(super) struct Walk<'w, 'a, V> {
    pub ansible: &'w Ansible<'a>,
    pub play: usize,
    pub levels: Vec<Level<'a>>,
    pub visitor: V,
    section: Section,
    aside: bool,
    depth: usize,
    visits: usize,
}

impl<'w, 'a, V: Visit<'a>> Walk<'w, 'a, V> {
    pub(super) fn new(ansible: &'w Ansible<'a>, play: usize, levels: Vec<Level<'a>>, visitor: V) -> Self {
        Self { ansible, play, levels, visitor, section: Section::Tasks, aside: false, depth: 0, visits: 0 }
    }

    /// Goes through the play.
    pub(super) fn run(mut self) -> V {
        let play = &self.ansible.plays[self.play];
        let path = self.ansible.documents.tree.path(play.file);
        let base = crate::source::folder(path).to_owned();
        let place = Place { base, collection: collection_of(path), ..Place::default() };
        self.levels.push(Level { file: play.file, node: play.node, dynamic: false });
        for section in [Section::Before, Section::Roles, Section::Tasks, Section::After, Section::Handlers] {
            self.section = section;
            match section {
                Section::Roles => self.uses(&place),
                Section::Handlers if !V::DYNAMIC => {}
                _ => {
                    let tasks = play.section(section);
                    self.tasks(tasks, &Place { handlers: section == Section::Handlers, ..place.clone() });
                }
            }
        }
        self.visitor
    }

    fn uses(&mut self, place: &Place) {
        let play = &self.ansible.plays[self.play];
        for (index, used) in play.roles.iter().enumerate() {
            let found = self.find(used.name, place, self.collections(None));
            self.levels.push(Level { file: play.file, node: used.item, dynamic: false });
            self.role(&found, place, (None, None), By::Use(index));
            self.levels.pop();
        }
    }

    /// The collections in which a play or role looks for short names.
    fn collections(&self, role: Option<usize>) -> Vec<&'a str> {
        if let Some(role) = role {
            return self.ansible.roles[role].collections.clone();
        }
        let list = self.ansible.plays[self.play].node.get("collections");
        list.map(|list| list.items().filter_map(Node::as_str).collect()).unwrap_or_default()
    }

    fn find<'n>(&self, name: &str, place: &'n Place, mut collections: Vec<&'n str>) -> Found
    where
        'a: 'n,
    {
        // A role of a collection finds its neighbours by their short names.
        let own = place.shown.as_deref().and_then(|shown| shown.rsplit_once('.')).map(|(collection, _)| collection);
        collections.extend(own.filter(|own| own.contains('.') && !own.contains('/')));
        collections.extend(place.collection.as_deref());
        let from = From { base: &place.base, role: place.role, collections: &collections };
        let ansible = self.ansible;
        let mut found = ansible.finder.find(ansible.documents.tree, &ansible.roles, from, name);
        if found.guessed && !V::DYNAMIC {
            found.role = None;
        }
        found
    }

    fn role(&mut self, found: &Found, place: &Place, from: (Option<&str>, Option<&str>), by: By) {
        self.visits += 1;
        let Some(index) = found.role.filter(|_| self.depth < MAX_DEPTH && self.visits < MAX_VISITS) else { return };
        self.depth += 1;
        let ansible = self.ansible;
        let role = &ansible.roles[index];
        let tree = ansible.documents.tree;
        let inside = Place {
            base: place.base.clone(),
            collection: place.collection.clone(),
            role: Some(index),
            shown: Some(found.shown.clone()),
            includes: Vec::new(),
            handlers: false,
        };
        self.visitor.role(index, by);
        let known = self.visitor.known(index);
        for (at, dependency) in role.dependencies.iter().enumerate().filter(|_| !known) {
            let found = self.find(dependency.name, &inside, self.collections(Some(index)));
            self.levels.push(Level { file: dependency.file, node: dependency.node, dynamic: false });
            self.role(&found, &inside, (None, None), By::Dependency(index, at));
            self.levels.pop();
        }
        if let Some(name) = check_name(role, from.0) {
            let at = At { section: self.section, levels: &self.levels, place: &inside, aside: self.aside };
            self.visitor.check(&at, name);
        }
        if let Some(file) = role.main.filter(|_| from.0.is_none()).or_else(|| role.part(tree, "tasks", from.0)) {
            self.file(file, &inside, by);
        }
        // Handlers may be notified by any task of the role.
        let handlers = from.1.map_or(role.handlers, |name| role.part(tree, "handlers", Some(name)));
        if let Some(file) = handlers.filter(|_| V::DYNAMIC) {
            self.file(file, &Place { handlers: true, ..inside }, by);
        }
        self.depth -= 1;
    }

    fn file(&mut self, file: FileId, place: &Place, by: By) {
        if self.depth >= MAX_DEPTH || !self.visitor.enter(file, by) {
            return;
        }
        self.depth += 1;
        let ansible = self.ansible;
        self.tasks(ansible.tasks_of(file), place);
        self.depth -= 1;
    }

    fn tasks(&mut self, tasks: &[usize], place: &Place) {
        for index in tasks {
            self.visits += 1;
            if self.visits > MAX_VISITS {
                return;
            }
            let task = &self.ansible.tasks[*index];
            let (levels, aside) = (self.levels.len(), self.aside);
            self.levels.extend(task.blocks.iter().map(|node| Level { file: task.file, node: *node, dynamic: false }));
            self.aside |= task.rescue || task.always;
            self.visitor.task(&At { section: self.section, levels: &self.levels, place, aside: self.aside }, *index);
            let dynamic = matches!(task.short(), "include_tasks" | "include" | "include_role");
            if V::DYNAMIC || !dynamic {
                self.levels.push(Level { file: task.file, node: task.node, dynamic });
                self.follow(*index, place);
            }
            self.levels.truncate(levels);
            self.aside = aside;
        }
    }

    /// Opens what a task imports or includes.
    fn follow(&mut self, index: usize, place: &Place) {
        let ansible = self.ansible;
        let task = &ansible.tasks[index];
        match task.short() {
            "include_tasks" | "import_tasks" | "include" => {
                let role = place.role.map(|role| &ansible.roles[role]);
                let mut found = false;
                for name in include::names(ansible, task, Some(self.play), "file") {
                    let files = include::files(ansible.documents.tree, role, place, task.file, &name);
                    let mut inside = place.clone();
                    inside.includes.push(name.known().map_or("", crate::source::folder).to_owned());
                    for file in files {
                        found = true;
                        self.file(file, &inside, By::Task(index));
                    }
                    // `first_found` and loops over known names alike: a missing file is passed over.
                }
                if !found {
                    self.visitor.lost(index, "no file of the repository fits the name");
                }
            }
            "include_role" | "import_role" => {
                let argument = ["name", "role"].into_iter().find(|name| task.argument(name).is_some());
                let names = include::names(ansible, task, Some(self.play), argument.unwrap_or("name"));
                let from = |part: &str| include::names(ansible, task, Some(self.play), part);
                let (tasks, handlers) = (from("tasks_from"), from("handlers_from"));
                let mut found = false;
                for name in names.iter().filter_map(Name::known) {
                    let role = self.find(name, place, self.collections(place.role));
                    found |= role.role.is_some();
                    let handlers = handlers.first().and_then(Name::known);
                    if tasks.is_empty() {
                        self.role(&role, place, (None, handlers), By::Task(index));
                    }
                    for tasks in tasks.iter().filter_map(Name::known) {
                        self.role(&role, place, (Some(tasks), handlers), By::Task(index));
                    }
                }
                if !found {
                    self.visitor.lost(index, "no role of the repository has the name");
                }
            }
            _ => {}
        }
    }
}

/// The name of the check that Ansible puts before the tasks of a role whose metadata describes its arguments.
fn check_name(role: &role::Role<'_>, entry: Option<&str>) -> Option<String> {
    let entry = entry.unwrap_or("main");
    let spec = role.argument_specs?.get(entry).filter(|spec| spec.is_map() && !spec.entries().is_empty())?;
    let described = spec.get("short_description").and_then(Node::as_str);
    let described = described.map(|text| format!(" - {text}")).unwrap_or_default();
    Some(format!("Validating arguments against arg spec '{entry}'{described}"))
}
