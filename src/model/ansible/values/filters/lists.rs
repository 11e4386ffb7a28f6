//! Filters of lists.

use super::super::ops::{compare, contains, equal, item, plain, truth};
use super::super::val::{MAX_ITEMS, Res, V, Val};
use super::apply::member;
use super::{Args, Row};
use crate::value::{Piece, Reason, Tri};
use std::cmp::Ordering;

pub(super) const FILTERS: &[Row] = &[
    ("list", &[], |of, _| list(of)),
    ("first", &[], |of, _| end(of, true)),
    ("last", &[], |of, _| end(of, false)),
    ("length", &[], |of, _| length(of)),
    ("count", &[], |of, _| length(of)),
    ("join", &["d", "attribute"], join),
    ("unique", &["case_sensitive", "attribute"], unique),
    ("union", &["b"], |of, args| sets(of, args, "union")),
    ("intersect", &["b"], |of, args| sets(of, args, "intersect")),
    ("difference", &["b"], |of, args| sets(of, args, "difference")),
    ("symmetric_difference", &["b"], |of, args| sets(of, args, "symmetric_difference")),
    ("sort", &["reverse", "case_sensitive", "attribute"], sort),
    ("reverse", &[], |of, _| reverse(of)),
    ("min", &["case_sensitive", "attribute"], |of, args| extreme(of, args, Ordering::Less)),
    ("max", &["case_sensitive", "attribute"], |of, args| extreme(of, args, Ordering::Greater)),
    ("sum", &["attribute", "start"], sum),
    ("flatten", &["levels", "skip_nulls"], flatten),
    ("batch", &["linecount", "fill_with"], batch),
    ("slice", &["slices", "fill_with"], slices),
    ("zip", &["*"], zip),
    ("zip_longest", &["*", "fillvalue"], zip_longest),
    ("product", &["*"], product),
    ("groupby", &["attribute", "default", "case_sensitive"], groupby),
];

pub(in super::super) fn number(value: usize) -> Val {
    i64::try_from(value).unwrap_or(i64::MAX).into()
}

/// The members that Python's iteration gives, and why there may be more.
pub(super) fn parts(of: &Val) -> Res<(Vec<Val>, Option<Reason>)> {
    match &of.v {
        V::List(list) => Ok((list.items.clone(), list.open.clone())),
        V::Map(map) => Ok((map.entries.iter().map(|(key, _)| key.clone()).collect(), map.open.clone())),
        V::Str(text) if text.len() <= MAX_ITEMS => Ok((text.chars().map(|c| c.to_string().into()).collect(), None)),
        _ => Err(of.not("list")),
    }
}

/// All members.
pub(in super::super) fn items(of: &Val) -> Res<Vec<Val>> {
    match parts(of)? {
        (items, None) => Ok(items),
        (_, Some(reason)) => Err(reason),
    }
}

fn list(of: &Val) -> Res {
    let (items, open) = parts(of)?;
    let listed = Val::seq(items, open, false);
    Ok(Val { origin: of.origin, via: of.via.clone(), ..listed })
}

fn end(of: &Val, first: bool) -> Res {
    let items = items(of)?;
    let found = if first { items.first() } else { items.last() };
    Ok(found.cloned().unwrap_or_else(|| Val::undefined("the list is empty")))
}

fn length(of: &Val) -> Res {
    match &of.v {
        V::Str(text) => Ok(number(text.chars().count())),
        _ => Ok(number(items(of)?.len())),
    }
}

/// The members joined; those that are not known leave holes.
fn join(of: &Val, args: &Args<'_>) -> Res {
    let items = items(of)?;
    let separator = args.text("d")?.unwrap_or_default();
    let mut pieces = Vec::new();
    for (at, own) in items.iter().enumerate() {
        if at > 0 {
            pieces.push(Piece::Lit(separator.clone()));
        }
        let own = args.given("attribute").map_or_else(|| own.clone(), |attribute| member(own, attribute));
        pieces.extend(super::super::ops::pieces(&own));
    }
    Ok(Val::text(pieces))
}

