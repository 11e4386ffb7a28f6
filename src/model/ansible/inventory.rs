//! Inventories, INI and YAML, merged: hosts with their groups and the variables written beside them.

use crate::model::kind::Kind;
use crate::model::load::Documents;
use crate::source::folder;
use crate::syntax::ini::{self, Ini};
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc, Span};
use std::collections::{BTreeMap, BTreeSet};

/// All inventories of a repository.
#[derive(Default)]
pub struct Inventory<'a> {
    /// Every host, by file and name.
    pub hosts: Vec<Host<'a>>,
    /// Files of inventory plugins, with the plugin's name.
    pub plugins: Vec<(FileId, &'a str)>,
    /// Group → the groups that are its parents.
    parents: BTreeMap<String, BTreeSet<String>>,
}

/// A host of a static inventory.
pub struct Host<'a> {
    /// Its inventory name.
    pub name: String,
    /// Where the name stands.
    pub loc: Loc,
    /// The folder of the project whose inventory it is: the one that holds `inventory/`, else the inventory's own.
    pub project: String,
    /// The groups that list it.
    pub groups: BTreeSet<String>,
    /// Variables written beside it.
    pub variables: Vec<Variable<'a>>,
}

/// A variable of a host.
#[derive(Clone)]
pub struct Variable<'a> {
    /// Its name.
    pub name: String,
    /// Its text, when it is a scalar.
    pub text: String,
    /// Its node, in YAML.
    pub node: Option<Node<'a>>,
    /// Where the value stands.
    pub loc: Loc,
}

/// No range is expanded beyond this.
const MAX_RANGE: usize = 256;

impl<'a> Inventory<'a> {
    /// The hosts that a playbook in the folder sees: those of the nearest project around it, or all when none is around it.
    #[must_use]
    pub fn seen_from(&self, folder: &str) -> Seen<'_, 'a> {
        let around = |host: &&Host<'_>| is_inside(folder, &host.project);
        let nearest = self.hosts.iter().filter(around).map(|host| host.project.len()).max();
        let hosts =
            self.hosts.iter().filter(|host| nearest.is_none_or(|len| around(host) && host.project.len() == len));
        Seen { hosts: hosts.collect(), inventory: self }
    }

    /// Every group name.
    #[must_use]
    pub fn groups(&self) -> BTreeSet<&str> {
        let mut groups: BTreeSet<&str> = self.parents.keys().map(String::as_str).collect();
        groups.extend(self.parents.values().flatten().map(String::as_str));
        groups.extend(self.hosts.iter().flat_map(|host| host.groups.iter().map(String::as_str)));
        groups
    }

    fn host(&mut self, at: &Place<'_>, name: &str, span: Span, group: Option<&str>) -> &mut Host<'a> {
        let known = self.hosts.iter().position(|host| host.name == name && host.loc.file == at.file);
        let at = known.unwrap_or_else(|| {
            let (loc, project) = (Loc { file: at.file, span }, at.project.to_owned());
            self.hosts.push(Host {
                name: name.to_owned(),
                loc,
                project,
                groups: BTreeSet::new(),
                variables: Vec::new(),
            });
            self.hosts.len() - 1
        });
        let host = &mut self.hosts[at];
        host.groups.extend(group.map(str::to_owned));
        host
    }
}

/// The hosts that a playbook sees.
pub struct Seen<'m, 'a> {
    /// They, by file and name.
    pub hosts: Vec<&'m Host<'a>>,
    inventory: &'m Inventory<'a>,
}

impl Seen<'_, '_> {
    /// A host's groups with all their parents, and `all`.
    #[must_use]
    pub fn groups_of(&self, host: &str) -> Vec<&str> {
        let mut groups: BTreeSet<&str> = BTreeSet::from(["all"]);
        let named = self.hosts.iter().filter(|one| one.name == host);
        let mut open: Vec<&str> = named.flat_map(|one| one.groups.iter().map(String::as_str)).collect();
        while let Some(group) = open.pop() {
            if groups.insert(group) {
                open.extend(self.inventory.parents.get(group).into_iter().flatten().map(String::as_str));
            }
        }
        groups.into_iter().collect()
    }
}

/// Where an inventory lies.
struct Place<'t> {
    file: FileId,
    project: &'t str,
}

/// The folder of the project that an inventory at this path belongs to.
fn project_of(path: &str) -> &str {
    const HOLDERS: [&str; 4] = ["inventory", "inventories", "hosts", "environments"];
    let folder = folder(path);
    let mut start = 0;
    for part in folder.split('/') {
        if HOLDERS.contains(&part) {
            return folder[..start].trim_end_matches('/');
        }
        start += part.len() + 1;
    }
    folder
}

