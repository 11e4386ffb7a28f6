//! By which names of Ansible's inventories a machine of Terraform goes, and which plays mean it.

use super::machine::Machine;
use crate::diag::Confidence;
use crate::model::ansible::{Ansible, Pattern, Play, Seen};
use crate::source::folder;
use crate::value::Value;
use std::collections::BTreeMap;

/// An inventory name of a machine.
#[derive(Clone, Debug)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// Why it is this machine's.
    pub because: Because,
    /// The groups that it is in, `all` among them.
    pub groups: Vec<String>,
}

/// Why a name is a machine's, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// Terraform gives the machine this name.
    Name,
    /// The inventory gives a host of this name the machine's address.
    Address,
    /// Variables of a host of this name hold the machine's address.
    Variables,
    /// A play's own variables hold the address, and its host shares a telling word with the machine.
    Words,
}

impl Because {
    /// The clause that says so, of a name.
    #[must_use]
    pub fn clause(self, name: &str) -> String {
        match self {
            Self::Name => format!("its name is {name}"),
            Self::Address => format!("the inventory gives {name} its address"),
            Self::Variables => format!("variables of {name} hold its address"),
            Self::Words => format!("the play's variables hold its address, and {name} is named alike"),
        }
    }

    /// How sure the join is.
    #[must_use]
    pub const fn confidence(self) -> Confidence {
        match self {
            Self::Name | Self::Address | Self::Variables => Confidence::High,
            Self::Words => Confidence::Medium,
        }
    }
}

/// A machine's aliases, as each folder of playbooks sees them.
#[derive(Default)]
pub struct Known(BTreeMap<String, Vec<Alias>>);

impl Known {
    /// Whether the play's pattern selects the machine.
    pub fn reached(
        &mut self,
        machine: &Machine<'_>,
        ansible: &Ansible<'_>,
        play: &Play<'_>,
        pattern: &Pattern,
    ) -> bool {
        self.reaching(machine, ansible, play, pattern).next().is_some()
    }

    /// The names by which the play's pattern selects the machine.
    pub fn reaching<'k>(
        &'k mut self,
        machine: &Machine<'_>,
        ansible: &Ansible<'_>,
        play: &Play<'_>,
        pattern: &'k Pattern,
    ) -> impl Iterator<Item = &'k Alias> {
        let from = folder(ansible.documents.tree.path(play.file));
        if !self.0.contains_key(from) {
            let seen = ansible.inventory.seen_from(from);
            self.0.insert(from.to_owned(), aliases(machine, ansible, &seen));
        }
        self.0.get(from).into_iter().flatten().filter(|alias| {
            let groups: Vec<&str> = alias.groups.iter().map(String::as_str).collect();
            pattern.matches(&alias.name, &groups)
        })
    }

    /// The groups of the machine, as far as any folder of playbooks that was asked for sees them.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.0.values().flatten().flat_map(|alias| &alias.groups).map(String::as_str)
    }
}

/// The inventory names of a machine: its own, short and long, and those of hosts at its addresses.
fn aliases(machine: &Machine<'_>, ansible: &Ansible<'_>, seen: &Seen<'_, '_>) -> Vec<Alias> {
    let mut found: BTreeMap<String, Because> = BTreeMap::new();
    let mut add = |name: &str, because: Because| {
        let known = found.entry(name.to_owned()).or_insert(because);
        *known = because.min(*known);
    };
    let own: Vec<String> = machine.names.iter().filter_map(Value::scalar).map(|name| name.to_string()).collect();
    for name in &own {
        add(name, Because::Name);
    }
    let addresses: Vec<&str> = machine.addresses.iter().filter_map(Value::as_str).collect();
    for host in &seen.hosts {
        let short = host.name.split('.').next().unwrap_or(&host.name);
        if own.iter().any(|name| name == &host.name || name == short) {
            add(&host.name, Because::Name);
            continue;
        }
        let address = host
            .variables
            .iter()
            .find(|variable| variable.name == "ansible_host")
            .map(|variable| variable.text.as_str());
        if address.into_iter().chain([host.name.as_str()]).any(|address| addresses.contains(&address)) {
            add(&host.name, Because::Address);
        }
    }
    // Host variables pin addresses too.
    for variables in ansible.host_variables.iter().filter(|variables| variables.host) {
        let address = variables.node.get("ansible_host").and_then(crate::syntax::yaml::Node::as_str);
        if address.is_some_and(|address| addresses.contains(&address)) {
            add(&variables.name, Because::Variables);
        }
    }
    let alias = |(name, because): (String, Because)| {
        let groups = seen.groups_of(&name).into_iter().map(str::to_owned).collect();
        Alias { name, because, groups }
    };
    found.into_iter().map(alias).collect()
}

/// Words of host names that say nothing about which host it is.
const COMMON_WORDS: [&str; 12] =
    ["docker", "lxc", "vm", "host", "server", "node", "prod", "container", "machine", "home", "local", "main"];

/// The host that a play names when its own variables hold the machine's address and that name shares a telling word with it: an
/// alias that only somebody's own inventory knows.
pub fn spoken_of<'p>(machine: &Machine<'_>, play: &Play<'_>, pattern: &'p Pattern) -> Option<&'p str> {
    let vars = play.node.get("vars")?;
    let addresses: Vec<&str> = machine.addresses.iter().filter_map(Value::as_str).collect();
    let holds =
        vars.entries().into_iter().any(|(_, value)| value.as_str().is_some_and(|text| addresses.contains(&text)));
    let words = |name: &str| -> Vec<String> {
        let parts = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
        parts.filter(|word| word.len() > 3 && !COMMON_WORDS.contains(&word.as_str())).collect()
    };
    let own = words(&machine.name());
    let shared = |name: &&str| words(name).iter().any(|word| own.contains(word));
    pattern.names().find(shared).filter(|_| holds)
}
