//! Words of Python and JavaScript: names, strings, marks; comments left out.

use super::Language;
use crate::text::{Mapped, Span};

#[derive(Debug)]
pub(super) enum Word<'t> {
    Name(&'t str),
    Text(Mapped),
    Mark(char),
}

#[derive(Debug)]
pub(super) struct Token<'t> {
    pub(super) word: Word<'t>,
    pub(super) span: Span,
    /// It begins a statement.
    pub(super) first: bool,
    /// How deep its statement stands: blanks before it, or braces around it.
    pub(super) indent: u32,
    /// The token that closes this bracket.
    pub(super) closes: Option<usize>,
}

struct Lexer<'t> {
    text: &'t str,
    language: Language,
    at: usize,
    tokens: Vec<Token<'t>>,
    open: Vec<(char, usize)>,
    first: bool,
    indent: u32,
}

/// A text has no more words than this.
const MAX_TOKENS: usize = 400_000;

pub(super) fn tokens(text: &str, language: Language) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, language, at: 0, tokens: Vec::new(), open: Vec::new(), first: true, indent: 0 };
    lexer.indentation();
    while lexer.at < text.len() && lexer.tokens.len() < MAX_TOKENS {
        lexer.next();
    }
    lexer.tokens
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn python(&self) -> bool {
        self.language == Language::Python
    }

    /// Whether a line break ends the statement: in Python outside of brackets, in JavaScript outside of round and square ones.
    fn line_ends(&self) -> bool {
        self.open.iter().all(|(open, _)| !self.python() && *open == '{')
            || !self.python() && self.open.last().is_none_or(|(open, _)| *open == '{')
    }

    fn indentation(&mut self) {
        if self.python() {
            let line = self.rest();
            let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
            self.indent = u32::try_from(blanks).unwrap_or(u32::MAX);
        }
    }

    fn push(&mut self, word: Word<'t>, start: usize) {
        let indent = if self.python() {
            self.indent
        } else {
            u32::try_from(self.open.iter().filter(|(open, _)| *open == '{').count()).unwrap_or(u32::MAX)
        };
        let span = Span::new(start, self.at);
        self.tokens.push(Token { word, span, first: self.first, indent, closes: None });
        self.first = false;
    }

    fn next(&mut self) {
        let (rest, start) = (self.rest(), self.at);
        let Some(c) = rest.chars().next() else { return };
        let line_end = || rest.find('\n').unwrap_or(rest.len());
        match c {
            '\n' => {
                self.at += 1;
                if self.line_ends() {
                    self.first = true;
                    self.indentation();
                }
            }
            '\\' if self.python() => self.at += if rest.starts_with("\\\n") { 2 } else { 1 },
            '#' if self.python() => self.at += line_end(),
            '/' if !self.python() && rest.starts_with("//") => self.at += line_end(),
            '/' if !self.python() && rest.starts_with("/*") => {
                self.at += rest.find("*/").map_or(rest.len(), |end| end + 2);
            }
            _ if c.is_whitespace() => self.at += c.len_utf8(),
            '"' | '\'' => self.string(start, ""),
            '`' if !self.python() => self.string(start, "f"),
            _ if c.is_alphabetic() || c == '_' || c == '$' => {
                let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
                let name = &rest[..len];
                let prefix = self.python() && len <= 2 && name.chars().all(|c| "rRbBfFuU".contains(c));
                self.at += len;
                if prefix && self.rest().starts_with(['"', '\'']) {
                    self.string(start, name);
                } else {
                    self.push(Word::Name(name), start);
                }
            }
            _ if c.is_ascii_digit() => {
                self.at += rest.find(|c: char| !c.is_alphanumeric() && c != '.' && c != '_').unwrap_or(rest.len());
                self.push(Word::Mark('0'), start);
            }
            _ => self.mark(c, start),
        }
    }

    fn mark(&mut self, c: char, start: usize) {
        self.at += c.len_utf8();
        if matches!(c, ')' | ']' | '}') {
            let pair = match c {
                ')' => '(',
                ']' => '[',
                _ => '{',
            };
            if let Some(at) = self.open.iter().rposition(|(open, _)| *open == pair) {
                let (_, opener) = self.open[at];
                self.open.truncate(at);
                let here = self.tokens.len();
                self.tokens[opener].closes = Some(here);
            }
            self.push(Word::Mark(c), start);
            self.first |= c == '}' && self.line_ends() && !self.python();
            return;
        }
        self.push(Word::Mark(c), start);
        if matches!(c, '(' | '[' | '{') {
            self.open.push((c, self.tokens.len() - 1));
        }
        self.first |= c == ';' || c == '{' && !self.python();
    }

    /// A string whose quotes begin here; with `f` in its prefix, what stands in braces is filled in.
    fn string(&mut self, start: usize, prefix: &str) {
        let Some(quote) = self.rest().chars().next() else { return };
        let lower = prefix.to_ascii_lowercase();
        let (raw, filled) = (lower.contains('r'), lower.contains('f'));
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        let long = self.python() && self.rest().starts_with(&triple);
        let end = if long { triple.as_str() } else { &triple[..1] };
        let many_lines = long || quote == '`';
        self.at += end.len();
        let mut text = Mapped::default();
        let mut plain = self.at;
        while let Some(c) = self.rest().chars().next() {
            let rest = self.rest();
            if rest.starts_with(end) || c == '\n' && !many_lines {
                break;
            }
            let hole =
                filled && if quote == '`' { rest.starts_with("${") } else { c == '{' && !rest.starts_with("{{") };
            if c != '\\' && !hole && !(filled && quote != '`' && (rest.starts_with("{{") || rest.starts_with("}}"))) {
                self.at += c.len_utf8();
                continue;
            }
            let before = self.at;
            text.push(&self.text[plain..before], Span::new(plain, plain).start);
            if hole {
                self.at += closing_brace(rest);
                text.push_hole(Span::new(before, self.at));
            } else if c == '\\' {
                self.escape(raw, &mut text);
            } else {
                self.at += 2;
                text.push_for(&rest[..1], Span::new(before, self.at));
            }
            plain = self.at;
        }
        text.push(&self.text[plain..self.at], Span::new(plain, plain).start);
        if self.rest().starts_with(end) {
            self.at += end.len();
        }
        self.push(Word::Text(text), start);
    }

    fn escape(&mut self, raw: bool, text: &mut Mapped) {
        let start = self.at;
        let escaped = self.rest().chars().nth(1);
        self.at += 1 + escaped.map_or(0, char::len_utf8);
        let span = Span::new(start, self.at);
        match escaped {
            Some(_) if raw => text.push_for(span.slice(self.text), span),
            Some('n') => text.push_for("\n", span),
            Some('t') => text.push_for("\t", span),
            Some('\n') | None => {}
            Some(other) => text.push_for(other.encode_utf8(&mut [0; 4]), span),
        }
    }
}

/// How long a part in braces is; one that never ends takes its line.
fn closing_brace(text: &str) -> usize {
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            '\n' => return at,
            _ => {}
        }
    }
    text.len()
}
