//! Values as Jinja computes with them: whole numbers apart from others, what is undefined apart from what is null.

use crate::text::Loc;
use crate::value::{Data, Kind, List, Map, Piece, Reason, Step, Tri, Value};
use std::sync::Arc;

/// Members of a list or mapping that are kept.
pub(super) const MAX_ITEMS: usize = 4096;
/// Bytes of one text.
pub(super) const MAX_TEXT: usize = 1 << 20;
/// Members of a value, all the way down; 16 bytes of text count as one.
const MAX_SIZE: usize = 200_000;
/// Levels of a value.
const MAX_LEVELS: usize = 60;
/// Possible values that are followed.
pub(super) const MAX_POSSIBLE: usize = 8;

/// What an operation gives, or why it gives nothing: it is refused, or not known.
pub(super) type Res<T = Val> = Result<T, Reason>;

/// A value with the place it was written at.
#[derive(Clone, Debug)]
pub(super) struct Val {
    pub(super) v: V,
    pub(super) origin: Option<Loc>,
    pub(super) via: Option<Arc<[Step]>>,
}

/// What is known of a value.
#[derive(Clone, Debug)]
pub(super) enum V {
    /// Not set: an error wherever it is used, but in `default` and `is defined`.
    Undefined(Reason),
    /// The variable `omit`.
    Omit,
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Arc<str>),
    List(Arc<Seq>),
    Map(Arc<Dict>),
    Unknown(Reason),
    /// One of 2 to 8.
    OneOf(Arc<[Val]>),
    /// A string of which pieces are known.
    Text(Arc<[Piece]>),
}

/// A list or tuple.
#[derive(Debug, Default)]
pub(super) struct Seq {
    pub(super) items: Vec<Val>,
    /// Why there may be more, anywhere.
    pub(super) open: Option<Reason>,
    pub(super) tuple: bool,
    size: usize,
    levels: usize,
}

/// A mapping, each key once, in order.
#[derive(Debug, Default)]
pub(super) struct Dict {
    pub(super) entries: Vec<(Val, Val)>,
    pub(super) open: Option<Reason>,
    size: usize,
    levels: usize,
}

impl From<V> for Val {
    fn from(v: V) -> Self {
        Self { v, origin: None, via: None }
    }
}

impl From<bool> for Val {
    fn from(value: bool) -> Self {
        V::Bool(value).into()
    }
}

impl From<i64> for Val {
    fn from(value: i64) -> Self {
        V::Int(value).into()
    }
}

impl From<f64> for Val {
    fn from(value: f64) -> Self {
        V::Float(value).into()
    }
}

impl From<&str> for Val {
    fn from(text: &str) -> Self {
        V::Str(text.into()).into()
    }
}

impl From<String> for Val {
    fn from(text: String) -> Self {
        V::Str(text.into()).into()
    }
}

impl From<Tri> for Val {
    fn from(truth: Tri) -> Self {
        match truth {
            Tri::True => true.into(),
            Tri::False => false.into(),
            Tri::Unknown(reason) => V::Unknown(reason).into(),
        }
    }
}

impl From<Res> for Val {
    fn from(result: Res) -> Self {
        result.unwrap_or_else(|reason| V::Unknown(reason).into())
    }
}

impl Dict {
    /// The member of that key; keys are equal as in Python (`1` is `1.0`, but not `'1'`).
    pub(super) fn get(&self, key: &Val) -> Option<&Val> {
        self.entries.iter().find(|(own, _)| same_key(own, key)).map(|(_, value)| value)
    }
}

fn same_key(a: &Val, b: &Val) -> bool {
    match (&a.v, &b.v) {
        (V::Str(a), V::Str(b)) => a == b,
        _ => super::ops::equal(a, b).is_true(),
    }
}

/// Sets a member, in the place that it has.
pub(super) fn insert(entries: &mut Vec<(Val, Val)>, key: Val, value: Val) {
    match entries.iter_mut().find(|(own, _)| same_key(own, &key)) {
        Some((_, old)) => *old = value,
        None => entries.push((key, value)),
    }
}

impl Val {
    pub(super) fn unknown(reason: impl Into<Reason>) -> Self {
        V::Unknown(reason.into()).into()
    }

    pub(super) fn undefined(reason: impl Into<Reason>) -> Self {
        V::Undefined(reason.into()).into()
    }

    pub(super) fn null() -> Self {
        V::Null.into()
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::seq(items, None, false)
    }

    pub(super) fn tuple(items: Vec<Self>) -> Self {
        Self::seq(items, None, true)
    }

