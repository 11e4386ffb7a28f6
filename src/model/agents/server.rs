//! MCP servers: programs that an agent calls, with what they reach and what limits them.

use super::{Reader, is_true, texts};
use crate::knowledge::agents::{self, FileKind, Writes};
use crate::syntax::yaml::Node;
use crate::text::Loc;

/// A server that can write.
#[derive(Debug)]
pub struct Server {
    /// Where it is declared.
    pub loc: Loc,
    /// Its name.
    pub name: String,
    /// What it is known as.
    pub known: &'static str,
    /// What it can write.
    pub writes: Writes,
    /// Tools by which it writes, for messages; empty: not known by name.
    pub tools: String,
    /// Folders of the repository that it is given.
    pub folders: Vec<String>,
    /// The script that it is, as written, of one that is started by its file.
    pub script: Option<String>,
    /// Whether the product's format is known well.
    pub sure: bool,
}

/// Members under which products list servers.
const LISTS: [&str; 6] = ["mcpServers", "servers", "mcp_servers", "mcp-servers", "context_servers", "mcp"];
/// Members that list the only tools an agent may call.
const ALLOWED: [&str; 4] = ["enabled_tools", "includeTools", "tools", "enabledTools"];
/// Members that list tools an agent may not call.
const EXCLUDED: [&str; 4] = ["disabled_tools", "excludeTools", "disabledTools", "exclude_tools"];

impl Reader<'_> {
    /// Notes the servers that a file declares.
    pub(super) fn servers(&mut self, root: Node<'_>) {
        for name in LISTS {
            // `servers` and `mcp` are words of other settings too.
            let apt = !matches!(name, "servers" | "mcp") || self.known.kind == FileKind::Servers || name == "mcp";
            let Some(list) = root.get(name).filter(|_| apt) else { continue };
            for (key, server) in list.entries() {
                self.server(key, key.as_str().unwrap_or(""), server);
            }
            for server in list.items().filter(|item| item.is_map()) {
                self.server(server, server.get("name").and_then(Node::as_str).unwrap_or(""), server);
            }
        }
    }

    fn server(&mut self, at: Node<'_>, name: &str, server: Node<'_>) {
        if !server.is_map() {
            return;
        }
        if let Some(entry) = server.entry("trust").filter(|it| is_true(it.1)) {
            self.bypass(entry, &format!("{name}: trust: true"), true);
        }
        let off = |key: &str, value: &str| server.get(key).and_then(Node::as_str) == Some(value);
        if off("disabled", "true") || off("enabled", "false") {
            return;
        }
        let call = Call::new(server);
        let Some(known) = call.known(name).filter(|row| row.writes != Writes::None) else { return };
        let enabled = known.enables.is_empty() || known.enables.iter().any(|name| call.is_on(name));
        if !enabled || call.reads_only() || limited(server, known) {
            return;
        }
        self.out.servers.push(Server {
            loc: Loc { file: self.file, span: at.span() },
            name: name.to_owned(),
            known: &known.word,
            writes: known.writes,
            tools: known.tools.join(", "),
            folders: call.folders(),
            sure: self.known.sure && call.script().is_none(),
            script: call.script().cloned(),
        });
    }
}

/// Whether lists of tools leave only such as read.
fn limited(server: Node<'_>, known: &agents::Server) -> bool {
    let writing = |tool: &str| known.tools.iter().any(|it| it == tool) || agents::tool_writes(tool);
    let allowed = ALLOWED.iter().find_map(|key| server.get(key)).map(|list| texts(Some(list)));
    if let Some(allowed) = allowed.filter(|list| !list.is_empty()) {
        return !allowed.iter().any(|tool| tool.as_str().is_some_and(writing));
    }
    let excluded = EXCLUDED.iter().find_map(|key| server.get(key)).map(|list| texts(Some(list))).unwrap_or_default();
    let is_excluded = |tool: &String| excluded.iter().any(|it| it.as_str() == Some(tool));
    !known.tools.is_empty() && known.tools.iter().all(is_excluded)
}

/// How a server is started or reached.
struct Call {
    command: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    url: String,
}

