//! Which rules hold where, and with what severity and options.

use super::earlier::Earlier;
use crate::config::{Config, ConfigError, OptionValue};
use crate::diag::Severity;
use crate::rule::card::{Card, Settings};
use crate::value::{Data, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a run asks for beside the configuration.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `--select`: these rules and families only.
    pub select: Vec<String>,
    /// `--ignore`: none of these.
    pub ignore: Vec<String>,
    /// Suppressions do not count.
    pub no_ignores: bool,
    /// The day of the run, `YYYY-MM-DD`.
    pub today: String,
    /// Only findings below these paths (relative, empty: all).
    pub paths: Vec<String>,
    /// Whether the ownership map is wanted too.
    pub chart: bool,
    /// What was there before the change that is judged.
    pub earlier: Option<Arc<Earlier>>,
    /// Paths that count as others: those of files that have been renamed since.
    pub renamed: BTreeMap<Box<str>, Box<str>>,
}

/// Families that a throw-away environment lowers by one level.
const DATA_FAMILIES: [&str; 3] = ["data-placement", "data-protection", "data-lifecycle"];

/// Whether a list of rule ids and families names a card.
fn names(list: &[String], card: &Card) -> bool {
    list.iter().any(|name| *name == card.id || *name == card.family)
}

impl Request {
    /// Whether a card runs for a path.
    #[must_use]
    pub fn selects(&self, card: &Card, config: &Config, path: &str) -> bool {
        if names(&self.ignore, card) {
            return false;
        }
        if !self.select.is_empty() {
            return names(&self.select, card);
        }
        let mut on = config.profile(path).holds(&card.profiles) || card.family == "meta";
        for layer in config.layers_for(path) {
            let listed = |list: &[(String, crate::text::Loc)]| {
                list.iter().any(|(name, _)| *name == card.id || *name == card.family)
            };
            on |= listed(&layer.select);
            on &= !listed(&layer.ignore);
        }
        on
    }

    /// Whether a path is asked for.
    #[must_use]
    pub fn reports(&self, path: &str) -> bool {
        let holds = |asked: &String| {
            asked.is_empty()
                || path == asked
                || path.strip_prefix(asked.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        self.paths.is_empty() || self.paths.iter().any(holds)
    }
}

/// The severity of a card's finding at a path.
#[must_use]
pub fn severity(card: &Card, found: Severity, config: &Config, path: &str, environment: Option<&str>) -> Severity {
    let set = config.layers_for(path).filter_map(|layer| layer.severity.get(&card.id)).next_back();
    if let Some((severity, _)) = set {
        return *severity;
    }
    let lowers = DATA_FAMILIES.contains(&card.family.as_str()) && config.is_ephemeral(environment.unwrap_or(path));
    if lowers { found.lowered() } else { found }
}

/// The options of a card at a path on a day: what was set until an earlier day is set no more.
#[must_use]
pub fn settings(card: &Card, config: &Config, path: &str, today: &str) -> Settings {
    let mut settings = card.defaults();
    let ended = |values: &BTreeMap<String, OptionValue>| matches!(values.get("until"), Some(OptionValue::Scalar(day)) if day.scalar().is_some_and(|day| *day < *today));
    let set = config.layers_for(path).filter_map(|layer| layer.options.get(&card.id));
    for (values, _) in set.filter(|(values, _)| !ended(values)) {
        for (name, value) in values.iter().filter(|(name, _)| card.option(name).is_some()) {
            // What does not fit was reported when the configuration was checked.
            let _ = settings.set(card, name, option_value(value));
        }
    }
    settings
}

fn option_value(value: &OptionValue) -> Value {
    match value {
        OptionValue::Scalar(data) => Value::known(data.clone()),
        OptionValue::List(items) => {
            Value::list(items.iter().map(|item| Value::known(Data::from(item.as_str()))).collect())
        }
    }
}

/// What the configuration says of rules and options that there are not.
#[must_use]
pub fn check(config: &Config, cards: &[Card]) -> Vec<ConfigError> {
    let by_id: BTreeMap<&str, &Card> = cards.iter().map(|card| (card.id.as_str(), card)).collect();
    let known = |name: &str| by_id.contains_key(name) || cards.iter().any(|card| card.family == name);
    let mut errors = Vec::new();
    let mut unknown = |name: &str, loc| {
        errors.push(ConfigError { loc, message: format!("there is no rule or family `{name}`") });
    };
    for layer in &config.layers {
        for (name, loc) in layer.select.iter().chain(&layer.ignore).filter(|(name, _)| !known(name)) {
            unknown(name, *loc);
        }
        for (name, (_, loc)) in layer.severity.iter().filter(|(name, _)| !known(name)) {
            unknown(name, *loc);
        }
        for entry in layer.suppress.iter().filter(|entry| !known(&entry.rule)) {
            unknown(&entry.rule, entry.loc);
        }
        for (name, (_, loc)) in layer.options.iter().filter(|(name, _)| !known(name)) {
            unknown(name, *loc);
        }
    }
    for layer in &config.layers {
        for (name, (values, loc)) in &layer.options {
            let Some(card) = by_id.get(name.as_str()) else { continue };
            for (option, value) in values {
                // `reason` and `until` say why, for whoever reads the configuration.
                if matches!(option.as_str(), "reason" | "until" | "owner") {
                    continue;
                }
                if let Err(message) = card.defaults().set(card, option, option_value(value)) {
                    errors.push(ConfigError { loc: *loc, message });
                }
            }
        }
    }
    errors
}
