//! JSON, YAML, Base64 and their like.

use super::super::eval::{Building, MAX_TEXT};
use super::super::template::Pieces;
use super::super::types;
use super::{Args, Returned, Stop, closed, text};
use crate::syntax::yaml::{Node, Scalar, Yaml};
use crate::text::{FileId, Loc};
use crate::value::{Data, Kind, Piece, Value, number};
use std::sync::Arc;

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Returned> {
    Some(match name {
        "jsonencode" | "yamlencode" => args.value(0).and_then(json),
        "jsondecode" => args.text(0).and_then(|text| decode_json(&text, None)),
        "yamldecode" => args.text(0).and_then(|text| decode_yaml(&text, None)),
        "csvdecode" => args.text(0).map(|text| decode_csv(&text)),
        "base64encode" => args.text(0).map(|plain| text(&encode_base64(plain.as_bytes()))),
        "base64decode" => args.text(0).and_then(|encoded| {
            let bytes = decode_base64(&encoded).ok_or(Stop::Error("it is no Base64".into()))?;
            String::from_utf8(bytes).map(|plain| text(&plain)).map_err(|_| Stop::Error("it is no text".into()))
        }),
        "urlencode" => args.text(0).map(|plain| text(&encode_url(&plain))),
        _ => return None,
    })
}

/// JSON with holes where something is unknown. JSON is YAML too, so that both encoders may use it.
pub(super) fn json(value: &Value) -> Returned {
    let mut out = Pieces::default();
    let mut budget = MAX_TEXT;
    write(value, 0, &mut budget, &mut out)?;
    Ok(out.finish())
}

fn write(value: &Value, depth: usize, budget: &mut usize, out: &mut Pieces) -> Result<(), Stop> {
    *budget = budget.saturating_sub(4);
    if depth > 64 || *budget == 0 {
        return Err(Stop::Unknown("it is too large to encode".into()));
    }
    match &value.kind {
        Kind::Absent | Kind::Known(Data::Null) => out.text("null"),
        Kind::Known(Data::Bool(value)) => out.text(if *value { "true" } else { "false" }),
        Kind::Known(Data::Number(value)) => out.text(&number(*value)),
        Kind::Known(Data::Str(text)) => {
            *budget = budget.saturating_sub(text.len());
            out.text(&quoted(text));
        }
        Kind::Known(Data::List(list)) => {
            closed(list.open.as_ref())?;
            out.text("[");
            for (index, item) in list.items.iter().enumerate() {
                out.text(if index == 0 { "" } else { "," });
                write(item, depth + 1, budget, out)?;
            }
            out.text("]");
        }
        Kind::Known(Data::Map(map)) => {
            closed(map.open.as_ref())?;
            out.text("{");
            for (index, (key, item)) in types::sorted(map).into_iter().enumerate() {
                out.text(if index == 0 { "" } else { "," });
                out.text(&quoted(key));
                out.text(":");
                write(item, depth + 1, budget, out)?;
            }
            out.text("}");
        }
        Kind::Text(pieces) => {
            out.text("\"");
            for piece in pieces.iter() {
                match piece {
                    Piece::Lit(text) => {
                        let quoted = quoted(text);
                        out.text(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or(""));
                    }
                    Piece::Hole(reason) => out.hole(reason.clone()),
                }
            }
            out.text("\"");
        }
        Kind::Unknown(_) | Kind::OneOf(_) => out.hole(value.reason().unwrap_or_default()),
    }
    Ok(())
}

/// A JSON string, with the escapes that Terraform writes for HTML's sake.
fn quoted(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    if quoted.contains(['<', '>', '&']) {
        return quoted.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    }
    quoted
}

/// `jsondecode`; members of a file's text know their place in the file.
pub(super) fn decode_json(text: &str, file: Option<FileId>) -> Returned {
    if file.is_some() {
        let tree = Yaml::parse(text);
        if let (true, Some(root)) = (tree.errors.is_empty(), tree.root()) {
            return Ok(from_yaml(root, file, 0, &mut MAX_NODES.clone()));
        }
    }
    let parsed: serde_json::Value =
        serde_json::from_str(text).map_err(|error| Stop::from(format!("it is no JSON: {error}")))?;
    Ok(from_json(parsed))
}

