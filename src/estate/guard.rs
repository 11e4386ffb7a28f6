//! Resources that protect another one from a declaration of their own: locks, versioning, backup plans.

use crate::knowledge::terraform::{self as known, Lock, Role};
use crate::model::terraform::{Declaration, Resource, Terraform};
use crate::value::{Tri, Value};
use std::collections::HashMap;

/// A resource that protects another.
pub struct Guard<'m> {
    /// What is known of its type.
    pub lock: &'static Lock,
    /// The resource.
    pub resource: Resource<'m, 'm>,
}

/// What protects each declaration from beside it.
#[derive(Default)]
pub struct Guards<'m> {
    by_target: HashMap<Declaration, Vec<Guard<'m>>>,
}

/// Arguments that say in what an object of Azure lies: a lock there holds for it too.
const CONTAINERS: [&str; 8] = [
    "resource_group_name",
    "server_id",
    "server_name",
    "storage_account_id",
    "storage_account_name",
    "account_name",
    "cluster_id",
    "database_id",
];

impl Guard<'_> {
    /// Whether its setting is one that protects.
    #[must_use]
    pub fn holds(&self) -> Tri {
        self.lock.safe.holds(&self.resource.arg(&self.lock.path))
    }

    /// The setting.
    #[must_use]
    pub fn value(&self) -> Value {
        self.resource.arg(&self.lock.path)
    }
}

impl<'m> Guards<'m> {
    /// Joins every lock of a repository to what it protects: by reference, else by name, else by tag.
    #[must_use]
    pub fn join(terraform: &'m Terraform<'m>) -> Self {
        let mut guards = Self::default();
        let locks: Vec<(&'static Lock, Resource<'m, 'm>)> =
            terraform.resources().filter_map(|resource| Some((known::lock(resource.ty())?, resource))).collect();
        if locks.is_empty() {
            return guards;
        }
        let holders: Vec<Resource<'m, 'm>> =
            terraform.resources().filter(|resource| known::data_type(resource.ty()).is_some()).collect();
        for (lock, resource) in locks {
            let mut targets = terraform.referred(&resource, &lock.target);
            if targets.is_empty() {
                let named = resource.arg(&lock.target).scalar();
                let same = |holder: &&Resource<'_, '_>| named.as_ref().is_some_and(|name| is_called(holder, name));
                targets.extend(holders.iter().filter(same).map(Resource::declaration));
            }
            targets.extend(holders.iter().filter(|holder| is_selected(&resource, holder)).map(Resource::declaration));
            for target in targets {
                guards.by_target.entry(target).or_default().push(Guard { lock, resource: resource.clone() });
            }
        }
        for holder in holders.iter().filter(|holder| holder.ty().starts_with("azurerm_")) {
            guards.inherit(terraform, holder);
        }
        guards
    }

    /// A lock on what an object lies in holds for the object.
    fn inherit(&mut self, terraform: &'m Terraform<'m>, holder: &Resource<'m, 'm>) {
        let containers = CONTAINERS.iter().flat_map(|argument| terraform.referred(holder, argument));
        let inherited: Vec<Guard<'m>> = containers
            .filter_map(|container| self.by_target.get(&container))
            .flatten()
            .map(|guard| Guard { lock: guard.lock, resource: guard.resource.clone() })
            .collect();
        if !inherited.is_empty() {
            self.by_target.entry(holder.declaration()).or_default().extend(inherited);
        }
    }

    /// What protects a resource, in one way.
    pub fn of(&self, resource: &Resource<'m, 'm>, role: impl Fn(Role) -> bool) -> impl Iterator<Item = &Guard<'m>> {
        let all = self.by_target.get(&resource.declaration()).map_or(&[][..], Vec::as_slice);
        all.iter().filter(move |guard| role(guard.lock.role))
    }
}

/// Whether a resource makes an object of this name.
fn is_called(resource: &Resource<'_, '_>, name: &str) -> bool {
    ["bucket", "name", "identifier"].iter().any(|argument| resource.arg(argument).as_str() == Some(name))
}

/// Whether a backup plan selects a resource by its tags.
fn is_selected(selection: &Resource<'_, '_>, resource: &Resource<'_, '_>) -> bool {
    selection.blocks("selection_tag").iter().any(|tag| {
        let (key, value) = (tag.arg("key").scalar(), tag.arg("value").scalar());
        let own = key.map(|key| resource.arg("tags").get(&key).scalar());
        value.is_some() && own.is_some_and(|own| own == value)
    })
}
