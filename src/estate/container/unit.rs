//! Containers of units: what Quadlet makes of `.container` files, and what commands of systemd's units start.

use super::flat::Flat;
use super::mount::Mount;
use super::run::{is_engine, of_run};
use super::{Container, Declared, Setting};
use crate::model::ansible::{Hole, Rendered};
use crate::syntax::unit::{self, Entry};
use crate::text::{HOLE, Loc, Span};
use crate::value::{Piece, Value};

/// Words of one command that are read.
const MAX_WORDS: usize = 1000;

/// A word of a setting.
#[derive(Clone, Default)]
struct Word {
    text: String,
    holes: Vec<Hole>,
    loc: Loc,
}

impl Word {
    fn value(&self) -> Value {
        if let ([hole], true) = (self.holes.as_slice(), self.text.len() == HOLE.len_utf8()) {
            return hole.value.clone().at(self.loc);
        }
        let mut holes = self.holes.iter();
        let mut pieces = Vec::new();
        for (at, literal) in self.text.split(HOLE).enumerate() {
            if at > 0 {
                let reason = holes.next().and_then(|hole| hole.value.reason());
                pieces.push(Piece::Hole(reason.unwrap_or_else(|| "it is not known".into())));
            }
            if !literal.is_empty() {
                pieces.push(Piece::Lit(literal.into()));
            }
        }
        Value::text(pieces).at(self.loc)
    }

    fn base(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or("")
    }

    /// Whether it is a container engine: by its name, or by that of the variable that gives it.
    fn is_engine(&self) -> bool {
        let variable = |hole: &Hole| {
            let expression = hole.expression.as_deref().unwrap_or("");
            let words = expression.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
            is_engine(words)
        };
        is_engine(self.base()) || self.text.len() == HOLE.len_utf8() && self.holes.first().is_some_and(variable)
    }
}

/// Reads the settings of one unit.
struct Reader<'r> {
    rendered: &'r Rendered,
    entries: Vec<Entry<'r>>,
}

impl<'r> Reader<'r> {
    fn new(rendered: &'r Rendered) -> Self {
        Self { rendered, entries: unit::entries(&rendered.text.text) }
    }

    fn text(&self) -> &'r str {
        &self.rendered.text.text
    }

    fn place(&self, span: Span) -> Loc {
        Loc { file: self.rendered.file, span: self.rendered.text.span(span) }
    }

    /// The entries of a key that count: an empty one takes back those before it.
    fn all(&self, section: &str, key: &str) -> Vec<Entry<'r>> {
        let own = self.entries.iter().filter(|entry| entry.section == section && entry.key == key);
        let mut found: Vec<Entry<'r>> = Vec::new();
        for entry in own {
            if entry.value.is_empty() {
                found.clear();
            } else {
                found.push(*entry);
            }
        }
        found
    }

    fn last(&self, section: &str, key: &str) -> Option<Entry<'r>> {
        self.all(section, key).pop()
    }

    fn is(&self, section: &str, key: &str, value: &str) -> bool {
        self.last(section, key).is_some_and(|entry| entry.value.slice(self.text()).eq_ignore_ascii_case(value))
    }

    /// The holes from an offset on.
    fn holes(&self, from: u32) -> impl Iterator<Item = &'r Hole> {
        let before = Span { start: 0, end: from }.slice(self.text()).matches(HOLE).count();
        self.rendered.holes.iter().skip(before)
    }

    /// The words of a value, quotes and escapes resolved; what only systemd fills in is a hole.
    fn words(&self, value: Span) -> Vec<Word> {
        split(value.slice(self.text()), &mut self.holes(value.start), &|from, to| {
            let start = value.start as usize;
            self.place(Span::new(start + from, start + to))
        })
    }

    /// One value that is no list of words.
    fn whole(&self, entry: Entry<'_>) -> Value {
        self.words(entry.value).into_iter().next().map(|word| word.value()).unwrap_or_default()
    }

    /// It ends by itself: a unit of `Type=oneshot` that does not stay.
    fn oneshot(&self) -> bool {
        self.is("Service", "Type", "oneshot") && !self.is("Service", "RemainAfterExit", "yes")
    }

    fn environment(&self, section: &str, own: &mut Container) {
        for entry in self.all(section, "Environment") {
            for word in self.words(entry.value) {
                let Some((name, value)) = word.text.split_once('=') else {
                    own.more_environment.get_or_insert_with(|| "a template adds to its environment".into());
                    continue;
                };
                let skip = name.matches(HOLE).count();
                let held = Word { text: value.to_owned(), holes: word.holes[skip..].to_vec(), loc: word.loc };
                own.environment.push((name.to_owned(), held.value()));
            }
        }
        if own.more_environment.is_none() && self.last(section, "EnvironmentFile").is_some() {
            own.more_environment = Some("its EnvironmentFile may set more than the repository shows".into());
        }
    }
}

