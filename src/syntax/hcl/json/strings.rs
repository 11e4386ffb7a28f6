//! Strings of the JSON syntax: templates and references, with spans in the JSON text.

use super::super::check::{self, Fault};
use super::super::template::{self, Place};
use super::super::{Expr, ExprKind, Part, parse_expr};
use crate::syntax::SyntaxError;
use crate::text::Span;
use std::cell::RefCell;

/// The strings of a JSON text.
pub(super) struct Strings<'a> {
    text: &'a str,
    /// What is wrong in the templates that were read.
    errors: RefCell<Vec<SyntaxError>>,
}

/// A string as it comes out, and for each of its bytes the offset in the file; none where they follow one another.
struct Decoded {
    text: String,
    offsets: Option<Vec<u32>>,
}

impl<'a> Strings<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, errors: RefCell::new(Vec::new()) }
    }

    pub(super) fn into_errors(self) -> Vec<SyntaxError> {
        self.errors.into_inner()
    }

    /// The text of a string, as it is.
    pub(super) fn plain(&self, span: Span) -> Box<str> {
        let inner = self.inner(span).slice(self.text);
        if inner.contains('\\') { decode(inner, 0).text.into() } else { inner.into() }
    }

    fn inner(&self, span: Span) -> Span {
        let closed = span.len() > 1 && span.slice(self.text).ends_with('"');
        Span::new(span.start as usize + 1, if closed { span.end as usize - 1 } else { span.end as usize })
    }

    fn decoded(&self, span: Span) -> Decoded {
        let inner = self.inner(span);
        let raw = inner.slice(self.text);
        if raw.contains('\\') { decode(raw, inner.start) } else { Decoded { text: raw.to_owned(), offsets: None } }
    }

    /// A string as a template.
    pub(super) fn template(&self, span: Span) -> Expr {
        let raw = span.slice(self.text);
        if !raw.contains("${") && !raw.contains("%{") {
            return Expr { kind: ExprKind::Str(self.plain(span)), span };
        }
        let decoded = self.decoded(span);
        let base = if decoded.offsets.is_some() { 0 } else { i64::from(span.start) + 1 };
        let place = Place { text: &decoded.text, base };
        if let Err(Fault::Refused(at, message)) = check::template(&decoded.text) {
            let mut fault = place.span(at, decoded.text.len());
            if let Some(offsets) = &decoded.offsets {
                move_span(&mut fault, offsets);
            }
            self.errors.borrow_mut().push(SyntaxError { span: fault, message: message.into() });
        }
        let mut tokens = template::read(place, 0, decoded.text.len(), false);
        template::strip(&mut tokens);
        let mut parts = template::assemble(tokens);
        if let Some(offsets) = &decoded.offsets {
            move_parts(&mut parts, offsets);
        }
        Expr { kind: template::finish(parts, false), span }
    }

    /// A string that is an expression; one that is none stays a string.
    pub(super) fn reference(&self, span: Span) -> Expr {
        let decoded = self.decoded(span);
        if decoded.text.contains("${") {
            return self.template(span);
        }
        let start = if decoded.offsets.is_some() { 0 } else { span.start + 1 };
        match parse_expr(&decoded.text, start) {
            Ok(mut expr) => {
                if let Some(offsets) = &decoded.offsets {
                    move_expr(&mut expr, offsets);
                }
                expr
            }
            Err(_) => Expr { kind: ExprKind::Str(decoded.text.into()), span },
        }
    }
}

/// Resolves the escapes of a string whose inside starts at an offset of the file.
fn decode(raw: &str, start: u32) -> Decoded {
    let mut text = String::with_capacity(raw.len());
    let mut offsets = Vec::with_capacity(raw.len() + 1);
    let mut rest = raw;
    while let Some(first) = rest.chars().next() {
        let (character, length) = if first == '\\' { escape(rest) } else { (first, first.len_utf8()) };
        let at = start + Span::new(raw.len() - rest.len(), 0).start;
        let exact = character.len_utf8() == length;
        for byte in 0..character.len_utf8() {
            offsets.push(if exact { at + Span::new(byte, 0).start } else { at });
        }
        text.push(character);
        rest = rest.get(length..).unwrap_or("");
    }
    offsets.push(start + Span::new(raw.len(), 0).start);
    Decoded { text, offsets: Some(offsets) }
}

/// The character that an escape at the start of a text stands for, and the length of the escape.
fn escape(text: &str) -> (char, usize) {
    let unit = |at: usize| text.get(at..at + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let character = match text.as_bytes().get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => {
            let Some(high) = unit(2) else { return ('\u{FFFD}', 2) };
            if (0xD800..0xDC00).contains(&high)
                && text.get(6..8) == Some("\\u")
                && let Some(low @ 0xDC00..0xE000) = unit(8)
            {
                return (char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)).unwrap_or('\u{FFFD}'), 12);
            }
            return (char::from_u32(high).unwrap_or('\u{FFFD}'), 6);
        }
        _ => {
            let literal = text.chars().nth(1).unwrap_or('\\');
            return (literal, 1 + if text.len() > 1 { literal.len_utf8() } else { 0 });
        }
    };
    (character, 2)
}

fn move_span(span: &mut Span, offsets: &[u32]) {
    let to = |at: u32| offsets.get(at as usize).or(offsets.last()).copied().unwrap_or(at);
    *span = Span { start: to(span.start), end: to(span.end).max(to(span.start)) };
}

fn move_parts(parts: &mut [Part], offsets: &[u32]) {
    for part in parts {
        move_part(part, offsets);
    }
}

fn move_all(exprs: &mut [Expr], offsets: &[u32]) {
    for expr in exprs {
        move_expr(expr, offsets);
    }
}

fn move_part(part: &mut Part, offsets: &[u32]) {
    match part {
        Part::Lit(_, span) => move_span(span, offsets),
        Part::Interp(expr) => move_expr(expr, offsets),
        Part::If(condition, then, other) => {
            move_expr(condition, offsets);
            move_parts(then, offsets);
            move_parts(other, offsets);
        }
        Part::For(_, _, collection, body) => {
            move_expr(collection, offsets);
            move_parts(body, offsets);
        }
    }
}

fn move_expr(expr: &mut Expr, offsets: &[u32]) {
    move_span(&mut expr.span, offsets);
    match &mut expr.kind {
        ExprKind::Template(parts) => move_parts(parts, offsets),
        ExprKind::List(items) | ExprKind::Call { args: items, .. } => move_all(items, offsets),
        ExprKind::Object(members) => {
            for (key, value) in members {
                move_expr(&mut key.expr, offsets);
                move_expr(value, offsets);
            }
        }
        ExprKind::Get(base, _) | ExprKind::Not(base) | ExprKind::Minus(base) => move_expr(base, offsets),
        ExprKind::Index(base, other) | ExprKind::Splat(base, other) => {
            move_expr(base, offsets);
            move_expr(other, offsets);
        }
        ExprKind::Cond(parts) => move_all(&mut parts[..], offsets),
        ExprKind::Binary(_, parts) => move_all(&mut parts[..], offsets),
        ExprKind::For(walk) => {
            let optional = walk.result_key.iter_mut().chain(&mut walk.condition);
            for part in optional.chain([&mut walk.collection, &mut walk.result]) {
                move_expr(part, offsets);
            }
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
