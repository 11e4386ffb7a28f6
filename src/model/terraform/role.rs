//! What a module folder is for: something that is applied, or something that is called.

use super::module::Module;
use crate::source;
use std::collections::{HashMap, HashSet};

/// What a module folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Applied by somebody: it has a state of its own.
    Root,
    /// Called by another module of this repository.
    Child,
    /// Made to be called, by nobody here.
    Library,
    /// Shows or tests a module.
    Example,
}

/// A role and what it was told by, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The role.
    pub role: Role,
    /// Why, one clause ("it declares a backend").
    pub evidence: &'static str,
}

const EXAMPLES: &[&str] = &[
    "example", "examples", "test", "tests", "testing", "fixtures", "fixture", "testdata", "samples", "sample", "demo",
];
const ENVIRONMENTS: &[&str] =
    &["env", "envs", "environment", "environments", "live", "stacks", "roots", "deployments", "accounts"];

fn has_component(folder: &str, names: &[&str]) -> bool {
    folder.split('/').any(|part| names.contains(&part))
}

/// Whether the folder's name says that it shows or tests something.
pub(super) fn is_example(folder: &str) -> bool {
    has_component(folder, EXAMPLES)
}

/// The roles of all modules; `values` are folders with variable files that Terraform loads by itself, `roots` what the
/// configuration calls a root.
pub(super) fn judge(
    modules: &[Module<'_>],
    values: &[&str],
    roots: Option<&globset::GlobSet>,
    linked: &HashSet<String>,
) -> Vec<Judged> {
    let mut callers: HashMap<&str, (bool, bool)> = HashMap::new();
    for module in modules {
        let example = is_example(&module.folder);
        for call in &module.calls {
            if let Some(folder) = call.folder.as_deref().filter(|folder| *folder != module.folder) {
                let (by_example, by_other) = callers.entry(folder).or_default();
                *(if example { by_example } else { by_other }) = true;
            }
        }
    }
    modules
        .iter()
        .map(|module| {
            if module.is_installed() {
                return Judged { role: Role::Child, evidence: "it is an installed module" };
            }
            if linked.contains(&module.folder) {
                return Judged { role: Role::Child, evidence: "roots elsewhere have links to its files" };
            }
            if roots.is_some_and(|globs| globs.is_match(&module.folder)) {
                return Judged { role: Role::Root, evidence: "the configuration says so" };
            }
            let called = callers.get(&*module.folder).copied().unwrap_or_default();
            let (role, evidence) = one(module, called, values.contains(&&*module.folder));
            Judged { role, evidence }
        })
        .collect()
}

fn one(module: &Module<'_>, (by_example, by_other): (bool, bool), values: bool) -> (Role, &'static str) {
    let folder = &*module.folder;
    if by_other {
        return (Role::Child, "another module of this repository calls it");
    }
    if is_example(folder) {
        return if by_example {
            (Role::Child, "an example calls it")
        } else {
            (Role::Example, "it lies under a folder of examples or tests")
        };
    }
    if module.backend().is_some() {
        return (Role::Root, "it declares where its state is kept");
    }
    if by_example {
        return (Role::Library, "only examples call it");
    }
    if values {
        return (Role::Root, "variable values lie beside it");
    }
    if has_component(folder, ENVIRONMENTS) {
        return (Role::Root, "it lies under a folder of environments");
    }
    let library = has_component(folder, &["modules", "module", "wrappers"])
        || source::file_name(folder).starts_with("terraform-");
    if !module.providers.is_empty() {
        // Old modules configure their provider themselves; the folder's name decides then.
        return if has_component(folder, &["modules"]) {
            (Role::Library, "it lies under modules/ and nothing here calls it")
        } else {
            (Role::Root, "it configures a provider and nothing here calls it")
        };
    }
    if library {
        return (Role::Library, "its folder is named as a module and nothing here calls it");
    }
    let required = module.variables.iter().any(|variable| variable.attribute("default").is_none());
    if required && !module.outputs.is_empty() {
        return (Role::Library, "it has inputs and outputs, no provider configuration, and nothing here calls it");
    }
    (Role::Root, "nothing here calls it")
}
