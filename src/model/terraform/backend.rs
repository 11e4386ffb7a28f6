//! Where state is kept: `backend` and `cloud` blocks, and what Terragrunt generates for its folders.

use super::eval::either;
use super::instance::Instance;
use super::runs::{Run, literal};
use super::view::{BlockView, argument};
use super::{Terraform, Unit};
use crate::model::command::text_of;
use crate::source;
use crate::syntax::hcl;
use crate::text::Loc;
use crate::value::Value;
use std::sync::Arc;

/// What declares a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendOrigin {
    /// `backend "s3" {}` in a `terraform` block.
    Block,
    /// `cloud {}` in a `terraform` block.
    Cloud,
    /// Terragrunt's `remote_state`.
    Terragrunt,
}

/// Where the state of a root or a Terragrunt unit is kept.
pub struct Backend<'a, 't> {
    /// The folder whose state it is.
    pub folder: &'a str,
    /// `s3`, `gcs`, `cloud`…
    pub ty: Value,
    /// What declares it.
    pub origin: BackendOrigin,
    /// Where a finding on it points.
    pub loc: Loc,
    /// Whether arguments may come from elsewhere: the block is empty or nearly so, or `-backend-config` is used.
    pub partial: bool,
    block: Option<BlockView<'a, 't>>,
    config: Value,
    /// By argument, what each run of `init` gives; none: nothing.
    flags: Vec<(&'a str, Vec<Option<&'a Value>>)>,
}

impl Backend<'_, '_> {
    /// An argument, flags put over the block.
    #[must_use]
    pub fn arg(&self, path: &str) -> Value {
        let Some((_, given)) = self.flags.iter().find(|(name, _)| *name == path) else { return self.written(path) };
        let reason = "it depends on the run of `terraform init`".into();
        let values = given.iter().map(|one| one.map_or_else(|| self.written(path), Clone::clone));
        values.reduce(|all, next| either(&all, &next, &reason)).unwrap_or_default()
    }

    /// An argument as the block says it.
    fn written(&self, path: &str) -> Value {
        match &self.block {
            Some(block) => block.arg(path),
            None => path.split('.').fold(self.config.clone(), |value, name| argument(value.get(name))),
        }
    }
}

/// Arguments without which no backend of a type works: a block without one of them is completed elsewhere.
fn needed(ty: &str) -> &'static [&'static str] {
    match ty {
        "s3" => &["bucket", "key"],
        "gcs" | "oss" | "cos" => &["bucket"],
        "azurerm" => &["storage_account_name", "container_name", "key"],
        "http" => &["address"],
        "consul" => &["path"],
        _ => &[],
    }
}

impl<'t> Terraform<'t> {
    /// The backend of a root; none when its state lies on the disk of whoever runs it, as far as its files say.
    #[must_use]
    pub fn backend<'a>(&'a self, root: &'a Arc<Instance<'t>>) -> Option<Backend<'a, 't>> {
        let (file, block) = root.module.backend()?;
        let loc = Loc { file, span: block.header };
        let cloud = &*block.kind == "cloud";
        let ty = if cloud { "cloud" } else { block.label(0).unwrap_or("local") };
        let flags = self.backend_flags(&root.module.folder);
        let mut backend = Backend {
            folder: &root.module.folder,
            ty: Value::known(ty).at(loc),
            origin: if cloud { BackendOrigin::Cloud } else { BackendOrigin::Block },
            loc,
            partial: false,
            block: Some(self.block(root, file, block)),
            config: Value::absent(),
            flags,
        };
        backend.partial = needed(ty).iter().any(|name| backend.arg(name).is_absent());
        Some(backend)
    }

    /// What the runs of `init` give for the backend of a root, by argument.
    fn backend_flags(&self, folder: &str) -> Vec<(&str, Vec<Option<&Value>>)> {
        let runs = self.ground.options.runs.get(folder).map_or(&[][..], Vec::as_slice);
        let runs: Vec<_> = runs.iter().filter(|run| run.initialises || !run.backend.is_empty()).collect();
        let mut names: Vec<&str> = runs.iter().flat_map(|run| &run.backend).map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let of = |name: &str| runs.iter().map(|run| last(run, name)).collect();
        names.into_iter().map(|name| (name, of(name))).collect()
    }

    /// The backend that Terragrunt gives a unit, from its own file or one that it includes: `remote_state`, else a file that
    /// it generates.
    #[must_use]
    pub fn unit_backend<'a>(&'a self, unit: &'a Unit<'t>) -> Option<Backend<'a, 't>> {
        let backend = |ty, loc, config| Backend {
            folder: &unit.folder,
            ty,
            origin: BackendOrigin::Terragrunt,
            loc,
            partial: false,
            config,
            block: None,
            flags: Vec::new(),
        };
        let files = || std::iter::once(&unit.instance).chain(&unit.includes);
        let declared = files().find_map(|instance| {
            let (file, block) = instance.module.others_of("remote_state").next()?;
            let view = self.block(instance, file, block);
            Some(backend(view.arg("backend"), view.loc, view.arg("config")))
        });
        declared.or_else(|| {
            files().find_map(|instance| {
                instance.module.others_of("generate").find_map(|(file, block)| {
                    let view = self.block(instance, file, block);
                    let (ty, config) = generated(&view.arg("contents"))?;
                    Some(backend(ty.at(view.loc), view.loc, config))
                })
            })
        })
    }

    /// The `encryption` block by which `OpenTofu` encrypts the state of a root.
    #[must_use]
    pub fn encryption<'a>(&'a self, root: &'a Arc<Instance<'t>>) -> Option<BlockView<'a, 't>> {
        let blocks = root.module.setting_blocks("encryption");
        let (file, block) = blocks.filter(|(_, block)| block.body.blocks_of("state").next().is_some()).last()?;
        Some(self.block(root, file, block))
    }

    /// The unit that Terragrunt runs in a folder, or that uses the module there.
    #[must_use]
    pub fn unit(&self, folder: &str) -> Option<&Unit<'t>> {
        self.units.iter().find(|unit| unit.folder == folder || unit.module.as_deref() == Some(folder))
    }

    /// Whether `.terraform.lock.hcl` lies beside a module.
    #[must_use]
    pub fn lock_file_beside(&self, folder: &str) -> bool {
        source::join(folder, ".terraform.lock.hcl").is_some_and(|path| self.ground.files.find(&path).is_some())
    }
}

/// The type and the arguments of the backend in a file that is generated.
fn generated(contents: &Value) -> Option<(Value, Value)> {
    let text = text_of(contents);
    if !text.contains("backend") {
        return None;
    }
    let file = hcl::parse(&text);
    let mut settings = file.body.blocks_of("terraform").flat_map(|block| &block.body.blocks);
    let block = settings.find(|block| &*block.kind == "backend")?;
    let arguments = block.body.attributes.iter();
    let config = arguments.map(|attribute| (Arc::from(&*attribute.name), literal(&attribute.value, 0))).collect();
    Some((Value::known(block.label(0)?), Value::map(config)))
}

/// What a run gives for an argument of the backend; the last one wins.
fn last<'r>(run: &'r Run, name: &str) -> Option<&'r Value> {
    run.backend.iter().rev().find(|(key, _)| key == name).map(|(_, given)| &given.0)
}
