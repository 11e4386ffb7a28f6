//! How programs are called, and which calls touch control state, infrastructure or data.

use super::services::{self, ServiceData};
use crate::diag::Severity;
use regex::Regex;
use serde::{Deserialize, Deserializer};
use std::collections::HashMap;
use std::sync::OnceLock;

/// What a call does, for rules to match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the vocabulary of the doctrine")]
pub enum Class {
    StateMutation,
    ForceUnlock,
    StateImport,
    LockOff,
    PlanLockOff,
    UnattendedApply,
    UnattendedDestroy,
    Apply,
    PartialApply,
    BackendSwitch,
    StateRead,
    StateEdit,
    StateRemove,
    StateCopy,
    StateObjectWrite,
    StateRawRead,
    HypervisorChange,
    HypervisorPower,
    HypervisorRead,
    CloudChange,
    ContainerCommit,
    ContainerDataDelete,
    ClusterDataDelete,
    GuestExecWrite,
    DataLoad,
    DataDestroy,
    ImageOverwrite,
    IdentityChange,
    RuntimeQuery,
    RepoWriteBack,
    VmCmdletChange,
    DownloadFloating,
}

impl Class {
    /// The word that cards use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StateMutation => "state-mutation",
            Self::ForceUnlock => "force-unlock",
            Self::StateImport => "state-import",
            Self::LockOff => "lock-off",
            Self::PlanLockOff => "plan-lock-off",
            Self::UnattendedApply => "unattended-apply",
            Self::UnattendedDestroy => "unattended-destroy",
            Self::Apply => "apply",
            Self::PartialApply => "partial-apply",
            Self::BackendSwitch => "backend-switch",
            Self::StateRead => "state-read",
            Self::StateEdit => "state-edit",
            Self::StateRemove => "state-remove",
            Self::StateCopy => "state-copy",
            Self::StateObjectWrite => "state-object-write",
            Self::StateRawRead => "state-raw-read",
            Self::HypervisorChange => "hypervisor-change",
            Self::HypervisorPower => "hypervisor-power",
            Self::HypervisorRead => "hypervisor-read",
            Self::CloudChange => "cloud-change",
            Self::ContainerCommit => "container-commit",
            Self::ContainerDataDelete => "container-data-delete",
            Self::ClusterDataDelete => "cluster-data-delete",
            Self::GuestExecWrite => "guest-exec-write",
            Self::DataLoad => "data-load",
            Self::DataDestroy => "data-destroy",
            Self::ImageOverwrite => "image-overwrite",
            Self::IdentityChange => "identity-change",
            Self::RuntimeQuery => "runtime-query",
            Self::RepoWriteBack => "repo-write-back",
            Self::VmCmdletChange => "vm-cmdlet-change",
            Self::DownloadFloating => "download-floating",
        }
    }
}

/// One row: calls of one kind. All conditions that it names must hold.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Row {
    /// Stable name.
    pub id: Box<str>,
    /// What such a call does.
    pub class: Class,
    /// How bad it is by itself.
    pub severity: Severity,
    /// A short clause for messages ("drops an object from control state").
    pub effect: Box<str>,
    /// What one does instead, a noun phrase; may be empty.
    #[serde(default)]
    pub instead: Box<str>,
    /// Stored data is lost.
    #[serde(default)]
    pub data_loss: bool,
    /// Changes live what code declares.
    #[serde(default)]
    pub repairs: bool,
    programs: Vec<Box<str>>,
    #[serde(default)]
    but: Vec<Box<str>>,
    #[serde(default)]
    subs: Vec<Box<str>>,
    #[serde(default)]
    any_flags: Vec<FlagPattern>,
    #[serde(default)]
    all_flags: Vec<FlagPattern>,
    #[serde(default)]
    no_flags: Vec<FlagPattern>,
    operand: Option<Pattern>,
    no_operand: Option<Pattern>,
    first: Option<Pattern>,
    last: Option<Pattern>,
    operands: Option<Operands>,
    state: Option<StateUse>,
    #[serde(default)]
    data_directory: bool,
    redirect: Option<(Pattern, Pattern)>,
    #[serde(default)]
    nested: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Operands {
    None,
    Some,
}

/// Where a state object stands in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StateUse {
    Any,
    Source,
    Target,
    Upload,
    Redirect,
}

#[derive(Debug)]
struct Pattern(Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<str>::deserialize(deserializer)?;
        Regex::new(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// `-f`, `-f=value`, `-f~regex`.
#[derive(Debug)]
struct FlagPattern {
    name: Box<str>,
    value: Option<Box<str>>,
    regex: Option<Regex>,
}

impl<'de> Deserialize<'de> for FlagPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<str>::deserialize(deserializer)?;
        if let Some((name, regex)) = text.split_once('~') {
            let regex = Regex::new(regex).map_err(serde::de::Error::custom)?;
            return Ok(Self { name: name.into(), value: None, regex: Some(regex) });
        }
        Ok(match text.split_once('=') {
            Some((name, value)) => Self { name: name.into(), value: Some(value.into()), regex: None },
            None => Self { name: text, value: None, regex: None },
        })
    }
}

