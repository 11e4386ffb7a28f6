//! The commands of every file that has any, each file read once.

use super::{Command, Site};
use crate::model::kind::Kind;
use crate::model::load::{Document, Documents};
use crate::syntax::hcl::{self, Expr, ExprKind};
use crate::text::{FileId, Mapped, Span};
use crate::value::Value;
use rayon::prelude::*;

/// The commands of all files, in path and source order.
#[must_use]
pub fn of_documents(documents: &Documents<'_>) -> Vec<Command> {
    let of_files: Vec<Vec<Command>> =
        documents.list.par_iter().map(|document| of_document(documents, document)).collect();
    of_files.into_iter().flatten().collect()
}

fn of_document(documents: &Documents<'_>, document: &Document) -> Vec<Command> {
    let text = documents.tree.text(document.file);
    let path = documents.tree.path(document.file);
    match document.kind {
        Kind::Shell => super::of_script(document.file, text),
        Kind::Program => super::of_program(document.file, path, text),
        Kind::PowerShell => super::of_powershell(document.file, text),
        Kind::Mise => super::of_mise(document.file, text),
        Kind::Makefile => super::of_makefile(document.file, text),
        Kind::Justfile => super::of_justfile(document.file, text),
        Kind::Jenkinsfile => super::of_jenkinsfile(document.file, text),
        Kind::Dockerfile => super::of_dockerfile(document.file, text),
        Kind::SystemdUnit => super::of_unit(document.file, &Mapped::verbatim(text, 0)),
        Kind::Terragrunt => document.hcl().map(|hcl| of_hooks(document.file, hcl)).unwrap_or_default(),
        Kind::Crontab => {
            // Tables of the system name a user before the command.
            let user = path.contains("cron.d/") || path.ends_with("etc/crontab");
            super::of_crontab(document.file, &Mapped::verbatim(text, 0), user)
        }
        Kind::Compose => document.yaml().map(|yaml| super::of_compose(document.file, text, yaml)).unwrap_or_default(),
        Kind::CloudInit => {
            document.yaml().map(|yaml| super::of_cloud_init(document.file, text, yaml)).unwrap_or_default()
        }
        Kind::Workflow if path.ends_with("package.json") => {
            document.yaml().map(|yaml| super::of_package(document.file, text, yaml)).unwrap_or_default()
        }
        Kind::Manifest if text.contains("CronJob") => {
            document.yaml().map(|yaml| super::of_cron_jobs(document.file, path, text, yaml)).unwrap_or_default()
        }
        Kind::Workflow => document.yaml().map(|yaml| super::of_ci(document.file, path, text, yaml)).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// What the hooks of a Terragrunt unit execute.
fn of_hooks(file: FileId, hcl: &hcl::File) -> Vec<Command> {
    let mut out = Vec::new();
    let hooks = hcl.body.blocks.iter().filter(|block| &*block.kind == "terraform").flat_map(|block| &block.body.blocks);
    for hook in hooks.filter(|block| matches!(&*block.kind, "before_hook" | "after_hook" | "error_hook")) {
        let Some(execute) = hook.body.attribute("execute") else { continue };
        if let ExprKind::List(words) = &execute.value.kind {
            super::of_argv(words.iter().map(word).collect(), file, &Site::Provisioner, &mut out);
        }
    }
    out
}

fn word(expr: &Expr) -> (Value, Span) {
    let value = match &expr.kind {
        ExprKind::Str(text) => Value::known(&**text),
        _ => Value::unknown("it is evaluated by Terragrunt"),
    };
    (value, expr.span)
}
