//! `format` and `formatlist`.

use super::super::eval::{MAX_ITEMS, MAX_TEXT};
use super::super::template::Pieces;
use super::super::{ops, types};
use super::{Args, Returned, Stop, known};
use crate::value::{Data, Kind, Shape, Value};
use unicode_segmentation::UnicodeSegmentation as _;

#[derive(Default)]
struct Verb {
    plus: bool,
    minus: bool,
    zero: bool,
    space: bool,
    sharp: bool,
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
            ' ' => verb.space = true,
            '#' => verb.sharp = true,
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
                verb.argument = Some(inside.get(..end)?.parse().ok().filter(|argument| *argument > 0)?);
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
    let numeric = || ops::numeric(data).map_err(Stop::Error);
    if matches!(data, Data::Null) {
        return Err("format() of null".into());
    }
    Ok(match verb.letter {
        's' | 'q' => {
            let text = types::text(data)?;
            let cut: String = text.graphemes(true).take(verb.precision.unwrap_or(usize::MAX)).collect();
            padded(if verb.letter == 'q' { super::encoding::quoted(&cut) } else { cut }, verb)
        }
        'v' => match data {
            Data::Number(number) if !verb.sharp => padded(general(*number, verb.precision, false), verb),
            Data::Str(text) if !verb.sharp => padded(text.to_string(), verb),
            Data::Bool(value) if !verb.sharp => padded(value.to_string(), verb),
            _ => match super::encoding::json(&Value::known(data.clone()))?.kind {
                Kind::Known(Data::Str(text)) => padded(text.to_string(), verb),
                _ => return Err(Stop::Unknown("a member is not known".into())),
            },
        },
        'd' | 'x' | 'X' | 'o' | 'b' => padded(signed(whole(verb, numeric()?)?, verb), verb),
        'f' => {
            let number = numeric()?;
            padded(signed(format!("{number:.*}", verb.precision.unwrap_or(6).min(64)), verb), verb)
        }
        'e' | 'E' => {
            let text = scientific(&format!("{:.*e}", verb.precision.unwrap_or(6).min(64), numeric()?));
            padded(signed(if verb.letter == 'E' { text.to_uppercase() } else { text }, verb), verb)
        }
        'g' | 'G' => padded(signed(general(numeric()?, verb.precision, verb.letter == 'G'), verb), verb),
        't' => ops::boolean(data).map_err(Stop::Error)?.to_string(),
        _ => return Err("format() does not know the verb".into()),
    })
}

/// A whole number in the base of the verb.
fn whole(verb: &Verb, number: f64) -> Result<String, Stop> {
    let number = types::whole(number).ok_or(Stop::Error("a whole number is needed".into()))?;
    let sign = if number < 0 { "-" } else { "" };
    let number = number.unsigned_abs();
    Ok(match (verb.letter, verb.sharp) {
        ('x', false) => format!("{sign}{number:x}"),
        ('x', true) => format!("{sign}0x{number:x}"),
        ('X', false) => format!("{sign}{number:X}"),
        ('X', true) => format!("{sign}0X{number:X}"),
        ('o', false) => format!("{sign}{number:o}"),
        ('o', true) => format!("{sign}0{number:o}"),
        ('b', false) => format!("{sign}{number:b}"),
        ('b', true) => format!("{sign}0b{number:b}"),
        _ => format!("{sign}{number}"),
    })
}

/// `1.5e4` as `1.5e+04`.
fn scientific(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// The shorter of plain and scientific, as `%g` has it.
fn general(number: f64, precision: Option<usize>, upper: bool) -> String {
    let precision = precision.map(|precision| precision.clamp(1, 64));
    let shortest = match precision {
        Some(precision) => format!("{:.*e}", precision - 1, number),
        None => format!("{number:e}"),
    };
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    let most = match precision {
        // Trailing zeros of a whole number do not make it scientific.
        Some(precision) if precision > count && i64::try_from(count).is_ok_and(|count| count > exponent) => count,
        Some(precision) => precision,
        None => 6,
    };
    let text = if exponent < -4 || i64::try_from(most).is_ok_and(|most| exponent >= most) {
        scientific(&format!("{digits}e{exponent}"))
    } else {
        format!("{digits}e{exponent}").parse::<f64>().map_or_else(|_| shortest.clone(), |number| number.to_string())
    };
    if upper { text.to_uppercase() } else { text }
}

/// With the sign that the flags ask for.
fn signed(text: String, verb: &Verb) -> String {
    match (text.starts_with('-'), verb.plus, verb.space) {
        (false, true, _) => format!("+{text}"),
        (false, false, true) => format!(" {text}"),
        _ => text,
    }
}

fn padded(out: String, verb: &Verb) -> String {
    let missing = verb.width.min(1024).saturating_sub(out.graphemes(true).count());
    match (verb.minus, verb.zero) {
        _ if missing == 0 => out,
        (true, _) => out + &" ".repeat(missing),
        (false, true) => {
            let sign = usize::from(out.starts_with(['-', '+']) && !matches!(verb.letter, 's' | 'q' | 'v'));
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
    let (mut next, mut used) = (0, 0);
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
        used = used.max(next);
        match &value.kind {
            Kind::Known(data) => match rendered(&verb, data) {
                Err(Stop::Unknown(reason)) => out.hole(reason),
                text => out.text(&text?),
            },
            Kind::Text(_) if matches!(verb.letter, 's' | 'v') && !verb.sharp => {
                out.value(value).map_err(Stop::Error)?;
            }
            _ => out.hole(value.reason().unwrap_or_else(|| "an argument is not given".into())),
        }
        rest = after;
    }
    out.text(rest);
    if used < values.len() {
        return Err("format() has too many arguments".into());
    }
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
    Ok(super::shaped(items, None, Shape::Uniform))
}
