//! Files on disk: the project around a path, and everything in it that Git tracks or would track.

use super::{File, Tree, git};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The name of the configuration file.
pub const CONFIG: &str = ".stateward.yaml";

/// The project that contains `path`: the nearest folder above it whose configuration says `root: true`, else the Git work
/// tree, else the path itself (its folder, for a file).
///
/// # Errors
/// When the path cannot be read.
pub fn project(path: &Path) -> io::Result<PathBuf> {
    let full = path.canonicalize()?;
    let folder = if full.is_dir() { full.as_path() } else { full.parent().unwrap_or(&full) };
    let marked = folder.ancestors().find(|folder| says_root(&folder.join(CONFIG)));
    if let Some(root) = marked {
        return Ok(root.to_path_buf());
    }
    let work_tree = folder.ancestors().find(|folder| folder.join(".git").exists());
    Ok(work_tree.unwrap_or(folder).to_path_buf())
}

/// Whether a configuration file says `root: true` at its top level; what is wrong in it is reported when it is loaded.
fn says_root(config: &Path) -> bool {
    std::fs::read_to_string(config).is_ok_and(|text| root_mark(&text))
}

fn root_mark(text: &str) -> bool {
    text.lines().any(|line| {
        line.strip_prefix("root:").is_some_and(|value| value.split('#').next().unwrap_or("").trim() == "true")
    })
}

/// The tree of the project at `root`: tracked files, and untracked ones that no ignore rule names. Folders below that are
/// projects of their own are left out.
///
/// # Errors
/// When the folder cannot be listed.
pub fn tree(root: &Path) -> io::Result<Tree> {
    let listing = match git::list(root) {
        Some(listing) => listing,
        None => walk(root)?,
    };
    let nested: Vec<String> = listing
        .entries
        .iter()
        .filter_map(|entry| entry.path.strip_suffix(CONFIG)?.strip_suffix('/'))
        .filter(|folder| says_root(&root.join(folder).join(CONFIG)))
        .map(|folder| format!("{folder}/"))
        .collect();
    let outside = |path: &str| nested.iter().any(|folder| path.starts_with(folder));
    let inside = root.canonicalize()?;
    let mut files = Vec::with_capacity(listing.entries.len());
    for entry in listing.entries.into_iter().filter(|entry| !outside(&entry.path)) {
        let full = root.join(&entry.path);
        let leaves = || full.canonicalize().is_ok_and(|target| !target.starts_with(&inside));
        let mut file = if entry.symlink && leaves() {
            File::outside(&entry.path, entry.tracked)
        } else {
            File::on_disk(&entry.path, full.clone(), entry.tracked)
        };
        file.executable = entry.executable;
        if entry.symlink {
            file.symlink = std::fs::read_link(&full).ok().map(|to| to.to_string_lossy().into_owned().into());
        }
        files.push(file);
    }
    let mut tree = Tree::new(files, Some(root.to_path_buf()));
    tree.submodules = listing.submodules.into_iter().filter(|path| !outside(path)).map(Into::into).collect();
    tree.absent = listing.absent.into_iter().filter(|absent| !outside(&absent.path)).collect();
    tree.nested = nested.iter().map(|folder| folder.trim_end_matches('/').into()).collect();
    tree.git = listing.git;
    Ok(tree)
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// Its files.
    pub entries: Vec<Entry>,
    /// Its submodules.
    pub submodules: Vec<String>,
    /// Files of the index that the work tree lacks.
    pub absent: Vec<Absent>,
    /// Whether Git made the list.
    pub git: bool,
}

/// A file of the index that the work tree lacks.
#[derive(Debug)]
pub struct Absent {
    /// Relative path, with `/`.
    pub path: Box<str>,
    /// The name of its content in Git.
    pub blob: Box<str>,
}

/// A listed file.
#[derive(Debug)]
pub struct Entry {
    /// Relative path, with `/`.
    pub path: String,
    /// In the index.
    pub tracked: bool,
    /// Has the executable bit.
    pub executable: bool,
    /// Is a symbolic link.
    pub symlink: bool,
}

/// The same for a plain folder: everything that no ignore file names.
fn walk(root: &Path) -> io::Result<Listing> {
    std::fs::read_dir(root)?;
    let found: Mutex<Vec<Entry>> = Mutex::default();
    let walker = ignore::WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .git_global(false)
        .parents(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build_parallel();
    walker.run(|| {
        Box::new(|result| {
            // A folder that cannot be entered holds no file that could be judged.
            let Ok(entry) = result else { return ignore::WalkState::Continue };
            let Some(kind) = entry.file_type() else { return ignore::WalkState::Continue };
            if kind.is_dir() {
                return ignore::WalkState::Continue;
            }
            if let Ok(relative) = entry.path().strip_prefix(root) {
                let path = relative.to_string_lossy().replace('\\', "/");
                let executable = is_executable(entry.path());
                if let Ok(mut list) = found.lock() {
                    list.push(Entry { path, tracked: false, executable, symlink: kind.is_symlink() });
                }
            }
            ignore::WalkState::Continue
        })
    });
    let entries = found.into_inner().unwrap_or_default();
    Ok(Listing { entries, ..Listing::default() })
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_marks() {
        assert!(root_mark("# ours\nroot: true # fixture\n"));
        assert!(!root_mark("nested:\n  root: true\n"));
        assert!(!root_mark("root: false\n"));
    }

    #[test]
    fn plain_folders_honour_ignore_files() {
        let root = std::env::temp_dir().join(format!("stateward-walk-{}", std::process::id()));
        std::fs::create_dir_all(root.join("a/inner")).unwrap();
        std::fs::write(root.join(".gitignore"), "*.tfstate\n").unwrap();
        std::fs::write(root.join("a/x.tfstate"), "{}").unwrap();
        std::fs::write(root.join("a/main.tf"), "").unwrap();
        std::fs::write(root.join("a/inner/.stateward.yaml"), "root: true\n").unwrap();
        std::fs::write(root.join("a/inner/main.tf"), "").unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/etc/hostname", root.join("a/out.tf")).unwrap();
            let tree = tree(&root).unwrap();
            assert!(tree.file(tree.find("a/out.tf").unwrap()).text().is_err());
            std::fs::remove_file(root.join("a/out.tf")).unwrap();
        }
        let tree = tree(&root).unwrap();
        let paths: Vec<&str> = tree.iter().map(|(_, file)| &*file.path).collect();
        assert_eq!(paths, [".gitignore", "a/main.tf"]);
        assert_eq!(project(&root.join("a/inner/main.tf")).unwrap(), root.join("a/inner").canonicalize().unwrap());
        std::fs::remove_dir_all(&root).unwrap();
    }
}
