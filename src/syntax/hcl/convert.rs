//! The tree of `hcl-edit` to ours.

use super::template::{self, Flat, Place, Token, opaque};
use super::{Attribute, BinaryOp, Block, Body, Expr, ExprKind, For, Key, MAX_DEPTH, Part, TOO_DEEP};
use crate::text::Span;
use hcl_edit::expr::{Expression, FuncCall, Object, ObjectKey, Traversal, TraversalOperator, UnaryOperator};
use hcl_edit::structure::{self, BlockLabel, Structure};
use hcl_edit::template::{Directive, Element, HeredocTemplate, Template};
use hcl_edit::{Ident, Span as _};
use std::ops::Range;

/// Converts a body; `depth` counts the blocks around it.
pub(super) fn body(place: Place, from: &structure::Body, depth: usize) -> Body {
    let mut body = Body::default();
    for item in from {
        match item {
            Structure::Attribute(attribute) => body.attributes.push(Attribute {
                name: attribute.key.as_str().into(),
                name_span: span(place, attribute.key.span()),
                value: expr(place, &attribute.value, 0),
            }),
            Structure::Block(inner) if depth < MAX_DEPTH => body.blocks.push(block(place, inner, depth)),
            Structure::Block(_) => {}
        }
    }
    body
}

fn block(place: Place, from: &structure::Block, depth: usize) -> Block {
    let labels = from.labels.iter().map(|label| {
        let label_span = match label {
            BlockLabel::Ident(name) => name.span(),
            BlockLabel::String(text) => text.span(),
        };
        (label.as_str().into(), span(place, label_span))
    });
    let labels: Vec<(Box<str>, Span)> = labels.collect();
    let kind = span(place, from.ident.span());
    Block {
        kind: from.ident.as_str().into(),
        header: labels.last().map_or(kind, |(_, last)| kind.to(*last)),
        labels,
        span: from.span().map_or(kind, |range| place.span(range.start, range.end)),
        body: body(place, &from.body, depth + 1),
    }
}

fn span(place: Place, range: Option<Range<usize>>) -> Span {
    range.map_or_else(Span::default, |range| place.span(range.start, range.end))
}

/// Converts an expression; `depth` counts the expressions around it. Parentheses leave no trace.
pub(super) fn expr(place: Place, from: &Expression, depth: usize) -> Expr {
    let whole = span(place, from.span());
    if depth > MAX_DEPTH {
        return opaque(TOO_DEEP, whole);
    }
    let inner = |from: &Expression| expr(place, from, depth + 1);
    let kind = match from {
        Expression::Null(_) => ExprKind::Null,
        Expression::Bool(value) => ExprKind::Bool(*value.value()),
        Expression::Number(value) => value
            .value()
            .as_f64()
            .map_or_else(|| ExprKind::Opaque("a number that does not fit".into()), ExprKind::Number),
        Expression::String(value) => ExprKind::Str(value.as_str().into()),
        Expression::Array(items) => ExprKind::List(items.iter().map(inner).collect()),
        Expression::Object(members) => object(place, members, from.span(), depth),
        Expression::StringTemplate(parts) => {
            let mut tokens = Vec::new();
            flatten(place, parts, true, depth, &mut tokens);
            template::strip(&mut tokens);
            template::finish(template::assemble(tokens), false)
        }
        Expression::HeredocTemplate(parts) => heredoc(place, parts, whole, depth),
        Expression::Parenthesis(parenthesis) => return inner(parenthesis.inner()),
        Expression::Variable(name) => ExprKind::Name(name.as_str().into()),
        Expression::Conditional(cond) => {
            ExprKind::Cond(Box::new([inner(&cond.cond_expr), inner(&cond.true_expr), inner(&cond.false_expr)]))
        }
        Expression::FuncCall(call) => function(place, call, depth),
        Expression::Traversal(traversal) => return access(place, traversal, whole, depth),
        Expression::UnaryOp(operation) => {
            let operand = Box::new(inner(&operation.expr));
            match operation.operator.value() {
                UnaryOperator::Not => ExprKind::Not(operand),
                UnaryOperator::Neg => ExprKind::Minus(operand),
            }
        }
        Expression::BinaryOp(operation) => ExprKind::Binary(
            operator(*operation.operator.value()),
            Box::new([inner(&operation.lhs_expr), inner(&operation.rhs_expr)]),
        ),
        Expression::ForExpr(walk) => ExprKind::For(Box::new(For {
            key: walk.intro.key_var.as_ref().map(|name| name.as_str().into()),
            value: walk.intro.value_var.as_str().into(),
            collection: inner(&walk.intro.collection_expr),
            result_key: walk.key_expr.as_ref().map(inner),
            result: inner(&walk.value_expr),
            group: walk.grouping,
            condition: walk.cond.as_ref().map(|condition| inner(&condition.expr)),
        })),
    };
    Expr { kind, span: whole }
}

