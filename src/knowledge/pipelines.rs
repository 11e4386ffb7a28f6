//! Pipelines: the steps by which files outlive a job.

use super::load;
use serde::Deserialize;
use std::sync::OnceLock;

/// A step, or a part of one, that keeps files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keeper {
    /// An action of GitHub.
    #[serde(default)]
    pub uses: String,
    /// A task of Azure.
    #[serde(default)]
    pub task: String,
    /// A key of a job or step.
    #[serde(default)]
    pub member: String,
    /// The inputs that name the files; none: the value of the key does.
    #[serde(default)]
    pub paths: Vec<String>,
    /// What they are kept as, with an article.
    #[serde(rename = "as")]
    pub kept_as: String,
    /// Whether it is made for Terraform's state.
    #[serde(default)]
    pub always: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    keepers: Vec<Keeper>,
}

/// Every way to keep files.
#[must_use]
pub fn keepers() -> &'static [Keeper] {
    static FILE: OnceLock<File> = OnceLock::new();
    &FILE.get_or_init(|| load(include_str!(concat!(env!("OUT_DIR"), "/pipelines.json")))).keepers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keeper_says_where_it_stands_and_what_it_keeps() {
        assert!(!keepers().is_empty());
        for row in keepers() {
            let places = [&row.uses, &row.task, &row.member].iter().filter(|place| !place.is_empty()).count();
            assert!(places == 1 && row.kept_as.contains(' '), "{row:?}");
            assert!(row.always || !row.paths.is_empty() || !row.member.is_empty(), "{row:?}");
        }
    }
}
