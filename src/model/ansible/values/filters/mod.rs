//! The filters of Jinja and of `ansible.builtin`, as far as they hang on nothing but what they are given.

mod apply;
mod encoding;
mod formats;
pub(super) mod lists;
pub(super) mod maps;
mod numbers;
mod paths;
pub(super) mod regexes;
pub(super) mod strings;
mod web;
mod yaml;

use super::Work;
use super::ops::{lift, plain, truth, whole};
use super::val::{MAX_TEXT, Res, V, Val};
use crate::value::{Reason, Tri};
use std::sync::Arc;

pub(super) use strings::percent;

/// A filter over a value.
type Filter = fn(&Val, &Args<'_>) -> Res;
/// A filter with the names of its parameters; `*` takes all further values, `**` all further names.
type Row = (&'static str, &'static [&'static str], Filter);

/// What a filter is called with.
pub(super) struct Args<'v> {
    bound: Vec<(&'v str, &'v Val)>,
    /// Values beyond the named parameters.
    rest: Vec<&'v Val>,
    work: &'v Work,
}

impl<'v> Args<'v> {
    pub(super) fn get(&self, name: &str) -> Option<&'v Val> {
        self.bound.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }

    /// The argument; null and not given are the same.
    fn given(&self, name: &str) -> Option<&'v Val> {
        self.get(name).filter(|value| !matches!(value.v, V::Null))
    }

    fn need(&self, name: &str) -> Res<&'v Val> {
        self.get(name).ok_or_else(|| format!("the argument `{name}` is missing").into())
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> Res<bool> {
        match self.get(name).map(truth) {
            None => Ok(default),
            Some(Tri::Unknown(reason)) => Err(reason),
            Some(value) => Ok(value.is_true()),
        }
    }

    fn text(&self, name: &str) -> Res<Option<Arc<str>>> {
        self.given(name).map(plain).transpose()
    }

    fn int(&self, name: &str) -> Res<Option<i64>> {
        self.given(name).map(|value| whole(value).ok_or_else(|| value.not("whole number"))).transpose()
    }

    /// Takes from what one evaluation may cost.
    fn spend(&self, steps: usize) -> Res<()> {
        self.work.spend(steps)
    }
}

/// A string as a value, when it is not too long.
pub(super) fn within(text: String) -> Res {
    if text.len() > MAX_TEXT { Err("the text grows too long".into()) } else { Ok(text.into()) }
}

/// The known string.
fn string(value: &Val) -> Res<Arc<str>> {
    match &value.v {
        V::Str(text) => Ok(text.clone()),
        _ => Err(value.not("string")),
    }
}

const TABLES: [&[Row]; 9] = [
    lists::FILTERS,
    maps::FILTERS,
    strings::FILTERS,
    numbers::FILTERS,
    regexes::FILTERS,
    paths::FILTERS,
    encoding::FILTERS,
    formats::FILTERS,
    web::FILTERS,
];

/// Filters whose result the files do not tell.
const IMPURE: [&str; 14] = [
    "random",
    "shuffle",
    "password_hash",
    "expanduser",
    "expandvars",
    "realpath",
    "fileglob",
    "strftime",
    "to_datetime",
    "vault",
    "unvault",
    "urlize",
    "wordwrap",
    "xmlattr",
];

/// The filter's name without the collection it is in, when that is Ansible's own.
pub(super) fn short(name: &str) -> &str {
    ["ansible.builtin.", "ansible.legacy.", "community.general.", "ansible.utils."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
}

fn row(name: &str) -> Option<&'static Row> {
    TABLES.iter().flat_map(|table| table.iter()).find(|(own, ..)| *own == name)
}

