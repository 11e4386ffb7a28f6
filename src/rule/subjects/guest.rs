//! What happens to guests beside Terraform: names and addresses that tasks set, services on machines that come and go, facts that
//! choose infrastructure.

use super::ansible::TaskRow;
use super::join::MachineRow;
use crate::estate::Estate;
use crate::estate::fact_flow::{self, FactFlow};
use crate::estate::fungible::{self, Fungible};
use crate::estate::guest::{self, GuestChange};
use crate::estate::task::TaskFacts;
use crate::rule::subject::Row;
use crate::subject;
use std::sync::Arc;

/// A name or address that a task sets.
pub(super) struct GuestChangeRow<'m> {
    estate: &'m Estate<'m>,
    change: GuestChange,
}

subject! {
    /// A task that sets the name or the addresses of a guest that Terraform declares.
    GuestChangeRow<'m> as "guest_change" (row) {
        /// What it sets.
        sets: Word(&["name", "address"]) certain => if row.change.name { "name" } else { "address" };
        /// The value, as far as known.
        value: Dyn => row.change.value.clone();
        /// What Terraform declares.
        declared: Str certain => row.change.declared.clone();
        /// Whether it sets something else than Terraform declares.
        differs: Bool => row.change.differs.clone();
        /// Whether it takes the value from what the running system says.
        from_facts: Bool certain => row.change.from_facts;
        /// Whether Terraform's name becomes that of the system inside.
        inside: Bool certain => row.change.inside;
        /// The task.
        task: Node(TaskRow) => TaskRow::new(row.estate, row.change.task);
        /// The machine.
        machine: Node(MachineRow) => MachineRow::new(row.estate, row.change.machine);
    }
    loc => row.estate.ansible.tasks[row.change.task].loc;
    label => "this task".to_owned();
    address => Some(row.estate.machines[row.change.machine].address.clone());
    identity => format!("{} {}", row.estate.machines[row.change.machine].address, row.change.declared);
}

/// Rows of `guest_change`.
pub(super) fn guest_changes<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    guest::changes(estate).into_iter().map(|change| Arc::new(GuestChangeRow { estate, change }) as Row<'m>).collect()
}

/// A data service on machines that come and go.
pub(super) struct FungibleRow<'m> {
    found: Fungible<'m>,
}

subject! {
    /// A data service on machines that come and go.
    FungibleRow<'m> as "fungible_service" (row) {
        /// The service.
        service: Str certain => row.found.service.clone();
        /// What losing its data loses.
        data: Word(&["authoritative", "secret", "queue", "state", "copy", "cache", "pure-cache", "none"]) certain => row.found.data.as_str();
        /// Whether a group makes and removes its members; else the provider may take the machine away.
        group: Bool certain => row.found.group;
        /// The address of the group, template or machine.
        address: Str certain => row.found.resource.address();
        /// What brings the service.
        evidence: Loc => row.found.evidence;
    }
    loc => row.found.resource.loc();
    label => "this group or machine".to_owned();
    address => Some(row.found.resource.address());
    identity => format!("{} {}", row.found.resource.address(), row.found.service);
    environment => Some(row.found.resource.instance.environment().to_owned());
}

/// Rows of `fungible_service`.
pub(super) fn fungible<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    fungible::services(estate).into_iter().map(|found| Arc::new(FungibleRow { found }) as Row<'m>).collect()
}

/// An argument of infrastructure that a running system gives.
pub(super) struct FactFlowRow<'m> {
    estate: &'m Estate<'m>,
    at: usize,
    flow: FactFlow,
}

subject! {
    /// An argument of a task on infrastructure, or a variable for Terraform, whose value a running system gives.
    FactFlowRow<'m> as "fact_flow" (row) {
        /// The argument.
        argument: Str certain => row.flow.argument.clone();
        /// The fact, as written.
        source: Str certain => row.flow.source.clone();
        /// The task.
        task: Node(TaskRow) => TaskRow::new(row.estate, row.at);
    }
    loc => row.flow.loc;
    label => "this argument".to_owned();
    address => None;
    identity => format!("{} {}", row.flow.argument, row.flow.source);
}

/// Rows of `fact_flow`.
pub(super) fn fact_flows<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let tasks = estate.ansible.tasks.iter().enumerate();
    let flows = tasks.flat_map(|(at, task)| {
        fact_flow::flows(&TaskFacts { estate, task, at }).into_iter().map(move |flow| (at, flow))
    });
    flows.map(|(at, flow)| Arc::new(FactFlowRow { estate, at, flow }) as Row<'m>).collect()
}