/// The container that a Quadlet unit makes; `name` is that of its file.
#[must_use]
pub fn of_quadlet(rendered: &Rendered, name: &str, setting: &Setting<'_>) -> Option<Container> {
    const SECTION: &str = "Container";
    let reader = Reader::new(rendered);
    let image = reader.last(SECTION, "Image")?;
    let place = reader.place(image.value);
    let named = reader.last(SECTION, "ContainerName").map(|entry| Container::shown(&reader.whole(entry)));
    let stem = name.strip_suffix(".container").unwrap_or(name).to_owned();
    let mut own = Container::new(named.unwrap_or(stem), place, Declared::Quadlet, setting);
    let value = reader.whole(image);
    let unit = |end: &str| value.ends_with(end).is_true();
    if unit(".build") {
        own.built_here = true;
    } else if unit(".image") {
        own.set_image(Value::unknown("another unit says which image it is"), place);
    } else {
        own.set_image(value, place);
    }
    let each = |key: &str| {
        let entries = reader.all(SECTION, key).into_iter();
        entries.map(|entry| (reader.whole(entry), reader.place(entry.value))).collect::<Vec<_>>()
    };
    own.mounts.extend(each("Volume").iter().filter_map(|(value, loc)| Mount::short(value, *loc)));
    own.mounts.extend(each("Mount").iter().filter_map(|(value, loc)| Mount::pairs(value, *loc)));
    own.mounts.extend(each("Tmpfs").iter().filter_map(|(value, loc)| Mount::memory(value, *loc)));
    let list = |entry: Entry<'_>| Value::list(reader.words(entry.value).iter().map(Word::value).collect());
    own.command = reader.last(SECTION, "Exec").map(list);
    own.entrypoint = reader.last(SECTION, "Entrypoint").map(|entry| reader.whole(entry));
    own.removed_at_end = reader.oneshot();
    reader.environment(SECTION, &mut own);
    let elsewhere = |key: &str| reader.last(SECTION, key).is_some();
    if elsewhere("PodmanArgs") || elsewhere("Pod") || elsewhere("ContainersConfModule") {
        own.more_mounts = Some("it may mount more than its own settings say".into());
    }
    let alone = |line: &str| line.trim().chars().all(|c| c == HOLE) && line.contains(HOLE);
    if reader.text().lines().any(alone) {
        own.more_mounts.get_or_insert_with(|| "a template adds to it".into());
        own.more_environment.get_or_insert_with(|| "a template adds to its environment".into());
    }
    Some(own)
}

/// The containers that a unit of systemd starts: `docker run`, `docker create` and their kin in its commands.
#[must_use]
pub fn of_unit(rendered: &Rendered, setting: &Setting<'_>) -> Vec<Container> {
    let reader = Reader::new(rendered);
    let starts = |entry: &&Entry<'_>| matches!(entry.key, "ExecStart" | "ExecStartPre");
    let mut found = Vec::new();
    for entry in reader.entries.iter().filter(starts) {
        let words = reader.words(unit::command(reader.text(), entry.value));
        for (mut own, creates) in commands(words, 0).iter().filter_map(|words| of_words(words, setting)) {
            // That it goes when it stops is how such units keep things tidy.
            own.removed_at_end = reader.oneshot() || entry.key == "ExecStartPre" && !creates && own.removed_at_end;
            found.push(own);
        }
    }
    found
}

/// The containers that the lines of a shell start, each line that goes on after a `\` being one.
#[must_use]
pub fn of_shell(rendered: &Rendered, setting: &Setting<'_>) -> Vec<Container> {
    let reader = Reader { rendered, entries: Vec::new() };
    let text = reader.text();
    let mut found = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices('\n').chain([(text.len(), "")]) {
        if text[..at].ends_with('\\') {
            continue;
        }
        let words = reader.words(Span::new(start, at));
        let parts = words.split(|word| matches!(word.text.as_str(), "&&" | "||" | ";" | "|"));
        found.extend(parts.filter_map(|words| of_words(words, setting)).map(|(own, _)| own));
        start = at + 1;
    }
    found
}

