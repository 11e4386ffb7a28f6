//! Types of values, the type that several have in common, and conversions.

use super::eval::{Outcome, lift};
use super::functions::Stop;
use super::ops;
use crate::value::{Data, Kind, List, Map, Reason, Shape, Value};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization as _;

/// How many members one conversion or one look at a type may visit (shared members make exponential trees).
const MAX_VISITED: u32 = 50_000;
/// How deep they go into members: locals may build on each other without end, and the stack of a worker is 2 MB.
const MAX_NESTED: u32 = 64;
/// From here on doubles skip whole numbers.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// What a walk over members may still visit, and how deep it is.
#[derive(Clone, Copy)]
struct Walk {
    left: u32,
    depth: u32,
}

impl Walk {
    fn new() -> Self {
        Self { left: MAX_VISITED, depth: 0 }
    }

    /// How much it has visited.
    fn visited(self) -> u32 {
        MAX_VISITED - self.left
    }

    /// Text is looked at as well, which takes longer the longer it is.
    fn read(&mut self, text: &str) {
        self.left = self.left.saturating_sub(u32::try_from(text.len() / 256).unwrap_or(u32::MAX));
    }

    /// One member further and one level down; false when that is too far.
    fn enter(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        let fits = self.left > 0 && self.depth < MAX_NESTED;
        self.depth += u32::from(fits);
        fits
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }
}

/// A type, as far as it can be told.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ty {
    /// Not known: of a null, or of something unknown.
    Any,
    Bool,
    Number,
    Str,
    List(Box<Ty>),
    Set(Box<Ty>),
    Map(Box<Ty>),
    Tuple(Vec<Ty>),
    /// By name, in order.
    Object(Vec<(Arc<str>, Ty)>),
}

/// A count as a number.
pub(super) fn float(index: usize) -> f64 {
    u32::try_from(index).map_or(f64::MAX, f64::from)
}

/// A whole number in a range that is safe to convert.
pub(super) fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "whole and far inside the range")]
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// A number as a position.
pub(super) fn index(number: f64) -> Option<usize> {
    whole(number).and_then(|whole| usize::try_from(whole).ok())
}

/// The members of a map in the order in which Terraform walks it.
pub(super) fn sorted(map: &Map) -> Vec<(&Arc<str>, &Value)> {
    let mut members: Vec<_> = map.entries.iter().map(|(key, value)| (key, value)).collect();
    members.sort_by(|a, b| a.0.cmp(b.0));
    members
}

/// A number as Terraform writes it; `None` when it may have digits that a double has not.
pub(super) fn digits(number: f64) -> Option<String> {
    let shortest = format!("{number:e}");
    let count = shortest.split('e').next().unwrap_or("").bytes().filter(u8::is_ascii_digit).count();
    let sure = number.is_finite() && (count <= 15 || number.fract() == 0.0 && number.abs() <= MAX_WHOLE);
    sure.then(|| number.to_string())
}

/// Text in the normal form that every string of Terraform has.
pub(super) fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || unicode_normalization::is_nfc(text) { Cow::Borrowed(text) } else { text.nfc().collect() }
}

/// A scalar as Terraform converts it to a string.
pub(super) fn text(data: &Data) -> Result<Arc<str>, Stop> {
    match data {
        Data::Number(number) => digits(*number)
            .map(Arc::from)
            .ok_or_else(|| Stop::Unknown("a number has more digits than are computed here".into())),
        data => data.scalar().ok_or_else(|| "a string is needed".into()),
    }
}

/// The type of a value.
pub(super) fn type_of(value: &Value) -> Ty {
    of_value(value, &mut Walk::new())
}

fn of_value(value: &Value, walk: &mut Walk) -> Ty {
    match &value.kind {
        Kind::Known(data) => of_data(data, walk),
        Kind::Text(_) => Ty::Str,
        Kind::OneOf(values) => {
            let mut types = values.iter().map(|data| of_data(data, walk));
            let first = types.next().unwrap_or(Ty::Any);
            if types.all(|other| other == first) { first } else { Ty::Any }
        }
        Kind::Absent | Kind::Unknown(_) => Ty::Any,
    }
}

