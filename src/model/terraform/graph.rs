//! The graph of references: what an argument leads to, through locals, variables, outputs and data sources.

use super::eval::{Env, Work};
use super::instance::Instance;
use super::module::{Declared, Mode};
use super::resource::Resource;
use super::spelling::children;
use super::{Ground, Terraform};
use crate::syntax::hcl::{Block, Expr, ExprKind};
use std::collections::HashSet;
use std::sync::Arc;

/// So many expressions are looked at for one question.
const MAX_SEEN: usize = 4096;
/// So deep an expression is searched.
const MAX_DEPTH: usize = 100;

/// A declaration in one module instance, whatever its `count` or `for_each` makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Declaration {
    instance: usize,
    index: usize,
}

/// What an expression names.
enum Use<'e> {
    /// `each.value`
    Each,
    Local(&'e str),
    Variable(&'e str),
    /// Of a module call; one output, or all.
    Output(&'e str, Option<&'e str>),
    Resource(Mode, &'e str, &'e str),
}

/// An expression, where it stands, and what `each` is there.
struct Waiting<'t> {
    at: Arc<Instance<'t>>,
    expr: &'t Expr,
    each: Option<&'t Expr>,
}

struct Walk<'g, 't> {
    ground: &'g Ground<'t>,
    waiting: Vec<Waiting<'t>>,
    seen: HashSet<(usize, *const Expr)>,
    found: Vec<Declaration>,
}

impl<'t> Terraform<'t> {
    /// The type of what is declared.
    #[must_use]
    pub fn type_of(&self, declaration: Declaration) -> Option<&'t str> {
        let instance = self.instances.iter().find(|it| Arc::as_ptr(it) as usize == declaration.instance)?;
        instance.module.resources.get(declaration.index).map(|decl| decl.ty)
    }

    /// The `name` that a declaration gives, where it has one for all its instances.
    #[must_use]
    pub fn name_of(&self, declaration: Declaration) -> Option<String> {
        let instance = self.instances.iter().find(|it| Arc::as_ptr(it) as usize == declaration.instance)?;
        let decl = instance.module.resources.get(declaration.index)?;
        let (file, attribute) = decl.decl.attribute("name")?;
        self.evaluate(instance, file, &attribute.value).scalar().map(|name| name.to_string())
    }

    /// The resources and data sources that an argument of a resource, or a block of that name in it, refers to, each once.
    #[must_use]
    pub fn referred(&self, resource: &Resource<'_, 't>, argument: &str) -> Vec<Declaration> {
        let mut walk = Walk { ground: &self.ground, waiting: Vec::new(), seen: HashSet::new(), found: Vec::new() };
        let declared = &resource.decl.decl;
        walk.arguments(resource.instance, declared, argument);
        while let Some(next) = walk.waiting.pop() {
            let key = (Arc::as_ptr(&next.at) as usize, std::ptr::from_ref(next.expr));
            if walk.seen.len() >= MAX_SEEN || !walk.seen.insert(key) {
                continue;
            }
            uses(next.expr, 0, &mut |one| walk.follow(&next, &one));
        }
        walk.found
    }
}

/// The resource, by its address in its root, and the attribute that an unknown value waits for.
#[must_use]
pub fn awaited(reason: &str) -> Option<(&str, &str)> {
    reason.strip_prefix("only known after apply: ")?.rsplit_once('.')
}

impl Resource<'_, '_> {
    /// Its declaration in its module instance.
    #[must_use]
    pub fn declaration(&self) -> Declaration {
        Declaration { instance: Arc::as_ptr(self.instance) as usize, index: self.index() }
    }
}

