//! Filters and tests with regular expressions, as Python's `re` reads them.

use super::super::ops::{plain, truth};
use super::super::val::{MAX_TEXT, Res, V, Val};
use super::{Args, Row, string, within};
use crate::value::{Piece, Reason, Tri};
use regex::{Captures, Regex, RegexBuilder};

pub(super) const FILTERS: &[Row] = &[
    ("regex_replace", &["pattern", "replacement", "ignorecase", "multiline", "count", "mandatory_count"], replace),
    ("regex_search", &["regex", "*", "ignorecase", "multiline"], search),
    ("regex_findall", &["regex", "multiline", "ignorecase"], findall),
    ("regex_escape", &["re_type"], escape),
];

/// A pattern of Python as one of ours.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    let mut class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('Z') => out.push_str("\\z"),
                // Letters that mean nothing here stay as they are; signs stand for themselves.
                Some(sign) if sign.is_ascii_punctuation() => {
                    if matches!(
                        sign,
                        '<' | '>' | '_' | '"' | '\'' | '`' | ',' | ';' | ':' | '=' | '!' | '@' | '%' | '/'
                    ) {
                        out.push(sign);
                    } else {
                        out.extend(['\\', sign]);
                    }
                }
                Some(' ') => out.push(' '),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' if class => out.push_str("\\["),
            '[' => {
                class = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    out.extend(chars.next());
                }
                if chars.peek() == Some(&']') {
                    chars.next();
                    out.push_str("\\]");
                }
            }
            ']' if class => {
                class = false;
                out.push(']');
            }
            '&' | '~' if class => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Compiles a pattern for a text. What `re` reads in another way, or not at all, is an error.
pub(in super::super) fn compile(pattern: &str, text: &str, ignorecase: bool, multiline: bool) -> Res<Regex> {
    // Before a line break at the end, `$` holds in Python only.
    if pattern.contains('$') && !multiline && text.ends_with('\n') {
        return Err("a pattern with `$` over a text that ends a line is not evaluated".into());
    }
    RegexBuilder::new(&translated(pattern))
        .case_insensitive(ignorecase)
        .multi_line(multiline)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| format!("the pattern `{pattern}` is not evaluated").into())
}

fn flags(args: &Args<'_>) -> Res<(bool, bool)> {
    Ok((args.flag("ignorecase", false)?, args.flag("multiline", false)?))
}

/// A replacement of Python, with what its groups hold.
fn expand(replacement: &str, found: &Captures<'_>, out: &mut String) -> Res<()> {
    let group = |group: Option<regex::Match<'_>>| group.map_or("", |group| group.as_str()).to_owned();
    let mut rest = replacement;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let next = rest.chars().next().ok_or("the replacement ends too early")?;
        if next.is_ascii_digit() && next != '0' {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()).min(2);
            let number: usize = rest[..end].parse().map_err(|_| "a group is not understood")?;
            if number >= found.len() {
                return Err("the replacement names a group that the pattern has not".into());
            }
            out.push_str(&group(found.get(number)));
            rest = &rest[end..];
            continue;
        }
        if let Some(inside) = rest.strip_prefix("g<") {
            let (name, after) = inside.split_once('>').ok_or("a group is not closed")?;
            match name.parse::<usize>() {
                Ok(number) if number < found.len() => out.push_str(&group(found.get(number))),
                Ok(_) => return Err("the replacement names a group that the pattern has not".into()),
                Err(_) => out.push_str(&group(found.name(name))),
            }
            rest = after;
            continue;
        }
        match next {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            '\\' => out.push('\\'),
            other if other.is_ascii_alphanumeric() => {
                return Err("an escape of the replacement is not understood".into());
            }
            other => out.extend(['\\', other]),
        }
        rest = &rest[next.len_utf8()..];
    }
    out.push_str(rest);
    Ok(())
}

fn replace(of: &Val, args: &Args<'_>) -> Res {
    let text = plain(of)?;
    let pattern = args.get("pattern").map_or_else(|| Ok("".into()), string)?;
    let replacement = args.get("replacement").map_or_else(|| Ok("".into()), string)?;
    let (ignorecase, multiline) = flags(args)?;
    let regex = compile(&pattern, &text, ignorecase, multiline)?;
    let count = usize::try_from(args.int("count")?.unwrap_or(0)).unwrap_or(0);
    let (mut out, mut from, mut done) = (String::new(), 0, 0_i64);
    for found in regex.captures_iter(&text).take(if count == 0 { usize::MAX } else { count }) {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(&text[from..whole.start()]);
        expand(&replacement, &found, &mut out)?;
        from = whole.end();
        done += 1;
        if out.len() > MAX_TEXT {
            return Err("the text grows too long".into());
        }
    }
    if args.int("mandatory_count")?.is_some_and(|wanted| wanted != 0 && wanted != done) {
        return Err("the pattern does not match as often as it must".into());
    }
    // Python also replaces an empty match right after another one.
    if regex.is_match("") && !text.is_empty() && !pattern.starts_with('^') {
        return Err("a pattern that matches nothing is not evaluated".into());
    }
    out.push_str(&text[from..]);
    within(out)
}