/// A value to compare by: texts in small letters unless case counts.
fn key(of: &Val, attribute: Option<&Val>, case: bool) -> Val {
    let value = attribute.map_or_else(|| of.clone(), |attribute| member(of, attribute));
    match &value.v {
        V::Str(text) if !case => text.to_lowercase().into(),
        _ => value,
    }
}

fn unique(of: &Val, args: &Args<'_>) -> Res {
    let (items, open) = parts(of)?;
    let case = args.flag("case_sensitive", false)?;
    let kept = distinct(items, args, &|own| key(own, args.given("attribute"), case))?;
    Ok(Val::seq(kept, open, false))
}

/// The members of which none before has the same key.
fn distinct(items: Vec<Val>, args: &Args<'_>, key: &dyn Fn(&Val) -> Val) -> Res<Vec<Val>> {
    let mut kept: Vec<(Val, Val)> = Vec::new();
    for own in items {
        let key = key(&own);
        args.spend(1 + kept.len() / 16)?;
        let seen = kept.iter().fold(Tri::False, |seen, (other, _)| seen.or(|| equal(other, &key)));
        match seen {
            Tri::True => {}
            Tri::False => kept.push((key, own)),
            Tri::Unknown(reason) => return Err(reason),
        }
    }
    Ok(kept.into_iter().map(|(_, own)| own).collect())
}

/// Set operations, in the order in which the members stand: Python's sets have none.
fn sets(of: &Val, args: &Args<'_>, name: &str) -> Res {
    let (own, open) = parts(of)?;
    let (other, more) = parts(args.need("b")?)?;
    let (this, that) = (of.clone(), args.need("b")?.clone());
    args.spend(own.len().saturating_mul(other.len()) / 16)?;
    let filtered = |items: &[Val], of: &Val, wanted: bool| -> Res<Vec<Val>> {
        let mut kept = Vec::new();
        for own in items {
            match contains(of, own) {
                Tri::Unknown(reason) => return Err(reason),
                found if found.is_true() == wanted => kept.push(own.clone()),
                _ => {}
            }
        }
        Ok(kept)
    };
    let items = match name {
        "union" => own.into_iter().chain(other).collect(),
        "intersect" => filtered(&own, &that, true)?,
        "difference" => filtered(&own, &that, false)?,
        _ => [filtered(&own, &that, false)?, filtered(&other, &this, false)?].concat(),
    };
    Ok(Val::seq(distinct(items, args, &Clone::clone)?, open.or(more), false))
}

