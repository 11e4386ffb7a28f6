//! Jinja expressions to values.

use super::Scope;
use super::val::{MAX_ITEMS, Res, V, Val};
use super::{checks, filters, lookups, methods, ops};
use crate::syntax::jinja::{BinaryOp, Expr, Literal};
use crate::syntax::yaml::{Node, NodeKind};
use crate::text::{FileId, Loc};
use crate::value::{Reason, Tri};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Local variables, by the loops that they are in.
pub(super) type Frames = Vec<Vec<(Box<str>, Val)>>;

/// The evaluation of one template.
pub(super) struct Eval<'e, 's, 'a> {
    pub(super) scope: &'e Scope<'s, 'a>,
    /// What values made here are said to come from.
    pub(super) loc: Loc,
    /// What `set` and `for` have set, the innermost last.
    pub(super) frames: RefCell<Frames>,
    /// Variables that have been looked up.
    names: RefCell<HashMap<Box<str>, Val>>,
}

/// Why `a if b` has no value: it is undefined, but inside a text it is empty.
pub(super) const NOTHING: &str = "it has no value where the condition does not hold";

/// The methods of Python's dictionaries, which go before members of that name.
const METHODS: [&str; 10] =
    ["items", "keys", "values", "get", "copy", "update", "pop", "popitem", "setdefault", "clear"];

impl<'e, 's, 'a> Eval<'e, 's, 'a> {
    pub(super) fn new(scope: &'e Scope<'s, 'a>, loc: Loc) -> Self {
        Self { scope, loc, frames: RefCell::new(vec![Vec::new()]), names: RefCell::default() }
    }

    pub(super) fn local(&self, name: &str) -> Option<Val> {
        let frames = self.frames.borrow();
        let found = frames.iter().rev().flat_map(|frame| frame.iter().rev()).find(|(own, _)| **own == *name);
        found.map(|(_, value)| value.clone())
    }

    /// Changes a local where it is set, as a method that changes an object in place does.
    pub(super) fn change(&self, name: &str, value: Val) {
        let mut frames = self.frames.borrow_mut();
        let found = frames.iter_mut().rev().flat_map(|frame| frame.iter_mut().rev()).find(|(own, _)| **own == *name);
        if let Some((_, old)) = found {
            *old = value;
        }
    }

    pub(super) fn expr(&self, expr: &Expr) -> Val {
        if let Err(reason) = self.scope.work.enter() {
            return Val::unknown(reason);
        }
        let value = self.inner(expr);
        self.scope.work.leave();
        value
    }

    fn inner(&self, expr: &Expr) -> Val {
        match expr {
            Expr::Const(literal) => constant(literal),
            Expr::Name(name) => self.name(name),
            Expr::Attr(of, name) => self.attribute(expr, of, name),
            Expr::Item(of, key) => self.item(expr, of, key),
            Expr::Slice(of, bounds) => {
                let [from, to, by] = &**bounds;
                let bounds = [from, to, by].map(|bound| bound.as_ref().map(|bound| self.expr(bound)));
                ops::slice(&self.expr(of), &bounds).into()
            }
            Expr::Filter { of, name, args, kwargs } => self.filter(&self.expr(of), name, args, kwargs),
            Expr::Test { negated, of, name, args, kwargs } => {
                let truth = self.test(of, name, args, kwargs);
                if *negated { (!truth).into() } else { truth.into() }
            }
            Expr::Binary(BinaryOp::And, sides) => self.both(&sides[0], &sides[1]),
            Expr::Binary(BinaryOp::Or, sides) => self.one_of(&sides[0], &sides[1]),
            Expr::Binary(op, sides) => ops::binary(*op, &self.expr(&sides[0]), &self.expr(&sides[1])),
            Expr::Not(of) => (!ops::truth(&self.expr(of))).into(),
            Expr::Neg(of) => ops::lift(&[self.expr(of)], &|values| negative(&values[0])).into(),
            Expr::Cond { test, then, otherwise } => self.cond(test, then, otherwise.as_deref()),
            Expr::List(items) => Val::list(items.iter().take(MAX_ITEMS).map(|item| self.expr(item)).collect()),
            Expr::Tuple(items) => Val::tuple(items.iter().take(MAX_ITEMS).map(|item| self.expr(item)).collect()),
            Expr::Map(entries) => self.map(entries),
            Expr::Call { callee, args, kwargs } => self.call(callee, args, kwargs),
            Expr::Other(reason) => Val::unknown(&**reason),
        }
    }

