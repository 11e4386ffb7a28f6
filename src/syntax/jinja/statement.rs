//! Statements of a template, nested as they stand.

use super::{Expr, Piece, Template, expression, inner, scan};
use crate::text::Span;

/// Statements inside one another that are followed.
const MAX_NESTED: usize = 24;

/// A part of a template, what it holds inside it.
#[derive(Clone, Debug, PartialEq)]
pub enum Block<'t> {
    /// Text that comes out as it is.
    Lit(Span),
    /// `{{ … }}`, the span with its braces.
    Output(&'t Expr, Span),
    /// `{% if %}` with its branches; the last may have no condition. The span is that of the statement that begins it.
    If(Vec<Branch<'t>>, Span),
    /// `{% for %}`, with the span of the statement.
    For(Box<Loop<'t>>, Span),
    /// `{% set a = b %}`
    Set(Target, Expr),
    /// `{% set a %}…{% endset %}`
    Capture(Box<str>, Vec<Block<'t>>),
    /// `{% macro a() %}…{% endmacro %}`, by name.
    Macro(Box<str>),
    /// Anything else: its first word, the span of the statement, and what it holds.
    Other(Box<str>, Span, Vec<Block<'t>>),
}

/// A branch of `{% if %}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch<'t> {
    /// When it is taken; none for `{% else %}`.
    pub test: Option<Expr>,
    /// What it holds.
    pub body: Vec<Block<'t>>,
}

/// A `{% for %}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop<'t> {
    /// The names that a member goes to.
    pub targets: Vec<Box<str>>,
    /// What is gone through.
    pub over: Expr,
    /// Which members count.
    pub filter: Option<Expr>,
    /// What comes out of each turn.
    pub body: Vec<Block<'t>>,
    /// What comes out when there is no turn.
    pub otherwise: Vec<Block<'t>>,
}

/// What `{% set %}` sets.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// `a`, `a, b`
    Names(Vec<Box<str>>),
    /// `a.b`
    Member(Box<str>, Box<str>),
}

/// The blocks of a template. The error says which statement is not closed or not understood.
pub fn blocks<'t>(text: &str, template: &'t Template) -> Result<Vec<Block<'t>>, String> {
    let mut reader = Reader { text, pieces: template.pieces.iter() };
    let (blocks, end) = reader.until(&[], 0)?;
    match end {
        Some(end) => Err(format!("`{end}` closes nothing")),
        None => Ok(blocks),
    }
}

struct Reader<'t, 's> {
    text: &'s str,
    pieces: std::slice::Iter<'t, Piece>,
}

impl<'t, 's> Reader<'t, 's> {
    /// Reads up to a statement that begins with one of `ends`, and gives that statement.
    fn until(&mut self, ends: &[&str], depth: usize) -> Result<(Vec<Block<'t>>, Option<&'s str>), String> {
        if depth > MAX_NESTED {
            return Err("the template is nested too deeply".into());
        }
        let mut blocks = Vec::new();
        while let Some(piece) = self.pieces.next() {
            match piece {
                Piece::Lit(span) => blocks.push(Block::Lit(*span)),
                Piece::Output(expr, span) => blocks.push(Block::Output(expr, *span)),
                Piece::Comment(_) => {}
                Piece::Statement(span) => {
                    let (says, _) = inner(self.text, *span);
                    let (word, rest) = first_word(says);
                    if ends.contains(&word) {
                        return Ok((blocks, Some(says)));
                    }
                    blocks.push(self.statement(word, rest, *span, depth + 1)?);
                }
            }
        }
        match ends.last() {
            Some(end) => Err(format!("`{{% {end} %}}` is missing")),
            None => Ok((blocks, None)),
        }
    }

