//! Claude Code: settings, what stands before the text of agents, commands and skills, and arguments of its program.

use super::{Bypass, Decision, Grant, Pattern, Reader, is_true, texts};
use crate::knowledge::agents::Program;
use crate::syntax::yaml::Node;
use crate::text::Loc;

const DECISIONS: [Decision; 3] = [Decision::Allow, Decision::Ask, Decision::Deny];

/// `settings.json` and `settings.local.json`.
pub(super) fn settings(reader: &mut Reader<'_>, root: Node<'_>, local: bool) {
    let first = reader.out.grants.len();
    let permissions = root.get("permissions");
    for decision in DECISIONS {
        for item in permissions.and_then(|it| it.get(decision.as_str())).into_iter().flat_map(Node::items) {
            entry(reader, item, decision);
        }
    }
    if let Some((key, mode)) = permissions.and_then(|it| it.entry("defaultMode")) {
        match mode.as_str() {
            // Settings that a team shares are said not to switch prompts off.
            Some("bypassPermissions") => reader.bypass((key, mode), "defaultMode: bypassPermissions", local),
            Some("acceptEdits") => reader.grant(mode, "defaultMode: acceptEdits", "Edit", None, Decision::Allow),
            _ => {}
        }
    }
    let (hooks, sandbox) = (Hooks::new(root), Sandbox::new(root));
    for grant in &mut reader.out.grants[first..] {
        grant.guarded = hooks.see(&grant.tool);
        grant.sandboxed = grant.tool == "shell" && sandbox.holds(grant);
    }
}

fn entry(reader: &mut Reader<'_>, item: Node<'_>, decision: Decision) {
    if let Some(text) = item.as_str() {
        let (tool, pattern) = split(text);
        reader.grant(item, text, tool, pattern, decision);
    }
}

/// `Bash(terraform:*)` → (`Bash`, prefix `terraform`).
pub(super) fn split(text: &str) -> (&str, Option<Pattern>) {
    let text = text.trim();
    let Some((tool, rest)) = text.split_once('(') else { return (text, None) };
    let inner = rest.strip_suffix(')').unwrap_or(rest).trim();
    let pattern = match inner.strip_suffix(":*") {
        _ if matches!(inner, "" | "*" | "**" | ":*") => None,
        Some(prefix) if !prefix.contains('*') => Some(Pattern::Prefix(prefix.to_owned())),
        Some(prefix) => Some(Pattern::Wildcard(format!("{prefix}*"))),
        None if tool == "Bash" => Some(Pattern::Wildcard(inner.to_owned())),
        None => Some(Pattern::Path(inner.to_owned())),
    };
    (tool, pattern)
}

/// The hooks that look at a tool before it runs.
struct Hooks(Vec<String>);

impl Hooks {
    fn new(root: Node<'_>) -> Self {
        let before = root.get("hooks").and_then(|hooks| hooks.get("PreToolUse"));
        let matcher = |hook: Node<'_>| hook.get("matcher").and_then(Node::as_str).unwrap_or("").to_owned();
        Self(before.into_iter().flat_map(Node::items).map(matcher).collect())
    }

    fn see(&self, tool: &str) -> bool {
        let names: &[&str] = match tool {
            "shell" => &["Bash"],
            "edit" => &["Edit", "Write"],
            "mcp" => &["mcp__"],
            _ => &[],
        };
        let all = |matcher: &str| matches!(matcher, "" | "*" | ".*");
        self.0.iter().any(|matcher| all(matcher) || names.iter().any(|name| matcher.contains(name)))
    }
}

/// The sandbox that commands run in.
struct Sandbox {
    on: bool,
    excluded: Vec<String>,
}

impl Sandbox {
    fn new(root: Node<'_>) -> Self {
        let sandbox = root.get("sandbox");
        let list = |path: &[&str]| {
            let node = path.iter().try_fold(sandbox?, |node, key| node.get(key));
            Some(texts(node).into_iter().filter_map(Node::as_str).map(str::to_owned).collect::<Vec<_>>())
        };
        // A domain that is open is a way to the backend.
        let open = !list(&["network", "allowedDomains"]).unwrap_or_default().is_empty();
        Self {
            on: sandbox.and_then(|it| it.get("enabled")).is_some_and(is_true) && !open,
            excluded: list(&["excludedCommands"]).unwrap_or_default(),
        }
    }

