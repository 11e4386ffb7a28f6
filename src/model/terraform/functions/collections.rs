//! Functions on lists and maps.

use super::super::eval::{Building, MAX_ITEMS};
use super::super::ops::{self, truth};
use super::super::refs::any_member;
use super::super::types;
use super::{Args, Returned, Stop, closed, known, list, open_list, strings};
use crate::value::{Data, Kind, List, Reason, Tri, Value};
use std::sync::Arc;

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Returned> {
    Some(match name {
        "length" => args.value(0).and_then(strings::length),
        "list" => Ok(open_list(args.all().to_vec(), None)),
        "map" => old_map(args),
        "merge" => merge(args),
        "concat" => concat(args),
        "lookup" => lookup(args),
        "element" => element(args),
        "keys" => keys(args),
        "values" => values(args),
        "tostring" => args.value(0).and_then(|value| converted(types::to_string(value.clone()), value)),
        "tonumber" => args.value(0).and_then(|value| converted(types::to_number(value.clone()), value)),
        "tobool" => args.value(0).and_then(|value| converted(types::to_bool(value.clone()), value)),
        "tolist" => args.list(0).map(|list| open_list(list.items.clone(), list.open.clone())),
        "toset" => args.list(0).map(types::set),
        "tomap" | "sensitive" | "nonsensitive" | "ephemeralasnull" | "defaults" => args.value(0).cloned(),
        "flatten" => flatten(args),
        "distinct" => distinct(args),
        "compact" => compact(args),
        "contains" => contains(args),
        "coalesce" => coalesce(args),
        "coalescelist" => coalesce_list(args),
        "zipmap" => zipmap(args),
        "sort" => sort(args),
        "reverse" => args.list(0).and_then(|list| {
            closed(list.open.as_ref())?;
            Ok(open_list(list.items.iter().rev().cloned().collect(), None))
        }),
        "slice" => slice(args),
        "chunklist" => chunklist(args),
        "index" => index(args),
        "matchkeys" => matchkeys(args),
        "one" => one(args),
        "setproduct" => setproduct(args),
        "setunion" | "setintersection" | "setsubtract" => sets(name, args),
        "transpose" => transpose(args),
        "alltrue" => quantified(args, true),
        "anytrue" => quantified(args, false),
        _ => return None,
    })
}

/// A failed conversion is refused, so that `try` and `can` see it.
fn converted(value: Value, from: &Value) -> Returned {
    match (&value.kind, &from.kind) {
        (Kind::Unknown(reason), Kind::Known(_)) => Err(Stop::Error(reason.clone())),
        _ => Ok(value),
    }
}

fn old_map(args: &Args<'_>) -> Returned {
    let mut built = Building::default();
    for index in (0..args.len()).step_by(2) {
        built.put(args.text(index)?, args.value(index + 1)?.clone());
    }
    Ok(built.finish())
}

/// What lies under an unknown map may be overridden by it.
fn merge(args: &Args<'_>) -> Returned {
    let mut built = Building::default();
    let mut way = None;
    for value in args.all() {
        match known(value) {
            Ok(Data::Map(map)) => {
                if let Some(reason) = &map.open {
                    built.shadow(reason);
                }
                map.entries.iter().for_each(|(key, value)| built.put(key.clone(), value.clone()));
                way = way.or_else(|| value.via.clone());
            }
            Ok(Data::Null) => {}
            Ok(_) => return Err("merge() needs maps".into()),
            Err(Stop::Unknown(reason)) => built.shadow(&reason),
            Err(stop) => return Err(stop),
        }
    }
    Ok(Value { via: way, ..built.finish() })
}

fn concat(args: &Args<'_>) -> Returned {
    let mut items = Vec::new();
    let mut open = None;
    for value in args.all() {
        match list(value) {
            Ok(list) => {
                items.extend(list.items.iter().take(MAX_ITEMS + 1).cloned());
                open = open.or_else(|| list.open.clone());
            }
            Err(Stop::Unknown(reason)) => open = open.or(Some(reason)),
            Err(stop) => return Err(stop),
        }
        if items.len() > MAX_ITEMS {
            break;
        }
    }
    Ok(open_list(items, open))
}

fn lookup(args: &Args<'_>) -> Returned {
    let map = args.map(0)?;
    let key = args.value(1)?;
    if key.data().is_none() && !key.is_absent() {
        return Ok(any_member(args.value(0)?, key, args.value(2).ok()));
    }
    let name = args.text(1)?;
    match (map.get(&name), &map.open, args.value(2)) {
        (Some(value), ..) => Ok(value.clone()),
        (None, Some(reason), _) => Err(Stop::Unknown(reason.clone())),
        (None, None, Ok(default)) => Ok(default.clone()),
        (None, None, Err(_)) => Err(format!("the map has no key `{name}`").into()),
    }
}

