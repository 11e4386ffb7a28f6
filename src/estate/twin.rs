//! Objects that two declarations name, where a name is given once in the world: buckets, records, what was imported twice.

use super::Estate;
use super::identity::Ownership;
use super::listing::environment;
use super::task::{is_test_path, runs_nowhere};
use super::wiring::traversal;
use crate::knowledge::names::{Named, of_module, of_type};
use crate::model::terraform::{BlockView, Instance, Resource, Role};
use crate::text::Loc;
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// More objects than these are not compared.
const MAX_OBJECTS: usize = 20_000;
/// The deepest chain of calls that is climbed.
const MAX_DEPTH: usize = 32;

/// A declaration of an object.
struct Claim {
    /// The object, for messages.
    object: String,
    /// Who declares it, for messages.
    owner: String,
    /// The folder that is applied.
    root: String,
    /// Whether this takes an object over that is there.
    import: bool,
    loc: Loc,
}

/// Objects of one name that two roots, or Terraform and a task, declare.
#[must_use]
pub(super) fn ownerships(estate: &Estate<'_>) -> Vec<Ownership> {
    let mut by_name: BTreeMap<String, Vec<Claim>> = BTreeMap::new();
    let declared = estate.terraform.resources().filter_map(|resource| of_resource(estate, &resource));
    for (key, claim) in declared.chain(imports(estate)).take(MAX_OBJECTS) {
        by_name.entry(key).or_default().push(claim);
    }
    let mut found = Vec::new();
    for claims in by_name.values() {
        found.extend(in_terraform(claims));
    }
    found.extend(in_tasks(estate, &by_name));
    found
}

/// The first claim of each further root stands against the very first.
fn in_terraform(claims: &[Claim]) -> Vec<Ownership> {
    let Some((first, rest)) = claims.split_first() else { return Vec::new() };
    let mut roots = vec![first.root.as_str()];
    let mut found = Vec::new();
    for claim in rest {
        if claim.loc == first.loc || roots.contains(&claim.root.as_str()) {
            continue;
        }
        roots.push(&claim.root);
        found.push(Ownership {
            object: claim.object.clone(),
            first: format!("Terraform in {} ({})", shown(&first.root), first.owner),
            second: format!("Terraform in {} ({})", shown(&claim.root), claim.owner),
            loc: claim.loc,
            other: first.loc,
        });
    }
    found
}

fn shown(root: &str) -> &str {
    if root.is_empty() { "." } else { root }
}

fn of_resource<'m>(estate: &Estate<'m>, resource: &Resource<'_, 'm>) -> Option<(String, Claim)> {
    let named = of_type(resource.ty())?;
    if resource.uncertain().is_some() || !is_applied(estate, resource.instance, resource.ty(), resource.loc()) {
        return None;
    }
    let (key, text) = name_of(named, &named.by, &|name| resource.arg(name))?;
    let claim = Claim {
        object: format!("{} {text}", named.what),
        owner: resource.address(),
        root: resource.instance.environment().to_owned(),
        import: false,
        loc: resource.loc(),
    };
    Some((key, claim))
}

/// Whether somebody applies it, on the service that the names are of: an emulator or a store of one's own has names of its own.
fn is_applied<'m>(estate: &Estate<'m>, instance: &Arc<Instance<'m>>, ty: &str, loc: Loc) -> bool {
    let path = estate.documents.tree.path(loc.file);
    let copied = |part: &str| matches!(part, "template" | "templates" | "skeleton" | "examples" | "example");
    if !matches!(instance.role, Role::Root | Role::Child) || is_test_path(path) || path.split('/').any(copied) {
        return false;
    }
    let mut at = instance.clone();
    for _ in 0..MAX_DEPTH {
        let own = |block: &BlockView<'_, '_>| block.label(0) == ty.split('_').next();
        let elsewhere = estate
            .terraform
            .providers_of(&at)
            .filter(own)
            .any(|block| !block.blocks("endpoints").is_empty() || !block.arg("endpoint").is_absent());
        if elsewhere {
            return false;
        }
        let Some((caller, _)) = at.caller() else { return true };
        at = caller;
    }
    false
}

