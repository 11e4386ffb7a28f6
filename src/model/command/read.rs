//! Shell text to commands: words resolved, wrappers taken off, calls of functions followed.

use super::guard::{self, Guards};
use super::input::{self, Input};
use super::resolve::{Arg, Variables};
use super::wrapper::{self, Inner};
use super::{Command, Guard, Site, text_of};
use crate::knowledge::commands as known;
use crate::syntax::shell::{self, Around, Joined, Script, Simple, Word, WordPiece};
use crate::text::{FileId, HOLE, Loc, Mapped, Span};
use crate::value::{Kind, Value};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

mod emit;
mod failure;
pub(super) use emit::after;

/// Wrappers in wrappers and calls in calls are followed so deep.
const MAX_DEPTH: u32 = 8;
/// Where a text is one of several, each is read, but not several in several.
const MAX_LINES_DEPTH: u32 = 3;
/// So many calls of a script's own functions are followed.
const MAX_CALLS: u32 = 400;
/// A text has no more commands than this.
const MAX_COMMANDS: usize = 20_000;
/// How far a chain of commands is followed for `|| true` and pipes.
const MAX_CHAIN: usize = 40;

/// What holds for all commands of a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Frame {
    pub(super) scope: u32,
    pub(super) through: Vec<Box<str>>,
    pub(super) guard: Guard,
    pub(super) joined: Joined,
    pub(super) conditions: Vec<Arc<str>>,
    pub(super) function: Option<Arc<str>>,
    pub(super) tolerated: bool,
    pub(super) in_test: bool,
    pub(super) in_substitution: bool,
    pub(super) piped_into: Option<Box<str>>,
    pub(super) env: Vec<(Box<str>, Value)>,
    pub(super) folder: Option<Value>,
    pub(super) defaults: Vec<(Box<str>, Box<str>)>,
    pub(super) redirects: Vec<(Box<str>, Value)>,
    pub(super) input: Option<Input>,
    /// Where the call stands that everything here comes from.
    pub(super) call: Option<Span>,
    pub(super) depth: u32,
}

struct Reader<'a> {
    text: &'a Mapped,
    file: FileId,
    site: &'a Site,
    script: &'a Script,
    guards: &'a Guards,
    names: &'a Names<'a>,
    calls: u32,
    out: &'a mut Vec<Command>,
}

/// What a script names itself.
#[derive(Default)]
struct Names<'a> {
    functions: HashSet<&'a str>,
    /// Aliases and their texts.
    aliases: HashMap<String, String>,
}

impl<'a> Names<'a> {
    fn of(script: &'a Script, variables: &Variables, text: &Mapped, file: FileId) -> Self {
        let functions = script.functions.iter().map(|function| &*function.name).collect();
        let mut aliases = HashMap::new();
        for command in &script.commands {
            if command.words.first().and_then(Word::literal).is_some_and(|word| word == "alias") {
                for word in command.words.iter().skip(1) {
                    let whole = text_of(&variables.one(word, text, file));
                    if let Some((name, value)) = whole.split_once('=') {
                        aliases.insert(name.to_owned(), value.to_owned());
                    }
                }
            }
        }
        Self { functions, aliases }
    }
}

/// Reads shell text; returns the strongest condition on which it leaves early.
pub(super) fn read(
    text: &Mapped,
    file: FileId,
    site: &Site,
    env: &Variables,
    frame: &Frame,
    out: &mut Vec<Command>,
) -> Guard {
    let script = shell::parse(&text.text);
    let guards = Guards::of(&script, &text.text);
    let mut variables = env.clone();
    variables.learn(&script, text, file);
    let names = Names::of(&script, &variables, text, file);
    let mut reader = Reader { text, file, site, script: &script, guards: &guards, names: &names, calls: 0, out };
    reader.assignments(&variables, frame);
    for (index, command) in script.commands.iter().enumerate() {
        if reader.out.len() >= MAX_COMMANDS {
            break;
        }
        reader.simple(index, command, &variables, frame);
    }
    guards.left()
}

