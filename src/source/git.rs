//! What Git tracks, by asking `git` itself: it alone knows split and sparse indexes, work trees and global ignore files.

use super::disk::{Entry, Listing};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

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
        let mode = meta.split(' ').next().unwrap_or("");
        // A conflicted path is listed once a stage.
        if !seen.insert(path.to_owned()) {
            continue;
        }
        if mode == "160000" {
            listing.submodules.push(path.to_owned());
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
    // What the index names and the work tree lacks (deleted, sparse) has nothing to read.
    listing.entries.retain(|entry| !entry.tracked || std::fs::symlink_metadata(root.join(&entry.path)).is_ok());
    Some(listing)
}

fn start(root: &Path, args: &[&str]) -> Option<std::process::Child> {
    Command::new("git")
        // A repository must not make us run its programs.
        .args(["-c", "core.fsmonitor=false", "-c", "core.quotePath=false"])
        .args(args)
        .current_dir(root)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()
}

fn finish(child: std::process::Child) -> Option<Vec<u8>> {
    let output = child.wait_with_output().ok()?;
    output.status.success().then_some(output.stdout)
}