/// How one program's words are to be read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Grammar {
    /// Words of the subcommand path at most; without it one, and one more after each of `groups`.
    pub depth: Option<usize>,
    #[serde(default)]
    groups: Vec<Box<str>>,
    #[serde(default)]
    values: Vec<Box<str>>,
    #[serde(default)]
    short: Box<str>,
    /// `-abc` is one flag, not three.
    #[serde(default)]
    pub long_single_dash: bool,
    /// `-it` is two flags, never one with a value.
    #[serde(default)]
    bundles: bool,
    /// Every flag takes the next word when that is no flag.
    #[serde(default)]
    pub plain_values: bool,
}

impl Grammar {
    /// Whether the flag (as written, without value) takes the next word.
    #[must_use]
    pub fn takes_value(&self, flag: &str) -> bool {
        let name = flag.trim_start_matches('-');
        let long = flag.starts_with("--") || self.long_single_dash;
        if long {
            return self.values.iter().any(|value| &**value == name);
        }
        // Of letters in one word (`-tc`) the first that takes anything decides: the last takes the next word.
        let count = name.chars().count();
        let first = name.chars().position(|letter| self.short.contains(letter));
        first.is_some_and(|at| at + 1 == count && (count == 1 || !self.bundles))
    }

    /// Splits `-XPOST` into the flag and its value.
    #[must_use]
    pub fn attached<'a>(&self, flag: &'a str) -> Option<(&'a str, &'a str)> {
        let letter = flag.strip_prefix('-').filter(|rest| !rest.starts_with('-'))?.chars().next()?;
        let end = 1 + letter.len_utf8();
        (!self.long_single_dash && !self.bundles && flag.len() > end && self.short.contains(letter))
            .then(|| flag.split_at(end))
    }

    /// Whether the path goes on after `path`.
    #[must_use]
    pub fn goes_on(&self, path: &[Box<str>]) -> bool {
        match self.depth {
            Some(depth) => {
                path.len() < depth && !path.last().is_some_and(|last| depth > 2 && knowledge().verbs.contains(last))
            }
            None => path.last().is_none_or(|last| self.groups.contains(last)),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Knowledge {
    grammar: HashMap<Box<str>, Grammar>,
    verbs: Vec<Box<str>>,
    same_as: HashMap<Box<str>, Box<str>>,
    rows: Vec<Row>,
}

fn knowledge() -> &'static Knowledge {
    static KNOWLEDGE: OnceLock<Knowledge> = OnceLock::new();
    KNOWLEDGE.get_or_init(|| {
        // The file is part of the program and a test reads it, so a failure cannot reach a user.
        serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/commands.json"))).unwrap_or_else(|_| Knowledge {
            grammar: HashMap::new(),
            verbs: Vec::new(),
            same_as: HashMap::new(),
            rows: Vec::new(),
        })
    })
}

type Rows = Vec<&'static Row>;

/// Rows by program name, and those whose program is a pattern.
fn index() -> &'static (HashMap<&'static str, Rows>, Rows) {
    static INDEX: OnceLock<(HashMap<&'static str, Rows>, Rows)> = OnceLock::new();
    INDEX.get_or_init(|| {
        let (mut exact, mut rest) = (HashMap::<_, Rows>::new(), Vec::new());
        for row in &knowledge().rows {
            for program in &row.programs {
                if program.contains('*') {
                    rest.push(row);
                } else {
                    exact.entry(&**program).or_default().push(row);
                }
            }
        }
        (exact, rest)
    })
}

/// The program whose grammar and rows hold for `program` too (`tofu`: `terraform`).
#[must_use]
pub fn canonical(program: &str) -> &str {
    knowledge().same_as.get(program).map_or(program, |same| same)
}

/// The grammar of a program, if it is known.
#[must_use]
pub fn grammar(program: &str) -> Option<&'static Grammar> {
    let known = &knowledge().grammar;
    known.get(program).or_else(|| known.get(canonical(program)))
}

/// Whether any row is about the program.
#[must_use]
pub fn is_known(program: &str) -> bool {
    index().0.contains_key(canonical(program)) || program.starts_with("mkfs.")
}

/// A row by its id.
#[must_use]
pub fn row(id: &str) -> Option<&'static Row> {
    knowledge().rows.iter().find(|row| &*row.id == id)
}

