//! Where the state of each root is kept, as the repository itself declares that place: in what buckets, how it is reached, and
//! whether the root that keeps its state there also makes it.

use super::Estate;
use super::collision::location;
use super::root::RootFacts;
use crate::model::terraform::{Backend, BlockView, Mode, Resource, Role, Terraform};
use crate::source::folder;
use crate::text::Loc;
use crate::value::{Tri, Value};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The backend of a root or of a Terragrunt unit.
pub struct StateBackend<'m> {
    /// The folder whose state it is.
    pub folder: &'m str,
    /// The backend.
    pub backend: Backend<'m, 'm>,
    /// Its type; empty when it is not known.
    pub ty: String,
    /// The root; none for a unit whose module lies elsewhere.
    pub root: Option<RootFacts<'m>>,
}

/// Every backend, by folder; of examples and libraries none.
#[must_use]
pub fn backends<'m>(estate: &'m Estate<'m>) -> Vec<StateBackend<'m>> {
    let terraform = estate.terraform;
    let one = |folder, backend: Backend<'m, 'm>, root| {
        let ty = backend.ty.scalar().map(|ty| ty.to_string()).unwrap_or_default();
        StateBackend { folder, backend, ty, root }
    };
    let roots = terraform.tops().filter(|instance| instance.role == Role::Root).filter_map(|instance| {
        let facts = RootFacts { estate, instance };
        Some(one(instance.unit.as_deref().unwrap_or(facts.folder()), facts.backend()?, Some(facts)))
    });
    let outside = terraform.units.iter().filter(|unit| unit.module.is_none());
    let units = outside.filter_map(|unit| Some(one(&unit.folder, terraform.unit_backend(unit)?, None)));
    let mut all: Vec<StateBackend<'m>> = roots.chain(units).collect();
    all.sort_by_key(|one| (one.folder, one.backend.loc));
    all.dedup_by_key(|one| (one.folder, one.backend.loc));
    all
}

/// The buckets, accounts and containers in which backends keep state, each with the folders whose state it is.
pub type Stores = BTreeMap<String, Vec<String>>;

/// All of them.
#[must_use]
pub fn stores(terraform: &Terraform<'_>) -> Stores {
    let of_roots = terraform.tops().filter_map(|root| terraform.backend(root));
    let of_units = terraform.units.iter().filter_map(|unit| terraform.unit_backend(unit));
    let mut stores = Stores::new();
    for backend in of_roots.chain(of_units) {
        for store in stores_of(&backend) {
            let folders = stores.entry(store).or_default();
            let folder = if backend.folder.is_empty() { "." } else { backend.folder };
            if !folders.iter().any(|other| other == folder) {
                folders.push(folder.to_owned());
            }
        }
    }
    for folders in stores.values_mut() {
        folders.sort();
    }
    stores
}

/// What a backend keeps state in: whose it is, and its name.
fn stores_of(backend: &Backend<'_, '_>) -> Vec<String> {
    let ty = backend.ty.scalar().unwrap_or_default();
    let provider = match &*ty {
        "gcs" => "google",
        "azurerm" => "azurerm",
        _ => "",
    };
    let named = |argument: &str, kind: &str| Some(format!("{kind} {}", backend.arg(argument).scalar()?));
    let stores = [
        named("bucket", provider),
        named("storage_account_name", provider),
        named("dynamodb_table", "table"),
        backend.arg("container_name").scalar().map(|name| {
            let account = backend.arg("storage_account_name").scalar();
            container(account.as_deref(), &name)
        }),
    ];
    stores.into_iter().flatten().collect()
}

/// What a container is to a backend: its name says little without the account.
fn container(account: Option<&str>, name: &str) -> String {
    format!("container {}/{name}", account.unwrap_or("?"))
}

/// The folders whose state a container keeps. Where one of the two does not say the account, the name alone must do.
fn kept_in_container<'m>(estate: &'m Estate<'m>, resource: &Resource<'m, 'm>) -> &'m [String] {
    let Some(name) = resource.arg("name").scalar() else { return &[] };
    let stated = |account: &str| estate.state_stores.get(&container(Some(account), &name));
    let open = || estate.state_stores.get(&container(None, &name));
    let found = match account_of(estate, resource) {
        Some(account) => stated(&account).or_else(open),
        None => open().or_else(|| nearest(estate, &name, &resource.instance.root)),
    };
    found.map_or(&[], Vec::as_slice)
}

