//! Inventory plugins that ask a platform for its machines.

use super::{index, load};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

/// How a plugin writes which machines it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filters {
    /// `filters: {tag:Role: db}`
    Aws,
    /// `filters: ["labels.role = db"]`
    Gcp,
    /// `label_selector: role=db`
    Labels,
    /// `filters: ["'db' in tags"]`
    Conditions,
    /// It takes all.
    None,
}

/// A plugin.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plugin {
    /// The last part of its name.
    pub plugin: String,
    /// The resource types of its machines.
    pub types: Vec<String>,
    /// How it is told which of them it takes.
    pub filters: Filters,
    /// Arguments that hold the host's name where no option chooses.
    #[serde(default)]
    pub names: Vec<String>,
    /// Words of `hostnames`, with the argument that each stands for.
    #[serde(default)]
    pub preferences: BTreeMap<String, String>,
    /// Groups that every host is in.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The variable that holds tags.
    pub tags: String,
    /// What a host is given, with the argument that it comes from; none: every argument by its own name.
    pub variables: BTreeMap<String, String>,
    /// Options that name a part of the platform, with the argument that says which one a machine is in.
    #[serde(default)]
    pub within: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    plugins: Vec<Plugin>,
}

/// A plugin by its name, with or without its collection.
#[must_use]
pub fn plugin(name: &str) -> Option<&'static Plugin> {
    static FILE: OnceLock<File> = OnceLock::new();
    static INDEX: OnceLock<HashMap<&'static str, &'static Plugin>> = OnceLock::new();
    let file = FILE.get_or_init(|| load(include_str!(concat!(env!("OUT_DIR"), "/inventories.json"))));
    let index = INDEX.get_or_init(|| index(&file.plugins, |row| &row.plugin));
    index.get(name.rsplit('.').next().unwrap_or(name)).copied()
}

#[cfg(test)]
mod tests {
    use super::plugin;
    use crate::knowledge::compute::compute_type;

    #[test]
    fn plugins_ask_for_machines() {
        for name in [
            "amazon.aws.aws_ec2",
            "gcp_compute",
            "azure_rm",
            "hetzner.hcloud.hcloud",
            "digitalocean",
            "community.proxmox.proxmox",
            "openstack",
            "linode",
            "vultr",
            "scaleway",
            "terraform_state",
            "community.libvirt.libvirt",
            "community.vmware.vmware_vm_inventory",
            "terraform-inventory",
        ] {
            let row = plugin(name).unwrap_or_else(|| panic!("{name} has no row"));
            for ty in &row.types {
                assert!(compute_type(ty).is_some(), "{name}: {ty} is no machine");
            }
        }
        assert!(plugin("constructed").is_none());
    }
}
