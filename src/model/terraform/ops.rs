//! Operators and strict equality.

use super::eval::{Env, Outcome, Work, lift, several};
use crate::syntax::hcl::{BinaryOp, Expr};
use crate::value::{Data, Kind, Reason, Shape, Tri, Value};

/// How many comparisons of members an equality may take (shared members make exponential trees).
const MAX_COMPARED: u32 = 10_000;
/// How deep it goes into them.
const MAX_NESTED: u32 = 100;

/// A truth value, as Terraform converts it.
pub(super) fn boolean(data: &Data) -> Result<bool, Reason> {
    match data {
        Data::Bool(value) => Ok(*value),
        Data::Str(text) if matches!(&**text, "true" | "1") => Ok(true),
        Data::Str(text) if matches!(&**text, "false" | "0") => Ok(false),
        _ => Err("a truth value is needed".into()),
    }
}

/// A number, as Terraform converts it.
pub(super) fn numeric(data: &Data) -> Result<f64, Reason> {
    match data {
        Data::Number(value) => Ok(*value),
        Data::Str(text) => parsed(text).ok_or_else(|| "a number is needed".into()),
        _ => Err("a number is needed".into()),
    }
}

/// A decimal number, without the words for what is none.
fn parsed(text: &str) -> Option<f64> {
    let decimal = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    text.parse().ok().filter(|number: &f64| decimal && number.is_finite())
}

/// Strict equality of known data; `None` when it hangs on something unknown.
pub(super) fn equal(a: &Data, b: &Data) -> Option<bool> {
    equal_within(a, b, 0, &mut MAX_COMPARED.clone())
}

fn equal_within(a: &Data, b: &Data, depth: u32, budget: &mut u32) -> Option<bool> {
    *budget = budget.checked_sub(1)?;
    if depth > MAX_NESTED {
        return None;
    }
    match (a, b) {
        (Data::List(a), Data::List(b)) if differ(a.shape, b.shape) => Some(false),
        (Data::Map(a), Data::Map(b)) if differ(a.shape, b.shape) => Some(false),
        (Data::List(a), Data::List(b)) => {
            if std::sync::Arc::ptr_eq(a, b) && a.open.is_none() && a.items.is_empty() {
                return Some(true);
            }
            if a.open.is_some() || b.open.is_some() {
                return None;
            }
            if a.items.len() != b.items.len() {
                return Some(false);
            }
            all(a.items.iter().zip(&b.items), depth, budget).filter(|equal| !equal || a.shape == b.shape)
        }
        (Data::Map(a), Data::Map(b)) => {
            if a.open.is_some() || b.open.is_some() {
                return None;
            }
            if a.entries.len() != b.entries.len() || a.entries.iter().any(|(key, _)| b.get(key).is_none()) {
                return Some(false);
            }
            let members = a.entries.iter().filter_map(|(key, value)| Some((value, b.get(key)?)));
            all(members, depth, budget).filter(|equal| !equal || a.shape == b.shape)
        }
        (Data::Null, Data::Null) => Some(true),
        (Data::Bool(a), Data::Bool(b)) => Some(a == b),
        (Data::Number(a), Data::Number(b)) => Some((a - b).abs() <= f64::EPSILON * a.abs()),
        (Data::Str(a), Data::Str(b)) => Some(a == b),
        _ => Some(false),
    }
}

/// A tuple never equals a list, nor an object a map.
fn differ(a: Shape, b: Shape) -> bool {
    a != b && a != Shape::Unsure && b != Shape::Unsure
}

fn all<'a>(pairs: impl Iterator<Item = (&'a Value, &'a Value)>, depth: u32, budget: &mut u32) -> Option<bool> {
    let mut result = Some(true);
    for (a, b) in pairs {
        let one = match (&a.kind, &b.kind) {
            (Kind::Known(a), Kind::Known(b)) => equal_within(a, b, depth + 1, budget),
            _ => None,
        };
        match one {
            Some(false) => return Some(false),
            Some(true) => {}
            None => result = None,
        }
    }
    result
}

/// `a == b`, as far as it can be told.
pub(super) fn equality(a: &Value, b: &Value) -> Tri {
    let decide = |value: &Value, data: &Data| match &value.kind {
        Kind::Known(known) => {
            equal(known, data).map_or_else(|| Tri::Unknown("a member is not known".into()), Tri::from)
        }
        Kind::OneOf(values) => {
            let results: Vec<Option<bool>> = values.iter().map(|known| equal(known, data)).collect();
            match results.first() {
                Some(Some(first)) if results.iter().all(|result| *result == Some(*first)) => (*first).into(),
                _ => Tri::Unknown(value.reason().unwrap_or_default()),
            }
        }
        Kind::Text(_) if matches!(data, Data::Null) => Tri::False,
        Kind::Text(_) => value.equals(data),
        _ => Tri::Unknown(several(value).reason().unwrap_or_default()),
    };
    match (&a.kind, &b.kind) {
        (_, Kind::Known(data)) => decide(a, data),
        (Kind::Known(data), _) => decide(b, data),
        (Kind::Unknown(reason), _) => Tri::Unknown(reason.clone()),
        (_, Kind::OneOf(values)) if values.iter().all(|data| decide(a, data).is_false()) => Tri::False,
        _ => Tri::Unknown(several(b).reason().unwrap_or_default()),
    }
}

