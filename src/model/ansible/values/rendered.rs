//! Texts of templates and tasks, rendered as far as they are known, with the way back to where each part is written.

use super::eval::Eval;
use super::ops;
use super::template::{Part, breaks, shown};
use super::val::{MAX_TEXT, V};
use super::view::Turn;
use crate::model::ansible::ArgumentValue;
use crate::syntax::jinja::{self, Piece, Style, Template};
use crate::syntax::yaml::Node;
use crate::text::{FileId, HOLE, Loc, Mapped, Span};
use crate::value::{self, Reason, Value};

/// A text as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The text, a [`HOLE`] for each part that is not known; its spans are those of the file.
    pub text: Mapped,
    /// The file that the spans lead to.
    pub file: FileId,
    /// What stands in each hole, in order.
    pub holes: Vec<Hole>,
    /// Why some of the template is not followed.
    pub unread: Option<Reason>,
}

/// A part of a text that is not known.
#[derive(Clone, Debug)]
pub struct Hole {
    /// What is known of it all the same: the reason, its possible values, a list.
    pub value: Value,
    /// What gives it, without its braces, where that is an expression.
    pub expression: Option<Box<str>>,
}

impl Rendered {
    /// A text that is taken as it stands.
    #[must_use]
    pub fn verbatim(text: Mapped, file: FileId) -> Self {
        let mut rendered = Self { file, ..Self::default() };
        let holes = text.text.matches(HOLE).count();
        rendered.text = text;
        rendered.holes = vec![Hole::for_reason("it stands for something unknown"); holes];
        rendered
    }

    /// A template of which nothing is evaluated: its text with holes, all branches and one turn of each loop.
    fn flat(source: &str, file: FileId, template: &Template, reason: &Reason) -> Self {
        let mut rendered = Self { file, unread: Some(reason.clone()), ..Self::default() };
        for piece in &template.pieces {
            match piece {
                Piece::Lit(span) => rendered.literal(source, *span),
                Piece::Output(_, span) => rendered.hole(Value::unknown(reason.clone()), source, *span),
                Piece::Statement(_) | Piece::Comment(_) => {}
            }
        }
        rendered.ended(source)
    }

    /// With as many line breaks at its end as the template has.
    fn ended(mut self, source: &str) -> Self {
        let missing = breaks(source).saturating_sub(breaks(&self.text.text));
        self.text.push_for(&"\n".repeat(missing), Span::new(source.len() - missing, source.len()));
        self
    }

    /// A part of the text as a value: known when there is no hole in it.
    #[must_use]
    pub fn value(&self, span: Span) -> Value {
        let before = self.text.text.get(..span.start as usize).unwrap_or("").matches(HOLE).count();
        let mut holes = self.holes.iter().skip(before);
        let part = span.slice(&self.text.text);
        if part.chars().count() == 1 && part.starts_with(HOLE) {
            return holes.next().map_or_else(Value::default, |hole| hole.value.clone());
        }
        let mut pieces = Vec::new();
        for (at, literal) in part.split(HOLE).enumerate() {
            if at > 0 {
                let reason = holes.next().and_then(|hole| hole.value.reason());
                pieces.push(value::Piece::Hole(reason.unwrap_or_else(|| "it has several possible values".into())));
            }
            if !literal.is_empty() {
                pieces.push(value::Piece::Lit(literal.into()));
            }
        }
        Value::text(pieces)
    }

    fn literal(&mut self, source: &str, span: Span) {
        let text = span.slice(source);
        let holes = text.matches(HOLE).count();
        self.holes.extend(std::iter::repeat_n(Hole::for_reason("it stands for something unknown"), holes));
        self.text.push(text, span.start);
    }

    fn hole(&mut self, value: Value, source: &str, span: Span) {
        let whole = span.slice(source);
        let expression = whole.starts_with("{{").then(|| jinja::inner(source, span).0.into());
        self.holes.push(Hole { value, expression });
        self.text.push_hole(span);
    }

