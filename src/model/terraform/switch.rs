//! Switches of a root: variables that are off by default and that nothing in the repository sets.

use super::eval::{Env, Work};
use super::instance::Given;
use super::role::Role;
use crate::syntax::hcl::{Expr, ExprKind, Part};
use crate::value::{Reason, Value};

/// So deep a switch is handed down through modules.
const MAX_DEPTH: usize = 8;
/// So many parts of a condition are looked at.
const MAX_PARTS: usize = 64;

/// What `switch ? a : b` would be with the switch the other way round, when the switch is a variable that whoever runs the root
/// may set and that has only its default here; with the reason why that is not certain.
pub(super) fn other_side(env: Env<'_, '_>, expr: &Expr, work: &mut Work) -> Option<(Reason, Value)> {
    let sides = conditional(expr)?;
    let [condition, yes, no] = sides;
    let name = names(condition).into_iter().find(|name| is_open(env, name, 0))?;
    let held = env.value(condition, work).as_bool()?;
    let reason = Reason::from(format!("var.{name} switches it, and nothing here sets it"));
    Some((reason, env.value(if held { no } else { yes }, work)))
}

/// `a ? b : c`, `"${a ? b : c}"` too.
fn conditional(expr: &Expr) -> Option<&[Expr; 3]> {
    match &expr.kind {
        ExprKind::Cond(sides) => Some(sides),
        ExprKind::Template(parts) => match parts.as_slice() {
            [Part::Interp(inner)] => conditional(inner),
            _ => None,
        },
        _ => None,
    }
}

/// The variables that a condition names.
fn names(condition: &Expr) -> Vec<&str> {
    let (mut open, mut found, mut seen) = (vec![condition], Vec::new(), 0);
    while let Some(expr) = open.pop() {
        seen += 1;
        if seen > MAX_PARTS {
            break;
        }
        match &expr.kind {
            ExprKind::Get(of, name) if matches!(&of.kind, ExprKind::Name(root) if &**root == "var") => {
                found.push(&**name);
            }
            ExprKind::Get(of, _) | ExprKind::Index(of, _) | ExprKind::Not(of) => open.push(of),
            ExprKind::Binary(_, sides) => open.extend(sides.iter()),
            ExprKind::Call { args, .. } => open.extend(args),
            _ => {}
        }
    }
    found
}

/// Whether the variable has nothing but its default, through the modules that hand it down.
fn is_open(env: Env<'_, '_>, name: &str, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    let Some((caller, call)) = env.at.caller() else {
        let unset = env.at.given.get(name).is_none_or(|given| matches!(given, Given::Perhaps(_)));
        return env.at.role == Role::Root && unset;
    };
    let call = caller.module.calls.get(call);
    let Some((_, attribute)) = call.and_then(|call| call.decl.attribute(name)) else { return false };
    let env = Env { at: &caller, ..env };
    names(&attribute.value).into_iter().any(|name| is_open(env, name, depth + 1))
}
