//! What permissions come to: each entry tried against what must not happen unasked, denials first.

use super::pattern::Pattern;
use super::{Decision, Grant, Mutation};
use crate::knowledge::agents::{self, Writes};
use crate::knowledge::commands::{Class, Row};
use crate::model::command::{self, Command, Guard, Site, Variables};
use crate::text::{FileId, Mapped};
use std::sync::OnceLock;

/// What a call of a class writes; none when an agent may well run it.
#[must_use]
pub fn writes(row: &Row) -> Writes {
    match row.class {
        Class::BackendSwitch if row.severity == crate::diag::Severity::Info => Writes::None,
        Class::StateMutation
        | Class::ForceUnlock
        | Class::StateImport
        | Class::UnattendedApply
        | Class::UnattendedDestroy
        | Class::Apply
        | Class::BackendSwitch
        | Class::StateObjectWrite => Writes::State,
        Class::StateEdit | Class::StateRemove => Writes::Files,
        Class::HypervisorChange | Class::CloudChange => Writes::Infrastructure,
        Class::ContainerDataDelete | Class::ClusterDataDelete | Class::DataDestroy => Writes::Data,
        Class::GuestExecWrite => Writes::Hosts,
        _ => Writes::None,
    }
}

/// The worst that a command does: what writes state before what writes less.
#[must_use]
pub fn mutation(command: &Command) -> Option<Mutation> {
    let order = [Writes::State, Writes::Infrastructure, Writes::Data, Writes::Files, Writes::Hosts];
    let found = order.iter().find_map(|kind| command.rows.iter().find(|row| writes(row) == *kind));
    if let Some(row) = found {
        let (example, effect) = (command.text.clone(), row.effect.to_string());
        return Some(Mutation { example, effect, writes: writes(row) });
    }
    let forced = &*command.program == "git"
        && command.sub.first().is_some_and(|sub| &**sub == "push")
        && (command.flag("force").is_some() || command.flag("f").is_some());
    forced.then(|| Mutation {
        example: command.text.clone(),
        effect: "rewrites history in Git".to_owned(),
        writes: Writes::History,
    })
}

/// The worst that the commands of a line do.
pub(super) fn of_line(line: &str) -> Option<Mutation> {
    let mut found = Vec::new();
    command::commands(&Mapped::verbatim(line, 0), FileId(0), &Site::Script, &Variables::default(), &mut found);
    found.iter().filter(|command| command.guard != Guard::Dry).find_map(mutation)
}

/// Every probe with what it does.
fn probes() -> &'static [Mutation] {
    static PROBES: OnceLock<Vec<Mutation>> = OnceLock::new();
    PROBES.get_or_init(|| {
        let rows = agents::agents().probes.iter();
        rows.filter_map(|probe| {
            let said = probe.writes.zip(probe.effect.as_ref());
            let own = said.map(|(writes, effect)| Mutation {
                example: probe.command.clone(),
                effect: effect.clone(),
                writes,
            });
            own.or_else(|| Some(Mutation { example: probe.command.clone(), ..of_line(&probe.command)? }))
        })
        .collect()
    })
}

/// The entries that go before permissions.
struct Denials<'g>(Vec<&'g Grant>);

impl Denials<'_> {
    fn cover(&self, tool: &str, line: &str) -> bool {
        self.0.iter().any(|grant| {
            let unreadable = matches!(grant.pattern, Some(Pattern::Regex(None)));
            grant.tool == tool && (unreadable || grant.covers(line))
        })
    }
}

/// Tries the permissions of one file.
pub(super) fn judge(grants: &mut [Grant]) {
    let denials = Denials(grants.iter().filter(|grant| grant.decision != Decision::Allow).collect());
    let results: Vec<(Option<Mutation>, bool, bool)> = grants
        .iter()
        .map(|grant| match (grant.decision, &*grant.tool) {
            (Decision::Allow, "shell") => {
                let any = runs_any(grant, &denials);
                (mutates(grant, &denials).filter(|_| !any), any, false)
            }
            (Decision::Allow, "edit") => (None, false, writes_state(grant, &denials)),
            (Decision::Allow, "mcp") => (calls(grant, &denials), false, false),
            _ => (None, false, false),
        })
        .collect();
    for (grant, (mutation, any_command, writes_state)) in grants.iter_mut().zip(results) {
        (grant.mutation, grant.any_command, grant.writes_state) = (mutation, any_command, writes_state);
    }
}