/// A call as text, unknown parts as [`HOLE`](crate::text::HOLE)s: what [`classify`] judges.
#[derive(Debug, Default)]
pub struct Call<'a> {
    /// The program, lower case.
    pub program: &'a str,
    /// The subcommand path.
    pub sub: &'a [Box<str>],
    /// Flags with their values; none for a flag that stands alone.
    pub flags: Vec<(&'a str, Option<String>)>,
    /// The other words.
    pub operands: Vec<String>,
    /// Operators and targets.
    pub redirects: Vec<(&'a str, String)>,
    /// It runs inside a running guest or container.
    pub nested: bool,
    /// The state object is in a folder that the script made for itself and throws away.
    pub temporary: bool,
}

impl Call<'_> {
    /// It prints its help, or tells what it would do.
    fn only_tells(&self) -> bool {
        let grammar = grammar(self.program);
        let long = grammar.is_some_and(|it| it.long_single_dash);
        self.flags.iter().any(|(name, value)| {
            let given = value.as_deref();
            match *name {
                "--help" => true,
                "-help" => long,
                // Where `-h` is a host, it has a value.
                "-h" => given.is_none() && !self.sub.is_empty() && grammar.is_some_and(|it| !it.takes_value(name)),
                "--dry-run" | "--dryrun" => matches!(given, None | Some("client" | "server" | "true")),
                _ => false,
            }
        })
    }
}

/// Every row that holds for a call.
#[must_use]
pub fn classify(call: &Call<'_>) -> Vec<&'static Row> {
    if call.only_tells() {
        return Rows::new();
    }
    let (exact, rest) = index();
    let canonical = canonical(call.program);
    let mut found = Rows::new();
    let own = if canonical == call.program { None } else { exact.get(call.program) };
    let candidates = exact.get(canonical).into_iter().chain(own).flatten().chain(rest);
    for row in candidates {
        if row.matches(call, canonical) && !found.iter().any(|known| known.id == row.id) {
            found.push(row);
        }
    }
    found
}

/// Whether a path or URL is a state object; folders that hold providers and lock files are none.
#[must_use]
pub fn is_state_object(text: &str) -> bool {
    static STATE: OnceLock<Option<Regex>> = OnceLock::new();
    let state = STATE.get_or_init(|| {
        Regex::new(r"(?:^|[/=@])[^/\s]*\.tfstate(?:\*|\.[^/\s.]+\*?|\.backup\S*|\{[^/\s]*)?$|\.tflock$|(?:^|/)terraform\.tfstate\.d(?:/|$)")
            .ok()
    });
    let path = text.split(['?', '#']).next().unwrap_or(text);
    let code = [".sh", ".py", ".j2", ".tpl", ".md", ".tf", ".yml", ".yaml"].iter().any(|end| path.ends_with(end));
    !code && !path.contains(".terraform/") && state.as_ref().is_some_and(|state| state.is_match(path))
}

impl Row {
    /// Whether a wrapper or grammar word is among the programs that the row is about.
    fn names(&self, program: &str, canonical: &str) -> bool {
        let names = |list: &[Box<str>]| list.iter().any(|it| glob(it, program) || glob(it, canonical));
        names(&self.programs) && !names(&self.but)
    }

    fn matches(&self, call: &Call<'_>, canonical: &str) -> bool {
        let any = |pattern: &Pattern| call.operands.iter().any(|operand| pattern.0.is_match(operand));
        self.names(call.program, canonical)
            && (self.subs.is_empty() || self.subs.iter().any(|sub| is_prefix(sub, call.sub)))
            && (!self.nested || call.nested)
            && self.flags_match(call)
            && self.operand.as_ref().is_none_or(any)
            && !self.no_operand.as_ref().is_some_and(any)
            && self.first.as_ref().is_none_or(|it| call.operands.first().is_some_and(|first| it.0.is_match(first)))
            && self.last.as_ref().is_none_or(|it| call.operands.last().is_some_and(|last| it.0.is_match(last)))
            && self.operands.is_none_or(|it| (it == Operands::None) == call.operands.is_empty())
            && self.state.is_none_or(|it| it.holds(call))
            && (!self.data_directory || call.operands.iter().any(|text| is_only_copy(text)))
            && self.redirect.as_ref().is_none_or(|(op, target)| {
                call.redirects
                    .iter()
                    .any(|(it, file)| op.0.is_match(it) && !it.contains('&') && target.0.is_match(file))
            })
    }

    fn flags_match(&self, call: &Call<'_>) -> bool {
        let long = grammar(call.program).is_some_and(|grammar| grammar.long_single_dash);
        let has = |pattern: &FlagPattern| {
            call.flags.iter().any(|(name, value)| pattern.is_match(name, value.as_deref(), long))
        };
        (self.any_flags.is_empty() || self.any_flags.iter().any(has))
            && self.all_flags.iter().all(has)
            && !self.no_flags.iter().any(has)
    }
}

impl FlagPattern {
    fn is_match(&self, flag: &str, value: Option<&str>, long: bool) -> bool {
        let (wanted, name) = (self.name.trim_start_matches('-'), flag.trim_start_matches('-'));
        let single = self.name.len() == 2 && !self.name.starts_with("--");
        // `-fv` holds `-v`, unless the program knows long flags with one dash.
        let bundled = single && !long && !flag.starts_with("--") && name.contains(wanted);
        // One dash and two mean the same only where the program says so.
        let same = wanted == name && (long || self.name.starts_with("--") == flag.starts_with("--"));
        if !(same || bundled) {
            return false;
        }
        match (&self.value, &self.regex) {
            (Some(wanted), _) => value == Some(wanted),
            (_, Some(regex)) => value.is_some_and(|value| regex.is_match(value)),
            _ => !matches!(value, Some("false" | "0")) || name == "n",
        }
    }
}

impl StateUse {
    fn holds(self, call: &Call<'_>) -> bool {
        if call.temporary {
            return false;
        }
        let state = |text: &String| is_state_object(text);
        let count = call.operands.len();
        let written = |text: &str| {
            let lower = text.to_ascii_lowercase();
            is_state_object(text) && !["backup/", "backups/", "backup-", "archive/"].iter().any(|it| lower.contains(it))
        };
        let redirected = |into: bool| {
            call.redirects.iter().any(|(op, file)| {
                (if into { op.contains('>') && !op.contains('&') } else { *op == "<" }) && is_state_object(file)
            })
        };
        match self {
            Self::Any => {
                let left_out = |name: &str| name.contains("exclude") || name == "-x";
                let flags = call.flags.iter().filter(|(name, _)| !left_out(name));
                call.operands.iter().any(state) || flags.into_iter().any(|(_, value)| value.as_ref().is_some_and(state))
            }
            Self::Source => {
                call.operands.iter().take(count.max(2) - 1).any(state)
                    || (count > 0
                        && call.operands.last().is_some_and(|last| is_state_object(last))
                        && !matches!(call.program, "aws" | "gcloud" | "gsutil"))
                    || redirected(false)
            }
            Self::Target => count > 1 && call.operands.last().is_some_and(|last| written(last)),
            Self::Upload => {
                let remote = |text: &String| text.contains("://");
                let from_here = !call.operands.iter().take(count.saturating_sub(1)).any(remote);
                count > 1 && from_here && call.operands.last().is_some_and(|last| remote(last) && written(last))
            }
            Self::Redirect => redirected(true),
        }
    }
}

/// Whether a path is the directory of a service that keeps the only copy of something there.
fn is_only_copy(path: &str) -> bool {
    let kept = |service: &services::Service| {
        matches!(service.data, ServiceData::Authoritative | ServiceData::Secret | ServiceData::Queue)
    };
    services::is_data_directory(path) && services::by_path(services::bare(path)).is_some_and(kept)
}

/// `*` at the end of a pattern stands for any rest, alone for anything.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => pattern == text,
    }
}

