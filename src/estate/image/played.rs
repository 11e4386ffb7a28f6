//! What the playbooks of a build do to the guest.

use super::deed::{self, Content, Deed, Does, Trace, host_name};
use super::shipped;
use super::step::last_word;
use crate::estate::Estate;
use crate::model::ansible::{Task, Turn};
use crate::model::packer::Provisioner;
use crate::text::{FileId, Loc};
use crate::value::{Reason, Value};
use std::collections::BTreeSet;

/// Adds what the tasks of a playbook do, and their texts; why it may do more.
pub(super) fn play(
    estate: &Estate<'_>,
    step: &Provisioner,
    playbook: FileId,
    deeds: &mut Vec<Deed>,
    texts: &mut String,
) -> Option<Reason> {
    let ansible = estate.ansible;
    let mut runs = ansible.runs(playbook);
    runs.retain(|run| step.plays_on(&ansible.plays[run.play].pattern));
    let plays: BTreeSet<usize> = runs.iter().map(|run| run.play).collect();
    let mut order: Vec<usize> = runs.iter().flat_map(|run| run.steps.iter().filter_map(|step| step.task)).collect();
    let reached = |task: &Task<'_>| task.plays.iter().any(|play| plays.contains(play));
    let listed: BTreeSet<usize> = order.iter().copied().collect();
    order.extend((0..ansible.tasks.len()).filter(|at| !listed.contains(at) && reached(&ansible.tasks[*at])));
    let mut own = Vec::new();
    for at in order {
        let task = &ansible.tasks[at];
        if !ansible.never(task) {
            // What production's plays reach too is theirs: only what is taken away counts for the image.
            let shared = task.plays.iter().any(|play| !plays.contains(play));
            of_task(estate, at, task, shared, &mut own);
            texts.push_str(task.node.span().slice(estate.documents.tree.text(task.file)));
            texts.push('\n');
        }
    }
    // Handlers and dynamic includes run in an order of their own: within one playbook a cleanup counts as the last word.
    last_word(&mut own);
    deeds.append(&mut own);
    open(estate, &plays)
}

/// Roles and files that are not here.
fn open(estate: &Estate<'_>, plays: &BTreeSet<usize>) -> Option<Reason> {
    let ansible = estate.ansible;
    let missing = plays.iter().flat_map(|play| &ansible.plays[*play].roles).find(|role| role.role.is_none());
    if let Some(role) = missing {
        return Some(format!("the role {} is not in this repository", role.name).into());
    }
    let lost =
        ansible.lost.iter().find(|lost| ansible.tasks[lost.task].plays.iter().any(|play| plays.contains(play)))?;
    Some(format!("tasks are included that are not known: {}", lost.why).into())
}

fn of_task<'m>(estate: &Estate<'m>, at: usize, task: &Task<'m>, shared: bool, deeds: &mut Vec<Deed>) {
    let first = deeds.len();
    for command in estate.invocations_of(at) {
        deed::of_command(command, false, deeds);
    }
    let loc = Loc { file: task.file, span: task.loc.span };
    let turns = estate.ansible.in_turns(task, |turn| of_turn(estate, task, turn, loc));
    deeds.extend(turns.into_iter().flatten());
    if shared {
        let kept = deeds.split_off(first).into_iter().filter(|deed| !matches!(deed.does, Does::Bakes(..)));
        deeds.extend(kept.collect::<Vec<_>>());
    }
}

fn of_turn(estate: &Estate<'_>, task: &Task<'_>, turn: &Turn<'_, '_, '_>, loc: Loc) -> Vec<Deed> {
    let text = |names: &[&str]| {
        let value = names.iter().map(|name| turn.argument(name)).find(|value| !value.is_absent());
        value.unwrap_or_else(Value::absent)
    };
    let gone = turn.argument("state").as_str() == Some("absent");
    let shown = |what: &str, about: &str| format!("{}: {what}={about}", task.written);
    let name = text(&["name", "user"]);
    let name = name.as_str().unwrap_or("");
    let deed = |does: Does, text: String| Deed { does, text: text.into(), loc, conditional: false };
    match task.short() {
        "user" if gone => vec![deed(Does::Removes(Content::User, name.into()), shown("name", name))],
        "user" => of_user(turn, name)
            .map(|what| Deed::baking(what, Some(name), shown("name", name), loc))
            .into_iter()
            .collect(),
        "authorized_key" if !gone => vec![Deed::baking(Content::Key, None, shown("user", name), loc)],
        "hostname" => host_name(name).map(|does| deed(does, shown("name", name))).into_iter().collect(),
        "postgresql_db" | "mysql_db" if matches!(turn.argument("state").as_str(), Some("restore" | "import")) => {
            vec![Deed::baking(Content::Data, None, shown("name", name), loc)]
        }
        "reboot" => vec![deed(Does::Remakes(Trace::MachineId), "reboot".to_owned())],
        "file" | "copy" | "template" | "lineinfile" | "replace" => {
            let path = text(&["path", "dest", "name"]);
            path.as_str().map_or_else(Vec::new, |path| of_file(estate, task, turn, path, loc))
        }
        _ => Vec::new(),
    }
}

/// What `user` puts into the image: an account that may log in, or the password of one.
fn of_user(turn: &Turn<'_, '_, '_>, name: &str) -> Option<Content> {
    let shell = turn.argument("shell");
    let system = turn.argument("system").as_bool() == Some(true)
        || shell.as_str().is_some_and(|shell| shell.ends_with("nologin") || shell.ends_with("/false"))
        || turn.argument("create_home").as_bool() == Some(false)
        || turn.argument("uid").as_number().is_some_and(|uid| uid < 1000.0);
    if name == "root" || name.is_empty() {
        let password = turn.argument("password");
        return password.as_str().is_some_and(|it| !matches!(it, "*" | "!" | "")).then_some(Content::Password);
    }
    (!system).then_some(Content::User)
}

fn of_file(estate: &Estate<'_>, task: &Task<'_>, turn: &Turn<'_, '_, '_>, path: &str, loc: Loc) -> Vec<Deed> {
    let short = task.short();
    let state = turn.argument("state");
    let gone = state.as_str() == Some("absent") && short == "file";
    let text: Box<str> = format!("{}: {path}", task.written).into();
    let deed = |does: Does| Deed { does, text: text.clone(), loc, conditional: false };
    let mut found = Vec::new();
    // Whatever is written over it: the build's own is gone.
    let writes = gone || matches!(short, "copy" | "template") || state.as_str() == Some("link");
    if writes && path.ends_with("machine-id") {
        found.push(deed(Does::Seals(Trace::MachineId)));
    }
    if writes && (path.contains("ssh_host_") || path.contains("/var/lib/cloud")) {
        found.push(deed(Does::Seals(Trace::HostKeys)));
    }
    if gone {
        found.push(deed(Does::RemovesPath(path.into())));
    } else if matches!(short, "copy" | "template" | "lineinfile") {
        let source = turn.argument("src");
        let shipped = source
            .as_str()
            .filter(|_| turn.argument("remote_src").as_bool() != Some(true))
            .and_then(|source| shipped::judge(estate.documents.tree, source, path, &|_| true));
        if let Some(shipped) = shipped {
            found.push(deed(Does::Bakes(shipped.what, Some(path.into()), Some(shipped.evidence.into()))));
        } else if path.contains("/etc/sudoers") && state.as_str() != Some("absent") {
            found.push(deed(Does::Bakes(Content::Privilege, Some(path.into()), None)));
        } else if path.contains("authorized_keys") {
            found.push(deed(Does::Bakes(Content::Key, Some(path.into()), None)));
        }
    }
    found
}
