//! Methods of Python's strings, lists and dictionaries that change nothing, and those that change a local variable.

use super::filters::lists;
use super::ops::{equal, plain, whole};
use super::val::{Res, V, Val};
use std::sync::Arc;

/// Whether a method changes what it is called on.
pub(super) fn changes(method: &str) -> bool {
    matches!(
        method,
        "append" | "extend" | "update" | "insert" | "pop" | "remove" | "clear" | "sort" | "reverse" | "setdefault"
    )
}

/// What a method makes of a local variable, and what it returns.
pub(super) fn change(of: &Val, method: &str, args: &[Val]) -> Res<(Val, Val)> {
    match (&of.v, method, args) {
        (V::List(list), "append", [item]) => {
            let items = list.items.iter().chain([item]).cloned().collect();
            Ok((Val::seq(items, list.open.clone(), false), Val::null()))
        }
        (V::List(list), "extend", [more]) => {
            let items = list.items.iter().cloned().chain(lists::items(more)?).collect();
            Ok((Val::seq(items, list.open.clone(), false), Val::null()))
        }
        (V::Map(map), "update", [more]) => {
            let (pairs, open) = super::filters::maps::pairs(more)?;
            let mut entries = map.entries.clone();
            for (key, value) in pairs {
                super::val::insert(&mut entries, key, value);
            }
            Ok((Val::map(entries, map.open.clone().or(open)), Val::null()))
        }
        _ => Err(of.reason().unwrap_or_else(|| format!("the method `{method}` changes a value").into())),
    }
}

pub(super) fn call(of: &Val, method: &str, args: &[Val], kwargs: &[(Box<str>, Val)]) -> Res {
    match &of.v {
        V::Str(text) if method == "format" => super::filters::strings::braces(text, args, kwargs),
        _ if !kwargs.is_empty() => Err(format!("the method `{method}` is not evaluated").into()),
        V::Str(text) => string(text, method, args),
        V::Text(_) => partly(of, method, args),
        V::Map(_) => dictionary(of, method, args),
        V::List(list) if list.open.is_none() => match (method, args) {
            ("count", [item]) => Ok(lists::number(list.items.iter().filter(|own| equal(own, item).is_true()).count())),
            ("index", [item]) => {
                let found = list.items.iter().position(|own| equal(own, item).is_true());
                found.map(lists::number).ok_or_else(|| "it is not in the list".into())
            }
            ("copy", []) => Ok(of.clone()),
            _ => Err(format!("the method `{method}` is not evaluated").into()),
        },
        V::Undefined(_) => Ok(of.clone()),
        _ => Err(of.reason().unwrap_or_else(|| format!("the method `{method}` is not evaluated").into())),
    }
}

fn dictionary(of: &Val, method: &str, args: &[Val]) -> Res {
    let (entries, open) = super::filters::maps::pairs(of)?;
    match (method, args) {
        ("items", []) => {
            Ok(Val::seq(entries.into_iter().map(|(key, value)| Val::tuple(vec![key, value])).collect(), open, false))
        }
        ("keys", []) => Ok(Val::seq(entries.into_iter().map(|(key, _)| key).collect(), open, false)),
        ("values", []) => Ok(Val::seq(entries.into_iter().map(|(_, value)| value).collect(), open, false)),
        ("copy", []) => Ok(of.clone()),
        ("get", [key] | [key, _]) => {
            let found = super::ops::item(of, key);
            match found.v {
                V::Undefined(_) => Ok(args.get(1).cloned().unwrap_or_else(Val::null)),
                _ => Ok(found),
            }
        }
        _ => Err(format!("the method `{method}` is not evaluated").into()),
    }
}

fn texts(args: &[Val]) -> Res<Vec<Arc<str>>> {
    args.iter().map(|arg| if let V::Str(text) = &arg.v { Ok(text.clone()) } else { Err(arg.not("string")) }).collect()
}

