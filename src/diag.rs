//! Findings as plain data: what the engine makes and the reports print.

use crate::text::Loc;
use serde::{Deserialize, Serialize};

/// How bad a finding is. Ordered: `Info < Warning < Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Fails by default.
    Warning,
    /// Fails, and data, state or ownership is at stake.
    Error,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// One level less; `Info` stays.
    #[must_use]
    pub fn lowered(self) -> Self {
        match self {
            Self::Error => Self::Warning,
            Self::Warning | Self::Info => Self::Info,
        }
    }
}

/// How surely the evidence means a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Often something else.
    Low,
    /// Sometimes something else.
    Medium,
    /// Almost surely.
    High,
}

impl Confidence {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Another place that explains a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Where.
    pub loc: Loc,
    /// What one sees there, a short clause ("this task installs PostgreSQL").
    pub message: String,
}

/// One replacement of a fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub loc: Loc,
    /// By what.
    pub text: String,
}

/// A mechanical correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, for a menu.
    pub title: String,
    /// Whether live infrastructure keeps its meaning at the next apply.
    pub safe: bool,
    /// The edits, none overlapping.
    pub edits: Vec<Edit>,
}

/// One violation of one rule at one declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// The rule's family (its folder).
    pub family: String,
    /// After options, environment class and configuration.
    pub severity: Severity,
    /// The rule's.
    pub confidence: Confidence,
    /// One sentence.
    pub message: String,
    /// The one place to look at; its span lies within one line or is cut to its first line by reports.
    pub loc: Loc,
    /// Address of the object as its tool prints it (`module.a.aws_db_instance.b`), if it has one.
    pub address: Option<String>,
    /// Every instance that fails here for the same reason; empty when there is only one.
    pub instances: Vec<String>,
    /// Other places, in the order in which a reader should walk them.
    pub related: Vec<Related>,
    /// Statement numbers of the doctrine.
    pub doctrine: Vec<String>,
    /// What to do.
    pub help: String,
    /// Stable over line shifts; 16 hex digits, unique in a run.
    pub fingerprint: String,
    /// A correction, where one is safe to offer.
    pub fix: Option<Fix>,
    /// The suppression that covers it, if any (reported only on request).
    pub suppressed: Option<Suppressed>,
    /// Whether the change under judgement brought it (`--staged`, `--since`); true otherwise.
    pub new: bool,
}

/// Why a finding is not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppressed {
    /// The reason given.
    pub reason: String,
    /// The comment, when it stands in a source file (else the configuration).
    pub loc: Option<Loc>,
}

/// A group of rule evaluations that could not be decided, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// The rule's id.
    pub rule: String,
    /// The sentence that says why.
    pub because: String,
    /// How many.
    pub count: usize,
    /// The first place, in path order.
    pub first: Loc,
}
