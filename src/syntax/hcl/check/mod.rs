//! Whether Terraform's parser accepts a text, and where it refuses it. The parsers that build trees are each laxer in some
//! places and stricter in others; this is the grammar alone, token by token as Terraform reads it.

mod expr;
mod template;
mod token;

use std::ops::Range;
use token::{Kind, Token};

/// Deeper texts are not judged: each level of them is a level of calls here.
const MAX_DEPTH: usize = 300;

/// Why a text was not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is refused: the offset, and what is wrong there.
    Refused(usize, &'static str),
    /// It is nested too deeply to be judged.
    TooDeep,
}

type Checked<T = ()> = Result<T, Fault>;

/// A part of the structure of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// An attribute: where its name and its value stand.
    Attribute(Range<usize>, Range<usize>),
    /// A block begins: where its kind stands.
    Block(Range<usize>),
    /// A label of the block that began, quotes included.
    Label(Range<usize>),
    /// The innermost block ends here.
    Close(usize),
}

/// Reads a file.
pub(super) fn file(text: &str) -> Checked {
    Check::new(text, None).all().map(drop)
}

/// Reads a text that is one expression, over as many lines as it likes.
pub(super) fn expression(text: &str) -> Checked {
    let mut check = Check::new(text, None);
    check.newlines = false;
    check.expr()?;
    let next = check.peek();
    if next.kind == Kind::End { Ok(()) } else { refused(next.start, "expected the end of the expression") }
}

/// Reads a text that is a template as a whole.
pub(super) fn template(text: &str) -> Checked {
    let mut check = Check::new(text, None);
    check.at = 0;
    check.bare()
}

/// The offset after the template sequence that begins at an offset, when it is right in itself.
pub(super) fn sequence(text: &str, at: usize) -> Option<usize> {
    let mut check = Check::new(text, None);
    check.at = at;
    check.inside(None).ok().map(|()| check.at)
}

/// Reads a file; what it consists of.
pub(super) fn outline(text: &str) -> Checked<Vec<Event>> {
    Check::new(text, Some(Vec::new())).all()
}

struct Check<'a> {
    text: &'a str,
    at: usize,
    /// Line breaks count.
    newlines: bool,
    depth: usize,
    /// The token that comes next, when it was looked at from here and with line breaks counting as now.
    peeked: Option<(usize, bool, Token)>,
    /// What was found, when that is asked for.
    events: Option<Vec<Event>>,
}

fn refused<T>(at: usize, message: &'static str) -> Checked<T> {
    Err(Fault::Refused(at, message))
}

impl<'a> Check<'a> {
    fn new(text: &'a str, events: Option<Vec<Event>>) -> Self {
        let at = if text.starts_with('\u{FEFF}') { 3 } else { 0 };
        Self { text, at, newlines: true, depth: 0, peeked: None, events }
    }

    fn all(mut self) -> Checked<Vec<Event>> {
        self.body(Kind::End, self.at)?;
        Ok(self.events.unwrap_or_default())
    }

    fn note(&mut self, event: Event) {
        if let Some(events) = &mut self.events {
            events.push(event);
        }
    }

    fn peek(&mut self) -> Token {
        if let Some((at, newlines, token)) = self.peeked
            && at == self.at
            && newlines == self.newlines
        {
            return token;
        }
        let token = token::token(self.text, self.at, self.newlines);
        self.peeked = Some((self.at, self.newlines, token));
        token
    }

    fn read(&mut self) -> Token {
        let token = self.peek();
        self.at = token.end;
        token
    }

    /// Reads the next token if it is of a kind.
    fn take(&mut self, kind: Kind) -> bool {
        let token = self.peek();
        if token.kind == kind {
            self.at = token.end;
        }
        token.kind == kind
    }

    fn mark(&mut self, mark: u8) -> bool {
        self.take(Kind::Mark(mark))
    }

    fn expect(&mut self, mark: u8, message: &'static str) -> Checked {
        if self.mark(mark) { Ok(()) } else { refused(self.peek().start, message) }
    }

