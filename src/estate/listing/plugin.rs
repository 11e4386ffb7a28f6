//! Machines that an inventory plugin finds on the platform, in the groups that its file makes of their tags.

use super::environment::differ;
use super::{Ground, Listing, Listings};
use crate::estate::alias::Because;
use crate::estate::machine::Machine;
use crate::knowledge::inventories::{self, Filters, Plugin};
use crate::model::ansible::{Constructed, Variables, is_inside, project_of};
use crate::model::terraform::{Instance, Terraform};
use crate::syntax::yaml::Node;
use crate::value::{Data, Kind, Map, Tri, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) fn list(ground: &Ground<'_, '_>, found: &mut Listings) {
    for (file, name) in &ground.ansible.inventory.plugins {
        let Some(row) = inventories::plugin(name) else { continue };
        let Some(root) = ground.documents.document(*file).and_then(|document| document.yaml()?.root()) else {
            continue;
        };
        let made = Constructed { ansible: ground.ansible, file: *file, root };
        let asked = Asked { ground, made, later: ground.ansible.constructed_after(*file), row };
        for at in asked.machines() {
            if let Some(listing) = asked.listing(at) {
                found.add(listing);
            }
        }
    }
}

/// A file that configures a plugin.
struct Asked<'a, 'e, 'm> {
    ground: &'a Ground<'e, 'm>,
    made: Constructed<'a, 'm>,
    /// Files that construct more groups of what it finds.
    later: Vec<Constructed<'a, 'm>>,
    row: &'static Plugin,
}

