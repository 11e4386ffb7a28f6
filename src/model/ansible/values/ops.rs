//! What Python's operators do with values: truth, equality, order, membership, arithmetic, text.

use super::val::{Dict, MAX_ITEMS, MAX_POSSIBLE, MAX_TEXT, Res, Seq, V, Val};
use crate::syntax::jinja::BinaryOp;
use crate::value::{Kind, Piece, Reason, Tri, Value};
use std::cmp::Ordering;
use std::fmt::Write as _;
use std::sync::Arc;

/// Truth as Python takes it.
pub(super) fn truth(value: &Val) -> Tri {
    match &value.v {
        V::Null => Tri::False,
        V::Omit => Tri::True,
        V::Bool(value) => (*value).into(),
        V::Int(value) => (*value != 0).into(),
        V::Float(value) => (*value != 0.0).into(),
        V::Str(text) => (!text.is_empty()).into(),
        V::List(list) => filled(list.items.len(), list.open.as_ref()),
        V::Map(map) => filled(map.entries.len(), map.open.as_ref()),
        V::Text(pieces) if pieces.iter().any(|piece| matches!(piece, Piece::Lit(text) if !text.is_empty())) => {
            Tri::True
        }
        V::OneOf(values) => agreed(values.iter().map(truth)),
        V::Text(_) | V::Undefined(_) | V::Unknown(_) => Tri::Unknown(value.not("condition")),
    }
}

fn filled(length: usize, open: Option<&Reason>) -> Tri {
    match open {
        Some(reason) if length == 0 => Tri::Unknown(reason.clone()),
        _ => (length > 0).into(),
    }
}

/// True if true of each, false if false of each, else unknown.
pub(super) fn agreed(mut results: impl Iterator<Item = Tri>) -> Tri {
    let Some(first) = results.next() else { return Tri::False };
    if results.all(|other| other == first) { first } else { Tri::Unknown("it has several possible values".into()) }
}

#[expect(clippy::float_cmp, reason = "as Python compares them")]
pub(super) fn equal(a: &Val, b: &Val) -> Tri {
    match (&a.v, &b.v) {
        (V::OneOf(values), _) => agreed(values.iter().map(|value| equal(value, b))),
        (_, V::OneOf(values)) => agreed(values.iter().map(|value| equal(a, value))),
        (V::Unknown(reason) | V::Undefined(reason), _) | (_, V::Unknown(reason) | V::Undefined(reason)) => {
            Tri::Unknown(reason.clone())
        }
        (V::Text(pieces), V::Str(text)) | (V::Str(text), V::Text(pieces)) => {
            let partly = Value { kind: Kind::Text(pieces.clone()), ..Value::default() };
            partly.equals(&(&**text).into())
        }
        (V::Text(_), V::Text(_)) => Tri::Unknown(a.not("known text")),
        (V::Str(a), V::Str(b)) => (a == b).into(),
        (V::Null, V::Null) | (V::Omit, V::Omit) => Tri::True,
        (V::List(a), V::List(b)) => lists_equal(a, b),
        (V::Map(a), V::Map(b)) => maps_equal(a, b),
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => (a == b).into(),
            _ => Tri::False,
        },
    }
}

fn lists_equal(a: &Seq, b: &Seq) -> Tri {
    if a.tuple != b.tuple {
        return Tri::False;
    }
    match a.open.as_ref().or(b.open.as_ref()) {
        Some(reason) => Tri::Unknown(reason.clone()),
        None if a.items.len() != b.items.len() => Tri::False,
        None => a.items.iter().zip(&b.items).fold(Tri::True, |all, (a, b)| all.and(|| equal(a, b))),
    }
}

fn maps_equal(a: &Dict, b: &Dict) -> Tri {
    match a.open.as_ref().or(b.open.as_ref()) {
        Some(reason) => Tri::Unknown(reason.clone()),
        None if a.entries.len() != b.entries.len() => Tri::False,
        None => a.entries.iter().fold(Tri::True, |all, (key, value)| {
            all.and(|| b.get(key).map_or(Tri::False, |other| equal(value, other)))
        }),
    }
}

