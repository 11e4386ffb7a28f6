//! Roles: folders with tasks, defaults or metadata, found by name, FQCN or path.

use super::settings::{Places, exists};
use crate::model::kind::Kind;
use crate::model::load::Documents;
use crate::source::{Tree, file_name, folder, join};
use crate::syntax::yaml::Node;
use crate::text::FileId;
use std::collections::{BTreeMap, HashMap};
use std::sync::RwLock;

/// A role of the repository.
#[derive(Default)]
pub struct Role<'a> {
    /// Its folder; `""` when the repository itself is the role.
    pub folder: String,
    /// The last component of the folder.
    pub name: String,
    /// Its main task file.
    pub main: Option<FileId>,
    /// Its main file of handlers.
    pub handlers: Option<FileId>,
    /// `defaults/main`, a file or a folder, lowest precedence first.
    pub defaults: Vec<(FileId, Node<'a>)>,
    /// `vars/main`, likewise.
    pub vars: Vec<(FileId, Node<'a>)>,
    /// The roles that run before it, by its metadata.
    pub dependencies: Vec<Dependency<'a>>,
    /// Whether it runs again each time that it is named.
    pub allow_duplicates: bool,
    /// Collections in which it looks for roles and modules.
    pub collections: Vec<&'a str>,
    /// What its metadata says of its arguments, by entry point.
    pub argument_specs: Option<Node<'a>>,
}

/// A role that another one names in its metadata.
#[derive(Clone, Copy)]
pub struct Dependency<'a> {
    /// As written.
    pub name: &'a str,
    /// The metadata.
    pub file: FileId,
    /// The mapping that gives parameters, or the name alone.
    pub node: Node<'a>,
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

    /// A file of one of its parts: `main` with a suffix, or what `…_from` names with or without one.
    #[must_use]
    pub fn part(&self, tree: &Tree, part: &str, from: Option<&str>) -> Option<FileId> {
        let suffixes = if from.is_some() { ["", ".yml", ".yaml", ".json"] } else { [".yml", ".yaml", ".json", ""] };
        suffixes.iter().find_map(|suffix| {
            let path = self.path(&format!("{part}/{}{suffix}", from.unwrap_or("main")))?;
            tree.find(&path).or_else(|| tree.find(&tree.real(&path)))
        })
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
        // `tasks/sub/main.yml` is not the main file of the role.
        let main = file_name(path).starts_with("main.") && file_name(folder(path)) == part;
        // Of variables, `main` may be a folder.
        let usual = main || path[role.len()..].trim_start_matches('/')[part.len()..].starts_with("/main/");
        match (part, document.kind) {
            ("tasks", Kind::Tasks) if main => entry.main = Some(document.file),
            ("handlers", Kind::Tasks) if main => entry.handlers = Some(document.file),
            ("defaults", Kind::AnsibleVariables) if usual => {
                entry.defaults.extend(root.map(|root| (document.file, root)));
            }
            ("vars", Kind::AnsibleVariables) if usual => entry.vars.extend(root.map(|root| (document.file, root))),
            ("meta", Kind::RoleMeta) => metadata(entry, document.file, file_name(path), root),
            _ => {}
        }
    }
    // A folder with variables alone is no role unless it stands under `roles`; one that only names others is.
    let is_role = |role: &Role<'_>| {
        role.main.is_some() || !role.dependencies.is_empty() || file_name(folder(&role.folder)) == "roles"
    };
    let mut roles: Vec<Role<'a>> = roles.into_values().filter(is_role).collect();
    roles.sort_by(|a, b| b.folder.len().cmp(&a.folder.len()).then_with(|| a.folder.cmp(&b.folder)));
    roles
}

/// Takes what `meta/main.yml` and `meta/argument_specs.yml` say; the latter wins over the former.
fn metadata<'a>(role: &mut Role<'a>, file: FileId, name: &str, root: Option<Node<'a>>) {
    let Some(root) = root else { return };
    let specs = root.get("argument_specs").filter(|specs| specs.is_map());
    if name.starts_with("argument_specs.") {
        role.argument_specs = specs;
    } else if name.starts_with("main.") {
        role.argument_specs = role.argument_specs.or(specs);
        let list = root.get("dependencies").into_iter().flat_map(Node::items);
        let dependency = |node: Node<'a>| Some(Dependency { name: name_of(node)?, file, node });
        role.dependencies = list.filter_map(dependency).collect();
        role.allow_duplicates =
            root.get("allow_duplicates").and_then(Node::as_str).and_then(crate::value::truth) == Some(true);
        role.collections =
            root.get("collections").map(|list| list.items().filter_map(Node::as_str).collect()).unwrap_or_default();
    }
}

