//! Conditions: a typed subset of CEL over the facts of a subject, checked at load, evaluated three-valued.
//!
//! Paths (`storage.host.protected`, `resource.args.tags["owner"]`), literals, `== != < <= > >=`, `in`, `&& || !`,
//! `has(path)`, `size(path)`, `.startsWith() .endsWith() .contains() .matches()`, `.exists(x, …)` and `.all(x, …)`.
//! What is absent fails every test but `!=`; what is unknown makes the result unknown unless the rest decides it.

mod check;
mod eval;
mod lexer;
mod parser;

pub(in crate::rule) use eval::{Members, equals_data, members};

use super::subject::{Fact, Schema, Subject, Ty};
use crate::text::Span;
use crate::value::{Data, Tri, Value};
use regex::{Regex, RegexBuilder};
use std::fmt;
use std::sync::OnceLock;

/// Longest condition.
pub const MAX_BYTES: usize = 4096;

/// Deepest nesting of a condition, and longest path.
const MAX_DEPTH: usize = 32;

/// How many members of lists one judgement may look at; a condition over lists of lists grows fast.
const MAX_STEPS: u32 = 100_000;

/// What is wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionError {
    /// Where in the condition's text.
    pub span: Span,
    /// What, one clause.
    pub message: String,
}

impl ConditionError {
    fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }
}

/// The type of an expression.
#[derive(Clone, Copy)]
pub enum Type {
    /// A truth value.
    Bool,
    /// A whole number.
    Int,
    /// Text.
    Str,
    /// Text out of a closed list of words.
    Word(&'static [&'static str]),
    /// Only known when it is read.
    Dyn,
    /// A list.
    List(&'static Ty),
    /// A row of a table.
    Row(&'static Schema),
    /// A place.
    Loc,
}

impl From<Ty> for Type {
    fn from(ty: Ty) -> Self {
        match ty {
            Ty::Bool => Self::Bool,
            Ty::Int => Self::Int,
            Ty::Str => Self::Str,
            Ty::Word(words) => Self::Word(words),
            Ty::Dyn => Self::Dyn,
            Ty::List(item) => Self::List(item),
            Ty::Node(schema) => Self::Row(schema()),
            Ty::Loc => Self::Loc,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("a truth value"),
            Self::Int => f.write_str("a number"),
            Self::Str => f.write_str("a string"),
            Self::Word(words) => write!(f, "one of {}", words.join(", ")),
            Self::Dyn => f.write_str("a value"),
            Self::List(item) => write!(f, "a list of {item}"),
            Self::Row(schema) => write!(f, "a row of {}", schema.name),
            Self::Loc => f.write_str("a place"),
        }
    }
}

/// The names that a condition may use.
pub struct Scope {
    names: Vec<(String, Type)>,
    options: Vec<(String, Type)>,
    /// Compile patterns at once, so that a bad one is an error; else at first use (built-in cards, checked by a test).
    eager: bool,
}

impl Scope {
    /// The row of `subject` under its own name, and the options of a card.
    #[must_use]
    pub fn new(subject: &'static Schema, options: Vec<(String, Type)>, eager: bool) -> Self {
        Self { names: vec![(subject.root().to_owned(), Type::Row(subject))], options, eager }
    }

    /// Adds the name of an element, for all conditions compiled from now on.
    ///
    /// # Errors
    /// When the name is taken or no name.
    pub fn bind(&mut self, name: &str, ty: Type) -> Result<(), String> {
        let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || ["true", "false", "null", "in", "option"].contains(&name) {
            return Err(format!("`{name}` cannot be the name of an element"));
        }
        if self.names.iter().any(|(taken, _)| taken == name) {
            return Err(format!("`{name}` already has a meaning here"));
        }
        self.names.push((name.to_owned(), ty));
        Ok(())
    }
}

/// What a condition is tested on.
pub struct Env<'e, 'm> {
    subject: &'e dyn Subject<'m>,
    options: &'e [Value],
    elements: Vec<Fact<'m>>,
    steps: u32,
}

impl<'e, 'm> Env<'e, 'm> {
    /// A row, and the card's options in the order of its [`Scope`].
    #[must_use]
    pub fn new(subject: &'e dyn Subject<'m>, options: &'e [Value]) -> Self {
        Self { subject, options, elements: Vec::new(), steps: MAX_STEPS }
    }

    /// Gives the element its value; it stands for the name given to [`Scope::bind`].
    pub fn set_element(&mut self, element: Fact<'m>) {
        self.elements.clear();
        self.elements.push(element);
    }

    /// The row.
    #[must_use]
    pub fn subject(&self) -> &'e dyn Subject<'m> {
        self.subject
    }

    /// The element.
    #[must_use]
    pub fn element(&self) -> Option<&Fact<'m>> {
        self.elements.first()
    }
}

