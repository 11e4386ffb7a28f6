//! Functions on strings.

use super::super::eval::{MAX_ITEMS, MAX_TEXT};
use super::super::template::Pieces;
use super::super::types;
use super::{Args, Returned, Stop, closed, format, text};
use crate::value::{Data, Kind, Value};
use regex::Regex;
use std::sync::Arc;

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Returned> {
    Some(match name {
        "upper" => on(args, str::to_uppercase),
        "lower" => on(args, str::to_lowercase),
        "title" => on(args, title),
        "trimspace" => on(args, |text| text.trim().to_owned()),
        "chomp" => on(args, |text| text.trim_end_matches(['\r', '\n']).to_owned()),
        "strrev" => on(args, |text| text.chars().rev().collect()),
        "trim" => with(args, |text, cut| text.trim_matches(|c| cut.contains(c)).to_owned()),
        "trimprefix" => with(args, |text, cut| text.strip_prefix(cut).unwrap_or(text).to_owned()),
        "trimsuffix" => with(args, |text, cut| text.strip_suffix(cut).unwrap_or(text).to_owned()),
        "startswith" => args.value(0).and_then(|value| Ok(super::super::ops::truth(value.starts_with(&args.text(1)?)))),
        "endswith" => args.value(0).and_then(|value| Ok(super::super::ops::truth(value.ends_with(&args.text(1)?)))),
        "strcontains" => args.value(0).and_then(|value| Ok(super::super::ops::truth(value.contains(&args.text(1)?)))),
        "indent" => indent(args),
        "join" => join(args),
        "split" => split(args),
        "replace" => replace(args),
        "substr" => substr(args),
        "regex" => regex(args),
        "regexall" => regexall(args),
        "format" => format::format(args),
        "formatlist" => format::formatlist(args),
        _ => return None,
    })
}

fn on(args: &Args<'_>, apply: impl Fn(&str) -> String) -> Returned {
    Ok(text(&apply(&args.text(0)?)))
}

fn with(args: &Args<'_>, apply: impl Fn(&str, &str) -> String) -> Returned {
    Ok(text(&apply(&args.text(0)?, &args.text(1)?)))
}

fn title(text: &str) -> String {
    let mut before = ' ';
    text.chars()
        .flat_map(|c| {
            let first = !before.is_alphanumeric() && before != '_';
            before = c;
            if first { c.to_uppercase().collect::<Vec<_>>() } else { vec![c] }
        })
        .collect()
}

fn indent(args: &Args<'_>) -> Returned {
    let spaces = " ".repeat(args.position(0)?.min(256));
    let source = args.text(1)?;
    too_long(source.len(), spaces.len())?;
    let lines = source.replace('\n', &format!("\n{spaces}"));
    Ok(text(&lines))
}

/// Unknown members become holes.
fn join(args: &Args<'_>) -> Returned {
    let separator = args.text(0)?;
    let mut out = Pieces::default();
    let mut first = true;
    for value in args.all().iter().skip(1) {
        let list = super::list(value)?;
        closed(list.open.as_ref())?;
        for item in &list.items {
            if !std::mem::take(&mut first) {
                out.text(&separator);
            }
            out.value(item).map_err(Stop::Error)?;
        }
    }
    Ok(out.finish())
}

fn split(args: &Args<'_>) -> Returned {
    let (separator, text) = (args.text(0)?, args.text(1)?);
    let items: Vec<Value> = if text.is_empty() {
        // Splitting nothing gives nothing to iterate over, except one empty string.
        vec![Value::known("")]
    } else if separator.is_empty() {
        text.chars().take(MAX_ITEMS + 1).map(|c| Value::known(c.encode_utf8(&mut [0; 4]) as &str)).collect()
    } else {
        text.split(&*separator).take(MAX_ITEMS + 1).map(Value::known).collect()
    };
    Ok(super::open_list(items, None))
}

/// Refuses what may grow beyond what a text may be, many times over.
fn too_long(count: usize, each: usize) -> Result<(), Stop> {
    if count.saturating_mul(each) > 32 * MAX_TEXT {
        return Err(Stop::Unknown("the text is too long".into()));
    }
    Ok(())
}

fn pattern(source: &str) -> Result<Regex, Stop> {
    regex::RegexBuilder::new(source)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| Stop::Unknown("the regular expression is not understood".into()))
}

fn replace(args: &Args<'_>) -> Returned {
    let (source, from, to) = (args.text(0)?, args.text(1)?, args.text(2)?);
    let wrapped = from.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|_| from.len() > 1);
    let replaced = if let Some(inner) = wrapped {
        // `$0` puts the whole match in for two characters.
        too_long(source.len(), to.len() / 2 + 1)?;
        pattern(inner)?.replace_all(&source, &*to).into_owned()
    } else {
        too_long(source.matches(&*from).count(), to.len())?;
        source.replace(&*from, &to)
    };
    Ok(text(&replaced))
}

fn substr(args: &Args<'_>) -> Returned {
    let source = args.text(0)?;
    let (offset, length) = (args.whole(1)?, args.whole(2)?);
    let count = source.chars().count();
    let start = match usize::try_from(offset) {
        Ok(start) => start,
        Err(_) => count.saturating_sub(usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(text(&source.chars().skip(start).take(length).collect::<String>()))
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

fn regex(args: &Args<'_>) -> Returned {
    let pattern = pattern(&args.text(0)?)?;
    let source = args.text(1)?;
    let captures = pattern.captures(&source).ok_or(Stop::Error("the pattern matches nothing".into()))?;
    Ok(captured(&pattern, &captures))
}

fn regexall(args: &Args<'_>) -> Returned {
    let pattern = pattern(&args.text(0)?)?;
    let source = args.text(1)?;
    Ok(super::open_list(
        pattern.captures_iter(&source).take(MAX_ITEMS + 1).map(|captures| captured(&pattern, &captures)).collect(),
        None,
    ))
}

/// How many members or characters a value has.
pub(super) fn length(value: &Value) -> Returned {
    match super::known(value)? {
        Data::List(list) => closed(list.open.as_ref()).map(|()| Value::known(types::float(list.items.len()))),
        Data::Map(map) => closed(map.open.as_ref()).map(|()| Value::known(types::float(map.entries.len()))),
        Data::Null => Err("length() of null".into()),
        data => Ok(Value::known(types::float(data.scalar().unwrap_or_default().chars().count()))),
    }
}

/// Whether a value is an empty string or null.
pub(super) fn is_blank(value: &Value) -> Option<bool> {
    match &value.kind {
        Kind::Known(Data::Null) | Kind::Absent => Some(true),
        Kind::Known(Data::Str(text)) => Some(text.is_empty()),
        // Some piece of a text is known and not empty.
        Kind::Known(_) | Kind::Text(_) => Some(false),
        Kind::Unknown(_) | Kind::OneOf(_) => None,
    }
}
