//! A few lines of a file with their true numbers, made fit for a terminal.

use super::{first_line, printable};
use crate::source::Tree;
use crate::text::{Loc, Span};
use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// Longer lines are cut around what they are shown for, in bytes.
const LINE_BYTES: usize = 200;

/// How much of a cut line stands before what it is shown for, in bytes.
const LEAD_BYTES: usize = 60;

/// How many lines a label may be away from the finding to share its excerpt.
const NEAR_LINES: u32 = 3;

/// One line with a marked part.
struct Marked {
    text: String,
    /// The part, in bytes of `text`.
    mark: Span,
}

/// The lines around a finding, and the labels on them.
#[derive(Debug)]
pub(super) struct Window {
    path: String,
    text: String,
    /// Lines of the file before the window.
    skipped: usize,
    /// Column of the finding in the file, from 0; a cut line would tell another.
    column: usize,
    primary: usize,
    /// The labels, the finding's first.
    pub(super) labels: Vec<LabeledSpan>,
}

impl Window {
    /// The excerpt for `loc`, labelled; `None` when its file has no text.
    /// Of `others`, those close by are labelled too and their indices returned.
    pub(super) fn new(
        tree: &Tree,
        loc: Loc,
        label: Option<&str>,
        others: &[(Loc, &str)],
    ) -> Option<(Self, Vec<usize>)> {
        let source = tree.file(loc.file).text().ok()?;
        if source.text.is_empty() {
            return None;
        }
        let lines = source.lines();
        let here = lines.line(loc.span.start);
        let near = near(tree, loc, here, others);
        let last = lines.count();
        let from = near.iter().map(|(line, _)| *line).min().unwrap_or(here).min(here).saturating_sub(1).max(1);
        let to = near.iter().map(|(line, _)| *line).max().unwrap_or(here).max(here).saturating_add(1).min(last);
        let column = lines.position(&source.text, loc.span.start).column as usize - 1;
        let path = printable(tree.path(loc.file)).into_owned();
        let mut window =
            Self { path, text: String::new(), skipped: from as usize - 1, column, primary: 0, labels: Vec::new() };
        for line in from..=to {
            let span = lines.line_span(&source.text, line);
            if line == to && line > here && span.is_empty() {
                continue;
            }
            if line == here {
                let at = window.push(&source.text, span, first_line(tree, loc).span);
                window.primary = at.start as usize;
                let label = label.map(|label| printable(label).into_owned());
                window.labels.insert(0, LabeledSpan::new_primary_with_span(label, at.range()));
            } else if let Some((_, index)) = near.iter().find(|(other, _)| *other == line) {
                let (other, message) = others[*index];
                let at = window.push(&source.text, span, first_line(tree, other).span);
                window.labels.push(LabeledSpan::new_with_span(Some(printable(message).into_owned()), at.range()));
            } else {
                window.push(&source.text, span, Span { start: span.start, end: span.start });
            }
        }
        Some((window, near.into_iter().map(|(_, index)| index).collect()))
    }

    /// Adds a line; returns where the marked part went.
    fn push(&mut self, source: &str, line: Span, mark: Span) -> Span {
        let marked = cut(source, line, mark);
        let at = self.text.len();
        self.text.push_str(&marked.text);
        self.text.push('\n');
        Span::new(at + marked.mark.start as usize, at + marked.mark.end as usize)
    }
}

/// Line and index of the first of `others` on each line close to `here`, the line itself left out.
fn near(tree: &Tree, loc: Loc, here: u32, others: &[(Loc, &str)]) -> Vec<(u32, usize)> {
    let mut near: Vec<(u32, usize)> = Vec::new();
    for (index, (other, _)) in others.iter().enumerate().filter(|(_, (other, _))| other.file == loc.file) {
        let line = tree.line(*other);
        if line != here && line.abs_diff(here) <= NEAR_LINES && near.iter().all(|(taken, _)| *taken != line) {
            near.push((line, index));
        }
    }
    near
}

