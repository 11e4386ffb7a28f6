//! Resources that protect another one from a declaration of their own: locks, versioning, backup plans.

use crate::knowledge::terraform::{self as known, Lock, Role};
use crate::model::terraform::{Declaration, Resource, Terraform};
use crate::value::{Data, Kind, Tri, Value};
use std::collections::HashMap;

/// A resource that protects another.
#[derive(Clone)]
pub struct Guard<'m> {
    /// What is known of its type.
    pub lock: &'static Lock,
    /// The resource.
    pub resource: Resource<'m, 'm>,
}

/// What protects each resource from beside it.
#[derive(Default)]
pub struct Guards<'m> {
    /// By the root's environment and the address, where one instance is meant.
    by_address: HashMap<(String, String), Vec<Guard<'m>>>,
    /// By declaration, where its instances are not told apart.
    by_declaration: HashMap<Declaration, Vec<Guard<'m>>>,
    /// What lies in a group of Azure by this name.
    by_group: HashMap<String, Vec<Guard<'m>>>,
    /// Locks on whole subscriptions, by environment.
    wide: HashMap<String, Vec<Guard<'m>>>,
    /// Locks of which it is not known what they lock, by environment.
    open: HashMap<String, Vec<Guard<'m>>>,
    /// What each declaration of Azure lies in.
    containers: HashMap<Declaration, Vec<Declaration>>,
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
/// So deep objects of Azure lie in one another.
const MAX_CONTAINERS: usize = 6;

impl Guard<'_> {
    /// Whether its setting is one that protects, and it is sure to exist.
    #[must_use]
    pub fn holds(&self) -> Tri {
        let holds = self.lock.safe.holds(&self.value());
        match self.resource.uncertain() {
            Some(reason) => holds.and(|| Tri::Unknown(reason)),
            None => holds,
        }
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
        let locks: Vec<Guard<'m>> = terraform
            .resources()
            .filter_map(|resource| Some(Guard { lock: known::lock(resource.ty())?, resource }))
            .collect();
        if locks.is_empty() {
            return guards;
        }
        let (mut holders, mut azure) = (Vec::new(), Vec::new());
        for resource in terraform.resources() {
            if resource.ty().starts_with("azurerm_") {
                azure.push(resource.clone());
            }
            if known::data_type(resource.ty()).is_some() {
                holders.push(resource);
            }
        }
        for guard in locks {
            guards.add(terraform, &holders, &guard);
        }
        for resource in azure {
            let lies_in = CONTAINERS.iter().flat_map(|argument| terraform.referred(&resource, argument)).collect();
            guards.containers.insert(resource.declaration(), lies_in);
        }
        guards
    }

    fn add(&mut self, terraform: &'m Terraform<'m>, holders: &[Resource<'m, 'm>], guard: &Guard<'m>) {
        let target = guard.resource.arg(&guard.lock.target);
        let environment = guard.resource.instance.environment().to_owned();
        let exact = addresses(&target);
        for address in &exact {
            self.by_address.entry((environment.clone(), address.clone())).or_default().push(guard.clone());
        }
        let azure = guard.resource.ty().starts_with("azurerm_");
        if let Some(group) = group_of(&target).filter(|_| azure) {
            self.by_group.entry(group).or_default().push(guard.clone());
        }
        let referred = if exact.is_empty() || azure {
            terraform.referred(&guard.resource, &guard.lock.target)
        } else {
            Vec::new()
        };
        for declaration in &referred {
            let wide =
                matches!(terraform.type_of(*declaration), Some("azurerm_subscription" | "azurerm_management_group"));
            if wide {
                self.wide.entry(environment.clone()).or_default().push(guard.clone());
            }
            if azure && let Some(group) = terraform.name_of(*declaration) {
                self.by_group.entry(group).or_default().push(guard.clone());
            }
        }
        let unmet = exact.is_empty() && referred.is_empty();
        if exact.is_empty() {
            for declaration in referred {
                self.by_declaration.entry(declaration).or_default().push(guard.clone());
            }
        }
        let named = target.scalar();
        let mut met = false;
        for holder in holders {
            let same = unmet && named.as_ref().is_some_and(|name| is_called(holder, name));
            if same || is_selected(terraform, &guard.resource, holder) {
                met = true;
                let key = (holder.instance.environment().to_owned(), holder.address());
                self.by_address.entry(key).or_default().push(guard.clone());
            }
        }
        if azure && unmet && !met && group_of(&target).is_none() && !target.is_absent() {
            self.open.entry(environment).or_default().push(guard.clone());
        }
    }

    /// What protects a resource, in one way.
    pub fn of(&self, resource: &Resource<'m, 'm>, role: impl Fn(Role) -> bool) -> impl Iterator<Item = &Guard<'m>> {
        let environment = resource.instance.environment();
        let by_address = self.by_address.get(&(environment.to_owned(), resource.address()));
        let mut found: Vec<&Guard<'m>> = by_address.into_iter().flatten().collect();
        let mut around = vec![resource.declaration()];
        let mut next = 0;
        while let Some(declaration) = around.get(next).copied().filter(|_| next < MAX_CONTAINERS) {
            found.extend(self.by_declaration.get(&declaration).into_iter().flatten());
            let containers = self.containers.get(&declaration).into_iter().flatten();
            let fresh: Vec<Declaration> = containers.filter(|one| !around.contains(one)).copied().collect();
            around.extend(fresh);
            next += 1;
        }
        if resource.ty().starts_with("azurerm_") {
            let group = resource.arg("resource_group_name").scalar();
            found.extend(group.and_then(|group| self.by_group.get(&*group)).into_iter().flatten());
            found.extend(self.wide.get(environment).into_iter().flatten());
            found.extend(self.open.get(environment).into_iter().flatten());
        }
        found.into_iter().filter(move |guard| role(guard.lock.role))
    }

    /// Whether anything that is surely meant for a resource protects it in one way.
    #[must_use]
    pub fn protects(&self, resource: &Resource<'m, 'm>, role: impl Fn(Role) -> bool) -> Tri {
        let open = self.open.get(resource.instance.environment()).map_or(&[][..], Vec::as_slice);
        self.of(resource, role).fold(Tri::False, |so_far, guard| {
            let meant = !open.iter().any(|other| other.resource.address() == guard.resource.address());
            let holds = || {
                if meant { guard.holds() } else { Tri::Unknown("what the lock beside it locks is not known".into()) }
            };
            so_far.or(holds)
        })
    }
}

