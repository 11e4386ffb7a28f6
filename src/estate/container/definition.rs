//! Containers that a cloud runs as one task or group: task definitions of ECS, container groups and apps of Azure.

use super::flat::{Flat, members};
use super::mount::{Mount, MountKind};
use super::{Container, Declared, Setting};
use crate::estate::cluster::{at, member};
use crate::text::Loc;
use crate::value::{Kind, Value};

/// What surrounds the containers of one declaration.
pub struct Group<'a> {
    /// Where it is declared.
    pub loc: Loc,
    /// Its name, for a container without one.
    pub name: Value,
    /// What declares it.
    pub declared: Declared,
    /// The volumes that its containers may mount, by name.
    pub volumes: Vec<Value>,
    /// What surrounds the declaration.
    pub setting: &'a Setting<'a>,
}

/// The containers of a task definition of ECS, members named as its API does or as Terraform does.
#[must_use]
pub fn of_task_definition(containers: &Value, group: &Group<'_>) -> Vec<Container> {
    let one = |given: &Value| {
        let mut own = container(given, group)?;
        let mounts = member(given, "mount_points");
        own.more_mounts = mounts.reason().filter(|_| mounts.as_list().is_none());
        for mount in members(&mounts) {
            let source = member(&mount, "source_volume");
            let kind = named(group, &source).map_or(MountKind::Unknown, |volume| task_volume(&volume));
            add(&mut own, &mount, member(&mount, "container_path"), source, kind);
        }
        own.volumes_from = !members(&member(given, "volumes_from")).is_empty();
        let list = |name: &str| Some(member(given, name)).filter(|value| !value.is_absent());
        (own.entrypoint, own.command) = (list("entry_point"), list("command"));
        variables(&mut own, &member(given, "environment"));
        Some(own)
    };
    members(containers).iter().filter_map(one).collect()
}

/// The containers of `azurerm_container_group`: each names its volumes itself.
#[must_use]
pub fn of_container_group(containers: &[Value], group: &Group<'_>) -> Vec<Container> {
    let one = |given: &Value| {
        let mut own = container(given, group)?;
        for mount in members(&given.get("volume")) {
            let share = mount.get("share_name");
            let kind = match () {
                () if !share.is_absent() => MountKind::Claim,
                () if mount.get("empty_dir").as_bool() == Some(true) => MountKind::EmptyDir,
                // A clone of a repository or a secret: nothing of the service's own.
                () => MountKind::Unknown,
            };
            add(&mut own, &mount, mount.get("mount_path"), share, kind);
        }
        own.entrypoint = Some(given.get("commands")).filter(|value| !value.is_absent());
        super::arguments::environment(&given.get("environment_variables"), &mut own);
        Some(own)
    };
    containers.iter().filter_map(one).collect()
}

/// The containers of `azurerm_container_app`, by the volumes of its template.
#[must_use]
pub fn of_container_app(containers: &[Value], group: &Group<'_>) -> Vec<Container> {
    let one = |given: &Value| {
        let mut own = container(given, group)?;
        for mount in members(&given.get("volume_mounts")) {
            let source = mount.get("name");
            let volume = named(group, &source);
            let storage = volume.map(|volume| volume.get("storage_type"));
            let kind = match storage.as_ref().map(|storage| (storage.is_absent(), storage.as_str())) {
                Some((_, Some("AzureFile" | "NfsAzureFile"))) => MountKind::Claim,
                Some((true, _) | (_, Some("EmptyDir"))) => MountKind::EmptyDir,
                _ => MountKind::Unknown,
            };
            add(&mut own, &mount, mount.get("path"), source, kind);
        }
        let list = |name: &str| Some(given.get(name)).filter(|value| !value.is_absent());
        (own.entrypoint, own.command) = (list("command"), list("args"));
        variables(&mut own, &given.get("env"));
        Some(own)
    };
    containers.iter().filter_map(one).collect()
}

fn container(given: &Value, group: &Group<'_>) -> Option<Container> {
    let image = member(given, "image");
    if image.is_absent() {
        return None;
    }
    let name = member(given, "name");
    let name = if name.is_absent() { &group.name } else { &name };
    let place = given.origin.unwrap_or(group.loc);
    let mut own = Container::new(Container::shown(name), place, group.declared, group.setting);
    let place = image.origin.unwrap_or(place);
    own.set_image(image, place);
    Some(own)
}

fn add(own: &mut Container, mount: &Value, target: Value, source: Value, kind: MountKind) {
    own.more_mounts = own.more_mounts.take().or_else(|| mount.reason().filter(|_| mount.as_map().is_none()));
    if !target.is_absent() {
        own.mounts.push(Mount { target, source, kind, loc: mount.origin.unwrap_or(own.declaration) });
    }
}

/// The volume of the group that has a name.
fn named(group: &Group<'_>, name: &Value) -> Option<Value> {
    let name = name.scalar()?;
    group.volumes.iter().find(|volume| member(volume, "name").scalar().is_some_and(|own| own == name)).cloned()
}

/// What a volume of a task definition is.
fn task_volume(volume: &Value) -> MountKind {
    let given = |name: &str| !member(volume, name).is_absent();
    if matches!(volume.kind, Kind::Unknown(_) | Kind::OneOf(_)) {
        return MountKind::Unknown;
    }
    if given("efs_volume_configuration") || given("fsx_windows_file_server_volume_configuration") {
        return MountKind::Claim;
    }
    if given("docker_volume_configuration") {
        let scope = at(volume, &["docker_volume_configuration", "scope"]);
        return match scope.as_str() {
            Some("shared") => MountKind::Named,
            Some(_) => MountKind::EmptyDir,
            None if scope.is_absent() => MountKind::EmptyDir,
            None => MountKind::Unknown,
        };
    }
    let host = [member(volume, "host_path"), at(volume, &["host", "source_path"])];
    if let Some(path) = host.iter().find(|path| !path.is_absent()) {
        // The file is on the instance that happens to run the task.
        return if Flat::of(path).is_some_and(|flat| flat.text.is_empty()) {
            MountKind::EmptyDir
        } else {
            MountKind::Bind
        };
    }
    // The service that starts the task says what it is.
    let later = member(volume, "configure_at_launch");
    if later.is_absent() || later.as_bool() == Some(false) { MountKind::EmptyDir } else { MountKind::Unknown }
}

/// Variables given as a list of `{name, value}`.
fn variables(own: &mut Container, list: &Value) {
    own.more_environment = list.reason().filter(|_| list.as_list().is_none());
    for variable in members(list) {
        let Some(name) = member(&variable, "name").scalar() else { continue };
        let value = member(&variable, "value");
        let value = if value.is_absent() { Value::unknown("a secret gives it") } else { value };
        own.environment.push((name.to_string(), value));
    }
}
