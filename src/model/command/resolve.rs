//! Words to values: variables that a script assigns, arrays, defaults.

use super::text_of;
use crate::syntax::shell::{Assignment, Script, Simple, Word, WordPiece};
use crate::text::{FileId, HOLE, Loc, Mapped, Span};
use crate::value::{Data, Kind, Piece, Reason, Value};
use std::collections::HashMap;

/// Values longer than this are not passed on.
const MAX_TEXT: usize = 16 << 10;
/// Arrays are followed up to this many elements.
const MAX_WORDS: usize = 256;
/// A variable with more values than this is not known.
const MAX_SEVERAL: usize = 8;

/// Variables by name.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    known: HashMap<Box<str>, Binding>,
    /// Variables that whoever runs the text may set, with what they are otherwise.
    defaults: Vec<(Box<str>, Box<str>)>,
}

#[derive(Clone, Debug)]
enum Binding {
    One(Value),
    Array(Vec<Value>),
}

/// A resolved word.
#[derive(Clone, Debug)]
pub(super) struct Arg {
    pub(super) value: Value,
    /// In the text that was parsed.
    pub(super) span: Span,
    /// The word, when it is exactly one.
    pub(super) word: Option<Word>,
}

impl Arg {
    /// A word that is not in the text, said to stand at `span`.
    pub(super) fn made(text: &str, span: Span) -> Self {
        Self { value: Value::known(text), span, word: None }
    }

    /// The text, unknown parts as holes.
    pub(super) fn text(&self) -> String {
        text_of(&self.value)
    }
}

const TEMPORARY: &str = "it lies in a temporary folder that the script makes";

/// Whether a path begins in a folder that `mktemp` made.
pub(crate) fn is_temporary(value: &Value) -> bool {
    let first = match &value.kind {
        Kind::Text(pieces) => pieces.first().and_then(|piece| match piece {
            Piece::Hole(reason) => Some(reason),
            Piece::Lit(_) => None,
        }),
        Kind::Unknown(reason) => Some(reason),
        _ => None,
    };
    first.is_some_and(|reason| &**reason == TEMPORARY)
}

pub(super) fn merge(values: Vec<Value>) -> Value {
    let mut pieces = Vec::new();
    for value in values {
        match value.kind {
            Kind::Known(data) => match data.scalar() {
                Some(text) => pieces.push(Piece::Lit(text)),
                None => pieces.push(Piece::Hole("it is no text".into())),
            },
            Kind::Unknown(reason) => pieces.push(Piece::Hole(reason)),
            Kind::Text(inner) => pieces.extend(inner.iter().cloned()),
            Kind::OneOf(_) => pieces.push(Piece::Hole("it has several possible values".into())),
            Kind::Absent => {}
        }
    }
    // Neighbouring unknown parts are one: a text that a script builds up must not grow without bound.
    pieces.dedup_by(|next, before| matches!((next, before), (Piece::Hole(_), Piece::Hole(_))));
    Value::text(pieces)
}

