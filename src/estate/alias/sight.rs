//! What a folder of playbooks sees of inventories: hosts by name and address, each looked up once for all machines.

use super::super::listing::environment::differ;
use super::super::listing::{Listing, Listings};
use super::{Alias, Because, address, label};
use crate::estate::machine::Machine;
use crate::model::ansible::{Ansible, Host, HostVariables, is_inside, project_of, scenarios};
use crate::source::folder;
use crate::syntax::jinja;
use crate::syntax::yaml::Node;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

/// Variables that hold the address by which a host is reached.
pub(in crate::estate) const ADDRESS: [&str; 2] = ["ansible_host", "ansible_ssh_host"];
/// Variables that hold a hardware address.
const MACS: [&str; 6] = ["mac", "mac_address", "macaddress", "macaddr", "hwaddr", "hw_address"];

/// A host as a folder sees it.
struct Entry {
    name: String,
    /// The file that lists it.
    path: String,
    /// Where its variables say that it is reached.
    address: Option<IpAddr>,
    groups: Vec<String>,
}

/// The hosts of one folder.
#[derive(Default)]
struct Sight {
    entries: Vec<Entry>,
    /// Names, whole and short, in lower case.
    by_name: HashMap<String, Vec<usize>>,
    by_address: HashMap<IpAddr, Vec<(usize, Because)>>,
    by_mac: HashMap<String, Vec<usize>>,
    /// Hosts of which only files of variables tell.
    variables: HashMap<IpAddr, Vec<String>>,
    /// Whether an inventory lies around it.
    any_around: bool,
    /// The names that its plays are for.
    meant: HashSet<String>,
}

/// What every folder of playbooks sees.
#[derive(Default)]
pub struct Sights {
    folders: BTreeMap<String, Sight>,
    listings: Listings,
    /// The machines of each name and address.
    named: HashMap<String, Vec<(usize, String)>>,
    addressed: HashMap<IpAddr, Vec<usize>>,
    /// Hosts of all inventories, by name in lower case: the project, and where the inventory says that it is reached.
    hosts: HashMap<String, Vec<(String, IpAddr)>>,
    /// Group → its parents.
    parents: BTreeMap<String, BTreeSet<String>>,
}

fn short(name: &str) -> &str {
    if address(name).is_some() { name } else { name.split('.').next().unwrap_or(name) }
}