/// The container that one command starts, and whether it only makes it.
fn of_words(words: &[Word], setting: &Setting<'_>) -> Option<(Container, bool)> {
    let first = words.iter().position(Word::is_engine).filter(|at| *at == 0 || is_env(&words[..*at]))?;
    let words = &words[first..];
    let mut values: Vec<Value> = words.iter().map(Word::value).collect();
    if !is_engine(words[0].base()) {
        values[0] = Value::known("docker").at(words[0].loc);
    }
    let loc = words.first().zip(words.get(1)).map(|(a, b)| Loc { span: a.loc.span.to(b.loc.span), ..a.loc })?;
    let creates = values.iter().skip(1).take(2).any(|word| word.as_str() == Some("create"));
    Some((of_run(&values, loc, setting)?, creates))
}

/// `/usr/bin/env A=b` before a program.
fn is_env(words: &[Word]) -> bool {
    words.split_first().is_some_and(|(first, rest)| {
        matches!(first.base(), "env" | "sudo") && rest.iter().all(|word| word.text.contains('='))
    })
}

/// The commands of a line: what a shell is given with `-c` is a line of its own.
fn commands(words: Vec<Word>, depth: usize) -> Vec<Vec<Word>> {
    if let [shell, option, line, ..] = words.as_slice()
        && matches!(shell.base(), "sh" | "bash" | "dash")
        && option.text.starts_with('-')
        && option.text.ends_with('c')
        && depth == 0
    {
        let mut inner: Vec<Word> = Vec::new();
        for mut word in split(&line.text, &mut line.holes.iter(), &|_, _| line.loc) {
            // A `;` may stand at the end of a word.
            let ends = word.text.len() > 1 && word.text.ends_with(';');
            if ends {
                word.text.pop();
            }
            let end = Word { text: ";".into(), holes: Vec::new(), loc: word.loc };
            inner.push(word);
            inner.extend(ends.then_some(end));
        }
        let parts = inner.split(|word| matches!(word.text.as_str(), "&&" | "||" | ";" | "|"));
        return parts.filter(|part| !part.is_empty()).map(<[Word]>::to_vec).collect();
    }
    vec![words]
}

/// The words of a text; `place` gives the place of a part of it.
fn split(text: &str, holes: &mut dyn Iterator<Item = &Hole>, place: &dyn Fn(usize, usize) -> Loc) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word: Option<(usize, Word)> = None;
    let mut quote = None;
    let mut chars = text.char_indices().peekable();
    let lost = |reason: String| Hole { value: Value::unknown(reason), expression: None };
    while let Some((at, c)) = chars.next() {
        if c.is_whitespace() && quote.is_none() {
            if let Some((start, word)) = word.take() {
                words.push(Word { loc: place(start, at), ..word });
            }
            continue;
        }
        let next = chars.peek().map(|(_, next)| *next);
        if c == '\\' && matches!(next, Some('\n' | '\r')) {
            continue;
        }
        let (_, own) = word.get_or_insert_with(|| (at, Word::default()));
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('\\', _) if quote != Some('\'') && next.is_some() => own.text.extend(chars.next().map(|(_, c)| c)),
            (HOLE, _) => {
                own.text.push(HOLE);
                own.holes.push(holes.next().cloned().unwrap_or_else(|| lost("it is not known".into())));
            }
            ('%', _) if next == Some('%') => own.text.extend(chars.next().map(|(_, c)| c)),
            ('%', _) if next.is_some_and(|c| c.is_ascii_alphabetic()) => {
                let letter = chars.next().map_or(' ', |(_, c)| c);
                own.text.push(HOLE);
                own.holes.push(lost(format!("systemd puts it in for `%{letter}`")));
            }
            ('$', _) if next.is_some_and(|c| c == '{' || c.is_ascii_alphabetic() || c == '_') => {
                let name = variable(&mut chars);
                own.text.push(HOLE);
                own.holes.push(lost(format!("the environment variable {name} is set when the unit runs")));
            }
            _ => own.text.push(c),
        }
        if words.len() >= MAX_WORDS {
            return words;
        }
    }
    if let Some((start, word)) = word {
        words.push(Word { loc: place(start, text.len()), ..word });
    }
    words
}

/// Takes the name of a variable, with or without its braces.
fn variable(chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>) -> String {
    let braced = chars.next_if(|(_, c)| *c == '{').is_some();
    let mut name = String::new();
    while let Some((_, c)) = chars.next_if(|(_, c)| c.is_ascii_alphanumeric() || *c == '_') {
        name.push(c);
    }
    if braced {
        chars.next_if(|(_, c)| *c == '}');
    }
    name
}

/// Whether a word is nothing but a hole: any number of words, for all that is known.
pub(super) fn is_hole(flat: &Flat) -> bool {
    !flat.text.is_empty() && flat.text.chars().all(|c| c == HOLE)
}
