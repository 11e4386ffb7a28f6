//! JSON and YAML.

use super::super::ops::{float, plain};
use super::super::val::{MAX_TEXT, Res, V, Val};
use super::{Args, Row, not_so, string, within, yaml};
use crate::syntax::yaml::Yaml;
use std::fmt::Write as _;

pub(super) const FILTERS: &[Row] = &[
    (
        "to_json",
        &["profile", "indent", "sort_keys", "separators", "ensure_ascii", "vault_to_text", "preprocess_unsafe"],
        |of, args| to_json(of, args, false),
    ),
    ("tojson", &["indent"], |of, _| Err(of.reason().unwrap_or_else(|| not_so("tojson")))),
    ("to_nice_json", &["indent", "sort_keys", "separators", "ensure_ascii"], |of, args| to_json(of, args, true)),
    ("from_json", &[], |of, _| from_json(of)),
    (
        "to_yaml",
        &["default_flow_style", "indent", "width", "sort_keys", "allow_unicode", "explicit_start"],
        |of, args| to_yaml(of, args, false),
    ),
    (
        "to_nice_yaml",
        &["indent", "width", "sort_keys", "allow_unicode", "default_flow_style", "explicit_start"],
        |of, args| to_yaml(of, args, true),
    ),
    ("from_yaml", &[], |of, _| from_yaml(of)),
    ("from_yaml_all", &[], |of, _| from_yaml_all(of)),
];

struct Json {
    indent: Option<usize>,
    sort: bool,
    ascii: bool,
    between: String,
    after_key: String,
}

fn to_json(of: &Val, args: &Args<'_>, nice: bool) -> Res {
    of.settled()?;
    let indent = match args.get("indent").map(|indent| &indent.v) {
        None => nice.then_some(4),
        Some(V::Null) => None,
        Some(_) => Some(usize::try_from(args.int("indent")?.unwrap_or(0)).unwrap_or(0).min(64)),
    };
    let (mut between, mut after_key) = (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned());
    if let Some(separators) = args.given("separators").filter(|_| !nice) {
        let [first, second] = &super::lists::items(separators)?[..] else { return Err(not_so("to_json")) };
        (between, after_key) = (string(first)?.to_string(), string(second)?.to_string());
    }
    let json = Json {
        indent,
        sort: args.flag("sort_keys", nice)?,
        ascii: args.flag("ensure_ascii", true)?,
        between,
        after_key,
    };
    let mut out = String::new();
    json.write(of, 0, &mut out)?;
    within(out)
}

impl Json {
    fn write(&self, of: &Val, depth: usize, out: &mut String) -> Res<()> {
        if out.len() > MAX_TEXT {
            return Err("the text grows too long".into());
        }
        match &of.v {
            V::Null => out.push_str("null"),
            V::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            V::Int(value) => out.push_str(&value.to_string()),
            V::Float(value) if value.is_finite() => out.push_str(&float(*value)),
            V::Str(text) => self.string(text, out),
            V::List(list) => {
                out.push('[');
                let items = list.items.iter().filter(|own| !matches!(own.v, V::Omit));
                let mut any = false;
                for own in items {
                    self.separate(any, depth + 1, out);
                    self.write(own, depth + 1, out)?;
                    any = true;
                }
                self.close(any, depth, ']', out);
            }
            V::Map(map) => {
                out.push('{');
                let mut entries: Vec<(String, &Val)> = Vec::new();
                for (key, value) in map.entries.iter().filter(|(_, value)| !matches!(value.v, V::Omit)) {
                    entries.push((key_text(key)?, value));
                }
                if self.sort {
                    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                }
                for (at, (key, value)) in entries.iter().enumerate() {
                    self.separate(at > 0, depth + 1, out);
                    self.string(key, out);
                    out.push_str(&self.after_key);
                    self.write(value, depth + 1, out)?;
                }
                self.close(!entries.is_empty(), depth, '}', out);
            }
            _ => return Err(of.not("JSON")),
        }
        Ok(())
    }

