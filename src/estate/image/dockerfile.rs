//! What Dockerfiles put into images: data and control state, by what they copy and run.

use super::Baked;
use super::deed::{self, Content, Deed, Does};
use super::shipped;
use crate::estate::Estate;
use crate::estate::task::is_test_path;
use crate::model::command::{Site, copied};
use crate::model::kind::Kind;
use crate::source::{Tree, folder, join};
use crate::text::{FileId, Loc};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// What each Dockerfile bakes in, in path and line order.
#[must_use]
pub fn copies(estate: &Estate<'_>) -> Vec<Baked> {
    let mut found = Vec::new();
    for document in estate.documents.of(&[Kind::Dockerfile]) {
        let path = estate.documents.tree.path(document.file);
        if !is_test_path(path) {
            copies_of(estate.documents.tree, document.file, &mut found);
        }
    }
    for invocation in estate.invocations.iter().filter(|it| it.command.site == Site::Dockerfile) {
        let loc = invocation.command.loc;
        if runs_later(estate.documents.tree.text(loc.file), loc.span.start as usize) {
            continue;
        }
        let command = &invocation.command;
        let mut deeds: Vec<Deed> = Vec::new();
        let ran = estate.documents.tree.slice(command.loc);
        if is_test_path(estate.documents.tree.path(command.loc.file)) || ran.is_empty() {
            continue;
        }
        deed::of_command(command, false, &mut deeds);
        found.extend(deeds.into_iter().filter_map(|deed| match deed.does {
            Does::Bakes(Content::Data, about, evidence) => {
                Some(Baked { what: Content::Data, about, evidence, text: deed.text, loc: deed.loc })
            }
            _ => None,
        }));
    }
    found
}

fn copies_of(tree: &Tree, file: FileId, found: &mut Vec<Baked>) {
    let text = tree.text(file);
    let own = folder(tree.path(file));
    let ignored = ignored(tree, tree.path(file));
    for copied in copied(text).into_iter().filter(|copied| copied.shipped) {
        for written in &copied.sources {
            // A Dockerfile below the root may be built with another folder: what is not beside it is looked for above.
            let plain = written.trim_end_matches('*');
            let here = join(own, plain).unwrap_or_default();
            let exists = |path: &str| tree.find(path).is_some() || tree.below(path).next().is_some();
            let whole = matches!(plain, "." | "./" | "/" | "");
            let from = if exists(&here) || whole {
                here
            } else {
                join("", plain).filter(|path| exists(path)).unwrap_or_else(|| plain.to_owned())
            };
            let kept = |path: &str| {
                let relative = if own.is_empty() {
                    Some(path)
                } else {
                    path.strip_prefix(own).and_then(|rest| rest.strip_prefix('/'))
                };
                relative.is_none_or(|relative| {
                    !ignored.matched_path_or_any_parents(format!("/{relative}"), false).is_ignore()
                })
            };
            let Some(shipped) = shipped::judge(tree, &from, &copied.to, &kept) else { continue };
            if !matches!(shipped.what, Content::Data | Content::ControlState) || !kept(&shipped.evidence) {
                continue;
            }
            found.push(Baked {
                what: shipped.what,
                about: Some(copied.to.as_str().into()),
                evidence: Some(shipped.evidence.into()),
                text: format!("COPY {written} {}", copied.to).into(),
                loc: Loc { file, span: copied.span },
            });
        }
    }
}

/// Whether the instruction around a place is run by the container and not by the build.
fn runs_later(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let mut lines = before.rsplit('\n');
    let mut first = lines.next().unwrap_or_default();
    // A line that ends with a backslash goes on in the next.
    while let Some(above) = lines.next().filter(|above| above.trim_end().ends_with('\\')) {
        first = above;
    }
    let word = first.split_whitespace().next().unwrap_or_default();
    ["CMD", "ENTRYPOINT", "HEALTHCHECK"].iter().any(|own| word.eq_ignore_ascii_case(own))
}

/// What `.dockerignore` leaves out: that of the Dockerfile's own name, else that of its folder. Its patterns begin at the folder.
fn ignored(tree: &Tree, dockerfile: &str) -> Gitignore {
    let own = folder(dockerfile);
    let beside = join(own, ".dockerignore").and_then(|path| tree.find(&path));
    let Some(file) = tree.find(&format!("{dockerfile}.dockerignore")).or(beside) else { return Gitignore::empty() };
    let mut builder = GitignoreBuilder::new("/");
    for line in tree.text(file).lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (not, pattern) = line.strip_prefix('!').map_or(("", line), |rest| ("!", rest));
        let pattern = pattern.trim_start_matches("./").trim_start_matches('/');
        // A pattern that does not parse matches nothing.
        let _ = builder.add_line(None, &format!("{not}/{pattern}"));
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}
