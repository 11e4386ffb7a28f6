//! Messages: text with `{path}` and `{size(path)}` for facts, `{{` for a brace.

use super::condition::{ConditionError, Env, Members, Path, Scope, Type, members};
use super::subject::{Fact, Subject};
use crate::text::Span;
use std::fmt::Write as _;

/// How many members of a list a message names.
const SHOWN: usize = 3;

/// A message that fits its subject.
#[derive(Debug)]
pub struct Template(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(Box<str>),
    Fact(Path),
    Size(Path),
}

impl Template {
    /// Parses and type-checks.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place in `text`.
    pub fn compile(text: &str, scope: &mut Scope) -> Result<Self, ConditionError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut at = 0;
        while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
            let doubled = text.get(at + 1..).is_some_and(|rest| rest.starts_with(c));
            if (c == '{' || c == '}') && doubled {
                plain.push(c);
                at += 2;
            } else if c == '{' {
                let Some(length) = text.get(at..).and_then(|rest| rest.find('}')) else {
                    let span = Span::new(at, text.len());
                    return Err(ConditionError { span, message: "`{` is not closed; write `{{` for a brace".into() });
                };
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain).into()));
                }
                parts.push(placeholder(text, at + 1, at + length, scope)?);
                at += length + 1;
            } else if c == '}' {
                let span = Span::new(at, at + 1);
                return Err(ConditionError { span, message: "nothing opens this `}`; write `}}` for a brace".into() });
            } else {
                plain.push(c);
                at += c.len_utf8();
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain.into()));
        }
        Ok(Self(parts))
    }

    /// The message for a row.
    #[must_use]
    pub fn render(&self, env: &Env<'_, '_>) -> String {
        let mut message = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => message.push_str(text),
                Part::Fact(path) if path.is_subject() => message.push_str(&name(env.subject())),
                Part::Fact(path) => message.push_str(&show(path.read(env))),
                Part::Size(path) => message.push_str(&count(path.read(env))),
            }
        }
        without_credentials(&message)
    }
}

/// A message without names and passwords in addresses (`https://bot:secret@host/`): reports are read by more people than the files.
fn without_credentials(message: &str) -> String {
    let mut shown = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = after.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(after.len());
        let authority = after.get(..end).unwrap_or_default();
        rest = after;
        if let Some((who, _)) = authority.rsplit_once('@').filter(|(who, _)| who.contains(':')) {
            shown.push_str("…:…");
            rest = after.get(who.len()..).unwrap_or_default();
        }
    }
    shown.push_str(rest);
    shown
}

fn placeholder(text: &str, start: usize, end: usize, scope: &mut Scope) -> Result<Part, ConditionError> {
    let inner = text.get(start..end).unwrap_or_default();
    let (offset, path, size) = match inner.strip_prefix("size(").and_then(|rest| rest.strip_suffix(')')) {
        Some(path) => (start + "size(".len(), path, true),
        None => (start, inner, false),
    };
    let shift = |error: ConditionError| {
        let (start, end) = (error.span.start as usize + offset, error.span.end as usize + offset);
        ConditionError { span: Span::new(start, end), ..error }
    };
    let fail = |message: String| Err(ConditionError { span: Span::new(start, end), message });
    let (path, ty) = Path::compile(path, scope).map_err(shift)?;
    match ty {
        Type::Loc => fail(format!("`{inner}` is a place, which a message cannot show")),
        Type::List(_) | Type::Dyn if size => Ok(Part::Size(path)),
        _ if size => fail(format!("`{}` is {ty} and has no size", path.text())),
        _ => Ok(Part::Fact(path)),
    }
}

/// How a message shows the size of a list.
fn count(fact: Fact<'_>) -> String {
    match members(fact) {
        Members::Known(items, None) => items.len().to_string(),
        Members::Known(items, Some(_)) => format!("at least {}", items.len()),
        Members::Absent => "0".to_owned(),
        Members::Unknown(_) => "an unknown number of".to_owned(),
    }
}

