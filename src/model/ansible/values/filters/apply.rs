//! Filters that apply another filter or test to each member.

use super::super::Work;
use super::super::checks;
use super::super::ops::{item, lift, plain, truth};
use super::super::val::{Res, V, Val};
use super::lists;
use crate::value::{Reason, Tri};

/// `map`, `select`, `reject`, `selectattr`, `rejectattr`; none for other names.
pub(super) fn call(work: &Work, name: &str, of: &Val, args: &[Val], kwargs: &[(Box<str>, Val)]) -> Option<Res> {
    let one = |of: &Val| match name {
        "map" => map(work, of, args, kwargs),
        "select" | "reject" => select(work, of, None, args, kwargs, name == "select"),
        _ => match args.split_first() {
            Some((attribute, args)) => select(work, of, Some(attribute), args, kwargs, name == "selectattr"),
            None => Err("the attribute is missing".into()),
        },
    };
    matches!(name, "map" | "select" | "reject" | "selectattr" | "rejectattr")
        .then(|| lift(std::slice::from_ref(of), &|values| one(&values[0])))
}

fn map(work: &Work, of: &Val, args: &[Val], kwargs: &[(Box<str>, Val)]) -> Res {
    let (items, open) = lists::parts(of)?;
    work.spend(items.len())?;
    let attribute = kwargs.iter().find(|(name, _)| &**name == "attribute").map(|(_, value)| value);
    let mapped: Vec<Val> = match (attribute, args.split_first()) {
        (Some(attribute), None) => {
            let default = kwargs.iter().find(|(name, _)| &**name == "default").map(|(_, value)| value);
            let found = |own: &Val| {
                let value = member(own, attribute);
                match (&value.v, default) {
                    (V::Undefined(_), Some(default)) => default.clone(),
                    _ => value,
                }
            };
            items.iter().map(found).collect()
        }
        (None, Some((filter, args))) => {
            let filter = plain(filter)?;
            items.iter().map(|own| super::apply(work, &filter, own, args, kwargs).into()).collect()
        }
        _ => return Err("`map` needs a filter or an attribute".into()),
    };
    refused(&mapped, &items)?;
    Ok(Val::seq(mapped, open, false))
}

/// A filter that cannot be applied to one known member makes the whole list unknown.
fn refused(mapped: &[Val], items: &[Val]) -> Res<()> {
    let failed = mapped.iter().zip(items).find_map(|(value, item)| match (&value.v, item.settled()) {
        (V::Unknown(reason), Ok(())) => Some(reason.clone()),
        _ => None,
    });
    failed.map_or(Ok(()), Err)
}

/// A member by a dotted path (`a.b.0`), as Jinja's `attribute=` takes it.
pub(super) fn member(of: &Val, path: &Val) -> Val {
    let V::Str(path) = &path.v else { return item(of, path) };
    path.split('.').fold(of.clone(), |of, part| match part.parse::<i64>() {
        Ok(at) => item(&of, &at.into()),
        Err(_) => match &of.v {
            // The pairs of `groupby` have names for their parts.
            V::List(list) if list.tuple && list.items.len() == 2 && part == "grouper" => list.items[0].clone(),
            V::List(list) if list.tuple && list.items.len() == 2 && part == "list" => list.items[1].clone(),
            _ => item(&of, &part.into()),
        },
    })
}

fn select(work: &Work, of: &Val, attribute: Option<&Val>, args: &[Val], kwargs: &[(Box<str>, Val)], keep: bool) -> Res {
    let (items, mut open) = lists::parts(of)?;
    work.spend(items.len())?;
    let mut kept = Vec::new();
    for own in items {
        let value = attribute.map_or_else(|| own.clone(), |attribute| member(&own, attribute));
        let holds = match args.split_first() {
            None => truth(&value),
            Some((test, args)) => checks::holds(work, &plain(test)?, &value, args, kwargs),
        };
        match holds {
            Tri::Unknown(reason) => unsettled(&value, &reason, &mut open)?,
            holds if holds.is_true() == keep => kept.push(own),
            _ => {}
        }
    }
    Ok(Val::seq(kept, open, false))
}

/// A member that may be left out or not; a test that refuses a known value refuses the whole.
fn unsettled(value: &Val, reason: &Reason, open: &mut Option<Reason>) -> Res<()> {
    value.settled().map_or_else(
        |_| {
            open.get_or_insert(reason.clone());
            Ok(())
        },
        |()| Err(reason.clone()),
    )
}
