//! What a document or an argument of Terraform says, as a value with its places.

use crate::model::terraform::Resource;
use crate::syntax::yaml::{Node, Scalar, Yaml};
use crate::text::{HOLE, Loc, Span};
use crate::value::{Piece, Value};
use std::sync::Arc;

/// Deeper members are not read.
const MAX_DEPTH: usize = 24;
/// Members of one document that are read.
const MAX_NODES: usize = 20_000;

/// Why a scalar is not known.
const FILLED: &str = "it is filled in when it is applied";

/// A node and all below it; what is filled in later is unknown.
#[must_use]
pub fn of_node(node: Node<'_>, place: &dyn Fn(Span) -> Loc) -> Value {
    value(node, place, 0, &mut MAX_NODES.clone())
}

/// What an argument of Terraform gives as JSON or YAML, however it is made; absent when it is not given.
#[must_use]
pub fn of_argument(resource: &Resource<'_, '_>, name: &str) -> Value {
    if let Some(value) = resource.encoded(name) {
        return value;
    }
    let Some(text) = resource.mapped(name) else { return Value::absent() };
    let yaml = Yaml::parse(&text.text.text);
    let place = |span: Span| Loc { file: text.file, span: text.text.span(span) };
    yaml.root().map_or_else(Value::absent, |root| of_node(root, &place))
}

fn value(node: Node<'_>, place: &dyn Fn(Span) -> Loc, depth: usize, left: &mut usize) -> Value {
    *left = left.saturating_sub(1);
    if *left == 0 || depth > MAX_DEPTH {
        return Value::unknown("the document is too large to look at");
    }
    let whole = if node.is_map() {
        let entries = node.entries().into_iter().filter_map(|(key, member)| {
            let name: Arc<str> = key.as_str()?.into();
            Some((name, value(member, place, depth + 1, left)))
        });
        let entries = entries.collect();
        Value::map(entries)
    } else if node.is_seq() {
        let items = node.items().map(|item| value(item, place, depth + 1, left)).collect();
        Value::list(items)
    } else {
        scalar(node)
    };
    // A map is declared where its first key stands.
    let first = node.entries().first().map(|(key, _)| key.span());
    whole.at(place(first.unwrap_or_else(|| node.span())))
}

fn scalar(node: Node<'_>) -> Value {
    match node.resolve() {
        _ if node.as_str().is_some_and(|text| text.contains("{{") || text.contains("${")) => Value::unknown(FILLED),
        Scalar::Null => Value::absent(),
        Scalar::Bool(truth) => Value::known(truth),
        Scalar::Number(number) => Value::known(number),
        Scalar::Str => node.as_str().map_or_else(Value::absent, text),
    }
}

/// A text in which a mark stands for what is not known.
fn text(text: &str) -> Value {
    if !text.contains(HOLE) {
        return Value::known(text);
    }
    let mut pieces = Vec::new();
    for (at, known) in text.split(HOLE).enumerate() {
        if at > 0 {
            pieces.push(Piece::Hole(FILLED.into()));
        }
        if !known.is_empty() {
            pieces.push(Piece::Lit(known.into()));
        }
    }
    Value::text(pieces)
}