    fn slice(&self, token: Token) -> &'a str {
        self.text.get(token.start..token.end).unwrap_or("")
    }

    fn word(&mut self, word: &str) -> bool {
        let token = self.peek();
        let found = token.kind == Kind::Name && self.slice(token) == word;
        if found {
            self.at = token.end;
        }
        found
    }

    /// Runs a part of the grammar a level deeper, with line breaks counting or not.
    fn within<T>(&mut self, newlines: bool, run: impl FnOnce(&mut Self) -> Checked<T>) -> Checked<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.depth += 1;
        let outer = std::mem::replace(&mut self.newlines, newlines);
        let result = run(self);
        self.newlines = outer;
        self.depth -= 1;
        result
    }

    /// The inside of a file, or of a block that `opened` where its brace is; up to and with its end.
    fn body(&mut self, end: Kind, opened: usize) -> Checked {
        let mut names = Vec::new();
        loop {
            let token = self.read();
            match token.kind {
                Kind::Newline => {}
                kind if kind == end => return self.distinct(names),
                Kind::Name => {
                    if self.item(token)? {
                        names.push(token);
                    }
                }
                Kind::Quote => return refused(token.start, "the name of an argument is not quoted"),
                Kind::End => return refused(opened, "expected `}`: this block is not closed"),
                _ => return refused(token.start, "expected an argument or a block"),
            }
        }
    }

    /// No two attributes have one name.
    fn distinct(&self, mut names: Vec<Token>) -> Checked {
        names.sort_unstable_by_key(|name| (self.slice(*name), name.start));
        let twice = names.windows(2).filter(|pair| self.slice(pair[0]) == self.slice(pair[1]));
        match twice.map(|pair| pair[1].start).min() {
            Some(at) => refused(at, "redefined attribute: each may be set once"),
            None => Ok(()),
        }
    }

    /// An attribute (true) or a block whose first name was read.
    fn item(&mut self, name: Token) -> Checked<bool> {
        match self.peek().kind {
            Kind::Mark(b'=') => {
                self.attribute(name)?;
                let next = self.peek();
                if !self.line_end() {
                    return refused(next.start, "expected newline after the argument");
                }
                Ok(true)
            }
            Kind::Quote | Kind::Mark(b'{') | Kind::Name => self.block(name).map(|()| false),
            _ => refused(name.start, "expected `=` or `{` after the name"),
        }
    }

    /// An attribute whose name was read and whose `=` comes next.
    fn attribute(&mut self, name: Token) -> Checked {
        self.read();
        let start = self.peek().start;
        self.expr()?;
        self.note(Event::Attribute(name.start..name.end, start..self.at));
        Ok(())
    }

    /// Reads the line break after an item; the end of the text does as well.
    fn line_end(&mut self) -> bool {
        let kind = self.peek().kind;
        if kind == Kind::Newline {
            self.read();
        }
        matches!(kind, Kind::Newline | Kind::End)
    }

    /// A block whose kind was read.
    fn block(&mut self, kind: Token) -> Checked {
        self.note(Event::Block(kind.start..kind.end));
        let open = loop {
            let token = self.read();
            match token.kind {
                Kind::Mark(b'{') => break token.start,
                Kind::Name => {}
                Kind::Quote => self.label()?,
                _ => return refused(token.start, "expected `{` or a label in quotes"),
            }
            self.note(Event::Label(token.start..self.at));
        };
        self.within(true, |check| match check.peek().kind {
            Kind::Newline | Kind::End | Kind::Mark(b'}') => check.body(Kind::Mark(b'}'), open),
            _ => check.single(),
        })?;
        self.note(Event::Close(self.at));
        let next = self.peek();
        if self.line_end() { Ok(()) } else { refused(next.start, "expected newline after the block") }
    }

    /// The inside of a block on one line: one attribute.
    fn single(&mut self) -> Checked {
        let name = self.read();
        if name.kind != Kind::Name || self.peek().kind != Kind::Mark(b'=') {
            return refused(name.start, "expected one argument, or a new line after `{`");
        }
        self.attribute(name)?;
        self.expect(b'}', "expected `}`: a block that begins on this line has one argument and ends on it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_where_terraform_sees_them() {
        for (text, at, part) in [
            ("a = 1 b = 2\n", 6, "newline"),
            ("a = 1\na = 2\n", 6, "redefined"),
            ("a = \"b\n\"\n", 6, "before the end of the line"),
            ("a {\n  b = 1\n", 2, "not closed"),
            ("a \"b\n\" {\n}\n", 4, "before the end of the line"),
            ("a \"${b}\" {\n}\n", 3, "label"),
            ("a = 1.2.3\n", 4, "number"),
            ("a = <<E\nb\nE", 4, "heredoc"),
            ("a = \"\\d\"\n", 5, "escape"),
            ("a = [for b in c : d => e]\n", 18, "key"),
            ("a = {for b in c : d}\n", 18, "key"),
            ("a = 'b'\n", 4, "expression"),
            ("a = \"%{ if b }\"\n", 4, "endif"),
        ] {
            match file(text) {
                Err(Fault::Refused(found, message)) => {
                    assert_eq!(found, at, "{text}: {message}");
                    assert!(message.contains(part), "{text}: {message}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn depth_has_an_end() {
        for (open, close) in [("[", "]"), ("(", ")"), ("{a=", "}"), ("\"${", "}\""), ("f(", ")"), ("a[", "]")] {
            let text = format!("x = {}1{}\n", open.repeat(100_000), close.repeat(100_000));
            assert_eq!(file(&text), Err(Fault::TooDeep), "{open}");
            let text = format!("x = {}1{}\n", open.repeat(100), close.repeat(100));
            assert_eq!(file(&text), Ok(()), "{open}");
        }
        assert_eq!(file(&"a {\n".repeat(100_000)), Err(Fault::TooDeep));
    }

    #[test]
    fn the_outline_of_a_file() {
        let text = "\u{FEFF}a = <<B\n B\n\nb \"c\" d {\n  d = (1) # e\n}\ne { f = 2 }";
        let events = outline(text).expect("it is right");
        let parts: Vec<&str> = events
            .iter()
            .flat_map(|event| match event {
                Event::Attribute(name, value) => vec![&text[name.clone()], &text[value.clone()]],
                Event::Block(range) | Event::Label(range) => vec![&text[range.clone()]],
                Event::Close(end) => vec![&text[end - 1..*end]],
            })
            .collect();
        assert_eq!(parts, ["a", "<<B\n B", "b", "\"c\"", "d", "d", "(1)", "}", "e", "f", "2", "}"]);
    }
}
