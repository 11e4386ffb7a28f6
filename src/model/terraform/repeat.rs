//! What `count` and `for_each` make of a block.

use super::eval::either;
use super::refs::out_of;
use super::types;
use crate::value::{Data, Kind, Reason, Value};
use std::sync::Arc;

/// Which one of a repeated resource or module call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// It is not repeated.
    Single,
    /// By `count`.
    Index(usize),
    /// By `for_each`.
    Name(Arc<str>),
    /// Repeated by something that the files do not tell; stands for all of them.
    Unknown(Reason),
}

impl Key {
    /// As Terraform prints it behind an address; `["…"]` when it is not known.
    #[must_use]
    pub fn suffix(&self) -> String {
        match self {
            Self::Single => String::new(),
            Self::Index(index) => format!("[{index}]"),
            Self::Name(name) => format!("[\"{}\"]", quoted(name)),
            Self::Unknown(_) => "[\"…\"]".to_owned(),
        }
    }

    /// As a value.
    #[must_use]
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Single => None,
            Self::Index(index) => Some(Value::known(types::float(*index))),
            Self::Name(name) => Some(Value::known(Data::Str(name.clone()))),
            Self::Unknown(reason) => Some(Value::unknown(reason.clone())),
        }
    }
}

/// A text as Terraform writes it between quotes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => out.extend([c, c]),
            c => out.push(c),
        }
    }
    out
}

/// What `count.index`, `each.key` and `each.value` are.
#[derive(Clone, Debug)]
pub(super) enum Repeat {
    Single,
    Count(Value),
    Each(Value, Value),
}

/// One of what a `count` or `for_each` makes.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) key: Key,
    pub(super) repeat: Repeat,
    /// Why it may not exist.
    pub(super) uncertain: Option<Reason>,
    /// The files alone do not make it: it is looked at because a switch may be set, and nothing else refers to it.
    pub(super) assumed: bool,
}

fn counted(index: usize, uncertain: Option<Reason>) -> Slot {
    Slot { key: Key::Index(index), repeat: Repeat::Count(Value::known(types::float(index))), uncertain, assumed: false }
}

fn unknown_slot(reason: &Reason, count: bool) -> Slot {
    let unknown = || Value::unknown(reason.clone());
    let repeat = if count { Repeat::Count(unknown()) } else { Repeat::Each(unknown(), unknown()) };
    Slot { key: Key::Unknown(reason.clone()), repeat, uncertain: Some(reason.clone()), assumed: false }
}

pub(super) fn by_count(count: &Value, most: usize) -> Vec<Slot> {
    let size = |data: &Data| match data {
        Data::Number(number) => types::index(*number),
        Data::Bool(value) => Some(usize::from(*value)),
        Data::Str(text) => text.trim().parse().ok(),
        _ => None,
    };
    let (sure, possible) = match &count.kind {
        Kind::Known(data) => (size(data), size(data)),
        Kind::OneOf(values) => (values.iter().filter_map(size).min(), values.iter().filter_map(size).max()),
        _ => (None, None),
    };
    let reason = || count.reason().unwrap_or_else(|| "its count is not a number".into());
    let (Some(sure), Some(possible)) = (sure, possible) else { return vec![unknown_slot(&reason(), true)] };
    let mut slots: Vec<Slot> =
        (0..possible.min(most)).map(|index| counted(index, (index >= sure).then(reason))).collect();
    if possible > most {
        slots.push(unknown_slot(
            &format!("there are {possible} of it, only {most} are looked at one by one").into(),
            true,
        ));
    }
    slots
}

pub(super) fn by_key(collection: &Value, most: usize) -> Vec<Slot> {
    let mut slots = Vec::new();
    match &collection.kind {
        Kind::Known(data) => keyed(data, collection, &mut slots),
        Kind::OneOf(values) => {
            let reason = collection.reason().unwrap_or_else(|| "it has several possible values".into());
            let cases = values.iter().map(|data| {
                let mut each = Vec::new();
                keyed(data, collection, &mut each);
                each
            });
            slots = of_cases(cases.collect(), &reason);
        }
        _ => {
            let reason = collection.reason().unwrap_or_else(|| "its for_each is not a collection".into());
            slots.push(unknown_slot(&reason, false));
        }
    }
    if slots.len() > most {
        let reason = format!("there are {} of it, only {most} are looked at one by one", slots.len());
        slots.truncate(most);
        slots.push(unknown_slot(&reason.into(), false));
    }
    slots
}

/// The slots of several cases: what not all of them have may not exist, and where they differ each is possible.
fn of_cases(cases: Vec<Vec<Slot>>, reason: &Reason) -> Vec<Slot> {
    let count = cases.len();
    let mut found: Vec<(Slot, usize)> = Vec::new();
    for slot in cases.into_iter().flatten() {
        let Some((known, times)) = found.iter_mut().find(|(known, _)| known.key == slot.key) else {
            found.push((slot, 1));
            continue;
        };
        *times += 1;
        if let (Repeat::Each(_, value), Repeat::Each(_, other)) = (&mut known.repeat, &slot.repeat) {
            *value = either(value, other, reason);
        }
    }
    let certain = |(slot, times): (Slot, usize)| {
        let uncertain = slot.uncertain.clone().or_else(|| (times < count).then(|| reason.clone()));
        Slot { uncertain, ..slot }
    };
    found.into_iter().map(certain).collect()
}

fn keyed(data: &Data, collection: &Value, slots: &mut Vec<Slot>) {
    let mut open = None;
    match data {
        Data::Map(map) => {
            for (key, value) in types::sorted(map) {
                let key_value = Value { kind: Kind::Known(Data::Str(key.clone())), ..collection.clone() };
                let repeat = Repeat::Each(key_value, out_of(collection, value.clone()));
                slots.push(Slot { key: Key::Name(key.clone()), repeat, uncertain: None, assumed: false });
            }
            open.clone_from(&map.open);
        }
        Data::List(list) => {
            for item in &list.items {
                let key = match item.scalar() {
                    Some(text) => Key::Name(text),
                    None => Key::Unknown(item.reason().unwrap_or_else(|| "its key is not a string".into())),
                };
                slots.push(Slot {
                    key,
                    repeat: Repeat::Each(item.clone(), out_of(collection, item.clone())),
                    uncertain: None,
                    assumed: false,
                });
            }
            open.clone_from(&list.open);
        }
        _ => {}
    }
    if let Some(reason) = open {
        slots.push(unknown_slot(&reason, false));
    }
}
