//! Functions on lists and tuples.

use super::super::eval::MAX_ITEMS;
use super::super::ops::{self, truth};
use super::super::refs::any_member;
use super::super::types::{self, Ty};
use super::{Args, Returned, Stop, closed, known, list, open_list, shaped, strings};
use crate::value::{Data, Kind, List, Reason, Shape, Tri, Value};

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Returned> {
    Some(match name {
        "length" => args.value(0).and_then(strings::length),
        "list" => Ok(open_list(args.all().to_vec(), None)),
        "concat" => concat(args),
        "element" => element(args),
        "tostring" => args.converted(0, &Ty::Str),
        "tonumber" => args.converted(0, &Ty::Number),
        "tobool" => args.converted(0, &Ty::Bool),
        "tolist" => args.converted(0, &Ty::List(Box::new(Ty::Any))),
        "sensitive" | "nonsensitive" | "ephemeralasnull" | "defaults" => args.value(0).cloned(),
        "issensitive" => Err(Stop::Unknown("whether a value is sensitive is not followed here".into())),
        "flatten" => flatten(args),
        "distinct" => distinct(args),
        "compact" => compact(args),
        "contains" => contains(args),
        "coalesce" => coalesce(args),
        "coalescelist" => coalesce_list(args),
        "sort" => sort(args),
        "reverse" => args.list(0).and_then(|list| {
            closed(list.open.as_ref())?;
            let shape = if list.shape == Shape::Set { Shape::Uniform } else { list.shape };
            Ok(shaped(list.items.iter().rev().cloned().collect(), None, shape))
        }),
        "slice" => slice(args),
        "chunklist" => chunklist(args),
        "index" => index(args),
        "matchkeys" => matchkeys(args),
        "one" => one(args),
        "alltrue" => quantified(args, true),
        "anytrue" => quantified(args, false),
        _ => return None,
    })
}

/// A list or tuple: what has positions.
pub(super) fn positioned<'a>(args: &Args<'a>, index: usize) -> Result<&'a List, Stop> {
    let list = args.list(index)?;
    if list.shape == Shape::Set {
        return Err("a set has no positions".into());
    }
    Ok(list)
}

fn concat(args: &Args<'_>) -> Returned {
    let mut items = Vec::new();
    let mut open = None;
    let mut uniform = true;
    for (index, value) in args.all().iter().enumerate() {
        match known(value) {
            Ok(_) => {
                let list = positioned(args, index)?;
                items.extend(list.items.iter().take(MAX_ITEMS + 1).cloned());
                open = open.or_else(|| list.open.clone());
                uniform &= list.shape == Shape::Uniform;
            }
            Err(Stop::Unknown(reason)) => open = open.or(Some(reason)),
            Err(stop) => return Err(stop),
        }
        if items.len() > MAX_ITEMS {
            break;
        }
    }
    let whole = shaped(items, open, Shape::Loose);
    // Lists whose members have no type in common make a tuple.
    let ty = Ty::List(Box::new(Ty::Any));
    Ok(if uniform { types::convert(whole.clone(), &ty).unwrap_or(whole) } else { whole })
}

fn element(args: &Args<'_>) -> Returned {
    let list = positioned(args, 0)?;
    closed(list.open.as_ref())?;
    if list.items.is_empty() {
        return Err("element() of an empty list".into());
    }
    let key = args.value(1)?;
    if key.data().is_none() && !key.is_absent() {
        return Ok(any_member(args.value(0)?, key, None));
    }
    // Negative positions count from the end, as they do in later versions; 1.11 refuses most of them.
    let turned = args.whole(1)?.rem_euclid(i64::try_from(list.items.len()).unwrap_or(i64::MAX));
    let position = usize::try_from(turned).unwrap_or(0);
    Ok(list.items.get(position).cloned().unwrap_or_default())
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
    let list = args.uniform(0, Ty::Any)?;
    if let [_] = list.items.as_slice() {
        return Ok(shaped(list.items, list.open, Shape::Uniform));
    }
    let mut open = list.open;
    let mut seen = std::collections::HashSet::new();
    let mut items = Vec::with_capacity(list.items.len());
    let identities = types::identities(&list.items);
    for (item, identity) in list.items.into_iter().zip(identities) {
        match identity {
            Some(identity) => {
                if seen.insert(identity) {
                    items.push(item);
                }
            }
            // It may be one of the others.
            None => open = open.or_else(|| item.reason().or_else(|| Some("a member is not known".into()))),
        }
    }
    Ok(shaped(items, open, Shape::Uniform))
}

