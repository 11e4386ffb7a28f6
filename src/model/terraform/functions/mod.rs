//! Terraform's functions.

mod collections;
mod encoding;
mod files;
mod format;
mod hash;
mod maps;
mod network;
mod numbers;
mod pattern;
mod signature;
mod strings;
mod time;
mod yaml;

use super::eval::{Env, Outcome, Work, lift, several};
use super::ops;
use super::types::{self, Ty};
use crate::syntax::hcl::{Expr, ExprKind};
use crate::value::{Data, Kind, List, Reason, Shape, Value};
use std::cell::Cell;
use std::sync::Arc;

#[cfg(test)]
pub(super) use signature::names;
pub(super) use signature::returns;

/// Why a function gives no value.
pub(super) enum Stop {
    /// An argument is not known.
    Unknown(Reason),
    /// Terraform would refuse it.
    Error(Reason),
}

impl From<&str> for Stop {
    fn from(message: &str) -> Self {
        Self::Error(message.into())
    }
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Self::Error(message.into())
    }
}

/// A value, or why there is none.
pub(super) type Returned = Result<Value, Stop>;

/// The evaluated arguments of a call, and how many members were visited to convert them.
pub(super) struct Args<'a>(&'a [Value], Cell<u32>);

impl<'a> Args<'a> {
    fn new(values: &'a [Value]) -> Self {
        Self(values, Cell::new(0))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn all(&self) -> &'a [Value] {
        self.0
    }

    fn value(&self, index: usize) -> Result<&'a Value, Stop> {
        self.0.get(index).ok_or(Stop::Error("an argument is missing".into()))
    }

    fn data(&self, index: usize) -> Result<&'a Data, Stop> {
        known(self.value(index)?)
    }

    fn text(&self, index: usize) -> Result<Arc<str>, Stop> {
        types::text(self.data(index)?)
    }

    fn number(&self, index: usize) -> Result<f64, Stop> {
        ops::numeric(self.data(index)?).map_err(Stop::Error)
    }

    fn whole(&self, index: usize) -> Result<i64, Stop> {
        types::whole(self.number(index)?).ok_or(Stop::Error("a whole number is needed".into()))
    }

    fn position(&self, index: usize) -> Result<usize, Stop> {
        usize::try_from(self.whole(index)?).map_err(|_| Stop::Error("a number must not be negative".into()))
    }

    fn list(&self, index: usize) -> Result<&'a List, Stop> {
        list(self.value(index)?)
    }

    /// An argument converted to a type; null stays null.
    fn converted(&self, index: usize, ty: &Ty) -> Returned {
        let (converted, visited) = types::convert_counted(self.value(index)?.clone(), ty);
        self.1.set(self.1.get().saturating_add(visited));
        converted.map_err(Stop::Error)
    }

    /// An argument converted to a list of one type, which must not be null.
    fn uniform(&self, index: usize, member: Ty) -> Result<List, Stop> {
        self.list(index)?;
        list(&self.converted(index, &Ty::List(Box::new(member)))?).cloned()
    }
}

/// Exactly known data.
fn known(value: &Value) -> Result<&Data, Stop> {
    match &value.kind {
        Kind::Known(data) => Ok(data),
        Kind::Absent => Err("an argument is null".into()),
        _ => Err(Stop::Unknown(several(value).reason().unwrap_or_default())),
    }
}

/// A list whose members may be unknown.
fn list(value: &Value) -> Result<&List, Stop> {
    match known(value)? {
        Data::List(list) => Ok(list),
        _ => Err("a list is needed".into()),
    }
}

/// Refuses a collection that may have further members.
fn closed(open: Option<&Reason>) -> Result<(), Stop> {
    open.map_or(Ok(()), |reason| Err(Stop::Unknown(reason.clone())))
}

/// A tuple that may have further members.
fn open_list(items: Vec<Value>, open: Option<Reason>) -> Value {
    shaped(items, open, Shape::Loose)
}

/// A tuple, list or set that may have further members.
fn shaped(items: Vec<Value>, open: Option<Reason>, shape: Shape) -> Value {
    if items.len() > super::eval::MAX_ITEMS {
        return Value::unknown("the list is too long");
    }
    Value::known(Data::List(Arc::new(List { items, open, shape })))
}

/// The strings of a list.
fn all_strings(list: &List) -> Result<Vec<Arc<str>>, Stop> {
    closed(list.open.as_ref())?;
    list.items.iter().map(|item| types::text(known(item)?)).collect()
}

fn text(text: &str) -> Value {
    if text.len() > super::eval::MAX_TEXT {
        return Value::unknown("the text is too long");
    }
    Value::known(&*types::normal(text))
}

