//! What the declarations of data take from machines: names, places, triggers.

use super::Estate;
use super::wiring::{lifecycle, sources, traversal, walk};
use crate::knowledge::compute::compute_type;
use crate::knowledge::terraform::{DataClass, data_type};
use crate::model::terraform::{Mode, Module, ResourceDecl};
use crate::syntax::hcl::{Attribute, Expr};
use crate::text::{FileId, Loc};

/// An argument of a store of data that follows a machine, or a trigger that replaces the store.
pub struct Tie<'m> {
    /// The store, `type.name`.
    pub data: String,
    /// What losing the store loses.
    pub class: DataClass,
    /// The argument.
    pub argument: &'m str,
    /// The machine's attribute, as written (`aws_instance.db.id`).
    pub source: String,
    /// Whether that is a machine; else something else triggers.
    pub machine: bool,
    /// Whether the value is only known once the machine is made: its declaration does not say it.
    pub computed: bool,
    /// Whether a change of the argument replaces the store.
    pub replaces: bool,
    /// Where it stands.
    pub loc: Loc,
    /// Where the store is declared.
    pub declared: Loc,
}

/// Arguments that say which store it is, or where it lies.
const PLACES: [&str; 12] = [
    "name",
    "bucket",
    "identifier",
    "cluster_identifier",
    "path",
    "availability_zone",
    "zone",
    "location",
    "label",
    "volume_name",
    "share_name",
    "dataset",
];

/// Attributes of machines that are the same for the next machine.
const STABLE: [&str; 9] = [
    "tags",
    "labels",
    "region",
    "location",
    "project",
    "vpc_id",
    "subnet_id",
    "resource_group_name",
    "security_groups",
];

/// Every argument of a store of data whose value comes from a machine.
#[must_use]
pub fn ties<'m>(estate: &'m Estate<'m>) -> Vec<Tie<'m>> {
    let mut found = Vec::new();
    for module in estate.terraform.modules() {
        let module: &'m Module<'m> = module;
        for decl in module.resources.iter().filter(|decl| decl.mode == Mode::Managed) {
            let Some(ty) = data_type(decl.ty) else { continue };
            let replaces = |attribute: &Attribute| ty.replace_on.iter().any(|name| **name == *attribute.name);
            let own = decl.decl.attributes.iter().map(|(file, attribute)| (*file, *attribute, replaces(attribute)));
            let mut arguments: Vec<(FileId, &'m Attribute, bool)> =
                own.filter(|(_, attribute, replaces)| *replaces || PLACES.contains(&&*attribute.name)).collect();
            arguments.extend(lifecycle(decl, "replace_triggered_by").map(|(file, attribute)| (file, attribute, true)));
            for (file, attribute, replaces) in arguments {
                let trigger = &*attribute.name == "replace_triggered_by";
                let machines = machines_in(module, Some(decl), file, &attribute.value);
                let others = if trigger && machines.is_empty() { triggers(&attribute.value) } else { Vec::new() };
                let others = others.into_iter().map(|source| (source, true, false));
                for (source, computed, machine) in machines.into_iter().map(|(a, b)| (a, b, true)).chain(others) {
                    found.push(Tie {
                        data: format!("{}.{}", decl.ty, decl.name),
                        class: ty.data,
                        argument: &attribute.name,
                        source,
                        machine,
                        computed,
                        replaces,
                        loc: Loc { file, span: attribute.name_span.to(attribute.value.span) },
                        declared: decl.decl.loc(),
                    });
                }
            }
        }
    }
    found
}

/// The machines whose attributes an expression takes, as written, each once; whether the attribute is only known afterwards.
/// What a store that is repeated over machines takes from `each.value` is one of them, too.
fn machines_in<'m>(
    module: &'m Module<'m>,
    of: Option<&'m ResourceDecl<'m>>,
    file: FileId,
    expr: &'m Expr,
) -> Vec<(String, bool)> {
    let mut found: Vec<(String, bool)> = Vec::new();
    // The inner steps of a traversal are seen on their own, too: the longest speaks.
    let mut seen: Vec<String> = Vec::new();
    let repeated = || {
        let (file, attribute) = of?.decl.attribute("for_each")?;
        machines_in(module, None, file, &attribute.value).into_iter().next()
    };
    for (_, expr) in sources(module, file, expr) {
        walk(expr, 0, &mut |inner| {
            let Some(names) = traversal(inner) else { return };
            let [ty, name, rest @ ..] = names.as_slice() else { return };
            let address = names.join(".");
            if seen.iter().any(|longer| longer.starts_with(&address)) {
                return;
            }
            seen.push(address.clone());
            let stable = rest.first().is_some_and(|attribute| STABLE.contains(attribute));
            if is_machine(ty) && !stable {
                found.push((address, is_computed(module, ty, name, rest.first())));
            } else if (*ty, *name) == ("each", "value") && !stable {
                found.extend(repeated().map(|(machine, _)| (format!("{address} ({machine})"), true)));
            }
        });
    }
    found
}

fn is_machine(ty: &str) -> bool {
    compute_type(ty).is_some_and(|row| matches!(row.kind.as_str(), "vm" | "lxc" | "container" | "bare"))
}

/// Whether the machine's declaration leaves an attribute to the provider.
fn is_computed(module: &Module<'_>, ty: &str, name: &str, attribute: Option<&&str>) -> bool {
    let decl = module.resource(Mode::Managed, ty, name).and_then(|at| module.resources.get(at));
    match (decl, attribute) {
        (Some(decl), Some(attribute)) => decl.decl.attribute(attribute).is_none(),
        _ => true,
    }
}

/// What else than machines a trigger names; that one store follows another is as it should be.
fn triggers(expr: &Expr) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    walk(expr, 0, &mut |inner| {
        let Some(names) = traversal(inner) else { return };
        let [ty, _, ..] = names.as_slice() else { return };
        let address = names.join(".");
        if data_type(ty).is_none() && !found.iter().any(|longer| longer.starts_with(&address)) {
            found.push(address);
        }
    });
    found
}
