//! Folders and files that provisioners of Terraform upload: playbooks that run on the machine name them by their paths there.

use crate::model::kind::Kind;
use crate::model::load::Documents;
use crate::source::{Tree, file_name, folder, join};
use crate::syntax::hcl::{Block, ExprKind, Part};
use crate::text::{FileId, Loc};
use std::collections::BTreeSet;

/// More uploads than this are not kept.
const MAX_UPLOADS: usize = 256;

/// What is uploaded, and which playbooks are run where they were uploaded to.
#[derive(Default)]
pub(super) struct Uploads {
    /// The path on the machine, and that in the repository; the longest first.
    paths: Vec<(String, String)>,
    /// Paths of playbooks on machines.
    run: BTreeSet<String>,
}

impl Uploads {
    pub(super) fn of(documents: &Documents<'_>) -> Self {
        let (mut found, mut run) = (BTreeSet::new(), BTreeSet::new());
        for document in documents.of(&[Kind::Terraform]) {
            let here = folder(documents.tree.path(document.file));
            let resources = document.hcl().into_iter().flat_map(|file| file.body.blocks_of("resource"));
            for provisioner in resources.flat_map(|block| block.body.blocks_of("provisioner")) {
                if provisioner.label(0) == Some("file") && found.len() < MAX_UPLOADS {
                    found.extend(one(documents.tree, here, provisioner));
                }
                let text = documents.tree.slice(Loc { file: document.file, span: provisioner.span });
                if provisioner.label(0) == Some("remote-exec") && text.contains("ansible-playbook") {
                    run.extend(playbooks(text).map(str::to_owned));
                }
            }
        }
        // The longest path decides.
        let mut paths: Vec<(String, String)> = found.into_iter().collect();
        paths.sort_by_key(|(there, _)| std::cmp::Reverse(there.len()));
        Self { paths, run }
    }

    /// The path in the repository of what lies at a path of the machine.
    pub(super) fn home(&self, tree: &Tree, path: &str) -> Option<String> {
        let exists = |path: &String| tree.find(path).is_some() || tree.below(path).next().is_some();
        self.paths.iter().find_map(|(there, here)| {
            let rest = path.strip_prefix(there.as_str())?;
            if rest.is_empty() {
                return Some(here.clone());
            }
            let rest = rest.strip_prefix('/')?;
            // Into a folder that exists already, a folder is put under its own name.
            let named = rest.strip_prefix(file_name(here)).and_then(|rest| rest.strip_prefix('/'));
            [Some(rest), named].into_iter().flatten().map(|rest| format!("{here}/{rest}")).find(exists)
        })
    }

    /// The playbooks that a text names by their paths on the machine.
    pub(super) fn named(&self, tree: &Tree, text: &str) -> BTreeSet<FileId> {
        playbooks(text).filter_map(|path| tree.find(&self.home(tree, path)?)).collect()
    }

    /// The playbooks that run on the machine to which they were uploaded.
    pub(super) fn played(&self, tree: &Tree) -> BTreeSet<FileId> {
        self.run.iter().filter_map(|path| tree.find(&self.home(tree, path)?)).collect()
    }
}

/// The words of a text that may be the paths of playbooks on a machine.
fn playbooks(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ',' | ';'));
    words.filter(|word| word.starts_with('/') && [".yml", ".yaml"].iter().any(|end| word.ends_with(end)))
}

fn one(tree: &Tree, here: &str, provisioner: &Block) -> Option<(String, String)> {
    let text = |name: &str| match &provisioner.body.attribute(name)?.value.kind {
        ExprKind::Str(text) => Some(text.to_string()),
        // `${path.module}/files`
        ExprKind::Template(parts) => match parts.as_slice() {
            [Part::Interp(..), Part::Lit(rest, ..)] if rest.starts_with('/') => Some(format!(".{rest}")),
            _ => None,
        },
        _ => None,
    };
    let (source, there) = (text("source")?, text("destination")?);
    let there = there.trim_end_matches('/');
    // Terraform is run in the folder of its root, or in that of the repository.
    let exists = |path: &String| !path.is_empty() && (tree.find(path).is_some() || tree.below(path).next().is_some());
    let source = source.trim_end_matches('/');
    let home = [here, ""].iter().filter_map(|base| join(base, source)).find(exists)?;
    there.starts_with('/').then(|| (there.to_owned(), home))
}
