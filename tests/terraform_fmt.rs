//! What Terraform's parser accepts is accepted, and what it refuses is refused.
//!
//! With `STATEWARD_CORPUS=folder` the Terraform files of that folder are compared as well.

mod support;

use stateward::syntax::hcl;
use stateward::text::LineIndex;
use support::hcl::tables::{accepted_texts, refused_texts};
use support::hcl::{Text, corpus, own_texts, refused};

/// Prints where we and Terraform differ; how many texts that are.
fn disagreements(texts: &[Text]) -> Option<usize> {
    let refused = refused(texts)?;
    let (mut accepted, mut lax, mut strict, mut same_line) = (0, 0, 0, 0);
    for (at, Text { name, text }) in texts.iter().enumerate() {
        let errors = hcl::parse(text).errors;
        match (refused.get(&at), errors.first()) {
            (None, None) => accepted += 1,
            (Some(lines), Some(_)) => {
                let index = LineIndex::new(text);
                same_line += usize::from(errors.iter().any(|error| lines.contains(&index.line(error.span.start))));
            }
            (Some(_), None) => {
                lax += 1;
                println!("only Terraform refuses {name}");
            }
            (None, Some(error)) => {
                strict += 1;
                println!("only Terraform accepts {name}: {error:?}");
            }
        }
    }
    let both = texts.len() - accepted - lax - strict;
    println!(
        "{} texts: {accepted} accepted by both, {both} refused by both ({same_line} on a line that Terraform names), \
         {lax} refused by Terraform only, {strict} accepted by Terraform only",
        texts.len()
    );
    Some(lax + strict)
}

#[test]
fn own_texts_are_judged_alike() {
    if let Some(count) = disagreements(&own_texts()) {
        assert_eq!(count, 0);
    }
}

#[test]
fn a_corpus_is_judged_alike() {
    let Some(texts) = corpus() else { return };
    if let Some(count) = disagreements(&texts) {
        assert!(count * 1000 <= texts.len(), "{count} of {}", texts.len());
    }
}

#[test]
fn the_tables_are_right() {
    for (texts, accepted) in [(accepted_texts(), true), (refused_texts(), false)] {
        let refused = refused(&texts);
        let mut wrong = Vec::new();
        for (at, Text { name, text }) in texts.iter().enumerate() {
            let errors = hcl::parse(text).errors;
            if errors.is_empty() != accepted {
                wrong.push(format!("we: {name}: {errors:?}"));
            }
            if refused.as_ref().is_some_and(|refused| refused.contains_key(&at) == accepted) {
                wrong.push(format!("Terraform: {name}"));
            }
        }
        assert!(wrong.is_empty(), "accepted: {accepted}\n{}", wrong.join("\n"));
    }
}
