//! Commands of files that are wholly theirs: scripts, makefiles, Dockerfiles.

use super::read::{self, Frame};
use super::resolve::Variables;
use super::{Command, Guard, Site, next_scope};
use crate::syntax::groovy;
use crate::syntax::make::{self, Makefile};
use crate::syntax::unit;
use crate::text::{FileId, HOLE, Loc, Mapped, Span};
use crate::value::Value;

/// Variables of a makefile in one another are followed so deep.
const MAX_EXPANSIONS: u32 = 8;
/// A value longer than this is not followed.
const MAX_VALUE: usize = 4096;

/// The commands of a shell script.
#[must_use]
pub fn of_script(file: FileId, text: &str) -> Vec<Command> {
    let mut out = Vec::new();
    super::commands(&Mapped::verbatim(text, 0), file, &Site::Script, &Variables::default(), &mut out);
    out
}

/// The commands of a makefile; one scope a target.
#[must_use]
pub fn of_makefile(file: FileId, text: &str) -> Vec<Command> {
    recipes(file, &make::parse(text))
}

/// The commands of a justfile; one scope a recipe.
#[must_use]
pub fn of_justfile(file: FileId, text: &str) -> Vec<Command> {
    recipes(file, &make::parse_just(text))
}

/// The commands of the shell steps of a Jenkins pipeline; what follows an `input` step has been asked for.
#[must_use]
pub fn of_jenkinsfile(file: FileId, text: &str) -> Vec<Command> {
    let mut out = Vec::new();
    let pipeline = groovy::parse(text);
    let mut env = Variables::default();
    for (name, value) in pipeline.variables.iter().filter(|(_, value)| value.text.len() <= MAX_VALUE) {
        let loc = Loc { file, span: value.span(Span::new(0, value.text.len())) };
        let known = Value::known(&*value.text);
        super::of_environment(name, &known, loc, &Site::Ci { job: "".into() }, &mut out);
        if !value.text.contains(['$', HOLE]) {
            env.set(name, known.at(loc));
        }
    }
    for step in pipeline.steps {
        let site = Site::Ci { job: step.stage };
        let guard = if step.asked { Guard::Confirmed } else { Guard::None };
        if step.windows {
            let first = out.len();
            super::powershell(&step.script, file, &site, &mut out);
            out[first..].iter_mut().for_each(|command| command.guard = command.guard.max(guard));
            continue;
        }
        let frame = Frame { scope: next_scope(&out, file), guard, ..Frame::default() };
        read::read(&step.script, file, &site, &env, &frame, &mut out);
    }
    out
}

fn recipes(file: FileId, makefile: &Makefile) -> Vec<Command> {
    let mut out = Vec::new();
    let mut env = Variables::default();
    for variable in &makefile.variables {
        let [one] = variable.values.as_slice() else { continue };
        if let Some(value) = expanded(one, makefile, 0).filter(|value| value.len() <= MAX_VALUE) {
            env.set(&variable.name, Value::known(&*value));
            if let Some(span) = variable.exported {
                let site = Site::Recipe { target: "".into() };
                super::of_environment(&variable.name, &Value::known(&*value), Loc { file, span }, &site, &mut out);
            }
            if variable.overridable {
                env.set_default(&variable.name, &value);
            }
        }
    }
    for target in &makefile.targets {
        let site = Site::Recipe { target: target.name.clone() };
        let scope = next_scope(&out, file);
        let asks = target.confirmed || target.prerequisites.iter().any(|it| it.contains("confirm"));
        let mut guard = if asks { Guard::Confirmed } else { Guard::None };
        for recipe in &target.recipe {
            let frame = Frame { scope, guard, tolerated: recipe.tolerated, ..Frame::default() };
            guard = guard.max(read::read(&recipe.text, file, &site, &env, &frame, &mut out));
        }
    }
    out
}

/// A value of a makefile with the variables in it put in; none when one has no single value that is written down.
fn expanded(value: &str, makefile: &Makefile, depth: u32) -> Option<String> {
    if depth > MAX_EXPANSIONS || value.len() > MAX_VALUE {
        return None;
    }
    let Some((before, rest)) = value.split_once('$') else {
        return (!value.contains('{')).then(|| value.to_owned());
    };
    let close = match rest.as_bytes().first()? {
        b'(' => ')',
        b'{' => '}',
        _ => return None,
    };
    let (name, after) = rest.get(1..)?.split_once(close)?;
    let variable = makefile.variables.iter().find(|variable| &*variable.name == name)?;
    let [one] = variable.values.as_slice() else { return None };
    let inner = expanded(one, makefile, depth + 1)?;
    Some(format!("{before}{inner}{}", expanded(after, makefile, depth + 1)?))
}

/// The commands of a systemd unit (`ExecStart=` and its kin).
#[must_use]
pub fn of_unit(file: FileId, text: &Mapped) -> Vec<Command> {
    let mut out = Vec::new();
    for entry in unit::entries(&text.text).iter().filter(|entry| unit::runs(entry.key)) {
        let command = text.part(unit::command(&text.text, entry.value).range());
        super::commands(&command, file, &Site::Unit, &Variables::default(), &mut out);
    }
    out
}

/// The commands of a crontab; `user`: its lines name a user before the command (`/etc/cron.d`).
#[must_use]
pub fn of_crontab(file: FileId, text: &Mapped, user: bool) -> Vec<Command> {
    let mut out = Vec::new();
    let mut at = 0;
    for line in text.text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let entry = line.trim_start();
        if !entry.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '*' | '@' | HOLE)) {
            continue;
        }
        let fields = if entry.starts_with('@') { 1 } else { 5 } + usize::from(user);
        let mut rest = entry;
        for _ in 0..fields {
            rest = rest.split_once([' ', '\t']).map_or("", |(_, rest)| rest.trim_start());
        }
        let command = text.part(start + line.len() - rest.len()..at);
        super::commands(&command, file, &Site::Cron, &Variables::default(), &mut out);
    }
    out
}

