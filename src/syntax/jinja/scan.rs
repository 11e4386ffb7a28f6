//! Where the pieces of a template begin and end, and what bounds an expression.

use std::borrow::Cow;

use super::{Expr, MAX_EXPRESSION, Piece, Style};
use crate::text::Span;

/// The next `{{`, `{%` or `{#` from `from`, and its second byte.
pub(super) fn opening(text: &str, from: usize) -> Option<(usize, u8)> {
    let bytes = text.as_bytes();
    let found = memchr::memchr_iter(b'{', bytes.get(from..)?).map(|at| from + at);
    found.filter_map(|at| Some((at, *bytes.get(at + 1)?))).find(|(_, kind)| matches!(kind, b'{' | b'%' | b'#'))
}

/// Cuts a template into its pieces, from an offset on.
pub(super) fn pieces(text: &str, from: usize, style: Style) -> Vec<Piece> {
    let mut cut = Cut { text, at: from, pieces: Vec::new(), style };
    while let Some((start, kind)) = opening(text, cut.at) {
        cut.literal(
            start,
            match text.as_bytes().get(start + 2) {
                Some(b'-') => Trim::All,
                Some(b'+') => Trim::Nothing,
                _ if style.lstrip_blocks && kind != b'{' => Trim::Indent,
                _ => Trim::Nothing,
            },
        );
        let close = match kind {
            b'{' => "}}",
            b'%' => "%}",
            _ => "#}",
        };
        let Some(end) = end_of(text, start + 2, close, kind != b'#') else {
            let rest = Span::new(start, text.len());
            cut.pieces.push(match kind {
                b'{' => Piece::Output(Expr::Other("`{{` is not closed".into()), rest),
                b'%' => Piece::Statement(rest),
                _ => Piece::Comment(rest),
            });
            cut.at = text.len();
            break;
        };
        cut.piece(Span::new(start, end), kind);
    }
    cut.literal(text.len(), Trim::Nothing);
    cut.pieces
}

struct Cut<'t> {
    text: &'t str,
    at: usize,
    pieces: Vec<Piece>,
    style: Style,
}

/// What goes of the blanks before a piece.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trim {
    Nothing,
    /// Those since the start of the line, if nothing else stands there.
    Indent,
    /// All of them, line breaks too.
    All,
}

impl Cut<'_> {
    fn literal(&mut self, end: usize, trim: Trim) {
        let text = self.text.get(self.at..end).unwrap_or("");
        let kept = match trim {
            Trim::Nothing => text,
            Trim::All => text.trim_end(),
            Trim::Indent => {
                let bare = text.trim_end_matches([' ', '\t']);
                let starts = self.at == 0 || self.text.as_bytes().get(self.at - 1) == Some(&b'\n');
                if bare.ends_with('\n') || bare.is_empty() && starts { bare } else { text }
            }
        };
        if !kept.is_empty() {
            self.pieces.push(Piece::Lit(Span::new(self.at, self.at + kept.len())));
        }
        self.at = end;
    }

    fn piece(&mut self, span: Span, kind: u8) {
        let (inside, _) = super::inner(self.text, span);
        self.at = span.range().end;
        match kind {
            b'{' => {
                let expr = super::read(inside.trim(), self.style.raw).unwrap_or_else(|error| Expr::Other(error.into()));
                self.pieces.push(Piece::Output(expr, span));
            }
            b'%' if inside == "raw" => return self.raw(),
            b'%' => self.pieces.push(Piece::Statement(span)),
            _ => self.pieces.push(Piece::Comment(span)),
        }
        self.after(span, kind != b'{');
    }

    /// Skips what whitespace control takes away after a piece; Ansible drops the line break after a statement.
    fn after(&mut self, piece: Span, block: bool) {
        let control = self.text.as_bytes().get(piece.range().end.wrapping_sub(3)).copied();
        let rest = self.text.get(self.at..).unwrap_or("");
        match control {
            Some(b'-') => self.at += rest.len() - rest.trim_start().len(),
            Some(b'+') => {}
            _ if block && self.style.trim_blocks && rest.starts_with('\n') => self.at += 1,
            _ if block && self.style.trim_blocks && rest.starts_with("\r\n") => self.at += 2,
            _ => {}
        }
    }

    /// Takes everything up to `{% endraw %}` as it is.
    fn raw(&mut self) {
        let mut from = self.at;
        while let Some(at) = self.text.get(from..).and_then(|rest| rest.find("{%")).map(|at| from + at) {
            if let Some(length) = endraw(&self.text[at..]) {
                self.literal(at, Trim::Nothing);
                self.at = at + length;
                return self.after(Span::new(at, self.at), true);
            }
            from = at + 2;
        }
        self.literal(self.text.len(), Trim::Nothing);
    }
}

/// Length of the `{% endraw %}` that a text begins with.
fn endraw(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("{%")?;
    let inside = inside.strip_prefix(['-', '+']).unwrap_or(inside).trim_start().strip_prefix("endraw")?.trim_start();
    let rest = inside.strip_prefix(['-', '+']).unwrap_or(inside).strip_prefix("%}")?;
    Some(text.len() - rest.len())
}

