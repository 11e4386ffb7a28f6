//! What the join finds: machines, storage, placements, identity, owners.

use super::terraform::ResourceRow;
use crate::estate::Estate;
use crate::estate::identity::{Adjustment, IdentityFact, Ownership};
use crate::estate::machine::{Machine, Storage, StorageKind};
use crate::estate::placement::Placement;
use crate::estate::upkeep;
use crate::knowledge::compute::Fate;
use crate::rule::subject::{Fact, Row};
use crate::subject;
use crate::text::Loc;
use std::sync::Arc;

fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Destroyed => "destroyed",
        Fate::Survives => "survives",
        Fate::Depends => "depends",
    }
}

/// A machine of Terraform.
#[derive(Clone, Copy)]
pub(super) struct MachineRow<'m> {
    estate: &'m Estate<'m>,
    at: usize,
}

impl<'m> MachineRow<'m> {
    /// The row of a machine, by its position in the estate.
    pub(super) fn new(estate: &'m Estate<'m>, at: usize) -> Self {
        Self { estate, at }
    }

    fn machine(&self) -> &'m Machine<'m> {
        &self.estate.machines[self.at]
    }

    /// Whether its number comes from a resource that draws one.
    fn number_drawn(&self) -> bool {
        let (machine, terraform) = (self.machine(), self.estate.terraform);
        let arguments = machine.ty.ids.iter().filter_map(|path| path.split(['.', '[']).next());
        arguments.into_iter().any(|argument| {
            let meant = terraform.referred(&machine.resource, argument);
            meant.into_iter().any(|it| terraform.type_of(it).is_some_and(|ty| ty.starts_with("random_")))
        })
    }

    fn name_changes(&self) -> &'static str {
        let names = self.machine().names.iter();
        names.flat_map(|name| self.estate.terraform.changing_in(name).0).map(|call| call.function).next().unwrap_or("")
    }

    fn keeps_data(&self) -> bool {
        !upkeep::holds(self.estate, self.at, self.machine()).is_empty()
    }
}

subject! {
    /// A machine that Terraform makes, one row an instance.
    MachineRow<'m> as "machine" (row) {
        /// Its address.
        address: Str certain => &row.machine().address;
        /// The name by which people know it.
        name: Str certain => row.machine().name();
        /// Its resource type.
        r#type: Str certain => row.machine().resource.ty();
        /// `lxc`, `vm`, `container`…
        kind: Str certain => &row.machine().ty.kind;
        /// Whether Terraform or the provider refuses to destroy it.
        guarded: Bool => row.machine().guarded.clone();
        /// Whether a comment says that its data can be made again.
        rebuildable: Bool certain => row.estate.is_rebuildable(row.machine().resource.loc());
        /// Whether machines of its type have a number that is given or else taken as it comes.
        numbered: Bool certain => !row.machine().ty.ids.is_empty();
        /// Its number; absent when the hypervisor takes the next that is free.
        number: Dyn => row.machine().ids.first().cloned().unwrap_or_default();
        /// Whether its number is drawn (`random_integer`).
        number_drawn: Bool => row.number_drawn();
        /// The function that gives it another name at every plan; empty when none does.
        name_changes: Str => row.name_changes();
        /// Whether it keeps data on storage that goes with it.
        keeps_data: Bool certain => row.keeps_data();
        /// The resource.
        resource: Node(ResourceRow) => ResourceRow::new(row.estate, row.machine().resource.clone());
    }
    loc => row.machine().resource.loc();
    label => format!("Terraform declares {} here", row.machine().name());
    address => Some(row.machine().address.clone());
    identity => row.machine().address.clone();
    environment => Some(row.machine().resource.instance.environment().to_owned());
}

/// Rows of `machine`.
pub(super) fn machines<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    (0..estate.machines.len()).map(|at| Arc::new(MachineRow { estate, at }) as Row<'m>).collect()
}

/// A disk or mount of a machine.
pub(super) struct StorageRow<'m> {
    machine: MachineRow<'m>,
    storage: &'m Storage,
}

impl StorageRow<'_> {
    fn services(&self) -> Vec<String> {
        let placements = self.machine.estate.placements.iter();
        let here =
            placements.filter(|placement| placement.machine == self.machine.at && placement.kind == self.storage.kind);
        here.flat_map(|placement| placement.services.iter().cloned()).collect()
    }
}

/// How much of a block is looked at.
const MAX_BLOCK: usize = 2000;

