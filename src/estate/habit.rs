//! What automation and settings do without saying so: runs whose failure stops nothing, storage that is left to a default, settings of
//! Ansible, files that Terraform writes, databases in files of containers.

use super::Estate;
use super::container::{Container, MountKind};
use super::root::RootFacts;
use super::task::is_test_path;
use crate::model::kind::Kind;
use crate::model::terraform::{Instance, Resource, Role};
use crate::source::{folder, join};
use crate::syntax::ini::Line;
use crate::text::Loc;
use crate::value::{Kind as ValueKind, Piece, Value};
use std::collections::HashSet;
use std::sync::Arc;

/// A run of Terraform.
pub struct Run<'m> {
    /// The invocation, by index.
    pub at: usize,
    /// Its first word: `init`, `plan`…
    pub step: &'m str,
    /// Whether its failure stops nothing.
    pub tolerated: bool,
    /// Whether something that changes infrastructure or machines runs after it.
    pub then_changes: bool,
}

/// Every run of Terraform, in the order of invocations.
#[must_use]
pub fn runs<'m>(estate: &'m Estate<'m>) -> Vec<Run<'m>> {
    let mut found = Vec::new();
    for (at, invocation) in estate.invocations.iter().enumerate() {
        let command = &invocation.command;
        if !matches!(&*command.program, "terraform" | "tofu" | "opentofu" | "terragrunt") || invocation.instruction {
            continue;
        }
        let Some(step) = command.sub.first() else { continue };
        let ignored =
            invocation.task.and_then(|task| estate.ansible.tasks.get(task)).is_some_and(|task| task.ignore_errors);
        let tolerated = (command.tolerated || ignored) && !command.in_test;
        found.push(Run { at, step, tolerated, then_changes: tolerated && then_changes(estate, at) });
    }
    found
}

/// Whether a later command of the same script or play changes something.
fn then_changes(estate: &Estate<'_>, at: usize) -> bool {
    let own = &estate.invocations[at];
    let later = |other: &super::invocation::Invocation<'_>| match (own.task, other.task) {
        (Some(mine), Some(theirs)) => other.command.loc.file == own.command.loc.file && theirs > mine,
        (None, None) => {
            other.command.loc.file == own.command.loc.file
                && other.command.scope == own.command.scope
                && other.command.index > own.command.index
        }
        _ => false,
    };
    let changes = |other: &super::invocation::Invocation<'_>| {
        let sub = other.command.sub.first().map_or("", |sub| sub);
        matches!(&*other.command.program, "terraform" | "tofu" | "opentofu" | "terragrunt")
            && matches!(sub, "apply" | "destroy" | "import")
            || &*other.command.program == "ansible-playbook"
    };
    estate.invocations.iter().any(|other| later(other) && changes(other))
}

/// A guest whose storage is left to a default, or is the folder that each node has for its own.
pub struct ImplicitStorage<'m> {
    /// The guest.
    pub resource: Resource<'m, 'm>,
    /// The argument that names the storage.
    pub argument: &'static str,
    /// The storage.
    pub default: &'static str,
    /// Whether the argument is given.
    pub given: bool,
    /// The argument, else the block.
    pub loc: Loc,
}

/// Blocks of guests that need a storage: type, block, argument, default; no default where the argument has to be given.
const STORAGE: [(&str, &str, &str, Option<&str>); 5] = [
    ("proxmox_virtual_environment_container", "disk", "datastore_id", Some("local")),
    ("proxmox_virtual_environment_vm", "disk", "datastore_id", Some("local-lvm")),
    ("proxmox_lxc", "rootfs", "storage", None),
    ("proxmox_lxc_guest", "root_mount", "storage", None),
    ("proxmox_vm_qemu", "disk", "storage", None),
];
/// The folder of a node.
const LOCAL: &str = "local";