impl<'t> Walk<'_, 't> {
    fn wait(&mut self, at: &Arc<Instance<'t>>, expr: Option<&'t Expr>, each: Option<&'t Expr>) {
        self.waiting.extend(expr.map(|expr| Waiting { at: at.clone(), expr, each }));
    }

    fn arguments(&mut self, at: &Arc<Instance<'t>>, declared: &Declared<'t>, argument: &str) {
        let each = repeated(declared);
        self.wait(at, declared.attribute(argument).map(|(_, attribute)| &attribute.value), each);
        for (_, block) in declared.blocks.iter().filter(|(_, block)| &*block.kind == argument) {
            self.block(at, block, each, 0);
        }
    }

    fn block(&mut self, at: &Arc<Instance<'t>>, block: &'t Block, each: Option<&'t Expr>, depth: usize) {
        for attribute in &block.body.attributes {
            self.wait(at, Some(&attribute.value), each);
        }
        if depth < MAX_DEPTH {
            block.body.blocks.iter().for_each(|inner| self.block(at, inner, each, depth + 1));
        }
    }

    fn follow(&mut self, from: &Waiting<'t>, one: &Use<'_>) {
        let (at, module) = (&from.at, &from.at.module);
        match one {
            Use::Each => self.wait(at, from.each, None),
            Use::Local(name) => {
                let local = module.local(name).and_then(|index| module.locals.get(index));
                self.wait(at, local.map(|local| &local.attribute.value), None);
            }
            Use::Variable(name) => {
                let Some((caller, call)) = at.caller() else { return };
                let Some(call) = caller.module.calls.get(call) else { return };
                let argument = call.decl.attribute(name).map(|(_, attribute)| &attribute.value);
                self.wait(&caller, argument, repeated(&call.decl));
            }
            Use::Output(call, output) => {
                let Some(call) = module.call(call) else { return };
                for child in Env::new(self.ground, at).children(call, &mut Work::default()).iter() {
                    let outputs = child.module.outputs.iter();
                    for declared in outputs.filter(|declared| output.is_none_or(|name| declared.label(0) == name)) {
                        self.wait(child, declared.attribute("value").map(|(_, attribute)| &attribute.value), None);
                    }
                }
            }
            Use::Resource(mode, ty, name) => {
                let Some(index) = module.resource(*mode, ty, name) else { return };
                let found = Declaration { instance: Arc::as_ptr(at) as usize, index };
                if !self.found.contains(&found) {
                    self.found.push(found);
                }
                if *mode == Mode::Managed {
                    return;
                }
                if let Some(decl) = module.resources.get(index) {
                    for (_, attribute) in &decl.decl.attributes {
                        self.wait(at, Some(&attribute.value), repeated(&decl.decl));
                    }
                }
            }
        }
    }
}

fn repeated<'t>(declared: &Declared<'t>) -> Option<&'t Expr> {
    declared.attribute("for_each").map(|(_, attribute)| &attribute.value)
}

/// Calls `found` for each name in an expression.
fn uses<'e>(expr: &'e Expr, depth: usize, found: &mut dyn FnMut(Use<'e>)) {
    if depth > MAX_DEPTH {
        return;
    }
    if let Some(one) = named(expr) {
        found(one);
        // What stands in brackets on the way is looked at as well.
        if let ExprKind::Get(inner, _) = &expr.kind
            && let ExprKind::Index(_, key) = &inner.kind
        {
            uses(key, depth + 1, found);
        }
        return;
    }
    children(expr, &mut |child| uses(child, depth + 1, found));
}

fn named(expr: &Expr) -> Option<Use<'_>> {
    let ExprKind::Get(inner, name) = &expr.kind else { return None };
    match &inner.kind {
        ExprKind::Name(first) => match &**first {
            "local" => Some(Use::Local(name)),
            "var" => Some(Use::Variable(name)),
            "module" => Some(Use::Output(name, None)),
            "each" => Some(Use::Each),
            "count" | "path" | "terraform" | "self" | "data" | "ephemeral" => None,
            ty => Some(Use::Resource(Mode::Managed, ty, name)),
        },
        ExprKind::Get(first, second) => match &first.kind {
            ExprKind::Name(first) if &**first == "data" => Some(Use::Resource(Mode::Data, second, name)),
            ExprKind::Name(first) if &**first == "module" => Some(Use::Output(second, Some(name))),
            _ => None,
        },
        // `module.a["x"].id`
        ExprKind::Index(called, _) => match &called.kind {
            ExprKind::Get(first, call) if matches!(&first.kind, ExprKind::Name(first) if &**first == "module") => {
                Some(Use::Output(call, Some(name)))
            }
            _ => None,
        },
        _ => None,
    }
}