    fn statement(&mut self, word: &str, rest: &str, span: Span, depth: usize) -> Result<Block<'t>, String> {
        match word {
            "if" => self.branches(rest, span, depth),
            "for" => self.repeat(rest, span, depth),
            "set" => self.set(rest, depth),
            "macro" | "call" => {
                self.until(&[if word == "call" { "endcall" } else { "endmacro" }], depth)?;
                let name = rest.split('(').next().unwrap_or(rest).trim();
                Ok(if word == "call" { Block::Other(word.into(), span, Vec::new()) } else { Block::Macro(name.into()) })
            }
            "filter" | "with" | "block" | "autoescape" => {
                let end = format!("end{word}");
                let (body, _) = self.until(&[&end], depth)?;
                Ok(Block::Other(word.into(), span, body))
            }
            "import" | "from" | "include" | "extends" | "do" => Ok(Block::Other(word.into(), span, Vec::new())),
            _ => Err(format!("`{{% {word} %}}` is not understood here")),
        }
    }

    fn branches(&mut self, test: &str, span: Span, depth: usize) -> Result<Block<'t>, String> {
        let mut branches = Vec::new();
        let mut test = Some(expression(test)?);
        loop {
            let ends: &[&str] = if test.is_some() { &["elif", "else", "endif"] } else { &["endif"] };
            let (body, end) = self.until(ends, depth)?;
            branches.push(Branch { test, body });
            let (word, rest) = first_word(end.unwrap_or(""));
            test = match word {
                "elif" => Some(expression(rest)?),
                "else" => None,
                _ => return Ok(Block::If(branches, span)),
            };
        }
    }

    fn repeat(&mut self, head: &str, span: Span, depth: usize) -> Result<Block<'t>, String> {
        let (targets, rest) = split_word(head, "in").ok_or("`in` is missing")?;
        let targets = names(targets)?;
        let (over, filter) = match split_word(rest, "if") {
            Some((over, filter)) => (over, Some(expression(filter)?)),
            None => (rest, None),
        };
        if over.ends_with(" recursive") {
            return Err("a recursive loop is not followed".into());
        }
        let over = tuple(over)?;
        let (body, end) = self.until(&["else", "endfor"], depth)?;
        let otherwise = match end {
            Some(end) if end.starts_with("else") => self.until(&["endfor"], depth)?.0,
            _ => Vec::new(),
        };
        Ok(Block::For(Box::new(Loop { targets, over, filter, body, otherwise }), span))
    }

    fn set(&mut self, head: &str, depth: usize) -> Result<Block<'t>, String> {
        let Some((left, right)) = assignment(head) else {
            if !is_name(head.trim()) {
                return Err("a filter of `{% set %}` is not followed".into());
            }
            let (body, _) = self.until(&["endset"], depth)?;
            return Ok(Block::Capture(head.trim().into(), body));
        };
        let value = tuple(right)?;
        let target = match left.trim().split_once('.') {
            Some((of, member)) if is_name(of) && is_name(member) => Target::Member(of.into(), member.into()),
            _ => Target::Names(names(left)?),
        };
        Ok(Block::Set(target, value))
    }
}

/// An expression, or several with commas between them.
fn tuple(text: &str) -> Result<Expr, String> {
    let text = text.trim();
    if scan::outside(text, |rest, _| rest.starts_with(',')).is_some() {
        expression(&format!("({text})"))
    } else {
        expression(text)
    }
}

fn first_word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

/// The names on the left side of `in` or `=`.
fn names(text: &str) -> Result<Vec<Box<str>>, String> {
    let text = text.trim();
    let text = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    match names.iter().find(|name| !is_name(name)) {
        Some(wrong) => Err(format!("`{wrong}` is no name")),
        None if names.is_empty() => Err("a name is missing".into()),
        None => Ok(names.into_iter().map(Into::into).collect()),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// The text before and after a word that stands outside quotes and brackets.
fn split_word<'t>(text: &'t str, word: &str) -> Option<(&'t str, &'t str)> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let at = scan::outside(text, |rest, before| {
        rest.starts_with(word) && !before.ends_with(part) && !rest[word.len()..].starts_with(part)
    })?;
    Some((text[..at].trim(), text[at + word.len()..].trim()))
}

/// The two sides of the `=` that is none of `==`, `!=`, `<=`, `>=`.
fn assignment(text: &str) -> Option<(&str, &str)> {
    let at = scan::outside(text, |rest, before| {
        rest.starts_with('=') && !rest.starts_with("==") && !before.ends_with(['=', '!', '<', '>'])
    })?;
    Some((&text[..at], &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::jinja::parse;

    fn shape(text: &str) -> Result<Vec<String>, String> {
        let template = parse(text);
        let show = |block: &Block<'_>| match block {
            Block::Lit(span) => span.slice(text).to_owned(),
            Block::Output(..) => "=".to_owned(),
            Block::If(branches, _) => format!("if {}", branches.len()),
            Block::For(each, _) => format!("for {} {}", each.targets.join(","), each.otherwise.len()),
            Block::Set(Target::Names(names), _) => format!("set {}", names.join(",")),
            Block::Set(Target::Member(of, member), _) => format!("set {of}.{member}"),
            Block::Capture(name, body) => format!("capture {name} {}", body.len()),
            Block::Macro(name) => format!("macro {name}"),
            Block::Other(word, ..) => format!("?{word}"),
        };
        Ok(blocks(text, &template)?.iter().map(show).collect())
    }

    #[test]
    fn blocks_nest() {
        let text = "a{% if x %}b{% elif y == 'in' %}c{% else %}{% if z %}d{% endif %}{% endif %}e";
        assert_eq!(shape(text).unwrap(), ["a", "if 3", "e"]);
        let text = "{% for a, b in c.items() if a not in [1] %}{{ a }}{% else %}x{% endfor %}";
        assert_eq!(shape(text).unwrap(), ["for a,b 1"]);
        let text = "{% set a = b == 1 %}{% set a.b = 2 %}{% set c %}{{ d }}!{% endset %}{% set e, f = 1, 2 %}";
        assert_eq!(shape(text).unwrap(), ["set a", "set a.b", "capture c 2", "set e,f"]);
        assert_eq!(shape("{% macro f(x) %}{{ x }}{% endmacro %}{% include 'x' %}").unwrap(), ["macro f", "?include"]);
        for wrong in ["{% if x %}", "{% endif %}", "{% for x %}{% endfor %}", "{% else %}", "{% if %}{% endif %}"] {
            assert!(shape(wrong).is_err(), "{wrong}");
        }
        assert!(shape(&"{% if a %}".repeat(5000)).is_err());
    }
}
