//! Templates in JSON: `builders`, `variables`, `provisioners`, and the `{{user `x`}}` calls in their strings.

use super::native::{one_of, several};
use super::runs::{Argument, Run};
use super::script::{Lines, Script};
use super::{Build, Provisioner, Source, Template};
use crate::source::{self, Tree};
use crate::syntax::yaml::{Node, Scalar, Yaml};
use crate::text::{FileId, Loc};
use crate::value::{Data, Piece, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Values nested deeper than this are unknown.
const MAX_DEPTH: usize = 60;

/// The template of a JSON file; none when it has no list of builders.
pub(super) fn template<'a>(tree: &'a Tree, file: FileId, yaml: &'a Yaml, runs: &[Run]) -> Option<Template<'a>> {
    let root = yaml.root()?;
    let builders = root.get("builders").filter(|builders| builders.is_seq())?;
    let given = runs.iter().map(|run| given(tree, run)).collect();
    let reader =
        Reader { tree, file, variables: root.get("variables"), folder: source::folder(tree.path(file)), given };
    let sources: Vec<Source> = builders.items().filter_map(|builder| reader.source(builder)).collect();
    let steps = |key: &str| -> Vec<Provisioner> {
        let list = root.get(key).into_iter().flat_map(Node::items);
        // A chain of post-processors is a list in the list.
        list.flat_map(|item| if item.is_seq() { item.items().collect() } else { vec![item] })
            .filter_map(|item| reader.step(item))
            .collect()
    };
    let build = Build {
        name: Value::absent(),
        loc: reader.loc_of_key(root, "provisioners").unwrap_or_else(|| reader.loc(builders)),
        sources: sources.iter().map(|source| source.address.clone()).collect(),
        open: None,
        provisioners: steps("provisioners"),
        post_processors: steps("post-processors"),
    };
    Some(Template {
        folder: reader.folder,
        files: vec![file],
        json: true,
        sources,
        data: Vec::new(),
        plugins: Vec::new(),
        builds: vec![build],
        tree,
    })
}

struct Reader<'a> {
    tree: &'a Tree,
    file: FileId,
    variables: Option<Node<'a>>,
    folder: &'a str,
    /// What each command line gives to the variables.
    given: Vec<HashMap<String, Value>>,
}

/// The variables of one command line.
fn given(tree: &Tree, run: &Run) -> HashMap<String, Value> {
    let mut all = HashMap::new();
    for argument in &run.arguments {
        match argument {
            Argument::Value(name, value) => {
                all.insert(name.clone(), value.clone());
            }
            Argument::File(path) => {
                let Some(file) = tree.find(path) else { continue };
                let yaml = Yaml::parse(tree.text(file));
                for (key, value) in yaml.root().into_iter().flat_map(Node::entries) {
                    let (Some(name), Some(text)) = (key.as_str(), value.as_str()) else { continue };
                    let loc = Loc { file, span: value.span() };
                    all.insert(name.to_owned(), Value::known(text).at(loc).step("variable file", loc));
                }
            }
        }
    }
    all
}

impl<'a> Reader<'a> {
    fn loc(&self, node: Node<'a>) -> Loc {
        Loc { file: self.file, span: node.span() }
    }

    fn loc_of_key(&self, node: Node<'a>, key: &str) -> Option<Loc> {
        node.entry(key).map(|(key, _)| self.loc(key))
    }

    /// Points at `"type": "…"`, which names the thing best.
    fn head(&self, node: Node<'a>) -> Loc {
        match node.entry("type") {
            Some((key, value)) => Loc { file: self.file, span: key.span().to(value.span()) },
            None => self.loc(node),
        }
    }

    fn source(&self, node: Node<'a>) -> Option<Source> {
        let builder = node.get("type")?.as_str()?;
        let written = node.get("name").and_then(Node::as_str).unwrap_or(builder);
        let resolved = self.string(written, 0);
        let name = resolved.as_str().unwrap_or(written);
        let mut places = Vec::new();
        self.places(node, "", 0, &mut places);
        Some(Source {
            builder: builder.into(),
            name: name.into(),
            address: format!("source.{builder}.{name}"),
            loc: self.head(node),
            arguments: self.value(node, 0),
            places,
        })
    }

    fn places(&self, node: Node<'a>, prefix: &str, depth: usize, places: &mut Vec<(String, Loc)>) {
        for (key, value) in node.entries() {
            let Some(name) = key.as_str() else { continue };
            let path = format!("{prefix}{name}");
            places.push((path.clone(), Loc { file: self.file, span: key.span().to(value.span()) }));
            let inner = if value.is_seq() { value.items().next() } else { Some(value) };
            if let Some(inner) = inner.filter(|inner| inner.is_map() && depth < 8) {
                self.places(inner, &format!("{path}."), depth + 1, places);
            }
        }
    }

