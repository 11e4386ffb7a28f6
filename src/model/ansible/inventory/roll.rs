//! An inventory whose text is no file: its hosts, with addresses and groups.

use super::merged::Merged;
use super::read;
use crate::syntax::yaml::Yaml;
use crate::text::FileId;
use std::collections::BTreeSet;

/// The hosts of an inventory.
pub struct Roll {
    /// They, in order.
    pub entries: Vec<Entry>,
}

/// A host of it.
pub struct Entry {
    /// Its name.
    pub name: String,
    /// `ansible_host`.
    pub address: Option<String>,
    /// Its groups with all their parents, without `all` and `ungrouped`.
    pub groups: BTreeSet<String>,
}

impl Roll {
    /// Reads the text that `file` holds or makes; none when Ansible would take it for no inventory.
    #[must_use]
    pub fn read(file: FileId, text: &str, yaml: bool) -> Option<Self> {
        let parsed = if yaml { Some(Yaml::parse(text)) } else { None };
        let mut merged = Merged::new(&[]);
        match &parsed {
            Some(parsed) => read::yaml_text(&mut merged, file, parsed.root()?)?,
            None => read::ini_text(&mut merged, file, text)?,
        }
        merged.reconcile();
        let entry = |name: &str| {
            let groups = merged.groups_of(name).into_iter().map(|at| merged.groups[at].name.clone());
            let own = merged.host(name).into_iter().flat_map(|host| &host.variables);
            let mut own = own.filter(|own| matches!(own.name.as_str(), "ansible_host" | "ansible_ssh_host"));
            Entry {
                name: name.to_owned(),
                address: own.next().map(|variable| variable.text.clone()),
                groups: groups.filter(|group| !matches!(group.as_str(), "all" | "ungrouped")).collect(),
            }
        };
        Some(Self { entries: merged.hosts.iter().map(|host| entry(&host.name)).collect() })
    }
}