impl Call {
    fn new(server: Node<'_>) -> Self {
        let text = |key: &str| server.get(key).and_then(Node::as_str).unwrap_or("").to_owned();
        let own = |node: &Node<'_>| node.as_str().unwrap_or("").to_owned();
        let mut args: Vec<String> = texts(server.get("args")).iter().map(own).collect();
        // `command` may be one line, or a list with its arguments.
        let mut words: Vec<String> = texts(server.get("command")).iter().map(own).collect();
        if let [line] = words.as_slice() {
            words = super::words(line);
        }
        let command = if words.is_empty() { String::new() } else { words.remove(0) };
        words.append(&mut args);
        let mut env: Vec<(String, String)> = ["env", "environment", "envs"]
            .iter()
            .filter_map(|key| server.get(key))
            .flat_map(Node::entries)
            .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.as_str()?.to_owned())))
            .collect();
        // Of a container: `-e NAME=VALUE`.
        env.extend(words.iter().filter_map(|word| {
            let (name, value) = word.split_once('=')?;
            let name = name.strip_prefix("--env").or_else(|| name.strip_prefix("-e")).unwrap_or(name);
            Some((name.to_owned(), value.to_owned()))
        }));
        let url = ["url", "httpUrl", "serverUrl"].iter().map(|key| text(key)).find(|url| !url.is_empty());
        Self { command, args: words, env, url: url.unwrap_or_default() }
    }

    /// What is known of it: by its package, image or address before its name.
    fn known(&self, name: &str) -> Option<&'static agents::Server> {
        const STARTERS: [&str; 14] = [
            "docker", "podman", "npx", "uvx", "uv", "node", "python", "python3", "bunx", "bun", "pipx", "deno", "npm",
            "cmd",
        ];
        let program = self.command.rsplit('/').next().unwrap_or("");
        let starter = STARTERS.contains(&program);
        let own = if starter { self.package() } else { Some(program) };
        // A server of a cloud's tools says so in its address.
        let url = (!self.url.is_empty()).then_some(&*self.url);
        let by_text = own.and_then(agents::server).or_else(|| url.and_then(agents::server));
        by_text.or_else(|| agents::agents().servers.iter().find(|row| row.word.eq_ignore_ascii_case(name)))
    }

    /// The package or image among the arguments of a program that starts it.
    fn package(&self) -> Option<&str> {
        let plain = |arg: &&String| {
            !arg.starts_with('-')
                && !arg.contains('=')
                && !arg.starts_with(['/', '.', '~', '$'])
                && !matches!(arg.as_str(), "run" | "exec" | "tool" | "x" | "dlx" | "stdio")
                && !arg.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
        };
        let speaks = |arg: &&String| arg.contains("mcp") || arg.contains("server");
        let plain = || self.args.iter().filter(plain);
        plain().find(speaks).or_else(|| plain().next()).map(String::as_str)
    }

    /// The script that it is: what it offers is known by its name only, or by reading it.
    fn script(&self) -> Option<&String> {
        let script = |word: &&String| [".py", ".js", ".mjs", ".ts", ".sh"].iter().any(|suffix| word.ends_with(suffix));
        std::iter::once(&self.command).chain(&self.args).find(script)
    }

    fn is_on(&self, name: &str) -> bool {
        let on = |value: &str| !matches!(value.to_ascii_lowercase().as_str(), "" | "0" | "false" | "no" | "off");
        self.env.iter().any(|(known, value)| known == name && on(value))
    }

    fn reads_only(&self) -> bool {
        agents::agents().read_only.iter().any(|limiter| {
            if !limiter.starts_with('-') {
                return self.is_on(limiter);
            }
            self.args.iter().any(|arg| match arg.strip_prefix(limiter.as_str()) {
                Some("") => true,
                Some(rest) => limiter.ends_with('=') || rest.starts_with('=') && rest != "=false",
                None => false,
            })
        })
    }

    /// Its arguments that are folders within the repository.
    fn folders(&self) -> Vec<String> {
        let own = |arg: &&String| !arg.starts_with(['-', '/', '~', '$', '@']) && !arg.contains("server");
        self.args.iter().filter(own).map(|arg| arg.trim_start_matches("./").trim_end_matches('/').to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_is() {
        let call = |command: &str, args: &[&str]| Call {
            command: command.to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: Vec::new(),
            url: String::new(),
        };
        let known = |call: &Call, name: &str| call.known(name).map(|row| row.word.as_str());
        assert_eq!(known(&call("docker", &["run", "-i", "-e", "TOKEN", "example/notes-mcp"]), "notes"), None);
        assert_eq!(known(&call("uvx", &["mcp-proxmox"]), "x"), Some("proxmox"));
        assert_eq!(known(&call("/usr/bin/mcp-kubernetes", &[]), "x"), Some("kubernetes"));
        assert_eq!(known(&call("./bin/serve", &[]), "docker"), Some("docker"));
        assert!(call("x", &["--read-only=true"]).reads_only() && !call("x", &["--read-only=false"]).reads_only());
    }
}
