//! Calls in Python and JavaScript, as far as they say which program is run: strings, lists of strings, names and what they are set
//! to. Neither language is parsed; what is not understood is an unknown expression.

mod lex;

use crate::text::{Mapped, Span};
use lex::{Token, Word};

/// Which of the two languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Indentation makes blocks.
    Python,
    /// Braces make blocks.
    JavaScript,
}

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A string, what is filled in being holes.
    Text(Mapped),
    /// A list or tuple.
    List(Vec<Expr>, Span),
    /// A name, dots included.
    Name(Box<str>, Span),
    /// `a + b`.
    Sum(Vec<Expr>),
    /// `*a`, `...a`.
    Spread(Box<Expr>),
    /// A text at its blanks: `a.split()`, `shlex.split(a)`.
    Split(Box<Expr>),
    /// Anything else.
    Other(Span),
}

/// A call, by what is called and what it is given.
#[derive(Debug)]
pub struct Call {
    /// The name, dots included.
    pub name: Box<str>,
    /// From the name to the closing bracket.
    pub span: Span,
    /// The positional arguments.
    pub args: Vec<Expr>,
    /// The named ones.
    pub named: Vec<(Box<str>, Expr)>,
    /// How deep the statement stands.
    pub indent: u32,
}

/// What a name is set to, or what is added to it.
#[derive(Debug)]
pub struct Assignment {
    /// The name.
    pub name: Box<str>,
    /// The value.
    pub value: Expr,
    /// Whether it is added to what is there (`+=`, `append`, `push`).
    pub adds: bool,
    /// Where it stands.
    pub start: u32,
    /// How deep it stands.
    pub indent: u32,
}

/// A function and the lines that belong to it.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: Box<str>,
    /// Its parameters.
    pub parameters: Vec<Box<str>>,
    /// From its name to its last line.
    pub span: Span,
    indent: u32,
}

/// The first words of a statement that decides or asks.
#[derive(Debug)]
pub struct Statement {
    /// Its line, up to 200 bytes.
    pub span: Span,
    /// How deep it stands.
    pub indent: u32,
}

/// What a program says about calls.
#[derive(Debug, Default)]
pub struct Program {
    /// Calls of the names that were asked for.
    pub calls: Vec<Call>,
    /// Assignments of strings and lists.
    pub assignments: Vec<Assignment>,
    /// Functions, in source order.
    pub functions: Vec<Function>,
    /// Every line with code, in source order.
    pub statements: Vec<Statement>,
}

/// Expressions in expressions are followed so deep.
const MAX_DEPTH: u32 = 10;
/// A list or call with more than this is not read further.
const MAX_ITEMS: usize = 256;
/// A file has no more calls than this.
const MAX_CALLS: usize = 4000;
/// A text longer than this is not read.
const MAX_BYTES: usize = 1 << 20;
const MAX_LINE: usize = 200;

struct Reader<'t> {
    text: &'t str,
    tokens: Vec<Token<'t>>,
    language: Language,
}

/// Reads a program; of calls, those whose last name `wanted` says yes to.
#[must_use]
pub fn parse(text: &str, language: Language, wanted: impl Fn(&str) -> bool) -> Program {
    let mut program = Program::default();
    if text.len() > MAX_BYTES {
        return program;
    }
    let reader = Reader { text, tokens: lex::tokens(text, language), language };
    reader.functions(&mut program);
    let own: Vec<Box<str>> = program.functions.iter().map(|function| function.name.clone()).collect();
    let wanted = |name: &str| wanted(name) || own.iter().any(|known| &**known == name);
    for at in 0..reader.tokens.len() {
        if program.calls.len() >= MAX_CALLS {
            break;
        }
        reader.statement(at, &mut program);
        reader.call(at, &wanted, &mut program);
    }
    program
}

