//! What agents are permitted to do, by the permission files of the products that run them.

use super::kind::Kind;
use super::load::{Document, Documents};
use crate::source::{file_name, folder};
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc};
use globset::GlobBuilder;
use serde::Deserialize;
use std::sync::OnceLock;

/// One entry of a permission file.
#[derive(Debug)]
pub struct Grant {
    /// The file.
    pub file: FileId,
    /// Where the entry stands.
    pub loc: Loc,
    /// As written.
    pub text: String,
    /// `shell`, `edit`, `read`, `mcp`, or another tool's own name in lower case.
    pub tool: String,
    /// What of the tool: a command or path pattern; `None`: all of it.
    pub pattern: Option<CommandPattern>,
    /// What the entry decides.
    pub decision: Decision,
    /// What the permitted commands could do, when no denial covers it: an example command and its effect.
    pub mutation: Option<(&'static str, &'static str)>,
    /// Whether every command (or an interpreter that runs any) is permitted.
    pub any_command: bool,
    /// Whether it permits writing to state files, no denial covering them.
    pub writes_state: bool,
}

/// A pattern over command lines or paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandPattern {
    /// The line starts with these words.
    Prefix(String),
    /// The first word is this.
    Program(String),
    /// A glob over the whole line or path.
    Glob(String),
    /// A regular expression.
    Regex(String),
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
#[derive(Debug)]
pub struct Bypass {
    /// Where.
    pub loc: Loc,
    /// `key = value`, for messages.
    pub text: String,
}

/// Everything that agents are permitted.
#[derive(Debug, Default)]
pub struct Agents {
    /// Every entry of every file.
    pub grants: Vec<Grant>,
    /// Every bypass.
    pub bypasses: Vec<Bypass>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Probes {
    mutations: Vec<Probe>,
    interpreters: Vec<String>,
    state_paths: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Probe {
    command: String,
    what: String,
}

fn probes() -> &'static Probes {
    static PROBES: OnceLock<Probes> = OnceLock::new();
    PROBES.get_or_init(|| {
        let text = include_str!(concat!(env!("OUT_DIR"), "/probes.json"));
        serde_json::from_str(text).unwrap_or(Probes {
            mutations: Vec::new(),
            interpreters: Vec::new(),
            state_paths: Vec::new(),
        })
    })
}

impl Agents {
    /// Reads every permission file.
    #[must_use]
    pub fn read(documents: &Documents<'_>) -> Self {
        let mut agents = Self::default();
        for document in documents.of(&[Kind::AgentSettings]) {
            let first = agents.grants.len();
            agents.read_file(documents, document);
            judge(&mut agents.grants[first..]);
        }
        agents
    }

    fn read_file(&mut self, documents: &Documents<'_>, document: &Document) {
        let path = documents.tree.path(document.file);
        let file = document.file;
        if let Some(ini) = document.ini() {
            let source = documents.tree.text(file);
            for line in ini.sections.iter().flat_map(|section| &section.lines) {
                let setting = (&*line.key, line.value.trim_matches(['"', '\'']));
                if matches!(setting, ("sandbox_mode", "danger-full-access") | ("approval_policy", "never")) {
                    let text = line.span.slice(source).trim().to_owned();
                    self.bypasses.push(Bypass { loc: Loc { file, span: line.span }, text });
                }
            }
            return;
        }
        let Some(root) = document.yaml().and_then(crate::syntax::yaml::Yaml::root) else { return };
        let within = |part: &str| folder(path).split('/').any(|folder| folder == part);
        if within(".claude") || within(".cursor") {
            self.read_permissions(file, root);
        } else if within(".gemini") {
            self.read_gemini(file, root);
        } else if within(".vscode") && file_name(path) == "settings.json" {
            self.read_vscode(file, root);
        }
    }

    /// Claude Code and Cursor: `permissions.{allow,ask,deny}` of `Tool(pattern)`.
    fn read_permissions(&mut self, file: FileId, root: Node<'_>) {
        let Some(permissions) = root.get("permissions") else { return };
        for decision in [Decision::Allow, Decision::Ask, Decision::Deny] {
            for item in permissions.get(decision.as_str()).into_iter().flat_map(Node::items) {
                if let Some(text) = item.as_str() {
                    let (tool, pattern) = split_entry(text);
                    self.add(file, item, text, tool, pattern, decision);
                }
            }
        }
        if let Some(mode) = permissions.get("defaultMode").filter(|mode| mode.as_str() == Some("bypassPermissions")) {
            let loc = Loc { file, span: mode.span() };
            self.bypasses.push(Bypass { loc, text: "defaultMode: bypassPermissions".to_owned() });
        }
    }

