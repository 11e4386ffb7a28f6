//! A task as one host meets it, in one play and by one way: whether it runs there, its turns and its arguments.

use super::super::inventory::Merged;
use super::super::reach::conditions_of;
use super::super::task::{Argument, ArgumentValue};
use super::super::walk::Level;
use super::super::{Ansible, Task};
use super::PROJECT;
use super::context::Context;
use super::hosts::PlayHost;
use super::lookup::At;
use super::loops::{self, Names};
use super::scope::{Scope, Work, condition};
use super::val::Val;
use crate::syntax::jinja;
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc};
use crate::value::{Data, Reason, Tri, Value};
use std::sync::Arc;

/// Ways and hosts at which one task is looked at one by one.
pub(super) const MAX_VIEWS: usize = 64;

/// A task at one place: in one play, by one way, on one host where hosts are known.
pub struct View<'s, 'a> {
    ansible: &'s Ansible<'a>,
    task: &'s Task<'a>,
    ways: Arc<[Context<'a>]>,
    way: usize,
    host: Option<&'s PlayHost<'a>>,
}

/// What a task does at one place: one turn, or one for each member of its loop.
pub struct Turns<'v, 'a> {
    /// The turns that are known.
    pub list: Vec<Turn<'v, 'v, 'a>>,
    /// Why there may be others.
    pub open: Option<Reason>,
}

/// A task in one turn of its loop.
pub struct Turn<'t, 's, 'a> {
    pub(super) task: &'t Task<'a>,
    pub(super) scope: Scope<'s, 'a>,
}

impl<'a> Ansible<'a> {
    /// Every place at which a host may run a task; of a host that no play is known to run it on, none. Without a host, every
    /// place that is known, those of plays of which no host is known among them.
    #[must_use]
    pub fn views<'s>(&'s self, task: &'s Task<'a>, host: Option<&str>) -> Vec<View<'s, 'a>> {
        let mut views = self.looks(task, host);
        views.retain(|view| !view.scope().enters().is_false());
        views
    }

    /// The same, with those that no include leads to.
    fn looks<'s>(&'s self, task: &'s Task<'a>, host: Option<&str>) -> Vec<View<'s, 'a>> {
        let ways = self.contexts_of(task);
        let mut views = Vec::new();
        for (way, context) in ways.iter().enumerate() {
            let hosts = self.hosts_at(context);
            let view = |host| View { ansible: self, task, ways: ways.clone(), way, host };
            if hosts.hosts.is_empty() && host.is_none() {
                views.push(view(None));
            }
            let once = once(task, context);
            let first = |own: &PlayHost<'a>| {
                let batch = |other: &&PlayHost<'a>| (other.inventory, other.way) == (own.inventory, own.way);
                !once || hosts.hosts.iter().find(batch).is_some_and(|other| other.name == own.name)
            };
            let wanted = hosts.hosts.iter().filter(|own| host.is_none_or(|host| own.name == host) && first(own));
            views.extend(wanted.map(|host| view(Some(host))));
        }
        views
    }

    /// Whether a task runs on no host of the plays that reach it, all of which are known: a `when:` is false on each, whatever
    /// defaults are set to.
    #[must_use]
    pub fn never(&self, task: &Task<'a>) -> bool {
        // Without any condition there is nothing to look at.
        if !self.conditional(task) {
            return false;
        }
        let open = task.plays.iter().any(|play| self.open_hosts(*play).is_some());
        let views = if open { Vec::new() } else { self.looks(task, None) };
        !views.is_empty() && views.iter().all(|view| view.host.is_some() && view.never())
    }
}

impl<'s, 'a> View<'s, 'a> {
    fn context(&self) -> &Context<'a> {
        &self.ways[self.way]
    }

    /// The play, by index; none for a task that nothing reaches.
    #[must_use]
    pub fn play(&self) -> Option<usize> {
        self.context().play
    }

    /// The host, when it is known.
    #[must_use]
    pub fn host(&self) -> Option<&'s str> {
        self.host.map(|host| host.name.as_str())
    }

    /// The inventory that lists the host.
    #[must_use]
    pub fn inventory(&self) -> Option<&'s Merged<'a>> {
        self.host.map(|host| self.ansible.merged(host.inventory))
    }

    fn scope(&self) -> Scope<'_, 'a> {
        let context = self.context();
        let at = At { context, hosts: self.ansible.hosts_at(context), host: self.host };
        Scope::new(self.ansible, Some(self.task), vec![at], Work::default())
    }

    /// The turns of its loop; one if it has none.
    #[must_use]
    pub fn turns(&self) -> Turns<'_, 'a> {
        let scope = self.scope();
        if self.task.repeat.is_none() {
            return Turns { list: vec![Turn { task: self.task, scope }], open: None };
        }
        let names: Names<'a> = loops::names(self.task);
        let items = scope.turns(self.task);
        let turns = items.items.into_iter().enumerate();
        let list = turns.map(|(at, item)| Turn { task: self.task, scope: scope.in_turn(&names, at, item) }).collect();
        Turns { list, open: items.open }
    }

    /// Whether no turn of the task runs here, by a condition that rests on nothing which is there to be set otherwise.
    fn never(&self) -> bool {
        let scope = self.scope();
        if scope.enters().is_false() && !scope.open_to_change.get() {
            return true;
        }
        let firmly = |scope: &Scope<'_, 'a>| {
            scope.conditions(self.task).into_iter().any(|(file, node)| {
                scope.open_to_change.set(false);
                scope.work.forget();
                holds(scope, file, node).is_false() && !scope.open_to_change.get()
            })
        };
        if self.task.repeat.is_none() {
            return firmly(&scope);
        }
        let turns = self.turns();
        turns.open.is_none() && !turns.list.is_empty() && turns.list.iter().all(|turn| firmly(&turn.scope))
    }

    /// Whether the task runs here at all, as far as that does not hang on the turn of its loop.
    #[must_use]
    pub fn runs(&self) -> Tri {
        self.scope().runs(self.task)
    }
}

