//! Commands that Python and Node programs run: what they hand to a shell, and lists of words.

use super::guard::judge_text;
use super::read::{self, Frame};
use super::resolve::Variables;
use super::{Command, Guard, Site, next_scope};
use crate::syntax::program::{self, Call, Expr, Function, Language, Program};
use crate::text::{FileId, HOLE, Mapped, Span};
use crate::value::{Piece, Value};

/// Names of names are followed so deep.
const MAX_DEPTH: u32 = 6;
/// So many lines before a call are looked at for what asks.
const MAX_LINES: usize = 400;
const MAX_WORDS: usize = 256;
/// Longer than this, a text that is put together is not followed.
const MAX_TEXT: usize = 64 << 10;

/// How a call runs a program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runs {
    /// The first argument is all: words in a list, or a line for a shell.
    First,
    /// Each argument is a word.
    Words,
    /// The first argument is the program, the second the list of its words.
    Pair,
}

/// Names by which a file may bring in what runs programs.
struct Imports<'t> {
    text: &'t str,
    language: Language,
    /// What the module is called here.
    module: Vec<&'t str>,
}

const PYTHON: [&str; 7] = ["run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput"];
const NODE: [&str; 6] = ["exec", "execSync", "execFile", "execFileSync", "spawn", "spawnSync"];
const OTHERS: [&str; 4] = ["system", "popen", "create_subprocess_exec", "create_subprocess_shell"];

impl<'t> Imports<'t> {
    fn of(text: &'t str, language: Language) -> Option<Self> {
        let has = |needle: &str| memchr::memmem::find(text.as_bytes(), needle.as_bytes()).is_some();
        let marks: &[&str] = match language {
            Language::Python => &["subprocess", "os.system", "os.popen", "from invoke", "import nox"],
            Language::JavaScript => &["child_process"],
        };
        if !marks.iter().any(|mark| has(mark)) {
            return None;
        }
        let mut module = vec!["subprocess", "child_process"];
        for line in text.lines().filter(|line| line.contains("subprocess") || line.contains("child_process")) {
            let line = line.trim_start();
            if let Some(name) = line.strip_prefix("import subprocess as ") {
                module.extend(name.split_whitespace().next());
            }
            let named =
                line.strip_prefix("const ").or_else(|| line.strip_prefix("var ")).or(line.strip_prefix("import "));
            let named =
                named.map(|rest| rest.trim_start_matches("* as ")).and_then(|rest| rest.split([' ', '=']).next());
            module.extend(named.filter(|name| !name.is_empty() && !name.starts_with('{')));
        }
        Some(Self { text, language, module })
    }

    fn imported(&self, name: &str) -> bool {
        let from = |line: &str| match self.language {
            Language::Python => line.trim_start().starts_with("from subprocess import") && line.contains(name),
            Language::JavaScript => line.contains("child_process") && line.contains(name),
        };
        self.text.lines().any(from)
    }

    /// How a call of this name runs a program, if it does.
    fn runs(&self, name: &str) -> Option<Runs> {
        let (of, last) = name.rsplit_once('.').unwrap_or(("", name));
        let module = self.module.contains(&of);
        if self.language == Language::JavaScript {
            let own = NODE.contains(&last) && (module || of.is_empty() && self.imported(last));
            return own.then(|| {
                if last.starts_with("exec") && !last.starts_with("execFile") { Runs::First } else { Runs::Pair }
            });
        }
        match last {
            "create_subprocess_exec" => Some(Runs::Words),
            "create_subprocess_shell" => Some(Runs::First),
            "system" | "popen" if of == "os" => Some(Runs::First),
            _ if PYTHON.contains(&last) && (module || of.is_empty() && self.imported(last)) => Some(Runs::First),
            "run" if of == "session" && self.text.contains("import nox") => Some(Runs::Words),
            "run" if matches!(of, "c" | "ctx" | "context") && self.text.contains("from invoke") => Some(Runs::First),
            _ => None,
        }
    }
}