    /// Gemini CLI: `tools.allowed`, `tools.exclude`.
    fn read_gemini(&mut self, file: FileId, root: Node<'_>) {
        let Some(tools) = root.get("tools") else { return };
        for (key, decision) in [("allowed", Decision::Allow), ("exclude", Decision::Deny)] {
            for item in tools.get(key).into_iter().flat_map(Node::items) {
                let Some(text) = item.as_str() else { continue };
                let (tool, pattern) = match text.strip_prefix("run_shell_command") {
                    Some("") => ("Bash", None),
                    Some(rest) => ("Bash", Some(CommandPattern::Prefix(rest.trim_matches(['(', ')']).to_owned()))),
                    None => (text, None),
                };
                self.add(file, item, text, tool, pattern, decision);
            }
        }
    }

    /// VS Code: `chat.tools.terminal.autoApprove` and the global switch.
    fn read_vscode(&mut self, file: FileId, root: Node<'_>) {
        for (key, value) in root.get("chat.tools.terminal.autoApprove").into_iter().flat_map(Node::entries) {
            let Some(text) = key.as_str() else { continue };
            let decision =
                if value.as_str() == Some("true") || value.is_map() { Decision::Allow } else { Decision::Deny };
            let regex = text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')).map(|(regex, _)| regex);
            let pattern = regex.map_or_else(
                || CommandPattern::Prefix(text.to_owned()),
                |regex| CommandPattern::Regex(regex.to_owned()),
            );
            self.add(file, key, text, "Bash", Some(pattern), decision);
        }
        for name in ["chat.tools.autoApprove", "chat.tools.global.autoApprove"] {
            if let Some((key, value)) = root.entry(name).filter(|(_, value)| value.as_str() == Some("true")) {
                let loc = Loc { file, span: key.span().to(value.span()) };
                self.bypasses.push(Bypass { loc, text: format!("{name}: true") });
            }
        }
    }

