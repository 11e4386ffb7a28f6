//! Where names are looked up, and what an evaluation may cost.

use super::super::{Ansible, Task};
use super::MAX_MEMBERS;
use super::context::Context;
use super::eval::Eval;
use super::lookup::{At, Hit};
use super::val::{Res, V, Val};
use crate::syntax::jinja::{self, Expr, Literal};
use crate::syntax::yaml::{Node, NodeKind, Scalar};
use crate::text::{FileId, Loc, Span};
use crate::value::{Data, Kind, Tri};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Expressions, nodes and templates inside one another.
const MAX_DEPTH: usize = 120;
/// So much deeper is an evaluation with other variables.
const INNER: usize = 25;
/// Steps of one evaluation.
const MAX_STEPS: usize = 200_000;

/// Where names are looked up, and what has been done.
pub(in crate::model::ansible) struct Scope<'s, 'a> {
    pub(super) ansible: &'s Ansible<'a>,
    /// The task whose values are asked for.
    pub(super) task: Option<&'s Task<'a>>,
    /// The ways and hosts at which it is looked at.
    at: Vec<At<'s, 'a>>,
    /// In the scope of another host: the task that asks, for what has been set by then.
    pub(super) before: Option<(&'s Task<'a>, &'s Context<'a>)>,
    /// Before all ways are known: what is set while the play runs is only looked for beside the task.
    pub(super) early: bool,
    /// Variables of a loop, in one of its turns.
    pub(super) locals: Vec<(Box<str>, Val)>,
    /// Whether a name was met that is not the same wherever the task runs.
    pub(super) differs: Rc<Cell<bool>>,
    /// Whether anything rests on a default of a role, or on nothing setting a name: on what is there to be set otherwise.
    pub(super) open_to_change: Rc<Cell<bool>>,
    pub(super) work: Work,
}

/// What has been done so far.
#[derive(Default)]
pub(super) struct Work {
    steps: Cell<usize>,
    depth: Cell<usize>,
    /// The nodes that are being evaluated, and whether one was met again on the way from it: it goes round in circles.
    active: RefCell<Vec<((FileId, Span), bool)>>,
    done: RefCell<HashMap<(FileId, Span), Val>>,
}

impl Work {
    pub(super) fn spend(&self, steps: usize) -> Res<()> {
        let spent = self.steps.get().saturating_add(steps);
        self.steps.set(spent);
        if spent > MAX_STEPS { Err("it takes too many steps".into()) } else { Ok(()) }
    }

    pub(super) fn enter(&self) -> Res<()> {
        self.spend(1)?;
        if self.depth.get() >= MAX_DEPTH {
            return Err("it is nested too deeply".into());
        }
        self.depth.set(self.depth.get() + 1);
        Ok(())
    }

    /// What is left for an evaluation inside, which has variables of its own.
    pub(super) fn inner(&self) -> Self {
        let (steps, depth) = (Cell::new(self.steps.get()), Cell::new(self.depth.get().saturating_add(INNER)));
        Self { steps, depth, ..Self::default() }
    }

    /// The steps since this was the inner work of another.
    pub(super) fn since(&self, outer: &Self) -> usize {
        self.steps.get().saturating_sub(outer.steps.get())
    }

    /// Forgets the values of variables, not what they cost.
    pub(super) fn forget(&self) {
        self.done.borrow_mut().clear();
    }

    pub(super) fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }
}

impl<'s, 'a> Scope<'s, 'a> {
    pub(super) fn new(ansible: &'s Ansible<'a>, task: Option<&'s Task<'a>>, at: Vec<At<'s, 'a>>, work: Work) -> Self {
        Self {
            ansible,
            task,
            at,
            before: None,
            early: false,
            locals: Vec::new(),
            differs: Rc::default(),
            open_to_change: Rc::default(),
            work,
        }
    }

    /// The ways and hosts at which it looks.
    pub(super) fn places(&self) -> impl Iterator<Item = At<'s, 'a>> {
        self.at.iter().copied()
    }

    /// The role and the playbook in whose folders files are looked for.
    pub(super) fn folders(&self) -> (Option<usize>, Option<FileId>) {
        let Some(at) = self.at.first() else { return (None, None) };
        (at.context.role, at.context.play.map(|play| self.ansible.plays[play].file))
    }

    /// A variable by name: undefined when nothing here sets it.
    pub(super) fn variable(&self, name: &str) -> Val {
        if let Some((_, value)) = self.locals.iter().rev().find(|(own, _)| **own == *name) {
            return value.clone();
        }
        let hit = self.find(name);
        self.valued(hit, name)
    }

