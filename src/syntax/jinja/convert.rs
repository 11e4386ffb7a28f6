//! The parser's tree to ours.

use minijinja::machinery::ast;
use minijinja::value::ValueKind;

use super::{BinaryOp, Expr, Literal};

/// Levels of an expression that are kept.
const MAX_DEPTH: usize = 100;

/// The text of an expression, and how its strings are read.
#[derive(Clone, Copy)]
pub(super) struct Source<'s> {
    pub(super) text: &'s str,
    /// Whether backslashes stand for themselves.
    pub(super) raw: bool,
}

/// Converts an expression of `source`.
pub(super) fn expr(source: Source<'_>, from: &ast::Expr<'_>, depth: usize) -> Expr {
    if depth > MAX_DEPTH {
        return too_deep(source, from);
    }
    let boxed = |from: &ast::Expr<'_>| Box::new(expr(source, from, depth + 1));
    let list = |from: &[ast::Expr<'_>]| from.iter().map(|item| expr(source, item, depth + 1)).collect::<Vec<_>>();
    match from {
        ast::Expr::Var(name) => Expr::Name(name.id.into()),
        ast::Expr::Const(constant) => {
            let span = constant.span();
            let written = source.text.get(span.start_offset as usize..span.end_offset as usize).unwrap_or("");
            literal(&constant.value, written, source.raw)
        }
        ast::Expr::Slice(slice) => {
            let bounds =
                [&slice.start, &slice.stop, &slice.step].map(|bound| bound.as_ref().map(|bound| *boxed(bound)));
            Expr::Slice(boxed(&slice.expr), Box::new(bounds))
        }
        ast::Expr::UnaryOp(unary) => match unary.op {
            ast::UnaryOpKind::Not => negate(*boxed(&unary.expr)),
            ast::UnaryOpKind::Neg => Expr::Neg(boxed(&unary.expr)),
        },
        ast::Expr::BinOp(binary) => {
            Expr::Binary(operator(binary.op), Box::new([*boxed(&binary.left), *boxed(&binary.right)]))
        }
        ast::Expr::Compare(chain) => compare(source, chain, depth),
        ast::Expr::IfExpr(cond) => Expr::Cond {
            test: boxed(&cond.test_expr),
            then: boxed(&cond.true_expr),
            otherwise: cond.false_expr.as_ref().map(boxed),
        },
        ast::Expr::Filter(filter) => {
            let of = filter.expr.as_ref().map_or_else(|| Box::new(Expr::Other("filter of nothing".into())), boxed);
            let (args, kwargs) = arguments(source, &filter.args, depth);
            Expr::Filter { of, name: filter.name.into(), args, kwargs }
        }
        ast::Expr::Test(test) => {
            let (args, kwargs) = arguments(source, &test.args, depth);
            Expr::Test { negated: false, of: boxed(&test.expr), name: test.name.into(), args, kwargs }
        }
        ast::Expr::GetAttr(attr) => Expr::Attr(boxed(&attr.expr), attr.name.into()),
        ast::Expr::GetItem(item) => Expr::Item(boxed(&item.expr), boxed(&item.subscript_expr)),
        ast::Expr::Call(call) => {
            let (args, kwargs) = arguments(source, &call.args, depth);
            Expr::Call { callee: boxed(&call.expr), args, kwargs }
        }
        ast::Expr::List(items) if source.text.as_bytes().get(items.span().start_offset as usize) == Some(&b'(') => {
            Expr::Tuple(list(&items.items))
        }
        ast::Expr::List(items) => Expr::List(list(&items.items)),
        ast::Expr::Map(map) => Expr::Map(list(&map.keys).into_iter().zip(list(&map.values)).collect()),
    }
}

/// What is left of an expression below the deepest level: a long chain's name, if it comes to that.
fn too_deep(source: Source<'_>, from: &ast::Expr<'_>) -> Expr {
    match from {
        ast::Expr::Var(_) | ast::Expr::Const(_) => expr(source, from, 0),
        _ => Expr::Other("the expression is nested too deeply".into()),
    }
}

fn negate(expr: Expr) -> Expr {
    match expr {
        Expr::Test { negated, of, name, args, kwargs } => Expr::Test { negated: !negated, of, name, args, kwargs },
        Expr::Binary(BinaryOp::In, sides) => Expr::Binary(BinaryOp::NotIn, sides),
        other => Expr::Not(Box::new(other)),
    }
}

/// `a < b < c` as `a < b and b < c`.
fn compare(source: Source<'_>, chain: &ast::Compare<'_>, depth: usize) -> Expr {
    let mut left = expr(source, &chain.expr, depth + 1);
    let mut whole: Option<Expr> = None;
    for part in chain.ops.iter().take(MAX_DEPTH - depth.min(MAX_DEPTH)) {
        let right = expr(source, &part.expr, depth + 1);
        let step = Expr::Binary(comparison(part.op), Box::new([left, right.clone()]));
        whole = Some(match whole {
            Some(whole) => Expr::Binary(BinaryOp::And, Box::new([whole, step])),
            None => step,
        });
        left = right;
    }
    whole.unwrap_or(left)
}

type Arguments = (Vec<Expr>, Vec<(Box<str>, Expr)>);

fn arguments(source: Source<'_>, from: &[ast::CallArg<'_>], depth: usize) -> Arguments {
    let (mut args, mut kwargs) = (Vec::new(), Vec::new());
    for arg in from {
        match arg {
            ast::CallArg::Pos(value) => args.push(expr(source, value, depth + 1)),
            ast::CallArg::Kwarg(name, value) => kwargs.push(((*name).into(), expr(source, value, depth + 1))),
            ast::CallArg::PosSplat(_) => args.push(Expr::Other("`*` spreads a list into arguments".into())),
            ast::CallArg::KwargSplat(_) => {
                kwargs.push(("**".into(), Expr::Other("`**` spreads a mapping into arguments".into())));
            }
        }
    }
    (args, kwargs)
}