/// A number, or a truth value as one.
#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 numbers are compared as doubles")]
pub(super) fn number(value: &Val) -> Option<f64> {
    match &value.v {
        V::Bool(value) => Some(f64::from(u8::from(*value))),
        V::Int(value) => Some(*value as f64),
        V::Float(value) => Some(*value),
        _ => None,
    }
}

/// A whole number, or a truth value as one.
pub(super) fn whole(value: &Val) -> Option<i64> {
    match &value.v {
        V::Bool(value) => Some(i64::from(*value)),
        V::Int(value) => Some(*value),
        _ => None,
    }
}

pub(super) fn compare(a: &Val, b: &Val) -> Res<Ordering> {
    if let (Some(x), Some(y)) = (whole(a), whole(b)) {
        return Ok(x.cmp(&y));
    }
    match (&a.v, &b.v) {
        (V::Str(a), V::Str(b)) => Ok(a.chars().cmp(b.chars())),
        (V::List(x), V::List(y)) if x.tuple == y.tuple && x.open.is_none() && y.open.is_none() => {
            for (x, y) in x.items.iter().zip(&y.items) {
                match compare(x, y)? {
                    Ordering::Equal => {}
                    other => return Ok(other),
                }
            }
            Ok(x.items.len().cmp(&y.items.len()))
        }
        _ => match (number(a), number(b)) {
            (Some(x), Some(y)) => x.partial_cmp(&y).ok_or_else(|| "it is no number".into()),
            _ => Err(a
                .reason()
                .or_else(|| b.reason())
                .unwrap_or_else(|| format!("{} and {} have no order", a.kind(), b.kind()).into())),
        },
    }
}

/// `item in of`
pub(super) fn contains(of: &Val, item: &Val) -> Tri {
    match &of.v {
        V::OneOf(values) => agreed(values.iter().map(|value| contains(value, item))),
        V::List(list) => {
            let found = list.items.iter().fold(Tri::False, |found, own| found.or(|| equal(own, item)));
            match &list.open {
                Some(reason) => found.or(|| Tri::Unknown(reason.clone())),
                None => found,
            }
        }
        V::Map(map) => match (&item.v, &map.open) {
            (V::OneOf(values), _) => agreed(values.iter().map(|value| contains(of, value))),
            (V::Unknown(_) | V::Undefined(_) | V::Text(_), _) => Tri::Unknown(item.not("known key")),
            _ if map.get(item).is_some() => Tri::True,
            (_, Some(reason)) => Tri::Unknown(reason.clone()),
            (_, None) => Tri::False,
        },
        V::Str(text) => match &item.v {
            V::Str(part) => text.contains(&**part).into(),
            V::OneOf(values) => agreed(values.iter().map(|value| contains(of, value))),
            _ => Tri::Unknown(item.not("string")),
        },
        V::Text(pieces) => match &item.v {
            V::Str(part) => Value { kind: Kind::Text(pieces.clone()), ..Value::default() }.contains(part),
            _ => Tri::Unknown(item.not("string")),
        },
        _ => Tri::Unknown(of.not("container")),
    }
}

/// A value as Python's `str()` writes it.
pub(super) fn plain(value: &Val) -> Res<Arc<str>> {
    match &value.v {
        V::Str(text) => Ok(text.clone()),
        V::Null => Ok("None".into()),
        V::Bool(value) => Ok(if *value { "True" } else { "False" }.into()),
        V::Int(value) => Ok(value.to_string().into()),
        V::Float(value) => Ok(float(*value).into()),
        V::List(_) | V::Map(_) => {
            let mut out = String::new();
            repr(value, &mut out)?;
            Ok(out.into())
        }
        _ => Err(value.not("text")),
    }
}

