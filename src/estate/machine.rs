//! Machines that Terraform makes: names, addresses and numbers, and the storage that each brings along.

use super::guard::is_guard;
use super::wiring::ignores;
use crate::knowledge::compute::{self, ComputeType, Fate, InlineStorage};
use crate::knowledge::services::{self, PathClass};
use crate::knowledge::test::descend;
use crate::model::terraform::{BlockView, Resource, Terraform, awaited};
use crate::text::Loc;
use crate::value::{Kind, Tri, Value};
use std::collections::HashSet;

/// A machine (container, virtual machine, server) of one resource instance.
pub struct Machine<'m> {
    /// The resource.
    pub resource: Resource<'m, 'm>,
    /// Its address.
    pub address: String,
    /// What is known of its type.
    pub ty: &'static ComputeType,
    /// Host names, as far as known.
    pub names: Vec<Value>,
    /// Addresses without prefix length, as far as known.
    pub addresses: Vec<Value>,
    /// Hardware addresses.
    pub macs: Vec<Value>,
    /// The guest's number.
    pub ids: Vec<Value>,
    /// The node that it runs on.
    pub nodes: Vec<Value>,
    /// Its storage, root first where there is one.
    pub storage: Vec<Storage>,
    /// Whether Terraform or the provider refuses to destroy it.
    pub guarded: Tri,
}

/// A disk or mount of a machine.
pub struct Storage {
    /// The path in the guest; absent when the block does not say.
    pub path: Value,
    /// What the interface calls it.
    pub kind: StorageKind,
    /// What becomes of it when the machine is destroyed.
    pub fate: Fate,
    /// Where it is declared.
    pub place: Loc,
    /// Not the disk that the system starts from.
    pub extra: bool,
    /// `backup`, where the block has such a key.
    pub backup: Value,
}

/// Kinds of storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageKind {
    /// The root file system.
    Root,
    /// A volume that belongs to the machine and is mounted at a path.
    OwnedVolume,
    /// A disk in the machine's own block, without a path.
    InlineDisk,
    /// A path of the host.
    Bind,
    /// A volume of its own that is attached.
    Managed,
}

impl StorageKind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::OwnedVolume => "owned-volume",
            Self::InlineDisk => "inline-disk",
            Self::Bind => "bind",
            Self::Managed => "managed",
        }
    }
}

/// No machine has more disks than this.
const MAX_STORAGE: usize = 64;

/// Every machine of every root.
#[must_use]
pub fn machines<'m>(terraform: &'m Terraform<'m>) -> Vec<Machine<'m>> {
    let mut machines: Vec<Machine<'m>> = terraform
        .resources()
        .filter_map(|resource| {
            let ty = compute::compute_type(resource.ty())?;
            Some(machine(resource, ty))
        })
        .collect();
    attach(terraform, &mut machines);
    machines
}

fn machine<'m>(resource: Resource<'m, 'm>, ty: &'static ComputeType) -> Machine<'m> {
    let values = |paths: &[String]| -> Vec<Value> { paths.iter().flat_map(|path| read(&resource, path)).collect() };
    let addresses = values(&ty.addresses).into_iter().filter_map(|value| address(&value)).collect();
    let (names, ids) = (values(&ty.names), values(&ty.ids));
    let own_id = ids.first().cloned().unwrap_or_default();
    let storage = storage(&resource, ty, &own_id);
    let guarded = guarded(&resource, ty);
    Machine {
        address: resource.address(),
        names,
        addresses,
        macs: values(&ty.macs),
        ids,
        nodes: values(&ty.nodes),
        storage,
        guarded,
        ty,
        resource,
    }
}

impl Machine<'_> {
    /// What stands where it is given its addresses, known or not.
    pub(super) fn written_addresses(&self) -> Vec<Value> {
        self.ty.addresses.iter().flat_map(|path| read(&self.resource, path)).collect()
    }
}