impl Turn<'_, '_, '_> {
    /// Whether every `when:` around the task and on it holds in this turn.
    #[must_use]
    pub fn runs(&self) -> Tri {
        self.scope.runs(self.task)
    }

    /// An argument, that of `module_defaults` when the task has none of its own; absent when there is neither.
    #[must_use]
    pub fn argument(&self, name: &str) -> Value {
        self.scope.argument(self.task, name).into_value()
    }
}

/// Whether a task runs on the first host of its play alone. Where a play goes by batches, each has a first one.
fn once<'a>(task: &Task<'a>, context: &Context<'a>) -> bool {
    let keyword = |name| {
        let own = task.blocks.iter().chain([&task.node]).rev().find_map(|node| node.get(name));
        own.or_else(|| context.levels().rev().find_map(|level| level.keyword(name)))
    };
    let said = keyword("run_once").and_then(Node::as_str).and_then(crate::value::truth);
    said == Some(true) && keyword("serial").is_none()
}

/// Whether a group of `module_defaults`, in which the module may be, gives an argument.
fn of_group<'a>(task: &Task<'a>, context: &Context<'a>, name: &str) -> bool {
    let own = task.blocks.iter().chain([&task.node]).filter_map(|node| node.get("module_defaults"));
    let around = context.levels().filter_map(|level| level.keyword("module_defaults"));
    let entries = own.chain(around).flat_map(|defaults| {
        if defaults.is_seq() { defaults.items().flat_map(Node::entries).collect() } else { defaults.entries() }
    });
    let groups = entries.into_iter().filter(|(key, _)| key.as_str().is_some_and(|key| key.starts_with("group/")));
    groups.into_iter().any(|(_, given)| given.get(name).is_some())
}

/// What `module_defaults` give the task's module, the innermost first: the innermost alone counts.
fn module_defaults<'a>(task: &Task<'a>, context: &Context<'a>) -> Option<(FileId, Node<'a>)> {
    let own = task.blocks.iter().chain([&task.node]).map(|node| Level { file: task.file, node: *node, dynamic: false });
    let levels: Vec<Level<'a>> = context.levels().chain(own).collect();
    levels.into_iter().rev().find_map(|level| {
        let defaults = level.keyword("module_defaults")?;
        let of_module = |(key, _): &(Node<'a>, Node<'a>)| {
            key.as_str().is_some_and(|name| crate::knowledge::ansible::canonical(name) == task.module)
        };
        let entries =
            if defaults.is_seq() { defaults.items().flat_map(Node::entries).collect() } else { defaults.entries() };
        Some((level.file, entries.into_iter().rev().find(of_module)?.1))
    })
}

/// Every argument that a task has, with those that `module_defaults` give it at one place or another.
pub(super) fn given_names<'a>(task: &Task<'a>, ways: &[Context<'a>]) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> = task.arguments.iter().map(|argument| Box::from(&*argument.name)).collect();
    for context in ways {
        if let Some((_, defaults)) = module_defaults(task, context) {
            for name in defaults.entries().iter().filter_map(|(key, _)| key.as_str()) {
                if !names.iter().any(|own| **own == *name) {
                    names.push(name.into());
                }
            }
        }
    }
    names
}

/// What one `when:` says.
pub(super) fn holds<'a>(scope: &Scope<'_, 'a>, file: FileId, node: Node<'a>) -> Tri {
    let loc = Loc { file, span: node.span() };
    match crate::model::load::scalar(node) {
        Data::Bool(value) => value.into(),
        Data::Str(text) => condition(scope, &text, loc),
        _ => Tri::Unknown("it is no expression".into()),
    }
}

