//! Functions on numbers.

use super::{Args, Returned, Stop, closed, format, list};
use crate::value::{Data, Value};

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Returned> {
    Some(match name {
        "abs" => on(args, f64::abs),
        "ceil" => on(args, f64::ceil),
        "floor" => on(args, f64::floor),
        "signum" => on(args, |number| if number == 0.0 { 0.0 } else { number.signum() }),
        "pow" => args.number(0).and_then(|base| Ok(Value::known(base.powf(args.number(1)?)))),
        "log" => args.number(0).and_then(|number| Ok(Value::known(number.log(args.number(1)?)))),
        "max" => fold(args.all(), f64::max),
        "min" => fold(args.all(), f64::min),
        "sum" => args.value(0).and_then(|value| {
            let numbers = list(value)?;
            closed(numbers.open.as_ref())?;
            fold(&numbers.items, |a, b| a + b)
        }),
        "parseint" => format::parseint(args),
        "range" => range(args),
        _ => return None,
    })
}

fn on(args: &Args<'_>, apply: impl Fn(f64) -> f64) -> Returned {
    args.number(0).map(|number| Value::known(apply(number)))
}

fn fold(values: &[Value], apply: impl Fn(f64, f64) -> f64) -> Returned {
    let mut result: Option<f64> = None;
    let numbers = Args(values);
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
    if step == 0.0 || !step.is_finite() {
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
    Ok(super::open_list(items, None))
}
