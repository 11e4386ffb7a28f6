//! The tests of Jinja and of `ansible.builtin` (`x is defined`).

use super::Work;
use super::filters::{self, lists, regexes};
use super::ops::{agreed, compare, contains, equal, lift, number, plain, truth, whole};
use super::val::{Res, V, Val};
use crate::value::Tri;
use std::cmp::Ordering;

/// `of is name(args)`
pub(super) fn holds(work: &Work, name: &str, of: &Val, args: &[Val], kwargs: &[(Box<str>, Val)]) -> Tri {
    if let Err(reason) = work.spend(1 + of.size() / 16) {
        return Tri::Unknown(reason);
    }
    let short = filters::short(name);
    if let "defined" | "undefined" = short {
        let set = defined(of);
        return if short == "defined" { set } else { !set };
    }
    if let V::Undefined(reason) = &of.v {
        return Tri::Unknown(reason.clone());
    }
    if let Some(reason) =
        args.iter().find_map(|arg| if let V::Undefined(reason) = &arg.v { Some(reason) } else { None })
    {
        return Tri::Unknown(reason.clone());
    }
    let mut values = vec![of.clone()];
    values.extend_from_slice(args);
    let tested = lift(&values, &|values| match values.split_first() {
        Some((of, args)) => Ok(test(name, short, of, args, kwargs).into()),
        None => Err("nothing is tested".into()),
    });
    match tested.map(|value| value.v) {
        Ok(V::Bool(holds)) => holds.into(),
        Ok(V::OneOf(values)) => agreed(values.iter().map(truth)),
        Ok(other) => Tri::Unknown(Val::from(other).not("truth value")),
        Err(reason) => Tri::Unknown(reason),
    }
}

fn defined(of: &Val) -> Tri {
    match &of.v {
        V::Undefined(_) => Tri::False,
        V::Unknown(reason) => Tri::Unknown(reason.clone()),
        V::OneOf(values) => agreed(values.iter().map(defined)),
        _ => Tri::True,
    }
}

fn test(name: &str, short: &str, of: &Val, args: &[Val], kwargs: &[(Box<str>, Val)]) -> Tri {
    if let Some(found) = of_type(short, of) {
        return if args.is_empty() && kwargs.is_empty() { found } else { wrong(name) };
    }
    let two = |apply: &dyn Fn(&Val, &Val) -> Tri| match args {
        [other] => apply(of, other),
        _ => wrong(name),
    };
    match short {
        "true" | "false" => match &of.v {
            V::Unknown(_) => Tri::Unknown(of.not("truth value")),
            V::Bool(value) => (*value == (short == "true")).into(),
            _ => Tri::False,
        },
        "truthy" | "falsy" => truthy(short, of, args, kwargs),
        "eq" | "equalto" | "==" => two(&equal),
        "ne" | "!=" => two(&|a, b| !equal(a, b)),
        "sameas" => two(&sameas),
        "lt" | "lessthan" | "<" => two(&|a, b| ordered(a, b, Ordering::is_lt)),
        "le" | "<=" => two(&|a, b| ordered(a, b, Ordering::is_le)),
        "gt" | "greaterthan" | ">" => two(&|a, b| ordered(a, b, Ordering::is_gt)),
        "ge" | ">=" => two(&|a, b| ordered(a, b, Ordering::is_ge)),
        "in" => two(&|a, b| contains(b, a)),
        "contains" => two(&contains),
        "subset" | "issubset" => two(&lists::subset),
        "superset" | "issuperset" => two(&|a, b| lists::subset(b, a)),
        "divisibleby" => two(&|a, b| match (whole(a), whole(b)) {
            (Some(a), Some(b)) if b != 0 => (a % b == 0).into(),
            _ => Tri::Unknown(a.not("whole number")),
        }),
        "all" | "any" if args.is_empty() => lists::quantified(of, short == "all"),
        "match" | "search" | "regex" => regexes::test(short, of, args, kwargs),
        "version" | "version_compare" => version(of, args, kwargs).unwrap_or_else(Tri::Unknown),
        "filter" => match plain(of) {
            Ok(name) if filters::known(&name) => Tri::True,
            Ok(name) => Tri::Unknown(format!("whether there is a filter `{name}` is not known").into()),
            Err(reason) => Tri::Unknown(reason),
        },
        _ => untold(name, short, of),
    }
}

