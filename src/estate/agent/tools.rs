//! MCP servers that are programs of the repository: which tools they offer.

use super::Estate;
use crate::knowledge::agents;
use crate::model::agents::Server;
use crate::source::{folder, join};

/// How many tools of one program are looked at.
const MAX_TOOLS: usize = 500;

/// Whether a server is a program that lies here, and none of the tools that it offers is named as one that writes.
pub(super) fn only_reads(estate: &Estate<'_>, server: &Server) -> bool {
    let tree = estate.documents.tree;
    let Some(script) = &server.script else { return false };
    // An editor puts the folder of the project before it.
    let path = script.rsplit_once("}/").map_or(&**script, |(_, path)| path).trim_start_matches("./");
    let mut from = folder(tree.path(server.loc.file));
    let file = loop {
        if let Some(file) = join(from, path).and_then(|path| tree.find(&path)) {
            break file;
        }
        if from.is_empty() {
            return false;
        }
        from = folder(from);
    };
    let offered = offered(tree.text(file));
    !offered.is_empty() && !offered.iter().any(|tool| agents::tool_writes(tool))
}

/// The names of the tools that a program registers: functions behind a decorator, names in a call.
fn offered(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut decorated = false;
    for line in text.lines().map(str::trim_start) {
        if found.len() == MAX_TOOLS {
            break;
        }
        if line.starts_with('@') {
            decorated |=
                line.split(['(', ' ']).next().and_then(|it| it.rsplit_once('.')).is_some_and(|(_, it)| it == "tool");
            continue;
        }
        let function = line.strip_prefix("async def ").or_else(|| line.strip_prefix("def "));
        if let Some(name) = function.and_then(|it| it.split('(').next()) {
            if std::mem::take(&mut decorated) {
                found.push(name.trim());
            }
        } else if let Some(name) = called(line) {
            found.push(name);
        }
    }
    found
}

/// `server.tool("name", …)`, `registerTool('name', …)`
fn called(line: &str) -> Option<&str> {
    let behind = ["registerTool(", ".tool("].iter().find_map(|call| line.split_once(call))?.1.trim_start();
    let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    behind[1..].split(quote).next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::offered;

    #[test]
    fn tools_of_a_program() {
        let python =
            "@app.tool()\n@traced\nasync def cache_get(key: str) -> str:\n    pass\n\ndef helper():\n    pass\n";
        assert_eq!(offered(python), ["cache_get"]);
        let node = "server.tool(\"list_nodes\", {}, run)\nserver.registerTool('drop_node', {}, run)\napp.use(x)\n";
        assert_eq!(offered(node), ["list_nodes", "drop_node"]);
        assert_eq!(offered("print('no tools')\n"), Vec::<&str>::new());
    }
}
