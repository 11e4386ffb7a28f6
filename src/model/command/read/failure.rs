//! Whether a script goes on after a failure.

use super::{MAX_CHAIN, Reader};
use crate::syntax::shell::{Joined, Simple, Word};

impl Reader<'_> {
    /// Whether the script goes on when the command at `index` fails.
    pub(super) fn tolerated(&self, index: usize) -> bool {
        let mut at = index;
        for _ in 0..MAX_CHAIN {
            let Some(this) = self.script.commands.get(at) else { return false };
            if !matches!(this.followed, Joined::Pipe | Joined::Or) {
                return false;
            }
            if this.followed == Joined::Or {
                let group = self.group(at);
                if !group.is_empty() {
                    // What follows the group is not reached if anything in it gives up.
                    return !group.iter().any(|it| gives_up(it)) && group.last().is_some_and(|it| goes_on(it));
                }
            }
            let Some((next, command)) = self.next(at) else { return false };
            if this.followed == Joined::Or {
                if goes_on(command) {
                    return true;
                }
                if gives_up(command) {
                    return false;
                }
            }
            at = next;
        }
        false
    }

    /// The commands of the group (`{ … }`, `( … )`) behind the `||` of the command at `index`; none if no group stands there.
    fn group(&self, index: usize) -> Vec<&Simple> {
        let commands = &self.script.commands;
        let Some(this) = commands.get(index) else { return Vec::new() };
        let mut end = this.span.end;
        let mut depth: Option<(char, char, usize)> = None;
        let mut found = Vec::new();
        for it in commands.iter().skip(index + 1).take(MAX_CHAIN).filter(|it| it.span.start >= this.span.end) {
            let gap = self.text.text.get(end as usize..it.span.start as usize).unwrap_or_default();
            if let Some((open, close, depth)) = &mut depth {
                for c in gap.chars() {
                    *depth += usize::from(c == *open);
                    if c == *close {
                        *depth = depth.saturating_sub(1);
                    }
                    if *depth == 0 {
                        return found;
                    }
                }
            } else {
                let behind = gap.trim_start().strip_prefix("||").unwrap_or_default();
                depth = match behind.trim_start_matches(|c: char| c.is_whitespace() || c == '\\').chars().next() {
                    Some('{') => Some(('{', '}', 1)),
                    Some('(') => Some(('(', ')', 1)),
                    _ => return found,
                };
            }
            end = end.max(it.span.end);
            found.push(it);
        }
        found
    }
}

/// Whether a command behind `||` takes the failure away.
fn goes_on(command: &Simple) -> bool {
    let name = command.words.first().and_then(Word::literal).unwrap_or_default();
    let zero = matches!(&*name, "exit" | "return")
        && command.words.get(1).and_then(Word::literal).is_some_and(|code| code == "0");
    zero || matches!(&*name, "true" | ":" | "echo" | "printf" | "continue" | "warn" | "log" | "info" | "[" | "[[")
}

/// Whether a command ends the script, or hands the failure on.
fn gives_up(command: &Simple) -> bool {
    let name = command.words.first().and_then(Word::literal).unwrap_or_default();
    !goes_on(command) && matches!(&*name, "exit" | "return" | "die" | "false" | "fail" | "abort" | "fatal" | "error")
}
