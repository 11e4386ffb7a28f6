//! The functions of make that say which words a recipe has.

use super::{Lookup, MAX_DEPTH, MAX_LINE, expand_make};
use crate::text::{Mapped, Span};

/// So many turns of a `foreach` are taken.
const MAX_TURNS: usize = 16;

/// Functions that are worked out; all others are holes.
const FUNCTIONS: [&str; 8] = ["foreach", "call", "if", "or", "and", "strip", "addprefix", "addsuffix"];

/// Whether what stands in brackets calls one of them.
pub(super) fn is_function(inner: &str) -> bool {
    inner.split_once([' ', '\t']).is_some_and(|(name, _)| FUNCTIONS.contains(&name))
}

/// Works a call out: `reference` is what stands behind the dollar sign.
pub(super) fn work_out(lookup: &Lookup<'_>, reference: &str, here: Span, out: &mut Mapped, depth: u32) {
    let inner = reference.get(1..reference.len().saturating_sub(1)).unwrap_or("");
    let Some((name, given)) = inner.split_once([' ', '\t']).filter(|_| may_grow(out, depth)) else {
        out.push_hole(here);
        return;
    };
    let parts = parts(given);
    let mut put = |text: &str, trim: bool| {
        let text = if trim { text.trim() } else { text };
        expand_make(lookup, text, None, here, out, depth + 3);
    };
    match (name, parts.as_slice()) {
        ("foreach", _) => repeated(lookup, inner, here, out, depth),
        ("call", _) => called(lookup, inner, here, out, depth),
        ("strip", _) => put(given, true),
        ("if", [condition, then, other @ ..]) => match truth(lookup, condition) {
            Some(true) => put(then, true),
            Some(false) => put(other.first().copied().unwrap_or(""), true),
            // What is there unless somebody sets the condition; where that is nothing, a command is meant to run all the same,
            // while a flag is left to whoever sets it.
            None => match other.first().copied().filter(|text| !text.trim().is_empty()) {
                Some(other) => put(other, true),
                None if then.trim().starts_with('-') => {}
                None => put(then, true),
            },
        },
        ("or", parts) => {
            let holds = |part: &&&str| truth(lookup, part) != Some(false) && !unset(lookup, part);
            if let Some(part) = parts.iter().find(holds) {
                put(part, true);
            }
        }
        ("and", parts) => match parts.last() {
            Some(last) if parts.iter().all(|part| truth(lookup, part) == Some(true)) => put(last, true),
            _ => out.push_hole(here),
        },
        ("addprefix" | "addsuffix", [fix, words]) if !words.contains('$') => {
            for word in words.split_whitespace().take(MAX_TURNS) {
                let whole = if name == "addprefix" { format!("{fix}{word} ") } else { format!("{word}{fix} ") };
                put(&whole, false);
            }
        }
        _ => out.push_hole(here),
    }
}

/// The arguments of a call: parts between commas that stand in no brackets.
fn parts(given: &str) -> Vec<&str> {
    let (mut parts, mut from, mut open) = (Vec::new(), 0, 0_u32);
    for (at, byte) in given.bytes().enumerate() {
        match byte {
            b'(' | b'{' => open += 1,
            b')' | b'}' => open = open.saturating_sub(1),
            b',' if open == 0 => {
                parts.push(&given[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&given[from..]);
    parts
}

/// Whether a condition is a plain variable that nothing in the file sets.
fn unset(lookup: &Lookup<'_>, part: &str) -> bool {
    variable(part).is_some_and(|name| !lookup.index.contains_key(name))
}

fn variable(part: &str) -> Option<&str> {
    let inner = part.trim().strip_prefix("$(")?.strip_suffix(')')?;
    inner.chars().all(|c| c.is_ascii_alphanumeric() || c == '_').then_some(inner)
}

/// Whether make takes a condition to hold: it is not empty.
fn truth(lookup: &Lookup<'_>, part: &str) -> Option<bool> {
    let text = part.trim();
    if !text.contains('$') {
        return Some(!text.is_empty());
    }
    let value = lookup.get(variable(text)?)?;
    (!value.contains('$')).then(|| !value.trim().is_empty())
}

/// `$(foreach name,words,text)`: the text once for each word, where the words are written down.
fn repeated(lookup: &Lookup<'_>, call: &str, here: Span, out: &mut Mapped, depth: u32) {
    let mut parts = call.trim_start_matches("foreach ").splitn(3, ',');
    let (Some(name), Some(words), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
        out.push_hole(here);
        return;
    };
    if words.contains('$') {
        out.push_hole(here);
        return;
    }
    let name = name.trim();
    for word in words.split_whitespace().take(MAX_TURNS) {
        let Some(filled) = put_in(text, name, word).filter(|_| may_grow(out, depth)) else {
            break;
        };
        expand_make(lookup, &filled, None, here, out, depth + 3);
        out.push_for(" ", here);
    }
}

/// Whether one more function may be worked out: each copies its text, so there are fewer of them than of plain variables.
fn may_grow(out: &Mapped, depth: u32) -> bool {
    depth < MAX_DEPTH && out.text.len() < MAX_LINE / 16
}

/// The text with a word for `$(name)` and `${name}`, unless that grows too long.
fn put_in(text: &str, name: &str, word: &str) -> Option<String> {
    let references = [format!("$({name})"), format!("${{{name}}}")];
    let count: usize = references.iter().map(|reference| text.matches(reference.as_str()).count()).sum();
    let short = count.saturating_mul(word.len()).saturating_add(text.len()) < MAX_LINE;
    short.then(|| references.iter().fold(text.to_owned(), |text, reference| text.replace(reference.as_str(), word)))
}

/// `$(call name,a,b)`: the value of the variable with what it is given as `$(1)`, `$(2)`.
fn called(lookup: &Lookup<'_>, call: &str, here: Span, out: &mut Mapped, depth: u32) {
    let mut given = call.trim_start_matches("call ").split(',');
    let value = given.next().and_then(|name| lookup.get(name.trim()));
    let mut filled = value.filter(|_| may_grow(out, depth)).map(str::to_owned);
    for (at, text) in given.enumerate().take(9) {
        filled = filled.and_then(|value| put_in(&value, &(at + 1).to_string(), text.trim()));
    }
    match filled {
        Some(filled) => expand_make(lookup, &filled, None, here, out, depth + 3),
        None => out.push_hole(here),
    }
}
