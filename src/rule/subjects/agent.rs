//! What agents are permitted.

use crate::estate::Estate;
use crate::model::agents::{Bypass, Grant};
use crate::rule::subject::Row;
use crate::subject;
use std::sync::Arc;

/// An entry of a permission file.
pub(super) struct GrantRow<'m> {
    grant: &'m Grant,
}

subject! {
    /// An entry of an agent's permission file.
    GrantRow<'m> as "agent.grant" (row) {
        /// As written.
        text: Str certain => &row.grant.text;
        /// `shell`, `edit`, `read`, `mcp`, or another tool's own name in lower case.
        tool: Str certain => &row.grant.tool;
        /// What the entry decides.
        decision: Word(&["allow", "ask", "deny"]) certain => row.grant.decision.as_str();
        /// Whether it permits a command that changes state or infrastructure, no denial covering it.
        mutates: Bool certain => row.grant.mutation.is_some();
        /// Such a command.
        example: Str => row.grant.mutation.map(|(command, _)| command);
        /// What that command does.
        effect: Str => row.grant.mutation.map(|(_, effect)| effect);
        /// Whether it permits every command, or an interpreter that runs any.
        any_command: Bool certain => row.grant.any_command;
        /// Whether it permits writing state files, no denial covering them.
        writes_state: Bool certain => row.grant.writes_state;
    }
    loc => row.grant.loc;
    label => "this entry".to_owned();
    address => None;
    identity => row.grant.text.clone();
}

/// Rows of `agent.grant`.
pub(super) fn grants<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    estate.agents.grants.iter().map(|grant| Arc::new(GrantRow { grant }) as Row<'m>).collect()
}

/// A setting that switches approval off.
pub(super) struct BypassRow<'m> {
    bypass: &'m Bypass,
}

subject! {
    /// A setting that switches an agent's approval or sandbox off.
    BypassRow<'m> as "agent.bypass" (row) {
        /// As written.
        text: Str => &row.bypass.text;
    }
    loc => row.bypass.loc;
    label => "this setting".to_owned();
    address => None;
    identity => row.bypass.text.clone();
}

/// Rows of `agent.bypass`.
pub(super) fn bypasses<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    estate.agents.bypasses.iter().map(|bypass| Arc::new(BypassRow { bypass }) as Row<'m>).collect()
}