/// A three-valued truth as a value.
pub(super) fn truth(tri: Tri) -> Value {
    match tri {
        Tri::True => Value::known(true),
        Tri::False => Value::known(false),
        Tri::Unknown(reason) => Value::unknown(reason),
    }
}

fn tri(value: &Value) -> Result<Tri, Reason> {
    Ok(match value.data() {
        Some(data) => boolean(data)?.into(),
        None if value.is_absent() => return Err("a truth value is needed".into()),
        None => Tri::Unknown(several(value).reason().unwrap_or_default()),
    })
}

/// The short decimal number that a result stands for: Terraform computes `0.1 + 0.2` with far more digits than a double has.
fn decimal(result: f64) -> f64 {
    const DIGITS: usize = 12;
    if result.fract() == 0.0 || !result.is_finite() {
        return result;
    }
    let text = format!("{result:.14e}");
    let mantissa = text.split('e').next().unwrap_or("").trim_end_matches('0');
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    if digits <= DIGITS { text.parse().unwrap_or(result) } else { result }
}

fn arithmetic(op: BinaryOp, a: f64, b: f64) -> Outcome {
    Ok(match op {
        BinaryOp::Add => Value::known(decimal(a + b)),
        BinaryOp::Sub => Value::known(decimal(a - b)),
        BinaryOp::Mul => Value::known(decimal(a * b)),
        BinaryOp::Rem if b == 0.0 => Value::known(a),
        BinaryOp::Div if a == 0.0 && b == 0.0 => return Err("zero divided by zero".into()),
        // Infinity, which hardly anything takes.
        BinaryOp::Div if b == 0.0 => Value::unknown("division by zero"),
        BinaryOp::Div => Value::known(a / b),
        BinaryOp::Rem => Value::known(decimal(a % b)),
        BinaryOp::Less => Value::known(a < b),
        BinaryOp::LessEq => Value::known(a <= b),
        BinaryOp::Greater => Value::known(a > b),
        BinaryOp::GreaterEq => Value::known(a >= b),
        BinaryOp::Or | BinaryOp::And | BinaryOp::Eq | BinaryOp::NotEq => Value::unknown("it is no number"),
    })
}

impl Env<'_, '_> {
    pub(super) fn binary(&self, op: BinaryOp, [left, right]: &[Expr; 2], work: &mut Work) -> Outcome {
        let a = self.eval(left, work)?;
        match op {
            BinaryOp::And | BinaryOp::Or => {
                let first = tri(&a)?;
                let decided = if op == BinaryOp::And { Tri::False } else { Tri::True };
                if first == decided {
                    // The other side must be a truth value all the same; what is wrong inside it does not matter, as in
                    // later versions.
                    return match self.eval(right, work) {
                        Ok(b) if matches!(&b.kind, Kind::Known(data) if boolean(data).is_err()) => {
                            Err("a truth value is needed".into())
                        }
                        _ => Ok(truth(first)),
                    };
                }
                let second = match self.eval(right, work).and_then(|b| tri(&b)) {
                    Ok(second) => second,
                    // What is refused only when the unknown side lets it be reached is not decided.
                    Err(reason) if matches!(first, Tri::Unknown(_)) => Tri::Unknown(reason),
                    Err(reason) => return Err(reason),
                };
                Ok(truth(if op == BinaryOp::And { first.and(|| second) } else { first.or(|| second) }))
            }
            BinaryOp::Eq | BinaryOp::NotEq => {
                let equal = equality(&a, &self.eval(right, work)?);
                Ok(truth(if op == BinaryOp::Eq { equal } else { !equal }))
            }
            _ => {
                let b = self.eval(right, work)?;
                if b.data().is_none() && !b.is_absent() {
                    return match a.data() {
                        Some(data) => {
                            let a = numeric(data)?;
                            lift(&b, |b| arithmetic(op, a, numeric(b)?))
                        }
                        None if matches!((&a.kind, &b.kind), (Kind::OneOf(_), Kind::OneOf(_))) => {
                            lift(&a, |a| lift(&b, |b| arithmetic(op, numeric(a)?, numeric(b)?)))
                        }
                        None => Ok(several(&b)),
                    };
                }
                lift(&a, |a| arithmetic(op, numeric(a)?, numeric(b.data().ok_or("a number is needed")?)?))
            }
        }
    }
}