    /// Adds what a part of a template gives.
    fn add(&mut self, part: Part, source: &str) {
        if part.exact {
            return self.literal(source, part.span);
        }
        let text = ops::concat(&[shown(part.val.clone())]);
        match &text.v {
            V::Str(text) if !text.contains(HOLE) => self.text.push_for(text, part.span),
            V::Text(pieces) => {
                for piece in pieces.iter() {
                    match piece {
                        value::Piece::Lit(text) if !text.contains(HOLE) => self.text.push_for(text, part.span),
                        value::Piece::Lit(_) => self.hole(Value::unknown("it is not known"), source, part.span),
                        value::Piece::Hole(reason) if pieces.len() > 1 => {
                            self.holes.push(Hole { value: Value::unknown(reason.clone()), expression: None });
                            self.text.push_hole(part.span);
                        }
                        value::Piece::Hole(reason) => self.hole(Value::unknown(reason.clone()), source, part.span),
                    }
                }
            }
            _ => self.hole(part.val.into_value(), source, part.span),
        }
    }
}

impl Hole {
    fn for_reason(reason: &str) -> Self {
        Self { value: Value::unknown(reason), expression: None }
    }
}

impl<'a> Turn<'_, '_, 'a> {
    /// The text of a template file.
    #[must_use]
    pub fn render_file(&self, file: FileId) -> Rendered {
        let source = self.scope.ansible.documents.tree.text(file);
        let option = |name: &str, usual: bool| self.argument(name).as_bool().unwrap_or(usual);
        let style = Style {
            trim_blocks: option("trim_blocks", true),
            lstrip_blocks: option("lstrip_blocks", false),
            ..Style::default()
        };
        let (template, odd) = jinja::parse_file(body(source), style);
        let delimiters = [
            "variable_start_string",
            "variable_end_string",
            "block_start_string",
            "block_end_string",
            "comment_start_string",
            "comment_end_string",
        ];
        let odd = odd.map(Reason::from).or_else(|| {
            let given = delimiters.into_iter().find(|name| self.task.argument(name).is_some());
            given.map(|name| format!("the task sets `{name}`").into())
        });
        let mut rendered = self.render(source, file, &template);
        rendered.unread = rendered.unread.or(odd);
        rendered
    }

    /// The text that an argument of the task gives, its node in the task's file.
    #[must_use]
    pub fn render_node(&self, node: Node<'a>) -> Rendered {
        let file = self.task.file;
        let mapped = node.mapped(self.scope.ansible.documents.tree.text(file));
        if !jinja::contains_template(&mapped.text) || node.tag() == Some("!unsafe") {
            return Rendered::verbatim(mapped, file);
        }
        let mut rendered = self.render(&mapped.text, file, &jinja::parse(body(&mapped.text)));
        rendered.text = rendered.text.through(&mapped);
        rendered
    }

    /// The text that an argument of the task gives, if it is written as one.
    #[must_use]
    pub fn render_argument(&self, name: &str) -> Option<Rendered> {
        match &self.task.argument(name)?.value {
            ArgumentValue::Node(node) => node.as_str().map(|_| self.render_node(*node)),
            ArgumentValue::Text(..) => None,
        }
    }

    fn render(&self, source: &str, file: FileId, template: &Template) -> Rendered {
        let mut rendered = Rendered { file, ..Rendered::default() };
        let loc = Loc { file, span: Span::default() };
        let eval = Eval::new(&self.scope, loc);
        if let Some(frame) = eval.frames.borrow_mut().first_mut() {
            frame.push(("ansible_managed".into(), "Ansible managed".into()));
        }
        let parts = match jinja::blocks(body(source), template) {
            Ok(blocks) => eval.reading(source, &blocks),
            Err(error) => Err(format!("the template cannot be read: {error}").into()),
        };
        let parts = match parts {
            Ok(parts) => parts,
            Err(reason) => return Rendered::flat(source, file, template, &reason),
        };
        for part in parts {
            if rendered.text.text.len() > MAX_TEXT {
                return Rendered::flat(source, file, template, &"the text grows too long".into());
            }
            rendered.add(part, source);
        }
        rendered.ended(source)
    }
}

/// A template without the line break at its end: that is not the template's, but a text that ends with fewer gets them back.
fn body(source: &str) -> &str {
    source.strip_suffix('\n').unwrap_or(source)
}

#[cfg(test)]
mod tests;