/// The values at a dotted path; `[*]`, and every block or list on the way, stands for each of its members.
fn read(resource: &Resource<'_, '_>, path: &str) -> Vec<Value> {
    let mut steps = path.split('.').map(|step| step.trim_end_matches("[*]"));
    let first = steps.next().unwrap_or(path);
    let blocks = resource.blocks(first);
    let mut values: Vec<Value> = if blocks.is_empty() {
        vec![resource.arg(first)]
    } else {
        blocks.iter().take(MAX_STORAGE).map(BlockView::to_value).collect()
    };
    for step in steps {
        values = values.iter().flat_map(each_member).map(|value| value.get(step)).take(MAX_STORAGE).collect();
    }
    values.iter().flat_map(each_member).filter(|value| !value.is_absent()).take(MAX_STORAGE).collect()
}

/// The members of a list, or the one value.
fn each_member(value: &Value) -> Vec<Value> {
    value.as_list().map_or_else(|| vec![value.clone()], |list| list.items.clone())
}

/// An address without its prefix length; DHCP is none.
fn address(value: &Value) -> Option<Value> {
    let text = value.as_str()?;
    // `ipconfig0 = "ip=10.0.0.5/24,gw=10.0.0.1"`
    let text = text.split(',').find_map(|part| part.strip_prefix("ip=")).unwrap_or(text);
    let bare = text.split('/').next().unwrap_or(text);
    let numeric = bare.parse::<std::net::IpAddr>().is_ok();
    numeric.then(|| Value { kind: Value::known(bare).kind, origin: value.origin, via: value.via.clone() })
}

fn guarded(resource: &Resource<'_, '_>, ty: &ComputeType) -> Tri {
    let prevented = resource.arg("lifecycle.prevent_destroy").equals(&true.into());
    // Other settings only decide what goes with it.
    let refusing = ty.guards.iter().filter(|guard| is_guard(guard.role));
    refusing.fold(prevented, |so_far, guard| so_far.or(|| guard.is_safe(&resource.arg(&guard.path))))
}

fn storage(resource: &Resource<'_, '_>, ty: &ComputeType, own_id: &Value) -> Vec<Storage> {
    let mut found = Vec::new();
    let mut seen: Vec<Loc> = Vec::new();
    let header = resource.loc();
    for row in &ty.storage {
        if row.path.is_empty() {
            // The first of several disks that are alike is the root, too.
            let system = |storage: &Storage| {
                storage.kind == StorageKind::Root || storage.kind == StorageKind::InlineDisk && !storage.extra
            };
            let known = found.iter().any(system);
            let holds = || row.when.is_none() || row.applies(&resource.view().to_value(), own_id).is_true();
            if known || !holds() {
                continue;
            }
            found.push(Storage {
                path: Value::known("/"),
                kind: StorageKind::Root,
                fate: row.fate,
                place: header,
                extra: false,
                backup: Value::absent(),
            });
            continue;
        }
        let found_here = blocks(resource, &row.path);
        let system = system_disk(resource, row, &found_here, own_id);
        for (at, block) in found_here.into_iter().enumerate().take(MAX_STORAGE) {
            let at = if Some(at) == system { 0 } else { at.max(1) };
            if seen.contains(&block.place) || !row.applies(&block.value, own_id).is_true() {
                continue;
            }
            seen.push(block.place);
            found.push(one(row, at, &block));
        }
    }
    for row in ty.storage.iter().filter(|row| !row.path.is_empty()) {
        // A block is a disk all the same when what it gives does not tell which kind: it may well be of another life.
        for (at, block) in blocks(resource, &row.path).into_iter().enumerate().take(MAX_STORAGE) {
            let possible = row.fate == Fate::Survives && !row.applies(&block.value, own_id).is_false();
            if possible && !seen.contains(&block.place) {
                seen.push(block.place);
                found.push(one(row, at, &block));
            }
        }
    }
    found.truncate(MAX_STORAGE);
    // A machine whose disks are alike starts from the first.
    let has_root = found.iter().any(|storage| storage.kind == StorageKind::Root);
    if let Some(first) =
        found.iter_mut().find(|storage| !has_root && storage.kind == StorageKind::InlineDisk && !storage.extra)
    {
        first.kind = StorageKind::Root;
        first.path = Value::known("/");
    }
    found
}

struct Block {
    value: Value,
    place: Loc,
}

