//! Runs that make infrastructure again because something of the state is missing or was thrown away, instead of stopping.

use super::Estate;
use crate::knowledge::commands::Class;
use crate::model::command::Command;
use crate::model::kind::Kind;
use regex::Regex;
use std::sync::LazyLock;

/// Why an apply creates again what may exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A test for a state file decides whether it runs.
    StateTest,
    /// The state was deleted before.
    StateRemoved,
    /// The state could not be read, and that stopped nothing.
    StateUnread,
    /// Everything was destroyed because an apply had failed.
    Failed,
    /// Everything was destroyed before.
    Destroyed,
    /// An import before may have failed, and that stopped nothing.
    Import,
}

impl Cause {
    /// The word that cards use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StateTest => "state-test",
            Self::StateRemoved => "state-removed",
            Self::StateUnread => "state-unread",
            Self::Failed => "failed-apply",
            Self::Destroyed => "destroy",
            Self::Import => "failed-import",
        }
    }

    /// The same as a clause.
    #[must_use]
    pub fn clause(self) -> &'static str {
        match self {
            Self::StateTest => "a missing state file lets it run",
            Self::StateRemoved => "the state was deleted before it",
            Self::StateUnread => "the state could not be read, and that stops nothing",
            Self::Failed => "an apply has failed and everything was destroyed",
            Self::Destroyed => "everything was destroyed before it",
            Self::Import => "an import before it may have failed",
        }
    }
}

/// Why a command creates again what may exist; none of what is no apply.
#[must_use]
pub fn cause(estate: &Estate<'_>, at: usize) -> Option<Cause> {
    let own = &estate.invocations.get(at)?.command;
    if !own.does(Class::Apply) || !is_whole_apply(own) {
        return None;
    }
    let before = || {
        let same =
            |other: &&Command| other.scope == own.scope && other.index < own.index || follows(estate, other, own);
        let earlier = estate.invocations[..at].iter().rev().map(|it| &it.command);
        earlier.take_while(|it| it.loc.file == own.loc.file).filter(same)
    };
    let nearly = |it: &Command| it.scope == own.scope && own.index - it.index <= 2;
    let tests = |it: &Command| matches!(&*it.program, "test" | "[" | "[[") && it.text.contains(".tfstate");
    if before().any(|it| nearly(it) && tests(it)) {
        return Some(Cause::StateTest);
    }
    if before().any(|it| it.does(Class::StateRemove) && leads_to(it, own)) {
        return Some(Cause::StateRemoved);
    }
    let pulls = |it: &Command| it.does(Class::StateRead) && it.sub.first().is_some_and(|sub| &**sub == "state");
    if before().any(|it| nearly(it) && pulls(it) && it.tolerated && same_place(it, own)) {
        return Some(Cause::StateUnread);
    }
    // A directory or workspace that is gone to between them makes two places of it.
    let stayed = || before().take_while(|it| !moves(it));
    if let Some(destroy) = stayed().find(|it| is_whole_destroy(it) && leads_to(it, own) && same_place(it, own)) {
        // `apply || destroy && apply`, in brackets or not.
        let text = estate.documents.tree.text(own.loc.file);
        let or =
            |it: &Command| text.get(it.loc.span.end as usize..).is_some_and(|rest| rest.trim_start().starts_with("||"));
        let failed =
            stayed().any(|it| it.scope == own.scope && it.index < destroy.index && is_whole_apply(it) && or(it));
        return Some(if failed { Cause::Failed } else { Cause::Destroyed });
    }
    let imports = |it: &Command| it.tolerated && it.sub.first().is_some_and(|sub| &**sub == "import");
    stayed()
        .any(|it| is_terraform(it) && imports(it) && leads_to(it, own) && same_place(it, own))
        .then_some(Cause::Import)
}

/// Whether one step of a Jenkins pipeline always comes after another: nothing from the stage of the first on asks anything.
fn follows(estate: &Estate<'_>, first: &Command, second: &Command) -> bool {
    static ASKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"\b(?:when|if|else|switch|case|catch|post|parallel|input|params|expression|return)\b").ok()
    });
    let file = first.loc.file;
    let jenkins = file == second.loc.file
        && estate.documents.document(file).is_some_and(|document| document.kind == Kind::Jenkinsfile);
    let text = estate.documents.tree.text(file);
    let (start, end) = (first.loc.span.start as usize, second.loc.span.start as usize);
    if !jenkins || end < start {
        return false;
    }
    let stage = text.get(..start).and_then(|before| before.rfind("stage")).unwrap_or(0);
    text.get(stage..end).is_some_and(|between| ASKS.as_ref().is_some_and(|asks| !asks.is_match(between)))
}

fn is_terraform(command: &Command) -> bool {
    matches!(&*command.program, "terraform" | "tofu" | "opentofu" | "terragrunt")
}

fn runs(command: &Command, step: &str) -> bool {
    is_terraform(command) && command.sub.last().is_some_and(|sub| sub.strip_suffix("-all").unwrap_or(sub) == step)
}

fn is_whole(command: &Command) -> bool {
    ["target", "exclude", "target-file", "exclude-file", "replace", "refresh-only"]
        .iter()
        .all(|it| command.flag(it).is_none())
}

fn is_whole_apply(command: &Command) -> bool {
    runs(command, "apply") && is_whole(command) && command.flag("destroy").is_none()
}

fn is_whole_destroy(command: &Command) -> bool {
    let destroys = runs(command, "destroy") || runs(command, "apply") && command.flag("destroy").is_some();
    destroys && is_whole(command)
}

fn moves(command: &Command) -> bool {
    matches!(&*command.program, "cd" | "pushd" | "popd")
        || is_terraform(command) && command.sub.first().is_some_and(|it| &**it == "workspace")
}

/// Whether two runs are of one configuration, as far as they say.
fn same_place(one: &Command, other: &Command) -> bool {
    let place = |command: &Command| {
        let flags = ["chdir", "working-dir", "terragrunt-working-dir", "state", "var-file"];
        let given = flags.map(|name| command.flag(name).map(|flag| flag.value.display()));
        let folder = command.folder.as_ref().map(crate::value::Value::display);
        (given, folder)
    };
    place(one) == place(other)
}

/// Whether the second runs in every case in which the first does.
fn leads_to(first: &Command, second: &Command) -> bool {
    let same_part = first.function == second.function && first.through == second.through;
    same_part
        && second.guard >= first.guard
        && second.conditions.len() >= first.conditions.len()
        && first.conditions.iter().zip(&second.conditions).all(|(one, other)| one == other)
}
