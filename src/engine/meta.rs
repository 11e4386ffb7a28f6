//! The linter's own tables: files that could not be read, suppression comments, exceptions of the configuration.

use super::suppress::Comment;
use crate::config::{Config, Suppression};
use crate::model::load::{Documents, Problem};
use crate::rule::subject::{Row, Schema};
use crate::subject;
use std::sync::Arc;

/// A place in a file that could not be read.
pub struct ProblemRow<'m> {
    problem: &'m Problem,
    path: &'m str,
}

subject! {
    /// A file, or a place in it, that its own tool could not read.
    ProblemRow<'m> as "problem" (row) {
        /// What the file is.
        kind: Str certain => row.problem.kind.label().trim_end_matches('s').to_lowercase();
        /// What is wrong.
        message: Str certain => &row.problem.message;
    }
    loc => row.problem.loc;
    label => "this file".to_owned();
    address => None;
    identity => format!("{} {}", row.path, row.problem.message);
}

/// Rows of `problem`.
pub(super) fn problems<'m>(documents: &'m Documents<'m>) -> Vec<Row<'m>> {
    let row = |problem: &'m Problem| ProblemRow { problem, path: documents.tree.path(problem.loc.file) };
    documents.problems.iter().map(|problem| Arc::new(row(problem)) as Row<'m>).collect()
}

/// A suppression comment, once for each rule that it names.
pub struct SuppressionRow<'m> {
    comment: &'m Comment<'m>,
    known: bool,
}

subject! {
    /// A suppression comment, once for each rule that it names.
    SuppressionRow<'m> as "suppression" (row) {
        /// The rule; empty when it names none.
        rule: Str certain => row.comment.rule;
        /// The reason.
        reason: Str => row.comment.reason;
        /// The last day.
        until: Str => row.comment.until;
        /// Whether that day is over.
        expired: Bool certain => row.comment.expired;
        /// Whether there is such a rule.
        known_rule: Bool certain => row.known;
        /// Whether any finding fell under it.
        used: Bool certain => row.comment.used;
        /// Whether it names a rule and a reason.
        complete: Bool certain => row.comment.complete();
    }
    loc => row.comment.remark.loc;
    label => "this comment".to_owned();
    address => None;
    identity => row.comment.rule.to_owned();
}

/// Rows of `suppression`.
pub(super) fn suppressions<'m>(comments: &'m [Comment<'m>], known: impl Fn(&str) -> bool) -> Vec<Row<'m>> {
    let row = |comment: &'m Comment<'m>| SuppressionRow { comment, known: known(comment.rule) };
    comments.iter().map(|comment| Arc::new(row(comment)) as Row<'m>).collect()
}

/// An exception of the configuration.
pub struct ExceptionRow<'m> {
    exception: &'m Suppression,
    expired: bool,
}

subject! {
    /// An entry under `suppress:` of a configuration.
    ExceptionRow<'m> as "config_exception" (row) {
        /// The rule.
        rule: Str certain => &row.exception.rule;
        /// The reason.
        reason: Str => row.exception.reason.clone();
        /// The last day.
        until: Str => row.exception.until.clone();
        /// Whether that day is over.
        expired: Bool certain => row.expired;
    }
    loc => row.exception.loc;
    label => "this exception".to_owned();
    address => None;
    identity => row.exception.rule.clone();
}

/// Rows of `config_exception`.
pub(super) fn exceptions<'m>(config: &'m Config, today: &str) -> Vec<Row<'m>> {
    let all = config.layers.iter().flat_map(|layer| &layer.suppress);
    let expired = |exception: &Suppression| exception.until.as_deref().is_some_and(|until| until < today);
    all.map(|exception| Arc::new(ExceptionRow { exception, expired: expired(exception) }) as Row<'m>).collect()
}

/// Every table that cards may speak of.
#[must_use]
pub fn catalog() -> Vec<&'static Schema> {
    let mut schemas: Vec<&'static Schema> =
        crate::rule::subjects::TABLES.iter().map(|table| (table.schema)()).collect();
    schemas.extend([ProblemRow::schema(), SuppressionRow::schema(), ExceptionRow::schema()]);
    schemas
}
