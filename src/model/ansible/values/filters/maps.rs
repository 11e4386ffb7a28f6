//! Filters of mappings.

use super::super::ops::{item, plain};
use super::super::val::{Res, V, Val, insert};
use super::{Args, Row, lists, string};
use crate::value::Reason;

pub(super) const FILTERS: &[Row] = &[
    ("combine", &["*", "recursive", "list_merge"], combine),
    ("dict2items", &["key_name", "value_name"], dict2items),
    ("items2dict", &["key_name", "value_name"], items2dict),
    ("items", &[], |of, _| listed(of)),
    ("dictsort", &["case_sensitive", "by", "reverse"], dictsort),
    ("subelements", &["subelements", "skip_missing"], subelements),
    ("extract", &["container", "morekeys"], extract),
    ("rekey_on_member", &["key", "duplicates"], rekey),
];

/// Members, and why there may be more.
type Members = (Vec<(Val, Val)>, Option<Reason>);

/// The members of a mapping (or of a list of pairs), and why there may be more.
pub(in super::super) fn pairs(of: &Val) -> Res<Members> {
    match &of.v {
        V::Map(map) => Ok((map.entries.clone(), map.open.clone())),
        V::List(list) => {
            let mut entries = Vec::new();
            for pair in &list.items {
                match lists::items(pair)?.as_slice() {
                    [key, value] => insert(&mut entries, key.clone(), value.clone()),
                    _ => return Err("it is no list of pairs".into()),
                }
            }
            Ok((entries, list.open.clone()))
        }
        _ => Err(of.not("mapping")),
    }
}

fn mapping(of: &Val) -> Res<Members> {
    if let V::List(_) = of.v { Err(of.not("mapping")) } else { pairs(of) }
}

#[derive(Clone, Copy, PartialEq)]
enum Merge {
    Replace,
    Keep,
    Append,
    Prepend,
    AppendNew,
    PrependNew,
}

fn combine(of: &Val, args: &Args<'_>) -> Res {
    let recursive = args.flag("recursive", false)?;
    let merge = match args.text("list_merge")?.as_deref().unwrap_or("replace") {
        "replace" => Merge::Replace,
        "keep" => Merge::Keep,
        "append" => Merge::Append,
        "prepend" => Merge::Prepend,
        "append_rp" => Merge::AppendNew,
        "prepend_rp" => Merge::PrependNew,
        other => return Err(format!("`{other}` is no way to merge lists").into()),
    };
    let mut terms = Vec::new();
    for term in std::iter::once(of).chain(args.rest.iter().copied()) {
        match &term.v {
            V::Null => {}
            V::List(_) => terms.extend(lists::items(term)?.into_iter().filter(|own| !matches!(own.v, V::Null))),
            _ => terms.push(term.clone()),
        }
    }
    let mut terms = terms.into_iter();
    let Some(first) = terms.next() else { return Ok(Val::map(Vec::new(), None)) };
    if let (V::Unknown(_), Some(_)) | (V::Map(_), None) = (&first.v, terms.as_slice().first()) {
        // What is put over it is known all the same.
        return if let V::Map(_) = first.v {
            Ok(first)
        } else {
            terms.try_fold(opened(&first), |low, high| merged(&low, &high, recursive, merge, args))
        };
    }
    mapping(&first)?;
    terms.try_fold(first, |low, high| merged(&low, &high, recursive, merge, args))
}

/// A mapping of which nothing is known.
fn opened(of: &Val) -> Val {
    Val::map(Vec::new(), Some(of.not("mapping")))
}

/// `high` over `low`. What may be in an open mapping above makes what is below uncertain.
fn merged(low: &Val, high: &Val, recursive: bool, merge: Merge, args: &Args<'_>) -> Res {
    let (mut entries, open) = mapping(low)?;
    let (over, more) = match &high.v {
        V::Unknown(reason) => (Vec::new(), Some(reason.clone())),
        _ => mapping(high)?,
    };
    args.spend(1 + entries.len().saturating_mul(over.len()) / 16 + entries.len() / 8)?;
    if let Some(reason) = &more {
        for (_, value) in &mut entries {
            *value = Val::unknown(reason.clone());
        }
    }
    for (key, value) in over {
        let old = entries.iter().find(|(own, _)| super::super::ops::equal(own, &key).is_true()).map(|(_, old)| old);
        let new = match (old, &value.v) {
            (Some(old), _) => joined(old, &value, recursive, merge, args)?,
            // Below, there may be a mapping or list that it would be merged with.
            (None, V::Map(_)) if open.is_some() && recursive => Val::unknown(open.clone().unwrap_or_default()),
            (None, V::List(_)) if open.is_some() && merge != Merge::Replace => {
                Val::unknown(open.clone().unwrap_or_default())
            }
            (None, _) => value,
        };
        insert(&mut entries, key, new);
    }
    Ok(Val::map(entries, open.or(more)))
}

