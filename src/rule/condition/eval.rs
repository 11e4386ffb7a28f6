//! Conditions over facts, three-valued.

use super::parser::Comparison;
use super::{Env, Expr, Operand, Path, Quantifier, Root, Step, TextTest};
use crate::rule::subject::Fact;
use crate::value::{Data, Kind, Reason, Tri, Value};
use std::borrow::Cow;

const SEVERAL: &str = "it depends on a value with several possibilities";

/// Follows a path.
pub(super) fn read<'m>(path: &Path, env: &Env<'_, 'm>) -> Fact<'m> {
    let mut steps = path.steps.iter();
    let mut fact = match path.root {
        Root::Subject => match steps.next() {
            Some(Step::Field(index)) => env.subject.get(*index),
            // The row itself: only its presence, its place and its name matter.
            _ => Fact::Loc(env.subject.loc()),
        },
        Root::Element(slot) => env.elements.get(slot).cloned().unwrap_or(Fact::Absent),
        Root::Option(index) => env.options.get(index).cloned().map_or(Fact::Absent, Fact::from),
    };
    for step in steps {
        fact = match step {
            Step::Field(index) => match fact {
                Fact::Node(row) => row.get(*index),
                Fact::Unknown(reason) => Fact::Unknown(reason),
                _ => Fact::Absent,
            },
            Step::Key(key) => member(fact, key),
            Step::Index(index) => nth(fact, *index),
        };
    }
    fact
}

fn member<'m>(fact: Fact<'m>, key: &str) -> Fact<'m> {
    match fact {
        Fact::Value(Cow::Borrowed(value)) => match &value.kind {
            Kind::Known(Data::Map(map)) => match (map.get(key), &map.open) {
                (Some(member), _) => Fact::Value(Cow::Borrowed(member)),
                (None, Some(reason)) => Fact::Unknown(reason.clone()),
                (None, None) => Fact::Absent,
            },
            _ => value.get(key).into(),
        },
        Fact::Value(Cow::Owned(value)) => value.get(key).into(),
        Fact::Unknown(reason) => Fact::Unknown(reason),
        _ => Fact::Absent,
    }
}

