//! A change: what a commit or a branch makes of a project, and what was there before. Both are whole trees; what did not
//! change is one file in both, and is read once.

use super::{File, MAX_BYTES, Tree, disk, file_name, git};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is said when Git cannot compare: blobs that a clone left out are not fetched here.
const INCOMPLETE: &str = "stateward: contents of the revision before are not in this clone, so that nothing can be compared; clone without `--filter`, or fetch what was left out (`git fetch --refetch --no-filter`)";
/// Of submodules their commit tells enough: no Git is started in them.
const SUBMODULES: &str = "--ignore-submodules=dirty";

/// Two revisions of a project.
#[derive(Debug)]
pub struct Change {
    /// What is judged.
    pub after: Tree,
    /// What was there before; none when everything counts as new.
    pub before: Option<Before>,
}

/// What was there before a change.
#[derive(Debug, Default)]
pub struct Before {
    /// The files. Their configuration is that of the tree after the change: both sides are judged alike.
    pub tree: Tree,
    /// The configuration files that the change touches, as they were.
    pub configuration: Tree,
    /// Their paths, whether they were there or not.
    pub configured: BTreeSet<Box<str>>,
    /// Where files are now that had another path.
    pub renamed: BTreeMap<Box<str>, Box<str>>,
}

/// One path of a comparison.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    /// Where it is now.
    path: String,
    /// Where it was.
    old_path: String,
    /// `100644`, `100755`, `120000`, `160000`; `000000` when it was not there.
    old_mode: String,
    old_blob: String,
    /// Whether it is there now.
    is_there: bool,
    /// Whether it is a file or a link now.
    is_file: bool,
}

/// What the next commit makes of the project: the index against the commit that is checked out. When they are equal, or there
/// is no commit yet, everything in the index counts as new.
///
/// `keep` tells of a path whether its content is judged; of others only the beginning is read.
///
/// # Errors
/// A sentence, when there is no Git here or it does not answer.
pub fn staged(root: &Path, keep: &dyn Fn(&str) -> bool) -> Result<Change, String> {
    let after = index(root, keep)?;
    let head = git::answer(root, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
    let Some(head) = head else { return Ok(Change { after, before: None }) };
    let place = Place::of(root)?;
    let all = Place::compare(root, &["--cached", "-M", head.trim()]).ok_or(INCOMPLETE)?;
    if all.is_empty() {
        return Ok(Change { after, before: None });
    }
    let before = before(root, &after, place.inside(all), keep)?;
    Ok(Change { after, before: Some(before) })
}

/// What the work tree makes of the project since it left another branch: `tree` against the merge base of `HEAD` and a
/// revision.
///
/// # Errors
/// A sentence, when there is no Git here, no such revision, or no commit in common.
pub fn since(root: &Path, tree: Tree, revision: &str, keep: &dyn Fn(&str) -> bool) -> Result<Change, String> {
    let place = Place::of(root)?;
    let commit = format!("{revision}^{{commit}}");
    let known = git::answer(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]);
    let Some(known) = known else {
        return Err(format!(
            "stateward: --since: `{revision}` is no commit of this clone; fetch it first (`git fetch origin`, or `fetch-depth: 0` in a workflow)"
        ));
    };
    let Some(base) = git::answer(root, &["merge-base", known.trim(), "HEAD"]) else {
        return Err(format!(
            "stateward: --since: this clone holds no commit that `{revision}` and HEAD have in common; fetch more of the history (`git fetch --unshallow`, or `fetch-depth: 0` in a workflow)"
        ));
    };
    let differences = Place::compare(root, &["-M", base.trim()]).ok_or(INCOMPLETE)?;
    let before = before(root, &tree, place.inside(differences), keep)?;
    Ok(Change { after: tree, before: Some(before) })
}

