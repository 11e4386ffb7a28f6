//! Which data services a play brings to its hosts, and where each keeps its data.

use super::brought::Brought;
use super::container::{Container, Mount, MountKind};
use super::placement::{Use, weight};
use super::{Estate, carried, kept};
use crate::knowledge::services::{self, Service, ServiceData};
use crate::model::ansible::{Ansible, Task, TextKind};
use crate::source::file_name;
use crate::text::Loc;
use crate::value::{Data, Value};
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The data services of a play: by the names of its roles, the packages, units, containers and settings of its tasks.
pub(super) fn uses(estate: &Estate<'_>, play: usize, brought: &[Vec<Brought>], boxed: &Boxed) -> Vec<Use> {
    let ansible = estate.ansible;
    let mut found = Found { estate, ansible, play, uses: Vec::new(), seen: BTreeSet::new(), boxed };
    for role in &ansible.plays[play].roles {
        if let Some(service) = services::by_role(role.name) {
            found.add(service, role.loc, "role brings", role.role);
        }
    }
    // A role of which only some other file is taken (`tasks_from`) does there what that file says, whatever the role is called.
    let begun: BTreeSet<usize> = ansible
        .tasks
        .iter()
        .filter(|task| task.plays.contains(&play) && ansible.documents.tree.path(task.file).contains("/tasks/main."))
        .filter_map(|task| task.role)
        .collect();
    for (at, task) in ansible.tasks.iter().enumerate().filter(|(_, task)| task.plays.contains(&play)) {
        for (service, verb) in brought.get(at).into_iter().flatten().copied() {
            found.add(service, task.loc, verb, task.role);
        }
        let whole = task.role.filter(|role| begun.contains(role));
        if let Some(service) = whole.and_then(|role| services::by_role(&ansible.roles[role].name)) {
            found.add(service, task.loc, "role brings", task.role);
        }
        found.settings(estate, at, task);
        for container in estate.containers_of(at).iter().chain(carried::containers(estate, at)) {
            found.container(container, task);
            found.beside(container, task);
        }
    }
    found.uses
}

/// What roles run in containers.
#[derive(Default)]
pub(super) struct Boxed {
    /// Role and service; none for an image that is not known.
    services: BTreeSet<(usize, Option<&'static str>)>,
    /// Role and a path in its containers on which something is mounted.
    targets: BTreeSet<(usize, String)>,
}

impl Boxed {
    /// Whether the name of a role says nothing of directories, as the role runs the service in a container: neither of the
    /// package's own nor of those in the container.
    fn hides(&self, role: usize, service: &Service, directories: &[String]) -> bool {
        let inside = |directory: &String| {
            let own = self.targets.iter().filter(|(of, _)| *of == role);
            own.into_iter().any(|(_, target)| super::machine::is_below(directory, target))
        };
        let runs =
            self.services.contains(&(role, Some(service.name.as_str()))) || self.services.contains(&(role, None));
        let usual = !directories.is_empty() && directories.first() == service.dirs_package.first();
        runs && (usual || !directories.is_empty() && directories.iter().all(inside))
    }
}

/// What roles run in containers, in all plays.
pub(super) fn boxed(estate: &Estate<'_>) -> Boxed {
    let mut found = Boxed::default();
    for (at, task) in estate.ansible.tasks.iter().enumerate() {
        let Some(role) = task.role else { continue };
        for container in estate.containers_of(at).iter().chain(carried::containers(estate, at)) {
            let service = container.service().map(|service| service.name.as_str());
            if service.is_some() || container.image.as_str().is_none() {
                found.services.insert((role, service));
            }
            let targets = container.mounts.iter().filter_map(|mount| mount.target.as_str());
            found.targets.extend(targets.map(|target| (role, target.to_owned())));
        }
    }
    found
}

struct Found<'e, 'm> {
    estate: &'e Estate<'m>,
    ansible: &'e Ansible<'m>,
    play: usize,
    uses: Vec<Use>,
    seen: BTreeSet<(String, Option<usize>)>,
    /// What roles run in containers.
    boxed: &'e Boxed,
}

impl<'m> Found<'_, 'm> {
    fn add(&mut self, service: &'static Service, loc: Loc, verb: &str, role: Option<usize>) {
        // A container engine keeps what its containers do: those are looked at themselves.
        if weight(service.data) == 0 || service.name == "docker-host" {
            return;
        }
        let directories = self.directories(service, role);
        if verb == "role brings" && role.is_some_and(|role| self.boxed.hides(role, service, &directories)) {
            return;
        }
        if !self.seen.insert((service.name.clone(), role)) {
            return;
        }
        self.uses.push(Use {
            label: service.label.clone(),
            data: service.data,
            directories,
            loc,
            clause: format!("this {verb} {}", service.label),
            role,
        });
    }