/// What a declaration is compared by, and how it is called; nothing where a part of the name is not known.
fn name_of(named: &Named, by: &[String], arg: &dyn Fn(&str) -> Value) -> Option<(String, String)> {
    let mut parts: Vec<String> = Vec::new();
    for name in by {
        parts.push(arg(name).scalar().filter(|text| !text.is_empty())?.to_lowercase());
    }
    for name in &named.by_if_given {
        let value = arg(name);
        if !value.is_absent() {
            parts.push(value.scalar()?.to_lowercase());
        }
    }
    let text = parts.join(" ");
    // What somebody has yet to fill in is no name.
    let open = ["<", "change", "replace", "your-", "your_", "example", "xxx", "todo"];
    (!open.iter().any(|word| text.contains(word))).then(|| (format!("{} {text}", named.ty), text))
}

/// `import` blocks, by what they take over.
fn imports(estate: &Estate<'_>) -> Vec<(String, Claim)> {
    let mut found: Vec<(String, Claim)> = Vec::new();
    for instance in estate.terraform.tops() {
        for (file, block) in instance.module.others_of("import") {
            let loc = Loc { file, span: block.header };
            let Some(address) = block.body.attribute("to").and_then(|to| traversal(&to.value)) else { continue };
            let mut rest = address.as_slice();
            while let ["module", _, inner @ ..] = rest {
                rest = inner;
            }
            let Some(ty) = rest.first() else { continue };
            let id = block.body.attribute("id").map(|id| estate.terraform.evaluate(instance, file, &id.value));
            let Some(id) = id.and_then(|id| id.scalar().map(|id| id.to_string())) else { continue };
            let named = of_type(ty).filter(|row| row.by.len() == 1);
            if named.is_none() && !is_worldwide(&id) || !is_applied(estate, instance, ty, loc) {
                continue;
            }
            let claim = Claim {
                object: format!("{} {id}", named.map_or(*ty, |row| &*row.what)),
                owner: format!("import of {}", address.join(".")),
                root: instance.environment().to_owned(),
                import: true,
                loc,
            };
            found.push((format!("{ty} {}", id.to_lowercase()), claim));
        }
    }
    found
}

/// Whether an id is one that a cloud gives once: a full path of a resource, or letters and a long number in base sixteen.
fn is_worldwide(id: &str) -> bool {
    let path = ["arn:", "/subscriptions/", "projects/", "ocid1."].iter().any(|start| id.starts_with(start));
    let numbered = id.split_once('-').is_some_and(|(kind, number)| {
        kind.chars().all(|c| c.is_ascii_lowercase())
            && matches!(number.len(), 8 | 17)
            && number.chars().all(|c| c.is_ascii_hexdigit())
    });
    path || numbered
}

/// Tasks that make what Terraform declares.
fn in_tasks(estate: &Estate<'_>, by_name: &BTreeMap<String, Vec<Claim>>) -> Vec<Ownership> {
    let mut found = Vec::new();
    if by_name.is_empty() {
        return found;
    }
    for (at, task) in estate.ansible.tasks.iter().enumerate() {
        let Some((named, options)) = of_module(task.short()) else { continue };
        let path = estate.documents.tree.path(task.loc.file);
        if is_test_path(path) || runs_nowhere(estate.ansible, at) {
            continue;
        }
        let objects = estate.ansible.in_turns(task, |turn| name_of(named, options, &|name| turn.argument(name)));
        let mut said: Vec<String> = Vec::new();
        for (key, text) in objects.into_iter().flatten() {
            let first = by_name.get(&key).and_then(|claims| claims.iter().find(|claim| !claim.import));
            let Some(first) = first.filter(|first| !environment::differ(&first.root, path) && !said.contains(&key))
            else {
                continue;
            };
            said.push(key);
            found.push(Ownership {
                object: format!("{} {text}", named.what),
                first: format!("Terraform ({})", first.owner),
                second: format!("Ansible ({})", task.module),
                loc: task.loc,
                other: first.loc,
            });
        }
    }
    found
}
