//! The `type` of a variable, and what it makes of a value.

use super::eval::{Building, Env, Outcome, Work, lift};
use super::types::{self, Ty};
use crate::syntax::hcl::{Expr, ExprKind};
use crate::value::{Data, Kind, List, Map, Reason, Shape, Value};
use std::sync::Arc;

impl Env<'_, '_> {
    /// A value as the type of its variable makes it; unknown when it does not fit.
    pub(super) fn convert(&self, value: Value, ty: &Expr, work: &mut Work) -> Value {
        let (origin, via) = (value.origin, value.via.clone());
        self.fitted(value, ty, work).unwrap_or_else(|reason| Value { origin, via, ..Value::unknown(reason) })
    }

    fn fitted(&self, value: Value, ty: &Expr, work: &mut Work) -> Outcome {
        if let Err(reason) = work.enter() {
            return Ok(Value::unknown(reason));
        }
        let fitted = match &value.kind {
            Kind::Absent | Kind::Unknown(_) | Kind::Known(Data::Null) => Ok(value),
            Kind::OneOf(_) => lift(&value, |data| self.fitted(Value::known(data.clone()), ty, work))
                .map(|fitted| Value { kind: fitted.kind, ..value }),
            _ => self.fitted_one(value, ty, work),
        };
        work.leave();
        fitted
    }

    fn fitted_one(&self, value: Value, ty: &Expr, work: &mut Work) -> Outcome {
        let (name, args) = match &ty.kind {
            ExprKind::Name(name) | ExprKind::Str(name) => (name, &[][..]),
            ExprKind::Call { name, args, .. } => (name, &args[..]),
            _ => return Ok(value),
        };
        match (&**name, args.first()) {
            ("string", _) => types::convert(value, &Ty::Str),
            ("number", _) => types::convert(value, &Ty::Number),
            ("bool", _) => types::convert(value, &Ty::Bool),
            ("optional", Some(inner)) => self.fitted(value, inner, work),
            // `list` and `map` alone are the old way to say so.
            ("list", member) => {
                let list = self.fitted_list(value, member, work)?;
                uniform(list, &Ty::List(Box::new(Ty::Any)), member)
            }
            ("set", member) => {
                let list = self.fitted_list(value, member, work)?;
                uniform(list, &Ty::Set(Box::new(Ty::Any)), member)
            }
            ("map", member) => {
                let map = self.fitted_map(value, member, work)?;
                uniform(map, &Ty::Map(Box::new(Ty::Any)), member)
            }
            ("tuple", Some(Expr { kind: ExprKind::List(members), .. })) => self.fitted_tuple(value, members, work),
            ("object", Some(Expr { kind: ExprKind::Object(_), .. })) => self.fitted_object(value, args.first(), work),
            _ => Ok(value),
        }
    }

    fn fitted_list(&self, value: Value, member: Option<&Expr>, work: &mut Work) -> Outcome {
        let (Kind::Known(Data::List(list)), Some(member)) = (&value.kind, member) else { return Ok(value) };
        let items: Result<Vec<Value>, Reason> =
            list.items.iter().map(|item| self.fitted(item.clone(), member, work)).collect();
        let list = List { items: items?, open: list.open.clone(), shape: list.shape };
        Ok(Value { kind: Kind::Known(Data::List(Arc::new(list))), ..value })
    }

    fn fitted_tuple(&self, value: Value, members: &[Expr], work: &mut Work) -> Outcome {
        let Kind::Known(Data::List(list)) = &value.kind else { return Err("it is no tuple".into()) };
        if list.open.is_none() && list.items.len() != members.len() {
            return Err(format!("a tuple of {} is needed", members.len()).into());
        }
        let items = list.items.iter().zip(members);
        let items: Result<Vec<Value>, Reason> = items.map(|(item, ty)| self.fitted(item.clone(), ty, work)).collect();
        let list = List { items: items?, open: list.open.clone(), shape: Shape::Loose };
        Ok(Value { kind: Kind::Known(Data::List(Arc::new(list))), ..value })
    }

    fn fitted_map(&self, value: Value, member: Option<&Expr>, work: &mut Work) -> Outcome {
        let (Kind::Known(Data::Map(map)), Some(member)) = (&value.kind, member) else { return Ok(value) };
        let entries: Result<Vec<_>, Reason> =
            map.entries.iter().map(|(key, item)| Ok((key.clone(), self.fitted(item.clone(), member, work)?))).collect();
        let map = Map { entries: entries?, open: map.open.clone(), shape: map.shape };
        Ok(Value { kind: Kind::Known(Data::Map(Arc::new(map))), ..value })
    }

    /// Only the declared members stay; optional ones that are missing get their default, or null.
    fn fitted_object(&self, value: Value, fields: Option<&Expr>, work: &mut Work) -> Outcome {
        let Some(ExprKind::Object(fields)) = fields.map(|fields| &fields.kind) else { return Ok(value) };
        let Kind::Known(Data::Map(map)) = &value.kind else { return Err("it is no object".into()) };
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
                (Some(given), _, _) => self.fitted(given.clone(), ty, work)?,
                (None, Some(reason), _) => Value::unknown(reason.clone()),
                (None, None, Some(Some(default))) => {
                    let default = self.value(default, work);
                    self.fitted(default, ty, work)?
                }
                (None, None, Some(None)) => Value::known(Data::Null),
                // One member that is missing does not make the others unknown.
                (None, None, None) => Value::unknown(format!("member `{name}` is not given")),
            };
            built.put((&**name).into(), member);
        }
        Ok(Value { kind: built.finish().kind, ..value })
    }
}

/// Members that fit their type as a collection; those of any type get the one that they have in common.
fn uniform(value: Value, ty: &Ty, member: Option<&Expr>) -> Outcome {
    let declared = member.is_some_and(|member| !matches!(&member.kind, ExprKind::Name(name) if &**name == "any"));
    let kind = match (&value.kind, ty) {
        (Kind::Known(Data::List(list)), Ty::Set(_)) if declared => types::set(list).kind,
        (Kind::Known(Data::List(list)), Ty::List(_)) if declared => {
            let list = List { shape: Shape::Uniform, ..(**list).clone() };
            Kind::Known(Data::List(Arc::new(list)))
        }
        (Kind::Known(Data::Map(map)), Ty::Map(_)) if declared => {
            Kind::Known(Data::Map(Arc::new(Map { shape: Shape::Uniform, ..(**map).clone() })))
        }
        _ => return types::convert(value, ty),
    };
    Ok(Value { kind, ..value })
}
