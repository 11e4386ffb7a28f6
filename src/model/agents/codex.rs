//! Codex: `config.toml` with its profiles, and rules in Starlark.

use super::{Decision, Grant, Pattern, Reader, is_true};
use crate::syntax::yaml::Node;
use crate::text::{Loc, Span};

/// `config.toml`: the top level, then each profile over it.
pub(super) fn config(reader: &mut Reader<'_>, root: Node<'_>) {
    unasked(reader, root, None);
    for (_, profile) in root.get("profiles").map(Node::entries).unwrap_or_default() {
        unasked(reader, profile, Some(root));
    }
}

fn unasked(reader: &mut Reader<'_>, own: Node<'_>, outer: Option<Node<'_>>) {
    let entry = |key: &str| own.entry(key).or_else(|| outer?.entry(key));
    let is = |key: &str, text: &str| entry(key).is_some_and(|(_, value)| value.as_str() == Some(text));
    if let Some(sandbox) = own.entry("sandbox_mode").filter(|it| it.1.as_str() == Some("danger-full-access")) {
        reader.bypass(sandbox, "sandbox_mode = \"danger-full-access\"", true);
        return;
    }
    // A profile repeats what is said above it only when it sets one of the two itself.
    if outer.is_some() && own.entry("approval_policy").is_none() && own.entry("sandbox_mode").is_none() {
        return;
    }
    let Some(policy) = entry("approval_policy").filter(|_| is("approval_policy", "never")) else { return };
    if is("sandbox_mode", "workspace-write") {
        let network = entry("sandbox_workspace_write").and_then(|(_, it)| it.get("network_access"));
        reader.bypass(policy, "approval_policy = \"never\"", network.is_some_and(is_true));
    }
}

/// A call of `prefix_rule` in a file of rules.
pub(super) fn rules(reader: &mut Reader<'_>, text: &str) {
    let mut scan = Scan { text, at: 0 };
    while let Some(start) = scan.call("prefix_rule") {
        let Some(rule) = scan.arguments() else { continue };
        let Some(pattern) = rule.pattern else { continue };
        let decision = match rule.decision.as_deref() {
            None | Some("allow") => Decision::Allow,
            Some("prompt") => Decision::Ask,
            Some("forbidden") => Decision::Deny,
            Some(_) => continue,
        };
        let shown: Vec<String> = pattern.iter().map(|place| place.join("|")).collect();
        let shown = format!("prefix_rule({})", shown.join(" "));
        let loc = Loc { file: reader.file, span: Span::new(start, scan.at) };
        let pattern = (!pattern.is_empty()).then_some(Pattern::Words(pattern));
        reader.out.grants.push(Grant { text: shown, pattern, ..super::claude::standing("Bash", decision, loc) });
    }
}

#[derive(Default)]
struct Rule {
    pattern: Option<Vec<Vec<String>>>,
    decision: Option<String>,
}

enum Value {
    Text(String),
    List(Vec<Value>),
    Other,
}

/// Reads Starlark as far as calls with literals go.
struct Scan<'t> {
    text: &'t str,
    at: usize,
}

/// Lists within lists deeper than this are not read.
const MAX_DEPTH: u32 = 8;

impl Scan<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    /// Skips blanks and comments.
    fn blank(&mut self) {
        while let Some(letter) = self.peek() {
            if letter == '#' {
                let rest = &self.text[self.at..];
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if letter.is_whitespace() {
                self.at += letter.len_utf8();
            } else {
                return;
            }
        }
    }

    fn take(&mut self, mark: char) -> bool {
        self.blank();
        let found = self.peek() == Some(mark);
        self.at += if found { mark.len_utf8() } else { 0 };
        found
    }

    fn word(&mut self) -> &str {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Goes behind the parenthesis of the next call; where it begins.
    fn call(&mut self, name: &str) -> Option<usize> {
        loop {
            self.blank();
            let start = self.at;
            match self.peek()? {
                '"' | '\'' => _ = self.string(),
                letter if letter.is_alphanumeric() || letter == '_' => {
                    if self.word() == name && self.take('(') {
                        return Some(start);
                    }
                }
                _ => _ = self.next(),
            }
        }
    }

    /// `name = value, …)`.
    fn arguments(&mut self) -> Option<Rule> {
        let mut rule = Rule::default();
        let mut place = 0;
        while !self.take(')') {
            self.blank();
            let start = self.at;
            let name = self.word().to_owned();
            let named = !name.is_empty() && self.take('=');
            if !named {
                self.at = start;
            }
            let name = if named { &*name } else { ["pattern", "decision"].get(place).copied().unwrap_or("") };
            match (name, self.value(0)?) {
                ("pattern", Value::List(items)) => rule.pattern = places(items),
                ("decision", Value::Text(text)) => rule.decision = Some(text),
                ("decision", _) => rule.decision = Some(String::new()),
                _ => {}
            }
            place += 1;
            if !self.take(',') && !self.take(')') {
                return None;
            } else if self.text[..self.at].ends_with(')') {
                break;
            }
        }
        Some(rule)
    }

    fn value(&mut self, depth: u32) -> Option<Value> {
        self.blank();
        match self.peek()? {
            '"' | '\'' => self.string().map(Value::Text),
            '[' | '(' if depth < MAX_DEPTH => {
                let close = if self.next() == Some('[') { ']' } else { ')' };
                let mut items = Vec::new();
                while !self.take(close) {
                    items.push(self.value(depth + 1)?);
                    if !self.take(',') && self.peek()? != close {
                        return None;
                    }
                }
                Some(Value::List(items))
            }
            letter if letter.is_alphanumeric() || letter == '_' => {
                self.word();
                Some(Value::Other)
            }
            _ => None,
        }
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.next()?;
        let two: String = std::iter::repeat_n(quote, 2).collect();
        if let Some(rest) = self.text[self.at..].strip_prefix(&two) {
            self.at += 2;
            let three = format!("{quote}{two}");
            let Some(rest) = rest.strip_prefix(quote) else { return Some(String::new()) };
            let end = rest.find(&three)?;
            self.at += 1 + end + 3;
            return Some(rest[..end].to_owned());
        }
        let mut text = String::new();
        loop {
            match self.next()? {
                '\\' => text.extend(self.next()),
                letter if letter == quote => return Some(text),
                letter => text.push(letter),
            }
        }
    }
}

/// The words at each place of a pattern; none when one of them is no text.
fn places(items: Vec<Value>) -> Option<Vec<Vec<String>>> {
    let text = |value| if let Value::Text(text) = value { Some(text) } else { None };
    items
        .into_iter()
        .map(|item| match item {
            Value::Text(word) => Some(vec![word]),
            Value::List(words) => words.into_iter().map(text).collect(),
            Value::Other => None,
        })
        .collect()
}
