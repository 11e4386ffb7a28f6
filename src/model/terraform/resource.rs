//! Resources and module calls of instances, and the ways to them.

use super::eval::{Env, Work};
use super::instance::{Instance, ResourceSlot, bare_address};
use super::mapped::Rendered;
use super::module::{Call, Mode, Module, ResourceDecl};
use super::repeat::{Key, Repeat, Slot};
use super::spelling::{block_mentions, mentions};
use super::view::{BlockView, Inside, argument, descend, head};
use super::{Ground, Terraform};
use crate::syntax::hcl::{Block, Expr, ExprKind, Part};
use crate::text::{FileId, Loc};
use crate::value::{Reason, Value};
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

    /// Every data source of every instance.
    pub fn data(&self) -> impl Iterator<Item = Resource<'_, 't>> {
        self.instances
            .iter()
            .flat_map(|instance| self.resources_of(instance))
            .filter(|resource| resource.decl.mode == Mode::Data)
    }

    /// The instances of one resource or data source in a module instance; none when it is not declared there.
    #[must_use]
    pub fn resource<'a>(
        &'a self,
        instance: &'a Arc<Instance<'t>>,
        mode: Mode,
        ty: &str,
        name: &str,
    ) -> Vec<Resource<'a, 't>> {
        let Some(index) = instance.module.resource(mode, ty, name) else { return Vec::new() };
        let Some(decl) = instance.module.resources.get(index) else { return Vec::new() };
        let ground = &self.ground;
        let slots = Env::new(ground, instance).slots(index, &mut Work::default());
        (0..slots.len()).map(|at| Resource { ground, instance, decl, index, at, slots: slots.clone() }).collect()
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

    /// Where a finding on it points: its declaration, or the call of the installed module that declares it.
    #[must_use]
    pub fn loc(&self) -> Loc {
        self.instance.call_into_installed().unwrap_or_else(|| self.decl.decl.loc())
    }

    /// The position of its declaration in its module.
    pub(super) fn index(&self) -> usize {
        self.index
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

    /// Why it is looked at although the files alone do not make it: a switch that nothing here sets.
    #[must_use]
    pub fn switch(&self) -> Option<Reason> {
        let assumed = self.instance.assumed || self.slot().is_some_and(|slot| slot.assumed);
        self.uncertain().filter(|_| assumed)
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
            Some(_) if matches!(first, "depends_on" | "provider") => self.view().arg(path),
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

    /// What an argument encodes as JSON or YAML, with the places of its parts; none when it is a text otherwise made.
    #[must_use]
    pub fn encoded(&self, name: &str) -> Option<Value> {
        self.view().encoded(name)
    }

    /// What its arguments mention, locals followed, each once: `(type, name)` of resources, `("module", name)`,
    /// `("data.type", name)`.
    #[must_use]
    pub fn references(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.decl.decl.attributes.iter().for_each(|(_, attribute)| mentions(&attribute.value, 0, &mut found));
        self.decl.decl.blocks.iter().for_each(|(_, block)| block_mentions(block, 0, &mut found));
        let mut next = 0;
        // What a local mentions is added behind it.
        while let Some((space, name)) = found.get(next).cloned() {
            next += 1;
            let local = if space == "local" { self.instance.module.local(&name) } else { None };
            if let Some(local) = local.and_then(|at| self.instance.module.locals.get(at)) {
                mentions(&local.attribute.value, 0, &mut found);
            }
        }
        found.retain(|(space, _)| space != "local");
        found
    }

    /// The scripts or documents of an argument: the parts of a `cloudinit_config`, else the one text.
    #[must_use]
    pub fn scripts(&self, path: &str) -> Vec<Rendered> {
        let parts = self.expr(path).and_then(|(_, expr)| cloud_init(expr, 0));
        let config = parts.and_then(|(ty, name)| self.instance.module.resource(Mode::Data, ty, name));
        let Some(decl) = config.and_then(|at| self.instance.module.resources.get(at)) else {
            return self.mapped(path).into_iter().collect();
        };
        let view = BlockView::declared(self.ground, self.instance, &decl.decl);
        view.blocks("part").iter().filter_map(|part| part.mapped("content")).collect()
    }
}

/// The `cloudinit_config` whose `rendered` an expression is, behind the functions that encode it.
fn cloud_init(expr: &Expr, depth: usize) -> Option<(&str, &str)> {
    match &expr.kind {
        _ if depth > 8 => None,
        ExprKind::Call { args, .. } => cloud_init(args.first()?, depth + 1),
        ExprKind::Template(parts) => match parts.as_slice() {
            [Part::Interp(inner)] => cloud_init(inner, depth + 1),
            _ => None,
        },
        ExprKind::Get(inner, member) if &**member == "rendered" => {
            let ExprKind::Get(ty, name) = &inner.kind else { return None };
            let ExprKind::Get(_, ty) = &ty.kind else { return None };
            matches!(&**ty, "cloudinit_config" | "template_cloudinit_config").then_some((ty, name))
        }
        _ => None,
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
    pub fn target(&self) -> Option<&'a Arc<Module<'t>>> {
        self.instance.target(self.ground, self.call)
    }
}
