//! Templates: tokens to parts, with strip markers and heredoc indentation as Terraform applies them.

use super::{Expr, ExprKind, Part, check};
use crate::text::Span;

/// Directives nested deeper than this are not understood.
const MAX_DIRECTIVES: usize = 32;

/// A piece of literal text as it comes out, and where it stands.
type Piece = (String, Span);

/// A template before nesting.
pub(super) enum Token {
    /// Text, split at escapes; up to and with one line break.
    Lit(Vec<Piece>),
    Interp(Expr),
    If(Expr),
    Else,
    EndIf,
    For(Option<Box<str>>, Box<str>, Expr),
    EndFor,
}

/// A token, and whether it strips the white space before and after it.
pub(super) struct Flat {
    pub(super) token: Token,
    pub(super) strip: (bool, bool),
}

/// Where the text of a template is.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The text that spans of the parser point into.
    pub(super) text: &'a str,
    /// What to add to an offset in it to get the offset in the file.
    pub(super) base: i64,
}

impl Place<'_> {
    /// A range of the text as a span of the file.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let offset =
            |at: usize| usize::try_from(i64::try_from(at).unwrap_or(i64::MAX).saturating_add(self.base)).unwrap_or(0);
        Span::new(offset(start), offset(end))
    }
}

/// Cuts the literal text `start..end` into tokens: a line each, escapes resolved (those with a backslash only in quotes).
pub(super) fn literal(place: Place, start: usize, end: usize, quoted: bool, out: &mut Vec<Flat>) {
    let raw = place.text.get(start..end).unwrap_or("");
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(next) = memchr::memchr3(b'\n', b'\\', b'{', raw.as_bytes().get(at..).unwrap_or(&[])) {
        let here = at + next;
        at = here + 1;
        let (escape, length, text) = match raw.as_bytes()[here] {
            b'\n' => {
                push(&mut pieces, raw, from, at, place, start);
                from = at;
                out.push(Flat { token: Token::Lit(std::mem::take(&mut pieces)), strip: (false, false) });
                continue;
            }
            b'{' => match raw.get(..here) {
                Some(before) if here >= from + 2 && before.ends_with("$$") => (here - 2, 3, "${".to_owned()),
                Some(before) if here >= from + 2 && before.ends_with("%%") => (here - 2, 3, "%{".to_owned()),
                _ => continue,
            },
            _ if quoted => match unescape(raw.get(here..).unwrap_or("")) {
                Some((character, length)) => (here, length, character.to_string()),
                None => continue,
            },
            _ => continue,
        };
        push(&mut pieces, raw, from, escape, place, start);
        pieces.push((text, place.span(start + escape, start + escape + length)));
        from = escape + length;
        at = from;
    }
    push(&mut pieces, raw, from, raw.len(), place, start);
    if !pieces.is_empty() {
        out.push(Flat { token: Token::Lit(pieces), strip: (false, false) });
    }
}

fn push(pieces: &mut Vec<Piece>, raw: &str, from: usize, to: usize, place: Place, start: usize) {
    if let Some(text) = raw.get(from..to).filter(|text| !text.is_empty()) {
        pieces.push((text.to_owned(), place.span(start + from, start + to)));
    }
}

/// The character that an escape with a backslash stands for, and the length of the escape.
fn unescape(text: &str) -> Option<(char, usize)> {
    let code = |digits: usize| {
        let value = u32::from_str_radix(text.get(2..2 + digits)?, 16).ok()?;
        Some((char::from_u32(value)?, 2 + digits))
    };
    match text.as_bytes().get(1)? {
        b'n' => Some(('\n', 2)),
        b'r' => Some(('\r', 2)),
        b't' => Some(('\t', 2)),
        b'"' => Some(('"', 2)),
        b'\\' => Some(('\\', 2)),
        b'u' => code(4),
        b'U' => code(8),
        _ => None,
    }
}

/// Applies the strip markers: each takes the white space of the one token beside it, when that is text.
pub(super) fn strip(tokens: &mut [Flat]) {
    for index in 0..tokens.len() {
        let (before, after) = tokens[index].strip;
        if before
            && let Some(Flat { token: Token::Lit(pieces), .. }) = index.checked_sub(1).and_then(|at| tokens.get_mut(at))
        {
            while let Some((text, span)) = pieces.last_mut() {
                let kept = text.trim_end().len();
                let exact = span.len() == text.len();
                if kept > 0 {
                    if exact {
                        span.end -= Span::new(text.len() - kept, 0).start;
                    }
                    text.truncate(kept);
                    break;
                }
                pieces.pop();
            }
        }
        if after && let Some(Flat { token: Token::Lit(pieces), .. }) = tokens.get_mut(index + 1) {
            let blank = pieces.iter().take_while(|(text, _)| text.trim_start().is_empty()).count();
            pieces.drain(..blank);
            if let Some((text, span)) = pieces.first_mut() {
                cut_start(text, span, text.len() - text.trim_start().len());
            }
        }
    }
}

