//! Cursor, VS Code, Zed, `OpenCode` and aider.

use super::{Decision, Pattern, Reader, is_true, texts};
use crate::syntax::yaml::Node;

/// Cursor's `cli.json`: `Shell(program)` holds for the first word of a command, whatever follows.
pub(super) fn cursor(reader: &mut Reader<'_>, root: Node<'_>) {
    let Some(permissions) = root.get("permissions") else { return };
    for decision in [Decision::Allow, Decision::Deny] {
        for item in texts(permissions.get(decision.as_str())) {
            let text = item.as_str().unwrap_or("").trim();
            let (tool, inner) = text.split_once('(').unwrap_or((text, ""));
            let inner = inner.strip_suffix(')').unwrap_or(inner).trim();
            let pattern = match (tool, inner.split_once(':')) {
                _ if matches!(inner, "" | "*" | "**" | "**/*") => None,
                ("Shell", Some((program, "*" | "**"))) => Some(Pattern::Program(program.to_owned())),
                ("Shell", Some((program, rest))) => Some(Pattern::Wildcard(format!("{program} {rest}"))),
                ("Shell", None) if inner.contains(' ') => Some(Pattern::Prefix(inner.to_owned())),
                ("Shell", None) => Some(Pattern::Program(inner.to_owned())),
                _ => Some(Pattern::Path(inner.to_owned())),
            };
            reader.grant(item, text, tool, pattern, decision);
        }
    }
}

/// VS Code: commands and edits that are approved by themselves, and the switch for everything.
pub(super) fn vscode(reader: &mut Reader<'_>, root: Node<'_>) {
    let off = root.get("chat.tools.terminal.enableAutoApprove").and_then(Node::as_str) == Some("false");
    let lists = ["chat.tools.terminal.autoApprove", "chat.agent.terminal.autoApprove"];
    for (key, value) in lists.iter().filter_map(|name| root.get(name)).filter(|_| !off).flat_map(Node::entries) {
        let (Some(text), Some(decision)) = (key.as_str(), approves(value)) else { continue };
        reader.grant(key, text, "Bash", Some(command(text)), decision);
    }
    for (key, value) in root.get("chat.tools.edits.autoApprove").map(Node::entries).unwrap_or_default() {
        let (Some(text), Some(decision)) = (key.as_str(), approves(value)) else { continue };
        let pattern = (!matches!(text, "**/*" | "**" | "*")).then(|| Pattern::Path(text.to_owned()));
        reader.grant(key, text, "Edit", pattern, decision);
    }
    for name in ["chat.tools.autoApprove", "chat.tools.global.autoApprove"] {
        if let Some(entry) = root.entry(name).filter(|it| is_true(it.1)) {
            reader.bypass(entry, &format!("{name}: true"), true);
        }
    }
    let highest = |value: Node<'_>| matches!(value.as_str(), Some("autoApprove" | "autopilot" | "bypassApprovals"));
    if let Some(entry) = root.entry("chat.permissions.default").filter(|it| highest(it.1)) {
        let text = format!("chat.permissions.default: {}", entry.1.as_str().unwrap_or(""));
        reader.bypass(entry, &text, false);
    }
    extensions(reader, root);
}

/// Agents that are extensions of VS Code and keep their switches in its settings.
fn extensions(reader: &mut Reader<'_>, root: Node<'_>) {
    for name in ["amp.dangerouslyAllowAll", "geminicodeassist.agentYoloMode"] {
        if let Some(entry) = root.entry(name).filter(|it| is_true(it.1)) {
            reader.bypass(entry, &format!("{name}: true"), true);
        }
    }
    let unasked = |it: &(Node<'_>, Node<'_>)| it.1.as_str() == Some("bypassPermissions");
    if let Some(entry) = root.entry("claudeCode.initialPermissionMode").filter(unasked) {
        // The mode must also be permitted by another switch, which may stand in the settings of the person.
        let permitted = root.get("claudeCode.allowDangerouslySkipPermissions").is_some_and(is_true);
        reader.bypass(entry, "claudeCode.initialPermissionMode: bypassPermissions", permitted);
    }
    let first = reader.out.grants.len();
    for name in ["roo-cline", "kilo-code"] {
        for (list, decision) in [("allowedCommands", Decision::Allow), ("deniedCommands", Decision::Deny)] {
            for item in texts(root.get(&format!("{name}.{list}"))) {
                let text = item.as_str().unwrap_or("").trim();
                let pattern = (text != "*").then(|| Pattern::Prefix(text.to_owned()));
                reader.grant(item, text, "Bash", pattern, decision);
            }
        }
    }
    // The lists hold only when the person lets commands run unasked at all.
    reader.out.grants[first..].iter_mut().for_each(|grant| grant.sure = false);
}

/// `true`, `false`, or an object that says it; `null` takes a default back.
fn approves(value: Node<'_>) -> Option<Decision> {
    let value = if value.is_map() { value.get("approve")? } else { value };
    match value.as_str() {
        Some("true") => Some(Decision::Allow),
        Some("false") => Some(Decision::Ask),
        _ => None,
    }
}

