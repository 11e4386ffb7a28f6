//! Resource types that run something: where they keep a host's name and addresses, and what becomes of their disks.

use super::terraform::{Protection, by_any_name};
use super::test::Cond;
use super::{index, load};
use crate::value::{Tri, Value};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::OnceLock;

/// What destroying the machine does to storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It goes with the machine.
    Destroyed,
    /// It stays.
    Survives,
    /// It depends on what the row cannot tell.
    Depends,
}

/// Storage that a block of the resource brings along. Rows of one path exclude each other by their conditions.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct InlineStorage {
    /// Dotted path to the block or argument; `[*]` is every block of that name, `*` any key; empty: the machine's own disk.
    pub path: String,
    /// The block's key that holds the path in the guest.
    #[serde(default)]
    pub mount_key: Option<String>,
    /// The block's key that holds the size.
    #[serde(default)]
    pub size_key: Option<String>,
    /// The block's key that names the storage, volume or host path.
    #[serde(default)]
    pub storage_key: Option<String>,
    /// The block's keys that name the image that it is made of: the disk that the system starts from.
    #[serde(default)]
    pub image_keys: Vec<String>,
    /// What becomes of it.
    pub fate: Fate,
    /// Whether it is the root file system.
    #[serde(default)]
    pub root: bool,
    /// When the row applies to a block; none: always.
    #[serde(default)]
    pub when: Option<Cond>,
}

impl InlineStorage {
    /// Whether the row applies to a block of its path, in a guest whose number is `own_id` (absent if none is given).
    #[must_use]
    pub fn applies(&self, block: &Value, own_id: &Value) -> Tri {
        self.when.as_ref().map_or(Tri::True, |when| when.holds(block, own_id))
    }
}

/// A resource type that runs something. All paths are dotted; `[*]` is every block of that name.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ComputeType {
    /// The type's name.
    #[serde(rename = "type")]
    pub ty: String,
    /// `lxc`, `vm`, `container`, `k8s-workload`, `helm-release`, `vm-template`, `vm-group`, `function` or `bare`.
    pub kind: String,
    /// Arguments that hold the host name.
    #[serde(default)]
    pub names: Vec<String>,
    /// Arguments that hold addresses.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Arguments that hold hardware addresses.
    #[serde(default)]
    pub macs: Vec<String>,
    /// Arguments that hold the guest's number.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Arguments that hold the node it runs on.
    #[serde(default)]
    pub nodes: Vec<String>,
    /// The storage it brings along.
    #[serde(default)]
    pub storage: Vec<InlineStorage>,
    /// Arguments whose change destroys it and makes another.
    #[serde(default)]
    pub replace_on: Vec<String>,
    /// Arguments that protect it and its disks.
    #[serde(default)]
    pub guards: Vec<Protection>,
}

/// A resource that hangs a volume onto a machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// The type's name.
    #[serde(rename = "type")]
    pub ty: String,
    /// The argument that refers to the machine.
    pub machine: String,
    /// The argument that refers to the volume; empty: the resource is the volume.
    pub volume: String,
    /// The argument that holds the path in the guest.
    #[serde(default)]
    pub mount: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    compute_types: Vec<ComputeType>,
    attachments: Vec<Attachment>,
}

fn file() -> &'static File {
    static FILE: OnceLock<File> = OnceLock::new();
    FILE.get_or_init(|| load(include_str!(concat!(env!("OUT_DIR"), "/compute.json"))))
}

/// What is known of a resource type that runs something, under any of its provider's names.
#[must_use]
pub fn compute_type(ty: &str) -> Option<&'static ComputeType> {
    static INDEX: OnceLock<HashMap<&str, &ComputeType>> = OnceLock::new();
    by_any_name(INDEX.get_or_init(|| index(&file().compute_types, |row| &row.ty)), ty)
}

