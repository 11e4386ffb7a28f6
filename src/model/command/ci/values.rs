//! What pipelines write where a value is meant: expressions, matrices, the folder of the checkout.

use crate::syntax::yaml::Node;
use crate::value::{Data, Kind, Piece, Value};

/// How pipelines call the folder that the repository is checked out in, where commands start.
const CHECKOUTS: [&str; 6] = [
    "${CI_PROJECT_DIR}",
    "$CI_PROJECT_DIR",
    "${{ github.workspace }}",
    "$GITHUB_WORKSPACE",
    "$(Build.SourcesDirectory)",
    "$(System.DefaultWorkingDirectory)",
];

pub(super) fn value_of(text: &str) -> Value {
    if let Some(rest) = CHECKOUTS.iter().find_map(|name| text.strip_prefix(name)) {
        return value_of(&format!(".{rest}"));
    }
    if text.contains("${{") || text.contains("{{") {
        Value::unknown("it is an expression of the pipeline")
    } else {
        Value::known(text)
    }
}

/// The values that a matrix lists for each of its names, those of `include` too.
pub(super) fn lists(matrix: Node<'_>) -> Vec<(Box<str>, Vec<Box<str>>)> {
    let mut lists: Vec<(Box<str>, Vec<Box<str>>)> = Vec::new();
    let mut add = |name: &str, value: &str| match lists.iter_mut().find(|(known, _)| &**known == name) {
        Some((_, values)) => values.push(value.into()),
        None => lists.push((name.into(), vec![value.into()])),
    };
    for (key, value) in matrix.entries() {
        for item in value.items() {
            match (key.as_str(), item.as_str()) {
                (Some(name), Some(text)) => add(name, text),
                _ => {
                    for (key, value) in item.entries() {
                        if let (Some(name), Some(text)) = (key.as_str(), value.as_str()) {
                            add(name, text);
                        }
                    }
                }
            }
        }
    }
    lists
}

/// What `${{ matrix.x }}` alone may be.
pub(super) fn of_matrix(text: &str, matrix: &[(Box<str>, Vec<Box<str>>)]) -> Option<Value> {
    let name = text.trim().strip_prefix("${{")?.strip_suffix("}}")?.trim().strip_prefix("matrix.")?;
    let (_, values) = matrix.iter().find(|(known, _)| &**known == name)?;
    match values.as_slice() {
        [one] => Some(Value::known(&**one)),
        several if several.len() <= 8 => {
            let data = several.iter().map(|value| Data::from(&**value)).collect::<Vec<_>>();
            Some(Value { kind: Kind::OneOf(data.into()), ..Value::default() })
        }
        _ => None,
    }
}

/// A text whose `${{ … }}` and `$x` are not known; the same expression is the same hole.
pub(super) fn with_holes(text: &str) -> Value {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$').or_else(|| rest.find("{{")) {
        let (before, after) = rest.split_at(at);
        let end = if after.contains("}}") && (after.starts_with("${{") || after.starts_with("{{")) {
            after.find("}}").map(|end| end + 2)
        } else if after.starts_with("${") || after.starts_with("$(") {
            after.find(['}', ')']).map(|end| end + 1)
        } else {
            let name = after.char_indices().skip(1).find(|(_, c)| !c.is_alphanumeric() && *c != '_');
            name.map(|(end, _)| end)
        };
        let (expression, after) = after.split_at(end.unwrap_or(after.len()));
        pieces.push(Piece::Lit(before.into()));
        pieces.push(Piece::Hole(format!("`{expression}` is an expression of the pipeline").into()));
        rest = after;
    }
    pieces.push(Piece::Lit(rest.into()));
    pieces.retain(|piece| !matches!(piece, Piece::Lit(text) if text.is_empty()));
    Value::text(pieces)
}

/// The entries of a mapping that are plain texts.
pub(super) fn texts(node: Option<Node<'_>>) -> Vec<(&str, &str)> {
    let pairs = node.map(Node::entries).unwrap_or_default().into_iter();
    let pairs = pairs.filter_map(|(key, value)| Some((key.as_str()?, value.as_str()?)));
    pairs.filter(|(_, value)| !value.contains("{{")).collect()
}

/// The value of a word that is no text.
pub(super) fn no_text() -> Value {
    Value::unknown("it is no text")
}
