//! What agents are permitted, told and given.

use crate::estate::Estate;
use crate::estate::agent::{self, Instructions, JobAgent, Permission};
use crate::knowledge::agents::{Shell, Writes};
use crate::model::agents::{Bypass, PermissionFile, Server};
use crate::rule::subject::Row;
use crate::source::file_name;
use crate::subject;
use crate::text::{Loc, Span};
use std::sync::Arc;

/// An entry of a permission file.
pub(super) struct GrantRow<'m> {
    permission: Permission<'m>,
}

subject! {
    /// An entry of an agent's permission file.
    GrantRow<'m> as "agent.grant" (row) {
        /// As written.
        text: Str certain => &row.permission.grant.text;
        /// `shell`, `edit`, `read`, `mcp`, or another tool's own name in lower case.
        tool: Str certain => &row.permission.grant.tool;
        /// What the entry decides.
        decision: Word(&["allow", "ask", "deny"]) certain => row.permission.grant.decision.as_str();
        /// Whether it permits a command that changes state, infrastructure or data, no denial covering it.
        mutates: Bool certain => row.permission.mutation.is_some();
        /// Such a command.
        example: Str => row.permission.mutation.as_ref().map(|it| it.example.clone());
        /// What that command does, a clause in the third person.
        effect: Str => row.permission.mutation.as_ref().map(|it| it.effect.clone());
        /// What that command writes; `history`: that of Git.
        writes: Word(Writes::WORDS) certain => row.permission.mutation.as_ref().map_or(Writes::None, |it| it.writes).as_str();
        /// Whether it permits every command, or a program that runs any, where there is something to lose.
        any_command: Bool certain => row.permission.any_command;
        /// Whether it permits writing state files, no denial covering them.
        writes_state: Bool certain => row.permission.writes_state;
        /// Whether the product's format is known well.
        sure: Bool certain => row.permission.grant.sure;
        /// Whether a hook looks at what is permitted before it happens.
        guarded: Bool certain => row.permission.grant.guarded;
        /// Whether what is permitted happens in a sandbox without network.
        sandboxed: Bool certain => row.permission.grant.sandboxed;
    }
    loc => row.permission.grant.loc;
    label => "this entry".to_owned();
    address => None;
    identity => row.permission.grant.text.clone();
}

/// Rows of `agent.grant`.
pub(super) fn grants<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let rows = agent::permissions(estate).into_iter();
    rows.map(|permission| Arc::new(GrantRow { permission }) as Row<'m>).collect()
}

/// A setting that switches approval off.
pub(super) struct BypassRow<'m> {
    estate: &'m Estate<'m>,
    bypass: Bypass,
}

subject! {
    /// A setting or flag that switches an agent's approval or sandbox off.
    BypassRow<'m> as "agent.bypass" (row) {
        /// As written.
        text: Str certain => row.bypass.text.clone();
        /// The name of the file.
        file: Str certain => file_name(row.estate.documents.tree.path(row.bypass.loc.file));
        /// Whether it surely takes effect, and nothing else holds the agent back.
        sure: Bool certain => row.bypass.sure;
    }
    loc => row.bypass.loc;
    label => "this setting".to_owned();
    address => None;
    identity => row.bypass.text.clone();
}

/// Rows of `agent.bypass`.
pub(super) fn bypasses<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    agent::bypasses(estate).into_iter().map(|bypass| Arc::new(BypassRow { estate, bypass }) as Row<'m>).collect()
}

/// A permission file of a team.
pub(super) struct FileRow<'m> {
    estate: &'m Estate<'m>,
    file: &'m PermissionFile,
    open: Option<bool>,
}

subject! {
    /// A file of permissions, of servers or of instructions of an agent.
    FileRow<'m> as "agent.file" (row) {
        /// Its name.
        name: Str certain => file_name(row.estate.documents.tree.path(row.file.file));
        /// Whose it is.
        product: Str certain => &row.file.known.product;
        /// Whether Git has it.
        tracked: Bool certain => row.estate.documents.tree.file(row.file.file).tracked;
        /// Whether it is meant for one machine alone.
        personal: Bool certain => row.file.known.name == "settings.local.json";
        /// Whether it could deny writing to state files, and does not.
        leaves_state_open: Bool certain => row.open.is_some();
        /// Whether Terraform keeps state in files here.
        local_state: Bool certain => row.open == Some(true);
    }
    loc => Loc { file: row.file.file, span: Span::default() };
    label => "this file".to_owned();
    address => None;
    identity => row.file.known.product.clone();
}

