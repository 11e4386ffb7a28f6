//! Files and folders of inventories, read as the plugins `yaml` and `ini` of Ansible read them.

use super::Given;
use super::merged::{Merged, Setting, Unread, Variable, is_script};
use crate::model::kind::{Kind, Skip};
use crate::model::load::{Document, Documents, Outcome};
use crate::source::{file_name, folder};
use crate::syntax::ini;
use crate::syntax::python::{self, Literal};
use crate::syntax::yaml::{Node, NodeKind, Scalar};
use crate::text::{FileId, Loc, Span};
use crate::value::{Data, Kind as Known, Reason, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Groups and folders nest no deeper in any real inventory.
const MAX_DEPTH: usize = 32;
/// Files and folders of one inventory that are looked at: links may lead round in circles.
const MAX_FILES: usize = 2_000;
/// Ends of names that are ignored in a folder.
const IGNORED: [&str; 12] =
    [".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"];

/// The inventory that these paths, files or folders, and lists of hosts make together.
pub(super) fn merge<'a>(documents: &'a Documents<'a>, given: &[Given]) -> Merged<'a> {
    let paths = given.iter().filter_map(|given| if let Given::Path(path) = given { Some(&**path) } else { None });
    let mut merged = Merged::new(&paths.collect::<Vec<_>>());
    for source in given {
        match source {
            Given::Path(path) => merged.parsed |= read(documents, &mut merged, path, 0),
            Given::Host(name, loc) => {
                let ungrouped = merged.group("ungrouped");
                // What is no address is a name all the same.
                let _ = merged.add((name, *loc), ungrouped, &[]);
                merged.parsed = true;
            }
            Given::Open(reason, file) => {
                merged.unread.push(Unread { file: *file, reason: reason.clone(), dynamic: true });
            }
        }
    }
    if merged.parsed {
        merged.reconcile();
    }
    merged
}

fn read<'a>(documents: &'a Documents<'a>, merged: &mut Merged<'a>, path: &str, depth: usize) -> bool {
    merged.looked += 1;
    if depth > MAX_DEPTH || merged.looked > MAX_FILES {
        return false;
    }
    let real = documents.tree.real(path);
    if let Some(file) = documents.tree.find(&real) {
        return read_file(documents, merged, file);
    }
    let prefix = if real.is_empty() { 0 } else { real.len() + 1 };
    let inside = documents.tree.below(&real);
    let names: BTreeSet<&str> = inside
        .filter_map(|(_, file)| file.path.get(prefix..)?.split('/').next())
        .filter(|name| !is_ignored(name))
        .collect();
    let mut parsed = false;
    for name in names {
        parsed |= read(documents, merged, format!("{real}/{name}").trim_start_matches('/'), depth + 1);
    }
    parsed
}

fn is_ignored(name: &str) -> bool {
    name.starts_with('.')
        || matches!(name, "host_vars" | "group_vars" | "vars_plugins")
        || IGNORED.iter().any(|end| name.ends_with(end))
}

fn read_file<'a>(documents: &'a Documents<'a>, merged: &mut Merged<'a>, file: FileId) -> bool {
    merged.files.push(file);
    let entry = documents.tree.file(file);
    let document = documents.document(file);
    let mut unread = |reason: Reason, dynamic: bool| {
        merged.unread.push(Unread { file, reason, dynamic });
        false
    };
    let plugin = document.filter(|document| document.kind == Kind::InventoryPlugin);
    if let Some(plugin) = plugin.and_then(|document| document.yaml()?.root()?.get("plugin")?.as_str()) {
        return unread(format!("the inventory plugin `{plugin}` finds hosts when it is run").into(), true);
    }
    if is_script(entry) {
        return unread(format!("the script `{}` finds hosts when it is run", file_name(&entry.path)).into(), true);
    }
    if matches!(documents.outcomes.get(file.0 as usize), Some(Outcome::Skipped(Skip::Vaulted))) {
        return unread("it is vaulted".into(), true);
    }
    let read = match document.and_then(Document::yaml) {
        Some(yaml) => match (yaml.roots.len(), yaml.root()) {
            (1, Some(root)) if is_yaml_name(&entry.path) => read_yaml(merged, file, root),
            _ => Err("it is no YAML inventory".to_owned()),
        },
        None if [".toml", ".json"].iter().any(|end| entry.path.ends_with(end)) => {
            Err("it is not read as an inventory".to_owned())
        }
        None => match entry.text() {
            Ok(text) => read_ini(merged, file, &text.text),
            Err(_) => Err("it is no text".to_owned()),
        },
    };
    match read {
        Ok(()) => true,
        Err(reason) => {
            merged.unread.push(Unread { file, reason: reason.into(), dynamic: false });
            false
        }
    }
}

