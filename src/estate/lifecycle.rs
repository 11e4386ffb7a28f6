//! What the life of data hangs on: switches, the list of machines, values that change by themselves.

use super::Estate;
use super::upkeep;
use super::wiring::{ignores, lifecycle, sources, traversal, walk};
use crate::knowledge::compute::compute_type;
use crate::knowledge::terraform::{DataClass, data_type};
use crate::model::terraform::{Declaration, Declared, Instance, Mode, Module, Resource, ResourceDecl, Role};
use crate::syntax::hcl::{Attribute, Block, Expr, ExprKind};
use crate::text::{FileId, Loc};
use crate::value::{Tri, Value};
use std::collections::HashSet;
use std::sync::Arc;

/// A variable that decides whether a store of data exists, or whether it may be destroyed.
pub struct Switch<'m> {
    /// The store.
    pub store: &'m ResourceDecl<'m>,
    /// What losing the store loses.
    pub class: DataClass,
    /// `count`, `for_each` or `prevent_destroy`.
    pub argument: &'static str,
    /// The variable.
    pub variable: String,
    /// The variable's name speaks of deleting.
    pub deletes: bool,
    /// What is committed makes none of it, while the default makes some.
    pub off: bool,
    /// Whether Terraform or the service refuses to delete it.
    pub guarded: Tri,
    /// Where the argument stands.
    pub loc: Loc,
}

/// A store of data that goes with a machine of a list.
pub struct NodeStore<'m> {
    /// The store.
    pub store: Resource<'m, 'm>,
    /// Whether Terraform or the service refuses to delete it.
    pub guarded: Tri,
    /// The machine.
    pub machine: Loc,
    /// What the list is, as written (`var.nodes`).
    pub list: String,
    /// The module call or resource that is repeated over it.
    pub loc: Loc,
}

/// An argument that replaces data and whose value changes without any change here.
pub struct Moving<'m> {
    /// The store, or the machine with data.
    pub resource: Resource<'m, 'm>,
    /// What goes with it: the kind of the store, or the services and paths of the machine.
    pub holds: Vec<String>,
    /// The argument.
    pub argument: String,
    /// What its value comes from (`data.aws_ami.base`).
    pub source: String,
    /// Whether Terraform or the service refuses to delete it.
    pub guarded: Tri,
    /// Where it stands.
    pub loc: Loc,
}

/// Words of variables that are there to delete.
const DELETING: [&str; 9] =
    ["delete", "destroy", "decommission", "teardown", "wipe", "purge", "remove", "reset", "recreate"];

/// Every switch of a store of data, once for each declaration.
#[must_use]
pub fn switches<'m>(estate: &'m Estate<'m>) -> Vec<Switch<'m>> {
    let mut seen: HashSet<Loc> = HashSet::new();
    let mut found = Vec::new();
    // What runs has its values from files: a module that nothing calls is seen last.
    let (roots, rest): (Vec<_>, Vec<_>) =
        estate.terraform.instances.iter().partition(|instance| instance.role == Role::Root);
    for instance in roots.into_iter().chain(rest) {
        for decl in instance.module.resources.iter().filter(|decl| decl.mode == Mode::Managed) {
            let Some(ty) = data_type(decl.ty) else { continue };
            if matches!(ty.data, DataClass::Authoritative | DataClass::Secret) && seen.insert(decl.decl.loc()) {
                found.extend(switches_of(estate, instance, decl, ty.data));
            }
        }
        found.extend(switched_calls(estate, instance).into_iter().filter(|switch| seen.insert(switch.loc)));
    }
    found
}

fn switches_of<'m>(
    estate: &'m Estate<'m>,
    instance: &'m Arc<Instance<'m>>,
    decl: &'m ResourceDecl<'m>,
    class: DataClass,
) -> Vec<Switch<'m>> {
    let resources = estate.terraform.resource(instance, Mode::Managed, decl.ty, decl.name);
    let guarded = resources.first().map_or_else(|| written_guard(decl), |resource| estate.guarded(resource));
    let mut found = repeated(estate, instance, &decl.decl, (decl, class, &guarded));
    let prevents = lifecycle(decl, "prevent_destroy").and_then(|(file, attribute)| {
        let names = variables(&instance.module, file, &attribute.value);
        switch(estate, instance, ("prevent_destroy", file, attribute, names), (decl, class, &guarded))
    });
    found.extend(prevents);
    found
}