fn of_data(data: &Data, walk: &mut Walk) -> Ty {
    if !walk.enter() {
        return Ty::Any;
    }
    let ty = match data {
        Data::Null => Ty::Any,
        Data::Bool(_) => Ty::Bool,
        Data::Number(_) => Ty::Number,
        Data::Str(_) => Ty::Str,
        Data::List(list) => match (list.shape, &list.open) {
            (Shape::Uniform, _) => Ty::List(Box::new(of_first(&mut list.items.iter(), walk))),
            (Shape::Set, _) => Ty::Set(Box::new(of_first(&mut list.items.iter(), walk))),
            (Shape::Loose, None) => Ty::Tuple(list.items.iter().map(|item| of_value(item, walk)).collect()),
            _ => Ty::Any,
        },
        Data::Map(map) => match (map.shape, &map.open) {
            (Shape::Uniform | Shape::Set, _) => {
                Ty::Map(Box::new(of_first(&mut map.entries.iter().map(|(_, value)| value), walk)))
            }
            (Shape::Loose, None) => {
                Ty::Object(sorted(map).into_iter().map(|(key, value)| (key.clone(), of_value(value, walk))).collect())
            }
            _ => Ty::Any,
        },
    };
    walk.leave();
    ty
}

/// The type of the members of what has one type for all.
fn of_first(members: &mut dyn Iterator<Item = &Value>, walk: &mut Walk) -> Ty {
    members.map(|member| of_value(member, walk)).find(|ty| *ty != Ty::Any).unwrap_or(Ty::Any)
}

/// The one type to which values of all these types can be converted; `None` when there is none. [`Ty::Any`] when it hangs on a
/// type that is not known.
pub(super) fn unify(types: &[&Ty]) -> Option<Ty> {
    let known: Vec<&Ty> = types.iter().copied().filter(|ty| **ty != Ty::Any).collect();
    let all = |test: fn(&Ty) -> bool| known.iter().all(|ty| test(ty));
    if known.is_empty() {
        return Some(Ty::Any);
    }
    let any = |test: fn(&Ty) -> bool| known.iter().any(|ty| test(ty));
    if any(|ty| matches!(ty, Ty::Object(_))) && any(|ty| matches!(ty, Ty::Tuple(_))) {
        return None;
    }
    // What has nothing in common is left as it is beside a null.
    let unsure = (known.len() < types.len()).then_some(Ty::Any);
    if all(|ty| matches!(ty, Ty::Bool | Ty::Number | Ty::Str)) {
        let same = known.windows(2).all(|pair| pair[0] == pair[1]);
        let wanted = if same { known[0].clone() } else { Ty::Str };
        return if same || known.contains(&&Ty::Str) { Some(wanted) } else { unsure };
    }
    if known.iter().any(|ty| matches!(ty, Ty::Bool | Ty::Number | Ty::Str)) {
        return unsure;
    }
    let keyed = |ty: &Ty| matches!(ty, Ty::Map(_) | Ty::Object(_));
    if known.iter().any(|ty| keyed(ty)) && !all(|ty| matches!(ty, Ty::Map(_) | Ty::Object(_))) {
        return unsure;
    }
    if known.len() < types.len() {
        return Some(Ty::Any);
    }
    if keyed(known[0]) { unify_keyed(&known) } else { unify_lists(&known) }
}

fn unify_keyed(types: &[&Ty]) -> Option<Ty> {
    let mut objects: Vec<&[(Arc<str>, Ty)]> = Vec::new();
    let mut members: Vec<&Ty> = Vec::new();
    for ty in types {
        match ty {
            Ty::Object(fields) => {
                objects.push(fields);
                members.extend(fields.iter().map(|(_, ty)| ty));
            }
            Ty::Map(member) => members.push(member),
            _ => return None,
        }
    }
    let names = |fields: &[(Arc<str>, Ty)]| fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let alike = objects.windows(2).all(|pair| names(pair[0]) == names(pair[1]));
    if objects.len() < types.len() || !alike {
        return Some(Ty::Map(Box::new(unify(&members)?)));
    }
    let fields = objects.first()?.iter().enumerate().map(|(at, (name, _))| {
        let column: Vec<&Ty> = objects.iter().filter_map(|fields| fields.get(at)).map(|(_, ty)| ty).collect();
        Some((name.clone(), unify(&column)?))
    });
    fields.collect::<Option<Vec<_>>>().map(Ty::Object)
}

