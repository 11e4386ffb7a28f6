//! Expressions.

use super::token::{self, Kind};
use super::{Check, Checked, Token, refused};

impl Check<'_> {
    /// An expression. Which operator binds how is nothing to the question whether it is one.
    pub(super) fn expr(&mut self) -> Checked {
        self.term()?;
        loop {
            match self.peek().kind {
                Kind::Operator | Kind::Mark(b'*' | b'-') => {
                    self.read();
                    self.term()?;
                }
                Kind::Mark(b'?') => {
                    self.read();
                    self.within(self.newlines, Self::expr)?;
                    self.expect(b':', "expected `:` and the other result of the condition")?;
                    // What follows is an expression of its own up to the end of this one.
                    self.term()?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// An operand with what is taken of it.
    fn term(&mut self) -> Checked {
        while self.mark(b'-') || self.mark(b'!') {}
        let start = self.read();
        match start.kind {
            Kind::Mark(b'(') => self.within(false, |check| {
                check.expr()?;
                check.expect(b')', "expected `)`")
            })?,
            Kind::Number => self.number(start)?,
            Kind::Name => {
                if matches!(self.peek().kind, Kind::Mark(b'(') | Kind::DoubleColon) {
                    self.call()?;
                }
            }
            Kind::Quote => self.quoted(start)?,
            Kind::Heredoc => self.heredoc(start)?,
            Kind::Mark(b'[') => self.tuple(start.start)?,
            Kind::Mark(b'{') => self.object(start.start)?,
            _ => return refused(start.start, "expected an expression"),
        }
        self.traversal()
    }

    fn number(&self, number: Token) -> Checked {
        if token::is_number(self.slice(number)) { Ok(()) } else { refused(number.start, "this is no number") }
    }

    fn traversal(&mut self) -> Checked {
        loop {
            if self.mark(b'.') {
                let step = self.read();
                match step.kind {
                    Kind::Name => {}
                    Kind::Number => self.legacy_index(step)?,
                    Kind::Mark(b'*') => self.splat()?,
                    _ => return refused(step.start, "expected a name after the point"),
                }
            } else if self.mark(b'[') {
                if self.mark(b'*') {
                    self.expect(b']', "expected `]`")?;
                } else {
                    self.within(false, |check| {
                        check.expr()?;
                        check.expect(b']', "expected `]`")
                    })?;
                }
            } else {
                return Ok(());
            }
        }
    }

    fn legacy_index(&self, index: Token) -> Checked {
        if self.slice(index).contains('.') {
            return refused(index.start, "two indexes in a row are written `[0][1]`");
        }
        self.number(index)
    }

    /// What follows `.*`: names and numbers only.
    fn splat(&mut self) -> Checked {
        while self.mark(b'.') {
            let step = self.read();
            match step.kind {
                Kind::Name => {}
                Kind::Number => self.legacy_index(step)?,
                _ => return refused(step.start, "expected a name after the point"),
            }
        }
        Ok(())
    }

    /// A call whose first name was read.
    fn call(&mut self) -> Checked {
        while self.take(Kind::DoubleColon) {
            let name = self.read();
            if name.kind != Kind::Name {
                return refused(name.start, "expected a name after `::`");
            }
        }
        self.expect(b'(', "expected `(` after the name of a function")?;
        self.within(false, |check| {
            while !check.mark(b')') {
                check.expr()?;
                if check.take(Kind::Ellipsis) {
                    return check.expect(b')', "expected `)` after `...`");
                }
                if !check.mark(b',') {
                    return check.expect(b')', "expected `,` or `)`");
                }
            }
            Ok(())
        })
    }

    fn tuple(&mut self, open: usize) -> Checked {
        self.within(false, |check| {
            if check.word("for") {
                return check.walk(b']');
            }
            while !check.mark(b']') {
                check.expr()?;
                if !check.mark(b',') {
                    check.closed(b']', open)?;
                    return check.expect(b']', "expected `,` or `]`");
                }
            }
            Ok(())
        })
    }

    fn object(&mut self, open: usize) -> Checked {
        self.within(true, |check| {
            check.newlines = false;
            if check.word("for") {
                return check.walk(b'}');
            }
            check.newlines = true;
            loop {
                while check.take(Kind::Newline) {}
                if check.mark(b'}') {
                    return Ok(());
                }
                check.closed(b'}', open)?;
                check.expr()?;
                if !check.mark(b'=') && !check.mark(b':') {
                    check.closed(b'}', open)?;
                    return refused(check.peek().start, "expected `=` after the key");
                }
                check.expr()?;
                if !check.mark(b',') && !check.take(Kind::Newline) {
                    check.closed(b'}', open)?;
                    return check.expect(b'}', "expected `,`, a new line or `}`");
                }
            }
        })
    }

    /// At the end of the text the fault is where the bracket opens.
    fn closed(&mut self, close: u8, open: usize) -> Checked {
        match (self.peek().kind, close) {
            (Kind::End, b']') => refused(open, "expected `]`: this list is not closed"),
            (Kind::End, _) => refused(open, "expected `}`: this object is not closed"),
            _ => Ok(()),
        }
    }

    /// A `for` expression after its first word, up to and with its end.
    fn walk(&mut self, close: u8) -> Checked {
        self.names()?;
        self.expr()?;
        self.expect(b':', "expected `:` after what `for` walks")?;
        let first = self.peek().start;
        self.expr()?;
        let keyed = self.take(Kind::Arrow);
        if keyed {
            self.expr()?;
        }
        let ellipsis = self.peek();
        let group = self.take(Kind::Ellipsis);
        if self.word("if") {
            self.expr()?;
        }
        self.expect(close, "expected the end of the `for` expression")?;
        match close {
            b']' if keyed => refused(first, "a `for` that makes a list has no key"),
            b']' if group => refused(ellipsis.start, "a `for` that makes a list does not group"),
            b'}' if !keyed => refused(first, "a `for` that makes an object has a key and `=>`"),
            _ => Ok(()),
        }
    }

    /// `key, value in` or `value in`.
    pub(super) fn names(&mut self) -> Checked {
        let mut name = self.read();
        if name.kind == Kind::Name && self.mark(b',') {
            name = self.read();
        }
        if name.kind != Kind::Name {
            return refused(name.start, "expected a name after `for`");
        }
        if self.word("in") { Ok(()) } else { refused(self.peek().start, "expected `in`") }
    }
}
