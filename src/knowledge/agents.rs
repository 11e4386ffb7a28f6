//! Coding agents: files that grant them something, what to try a permission against, and what runs them.

use super::load;
use serde::Deserialize;
use std::sync::OnceLock;

/// What an agent's file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// What the agent may do.
    Permissions,
    /// What the agent is told; what it may do can stand before it.
    Instructions,
    /// Servers that the agent may use.
    Servers,
}

/// A file of an agent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentFile {
    /// A folder somewhere above it; empty: anywhere.
    #[serde(default, rename = "in")]
    pub folder: String,
    /// Its name in lower case, or `*` and its end.
    pub name: String,
    /// Whose it is.
    pub product: String,
    /// What it is about.
    pub kind: FileKind,
    /// Whether the format is documented and known well.
    #[serde(default = "yes")]
    pub sure: bool,
}

fn yes() -> bool {
    true
}

/// What would be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Writes {
    /// Control state, and infrastructure through it.
    State,
    /// State as a file.
    Files,
    /// Infrastructure.
    Infrastructure,
    /// Application data.
    Data,
    /// What runs on hosts.
    Hosts,
    /// History in Git.
    History,
    /// Nothing.
    None,
}

impl Writes {
    /// Every word, for cards.
    pub const WORDS: &'static [&'static str] =
        &["state", "files", "infrastructure", "data", "hosts", "history", "none"];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Files => "files",
            Self::Infrastructure => "infrastructure",
            Self::Data => "data",
            Self::Hosts => "hosts",
            Self::History => "history",
            Self::None => "none",
        }
    }
}

/// A command to try a permission against.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The command.
    pub command: String,
    /// What it writes, when the knowledge of commands does not say it.
    pub writes: Option<Writes>,
    /// What it does, when the knowledge of commands does not say it.
    pub effect: Option<String>,
}

/// A kind of MCP server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// A word of its name, package or image.
    pub word: String,
    /// What it can write.
    pub writes: Writes,
    /// Environment variables that must be set for it to write.
    #[serde(default)]
    pub enables: Vec<String>,
    /// Its tools that write; empty: assume many.
    #[serde(default)]
    pub tools: Vec<String>,
}

/// A program that runs an agent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Its name.
    pub program: String,
    /// Whose it is.
    pub agent: String,
    /// One of these words must be there.
    pub runs: Vec<String>,
    /// The flag that permits tools.
    #[serde(default)]
    pub tools: String,
    /// Flags that switch approval or the sandbox off, some with a value.
    pub unasked: Vec<String>,
}

/// What an agent may run in a shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shell {
    /// Commands that change nothing, and no others.
    Reading,
    /// No command.
    None,
    /// Any command, without network.
    Sandboxed,
    /// Any command.
    Any,
    /// A command that changes state or infrastructure is permitted by name.
    Mutating,
}

impl Shell {
    /// Every word, for cards.
    pub const WORDS: &'static [&'static str] = &["reading", "none", "sandboxed", "any", "mutating"];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::None => "none",
            Self::Sandboxed => "sandboxed",
            Self::Any => "any",
            Self::Mutating => "mutating",
        }
    }
}

/// A workflow action that runs an agent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Action {
    /// Its repository.
    pub uses: String,
    /// Whose it is.
    pub agent: String,
    /// What it may run when nothing is said.
    pub shell: Shell,
    /// It asks for an identity token for itself.
    #[serde(default)]
    pub own_token: bool,
    /// Who cannot write to the repository cannot start it.
    #[serde(default)]
    pub checks_author: bool,
}

/// All that is known of agents.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Agents {
    /// Their files.
    pub files: Vec<AgentFile>,
    /// What to try permissions against.
    pub probes: Vec<Probe>,
    /// How programs are called to run anything.
    pub runners: Vec<String>,
    /// State files.
    pub state_paths: Vec<String>,
    /// Servers, the most specific first.
    pub servers: Vec<Server>,
    /// Flags and variables that make a server read only.
    pub read_only: Vec<String>,
    /// Words of the names of tools that change something.
    pub write_verbs: Vec<String>,
    /// Programs that run an agent.
    pub programs: Vec<Program>,
    /// Workflow actions that run an agent.
    pub actions: Vec<Action>,
    /// Workflow actions that log in to where state lies.
    pub logins: Vec<String>,
    /// Beginnings of variables that carry credentials for it.
    pub credentials: Vec<String>,
    /// Events that anyone can cause.
    pub open_events: Vec<String>,
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
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let lower = name.to_ascii_lowercase();
    // A log tells what was, not what to do.
    if lower.ends_with("log.md") {
        return None;
    }
    // The folder is looked for only where the name fits.
    let named = |name: &str| name.strip_prefix('*').map_or(lower == name, |end| lower.ends_with(end));
    let within = |part: &str| part.is_empty() || format!("/{folder}/").contains(&format!("/{part}/"));
    agents().files.iter().find(|row| named(&row.name) && within(&row.folder))
}

/// What is known of a server, by its name, package, image or address: a word of the text between anything but letters and digits.
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

/// Whether the name of a tool says that it changes something: one of its words is such a verb.
#[must_use]
pub fn tool_writes(name: &str) -> bool {
    let verbs = &agents().write_verbs;
    name.contains('*')
        || name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| verbs.contains(&word.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_parses_and_answers() {
        let rows: Agents = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/agents.json"))).unwrap();
        assert!(rows.files.len() > 30 && rows.probes.len() > 30);
        assert_eq!(agent_file(".claude/settings.json").map(|row| row.kind), Some(FileKind::Permissions));
        assert_eq!(agent_file("infra/AGENTS.md").map(|row| row.kind), Some(FileKind::Instructions));
        assert!(agent_file("README.md").is_none() && agent_file("settings.json").is_none());
        assert!(agent_file(".claude/session-log.md").is_none());
        assert_eq!(server("hashicorp/terraform-mcp-server:0.3").map(|row| row.tools.len()), Some(7));
        assert_eq!(server("@modelcontextprotocol/server-postgres").map(|row| row.writes), Some(Writes::None));
        assert_eq!(server("mcp-proxmox").map(|row| row.writes), Some(Writes::Infrastructure));
        assert!(server("laws").is_none());
        assert!(tool_writes("delete_workspace_safely") && !tool_writes("get_state_version"));
    }
}
