//! `format` and `formatlist`.

use super::super::eval::{MAX_ITEMS, MAX_TEXT};
use super::super::template::Pieces;
use super::super::types;
use super::{Args, Returned, Stop, known};
use crate::value::{Data, Kind, Value, number};
use std::fmt::Write as _;

#[derive(Default)]
struct Verb {
    plus: bool,
    minus: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    argument: Option<usize>,
    letter: char,
}

/// Reads one verb; `rest` starts behind the `%`.
fn verb(rest: &str) -> Option<(Verb, &str)> {
    let mut verb = Verb::default();
    let mut digits = String::new();
    let mut in_precision = false;
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '-' => verb.minus = true,
            '+' => verb.plus = true,
            ' ' | '#' => {}
            '0' if digits.is_empty() && !in_precision => verb.zero = true,
            '0'..='9' => digits.push(c),
            '.' => {
                verb.width = digits.parse().unwrap_or(0);
                digits.clear();
                in_precision = true;
            }
            '[' => {
                let inside = rest.get(at + 1..)?;
                let end = inside.find(']')?;
                verb.argument = inside.get(..end)?.parse().ok();
                for _ in 0..=end {
                    chars.next();
                }
            }
            letter => {
                if in_precision {
                    verb.precision = Some(digits.parse().unwrap_or(0));
                } else {
                    verb.width = digits.parse().unwrap_or(0);
                }
                verb.letter = letter;
                return Some((verb, rest.get(at + letter.len_utf8()..)?));
            }
        }
    }
    None
}

fn rendered(verb: &Verb, data: &Data) -> Result<String, Stop> {
    let numeric = || super::super::ops::numeric(data).map_err(Stop::Error);
    let whole = || {
        numeric().and_then(|number| types::whole(number.trunc()).ok_or(Stop::Error("a whole number is needed".into())))
    };
    let mut out = match verb.letter {
        's' => data.scalar().ok_or(Stop::Error("%s needs a string".into()))?.to_string(),
        'v' => match data.scalar() {
            Some(text) => text.to_string(),
            None => super::encoding::json(&Value::known(data.clone()))?
                .scalar()
                .map(|text| text.to_string())
                .unwrap_or_default(),
        },
        'q' => format!("\"{}\"", data.scalar().unwrap_or_default().replace('\\', "\\\\").replace('"', "\\\"")),
        'd' => whole()?.to_string(),
        'x' => match data {
            Data::Str(text) => text.bytes().fold(String::new(), |mut out, byte| {
                // Writing to a string cannot fail.
                let _ = write!(out, "{byte:02x}");
                out
            }),
            _ => format!("{:x}", whole()?),
        },
        'X' => format!("{:X}", whole()?),
        'o' => format!("{:o}", whole()?),
        'b' => format!("{:b}", whole()?),
        'f' => format!("{:.*}", verb.precision.unwrap_or(6).min(64), numeric()?),
        'e' | 'g' => number(numeric()?),
        't' => super::super::ops::boolean(data).map_err(Stop::Error)?.to_string(),
        _ => return Err("format() does not know the verb".into()),
    };
    if verb.letter == 's'
        && let Some(precision) = verb.precision
    {
        out = out.chars().take(precision).collect();
    }
    if verb.plus && !out.starts_with('-') && matches!(verb.letter, 'd' | 'f') {
        out.insert(0, '+');
    }
    Ok(padded(out, verb))
}

fn padded(out: String, verb: &Verb) -> String {
    let missing = verb.width.min(1024).saturating_sub(out.chars().count());
    match (verb.minus, verb.zero) {
        _ if missing == 0 => out,
        (true, _) => out + &" ".repeat(missing),
        (false, true) => {
            let sign = usize::from(out.starts_with(['-', '+']));
            let (sign, digits) = out.split_at(sign);
            format!("{sign}{}{digits}", "0".repeat(missing))
        }
        (false, false) => " ".repeat(missing) + &out,
    }
}

/// Unknown arguments become holes.
fn fill(template: &str, values: &[Value]) -> Returned {
    let mut out = Pieces::default();
    let mut rest = template;
    let mut next = 0;
    while let Some((before, after)) = rest.split_once('%') {
        out.text(before);
        if let Some(after) = after.strip_prefix('%') {
            out.text("%");
            rest = after;
            continue;
        }
        let (verb, after) = verb(after).ok_or(Stop::Error("format() does not understand its template".into()))?;
        if let Some(argument) = verb.argument {
            next = argument.saturating_sub(1);
        }
        let value = values.get(next).ok_or(Stop::Error("format() has too few arguments".into()))?;
        next += 1;
        match &value.kind {
            Kind::Known(data) => out.text(&rendered(&verb, data)?),
            Kind::Text(_) if matches!(verb.letter, 's' | 'v') => out.value(value).map_err(Stop::Error)?,
            _ => out.hole(value.reason().unwrap_or_else(|| "an argument is not given".into())),
        }
        rest = after;
    }
    out.text(rest);
    Ok(out.finish())
}

pub(super) fn format(args: &Args<'_>) -> Returned {
    fill(&args.text(0)?, args.all().get(1..).unwrap_or(&[]))
}

/// Lists are walked together, scalars repeated.
pub(super) fn formatlist(args: &Args<'_>) -> Returned {
    let template = args.text(0)?;
    let values = args.all().get(1..).unwrap_or(&[]);
    let mut count = None;
    for value in values {
        match known(value) {
            Ok(Data::List(list)) => {
                super::closed(list.open.as_ref())?;
                if count.is_some_and(|count| count != list.items.len()) {
                    return Err("formatlist() needs lists of one length".into());
                }
                count = Some(list.items.len());
            }
            // Whether it is a list, and how long, is not known.
            Err(Stop::Unknown(reason)) if !matches!(value.kind, Kind::Text(_)) => return Err(Stop::Unknown(reason)),
            _ => {}
        }
    }
    let mut items = Vec::new();
    let mut made = 0;
    for index in 0..count.unwrap_or(1).min(MAX_ITEMS) {
        let row: Vec<Value> = values
            .iter()
            .map(|value| match value.as_list() {
                Some(list) => list.items.get(index).cloned().unwrap_or_default(),
                None => value.clone(),
            })
            .collect();
        let item = fill(&template, &row)?;
        made += item.as_str().map_or(0, str::len);
        if made > 4 * MAX_TEXT {
            return Err(Stop::Unknown("the text is too long".into()));
        }
        items.push(item);
    }
    Ok(super::open_list(items, None))
}

/// `parseint(text, base)`
pub(super) fn parseint(args: &Args<'_>) -> Returned {
    let text = args.text(0)?;
    let base = u32::try_from(args.whole(1)?).ok().filter(|base| (2..=36).contains(base));
    let base = base.ok_or(Stop::Error("parseint() needs a base from 2 to 36".into()))?;
    let parsed = i32::from_str_radix(&text, base).map_err(|_| Stop::Error("it is no number in that base".into()))?;
    Ok(Value::known(f64::from(parsed)))
}