/// `of | name(args, kwargs)`
pub(super) fn apply(work: &Work, name: &str, of: &Val, args: &[Val], kwargs: &[(Box<str>, Val)]) -> Res {
    work.spend(1 + of.size() / 8)?;
    let short = short(name);
    match short {
        "default" | "d" => return default(of, args, kwargs),
        "mandatory" => {
            return match &of.v {
                V::Undefined(reason) => Err(reason.clone()),
                _ => Ok(of.clone()),
            };
        }
        _ => {}
    }
    // What is undefined stays so: a `default` further on may catch it.
    if let V::Undefined(_) = of.v {
        return Ok(if short == "ternary" { Val::unknown(of.not("condition")) } else { of.clone() });
    }
    if let Some(undefined) =
        args.iter().chain(kwargs.iter().map(|(_, value)| value)).find(|arg| matches!(arg.v, V::Undefined(_)))
        && short != "ternary"
    {
        return Ok(undefined.clone());
    }
    if short == "ternary" {
        return ternary(of, args, kwargs);
    }
    if let Some(result) = apply::call(work, short, of, args, kwargs) {
        return result;
    }
    let Some((_, params, filter)) = row(short) else {
        return Err(match of.reason() {
            Some(reason) if IMPURE.contains(&short) => reason,
            _ => format!("the filter `{name}` is not evaluated").into(),
        });
    };
    let mut values = vec![of.clone()];
    values.extend_from_slice(args);
    values.extend(kwargs.iter().map(|(_, value)| value.clone()));
    lift(&values, &|values| {
        let (of, given) = values.split_first().ok_or("nothing is filtered")?;
        let (args, others) = given.split_at(args.len());
        let named: Vec<(&str, &Val)> = kwargs.iter().map(|(own, _)| &**own).zip(others).collect();
        filter(of, &bind(work, params, args, &named)?)
    })
}

/// Gives the parameters their values.
fn bind<'v>(work: &'v Work, params: &[&'static str], args: &'v [Val], names: &[(&'v str, &'v Val)]) -> Res<Args<'v>> {
    let mut bound: Vec<(&'v str, &'v Val)> = Vec::new();
    let mut rest = Vec::new();
    let mut places = params.iter().filter(|name| **name != "**").peekable();
    for arg in args {
        match places.peek() {
            Some(&&"*") => rest.push(arg),
            Some(name) => {
                bound.push((*name, arg));
                places.next();
            }
            None => return Err("there are too many arguments".into()),
        }
    }
    for (name, value) in names {
        let known = params.contains(name) && !name.starts_with('*') || params.contains(&"**");
        if !known || bound.iter().any(|(own, _)| own == name) {
            return Err(format!("there is no argument `{name}`").into());
        }
        bound.push((*name, *value));
    }
    Ok(Args { bound, rest, work })
}

/// `default`: what is undefined, or false when that is asked for, becomes another value.
fn default(of: &Val, args: &[Val], kwargs: &[(Box<str>, Val)]) -> Res {
    let named = |name: &str| kwargs.iter().find(|(own, _)| **own == *name).map(|(_, value)| value);
    let other = args.first().or_else(|| named("default_value")).cloned().unwrap_or_else(|| "".into());
    let boolean = match args.get(1).or_else(|| named("boolean")).map(|value| &value.v) {
        None => false,
        Some(V::Bool(value)) => *value,
        Some(_) => return Err("whether `default` takes what is false is not known".into()),
    };
    match &of.v {
        V::Undefined(reason) if **reason == *super::eval::NOTHING => Err(reason.clone()),
        V::Undefined(_) => Ok(other),
        _ if !boolean => Ok(of.clone()),
        _ => match truth(of) {
            Tri::True => Ok(of.clone()),
            Tri::False => Ok(other),
            Tri::Unknown(reason) => match &of.v {
                V::OneOf(values) => {
                    let each =
                        values.iter().map(|value| if truth(value).is_true() { value.clone() } else { other.clone() });
                    Ok(Val::several(each.collect()))
                }
                _ => Err(reason),
            },
        },
    }
}

fn ternary(of: &Val, args: &[Val], kwargs: &[(Box<str>, Val)]) -> Res {
    let arg = |at: usize, name: &str| {
        args.get(at).or_else(|| kwargs.iter().find(|(own, _)| **own == *name).map(|(_, value)| value))
    };
    let (Some(yes), Some(no)) = (arg(0, "true_val"), arg(1, "false_val")) else {
        return Err("the filter `ternary` lacks an argument".into());
    };
    match (&of.v, arg(2, "none_val")) {
        (V::Null, Some(none)) if !matches!(none.v, V::Null) => return Ok(none.clone()),
        _ => {}
    }
    Ok(match truth(of) {
        Tri::True => yes.clone(),
        Tri::False => no.clone(),
        Tri::Unknown(reason) => super::eval::either(yes.clone(), no.clone(), &reason),
    })
}

/// Whether a filter of that name is there: for the test `filter`.
pub(super) fn known(name: &str) -> bool {
    let name = short(name);
    row(name).is_some()
        || matches!(
            name,
            "default" | "d" | "mandatory" | "ternary" | "map" | "select" | "reject" | "selectattr" | "rejectattr"
        )
        || IMPURE.contains(&name)
}

/// Says that a filter is called in a way that is not evaluated.
fn not_so(name: &str) -> Reason {
    format!("the filter `{name}` with such arguments is not evaluated").into()
}