/// One past the closing braces of a piece whose inside starts at `from`.
fn end_of(text: &str, from: usize, close: &str, code: bool) -> Option<usize> {
    let rest = text.get(from..)?;
    let balanced = if code { balanced_end(rest, close) } else { None };
    balanced.or_else(|| rest.find(close)).map(|at| from + at + close.len())
}

/// Where `close` stands outside quotes and brackets; `None` when these do not match.
fn balanced_end(rest: &str, close: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut open = Vec::new();
    let mut at = 0;
    while at < bytes.len().min(MAX_EXPRESSION) {
        if open.is_empty() && bytes[at..].starts_with(close.as_bytes()) {
            return Some(at);
        }
        match bytes[at] {
            b'\'' | b'"' => {
                at += string_length(&bytes[at..])?;
                continue;
            }
            b'(' => open.push(b')'),
            b'[' => open.push(b']'),
            b'{' => open.push(b'}'),
            end @ (b')' | b']' | b'}') if open.pop() != Some(end) => return None,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Length of the string literal that `bytes` begin with, quotes included.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let quote = *bytes.first()?;
    let mut at = 1;
    loop {
        at += memchr::memchr2(quote, b'\\', bytes.get(at..)?)?;
        if bytes[at] == quote {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The first place outside quotes and brackets where `found` holds of what follows and what stands before.
pub(super) fn outside(text: &str, found: impl Fn(&str, &str) -> bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut open) = (0, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'\'' | b'"' => {
                at += string_length(&bytes[at..])?;
                continue;
            }
            _ if open == 0 && text.is_char_boundary(at) && found(&text[at..], &text[..at]) => return Some(at),
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// How many words, numbers and signs an expression has at most. The error says which quote or bracket does not match:
/// the expression parser must not meet braces that close nothing.
pub(super) fn tokens(text: &str) -> Result<usize, String> {
    let bytes = text.as_bytes();
    let (mut at, mut count, mut word) = (0, 0, false);
    let mut open = Vec::new();
    while at < bytes.len() {
        let byte = bytes[at];
        let mut length = 1;
        match byte {
            b'\'' | b'"' => length = string_length(&bytes[at..]).ok_or("a string is not closed")?,
            b'(' => open.push(b')'),
            b'[' => open.push(b']'),
            b'{' => open.push(b'}'),
            b')' | b']' | b'}' if open.pop() != Some(byte) => return Err(format!("unexpected `{}`", char::from(byte))),
            _ => {}
        }
        let part = byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
        count += usize::from(!(byte.is_ascii_whitespace() || part && word));
        word = part;
        at += length;
    }
    match open.pop() {
        Some(byte) => Err(format!("expected `{}`", char::from(byte))),
        None => Ok(count),
    }
}

/// The same expression with a blank before each dot of `a.0.1` but the first: the parser would take `0.1` for a number.
pub(super) fn separate(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut separated = String::new();
    let (mut at, mut done, mut index, mut name) = (0, 0, false, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\'' | b'"' => at += string_length(&bytes[at..]).unwrap_or(1) - 1,
            b'.' if index && digit(at + 1) => {
                separated.push_str(&text[done..at]);
                separated.push(' ');
                done = at;
            }
            b'.' => index = at > 0 && digit(at + 1) && (name || !digit(at - 1)),
            b'0'..=b'9' => {}
            other => {
                index = false;
                name = other.is_ascii_alphabetic() || other == b'_';
            }
        }
        at += 1;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    separated.push_str(&text[done..]);
    Cow::Owned(separated)
}

/// The same expression, as long, with nothing odd inside its strings.
pub(super) fn mask(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'\'', b'"', rest.as_bytes()) {
        let Some(length) = string_length(&rest.as_bytes()[at..]) else { break };
        masked.push_str(&rest[..=at]);
        masked.extend(std::iter::repeat_n('x', length - 2));
        masked.push_str(&rest[at + length - 1..at + length]);
        rest = &rest[at + length..];
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::jinja::expression;

    #[test]
    fn indexes_are_no_numbers() {
        assert_eq!(separate("ip4.0.1.rc.2.3.4 + 1.5 ~ '.0.1'"), "ip4.0 .1.rc.2 .3 .4 + 1.5 ~ '.0.1'");
        assert!(expression("item.0.1.rc == 1.5").is_ok());
    }

    #[test]
    fn masking_keeps_lengths() {
        let text = r#"a | b('\d\'é', "x") ~ 'open\"#;
        let masked = mask(text);
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked, r#"a | b('xxxxxx', "x") ~ 'open\"#);
        assert_eq!(tokens("a.b | c('x y', 12)"), Ok(10));
        for bad in ["a }} b", "(]", "a -}}", "[1", "'x"] {
            assert!(expression(bad).is_err(), "{bad}");
        }
    }
}
