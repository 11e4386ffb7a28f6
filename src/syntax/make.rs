//! Makefiles and justfiles: variables, targets, and recipes as shell text with the file's variables filled in.

use crate::text::{Mapped, Span};
use std::collections::HashMap;

mod functions;

/// Variables of variables are followed so deep.
const MAX_DEPTH: u32 = 12;
/// One recipe line never grows beyond this many bytes.
const MAX_LINE: usize = 64 << 10;

/// A parsed makefile or justfile.
#[derive(Debug, Default)]
pub struct Makefile {
    /// Every variable with the values it is given, in source order of the first.
    pub variables: Vec<Variable>,
    /// Every rule with a recipe or prerequisites, in source order.
    pub targets: Vec<Target>,
}

/// A variable.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: Box<str>,
    /// The values as written, unexpanded; appended parts are joined to the value before. More than one: it depends.
    pub values: Vec<String>,
    /// Whether the caller's environment may say otherwise (`?=`).
    pub overridable: bool,
    /// The line that gives it to what recipes run (`export A = 1`).
    pub exported: Option<Span>,
}

/// A rule.
#[derive(Debug)]
pub struct Target {
    /// The target as written, several separated by blanks.
    pub name: Box<str>,
    /// The prerequisites.
    pub prerequisites: Vec<Box<str>>,
    /// Its first line.
    pub span: Span,
    /// Its recipe, one entry a shell call.
    pub recipe: Vec<Recipe>,
    /// Whether a person is asked first (`[confirm]` of a justfile).
    pub confirmed: bool,
}

/// A line of a recipe, continuations joined.
#[derive(Debug)]
pub struct Recipe {
    /// Shell text: prefixes taken off, make's variables filled in or holes.
    pub text: Mapped,
    /// Whether a failure is ignored (`-`).
    pub tolerated: bool,
}

/// A physical line.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a str,
    start: usize,
}

/// Lines with their offsets, line breaks left out.
fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |whole| {
        let line = Line { text: whole.trim_end_matches(['\n', '\r']), start };
        start += whole.len();
        line
    })
}

fn continued(text: &str) -> bool {
    (text.len() - text.trim_end_matches('\\').len()) % 2 == 1
}

/// A recipe before its variables are known: physical lines of one logical line.
type Raw<'a> = Vec<Line<'a>>;

#[derive(Default)]
struct Reader<'a> {
    variables: Vec<Variable>,
    index: HashMap<Box<str>, usize>,
    targets: Vec<(Target, Vec<Raw<'a>>)>,
    prefix: char,
}

/// Reads a makefile; every branch of its conditionals counts.
#[must_use]
pub fn parse(text: &str) -> Makefile {
    let mut reader = Reader { prefix: '\t', ..Reader::default() };
    let mut lines = lines(text).peekable();
    while let Some(line) = lines.next() {
        let recipe = line.text.starts_with(reader.prefix) && !reader.targets.is_empty();
        let mut raw = vec![line];
        while raw.last().is_some_and(|last| continued(last.text)) {
            let Some(next) = lines.next() else { break };
            raw.push(next);
        }
        if recipe {
            reader.recipe(raw);
            continue;
        }
        let logical = join(&raw);
        if let Some(rest) = logical.trim_start().strip_prefix("define ") {
            let name = rest.trim().trim_end_matches(['=', ':', '?', '+']).trim().to_owned();
            let mut value = String::new();
            for inner in lines.by_ref() {
                if inner.text.trim() == "endef" {
                    break;
                }
                value.push_str(inner.text);
                value.push('\n');
            }
            reader.assign(&name, "=", value.trim_end());
            continue;
        }
        reader.logical(&logical, line);
    }
    reader.finish(fill_make)
}

