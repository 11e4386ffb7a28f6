//! Broken files: parsing them never panics and takes no long time, and what is not broken is kept.

mod support;

use rayon::prelude::*;
use stateward::syntax::hcl::{self, Block};
use stateward::text::LineIndex;
use std::time::{Duration, Instant};
use support::hcl::{Text, own_texts};

fn quickly(name: &str, what: &str, text: &str) -> hcl::File {
    let start = Instant::now();
    let file = hcl::parse(text);
    assert!(start.elapsed() < Duration::from_secs(5), "{name}: {what}: {:?}", start.elapsed());
    for error in &file.errors {
        assert!(error.span.end as usize <= text.len(), "{name}: {what}: {error:?}");
    }
    file
}

#[test]
fn cut_files() {
    own_texts().par_iter().for_each(|Text { name, text }| {
        for end in (0..text.len()).step_by(50).filter(|end| text.is_char_boundary(*end)) {
            quickly(name, &format!("cut at {end}"), &text[..end]);
        }
    });
}

#[test]
fn files_without_one_byte() {
    own_texts().par_iter().for_each(|Text { name, text }| {
        let ascii = (0..text.len()).filter(|at| text.is_char_boundary(*at) && text.is_char_boundary(at + 1));
        // What holds a text together, and some of the rest.
        let bytes = text.as_bytes();
        let holds = |at: usize| b"\"{}[]()<=$%\\~".contains(&bytes[at]);
        for at in ascii.filter(|at| if holds(*at) { at % 5 == 0 } else { at % 41 == 0 }) {
            let broken = format!("{}{}", &text[..at], &text[at + 1..]);
            quickly(name, &format!("without byte {at}"), &broken);
        }
    });
}

fn address(block: &Block) -> String {
    let labels = block.labels.iter().map(|(label, _)| format!(".{label}"));
    std::iter::once(block.kind.to_string()).chain(labels).collect()
}

/// Lines that no block takes.
const FAULTS: &[&str] =
    &["x = = 1", "@", "x = \"a", "x = {", "x = (", "x = \"${\"", "x = ]", "x = 1 y = 2", "x = <<NEVER"];

#[test]
fn a_fault_in_one_block_leaves_the_others() {
    let lost: Vec<String> = own_texts().par_iter().flat_map_iter(faults_in).collect();
    assert!(lost.is_empty(), "{} lost:\n{}", lost.len(), lost.join("\n"));
}

/// Puts each fault into each block of a text, and tells what else is lost for it.
fn faults_in(Text { name, text }: &Text) -> Vec<String> {
    let whole = hcl::parse(text);
    let mut lost = Vec::new();
    if !whole.errors.is_empty() {
        return lost;
    }
    let blocks: Vec<&Block> = whole.body.blocks.iter().filter(|block| block.span.slice(text).contains('\n')).collect();
    for (block, fault) in blocks.iter().flat_map(|block| FAULTS.iter().map(move |fault| (block, fault))) {
        let inside = block.header.end as usize + text[block.header.end as usize..].find('{').unwrap_or(0) + 1;
        let broken = format!("{}\n  {fault}{}", &text[..inside], &text[inside..]);
        let file = quickly(name, fault, &broken);
        let line = LineIndex::new(text).line(block.span.start);
        if file.errors.is_empty() {
            lost.push(format!("{name}:{line}: {fault}: the error"));
        }
        let found: Vec<String> = file.body.blocks.iter().map(address).collect();
        let expected = whole.body.blocks.iter().map(address);
        lost.extend(expected.filter(|own| !found.contains(own)).map(|own| format!("{name}:{line}: {fault}: {own}")));
    }
    lost
}
