//! Functions on maps and sets.

use super::super::eval::{Building, MAX_ITEMS};
use super::super::refs::any_member;
use super::super::types::{self, Ty};
use super::{Args, Returned, Stop, closed, known, shaped};
use crate::value::{Data, Kind, List, Map, Shape, Value};
use std::sync::Arc;

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Returned> {
    Some(match name {
        "map" => old_map(args),
        "merge" => merge(args),
        "lookup" => lookup(args),
        "keys" => keys(args),
        "values" => values(args),
        "tomap" => args.converted(0, &Ty::Map(Box::new(Ty::Any))),
        "toset" => args.converted(0, &Ty::Set(Box::new(Ty::Any))),
        "zipmap" => zipmap(args),
        "transpose" => transpose(args),
        "setproduct" => setproduct(args),
        "setunion" | "setintersection" | "setsubtract" => sets(name, args),
        _ => return None,
    })
}

fn old_map(args: &Args<'_>) -> Returned {
    let mut built = Building::default();
    for index in (0..args.len()).step_by(2) {
        built.put(args.text(index)?, args.value(index + 1)?.clone());
    }
    Ok(uniform(built.finish()))
}

/// The same entries as a map.
fn uniform(mut value: Value) -> Value {
    if let Kind::Known(Data::Map(map)) = &mut value.kind {
        Arc::make_mut(map).shape = Shape::Uniform;
    }
    value
}

/// What lies under an unknown map may be overridden by it.
fn merge(args: &Args<'_>) -> Returned {
    let mut built = Building::default();
    let mut way = None;
    let mut maps: Vec<&Value> = Vec::new();
    for value in args.all() {
        match known(value) {
            Ok(Data::Map(map)) => {
                if let Some(reason) = &map.open {
                    built.shadow(reason);
                }
                map.entries.iter().for_each(|(key, value)| built.put(key.clone(), value.clone()));
                way = way.or_else(|| value.via.clone());
                maps.push(value);
            }
            Ok(Data::Null) => {}
            Ok(_) => return Err("merge() needs maps".into()),
            Err(Stop::Unknown(reason)) => built.shadow(&reason),
            Err(stop) => return Err(stop),
        }
    }
    // Maps of one type make a map, all else an object.
    let is_map = |value: &Value| value.as_map().is_some_and(|map| map.shape == Shape::Uniform);
    let merged = built.finish();
    let merged = if maps.len() == args.len() && maps.iter().all(|value| is_map(value)) {
        let types: Vec<Ty> = maps.iter().map(|value| types::type_of(value)).collect();
        if types.windows(2).all(|pair| pair.first() == pair.last()) { uniform(merged) } else { merged }
    } else {
        merged
    };
    Ok(Value { via: way, ..merged })
}

fn lookup(args: &Args<'_>) -> Returned {
    let map = args.map(0)?;
    let key = args.value(1)?;
    if key.data().is_none() && !key.is_absent() {
        return Ok(any_member(args.value(0)?, key, args.value(2).ok()));
    }
    let name = args.text(1)?;
    let default = match (args.value(2), types::type_of(args.value(0)?)) {
        (Ok(default), Ty::Map(member)) => Some(types::convert(default.clone(), &member).map_err(Stop::Error)?),
        (default, _) => default.ok().cloned(),
    };
    match (map.get(&name), &map.open, default) {
        (Some(value), ..) => Ok(value.clone()),
        (None, Some(reason), _) => Err(Stop::Unknown(reason.clone())),
        (None, None, Some(default)) => Ok(default),
        (None, None, None) => Err(format!("the map has no key `{name}`").into()),
    }
}

fn keys(args: &Args<'_>) -> Returned {
    let map = args.map(0)?;
    let keys = types::sorted(map).into_iter().map(|(key, _)| Value::known(Data::Str(key.clone())));
    Ok(shaped(keys.collect(), map.open.clone(), map.shape))
}

fn values(args: &Args<'_>) -> Returned {
    let map = args.map(0)?;
    Ok(shaped(types::sorted(map).into_iter().map(|(_, value)| value.clone()).collect(), map.open.clone(), map.shape))
}