/// Reads a command given as words.
pub(super) fn argv(words: Vec<(Value, Span)>, file: FileId, site: &Site, frame: &Frame, out: &mut Vec<Command>) {
    let mut text = Mapped::default();
    let mut args = Vec::new();
    for (value, span) in words {
        let at = text.text.len();
        text.push_for(" ", span);
        args.push(Arg { value, span: Span::new(at, at + 1), word: None });
    }
    let (script, guards, names) = (Script::default(), Guards::default(), Names::default());
    let mut reader = Reader { text: &text, file, site, script: &script, guards: &guards, names: &names, calls: 0, out };
    reader.dispatch(args, &Variables::default(), frame);
}

/// Reads `TF_CLI_ARGS…=value`; other variables are no commands.
pub(super) fn environment(name: &str, value: &Value, loc: Loc, site: &Site, frame: &Frame, out: &mut Vec<Command>) {
    if !name.starts_with("TF_CLI_ARGS") {
        return;
    }
    let mut text = Mapped::default();
    text.push_for(" ", loc.span);
    let (script, guards, names) = (Script::default(), Guards::default(), Names::default());
    let mut reader =
        Reader { text: &text, file: loc.file, site, script: &script, guards: &guards, names: &names, calls: 0, out };
    reader.export(name, value, Span::new(0, 1), frame);
}

/// Whether the environment that is set around a program says what it does.
fn reads_environment(program: &str) -> bool {
    matches!(base(program), "terraform" | "tofu" | "terragrunt") || base(program).starts_with("ansible")
}

fn function_of(around: &[Around]) -> Option<&str> {
    around.iter().rev().find_map(|it| match it {
        Around::Function(name) => Some(&**name),
        _ => None,
    })
}

fn positional(word: &Word) -> bool {
    word.pieces.iter().any(|piece| match piece {
        WordPiece::Var { name, .. } => matches!(&**name, "@" | "*") || name.starts_with(|c: char| c.is_ascii_digit()),
        _ => false,
    })
}

