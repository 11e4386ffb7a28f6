//! Filters of numbers and truth values.

use super::super::ops::{number, plain, whole};
use super::super::val::{Res, V, Val};
use super::{Args, Row};

pub(super) const FILTERS: &[Row] = &[
    ("bool", &[], |of, _| boolean(of)),
    ("int", &["default", "base"], int),
    ("float", &["default"], float),
    ("round", &["precision", "method"], round),
    ("abs", &[], |of, _| absolute(of)),
    ("pow", &["y"], |of, args| {
        Ok(number(of).ok_or_else(|| of.not("number"))?.powf(real(args, "y")?.unwrap_or(1.0)).into())
    }),
    ("human_readable", &["isbits", "unit"], human_readable),
    ("human_to_bytes", &["default_unit", "isbits"], human_to_bytes),
    ("type_debug", &[], |of, _| type_debug(of)),
];

fn real(args: &Args<'_>, name: &str) -> Res<Option<f64>> {
    args.given(name).map(|value| number(value).ok_or_else(|| value.not("number"))).transpose()
}

/// The words that Ansible takes for a truth value; anything else is false.
fn boolean(of: &Val) -> Res {
    Ok(match &of.v {
        V::Bool(value) => (*value).into(),
        V::Str(text) => matches!(&*text.to_lowercase(), "yes" | "on" | "true" | "1").into(),
        V::Int(value) => (*value == 1).into(),
        #[expect(clippy::float_cmp, reason = "as Ansible compares it")]
        V::Float(value) => (*value == 1.0).into(),
        V::Null | V::List(_) | V::Map(_) => false.into(),
        _ => return Err(of.not("truth value")),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "as Python cuts it")]
fn cut(value: f64) -> Option<i64> {
    (value.abs() < 9e18).then_some(value.trunc() as i64)
}

fn int(of: &Val, args: &Args<'_>) -> Res {
    let default = args.get("default").cloned().unwrap_or_else(|| 0.into());
    let base = u32::try_from(args.int("base")?.unwrap_or(10))
        .ok()
        .filter(|base| (2..=36).contains(base))
        .ok_or("the base is not understood")?;
    Ok(match &of.v {
        V::Bool(_) | V::Int(_) => whole(of).unwrap_or(0).into(),
        V::Float(value) => cut(*value).map_or(default, Into::into),
        V::Null | V::List(_) | V::Map(_) => default,
        V::Str(text) => {
            let plain = text.trim().replace('_', "");
            let (sign, digits) =
                plain.strip_prefix('-').map_or((1, plain.strip_prefix('+').unwrap_or(&plain)), |rest| (-1, rest));
            let prefix = match base {
                16 => "0x",
                8 => "0o",
                2 => "0b",
                _ => "",
            };
            let digits = digits.strip_prefix(prefix).unwrap_or(digits);
            let parsed = i64::from_str_radix(digits, base)
                .ok()
                .filter(|_| !digits.starts_with(['+', '-']))
                .map(|value| sign * value);
            match parsed.or_else(|| real_of(&plain).and_then(cut)) {
                Some(value) => value.into(),
                None if !digits.is_empty() && digits.chars().all(|c| c.is_digit(base)) => {
                    return Err("the number grows too large".into());
                }
                None => default,
            }
        }
        _ => return Err(of.not("number")),
    })
}

/// A number as Python's `float()` reads it.
fn real_of(text: &str) -> Option<f64> {
    let text = text.trim().replace('_', "");
    let plain = text.trim_start_matches(['+', '-']);
    let numeric = plain.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    text.parse().ok().filter(|_| numeric)
}

fn float(of: &Val, args: &Args<'_>) -> Res {
    let default = args.get("default").cloned().unwrap_or_else(|| 0.0.into());
    Ok(match &of.v {
        V::Bool(_) | V::Int(_) | V::Float(_) => number(of).unwrap_or(0.0).into(),
        V::Null | V::List(_) | V::Map(_) => default,
        V::Str(text) => real_of(text).map_or(default, Into::into),
        _ => return Err(of.not("number")),
    })
}

fn round(of: &Val, args: &Args<'_>) -> Res {
    let value = number(of).ok_or_else(|| of.not("number"))?;
    let digits = i32::try_from(args.int("precision")?.unwrap_or(0))
        .ok()
        .filter(|digits| digits.abs() < 16)
        .ok_or("too many digits")?;
    let method = args.text("method")?.unwrap_or_else(|| "common".into());
    let scale = 10_f64.powi(digits);
    let rounded = match &*method {
        // As Python rounds: exactly, halves to the even digit.
        "common" if digits >= 0 => {
            if let Some(value) = whole(of) {
                return Ok(value.into());
            }
            format!("{value:.*}", usize::try_from(digits).unwrap_or(0)).parse().unwrap_or(value)
        }
        "common" => (value * scale).round_ties_even() / scale,
        "ceil" => (value * scale).ceil() / scale,
        "floor" => (value * scale).floor() / scale,
        _ => return Err("the way to round is not known".into()),
    };
    Ok(rounded.into())
}

fn absolute(of: &Val) -> Res {
    match (whole(of), number(of)) {
        (Some(value), _) => value.checked_abs().map(Into::into).ok_or_else(|| "the number grows too large".into()),
        (None, Some(value)) => Ok(value.abs().into()),
        (None, None) => Err(of.not("number")),
    }
}

const UNITS: [(char, f64); 9] = [
    ('Y', 1_208_925_819_614_629_174_706_176.0),
    ('Z', 1_180_591_620_717_411_303_424.0),
    ('E', 1_152_921_504_606_846_976.0),
    ('P', 1_125_899_906_842_624.0),
    ('T', 1_099_511_627_776.0),
    ('G', 1_073_741_824.0),
    ('M', 1_048_576.0),
    ('K', 1024.0),
    ('B', 1.0),
];

fn human_readable(of: &Val, args: &Args<'_>) -> Res {
    let value = match &of.v {
        V::Str(text) => real_of(text).ok_or_else(|| of.not("number"))?,
        _ => number(of).ok_or_else(|| of.not("number"))?,
    };
    let bits = args.flag("isbits", false)?;
    let wanted = args.text("unit")?;
    let fits = |unit: char, limit: f64| match &wanted {
        Some(wanted) => wanted.to_uppercase().starts_with(unit),
        None => value >= limit,
    };
    let (unit, limit) = UNITS.into_iter().find(|(unit, limit)| fits(*unit, *limit)).unwrap_or(('B', 1.0));
    let base = if bits { "bits" } else { "Bytes" };
    let suffix = if unit == 'B' { base.to_owned() } else { format!("{unit}{}", &base[..1]) };
    Ok(format!("{:.2} {suffix}", value / limit).into())
}

fn human_to_bytes(of: &Val, args: &Args<'_>) -> Res {
    let text = plain(of)?;
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let value = real_of(&text[..end]).ok_or_else(|| of.not("size"))?;
    let unit = text[end..].trim();
    let unit = if unit.is_empty() { args.text("default_unit")?.unwrap_or_else(|| "B".into()) } else { unit.into() };
    let bits = args.flag("isbits", false)?;
    let mut chars = unit.chars();
    let first = chars.next().unwrap_or('B').to_ascii_uppercase();
    let rest = chars.as_str();
    let allowed = if bits { ["", "b", "bit", "bits"] } else { ["", "B", "byte", "bytes"] };
    let whole_word = first == 'B' && ["", "yte", "ytes", "it", "its"].contains(&rest);
    let (_, limit) = UNITS.into_iter().find(|(unit, _)| *unit == first).ok_or_else(|| of.not("size"))?;
    if !whole_word && !allowed.contains(&rest) {
        return Err(of.not("size"));
    }
    Ok((value * limit).round_ties_even())
        .map(|bytes| cut(bytes).map_or_else(|| Val::unknown("the number grows too large"), Into::into))
}

fn type_debug(of: &Val) -> Res {
    Ok(match &of.v {
        V::Null => "NoneType",
        V::Bool(_) => "bool",
        V::Int(_) => "int",
        V::Float(_) => "float",
        V::Str(_) | V::Text(_) => "str",
        V::List(list) if list.tuple => "tuple",
        V::List(_) => "list",
        V::Map(_) => "dict",
        _ => return Err(of.not("known value")),
    }
    .into())
}
