//! Scripts and documents inside Terraform, rendered as text that remembers where each part stands.

use super::eval::{Env, Scope, Work};
use super::module::Mode;
use super::ops;
use super::refs::Node;
use super::terragrunt::REPOSITORY;
use super::view::argument;
use crate::source;
use crate::syntax::hcl::{self, Expr, ExprKind, Part};
use crate::text::{FileId, Mapped, Span};
use crate::value::{Data, Kind, Piece, Value};

/// A text and the file that its places lie in.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The file: the one of the expression, or the one that `file` and `templatefile` read.
    pub file: FileId,
    /// The text, [`crate::text::HOLE`] for each unknown part.
    pub text: Mapped,
}

/// How many hops (locals, variables, `join`) are followed to the text itself.
const MAX_HOPS: usize = 12;

impl<'t> Env<'_, 't> {
    /// A text with the way back to where it stands; what is not written in one place stands for its expression.
    pub(super) fn mapped(&self, expr: &Expr, work: &mut Work) -> Rendered {
        self.follow(expr, 0, work).unwrap_or_else(|| {
            let mut text = Mapped::default();
            push_value(&self.value(expr, work), expr.span, &mut text);
            Rendered { file: self.file, text }
        })
    }

    /// The list of texts that `inline = […]` is.
    pub(super) fn mapped_list(&self, expr: &Expr, work: &mut Work) -> Vec<Rendered> {
        if let ExprKind::List(items) = &expr.kind {
            return items.iter().map(|item| self.mapped(item, work)).collect();
        }
        let value = argument(self.value(expr, work));
        if value.is_absent() {
            return Vec::new();
        }
        let items = match value.as_list() {
            Some(list) => list.items.clone(),
            None => vec![value],
        };
        let render = |item: &Value| {
            let mut text = Mapped::default();
            push_value(item, expr.span, &mut text);
            Rendered { file: self.file, text }
        };
        items.iter().map(render).collect()
    }

    /// What `jsonencode` or `yamlencode` makes a text of, followed through locals and arguments of calls; none when the text is made
    /// otherwise.
    pub(super) fn encoded(&self, expr: &Expr, hops: usize, work: &mut Work) -> Option<Value> {
        match &expr.kind {
            _ if hops > MAX_HOPS => None,
            ExprKind::Template(parts) => match parts.as_slice() {
                [Part::Interp(inner)] => self.encoded(inner, hops + 1, work),
                _ => None,
            },
            ExprKind::Call { name, args, .. } => match (&**name, args.as_slice()) {
                ("jsonencode" | "yamlencode", [data]) => Some(self.value(data, work)),
                ("sensitive" | "nonsensitive" | "tostring", [inner]) => self.encoded(inner, hops + 1, work),
                _ => None,
            },
            ExprKind::Get(inner, name) => match &inner.kind {
                ExprKind::Name(space) if &**space == "local" && self.scope.is_none() => {
                    let local = self.at.module.locals.get(self.at.module.local(name)?)?;
                    let repeat = &super::repeat::Repeat::Single;
                    Env { file: local.file, repeat, this: None, ..*self }.encoded(
                        &local.attribute.value,
                        hops + 1,
                        work,
                    )
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Where the text itself is written, followed through references; none when it is put together.
    fn follow(&self, expr: &Expr, hops: usize, work: &mut Work) -> Option<Rendered> {
        if hops > MAX_HOPS {
            return None;
        }
        match &expr.kind {
            ExprKind::Str(written) => {
                let mut text = Mapped::default();
                push_literal(written, expr.span, &mut text);
                Some(Rendered { file: self.file, text })
            }
            ExprKind::Template(parts) => match parts.as_slice() {
                [Part::Interp(inner)] => self.follow(inner, hops + 1, work),
                parts => {
                    let mut text = Mapped::default();
                    self.render_mapped(parts, &mut text, work);
                    Some(Rendered { file: self.file, text })
                }
            },
            ExprKind::Cond(parts) => {
                let [condition, yes, no] = &**parts;
                let condition = self.value(condition, work);
                let taken = condition.data().and_then(|data| ops::boolean(data).ok())?;
                self.follow(if taken { yes } else { no }, hops + 1, work)
            }
            ExprKind::Call { name, args, .. } => self.follow_call(name, args, hops, work),
            ExprKind::Get(inner, name) => match &inner.kind {
                ExprKind::Name(space) if &**space == "local" && self.scope.is_none() => {
                    let local = self.at.module.locals.get(self.at.module.local(name)?)?;
                    let repeat = &super::repeat::Repeat::Single;
                    Env { file: local.file, repeat, this: None, ..*self }.follow(&local.attribute.value, hops + 1, work)
                }
                ExprKind::Name(space) if &**space == "var" && self.scope.is_none() => {
                    self.in_caller(name, |env, _, given| env.follow(given, hops + 1, work))
                }
                _ => self.follow_template_file(inner, name, work),
            },
            _ => None,
        }
    }

    /// `data.template_file.x.rendered`
    fn follow_template_file(&self, inner: &Expr, name: &str, work: &mut Work) -> Option<Rendered> {
        let ExprKind::Get(_, data_name) = &inner.kind else { return None };
        if name != "rendered" {
            return None;
        }
        let index = self.at.module.resource(Mode::Data, "template_file", data_name)?;
        let declared = self.at.module.resources.get(index)?;
        let (file, template) = declared.decl.attribute("template")?;
        let here = Env { file, scope: None, this: None, ..*self };
        let written = here.follow(&template.value, 1, work)?;
        let vars = declared.decl.attribute("vars").map(|(file, vars)| Env { file, ..here }.value(&vars.value, work));
        let vars = vars.unwrap_or_else(|| Value::map(Vec::new()));
        // Only a template that lies in a file of its own keeps its places; another one is a value like any.
        let (start, text) = (written.text.offset(0), &written.text.text);
        (start.is_empty() && start.start == 0).then(|| here.template_rendered(written.file, text, &vars, work))
    }

    /// The text of a template file with its variables put in.
    fn template_rendered(&self, file: FileId, text: &str, vars: &Value, work: &mut Work) -> Rendered {
        let parts = hcl::parse_template(text, 0);
        let names: Vec<(&str, Node<'t>)> = vars
            .as_map()
            .into_iter()
            .flat_map(|map| &map.entries)
            .map(|(name, value)| (&**name, Node::Value(value.clone())))
            .collect();
        let scope = Scope { names: &names, outer: None };
        let mut mapped = Mapped::default();
        Env { file, scope: Some(&scope), closed: true, ..*self }.render_mapped(&parts, &mut mapped, work);
        Rendered { file, text: mapped }
    }

    fn follow_call(&self, name: &str, args: &[Expr], hops: usize, work: &mut Work) -> Option<Rendered> {
        match name {
            "base64encode" | "base64gzip" | "trimspace" | "chomp" | "sensitive" | "nonsensitive" | "tostring" => {
                self.follow(args.first()?, hops + 1, work)
            }
            "file" => {
                let path = self.value(args.first()?, work);
                let (file, text) = self.ground.files.find(&self.locate(path.as_str()?)?)?;
                Some(Rendered { file, text: Mapped::verbatim(text, 0) })
            }
            "templatefile" => {
                let path = self.value(args.first()?, work);
                let vars = args.get(1).map(|vars| self.value(vars, work)).unwrap_or_default();
                let (file, text) = self.ground.files.find(&self.locate(path.as_str()?)?)?;
                Some(self.template_rendered(file, text, &vars, work))
            }
            _ => None,
        }
    }

    /// A path as `file` takes it, from the tree's root.
    pub(super) fn locate(&self, path: &str) -> Option<String> {
        if let Some(rest) = path.strip_prefix(REPOSITORY) {
            return source::join("", rest);
        }
        if path.starts_with(['/', '~']) {
            return None;
        }
        source::join(&self.at.root, path)
    }

    fn render_mapped(&self, parts: &[Part], out: &mut Mapped, work: &mut Work) {
        for part in parts {
            if work.enter().is_err() {
                return;
            }
            match part {
                Part::Lit(text, span) if text.len() == span.len() => out.push(text, span.start),
                Part::Lit(text, span) => out.push_for(text, *span),
                Part::Interp(expr) => push_value(&self.value(expr, work), expr.span, out),
                Part::If(condition, yes, no) => {
                    let condition = self.value(condition, work);
                    let taken = condition.data().and_then(|data| ops::boolean(data).ok());
                    // Either may run when it is not known: both are shown.
                    if taken != Some(false) {
                        self.render_mapped(yes, out, work);
                    }
                    if taken != Some(true) {
                        self.render_mapped(no, out, work);
                    }
                }
                Part::For(key, name, collection, body) => {
                    self.render_mapped_for((key.as_deref(), name), collection, body, out, work);
                }
            }
            work.leave();
        }
    }

    fn render_mapped_for(
        &self,
        (key_name, name): (Option<&str>, &str),
        collection: &Expr,
        body: &[Part],
        out: &mut Mapped,
        work: &mut Work,
    ) {
        let node = self.node(collection, work).unwrap_or_else(|reason| Node::Value(Value::unknown(reason)));
        let members = self.members(&node, work).and_then(|members| members);
        let members = match members {
            Ok((members, _)) => members.into_iter().take(64).collect(),
            Err(reason) => vec![(Value::unknown(reason.clone()), Node::Value(Value::unknown(reason)))],
        };
        for (key, node) in members {
            let mut names = vec![(name, node)];
            if let Some(key_name) = key_name {
                names.push((key_name, Node::Value(key)));
            }
            let scope = Scope { names: &names, outer: self.scope };
            Env { scope: Some(&scope), ..*self }.render_mapped(body, out, work);
        }
    }
}

/// A quoted string without escapes lies one to one inside its quotes.
fn push_literal(text: &str, span: Span, out: &mut Mapped) {
    match span.len().checked_sub(text.len()) {
        Some(2) => out.push(text, span.start + 1),
        Some(0) => out.push(text, span.start),
        _ => out.push_for(text, span),
    }
}

/// A value that `span` stands for.
fn push_value(value: &Value, span: Span, out: &mut Mapped) {
    match &value.kind {
        Kind::Known(Data::Null) | Kind::Absent => {}
        Kind::Known(data) => match data.scalar() {
            Some(text) => out.push_for(&text, span),
            None => out.push_hole(span),
        },
        Kind::Text(pieces) => {
            for piece in pieces.iter() {
                match piece {
                    Piece::Lit(text) => out.push_for(text, span),
                    Piece::Hole(_) => out.push_hole(span),
                }
            }
        }
        Kind::OneOf(_) | Kind::Unknown(_) => out.push_hole(span),
    }
}
