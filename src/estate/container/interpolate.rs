//! Text of a compose file as values: `${NAME:-default}`, `$$`, and the marks that stand for template expressions.

use super::Setting;
use super::flat::Flat;
use crate::model::ansible::Hole;
use crate::text::HOLE;
use crate::value::{Piece, Reason, Value};

/// Marks from here on stand for holes by number; [`HOLE`] ends them.
pub(super) const FIRST_MARK: u32 = 0xE000;

/// How many holes of one text are told apart.
pub(super) const MAX_MARKS: usize = (HOLE as u32 - FIRST_MARK) as usize;

/// Reads scalars of one text.
pub(super) struct Reader<'a> {
    /// What surrounds the text.
    pub(super) setting: Setting<'a>,
    /// What marks stand for.
    pub(super) holes: &'a [Hole],
    /// Template expressions may stand in the scalars as they are written.
    pub(super) templates: bool,
}

/// Longer scalars are taken as they are.
const MAX_READ: usize = 32 << 10;

/// What stands between the braces of a variable is no longer than this.
const MAX_VARIABLE: usize = 2 << 10;

impl Reader<'_> {
    /// The value that a scalar's text is.
    pub(super) fn read(&self, text: &str) -> Value {
        let mut chars = text.chars();
        if let (Some(only), None) = (chars.next(), chars.next())
            && self.is_mark(only)
        {
            return self.expression(only);
        }
        if text.len() > MAX_READ {
            return Value::known(text);
        }
        if let Some(inner) = text.trim().strip_prefix("{{").and_then(|text| text.strip_suffix("}}"))
            && self.templates
            && !inner.contains("}}")
        {
            return self.value_of(inner.trim());
        }
        let mut pieces = Vec::new();
        self.pieces(text, 0, &mut pieces);
        Value::text(pieces)
    }

    /// Whether a character stands for something unknown.
    pub(super) fn is_mark(&self, c: char) -> bool {
        c == HOLE || number(c).is_some_and(|number| number < self.holes.len())
    }

    /// Whether a text holds something unknown.
    pub(super) fn marked(&self, text: &str) -> bool {
        text.chars().any(|c| self.is_mark(c)) || (self.templates && text.contains("{{"))
    }

    fn expression(&self, mark: char) -> Value {
        match number(mark).and_then(|number| self.holes.get(number)) {
            Some(hole) => known(hole.value.clone(), hole.expression.as_deref()),
            None => Value::unknown("a template expression stands there"),
        }
    }

    fn value_of(&self, expression: &str) -> Value {
        known((self.setting.expression)(expression), Some(expression))
    }

    fn pieces(&self, text: &str, depth: usize, pieces: &mut Vec<Piece>) {
        let mut literal = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let tail = &rest[c.len_utf8()..];
            if self.is_mark(c) {
                flush(&mut literal, pieces);
                push(&self.expression(c), pieces);
                rest = tail;
            } else if self.templates
                && c == '{'
                && tail.starts_with('{')
                && let Some(end) = tail.find("}}")
            {
                flush(&mut literal, pieces);
                push(&self.value_of(tail[1..end].trim()), pieces);
                rest = &tail[end + 2..];
            } else if c == '$' && tail.starts_with('$') {
                literal.push('$');
                rest = &tail[1..];
            } else if c == '$'
                && let Some((inner, after)) = variable(tail)
            {
                flush(&mut literal, pieces);
                self.variable(inner, depth, pieces);
                rest = after;
            } else {
                literal.push(c);
                rest = tail;
            }
        }
        flush(&mut literal, pieces);
    }

    /// Adds what `NAME`, `NAME:-default` and their like stand for.
    fn variable(&self, inner: &str, depth: usize, pieces: &mut Vec<Piece>) {
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        let (name, operator) = inner.split_at(end);
        if name == "PWD" {
            // The folder of the compose file, as a relative path.
            return pieces.push(Piece::Lit(".".into()));
        }
        let value = (self.setting.variable)(name);
        let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'));
        if !value.is_absent() && (default.is_none() || value.reason().is_none()) {
            return push(&value, pieces);
        }
        match default {
            Some(default) if depth < 8 => self.pieces(default, depth + 1, pieces),
            _ => pieces
                .push(Piece::Hole(format!("the environment variable {name} is set outside the repository").into())),
        }
    }
}

