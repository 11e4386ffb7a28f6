//! Functions on strings.

use super::super::eval::{MAX_ITEMS, MAX_TEXT};
use super::super::ops;
use super::super::template::Pieces;
use super::super::types::{self, Ty};
use super::{Args, Returned, Stop, closed, format, pattern, text};
use crate::value::{Data, Kind, Shape, Tri, Value};
use unicode_segmentation::UnicodeSegmentation as _;

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Returned> {
    Some(match name {
        "upper" => on(args, |text| text.chars().map(upper).collect()),
        "lower" => on(args, |text| text.chars().map(lower).collect()),
        "title" => on(args, title),
        "trimspace" => on(args, |text| text.trim().to_owned()),
        "chomp" => on(args, |text| text.trim_end_matches(['\r', '\n']).to_owned()),
        "strrev" => on(args, |text| text.graphemes(true).rev().collect()),
        "trim" => with(args, |text, cut| text.trim_matches(|c| cut.contains(c)).to_owned()),
        "trimprefix" => with(args, |text, cut| text.strip_prefix(cut).unwrap_or(text).to_owned()),
        "trimsuffix" => with(args, |text, cut| text.strip_suffix(cut).unwrap_or(text).to_owned()),
        "startswith" => asked(args, Value::starts_with),
        "endswith" => asked(args, Value::ends_with),
        "strcontains" => asked(args, Value::contains),
        "indent" => indent(args),
        "join" => join(args),
        "split" => split(args),
        "replace" => replace(args),
        "substr" => substr(args),
        "regex" => pattern::regex(args),
        "regexall" => pattern::regexall(args),
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

/// A question that a partly known text may answer.
fn asked(args: &Args<'_>, question: impl Fn(&Value, &str) -> Tri) -> Returned {
    let text = args.converted(0, &Ty::Str)?;
    if text.is_absent() {
        return Err("an argument is null".into());
    }
    Ok(ops::truth(question(&text, &args.text(1)?)))
}

/// One letter for one: `ß` stays.
fn upper(c: char) -> char {
    let mut letters = c.to_uppercase();
    letters.next().filter(|_| letters.len() == 0).unwrap_or(c)
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn title(text: &str) -> String {
    let mut before = ' ';
    text.chars()
        .map(|c| {
            let first = !before.is_alphanumeric() && before != '_';
            before = c;
            match c {
                c if !first => c,
                // Two letters in one have a form of their own for titles.
                'Ǆ'..='ǆ' => 'ǅ',
                'Ǉ'..='ǉ' => 'ǈ',
                'Ǌ'..='ǌ' => 'ǋ',
                'Ǳ'..='ǳ' => 'ǲ',
                c => upper(c),
            }
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
    let items: Vec<Value> = if separator.is_empty() {
        text.chars().take(MAX_ITEMS + 1).map(|c| Value::known(c.encode_utf8(&mut [0; 4]) as &str)).collect()
    } else {
        text.split(&*separator).take(MAX_ITEMS + 1).map(Value::known).collect()
    };
    Ok(super::shaped(items, None, Shape::Uniform))
}

/// Refuses what may grow beyond what a text may be, many times over.
fn too_long(count: usize, each: usize) -> Result<(), Stop> {
    if count.saturating_mul(each) > 32 * MAX_TEXT {
        return Err(Stop::Unknown("the text is too long".into()));
    }
    Ok(())
}

fn replace(args: &Args<'_>) -> Returned {
    let (source, from, to) = (args.text(0)?, args.text(1)?, args.text(2)?);
    let wrapped = from.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|_| from.len() > 1);
    let replaced = if let Some(inner) = wrapped {
        // `$0` puts the whole match in for two characters.
        too_long(source.len(), to.len() / 2 + 1)?;
        pattern::compiled(inner)?.replace_all(&source, &*to).into_owned()
    } else {
        too_long(source.matches(&*from).count(), to.len())?;
        source.replace(&*from, &to)
    };
    Ok(text(&replaced))
}

fn substr(args: &Args<'_>) -> Returned {
    let source = args.text(0)?;
    let (offset, length) = (args.whole(1)?, args.whole(2)?);
    let clusters: Vec<&str> = source.graphemes(true).collect();
    let count = clusters.len();
    let start = match usize::try_from(offset) {
        Ok(start) => start,
        Err(_) => count.saturating_sub(usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(text(&clusters.into_iter().skip(start).take(length).collect::<String>()))
}

/// How many members or characters a value has.
pub(super) fn length(value: &Value) -> Returned {
    match super::known(value)? {
        Data::List(list) => {
            closed(list.open.as_ref())?;
            // What is not known of a set may be there already.
            if list.shape == Shape::Set && list.items.len() > 1 {
                list.items.iter().try_for_each(|item| super::known(item).map(drop))?;
            }
            Ok(Value::known(types::float(list.items.len())))
        }
        Data::Map(map) => closed(map.open.as_ref()).map(|()| Value::known(types::float(map.entries.len()))),
        Data::Str(text) => Ok(Value::known(types::float(text.graphemes(true).count()))),
        _ => Err("length() needs a string or a collection".into()),
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