/// The folders whose state lies in a container of that name, in whichever account: of several the ones nearest to a root.
fn nearest<'m>(estate: &'m Estate<'m>, name: &str, root: &str) -> Option<&'m Vec<String>> {
    let end = format!("/{name}");
    let named = |(store, _): &(&'m String, &'m Vec<String>)| store.starts_with("container ") && store.ends_with(&end);
    let shared = |folder: &String| root.split('/').zip(folder.split('/')).take_while(|(a, b)| a == b).count();
    let near = |folders: &Vec<String>| folders.iter().map(shared).max().unwrap_or(0);
    let mut all: Vec<(usize, &Vec<String>)> =
        estate.state_stores.iter().filter(named).map(|(_, folders)| (near(folders), folders)).collect();
    all.sort_by_key(|(near, _)| std::cmp::Reverse(*near));
    match all.as_slice() {
        [(_, only)] => Some(only),
        [(first, folders), (second, _), ..] if first > second => Some(folders),
        _ => None,
    }
}

/// The name of the account that a container lies in.
fn account_of<'m>(estate: &Estate<'m>, resource: &Resource<'m, 'm>) -> Option<String> {
    if let Some(name) = resource.arg("storage_account_name").scalar() {
        return Some(name.to_string());
    }
    let id = resource.arg("storage_account_id");
    if let Some(name) = id.as_str().and_then(|id| id.rsplit_once("/storageAccounts/")) {
        return Some(name.1.to_owned());
    }
    let named: Vec<_> = ["storage_account_id", "storage_account_name"]
        .iter()
        .flat_map(|argument| estate.terraform.referred(resource, argument))
        .collect();
    let near = estate.terraform.resources_of(resource.instance);
    let mut accounts = near.filter(|one| one.ty() == "azurerm_storage_account" && named.contains(&one.declaration()));
    accounts.find_map(|account| account.arg("name").scalar().map(|name| name.to_string()))
}

/// The folders whose state a resource keeps, by its name.
#[must_use]
pub fn kept_in<'m>(estate: &'m Estate<'m>, resource: &Resource<'m, 'm>) -> &'m [String] {
    if resource.ty() == "azurerm_storage_container" {
        return kept_in_container(estate, resource);
    }
    store_of(resource).and_then(|store| estate.state_stores.get(&store)).map_or(&[], Vec::as_slice)
}

/// The folders whose locks a table keeps.
#[must_use]
pub fn locked_in<'m>(estate: &'m Estate<'m>, resource: &Resource<'_, 'm>) -> &'m [String] {
    table_of(resource).and_then(|table| estate.state_stores.get(&table)).map_or(&[], Vec::as_slice)
}

/// The table that a resource is, as backends name it.
fn table_of(resource: &Resource<'_, '_>) -> Option<String> {
    (resource.ty() == "aws_dynamodb_table").then(|| Some(format!("table {}", resource.arg("name").scalar()?)))?
}

/// What a resource is to a backend, if it is a store at all.
fn store_of(resource: &Resource<'_, '_>) -> Option<String> {
    let ty = resource.ty();
    if !ty.contains("bucket") && ty != "azurerm_storage_account" {
        return None;
    }
    // Policies, objects and settings of a bucket name it too.
    let itself = ty.ends_with("bucket") || ty.starts_with("azurerm_");
    let name = ["bucket", "name"].iter().find_map(|name| resource.arg(name).scalar()).filter(|_| itself)?;
    let kind = ty.split('_').next().filter(|it| matches!(*it, "google" | "azurerm")).unwrap_or("");
    Some(format!("{kind} {name}"))
}

/// A host that is this machine itself.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.starts_with("127.") || matches!(host, "[::1]" | "::1") || host.ends_with(".localhost")
}