    fn name(&self, name: &str) -> Val {
        match self.local(name) {
            Some(value) => value,
            None if name == "omit" => V::Omit.into(),
            None if name == "self" => Val::unknown("`self` stands for the template"),
            None => {
                if let Some(value) = self.names.borrow().get(name) {
                    return value.clone();
                }
                let value = self.scope.variable(name);
                self.names.borrow_mut().insert(name.into(), value.clone());
                value
            }
        }
    }

    fn attribute(&self, whole: &Expr, of: &Expr, name: &str) -> Val {
        if let Some((file, node)) = self.node_of(whole) {
            return self.scope.resolved(file, node);
        }
        if self.is_vars(of) {
            return self.name(name);
        }
        if let Some(host) = self.other_host(of) {
            return self.of_host(&host, &name.into());
        }
        let of = self.expr(of);
        if matches!(of.v, V::Map(_)) && METHODS.contains(&name) {
            return Val::unknown(format!("`{name}` is a method that is not called"));
        }
        if let (V::List(list), "list" | "grouper") = (&of.v, name)
            && list.tuple
            && list.items.len() == 2
        {
            // A pair of `groupby`.
            return list.items[usize::from(name == "list")].clone();
        }
        ops::item(&of, &name.into())
    }

    fn item(&self, whole: &Expr, of: &Expr, key: &Expr) -> Val {
        if let Some((file, node)) = self.node_of(whole) {
            return self.scope.resolved(file, node);
        }
        let key = self.expr(key);
        if self.is_vars(of) {
            return match ops::plain(&key) {
                Ok(name) => self.name(&name),
                Err(reason) => Val::unknown(reason),
            };
        }
        if let Some(host) = self.other_host(of) {
            return self.of_host(&host, &key);
        }
        ops::item(&self.expr(of), &key)
    }

    /// The host whose variables `hostvars[…]` are.
    fn other_host(&self, expr: &Expr) -> Option<Val> {
        let is =
            |of: &Expr| matches!(of, Expr::Name(name) if &**name == "hostvars") && self.local("hostvars").is_none();
        match expr {
            Expr::Item(of, key) if is(of) => Some(self.expr(key)),
            Expr::Attr(of, key) if is(of) => Some((&**key).into()),
            _ => None,
        }
    }

    /// A variable as another host has it.
    fn of_host(&self, host: &Val, name: &Val) -> Val {
        if matches!(&name.v, V::Str(name) if METHODS.contains(&&**name)) {
            return Val::unknown("the variables of a host as a whole are not evaluated");
        }
        let found = ops::lift(&[host.clone(), name.clone()], &|values| {
            Ok(self.scope.of_other_host(&ops::plain(&values[0])?, &ops::plain(&values[1])?))
        });
        found.into()
    }