/// Which of the blocks is the disk that the system starts from.
fn system_disk(resource: &Resource<'_, '_>, row: &InlineStorage, found: &[Block], own_id: &Value) -> Option<usize> {
    // The system is on the disk that an image is written to, wherever it stands among the others; of several on the first
    // place of its bus.
    let made = |block: &&Block| row.image_keys.iter().any(|key| !block.value.get(key).is_absent());
    let place = |block: &Block| ["slot", "interface"].iter().find_map(|key| block.value.get(key).scalar());
    let first = |block: &Block| place(block).is_none_or(|place| place.ends_with('0'));
    let at = |wanted: &Block| found.iter().position(|other| std::ptr::eq(wanted, other));
    let surely = |block: &Block| place(block).is_some_and(|place| place.ends_with('0'));
    let known = found.iter().find(|block| made(block) && surely(block)).or_else(|| found.iter().find(made));
    if let Some(known) = known {
        return at(known);
    }
    // A drive for cloud-init stands among the disks and is none.
    let disks = || found.iter().filter(|block| !row.applies(&block.value, own_id).is_false());
    let order = ["boot", "boot_order"].map(|name| resource.arg(name).display()).concat();
    let named = order
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find_map(|word| disks().find(|block| !word.is_empty() && place(block).is_some_and(|place| *place == *word)));
    // A clone brings the disk that it starts from: one on another place hangs beside it.
    let cloned = || !resource.arg("clone").is_absent() || !resource.blocks("clone").is_empty();
    let beside = || disks().next().is_some() && cloned() && disks().all(|block| !first(block));
    match named {
        Some(named) => at(named),
        None if beside() => None,
        None => disks().next().and_then(at),
    }
}

/// The blocks at a dotted path, `[*]` at its end; attributes that hold objects count.
fn blocks(resource: &Resource<'_, '_>, path: &str) -> Vec<Block> {
    let name = path.trim_end_matches("[*]");
    let header = resource.loc();
    if !name.contains('.') {
        let found = resource.blocks(name);
        return found.iter().map(|block| Block { value: block.to_value(), place: block.loc }).collect();
    }
    let mut values: Vec<Value> = vec![resource.arg(name.split(['.', '[']).next().unwrap_or(name))];
    for step in name.split('.').skip(1) {
        let members = |value: &Value| -> Vec<Value> {
            match (step, value.as_map(), value.as_list()) {
                ("*", Some(map), _) => map.entries.iter().map(|(_, member)| member.clone()).collect(),
                (step, Some(_), _) => vec![value.get(step)],
                (_, _, Some(list)) => list.items.iter().map(|item| item.get(step)).collect(),
                _ => Vec::new(),
            }
        };
        values = values.iter().flat_map(members).take(MAX_STORAGE).collect();
    }
    values
        .into_iter()
        .filter(|value| !value.is_absent())
        .map(|value| Block { place: value.origin.unwrap_or(header), value })
        .collect()
}

fn one(row: &InlineStorage, at: usize, block: &Block) -> Storage {
    let path = if row.root {
        Value::known("/")
    } else {
        row.mount_key.as_deref().map(|key| descend(&block.value, key)).unwrap_or_default()
    };
    let volume = || descend(&block.value, row.storage_key.as_deref()?).scalar();
    let kind = match (row.root, row.fate, row.mount_key.is_some()) {
        (true, ..) => StorageKind::Root,
        // A name is that of a volume, a path that of the node.
        (_, Fate::Survives, true) if volume().is_some_and(|name| !name.starts_with('/')) => StorageKind::Managed,
        (_, Fate::Survives, true) => StorageKind::Bind,
        (_, Fate::Survives, false) => StorageKind::Managed,
        (_, _, true) => StorageKind::OwnedVolume,
        (_, _, false) => StorageKind::InlineDisk,
    };
    // The first disk of a machine without a root row is what it starts from.
    let extra = !row.root && (at > 0 || row.mount_key.is_some() || is_data_disk(&row.path));
    Storage { path, kind, fate: row.fate, place: block.place, extra, backup: block.value.get("backup") }
}

/// Block names that never are the boot disk.
fn is_data_disk(path: &str) -> bool {
    const NAMES: [&str; 5] = ["ebs_block_device", "attached_disk", "scratch_disk", "storage_data_disk", "data_disk"];
    NAMES.iter().any(|name| path.starts_with(name))
}

