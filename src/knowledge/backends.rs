//! Where Terraform state can be kept, and how that place locks.

use super::load;
use super::test::{Test, known};
use crate::value::{Tri, Value};
use serde::Deserialize;
use serde_json::Value as Json;
use std::sync::OnceLock;

/// How a backend locks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "LocksRow")]
pub enum Locks {
    /// Unless switched off on the command line.
    Always,
    /// It cannot.
    Never,
    /// If one of these holds.
    When(Vec<LockWhen>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LocksRow {
    Word(String),
    When(Vec<LockWhen>),
}

impl From<LocksRow> for Locks {
    fn from(row: LocksRow) -> Self {
        match row {
            LocksRow::Word(word) if word == "always" => Self::Always,
            LocksRow::Word(_) => Self::Never,
            LocksRow::When(list) => Self::When(list),
        }
    }
}

/// An argument that switches locking on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockWhen {
    /// The backend's argument.
    pub arg: String,
    /// What counts when it is absent.
    #[serde(default)]
    pub default: Option<Json>,
    /// Passes for values that switch locking on.
    pub test: Test,
}

impl LockWhen {
    /// Whether the argument's value switches locking on; the default stands in for an absent one.
    #[must_use]
    pub fn holds(&self, value: &Value) -> Tri {
        match &self.default {
            Some(default) if value.is_absent() => self.test.holds(&known(default)),
            _ => self.test.holds(value),
        }
    }
}

/// Who keeps old versions of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Versioned {
    /// The service does.
    Service,
    /// The bucket or container does, if switched on.
    Store,
    /// Nobody.
    None,
}

/// A kind of place for Terraform state.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// The backend's name; `cloud` stands for the cloud block.
    #[serde(rename = "type")]
    pub ty: String,
    /// Whether several people and jobs can share it.
    pub remote: bool,
    /// How it locks.
    pub locks: Locks,
    /// Arguments that hold secrets.
    #[serde(default, rename = "credentials")]
    pub credential_args: Vec<String>,
    /// Arguments that say which state it is.
    #[serde(default, rename = "location")]
    pub location_args: Vec<String>,
    /// Arguments that encrypt the state.
    #[serde(default, rename = "encrypts")]
    pub encryption_args: Vec<String>,
    /// Who keeps old versions.
    pub versioned: Versioned,
    /// Whether current releases lack it.
    #[serde(default)]
    pub removed: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Backends {
    backends: Vec<Backend>,
}

/// What is known of a backend type.
#[must_use]
pub fn backend(ty: &str) -> Option<&'static Backend> {
    static BACKENDS: OnceLock<Backends> = OnceLock::new();
    let rows = BACKENDS.get_or_init(|| load(include_str!(concat!(env!("OUT_DIR"), "/backends.json"))));
    rows.backends.iter().find(|row| row.ty == ty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_parses_and_holds_paths() {
        let file: Backends = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/backends.json"))).unwrap();
        assert_eq!(file.backends.len(), 20);
        let lists =
            |row: &Backend| [row.credential_args.clone(), row.location_args.clone(), row.encryption_args.clone()];
        for path in file.backends.iter().flat_map(lists).flatten() {
            assert!(path.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c)), "{path}");
        }
    }

    #[test]
    fn backends_lock() {
        let Locks::When(ways) = &backend("s3").unwrap().locks else { panic!("s3 locks only when told to") };
        assert_eq!(ways.iter().map(|way| way.arg.as_str()).collect::<Vec<_>>(), ["use_lockfile", "dynamodb_table"]);
        assert!(ways.iter().any(|way| way.holds(&Value::known(true)).is_true()));
        assert_eq!(backend("gcs").unwrap().locks, Locks::Always);
        let Locks::When(ways) = &backend("consul").unwrap().locks else { panic!("consul has a lock argument") };
        assert!(ways[0].holds(&Value::absent()).is_true() && ways[0].holds(&Value::known(false)).is_false());
        assert!(
            !backend("local").unwrap().remote && backend("http").unwrap().credential_args.contains(&"password".into())
        );
        assert!(backend("nothing").is_none());
    }
}