impl Variables {
    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: Value) {
        self.known.insert(name.into(), Binding::One(value));
    }

    /// Says that a variable has a value only as long as nobody sets it.
    pub(super) fn set_default(&mut self, name: &str, value: &str) {
        let known = self.defaults.iter().any(|(known, _)| &**known == name);
        if !known && !value.is_empty() {
            self.defaults.push((name.into(), value.into()));
        }
    }

    /// Variables that may be set from outside, with their defaults.
    pub(super) fn defaults(&self) -> &[(Box<str>, Box<str>)] {
        &self.defaults
    }

    /// The variables that Terraform and Ansible take from their environment, by name.
    pub(super) fn of_tools(&self) -> impl Iterator<Item = (&str, &Value)> {
        let mut found: Vec<(&str, &Value)> = self
            .known
            .iter()
            .filter(|(name, _)| {
                ["TF_VAR_", "TF_HTTP_", "ANSIBLE_"].iter().any(|start| name.starts_with(start))
                    || &***name == "TF_WORKSPACE"
            })
            .filter_map(|(name, binding)| match binding {
                Binding::One(value) => Some((&**name, value)),
                Binding::Array(_) => None,
            })
            .collect();
        found.sort_by_key(|(name, _)| *name);
        found.into_iter()
    }

    /// Sets a variable to a list of words.
    pub(super) fn set_array(&mut self, name: &str, values: Vec<Value>) {
        self.known.insert(name.into(), Binding::Array(values));
    }

    /// Learns what a script assigns; a variable with different values is unknown.
    pub(super) fn learn(&mut self, script: &Script, text: &Mapped, file: FileId) {
        for command in &script.commands {
            self.learn_input(command);
        }
        self.learn_arguments(script, text, file);
        let assigned = script.assignments.iter().flat_map(|assignment| &assignment.values);
        for word in script.commands.iter().flat_map(|command| &command.words).chain(assigned) {
            for piece in &word.pieces {
                if let WordPiece::Var { name, default: Some(default), .. } = piece {
                    self.set_default(name, default);
                }
            }
            // `: "${X:=y}"` sets what nobody has set.
            for (piece, span) in word.pieces.iter().zip(&word.spans) {
                if let WordPiece::Var { name, default: Some(default), .. } = piece
                    && span
                        .slice(&text.text)
                        .trim_start_matches("${")
                        .trim_start_matches(&**name)
                        .starts_with([':', '='])
                    && span.slice(&text.text).contains(&format!("={default}"))
                    && !self.known.contains_key(name)
                {
                    self.set(name, Value::known(&**default));
                }
            }
        }
        let mut assigned: HashMap<&str, usize> = HashMap::new();
        for assignment in &script.assignments {
            let count = assigned.entry(&assignment.name).or_default();
            *count += 1;
            let first = *count == 1;
            self.learn_one(assignment, first, script, text, file);
        }
    }

    /// `read x` and its kin: the value comes from outside.
    fn learn_input(&mut self, command: &Simple) {
        let Some(program) = command.words.first().and_then(Word::literal) else { return };
        if !matches!(&*program, "read" | "mapfile" | "readarray" | "getopts") {
            return;
        }
        for word in command.words.iter().skip(1) {
            if let Some(name) = word.literal().filter(|name| is_name(name)) {
                self.set(&name, Value::unknown(format!("variable `{name}` is read from input")));
            }
        }
    }

    /// `set -- a b`: what `$@` is from there on, if it is said once.
    fn learn_arguments(&mut self, script: &Script, text: &Mapped, file: FileId) {
        let sets = |command: &&Simple| {
            let word = |at: usize| command.words.get(at).and_then(Word::literal);
            word(0).is_some_and(|it| it == "set") && word(1).is_some_and(|it| it == "--")
        };
        let mut all = script.commands.iter().filter(sets);
        let (Some(command), None) = (all.next(), all.next()) else { return };
        let words = command.words.get(2..).unwrap_or_default();
        let values = words.iter().flat_map(|word| self.word(word, text, file)).map(|arg| arg.value);
        let values: Vec<Value> = values.take(MAX_WORDS).collect();
        for (at, value) in values.iter().enumerate().take(9) {
            self.set(&(at + 1).to_string(), value.clone());
        }
        self.set_array("*", values.clone());
        self.set_array("@", values);
    }

    fn learn_one(&mut self, assignment: &Assignment, first: bool, script: &Script, text: &Mapped, file: FileId) {
        let name = &*assignment.name;
        let own =
            |word: &Word| word.pieces.iter().any(|it| matches!(it, WordPiece::Var { name: it, .. } if &**it == name));
        let grows = assignment.append || assignment.values.iter().any(own);
        let bound = self.bind(assignment, script, text, file);
        let next = match (self.known.get(name), bound) {
            (Some(Binding::Array(before)), Binding::Array(more)) if assignment.append => {
                Binding::Array(before.iter().cloned().chain(more).take(MAX_WORDS).collect())
            }
            (Some(Binding::One(before)), Binding::One(more)) if assignment.append => {
                Binding::One(merge(vec![before.clone(), more]))
            }
            // What stands around a script is only a default for it.
            (_, bound) if first || grows => bound,
            (Some(Binding::One(before)), Binding::One(value)) if before.same(&value) => Binding::One(value),
            (Some(Binding::Array(_)), bound @ Binding::Array(_)) => bound,
            (Some(Binding::One(before)), Binding::One(value)) if is_temporary(before) && is_temporary(&value) => {
                Binding::One(value)
            }
            (Some(Binding::One(before)), Binding::One(value)) if several(before, &value).is_some() => {
                Binding::One(several(before, &value).unwrap_or_default())
            }
            _ => Binding::One(Value::unknown(format!("variable `{name}` has several values in this script"))),
        };
        let too_long = matches!(&next, Binding::One(value) if text_of(value).len() > MAX_TEXT);
        let next = if too_long { Binding::One(Value::unknown("the text is too long to follow")) } else { next };
        self.known.insert(name.into(), next);
    }

    fn bind(&self, assignment: &Assignment, script: &Script, text: &Mapped, file: FileId) -> Binding {
        let name = &*assignment.name;
        if assignment.array {
            let args = assignment.values.iter().flat_map(|word| self.word(word, text, file));
            return Binding::Array(args.map(|arg| arg.value).take(MAX_WORDS).collect());
        }
        let looped = assignment.span.slice(&text.text) == name;
        if looped {
            return Binding::One(self.turns(assignment, text, file));
        }
        let Some(word) = assignment.values.first() else { return Binding::One(Value::known("")) };
        if word.pieces.contains(&WordPiece::Opaque) && makes_temporary(script, assignment.span) {
            return Binding::One(Value::unknown(TEMPORARY));
        }
        Binding::One(self.one(word, text, file))
    }

    /// The values of a loop's variable.
    fn turns(&self, assignment: &Assignment, text: &Mapped, file: FileId) -> Value {
        let values: Vec<Value> =
            assignment.values.iter().flat_map(|word| self.word(word, text, file)).map(|arg| arg.value).collect();
        let known: Option<Vec<Data>> = values.iter().map(|value| value.data().cloned()).collect();
        match (values.as_slice(), known) {
            ([one], _) => one.clone(),
            (_, Some(data)) if (2..=MAX_SEVERAL).contains(&data.len()) => {
                Value { kind: Kind::OneOf(data.into()), ..Value::default() }
            }
            _ => Value::unknown(format!("variable `{}` changes with every turn of a loop", assignment.name)),
        }
    }

    /// The value of a word, not split.
    pub(super) fn one(&self, word: &Word, text: &Mapped, file: FileId) -> Value {
        let loc = Loc { file, span: text.span(word.span) };
        let value = match word.pieces.as_slice() {
            [WordPiece::Var { name, default, .. }] => self.variable(name, default.as_deref()),
            pieces => merge(pieces.iter().map(|piece| self.piece(piece)).collect()),
        };
        Value { origin: Some(loc), ..value }
    }

    fn piece(&self, piece: &WordPiece) -> Value {
        match piece {
            WordPiece::Lit(text) if text.contains(HOLE) => Value::unknown("it is filled in when the text is rendered"),
            WordPiece::Lit(text) => Value::known(&**text),
            WordPiece::Var { name, default, .. } => self.variable(name, default.as_deref()),
            WordPiece::Opaque => Value::unknown("it is computed or filled in at run time"),
        }
    }

    fn variable(&self, name: &str, default: Option<&str>) -> Value {
        match self.known.get(name) {
            Some(Binding::One(value)) => match (&value.kind, default) {
                // `X=${X:-y}`: the value around the script wins, its absence does not.
                (Kind::Known(Data::Str(text)), Some(default)) if text.is_empty() => Value::known(default),
                _ => value.clone(),
            },
            Some(Binding::Array(values)) => values.first().cloned().unwrap_or_else(|| Value::known("")),
            // An empty default (`${1:-}`) only keeps `set -u` quiet.
            None => default.filter(|it| !it.is_empty()).map_or_else(|| Value::unknown(unassigned(name)), Value::known),
        }
    }

    /// The words that a word becomes: arrays element by element, unquoted variables split.
    pub(super) fn word(&self, word: &Word, text: &Mapped, file: FileId) -> Vec<Arg> {
        let span = word.span;
        let origin = Some(Loc { file, span: text.span(span) });
        if let [WordPiece::Var { name, all, default }] = word.pieces.as_slice() {
            match self.known.get(name) {
                Some(Binding::Array(values)) if *all => {
                    let arg = |value: &Value| Arg { value: Value { origin, ..value.clone() }, span, word: None };
                    return values.iter().map(arg).collect();
                }
                _ if !word.quoted => {
                    let value = self.variable(name, default.as_deref());
                    if let Some(words) = split(&value) {
                        let arg = |value| Arg { value: Value { origin, ..value }, span, word: None };
                        return words.into_iter().map(arg).collect();
                    }
                }
                _ => {}
            }
        }
        vec![Arg { value: self.one(word, text, file), span, word: Some(word.clone()) }]
    }

    /// The text of arguments as a shell would be given it, ready to be parsed.
    pub(super) fn nested(&self, args: &[Arg], text: &Mapped) -> Mapped {
        let mut out = Mapped::default();
        for (index, arg) in args.iter().enumerate() {
            let here = text.span(arg.span);
            if index > 0 {
                out.push_for(" ", here);
            }
            let Some(word) = &arg.word else {
                out.push_for(&arg.text(), here);
                continue;
            };
            for (piece, span) in word.pieces.iter().zip(&word.spans) {
                match piece {
                    WordPiece::Lit(literal) if literal.len() == span.len() => {
                        push_exact(&mut out, literal, *span, text);
                    }
                    WordPiece::Opaque => out.push_hole(text.span(*span)),
                    piece => out.push_for(&text_of(&self.piece(piece)), text.span(*span)),
                }
            }
        }
        out
    }
}

