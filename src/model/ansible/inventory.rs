//! Inventories, INI and YAML, as Ansible reads and merges them: hosts with their groups and what each is given.

mod address;
mod layers;
mod merged;
mod read;
mod roll;
#[cfg(test)]
mod tests;

pub(super) use address::is_one;
pub use layers::{Content, Found, HostLayers, Layer};
pub use merged::{Group, Member, Merged, Setting, Unread, Variable};
pub(super) use read::{exists, named_by};
pub use roll::Roll;

use crate::model::kind::Kind;
use crate::model::load::Documents;
use crate::source::{file_name, folder};
use crate::text::{FileId, Loc};
use crate::value::Reason;
use std::collections::{BTreeMap, BTreeSet};

/// All inventories of a repository.
#[derive(Default)]
pub struct Inventory<'a> {
    /// Every host, by file and name.
    pub hosts: Vec<Host<'a>>,
    /// Files of inventory plugins, with the plugin's name.
    pub plugins: Vec<(FileId, &'a str)>,
    /// The inventories: what `ansible.cfg` names, folders whose files belong together, and each other file alone.
    pub merged: Vec<Merged<'a>>,
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

impl<'a> Inventory<'a> {
    /// The hosts that a playbook in the folder sees: those of the nearest project around it, or all when none is around it. A
    /// scenario of Molecule sees its own alone.
    #[must_use]
    pub fn seen_from(&self, folder: &str) -> Seen<'_, 'a> {
        if let Some(scenarios) = scenarios(folder) {
            let own = self.hosts.iter().filter(|host| is_inside(&host.project, scenarios));
            return Seen { hosts: own.collect(), inventory: self };
        }
        let around = |host: &&Host<'_>| is_inside(folder, &host.project);
        let nearest = self.hosts.iter().filter(around).map(|host| host.project.len()).max();
        let hosts =
            self.hosts.iter().filter(|host| nearest.is_none_or(|len| around(host) && host.project.len() == len));
        Seen { hosts: hosts.collect(), inventory: self }
    }

    /// The inventories that a playbook in the folder may be run with: those of the nearest project around it, or all when
    /// none is around it.
    #[must_use]
    pub fn merged_from(&self, folder: &str) -> Vec<&Merged<'a>> {
        let project = |merged: &&Merged<'a>| merged.sources.first().map_or("", |source| project_of(source)).to_owned();
        if let Some(scenarios) = scenarios(folder) {
            return self.merged.iter().filter(|merged| is_inside(&project(merged), scenarios)).collect();
        }
        let around = |merged: &&Merged<'a>| is_inside(folder, &project(merged));
        let nearest = self.merged.iter().filter(around).map(|merged| project(&merged).len()).max();
        // What documentation shows is the inventory of nobody's hosts.
        let shown = |merged: &&Merged<'a>| {
            let source = merged.sources.first().map_or("", String::as_str);
            source.split('/').any(|part| matches!(part, "doc" | "docs" | "documentation"))
        };
        let near = |merged: &&Merged<'a>| match nearest {
            Some(len) => around(merged) && project(merged).len() == len,
            None => !shown(merged),
        };
        self.merged.iter().filter(near).collect()
    }

    /// Group → the groups that are its parents.
    #[must_use]
    pub fn parents(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.parents
    }

    /// Every group name.
    #[must_use]
    pub fn groups(&self) -> BTreeSet<&str> {
        let mut groups: BTreeSet<&str> = self.parents.keys().map(String::as_str).collect();
        groups.extend(self.parents.values().flatten().map(String::as_str));
        groups.extend(self.hosts.iter().flat_map(|host| host.groups.iter().map(String::as_str)));
        groups
    }

    /// Adds what one inventory tells of groups, and, of a single file, its hosts.
    fn take(&mut self, merged: &Merged<'a>, project: Option<&str>) {
        for group in &merged.groups {
            let parents = group.parents.iter().map(|parent| merged.groups[*parent].name.clone());
            self.parents.entry(group.name.clone()).or_default().extend(parents);
        }
        for (child, parent) in &merged.undeclared {
            self.parents.entry(child.clone()).or_default().insert(merged.groups[*parent].name.clone());
        }
        for (at, host) in merged.hosts.iter().enumerate().filter(|_| project.is_some()) {
            let beside = merged.groups.iter().flat_map(|group| &group.variables).filter(|own| own.beside == Some(at));
            self.hosts.push(Host {
                name: host.name.clone(),
                loc: host.loc,
                project: project.unwrap_or("").to_owned(),
                groups: host.groups.iter().map(|group| merged.groups[*group].name.clone()).collect(),
                variables: host.variables.iter().chain(beside).cloned().collect(),
            });
        }
    }
}

