//! Comments of every language, for suppressions and annotations.
use crate::text::Span;
/// x
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Language { Hash, Hcl, Shell, Make, Json, Markdown }
/// x
pub struct Comment<'a> { /// x
 pub span: Span, /// x
 pub text: &'a str, /// x
 pub own_line: bool }
/// x
pub fn find<'a>(_: &'a str, _: Language, _: &str) -> Vec<Comment<'a>> { Vec::new() }
