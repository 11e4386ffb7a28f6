//! Partly known strings in one piece: a hole is a character, its reason is kept beside it.

use crate::text::HOLE;
use crate::value::{Kind, Piece, Reason, Value};
use std::ops::Range;

/// A string with [`HOLE`] for each unknown piece.
#[derive(Clone, Debug, Default)]
pub(super) struct Flat {
    /// The text.
    pub(super) text: String,
    reasons: Vec<Reason>,
}

impl Flat {
    /// The string that a value is; `None` for nothing, lists and maps.
    pub(super) fn of(value: &Value) -> Option<Self> {
        let mut flat = Self { text: String::new(), reasons: Vec::new() };
        match &value.kind {
            Kind::Known(data) => flat.text.push_str(&data.scalar()?),
            Kind::Absent => return None,
            Kind::Unknown(reason) => flat.hole(reason.clone()),
            Kind::OneOf(_) => flat.hole("it has several possible values".into()),
            Kind::Text(pieces) => pieces.iter().for_each(|piece| match piece {
                Piece::Lit(text) => flat.text.push_str(text),
                Piece::Hole(reason) => flat.hole(reason.clone()),
            }),
        }
        Some(flat)
    }

    fn hole(&mut self, reason: Reason) {
        self.text.push(HOLE);
        self.reasons.push(reason);
    }

    /// A part of it as a value.
    pub(super) fn part(&self, range: Range<usize>) -> Value {
        let before = self.text.get(..range.start).unwrap_or("").matches(HOLE).count();
        let mut reasons = self.reasons.iter().skip(before);
        let mut pieces = Vec::new();
        for (at, literal) in self.text.get(range).unwrap_or("").split(HOLE).enumerate() {
            if at > 0 {
                pieces.push(Piece::Hole(reasons.next().cloned().unwrap_or_else(|| "it is only partly known".into())));
            }
            if !literal.is_empty() {
                pieces.push(Piece::Lit(literal.into()));
            }
        }
        Value::text(pieces)
    }

    /// The ranges between the colons.
    pub(super) fn between_colons(&self) -> Vec<Range<usize>> {
        let mut start = 0;
        let mut ranges = Vec::new();
        for part in self.text.split(':') {
            ranges.push(start..start + part.len());
            start += part.len() + 1;
        }
        ranges
    }
}

/// The members of a list (of repeated blocks too), or the one value; nothing for nothing.
#[must_use]
pub fn members(value: &Value) -> Vec<Value> {
    match value.as_list() {
        Some(list) => list.items.clone(),
        None if value.is_absent() => Vec::new(),
        None => vec![value.clone()],
    }
}

/// The words of a command, given as a string or a list; a list's members stay whole.
pub(super) fn words(value: &Value) -> Vec<String> {
    if let Some(list) = value.as_list() {
        return list.items.iter().filter_map(Flat::of).map(|flat| flat.text).collect();
    }
    let text = Flat::of(value).map(|flat| flat.text).unwrap_or_default();
    text.split_whitespace()
        .map(|word| word.trim_matches(['\'', '"']).to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}
