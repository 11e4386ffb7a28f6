//! Where names are looked up, and what an evaluation may cost.

use super::eval::Eval;
use super::val::{Res, V, Val};
use super::{MAX_MEMBERS, PROJECT, Scope};
use crate::source::{file_name, folder};
use crate::syntax::jinja::{self, Expr, Literal};
use crate::syntax::yaml::{Node, NodeKind, Scalar};
use crate::text::{FileId, Loc, Span};
use crate::value::Tri;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// Expressions, nodes and templates inside one another.
const MAX_DEPTH: usize = 120;
/// Steps of one evaluation.
const MAX_STEPS: usize = 200_000;

/// What has been done so far.
#[derive(Default)]
pub(super) struct Work {
    steps: Cell<usize>,
    depth: Cell<usize>,
    /// The nodes that are being evaluated: to meet one again is to go round in circles.
    active: RefCell<Vec<(FileId, Span)>>,
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

    pub(super) fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }
}

/// Names that stand for the run, not for a variable.
const OF_THE_RUN: [&str; 12] = [
    "item",
    "inventory_hostname",
    "inventory_hostname_short",
    "groups",
    "group_names",
    "hostvars",
    "play_hosts",
    "environment",
    "inventory_file",
    "inventory_dir",
    "role_path",
    "playbook_dir",
];

impl<'a> Scope<'_, 'a> {
    /// A variable by name: undefined when nothing here sets it.
    pub(super) fn variable(&self, name: &str) -> Val {
        if let Some(value) = self.special(name) {
            return value;
        }
        if let Some(item) = self.item.as_ref().filter(|_| name == "item") {
            return item.clone();
        }
        for (file, layer) in &self.layers {
            if let Some((key, value)) = layer.entry(name) {
                let loc = Loc { file: *file, span: key.span() };
                return self.resolved(*file, value).step(format!("variable `{name}`"), loc);
            }
        }
        if self.registered.contains(&name) {
            return Val::unknown(format!("`{name}` is only known when the play runs"));
        }
        if name.starts_with("ansible_") {
            return Val::unknown(format!("`{name}` is a fact of the host"));
        }
        let elsewhere = self.ansible.host_variables.iter().any(|variables| variables.node.get(name).is_some());
        if elsewhere || OF_THE_RUN.contains(&name) {
            return Val::unknown(format!("`{name}` differs from host to host or is only known when the play runs"));
        }
        Val::undefined(format!("`{name}` is not set in this repository"))
    }

    /// The list or mapping that a variable is written as.
    pub(super) fn written(&self, name: &str) -> Option<(FileId, Node<'a>)> {
        if self.special(name).is_some() || self.item.is_some() && name == "item" {
            return None;
        }
        let (file, node) = self.layers.iter().find_map(|(file, layer)| Some((*file, layer.get(name)?)))?;
        (node.is_map() || node.is_seq()).then_some((file, node))
    }

    /// Variables that Ansible itself sets and that the files tell.
    fn special(&self, name: &str) -> Option<Val> {
        let tree = self.ansible.documents.tree;
        let role = || self.ansible.roles.get(self.role?);
        let path = match name {
            "playbook_dir" => folder(tree.path(self.file)).to_owned(),
            "role_path" => role()?.folder.clone(),
            "role_name" | "ansible_role_name" => return Some(file_name(&role()?.folder).into()),
            "inventory_dir" => {
                let file = self.ansible.inventory.hosts.first().map(|host| host.loc.file)?;
                folder(tree.path(file)).to_owned()
            }
            _ => return None,
        };
        Some(format!("{PROJECT}/{path}").trim_end_matches('/').into())
    }

    /// The value of a variable's node, evaluated once.
    pub(super) fn resolved(&self, file: FileId, node: Node<'a>) -> Val {
        let key = (file, node.span());
        if let Some(value) = self.work.done.borrow().get(&key) {
            return value.clone();
        }
        if self.work.active.borrow().contains(&key) {
            return Val::unknown("it refers to itself");
        }
        self.work.active.borrow_mut().push(key);
        let value = self.node(file, node);
        self.work.active.borrow_mut().pop();
        // What was met on the way round a circle holds only there.
        if self.work.active.borrow().is_empty() {
            self.work.done.borrow_mut().insert(key, value.clone());
        }
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
                let entries = node.entries().into_iter().take(MAX_MEMBERS);
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

fn expression(scope: &Scope<'_, '_>, text: &str, loc: Loc) -> Val {
    match jinja::expression(text) {
        // A text that is a template is templated once more.
        Ok(Expr::Const(Literal::Str(text))) => scope.text(&text, loc),
        Ok(expr) => Eval::new(scope, loc).expr(&expr),
        Err(error) => Val::unknown(format!("`{text}` cannot be parsed: {error}")),
    }
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
            let based = written.starts_with("0x") || written.starts_with("0X") || written.starts_with("0o");
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
