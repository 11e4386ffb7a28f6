//! YAML as Python's library writes it. What it would fold or escape is not evaluated.

use super::super::ops::float;
use super::super::val::{MAX_TEXT, Res, V, Val};
use crate::syntax::yaml::{Scalar, Yaml};
use std::sync::Arc;

/// Which collections are written with brackets.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Flow {
    Never,
    /// Those that hold only scalars.
    Leaves,
}

pub(super) struct Style {
    pub(super) flow: Flow,
    pub(super) indent: usize,
    pub(super) width: usize,
    pub(super) sort: bool,
    pub(super) unicode: bool,
}

impl Style {
    pub(super) fn document(&self, of: &Val) -> Res<String> {
        let mut out = String::new();
        if self.is_flow(of) {
            out = self.flow(of)?;
            out.push('\n');
            self.fits(&out)?;
        } else if let Some(text) = self.scalar(of)? {
            out.push_str(&text);
            out.push('\n');
        } else {
            self.block(of, 0, false, &mut out)?;
        }
        Ok(out)
    }

    /// Lines that would be broken are not evaluated.
    fn fits(&self, text: &str) -> Res<()> {
        let long = text.lines().any(|line| line.chars().count() > self.width && line.trim().contains(' '));
        if long { Err("the YAML has lines that are folded".into()) } else { Ok(()) }
    }

    fn is_flow(&self, of: &Val) -> bool {
        let scalar = |own: &Val| !matches!(own.v, V::List(_) | V::Map(_));
        match &of.v {
            V::List(list) => list.items.is_empty() || self.flow == Flow::Leaves && list.items.iter().all(scalar),
            V::Map(map) => {
                map.entries.is_empty() || self.flow == Flow::Leaves && map.entries.iter().all(|(_, own)| scalar(own))
            }
            _ => false,
        }
    }

    fn flow(&self, of: &Val) -> Res<String> {
        match &of.v {
            V::List(list) => {
                let words = list.items.iter().map(|own| self.word(own, true)).collect::<Res<Vec<_>>>()?;
                Ok(format!("[{}]", words.join(", ")))
            }
            V::Map(map) => {
                let mut words = Vec::new();
                for (key, value) in self.entries(map)? {
                    words.push(format!("{}: {}", self.word(&key, true)?, self.word(&value, true)?));
                }
                Ok(format!("{{{}}}", words.join(", ")))
            }
            _ => self.word(of, true),
        }
    }

    fn word(&self, of: &Val, flow: bool) -> Res<String> {
        let word = self.scalar(of)?.ok_or("it is no scalar")?;
        let plain = matches!(of.v, V::Str(_)) && !word.starts_with(['\'', '"']);
        // Inside brackets, these have a meaning.
        if flow && plain && word.contains([',', '?', '[', ']', '{', '}']) {
            return Ok(format!("'{word}'"));
        }
        Ok(word)
    }

    fn entries(&self, map: &super::super::val::Dict) -> Res<Vec<(Val, Val)>> {
        let mut entries = map.entries.clone();
        if self.sort {
            let mut failed = false;
            entries.sort_by(|(a, _), (b, _)| {
                super::super::ops::compare(a, b).unwrap_or_else(|_| {
                    failed = true;
                    std::cmp::Ordering::Equal
                })
            });
            if failed {
                return Err("the keys have no order".into());
            }
        }
        Ok(entries)
    }

    /// A collection over several lines, each beginning at `column`; the first line already stands there if `inline`.
    fn block(&self, of: &Val, column: usize, inline: bool, out: &mut String) -> Res<()> {
        if out.len() > MAX_TEXT {
            return Err("the text grows too long".into());
        }
        let mut first = inline;
        let mut begin = |out: &mut String| {
            if !std::mem::take(&mut first) {
                out.extend(std::iter::repeat_n(' ', column));
            }
        };
        match &of.v {
            V::List(list) => {
                for own in &list.items {
                    begin(out);
                    out.push('-');
                    out.extend(std::iter::repeat_n(' ', self.indent - 1));
                    if self.is_flow(own) || self.scalar(own)?.is_some() {
                        self.end(own, out, self.indent - 2)?;
                    } else {
                        self.block(own, column + self.indent, true, out)?;
                    }
                }
            }
            V::Map(map) => {
                for (key, value) in self.entries(map)? {
                    begin(out);
                    let key = self.word(&key, false)?;
                    if key.len() > 120 || key.contains('\n') {
                        return Err("a key of the YAML is too long".into());
                    }
                    out.push_str(&key);
                    out.push(':');
                    if self.is_flow(&value) || self.scalar(&value)?.is_some() {
                        out.push(' ');
                        self.end(&value, out, 0)?;
                    } else {
                        out.push('\n');
                        // A list stands under its key without indentation.
                        let deeper = if matches!(value.v, V::List(_)) { column } else { column + self.indent };
                        self.block(&value, deeper, false, out)?;
                    }
                }
            }
            _ => return Err(of.not("collection")),
        }
        Ok(())
    }

    /// What stands at the end of a line; after a hyphen, one blank is enough.
    fn end(&self, of: &Val, out: &mut String, surplus: usize) -> Res<()> {
        out.truncate(out.len() - surplus);
        let from = out.rfind('\n').map_or(0, |at| at + 1);
        match of.v {
            V::List(_) | V::Map(_) => out.push_str(&self.flow(of)?),
            _ => out.push_str(&self.word(of, false)?),
        }
        self.fits(&out[from..])?;
        out.push('\n');
        Ok(())
    }

    /// A scalar; none for a collection.
    fn scalar(&self, of: &Val) -> Res<Option<String>> {
        Ok(Some(match &of.v {
            V::List(_) | V::Map(_) => return Ok(None),
            V::Null => "null".to_owned(),
            V::Bool(value) => value.to_string(),
            V::Int(value) => value.to_string(),
            V::Float(value) => {
                let text = float(*value);
                if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
            }
            V::Str(text) => self.string(text)?,
            _ => return Err(of.not("YAML")),
        }))
    }

    fn string(&self, text: &Arc<str>) -> Res<String> {
        let odd = |c: char| c.is_control() || !c.is_ascii() && (!self.unicode || c.is_whitespace() || c == '\u{feff}');
        if text.chars().any(odd) || text.contains('\n') {
            return Err("the YAML has texts that are escaped or broken".into());
        }
        if plain_allowed(text) { Ok(text.to_string()) } else { Ok(format!("'{}'", text.replace('\'', "''"))) }
    }
}

/// Whether a text may stand without quotes.
fn plain_allowed(text: &str) -> bool {
    let first = text.chars().next();
    let second = text.chars().nth(1);
    let indicator = match first {
        None => true,
        Some(c) if "#,[]{}&*!|>'\"%@`".contains(c) => true,
        Some('?' | ':' | '-') => second.is_none_or(char::is_whitespace),
        Some(_) => false,
    };
    let edges = text.starts_with(' ') || text.ends_with(' ');
    let inside = text.contains(": ") || text.ends_with(':') || text.contains(" #");
    let marker = text.starts_with("---") || text.starts_with("...");
    !indicator && !edges && !inside && !marker && !resolves(text)
}

/// Whether a text without quotes would be read as something else than a string.
fn resolves(text: &str) -> bool {
    let dated = text.len() >= 8 && text.as_bytes()[..4].iter().all(u8::is_ascii_digit) && text.as_bytes()[4] == b'-';
    let other = matches!(text, "=" | "<<" | "~")
        || dated
        || text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(':');
    other || Yaml::parse(text).root().is_none_or(|root| !matches!(root.resolve(), Scalar::Str))
}