    /// Where the service keeps its data: what tasks configure or the role sets, else what it makes, else where the package puts it.
    fn directories(&self, service: &Service, role: Option<usize>) -> Vec<String> {
        let configured = kept::configured(self.estate, service, role, self.play);
        if let Some(Ok(directories)) = configured {
            return directories;
        }
        let set = role.map(|role| kept::set_by_role(self.ansible, role, service)).unwrap_or_default();
        // What a setting says that is not known may be anywhere.
        if !set.is_empty() || configured.is_some() {
            return set;
        }
        let made = role
            .filter(|_| service.dirs_package.is_empty() || service.name == "nfs-server")
            .map(|role| kept::made_by_role(self.estate, role))
            .unwrap_or_default();
        if !made.is_empty() {
            return made;
        }
        // The first directory is the usual one; the others are those of other distributions.
        service.dirs_package.first().cloned().into_iter().collect()
    }

    /// A service that is not in the tables, by a setting that names its data directory.
    fn settings(&mut self, estate: &Estate<'m>, at: usize, task: &Task<'m>) {
        let Some(role) = task.role else { return };
        let label = self.ansible.roles[role].name.clone();
        for directory in set_directories(estate, at, task) {
            let known = services::by_path(&directory);
            let data = known.map_or(ServiceData::State, |service| service.data);
            let database = ["postgres", "mysql", "mariadb", "mongo", "database"]
                .iter()
                .any(|word| directory.to_lowercase().contains(word));
            let data = if database { ServiceData::Authoritative } else { data };
            let named = self.uses.iter().any(|used| used.directories.contains(&directory));
            if named || weight(data) == 0 || !self.seen.insert((format!("{label} {directory}"), Some(role))) {
                continue;
            }
            let clause = format!("this task sets {directory} as the data directory of {label}");
            self.uses.push(Use {
                label: label.clone(),
                data,
                directories: vec![directory],
                loc: task.loc,
                clause,
                role: Some(role),
            });
        }
    }

    /// A container whose data lies on a path of its host, or in the engine's own volumes.
    fn container(&mut self, container: &Container, task: &Task<'m>) {
        let Some(service) = container.service().filter(|service| weight(service.data) > 0) else { return };
        for mount in data_mounts(container) {
            let directory = match mount.kind {
                MountKind::RelativeBind => self.beside_file(task, mount.source.as_str().unwrap_or("")),
                _ => on_host(mount),
            };
            let Some(directory) = directory else { continue };
            if self.seen.insert((format!("{} {directory}", service.name), None)) {
                let clause = format!("this task runs {} in a container", service.label);
                self.uses.push(Use {
                    label: service.label.clone(),
                    data: service.data,
                    directories: vec![directory],
                    loc: task.loc,
                    clause,
                    role: None,
                });
            }
        }
    }
}

/// The mounts on which a container's data lies.
pub(super) fn data_mounts(container: &Container) -> impl Iterator<Item = &Mount> {
    let directories = container.directories();
    container.mounts.iter().filter(move |mount| {
        let target = mount.target.as_str();
        target.is_some_and(|target| directories.iter().any(|own| super::machine::is_below(own, target)))
    })
}

/// The path of a host that a mount shows, where the declaration itself tells.
pub(super) fn on_host(mount: &Mount) -> Option<String> {
    match mount.kind {
        MountKind::Named => Some("/var/lib/docker/volumes".to_owned()),
        MountKind::Bind => mount.source.as_str().map(str::to_owned),
        _ => None,
    }
}

/// Folders beside a compose file in which applications keep what users made.
const KEPT: [&str; 7] = ["data", "db", "database", "uploads", "storage", "postgres", "mysql"];

