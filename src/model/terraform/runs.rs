//! How the commands of a repository run Terraform: in which folder, with which variable files, variables, backend
//! arguments and workspace. What a command leaves open (`envs/$ENV`) stands for every folder or file that fits.

use super::{Files, Source, SourceKind};
use crate::model::command::{Command, Flag, Site};
use crate::source;
use crate::syntax::hcl::{self, Expr, ExprKind};
use crate::text::{HOLE, Loc};
use crate::value::{Data, Kind, Piece, Value};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// So many folders or files stand for one that is left open.
const MAX_FITTING: usize = 32;
/// What a Jinja expression or its like was replaced by, letter by letter.
const MASK: char = '\u{1}';

/// One command line that Terraform is run with, in one folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// Whether it evaluates the configuration (`plan`, `apply`…), so that variables without a value have their defaults.
    pub evaluates: bool,
    /// `TF_VAR_…`: anything else wins over them.
    pub environment: Vec<(String, Given)>,
    /// `-var-file` and `-var`, in order: the last one wins.
    pub arguments: Vec<Argument>,
    /// Whether it is an `init`, with what is said here of the backend.
    pub initialises: bool,
    /// `-backend-config`, files included, in order.
    pub backend: Vec<(String, Given)>,
    /// `TF_WORKSPACE`, `workspace select`.
    pub workspace: Option<Given>,
}

/// A `-var-file` or `-var` of a command line.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// A variable file, by its path in the tree.
    File(String),
    /// A variable and its value.
    Value(String, Given),
}

impl Run {
    /// Whether it is given any variable file.
    #[must_use]
    pub fn has_files(&self) -> bool {
        self.arguments.iter().any(|argument| matches!(argument, Argument::File(_)))
    }
}

/// A value that can be compared with another.
#[derive(Clone, Debug)]
pub struct Given(pub Value);

impl PartialEq for Given {
    fn eq(&self, other: &Self) -> bool {
        self.0.same(&other.0)
    }
}

/// The runs of each root, by folder.
pub type Runs = BTreeMap<String, Vec<Run>>;

/// Variables that may be set from outside, with their defaults.
type Defaults = [(Box<str>, Box<str>)];

/// What a left-open piece stands for, by the reason that it is open.
type Bound = HashMap<Arc<str>, String>;

struct Reader<'a> {
    /// Every folder with configuration, and the folders above.
    folders: BTreeSet<&'a str>,
    roots: BTreeSet<&'a str>,
    var_files: Vec<&'a str>,
    files: &'a dyn Files,
    /// `TF_CLI_ARGS…` of the text at hand.
    extra: Vec<(String, Vec<Flag>)>,
    runs: Runs,
}

/// A folder that commands stand in, and what that says of open pieces.
#[derive(Clone, Debug)]
struct Place {
    folder: String,
    bound: Bound,
}

/// The runs that commands make; `path` gives the path of a command's file.
pub fn runs<'a>(
    commands: &'a [Command],
    sources: &[Source<'a>],
    files: &'a dyn Files,
    path: &dyn Fn(&Command) -> &'a str,
) -> Runs {
    let configuration = sources.iter().filter(|it| matches!(it.kind, SourceKind::Configuration));
    let roots: BTreeSet<&str> = configuration.map(|it| source::folder(it.path)).collect();
    let mut folders = roots.clone();
    for root in &roots {
        let mut folder = *root;
        while !folder.is_empty() {
            folder = source::folder(folder);
            folders.insert(folder);
        }
    }
    let var_files = sources.iter().filter(|it| it.kind == SourceKind::Variables).map(|it| it.path).collect();
    let mut reader = Reader { folders, roots, var_files, files, extra: Vec::new(), runs: Runs::new() };
    for scope in commands.chunk_by(|a, b| a.loc.file == b.loc.file && a.scope == b.scope) {
        if scope.iter().any(runs_terraform)
            && let Some(first) = scope.first()
        {
            reader.scope(scope, path(first));
        }
    }
    reader.runs
}