fn compact(args: &Args<'_>) -> Returned {
    let list = args.uniform(0, Ty::Str)?;
    let mut open = list.open;
    let mut items = Vec::new();
    for item in list.items {
        match strings::is_blank(&item) {
            Some(true) => {}
            Some(false) => items.push(item),
            None => open = open.or_else(|| item.reason()),
        }
    }
    Ok(shaped(items, open, Shape::Uniform))
}

fn contains(args: &Args<'_>) -> Returned {
    let list = args.list(0)?;
    let wanted = args.value(1)?;
    if wanted.is_absent() {
        return Err("an argument is null".into());
    }
    let found = list.items.iter().fold(Tri::False, |found, item| found.or(|| ops::equality(item, wanted)));
    Ok(truth(match &list.open {
        Some(reason) => found.or(|| Tri::Unknown(reason.clone())),
        None => found,
    }))
}

fn coalesce(args: &Args<'_>) -> Returned {
    let types: Vec<Ty> = args.all().iter().map(types::type_of).collect();
    let ty = types::unify(&types.iter().collect::<Vec<_>>()).ok_or("the arguments have no type in common")?;
    for value in args.all() {
        match strings::is_blank(value) {
            Some(true) => {}
            Some(false) => return types::convert(value.clone(), &ty).map_err(Stop::Error),
            None => return Err(Stop::Unknown(value.reason().unwrap_or_default())),
        }
    }
    Err("coalesce() has nothing to give".into())
}

fn coalesce_list(args: &Args<'_>) -> Returned {
    for (index, value) in args.all().iter().enumerate() {
        if known(value).is_ok() {
            positioned(args, index)?;
        }
    }
    for value in args.all() {
        let list = list(value)?;
        if !list.items.is_empty() || list.open.is_some() {
            return Ok(value.clone());
        }
    }
    Err("coalescelist() has nothing to give".into())
}

fn sort(args: &Args<'_>) -> Returned {
    let mut strings = super::all_strings(&args.uniform(0, Ty::Str)?)?;
    strings.sort();
    let items = strings.into_iter().map(|text| Value::known(Data::Str(text))).collect();
    Ok(shaped(items, None, Shape::Uniform))
}

fn slice(args: &Args<'_>) -> Returned {
    let list = positioned(args, 0)?;
    closed(list.open.as_ref())?;
    let (start, end) = (args.position(1)?, args.position(2)?);
    let part = list.items.get(start..end).ok_or("slice() reaches beyond the list")?;
    Ok(shaped(part.to_vec(), None, list.shape))
}

fn chunklist(args: &Args<'_>) -> Returned {
    let list = args.uniform(0, Ty::Any)?;
    closed(list.open.as_ref())?;
    // Zero leaves all in one piece.
    let size = match args.position(1)? {
        0 => list.items.len().max(1),
        size => size,
    };
    let chunks = list.items.chunks(size).map(|chunk| shaped(chunk.to_vec(), None, Shape::Uniform));
    Ok(shaped(chunks.collect(), None, Shape::Uniform))
}

fn index(args: &Args<'_>) -> Returned {
    let list = positioned(args, 0)?;
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
    let (values, keys, wanted) = (args.uniform(0, Ty::Any)?, args.uniform(1, Ty::Any)?, args.uniform(2, Ty::Any)?);
    closed(values.open.as_ref().or(keys.open.as_ref()).or(wanted.open.as_ref()))?;
    if values.items.len() != keys.items.len() {
        return Err("matchkeys() needs as many keys as values".into());
    }
    let list = |list: List| Value::known(Data::List(list.into()));
    let (keys, wanted, _) = types::alike(list(keys), list(wanted)).map_err(Stop::Error)?;
    let (keys, wanted) = (super::list(&keys)?, super::list(&wanted)?);
    let mut items = Vec::new();
    for (value, key) in values.items.into_iter().zip(&keys.items) {
        let found = wanted.items.iter().fold(Tri::False, |found, other| found.or(|| ops::equality(key, other)));
        match found {
            Tri::True => items.push(value),
            Tri::False => {}
            Tri::Unknown(reason) => return Err(Stop::Unknown(reason)),
        }
    }
    Ok(shaped(items, None, Shape::Uniform))
}

fn one(args: &Args<'_>) -> Returned {
    let list = args.list(0)?;
    closed(list.open.as_ref())?;
    match list.items.as_slice() {
        [] => Ok(Value::known(Data::Null)),
        [only] => Ok(only.clone()),
        _ => Err("one() of several".into()),
    }
}

/// `alltrue` and `anytrue`; a null is not true.
fn quantified(args: &Args<'_>, all: bool) -> Returned {
    let list = args.uniform(0, Ty::Bool)?;
    let mut result = Tri::from(all);
    for item in &list.items {
        let one = match known(item) {
            Ok(Data::Null) => Tri::False,
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