/// Adds literal text, mapped through `text` line by line and, where a line is patched together, word by word.
pub(super) fn push_exact(out: &mut Mapped, literal: &str, span: Span, text: &Mapped) {
    let mut at = span.start as usize;
    for line in literal.split_inclusive('\n') {
        let here = text.span(Span::new(at, at + line.len()));
        if here.len() == line.len() {
            out.push(line, here.start);
            at += line.len();
            continue;
        }
        for word in line.split_inclusive([' ', '\t']) {
            let here = text.span(Span::new(at, at + word.len()));
            if here.len() == word.len() {
                out.push(word, here.start);
            } else {
                out.push_for(word, here);
            }
            at += word.len();
        }
    }
}

/// One of the values that a variable is given in the branches of a script, if they are few and known.
fn several(before: &Value, next: &Value) -> Option<Value> {
    let next = next.data().filter(|data| data.scalar().is_some_and(|text| !text.is_empty()))?;
    let mut all: Vec<Data> = match &before.kind {
        Kind::OneOf(values) => values.to_vec(),
        _ => vec![before.data().filter(|data| data.scalar().is_some_and(|text| !text.is_empty()))?.clone()],
    };
    if !all.contains(next) {
        all.push(next.clone());
    }
    (all.len() <= MAX_SEVERAL).then(|| Value { kind: Kind::OneOf(all.into()), ..Value::default() })
}