fn is_yaml_name(path: &str) -> bool {
    let name = file_name(path);
    let end = name.get(1..).and_then(|rest| rest.rsplit_once('.')).map(|(_, end)| end);
    end.is_none_or(|end| matches!(end, "yaml" | "yml" | "json"))
}

/// Groups that a section `:children` or `:vars` names before they are declared.
#[derive(Default)]
struct Pending(BTreeMap<String, Option<Vec<usize>>>);

impl Pending {
    /// A group is declared: the parents that waited for it get it, and then those that waited for them.
    fn declared(&mut self, merged: &mut Merged<'_>, name: &str) -> Result<(), String> {
        let child = merged.group(name);
        for parent in self.0.remove(name).flatten().unwrap_or_default() {
            if !merged.link(parent, child) {
                return Err(format!("the group `{name}` is made its own parent"));
            }
            let name = merged.groups[parent].name.clone();
            if self.0.get(&name).is_some_and(Option::is_some) {
                self.declared(merged, &name)?;
            }
        }
        Ok(())
    }
}

fn read_ini(merged: &mut Merged<'_>, file: FileId, text: &str) -> Result<(), String> {
    let ini = ini::parse_inventory(text);
    let mut pending = Pending::default();
    for section in &ini.sections {
        let (name, kind) = ini::header(section.span.slice(text)).unwrap_or(("ungrouped", None));
        let known = merged.by_group.contains_key(name);
        if !known && kind == Some("vars") {
            pending.0.entry(name.to_owned()).or_insert(None);
        }
        let group = merged.group(name);
        if kind != Some("vars") {
            pending.declared(merged, name)?;
        }
        if !matches!(kind, None | Some("hosts" | "children" | "vars")) {
            return Err(format!("the section `{}` is of an unknown kind", section.name));
        }
        for line in &section.lines {
            let at = |span: Span| {
                let start = line.span.start;
                Loc { file, span: Span { start: start + span.start, end: start + span.end } }
            };
            if line.text.starts_with('[') && line.text.ends_with(']') {
                return Err(format!("`{}` is no section", line.text));
            }
            match kind {
                Some("vars") => merged.set(group, group_variable(&line.text, &at)?)?,
                Some("children") => child(merged, &mut pending, group, &line.text)?,
                _ => host_line(merged, group, &line.text, &at)?,
            }
        }
    }
    let undeclared = pending.0.keys().next().map(|name| format!("the group `{name}` is nowhere declared"));
    let parents = pending.0.into_iter().flat_map(|(name, parents)| {
        parents.into_iter().flatten().map(move |parent| (name.clone(), parent)).collect::<Vec<_>>()
    });
    merged.undeclared.extend(parents);
    undeclared.map_or(Ok(()), Err)
}

fn child(merged: &mut Merged<'_>, pending: &mut Pending, group: usize, line: &str) -> Result<(), String> {
    let end = line.find(|c: char| c.is_whitespace() || matches!(c, ':' | ']')).unwrap_or(line.len());
    let (name, after) = line.split_at(end);
    let after = after.trim_start();
    // A comment needs no blank before it, and then it belongs to the name.
    if name.is_empty() || !after.is_empty() && !after.starts_with('#') {
        return Err(format!("`{line}` is no group"));
    }
    if let Some(child) = merged.by_group.get(name).copied() {
        if !merged.link(group, child) {
            return Err(format!("the group `{name}` is made its own parent"));
        }
    } else {
        pending.0.entry(name.to_owned()).or_insert(None).get_or_insert_default().push(group);
    }
    Ok(())
}

fn group_variable<'a>(line: &str, at: &dyn Fn(Span) -> Loc) -> Result<Variable<'a>, String> {
    let (key, value) = line.split_once('=').ok_or_else(|| format!("`{line}` sets nothing"))?;
    let start = key.len() + 1 + value.len() - value.trim_start().len();
    let value = value.trim();
    Ok(typed(key.trim(), value, at(Span::new(start, start + value.len()))))
}

