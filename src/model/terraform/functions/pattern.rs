//! Regular expressions: those of RE2, which Terraform uses, written as `regex` reads them.

use super::super::eval::MAX_ITEMS;
use super::{Args, Returned, Stop};
use crate::value::{Data, Value};
use regex::Regex;
use std::sync::Arc;

/// Compiles a pattern.
pub(super) fn compiled(source: &str) -> Result<Regex, Stop> {
    let mut translation = Translation { rest: source, out: String::with_capacity(source.len() + 16), repeated: false };
    translation.run()?;
    regex::RegexBuilder::new(&translation.out)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| Stop::Unknown("the regular expression is not understood".into()))
}

/// In RE2 `\d`, `\w`, `\s` and `\b` are of ASCII, brackets do not nest, `\Q…\E` quotes, and a brace may stand for itself.
struct Translation<'a> {
    rest: &'a str,
    out: String,
    /// Something was just repeated, which cannot be repeated again.
    repeated: bool,
}

impl Translation<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        while let Some(c) = self.rest.chars().next() {
            let repeated = std::mem::take(&mut self.repeated);
            match c {
                '\\' => self.escape(false),
                '[' => self.class(),
                '{' => {
                    if let Some(length) = self.count() {
                        self.repeat(length, repeated)?;
                    } else {
                        self.out.push('\\');
                        self.take(1);
                    }
                }
                '*' | '+' | '?' => self.repeat(1, repeated)?,
                '(' => {
                    let flags = self.rest.strip_prefix("(?").and_then(|rest| rest.split([':', ')', '<', 'P']).next());
                    if flags.is_some_and(|flags| flags.contains(['x', 'u', 'R'])) {
                        return Err("the regular expression has a flag that RE2 has not".into());
                    }
                    let group = if self.rest.starts_with("(?") { 2 } else { 1 };
                    self.take(group);
                }
                c => self.take(c.len_utf8()),
            }
        }
        Ok(())
    }

    /// Moves text over as it is.
    fn take(&mut self, length: usize) {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.out.push_str(taken);
        self.rest = rest;
    }

    /// A repetition, with the mark that makes it lazy.
    fn repeat(&mut self, length: usize, repeated: bool) -> Result<(), Stop> {
        if repeated {
            return Err("the regular expression repeats a repetition".into());
        }
        self.take(length);
        if self.rest.starts_with('?') {
            self.take(1);
        }
        self.repeated = true;
        Ok(())
    }

    /// The length of `{2}`, `{2,}` or `{2,3}`.
    fn count(&self) -> Option<usize> {
        let inside = self.rest.get(1..self.rest.find('}')?)?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
        (!least.is_empty() && digits(least) && digits(most)).then_some(inside.len() + 2)
    }

    fn escape(&mut self, in_class: bool) {
        let after = self.rest.get(1..).unwrap_or("");
        let Some(escaped) = after.chars().next() else { return self.take(1) };
        if let Some(quoted) = after.strip_prefix('Q') {
            let end = quoted.find("\\E");
            self.out.push_str(&regex::escape(quoted.get(..end.unwrap_or(quoted.len())).unwrap_or("")));
            self.rest = end.and_then(|end| quoted.get(end + 2..)).unwrap_or("");
            return;
        }
        self.out.push_str(&escape(escaped, in_class));
        self.rest = after.get(escaped.len_utf8()..).unwrap_or("");
        // The braces of `\p{…}` and `\x{…}` are no repetition.
        if matches!(escaped, 'p' | 'P' | 'x') && self.rest.starts_with('{') {
            self.take(self.rest.find('}').map_or(self.rest.len(), |end| end + 1));
        }
    }

    /// A class in brackets.
    fn class(&mut self) {
        self.take(1);
        if self.rest.starts_with('^') {
            self.take(1);
        }
        // A bracket that comes first is a member.
        if self.rest.starts_with(']') {
            self.out.push('\\');
            self.take(1);
        }
        while let Some(c) = self.rest.chars().next() {
            match c {
                '\\' => self.escape(true),
                '[' if self.rest.starts_with("[:") => {
                    let end = self.rest.find(":]").map_or(1, |end| end + 2);
                    self.take(end);
                }
                ']' => return self.take(1),
                '[' | '&' | '~' => {
                    self.out.push('\\');
                    self.take(1);
                }
                c => self.take(c.len_utf8()),
            }
        }
    }
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
