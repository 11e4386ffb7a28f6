//! Facts that Ansible keeps for later runs: by an `ansible.cfg` or by the environment of a command, and which playbooks that holds for.

use super::Estate;
use crate::model::ansible::{Ansible, Invoked};
use crate::model::kind::Kind;
use crate::source::{folder, join};
use crate::syntax::ini::Ini;
use crate::text::{FileId, Loc};
use crate::value::Value;

/// A cache of facts that outlives the run.
pub struct FactCache {
    /// The plugin that keeps it.
    pub plugin: Value,
    /// Where it is kept: a path or an address; absent when nothing says.
    pub connection: Value,
    /// How long facts live, in seconds; 0 is forever.
    pub timeout: Value,
    /// The folder that a relative path starts from.
    pub folder: String,
    /// Where it is said.
    pub loc: Loc,
    /// The playbook that a command runs with it; none for a setting, which holds for all below its folder.
    pub playbook: Option<FileId>,
}

/// How long facts live when nothing says, in seconds.
const USUAL: f64 = 86400.0;

/// Every cache that is switched on.
#[must_use]
pub fn caches(estate: &Estate<'_>) -> Vec<FactCache> {
    let mut found = Vec::new();
    for document in estate.documents.of(&[Kind::AnsibleConfig]) {
        let Some(ini) = document.ini() else { continue };
        let Some(line) = ini.get("defaults", "fact_caching") else { continue };
        let (timeout, connection) = settings(ini);
        found.push(FactCache {
            plugin: Value::known(line.value.trim()),
            connection,
            timeout,
            folder: folder(estate.documents.tree.path(document.file)).to_owned(),
            loc: Loc { file: document.file, span: line.span },
            playbook: None,
        });
    }
    for (playbook, ways) in estate.ansible.invocations() {
        found.extend(ways.iter().filter_map(|way| of_command(estate, playbook, way)));
    }
    found.retain(persists);
    found
}

fn settings(ini: &Ini) -> (Value, Value) {
    let get = |key: &str| ini.get("defaults", key).map(|line| line.value.trim().to_owned());
    let timeout = get("fact_caching_timeout").map_or(Some(USUAL), |text| text.parse().ok());
    let timeout = timeout.map_or_else(|| Value::unknown("the timeout is no number"), Value::known);
    (timeout, get("fact_caching_connection").map_or_else(Value::absent, |text| Value::known(text.as_str())))
}

/// The cache that the environment of a command switches on; what it leaves open, an `ansible.cfg` above may say.
fn of_command(estate: &Estate<'_>, playbook: FileId, way: &Invoked) -> Option<FactCache> {
    let get = |name: &str| way.environment.iter().rev().find(|(own, _)| **own == *name).map(|(_, value)| value.clone());
    let plugin = get("ANSIBLE_CACHE_PLUGIN")?;
    let beside = nearest(estate, estate.documents.tree.path(playbook)).map(settings);
    let (usual, place) = beside.unwrap_or_else(|| (Value::known(USUAL), Value::absent()));
    let number = |value: Value| {
        let parsed = value.scalar().and_then(|text| text.parse::<f64>().ok());
        parsed.map_or_else(|| Value::unknown("the timeout is not known"), Value::known)
    };
    Some(FactCache {
        plugin,
        connection: get("ANSIBLE_CACHE_PLUGIN_CONNECTION").unwrap_or(place),
        timeout: get("ANSIBLE_CACHE_PLUGIN_TIMEOUT").map_or(usual, number),
        folder: way.folder.clone(),
        loc: way.loc,
        playbook: Some(playbook),
    })
}

/// The `ansible.cfg` nearest above a path.
fn nearest<'m>(estate: &Estate<'m>, path: &str) -> Option<&'m Ini> {
    let above =
        |document: &&crate::model::load::Document| is_below(path, folder(estate.documents.tree.path(document.file)));
    let all = estate.documents.of(&[Kind::AnsibleConfig]).filter(above);
    all.max_by_key(|document| estate.documents.tree.path(document.file).len()).and_then(|document| document.ini())
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Facts in memory are gone with the run.
fn persists(cache: &FactCache) -> bool {
    cache.plugin.as_str().is_none_or(|name| !name.is_empty() && name.rsplit('.').next() != Some("memory"))
}

impl FactCache {
    /// The folder of the repository that it lies in.
    fn path(&self) -> Option<String> {
        let path = self.connection.as_str()?;
        let path = path.strip_prefix("{{CWD}}/").unwrap_or(path);
        let elsewhere = path.is_empty() || path.starts_with(['/', '~', '$', '{']) || path.contains(':');
        if elsewhere { None } else { join(&self.folder, path) }
    }

    /// Whether it lies in the repository where Git takes it in.
    #[must_use]
    pub fn in_git(&self, estate: &Estate<'_>) -> bool {
        let Some(path) = self.path() else { return false };
        let ignored = |path: &str| estate.repository.ignores.ignores(path);
        !ignored(&path) && !ignored(&format!("{path}/x"))
    }

    /// A file of it that Git holds.
    #[must_use]
    pub fn committed(&self, estate: &Estate<'_>) -> Option<String> {
        let path = self.path().filter(|path| !path.is_empty())?;
        let tree = estate.documents.tree;
        let (_, file) = tree.iter().find(|(_, file)| file.tracked && is_below(&file.path, &path))?;
        Some(file.path.to_string())
    }

    /// Whether it holds for a play.
    fn holds(&self, ansible: &Ansible<'_>, play: usize) -> bool {
        let file = ansible.plays[play].file;
        match self.playbook {
            Some(playbook) => playbook == file,
            None => is_below(ansible.documents.tree.path(file), &self.folder),
        }
    }
}

/// The cache in which `set_fact` with `cacheable` keeps what it sets for later runs of the plays that reach it.
#[must_use]
pub fn kept_by(estate: &Estate<'_>, at: usize) -> Option<FactCache> {
    let task = &estate.ansible.tasks[at];
    if task.short() != "set_fact" || estate.ansible.argument(task, "cacheable").as_bool() != Some(true) {
        return None;
    }
    let holds = |cache: &FactCache| task.plays.iter().any(|play| cache.holds(estate.ansible, *play));
    caches(estate).into_iter().find(|cache| cache.plugin.as_str().is_some() && holds(cache))
}
