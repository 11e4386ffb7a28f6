//! How the commands of a repository run Ansible: which playbooks, with which inventories, extra variables, limits and tags.

mod extra;
mod place;
mod read;
#[cfg(test)]
mod tests;

use super::Ansible;
use super::inventory::{self, Given, Merged};
use crate::model::command::Command;
use crate::model::load::Documents;
use crate::text::{FileId, Loc};
use crate::value::{Reason, Value};
pub use extra::Extra;
use std::collections::{BTreeMap, BTreeSet};

/// Options after which nothing is run.
pub const LISTING: [&str; 7] =
    ["--syntax-check", "--list-tasks", "--list-hosts", "--list-tags", "--version", "--help", "-h"];
/// A playbook is run in no more ways than this.
const MAX_WAYS: usize = 64;

/// What one `-i`, or what stands for it, names.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file or folder of the repository.
    Path(String),
    /// Hosts that the command lists (`-i host,`).
    Hosts(Vec<Value>),
    /// Something else, with the reason that it is not known.
    Unknown(Reason),
}

/// One way in which a command runs a playbook.
#[derive(Clone, Debug)]
pub struct Invoked {
    /// The playbook.
    pub playbook: FileId,
    /// The playbook that the command names, when that imports this one.
    pub through: Option<FileId>,
    /// The folder that the command stands in.
    pub folder: String,
    /// The inventories, in order; there is always one.
    pub inventories: Vec<Source>,
    /// What `-e` gives, in order: the last one wins.
    pub extra: Vec<Extra>,
    /// `--limit`; `@file` is one of hosts that failed before.
    pub limit: Option<Value>,
    /// `--tags`, one by one as far as they are known.
    pub tags: Vec<Value>,
    /// `--skip-tags`.
    pub skip_tags: Vec<Value>,
    /// Whether nothing is changed (`--check`).
    pub check: bool,
    /// `--start-at-task`.
    pub start_at: Option<Value>,
    /// `--connection`: keywords and variables win over it.
    pub connection: Option<Value>,
    /// `--user`: keywords and variables win over it.
    pub user: Option<Value>,
    /// `--become`.
    pub becomes: bool,
    /// `ANSIBLE_…` variables that are set for it, by name.
    pub environment: Vec<(Box<str>, Value)>,
    /// Why it may be given more than this (`"$@"`).
    pub open: Option<Reason>,
    /// The command.
    pub loc: Loc,
    /// Where the inventory that it names is kept.
    merged: usize,
}

impl Invoked {
    /// What `-e` sets a variable to: unknown when something that cannot be told may set it, none when nothing does.
    #[must_use]
    pub fn extra(&self, name: &str) -> Option<Value> {
        let open = self.open.as_ref().map(|reason| Value::unknown(reason.clone()).at(self.loc));
        open.or_else(|| {
            self.extra.iter().rev().find_map(|extra| match extra {
                Extra::Set { name: own, value, .. } => (own == name).then(|| value.clone()),
                Extra::Open { reason, loc } => Some(Value::unknown(reason.clone()).at(*loc)),
            })
        })
    }
}

/// The commands that run each playbook.
#[derive(Default)]
pub(super) struct Invocations<'a> {
    by_playbook: BTreeMap<FileId, Vec<Invoked>>,
    /// The inventories that they name, each read once.
    inventories: Vec<Merged<'a>>,
}

impl<'a> Invocations<'a> {
    /// The inventories that commands name.
    pub(super) fn all(&self) -> &[Merged<'a>] {
        &self.inventories
    }
}

impl<'a> Ansible<'a> {
    /// The ways in which commands of the repository run a playbook, those of a playbook that imports it included; by command.
    /// Ways in which nothing is run (`--syntax-check`, `--list-tasks`…) are not among them.
    #[must_use]
    pub fn invoked(&self, playbook: FileId) -> &[Invoked] {
        self.invocations.by_playbook.get(&playbook).map_or(&[], Vec::as_slice)
    }

