//! Tests of values as the tables write them, and conditions over a block's own keys.

use crate::value::{Data, Kind, Map, Tri, Value};
use serde::Deserialize;
use serde_json::Value as Json;
use std::sync::Arc;

/// A test of one value.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// Equal, in any spelling of a scalar.
    Is(Json),
    /// Equal to one of these.
    OneOf(Vec<Json>),
    /// Not equal; an absent value is not equal.
    Not(Json),
    /// A number, or a duration in seconds such as `604800s`, of at least this.
    AtLeast(f64),
    /// A number, or a duration in seconds, of at most this.
    AtMost(f64),
    /// A string with this in it, or a list with this member.
    Contains(String),
    /// A string that starts so.
    Prefix(String),
    /// Not a string that starts so; an absent value does not.
    NotPrefix(String),
    /// Given and not empty.
    Set,
    /// Not given, or empty.
    Absent,
}

impl Test {
    /// Whether the value passes. An absent value fails all but `Not`, `NotPrefix` and `Absent`: put its default in first.
    #[must_use]
    pub fn holds(&self, value: &Value) -> Tri {
        match self {
            Self::Is(json) => value.equals(&data(json)),
            Self::OneOf(list) => list.iter().fold(Tri::False, |found, json| found.or(|| value.equals(&data(json)))),
            Self::Not(json) => !value.equals(&data(json)),
            Self::AtLeast(bound) => each(value, |data| seconds(data).is_some_and(|number| number >= *bound)),
            Self::AtMost(bound) => each(value, |data| seconds(data).is_some_and(|number| number <= *bound)),
            Self::Contains(part) => value.contains(part),
            Self::Prefix(prefix) => value.starts_with(prefix),
            Self::NotPrefix(prefix) => !value.starts_with(prefix),
            Self::Set => set(value),
            Self::Absent => !set(value),
        }
    }
}

/// What every possible value says, if they agree.
fn each(value: &Value, test: impl Fn(&Data) -> bool) -> Tri {
    match &value.kind {
        Kind::Absent => Tri::False,
        Kind::Known(data) => test(data).into(),
        Kind::OneOf(values) => {
            let passed = values.iter().filter(|data| test(data)).count();
            if passed == 0 || passed == values.len() {
                (passed > 0).into()
            } else {
                Tri::Unknown("it has several possible values".into())
            }
        }
        Kind::Unknown(_) | Kind::Text(_) => {
            Tri::Unknown(value.reason().unwrap_or_else(|| "it is only partly known".into()))
        }
    }
}

fn set(value: &Value) -> Tri {
    match &value.kind {
        Kind::Text(pieces) if !pieces.is_empty() => Tri::True,
        _ => each(value, |data| match data {
            Data::Null => false,
            Data::Str(text) => !text.is_empty(),
            Data::List(list) => !list.items.is_empty() || list.open.is_some(),
            Data::Map(map) => !map.entries.is_empty() || map.open.is_some(),
            Data::Bool(_) | Data::Number(_) => true,
        }),
    }
}

fn seconds(data: &Data) -> Option<f64> {
    match data {
        Data::Number(number) => Some(*number),
        Data::Str(text) => {
            let text = text.trim();
            text.strip_suffix('s').unwrap_or(text).parse().ok()
        }
        _ => None,
    }
}

/// JSON of a table as a value's data.
#[must_use]
pub fn data(json: &Json) -> Data {
    match json {
        Json::Null => Data::Null,
        Json::Bool(value) => Data::Bool(*value),
        Json::Number(number) => Data::Number(number.as_f64().unwrap_or_default()),
        Json::String(text) => Data::from(text.as_str()),
        Json::Array(items) => Data::List(Arc::new(crate::value::List {
            items: items.iter().map(known).collect(),
            ..crate::value::List::default()
        })),
        Json::Object(members) => Data::Map(Arc::new(Map {
            entries: members.iter().map(|(key, value)| (Arc::from(key.as_str()), known(value))).collect(),
            ..Map::default()
        })),
    }
}

/// JSON of a table as a known value (null as an absent one).
#[must_use]
pub fn known(json: &Json) -> Value {
    if json.is_null() { Value::absent() } else { Value::known(data(json)) }
}

/// Clauses over a block's own keys, of which all must hold.
#[derive(Clone, Debug, PartialEq, Default, Deserialize)]
#[serde(transparent)]
pub struct Cond(pub Vec<Clause>);

/// What one key of the block must be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// The key; dots step into blocks and maps.
    pub key: String,
    /// What counts when the key is absent.
    #[serde(default)]
    pub default: Option<Json>,
    /// The test of its value.
    #[serde(default)]
    pub test: Option<Test>,
    /// Whether it names a Proxmox volume that carries another guest's number.
    #[serde(default)]
    pub foreign: Option<bool>,
}

