//! Cmdlets of PowerShell text, found by their form: `Verb-Noun` where a command may begin.

use super::{Command, Flag, Guard, Site, next_scope};
use crate::text::{FileId, Loc, Mapped, Span};
use crate::value::Value;

/// Programs that PowerShell text calls by name.
const PROGRAMS: [&str; 8] = ["terraform", "tofu", "terragrunt", "docker", "kubectl", "aws", "az", "gcloud"];

/// Lists cmdlets and calls of well-known programs; not a parser: one line is one command, strings and comments are left out.
pub fn powershell(text: &Mapped, file: FileId, site: &Site, out: &mut Vec<Command>) {
    let scope = next_scope(out, file);
    let mut at = 0;
    let mut index = 0;
    let mut comment = false;
    for line in text.text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let trimmed = line.trim();
        comment |= trimmed.starts_with("<#");
        if comment || trimmed.starts_with('#') {
            comment &= !trimmed.contains("#>");
            continue;
        }
        for (from, to) in segments(line) {
            let Some(part) = line.get(from..to) else { continue };
            let lead = part.len() - part.trim_start().len();
            let words: Vec<&str> = words(part);
            let Some(first) = words.first() else { continue };
            let name = first.trim_end_matches(".exe").to_ascii_lowercase();
            if !(is_cmdlet(first) || PROGRAMS.contains(&&*name)) {
                continue;
            }
            let span = Span::new(start + from + lead, start + from + part.trim_end().len());
            let loc = Loc { file, span: text.span(span) };
            out.push(command(&name, &words, loc, site, (scope, index)));
            index += 1;
        }
    }
}

/// Parts of a line in which a command may begin: after `;`, `|`, `{`, `(`, `=` and `&`, outside of strings.
fn segments(line: &str) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut from = 0;
    let mut quote: Option<char> = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') if line[..at].ends_with([' ', '\t']) => {
                out.push((from, at));
                return out;
            }
            (None, ';' | '|' | '{' | '}' | '(' | ')' | '=' | '&') => {
                // `-flag=value` goes on.
                let flag = c == '=' && line[from..at].rsplit(' ').next().is_some_and(|word| word.starts_with('-'));
                if !flag {
                    out.push((from, at));
                    from = at + 1;
                }
            }
            _ => {}
        }
    }
    out.push((from, line.len()));
    out
}

fn words(part: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = part.trim();
    while !rest.is_empty() {
        let end = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |at| at + 2),
            _ => rest.find(char::is_whitespace).unwrap_or(rest.len()),
        };
        out.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    out
}

fn is_cmdlet(word: &str) -> bool {
    const VERBS: [&str; 28] = [
        "new",
        "set",
        "remove",
        "get",
        "add",
        "start",
        "stop",
        "restart",
        "import",
        "export",
        "move",
        "rename",
        "resize",
        "restore",
        "convert",
        "mount",
        "dismount",
        "enable",
        "disable",
        "checkpoint",
        "copy",
        "invoke",
        "suspend",
        "resume",
        "save",
        "update",
        "install",
        "clear",
    ];
    word.split_once('-').is_some_and(|(verb, noun)| {
        VERBS.contains(&&*verb.to_ascii_lowercase())
            && noun.starts_with(|c: char| c.is_ascii_alphabetic())
            && noun.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

fn value(word: &str) -> Value {
    let plain = word.trim_matches(['"', '\'']);
    if plain.contains('$') { Value::unknown("it is a variable of the script") } else { Value::known(plain) }
}

fn command(name: &str, words: &[&str], loc: Loc, site: &Site, (scope, index): (u32, u32)) -> Command {
    let mut command = Command {
        loc,
        program: name.into(),
        sub: Vec::new(),
        flags: Vec::new(),
        operands: Vec::new(),
        redirects: Vec::new(),
        site: site.clone(),
        text: words.join(" ").chars().take(160).collect(),
        through: Vec::new(),
        guard: Guard::None,
        joined: super::Joined::Then,
        conditions: Vec::new(),
        tolerated: false,
        scope,
        index,
        in_test: false,
        in_substitution: false,
        piped_into: None,
        env: Vec::new(),
        folder: None,
        defaults: Vec::new(),
        rows: Vec::new(),
    };
    let grammar = crate::knowledge::commands::grammar(name);
    let mut words = words.iter().skip(1).peekable();
    while let Some(word) = words.next() {
        if word.starts_with('-') {
            let (name, given) = match word.split_once(['=', ':']) {
                Some((name, text)) => (name, Some(value(text))),
                None => {
                    (*word, words.next_if(|next| grammar.is_none() && !next.starts_with('-')).map(|next| value(next)))
                }
            };
            let given = given.unwrap_or_else(|| Value::known(true));
            command.flags.push(Flag { name: name.into(), value: given, span: loc.span });
        } else if command.operands.is_empty() && grammar.is_some_and(|it| it.goes_on(&command.sub)) {
            command.sub.push((*word).into());
        } else {
            command.operands.push(value(word));
        }
    }
    command.classify();
    command
}