/// The host of an address.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split(['/', '?']).next().unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if rest.starts_with('[') {
        return rest.find(']').map_or(rest, |end| &rest[..=end]);
    }
    rest.split(':').next().unwrap_or(rest)
}

/// Arguments by which a backend is reached.
const ADDRESSES: [&str; 7] =
    ["endpoints.s3", "endpoint", "address", "lock_address", "unlock_address", "conn_str", "endpoints"];

impl StateBackend<'_> {
    /// Everything that lets others read the state on its way or in its place, in words.
    #[must_use]
    pub fn insecure(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for name in ["insecure", "skip_cert_verification"] {
            if self.backend.arg(name).as_bool() == Some(true) {
                reasons.push(format!("`{name} = true` trusts whoever answers"));
            }
        }
        for name in ADDRESSES {
            let value = self.backend.arg(name);
            let Some(address) = value.as_str() else { continue };
            let plain = address.starts_with("http://") || address.contains("sslmode=disable");
            if plain && !is_loopback(host(address)) {
                reasons.push(format!("it goes to {} without TLS", host(address)));
                break;
            }
        }
        let scheme = self.backend.arg("scheme");
        let consul = self.backend.arg("address");
        if self.ty == "consul"
            && scheme.as_str() == Some("http")
            && consul.as_str().is_some_and(|address| !is_loopback(host(address)))
        {
            reasons.push("it goes to Consul without TLS".to_owned());
        }
        if let Some(acl) =
            self.backend.arg("acl").as_str().filter(|acl| acl.starts_with("public") || *acl == "authenticated-read")
        {
            reasons.push(format!("`acl = \"{acl}\"` lets everybody read it"));
        }
        reasons
    }

    /// Whether nothing encrypts the state where it lies.
    #[must_use]
    pub fn unencrypted(&self, estate: &Estate<'_>) -> Tri {
        if !matches!(self.ty.as_str(), "s3" | "oss" | "cos") || self.sealed() {
            return Tri::False;
        }
        let known = crate::knowledge::terraform::backend(&self.ty);
        let given = known.map_or(&[][..], |row| &row.encryption_args).iter().fold(Tri::False, |so_far, name| {
            let value = self.backend.arg(name);
            let given = if name == "encrypt" { value.equals(&true.into()) } else { value.has() };
            so_far.or(|| given)
        });
        if given.is_false() && self.backend.partial {
            return Tri::Unknown("the rest of the backend's configuration is given at init".into());
        }
        !given.or(|| bucket_encrypts(estate, &self.backend).into())
    }

    /// Whether the store is one of a cloud that encrypts everything by itself.
    #[must_use]
    pub fn encrypted_by_cloud(&self) -> bool {
        let own = ["endpoint", "endpoints", "endpoints.s3"].iter().any(|name| !self.backend.arg(name).is_absent());
        self.ty == "s3" && !own
    }

    /// Whether OpenTofu encrypts the state before it leaves the machine.
    fn sealed(&self) -> bool {
        self.root.is_some_and(|root| root.encrypted() && plain_method(root) != Some("method"))
    }

    /// What OpenTofu is told to leave as it is: `method`, `fallback` or nothing.
    #[must_use]
    pub fn plain(&self) -> &'static str {
        self.root.and_then(plain_method).unwrap_or("nothing")
    }
}

