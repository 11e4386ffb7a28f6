//! Roots of Terraform and what they declare about state, providers and modules.

use super::Estate;
use crate::knowledge::terraform::{self as known, Locks};
use crate::model::terraform::{Backend, CallView, Instance, Mode, Module, Role};
use crate::source::folder;
use crate::syntax::hcl::{Expr, ExprKind};
use crate::text::{FileId, Loc, Span};
use crate::value::{Tri, Value};
use std::sync::Arc;

/// A root (or library, or example) in its estate.
#[derive(Clone, Copy)]
pub struct RootFacts<'m> {
    /// The estate.
    pub estate: &'m Estate<'m>,
    /// Its own instance.
    pub instance: &'m Arc<Instance<'m>>,
}

/// The name of a file with the providers that were chosen.
const LOCK_FILE: &str = ".terraform.lock.hcl";

/// Words of a path that name an environment that people share.
const SHARED: [&str; 14] = [
    "prod",
    "production",
    "prd",
    "staging",
    "stage",
    "stg",
    "shared",
    "infra",
    "live",
    "global",
    "common",
    "core",
    "platform",
    "envs",
];

impl<'m> RootFacts<'m> {
    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &'m str {
        &self.instance.module.folder
    }

    /// What it is for.
    #[must_use]
    pub fn role(&self) -> &'static str {
        match self.instance.role {
            Role::Root => "root",
            Role::Child => "child",
            Role::Library => "library",
            Role::Example => "example",
        }
    }

    /// Its backend, Terragrunt's included.
    #[must_use]
    pub fn backend(&self) -> Option<Backend<'m, 'm>> {
        let terraform = self.estate.terraform;
        let folder = self.instance.unit.as_deref().unwrap_or(self.folder());
        let unit = || terraform.unit(folder).and_then(|unit| terraform.unit_backend(unit));
        // Terragrunt completes the block of the module that it runs.
        unit().or_else(|| terraform.backend(self.instance))
    }

    /// The backend's type; `""` without one.
    #[must_use]
    pub fn backend_type(&self) -> String {
        self.backend().and_then(|backend| backend.ty.scalar()).map(|ty| ty.to_string()).unwrap_or_default()
    }

    /// Whether the state can be shared.
    #[must_use]
    pub fn remote(&self) -> bool {
        let ty = self.backend_type();
        !ty.is_empty() && known::backend(&ty).is_none_or(|backend| backend.remote)
    }

    /// Whether OpenTofu encrypts its state.
    #[must_use]
    pub fn encrypted(&self) -> bool {
        self.estate.terraform.encryption(self.instance).is_some()
    }

    /// Whether two runs exclude each other.
    #[must_use]
    pub fn locks(&self) -> Tri {
        let Some(backend) = self.backend() else { return Tri::False };
        let Some(ty) = backend.ty.scalar() else { return Tri::Unknown("the type of the backend is not known".into()) };
        let Some(row) = known::backend(&ty) else {
            return Tri::Unknown(format!("the backend {ty} is not known").into());
        };
        match &row.locks {
            Locks::Always => Tri::True,
            Locks::Never => Tri::False,
            Locks::When(alternatives) => {
                let given =
                    alternatives.iter().fold(Tri::False, |so_far, one| so_far.or(|| one.holds(&backend.arg(&one.arg))));
                if given.is_false() && backend.partial {
                    return Tri::Unknown(
                        "the rest of the backend's configuration is given at init, so that locking cannot be seen"
                            .into(),
                    );
                }
                given
            }
        }
    }

    /// Whether more than its resources shows that somebody applies it: a provider, values, a lock file, a place among
    /// environments; and nothing shows that it is one of several to choose from.
    #[must_use]
    pub fn evident(&self) -> bool {
        let terraform = self.estate.terraform;
        let module = &self.instance.module;
        let folder = self.folder();
        let by_name = folder.split('/').any(|part| SHARED.contains(&part) || part.starts_with("env"));
        let shown = !module.providers.is_empty()
            || terraform.backend(self.instance).is_some()
            || terraform.lock_file_beside(folder)
            || terraform.role(folder).is_some_and(|judged| judged.evidence.contains("values"))
            || by_name;
        let parent = crate::source::folder(folder);
        let sibling_called = !folder.is_empty()
            && terraform.modules().iter().zip(&terraform.roles).any(|(other, judged)| {
                judged.role == Role::Child
                    && other.folder != folder
                    && crate::source::folder(&other.folder) == parent
                    && !parent.is_empty()
            });
        let template = folder.split('/').any(|part| matches!(part, "template" | "templates" | "skeleton"));
        shown && !sibling_called && !template
    }

    /// Whether it looks like something that others call, from another repository.
    #[must_use]
    pub fn wants_caller(&self) -> bool {
        wants_caller(self.estate, &self.instance.module)
    }

    /// Whether a template below it makes its backend.
    #[must_use]
    pub fn generated_backend(&self) -> bool {
        let tree = self.estate.documents.tree;
        tree.below(self.folder()).any(|(id, file)| {
            let template = [".tpl", ".tftpl", ".j2", ".tmpl"].iter().any(|suffix| file.path.ends_with(suffix));
            template && tree.text(id).contains("backend \"")
        })
    }

    /// Whether `.terraform.lock.hcl` lies beside it.
    #[must_use]
    pub fn locked(&self) -> bool {
        self.estate.terraform.lock_file_beside(self.folder())
    }

    /// Whether an ignore file keeps a lock file there out of Git.
    #[must_use]
    pub fn lock_ignored(&self) -> bool {
        let path = crate::source::join(self.folder(), LOCK_FILE).unwrap_or_default();
        let forced =
            self.estate.documents.tree.find(&path).is_some_and(|id| self.estate.documents.tree.file(id).tracked);
        self.estate.repository.ignores.ignores(&path) && !forced
    }

    /// Whether it sets up providers of which it says neither source nor version.
    #[must_use]
    pub fn uses_undeclared_providers(&self) -> bool {
        let module = &self.instance.module;
        module.required_providers().next().is_none() && !module.providers.is_empty()
    }

    /// Whether it manages anything.
    #[must_use]
    pub fn manages(&self) -> bool {
        let module = &self.instance.module;
        !module.calls.is_empty() || module.resources.iter().any(|resource| resource.mode == Mode::Managed)
    }

    /// Whether several people or jobs work on it, by its path or because a CI file that names it applies.
    #[must_use]
    pub fn shared(&self) -> bool {
        let word = |part: &str| SHARED.iter().any(|known| part.eq_ignore_ascii_case(known));
        let by_path = self.folder().split(['/', '-', '_', '.']).any(word);
        by_path
            || self.estate.invocations.iter().any(|invocation| {
                invocation.site() == "ci"
                    && self.estate.documents.tree.text(invocation.command.loc.file).contains(self.folder())
                    && matches!(&*invocation.command.program, "terraform" | "tofu" | "terragrunt")
                    && invocation.command.sub.first().is_some_and(|sub| &**sub == "apply")
            })
    }

    /// Where a finding on the root points: its backend, else its `terraform` block, else a provider, else its first file.
    #[must_use]
    pub fn declaration(&self) -> Loc {
        let module = &self.instance.module;
        let block = |(file, block): &(FileId, &crate::syntax::hcl::Block)| Loc { file: *file, span: block.header };
        self.backend()
            .map(|backend| backend.loc)
            .or_else(|| module.settings.first().map(block))
            .or_else(|| module.providers.first().map(crate::model::terraform::Declared::loc))
            .or_else(|| module.resources.first().map(|resource| resource.decl.loc()))
            .or_else(|| module.calls.first().map(|call| call.decl.loc()))
            .unwrap_or(Loc { file: module.files.first().copied().unwrap_or_default(), span: Span::default() })
    }

    /// Whether a comment says that it creates what the others keep their state in.
    #[must_use]
    pub fn bootstrap(&self) -> bool {
        let files = &self.instance.module.files;
        self.estate.remarks.iter().any(|remark| {
            files.contains(&remark.loc.file)
                && matches!(&remark.saying, crate::model::annotation::Saying::Annotate(pairs) if pairs.iter().any(|(key, _)| key == "bootstrap-root"))
        })
    }

    /// Whether Terragrunt runs it.
    #[must_use]
    pub fn terragrunt(&self) -> bool {
        self.estate.terraform.unit(self.folder()).is_some()
    }

    /// Whether its environment is thrown away.
    #[must_use]
    pub fn ephemeral(&self) -> bool {
        (self.estate.ephemeral)(self.estate.documents.tree.path(self.declaration().file))
    }
}