    /// A list; unknown when it grows too large.
    pub(super) fn seq(items: Vec<Self>, open: Option<Reason>, tuple: bool) -> Self {
        let (size, levels) = measure(items.iter());
        if items.len() > MAX_ITEMS || size > MAX_SIZE || levels > MAX_LEVELS {
            return Self::unknown("the list grows too large");
        }
        V::List(Arc::new(Seq { items, open, tuple, size, levels })).into()
    }

    pub(super) fn map(entries: Vec<(Self, Self)>, open: Option<Reason>) -> Self {
        let (size, levels) = measure(entries.iter().flat_map(|(key, value)| [key, value]));
        if entries.len() > MAX_ITEMS || size > MAX_SIZE || levels > MAX_LEVELS {
            return Self::unknown("the mapping grows too large");
        }
        V::Map(Arc::new(Dict { entries, open, size, levels })).into()
    }

    /// A string out of pieces: known when there is no hole.
    pub(super) fn text(pieces: Vec<Piece>) -> Self {
        let long: usize = pieces.iter().map(|piece| if let Piece::Lit(text) = piece { text.len() } else { 0 }).sum();
        if long > MAX_TEXT || pieces.len() > MAX_ITEMS {
            return Self::unknown("the text grows too long");
        }
        Self::from_value(&Value::text(pieces))
    }

    /// One of several values; unknown when one of them is.
    pub(super) fn several(values: Vec<Self>) -> Self {
        let mut known: Vec<Self> = Vec::new();
        for value in values {
            let own = match &value.v {
                V::OneOf(inner) => inner.to_vec(),
                V::Unknown(_) => return value,
                _ => vec![value],
            };
            for value in own {
                if !known.iter().any(|other| alike(other, &value)) {
                    known.push(value);
                }
            }
        }
        match known.len() {
            0 => Self::unknown("it is not known"),
            1 => known.remove(0),
            2..=MAX_POSSIBLE => V::OneOf(known.into()).into(),
            _ => Self::unknown("it has too many possible values"),
        }
    }

    pub(super) fn at(mut self, loc: Loc) -> Self {
        self.origin.get_or_insert(loc);
        self
    }

    pub(super) fn step(mut self, what: String, loc: Loc) -> Self {
        let carried = Value { via: self.via.take(), ..Value::default() }.step(what, loc);
        self.via = carried.via;
        self
    }

    /// How much there is of it, all the way down.
    pub(super) fn size(&self) -> usize {
        match &self.v {
            V::Str(text) => 1 + text.len() / 16,
            V::Text(pieces) => {
                let of = |piece: &Piece| if let Piece::Lit(text) = piece { 1 + text.len() / 16 } else { 1 };
                pieces.iter().map(of).sum()
            }
            V::List(list) => list.size,
            V::Map(map) => map.size,
            V::OneOf(values) => values.iter().map(Self::size).sum(),
            _ => 1,
        }
    }