/// The files of the index: those of the work tree, and what is staged of those that have been changed since.
fn index(root: &Path, keep: &dyn Fn(&str) -> bool) -> Result<Tree, String> {
    let tree = disk::tree(root).map_err(|error| format!("stateward: {}: {error}", root.display()))?;
    if !tree.git {
        return Err("stateward: --staged: there is no Git work tree here".to_owned());
    }
    let place = Place::of(root)?;
    let arguments = ["diff-files", "-z", "--raw", "--no-renames", "--no-abbrev", SUBMODULES];
    let unstaged = git::differences(root, &arguments, difference);
    let unstaged = unstaged.ok_or("stateward: git does not tell what is staged")?;
    let unstaged: Vec<Difference> = place.inside(unstaged).filter(|it| is_of(&tree, &it.path)).collect();
    let staged = contents(root, &unstaged, keep)?;
    let stale: BTreeSet<&str> = unstaged.iter().map(|it| it.path.as_str()).collect();
    let without = |file: &File| !file.tracked || stale.contains(&*file.path);
    Ok(tree.exchanged(&without, staged).relinked())
}

/// The tree before a change that ends in `after`.
fn before(
    root: &Path,
    after: &Tree,
    differences: impl Iterator<Item = Difference>,
    keep: &dyn Fn(&str) -> bool,
) -> Result<Before, String> {
    let is_config = |path: &str| file_name(path) == disk::CONFIG;
    // What the index names and a sparse work tree lacks is on neither side.
    let is_absent = |it: &Difference| it.is_file && after.find(&it.path).is_none();
    let (configuration, other): (Vec<_>, Vec<_>) = differences
        .filter(|it| is_of(after, &it.path) && is_of(after, &it.old_path) && !is_absent(it))
        .partition(|it| is_config(&it.old_path) || is_config(&it.path));
    let mut files = contents(root, &other, keep)?;
    let touched = configuration.iter().flat_map(|it| [it.path.as_str().into(), it.old_path.as_str().into()]);
    let untracked = after.iter().filter(|(_, file)| !file.tracked && is_config(&file.path));
    let configured = touched.chain(untracked.map(|(_, file)| file.path.clone())).collect();
    // What holds in a folder held there under its old name too.
    files.extend(configuration.iter().filter(|it| it.old_path != it.path && is_config(&it.path)).filter_map(|it| {
        let file = after.file(after.find(&it.path)?);
        is_config(&it.old_path).then(|| file.shown_at(&it.old_path))
    }));
    let configuration = Tree::new(contents(root, &configuration, keep)?, None);
    let came: BTreeSet<&str> = other.iter().map(|it| it.path.as_str()).collect();
    let is_new = |file: &File| !file.tracked && !is_config(&file.path) || came.contains(&*file.path);
    let tree = after.exchanged(&is_new, files).relinked();
    let renamed = other.iter().filter(|it| it.old_path != it.path && it.is_there);
    let renamed = renamed.map(|it| (it.old_path.as_str().into(), it.path.as_str().into())).collect();
    Ok(Before { tree, configuration, configured, renamed })
}

/// Whether a path is not of a project of its own below.
fn is_of(tree: &Tree, path: &str) -> bool {
    let below = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    !tree.nested.iter().any(|folder| below(folder))
}

/// The files that differences were.
fn contents(root: &Path, differences: &[Difference], keep: &dyn Fn(&str) -> bool) -> Result<Vec<File>, String> {
    let was_file = |it: &&Difference| is_file(&it.old_mode);
    let mut files = Vec::new();
    for whole in [true, false] {
        let chosen: Vec<&Difference> =
            differences.iter().filter(was_file).filter(|it| keep(&it.old_path) == whole).collect();
        let ids: Vec<&str> = chosen.iter().map(|it| it.old_blob.as_str()).collect();
        // One byte more than is read tells that it is too large.
        let limit = if whole { MAX_BYTES + 1 } else { super::HEAD_BYTES as u64 };
        let mut come = vec![false; ids.len()];
        let answered = git::blobs(root, &ids, limit, &mut |at, _, bytes| {
            come[at] = true;
            files.push(file(chosen[at], bytes));
        });
        let missing = chosen.iter().zip(&come).filter(|(_, come)| !**come).map(|(it, _)| file(it, &[]));
        // Of what is not judged anyway, that it was there is enough.
        let missing: Vec<File> = missing.collect();
        if !answered || whole && !missing.is_empty() {
            return Err(INCOMPLETE.to_owned());
        }
        files.extend(missing);
    }
    Ok(files)
}

fn file(difference: &Difference, bytes: &[u8]) -> File {
    let path = &difference.old_path;
    if difference.old_mode != "120000" {
        let mut file = File::in_memory(path, bytes.to_vec(), true);
        file.executable = difference.old_mode == "100755";
        return file;
    }
    // What it shows is known when the tree is whole.
    let mut file = File::outside(path, true);
    file.symlink = Some(String::from_utf8_lossy(bytes).into_owned().into());
    file
}

