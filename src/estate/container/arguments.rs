//! Containers that an Ansible module or a Terraform resource declares.

use super::flat::Flat;
use super::mount::Mount;
use super::{Container, Declared, Setting};
use crate::text::Loc;
use crate::value::{Data, Kind, Value};

/// Modules that declare containers.
pub const MODULES: [&str; 4] = ["docker_container", "docker_swarm_service", "podman_container", "podman_containers"];

/// The containers that a module declares with its arguments; none for other modules and for removal.
#[must_use]
pub fn of_arguments(module: &str, get: &dyn Fn(&str) -> Value, loc: Loc, setting: &Setting<'_>) -> Vec<Container> {
    if module != "podman_containers" {
        return of_module(module, get, loc, setting).into_iter().collect();
    }
    let containers = get("containers");
    let list = containers.as_list().map(|list| list.items.as_slice()).unwrap_or_default();
    let each =
        |item: &Value| of_module("podman_container", &|name| item.get(name), item.origin.unwrap_or(loc), setting);
    list.iter().filter_map(each).collect()
}

fn of_module(module: &str, get: &dyn Fn(&str) -> Value, loc: Loc, setting: &Setting<'_>) -> Option<Container> {
    if !MODULES.contains(&module) || get("state").as_str() == Some("absent") {
        return None;
    }
    let image = get("image");
    // Without image it starts, stops or changes one that exists.
    if image.is_absent() {
        return None;
    }
    let name = get("name");
    let mut own = Container::new(Container::shown(&name), loc, Declared::Ansible, setting);
    let place = image.origin.unwrap_or(loc);
    own.set_image(image, place);
    own.command = first(get, &["command"]);
    own.entrypoint = first(get, &["entrypoint"]);
    own.volumes_from = !get("volumes_from").is_absent();
    let yes = |key: &str| get(key).as_bool() == Some(true);
    own.removed_at_end = yes("auto_remove") || yes("cleanup") || yes("rm") || yes("remove");
    for key in ["volumes", "volume"] {
        each(&get(key), loc, &mut own, &|value, loc| Mount::short(value, loc));
    }
    for key in ["mounts", "mount"] {
        each(&get(key), loc, &mut own, &|value, loc| match value.as_map() {
            // A service of a swarm binds paths unless it says otherwise.
            Some(_) if module == "docker_swarm_service" && value.get("type").is_absent() => {
                Mount::long(&Value::known("bind"), value.get("source"), value.get("target"), loc)
            }
            Some(_) => mount_of_map(value, loc),
            None => Mount::pairs(value, loc),
        });
    }
    let memory = get("tmpfs");
    match memory.as_map() {
        Some(map) => {
            let mounts =
                map.entries.iter().filter_map(|(path, _)| Mount::memory(&Value::known(Data::Str(path.clone())), loc));
            own.mounts.extend(mounts);
        }
        None => each(&memory, loc, &mut own, &|value, loc| Mount::memory(value, loc)),
    }
    environment(&get("env"), &mut own);
    if own.more_environment.is_none() && !get("env_file").is_absent() {
        own.more_environment = Some("its env_file may set more than the repository shows".into());
    }
    Some(own)
}

/// The container that a resource `docker_container` declares: its arguments, and its nested blocks as maps with their places.
#[must_use]
pub fn of_resource(
    get: &dyn Fn(&str) -> Value,
    blocks: &dyn Fn(&str) -> Vec<(Loc, Value)>,
    (header, name): (Loc, &str),
    setting: &Setting<'_>,
) -> Option<Container> {
    let given = get("name").scalar();
    let mut own = Container::new(given.as_deref().unwrap_or(name).to_owned(), header, Declared::Terraform, setting);
    let image = get("image");
    let place = image.origin.unwrap_or(header);
    own.set_image(image, place);
    own.command = first(get, &["command"]);
    own.entrypoint = first(get, &["entrypoint"]);
    own.removed_at_end = get("rm").as_bool() == Some(true) || get("must_run").as_bool() == Some(false);
    for (loc, block) in blocks("volumes") {
        own.volumes_from |= !block.get("from_container").is_absent();
        own.mounts.extend(volume_block(&block, loc));
        open(&block, &mut own);
    }
    for (loc, block) in blocks("mounts") {
        own.mounts.extend(mount_of_map(&block, loc));
        open(&block, &mut own);
    }
    if let Some(map) = get("tmpfs").as_map() {
        own.mounts.extend(
            map.entries.iter().filter_map(|(path, _)| Mount::memory(&Value::known(Data::Str(path.clone())), header)),
        );
    }
    environment(&get("env"), &mut own);
    Some(own)
}

