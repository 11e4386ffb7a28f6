//! Tokens as Terraform's scanner cuts them, outside of the text of strings and heredocs.

use hcl_edit::Ident;

/// The kinds of token that the grammar tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A line break, or a comment that ends with one.
    Newline,
    /// The end of the text.
    End,
    Name,
    Number,
    /// The quote that opens a string.
    Quote,
    /// `<<EOT` or `<<-EOT` with its line break.
    Heredoc,
    /// One of `( ) [ ] { } . , = : ? * - !`.
    Mark(u8),
    /// `~}`
    TrimEnd,
    Ellipsis,
    DoubleColon,
    Arrow,
    /// A binary operator other than `*` and `-`.
    Operator,
    /// What is no token.
    Bad,
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The token at or after an offset; where line breaks do not count they are passed over.
pub(super) fn token(text: &str, mut at: usize, newlines: bool) -> Token {
    let bytes = text.as_bytes();
    loop {
        let Some(byte) = bytes.get(at).copied() else { return Token { kind: Kind::End, start: at, end: at } };
        let next = bytes.get(at + 1).copied();
        let length = match byte {
            b' ' | b'\t' => 1,
            b'\n' if !newlines => 1,
            b'\r' if !newlines && next == Some(b'\n') => 2,
            b'#' | b'/' if byte == b'#' || next == Some(b'/') => {
                let end = memchr::memchr(b'\n', &bytes[at..]);
                if let (true, Some(end)) = (newlines, end) {
                    return Token { kind: Kind::Newline, start: at, end: at + end + 1 };
                }
                end.map_or(bytes.len() - at, |end| end + 1)
            }
            // A comment that does not close is no comment.
            b'/' if next == Some(b'*') => match memchr::memmem::find(&bytes[at + 2..], b"*/") {
                Some(end) => end + 4,
                None => return Token { kind: Kind::Bad, start: at, end: at + 2 },
            },
            _ => break,
        };
        at += length;
    }
    let (kind, length) = short(&bytes[at..]).unwrap_or_else(|| long(text, at));
    Token { kind, start: at, end: at + length }
}

/// A token of one to three bytes.
fn short(rest: &[u8]) -> Option<(Kind, usize)> {
    let byte = *rest.first()?;
    let next = rest.get(1).copied();
    Some(match byte {
        b'\n' => (Kind::Newline, 1),
        b'\r' if next == Some(b'\n') => (Kind::Newline, 2),
        b'"' => (Kind::Quote, 1),
        b'.' if rest.starts_with(b"...") => (Kind::Ellipsis, 3),
        b':' if next == Some(b':') => (Kind::DoubleColon, 2),
        b'~' if next == Some(b'}') => (Kind::TrimEnd, 2),
        b'=' if next == Some(b'>') => (Kind::Arrow, 2),
        _ if matches!(rest.get(..2), Some(b"==" | b"!=" | b">=" | b"<=" | b"&&" | b"||")) => (Kind::Operator, 2),
        b'<' => match heredoc(rest) {
            Some(length) => (Kind::Heredoc, length),
            None => (Kind::Operator, 1),
        },
        b'>' | b'+' | b'/' | b'%' => (Kind::Operator, 1),
        b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'.' | b',' | b'=' | b':' | b'?' | b'*' | b'-' | b'!' => {
            (Kind::Mark(byte), 1)
        }
        _ => return None,
    })
}

/// A name or a number.
fn long(text: &str, at: usize) -> (Kind, usize) {
    let rest = &text.as_bytes()[at..];
    if rest[0].is_ascii_digit() {
        return (Kind::Number, number(rest));
    }
    match name(&text[at..]) {
        0 => (Kind::Bad, text[at..].chars().next().map_or(1, char::len_utf8)),
        length => (Kind::Name, length),
    }
}

/// The length of the name that a text begins with.
fn name(text: &str) -> usize {
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_' || *byte >= 0x80) {
        return 0;
    }
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-' {
            at += 1;
        } else if *byte >= 0x80
            && let Some(character) = text.get(at..).and_then(|rest| rest.chars().next())
            && may_stand(character, at == 0)
        {
            at += character.len_utf8();
        } else {
            break;
        }
    }
    at
}

/// Whether a character beyond ASCII may stand in a name.
fn may_stand(character: char, first: bool) -> bool {
    let name = if first { character.to_string() } else { format!("_{character}") };
    Ident::try_new(name).is_ok()
}

/// The length of the number that a text begins with: it never ends with a point.
fn number(rest: &[u8]) -> usize {
    let (mut at, mut end) = (1, 1);
    while let Some(byte) = rest.get(at) {
        match byte {
            b'0'..=b'9' => at += 1,
            b'.' => {
                at += 1;
                continue;
            }
            b'e' | b'E' => {
                let sign = usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
                if !rest.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
                    break;
                }
                at += 2 + sign;
            }
            _ => break,
        }
        end = at;
    }
    end
}

/// Whether a number that was cut as [`number`] does it has a value.
pub(super) fn is_number(text: &str) -> bool {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    digits.bytes().filter(|byte| *byte == b'.').count() <= 1 && exponent.parse::<i32>().is_ok()
}

/// The length of the introduction of a heredoc that a text begins with, line break included.
fn heredoc(rest: &[u8]) -> Option<usize> {
    let start = if rest.starts_with(b"<<-") { 3 } else { 2 };
    let line = rest.strip_prefix(b"<<").and_then(|_| rest.get(start..))?;
    let line = &line[..memchr::memchr(b'\n', line)?];
    let marker = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()?;
    (!marker.is_empty() && name(marker) == marker.len()).then_some(start + line.len() + 1)
}