impl Cond {
    /// Whether all clauses hold for a block (a map, or a list of one), in a guest with the number `own_id`.
    #[must_use]
    pub fn holds(&self, block: &Value, own_id: &Value) -> Tri {
        self.0.iter().fold(Tri::True, |so_far, clause| so_far.and(|| clause.holds(block, own_id)))
    }
}

impl Clause {
    fn holds(&self, block: &Value, own_id: &Value) -> Tri {
        let mut value = descend(block, &self.key);
        if value.is_absent()
            && let Some(default) = &self.default
        {
            value = known(default);
        }
        let tested = self.test.as_ref().map_or(Tri::True, |test| test.holds(&value));
        match self.foreign {
            Some(wanted) => tested.and(|| if wanted { foreign(&value, own_id) } else { !foreign(&value, own_id) }),
            None => tested,
        }
    }
}

/// The value at a dotted path below a block; a list of blocks stands for its first. What is left of the path may be one key with dots.
#[must_use]
pub fn descend(block: &Value, path: &str) -> Value {
    let block = match block.as_list() {
        Some(list) => match list.items.first() {
            Some(first) => first,
            None => return list.open.as_ref().map_or_else(Value::absent, |reason| Value::unknown(reason.clone())),
        },
        None => block,
    };
    let whole = block.get(path);
    match path.split_once('.') {
        Some((step, rest)) if whole.is_absent() => {
            let next = block.get(step);
            if next.is_absent() { next } else { descend(&next, rest) }
        }
        _ => whole,
    }
}

fn foreign(volume: &Value, own_id: &Value) -> Tri {
    if volume.is_absent() {
        return Tri::False;
    }
    let Some(text) = volume.scalar() else {
        return Tri::Unknown(volume.reason().unwrap_or_else(|| "the volume is not a name".into()));
    };
    let Some(owner) = volume_owner(&text) else { return Tri::False };
    if own_id.is_absent() {
        // A number that Proxmox picks at creation cannot be the one already written in a volume's name.
        return Tri::True;
    }
    !own_id.equals(&Data::Number(f64::from(owner)))
}

/// The guest number in a Proxmox volume name, with or without its storage (`local-lvm:vm-101-disk-0`, `local:101/vm-101-disk-0.qcow2`).
#[must_use]
pub fn volume_owner(volume: &str) -> Option<u32> {
    if volume.starts_with('/') {
        return None;
    }
    let name = volume.split_once(':').map_or(volume, |(_, name)| name).rsplit('/').next()?;
    let rest = ["vm-", "subvol-", "base-", "basevol-"].iter().find_map(|prefix| name.strip_prefix(prefix))?;
    rest.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn test(json: Json) -> Test {
        serde_json::from_value(json).expect("a test")
    }

    #[test]
    fn tests_of_values() {
        assert_eq!(test(json!({"is": true})).holds(&Value::known("true")), Tri::True);
        assert_eq!(test(json!({"at-least": 7})).holds(&Value::known("14")), Tri::True);
        assert_eq!(test(json!({"at-least": 604_800})).holds(&Value::known("2592000s")), Tri::True);
        assert_eq!(test(json!({"at-most": 86400})).holds(&Value::known("2592000s")), Tri::False);
        assert_eq!(test(json!({"one-of": ["PREVENT", "ABANDON"]})).holds(&Value::known("DELETE")), Tri::False);
        assert!(matches!(test(json!({"is": true})).holds(&Value::unknown("why")), Tri::Unknown(_)));
        assert_eq!(test(json!("set")).holds(&Value::known("")), Tri::False);
        assert_eq!(test(json!("absent")).holds(&Value::absent()), Tri::True);
        assert_eq!(test(json!({"not": "x"})).holds(&Value::absent()), Tri::True);
        assert_eq!(test(json!({"contains": "x"})).holds(&Value::list(vec![Value::known("x")])), Tri::True);
    }

    #[test]
    fn owners_of_volumes() {
        assert_eq!(volume_owner("local-lvm:vm-101-disk-0"), Some(101));
        assert_eq!(volume_owner("local:9000/subvol-9000-disk-1.raw"), Some(9000));
        assert_eq!((volume_owner("/mnt/data"), volume_owner("local-lvm:8"), volume_owner("")), (None, None, None));
        let volume = Value::known("tank:subvol-900-data");
        assert_eq!(foreign(&volume, &Value::known(101.0)), Tri::True);
        assert_eq!(foreign(&volume, &Value::known(900.0)), Tri::False);
        assert_eq!(foreign(&volume, &Value::absent()), Tri::True);
        assert!(matches!(foreign(&volume, &Value::unknown("why")), Tri::Unknown(_)));
    }

    #[test]
    fn paths_below_blocks() {
        let inner = Value::map(vec![("security.protection.delete".into(), Value::known(true))]);
        let block = Value::list(vec![Value::map(vec![("config".into(), inner)])]);
        assert_eq!(descend(&block, "config.security.protection.delete").as_bool(), Some(true));
        assert!(descend(&block, "config.other").is_absent() && descend(&Value::list(vec![]), "a.b").is_absent());
    }
}