fn is_prefix(sub: &str, path: &[Box<str>]) -> bool {
    let mut words = path.iter();
    sub.split(' ').all(|wanted| words.next().is_some_and(|word| glob(wanted, word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read() {
        let text = include_str!(concat!(env!("OUT_DIR"), "/commands.json"));
        let read: Result<Knowledge, _> = serde_json::from_str(text);
        assert!(read.is_ok(), "{:?}", read.err());
        let rows = &knowledge().rows;
        assert!(rows.len() > 150);
        let mut ids: Vec<_> = rows.iter().map(|row| &row.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), rows.len());
        for row in rows.iter().filter(|row| !row.subs.is_empty()) {
            for program in &row.programs {
                assert!(grammar(program).is_some(), "{}: {program} has no grammar, so it has no subcommands", row.id);
            }
        }
        for (name, same) in &knowledge().same_as {
            assert!(grammar(same).is_some(), "{name} is said to be {same}");
        }
    }

    #[test]
    fn state_objects() {
        for path in [
            "terraform.tfstate",
            "a/b.tfstate.backup",
            "*.tfstate",
            "s3://b/k/x.tfstate.tflock",
            "errored.tfstate",
            "terraform.tfstate.d/prod",
            "\u{F8FF}/terraform.tfstate",
            "x.tfstate*",
            "a/x.tfstate{,.bak}",
            "b/default.tflock",
        ] {
            assert!(is_state_object(path), "{path}");
        }
        for path in [
            "all-tfstate.sh",
            "tfstate-policy.json.j2",
            ".terraform/terraform.tfstate",
            ".terraform.lock.hcl",
            "notes.tflock.md",
            "tfstate",
            "docs/x.tfstate.md",
        ] {
            assert!(!is_state_object(path), "{path}");
        }
    }
}