    fn add(
        &mut self,
        file: FileId,
        node: Node<'_>,
        text: &str,
        tool: &str,
        pattern: Option<CommandPattern>,
        decision: Decision,
    ) {
        let tool = match tool {
            "Bash" | "Shell" => "shell".to_owned(),
            "Edit" | "Write" | "MultiEdit" | "NotebookEdit" => "edit".to_owned(),
            "Read" => "read".to_owned(),
            tool if tool.starts_with("mcp__") => "mcp".to_owned(),
            tool => tool.to_ascii_lowercase(),
        };
        let loc = Loc { file, span: node.span() };
        let text = text.to_owned();
        self.grants.push(Grant {
            file,
            loc,
            text,
            tool,
            pattern,
            decision,
            mutation: None,
            any_command: false,
            writes_state: false,
        });
    }
}

/// `Bash(terraform:*)` → (`Bash`, prefix `terraform`).
fn split_entry(text: &str) -> (&str, Option<CommandPattern>) {
    let Some((tool, rest)) = text.split_once('(') else { return (text, None) };
    let inner = rest.strip_suffix(')').unwrap_or(rest);
    let pattern = match inner.strip_suffix(":*") {
        _ if inner.is_empty() || inner == "*" || inner == "**" => None,
        Some(prefix) => Some(CommandPattern::Prefix(prefix.to_owned())),
        None if tool == "Shell" => Some(CommandPattern::Program(inner.to_owned())),
        None => Some(CommandPattern::Glob(inner.to_owned())),
    };
    (tool, pattern)
}

/// Tries the allowed entries of one file against the probes, denials first.
fn judge(grants: &mut [Grant]) {
    let denied = |tool: &str, line: &str| {
        grants.iter().any(|grant| grant.decision != Decision::Allow && grant.tool == tool && grant.covers(line))
    };
    let mut results = Vec::with_capacity(grants.len());
    for grant in grants.iter() {
        let allowed = grant.decision == Decision::Allow;
        let mutation = probes().mutations.iter().find(|probe| {
            allowed
                && grant.tool == "shell"
                && grant.pattern.is_some()
                && grant.covers(&probe.command)
                && !denied("shell", &probe.command)
        });
        let interpreter = match &grant.pattern {
            None => true,
            Some(CommandPattern::Prefix(text) | CommandPattern::Program(text)) => {
                probes().interpreters.iter().any(|program| {
                    text == program || text.strip_prefix(program.as_str()).is_some_and(|rest| rest.trim() == "-c")
                })
            }
            Some(CommandPattern::Glob(glob)) => {
                probes().interpreters.iter().any(|program| *glob == format!("{program} *"))
            }
            Some(CommandPattern::Regex(regex)) => matches!(regex.as_str(), ".*" | "^.*$" | ".+" | "^.*" | ".*$"),
        };
        let any_command = allowed && grant.tool == "shell" && interpreter;
        let writes_state = allowed
            && grant.tool == "edit"
            && probes().state_paths.iter().any(|path| grant.covers(path) && !denied("edit", path));
        results.push((mutation.map(|probe| (probe.command.as_str(), probe.what.as_str())), any_command, writes_state));
    }
    for (grant, (mutation, any_command, writes_state)) in grants.iter_mut().zip(results) {
        (grant.mutation, grant.any_command, grant.writes_state) = (mutation, any_command, writes_state);
    }
}

impl Grant {
    /// Whether a command line or path falls under the entry.
    #[must_use]
    pub fn covers(&self, line: &str) -> bool {
        match &self.pattern {
            None => true,
            Some(CommandPattern::Prefix(prefix)) => {
                line.strip_prefix(prefix.trim()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            }
            Some(CommandPattern::Program(program)) => line.split(' ').next() == Some(program),
            Some(CommandPattern::Glob(glob)) => {
                let glob = glob.trim_start_matches("./").trim_start_matches("//");
                GlobBuilder::new(glob)
                    .literal_separator(false)
                    .build()
                    .is_ok_and(|glob| glob.compile_matcher().is_match(line))
            }
            Some(CommandPattern::Regex(regex)) => regex::Regex::new(regex).is_ok_and(|regex| regex.is_match(line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::load::Options;
    use crate::source::{File, Tree};

    fn agents(path: &str, text: &str) -> Agents {
        let tree = Tree::new(vec![File::in_memory(path, text.as_bytes().to_vec(), true)], None);
        Agents::read(&Documents::load(&tree, &Options::default()))
    }

    #[test]
    fn grants_are_tried() {
        let agents = agents(
            ".claude/settings.json",
            r#"{"permissions": {"allow": ["Bash(terraform:*)", "Bash(terraform plan:*)", "Bash(qm:*)", "Bash(bash:*)", "Write", "Read(**)"],
                "deny": ["Bash(qm:*)"]}}"#,
        );
        let shown: Vec<(&str, bool, bool, bool)> = agents
            .grants
            .iter()
            .map(|grant| (&*grant.text, grant.mutation.is_some(), grant.any_command, grant.writes_state))
            .collect();
        assert_eq!(shown[0], ("Bash(terraform:*)", true, false, false));
        assert_eq!(shown[1], ("Bash(terraform plan:*)", false, false, false));
        assert_eq!(shown[2], ("Bash(qm:*)", false, false, false));
        assert_eq!(shown[3], ("Bash(bash:*)", false, true, false));
        assert_eq!(shown[4], ("Write", false, false, true));
        assert_eq!(shown[5], ("Read(**)", false, false, false));
    }

    #[test]
    fn other_products() {
        let cursor = agents(".cursor/cli.json", r#"{"permissions": {"allow": ["Shell(terraform)"]}}"#);
        assert!(cursor.grants[0].mutation.is_some());
        let code =
            agents(".vscode/settings.json", "{\n // all\n \"chat.tools.terminal.autoApprove\": {\"/.*/\": true}}");
        assert!(code.grants[0].any_command);
        let codex = agents(".codex/config.toml", "sandbox_mode = \"danger-full-access\"\n");
        assert_eq!(codex.bypasses.len(), 1);
    }
}
