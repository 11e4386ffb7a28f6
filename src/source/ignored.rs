//! What the `.gitignore` files of a tree say, decided from their text alone.

use super::{Tree, file_name, folder};
use crate::text::{FileId, Loc, Span};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The ignore files of a tree.
#[derive(Debug, Default)]
pub struct Ignores {
    files: Vec<IgnoreFile>,
}

#[derive(Debug)]
struct IgnoreFile {
    id: FileId,
    folder: String,
    matcher: Gitignore,
}

/// One pattern of an ignore file.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Where it stands.
    pub loc: Loc,
    /// As written, spaces trimmed.
    pub text: String,
    /// The folder that it speaks of.
    pub folder: String,
}

impl Ignores {
    /// Reads every `.gitignore` of the tree.
    #[must_use]
    pub fn new(tree: &Tree) -> Self {
        let named = tree.iter().filter(|(_, file)| file_name(&file.path) == ".gitignore");
        let files = named
            .map(|(id, file)| {
                let folder = folder(&file.path).to_owned();
                let mut builder = GitignoreBuilder::new("/");
                for line in tree.text(id).lines() {
                    // A pattern that does not parse matches nothing, as in Git.
                    let _ = builder.add_line(None, line);
                }
                IgnoreFile { id, folder, matcher: builder.build().unwrap_or_else(|_| Gitignore::empty()) }
            })
            .collect();
        Self { files }
    }

    /// Whether a path of the tree is ignored: the nearest ignore file that speaks of it decides.
    #[must_use]
    pub fn ignores(&self, path: &str) -> bool {
        let mut relevant: Vec<&IgnoreFile> = self.files.iter().filter(|file| below(&file.folder, path)).collect();
        relevant.sort_by_key(|file| std::cmp::Reverse(file.folder.len()));
        for file in relevant {
            let relative = if file.folder.is_empty() { path } else { &path[file.folder.len() + 1..] };
            match file.matcher.matched_path_or_any_parents(format!("/{relative}"), false) {
                ignore::Match::Ignore(_) => return true,
                ignore::Match::Whitelist(_) => return false,
                ignore::Match::None => {}
            }
        }
        false
    }

    /// Every pattern, in path and line order.
    pub fn patterns<'a>(&'a self, tree: &'a Tree) -> impl Iterator<Item = Pattern> + 'a {
        self.files.iter().flat_map(move |file| {
            let text = tree.text(file.id);
            let mut at = 0;
            text.split_inclusive('\n').filter_map(move |line| {
                let start = at;
                at += line.len();
                let pattern = line.trim();
                if pattern.is_empty() || pattern.starts_with('#') {
                    return None;
                }
                let start = start + line.find(pattern).unwrap_or(0);
                let loc = Loc { file: file.id, span: Span::new(start, start + pattern.len()) };
                Some(Pattern { loc, text: pattern.to_owned(), folder: file.folder.clone() })
            })
        })
    }
}

impl Pattern {
    /// Whether this pattern alone would ignore a file of that name in its folder.
    #[must_use]
    pub fn ignores(&self, path: &str) -> bool {
        let mut builder = GitignoreBuilder::new("/");
        let _ = builder.add_line(None, &self.text);
        builder.build().is_ok_and(|matcher| matcher.matched_path_or_any_parents(format!("/{path}"), false).is_ignore())
    }
}

fn below(folder: &str, path: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::File;

    #[test]
    fn nearest_file_decides() {
        let file = |path: &str, text: &str| File::in_memory(path, text.as_bytes().to_vec(), true);
        let tree = Tree::new(
            vec![
                file(".gitignore", "*.tfstate\n.terraform/\n# note\n**/*.lock.hcl\n"),
                file("keep/.gitignore", "!special.tfstate\n"),
            ],
            None,
        );
        let ignores = Ignores::new(&tree);
        assert!(ignores.ignores("a/b/terraform.tfstate"));
        assert!(ignores.ignores("a/.terraform/providers/x"));
        assert!(!ignores.ignores("keep/special.tfstate"));
        assert!(!ignores.ignores("a/main.tf"));
        let patterns: Vec<Pattern> = ignores.patterns(&tree).collect();
        assert_eq!(patterns[2].text, "**/*.lock.hcl");
        assert!(patterns[2].ignores(".terraform.lock.hcl"));
        assert_eq!(tree.slice(patterns[2].loc), "**/*.lock.hcl");
        assert_eq!(tree.line(patterns[2].loc), 4);
    }
}
