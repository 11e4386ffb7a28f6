//! Coding agents: files that grant them something, what to try a permission against, and servers that reach further.

use super::{glob, load};
use serde::Deserialize;
use std::sync::OnceLock;

/// What an agent's file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// What the agent may do.
    Permissions,
    /// What the agent is told.
    Instructions,
    /// Servers that the agent may use.
    Servers,
}

/// A file of an agent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentFile {
    /// Glob of its path.
    pub path: String,
    /// Whose it is.
    pub product: String,
    /// What it is about.
    pub kind: FileKind,
}

/// What would be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Writes {
    /// Control state.
    State,
    /// Infrastructure.
    Infrastructure,
    /// Application data.
    Data,
    /// History in Git.
    Git,
    /// Nothing.
    None,
}

/// How an agent acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// It runs a command.
    Shell,
    /// It writes a file.
    Edit,
}

/// A command or path to try a permission against.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// How the agent would do it.
    pub tool: Tool,
    /// The command, or the path.
    pub text: String,
    /// What that writes.
    pub writes: Writes,
}

/// A kind of MCP server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// A word of its name, package or image.
    pub word: String,
    /// What it can write.
    pub writes: Writes,
    /// Arguments that limit it.
    #[serde(default)]
    pub limits: Vec<String>,
    /// Environment variables that must be set for it to write.
    #[serde(default)]
    pub enables: Vec<String>,
    /// Its tools that write; empty: assume many.
    #[serde(default)]
    pub tools: Vec<String>,
}

/// All that is known of agents.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Agents {
    /// Their files.
    pub files: Vec<AgentFile>,
    /// What to try permissions against.
    pub probes: Vec<Probe>,
    /// Commands that run any other command.
    pub runners: Vec<String>,
    /// Servers, the most specific first.
    pub servers: Vec<Server>,
    /// Flags and variables that make a server read only.
    pub read_only: Vec<String>,
    /// Workflow actions that run an agent.
    pub actions: Vec<String>,
    /// Workflow actions that log in to where state lies.
    pub logins: Vec<String>,
    /// Beginnings of variables that carry credentials for it.
    pub credentials: Vec<String>,
}

/// All that is known of agents.
#[must_use]
pub fn agents() -> &'static Agents {
    static AGENTS: OnceLock<Agents> = OnceLock::new();
    AGENTS.get_or_init(|| load(include_str!(concat!(env!("OUT_DIR"), "/agents.json"))))
}

/// What an agent's file at a repository path is.
#[must_use]
pub fn agent_file(path: &str) -> Option<&'static AgentFile> {
    agents().files.iter().find(|row| glob(&row.path, path))
}

/// What is known of a server, by its name, command, package or image: a word of the text between anything but letters and digits.
#[must_use]
pub fn server(text: &str) -> Option<&'static Server> {
    let text = text.to_ascii_lowercase();
    agents().servers.iter().find(|row| {
        text.match_indices(row.word.as_str()).any(|(at, word)| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_parses_and_answers() {
        let rows: Agents = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/agents.json"))).unwrap();
        assert!(rows.files.len() > 30 && rows.probes.iter().any(|probe| probe.writes == Writes::None));
        assert_eq!(agent_file(".claude/settings.json").map(|row| row.kind), Some(FileKind::Permissions));
        assert_eq!(agent_file("infra/AGENTS.md").map(|row| row.kind), Some(FileKind::Instructions));
        assert!(agent_file("README.md").is_none());
        assert_eq!(server("hashicorp/terraform-mcp-server:0.3").map(|row| row.tools.len()), Some(7));
        assert_eq!(server("@modelcontextprotocol/server-postgres").map(|row| row.writes), Some(Writes::Data));
        assert!(server("laws").is_none());
    }
}