/// A number as Python writes it: the shortest that reads as the same, with an exponent where it is long.
pub(super) fn float(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "nan"
        } else if value > 0.0 {
            "inf"
        } else {
            "-inf"
        }
        .to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let text = value.to_string();
        if text.contains('.') { text } else { format!("{text}.0") }
    } else {
        format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
    }
}

/// A value as Python's `repr()` writes it.
fn repr(value: &Val, out: &mut String) -> Res<()> {
    if out.len() > MAX_TEXT {
        return Err("the text grows too long".into());
    }
    match &value.v {
        V::Str(text) => quoted(text, out),
        V::List(list) => {
            list.open.as_ref().map_or(Ok(()), |reason| Err(reason.clone()))?;
            out.push(if list.tuple { '(' } else { '[' });
            for (at, item) in list.items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                repr(item, out)?;
            }
            out.push_str(match (list.tuple, list.items.len()) {
                (true, 1) => ",)",
                (true, _) => ")",
                _ => "]",
            });
        }
        V::Map(map) => {
            map.open.as_ref().map_or(Ok(()), |reason| Err(reason.clone()))?;
            out.push('{');
            for (at, (key, value)) in map.entries.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                repr(key, out)?;
                out.push_str(": ");
                repr(value, out)?;
            }
            out.push('}');
        }
        _ => out.push_str(&plain(value)?),
    }
    Ok(())
}

fn quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// The pieces that a value becomes inside a text.
pub(super) fn pieces(value: &Val) -> Vec<Piece> {
    match &value.v {
        V::Text(pieces) => pieces.to_vec(),
        _ => vec![match plain(value) {
            Ok(text) => Piece::Lit(text),
            Err(reason) => Piece::Hole(reason),
        }],
    }
}

/// Values one after the other as one text; each text it may be, when they are few.
pub(super) fn concat(values: &[Val]) -> Val {
    let possible = values.iter().map(|value| if let V::OneOf(inner) = &value.v { inner.len() } else { 1 });
    let possible = possible.fold(1_usize, usize::saturating_mul);
    let whole = |values: &[Val]| Val::text(values.iter().flat_map(pieces).collect());
    if possible == 1 || possible > MAX_POSSIBLE {
        return whole(values);
    }
    lift(values, &|values| Ok(whole(values))).into()
}

/// Applies an operation to each combination of possible values.
pub(super) fn lift(values: &[Val], apply: &dyn Fn(&[Val]) -> Res) -> Res {
    let Some(at) = values.iter().position(|value| matches!(value.v, V::OneOf(_))) else { return apply(values) };
    let possible = values.iter().map(|value| if let V::OneOf(inner) = &value.v { inner.len() } else { 1 });
    if possible.fold(1_usize, usize::saturating_mul) > MAX_POSSIBLE * MAX_POSSIBLE {
        return Err("it has too many possible values".into());
    }
    let V::OneOf(inner) = &values[at].v else { return apply(values) };
    let mut results = Vec::new();
    for value in inner.iter() {
        let mut values = values.to_vec();
        values[at] = value.clone();
        results.push(lift(&values, apply)?);
    }
    Ok(Val::several(results))
}

/// `a op b`, but for `and` and `or`.
pub(super) fn binary(op: BinaryOp, a: &Val, b: &Val) -> Val {
    match op {
        BinaryOp::Eq => return equal(a, b).into(),
        BinaryOp::NotEq => return (!equal(a, b)).into(),
        BinaryOp::In => return contains(b, a).into(),
        BinaryOp::NotIn => return (!contains(b, a)).into(),
        BinaryOp::Concat => return concat(&[a.clone(), b.clone()]),
        _ => {}
    }
    let apply = |sides: &[Val]| match sides {
        [a, b] => arithmetic(op, a, b),
        _ => Err("a side is missing".into()),
    };
    lift(&[a.clone(), b.clone()], &apply).into()
}

