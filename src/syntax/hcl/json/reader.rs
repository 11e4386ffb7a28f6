//! JSON with the place of every value.

use super::super::MAX_DEPTH;
use crate::syntax::SyntaxError;
use crate::text::Span;

/// A value and where it stands.
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) span: Span,
}

/// A value; the text of a string is in its span, quotes included.
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Str,
    Array(Vec<Node>),
    Object(Vec<(Span, Node)>),
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    error: Option<(usize, &'static str)>,
}

/// Reads a document: up to the first error, if there is one.
pub(super) fn read(text: &str) -> (Node, Vec<SyntaxError>) {
    let mut reader =
        Reader { bytes: text.as_bytes(), at: if text.starts_with('\u{FEFF}') { 3 } else { 0 }, error: None };
    let root = reader.value(0);
    reader.space();
    if reader.at < reader.bytes.len() {
        reader.fail("expected the end of the file");
    }
    let errors = reader.error.map(|(at, message)| {
        let at = at.min(text.len());
        let end = memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |newline| at + newline);
        SyntaxError { span: Span::new(at, end), message: message.to_owned() }
    });
    (root, errors.into_iter().collect())
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn fail(&mut self, message: &'static str) {
        self.error.get_or_insert((self.at, message));
    }

    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Node {
        self.space();
        let start = self.at;
        let value = match self.peek() {
            Some(b'{' | b'[') if depth > MAX_DEPTH => {
                self.fail("it is nested too deeply to follow");
                Value::Null
            }
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => {
                self.string();
                Value::Str
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        };
        Node { value, span: Span::new(start, self.at) }
    }

    fn object(&mut self, depth: usize) -> Value {
        let mut members = Vec::new();
        self.at += 1;
        if self.take(b'}') {
            return Value::Object(members);
        }
        loop {
            self.space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                self.fail("expected a name in quotes");
                break;
            }
            self.string();
            let key = Span::new(start, self.at);
            if !self.take(b':') {
                self.fail("expected `:`");
                break;
            }
            members.push((key, self.value(depth + 1)));
            if self.error.is_some() || self.take(b'}') {
                break;
            }
            if !self.take(b',') {
                self.fail("expected `,` or `}`");
                break;
            }
        }
        Value::Object(members)
    }

    fn array(&mut self, depth: usize) -> Value {
        let mut items = Vec::new();
        self.at += 1;
        if self.take(b']') {
            return Value::Array(items);
        }
        loop {
            items.push(self.value(depth + 1));
            if self.error.is_some() || self.take(b']') {
                break;
            }
            if !self.take(b',') {
                self.fail("expected `,` or `]`");
                break;
            }
        }
        Value::Array(items)
    }

    /// Steps over a string.
    fn string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += match byte {
                b'\\' => 2,
                b'"' => {
                    self.at += 1;
                    return;
                }
                0..0x20 => break,
                _ => 1,
            };
        }
        self.at = self.at.min(self.bytes.len());
        self.fail("expected `\"`");
    }

    fn number(&mut self) -> Value {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')) {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or("");
        if let (true, Ok(number)) = (is_number(text), text.parse()) {
            return Value::Number(number);
        }
        self.at = start;
        self.fail("expected a number");
        Value::Null
    }

    fn word(&mut self) -> Value {
        let words = [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))];
        for (word, value) in words {
            if self.bytes[self.at.min(self.bytes.len())..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return value;
            }
        }
        self.fail("expected a value");
        Value::Null
    }
}

/// Whether a text is a number of JSON: no `01`, no `1.`.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    (whole == "0" || !whole.starts_with('0')) && digits(whole) && digits(fraction) && digits(exponent)
}