impl<'m> Found<'_, 'm> {
    /// A path relative to the compose file that a task writes to its host or runs there.
    fn beside_file(&self, task: &Task<'m>, source: &str) -> Option<String> {
        let given = ["project_src", "dest", "path"].iter().map(|name| self.ansible.argument(task, name));
        let target = given.into_iter().find(|value| !value.is_absent())?;
        let target = target.as_str().filter(|target| target.starts_with('/'))?;
        let file = file_name(target).contains('.') && task.argument("project_src").is_none();
        let folder = if file { crate::source::folder(target) } else { target.trim_end_matches('/') };
        Some(format!("{folder}/{}", source.trim_start_matches("./").trim_end_matches('/')))
    }

    /// An application whose compose file is written to the host with its data folder beside it.
    fn beside(&mut self, container: &Container, task: &Task<'m>) {
        if container.service().is_some() {
            return;
        }
        for mount in container.mounts.iter().filter(|mount| mount.kind == MountKind::RelativeBind) {
            let Some(source) = mount.source.as_str() else { continue };
            let source = source.trim_start_matches("./").trim_end_matches('/');
            if !KEPT.contains(&source) {
                continue;
            }
            let Some(directory) = self.beside_file(task, source) else { return };
            if self.seen.insert((format!("{} {directory}", container.name), None)) {
                let clause = format!("this task runs {} with its data beside it", container.name);
                let (label, data) = (container.name.clone(), ServiceData::State);
                self.uses.push(Use { label, data, directories: vec![directory], loc: task.loc, clause, role: None });
            }
        }
    }
}

/// The known words of a string or list.
pub(super) fn words(value: &Value) -> Vec<String> {
    match value.data() {
        Some(Data::Str(text)) => text.split(',').map(|word| word.trim().to_owned()).collect(),
        Some(Data::List(list)) => {
            list.items.iter().filter_map(|item| item.scalar().map(|text| text.to_string())).collect()
        }
        _ => Vec::new(),
    }
}

/// `DB_DATA_LOCATION=/opt/x`, `-data=/var/lib/x`, `--data-dir /var/lib/x`, `DATA_FOLDER="/srv/x"`
static SETTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?:\b[A-Z][A-Z0-9_]*DATA[A-Z0-9_]*(?:DIR|DIRECTORY|LOCATION|FOLDER|PATH|ROOT)?|\bDATA(?:DIR|_DIR|_FOLDER)|--?data(?:[-_]?dir|[-_]?path|[-_]?folder)?)\s*[=\s]\s*"?(/[A-Za-z0-9._/-]+)"#).ok()
});

/// Data directories that a task's text, or the unit or environment file that it writes, names.
fn set_directories<'m>(estate: &Estate<'m>, at: usize, task: &Task<'m>) -> Vec<String> {
    let Some(setting) = SETTING.as_ref() else { return Vec::new() };
    let read = |text: &str| {
        let named = setting.captures_iter(text).filter_map(|found| found.get(1));
        named
            .map(|path| path.as_str().trim_end_matches('/').to_owned())
            .filter(|path| path.len() > 1)
            .collect::<Vec<_>>()
    };
    let ansible = estate.ansible;
    match task.short() {
        "lineinfile" | "blockinfile" | "copy" => {
            let written: Vec<String> = ["line", "block", "content"]
                .iter()
                .flat_map(|name| ansible.each(task, name))
                .map(|value| value.display())
                .collect();
            let mut found: Vec<String> = written.iter().flat_map(|text| read(text)).collect();
            found.extend(unit_file(estate, task).iter().flat_map(|text| read(text)));
            found
        }
        "template" => {
            let settings = |kind| matches!(kind, TextKind::Unit | TextKind::Environment);
            let written = estate.texts_of(at).iter().filter(|text| settings(text.kind));
            written.flat_map(|text| read(&text.rendered.text.text)).collect()
        }
        _ => Vec::new(),
    }
}

/// The text of a unit file of the role that a task copies.
fn unit_file<'m>(estate: &Estate<'m>, task: &Task<'m>) -> Option<&'m str> {
    let source = estate.ansible.argument(task, "src");
    let name = source.as_str().filter(|name| name.ends_with(".service"))?;
    let role = &estate.ansible.roles[task.role?];
    let path = role.path(&format!("files/{}", file_name(name)))?;
    Some(estate.documents.tree.text(estate.documents.tree.find(&path)?))
}
