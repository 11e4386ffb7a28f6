//! Terraform and `OpenTofu`: modules, their instances with the arguments of each call, and what their expressions come to.

mod backend;
mod changing;
mod constraint;
mod eval;
mod functions;
mod given;
mod graph;
mod installed;
mod instance;
mod mapped;
mod module;
mod ops;
mod provisioner;
mod reads;
mod refs;
mod repeat;
mod resource;
mod role;
mod runs;
mod spelling;
mod switch;
mod template;
mod terragrunt;
mod types;
mod view;

pub use backend::{Backend, BackendOrigin};
pub use changing::{Changing, changing};
pub use graph::{Declaration, awaited};
pub use instance::Instance;
pub use mapped::Rendered;
pub use module::{Call, Declared, Local, Mode, Module, ResourceDecl};
pub use provisioner::{Provisioner, When};
pub use reads::{Read, alike, reader};
pub use repeat::Key;
pub use resource::{CallView, Resource};
pub use role::{Judged, Role};
pub use runs::{Argument, Given, Run, Runs, assignment, name_files, runs};
pub use terragrunt::Unit;
pub use view::BlockView;

use crate::model::kind::Kind;
use crate::model::load::{Document, Documents};
use crate::source;
use crate::syntax::hcl;
use crate::text::FileId;
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
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

/// The Terraform files of a tree, in path order.
#[must_use]
pub fn sources<'t>(documents: &'t Documents<'t>) -> Vec<Source<'t>> {
    let source = |document: &'t Document| {
        let kind = match document.kind {
            Kind::Terraform | Kind::TerraformJson => SourceKind::Configuration,
            Kind::TerraformVariables | Kind::TerraformVariablesJson => SourceKind::Variables,
            Kind::Terragrunt => SourceKind::Terragrunt,
            _ => return None,
        };
        Some(Source { file: document.file, path: documents.tree.path(document.file), tree: document.hcl()?, kind })
    };
    documents.list.iter().filter_map(source).collect()
}

/// Files that expressions read (`file`, `templatefile`, `jsondecode(file())`).
pub trait Files: Sync {
    /// A file and its text, by its path in the tree.
    fn find(&self, path: &str) -> Option<(FileId, &str)>;
    /// The paths below a folder, relative to it, in order.
    fn below<'a>(&'a self, folder: &str) -> Vec<&'a str>;
    /// A path with the symbolic links to folders on its way followed.
    fn real(&self, path: &str) -> String;
    /// The folders to whose files there are links elsewhere.
    fn linked(&self) -> Vec<String>;
}

impl Files for source::Tree {
    fn find(&self, path: &str) -> Option<(FileId, &str)> {
        let id = Self::find(self, path)?;
        Some((id, self.file(id).text().ok().map(|text| text.text.as_str())?))
    }

    fn below<'a>(&'a self, folder: &str) -> Vec<&'a str> {
        let skip = if folder.is_empty() { 0 } else { folder.len() + 1 };
        let ids: Vec<FileId> = Self::below(self, folder).map(|(id, _)| id).collect();
        ids.into_iter().filter_map(|id| self.path(id).get(skip..)).collect()
    }

    fn real(&self, path: &str) -> String {
        Self::real(self, path)
    }

    fn linked(&self) -> Vec<String> {
        let links = self.iter().filter_map(|(_, file)| {
            let target = source::join(source::folder(&file.path), file.symlink.as_deref()?)?;
            let folder = source::folder(&target).to_owned();
            (Self::find(self, &target).is_some() && folder != source::folder(&file.path)).then_some(folder)
        });
        links.collect()
    }
}

/// What is known from outside the Terraform files (scripts, CI, configuration).
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How commands and the configuration run each root, by its folder. A variable that several runs give has each of
    /// their values.
    pub runs: Runs,
    /// Folders that are roots because the configuration says so.
    pub roots: Option<globset::GlobSet>,
}

/// What stays the same during evaluation.
pub(crate) struct Ground<'t> {
    modules: Vec<Arc<Module<'t>>>,
    by_folder: HashMap<String, usize>,
    terragrunt: terragrunt::Files<'t>,
    installed: installed::Manifests,
    files: &'t dyn Files,
    options: Options,
    calls: changing::Calls,
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
    /// How commands and the configuration run each root, by its folder.
    #[must_use]
    pub fn runs(&self) -> &Runs {
        &self.ground.options.runs
    }

    /// Reads modules, judges their roles and makes their instances; values are evaluated when they are asked for.
    #[must_use]
    pub fn build(sources: &[Source<'t>], options: Options, files: &'t dyn Files) -> Self {
        let mut modules = module::gather(sources);
        module::follow_links(&mut modules, files);
        let values = given::Values::new(sources);
        let linked: HashSet<String> = files.linked().into_iter().collect();
        let roles = role::judge(&modules, &values.folders(), options.roots.as_ref(), &linked);
        let by_folder = modules.iter().enumerate().map(|(at, module)| (module.folder.clone(), at)).collect();
        let terragrunt = terragrunt::files(sources);
        let modules = modules.into_iter().map(Arc::new).collect();
        let installed = installed::manifests(files);
        let calls = changing::Calls::default();
        let ground = Ground { modules, by_folder, terragrunt, installed, files, options, calls };
        let units = terragrunt::units(&ground);
        let mut tops: Vec<Arc<Instance<'t>>> =
            units.iter().filter_map(|unit| terragrunt::run_by(&ground, unit, &values)).collect();
        for (module, judged) in ground.modules.iter().zip(&roles) {
            let run = tops.iter().any(|top| top.module.folder == module.folder);
            if judged.role != Role::Child && !run {
                tops.push(Instance::top(module, judged.role, values.given(&ground, module)));
            }
        }
        tops.sort_by(|a, b| (&a.root, &a.unit).cmp(&(&b.root, &b.unit)));
        let mut instances = below(&ground, &tops);
        // Called, but never made (zero times, from outside, in a circle): looked at by itself.
        let seen: HashSet<&str> = instances.iter().map(|instance| &*instance.module.folder).collect();
        let unseen = ground.modules.iter().filter(|module| {
            !seen.contains(&*module.folder) && !module.is_installed() && !linked.contains(&module.folder)
        });
        let alone: Vec<_> = unseen.map(|module| Instance::top(module, Role::Library, HashMap::new())).collect();
        instances.extend(below(&ground, &alone));
        Self { ground, roles, instances, units }
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

    /// Whether the calls of a module lead back to it.
    #[must_use]
    pub fn is_in_circle(&self, folder: &str, call: &Call<'_>) -> bool {
        let mut waiting: Vec<&str> = call.folder.as_deref().into_iter().collect();
        let mut seen: HashSet<&str> = HashSet::new();
        while let Some(next) = waiting.pop() {
            if next == folder {
                return true;
            }
            if seen.insert(next) {
                let calls = self.module(next).into_iter().flat_map(|module| &module.calls);
                waiting.extend(calls.filter_map(|call| call.folder.as_deref()));
            }
        }
        false
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

fn below<'t>(ground: &Ground<'t>, tops: &[Arc<Instance<'t>>]) -> Vec<Arc<Instance<'t>>> {
    let walked: Vec<Vec<Arc<Instance<'t>>>> = tops.par_iter().map(|top| instance::walk(ground, top)).collect();
    walked.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
