//! Terraform and OpenTofu: modules, their instances with the arguments of each call, and what their expressions come to.

mod backend;
mod eval;
mod functions;
mod instance;
mod mapped;
mod module;
mod ops;
mod provisioner;
mod refs;
mod role;
mod template;
mod types;
mod view;

pub use backend::{Backend, BackendOrigin, Unit};
pub use instance::{Instance, Key};
pub use mapped::Rendered;
pub use module::{Call, Declared, Local, Mode, Module, ResourceDecl};
pub use provisioner::{Provisioner, When};
pub use role::{Judged, Role};
pub use view::{BlockView, CallView, Resource};

use crate::source;
use crate::syntax::hcl::{self, Expr};
use crate::text::FileId;
use crate::value::Value;
use instance::Given;
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

/// What a source is to Terraform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// `.tf`, `.tofu`, `.tf.json`
    Configuration,
    /// `.tfvars`, `.tfvars.json`
    Variables,
    /// `terragrunt.hcl`, `root.hcl` and what they include.
    Terragrunt,
}

/// A parsed file.
#[derive(Clone, Copy, Debug)]
pub struct Source<'t> {
    /// The file.
    pub file: FileId,
    /// Its path in the tree.
    pub path: &'t str,
    /// What it says.
    pub tree: &'t hcl::File,
    /// What it is to Terraform.
    pub kind: SourceKind,
}

/// Files that expressions read (`file`, `templatefile`, `jsondecode(file())`).
pub trait Files: Sync {
    /// A file and its text, by its path in the tree.
    fn find(&self, path: &str) -> Option<(FileId, &str)>;
    /// The paths below a folder, relative to it, in order.
    fn below<'a>(&'a self, folder: &str) -> Vec<&'a str>;
}

impl Files for source::Tree {
    fn find(&self, path: &str) -> Option<(FileId, &str)> {
        let id = Self::find(self, path)?;
        Some((id, self.file(id).text().ok().map(|text| text.text.as_str())?))
    }

    fn below<'a>(&'a self, folder: &str) -> Vec<&'a str> {
        let skip = if folder.is_empty() { 0 } else { folder.len() + 1 };
        {
            let all = self.iter().filter(|(_, file)| folder.is_empty() || file.path.get(folder.len()..).is_some_and(|rest| rest.starts_with('/')) && file.path.starts_with(folder));
            all.filter_map(|(_, file)| file.path.get(skip..)).collect()
        }
    }
}

/// What is known from outside the Terraform files (scripts, CI, configuration).
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `-var-file`: the root's folder and the file's path in the tree.
    pub var_files: Vec<(String, String)>,
    /// `-var` and `TF_VAR_`: the root's folder, the variable, the value.
    pub vars: Vec<(String, String, Value)>,
    /// `-backend-config`: the root's folder, the key, the value.
    pub backend_configs: Vec<(String, String, Value)>,
}

/// What stays the same during evaluation.
pub(crate) struct Ground<'t> {
    modules: Vec<Arc<Module<'t>>>,
    by_folder: HashMap<String, usize>,
    files: &'t dyn Files,
    options: Options,
}

impl<'t> Ground<'t> {
    fn module(&self, folder: &str) -> Option<&Arc<Module<'t>>> {
        self.by_folder.get(folder).and_then(|at| self.modules.get(*at))
    }
}

/// All Terraform of a tree.
pub struct Terraform<'t> {
    ground: Ground<'t>,
    /// What each of [`Terraform::modules`] is for, in the same order.
    pub roles: Vec<Judged>,
    /// Every root, every library by itself, and below each the instances that its calls make; callers before called.
    pub instances: Vec<Arc<Instance<'t>>>,
    /// Terragrunt's folders.
    pub units: Vec<Unit<'t>>,
}