/// The switches of a module with a store in it, where a call is made or not by them.
fn switched_calls<'m>(estate: &'m Estate<'m>, instance: &'m Arc<Instance<'m>>) -> Vec<Switch<'m>> {
    let mut found = Vec::new();
    for call in estate.terraform.calls_of(instance) {
        let decl: &'m Declared<'m> = &call.call.decl;
        let Some(target) = call.target().filter(|_| list_of(estate, decl).is_none()) else { continue };
        let store = target.resources.iter().filter(|decl| decl.mode == Mode::Managed).find_map(|decl| {
            let data = data_type(decl.ty)?.data;
            matches!(data, DataClass::Authoritative | DataClass::Secret).then_some((decl, data))
        });
        let Some((store, class)) = store else { continue };
        found.extend(repeated(estate, instance, decl, (store, class, &written_guard(store))));
    }
    found
}

type Store<'m, 's> = (&'m ResourceDecl<'m>, DataClass, &'s Tri);

/// The switches in `count` and `for_each` of a declaration.
fn repeated<'m>(
    estate: &'m Estate<'m>,
    instance: &'m Arc<Instance<'m>>,
    declared: &'m Declared<'m>,
    store: Store<'m, '_>,
) -> Vec<Switch<'m>> {
    let each = ["count", "for_each"].into_iter().filter_map(|name| {
        let (file, attribute) = declared.attribute(name)?;
        let names = variables(&instance.module, file, condition(&attribute.value)?);
        switch(estate, instance, (name, file, attribute, names), store)
    });
    each.collect()
}

fn switch<'m>(
    estate: &'m Estate<'m>,
    instance: &'m Arc<Instance<'m>>,
    (argument, file, attribute, names): (&'static str, FileId, &'m Attribute, Vec<String>),
    (store, class, guarded): Store<'m, '_>,
) -> Option<Switch<'m>> {
    let variable = names.first()?.clone();
    let none = is_none(&estate.terraform.evaluate(instance, file, &attribute.value));
    let by_default = names.iter().any(|name| on_by_default(instance, name));
    Some(Switch {
        store,
        class,
        argument,
        deletes: names.iter().any(|name| name.split('_').any(|word| DELETING.contains(&word))),
        off: argument != "prevent_destroy"
            && none
            && by_default
            && instance.role == Role::Root
            && !chosen(instance, &names),
        variable,
        guarded: guarded.clone(),
        loc: Loc { file, span: attribute.name_span.to(attribute.value.span) },
    })
}

/// What the block itself says of `prevent_destroy`, where no instance of it exists.
fn written_guard(decl: &ResourceDecl<'_>) -> Tri {
    let value = lifecycle(decl, "prevent_destroy").map(|(_, attribute)| &attribute.value.kind);
    matches!(value, Some(ExprKind::Bool(true))).into()
}

/// The condition of a `count` or `for_each` that makes either something or nothing.
fn condition(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Cond(sides) => sides.first(),
        ExprKind::For(of) => of.condition.as_ref(),
        ExprKind::Call { args, .. } => args.iter().find_map(|arg| match &arg.kind {
            ExprKind::For(_) | ExprKind::Cond(_) => condition(arg),
            _ => None,
        }),
        _ => None,
    }
}

/// The variables in an expression and in the locals that it names, each once.
fn variables<'m>(module: &'m Module<'m>, file: FileId, expr: &'m Expr) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (_, expr) in sources(module, file, expr) {
        walk(expr, 0, &mut |inner| {
            if let Some(["var", name]) = traversal(inner).as_deref()
                && !found.iter().any(|known| known == name)
            {
                found.push((*name).to_owned());
            }
        });
    }
    found
}

fn is_none(value: &Value) -> bool {
    value.as_number() == Some(0.0)
        || value.as_list().is_some_and(|list| list.items.is_empty() && list.open.is_none())
        || value.as_map().is_some_and(|map| map.entries.is_empty() && map.open.is_none())
}

fn on_by_default(instance: &Instance<'_>, name: &str) -> bool {
    let variable = instance.module.variable(name).and_then(|at| instance.module.variables.get(at));
    let default = variable.and_then(|declared| declared.attribute("default"));
    default.is_some_and(|(_, attribute)| matches!(attribute.value.kind, ExprKind::Bool(true)))
}

/// Whether the call of a module says in so many words that there is none: what an environment has, not what was switched off.
fn chosen(instance: &Instance<'_>, names: &[String]) -> bool {
    let Some((caller, call)) = instance.caller() else { return false };
    caller.module.calls.get(call).is_some_and(|call| {
        let mut given = names.iter().filter_map(|name| call.decl.attribute(name));
        given.any(|(_, attribute)| matches!(attribute.value.kind, ExprKind::Bool(false)))
    })
}