fn cut_start(text: &mut String, span: &mut Span, bytes: usize) {
    if span.len() == text.len() {
        span.start += Span::new(bytes, 0).start;
    }
    text.drain(..bytes);
}

/// Removes the indentation that all lines of a `<<-` heredoc share. A line counts when a token begins it; a line break that
/// a strip marker took away begins no line.
pub(super) fn dedent(tokens: &mut [Flat]) {
    let mut least = usize::MAX;
    let mut starts = Vec::new();
    let mut at_start = true;
    for (index, flat) in tokens.iter().enumerate() {
        let pieces: &[Piece] = if let Token::Lit(pieces) = &flat.token { pieces } else { &[] };
        let ends_line = pieces.last().is_some_and(|(text, _)| text.ends_with('\n'));
        if std::mem::take(&mut at_start) {
            let text = pieces.first().map_or("", |(text, _)| text);
            let indent = text.chars().take_while(|character| character.is_whitespace()).count();
            let blank = pieces.len() == 1 && ends_line && text.trim_start().is_empty();
            if !blank {
                least = least.min(indent);
                starts.push(index);
            }
        }
        at_start = ends_line;
    }
    for index in starts {
        if let Some(Flat { token: Token::Lit(pieces), .. }) = tokens.get_mut(index)
            && let Some((text, span)) = pieces.first_mut()
        {
            let bytes = text.chars().take(least).map(char::len_utf8).sum();
            cut_start(text, span, bytes);
        }
    }
}

enum Open {
    If(Expr, Option<Vec<Part>>),
    For(Option<Box<str>>, Box<str>, Expr),
}

/// Nests the tokens. Directives that are not closed close at the end; ends without a beginning are dropped.
pub(super) fn assemble(tokens: Vec<Flat>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut stack: Vec<(Open, Vec<Part>)> = Vec::new();
    let mut too_deep = 0_usize;
    for Flat { token, .. } in tokens {
        match token {
            Token::Lit(pieces) => {
                parts.extend(
                    pieces
                        .into_iter()
                        .filter(|(text, _)| !text.is_empty())
                        .map(|(text, span)| Part::Lit(text.into(), span)),
                );
            }
            Token::Interp(expr) => parts.push(Part::Interp(expr)),
            Token::If(expr) | Token::For(_, _, expr) if stack.len() >= MAX_DIRECTIVES => {
                too_deep += 1;
                parts.push(Part::Interp(opaque("template directives are nested too deeply to follow", expr.span)));
            }
            Token::If(expr) => stack.push((Open::If(expr, None), std::mem::take(&mut parts))),
            Token::For(key, value, expr) => stack.push((Open::For(key, value, expr), std::mem::take(&mut parts))),
            Token::EndIf | Token::EndFor if too_deep > 0 => too_deep -= 1,
            Token::Else => {
                if let Some((Open::If(_, then @ None), _)) = stack.last_mut() {
                    *then = Some(std::mem::take(&mut parts));
                }
            }
            Token::EndIf | Token::EndFor => close(&mut stack, &mut parts),
        }
    }
    while !stack.is_empty() {
        close(&mut stack, &mut parts);
    }
    parts
}

fn close(stack: &mut Vec<(Open, Vec<Part>)>, parts: &mut Vec<Part>) {
    let Some((open, outer)) = stack.pop() else { return };
    let inner = std::mem::replace(parts, outer);
    parts.push(match open {
        Open::If(condition, None) => Part::If(Box::new(condition), inner, Vec::new()),
        Open::If(condition, Some(then)) => Part::If(Box::new(condition), then, inner),
        Open::For(key, value, collection) => Part::For(key, value, Box::new(collection), inner),
    });
}

/// Parts as an expression: one line of text is a string.
pub(super) fn finish(mut parts: Vec<Part>, heredoc: bool) -> ExprKind {
    let lines = parts.iter().filter(|part| matches!(part, Part::Lit(text, _) if text.ends_with('\n'))).count();
    let only_text = parts.iter().all(|part| matches!(part, Part::Lit(..)));
    if !only_text || (heredoc && lines > 1) {
        return ExprKind::Template(parts);
    }
    if let [Part::Lit(text, _)] = &mut parts[..] {
        return ExprKind::Str(std::mem::take(text));
    }
    let texts = parts.iter().map(|part| if let Part::Lit(text, _) = part { &**text } else { "" });
    ExprKind::Str(texts.collect::<String>().into())
}

/// An expression that is not understood.
pub(super) fn opaque(reason: &str, span: Span) -> Expr {
    Expr { kind: ExprKind::Opaque(reason.into()), span }
}

