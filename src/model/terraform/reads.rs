//! Files that functions read, with the paths that they are given where they stand.

use super::Terraform;
use super::eval::{Env, Work};
use super::instance::Instance;
use super::module::Declared;
use super::spelling::children;
use super::view::{BlockView, argument};
use crate::syntax::hcl::{Expr, ExprKind};
use crate::text::{FileId, Loc};
use crate::value::{Kind, Value};
use std::sync::Arc;

/// Functions that read a file.
const READERS: [&str; 12] = [
    "file",
    "filebase64",
    "filemd5",
    "filesha1",
    "filesha256",
    "filesha512",
    "filebase64sha256",
    "filebase64sha512",
    "fileexists",
    "fileset",
    "templatefile",
    "fileuuid",
];
/// So deep an expression is searched.
const MAX_DEPTH: usize = 100;
/// So many instances of a call or block are looked at.
const MAX_SLOTS: usize = 64;

/// A call of a function that reads a file.
#[derive(Clone, Debug)]
pub struct Read {
    /// The function.
    pub function: &'static str,
    /// The path that it is given.
    pub path: Value,
    /// The call.
    pub loc: Loc,
}

/// The function of that name that reads a file.
#[must_use]
pub fn reader(name: &str) -> Option<&'static str> {
    READERS.into_iter().find(|known| *known == name)
}

/// Whether two paths are the same, or not known in the same way.
#[must_use]
pub fn alike(a: &Value, b: &Value) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Text(a), Kind::Text(b)) => a == b,
        (Kind::Unknown(a), Kind::Unknown(b)) => a == b,
        (Kind::OneOf(a), Kind::OneOf(b)) => a == b,
        _ => a.same(b),
    }
}

fn reads(expr: &Expr, depth: usize) -> bool {
    if matches!(&expr.kind, ExprKind::Call { name, .. } if reader(name).is_some()) {
        return true;
    }
    let mut found = false;
    if depth < MAX_DEPTH {
        children(expr, &mut |child| found = found || reads(child, depth + 1));
    }
    found
}

impl Env<'_, '_> {
    /// Writes down what a call reads, when somebody wants to know.
    pub(super) fn note(&self, call: &Expr, work: &mut Work) {
        let ExprKind::Call { name, args, .. } = &call.kind else { return };
        let (Some(function), Some(path), true) = (reader(name), args.first(), work.reads.is_some()) else { return };
        let read = Read { function, path: argument(self.value(path, work)), loc: self.loc(call.span) };
        if let Some(reads) = &mut work.reads
            && !reads.iter().any(|other| other.loc == read.loc && alike(&other.path, &read.path))
        {
            reads.push(read);
        }
    }
}

/// What was read so far in one module instance.
#[derive(Default)]
struct Watch {
    found: Vec<Read>,
}

impl Watch {
    fn expr(&mut self, env: Env<'_, '_>, file: FileId, expr: &Expr) {
        if reads(expr, 0) {
            let mut work = Work::default();
            work.reads = Some(std::mem::take(&mut self.found));
            Env { file, ..env }.value(expr, &mut work);
            self.found = work.reads.unwrap_or_default();
        }
    }

    fn declared(&mut self, env: Env<'_, '_>, declared: &Declared<'_>) {
        for (file, attribute) in &declared.attributes {
            self.expr(env, *file, &attribute.value);
        }
    }

    /// A block and those in it, each of those that `dynamic` makes.
    fn block(&mut self, view: &BlockView<'_, '_>, depth: usize) {
        for (file, expr) in view.expressions() {
            view.within(file, |env| self.expr(env, file, expr));
        }
        let kinds = view.kinds().into_iter();
        for kind in kinds.filter(|kind| !matches!(*kind, "provisioner" | "connection" | "lifecycle" | "timeouts")) {
            for inner in view.blocks(kind).iter().take(MAX_SLOTS).filter(|inner| inner.written().is_some()) {
                if depth < MAX_DEPTH {
                    self.block(inner, depth + 1);
                }
            }
        }
    }
}

impl<'t> Terraform<'t> {
    /// The files that the functions in a module instance read, each path of a call once; none for calls that nothing comes to.
    #[must_use]
    pub fn reads(&self, instance: &Arc<Instance<'t>>) -> Vec<Read> {
        let module = &instance.module;
        let env = Env::new(&self.ground, instance);
        let mut watch = Watch::default();
        for local in &module.locals {
            watch.expr(env, local.file, &local.attribute.value);
        }
        for declared in module.outputs.iter().chain(&module.providers) {
            watch.declared(env, declared);
        }
        for call in &module.calls {
            for slot in env.expand(&call.decl, MAX_SLOTS, &mut Work::default()) {
                watch.declared(Env { repeat: &slot.repeat, ..env }, &call.decl);
            }
        }
        for resource in self.resources_of(instance) {
            watch.block(&resource.view(), 0);
        }
        watch.found
    }
}
