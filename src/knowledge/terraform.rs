//! What providers, backends and public modules are known to do: which types hold data, what protects it, where state is kept.

pub use super::backends::{Backend, LockWhen, Locks, Versioned, backend};
pub use super::compute::{Attachment, ComputeType, Fate, InlineStorage, attachment, compute_type};
pub use super::modules::{WellKnownModule, well_known_module};
use super::test::{Test, known};
use super::{index, load};
use crate::value::{Tri, Value};
use serde::Deserialize;
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

/// What losing an object loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataClass {
    /// The only copy of data.
    Authoritative,
    /// Keys and secrets, with what they encrypt.
    Secret,
    /// Messages under way.
    Queue,
    /// Configuration or history that code may not bring back.
    State,
    /// A replica, backup or snapshot.
    Copy,
    /// Something that is built again.
    Cache,
    /// Definitions.
    Metadata,
}

impl DataClass {
    /// As findings and cards spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authoritative => "authoritative",
            Self::Secret => "secret",
            Self::Queue => "queue",
            Self::State => "state",
            Self::Copy => "copy",
            Self::Cache => "cache",
            Self::Metadata => "metadata",
        }
    }
}

/// How an argument protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The service refuses deletion.
    DeleteGuardApi,
    /// Only the provider refuses deletion.
    DeleteGuardClient,
    /// A copy is taken at destroy.
    FinalCopy,
    /// Backups are made by themselves.
    Backup,
    /// Recovery to a point in time.
    Pitr,
    /// Old versions are kept.
    Versioning,
    /// Deleted content can be had back for a while.
    SoftDelete,
    /// Deletes content that would otherwise stand in the way of deletion.
    Purge,
    /// The object outlives what uses it.
    SurvivesCompute,
    /// A store in memory writes to disk.
    Persistence,
}

impl Role {
    /// As findings and cards spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeleteGuardApi => "delete-guard-api",
            Self::DeleteGuardClient => "delete-guard-client",
            Self::FinalCopy => "final-copy",
            Self::Backup => "backup",
            Self::Pitr => "pitr",
            Self::Versioning => "versioning",
            Self::SoftDelete => "soft-delete",
            Self::Purge => "purge",
            Self::SurvivesCompute => "survives-compute",
            Self::Persistence => "persistence",
        }
    }
}

/// An argument that protects, or takes protection away.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Protection {
    /// Dotted path; a step through a nested block goes into every block of that name.
    pub path: String,
    /// How it protects.
    pub role: Role,
    /// What counts when the argument is absent, if that is known.
    #[serde(default)]
    pub default: Option<Json>,
    /// What counts when only the block around the argument is given.
    #[serde(default)]
    pub block_default: Option<Json>,
    /// Passes for values that protect.
    pub safe: Test,
    /// Passes for values that are surely dangerous.
    #[serde(default, rename = "unsafe")]
    pub unsafe_: Option<Test>,
}

impl Protection {
    /// Whether the argument's value protects; the default stands in for an absent one.
    #[must_use]
    pub fn is_safe(&self, value: &Value) -> Tri {
        match &self.default {
            Some(default) if value.is_absent() => self.safe.holds(&known(default)),
            _ => self.safe.holds(value),
        }
    }

    /// Whether the argument's value is surely dangerous; the default stands in for an absent one.
    #[must_use]
    pub fn is_unsafe(&self, value: &Value) -> Tri {
        let Some(test) = &self.unsafe_ else { return !self.is_safe(value) };
        match &self.default {
            Some(default) if value.is_absent() => test.holds(&known(default)),
            _ => test.holds(value),
        }
    }
}

/// A resource type that holds data.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DataType {
    /// The type's name.
    #[serde(rename = "type")]
    pub ty: String,
    /// What it is (`relational-db`, `block-volume`, …).
    pub kind: String,
    /// What losing it loses.
    pub data: DataClass,
    /// What protects it.
    #[serde(default)]
    pub protections: Vec<Protection>,
    /// Arguments whose change destroys it and makes another.
    #[serde(default)]
    pub replace_on: Vec<String>,
    /// Types that protect it from a resource of their own.
    #[serde(default)]
    pub companions: Vec<String>,
    /// Whether the service never deletes it while anything is in it.
    #[serde(default)]
    pub kept_when_full: bool,
    /// Arguments that make it of an image: what a machine starts from, and no data of its own.
    #[serde(default)]
    pub image_from: Vec<String>,
}

impl DataType {
    /// Whether it is made of an image, by the arguments that it is written with.
    #[must_use]
    pub fn is_of_image(&self, argument: impl Fn(&str) -> Value) -> bool {
        self.image_from.iter().any(|path| !argument(path).is_absent())
    }
}