/// Reads the template in `start..end` of a text: for what `hcl-edit` does not parse as a part of a body.
pub(super) fn read(place: Place, start: usize, end: usize, quoted: bool) -> Vec<Flat> {
    let mut out = Vec::new();
    let text = place.text.get(..end).unwrap_or(place.text);
    let bytes = text.as_bytes();
    let (mut from, mut at) = (start, start);
    while let Some(next) = memchr::memchr3(b'$', b'%', b'\\', bytes.get(at..).unwrap_or(&[])) {
        at += next;
        let rest = bytes.get(at..).unwrap_or(&[]);
        if rest.starts_with(b"$${") || rest.starts_with(b"%%{") {
            at += 3;
        } else if rest.starts_with(b"${") || rest.starts_with(b"%{") {
            literal(place, from, at, quoted, &mut out);
            let close = check::sequence(text, at).map(|end| end - 1).or_else(|| closing(bytes, at + 2));
            out.push(sequence(place, text, at, close));
            at = close.map_or(text.len(), |close| close + 1);
            from = at;
        } else {
            at += if quoted && rest.first() == Some(&b'\\') { 2 } else { 1 };
        }
    }
    literal(place, from, text.len(), quoted, &mut out);
    out
}

/// The brace that closes a sequence whose inside begins at `at`.
fn closing(bytes: &[u8], mut at: usize) -> Option<usize> {
    // One entry for each thing open: a brace, or a quoted string.
    let mut stack = vec![b'{'];
    while let Some(byte) = bytes.get(at).copied() {
        if stack.last() == Some(&b'"') {
            let rest = &bytes[at..];
            if byte == b'"' {
                stack.pop();
            } else if rest.starts_with(b"$${") || rest.starts_with(b"%%{") {
                at += 2;
            } else if rest.starts_with(b"${") || rest.starts_with(b"%{") {
                stack.push(b'{');
                at += 1;
            } else if byte == b'\\' {
                at += 1;
            }
        } else if byte == b'"' || byte == b'{' {
            stack.push(byte);
        } else if byte == b'}' {
            stack.pop();
            if stack.is_empty() {
                return Some(at);
            }
        }
        at += 1;
    }
    None
}

/// The token of the sequence that opens at `at` and closes at `close`.
fn sequence(place: Place, text: &str, at: usize, close: Option<usize>) -> Flat {
    let Some(close) = close else {
        let span = place.span(at, text.len());
        return Flat { token: Token::Interp(opaque("a template sequence is not closed", span)), strip: (false, false) };
    };
    let mut start = at + 2;
    let mut inner = text.get(start..close).unwrap_or("");
    let before = inner.starts_with('~');
    if before {
        inner = &inner[1..];
        start += 1;
    }
    let after = inner.ends_with('~');
    if after {
        inner = &inner[..inner.len() - 1];
    }
    let whole = place.span(at, close + 1);
    let token = if text.as_bytes().get(at) == Some(&b'$') {
        Token::Interp(expression(place, inner, start))
    } else {
        directive(place, inner, start)
            .unwrap_or_else(|| Token::Interp(opaque("a template directive is not understood", whole)))
    };
    Flat { token, strip: (before, after) }
}

fn expression(place: Place, inner: &str, start: usize) -> Expr {
    let span = place.span(start, start + inner.len());
    super::parse_expr(inner, span.start)
        .unwrap_or_else(|error| opaque(&format!("an expression is not understood: {}", error.message), span))
}

fn directive(place: Place, inner: &str, start: usize) -> Option<Token> {
    let trimmed = inner.trim();
    let word = trimmed.split(|character: char| !character.is_ascii_alphabetic()).next().unwrap_or("");
    let rest = &trimmed[word.len()..];
    let rest_at = start + (inner.len() - inner.trim_start().len()) + word.len();
    match word {
        "else" => Some(Token::Else),
        "endif" => Some(Token::EndIf),
        "endfor" => Some(Token::EndFor),
        "if" => Some(Token::If(expression(place, rest, rest_at))),
        "for" => {
            // The names hold no white space, so that the first ` in ` is the keyword.
            let (names, keyword) = rest.match_indices("in").find_map(|(at, _)| {
                let around = rest[..at].ends_with(char::is_whitespace)
                    && rest[at + 2..].starts_with(|c: char| !c.is_alphanumeric() && c != '_');
                around.then(|| (&rest[..at], at))
            })?;
            let collection = expression(place, &rest[keyword + 2..], rest_at + keyword + 2);
            let (key, value) = match names.split_once(',') {
                Some((key, value)) => (Some(key.trim().into()), value.trim().into()),
                None => (None, names.trim().into()),
            };
            Some(Token::For(key, value, collection))
        }
        _ => None,
    }
}
