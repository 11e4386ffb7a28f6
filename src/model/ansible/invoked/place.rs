//! What of the repository a command of Ansible names: playbooks, inventories, files of variables, `ansible.cfg`.

use super::super::Ansible;
use super::super::inventory::{exists, named_by};
use super::Source;
use crate::model::command::path::{self, Bound, Defaults, MAX_FITTING, Place};
use crate::model::kind::Kind;
use crate::model::load::Document;
use crate::source::{folder, join};
use crate::text::FileId;
use crate::value::{Piece, Reason, Value};
use std::collections::BTreeSet;

/// What names may stand for.
pub(super) struct Names<'r, 'a> {
    pub(super) ansible: &'r Ansible<'a>,
    /// Every folder.
    folders: BTreeSet<&'a str>,
    playbooks: Vec<&'a str>,
    /// Inventories, and the folders that they lie in.
    inventories: Vec<&'a str>,
    /// Files that may hold variables.
    variables: Vec<&'a str>,
    configs: Vec<&'a str>,
}

/// A playbook that a command names, and where the command stands.
#[derive(Clone)]
pub(super) struct Start {
    pub(super) playbook: FileId,
    pub(super) place: Place,
    /// The folder outside of the repository that is a copy of its root.
    root: Option<String>,
}

fn around(mut path: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        path = folder(path);
        (!path.is_empty()).then_some(path)
    })
}

/// The text of a path that is wholly known; of one that begins with something unknown, what follows it.
fn known(pieces: &[Piece]) -> Option<(bool, &str)> {
    match pieces {
        [Piece::Lit(text)] => Some((false, text)),
        [Piece::Hole(_), Piece::Lit(text)] if text.starts_with('/') => Some((true, text)),
        _ => None,
    }
}

/// Whether nothing of a path is known: it could be anything.
fn is_open(pieces: &[Piece]) -> bool {
    let says = |piece: &Piece| matches!(piece, Piece::Lit(text) if text.contains(|c| !matches!(c, '/' | '.')));
    pieces.iter().any(|piece| matches!(piece, Piece::Hole(_))) && !pieces.iter().any(says)
}