/// The container that a service of a swarm runs, its `task_spec` given as a map.
#[must_use]
pub fn of_service(
    name: &Value,
    task: &Value,
    (header, label): (Loc, &str),
    setting: &Setting<'_>,
) -> Option<Container> {
    let spec = task.get("container_spec");
    let image = spec.get("image");
    if image.is_absent() {
        return None;
    }
    let given = name.scalar();
    let mut own = Container::new(given.as_deref().unwrap_or(label).to_owned(), header, Declared::Terraform, setting);
    let place = image.origin.unwrap_or(header);
    own.set_image(image, place);
    own.entrypoint = first(&|name| spec.get(name), &["command"]);
    own.command = first(&|name| spec.get(name), &["args"]);
    each(&spec.get("mounts"), header, &mut own, &mount_of_map);
    environment(&spec.get("env"), &mut own);
    Some(own)
}

fn volume_block(block: &Value, loc: Loc) -> Option<Mount> {
    let (volume, host) = (block.get("volume_name"), block.get("host_path"));
    let target = block.get("container_path");
    if !host.is_absent() {
        let relative = host.starts_with(".").is_true();
        let mut mount = Mount::long(&Value::known("bind"), host, target, loc)?;
        if relative {
            mount.kind = super::MountKind::RelativeBind;
        }
        return Some(mount);
    }
    Mount::long(&Value::known("volume"), volume, target, loc)
}

pub(super) fn mount_of_map(map: &Value, loc: Loc) -> Option<Mount> {
    let pick = |keys: &[&str]| keys.iter().map(|key| map.get(key)).find(|value| !value.is_absent()).unwrap_or_default();
    Mount::long(&map.get("type"), pick(&["source", "src"]), pick(&["target", "dst", "destination"]), loc)
}

/// A block of which not all is known may be any number of mounts.
fn open(block: &Value, own: &mut Container) {
    if let Kind::Unknown(reason) = &block.kind {
        own.more_mounts = Some(reason.clone());
    }
}

fn first(get: &dyn Fn(&str) -> Value, keys: &[&str]) -> Option<Value> {
    keys.iter().map(|key| get(key)).find(|value| !value.is_absent())
}

/// Adds the mount that each member of a list (or the only value) is.
fn each(value: &Value, loc: Loc, own: &mut Container, mount: &dyn Fn(&Value, Loc) -> Option<Mount>) {
    if let Some(list) = value.as_list() {
        own.mounts.extend(list.items.iter().filter_map(|item| mount(item, item.origin.unwrap_or(loc))));
        own.more_mounts = own.more_mounts.take().or_else(|| list.open.clone());
    } else if let Kind::Unknown(_) | Kind::OneOf(_) = &value.kind {
        own.more_mounts = own.more_mounts.take().or_else(|| value.reason());
    } else if let Some(map) = value.as_map() {
        own.more_mounts = own.more_mounts.take().or_else(|| map.open.clone());
        own.mounts.extend(mount(value, value.origin.unwrap_or(loc)));
    } else if let Some(text) = value.as_str() {
        // A string is read as a list with commas between; the fields of one mount have them too.
        let whole = text.contains('=');
        let parts = text.split(if whole { '\n' } else { ',' }).map(str::trim).filter(|part| !part.is_empty());
        own.mounts.extend(parts.filter_map(|part| mount(&Value::known(part), value.origin.unwrap_or(loc))));
    } else {
        own.mounts.extend(mount(value, value.origin.unwrap_or(loc)));
    }
}

/// Adds variables given as a map or as a list of `NAME=value`.
pub(super) fn environment(value: &Value, own: &mut Container) {
    if let Some(map) = value.as_map() {
        own.environment.extend(map.entries.iter().map(|(key, value)| (key.to_string(), value.clone())));
        own.more_environment.clone_from(&map.open);
    } else if let Some(list) = value.as_list() {
        own.more_environment.clone_from(&list.open);
        for item in &list.items {
            let Some(flat) = Flat::of(item) else { continue };
            match flat.text.split_once('=') {
                Some((name, _)) if !name.contains(crate::text::HOLE) => {
                    own.environment.push((name.to_owned(), flat.part(name.len() + 1..flat.text.len())));
                }
                _ => own.more_environment = own.more_environment.take().or_else(|| item.reason()),
            }
        }
    } else {
        own.more_environment = value.reason();
    }
}
