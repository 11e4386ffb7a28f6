//! Values of tasks: variables by precedence, Jinja expressions as far as files can tell, unknown with the reason.

mod checks;
mod eval;
mod filters;
mod lookups;
mod methods;
mod ops;
mod rendered;
mod scope;
mod template;
#[cfg(test)]
mod tests;
mod val;

use super::task::{Argument, ArgumentValue, Task};
use super::{Ansible, Pattern};
use crate::source::folder;
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc};
use crate::value::{Data, Tri, Value};
pub use rendered::{Hole, Rendered, Turn};
use scope::{Work, plain_node};
use std::sync::Arc;
use val::Val;

/// Stands for the project's folder at the start of paths that `playbook_dir` and its kin make.
pub const PROJECT: &str = "{project}";
/// Members of one value that are evaluated.
const MAX_MEMBERS: usize = 512;

/// Where names are looked up: layers of variables, strongest first.
pub struct Scope<'s, 'a> {
    ansible: &'s Ansible<'a>,
    layers: Vec<(FileId, Node<'a>)>,
    /// For `playbook_dir`, `role_path`.
    file: FileId,
    role: Option<usize>,
    registered: Vec<&'a str>,
    /// What `item` is, when one turn of a loop is looked at.
    item: Option<Val>,
    work: Work,
}

impl<'a> Ansible<'a> {
    /// The scope of a task in the first play that reaches it.
    #[must_use]
    pub fn scope<'s>(&'s self, task: &Task<'a>) -> Scope<'s, 'a> {
        self.scope_in(task, task.plays.first().copied())
    }

    /// The scope of a task in one of the plays that reach it.
    fn scope_in<'s>(&'s self, task: &Task<'a>, play: Option<usize>) -> Scope<'s, 'a> {
        let mut layers: Vec<(FileId, Node<'a>)> = task.vars.iter().map(|node| (task.file, *node)).collect();
        let play = play.map(|index| &self.plays[index]);
        if let (Some(play), Some(role)) = (play, task.role) {
            let parameters = play.roles.iter().filter(|used| used.role == Some(role)).filter_map(|used| used.node);
            layers.extend(
                parameters.flat_map(|node| [node.get("vars"), Some(node)]).flatten().map(|node| (play.file, node)),
            );
        }
        if let Some(role) = task.role {
            layers.extend(self.roles[role].vars.iter().copied());
        }
        if let Some(play) = play {
            layers.extend(self.play_layers(play.file, play.node));
            layers.extend(self.group_layers(&play.hosts));
        }
        if let Some(role) = task.role {
            layers.extend(self.roles[role].defaults.iter().rev().copied());
        }
        let file = play.map_or(task.file, |play| play.file);
        let registered = self.registered(task);
        Scope { ansible: self, layers, file, role: task.role, registered, item: None, work: Work::default() }
    }