impl<'m> Asked<'_, '_, 'm> {
    /// The machines that may be meant: those of its types, and when Terraform's root lies in the plugin's project, only those there.
    fn machines(&self) -> Vec<usize> {
        let path = self.ground.documents.tree.path(self.made.file);
        let project = project_of(path);
        let own = |machine: &Machine<'m>| {
            let ty = machine.resource.ty();
            self.row.types.iter().any(|own| own == ty) && !differ(path, machine.resource.instance.environment())
        };
        let all: Vec<usize> =
            self.ground.machines.iter().enumerate().filter(|(_, machine)| own(machine)).map(|(at, _)| at).collect();
        let inside = |at: &usize| is_inside(&self.ground.machines[*at].resource.instance.root, project);
        let near: Vec<usize> = all.iter().copied().filter(inside).collect();
        if near.is_empty() { all } else { near }
    }

    fn listing(&self, at: usize) -> Option<Listing> {
        let machine = &self.ground.machines[at];
        let mut variables = self.variables(machine);
        let taken = self.within(machine).and(|| self.taken(&variables));
        if taken.is_false() {
            return None;
        }
        let sure = taken.is_true();
        let mut groups: BTreeSet<String> = self.row.groups.iter().cloned().collect();
        if let Some(group) = self.text("group").filter(|_| self.row.plugin == "hcloud") {
            groups = BTreeSet::from([group.to_owned()]);
        }
        groups.extend(self.of_platform(machine, &variables));
        let name = self.name(machine, &variables);
        let called = name.as_deref().map_or_else(|| Value::unknown("only the platform knows its name"), Value::known);
        for file in std::iter::once(&self.made).chain(&self.later) {
            file.add(&called, &mut variables, &mut groups);
        }
        Some(Listing {
            machine: at,
            name,
            because: if sure { Because::Plugin } else { Because::PluginPerhaps },
            groups,
            project: Some(project_of(self.ground.documents.tree.path(self.made.file)).to_owned()),
            playbook: None,
        })
    }

    fn text(&self, option: &str) -> Option<&'m str> {
        self.made.root.get(option)?.as_str()
    }

    /// What the plugin gives a host, as far as Terraform tells it.
    fn variables(&self, machine: &Machine<'m>) -> Vec<(Box<str>, Value)> {
        let mut all: BTreeMap<&str, Value> = BTreeMap::new();
        if self.row.variables.is_empty() {
            for (_, attribute) in &machine.resource.decl.decl.attributes {
                all.insert(&attribute.name, machine.resource.arg(&attribute.name));
            }
        }
        for (name, argument) in &self.row.variables {
            let value = argument_of(self.ground.terraform, machine, argument);
            let value = if *name == self.row.tags { tags(self.ground.terraform, machine, value) } else { value };
            if !value.is_absent() {
                all.insert(name, value);
            }
        }
        if self.row.plugin == "proxmox" && self.text("want_facts").is_none_or(|facts| facts == "false") {
            all.remove("proxmox_tags_parsed");
        }
        let mut nested: BTreeMap<&str, Vec<(Arc<str>, Value)>> = BTreeMap::new();
        let mut found: Vec<(Box<str>, Value)> = Vec::new();
        for (name, value) in all {
            match name.split_once('.') {
                Some((outer, inner)) => nested.entry(outer).or_default().push((inner.into(), value)),
                None => found.push((name.into(), value)),
            }
        }
        for (outer, members) in nested {
            let members = members.into_iter().map(|(inner, value)| match inner.split_once('.') {
                Some((middle, last)) => (middle.into(), Value::map(vec![(last.into(), value)])),
                None => (inner, value),
            });
            // Of what a platform says of a machine, Terraform tells the least part.
            let open = Some("only the platform tells the rest".into());
            let map = Map { entries: members.collect(), open, ..Map::default() };
            found.push((outer.into(), Value::known(Data::Map(Arc::new(map)))));
        }
        found
    }

    /// Whether the machine is in the part of the platform that the file names.
    fn within(&self, machine: &Machine<'m>) -> Tri {
        let mut all = Tri::True;
        for (option, argument) in &self.row.within {
            let Some(node) = self.made.root.get(option) else { continue };
            let wanted: Vec<&str> = node.as_str().into_iter().chain(node.items().filter_map(Node::as_str)).collect();
            let value = argument_of(self.ground.terraform, machine, argument);
            let Some(own) = value.scalar().filter(|_| !wanted.is_empty()) else { continue };
            let holds = |wanted: &&str| *wanted == "*" || own.to_lowercase().starts_with(&wanted.to_lowercase());
            all = all.and(|| wanted.iter().any(holds).into());
        }
        all
    }

    /// Whether the file's filters let the machine in.
    fn taken(&self, variables: &Variables) -> Tri {
        let tags = self.tags(variables);
        match self.row.filters {
            Filters::Aws => self.by_filters(&tags, variables),
            Filters::Gcp => {
                let filters = self.made.root.get("filters").into_iter().flat_map(Node::items).filter_map(Node::as_str);
                filters.fold(Tri::True, |all, filter| all.and(|| super::plugin_filter::gcp(filter, &tags)))
            }
            Filters::Labels => {
                self.text("label_selector").map_or(Tri::True, |text| super::plugin_filter::selector(text, &tags))
            }
            Filters::Conditions => self.all_of("filters", variables),
            Filters::None => {
                let excluded = self
                    .any_of("exclude_host_filters", variables)
                    .or(|| self.any_of("default_host_filters", variables));
                let only = self.made.root.get("include_host_filters").is_some();
                let included = if only { self.any_of("include_host_filters", variables) } else { Tri::True };
                included.and(|| !excluded)
            }
        }
    }

    fn all_of(&self, option: &str, variables: &Variables) -> Tri {
        self.made.entries(option).fold(Tri::True, |all, node| all.and(|| self.made.holds(node, variables)))
    }

    fn any_of(&self, option: &str, variables: &Variables) -> Tri {
        self.made.entries(option).fold(Tri::False, |any, node| any.or(|| self.made.holds(node, variables)))
    }

    fn tags(&self, variables: &Variables) -> Value {
        let mut steps = self.row.tags.split('.');
        let first = steps.next().unwrap_or("");
        let own = variables.iter().find(|(name, _)| **name == *first).map(|(_, value)| value.clone());
        steps.fold(own.unwrap_or_default(), |value, step| value.get(step))
    }

    /// `filters`, `include_filters` and `exclude_filters` of AWS.
    fn by_filters(&self, tags: &Value, variables: &Variables) -> Tri {
        let one = |node: Node<'m>| {
            node.entries().into_iter().fold(Tri::True, |all, (key, value)| {
                let wanted: Vec<&str> =
                    value.as_str().into_iter().chain(value.items().filter_map(Node::as_str)).collect();
                all.and(|| super::plugin_filter::aws(key.as_str().unwrap_or(""), &wanted, tags, variables))
            })
        };
        let own = self.made.root.get("filters").map_or(Tri::True, one);
        let more: Vec<Node<'m>> = self.made.entries("include_filters").collect();
        let included = if more.is_empty() {
            own
        } else {
            let own = if self.made.root.get("filters").is_some() { own } else { Tri::False };
            more.into_iter().fold(own, |any, node| any.or(|| one(node)))
        };
        let excluded = self.made.entries("exclude_filters").fold(Tri::False, |any, node| any.or(|| one(node)));
        included.and(|| !excluded)
    }

    /// The host's name: what `hostnames` prefers, else what the plugin takes by itself.
    fn name(&self, machine: &Machine<'m>, variables: &Variables) -> Option<String> {
        let argument = |name: &String| argument_of(self.ground.terraform, machine, name).scalar();
        let preferred: Vec<Node<'m>> =
            self.made.root.get("hostnames").into_iter().flat_map(Node::items).take(16).collect();
        if preferred.is_empty() {
            let plain = self.row.plugin != "azure_rm" || self.text("plain_host_names") == Some("true");
            let name = self.row.names.iter().find_map(argument).filter(|_| plain);
            return name.map(|name| name.to_string());
        }
        for node in preferred {
            let word = node.as_str().or_else(|| node.get("name")?.as_str())?;
            let value = if let Some(tag) = word.strip_prefix("tag:").or_else(|| word.strip_prefix("labels.")) {
                self.tags(variables).get(tag)
            } else if let Some(name) = self.row.preferences.get(word) {
                argument(name).map_or_else(Value::absent, |name| Value::known(&*name))
            } else {
                self.ground.ansible.expression_over(variables, word, self.made.loc(node))
            };
            match value.scalar() {
                Some(name) if !name.is_empty() => {
                    let (prefix, separator) = (node.get("prefix").and_then(Node::as_str), node.get("separator"));
                    let separator = separator.and_then(Node::as_str).unwrap_or("_");
                    return Some(
                        prefix.map_or_else(|| name.to_string(), |prefix| format!("{prefix}{separator}{name}")),
                    );
                }
                // A name of the platform comes before the others.
                None if !value.is_absent() => return None,
                _ => {}
            }
        }
        None
    }

    /// Groups that the plugin makes without being asked.
    fn of_platform(&self, machine: &Machine<'m>, variables: &Variables) -> Vec<String> {
        match self.row.plugin.as_str() {
            "proxmox" => {
                let kind = if machine.ty.kind == "lxc" { "lxc" } else { "qemu" };
                let prefix = self.text("group_prefix").unwrap_or("proxmox_");
                let mut groups = vec![format!("{prefix}all_{kind}"), format!("{prefix}all_running")];
                groups.extend(
                    machine
                        .nodes
                        .iter()
                        .filter_map(Value::scalar)
                        .map(|node| format!("{prefix}{node}_{kind}").to_lowercase()),
                );
                let pool = ["pool", "pool_id"].iter().find_map(|name| machine.resource.arg(name).scalar());
                groups.extend(pool.map(|pool| format!("{prefix}pool_{pool}").to_lowercase()));
                groups
            }
            "openstack" if self.text("legacy_groups") != Some("false") => {
                let metadata = self.tags(variables);
                let mut groups: Vec<String> = metadata.get("group").scalar().iter().map(ToString::to_string).collect();
                if let Some(several) = metadata.get("groups").as_str() {
                    groups.extend(several.split(',').map(|group| group.trim().to_owned()));
                }
                let entries = metadata.as_map().map(|map| map.entries.as_slice()).unwrap_or_default();
                groups
                    .extend(entries.iter().filter_map(|(key, value)| Some(format!("meta-{key}_{}", value.scalar()?))));
                groups
            }
            _ => Vec::new(),
        }
    }
}