/// A command, or a regular expression between slashes, flags behind it.
fn command(text: &str) -> Pattern {
    let regex = text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
    match regex.filter(|(_, flags)| flags.chars().all(|flag| flag.is_ascii_lowercase())) {
        Some((regex, flags)) => Pattern::regex(regex, flags.contains('i')),
        None => Pattern::Prefix(text.to_owned()),
    }
}

/// Zed: one switch for every tool; since it has permissions, a default for all tools, one for each, and expressions.
pub(super) fn zed(reader: &mut Reader<'_>, root: Node<'_>) {
    let Some(agent) = root.get("agent") else { return };
    if let Some(entry) = agent.entry("always_allow_tool_actions").filter(|it| is_true(it.1)) {
        reader.bypass(entry, "agent.always_allow_tool_actions: true", true);
    }
    let Some(permissions) = agent.get("tool_permissions") else { return };
    let tool = |name: &str| permissions.get("tools").and_then(|tools| tools.get(name));
    let allows = |it: &(Node<'_>, Node<'_>)| it.1.as_str() == Some("allow");
    let terminal = tool("terminal").and_then(|tool| tool.entry("default"));
    if let Some(entry) = permissions.entry("default").filter(allows).filter(|_| terminal.as_ref().is_none_or(allows)) {
        reader.bypass(entry, "agent.tool_permissions.default: allow", true);
    }
    for (name, kind) in [("terminal", "Bash"), ("edit_file", "Edit")] {
        let Some(tool) = tool(name) else { continue };
        if let Some((_, node)) = tool.entry("default").filter(allows) {
            reader.grant(node, &format!("{name}: allow"), kind, None, Decision::Allow);
        }
        let lists =
            [("always_allow", Decision::Allow), ("always_confirm", Decision::Ask), ("always_deny", Decision::Deny)];
        for (list, decision) in lists {
            for rule in tool.get(list).into_iter().flat_map(Node::items).filter_map(|rule| rule.get("pattern")) {
                let text = rule.as_str().unwrap_or("");
                reader.grant(rule, text, kind, Some(Pattern::regex(text, true)), decision);
            }
        }
    }
}

/// `OpenCode`: permissions of the whole, and those of each agent.
pub(super) fn opencode(reader: &mut Reader<'_>, root: Node<'_>) {
    let agents = ["agent", "mode"].iter().filter_map(|name| root.get(name)).flat_map(Node::entries);
    for holder in std::iter::once(root).chain(agents.map(|(_, agent)| agent)) {
        if let Some(permission) = holder.get("permission") {
            permissions(reader, permission);
        }
    }
}

/// `permission` of `OpenCode`: one word for all, or by tool a word or a map of patterns, of which the last that fits decides.
fn permissions(reader: &mut Reader<'_>, permission: Node<'_>) {
    let decision = |node: Node<'_>| match node.as_str() {
        Some("allow") => Some(Decision::Allow),
        Some("ask") => Some(Decision::Ask),
        Some("deny") => Some(Decision::Deny),
        _ => None,
    };
    let whole = if permission.is_map() { permission.get("*") } else { Some(permission) };
    for (key, tool) in [("bash", "Bash"), ("edit", "Edit")] {
        let Some(node) = permission.get(key) else {
            if let Some(node) = whole.filter(|node| decision(*node) == Some(Decision::Allow)) {
                reader.grant(node, &format!("permission: allow ({key})"), tool, None, Decision::Allow);
            }
            continue;
        };
        if let Some(decision) = decision(node) {
            reader.grant(node, &format!("permission.{key}"), tool, None, decision);
        }
        for (pattern, value) in node.entries() {
            let (Some(text), Some(decision)) = (pattern.as_str(), decision(value)) else { continue };
            // `*` first and exceptions behind it: the exceptions go before it.
            if text == "*" && decision != Decision::Allow {
                continue;
            }
            let wildcard = (text != "*").then(|| Pattern::Wildcard(text.to_owned()));
            reader.grant(pattern, text, tool, wildcard, decision);
        }
    }
}

/// aider: yes to everything, and what it runs after each change.
pub(super) fn aider(reader: &mut Reader<'_>, root: Node<'_>) {
    // Early releases call it `yes`.
    for name in ["yes-always", "yes"] {
        if let Some(entry) = root.entry(name).filter(|it| is_true(it.1)) {
            reader.bypass(entry, &format!("{name}: true"), true);
        }
    }
    for (switch, key) in [("auto-test", "test-cmd"), ("auto-lint", "lint-cmd")] {
        // Linting is on unless it is switched off.
        let on = root.get(switch).map_or(switch == "auto-lint", is_true);
        for node in texts(root.get(key)).into_iter().filter(|_| on) {
            let text = node.as_str().unwrap_or("");
            reader.grant(node, text, "Bash", Some(Pattern::Wildcard(text.to_owned())), Decision::Allow);
        }
    }
}