fn operator(from: hcl_edit::expr::BinaryOperator) -> BinaryOp {
    use hcl_edit::expr::BinaryOperator as From;
    match from {
        From::Eq => BinaryOp::Eq,
        From::NotEq => BinaryOp::NotEq,
        From::LessEq => BinaryOp::LessEq,
        From::GreaterEq => BinaryOp::GreaterEq,
        From::Less => BinaryOp::Less,
        From::Greater => BinaryOp::Greater,
        From::Plus => BinaryOp::Add,
        From::Minus => BinaryOp::Sub,
        From::Mul => BinaryOp::Mul,
        From::Div => BinaryOp::Div,
        From::Mod => BinaryOp::Rem,
        From::And => BinaryOp::And,
        From::Or => BinaryOp::Or,
    }
}

fn function(place: Place, call: &FuncCall, depth: usize) -> ExprKind {
    let mut name = String::new();
    for part in &call.name.namespace {
        name.push_str(part.as_str());
        name.push_str("::");
    }
    name.push_str(call.name.name.as_str());
    let args = call.args.iter().map(|arg| expr(place, arg, depth + 1)).collect();
    ExprKind::Call { name: name.into(), args, expand: call.args.expand_final() }
}

fn object(place: Place, from: &Object, range: Option<Range<usize>>, depth: usize) -> ExprKind {
    let mut members = Vec::with_capacity(from.len());
    // The parser keeps no span of a key that is a bare word: it stands after the member before.
    let mut at = range.map_or(0, |range| range.start + 1);
    for (key, value) in from {
        let key = match key {
            ObjectKey::Ident(name) => {
                let start = skip_trivia(place.text, at);
                let span = place.span(start, start + name.as_str().len());
                Expr { kind: ExprKind::Str(name.as_str().into()), span }
            }
            // The bare word is a name here.
            ObjectKey::Expression(key @ Expression::Null(_)) => {
                Expr { kind: ExprKind::Str("null".into()), span: span(place, key.span()) }
            }
            ObjectKey::Expression(key) => expr(place, key, depth + 1),
        };
        let value = value.expr();
        at = value.span().map_or(at, |range| range.end);
        members.push((Key { expr: key }, expr(place, value, depth + 1)));
    }
    ExprKind::Object(members)
}

/// The first offset from `at` on that is no white space, comma or comment.
fn skip_trivia(text: &str, mut at: usize) -> usize {
    loop {
        let rest = text.get(at..).unwrap_or("");
        let trimmed = rest.trim_start_matches(|character: char| character.is_whitespace() || character == ',');
        at += rest.len() - trimmed.len();
        let length = if trimmed.starts_with('#') || trimmed.starts_with("//") {
            memchr::memchr(b'\n', trimmed.as_bytes()).unwrap_or(trimmed.len())
        } else if trimmed.starts_with("/*") {
            trimmed.find("*/").map_or(trimmed.len(), |end| end + 2)
        } else {
            return at;
        };
        at += length;
    }
}

/// One step of a traversal.
enum Step {
    Get(Box<str>),
    Index(Expr),
    /// `[*]`, or `.*` (false).
    Splat(bool),
}

/// Applies steps, each with the offset in the file where it ends.
fn steps(mut base: Expr, steps: Vec<(Step, u32)>) -> Expr {
    let start = base.span.start;
    // What a splat walks, while the steps after it build on its member.
    let mut walked: Vec<(Expr, bool)> = Vec::new();
    for (step, end) in steps {
        let end = end.max(base.span.end);
        let span = Span { start: base.span.start.min(end), end };
        // After `.*` an index is one into the result.
        if let (Step::Index(_) | Step::Splat(_), Some((_, false))) = (&step, walked.last()) {
            base = close_splats(base, &mut walked, start);
        }
        base = match step {
            Step::Get(name) | Step::Index(Expr { kind: ExprKind::Str(name), .. }) => {
                Expr { kind: ExprKind::Get(Box::new(base), name), span }
            }
            Step::Index(index) => Expr { kind: ExprKind::Index(Box::new(base), Box::new(index)), span },
            Step::Splat(full) => {
                walked.push((base, full));
                Expr { kind: ExprKind::Each, span }
            }
        };
    }
    close_splats(base, &mut walked, start)
}