fn search(of: &Val, args: &Args<'_>) -> Res {
    let (text, pattern) = (plain(of)?, string(args.need("regex")?)?);
    let (ignorecase, multiline) = flags(args)?;
    let regex = compile(&pattern, &text, ignorecase, multiline)?;
    let Some(found) = regex.captures(&text) else { return Ok(Val::null()) };
    let of_group = |group: Option<regex::Match<'_>>| group.map_or_else(Val::null, |group| group.as_str().into());
    if args.rest.is_empty() {
        return Ok(of_group(found.get(0)));
    }
    let mut groups = Vec::new();
    for wanted in &args.rest {
        let wanted = string(wanted)?;
        let name =
            wanted.strip_prefix("\\g<").and_then(|rest| rest.strip_suffix('>')).or_else(|| wanted.strip_prefix('\\'));
        let name = name.ok_or("a group is not understood")?;
        groups.push(match name.parse::<usize>() {
            Ok(at) if at < found.len() => of_group(found.get(at)),
            Err(_) if regex.capture_names().flatten().any(|own| own == name) => of_group(found.name(name)),
            _ => return Err("there is no such group".into()),
        });
    }
    Ok(Val::list(groups))
}

fn findall(of: &Val, args: &Args<'_>) -> Res {
    let (text, pattern) = (plain(of)?, string(args.need("regex")?)?);
    let (ignorecase, multiline) = flags(args)?;
    let regex = compile(&pattern, &text, ignorecase, multiline)?;
    let group = |found: &Captures<'_>, at: usize| Val::from(found.get(at).map_or("", |group| group.as_str()));
    let mut all = Vec::new();
    for found in regex.captures_iter(&text) {
        args.spend(1)?;
        all.push(match found.len() {
            1 => group(&found, 0),
            2 => group(&found, 1),
            groups => Val::tuple((1..groups).map(|at| group(&found, at)).collect()),
        });
    }
    Ok(Val::list(all))
}

fn escape(of: &Val, args: &Args<'_>) -> Res {
    let text = plain(of)?;
    let set = match args.text("re_type")?.as_deref().unwrap_or("python") {
        "python" => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        "posix_basic" => "].[^$*\\",
        _ => return Err("the kind of pattern is not known".into()),
    };
    let mut out = String::new();
    for c in text.chars() {
        if set.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    within(out)
}

/// `match` (from the start), `search` and `regex` as tests.
pub(in super::super) fn test(name: &str, of: &Val, args: &[Val], kwargs: &[(Box<str>, Val)]) -> Tri {
    let tested = || -> Res<Tri> {
        let pattern =
            args.first().or_else(|| kwargs.iter().find(|(own, _)| &**own == "pattern").map(|(_, value)| value));
        let pattern = string(pattern.ok_or("the pattern is missing")?)?;
        let flag = |at: usize, name: &str| {
            let given = args.get(at).or_else(|| kwargs.iter().find(|(own, _)| **own == *name).map(|(_, value)| value));
            given.map_or(Ok(false), |value| match truth(value) {
                Tri::Unknown(reason) => Err(reason),
                value => Ok(value.is_true()),
            })
        };
        let (ignorecase, multiline) = (flag(1, "ignorecase")?, flag(2, "multiline")?);
        let kind = kwargs.iter().find(|(own, _)| &**own == "match_type").map(|(_, value)| plain(value)).transpose()?;
        let start = name == "match" || kind.as_deref() == Some("match");
        if kind.as_deref() == Some("fullmatch") {
            return Err("a full match is not evaluated".into());
        }
        let pattern = if start { format!("\\A(?:{pattern})") } else { pattern.to_string() };
        if let V::Text(pieces) = &of.v {
            return partly(&pattern, pieces, ignorecase, of, start);
        }
        let text = plain(of)?;
        Ok(compile(&pattern, &text, ignorecase, multiline)?.is_match(&text).into())
    };
    tested().unwrap_or_else(Tri::Unknown)
}

/// A match inside known text stands whatever the holes hold, unless it leans on an end.
fn partly(pattern: &str, pieces: &[Piece], ignorecase: bool, of: &Val, start: bool) -> Res<Tri> {
    let regex = compile(pattern, "", ignorecase, false)?;
    let inner = pattern.strip_prefix("\\A").unwrap_or(pattern);
    let leans = inner.contains(['^', '$'])
        || ["\\b", "\\B", "\\A", "\\Z", "(?"].iter().any(|sign| inner.trim_start_matches("(?:").contains(sign));
    let mut known = pieces.iter().take(if start { 1 } else { usize::MAX });
    let found = known.any(|piece| matches!(piece, Piece::Lit(text) if regex.is_match(text)));
    if found && !leans { Ok(Tri::True) } else { Err(Reason::clone(&of.not("known text"))) }
}
