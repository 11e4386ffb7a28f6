//! Addresses of the web.

use super::super::ops::plain;
use super::super::val::{Res, V, Val};
use super::{Args, Row, within};
use std::fmt::Write as _;

pub(super) const FILTERS: &[Row] =
    &[("urlencode", &[], |of, _| encode(of)), ("urldecode", &[], |of, _| decode(of)), ("urlsplit", &["query"], split)];

fn quoted(text: &str, plus: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' if plus => out.push('+'),
            b'/' if !plus => out.push('/'),
            byte if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) => out.push(char::from(byte)),
            byte => {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

fn encode(of: &Val) -> Res {
    match &of.v {
        V::Map(_) | V::List(_) => {
            let (pairs, open) = super::maps::pairs(of)?;
            if let Some(reason) = open {
                return Err(reason);
            }
            let word = |own: &Val| Ok::<_, crate::value::Reason>(quoted(&plain(own)?, true));
            let words = pairs.iter().map(|(key, value)| Ok(format!("{}={}", word(key)?, word(value)?)));
            within(words.collect::<Res<Vec<_>>>()?.join("&"))
        }
        _ => within(quoted(&plain(of)?, false)),
    }
}

fn decode(of: &Val) -> Res {
    let text = plain(of)?.replace('+', " ");
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        out.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).map(Into::into).map_err(|_| "it is no text".into())
}

fn split(of: &Val, args: &Args<'_>) -> Res {
    let whole = plain(of)?;
    if whole.contains(['[', '\n', '\t']) {
        return Err("the address is not evaluated".into());
    }
    let (rest, fragment) = whole.split_once('#').unwrap_or((&whole, ""));
    let scheme = rest.split_once(':').filter(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    let (scheme, rest) = scheme.map_or((String::new(), rest), |(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (netloc, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (user, address) = netloc.rsplit_once('@').map_or((None, netloc), |(user, address)| (Some(user), address));
    let (host, port) = address.split_once(':').map_or((address, None), |(host, port)| (host, Some(port)));
    let port = match port.filter(|port| !port.is_empty()) {
        Some(port) => Val::from(i64::from(port.parse::<u16>().map_err(|_| "the port is no number")?)),
        None => Val::null(),
    };
    let or_null = |text: Option<&str>| text.map_or_else(Val::null, Val::from);
    let (name, password) = user.map_or((None, None), |user| match user.split_once(':') {
        Some((name, password)) => (Some(name), Some(password)),
        None => (Some(user), None),
    });
    let host = host.to_ascii_lowercase();
    let parts = [
        ("fragment", Val::from(fragment)),
        ("hostname", or_null(Some(&*host).filter(|host| !host.is_empty()))),
        ("netloc", netloc.into()),
        ("password", or_null(password)),
        ("path", path.into()),
        ("port", port),
        ("query", query.into()),
        ("scheme", scheme.into()),
        ("username", or_null(name)),
    ];
    match args.text("query")?.filter(|wanted| !wanted.is_empty()) {
        None => Ok(Val::map(parts.into_iter().map(|(name, value)| (name.into(), value)).collect(), None)),
        Some(wanted) => {
            let found = parts.into_iter().find(|(name, _)| *name == &*wanted).map(|(_, value)| value);
            found.ok_or_else(|| "an address has no such part".into())
        }
    }
}