impl Reader<'_> {
    /// What the script sets for every later run of Terraform.
    fn assignments(&mut self, variables: &Variables, frame: &Frame) {
        let script = self.script;
        for assignment in script.assignments.iter().filter(|it| it.name.starts_with("TF_CLI_ARGS")) {
            if let Some(word) = assignment.values.first() {
                let value = variables.one(word, self.text, self.file);
                self.export(&assignment.name, &value, assignment.span, frame);
            }
        }
    }

    fn export(&mut self, name: &str, value: &Value, span: Span, frame: &Frame) {
        let mut args = vec![Arg::made("export", span), Arg::made(name, span)];
        args.extend(text_of(value).split_whitespace().map(|word| Arg::made(word, span)));
        self.emit(args, frame);
    }

    fn simple(&mut self, index: usize, command: &Simple, variables: &Variables, frame: &Frame) {
        let args: Vec<Arg> = command.words.iter().flat_map(|word| variables.word(word, self.text, self.file)).collect();
        let inner = self.frame(index, command, variables, frame);
        for (name, value) in &inner.env {
            if name.starts_with("TF_CLI_ARGS") {
                self.export(name, value, command.span, frame);
            }
        }
        self.dispatch(args, variables, &inner);
    }

    /// What holds for one command of the script.
    fn frame(&self, index: usize, command: &Simple, variables: &Variables, outer: &Frame) -> Frame {
        let redirects = command
            .redirects
            .iter()
            .map(|redirect| (redirect.op.clone(), variables.one(&redirect.target, self.text, self.file)));
        let env = command.env.iter().map(|assignment| {
            let value = assignment.values.first().map(|word| variables.one(word, self.text, self.file));
            (assignment.name.clone(), value.unwrap_or_else(|| Value::known("")))
        });
        let source = input::Source { script: self.script, text: self.text, file: self.file, variables };
        let (input, piped) = source.input(index);
        let conditions = command.around.iter().filter_map(|it| match it {
            Around::Condition { text, negated: false } => Some(text.clone()),
            Around::Condition { text, negated: true } => Some(Arc::from(format!("not {text}"))),
            _ => None,
        });
        let around = |wanted: fn(&Around) -> bool| command.around.iter().any(wanted);
        Frame {
            guard: outer.guard.max(self.guards.at(self.script, index, &self.text.text)),
            joined: if command.joined == Joined::Then { outer.joined } else { command.joined },
            conditions: outer.conditions.iter().cloned().chain(conditions).take(MAX_CHAIN).collect(),
            function: guard::function(&command.around).or_else(|| outer.function.clone()),
            tolerated: outer.tolerated || self.tolerated(index),
            in_test: outer.in_test || around(|it| matches!(it, Around::Test)),
            in_substitution: outer.in_substitution || around(|it| matches!(it, Around::Substitution)),
            piped_into: self.piped_into(index).or_else(|| outer.piped_into.clone()),
            env: outer.env.iter().cloned().chain(env).collect(),
            redirects: outer
                .redirects
                .iter()
                .cloned()
                .chain(redirects)
                .chain(piped)
                .chain(self.teed(index, variables))
                .collect(),
            input: input.or_else(|| outer.input.clone()),
            ..outer.clone()
        }
    }

    /// The command that is joined to the one at `index` in the same structure.
    fn next(&self, index: usize) -> Option<(usize, &Simple)> {
        let this = self.script.commands.get(index)?;
        let after = self.script.commands.iter().enumerate().skip(index + 1).take(MAX_CHAIN);
        after.into_iter().find(|(_, it)| it.span.start >= this.span.end && it.around.len() <= this.around.len())
    }

    fn piped_into(&self, index: usize) -> Option<Box<str>> {
        let this = self.script.commands.get(index)?;
        if this.followed != Joined::Pipe {
            return None;
        }
        // The reader may stand in a loop (`| while read x`).
        let after = self.script.commands.iter().skip(index + 1).take(MAX_CHAIN);
        let next = after.into_iter().find(|it| it.span.start >= this.span.end)?;
        Some(input::program(next)?.0.into())
    }

    /// The file that a `tee` behind a command of Terraform writes.
    fn teed(&self, index: usize, variables: &Variables) -> Option<(Box<str>, Value)> {
        let this = self.script.commands.get(index).filter(|it| it.followed == Joined::Pipe)?;
        let (_, next) = self.next(index).filter(|_| !this.words.is_empty())?;
        let (name, words) = input::program(next)?;
        let file = words.iter().find(|word| word.literal().is_none_or(|text| !text.starts_with('-')))?;
        let terraform = this.words.first().and_then(Word::literal).is_none_or(|name| reads_environment(&name));
        (name == "tee" && terraform).then(|| ("|>".into(), variables.one(file, self.text, self.file)))
    }

    /// Takes wrappers off and follows functions until a command is left.
    fn dispatch(&mut self, mut args: Vec<Arg>, variables: &Variables, frame: &Frame) {
        args.retain(|arg| arg.value.as_str() != Some("") || arg.word.as_ref().is_some_and(|word| word.quoted));
        if let Some(lines) = lines(&args, frame.depth) {
            let deeper = Frame { depth: frame.depth + 1, ..frame.clone() };
            for line in lines {
                let rest = args.iter().skip(1).cloned();
                self.dispatch(line.into_iter().chain(rest).collect(), variables, &deeper);
            }
            return;
        }
        let Some(program) = program(&args) else {
            // `$RUN rm file`: a prefix that may be anything, before a program that is known.
            let second = args.get(1).map(Arg::text).unwrap_or_default();
            let known = known::is_known(base(&second)) || matches!(base(&second), "sudo" | "docker" | "ssh");
            if known && frame.depth < MAX_DEPTH {
                args.remove(0);
                self.dispatch(args, variables, &Frame { depth: frame.depth + 1, ..frame.clone() });
            }
            return;
        };
        if frame.depth >= MAX_DEPTH {
            self.emit(args, frame);
            return;
        }
        let mut deeper = Frame { depth: frame.depth + 1, ..frame.clone() };
        deeper.env.extend(wrapper::environment(&program, &args));
        if self.names.functions.contains(&*program) {
            self.call(&program, &args, variables, &deeper);
            return;
        }
        if let Some(words) = self.alias(&program, &args) {
            self.dispatch(words, variables, &deeper);
            return;
        }
        self.unwrap(&program, args, variables, frame, deeper);
    }

    /// Takes one wrapper off; what is none is a command.
    fn unwrap(&mut self, program: &str, args: Vec<Arg>, variables: &Variables, frame: &Frame, deeper: Frame) {
        match wrapper::inner(program, &args) {
            Inner::No if reads_environment(program) => {
                let env = variables.of_tools().filter(|(name, _)| frame.env.iter().all(|(own, _)| **own != **name));
                let env = env.map(|(name, value)| (name.into(), value.clone()));
                let env = frame.env.iter().cloned().chain(env).collect();
                self.emit(args, &Frame { env, defaults: variables.defaults().to_vec(), ..frame.clone() });
            }
            Inner::No => {
                self.here_script(program, &args, variables, &deeper);
                self.emit(args, frame);
            }
            Inner::Argv { args: mut inner, through, outer } => {
                if let (true, Some(Input::Names(names)), Some(last)) = (program == "xargs", &frame.input, args.last()) {
                    let span = last.span;
                    inner.extend(names.iter().map(|value| Arg { value: value.clone(), span, word: None }));
                }
                if outer {
                    self.emit(args.clone(), frame);
                }
                self.dispatch(inner, variables, &within(deeper, through));
            }
            Inner::Text { args: inner, through, outer, visible, given } => {
                if outer {
                    self.emit(args.clone(), frame);
                }
                let mut none = Variables::default();
                let mut own = variables.clone();
                let env = if visible { &mut own } else { &mut none };
                if !given.is_empty() {
                    bind(env, &given, 0);
                }
                self.text(&inner, variables, env, &within(deeper, through));
            }
        }
    }

    /// Reads shell text that is given as words.
    fn text(&mut self, args: &[Arg], variables: &Variables, env: &Variables, frame: &Frame) {
        if let [Arg { value: Value { kind: Kind::OneOf(values), .. }, span, .. }] = args
            && frame.depth <= MAX_LINES_DEPTH
        {
            for line in values.iter().filter_map(crate::value::Data::scalar) {
                let mut text = Mapped::default();
                text.push_for(&line, self.text.span(*span));
                read(&text, self.file, self.site, env, frame, self.out);
            }
            return;
        }
        let source = input::Source { script: self.script, text: self.text, file: self.file, variables };
        let whole = match args {
            [Arg { word: Some(word), .. }] => source.substituted(word),
            _ => None,
        };
        let text = whole.unwrap_or_else(|| variables.nested(args, self.text));
        if text.text.trim().is_empty() {
            return;
        }
        let frame = Frame { call: frame.call.map(|call| self.text.span(call)), ..frame.clone() };
        read(&text, self.file, self.site, env, &frame, self.out);
    }

    /// `bash <<EOF`, `echo … | sh`: what comes in is a script; for `crontab -` it is a table.
    fn here_script(&mut self, program: &str, args: &[Arg], variables: &Variables, frame: &Frame) {
        let words: Vec<String> = args.iter().skip(1).map(Arg::text).collect();
        if let Some(text) = self.written_here(program, args) {
            let inner = Frame { redirects: Vec::new(), input: None, ..frame.clone() };
            read(&text, self.file, self.site, &Variables::default(), &inner, self.out);
            return;
        }
        let Some(Input::Text(text)) = &frame.input else { return };
        if program == "crontab" {
            for mut command in super::of_crontab(self.file, text, false) {
                command.scope = frame.scope;
                self.out.push(command);
            }
            return;
        }
        // A shell that is given a script reads no other.
        let reads = match program {
            "bash" | "sh" | "zsh" | "dash" | "ksh" => {
                words.iter().any(|word| word == "-s") || words.iter().all(|word| word.starts_with(['-', '+']))
            }
            "ssh" | "su" => true,
            _ => false,
        };
        if !reads {
            return;
        }
        let call = frame.call.map(|call| self.text.span(call));
        let frame = Frame { redirects: Vec::new(), input: None, call, ..frame.clone() };
        let none = Variables::default();
        let env = if program == "ssh" { &none } else { variables };
        read(text, self.file, self.site, env, &within(frame, Some(program.to_owned())), self.out);
    }

    /// The text of a script that the text wrote to a file before, where that file is what runs (`sh x.sh`, `./x.sh`).
    fn written_here(&self, program: &str, args: &[Arg]) -> Option<Mapped> {
        let shell = matches!(program, "bash" | "sh" | "zsh" | "dash" | "ksh" | "source" | ".");
        let path = if shell {
            args.iter().skip(1).map(Arg::text).find(|word| !word.starts_with('-'))?
        } else {
            args.first()?.text()
        };
        let name = path.trim_start_matches("./");
        if !(name.contains('.') || path.contains('/')) || args.first().is_some_and(|first| first.word.is_none()) {
            return None;
        }
        let (start, none) = (args.first()?.span.start, Variables::default());
        let source = input::Source { script: self.script, text: self.text, file: self.file, variables: &none };
        source.written(name, start)
    }

    /// `alias tf='terraform -chdir=x'`.
    fn alias(&self, program: &str, args: &[Arg]) -> Option<Vec<Arg>> {
        let value = self.names.aliases.get(program)?;
        let first = args.first()?;
        let mut out: Vec<Arg> = value.split_whitespace().map(|word| Arg::made(word, first.span)).collect();
        let same = out.first().is_some_and(|first| first.text() == program);
        out.extend(args.iter().skip(1).cloned());
        (!same).then_some(out)
    }

    /// A call of a function of the script: its commands that pass arguments on, with those of the call.
    fn call(&mut self, name: &str, args: &[Arg], variables: &Variables, frame: &Frame) {
        self.calls += 1;
        if self.calls > MAX_CALLS {
            return;
        }
        let script = self.script;
        let body: Vec<(usize, &Simple)> = script
            .commands
            .iter()
            .enumerate()
            .filter(|(_, command)| function_of(&command.around) == Some(name))
            .collect();
        let span = frame.call.unwrap_or_else(|| wrapper::span(args));
        let mut inside = variables.clone();
        bind(&mut inside, args, 0);
        self.locals(name, &mut inside);
        let mut shifted = 0;
        for (index, command) in body {
            let first = command.words.first();
            let program = first.and_then(Word::literal).unwrap_or_default();
            if program == "shift" {
                shifted += command.words.get(1).and_then(Word::literal).and_then(|n| n.parse().ok()).unwrap_or(1_usize);
                bind(&mut inside, args, shifted);
                continue;
            }
            if matches!(&*program, "echo" | "printf" | "log" | "local" | "set" | "info" | "warn") {
                continue;
            }
            let passes = command.words.iter().any(positional)
                || command.words.iter().any(|word| self.passed(name, word))
                || first.is_some_and(|word| {
                    program.is_empty() && !word.pieces.is_empty() && !self.is_known(word, variables)
                });
            if passes {
                let inner = Frame { call: Some(span), ..self.frame(index, command, &inside, frame) };
                let words = command.words.iter().flat_map(|word| inside.word(word, self.text, self.file)).collect();
                self.dispatch(words, &inside, &inner);
            }
        }
    }

    /// Whether a word is the same whatever the function is given; then it is read where it stands.
    fn is_known(&self, word: &Word, variables: &Variables) -> bool {
        variables.one(word, self.text, self.file).scalar().is_some()
    }

    /// Whether a word is a variable of the function that was set from its arguments.
    fn passed(&self, name: &str, word: &Word) -> bool {
        let [WordPiece::Var { name: variable, .. }] = word.pieces.as_slice() else { return false };
        let Some(function) = self.script.functions.iter().find(|function| &*function.name == name) else {
            return false;
        };
        self.script.assignments.iter().any(|assignment| {
            assignment.name == *variable
                && function.span.contains(assignment.span)
                && assignment.values.iter().any(positional)
        })
    }

    /// Variables that a function sets from its arguments.
    fn locals(&self, name: &str, inside: &mut Variables) {
        let Some(function) = self.script.functions.iter().find(|function| &*function.name == name) else { return };
        let local = self.script.assignments.iter().filter(|assignment| function.span.contains(assignment.span));
        for assignment in local.filter(|assignment| assignment.values.iter().any(positional)) {
            if assignment.array {
                let values = assignment.values.iter().flat_map(|word| inside.word(word, self.text, self.file));
                let values = values.map(|arg| arg.value).collect();
                inside.set_array(&assignment.name, values);
            } else if let Some(word) = assignment.values.first() {
                let value = inside.one(word, self.text, self.file);
                inside.set(&assignment.name, value);
            }
        }
    }
}

