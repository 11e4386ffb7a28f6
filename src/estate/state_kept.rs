//! State that leaves its place by other ways than commands: steps of pipelines that keep it, and tasks whose modules write, remove or
//! copy it.

use super::Estate;
use super::task::{TaskFacts, is_test_path};
use crate::knowledge::commands::is_state_object;
use crate::knowledge::pipelines::{self, Keeper};
use crate::model::ansible::PROJECT;
use crate::model::kind::Kind;
use crate::syntax::yaml::{Node, Yaml};
use crate::text::{FileId, Loc};
use crate::value::Value;

/// A step of a pipeline that keeps control state.
pub struct Kept {
    /// The path, or the step where it names none.
    pub loc: Loc,
    /// The path as written; empty where the step is made for state.
    pub path: String,
    /// What it is kept as.
    pub kept_as: &'static str,
}

/// Nodes deeper than this are not looked into.
const MAX_DEPTH: u32 = 16;

/// Every step of every pipeline that keeps state.
#[must_use]
pub fn kept(estate: &Estate<'_>) -> Vec<Kept> {
    let tree = estate.documents.tree;
    let mut found = Vec::new();
    for document in estate.documents.of(&[Kind::Workflow]) {
        // Hardly any pipeline speaks of state by name.
        let text = tree.text(document.file);
        let named = |row: &Keeper| row.always && text.contains(&row.uses);
        if !text.contains(".tfstate") && !pipelines::keepers().iter().any(named) {
            continue;
        }
        let Some(root) = document.yaml().and_then(Yaml::root) else { continue };
        walk(document.file, root, 0, &mut found);
    }
    found.sort_by_key(|kept| kept.loc);
    found.dedup_by_key(|kept| kept.loc);
    found
}

impl Kept {
    /// Whether the pipeline is one of tests.
    #[must_use]
    pub fn in_tests(&self, estate: &Estate<'_>) -> bool {
        is_test_path(estate.documents.tree.path(self.loc.file))
    }
}

fn walk(file: FileId, node: Node<'_>, depth: u32, found: &mut Vec<Kept>) {
    if depth > MAX_DEPTH {
        return;
    }
    for row in pipelines::keepers() {
        let Some((at, inputs)) = inputs(row, node) else { continue };
        let own: Vec<(Loc, String)> = if row.paths.is_empty() {
            inputs.iter().flat_map(|node| paths(file, *node)).collect()
        } else {
            let given = row.paths.iter().filter_map(|name| inputs.and_then(|it| it.get(name)));
            given.flat_map(|node| paths(file, node)).collect()
        };
        let kept = |(loc, path)| Kept { loc, path, kept_as: &row.kept_as };
        found.extend(own.into_iter().filter(|(_, path)| is_state_object(path)).map(kept));
        if row.always {
            found.push(kept((Loc { file, span: at.span() }, String::new())));
        }
    }
    let members = node.entries().into_iter().map(|(_, value)| value);
    for inner in members.chain(node.items()) {
        walk(file, inner, depth + 1, found);
    }
}

/// What a step is given, if it is one that keeps files, with the place that says so.
fn inputs<'a>(row: &Keeper, node: Node<'a>) -> Option<(Node<'a>, Option<Node<'a>>)> {
    let called = |key: &str, name: &str| {
        let at = node.get(key).filter(|_| !name.is_empty())?;
        (at.as_str()?.split('@').next()? == name).then_some(at)
    };
    if let Some(at) = called("uses", &row.uses) {
        return Some((at, node.get("with")));
    }
    if let Some(at) = called("task", &row.task) {
        return Some((at, node.get("inputs")));
    }
    let (key, value) = node.entry(&row.member).filter(|_| !row.member.is_empty())?;
    Some((key, Some(value)))
}

/// The paths that an input lists: one, one a line, or a list.
fn paths(file: FileId, node: Node<'_>) -> Vec<(Loc, String)> {
    let texts = node.items().chain(node.as_str().map(|_| node));
    let lines = texts.filter_map(|node| Some((Loc { file, span: node.span() }, node.as_str()?)));
    let split = |(loc, text): (Loc, &str)| -> Vec<(Loc, String)> {
        text.split([' ', '\n', ',']).filter(|path| !path.is_empty()).map(|path| (loc, path.to_owned())).collect()
    };
    lines.flat_map(split).collect()
}

