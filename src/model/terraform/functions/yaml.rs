//! YAML as Terraform reads and writes it.

use super::super::eval::{Building, MAX_TEXT};
use super::super::template::Pieces;
use super::super::{ops, types};
use super::{Returned, Stop, closed};
use crate::syntax::yaml::{Node, Scalar, Style, Yaml};
use crate::text::{FileId, Loc};
use crate::value::{Data, Kind, Piece, Value};
use std::fmt::Write as _;

/// How many nodes of a text become values (aliases can multiply them).
const MAX_NODES: u32 = 100_000;

/// `yamldecode`; members of a file's text know their place in the file.
pub(super) fn decode(text: &str, file: Option<FileId>) -> Returned {
    let tree = Yaml::parse(text);
    if let Some(error) = tree.errors.first() {
        return Err(format!("it is no YAML: {}", error.message).into());
    }
    if tree.roots.len() > 1 {
        return Err("it holds several documents".into());
    }
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    if first.is_some_and(|line| line.starts_with('\t')) {
        return Err("a tab cannot indent".into());
    }
    let root = tree.root().ok_or("it holds no document")?;
    Decoding { file, budget: MAX_NODES, json: false }.value(root, 0)
}

/// JSON that was read as YAML, for the places of its members.
pub(super) fn from_json(root: Node<'_>, file: Option<FileId>) -> Value {
    Decoding { file, budget: MAX_NODES, json: true }.value(root, 0).unwrap_or_else(|_| Value::unknown("it is no JSON"))
}

struct Decoding {
    file: Option<FileId>,
    budget: u32,
    json: bool,
}

impl Decoding {
    fn value(&mut self, node: Node<'_>, depth: usize) -> Returned {
        self.budget = self.budget.saturating_sub(1);
        if self.budget == 0 || depth > 100 {
            return Ok(Value::unknown("it is too large to decode"));
        }
        let value = if node.is_map() {
            let mut built = Building::default();
            for (key, value) in node.entries() {
                let Some(text) = key.as_str() else { return Err("a key is not a string".into()) };
                let value = self.value(value, depth + 1)?;
                let name = match if self.json { None } else { Some(scalar(key)?) } {
                    None => text.into(),
                    Some(key) => types::text(super::known(&key)?)?,
                };
                built.put(name, value);
            }
            built.finish()
        } else if node.is_seq() {
            let items: Result<Vec<Value>, Stop> = node.items().map(|item| self.value(item, depth + 1)).collect();
            Value::list(items?)
        } else if self.json {
            match node.resolve() {
                Scalar::Null => Value::known(Data::Null),
                Scalar::Bool(value) => Value::known(value),
                Scalar::Number(_) => number(node.as_str().unwrap_or("")).unwrap_or_default(),
                Scalar::Str => super::text(node.as_str().unwrap_or("")),
            }
        } else {
            scalar(node)?
        };
        Ok(match self.file {
            Some(file) => value.at(Loc { file, span: node.span() }),
            None => value,
        })
    }
}

/// What a scalar means to Terraform: the words of YAML 1.1, the numbers of 1.2.
fn scalar(node: Node<'_>) -> Returned {
    let text = node.as_str().unwrap_or("");
    match node.tag() {
        None if node.style() == Some(Style::Plain) => plain(text),
        Some(tag) if tag.ends_with("str") && tag.starts_with("!!") => Ok(super::text(text)),
        None | Some("!") => Ok(super::text(text)),
        Some("!!null") => Ok(Value::known(Data::Null)),
        Some("!!binary" | "!!timestamp") => Err(Stop::Unknown("its YAML tag is not evaluated".into())),
        Some(tag) if tag.starts_with("!!") && node.style() == Some(Style::Plain) => plain(text),
        Some(tag) if tag.starts_with("!!") => Ok(super::text(text)),
        Some(tag) => Err(format!("Terraform does not know the YAML tag {tag}").into()),
    }
}

fn plain(text: &str) -> Returned {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::known(Data::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::known(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::known(false),
        ".nan" | ".NaN" | ".NAN" => return Err("Terraform has no such number".into()),
        _ => match text.trim_start_matches(['+', '-']) {
            ".inf" | ".Inf" | ".INF" => return Err("Terraform has no such number".into()),
            _ => match number(text) {
                Some(number) => number,
                None => date(text)?,
            },
        },
    })
}

fn number(text: &str) -> Option<Value> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let (sign, digits) = text.strip_prefix('-').map_or((1.0, text), |digits| (-1.0, digits));
    let radix = match digits.get(..2) {
        Some("0o") => Some(8),
        Some("0x") => Some(16),
        _ => None,
    };
    if let Some(radix) = radix {
        let number = u32::from_str_radix(digits.get(2..)?, radix).ok()?;
        return Some(Value::known(sign * f64::from(number)));
    }
    ops::numeric(&Data::from(text)).ok().map(Value::known)
}

/// A bare date is a moment.
fn date(text: &str) -> Returned {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    match &*shape {
        "0000-00-00" => Ok(Value::known(&*format!("{text}T00:00:00Z"))),
        shape if shape.starts_with("0000-00-00 ") || shape.starts_with("0000-00-00t") => {
            Err(Stop::Unknown("how a moment is written here is not followed".into()))
        }
        _ => Ok(super::text(text)),
    }
}

/// `yamlencode`: YAML with holes where something is unknown.
pub(super) fn encode(value: &Value) -> Returned {
    let mut writer = Writer { out: Pieces::default(), column: 0, budget: MAX_TEXT };
    writer.value(value, 0, true)?;
    if matches!(value.kind, Kind::Absent | Kind::Known(Data::Null | Data::Bool(_) | Data::Number(_))) {
        writer.out.text("...\n");
    }
    Ok(writer.out.finish())
}