impl Env<'_, '_> {
    pub(super) fn call(&self, name: &str, args: &[Expr], expand: bool, work: &mut Work) -> Outcome {
        match name {
            "try" => return self.try_each(args, work),
            "can" => {
                let [first] = args else { return Err("can() needs one argument".into()) };
                return Ok(match self.eval(first, work) {
                    Ok(value) if matches!(value.kind, Kind::Unknown(_)) => several(&value),
                    Ok(_) => Value::known(true),
                    Err(_) => Value::known(false),
                });
            }
            "templatefile" if self.closed => return Err("templatefile() cannot be called in a template".into()),
            "templatestring" if !args.first().is_some_and(is_reference) => {
                return Err("templatestring() needs a reference to its template".into());
            }
            _ => {}
        }
        if let Some(outcome) = self.terragrunt_call(name, args, work) {
            return outcome;
        }
        if let Some(returned) = self.decoded_file(name, args, work) {
            return settled(returned);
        }
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            values.push(self.eval(arg, work)?);
        }
        if expand && let Some(last) = values.pop() {
            match last.as_list() {
                Some(list) if list.open.is_none() => values.extend(list.items.iter().cloned()),
                _ => return Ok(several(&last)),
            }
        }
        self.apply(name, &values, work)
    }

    /// The first argument that Terraform would not refuse.
    fn try_each(&self, args: &[Expr], work: &mut Work) -> Outcome {
        let mut failed = Reason::from("try() needs an argument");
        for arg in args {
            match self.eval(arg, work) {
                Ok(value) => return Ok(value),
                Err(reason) => failed = reason,
            }
        }
        Err(failed)
    }

    /// Calls a function on values; once for each combination when arguments have several.
    fn apply(&self, name: &str, values: &[Value], work: &mut Work) -> Outcome {
        let uncertain: Vec<usize> = (0..values.len())
            .filter(|index| values.get(*index).is_some_and(|value| matches!(value.kind, Kind::OneOf(_))))
            .collect();
        let (1 | 2, Some(first)) = (uncertain.len(), uncertain.first().copied()) else {
            return self.apply_one(name, values, work);
        };
        let Some(value) = values.get(first) else { return Ok(Value::absent()) };
        let lifted = lift(value, |data| {
            let mut values = values.to_vec();
            if let Some(slot) = values.get_mut(first) {
                slot.kind = Kind::Known(data.clone());
            }
            self.apply(name, &values, work)
        })?;
        // Of collections, what they have in common says more than a list of them.
        let scalar = |data: &Data| !matches!(data, Data::List(_) | Data::Map(_));
        let sure = match &lifted.kind {
            Kind::Known(data) => scalar(data),
            Kind::OneOf(values) => values.iter().all(scalar),
            _ => false,
        };
        if sure || uncertain.len() == 1 { Ok(lifted) } else { self.apply_one(name, values, work) }
    }

    fn apply_one(&self, name: &str, values: &[Value], work: &mut Work) -> Outcome {
        let args = Args::new(values);
        let name = name.strip_prefix("core::").unwrap_or(name);
        if name.starts_with("provider::") {
            return Ok(Value::unknown(format!("{name}() is a function of a provider")));
        }
        if signature::takes(name, values.len()) == Some(false) {
            return Err(format!("{name}() does not take {} arguments", values.len()).into());
        }
        let returned = strings::call(name, &args)
            .or_else(|| collections::call(name, &args))
            .or_else(|| maps::call(name, &args))
            .or_else(|| numbers::call(name, &args))
            .or_else(|| encoding::call(name, &args))
            .or_else(|| hash::call(name, &args))
            .or_else(|| time::call(name, &args))
            .or_else(|| network::call(name, &args))
            .or_else(|| self.file_function(name, &args, work));
        work.charge(args.1.get());
        match returned {
            Some(returned) => settled(returned).map(|value| work.made(value)),
            None => Ok(Value::unknown(format!("{name}() is not evaluated"))),
        }
    }

    /// `yamldecode(file(…))` and `jsondecode(file(…))`: what comes out stands in that file.
    fn decoded_file(&self, name: &str, args: &[Expr], work: &mut Work) -> Option<Returned> {
        let decode = match name {
            "yamldecode" => yaml::decode,
            "jsondecode" => encoding::decode_json,
            _ => return None,
        };
        let [call @ Expr { kind: ExprKind::Call { name: inner, args, .. }, .. }] = args else { return None };
        if &**inner != "file" {
            return None;
        }
        self.note(call, work);
        let path = self.eval(args.first()?, work).ok()?;
        let (file, text) = self.ground.files.find(&self.locate(path.as_str()?)?)?;
        Some(decode(text, Some(file)))
    }
}

/// Whether an expression names something declared.
fn is_reference(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Name(_) => true,
        ExprKind::Get(inner, _) | ExprKind::Index(inner, _) => is_reference(inner),
        _ => false,
    }
}

fn settled(returned: Returned) -> Outcome {
    match returned {
        Ok(value) => Ok(value),
        Err(Stop::Unknown(reason)) => Ok(Value::unknown(reason)),
        Err(Stop::Error(reason)) => Err(reason),
    }
}
