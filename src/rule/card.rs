//! A rule as data: one card, one file.

use super::condition::{Condition, Path, Type};
use super::load;
use super::subject::{Schema, Ty};
use super::template::Template;
use crate::diag::{Confidence, Severity};
use crate::text::{LineIndex, Span};
use crate::value::{Data, Value};
use std::fmt::Write as _;

/// A rule.
#[derive(Debug)]
pub struct Card {
    /// Reads well after "ignore"; the name of its file.
    pub id: String,
    /// The name of its folder.
    pub family: String,
    /// Statement numbers of the doctrine.
    pub doctrine: Vec<String>,
    /// Unless an entry says otherwise.
    pub severity: Severity,
    /// How surely a finding is a violation.
    pub confidence: Confidence,
    /// The profiles that select it.
    pub profiles: Vec<String>,
    /// One sentence.
    pub summary: String,
    /// What is lost, and when.
    pub why: String,
    /// What to do.
    pub help: String,
    /// Its switches.
    pub options: Vec<OptionSpec>,
    /// What it looks at; the first entry that holds for a row speaks.
    pub entries: Vec<Entry>,
    /// What happens to rows that cannot be decided.
    pub when_unknown: WhenUnknown,
}

/// A switch that users set.
#[derive(Clone, Debug)]
pub struct OptionSpec {
    /// As users write it.
    pub name: String,
    /// What it takes.
    pub kind: OptionKind,
    /// What holds when nobody sets it.
    pub default: Value,
    /// What it does.
    pub about: String,
}

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// A truth value.
    Bool,
    /// A whole number.
    Int,
    /// Text.
    Str,
    /// A list of texts.
    List,
}

impl OptionKind {
    /// The type that conditions see.
    #[must_use]
    pub fn ty(self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Str => Type::Str,
            Self::List => Type::List(&Ty::Str),
        }
    }

    /// The word for it in cards.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Str => "string",
            Self::List => "list",
        }
    }

    /// Whether a value is of that kind.
    #[must_use]
    pub fn takes(self, value: &Value) -> bool {
        match (self, value.data()) {
            (Self::Bool, Some(Data::Bool(_))) | (Self::Str, Some(Data::Str(_))) => true,
            (Self::Int, Some(Data::Number(number))) => number.fract() == 0.0,
            (Self::List, Some(Data::List(list))) => list.items.iter().all(|item| item.scalar().is_some()),
            _ => false,
        }
    }
}

/// What happens to rows that cannot be decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenUnknown {
    /// Counted, with the reason.
    #[default]
    Count,
    /// A finding of severity info that gives the reason.
    Info,
    /// Nothing.
    Silent,
}

/// One kind of row that a card looks at.
#[derive(Debug)]
pub struct Entry {
    /// The table.
    pub subject: &'static Schema,
    /// Equality on fields that are never unknown; all must hold.
    pub filter: Vec<Filter>,
    /// A candidate for each member of this list.
    pub each: Option<Path>,
    /// The violation.
    pub when: Condition,
    /// The exceptions.
    pub unless: Vec<Exception>,
    /// The first that is true gives the severity.
    pub severity: Vec<(Severity, Condition)>,
    /// The severity when none is.
    pub otherwise: Severity,
    /// Where the finding points; the row itself when not said.
    pub at: Option<Path>,
    /// Other places, in reading order.
    pub related: Vec<Pointer>,
    /// What the finding says.
    pub message: Template,
    /// Findings of one file that agree in this text are one habit: the first speaks, the others are counted beside it.
    pub once_per: Option<Template>,
}

/// A field and the values that it may have.
#[derive(Debug)]
pub struct Filter {
    /// Position in the schema.
    pub field: usize,
    /// One of these.
    pub values: Vec<Data>,
}

/// An exception to a rule.
#[derive(Debug)]
pub struct Exception {
    /// Why, a short clause.
    pub because: String,
    /// When it applies.
    pub when: Condition,
    /// Weakens to this severity instead of silencing.
    pub lower: Option<Severity>,
}

/// A related place.
#[derive(Debug)]
pub struct Pointer {
    /// Where.
    pub path: Path,
    /// What one sees there; the row's own label when not said.
    pub message: Option<Template>,
}

/// What is wrong with a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardError {
    /// The file.
    pub path: String,
    /// Where in it.
    pub span: Span,
    /// What, one clause.
    pub message: String,
}

impl CardError {
    /// For people: place, message, and the line with a caret under it. `text` is the file's.
    #[must_use]
    pub fn render(&self, text: &str) -> String {
        let lines = LineIndex::new(text);
        let start = lines.position(text, self.span.start);
        let line = lines.line_span(text, start.line).slice(text);
        let number = start.line.to_string();
        let column = start.column as usize - 1;
        let width = self.span.slice(text).lines().next().map_or(0, |part| part.chars().count()).max(1);
        let carets = width.min(line.chars().count().saturating_sub(column).max(1));
        // Tabs stay tabs, so that the caret stands right in every terminal.
        let indent: String = line.chars().take(column).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let mut shown = format!("{}:{}:{}: {}\n", self.path, start.line, start.column, self.message);
        let gutter = " ".repeat(number.len());
        // Writing to a string cannot fail.
        let _ = write!(shown, "{number} | {line}\n{gutter} | {indent}{}", "^".repeat(carets));
        shown
    }
}

impl Card {
    /// Reads one rule file; `path` gives the id (file name) and the family (folder).
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(path: &str, text: &str, catalog: &[&'static Schema]) -> Result<Self, Vec<CardError>> {
        load::file(path, text, catalog)
    }

    /// The built-in cards, sorted by id.
    ///
    /// # Errors
    /// What is wrong with them; a test holds that nothing is.
    pub fn built_in(catalog: &[&'static Schema]) -> Result<Vec<Self>, Vec<CardError>> {
        load::packed(include_str!(concat!(env!("OUT_DIR"), "/rules.json")), catalog)
    }

    /// Path and text of the built-in rule files by id, examples included, as JSON: `{id: {path, text}}`.
    #[must_use]
    pub fn built_in_files() -> &'static str {
        include_str!(concat!(env!("OUT_DIR"), "/rule-files.json"))
    }

    /// Position of an option.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<usize> {
        self.options.iter().position(|option| option.name == name)
    }

    /// The options when nobody sets any.
    #[must_use]
    pub fn defaults(&self) -> Settings {
        Settings(self.options.iter().map(|option| option.default.clone()).collect())
    }
}

/// The options of one card as they hold somewhere, in the card's order.
#[derive(Clone, Debug, Default)]
pub struct Settings(pub(super) Vec<Value>);

impl Settings {
    /// Sets one option.
    ///
    /// # Errors
    /// When the card has no such option, or it takes something else; one clause.
    pub fn set(&mut self, card: &Card, name: &str, value: Value) -> Result<(), String> {
        let Some(index) = card.option(name) else {
            let names = card.options.iter().map(|option| option.name.as_str());
            return Err(format!("{} has no option `{name}`{}", card.id, super::suggest::hint(name, names)));
        };
        let kind = card.options[index].kind;
        if !kind.takes(&value) {
            return Err(format!("`{name}` takes a {}", kind.as_str()));
        }
        match self.0.get_mut(index) {
            Some(slot) => *slot = value,
            None => return Err(format!("these are not the options of {}", card.id)),
        }
        Ok(())
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.0
    }
}
