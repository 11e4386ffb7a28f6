//! Public modules that create something that holds data, for calls whose source is not at hand.

use super::terraform::{DataClass, Protection};
use super::{glob, load};
use serde::Deserialize;
use std::sync::OnceLock;

/// A public module that creates something that holds data.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WellKnownModule {
    /// `namespace/name/provider`; a trailing `*` in the name stands for the rest of it.
    pub module: String,
    /// What it creates.
    pub kind: String,
    /// What losing it loses.
    pub data: DataClass,
    /// What its inputs say about protection.
    #[serde(default)]
    pub protections: Vec<Protection>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Modules {
    modules: Vec<WellKnownModule>,
}

/// What is known of the module at a `source`: a registry address or a Git address of the same repository.
#[must_use]
pub fn well_known_module(source: &str) -> Option<&'static WellKnownModule> {
    static MODULES: OnceLock<Modules> = OnceLock::new();
    let address = registry_address(source)?;
    let rows = MODULES.get_or_init(|| load(include_str!(concat!(env!("OUT_DIR"), "/modules.json"))));
    rows.modules.iter().find(|row| glob(&row.module, &address))
}

/// `namespace/name/provider` of a module's source.
fn registry_address(source: &str) -> Option<String> {
    let source = source.split('?').next()?;
    let source = source.strip_prefix("git::").unwrap_or(source);
    // As Terragrunt writes an address of a registry, the usual one when no host is named.
    let source = source.strip_prefix("tfr://").map_or(source, |rest| rest.trim_start_matches('/'));
    let source =
        ["https://", "ssh://git@", "ssh://", "git@"].iter().find_map(|s| source.strip_prefix(s)).unwrap_or(source);
    let source = source.split("//").next()?;
    if let Some(path) = source.strip_prefix("github.com/").or_else(|| source.strip_prefix("github.com:")) {
        let (owner, repository) = path.split_once('/')?;
        let (provider, name) = repository.trim_end_matches(".git").strip_prefix("terraform-")?.split_once('-')?;
        return Some(format!("{owner}/{name}/{provider}"));
    }
    let parts: Vec<&str> = source.split('/').collect();
    match parts.as_slice() {
        [namespace, name, provider] if !namespace.starts_with('.') => Some(format!("{namespace}/{name}/{provider}")),
        [host, namespace, name, provider] if host.contains('.') => Some(format!("{namespace}/{name}/{provider}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_parses_and_holds_paths() {
        let file: Modules = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/modules.json"))).unwrap();
        assert!(file.modules.len() >= 20);
        for row in &file.modules {
            assert_eq!(row.module.split('/').count(), 3, "{}", row.module);
            let inputs = row.protections.iter().map(|protection| &protection.path);
            assert!(inputs.into_iter().all(|path| !path.contains(' ')), "{}", row.module);
        }
    }

    #[test]
    fn modules_by_source() {
        for source in [
            "terraform-aws-modules/rds/aws",
            "registry.terraform.io/terraform-aws-modules/rds/aws",
            "terraform-aws-modules/rds/aws//modules/db_instance",
            "git::https://github.com/terraform-aws-modules/terraform-aws-rds.git?ref=v6.1.0",
            "git@github.com:terraform-aws-modules/terraform-aws-rds.git",
            "tfr:///terraform-aws-modules/rds/aws?version=6.1.0",
            "tfr://registry.opentofu.org/terraform-aws-modules/rds/aws//modules/db_instance?version=6.1.0",
        ] {
            assert_eq!(well_known_module(source).map(|row| row.module.as_str()), Some("terraform-aws-modules/rds/aws"));
        }
        assert!(well_known_module("Azure/avm-res-sql-server/azurerm").is_some());
        assert!(well_known_module("../modules/rds/aws").is_none() && well_known_module("").is_none());
    }
}