/// A condition that fits its subject.
#[derive(Debug)]
pub struct Condition(Expr);

impl Condition {
    /// Parses and type-checks.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place in `text`.
    pub fn compile(text: &str, scope: &mut Scope) -> Result<Self, ConditionError> {
        let ast = parser::parse(text)?;
        Ok(Self(check::Checker::new(text, scope).truth(&ast)?))
    }

    /// Whether it holds.
    #[must_use]
    pub fn test(&self, env: &mut Env<'_, '_>) -> Tri {
        self.0.test(env)
    }
}

/// A path from a name in scope to a fact.
#[derive(Debug)]
pub struct Path {
    root: Root,
    steps: Box<[Step]>,
    text: Box<str>,
}

impl Path {
    /// Parses and type-checks; also gives the type.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place in `text`.
    pub fn compile(text: &str, scope: &mut Scope) -> Result<(Self, Type), ConditionError> {
        let ast = parser::parse(text)?;
        check::Checker::new(text, scope).path(&ast)
    }

    /// What it leads to.
    #[must_use]
    pub fn read<'m>(&self, env: &Env<'_, 'm>) -> Fact<'m> {
        eval::read(self, env)
    }

    /// Whether it is the judged row itself.
    #[must_use]
    pub fn is_subject(&self) -> bool {
        matches!(self.root, Root::Subject) && self.steps.is_empty()
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[derive(Debug)]
enum Root {
    Subject,
    /// By nesting, outermost first.
    Element(usize),
    Option(usize),
}

#[derive(Debug)]
enum Step {
    Field(usize),
    Key(Box<str>),
    Index(i64),
}

#[derive(Debug)]
enum Expr {
    Literal(bool),
    Path(Path),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare(parser::Comparison, Operand, Operand),
    In(Operand, Operand),
    Has(Path),
    Text(TextTest, Path, Operand),
    Matches(Path, Pattern),
    /// Every or some member of a list.
    Quantified(Quantifier, Path, Box<Expr>),
}

#[derive(Debug)]
enum Operand {
    Null,
    Data(Data),
    List(Vec<Data>),
    Path(Path),
    Size(Path),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    All,
    Exists,
}

/// A pattern, compiled at load or at first use.
#[derive(Debug)]
struct Pattern {
    text: Box<str>,
    regex: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// # Errors
    /// In the words of the pattern's own parser.
    fn new(text: &str, eager: bool) -> Result<Self, String> {
        let pattern = Self { text: text.into(), regex: OnceLock::new() };
        if eager {
            let regex = build(text).map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
                error => error.to_string().lines().last().unwrap_or_default().replace("error: ", "bad pattern: "),
            })?;
            // Nobody else holds it yet.
            let _ = pattern.regex.set(Some(regex));
        }
        Ok(pattern)
    }

    fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| build(&self.text).ok()).as_ref()
    }
}

fn build(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(1 << 20).dfa_size_limit(1 << 20).build()
}

#[cfg(test)]
mod tests;