/// Every store of data that is made together with each machine of a list, once for each declaration.
#[must_use]
pub fn node_stores<'m>(estate: &'m Estate<'m>) -> Vec<NodeStore<'m>> {
    let mut seen: HashSet<(Loc, Loc)> = HashSet::new();
    let mut found = Vec::new();
    for instance in &estate.terraform.instances {
        let parts = parts(estate, instance);
        let (Some((machine, _)), false) = (parts.machines.first(), parts.stores.is_empty()) else { continue };
        let called = instance.caller().and_then(|(caller, call)| {
            let call = caller.module.calls.get(call)?;
            let list = list_of(estate, &call.decl)?;
            Some((call.decl.loc(), list))
        });
        for (store, own) in &parts.stores {
            let beside = parts.machines.iter().find(|(_, list)| own.is_some() && list == own);
            let (loc, list, machine) = match (&called, own, beside) {
                (Some((loc, list)), ..) => (*loc, list.clone(), *machine),
                (None, Some(list), Some((machine, _))) => (store.loc(), list.clone(), *machine),
                _ => continue,
            };
            if seen.insert((loc, store.decl.decl.loc())) {
                found.push(NodeStore { store: store.clone(), guarded: estate.guarded(store), machine, list, loc });
            }
        }
    }
    found
}

/// The machines and the stores of one module instance, each with the list that it is repeated over.
#[derive(Default)]
struct Parts<'m> {
    machines: Vec<(Loc, Option<String>)>,
    stores: Vec<(Resource<'m, 'm>, Option<String>)>,
}

fn parts<'m>(estate: &'m Estate<'m>, instance: &'m Arc<Instance<'m>>) -> Parts<'m> {
    let mut parts = Parts::default();
    let wanted = |decl: &ResourceDecl<'_>| is_machine(decl.ty) || is_store(decl.ty);
    if !instance.module.resources.iter().any(wanted) {
        return parts;
    }
    let mut seen: HashSet<Loc> = HashSet::new();
    for resource in estate.terraform.resources_of(instance).filter(|it| it.decl.mode == Mode::Managed) {
        if !wanted(resource.decl) || !seen.insert(resource.decl.decl.loc()) || is_of_image(&resource) {
            continue;
        }
        let list = list_of(estate, &resource.decl.decl);
        if is_machine(resource.ty()) {
            parts.machines.push((resource.loc(), list));
        } else {
            parts.stores.push((resource, list));
        }
    }
    parts
}

fn is_machine(ty: &str) -> bool {
    compute_type(ty).is_some_and(|row| matches!(row.kind.as_str(), "vm" | "lxc" | "bare"))
}

/// Whether a type is a disk or volume: what is made for a machine. A bucket or database in the same module has users of its own.
fn is_store(ty: &str) -> bool {
    data_type(ty).is_some_and(|row| {
        row.data == DataClass::Authoritative && (row.kind.contains("volume") || row.kind.contains("disk"))
    })
}

/// Whether it is a disk that a machine starts from, which is made anew from its image.
fn is_of_image(resource: &Resource<'_, '_>) -> bool {
    data_type(resource.ty()).is_some_and(|row| row.is_of_image(|path| resource.arg(path)))
}