struct Writer {
    out: Pieces,
    /// How many characters stand on the line so far.
    column: usize,
    budget: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.text(text);
        let line = text.rsplit('\n').next().unwrap_or("").chars().count();
        self.column = if text.contains('\n') { line } else { self.column + line };
    }

    /// A value and the line break behind it. `inline`: it may begin on the line where its dash stands.
    fn value(&mut self, value: &Value, indent: usize, inline: bool) -> Result<(), Stop> {
        self.budget = self.budget.saturating_sub(4 + indent);
        if indent > 128 || self.budget == 0 {
            return Err(Stop::Unknown("it is too large to encode".into()));
        }
        match &value.kind {
            Kind::Known(Data::List(list)) => {
                closed(list.open.as_ref())?;
                if list.items.is_empty() {
                    self.put("[]\n");
                }
                for (at, item) in list.items.iter().enumerate() {
                    self.begin(indent, inline && at == 0);
                    self.put("- ");
                    self.value(item, indent + 2, true)?;
                }
            }
            Kind::Known(Data::Map(map)) => {
                closed(map.open.as_ref())?;
                if map.entries.is_empty() {
                    self.put("{}\n");
                }
                for (at, (key, member)) in types::sorted(map).into_iter().enumerate() {
                    if key.len() > 120 || key.contains('\n') {
                        return Err(Stop::Unknown("how such a key is written is not followed".into()));
                    }
                    self.begin(indent, inline && at == 0);
                    self.put(&quoted(key));
                    self.put(":");
                    self.member(member, indent)?;
                }
            }
            Kind::Known(Data::Str(text)) => {
                self.budget = self.budget.saturating_sub(text.len());
                self.string(text, indent);
            }
            Kind::Absent => self.put("null\n"),
            Kind::Known(data) => self.plain(data),
            Kind::Text(pieces) => {
                self.put("\"");
                for piece in pieces.iter() {
                    match piece {
                        Piece::Lit(text) => self.put(quoted(text).trim_matches('"')),
                        Piece::Hole(reason) => self.out.hole(reason.clone()),
                    }
                }
                self.put("\"\n");
            }
            Kind::Unknown(_) | Kind::OneOf(_) => {
                self.out.hole(value.reason().unwrap_or_default());
                self.put("\n");
            }
        }
        Ok(())
    }

    /// A number, a truth value or null.
    fn plain(&mut self, data: &Data) {
        match types::text(data) {
            Ok(text) => self.put(&text),
            Err(Stop::Unknown(reason)) => self.out.hole(reason),
            Err(Stop::Error(_)) => self.put("null"),
        }
        self.put("\n");
    }

    fn begin(&mut self, indent: usize, inline: bool) {
        if !inline {
            self.put(&" ".repeat(indent));
        }
    }

    /// What stands behind a key: collections begin on the next line, the dashes of a list below the key.
    fn member(&mut self, member: &Value, indent: usize) -> Result<(), Stop> {
        let (below, indent) = match &member.kind {
            Kind::Known(Data::List(list)) if !list.items.is_empty() => (true, indent),
            Kind::Known(Data::Map(map)) if !map.entries.is_empty() => (true, indent + 2),
            _ => (false, indent + 2),
        };
        self.put(if below { "\n" } else { " " });
        self.value(member, indent, !below)
    }

    /// A string in quotes, broken at spaces behind the 80th column.
    fn folded(&mut self, text: &str, indent: usize) {
        self.put("\"");
        let mut rest = text;
        let mut after_space = false;
        while let Some(c) = rest.chars().next() {
            let next = rest.get(c.len_utf8()..).unwrap_or("");
            let inside = rest.len() < text.len() && !next.is_empty();
            if c == ' ' && inside && !after_space && self.column > 80 {
                self.put("\n");
                self.put(&" ".repeat(indent));
                self.put(if next.starts_with(' ') { "\\" } else { "" });
            } else {
                let mut escaped = String::new();
                escape(c, &mut escaped);
                self.put(&escaped);
            }
            after_space = c == ' ';
            rest = next;
        }
        self.put("\"\n");
    }

    /// A string in quotes, or line by line when it has several.
    fn string(&mut self, text: &str, indent: usize) {
        let printable = |c: char| matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}');
        let block = text.contains('\n') && !text.contains(" \n") && !text.ends_with(' ') && text.chars().all(printable);
        if !block {
            self.folded(text, indent.max(2));
            return;
        }
        self.put(if text.starts_with([' ', '\n']) { "|2" } else { "|" });
        self.put(match (text.ends_with('\n'), text == "\n" || text.ends_with("\n\n")) {
            (false, _) => "-",
            (true, true) => "+",
            (true, false) => "",
        });
        self.put("\n");
        // At the top the lines are indented all the same.
        let margin = " ".repeat(indent.max(2));
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if !line.is_empty() {
                self.put(&margin);
                self.put(line);
            }
            self.put("\n");
        }
    }
}

/// A string in double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    text.chars().for_each(|c| escape(c, &mut out));
    out.push('"');
    out
}

/// A character between double quotes.
fn escape(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\0' => out.push_str("\\0"),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{b}' => out.push_str("\\v"),
        '\u{c}' => out.push_str("\\f"),
        '\u{1b}' => out.push_str("\\e"),
        '\u{85}' => out.push_str("\\N"),
        '\u{2028}' => out.push_str("\\L"),
        '\u{2029}' => out.push_str("\\P"),
        // Writing to a string cannot fail.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => drop(write!(out, "\\x{:02X}", u32::from(c))),
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' => drop(write!(out, "\\u{:04X}", u32::from(c))),
        '\u{10000}'.. => drop(write!(out, "\\U{:08X}", u32::from(c))),
        c => out.push(c),
    }
}
