//! What rules look at: resources, blocks and calls of instances, their arguments evaluated when asked for.

use super::eval::{Env, Scope, Work};
use super::instance::{Instance, Key, Repeat, ResourceSlot, Slot, bare_address};
use super::mapped::Rendered;
use super::module::{Call, Declared, Mode, ResourceDecl};
use super::refs::{Node, item, member};
use super::{Ground, Terraform};
use crate::syntax::hcl::{Attribute, Block, Expr, ExprKind, Part};
use crate::text::{FileId, Loc};
use crate::value::{Data, Kind, Reason, Value};
use std::sync::Arc;

/// One instance of a resource, data source or ephemeral resource.
#[derive(Clone)]
pub struct Resource<'a, 't> {
    ground: &'a Ground<'t>,
    /// The module instance that it is part of.
    pub instance: &'a Arc<Instance<'t>>,
    /// Its declaration.
    pub decl: &'a ResourceDecl<'t>,
    index: usize,
    at: usize,
    slots: Arc<[ResourceSlot]>,
}

/// A block, a nested one or one that `dynamic` makes, where its expressions can be evaluated.
#[derive(Clone)]
pub struct BlockView<'a, 't> {
    ground: &'a Ground<'t>,
    instance: &'a Arc<Instance<'t>>,
    repeat: Repeat,
    this: Option<(usize, usize)>,
    names: Vec<(Arc<str>, Value)>,
    body: Inside<'t>,
    /// Where a finding on it points.
    pub loc: Loc,
    /// Why it may not exist, if that is so.
    pub uncertain: Option<Reason>,
}

#[derive(Clone)]
enum Inside<'t> {
    Block(FileId, &'t Block),
    /// Merged from override files.
    Declared(Arc<(Vec<(FileId, &'t Attribute)>, Vec<(FileId, &'t Block)>)>, &'t Block),
    /// Written as an attribute (`network = [{…}]`).
    Value(Value),
}

/// A module call of a module instance, before `count` and `for_each`.
#[derive(Clone)]
pub struct CallView<'a, 't> {
    ground: &'a Ground<'t>,
    /// The instance that calls.
    pub instance: &'a Arc<Instance<'t>>,
    /// The call.
    pub call: &'a Call<'t>,
}

impl<'t> Terraform<'t> {
    /// Every resource, data source and ephemeral resource of an instance, `count` and `for_each` expanded.
    pub fn resources_of<'a>(&'a self, instance: &'a Arc<Instance<'t>>) -> impl Iterator<Item = Resource<'a, 't>> + 'a {
        let ground = &self.ground;
        instance.module.resources.iter().enumerate().flat_map(move |(index, decl)| {
            let slots = Env::new(ground, instance).slots(index, &mut Work::default());
            (0..slots.len()).map(move |at| Resource { ground, instance, decl, index, at, slots: slots.clone() })
        })
    }

    /// Every managed resource of every instance.
    pub fn resources(&self) -> impl Iterator<Item = Resource<'_, 't>> {
        self.instances
            .iter()
            .flat_map(|instance| self.resources_of(instance))
            .filter(|resource| resource.decl.mode == Mode::Managed)
    }

    /// The module calls of an instance.
    pub fn calls_of<'a>(&'a self, instance: &'a Arc<Instance<'t>>) -> impl Iterator<Item = CallView<'a, 't>> + 'a {
        instance.module.calls.iter().map(move |call| CallView { ground: &self.ground, instance, call })
    }

    /// A block of an instance that is no resource: a provider, an output, `removed`…
    #[must_use]
    pub fn block<'a>(&'a self, instance: &'a Arc<Instance<'t>>, file: FileId, block: &'t Block) -> BlockView<'a, 't> {
        BlockView::new(&self.ground, instance, Inside::Block(file, block), Loc { file, span: block.header })
    }

    /// The `provider` blocks of an instance.
    pub fn providers_of<'a>(&'a self, instance: &'a Arc<Instance<'t>>) -> impl Iterator<Item = BlockView<'a, 't>> + 'a {
        instance.module.providers.iter().map(move |declared| BlockView::declared(&self.ground, instance, declared))
    }

    /// An output of an instance; absent when it has none of that name.
    #[must_use]
    pub fn output(&self, instance: &Arc<Instance<'t>>, name: &str) -> Value {
        let env = Env::new(&self.ground, instance);
        instance.module.output(name).map_or_else(Value::absent, |at| env.output(at, &mut Work::default()))
    }

    /// A local value of an instance; absent when it has none of that name.
    #[must_use]
    pub fn local(&self, instance: &Arc<Instance<'t>>, name: &str) -> Value {
        let env = Env::new(&self.ground, instance);
        instance.module.local(name).map_or_else(Value::absent, |at| env.local(at, &mut Work::default()))
    }

    /// A variable of an instance; absent when it has none of that name.
    #[must_use]
    pub fn variable(&self, instance: &Arc<Instance<'t>>, name: &str) -> Value {
        let env = Env::new(&self.ground, instance);
        instance.module.variable(name).map_or_else(Value::absent, |at| env.variable(at, &mut Work::default()))
    }

    /// An expression of one of an instance's files.
    #[must_use]
    pub fn evaluate(&self, instance: &Arc<Instance<'t>>, file: FileId, expr: &Expr) -> Value {
        argument(Env { file, ..Env::new(&self.ground, instance) }.value(expr, &mut Work::default()))
    }
}