fn host_line(merged: &mut Merged<'_>, group: usize, line: &str, at: &dyn Fn(Span) -> Loc) -> Result<(), String> {
    let mut words = ini::words(line).map_err(str::to_owned)?.into_iter();
    let Some((pattern, span)) = words.next() else { return Err("a line has no host".to_owned()) };
    if pattern.trim() == "---" || pattern.trim().ends_with(':') {
        return Err(format!("`{pattern}` is no host"));
    }
    let variables: Result<Vec<_>, String> = words
        .map(|(word, span)| {
            let (key, value) = word.split_once('=').ok_or_else(|| format!("`{word}` is no variable"))?;
            Ok(typed(key, value, at(span)))
        })
        .collect();
    merged.add((&pattern, at(span)), group, &variables?)
}

fn typed<'a>(name: &str, text: &str, loc: Loc) -> Variable<'a> {
    let value = python::literal(text).map_or_else(|| Value::known(text), |literal| value(&literal)).at(loc);
    Variable { name: name.to_owned(), text: text.to_owned(), setting: Setting::Value(value), loc, beside: None }
}

fn value(literal: &Literal) -> Value {
    match literal {
        Literal::None => Value { kind: Known::Known(Data::Null), ..Value::default() },
        Literal::Bool(value) => Value::known(*value),
        Literal::Number(value) => Value::known(*value),
        Literal::Str(text) => Value::known(&**text),
        Literal::List(items) => Value::list(items.iter().map(value).collect()),
        Literal::Map(entries) => {
            let key = |key: &Literal| match key {
                Literal::None => "null".into(),
                other => value(other).scalar().unwrap_or_else(|| "".into()),
            };
            Value::map(entries.iter().map(|(name, member)| (key(name), value(member))).collect())
        }
    }
}

/// Reads a text that is no file as an INI inventory.
pub(super) fn ini_text(merged: &mut Merged<'_>, file: FileId, text: &str) -> Option<()> {
    read_ini(merged, file, text).ok()
}

/// Reads the root of a text that is no file as a YAML inventory.
pub(super) fn yaml_text<'a>(merged: &mut Merged<'a>, file: FileId, root: Node<'a>) -> Option<()> {
    read_yaml(merged, file, root).ok()
}

fn read_yaml<'a>(merged: &mut Merged<'a>, file: FileId, root: Node<'a>) -> Result<(), String> {
    if !root.is_map() || root.entries().is_empty() {
        return Err("it is no mapping of groups".to_owned());
    }
    for (key, node) in entries(root) {
        read_group(merged, file, key, node, 0)?;
    }
    Ok(())
}

/// The entries of a mapping as Python's dictionaries hold them: each key once, with its last value.
pub(super) fn entries<'a>(node: Node<'a>) -> Vec<(Node<'a>, Node<'a>)> {
    let mut entries: Vec<(Node<'a>, Node<'a>)> = Vec::new();
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for (key, value) in node.entries() {
        let at = key.as_str().map(|text| *known.entry(text).or_insert(entries.len()));
        match at.and_then(|at| entries.get_mut(at)) {
            Some(entry) => entry.1 = value,
            None => entries.push((key, value)),
        }
    }
    entries
}

fn read_group<'a>(
    merged: &mut Merged<'a>,
    file: FileId,
    key: Node<'a>,
    node: Node<'a>,
    depth: usize,
) -> Result<Option<usize>, String> {
    // Ansible goes on after what is no group at all.
    if !node.is_map() && !node.is_null() || depth > MAX_DEPTH {
        return Ok(key.as_str().and_then(|name| merged.by_group.get(name).copied()));
    }
    let name = key.as_str().filter(|name| !name.is_empty() && key.resolve() == Scalar::Str);
    let name = name.ok_or_else(|| "the name of a group is no text".to_owned())?;
    let group = merged.group(name);
    let sections = entries(node);
    for section in sections.iter().filter(|(key, _)| matches!(key.as_str(), Some("vars" | "children" | "hosts"))) {
        if !section.1.is_map() && !section.1.is_null() && section.1.resolve() != Scalar::Str || section.1.is_seq() {
            return Err(format!("`{}` of the group `{name}` is no mapping", section.0.as_str().unwrap_or("")));
        }
    }
    for (section, content) in sections {
        let Some(section) = section.as_str() else { continue };
        // A bare text is a mapping with one key.
        let members = if content.is_map() { entries(content) } else { Vec::new() };
        let alone = (!content.is_map() && !content.is_null()).then_some(content);
        match section {
            "vars" => {
                for (key, value) in members {
                    let Some(name) = key.as_str() else { continue };
                    merged.set(group, written(file, name, value))?;
                }
            }
            "children" => {
                let single = alone.map(|key| (key, None));
                for (key, value) in members.into_iter().map(|(key, value)| (key, Some(value))).chain(single) {
                    let child = match value {
                        Some(value) => read_group(merged, file, key, value, depth + 1)?,
                        None => key.as_str().map(|name| merged.group(name)),
                    };
                    if !child.is_some_and(|child| merged.link(group, child)) {
                        return Err(format!("`{}` cannot be a child of `{name}`", key.as_str().unwrap_or("")));
                    }
                }
            }
            "hosts" => read_hosts(merged, file, group, &members, alone)?,
            _ => {}
        }
    }
    Ok(Some(group))
}