fn element(args: &Args<'_>) -> Returned {
    let list = args.list(0)?;
    closed(list.open.as_ref())?;
    let count = i64::try_from(list.items.len()).unwrap_or(i64::MAX);
    if count == 0 {
        return Err("element() of an empty list".into());
    }
    let key = args.value(1)?;
    if key.data().is_none() && !key.is_absent() {
        return Ok(any_member(args.value(0)?, key, None));
    }
    let position = usize::try_from(args.whole(1)?.rem_euclid(count)).unwrap_or(0);
    Ok(list.items.get(position).cloned().unwrap_or_default())
}

fn keys(args: &Args<'_>) -> Returned {
    let map = args.map(0)?;
    let keys = types::sorted(map).into_iter().map(|(key, _)| Value::known(Data::Str(key.clone())));
    Ok(open_list(keys.collect(), map.open.clone()))
}

fn values(args: &Args<'_>) -> Returned {
    let map = args.map(0)?;
    Ok(open_list(types::sorted(map).into_iter().map(|(_, value)| value.clone()).collect(), map.open.clone()))
}

fn flatten(args: &Args<'_>) -> Returned {
    let mut flat = List::default();
    let mut budget = MAX_ITEMS;
    flatten_into(args.list(0)?, 0, &mut flat, &mut budget);
    Ok(open_list(flat.items, flat.open))
}

fn flatten_into(list: &List, depth: usize, flat: &mut List, budget: &mut usize) {
    let mut open = |reason: Reason| {
        flat.open.get_or_insert(reason);
    };
    if let Some(reason) = &list.open {
        open(reason.clone());
    }
    for item in &list.items {
        if *budget == 0 || depth > 32 {
            flat.open.get_or_insert("the list is too long".into());
            return;
        }
        *budget -= 1;
        match &item.kind {
            Kind::Known(Data::List(inner)) => flatten_into(inner, depth + 1, flat, budget),
            // It may be a list of any length.
            Kind::Unknown(reason) => {
                flat.open.get_or_insert(reason.clone());
            }
            Kind::OneOf(values) if values.iter().any(|data| matches!(data, Data::List(_))) => {
                flat.open.get_or_insert("it has several possible values".into());
            }
            _ => flat.items.push(item.clone()),
        }
    }
}

fn distinct(args: &Args<'_>) -> Returned {
    let list = args.list(0)?;
    let (mut items, mut seen) = (Vec::new(), std::collections::HashSet::new());
    let mut collections: Vec<&Value> = Vec::new();
    for item in &list.items {
        let fresh = match item.data() {
            Some(Data::List(_) | Data::Map(_)) => {
                let fresh = !collections.iter().take(256).any(|other| ops::equality(item, other).is_true());
                collections.push(item);
                fresh
            }
            // A number and its spelling differ.
            Some(data) => seen.insert((matches!(data, Data::Str(_)), data.scalar())),
            None => true,
        };
        if fresh {
            items.push(item.clone());
        }
    }
    Ok(open_list(items, list.open.clone()))
}

fn compact(args: &Args<'_>) -> Returned {
    let list = args.list(0)?;
    let mut open = list.open.clone();
    let mut items = Vec::new();
    for item in &list.items {
        match strings::is_blank(item) {
            Some(true) => {}
            Some(false) => items.push(item.clone()),
            None => open = open.or_else(|| item.reason()),
        }
    }
    Ok(open_list(items, open))
}

fn contains(args: &Args<'_>) -> Returned {
    let list = args.list(0)?;
    let wanted = args.value(1)?;
    let found = list.items.iter().fold(Tri::False, |found, item| found.or(|| ops::equality(item, wanted)));
    Ok(truth(match &list.open {
        Some(reason) => found.or(|| Tri::Unknown(reason.clone())),
        None => found,
    }))
}

fn coalesce(args: &Args<'_>) -> Returned {
    for value in args.all() {
        match strings::is_blank(value) {
            Some(true) => {}
            Some(false) => return Ok(value.clone()),
            None => return Err(Stop::Unknown(value.reason().unwrap_or_default())),
        }
    }
    Err("coalesce() has nothing to give".into())
}

fn coalesce_list(args: &Args<'_>) -> Returned {
    for value in args.all().iter().filter(|value| !value.is_absent()) {
        let list = list(value)?;
        if !list.items.is_empty() || list.open.is_some() {
            return Ok(value.clone());
        }
    }
    Err("coalescelist() has nothing to give".into())
}

fn zipmap(args: &Args<'_>) -> Returned {
    let (keys, values) = (args.list(0)?, args.list(1)?);
    closed(keys.open.as_ref())?;
    closed(values.open.as_ref())?;
    let mut built = Building::default();
    for (key, value) in keys.items.iter().zip(&values.items) {
        match known(key)?.scalar() {
            Some(key) => built.put(key, value.clone()),
            None => return Err("a key is not a string".into()),
        }
    }
    Ok(built.finish())
}