/// Reads a justfile.
#[must_use]
pub fn parse_just(text: &str) -> Makefile {
    let mut reader = Reader::default();
    let (mut script, mut confirmed) = (false, false);
    for line in lines(text) {
        let indented = line.text.starts_with([' ', '\t']);
        if indented && !reader.targets.is_empty() {
            let Some((_, recipe)) = reader.targets.last_mut() else { continue };
            script |= recipe.is_empty() && line.text.trim_start().starts_with("#!");
            match recipe.last_mut() {
                Some(last) if script || last.last().is_some_and(|line| continued(line.text)) => last.push(line),
                _ => recipe.push(vec![line]),
            }
            continue;
        }
        let plain = line.text.trim_end();
        if let Some((name, value)) = plain.split_once(":=") {
            let name = name.trim().trim_start_matches("export ").trim();
            let value = value.trim();
            for value in just_values(value) {
                reader.assign(name, ":=", value);
            }
        } else if plain.starts_with('[') {
            confirmed |= plain.contains("confirm");
        } else if let Some((head, rest)) = plain.split_once(':').filter(|_| !plain.starts_with(['#', '[', '@'])) {
            script = false;
            let name = head.split_whitespace().next().unwrap_or("").trim_start_matches('@');
            reader.target(name, rest, line);
            if let Some((target, _)) = reader.targets.last_mut() {
                target.confirmed = std::mem::take(&mut confirmed);
            }
        }
    }
    reader.finish(fill_just)
}

/// What a variable of a justfile is: a string, the default of a look into the environment, or what an `if` chooses from.
fn just_values(value: &str) -> Vec<&str> {
    let literal = |text: &str| {
        let text = text.trim();
        let start = value.find(text)?;
        let inner = ['"', '\''].iter().find_map(|q| text.strip_prefix(*q)?.strip_suffix(*q))?;
        (!inner.contains(['"', '\''])).then(|| &value[start + 1..start + 1 + inner.len()])
    };
    let choices = || -> Option<Vec<&str>> {
        let (_, then) = value.strip_prefix("if ")?.split_once('{')?;
        let (then, other) = then.split_once('}')?;
        let other = other.trim().strip_prefix("else")?.trim().strip_prefix('{')?.strip_suffix('}')?;
        Some(vec![literal(then)?, literal(other)?])
    };
    let default = || {
        let given = ["env_var_or_default(", "env("].iter().find_map(|call| value.strip_prefix(call))?;
        literal(given.strip_suffix(')')?.split_once(',')?.1)
    };
    let one = literal(value).or_else(default);
    one.map(|one| vec![one]).or_else(choices).unwrap_or_else(|| vec!["{{ }}"])
}

