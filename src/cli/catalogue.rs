//! `stateward explain` and `stateward rules`, and the rules themselves for the other commands.

use super::check::{Color, Rules};
use super::{USAGE, written};
use crate::config::Config;
use crate::engine;
use crate::knowledge::doctrine;
use crate::report::{self, RuleInfo};
use crate::rule::card::{Card, CardError};
use crate::rule::example::Example;
use crate::source::Tree;
use clap::{Args, ValueEnum};
use std::io;
use std::process::ExitCode;

/// Arguments of `explain`.
#[derive(Args)]
pub(super) struct ExplainArgs {
    /// The rule's id
    rule: String,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
}

/// Arguments of `rules`.
#[derive(Args)]
pub(super) struct RulesArgs {
    /// The form of the table
    #[arg(long, value_enum, default_value_t = Form::Human)]
    format: Form,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Human,
    Json,
}

/// The built-in cards.
pub(super) fn built_in() -> Result<Vec<Card>, String> {
    engine::built_in().map_err(|errors| show(&errors, &|_| String::new()))
}

/// Card errors, with the text that they stand in.
pub(super) fn show(errors: &[CardError], text: &dyn Fn(&str) -> String) -> String {
    errors.iter().map(|error| error.render(&text(&error.path))).collect::<Vec<_>>().join("\n")
}

/// Adds the rule files that the configuration names.
pub(super) fn add_user_rules(cards: &mut Vec<Card>, config: &Config, tree: &Tree) -> Result<(), String> {
    let catalog = engine::meta::catalog();
    for (pattern, _) in &config.rules {
        let glob = globset::Glob::new(pattern).map_err(|error| format!("stateward: {error}"))?.compile_matcher();
        let mut files = tree.iter().filter(|(_, file)| glob.is_match(&*file.path)).peekable();
        if files.peek().is_none() {
            return Err(format!("stateward: `rules: {pattern}` names no file"));
        }
        for (id, file) in files {
            let card = Card::load(&file.path, tree.text(id), &catalog)
                .map_err(|errors| show(&errors, &|_| tree.text(id).to_owned()))?;
            if cards.iter().any(|other| other.id == card.id) {
                return Err(format!("{}: there is a rule `{}` already", file.path, card.id));
            }
            cards.push(card);
        }
    }
    cards.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(())
}

/// Where the documentation of a rule stands.
fn help_uri(card: &Card) -> String {
    format!("{}/blob/main/rules/{}/{}.yaml", env!("CARGO_PKG_REPOSITORY"), card.family, card.id)
}

/// The cards as reports show them; examples are read only where they are shown.
pub(super) fn rule_infos(cards: &[Card]) -> Rules {
    cards.iter().map(|card| info(card, None, None)).collect()
}

fn info(card: &Card, fails: Option<String>, passes: Option<String>) -> RuleInfo {
    let sentence = |number: &String| {
        let text = doctrine::statement(number).map_or("", |statement| statement.text.as_str());
        (number.clone(), text.to_owned())
    };
    RuleInfo {
        id: card.id.clone(),
        family: card.family.clone(),
        summary: card.summary.clone(),
        why: card.why.clone(),
        help: card.help.clone(),
        severity: card.severity,
        confidence: card.confidence,
        doctrine: card.doctrine.iter().map(sentence).collect(),
        fails,
        passes,
        help_uri: help_uri(card),
        security: (card.id == "state-file-committed").then_some("8.0"),
    }
}

/// The first failing and passing example of a built-in rule, as text.
fn examples(card: &Card) -> (Option<String>, Option<String>) {
    let files: serde_json::Value = serde_json::from_str(Card::built_in_files()).unwrap_or_default();
    let (Some(path), Some(text)) = (files[&card.id]["path"].as_str(), files[&card.id]["text"].as_str()) else {
        return (None, None);
    };
    let examples = Example::load(path, text).unwrap_or_default();
    let first =
        |should_fail: bool| examples.iter().find(|example| example.should_fail == should_fail).map(Example::display);
    (first(true), first(false))
}

/// Runs `explain`.
pub(super) fn explain(args: &ExplainArgs) -> ExitCode {
    let cards = match built_in() {
        Ok(cards) => cards,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(USAGE);
        }
    };
    let Some(card) = cards.iter().find(|card| card.id == args.rule) else {
        eprintln!("stateward: there is no rule `{}`; `stateward rules` lists them", args.rule);
        return ExitCode::from(USAGE);
    };
    let (fails, passes) = examples(card);
    written(report::explain(&info(card, fails, passes), &mut io::stdout().lock(), args.color.wanted()), 0)
}

/// Runs `rules`.
pub(super) fn rules(args: &RulesArgs) -> ExitCode {
    match built_in() {
        Ok(cards) => {
            let format = match args.format {
                Form::Human => report::Catalogue::Human,
                Form::Json => report::Catalogue::Json,
            };
            written(report::rules(&rule_infos(&cards), format, &mut io::stdout().lock()), 0)
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(USAGE)
        }
    }
}
