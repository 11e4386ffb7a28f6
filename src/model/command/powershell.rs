//! Cmdlets of PowerShell text, found by their form: `Verb-Noun` where a command may begin.

use super::guard::judge_text;
use super::{Command, Flag, Guard, Site, next_scope};
use crate::text::{FileId, Loc, Mapped, Span};
use crate::value::Value;

/// Programs that PowerShell text calls by name.
const PROGRAMS: [&str; 8] = ["terraform", "tofu", "terragrunt", "docker", "kubectl", "aws", "az", "gcloud"];

/// The commands of a script.
#[must_use]
pub fn of_powershell(file: FileId, text: &str) -> Vec<Command> {
    let mut out = Vec::new();
    powershell(&Mapped::verbatim(text, 0), file, &Site::Script, &mut out);
    out
}

/// Lists cmdlets and calls of well-known programs; not a parser: one line is one command, strings and comments are left out.
pub fn powershell(text: &Mapped, file: FileId, site: &Site, out: &mut Vec<Command>) {
    let scope = next_scope(out, file);
    let mut reader = Reader { text, file, site, place: (scope, 0), variables: Vec::new(), asked: Guard::None, out };
    reader.lines(&joined(&text.text));
}

/// The text with continued lines in one and documents in strings left out, at equal length.
fn joined(text: &str) -> String {
    let mut out = text.replace("`\r\n", "   ").replace("`\n", "  ");
    for (open, close) in [("@\"\n", "\n\"@"), ("@'\n", "\n'@")] {
        let mut from = 0;
        while let Some(start) = out[from..].find(open).map(|at| from + at) {
            let Some(end) = out[start + 2..].find(close).map(|at| start + 2 + at + 1) else { break };
            let blank: String = out[start..end].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
            out.replace_range(start..end, &blank);
            from = end;
        }
    }
    out
}

struct Reader<'a> {
    text: &'a Mapped,
    file: FileId,
    site: &'a Site,
    /// Scope, and index of the next command.
    place: (u32, u32),
    /// Variables that hold a plain string.
    variables: Vec<(String, String)>,
    /// What has been asked for so far.
    asked: Guard,
    out: &'a mut Vec<Command>,
}

impl Reader<'_> {
    fn lines(&mut self, whole: &str) {
        let (mut at, mut comment, mut depth) = (0, false, 0_usize);
        // Conditions that are open, by how many braces stand around them.
        let mut open: Vec<(usize, Guard)> = Vec::new();
        for line in whole.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let trimmed = line.trim();
            comment |= trimmed.starts_with("<#");
            if comment || trimmed.starts_with('#') {
                comment &= !trimmed.contains("#>");
                continue;
            }
            self.assigned(trimmed, start, line.len());
            let lower = trimmed.to_ascii_lowercase();
            if lower.contains("read-host") {
                self.asked = Guard::Confirmed;
            }
            if lower.contains("if (") || lower.contains("if(") {
                let asks = if lower.contains("shouldprocess") { Guard::Confirmed } else { judge_text(trimmed) };
                open.push((depth, asks));
            }
            let around = open.iter().map(|(_, guard)| *guard).max().unwrap_or_default();
            for (from, to) in segments(line) {
                self.segment(line, start, (from, to), around);
            }
            let closed = line.matches('}').count();
            depth = (depth + line.matches('{').count()).saturating_sub(closed);
            if closed > 0 {
                open.retain(|(outside, _)| *outside < depth);
            }
        }
    }

    /// `$x = "…"`, and what is set for every later run of Terraform.
    fn assigned(&mut self, line: &str, start: usize, len: usize) {
        let Some((name, value)) = line.strip_prefix('$').and_then(|rest| rest.split_once('=')) else { return };
        let (name, value) = (name.trim(), value.trim());
        let plain = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        let Some(plain) = plain.filter(|plain| !plain.contains(['$', '"'])) else { return };
        if let Some(name) = name.strip_prefix("env:") {
            let loc = Loc { file: self.file, span: self.text.span(Span::new(start, start + len)) };
            super::of_environment(name, &Value::known(plain), loc, self.site, self.out);
        } else if self.variables.len() < MAX_VARIABLES {
            self.variables.push((name.to_owned(), plain.to_owned()));
        }
    }

    fn segment(&mut self, line: &str, start: usize, (from, to): (usize, usize), guard: Guard) {
        let Some(part) = line.get(from..to) else { return };
        let lead = part.len() - part.trim_start().len();
        let mut words: Vec<&str> = words(part);
        let Some(first) = words.first().copied() else { return };
        // `& "path"` and `& $x` call what the string or variable names.
        let called = line[..from].ends_with('&');
        let variable = first.strip_prefix('$').and_then(|name| self.variables.iter().rfind(|(known, _)| known == name));
        let first = match variable {
            Some((_, value)) if called => value.clone(),
            _ if called => first.trim_matches(['"', '\'']).to_owned(),
            _ => first.to_owned(),
        };
        let base = first.rsplit(['/', '\\']).next().unwrap_or(&first);
        let mut name = base.trim_end_matches(".exe").to_ascii_lowercase();
        let span = Span::new(start + from + lead, start + from + part.trim_end().len());
        let loc = Loc { file: self.file, span: self.text.span(span) };
        let shown = part.trim().to_owned();
        let inner: Vec<&str> = match &*name {
            "invoke-expression" | "iex" => {
                let given = words.get(1).map_or("", |word| word.trim_matches(['"', '\'']));
                given.split_whitespace().collect()
            }
            "start-process" | "saps" => started(&words),
            _ => Vec::new(),
        };
        if let Some(program) = inner.first() {
            program.trim_end_matches(".exe").to_ascii_lowercase().clone_into(&mut name);
            words = inner;
        }
        if !(is_cmdlet(&name) || PROGRAMS.contains(&&*name)) || words.contains(&"-WhatIf") {
            return;
        }
        let mut command = command(&name, &words, loc, self.site, self.place);
        command.guard = guard.max(self.asked);
        command.text = shown.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
        self.out.push(command);
        self.place.1 += 1;
    }
}

/// So many variables of a script are kept.
const MAX_VARIABLES: usize = 500;

/// The words that `Start-Process` runs: its program, then those of `-ArgumentList`.
fn started<'w>(words: &[&'w str]) -> Vec<&'w str> {
    let plain = |word: &'w str| word.trim_matches(['"', '\'', ',', '@', '(', ')']);
    let is = |word: &str, names: &[&str]| names.contains(&&*word.to_ascii_lowercase());
    let at = words.iter().position(|word| is(word, &["-filepath"])).map_or(1, |at| at + 1);
    let mut out: Vec<&str> = words.get(at).into_iter().map(|word| plain(word)).collect();
    let list = words.iter().position(|word| is(word, &["-argumentlist", "-args", "-argument"]));
    let given = list.map_or(&[][..], |at| &words[at + 1..]).iter().take_while(|word| !word.starts_with('-'));
    out.extend(given.flat_map(|word| plain(word).split_whitespace()));
    out
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
                // `-flag=value` and `2>&1` go on.
                let flag = c == '=' && line[from..at].rsplit(' ').next().is_some_and(|word| word.starts_with('-'))
                    || c == '&' && line[..at].ends_with('>');
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
        function: None,
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
        if word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '*').starts_with('>') {
            // Where output goes is no argument; alone, the next word is the file.
            if word.ends_with('>') {
                words.next();
            }
        } else if word.starts_with('-') {
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
