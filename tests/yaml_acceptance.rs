//! YAML against `PyYAML`, with which Ansible reads: what is accepted, and on which line each node stands with which text.
//!
//! Run where `ansible-playbook` is installed (its Python has `PyYAML`); `STATEWARD_ORACLES=required` makes its absence a failure.
//! With `STATEWARD_CORPUS=folder` the YAML files of that folder are compared as well.

mod support;

use serde_json::Value as Json;
use stateward::syntax::yaml::{Node, NodeKind, Yaml};
use stateward::text::LineIndex;
use std::collections::BTreeMap;
use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use support::hcl::{Text, corpus_of, files_below, texts_of};
use support::{ROOT, ansible_python};

const EXTENSIONS: [&str; 2] = ["yml", "yaml"];
/// Nodes within one another that are compared.
const MAX_DEPTH: usize = 200;

/// What `PyYAML` makes of each text.
fn asked(python: &Path, texts: &[Text]) -> Vec<Json> {
    let mut results = Vec::new();
    for chunk in texts.chunks(500) {
        let mut child = Command::new(python)
            .arg(Path::new(ROOT).join("tests/oracle/yaml_nodes.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let texts: Vec<&str> = chunk.iter().map(|text| text.text.as_str()).collect();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&serde_json::to_vec(&texts).unwrap()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "PyYAML fails");
        results.extend(serde_json::from_slice::<Vec<Json>>(&output.stdout).unwrap());
    }
    results
}

type Shown = (u64, &'static str, String);

/// The nodes of a text in order, as the script lists them.
fn nodes(yaml: &Yaml, text: &str) -> Vec<Shown> {
    let lines = LineIndex::new(text);
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    for document in yaml.documents() {
        add(yaml, document, &lines, &mut seen, &mut found, 0);
    }
    found
}

fn add(
    yaml: &Yaml,
    node: Node<'_>,
    lines: &LineIndex,
    seen: &mut HashSet<*const NodeKind>,
    found: &mut Vec<Shown>,
    depth: usize,
) {
    if depth > MAX_DEPTH || !seen.insert(std::ptr::from_ref(node.kind())) {
        return;
    }
    let line = u64::from(lines.line(node.span().start));
    match node.kind() {
        NodeKind::Scalar(text, _) => found.push((line, "scalar", text.to_string())),
        NodeKind::Seq(items) => {
            found.push((line, "list", String::new()));
            for item in items {
                add(yaml, yaml.node(*item), lines, seen, found, depth + 1);
            }
        }
        NodeKind::Map(pairs) => {
            found.push((line, "map", String::new()));
            for (key, value) in pairs {
                add(yaml, yaml.node(*key), lines, seen, found, depth + 1);
                add(yaml, yaml.node(*value), lines, seen, found, depth + 1);
            }
        }
        NodeKind::Alias(_) => {}
    }
}

/// Differences, by what differs; how many texts are wholly alike.
#[derive(Default)]
struct Compared {
    alike: usize,
    both_refuse: usize,
    nodes: usize,
    by: BTreeMap<&'static str, usize>,
}

fn compare(python: &Path, texts: &[Text]) -> Compared {
    let mut compared = Compared::default();
    for (Text { name, text }, theirs) in texts.iter().zip(asked(python, texts)) {
        let yaml = Yaml::parse(text);
        let difference = match (theirs.as_array(), yaml.errors.first()) {
            (None, Some(_)) => {
                compared.both_refuse += 1;
                continue;
            }
            (None, None) => Some(("refused by PyYAML only", format!("line {theirs}"))),
            (Some(_), Some(error)) => Some(("accepted by PyYAML only", format!("{error:?}"))),
            (Some(theirs), None) => {
                let ours = nodes(&yaml, text);
                compared.nodes += theirs.len();
                different(&ours, theirs)
            }
        };
        match difference {
            None => compared.alike += 1,
            Some((what, how)) => {
                *compared.by.entry(what).or_default() += 1;
                println!("{what}: {name}: {how}");
            }
        }
    }
    println!(
        "{} texts: {} alike in all of their {} nodes, {} refused by both, different {:?}",
        texts.len(),
        compared.alike,
        compared.nodes,
        compared.both_refuse,
        compared.by
    );
    compared
}

/// The first difference.
fn different(ours: &[Shown], theirs: &[Json]) -> Option<(&'static str, String)> {
    for (own, other) in ours.iter().zip(theirs) {
        let (line, kind, text) = (other[0].as_u64()?, other[1].as_str()?, other[2].as_str()?);
        if own.1 != kind {
            return Some(("another kind of node", format!("{own:?} here, {other} there")));
        }
        if own.2 != text {
            return Some(("another text", format!("{own:?} here, {other} there")));
        }
        // Nothing is written of an empty scalar, so it has no line of its own.
        if own.0 != line && !text.is_empty() {
            return Some(("another line", format!("{own:?} here, {other} there")));
        }
    }
    let more = ours.len() != theirs.len();
    more.then(|| ("another number of nodes", format!("{} here, {} there", ours.len(), theirs.len())))
}

#[test]
fn own_texts_are_read_alike() {
    let Some(python) = ansible_python() else { return };
    let mut texts = texts_of(&EXTENSIONS);
    for folder in ["rules", "knowledge", "tests/playbooks"] {
        texts.extend(files_below(&Path::new(ROOT).join(folder), &EXTENSIONS));
    }
    assert!(texts.len() > 100);
    assert!(compare(&python, &texts).by.is_empty());
}

#[test]
fn a_corpus_is_read_alike() {
    let (Some(python), Some(texts)) = (ansible_python(), corpus_of(&EXTENSIONS)) else { return };
    let compared = compare(&python, &texts);
    let different: usize = compared.by.values().sum();
    assert!(different * 1000 <= texts.len(), "{different} of {}", texts.len());
}