/// A switch of a provider block that decides about many objects.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSetting {
    /// The provider's local name as usual (`azurerm`).
    pub provider: String,
    /// Dotted path within the provider block.
    pub path: String,
    /// What counts when it is absent.
    #[serde(default)]
    pub default: Option<Json>,
    /// Passes for values that protect; none where it depends on what the objects hold.
    #[serde(default)]
    pub safe: Option<Test>,
    /// Types it decides about; empty: all of the provider.
    #[serde(default)]
    pub affects: Vec<String>,
}

/// A resource that locks or backs up another one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The type's name.
    #[serde(rename = "type")]
    pub ty: String,
    /// The argument that makes it effective.
    pub path: String,
    /// The argument that refers to what it protects.
    pub target: String,
    /// How it protects.
    pub role: Role,
    /// Passes for effective values of the argument.
    pub safe: Test,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Types {
    aliases: HashMap<String, String>,
    provider_settings: Vec<ProviderSetting>,
    locks: Vec<Lock>,
    #[serde(rename = "data-types")]
    data: Vec<DataType>,
}

fn types() -> &'static Types {
    static TYPES: OnceLock<Types> = OnceLock::new();
    TYPES.get_or_init(|| load(include_str!(concat!(env!("OUT_DIR"), "/terraform.json"))))
}

/// The row for a resource type, under any of the names that its provider gives it.
pub(super) fn by_any_name<T>(map: &HashMap<&'static str, &'static T>, ty: &str) -> Option<&'static T> {
    if let Some(row) = map.get(ty) {
        return Some(row);
    }
    let other: Cow<'_, str> = if let Some(rest) = ty.strip_prefix("proxmox_virtual_environment_") {
        format!("proxmox_{rest}").into()
    } else if let Some(rest) = ty.strip_prefix("proxmox_") {
        format!("proxmox_virtual_environment_{rest}").into()
    } else if ty.starts_with("kubernetes_") && ty.ends_with("_v1") && !types().aliases.contains_key(ty) {
        ty.strip_suffix("_v1")?.into()
    } else {
        types().aliases.get(ty)?.as_str().into()
    };
    map.get(&*other).copied()
}

/// What is known of a resource type that holds data.
#[must_use]
pub fn data_type(ty: &str) -> Option<&'static DataType> {
    static INDEX: OnceLock<HashMap<&str, &DataType>> = OnceLock::new();
    by_any_name(INDEX.get_or_init(|| index(&types().data, |row| &row.ty)), ty)
}

/// The switches of a provider block.
pub fn provider_settings(provider: &str) -> impl Iterator<Item = &'static ProviderSetting> {
    types().provider_settings.iter().filter(move |row| row.provider == provider)
}

/// The lock or backup that a resource type puts on another resource.
#[must_use]
pub fn lock(ty: &str) -> Option<&'static Lock> {
    types().locks.iter().find(|row| row.ty == ty)
}

/// How surely a type writes application data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppDataGrade {
    /// It is application data.
    Data,
    /// It depends on the arguments to look into.
    Mixed,
    /// Schemas, tables, topics.
    Structure,
    /// Configuration.
    Config,
}

/// A resource type through which Terraform writes into an application's store.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppData {
    /// The type's name.
    #[serde(rename = "type")]
    pub ty: String,
    /// How surely it is data.
    pub grade: AppDataGrade,
    /// Arguments to look into (dotted paths).
    #[serde(default)]
    pub inspect: Vec<String>,
    /// What these arguments hold, where it is always the same.
    #[serde(default)]
    pub holds: Option<Holding>,
    /// The argument whose statements decide whether it is data or only makes tables.
    #[serde(default)]
    pub statements: Option<String>,
}

/// What a resource writes into a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holding {
    /// The value of a secret.
    Secret,
    /// The content of an object or file.
    Object,
}

/// How bad something is in itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// The accepted way.
    Ok,
    /// Worth knowing.
    Info,
    /// Doubtful.
    Warning,
    /// Wrong.
    Error,
}

/// A data source that reads the running world into a plan.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeRead {
    /// The data source's type.
    #[serde(rename = "type")]
    pub ty: String,
    /// How bad that is.
    pub grade: Grade,
    /// Arguments that decide it.
    #[serde(default)]
    pub inspect: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct AppDataFile {
    app_data: Vec<AppData>,
    runtime_reads: Vec<RuntimeRead>,
}

fn app_data_file() -> &'static AppDataFile {
    static FILE: OnceLock<AppDataFile> = OnceLock::new();
    FILE.get_or_init(|| load(include_str!(concat!(env!("OUT_DIR"), "/app-data.json"))))
}

/// What is known of a resource type that writes application data.
#[must_use]
pub fn app_data(ty: &str) -> Option<&'static AppData> {
    static INDEX: OnceLock<HashMap<&str, &AppData>> = OnceLock::new();
    by_any_name(INDEX.get_or_init(|| index(&app_data_file().app_data, |row| &row.ty)), ty)
}

