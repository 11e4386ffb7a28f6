//! Instances: a module with the arguments of one call, and what it repeats.

use super::eval::{Cell, CellKind, Env, Work, either};
use super::module::{Call, Declared, Mode, Module, ResourceDecl};
use super::repeat::{Key, Repeat, Slot, by_count, by_key};
use super::role::Role;
use super::switch;
use super::terragrunt::Context;
use super::{Ground, runs};
use crate::syntax::hcl::{Expr, ExprKind};
use crate::text::{FileId, Loc};
use crate::value::{Data, Kind, List, Map, Reason, Value};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// The most instances that one module call makes.
const MAX_CALL: usize = 64;
/// The most instances that one resource makes.
const MAX_RESOURCE: usize = 256;
/// The most that it makes below a root with more than [`MANY_BELOW`] module instances.
const FEW: usize = 16;
/// So many module instances are many.
const MANY_BELOW: usize = 256;
/// The most module instances below one root.
const MAX_BELOW: usize = 1024;
/// The deepest nesting of module calls.
const MAX_DEPTH: usize = 16;

/// A resource instance inside a module instance.
#[derive(Debug)]
pub(super) struct ResourceSlot {
    pub(super) slot: Slot,
    /// One for each argument in force.
    pub(super) args: Box<[OnceLock<Value>]>,
}

#[derive(Debug)]
struct Parent<'t> {
    instance: Weak<Instance<'t>>,
    call: usize,
    repeat: Repeat,
}

type Cells<T> = Box<[OnceLock<T>]>;

/// A module with the arguments of one call (or of a root's variable files).
#[derive(Debug)]
pub struct Instance<'t> {
    /// The module.
    pub module: Arc<Module<'t>>,
    /// What its root is for ([`Role::Library`] when nothing here calls it).
    pub role: Role,
    /// `module.a["x"].module.b`; `""` for a root.
    pub address: String,
    /// The folder where Terraform is run.
    pub root: Arc<str>,
    /// The Terragrunt folder that runs it, if one does.
    pub unit: Option<String>,
    /// Which one of its call.
    pub key: Key,
    /// Why it may not exist, if that is so.
    pub uncertain: Option<Reason>,
    /// The files alone do not make it.
    pub(super) assumed: bool,
    parent: Option<Parent<'t>>,
    depth: usize,
    below: Arc<AtomicUsize>,
    pub(super) given: HashMap<&'t str, Given<'t>>,
    /// Of a file of Terragrunt.
    pub(super) terragrunt: Option<Context<'t>>,
    variables: Cells<Value>,
    locals: Cells<Value>,
    outputs: Cells<Value>,
    children: Cells<Arc<[Arc<Instance<'t>>]>>,
    resources: Cells<Arc<[ResourceSlot]>>,
}

/// A root's value for a variable.
#[derive(Clone, Debug)]
pub(super) enum Given<'t> {
    /// In a variable file.
    File(FileId, &'t Expr),
    /// By the runs of the root, each of which gives one of these.
    Runs(Vec<Alternative<'t>>),
    /// In variable files that nothing names: used only when there is no default.
    Perhaps(Vec<(FileId, &'t Expr)>),
    /// By the `inputs` of Terragrunt's files, nearest first.
    Inputs(Arc<[(Arc<Instance<'t>>, FileId, &'t Expr)]>),
}

/// What one run of a root gives for a variable.
#[derive(Clone, Debug)]
pub(super) enum Alternative<'t> {
    /// In a variable file.
    File(FileId, &'t Expr),
    /// On the command line.
    Value(runs::Given),
    /// Nothing: the variable has its default.
    Default,
}

impl PartialEq for Alternative<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(_, a), Self::File(_, b)) => std::ptr::eq(*a, *b),
            (Self::Value(a), Self::Value(b)) => a == b,
            (Self::Default, Self::Default) => true,
            _ => false,
        }
    }
}

fn cells<T>(count: usize) -> Cells<T> {
    (0..count).map(|_| OnceLock::new()).collect()
}

impl<'t> Instance<'t> {
    fn new(module: &Arc<Module<'t>>, role: Role, given: HashMap<&'t str, Given<'t>>) -> Self {
        Self {
            role,
            address: String::new(),
            root: module.folder.as_str().into(),
            unit: None,
            key: Key::Single,
            uncertain: None,
            assumed: false,
            parent: None,
            depth: 0,
            below: Arc::default(),
            given,
            terragrunt: None,
            variables: cells(module.variables.len()),
            locals: cells(module.locals.len()),
            outputs: cells(module.outputs.len()),
            children: cells(module.calls.len()),
            resources: cells(module.resources.len()),
            module: module.clone(),
        }
    }