/// The names of a machine, in lower case.
fn names(machine: &Machine<'_>) -> Vec<String> {
    machine
        .names
        .iter()
        .filter_map(Value::scalar)
        .map(|name| name.to_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
}

fn addresses(machine: &Machine<'_>) -> Vec<IpAddr> {
    machine.addresses.iter().filter_map(|value| address(value.as_str()?)).collect()
}

/// How many folders two paths have in common from the top.
fn shared(a: &str, b: &str) -> usize {
    a.split('/').zip(b.split('/')).take_while(|(a, b)| a == b && !a.is_empty()).count()
}

impl Sights {
    /// Looks from every folder of playbooks.
    #[must_use]
    pub fn new(ansible: &Ansible<'_>, machines: &[Machine<'_>], listings: Listings) -> Self {
        let mut sights = Self { listings, parents: ansible.inventory.parents().clone(), ..Self::default() };
        if machines.is_empty() {
            return sights;
        }
        for (at, machine) in machines.iter().enumerate() {
            let root = machine.resource.instance.root.to_string();
            for name in names(machine).into_iter().collect::<HashSet<_>>() {
                sights.named.entry(name).or_default().push((at, root.clone()));
            }
            for address in addresses(machine) {
                sights.addressed.entry(address).or_default().push(at);
            }
        }
        for host in &ansible.inventory.hosts {
            if let Some(address) = written_address(host) {
                sights.hosts.entry(host.name.to_lowercase()).or_default().push((host.project.clone(), address));
            }
        }
        let plays = ansible.plays.iter().filter(|play| !play.local);
        let folders: BTreeSet<&str> = plays.map(|play| folder(ansible.documents.tree.path(play.file))).collect();
        for from in folders {
            let sight = sights.look(ansible, from);
            sights.folders.insert(from.to_owned(), sight);
        }
        sights
    }

    fn look(&self, ansible: &Ansible<'_>, from: &str) -> Sight {
        let tree = ansible.documents.tree;
        let around = |project: &str| is_inside(from, project);
        let listed = self.listings.listed.iter().flatten().filter_map(|listing| listing.project.as_deref());
        let plugins = ansible.inventory.plugins.iter().map(|(file, _)| project_of(tree.path(*file)));
        let static_around = ansible.inventory.hosts.iter().any(|host| around(&host.project));
        let other_around = listed.chain(plugins).any(around);
        let mut sight = Sight { any_around: static_around || other_around, ..Sight::default() };
        let seen = ansible.inventory.seen_from(from);
        let plays: Vec<usize> = (0..ansible.plays.len())
            .filter(|at| !ansible.plays[*at].local && folder(tree.path(ansible.plays[*at].file)) == from)
            .collect();
        let meant = plays.iter().flat_map(|play| ansible.plays[*play].pattern.names());
        sight.meant = meant.map(str::to_owned).collect();
        // The hosts of another project are nobody's here when this one has an inventory of its own.
        for host in seen.hosts.iter().filter(|_| static_around || !other_around) {
            let reached = reached_at(ansible, &plays, host);
            let groups = self.closed(host.groups.iter().cloned());
            let path = tree.path(host.loc.file).to_owned();
            let at = sight.entries.len();
            let name = host.name.to_lowercase();
            for key in BTreeSet::from([short(&name), &name]) {
                sight.by_name.entry(key.to_owned()).or_default().push(at);
            }
            for address in reached.into_iter().chain(address(&host.name)) {
                sight.by_address.entry(address).or_default().push((at, Because::Address));
            }
            let macs = host.variables.iter().filter(|variable| MACS.contains(&variable.name.as_str()));
            for mac in macs.filter_map(|variable| mac(&variable.text)) {
                sight.by_mac.entry(mac).or_default().push(at);
            }
            sight.entries.push(Entry { name: host.name.clone(), path, address: reached, groups });
        }
        for variables in &ansible.host_variables {
            sight.variables(tree.path(variables.file), variables, from);
        }
        sight
    }

    /// Groups with all their parents, `all` first.
    fn closed(&self, groups: impl Iterator<Item = String>) -> Vec<String> {
        let mut found: BTreeSet<String> = BTreeSet::from(["all".to_owned()]);
        let mut open: Vec<String> = groups.collect();
        while let Some(group) = open.pop() {
            if !found.contains(&group) {
                open.extend(self.parents.get(&group).into_iter().flatten().cloned());
                found.insert(group);
            }
        }
        found.into_iter().collect()
    }

    /// The names by which a machine goes in a folder of playbooks.
    #[must_use]
    pub fn aliases(&self, at: usize, machine: &Machine<'_>, from: &str) -> Vec<Alias> {
        if scenarios(from).is_some() {
            return Vec::new();
        }
        let nothing = Sight::default();
        let sight = self.folders.get(from).unwrap_or(&nothing);
        let found = self.by_inventory(at, machine, from, sight);
        let listed = self.listings.listed.get(at).into_iter().flatten();
        let listed: Vec<Listing> =
            listed.filter_map(|listing| self.seen_as(listing, &machine.resource.instance.root, from, sight)).collect();
        let sure = |listing: &&Listing| listing.playbook.is_none() && listing.because != Because::PluginPerhaps;
        let shared: BTreeSet<String> =
            listed.iter().filter(sure).flat_map(|listing| listing.groups.iter().cloned()).collect();
        let reason = listed.iter().filter(sure).filter(|one| !one.groups.is_empty());
        let reason = reason.min_by_key(|one| one.because).map(|one| (one.because, one.name.clone()));
        let mut aliases: Vec<Alias> = Vec::new();
        for (name, (because, own)) in found {
            let own = self.closed(own.into_iter());
            let groups = self.closed(own.iter().cloned().chain(shared.iter().cloned()));
            let listed = reason.clone().unwrap_or_else(|| (because, Some(name.clone())));
            aliases.push(Alias { name: Some(name), because, own, groups, listed, playbook: None });
        }
        for listing in listed {
            let same = aliases.iter().any(|alias| alias.name.is_some() && alias.name == listing.name);
            if same && listing.playbook.is_none() && listing.because != Because::PluginPerhaps {
                continue;
            }
            let own = self.closed(listing.groups.iter().cloned());
            let groups = self.closed(own.iter().cloned().chain(shared.iter().cloned()));
            let (name, because) = (listing.name.clone(), listing.because);
            let listed = (because, name.clone());
            aliases.push(Alias { name, because, own, groups, listed, playbook: listing.playbook });
        }
        aliases
    }

    /// The groups in which a machine surely is by what no hand has written.
    pub fn listed_groups(&self, at: usize) -> impl Iterator<Item = &String> {
        let listed = self.listings.listed.get(at).into_iter().flatten();
        listed.filter(|listing| listing.because != Because::PluginPerhaps).flat_map(|listing| &listing.groups)
    }

    /// A listing as a folder of playbooks sees it, if it does.
    fn seen_as(&self, listing: &Listing, root: &str, from: &str, sight: &Sight) -> Option<Listing> {
        let near = match &listing.project {
            None => true,
            Some(project) => is_inside(from, project) || !sight.any_around,
        };
        if near {
            return Some(listing.clone());
        }
        // What Terraform writes beside itself is given to the nearest playbooks for its groups, whatever inventories lie around them.
        let speaks = |sight: &Sight| listing.groups.iter().any(|group| sight.meant.contains(group));
        let speaking = self.folders.iter().filter(|(_, sight)| speaks(sight));
        let nearest = speaking.map(|(folder, _)| shared(root, folder)).max();
        let given = listing.because == Because::Written && nearest == Some(shared(root, from));
        given.then(|| Listing { because: Because::WrittenElsewhere, ..listing.clone() })
    }

    /// What inventories that are written by hand say, and the machine's own name.
    fn by_inventory(
        &self,
        at: usize,
        machine: &Machine<'_>,
        from: &str,
        sight: &Sight,
    ) -> BTreeMap<String, (Because, BTreeSet<String>)> {
        let mut found: BTreeMap<String, (Because, BTreeSet<String>)> = BTreeMap::new();
        let mut add = |name: &str, because: Because, groups: &[String]| {
            let known = found.entry(name.to_owned()).or_insert_with(|| (because, BTreeSet::new()));
            known.0 = because.min(known.0);
            known.1.extend(groups.iter().cloned());
        };
        let environment = machine.resource.instance.environment();
        let own_addresses = addresses(machine);
        let own_names: Vec<String> =
            machine.names.iter().filter_map(Value::scalar).map(|name| name.to_string()).collect();
        for name in own_names.iter().filter(|name| !name.is_empty() && self.is_nearest(at, machine, name, from)) {
            let key = name.to_lowercase();
            let mut candidates: BTreeSet<usize> = sight.by_name.get(&key).into_iter().flatten().copied().collect();
            // A host may be listed by the short form of the machine's own name.
            let less = sight.by_name.get(short(&key)).into_iter().flatten();
            candidates.extend(less.filter(|entry| sight.entries[**entry].name.eq_ignore_ascii_case(short(&key))));
            let mine = |entry: &Entry| self.may_be(machine, &entry.name, &entry.path, entry.address);
            let (accepted, refused): (Vec<&Entry>, Vec<&Entry>) =
                candidates.iter().map(|entry| &sight.entries[*entry]).partition(|entry| mine(entry));
            for entry in &accepted {
                add(&entry.name, Because::Name, &entry.groups);
            }
            // The inventory calls it so and not otherwise.
            if accepted.is_empty() && refused.is_empty() {
                add(name, Because::Name, &[]);
                let less = short(name);
                let known = sight.meant.contains(less) && less.len() < name.len();
                if known && !sight.by_name.contains_key(&less.to_lowercase()) && self.has_alone(less) {
                    add(less, Because::Short, &[]);
                }
            }
        }
        // Where some inventory lies around, or Terraform makes one, that says which hosts there are.
        if let Some(label) = label(machine).filter(|_| !sight.any_around && !self.listings.told) {
            let alike = |name: &&String| name.replace('-', "_") == label.replace('-', "_");
            let meant = sight.meant.iter().filter(alike).min();
            if let Some(name) = meant {
                add(name, Because::Label, &[]);
            }
        }
        for address in &own_addresses {
            for (entry, because) in sight.by_address.get(address).into_iter().flatten() {
                let entry = &sight.entries[*entry];
                let shared = self.addressed.get(address).is_some_and(|all| all.len() > 1);
                if !(shared && differ(&entry.path, environment)) {
                    add(&entry.name, *because, &entry.groups);
                }
            }
            for name in sight.variables.get(address).into_iter().flatten() {
                let entries = sight.by_name.get(&name.to_lowercase()).into_iter().flatten();
                let entries = entries.map(|entry| &sight.entries[*entry]).filter(|entry| entry.name == *name);
                let groups: Vec<String> = entries.flat_map(|entry| entry.groups.iter().cloned()).collect();
                add(name, Because::Variables, &groups);
            }
        }
        for mac in machine.macs.iter().filter_map(|value| mac(value.as_str()?)) {
            for entry in sight.by_mac.get(&mac).into_iter().flatten() {
                add(&sight.entries[*entry].name, Because::Mac, &sight.entries[*entry].groups);
            }
        }
        found
    }

    /// Whether a host that bears a machine's name may be that machine: not one of another environment, not one at the address of
    /// another machine, and not one of another project that lies farther from the machine than a namesake of another address.
    fn may_be(&self, machine: &Machine<'_>, name: &str, path: &str, listed: Option<IpAddr>) -> bool {
        if differ(path, machine.resource.instance.environment()) {
            return false;
        }
        let own = addresses(machine);
        let Some(listed) = listed.filter(|listed| !own.contains(listed)) else { return true };
        let other_machine = !own.is_empty() && self.addressed.contains_key(&listed);
        let root = &machine.resource.instance.root;
        let distance = shared(root, project_of(path));
        let namesakes = self.hosts.get(&name.to_lowercase()).into_iter().flatten();
        let mut nearer = namesakes.filter(|(project, address)| *address != listed && shared(root, project) > distance);
        !other_machine && nearer.next().is_none()
    }

    /// Whether a host is a machine by its name, as playbooks of its own project would take it, be there any or not.
    #[must_use]
    pub fn is_named(&self, at: usize, machine: &Machine<'_>, host: &Host<'_>, path: &str) -> bool {
        let own = machine.names.iter().filter_map(Value::scalar).map(|name| name.to_string());
        let mut own = own.filter(|name| !name.is_empty() && short(name).eq_ignore_ascii_case(short(&host.name)));
        own.any(|name| self.is_nearest(at, machine, &name, &host.project))
            && self.may_be(machine, &host.name, path, written_address(host))
    }

    /// Whether the machines whose names begin with this label all have one name.
    fn has_alone(&self, label: &str) -> bool {
        let alike = |name: &&String| short(name).eq_ignore_ascii_case(label);
        self.named.keys().filter(alike).take(2).count() == 1
    }

    /// Whether no other machine of this name is of a root nearer to the folder.
    fn is_nearest(&self, at: usize, machine: &Machine<'_>, name: &str, from: &str) -> bool {
        let own = shared(&machine.resource.instance.root, from);
        let others = self.named.get(&name.to_lowercase()).into_iter().flatten();
        !others.filter(|(other, _)| *other != at).any(|(_, root)| shared(root, from) > own)
    }
}

