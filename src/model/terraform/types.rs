//! Types of variables, and the conversions that they make.

use super::eval::{Building, Env, Work, lift};
use super::ops;
use crate::syntax::hcl::{Expr, ExprKind};
use crate::value::{Data, Kind, List, Map, Value};
use std::sync::Arc;

/// A count as a number.
pub(super) fn float(index: usize) -> f64 {
    u32::try_from(index).map_or(f64::MAX, f64::from)
}

/// A whole number in a range that is safe to convert.
pub(super) fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "whole and far inside the range")]
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// A number as a position.
pub(super) fn index(number: f64) -> Option<usize> {
    whole(number).and_then(|whole| usize::try_from(whole).ok())
}

/// The members of a map in the order in which Terraform walks it.
pub(super) fn sorted(map: &Map) -> Vec<(&Arc<str>, &Value)> {
    let mut members: Vec<_> = map.entries.iter().map(|(key, value)| (key, value)).collect();
    members.sort_by(|a, b| a.0.cmp(b.0));
    members
}

/// A set: each known member once, strings sorted.
pub(super) fn set(list: &List) -> Value {
    let mut items: Vec<Value> = Vec::with_capacity(list.items.len());
    let mut seen = std::collections::HashSet::new();
    for item in &list.items {
        let fresh = match item.scalar() {
            Some(text) => seen.insert(text),
            None => list.items.len() > 256 || !items.iter().any(|other| ops::equality(item, other).is_true()),
        };
        if fresh {
            items.push(item.clone());
        }
    }
    if items.iter().all(|item| item.data().is_some_and(|data| matches!(data, Data::Number(_)))) {
        items.sort_by(|a, b| a.as_number().unwrap_or(0.0).total_cmp(&b.as_number().unwrap_or(0.0)));
    } else if items.iter().all(|item| item.scalar().is_some()) {
        items.sort_by_key(Value::scalar);
    }
    Value::known(Data::List(Arc::new(List { items, open: list.open.clone() })))
}

/// Applies a conversion of scalars; null and what is unknown stay.
fn scalar(value: Value, wanted: &str, apply: impl Fn(&Data) -> Option<Data>) -> Value {
    match &value.kind {
        Kind::Known(Data::Null) | Kind::Absent | Kind::Unknown(_) | Kind::Text(_) => value,
        _ => {
            let converted = lift(&value, |data| match data {
                Data::Null => Ok(Value::known(Data::Null)),
                data => apply(data).map(Value::known).ok_or_else(|| format!("its value is no {wanted}").into()),
            });
            let kind = converted.map_or_else(Kind::Unknown, |converted| converted.kind);
            Value { kind, ..value }
        }
    }
}

pub(super) fn to_string(value: Value) -> Value {
    scalar(value, "string", |data| data.scalar().map(Data::Str))
}

pub(super) fn to_number(value: Value) -> Value {
    scalar(value, "number", |data| match data {
        Data::Bool(_) => None,
        data => ops::numeric(data).ok().map(Data::Number),
    })
}

pub(super) fn to_bool(value: Value) -> Value {
    scalar(value, "truth value", |data| match data {
        Data::Number(_) => None,
        data => ops::boolean(data).ok().map(Data::Bool),
    })
}

impl Env<'_, '_> {
    /// A value as the type of its variable makes it.
    pub(super) fn convert(&self, value: Value, ty: &Expr, work: &mut Work) -> Value {
        if let Err(reason) = work.enter() {
            return Value::unknown(reason);
        }
        let converted = match &ty.kind {
            ExprKind::Name(name) | ExprKind::Str(name) => simple(value, name),
            ExprKind::Call { name, args, .. } => match &**name {
                "list" | "tuple" => self.convert_list(value, args.first(), &**name == "tuple", work),
                "set" => match self.convert_list(value, args.first(), false, work) {
                    Value { kind: Kind::Known(Data::List(list)), origin, via } => Value { origin, via, ..set(&list) },
                    other => other,
                },
                "map" => self.convert_map(value, args.first(), work),
                "object" => match args.first().map(|fields| &fields.kind) {
                    Some(ExprKind::Object(_)) => self.convert_object(value, args.first(), work),
                    _ => value,
                },
                "optional" => match args.first() {
                    Some(inner) => self.convert(value, inner, work),
                    None => value,
                },
                _ => value,
            },
            _ => value,
        };
        work.leave();
        converted
    }

    fn convert_list(&self, value: Value, element: Option<&Expr>, tuple: bool, work: &mut Work) -> Value {
        let (Kind::Known(Data::List(list)), Some(element)) = (&value.kind, element) else { return value };
        let of = |index: usize| match &element.kind {
            ExprKind::List(types) if tuple => types.get(index),
            _ => Some(element),
        };
        let items = list
            .items
            .iter()
            .enumerate()
            .map(|(index, item)| match of(index) {
                Some(ty) => self.convert(item.clone(), ty, work),
                None => item.clone(),
            })
            .collect();
        let kind = Kind::Known(Data::List(Arc::new(List { items, open: list.open.clone() })));
        Value { kind, ..value }
    }

    fn convert_map(&self, value: Value, element: Option<&Expr>, work: &mut Work) -> Value {
        let (Kind::Known(Data::Map(map)), Some(element)) = (&value.kind, element) else { return value };
        let entries =
            map.entries.iter().map(|(key, item)| (key.clone(), self.convert(item.clone(), element, work))).collect();
        let kind = Kind::Known(Data::Map(Arc::new(Map { entries, open: map.open.clone() })));
        Value { kind, ..value }
    }

    /// Only the declared members stay; optional ones that are missing get their default, or null.
    fn convert_object(&self, value: Value, fields: Option<&Expr>, work: &mut Work) -> Value {
        let (Kind::Known(Data::Map(map)), Some(ExprKind::Object(fields))) =
            (&value.kind, fields.map(|fields| &fields.kind))
        else {
            return value;
        };
        let mut built = Building::default();
        for (key, ty) in fields {
            let ExprKind::Str(name) = &key.expr.kind else { continue };
            let (ty, default) = match &ty.kind {
                ExprKind::Call { name, args, .. } if &**name == "optional" => {
                    (args.first().unwrap_or(ty), Some(args.get(1)))
                }
                _ => (ty, None),
            };
            let given = map.get(name).filter(|given| default.is_none() || !given.is_absent());
            let member = match (given, &map.open, default) {
                (Some(given), _, _) => self.convert(given.clone(), ty, work),
                (None, Some(reason), _) => Value::unknown(reason.clone()),
                (None, None, Some(Some(default))) => {
                    let default = self.value(default, work);
                    self.convert(default, ty, work)
                }
                (None, None, Some(None)) => Value::known(Data::Null),
                (None, None, None) => Value::unknown(format!("member `{name}` is not given")),
            };
            built.put((&**name).into(), member);
        }
        Value { kind: built.finish().kind, ..value }
    }
}

fn simple(value: Value, name: &str) -> Value {
    match name {
        "string" => to_string(value),
        "number" => to_number(value),
        "bool" => to_bool(value),
        _ => value,
    }
}
