//! Strings, heredocs and labels.

use super::token::Kind;
use super::{Check, Checked, Token, refused};

/// A directive that is open.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Open {
    If,
    Else,
    For,
}

impl Check<'_> {
    fn rest(&self) -> &[u8] {
        self.text.as_bytes().get(self.at..).unwrap_or(&[])
    }

    /// The text of a label after its quote, up to and with the other one.
    pub(super) fn label(&mut self) -> Checked {
        while let Some(next) = memchr::memchr2(b'"', b'\n', self.rest()) {
            // What stands before is looked at up to the first thing that is not plain text.
            let special = self.rest()[..next].iter().position(|byte| matches!(byte, b'\\' | b'$' | b'%' | b'\r'));
            self.at += special.unwrap_or(next);
            match self.rest().first() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(b'$' | b'%') => {
                    if self.sequence() {
                        return refused(self.at, "a label holds no template");
                    }
                }
                _ => break,
            }
        }
        refused(self.at, "expected `\"` before the end of the line")
    }

    /// At `$` or `%`: whether a template sequence begins here. Otherwise it is stepped over, its escape as a whole.
    fn sequence(&mut self) -> bool {
        let rest = self.rest();
        if rest.starts_with(b"${") || rest.starts_with(b"%{") {
            return true;
        }
        self.at += if rest.starts_with(b"$${") || rest.starts_with(b"%%{") { 3 } else { 1 };
        false
    }

    /// Steps over an escape with a backslash.
    fn escape(&mut self) -> Checked {
        let rest = self.rest();
        let digits = match rest.get(1) {
            Some(b'n' | b'r' | b't' | b'"' | b'\\') => 0,
            Some(b'u') => 4,
            Some(b'U') => 8,
            _ => return refused(self.at, "this escape sequence is not known"),
        };
        let code = rest.get(2..2 + digits).filter(|code| code.iter().all(u8::is_ascii_hexdigit));
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        let is_character = |code| u32::from_str_radix(code, 16).is_ok_and(|code| char::from_u32(code).is_some());
        if digits > 0 && !code.is_some_and(is_character) {
            return refused(self.at, "this escape sequence is no character");
        }
        self.at += 2 + digits;
        Ok(())
    }

    /// A string after its quote, up to and with the other one.
    pub(super) fn quoted(&mut self, quote: Token) -> Checked {
        let mut open = Vec::new();
        loop {
            let rest = self.rest();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'$' | b'%' | b'\n' | b'\r'));
            self.at += plain.unwrap_or(rest.len());
            match self.rest().first() {
                Some(b'"') => {
                    self.at += 1;
                    return ended(&open, quote);
                }
                Some(b'\\') => self.escape()?,
                Some(b'$' | b'%') => {
                    if self.sequence() {
                        self.inside(Some(&mut open))?;
                    }
                }
                _ => return refused(self.at, "expected `\"` before the end of the line"),
            }
        }
    }

    /// A template up to the end of the text.
    pub(super) fn bare(&mut self) -> Checked {
        let mut open = Vec::new();
        while let Some(plain) = memchr::memchr2(b'$', b'%', self.rest()) {
            self.at += plain;
            if self.sequence() {
                self.inside(Some(&mut open))?;
            }
        }
        ended(&open, Token { kind: Kind::End, start: 0, end: 0 })
    }

    /// A heredoc after its introduction, up to and with its marker, the line break after it left out.
    pub(super) fn heredoc(&mut self, introduction: Token) -> Checked {
        let marker = self.slice(introduction).trim_start_matches("<<").trim_start_matches('-').trim_end();
        let mut open = Vec::new();
        let mut line_starts = true;
        loop {
            if std::mem::take(&mut line_starts) {
                let rest = self.rest();
                let Some(length) = memchr::memchr(b'\n', rest) else { break };
                let line = self.text.get(self.at..self.at + length).unwrap_or("");
                if line.trim() == marker {
                    self.at += line.strip_suffix('\r').unwrap_or(line).len();
                    return ended(&open, introduction);
                }
            }
            let Some(plain) = self.rest().iter().position(|byte| matches!(byte, b'$' | b'%' | b'\n' | b'\r')) else {
                break;
            };
            self.at += plain;
            match self.rest()[0] {
                b'\n' => {
                    self.at += 1;
                    line_starts = true;
                }
                b'\r' if self.rest().get(1) == Some(&b'\n') => self.at += 1,
                b'\r' => return refused(self.at, "a carriage return stands before no line break"),
                _ => {
                    if self.sequence() {
                        self.inside(Some(&mut open))?;
                    }
                }
            }
        }
        refused(introduction.start, "expected the end of this heredoc, on a line of its own")
    }

    /// A template sequence at the cursor; `open` when it must fit what is open around it.
    pub(super) fn inside(&mut self, open: Option<&mut Vec<Open>>) -> Checked {
        let control = self.rest()[0] == b'%';
        let start = self.at;
        self.at += 2;
        self.at += usize::from(self.rest().first() == Some(&b'~'));
        self.within(false, |check| {
            if control {
                check.directive(start, open)?;
            } else {
                check.expr()?;
            }
            if check.take(Kind::TrimEnd) {
                return Ok(());
            }
            check.expect(b'}', "expected `}`: a template sequence ends here")
        })
    }

    /// The inside of `%{ … }`.
    fn directive(&mut self, start: usize, open: Option<&mut Vec<Open>>) -> Checked {
        let begins = if self.word("if") {
            Some(Open::If)
        } else if self.word("for") {
            self.names()?;
            Some(Open::For)
        } else {
            None
        };
        if let Some(directive) = begins {
            if let Some(open) = open {
                open.push(directive);
            }
            return self.expr();
        }
        let Some(open) = open else {
            let known = self.word("else") || self.word("endif") || self.word("endfor");
            return if known { Ok(()) } else { refused(start, "expected a directive") };
        };
        let last = open.last().copied();
        if self.word("else") && last == Some(Open::If) {
            open.pop();
            open.push(Open::Else);
            Ok(())
        } else if (self.word("endif") && matches!(last, Some(Open::If | Open::Else)))
            || (self.word("endfor") && last == Some(Open::For))
        {
            open.pop();
            Ok(())
        } else {
            refused(start, "expected a directive that can stand here")
        }
    }
}

/// All directives of a template are closed where it ends.
fn ended(open: &[Open], template: Token) -> Checked {
    match open.last() {
        None => Ok(()),
        Some(Open::For) => refused(template.start, "expected `%{ endfor }` in this template"),
        Some(_) => refused(template.start, "expected `%{ endif }` in this template"),
    }
}