    fn valued(&self, hit: Hit<'a>, name: &str) -> Val {
        match hit {
            Hit::Node(file, node, loc) => self.resolved(file, node).step(format!("variable `{name}`"), loc),
            Hit::Value(value, loc) => match &value.kind {
                Kind::Known(Data::Str(text)) => self.text(text, loc),
                _ => Val::from_value(&value).at(loc),
            }
            .step(format!("variable `{name}`"), loc),
            Hit::Said(value) => value,
            Hit::Maybe(nodes, rest) => {
                let mut values: Vec<Val> = nodes.iter().map(|(file, node)| self.resolved(*file, *node)).collect();
                if !matches!(*rest, Hit::Undefined(_)) {
                    values.push(self.valued(*rest, name));
                }
                Val::several(values)
            }
            Hit::Turns(task) => self.of_turns(task, name),
            Hit::Unknown(reason) => Val::unknown(reason),
            Hit::Undefined(reason) => Val::undefined(reason),
            Hit::Differs => Val::unknown(format!("`{name}` is not the same wherever the task runs")),
        }
    }

    /// What the loop of an include hands on: one of the members of its list.
    fn of_turns(&self, task: usize, name: &str) -> Val {
        let (index, task) = (task, &self.ansible.tasks[task]);
        let mut turns = self.turns(task);
        let conditional = !task.when.is_empty();
        // By several ways the condition may say different things.
        self.differs.set(self.differs.get() || conditional && self.at.len() > 1);
        if let (true, [at]) = (conditional, self.at.as_slice())
            && let Some(context) = at.context.around_include(self.ansible, index)
        {
            turns.items = self.included_turns(task, At { context: &context, ..*at }, turns.items);
        }
        match turns.open {
            None if !turns.items.is_empty() => Val::several(turns.items),
            Some(reason) => Val::unknown(reason),
            None => Val::unknown(format!("`{name}` is a turn of an empty loop")),
        }
    }

    /// The members of an include's loop for which its condition may hold.
    fn included_turns(&self, include: &Task<'a>, at: At<'_, 'a>, items: Vec<Val>) -> Vec<Val> {
        let names = super::loops::names(include);
        let mut scope = Scope::new(self.ansible, Some(include), vec![at], self.work.inner());
        (scope.differs, scope.open_to_change) = (self.differs.clone(), self.open_to_change.clone());
        let mut kept = Vec::new();
        for item in items {
            scope.locals = vec![(names.item.into(), item.clone())];
            scope.work.forget();
            let own = super::super::reach::conditions_of(include.file, include.node);
            let holds = own.fold(Tri::True, |all, (file, node)| all.and(|| super::view::holds(&scope, file, node)));
            if !holds.is_false() {
                kept.push(item);
            }
        }
        let _ = self.work.spend(scope.work.since(&self.work));
        kept
    }

    /// The list or mapping that a variable is written as.
    pub(super) fn written(&self, name: &str) -> Option<(FileId, Node<'a>)> {
        if self.locals.iter().any(|(own, _)| **own == *name) {
            return None;
        }
        match self.find(name) {
            Hit::Node(file, node, _) if node.is_map() || node.is_seq() => Some((file, node)),
            _ => None,
        }
    }

    /// The value of a variable's node, evaluated once.
    pub(super) fn resolved(&self, file: FileId, node: Node<'a>) -> Val {
        let key = (file, node.span());
        if let Some(value) = self.work.done.borrow().get(&key) {
            return value.clone();
        }
        let round = || Val::unknown("it refers to itself");
        let met = self.work.active.borrow().iter().position(|(own, _)| *own == key);
        if let Some(met) = met {
            // All that lies between the two is on the circle as well, from wherever one comes to it.
            self.work.active.borrow_mut()[met..].iter_mut().for_each(|(_, circular)| *circular = true);
            return round();
        }
        self.work.active.borrow_mut().push((key, false));
        let value = self.node(file, node);
        let circular = self.work.active.borrow_mut().pop().is_some_and(|(_, circular)| circular);
        let value = if circular { round() } else { value };
        self.work.done.borrow_mut().insert(key, value.clone());
        value
    }

    /// A YAML node with the Jinja in it.
    pub(super) fn node(&self, file: FileId, node: Node<'a>) -> Val {
        let loc = Loc { file, span: node.span() };
        if let Err(reason) = self.work.enter() {
            return Val::unknown(reason).at(loc);
        }
        let value = self.inside(file, node, loc);
        self.work.leave();
        value.at(loc)
    }

