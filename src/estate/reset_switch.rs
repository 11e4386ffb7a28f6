//! Variables that let tasks destroy data: what they are when nobody sets them.

use super::Estate;
use super::task::TaskFacts;
use crate::knowledge::commands::Class;
use crate::model::load::scalar;
use crate::syntax::jinja;
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc};
use crate::value::Value;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// A variable on which a destructive task hangs, and one value that it has.
pub struct ResetSwitch {
    /// Its name.
    pub name: String,
    /// The value.
    pub value: Value,
    /// The task runs when it is off (`when: not keep_data`).
    pub inverted: bool,
    /// Where the value stands.
    pub loc: Loc,
    /// The task, by index.
    pub task: usize,
}

/// Words of the names of switches that destroy, or that keep from it.
const WORDS: [&str; 17] = [
    "reset",
    "wipe",
    "purge",
    "destroy",
    "recreate",
    "reinit",
    "reinitialize",
    "delete",
    "drop",
    "erase",
    "cleanup",
    "clean",
    "format",
    "zap",
    "keep",
    "preserve",
    "retain",
];

/// A default that a condition gives a variable.
static GIVEN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\b(\w+)\s*\|\s*default\(\s*["']?(\w+)["']?\s*(?:,\s*\w+\s*)?\)"#).ok());

fn is_switch(name: &str) -> bool {
    name.split('_').any(|part| WORDS.contains(&part))
}

/// Every switch of a destructive task with each of its values, in the order of the tasks.
#[must_use]
pub fn reset_switches<'m>(estate: &'m Estate<'m>) -> Vec<ResetSwitch> {
    let ansible = estate.ansible;
    let values = committed(estate);
    let mut found = Vec::new();
    for (at, task) in ansible.tasks.iter().enumerate() {
        let conditions = ansible.conditions(task);
        let texts: Vec<(FileId, Node<'_>, &str)> =
            conditions.into_iter().filter_map(|(file, node)| Some((file, node, node.as_str()?))).collect();
        let hangs = |text: &str| WORDS.iter().any(|word| text.contains(word));
        if !texts.iter().any(|(_, _, text)| hangs(text)) || !destroys(estate, at) {
            continue;
        }
        for (file, node, text) in texts.into_iter().filter(|(_, _, text)| hangs(text)) {
            let Ok(expr) = jinja::expression(text) else { continue };
            let names: BTreeSet<&str> = jinja::names(&expr).into_iter().filter(|name| is_switch(name)).collect();
            for name in names {
                let inverted = is_inverted(text, name);
                let switch = |value: Value, loc| ResetSwitch { name: name.to_owned(), value, inverted, loc, task: at };
                let given = values.get(name);
                for (file, key, value) in given.into_iter().flatten() {
                    let loc = Loc { file: *file, span: key.span().to(value.span()) };
                    found.push(switch(Value::known(scalar(*value)).at(loc), loc));
                }
                if given.is_none()
                    && let Some(value) = default_of(text, name)
                {
                    found.push(switch(Value::known(value), Loc { file, span: node.span() }));
                }
            }
        }
    }
    found
}

/// Every committed value of a variable of such a name: of roles, groups and hosts, plays.
fn committed<'m>(estate: &'m Estate<'m>) -> BTreeMap<&'m str, Vec<(FileId, Node<'m>, Node<'m>)>> {
    let ansible = estate.ansible;
    let roles = ansible.roles.iter().flat_map(|role| role.defaults.iter().chain(&role.vars).copied());
    let hosts = ansible.host_variables.iter().map(|variables| (variables.file, variables.node));
    let plays = ansible.plays.iter().filter_map(|play| Some((play.file, play.node.get("vars")?)));
    let mut values: BTreeMap<&str, Vec<(FileId, Node<'m>, Node<'m>)>> = BTreeMap::new();
    for (file, node) in roles.chain(hosts).chain(plays) {
        for (key, value) in node.entries() {
            if let Some(name) = key.as_str().filter(|name| is_switch(name)) {
                values.entry(name).or_default().push((file, key, value));
            }
        }
    }
    values
}

fn destroys<'m>(estate: &'m Estate<'m>, at: usize) -> bool {
    let facts = TaskFacts { estate, task: &estate.ansible.tasks[at], at };
    let by_command = |row: &crate::knowledge::commands::Row| {
        row.data_loss || matches!(row.class, Class::DataDestroy | Class::ContainerDataDelete | Class::ClusterDataDelete)
    };
    facts.destroyed().is_some()
        || estate.invocations_of(at).any(|command| command.rows.iter().any(|row| by_command(row)))
            && !super::task::runs_nowhere(estate.ansible, at)
}

/// Whether a condition asks that a variable be off.
fn is_inverted(text: &str, name: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, after) = (rest[..at].trim_end_matches(['(', ' ']), rest[at + name.len()..].trim_start());
        let after = after.strip_prefix("| bool").unwrap_or(after).trim_start();
        let off = ["== false", "== False", "is false", "!= true", "is not true"].iter().any(|it| after.starts_with(it));
        if before.ends_with("not") && !before.ends_with("is not") || off {
            return true;
        }
        rest = &rest[at + name.len()..];
    }
    false
}

/// What a condition takes a variable to be when nothing sets it.
fn default_of(text: &str, name: &str) -> Option<bool> {
    let found = GIVEN.as_ref()?.captures_iter(text).find(|it| it.get(1).is_some_and(|own| own.as_str() == name))?;
    match &*found.get(2)?.as_str().to_lowercase() {
        "true" | "yes" => Some(true),
        "false" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_that_ask_for_the_opposite() {
        for (text, inverted) in [
            ("reset_db | bool", false),
            ("not keep_data", true),
            ("x is defined and not (keep_data | bool)", true),
            ("keep_data == false", true),
            ("keep_data | bool == false", true),
            ("keep_data is not defined", false),
        ] {
            let name = if text.contains("reset_db") { "reset_db" } else { "keep_data" };
            assert_eq!(is_inverted(text, name), inverted, "{text}");
        }
    }

    #[test]
    fn defaults_in_conditions() {
        assert_eq!(default_of("wipe_disks | default(true) | bool", "wipe_disks"), Some(true));
        assert_eq!(default_of("wipe_disks | default('no', true)", "wipe_disks"), Some(false));
        assert_eq!(default_of("wipe_disks | default(other)", "wipe_disks"), None);
        assert_eq!(default_of("wipe_disks | bool", "wipe_disks"), None);
    }
}
