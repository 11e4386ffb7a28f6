//! What Git keeps and leaves out.

use crate::estate::Estate;
use crate::estate::pinning::{self, IgnoredValues};
use crate::estate::root::RootFacts;
use crate::model::git::past::PastState;
use crate::model::git::{StateFile, is_fixture};
use crate::model::kind::state::STATE_CONTENTS;
use crate::model::terraform::Role;
use crate::rule::subject::Row;
use crate::source::ignored::Pattern;
use crate::subject;
use std::sync::Arc;

/// A state or plan file.
pub(super) struct StateFileRow<'m> {
    estate: &'m Estate<'m>,
    state: &'m StateFile,
}

impl StateFileRow<'_> {
    fn path(&self) -> &str {
        self.estate.documents.tree.path(self.state.file)
    }
}

subject! {
    /// A Terraform state or plan file.
    StateFileRow<'m> as "state_file" (row) {
        /// Its path.
        path: Str certain => row.path().to_owned();
        /// What it holds, by its content.
        content: Word(&STATE_CONTENTS) certain => row.state.content.as_str();
        /// Whether Git tracks it.
        tracked: Bool certain => row.estate.documents.tree.file(row.state.file).tracked;
        /// Whether it lies among test data.
        fixture: Bool certain => is_fixture(row.path());
        /// What it holds, in words.
        evidence: Str certain => row.state.evidence();
        /// Whether an ignore file names it, so that somebody added it by force.
        ignored: Bool certain => row.estate.repository.ignores.ignores(row.path());
        /// Whether its lineage is none that Terraform gives.
        made_up: Bool certain => row.state.made_up;
        /// Whether what it notes of a backend has a secret in it.
        secrets: Bool certain => row.state.secrets;
        /// Its serial number, when it can be read.
        serial: Int => row.state.serial.and_then(|serial| i64::try_from(serial).ok());
        /// How many resources it lists.
        resources: Int => row.state.resources;
    }
    loc => row.state.loc;
    label => "this file holds state".to_owned();
    address => None;
    identity => row.path().to_owned();
}

/// Rows of `state_file`.
pub(super) fn state_files<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    estate.repository.states.iter().map(|state| Arc::new(StateFileRow { estate, state }) as Row<'m>).collect()
}

/// A state or plan of earlier commits.
pub(super) struct PastStateRow<'m> {
    estate: &'m Estate<'m>,
    past: &'m PastState,
}

impl PastStateRow<'_> {
    fn path(&self) -> &str {
        self.estate.documents.tree.path(self.past.state.file)
    }
}

subject! {
    /// A state or plan that earlier commits hold and the index no longer has; only with `--history`.
    PastStateRow<'m> as "past_state" (row) {
        /// Its path, as it was.
        path: Str certain => row.path().to_owned();
        /// What its last version holds, by its content.
        content: Word(&STATE_CONTENTS) certain => row.past.state.content.as_str();
        /// What it holds, in words.
        evidence: Str certain => row.past.state.evidence();
        /// Whether it lay among test data.
        fixture: Bool certain => row.past.fixture(row.estate.documents.tree);
        /// Whether its lineage is none that Terraform gives.
        made_up: Bool certain => row.past.state.made_up;
        /// Its serial number, when it can be read.
        serial: Int => row.past.state.serial.and_then(|serial| i64::try_from(serial).ok());
        /// The first commit that brought it, its first digits.
        first_commit: Str certain => row.past.first.id.to_string();
        /// The day of that commit.
        first_date: Str certain => row.past.first.date.to_string();
        /// The last commit that brought a version of it.
        last_commit: Str certain => row.past.last.id.to_string();
        /// The day of that commit.
        last_date: Str certain => row.past.last.date.to_string();
        /// Which commits hold it, in words.
        when: Str certain => row.past.when();
    }
    loc => row.past.state.loc;
    label => "this file".to_owned();
    address => None;
    identity => row.path().to_owned();
}

/// Rows of `past_state`.
pub(super) fn past_states<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    estate.repository.past.iter().map(|past| Arc::new(PastStateRow { estate, past }) as Row<'m>).collect()
}

/// A pattern of an ignore file.
pub(super) struct IgnoreEntryRow<'m> {
    estate: &'m Estate<'m>,
    entry: &'m Pattern,
}

subject! {
    /// A pattern of a `.gitignore`.
    IgnoreEntryRow<'m> as "ignore_entry" (row) {
        /// As written.
        pattern: Str certain => &row.entry.text;
        /// Whether it keeps `.terraform.lock.hcl` out of Git.
        hides_lock_file: Bool certain => row.entry.ignores(".terraform.lock.hcl") && !row.entry.text.starts_with('!');
        /// Whether a root module lies in the pattern's folder or below; a library's lock files are its users'.
        root_here: Bool certain => row.estate.terraform.tops().any(|instance| {
            let below = instance.module.folder.strip_prefix(row.entry.folder.as_str());
            let root = RootFacts { estate: row.estate, instance };
            // A later pattern may take the file in again, and somebody may have added it by force.
            instance.role == Role::Root
                && root.lock_ignored()
                && root.evident()
                && (row.entry.folder.is_empty() || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
        });
    }
    loc => row.entry.loc;
    label => "this pattern".to_owned();
    address => None;
    identity => format!("{}/{}", row.entry.folder, row.entry.text);
}

/// Rows of `ignore_entry`.
pub(super) fn ignore_entries<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    estate.repository.patterns.iter().map(|entry| Arc::new(IgnoreEntryRow { estate, entry }) as Row<'m>).collect()
}

/// A variable file that Git ignores though commands name it.
pub(super) struct IgnoredValuesRow<'m> {
    estate: &'m Estate<'m>,
    values: IgnoredValues,
}

subject! {
    /// A variable file that a command gives Terraform, that Git ignores and nobody has an example of.
    IgnoredValuesRow<'m> as "ignored_values" (row) {
        /// Its path.
        path: Str certain => row.values.path.clone();
        /// The command.
        command: Str certain => row.values.command.clone();
        /// Whether the command stands among tests.
        in_tests: Bool certain => is_fixture(row.estate.documents.tree.path(row.values.loc.file));
    }
    loc => row.values.loc;
    label => "this command".to_owned();
    address => None;
    identity => row.values.path.clone();
}

/// Rows of `ignored_values`.
pub(super) fn ignored_values<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let all = pinning::ignored_values(estate).into_iter();
    all.map(|values| Arc::new(IgnoredValuesRow { estate, values }) as Row<'m>).collect()
}