/// Every guest whose storage nobody chose, once for each declaration.
#[must_use]
pub fn implicit_storage<'m>(estate: &'m Estate<'m>) -> Vec<ImplicitStorage<'m>> {
    let mut found: Vec<ImplicitStorage<'m>> = Vec::new();
    for resource in estate.terraform.resources() {
        for (ty, kind, argument, default) in STORAGE {
            if resource.ty() != ty {
                continue;
            }
            for block in resource.blocks(kind) {
                let value = block.arg(argument);
                let given = value.as_str() == Some(LOCAL);
                let default = if given { Some(LOCAL) } else { default.filter(|_| value.is_absent()) };
                let Some(default) = default.filter(|_| block.uncertain.is_none()) else { continue };
                let here = value.origin.filter(|origin| origin.file == block.loc.file);
                let loc = here.unwrap_or(block.loc);
                if !found.iter().any(|other| other.loc == loc) {
                    found.push(ImplicitStorage { resource: resource.clone(), argument, default, given, loc });
                }
            }
        }
    }
    found
}

/// A setting of an `ansible.cfg`.
pub struct AnsibleSetting<'m> {
    /// Its section.
    pub section: &'m str,
    /// Its line.
    pub line: &'m Line,
    /// Where it stands.
    pub loc: Loc,
    /// The file's folder.
    pub folder: &'m str,
    /// Other settings of the file, for facts that need two.
    file: &'m crate::syntax::ini::Ini,
}

impl AnsibleSetting<'_> {
    /// Another setting of `[defaults]` in the same file; empty when it is not given.
    #[must_use]
    pub fn beside(&self, key: &str) -> &str {
        self.file.get("defaults", key).map_or("", |line| &*line.value)
    }
}

/// Every setting of every `ansible.cfg`.
#[must_use]
pub fn settings<'m>(estate: &'m Estate<'m>) -> Vec<AnsibleSetting<'m>> {
    let mut found = Vec::new();
    for document in estate.documents.of(&[Kind::AnsibleConfig]) {
        let Some(file) = document.ini() else { continue };
        let folder = folder(estate.documents.tree.path(document.file));
        for section in &file.sections {
            for line in &section.lines {
                let loc = Loc { file: document.file, span: line.span };
                found.push(AnsibleSetting { section: &section.name, line, loc, folder, file });
            }
        }
    }
    found
}

/// A file of the repository that Terraform writes.
pub struct WrittenFile<'m> {
    /// The resource.
    pub resource: Resource<'m, 'm>,
    /// The path in the repository, as far as known.
    pub path: String,
    /// Whether Git ignores it.
    pub ignored: bool,
}

/// Every file inside the repository that a resource of an applied configuration writes, once for each declaration.
#[must_use]
pub fn written_files<'m>(estate: &'m Estate<'m>) -> Vec<WrittenFile<'m>> {
    let mut found: Vec<WrittenFile<'m>> = Vec::new();
    for resource in estate.terraform.resources() {
        if !matches!(resource.ty(), "local_file" | "local_sensitive_file") || !applied(resource.instance) {
            continue;
        }
        // Terragrunt runs a copy of a module that lies elsewhere: nothing is written beside its own files.
        if resource.instance.environment() != &*resource.instance.root {
            continue;
        }
        let Some(written) = known_path(&resource.arg("filename")) else { continue };
        if written.starts_with(['/', '~']) {
            continue;
        }
        let Some(path) = join(&resource.instance.root, &written) else { continue };
        let ignored = estate.repository.ignores.ignores(&path);
        if !found.iter().any(|other| other.resource.loc() == resource.loc()) {
            found.push(WrittenFile { resource, path, ignored });
        }
    }
    found
}

/// Whether somebody applies the configuration that an instance belongs to.
fn applied(instance: &Arc<Instance<'_>>) -> bool {
    matches!(instance.role, Role::Root | Role::Child)
}

/// A path whose unknown parts are single names, `x` standing for each.
fn known_path(value: &Value) -> Option<String> {
    match &value.kind {
        ValueKind::Text(pieces) => {
            let text: String =
                pieces.iter().map(|piece| if let Piece::Lit(text) = piece { &**text } else { "x" }).collect();
            matches!(pieces.first(), Some(Piece::Lit(_))).then_some(text)
        }
        _ => value.as_str().map(str::to_owned),
    }
}