/// The value of an expression, else what it falls back to.
fn known(value: Value, expression: Option<&str>) -> Value {
    if !value.is_absent() && value.reason().is_none() {
        return value;
    }
    match (expression, expression.and_then(default_of)) {
        (_, Some(default)) => Value::known(default),
        (Some(expression), None) if value.is_absent() => {
            Value::unknown(format!("nothing in the repository gives `{}`", shortened(expression)))
        }
        _ => value,
    }
}

/// The number of the expression that a mark stands for.
fn number(mark: char) -> Option<usize> {
    (mark as u32).checked_sub(FIRST_MARK).map(|number| number as usize)
}

fn flush(literal: &mut String, pieces: &mut Vec<Piece>) {
    if !literal.is_empty() {
        pieces.push(Piece::Lit(std::mem::take(literal).into()));
    }
}

fn push(value: &Value, pieces: &mut Vec<Piece>) {
    let unknown: Reason = "it is not known".into();
    match Flat::of(value) {
        Some(flat) => {
            for (at, literal) in flat.text.split(HOLE).enumerate() {
                if at > 0 {
                    pieces.push(Piece::Hole(value.reason().unwrap_or_else(|| unknown.clone())));
                }
                if !literal.is_empty() {
                    pieces.push(Piece::Lit(literal.into()));
                }
            }
        }
        None => pieces.push(Piece::Hole(value.reason().unwrap_or(unknown))),
    }
}

/// The inside of a variable after its `$`, and what follows.
fn variable(text: &str) -> Option<(&str, &str)> {
    let name = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
    let Some(braced) = text.strip_prefix('{') else {
        let length = name(text);
        return (length > 0 && !text.starts_with(|c: char| c.is_ascii_digit())).then(|| text.split_at(length));
    };
    if name(braced) == 0 {
        return None;
    }
    let mut depth = 1;
    let bytes = braced.as_bytes();
    for (at, byte) in bytes.iter().enumerate().take(MAX_VARIABLE) {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => depth += 1,
            b'}' if depth == 1 => return Some((&braced[..at], &braced[at + 1..])),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The literal that an expression falls back to (`x | default('16')`), when that ends it.
fn default_of(expression: &str) -> Option<&str> {
    let (_, filter) = expression.rsplit_once('|')?;
    let filter = filter.trim();
    let inner = filter
        .strip_prefix("default")
        .or_else(|| filter.strip_prefix('d'))?
        .trim_start()
        .strip_prefix('(')?
        .strip_suffix(')')?;
    let inner = inner.split(", true").next()?.trim();
    let quote = inner.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let literal = inner.strip_prefix(quote)?.strip_suffix(quote)?;
    (!literal.contains(quote)).then_some(literal)
}

fn shortened(expression: &str) -> String {
    let mut short: String = expression.trim().chars().take(60).collect();
    if short.len() < expression.trim().len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_marks() {
        let variable = |name: &str| if name == "SET" { Value::known("9") } else { Value::absent() };
        let setting = Setting { variable: &variable, ..Setting::unknown() };
        let hole = |expression: &str| Hole { value: Value::absent(), expression: Some(expression.into()) };
        let holes = [hole("tag | default('1.2')"), hole("other")];
        let reader = Reader { setting, holes: &holes, templates: false };
        for (text, shown) in [
            ("a:${X:-16}", "a:16"),
            ("a:${X:-${Y-b}}c", "a:bc"),
            ("$SET-${SET}-${SET:-0}", "9-9-9"),
            ("${X}/p", "…/p"),
            ("${X:?needed}", "an unknown value"),
            ("cost $$5 $", "cost $5 $"),
            ("${PWD}/a", "./a"),
            ("a:\u{E000}", "a:1.2"),
            ("a:\u{E001}", "a:…"),
            ("\u{E001}", "an unknown value"),
            ("\u{F8FF}/x", "…/x"),
            ("${", "${"),
        ] {
            assert_eq!(reader.read(text).display(), shown, "{text}");
        }
        assert!(reader.read("\u{E001}").reason().unwrap().contains("`other`"));
    }
}
