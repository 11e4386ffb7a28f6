//! What agents are permitted to do, by the permission files of the products that run them.

mod claude;
mod codex;
mod editor;
mod gemini;
mod judge;
mod pattern;
mod server;
mod workflow;

use super::kind::Kind;
use super::load::{Document, Documents};
use crate::knowledge::agents::{AgentFile, FileKind, Writes, agent_file};
use crate::syntax::yaml::{Node, Scalar, Yaml};
use crate::text::{FileId, Loc};
pub use claude::{cli, words};
pub use judge::{mutation, writes};
pub use pattern::Pattern;
pub use server::Server;
pub use workflow::{Agent, Job, Step};

/// One entry of a permission file.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Where the entry stands.
    pub loc: Loc,
    /// As written.
    pub text: String,
    /// `shell`, `edit`, `read`, `mcp`, or another tool's own name in lower case.
    pub tool: String,
    /// What of the tool: a command or path pattern; `None`: all of it.
    pub pattern: Option<Pattern>,
    /// What the entry decides.
    pub decision: Decision,
    /// Whether the product's format is known well.
    pub sure: bool,
    /// A hook looks at what is permitted before it happens.
    pub guarded: bool,
    /// What is permitted happens in a sandbox without network.
    pub sandboxed: bool,
    /// What the permitted commands could do, when no denial covers it.
    pub mutation: Option<Mutation>,
    /// Whether every command (or a program that runs any) is permitted.
    pub any_command: bool,
    /// Whether it permits writing to state files, no denial covering them.
    pub writes_state: bool,
}

impl Grant {
    /// Whether a command line or path falls under the entry.
    #[must_use]
    pub fn covers(&self, line: &str) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.covers(line))
    }
}

/// What a permission comes to.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// A command that is permitted.
    pub example: String,
    /// What it does, a clause in the third person.
    pub effect: String,
    /// What that writes.
    pub writes: Writes,
}

/// What an entry decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Without asking.
    Allow,
    /// A person is asked.
    Ask,
    /// Never.
    Deny,
}

impl Decision {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

/// A setting that switches approval or sandbox off.
#[derive(Clone, Debug)]
pub struct Bypass {
    /// Where.
    pub loc: Loc,
    /// `key = value`, for messages.
    pub text: String,
    /// Whether it surely takes effect, and leaves nothing that holds the agent back.
    pub sure: bool,
}

/// A file of an agent.
#[derive(Debug)]
pub struct PermissionFile {
    /// The file.
    pub file: FileId,
    /// What is known of it.
    pub known: &'static AgentFile,
    /// Whether paths can be denied in it, and it says something of permissions.
    pub denies_paths: bool,
    /// Whether writing to state files is denied.
    pub denies_state: bool,
}

/// Everything that agents are permitted.
#[derive(Debug, Default)]
pub struct Agents {
    /// Every file, in path order.
    pub files: Vec<PermissionFile>,
    /// Every entry of every file.
    pub grants: Vec<Grant>,
    /// Every bypass.
    pub bypasses: Vec<Bypass>,
    /// Every MCP server.
    pub servers: Vec<Server>,
    /// Every job of a pipeline, with what it gives to agents.
    pub jobs: Vec<Job>,
}

impl Agents {
    /// Reads every permission file and every pipeline.
    #[must_use]
    pub fn read(documents: &Documents<'_>) -> Self {
        let mut agents = Self::default();
        for document in documents.of(&[Kind::AgentSettings, Kind::AgentInstructions]) {
            let Some(known) = agent_file(documents.tree.path(document.file)) else { continue };
            agents.read_file(documents, document, known);
        }
        for document in documents.of(&[Kind::Workflow]) {
            agents.jobs.extend(workflow::jobs(documents, document));
        }
        agents
    }

