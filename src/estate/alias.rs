//! By which names of Ansible's inventories a machine of Terraform goes, and which plays mean it.

mod sight;

pub use sight::Sights;

use super::machine::Machine;
use crate::diag::Confidence;
use crate::model::ansible::{Pattern, Play};
use crate::source::folder;
use crate::text::FileId;
use crate::value::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// An inventory name of a machine.
#[derive(Clone, Debug)]
pub struct Alias {
    /// The name; none where only the platform knows it.
    pub name: Option<String>,
    /// Why it is this machine's.
    pub because: Because,
    /// The groups that it is in by that name alone, `all` among them.
    pub own: Vec<String>,
    /// All groups that it is in.
    pub groups: Vec<String>,
    /// Why it is in the groups that are not its own, and its name there.
    pub listed: (Because, Option<String>),
    /// The only playbook that knows it so.
    pub playbook: Option<FileId>,
}

/// Why a name is a machine's, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// A provisioner or resource runs the playbook on it.
    Handed,
    /// Terraform gives the machine this name.
    Name,
    /// The inventory gives a host of this name the machine's address.
    Address,
    /// The inventory gives a host of this name the machine's hardware address.
    Mac,
    /// Variables of a host of this name hold the machine's address.
    Variables,
    /// A resource declares the host.
    Provided,
    /// Terraform writes the inventory.
    Written,
    /// An inventory plugin finds it on its platform.
    Plugin,
    /// Terraform writes an inventory that lies elsewhere than the playbooks' own.
    WrittenElsewhere,
    /// The inventory's script reads outputs in which it has this name.
    Output,
    /// A script that reads Terraform's state lists it.
    StateScript,
    /// Its name begins with this one, which a play names and no inventory explains.
    Short,
    /// No inventory is there, and a play is for hosts that are called as the resource is.
    Label,
    /// A play's own variables hold the address, and its host shares a telling word with the machine.
    Words,
    /// An inventory plugin may find it: a filter of its file is not known.
    PluginPerhaps,
}

impl Because {
    /// The clause that says so, of a name.
    #[must_use]
    pub fn clause(self, name: &str) -> String {
        let listed = if name.is_empty() { String::new() } else { format!(" as {name}") };
        match self {
            Self::Name => format!("its name is {name}"),
            Self::Address => format!("the inventory gives {name} its address"),
            Self::Mac => format!("the inventory gives {name} its hardware address"),
            Self::Variables => format!("variables of {name} hold its address"),
            Self::Handed => "Terraform runs the playbook on it".to_owned(),
            Self::Provided => format!("Terraform declares it a host{listed}"),
            Self::Written => format!("Terraform writes it{listed} into an inventory"),
            Self::WrittenElsewhere => format!("Terraform writes it{listed} into an inventory of its own"),
            Self::Plugin => format!("the inventory plugin finds it{listed}"),
            Self::Output => format!("the inventory's script reads outputs that call it {name}"),
            Self::StateScript => format!("a script that reads Terraform's state lists it{listed}"),
            Self::Short => format!("its name begins with {name}"),
            Self::Label => format!("no inventory is here, and Terraform calls the resource {name}"),
            Self::Words => format!("the play's variables hold its address, and {name} is named alike"),
            Self::PluginPerhaps => format!("the inventory plugin finds it{listed}, unless its filters leave it out"),
        }
    }

    /// How sure the join is.
    #[must_use]
    pub const fn confidence(self) -> Confidence {
        match self {
            Self::Words | Self::Short | Self::Label | Self::Output | Self::StateScript | Self::WrittenElsewhere => {
                Confidence::Medium
            }
            Self::PluginPerhaps => Confidence::Low,
            _ => Confidence::High,
        }
    }
}

/// A machine's aliases, as each folder of playbooks sees them.
pub struct Known<'s> {
    sights: &'s Sights,
    machine: usize,
    by_folder: BTreeMap<String, Vec<Alias>>,
}

impl<'s> Known<'s> {
    /// Nothing has been asked of the machine yet.
    #[must_use]
    pub const fn new(sights: &'s Sights, machine: usize) -> Self {
        Self { sights, machine, by_folder: BTreeMap::new() }
    }

    /// The names by which the play's pattern selects the machine, each with the reason; empty for one that nobody here knows.
    pub fn reaching(
        &mut self,
        machine: &Machine<'_>,
        from: &str,
        play: &Play<'_>,
        pattern: &Pattern,
    ) -> Vec<(String, Because)> {
        if !self.by_folder.contains_key(from) {
            self.by_folder.insert(from.to_owned(), self.sights.aliases(self.machine, machine, from));
        }
        let aliases = self.by_folder.get(from).into_iter().flatten();
        let hit = |alias: &Alias, groups: &[String]| {
            let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
            pattern.matches(alias.name.as_deref().unwrap_or(""), &groups)
        };
        let one = |alias: &Alias| {
            let known = alias.playbook.is_none_or(|playbook| playbook == play.file);
            if !known || !hit(alias, &alias.groups) {
                return None;
            }
            let (because, name) =
                if hit(alias, &alias.own) { (alias.because, &alias.name) } else { (alias.listed.0, &alias.listed.1) };
            Some((name.clone().unwrap_or_default(), because))
        };
        aliases.filter_map(one).collect()
    }

    /// Whether the play's pattern selects the machine.
    pub fn reached(&mut self, machine: &Machine<'_>, path: &str, play: &Play<'_>, pattern: &Pattern) -> bool {
        !self.reaching(machine, folder(path), play, pattern).is_empty()
    }
}

/// An address in the one way of writing it, without the length of its prefix; none for what is no address.
#[must_use]
pub fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim().trim_start_matches('[');
    bare.split(['/', ']']).next()?.parse().ok()
}

/// Whether a value is this address, however it is written.
#[must_use]
pub fn same_address(value: &Value, text: &str) -> bool {
    let own = value.as_str().and_then(address);
    own.is_some() && own == address(text)
}

/// Words of host names that say nothing about which host it is.
const COMMON_WORDS: [&str; 12] =
    ["docker", "lxc", "vm", "host", "server", "node", "prod", "container", "machine", "home", "local", "main"];

/// Labels of resources that say nothing about which machine it is.
const COMMON_LABELS: [&str; 20] = [
    "this",
    "main",
    "default",
    "instance",
    "instances",
    "server",
    "servers",
    "vm",
    "vms",
    "node",
    "nodes",
    "host",
    "hosts",
    "machine",
    "container",
    "lxc",
    "guest",
    "example",
    "test",
    "all",
];

/// The name by which plays that nothing else explains mean a machine: the resource's own label, if it says anything.
fn label<'a>(machine: &'a Machine<'_>) -> Option<&'a str> {
    Some(machine.resource.name()).filter(|label| !COMMON_LABELS.contains(label))
}

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