fn arithmetic(op: BinaryOp, a: &Val, b: &Val) -> Res {
    match op {
        BinaryOp::Less => return Ok(compare(a, b)?.is_lt().into()),
        BinaryOp::LessEq => return Ok(compare(a, b)?.is_le().into()),
        BinaryOp::Greater => return Ok(compare(a, b)?.is_gt().into()),
        BinaryOp::GreaterEq => return Ok(compare(a, b)?.is_ge().into()),
        BinaryOp::Add => {
            if let Some(sum) = add(a, b) {
                return Ok(sum);
            }
        }
        BinaryOp::Mul => {
            if let Some(product) = repeat(a, b).or_else(|| repeat(b, a)) {
                return product;
            }
        }
        BinaryOp::Rem if matches!(a.v, V::Str(_)) => return super::filters::percent(a, b),
        _ => {}
    }
    if let (Some(x), Some(y)) = (whole(a), whole(b))
        && let Some(result) = integers(op, x, y)?
    {
        return Ok(result);
    }
    match (number(a), number(b)) {
        (Some(x), Some(y)) => floats(op, x, y),
        _ => Err(a
            .reason()
            .or_else(|| b.reason())
            .unwrap_or_else(|| format!("{} and {} have no such operation", a.kind(), b.kind()).into())),
    }
}

fn add(a: &Val, b: &Val) -> Option<Val> {
    match (&a.v, &b.v) {
        (V::List(x), V::List(y)) if x.tuple == y.tuple => {
            let open = x.open.as_ref().or(y.open.as_ref());
            Some(Val::seq(x.items.iter().chain(&y.items).cloned().collect(), open.cloned(), x.tuple))
        }
        (V::List(known), V::Unknown(reason)) | (V::Unknown(reason), V::List(known)) => {
            Some(Val::seq(known.items.clone(), Some(reason.clone()), known.tuple))
        }
        (V::Str(_) | V::Text(_), V::Str(_) | V::Text(_) | V::Unknown(_)) | (V::Unknown(_), V::Str(_) | V::Text(_)) => {
            Some(Val::text([pieces(a), pieces(b)].concat()))
        }
        _ => None,
    }
}

fn repeat(of: &Val, times: &Val) -> Option<Res> {
    let times = usize::try_from(whole(times)?.max(0)).ok()?;
    match &of.v {
        V::Str(text) if text.len().saturating_mul(times) <= MAX_TEXT => Some(Ok(text.repeat(times).into())),
        V::List(list) if list.open.is_none() && list.items.len().saturating_mul(times) <= MAX_ITEMS => {
            let items = std::iter::repeat_n(&list.items, times).flatten().cloned().collect();
            Some(Ok(Val::seq(items, None, list.tuple)))
        }
        V::Str(_) | V::List(_) => Some(Err("it grows too large".into())),
        _ => None,
    }
}

fn integers(op: BinaryOp, a: i64, b: i64) -> Res<Option<Val>> {
    let result = match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Sub => a.checked_sub(b),
        BinaryOp::Mul => a.checked_mul(b),
        BinaryOp::FloorDiv | BinaryOp::Rem if b == 0 => return Err("it divides by zero".into()),
        BinaryOp::FloorDiv => {
            a.checked_div(b).map(|whole| if (a % b != 0) && ((a < 0) != (b < 0)) { whole - 1 } else { whole })
        }
        BinaryOp::Rem => {
            a.checked_rem(b).map(|rest| if rest != 0 && ((rest < 0) != (b < 0)) { rest + b } else { rest })
        }
        BinaryOp::Pow if b >= 0 => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        _ => return Ok(None),
    };
    result.map(|value| Some(value.into())).ok_or_else(|| "the number grows too large".into())
}

fn floats(op: BinaryOp, a: f64, b: f64) -> Res {
    let result = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Rem if b == 0.0 => return Err("it divides by zero".into()),
        BinaryOp::Div => a / b,
        BinaryOp::FloorDiv => (a / b).floor(),
        BinaryOp::Rem => a - b * (a / b).floor(),
        BinaryOp::Pow => a.powf(b),
        _ => return Err("the operation is not evaluated".into()),
    };
    Ok(result.into())
}

