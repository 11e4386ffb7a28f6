//! What Git tracks, by asking `git` itself: it alone knows split and sparse indexes, work trees and global ignore files.

use super::disk::{Absent, Entry, Listing};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The files below `root` that Git tracks or would track; `None` outside a work tree or without Git.
#[must_use]
pub fn list(root: &Path) -> Option<Listing> {
    let inside = root.ancestors().any(|folder| folder.join(".git").exists());
    if !inside {
        return None;
    }
    // Both questions at once: they read the same index.
    let staged = start(root, &["ls-files", "-z", "--stage"])?;
    let others = start(root, &["ls-files", "-z", "--others", "--exclude-standard"])?;
    let staged = finish(staged)?;
    let others = finish(others)?;
    let mut listing = Listing { git: true, ..Listing::default() };
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for record in staged.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
        let record = String::from_utf8_lossy(record);
        let Some((meta, path)) = record.split_once('\t') else { continue };
        let mut meta = meta.split(' ');
        let (mode, blob) = (meta.next().unwrap_or(""), meta.next().unwrap_or(""));
        // A conflicted path is listed once a stage.
        if !seen.insert(path.to_owned()) {
            continue;
        }
        if mode == "160000" {
            listing.submodules.push(path.to_owned());
            continue;
        }
        // What the index names and the work tree lacks (deleted, sparse) has nothing to read there.
        if std::fs::symlink_metadata(root.join(path)).is_err() {
            let regular = mode.starts_with("100");
            listing.absent.extend(regular.then(|| Absent { path: path.into(), blob: blob.into() }));
            continue;
        }
        listing.entries.push(Entry {
            path: path.to_owned(),
            tracked: true,
            executable: mode == "100755",
            symlink: mode == "120000",
        });
    }
    for path in others.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
        let path = String::from_utf8_lossy(path).into_owned();
        // An embedded repository is listed as a folder.
        if path.ends_with('/') {
            listing.submodules.push(path.trim_end_matches('/').to_owned());
            continue;
        }
        let symlink = std::fs::symlink_metadata(root.join(&path)).is_ok_and(|meta| meta.is_symlink());
        listing.entries.push(Entry { path, tracked: false, executable: false, symlink });
    }
    Some(listing)
}

/// `git` with arguments, in a folder: nothing of the repository is run, nothing is fetched, nothing is asked.
fn command(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        // A repository must not make us run its programs.
        .args(["-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "log.showSignature=false"])
        .args(args)
        .current_dir(root)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        // No protocol has this name: a partial clone stays partial.
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    // What a hook in a linked work tree is given makes of every folder the top of a work tree; `.git` is found without it.
    if std::env::var_os("GIT_WORK_TREE").is_none() {
        command.env_remove("GIT_DIR");
    }
    command
}

fn start(root: &Path, args: &[&str]) -> Option<Child> {
    command(root, args).spawn().ok()
}

fn finish(child: Child) -> Option<Vec<u8>> {
    let output = child.wait_with_output().ok()?;
    output.status.success().then_some(output.stdout)
}

/// What `git` prints, at once; for answers that are short.
pub(super) fn answer(root: &Path, args: &[&str]) -> Option<String> {
    String::from_utf8(finish(start(root, args)?)?).ok()
}

/// The records that `git` prints, each ended by a NUL, one at a time; false when it fails.
pub(super) fn records(root: &Path, args: &[&str], each: &mut dyn FnMut(&[u8])) -> bool {
    let Some(mut child) = start(root, args) else { return false };
    let Some(out) = child.stdout.take() else { return false };
    let mut out = BufReader::with_capacity(1 << 16, out);
    let mut record = Vec::new();
    while out.read_until(0, &mut record).is_ok_and(|count| count > 0) {
        each(record.strip_suffix(&[0]).unwrap_or(&record));
        record.clear();
    }
    child.wait().is_ok_and(|status| status.success())
}

/// What `git diff-…-z --raw` prints, each made something of by `read`: a header, a path, and of a renamed file the new path.
/// None when it fails.
pub(super) fn differences<T>(
    root: &Path,
    args: &[&str],
    read: impl Fn(&str, String, Option<String>) -> Option<T>,
) -> Option<Vec<T>> {
    let text = |record: &[u8]| String::from_utf8_lossy(record).into_owned();
    let mut found = Vec::new();
    let mut pending: Vec<String> = Vec::new();
    let whole = records(root, args, &mut |record| {
        pending.push(text(record));
        let moved = pending[0].rsplit(' ').next().is_some_and(|status| status.starts_with(['R', 'C']));
        if pending.len() < if moved { 3 } else { 2 } {
            return;
        }
        let mut parts = std::mem::take(&mut pending).into_iter();
        if let (Some(header), Some(path)) = (parts.next(), parts.next()) {
            found.extend(read(&header, path, parts.next()));
        }
    });
    whole.then_some(found)
}

/// The content of blobs, one at a time and of each no more than `limit` bytes: its place in the list, its size, its bytes.
/// What is not in the repository is left out. False when `git` fails.
pub fn blobs(root: &Path, ids: &[&str], limit: u64, each: &mut dyn FnMut(usize, u64, &[u8])) -> bool {
    asked(root, "--batch", ids, &mut |output, at| {
        let Header::Blob(size) = header(output)? else { return Some(()) };
        let mut bytes = Vec::new();
        output.by_ref().take(size.min(limit)).read_to_end(&mut bytes).ok()?;
        let rest = size - size.min(limit) + 1;
        std::io::copy(&mut output.by_ref().take(rest), &mut std::io::sink()).ok()?;
        each(at, size, &bytes);
        Some(())
    })
}

/// The same for their sizes alone.
pub(super) fn sizes(root: &Path, ids: &[&str], each: &mut dyn FnMut(usize, u64)) -> bool {
    asked(root, "--batch-check", ids, &mut |output, at| {
        if let Header::Blob(size) = header(output)? {
            each(at, size);
        }
        Some(())
    })
}

type Output = BufReader<std::process::ChildStdout>;

/// Asks `cat-file` for objects; `read` takes the answer to one from what it prints, none when there is no more.
fn asked(root: &Path, how: &str, ids: &[&str], read: &mut dyn FnMut(&mut Output, usize) -> Option<()>) -> bool {
    if ids.is_empty() {
        return true;
    }
    let Ok(mut child) = command(root, &["cat-file", how]).stdin(Stdio::piped()).spawn() else { return false };
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else { return false };
    let mut output = BufReader::with_capacity(1 << 16, output);
    std::thread::scope(|scope| {
        // Both pipes are short: what is asked is written while the answers are read.
        scope.spawn(move || ids.iter().try_for_each(|id| writeln!(input, "{id}")).is_ok());
        let whole = (0..ids.len()).all(|at| read(&mut output, at).is_some());
        // What nobody reads any more must not keep the writer waiting.
        drop(output);
        whole
    }) && child.wait().is_ok()
}

/// The header of an answer.
enum Header {
    /// A blob of this size follows.
    Blob(u64),
    /// There is no such blob in this repository.
    Missing,
}

/// The next header; none when there is no more.
fn header(output: &mut Output) -> Option<Header> {
    let mut line = String::new();
    output.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split_whitespace().skip(1);
    let size = words.next().filter(|kind| *kind == "blob").and_then(|_| words.next()?.parse().ok());
    Some(size.map_or(Header::Missing, Header::Blob))
}