/// How a resource type hangs a volume onto a machine.
#[must_use]
pub fn attachment(ty: &str) -> Option<&'static Attachment> {
    file().attachments.iter().find(|row| row.ty == ty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(members: &[(&str, &str)]) -> Value {
        Value::map(members.iter().map(|(key, value)| ((*key).into(), Value::known(*value))).collect())
    }

    /// The fates of the rows of a path that surely apply.
    fn fates(ty: &str, path: &str, members: &[(&str, &str)], own: &Value) -> Vec<Fate> {
        let rows = compute_type(ty).unwrap().storage.iter().filter(|row| row.path == path);
        rows.filter(|row| row.applies(&block(members), own).is_true()).map(|row| row.fate).collect()
    }

    #[test]
    fn table_parses_and_holds_paths() {
        let file: File = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/compute.json"))).unwrap();
        assert!(file.compute_types.len() >= 50 && file.attachments.len() >= 10);
        for row in &file.compute_types {
            let keys = row.storage.iter().flat_map(|s| [&s.mount_key, &s.size_key, &s.storage_key]).flatten();
            let clauses = row.storage.iter().filter_map(|s| s.when.as_ref()).flat_map(|when| &when.0);
            assert!(clauses.clone().all(|clause| clause.test.is_some() != clause.foreign.is_some()), "{}", row.ty);
            let paths = [&row.names, &row.addresses, &row.macs, &row.ids, &row.nodes, &row.replace_on];
            let paths = paths.into_iter().flatten().chain(row.storage.iter().map(|s| &s.path)).chain(keys);
            for path in paths.chain(clauses.map(|clause| &clause.key)).chain(row.guards.iter().map(|g| &g.path)) {
                assert!(path.chars().all(|c| c.is_ascii_alphanumeric() || "_.[]*".contains(c)), "{}: {path}", row.ty);
            }
        }
    }

    #[test]
    fn mount_points_of_containers() {
        let own = Value::known(101.0);
        let telmate = |members: &[(&str, &str)]| fates("proxmox_lxc", "mountpoint[*]", members, &own);
        assert_eq!(telmate(&[("storage", "local-lvm"), ("mp", "/data")]), [Fate::Destroyed]);
        assert_eq!(telmate(&[("storage", "/srv/data"), ("mp", "/data")]), [Fate::Survives]);
        assert_eq!(telmate(&[("storage", "/srv/a"), ("volume", "/srv/a"), ("mp", "/data")]), [Fate::Survives]);
        assert_eq!(telmate(&[("storage", "tank"), ("volume", "tank:subvol-900-data")]), [Fate::Survives]);
        assert_eq!(telmate(&[("storage", "tank"), ("volume", "tank:subvol-101-disk-1")]), [Fate::Destroyed]);
        let bpg = |members: &[(&str, &str)]| fates("proxmox_container", "mount_point[*]", members, &Value::absent());
        assert_eq!(bpg(&[("volume", "local-lvm"), ("path", "/data")]), [Fate::Destroyed]);
        assert_eq!(bpg(&[("volume", "/mnt/bindmounts/shared")]), [Fate::Survives]);
        assert_eq!(bpg(&[("volume", "local-lvm:vm-900-disk-0")]), [Fate::Survives]);
    }

    #[test]
    fn disks_and_volumes() {
        let none = Value::absent();
        assert_eq!(fates("docker_container", "volumes[*]", &[("container_path", "/d")], &none), [Fate::Destroyed]);
        assert_eq!(fates("docker_container", "volumes[*]", &[("volume_name", "d")], &none), [Fate::Survives]);
        assert_eq!(fates("docker_container", "mounts[*]", &[("type", "tmpfs")], &none), [Fate::Destroyed]);
        assert_eq!(fates("aws_instance", "root_block_device", &[], &none), [Fate::Destroyed]);
        let keep = [("delete_on_termination", "false")];
        assert_eq!(fates("aws_instance", "root_block_device", &keep, &none), [Fate::Survives]);
        assert_eq!(fates("proxmox_lxc_guest", "mount[*]", &[("type", "bind")], &none), [Fate::Survives]);
        assert_eq!(fates("proxmox_vm_qemu", "disk[*]", &[("type", "scsi")], &none), [Fate::Destroyed]);
        assert_eq!(fates("proxmox_virtual_environment_vm", "disk[*]", &[], &none), [Fate::Destroyed]);
        let held = [("path_in_datastore", "vm-900-disk-0"), ("datastore_id", "")];
        assert_eq!(fates("proxmox_virtual_environment_vm", "disk[*]", &held, &none), [Fate::Survives]);
    }

    #[test]
    fn names_of_types() {
        assert_eq!(compute_type("proxmox_virtual_environment_container").unwrap().names, ["initialization.hostname"]);
        assert_eq!(compute_type("kubernetes_deployment_v1").unwrap().kind, "k8s-workload");
        assert_eq!(compute_type("kubernetes_daemon_set_v1").map(|row| row.ty.as_str()), Some("kubernetes_daemonset"));
        assert_eq!(compute_type("hcloud_server").unwrap().guards.len(), 2);
        assert_eq!(attachment("aws_volume_attachment").map(|row| row.volume.as_str()), Some("volume_id"));
        assert!(compute_type("aws_s3_bucket").is_none());
    }
}