/// Whether a role is that of a deletion guard.
#[must_use]
pub fn is_guard(role: Role) -> bool {
    matches!(role, Role::DeleteGuardApi | Role::DeleteGuardClient)
}

/// The addresses of the resources whose computed arguments a value is made of.
fn addresses(value: &Value) -> Vec<String> {
    let address = |reason: &str| {
        let (address, _) = reason.strip_prefix("only known after apply: ")?.rsplit_once('.')?;
        Some(address.to_owned())
    };
    match &value.kind {
        Kind::Unknown(reason) => address(reason).into_iter().collect(),
        Kind::Known(Data::List(list)) => list.items.iter().flat_map(addresses).collect(),
        _ => Vec::new(),
    }
}

/// The group that an identifier of Azure ends with: `/subscriptions/…/resourceGroups/<name>`.
fn group_of(scope: &Value) -> Option<String> {
    let text = scope.display();
    let (_, name) = text.rsplit_once("/resourceGroups/")?;
    (!name.is_empty() && !name.contains(['/', '…'])).then(|| name.to_owned())
}

/// Whether a resource makes an object of this name.
fn is_called(resource: &Resource<'_, '_>, name: &str) -> bool {
    ["bucket", "name", "identifier"].iter().any(|argument| resource.arg(argument).as_str() == Some(name))
}

/// Whether a backup plan selects a resource: by a tag, by conditions on tags, or with everything else.
fn is_selected<'m>(terraform: &'m Terraform<'m>, selection: &Resource<'m, 'm>, resource: &Resource<'m, 'm>) -> bool {
    if selection.ty() != "aws_backup_selection" || !resource.ty().starts_with("aws_") {
        return false;
    }
    let defaults = || {
        let mut providers = terraform.providers_of(resource.instance);
        let own = providers.find(|provider| provider.label(0) == Some("aws") && provider.arg("alias").is_absent());
        own.map_or_else(Value::absent, |provider| provider.arg("default_tags.tags"))
    };
    let has = |key: &str, value: &str| {
        let own = resource.arg("tags").get(key);
        let own = if own.is_absent() { defaults().get(key) } else { own };
        own.scalar().is_some_and(|own| &*own == value)
    };
    let tags = selection.blocks("selection_tag");
    let tagged = tags.iter().any(|tag| match (tag.arg("key").scalar(), tag.arg("value").scalar()) {
        (Some(key), Some(value)) => has(&key, &value),
        _ => false,
    });
    let conditions: Vec<_> =
        selection.blocks("condition").iter().flat_map(|condition| condition.blocks("string_equals")).collect();
    let met =
        conditions.iter().all(|condition| match (condition.arg("key").scalar(), condition.arg("value").scalar()) {
            (Some(key), Some(value)) => has(key.trim_start_matches("aws:ResourceTag/"), &value),
            _ => false,
        });
    let everything = selection
        .arg("resources")
        .as_list()
        .is_some_and(|list| list.items.iter().any(|item| item.as_str() == Some("*")));
    let unrestricted = tags.is_empty() && selection.blocks("condition").is_empty();
    tagged || !conditions.is_empty() && met || everything && unrestricted
}
