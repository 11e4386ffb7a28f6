//! Cards out of YAML: one loader for the built-in rules (packed as JSON, which is YAML) and a user's files.

use super::card::{Card, CardError, Entry, Exception, Filter, OptionKind, OptionSpec, Pointer, WhenUnknown};
use super::condition::{Condition, ConditionError, Path, Scope, Type};
use super::record::{Reader, Record};
use super::subject::{Schema, Ty};
use super::suggest::hint;
use super::template::Template;
use crate::diag::{Confidence, Severity};
use crate::source::{file_name, folder};
use crate::syntax::yaml::{Node, Yaml};
use crate::text::Span;
use crate::value::Data;

const KEYS: [&str; 15] = [
    "id",
    "family",
    "doctrine",
    "severity",
    "confidence",
    "profiles",
    "summary",
    "why",
    "options",
    "match",
    "when-unknown",
    "help",
    "fix",
    "fails",
    "passes",
];

const ENTRY_KEYS: [&str; 10] =
    ["for", "where", "each", "when", "unless", "severity", "at", "related", "message", "once-per"];

const SEVERITIES: [(&str, Severity); 3] =
    [("error", Severity::Error), ("warning", Severity::Warning), ("info", Severity::Info)];

const CONFIDENCES: [(&str, Confidence); 3] =
    [("high", Confidence::High), ("medium", Confidence::Medium), ("low", Confidence::Low)];

/// One file.
pub(super) fn file(path: &str, text: &str, catalog: &[&'static Schema]) -> Result<Card, Vec<CardError>> {
    let yaml = Yaml::parse(text);
    let mut loader = Loader { reader: Reader::new(path, text), catalog, eager: true };
    let card = loader.reader.root(&yaml).and_then(|root| {
        let stem = file_name(path);
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        let family = file_name(folder(path));
        loader.card(root, Some((stem, family)))
    });
    finish(card, loader.reader.errors)
}

/// The built-in cards: a list, each with its family.
pub(super) fn packed(text: &str, catalog: &[&'static Schema]) -> Result<Vec<Card>, Vec<CardError>> {
    let yaml = Yaml::parse(text);
    let mut loader = Loader { reader: Reader::new("rules.json", text), catalog, eager: false };
    let roots = loader.reader.root(&yaml);
    let cards = roots.map(|root| root.items().filter_map(|node| loader.card(node, None)).collect::<Vec<_>>());
    let mut cards = finish(cards, loader.reader.errors)?;
    cards.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(cards)
}

fn finish<T>(made: Option<T>, errors: Vec<CardError>) -> Result<T, Vec<CardError>> {
    match made {
        Some(made) if errors.is_empty() => Ok(made),
        _ => Err(errors),
    }
}

struct Loader<'t> {
    reader: Reader<'t>,
    catalog: &'t [&'static Schema],
    /// Compile patterns at once.
    eager: bool,
}

/// What the entries of a card share.
struct Shared<'c> {
    options: &'c [OptionSpec],
    severity: Severity,
}