/// The commands that a Python or Node program runs, those of each function in one scope.
#[must_use]
pub fn of_program(file: FileId, path: &str, text: &str) -> Vec<Command> {
    let python =
        path.rsplit('.').next() == Some("py") || text.lines().next().is_some_and(|line| line.contains("python"));
    let language = if python { Language::Python } else { Language::JavaScript };
    let Some(imports) = Imports::of(text, language) else { return Vec::new() };
    let wanted = |name: &str| PYTHON.contains(&name) || NODE.contains(&name) || OTHERS.contains(&name);
    let program = program::parse(text, language, wanted);
    let mut reader = Reader { file, text, program: &program, imports, out: Vec::new(), scopes: Vec::new() };
    for call in &program.calls {
        reader.call(call);
    }
    reader.out
}

struct Reader<'t> {
    file: FileId,
    text: &'t str,
    program: &'t Program,
    imports: Imports<'t>,
    out: Vec<Command>,
    /// The scope of the commands of each function, by where it starts.
    scopes: Vec<(u32, u32)>,
}

/// What a function's parameters are in one call, and where that stands.
#[derive(Default)]
struct Given<'e> {
    values: Vec<(&'e str, &'e Expr)>,
    at: u32,
}

impl<'e> Given<'e> {
    fn get(&self, name: &str) -> Option<&'e Expr> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

impl<'t> Reader<'t> {
    fn call(&mut self, call: &'t Call) {
        if let Some(runs) = self.imports.runs(&call.name) {
            self.run(call, runs, &Given::default(), call.span);
            return;
        }
        // A function of the program's own that hands on what it is given.
        let last = call.name.rsplit('.').next().unwrap_or(&call.name);
        let Some(function) = self.program.functions.iter().find(|function| &*function.name == last) else { return };
        let values = function
            .parameters
            .iter()
            .map(|name| &**name)
            .filter(|name| !matches!(*name, "self" | "cls"))
            .zip(&call.args)
            .collect();
        let mut given = Given { values, at: call.span.start };
        given.values.extend(call.named.iter().map(|(name, value)| (&**name, value)));
        for inner in &self.program.calls {
            let Some(runs) = self.imports.runs(&inner.name).filter(|_| inside(function, inner)) else { continue };
            let first = inner.args.first().or_else(|| named(inner, "args"));
            let handed: Vec<Box<str>> = given.values.iter().map(|(name, _)| (*name).into()).collect();
            if first.is_some_and(|first| mentions(first, &handed)) {
                let begin = self.out.len();
                self.run(inner, runs, &given, call.span);
                // What the function does whatever it is given is said where it stands.
                let own = self.out[..begin].iter().filter(|it| it.loc.span == inner.span).flat_map(|it| &it.rows);
                let own: Vec<&str> = own.map(|row| &*row.id).collect();
                if self.out[begin..].iter().flat_map(|it| &it.rows).all(|row| own.contains(&&*row.id)) {
                    self.out.truncate(begin);
                }
            }
        }
    }

    /// Adds what one call runs; `at` is where one reads it.
    fn run(&mut self, call: &'t Call, runs: Runs, given: &Given<'t>, at: Span) {
        let first = call.args.first().or_else(|| named(call, "args"));
        let Some(first) = first else { return };
        let place = call.span.start;
        let words = match runs {
            Runs::Words => Some(call.args.iter().flat_map(|arg| self.words_of(arg, given, place)).collect()),
            Runs::Pair => {
                let rest = call.args.get(1).and_then(|arg| self.words(arg, given, place, 0));
                let program = self.string(first, given, place, 0).filter(|it| !it.text.contains(' '));
                program.map(|program| {
                    let mut words = vec![(value(&program), at)];
                    words.extend(rest.unwrap_or_default());
                    words
                })
            }
            Runs::First => self.words(first, given, place, 0),
        };
        let begin = self.out.len();
        let frame = Frame { scope: self.scope(at), guard: self.guard(at, call.indent), ..Frame::default() };
        if let Some(words) = words {
            let folded = words.into_iter().map(|(value, _): (Value, Span)| (value, at)).take(MAX_WORDS).collect();
            read::argv(folded, self.file, &Site::Script, &frame, &mut self.out);
        } else if let Some(text) = self.string(first, given, place, 0) {
            read::read(&text, self.file, &Site::Script, &Variables::default(), &frame, &mut self.out);
        }
        let folder = named(call, "cwd").and_then(|folder| self.string(folder, given, place, 0)).map(|it| value(&it));
        if let Some(folder) = folder {
            self.out[begin..].iter_mut().for_each(|command| command.folder = Some(folder.clone()));
        }
    }

