//! Texts that are right and that `hcl-edit` does not parse as a whole: the structure as the grammar has it, and each value
//! by itself.

use super::check::Event;
use super::template::{Place, opaque};
use super::{Attribute, Block, Body, Expr, ExprKind, MAX_DEPTH, parse_expr};
use std::ops::Range;

/// The structure of a text as a tree.
pub(super) fn body(place: Place, events: Vec<Event>) -> Body {
    // The file, and the blocks that are open.
    let mut open = vec![Block::default()];
    for event in events {
        match event {
            Event::Block(kind) => {
                let span = place.span(kind.start, kind.end);
                let name = place.text.get(kind).unwrap_or("").into();
                open.push(Block { kind: name, header: span, span, ..Block::default() });
            }
            Event::Close(end) => {
                let Some(mut block) = open.pop() else { continue };
                let around = open.len().saturating_sub(1);
                block.span = block.span.to(place.span(end, end));
                if let Some(outer) = open.last_mut().filter(|_| around < MAX_DEPTH) {
                    outer.body.blocks.push(block);
                }
            }
            Event::Label(range) => {
                let span = place.span(range.start, range.end);
                if let Some(block) = open.last_mut() {
                    block.header = block.header.to(span);
                    block.labels.push((label(place.text.get(range).unwrap_or("")), span));
                }
            }
            Event::Attribute(name, value) => {
                let name_span = place.span(name.start, name.end);
                let name = place.text.get(name).unwrap_or("").into();
                if let Some(block) = open.last_mut() {
                    block.body.attributes.push(Attribute { name, name_span, value: self::value(place, value) });
                }
            }
        }
    }
    open.swap_remove(0).body
}

/// The text of a label; in quotes it has escapes.
fn label(text: &str) -> Box<str> {
    match parse_expr(text, 0) {
        Ok(Expr { kind: ExprKind::Str(label), .. }) => label,
        _ => text.trim_matches('"').into(),
    }
}

fn value(place: Place, range: Range<usize>) -> Expr {
    let text = place.text.get(range.clone()).unwrap_or("");
    let span = place.span(range.start, range.end);
    parse_expr(text, span.start).unwrap_or_else(|_| opaque("it is too large to be followed", span))
}