/// The inventory that these files or folders make together, as `ansible-inventory -i` of each would.
#[must_use]
pub fn merge<'a>(documents: &'a Documents<'a>, sources: &[&str]) -> Merged<'a> {
    let given: Vec<Given> = sources.iter().map(|path| Given::Path((*path).to_owned())).collect();
    read::merge(documents, &given)
}

/// What one `-i` names.
pub(super) enum Given {
    /// A file or folder of the repository.
    Path(String),
    /// A host of a list, and the command.
    Host(String, Loc),
    /// Something that cannot be told, with the reason and the file of the command.
    Open(Reason, FileId),
}

/// The inventory that several `-i` make together.
pub(super) fn merge_given<'a>(documents: &'a Documents<'a>, given: &[Given]) -> Merged<'a> {
    read::merge(documents, given)
}

/// What a host of an inventory is given, the strongest first; `playbook` is the folder of the playbook that is run.
#[must_use]
pub fn layers<'m, 'a>(
    documents: &'a Documents<'a>,
    inventory: &'m Merged<'a>,
    host: &str,
    playbook: Option<&str>,
) -> HostLayers<'m, 'a> {
    layers::of(documents, inventory, host, playbook)
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

/// The folder of the project that an inventory at this path belongs to.
#[must_use]
pub fn project_of(path: &str) -> &str {
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

/// The folder of Molecule's scenarios that a folder lies in. What stands there is run against instances that Molecule makes for the
/// test and takes away, and with its own inventory: hosts and machines of the repository are never meant.
#[must_use]
pub fn scenarios(folder: &str) -> Option<&str> {
    let mut end = 0;
    for part in folder.split('/') {
        end += part.len();
        if part == "molecule" {
            return folder.get(..end);
        }
        end += 1;
    }
    None
}

pub(crate) fn is_inside(folder: &str, outer: &str) -> bool {
    outer.is_empty() || folder.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Reads every inventory of the documents.
pub(super) fn read<'a>(documents: &'a Documents<'a>) -> Inventory<'a> {
    let mut inventory = Inventory::default();
    for document in documents.of(&[Kind::InventoryPlugin]) {
        let plugin = document.yaml().and_then(|yaml| yaml.root()?.get("plugin")?.as_str());
        inventory.plugins.extend(plugin.map(|plugin| (document.file, plugin)));
    }
    let together: Vec<Merged<'a>> = read::configured(documents)
        .into_iter()
        .chain(folders(documents))
        .map(|paths| merge(documents, &paths.iter().map(String::as_str).collect::<Vec<_>>()))
        .collect();
    for merged in &together {
        inventory.take(merged, None);
    }
    let mut alone = Vec::new();
    for document in documents.of(&[Kind::InventoryIni, Kind::InventoryYaml, Kind::InventoryPlugin]) {
        let path = documents.tree.path(document.file);
        let merged = merge(documents, &[path]);
        inventory.take(&merged, Some(project_of(path)));
        if !together.iter().any(|merged| merged.files.contains(&document.file)) {
            alone.push(merged);
        }
    }
    inventory.merged = together;
    inventory.merged.append(&mut alone);
    inventory
}

/// Folders of which several files are one inventory: numbered ones, or static ones beside a plugin that groups their hosts.
fn folders(documents: &Documents<'_>) -> Vec<Vec<String>> {
    let mut folders: BTreeMap<&str, Vec<(&str, Kind)>> = BTreeMap::new();
    for document in documents.of(&[Kind::InventoryIni, Kind::InventoryYaml, Kind::InventoryPlugin]) {
        let path = documents.tree.path(document.file);
        folders.entry(folder(path)).or_default().push((file_name(path), document.kind));
    }
    let numbered = |name: &str| name.starts_with(|c: char| c.is_ascii_digit());
    let joined = |files: &Vec<(&str, Kind)>| {
        files.iter().all(|(name, _)| numbered(name)) || files.iter().any(|(_, kind)| *kind == Kind::InventoryPlugin)
    };
    let several = folders.into_iter().filter(|(_, files)| files.len() > 1 && joined(files));
    several.map(|(folder, _)| vec![folder.to_owned()]).collect()
}
