//! The one value type: known, absent, or unknown with the reason, and where it came from.

use crate::text::Loc;
use regex::Regex;
use std::sync::Arc;

/// Why a value cannot be told from the files: a sentence that a user can act on.
pub type Reason = Arc<str>;

/// A value as some tool would see it.
#[derive(Clone, Debug, Default)]
pub struct Value {
    /// What is known of it.
    pub kind: Kind,
    /// The text that it was written as.
    pub origin: Option<Loc>,
    /// How it came here from its origin, outermost step first (module argument, variable, local…).
    pub via: Option<Arc<[Step]>>,
}

/// What is known of a value.
#[derive(Clone, Debug, Default)]
pub enum Kind {
    /// Exactly this.
    Known(Data),
    /// Not given; also what `null` and Ansible's `omit` are as arguments.
    #[default]
    Absent,
    /// Not to be told from the files.
    Unknown(Reason),
    /// One of 2 to 8 (both branches of a conditional).
    OneOf(Arc<[Data]>),
    /// A string of which pieces are known.
    Text(Arc<[Piece]>),
}

/// Known data.
#[derive(Clone, Debug)]
pub enum Data {
    /// A null that is not (yet) an argument.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    Str(Arc<str>),
    /// A list, tuple or set.
    List(Arc<List>),
    /// An object or map, in source order.
    Map(Arc<Map>),
}

/// What a list or map is to the type system of Terraform; the other tools have only the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// A tuple or object: each member has a type of its own.
    #[default]
    Loose,
    /// A list or map: all members have one type.
    Uniform,
    /// A set: all members have one type, and none stands twice.
    Set,
    /// Whichever of them a provider makes of it.
    Unsure,
}

/// A list; `open` when further members may exist, with the reason.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The members.
    pub items: Vec<Value>,
    /// Why there may be more.
    pub open: Option<Reason>,
    /// A tuple, list or set.
    pub shape: Shape,
}

/// A map; `open` when further members may exist, with the reason.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// The members, each key once.
    pub entries: Vec<(Arc<str>, Value)>,
    /// Why there may be more.
    pub open: Option<Reason>,
    /// An object or map.
    pub shape: Shape,
}

/// A piece of a partly known string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Known text.
    Lit(Arc<str>),
    /// Unknown text.
    Hole(Reason),
}

/// One step on a value's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What carried it ("variable `size`", "argument of module.db").
    pub what: Arc<str>,
    /// Where.
    pub loc: Loc,
}

/// Three-valued truth (Kleene).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tri {
    /// Yes.
    True,
    /// No.
    False,
    /// Not to be told, with the reason.
    Unknown(Reason),
}

impl From<bool> for Tri {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl std::ops::Not for Tri {
    type Output = Self;
    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            unknown @ Self::Unknown(_) => unknown,
        }
    }
}

impl Tri {
    /// Both; a false side decides.
    #[must_use]
    pub fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::False => Self::False,
            Self::True => other(),
            unknown @ Self::Unknown(_) => {
                if other() == Self::False {
                    Self::False
                } else {
                    unknown
                }
            }
        }
    }

    /// Either; a true side decides.
    #[must_use]
    pub fn or(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::True => Self::True,
            Self::False => other(),
            unknown @ Self::Unknown(_) => {
                if other() == Self::True {
                    Self::True
                } else {
                    unknown
                }
            }
        }
    }

    /// Surely true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        *self == Self::True
    }

    /// Surely false.
    #[must_use]
    pub fn is_false(&self) -> bool {
        *self == Self::False
    }
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<bool> for Data {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Data {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl PartialEq for Data {
    /// Equality of what is known; lists and maps with unknown members are never equal.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                a.open.is_none()
                    && b.open.is_none()
                    && a.items.len() == b.items.len()
                    && a.items.iter().zip(&b.items).all(|(a, b)| a.same(b))
            }
            (Self::Map(a), Self::Map(b)) => {
                a.open.is_none()
                    && b.open.is_none()
                    && a.entries.len() == b.entries.len()
                    && a.entries.iter().all(|(key, value)| b.get(key).is_some_and(|other| value.same(other)))
            }
            _ => false,
        }
    }
}

impl Data {
    /// A scalar as text, as Terraform and Jinja print it.
    #[must_use]
    pub fn scalar(&self) -> Option<Arc<str>> {
        Some(match self {
            Self::Bool(value) => if *value { "true" } else { "false" }.into(),
            Self::Number(value) => number(*value).into(),
            Self::Str(text) => text.clone(),
            Self::Null | Self::List(_) | Self::Map(_) => return None,
        })
    }
}

