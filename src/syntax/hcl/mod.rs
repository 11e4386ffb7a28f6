//! HCL (Terraform, `OpenTofu`, Packer, Terragrunt, Nomad…): one tree for the native and the JSON syntax.

mod check;
mod convert;
mod fallback;
mod json;
mod mask;
mod outline;
mod recover;
mod template;

use super::SyntaxError;
use crate::text::Span;
use check::Fault;
use template::Place;

pub use json::{parse_json, parse_json_values};

/// Blocks and expressions nested deeper than this are not understood: everything that walks them recurses.
const MAX_DEPTH: usize = 100;

/// The reason given for them.
const TOO_DEEP: &str = "it is nested too deeply to follow";

/// Parses a file in the native syntax: configuration, or the attributes of a `.tfvars`.
#[must_use]
pub fn parse(text: &str) -> File {
    recover::parse(text)
}

/// What tree-sitter alone makes of a file in which it finds no fault; of the values only where they stand. Two parsers that
/// have nothing in common and agree are seldom both wrong: for tests.
#[doc(hidden)]
#[must_use]
pub fn second_opinion(text: &str) -> Option<Body> {
    fallback::places(text)
}

/// Parses a template file (`.tftpl`, `.pkrtpl.hcl`) that stands at offset `start` of its file. What is not understood is [`ExprKind::Opaque`].
#[must_use]
pub fn parse_template(text: &str, start: u32) -> Vec<Part> {
    convert::template_parts(Place { text, base: i64::from(start) }, text)
}

/// Parses one expression that stands at offset `start` of its file; it may span lines. Errors: text that is no expression.
pub fn parse_expr(text: &str, start: u32) -> Result<Expr, SyntaxError> {
    let whole = Span::new(start as usize, start as usize + text.len());
    // The line break ends a heredoc.
    let checked = check::expression(&format!("{text}\n"));
    if let Err(Fault::Refused(at, message)) = checked {
        let at = start as usize + at.min(text.len());
        return Err(SyntaxError { span: Span::new(at, whole.end as usize), message: message.into() });
    }
    match edit_expr(text, start) {
        Err(_) if checked.is_ok() && text.len() <= fallback::MAX_TEXT => Ok(fallback::value(text, whole)),
        result => result,
    }
}

/// Parses an expression with `hcl-edit`, or not at all.
fn edit_expr(text: &str, start: u32) -> Result<Expr, SyntaxError> {
    // In parentheses line breaks are white space; the line break keeps a comment at the end from taking the parenthesis.
    let wrapped = format!("({text}\n)");
    let span = Span::new(start as usize, start as usize + text.len());
    let parsed = mask::parsed(&wrapped, hcl_edit::parser::parse_expr);
    match parsed {
        Some(Ok(hcl_edit::expr::Expression::Parenthesis(inner))) => {
            Ok(convert::expr(Place { text: &wrapped, base: i64::from(start) - 1 }, inner.inner(), 0))
        }
        Some(Err(error)) => Err(SyntaxError { span, message: error.message().into() }),
        Some(Ok(_)) => Err(SyntaxError { span, message: "expected one expression".into() }),
        None => Err(SyntaxError { span, message: "an object has more members than are read".into() }),
    }
}

/// A parsed file.
#[derive(Debug, Default)]
pub struct File {
    /// What it declares.
    pub body: Body,
    /// What could not be parsed; the rest is in `body`.
    pub errors: Vec<SyntaxError>,
}

/// The inside of a file or block.
#[derive(Debug, Default)]
pub struct Body {
    /// `name = value`, in source order.
    pub attributes: Vec<Attribute>,
    /// `kind "label" { … }`, in source order.
    pub blocks: Vec<Block>,
}

/// `name = value`.
#[derive(Debug)]
pub struct Attribute {
    /// The name.
    pub name: Box<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// The value.
    pub value: Expr,
}