/// `yamldecode`; members of a file's text know their place in the file.
pub(super) fn decode_yaml(text: &str, file: Option<FileId>) -> Returned {
    let tree = Yaml::parse(text);
    if let Some(error) = tree.errors.first() {
        return Err(format!("it is no YAML: {}", error.message).into());
    }
    Ok(tree.root().map_or(Value::known(Data::Null), |root| from_yaml(root, file, 0, &mut MAX_NODES.clone())))
}

/// How many nodes of a YAML text become values (aliases can multiply them).
const MAX_NODES: u32 = 100_000;

fn from_yaml(node: Node<'_>, file: Option<FileId>, depth: usize, budget: &mut u32) -> Value {
    *budget = budget.saturating_sub(1);
    if *budget == 0 || depth > 100 {
        return Value::unknown("it is too large to decode");
    }
    let value = if node.is_map() {
        let mut built = Building::default();
        for (key, value) in node.entries() {
            if let Some(key) = key.as_str() {
                built.put(key.into(), from_yaml(value, file, depth + 1, budget));
            }
        }
        built.finish()
    } else if node.is_seq() {
        Value::list(node.items().map(|item| from_yaml(item, file, depth + 1, budget)).collect())
    } else {
        match node.resolve() {
            Scalar::Null => Value::known(Data::Null),
            Scalar::Bool(value) => Value::known(value),
            Scalar::Number(value) => Value::known(value),
            Scalar::Str => Value::known(node.as_str().unwrap_or("")),
        }
    };
    match file {
        Some(file) => value.at(Loc { file, span: node.span() }),
        None => value,
    }
}

/// Parsed JSON as a value; its depth is bounded by the parser.
fn from_json(parsed: serde_json::Value) -> Value {
    match parsed {
        serde_json::Value::Null => Value::known(Data::Null),
        serde_json::Value::Bool(value) => Value::known(value),
        serde_json::Value::Number(value) => Value::known(value.as_f64().unwrap_or(f64::MAX)),
        serde_json::Value::String(value) => Value::known(Data::Str(value.into())),
        serde_json::Value::Array(items) => Value::list(items.into_iter().map(from_json).collect()),
        serde_json::Value::Object(members) => {
            Value::map(members.into_iter().map(|(key, value)| (Arc::from(key), from_json(value))).collect())
        }
    }
}

fn decode_csv(text: &str) -> Value {
    let mut rows = text.lines().filter(|line| !line.trim().is_empty()).map(csv_fields);
    let names: Vec<Arc<str>> = rows.next().unwrap_or_default().into_iter().map(Arc::from).collect();
    let row = |fields: Vec<String>| {
        let fields = fields.into_iter().map(|field| Value::known(Data::Str(field.into())));
        Value::map(names.iter().cloned().zip(fields).collect())
    };
    super::open_list(rows.map(row).collect(), None)
}

fn csv_fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                fields.iter_mut().last().into_iter().for_each(|field| field.push('"'));
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.iter_mut().last().into_iter().for_each(|field| field.push(c)),
        }
    }
    fields
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode_base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4usize {
            let sextet = (group >> (18 - 6 * index)) & 63;
            let letter = ALPHABET.get(sextet as usize).copied().unwrap_or(b'=');
            out.push(if index > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    out
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut group, mut bits) = (0u32, 0u32);
    for byte in text.trim_end_matches('=').bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let sextet = ALPHABET.iter().position(|letter| *letter == byte)?;
        group = (group << 6 | u32::try_from(sextet).ok()?) & 0x00ff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(group >> bits & 0xff).ok()?);
        }
    }
    Some(out)
}

fn encode_url(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            // Writing to a string cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
        out
    })
}