/// An argument of a machine, else of the provider's block around it.
pub(super) fn argument_of<'m>(terraform: &'m Terraform<'m>, machine: &Machine<'m>, argument: &str) -> Value {
    let named = argument.strip_prefix("provider:");
    let mut value = Value::absent();
    if named.is_none() {
        let mut steps = argument.split('.');
        let first = steps.next().unwrap_or(argument);
        value = match (machine.resource.arg(first), machine.resource.blocks(first).first()) {
            (value, Some(block)) if value.is_absent() => block.to_value(),
            (value, _) => value,
        };
        value = steps.fold(value, |value, step| {
            value.as_list().and_then(|list| list.items.first().cloned()).unwrap_or(value).get(step)
        });
    }
    let from_provider = named.unwrap_or(argument);
    if value.is_absent() && !matches!(from_provider, "tags" | "labels" | "name" | "zone") {
        value = of_provider(terraform, machine, |block| block.arg(from_provider));
    }
    value
}

/// What the block of the machine's provider says, in the module or the nearest one around it.
fn of_provider<'m>(
    terraform: &'m Terraform<'m>,
    machine: &Machine<'m>,
    read: impl Fn(&crate::model::terraform::BlockView<'m, 'm>) -> Value,
) -> Value {
    let provider = machine.resource.ty().split('_').next().unwrap_or("");
    let look = |instance: &'m Arc<Instance<'m>>| {
        let mut own = terraform
            .providers_of(instance)
            .filter(|block| block.label(0) == Some(provider) && block.arg("alias").is_absent());
        own.next().map(|block| read(&block))
    };
    if let Some(value) = look(machine.resource.instance) {
        return value;
    }
    let root = &machine.resource.instance.root;
    let top = terraform.tops().find(|top| top.root == *root);
    top.and_then(look).unwrap_or_default()
}

/// Tags with those that the provider adds; a text of several is a list.
fn tags<'m>(terraform: &'m Terraform<'m>, machine: &Machine<'m>, own: Value) -> Value {
    if let Some(text) = own.as_str() {
        let parts = text.split([';', ',']).map(str::trim).filter(|part| !part.is_empty());
        return Value::list(parts.map(Value::known).collect());
    }
    let added = of_provider(terraform, machine, |block| {
        let of_blocks = block.blocks("default_tags").first().map(|tags| tags.arg("tags"));
        of_blocks.unwrap_or_else(|| block.arg("default_labels"))
    });
    match (&own.kind, added.as_map()) {
        (Kind::Absent, Some(_)) => added,
        (_, Some(added)) => {
            let Some(map) = own.as_map() else { return own };
            let mut merged = (*map).clone();
            for (name, value) in &added.entries {
                if merged.get(name).is_none() {
                    merged.entries.push((name.clone(), value.clone()));
                }
            }
            Value { kind: Kind::Known(Data::Map(Arc::new(merged))), ..own }
        }
        _ => own,
    }
}
