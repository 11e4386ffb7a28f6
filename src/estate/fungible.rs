//! Data services on machines that come and go: members of groups, and machines that the provider may take away.

use super::Estate;
use super::brought;
use crate::knowledge::compute::compute_type;
use crate::knowledge::services::ServiceData;
use crate::model::terraform::Resource;
use crate::text::Loc;
use std::collections::HashSet;

/// A data service on such a machine.
pub struct Fungible<'m> {
    /// The group, template or machine.
    pub resource: Resource<'m, 'm>,
    /// The service's proper name.
    pub service: String,
    /// What losing its data loses.
    pub data: ServiceData,
    /// A group makes and removes its members; else a single machine may be taken away.
    pub group: bool,
    /// What brings the service.
    pub evidence: Loc,
}

/// Every data service on machines that come and go, once for each declaration and service.
#[must_use]
pub fn services<'m>(estate: &'m Estate<'m>) -> Vec<Fungible<'m>> {
    let mut found: Vec<Fungible<'m>> = Vec::new();
    let mut seen: HashSet<(Loc, String)> = HashSet::new();
    for invocation in estate.invocations.iter().filter(|invocation| invocation.first_boot) {
        let Some(resource) = &invocation.resource else { continue };
        for (service, _) in brought::by_command(&invocation.command) {
            let Some(group) = fungible(estate, resource) else { break };
            if seen.insert((resource.loc(), service.label.clone())) {
                found.push(Fungible {
                    resource: resource.clone(),
                    service: service.label.clone(),
                    data: service.data,
                    group,
                    evidence: invocation.command.loc,
                });
            }
        }
    }
    for placement in estate.placements.iter().filter(|placement| !placement.dormant) {
        let Some(machine) = estate.machines.get(placement.machine) else { continue };
        // What lies on a volume of its own outlives the machine.
        if placement.fate != crate::knowledge::compute::Fate::Destroyed || !may_be_taken(&machine.resource) {
            continue;
        }
        let (Some(service), Some((evidence, _))) = (placement.services.first(), placement.evidence.first()) else {
            continue;
        };
        if seen.insert((machine.resource.loc(), service.clone())) {
            found.push(Fungible {
                resource: machine.resource.clone(),
                service: service.clone(),
                data: placement.data,
                group: false,
                evidence: *evidence,
            });
        }
    }
    found
}

/// Whether a resource makes members of a group, or a machine that may be taken away; `None` for all others.
fn fungible<'m>(estate: &'m Estate<'m>, resource: &Resource<'m, 'm>) -> Option<bool> {
    match compute_type(resource.ty())?.kind.as_str() {
        "vm-group" => (!keeps_disks(resource)).then_some(true),
        // A template alone makes nothing.
        "vm-template" => {
            let groups: Vec<Resource<'m, 'm>> = estate
                .terraform
                .resources_of(resource.instance)
                .filter(|other| compute_type(other.ty()).is_some_and(|row| row.kind == "vm-group"))
                .collect();
            (!groups.is_empty() && !groups.iter().any(keeps_disks)).then_some(true)
        }
        _ => may_be_taken(resource).then_some(false),
    }
}

/// Whether members of a group keep disks of their own.
fn keeps_disks(group: &Resource<'_, '_>) -> bool {
    !group.blocks("stateful_disk").is_empty()
}

/// Whether the provider may take a machine away when others pay more.
fn may_be_taken(resource: &Resource<'_, '_>) -> bool {
    resource.ty() == "aws_spot_instance_request"
        || resource.arg("instance_market_options.market_type").as_str() == Some("spot")
        || resource.arg("scheduling.preemptible").as_bool() == Some(true)
        || resource.arg("scheduling.provisioning_model").as_str() == Some("SPOT")
        || resource.arg("priority").as_str() == Some("Spot")
}
