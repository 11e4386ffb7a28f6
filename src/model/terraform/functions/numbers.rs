//! Functions on numbers.

use super::{Args, Returned, Stop, closed, list};
use crate::value::{Data, Shape, Value};

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Returned> {
    Some(match name {
        "abs" => on(args, f64::abs),
        "ceil" => on(args, f64::ceil),
        "floor" => on(args, f64::floor),
        "signum" => args.whole(0).map(|number| Value::known(f64::from(i8::try_from(number.signum()).unwrap_or(0)))),
        "pow" => args.number(0).and_then(|base| finite(base.powf(args.number(1)?))),
        "log" => args.number(0).and_then(|number| finite(number.log(args.number(1)?))),
        "max" => fold(args.all(), f64::max),
        "min" => fold(args.all(), f64::min),
        "sum" => args.value(0).and_then(|value| {
            let numbers = list(value)?;
            closed(numbers.open.as_ref())?;
            fold(&numbers.items, |a, b| a + b)
        }),
        "parseint" => parseint(args),
        "range" => range(args),
        _ => return None,
    })
}

fn on(args: &Args<'_>, apply: impl Fn(f64) -> f64) -> Returned {
    args.number(0).map(|number| Value::known(apply(number)))
}

fn fold(values: &[Value], apply: impl Fn(f64, f64) -> f64) -> Returned {
    let mut result: Option<f64> = None;
    let numbers = Args::new(values);
    for index in 0..numbers.len() {
        let number = numbers.number(index)?;
        result = Some(result.map_or(number, |before| apply(before, number)));
    }
    result.map(Value::known).ok_or(Stop::Error("at least one number is needed".into()))
}

fn range(args: &Args<'_>) -> Returned {
    let (start, end) = if args.len() == 1 { (0.0, args.number(0)?) } else { (args.number(0)?, args.number(1)?) };
    let step = match args.len() {
        3 => args.number(2)?,
        _ if start > end => -1.0,
        _ => 1.0,
    };
    let away = step > 0.0 && start > end || step < 0.0 && start < end;
    if step == 0.0 || !step.is_finite() || away {
        return Err("range() needs a step".into());
    }
    let mut items = Vec::new();
    let mut at = start;
    while if step > 0.0 { at < end } else { at > end } {
        // Terraform itself refuses more.
        if items.len() >= 1024 {
            return Err("range() makes too many numbers".into());
        }
        items.push(Value::known(Data::Number(at)));
        at += step;
    }
    Ok(super::shaped(items, None, Shape::Uniform))
}

/// A number that there is.
fn finite(number: f64) -> Returned {
    if number.is_finite() { Ok(Value::known(number)) } else { Err("there is no such number".into()) }
}

/// `parseint(text, base)`; from base 37 on upper case follows lower case.
fn parseint(args: &Args<'_>) -> Returned {
    let bad = || Stop::Error("it is no number in that base".into());
    let Data::Str(text) = args.data(0)? else { return Err("parseint() needs a string".into()) };
    let base = u32::try_from(args.whole(1)?).ok().filter(|base| (2..=62).contains(base));
    let base = base.ok_or(Stop::Error("parseint() needs a base from 2 to 62".into()))?;
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || digits.len() > 256 {
        return Err(bad());
    }
    let mut number = 0.0;
    for c in digits.chars() {
        let digit = match c {
            'A'..='Z' if base > 36 => u32::from(c) - u32::from('A') + 36,
            c => c.to_digit(36).ok_or_else(bad)?,
        };
        if digit >= base {
            return Err(bad());
        }
        number = number * f64::from(base) + f64::from(digit);
    }
    Ok(Value::known(sign * number))
}