fn makes_temporary(script: &Script, span: Span) -> bool {
    // Commands stand in source order.
    let from = script.commands.partition_point(|command| command.span.start < span.start);
    let mut inside = script.commands.iter().skip(from).take_while(|command| command.span.start < span.end);
    inside.any(|command| command.words.first().and_then(Word::literal).is_some_and(|program| &*program == "mktemp"))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn unassigned(name: &str) -> Reason {
    if name.chars().all(|c| c.is_ascii_digit()) || matches!(name, "@" | "*") {
        format!("argument `${name}` is given by the caller").into()
    } else {
        format!("variable `{name}` is not assigned in this script").into()
    }
}

/// The words of a text with blanks; none when it is one word.
fn split(value: &Value) -> Option<Vec<Value>> {
    if let Some(text) = value.as_str() {
        let one = !text.is_empty() && !text.contains([' ', '\t', '\n']);
        return (!one).then(|| text.split_whitespace().map(Value::known).collect());
    }
    let Kind::Text(pieces) = &value.kind else { return None };
    let mut words: Vec<Vec<Piece>> = vec![Vec::new()];
    for piece in pieces.iter() {
        match piece {
            Piece::Lit(text) => {
                for (index, part) in text.split([' ', '\t', '\n']).enumerate() {
                    if index > 0 {
                        words.push(Vec::new());
                    }
                    if let Some(last) = words.last_mut().filter(|_| !part.is_empty()) {
                        last.push(Piece::Lit(part.into()));
                    }
                }
            }
            hole @ Piece::Hole(_) => words.last_mut()?.push(hole.clone()),
        }
    }
    words.retain(|word| !word.is_empty());
    (words.len() > 1).then(|| words.into_iter().map(Value::text).collect())
}
