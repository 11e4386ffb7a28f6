//! Files of earlier commits, by asking `git`: which paths there were, in which commits, and what was in those that matter.
//! Names are looked at first; contents are read only where a name allows, in one stream, within a budget.

use super::{File, git};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The first digits of its name.
    pub id: Box<str>,
    /// The day on which it was made, `YYYY-MM-DD`.
    pub date: Box<str>,
}

/// A path of earlier commits.
#[derive(Debug)]
pub struct Past {
    /// The path; the content is no longer there.
    pub file: File,
    /// What the last version that counts began with.
    pub content: Vec<u8>,
    /// The first commit that brought what counts.
    pub first: Commit,
    /// The last one.
    pub last: Commit,
    /// The one that took the path away, if it stayed away.
    pub removed: Option<Commit>,
}

/// How a path is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It has a name of what is looked for.
    Named,
    /// What is in it decides.
    Content,
    /// Not at all.
    Never,
}

/// What is looked for.
pub struct Wanted<'a> {
    /// How a path is looked at.
    pub look: &'a dyn Fn(&str) -> Look,
    /// Whether a content is one that counts; it may be cut off.
    pub counts: &'a dyn Fn(&str, &[u8]) -> bool,
}

/// What history holds.
#[derive(Debug, Default)]
pub struct Found {
    /// By path.
    pub past: Vec<Past>,
    /// Whether the clone is shallow, so that history ends before its beginning.
    pub shallow: bool,
    /// Whether some contents were left out, because they were too many, too large, or not in the clone.
    pub cut: bool,
}

/// Digits of a commit's name that are shown.
const DIGITS: usize = 10;
/// So much of each content is kept at most.
const MAX_CONTENT: u64 = super::MAX_BYTES;
/// So much is read in all; then the rest is left out.
const MAX_READ: u64 = 256 << 20;
/// So many versions of files are followed.
const MAX_VERSIONS: usize = 200_000;
/// What is smaller holds nothing.
const MIN_CONTENT: u64 = 16;

/// One version of a path: its content, and the commit that brought it, by number.
struct Version {
    blob: Box<str>,
    commit: usize,
}

/// Everything that is known of a path.
#[derive(Default)]
struct Known {
    /// The newest first.
    versions: Vec<Version>,
    /// The newest commit that took it away, if that is newer than all versions.
    removed: Option<usize>,
}

#[derive(Default)]
struct Log {
    commits: Vec<Commit>,
    paths: BTreeMap<String, Known>,
    versions: usize,
    cut: bool,
}

/// Searches the history of what is checked out at `root`; none without Git or without a commit.
#[must_use]
pub fn search(root: &Path, wanted: &Wanted<'_>) -> Option<Found> {
    let shape = git::answer(root, &["rev-parse", "--is-shallow-repository", "--show-prefix"])?;
    let mut lines = shape.lines();
    let shallow = lines.next() == Some("true");
    let prefix = lines.next().unwrap_or("");
    let mut log = read_log(root, prefix, wanted)?;
    let tracked = tracked(root)?;
    // What is tracked today is told where it lies today.
    for path in log.paths.values_mut() {
        path.versions.retain(|version| !tracked.contains(&version.blob));
    }
    log.paths.retain(|_, path| !path.versions.is_empty());
    let mut contents = HashMap::new();
    let mut cut = log.cut;
    for look in [Look::Named, Look::Content] {
        cut |= !read_contents(root, &log, look, wanted, &mut contents);
    }
    let past = log.paths.iter().filter_map(|(path, known)| past(path, known, &log.commits, &mut contents)).collect();
    Some(Found { past, shallow, cut })
}

/// Every version of every path that is looked at, the newest first.
fn read_log(root: &Path, prefix: &str, wanted: &Wanted<'_>) -> Option<Log> {
    const LOG: [&str; 10] = [
        "log",
        "-z",
        "--raw",
        "-c",
        "--no-abbrev",
        "--no-renames",
        "--no-ext-diff",
        "--date=short",
        "--format=tformat:commit %H %cd",
        "HEAD",
    ];
    let mut log = Log::default();
    let mut commit: Option<Commit> = None;
    let mut numbered = false;
    let mut change: Option<Change> = None;
    let whole = git::records(root, &LOG, &mut |record| {
        let record = record.trim_ascii_start();
        if let Some(change) = change.take() {
            let path = String::from_utf8_lossy(record);
            let Some(path) = path.strip_prefix(prefix).filter(|path| (wanted.look)(path) != Look::Never) else {
                return;
            };
            if let Some(commit) = commit.as_ref().filter(|_| !numbered) {
                log.commits.push(commit.clone());
                numbered = true;
            }
            log.note(path, change);
        } else if record.starts_with(b":") {
            change = Change::read(record);
        } else if let Some(words) = record.strip_prefix(b"commit ") {
            let words = String::from_utf8_lossy(words);
            commit = words
                .split_once(' ')
                .map(|(id, date)| Commit { id: id.get(..DIGITS).unwrap_or(id).into(), date: date.trim().into() });
            numbered = false;
        }
    });
    whole.then_some(log)
}

