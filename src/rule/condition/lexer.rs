//! Text of a condition to tokens.

use super::ConditionError;
use crate::text::Span;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or a keyword.
    Name(String),
    /// A string with its escapes resolved.
    Str(String),
    /// A whole number.
    Int(i64),
    /// Punctuation, as written.
    Sign(&'static str),
    /// After the last.
    End,
}

const SIGNS: [&str; 18] =
    ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "[", "]", ",", ".", "-", "=", "+"];

/// Splits `text`; the last token is always [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Span)>, ConditionError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (token, end) = token(text, at, first)?;
        found.push((token, Span::new(at, end)));
        at = end;
    }
    found.push((Token::End, Span::new(text.len(), text.len())));
    Ok(found)
}

fn token(text: &str, at: usize, first: char) -> Result<(Token, usize), ConditionError> {
    let rest = text.get(at..).unwrap_or_default();
    if first == '"' || first == '\'' {
        return string(text, at, first, false);
    }
    if let Some(quote @ ('"' | '\'')) = rest.strip_prefix('r').and_then(|rest| rest.chars().next()) {
        return string(text, at + 1, quote, true);
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        return Ok((Token::Name(rest[..len].to_owned()), at + len));
    }
    if first.is_ascii_digit() {
        let len = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let span = Span::new(at, at + len);
        let value = rest[..len].parse().map_err(|_| ConditionError::new(span, "expected a whole number"))?;
        return Ok((Token::Int(value), at + len));
    }
    match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        Some(sign @ (&"=" | &"+")) => {
            let message = if **sign == *"=" { "`=` tests nothing; write `==`" } else { "there is no arithmetic here" };
            Err(ConditionError::new(Span::new(at, at + 1), message))
        }
        Some(sign) => Ok((Token::Sign(sign), at + sign.len())),
        None => {
            let span = Span::new(at, at + first.len_utf8());
            Err(ConditionError::new(span, format!("`{first}` has no meaning here")))
        }
    }
}

fn string(text: &str, open: usize, quote: char, raw: bool) -> Result<(Token, usize), ConditionError> {
    let mut value = String::new();
    let mut chars = text.get(open + 1..).unwrap_or_default().char_indices();
    while let Some((offset, c)) = chars.next() {
        let at = open + 1 + offset;
        match c {
            c if c == quote => return Ok((Token::Str(value), at + 1)),
            '\\' if !raw => match chars.next().map(|(_, escaped)| escaped) {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some(escaped @ ('\\' | '"' | '\'')) => value.push(escaped),
                other => {
                    let end = at + 1 + other.map_or(0, char::len_utf8);
                    let message = "no such escape; write `\\\\` for a backslash, or the string as r\"…\"";
                    return Err(ConditionError::new(Span::new(at, end), message));
                }
            },
            c => value.push(c),
        }
    }
    Err(ConditionError::new(Span::new(open, text.len()), "the string is not closed"))
}