/// Whether OpenTofu is told to write state as it is: by its `method`, or to read such by a `fallback`.
fn plain_method(root: RootFacts<'_>) -> Option<&'static str> {
    let encryption = root.estate.terraform.encryption(root.instance)?;
    let state = encryption.blocks("state").into_iter().next()?;
    let plain = |block: &BlockView<'_, '_>| {
        block.expr("method").is_some_and(|(file, expr)| {
            let written = root.estate.documents.tree.slice(Loc { file, span: expr.span });
            written.starts_with("method.unencrypted.")
        })
    };
    if plain(&state) {
        return Some("method");
    }
    state.blocks("fallback").iter().any(plain).then_some("fallback")
}

/// Whether the repository declares the bucket of a backend with encryption of its own.
fn bucket_encrypts(estate: &Estate<'_>, backend: &Backend<'_, '_>) -> bool {
    let Some(bucket) = backend.arg("bucket").scalar() else { return false };
    estate.terraform.resources().any(|resource| {
        let own = matches!(resource.ty(), "aws_s3_bucket" | "alicloud_oss_bucket" | "tencentcloud_cos_bucket")
            && !resource.arg("server_side_encryption_configuration").is_absent();
        let beside = matches!(
            resource.ty(),
            "aws_s3_bucket_server_side_encryption_configuration" | "minio_s3_bucket_server_side_encryption"
        );
        (own || beside) && resource.arg("bucket").scalar().is_some_and(|name| name == bucket)
    })
}

/// A root that needs what it makes, or what others make that need it.
pub struct SelfDependency<'m> {
    /// The root's folder.
    pub folder: &'m str,
    /// Its backend.
    pub loc: Loc,
    /// What it needs, in words.
    pub what: String,
    /// Where that is declared.
    pub made: Loc,
    /// Whether a comment says that this root comes first.
    pub bootstrap: bool,
    /// The folders in between, for a circle of several roots.
    pub through: Vec<&'m str>,
}

/// Every root whose state lies in something that it makes itself, or that needs its state.
#[must_use]
pub fn self_dependencies<'m>(estate: &'m Estate<'m>) -> Vec<SelfDependency<'m>> {
    let backends = backends(estate);
    let mut makers: BTreeMap<String, Vec<Resource<'m, 'm>>> = BTreeMap::new();
    for resource in estate.terraform.resources().filter(|resource| resource.uncertain().is_none()) {
        let store = store_of(&resource).or_else(|| table_of(&resource));
        if let Some(store) = store.filter(|store| estate.state_stores.contains_key(store)) {
            makers.entry(store).or_default().push(resource);
        }
    }
    let needs = remote_states(estate, &backends);
    let mut found = Vec::new();
    for one in &backends {
        let Some(root) = one.root else { continue };
        let stores = stores_of(&one.backend);
        let made: Vec<&Resource<'m, 'm>> = stores.iter().filter_map(|store| makers.get(store)).flatten().collect();
        let own = made.iter().find(|resource| &*resource.instance.root == root.folder());
        let dependency = |what: String, made: Loc, through: Vec<&'m str>| SelfDependency {
            folder: one.folder,
            loc: one.backend.loc,
            what,
            made,
            bootstrap: root.bootstrap(),
            through,
        };
        if let Some(resource) = own {
            found.push(dependency(resource.address(), resource.loc(), Vec::new()));
        } else if let Some((address, loc)) = endpoint(estate, one, root) {
            found.push(dependency(address, loc, Vec::new()));
        } else if let Some((resource, through)) = made.iter().find_map(|resource| {
            let through = way(&needs, &resource.instance.root, root.folder())?;
            Some((resource, through))
        }) {
            found.push(dependency(resource.address(), resource.loc(), through));
        }
    }
    found
}

/// The machine of the same root that a backend is reached at.
fn endpoint<'m>(estate: &'m Estate<'m>, one: &StateBackend<'m>, root: RootFacts<'m>) -> Option<(String, Loc)> {
    let hosts: Vec<String> = ADDRESSES
        .iter()
        .filter_map(|name| one.backend.arg(name).as_str().map(|address| host(address).to_lowercase()))
        .filter(|host| !host.is_empty() && !is_loopback(host))
        .collect();
    let at = |value: &Value| {
        value.as_str().is_some_and(|own| {
            let own = own.split('/').next().unwrap_or(own).to_lowercase();
            hosts.iter().any(|host| {
                *host == own || host.strip_prefix(&own).is_some_and(|rest| rest.starts_with('.') && !own.contains('.'))
            })
        })
    };
    let here = estate.machines.iter().filter(|machine| &*machine.resource.instance.root == root.folder());
    let machine = here.into_iter().find(|machine| {
        machine.resource.uncertain().is_none() && machine.addresses.iter().chain(&machine.names).any(at)
    })?;
    Some((machine.address.clone(), machine.resource.loc()))
}

/// Which roots read the state of which others, by folder.
type Needs<'m> = BTreeMap<&'m str, BTreeSet<&'m str>>;