    /// A module that is run in its own folder.
    pub(super) fn top(module: &Arc<Module<'t>>, role: Role, given: HashMap<&'t str, Given<'t>>) -> Arc<Self> {
        Arc::new(Self::new(module, role, given))
    }

    /// A module that Terragrunt runs for a unit.
    pub(super) fn of_unit(module: &Arc<Module<'t>>, unit: &str, given: HashMap<&'t str, Given<'t>>) -> Arc<Self> {
        Arc::new(Self { unit: Some(unit.to_owned()), ..Self::new(module, Role::Root, given) })
    }

    /// A file of Terragrunt as it is read for a unit.
    pub(super) fn of_terragrunt(module: &Arc<Module<'t>>, context: Context<'t>) -> Arc<Self> {
        let root = context.unit.as_str().into();
        Arc::new(Self { root, terragrunt: Some(context), ..Self::new(module, Role::Root, HashMap::new()) })
    }

    /// An instance of one call.
    fn child(parent: &Arc<Self>, call: usize, module: &Arc<Module<'t>>, slot: Slot) -> Arc<Self> {
        let name = parent.module.calls.get(call).map_or("", |call| call.name);
        let dot = if parent.address.is_empty() { "" } else { "." };
        Arc::new(Self {
            address: format!("{}{dot}module.{name}{}", parent.address, slot.key.suffix()),
            root: parent.root.clone(),
            unit: parent.unit.clone(),
            key: slot.key,
            uncertain: slot.uncertain.or_else(|| parent.uncertain.clone()),
            assumed: slot.assumed || parent.assumed,
            parent: Some(Parent { instance: Arc::downgrade(parent), call, repeat: slot.repeat }),
            depth: parent.depth + 1,
            below: parent.below.clone(),
            ..Self::new(module, parent.role, HashMap::new())
        })
    }

    /// The folder that somebody applies it in: the unit of Terragrunt, else the root.
    #[must_use]
    pub fn environment(&self) -> &str {
        self.unit.as_deref().unwrap_or(&self.root)
    }

    /// Whether Terraform is run here (or would be: uncalled libraries are looked at by themselves).
    #[must_use]
    pub fn is_top(&self) -> bool {
        self.parent.is_none()
    }

    /// The instance that calls this one, and the position of the call in its module.
    #[must_use]
    pub fn caller(&self) -> Option<(Arc<Self>, usize)> {
        let parent = self.parent.as_ref()?;
        Some((parent.instance.upgrade()?, parent.call))
    }

    /// The names of the calls that lead to this instance: `db.instance`.
    fn names(&self) -> String {
        let mut names = Vec::new();
        let mut next = self.caller();
        while let Some((caller, call)) = next {
            names.extend(caller.module.calls.get(call).map(|call| call.name));
            next = caller.caller();
        }
        names.reverse();
        names.join(".")
    }

    /// The module that a call of this instance leads to, when its files are at hand.
    pub(super) fn target<'g>(&self, ground: &'g Ground<'t>, call: &Call<'t>) -> Option<&'g Arc<Module<'t>>> {
        if let Some(folder) = &call.folder {
            return ground.module(folder);
        }
        let manifest = ground.installed.get(&*self.root)?;
        let above = self.names();
        let dot = if above.is_empty() { "" } else { "." };
        ground.module(manifest.get(&format!("{above}{dot}{}", call.name))?)
    }

    /// Where a finding inside this instance points when its module is not of this repository: the call that leads there.
    pub(super) fn call_into_installed(&self) -> Option<Loc> {
        if !self.module.is_installed() {
            return None;
        }
        let (caller, call) = self.caller()?;
        caller.call_into_installed().or_else(|| Some(caller.module.calls.get(call)?.decl.loc()))
    }

    fn calls_folder(&self, folder: &str) -> bool {
        let mut next = self.caller();
        let mut found = self.module.folder == folder;
        while let Some((caller, _)) = next.filter(|_| !found) {
            found = caller.module.folder == folder;
            next = caller.caller();
        }
        found
    }
}

