//! Commands in templates as text with the way back, and the files that templates name.

use crate::source::{self, Tree};
use crate::syntax::hcl::{Expr, ExprKind, Part};
use crate::text::{FileId, Loc, Mapped, Span};
use crate::value::{Data, Kind, Piece, Value};

/// Commands written in a template.
#[derive(Clone, Debug, Default)]
pub struct Inline {
    /// The file that they stand in.
    pub file: FileId,
    /// The commands, a line each.
    pub text: Mapped,
}

/// A file that a template names.
#[derive(Clone, Debug)]
pub struct Script {
    /// The path as the template gives it.
    pub path: Value,
    /// The file of the tree, when it is found.
    pub file: Option<FileId>,
}

impl Script {
    /// Finds the file that `path` names in a template of `folder`.
    pub(super) fn find(tree: &Tree, folder: &str, path: Value) -> Self {
        let file = path.as_str().and_then(|text| locate(tree, folder, text));
        Self { path, file }
    }
}

/// Paths are relative to where `packer` is started: the template's folder, one above it, or the root; last, the only file
/// of the tree with that ending.
fn locate(tree: &Tree, folder: &str, path: &str) -> Option<FileId> {
    if path.starts_with(['/', '~']) {
        return None;
    }
    let mut from = folder;
    for _ in 0..32 {
        if let Some(found) = source::join(from, path).and_then(|path| tree.find(&path)) {
            return Some(found);
        }
        if from.is_empty() {
            break;
        }
        from = source::folder(from);
    }
    let clean = path.trim_start_matches("./");
    if clean.starts_with("../") || !clean.contains('/') {
        return None;
    }
    let ending = format!("/{clean}");
    let mut found = tree.iter().filter(|(_, file)| file.path.ends_with(&ending));
    let (first, _) = found.next()?;
    found.next().is_none().then_some(first)
}

/// Gathers commands line by line.
#[derive(Default)]
pub(super) struct Lines(Vec<Inline>);

impl Lines {
    /// The text that goes on in `file`, at the beginning of a line.
    fn text(&mut self, file: FileId) -> &mut Mapped {
        let last = match self.0.pop() {
            Some(last) if last.file == file => last,
            other => {
                self.0.extend(other);
                Inline { file, text: Mapped::default() }
            }
        };
        &mut self.0.push_mut(last).text
    }

    fn end(text: &mut Mapped, span: Span) {
        if !text.text.ends_with('\n') {
            text.push_for("\n", Span { start: span.end, end: span.end });
        }
    }

    /// An expression of HCL, its interpolations evaluated by `evaluate`.
    pub(super) fn expression(&mut self, file: FileId, expr: &Expr, evaluate: &dyn Fn(&Expr) -> Value) {
        match &expr.kind {
            ExprKind::List(items) => items.iter().for_each(|item| self.line(file, item, evaluate)),
            ExprKind::Str(_) | ExprKind::Template(_) => self.line(file, expr, evaluate),
            _ => self.value(&evaluate(expr), Loc { file, span: expr.span }),
        }
    }

    fn line(&mut self, file: FileId, expr: &Expr, evaluate: &dyn Fn(&Expr) -> Value) {
        match &expr.kind {
            ExprKind::Str(written) => {
                let text = self.text(file);
                push_literal(written, expr.span, text);
                Self::end(text, expr.span);
            }
            ExprKind::Template(parts) => {
                let text = self.text(file);
                for part in parts {
                    match part {
                        Part::Lit(written, span) if written.len() == span.len() => text.push(written, span.start),
                        Part::Lit(written, span) => text.push_for(written, *span),
                        Part::Interp(inner) => push_value(&evaluate(inner), inner.span, text),
                        Part::If(..) | Part::For(..) => text.push_hole(expr.span),
                    }
                }
                Self::end(text, expr.span);
            }
            _ => self.value(&evaluate(expr), Loc { file, span: expr.span }),
        }
    }

    /// A value that is one command or a list of commands; what says nothing about its place stands at `place`.
    pub(super) fn value(&mut self, value: &Value, place: Loc) {
        match value.as_list() {
            Some(list) => {
                for item in list.items.iter().take(4096) {
                    self.single(item, item.origin.unwrap_or(place));
                }
            }
            None => self.single(value, place),
        }
    }

    fn single(&mut self, value: &Value, at: Loc) {
        if value.is_absent() {
            return;
        }
        let text = self.text(at.file);
        push_value(value, at.span, text);
        Self::end(text, at.span);
    }

    /// A text with its way back, as a line of its own.
    pub(super) fn mapped(&mut self, file: FileId, mapped: &Mapped) {
        let text = self.text(file);
        let mut span = Span::default();
        for (at, letter) in mapped.text.char_indices() {
            span = mapped.span(Span::new(at, at + letter.len_utf8()));
            let mut bytes = [0; 4];
            let letter = letter.encode_utf8(&mut bytes);
            if span.len() == letter.len() { text.push(letter, span.start) } else { text.push_for(letter, span) }
        }
        Self::end(text, span);
    }

    pub(super) fn finish(self) -> Vec<Inline> {
        self.0
    }
}

/// A quoted string without escapes lies one to one inside its quotes.
fn push_literal(written: &str, span: Span, text: &mut Mapped) {
    match span.len().checked_sub(written.len()) {
        Some(2) => text.push(written, span.start + 1),
        Some(0) => text.push(written, span.start),
        _ => text.push_for(written, span),
    }
}

fn push_value(value: &Value, span: Span, text: &mut Mapped) {
    match &value.kind {
        Kind::Known(Data::Null) | Kind::Absent => {}
        Kind::Known(data) => match data.scalar() {
            Some(known) => text.push_for(&known, span),
            None => text.push_hole(span),
        },
        Kind::Text(pieces) => {
            for piece in pieces.iter() {
                match piece {
                    Piece::Lit(known) => text.push_for(known, span),
                    Piece::Hole(_) => text.push_hole(span),
                }
            }
        }
        Kind::Unknown(_) | Kind::OneOf(_) => text.push_hole(span),
    }
}