/// How a message shows a fact.
fn show(fact: Fact<'_>) -> String {
    match fact {
        Fact::Bool(value) => value.to_string(),
        Fact::Int(value) => value.to_string(),
        Fact::Str(text) => text.into_owned(),
        Fact::Value(value) if value.as_list().is_none() => value.display(),
        Fact::Node(row) => name(&*row),
        Fact::Absent | Fact::Loc(_) => "nothing".to_owned(),
        Fact::Unknown(_) => "an unknown value".to_owned(),
        list @ (Fact::List(..) | Fact::Value(_)) => match members(list) {
            Members::Known(items, open) => listed(items, open.is_some()),
            Members::Absent => "nothing".to_owned(),
            Members::Unknown(_) => "an unknown value".to_owned(),
        },
    }
}

fn listed(items: Vec<Fact<'_>>, open: bool) -> String {
    let more = items.len().saturating_sub(SHOWN);
    let none = items.is_empty();
    let mut shown = items.into_iter().take(SHOWN).map(show).collect::<Vec<_>>().join(", ");
    // Writing to a string cannot fail.
    let _ = match (more, open) {
        (0, false) if none => write!(shown, "nothing"),
        (0, false) => Ok(()),
        (0, true) if none => write!(shown, "an unknown value"),
        (0, true) => write!(shown, " and perhaps more"),
        (more, _) => write!(shown, " and {more} more"),
    };
    shown
}

/// What a row is called: its address, else its label.
fn name(row: &dyn Subject<'_>) -> String {
    row.address().unwrap_or_else(|| row.label())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::subject::tests::{StorageRow, args, host};
    use crate::value::Tri;

    fn render(text: &str) -> Result<String, (String, String)> {
        let mut scope = Scope::new(StorageRow::schema(), Vec::new(), true);
        let template =
            Template::compile(text, &mut scope).map_err(|error| (error.span.slice(text).to_owned(), error.message))?;
        let host = host();
        let row = StorageRow { host: Some(&host), kind: "bind", holds_data: Tri::True, args: args() };
        Ok(template.render(&Env::new(&row, &[])))
    }

    #[test]
    fn facts_fill_the_message() {
        for (text, shown) in [
            ("{storage.host.name} on {storage.kind}", "db-1 on bind"),
            ("{storage} {storage.host} {{x}} ä", "storage.bind db-1 {x} ä"),
            ("{storage.args.size} {storage.args.what} {storage.args.missing}", "8 an unknown value nothing"),
            ("{storage.args.list}; {storage.args.open}", "a, b; a and perhaps more"),
            ("{size(storage.host.mounts)} of {storage.host.mounts}", "2 of root, bind"),
            ("{size(storage.args.open)} {storage.holds_data}", "at least 1 true"),
        ] {
            assert_eq!(render(text).as_deref(), Ok(shown));
        }
    }

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        for (message, shown) in [
            (
                "from git::https://bot:s3cret@git.example/x.git//ec2 now",
                "from git::https://…:…@git.example/x.git//ec2 now",
            ),
            ("a postgres://u:p@db b https://host:80/a@b:c", "a postgres://…:…@db b https://host:80/a@b:c"),
            ("ssh://git@host/x, https://", "ssh://git@host/x, https://"),
        ] {
            assert_eq!(without_credentials(message), shown);
        }
    }

    #[test]
    fn bad_placeholders_are_named() {
        for (text, span, message) in [
            ("an {storage.knd}", "knd", "no field `knd` on storage; did you mean `kind`?"),
            ("x {size(storage.typ)}", "typ", "no field `typ` on storage; did you mean `type`?"),
            ("{storage", "{storage", "`{` is not closed; write `{{` for a brace"),
            ("a } b", "}", "nothing opens this `}`; write `}}` for a brace"),
            (
                "{storage.declaration}",
                "storage.declaration",
                "`storage.declaration` is a place, which a message cannot show",
            ),
            ("{}", "", "expected a value, found the end"),
        ] {
            assert_eq!(render(text), Err((span.to_owned(), message.to_owned())));
        }
    }
}
