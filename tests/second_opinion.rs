//! Two parsers see the same blocks and attributes in the same places.
//!
//! With `STATEWARD_CORPUS=folder` the Terraform files of that folder are compared as well.

mod support;

use stateward::syntax::hcl::{self, Body};
use stateward::text::Span;
use support::hcl::tables::accepted_texts;
use support::hcl::{Text, corpus, own_texts};

/// A block (kind, labels and where they stand; span of the header and the whole) or an attribute (name; span of the name
/// and the value).
#[derive(Debug)]
struct Item {
    words: Vec<String>,
    labels: Vec<Span>,
    head: Span,
    rest: Span,
    is_block: bool,
}

impl Item {
    fn is(&self, other: &Self, text: &str) -> bool {
        let same_rest = if self.is_block { self.rest == other.rest } else { agree(text, self.rest, other.rest) };
        (self.is_block, &self.words, &self.labels, self.head)
            == (other.is_block, &other.words, &other.labels, other.head)
            && same_rest
    }
}

fn items(body: &Body, found: &mut Vec<Item>) {
    for attribute in &body.attributes {
        let words = vec![attribute.name.to_string()];
        let (head, rest) = (attribute.name_span, attribute.value.span);
        found.push(Item { words, labels: Vec::new(), head, rest, is_block: false });
    }
    for block in &body.blocks {
        let labels = block.labels.iter().map(|(label, _)| label.to_string());
        let words = std::iter::once(block.kind.to_string()).chain(labels).collect();
        let labels = block.labels.iter().map(|(_, span)| *span).collect();
        found.push(Item { words, labels, head: block.header, rest: block.span, is_block: true });
        items(&block.body, found);
    }
}

/// Whether two spans are of one value: parentheses around it, which leave no trace in our tree, are of tree-sitter's span
/// only, with the white space and comments inside of them.
fn agree(text: &str, ours: Span, theirs: Span) -> bool {
    let part = |start: u32, end: u32| text.get(start as usize..end as usize);
    match (part(theirs.start, ours.start), part(ours.end, theirs.end)) {
        (Some(before), Some(after)) => {
            let (opened, closed) = (without_trivia(before), without_trivia(after));
            opened.len() == closed.len() && opened.chars().all(|c| c == '(') && closed.chars().all(|c| c == ')')
        }
        _ => false,
    }
}

/// A text without white space and comments.
fn without_trivia(mut text: &str) -> String {
    let mut kept = String::new();
    while let Some(character) = text.trim_start().chars().next() {
        text = text.trim_start();
        let comment = match text.get(..2) {
            Some("/*") => text.find("*/").map(|end| end + 2),
            Some("//") => text.find('\n'),
            _ if character == '#' => text.find('\n'),
            _ => {
                kept.push(character);
                Some(character.len_utf8())
            }
        };
        text = &text[comment.unwrap_or(text.len())..];
    }
    kept
}

/// Prints where they differ and where a value is not understood; how many items were compared, and the number of those.
fn differences(texts: &[Text]) -> (usize, usize) {
    let (mut compared, mut different, mut files, mut opaque) = (0, 0, 0, 0);
    for Text { name, text } in texts {
        let ours = hcl::parse(text);
        let (true, Some(theirs)) = (ours.errors.is_empty(), hcl::second_opinion(text)) else { continue };
        let (mut left, mut right) = (Vec::new(), Vec::new());
        items(&ours.body, &mut left);
        items(&theirs, &mut right);
        files += 1;
        if format!("{:?}", ours.body).contains("Opaque(") {
            opaque += 1;
            println!("{name}: a value is not understood");
        }
        compared += left.len();
        if left.len() != right.len() {
            different += 1;
            println!("{name}: {} items here, {} there", left.len(), right.len());
        }
        for (ours, theirs) in left.iter().zip(&right).filter(|(ours, theirs)| !ours.is(theirs, text)) {
            different += 1;
            println!(
                "{name}:\n  ours:   {ours:?} {:?}\n  theirs: {theirs:?} {:?}",
                ours.rest.slice(text),
                theirs.rest.slice(text)
            );
        }
    }
    println!("{compared} items of {files} files compared, {different} differ; values not understood in {opaque} files");
    (compared, different + opaque)
}

#[test]
fn own_texts_are_seen_alike() {
    let (compared, different) = differences(&own_texts());
    assert!(compared > 1000 && different == 0, "{different} of {compared}");
}

#[test]
fn tables_are_seen_alike() {
    let (compared, different) = differences(&accepted_texts());
    assert!(compared > 100 && different == 0, "{different} of {compared}");
}

#[test]
fn a_corpus_is_seen_alike() {
    let Some(texts) = corpus() else { return };
    let (compared, different) = differences(&texts);
    assert!(different == 0, "{different} of {compared}");
}
