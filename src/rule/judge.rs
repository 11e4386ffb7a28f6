//! A card applied to one row of facts.

use super::card::{Card, Entry, Settings, WhenUnknown};
use super::condition::{Env, Members, Path, equals_data, members};
use super::subject::{Fact, Row, Subject};
use crate::diag::{Related, Severity};
use crate::text::Loc;
use crate::value::{Reason, Tri, Value};
use std::borrow::Cow;

/// How many related places one finding names.
const MAX_RELATED: usize = 12;

/// What a card says about a row, or about one element of it; silence is no verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A violation.
    Fires(Hit),
    /// Not to be told, and why; to be counted.
    Undecided(Reason),
}

/// A violation, before the engine makes a finding of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// By the card alone; environment and configuration come later.
    pub severity: Severity,
    /// The folder of the environment that the row is part of, when its file does not say it.
    pub environment: Option<String>,
    /// The place to look at.
    pub loc: Loc,
    /// One sentence.
    pub message: String,
    /// Other places, in reading order.
    pub related: Vec<Related>,
    /// As the owning tool prints it.
    pub address: Option<String>,
    /// The text that a fingerprint is made from.
    pub identity: String,
    /// The exception that weakened it.
    pub lowered: Option<String>,
    /// Hits of one card in one file that agree in this are one habit.
    pub group: Option<String>,
}

/// The verdicts of a card on a row: those of the first entry that fires, else what could not be decided.
#[must_use]
pub fn judge(card: &Card, subject: &dyn Subject<'_>, settings: &Settings) -> Vec<Verdict> {
    let mut undecided = Vec::new();
    for entry in &card.entries {
        if !std::ptr::eq(entry.subject, subject.schema()) || !entry.selects(subject) {
            continue;
        }
        let verdicts = judge_entry(card, entry, subject, settings);
        if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Fires(_))) {
            return verdicts;
        }
        if undecided.is_empty() {
            undecided = verdicts;
        }
    }
    undecided
}

impl Entry {
    /// Whether `where` lets a row through.
    #[must_use]
    pub fn selects(&self, subject: &dyn Subject<'_>) -> bool {
        self.filter.iter().all(|filter| {
            let fact = subject.get(filter.field);
            filter.values.iter().any(|value| equals_data(&fact, value).is_true())
        })
    }
}

/// The verdicts of one entry on a row that it [selects](Entry::selects): at most one, or one for each element.
#[must_use]
pub fn judge_entry(card: &Card, entry: &Entry, subject: &dyn Subject<'_>, settings: &Settings) -> Vec<Verdict> {
    let mut env = Env::new(subject, settings.values());
    let Some(each) = &entry.each else {
        return candidate(card, entry, &mut env).into_iter().collect();
    };
    let (items, open) = match members(each.read(&env)) {
        Members::Known(items, open) => (items, open),
        Members::Absent => return Vec::new(),
        Members::Unknown(reason) => return unknown(card, entry, &env, reason).into_iter().collect(),
    };
    let mut verdicts = Vec::new();
    for item in items {
        env.set_element(item);
        verdicts.extend(candidate(card, entry, &mut env));
    }
    if let Some(reason) = open
        && verdicts.is_empty()
        && card.when_unknown == WhenUnknown::Count
    {
        verdicts.push(Verdict::Undecided(reason));
    }
    verdicts
}

fn candidate(card: &Card, entry: &Entry, env: &mut Env<'_, '_>) -> Option<Verdict> {
    let mut doubt = match entry.when.test(env) {
        Tri::False => return None,
        Tri::True => None,
        Tri::Unknown(reason) => Some(reason),
    };
    let mut lowered: Option<(Severity, &str)> = None;
    for exception in &entry.unless {
        match (exception.when.test(env), exception.lower) {
            (Tri::False, _) => {}
            (Tri::True, None) => return None,
            // It fires either way; of the two severities the weaker is sure.
            (Tri::True | Tri::Unknown(_), Some(lower)) => {
                if lowered.is_none_or(|(before, _)| lower < before) {
                    lowered = Some((lower, &exception.because));
                }
            }
            (Tri::Unknown(reason), None) => {
                doubt.get_or_insert(reason);
            }
        }
    }
    if env.subject().never() {
        return None;
    }
    if let Some(reason) = doubt {
        return unknown(card, entry, env, reason);
    }
    let severity = severity(entry, env);
    let severity = lowered.map_or(severity, |(lower, _)| severity.min(lower));
    Some(Verdict::Fires(hit(entry, env, severity, lowered.map(|(_, because)| because.to_owned()))))
}

/// The first case that is surely true.
fn severity(entry: &Entry, env: &mut Env<'_, '_>) -> Severity {
    for (severity, condition) in &entry.severity {
        if condition.test(env).is_true() {
            return *severity;
        }
    }
    entry.otherwise
}

