//! Compose text that a task writes, rendered as far as it is known: plain YAML, each hole a mark, every span led back.

use super::interpolate::{FIRST_MARK, MAX_MARKS, Reader};
use super::{Container, Declared, Setting, compose};
use crate::model::ansible::Rendered;
use crate::syntax::yaml::Yaml;
use crate::text::{HOLE, Loc, Mapped, Span};

/// The containers of a compose text (a block scalar of a playbook, a template file); none when it is no compose text.
#[must_use]
pub fn of_compose_text(rendered: &Rendered, setting: &Setting<'_>) -> Vec<Container> {
    let text = &rendered.text.text;
    let has_services = text.lines().any(|line| line.trim_end() == "services:" || line.starts_with("services: "));
    if !has_services || !(text.contains("image:") || text.contains("build:")) {
        return Vec::new();
    }
    let plain = plain(text);
    let yaml = Yaml::parse(&plain.text);
    let place = |span: Span| Loc { file: rendered.file, span: rendered.text.span(plain.span(span)) };
    let holes = rendered.holes.get(..MAX_MARKS).unwrap_or(&rendered.holes);
    let reader = Reader { setting: *setting, holes, templates: false };
    yaml.documents().flat_map(|root| compose::read(root, &place, &reader, Declared::Text)).collect()
}

/// The text with a mark of its own for each hole.
fn plain(text: &str) -> Mapped {
    let mut plain = Mapped::default();
    let (mut at, mut number) = (0, 0);
    for line in text.split_inclusive('\n') {
        let mut marked = String::with_capacity(line.len());
        for c in line.chars() {
            if c == HOLE {
                marked.push(u32::try_from(number).ok().filter(|_| number < MAX_MARKS).map_or(HOLE, mark));
                number += 1;
            } else {
                marked.push(c);
            }
        }
        let words = line.trim();
        if words.len() == HOLE.len_utf8() && words.starts_with(HOLE) {
            // Entries that an expression adds to a mapping.
            let end = marked.trim_end().len();
            plain.push(&marked[..end], Span::new(at, 0).start);
            plain.push_for(":", Span::new(at + end - words.len(), at + end));
            plain.push(&marked[end..], Span::new(at + end, 0).start);
        } else {
            plain.push(&marked, Span::new(at, 0).start);
        }
        at += line.len();
    }
    plain
}

/// The mark of a number: as long as a hole, so that every offset stays.
fn mark(number: u32) -> char {
    char::from_u32(FIRST_MARK.saturating_add(number)).unwrap_or(HOLE)
}