impl Log {
    /// Notes what a commit, the last of the list, does with a path.
    fn note(&mut self, path: &str, change: Change) {
        let Some(commit) = self.commits.len().checked_sub(1) else { return };
        if self.versions >= MAX_VERSIONS {
            self.cut = true;
            return;
        }
        self.versions += 1;
        let known = self.paths.entry(path.to_owned()).or_default();
        match change {
            Change::To(blob) => known.versions.push(Version { blob, commit }),
            Change::Away if known.versions.is_empty() && known.removed.is_none() => known.removed = Some(commit),
            Change::Away | Change::Other => {}
        }
    }
}

/// What a commit does with a path.
enum Change {
    /// It has this content now.
    To(Box<str>),
    /// It is gone.
    Away,
    /// It is a link or a submodule.
    Other,
}

impl Change {
    /// Reads a line of `--raw`; for a merge there is a mode and a content of each parent.
    fn read(record: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(record).ok()?;
        let parents = text.bytes().take_while(|byte| *byte == b':').count();
        let words: Vec<&str> = text[parents..].split(' ').collect();
        let (mode, blob) = (words.get(parents)?, words.get(2 * parents + 1)?);
        Some(if blob.bytes().all(|digit| digit == b'0') {
            Self::Away
        } else if mode.starts_with("100") {
            Self::To((*blob).into())
        } else {
            Self::Other
        })
    }
}

/// The contents that the index names.
fn tracked(root: &Path) -> Option<HashSet<Box<str>>> {
    let mut blobs = HashSet::new();
    let whole = git::records(root, &["ls-files", "-z", "--stage", "--full-name", ":/"], &mut |record| {
        let record = String::from_utf8_lossy(record);
        blobs.extend(record.split(' ').nth(1).map(Into::into));
    });
    whole.then_some(blobs)
}

/// Reads the contents of the paths that are looked at in one way, and keeps those that count; false when some were left out.
fn read_contents<'l>(
    root: &Path,
    log: &'l Log,
    look: Look,
    wanted: &Wanted<'_>,
    contents: &mut HashMap<&'l str, Vec<u8>>,
) -> bool {
    let mut seen = HashSet::new();
    let paths = log.paths.iter().filter(|(path, _)| (wanted.look)(path) == look);
    let versions = paths.flat_map(|(path, known)| known.versions.iter().map(move |version| (path, &*version.blob)));
    let asked: Vec<(&String, &'l str)> = versions.filter(|(_, blob)| seen.insert(*blob)).collect();
    let ids: Vec<&str> = asked.iter().map(|(_, blob)| *blob).collect();
    let mut sizes = vec![None; ids.len()];
    let known = git::sizes(root, &ids, &mut |at, size| sizes[at] = Some(size));
    let (mut budget, mut left_out) = (MAX_READ, !known);
    let mut chosen: Vec<(&String, &'l str)> = Vec::new();
    for (one, size) in asked.into_iter().zip(sizes) {
        let Some(size) = size else {
            left_out = true;
            continue;
        };
        let fits = size <= budget && (look == Look::Named || size <= MAX_CONTENT);
        if size < MIN_CONTENT {
            continue;
        }
        left_out |= !fits && look == Look::Named;
        if fits {
            budget -= size;
            chosen.push(one);
        }
    }
    let ids: Vec<&str> = chosen.iter().map(|(_, blob)| *blob).collect();
    let read = git::blobs(root, &ids, MAX_CONTENT, &mut |at, _, bytes| {
        let (path, blob) = chosen[at];
        if (wanted.counts)(path, bytes) {
            // More is not needed to tell what it is.
            contents.insert(blob, bytes[..bytes.len().min(1 << 16)].to_vec());
        }
    });
    read && !left_out
}

fn past(path: &str, known: &Known, commits: &[Commit], contents: &mut HashMap<&str, Vec<u8>>) -> Option<Past> {
    let counting = || known.versions.iter().filter(|version| contents.contains_key(&*version.blob));
    let (last, first) = (counting().next()?, counting().next_back()?);
    Some(Past {
        file: File::in_memory(path, Vec::new(), false),
        content: contents.get(&*last.blob).cloned().unwrap_or_default(),
        first: commits.get(first.commit)?.clone(),
        last: commits.get(last.commit)?.clone(),
        removed: known.removed.and_then(|at| commits.get(at)).cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_log() {
        let zeros = "0".repeat(40);
        let change = |line: String| Change::read(line.as_bytes());
        assert!(matches!(change(format!(":000000 100644 {zeros} 1234 A")), Some(Change::To(blob)) if &*blob == "1234"));
        assert!(matches!(change(format!(":100644 000000 1234 {zeros} D")), Some(Change::Away)));
        assert!(matches!(change(format!(":000000 120000 {zeros} 1234 A")), Some(Change::Other)));
        let merge = change("::100644 100644 100644 aa bb cc MM".to_owned());
        assert!(matches!(merge, Some(Change::To(blob)) if &*blob == "cc"));
        assert!(change(":".to_owned()).is_none() && change("::: 1 2".to_owned()).is_none());
    }
}