/// The commands of a Dockerfile: `RUN`, `CMD` and `ENTRYPOINT` in both forms, one scope a stage.
#[must_use]
pub fn of_dockerfile(file: FileId, text: &str) -> Vec<Command> {
    let mut out: Vec<Command> = Vec::new();
    let mut env = Variables::default();
    let mut scope = 0;
    let mut at = 0;
    let mut entry: Vec<(Value, Span)> = Vec::new();
    while at < text.len() {
        let (instruction, end) = instruction(text, at);
        let span = Span::new(at, end);
        at = end;
        let body = span.slice(text);
        let start = body.len() - body.trim_start().len();
        let word = instruction.to_ascii_uppercase();
        let rest_at = span.start as usize + start + instruction.len();
        let rest = text.get(rest_at..end).unwrap_or("");
        match &*word {
            "FROM" => {
                scope += 1;
                entry.clear();
            }
            "ARG" | "ENV" => {
                if let Some((name, value)) = rest.trim().split_once(['=', ' ', '\t']) {
                    let (name, value) = (name.trim(), Value::known(value.trim().trim_matches('"')));
                    super::of_environment(name, &value, Loc { file, span }, &Site::Dockerfile, &mut out);
                    env.set(name, value);
                }
            }
            "ENTRYPOINT" if in_words(rest, rest_at).is_some() => {
                entry = in_words(rest, rest_at).unwrap_or_default();
                read::argv(entry.clone(), file, &Site::Dockerfile, &Frame { scope, ..Frame::default() }, &mut out);
            }
            // What the entry point is given.
            "CMD" if !entry.is_empty() && in_words(rest, rest_at).is_some() => {
                let given = in_words(rest, rest_at).unwrap_or_default();
                let words = entry.iter().cloned().chain(given).collect();
                read::argv(words, file, &Site::Dockerfile, &Frame { scope, ..Frame::default() }, &mut out);
            }
            "RUN" | "CMD" | "ENTRYPOINT" | "HEALTHCHECK" => {
                let frame = Frame { scope, ..Frame::default() };
                instruction_commands(file, rest, rest_at, &env, &frame, &mut out);
            }
            _ => {}
        }
    }
    out
}

/// The instruction that begins at `at` and where it ends, continuation lines and here-documents included.
pub(super) fn instruction(text: &str, at: usize) -> (&str, usize) {
    let mut end = at;
    let mut heredoc: Option<&str> = None;
    let rest = text.get(at..).unwrap_or("");
    for line in rest.split_inclusive('\n') {
        end += line.len();
        let trimmed = line.trim();
        if let Some(close) = heredoc {
            if trimmed == close {
                break;
            }
            continue;
        }
        // A heredoc of BuildKit: `RUN <<EOF`.
        if let Some((_, after)) = line
            .split_once("<<")
            .filter(|_| line.trim_start().get(..3).is_some_and(|it| it.eq_ignore_ascii_case("RUN")))
        {
            let name = after.trim_start_matches('-').split_whitespace().next().unwrap_or("").trim_matches(['"', '\'']);
            if !name.is_empty() && !name.starts_with('<') {
                heredoc = Some(name);
                continue;
            }
        }
        let comment = trimmed.starts_with('#') && end - line.len() != at;
        if !trimmed.ends_with('\\') && !comment {
            break;
        }
    }
    let word = rest.trim_start().split([' ', '\t', '\n', '\r']).next().unwrap_or("");
    (word, end.max(at + 1))
}

/// `["a", "b"]`: the words, each said to stand where all stand.
fn in_words(rest: &str, at: usize) -> Option<Vec<(Value, Span)>> {
    let body = rest.trim();
    let words: Vec<String> = body.starts_with('[').then(|| serde_json::from_str(body).ok())??;
    let start = at + rest.len() - rest.trim_start().len();
    let span = Span::new(start, start + body.len());
    Some(words.into_iter().map(|word| (Value::known(&*word), span)).collect())
}

fn instruction_commands(file: FileId, rest: &str, at: usize, env: &Variables, frame: &Frame, out: &mut Vec<Command>) {
    let mut body = rest.trim_start();
    // `--mount=…` and its kin belong to the builder.
    while let Some(flag) = body.strip_prefix("--") {
        body = flag
            .split_once([' ', '\n'])
            .map_or("", |(_, after)| after)
            .trim_start()
            .trim_start_matches('\\')
            .trim_start();
    }
    let start = at + rest.len() - body.len();
    if let Some(words) = in_words(body, start) {
        read::argv(words, file, &Site::Dockerfile, frame, out);
        return;
    }
    let mut text = Mapped::default();
    if let Some((_, script)) = body.split_once('\n').filter(|(head, _)| head.trim_start().starts_with("<<")) {
        let script = script.trim_end();
        let script = script.rsplit_once('\n').map_or("", |(script, _)| script);
        let offset = body.find(script).unwrap_or(0);
        text.push(script, Span::new(start + offset, 0).start);
    } else {
        // Comment lines between continued lines are the builder's, not the shell's.
        let mut offset = start;
        for line in body.split_inclusive('\n') {
            if !line.trim_start().starts_with('#') {
                text.push(line, Span::new(offset, 0).start);
            }
            offset += line.len();
        }
    }
    read::read(&text, file, &Site::Dockerfile, env, frame, out);
}