    fn separate(&self, any: bool, depth: usize, out: &mut String) {
        if any {
            out.push_str(&self.between);
        }
        self.line(depth, out);
    }

    fn line(&self, depth: usize, out: &mut String) {
        if let Some(indent) = self.indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * depth));
        }
    }

    fn close(&self, any: bool, depth: usize, bracket: char, out: &mut String) {
        if any {
            self.line(depth, out);
        }
        out.push(bracket);
    }

    fn string(&self, text: &str, out: &mut String) {
        out.push('"');
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                c if (c as u32) < 0x20 || self.ascii && !c.is_ascii() => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        // Writing to a string cannot fail.
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

fn key_text(key: &Val) -> Res<String> {
    Ok(match &key.v {
        V::Null => "null".to_owned(),
        V::Bool(value) => value.to_string(),
        V::Str(_) | V::Int(_) | V::Float(_) => plain(key)?.to_string(),
        _ => return Err(key.not("key")),
    })
}

fn from_json(of: &Val) -> Res {
    let text = string(of)?;
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| format!("it is no JSON: {error}"))?;
    of_json(&json)
}

fn of_json(json: &serde_json::Value) -> Res {
    use serde_json::Value as Json;
    Ok(match json {
        Json::Null => Val::null(),
        Json::Bool(value) => (*value).into(),
        Json::String(text) => text.as_str().into(),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => number.into(),
            (None, None, Some(number)) => number.into(),
            _ => return Err("the number is too large".into()),
        },
        Json::Array(items) => Val::list(items.iter().map(of_json).collect::<Res<_>>()?),
        Json::Object(members) => {
            let entries = members.iter().map(|(key, value)| Ok((key.as_str().into(), of_json(value)?)));
            Val::map(entries.collect::<Res<_>>()?, None)
        }
    })
}

fn to_yaml(of: &Val, args: &Args<'_>, nice: bool) -> Res {
    of.settled()?;
    let flow = match args.get("default_flow_style").map(|flow| &flow.v) {
        None if nice => yaml::Flow::Never,
        None | Some(V::Null) => yaml::Flow::Leaves,
        Some(V::Bool(false)) => yaml::Flow::Never,
        Some(_) => return Err(not_so("to_yaml")),
    };
    let style = yaml::Style {
        flow,
        indent: usize::try_from(args.int("indent")?.unwrap_or(if nice { 4 } else { 2 }))
            .ok()
            .filter(|indent| (2..10).contains(indent))
            .ok_or_else(|| not_so("to_yaml"))?,
        width: usize::try_from(args.int("width")?.unwrap_or(80)).unwrap_or(usize::MAX),
        sort: args.flag("sort_keys", true)?,
        unicode: args.flag("allow_unicode", true)?,
    };
    let start = if args.flag("explicit_start", false)? { return Err(not_so("to_yaml")) } else { "" };
    within(format!("{start}{}", style.document(of)?))
}

/// The documents of a text as YAML. The error says that it is none.
fn parsed(text: &str) -> Res<Yaml> {
    let yaml = Yaml::parse(text);
    match yaml.errors.first() {
        Some(error) => Err(format!("it is no YAML: {}", error.message).into()),
        None => Ok(yaml),
    }
}

fn from_yaml(of: &Val) -> Res {
    match &of.v {
        V::Null | V::Bool(_) | V::Int(_) | V::Float(_) | V::List(_) | V::Map(_) => Ok(of.clone()),
        _ => {
            let yaml = parsed(&string(of)?)?;
            let mut documents = yaml.documents();
            let first = documents.next().map_or_else(|| Ok(Val::null()), super::super::plain_node);
            if documents.next().is_some() { Err("there is more than one document".into()) } else { first }
        }
    }
}

fn from_yaml_all(of: &Val) -> Res {
    if let V::Null = of.v {
        return Ok(Val::list(Vec::new()));
    }
    let yaml = parsed(&string(of)?)?;
    Ok(Val::list(yaml.documents().map(super::super::plain_node).collect::<Res<_>>()?))
}
