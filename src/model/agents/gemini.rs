//! Gemini CLI and what has come of it: `settings.json` and policies.

use super::{Decision, Pattern, Reader, texts};
use crate::syntax::yaml::Node;

/// `settings.json`: `tools.allowed`, `tools.exclude`, the mode of approval.
pub(super) fn settings(reader: &mut Reader<'_>, root: Node<'_>) {
    let tools = root.get("tools");
    let lists = [
        (tools.and_then(|it| it.get("allowed")), Decision::Allow),
        (root.get("allowedTools"), Decision::Allow),
        (tools.and_then(|it| it.get("confirmationRequired")), Decision::Ask),
        (tools.and_then(|it| it.get("exclude")), Decision::Deny),
        (root.get("excludeTools"), Decision::Deny),
    ];
    for (items, decision) in lists {
        for item in texts(items) {
            tool(reader, item, decision);
        }
    }
    let modes = [("general", "defaultApprovalMode"), ("tools", "approvalMode")];
    for (key, mode) in modes.into_iter().filter_map(|(group, name)| root.get(group)?.entry(name)) {
        let name = key.as_str().unwrap_or("");
        match mode.as_str() {
            Some("auto_edit") => reader.grant(mode, &format!("{name}: auto_edit"), "Edit", None, Decision::Allow),
            Some("yolo") => reader.bypass((key, mode), &format!("{name}: yolo"), false),
            _ => {}
        }
    }
}

fn tool(reader: &mut Reader<'_>, item: Node<'_>, decision: Decision) {
    let text = item.as_str().unwrap_or("").trim();
    let (name, inner) = text.split_once('(').map_or((text, None), |(name, inner)| (name, Some(inner)));
    let inner = inner.map(|inner| inner.strip_suffix(')').unwrap_or(inner).trim()).filter(|inner| !inner.is_empty());
    let tool = match name {
        "run_shell_command" | "ShellTool" => "Bash",
        "write_file" | "replace" | "edit" | "WriteFileTool" | "EditTool" => "Edit",
        name => name,
    };
    let pattern = inner.filter(|inner| *inner != "*").map(|inner| Pattern::Prefix(inner.to_owned()));
    reader.grant(item, text, tool, pattern, decision);
}

/// A policy: rules by tool and by the beginning of the command.
pub(super) fn policy(reader: &mut Reader<'_>, root: Node<'_>) {
    for rule in root.get("rule").into_iter().flat_map(Node::items) {
        let decision = match rule.get("decision").and_then(Node::as_str) {
            Some("allow") => Decision::Allow,
            Some("deny") => Decision::Deny,
            _ => Decision::Ask,
        };
        let names = texts(rule.get("toolName"));
        if !names.iter().any(|name| matches!(name.as_str(), Some("run_shell_command" | "*"))) {
            continue;
        }
        let at = rule.get("decision").unwrap_or(rule);
        let prefixes = texts(rule.get("commandPrefix"));
        for prefix in &prefixes {
            let text = prefix.as_str().unwrap_or("");
            reader.grant(*prefix, text, "Bash", Some(Pattern::Prefix(text.to_owned())), decision);
        }
        if let Some(regex) = rule.get("commandRegex").and_then(Node::as_str) {
            reader.grant(at, regex, "Bash", Some(Pattern::regex(regex, false)), decision);
        } else if prefixes.is_empty() && rule.get("argsPattern").is_none() {
            reader.grant(at, "run_shell_command", "Bash", None, decision);
        }
    }
}