    fn step(&self, node: Node<'a>) -> Option<Provisioner> {
        // `"vagrant"` alone is short for `{"type": "vagrant"}`.
        let kind = node.as_str().or_else(|| node.get("type").and_then(Node::as_str))?;
        let arg = |name: &str| node.get(name).map_or_else(Value::absent, |value| self.value(value, 0));
        let mut lines = Lines::default();
        for value in ["inline", "command"].iter().filter_map(|name| node.get(name)) {
            let items: Vec<Node<'a>> = if value.is_seq() { value.items().collect() } else { vec![value] };
            for item in items {
                self.line(item, &mut lines);
            }
        }
        let named = |names: &[&str]| -> Vec<Value> { names.iter().flat_map(|name| several(arg(name))).collect() };
        let found = |names: &[&str]| -> Vec<Script> {
            named(names).into_iter().map(|path| Script::find(self.tree, self.folder, path)).collect()
        };
        Some(Provisioner {
            kind: kind.into(),
            loc: if node.is_map() { self.head(node) } else { self.loc(node) },
            only: arg("only"),
            except: arg("except"),
            inline: lines.finish(),
            scripts: found(&["script", "scripts"]),
            playbooks: found(&["playbook_file", "playbook_files"]),
            taken: named(&["source", "sources"]),
            destination: arg("destination"),
            content: arg("content"),
            arguments: if node.is_map() { self.value(node, 0) } else { Value::map(Vec::new()) },
        })
    }

    fn line(&self, item: Node<'a>, lines: &mut Lines) {
        match item.as_str() {
            Some(text) if !text.contains("{{") => lines.mapped(self.file, &item.mapped(self.tree.text(self.file))),
            _ => lines.value(&self.value(item, 0), self.loc(item)),
        }
    }

    fn value(&self, node: Node<'a>, depth: usize) -> Value {
        let value = if depth > MAX_DEPTH {
            Value::unknown("it is nested too deeply to follow")
        } else if node.is_map() {
            let mut entries: Vec<(Arc<str>, Value)> = Vec::new();
            for (key, value) in node.entries() {
                if let Some(name) = key.as_str() {
                    entries.push((name.into(), self.value(value, depth + 1)));
                }
            }
            Value::map(entries)
        } else if node.is_seq() {
            Value::list(node.items().map(|item| self.value(item, depth + 1)).collect())
        } else {
            match node.resolve() {
                Scalar::Null => Value::absent(),
                Scalar::Bool(value) => Value::known(value),
                Scalar::Number(value) => Value::known(value),
                Scalar::Str => self.string(node.as_str().unwrap_or(""), 0),
            }
        };
        value.at(self.loc(node))
    }

    /// A string with `{{…}}` calls.
    fn string(&self, text: &str, depth: usize) -> Value {
        if !text.contains("{{") {
            return Value::known(text);
        }
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            pieces.push(Piece::Lit(before.into()));
            let Some((call, after)) = after.split_once("}}") else {
                pieces.push(Piece::Hole("a call in it does not end".into()));
                return Value::text(pieces);
            };
            let value = self.call(call.trim().trim_matches('-').trim(), depth);
            if before.is_empty() && after.is_empty() && pieces.len() == 1 {
                return value;
            }
            push(&value, &mut pieces);
            rest = after;
        }
        pieces.push(Piece::Lit(rest.into()));
        pieces.retain(|piece| !matches!(piece, Piece::Lit(text) if text.is_empty()));
        Value::text(pieces)
    }

    fn call(&self, call: &str, depth: usize) -> Value {
        let (function, argument) = call.split_once(char::is_whitespace).unwrap_or((call, ""));
        let quoted = argument.trim().strip_prefix(['`', '"']).and_then(|rest| rest.split(['`', '"']).next());
        match (function, quoted) {
            ("user", Some(name)) if !argument.contains('|') => self.variable(name, depth),
            ("template_dir", _) => Value::known("."),
            ("env", Some(name)) => {
                Value::unknown(format!("the environment variable {name} is known only when Packer runs"))
            }
            _ => Value::unknown(format!("`{{{{{call}}}}}` is known only when Packer runs")),
        }
    }

    /// What command lines give to a variable, its default where one gives none.
    fn variable(&self, name: &str, depth: usize) -> Value {
        let value = |given: &HashMap<String, Value>| match given.get(name) {
            Some(value) => match value.as_str() {
                Some(text) if depth <= 8 => {
                    Value { via: value.via.clone(), origin: value.origin, ..self.string(text, depth + 1) }
                }
                _ => value.clone(),
            },
            None => self.default(name, depth),
        };
        let mut values: Vec<Value> = Vec::new();
        for own in self.given.iter().map(value) {
            if !values.iter().any(|other| other.same(&own)) {
                values.push(own);
            }
        }
        match values.len() {
            0 => self.default(name, depth),
            1 => values.remove(0),
            _ => one_of(values, name),
        }
    }

    fn default(&self, name: &str, depth: usize) -> Value {
        let Some(default) = self.variables.and_then(|variables| variables.get(name)) else {
            return Value::unknown(format!("the variable {name} has no default in this template"));
        };
        let loc = self.loc(default);
        let text = default.as_str().unwrap_or("");
        if default.is_null() || text.is_empty() || depth > 8 {
            return Value::unknown(format!("the variable {name} is empty until a variable file gives it")).at(loc);
        }
        self.string(text, depth + 1).at(loc).step(format!("variable `{name}`"), loc)
    }
}

fn push(value: &Value, pieces: &mut Vec<Piece>) {
    match &value.kind {
        crate::value::Kind::Text(known) => pieces.extend(known.iter().cloned()),
        crate::value::Kind::Known(data) => pieces.push(match Data::scalar(data) {
            Some(text) => Piece::Lit(text),
            None => Piece::Hole("it is no text".into()),
        }),
        _ => pieces.push(Piece::Hole(value.reason().unwrap_or_else(|| "it is not given".into()))),
    }
}