/// Adds variable files that the configuration names, in the place of those that commands name: each belongs to the root of its folder, or to the nearest above it.
/// Files of one root that give different variables are used together, else one at a time.
pub fn name_files(paths: &[String], sources: &[Source<'_>], runs: &mut Runs) {
    let configured = |folder: &str| {
        let here = |it: &Source<'_>| it.kind == SourceKind::Configuration && source::folder(it.path) == folder;
        sources.iter().any(here)
    };
    let mut by_root: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in paths {
        let mut folder = source::folder(path);
        while !configured(folder) && !folder.is_empty() {
            folder = source::folder(folder);
        }
        if configured(folder) {
            by_root.entry(folder).or_default().push(path);
        }
    }
    for (folder, paths) in by_root {
        let mut names = BTreeSet::new();
        let mut given = sources.iter().filter(|it| paths.contains(&it.path)).flat_map(|it| &it.tree.body.attributes);
        let apart = given.all(|attribute| names.insert(&*attribute.name));
        let together = if apart { vec![paths] } else { paths.into_iter().map(|path| vec![path]).collect() };
        let runs = runs.entry(folder.to_owned()).or_default();
        // What is said outright is surer than what commands show.
        for run in runs.iter_mut() {
            run.evaluates = false;
        }
        runs.extend(together.into_iter().map(|paths| Run {
            evaluates: true,
            arguments: paths.into_iter().map(|path| Argument::File(path.to_owned())).collect(),
            ..Run::default()
        }));
    }
}

fn runs_terraform(command: &Command) -> bool {
    matches!(&*command.program, "terraform" | "tofu" | "terragrunt") && !command.nested()
}

impl Reader<'_> {
    /// The commands of one script, recipe or job, in order.
    fn scope(&mut self, commands: &[Command], path: &str) {
        let mut bases = Vec::new();
        let own = source::folder(path);
        match commands.first().map(|command| &command.site) {
            Some(Site::Ci { .. }) => bases.extend(["", own]),
            _ => bases.extend([own, ""]),
        }
        let bases: Vec<Place> =
            bases.iter().map(|folder| Place { folder: (*folder).to_owned(), bound: Bound::new() }).collect();
        let mut here: Vec<Place> = Vec::new();
        self.extra.clear();
        let defaults = commands.iter().find(|command| runs_terraform(command)).map_or(&[][..], |it| &it.defaults);
        for command in commands {
            if let Some(folder) = &command.folder {
                here = self.folders(&bases, folder, defaults);
            }
            match &*command.program {
                "cd" | "pushd" => {
                    let Some(to) = command.operands.first() else { continue };
                    let mut next = self.folders(&here, to, defaults);
                    if next.is_empty() {
                        next = self.folders(&bases, to, defaults);
                    }
                    here = next;
                }
                "popd" => here = Vec::new(),
                "export" => {
                    let name = command.sub.first().filter(|name| name.starts_with("TF_CLI_ARGS"));
                    self.extra.extend(name.map(|name| (name.to_string(), command.flags.clone())));
                }
                _ if runs_terraform(command) => self.command(command, &here, &bases),
                _ => {}
            }
        }
    }

    fn command(&mut self, command: &Command, here: &[Place], bases: &[Place]) {
        let at: &[Place] = if here.is_empty() { bases } else { here };
        let named = ["chdir", "terragrunt-working-dir", "working-dir"].iter().find_map(|flag| command.flag(flag));
        let mut places = match named {
            Some(flag) => {
                let found = self.folders(at, &flag.value, &command.defaults);
                if found.is_empty() { self.folders(bases, &flag.value, &command.defaults) } else { found }
            }
            None => at.to_vec(),
        };
        places.retain(|place| self.roots.contains(&*place.folder));
        if named.is_none() && here.is_empty() {
            places.truncate(1);
        }
        for place in places {
            for run in self.runs_at(command, &place, bases) {
                let runs = self.runs.entry(place.folder.clone()).or_default();
                if !runs.contains(&run) && runs.len() < MAX_FITTING {
                    runs.push(run);
                }
            }
        }
    }

    /// What the words of a command say; several when a variable file is left open.
    fn runs_at(&self, command: &Command, place: &Place, bases: &[Place]) -> Vec<Run> {
        let sub = command.sub.iter().find(|sub| !matches!(&***sub, "run" | "run-all" | "--"));
        let sub = sub.map_or("", |sub| &**sub);
        let evaluates = matches!(sub, "plan" | "apply" | "destroy" | "refresh" | "import" | "console" | "test");
        // `init -backend=false` only fetches modules and providers.
        let uses_backend = command.flag("backend").is_none_or(|flag| flag.value.as_bool() != Some(false));
        // A saved plan has its values inside.
        let saved = sub == "apply" && !command.operands.is_empty();
        let mut run =
            Run { evaluates: evaluates && !saved, initialises: sub == "init" && uses_backend, ..Run::default() };
        for (name, value) in &command.env {
            match name.strip_prefix("TF_VAR_") {
                Some(variable) => run.environment.push((variable.to_owned(), Given(value.clone()))),
                None if &**name == "TF_WORKSPACE" => run.workspace = Some(Given(value.clone())),
                // `TF_HTTP_LOCK_ADDRESS` and its kin.
                None => run
                    .backend
                    .extend(name.strip_prefix("TF_HTTP_").map(|key| (key.to_lowercase(), Given(value.clone())))),
            }
        }
        if sub == "workspace"
            && let Some(name) = command.operands.first()
            && command.sub.last().is_some_and(|last| matches!(&**last, "select" | "new"))
        {
            run.workspace = Some(Given(name.clone()));
        }
        let mut runs = vec![(run, place.bound.clone())];
        for flag in self.extra_flags(sub).chain(&command.flags) {
            self.flag(flag, place, bases, command, &mut runs);
        }
        let settled = runs.into_iter().map(|(run, bound)| settled(run, &command.defaults, &bound));
        settled.filter(|run| run.evaluates || run.initialises || run.workspace.is_some() || run.has_files()).collect()
    }

    /// The flags of `TF_CLI_ARGS` and `TF_CLI_ARGS_plan` that hold for a subcommand.
    fn extra_flags<'f>(&'f self, sub: &str) -> impl Iterator<Item = &'f Flag> + use<'f> {
        let own = format!("TF_CLI_ARGS_{sub}");
        let held = self.extra.iter().filter(move |(name, _)| *name == "TF_CLI_ARGS" || *name == own);
        held.flat_map(|(_, flags)| flags)
    }

    fn flag(&self, flag: &Flag, place: &Place, bases: &[Place], command: &Command, runs: &mut Vec<(Run, Bound)>) {
        match flag.name.trim_start_matches('-') {
            "var" => {
                let Some((name, value)) = assignment(&flag.value) else { return };
                for (run, _) in runs {
                    run.arguments.push(Argument::Value(name.clone(), Given(value.clone())));
                }
            }
            "var-file" => {
                // A file that another flag of the command names is not the one that is left open here.
                let others = command.flags.iter().filter(|other| !std::ptr::eq(*other, flag));
                let others: Vec<&str> = others.filter_map(|other| other.value.as_str()).collect();
                let named =
                    |path: &str| others.iter().any(|other| path.ends_with(other.trim_start_matches(['.', '/'])));
                let files: Vec<&str> = self.var_files.iter().copied().filter(|path| !named(path)).collect();
                multiply(
                    runs,
                    |bound| fitting(&flag.value, place, bound, bases, &command.defaults, &files),
                    |run, path| match path {
                        Some(path) => run.arguments.push(Argument::File(path)),
                        // Values that lie elsewhere: the run says nothing.
                        None => run.evaluates = false,
                    },
                );
            }
            "backend-config" => {
                if let Some((key, value)) = assignment(&flag.value) {
                    for (run, _) in runs {
                        run.backend.push((key.clone(), Given(value.clone())));
                    }
                    return;
                }
                let below = self.files.below("");
                multiply(
                    runs,
                    |bound| fitting(&flag.value, place, bound, bases, &command.defaults, &below),
                    |run, path| match path {
                        Some(path) => run.backend.extend(self.backend_file(&path)),
                        None => run.initialises = false,
                    },
                );
            }
            _ => {}
        }
    }

    /// The folders that a path leads to.
    fn folders(&self, from: &[Place], path: &Value, defaults: &Defaults) -> Vec<Place> {
        let all: Vec<&str> = self.folders.iter().copied().collect();
        let mut found: Vec<Place> = Vec::new();
        for base in from {
            for pieces in possible(path, defaults) {
                for (folder, bound) in fit(&base.folder, &pieces, &base.bound, &all) {
                    if found.len() < MAX_FITTING && found.iter().all(|place| place.folder != folder) {
                        found.push(Place { folder, bound });
                    }
                }
            }
            if found.is_empty()
                && let Some(linked) = path.as_str().and_then(|path| source::join(&base.folder, path))
            {
                // A link to a folder is where Terraform runs as well.
                let real = self.files.real(&linked);
                let known = self.folders.contains(&*real);
                found.extend(known.then(|| Place { folder: real, bound: base.bound.clone() }));
            }
            if !found.is_empty() {
                break;
            }
        }
        found
    }

    /// The arguments in a file of `-backend-config`.
    fn backend_file(&self, path: &str) -> Vec<(String, Given)> {
        let Some((file, text)) = self.files.find(path) else { return Vec::new() };
        let parsed = hcl::parse(text);
        let arguments = parsed.body.attributes.iter();
        arguments
            .map(|attribute| {
                let loc = Loc { file, span: attribute.value.span };
                (attribute.name.to_string(), Given(literal(&attribute.value, 0).at(loc)))
            })
            .collect()
    }
}