fn unknown(card: &Card, entry: &Entry, env: &Env<'_, '_>, reason: Reason) -> Option<Verdict> {
    match card.when_unknown {
        WhenUnknown::Silent => None,
        WhenUnknown::Count => Some(Verdict::Undecided(reason)),
        WhenUnknown::Info => {
            let mut hit = hit(entry, env, Severity::Info, None);
            hit.message = format!("{} (not certain: {reason})", hit.message);
            Some(Verdict::Fires(hit))
        }
    }
}

fn hit(entry: &Entry, env: &Env<'_, '_>, severity: Severity, lowered: Option<String>) -> Hit {
    let subject = env.subject();
    let (mut loc, mut address, mut identity) = (subject.loc(), None, subject.identity());
    let mut related = Vec::new();
    if let Some(path) = entry.at.as_ref().filter(|path| !path.is_subject()) {
        match path.read(env) {
            Fact::Node(row) => {
                loc = row.loc();
                address = row.address();
            }
            Fact::Loc(place) => loc = place,
            Fact::Value(value) => {
                loc = value.origin.unwrap_or(loc);
                related.extend(steps(&value));
            }
            _ => {}
        }
    }
    if let Some(element) = env.element() {
        identity = format!("{identity} {}", element_identity(element));
    }
    for pointer in &entry.related {
        let message = pointer.message.as_ref().map(|template| template.render(env));
        point(&pointer.path, env, message.as_deref(), &mut related);
    }
    let mut seen = vec![loc];
    related.retain(|place: &Related| {
        let new = !seen.contains(&place.loc) && seen.len() <= MAX_RELATED;
        if new {
            seen.push(place.loc);
        }
        new
    });
    let mut message = entry.message.render(env);
    if let Some(doubt) = subject.doubt() {
        message = format!("{message} ({doubt})");
    }
    let group = entry.once_per.as_ref().map(|template| template.render(env));
    let environment = subject.environment();
    Hit {
        severity,
        environment,
        loc,
        message,
        related,
        address: address.or_else(|| subject.address()),
        identity,
        lowered,
        group,
    }
}

