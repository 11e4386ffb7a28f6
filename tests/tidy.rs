//! The shape of the project itself: floors without arrows back, no circles, no file that grew too far, no rule that is
//! not picked up, no path in a document that does not exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const MAX_FILE_LINES: usize = 650;
const MAX_FUNCTION_LINES: usize = 70;

/// Modules from the lowest floor to the highest; one may name only those before it.
const FLOORS: [&str; 26] = [
    "text",
    "diag",
    "chart",
    "source",
    "syntax",
    "value",
    "knowledge",
    "model::kind",
    "model::load",
    "model::command",
    "model::git",
    "model::agents",
    "model::terraform",
    "model::ansible",
    "model::packer",
    "model::nomad",
    "model::gather",
    "model",
    "estate",
    "rule",
    "config",
    "engine",
    "report",
    "docs",
    "cli",
    "main",
];

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = walkdir::WalkDir::new(Path::new(ROOT).join(folder))
        .into_iter()
        .flatten()
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|own| own == extension))
        .collect();
    paths.sort();
    paths
}

/// `src/model/ansible/task.rs` → `model::ansible::task`.
fn module(path: &Path) -> String {
    let relative = path.strip_prefix(Path::new(ROOT).join("src")).unwrap();
    let mut parts: Vec<String> =
        relative.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts.join("::")
}

/// The floor of a module: the longest name in the list that it starts with.
fn floor(module: &str) -> Option<usize> {
    let holds = |name: &str| module == name || module.strip_prefix(name).is_some_and(|rest| rest.starts_with("::"));
    let found = FLOORS.iter().enumerate().filter(|(_, name)| holds(name));
    found.max_by_key(|(_, name)| name.len()).map(|(at, _)| at)
}

/// Source without comments, strings and its test module.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or("");
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// Every `crate::…` path that a file names, groups opened.
fn named(code: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let mut path = String::new();
        for c in rest.chars() {
            match c {
                'a'..='z' | '0'..='9' | '_' | ':' => path.push(c),
                '{' => {
                    let group = rest[path.len() + 1..].split('}').next().unwrap_or("");
                    let members = group.split(',').map(|member| member.trim().split([' ', '{']).next().unwrap_or(""));
                    paths.extend(members.map(|member| format!("{path}{member}")));
                    break;
                }
                _ => break,
            }
        }
        paths.insert(path.trim_end_matches(':').to_owned());
    }
    paths.retain(|path| !path.is_empty());
    paths
}

#[test]
fn no_arrow_goes_back() {
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        let own = module(&path);
        let Some(from) = floor(&own) else {
            assert_eq!(own, "lib", "`{own}` stands on no floor: add it to FLOORS");
            continue;
        };
        for name in named(&code(&path)) {
            // Macros exported at the root have no module of their own.
            let Some(to) = floor(&name) else { continue };
            if to > from {
                wrong.push(format!("{own} names {name}, which stands higher"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_circles() {
    let mut arrows: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for path in files("src", "rs") {
        let Some(from) = floor(&module(&path)) else { continue };
        let to = named(&code(&path)).into_iter().filter_map(|name| floor(&name)).filter(|to| *to != from);
        arrows.entry(from).or_default().extend(to);
    }
    // With every arrow pointing down, a module that can reach itself would be a circle.
    for start in arrows.keys() {
        let (mut open, mut seen) = (vec![*start], BTreeSet::new());
        while let Some(at) = open.pop() {
            for next in arrows.get(&at).into_iter().flatten() {
                assert_ne!(next, start, "`{}` reaches itself", FLOORS[*start]);
                if seen.insert(*next) {
                    open.push(*next);
                }
            }
        }
    }
}

#[test]
fn files_and_functions_stay_small() {
    let mut wrong = Vec::new();
    for path in files("src", "rs").into_iter().chain(files("tests", "rs")) {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > MAX_FILE_LINES {
            wrong.push(format!("{}: {lines} lines", path.display()));
        }
        let mut start: Option<(usize, usize, &str)> = None;
        for (at, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let head = line.trim_start();
            let is_function = ["fn ", "pub fn ", "pub(super) fn ", "pub(crate) fn ", "const fn ", "pub const fn "]
                .iter()
                .any(|key| head.starts_with(key));
            match start {
                None if is_function && !line.ends_with(';') => start = Some((at, indent, head)),
                Some((from, own, name)) if indent == own && head == "}" => {
                    if at - from + 1 > MAX_FUNCTION_LINES {
                        wrong.push(format!("{}:{}: {} lines: {name}", path.display(), from + 1, at - from + 1));
                    }
                    start = None;
                }
                _ => {}
            }
            if start.is_some_and(|(from, ..)| from == at) && head.ends_with('}') {
                start = None;
            }
        }
    }
    assert!(wrong.is_empty(), "too large:\n{}", wrong.join("\n"));
}

#[test]
fn every_rule_file_is_picked_up() {
    let on_disk: BTreeSet<String> =
        files("rules", "yaml").iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    let built_in: BTreeSet<String> =
        stateward::engine::built_in().unwrap_or_default().iter().map(|card| card.id.clone()).collect();
    assert_eq!(on_disk, built_in);
    assert!(on_disk.len() >= 30);
}

#[test]
fn documents_name_only_what_exists() {
    let tops = [
        "src/",
        "rules/",
        "fixtures/",
        "tests/",
        "knowledge/",
        "docs/",
        "benches/",
        ".ci/",
        "action.yml",
        ".pre-commit-hooks.yaml",
    ];
    let mut wrong = Vec::new();
    for entry in fs::read_dir(ROOT).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|own| own != "md") {
            continue;
        }
        for word in fs::read_to_string(&path).unwrap().split(|c: char| !(c.is_alphanumeric() || "._-/<>*".contains(c)))
        {
            let word = word.trim_end_matches(['.', '/']);
            let pattern = word.contains(['<', '*']);
            if tops.iter().any(|top| word.starts_with(top)) && !pattern && !Path::new(ROOT).join(word).exists() {
                wrong.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