    fn inside(&self, file: FileId, node: Node<'a>, loc: Loc) -> Val {
        match node.kind() {
            NodeKind::Scalar(..) if node.tag() == Some("!vault") => Val::unknown("it is vaulted"),
            NodeKind::Scalar(text, _) if node.tag() != Some("!unsafe") && jinja::contains_template(text) => {
                self.text(text, loc)
            }
            NodeKind::Scalar(..) => scalar(node),
            NodeKind::Seq(_) => Val::list(node.items().take(MAX_MEMBERS).map(|item| self.node(file, item)).collect()),
            NodeKind::Map(_) => {
                let entries = node.entries_in_order().into_iter().take(MAX_MEMBERS);
                let entries = entries.filter(|(key, _)| matches!(key.kind(), NodeKind::Scalar(..)));
                Val::map(entries.map(|(key, value)| (scalar(key), self.node(file, value))).collect(), None)
            }
            NodeKind::Alias(_) => Val::unknown("its anchor is not defined"),
        }
    }
}

/// What a condition says: an expression, or a template that gives one. Anything but a truth value is refused.
pub(super) fn condition(scope: &Scope<'_, '_>, text: &str, loc: Loc) -> Tri {
    let trimmed = text.trim();
    let mut value = if trimmed.starts_with("{{") && trimmed.ends_with("}}") {
        scope.text(trimmed, loc)
    } else {
        expression(scope, trimmed, loc)
    };
    if let (V::Str(inner), true) = (&value.v, trimmed.starts_with("{{")) {
        value = expression(scope, inner, loc);
    }
    match &value.v {
        V::Bool(value) => (*value).into(),
        V::OneOf(values) => super::ops::agreed(values.iter().map(|value| match value.v {
            V::Bool(value) => value.into(),
            _ => Tri::Unknown(value.not("truth value")),
        })),
        _ => Tri::Unknown(value.not("truth value, which a condition must be")),
    }
}

pub(super) fn expression(scope: &Scope<'_, '_>, text: &str, loc: Loc) -> Val {
    match jinja::expression(text) {
        // A text that is a template is templated once more.
        Ok(Expr::Const(Literal::Str(text))) => scope.text(&text, loc),
        Ok(expr) => Eval::new(scope, loc).expr(&expr),
        Err(error) => Val::unknown(format!("`{text}` cannot be parsed: {error}")),
    }
}

/// A scalar in which nothing needs a scope.
pub(super) fn plain_scalar(file: FileId, node: Node<'_>) -> Option<crate::value::Value> {
    let NodeKind::Scalar(text, _) = node.kind() else { return None };
    let plain = node.tag() != Some("!vault") && !jinja::contains_template(text);
    plain.then(|| scalar(node).at(Loc { file, span: node.span() }).into_value())
}

/// A scalar without templates.
fn scalar(node: Node<'_>) -> Val {
    let text = node.as_str().unwrap_or("");
    match node.resolve() {
        Scalar::Null => Val::null(),
        Scalar::Bool(value) => value.into(),
        Scalar::Str => text.into(),
        Scalar::Number(value) => {
            let written = text.trim_start_matches(['+', '-']);
            let based = written.starts_with("0x")
                || written.starts_with("0X")
                || written.starts_with("0o")
                || written.starts_with("0b");
            let whole = based || written.chars().all(|c| c.is_ascii_digit() || c == '_' || c == ':');
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
            match text.replace('_', "").parse::<i64>() {
                Ok(exact) if whole && !written.starts_with('0') => exact.into(),
                _ if whole && value.abs() < 9e15 => (value as i64).into(),
                _ => value.into(),
            }
        }
    }
}

/// A node whose texts are no templates: what `from_yaml` reads.
pub(super) fn plain_node(node: Node<'_>) -> Res {
    plain_within(node, 0)
}

fn plain_within(node: Node<'_>, depth: usize) -> Res {
    if depth > MAX_DEPTH {
        return Err("it is nested too deeply".into());
    }
    Ok(match node.kind() {
        NodeKind::Scalar(..) => match node.tag() {
            None | Some("!!str" | "!!int" | "!!float" | "!!bool" | "!!null" | "!unsafe") => scalar(node),
            Some(tag) => return Err(format!("the tag `{tag}` is not evaluated").into()),
        },
        NodeKind::Seq(_) => Val::list(node.items().map(|item| plain_within(item, depth + 1)).collect::<Res<_>>()?),
        NodeKind::Map(_) => {
            let entry = |(key, value): (Node<'_>, Node<'_>)| {
                Ok((plain_within(key, depth + 1)?, plain_within(value, depth + 1)?))
            };
            let entries = node.entries().into_iter().map(entry).collect::<Res<Vec<_>>>()?;
            if entries.iter().any(|(key, _)| matches!(key.v, V::List(_) | V::Map(_))) {
                return Err("a key is no scalar".into());
            }
            Val::map(entries, None)
        }
        NodeKind::Alias(_) => return Err("its anchor is not defined".into()),
    })
}
