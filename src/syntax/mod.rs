//! Text to trees with spans. Parsing never fails: what could not be read stands beside what could, as errors.

pub mod comment;
pub mod compose;
pub mod groovy;
pub mod hcl;
pub mod ini;
pub mod jinja;
pub mod json;
pub mod make;
pub mod program;
pub mod python;
pub mod shell;
pub mod toml;
pub mod unit;
pub mod yaml;

use crate::text::Span;

/// Something in a file that its own tool would not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub span: Span,
    /// What is wrong, one clause in lower case ("expected `}`").
    pub message: String,
}