impl<'r, 'a> Names<'r, 'a> {
    pub(super) fn of(ansible: &'r Ansible<'a>) -> Self {
        let documents = ansible.documents;
        let paths = |kinds: &[Kind]| -> Vec<&'a str> {
            let of_kinds = documents.list.iter().filter(|document| kinds.contains(&document.kind));
            of_kinds.map(|document| documents.tree.path(document.file)).collect()
        };
        let listed = paths(&[Kind::InventoryIni, Kind::InventoryYaml, Kind::InventoryPlugin]);
        let inventories: BTreeSet<&str> =
            listed.iter().flat_map(|path| std::iter::once(*path).chain(around(path))).collect();
        let files: Vec<&str> = documents.tree.iter().map(|(_, file)| &*file.path).collect();
        let variables =
            files.iter().copied().filter(|path| [".yml", ".yaml", ".json"].iter().any(|end| path.ends_with(end)));
        Self {
            ansible,
            folders: std::iter::once("").chain(files.iter().copied().flat_map(around)).collect(),
            playbooks: paths(&[Kind::Playbook]),
            inventories: inventories.into_iter().collect(),
            variables: variables.collect(),
            configs: paths(&[Kind::AnsibleConfig]),
        }
    }

    /// The folders that `cd` and its like lead to.
    pub(super) fn folders(&self, from: &[Place], to: &Value, defaults: &Defaults) -> Vec<Place> {
        // `cd "$DIR"` leads nowhere that is known.
        if path::pieces(to).is_some_and(|pieces| matches!(pieces.as_slice(), [Piece::Hole(_)])) {
            return Vec::new();
        }
        path::folders(&self.folders, &|path| self.ansible.documents.tree.real(path), from, to, defaults)
    }

    /// The playbooks that a word means: from where the command stands, else from where it is written, by the name of a collection,
    /// in a copy of the repository elsewhere, or wherever one of that path lies.
    pub(super) fn playbooks(&self, word: &Value, stand: &Stand<'_>, defaults: &Defaults) -> Vec<Start> {
        let Stand { here, bases, adrift } = *stand;
        let mut found = self.playbooks_from(here, word, defaults);
        for base in bases.iter().filter(|_| word.reason().is_none() || here.is_empty()) {
            if found.is_empty() {
                found = self.playbooks_from(std::slice::from_ref(base), word, defaults);
            }
        }
        if found.is_empty() {
            found = path::possible(word, defaults)
                .iter()
                .filter_map(|pieces| known(pieces))
                .flat_map(|(open, text)| {
                    let stands = here.first().or(bases.first());
                    match self.of_collection(text, stands) {
                        Some(start) => vec![start],
                        None if text.starts_with('/') && !open => self.copied(text),
                        None if adrift || open => self.anywhere(text),
                        None => Vec::new(),
                    }
                })
                .collect();
        }
        if found.len() > MAX_FITTING { Vec::new() } else { found }
    }

    fn playbooks_from(&self, places: &[Place], word: &Value, defaults: &Defaults) -> Vec<Start> {
        let tree = self.ansible.documents.tree;
        let mut found: Vec<Start> = Vec::new();
        for place in places {
            for pieces in path::possible(word, defaults) {
                if let Some((false, text)) = known(&pieces) {
                    let path = join(&place.folder, text).filter(|_| !text.starts_with(['/', '~']));
                    let file = path.and_then(|path| tree.find(&tree.real(&path)));
                    found.extend(file.map(|playbook| Start { playbook, place: place.clone(), root: None }));
                    continue;
                }
                if is_open(&pieces) {
                    continue;
                }
                for (path, bound) in path::fit(&place.folder, &pieces, &place.bound, &self.playbooks) {
                    let place = Place { folder: place.folder.clone(), bound };
                    found.extend(tree.find(&path).map(|playbook| Start { playbook, place, root: None }));
                }
            }
        }
        found
    }

    fn of_collection(&self, text: &str, place: Option<&Place>) -> Option<Start> {
        let place = place.filter(|_| !text.contains('/'))?;
        let playbook = self.ansible.playbook_of_collection(&place.folder, text)?;
        Some(Start { playbook, place: place.clone(), root: None })
    }

    /// `/srv/copy/site.yml`: the longest end of the path that is one of the repository.
    fn copied(&self, text: &str) -> Vec<Start> {
        let Some(path) = join("", text) else { return Vec::new() };
        let starts = std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at + 1));
        let found = starts.into_iter().find_map(|at| {
            let playbook = self.ansible.documents.tree.find(&path[at..])?;
            let root = path[..at].trim_end_matches('/').to_owned();
            let place = Place { folder: String::new(), bound: Bound::new() };
            Some(Start { playbook, place, root: Some(root) })
        });
        found.into_iter().collect()
    }

    /// A command in a folder that is not known: every playbook of that path.
    fn anywhere(&self, text: &str) -> Vec<Start> {
        let Some(end) = join("", text).filter(|end| !end.is_empty() && !text.starts_with("..")) else {
            return Vec::new();
        };
        let fits =
            |path: &&&str| path.strip_suffix(&*end).is_some_and(|before| before.is_empty() || before.ends_with('/'));
        let start = |path: &&str| {
            let before = path.strip_suffix(&*end).unwrap_or("").trim_end_matches('/');
            let place = Place { folder: before.to_owned(), bound: Bound::new() };
            Some(Start { playbook: self.ansible.documents.tree.find(path)?, place, root: None })
        };
        self.playbooks.iter().filter(fits).filter_map(start).collect()
    }

    /// The inventory files and folders that a path means; none for what is not in the repository.
    pub(super) fn inventories(&self, path: &Value, at: &At<'_>) -> Vec<(String, Bound)> {
        self.fitting(path, at, &self.inventories)
    }

    /// The files of variables that a path means; `others` are named beside it, and are not what it leaves open.
    pub(super) fn variables(&self, path: &Value, at: &At<'_>, others: &[String]) -> Vec<(String, Bound)> {
        let named = |path: &str| others.iter().any(|other| path.ends_with(other.trim_start_matches(['.', '/'])));
        let files: Vec<&str> = self.variables.iter().copied().filter(|path| !named(path)).collect();
        self.fitting(path, at, &files)
    }

    fn fitting(&self, path: &Value, at: &At<'_>, all: &[&str]) -> Vec<(String, Bound)> {
        let mut found: Vec<(String, Bound)> = Vec::new();
        for pieces in path::possible(path, at.defaults) {
            let text = known(&pieces).filter(|(open, _)| !open).map(|(_, text)| text);
            if let Some(text) = text {
                let path = if text.starts_with(['/', '~']) {
                    at.start.inside(text)
                } else {
                    join(&at.start.place.folder, text)
                };
                let path = path.filter(|path| exists(self.ansible.documents, path));
                found.extend(path.map(|path| (path, at.bound.clone())));
                continue;
            }
            if is_open(&pieces) {
                continue;
            }
            // What begins with something unknown may begin with the folder of the repository.
            if let Some((true, text)) = known(&pieces) {
                let bases = std::iter::once(&at.start.place).chain(at.bases);
                let mut paths = bases.filter_map(|base| join(&base.folder, text));
                let path = paths.find(|path| exists(self.ansible.documents, path));
                found.extend(path.map(|path| (path, at.bound.clone())));
                continue;
            }
            let open = matches!(pieces.first(), Some(Piece::Hole(_)));
            let bases = std::iter::once(&at.start.place).chain(at.bases.iter().filter(|_| open));
            let fits = bases.map(|base| path::fit(&base.folder, &pieces, at.bound, all));
            let fits = fits.into_iter().find(|fits| !fits.is_empty()).unwrap_or_default();
            found.extend(fits);
        }
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found.dedup_by(|(a, _), (b, _)| a == b);
        if found.len() > MAX_FITTING { Vec::new() } else { found }
    }

    /// The `ansible.cfg` that counts: what `ANSIBLE_CONFIG` names, else the one where the command stands.
    pub(super) fn config(&self, named: Option<&Value>, at: &At<'_>) -> Result<Option<&'a Document>, Reason> {
        let documents = self.ansible.documents;
        let found = match named {
            None => {
                let here = join(&at.start.place.folder, "ansible.cfg");
                return Ok(here.and_then(|path| documents.document(documents.tree.find(&path)?)));
            }
            Some(path) => {
                let folders: Vec<&str> = self.configs.iter().map(|path| folder(path)).collect();
                let file =
                    self.fitting(path, at, &self.configs).into_iter().chain(self.fitting(path, at, &folders)).next();
                file.and_then(|(path, _)| {
                    let inside = join(&path, "ansible.cfg").and_then(|path| documents.tree.find(&path));
                    documents.document(inside.or_else(|| documents.tree.find(&path))?)
                })
            }
        };
        let missing =
            || named.and_then(Value::reason).unwrap_or_else(|| "its `ansible.cfg` is not in the repository".into());
        found.map(Some).ok_or_else(missing)
    }

    /// The inventories of a command that names none itself.
    pub(super) fn configured(&self, config: Result<Option<&'a Document>, Reason>, current: &str) -> Vec<Source> {
        let config = match config {
            Ok(config) => config,
            Err(reason) => return vec![Source::Unknown(reason)],
        };
        let named = config.map(|config| named_by(self.ansible.documents, config, current)).unwrap_or_default();
        if named.is_empty() {
            let reason = "no inventory is named, so that it is the one of the machine where it is run";
            return vec![Source::Unknown(reason.into())];
        }
        let source = |(written, path): (String, Option<String>)| {
            let missing =
                || Source::Unknown(format!("`{written}`, which `ansible.cfg` names, is not in the repository").into());
            path.map_or_else(missing, Source::Path)
        };
        named.into_iter().map(source).collect()
    }
}

impl Start {
    /// The path in the repository of one in its copy.
    fn inside(&self, path: &str) -> Option<String> {
        let path = join("", path)?;
        let root = self.root.as_deref()?;
        let rest = if root.is_empty() { &path } else { path.strip_prefix(root)?.strip_prefix('/')? };
        Some(rest.to_owned())
    }
}

/// Where a command stands.
#[derive(Clone, Copy)]
pub(super) struct Stand<'p> {
    /// The folders that it is said to stand in.
    pub(super) here: &'p [Place],
    /// Where it is written, and above.
    pub(super) bases: &'p [Place],
    /// Whether it may stand anywhere.
    pub(super) adrift: bool,
}

/// Where paths of one way to run a playbook begin.
pub(super) struct At<'p> {
    pub(super) start: &'p Start,
    pub(super) bound: &'p Bound,
    /// Where the command is written.
    pub(super) bases: &'p [Place],
    pub(super) defaults: &'p Defaults,
}
