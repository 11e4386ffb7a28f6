//! Groups and variables that inventory plugins construct of what a host is given (`compose`, `groups`, `keyed_groups`), and the plugin
//! `constructed`, which does so for hosts of the sources before it.

use super::Ansible;
use super::inventory::Setting;
use super::values::Variables;
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc};
use crate::value::{Data, Tri, Value, truth};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Entries of one option that are looked at.
const MAX_ENTRIES: usize = 256;
/// Hosts for which expressions are evaluated.
const MAX_HOSTS: usize = 2_000;

/// A file that constructs groups.
#[derive(Clone, Copy)]
pub struct Constructed<'e, 'a> {
    /// Evaluates its expressions.
    pub ansible: &'e Ansible<'a>,
    /// The file.
    pub file: FileId,
    /// Its options.
    pub root: Node<'a>,
}

impl<'a> Constructed<'_, 'a> {
    /// Adds the groups that the file makes of a host's variables; `variables` gets what it composes. `name` is unknown where only the
    /// platform tells it.
    pub fn add(&self, name: &Value, variables: &mut Vec<(Box<str>, Value)>, groups: &mut BTreeSet<String>) {
        *groups = groups.iter().map(|group| safe(group)).collect();
        set(variables, "inventory_hostname", name.clone());
        set(variables, "group_names", listed(groups));
        for (name, value) in self.composed(variables) {
            set(variables, &name, value);
        }
        groups.extend(self.conditional(variables).iter().map(|group| safe(group)));
        set(variables, "group_names", listed(groups));
        groups.extend(self.keyed(variables).iter().map(|group| safe(group)));
    }

    /// Entries of a list.
    pub fn entries(&self, option: &str) -> impl Iterator<Item = Node<'a>> {
        self.root.get(option).into_iter().flat_map(Node::items).take(MAX_ENTRIES)
    }

    /// Where a part of the file stands.
    #[must_use]
    pub fn loc(&self, node: Node<'a>) -> Loc {
        Loc { file: self.file, span: node.span() }
    }

    /// Whether a condition holds.
    #[must_use]
    pub fn holds(&self, node: Node<'a>, variables: &Variables) -> Tri {
        self.ansible.condition_over(variables, node.as_str().unwrap_or(""), self.loc(node))
    }

    /// What `compose` sets; an expression does not see the others. One that fails sets nothing.
    fn composed(&self, variables: &Variables) -> Vec<(String, Value)> {
        let entries = self.root.get("compose").into_iter().flat_map(Node::entries).take(MAX_ENTRIES);
        let one = |(name, text): (Node<'a>, Node<'a>)| {
            let value = self.ansible.expression_over(variables, text.as_str()?, self.loc(text));
            (!value.is_absent()).then(|| Some((name.as_str()?.to_owned(), value)))?
        };
        entries.filter_map(one).collect()
    }

    fn conditional(&self, variables: &Variables) -> Vec<String> {
        let named = ["groups", "conditional_groups"].iter().filter_map(|option| self.root.get(option));
        let entries = named.flat_map(Node::entries).take(MAX_ENTRIES);
        let hits = entries.filter(|(_, condition)| self.holds(*condition, variables).is_true());
        hits.filter_map(|(name, _)| name.as_str().map(str::to_owned)).collect()
    }

    fn keyed(&self, variables: &Variables) -> Vec<String> {
        let mut found = Vec::new();
        let is_off = |node: Option<Node<'_>>| node.and_then(Node::as_str).and_then(truth) == Some(false);
        let leads = !is_off(self.root.get("leading_separator"));
        for entry in self.entries("keyed_groups") {
            let Some(key) = entry.get("key").and_then(|key| Some((key.as_str()?, self.loc(key)))) else { continue };
            let value = self.ansible.expression_over(variables, key.0, key.1);
            let option = |name: &str| entry.get(name).and_then(Node::as_str);
            let separator = option("separator").unwrap_or("_");
            let prefix = option("prefix").unwrap_or("");
            let trails = !is_off(entry.get("trailing_separator"));
            let bare = bare_groups(&value, separator, option("default_value"), trails);
            let led = if prefix.is_empty() && !leads { "" } else { separator };
            let own: Vec<String> = bare.iter().map(|name| format!("{prefix}{led}{name}")).collect();
            if let Some(parent) = option("parent_group").filter(|_| !own.is_empty()) {
                let parent = self.ansible.text_over(variables, parent, self.loc(entry));
                found.extend(parent.scalar().map(|parent| parent.to_string()));
            }
            found.extend(own);
        }
        found
    }
}

fn set(variables: &mut Vec<(Box<str>, Value)>, name: &str, value: Value) {
    match variables.iter_mut().find(|(own, _)| **own == *name) {
        Some((_, own)) => *own = value,
        None => variables.push((name.into(), value)),
    }
}