fn unify_lists(types: &[&Ty]) -> Option<Ty> {
    let mut tuples: Vec<&[Ty]> = Vec::new();
    let mut members: Vec<&Ty> = Vec::new();
    for ty in types {
        match ty {
            Ty::Tuple(items) => {
                tuples.push(items);
                members.extend(items);
            }
            Ty::List(member) | Ty::Set(member) => members.push(member),
            _ => return None,
        }
    }
    let alike = tuples.windows(2).all(|pair| pair[0].len() == pair[1].len());
    if tuples.len() == types.len() && alike {
        let columns = (0..tuples.first()?.len()).map(|at| {
            let column: Vec<&Ty> = tuples.iter().filter_map(|items| items.get(at)).collect();
            unify(&column)
        });
        return columns.collect::<Option<Vec<_>>>().map(Ty::Tuple);
    }
    let member = Box::new(unify(&members)?);
    let set = types.iter().any(|ty| matches!(ty, Ty::Set(_)));
    let list = types.iter().find(|ty| matches!(ty, Ty::List(_)));
    if let (true, Some(list), true) = (set, list, tuples.is_empty()) {
        // A list is preferred to a set, with the members that it has.
        return Some((**list).clone());
    }
    Some(if set && list.is_none() { Ty::Set(member) } else { Ty::List(member) })
}

/// Converts a value; null, and what is not known, stays.
pub(super) fn convert(value: Value, ty: &Ty) -> Outcome {
    convert_within(value, ty, &mut Walk::new())
}

/// The same, and how many members were visited for it.
pub(super) fn convert_counted(value: Value, ty: &Ty) -> (Outcome, u32) {
    let mut walk = Walk::new();
    (convert_within(value, ty, &mut walk), walk.visited())
}

fn convert_within(value: Value, ty: &Ty, walk: &mut Walk) -> Outcome {
    if !walk.enter() {
        return Ok(Value::unknown("it is too large to convert"));
    }
    let converted = convert_entered(value, ty, walk);
    walk.leave();
    converted
}

fn convert_entered(value: Value, ty: &Ty, walk: &mut Walk) -> Outcome {
    let kind = match (&value.kind, ty) {
        (Kind::Absent | Kind::Unknown(_) | Kind::Known(Data::Null), _)
        | (_, Ty::Any)
        | (Kind::Text(_), Ty::Str | Ty::Bool | Ty::Number) => return Ok(value),
        (Kind::Text(_), _) => return Err("a collection is needed".into()),
        (Kind::Known(data), _) => convert_data(data, ty, walk)?.kind,
        (Kind::OneOf(_), _) => lift(&value, |data| convert_data(data, ty, walk))?.kind,
    };
    Ok(Value { kind, ..value })
}

fn convert_data(data: &Data, ty: &Ty, walk: &mut Walk) -> Outcome {
    let converted = match (ty, data) {
        (Ty::Any, _) | (_, Data::Null) => data.clone(),
        (Ty::Bool, Data::Bool(_) | Data::Str(_)) => Data::Bool(ops::boolean(data)?),
        (Ty::Number, Data::Number(_) | Data::Str(_)) => Data::Number(ops::numeric(data)?),
        (Ty::Str, _) => match text(data) {
            Ok(text) => Data::Str(text),
            Err(Stop::Unknown(reason)) => return Ok(Value::unknown(reason)),
            Err(Stop::Error(reason)) => return Err(reason),
        },
        (Ty::List(member), Data::List(list)) => {
            Data::List(Arc::new(List { shape: Shape::Uniform, ..members(list, member, walk)? }))
        }
        (Ty::Set(member), Data::List(list)) => return members(list, member, walk).map(|list| set(&list)),
        (Ty::Tuple(types), Data::List(list)) => {
            if list.open.is_none() && list.items.len() != types.len() {
                return Err(format!("a tuple of {} is needed", types.len()).into());
            }
            let items = list.items.iter().zip(types);
            let items: Result<Vec<Value>, Reason> =
                items.map(|(item, ty)| convert_within(item.clone(), ty, walk)).collect();
            Data::List(Arc::new(List { items: items?, open: list.open.clone(), shape: Shape::Loose }))
        }
        (Ty::Map(member), Data::Map(map)) => {
            let member = common(member, &mut map.entries.iter().map(|(_, value)| value))?;
            let entries: Result<Vec<_>, Reason> = map
                .entries
                .iter()
                .map(|(key, value)| Ok((key.clone(), convert_within(value.clone(), &member, walk)?)))
                .collect();
            Data::Map(Arc::new(Map { entries: entries?, open: map.open.clone(), shape: Shape::Uniform }))
        }
        (Ty::Object(fields), Data::Map(map)) => return convert_object(map, fields, walk),
        _ => return Err(format!("it is no {}", name(ty)).into()),
    };
    Ok(Value::known(converted))
}