/// The command lines of which an unquoted variable is one (`for line in "${lines[@]}"; do $line; done`).
fn lines(args: &[Arg], depth: u32) -> Option<Vec<Vec<Arg>>> {
    let first =
        args.first().filter(|first| depth < MAX_DEPTH && first.word.as_ref().is_none_or(|word| !word.quoted))?;
    let Kind::OneOf(values) = &first.value.kind else { return None };
    let texts: Vec<_> = values.iter().filter_map(crate::value::Data::scalar).collect();
    let several = texts.iter().any(|text| text.contains([' ', '\t', '\n']));
    let words = |text: &std::sync::Arc<str>| text.split_whitespace().map(|word| Arg::made(word, first.span)).collect();
    several.then(|| texts.iter().map(words).collect())
}

fn within(mut frame: Frame, through: Option<String>) -> Frame {
    frame.through.extend(through.map(Box::from));
    frame
}

/// Gives a function its arguments, the first `shifted` gone.
fn bind(variables: &mut Variables, args: &[Arg], shifted: usize) {
    let values: Vec<Value> = args.iter().skip(1 + shifted).map(|arg| arg.value.clone()).collect();
    for index in 0..9 {
        match values.get(index) {
            Some(value) => variables.set(&(index + 1).to_string(), value.clone()),
            None => variables.set(&(index + 1).to_string(), Value::known("")),
        }
    }
    variables.set_array("@", values.clone());
    variables.set_array("*", values);
}

fn base(text: &str) -> &str {
    let text = text.trim_start_matches('\\');
    text.rsplit(['/', '\\']).next().unwrap_or(text)
}

/// The program of a command: base name in lower case; of a variable that is not known, what its name says.
fn program(args: &[Arg]) -> Option<String> {
    let first = args.first()?;
    let text = match &first.value.kind {
        // Whichever it is, it is called the same way.
        Kind::OneOf(values) => {
            let mut texts = values.iter().filter_map(crate::value::Data::scalar);
            texts.find(|text| known::is_known(base(text)))?.to_string()
        }
        _ => first.text(),
    };
    let name = base(&text).to_ascii_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    if !name.contains(HOLE) {
        return (!name.is_empty()).then(|| name.to_owned());
    }
    let [WordPiece::Var { name, .. }] = first.word.as_ref()?.pieces.as_slice() else { return None };
    let name = name.to_ascii_lowercase();
    if matches!(&*name, "tf" | "tf_bin" | "tf_cmd" | "tfbin") || name.starts_with("terraform") {
        return Some("terraform".to_owned());
    }
    if name.starts_with("tofu") {
        return Some("tofu".to_owned());
    }
    None
}