/// The files that a path leads to from a run's folder, else from where the command is written.
fn fitting(
    path: &Value,
    place: &Place,
    bound: &Bound,
    bases: &[Place],
    defaults: &Defaults,
    all: &[&str],
) -> Vec<(String, Bound)> {
    for base in std::iter::once(place).chain(bases) {
        let pieces = possible(path, defaults).into_iter();
        let mut found: Vec<(String, Bound)> =
            pieces.flat_map(|pieces| fit(&base.folder, &pieces, bound, all)).collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found.dedup_by(|(a, _), (b, _)| a == b);
        if !found.is_empty() && found.len() <= MAX_FITTING {
            return found;
        }
    }
    Vec::new()
}

/// The texts that a path may be, in pieces: what is only a default is left open.
fn possible(path: &Value, defaults: &Defaults) -> Vec<Vec<Piece>> {
    let texts: Vec<Vec<Piece>> = match &path.kind {
        Kind::OneOf(values) => values.iter().filter_map(|data| Some(vec![Piece::Lit(data.scalar()?)])).collect(),
        _ => pieces(path).into_iter().collect(),
    };
    texts.into_iter().map(|pieces| pieces.into_iter().flat_map(|piece| opened(piece, defaults)).collect()).collect()
}

/// A piece of a path with each name in it that is the default of a variable left open.
fn opened(piece: Piece, defaults: &Defaults) -> Vec<Piece> {
    let Piece::Lit(text) = &piece else { return vec![piece] };
    let mut out = Vec::new();
    let mut literal = String::new();
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_') {
        let name = word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_');
        match defaults.iter().find(|(_, default)| !name.is_empty() && &**default == name) {
            Some((variable, _)) => {
                out.push(Piece::Lit(std::mem::take(&mut literal).into()));
                out.push(Piece::Hole(format!("`{variable}` may be set where it is run").into()));
                literal.push_str(&word[name.len()..]);
            }
            None => literal.push_str(word),
        }
    }
    out.push(Piece::Lit(literal.into()));
    out.retain(|piece| *piece != Piece::Lit("".into()));
    out
}