    fn is_vars(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Name(name) if &**name == "vars") && self.local("vars").is_none()
    }

    /// The node that `a.b['c']` names, when all of it is written down: what stands beside it need not be evaluated, and
    /// may refer to it.
    fn node_of(&self, expr: &Expr) -> Option<(FileId, Node<'a>)> {
        let (of, key) = match expr {
            Expr::Name(name) if self.local(name).is_none() => return self.scope.written(name),
            Expr::Attr(of, key) if !METHODS.contains(&&**key) => (of, &**key),
            Expr::Item(of, key) => match &**key {
                Expr::Const(Literal::Str(key)) => (of, &**key),
                Expr::Const(Literal::Int(at)) => {
                    let (file, node) = self.node_of(of)?;
                    let NodeKind::Seq(_) = node.kind() else { return None };
                    return Some((file, node.items().nth(usize::try_from(*at).ok()?)?));
                }
                _ => return None,
            },
            _ => return None,
        };
        let (file, node) = self.node_of(of)?;
        let (name, value) = node.is_map().then(|| node.entry(key))??;
        matches!(name.resolve(), crate::syntax::yaml::Scalar::Str).then_some((file, value))
    }

    /// `a and b`: `a` where that is false.
    fn both(&self, a: &Expr, b: &Expr) -> Val {
        let left = self.expr(a);
        match ops::truth(&left) {
            _ if matches!(left.v, V::Undefined(_)) => Val::unknown(left.not("condition")),
            Tri::True => self.expr(b),
            Tri::False => left,
            Tri::Unknown(reason) => match self.expr(b).v {
                V::Bool(false) => false.into(),
                _ => Val::unknown(reason),
            },
        }
    }

    fn one_of(&self, a: &Expr, b: &Expr) -> Val {
        let left = self.expr(a);
        match ops::truth(&left) {
            _ if matches!(left.v, V::Undefined(_)) => Val::unknown(left.not("condition")),
            Tri::True => left,
            Tri::False => self.expr(b),
            Tri::Unknown(reason) => match self.expr(b).v {
                V::Bool(true) => true.into(),
                _ => Val::unknown(reason),
            },
        }
    }

    fn cond(&self, test: &Expr, then: &Expr, otherwise: Option<&Expr>) -> Val {
        let other = || match otherwise {
            Some(other) => self.expr(other),
            None => Val::undefined(NOTHING),
        };
        match ops::truth(&self.expr(test)) {
            Tri::True => self.expr(then),
            Tri::False => other(),
            Tri::Unknown(reason) => either(self.expr(then), other(), &reason),
        }
    }

    fn map(&self, entries: &[(Expr, Expr)]) -> Val {
        let mut members = Vec::new();
        let mut open = None;
        for (key, value) in entries.iter().take(MAX_ITEMS) {
            let (key, value) = (self.expr(key), self.expr(value));
            match ops::plain(&key) {
                Ok(_) => super::val::insert(&mut members, key, value),
                Err(reason) => open = Some(reason),
            }
        }
        Val::map(members, open)
    }

    pub(super) fn filter(&self, of: &Val, name: &str, args: &[Expr], kwargs: &[(Box<str>, Expr)]) -> Val {
        if let Some(found) = self.extracted(of, name, args) {
            return found;
        }
        let args: Vec<Val> = args.iter().map(|arg| self.expr(arg)).collect();
        let kwargs = self.named(kwargs);
        filters::apply(&self.scope.work, name, of, &args, &kwargs).into()
    }

    /// `host | extract(hostvars, 'x')`, `hosts | map('extract', hostvars, 'x')`: a variable as other hosts have it.
    fn extracted(&self, of: &Val, name: &str, args: &[Expr]) -> Option<Val> {
        let (each, args) = match (name, args) {
            ("map", [Expr::Const(Literal::Str(inner)), rest @ ..]) if &**inner == "extract" => (true, rest),
            ("extract", rest) => (false, rest),
            _ => return None,
        };
        let [Expr::Name(variables), key] = args else { return None };
        if &**variables != "hostvars" || self.local("hostvars").is_some() {
            return None;
        }
        let path: Vec<Val> = match self.expr(key) {
            Val { v: V::List(list), .. } if list.open.is_none() => list.items.clone(),
            key => vec![key],
        };
        let (first, rest) = path.split_first()?;
        let one = |host: &Val| rest.iter().fold(self.of_host(host, first), |value, key| ops::item(&value, key));
        Some(match &of.v {
            V::List(hosts) if each => Val::seq(hosts.items.iter().map(one).collect(), hosts.open.clone(), false),
            V::Unknown(_) | V::Undefined(_) => of.clone(),
            _ if each => Val::unknown(of.not("list")),
            _ => one(of),
        })
    }

    fn named(&self, kwargs: &[(Box<str>, Expr)]) -> Vec<(Box<str>, Val)> {
        kwargs.iter().map(|(name, value)| (name.clone(), self.expr(value))).collect()
    }

    fn test(&self, of: &Expr, name: &str, args: &[Expr], kwargs: &[(Box<str>, Expr)]) -> Tri {
        let value = self.expr(of);
        let args: Vec<Val> = args.iter().map(|arg| self.expr(arg)).collect();
        checks::holds(&self.scope.work, name, &value, &args, &self.named(kwargs))
    }

    fn call(&self, callee: &Expr, args: &[Expr], kwargs: &[(Box<str>, Expr)]) -> Val {
        let values = || args.iter().map(|arg| self.expr(arg)).collect::<Vec<_>>();
        match callee {
            Expr::Attr(of, method) => self.method(of, method, &values(), &self.named(kwargs)),
            Expr::Name(name) if matches!(&**name, "lookup" | "query" | "q") => {
                lookups::call(self, &values(), &self.named(kwargs), &**name != "lookup").into()
            }
            Expr::Name(name) if self.local(name).is_some() => Val::unknown(format!("`{name}()` is not evaluated")),
            Expr::Name(name) => match &**name {
                "range" => range(&values()).into(),
                "dict" | "namespace" => self.dict(&values(), kwargs),
                "undef" => Val::undefined("it is undefined by `undef()`"),
                "now" => Val::unknown("the time is only known when the play runs"),
                _ => Val::unknown(format!("the function `{name}` is not evaluated")),
            },
            _ => Val::unknown("what is called is not known"),
        }
    }

    /// `dict(a=1)`, `dict(pairs)`
    fn dict(&self, args: &[Val], kwargs: &[(Box<str>, Expr)]) -> Val {
        let mut entries = Vec::new();
        let mut open = None;
        match args {
            [] => {}
            [of] => match super::filters::maps::pairs(of) {
                Ok((pairs, more)) => (entries, open) = (pairs, more),
                Err(reason) => return Val::unknown(reason),
            },
            _ => return Val::unknown("`dict` takes one argument"),
        }
        for (name, value) in self.named(kwargs) {
            super::val::insert(&mut entries, name.as_ref().into(), value);
        }
        Val::map(entries, open)
    }

    fn method(&self, of: &Expr, method: &str, args: &[Val], kwargs: &[(Box<str>, Val)]) -> Val {
        if let Expr::Name(name) = of
            && let Some(value) = self.local(name)
            && methods::changes(method)
        {
            return match methods::change(&value, method, args) {
                Ok((changed, result)) => {
                    self.change(name, changed);
                    result
                }
                Err(reason) => {
                    self.change(name, Val::unknown(reason.clone()));
                    Val::unknown(reason)
                }
            };
        }
        let mut values = vec![self.expr(of)];
        values.extend_from_slice(args);
        ops::lift(&values, &|values| match values.split_first() {
            Some((of, args)) => methods::call(of, method, args, kwargs),
            None => Err("nothing is called".into()),
        })
        .into()
    }
}

