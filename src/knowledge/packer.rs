//! Packer's builders: what an image is made from, and what of that floats.

use super::load;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::OnceLock;

/// What a builder makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guest {
    /// A whole operating system.
    System,
    /// A container image, or a root file system when it is exported.
    Container,
    /// Nothing that runs.
    #[default]
    None,
}

/// When an argument lets the base change without a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Floats {
    /// When it is given.
    Given,
    /// When it is true.
    True,
    /// When it is `latest`, or absent while [`Floating::beside`] is given.
    Latest,
    /// When it is a container image without digest.
    Undigested,
}

/// An argument that may let the base float.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Floating {
    /// Dotted path.
    pub path: String,
    /// When.
    pub is: Floats,
    /// The argument without which its absence means nothing.
    #[serde(default)]
    pub beside: Option<String>,
}

/// A builder (or a data source that looks an image up). Paths are dotted; of a list the first that is given counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Builder {
    /// Its names.
    pub types: Vec<String>,
    /// What it makes.
    #[serde(default)]
    pub guest: Guest,
    /// Whether the platform's agent gives each machine fresh host keys.
    #[serde(default)]
    pub agent: bool,
    /// Arguments that name what the image starts from.
    #[serde(default)]
    pub bases: Vec<String>,
    /// Arguments that need a checksum.
    #[serde(default)]
    pub downloads: Vec<String>,
    /// What pins a download.
    #[serde(default)]
    pub checksums: Vec<String>,
    /// Arguments that let the base float.
    #[serde(default)]
    pub floats: Vec<Floating>,
    /// Arguments that name a machine that may be running.
    #[serde(default)]
    pub live: Vec<String>,
    /// Whether it only works on an existing machine.
    #[serde(default)]
    pub always_live: bool,
    /// Arguments that name the artefact.
    #[serde(default)]
    pub names: Vec<String>,
    /// Arguments that replace an existing artefact when true.
    #[serde(default)]
    pub overwrites: Vec<String>,
    /// Arguments that turn a container into a root file system.
    #[serde(default)]
    pub exports: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    builders: Vec<Builder>,
}

/// The row of a builder.
#[must_use]
pub fn builder(name: &str) -> Option<&'static Builder> {
    static TABLE: OnceLock<Vec<Builder>> = OnceLock::new();
    static BY_NAME: OnceLock<HashMap<&'static str, &'static Builder>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| {
        let rows = TABLE.get_or_init(|| load::<Table>(include_str!(concat!(env!("OUT_DIR"), "/packer.json"))).builders);
        rows.iter().flat_map(|row| row.types.iter().map(move |name| (name.as_str(), row))).collect()
    });
    by_name.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::{Floats, Guest, builder};

    #[test]
    fn rows_are_found_by_any_name() {
        let docker = builder("docker").unwrap();
        assert_eq!((docker.guest, docker.floats[0].is), (Guest::Container, Floats::Undigested));
        assert!(builder("amazon-ebssurrogate").is_some_and(|row| row.agent));
        assert!(builder("virtualbox-vm").is_some_and(|row| row.always_live));
        assert!(builder("no-such-builder").is_none());
    }
}