/// Null is how Terraform says that an argument is not given.
pub(super) fn argument(value: Value) -> Value {
    match value.kind {
        Kind::Known(Data::Null) => Value { kind: Kind::Absent, ..value },
        _ => value,
    }
}

impl<'a, 't> Resource<'a, 't> {
    /// The type.
    #[must_use]
    pub fn ty(&self) -> &'t str {
        self.decl.ty
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &'t str {
        self.decl.name
    }

    /// Where a finding on it points.
    #[must_use]
    pub fn loc(&self) -> Loc {
        self.decl.decl.loc()
    }

    fn slot(&self) -> Option<&Slot> {
        self.slots.get(self.at).map(|slot| &slot.slot)
    }

    /// Which one it is.
    #[must_use]
    pub fn key(&self) -> Key {
        self.slot().map_or(Key::Single, |slot| slot.key.clone())
    }

    /// Why it may not exist, if that is so.
    #[must_use]
    pub fn uncertain(&self) -> Option<Reason> {
        self.slot().and_then(|slot| slot.uncertain.clone()).or_else(|| self.instance.uncertain.clone())
    }

    /// As Terraform prints it: `module.a["x"].aws_db_instance.b[0]`.
    #[must_use]
    pub fn address(&self) -> String {
        let dot = if self.instance.address.is_empty() { "" } else { "." };
        format!("{}{dot}{}{}", self.instance.address, bare_address(self.decl), self.key().suffix())
    }

    /// Its block.
    #[must_use]
    pub fn view(&self) -> BlockView<'a, 't> {
        let mut view = BlockView::declared(self.ground, self.instance, &self.decl.decl);
        view.repeat = self.slot().map_or(Repeat::Single, |slot| slot.repeat.clone());
        view.this = Some((self.index, self.at));
        view.uncertain = self.uncertain();
        view
    }

    /// An argument by path: `size`, `rootfs.size`, `network[0].ip`, `lifecycle.prevent_destroy`; absent when it is not given.
    #[must_use]
    pub fn arg(&self, path: &str) -> Value {
        let (first, rest) = head(path);
        let given = self.decl.decl.attributes.iter().position(|(_, attribute)| *attribute.name == *first);
        match given {
            Some(position) => {
                let env = Env::new(self.ground, self.instance);
                descend(env.resource_arg(self.index, self.at, position, &mut Work::default()), rest)
            }
            None => self.view().arg(path),
        }
    }

    /// The expression of a top-level argument and its file.
    #[must_use]
    pub fn expr(&self, name: &str) -> Option<(FileId, &'t Expr)> {
        self.decl.decl.attribute(name).map(|(file, attribute)| (file, &attribute.value))
    }

    /// Its nested blocks of one kind, `dynamic` ones expanded.
    #[must_use]
    pub fn blocks(&self, kind: &str) -> Vec<BlockView<'a, 't>> {
        self.view().blocks(kind)
    }

    /// A script or document that it is given (`user_data`), rendered as far as it is known, with the way back to its file.
    #[must_use]
    pub fn mapped(&self, path: &str) -> Option<Rendered> {
        self.view().mapped(path)
    }

    /// What its arguments mention, each once: `(type, name)` of resources, `("module", name)`, `("data.type", name)`.
    #[must_use]
    pub fn references(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.decl.decl.attributes.iter().for_each(|(_, attribute)| mentions(&attribute.value, 0, &mut found));
        self.decl.decl.blocks.iter().for_each(|(_, block)| block_mentions(block, 0, &mut found));
        found
    }
}