fn wrong(name: &str) -> Tri {
    Tri::Unknown(format!("the test `{name}` with such arguments is not evaluated").into())
}

/// Tests whose answer the files do not give.
fn untold(name: &str, short: &str, of: &Val) -> Tri {
    if let Some(reason) = of.reason() {
        return Tri::Unknown(reason);
    }
    Tri::Unknown(match short {
        "file" | "directory" | "exists" | "link" | "link_exists" | "mount" | "same_file" | "is_file" | "is_dir"
        | "is_link" | "is_mount" | "is_same_file" => {
            "what lies on the controller is only known when the play runs".into()
        }
        "succeeded" | "success" | "successful" | "failed" | "failure" | "changed" | "change" | "skipped" | "skip"
        | "started" | "finished" | "reachable" | "unreachable" | "timedout" => {
            "the result of a task is only known when the play runs".into()
        }
        _ => format!("the test `{name}` is not evaluated").into(),
    })
}

/// Tests that ask what kind of value it is.
fn of_type(name: &str, of: &Val) -> Option<Tri> {
    let kinds =
        ["none", "boolean", "integer", "float", "number", "string", "mapping", "sequence", "iterable", "callable"];
    if !kinds.contains(&name) {
        return text_test(name, of);
    }
    if let V::Unknown(reason) = &of.v {
        return Some(Tri::Unknown(reason.clone()));
    }
    let text = matches!(of.v, V::Str(_) | V::Text(_));
    let collection = matches!(of.v, V::List(_) | V::Map(_));
    Some(Tri::from(match name {
        "none" => matches!(of.v, V::Null),
        "boolean" => matches!(of.v, V::Bool(_)),
        "integer" => matches!(of.v, V::Int(_)),
        "float" => matches!(of.v, V::Float(_)),
        "number" => matches!(of.v, V::Int(_) | V::Float(_) | V::Bool(_)),
        "string" => text,
        "mapping" => matches!(of.v, V::Map(_)),
        "sequence" | "iterable" => text || collection,
        _ => false,
    }))
}

/// Tests that ask how a value is written.
fn text_test(name: &str, of: &Val) -> Option<Tri> {
    let on = |test: &dyn Fn(&str) -> bool| Some(plain(of).map_or_else(Tri::Unknown, |text| test(&text).into()));
    match name {
        "lower" => on(&|text| text == text.to_lowercase() && text.chars().any(char::is_alphabetic)),
        "upper" => on(&|text| text == text.to_uppercase() && text.chars().any(char::is_alphabetic)),
        "abs" | "is_abs" => match &of.v {
            V::Str(_) | V::Text(_) => Some(of.clone().into_value().starts_with("/")),
            _ => Some(Tri::Unknown(of.not("path"))),
        },
        "even" | "odd" => Some(match whole(of) {
            Some(value) => ((value % 2 == 0) == (name == "even")).into(),
            None => Tri::Unknown(of.not("whole number")),
        }),
        "nan" | "isnan" => {
            Some(number(of).map_or_else(|| Tri::Unknown(of.not("number")), |value| value.is_nan().into()))
        }
        "url" => match &of.v {
            V::Str(text) if !text.contains(':') => Some(Tri::False),
            V::Str(text) => {
                let schemes = ["http", "https", "ftp", "ftps", "file", "ssh", "git"];
                let known = text.split_once("://").is_some_and(|(scheme, rest)| {
                    schemes.contains(&scheme) && rest.starts_with(|c: char| c.is_ascii_alphanumeric())
                });
                known.then_some(Tri::True)
            }
            _ => None,
        },
        "vault_encrypted" => match &of.v {
            // Only what was decrypted counts; a text that looks like it does not.
            V::Str(_) => Some(Tri::False),
            _ => None,
        },
        _ => None,
    }
}

fn sameas(a: &Val, b: &Val) -> Tri {
    match (&a.v, &b.v) {
        (V::Bool(a), V::Bool(b)) => (a == b).into(),
        (V::Null, V::Null) => Tri::True,
        (V::Bool(_) | V::Null, V::Int(_) | V::Float(_) | V::Str(_) | V::List(_) | V::Map(_) | V::Bool(_) | V::Null)
        | (V::Int(_) | V::Float(_) | V::Str(_) | V::List(_) | V::Map(_), V::Bool(_) | V::Null) => Tri::False,
        _ => Tri::Unknown(
            a.reason().or_else(|| b.reason()).unwrap_or_else(|| "whether it is the same object is not known".into()),
        ),
    }
}

