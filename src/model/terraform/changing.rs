//! Calls that give something else at every plan, and what of a value hangs on them.

use super::Terraform;
use super::eval::Env;
use super::module::Mode;
use crate::text::Loc;
use crate::value::{Data, Kind, List, Map, Piece, Reason, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Functions whose result is another one at every plan.
const FUNCTIONS: [&str; 4] = ["timestamp", "plantimestamp", "uuid", "bcrypt"];
/// How many members of one value are looked at.
const MAX_VISITED: u32 = 20_000;
/// How deep they are looked at.
const MAX_DEPTH: u32 = 64;

/// A call of a function that gives something else at every plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changing {
    /// The function.
    pub function: &'static str,
    /// Where it is called.
    pub loc: Loc,
}

/// The calls that were evaluated. All that hangs on one of them shares its reason, so that the reason tells the call.
#[derive(Default)]
pub(super) struct Calls(Mutex<HashMap<Loc, (Reason, Changing)>>);

/// The function of that name that gives something else at every plan.
#[must_use]
pub fn changing(name: &str) -> Option<&'static str> {
    FUNCTIONS.into_iter().find(|known| *known == name)
}

impl Calls {
    fn reason(&self, call: Changing) -> Reason {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || (format!("{}() changes at every plan", call.function).into(), call);
        calls.entry(call.loc).or_insert_with(new).0.clone()
    }

    /// What was called so far.
    fn seen(&self) -> Vec<(Reason, Changing)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

impl Env<'_, '_> {
    /// What such a call comes to.
    pub(super) fn changing(&self, function: &'static str, loc: Loc) -> Value {
        // A template that is a value stands in no file.
        let placed = !self.closed || !self.at.module.files.contains(&loc.file);
        Value::unknown(if placed {
            self.ground.calls.reason(Changing { function, loc })
        } else {
            format!("{function}() changes at every plan").into()
        })
    }

    /// What others see of a resource: it may well keep what it has, and if not, that is told there. Data is read anew.
    pub(super) fn kept(&self, resource: usize, value: Value) -> Value {
        let managed = self.at.module.resources.get(resource).is_some_and(|declared| declared.mode == Mode::Managed);
        let calls = if managed { self.ground.calls.seen() } else { Vec::new() };
        if calls.is_empty() || reasons(&value, &mut |reason| call_of(&calls, reason).is_some()) {
            return value;
        }
        without(value, &calls, 0, &mut MAX_VISITED.clone())
    }
}

fn call_of(calls: &[(Reason, Changing)], reason: &Reason) -> Option<Changing> {
    calls.iter().find(|(known, _)| Arc::ptr_eq(known, reason)).map(|(_, call)| *call)
}

/// The value with reasons of the same words that tell no call.
fn without(mut value: Value, calls: &[(Reason, Changing)], depth: u32, left: &mut u32) -> Value {
    let plain = |reason: &Reason| if call_of(calls, reason).is_some() { (**reason).into() } else { reason.clone() };
    *left = left.saturating_sub(1);
    if *left == 0 || depth > MAX_DEPTH {
        return Value::unknown("it is too large to look at");
    }
    value.kind = match value.kind {
        Kind::Unknown(reason) => Kind::Unknown(plain(&reason)),
        Kind::Text(pieces) => Kind::Text(
            pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Hole(reason) => Piece::Hole(plain(reason)),
                    Piece::Lit(_) => piece.clone(),
                })
                .collect(),
        ),
        Kind::Known(Data::List(list)) => Kind::Known(Data::List(Arc::new(List {
            items: list.items.iter().map(|item| without(item.clone(), calls, depth + 1, left)).collect(),
            open: list.open.as_ref().map(plain),
            shape: list.shape,
        }))),
        Kind::Known(Data::Map(map)) => Kind::Known(Data::Map(Arc::new(Map {
            entries: map
                .entries
                .iter()
                .map(|(key, member)| (key.clone(), without(member.clone(), calls, depth + 1, left)))
                .collect(),
            open: map.open.as_ref().map(plain),
            shape: map.shape,
        }))),
        kind => kind,
    };
    value
}

/// Calls `visit` for each reason in a value, members included, until it says that this is enough; whether it never did.
fn reasons(value: &Value, visit: &mut dyn FnMut(&Reason) -> bool) -> bool {
    let mut waiting = vec![(value, 0)];
    let mut left = MAX_VISITED;
    while let Some((value, depth)) = waiting.pop() {
        left = left.saturating_sub(1);
        if left == 0 {
            break;
        }
        let mut found: Vec<&Reason> = Vec::new();
        let mut inside = |data| members(data, depth, &mut found, &mut waiting);
        match &value.kind {
            Kind::Known(data) => inside(data),
            Kind::OneOf(values) => values.iter().for_each(inside),
            Kind::Unknown(reason) => found.push(reason),
            Kind::Text(pieces) => found.extend(pieces.iter().filter_map(|piece| match piece {
                Piece::Hole(reason) => Some(reason),
                Piece::Lit(_) => None,
            })),
            Kind::Absent => {}
        }
        if found.into_iter().any(&mut *visit) {
            return false;
        }
    }
    true
}

/// What is below one level of a value, and why there may be more.
fn members<'v>(data: &'v Data, depth: u32, found: &mut Vec<&'v Reason>, waiting: &mut Vec<(&'v Value, u32)>) {
    let mut add = |open: &'v Option<Reason>, members: &mut dyn Iterator<Item = &'v Value>| {
        found.extend(open);
        waiting.extend(members.map(|member| (member, depth + 1)).filter(|_| depth < MAX_DEPTH));
    };
    match data {
        Data::List(list) => add(&list.open, &mut list.items.iter().rev()),
        Data::Map(map) => add(&map.open, &mut map.entries.iter().rev().map(|(_, member)| member)),
        _ => {}
    }
}

impl Terraform<'_> {
    /// The calls on which a value or a member of it hangs, each once, and another reason why some of it is not known.
    #[must_use]
    pub fn changing_in(&self, value: &Value) -> (Vec<Changing>, Option<Reason>) {
        let calls = self.ground.calls.seen();
        let mut found: Vec<Changing> = Vec::new();
        let mut other = None;
        reasons(value, &mut |reason| {
            match call_of(&calls, reason) {
                Some(call) if !found.contains(&call) => found.push(call),
                Some(_) => {}
                None => {
                    other.get_or_insert_with(|| reason.clone());
                }
            }
            false
        });
        (found, other)
    }
}