/// The role that an entry of `roles:` or `dependencies:` names.
pub(super) fn name_of(node: Node<'_>) -> Option<&str> {
    node.as_str().or_else(|| ["role", "name", "src"].iter().find_map(|key| node.get(key)?.as_str()))
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

/// From where a role is named.
#[derive(Clone, Copy, Default)]
pub(super) struct From<'f> {
    /// The folder of the playbook.
    pub base: &'f str,
    /// The role that names it.
    pub role: Option<usize>,
    /// Collections in which short names are looked up.
    pub collections: &'f [&'f str],
}

/// A role as a name means it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The role; none when the repository does not hold it or it has no tasks.
    pub role: Option<usize>,
    /// Its name as Ansible shows it before the names of its tasks.
    pub shown: String,
    /// Found by name alone, at a place where Ansible would look only with settings from elsewhere.
    pub guessed: bool,
}

/// Finds roles by what names them.
pub(super) struct Finder {
    by_folder: HashMap<String, usize>,
    places: Places,
    /// Folders of collections that were looked up, by the folder of a playbook and their name.
    homes: RwLock<HashMap<String, Option<String>>>,
}

impl Finder {
    /// Knows these roles.
    pub(super) fn new(documents: &Documents<'_>, roles: &[Role<'_>]) -> Self {
        let by_folder = roles.iter().enumerate().map(|(index, role)| (role.folder.clone(), index)).collect();
        Self { by_folder, places: Places::read(documents), homes: RwLock::default() }
    }

    /// Whether mappings of one name are merged for the playbooks of a folder.
    pub(super) fn merges(&self, folder: &str) -> bool {
        self.places.merges(folder)
    }

    /// The role that a play, role or task means, looked up where Ansible looks, in its order.
    pub(super) fn find(&self, tree: &Tree, roles: &[Role<'_>], from: From<'_>, name: &str) -> Found {
        let fqcn = name.split('.').count() == 3 && !name.contains('/');
        let full = fqcn.then(|| name.rsplit_once('.')).flatten();
        let short = from.collections.iter().filter(|_| !fqcn).map(|collection| (*collection, name));
        for (collection, last) in full.into_iter().chain(short) {
            let Some(home) = self.collection(tree, from.base, collection) else { continue };
            let Some(role) = self.at(tree, &home, &format!("roles/{last}")) else { continue };
            return Found { role, shown: format!("{collection}.{last}"), guessed: false };
        }
        let beside = join(from.base, "roles");
        let owner = from.role.map(|role| folder(&roles[role].folder));
        let named = self.places.roles(from.base).iter().map(String::as_str);
        for root in beside.as_deref().into_iter().chain(named).chain(owner).chain([from.base]) {
            if let Some(role) = self.at(tree, root, name) {
                return Found { role, shown: name.to_owned(), guessed: false };
            }
        }
        let here = from.role.map_or(from.base, |role| roles[role].folder.as_str());
        let role = resolve(roles, here, name);
        // Where no settings say where roles lie, whoever runs the playbook says it.
        let guessed = role.is_some() && self.places.has_settings(from.base);
        Found { role, shown: name.to_owned(), guessed }
    }

    /// The folder of a collection; one that lies elsewhere in the repository counts as installed.
    pub(super) fn collection(&self, tree: &Tree, base: &str, name: &str) -> Option<String> {
        let key = format!("{base}:{name}");
        if let Some(known) = self.homes.read().ok().and_then(|homes| homes.get(&key).cloned()) {
            return known;
        }
        let home = self.places.collection(tree, base, name).or_else(|| self.places.anywhere(name).map(str::to_owned));
        if let Ok(mut homes) = self.homes.write() {
            homes.insert(key, home.clone());
        }
        home
    }

    /// What stands at a path: nothing, a folder, a role.
    #[allow(clippy::option_option)]
    fn at(&self, tree: &Tree, root: &str, name: &str) -> Option<Option<usize>> {
        let path = join(root, name)?;
        if let Some(role) = self.by_folder.get(&path) {
            return Some(Some(*role));
        }
        let path = tree.real(&path);
        let role = self.by_folder.get(&path).copied();
        (role.is_some() || exists(tree, &path)).then_some(role)
    }
}

/// The role that a name may mean: by path, else the nearest of that name (the last component of an FQCN).
fn resolve(roles: &[Role<'_>], from: &str, name: &str) -> Option<usize> {
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