    fn read_file(&mut self, documents: &Documents<'_>, document: &Document, known: &'static AgentFile) {
        let text = documents.tree.text(document.file);
        let first = self.grants.len();
        let mut reader = Reader { file: document.file, known, out: self };
        let front = (known.kind == FileKind::Instructions).then(|| frontmatter(text)).flatten();
        let root = front.as_ref().or(document.yaml()).and_then(Yaml::root);
        match root {
            Some(root) => reader.document(documents.tree.path(document.file), root),
            None if documents.tree.path(document.file).rsplit('.').next() == Some("rules") => {
                codex::rules(&mut reader, text);
            }
            None => {}
        }
        let grants = &mut self.grants[first..];
        judge::judge(grants);
        let denies = |path: &String| {
            grants.iter().any(|grant| grant.decision == Decision::Deny && grant.tool == "edit" && grant.covers(path))
        };
        let state_paths = &crate::knowledge::agents::agents().state_paths;
        self.files.push(PermissionFile {
            file: document.file,
            known,
            denies_paths: known.product == "Claude Code"
                && known.kind == FileKind::Permissions
                && root.is_some_and(|root| root.get("permissions").is_some_and(|it| !it.entries().is_empty())),
            denies_state: state_paths.iter().all(denies),
        });
    }
}

/// What stands before the text of a Markdown file, between two lines of dashes; its places are those of the file.
fn frontmatter(text: &str) -> Option<Yaml> {
    let rest = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let end = rest.find("\n---")?;
    let head = text.len() - rest.len() + end;
    Some(Yaml::parse(&text[..head]))
}

/// Reads one file.
struct Reader<'a> {
    file: FileId,
    known: &'static AgentFile,
    out: &'a mut Agents,
}

impl Reader<'_> {
    fn document(&mut self, path: &str, root: Node<'_>) {
        match (&*self.known.product, self.known.kind) {
            ("Claude Code", FileKind::Permissions) => claude::settings(self, root, path.ends_with(".local.json")),
            ("Claude Code", _) => claude::frontmatter(self, path, root),
            ("Codex", FileKind::Permissions) => codex::config(self, root),
            ("Gemini CLI" | "Qwen Code", FileKind::Permissions) if path.rsplit('.').next() == Some("toml") => {
                gemini::policy(self, root);
            }
            ("Gemini CLI" | "Qwen Code", FileKind::Permissions) => gemini::settings(self, root),
            ("Cursor", FileKind::Permissions) => editor::cursor(self, root),
            ("VS Code", FileKind::Permissions) => editor::vscode(self, root),
            ("Zed", _) => editor::zed(self, root),
            ("OpenCode", _) => editor::opencode(self, root),
            ("aider", _) => editor::aider(self, root),
            _ => {}
        }
        self.servers(root);
    }

    /// Notes an entry.
    fn grant(&mut self, node: Node<'_>, text: &str, tool: &str, pattern: Option<Pattern>, decision: Decision) {
        let tool = match tool {
            "Bash" | "Shell" => "shell".to_owned(),
            "Edit" | "Write" | "MultiEdit" | "NotebookEdit" => "edit".to_owned(),
            tool if tool.starts_with("mcp__") => "mcp".to_owned(),
            tool => tool.to_ascii_lowercase(),
        };
        self.out.grants.push(Grant {
            loc: Loc { file: self.file, span: node.span() },
            text: text.to_owned(),
            tool,
            pattern,
            decision,
            sure: self.known.sure,
            guarded: false,
            sandboxed: false,
            mutation: None,
            any_command: false,
            writes_state: false,
        });
    }

    /// Notes a setting that switches approval off, by its key and value.
    fn bypass(&mut self, entry: (Node<'_>, Node<'_>), text: &str, sure: bool) {
        let span = entry.0.span().to(entry.1.span());
        let loc = Loc { file: self.file, span };
        self.out.bypasses.push(Bypass { loc, text: text.to_owned(), sure: sure && self.known.sure });
    }
}

/// Whether a node says yes.
fn is_true(node: Node<'_>) -> bool {
    matches!(node.resolve(), Scalar::Bool(true))
}

/// The texts of a list, or of one text that stands for a list of one.
fn texts(node: Option<Node<'_>>) -> Vec<Node<'_>> {
    let Some(node) = node else { return Vec::new() };
    if node.as_str().is_some() { vec![node] } else { node.items().filter(|item| item.as_str().is_some()).collect() }
}

#[cfg(test)]
mod tests;
