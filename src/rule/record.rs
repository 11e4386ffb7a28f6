//! Reading typed records out of YAML: what is wrong is collected with its place.

use super::card::CardError;
use super::condition::ConditionError;
use super::suggest::hint;
use crate::syntax::yaml::{Node, NodeKind, Scalar, Yaml};
use crate::text::Span;
use crate::value::{Data, Value};

/// Collects what is wrong with one file.
pub(super) struct Reader<'t> {
    pub(super) path: &'t str,
    pub(super) text: &'t str,
    pub(super) errors: Vec<CardError>,
}

/// A mapping with known keys.
pub(super) struct Record<'a> {
    /// Key, its place, value.
    entries: Vec<(&'a str, Span, Node<'a>)>,
    pub(super) span: Span,
}

impl<'a> Record<'a> {
    /// The value of a key, unless null.
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        let (_, _, node) = self.entries.iter().find(|(name, ..)| *name == key)?;
        (!node.is_null()).then_some(*node)
    }

    /// Keys, their places and values in source order, nulls included.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, Span, Node<'a>)> {
        self.entries.iter().copied()
    }
}

impl<'t> Reader<'t> {
    pub(super) fn new(path: &'t str, text: &'t str) -> Self {
        Self { path, text, errors: Vec::new() }
    }

    /// Notes an error.
    pub(super) fn fail(&mut self, span: Span, message: impl Into<String>) {
        self.errors.push(CardError { path: self.path.to_owned(), span, message: message.into() });
    }

    /// The root of the only document.
    pub(super) fn root<'a>(&mut self, yaml: &'a Yaml) -> Option<Node<'a>> {
        for error in &yaml.errors {
            self.fail(error.span, error.message.clone());
        }
        let root = yaml.root();
        if root.is_none() && self.errors.is_empty() {
            self.fail(Span::new(0, 0), "the file is empty");
        }
        root
    }

    /// A mapping that has only `known` keys, each once.
    pub(super) fn record<'a>(&mut self, node: Node<'a>, what: &str, known: &[&str]) -> Option<Record<'a>> {
        let record = self.map(node, what)?;
        for (name, span, _) in record.iter().filter(|(name, ..)| !known.contains(name)) {
            self.fail(span, format!("{what} has no key `{name}`{}", hint(name, known.iter().copied())));
        }
        Some(record)
    }

    /// A mapping with any keys, each once.
    pub(super) fn map<'a>(&mut self, node: Node<'a>, what: &str) -> Option<Record<'a>> {
        if !node.is_map() {
            self.fail(node.span(), format!("{what} is a mapping"));
            return None;
        }
        let mut entries: Vec<(&str, Span, Node<'a>)> = Vec::new();
        for (key, value) in node.entries() {
            let Some(name) = key.as_str() else {
                self.fail(key.span(), "a key is a plain word");
                continue;
            };
            if entries.iter().any(|(known, ..)| *known == name) {
                self.fail(key.span(), format!("`{name}` stands here twice"));
            } else {
                entries.push((name, key.span(), value));
            }
        }
        Some(Record { entries, span: node.span() })
    }

    /// A value that must be there.
    pub(super) fn need<'a>(&mut self, record: &Record<'a>, key: &str, what: &str) -> Option<Node<'a>> {
        let found = record.get(key);
        if found.is_none() {
            self.fail(first_line(self.text, record.span), format!("{what} needs `{key}`"));
        }
        found
    }

    /// The members of a list; one scalar stands for a list of one.
    pub(super) fn items<'a>(&mut self, node: Node<'a>, what: &str) -> Vec<Node<'a>> {
        match node.kind() {
            NodeKind::Seq(_) => node.items().collect(),
            NodeKind::Scalar(..) => vec![node],
            _ => {
                self.fail(node.span(), format!("{what} is a list"));
                Vec::new()
            }
        }
    }

    /// A scalar as text, surrounding white space left out.
    pub(super) fn text<'a>(&mut self, node: Node<'a>, what: &str) -> Option<&'a str> {
        let text = node.as_str().map(str::trim).filter(|text| !text.is_empty());
        if text.is_none() {
            self.fail(node.span(), format!("{what} is a text"));
        }
        text
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, node: Node<'_>, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, what)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let words = words.iter().map(|(word, _)| *word);
            self.fail(node.span(), format!("`{text}` is no {what}{}", hint(text, words)));
        }
        found
    }

    /// A scalar or list, typed as YAML does.
    pub(super) fn value(&mut self, node: Node<'_>, what: &str) -> Option<Value> {
        match node.kind() {
            NodeKind::Seq(_) => {
                Some(Value::list(node.items().map(|item| self.value(item, what)).collect::<Option<_>>()?))
            }
            NodeKind::Scalar(text, _) => Some(match node.resolve() {
                Scalar::Null => Value::absent(),
                Scalar::Bool(value) => Value::known(value),
                Scalar::Number(value) => Value::known(value),
                Scalar::Str => Value::known(Data::from(&**text)),
            }),
            _ => {
                self.fail(node.span(), format!("{what} is a scalar or a list of scalars"));
                None
            }
        }
    }

    /// What a part of the text of `node` makes, an error placed inside the node.
    pub(super) fn compile<'a, T>(
        &mut self,
        node: Node<'a>,
        what: &str,
        compile: impl FnOnce(&'a str) -> Result<T, ConditionError>,
    ) -> Option<T> {
        let text = self.text(node, what)?;
        match compile(text) {
            Ok(made) => Some(made),
            Err(error) => {
                let span = inside(self.text, node, text, error.span);
                self.fail(span, error.message);
                None
            }
        }
    }
}

/// The part of a span on its first line.
pub(super) fn first_line(text: &str, span: Span) -> Span {
    let length = span.slice(text).lines().next().map_or(0, str::len);
    Span::new(span.start as usize, span.start as usize + length)
}

/// Where a part of a scalar's text (`trimmed`) stands in the file.
fn inside(file: &str, node: Node<'_>, trimmed: &str, part: Span) -> Span {
    let mapped = node.mapped(file);
    let Some(skipped) = mapped.text.find(trimmed) else { return first_line(file, node.span()) };
    let length = trimmed.len();
    // Past the end there is nothing to point at: the last character stands for it.
    let last = trimmed.char_indices().next_back().map_or(0, |(at, _)| at);
    let (start, end) = if part.is_empty() { (last, length) } else { (part.start as usize, part.end as usize) };
    mapped.span(Span::new(start + skipped, end + skipped))
}