/// The list that a declaration is repeated over, as written; none for what a switch makes or not.
fn list_of(estate: &Estate<'_>, declared: &Declared<'_>) -> Option<String> {
    let (file, attribute) = declared.attribute("for_each").or_else(|| declared.attribute("count"))?;
    let mut given = &attribute.value;
    // `toset(var.on ? ["one"] : [])`
    while let ExprKind::Call { name, args, .. } = &given.kind {
        let ([inner], "toset" | "tolist" | "tomap" | "length") = (args.as_slice(), &**name) else { break };
        given = inner;
    }
    if matches!(given.kind, ExprKind::Cond(_) | ExprKind::Number(_)) {
        return None;
    }
    let text = estate.documents.tree.slice(Loc { file, span: attribute.value.span });
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Every argument that replaces data and takes its value from something that changes by itself, once for each declaration.
///
/// Functions such as `timestamp()` have rows of their own (`Impure`). A `random_*` keeps its result in the state until somebody
/// changes it, and another workspace is another state: neither changes by itself.
#[must_use]
pub fn moving<'m>(estate: &'m Estate<'m>) -> Vec<Moving<'m>> {
    let sources = moving_sources(estate);
    if sources.is_empty() {
        return Vec::new();
    }
    let mut seen: HashSet<Loc> = HashSet::new();
    let mut found = Vec::new();
    for resource in estate.terraform.resources() {
        let (machine, store) = (compute_type(resource.ty()), data_type(resource.ty()));
        let replace_on = match (machine, store) {
            (_, Some(store)) if matches!(store.data, DataClass::Authoritative | DataClass::Secret) => &store.replace_on,
            (Some(machine), _) => &machine.replace_on,
            _ => continue,
        };
        if !seen.insert(resource.decl.decl.loc()) {
            continue;
        }
        let Some((argument, loc, source)) = moved_by(estate, &resource, replace_on, &sources) else { continue };
        let holds = match store {
            Some(store) => vec![store.kind.clone()],
            None => held(estate, &resource),
        };
        let guarded = estate.guarded(&resource);
        if !holds.is_empty() {
            found.push(Moving { resource, holds, argument, source, guarded, loc });
        }
    }
    found
}

/// What a machine keeps on storage that goes with it.
fn held(estate: &Estate<'_>, resource: &Resource<'_, '_>) -> Vec<String> {
    let machines = estate.machines.iter().enumerate();
    let mut holds: Vec<String> = machines
        .filter(|(_, machine)| machine.resource.loc() == resource.loc())
        .flat_map(|(at, machine)| upkeep::holds(estate, at, machine))
        .collect();
    holds.dedup();
    holds
}

/// The first of the arguments whose value comes from such a source.
fn moved_by<'m>(
    estate: &'m Estate<'m>,
    resource: &Resource<'m, 'm>,
    replace_on: &[String],
    sources: &[(Declaration, String)],
) -> Option<(String, Loc, String)> {
    let mut tried: Vec<&str> = Vec::new();
    for argument in replace_on.iter().map(|path| path.split(['.', '[']).next().unwrap_or(path)) {
        if tried.contains(&argument) || ignores(resource.decl, argument) {
            continue;
        }
        tried.push(argument);
        // Of a block some arguments replace and others do not: only what is named alone is sure, and the image of a disk.
        let (shown, file, attribute) = match (resource.decl.decl.attribute(argument), argument) {
            (Some((file, attribute)), _) => (argument.to_owned(), file, attribute),
            (None, "boot_disk") => match boot_image(resource.decl) {
                Some((file, attribute)) => ("boot_disk.initialize_params.image".to_owned(), file, attribute),
                None => continue,
            },
            _ => continue,
        };
        let loc = Loc { file, span: attribute.name_span.to(attribute.value.span) };
        for declaration in estate.terraform.referred(resource, argument) {
            if let Some((_, source)) = sources.iter().find(|(known, _)| *known == declaration) {
                return Some((shown, loc, source.clone()));
            }
        }
    }
    None
}

/// The image that a boot disk is made from.
fn boot_image<'m>(decl: &'m ResourceDecl<'m>) -> Option<(FileId, &'m Attribute)> {
    let disks = decl.decl.blocks.iter().filter(|(_, block)| &*block.kind == "boot_disk");
    disks.into_iter().find_map(|(file, block)| {
        let block: &'m Block = block;
        block.body.blocks_of("initialize_params").find_map(|params| Some((*file, params.body.attribute("image")?)))
    })
}

/// The data sources that give another answer without any change here.
fn moving_sources(estate: &Estate<'_>) -> Vec<(Declaration, String)> {
    let mut found = Vec::new();
    for instance in &estate.terraform.instances {
        for data in estate.terraform.resources_of(instance).filter(|it| it.decl.mode == Mode::Data) {
            if is_moving(&data) {
                found.push((data.declaration(), format!("data.{}.{}", data.ty(), data.name())));
            }
        }
    }
    found
}

fn is_moving(data: &Resource<'_, '_>) -> bool {
    match data.ty() {
        "external" | "http" | "local_command" => true,
        // What the vendor names so is another image with each release.
        "aws_ssm_parameter" => data.arg("name").as_str().is_some_and(|name| {
            name.starts_with("/aws/service/")
                && ["latest", "recommended", "current"].iter().any(|word| name.contains(word))
        }),
        "google_compute_image" => data.arg("family").has().is_true() && data.arg("name").is_absent(),
        _ => data.arg("most_recent").as_bool() == Some(true) && !names_one(data),
    }
}

/// Whether a search is for one exact name, so that the newest of all matches is the only one.
fn names_one(data: &Resource<'_, '_>) -> bool {
    let exact = |value: &Value| value.scalar().is_some_and(|text| !text.contains(['*', '?']));
    if ["name", "db_snapshot_identifier", "image_id"].iter().any(|name| exact(&data.arg(name))) {
        return true;
    }
    let filters = data.blocks("filter");
    filters.iter().any(|filter| {
        let by_name = matches!(filter.arg("name").as_str(), Some("name" | "image-id" | "snapshot-id" | "volume-id"));
        let values = filter.arg("values");
        by_name && values.as_list().is_some_and(|list| list.items.len() == 1 && list.items.iter().all(exact))
    })
}