    fn play_layers(&self, file: FileId, node: Node<'a>) -> Vec<(FileId, Node<'a>)> {
        let mut layers: Vec<(FileId, Node<'a>)> = Vec::new();
        let from = folder(self.documents.tree.path(file));
        let named: Vec<Node<'a>> = node.get("vars_files").map(|list| list.items().collect()).unwrap_or_default();
        for name in named.iter().rev().filter_map(|item| item.as_str()) {
            let path = crate::source::join(from, name);
            if let Some((file, yaml)) = path.and_then(|path| self.documents.yaml(&path)) {
                layers.extend(yaml.root().map(|root| (file, root)));
            }
        }
        layers.extend(node.get("vars").map(|vars| (file, vars)));
        layers
    }

    /// Variables of the hosts and groups that a pattern names, then those of all.
    fn group_layers(&self, hosts: &str) -> Vec<(FileId, Node<'a>)> {
        let pattern = Pattern::parse(hosts);
        let names: Vec<&str> = pattern.names().collect();
        let of = |host: bool| {
            let own = self.host_variables.iter().filter(move |variables| variables.host == host);
            own.filter(|variables| names.contains(&variables.name.as_str()))
                .map(|variables| (variables.file, variables.node))
                .collect::<Vec<_>>()
        };
        let mut layers = of(true);
        layers.extend(of(false));
        let all = self.host_variables.iter().filter(|variables| !variables.host && variables.name == "all");
        layers.extend(all.map(|variables| (variables.file, variables.node)));
        layers
    }

    /// Names that tasks of the same file register or set: known only when they run.
    fn registered(&self, task: &Task<'a>) -> Vec<&'a str> {
        // Tasks stand in the order of their files.
        let first = self.tasks.partition_point(|other| other.file < task.file);
        let beside = self.tasks[first..].iter().take_while(|other| other.file == task.file);
        let mut names = Vec::new();
        for other in beside {
            names.extend(other.register);
            if other.short() == "set_fact" {
                names.extend(other.arguments.iter().filter_map(|argument| match &argument.name {
                    std::borrow::Cow::Borrowed(name) => Some(*name),
                    std::borrow::Cow::Owned(_) => None,
                }));
            }
        }
        names
    }

    /// An argument of a task, evaluated; absent when it is not given.
    #[must_use]
    pub fn argument(&self, task: &Task<'a>, name: &str) -> Value {
        let Some(argument) = task.argument(name) else { return Value::absent() };
        self.scope(task).argument(task, argument)
    }

    /// An argument in each turn of the task's loop, as far as the loop is known; else its one value.
    #[must_use]
    pub fn each(&self, task: &Task<'a>, name: &str) -> Vec<Value> {
        let Some(argument) = task.argument(name) else { return Vec::new() };
        let text = match &argument.value {
            ArgumentValue::Node(node) => node.as_str(),
            ArgumentValue::Text(text, _) => Some(&**text),
        };
        let turns = task.repeat.filter(|_| text.is_some_and(|text| text.contains("item")));
        let turns = turns.map(|(_, node)| self.evaluate(task, node));
        let Some(list) = turns.as_ref().and_then(Value::as_list) else { return vec![self.argument(task, name)] };
        let turn = |item: &Value| {
            let scope = Scope { item: Some(Val::from_value(item)), ..self.scope(task) };
            scope.argument(task, argument)
        };
        list.items.iter().take(MAX_MEMBERS).map(turn).collect()
    }

    /// All arguments of a task as one map.
    #[must_use]
    pub fn arguments(&self, task: &Task<'a>) -> Value {
        let scope = self.scope(task);
        let entries =
            task.arguments.iter().map(|argument| (Arc::from(&*argument.name), scope.argument(task, argument)));
        Value::map(entries.collect())
    }

    /// A node of a task's file, evaluated in the task's scope.
    #[must_use]
    pub fn evaluate(&self, task: &Task<'a>, node: Node<'a>) -> Value {
        self.scope(task).node(task.file, node).into_value()
    }

    /// A text with Jinja, evaluated in a task's scope.
    #[must_use]
    pub fn evaluate_text(&self, task: &Task<'a>, text: &str) -> Value {
        self.scope(task).text(text, task.loc).into_value()
    }

    /// A node of a task's file, as one of the plays that reach it sees it.
    pub(super) fn evaluate_in(&self, task: &Task<'a>, play: Option<usize>, node: Node<'a>) -> Value {
        self.scope_in(task, play).node(task.file, node).into_value()
    }

    /// A text with Jinja, as one of the plays that reach the task sees it.
    pub(super) fn evaluate_text_in(&self, task: &Task<'a>, play: Option<usize>, text: &str) -> Value {
        self.scope_in(task, play).text(text, task.loc).into_value()
    }

    /// What `when:` says in a task's scope: one expression, or several that must all hold.
    #[must_use]
    pub fn condition(&self, task: &Task<'a>, node: Node<'a>) -> Tri {
        if node.is_seq() {
            return node.items().fold(Tri::True, |all, item| all.and(|| self.condition(task, item)));
        }
        let loc = Loc { file: task.file, span: node.span() };
        match crate::model::load::scalar(node) {
            Data::Bool(value) => value.into(),
            Data::Str(text) => self.condition_text(task, &text, loc),
            _ => Tri::Unknown("it is no expression".into()),
        }
    }

    /// A bare expression, as in `when:`, in a task's scope.
    #[must_use]
    pub fn condition_text(&self, task: &Task<'a>, text: &str, loc: Loc) -> Tri {
        scope::condition(&self.scope(task), text, loc)
    }

    /// A default of a role, evaluated among the role's own defaults and variables.
    #[must_use]
    pub fn role_variable(&self, role: &super::Role<'a>, file: FileId, name: &str) -> Value {
        let layers = role.vars.iter().chain(role.defaults.iter().rev()).copied().collect();
        let scope = Scope {
            ansible: self,
            layers,
            file,
            role: None,
            registered: Vec::new(),
            item: None,
            work: Work::default(),
        };
        scope.variable(name).into_value()
    }
}

impl<'a> Scope<'_, 'a> {
    fn argument(&self, task: &Task<'a>, argument: &Argument<'a>) -> Value {
        let value = match &argument.value {
            ArgumentValue::Node(node) => self.node(task.file, *node),
            ArgumentValue::Text(text, span) => self.text(text, Loc { file: task.file, span: *span }),
        };
        value.into_value()
    }
}
