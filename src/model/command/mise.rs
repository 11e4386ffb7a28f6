//! Tasks of `mise.toml`: tables and their `run`, as far as TOML is needed for that.

use super::read::{self, Frame};
use super::{Command, Guard, Site, Variables, next_scope, of_environment};
use crate::text::{FileId, Loc, Mapped, Span};
use crate::value::Value;

/// A string of TOML that a key is set to, or one of a list.
struct Text {
    table: String,
    key: String,
    value: Mapped,
    span: Span,
}

/// The commands of the tasks of a `mise.toml`; one scope a task.
#[must_use]
pub fn of_mise(file: FileId, text: &str) -> Vec<Command> {
    let mut out: Vec<Command> = Vec::new();
    let texts = texts(text);
    let confirmed = |table: &str| texts.iter().any(|it| it.table == table && it.key == "confirm");
    let mut last: Option<(&str, u32)> = None;
    for one in &texts {
        if one.table == "env" {
            let loc = Loc { file, span: one.span };
            let site = Site::Recipe { target: "".into() };
            of_environment(&one.key, &Value::known(&*one.value.text), loc, &site, &mut out);
            continue;
        }
        let short = one.table == "tasks";
        let name = if short { Some(one.key.as_str()) } else { one.table.strip_prefix("tasks.") };
        let Some(name) = name.filter(|_| short || one.key == "run") else { continue };
        let scope = last.filter(|(known, _)| *known == name).map_or_else(|| next_scope(&out, file), |(_, scope)| scope);
        last = Some((name, scope));
        let guard = if confirmed(&one.table) { Guard::Confirmed } else { Guard::None };
        let site = Site::Recipe { target: name.trim_matches('"').into() };
        let frame = Frame { scope, guard, ..Frame::default() };
        read::read(&one.value, file, &site, &Variables::default(), &frame, &mut out);
    }
    out
}

/// Every string with the table and key that it belongs to.
fn texts(text: &str) -> Vec<Text> {
    let mut found = Vec::new();
    let (mut table, mut key) = (String::new(), String::new());
    let (mut at, mut in_list) = (0, false);
    let mut outer: Vec<String> = Vec::new();
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let line = rest.find('\n').map_or(rest.len(), |end| end + 1);
        match rest.as_bytes()[0] {
            b'#' => at += line,
            b'"' | b'\'' => {
                let (value, end) = string(text, at);
                let span = Span::new(at, end);
                at = end;
                // What stands before `=` is a key.
                if !in_list && text[end..].trim_start_matches([' ', '\t']).starts_with('=') {
                    key = value.text;
                } else if !key.is_empty() {
                    found.push(Text { table: table.clone(), key: key.clone(), value, span });
                    if !in_list {
                        key.clear();
                    }
                }
            }
            b'[' if key.is_empty() && !in_list => {
                rest[..line].trim().trim_matches(['[', ']']).trim().clone_into(&mut table);
                at += line;
            }
            b'{' if !key.is_empty() => {
                outer.push(table.clone());
                table = format!("{table}.{key}");
                key.clear();
                at += 1;
            }
            b'}' => {
                table = outer.pop().unwrap_or(table);
                key.clear();
                at += 1;
            }
            b'[' => (at, in_list) = (at + 1, true),
            b']' => {
                (at, in_list) = (at + 1, false);
                key.clear();
            }
            b'\n' => {
                if !in_list {
                    key.clear();
                }
                at += 1;
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let len = rest.find(|c: char| !(c.is_alphanumeric() || "_-.:".contains(c))).unwrap_or(rest.len());
                if key.is_empty() || text[at + len..].trim_start_matches([' ', '\t']).starts_with('=') {
                    rest[..len].clone_into(&mut key);
                }
                at += len;
            }
            _ => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    found
}

/// The string that begins at a quote, and where it ends.
fn string(text: &str, at: usize) -> (Mapped, usize) {
    let rest = &text[at..];
    let quote = &rest[..1];
    let triple = quote.repeat(3);
    let long = rest.starts_with(&triple);
    let end = if long { triple.as_str() } else { quote };
    let (mut from, mut plain) = (at + end.len(), at + end.len());
    let mut value = Mapped::default();
    while let Some(c) = text.get(from..).and_then(|rest| rest.chars().next()) {
        if text[from..].starts_with(end) || c == '\n' && !long {
            break;
        }
        if c == '\\' && quote == "\"" {
            value.push(&text[plain..from], Span::new(plain, plain).start);
            let escaped = text[from + 1..].chars().next();
            let after = from + 1 + escaped.map_or(0, char::len_utf8);
            let shown = match escaped {
                Some('n') => "\n".to_owned(),
                Some('t') => "\t".to_owned(),
                // The line goes on in the shell as it does here.
                Some('\n') | None => String::new(),
                Some(other) => other.to_string(),
            };
            value.push_for(&shown, Span::new(from, after));
            (from, plain) = (after, after);
        } else {
            from += c.len_utf8();
        }
    }
    value.push(&text[plain..from], Span::new(plain, plain).start);
    let closed = text[from..].starts_with(end);
    (value, if closed { from + end.len() } else { from })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_and_their_texts() {
        let text = "[tools]\nterraform = '1.9'\n[env]\nTF_CLI_ARGS = \"-lock=false\"\n[tasks.up]\nrun = [\n  \"terraform init\", # \"no\"\n  'terraform plan',\n]\n[tasks.\"b:c\"]\nrun = \"\"\"\ncd \\\"x\\\"\nterraform show\n\"\"\"\n[tasks]\nd = { run = \"x\" }\n";
        let shown: Vec<_> = of_mise(FileId(0), text).iter().map(|it| format!("{:?} {}", it.site, it.text)).collect();
        assert_eq!(
            shown,
            [
                "Recipe { target: \"\" } export TF_CLI_ARGS -lock=false",
                "Recipe { target: \"up\" } terraform init",
                "Recipe { target: \"up\" } terraform plan",
                "Recipe { target: \"b:c\" } cd x",
                "Recipe { target: \"b:c\" } terraform show",
                "Recipe { target: \"d\" } x",
            ]
        );
        for text in ["a = \"", "[", "a = [\"", "'", "é = 'ä", "[tasks]\nx = \"\\"] {
            assert!(of_mise(FileId(0), text).len() <= 1, "{text}");
        }
    }
}