    fn levels(&self) -> usize {
        match &self.v {
            V::List(list) => list.levels,
            V::Map(map) => map.levels,
            V::OneOf(values) => values.iter().map(Self::levels).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Why it is not exactly known, if it is not.
    pub(super) fn reason(&self) -> Option<Reason> {
        match &self.v {
            V::Unknown(reason) | V::Undefined(reason) => Some(reason.clone()),
            V::OneOf(_) => Some("it has several possible values".into()),
            V::Text(pieces) => pieces.iter().find_map(|piece| match piece {
                Piece::Hole(reason) => Some(reason.clone()),
                Piece::Lit(_) => None,
            }),
            _ => None,
        }
    }

    /// The reason why it cannot be used where `needed` is.
    pub(super) fn not(&self, needed: &str) -> Reason {
        self.reason().unwrap_or_else(|| format!("{} is no {needed}", self.kind()).into())
    }

    /// What it is, for a message.
    pub(super) fn kind(&self) -> &'static str {
        match &self.v {
            V::Undefined(_) => "what is undefined",
            V::Omit => "`omit`",
            V::Null => "null",
            V::Bool(_) => "a truth value",
            V::Int(_) | V::Float(_) => "a number",
            V::Str(_) | V::Text(_) => "a string",
            V::List(_) => "a list",
            V::Map(_) => "a mapping",
            V::Unknown(_) | V::OneOf(_) => "what is not known",
        }
    }

    /// Whether nothing about it is unknown, all the way down.
    pub(super) fn settled(&self) -> Res<()> {
        match &self.v {
            V::List(list) => match &list.open {
                Some(reason) => Err(reason.clone()),
                None => list.items.iter().try_for_each(Self::settled),
            },
            V::Map(map) => match &map.open {
                Some(reason) => Err(reason.clone()),
                None => map.entries.iter().try_for_each(|(key, value)| key.settled().and_then(|()| value.settled())),
            },
            _ => self.reason().map_or(Ok(()), Err),
        }
    }

    pub(super) fn from_value(value: &Value) -> Self {
        let v = match &value.kind {
            Kind::Absent => V::Omit,
            Kind::Known(data) => of_data(data),
            Kind::Unknown(reason) => V::Unknown(reason.clone()),
            Kind::OneOf(values) => V::OneOf(values.iter().map(|data| Self::from(of_data(data))).collect()),
            Kind::Text(pieces) => V::Text(pieces.clone()),
        };
        Self { v, origin: value.origin, via: value.via.clone() }
    }

    /// The value as the other parts see it: what is omitted is absent, what is refused is unknown.
    pub(super) fn into_value(self) -> Value {
        let kind = match &self.v {
            V::Undefined(reason) | V::Unknown(reason) => Kind::Unknown(reason.clone()),
            V::Omit => Kind::Absent,
            V::OneOf(values) => match values.iter().map(data).collect::<Option<Vec<_>>>() {
                Some(values) => Kind::OneOf(values.into()),
                None => Kind::Unknown("one of its possible values is not known".into()),
            },
            V::Text(pieces) => Value::text(pieces.to_vec()).kind,
            _ => data(&self).map_or_else(|| Kind::Unknown("it is not known".into()), Kind::Known),
        };
        Value { kind, origin: self.origin, via: self.via }
    }
}

/// The same in type and value, as far as known.
pub(super) fn alike(a: &Val, b: &Val) -> bool {
    match (&a.v, &b.v) {
        (V::Bool(_), V::Bool(_)) | (V::Int(_), V::Int(_)) | (V::Float(_), V::Float(_)) | (V::Str(_), V::Str(_)) => {
            super::ops::equal(a, b).is_true()
        }
        (V::List(_), V::List(_)) | (V::Map(_), V::Map(_)) => super::ops::equal(a, b).is_true(),
        (V::Null, V::Null) | (V::Omit, V::Omit) => true,
        (V::Text(a), V::Text(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| alike_pieces(a, b)),
        _ => false,
    }
}

fn alike_pieces(a: &Piece, b: &Piece) -> bool {
    match (a, b) {
        (Piece::Lit(a), Piece::Lit(b)) | (Piece::Hole(a), Piece::Hole(b)) => a == b,
        _ => false,
    }
}

fn measure<'v>(members: impl Iterator<Item = &'v Val>) -> (usize, usize) {
    members.fold((1, 1), |(size, levels), member| (size.saturating_add(member.size()), levels.max(member.levels() + 1)))
}

fn of_data(data: &Data) -> V {
    match data {
        Data::Null => V::Null,
        Data::Bool(value) => V::Bool(*value),
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        Data::Number(value) if value.fract() == 0.0 && value.abs() < 9e15 => V::Int(*value as i64),
        Data::Number(value) => V::Float(*value),
        Data::Str(text) => V::Str(text.clone()),
        Data::List(list) => Val::seq(list.items.iter().map(Val::from_value).collect(), list.open.clone(), false).v,
        Data::Map(map) => {
            let entries = map.entries.iter();
            let entries = entries.map(|(key, value)| (V::Str(key.clone()).into(), Val::from_value(value)));
            Val::map(entries.collect(), map.open.clone()).v
        }
    }
}

fn data(value: &Val) -> Option<Data> {
    Some(match &value.v {
        V::Null => Data::Null,
        V::Bool(value) => Data::Bool(*value),
        #[expect(clippy::cast_precision_loss, reason = "numbers are doubles elsewhere")]
        V::Int(value) => Data::Number(*value as f64),
        V::Float(value) => Data::Number(*value),
        V::Str(text) => Data::Str(text.clone()),
        V::List(list) => {
            // What is omitted drops out of its list.
            let kept = list.items.iter().filter(|item| !matches!(item.v, V::Omit));
            let items = kept.map(|item| item.clone().into_value()).collect();
            Data::List(Arc::new(List { items, open: list.open.clone(), ..List::default() }))
        }
        V::Map(map) => {
            let kept = map.entries.iter().filter(|(_, value)| !matches!(value.v, V::Omit));
            let entries =
                kept.filter_map(|(key, value)| Some((super::ops::plain(key).ok()?, value.clone().into_value())));
            Data::Map(Arc::new(Map { entries: entries.collect(), open: map.open.clone(), ..Map::default() }))
        }
        V::Undefined(_) | V::Omit | V::Unknown(_) | V::OneOf(_) | V::Text(_) => return None,
    })
}
