//! The container of a Nomad task.

use super::arguments::{environment, mount_of_map};
use super::flat::members;
use super::mount::{Mount, MountKind};
use super::{Container, Declared, Setting};
use crate::model::nomad::Task;

/// Drivers whose tasks are containers.
const DRIVERS: [&str; 3] = ["docker", "podman", "containerd-driver"];

/// The container that a task runs; none where its driver makes no container.
#[must_use]
pub fn of_job_task(task: &Task, setting: &Setting<'_>) -> Option<Container> {
    task.driver.as_str().filter(|driver| DRIVERS.contains(driver))?;
    let image = task.config.get("image");
    if image.is_absent() {
        return None;
    }
    let name = if task.name == task.job { task.name.clone() } else { format!("{}/{}", task.job, task.name) };
    let mut own = Container::new(name, task.loc, Declared::Nomad, setting);
    let place = image.origin.unwrap_or(task.loc);
    own.set_image(image, place);
    let given = |name: &str| Some(task.config.get(name)).filter(|value| !value.is_absent());
    (own.entrypoint, own.command) = (given("entrypoint"), given("args").or_else(|| given("command")));
    let volumes = task.config.get("volumes");
    for volume in members(&volumes) {
        let loc = volume.origin.unwrap_or(task.loc);
        own.mounts.extend(Mount::short(&volume, loc).map(in_allocation));
    }
    own.more_mounts = volumes.reason();
    for name in ["mount", "mounts"] {
        for mount in members(&task.config.get(name)) {
            let loc = mount.origin.unwrap_or(task.loc);
            own.mounts.extend(mount_of_map(&mount, loc).map(in_allocation));
        }
    }
    for mount in &task.mounts {
        let kind = match mount.kind.as_str() {
            Some("csi") => MountKind::Claim,
            // A host volume is a folder of the client that its agent's configuration names.
            Some("host") => MountKind::Named,
            _ => MountKind::Unknown,
        };
        own.mounts.push(Mount {
            target: mount.destination.clone(),
            source: mount.source.clone(),
            kind,
            loc: mount.loc,
        });
    }
    environment(&task.env, &mut own);
    Some(own)
}

/// A path without a slash before it lies in the allocation's own folder, which goes with it.
fn in_allocation(mut mount: Mount) -> Mount {
    let source = mount.source.as_str();
    let inside = source.is_some_and(|source| source.contains('/') && !source.starts_with('/'));
    if inside {
        mount.kind = MountKind::EmptyDir;
    }
    mount
}