/// A provider that a module requires.
pub struct Requirement<'m> {
    /// The local name.
    pub name: &'m str,
    /// Where it is required.
    pub loc: Loc,
    /// `version`
    pub version: Option<String>,
    /// The module.
    pub module: &'m Arc<Module<'m>>,
    /// Whether the module is applied by somebody.
    pub root: bool,
    /// Whether a lock file stands beside it.
    pub locked: bool,
    /// Whether it is the first of its module without an exact version.
    pub first: bool,
    /// Whether an ignore rule keeps a lock file there out of Git.
    pub lock_ignored: bool,
}

/// Whether a module needs values that nobody here gives it, and has nothing that only a root has: no provider of its own, no backend,
/// no lock file, no command that runs it.
fn wants_caller(estate: &Estate<'_>, module: &Module<'_>) -> bool {
    let terraform = estate.terraform;
    let folder = &*module.folder;
    let required = module.variables.iter().any(|variable| variable.attribute("default").is_none());
    let fallen_through = terraform.role(folder).is_some_and(|judged| judged.evidence == "nothing here calls it");
    required
        && fallen_through
        && !terraform.lock_file_beside(folder)
        && !terraform.runs().contains_key(folder)
        && module.backend().is_none()
}

/// Every required provider of every root.
#[must_use]
pub fn requirements<'m>(estate: &'m Estate<'m>) -> Vec<Requirement<'m>> {
    let mut found = Vec::new();
    for module in estate.terraform.modules() {
        // Versions alone, of nothing that is managed here, are a note to readers.
        let used = !module.calls.is_empty() || !module.resources.is_empty() || !module.providers.is_empty();
        let root = used
            && estate.terraform.role(&module.folder).is_some_and(|judged| judged.role == Role::Root)
            && !wants_caller(estate, module);
        let locked = estate.terraform.lock_file_beside(&module.folder);
        let lock = crate::source::join(&module.folder, LOCK_FILE).unwrap_or_default();
        let lock_ignored = estate.repository.ignores.ignores(&lock);
        let mut first = true;
        for (file, attribute) in module.required_providers() {
            // The short form of old releases gives the version alone.
            let version = match &attribute.value.kind {
                ExprKind::Object(members) => member(members, "version"),
                ExprKind::Str(text) => Some(text.to_string()),
                _ => None,
            };
            let (name, loc) = (&*attribute.name, Loc { file, span: attribute.name_span });
            let requirement = Requirement { name, loc, version, module, root, locked, first, lock_ignored };
            first &= requirement.pinned();
            found.push(requirement);
        }
    }
    found
}

