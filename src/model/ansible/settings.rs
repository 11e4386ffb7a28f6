//! What `ansible.cfg` says about where roles and collections lie, and the collections of the repository.

use crate::model::kind::Kind;
use crate::model::load::Documents;
use crate::source::{Tree, folder, join};
use crate::syntax::yaml::{Node, Yaml};

/// The part of an `ansible.cfg` that names folders of the repository.
struct Settings {
    folder: String,
    roles: Vec<String>,
    collections: Vec<String>,
    /// `hash_behaviour = merge`
    merges: bool,
}

/// Where Ansible looks for what a playbook names.
pub(super) struct Places {
    settings: Vec<Settings>,
    /// Folders of collections with `namespace.name`; those in an `ansible_collections` first.
    collections: Vec<(String, String)>,
}

impl Places {
    /// Reads every `ansible.cfg`, and finds collections by their folders and their `galaxy.yml`.
    pub(super) fn read(documents: &Documents<'_>) -> Self {
        let tree = documents.tree;
        let mut settings = Vec::new();
        for document in documents.of(&[Kind::AnsibleConfig]) {
            let Some(ini) = document.ini() else { continue };
            let folder = folder(tree.path(document.file)).to_owned();
            let paths = |key: &str| -> Vec<String> {
                let value = ini.get("defaults", key).map_or("", |line| &*line.value);
                let parts = value.trim_matches(['"', '\'']).split(':').map(str::trim).filter(|part| !part.is_empty());
                parts.filter_map(|part| below(&folder, part)).collect()
            };
            let (roles, mut collections) = (paths("roles_path"), paths("collections_path"));
            collections.extend(paths("collections_paths"));
            let merges = ini.get("defaults", "hash_behaviour").is_some_and(|line| line.value.trim() == "merge");
            settings.push(Settings { folder, roles, collections, merges });
        }
        // The nearest above a playbook is the longest.
        settings.sort_by(|a, b| b.folder.len().cmp(&a.folder.len()).then_with(|| a.folder.cmp(&b.folder)));
        Self { settings, collections: collections(documents) }
    }

    fn of(&self, folder: &str) -> Option<&Settings> {
        let above = |own: &str| own.is_empty() || folder == own || folder.starts_with(&format!("{own}/"));
        self.settings.iter().find(|settings| above(&settings.folder))
    }

    /// `roles_path` for the playbooks of a folder.
    pub(super) fn roles(&self, folder: &str) -> &[String] {
        self.of(folder).map_or(&[], |settings| &settings.roles)
    }

    /// Whether mappings of one name are merged for the playbooks of a folder.
    pub(super) fn merges(&self, folder: &str) -> bool {
        self.of(folder).is_some_and(|settings| settings.merges)
    }

    /// Whether an `ansible.cfg` applies to the playbooks of a folder.
    pub(super) fn has_settings(&self, folder: &str) -> bool {
        self.of(folder).is_some()
    }

    /// The folder of a collection, as Ansible would find it for the playbooks of a folder.
    pub(super) fn collection(&self, tree: &Tree, base: &str, name: &str) -> Option<String> {
        let relative = format!("ansible_collections/{}", name.replace('.', "/"));
        let beside = join(base, "collections");
        let named = self.of(base).map_or(&[][..], |settings| &settings.collections);
        // A path may name the parent folder or `ansible_collections` itself.
        let roots = beside.iter().chain(named).flat_map(|root| {
            [
                join(root, &relative),
                root.ends_with("ansible_collections").then(|| join(folder(root), &relative)).flatten(),
            ]
        });
        roots.flatten().map(|path| tree.real(&path)).find(|path| exists(tree, path))
    }

    /// The folder of a collection that lies somewhere in the repository.
    pub(super) fn anywhere(&self, name: &str) -> Option<&str> {
        self.collections.iter().find(|(own, _)| own == name).map(|(_, folder)| folder.as_str())
    }
}

/// Whether a folder with files stands at a path.
pub(super) fn exists(tree: &Tree, folder: &str) -> bool {
    folder.is_empty() || tree.below(folder).next().is_some()
}

/// A path of `ansible.cfg` in the repository; none for one that lies elsewhere.
fn below(folder: &str, path: &str) -> Option<String> {
    let path = path.strip_prefix("{{CWD}}/").or_else(|| path.strip_prefix("{{ CWD }}/")).unwrap_or(path);
    (!path.starts_with(['/', '~', '$'])).then(|| join(folder, path)).flatten()
}

fn collections(documents: &Documents<'_>) -> Vec<(String, String)> {
    const MARK: &str = "ansible_collections/";
    let tree = documents.tree;
    let mut found: Vec<(String, String)> = Vec::new();
    let mut add = |name: String, folder: String| {
        if !found.iter().any(|(known, _)| *known == name) {
            found.push((name, folder));
        }
    };
    for (_, file) in tree.iter() {
        let Some(at) = file.path.find(MARK).filter(|at| *at == 0 || file.path[..*at].ends_with('/')) else { continue };
        let mut parts = file.path[at + MARK.len()..].splitn(3, '/');
        if let (Some(namespace), Some(name), Some(_)) = (parts.next(), parts.next(), parts.next()) {
            let length = at + MARK.len() + namespace.len() + 1 + name.len();
            add(format!("{namespace}.{name}"), file.path[..length].to_owned());
        }
    }
    let manifests = tree.iter().filter(|(_, file)| matches!(file.path.rsplit('/').next(), Some("galaxy.yml")));
    for (id, file) in manifests {
        let yaml = Yaml::parse(tree.text(id));
        let text = |key: &str| yaml.root().and_then(|root| root.get(key)).and_then(Node::as_str).map(str::to_owned);
        if let (Some(namespace), Some(name)) = (text("namespace"), text("name")) {
            add(format!("{namespace}.{name}"), folder(&file.path).to_owned());
        }
    }
    found
}