/// The logical line: continuations become one blank.
fn join(raw: &[Line<'_>]) -> String {
    let mut out = String::new();
    for (index, line) in raw.iter().enumerate() {
        let text = if index + 1 < raw.len() { &line.text[..line.text.len() - 1] } else { line.text };
        if index > 0 {
            out.push(' ');
        }
        out.push_str(if index > 0 { text.trim_start() } else { text });
    }
    out
}

impl<'a> Reader<'a> {
    fn recipe(&mut self, raw: Raw<'a>) {
        if let Some((_, recipe)) = self.targets.last_mut() {
            recipe.push(raw);
        }
    }

    fn target(&mut self, name: &str, prerequisites: &str, line: Line<'a>) {
        let span = Span::new(line.start, line.start + line.text.len());
        let prerequisites = prerequisites.split_whitespace().map(Box::from).collect();
        self.targets.push((
            Target { name: name.trim().into(), prerequisites, span, recipe: Vec::new(), confirmed: false },
            Vec::new(),
        ));
    }

    /// A line that is no recipe: an assignment, a rule or a directive.
    fn logical(&mut self, logical: &str, line: Line<'a>) {
        let code = match logical.find('#') {
            Some(at) if !logical[..at].ends_with('\\') => &logical[..at],
            _ => logical,
        };
        let code = code.trim();
        let first = code.split_whitespace().next().unwrap_or("");
        if matches!(
            first,
            "" | "ifeq"
                | "ifneq"
                | "ifdef"
                | "ifndef"
                | "else"
                | "endif"
                | "include"
                | "-include"
                | "sinclude"
                | "vpath"
                | "unexport"
                | "undefine"
        ) {
            return;
        }
        let bare = code.strip_prefix("override ").unwrap_or(code).trim_start();
        let bare = bare.strip_prefix("export ").unwrap_or(bare).trim_start();
        if let Some((name, op, value)) = assignment(bare) {
            if name == ".RECIPEPREFIX" {
                self.prefix = value.chars().next().unwrap_or('\t');
            } else {
                self.assign(name, op, value);
                let exported = code.split_whitespace().any(|word| word == "export") && code.len() > bare.len();
                let variable = self.index.get(name).and_then(|at| self.variables.get_mut(*at));
                if let Some(variable) = variable.filter(|_| exported) {
                    variable.exported = Some(Span::new(line.start, line.start + line.text.len()));
                }
            }
        } else if let Some((name, rest)) = split_rule(code) {
            if let Some((name, op, value)) = assignment(rest) {
                // A variable of one target: one more possible value.
                self.assign(name, op, value);
                return;
            }
            let (rest, inline) = rest.split_once(';').map_or((rest, None), |(rest, recipe)| (rest, Some(recipe)));
            self.target(name, rest, line);
            if inline.is_some()
                && let Some(at) = line.text.find(';')
            {
                self.recipe(vec![Line { text: &line.text[at + 1..], start: line.start + at + 1 }]);
            }
        }
    }

    fn assign(&mut self, name: &str, op: &str, value: &str) {
        let next = self.variables.len();
        let at = *self.index.entry(name.into()).or_insert(next);
        if at == next {
            self.variables.push(Variable {
                name: name.into(),
                values: Vec::new(),
                overridable: op == "?=",
                exported: None,
            });
        }
        let Some(variable) = self.variables.get_mut(at) else { return };
        let known = variable.values.iter().any(|known| known == value);
        match (op, variable.values.last_mut()) {
            ("+=", Some(last)) if last.len() < MAX_LINE => {
                last.push(' ');
                last.push_str(value);
            }
            ("+=" | "?=", Some(_)) => {}
            _ if !known => variable.values.push(value.to_owned()),
            _ => {}
        }
    }

    fn finish(self, fill: fn(&Lookup<'_>, &str, Option<usize>, &mut Mapped, u32)) -> Makefile {
        let Self { variables, index, targets, .. } = self;
        let mut out = Vec::new();
        for (mut target, raws) in targets {
            let lookup = Lookup { variables: &variables, index: &index, target: &target };
            let recipe: Vec<Recipe> = raws.iter().filter_map(|raw| shell(raw, &lookup, fill)).collect();
            target.recipe = recipe;
            out.push(target);
        }
        Makefile { variables, targets: out }
    }
}

fn assignment(code: &str) -> Option<(&str, &str, &str)> {
    let equals = code.find('=')?;
    let before = &code[..equals];
    let name_end = before.trim_end_matches([':', '?', '+', '!']).trim_end();
    let name = name_end.trim();
    let op = before[name_end.len()..].trim();
    let valid = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let op = match op {
        "" => "=",
        ":" | "::" | ":::" => ":=",
        "?" => "?=",
        "+" => "+=",
        // `!=` runs a command: its output is not known.
        "!" => return valid.then_some((name, "=", "$(shell)")),
        _ => return None,
    };
    valid.then(|| (name, op, code[equals + 1..].trim()))
}

/// `target: prerequisites`; colons inside `$(…)` do not count.
fn split_rule(code: &str) -> Option<(&str, &str)> {
    let mut depth = 0_u32;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'{' => depth += 1,
            b')' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => return Some((&code[..at], code[at + 1..].trim_start_matches(':'))),
            _ => {}
        }
    }
    None
}

struct Lookup<'a> {
    variables: &'a [Variable],
    index: &'a HashMap<Box<str>, usize>,
    target: &'a Target,
}

impl<'a> Lookup<'a> {
    fn overridable(&self, name: &str) -> bool {
        let variable = self.index.get(name).and_then(|at| self.variables.get(*at));
        is_name(name) && variable.is_some_and(|variable| variable.overridable)
    }

    /// The one value of a variable.
    fn get(&self, name: &str) -> Option<&'a str> {
        match name {
            "MAKE" => return Some("make"),
            "SHELL" => return Some("sh"),
            _ => {}
        }
        match self.variables.get(*self.index.get(name)?)?.values.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a value can stand as a default of the shell's without quoting.
fn is_plain(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || " _-./=:,@+".contains(c))
}