/// What is known of a data source that reads the running world.
#[must_use]
pub fn runtime_read(ty: &str) -> Option<&'static RuntimeRead> {
    static INDEX: OnceLock<HashMap<&str, &RuntimeRead>> = OnceLock::new();
    by_any_name(INDEX.get_or_init(|| index(&app_data_file().runtime_reads, |row| &row.ty)), ty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_parse_and_are_large_enough() {
        let types: Types = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/terraform.json"))).unwrap();
        let app: AppDataFile = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/app-data.json"))).unwrap();
        assert!(types.data.len() >= 400 && types.provider_settings.len() >= 19 && types.locks.len() >= 10);
        assert!(app.app_data.len() >= 160 && !app.runtime_reads.is_empty());
        let paths = types.data.iter().flat_map(|row| {
            row.protections.iter().map(|p| &p.path).chain(&row.replace_on).chain([&row.ty]).chain(&row.companions)
        });
        let paths = paths.chain(app.app_data.iter().flat_map(|row| &row.inspect));
        for path in
            paths.chain(types.provider_settings.iter().flat_map(|row| [&row.path].into_iter().chain(&row.affects)))
        {
            assert!(
                !path.is_empty() && path.chars().all(|c| c.is_ascii_alphanumeric() || "_.[]*-".contains(c)),
                "{path}"
            );
        }
        for row in &types.data {
            assert!(row.kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{}", row.kind);
            for p in &row.protections {
                assert!(!json_prose(p.default.as_ref()), "{}.{}: {:?}", row.ty, p.path, p.default);
                assert!(!p.unsafe_.as_ref().is_some_and(prose) && !prose(&p.safe), "{}.{}", row.ty, p.path);
            }
        }
    }

    /// A word or value has no blanks, and no operators that belong into a test.
    fn json_prose(json: Option<&Json>) -> bool {
        json.and_then(Json::as_str).is_some_and(|text| text.contains([' ', '|', '<', '>', '=']))
    }

    fn prose(test: &Test) -> bool {
        match test {
            Test::Is(json) | Test::Not(json) => json_prose(Some(json)),
            Test::OneOf(list) => list.iter().any(|json| json_prose(Some(json))),
            Test::Contains(part) | Test::Prefix(part) | Test::NotPrefix(part) => part.contains(' '),
            Test::AtLeast(_) | Test::AtMost(_) | Test::Set | Test::Absent => false,
        }
    }

    #[test]
    fn data_types_by_name_and_alias() {
        let db = data_type("aws_db_instance").unwrap();
        assert_eq!((db.kind.as_str(), db.data), ("relational-db", DataClass::Authoritative));
        let guard = db.protections.iter().find(|p| p.path == "deletion_protection").unwrap();
        assert_eq!((guard.role, guard.is_safe(&Value::absent())), (Role::DeleteGuardApi, Tri::False));
        let skip = db.protections.iter().find(|p| p.path == "skip_final_snapshot").unwrap();
        assert_eq!((skip.is_safe(&Value::absent()), skip.is_unsafe(&Value::known(true))), (Tri::True, Tri::True));
        let backup = db.protections.iter().find(|p| p.role == Role::Backup).unwrap();
        assert_eq!((backup.is_safe(&Value::known(7.0)), backup.is_safe(&Value::known(0.0))), (Tri::True, Tri::False));
        for (alias, ty) in [
            ("kubernetes_persistent_volume_claim_v1", "kubernetes_persistent_volume_claim"),
            ("proxmox_virtual_environment_storage_nfs", "proxmox_storage_nfs"),
            ("proxmox_file", "proxmox_virtual_environment_file"),
            ("docker_volume", "docker_volume"),
            ("hcloud_volume", "hcloud_volume"),
            ("google_sql_database_instance", "google_sql_database_instance"),
        ] {
            assert_eq!(data_type(alias).map(|row| row.ty.as_str()), Some(ty));
        }
        assert!(data_type("aws_iam_role").is_none() && data_type("").is_none());
    }

    #[test]
    fn settings_locks_and_application_data() {
        assert!(provider_settings("azurerm").count() >= 18 && provider_settings("hcloud").count() == 0);
        assert_eq!(lock("azurerm_management_lock").map(|row| row.target.as_str()), Some("scope"));
        assert_eq!(app_data("aws_dynamodb_table_item").map(|row| row.grade), Some(AppDataGrade::Data));
        assert!(app_data("aws_s3_bucket_object").is_some() && app_data("kubernetes_config_map_v1").is_some());
        assert_eq!(runtime_read("external").map(|row| row.grade), Some(Grade::Error));
        assert_eq!(runtime_read("kubernetes_pod_v1").map(|row| row.grade), Some(Grade::Warning));
    }
}
