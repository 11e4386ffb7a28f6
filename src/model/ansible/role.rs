//! Roles: folders with tasks, defaults or metadata, found by name, FQCN or path.

use crate::model::kind::Kind;
use crate::model::load::Documents;
use crate::source::{file_name, folder, join};
use crate::syntax::yaml::Node;
use crate::text::FileId;
use std::collections::BTreeMap;

/// A role of the repository.
#[derive(Default)]
pub struct Role<'a> {
    /// Its folder; `""` when the repository itself is the role.
    pub folder: String,
    /// The last component of the folder.
    pub name: String,
    /// Its main task file.
    pub main: Option<FileId>,
    /// `defaults/`, lowest precedence first.
    pub defaults: Vec<(FileId, Node<'a>)>,
    /// `vars/main`.
    pub vars: Vec<(FileId, Node<'a>)>,
    /// The names under `dependencies:` of its metadata.
    pub dependencies: Vec<&'a str>,
}

impl Role<'_> {
    /// Whether a path lies in the role.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        let rest = path.strip_prefix(self.folder.as_str());
        rest.is_some_and(|rest| self.folder.is_empty() || rest.starts_with('/'))
    }

    /// A path inside the role.
    #[must_use]
    pub fn path(&self, relative: &str) -> Option<String> {
        join(&self.folder, relative)
    }
}

const PARTS: [&str; 5] = ["tasks", "defaults", "vars", "meta", "handlers"];

/// Every folder that has the parts of a role, deepest first so that the first that holds a path is its own.
pub(super) fn find<'a>(documents: &'a Documents<'a>) -> Vec<Role<'a>> {
    let mut roles: BTreeMap<String, Role<'a>> = BTreeMap::new();
    for document in &documents.list {
        let path = documents.tree.path(document.file);
        let Some((role, part)) = split(path) else { continue };
        let entry = roles.entry(role.to_owned()).or_insert_with(|| Role {
            folder: role.to_owned(),
            name: file_name(role).to_owned(),
            ..Role::default()
        });
        let root = document.yaml().and_then(crate::syntax::yaml::Yaml::root);
        let main = file_name(path).starts_with("main.");
        match (part, document.kind) {
            ("tasks", Kind::Tasks) if main => entry.main = Some(document.file),
            ("defaults", Kind::AnsibleVariables) => entry.defaults.extend(root.map(|root| (document.file, root))),
            ("vars", Kind::AnsibleVariables) if main => entry.vars.extend(root.map(|root| (document.file, root))),
            ("meta", Kind::RoleMeta) => {
                let list = root.and_then(|root| root.get("dependencies"));
                let names = list.into_iter().flat_map(Node::items);
                entry.dependencies = names
                    .filter_map(|item| {
                        item.as_str().or_else(|| ["role", "name", "src"].iter().find_map(|key| item.get(key)?.as_str()))
                    })
                    .collect();
            }
            _ => {}
        }
    }
    // A folder with variables alone is no role unless it stands under `roles`.
    let mut roles: Vec<Role<'a>> =
        roles.into_values().filter(|role| role.main.is_some() || file_name(folder(&role.folder)) == "roles").collect();
    roles.sort_by(|a, b| b.folder.len().cmp(&a.folder.len()).then_with(|| a.folder.cmp(&b.folder)));
    roles
}

/// `roles/x/tasks/sub/y.yml` → (`roles/x`, `tasks`).
fn split(path: &str) -> Option<(&str, &'static str)> {
    let mut end = path.len();
    while let Some(at) = path[..end].rfind('/') {
        let name = file_name(&path[..at]);
        if let Some(part) = PARTS.iter().find(|part| **part == name) {
            return Some((folder(&path[..at]), part));
        }
        end = at;
    }
    None
}

/// The role that a play or include means: by path, else the nearest of that name (the last component of an FQCN).
pub(super) fn resolve(roles: &[Role<'_>], from: &str, name: &str) -> Option<usize> {
    if name.contains('/') {
        let mut base = Some(from);
        // A path may be relative to the playbook or to any folder above it (`roles_path`).
        while let Some(folder_here) = base {
            if let Some(found) =
                join(folder_here, name).and_then(|path| roles.iter().position(|role| role.folder == path))
            {
                return Some(found);
            }
            base = (!folder_here.is_empty()).then(|| folder(folder_here));
        }
    }
    let last = file_name(name);
    let last = if last.split('.').count() == 3 { last.rsplit('.').next().unwrap_or(last) } else { last };
    let common = |role: &Role<'_>| {
        let shared = role.folder.split('/').zip(from.split('/')).take_while(|(a, b)| a == b).count();
        (shared, std::cmp::Reverse(role.folder.len()))
    };
    let named = roles.iter().enumerate().filter(|(_, role)| role.name == last);
    named.max_by_key(|(_, role)| common(role)).map(|(index, _)| index)
}