/// A logical recipe line as shell text.
fn shell(
    raw: &[Line<'_>],
    lookup: &Lookup<'_>,
    fill: fn(&Lookup<'_>, &str, Option<usize>, &mut Mapped, u32),
) -> Option<Recipe> {
    let mut text = Mapped::default();
    let mut tolerated = false;
    for (index, line) in raw.iter().enumerate() {
        // One prefix character of a continuation line is make's.
        let mut start = usize::from(line.text.starts_with(['\t', '>']));
        if index == 0 {
            let trimmed = line.text[start..].trim_start_matches([' ', '\t', '@', '-', '+', '>']);
            let head = line.text.len() - trimmed.len();
            tolerated = line.text[..head].contains('-');
            start = head;
        } else {
            text.push("\n", Span::new(line.start.saturating_sub(1), 0).start);
        }
        fill(lookup, &line.text[start..], Some(line.start + start), &mut text, 0);
    }
    (!text.text.trim().is_empty()).then_some(Recipe { text, tolerated })
}

/// Puts `text` into `out`: as the file's own when `at` is its offset there.
fn put(out: &mut Mapped, text: &str, at: Option<usize>, source: Span) {
    match at {
        Some(at) => out.push(text, Span::new(at, at).start),
        None => out.push_for(text, source),
    }
}

fn fill_make(lookup: &Lookup<'_>, text: &str, at: Option<usize>, out: &mut Mapped, depth: u32) {
    expand_make(lookup, text, at, Span::default(), out, depth);
}

fn expand_make(lookup: &Lookup<'_>, text: &str, at: Option<usize>, source: Span, out: &mut Mapped, depth: u32) {
    let mut from = 0;
    while let Some(found) = text[from..].find('$') {
        let dollar = from + found;
        put(out, &text[from..dollar], at.map(|at| at + from), source);
        let rest = &text[dollar + 1..];
        let width = rest.chars().next().map_or(0, char::len_utf8);
        let length = match rest.as_bytes().first() {
            Some(b'(') => closing(rest, b'(', b')'),
            Some(b'{') => closing(rest, b'{', b'}'),
            _ => width,
        };
        let here = at.map_or(source, |at| Span::new(at + dollar, at + dollar + 1 + length));
        let reference = &rest[..length];
        from = dollar + 1 + length;
        let name = reference.trim_start_matches(['(', '{']).trim_end_matches([')', '}']);
        match reference {
            "$" => out.push_for("$", here),
            "" => put(out, "$", at.map(|at| at + dollar), source),
            "@" => out.push_for(&lookup.target.name, here),
            "<" => match lookup.target.prerequisites.first() {
                Some(first) => out.push_for(first, here),
                None => out.push_hole(here),
            },
            _ if functions::is_function(name) => {
                functions::work_out(lookup, reference, here, out, depth);
            }
            _ => match lookup.get(name).filter(|_| depth < MAX_DEPTH && out.text.len() < MAX_LINE) {
                // The shell's own notation keeps the name, for conditions on it.
                Some(value) if lookup.overridable(name) && is_plain(value) => {
                    out.push_for(&format!("${{{name}:-{value}}}"), here);
                }
                Some(value) => expand_make(lookup, value, None, here, out, depth + 1),
                None if is_name(name) && !lookup.index.contains_key(name) => {
                    out.push_for(&format!("${{{name}}}"), here);
                }
                None => out.push_hole(here),
            },
        }
    }
    put(out, &text[from..], at.map(|at| at + from), source);
}

/// The length of a bracketed part, brackets included.
fn closing(text: &str, open: u8, close: u8) -> usize {
    let mut depth = 0_u32;
    for (at, byte) in text.bytes().enumerate() {
        if byte == open {
            depth += 1;
        } else if byte == close {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    text.len()
}

fn fill_just(lookup: &Lookup<'_>, text: &str, at: Option<usize>, out: &mut Mapped, _depth: u32) {
    let mut from = 0;
    while let Some(found) = text[from..].find("{{") {
        let open = from + found;
        put(out, &text[from..open], at.map(|at| at + from), Span::default());
        let Some(length) = text[open..].find("}}") else {
            from = open;
            break;
        };
        let here = at.map_or(Span::default(), |at| Span::new(at + open, at + open + length + 2));
        match lookup.get(text[open + 2..open + length].trim()) {
            Some(value) if !value.contains("{{") => out.push_for(value, here),
            _ => out.push_hole(here),
        }
        from = open + length + 2;
    }
    put(out, &text[from..], at.map(|at| at + from), Span::default());
}

#[cfg(test)]
mod tests;
