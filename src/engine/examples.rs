//! The examples of cards, run as the small repositories that they are.

use super::earlier::Earlier;
use super::{Request, analyse};
use crate::config::Config;
use crate::rule::card::{Card, CardError};
use crate::rule::example::{Example, Found};
use crate::source::change::Before;
use std::sync::Arc;

/// What one example showed.
#[derive(Clone, Debug)]
pub struct Report {
    /// The rule.
    pub rule: String,
    /// The example's name.
    pub example: String,
    /// The line of its card, from 1.
    pub line: u32,
    /// What differs from what it says; empty when it passes.
    pub differences: Vec<String>,
}

/// Runs the examples of one rule file with all cards.
///
/// # Errors
/// When the examples cannot be read.
pub fn run(path: &str, text: &str, cards: &[Card]) -> Result<Vec<Report>, Vec<CardError>> {
    let examples = Example::load(path, text)?;
    let rule = crate::source::file_name(path).trim_end_matches(".yaml").to_owned();
    Ok(examples
        .iter()
        .map(|example| Report {
            rule: rule.clone(),
            example: example.name.clone(),
            line: example.line,
            differences: judge(example, cards),
        })
        .collect())
}

/// Examples are judged on the first day of the project, so that no `until` in them ends.
const TODAY: &str = "2026-01-01";

fn judge(example: &Example, cards: &[Card]) -> Vec<String> {
    let tree = example.tree();
    let config = Config::at_root(&tree);
    let mut request = Request { today: TODAY.to_owned(), ..Request::default() };
    if let Some(before) = example.tree_before() {
        let before = Before { tree: before, ..Before::default() };
        let earlier = Earlier::of(&before, cards, &|tree| Config::at_root(tree), &request);
        request.earlier = earlier.ok().map(Arc::new);
    }
    match analyse(&tree, cards, config, &request) {
        Ok(analysis) => {
            let visible = analysis.findings.iter().filter(|finding| finding.suppressed.is_none());
            let found: Vec<Found> = visible.map(|finding| Found::new(finding, &tree)).collect();
            example.compare(&found)
        }
        Err(errors) => errors.into_iter().map(|error| error.message).collect(),
    }
}
