//! Provider, module, service and doctrine facts, packed at build time from `knowledge/*.yaml` and read when first asked for.

pub mod agents;
pub mod ansible;
pub mod backends;
pub mod commands;
pub mod compute;
pub mod doctrine;
pub mod inventories;
pub mod modules;
pub mod names;
pub mod packer;
pub mod pipelines;
pub mod services;
pub mod terraform;
pub mod test;

use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// A packed table. One that cannot be read counts as empty; the tests below see to it that each can.
fn load<T: DeserializeOwned + Default>(json: &'static str) -> T {
    serde_json::from_str(json).unwrap_or_default()
}

/// Rows by key; of rows with the same key the first counts.
fn index<T>(rows: &'static [T], key: impl Fn(&'static T) -> &'static str) -> HashMap<&'static str, &'static T> {
    let mut map = HashMap::with_capacity(rows.len());
    for row in rows {
        map.entry(key(row)).or_insert(row);
    }
    map
}

/// Whether `pattern` fits the whole of `text`: `*` is anything but a slash, `**` anything, `**/` also nothing.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let Some(star) = pattern.find('*') else { return pattern == text };
    let (before, rest) = pattern.split_at(star);
    let Some(text) = text.strip_prefix(before) else { return false };
    let (rest, crosses) = match rest.strip_prefix("**") {
        Some(rest) => (rest, true),
        None => (&rest[1..], false),
    };
    if crosses && rest.is_empty() {
        return true;
    }
    if crosses && rest.strip_prefix('/').is_some_and(|rest| glob(rest, text)) {
        return true;
    }
    for (at, letter) in text.char_indices() {
        if glob(rest, &text[at..]) {
            return true;
        }
        if letter == '/' && !crosses {
            return false;
        }
    }
    glob(rest, "")
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn globs() {
        assert!(glob("/etc/netplan/*.yaml", "/etc/netplan/50-cloud-init.yaml"));
        assert!(!glob("/etc/netplan/*.yaml", "/etc/netplan/a/b.yaml"));
        assert!(glob("**/host_vars/**", "inventory/host_vars/a.yml") && glob("**/host_vars/**", "host_vars/a.yml"));
        assert!(!glob("**/host_vars/**", "my_host_vars/a.yml") && glob("**host_vars/**", "my_host_vars/a.yml"));
        assert!(glob("thanos-*", "thanos-store") && !glob("thanos-*", "thanos"));
        assert!(glob("**/*.tfstate*", "a/terraform.tfstate.backup") && glob("a*", "a"));
    }
}