fn convert_object(map: &Map, fields: &[(Arc<str>, Ty)], walk: &mut Walk) -> Outcome {
    let mut entries = Vec::with_capacity(fields.len());
    for (name, ty) in fields {
        let member = match (map.get(name), &map.open) {
            (Some(value), _) => convert_within(value.clone(), ty, walk)?,
            (None, Some(reason)) => Value::unknown(reason.clone()),
            (None, None) => return Err(format!("member `{name}` is not given").into()),
        };
        entries.push((name.clone(), member));
    }
    Ok(Value::known(Data::Map(Arc::new(Map { entries, ..Map::default() }))))
}

/// The members of a list, each converted to one type.
fn members(list: &List, member: &Ty, walk: &mut Walk) -> Result<List, Reason> {
    let member = common(member, &mut list.items.iter())?;
    let items: Result<Vec<Value>, Reason> =
        list.items.iter().map(|item| convert_within(item.clone(), &member, walk)).collect();
    Ok(List { items: items?, open: list.open.clone(), shape: list.shape })
}

/// The type that all members get: the wanted one, else the one that they have in common.
fn common(wanted: &Ty, members: &mut dyn Iterator<Item = &Value>) -> Result<Ty, Reason> {
    if *wanted != Ty::Any {
        return Ok(wanted.clone());
    }
    let mut walk = Walk::new();
    let mut sure = true;
    let types: Vec<Ty> = members
        .map(|member| {
            sure &= member.is_absent() || member.data().is_some();
            of_value(member, &mut walk)
        })
        .collect();
    sure &= walk.left > 0;
    let refused = || Reason::from("the members have no type in common");
    let ty = unify(&types.iter().collect::<Vec<_>>()).ok_or_else(refused)?;
    // Nulls leave the type open, but members of several types do not make a list.
    let mut told = types.iter().filter(|ty| **ty != Ty::Any);
    let first = told.next();
    if ty == Ty::Any && sure && told.any(|ty| Some(ty) != first) {
        return Err(refused());
    }
    Ok(ty)
}

/// A type by its word.
pub(super) fn simple(name: &str) -> Option<Ty> {
    match name {
        "string" => Some(Ty::Str),
        "number" => Some(Ty::Number),
        "bool" => Some(Ty::Bool),
        _ => None,
    }
}

/// What a type is called.
pub(super) fn name(ty: &Ty) -> &'static str {
    match ty {
        Ty::Any => "value",
        Ty::Bool => "truth value",
        Ty::Number => "number",
        Ty::Str => "string",
        Ty::List(_) => "list",
        Ty::Set(_) => "set",
        Ty::Map(_) => "map",
        Ty::Tuple(_) => "tuple",
        Ty::Object(_) => "object",
    }
}