/// Every alternative with every path that fits it; none fits: told as none.
fn multiply(
    runs: &mut Vec<(Run, Bound)>,
    fitting: impl Fn(&Bound) -> Vec<(String, Bound)>,
    put: impl Fn(&mut Run, Option<String>),
) {
    for (mut run, bound) in std::mem::take(runs) {
        let paths = fitting(&bound);
        if paths.is_empty() || runs.len() + paths.len() > MAX_FITTING {
            put(&mut run, None);
            runs.push((run, bound));
            continue;
        }
        for (path, bound) in paths {
            let mut run = run.clone();
            put(&mut run, Some(path));
            runs.push((run, bound));
        }
    }
}

/// A run whose values say what is known of them: a default that may be set from outside is open, unless a path told which it is.
fn settled(mut run: Run, defaults: &Defaults, bound: &Bound) -> Run {
    let settle = |given: &mut Given| {
        let Some(pieces) = pieces(&given.0) else { return };
        let opened = pieces.into_iter().flat_map(|piece| opened(piece, defaults));
        let known = opened.map(|piece| match &piece {
            Piece::Hole(reason) => bound.get(reason).map_or(piece.clone(), |text| Piece::Lit(text.as_str().into())),
            Piece::Lit(_) => piece,
        });
        given.0 = Value { kind: Value::text(known.collect()).kind, ..given.0.clone() };
    };
    run.environment.iter_mut().chain(&mut run.backend).for_each(|(_, given)| settle(given));
    run.workspace.iter_mut().for_each(settle);
    for argument in &mut run.arguments {
        if let Argument::Value(_, given) = argument {
            settle(given);
        }
    }
    run
}

/// A constant of a file without references; [`HOLE`] in a text is what is not known of it.
pub(super) fn literal(expr: &Expr, depth: usize) -> Value {
    match &expr.kind {
        ExprKind::Str(text) if text.contains(HOLE) => {
            let reason = || Piece::Hole("it is put in when the file is generated".into());
            let mut pieces = Vec::new();
            for (at, part) in text.split(HOLE).enumerate() {
                pieces.extend((at > 0).then(reason));
                pieces.extend((!part.is_empty()).then(|| Piece::Lit(part.into())));
            }
            Value::text(pieces)
        }
        ExprKind::Str(text) => Value::known(&**text),
        ExprKind::Bool(value) => Value::known(*value),
        ExprKind::Number(value) => Value::known(*value),
        ExprKind::List(items) if depth < 8 => Value::list(items.iter().map(|item| literal(item, depth + 1)).collect()),
        ExprKind::Object(members) if depth < 8 => {
            let member = |(key, value): &(hcl::Key, Expr)| match &key.expr.kind {
                ExprKind::Str(name) => Some((Arc::from(&**name), literal(value, depth + 1))),
                _ => None,
            };
            Value::map(members.iter().filter_map(member).collect())
        }
        _ => Value::unknown("it is no constant"),
    }
}