fn nth(fact: Fact<'_>, index: i64) -> Fact<'_> {
    match members(fact) {
        Members::Known(items, open) => {
            let found = usize::try_from(index).ok().and_then(|index| items.into_iter().nth(index));
            found.unwrap_or_else(|| open.map_or(Fact::Absent, Fact::Unknown))
        }
        Members::Absent => Fact::Absent,
        Members::Unknown(reason) => Fact::Unknown(reason),
    }
}

/// The members of a list, and why there may be more.
pub(in crate::rule) enum Members<'m> {
    /// These.
    Known(Vec<Fact<'m>>, Option<Reason>),
    /// No list.
    Absent,
    /// Not to be told.
    Unknown(Reason),
}

/// The members of a list, the keys of a map.
pub(in crate::rule) fn members(fact: Fact<'_>) -> Members<'_> {
    let value = match fact {
        Fact::List(items, open) => return Members::Known(items, open),
        Fact::Unknown(reason) => return Members::Unknown(reason),
        Fact::Value(value) => value,
        _ => return Members::Absent,
    };
    match &value.kind {
        Kind::Known(Data::List(list)) => {
            let items = match &value {
                Cow::Borrowed(Value { kind: Kind::Known(Data::List(list)), .. }) => {
                    list.items.iter().map(Fact::from).collect()
                }
                _ => list.items.iter().cloned().map(Fact::from).collect(),
            };
            Members::Known(items, list.open.clone())
        }
        Kind::Known(Data::Map(map)) => {
            Members::Known(map.entries.iter().map(|(key, _)| key.clone().into()).collect(), map.open.clone())
        }
        Kind::Unknown(reason) => Members::Unknown(reason.clone()),
        Kind::OneOf(_) => Members::Unknown(SEVERAL.into()),
        Kind::Known(_) | Kind::Absent | Kind::Text(_) => Members::Absent,
    }
}

/// A number that is known, or known from below (the size of an open list).
enum Number {
    Exactly(f64),
    AtLeast(f64, Reason),
    Absent,
    Unknown(Reason),
}

impl Expr {
    /// Whether it holds.
    pub(super) fn test(&self, env: &mut Env<'_, '_>) -> Tri {
        match self {
            Self::Literal(value) => (*value).into(),
            Self::Path(path) => holds(&path.read(env)),
            Self::Not(inner) => !inner.test(env),
            Self::And(parts) => parts.iter().fold(Tri::True, |all, part| all.and(|| part.test(env))),
            Self::Or(parts) => parts.iter().fold(Tri::False, |any, part| any.or(|| part.test(env))),
            Self::Compare(Comparison::Equal, left, right) => equal(left, right, env),
            Self::Compare(Comparison::NotEqual, left, right) => !equal(left, right, env),
            Self::Compare(operator, left, right) => ordered(*operator, &number(left, env), &number(right, env)),
            Self::In(item, list) => is_member(item, list, env),
            Self::Has(path) => has(&path.read(env)),
            Self::Text(test, path, argument) => on_text(*test, &path.read(env), argument, env),
            Self::Matches(path, pattern) => match (pattern.regex(), path.read(env)) {
                (Some(regex), Fact::Str(text)) => regex.is_match(&text).into(),
                (Some(regex), Fact::Value(value)) => value.matches(regex),
                (_, Fact::Unknown(reason)) => Tri::Unknown(reason),
                _ => Tri::False,
            },
            Self::Quantified(quantifier, path, body) => quantified(*quantifier, path.read(env), body, env),
        }
    }
}

fn holds(fact: &Fact<'_>) -> Tri {
    match fact {
        Fact::Bool(value) => (*value).into(),
        Fact::Value(value) => value.equals(&Data::Bool(true)),
        Fact::Unknown(reason) => Tri::Unknown(reason.clone()),
        _ => Tri::False,
    }
}

fn has(fact: &Fact<'_>) -> Tri {
    match fact {
        Fact::Absent => Tri::False,
        Fact::Value(value) => value.has(),
        Fact::Unknown(reason) => Tri::Unknown(reason.clone()),
        // A list of the model is never "given": it has members or it has none.
        Fact::List(items, open) => match open {
            Some(reason) if items.is_empty() => Tri::Unknown(reason.clone()),
            _ => (!items.is_empty()).into(),
        },
        Fact::Bool(_) | Fact::Int(_) | Fact::Str(_) | Fact::Node(_) | Fact::Loc(_) => Tri::True,
    }
}

fn fact<'m>(operand: &Operand, env: &Env<'_, 'm>) -> Fact<'m> {
    match operand {
        Operand::Path(path) => path.read(env),
        Operand::Data(data) => Fact::from(Value::known(data.clone())),
        Operand::Size(_) => match number(operand, env) {
            Number::Exactly(size) => Fact::from(Value::known(size)),
            Number::AtLeast(_, reason) | Number::Unknown(reason) => Fact::Unknown(reason),
            Number::Absent => Fact::Absent,
        },
        Operand::Null | Operand::List(_) => Fact::Absent,
    }
}

fn equal(left: &Operand, right: &Operand, env: &Env<'_, '_>) -> Tri {
    match (left, right) {
        (Operand::Null, Operand::Null) => Tri::True,
        (Operand::Null, other) | (other, Operand::Null) => !has(&fact(other, env)),
        (Operand::Data(data), other) | (other, Operand::Data(data)) => match other {
            Operand::Size(_) => ordered(Comparison::Equal, &number(left, env), &number(right, env)),
            _ => equals_data(&fact(other, env), data),
        },
        _ => same(&fact(left, env), &fact(right, env)),
    }
}

/// Whether a fact equals a constant.
#[allow(clippy::cast_precision_loss, reason = "no count of anything reaches 2^53")]
pub(in crate::rule) fn equals_data(fact: &Fact<'_>, data: &Data) -> Tri {
    match (fact, data) {
        (Fact::Str(text), Data::Str(other)) => (**text == **other).into(),
        (Fact::Str(text), _) => Value::known(&**text).equals(data),
        (Fact::Bool(value), _) => Value::known(*value).equals(data),
        (Fact::Int(value), _) => Value::known(*value as f64).equals(data),
        (Fact::Value(value), _) => value.equals(data),
        (Fact::Unknown(reason), _) => Tri::Unknown(reason.clone()),
        (Fact::Absent | Fact::List(..) | Fact::Node(_) | Fact::Loc(_), _) => Tri::False,
    }
}

/// The data of a fact that is exactly known.
#[allow(clippy::cast_precision_loss, reason = "no count of anything reaches 2^53")]
fn data(fact: &Fact<'_>) -> Option<Data> {
    match fact {
        Fact::Bool(value) => Some(Data::Bool(*value)),
        Fact::Int(value) => Some(Data::Number(*value as f64)),
        Fact::Str(text) => Some(Data::from(&**text)),
        Fact::Value(value) => value.data().cloned(),
        _ => None,
    }
}

fn same<'m>(a: &Fact<'m>, b: &Fact<'m>) -> Tri {
    if has(a).is_false() || has(b).is_false() {
        return Tri::False;
    }
    if let (Fact::Node(a), Fact::Node(b)) = (a, b) {
        return (a.loc() == b.loc() && a.identity() == b.identity()).into();
    }
    // The judged row stands as its place.
    if let (Fact::Node(row), Fact::Loc(loc)) | (Fact::Loc(loc), Fact::Node(row)) = (a, b) {
        return (row.loc() == *loc).into();
    }
    match (data(a), data(b)) {
        (_, Some(data)) => equals_data(a, &data),
        (Some(data), None) => equals_data(b, &data),
        (None, None) => Tri::Unknown(reason(a).or_else(|| reason(b)).unwrap_or_else(|| SEVERAL.into())),
    }
}

/// Why a fact is not exactly known.
fn reason(fact: &Fact<'_>) -> Option<Reason> {
    match fact {
        Fact::Unknown(reason) => Some(reason.clone()),
        Fact::Value(value) => value.reason(),
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "no count of anything reaches 2^53")]
fn number(operand: &Operand, env: &Env<'_, '_>) -> Number {
    let path = match operand {
        Operand::Data(Data::Number(value)) => return Number::Exactly(*value),
        Operand::Path(path) => {
            let fact = path.read(env);
            return match (&fact, reason(&fact)) {
                (Fact::Int(value), _) => Number::Exactly(*value as f64),
                (_, Some(reason)) => Number::Unknown(reason),
                (Fact::Value(value), None) => value.as_number().map_or(Number::Absent, Number::Exactly),
                _ => Number::Absent,
            };
        }
        Operand::Size(path) => path,
        Operand::Data(_) | Operand::Null | Operand::List(_) => return Number::Absent,
    };
    let fact = path.read(env);
    let text = match &fact {
        Fact::Str(text) => Some(text.chars().count()),
        Fact::Value(value) => value.as_str().map(|text| text.chars().count()),
        _ => None,
    };
    if let Some(length) = text {
        return Number::Exactly(length as f64);
    }
    if let Fact::Value(value) = &fact
        && let Some(reason) = value.reason()
    {
        return Number::Unknown(reason);
    }
    match members(fact) {
        Members::Known(items, None) => Number::Exactly(items.len() as f64),
        Members::Known(items, Some(reason)) => Number::AtLeast(items.len() as f64, reason),
        Members::Absent => Number::Absent,
        Members::Unknown(reason) => Number::Unknown(reason),
    }
}

#[allow(clippy::float_cmp, reason = "both sides are written numbers or counts")]
fn ordered(operator: Comparison, left: &Number, right: &Number) -> Tri {
    use Comparison::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    let flipped = match operator {
        Less => Greater,
        LessEqual => GreaterEqual,
        Greater => Less,
        GreaterEqual => LessEqual,
        same => same,
    };
    match (left, right) {
        (Number::Absent, _) | (_, Number::Absent) => Tri::False,
        (Number::Unknown(reason), _)
        | (_, Number::Unknown(reason))
        | (Number::AtLeast(_, reason), Number::AtLeast(..)) => Tri::Unknown(reason.clone()),
        (Number::Exactly(a), Number::Exactly(b)) => Tri::from(match operator {
            Equal => a == b,
            NotEqual => a != b,
            Less => a < b,
            LessEqual => a <= b,
            Greater => a > b,
            GreaterEqual => a >= b,
        }),
        (Number::AtLeast(least, reason), Number::Exactly(b)) => match operator {
            Greater | NotEqual if least > b => Tri::True,
            GreaterEqual if least >= b => Tri::True,
            Less if least >= b => Tri::False,
            LessEqual | Equal if least > b => Tri::False,
            _ => Tri::Unknown(reason.clone()),
        },
        (Number::Exactly(_), Number::AtLeast(..)) => ordered(flipped, right, left),
    }
}

fn is_member(item: &Operand, list: &Operand, env: &mut Env<'_, '_>) -> Tri {
    let item = fact(item, env);
    if let Operand::List(items) = list {
        return items.iter().fold(Tri::False, |found, data| found.or(|| equals_data(&item, data)));
    }
    match members(fact(list, env)) {
        _ if has(&item).is_false() => Tri::False,
        Members::Known(items, open) => {
            let found = items.iter().fold(Tri::False, |found, member| found.or(|| same(&item, member)));
            open.map_or(found.clone(), |reason| found.or(|| Tri::Unknown(reason)))
        }
        Members::Absent => Tri::False,
        Members::Unknown(reason) => Tri::Unknown(reason),
    }
}

fn on_text(kind: TextTest, receiver: &Fact<'_>, argument: &Operand, env: &Env<'_, '_>) -> Tri {
    let owned;
    let wanted: &str = if let Operand::Data(Data::Str(text)) = argument {
        text
    } else {
        let fact = fact(argument, env);
        match (data(&fact).as_ref().and_then(Data::scalar), reason(&fact)) {
            (Some(text), _) => {
                owned = text;
                &owned
            }
            (None, Some(reason)) => return Tri::Unknown(reason),
            (None, None) => return Tri::False,
        }
    };
    match (receiver, kind) {
        (Fact::Str(text), TextTest::StartsWith) => text.starts_with(wanted).into(),
        (Fact::Str(text), TextTest::EndsWith) => text.ends_with(wanted).into(),
        (Fact::Str(text), TextTest::Contains) => text.contains(wanted).into(),
        (Fact::Value(value), TextTest::StartsWith) => value.starts_with(wanted),
        (Fact::Value(value), TextTest::EndsWith) => value.ends_with(wanted),
        (Fact::Value(value), TextTest::Contains) => value.contains(wanted),
        (Fact::List(items, open), TextTest::Contains) => {
            let data = Data::from(wanted);
            let found = items.iter().fold(Tri::False, |found, item| found.or(|| equals_data(item, &data)));
            open.clone().map_or(found.clone(), |reason| found.or(|| Tri::Unknown(reason)))
        }
        (Fact::Unknown(reason), _) => Tri::Unknown(reason.clone()),
        _ => Tri::False,
    }
}

fn quantified<'m>(quantifier: Quantifier, list: Fact<'m>, body: &Expr, env: &mut Env<'_, 'm>) -> Tri {
    let (items, open) = match members(list) {
        Members::Known(items, open) => (items, open),
        Members::Absent => return Tri::False,
        Members::Unknown(reason) => return Tri::Unknown(reason),
    };
    let all = quantifier == Quantifier::All;
    let mut result = Tri::from(all);
    for item in items {
        if env.steps == 0 {
            return Tri::Unknown("its lists are too long to be compared".into());
        }
        env.steps -= 1;
        env.elements.push(item);
        result = if all { result.and(|| body.test(env)) } else { result.or(|| body.test(env)) };
        env.elements.pop();
        if result == Tri::from(!all) {
            return result;
        }
    }
    match open {
        Some(reason) if result == Tri::from(all) => Tri::Unknown(reason),
        _ => result,
    }
}
