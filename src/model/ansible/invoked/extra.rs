//! Extra variables: what `-e` gives in each of its forms.

use super::super::arguments::{unquoted, words};
use crate::model::command::path;
use crate::model::load;
use crate::syntax::json;
use crate::syntax::yaml::{Node, Style, Yaml};
use crate::text::{FileId, HOLE, Loc};
use crate::value::{Data, Kind, Piece, Reason, Value};
use std::sync::Arc;

/// Nodes of one text or file of variables that are read.
const MAX_NODES: usize = 20_000;
const MAX_DEPTH: usize = 32;

/// One thing that `-e` does.
#[derive(Clone, Debug)]
pub enum Extra {
    /// It sets a variable; a text may hold Jinja.
    Set {
        /// The variable.
        name: String,
        /// What it is set to.
        value: Value,
        /// Where that stands: in the command, or in the file that it names.
        loc: Loc,
    },
    /// It may set any variable.
    Open {
        /// Why that cannot be told.
        reason: Reason,
        /// Where.
        loc: Loc,
    },
}

/// A text with a [`HOLE`] for each unknown part, and the reasons of these in order.
struct Holed {
    text: String,
    reasons: Vec<Reason>,
}

impl Holed {
    fn of(value: &Value) -> Option<Self> {
        let mut holed = Self { text: String::new(), reasons: Vec::new() };
        for piece in path::pieces(value)? {
            match piece {
                Piece::Lit(text) => holed.text.push_str(&text),
                Piece::Hole(reason) => {
                    holed.text.push(HOLE);
                    holed.reasons.push(reason);
                }
            }
        }
        Some(holed)
    }

    /// The one reason of all that is unknown.
    fn reason(&self) -> Reason {
        match self.reasons.as_slice() {
            [first, rest @ ..] if rest.iter().all(|reason| reason == first) => first.clone(),
            _ => "a part of it is filled in when it is run".into(),
        }
    }
}

/// A part of a text as a value; `reasons` are those of its holes.
fn value(text: &str, mut reasons: impl Iterator<Item = Reason>) -> Value {
    let mut pieces = Vec::new();
    for (at, part) in text.split(HOLE).enumerate() {
        if at > 0 {
            pieces.push(Piece::Hole(reasons.next().unwrap_or_else(|| "it is filled in when it is run".into())));
        }
        pieces.extend((!part.is_empty()).then(|| Piece::Lit(part.into())));
    }
    Value::text(pieces)
}

/// The path behind `@`, if that is what is given.
pub(super) fn file(given: &Value) -> Option<Value> {
    let mut pieces = path::pieces(given)?;
    let Some(Piece::Lit(first)) = pieces.first_mut() else { return None };
    *first = first.strip_prefix('@')?.into();
    pieces.retain(|piece| *piece != Piece::Lit("".into()));
    Some(Value { origin: given.origin, ..Value::text(pieces) })
}

/// What one `-e` that names no file gives.
pub(super) fn given(given: &Value, loc: Loc) -> Vec<Extra> {
    let open = |reason: Reason| vec![Extra::Open { reason, loc }];
    let Some(holed) = Holed::of(given) else {
        return given.reason().map(open).unwrap_or_default();
    };
    match holed.text.chars().next() {
        None => Vec::new(),
        Some('/' | '.') => open("Ansible takes it for a file that lacks its `@`".into()),
        Some('[' | '{') => structured(&holed, loc),
        Some(_) => pairs(&holed, loc),
    }
}

/// JSON or YAML, typed.
fn structured(holed: &Holed, loc: Loc) -> Vec<Extra> {
    let parsed = json::parse(&holed.text);
    let is_json = parsed.errors.is_empty();
    let parsed = if is_json { parsed } else { Yaml::parse(&holed.text) };
    let root = parsed.root().filter(|root| root.is_map() && parsed.errors.is_empty());
    let Some(root) = root else {
        return vec![Extra::Open { reason: "Ansible makes no mapping of it".into(), loc }];
    };
    let mut reader = Reader { json: is_json, file: None, reason: holed.reason(), nodes: 0 };
    reader.entries(root, &|_| loc)
}

/// What a file of variables gives.
pub(super) fn of_file(root: Node<'_>, file: FileId) -> Vec<Extra> {
    let mut reader = Reader { json: false, file: Some(file), reason: "".into(), nodes: 0 };
    reader.entries(root, &|node| Loc { file, span: node.span() })
}

struct Reader {
    json: bool,
    file: Option<FileId>,
    reason: Reason,
    nodes: usize,
}

