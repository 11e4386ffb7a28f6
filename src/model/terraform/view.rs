//! Blocks where their expressions can be evaluated: nested ones, `dynamic` ones, and lists of objects written as arguments.

use super::Ground;
use super::eval::{Env, Scope, Work};
use super::instance::Instance;
use super::mapped::Rendered;
use super::module::Declared;
use super::refs::{Node, item, member};
use super::repeat::Repeat;
use super::spelling::spelled;
use crate::syntax::hcl::{Attribute, Block, Expr, ExprKind};
use crate::text::{FileId, Loc};
use crate::value::{Data, Kind, Reason, Value};
use std::sync::Arc;

/// A block, a nested one or one that `dynamic` makes, where its expressions can be evaluated.
#[derive(Clone)]
pub struct BlockView<'a, 't> {
    ground: &'a Ground<'t>,
    instance: &'a Arc<Instance<'t>>,
    pub(super) repeat: Repeat,
    pub(super) this: Option<(usize, usize)>,
    names: Vec<(Arc<str>, Value)>,
    body: Inside<'t>,
    /// Where a finding on it points.
    pub loc: Loc,
    /// Why it may not exist, if that is so.
    pub uncertain: Option<Reason>,
}

pub(super) struct Merged<'t> {
    attributes: Vec<(FileId, &'t Attribute)>,
    blocks: Vec<(FileId, &'t Block)>,
}

#[derive(Clone)]
pub(super) enum Inside<'t> {
    Block(FileId, &'t Block),
    /// Merged from override files.
    Declared(Arc<Merged<'t>>, &'t Block),
    /// Written as an attribute (`network = [{…}]`).
    Value(Value),
}

/// Null is how Terraform says that an argument is not given.
pub(super) fn argument(value: Value) -> Value {
    match value.kind {
        Kind::Known(Data::Null) => Value { kind: Kind::Absent, ..value },
        _ => value,
    }
}

/// The first step of a path and what is left.
pub(super) fn head(path: &str) -> (&str, &str) {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (first, rest) = path.split_at(end);
    (first, rest)
}

/// `[0].ip` → index 0 and `.ip`; without an index, the rest as it is.
fn subscript(rest: &str) -> (Option<usize>, &str) {
    let parsed = rest.strip_prefix('[').and_then(|inside| inside.split_once(']'));
    match parsed {
        Some((index, rest)) => (index.parse().ok(), rest),
        None => (None, rest),
    }
}

/// Walks the rest of a path down a value.
pub(super) fn descend(mut value: Value, mut rest: &str) -> Value {
    while !rest.is_empty() {
        if let (Some(index), after) = subscript(rest) {
            value = found(item(&value, &Value::known(super::types::float(index))), &value);
            rest = after;
            continue;
        }
        let (name, after) = head(rest.strip_prefix('.').unwrap_or(rest));
        if name.is_empty() {
            break;
        }
        // A list of one is how a single block looks when it is written as an attribute.
        let inner = match value.as_list() {
            Some(list) if list.open.is_none() && list.items.len() == 1 => {
                list.items.first().cloned().unwrap_or_default()
            }
            _ => value,
        };
        value = found(member(&inner, name), &inner);
        rest = after;
    }
    argument(value)
}

/// What is not there is absent.
fn found(outcome: Result<Value, Reason>, inside: &Value) -> Value {
    outcome.unwrap_or_else(|_| Value { origin: inside.origin, ..Value::absent() })
}

impl<'a, 't> BlockView<'a, 't> {
    pub(super) fn new(ground: &'a Ground<'t>, instance: &'a Arc<Instance<'t>>, body: Inside<'t>, loc: Loc) -> Self {
        Self { ground, instance, repeat: Repeat::Single, this: None, names: Vec::new(), body, loc, uncertain: None }
    }

    pub(super) fn declared(ground: &'a Ground<'t>, instance: &'a Arc<Instance<'t>>, declared: &Declared<'t>) -> Self {
        let merged = declared.attributes.len() != declared.block.body.attributes.len()
            || declared.blocks.len() != declared.block.body.blocks.len()
            || declared.attributes.iter().any(|(file, _)| *file != declared.file)
            || declared.blocks.iter().any(|(file, _)| *file != declared.file);
        let body = if merged {
            {
                let merged = Merged { attributes: declared.attributes.clone(), blocks: declared.blocks.clone() };
                Inside::Declared(Arc::new(merged), declared.block)
            }
        } else {
            Inside::Block(declared.file, declared.block)
        };
        Self::new(ground, instance, body, declared.loc())
    }

    /// The block as written; none when it is written as an attribute.
    #[must_use]
    pub fn written(&self) -> Option<&'t Block> {
        match &self.body {
            Inside::Block(_, block) | Inside::Declared(_, block) => Some(block),
            Inside::Value(_) => None,
        }
    }

    /// A label of the block.
    #[must_use]
    pub fn label(&self, index: usize) -> Option<&'t str> {
        self.written().and_then(|block| block.label(index))
    }

    fn attribute(&self, name: &str) -> Option<(FileId, &'t Attribute)> {
        match &self.body {
            Inside::Block(file, block) => block.body.attribute(name).map(|attribute| (*file, attribute)),
            Inside::Declared(merged, _) => {
                merged.attributes.iter().find(|(_, attribute)| &*attribute.name == name).copied()
            }
            Inside::Value(_) => None,
        }
    }

    fn nested(&self) -> Vec<(FileId, &'t Block)> {
        match &self.body {
            Inside::Block(file, block) => block.body.blocks.iter().map(|block| (*file, block)).collect(),
            Inside::Declared(merged, _) => merged.blocks.clone(),
            Inside::Value(_) => Vec::new(),
        }
    }

    /// The expressions of the block itself, and those that `dynamic` blocks in it repeat, with their files.
    pub(super) fn expressions(&self) -> Vec<(FileId, &'t Expr)> {
        let own: Vec<(FileId, &'t Attribute)> = match &self.body {
            Inside::Block(file, block) => block.body.attributes.iter().map(|attribute| (*file, attribute)).collect(),
            Inside::Declared(merged, _) => merged.attributes.clone(),
            Inside::Value(_) => Vec::new(),
        };
        let nested = self.nested().into_iter().filter(|(_, block)| &*block.kind == "dynamic");
        let repeated = nested.filter_map(|(file, block)| Some((file, block.body.attribute("for_each")?)));
        own.into_iter().chain(repeated).map(|(file, attribute)| (file, &attribute.value)).collect()
    }

    /// The names of the arguments that are written, in source order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match &self.body {
            Inside::Block(_, block) => block.body.attributes.iter().map(|attribute| &*attribute.name).collect(),
            Inside::Declared(merged, _) => merged.attributes.iter().map(|(_, attribute)| &*attribute.name).collect(),
            Inside::Value(value) => {
                value.as_map().into_iter().flat_map(|map| &map.entries).map(|(name, _)| &**name).collect()
            }
        }
    }

    /// The kinds of the nested blocks that are written, each once, in source order.
    #[must_use]
    pub fn kinds(&self) -> Vec<&'t str> {
        let mut kinds: Vec<&'t str> = Vec::new();
        for (_, block) in self.nested() {
            let kind = if &*block.kind == "dynamic" { block.label(0).unwrap_or("") } else { &block.kind };
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }

    /// The expression of an argument and its file.
    #[must_use]
    pub fn expr(&self, name: &str) -> Option<(FileId, &'t Expr)> {
        self.attribute(name).map(|(file, attribute)| (file, &attribute.value))
    }

    /// Evaluates something where this block stands.
    pub(super) fn within<T>(&self, file: FileId, run: impl FnOnce(Env<'_, 't>) -> T) -> T {
        let names: Vec<(&str, Node<'t>)> =
            self.names.iter().map(|(name, value)| (&**name, Node::Value(value.clone()))).collect();
        let scope = Scope { names: &names, outer: None };
        let env = Env::new(self.ground, self.instance);
        run(Env { file, repeat: &self.repeat, this: self.this, scope: (!names.is_empty()).then_some(&scope), ..env })
    }

    /// Evaluates an expression where this block stands.
    pub(super) fn evaluate(&self, file: FileId, expr: &Expr) -> Value {
        self.within(file, |env| env.value(expr, &mut Work::default()))
    }

    /// Whether an argument names things instead of having a value.
    fn names_things(&self, name: &str) -> bool {
        let kind = self.written().map_or("", |block| &*block.kind);
        match name {
            "ignore_changes" | "replace_triggered_by" => kind == "lifecycle",
            "depends_on" | "provider" | "providers" => {
                matches!(kind, "resource" | "data" | "ephemeral" | "module" | "output")
            }
            "from" | "to" => matches!(kind, "moved" | "removed" | "import"),
            "when" | "on_failure" => kind == "provisioner",
            _ => false,
        }
    }

    /// An argument by path; a path may lead through nested blocks (`network[0].ip`; without an index, the first).
    #[must_use]
    pub fn arg(&self, path: &str) -> Value {
        let (first, rest) = head(path);
        if let Inside::Value(value) = &self.body {
            return descend(value.clone(), path);
        }
        if let Some((file, attribute)) = self.attribute(first) {
            if self.names_things(first) {
                return spelled(&attribute.value, Loc { file, span: attribute.value.span }, 0);
            }
            return descend(self.evaluate(file, &attribute.value), rest);
        }
        let blocks = self.blocks(first);
        let (index, rest) = subscript(rest);
        if rest.is_empty() && index.is_none() {
            return whole(&blocks);
        }
        let lifecycle = first == "lifecycle";
        for block in blocks.iter().skip(index.unwrap_or(0)) {
            let value = match &block.uncertain {
                Some(reason) if self.uncertain.is_none() => Value::unknown(reason.clone()).at(block.loc),
                _ if rest.is_empty() => block.to_value(),
                _ => block.arg(rest.strip_prefix('.').unwrap_or(rest)),
            };
            // Override files add to `lifecycle` instead of replacing it.
            if !(lifecycle && value.is_absent()) {
                return value;
            }
        }
        Value::absent()
    }

    /// Nested blocks of one kind: written ones, those that `dynamic` makes, and lists of objects given as an argument.
    #[must_use]
    pub fn blocks(&self, kind: &str) -> Vec<Self> {
        let mut views = Vec::new();
        for (file, block) in self.nested() {
            if *block.kind == *kind {
                views.push(self.inner(Inside::Block(file, block), Loc { file, span: block.header }));
            } else if &*block.kind == "dynamic" && block.label(0) == Some(kind) {
                self.dynamic(file, block, &mut views);
            }
        }
        let given = match &self.body {
            Inside::Value(value) => Some(descend(value.clone(), kind)),
            _ => self.attribute(kind).map(|(file, attribute)| self.evaluate(file, &attribute.value)),
        };
        if let Some(given) = given {
            self.given_blocks(&given, &mut views);
        }
        views
    }

    fn inner(&self, body: Inside<'t>, loc: Loc) -> Self {
        Self { body, loc, ..self.clone() }
    }

    fn given_blocks(&self, given: &Value, views: &mut Vec<Self>) {
        let loc = given.origin.unwrap_or(self.loc);
        match &given.kind {
            Kind::Known(Data::List(list)) => {
                for item in &list.items {
                    views.push(self.inner(Inside::Value(item.clone()), item.origin.unwrap_or(loc)));
                }
            }
            Kind::Known(Data::Map(_)) => views.push(self.inner(Inside::Value(given.clone()), loc)),
            Kind::Unknown(_) | Kind::OneOf(_) => {
                let mut view = self.inner(
                    Inside::Value(Value { kind: Kind::Unknown(given.reason().unwrap_or_default()), ..given.clone() }),
                    loc,
                );
                view.uncertain = view.uncertain.or_else(|| given.reason());
                views.push(view);
            }
            _ => {}
        }
    }

    /// `dynamic "disk" { for_each, iterator, content }`
    fn dynamic(&self, file: FileId, block: &'t Block, views: &mut Vec<Self>) {
        let Some(content) = block.body.blocks_of("content").next() else { return };
        let kind = block.label(0).unwrap_or("");
        let iterator: Arc<str> = match block.body.attribute("iterator").map(|attribute| &attribute.value.kind) {
            Some(ExprKind::Name(name) | ExprKind::Str(name)) => (&**name).into(),
            _ => kind.into(),
        };
        let loc = Loc { file, span: block.header };
        let collection = match block.body.attribute("for_each") {
            Some(attribute) => self.evaluate(file, &attribute.value),
            None => Value::unknown("the dynamic block has no for_each"),
        };
        let mut add = |key: Value, value: Value, uncertain: Option<Reason>| {
            let mut view = self.inner(Inside::Block(file, content), loc);
            view.names.push((iterator.clone(), Value::map(vec![("key".into(), key), ("value".into(), value)])));
            view.uncertain = view.uncertain.or(uncertain);
            views.push(view);
        };
        let several: Vec<&Data> = match &collection.kind {
            Kind::Known(data) => vec![data],
            Kind::OneOf(values) => values.iter().collect(),
            _ => Vec::new(),
        };
        let sure = several.len() == 1;
        let mut open = several.is_empty().then(|| collection.reason().unwrap_or_else(|| "it is not given".into()));
        for data in several {
            let Some((members, more)) = super::eval::value_members(data) else { continue };
            for (key, value) in members.into_iter().take(256) {
                add(key, value, if sure { None } else { collection.reason() });
            }
            open = open.or(more);
        }
        if let Some(reason) = open.filter(|_| !collection.is_absent()) {
            add(Value::unknown(reason.clone()), Value::unknown(reason.clone()), Some(reason));
        }
    }

    /// The block as a map of its arguments and nested blocks.
    #[must_use]
    pub fn to_value(&self) -> Value {
        if let Inside::Value(value) = &self.body {
            return value.clone();
        }
        let mut entries: Vec<(Arc<str>, Value)> = Vec::new();
        for name in self.names() {
            entries.push((name.into(), self.arg(name)));
        }
        for kind in self.kinds() {
            entries.push((kind.into(), whole(&self.blocks(kind))));
        }
        Value::map(entries).at(self.loc)
    }

    /// A script or document among the arguments, rendered as far as it is known, with the way back to its file.
    #[must_use]
    pub fn mapped(&self, path: &str) -> Option<Rendered> {
        let (first, rest) = head(path);
        match self.attribute(first) {
            Some((file, attribute)) if rest.is_empty() => {
                self.within(file, |env| Some(env.mapped(&attribute.value, &mut Work::default())))
            }
            Some((file, attribute)) => {
                let member = member_of(&attribute.value, rest.strip_prefix('.')?, 0)?;
                self.within(file, |env| Some(env.mapped(member, &mut Work::default())))
            }
            None => {
                let (index, rest) = subscript(rest);
                let blocks = self.blocks(first);
                blocks.get(index.unwrap_or(0))?.mapped(rest.strip_prefix('.').unwrap_or(rest))
            }
        }
    }

    /// What an argument of its own encodes as JSON or YAML, with the places of its parts; none when it is a text otherwise made.
    #[must_use]
    pub fn encoded(&self, name: &str) -> Option<Value> {
        let (file, attribute) = self.attribute(name)?;
        self.within(file, |env| env.encoded(&attribute.value, 0, &mut Work::default()))
    }
}

/// The member of an object that is written out, or of one that others are merged with.
fn member_of<'e>(expr: &'e Expr, name: &str, depth: usize) -> Option<&'e Expr> {
    match &expr.kind {
        _ if depth > 4 => None,
        ExprKind::Object(members) => members.iter().find_map(|(key, value)| {
            let own = match &key.expr.kind {
                ExprKind::Str(text) | ExprKind::Name(text) => &**text == name,
                _ => false,
            };
            own.then_some(value)
        }),
        ExprKind::Call { name: function, args, .. } if &**function == "merge" => {
            args.iter().rev().find_map(|arg| member_of(arg, name, depth + 1))
        }
        _ => None,
    }
}

/// One block as a map, several as a list of maps.
fn whole(blocks: &[BlockView<'_, '_>]) -> Value {
    match blocks {
        [] => Value::absent(),
        [one] => match &one.uncertain {
            Some(reason) => Value::unknown(reason.clone()).at(one.loc),
            None => one.to_value(),
        },
        several => Value::list(several.iter().map(BlockView::to_value).collect()),
    }
}
