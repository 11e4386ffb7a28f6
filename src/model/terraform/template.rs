//! Templates to text, with holes for what is not known.

use super::eval::{Env, MAX_ITEMS, MAX_POSSIBLE, MAX_TEXT, Outcome, Scope, Work, several};
use super::functions::Stop;
use super::refs::Node;
use super::{ops, types};
use crate::syntax::hcl::{Expr, Part};
use crate::value::{Data, Kind, Piece, Reason, Value};

impl<'t> Env<'_, 't> {
    /// A template; `"${x}"` alone keeps the type of `x`.
    pub(super) fn template(&self, parts: &[Part], work: &mut Work) -> Outcome {
        if let [Part::Interp(expr)] = parts {
            return self.eval(expr, work);
        }
        if !parts.iter().any(|part| matches!(part, Part::If(..) | Part::For(..))) {
            return self.joined(parts, work);
        }
        let mut out = Pieces::default();
        self.render(parts, &mut out, work)?;
        Ok(work.made(out.finish()))
    }

    /// A template that is a value (`templatestring`, `template_file`).
    pub(super) fn template_text(&self, template: &Value, vars: &Value, work: &mut Work) -> Outcome {
        let (Some(text), Some(map)) = (template.as_str(), vars.as_map()) else {
            return Ok(several(if template.as_str().is_some() { vars } else { template }));
        };
        let parts = crate::syntax::hcl::parse_template(text, 0);
        let names: Vec<(&str, Node<'t>)> =
            map.entries.iter().map(|(name, value)| (&**name, Node::Value(value.clone()))).collect();
        let scope = Scope { names: &names, outer: None };
        Env { scope: Some(&scope), closed: true, ..*self }.template(&parts, work)
    }

    /// Text and interpolations, without directives.
    fn joined(&self, parts: &[Part], work: &mut Work) -> Outcome {
        let mut values = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Part::Lit(text, _) => values.push(Value::known(&**text)),
                Part::Interp(expr) => values.push(self.eval(expr, work)?),
                Part::If(..) | Part::For(..) => {}
            }
        }
        if values.iter().any(|value| matches!(value.kind, Kind::OneOf(_)))
            && let Some(several) = combined(&values)?
        {
            return Ok(several);
        }
        let mut out = Pieces::default();
        for value in &values {
            out.value(value)?;
        }
        Ok(work.made(out.finish()))
    }

    fn render(&self, parts: &[Part], out: &mut Pieces, work: &mut Work) -> Result<(), Reason> {
        for part in parts {
            if let Err(reason) = work.enter() {
                out.hole(reason.into());
                return Ok(());
            }
            let rendered = self.render_part(part, out, work);
            work.leave();
            rendered?;
        }
        Ok(())
    }

    fn render_part(&self, part: &Part, out: &mut Pieces, work: &mut Work) -> Result<(), Reason> {
        match part {
            Part::Lit(text, _) => out.text(text),
            Part::Interp(expr) => out.value(&self.eval(expr, work)?)?,
            Part::If(condition, yes, no) => {
                let condition = self.eval(condition, work)?;
                match condition.data() {
                    Some(data) => self.render(if ops::boolean(data)? { yes } else { no }, out, work)?,
                    None => out.hole(several(&condition).reason().unwrap_or_default()),
                }
            }
            Part::For(key, value, collection, body) => {
                self.render_for((key.as_deref(), value), collection, body, out, work)?;
            }
        }
        Ok(())
    }

    fn render_for(
        &self,
        (key_name, name): (Option<&str>, &str),
        collection: &Expr,
        body: &[Part],
        out: &mut Pieces,
        work: &mut Work,
    ) -> Result<(), Reason> {
        let node = self.node(collection, work)?;
        let (members, open) = match self.members(&node, work)? {
            Ok(members) => members,
            Err(reason) => {
                out.hole(reason);
                return Ok(());
            }
        };
        for (key, node) in members.into_iter().take(MAX_ITEMS) {
            let mut names = vec![(name, node)];
            if let Some(key_name) = key_name {
                names.push((key_name, Node::Value(key)));
            }
            let scope = Scope { names: &names, outer: self.scope };
            Env { scope: Some(&scope), ..*self }.render(body, out, work)?;
        }
        if let Some(reason) = open {
            out.hole(reason);
        }
        Ok(())
    }
}

/// The texts that pieces with several possible values make, up to 8; `None` when they are more, or a piece is not known.
fn combined(values: &[Value]) -> Result<Option<Value>, Reason> {
    let mut texts = vec![String::new()];
    for value in values {
        let possible = match &value.kind {
            Kind::Known(data) => std::slice::from_ref(data),
            Kind::OneOf(data) => data,
            _ => return Ok(None),
        };
        if texts.len() * possible.len() > MAX_POSSIBLE {
            return Ok(None);
        }
        let longest = texts.iter().map(String::len).max().unwrap_or(0);
        let mut longer = Vec::with_capacity(texts.len() * possible.len());
        for data in possible {
            let piece = match types::text(data) {
                Ok(piece) if piece.len() + longest <= MAX_TEXT => piece,
                Ok(_) | Err(Stop::Unknown(_)) => return Ok(None),
                Err(Stop::Error(reason)) => return Err(reason),
            };
            longer.extend(texts.iter().map(|text| format!("{text}{piece}")));
        }
        texts = longer;
    }
    let mut known: Vec<Data> = Vec::new();
    for text in texts {
        let data = Data::from(&*types::normal(&text));
        if !known.contains(&data) {
            known.push(data);
        }
    }
    let kind = if known.len() == 1 { known.pop().map(Kind::Known) } else { Some(Kind::OneOf(known.into())) };
    Ok(kind.map(|kind| Value { kind, ..Value::default() }))
}

/// A text being put together.
#[derive(Default)]
pub(super) struct Pieces {
    done: Vec<Piece>,
    open: String,
    len: usize,
}

impl Pieces {
    pub(super) fn text(&mut self, text: &str) {
        if self.len < MAX_TEXT {
            self.open.push_str(text);
        }
        self.len = self.len.saturating_add(text.len());
    }

    pub(super) fn hole(&mut self, reason: Reason) {
        if self.len < MAX_TEXT {
            if !self.open.is_empty() {
                self.done.push(Piece::Lit(std::mem::take(&mut self.open).into()));
            }
            self.done.push(Piece::Hole(reason));
        }
        self.len = self.len.saturating_add(1);
    }

    /// Adds a value as Terraform converts it to text.
    pub(super) fn value(&mut self, value: &Value) -> Result<(), Reason> {
        match &value.kind {
            Kind::Known(data) => match types::text(data) {
                Ok(text) => self.text(&text),
                Err(Stop::Unknown(reason)) => self.hole(reason),
                Err(Stop::Error(reason)) => return Err(reason),
            },
            Kind::Text(pieces) => pieces.iter().for_each(|piece| match piece {
                Piece::Lit(text) => self.text(text),
                Piece::Hole(reason) => self.hole(reason.clone()),
            }),
            _ => self.hole(several(value).reason().unwrap_or_default()),
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Value {
        if self.len >= MAX_TEXT {
            return Value::unknown("the text is too long");
        }
        if !self.open.is_empty() {
            self.done.push(Piece::Lit(types::normal(&self.open).into()));
        }
        if self.done.is_empty() {
            return Value::known(Data::Str("".into()));
        }
        Value::text(self.done)
    }
}
