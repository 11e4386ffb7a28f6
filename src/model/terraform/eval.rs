//! Expressions to values: three-valued, lazy, bounded.

use super::functions::Stop;
use super::instance::Instance;
use super::refs::Node;
use super::repeat::Repeat;
use super::types::Ty;
use super::{Ground, ops, types};
use crate::syntax::hcl::{BinaryOp, Expr, ExprKind, For, Key, Part};
use crate::text::{FileId, Loc, Span};
use crate::value::{Data, Kind, List, Map, Reason, Shape, Value};
use std::sync::{Arc, OnceLock};

/// How deep expressions nest, counted through variables, locals and calls (the stack of a worker is 2 MB).
const MAX_DEPTH: usize = 300;
/// How many expressions one variable, local or argument may take.
const MAX_STEPS: u32 = 100_000;
/// How many expressions one question may take in all, cells that it needs included.
const MAX_TOTAL: u32 = 1_000_000;
/// How many bytes of text one question may make in all.
const MAX_MADE: usize = 32 << 20;
/// How many possibilities one value may have.
pub(super) const MAX_POSSIBLE: usize = 8;
/// The longest collection.
pub(super) const MAX_ITEMS: usize = 16_384;
/// The longest text.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// A value, or why Terraform would refuse the expression (what `try` and `can` look at).
pub(super) type Outcome = Result<Value, Reason>;