fn is_object(ty: &Expr) -> bool {
    matches!(&ty.kind, ExprKind::Call { name, .. } if &**name == "object")
}

/// An empty collection as the default of a top's own variable waits for whoever runs it: it says nothing of its members.
fn left_open(value: Value, name: &str) -> Value {
    let reason = || Some(Reason::from(format!("var.{name} is empty by default, and no tfvars here fills it")));
    let data = match value.data() {
        Some(Data::List(list)) if list.items.is_empty() => {
            Data::List(Arc::new(List { open: reason(), ..List::default() }))
        }
        Some(Data::Map(map)) if map.entries.is_empty() => Data::Map(Arc::new(Map { open: reason(), ..Map::default() })),
        _ => return value,
    };
    Value { kind: Kind::Known(data), ..value }
}

impl<'t> Env<'_, 't> {
    fn cell(&self, kind: CellKind, index: usize) -> Cell {
        Cell { instance: Arc::as_ptr(self.at) as usize, kind, index, part: (0, 0) }
    }

    /// `var.<name>`
    pub(super) fn variable(&self, index: usize, work: &mut Work) -> Value {
        let Some(cell) = self.at.variables.get(index) else { return Value::absent() };
        work.remember(cell, self.cell(CellKind::Variable, index), Value::unknown, |work| {
            self.compute_variable(index, work)
        })
    }

    fn compute_variable(&self, index: usize, work: &mut Work) -> Value {
        let Some(variable) = self.at.module.variables.get(index) else { return Value::absent() };
        let name = variable.label(0);
        let nullable = variable
            .attribute("nullable")
            .is_none_or(|(_, attribute)| !matches!(attribute.value.kind, crate::syntax::hcl::ExprKind::Bool(false)));
        let mut given = self.given_value(name, work);
        if !nullable && given.as_ref().is_some_and(Value::is_absent) {
            given = None;
        }
        let in_file = Env { file: variable.file, repeat: &Repeat::Single, ..*self };
        let value = match (given, variable.attribute("default")) {
            (Some(value), _) => value,
            (None, Some((file, default))) => {
                let value = Env { file, ..in_file }.value(&default.value, work);
                // An object has the members of its type, whether they are given or not.
                let object = variable.attribute("type").is_some_and(|(_, ty)| is_object(&ty.value));
                if self.at.parent.is_none() && !object { left_open(value, name) } else { value }
            }
            (None, None) => return Value::unknown(self.not_given(name)).at(variable.loc()),
        };
        let value = match variable.attribute("type") {
            Some((file, ty)) => Env { file, ..in_file }.convert(value, &ty.value, work),
            None => value,
        };
        value.step(format!("variable `{name}`"), variable.loc())
    }

    fn not_given(&self, name: &str) -> String {
        match (&self.at.parent, self.at.role) {
            (Some(_), _) => format!("var.{name} has no default and {} does not give it", self.at.address),
            (None, Role::Root) => format!("var.{name} has no default and no tfvars names it"),
            (None, _) => format!("variable `{name}` is an input of this module and nothing here calls it"),
        }
    }

    /// What the caller, a variable file or a flag gives for a variable.
    fn given_value(&self, name: &str, work: &mut Work) -> Option<Value> {
        if self.at.parent.is_none() {
            return self.given_at_top(name, work);
        }
        self.in_caller(name, |env, call, expr| {
            let value = env.value(expr, work);
            Some(value.step(format!("argument of module.{call}"), env.loc(expr.span)))
        })
    }

    /// What is made of the argument that the module's caller gives for a variable, there where it stands; also the call's name.
    pub(super) fn in_caller<T>(
        &self,
        name: &str,
        make: impl FnOnce(Env<'_, 't>, &str, &'t Expr) -> Option<T>,
    ) -> Option<T> {
        let parent = self.at.parent.as_ref()?;
        let caller = parent.instance.upgrade()?;
        let call = caller.module.calls.get(parent.call)?;
        let (file, attribute) = call.decl.attribute(name)?;
        let env = Env { at: &caller, file, repeat: &parent.repeat, scope: None, this: None, ..*self };
        make(env, call.name, &attribute.value)
    }

    fn given_at_top(&self, name: &str, work: &mut Work) -> Option<Value> {
        let env = Env { repeat: &Repeat::Single, scope: None, this: None, ..*self };
        match self.at.given.get(name)? {
            Given::File(file, expr) => Some(Env { file: *file, ..env }.value(expr, work)),
            Given::Inputs(inputs) => env.input(inputs, name, work),
            Given::Runs(alternatives) => self.by_runs(alternatives, env, name, work),
            Given::Perhaps(values) => {
                // Files that nothing names may be used or not.
                let variable = self.at.module.variables.get(self.at.module.variable(name)?)?;
                let given = several_files(values, env, name, work)?;
                let Some((file, default)) = variable.attribute("default") else { return Some(given) };
                let default = Env { file, ..env }.value(&default.value, work);
                let reason: Reason = format!("var.{name} depends on the variable file that is used").into();
                Some(either(&default, &given, &reason))
            }
        }
    }

    /// What the runs of the root give, each of which is possible.
    fn by_runs(&self, alternatives: &[Alternative<'t>], env: Self, name: &str, work: &mut Work) -> Option<Value> {
        let reason: Reason = format!("var.{name} depends on the run of Terraform").into();
        let variable = self.at.module.variables.get(self.at.module.variable(name)?)?;
        let mut values = Vec::new();
        for alternative in alternatives {
            values.push(match alternative {
                Alternative::File(file, expr) => Env { file: *file, ..env }.value(expr, work),
                Alternative::Value(given) => given.0.clone(),
                Alternative::Default => match variable.attribute("default") {
                    Some((file, default)) => Env { file, ..env }.value(&default.value, work),
                    // Terraform asks for it.
                    None => continue,
                },
            });
        }
        values.into_iter().reduce(|all, next| either(&all, &next, &reason))
    }

    /// `local.<name>`
    pub(super) fn local(&self, index: usize, work: &mut Work) -> Value {
        let Some(cell) = self.at.locals.get(index) else { return Value::absent() };
        work.remember(cell, self.cell(CellKind::Local, index), Value::unknown, |work| {
            let Some(local) = self.at.module.locals.get(index) else { return Value::absent() };
            let env = Env { file: local.file, repeat: &Repeat::Single, scope: None, this: None, ..*self };
            let value = env.value(&local.attribute.value, work);
            value.step(format!("local `{}`", local.attribute.name), env.loc(local.attribute.name_span))
        })
    }

    /// An output of this instance.
    pub(super) fn output(&self, index: usize, work: &mut Work) -> Value {
        let Some(cell) = self.at.outputs.get(index) else { return Value::absent() };
        work.remember(cell, self.cell(CellKind::Output, index), Value::unknown, |work| {
            let Some(output) = self.at.module.outputs.get(index) else { return Value::absent() };
            let Some((file, attribute)) = output.attribute("value") else { return Value::absent() };
            let env = Env { file, repeat: &Repeat::Single, scope: None, this: None, ..*self };
            env.value(&attribute.value, work).step(format!("output `{}`", output.label(0)), output.loc())
        })
    }

    /// The instances of a module call; none when it leads out of the repository.
    pub(super) fn children(&self, call: usize, work: &mut Work) -> Arc<[Arc<Instance<'t>>]> {
        let Some(memory) = self.at.children.get(call) else { return Arc::default() };
        work.remember(
            memory,
            self.cell(CellKind::Children, call),
            |_| Arc::default(),
            |work| self.make_children(call, work),
        )
    }

    fn make_children(&self, index: usize, work: &mut Work) -> Arc<[Arc<Instance<'t>>]> {
        let Some(call) = self.at.module.calls.get(index) else { return Arc::default() };
        let Some(module) = self.at.target(self.ground, call) else { return Arc::default() };
        if self.at.depth >= MAX_DEPTH || self.at.calls_folder(&module.folder) {
            return Arc::default();
        }
        let mut slots = self.expand(&call.decl, MAX_CALL, work);
        if self.at.below.fetch_add(slots.len(), Ordering::Relaxed) + slots.len() > MAX_BELOW {
            slots.truncate(1);
            if self.at.below.load(Ordering::Relaxed) > 2 * MAX_BELOW {
                return Arc::default();
            }
        }
        slots.into_iter().map(|slot| Instance::child(self.at, index, module, slot)).collect()
    }

    /// The instances of a resource or data source.
    pub(super) fn slots(&self, index: usize, work: &mut Work) -> Arc<[ResourceSlot]> {
        let Some(cell) = self.at.resources.get(index) else { return Arc::default() };
        work.remember(
            cell,
            self.cell(CellKind::Slots, index),
            |_| Arc::default(),
            |work| {
                let Some(resource) = self.at.module.resources.get(index) else { return Arc::default() };
                // Below a root with very many modules a few of each show what all are like.
                let crowded = self.at.below.load(Ordering::Relaxed) > MANY_BELOW;
                let slots = self.expand(&resource.decl, if crowded { FEW } else { MAX_RESOURCE }, work);
                slots
                    .into_iter()
                    .map(|slot| ResourceSlot { slot, args: cells(resource.decl.attributes.len()) })
                    .collect()
            },
        )
    }

    /// An argument of a resource instance, by its position in the declaration.
    pub(super) fn resource_arg(&self, resource: usize, at: usize, position: usize, work: &mut Work) -> Value {
        let slots = self.slots(resource, work);
        let decl = self.at.module.resources.get(resource).and_then(|decl| decl.decl.attributes.get(position));
        let (Some(slot), Some((file, attribute))) = (slots.get(at), decl) else { return Value::absent() };
        let Some(cell) = slot.args.get(position) else { return Value::absent() };
        let id = Cell { part: (at, position), ..self.cell(CellKind::Argument, resource) };
        work.remember(cell, id, Value::unknown, |work| {
            let env = Env { file: *file, repeat: &slot.slot.repeat, scope: None, this: Some((resource, at)), ..*self };
            env.value(&attribute.value, work)
        })
    }

    /// What `count`, `for_each` and `OpenTofu`'s `enabled` make of a block.
    pub(super) fn expand(&self, decl: &Declared<'t>, most: usize, work: &mut Work) -> Vec<Slot> {
        let env = Env { repeat: &Repeat::Single, scope: None, this: None, ..*self };
        let enabled = decl.blocks.iter().filter(|(_, block)| &*block.kind == "lifecycle").find_map(|(file, block)| {
            let attribute = block.body.attribute("enabled")?;
            Some(Env { file: *file, ..env }.value(&attribute.value, work))
        });
        if enabled.is_some_and(|enabled| enabled.as_bool() == Some(false)) {
            return Vec::new();
        }
        for (name, expanded) in [("count", by_count as fn(&Value, usize) -> Vec<Slot>), ("for_each", by_key)] {
            let Some((file, attribute)) = decl.attribute(name) else { continue };
            let env = Env { file, ..env };
            let slots = expanded(&env.value(&attribute.value, work), most);
            if !slots.is_empty() {
                return slots;
            }
            // Off by default is not off: whoever runs the root may switch it on.
            let Some((reason, value)) = switch::other_side(env, &attribute.value, work) else { return slots };
            let maybe = |slot: Slot| Slot { uncertain: Some(reason.clone()), assumed: true, ..slot };
            return expanded(&value, most).into_iter().map(maybe).collect();
        }
        vec![Slot { key: Key::Single, repeat: Repeat::Single, uncertain: None, assumed: false }]
    }
}

fn several_files<'t>(values: &[(FileId, &'t Expr)], env: Env<'_, 't>, name: &str, work: &mut Work) -> Option<Value> {
    let reason: Reason = format!("var.{name} depends on the variable file that is used").into();
    let values = values.iter().map(|(file, expr)| Env { file: *file, ..env }.value(expr, work));
    values.reduce(|all, next| either(&all, &next, &reason))
}

/// Every instance below the given ones, each before those it calls.
pub(super) fn walk<'t>(ground: &Ground<'t>, top: &Arc<Instance<'t>>) -> Vec<Arc<Instance<'t>>> {
    let mut all = Vec::new();
    let mut waiting = vec![top.clone()];
    while let Some(instance) = waiting.pop() {
        let env = Env::new(ground, &instance);
        for call in (0..instance.module.calls.len()).rev() {
            waiting.extend(env.children(call, &mut Work::default()).iter().rev().cloned());
        }
        all.push(instance);
    }
    all
}

/// The address of a resource without its key: `data.aws_ami.x`.
pub(super) fn bare_address(resource: &ResourceDecl<'_>) -> String {
    let mode = match resource.mode {
        Mode::Managed => "",
        Mode::Data => "data.",
        Mode::Ephemeral => "ephemeral.",
    };
    format!("{mode}{}.{}", resource.ty, resource.name)
}