fn string(text: &str, method: &str, args: &[Val]) -> Res {
    if let Some(result) = split(text, method, args) {
        return result;
    }
    if let ("ljust" | "rjust" | "center" | "zfill", Some(width)) = (method, args.first().and_then(whole)) {
        return padded(text, method, width, args.get(1));
    }
    if let ("join", [list]) = (method, args) {
        let words = lists::items(list)?;
        let words = texts(&words)?;
        return super::filters::within(words.join(text));
    }
    if let ("startswith" | "endswith", [arg]) = (method, args)
        && let V::List(list) = &arg.v
    {
        let words = texts(&list.items)?;
        return Ok(words
            .iter()
            .any(|word| if method == "startswith" { text.starts_with(&**word) } else { text.ends_with(&**word) })
            .into());
    }
    let words = texts(args)?;
    let words: Vec<&str> = words.iter().map(|word| &**word).collect();
    let set = |c: char| words.first().map_or(c.is_whitespace(), |set| set.contains(c));
    Ok(match (method, words.as_slice()) {
        ("startswith", [prefix]) => text.starts_with(prefix).into(),
        ("endswith", [suffix]) => text.ends_with(suffix).into(),
        ("upper", []) => text.to_uppercase().into(),
        ("lower", []) => text.to_lowercase().into(),
        ("capitalize", []) => super::filters::strings::capitalized(text).into(),
        ("title", []) => titled(text).into(),
        ("strip", [] | [_]) => text.trim_matches(set).into(),
        ("lstrip", [] | [_]) => text.trim_start_matches(set).into(),
        ("rstrip", [] | [_]) => text.trim_end_matches(set).into(),
        ("replace", [from, to]) if !from.is_empty() => return super::filters::within(text.replace(from, to)),
        ("find", [part]) => position(text.find(part).map(|at| text[..at].chars().count())),
        ("rfind", [part]) => position(text.rfind(part).map(|at| text[..at].chars().count())),
        ("index", [part]) => {
            let at = text.find(part).ok_or("it is not in the text")?;
            position(Some(text[..at].chars().count()))
        }
        ("count", [part]) if !part.is_empty() => lists::number(text.matches(part).count()),
        ("isdigit" | "isnumeric" | "isdecimal", []) if text.is_ascii() => {
            (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).into()
        }
        ("isalpha", []) if text.is_ascii() => {
            (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic())).into()
        }
        ("isalnum", []) if text.is_ascii() => {
            (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())).into()
        }
        ("removeprefix", [prefix]) => text.strip_prefix(prefix).unwrap_or(text).into(),
        ("removesuffix", [suffix]) => text.strip_suffix(suffix).unwrap_or(text).into(),
        _ => return Err(format!("the method `{method}` is not evaluated").into()),
    })
}

fn position(at: Option<usize>) -> Val {
    at.map_or_else(|| Val::from(-1), lists::number)
}

fn padded(text: &str, method: &str, width: i64, fill: Option<&Val>) -> Res {
    let length = text.chars().count();
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(length).min(4096);
    let fill = match fill {
        Some(fill) => plain(fill)?,
        None => if method == "zfill" { "0" } else { " " }.into(),
    };
    Ok(match method {
        "ljust" => format!("{text}{}", fill.repeat(missing)).into(),
        "rjust" => format!("{}{text}", fill.repeat(missing)).into(),
        "center" => super::filters::strings::centred(text, length + missing).into(),
        _ => {
            let digits = text.trim_start_matches(['+', '-']);
            format!("{}{}{digits}", &text[..text.len() - digits.len()], fill.repeat(missing)).into()
        }
    })
}

/// `split`, `rsplit`, `splitlines`, `partition`, `rpartition`
fn split(text: &str, method: &str, args: &[Val]) -> Option<Res> {
    let list = |words: Vec<&str>| Ok(Val::list(words.into_iter().map(Val::from).collect()));
    if method == "splitlines" && args.is_empty() {
        return Some(list(text.lines().collect()));
    }
    if !matches!(method, "split" | "rsplit" | "partition" | "rpartition") {
        return None;
    }
    let at_most = args.get(1).map(|most| whole(most).and_then(|most| usize::try_from(most).ok()));
    let at_most = match at_most {
        Some(None) => return Some(Err("how often it splits is not known".into())),
        Some(Some(most)) => most.saturating_add(1),
        None => usize::MAX,
    };
    let separator = match args.first().map(|arg| &arg.v) {
        None | Some(V::Null) if at_most == usize::MAX => return Some(list(text.split_whitespace().collect())),
        Some(V::Str(separator)) if !separator.is_empty() => &**separator,
        Some(_) => return Some(Err(args[0].not("separator"))),
        None => return Some(Err("the separator is missing".into())),
    };
    let three = |found: Option<(&str, &str)>, none: [&str; 3]| {
        let [a, b, c] = found.map_or(none, |(before, after)| [before, separator, after]);
        Ok(Val::tuple(vec![a.into(), b.into(), c.into()]))
    };
    Some(match method {
        "split" => list(text.splitn(at_most, separator).collect()),
        "rsplit" => {
            let mut words: Vec<&str> = text.rsplitn(at_most, separator).collect();
            words.reverse();
            list(words)
        }
        "partition" => three(text.split_once(separator), [text, "", ""]),
        _ => three(text.rsplit_once(separator), ["", "", text]),
    })
}

/// Each word with a capital, as Python sees words: letters side by side.
fn titled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

/// What can be told of a text with holes.
fn partly(of: &Val, method: &str, args: &[Val]) -> Res {
    let value = of.clone().into_value();
    match (method, texts(args)?.as_slice()) {
        ("startswith", [prefix]) => Ok(value.starts_with(prefix).into()),
        ("endswith", [suffix]) => Ok(value.ends_with(suffix).into()),
        ("upper" | "lower", []) => super::filters::strings::cased(of, method == "upper"),
        _ => Err(of.not("known text")),
    }
}
