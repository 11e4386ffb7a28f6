//! What instructions tell agents to run: fenced blocks, and commands in sentences that give an order.

use crate::model::command::{self, Command, Site, Variables};
use crate::text::{FileId, Mapped};
use regex::Regex;
use std::sync::OnceLock;

/// The commands that a file of instructions tells its reader to run.
pub(super) fn read(file: FileId, text: &str) -> Vec<Command> {
    let mut found = Vec::new();
    let mut block: Option<Mapped> = None;
    let mut prose = Prose::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let fence = line.trim_start().strip_prefix("```").map(str::trim);
        match (fence, block.as_mut()) {
            (Some(_), Some(_)) => {
                let mapped = block.take().unwrap_or_default();
                commands(&mapped, file, &mut found);
            }
            (Some("" | "bash" | "sh" | "shell" | "console" | "zsh"), None) => block = Some(Mapped::default()),
            (None, Some(mapped)) => {
                // `$ terraform apply`
                let prompt = line.len() - line.trim_start_matches(['$', ' ']).len();
                mapped.push(&line[prompt..], offset(at + prompt));
            }
            (None, None) => prose.line(line, |start, code| {
                commands(&Mapped::verbatim(code, offset(at + start)), file, &mut found);
            }),
            _ => {}
        }
        at += line.len();
    }
    // Prose in a block begins with a capital; no program does.
    found
        .retain(|command| text[command.loc.span.range()].starts_with(|c: char| c.is_lowercase() || !c.is_alphabetic()));
    found
}

fn commands(text: &Mapped, file: FileId, found: &mut Vec<Command>) {
    command::commands(text, file, &Site::Script, &Variables::default(), found);
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// What a line outside blocks stands under.
#[derive(Default)]
struct Prose {
    /// A heading, or the line that opens a list, takes back what follows ("Never:").
    heading_forbids: bool,
    list_forbids: bool,
}

impl Prose {
    /// Gives every command in backquotes of a sentence that orders it, with its offset in the line.
    fn line<'t>(&mut self, line: &'t str, mut order: impl FnMut(usize, &'t str)) {
        let trimmed = line.trim();
        if trimmed.starts_with('#') {
            (self.heading_forbids, self.list_forbids) = (forbids(trimmed), false);
            return;
        }
        let item = trimmed.starts_with(['-', '*', '+']) || trimmed.starts_with(|c: char| c.is_ascii_digit());
        if !item && !trimmed.is_empty() {
            self.list_forbids = trimmed.ends_with(':') && forbids(trimmed);
        }
        if self.heading_forbids || item && self.list_forbids {
            return;
        }
        let mut start = 0;
        for sentence in line.split_inclusive(['.', ';', '!', '?']) {
            let parts: Vec<&str> = sentence.split('`').collect();
            // Every other part is code, when the backquotes pair.
            if parts.len() % 2 == 1 && !parts.iter().step_by(2).any(|text| forbids(text)) {
                let mut at = start;
                for (index, part) in parts.iter().enumerate() {
                    if index % 2 == 1 && orders(parts[index - 1]) {
                        order(at, part);
                    }
                    at += part.len() + 1;
                }
            }
            start += sentence.len();
        }
    }
}

fn pattern(cell: &'static OnceLock<Option<Regex>>, text: &str) -> Option<&'static Regex> {
    cell.get_or_init(|| Regex::new(text).ok()).as_ref()
}

/// Whether a sentence forbids, or gives the order to somebody else or on a condition.
fn forbids(sentence: &str) -> bool {
    static WORDS: OnceLock<Option<Regex>> = OnceLock::new();
    let words = r"(?i)\b(never|not|don['’]?t|no|avoid|forbid\w*|forbidden|prohibit\w*|disallow\w*|only|unless|without|instead|rather|cannot|can['’]?t|human|operator|maintainer|user|review\w*|approv\w*|confirm\w*|ask\w*|permission|manual\w*|locally|example|e\.g)\b";
    // "Read-only" says something of state, and takes no order back.
    let sentence = sentence.replace("ead-only", "");
    pattern(&WORDS, words).is_none_or(|words| words.is_match(&sentence))
}

/// Whether what stands before a command is an order to run it.
fn orders(before: &str) -> bool {
    static VERBS: OnceLock<Option<Regex>> = OnceLock::new();
    let verbs = r"(?i)(^[\s\-*+>\d.]*(\*\*[^*]*\*\*:?\s*)?|[,:]\s+|\b(then|and|always|afterwards|finally)\s+)(re-?run|run|execute|use|apply|deploy|remove|delete|destroy|import|fix|call|invoke)\b[^.]*$";
    pattern(&VERBS, verbs).is_some_and(|verbs| verbs.is_match(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Vec<String> {
        read(FileId(0), text).iter().map(|it| text[it.loc.span.range()].to_owned()).collect()
    }

    #[test]
    fn orders_in_sentences() {
        assert_eq!(run("- Run `terraform apply` in prod when done, so that it is live.\n"), ["terraform apply"]);
        let two = "- Run `terraform apply` in `terraform/envs/prod` when done.\n";
        assert_eq!(run(two), ["terraform apply"]);
        assert_eq!(run("When it is wrong, remove it with `terraform state rm`.\n"), ["terraform state rm"]);
        assert_eq!(run("1. **Deploy**: then run `tofu apply -auto-approve`\n"), ["tofu apply -auto-approve"]);
    }

    #[test]
    fn what_is_no_order() {
        for text in [
            "Never run `terraform apply`.\n",
            "`make plan` runs `terraform plan`.\n",
            "The pipeline will `terraform apply` it.\n",
            "## Forbidden\n\n- Run `terraform apply`\n",
            "Agents must not:\n\n- run `terraform apply`\n",
            "Run `terraform apply` only after review.\n",
            "Ask before you run `terraform apply`.\n",
        ] {
            assert_eq!(run(text), Vec::<String>::new(), "{text}");
        }
    }
}
