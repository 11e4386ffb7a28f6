//! References as they are written: what an expression mentions, and names where Terraform wants names.

use crate::syntax::hcl::{Block, Expr, ExprKind, Part};
use crate::text::Loc;
use crate::value::Value;

/// A reference as it is written: `aws_db_instance.a`, `tags`, `all`; a list or map of such.
pub(super) fn spelled(expr: &Expr, loc: Loc, depth: usize) -> Value {
    let here = Loc { span: expr.span, ..loc };
    let value = match &expr.kind {
        _ if depth > 100 => Value::unknown("it is nested too deeply"),
        ExprKind::List(items) => Value::list(items.iter().map(|item| spelled(item, loc, depth + 1)).collect()),
        ExprKind::Object(members) => Value::map(
            members
                .iter()
                .filter_map(|(key, value)| Some((spelling(&key.expr, 0)?.into(), spelled(value, loc, depth + 1))))
                .collect(),
        ),
        _ => match spelling(expr, depth) {
            Some(text) => Value::known(&*text),
            None => Value::unknown("it is no reference"),
        },
    };
    value.at(here)
}

fn spelling(expr: &Expr, depth: usize) -> Option<String> {
    if depth > 100 {
        return None;
    }
    Some(match &expr.kind {
        ExprKind::Str(text) | ExprKind::Name(text) => text.to_string(),
        ExprKind::Get(inner, name) => {
            // `a["b"]` is longer than `a.b`.
            let dotted = (expr.span.end.saturating_sub(inner.span.end)) as usize <= name.len() + 1;
            let inner = spelling(inner, depth + 1)?;
            if dotted { format!("{inner}.{name}") } else { format!("{inner}[\"{name}\"]") }
        }
        ExprKind::Template(parts) => match parts.as_slice() {
            [Part::Interp(inner)] => spelling(inner, depth + 1)?,
            _ => return None,
        },
        ExprKind::Index(inner, key) => {
            let inner = spelling(inner, depth + 1)?;
            match &key.kind {
                ExprKind::Number(number) => format!("{inner}[{}]", crate::value::number(*number)),
                ExprKind::Str(key) => format!("{inner}[\"{key}\"]"),
                _ => format!("{inner}[…]"),
            }
        }
        _ => return None,
    })
}

/// Collects what a block and the blocks in it mention.
pub(super) fn block_mentions(block: &Block, depth: usize, found: &mut Vec<(String, String)>) {
    if depth > 32 {
        return;
    }
    block.body.attributes.iter().for_each(|attribute| mentions(&attribute.value, depth + 1, found));
    block.body.blocks.iter().for_each(|block| block_mentions(block, depth + 1, found));
}

/// Collects the resources, data sources and modules that an expression names.
pub(super) fn mentions(expr: &Expr, depth: usize, found: &mut Vec<(String, String)>) {
    if depth > 100 {
        return;
    }
    if let ExprKind::Get(inner, name) = &expr.kind {
        let pair = match &inner.kind {
            ExprKind::Name(first) => match &**first {
                "var" | "each" | "count" | "path" | "terraform" | "self" | "data" | "ephemeral" => None,
                first => Some((first.to_owned(), name.to_string())),
            },
            ExprKind::Get(mode, ty) => match &mode.kind {
                ExprKind::Name(first) if &**first == "data" => Some((format!("data.{ty}"), name.to_string())),
                _ => None,
            },
            _ => None,
        };
        if let Some(pair) = pair.filter(|pair| !found.contains(pair)) {
            found.push(pair);
        }
    }
    children(expr, &mut |child| mentions(child, depth + 1, found));
}

/// Calls `visit` for each expression directly inside.
pub(super) fn children<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e Expr)) {
    match &expr.kind {
        ExprKind::Template(parts) => part_children(parts, visit),
        ExprKind::List(items) => items.iter().for_each(visit),
        ExprKind::Call { args, .. } => args.iter().for_each(visit),
        ExprKind::Object(members) => members.iter().for_each(|(key, value)| {
            visit(&key.expr);
            visit(value);
        }),
        ExprKind::Get(inner, _) | ExprKind::Not(inner) | ExprKind::Minus(inner) => visit(inner),
        ExprKind::Index(a, b) | ExprKind::Splat(a, b) => {
            visit(a);
            visit(b);
        }
        ExprKind::Cond(parts) => parts.iter().for_each(visit),
        ExprKind::Binary(_, sides) => sides.iter().for_each(visit),
        ExprKind::For(walk) => {
            visit(&walk.collection);
            walk.result_key.iter().chain(&walk.condition).for_each(&mut *visit);
            visit(&walk.result);
        }
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Number(_)
        | ExprKind::Str(_)
        | ExprKind::Name(_)
        | ExprKind::Each
        | ExprKind::Opaque(_) => {}
    }
}

fn part_children<'e>(parts: &'e [Part], visit: &mut dyn FnMut(&'e Expr)) {
    for part in parts {
        match part {
            Part::Lit(..) => {}
            Part::Interp(expr) => visit(expr),
            Part::If(condition, yes, no) => {
                visit(condition);
                part_children(yes, visit);
                part_children(no, visit);
            }
            Part::For(_, _, collection, body) => {
                visit(collection);
                part_children(body, visit);
            }
        }
    }
}