/// `kind "label" { … }`.
#[derive(Debug, Default)]
pub struct Block {
    /// `resource`, `variable`…
    pub kind: Box<str>,
    /// The labels, unquoted.
    pub labels: Vec<(Box<str>, Span)>,
    /// From the kind to the last label, braces left out: where a finding on the block points.
    pub header: Span,
    /// From the kind to the closing brace.
    pub span: Span,
    /// The inside.
    pub body: Body,
}

/// An expression.
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Debug)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true`
    Bool(bool),
    /// `8`
    Number(f64),
    /// A string (quoted or heredoc) without interpolation, escapes resolved.
    Str(Box<str>),
    /// A string (quoted or heredoc) with interpolations or directives, or a heredoc of several lines.
    Template(Vec<Part>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{ a = b }`
    Object(Vec<(Key, Expr)>),
    /// The first name of a traversal: `var`, `local`, `each`, a resource type…
    Name(Box<str>),
    /// `a.b`, or `a["b"]` with a constant string.
    Get(Box<Expr>, Box<str>),
    /// `a[b]`
    Index(Box<Expr>, Box<Expr>),
    /// `a[*].b.c` and `a.*.b.c`: the collection, and what is taken of each member (an expression over [`ExprKind::Each`]).
    Splat(Box<Expr>, Box<Expr>),
    /// The member that a splat is at.
    Each,
    /// `f(a, b...)`
    Call {
        /// `merge`, `provider::aws::arn_parse`
        name: Box<str>,
        /// The arguments.
        args: Vec<Expr>,
        /// Whether the last is expanded by `...`.
        expand: bool,
    },
    /// `a ? b : c`
    Cond(Box<[Expr; 3]>),
    /// `a == b`
    Binary(BinaryOp, Box<[Expr; 2]>),
    /// `!a`
    Not(Box<Expr>),
    /// `-a`
    Minus(Box<Expr>),
    /// `[for k, v in c : e if p]`, `{for k, v in c : ke => e... if p}`
    For(Box<For>),
    /// Not understood, with the reason: evaluates to unknown.
    Opaque(Box<str>),
}

/// The key of an object member.
#[derive(Debug)]
pub struct Key {
    /// A bare word or constant string is [`ExprKind::Str`]; anything else is an expression to evaluate.
    pub expr: Expr,
}

/// A `for` expression.
#[derive(Debug)]
pub struct For {
    /// The name bound to the key or index, if any.
    pub key: Option<Box<str>>,
    /// The name bound to the value.
    pub value: Box<str>,
    /// What is walked.
    pub collection: Expr,
    /// The key of the result (`{for}` only).
    pub result_key: Option<Expr>,
    /// The value of the result.
    pub result: Expr,
    /// Whether values of one key are grouped (`...`).
    pub group: bool,
    /// `if` condition.
    pub condition: Option<Expr>,
}

/// A part of a template.
#[derive(Debug)]
pub enum Part {
    /// Text as it comes out (escapes resolved, heredoc indentation removed) and where it stands. In a heredoc each line,
    /// line break included, is a part of its own, so that offsets stay right within it.
    Lit(Box<str>, Span),
    /// `${…}` (the span is the expression's own).
    Interp(Expr),
    /// `%{ if }`
    If(Box<Expr>, Vec<Part>, Vec<Part>),
    /// `%{ for }`: key, value, collection, body.
    For(Option<Box<str>>, Box<str>, Box<Expr>, Vec<Part>),
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BinaryOp {
    Or,
    And,
    Eq,
    NotEq,
    Less,
    LessEq,
    Greater,
    GreaterEq,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

impl Body {
    /// An attribute by name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| &*attribute.name == name)
    }

    /// The blocks of one kind.
    pub fn blocks_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| &*block.kind == kind)
    }
}

impl Block {
    /// A label by position.
    #[must_use]
    pub fn label(&self, index: usize) -> Option<&str> {
        self.labels.get(index).map(|(label, _)| &**label)
    }
}

#[cfg(test)]
mod tests;
