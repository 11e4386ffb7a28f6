//! How the commands of a repository run Terraform: in which folder, with which variable files, variables, backend
//! arguments and workspace. What a command leaves open (`envs/$ENV`) stands for every folder or file that fits.

use super::{Files, Source, SourceKind};
use crate::model::command::path::{self, Bound, Defaults, MAX_FITTING, Place, fitting, multiply, pieces};
use crate::model::command::{Command, Flag, Site};
use crate::source;
use crate::syntax::hcl::{self, Expr, ExprKind};
use crate::text::{HOLE, Loc};
use crate::value::{Piece, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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

    fn folders(&self, from: &[Place], path: &Value, defaults: &Defaults) -> Vec<Place> {
        path::folders(&self.folders, &|path| self.files.real(path), from, path, defaults)
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

/// A run whose values say what is known of them: a default that may be set from outside is open, unless a path told which it is.
fn settled(mut run: Run, defaults: &Defaults, bound: &Bound) -> Run {
    let settle = |given: &mut Given| given.0 = path::settled(&given.0, defaults, bound);
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

/// `name=value`, as a `-var` of Terraform and Packer gives it.
#[must_use]
pub fn assignment(value: &Value) -> Option<(String, Value)> {
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