impl<'t> Reader<'t> {
    fn word(&self, at: usize) -> Option<&Word<'t>> {
        self.tokens.get(at).map(|token| &token.word)
    }

    fn is(&self, at: usize, mark: char) -> bool {
        matches!(self.word(at), Some(Word::Mark(found)) if *found == mark)
    }

    fn name(&self, at: usize) -> Option<&'t str> {
        if let Some(Word::Name(name)) = self.word(at) { Some(name) } else { None }
    }

    fn span(&self, at: usize) -> Span {
        self.tokens.get(at).map_or(Span::new(self.text.len(), self.text.len()), |token| token.span)
    }

    /// Whether a token begins a statement.
    fn starts(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.first)
    }

    fn functions(&self, program: &mut Program) {
        for at in 0..self.tokens.len() {
            let Some(keyword) = self.name(at) else { continue };
            let named =
                matches!((keyword, self.language), ("def", Language::Python) | ("function", Language::JavaScript));
            let Some(name) = self.name(at + 1).filter(|_| named && self.is(at + 2, '(')) else { continue };
            let close = self.closing(at + 2);
            let mut parameters: Vec<Box<str>> = Vec::new();
            for inner in at + 3..close {
                let begins = self.is(inner - 1, '(') || self.is(inner - 1, ',') || self.is(inner - 1, '*');
                if let Some(name) = self.name(inner).filter(|_| begins) {
                    parameters.push(name.into());
                }
            }
            let indent = self.tokens[at].indent;
            let inside =
                self.tokens.iter().skip(close + 1).take_while(|token| !(token.first && token.indent <= indent));
            let end = inside.last().map_or(self.span(close), |token| token.span);
            program.functions.push(Function { name: name.into(), parameters, span: self.span(at).to(end), indent });
        }
    }

    fn statement(&self, at: usize, program: &mut Program) {
        let Some(token) = self.tokens.get(at).filter(|token| token.first) else { return };
        let rest = &self.text[token.span.start as usize..];
        let mut end = rest.find('\n').unwrap_or(rest.len()).min(MAX_LINE);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let start = token.span.start as usize;
        program.statements.push(Statement { span: Span::new(start, start + end), indent: token.indent });
        let mut name_at = at;
        while self.name(name_at).is_some_and(|name| matches!(name, "const" | "let" | "var" | "export")) {
            name_at += 1;
        }
        let Some(name) = self.name(name_at) else { return };
        let (adds, value) = if self.is(name_at + 1, '=') && !self.is(name_at + 2, '=') {
            (false, name_at + 2)
        } else if self.is(name_at + 1, '+') && self.is(name_at + 2, '=') {
            (true, name_at + 3)
        } else {
            return;
        };
        let (value, _) = self.expr(value, 0);
        if !matches!(value, Expr::Other(_)) {
            let (start, indent) = (token.span.start, token.indent);
            program.assignments.push(Assignment { name: name.into(), value, adds, start, indent });
        }
    }

    fn call(&self, at: usize, wanted: &impl Fn(&str) -> bool, program: &mut Program) {
        let Some(open) = self.path_end(at).filter(|open| self.is(*open, '(')) else { return };
        // The rest of a dotted name is no call of its own, and a definition is none at all.
        let before = at.checked_sub(1);
        let inside = before.is_some_and(|before| {
            self.is(before, '.') || matches!(self.name(before), Some("def" | "function" | "class"))
        });
        let Some(last) = self.name(open - 1).filter(|_| !inside) else { return };
        if !wanted(last) && !matches!(last, "append" | "extend" | "push") {
            return;
        }
        let name: Box<str> = self.text[self.span(at).start as usize..self.span(open - 1).end as usize].into();
        let (mut args, mut named) = (Vec::new(), Vec::new());
        let close = self.closing(open);
        let mut next = open + 1;
        while next < close && args.len() + named.len() < MAX_ITEMS {
            let key = self.name(next).filter(|_| self.is(next + 1, '=') && !self.is(next + 2, '='));
            let (value, end) = self.expr(if key.is_some() { next + 2 } else { next }, 0);
            match key {
                Some(key) => named.push((key.into(), value)),
                None => args.push(value),
            }
            next = self.after_comma(end, close);
        }
        let token = &self.tokens[at];
        if let Some((list, _)) = name.rsplit_once('.').filter(|(list, added)| !list.contains('.') && !wanted(added)) {
            let adds = |value| Assignment {
                name: list.into(),
                value,
                adds: true,
                start: token.span.start,
                indent: token.indent,
            };
            let one = last != "extend";
            let all = args.into_iter();
            program
                .assignments
                .extend(all.map(|value| adds(if one { Expr::List(vec![value], token.span) } else { value })));
            return;
        }
        let span = token.span.to(self.span(close));
        program.calls.push(Call { name, span, args, named, indent: token.indent });
    }

    /// The token after a dotted name that begins here.
    fn path_end(&self, at: usize) -> Option<usize> {
        self.name(at)?;
        let mut end = at + 1;
        while self.is(end, '.') && self.name(end + 1).is_some() {
            end += 2;
        }
        Some(end)
    }

    /// The token that closes the bracket at `open`, or the last one.
    fn closing(&self, open: usize) -> usize {
        self.tokens.get(open).and_then(|token| token.closes).unwrap_or(self.tokens.len().saturating_sub(1)).max(open)
    }

    /// The token after the next comma of this level, at most `close`.
    fn after_comma(&self, mut at: usize, close: usize) -> usize {
        while at < close {
            match self.word(at) {
                Some(Word::Mark(',')) => return at + 1,
                Some(Word::Mark('(' | '[' | '{')) => at = self.closing(at) + 1,
                _ => at += 1,
            }
        }
        close
    }

    /// The expression that begins at a token, and the token after it.
    fn expr(&self, at: usize, depth: u32) -> (Expr, usize) {
        let (first, mut end) = self.item(at, depth);
        let mut sum = vec![first];
        while self.is(end, '+') && !self.is(end + 1, '=') && sum.len() < MAX_ITEMS {
            let (next, after) = self.item(end + 1, depth);
            sum.push(next);
            end = after;
        }
        // What goes on in another way than that is something else.
        let goes_on = match self.word(end) {
            None => false,
            Some(Word::Mark(mark)) => !matches!(mark, ',' | ')' | ']' | '}' | ';') && !self.starts(end),
            Some(_) => !self.starts(end),
        };
        if goes_on {
            return (Expr::Other(self.span(at)), end);
        }
        match sum.len() {
            1 => (sum.remove(0), end),
            _ => (Expr::Sum(sum), end),
        }
    }

    fn item(&self, at: usize, depth: u32) -> (Expr, usize) {
        let other = Expr::Other(self.span(at));
        if depth > MAX_DEPTH {
            return (other, at + 1);
        }
        match self.word(at) {
            Some(Word::Text(text)) => {
                let mut whole = text.clone();
                let mut end = at + 1;
                // Strings side by side are one.
                while let Some(Word::Text(next)) = self.word(end).filter(|_| self.language == Language::Python) {
                    whole.append(next);
                    end += 1;
                }
                self.behind(Expr::Text(whole), end)
            }
            Some(Word::Mark('[')) => self.list(at, depth),
            Some(Word::Mark('(')) if self.language == Language::Python => self.list(at, depth),
            Some(Word::Mark('*')) => {
                let (inner, end) = self.item(at + 1, depth + 1);
                (Expr::Spread(Box::new(inner)), end)
            }
            Some(Word::Mark('.')) if self.is(at + 1, '.') && self.is(at + 2, '.') => {
                let (inner, end) = self.item(at + 3, depth + 1);
                (Expr::Spread(Box::new(inner)), end)
            }
            Some(Word::Name(_)) => {
                let Some(end) = self.path_end(at) else { return (other, at + 1) };
                let span = self.span(at).to(self.span(end - 1));
                let name = span.slice(self.text);
                if self.is(end, '(') {
                    let after = self.closing(end) + 1;
                    let whole = Span::new(span.start as usize, self.span(after - 1).end as usize);
                    return match name {
                        "shlex.split" => {
                            let (inner, _) = self.expr(end + 1, depth + 1);
                            (Expr::Split(Box::new(inner)), after)
                        }
                        _ => (Expr::Other(whole), after),
                    };
                }
                self.behind(Expr::Name(name.into(), span), end)
            }
            _ => (other, at + 1),
        }
    }

    /// `….split()` behind an expression; a call or an index behind it is something else.
    fn behind(&self, of: Expr, end: usize) -> (Expr, usize) {
        if self.is(end, '.') && self.name(end + 1) == Some("split") && self.is(end + 2, '(') {
            return (Expr::Split(Box::new(of)), self.closing(end + 2) + 1);
        }
        (of, end)
    }

    fn list(&self, open: usize, depth: u32) -> (Expr, usize) {
        let close = self.closing(open);
        let mut items = Vec::new();
        let mut next = open + 1;
        while next < close && items.len() < MAX_ITEMS {
            let (item, end) = self.expr(next, depth + 1);
            items.push(item);
            next = self.after_comma(end, close);
        }
        (Expr::List(items, self.span(open).to(self.span(close))), close + 1)
    }
}

impl Program {
    /// The innermost function around a place.
    #[must_use]
    pub fn function(&self, at: u32) -> Option<&Function> {
        let around = self.functions.iter().filter(|it| it.span.start <= at && at < it.span.end);
        around.max_by_key(|it| (it.indent, it.span.start))
    }
}

#[cfg(test)]
mod tests;