impl<'a> Scope<'_, 'a> {
    /// Every `when:` around the task and on it, outermost first, by the first way of the scope.
    fn conditions(&self, task: &Task<'a>) -> Vec<(FileId, Node<'a>)> {
        let own = task.blocks.iter().chain([&task.node]).map(|node| (task.file, *node));
        let context = self.places().next().map(|at| at.context);
        let around = context.into_iter().flat_map(Context::levels);
        // The condition of an include is looked at before there is anything inside: `enters`.
        let around = around.filter_map(|level| Some((level.file, level.handed_down()?)));
        around.chain(own).flat_map(|(file, node)| conditions_of(file, node)).collect()
    }

    /// Whether all conditions hold.
    fn runs(&self, task: &Task<'a>) -> Tri {
        let mut all = Tri::True;
        for (file, node) in self.conditions(task) {
            all = all.and(|| holds(self, file, node));
            if all.is_false() {
                return all;
            }
        }
        all = all.and(|| self.enters());
        if all.is_true() && task.handler {
            return Tri::Unknown("a handler runs once a task has notified it".into());
        }
        all
    }

    /// Whether the includes on the way lead here.
    fn enters(&self) -> Tri {
        let Some(at) = self.places().next() else { return Tri::True };
        let mut all = Tri::True;
        for (include, file, context) in &*at.context.included(self.ansible) {
            let task = &self.ansible.tasks[*include];
            let mut scope = Scope::new(self.ansible, Some(task), vec![At { context, ..at }], Work::default());
            (scope.differs, scope.open_to_change) = (self.differs.clone(), self.open_to_change.clone());
            all = all.and(|| scope.includes(task, *file));
        }
        all
    }

    /// Whether a task includes a file, in its own scope.
    fn includes(&self, task: &Task<'a>, file: FileId) -> Tri {
        let role = task.short() == "include_role";
        let names = if role { ["name", "role"] } else { ["file", "_raw_params"] };
        let argument = names.into_iter().find_map(|name| task.argument(name));
        let templated = |argument: &&Argument<'a>| match &argument.value {
            ArgumentValue::Node(node) => node.as_str().is_some_and(jinja::contains_template),
            ArgumentValue::Text(text, _) => jinja::contains_template(text),
        };
        let argument = argument.filter(templated);
        let fits = |scope: &Self| match argument.map(|argument| scope.given(task, argument).into_value()) {
            None => Tri::True,
            Some(value) => match value.as_str() {
                Some(name) => self.is_named(file, name, role).into(),
                None => Tri::Unknown("the name of what is included is not known".into()),
            },
        };
        let holds = |scope: &Self| {
            let own = task.blocks.iter().chain([&task.node]).flat_map(|node| conditions_of(task.file, *node));
            own.fold(Tri::True, |all, (file, node)| all.and(|| holds(scope, file, node))).and(|| fits(scope))
        };
        if task.repeat.is_none() {
            return holds(self);
        }
        let names = loops::names(task);
        let turns = self.turns(task);
        let open = turns.open.map_or(Tri::False, Tri::Unknown);
        let turns = turns.items.into_iter().enumerate();
        turns.fold(open, |any, (at, item)| any.or(|| holds(&self.in_turn(&names, at, item))))
    }

    /// Whether an `include_vars` reads a file, at one place.
    pub(super) fn reads(&self, at: At<'_, 'a>, task: &Task<'a>, file: FileId) -> Tri {
        let argument = ["file", "_raw_params"].into_iter().find_map(|name| task.argument(name));
        let Some(argument) = argument.filter(|_| task.repeat.is_none()) else {
            return Tri::Unknown("the file is not known".into());
        };
        let scope = Scope::new(self.ansible, self.task, vec![at], self.work.inner());
        let name = scope.given(task, argument).into_value();
        let spent = self.work.spend(scope.work.since(&self.work));
        match name.as_str() {
            Some(name) if spent.is_ok() => self.is_named(file, name, false).into(),
            _ => Tri::Unknown("the file is not known".into()),
        }
    }

    /// Whether a name of an include may mean a file, or the role of a file.
    fn is_named(&self, file: FileId, name: &str, role: bool) -> bool {
        let path = self.ansible.documents.tree.path(file);
        if role {
            let last = name.rsplit(['/', '.']).next().unwrap_or(name);
            let of_file = self.ansible.tasks_of(file).first().and_then(|task| self.ansible.tasks[*task].role);
            return of_file.is_none_or(|role| self.ansible.roles[role].name == last);
        }
        let name = name.strip_prefix(PROJECT).unwrap_or(name).trim_start_matches(['.', '/']);
        path.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    }

    /// An argument of the task, or what `module_defaults` give it wherever it runs.
    pub(super) fn argument(&self, task: &Task<'a>, name: &str) -> Val {
        if let Some(argument) = task.argument(name) {
            return self.given(task, argument);
        }
        if super::order::templated_arguments(task) {
            return Val::unknown("a template gives the arguments");
        }
        let mut all = self.places().map(|at| module_defaults(task, at.context));
        let first = all.next().flatten();
        let id = |given: Option<(FileId, Node<'a>)>| given.map(|(file, node)| (file, node.id()));
        if all.any(|other| id(other) != id(first)) {
            self.differs.set(true);
        }
        if let Some((file, node)) = first.and_then(|(file, defaults)| Some((file, defaults.get(name)?))) {
            return self.node(file, node);
        }
        if self.places().any(|at| of_group(task, at.context, name)) {
            return Val::unknown("a group of `module_defaults` that the module may be in gives it");
        }
        super::val::V::Omit.into()
    }
}