fn is_inside(folder: &str, outer: &str) -> bool {
    outer.is_empty() || folder.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Reads every inventory of the documents.
pub(super) fn read<'a>(documents: &'a Documents<'a>) -> Inventory<'a> {
    let mut inventory = Inventory::default();
    for document in &documents.list {
        let at = Place { file: document.file, project: project_of(documents.tree.path(document.file)) };
        match document.kind {
            Kind::InventoryIni => {
                if let Some(ini) = document.ini() {
                    read_ini(&mut inventory, &at, documents.tree.text(document.file), ini);
                }
            }
            Kind::InventoryYaml => {
                let root = document.yaml().and_then(crate::syntax::yaml::Yaml::root);
                for (group, node) in root.into_iter().flat_map(Node::entries) {
                    read_group(&mut inventory, &at, group.as_str().unwrap_or(""), node, 0);
                }
            }
            Kind::InventoryPlugin => {
                let plugin = document.yaml().and_then(|yaml| yaml.root()?.get("plugin")?.as_str());
                inventory.plugins.extend(plugin.map(|plugin| (document.file, plugin)));
            }
            _ => {}
        }
    }
    inventory
}

fn read_ini(inventory: &mut Inventory<'_>, at: &Place<'_>, source: &str, ini: &Ini) {
    for section in &ini.sections {
        let name = &*section.name;
        if let Some(group) = name.strip_suffix(":children") {
            for line in &section.lines {
                let child = line.span.slice(source).trim();
                inventory.parents.entry(child.to_owned()).or_default().insert(group.to_owned());
            }
            continue;
        }
        if name.ends_with(":vars") {
            continue;
        }
        let group = (!name.is_empty()).then_some(name);
        for line in &section.lines {
            let text = line.span.slice(source);
            let (pattern, pairs) = ini::host_line(text);
            if pattern.is_empty() {
                continue;
            }
            let start = line.span.start as usize + text.find(pattern.as_str()).unwrap_or(0);
            let span = Span::new(start, start + pattern.len());
            for host in expand(&pattern) {
                let host = inventory.host(at, &host, span, group);
                for (key, value, pair) in &pairs {
                    let offset = line.span.start;
                    let span = Span { start: offset + pair.start, end: offset + pair.end };
                    let (name, text) = (key.clone(), value.clone());
                    host.variables.push(Variable { name, text, node: None, loc: Loc { file: at.file, span } });
                }
            }
        }
    }
}

fn read_group<'a>(inventory: &mut Inventory<'a>, at: &Place<'_>, group: &str, node: Node<'a>, depth: usize) {
    // Groups nest no deeper in any real inventory.
    if depth > 32 {
        return;
    }
    for (key, variables) in node.get("hosts").into_iter().flat_map(Node::entries) {
        let Some(pattern) = key.as_str() else { continue };
        for name in expand(pattern) {
            let host = inventory.host(at, &name, key.span(), Some(group));
            for (key, value) in variables.entries() {
                let (Some(name), text) = (key.as_str(), value.as_str().unwrap_or("")) else { continue };
                let loc = Loc { file: at.file, span: value.span() };
                host.variables.push(Variable { name: name.to_owned(), text: text.to_owned(), node: Some(value), loc });
            }
        }
    }
    for (key, child) in node.get("children").into_iter().flat_map(Node::entries) {
        let Some(name) = key.as_str() else { continue };
        inventory.parents.entry(name.to_owned()).or_default().insert(group.to_owned());
        read_group(inventory, at, name, child, depth + 1);
    }
}

/// `db[01:03].lan` → `db01.lan`, `db02.lan`, `db03.lan`; letters too.
fn expand(pattern: &str) -> Vec<String> {
    let Some((before, rest)) = pattern.split_once('[') else { return vec![pattern.to_owned()] };
    let Some((range, after)) = rest.split_once(']') else { return vec![pattern.to_owned()] };
    let mut bounds = range.split(':');
    let (Some(from), Some(to)) = (bounds.next(), bounds.next()) else { return vec![pattern.to_owned()] };
    let step = bounds.next().and_then(|step| step.parse::<usize>().ok()).filter(|step| *step > 0).unwrap_or(1);
    let tails = expand(after);
    let names: Vec<String> = match (from.parse::<usize>(), to.parse::<usize>(), from.as_bytes(), to.as_bytes()) {
        (Ok(first), Ok(last), _, _) => {
            let width = if from.starts_with('0') { from.len() } else { 0 };
            (first..=last).step_by(step).take(MAX_RANGE).map(|number| format!("{before}{number:0width$}")).collect()
        }
        (_, _, [first], [last]) => {
            (*first..=*last).step_by(step).map(|letter| format!("{before}{}", letter as char)).collect()
        }
        _ => return vec![pattern.to_owned()],
    };
    names.iter().flat_map(|name| tails.iter().map(move |tail| format!("{name}{tail}"))).take(MAX_RANGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects() {
        assert_eq!(project_of("ansible/inventories/prod/hosts.yml"), "ansible");
        assert_eq!(project_of("inventory/hosts.ini"), "");
        assert_eq!(project_of("labs/db/hosts.ini"), "labs/db");
        assert!(is_inside("labs/db/tasks", "labs/db") && is_inside("labs", "") && !is_inside("labs/db2", "labs/db"));
    }

    #[test]
    fn ranges() {
        assert_eq!(expand("db[01:03].lan"), ["db01.lan", "db02.lan", "db03.lan"]);
        assert_eq!(expand("db-[a:b]"), ["db-a", "db-b"]);
        assert_eq!(expand("plain"), ["plain"]);
        assert_eq!(expand("x[1:9999999]").len(), MAX_RANGE);
    }
}