fn close_splats(mut base: Expr, walked: &mut Vec<(Expr, bool)>, start: u32) -> Expr {
    while let Some((collection, _)) = walked.pop() {
        let span = Span { start, end: base.span.end };
        base = Expr { kind: ExprKind::Splat(Box::new(collection), Box::new(base)), span };
    }
    base
}

fn access(place: Place, traversal: &Traversal, whole: Span, depth: usize) -> Expr {
    let depth = depth + traversal.operators.len();
    if depth > MAX_DEPTH {
        return opaque(TOO_DEEP, whole);
    }
    let base = expr(place, &traversal.expr, depth);
    let taken = traversal.operators.iter().map(|operator| {
        let end = operator.span().map_or(whole, |range| place.span(range.start, range.end)).end;
        let step = match operator.value() {
            TraversalOperator::AttrSplat(_) => Step::Splat(false),
            TraversalOperator::FullSplat(_) => Step::Splat(true),
            TraversalOperator::GetAttr(name) => Step::Get(Ident::as_str(name).into()),
            TraversalOperator::Index(index) => Step::Index(expr(place, index, depth + 1)),
            TraversalOperator::LegacyIndex(index) => {
                let number = u32::try_from(*index.value()).map_or(f64::MAX, f64::from);
                Step::Index(Expr { kind: ExprKind::Number(number), span: span(place, index.span()) })
            }
        };
        (step, end)
    });
    let taken = taken.collect();
    let mut result = steps(base, taken);
    result.span = whole;
    result
}

fn heredoc(place: Place, from: &HeredocTemplate, whole: Span, depth: usize) -> ExprKind {
    let mut tokens = Vec::new();
    flatten(place, &from.template, false, depth, &mut tokens);
    template::strip(&mut tokens);
    // `indent` is set for `<<-` when there is something to remove; the introduction itself is the surer sign.
    let start = usize::try_from(i64::from(whole.start) - place.base).unwrap_or(0);
    if place.text.get(start..).is_some_and(|text| text.starts_with("<<-")) {
        template::dedent(&mut tokens);
    }
    template::finish(template::assemble(tokens), true)
}

fn flatten(place: Place, from: &Template, quoted: bool, depth: usize, out: &mut Vec<Flat>) {
    for element in from {
        match element {
            Element::Literal(text) => {
                if let Some(range) = text.span() {
                    template::literal(place, range.start, range.end, quoted, out);
                }
            }
            Element::Interpolation(part) => {
                let token = Token::Interp(expr(place, &part.expr, depth + 1));
                out.push(Flat { token, strip: (part.strip.strip_start(), part.strip.strip_end()) });
            }
            Element::Directive(directive) => flatten_directive(place, directive, quoted, depth + 1, out),
        }
    }
}

fn flatten_directive(place: Place, from: &Directive, quoted: bool, depth: usize, out: &mut Vec<Flat>) {
    let sides = |strip: hcl_edit::template::Strip| (strip.strip_start(), strip.strip_end());
    match from {
        Directive::If(branch) => {
            let token = Token::If(expr(place, &branch.if_expr.cond_expr, depth));
            out.push(Flat { token, strip: sides(branch.if_expr.strip) });
            flatten(place, &branch.if_expr.template, quoted, depth, out);
            if let Some(other) = &branch.else_expr {
                out.push(Flat { token: Token::Else, strip: sides(other.strip) });
                flatten(place, &other.template, quoted, depth, out);
            }
            out.push(Flat { token: Token::EndIf, strip: sides(branch.endif_expr.strip) });
        }
        Directive::For(walk) => {
            let head = &walk.for_expr;
            let key = head.key_var.as_ref().map(|name| name.as_str().into());
            let token = Token::For(key, head.value_var.as_str().into(), expr(place, &head.collection_expr, depth));
            out.push(Flat { token, strip: sides(head.strip) });
            flatten(place, &head.template, quoted, depth, out);
            out.push(Flat { token: Token::EndFor, strip: sides(walk.endfor_expr.strip) });
        }
    }
}

/// The parts of a template that stands by itself.
pub(super) fn template_parts(place: Place, text: &str) -> Vec<Part> {
    let mut tokens = template::read(place, 0, text.len(), false);
    template::strip(&mut tokens);
    template::assemble(tokens)
}