/// Something that is evaluated once in an instance.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) instance: usize,
    pub(super) kind: CellKind,
    pub(super) index: usize,
    pub(super) part: (usize, usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CellKind {
    Variable,
    Local,
    Output,
    Children,
    Slots,
    Argument,
}

/// What one evaluation has used up, and what it is in the middle of.
#[derive(Default)]
pub(super) struct Work {
    depth: usize,
    steps: u32,
    total: u32,
    /// Bytes of text made.
    text: usize,
    cells: Vec<Cell>,
    /// The files that are read, when somebody wants to know.
    pub(super) reads: Option<Vec<super::Read>>,
    /// Something was cut because of where the evaluation began: not to be remembered.
    cut: bool,
}

impl Work {
    /// The value of a cell: remembered, or computed and remembered.
    pub(super) fn remember<T: Clone>(
        &mut self,
        memory: &OnceLock<T>,
        cell: Cell,
        refuse: impl FnOnce(&'static str) -> T,
        compute: impl FnOnce(&mut Self) -> T,
    ) -> T {
        if let Some(value) = memory.get() {
            return value.clone();
        }
        if self.cells.contains(&cell) {
            self.cut = true;
            return refuse("it refers to itself in a circle");
        }
        self.cells.push(cell);
        // Each cell has a budget of its own, so that results do not hang on what was asked before.
        let steps = std::mem::take(&mut self.steps);
        let cut = std::mem::take(&mut self.cut);
        let value = compute(self);
        self.cells.pop();
        self.steps = steps;
        let top = self.cells.is_empty();
        if !self.cut || top {
            // Another thread may have been faster, with the same value.
            let _ = memory.set(value.clone());
        }
        self.cut = !top && (cut || self.cut);
        value
    }

    /// One step down; refused when it is too deep or too much.
    pub(super) fn enter(&mut self) -> Result<(), &'static str> {
        self.steps = self.steps.saturating_add(1);
        self.total = self.total.saturating_add(1);
        if self.total > MAX_TOTAL {
            self.cut = true;
            return Err("evaluating what it hangs on takes too many steps");
        }
        if self.steps > MAX_STEPS {
            return Err("evaluating it takes too many steps");
        }
        if self.depth >= MAX_DEPTH {
            self.cut = true;
            return Err("it is nested too deeply");
        }
        self.depth += 1;
        Ok(())
    }

    /// Counts members that were visited as steps.
    pub(super) fn charge(&mut self, visited: u32) {
        self.steps = self.steps.saturating_add(visited / 32);
        self.total = self.total.saturating_add(visited / 32);
    }

    /// A value that was just made; unknown when too much text was made before.
    pub(super) fn made(&mut self, value: Value) -> Value {
        self.text = self.text.saturating_add(match &value.kind {
            Kind::Known(Data::Str(text)) => text.len(),
            Kind::Known(Data::List(list)) => list.items.iter().filter_map(Value::as_str).map(str::len).sum(),
            _ => 0,
        });
        if self.text > MAX_MADE {
            self.cut = true;
            return Value::unknown("too much text is made for it");
        }
        value
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }
}

/// Names bound by `for`, splats, `dynamic` and templates.
pub(super) struct Scope<'e, 't> {
    pub(super) names: &'e [(&'e str, Node<'t>)],
    pub(super) outer: Option<&'e Scope<'e, 't>>,
}

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct Env<'e, 't> {
    pub(super) ground: &'e Ground<'t>,
    pub(super) at: &'e Arc<Instance<'t>>,
    pub(super) file: FileId,
    pub(super) repeat: &'e Repeat,
    pub(super) scope: Option<&'e Scope<'e, 't>>,
    /// The resource (declaration, instance) that `self` is.
    pub(super) this: Option<(usize, usize)>,
    /// Only the names in scope exist (a template file).
    pub(super) closed: bool,
}

impl<'e, 't> Env<'e, 't> {
    pub(super) fn new(ground: &'e Ground<'t>, at: &'e Arc<Instance<'t>>) -> Self {
        let file = at.module.files.first().copied().unwrap_or_default();
        Self { ground, at, file, repeat: &Repeat::Single, scope: None, this: None, closed: false }
    }

    pub(super) fn loc(&self, span: Span) -> Loc {
        Loc { file: self.file, span }
    }

    /// The value; what Terraform would refuse is unknown.
    pub(super) fn value(&self, expr: &Expr, work: &mut Work) -> Value {
        self.eval(expr, work).unwrap_or_else(|reason| Value::unknown(reason).at(self.loc(expr.span)))
    }

    pub(super) fn eval(&self, expr: &Expr, work: &mut Work) -> Outcome {
        if let Err(reason) = work.enter() {
            return Ok(Value::unknown(reason).at(self.loc(expr.span)));
        }
        let value = self.eval_kind(expr, work);
        work.leave();
        value.map(|value| value.at(self.loc(expr.span)))
    }

    fn eval_kind(&self, expr: &Expr, work: &mut Work) -> Outcome {
        match &expr.kind {
            ExprKind::Null => Ok(Value::known(Data::Null)),
            ExprKind::Bool(value) => Ok(Value::known(*value)),
            ExprKind::Number(value) => Ok(Value::known(*value)),
            ExprKind::Str(text) => Ok(Value::known(&*types::normal(text))),
            ExprKind::Template(parts) => self.template(parts, work),
            ExprKind::List(items) => {
                let items: Result<Vec<Value>, Reason> = items.iter().map(|item| self.eval(item, work)).collect();
                Ok(Value::list(items?))
            }
            ExprKind::Object(members) => self.object(members, work),
            ExprKind::Name(_) | ExprKind::Get(..) | ExprKind::Index(..) | ExprKind::Splat(..) | ExprKind::Each => {
                let node = self.node(expr, work)?;
                Ok(self.settle(node, work))
            }
            ExprKind::Call { name, args, expand } => {
                if let Some(function) = super::changing(name) {
                    return Ok(self.changing(function, self.loc(expr.span)));
                }
                self.note(expr, work);
                self.call(name, args, *expand, work)
            }
            ExprKind::Cond(parts) => self.conditional(parts, work),
            ExprKind::Binary(op, sides) => self.binary(*op, sides, work),
            ExprKind::Not(inner) => {
                let value = self.eval(inner, work)?;
                lift(&value, |data| ops::boolean(data).map(|value| Value::known(!value)))
            }
            ExprKind::Minus(inner) => {
                let value = self.eval(inner, work)?;
                lift(&value, |data| ops::numeric(data).map(|value| Value::known(-value)))
            }
            ExprKind::For(walk) => self.walk(walk, work),
            ExprKind::Opaque(reason) => Ok(Value::unknown(&**reason)),
        }
    }

    fn object(&self, members: &[(Key, Expr)], work: &mut Work) -> Outcome {
        let mut built = Building::default();
        for (key, value) in members {
            let value = self.eval(value, work)?;
            if let ExprKind::Str(name) = &key.expr.kind {
                built.put((&**name).into(), value);
                continue;
            }
            let key = self.eval(&key.expr, work)?;
            match key_text(&key)? {
                Ok(name) => built.put(name, value),
                Err(reason) => built.open(reason),
            }
        }
        Ok(built.finish())
    }

    fn conditional(&self, [condition, yes, no]: &[Expr; 3], work: &mut Work) -> Outcome {
        let condition = self.eval(condition, work)?;
        if condition.is_absent() {
            return Err("the condition is null".into());
        }
        if let Some(data) = condition.data() {
            let (taken, other) = if ops::boolean(data)? { (yes, no) } else { (no, yes) };
            let taken = self.eval(taken, work)?;
            // The branch not taken has a say in the type; what is wrong in it does not matter.
            let value = self.eval(other, work);
            let certain = self.certain_type(other, value.is_ok());
            let ty = match (value, certain) {
                (Ok(value), Some(ty)) if value.data().is_none() => ty,
                (Err(_), Some(ty)) => ty,
                (Ok(value), _) => types::type_of(&value),
                (Err(_), None) => return Ok(taken),
            };
            let (taken, visited) = types::alike_type(taken, &ty)?;
            work.charge(visited);
            return Ok(taken);
        }
        let reason = condition.reason().unwrap_or_default();
        // A branch that is refused cannot be the one taken.
        match (self.eval(yes, work), self.eval(no, work)) {
            (Ok(yes), Ok(no)) => {
                let (yes, no, visited) = types::alike(yes, no)?;
                work.charge(visited);
                Ok(either(&yes, &no, &reason))
            }
            _ => Ok(Value::unknown(reason)),
        }
    }

    /// The type that an expression has whatever it comes to. A call that is refused has none.
    fn certain_type(&self, expr: &Expr, accepted: bool) -> Option<Ty> {
        match &expr.kind {
            ExprKind::Minus(_)
            | ExprKind::Binary(BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem, _) => {
                Some(Ty::Number)
            }
            ExprKind::Not(_) | ExprKind::Binary(..) => Some(Ty::Bool),
            ExprKind::Template(parts) if !matches!(parts[..], [Part::Interp(_)]) => Some(Ty::Str),
            ExprKind::Call { name, .. } if accepted => super::functions::returns(name),
            ExprKind::Get(inner, name) if matches!(&inner.kind, ExprKind::Name(first) if &**first == "var") => {
                let variable = self.at.module.variables.get(self.at.module.variable(name)?)?;
                let (_, declared) = variable.attribute("type")?;
                match &declared.value.kind {
                    ExprKind::Name(ty) | ExprKind::Str(ty) => types::simple(ty),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn walk(&self, walk: &For, work: &mut Work) -> Outcome {
        let collection = self.node(&walk.collection, work)?;
        let (members, open) = match self.members(&collection, work)? {
            Ok(members) => members,
            Err(reason) => return Ok(Value::unknown(reason)),
        };
        let mut built = Building { open, ..Building::default() };
        let mut items = Vec::new();
        for (key, node) in members {
            let mut names = vec![(&*walk.value, node)];
            if let Some(name) = &walk.key {
                names.push((&**name, Node::Value(key)));
            }
            let scope = Scope { names: &names, outer: self.scope };
            let inner = Env { scope: Some(&scope), ..*self };
            if let Some(condition) = &walk.condition {
                let condition = inner.eval(condition, work)?;
                match condition.data() {
                    Some(data) if ops::boolean(data)? => {}
                    Some(_) => continue,
                    None => {
                        built.open(condition.reason().unwrap_or_else(|| "a condition is null".into()));
                        continue;
                    }
                }
            }
            let value = inner.eval(&walk.result, work)?;
            match &walk.result_key {
                None => items.push(value),
                Some(key) => match key_text(&inner.eval(key, work)?)? {
                    Ok(name) if walk.group => built.group(name, value),
                    Ok(name) if built.has(&name) => return Err(format!("two members have the key `{name}`").into()),
                    Ok(name) => built.put(name, value),
                    Err(reason) => built.open(reason),
                },
            }
        }
        Ok(match walk.result_key {
            None => Value::known(Data::List(Arc::new(List { items, open: built.open, ..List::default() }))),
            Some(_) => built.finish(),
        })
    }
}

/// A map being built.
#[derive(Default)]
pub(super) struct Building {
    entries: Vec<(Arc<str>, Value)>,
    positions: std::collections::HashMap<Arc<str>, usize>,
    open: Option<Reason>,
}

impl Building {
    pub(super) fn put(&mut self, name: Arc<str>, value: Value) {
        if let Some(entry) = self.positions.get(&name).and_then(|at| self.entries.get_mut(*at)) {
            entry.1 = value;
            return;
        }
        self.positions.insert(name.clone(), self.entries.len());
        self.entries.push((name, value));
    }

    fn has(&self, name: &str) -> bool {
        self.positions.contains_key(name)
    }

    /// Adds to the list under a key.
    fn group(&mut self, name: Arc<str>, value: Value) {
        let mut items = match self.positions.get(&name).and_then(|at| self.entries.get_mut(*at)) {
            Some((_, Value { kind: Kind::Known(Data::List(list)), .. })) => {
                std::mem::take(&mut Arc::make_mut(list).items)
            }
            _ => Vec::new(),
        };
        items.push(value);
        self.put(name, Value::list(items));
    }

    /// Says that there may be more, and that what is there may be overridden if it came from before.
    pub(super) fn open(&mut self, reason: Reason) {
        self.open.get_or_insert(reason);
    }

    /// Makes all that is there unknown: something unknown is put over it.
    pub(super) fn shadow(&mut self, reason: &Reason) {
        for (_, value) in &mut self.entries {
            *value = Value::unknown(reason.clone());
        }
        self.open(reason.clone());
    }

    pub(super) fn finish(self) -> Value {
        Value::known(Data::Map(Arc::new(Map { entries: self.entries, open: self.open, ..Map::default() })))
    }
}

/// A key of an object: its text, or why that is not known; refused when it cannot be one.
pub(super) fn key_text(key: &Value) -> Result<Result<Arc<str>, Reason>, Reason> {
    match key.data().map(types::text) {
        Some(Ok(text)) => Ok(Ok(text)),
        Some(Err(Stop::Unknown(reason))) => Ok(Err(reason)),
        Some(Err(Stop::Error(reason))) => Err(reason),
        None => Ok(Err(key.reason().ok_or("a key is null")?)),
    }
}

/// One of two values, for a reason.
pub(super) fn either(yes: &Value, no: &Value, reason: &Reason) -> Value {
    let mut known: Vec<Data> = Vec::new();
    for value in [yes, no] {
        let add: &[Data] = match &value.kind {
            Kind::Known(data) => std::slice::from_ref(data),
            Kind::OneOf(values) => values,
            _ => return Value::unknown(reason.clone()),
        };
        for data in add {
            if !known.iter().any(|other| ops::equal(other, data) == Some(true)) {
                known.push(data.clone());
            }
        }
    }
    union(known, yes).unwrap_or_else(|| Value::unknown(reason.clone()))
}

/// Up to 8 possibilities as one value.
fn union(mut known: Vec<Data>, like: &Value) -> Option<Value> {
    let kind = match known.len() {
        1 => Kind::Known(known.pop()?),
        2..=MAX_POSSIBLE => Kind::OneOf(known.into()),
        _ => return None,
    };
    Some(Value { kind, origin: like.origin, via: like.via.clone() })
}

/// Applies a function to what is known of a value, to each when it is one of several.
pub(super) fn lift(value: &Value, mut apply: impl FnMut(&Data) -> Outcome) -> Outcome {
    match &value.kind {
        Kind::Known(data) => apply(data),
        Kind::OneOf(values) => {
            let mut known: Vec<Data> = Vec::new();
            let mut failed = None;
            for data in values.iter() {
                let results = match apply(data) {
                    Ok(Value { kind: Kind::Known(data), .. }) => vec![data],
                    Ok(Value { kind: Kind::OneOf(values), .. }) => values.to_vec(),
                    Ok(_) => return Ok(several(value)),
                    Err(reason) => {
                        failed = Some(reason);
                        continue;
                    }
                };
                for data in results {
                    if !known.iter().any(|other| ops::equal(other, &data) == Some(true)) {
                        known.push(data);
                    }
                }
            }
            match (known.is_empty(), failed) {
                (true, Some(reason)) => Err(reason),
                // What fails for one of them need not fail.
                (_, Some(_)) => Ok(several(value)),
                _ => Ok(union(known, &Value::default()).unwrap_or_else(|| several(value))),
            }
        }
        _ => Ok(several(value)),
    }
}

/// Unknown for the reason that a value is.
pub(super) fn several(value: &Value) -> Value {
    Value::unknown(value.reason().unwrap_or_else(|| "it is not given".into()))
}

/// Keys with their values, and why there may be more.
pub(super) type Walked = (Vec<(Value, Value)>, Option<Reason>);

/// The members of a map in the order in which Terraform walks it, or of a list.
pub(super) fn value_members(data: &Data) -> Option<Walked> {
    match data {
        Data::List(list) => {
            let items = list.items.iter().enumerate();
            let index = |(index, item): (usize, &Value)| match (list.shape, &list.open) {
                // A member of a set is its own key.
                (Shape::Set, _) => item.clone(),
                (Shape::Unsure, _) => Value::unknown("whether it is a list or a set is for the provider to say"),
                (_, Some(reason)) => Value::unknown(reason.clone()),
                (_, None) => Value::known(types::float(index)),
            };
            Some((items.map(|(at, item)| (index((at, item)), item.clone())).collect(), list.open.clone()))
        }
        Data::Map(map) => {
            let members = types::sorted(map).into_iter();
            Some((
                members.map(|(key, value)| (Value::known(Data::Str(key.clone())), value.clone())).collect(),
                map.open.clone(),
            ))
        }
        _ => None,
    }
}
