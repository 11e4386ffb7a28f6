//! Instances of Incus that start from the image of an application (`docker:postgres:16`): the application comes with the image, and
//! its data lies where the image writes.

use super::Estate;
use super::container::Container;
use super::machine::{Machine, StorageKind};
use crate::knowledge::services::Service;
use crate::text::Loc;
use crate::value::Value;

/// An application that an instance starts from.
pub(super) struct Sealed {
    /// The machine, by index.
    pub(super) machine: usize,
    /// What it is.
    pub(super) service: &'static Service,
    /// Where it keeps its data.
    pub(super) directory: String,
    /// Where the image is named.
    pub(super) loc: Loc,
}

/// Every instance that starts from the image of a data service.
pub(super) fn sealed(estate: &Estate<'_>) -> Vec<Sealed> {
    let instances = estate.machines.iter().enumerate().filter(|(_, machine)| machine.resource.ty() == "incus_instance");
    instances.filter_map(|(at, machine)| one(estate, at, machine)).collect()
}

fn one<'m>(estate: &Estate<'m>, at: usize, machine: &Machine<'m>) -> Option<Sealed> {
    let (image, loc) = image(estate, machine)?;
    let container = Container::of_image(image, environment(machine), loc);
    let service = container.service()?;
    let directories = container.directories();
    // Of several places that versions of the image take, the one that something is mounted on is meant.
    let mounted =
        |directory: &&String| machine.storage_of(directory).is_some_and(|storage| storage.kind != StorageKind::Root);
    let directory = directories.iter().find(mounted).or(directories.first())?.clone();
    Some(Sealed { machine: at, service, directory, loc })
}

/// The image of an application: named with its remote, or by the resource that fetches it.
fn image<'m>(estate: &Estate<'m>, machine: &Machine<'m>) -> Option<(Value, Loc)> {
    let resource = &machine.resource;
    let own = resource.arg("image");
    if let Some((remote, name)) = own.as_str().and_then(|text| text.split_once(':')) {
        // The remotes that come with Incus hold images of systems.
        let systems = matches!(remote, "images" | "local" | "ubuntu" | "ubuntu-daily");
        return (!systems).then(|| (Value::known(name), own.origin.unwrap_or(resource.loc())));
    }
    let named = estate.terraform.referred(resource, "image");
    let fetches = |other: &crate::model::terraform::Resource<'_, '_>| {
        other.ty() == "incus_image"
            && *other.instance.root == *resource.instance.root
            && named.contains(&other.declaration())
    };
    let pulled = estate.terraform.resources().find(fetches)?;
    let name = pulled.arg("source_image.name");
    let loc = name.origin.unwrap_or(pulled.loc());
    (!name.is_absent()).then_some((name, loc))
}

/// What `environment.NAME` of its configuration gives it.
fn environment(machine: &Machine<'_>) -> Vec<(String, Value)> {
    let config = machine.resource.arg("config");
    let entries = config.as_map().map(|map| map.entries.clone()).unwrap_or_default();
    let variable = |(key, value): (_, Value)| {
        let key: &str = AsRef::<str>::as_ref(&key);
        Some((key.strip_prefix("environment.")?.to_owned(), value))
    };
    entries.into_iter().filter_map(variable).collect()
}
