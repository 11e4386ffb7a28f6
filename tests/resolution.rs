//! How much of what rules ask for the files decide: every argument of a resource that the knowledge names, as known,
//! one of several, known in part, absent or unknown, with the reasons.
//!
//! `STATEWARD_CORPUS=<folder>` measures the repository there, or each repository in it, and prints them with `--nocapture`.

use stateward::knowledge::{compute, terraform as known};
use stateward::model::command;
use stateward::model::load::{Documents, Options as Reading};
use stateward::model::terraform::{self, Options, Resource, Terraform};
use stateward::value::Kind;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Default)]
struct Count {
    known: usize,
    one_of: usize,
    partly: usize,
    absent: usize,
    unknown: usize,
    /// How often, and where first.
    reasons: BTreeMap<String, (usize, String)>,
    /// Reasons with names taken out.
    kinds: BTreeMap<String, usize>,
    uncertain: usize,
    resources: usize,
}

impl Count {
    fn all(&self) -> usize {
        self.known + self.one_of + self.partly + self.absent + self.unknown
    }
}

/// The arguments that rules read of a resource, by the knowledge of its type.
fn asked(resource: &Resource<'_, '_>) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    if let Some(ty) = known::data_type(resource.ty()) {
        paths.insert("lifecycle.prevent_destroy".to_owned());
        paths.extend(ty.protections.iter().map(|protection| protection.path.clone()));
        paths.extend(ty.replace_on.iter().cloned());
    }
    if let Some(ty) = compute::compute_type(resource.ty()) {
        for list in [&ty.names, &ty.addresses, &ty.macs, &ty.ids, &ty.nodes] {
            paths.extend(list.iter().cloned());
        }
        paths.extend(ty.guards.iter().map(|guard| guard.path.clone()));
        for storage in &ty.storage {
            let keys = [&storage.mount_key, &storage.size_key, &storage.storage_key];
            paths.extend(keys.into_iter().flatten().map(|key| format!("{}.{key}", storage.path)));
        }
    }
    paths.retain(|path| !path.is_empty() && !path.contains('*'));
    paths
}

/// The kind of a reason: names in it replaced.
fn kind(reason: &str) -> String {
    let words = reason.split(' ').map(|word| {
        let name = word.contains(['.', '`', '_', '/']) || word.chars().any(|c| c.is_ascii_digit());
        if name { "…" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn measure(folder: &Path) -> Count {
    let tree = stateward::source::disk::tree(folder).unwrap();
    let documents = Documents::load(&tree, &Reading::default());
    let commands = command::of_documents(&documents);
    let sources = terraform::sources(&documents);
    let runs = terraform::runs(&commands, &sources, &tree, &|command| tree.path(command.loc.file));
    let terraform = Terraform::build(&sources, Options { runs, ..Options::default() }, &tree);
    let mut count = Count::default();
    for resource in terraform.resources() {
        let paths = asked(&resource);
        if paths.is_empty() {
            continue;
        }
        count.resources += 1;
        count.uncertain += usize::from(resource.uncertain().is_some());
        for path in paths {
            let value = resource.arg(&path);
            match &value.kind {
                Kind::Known(_) => count.known += 1,
                Kind::OneOf(_) => count.one_of += 1,
                Kind::Text(_) => count.partly += 1,
                Kind::Absent => count.absent += 1,
                Kind::Unknown(reason) => {
                    count.unknown += 1;
                    *count.kinds.entry(kind(reason)).or_default() += 1;
                    let first = || (0, format!("{}.{path}", resource.address()));
                    count.reasons.entry(reason.to_string()).or_insert_with(first).0 += 1;
                }
            }
        }
    }
    count
}

fn print(name: &str, count: &Count) {
    let all = count.all().max(1);
    let share = |part: usize| format!("{part} ({}.{} %)", part * 100 / all, part * 1000 / all % 10);
    println!(
        "{name}: {} resources ({} may not exist), {} arguments: known {}, one of several {}, in part {}, absent {}, unknown {}",
        count.resources,
        count.uncertain,
        count.all(),
        share(count.known),
        share(count.one_of),
        share(count.partly),
        share(count.absent),
        share(count.unknown)
    );
    let mut kinds: Vec<_> = count.kinds.iter().collect();
    kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(**count), *kind));
    for (kind, count) in kinds.into_iter().take(10) {
        println!("  {count:5}  {kind}");
    }
    let mut reasons: Vec<_> = count.reasons.iter().collect();
    reasons.sort_by_key(|(reason, (count, _))| (std::cmp::Reverse(*count), *reason));
    for (reason, (count, first)) in reasons.into_iter().take(15) {
        println!("    {count:5}  {reason}  [{first}]");
    }
}

/// A repository, or those in a folder.
fn repositories(folder: &Path) -> Vec<PathBuf> {
    if folder.join(".git").exists() {
        return vec![folder.to_owned()];
    }
    let mut inside: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inside.retain(|path| path.join(".git").exists());
    inside.sort();
    inside
}

#[test]
fn files_decide_most_of_what_rules_ask() {
    if let Ok(corpus) = std::env::var("STATEWARD_CORPUS") {
        for folder in repositories(Path::new(&corpus)) {
            print(&folder.display().to_string(), &measure(&folder));
        }
        return;
    }
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/platform");
    for name in ["clean", "violating"] {
        let count = measure(&fixtures.join(name));
        print(name, &count);
        assert!(count.all() > 50, "{name}: only {} arguments are asked for", count.all());
        assert!(count.unknown * 10 <= count.all(), "{name}: {} of {} are unknown", count.unknown, count.all());
    }
}
