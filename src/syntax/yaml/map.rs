//! The text of a scalar with its way back to the file.

use super::Style;
use crate::text::{Mapped, Span};

/// Maps `text`, which the scalar at `span` of `source` means.
pub(super) fn scalar(text: &str, style: Style, source: &str, span: Span) -> Mapped {
    let raw = span.slice(source);
    match style {
        Style::Plain if raw == text => Mapped::verbatim(text, span.start),
        Style::Plain => Align::new(text, raw, span).run(0),
        Style::Quoted => {
            let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
            Align::new(text, inner, span).run(raw.as_bytes().first().copied().unwrap_or(b'"'))
        }
        Style::Literal => map_literal(text, source, span),
        Style::Folded => map_folded(text, source, span),
    }
}

/// Walks a one- or many-line flow scalar and its text side by side.
struct Align<'t> {
    text: &'t str,
    raw: &'t str,
    /// Where the whole scalar stands.
    span: Span,
    /// Offset of `raw` in the file.
    base: u32,
    mapped: Mapped,
}

impl<'t> Align<'t> {
    fn new(text: &'t str, raw: &'t str, span: Span) -> Self {
        let quoted = raw.len() < span.len();
        Self { text, raw, span, base: span.start + u32::from(quoted), mapped: Mapped::default() }
    }

    /// `quote` is the quote byte, 0 for a plain scalar.
    fn run(mut self, quote: u8) -> Mapped {
        if self.raw == self.text {
            return Mapped::verbatim(self.text, self.base);
        }
        let (mut at, mut done) = (0, 0);
        while let Some(rest) = self.raw.get(at..).filter(|rest| !rest.is_empty()) {
            let wanted = self.text.as_bytes().get(done..).unwrap_or(&[]);
            let same = rest.bytes().zip(wanted).take_while(|(a, b)| a == *b && !special(*a, quote)).count();
            // Never inside a character.
            let same = (0..=same)
                .rev()
                .find(|n| rest.is_char_boundary(*n) && self.text.is_char_boundary(done + n))
                .unwrap_or(0);
            if same > 0 {
                self.mapped.push(&rest[..same], self.base + Span::new(at, at).start);
                at += same;
                done += same;
                continue;
            }
            let (length, stands_for) = self.odd(rest, done, quote);
            if length == 0 || !self.text.is_char_boundary(done + stands_for) {
                break;
            }
            let source = Span::new(self.base as usize + at, self.base as usize + at + length);
            let part = &self.text[done..done + stands_for];
            if rest.get(..length) == Some(part) {
                self.mapped.push(part, source.start);
            } else {
                self.mapped.push_for(part, source);
            }
            at += length;
            done += stands_for;
        }
        if let Some(rest) = self.text.get(done..) {
            self.mapped.push_for(rest, self.span);
        }
        self.mapped
    }

    /// Lengths, in the file and in the text, of what stands for something else; 0 when it cannot be told.
    fn odd(&self, rest: &str, done: usize, quote: u8) -> (usize, usize) {
        let next = self.text.get(done..).unwrap_or("");
        let one = next.chars().next().map_or(0, char::len_utf8);
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        match rest.as_bytes() {
            [b'\'', b'\'', ..] if quote == b'\'' => (2, one),
            [b'\\', b'\n' | b'\r', ..] if quote == b'"' => {
                (1 + rest[1..].len() - rest[1..].trim_start_matches([' ', '\t', '\r', '\n']).len(), 0)
            }
            [b'\\', escape, after @ ..] if quote == b'"' => {
                let surrogates =
                    *escape == b'u' && matches!(after, [b'd' | b'D', b'8'..=b'9' | b'a'..=b'b' | b'A'..=b'B', ..]);
                let length = match escape {
                    b'x' => 4,
                    b'u' if surrogates => 12,
                    b'u' => 6,
                    b'U' => 10,
                    _ => 2,
                };
                (length.min(rest.len()), one)
            }
            _ if blank > 0 => {
                let breaks = rest[..blank].matches('\n').count();
                match breaks {
                    // Blanks inside a line stand for themselves.
                    0 if next.starts_with(&rest[..blank]) => (blank, blank),
                    0 => (0, 0),
                    1 => (blank, usize::from(next.starts_with(' '))),
                    _ => (blank, (breaks - 1).min(next.len() - next.trim_start_matches('\n').len())),
                }
            }
            _ => (0, 0),
        }
    }
}

/// Bytes of a flow scalar that may stand for something else.
fn special(byte: u8, quote: u8) -> bool {
    match byte {
        b' ' | b'\t' | b'\r' | b'\n' => true,
        b'\\' => quote == b'"',
        b'\'' => quote == b'\'',
        _ => false,
    }
}

/// The lines after the one where a block scalar's indicator stands, with their offsets, line breaks left out.
fn lines_after(source: &str, span: Span) -> impl Iterator<Item = (usize, &str)> {
    let header = span.start as usize;
    let rest = source.get(header..).unwrap_or("");
    let mut at = header + rest.find('\n').map_or(rest.len(), |n| n + 1);
    source.get(at..).unwrap_or("").split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line)))
    })
}

fn map_literal(text: &str, source: &str, span: Span) -> Mapped {
    let mut mapped = Mapped::default();
    let mut lines = lines_after(source, span);
    for line in text.split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        let Some((start, raw)) = lines.next().filter(|(_, raw)| raw.ends_with(content)) else {
            mapped.push_for(line, span);
            continue;
        };
        let end = start + raw.len();
        mapped.push(content, Span::new(end - content.len(), end).start);
        if content.len() < line.len() {
            push_break(&mut mapped, "\n", source, end);
        }
    }
    mapped
}

/// Adds what the line break at `at` of the file stands for.
fn push_break(mapped: &mut Mapped, text: &str, source: &str, at: usize) {
    let after = source.as_bytes().get(at..).unwrap_or(&[]);
    if text == "\n" && after.first() == Some(&b'\n') {
        mapped.push(text, Span::new(at, at).start);
    } else {
        let length = if after.first() == Some(&b'\r') { 2 } else { 1 };
        mapped.push_for(text, Span::new(at, (at + length).min(source.len())));
    }
}

fn map_folded(text: &str, source: &str, span: Span) -> Mapped {
    let mut mapped = Mapped::default();
    let (mut done, mut last_end) = (0, span.start as usize + 1);
    for (start, raw) in lines_after(source, span) {
        let content = raw.trim_matches([' ', '\t']);
        if content.is_empty() {
            continue;
        }
        let rest = &text[done..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n']).len();
        if !rest[blank..].starts_with(content) {
            break;
        }
        let at = start + raw.len() - raw.trim_start_matches([' ', '\t']).len();
        push_break(&mut mapped, &rest[..blank], source, last_end);
        mapped.push(content, Span::new(at, at).start);
        done += blank + content.len();
        last_end = at + content.len();
    }
    push_break(&mut mapped, &text[done..], source, last_end);
    mapped
}