    fn scope(&mut self, at: Span) -> u32 {
        let function = self.program.function(at.start).map_or(0, |function| function.span.start + 1);
        if let Some((_, scope)) = self.scopes.iter().find(|(known, _)| *known == function) {
            return *scope;
        }
        let scope = self.scopes.iter().map(|(_, scope)| scope + 1).max().unwrap_or(next_scope(&self.out, self.file));
        self.scopes.push((function, scope));
        scope
    }

    /// The words of a list; none when the expression is no list.
    fn words(&self, expr: &'t Expr, given: &Given<'t>, at: u32, depth: u32) -> Option<Vec<(Value, Span)>> {
        if depth > MAX_DEPTH {
            return None;
        }
        match expr {
            Expr::List(items, _) => Some(items.iter().flat_map(|item| self.item(item, given, at, depth)).collect()),
            Expr::Split(text) => {
                let text = self.string(text, given, at, depth + 1)?;
                Some(
                    text.text
                        .split_whitespace()
                        .map(|word| (pieces(word), text.span(Span::new(0, text.text.len()))))
                        .collect(),
                )
            }
            Expr::Sum(parts) => {
                let lists = parts.iter().map(|part| (part, self.words(part, given, at, depth + 1)));
                let lists: Vec<_> = lists.collect();
                lists.iter().any(|(_, list)| list.is_some()).then(|| {
                    let unknown = |part: &Expr| vec![(Value::unknown("the list goes on"), span(part))];
                    lists.into_iter().flat_map(|(part, list)| list.unwrap_or_else(|| unknown(part))).collect()
                })
            }
            Expr::Name(name, _) => {
                if let Some(value) = given.get(name) {
                    return self.words(value, &Given::default(), given.at, depth + 1);
                }
                let (set, added) = self.assigned(name, at)?;
                let mut words = self.words(set, given, at, depth + 1)?;
                for more in added {
                    words.extend(self.words(more, given, at, depth + 1).unwrap_or_default());
                }
                Some(words)
            }
            _ => None,
        }
    }

    /// A word of a list, or several where a list is put in.
    fn item(&self, item: &'t Expr, given: &Given<'t>, at: u32, depth: u32) -> Vec<(Value, Span)> {
        if let Expr::Spread(inner) = item {
            return self
                .words(inner, given, at, depth + 1)
                .unwrap_or_else(|| vec![(Value::unknown("the list goes on"), span(inner))]);
        }
        let value = self
            .string(item, given, at, depth + 1)
            .map_or_else(|| Value::unknown("the program computes it"), |text| value(&text));
        vec![(value, span(item))]
    }

    fn words_of(&self, arg: &'t Expr, given: &Given<'t>, at: u32) -> Vec<(Value, Span)> {
        self.item(arg, given, at, 0)
    }

    /// The text that an expression is, holes for what is not known.
    fn string(&self, expr: &'t Expr, given: &Given<'t>, at: u32, depth: u32) -> Option<Mapped> {
        if depth > MAX_DEPTH {
            return None;
        }
        match expr {
            Expr::Text(text) => Some(text.clone()),
            Expr::Name(name, _) => {
                if let Some(value) = given.get(name) {
                    return self.string(value, &Given::default(), given.at, depth + 1);
                }
                let (set, added) = self.assigned(name, at)?;
                let mut text = self.string(set, given, at, depth + 1)?;
                for more in added {
                    match self.string(more, given, at, depth + 1) {
                        Some(more) if text.text.len() < MAX_TEXT => text.append(&more),
                        _ => text.push_hole(span(more)),
                    }
                }
                Some(text)
            }
            Expr::Sum(parts) => {
                let mut whole = Mapped::default();
                let mut known = false;
                for part in parts {
                    match self.string(part, given, at, depth + 1) {
                        Some(text) if whole.text.len() < MAX_TEXT => {
                            known = true;
                            whole.append(&text);
                        }
                        _ => whole.push_hole(span(part)),
                    }
                }
                known.then_some(whole)
            }
            _ => None,
        }
    }