/// `of[key]`: a member, or undefined.
pub(super) fn item(of: &Val, key: &Val) -> Val {
    lift(&[of.clone(), key.clone()], &|sides| match sides {
        [of, key] => Ok(member(of, key)),
        _ => Err("a side is missing".into()),
    })
    .into()
}

fn member(of: &Val, key: &Val) -> Val {
    let missing = || Val::undefined(format!("{} has no such member", of.kind()));
    if let V::Undefined(_) | V::Unknown(_) = key.v {
        return key.clone();
    }
    match &of.v {
        V::Undefined(_) | V::Unknown(_) => of.clone(),
        V::Map(map) => match (map.get(key), &map.open) {
            (Some(value), _) => value.clone(),
            (None, Some(reason)) => Val::unknown(reason.clone()),
            (None, None) if key.reason().is_some() => Val::unknown(key.not("known key")),
            (None, None) => match plain(key) {
                Ok(key) => Val::undefined(format!("there is no member `{key}`")),
                Err(_) => missing(),
            },
        },
        V::List(list) => match (whole(key), &list.open) {
            (Some(_), Some(reason)) => Val::unknown(reason.clone()),
            (Some(at), None) => index(list.items.len(), at).map_or_else(missing, |at| list.items[at].clone()),
            _ if key.reason().is_some() => Val::unknown(key.not("number")),
            _ => missing(),
        },
        V::Str(text) => match whole(key) {
            Some(at) => {
                let found = index(text.chars().count(), at).and_then(|at| text.chars().nth(at));
                found.map_or_else(missing, |c| c.to_string().into())
            }
            None => missing(),
        },
        V::Text(_) => Val::unknown(of.not("known text")),
        _ => missing(),
    }
}

fn index(length: usize, at: i64) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let at = if at < 0 { at.checked_add(length)? } else { at };
    (0..length).contains(&at).then(|| usize::try_from(at).ok()).flatten()
}

/// `of[from:to:by]`
pub(super) fn slice(of: &Val, bounds: &[Option<Val>; 3]) -> Res {
    if let V::Undefined(_) | V::Unknown(_) = of.v {
        return Ok(of.clone());
    }
    let mut parsed = [None; 3];
    for (at, bound) in bounds.iter().enumerate() {
        if let Some(bound) = bound.as_ref().filter(|bound| !matches!(bound.v, V::Null)) {
            parsed[at] = Some(whole(bound).ok_or_else(|| bound.not("number"))?);
        }
    }
    match &of.v {
        V::Str(text) => {
            let chars: Vec<char> = text.chars().collect();
            Ok(positions(chars.len(), parsed)?.map(|at| chars[at]).collect::<String>().into())
        }
        V::List(list) if list.open.is_none() => {
            let items = positions(list.items.len(), parsed)?.map(|at| list.items[at].clone()).collect();
            Ok(Val::seq(items, None, list.tuple))
        }
        V::List(list) => Err(list.open.clone().unwrap_or_default()),
        _ => Err(of.not("list")),
    }
}

/// The positions that Python's slices name.
fn positions(length: usize, [from, to, by]: [Option<i64>; 3]) -> Res<impl Iterator<Item = usize>> {
    let by = by.unwrap_or(1);
    if by == 0 {
        return Err("a slice goes by no step".into());
    }
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let (lowest, highest) = if by > 0 { (0, length) } else { (-1, length - 1) };
    let clamp = |bound: Option<i64>, default: i64| match bound {
        None => default,
        Some(at) if at < 0 => at.saturating_add(length).max(lowest),
        Some(at) => at.min(highest),
    };
    let from = clamp(from, if by > 0 { lowest } else { highest });
    let to = clamp(to, if by > 0 { highest } else { lowest });
    let mut at = from;
    Ok(std::iter::from_fn(move || {
        let inside = if by > 0 { at < to } else { at > to };
        let here = usize::try_from(at).ok().filter(|_| inside)?;
        at = at.saturating_add(by);
        Some(here)
    }))
}