fn zipmap(args: &Args<'_>) -> Returned {
    let (keys, values) = (args.uniform(0, Ty::Str)?, super::collections::positioned(args, 1)?);
    closed(keys.open.as_ref())?;
    closed(values.open.as_ref())?;
    if keys.items.len() != values.items.len() {
        return Err("zipmap() needs as many keys as values".into());
    }
    let mut built = Building::default();
    for (key, value) in super::all_strings(&keys)?.into_iter().zip(&values.items) {
        built.put(key, value.clone());
    }
    Ok(if values.shape == Shape::Uniform { uniform(built.finish()) } else { built.finish() })
}

fn transpose(args: &Args<'_>) -> Returned {
    let ty = Ty::Map(Box::new(Ty::List(Box::new(Ty::Str))));
    let whole = types::convert(Value::known(args.data(0)?.clone()), &ty).map_err(Stop::Error)?;
    let Some(map) = whole.as_map() else { return Err("a map is needed".into()) };
    closed(map.open.as_ref())?;
    let mut turned: std::collections::BTreeMap<Arc<str>, Vec<Value>> = std::collections::BTreeMap::new();
    for (key, value) in types::sorted(map) {
        for text in super::all_strings(super::list(value)?)? {
            turned.entry(text).or_default().push(Value::known(Data::Str(key.clone())));
        }
    }
    let entries = turned.into_iter().map(|(key, items)| (key, shaped(items, None, Shape::Uniform)));
    Ok(uniform(Value::map(entries.collect())))
}

fn setproduct(args: &Args<'_>) -> Returned {
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    let mut any_set = false;
    for index in 0..args.len() {
        any_set |= args.list(index)?.shape == Shape::Set;
        let list = args.uniform(index, Ty::Any)?;
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
    let items: Vec<Value> = rows.into_iter().map(Value::list).collect();
    if any_set {
        return Ok(types::set(&List { items, ..List::default() }));
    }
    Ok(shaped(items, None, Shape::Uniform))
}

/// Sets of one type, each with its members.
fn same_sets(args: &Args<'_>) -> Result<Vec<List>, Stop> {
    let any = Ty::Set(Box::new(Ty::Any));
    let sets: Result<Vec<Value>, Stop> = (0..args.len())
        .map(|index| {
            args.list(index)?;
            args.converted(index, &any)
        })
        .collect();
    let sets = sets?;
    let types: Vec<Ty> = sets.iter().map(types::type_of).collect();
    let ty = types::unify(&types.iter().collect::<Vec<_>>()).ok_or("the sets have no type in common")?;
    sets.into_iter().map(|set| Ok(super::list(&types::convert(set, &ty).map_err(Stop::Error)?)?.clone())).collect()
}

fn sets(name: &str, args: &Args<'_>) -> Returned {
    let mut sets = same_sets(args)?.into_iter();
    let mut result = sets.next().unwrap_or_default();
    for other in sets {
        if name == "setunion" {
            result.items.extend(other.items);
            result.open = result.open.or(other.open);
            continue;
        }
        closed(result.open.as_ref().or(other.open.as_ref()))?;
        let identities = |list: &List| {
            let known = types::identities(&list.items).into_iter().collect::<Option<Vec<String>>>();
            known.ok_or_else(|| Stop::Unknown("a member of a set is not known".into()))
        };
        let (own, others) = (identities(&result)?, identities(&other)?);
        let others: std::collections::HashSet<String> = others.into_iter().collect();
        let wanted = name == "setintersection";
        let mut own = own.iter();
        result.items.retain(|_| own.next().is_some_and(|identity| others.contains(identity) == wanted));
    }
    if result.items.len() > MAX_ITEMS {
        return Err(Stop::Unknown("the list is too long".into()));
    }
    Ok(types::set(&result))
}

impl Args<'_> {
    fn map(&self, index: usize) -> Result<&Map, Stop> {
        match self.data(index)? {
            Data::Map(map) => Ok(map),
            _ => Err("a map is needed".into()),
        }
    }
}