/// A database in a file that no durable mount of its container covers.
pub struct EmbeddedDatabase<'m> {
    /// The container.
    pub container: &'m Container,
    /// The variable that names the file.
    pub variable: &'m str,
    /// The file.
    pub path: String,
}

/// Every database file that goes with its container.
#[must_use]
pub fn embedded_databases<'m>(estate: &'m Estate<'m>) -> Vec<EmbeddedDatabase<'m>> {
    let mut found = Vec::new();
    for container in &estate.containers {
        if container.more_mounts.is_some() || container.volumes_from || container.removed_at_end {
            continue;
        }
        for (variable, value) in &container.environment {
            let Some(path) = value.as_str().and_then(|text| database_file(variable, text)) else { continue };
            // A path relative to wherever the program starts is in the container for sure where nothing at all is mounted.
            if !path.starts_with('/') && !container.mounts.is_empty() {
                continue;
            }
            let covered = container.mounts.iter().any(|mount| {
                let target = mount.target.as_str().map(|target| target.trim_end_matches('/'));
                let covers = target.is_none_or(|target| {
                    path.strip_prefix(target).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                });
                covers && !matches!(mount.kind, MountKind::Anonymous | MountKind::Memory | MountKind::EmptyDir)
            });
            if !covered {
                found.push(EmbeddedDatabase { container, variable, path });
            }
        }
    }
    found
}

/// The path of a database file that an address names, relative ones beginning with `./`; or a variable that is for such paths.
fn database_file(variable: &str, text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let named = |rest: &str| {
        let bare = rest.split(['?', ';']).next().unwrap_or(rest).to_ascii_lowercase();
        [".db", ".sqlite", ".sqlite3", ".db3"].iter().any(|end| bare.ends_with(end))
    };
    let (rest, any_name) = if let Some((_, rest)) =
        text.split_once("sqlite:///").or_else(|| text.split_once("sqlite3:///"))
    {
        (rest, true)
    } else if lower.starts_with("jdbc:sqlite:") || lower.starts_with("jdbc:h2:file:") {
        (text.rsplit_once(':').map(|(_, rest)| rest)?, true)
    } else if lower.starts_with("file:") && (lower.contains(".db") || lower.contains(".sqlite")) {
        (text.get(5..)?, false)
    } else if ["DB_", "DATABASE", "SQLITE"].iter().any(|start| variable.starts_with(start)) && text.starts_with('/') {
        (text, false)
    } else {
        return None;
    };
    let path = rest.split(['?', ';']).next().unwrap_or(rest);
    if path.is_empty() || path.contains(['$', '{', ':']) || path == "memory" {
        return None;
    }
    if rest.starts_with('/') {
        let path = format!("/{}", path.trim_start_matches('/'));
        return (any_name || named(rest)).then_some(path).filter(|path| path.len() > 1);
    }
    named(rest).then(|| format!("./{}", path.trim_start_matches("./")))
}

/// A root with nothing said about what Git must not take in.
pub struct Exposed<'m> {
    /// The root.
    pub root: RootFacts<'m>,
    /// What a plain `git add .` takes in.
    pub names: Vec<&'static str>,
}

/// Roots whose state or working folder Git does not ignore.
#[must_use]
pub fn exposed<'m>(estate: &'m Estate<'m>) -> Vec<Exposed<'m>> {
    let mut seen: HashSet<&str> = HashSet::new();
    let tops = estate.terraform.tops().filter(|instance| instance.role == Role::Root);
    tops.filter(|instance| seen.insert(&instance.module.folder))
        .filter(|instance| !is_test_path(&format!("{}/x", instance.module.folder)))
        .map(|instance| Exposed {
            root: RootFacts { estate, instance },
            names: super::collision::exposed(estate, &instance.module.folder),
        })
        .filter(|exposed| !exposed.names.is_empty() && !exposed.root.wants_caller())
        .collect()
}
