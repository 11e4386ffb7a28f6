//! Words of one call to a command: subcommands, flags and operands by its program's grammar.

use super::{Frame, Reader, program};
use crate::knowledge::commands as known;
use crate::model::command::resolve::Arg;
use crate::model::command::{Command, Flag, text_of, wrapper};
use crate::syntax::shell::WordPiece;
use crate::text::{HOLE, Loc};
use crate::value::{Kind, Piece, Value};

impl Reader<'_> {
    /// Adds a command.
    pub(super) fn emit(&mut self, args: Vec<Arg>, frame: &Frame) {
        let Some(name) = program(&args) else { return };
        let whole = frame.call.unwrap_or_else(|| wrapper::span(&args));
        let index = self.out.iter().rev().take_while(|it| it.scope == frame.scope && it.loc.file == self.file).next();
        let index = index.map_or(0, |last| last.index + 1);
        let mut command = Command {
            loc: Loc { file: self.file, span: self.text.span(whole) },
            sub: Vec::new(),
            flags: Vec::new(),
            operands: Vec::new(),
            redirects: frame.redirects.clone(),
            site: self.site.clone(),
            text: shown(&args, &name, &frame.redirects),
            through: frame.through.clone(),
            guard: frame.guard,
            joined: frame.joined,
            conditions: frame.conditions.clone(),
            function: frame.function.clone(),
            tolerated: frame.tolerated,
            scope: frame.scope,
            index,
            in_test: frame.in_test,
            in_substitution: frame.in_substitution,
            piped_into: frame.piped_into.clone(),
            env: frame.env.clone(),
            folder: frame.folder.clone(),
            defaults: frame.defaults.clone(),
            rows: Vec::new(),
            program: name.into(),
        };
        self.words(&mut command, args.into_iter().skip(1));
        command.classify();
        self.out.push(command);
    }

    /// Sorts words into subcommands, flags and operands.
    fn words(&self, command: &mut Command, args: impl Iterator<Item = Arg>) {
        let grammar = known::grammar(&command.program);
        let mut args = args.peekable();
        let (mut plain, mut path_ended) = (false, grammar.is_none());
        while let Some(arg) = args.next() {
            let text = arg.text();
            let dashed = text.len() > 1 && text.starts_with('-') && !text.starts_with("-\u{F8FF}") && !plain;
            if text == "--" && !plain {
                plain = true;
                continue;
            }
            if !dashed {
                let goes_on =
                    !path_ended && grammar.is_some_and(|it| it.goes_on(&command.sub)) && arg.value.as_str().is_some();
                if goes_on {
                    command.sub.push(text.into());
                } else {
                    path_ended = true;
                    if !(is_terraform(&command.program) && holds_flags(&arg)) {
                        command.operands.push(arg.value);
                    }
                }
                continue;
            }
            let span = self.text.span(arg.span);
            let attached = grammar.and_then(|it| it.attached(&text)).filter(|(_, value)| !value.starts_with('='));
            let (name, value) = if let Some((name, value)) = attached {
                (name, Some(after(&arg.value, name, value)))
            } else if let Some(at) = text.find('=') {
                (&text[..at], Some(after(&arg.value, &text[..=at], &text[at + 1..])))
            } else {
                let plain_value = grammar.is_some_and(|it| it.plain_values);
                let takes = plain_value || grammar.is_some_and(|it| it.takes_value(&text));
                let next = args.next_if(|next| {
                    let lone = plain_value || !text.starts_with("--");
                    takes && !(lone && next.text().starts_with('-'))
                });
                (&*text, next.map(|next| next.value))
            };
            let value = value.unwrap_or_else(|| Value::known(true));
            command.flags.push(Flag { name: name.into(), value, span });
        }
    }
}

fn is_terraform(program: &str) -> bool {
    matches!(program, "terraform" | "tofu" | "terragrunt")
}

/// Whether a word that is not known stands for flags, by what its variable is called: `$TF_ARGS`, `"$@"`.
fn holds_flags(arg: &Arg) -> bool {
    const NAMES: [&str; 9] = ["arg", "opt", "flag", "param", "extra", "target", "var_file", "varfile", "tfvars"];
    let Kind::Unknown(_) = arg.value.kind else { return false };
    let Some([WordPiece::Var { name, all, .. }]) = arg.word.as_ref().map(|word| word.pieces.as_slice()) else {
        return false;
    };
    let lower = name.to_ascii_lowercase();
    matches!(&*lower, "@" | "*") || *all || lower == "vars" || NAMES.iter().any(|part| lower.contains(part))
}

/// The value of `-flag=value` or `-fvalue`: what stands after `start`, which is `text`.
pub(in crate::model::command) fn after(value: &Value, start: &str, text: &str) -> Value {
    let mut rest = match &value.kind {
        Kind::Text(pieces) => {
            let mut pieces = pieces.to_vec();
            if let Some(Piece::Lit(first)) = pieces.first_mut() {
                *first = first.strip_prefix(start).unwrap_or("").into();
            }
            Value::text(pieces)
        }
        _ => Value::known(text),
    };
    rest.origin = value.origin;
    rest
}

/// A command line for people; of what only writes, where to.
fn shown(args: &[Arg], name: &str, redirects: &[(Box<str>, Value)]) -> String {
    let mut out = String::new();
    let written = redirects.iter().filter(|(op, _)| matches!(name, "cat" | "echo" | "printf") && op.starts_with('>'));
    let written = written.map(|(op, target)| format!("{op} {}", text_of(target)));
    for (at, text) in args.iter().map(Arg::text).chain(written).enumerate() {
        if !out.is_empty() {
            out.push(' ');
        }
        // One of several programs is called by the name of the first.
        let one = at == 0 && matches!(args[0].value.kind, Kind::OneOf(_));
        let text = if one { name.to_owned() } else { text.replace(HOLE, "…") };
        out.push_str(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        if out.len() > 640 {
            break;
        }
    }
    if out.chars().count() > 160 {
        out = out.chars().take(159).chain(['…']).collect();
    }
    out
}