impl StorageRow<'_> {
    /// Whether what is on it may be lost: by its path, or since its block says that it is a swap area.
    fn scratch(&self) -> bool {
        let storage = self.storage;
        let tree = self.machine.estate.documents.tree;
        let after = tree.text(storage.place.file).get(storage.place.span.start as usize..).unwrap_or_default();
        let mut depth = 0_usize;
        let ends = |(at, c): &(usize, char)| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => return *at > MAX_BLOCK,
            }
            depth == 0
        };
        let end = after.char_indices().find(ends).map_or(after.len(), |(at, _)| at);
        let swaps = || after[..end].to_lowercase().contains("swap");
        storage.is_scratch() || storage.kind.as_str() == "inline-disk" && swaps()
    }
}

subject! {
    /// A disk or mount that a machine's own block declares.
    StorageRow<'m> as "storage" (row) {
        /// The path in the guest.
        path: Dyn => &row.storage.path;
        /// What it is.
        kind: Word(&["root", "owned-volume", "inline-disk", "bind", "managed"]) certain => row.storage.kind.as_str();
        /// What becomes of it with the machine.
        fate: Word(&["destroyed", "survives", "depends"]) certain => fate(row.storage.fate);
        /// Whether its path is one where data lies.
        is_data_path: Bool => row.storage.is_data_path();
        /// Whether what is on it may be lost: by its path, or as a swap area.
        scratch: Bool => row.scratch();
        /// Whether it is not the disk that the system starts from.
        extra: Bool certain => row.storage.extra;
        /// The machine.
        machine: Node(MachineRow) => row.machine;
        /// Data services that keep their data on it.
        services: List(Str) => row.services();
        /// `backup`, where the block has such a key.
        backup: Dyn => &row.storage.backup;
        /// Where it is declared.
        place: Loc => row.storage.place;
    }
    loc => row.storage.place;
    label => "this storage".to_owned();
    address => Some(row.machine.machine().address.clone());
    identity => format!("{} {}", row.machine.machine().address, row.storage.path.display());
    environment => Some(row.machine.machine().resource.instance.environment().to_owned());
}

/// Rows of `storage`.
pub(super) fn storage<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let machines = estate.machines.iter().enumerate();
    let all = machines.flat_map(|(at, machine)| machine.storage.iter().map(move |storage| (at, storage)));
    all.filter(|(_, storage)| storage.kind != StorageKind::Root || storage.extra)
        .map(|(at, storage)| Arc::new(StorageRow { machine: MachineRow { estate, at }, storage }) as Row<'m>)
        .collect()
}

/// Data services on a storage of a machine.
pub(super) struct PlacementRow<'m> {
    machine: MachineRow<'m>,
    placement: &'m Placement,
}

/// What shows that a service is on a machine.
pub(super) struct EvidenceRow<'m> {
    machine: MachineRow<'m>,
    loc: Loc,
    clause: &'m str,
}

subject! {
    /// A place that shows that a service runs on a machine.
    EvidenceRow<'m> as "evidence" (row) {
        /// What one sees there.
        clause: Str certain => row.clause;
        /// The machine.
        machine: Node(MachineRow) => row.machine;
    }
    loc => row.loc;
    label => row.clause.to_owned();
    address => None;
    identity => row.clause.to_owned();
}

impl<'m> PlacementRow<'m> {
    fn evidence(&self) -> Vec<Fact<'m>> {
        let machine = self.machine;
        self.placement.evidence.iter().map(|(loc, clause)| EvidenceRow { machine, loc: *loc, clause }.into()).collect()
    }
}

subject! {
    /// The data services that keep their data on one kind of storage of a machine.
    PlacementRow<'m> as "placement" (row) {
        /// The services' names.
        services: List(Str) => row.placement.services.iter().map(String::as_str).collect::<Vec<_>>();
        /// The data directories.
        directories: List(Str) => row.placement.directories.iter().map(String::as_str).collect::<Vec<_>>();
        /// What losing the worst of them loses.
        data: Word(&["authoritative", "secret", "queue", "state", "copy", "cache", "pure-cache", "none"]) certain => row.placement.data.as_str();
        /// What the directories lie on.
        storage: Word(&["root", "owned-volume", "inline-disk", "bind", "managed"]) certain => row.placement.kind.as_str();
        /// What becomes of it with the machine.
        fate: Word(&["destroyed", "survives", "depends"]) certain => fate(row.placement.fate);
        /// The machine.
        machine: Node(MachineRow) => row.machine;
        /// What shows each service.
        evidence: List(Node(EvidenceRow)) => row.evidence();
        /// Whether nothing runs the playbook while another play applies the same role.
        dormant: Bool certain => row.placement.dormant;
        /// Whether the services are surely on this machine: by its name or address, not by a resemblance or by what an image holds.
        sure: Bool certain => row.placement.sure;
        /// The storage itself.
        place: Loc => row.machine.machine().storage.iter().find(|storage| storage.kind == row.placement.kind).map(|storage| storage.place);
        /// The machine's declaration.
        declaration: Loc => row.machine.machine().resource.loc();
    }
    loc => row.machine.machine().resource.loc();
    label => "this machine".to_owned();
    address => Some(row.machine.machine().address.clone());
    identity => row.machine.machine().address.clone();
    environment => Some(row.machine.machine().resource.instance.environment().to_owned());
}