impl<'t> Terraform<'t> {
    /// Reads modules, judges their roles and makes their instances; values are evaluated when they are asked for.
    #[must_use]
    pub fn build(sources: &[Source<'t>], options: Options, files: &'t dyn Files) -> Self {
        let modules = module::gather(sources);
        let automatic: Vec<&Source<'t>> = automatic_values(sources);
        let folders: Vec<&str> = automatic.iter().map(|source| source::folder(source.path)).collect();
        let roles = role::judge(&modules, &folders);
        let by_folder = modules.iter().enumerate().map(|(at, module)| (module.folder.clone(), at)).collect();
        let ground = Ground { modules: modules.into_iter().map(Arc::new).collect(), by_folder, files, options };
        let tops: Vec<Arc<Instance<'t>>> = ground
            .modules
            .iter()
            .zip(&roles)
            .filter(|(_, judged)| judged.role != Role::Child)
            .map(|(module, judged)| Instance::top(module, judged.role, given(&ground, module, &automatic, sources)))
            .collect();
        let walked: Vec<Vec<Arc<Instance<'t>>>> = tops.par_iter().map(|top| instance::walk(&ground, top)).collect();
        let units = backend::units(&ground, sources);
        Self { roles, instances: walked.into_iter().flatten().collect(), units, ground }
    }

    /// One for each folder with Terraform files, in path order.
    #[must_use]
    pub fn modules(&self) -> &[Arc<Module<'t>>] {
        &self.ground.modules
    }

    /// The module of a folder.
    #[must_use]
    pub fn module(&self, folder: &str) -> Option<&Arc<Module<'t>>> {
        self.ground.module(folder)
    }

    /// The role of a module's folder.
    #[must_use]
    pub fn role(&self, folder: &str) -> Option<&Judged> {
        self.ground.by_folder.get(folder).and_then(|at| self.roles.get(*at))
    }

    /// The instances that are roots of their own (libraries and examples included, see [`Instance::role`]).
    pub fn tops(&self) -> impl Iterator<Item = &Arc<Instance<'t>>> {
        self.instances.iter().filter(|instance| instance.is_top())
    }
}

/// The variable files that Terraform loads by itself, in the order of loading within each folder.
fn automatic_values<'s, 't>(sources: &'s [Source<'t>]) -> Vec<&'s Source<'t>> {
    let rank = |path: &str| match source::file_name(path) {
        "terraform.tfvars" => Some(0),
        "terraform.tfvars.json" => Some(1),
        name if name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json") => Some(2),
        _ => None,
    };
    let mut values: Vec<&Source<'t>> = sources
        .iter()
        .filter(|source| source.kind == SourceKind::Variables && rank(source.path).is_some())
        .collect();
    values.sort_by_key(|source| (source::folder(source.path), rank(source.path), source.path));
    values
}

/// What a root is given for its variables; later ones win.
fn given<'t>(
    ground: &Ground<'t>,
    module: &Module<'t>,
    automatic: &[&Source<'t>],
    sources: &[Source<'t>],
) -> HashMap<&'t str, Given<'t>> {
    let mut given = HashMap::new();
    let first = automatic.partition_point(|source| source::folder(source.path) < module.folder.as_str());
    let beside = automatic.get(first..).unwrap_or(&[]).iter().take_while(|source| source::folder(source.path) == module.folder);
    let named = ground.options.var_files.iter().filter(|(folder, _)| *folder == module.folder);
    let named = named.filter_map(|(_, path)| sources.iter().find(|source| source.path == path));
    for source in beside.copied().chain(named) {
        for attribute in &source.tree.body.attributes {
            let value: &'t Expr = &attribute.value;
            given.insert(&*attribute.name, Given::File(source.file, value));
        }
    }
    for (_, name, value) in ground.options.vars.iter().filter(|(folder, ..)| *folder == module.folder) {
        // The variable's own label lives as long as the tree.
        if let Some(variable) = module.variable(name).and_then(|at| module.variables.get(at)) {
            given.insert(variable.label(0), Given::Flag(value.clone()));
        }
    }
    given
}

#[cfg(test)]
mod tests;
