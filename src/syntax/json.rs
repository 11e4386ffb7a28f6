//! JSON and JSON with comments, into the YAML tree.

use super::yaml::{Builder, MAX_DEPTH, Style, Yaml, is_number};
use crate::text::Span;

/// Parses JSON, with comments and trailing commas allowed. What precedes an error stays.
#[must_use]
pub fn parse(text: &str) -> Yaml {
    let mut reader = Reader { text, at: 0, builder: Builder::default() };
    if text.starts_with('\u{FEFF}') {
        reader.at = '\u{FEFF}'.len_utf8();
    }
    if reader.value().is_ok() {
        reader.blank();
        if reader.at < text.len() {
            reader.error("expected the end of the file");
        }
    }
    reader.builder.finish()
}

/// Reading cannot go on; the error is recorded.
struct Stop;

struct Reader<'t> {
    text: &'t str,
    at: usize,
    builder: Builder,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn error(&mut self, message: &str) -> Stop {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        self.builder.error(Span::new(self.at, self.at + length), message);
        Stop
    }

    /// Skips blanks and comments.
    fn blank(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.at += rest.find("*/").map_or(rest.len(), |end| end + 2);
            } else {
                return;
            }
        }
    }

    fn value(&mut self) -> Result<(), Stop> {
        self.blank();
        match self.peek() {
            Some(open @ (b'{' | b'[')) => self.collection(open == b'{'),
            Some(b'"') => self.string(),
            Some(_) => self.word(),
            None => Err(self.error("expected a value")),
        }
    }

    fn collection(&mut self, map: bool) -> Result<(), Stop> {
        if self.builder.depth() >= MAX_DEPTH {
            return Err(self.error("values are nested too deeply"));
        }
        self.builder.open(Span::new(self.at, self.at).start, map, None);
        self.at += 1;
        let end = if map { b'}' } else { b']' };
        loop {
            self.blank();
            if self.peek() == Some(end) {
                self.at += 1;
                self.builder.close(Some(Span::new(self.at, self.at).start));
                return Ok(());
            }
            if map {
                if self.peek() != Some(b'"') {
                    return Err(self.error("expected a key in double quotes or `}`"));
                }
                self.string()?;
                self.blank();
                if self.peek() != Some(b':') {
                    return Err(self.error("expected `:`"));
                }
                self.at += 1;
            }
            self.value()?;
            self.blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(next) if next == end => {}
                // A forgotten comma is no reason to lose the rest.
                Some(b'"' | b'{' | b'[') => _ = self.error("expected `,`"),
                _ => return Err(self.error(if map { "expected `,` or `}`" } else { "expected `,` or `]`" })),
            }
        }
    }

    fn word(&mut self) -> Result<(), Stop> {
        let word = self.rest();
        let word =
            &word[..word.find(|c: char| !c.is_ascii_alphanumeric() && !"+-._".contains(c)).unwrap_or(word.len())];
        let number = word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && word.parse::<f64>().is_ok();
        if !number && !matches!(word, "true" | "false" | "null") {
            return Err(self.error("expected a value"));
        }
        // YAML 1.1 takes `1e5` for text.
        let tag = (number && !is_number(word)).then(|| "!!float".into());
        self.builder.scalar(Span::new(self.at, self.at + word.len()), word, Style::Plain, tag);
        self.at += word.len();
        Ok(())
    }

    fn string(&mut self) -> Result<(), Stop> {
        let start = self.at;
        let inner = self.text.get(start + 1..).unwrap_or("");
        let (end, escaped) = end_of_string(inner);
        let closed = inner.as_bytes().get(end) == Some(&b'"');
        let raw = &inner[..end];
        self.at = start + 1 + end + usize::from(closed);
        let span = Span::new(start, self.at);
        if escaped {
            self.builder.scalar(span, &unescape(raw), Style::Quoted, None);
        } else {
            self.builder.scalar(span, raw, Style::Quoted, None);
        }
        if closed { Ok(()) } else { Err(self.error("string is not closed on its line")) }
    }
}

/// Where the string ends (at its quote, its line or its text), and whether it holds escapes.
fn end_of_string(inner: &str) -> (usize, bool) {
    let bytes = inner.as_bytes();
    let (mut at, mut escaped) = (0, false);
    while let Some(next) = bytes.get(at..).and_then(|rest| memchr::memchr3(b'"', b'\\', b'\n', rest)) {
        at += next;
        if bytes[at] != b'\\' {
            return (at, escaped);
        }
        escaped = true;
        at += 2;
    }
    (inner.len(), escaped)
}

fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some(escape) = after.chars().next() else { break };
        let mut used = escape.len_utf8();
        match escape {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'u' => {
                let (c, length) = code_point(&after[1..]);
                text.push(c);
                used += length;
            }
            other => text.push(other),
        }
        rest = &after[used..];
    }
    text.push_str(rest);
    text
}

/// The character that four hexadecimal digits (and a second half of a surrogate pair) stand for, and their length.
fn code_point(digits: &str) -> (char, usize) {
    let hex = |from: usize| digits.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let Some(first) = hex(0) else { return (char::REPLACEMENT_CHARACTER, 0) };
    let second = hex(6).filter(|second| digits.get(4..6) == Some("\\u") && (0xDC00..0xE000).contains(second));
    if let Some(second) = second.filter(|_| (0xD800..0xDC00).contains(&first)) {
        let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 10);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::{Node, Scalar};

    #[test]
    fn comments_commas_tabs_and_duplicates() {
        let source = "\u{FEFF}// head\n{\n\t\"a\": [1, 1e5, -0.5,], /* x */\n\t\"b\": \"t\\t\\u00e4\\ud83d\\ude00 \\/end\", \"a\": null,\n}\n";
        let yaml = parse(source);
        assert_eq!(yaml.errors, []);
        let root = yaml.root().unwrap();
        assert_eq!(root.span().slice(source), source[source.find('{').unwrap()..].trim_end());
        assert!(root.get("a").unwrap().is_null());
        assert_eq!(root.duplicates()[0].span().start as usize, source.rfind("\"a\"").unwrap());
        let b = root.get("b").unwrap();
        assert_eq!(b.as_str(), Some("t\tä😀 /end"));
        let mapped = b.mapped(source);
        let end = mapped.text.find("end").unwrap();
        assert_eq!(mapped.span(Span::new(end, end + 3)).slice(source), "end");
        let list: Vec<_> = root.entries()[0].1.items().map(Node::resolve).collect();
        assert_eq!(list, [Scalar::Number(1.0), Scalar::Number(100_000.0), Scalar::Number(-0.5)]);
    }

    #[test]
    fn an_error_keeps_what_came_before() {
        let yaml = parse("{\"a\": 1 \"b\": [1, 2, oops]}");
        assert_eq!(yaml.errors.len(), 2);
        let root = yaml.root().unwrap();
        assert_eq!(root.get("a").unwrap().as_str(), Some("1"));
        assert_eq!(root.get("b").unwrap().items().len(), 2);
        for (bad, errors) in [
            ("", 1),
            ("{} x", 1),
            ("{\"a", 1),
            ("[1", 1),
            ("{\"a\" 1}", 1),
            ("\"\\", 1),
            ("\"\\u12", 1),
            ("[1,,2]", 1),
            ("{é:1}", 1),
        ] {
            assert_eq!(parse(bad).errors.len(), errors, "{bad}");
        }
        assert_eq!(parse(&"[".repeat(100_000)).errors.len(), 1);
        assert_eq!(parse("\"a\\\nb\"").errors.len(), 0);
    }
}