/// A line of `source`, at most [`LINE_BYTES`] of it around `mark`, fit for a terminal.
fn cut(source: &str, line: Span, mark: Span) -> Marked {
    let text = line.slice(source);
    let inside = |offset: u32| text.floor_char_boundary(offset.saturating_sub(line.start) as usize);
    let (start, end) = (inside(mark.start), inside(mark.end));
    let (from, to) = if text.len() <= LINE_BYTES {
        (0, text.len())
    } else {
        let from = if start < LINE_BYTES - LEAD_BYTES { 0 } else { start - LEAD_BYTES };
        (text.floor_char_boundary(from), text.floor_char_boundary(from + LINE_BYTES))
    };
    let part = |start: usize, end: usize| printable(text.get(start..end).unwrap_or(""));
    let mut shown = String::from(if from > 0 { "…" } else { "" });
    shown.push_str(&part(from, start));
    let begin = shown.len();
    let end = end.min(to);
    shown.push_str(&part(start, end));
    let mark = Span::new(begin, shown.len());
    shown.push_str(&part(end.max(start), to));
    shown.push_str(if to < text.len() { "…" } else { "" });
    Marked { text: shown, mark }
}

/// One line of the file around `loc`, without its indentation; `None` when there is nothing to show.
pub(super) fn line_of(tree: &Tree, loc: Loc) -> Option<String> {
    let source = tree.file(loc.file).text().ok()?;
    let lines = source.lines();
    let span = lines.line_span(&source.text, lines.line(loc.span.start));
    let line = cut(&source.text, span, first_line(tree, loc).span).text.trim().to_owned();
    Some(line).filter(|line| !line.is_empty())
}

impl SourceCode for Window {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = <str as SourceCode>::read_span(&self.text, span, before, after)?;
        // Asked without context, it is for the column in the heading.
        let column = if before == 0 && span.offset() == self.primary { self.column } else { inner.column() };
        Ok(Box::new(MietteSpanContents::new_named(
            self.path.clone(),
            inner.data(),
            *inner.span(),
            inner.line() + self.skipped,
            column,
            inner.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::File;

    #[test]
    fn long_lines_are_cut_around_the_mark() {
        let text = format!("{}NEEDLE{}", "ä".repeat(400), "b".repeat(4000));
        let at = text.find("NEEDLE").unwrap();
        let marked = cut(&text, Span::new(0, text.len()), Span::new(at, at + 6));
        assert_eq!(marked.mark.slice(&marked.text), "NEEDLE");
        assert!(marked.text.len() < LINE_BYTES + 10);
        assert!(marked.text.starts_with('…') && marked.text.ends_with('…'));
        let all = cut(&text, Span::new(0, text.len()), Span::new(at, text.len()));
        assert!(all.mark.slice(&all.text).starts_with("NEEDLEb"));
        let short = cut("a\u{1b}b", Span::new(0, 3), Span::new(2, 3));
        assert_eq!(short.mark.slice(&short.text), "b");
    }

    #[test]
    fn windows_survive_every_span() {
        let text = "é\r\n\n\tb \u{200d}c\n  last";
        let tree = Tree::new(vec![File::in_memory("x", text.as_bytes().to_vec(), true)], None);
        let (file, _) = tree.iter().next().unwrap();
        for start in 0..=text.len() + 2 {
            for end in start..=text.len() + 2 {
                let loc = Loc { file, span: Span::new(start, end) };
                let other = Loc { file, span: Span::new(text.len() - start.min(text.len()), text.len()) };
                let (window, _) = Window::new(&tree, loc, Some("here"), &[(other, "there")]).unwrap();
                for label in &window.labels {
                    assert!(window.read_span(label.inner(), 1, 1).is_ok(), "{loc:?}");
                }
            }
        }
        assert_eq!(line_of(&tree, Loc { file, span: Span::new(5, 6) }).as_deref(), Some("b \u{200d}c"));
    }
}