impl Reader {
    fn entries(&mut self, root: Node<'_>, loc: &dyn Fn(Node<'_>) -> Loc) -> Vec<Extra> {
        let mut extras = Vec::new();
        for (key, node) in root.entries() {
            let loc = loc(node);
            extras.push(match key.as_str().filter(|name| !name.contains(HOLE)) {
                Some(name) => Extra::Set { name: name.to_owned(), value: self.value(node, 0).at(loc), loc },
                None => Extra::Open { reason: self.reason.clone(), loc },
            });
        }
        extras
    }

    fn value(&mut self, node: Node<'_>, depth: usize) -> Value {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return Value::unknown("it is too large to be followed");
        }
        let known = if node.is_map() {
            let mut entries: Vec<(Arc<str>, Value)> = Vec::new();
            for (key, member) in node.entries() {
                let key: Arc<str> = key.as_str().unwrap_or("").into();
                let value = self.value(member, depth + 1);
                match entries.iter_mut().find(|(known, _)| *known == key) {
                    Some(entry) => entry.1 = value,
                    None => entries.push((key, value)),
                }
            }
            Value::map(entries)
        } else if node.is_seq() {
            Value::list(node.items().map(|item| self.value(item, depth + 1)).collect())
        } else {
            self.scalar(node)
        };
        match self.file {
            Some(file) => known.at(Loc { file, span: node.span() }),
            None => known,
        }
    }

    fn scalar(&self, node: Node<'_>) -> Value {
        let text = node.as_str().unwrap_or("");
        match node.tag() {
            Some("!vault" | "!vault-encrypted") => return Value::unknown("it is vaulted"),
            Some("!unsafe") if text.contains("{{") => return Value::unknown("it is marked `!unsafe`"),
            _ => {}
        }
        if text.contains(HOLE) {
            return value(text, std::iter::repeat(self.reason.clone()));
        }
        match load::scalar(node) {
            // `1e3` is a number in JSON, and a text in YAML 1.1.
            Data::Str(text) if self.json && node.style() == Some(Style::Plain) => match text.parse::<f64>() {
                Ok(number) => Value::known(number),
                Err(_) => Value::known(Data::Str(text)),
            },
            data => Value { kind: Kind::Known(data), ..Value::default() },
        }
    }
}

/// `name=value` pairs: every value is a text. Words that are no pairs go into `_raw_params`, as in Ansible.
fn pairs(holed: &Holed, loc: Loc) -> Vec<Extra> {
    let text = &holed.text;
    if !is_closed(text) {
        return vec![Extra::Open { reason: "a quote in it is not closed, so that Ansible refuses it".into(), loc }];
    }
    let (mut extras, mut raw) = (Vec::new(), Vec::new());
    for range in words(text) {
        let before = text[..range.start].matches(HOLE).count();
        let mut reasons = holed.reasons.iter().skip(before).cloned();
        let word = decoded(&text[range]);
        let at = word.match_indices('=').map(|(at, _)| at).find(|at| *at > 0 && !word[..*at].ends_with('\\'));
        match at.map(|at| (word[..at].trim(), unquoted(word[at + 1..].trim()))) {
            Some((name, given)) if !name.contains(HOLE) => {
                extras.push(Extra::Set { name: name.to_owned(), value: value(given, reasons).at(loc), loc });
            }
            None if !word.contains(HOLE) => raw.push(word.replace("\\=", "=")),
            _ => {
                let reason = reasons.next().unwrap_or_else(|| holed.reason());
                extras.push(Extra::Open { reason, loc });
            }
        }
    }
    if !raw.is_empty() {
        let value = Value::known(&*raw.join(" ")).at(loc);
        extras.push(Extra::Set { name: "_raw_params".to_owned(), value, loc });
    }
    extras
}

/// Whether every quote that opens is closed.
fn is_closed(text: &str) -> bool {
    let (mut open, mut before) = (None, ' ');
    for c in text.chars() {
        if matches!(c, '"' | '\'') && before != '\\' {
            open = match open {
                Some(quote) if quote == c => None,
                Some(quote) => Some(quote),
                None => Some(c),
            };
        }
        before = c;
    }
    open.is_none()
}

/// A word with the escapes of Python in it put in, in quotes and outside.
fn decoded(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (end, c) = match rest.chars().next() {
            Some(c @ ('\\' | '\'' | '"')) => (1, Some(c)),
            Some('a') => (1, Some('\u{7}')),
            Some('b') => (1, Some('\u{8}')),
            Some('f') => (1, Some('\u{c}')),
            Some('n') => (1, Some('\n')),
            Some('r') => (1, Some('\r')),
            Some('t') => (1, Some('\t')),
            Some('v') => (1, Some('\u{b}')),
            Some('x') => (3, coded(rest, 2)),
            Some('u') => (5, coded(rest, 4)),
            Some('U') => (9, coded(rest, 8)),
            _ => (0, None),
        };
        match c {
            Some(c) => {
                out.push(c);
                rest = &rest[end..];
            }
            None => out.push('\\'),
        }
    }
    out.push_str(rest);
    out
}

/// The letter of `x41` and its kin.
fn coded(text: &str, digits: usize) -> Option<char> {
    let code = text.get(1..=digits).filter(|code| code.bytes().all(|c| c.is_ascii_hexdigit()))?;
    char::from_u32(u32::from_str_radix(code, 16).ok()?)
}