/// Rows of `placement`.
pub(super) fn placements<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let row =
        |placement: &'m Placement| PlacementRow { machine: MachineRow { estate, at: placement.machine }, placement };
    estate.placements.iter().map(|placement| Arc::new(row(placement)) as Row<'m>).collect()
}

/// A variable that holds identity.
pub(super) struct IdentityFactRow<'m> {
    estate: &'m Estate<'m>,
    fact: &'m IdentityFact,
}

subject! {
    /// A variable of Ansible that holds the identity of a machine.
    IdentityFactRow<'m> as "identity_fact" (row) {
        /// Its name.
        key: Str certain => &row.fact.key;
        /// Its value.
        value: Str => &row.fact.value;
        /// What it identifies by.
        kind: Word(&["vmid", "address", "mac"]) certain => row.fact.kind;
        /// Where it is kept.
        place: Word(&["inventory", "host-vars", "group-vars", "play-vars"]) certain => row.fact.place;
        /// Whether it equals what Terraform declares.
        joined: Bool certain => row.fact.machine.is_some();
        /// Whether it is no more than the address by which Ansible reaches the host.
        only_address: Bool certain => row.fact.kind == "address" && matches!(row.fact.key.as_str(), "ansible_host" | "host");
        /// How many variables of the name do the same in the file, as a text to add (" and 3 more here"); empty for none.
        more: Str certain => match row.fact.others.len() {
            0 => String::new(),
            count => format!(", and {count} more like it in this file"),
        };
        /// Where Terraform declares it.
        declared: Loc => row.fact.declared;
        /// Where those are.
        others: List(Loc) => row.fact.others.iter().take(8).map(|loc| Fact::Loc(*loc)).collect::<Vec<Fact<'m>>>();
        /// The machine.
        machine: Node(MachineRow) => row.fact.machine.map(|at| MachineRow { estate: row.estate, at });
        /// Whether the repository has Terraform.
        terraform_here: Bool certain => row.estate.has_terraform();
    }
    loc => row.fact.loc;
    label => "this variable".to_owned();
    address => None;
    identity => format!("{} {}", row.fact.key, row.fact.value);
}

/// Rows of `identity_fact`.
pub(super) fn identity_facts<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    estate.identities.iter().map(|fact| Arc::new(IdentityFactRow { estate, fact }) as Row<'m>).collect()
}

/// An object with two owners.
pub(super) struct OwnershipRow<'m> {
    ownership: &'m Ownership,
}

subject! {
    /// An object that two tools declare.
    OwnershipRow<'m> as "ownership" (row) {
        /// What it is.
        object: Str certain => &row.ownership.object;
        /// The first owner.
        first: Str certain => &row.ownership.first;
        /// The second owner, where the finding stands.
        second: Str certain => &row.ownership.second;
        /// Where the first declares it.
        other: Loc => row.ownership.other;
    }
    loc => row.ownership.loc;
    label => "this declaration".to_owned();
    address => None;
    identity => format!("{} {} {}", row.ownership.object, row.ownership.first, row.ownership.second);
}

/// Rows of `ownership`.
pub(super) fn ownerships<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    estate.ownerships.iter().map(|ownership| Arc::new(OwnershipRow { ownership }) as Row<'m>).collect()
}

/// An attribute that Ansible sets on a machine of Terraform.
pub(super) struct AdjustmentRow<'m> {
    estate: &'m Estate<'m>,
    adjustment: &'m Adjustment,
}

subject! {
    /// An attribute of a machine that Terraform declares and Ansible sets.
    AdjustmentRow<'m> as "adjustment" (row) {
        /// The attribute.
        attribute: Str certain => &row.adjustment.attribute;
        /// How it is set.
        text: Str certain => &row.adjustment.text;
        /// The machine.
        machine: Node(MachineRow) => MachineRow { estate: row.estate, at: row.adjustment.machine };
        /// Where Terraform declares it.
        declared: Loc => row.adjustment.declared;
    }
    loc => row.adjustment.loc;
    label => "this sets it".to_owned();
    address => Some(row.estate.machines[row.adjustment.machine].address.clone());
    identity => format!("{} {}", row.adjustment.attribute, row.adjustment.text);
}

/// Rows of `adjustment`.
pub(super) fn adjustments<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    estate.adjustments.iter().map(|adjustment| Arc::new(AdjustmentRow { estate, adjustment }) as Row<'m>).collect()
}