fn joined(old: &Val, new: &Val, recursive: bool, merge: Merge, args: &Args<'_>) -> Res {
    match (&old.v, &new.v) {
        (V::Map(_), V::Map(_)) if recursive => merged(old, new, recursive, merge, args),
        (V::Unknown(reason), V::Map(_)) if recursive => Ok(Val::unknown(reason.clone())),
        (V::Unknown(reason), V::List(_)) if merge != Merge::Replace => Ok(Val::unknown(reason.clone())),
        (V::List(low), V::List(high)) => {
            let (x, y) = (&low.items, &high.items);
            let without = |items: &[Val], of: &Val| -> Vec<Val> {
                items.iter().filter(|own| !super::super::ops::contains(of, own).is_true()).cloned().collect()
            };
            let items = match merge {
                Merge::Replace => return Ok(new.clone()),
                Merge::Keep => return Ok(old.clone()),
                Merge::Append => [x.as_slice(), y.as_slice()].concat(),
                Merge::Prepend => [y.as_slice(), x.as_slice()].concat(),
                Merge::AppendNew => [without(x, new), y.clone()].concat(),
                Merge::PrependNew => [y.clone(), without(x, new)].concat(),
            };
            Ok(Val::seq(items, low.open.clone().or(high.open.clone()), false))
        }
        _ => Ok(new.clone()),
    }
}

fn dict2items(of: &Val, args: &Args<'_>) -> Res {
    let (entries, open) = mapping(of)?;
    let (key, value) = names(args)?;
    let pair = |(own, member): (Val, Val)| Val::map(vec![(key.clone(), own), (value.clone(), member)], None);
    Ok(Val::seq(entries.into_iter().map(pair).collect(), open, false))
}

fn names(args: &Args<'_>) -> Res<(Val, Val)> {
    let name = |name: &str, default: &str| {
        Ok::<_, Reason>(args.text(name)?.map_or_else(|| default.into(), |name| Val::from(&*name)))
    };
    Ok((name("key_name", "key")?, name("value_name", "value")?))
}

fn items2dict(of: &Val, args: &Args<'_>) -> Res {
    let V::List(list) = &of.v else { return Err(of.not("list")) };
    let (key, value) = names(args)?;
    let mut entries = Vec::new();
    for own in &list.items {
        let (key, value) = (item(own, &key), item(own, &value));
        plain(&key)?;
        if let V::Undefined(reason) = &value.v {
            return Err(reason.clone());
        }
        args.spend(1 + entries.len() / 16)?;
        insert(&mut entries, key, value);
    }
    Ok(Val::map(entries, list.open.clone()))
}

fn listed(of: &Val) -> Res {
    let (entries, open) = mapping(of)?;
    Ok(Val::seq(entries.into_iter().map(|(key, value)| Val::tuple(vec![key, value])).collect(), open, false))
}

fn dictsort(of: &Val, args: &Args<'_>) -> Res {
    let (entries, open) = mapping(of)?;
    if let Some(reason) = open {
        return Err(reason);
    }
    let case = args.flag("case_sensitive", false)?;
    let value = args.text("by")?.as_deref() == Some("value");
    let mut keyed = Vec::new();
    for (own, member) in entries {
        let key = if value { &member } else { &own };
        let key = match &key.v {
            V::Str(text) if !case => text.to_lowercase().into(),
            _ => key.clone(),
        };
        keyed.push((key, Val::tuple(vec![own, member])));
    }
    let mut failed = None;
    keyed.sort_by(|(a, _), (b, _)| {
        super::super::ops::compare(a, b).unwrap_or_else(|reason| {
            failed.get_or_insert(reason);
            std::cmp::Ordering::Equal
        })
    });
    if let Some(reason) = failed {
        return Err(reason);
    }
    if args.flag("reverse", false)? {
        keyed.reverse();
    }
    Ok(Val::list(keyed.into_iter().map(|(_, pair)| pair).collect()))
}

fn subelements(of: &Val, args: &Args<'_>) -> Res {
    let elements = match &of.v {
        V::Map(map) if map.open.is_none() => map.entries.iter().map(|(_, value)| value.clone()).collect(),
        V::List(_) => lists::items(of)?,
        _ => return Err(of.not("list")),
    };
    let path = match &args.need("subelements")?.v {
        V::List(list) => list.items.iter().map(string).collect::<Res<Vec<_>>>()?,
        _ => string(args.need("subelements")?)?.split('.').map(Into::into).collect(),
    };
    let skip = args.flag("skip_missing", false)?;
    let mut results = Vec::new();
    for element in elements {
        let found = path.iter().fold(element.clone(), |of, key| item(&of, &Val::from(&**key)));
        match &found.v {
            V::Undefined(_) if skip => {}
            V::List(_) => {
                for own in lists::items(&found)? {
                    args.spend(1)?;
                    results.push(Val::tuple(vec![element.clone(), own]));
                }
            }
            _ => return Err(found.not("list")),
        }
    }
    Ok(Val::list(results))
}

fn extract(of: &Val, args: &Args<'_>) -> Res {
    let first = item(args.need("container")?, of);
    Ok(match args.given("morekeys") {
        None => first,
        Some(more) => match &more.v {
            V::List(_) => lists::items(more)?.iter().fold(first, |of, key| item(&of, key)),
            _ => item(&first, more),
        },
    })
}

fn rekey(of: &Val, args: &Args<'_>) -> Res {
    let members = match &of.v {
        V::Map(map) if map.open.is_none() => map.entries.iter().map(|(_, value)| value.clone()).collect(),
        _ => lists::items(of)?,
    };
    let overwrite = args.text("duplicates")?.as_deref() == Some("overwrite");
    let mut entries: Vec<(Val, Val)> = Vec::new();
    for own in members {
        let key = item(&own, args.need("key")?);
        plain(&key)?;
        let twice = entries.iter().any(|(other, _)| super::super::ops::equal(other, &key).is_true());
        if twice && !overwrite {
            return Err("two members have the same key".into());
        }
        insert(&mut entries, key, own);
    }
    Ok(Val::map(entries, None))
}