    /// Every playbook that commands run, with the ways.
    pub fn invocations(&self) -> impl Iterator<Item = (FileId, &[Invoked])> {
        self.invocations.by_playbook.iter().map(|(playbook, ways)| (*playbook, ways.as_slice()))
    }

    /// The inventory that a command names; [`Merged::open`] says why there may be more in it.
    #[must_use]
    pub fn inventory_of(&self, invoked: &Invoked) -> Option<&Merged<'a>> {
        self.invocations.inventories.get(invoked.merged)
    }

    /// Where the inventory that a command names is kept.
    pub(super) fn inventory_at(&self, invoked: &Invoked) -> Option<usize> {
        Some(invoked.merged).filter(|at| *at < self.invocations.inventories.len())
    }

    /// An inventory that commands put together.
    pub(super) fn given_inventory(&self, at: usize) -> Option<&Merged<'a>> {
        self.invocations.inventories.get(at)
    }

    /// The playbooks that commands run which are only known when the playbooks are read: those of tasks, provisioners and first
    /// boots, each slice one text.
    #[must_use]
    pub fn run_also<'c>(&self, texts: impl Iterator<Item = &'c [Command]>) -> BTreeSet<FileId> {
        let ways = texts.flat_map(|commands| read::commands(self, commands));
        let named: BTreeSet<FileId> = ways.map(|way| way.playbook).collect();
        self.and_imported(&named)
    }

    /// Playbooks, and all that they import.
    #[must_use]
    pub fn and_imported(&self, playbooks: &BTreeSet<FileId>) -> BTreeSet<FileId> {
        playbooks.iter().flat_map(|playbook| self.with_imported(*playbook)).collect()
    }

    /// Takes in what commands run.
    pub(super) fn take_commands(&mut self, commands: &[Command]) {
        let mut invocations = Invocations::default();
        let mut by_sources: BTreeMap<String, usize> = BTreeMap::new();
        let mut seen: BTreeMap<FileId, BTreeSet<String>> = BTreeMap::new();
        for mut way in read::commands(self, commands) {
            let key = format!("{:?}", way.inventories);
            way.merged = *by_sources.entry(key).or_insert_with(|| {
                invocations.inventories.push(merge(self.documents, &way.inventories, way.loc));
                invocations.inventories.len() - 1
            });
            for playbook in self.with_imported(way.playbook) {
                let through = (playbook != way.playbook).then_some(way.playbook);
                let way = Invoked { playbook, through, ..way.clone() };
                let ways = invocations.by_playbook.entry(playbook).or_default();
                if ways.len() < MAX_WAYS && seen.entry(playbook).or_default().insert(format!("{way:?}")) {
                    ways.push(way);
                }
            }
        }
        for ways in invocations.by_playbook.values_mut() {
            ways.sort_by_key(|way| way.loc);
        }
        self.invocations = invocations;
    }

    /// A playbook and all that it imports, whatever stands between.
    fn with_imported(&self, playbook: FileId) -> Vec<FileId> {
        let mut all = vec![playbook];
        let mut at = 0;
        while let Some(file) = all.get(at).copied() {
            let imports = self.imports.iter().filter(|(_, from)| from.iter().any(|(from, _)| *from == file));
            let imported: BTreeSet<FileId> =
                imports.map(|(file, _)| *file).filter(|file| !all.contains(file)).collect();
            all.extend(imported);
            at += 1;
        }
        all
    }
}

fn merge<'a>(documents: &'a Documents<'a>, sources: &[Source], loc: Loc) -> Merged<'a> {
    let host = |host: &Value| match host.as_str() {
        Some(name) => Given::Host(name.to_owned(), loc),
        None => Given::Open(host.reason().unwrap_or_default(), loc.file),
    };
    let given = sources.iter().flat_map(|source| match source {
        Source::Path(path) => vec![Given::Path(path.clone())],
        Source::Hosts(hosts) => hosts.iter().map(host).collect(),
        Source::Unknown(reason) => vec![Given::Open(reason.clone(), loc.file)],
    });
    inventory::merge_given(documents, &given.collect::<Vec<_>>())
}