fn sort(of: &Val, args: &Args<'_>) -> Res {
    let case = args.flag("case_sensitive", false)?;
    let attributes: Vec<Val> = match args.given("attribute") {
        None => Vec::new(),
        Some(value) => plain(value)?.split(',').map(Val::from).collect(),
    };
    let keys = |own: &Val| -> Vec<Val> {
        if attributes.is_empty() {
            vec![key(own, None, case)]
        } else {
            attributes.iter().map(|attribute| key(own, Some(attribute), case)).collect()
        }
    };
    let items = items(of)?;
    args.spend(items.len())?;
    let mut keyed: Vec<(Vec<Val>, Val)> = items.into_iter().map(|own| (keys(&own), own)).collect();
    if let Some(reason) = keyed.iter().flat_map(|(keys, _)| keys).find_map(Val::reason) {
        return Err(reason);
    }
    let mut failed = None;
    keyed.sort_by(|(a, _), (b, _)| {
        let order = a.iter().zip(b).map(|(a, b)| {
            compare(a, b).unwrap_or_else(|reason| {
                failed.get_or_insert(reason);
                Ordering::Equal
            })
        });
        order.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    if let Some(reason) = failed {
        return Err(reason);
    }
    let mut items: Vec<Val> = keyed.into_iter().map(|(_, own)| own).collect();
    if args.flag("reverse", false)? {
        // Python keeps the order of equal members when it sorts downwards; so reverse runs of equals back.
        items.reverse();
        restore(&mut items, &|a, b| keys(a).iter().zip(&keys(b)).all(|(a, b)| equal(a, b).is_true()));
    }
    Ok(Val::list(items))
}

/// Turns each run of equal members round.
fn restore(items: &mut [Val], same: &dyn Fn(&Val, &Val) -> bool) {
    let mut from = 0;
    for at in 1..=items.len() {
        if at == items.len() || !same(&items[from], &items[at]) {
            items[from..at].reverse();
            from = at;
        }
    }
}

fn reverse(of: &Val) -> Res {
    match &of.v {
        V::Str(text) => Ok(text.chars().rev().collect::<String>().into()),
        _ => Ok(Val::list(items(of)?.into_iter().rev().collect())),
    }
}

fn extreme(of: &Val, args: &Args<'_>, wanted: Ordering) -> Res {
    let case = args.flag("case_sensitive", false)?;
    let mut best: Option<(Val, Val)> = None;
    for own in items(of)? {
        let key = key(&own, args.given("attribute"), case);
        if let Some(reason) = key.reason() {
            return Err(reason);
        }
        let better = match &best {
            Some((best, _)) => compare(&key, best)? == wanted,
            None => true,
        };
        if better {
            best = Some((key, own));
        }
    }
    Ok(best.map_or_else(|| Val::undefined("the list is empty"), |(_, own)| own))
}

fn sum(of: &Val, args: &Args<'_>) -> Res {
    let start = args.get("start").cloned().unwrap_or_else(|| 0.into());
    items(of)?.iter().try_fold(start, |sum, own| {
        let own = args.given("attribute").map_or_else(|| own.clone(), |attribute| member(own, attribute));
        args.spend(1 + sum.size() / 8)?;
        match super::super::ops::binary(crate::syntax::jinja::BinaryOp::Add, &sum, &own) {
            Val { v: V::Unknown(reason), .. } => Err(reason),
            sum if matches!(sum.v, V::Str(_)) => Err("texts have no sum".into()),
            sum => Ok(sum),
        }
    })
}

fn flatten(of: &Val, args: &Args<'_>) -> Res {
    let levels = args.int("levels")?;
    let skip = args.flag("skip_nulls", true)?;
    let mut out = Vec::new();
    let open = flat(of, levels, skip, &mut out)?;
    Ok(Val::seq(out, open, false))
}

fn flat(of: &Val, levels: Option<i64>, skip: bool, out: &mut Vec<Val>) -> Res<Option<Reason>> {
    let (items, mut open) = parts(of)?;
    for own in items {
        let null = match &own.v {
            V::Null => true,
            V::Str(text) => matches!(&**text, "None" | "null"),
            _ => false,
        };
        match &own.v {
            _ if null && skip => {}
            V::List(_) if levels.is_none_or(|levels| levels >= 1) => {
                let inner = flat(&own, levels.map(|levels| levels - 1), skip, out)?;
                open = open.or(inner);
            }
            V::Undefined(reason) => return Err(reason.clone()),
            V::Unknown(reason) => open = open.or_else(|| Some(reason.clone())),
            _ => out.push(own),
        }
    }
    Ok(open)
}

fn positive(args: &Args<'_>, name: &str) -> Res<usize> {
    let value = args.int(name)?.and_then(|value| usize::try_from(value).ok()).filter(|value| *value > 0);
    value.ok_or_else(|| format!("the argument `{name}` is no positive number").into())
}

fn batch(of: &Val, args: &Args<'_>) -> Res {
    let (items, size) = (items(of)?, positive(args, "linecount")?.min(MAX_ITEMS));
    let mut rows: Vec<Vec<Val>> = items.chunks(size).map(<[Val]>::to_vec).collect();
    if let (Some(fill), Some(last)) = (args.given("fill_with"), rows.last_mut()) {
        last.resize(size, fill.clone());
    }
    Ok(Val::list(rows.into_iter().map(Val::list).collect()))
}

fn slices(of: &Val, args: &Args<'_>) -> Res {
    let (items, count) = (items(of)?, positive(args, "slices")?.min(MAX_ITEMS));
    let (each, more) = (items.len() / count, items.len() % count);
    let mut rest = items.as_slice();
    let mut rows = Vec::new();
    for at in 0..count {
        let (row, after) = rest.split_at(each + usize::from(at < more));
        let mut row = row.to_vec();
        row.extend(args.given("fill_with").filter(|_| at >= more).cloned());
        rows.push(Val::list(row));
        rest = after;
    }
    Ok(Val::list(rows))
}

fn zip(of: &Val, args: &Args<'_>) -> Res {
    let lists: Vec<Val> = std::iter::once(of).chain(args.rest.iter().copied()).cloned().collect();
    Ok(Val::list(zipped(&lists, None)?))
}

fn zip_longest(of: &Val, args: &Args<'_>) -> Res {
    let lists: Vec<Val> = std::iter::once(of).chain(args.rest.iter().copied()).cloned().collect();
    let null = Val::null();
    Ok(Val::list(zipped(&lists, Some(args.get("fillvalue").unwrap_or(&null)))?))
}

/// Lists side by side, as long as the shortest; as the longest, if there is something to fill with.
pub(in super::super) fn zipped(lists: &[Val], fill: Option<&Val>) -> Res<Vec<Val>> {
    let lists = lists.iter().map(items).collect::<Res<Vec<_>>>()?;
    let lengths = lists.iter().map(Vec::len);
    let length = if fill.is_some() { lengths.max() } else { lengths.min() }.unwrap_or(0);
    let at = |list: &Vec<Val>, at: usize| list.get(at).or(fill).cloned().unwrap_or_else(Val::null);
    Ok((0..length).map(|row| Val::list(lists.iter().map(|list| at(list, row)).collect())).collect())
}

fn product(of: &Val, args: &Args<'_>) -> Res {
    let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
    for list in std::iter::once(of).chain(args.rest.iter().copied()) {
        let items = items(list)?;
        args.spend(rows.len().saturating_mul(items.len()))?;
        if rows.len().saturating_mul(items.len()) > MAX_ITEMS {
            return Err("the list grows too large".into());
        }
        rows = rows
            .iter()
            .flat_map(|row| items.iter().map(|own| [row.as_slice(), std::slice::from_ref(own)].concat()))
            .collect();
    }
    Ok(Val::list(rows.into_iter().map(Val::list).collect()))
}

fn groupby(of: &Val, args: &Args<'_>) -> Res {
    let attribute = args.need("attribute")?;
    let case = args.flag("case_sensitive", false)?;
    let mut groups: Vec<(Val, Val, Vec<Val>)> = Vec::new();
    for own in items(of)? {
        // Ansible refuses members without the attribute even where there is a default.
        let value = match attribute.v {
            V::Int(_) => item(&own, attribute),
            _ => member(&own, attribute),
        };
        if let Some(reason) = value.reason() {
            return Err(reason);
        }
        args.spend(1 + groups.len() / 16)?;
        let folded = key(&value, None, case);
        match groups.iter_mut().find(|(key, ..)| equal(key, &folded).is_true()) {
            Some((_, _, members)) => members.push(own),
            None => groups.push((folded, value, vec![own])),
        }
    }
    let mut failed = None;
    groups.sort_by(|(a, ..), (b, ..)| {
        compare(a, b).unwrap_or_else(|reason| {
            failed.get_or_insert(reason);
            Ordering::Equal
        })
    });
    match failed {
        Some(reason) => Err(reason),
        None => Ok(Val::list(
            groups.into_iter().map(|(_, key, members)| Val::tuple(vec![key, Val::list(members)])).collect(),
        )),
    }
}

/// Whether each member, or one of them, is true.
pub(in super::super) fn quantified(of: &Val, all: bool) -> Tri {
    match parts(of) {
        Err(reason) => Tri::Unknown(reason),
        Ok((items, open)) => {
            let more = || open.map_or_else(|| Tri::from(all), Tri::Unknown);
            let start = Tri::from(all);
            let found = items.iter().fold(
                start,
                |found, own| {
                    if all { found.and(|| truth(own)) } else { found.or(|| truth(own)) }
                },
            );
            if all { found.and(more) } else { found.or(more) }
        }
    }
}

/// Whether all of `of` is in `other`.
pub(in super::super) fn subset(of: &Val, other: &Val) -> Tri {
    match parts(of) {
        Err(reason) => Tri::Unknown(reason),
        Ok((items, open)) => {
            let found = items.iter().fold(Tri::True, |found, own| found.and(|| contains(other, own)));
            match open {
                Some(reason) => found.and(|| Tri::Unknown(reason)),
                None => found,
            }
        }
    }
}
