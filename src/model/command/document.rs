//! The commands of every file that has any, each file read once.

use super::Command;
use crate::model::kind::Kind;
use crate::model::load::{Document, Documents};
use crate::text::Mapped;
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
        Kind::Makefile => super::of_makefile(document.file, text),
        Kind::Justfile => super::of_justfile(document.file, text),
        Kind::Jenkinsfile => super::of_jenkinsfile(document.file, text),
        Kind::Dockerfile => super::of_dockerfile(document.file, text),
        Kind::SystemdUnit => super::of_unit(document.file, &Mapped::verbatim(text, 0)),
        Kind::Compose => document.yaml().map(|yaml| super::of_compose(document.file, text, yaml)).unwrap_or_default(),
        Kind::CloudInit => {
            document.yaml().map(|yaml| super::of_cloud_init(document.file, text, yaml)).unwrap_or_default()
        }
        Kind::Workflow if path.ends_with("package.json") => {
            document.yaml().map(|yaml| super::of_package(document.file, text, yaml)).unwrap_or_default()
        }
        Kind::Workflow => document.yaml().map(|yaml| super::of_ci(document.file, path, text, yaml)).unwrap_or_default(),
        _ => Vec::new(),
    }
}
