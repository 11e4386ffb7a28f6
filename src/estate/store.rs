//! What is known of one store of data by its own arguments.

use super::Estate;
use super::guard::is_guard;
use crate::knowledge::terraform::{DataType, Role, data_type};
use crate::model::terraform::Resource;
use crate::value::Tri;
use regex::Regex;
use std::sync::LazyLock;

/// Whether the service refuses to delete it while anything is in it.
#[must_use]
pub fn refuses_when_full(resource: &Resource<'_, '_>, ty: &DataType) -> Tri {
    let mut purges = ty.protections.iter().filter(|protection| protection.role == Role::Purge).peekable();
    if purges.peek().is_none() {
        return ty.kept_when_full.into();
    }
    purges.fold(Tri::True, |so_far, purge| so_far.and(|| purge.is_safe(&resource.arg(&purge.path))))
}

/// Whether its arguments of one role, if it has any, all protect.
#[must_use]
pub fn holds_by(resource: &Resource<'_, '_>, ty: &DataType, role: Role) -> Tri {
    let mut ways = ty.protections.iter().filter(|protection| protection.role == role).peekable();
    if ways.peek().is_none() {
        return Tri::False;
    }
    ways.fold(Tri::True, |so_far, way| so_far.and(|| !way.is_unsafe(&resource.arg(&way.path))))
}

/// Whether it is a copy of another store.
#[must_use]
pub fn is_replica(resource: &Resource<'_, '_>) -> Tri {
    const SOURCES: [&str; 5] = [
        "replicate_source_db",
        "replication_source_identifier",
        "master_instance_name",
        "source_region",
        "primary_instance",
    ];
    static MODE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("(?i)^(replica|secondary)$").unwrap_or_else(|_| unreachable!("a constant pattern"))
    });
    let copies = SOURCES.iter().fold(Tri::False, |so_far, name| so_far.or(|| resource.arg(name).has()));
    copies.or(|| resource.arg("create_mode").matches(&MODE))
}

/// Whether its name says that what it holds can be made again.
#[must_use]
pub fn is_temporary(resource: &Resource<'_, '_>) -> bool {
    const WORDS: [&str; 14] = [
        "log",
        "logs",
        "logging",
        "tmp",
        "temp",
        "cache",
        "artifact",
        "artifacts",
        "artefacts",
        "build",
        "builds",
        "scratch",
        "athena",
        "results",
    ];
    let known_name = ["bucket", "name", "bucket_prefix"].iter().find_map(|name| resource.arg(name).scalar());
    let text = format!("{} {}", resource.name(), known_name.unwrap_or_default()).to_lowercase();
    text.split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.contains(&word))
}

impl<'m> Estate<'m> {
    /// Whether a deletion guard of a resource is in force: Terraform's own, the service's, or a lock beside it.
    #[must_use]
    pub fn guarded(&self, resource: &Resource<'m, 'm>) -> Tri {
        let prevented = resource.arg("lifecycle.prevent_destroy").equals(&true.into());
        prevented
            .or(|| resource.arg("lifecycle.destroy").equals(&false.into()))
            .or(|| self.guarded_by_service(resource))
    }

    /// Whether a guard is in force that stays when the declaration goes: one of the service or provider, or a lock beside it.
    #[must_use]
    pub fn guarded_by_service(&self, resource: &Resource<'m, 'm>) -> Tri {
        let known = data_type(resource.ty()).map_or(&[][..], |ty| ty.protections.as_slice());
        known
            .iter()
            .filter(|protection| is_guard(protection.role))
            .fold(Tri::False, |so_far, guard| so_far.or(|| guard.is_safe(&resource.arg(&guard.path))))
            .or(|| self.guards.protects(resource, is_guard))
    }
}