fn read_hosts<'a>(
    merged: &mut Merged<'a>,
    file: FileId,
    group: usize,
    members: &[(Node<'a>, Node<'a>)],
    alone: Option<Node<'a>>,
) -> Result<(), String> {
    for (key, value) in members {
        let pattern = key.as_str().filter(|_| key.resolve() == Scalar::Str);
        let pattern = pattern.ok_or_else(|| "the name of a host is no text".to_owned())?;
        let empty = match value.kind() {
            NodeKind::Map(_) => false,
            NodeKind::Seq(items) => items.is_empty(),
            _ => matches!(value.resolve(), Scalar::Null | Scalar::Bool(false)) || value.as_str() == Some(""),
        };
        if !value.is_map() && !empty {
            return Err(format!("what the host `{pattern}` is given is no mapping"));
        }
        let own = entries(*value);
        let variables: Vec<Variable<'a>> =
            own.iter().filter_map(|(key, value)| Some(written(file, key.as_str()?, *value))).collect();
        merged.add((pattern, Loc { file, span: key.span() }), group, &variables)?;
    }
    match alone.and_then(|node| Some((node.as_str()?, node.span()))) {
        Some((pattern, span)) => merged.add((pattern, Loc { file, span }), group, &[]),
        None => Ok(()),
    }
}

fn written<'a>(file: FileId, name: &str, node: Node<'a>) -> Variable<'a> {
    let text = node.as_str().unwrap_or("").to_owned();
    let loc = Loc { file, span: node.span() };
    Variable { name: name.to_owned(), text, setting: Setting::Node(node), loc, beside: None }
}

/// What Ansible is run with: the paths that `inventory` of an `ansible.cfg` names, from its folder.
pub(super) fn configured(documents: &Documents<'_>) -> Vec<Vec<String>> {
    let of_file = |document: &Document| -> Vec<String> {
        let named = named_by(documents, document, folder(documents.tree.path(document.file)));
        named.into_iter().filter_map(|(_, path)| path).collect()
    };
    documents.of(&[Kind::AnsibleConfig]).map(of_file).filter(|paths| !paths.is_empty()).collect()
}

/// What `inventory` of an `ansible.cfg` names: each as written and, when it is in the repository, its path; `current` is the folder
/// that Ansible is run in.
pub(in crate::model::ansible) fn named_by(
    documents: &Documents<'_>,
    document: &Document,
    current: &str,
) -> Vec<(String, Option<String>)> {
    let Some(line) = document.ini().and_then(|ini| ini.get("defaults", "inventory")) else { return Vec::new() };
    let own = folder(documents.tree.path(document.file));
    let written = line.value.split(',').map(|path| path.trim().trim_matches(['"', '\'']));
    let path = |written: &str| {
        let here = ["{{CWD}}", "{{ CWD }}"].iter().find_map(|mark| written.strip_prefix(mark));
        let (from, rest) = here.map_or((own, written), |rest| (current, rest.trim_start_matches('/')));
        let inside = !rest.starts_with(['/', '~', '$']);
        let path = inside.then(|| crate::source::join(from, rest.trim_end_matches('/'))).flatten();
        path.filter(|path| exists(documents, path))
    };
    written.filter(|path| !path.is_empty()).map(|written| (written.to_owned(), path(written))).collect()
}

/// Whether a file or folder stands at a path.
pub(in crate::model::ansible) fn exists(documents: &Documents<'_>, path: &str) -> bool {
    let real = documents.tree.real(path);
    documents.tree.find(&real).is_some() || documents.tree.below(&real).next().is_some()
}