fn operator(op: ast::BinOpKind) -> BinaryOp {
    match op {
        ast::BinOpKind::Eq => BinaryOp::Eq,
        ast::BinOpKind::Ne => BinaryOp::NotEq,
        ast::BinOpKind::Lt => BinaryOp::Less,
        ast::BinOpKind::Lte => BinaryOp::LessEq,
        ast::BinOpKind::Gt => BinaryOp::Greater,
        ast::BinOpKind::Gte => BinaryOp::GreaterEq,
        ast::BinOpKind::ScAnd => BinaryOp::And,
        ast::BinOpKind::ScOr => BinaryOp::Or,
        ast::BinOpKind::Add => BinaryOp::Add,
        ast::BinOpKind::Sub => BinaryOp::Sub,
        ast::BinOpKind::Mul => BinaryOp::Mul,
        ast::BinOpKind::Div => BinaryOp::Div,
        ast::BinOpKind::FloorDiv => BinaryOp::FloorDiv,
        ast::BinOpKind::Rem => BinaryOp::Rem,
        ast::BinOpKind::Pow => BinaryOp::Pow,
        ast::BinOpKind::Concat => BinaryOp::Concat,
        ast::BinOpKind::In => BinaryOp::In,
    }
}

fn comparison(op: ast::CompareOpKind) -> BinaryOp {
    match op {
        ast::CompareOpKind::Eq => BinaryOp::Eq,
        ast::CompareOpKind::Ne => BinaryOp::NotEq,
        ast::CompareOpKind::Lt => BinaryOp::Less,
        ast::CompareOpKind::Lte => BinaryOp::LessEq,
        ast::CompareOpKind::Gt => BinaryOp::Greater,
        ast::CompareOpKind::Gte => BinaryOp::GreaterEq,
        ast::CompareOpKind::In => BinaryOp::In,
        ast::CompareOpKind::NotIn => BinaryOp::NotIn,
    }
}

fn literal(value: &minijinja::Value, written: &str, raw: bool) -> Expr {
    Expr::Const(match value.kind() {
        ValueKind::None => Literal::Null,
        ValueKind::Bool => Literal::Bool(value.is_true()),
        ValueKind::Number if !decimal(written) => match i64::try_from(value.clone()) {
            Ok(number) => Literal::Int(number),
            Err(_) => return Expr::Other("number out of range".into()),
        },
        ValueKind::Number => match f64::try_from(value.clone()) {
            Ok(number) => Literal::Number(number),
            Err(_) => return Expr::Other("number out of range".into()),
        },
        _ => Literal::Str(strings(written, raw).into()),
    })
}

/// Whether a number is written as one that need not be whole.
fn decimal(written: &str) -> bool {
    written.contains('.') || !written.starts_with("0x") && !written.starts_with("0X") && written.contains(['e', 'E'])
}

/// The text of string literals that stand side by side.
fn strings(written: &str, raw: bool) -> String {
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(quote) = rest.trim_start().chars().next().filter(|quote| matches!(quote, '\'' | '"')) {
        let mut chars = rest.trim_start()[1..].chars();
        loop {
            match chars.next() {
                None => return text,
                Some(c) if c == quote => break,
                Some('\\') if raw => {
                    text.push('\\');
                    text.extend(chars.next());
                }
                Some('\\') => escape(&mut chars, &mut text),
                Some(c) => text.push(c),
            }
        }
        rest = chars.as_str();
    }
    text
}

/// An escape as Python reads it: one that means nothing stays as it is.
fn escape(chars: &mut std::str::Chars<'_>, text: &mut String) {
    let code = |chars: &mut std::str::Chars<'_>, length: usize, radix: u32| {
        let digits = chars.as_str().chars().take(length).take_while(|c| c.is_digit(radix)).count();
        let (digits, rest) = chars.as_str().split_at(digits);
        *chars = rest.chars();
        u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    let octal = chars.as_str().starts_with(|c: char| c.is_digit(8));
    if octal {
        return text.push(code(chars, 3, 8));
    }
    match chars.next() {
        Some('\n') => {}
        Some(c @ ('\\' | '\'' | '"')) => text.push(c),
        Some('n') => text.push('\n'),
        Some('t') => text.push('\t'),
        Some('r') => text.push('\r'),
        Some('a') => text.push('\u{7}'),
        Some('b') => text.push('\u{8}'),
        Some('f') => text.push('\u{c}'),
        Some('v') => text.push('\u{b}'),
        Some('x') => text.push(code(chars, 2, 16)),
        Some('u') => text.push(code(chars, 4, 16)),
        Some('U') => text.push(code(chars, 8, 16)),
        Some(c) => text.extend(['\\', c]),
        None => text.push('\\'),
    }
}