impl Sight {
    /// What a file of variables says of a host, or of a group that has one host alone.
    fn variables(&mut self, path: &str, variables: &HostVariables<'_>, from: &str) {
        let given = ADDRESS.iter().find_map(|name| variables.node.get(name).and_then(Node::as_str));
        let Some(address) = given.and_then(address) else { return };
        if self.any_around && !is_inside(from, project_of(path)) && !is_inside(from, variables_base(path)) {
            return;
        }
        if variables.host {
            self.variables.entry(address).or_default().push(variables.name.clone());
            return;
        }
        let mut members = self
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.groups.iter().any(|group| *group == *variables.name));
        if let (Some((at, _)), None) = (members.next(), members.next()) {
            self.by_address.entry(address).or_default().push((at, Because::Address));
        }
    }
}

/// The folder that holds `host_vars` or `group_vars`.
fn variables_base(path: &str) -> &str {
    let at = path.find("host_vars/").or_else(|| path.find("group_vars/"));
    at.map_or("", |at| path[..at].trim_end_matches('/'))
}

/// Where the inventory says that a host is reached, its templates evaluated as the first play that means it would.
fn reached_at(ansible: &Ansible<'_>, plays: &[usize], host: &Host<'_>) -> Option<IpAddr> {
    let variable = host.variables.iter().find(|variable| ADDRESS.contains(&variable.name.as_str()))?;
    if !jinja::contains_template(&variable.text) {
        return address(&variable.text);
    }
    let values = plays.iter().map(|play| ansible.variable_of_host(*play, &host.name, &variable.name));
    let mut known = values.filter_map(|value| address(value.as_str()?));
    known.next()
}

/// The address that the inventory gives a host, where it is written out.
fn written_address(host: &Host<'_>) -> Option<IpAddr> {
    let variable = host.variables.iter().find(|variable| ADDRESS.contains(&variable.name.as_str()))?;
    address(&variable.text)
}

/// A hardware address in the one way of writing it.
fn mac(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_lowercase();
    let others = text.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.'));
    (others && digits.len() == 12).then_some(digits)
}