/// A number as people write it: no exponent, no trailing zeros.
#[must_use]
pub fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { value.to_string() }
}

impl Map {
    /// A member.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }
}

impl Value {
    /// A known value without origin.
    #[must_use]
    pub fn known(data: impl Into<Data>) -> Self {
        Self { kind: Kind::Known(data.into()), ..Self::default() }
    }

    /// A known list.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::known(Data::List(Arc::new(List { items, ..List::default() })))
    }

    /// A known map.
    #[must_use]
    pub fn map(entries: Vec<(Arc<str>, Self)>) -> Self {
        Self::known(Data::Map(Arc::new(Map { entries, ..Map::default() })))
    }

    /// Not given.
    #[must_use]
    pub fn absent() -> Self {
        Self::default()
    }

    /// Not to be told, and why.
    #[must_use]
    pub fn unknown(reason: impl Into<Reason>) -> Self {
        Self { kind: Kind::Unknown(reason.into()), ..Self::default() }
    }

    /// A string out of pieces: known when there is no hole.
    #[must_use]
    pub fn text(pieces: Vec<Piece>) -> Self {
        let mut merged: Vec<Piece> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match (merged.last_mut(), piece) {
                (Some(Piece::Lit(before)), Piece::Lit(text)) => *before = format!("{before}{text}").into(),
                (_, piece) => merged.push(piece),
            }
        }
        match merged.as_slice() {
            [] => Self::known(""),
            [Piece::Lit(text)] => Self::known(Data::Str(text.clone())),
            [Piece::Hole(reason)] => Self::unknown(reason.clone()),
            _ => Self { kind: Kind::Text(merged.into()), ..Self::default() },
        }
    }

    /// The same value, said to stand at `loc` (kept when it already has an origin).
    #[must_use]
    pub fn at(mut self, loc: Loc) -> Self {
        self.origin.get_or_insert(loc);
        self
    }

    /// The same value after one more step outwards.
    #[must_use]
    pub fn step(mut self, what: impl Into<Arc<str>>, loc: Loc) -> Self {
        let mut steps = vec![Step { what: what.into(), loc }];
        steps.extend(self.via.iter().flat_map(|via| via.iter().cloned()));
        // A value passed round in circles must not grow without bound.
        steps.truncate(16);
        self.via = Some(steps.into());
        self
    }

    /// The data, when it is exactly known.
    #[must_use]
    pub fn data(&self) -> Option<&Data> {
        match &self.kind {
            Kind::Known(Data::Null) => None,
            Kind::Known(data) => Some(data),
            _ => None,
        }
    }

    /// A known string (not a number or truth value).
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self.data() {
            Some(Data::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// A known scalar as text.
    #[must_use]
    pub fn scalar(&self) -> Option<Arc<str>> {
        self.data().and_then(Data::scalar)
    }

    /// A known truth value; the strings that both Terraform and YAML 1.1 take for one count.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.data()? {
            Data::Bool(value) => Some(*value),
            Data::Str(text) => truth(text),
            _ => None,
        }
    }

    /// A known number; a numeric string counts.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self.data()? {
            Data::Number(value) => Some(*value),
            Data::Str(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// The known list.
    #[must_use]
    pub fn as_list(&self) -> Option<&List> {
        match self.data() {
            Some(Data::List(list)) => Some(list),
            _ => None,
        }
    }

    /// The known map.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match self.data() {
            Some(Data::Map(map)) => Some(map),
            _ => None,
        }
    }

    /// A member of a known map: absent when it surely is not there, unknown when that cannot be told.
    #[must_use]
    pub fn get(&self, key: &str) -> Self {
        match &self.kind {
            Kind::Known(Data::Map(map)) => match (map.get(key), &map.open) {
                (Some(value), _) => value.clone(),
                (None, Some(reason)) => Self::unknown(reason.clone()),
                (None, None) => Self::absent(),
            },
            Kind::Unknown(reason) => Self::unknown(reason.clone()),
            Kind::OneOf(_) => Self::unknown("it depends on a value with several possibilities"),
            _ => Self::absent(),
        }
    }

    /// Whether it is surely not given.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self.kind, Kind::Absent | Kind::Known(Data::Null))
    }

    /// Why it is not exactly known, if it is not.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match &self.kind {
            Kind::Unknown(reason) => Some(reason.clone()),
            Kind::OneOf(_) => Some("it has several possible values".into()),
            Kind::Text(pieces) => pieces.iter().find_map(|piece| match piece {
                Piece::Hole(reason) => Some(reason.clone()),
                Piece::Lit(_) => None,
            }),
            Kind::Known(_) | Kind::Absent => None,
        }
    }

    /// Exactly known and equal, all the way down; two absent values are the same.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Known(a), Kind::Known(b)) => a == b,
            (Kind::Absent, Kind::Absent) => true,
            _ => false,
        }
    }

    /// Whether the value is given at all.
    #[must_use]
    pub fn has(&self) -> Tri {
        match &self.kind {
            Kind::Known(Data::Null) | Kind::Absent => Tri::False,
            Kind::Unknown(reason) => Tri::Unknown(reason.clone()),
            Kind::OneOf(values) => all_agree(values.iter().map(|data| Tri::from(*data != Data::Null))),
            Kind::Known(_) | Kind::Text(_) => Tri::True,
        }
    }

    /// Whether it equals `data`; a scalar equals its spelling (`"true"` and `true`, `"8"` and `8`).
    #[must_use]
    pub fn equals(&self, data: &Data) -> Tri {
        match &self.kind {
            Kind::Absent => Tri::False,
            Kind::Known(known) => loosely_equal(known, data).into(),
            Kind::Unknown(reason) => Tri::Unknown(reason.clone()),
            Kind::OneOf(values) => all_agree(values.iter().map(|known| loosely_equal(known, data).into())),
            Kind::Text(_) => match data {
                Data::Str(text) => self.text_equals(text),
                _ => self.undecided(),
            },
        }
    }

    /// Whether the string passes `test`, decided on exactly known text only.
    fn on_text(&self, test: impl Fn(&str) -> bool, partly: impl Fn(&[Piece]) -> Option<bool>) -> Tri {
        let on = |data: &Data| Tri::from(data.scalar().is_some_and(|text| test(&text)));
        match &self.kind {
            Kind::Absent => Tri::False,
            Kind::Known(data) => on(data),
            Kind::Unknown(reason) => Tri::Unknown(reason.clone()),
            Kind::OneOf(values) => all_agree(values.iter().map(on)),
            Kind::Text(pieces) => partly(pieces).map_or_else(|| self.undecided(), Tri::from),
        }
    }

    fn undecided(&self) -> Tri {
        Tri::Unknown(self.reason().unwrap_or_else(|| "it is only partly known".into()))
    }

    fn text_equals(&self, text: &str) -> Tri {
        let Kind::Text(pieces) = &self.kind else { return self.undecided() };
        let mut rest = text;
        for piece in pieces.iter() {
            if let Piece::Lit(lit) = piece {
                match rest.find(&**lit) {
                    Some(at) => rest = &rest[at + lit.len()..],
                    None => return Tri::False,
                }
            }
        }
        match (pieces.first(), pieces.last()) {
            (Some(Piece::Lit(first)), _) if !text.starts_with(&**first) => Tri::False,
            (_, Some(Piece::Lit(last))) if !text.ends_with(&**last) => Tri::False,
            _ => self.undecided(),
        }
    }

    /// Whether it starts with `prefix`.
    #[must_use]
    pub fn starts_with(&self, prefix: &str) -> Tri {
        self.on_text(
            |text| text.starts_with(prefix),
            |pieces| match pieces.first() {
                Some(Piece::Lit(lit)) if lit.len() >= prefix.len() => Some(lit.starts_with(prefix)),
                Some(Piece::Lit(lit)) if !prefix.starts_with(&**lit) => Some(false),
                _ => None,
            },
        )
    }

    /// Whether it ends with `suffix`.
    #[must_use]
    pub fn ends_with(&self, suffix: &str) -> Tri {
        self.on_text(
            |text| text.ends_with(suffix),
            |pieces| match pieces.last() {
                Some(Piece::Lit(lit)) if lit.len() >= suffix.len() => Some(lit.ends_with(suffix)),
                Some(Piece::Lit(lit)) if !suffix.ends_with(&**lit) => Some(false),
                _ => None,
            },
        )
    }

    /// Whether it contains `part` (a list: whether it has that member).
    #[must_use]
    pub fn contains(&self, part: &str) -> Tri {
        if let Some(list) = self.as_list() {
            let found = list.items.iter().fold(Tri::False, |found, item| found.or(|| item.equals(&Data::from(part))));
            return match &list.open {
                Some(reason) => found.or(|| Tri::Unknown(reason.clone())),
                None => found,
            };
        }
        self.on_text(
            |text| text.contains(part),
            |pieces| {
                let any = pieces.iter().any(|piece| matches!(piece, Piece::Lit(lit) if lit.contains(part)));
                any.then_some(true)
            },
        )
    }

    /// Whether the pattern is found in it (unanchored, as CEL's `matches`).
    #[must_use]
    pub fn matches(&self, pattern: &Regex) -> Tri {
        self.on_text(
            |text| pattern.is_match(text),
            |pieces| {
                // A match inside one known piece stands whatever the holes hold, unless it leans on an end of the text.
                let source = pattern.as_str();
                let anchored = source.contains(['^', '$'])
                    || source.contains("\\b")
                    || source.contains("\\A")
                    || source.contains("\\z");
                let inside = pieces.iter().any(|piece| matches!(piece, Piece::Lit(lit) if pattern.is_match(lit)));
                (inside && !anchored).then_some(true)
            },
        )
    }

    /// How a message shows it: the text with `…` for what is unknown.
    #[must_use]
    pub fn display(&self) -> String {
        match &self.kind {
            Kind::Absent => "nothing".to_owned(),
            Kind::Unknown(_) => "an unknown value".to_owned(),
            Kind::Known(data) => show(data),
            Kind::OneOf(values) => values.iter().map(show).collect::<Vec<_>>().join(" or "),
            Kind::Text(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Lit(text) => text,
                    Piece::Hole(_) => "…",
                })
                .collect(),
        }
    }
}