fn ordered(a: &Val, b: &Val, wanted: fn(Ordering) -> bool) -> Tri {
    compare(a, b).map_or_else(Tri::Unknown, |order| wanted(order).into())
}

fn truthy(name: &str, of: &Val, args: &[Val], kwargs: &[(Box<str>, Val)]) -> Tri {
    let convert =
        args.first().or_else(|| kwargs.iter().find(|(own, _)| &**own == "convert_bool").map(|(_, value)| value));
    let convert = convert.map_or(Tri::False, truth);
    let found = match (&convert, &of.v) {
        (Tri::Unknown(reason), _) => return Tri::Unknown(reason.clone()),
        (Tri::True, V::Str(text)) => match &*text.to_lowercase() {
            "yes" | "on" | "true" | "1" | "y" | "t" => Tri::True,
            "no" | "off" | "false" | "0" | "n" | "f" => Tri::False,
            _ => truth(of),
        },
        _ => truth(of),
    };
    if name == "truthy" { found } else { !found }
}

/// A part of a loose version.
#[derive(PartialEq)]
enum Part {
    Number(u64),
    Word(String),
}

/// A version as Python's `LooseVersion` splits it.
fn loose(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let kind = |c: char| {
            if c.is_ascii_digit() {
                0
            } else if c.is_ascii_lowercase() {
                1
            } else if c == '.' {
                2
            } else {
                3
            }
        };
        let end = rest.find(|other| kind(other) != kind(c)).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        match (kind(c), part.parse()) {
            (0, Ok(number)) => parts.push(Part::Number(number)),
            (2, _) => {}
            _ => parts.push(Part::Word(part.to_owned())),
        }
    }
    parts
}

/// What comes first; an error where Python cannot compare.
fn loose_order(a: &[Part], b: &[Part]) -> Res<Ordering> {
    for (a, b) in a.iter().zip(b) {
        let order = match (a, b) {
            (Part::Number(a), Part::Number(b)) => a.cmp(b),
            (Part::Word(a), Part::Word(b)) => a.cmp(b),
            _ => return Err("the versions have no order".into()),
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(a.len().cmp(&b.len()))
}

/// `x is version('1.2', '>=')`
fn version(of: &Val, args: &[Val], kwargs: &[(Box<str>, Val)]) -> Res<Tri> {
    let arg = |at: usize, name: &str| {
        args.get(at).or_else(|| kwargs.iter().find(|(own, _)| **own == *name).map(|(_, value)| value))
    };
    // To compare with nothing is an error: 0 and an empty text are nothing.
    if truth(of).is_false() {
        return Err("there is no version to compare with".into());
    }
    let (own, other) = (plain(of)?, plain(arg(0, "version").ok_or("the version is missing")?)?);
    let operator = arg(1, "operator").map_or_else(|| Ok("eq".into()), plain)?;
    let strict = arg(2, "strict").is_some_and(|strict| !truth(strict).is_false());
    let kind = arg(3, "version_type").map(plain).transpose()?;
    let plainly = |text: &str| {
        text.split('.').count() == 3
            && text.split('.').all(|part| part.parse::<u64>().is_ok_and(|number| number.to_string() == part))
    };
    // Three numbers compare the same in every way.
    if (strict || kind.as_deref().is_some_and(|kind| kind != "loose")) && !(plainly(&own) && plainly(&other)) {
        return Err("only loose versions are compared".into());
    }
    if own.is_empty() || other.is_empty() {
        return Err("a version is empty".into());
    }
    let (a, b) = (loose(&own), loose(&other));
    let order = || loose_order(&a, &b);
    Ok(match &*operator {
        "==" | "=" | "eq" => order()?.is_eq(),
        "!=" | "<>" | "ne" => order()?.is_ne(),
        "<" | "lt" => order()?.is_lt(),
        "<=" | "le" => order()?.is_le(),
        ">" | "gt" => order()?.is_gt(),
        ">=" | "ge" => order()?.is_ge(),
        _ => return Err("the comparison is not understood".into()),
    }
    .into())
}