/// Volumes that are resources of their own and attached: they survive, wherever they are mounted.
fn attach<'m>(terraform: &'m Terraform<'m>, machines: &mut [Machine<'m>]) {
    let addresses: HashSet<(String, String)> =
        machines.iter().map(|one| (one.resource.instance.root.to_string(), one.address.clone())).collect();
    for resource in terraform.resources() {
        let Some(row) = compute::attachment(resource.ty()) else { continue };
        let path = row.mount.as_deref().map(|mount| resource.arg(mount)).unwrap_or_default();
        let targets = resource.references();
        let root = resource.instance.root.to_string();
        let named = resource.arg(&row.machine);
        // Of the instances of `for_each` and `count` the one that is named, if that is known.
        let one = waits_for(&named, &|address| addresses.contains(&(root.clone(), address.to_owned())));
        for machine in machines.iter_mut().filter(|machine| *machine.resource.instance.root == *root) {
            let same = match one {
                Some(address) => machine.address == address,
                None => {
                    machine.resource.instance.address == resource.instance.address
                        && targets
                            .iter()
                            .any(|(ty, name)| *ty == machine.resource.ty() && *name == machine.resource.name())
                }
            };
            if same {
                machine.storage.push(Storage {
                    path: path.clone(),
                    kind: StorageKind::Managed,
                    fate: Fate::Survives,
                    place: resource.loc(),
                    extra: true,
                    backup: Value::absent(),
                });
            }
        }
    }
}

/// The address of the object that a value is an attribute of which is only known after apply; the attribute may be a path of
/// several steps.
pub(super) fn waits_for<'v>(value: &'v Value, is_known: &dyn Fn(&str) -> bool) -> Option<&'v str> {
    let Kind::Unknown(reason) = &value.kind else { return None };
    let (mut address, _) = awaited(reason)?;
    for _ in 0..8 {
        if is_known(address) {
            return Some(address);
        }
        address = address.rsplit_once('.')?.0;
    }
    None
}

impl Machine<'_> {
    /// The name by which people know it.
    #[must_use]
    pub fn name(&self) -> String {
        let known = self.names.iter().find_map(Value::scalar);
        known.map_or_else(|| self.address.clone(), |name| name.to_string())
    }

    /// The storage that a path of the guest lies on: the longest mount that holds it, else the root.
    #[must_use]
    pub fn storage_of(&self, path: &str) -> Option<&Storage> {
        let holds = |storage: &&Storage| storage.path.as_str().is_some_and(|mount| is_below(path, mount));
        let length = |storage: &&Storage| storage.path.as_str().map_or(0, |mount| mount.trim_end_matches('/').len());
        self.storage.iter().filter(holds).max_by_key(length)
    }

    /// Whether a disk or volume hangs on it of which nobody says where it is mounted: then nothing is known of any path.
    #[must_use]
    pub fn has_unplaced_storage(&self) -> bool {
        self.storage
            .iter()
            .any(|storage| storage.kind != StorageKind::Root && storage.extra && storage.path.as_str().is_none())
    }

    /// Whether its declaration leaves mounts to somebody else: it ignores changes of the blocks that would place them.
    #[must_use]
    pub fn leaves_mounts(&self) -> bool {
        let rows = self.ty.storage.iter().filter(|row| row.mount_key.is_some());
        let mut names = rows.map(|row| row.path.split(['.', '[']).next().unwrap_or(&row.path));
        names.any(|name| ignores(self.resource.decl, name))
    }
}

impl Storage {
    /// Whether its path is one where data usually lies.
    #[must_use]
    pub fn is_data_path(&self) -> bool {
        let path = self.path.as_str();
        path.is_some_and(|path| services::data_path(path) == Some(PathClass::Data) || services::by_path(path).is_some())
    }

    /// Whether its path is one that may be lost.
    #[must_use]
    pub fn is_scratch(&self) -> bool {
        let class = self.path.as_str().and_then(services::data_path);
        matches!(class, Some(PathClass::Volatile | PathClass::Logs | PathClass::Spool))
    }
}

/// Whether `path` is `mount` or lies below it.
#[must_use]
pub fn is_below(path: &str, mount: &str) -> bool {
    let mount = mount.trim_end_matches('/');
    path.strip_prefix(mount).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
