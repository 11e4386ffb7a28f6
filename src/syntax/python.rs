//! Literals of Python, as `ast.literal_eval` takes them: inventories in INI type their values so.

/// A literal; tuples and sets are lists, bytes are text.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `None`.
    None,
    /// `True`, `False`.
    Bool(bool),
    /// An integer or floating point number.
    Number(f64),
    /// A string.
    Str(String),
    /// A list, tuple or set.
    List(Vec<Literal>),
    /// A dictionary, each key once, in the order of first mention.
    Map(Vec<(Literal, Literal)>),
}

/// Collections within collections deeper than this are no literal.
const MAX_DEPTH: usize = 64;

/// The literal that a whole text is; none when Python would refuse it.
#[must_use]
pub fn literal(text: &str) -> Option<Literal> {
    let mut reader = Reader { rest: text.trim_start_matches([' ', '\t']), depth: 0 };
    let value = reader.items(None)?;
    reader.blank();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

impl Reader<'_> {
    /// Skips blanks, and a comment at the end.
    fn blank(&mut self) {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with('#') {
            self.rest = "";
        }
    }

    fn take(&mut self, mark: char) -> bool {
        self.blank();
        let rest = self.rest.strip_prefix(mark);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// One item, or a tuple of several: up to the bracket that closes them, or the end of the text.
    fn items(&mut self, close: Option<char>) -> Option<Literal> {
        let ends = |reader: &mut Self| {
            reader.blank();
            close.map_or(reader.rest.is_empty(), |close| reader.take(close))
        };
        let mut items = vec![self.item()?];
        let mut tuple = false;
        while !ends(self) {
            if !self.take(',') {
                return None;
            }
            tuple = true;
            if ends(self) {
                break;
            }
            items.push(self.item()?);
        }
        if tuple { Some(Literal::List(items)) } else { items.pop() }
    }

    fn item(&mut self) -> Option<Literal> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        self.blank();
        let first = self.rest.chars().next()?;
        let value = match first {
            '(' => {
                self.take('(');
                if self.take(')') { Some(Literal::List(Vec::new())) } else { self.items(Some(')')) }
            }
            '[' => {
                self.take('[');
                self.list(']', Vec::new())
            }
            '{' => {
                self.take('{');
                self.braces()
            }
            '+' | '-' => {
                self.rest = self.rest[1..].trim_start();
                let number = self.number()?;
                Some(Literal::Number(if first == '-' { -number } else { number }))
            }
            '0'..='9' | '.' => match self.rest.strip_prefix("...") {
                Some(rest) => {
                    self.rest = rest;
                    Some(Literal::Str("...".to_owned()))
                }
                None => self.number().map(Literal::Number),
            },
            _ => self.word(),
        };
        self.depth -= 1;
        value
    }

    fn list(&mut self, close: char, mut items: Vec<Literal>) -> Option<Literal> {
        loop {
            if self.take(close) {
                return Some(Literal::List(items));
            }
            items.push(self.item()?);
            if !self.take(',') {
                return self.take(close).then_some(Literal::List(items));
            }
        }
    }

    fn braces(&mut self) -> Option<Literal> {
        let mut entries: Vec<(Literal, Literal)> = Vec::new();
        loop {
            if self.take('}') {
                return Some(Literal::Map(entries));
            }
            let key = self.item()?;
            if !self.take(':') {
                // A set.
                let more = self.take(',');
                if !entries.is_empty() || !more && !self.rest.starts_with('}') {
                    return None;
                }
                return self.list('}', vec![key]);
            }
            let value = self.item()?;
            match entries.iter_mut().find(|(known, _)| *known == key) {
                Some(known) => known.1 = value,
                None => entries.push((key, value)),
            }
            if !self.take(',') {
                return self.take('}').then_some(Literal::Map(entries));
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers beyond 2^53 are compared, not computed with")]
    fn number(&mut self) -> Option<f64> {
        let bytes = self.rest.as_bytes();
        let mut end = 0;
        while let Some(byte) = bytes.get(end) {
            let sign = matches!(byte, b'+' | b'-')
                && matches!(bytes[..end].last(), Some(b'e' | b'E'))
                && !bytes[..end].starts_with(b"0x")
                && !bytes[..end].starts_with(b"0X");
            if !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'_') && !sign {
                break;
            }
            end += 1;
        }
        let (word, rest) = self.rest.split_at(end);
        // An underscore stands between digits.
        if word.starts_with('_')
            || word.ends_with('_')
            || word.contains("__")
            || word.contains("_.")
            || word.contains("._")
        {
            return None;
        }
        self.rest = rest;
        let plain = word.replace('_', "").to_ascii_lowercase();
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
            if let Some(digits) = plain.strip_prefix(prefix) {
                return u128::from_str_radix(digits, radix).ok().map(|number| number as f64);
            }
        }
        let digits = plain.bytes().all(|byte| byte.is_ascii_digit());
        if digits && plain.starts_with('0') && plain.bytes().any(|byte| byte != b'0') {
            return None;
        }
        let shaped = plain.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-'));
        plain.parse().ok().filter(|_| shaped)
    }

    /// A name, or strings side by side.
    fn word(&mut self) -> Option<Literal> {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if !rest.starts_with(['\'', '"']) {
            self.rest = rest;
            return match name {
                "None" => Some(Literal::None),
                "True" => Some(Literal::Bool(true)),
                "False" => Some(Literal::Bool(false)),
                "set" if self.take('(') => self.take(')').then(|| Literal::List(Vec::new())),
                _ => None,
            };
        }
        let mut text = String::new();
        let mut bytes = None;
        loop {
            self.blank();
            let Some(quote) = self.rest.find(['\'', '"']) else { break };
            let prefix = self.rest[..quote].to_ascii_lowercase();
            if !matches!(&*prefix, "" | "r" | "u" | "b" | "br" | "rb") {
                // Something else than a string follows; of a first one that means no literal at all.
                bytes?;
                break;
            }
            if *bytes.get_or_insert(prefix.contains('b')) != prefix.contains('b') {
                return None;
            }
            self.rest = &self.rest[quote..];
            self.string(prefix.contains('r'), &mut text)?;
        }
        Some(Literal::Str(text))
    }

    fn string(&mut self, raw: bool, text: &mut String) -> Option<()> {
        let quote = self.rest.chars().next()?;
        let triple = [quote; 3].iter().collect::<String>();
        let close = if self.rest.starts_with(&triple) { triple } else { quote.to_string() };
        let mut rest = &self.rest[close.len()..];
        while !rest.starts_with(&close) {
            let c = rest.chars().next()?;
            rest = &rest[c.len_utf8()..];
            if c != '\\' {
                text.push(c);
                continue;
            }
            let next = rest.chars().next()?;
            if raw {
                text.extend(['\\', next]);
                rest = &rest[next.len_utf8()..];
            } else {
                rest = escaped(rest, text)?;
            }
        }
        self.rest = &rest[close.len()..];
        Some(())
    }
}

/// What follows a backslash; gives what stands after it.
fn escaped<'t>(rest: &'t str, text: &mut String) -> Option<&'t str> {
    let next = rest.chars().next()?;
    let after = &rest[next.len_utf8()..];
    let coded = |digits: &str, radix| char::from_u32(u32::from_str_radix(digits, radix).ok()?);
    let plain = match next {
        '\n' => return Some(after),
        '\\' | '\'' | '"' => next,
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '0'..='7' => {
            let len = rest.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            text.push(coded(&rest[..len], 8)?);
            return Some(&rest[len..]);
        }
        'x' | 'u' | 'U' => {
            let len = match next {
                'x' => 2,
                'u' => 4,
                _ => 8,
            };
            text.push(coded(after.get(..len)?, 16)?);
            return after.get(len..);
        }
        'N' => return None,
        // Python keeps the backslash of an escape that it does not know.
        other => {
            text.extend(['\\', other]);
            return Some(after);
        }
    };
    text.push(plain);
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_takes_them() {
        let text = |text: &str| Some(Literal::Str(text.to_owned()));
        let number = |number| Some(Literal::Number(number));
        for (source, expected) in [
            ("22", number(22.0)),
            ("-1_000", number(-1000.0)),
            ("0x1f", number(31.0)),
            ("1e3", number(1000.0)),
            ("1.5 # half", number(1.5)),
            ("00", number(0.0)),
            ("0644", None),
            ("5._1", None),
            ("10.0.0.1", None),
            ("2024-10-10", None),
            ("True", Some(Literal::Bool(true))),
            ("true", None),
            ("None", Some(Literal::None)),
            ("", None),
            ("'a' \"b\"", text("ab")),
            ("'it\\'s \\x41 \\d'", text("it's A \\d")),
            ("r'\\n'", text("\\n")),
            ("u'x' y", None),
            ("'open", None),
            ("web", None),
            ("...", text("...")),
            ("{{ x }}", None),
            ("[]", Some(Literal::List(Vec::new()))),
            ("{}", Some(Literal::Map(Vec::new()))),
            ("[1, 2", None),
        ] {
            assert_eq!(literal(source), expected, "{source}");
        }
        let pair = Literal::List(vec![Literal::Number(1.0), Literal::Str("a".to_owned())]);
        for source in ["[1, 'a']", "(1, 'a')", "1, 'a',", "{1, 'a'}"] {
            assert_eq!(literal(source), Some(pair.clone()), "{source}");
        }
        let Some(Literal::Map(entries)) = literal("{'a': [True], 'b': {'c': None}, 'a': 2}") else { panic!() };
        assert_eq!(entries[0], (Literal::Str("a".to_owned()), Literal::Number(2.0)));
        assert_eq!(entries.len(), 2);
        assert_eq!(literal(&"[".repeat(100_000)), None);
    }
}