    fn holds(&self, grant: &Grant) -> bool {
        let program = |text: &str| text.split([' ', ':', '*']).next().unwrap_or("").to_owned();
        let own = grant.pattern.as_ref().map(Pattern::commands).unwrap_or_default();
        let runs = |command: &String| self.excluded.iter().any(|it| program(it) == program(command));
        self.on && if grant.pattern.is_none() { self.excluded.is_empty() } else { !own.iter().any(runs) }
    }
}

/// What stands before the text of an agent, a command or a skill.
pub(super) fn frontmatter(reader: &mut Reader<'_>, path: &str, root: Node<'_>) {
    let within = |part: &str| format!("/{path}").contains(&format!("/.claude/{part}/"));
    if within("agents") {
        // `tools` of an agent only narrows what it has; it permits nothing.
        if let Some((key, mode)) = root.entry("permissionMode").filter(|it| it.1.as_str() == Some("bypassPermissions"))
        {
            reader.bypass((key, mode), "permissionMode: bypassPermissions", true);
        }
    } else if within("commands") || within("skills") {
        for node in texts(root.get("allowed-tools")) {
            for text in list(node.as_str().unwrap_or("")) {
                let (tool, pattern) = split(text);
                reader.grant(node, text, tool, pattern, Decision::Allow);
            }
        }
    }
}

/// The entries of a list in one text, by commas or blanks outside parentheses.
pub(super) fn list(text: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0_u32, 0);
    let mut entries = Vec::new();
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' | ' ' | '\n' | '\t' if depth == 0 => {
                entries.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    entries.push(&text[start..]);
    entries.into_iter().map(str::trim).filter(|entry| !entry.is_empty()).collect()
}

/// The words of a command line, quotes taken off.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            (None | Some('"'), '\\') => {
                let next = letters.next().filter(|next| *next != '\n');
                word.get_or_insert_default().extend(next);
            }
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// What the arguments of a program that runs an agent permit, and what of them switches approval off.
#[must_use]
pub fn cli(program: &Program, words: &[String], loc: Loc) -> (Vec<Grant>, Option<Bypass>) {
    let unasked = program.unasked.iter().find(|flag| {
        let (name, value) = flag.split_once(' ').unwrap_or((flag, ""));
        words.iter().enumerate().any(|(at, word)| {
            let joined = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
            match (value, joined) {
                ("", None) => word == name,
                (_, Some(given)) => given == value,
                (_, None) => word == name && words.get(at + 1).is_some_and(|next| next == value),
            }
        })
    });
    let bypass = unasked.map(|flag| Bypass { loc, text: format!("{} {flag}", program.program), sure: true });
    let mut grants = Vec::new();
    for (flag, decision) in [(&*program.tools, Decision::Allow), ("--disallowedTools", Decision::Deny)] {
        for text in values(words, flag).iter().flat_map(|value| list(value)) {
            grants.push(standing(text, decision, loc));
        }
    }
    super::judge::judge(&mut grants);
    (grants, bypass)
}

/// An entry that stands in no permission file.
pub(super) fn standing(text: &str, decision: Decision, loc: Loc) -> Grant {
    let (tool, pattern) = split(text);
    let tool = match tool {
        "Bash" => "shell",
        "Edit" | "Write" | "MultiEdit" => "edit",
        tool if tool.starts_with("mcp__") => "mcp",
        tool => tool,
    };
    Grant {
        loc,
        text: text.to_owned(),
        tool: tool.to_owned(),
        pattern,
        decision,
        sure: true,
        guarded: false,
        sandboxed: false,
        mutation: None,
        any_command: false,
        writes_state: false,
    }
}

/// The values of a flag that takes several; its name may have dashes in it.
fn values<'w>(words: &'w [String], flag: &str) -> Vec<&'w str> {
    let same = |name: &str| !flag.is_empty() && name.replace('-', "").eq_ignore_ascii_case(&flag.replace('-', ""));
    let mut found = Vec::new();
    let mut open = false;
    for word in words {
        if word.starts_with("--") {
            let (name, value) = word.split_once('=').map_or((&**word, None), |(name, value)| (name, Some(value)));
            open = same(name) && value.is_none();
            found.extend(value.filter(|_| same(name)));
        } else if open {
            found.push(word);
        }
    }
    found
}