/// What `terraform_remote_state` reads, as far as it is the state of a root here.
fn remote_states<'m>(estate: &'m Estate<'m>, backends: &[StateBackend<'m>]) -> Needs<'m> {
    let mut at: BTreeMap<String, &'m str> = BTreeMap::new();
    for one in backends {
        let place = location(&one.ty, &|name| one.backend.arg(name)).filter(|_| !one.backend.partial);
        at.extend(place.map(|place| (place, one.folder)));
    }
    let mut needs = Needs::new();
    if at.is_empty() {
        return needs;
    }
    for instance in &estate.terraform.instances {
        let data = estate.terraform.resources_of(instance).filter(|one| one.decl.mode == Mode::Data);
        for one in data.filter(|one| one.ty() == "terraform_remote_state") {
            let ty = one.arg("backend").scalar().unwrap_or_default();
            let config = one.arg("config");
            let read = location(&ty, &|name| member(&config, name)).and_then(|place| at.get(&place).copied());
            if let Some(read) = read.filter(|read| **read != *instance.root) {
                needs.entry(&instance.root).or_default().insert(read);
            }
        }
    }
    // Whose state lies in what another root makes needs that root.
    for one in backends {
        for maker in makers_of(estate, one) {
            needs.entry(one.folder).or_default().insert(maker);
        }
    }
    needs
}

/// A member of a map by path; absent where there is none.
fn member(map: &Value, path: &str) -> Value {
    path.split('.').fold(map.clone(), |value, name| {
        if value.as_map().is_some_and(|map| map.open.is_none() && !map.entries.iter().any(|(key, _)| &**key == name)) {
            return Value::absent();
        }
        if value.is_absent() { value } else { value.get(name) }
    })
}

fn makers_of<'m>(estate: &'m Estate<'m>, one: &StateBackend<'m>) -> Vec<&'m str> {
    let stores = stores_of(&one.backend);
    if stores.is_empty() {
        return Vec::new();
    }
    let resources = estate.terraform.resources().filter(|resource| resource.uncertain().is_none());
    let made = resources.filter(|resource| store_of(resource).is_some_and(|store| stores.contains(&store)));
    let mut folders: Vec<&'m str> =
        made.map(|resource| &*resource.instance.root).filter(|root| *root != one.folder).collect();
    folders.sort_unstable();
    folders.dedup();
    folders
}

/// The shortest way by which a root comes to need another, both ends included.
fn way<'m>(needs: &Needs<'m>, from: &'m str, to: &str) -> Option<Vec<&'m str>> {
    let mut before: BTreeMap<&'m str, &'m str> = BTreeMap::new();
    let mut waiting = VecDeque::from([from]);
    while let Some(at) = waiting.pop_front() {
        for next in needs.get(at).into_iter().flatten() {
            if *next == to {
                let mut way = vec![*next, at];
                while let Some(earlier) = way.last().and_then(|last| before.get(last)).filter(|_| way.len() < 32) {
                    way.push(earlier);
                }
                way.reverse();
                return Some(way);
            }
            if *next != from && !before.contains_key(next) {
                before.insert(next, at);
                waiting.push_back(next);
            }
        }
    }
    None
}

/// Whether a folder is one of templates or of tests, from which roots are made or which are thrown away.
#[must_use]
pub fn is_sample(estate: &Estate<'_>, loc: Loc) -> bool {
    let path = estate.documents.tree.path(loc.file);
    super::task::is_test_path(path)
        || folder(path)
            .split('/')
            .any(|part| matches!(part, "template" | "templates" | "skeleton" | "fixtures" | "examples"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_addresses() {
        assert_eq!(host("http://user:pw@minio.internal:9000/tf?x=1"), "minio.internal");
        assert_eq!(host("postgres://tf@db-1/state?sslmode=disable"), "db-1");
        assert_eq!(host("https://[::1]:9000"), "[::1]");
        assert_eq!(host("10.0.0.5:8500"), "10.0.0.5");
        assert!(is_loopback(host("http://127.0.0.1:9000")) && !is_loopback("minio"));
    }
}
