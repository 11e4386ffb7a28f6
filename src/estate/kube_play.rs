//! Pods that Podman makes of manifests on a host: by `podman_play`, and by `podman kube play` in the command of a task.

use super::Estate;
use super::cluster::{self, Object};
use super::container::{self, Container, Declared, MountKind, Setting};
use crate::model::ansible::{Rendered, Task, Turn};
use crate::model::command::Command;
use crate::source::{file_name, folder};
use crate::text::Mapped;
use crate::value::Value;
use std::collections::BTreeSet;

/// Manifests of one task that are looked at.
const MAX_FILES: usize = 32;

/// The containers of the pods that a task plays.
pub(super) fn containers<'m>(estate: &Estate<'m>, task: &Task<'m>, setting: &Setting<'_>) -> Vec<Container> {
    let of_turn = |turn: &Turn<'_, '_, 'm>| -> Vec<Object> {
        if turn.argument("state").as_str() == Some("absent") {
            return Vec::new();
        }
        let content = turn.argument("kube_file_content");
        if !content.is_absent() {
            return match turn.render_argument("kube_file_content") {
                Some(text) => cluster::of_text(&text, setting.in_tests),
                None => cluster::of_value(&content, task.loc, setting.in_tests),
            };
        }
        let file = turn.argument("kube_file");
        file.as_str().map(|path| manifest(estate, task, path, setting)).unwrap_or_default()
    };
    let objects = estate.ansible.in_turns(task, of_turn);
    pods(&objects.into_iter().flatten().collect::<Vec<_>>(), setting)
}

/// The containers of the pods that commands of a task play.
pub(super) fn by_commands(estate: &Estate<'_>, at: usize, setting: &Setting<'_>) -> Vec<Container> {
    let task = &estate.ansible.tasks[at];
    let plays = |command: &&Command| {
        let sub: Vec<&str> = command.sub.iter().map(|sub| &**sub).collect();
        // The older order of the words is `play kube`.
        let older = sub == ["play"] && command.operands.first().is_some_and(|word| word.as_str() == Some("kube"));
        let down = command.flags.iter().any(|flag| &*flag.name == "--down");
        &*command.program == "podman" && (sub == ["kube", "play"] || older) && !down
    };
    let paths: BTreeSet<String> = estate
        .invocations_of(at)
        .filter(plays)
        .flat_map(|command| &command.operands)
        .filter_map(Value::scalar)
        .map(|path| path.to_string())
        .collect();
    let objects: Vec<Object> = paths.iter().flat_map(|path| manifest(estate, task, path, setting)).collect();
    pods(&objects, setting)
}

/// What is a claim in a cluster is a volume of that name here.
fn pods(objects: &[Object], setting: &Setting<'_>) -> Vec<Container> {
    let mut found: Vec<Container> = objects.iter().flat_map(|object| container::of_object(object, setting)).collect();
    for own in &mut found {
        own.declared = Declared::Ansible;
        for mount in own.mounts.iter_mut().filter(|mount| mount.kind == MountKind::Claim) {
            mount.kind = MountKind::Named;
        }
    }
    found
}

/// The objects of a manifest that lies in the repository, or that a task of the same play has put on the host.
fn manifest<'m>(estate: &Estate<'m>, task: &Task<'m>, path: &str, setting: &Setting<'_>) -> Vec<Object> {
    let ansible = estate.ansible;
    let verbatim = |file| Rendered::verbatim(Mapped::verbatim(estate.documents.tree.text(file), 0), file);
    if let Some(file) = ansible.applied_from(task, path, false) {
        return cluster::of_text(&verbatim(file), setting.in_tests);
    }
    let writers = ansible.tasks.iter().filter(|writer| {
        matches!(writer.short(), "copy" | "template") && writer.plays.iter().any(|play| task.plays.contains(play))
    });
    for writer in writers {
        let of_turn = |turn: &Turn<'_, '_, 'm>| -> Option<Rendered> {
            let dest = turn.argument("dest");
            let source = turn.argument("src");
            let (dest, source) = (dest.as_str()?, source.as_str().unwrap_or(""));
            let into = dest.trim_end_matches('/') == folder(path) && file_name(source) == file_name(path);
            if dest != path && !into {
                return None;
            }
            if !turn.argument("content").is_absent() {
                return turn.render_argument("content");
            }
            let template = writer.short() == "template";
            let file = ansible.applied_from(writer, source, template)?;
            Some(if template { turn.render_file(file) } else { verbatim(file) })
        };
        let texts = ansible.in_turns(writer, of_turn).into_iter().flatten().take(MAX_FILES);
        let found: Vec<Object> = texts.flat_map(|text| cluster::of_text(&text, setting.in_tests)).collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}