/// The strings of a list.
fn all_strings(list: &List) -> Result<Vec<Arc<str>>, Stop> {
    closed(list.open.as_ref())?;
    list.items
        .iter()
        .map(|item| known(item)?.scalar().ok_or(Stop::Error("a list of strings is needed".into())))
        .collect()
}

fn sort(args: &Args<'_>) -> Returned {
    let mut strings = all_strings(args.list(0)?)?;
    strings.sort();
    Ok(open_list(strings.into_iter().map(|text| Value::known(Data::Str(text))).collect(), None))
}

fn slice(args: &Args<'_>) -> Returned {
    let list = args.list(0)?;
    closed(list.open.as_ref())?;
    let (start, end) = (args.position(1)?, args.position(2)?);
    let part = list.items.get(start..end).ok_or("slice() reaches beyond the list")?;
    Ok(open_list(part.to_vec(), None))
}

fn chunklist(args: &Args<'_>) -> Returned {
    let list = args.list(0)?;
    closed(list.open.as_ref())?;
    let size = args.position(1)?.max(1);
    Ok(open_list(list.items.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect(), None))
}

fn index(args: &Args<'_>) -> Returned {
    let list = args.list(0)?;
    closed(list.open.as_ref())?;
    let wanted = args.value(1)?;
    for (position, item) in list.items.iter().enumerate() {
        match ops::equality(item, wanted) {
            Tri::True => return Ok(Value::known(types::float(position))),
            Tri::False => {}
            Tri::Unknown(reason) => return Err(Stop::Unknown(reason)),
        }
    }
    Err("the list has no such member".into())
}

fn matchkeys(args: &Args<'_>) -> Returned {
    let (values, keys, wanted) = (args.list(0)?, args.list(1)?, args.list(2)?);
    closed(values.open.as_ref().or(keys.open.as_ref()).or(wanted.open.as_ref()))?;
    let mut items = Vec::new();
    for (value, key) in values.items.iter().zip(&keys.items) {
        let found = wanted.items.iter().fold(Tri::False, |found, other| found.or(|| ops::equality(key, other)));
        match found {
            Tri::True => items.push(value.clone()),
            Tri::False => {}
            Tri::Unknown(reason) => return Err(Stop::Unknown(reason)),
        }
    }
    Ok(open_list(items, None))
}

fn one(args: &Args<'_>) -> Returned {
    let list = match args.data(0)? {
        Data::Null => return Ok(Value::known(Data::Null)),
        _ => args.list(0)?,
    };
    closed(list.open.as_ref())?;
    match list.items.as_slice() {
        [] => Ok(Value::known(Data::Null)),
        [only] => Ok(only.clone()),
        _ => Err("one() of several".into()),
    }
}

fn setproduct(args: &Args<'_>) -> Returned {
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for index in 0..args.len() {
        let list = args.list(index)?;
        closed(list.open.as_ref())?;
        if rows.len().saturating_mul(list.items.len()) > MAX_ITEMS {
            return Err(Stop::Unknown("the list is too long".into()));
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                list.items.iter().map(move |item| {
                    let mut row = row.clone();
                    row.push(item.clone());
                    row
                })
            })
            .collect();
    }
    Ok(open_list(rows.into_iter().map(Value::list).collect(), None))
}

fn sets(name: &str, args: &Args<'_>) -> Returned {
    let mut result = all_strings(args.list(0)?)?;
    for index in 1..args.len() {
        let other = all_strings(args.list(index)?)?;
        match name {
            "setunion" => result.extend(other),
            "setintersection" => result.retain(|text| other.contains(text)),
            _ => result.retain(|text| !other.contains(text)),
        }
    }
    let items = result.into_iter().map(|text| Value::known(Data::Str(text))).collect();
    Ok(types::set(&List { items, open: None }))
}

fn transpose(args: &Args<'_>) -> Returned {
    let map = args.map(0)?;
    closed(map.open.as_ref())?;
    let mut turned: std::collections::BTreeMap<Arc<str>, Vec<Value>> = std::collections::BTreeMap::new();
    for (key, value) in types::sorted(map) {
        for text in all_strings(list(value)?)? {
            turned.entry(text).or_default().push(Value::known(Data::Str(key.clone())));
        }
    }
    Ok(Value::map(turned.into_iter().map(|(key, items)| (key, Value::list(items))).collect()))
}

/// `alltrue` and `anytrue`.
fn quantified(args: &Args<'_>, all: bool) -> Returned {
    let list = args.list(0)?;
    let mut result = Tri::from(all);
    for item in &list.items {
        let one = match known(item) {
            Ok(data) => Tri::from(ops::boolean(data).map_err(Stop::Error)?),
            Err(Stop::Unknown(reason)) => Tri::Unknown(reason),
            Err(stop) => return Err(stop),
        };
        result = if all { result.and(|| one) } else { result.or(|| one) };
    }
    if let Some(reason) = &list.open {
        let rest = Tri::Unknown(reason.clone());
        result = if all { result.and(|| rest) } else { result.or(|| rest) };
    }
    Ok(truth(result))
}
