//! Objects whose names are given once in the world.

use super::{index, load};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

/// A kind of object.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Named {
    /// Terraform's resource.
    #[serde(rename = "type")]
    pub ty: String,
    /// The word for it.
    pub what: String,
    /// The arguments that together are its name.
    pub by: Vec<String>,
    /// Arguments that tell one of several apart, where they are given.
    #[serde(default)]
    pub by_if_given: Vec<String>,
    /// Ansible's modules that make the same object, with the options that stand for `by`.
    #[serde(default)]
    pub modules: BTreeMap<String, Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    names: Vec<Named>,
}

fn file() -> &'static File {
    static FILE: OnceLock<File> = OnceLock::new();
    FILE.get_or_init(|| load(include_str!(concat!(env!("OUT_DIR"), "/names.json"))))
}

/// The row of a type of Terraform's.
#[must_use]
pub fn of_type(ty: &str) -> Option<&'static Named> {
    static INDEX: OnceLock<HashMap<&'static str, &'static Named>> = OnceLock::new();
    INDEX.get_or_init(|| index(&file().names, |row| &row.ty)).get(ty).copied()
}

/// The row of a module of Ansible's by the last part of its name, and the options that hold the object's name.
#[must_use]
pub fn of_module(short: &str) -> Option<(&'static Named, &'static [String])> {
    file().names.iter().find_map(|row| Some((row, row.modules.get(short)?.as_slice())))
}

#[cfg(test)]
mod tests {
    use super::{file, of_module, of_type};

    #[test]
    fn every_row_is_read_and_every_module_says_the_whole_name() {
        assert!(of_type("aws_s3_bucket").is_some() && of_type("aws_instance").is_none());
        assert!(of_module("s3_bucket").is_some_and(|(row, options)| row.what == "bucket" && options == ["name"]));
        for row in &file().names {
            for (module, options) in &row.modules {
                assert_eq!(options.len(), row.by.len(), "{module} for {}", row.ty);
            }
        }
    }
}
