//! References: what `var.x`, `local.x`, `module.a["k"].out` and `aws_x.y[0].name` stand for.

use super::eval::{Building, Env, Outcome, Scope, Work, either, key_text, lift, several, value_members};
use super::instance::{Instance, ResourceSlot, bare_address};
use super::module::{Mode, constant};
use super::repeat::{Key, Repeat};
use super::{ops, types};
use crate::syntax::hcl::{Block, Expr, ExprKind};
use crate::text::{FileId, Loc};
use crate::value::{Data, Kind, List, Reason, Shape, Value};
use std::sync::Arc;

/// What a reference has reached so far; only what is asked for is evaluated.
#[derive(Clone, Debug)]
pub(super) enum Node<'t> {
    Value(Value),
    Variables,
    Locals,
    Each,
    Count,
    Path,
    Terraform,
    Modules,
    /// What a file of Terragrunt includes.
    Includes,
    /// `feature` of Terragrunt.
    Features,
    /// A file of Terragrunt.
    Configuration(Arc<Instance<'t>>),
    /// All that `module.<name>` makes.
    Call(Arc<Instance<'t>>, usize),
    /// One instance of a module.
    Module(Arc<Instance<'t>>),
    /// `data` or `ephemeral`.
    Mode(Mode),
    /// A resource type.
    Type(Mode, Arc<str>),
    /// All instances of a resource.
    Resource(Arc<Instance<'t>>, usize),
    /// One instance of a resource.
    One(Arc<Instance<'t>>, usize, usize),
}

type Members<'t> = Result<(Vec<(Value, Node<'t>)>, Option<Reason>), Reason>;

impl<'t> Env<'_, 't> {
    /// What an expression refers to.
    pub(super) fn node(&self, expr: &Expr, work: &mut Work) -> Result<Node<'t>, Reason> {
        match &expr.kind {
            ExprKind::Name(name) => Ok(self.name(name)),
            ExprKind::Each => {
                Ok(self.bound("*").unwrap_or_else(|| Node::Value(Value::unknown("a splat without a list"))))
            }
            ExprKind::Get(..) | ExprKind::Index(..) | ExprKind::Splat(..) => {
                if let Err(reason) = work.enter() {
                    return Ok(Node::Value(Value::unknown(reason)));
                }
                let node = self.take_step(expr, work);
                work.leave();
                node
            }
            _ => Ok(Node::Value(self.eval(expr, work)?)),
        }
    }

    fn take_step(&self, expr: &Expr, work: &mut Work) -> Result<Node<'t>, Reason> {
        match &expr.kind {
            ExprKind::Get(inner, name) => {
                let node = self.node(inner, work)?;
                self.get(node, name, work)
            }
            ExprKind::Index(inner, key) => {
                let node = self.node(inner, work)?;
                let key = self.eval(key, work)?;
                self.index(node, &key, work)
            }
            ExprKind::Splat(inner, body) => {
                let node = self.node(inner, work)?;
                Ok(Node::Value(self.splat(&node, body, work)?))
            }
            _ => Ok(Node::Value(Value::unknown("it is no reference"))),
        }
    }

    fn bound(&self, name: &str) -> Option<Node<'t>> {
        let mut scope = self.scope;
        while let Some(inner) = scope {
            if let Some((_, node)) = inner.names.iter().find(|(bound, _)| *bound == name) {
                return Some(node.clone());
            }
            scope = inner.outer;
        }
        None
    }

    fn name(&self, name: &str) -> Node<'t> {
        if let Some(node) = self.bound(name) {
            return node;
        }
        if self.closed {
            return Node::Value(Value::unknown(format!("`{name}` is not given to the template")));
        }
        if let Some(node) = self.terragrunt_name(name) {
            return node;
        }
        match name {
            "var" => Node::Variables,
            "local" => Node::Locals,
            "each" => Node::Each,
            "count" => Node::Count,
            "path" => Node::Path,
            "terraform" | "tofu" => Node::Terraform,
            "module" => Node::Modules,
            "data" => Node::Mode(Mode::Data),
            "ephemeral" => Node::Mode(Mode::Ephemeral),
            "self" => match self.this {
                Some((resource, at)) => Node::One(self.at.clone(), resource, at),
                None => Node::Value(Value::unknown("`self` is known only in a resource")),
            },
            ty => Node::Type(Mode::Managed, ty.into()),
        }
    }

    /// `node.name`
    pub(super) fn get(&self, node: Node<'t>, name: &str, work: &mut Work) -> Result<Node<'t>, Reason> {
        Ok(match node {
            Node::Value(value) => Node::Value(member(&value, name)?),
            Node::Variables => Node::Value(match self.at.module.variable(name) {
                Some(index) => self.variable(index, work),
                None => Value::unknown(format!("var.{name} is not declared")),
            }),
            Node::Locals => Node::Value(match self.at.module.local(name) {
                Some(index) => self.local(index, work),
                None => Value::unknown(format!("local.{name} is not declared")),
            }),
            Node::Includes => self.included(name, work),
            Node::Features => Node::Value(self.feature(name, work)),
            Node::Configuration(at) => Node::Value(self.configuration(&at, name, work)),
            Node::Each => Node::Value(self.repeated(name)),
            Node::Count => Node::Value(match self.repeat {
                Repeat::Count(index) => index.clone(),
                _ => Value::unknown("count.index is known only with `count`"),
            }),
            Node::Path => Node::Value(self.path(name)),
            Node::Terraform => Node::Value(match name {
                "workspace" => self.workspace(),
                _ => Value::unknown(format!("terraform.{name} is not known")),
            }),
            Node::Modules => match self.at.module.call(name) {
                Some(call) => Node::Call(self.at.clone(), call),
                None => Node::Value(Value::unknown(format!("module.{name} is not declared"))),
            },
            Node::Call(at, call) => self.of_call(&at, call, &Key::Name(name.into()), Some(name), work)?,
            Node::Module(at) => Node::Value(match at.module.output(name) {
                Some(output) => Env { at: &at, ..*self }.output(output, work),
                None => Value::unknown(format!("{} has no output `{name}`", at.address)),
            }),
            Node::Mode(mode) => Node::Type(mode, name.into()),
            Node::Type(mode, ty) => match self.at.module.resource(mode, &ty, name) {
                Some(resource) => Node::Resource(self.at.clone(), resource),
                None => Node::Value(Value::unknown(format!("{ty}.{name} is not declared in this module"))),
            },
            Node::Resource(at, resource) => {
                let env = Env { at: &at, ..*self };
                let slots = self.slots_of(&at, resource, work);
                match slots.iter().position(|slot| slot.slot.key == Key::Name(name.into())) {
                    Some(position) => Node::One(at.clone(), resource, position),
                    None if slots.is_empty() => return Err("it is made zero times".into()),
                    None if slots.iter().any(|slot| matches!(slot.slot.key, Key::Name(_))) => {
                        Node::Value(uncertain_key(slots.iter().map(|slot| &slot.slot.key), name)?)
                    }
                    // One that is not repeated; up to 0.11 also the first of several.
                    None => Node::Value(env.kept(resource, env.attribute(resource, 0, name, work))),
                }
            }
            Node::One(at, resource, position) => {
                let env = Env { at: &at, ..*self };
                Node::Value(env.kept(resource, env.attribute(resource, position, name, work)))
            }
        })
    }

    fn repeated(&self, name: &str) -> Value {
        match (self.repeat, name) {
            (Repeat::Each(key, _), "key") => key.clone(),
            (Repeat::Each(_, value), "value") => value.clone(),
            _ => Value::unknown(format!("each.{name} is known only with `for_each`")),
        }
    }

    /// `path.module` and `path.root`, relative to the folder where Terraform runs, as Terraform gives them.
    fn path(&self, name: &str) -> Value {
        match name {
            "module" => Value::known(&*relative(&self.at.root, &self.at.module.folder)),
            "root" => Value::known("."),
            _ => Value::unknown(format!("path.{name} depends on where the repository lies")),
        }
    }

    /// `terraform.workspace`: the one that a `cloud` block names, or those that the runs of the root choose.
    fn workspace(&self) -> Value {
        let chosen = || Value::unknown("terraform.workspace is chosen when Terraform runs");
        let root = self.ground.module(&self.at.root);
        let cloud = root.and_then(|root| root.setting_blocks("cloud").last());
        let named = cloud.and_then(|(file, block)| {
            let name = block.body.blocks_of("workspaces").next()?.body.attribute("name")?;
            Some(Value::known(constant(&name.value)?).at(Loc { file, span: name.value.span }))
        });
        if let Some(named) = named {
            return named;
        }
        let runs = self.ground.options.runs.get(&*self.at.root).map_or(&[][..], Vec::as_slice);
        let values = runs.iter().filter_map(|run| run.workspace.as_ref()).map(|given| given.0.clone());
        let reason = "terraform.workspace depends on the run of Terraform".into();
        values
            .reduce(|all, next| either(&all, &next, &reason))
            .filter(|value| value.reason().is_none() || matches!(value.kind, Kind::OneOf(_)))
            .unwrap_or_else(chosen)
    }

    /// Whether what asks is itself looked at only because a switch may be set.
    fn is_assumed(&self, work: &mut Work) -> bool {
        self.at.assumed
            || self.this.is_some_and(|(resource, position)| {
                self.slots(resource, work).get(position).is_some_and(|slot| slot.slot.assumed)
            })
    }

    /// The instances of a resource that others see.
    fn slots_of(&self, at: &Arc<Instance<'t>>, resource: usize, work: &mut Work) -> Arc<[ResourceSlot]> {
        let slots = Env { at, ..*self }.slots(resource, work);
        let assumed = slots.first().is_some_and(|slot| slot.slot.assumed);
        if assumed && !self.is_assumed(work) { Arc::default() } else { slots }
    }

    /// The instances of a module call that others see.
    fn children_of(&self, at: &Arc<Instance<'t>>, call: usize, work: &mut Work) -> Arc<[Arc<Instance<'t>>]> {
        let children = Env { at, ..*self }.children(call, work);
        let assumed = children.first().is_some_and(|child| child.assumed && !at.assumed);
        if assumed && !self.is_assumed(work) { Arc::default() } else { children }
    }

    fn of_call(
        &self,
        at: &Arc<Instance<'t>>,
        call: usize,
        key: &Key,
        output: Option<&str>,
        work: &mut Work,
    ) -> Result<Node<'t>, Reason> {
        let Some(declared) = at.module.calls.get(call) else { return Ok(Node::Value(Value::absent())) };
        let children = self.children_of(at, call, work);
        if children.is_empty() {
            let source = declared.source.unwrap_or("elsewhere");
            if at.target(self.ground, declared).is_none() {
                let reason = format!("module.{} comes from {source}, which is not in this repository", declared.name);
                return Ok(Node::Value(Value::unknown(reason)));
            }
            return Err(format!("module.{} is called zero times", declared.name).into());
        }
        if let Some(child) = children.iter().find(|child| child.key == *key) {
            return Ok(Node::Module(child.clone()));
        }
        match (children.first(), output) {
            (Some(child), Some(output)) if child.key == Key::Single => {
                self.get(Node::Module(child.clone()), output, work)
            }
            (Some(child), None) if child.key == Key::Single => Err("it is not repeated".into()),
            _ => {
                let key = key.value().and_then(|key| key.scalar()).unwrap_or_default();
                Ok(Node::Value(uncertain_key(children.iter().map(|child| &child.key), &key)?))
            }
        }
    }

    /// `node[key]`
    fn index(&self, node: Node<'t>, key: &Value, work: &mut Work) -> Result<Node<'t>, Reason> {
        let wanted = match key.data() {
            Some(Data::Number(number)) => types::index(*number).map(Key::Index),
            Some(Data::Str(text)) => Some(Key::Name(text.clone())),
            _ => None,
        };
        match node {
            Node::Resource(at, resource) => {
                let Some(wanted) = wanted else { return Ok(Node::Value(several(key))) };
                let slots = self.slots_of(&at, resource, work);
                match slots.iter().position(|slot| slot.slot.key == wanted) {
                    Some(position) => Ok(Node::One(at, resource, position)),
                    None if slots.first().is_some_and(|slot| slot.slot.key == Key::Single) => {
                        Err("it is not repeated".into())
                    }
                    None => {
                        let name = key.scalar().unwrap_or_default();
                        Ok(Node::Value(uncertain_key(slots.iter().map(|slot| &slot.slot.key), &name)?))
                    }
                }
            }
            Node::Call(at, call) => match wanted {
                Some(wanted) => self.of_call(&at, call, &wanted, None, work),
                None => Ok(Node::Value(several(key))),
            },
            Node::Value(value) => Ok(Node::Value(item(&value, key)?)),
            node => match key.as_str() {
                Some(name) => self.get(node, name, work),
                None => Ok(Node::Value(several(key))),
            },
        }
    }

    fn splat(&self, node: &Node<'t>, body: &Expr, work: &mut Work) -> Outcome {
        // A single value is a list of one, null is an empty list.
        if let Node::Value(value) = node {
            match &value.kind {
                Kind::Known(Data::Null) => return Ok(Value::list(Vec::new())),
                Kind::Known(Data::List(_)) => {}
                Kind::Known(_) | Kind::Text(_) => {
                    return Ok(Value::list(vec![self.splat_one(node.clone(), body, work)?]));
                }
                _ => return Ok(several(value)),
            }
        }
        let (members, open) = match self.members(node, work)? {
            Ok(members) => members,
            Err(reason) => return Ok(Value::unknown(reason)),
        };
        let items: Result<Vec<Value>, Reason> =
            members.into_iter().map(|(_, node)| self.splat_one(node, body, work)).collect();
        let shape = match node {
            Node::Value(Value { kind: Kind::Known(Data::List(list)), .. }) if list.shape == Shape::Set => {
                Shape::Uniform
            }
            Node::Value(Value { kind: Kind::Known(Data::List(list)), .. }) => list.shape,
            _ => Shape::Loose,
        };
        Ok(Value::known(Data::List(Arc::new(List { items: items?, open, shape }))))
    }

    fn splat_one(&self, node: Node<'t>, body: &Expr, work: &mut Work) -> Outcome {
        let names = [("*", node)];
        let scope = Scope { names: &names, outer: self.scope };
        Env { scope: Some(&scope), ..*self }.eval(body, work)
    }

    /// What a `for` walks: members in order, and why there may be more; the inner error says why it is unknown.
    pub(super) fn members(&self, node: &Node<'t>, work: &mut Work) -> Result<Members<'t>, Reason> {
        Ok(match node {
            Node::Resource(at, resource) => {
                let slots = self.slots_of(at, *resource, work);
                let keys = slots.iter().map(|slot| &slot.slot.key).enumerate();
                Ok(walked(keys, |position| Node::One(at.clone(), *resource, position)))
            }
            Node::Call(at, call) => {
                let children = self.children_of(at, *call, work);
                if children.is_empty() {
                    return Ok(match self.of_call(at, *call, &Key::Single, None, work) {
                        Ok(Node::Value(value)) => Err(several(&value).reason().unwrap_or_default()),
                        _ => Ok((Vec::new(), None)),
                    });
                }
                let keys = children.iter().map(|child| &child.key).enumerate();
                Ok(walked(keys, |position| match children.get(position) {
                    Some(child) => Node::Module(child.clone()),
                    None => Node::Value(Value::absent()),
                }))
            }
            node => {
                let value = self.settle(node.clone(), work);
                match &value.kind {
                    Kind::Known(data) => {
                        let (members, open) = value_members(data).ok_or("it is no collection")?;
                        Ok((members.into_iter().map(|(key, value)| (key, Node::Value(value))).collect(), open))
                    }
                    _ => Err(several(&value).reason().unwrap_or_default()),
                }
            }
        })
    }

    /// The whole value of what a reference has reached.
    pub(super) fn settle(&self, node: Node<'t>, work: &mut Work) -> Value {
        match node {
            Node::Value(value) => value,
            Node::Module(at) => {
                let mut built = Building::default();
                for (index, output) in at.module.outputs.iter().enumerate() {
                    built.put(output.label(0).into(), Env { at: &at, ..*self }.output(index, work));
                }
                built.finish()
            }
            Node::One(at, resource, position) => Env { at: &at, ..*self }.whole(resource, position, work),
            node @ (Node::Resource(..) | Node::Call(..)) => self.settle_all(&node, work),
            Node::Type(mode, ty) => {
                let prefix = if mode == Mode::Managed { "" } else { "data." };
                Value::unknown(format!("`{prefix}{ty}` names nothing that is declared"))
            }
            _ => Value::unknown("it is a whole namespace"),
        }
    }

    fn settle_all(&self, node: &Node<'t>, work: &mut Work) -> Value {
        let (members, open) = match self.members(node, work) {
            Ok(Ok(members)) => members,
            Ok(Err(reason)) | Err(reason) => return Value::unknown(reason),
        };
        let single = members.first().is_some_and(|(key, _)| key.is_absent());
        let by_name = members.iter().any(|(key, _)| key.as_str().is_some());
        let mut values: Vec<(Value, Value)> =
            members.into_iter().map(|(key, node)| (key, self.settle(node, work))).collect();
        if single {
            return values.pop().map(|(_, value)| value).unwrap_or_default();
        }
        if by_name {
            let mut built = Building::default();
            for (key, value) in values {
                match key.scalar() {
                    Some(name) => built.put(name, value),
                    None => built.open(several(&key).reason().unwrap_or_default()),
                }
            }
            return built.finish();
        }
        let items = values.into_iter().map(|(_, value)| value).collect();
        Value::known(Data::List(Arc::new(List { items, open, ..List::default() })))
    }

    /// All that is known of a resource instance.
    fn whole(&self, resource: usize, position: usize, work: &mut Work) -> Value {
        let Some(declared) = self.at.module.resources.get(resource) else { return Value::absent() };
        let mut built = Building::default();
        for (index, (_, attribute)) in declared.decl.attributes.iter().enumerate() {
            if !matches!(&*attribute.name, "count" | "for_each" | "provider" | "depends_on") {
                let value = self.resource_arg(resource, position, index, work);
                if !value.is_absent() {
                    built.put((&*attribute.name).into(), value);
                }
            }
        }
        built.open(format!("only known after apply: {}", bare_address(declared)).into());
        self.kept(resource, built.finish())
    }

    /// `aws_x.y.name`: what is given for it, else unknown until apply.
    fn attribute(&self, resource: usize, position: usize, name: &str, work: &mut Work) -> Value {
        let Some(declared) = self.at.module.resources.get(resource) else { return Value::absent() };
        let address = bare_address(declared);
        let given = declared.decl.attributes.iter().position(|(_, attribute)| &*attribute.name == name);
        if let Some(index) = given {
            let value = self.resource_arg(resource, position, index, work);
            if !value.is_absent() {
                let loc = declared
                    .decl
                    .attributes
                    .get(index)
                    .map(|(file, attribute)| Loc { file: *file, span: attribute.name_span });
                let value = unsure(value);
                return match loc {
                    Some(loc) => value.step(format!("`{name}` of {address}"), loc),
                    None => value,
                };
            }
        }
        if let Some(rendered) = self.computed(resource, position, name, work) {
            return rendered;
        }
        let slots = self.slots(resource, work);
        let blocks: Vec<Value> = declared
            .decl
            .blocks
            .iter()
            .filter(|(_, block)| &*block.kind == name)
            .map(|(file, block)| {
                let repeat = slots.get(position).map_or(&Repeat::Single, |slot| &slot.slot.repeat);
                self.block_value(*file, block, repeat, &address, work)
            })
            .collect();
        if !blocks.is_empty() {
            return Value::list(blocks);
        }
        Value::unknown(match declared.mode {
            Mode::Managed => {
                let key = slots.get(position).map(|slot| slot.slot.key.suffix()).unwrap_or_default();
                let dot = if self.at.address.is_empty() { "" } else { "." };
                format!("only known after apply: {}{dot}{address}{key}.{name}", self.at.address)
            }
            Mode::Data if declared.ty == "terraform_remote_state" => format!("{address} is read from another state"),
            _ => format!("read from the provider when Terraform plans: {address}.{name}"),
        })
    }

    /// What some types compute out of their arguments alone.
    fn computed(&self, resource: usize, position: usize, name: &str, work: &mut Work) -> Option<Value> {
        let declared = self.at.module.resources.get(resource)?;
        let arg = |name: &str, work: &mut Work| {
            let index = declared.decl.attributes.iter().position(|(_, attribute)| &*attribute.name == name)?;
            Some(self.resource_arg(resource, position, index, work))
        };
        match (declared.ty, name) {
            ("template_file", "rendered") => {
                let template = arg("template", work)?;
                let vars = arg("vars", work).unwrap_or_else(|| Value::map(Vec::new()));
                Some(self.template_text(&template, &vars, work).unwrap_or_else(Value::unknown))
            }
            ("terraform_data", "output") => arg("input", work),
            _ => None,
        }
    }

    fn block_value(&self, file: FileId, block: &Block, repeat: &Repeat, address: &str, work: &mut Work) -> Value {
        let env = Env { file, repeat, scope: None, this: None, ..*self };
        let mut built = Building::default();
        for attribute in &block.body.attributes {
            built.put((&*attribute.name).into(), env.value(&attribute.value, work));
        }
        built.open(format!("only known after apply: {address}").into());
        built.finish()
    }
}

/// A collection given to a provider, which makes a list, a set or a map of it.
fn unsure(mut value: Value) -> Value {
    match &mut value.kind {
        Kind::Known(Data::List(list)) => Arc::make_mut(list).shape = Shape::Unsure,
        Kind::Known(Data::Map(map)) => Arc::make_mut(map).shape = Shape::Unsure,
        _ => {}
    }
    value
}

fn walked<'a, 't>(
    keys: impl Iterator<Item = (usize, &'a Key)>,
    node: impl Fn(usize) -> Node<'t>,
) -> (Vec<(Value, Node<'t>)>, Option<Reason>) {
    let mut members = Vec::new();
    let mut open = None;
    for (position, key) in keys {
        match key {
            Key::Unknown(reason) => open = Some(reason.clone()),
            key => members.push((key.value().unwrap_or_default(), node(position))),
        }
    }
    (members, open)
}

/// A key that is not among the known ones.
fn uncertain_key<'a>(keys: impl Iterator<Item = &'a Key>, name: &str) -> Outcome {
    for key in keys {
        if let Key::Unknown(reason) = key {
            return Ok(Value::unknown(reason.clone()));
        }
    }
    Err(format!("there is no instance `{name}`").into())
}

/// From one folder to another, as a relative path.
pub(super) fn relative(from: &str, to: &str) -> String {
    if from == to {
        return ".".to_owned();
    }
    let split = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (split(from), split(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - common);
    up.chain(to.iter().skip(common).map(String::as_str)).collect::<Vec<_>>().join("/")
}

/// The value keeps its own origin, and is said to have come the container's way.
pub(super) fn out_of(container: &Value, mut value: Value) -> Value {
    if let Some(way) = &container.via {
        let mut via: Vec<_> = way.to_vec();
        via.extend(value.via.iter().flat_map(|own| own.iter().cloned()));
        via.truncate(16);
        value.via = Some(via.into());
    }
    value
}

/// `value.name`
pub(super) fn member(value: &Value, name: &str) -> Outcome {
    let found = lift(value, |data| match data {
        Data::Map(map) => match (map.get(name), &map.open) {
            (Some(member), _) => Ok(member.clone()),
            (None, Some(reason)) => Ok(Value::unknown(reason.clone())),
            (None, None) => Err(format!("there is no member `{name}`").into()),
        },
        // `list.0` is an old way to write `list[0]`.
        Data::List(_) => match name.parse::<u32>() {
            Ok(index) => item(value, &Value::known(f64::from(index))),
            Err(_) => Err(format!("a list has no member `{name}`").into()),
        },
        _ => Err(format!("it has no member `{name}`").into()),
    })?;
    Ok(out_of(value, found))
}

/// A member under a key that is not known: one of all that there are.
pub(super) fn any_member(value: &Value, key: &Value, otherwise: Option<&Value>) -> Value {
    let reason = several(key).reason().unwrap_or_default();
    let members: Vec<&Value> = match &value.kind {
        Kind::Known(Data::Map(map)) if map.open.is_none() => map.entries.iter().map(|(_, value)| value).collect(),
        Kind::Known(Data::List(list)) if list.open.is_none() => list.items.iter().collect(),
        _ => Vec::new(),
    };
    let mut possible = members.into_iter().chain(otherwise);
    let Some(first) = possible.next() else { return Value::unknown(reason) };
    possible
        .try_fold(first.clone(), |all, next| {
            let all = either(&all, next, &reason);
            (!matches!(all.kind, Kind::Unknown(_))).then_some(all)
        })
        .filter(|all| matches!(all.kind, Kind::Known(_) | Kind::OneOf(_)))
        .unwrap_or_else(|| Value::unknown(reason.clone()))
}

/// `value[key]`
pub(super) fn item(value: &Value, key: &Value) -> Outcome {
    let Some(key_data) = key.data() else {
        return match (&value.kind, &key.kind) {
            (Kind::Known(Data::Null), _) => Err("it is null".into()),
            (_, Kind::Known(Data::Null) | Kind::Absent) => Err("the key is null".into()),
            _ => Ok(any_member(value, key, None)),
        };
    };
    let found = lift(value, |data| match data {
        Data::List(list) if list.shape == Shape::Set => Err("a set has no positions".into()),
        Data::List(list) => {
            let index = ops::numeric(key_data).ok().and_then(types::index);
            match (&list.open, index.and_then(|index| list.items.get(index))) {
                (Some(reason), _) => Ok(Value::unknown(reason.clone())),
                (None, Some(item)) => Ok(item.clone()),
                (None, None) => Err("the list has no such index".into()),
            }
        }
        Data::Map(map) => {
            let name = match key_text(key)? {
                Ok(name) => name,
                Err(reason) => return Ok(Value::unknown(reason)),
            };
            match (map.get(&name), &map.open) {
                (Some(member), _) => Ok(member.clone()),
                (None, Some(reason)) => Ok(Value::unknown(reason.clone())),
                (None, None) => Err(format!("the map has no key `{name}`").into()),
            }
        }
        _ => Err("it is no collection".into()),
    })?;
    Ok(out_of(value, found))
}
