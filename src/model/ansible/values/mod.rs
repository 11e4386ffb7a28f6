//! Values of tasks: variables by precedence, Jinja expressions as far as files can tell, unknown with the reason.

mod checks;
mod context;
mod eval;
mod filters;
mod foreign;
mod hosts;
mod lookup;
mod lookups;
mod loops;
mod methods;
mod ops;
mod order;
mod place;
mod rendered;
mod scope;
mod setters;
mod template;
#[cfg(test)]
mod tests;
mod val;
mod view;

pub use foreign::Variables;
pub use rendered::{Hole, Rendered};
pub use view::{Turn, Turns, View};

use super::Ansible;
use super::inventory::{Merged, Unread};
use super::task::{Argument, ArgumentValue, Task};
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc};
use crate::value::{Tri, Value};
use context::{Context, Mapping};
use hosts::{Given, PlayHosts};
use lookup::At;
use order::{Order, Regroup};
use scope::{Scope, Work, plain_node};
use setters::Setters;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use val::Val;
use view::{MAX_VIEWS, given_names, holds};

/// Stands for the project's folder at the start of paths that `playbook_dir` and its kin make.
pub const PROJECT: &str = "{project}";
/// Members of one value that are evaluated.
const MAX_MEMBERS: usize = 512;

/// Arguments of a task that were asked for, as one value and turn by turn.
#[derive(Default)]
struct Answers {
    whole: Vec<(Box<str>, Value)>,
    turns: Vec<(Box<str>, Vec<Value>)>,
}

/// Roles, in order.
type Depended = Arc<[usize]>;

/// What has been found out, once for all tasks.
#[derive(Default)]
pub(super) struct Known<'a> {
    /// The ways into each file.
    contexts: RwLock<HashMap<FileId, Arc<[Context<'a>]>>>,
    /// The hosts of each play.
    hosts: Vec<OnceLock<PlayHosts<'a>>>,
    nobody: PlayHosts<'a>,
    /// An inventory of which nothing is known.
    none: Merged<'a>,
    /// What each host is given, by inventory, folder of the playbook and name.
    given: RwLock<HashMap<(usize, String, String), Arc<Given<'a>>>>,
    setters: OnceLock<Setters<'a>>,
    /// The roles that each role depends on, the last place or the first counting.
    depended: RwLock<HashMap<(usize, bool), Depended>>,
    order: OnceLock<Order>,
    /// The tasks that put hosts into groups.
    regroups: OnceLock<Vec<Regroup>>,
    /// What was asked of each task.
    answers: Vec<Mutex<Answers>>,
    /// Files of variables.
    mappings: RwLock<HashMap<FileId, Arc<Mapping<'a>>>>,
    /// The names that files of groups and hosts set, and whether only those of `all` do.
    elsewhere: OnceLock<HashMap<&'a str, bool>>,
}

impl Known<'_> {
    pub(super) fn of(plays: usize, tasks: usize) -> Self {
        let hosts = std::iter::repeat_with(OnceLock::new).take(plays).collect();
        let reason = "the inventory is not in this repository".into();
        let unread = vec![Unread { file: FileId::default(), reason, dynamic: true }];
        let mut none = Merged::default();
        none.unread = unread;
        Self { hosts, none, answers: std::iter::repeat_with(Mutex::default).take(tasks).collect(), ..Self::default() }
    }
}