fn listed(groups: &BTreeSet<String>) -> Value {
    Value::list(groups.iter().filter(|group| *group != "all").map(|group| Value::known(&**group)).collect())
}

/// The names that a key makes before its prefix: of a text itself, of each member of a list, of each key and value of a mapping.
fn bare_groups(value: &Value, separator: &str, default: Option<&str>, trails: bool) -> Vec<String> {
    let own = |value: &Value| match value.scalar() {
        Some(text) if !text.is_empty() => Some(text.to_string()),
        Some(_) => default.map(str::to_owned),
        None => None,
    };
    match value.data() {
        Some(Data::List(list)) => list.items.iter().filter_map(own).collect(),
        Some(Data::Map(map)) => {
            let one = |(key, value): &(Arc<str>, Value)| match own(value) {
                Some(text) => Some(format!("{key}{separator}{text}")),
                None => value.scalar().map(|_| if trails { format!("{key}{separator}") } else { key.to_string() }),
            };
            map.entries.iter().filter_map(one).collect()
        }
        Some(_) => own(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// A name as Ansible makes it one of a group.
fn safe(name: &str) -> String {
    let kept = |(at, c): (usize, char)| {
        let word = c.is_alphanumeric() || c == '_';
        if word && !(at == 0 && c.is_numeric()) { c } else { '_' }
    };
    name.chars().enumerate().map(kept).collect()
}

impl<'a> Ansible<'a> {
    /// The files of the plugin `constructed` that some inventory reads after this file, in order.
    #[must_use]
    pub fn constructed_after(&self, file: FileId) -> Vec<Constructed<'_, 'a>> {
        let mut found = BTreeMap::new();
        let own = self.inventory.plugins.iter().filter(|(_, name)| is_constructed(name));
        let own: BTreeSet<FileId> = own.map(|(file, _)| *file).collect();
        for merged in self.inventory.merged.iter().chain(self.invocations.all()).filter(|_| !own.is_empty()) {
            let Some(at) = merged.files.iter().position(|one| *one == file) else { continue };
            let later = merged.files.iter().enumerate().skip(at + 1).filter(|(_, file)| own.contains(file));
            found.extend(later.map(|(at, file)| (*file, at)));
        }
        let mut found: Vec<(usize, FileId)> = found.into_iter().map(|(file, at)| (at, file)).collect();
        found.sort_unstable();
        let root = |file: FileId| self.documents.document(file).and_then(|document| document.yaml()?.root());
        found
            .iter()
            .filter_map(|(_, file)| Some(Constructed { ansible: self, file: *file, root: root(*file)? }))
            .collect()
    }

    /// Puts hosts of static files into the groups that `constructed` makes of them.
    pub(super) fn construct(&mut self) {
        if !self.inventory.plugins.iter().any(|(_, name)| is_constructed(name)) {
            return;
        }
        let mut after: BTreeMap<FileId, Vec<Constructed<'_, 'a>>> = BTreeMap::new();
        let mut made: Vec<(usize, BTreeSet<String>)> = Vec::new();
        for (at, host) in self.inventory.hosts.iter().enumerate().take(MAX_HOSTS) {
            let files = after.entry(host.loc.file).or_insert_with(|| self.constructed_after(host.loc.file));
            if files.is_empty() {
                continue;
            }
            let mut variables = self.given_there(host.loc.file, &host.name);
            let mut groups = host.groups.clone();
            for file in files.iter() {
                file.add(&Value::known(&*host.name), &mut variables, &mut groups);
            }
            made.push((at, groups));
        }
        for (at, groups) in made {
            self.inventory.hosts[at].groups.extend(groups);
        }
    }

    /// What the inventory that reads a file gives a host, the variables of its groups included, and no files of variables.
    fn given_there(&self, file: FileId, name: &str) -> Vec<(Box<str>, Value)> {
        let mut found: Vec<(Box<str>, Value)> = Vec::new();
        let mut reading = self.inventory.merged.iter().filter(|merged| merged.files.contains(&file));
        let Some((merged, host)) = reading.find_map(|merged| Some((merged, merged.host(name)?))) else { return found };
        let groups = merged.groups_of(name);
        let of_groups = groups.iter().filter_map(|at| merged.groups.get(*at)).flat_map(|group| &group.variables);
        for variable in of_groups.chain(&host.variables) {
            let value = match &variable.setting {
                Setting::Node(node) => self.node_over(variable.loc.file, *node),
                Setting::Value(value) => value.clone(),
            };
            set(&mut found, &variable.name, value);
        }
        found
    }
}

fn is_constructed(plugin: &str) -> bool {
    plugin.rsplit('.').next() == Some("constructed")
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn names_of_groups() {
        for (name, expected) in [("tag_Role_db", "tag_Role_db"), ("role-db", "role_db"), ("1st", "_st"), ("a b", "a_b")]
        {
            assert_eq!(safe(name), expected);
        }
    }
}