/// `name=value`
fn assignment(value: &Value) -> Option<(String, Value)> {
    let pieces = pieces(value)?;
    let Some(Piece::Lit(first)) = pieces.first() else { return None };
    let (name, rest) = first.split_once('=')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let rest = std::iter::once(Piece::Lit(rest.into())).filter(|piece| *piece != Piece::Lit("".into()));
    let mut value = Value { origin: value.origin, ..Value::text(rest.chain(pieces.iter().skip(1).cloned()).collect()) };
    // `-var 'sizes=[1, 2]'` is an expression.
    if let Some(text) = value.as_str().filter(|text| text.starts_with(['[', '{']))
        && let Ok(expr) = hcl::parse_expr(text, 0)
    {
        value.kind = literal(&expr, 0).kind;
    }
    is_name.then(|| (name.to_owned(), value))
}

/// The pieces of a text; none when it is wholly unknown.
fn pieces(value: &Value) -> Option<Vec<Piece>> {
    let whole: Vec<Piece> = match &value.kind {
        Kind::Known(Data::Str(text)) => vec![Piece::Lit(text.clone())],
        Kind::Text(pieces) => pieces.to_vec(),
        Kind::Unknown(reason) => vec![Piece::Hole(reason.clone())],
        _ => return None,
    };
    // A masked expression is a hole as well.
    let mut out = Vec::with_capacity(whole.len());
    for piece in whole {
        match piece {
            Piece::Lit(text) if text.contains([MASK, HOLE]) => {
                let mut rest = &*text;
                while let Some(at) = rest.find([MASK, HOLE]) {
                    let (before, after) = rest.split_at(at);
                    let after = after.trim_start_matches([MASK, HOLE]);
                    out.push(Piece::Lit(before.into()));
                    out.push(Piece::Hole("it is filled in when the text is rendered".into()));
                    rest = after;
                }
                out.push(Piece::Lit(rest.into()));
            }
            piece => out.push(piece),
        }
    }
    out.retain(|piece| *piece != Piece::Lit("".into()));
    Some(out)
}

/// Which of `all` a path leads to from a folder. A hole at the start is the folder of the script or repository; another
/// one is a part of a name, the same wherever it is open for the same reason.
fn fit(from: &str, pieces: &[Piece], bound: &Bound, all: &[&str]) -> Vec<(String, Bound)> {
    let pieces = match pieces {
        [Piece::Hole(reason), rest @ ..] if !bound.contains_key(reason) => match rest {
            [Piece::Lit(text), ..] if text.starts_with('/') => rest,
            _ => pieces,
        },
        pieces => pieces,
    };
    let mut text = String::new();
    let mut holes: Vec<&Arc<str>> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Lit(lit) => text.push_str(lit),
            Piece::Hole(reason) => {
                if let Some(known) = bound.get(reason) {
                    text.push_str(known);
                } else {
                    text.push(HOLE);
                    holes.push(reason);
                }
            }
        }
    }
    let Some(path) = source::join(from, text.trim_start_matches("./")) else { return Vec::new() };
    if holes.is_empty() {
        let exact = all.iter().find(|known| **known == path);
        return exact.map(|known| ((*known).to_owned(), bound.clone())).into_iter().collect();
    }
    // A path of nothing but an open name fits everything, which says nothing.
    if path.chars().all(|c| matches!(c, HOLE | '/')) {
        return Vec::new();
    }
    let pattern = regex::escape(&path).replace(HOLE, "([^/]+)");
    let Ok(pattern) = Regex::new(&format!("^{pattern}$")) else { return Vec::new() };
    let mut found = Vec::new();
    for known in all {
        let Some(captures) = pattern.captures(known) else { continue };
        let mut bound = bound.clone();
        let agree = holes.iter().zip(captures.iter().skip(1).flatten()).all(|(reason, segment)| {
            bound.entry((*reason).clone()).or_insert_with(|| segment.as_str().to_owned()) == segment.as_str()
        });
        if agree {
            found.push(((*known).to_owned(), bound));
        }
    }
    found
}
