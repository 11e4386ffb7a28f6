//! Regular expressions: those of RE2, which Terraform uses, written as `regex` reads them.

use super::super::eval::MAX_ITEMS;
use super::{Args, Returned, Stop};
use crate::value::{Data, Value};
use regex::Regex;
use std::sync::Arc;

/// Compiles a pattern.
pub(super) fn compiled(source: &str) -> Result<Regex, Stop> {
    regex::RegexBuilder::new(&translated(source))
        .size_limit(1 << 20)
        .build()
        .map_err(|_| Stop::Unknown("the regular expression is not understood".into()))
}

/// In RE2 `\d`, `\w`, `\s` and `\b` are of ASCII, brackets do not nest, and `\Q…\E` quotes.
fn translated(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut rest = source;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        let after = rest.get(length..).unwrap_or("");
        match c {
            '\\' => {
                let escaped = after.chars().next();
                length += escaped.map_or(0, char::len_utf8);
                match escaped {
                    Some('Q') => {
                        let quoted = after.get(1..).unwrap_or("");
                        let end = quoted.find("\\E");
                        out.push_str(&regex::escape(quoted.get(..end.unwrap_or(quoted.len())).unwrap_or("")));
                        length = end.map_or(rest.len(), |end| end + 4);
                    }
                    Some(escaped) => out.push_str(&escape(escaped, in_class)),
                    None => out.push('\\'),
                }
            }
            '[' if in_class && after.starts_with(':') => {
                let end = after.find(":]").map_or(0, |end| end + 2);
                length += end;
                out.push('[');
                out.push_str(after.get(..end).unwrap_or(""));
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                // A bracket that comes first is a member.
                let negated = usize::from(after.starts_with('^'));
                out.push_str(after.get(..negated).unwrap_or(""));
                length += negated;
                if after.get(negated..).is_some_and(|after| after.starts_with(']')) {
                    out.push_str("\\]");
                    length += 1;
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '[' | '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        rest = rest.get(length..).unwrap_or("");
    }
    out
}

/// What follows a backslash.
fn escape(escaped: char, in_class: bool) -> String {
    let class = |inside: &str| if in_class { inside.to_owned() } else { format!("[{inside}]") };
    match escaped {
        'd' => class("0-9"),
        'w' => class("0-9A-Za-z_"),
        's' => class("\\t\\n\\f\\r "),
        'D' => "[^0-9]".to_owned(),
        'W' => "[^0-9A-Za-z_]".to_owned(),
        'S' => "[^\\t\\n\\f\\r ]".to_owned(),
        'b' => "(?-u:\\b)".to_owned(),
        'B' => "(?-u:\\B)".to_owned(),
        '<' | '>' => escaped.to_string(),
        other => format!("\\{other}"),
    }
}

/// What a match comes to: its text, its groups, or its named groups.
fn captured(pattern: &Regex, captures: &regex::Captures<'_>) -> Value {
    let group = |found: Option<regex::Match<'_>>| match found {
        Some(found) => Value::known(found.as_str()),
        None => Value::known(Data::Null),
    };
    if pattern.captures_len() == 1 {
        return group(captures.get(0));
    }
    let names: Vec<&str> = pattern.capture_names().flatten().collect();
    if names.is_empty() {
        return Value::list(captures.iter().skip(1).map(group).collect());
    }
    Value::map(names.into_iter().map(|name| (Arc::from(name), group(captures.name(name)))).collect())
}

/// The pattern of a call; groups are either all named or all without a name.
fn of_call(args: &Args<'_>) -> Result<Regex, Stop> {
    let pattern = compiled(&args.text(0)?)?;
    let named = pattern.capture_names().flatten().count();
    if named > 0 && named + 1 < pattern.captures_len() {
        return Err("some groups have names and some have not".into());
    }
    Ok(pattern)
}

pub(super) fn regex(args: &Args<'_>) -> Returned {
    let pattern = of_call(args)?;
    let source = args.text(1)?;
    let captures = pattern.captures(&source).ok_or(Stop::Error("the pattern matches nothing".into()))?;
    Ok(captured(&pattern, &captures))
}

pub(super) fn regexall(args: &Args<'_>) -> Returned {
    let pattern = of_call(args)?;
    let source = args.text(1)?;
    let found = pattern.captures_iter(&source).take(MAX_ITEMS + 1).map(|captures| captured(&pattern, &captures));
    Ok(super::shaped(found.collect(), None, crate::value::Shape::Uniform))
}