fn element_identity(element: &Fact<'_>) -> Cow<'static, str> {
    match element {
        Fact::Node(row) => row.identity().into(),
        Fact::Str(text) => text.to_string().into(),
        Fact::Value(value) => value.display().into(),
        Fact::Int(number) => number.to_string().into(),
        Fact::Bool(_) | Fact::List(..) | Fact::Loc(_) | Fact::Absent | Fact::Unknown(_) => "".into(),
    }
}

/// How a value came to where it is used.
fn steps(value: &Value) -> impl Iterator<Item = Related> {
    value.via.iter().flat_map(|via| via.iter()).map(|step| Related { loc: step.loc, message: step.what.to_string() })
}

/// Adds the places that a path leads to.
fn point<'m>(path: &Path, env: &Env<'_, 'm>, message: Option<&str>, related: &mut Vec<Related>) {
    if path.is_subject() {
        let row = env.subject();
        related.push(Related { loc: row.loc(), message: message.map_or_else(|| row.label(), str::to_owned) });
        return;
    }
    let last = path.text().rsplit_once('.').map_or(path.text(), |(_, last)| last);
    let by_row =
        |row: &Row<'m>| Related { loc: row.loc(), message: message.map_or_else(|| row.label(), str::to_owned) };
    match path.read(env) {
        Fact::Node(row) => related.push(by_row(&row)),
        Fact::Loc(loc) => {
            let message = message.map_or_else(|| last.replace('_', " "), str::to_owned);
            related.push(Related { loc, message });
        }
        Fact::Value(value) => {
            related.extend(steps(&value));
            related.extend(value.origin.map(|loc| Related {
                loc,
                message: message.map_or_else(
                    // A field that is called `value` is that of what the finding is about.
                    || {
                        if last == "value" {
                            format!("its value is {}", value.display())
                        } else {
                            format!("`{last}` is {}", value.display())
                        }
                    },
                    str::to_owned,
                ),
            }));
        }
        Fact::List(items, _) => {
            related.extend(items.iter().take(MAX_RELATED).filter_map(|item| match item {
                Fact::Node(row) => Some(by_row(row)),
                Fact::Loc(loc) => Some(Related { loc: *loc, message: message.unwrap_or(last).replace('_', " ") }),
                _ => None,
            }));
        }
        Fact::Bool(_) | Fact::Int(_) | Fact::Str(_) | Fact::Absent | Fact::Unknown(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::subject::tests::{Host, HostRow, StorageRow, args, host};

    const CARD: &str = r#"
id: a-rule
severity: error
summary: Something.
why: Because.
help: Do it.
options: {strict: {type: bool, default: true, about: look harder}, names: []}
match:
  - for: estate.storage
    where: {kind: [bind, root]}
    when: storage.holds_data && option.strict
    unless:
      - {because: twice protected, when: storage.host.protected, lower: warning}
      - {because: named, when: storage.host.name in option.names}
    severity: {error: storage.args.size > 4, else: info}
    at: storage.args.path
    related: [storage, storage.host, {at: storage.declaration, message: "{storage.kind} here"}]
    message: "{storage.host.name} keeps data in {storage.kind}"
  - for: host
    each: m in host.storage
    when: m.kind == "bind"
    message: "{m} of {host.name}"
"#;

    fn card(text: &str) -> Card {
        let schemas = [StorageRow::schema(), HostRow::schema()];
        Card::load("rules/a-family/a-rule.yaml", text, &schemas)
            .unwrap_or_else(|errors| panic!("{}", errors.iter().map(|error| error.render(text)).collect::<String>()))
    }

    fn on(host: &Host, holds_data: Tri, change: impl FnOnce(&Card, &mut Settings)) -> Vec<Verdict> {
        let card = card(CARD);
        let mut settings = card.defaults();
        change(&card, &mut settings);
        judge(&card, &StorageRow { host: Some(host), kind: "bind", holds_data, args: args() }, &settings)
    }

    fn severity_of(verdicts: &[Verdict]) -> Option<Severity> {
        match verdicts {
            [Verdict::Fires(hit)] => Some(hit.severity),
            _ => None,
        }
    }

    #[test]
    fn exceptions_silence_lower_or_doubt() {
        let open = Host { protected: Tri::False, ..host() };
        let unsure = Host { protected: Tri::Unknown("no default".into()), ..host() };
        let keep = |_: &Card, _: &mut Settings| {};
        assert_eq!(severity_of(&on(&open, Tri::True, keep)), Some(Severity::Error));
        assert_eq!(severity_of(&on(&host(), Tri::True, keep)), Some(Severity::Warning));
        assert_eq!(severity_of(&on(&unsure, Tri::True, keep)), Some(Severity::Warning));
        assert_eq!(on(&open, Tri::False, keep), []);
        assert_eq!(on(&open, Tri::Unknown("x".into()), keep), [Verdict::Undecided("x".into())]);
        let silence = |card: &Card, settings: &mut Settings| {
            settings.set(card, "names", Value::list(vec![Value::known("db-1")])).unwrap();
            let error = settings.set(card, "strct", Value::known(true)).unwrap_err();
            assert_eq!(error, "a-rule has no option `strct`; did you mean `strict`?");
            assert_eq!(settings.set(card, "strict", Value::known("x")).unwrap_err(), "`strict` takes a bool");
        };
        assert_eq!(on(&open, Tri::True, silence), []);
        // A sure exception also silences what is itself unsure.
        assert_eq!(on(&open, Tri::Unknown("x".into()), silence), []);
        let lax = |card: &Card, settings: &mut Settings| settings.set(card, "strict", Value::known(false)).unwrap();
        assert_eq!(on(&open, Tri::Unknown("x".into()), lax), []);
    }

    #[test]
    fn a_hit_says_where_and_what() {
        let verdicts = on(&host(), Tri::True, |_, _| {});
        let [Verdict::Fires(hit)] = verdicts.as_slice() else { panic!("{verdicts:?}") };
        assert_eq!(hit.message, "db-1 keeps data in bind");
        assert_eq!(hit.lowered.as_deref(), Some("twice protected"));
        assert_eq!(hit.address.as_deref(), Some("storage.bind"));
        assert_eq!(hit.related.iter().map(|place| &*place.message).collect::<Vec<_>>(), ["this is db-1"]);
    }

    #[test]
    fn each_element_speaks() {
        let card = card(CARD);
        let host = Host { mounts: vec!["bind", "root", "bind"], ..host() };
        let verdicts = judge(&card, &HostRow(&host), &card.defaults());
        assert_eq!(verdicts.len(), 2);
        let Some(Verdict::Fires(hit)) = verdicts.first() else { panic!("fires") };
        assert_eq!((hit.message.as_str(), hit.identity.as_str()), ("storage.bind of db-1", "db-1 bind"));
    }

    #[test]
    fn unknown_as_the_card_says() {
        let host = Host { protected: Tri::False, ..host() };
        let row = StorageRow { host: Some(&host), kind: "bind", holds_data: Tri::Unknown("x".into()), args: args() };
        let info = card(&format!("{CARD}when-unknown: info\n"));
        let verdicts = judge(&info, &row, &info.defaults());
        let [Verdict::Fires(hit)] = verdicts.as_slice() else { panic!("{verdicts:?}") };
        assert_eq!((hit.severity, &*hit.message), (Severity::Info, "db-1 keeps data in bind (not certain: x)"));
        let silent = card(&format!("{CARD}when-unknown: silent\n"));
        assert_eq!(judge(&silent, &row, &silent.defaults()), []);
    }
}