/// A path as people write it: within the repository from its top.
fn shown(path: &Value) -> String {
    let text = path.display();
    let inside = text.strip_prefix(PROJECT).and_then(|inside| crate::source::join("", inside.trim_start_matches('/')));
    inside.unwrap_or(text)
}

/// What a task does to control state by its module.
pub struct Deed {
    /// `edit`, `remove`, `copy` or `object`.
    pub kind: &'static str,
    /// The state, as far as its name is known.
    pub path: String,
    /// Whether a copy takes the place of a state.
    pub onto: bool,
}

/// Every kind of deed, and none.
pub const DEEDS: [&str; 5] = ["none", "edit", "remove", "copy", "object"];

/// Modules that write objects of stores: the argument that names the object, and the one that says what becomes of it.
const OBJECTS: [(&str, &str, &str); 5] = [
    ("s3_object", "object", "mode"),
    ("aws_s3", "object", "mode"),
    ("azure_rm_storageblob", "blob", "state"),
    ("gcp_storage_object", "dest", "action"),
    ("consul_kv", "key", "state"),
];

impl TaskFacts<'_> {
    /// What it does to control state by its module; commands are judged by themselves.
    #[must_use]
    pub fn state_deed(&self) -> Option<Deed> {
        let short = self.task.short();
        if let Some((_, object, mode)) = OBJECTS.iter().find(|(module, ..)| *module == short) {
            return self.object_deed(object, mode);
        }
        let state = |names: &[&str]| self.paths(names).iter().map(shown).find(|path| is_state_object(path));
        let deed = |kind, path: String| Deed { kind, path, onto: false };
        match short {
            "lineinfile" | "blockinfile" | "replace" | "ini_file" | "xml" | "template" | "json_patch" => {
                state(&["path", "dest"]).map(|path| deed("edit", path))
            }
            "file" => {
                let path = state(&["path", "dest", "name"])?;
                let scratch = path.starts_with("/tmp/") || path.to_lowercase().contains("tmp");
                (self.argument("state").as_str() == Some("absent") && !scratch).then(|| deed("remove", path))
            }
            "copy" | "fetch" | "synchronize" | "archive" => {
                let source = if short == "archive" { state(&["path"]) } else { state(&["src"]) };
                let target = state(&["dest"]);
                match (source, target) {
                    (Some(path), target) => Some(Deed { kind: "copy", path, onto: target.is_some() }),
                    (None, Some(path)) if short == "copy" => Some(deed("edit", path)),
                    (None, target) => target.map(|path| deed("copy", path)),
                }
            }
            _ => None,
        }
    }

    fn object_deed(&self, object: &str, mode: &str) -> Option<Deed> {
        let named = |path: &String| {
            let lower = path.to_ascii_lowercase();
            let consul = object == "key" && (lower.contains("tfstate") || lower.contains("terraform/state"));
            is_state_object(path) || consul
        };
        let path = self.paths(&[object]).iter().map(Value::display).find(named)?;
        let reads = ["get", "getstr", "geturl", "list", "download"];
        let mode = self.argument(mode);
        let only_reads =
            mode.as_str().is_some_and(|mode| reads.contains(&mode)) || object == "blob" && self.downloads();
        Some(Deed { kind: if only_reads { "copy" } else { "object" }, path, onto: false })
    }

    /// Whether a blob is only fetched.
    fn downloads(&self) -> bool {
        self.argument("src").is_absent() && !self.argument("dest").is_absent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipelines_of_tests() {
        for path in
            [".github/workflows/e2e-azure.yml", "ci/integration_tests.yml", "Jenkinsfile.acceptance", "a/tests/x.yml"]
        {
            assert!(is_test_path(path), "{path}");
        }
        for path in [".github/workflows/deploy-test.yml", ".gitlab-ci.yml", "scripts/smoke-alarm.sh", "integration.tf"]
        {
            assert!(!is_test_path(path), "{path}");
        }
    }
}