fn member(members: &[(crate::syntax::hcl::Key, Expr)], name: &str) -> Option<String> {
    members.iter().find_map(|(key, value)| match (&key.expr.kind, &value.kind) {
        (ExprKind::Str(key), ExprKind::Str(text)) if &**key == name => Some(text.to_string()),
        _ => None,
    })
}

impl Requirement<'_> {
    /// Whether one version alone satisfies it.
    #[must_use]
    pub fn pinned(&self) -> bool {
        self.version.as_deref().is_some_and(|version| {
            let version = version.trim().trim_start_matches('=').trim();
            !version.is_empty()
                && version.chars().all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c))
                && version.starts_with(|c: char| c.is_ascii_digit())
        })
    }
}

/// Whether a module call names one version of its module.
#[must_use]
pub fn call_is_pinned(call: &CallView<'_, '_>) -> Tri {
    let Some(source) = call.call.source else { return Tri::Unknown("the source is not constant".into()) };
    let remote = source.contains("://")
        || source.starts_with("git@")
        || source.contains("::")
        || source.starts_with("github.com")
        || source.starts_with("bitbucket.org");
    if remote {
        let reference = source.split_once("ref=").map(|(_, reference)| reference);
        let branch = |name: &str| matches!(name, "main" | "master" | "develop" | "HEAD");
        let archive =
            !source.contains("git") && [".zip", ".tar.gz", ".tgz"].iter().any(|suffix| source.contains(suffix));
        return (archive || reference.is_some_and(|reference| !branch(reference))).into();
    }
    Value::has(&call.arg("version"))
}

/// Where a module call leads: `circle` back to the module that calls, `nowhere` when its folder has no Terraform file,
/// else `somewhere`.
#[must_use]
pub fn leads<'m>(estate: &'m Estate<'m>, call: &CallView<'m, 'm>) -> &'static str {
    let Some(folder) = call.call.folder.as_deref() else { return "somewhere" };
    // Tests and examples are often completed before they are run.
    if call.instance.role == Role::Example {
        return "somewhere";
    }
    if call.target().is_some() {
        let circle = estate.terraform.is_in_circle(&call.instance.module.folder, call.call);
        return if circle { "circle" } else { "somewhere" };
    }
    let tree = estate.documents.tree;
    let configured =
        |path: &str| [".tf", ".tofu", ".tf.json", ".tofu.json"].iter().any(|suffix| path.ends_with(suffix));
    // Files that are excluded, or stand in another repository, are there for Terraform.
    let there = tree.below(folder).any(|(_, file)| configured(&file.path));
    let elsewhere =
        tree.submodules.iter().any(|module| folder == &**module || folder.starts_with(&format!("{module}/")));
    let ignored = estate.repository.ignores.ignores(&format!("{folder}/main.tf"));
    if there || elsewhere || ignored { "somewhere" } else { "nowhere" }
}

/// Whether a source lies in this repository.
#[must_use]
pub fn is_local(source: &str) -> bool {
    matches!(source, "." | "..")
        || source.starts_with("./")
        || source.starts_with("../")
        || source.starts_with('/')
        || source.is_empty()
}

/// Whether a module call names a folder that is no part of this repository: an absolute one, or one above its top.
#[must_use]
pub fn leaves_repository(estate: &Estate<'_>, call: &CallView<'_, '_>) -> bool {
    let source = call.call.source.unwrap_or("");
    // Only of a checkout is it known where the repository ends.
    let tree = estate.documents.tree;
    let whole = tree.root.as_ref().is_none_or(|root| root.join(".git").exists());
    let above = source.starts_with("../") && crate::source::join(&call.instance.module.folder, source).is_none();
    source.starts_with('/') || above && whole
}

/// The folder of a file.
#[must_use]
pub fn folder_of<'m>(estate: &Estate<'m>, file: FileId) -> &'m str {
    folder(estate.documents.tree.path(file))
}
