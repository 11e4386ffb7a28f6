//! JSON, CSV, Base64 and their like.

use super::super::eval::{MAX_ITEMS, MAX_TEXT};
use super::super::template::Pieces;
use super::super::types;
use super::{Args, Returned, Stop, closed, text, yaml};
use crate::syntax::yaml::Yaml;
use crate::text::FileId;
use crate::value::{Data, Kind, Piece, Shape, Value};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use std::sync::Arc;

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Returned> {
    Some(match name {
        "jsonencode" => args.value(0).and_then(json),
        "yamlencode" => args.value(0).and_then(yaml::encode),
        "jsondecode" => args.text(0).and_then(|text| decode_json(&text, None)),
        "yamldecode" => args.text(0).and_then(|text| yaml::decode(&text, None)),
        "csvdecode" => args.text(0).and_then(|text| decode_csv(&text)),
        "base64encode" => args.text(0).map(|plain| text(&BASE64_STANDARD.encode(plain.as_bytes()))),
        "base64decode" => args.text(0).and_then(|encoded| from_bytes(decode_base64(&encoded)?)),
        "textencodebase64" => text_encode(args),
        "textdecodebase64" => text_decode(args),
        "urlencode" => args.text(0).map(|plain| text(&encode_url(&plain))),
        "urldecode" => args.text(0).and_then(|encoded| from_bytes(decode_url(&encoded)?)),
        _ => return None,
    })
}

/// JSON with holes where something is unknown.
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
        Kind::Known(data @ Data::Number(_)) => match types::text(data) {
            Err(Stop::Unknown(reason)) => out.hole(reason),
            text => out.text(&text?),
        },
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
pub(super) fn quoted(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    if quoted.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        let quoted = quoted.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
        return quoted.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    }
    quoted
}

/// `jsondecode`; members of a file's text know their place in the file.
pub(super) fn decode_json(text: &str, file: Option<FileId>) -> Returned {
    let parsed: serde_json::Value =
        serde_json::from_str(text).map_err(|error| Stop::from(format!("it is no JSON: {error}")))?;
    if file.is_some() {
        let tree = Yaml::parse(text);
        if let (true, Some(root)) = (tree.errors.is_empty(), tree.root()) {
            return Ok(yaml::from_json(root, file));
        }
    }
    Ok(from_json(parsed))
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

/// Whether quotes stand only where a field begins and ends.
fn is_strict_csv(text: &str) -> bool {
    let mut quoted = false;
    let mut before = '\n';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quoted) {
            ('"', true) if chars.peek() == Some(&'"') => drop(chars.next()),
            ('"', true) if chars.peek().is_none_or(|next| matches!(next, ',' | '\r' | '\n')) => quoted = false,
            ('"', false) if matches!(before, ',' | '\n') => quoted = true,
            ('"', _) => return false,
            _ => {}
        }
        before = c;
    }
    !quoted
}

fn decode_csv(text: &str) -> Returned {
    let bad = || Stop::Error("it is no CSV".into());
    if !is_strict_csv(text) {
        return Err(bad());
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut rows = reader.records();
    let header = rows.next().ok_or("a CSV text needs a line of names")?.map_err(|_| bad())?;
    let names: Vec<Arc<str>> = header.iter().map(Arc::from).collect();
    if names.iter().enumerate().any(|(at, name)| names.iter().take(at).any(|other| other == name)) {
        return Err("two columns have one name".into());
    }
    let mut items = Vec::new();
    for row in rows.take(MAX_ITEMS + 1) {
        let row = row.map_err(|_| bad())?;
        items.push(Value::map(names.iter().cloned().zip(row.iter().map(Value::known)).collect()));
    }
    Ok(super::shaped(items, None, Shape::Uniform))
}

/// Base64 as Go reads it: line breaks do not count, padding must stand, the bits that it covers need not be zero.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

fn decode_base64(text: &str) -> Result<Vec<u8>, Stop> {
    let bytes: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    LENIENT.decode(bytes).map_err(|_| Stop::Error("it is no Base64".into()))
}

fn from_bytes(bytes: Vec<u8>) -> Returned {
    String::from_utf8(bytes).map(|plain| text(&plain)).map_err(|_| Stop::Error("it is no text".into()))
}

/// What windows-1252 has where ISO-8859-1 has control characters.
const WINDOWS_1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

fn other_encoding(name: &str) -> Stop {
    Stop::Unknown(format!("the encoding {name} is not evaluated").into())
}

fn text_encode(args: &Args<'_>) -> Returned {
    let (plain, name) = (args.text(0)?, args.text(1)?);
    let bytes: Vec<u8> = match &*name.to_ascii_uppercase() {
        "UTF-8" => plain.bytes().collect(),
        "UTF-16LE" => plain.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "UTF-16BE" => plain.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "ISO-8859-1" => {
            let bytes: Result<Vec<u8>, _> = plain.chars().map(u8::try_from).collect();
            bytes.map_err(|_| Stop::Error("a character is not in ISO-8859-1".into()))?
        }
        "WINDOWS-1252" => {
            let byte = |c: char| match WINDOWS_1252.chars().position(|other| other == c) {
                Some(at) => u8::try_from(at + 0x80).ok(),
                None => u8::try_from(c).ok().filter(|byte| !(0x80..0xa0).contains(byte)),
            };
            let bytes: Option<Vec<u8>> = plain.chars().map(byte).collect();
            bytes.ok_or(Stop::Error("a character is not in windows-1252".into()))?
        }
        _ => return Err(other_encoding(&name)),
    };
    Ok(text(&BASE64_STANDARD.encode(bytes)))
}

fn text_decode(args: &Args<'_>) -> Returned {
    let (bytes, name) = (decode_base64(&args.text(0)?)?, args.text(1)?);
    let wide = |of: fn([u8; 2]) -> u16| {
        let units =
            bytes.chunks(2).map(|pair| of([pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)]));
        text(&String::from_utf16_lossy(&units.collect::<Vec<u16>>()))
    };
    Ok(match &*name.to_ascii_uppercase() {
        "UTF-8" => text(&String::from_utf8_lossy(&bytes)),
        "UTF-16LE" => wide(u16::from_le_bytes),
        "UTF-16BE" => wide(u16::from_be_bytes),
        "WINDOWS-1252" => {
            let c = |byte: &u8| match byte {
                0x80..0xa0 => WINDOWS_1252.chars().nth(usize::from(byte - 0x80)).unwrap_or_default(),
                byte => char::from(*byte),
            };
            text(&bytes.iter().map(c).collect::<String>())
        }
        "ISO-8859-1" => text(&bytes.iter().copied().map(char::from).collect::<String>()),
        _ => return Err(other_encoding(&name)),
    })
}

/// Percent-encoding undone, `+` being a space (`OpenTofu`).
fn decode_url(text: &str) -> Result<Vec<u8>, Stop> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
                let code = digit().and_then(|high| Some(high * 16 + digit()?));
                let code = code.and_then(|code| u8::try_from(code).ok());
                code.ok_or(Stop::Error("a percent sign stands alone".into()))?
            }
            byte => byte,
        });
    }
    Ok(out)
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