fn mutates(grant: &Grant, denials: &Denials<'_>) -> Option<Mutation> {
    let pattern = grant.pattern.as_ref()?;
    let free = |line: &str| !denials.cover("shell", line);
    let own = pattern.commands().into_iter().filter(|line| free(line));
    let own = own.filter_map(|line| of_line(&line)).find(|it| it.writes != Writes::None);
    let probe = || probes().iter().find(|probe| pattern.covers(&probe.example) && free(&probe.example));
    own.or_else(|| probe().cloned())
}

/// Whether every command may run: by the entry itself, or by a program that runs any.
fn runs_any(grant: &Grant, denials: &Denials<'_>) -> bool {
    // No list names this: an entry that covers it covers everything.
    const UNHEARD_OF: &str = "zz-unheard-of --now";
    let Some(pattern) = &grant.pattern else { return !denials.cover("shell", UNHEARD_OF) };
    let free = |line: &str| !denials.cover("shell", line);
    let runners = agents::agents().runners.iter().map(String::as_str);
    let short = shortened(pattern);
    let covers = |line: &str| pattern.covers(line) || short.covers(line);
    std::iter::once(UNHEARD_OF).chain(runners).any(|line| covers(line) && free(line))
        || matches!(pattern, Pattern::Prefix(prefix) if opens_shell(prefix) && free(prefix))
}

/// The pattern as it holds for runners: `/bin/bash` is `bash`, and a quote that is only opened (`python3 -c "`) holds nothing yet.
fn shortened(pattern: &Pattern) -> Pattern {
    let base = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let line = |text: &str| {
        let text = text.trim_end_matches(['"', '\'', ' ']);
        let (program, rest) = text.split_once(' ').unwrap_or((text, ""));
        format!("{} {rest}", base(program)).trim_end().to_owned()
    };
    match pattern {
        Pattern::Prefix(prefix) => Pattern::Prefix(line(prefix)),
        Pattern::Wildcard(text) => match text.strip_suffix('*') {
            Some(open) if open.ends_with(['"', '\'', ' ']) => Pattern::Wildcard(format!("{} *", line(open))),
            _ => pattern.clone(),
        },
        Pattern::Words(places) => {
            let mut places = places.clone();
            for program in places.first_mut().into_iter().flatten() {
                *program = base(program);
            }
            Pattern::Words(places)
        }
        other => other.clone(),
    }
}

/// `ssh host`, with whatever may follow.
fn opens_shell(prefix: &str) -> bool {
    let mut words = prefix.split_whitespace();
    if words.next() != Some("ssh") {
        return false;
    }
    let (mut operands, mut value) = (0, false);
    for word in words {
        if value {
            value = false;
        } else if word.starts_with('-') {
            value = matches!(word, "-i" | "-p" | "-o" | "-l" | "-F" | "-J");
        } else {
            operands += 1;
        }
    }
    operands <= 1
}

fn writes_state(grant: &Grant, denials: &Denials<'_>) -> bool {
    agents::agents().state_paths.iter().any(|path| grant.covers(path) && !denials.cover("edit", path))
}

/// A tool of a server, or all of them, by `mcp__server__tool`.
fn calls(grant: &Grant, denials: &Denials<'_>) -> Option<Mutation> {
    // Arguments in parentheses narrow nothing that is known here.
    let name = grant.text.split('(').next().unwrap_or(&grant.text);
    let mut parts = name.strip_prefix("mcp__")?.splitn(2, "__");
    let (server, tool) = (parts.next()?, parts.next().unwrap_or("*"));
    let known = agents::server(server).filter(|row| !matches!(row.writes, Writes::None | Writes::Files))?;
    let named = known.tools.iter().any(|it| it == tool);
    let denied = denials
        .0
        .iter()
        .any(|denial| denial.tool == "mcp" && (denial.text == name || denial.text == format!("mcp__{server}")));
    ((named || agents::tool_writes(tool)) && !denied).then(|| Mutation {
        example: if tool == "*" {
            format!("every tool of the MCP server {server}")
        } else {
            format!("{tool} of the MCP server {server}")
        },
        effect: "changes what the server reaches".to_owned(),
        writes: known.writes,
    })
}