impl Loader<'_> {
    /// A card; `named` is what file and folder call it.
    fn card(&mut self, node: Node<'_>, named: Option<(&str, &str)>) -> Option<Card> {
        let record = self.reader.record(node, "a card", &KEYS)?;
        let id = self.needed(&record, "id");
        let family = match (named, record.get("family")) {
            (_, Some(family)) => self.reader.text(family, "`family`")?.to_owned(),
            (Some((_, folder)), None) => folder.to_owned(),
            (None, None) => String::new(),
        };
        if let Some(named) = named {
            self.names(&record, &id, &family, named);
        }
        let severity = self.reader.need(&record, "severity", "a card");
        let severity = severity.and_then(|node| self.reader.word(node, "severity", &SEVERITIES));
        let options = record.get("options").map_or_else(Vec::new, |node| self.options(node));
        let shared = Shared { options: &options, severity: severity.unwrap_or(Severity::Warning) };
        let entries = match self.reader.need(&record, "match", "a card") {
            Some(node) => self.entries(node, &shared),
            None => Vec::new(),
        };
        Some(Card {
            id,
            family,
            doctrine: self.texts(&record, "doctrine"),
            severity: shared.severity,
            confidence: record
                .get("confidence")
                .and_then(|node| self.reader.word(node, "confidence", &CONFIDENCES))
                .unwrap_or(Confidence::High),
            profiles: self.texts(&record, "profiles"),
            summary: self.needed(&record, "summary"),
            why: self.needed(&record, "why"),
            help: self.needed(&record, "help"),
            entries,
            when_unknown: self.when_unknown(&record),
            options,
        })
    }

    fn needed(&mut self, record: &Record<'_>, key: &str) -> String {
        let node = self.reader.need(record, key, "a card");
        node.and_then(|node| self.reader.text(node, &format!("`{key}`"))).unwrap_or_default().to_owned()
    }

    fn texts(&mut self, record: &Record<'_>, key: &str) -> Vec<String> {
        let Some(node) = record.get(key) else { return Vec::new() };
        let what = format!("`{key}`");
        let items = self.reader.items(node, &what);
        items.into_iter().filter_map(|item| self.reader.text(item, &what).map(str::to_owned)).collect()
    }

    fn names(&mut self, record: &Record<'_>, id: &str, family: &str, (stem, folder): (&str, &str)) {
        let span = |key| record.get(key).map_or(Span::default(), Node::span);
        if !id.is_empty() && id != stem {
            self.reader.fail(span("id"), format!("the file is called `{stem}`, so is the rule"));
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !id.chars().all(plain) {
            self.reader.fail(span("id"), "an id has lower-case letters, digits and dashes");
        }
        if family != folder {
            self.reader.fail(span("family"), format!("the folder is called `{folder}`, so is the family"));
        }
    }

    fn when_unknown(&mut self, record: &Record<'_>) -> WhenUnknown {
        let words = [("count", WhenUnknown::Count), ("info", WhenUnknown::Info), ("silent", WhenUnknown::Silent)];
        let node = record.get("when-unknown");
        node.and_then(|node| self.reader.word(node, "when-unknown", &words)).unwrap_or_default()
    }

    fn options(&mut self, node: Node<'_>) -> Vec<OptionSpec> {
        let Some(record) = self.reader.map(node, "`options`") else { return Vec::new() };
        record.iter().filter_map(|(name, span, node)| self.option(name, span, node)).collect()
    }

    /// `name: default`, or `name: {type, default, about}`.
    fn option(&mut self, name: &str, span: Span, node: Node<'_>) -> Option<OptionSpec> {
        let kinds = [OptionKind::Bool, OptionKind::Int, OptionKind::Str, OptionKind::List];
        let words = kinds.map(|kind| (kind.as_str(), kind));
        let (mut said, mut default, mut about, mut place) = (None, None, String::new(), node);
        if node.is_map() {
            let record = self.reader.record(node, "an option", &["type", "default", "about"])?;
            said = record.get("type").and_then(|node| self.reader.word(node, "type", &words));
            let node = record.get("about");
            about = node.and_then(|node| self.reader.text(node, "`about`")).map_or_else(String::new, str::to_owned);
            if let Some(node) = record.get("default") {
                place = node;
                default = self.reader.value(node, "a default");
            }
        } else {
            default = self.reader.value(node, "a default");
        }
        let default = default.unwrap_or_default();
        let kind = said.or_else(|| kinds.into_iter().find(|kind| kind.takes(&default)));
        let Some(kind) = kind else {
            self.reader.fail(span, format!("option `{name}` needs a type or a default"));
            return None;
        };
        if !default.is_absent() && !kind.takes(&default) {
            self.reader.fail(place.span(), format!("the default of `{name}` is no {}", kind.as_str()));
        }
        Some(OptionSpec { name: name.to_owned(), kind, default, about })
    }

    fn entries(&mut self, node: Node<'_>, shared: &Shared<'_>) -> Vec<Entry> {
        let items = if node.is_map() { vec![node] } else { self.reader.items(node, "`match`") };
        if items.is_empty() {
            self.reader.fail(node.span(), "`match` needs an entry");
        }
        items.into_iter().filter_map(|item| self.entry(item, shared)).collect()
    }

    fn entry(&mut self, node: Node<'_>, shared: &Shared<'_>) -> Option<Entry> {
        let record = self.reader.record(node, "an entry of `match`", &ENTRY_KEYS)?;
        let subject = self.subject(&record)?;
        let options = shared.options.iter().map(|option| (option.name.clone(), option.kind.ty())).collect();
        let mut scope = Scope::new(subject, options, self.eager);
        let filter = record.get("where").map_or_else(Vec::new, |node| self.filter(node, subject));
        let each = match record.get("each") {
            Some(node) => Some(self.reader.compile(node, "`each`", |text| each(text, &mut scope))?),
            None => None,
        };
        let when = match record.get("when") {
            Some(node) => self.condition(node, &mut scope),
            None if !filter.is_empty() || each.is_some() => Condition::compile("true", &mut scope).ok(),
            None => {
                self.reader.need(&record, "when", "an entry of `match`");
                None
            }
        };
        let unless = self.exceptions(&record, &mut scope);
        let (severity, otherwise) = self.severity(&record, shared.severity, &mut scope);
        let at = record.get("at").and_then(|node| self.place(node, &mut scope));
        let related = self.related(&record, &mut scope);
        let message = self.reader.need(&record, "message", "an entry of `match`");
        let message = message.and_then(|node| self.template(node, &mut scope));
        let once_per = record.get("once-per").and_then(|node| self.template(node, &mut scope));
        Some(Entry {
            subject,
            filter,
            each,
            when: when?,
            unless,
            severity,
            otherwise,
            at,
            related,
            message: message?,
            once_per,
        })
    }

    fn subject(&mut self, record: &Record<'_>) -> Option<&'static Schema> {
        let node = self.reader.need(record, "for", "an entry of `match`")?;
        let name = self.reader.text(node, "`for`")?;
        let found = self.catalog.iter().find(|schema| schema.name == name).copied();
        if found.is_none() {
            let names = self.catalog.iter().map(|schema| schema.name);
            self.reader.fail(node.span(), format!("nothing is called `{name}`{}", hint(name, names)));
        }
        found
    }

    fn condition(&mut self, node: Node<'_>, scope: &mut Scope) -> Option<Condition> {
        self.reader.compile(node, "a condition", |text| Condition::compile(text, scope))
    }

    fn template(&mut self, node: Node<'_>, scope: &mut Scope) -> Option<Template> {
        self.reader.compile(node, "a message", |text| Template::compile(text, scope))
    }

    fn place(&mut self, node: Node<'_>, scope: &mut Scope) -> Option<Path> {
        self.reader.compile(node, "a path", |text| Path::compile(text, scope).map(|(path, _)| path))
    }

    fn filter(&mut self, node: Node<'_>, subject: &'static Schema) -> Vec<Filter> {
        let Some(record) = self.reader.map(node, "`where`") else { return Vec::new() };
        record.iter().filter_map(|(name, span, node)| self.field_filter(name, span, node, subject)).collect()
    }

    fn field_filter(&mut self, name: &str, span: Span, node: Node<'_>, subject: &'static Schema) -> Option<Filter> {
        let Some(field) = subject.field(name) else {
            let names = subject.fields.iter().map(|field| field.name);
            let message = format!("no field `{name}` on {}{}", subject.root(), hint(name, names));
            self.reader.fail(span, message);
            return None;
        };
        if !subject.fields[field].certain {
            self.reader.fail(span, format!("`{name}` may be unknown; test it in `when`"));
            return None;
        }
        let items = self.reader.items(node, "a value of `where`");
        let values = items.into_iter().filter_map(|item| self.constant(item, subject.fields[field].ty)).collect();
        Some(Filter { field, values })
    }

    /// A scalar of the type that a field has.
    fn constant(&mut self, node: Node<'_>, ty: Ty) -> Option<Data> {
        let text = self.reader.text(node, "a value of `where`")?;
        let data = match ty {
            Ty::Bool => text.parse().ok().map(Data::Bool),
            Ty::Int => text.parse::<i32>().ok().map(|number| Data::Number(f64::from(number))),
            Ty::Str => Some(Data::from(text)),
            Ty::Word(words) => words.contains(&text).then(|| Data::from(text)),
            Ty::Dyn => self.reader.value(node, "a value of `where`").and_then(|value| value.data().cloned()),
            Ty::List(_) | Ty::Node(_) | Ty::Loc => None,
        };
        if data.is_none() {
            let near = if let Ty::Word(words) = ty { hint(text, words.iter().copied()) } else { format!(" ({ty})") };
            self.reader.fail(node.span(), format!("it is never `{text}`{near}"));
        }
        data
    }

    fn exceptions(&mut self, record: &Record<'_>, scope: &mut Scope) -> Vec<Exception> {
        let Some(node) = record.get("unless") else { return Vec::new() };
        let items = self.reader.items(node, "`unless`");
        items.into_iter().filter_map(|item| self.exception(item, scope)).collect()
    }

    fn exception(&mut self, node: Node<'_>, scope: &mut Scope) -> Option<Exception> {
        let record = self.reader.record(node, "an exception", &["because", "when", "lower"])?;
        let because = self.reader.need(&record, "because", "an exception");
        let because = because.and_then(|node| self.reader.text(node, "`because`"));
        let when = self.reader.need(&record, "when", "an exception");
        let when = when.and_then(|node| self.condition(node, scope));
        let lower = record.get("lower").and_then(|node| self.reader.word(node, "severity", &SEVERITIES));
        Some(Exception { because: because?.to_owned(), when: when?, lower })
    }

    /// `severity: warning`, or `{error: condition, warning: condition, else: info}`.
    fn severity(
        &mut self,
        record: &Record<'_>,
        default: Severity,
        scope: &mut Scope,
    ) -> (Vec<(Severity, Condition)>, Severity) {
        let Some(node) = record.get("severity") else { return (Vec::new(), default) };
        if node.as_str().is_some() {
            return (Vec::new(), self.reader.word(node, "severity", &SEVERITIES).unwrap_or(default));
        }
        let keys = ["error", "warning", "info", "else"];
        let Some(record) = self.reader.record(node, "`severity`", &keys) else { return (Vec::new(), default) };
        let mut otherwise = default;
        let mut cases = Vec::new();
        for (key, _, node) in record.iter() {
            if key == "else" {
                otherwise = self.reader.word(node, "severity", &SEVERITIES).unwrap_or(default);
            } else if let Some((_, severity)) = SEVERITIES.iter().find(|(word, _)| *word == key) {
                cases.extend(self.condition(node, scope).map(|condition| (*severity, condition)));
            }
        }
        (cases, otherwise)
    }

    /// Each a path, or `{at: path, message: text}`.
    fn related(&mut self, record: &Record<'_>, scope: &mut Scope) -> Vec<Pointer> {
        let Some(node) = record.get("related") else { return Vec::new() };
        let mut pointers = Vec::new();
        for item in self.reader.items(node, "`related`") {
            if item.is_map() {
                let Some(record) = self.reader.record(item, "a related place", &["at", "message"]) else { continue };
                let path = self.reader.need(&record, "at", "a related place");
                let path = path.and_then(|node| self.place(node, scope));
                let message = record.get("message").and_then(|node| self.template(node, scope));
                pointers.extend(path.map(|path| Pointer { path, message }));
            } else {
                pointers.extend(self.place(item, scope).map(|path| Pointer { path, message: None }));
            }
        }
        pointers
    }
}

/// `name in path`: binds the name to the members.
fn each(text: &str, scope: &mut Scope) -> Result<Path, ConditionError> {
    let whole = Span::new(0, text.len());
    let fail = |span, message: String| Err(ConditionError { span, message });
    let Some((name, list)) = text.split_once(" in ") else {
        return fail(whole, "write `name in path.to.list`".to_owned());
    };
    let offset = text.len() - list.len();
    let (path, ty) = Path::compile(list, scope).map_err(|error| {
        let (start, end) = (error.span.start as usize + offset, error.span.end as usize + offset);
        ConditionError { span: Span::new(start, end), ..error }
    })?;
    let item = match ty {
        Type::List(item) => (*item).into(),
        Type::Dyn => Type::Dyn,
        _ => return fail(Span::new(offset, text.len()), format!("`{list}` is {ty}, not a list")),
    };
    match scope.bind(name.trim(), item) {
        Ok(()) => Ok(path),
        Err(message) => fail(Span::new(0, name.len()), message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::subject::tests::{HostRow, StorageRow};

    const CARD: &str = "\
id: a-rule
doctrine: [\"2.4.2\", 9.3]
severity: error
confidence: low
profiles: [recommended]
summary: Something.
why: |
  Because it is so.
help: Do it.
match:
  - for: estate.storage
    where: {kind: bind}
    when: >-
      storage.holds_data
      && has(storage.host)
    message: \"{storage.kind} keeps data\"
";

    fn load(text: &str) -> Result<Card, Vec<CardError>> {
        Card::load("rules/a-family/a-rule.yaml", text, &[StorageRow::schema(), HostRow::schema()])
    }

    #[test]
    fn a_card_is_read() {
        let card = load(CARD).unwrap();
        assert_eq!((card.family.as_str(), card.why.as_str()), ("a-family", "Because it is so."));
        assert_eq!(card.doctrine, ["2.4.2", "9.3"]);
        assert_eq!((card.confidence, card.when_unknown), (Confidence::Low, WhenUnknown::Count));
        assert_eq!(card.entries[0].subject.name, "estate.storage");
        assert_eq!(card.entries[0].filter[0].values, [Data::from("bind")]);
    }

    #[test]
    fn the_packed_form_is_the_same_language() {
        let text = r#"[{"id":"b","family":"f","severity":"info","summary":"s","why":"w","help":"h","options":{"deep":false},
            "match":[{"for":"host","when":"host.protected && option.deep","message":"m\n\"{host.name}\""}]},
            {"id":"a","family":"f","severity":"info","summary":"s","why":"w","help":"h","match":{"for":"host","each":"s in host.storage","message":"m"}}]"#;
        let cards = packed(text, &[HostRow::schema()]).unwrap();
        assert_eq!(cards.iter().map(|card| card.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(cards[1].options[0].kind, OptionKind::Bool);
        assert!(packed("[]", &[]).unwrap().is_empty());
    }

    /// The one error after a change of the card, as people see it.
    fn shown(from: &str, to: &str) -> String {
        assert!(CARD.contains(from), "{from}");
        let text = CARD.replacen(from, to, 1);
        let errors = load(&text).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        errors[0].render(&text).replacen("rules/a-family/a-rule.yaml:", "", 1)
    }

    #[test]
    fn errors_stand_under_their_words() {
        assert_eq!(
            shown("has(storage.host)", "storage.hold_data"),
            "15:18: no field `hold_data` on storage; did you mean `holds_data`?\n15 |       && storage.hold_data\n   |                  ^^^^^^^^^"
        );
        assert_eq!(
            shown("kind: bind", "kind: bond"),
            "12:19: it is never `bond`; did you mean `bind`?\n12 |     where: {kind: bond}\n   |                   ^^^^"
        );
        assert_eq!(
            shown("{storage.kind} keeps", "{storage.knd} keeps"),
            "16:24: no field `knd` on storage; did you mean `kind`?\n16 |     message: \"{storage.knd} keeps data\"\n   |                        ^^^"
        );
        assert_eq!(
            shown("confidence: low", "confidense: low"),
            "4:1: a card has no key `confidense`; did you mean `confidence`?\n4 | confidense: low\n  | ^^^^^^^^^^"
        );
    }

    #[test]
    fn errors_say_what_to_do() {
        for (from, to, start) in [
            ("id: a-rule", "id: b-rule", "1:5: the file is called `a-rule`, so is the rule"),
            ("summary: Something.\n", "", "1:1: a card needs `summary`"),
            ("severity: error", "severity: fatal", "3:11: `fatal` is no severity; there are error, info, warning"),
            (
                "for: estate.storage",
                "for: estate.stor",
                "11:10: nothing is called `estate.stor`; did you mean `estate.storage`?",
            ),
            ("{kind: bind}", "{holds_data: true}", "12:13: `holds_data` may be unknown; test it in `when`"),
            (
                "help: Do it.",
                "options: {a: {type: int, default: x}}\nhelp: Do it.",
                "9:35: the default of `a` is no int",
            ),
            ("help: Do it.", "options: {a: }\nhelp: Do it.", "9:11: option `a` needs a type or a default"),
            ("help: Do it.", "help: Do it.\nhelp: Not.", "10:1: `help` stands here twice"),
            ("    message", "    each: m of storage\n    message", "16:11: write `name in path.to.list`"),
            (
                "    message",
                "    each: m in storage.host\n    message",
                "16:16: `storage.host` is a row of host, not a list",
            ),
            (
                "    message",
                "    unless: [{when: storage.holds_data}]\n    message",
                "16:14: an exception needs `because`",
            ),
            (
                "    message",
                "    severity: {error: storage.kind}\n    message",
                "16:23: `storage.kind` is one of root, bind, owned-volume, not",
            ),
            (
                "    message",
                "    related: [{at: storage.hst}]\n    message",
                "16:28: no field `hst` on storage; did you mean `host`?",
            ),
        ] {
            let shown = shown(from, to);
            assert!(shown.starts_with(start), "{shown}");
        }
    }

    #[test]
    fn broken_cards_never_panic() {
        for (at, c) in CARD.char_indices() {
            for with in ["", "[", "\"", "\n", "{"] {
                let end = at + c.len_utf8();
                let text = format!("{}{with}{}", &CARD[..at], &CARD[end..]);
                for error in load(&text).err().into_iter().flatten() {
                    assert!(error.render(&text).contains('^'), "{text}");
                }
            }
        }
        assert!(load("id: [").is_err() && load("").is_err() && load("- a").is_err());
    }
}