/// The folder of a project in its work tree: `""`, or `a/b/`.
struct Place(String);

impl Place {
    fn of(root: &Path) -> Result<Self, String> {
        let prefix = git::answer(root, &["rev-parse", "--show-prefix"]);
        let prefix = prefix.ok_or("stateward: there is no Git work tree here, so that a change cannot be seen")?;
        Ok(Self(prefix.trim_end_matches('\n').to_owned()))
    }

    /// What differs between a commit and the index or the work tree.
    fn compare(root: &Path, options: &[&str]) -> Option<Vec<Difference>> {
        let own = ["diff-index", "-z", "--raw", "--no-abbrev", "--no-ext-diff", SUBMODULES];
        let arguments = [&own, options, &["--"]].concat();
        git::differences(root, &arguments, difference)
    }

    /// What lies in the project, with its paths there.
    fn inside(&self, differences: Vec<Difference>) -> impl Iterator<Item = Difference> + '_ {
        differences.into_iter().filter_map(|it| {
            let (new, old) = (it.path.strip_prefix(&self.0), it.old_path.strip_prefix(&self.0));
            let absent = || "000000".to_owned();
            match (new, old) {
                (Some(path), Some(old_path)) => {
                    Some(Difference { path: path.to_owned(), old_path: old_path.to_owned(), ..it })
                }
                // What comes from outside was not there, and what goes there is gone.
                (Some(path), None) => {
                    Some(Difference { path: path.to_owned(), old_path: path.to_owned(), old_mode: absent(), ..it })
                }
                (None, Some(path)) => {
                    let (path, old_path) = (path.to_owned(), path.to_owned());
                    Some(Difference { path, old_path, is_there: false, is_file: false, ..it })
                }
                (None, None) => None,
            }
        })
    }
}

/// Reads `:<mode> <mode> <blob> <blob> <status>` and one or two paths.
fn difference(header: &str, path: String, other: Option<String>) -> Option<Difference> {
    let mut words = header.strip_prefix(':')?.split(' ');
    let (old_mode, mode, old_blob) = (words.next()?, words.next()?, words.next()?);
    let is_file = is_file(mode);
    let status = words.nth(1)?;
    let (old_path, path) = match other {
        Some(new) => (path, new),
        None => (path.clone(), path),
    };
    let (old_mode, old_blob) = (old_mode.to_owned(), old_blob.to_owned());
    Some(Difference { path, old_path, old_mode, old_blob, is_there: !status.starts_with('D'), is_file })
}

/// Whether a mode is that of a file or of a link.
fn is_file(mode: &str) -> bool {
    mode.starts_with("100") || mode == "120000"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read() {
        let modified = difference(":100644 100755 aa bb M", "a.tf".to_owned(), None).unwrap();
        assert_eq!((modified.old_mode.as_str(), modified.old_blob.as_str(), modified.is_there), ("100644", "aa", true));
        let renamed = difference(":100644 100644 aa bb R097", "a.tf".to_owned(), Some("b.tf".to_owned())).unwrap();
        assert_eq!((renamed.old_path.as_str(), renamed.path.as_str()), ("a.tf", "b.tf"));
        let gone = difference(":100644 000000 aa 00 D", "a.tf".to_owned(), None).unwrap();
        assert!(!gone.is_there);
        assert_eq!(difference("100644", "a.tf".to_owned(), None), None);
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let of = |old: &str, new: &str| {
            difference(":100644 100644 aa bb R090", old.to_owned(), Some(new.to_owned())).unwrap()
        };
        let place = Place("infra/".to_owned());
        let inside = |old: &str, new: &str| place.inside(vec![of(old, new)]).next();
        assert_eq!(inside("app/a", "app/b"), None);
        let within = inside("infra/a", "infra/b").unwrap();
        assert_eq!((within.old_path.as_str(), within.path.as_str()), ("a", "b"));
        let came = inside("app/a", "infra/b").unwrap();
        assert_eq!((came.path.as_str(), came.old_mode.as_str()), ("b", "000000"));
        let left = inside("infra/a", "app/b").unwrap();
        assert_eq!((left.old_path.as_str(), left.is_there), ("a", false));
    }
}