/// One of two values, when it cannot be told which.
pub(super) fn either(a: Val, b: Val, reason: &Reason) -> Val {
    let undecided = |value: &Val| matches!(value.v, V::Unknown(_) | V::Undefined(_) | V::Omit | V::Text(_));
    if undecided(&a) || undecided(&b) {
        return Val::unknown(reason.clone());
    }
    Val::several(vec![a, b])
}

fn constant(literal: &Literal) -> Val {
    match literal {
        Literal::Null => Val::null(),
        Literal::Bool(value) => (*value).into(),
        Literal::Int(value) => (*value).into(),
        Literal::Number(value) => (*value).into(),
        Literal::Str(text) => V::Str(Arc::from(&**text)).into(),
    }
}

fn negative(value: &Val) -> Res {
    match (ops::whole(value), ops::number(value)) {
        (Some(whole), _) => whole.checked_neg().map(Into::into).ok_or_else(|| "the number grows too large".into()),
        (None, Some(number)) => Ok((-number).into()),
        (None, None) => Err(value.not("number")),
    }
}

fn range(args: &[Val]) -> Res {
    let numbers: Vec<i64> =
        args.iter().map(|arg| ops::whole(arg).ok_or_else(|| arg.not("whole number"))).collect::<Res<_>>()?;
    let (from, to, by) = match numbers.as_slice() {
        [to] => (0, *to, 1),
        [from, to] => (*from, *to, 1),
        [from, to, by] if *by != 0 => (*from, *to, *by),
        _ => return Err("`range` takes 1 to 3 numbers".into()),
    };
    let inside = |at: i64| if by > 0 { at < to } else { at > to };
    let items: Vec<Val> = std::iter::successors(Some(from), |at| at.checked_add(by))
        .take_while(|at| inside(*at))
        .take(MAX_ITEMS + 1)
        .map(Into::into)
        .collect();
    Ok(Val::list(items))
}