/// Rows of `agent.file`.
pub(super) fn files<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let open = agent::open_files(estate);
    let row = |file: &'m PermissionFile| {
        let open = open.iter().find(|(known, _)| known.file == file.file).map(|(_, local)| *local);
        Arc::new(FileRow { estate, file, open }) as Row<'m>
    };
    estate.agents.files.iter().map(row).collect()
}

/// A server that an agent may call.
pub(super) struct ServerRow<'m> {
    server: &'m Server,
}

subject! {
    /// An MCP server that can write, and that nothing limits to reading.
    ServerRow<'m> as "agent.server" (row) {
        /// Its name.
        name: Str certain => &row.server.name;
        /// What it is known as.
        known: Str certain => row.server.known;
        /// What it can write.
        writes: Word(Writes::WORDS) certain => row.server.writes.as_str();
        /// The tools by which it writes.
        tools: Str => (!row.server.tools.is_empty()).then_some(row.server.tools.as_str());
        /// Whether the product's format is known well.
        sure: Bool certain => row.server.sure;
    }
    loc => row.server.loc;
    label => format!("server {}", row.server.name);
    address => None;
    identity => row.server.name.clone();
}

/// Rows of `agent.server`.
pub(super) fn servers<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    agent::servers(estate).into_iter().map(|server| Arc::new(ServerRow { server }) as Row<'m>).collect()
}

/// An agent in a job.
pub(super) struct JobRow<'m> {
    run: JobAgent<'m>,
}

subject! {
    /// An agent that a job of a pipeline runs.
    JobRow<'m> as "agent.job" (row) {
        /// The job's name.
        job: Str certain => &row.run.job.name;
        /// The agent's name.
        agent: Str certain => row.run.agent.name;
        /// What it may run.
        shell: Word(Shell::WORDS) certain => row.run.agent.shell.as_str();
        /// A command that its tools permit, and that changes something.
        example: Str => row.run.agent.mutation.as_ref().map(|it| it.example.clone());
        /// What that command does.
        effect: Str => row.run.agent.mutation.as_ref().map(|it| it.effect.clone());
        /// Whether the job holds credentials for infrastructure or its state, or runs on a machine of one's own.
        armed: Bool certain => !row.run.credentials.is_empty();
        /// Which.
        credentials: Str => (!row.run.credentials.is_empty()).then(|| row.run.credentials.join(", "));
        /// Whether the job may ask for an identity token that its action does not need itself.
        token: Bool certain => row.run.token();
        /// Whether it may ask for one at all.
        any_token: Bool certain => row.run.job.token;
        /// Whether anyone can tell it what to do.
        open: Bool certain => row.run.open();
        /// Whether the job's token may write to the repository.
        writes_repository: Bool certain => row.run.job.writes;
    }
    loc => row.run.agent.loc;
    label => format!("job {}", row.run.job.name);
    address => None;
    identity => format!("{} {}", row.run.job.name, row.run.agent.name);
}

/// Rows of `agent.job`.
pub(super) fn jobs<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    agent::job_agents(estate).into_iter().map(|run| Arc::new(JobRow { run }) as Row<'m>).collect()
}

/// What agents are told.
pub(super) struct InstructionsRow<'m> {
    estate: &'m Estate<'m>,
    told: Instructions<'m>,
}

subject! {
    /// A file of instructions that agents read first, where Terraform is.
    InstructionsRow<'m> as "agent.instructions" (row) {
        /// Its name.
        name: Str certain => file_name(row.estate.documents.tree.path(row.told.file.file));
        /// Whether it, or one that is read with it, says who writes state.
        rules_state: Bool certain => row.told.rules_state;
    }
    loc => Loc { file: row.told.file.file, span: Span::default() };
    label => "these instructions".to_owned();
    address => None;
    identity => "instructions".to_owned();
}

/// Rows of `agent.instructions`.
pub(super) fn instructions<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let rows = agent::instructions(estate).into_iter();
    rows.map(|told| Arc::new(InstructionsRow { estate, told }) as Row<'m>).collect()
}
