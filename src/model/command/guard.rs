//! What must be said before a command runs: switches that are off by default, prompts, dry runs.

use super::Guard;
use crate::syntax::shell::{Around, Assignment, Joined, Script, Simple, Word, WordPiece};
use regex::Regex;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

/// How far a chain of tests is followed back.
const MAX_CHAIN: usize = 20;
/// So many ways out of a script are looked at.
const MAX_EXITS: usize = 200;

/// What of a script says "only when somebody wants it".
#[derive(Debug, Default)]
pub(super) struct Guards {
    /// Variables that a prompt fills or that are off at first.
    switches: HashSet<Box<str>>,
    /// Ways out that depend on a confirmation: after which command, in which function, how strong.
    exits: Vec<(usize, Option<Arc<str>>, Guard)>,
    /// The weakest guard under which each of the script's functions is called.
    functions: HashMap<Arc<str>, Guard>,
}

fn pattern(cell: &'static OnceLock<Option<Regex>>, text: &str) -> Option<&'static Regex> {
    cell.get_or_init(|| Regex::new(text).ok()).as_ref()
}

fn dry(text: &str) -> bool {
    static DRY: OnceLock<Option<Regex>> = OnceLock::new();
    pattern(&DRY, r"(?i)dry[-_]?run|check[-_]?only|plan[-_]only").is_some_and(|it| it.is_match(text))
}

fn confirms(text: &str) -> bool {
    static CONFIRM: OnceLock<Option<Regex>> = OnceLock::new();
    let words = r"(?i)confirm|--(execute|yes|force|apply|migrate|really|destroy)\b|\$\{?(REPLY|FORCE|EXECUTE|YES)\b|i_know|i_accept|approve|are.you.sure|\[yY?|\^\[?y";
    pattern(&CONFIRM, words).is_some_and(|it| it.is_match(text))
}

/// What a switch is at first.
const OFF: [&str; 5] = ["0", "false", "no", "off", "n"];

/// The literal that an assignment gives, or that stands for an unset variable (`${X:-0}`).
fn given(assignment: &Assignment) -> Option<String> {
    let literal = match assignment.values.as_slice() {
        [] => Some(String::new()),
        [word] => word.literal().map(std::borrow::Cow::into_owned).or_else(|| match word.pieces.as_slice() {
            [WordPiece::Var { default: Some(default), .. }] => Some(default.to_string()),
            _ => None,
        }),
        _ => None,
    };
    literal.filter(|_| !assignment.array).map(|text| text.to_ascii_lowercase())
}

/// Variables that are off at first and never anything but on or off.
fn switches(script: &Script) -> HashSet<Box<str>> {
    let mut values: HashMap<&str, Vec<Option<String>>> = HashMap::new();
    for assignment in &script.assignments {
        values.entry(&assignment.name).or_default().push(given(assignment));
    }
    let off = |text: &str| OFF.contains(&text);
    let on = |text: &str| matches!(text, "1" | "true" | "yes" | "on" | "y");
    let is_switch = |values: &[Option<String>]| {
        let first = values.first().and_then(Option::as_deref).unwrap_or("x");
        let all = values.iter().all(|value| value.as_deref().is_some_and(|it| it.is_empty() || off(it) || on(it)));
        // An empty variable is a switch only when something turns it on: else it is an argument that is required.
        all && (off(first) || (first.is_empty() && values.iter().any(|value| value.as_deref().is_some_and(on))))
    };
    values.iter().filter(|(_, values)| is_switch(values)).map(|(name, _)| Box::from(*name)).collect()
}

pub(super) fn function(around: &[Around]) -> Option<Arc<str>> {
    around.iter().rev().find_map(|it| match it {
        Around::Function(name) => Some(name.clone()),
        _ => None,
    })
}

fn program(command: &Simple) -> String {
    command.words.first().and_then(Word::literal).unwrap_or_default().into_owned()
}

fn leaves(command: &Simple) -> bool {
    matches!(&*program(command), "exit" | "return" | "die" | "abort" | "fail" | "fatal" | "usage")
}

/// What a condition says that is not a shell's (`if:` of a job).
pub(super) fn judge_text(condition: &str) -> Guard {
    if dry(condition) {
        Guard::Dry
    } else if confirms(condition) {
        Guard::Confirmed
    } else {
        Guard::None
    }
}

impl Guards {
    /// Looks a script over; `text` is what it was parsed from.
    pub(super) fn of(script: &Script, text: &str) -> Self {
        let mut guards = Self { switches: switches(script), ..Self::default() };
        for command in &script.commands {
            if program(command) == "read" {
                let names = command.words.iter().skip(1).filter_map(Word::literal);
                guards.switches.extend(names.filter(|name| !name.starts_with('-')).map(|name| Box::from(&*name)));
            }
        }
        // A loop that reads lines asks nobody.
        for command in script.commands.iter().filter(|command| program(command) == "read") {
            if command.around.iter().any(|it| matches!(it, Around::Test)) {
                for name in command.words.iter().skip(1).filter_map(Word::literal) {
                    guards.switches.remove(&*name);
                }
            }
        }
        for (index, command) in script.commands.iter().enumerate() {
            if guards.exits.len() >= MAX_EXITS || !leaves(command) {
                continue;
            }
            let guard = guards.conditions(command, false).max(guards.tested(script, index, text, Joined::Or));
            if guard > Guard::None {
                guards.exits.push((index, function(&command.around), guard));
            }
        }
        guards.functions = guards.of_calls(script, text);
        guards
    }

    fn of_calls(&self, script: &Script, text: &str) -> HashMap<Arc<str>, Guard> {
        let names: HashSet<&str> = script.functions.iter().map(|function| &*function.name).collect();
        let mut weakest: HashMap<Arc<str>, Guard> = HashMap::new();
        if names.is_empty() {
            return weakest;
        }
        for (index, command) in script.commands.iter().enumerate() {
            let name = program(command);
            if names.contains(name.as_str()) && function(&command.around).as_deref() != Some(&name) {
                let guard = self.at(script, index, text);
                let known = weakest.entry(name.into()).or_insert(guard);
                *known = guard.min(*known);
            }
        }
        weakest
    }

    /// The guard of the command at `index`.
    pub(super) fn at(&self, script: &Script, index: usize, text: &str) -> Guard {
        let Some(command) = script.commands.get(index) else { return Guard::None };
        let own = function(&command.around);
        let passed = self.exits.iter().filter(|(at, of, _)| *at < index && (of.is_none() || *of == own));
        let passed = passed.map(|(_, _, guard)| *guard).max().unwrap_or_default();
        let called = own.and_then(|own| self.functions.get(&own).copied()).unwrap_or_default();
        passed.max(called).max(self.conditions(command, true)).max(self.tested(script, index, text, Joined::And))
    }

    /// The strongest way out that the script has, for what follows it.
    pub(super) fn left(&self) -> Guard {
        let top = self.exits.iter().filter(|(_, function, _)| function.is_none());
        top.map(|(_, _, guard)| *guard).max().unwrap_or_default()
    }

    fn conditions(&self, command: &Simple, wanted: bool) -> Guard {
        let judged = command.around.iter().map(|around| match around {
            Around::Condition { text, negated } => {
                let guard = self.judge(text);
                // "if not confirmed, leave; else go on" and "if confirmed, go on".
                let says_not = text.contains('!') || text.contains("-z ");
                let holds = guard != Guard::Confirmed || !wanted || !*negated || says_not;
                if holds { guard } else { Guard::None }
            }
            _ => Guard::None,
        });
        judged.max().unwrap_or_default()
    }

    /// The guard by tests that the command is chained to (`[[ $FORCE == 1 ]] && x`).
    fn tested(&self, script: &Script, index: usize, text: &str, by: Joined) -> Guard {
        let mut at = index;
        let mut guard = Guard::None;
        for _ in 0..MAX_CHAIN {
            let Some(command) = script.commands.get(at).filter(|command| command.joined == by) else { break };
            let Some(before) = at.checked_sub(1) else { break };
            let Some(other) = script.commands.get(before) else { break };
            if matches!(&*program(other), "[" | "[[" | "test") && other.around.len() <= command.around.len() + 1 {
                guard = guard.max(self.judge(other.span.slice(text)));
            }
            at = before;
        }
        guard
    }

    fn judge(&self, condition: &str) -> Guard {
        let said = judge_text(condition);
        if said != Guard::None {
            return said;
        }
        let switched = || {
            condition.split('$').skip(1).any(|rest| {
                let rest = rest.trim_start_matches('{');
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                let default = rest[end..].trim_start_matches(':').strip_prefix('-');
                let off = default
                    .is_some_and(|it| OFF.iter().any(|off| it.strip_prefix(off).is_some_and(|it| it.starts_with('}'))));
                off || self.switches.contains(&rest[..end])
            })
        };
        // In `(( … ))` variables need no `$`.
        let arithmetic = || {
            let mut words = condition.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            condition.contains("((") && words.any(|word| self.switches.contains(word))
        };
        if switched() || arithmetic() { Guard::Confirmed } else { Guard::None }
    }
}