/// Both values as the type that they have in common, and how many members were visited for it; refused when there is none.
pub(super) fn alike(a: Value, b: Value) -> Result<(Value, Value, u32), Reason> {
    // A null takes any type.
    if a.is_absent() || b.is_absent() {
        return Ok((a, b, 0));
    }
    let mut walk = Walk::new();
    let (ty, other) = (of_value(&a, &mut walk), of_value(&b, &mut walk));
    if ty == other {
        return Ok((a, b, walk.visited()));
    }
    let ty = unify(&[&ty, &other]).ok_or("the two values have no type in common")?;
    Ok((convert(a, &ty)?, convert(b, &ty)?, 2 * walk.visited()))
}

/// A value as the type that it has in common with another type, and how many members were visited for it.
pub(super) fn alike_type(value: Value, other: &Ty) -> Result<(Value, u32), Reason> {
    if value.is_absent() {
        return Ok((value, 0));
    }
    let mut walk = Walk::new();
    let ty = of_value(&value, &mut walk);
    if ty == *other {
        return Ok((value, walk.visited()));
    }
    let ty = unify(&[&ty, other]).ok_or("the two values have no type in common")?;
    Ok((convert(value, &ty)?, 2 * walk.visited()))
}

/// A set of members of one type: each known one once, in Terraform's order.
pub(super) fn set(list: &List) -> Value {
    let mut seen = std::collections::HashSet::new();
    let mut keyed: Vec<(Option<String>, Value)> = Vec::with_capacity(list.items.len());
    for (item, key) in list.items.iter().zip(identities(&list.items)) {
        if key.as_ref().is_none_or(|key| seen.insert(key.clone())) {
            keyed.push((key, item.clone()));
        }
    }
    // Nulls and what is not known come last.
    let rank = |item: &Value| u8::from(item.data().is_none());
    keyed.sort_by(|(key, a), (other, b)| {
        rank(a).cmp(&rank(b)).then_with(|| match (a.data(), b.data()) {
            (Some(Data::Number(a)), Some(Data::Number(b))) => a.total_cmp(b),
            (Some(Data::Str(a)), Some(Data::Str(b))) => a.cmp(b),
            (Some(Data::Bool(a)), Some(Data::Bool(b))) => a.cmp(b),
            (Some(_), Some(_)) => key.cmp(other),
            _ => std::cmp::Ordering::Equal,
        })
    });
    let items = keyed.into_iter().map(|(_, item)| item).collect();
    Value::known(Data::List(Arc::new(List { items, open: list.open.clone(), shape: Shape::Set })))
}

/// What tells each known value from others of its type; `None` where that hangs on something unknown.
pub(super) fn identities(values: &[Value]) -> Vec<Option<String>> {
    let mut walk = Walk::new();
    let identity = |value: &Value| {
        let mut key = String::new();
        write_key(value, &mut key, &mut walk).then_some(key)
    };
    values.iter().map(identity).collect()
}

/// What tells members of a set apart, and orders those that are no scalars; false when it hangs on something unknown.
fn write_key(value: &Value, out: &mut String, walk: &mut Walk) -> bool {
    let Kind::Known(data) = &value.kind else { return false };
    if !walk.enter() {
        return false;
    }
    let written = write_known_key(data, out, walk);
    walk.leave();
    written
}

fn write_known_key(data: &Data, out: &mut String, walk: &mut Walk) -> bool {
    match data {
        Data::Null => out.push('~'),
        Data::Bool(value) => out.push(if *value { 'T' } else { 'F' }),
        // Writing to a string cannot fail.
        Data::Number(number) => drop(write!(out, "{number}")),
        Data::Str(text) => {
            walk.read(text);
            let _ = write!(out, "{text:?}");
        }
        Data::List(list) => {
            let (open, close) = if list.shape == Shape::Loose { ('<', '>') } else { ('[', ']') };
            out.push(open);
            for item in &list.items {
                if !write_key(item, out, walk) {
                    return false;
                }
                out.push(';');
            }
            out.push(close);
            return list.open.is_none();
        }
        Data::Map(map) => {
            let loose = map.shape == Shape::Loose;
            out.push(if loose { '<' } else { '{' });
            for (key, value) in sorted(map) {
                if !loose {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "{key:?}:");
                }
                if !write_key(value, out, walk) {
                    return false;
                }
                out.push(';');
            }
            out.push(if loose { '>' } else { '}' });
            return map.open.is_none();
        }
    }
    true
}
