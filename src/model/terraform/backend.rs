//! Where state is kept: `backend` and `cloud` blocks, and what Terragrunt generates for its folders.

use super::eval::either;
use super::instance::Instance;
use super::module::{Module, constant};
use super::view::{BlockView, argument};
use super::{Ground, Role, Source, SourceKind, Terraform};
use crate::source;
use crate::syntax::hcl::{Expr, ExprKind};
use crate::text::{FileId, Loc};
use crate::value::Value;
use std::collections::HashMap;
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
    flags: Vec<(&'a str, Value)>,
}

/// A folder that Terragrunt drives.
pub struct Unit<'t> {
    /// The folder.
    pub folder: String,
    /// Its `terragrunt.hcl`.
    pub file: FileId,
    /// Its own configuration.
    pub instance: Arc<Instance<'t>>,
    /// The configurations that it includes, nearest first.
    pub includes: Vec<Arc<Instance<'t>>>,
    /// `terraform.source`, when it is a constant.
    pub source: Option<&'t str>,
    /// The folder that a local `source` names.
    pub module: Option<String>,
}

impl Backend<'_, '_> {
    /// An argument, flags put over the block.
    #[must_use]
    pub fn arg(&self, path: &str) -> Value {
        if let Some((_, value)) = self.flags.iter().rev().find(|(name, _)| *name == path) {
            return value.clone();
        }
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

    /// What `-backend-config` gives for a root: where runs differ, each of their values.
    fn backend_flags(&self, folder: &str) -> Vec<(&str, Value)> {
        let reason = "it depends on the run of `terraform init`".into();
        let mut flags: Vec<(&str, Value)> = Vec::new();
        let runs = self.ground.options.runs.get(folder).map_or(&[][..], Vec::as_slice);
        for run in runs.iter().filter(|run| !run.backend.is_empty()) {
            for (at, (key, given)) in run.backend.iter().enumerate() {
                if run.backend.iter().skip(at + 1).any(|(later, _)| later == key) {
                    continue;
                }
                match flags.iter_mut().find(|(known, _)| known == key) {
                    Some((_, value)) => *value = either(value, &given.0, &reason),
                    None => flags.push((key, given.0.clone())),
                }
            }
        }
        flags
    }

    /// The backend that Terragrunt gives a unit, from its own file or one that it includes.
    #[must_use]
    pub fn unit_backend<'a>(&'a self, unit: &'a Unit<'t>) -> Option<Backend<'a, 't>> {
        std::iter::once(&unit.instance).chain(&unit.includes).find_map(|instance| {
            let (file, block) = instance.module.others_of("remote_state").next()?;
            let view = self.block(instance, file, block);
            Some(Backend {
                folder: &unit.folder,
                ty: view.arg("backend"),
                origin: BackendOrigin::Terragrunt,
                loc: view.loc,
                partial: false,
                config: view.arg("config"),
                block: None,
                flags: Vec::new(),
            })
        })
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

/// All units, in path order.
pub(super) fn units<'t>(ground: &Ground<'t>, sources: &[Source<'t>]) -> Vec<Unit<'t>> {
    let mut files: Vec<&Source<'t>> = sources.iter().filter(|source| source.kind == SourceKind::Terragrunt).collect();
    files.sort_by_key(|source| source.path);
    let by_path: HashMap<&str, Arc<Instance<'t>>> = files
        .iter()
        .map(|source| {
            let module = Arc::new(Module::single(source));
            (source.path, Instance::top(&module, Role::Root, HashMap::new()))
        })
        .collect();
    let parents: Vec<&str> = files.iter().map(|source| source.path).collect();
    files
        .iter()
        .filter_map(|source| {
            let instance = by_path.get(source.path)?.clone();
            let included: Vec<String> = instance
                .module
                .others_of("include")
                .filter_map(|(_, block)| block.body.attribute("path"))
                .filter_map(|attribute| include_path(&attribute.value, source.path, &parents))
                .collect();
            let written = instance.module.settings.iter().find_map(|(_, block)| block.body.attribute("source"));
            let text = written.and_then(|attribute| constant(&attribute.value));
            let runs =
                written.is_some() || !included.is_empty() || ground.module(source::folder(source.path)).is_some();
            if source::file_name(source.path) != "terragrunt.hcl" || !runs {
                return None;
            }
            let folder = source::folder(source.path).to_owned();
            // `//` marks where the module begins in what is copied; as a path it is one slash.
            let local = written.filter(|_| text.is_none_or(|text| text.starts_with('.')));
            Some(Unit {
                module: local.and_then(|attribute| include_path(&attribute.value, source.path, &parents)),
                includes: included.iter().filter_map(|path| by_path.get(&**path).cloned()).collect(),
                source: text,
                file: source.file,
                folder,
                instance,
            })
        })
        .collect()
}

/// The path that an `include` or `source` names, for the forms that are used.
fn include_path(expr: &Expr, from: &str, files: &[&str]) -> Option<String> {
    match &expr.kind {
        ExprKind::Str(path) => source::join(source::folder(from), path),
        ExprKind::Call { name, args, .. } if &**name == "find_in_parent_folders" => {
            let wanted = args.first().map_or(Some("terragrunt.hcl"), constant)?;
            let mut folder = source::folder(from);
            while !folder.is_empty() {
                folder = source::folder(folder);
                let mut names = vec![wanted];
                if args.is_empty() {
                    names.push("root.hcl");
                }
                let found =
                    names.iter().filter_map(|name| source::join(folder, name)).find(|path| files.contains(&&**path));
                if found.is_some() {
                    return found;
                }
            }
            None
        }
        // `"${dirname(find_in_parent_folders("root.hcl"))}/_envcommon/x.hcl"`
        ExprKind::Template(parts) => {
            let mut folder = None;
            for part in parts {
                match part {
                    crate::syntax::hcl::Part::Interp(Expr { kind: ExprKind::Call { name, args, .. }, .. }) => {
                        match &**name {
                            "dirname" => {
                                folder = Some(source::folder(&include_path(args.first()?, from, files)?).to_owned());
                            }
                            "get_repo_root" => folder = Some(String::new()),
                            "get_terragrunt_dir" => folder = Some(source::folder(from).to_owned()),
                            _ => return None,
                        }
                    }
                    crate::syntax::hcl::Part::Lit(text, _) => {
                        return source::join(&folder?, text);
                    }
                    _ => return None,
                }
            }
            None
        }
        _ => None,
    }
}
