//! Shell text to simple commands: argument words with their known pieces, redirections, and what each command stands in.

use super::SyntaxError;
use crate::text::Span;

/// A parsed script or command string. All spans are offsets in the text that was parsed.
#[derive(Debug, Default)]
pub struct Script {
    /// Every simple command, in source order, also those inside substitutions, functions and control structures.
    pub commands: Vec<Simple>,
    /// Every assignment that stands alone (`A=1`, `local A=1`, `export A=1`), in source order.
    pub assignments: Vec<Assignment>,
    /// Every function definition.
    pub functions: Vec<Function>,
    /// What could not be parsed.
    pub errors: Vec<SyntaxError>,
}

/// `name=value`.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The variable.
    pub name: Box<str>,
    /// Its value; for `a=(x y)` and `a+=(x y)` one word an element.
    pub values: Vec<Word>,
    /// Whether it is an array.
    pub array: bool,
    /// Whether it appends (`+=`).
    pub append: bool,
    /// The whole assignment.
    pub span: Span,
}

/// A function definition.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: Box<str>,
    /// From its name to its end.
    pub span: Span,
}

/// A word of a command line.
#[derive(Clone, Debug)]
pub struct Word {
    /// The pieces, quotes and escapes resolved.
    pub pieces: Vec<WordPiece>,
    /// Where it stands, quotes included.
    pub span: Span,
    /// Whether any part of it was quoted.
    pub quoted: bool,
}

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordPiece {
    /// Known text.
    Lit(Box<str>),
    /// `$name`, `${name}`, `${name:-word}`, `"${name[@]}"`.
    Var {
        /// The variable; positional parameters are `1`, `@`, `*`…
        name: Box<str>,
        /// The default of `${name:-default}` or `${name-default}`, when it is literal.
        default: Option<Box<str>>,
        /// All elements of an array (`[@]`, `[*]`), or `$@`.
        all: bool,
    },
    /// Command substitution, arithmetic, a hole, a transformation of a variable…: unknown.
    Opaque,
}

/// A redirection.
#[derive(Clone, Debug)]
pub struct Redirect {
    /// `>`, `>>`, `<`, `&>`, `<<`, `<<<`…
    pub op: Box<str>,
    /// The file; for a here-document or here-string its text as one word.
    pub target: Word,
    /// From the operator to the target.
    pub span: Span,
}

/// How a command is joined to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Joined {
    /// New line or `;`.
    #[default]
    Then,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
}

/// A condition or structure around a command, innermost last.
#[derive(Clone, Debug)]
pub enum Around {
    /// In the body of `if`/`elif`/`case`/`while`: the text of the condition (or `case` word and pattern).
    Condition {
        /// The condition's text.
        text: Box<str>,
        /// In the `else` part.
        negated: bool,
    },
    /// In the condition itself.
    Test,
    /// In a function of that name.
    Function(Box<str>),
    /// In a loop.
    Loop,
    /// In `$(…)` or backquotes.
    Substitution,
    /// In `( … )`.
    Subshell,
}

/// A simple command.
#[derive(Clone, Debug)]
pub struct Simple {
    /// The words, program first. Never empty.
    pub words: Vec<Word>,
    /// Assignments before the program.
    pub env: Vec<Assignment>,
    /// Redirections.
    pub redirects: Vec<Redirect>,
    /// From the first word (or assignment) to the last word or redirection.
    pub span: Span,
    /// How it is joined to the command before it.
    pub joined: Joined,
    /// How the command after it is joined to this one (`|| true` shows as `Or`).
    pub followed: Joined,
    /// What it stands in, outermost first.
    pub around: Vec<Around>,
}
