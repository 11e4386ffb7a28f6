//! Intent that lies outside of version control: values that a command names and Git ignores.

use super::Estate;
use crate::model::command::Command;
use crate::model::terraform::Role;
use crate::source::{file_name, folder, join};
use crate::text::Loc;
use crate::value::Value;

/// A variable file that a command gives Terraform, that Git ignores and nobody has an example of.
pub struct IgnoredValues {
    /// The path, as the command means it.
    pub path: String,
    /// The command.
    pub loc: Loc,
    /// Its text.
    pub command: String,
}

/// Every such file, once for each path, at the first command.
#[must_use]
pub fn ignored_values(estate: &Estate<'_>) -> Vec<IgnoredValues> {
    let mut found: Vec<IgnoredValues> = Vec::new();
    for invocation in &estate.invocations {
        let command = &invocation.command;
        if !matches!(&*command.program, "terraform" | "tofu") || command.nested() {
            continue;
        }
        for flag in command.flags.iter().filter(|flag| flag.name.trim_start_matches('-') == "var-file") {
            let Some(name) = flag.value.as_str() else { continue };
            let Some(path) = missing(estate, command, name) else { continue };
            if !found.iter().any(|other| other.path == path) {
                found.push(IgnoredValues {
                    path,
                    loc: command.loc,
                    command: command.text.replace(crate::text::HOLE, "…"),
                });
            }
        }
    }
    found
}

/// The path that a command means by a name, if Git ignores it, no such file is here, and nothing tells what belongs into it.
fn missing(estate: &Estate<'_>, command: &Command, name: &str) -> Option<String> {
    let tree = estate.documents.tree;
    let lower = file_name(name).to_ascii_lowercase();
    // What is secret belongs elsewhere.
    let secret = ["secret", "credential", "password", "token", "private"].iter().any(|word| lower.contains(word));
    if secret || name.starts_with(['/', '~']) || name.contains(['*', '$', '<', '{']) {
        return None;
    }
    let own = folder(tree.path(command.loc.file));
    let moved: Vec<&str> = [command.folder.as_ref(), command.flag("chdir").map(|flag| &flag.value)]
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let bases = ["", own].into_iter().flat_map(|base| {
        let below = moved.iter().filter_map(move |folder| join(base, folder));
        std::iter::once(base.to_owned()).chain(below)
    });
    let applied = |folder: &str| estate.terraform.role(folder).is_some_and(|judged| judged.role == Role::Root);
    let places: Vec<String> = bases.filter(|folder| applied(folder)).filter_map(|folder| join(&folder, name)).collect();
    let there = |path: &String| tree.find(path).is_some();
    let example = |path: &String| {
        let stem = path.trim_end_matches(".tfvars");
        ["example", "sample", "dist", "template", "tpl", "j2", "tmpl"].iter().any(|end| {
            [
                format!("{path}.{end}"),
                format!("{stem}.{end}.tfvars"),
                format!("{stem}-{end}.tfvars"),
                format!("{end}.tfvars"),
            ]
            .iter()
            .any(there)
        }) || tree.find(format!("{}/terraform.tfvars.example", folder(path)).trim_start_matches('/')).is_some()
    };
    let path = places.iter().find(|path| estate.repository.ignores.ignores(path))?;
    // The script or the job may write it before.
    let text = tree.text(command.loc.file);
    let written = text.matches(file_name(name)).count() > text.matches("var-file").count();
    (!places.iter().any(there) && !places.iter().any(example) && !written).then(|| path.clone())
}