fn show(data: &Data) -> String {
    match data {
        Data::Null => "null".to_owned(),
        Data::List(list) => list.items.iter().map(Value::display).collect::<Vec<_>>().join(", "),
        Data::Map(map) => map.entries.iter().map(|(key, _)| &**key).collect::<Vec<_>>().join(", "),
        scalar => scalar.scalar().map(|text| text.to_string()).unwrap_or_default(),
    }
}

/// The truth value that a string stands for, as Terraform and YAML 1.1 convert it.
#[must_use]
pub fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

#[expect(clippy::float_cmp, reason = "both were written as this number")]
fn loosely_equal(known: &Data, data: &Data) -> bool {
    match (known, data) {
        (Data::Str(text), Data::Bool(value)) | (Data::Bool(value), Data::Str(text)) => truth(text) == Some(*value),
        (Data::Str(text), Data::Number(value)) | (Data::Number(value), Data::Str(text)) => {
            text.trim().parse::<f64>().is_ok_and(|number| number == *value)
        }
        _ => known == data,
    }
}

/// True if true of each, false if false of each, else unknown.
fn all_agree(mut results: impl Iterator<Item = Tri>) -> Tri {
    let Some(first) = results.next() else { return Tri::False };
    if results.all(|other| other == first) { first } else { Tri::Unknown("it has several possible values".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partly(pieces: &[&str]) -> Value {
        Value::text(
            pieces
                .iter()
                .map(|text| if text.is_empty() { Piece::Hole("no default".into()) } else { Piece::Lit((*text).into()) })
                .collect(),
        )
    }

    #[test]
    fn pieces_decide_what_they_can() {
        let state = partly(&["", "/terraform.tfstate"]);
        assert_eq!(state.ends_with(".tfstate"), Tri::True);
        assert_eq!(state.ends_with(".json"), Tri::False);
        assert!(matches!(state.starts_with("/tmp"), Tri::Unknown(_)));
        assert_eq!(state.contains("terraform"), Tri::True);
        assert_eq!(state.equals(&"x/terraform.tfplan".into()), Tri::False);
        assert_eq!(partly(&["postgres:", ""]).starts_with("postgres:"), Tri::True);
    }

    #[test]
    fn absence_and_several_values() {
        assert_eq!(Value::absent().has(), Tri::False);
        assert_eq!(Value::absent().equals(&true.into()), Tri::False);
        let either = Value { kind: Kind::OneOf(vec![Data::Bool(true), Data::Bool(false)].into()), ..Value::default() };
        assert!(matches!(either.equals(&true.into()), Tri::Unknown(_)));
        assert_eq!(either.equals(&"x".into()), Tri::False);
    }

    #[test]
    fn kleene() {
        let unknown = || Tri::Unknown("why".into());
        assert_eq!(unknown().and(|| Tri::False), Tri::False);
        assert_eq!(unknown().or(|| Tri::True), Tri::True);
        assert!(matches!(Tri::True.and(unknown), Tri::Unknown(_)));
        assert_eq!(Value::known("no").equals(&false.into()), Tri::True);
        assert_eq!(Value::known(8.0).equals(&"8".into()), Tri::True);
    }
}