    /// What a name is set to before a place, and what is surely added to it in between.
    fn assigned(&self, name: &str, at: u32) -> Option<(&'t Expr, Vec<&'t Expr>)> {
        let here = self.program.function(at).map(|function| function.span.start);
        let visible = |start: u32| {
            let of = self.program.function(start).map(|function| function.span.start);
            of.is_none() || of == here
        };
        let all = self.program.assignments.iter();
        let own = all.filter(|it| &*it.name == name && it.start < at && visible(it.start));
        let own: Vec<_> = own.collect();
        let set = own.iter().rev().find(|it| !it.adds)?;
        let added = own.iter().filter(|it| it.adds && it.start > set.start && it.indent <= set.indent);
        Some((&set.value, added.map(|it| &it.value).collect()))
    }

    /// What is asked before a call: by a prompt before it, or by the conditions that it stands in.
    fn guard(&self, at: Span, indent: u32) -> Guard {
        let function = self.program.function(at.start);
        let from = function.map_or(0, |function| function.span.start);
        let before =
            self.program.statements.iter().rev().filter(|it| it.span.start < at.start && it.span.start >= from);
        let (mut guard, mut depth) = (Guard::None, indent);
        for statement in before.take(MAX_LINES) {
            let line = statement.span.slice(self.text);
            let other =
                self.program.function(statement.span.start).map(|it| it.span.start) != function.map(|it| it.span.start);
            if !other && statement.indent <= depth && asks(line) {
                guard = Guard::Confirmed;
            }
            if statement.indent < depth {
                depth = statement.indent;
                if line.starts_with("if ") || line.starts_with("elif ") || line.starts_with("if (") {
                    guard = guard.max(judge_text(line));
                    if self.off_at_first(line) {
                        guard = Guard::Confirmed;
                    }
                }
            }
        }
        guard
    }
}

impl Reader<'_> {
    /// Whether a condition is a switch that is off unless whoever calls says otherwise: `x=False`, `--x` of the command line.
    fn off_at_first(&self, line: &str) -> bool {
        let condition = line.trim_start_matches("elif ").trim_start_matches("if ");
        let Some(name) = condition.split(':').next().map(|it| it.rsplit('.').next().unwrap_or(it).trim()) else {
            return false;
        };
        let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let has = |needle: &str| memchr::memmem::find(self.text.as_bytes(), needle.as_bytes()).is_some();
        let parameter = || [": bool = False", "=False", " = False"].iter().any(|end| has(&format!("{name}{end}")));
        let option = || has(&format!("--{}\"", name.replace('_', "-"))) && has("store_true");
        plain && (parameter() || option())
    }
}

/// Whether a line puts a question to a person.
fn asks(line: &str) -> bool {
    ["input(", "click.confirm(", "typer.confirm(", "questionary.confirm(", "Confirm.ask("]
        .iter()
        .any(|call| line.find(call).is_some_and(|at| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')))
}

fn inside(function: &Function, call: &Call) -> bool {
    function.span.start < call.span.start && call.span.start < function.span.end
}

fn named<'c>(call: &'c Call, name: &str) -> Option<&'c Expr> {
    call.named.iter().find(|(known, _)| &**known == name).map(|(_, value)| value)
}

fn mentions(expr: &Expr, names: &[Box<str>]) -> bool {
    match expr {
        Expr::Name(name, _) => names.contains(name),
        Expr::List(items, _) | Expr::Sum(items) => items.iter().any(|item| mentions(item, names)),
        Expr::Spread(inner) | Expr::Split(inner) => mentions(inner, names),
        Expr::Text(_) | Expr::Other(_) => false,
    }
}

fn span(expr: &Expr) -> Span {
    match expr {
        Expr::Text(text) => text.span(Span::new(0, text.text.len())),
        Expr::List(_, span) | Expr::Name(_, span) | Expr::Other(span) => *span,
        Expr::Sum(items) => items.first().map(span).unwrap_or_default(),
        Expr::Spread(inner) | Expr::Split(inner) => span(inner),
    }
}

fn value(text: &Mapped) -> Value {
    pieces(&text.text)
}

/// A text with holes as a value.
fn pieces(text: &str) -> Value {
    let mut pieces = Vec::new();
    for (at, part) in text.split(HOLE).enumerate() {
        if at > 0 {
            pieces.push(Piece::Hole("the program fills it in".into()));
        }
        if !part.is_empty() {
            pieces.push(Piece::Lit(part.into()));
        }
    }
    if pieces.is_empty() { Value::known("") } else { Value::text(pieces) }
}
