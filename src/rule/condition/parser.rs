//! Tokens of a condition to a tree, by recursive descent.

use super::lexer::{Token, tokens};
use super::{ConditionError, MAX_BYTES, MAX_DEPTH};
use crate::text::Span;

/// A node with its place in the condition.
#[derive(Debug)]
pub(super) struct Ast {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Str(String),
    List(Vec<Ast>),
    Name(String),
    /// `a.b`, with the place of `b`.
    Select(Box<Ast>, String, Span),
    /// `a[b]`
    Index(Box<Ast>, Box<Ast>),
    /// `name(…)`, or `receiver.name(…)`.
    Call(Option<Box<Ast>>, String, Span, Vec<Ast>),
    Not(Box<Ast>),
    And(Vec<Ast>),
    Or(Vec<Ast>),
    Compare(Comparison, Box<Ast>, Box<Ast>),
    In(Box<Ast>, Box<Ast>),
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Parses a whole condition.
pub(super) fn parse(text: &str) -> Result<Ast, ConditionError> {
    if text.len() > MAX_BYTES {
        let message = format!("the condition is longer than {MAX_BYTES} bytes");
        return Err(ConditionError::new(Span::new(0, 1), message));
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let ast = parser.or()?;
    match parser.peek() {
        Token::End => Ok(ast),
        _ => Err(parser.expected("an operator or the end")),
    }
}

struct Parser {
    tokens: Vec<(Token, Span)>,
    next: usize,
    depth: usize,
}

type Parsed = Result<Ast, ConditionError>;

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    fn span(&self) -> Span {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(Span::default(), |(_, span)| *span)
    }

    /// The end of the token before.
    fn end(&self) -> usize {
        self.next.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |(_, span)| span.end as usize)
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(next) if *next == sign);
        self.next += usize::from(found);
        found
    }

    fn need(&mut self, sign: &str) -> Result<(), ConditionError> {
        if self.sign(sign) { Ok(()) } else { Err(self.expected(&format!("`{sign}`"))) }
    }

    fn expected(&self, what: &str) -> ConditionError {
        let found = match self.peek() {
            Token::Name(name) => format!("`{name}`"),
            Token::Str(_) => "a string".to_owned(),
            Token::Int(number) => format!("`{number}`"),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".to_owned(),
        };
        ConditionError::new(self.span(), format!("expected {what}, found {found}"))
    }

    fn nested(&mut self, parse: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth >= MAX_DEPTH {
            return Err(ConditionError::new(self.span(), "the condition is nested too deeply"));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn or(&mut self) -> Parsed {
        self.nested(|parser| parser.chain("||", Kind::Or, Self::and))
    }

    fn and(&mut self) -> Parsed {
        self.chain("&&", Kind::And, Self::comparison)
    }

    fn chain(&mut self, sign: &str, join: fn(Vec<Ast>) -> Kind, part: fn(&mut Self) -> Parsed) -> Parsed {
        let first = part(self)?;
        if !self.sign(sign) {
            return Ok(first);
        }
        let start = first.span.start as usize;
        let mut parts = vec![first, part(self)?];
        while self.sign(sign) {
            parts.push(part(self)?);
        }
        Ok(Ast { kind: join(parts), span: Span::new(start, self.end()) })
    }

    fn comparison(&mut self) -> Parsed {
        let left = self.unary()?;
        let operator = match self.peek() {
            Token::Sign("==") => Some(Comparison::Equal),
            Token::Sign("!=") => Some(Comparison::NotEqual),
            Token::Sign("<") => Some(Comparison::Less),
            Token::Sign("<=") => Some(Comparison::LessEqual),
            Token::Sign(">") => Some(Comparison::Greater),
            Token::Sign(">=") => Some(Comparison::GreaterEqual),
            Token::Name(name) if name == "in" => None,
            _ => return Ok(left),
        };
        self.next += 1;
        let right = self.unary()?;
        let span = left.span.to(right.span);
        let (left, right) = (Box::new(left), Box::new(right));
        let kind = match operator {
            Some(operator) => Kind::Compare(operator, left, right),
            None => Kind::In(left, right),
        };
        Ok(Ast { kind, span })
    }

    fn unary(&mut self) -> Parsed {
        let start = self.span();
        if self.sign("!") {
            let inner = self.nested(Self::unary)?;
            return Ok(Ast { span: start.to(inner.span), kind: Kind::Not(Box::new(inner)) });
        }
        if self.sign("-") {
            if let Token::Int(number) = *self.peek() {
                let span = start.to(self.span());
                self.next += 1;
                return Ok(Ast { kind: Kind::Int(number.saturating_neg()), span });
            }
            return Err(self.expected("a number"));
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Parsed {
        let mut node = self.primary()?;
        let mut length = 0;
        loop {
            let start = node.span.start as usize;
            let kind = if self.sign(".") {
                self.member(node)?
            } else if self.sign("[") {
                let index = self.or()?;
                self.need("]")?;
                Kind::Index(Box::new(node), Box::new(index))
            } else {
                return Ok(node);
            };
            length += 1;
            if length > MAX_DEPTH {
                return Err(ConditionError::new(self.span(), "the path is too long"));
            }
            node = Ast { kind, span: Span::new(start, self.end()) };
        }
    }

    fn member(&mut self, of: Ast) -> Result<Kind, ConditionError> {
        let Token::Name(name) = self.peek().clone() else { return Err(self.expected("a name after `.`")) };
        let span = self.span();
        self.next += 1;
        if self.sign("(") {
            return Ok(Kind::Call(Some(Box::new(of)), name, span, self.list(")")?));
        }
        Ok(Kind::Select(Box::new(of), name, span))
    }

    fn primary(&mut self) -> Parsed {
        let span = self.span();
        let token = self.peek().clone();
        self.next += 1;
        let kind = match token {
            Token::Str(text) => Kind::Str(text),
            Token::Int(number) => Kind::Int(number),
            Token::Sign("(") => {
                let inner = self.or()?;
                self.need(")")?;
                return Ok(Ast { kind: inner.kind, span: Span::new(span.start as usize, self.end()) });
            }
            Token::Sign("[") => Kind::List(self.list("]")?),
            Token::Name(name) if self.sign("(") => Kind::Call(None, name, span, self.list(")")?),
            Token::Name(name) => match name.as_str() {
                "true" => Kind::Bool(true),
                "false" => Kind::Bool(false),
                "null" => Kind::Null,
                "in" => {
                    self.next -= 1;
                    return Err(self.expected("a value"));
                }
                _ => Kind::Name(name),
            },
            Token::Sign(_) | Token::End => {
                self.next -= 1;
                return Err(self.expected("a value"));
            }
        };
        Ok(Ast { kind, span: Span::new(span.start as usize, self.end()) })
    }

    /// What stands between brackets, up to and with the closing one.
    fn list(&mut self, close: &str) -> Result<Vec<Ast>, ConditionError> {
        let mut items = Vec::new();
        while !self.sign(close) {
            if !items.is_empty() {
                self.need(",")?;
                if self.sign(close) {
                    break;
                }
            }
            items.push(self.or()?);
        }
        Ok(items)
    }
}
