//! Templates to text, with holes for what is not known.

use super::eval::{Env, MAX_ITEMS, MAX_TEXT, Outcome, Scope, Work, lift, several};
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
        if let Some(value) = self.around_one(parts, work)? {
            return Ok(value);
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

    /// Text around one interpolation that has several possible values: each of them.
    fn around_one(&self, parts: &[Part], work: &mut Work) -> Result<Option<Value>, Reason> {
        let mut one: Option<Value> = None;
        let (mut before, mut after) = (String::new(), String::new());
        for part in parts {
            match part {
                Part::Lit(text, _) => (if one.is_some() { &mut after } else { &mut before }).push_str(text),
                Part::Interp(expr) if one.is_none() => one = Some(self.eval(expr, work)?),
                _ => return Ok(None),
            }
        }
        match one {
            Some(value) if matches!(value.kind, Kind::OneOf(_)) => lift(&value, |data| {
                Ok(match types::text(data) {
                    Ok(text) => Value::known(&*format!("{before}{text}{after}")),
                    Err(Stop::Unknown(reason)) => Value::unknown(reason),
                    Err(Stop::Error(reason)) => return Err(reason),
                })
            })
            .map(Some),
            _ => Ok(None),
        }
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