impl<'a> Ansible<'a> {
    fn setters(&self) -> &Setters<'a> {
        self.known.setters.get_or_init(|| Setters::find(self))
    }

    fn hosts_at(&self, context: &Context<'a>) -> &PlayHosts<'a> {
        context.play.map_or(&self.known.nobody, |play| self.play_hosts(play))
    }

    /// Where a task is looked at by one way: on its one host, or on all at once.
    fn at<'s>(&'s self, context: &'s Context<'a>) -> At<'s, 'a> {
        let hosts = self.hosts_at(context);
        let host = hosts.hosts.first().filter(|_| hosts.hosts.len() == 1 && hosts.open.is_none());
        At { context, hosts, host }
    }

    /// Looks at a task at all places in one go; where that does not give one answer, at each of them.
    fn look<T>(&self, task: &Task<'a>, of: impl Fn(&Scope<'_, 'a>) -> T) -> Looked<T> {
        let ways = self.contexts_of(task);
        let at = ways.iter().map(|context| self.at(context)).collect();
        let scope = Scope::new(self, Some(task), at, Work::default());
        let answer = of(&scope);
        if !scope.differs.get() {
            return Looked::Same(answer);
        }
        let mut places: Vec<At<'_, 'a>> = Vec::new();
        for context in &*ways {
            let all = self.hosts_at(context);
            places.extend(all.hosts.iter().map(|host| At { context, hosts: all, host: Some(host) }));
            if all.hosts.is_empty() || all.open.is_some() {
                places.push(At { context, hosts: all, host: None });
            }
        }
        if places.len() > MAX_VIEWS {
            return Looked::Same(answer);
        }
        let one = |at: At<'_, 'a>| of(&Scope::new(self, Some(task), vec![at], Work::default()));
        Looked::Each(places.into_iter().map(one).collect())
    }

    fn everywhere(&self, task: &Task<'a>, of: impl Fn(&Scope<'_, 'a>) -> Val) -> Value {
        match self.look(task, of) {
            Looked::Same(value) => value.into_value(),
            Looked::Each(values) => Val::several(values).into_value(),
        }
    }

    /// An argument of a task; absent when it is not given. Where it differs between the places at which the task runs, it is
    /// one of several.
    #[must_use]
    pub fn argument(&self, task: &Task<'a>, name: &str) -> Value {
        let plain = task.argument(name).and_then(|argument| match &argument.value {
            ArgumentValue::Node(node) => scope::plain_scalar(task.file, *node),
            ArgumentValue::Text(..) => None,
        });
        plain.unwrap_or_else(|| {
            let find = || self.everywhere(task, |scope| scope.argument(task, name));
            self.remembered(task, name, |answers| &mut answers.whole, find)
        })
    }

    /// What was answered before, or is found now.
    fn remembered<T: Clone>(
        &self,
        task: &Task<'a>,
        name: &str,
        of: impl Fn(&mut Answers) -> &mut Vec<(Box<str>, T)>,
        find: impl FnOnce() -> T,
    ) -> T {
        let Some(answers) = self.known.answers.get(task.index) else { return find() };
        if let Ok(mut answers) = answers.lock()
            && let Some((_, known)) = of(&mut answers).iter().find(|(own, _)| **own == *name)
        {
            return known.clone();
        }
        // Not under the lock: what is asked here may ask for more.
        let found = find();
        if let Ok(mut answers) = answers.lock() {
            of(&mut answers).push((name.into(), found.clone()));
        }
        found
    }

    /// An argument in each turn of the task's loop that may run, as far as the loop is known; else its one value.
    #[must_use]
    pub fn each(&self, task: &Task<'a>, name: &str) -> Vec<Value> {
        let Some(argument) = task.argument(name) else {
            let given = self.argument(task, name);
            return if given.is_absent() { Vec::new() } else { vec![given] };
        };
        let uses = || match &argument.value {
            ArgumentValue::Node(node) => loops::used_in(task, *node, 0),
            ArgumentValue::Text(text, _) => loops::uses(task, text),
        };
        if task.repeat.is_none() || !uses() {
            return vec![self.argument(task, name)];
        }
        self.remembered(task, name, |answers| &mut answers.turns, || self.each_turn(task, argument))
    }

    fn each_turn(&self, task: &Task<'a>, argument: &Argument<'a>) -> Vec<Value> {
        let mut distinct: Vec<Value> = Vec::new();
        for value in self.in_turns(task, |turn| turn.scope.given(task, argument).into_value()) {
            if distinct.len() < MAX_MEMBERS && !distinct.iter().any(|other| other.same(&value)) {
                distinct.push(value);
            }
        }
        distinct
    }

    /// What each turn of a task gives that may run, at each place where it gives something else; the task once, whatever `item`
    /// is, where the loop is not known.
    pub fn in_turns<T>(&self, task: &Task<'a>, of: impl Fn(&Turn<'_, '_, 'a>) -> T) -> Vec<T> {
        let turns = |scope: &Scope<'_, 'a>| -> Vec<T> {
            if task.repeat.is_none() {
                return vec![of(&Turn { task, scope: scope.again() })];
            }
            let names = loops::names(task);
            let items = scope.turns(task);
            if let (true, Some(reason)) = (items.items.is_empty(), items.open) {
                return vec![of(&Turn { task, scope: scope.in_turn(&names, 0, Val::unknown(reason)) })];
            }
            let turns = items.items.into_iter().enumerate().map(|(at, item)| scope.in_turn(&names, at, item));
            let own = task.node.get("when");
            let running = turns.filter(|turn| own.is_none_or(|when| !turn.says(task, when).is_false()));
            running.map(|scope| of(&Turn { task, scope })).collect()
        };
        match self.look(task, turns) {
            Looked::Same(found) => found,
            Looked::Each(all) => all.into_iter().flatten().collect(),
        }
    }

    /// All arguments of a task as one map.
    #[must_use]
    pub fn arguments(&self, task: &Task<'a>) -> Value {
        let names = given_names(task, &self.contexts_of(task));
        let entries = names.into_iter().map(|name| {
            let value = self.argument(task, &name);
            (Arc::from(name), value)
        });
        Value::map(entries.collect())
    }

    /// A node of a task's file, evaluated in the task's scope.
    #[must_use]
    pub fn evaluate(&self, task: &Task<'a>, node: Node<'a>) -> Value {
        self.everywhere(task, |scope| scope.node(task.file, node))
    }

    /// A text with Jinja, evaluated in a task's scope.
    #[must_use]
    pub fn evaluate_text(&self, task: &Task<'a>, text: &str) -> Value {
        self.everywhere(task, |scope| scope.text(text, task.loc))
    }

    /// A node of a task's file, as one of the plays sees it before it is known how they reach the task.
    pub(super) fn evaluate_early(&self, task: &Task<'a>, play: Option<usize>, node: Node<'a>) -> Value {
        self.early(task, play, |scope| scope.node(task.file, node))
    }

    /// A text with Jinja, likewise.
    pub(super) fn evaluate_text_early(&self, task: &Task<'a>, play: Option<usize>, text: &str) -> Value {
        self.early(task, play, |scope| scope.text(text, task.loc))
    }

    fn early(&self, task: &Task<'a>, play: Option<usize>, of: impl Fn(&Scope<'_, 'a>) -> Val) -> Value {
        let context = self.early_context(task, play);
        let mut scope = Scope::new(self, Some(task), vec![self.at(&context)], Work::default());
        scope.early = true;
        of(&scope).into_value()
    }

    /// An argument in each turn of the task's loop, before it is known which hosts there are.
    fn early_turns(&self, task: &Task<'a>, argument: &Argument<'a>) -> Vec<Value> {
        let context = self.early_context(task, task.plays.first().copied());
        let at = At { context: &context, hosts: &self.known.nobody, host: None };
        let mut scope = Scope::new(self, Some(task), vec![at], Work::default());
        scope.early = true;
        let items = task.repeat.map(|_| scope.turns(task));
        let Some(items) = items.filter(|items| items.open.is_none()) else {
            return vec![scope.given(task, argument).into_value()];
        };
        let names = loops::names(task);
        let turns = items.items.into_iter().enumerate();
        turns.map(|(at, item)| scope.in_turn(&names, at, item).given(task, argument).into_value()).collect()
    }

    /// What `when:` says in a task's scope: one expression, or several that must all hold. It is known where it is the same
    /// wherever the task runs.
    #[must_use]
    pub fn condition(&self, task: &Task<'a>, node: Node<'a>) -> Tri {
        self.agreed(task, |scope| scope.says(task, node))
    }

    /// A bare expression, as in `when:`, in a task's scope.
    #[must_use]
    pub fn condition_text(&self, task: &Task<'a>, text: &str, loc: Loc) -> Tri {
        self.agreed(task, |scope| scope::condition(scope, text, loc))
    }

    fn agreed(&self, task: &Task<'a>, of: impl Fn(&Scope<'_, 'a>) -> Tri) -> Tri {
        match self.look(task, of) {
            Looked::Same(truth) => truth,
            Looked::Each(truths) => ops::agreed(truths.into_iter()),
        }
    }

    /// A default of a role, evaluated among the role's own defaults and variables.
    #[must_use]
    pub fn role_variable(&self, role: &super::Role<'a>, name: &str) -> Value {
        let layers = |files: &[(FileId, Node<'a>)]| self.role_layers(files);
        let mut context = Context::default();
        (context.strong, context.weak) = (layers(&role.vars), layers(&role.defaults));
        Scope::new(self, None, vec![self.at(&context)], Work::default()).variable(name).into_value()
    }
}

/// What was found when a task was looked at.
enum Looked<T> {
    /// One answer, the same everywhere.
    Same(T),
    /// An answer for each place.
    Each(Vec<T>),
}

impl<'a> Scope<'_, 'a> {
    /// What a task itself gives for an argument.
    fn given(&self, task: &Task<'a>, argument: &Argument<'a>) -> Val {
        match &argument.value {
            ArgumentValue::Node(node) => self.node(task.file, *node),
            ArgumentValue::Text(text, span) => self.text(text, Loc { file: task.file, span: *span }),
        }
    }

    /// What a `when:` of a task says.
    fn says(&self, task: &Task<'a>, node: Node<'a>) -> Tri {
        if node.is_seq() {
            return node.items().fold(Tri::True, |all, item| all.and(|| holds(self, task.file, item)));
        }
        holds(self, task.file, node)
    }
}
