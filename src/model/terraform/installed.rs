//! Modules that `terraform init` has put into the repository, by its manifest `.terraform/modules/modules.json`.

use super::Files;
use crate::source;
use std::collections::HashMap;

const MANIFEST: &str = ".terraform/modules/modules.json";

/// The folder of each call, by the root's folder and the names on the way to the call (`db.instance`).
pub(super) type Manifests = HashMap<String, HashMap<String, String>>;

/// Whether a folder is one of an installed module.
pub(super) fn is_installed(folder: &str) -> bool {
    folder.starts_with(".terraform/modules/") || folder.contains("/.terraform/modules/")
}

/// All manifests of a tree; what cannot be read of one is left out.
pub(super) fn manifests(files: &dyn Files) -> Manifests {
    let paths = files.below("").into_iter();
    let roots =
        paths.filter_map(|path| path.strip_suffix(MANIFEST)).filter(|root| root.is_empty() || root.ends_with('/'));
    roots
        .filter_map(|root| {
            let (_, text) = files.find(&format!("{root}{MANIFEST}"))?;
            let parsed: serde_json::Value = serde_json::from_str(text).ok()?;
            let root = root.trim_end_matches('/');
            let entries = parsed.get("Modules")?.as_array()?.iter().filter_map(|entry| {
                let word = |name: &str| entry.get(name).and_then(serde_json::Value::as_str);
                let key = word("Key").filter(|key| !key.is_empty())?;
                Some((key.to_owned(), source::join(root, word("Dir")?)?))
            });
            Some((root.to_owned(), entries.collect()))
        })
        .collect()
}