/// The first step of a path and what is left.
fn head(path: &str) -> (&str, &str) {
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
fn descend(mut value: Value, mut rest: &str) -> Value {
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
            Some(list) if list.open.is_none() && list.items.len() == 1 => list.items.first().cloned().unwrap_or_default(),
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
    fn new(ground: &'a Ground<'t>, instance: &'a Arc<Instance<'t>>, body: Inside<'t>, loc: Loc) -> Self {
        Self { ground, instance, repeat: Repeat::Single, this: None, names: Vec::new(), body, loc, uncertain: None }
    }

    pub(super) fn declared(ground: &'a Ground<'t>, instance: &'a Arc<Instance<'t>>, declared: &Declared<'t>) -> Self {
        let merged = declared.attributes.len() != declared.block.body.attributes.len()
            || declared.blocks.len() != declared.block.body.blocks.len()
            || declared.attributes.iter().any(|(file, _)| *file != declared.file)
            || declared.blocks.iter().any(|(file, _)| *file != declared.file);
        let body = if merged {
            Inside::Declared(Arc::new((declared.attributes.clone(), declared.blocks.clone())), declared.block)
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
            Inside::Declared(merged, _) => merged.0.iter().find(|(_, attribute)| &*attribute.name == name).copied(),
            Inside::Value(_) => None,
        }
    }

    fn nested(&self) -> Vec<(FileId, &'t Block)> {
        match &self.body {
            Inside::Block(file, block) => block.body.blocks.iter().map(|block| (*file, block)).collect(),
            Inside::Declared(merged, _) => merged.1.clone(),
            Inside::Value(_) => Vec::new(),
        }
    }

    /// The names of the arguments that are written, in source order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match &self.body {
            Inside::Block(_, block) => block.body.attributes.iter().map(|attribute| &*attribute.name).collect(),
            Inside::Declared(merged, _) => merged.0.iter().map(|(_, attribute)| &*attribute.name).collect(),
            Inside::Value(value) => value.as_map().into_iter().flat_map(|map| &map.entries).map(|(name, _)| &**name).collect(),
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

    /// An argument by path; a path may lead through nested blocks (`network[0].ip`; without an index, the first).
    #[must_use]
    pub fn arg(&self, path: &str) -> Value {
        let (first, rest) = head(path);
        if let Inside::Value(value) = &self.body {
            return descend(value.clone(), path);
        }
        if let Some((file, attribute)) = self.attribute(first) {
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
            self.from_value(&given, &mut views);
        }
        views
    }

    fn inner(&self, body: Inside<'t>, loc: Loc) -> Self {
        Self { body, loc, ..self.clone() }
    }

    fn from_value(&self, given: &Value, views: &mut Vec<Self>) {
        let loc = given.origin.unwrap_or(self.loc);
        match &given.kind {
            Kind::Known(Data::List(list)) => {
                for item in &list.items {
                    views.push(self.inner(Inside::Value(item.clone()), item.origin.unwrap_or(loc)));
                }
            }
            Kind::Known(Data::Map(_)) => views.push(self.inner(Inside::Value(given.clone()), loc)),
            Kind::Unknown(_) | Kind::OneOf(_) => {
                let mut view = self.inner(Inside::Value(Value { kind: Kind::Unknown(given.reason().unwrap_or_default()), ..given.clone() }), loc);
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
            Some(_) => None,
            None => {
                let (index, rest) = subscript(rest);
                let blocks = self.blocks(first);
                blocks.get(index.unwrap_or(0))?.mapped(rest.strip_prefix('.').unwrap_or(rest))
            }
        }
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

impl<'a, 't> CallView<'a, 't> {
    /// Where a finding on it points.
    #[must_use]
    pub fn loc(&self) -> Loc {
        self.call.decl.loc()
    }

    /// Its block; `each` and `count` are unknown in it.
    #[must_use]
    pub fn view(&self) -> BlockView<'a, 't> {
        BlockView::declared(self.ground, self.instance, &self.call.decl)
    }

    /// An argument; absent when it is not given.
    #[must_use]
    pub fn arg(&self, path: &str) -> Value {
        self.view().arg(path)
    }

    /// `module.a["x"].module.b`
    #[must_use]
    pub fn address(&self) -> String {
        let dot = if self.instance.address.is_empty() { "" } else { "." };
        format!("{}{dot}module.{}", self.instance.address, self.call.name)
    }

    /// The module that it calls, when it lies in this repository.
    #[must_use]
    pub fn target(&self) -> Option<&'a Arc<super::Module<'t>>> {
        self.call.folder.as_ref().and_then(|folder| self.ground.module(folder))
    }
}

fn block_mentions(block: &Block, depth: usize, found: &mut Vec<(String, String)>) {
    if depth > 32 {
        return;
    }
    block.body.attributes.iter().for_each(|attribute| mentions(&attribute.value, depth + 1, found));
    block.body.blocks.iter().for_each(|block| block_mentions(block, depth + 1, found));
}

/// Collects the resources, data sources and modules that an expression names.
pub(super) fn mentions(expr: &Expr, depth: usize, found: &mut Vec<(String, String)>) {
    if depth > 100 {
        return;
    }
    if let ExprKind::Get(inner, name) = &expr.kind {
        let pair = match &inner.kind {
            ExprKind::Name(first) => match &**first {
                "var" | "local" | "each" | "count" | "path" | "terraform" | "self" | "data" | "ephemeral" => None,
                first => Some((first.to_owned(), name.to_string())),
            },
            ExprKind::Get(mode, ty) => match &mode.kind {
                ExprKind::Name(first) if &**first == "data" => Some((format!("data.{ty}"), name.to_string())),
                _ => None,
            },
            _ => None,
        };
        if let Some(pair) = pair.filter(|pair| !found.contains(pair)) {
            found.push(pair);
        }
    }
    children(expr, &mut |child| mentions(child, depth + 1, found));
}

/// Calls `visit` for each expression directly inside.
fn children(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    match &expr.kind {
        ExprKind::Template(parts) => part_children(parts, visit),
        ExprKind::List(items) => items.iter().for_each(visit),
        ExprKind::Call { args, .. } => args.iter().for_each(visit),
        ExprKind::Object(members) => members.iter().for_each(|(key, value)| {
            visit(&key.expr);
            visit(value);
        }),
        ExprKind::Get(inner, _) | ExprKind::Not(inner) | ExprKind::Minus(inner) => visit(inner),
        ExprKind::Index(a, b) | ExprKind::Splat(a, b) => {
            visit(a);
            visit(b);
        }
        ExprKind::Cond(parts) => parts.iter().for_each(visit),
        ExprKind::Binary(_, sides) => sides.iter().for_each(visit),
        ExprKind::For(walk) => {
            visit(&walk.collection);
            walk.result_key.iter().chain(&walk.condition).for_each(&mut *visit);
            visit(&walk.result);
        }
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Number(_)
        | ExprKind::Str(_)
        | ExprKind::Name(_)
        | ExprKind::Each
        | ExprKind::Opaque(_) => {}
    }
}

fn part_children(parts: &[Part], visit: &mut dyn FnMut(&Expr)) {
    for part in parts {
        match part {
            Part::Lit(..) => {}
            Part::Interp(expr) => visit(expr),
            Part::If(condition, yes, no) => {
                visit(condition);
                part_children(yes, visit);
                part_children(no, visit);
            }
            Part::For(_, _, collection, body) => {
                visit(collection);
                part_children(body, visit);
            }
        }
    }
}
