//! Terragrunt: the folders that it drives, what they include, and the functions that only its files know.

use super::eval::{Env, Outcome, Work};
use super::given::Values;
use super::instance::{Alternative, Given, Instance};
use super::module::{Module, constant};
use super::refs::{Node, relative};
use super::{Ground, Source, SourceKind, Terraform, runs};
use crate::source;
use crate::syntax::hcl::{Block, Expr};
use crate::text::{FileId, Loc};
use crate::value::{Data, Reason, Value};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// How an absolute path to the repository begins.
pub(super) const REPOSITORY: &str = "/…";
/// Configurations read by others are followed so deep.
const MAX_DEPTH: usize = 8;

/// The parsed files of Terragrunt, by path.
pub(super) type Files<'t> = HashMap<&'t str, Arc<Module<'t>>>;

/// A folder that Terragrunt drives.
pub struct Unit<'t> {
    /// The folder.
    pub folder: String,
    /// Its `terragrunt.hcl`.
    pub file: FileId,
    /// Its own configuration.
    pub instance: Arc<Instance<'t>>,
    /// The configurations that it includes, nearest first.
    pub includes: Vec<Arc<Instance<'t>>>,
    /// `terraform.source`, as far as it is known.
    pub source: Value,
    /// The folder that a local `source` names.
    pub module: Option<String>,
}

impl Unit<'_> {
    /// Where a finding on it points: its `terraform` block, else its first.
    #[must_use]
    pub fn loc(&self) -> Loc {
        let block = self.instance.module.settings.iter().chain(&self.instance.module.others).next();
        block.map_or(Loc { file: self.file, ..Loc::default() }, |(file, block)| Loc { file: *file, span: block.header })
    }
}

/// What Terragrunt knows of one of its files while it works for a unit.
#[derive(Debug, Default)]
pub(super) struct Context<'t> {
    /// The folder of the unit: functions look around from there, in what it includes too.
    pub(super) unit: String,
    /// The path of the file itself.
    path: String,
    /// How many configurations read one another down to here.
    depth: usize,
    includes: OnceLock<Vec<Included<'t>>>,
}

type Included<'t> = (&'t str, Arc<Instance<'t>>);

/// The files of Terragrunt as modules of one file.
pub(super) fn files<'t>(sources: &[Source<'t>]) -> Files<'t> {
    let files = sources.iter().filter(|source| source.kind == SourceKind::Terragrunt);
    files.map(|source| (source.path, Arc::new(Module::single(source)))).collect()
}

/// All units, in path order.
pub(super) fn units<'t>(ground: &Ground<'t>) -> Vec<Unit<'t>> {
    let mut paths: Vec<&str> = ground.terragrunt.keys().copied().collect();
    paths.retain(|path| source::file_name(path) == "terragrunt.hcl");
    paths.sort_unstable();
    paths.into_iter().filter_map(|path| unit(ground, path)).collect()
}

fn unit<'t>(ground: &Ground<'t>, path: &str) -> Option<Unit<'t>> {
    let folder = source::folder(path);
    let instance = opened(ground, path, folder, 0)?;
    let work = &mut Work::default();
    let env = Env::new(ground, &instance);
    let includes: Vec<Arc<Instance<'t>>> = env.includes(work).iter().map(|(_, instance)| instance.clone()).collect();
    // What lies nearer wins.
    let written = std::iter::once(&instance).chain(&includes).find_map(|instance| {
        let (file, block) =
            instance.module.settings.iter().find(|(_, block)| block.body.attribute("source").is_some())?;
        let attribute = block.body.attribute("source")?;
        Some(Env { file: *file, ..Env::new(ground, instance) }.value(&attribute.value, work))
    });
    if written.is_none() && includes.is_empty() && ground.module(folder).is_none() {
        return None;
    }
    let source = written.unwrap_or_default();
    let local = source.as_str().filter(|text| text.starts_with(['.', '/']));
    // `//` marks where the module begins in what is copied; as a path it is one slash.
    let module = if source.is_absent() {
        ground.module(folder).map(|module| module.folder.clone())
    } else {
        local.and_then(|path| located(folder, path.split('?').next()?))
    };
    let file = instance.module.files.first().copied().unwrap_or_default();
    Some(Unit { folder: folder.to_owned(), file, instance, includes, source, module })
}

/// A file of Terragrunt as it is read for a unit.
fn opened<'t>(ground: &Ground<'t>, path: &str, unit: &str, depth: usize) -> Option<Arc<Instance<'t>>> {
    let module = ground.terragrunt.get(path)?;
    let context = Context { unit: unit.to_owned(), path: path.to_owned(), depth, includes: OnceLock::new() };
    Some(Instance::of_terragrunt(module, context))
}

/// A path as Terragrunt writes it, from the tree's root.
fn located(folder: &str, path: &str) -> Option<String> {
    match path.strip_prefix(REPOSITORY) {
        Some(rest) => source::join("", rest),
        None if path.starts_with('/') => None,
        None => source::join(folder, path),
    }
}

fn absolute(path: &str) -> Value {
    Value::known(&*format!("{REPOSITORY}/{path}").trim_end_matches('/').to_owned())
}

impl<'t> Env<'_, 't> {
    /// The configurations that the file at hand includes, in order, by the names of their blocks.
    fn includes(&self, work: &mut Work) -> Vec<Included<'t>> {
        let Some(context) = &self.at.terragrunt else { return Vec::new() };
        if let Some(known) = context.includes.get() {
            return known.clone();
        }
        let found: Vec<Included<'t>> = self
            .at
            .module
            .others_of("include")
            .filter_map(|(file, block)| {
                let path = Env { file, ..*self }.value(&block.body.attribute("path")?.value, work);
                let path = located(&context.unit, path.as_str()?)?;
                // Only the unit's own file includes.
                if path == context.path || context.depth > 0 {
                    return None;
                }
                Some((block.label(0).unwrap_or(""), opened(self.ground, &path, &context.unit, context.depth + 1)?))
            })
            .collect();
        context.includes.get_or_init(|| found).clone()
    }

    /// `include.<name>`, `dependency`, `feature`…
    pub(super) fn terragrunt_name(&self, name: &str) -> Option<Node<'t>> {
        self.at.terragrunt.as_ref()?;
        match name {
            "include" => Some(Node::Includes),
            "feature" => Some(Node::Features),
            "dependency" | "values" => {
                Some(Node::Value(Value::unknown(format!("`{name}` comes from Terragrunt at run time"))))
            }
            _ => None,
        }
    }

    /// `include.<name>` and, for one without a name, its members at once.
    pub(super) fn included(&self, name: &str, work: &mut Work) -> Node<'t> {
        let includes = self.includes(work);
        let found = includes.iter().find(|(label, _)| *label == name);
        if let Some((_, instance)) = found {
            return Node::Configuration(instance.clone());
        }
        match includes.iter().find(|(label, _)| label.is_empty()) {
            Some((_, instance)) => Node::Value(self.configuration(instance, name, work)),
            None => Node::Value(Value::unknown(format!("`include.{name}` is not declared"))),
        }
    }

    /// A member of a configuration that was read: `locals`, `inputs`.
    pub(super) fn configuration(&self, at: &Arc<Instance<'t>>, name: &str, work: &mut Work) -> Value {
        let env = Env { at, scope: None, this: None, ..*self };
        match name {
            "locals" => {
                let locals = at.module.locals.iter().enumerate();
                Value::map(
                    locals.map(|(index, local)| ((&*local.attribute.name).into(), env.local(index, work))).collect(),
                )
            }
            name => match at.module.attributes.iter().find(|(_, attribute)| &*attribute.name == name) {
                Some((file, attribute)) => Env { file: *file, ..env }.value(&attribute.value, work),
                None => Value::unknown(format!("`{name}` of what is included is not looked at")),
            },
        }
    }

    /// `feature.<name>.value`: its default.
    pub(super) fn feature(&self, name: &str, work: &mut Work) -> Value {
        let block = |at: &Arc<Instance<'t>>| -> Option<(FileId, &'t Block)> {
            at.module.others_of("feature").find(|(_, block)| block.label(0) == Some(name))
        };
        let own = std::iter::once(self.at.clone());
        let included: Vec<_> = self.includes(work).into_iter().map(|(_, instance)| instance).collect();
        let found = own.chain(included).find_map(|at| Some((block(&at)?, at)));
        let value = found.and_then(|((file, block), at)| {
            let default = block.body.attribute("default")?;
            Some(Env { file, at: &at, scope: None, this: None, ..*self }.value(&default.value, work))
        });
        let value = value.unwrap_or_else(|| Value::unknown(format!("feature `{name}` has no default here")));
        Value::map(vec![("value".into(), value)])
    }

    /// The functions of Terragrunt; none outside its files, or when it is another function.
    pub(super) fn terragrunt_call(&self, name: &str, args: &[Expr], work: &mut Work) -> Option<Outcome> {
        let context = self.at.terragrunt.as_ref()?;
        let own = source::folder(&context.path);
        let mut text = |at: usize| args.get(at).map(|arg| self.eval(arg, work));
        Some(match name {
            "find_in_parent_folders" => {
                let (wanted, fallback) = (text(0), text(1));
                self.find_in_parent_folders(&context.unit, wanted, fallback)
            }
            "read_terragrunt_config" => {
                let (path, fallback) = (text(0)?, text(1));
                self.read_configuration(context, path, fallback, work)
            }
            "get_env" => match (text(0)?, text(1)) {
                (_, Some(default)) => default,
                (Ok(name), None) => {
                    let name = name.scalar().unwrap_or_default();
                    Ok(Value::unknown(format!("the environment variable {name} is set where Terragrunt runs")))
                }
                (refused, None) => refused,
            },
            "path_relative_to_include" | "path_relative_from_include" | "get_parent_terragrunt_dir" => {
                let parent = if own == context.unit {
                    let label = args.first().and_then(constant);
                    let includes = self.includes(work);
                    let found = includes.iter().find(|(name, _)| label.is_none_or(|label| label == *name));
                    found.map(|(_, instance)| instance.module.folder.clone())
                } else {
                    Some(own.to_owned())
                };
                let parent = parent.unwrap_or_else(|| context.unit.clone());
                Ok(match name {
                    "path_relative_to_include" => Value::known(&*relative(&parent, &context.unit)),
                    "path_relative_from_include" => Value::known(&*relative(&context.unit, &parent)),
                    _ => absolute(&parent),
                })
            }
            "get_terragrunt_dir" | "get_original_terragrunt_dir" => Ok(absolute(&context.unit)),
            "get_repo_root" => Ok(absolute("")),
            "get_path_from_repo_root" => Ok(Value::known(&*context.unit)),
            "get_path_to_repo_root" => Ok(Value::known(&*relative(&context.unit, ""))),
            "get_aws_account_id"
            | "get_aws_account_alias"
            | "get_aws_caller_identity_arn"
            | "get_aws_caller_identity_user_id"
            | "run_cmd"
            | "sops_decrypt_file"
            | "get_platform"
            | "get_terraform_command"
            | "get_terraform_cli_args"
            | "get_working_dir"
            | "get_default_retryable_errors"
            | "get_terragrunt_source_cli_flag"
            | "get_terraform_commands_that_need_vars"
            | "get_terraform_commands_that_need_input" => {
                Ok(Value::unknown(format!("{name}() is answered when Terragrunt runs")))
            }
            _ => return None,
        })
    }

    /// The nearest file of a name above a folder.
    fn find_in_parent_folders(&self, unit: &str, wanted: Option<Outcome>, fallback: Option<Outcome>) -> Outcome {
        let wanted = wanted.transpose()?;
        let names: Vec<Arc<str>> = match &wanted {
            None => vec!["terragrunt.hcl".into(), "root.hcl".into()],
            Some(name) => match name.scalar() {
                Some(name) => vec![name],
                None => return Ok(super::eval::several(name)),
            },
        };
        let mut folder = unit;
        while !folder.is_empty() {
            folder = source::folder(folder);
            let there = |path: &String| {
                let inside = if path.is_empty() { String::new() } else { format!("{path}/") };
                self.ground.files.find(path).is_some()
                    || !self.ground.files.below(inside.trim_end_matches('/')).is_empty()
            };
            if let Some(path) = names.iter().filter_map(|name| source::join(folder, name)).find(there) {
                return Ok(absolute(&path));
            }
        }
        match (fallback, names.first()) {
            (Some(fallback), _) => fallback,
            (None, Some(name)) => Err(format!("no folder above {unit} has {name}").into()),
            (None, None) => Err(Reason::from("find_in_parent_folders() needs a name")),
        }
    }

    /// `read_terragrunt_config(path, default)`
    fn read_configuration(
        &self,
        context: &Context<'t>,
        path: Outcome,
        fallback: Option<Outcome>,
        work: &mut Work,
    ) -> Outcome {
        let path = path?;
        let Some(text) = path.as_str() else { return Ok(super::eval::several(&path)) };
        let Some(located) = located(&context.unit, text) else {
            return Ok(Value::unknown(format!("{text} lies outside this repository")));
        };
        if context.depth >= MAX_DEPTH {
            return Ok(Value::unknown("configurations read one another too deeply"));
        }
        let folder = source::folder(&located).to_owned();
        let Some(instance) = opened(self.ground, &located, &folder, context.depth + 1) else {
            return fallback.unwrap_or_else(|| Ok(Value::unknown(format!("{text} is not in this repository"))));
        };
        let members = ["locals", "inputs"].map(|name| (name.into(), self.configuration(&instance, name, work)));
        Ok(Value::map(members.into()))
    }
}

type Inputs<'t> = Vec<(Arc<Instance<'t>>, FileId, &'t Expr)>;

/// The `inputs` of a unit and of what it includes, nearest first.
fn inputs<'t>(unit: &Unit<'t>) -> Inputs<'t> {
    let nearest_first = std::iter::once(&unit.instance).chain(&unit.includes);
    nearest_first
        .flat_map(|instance| {
            let inputs = instance.module.attributes.iter().filter(|(_, attribute)| &*attribute.name == "inputs");
            inputs.map(|(file, attribute)| (instance.clone(), *file, &attribute.value))
        })
        .collect()
}

impl<'t> Terraform<'t> {
    /// What a unit gives for an input of its module, by path; absent when it gives nothing.
    #[must_use]
    pub fn input(&self, unit: &Unit<'t>, path: &str) -> Value {
        let (name, rest) = super::view::head(path);
        let env = Env::new(&self.ground, &unit.instance);
        let value = env.input(&inputs(unit), name, &mut Work::default());
        value.map_or_else(Value::absent, |value| super::view::descend(value, rest))
    }
}

/// The module that Terragrunt runs for a unit, with the unit's inputs; variable files win over them, as they come by the
/// environment.
pub(super) fn run_by<'t>(ground: &Ground<'t>, unit: &Unit<'t>, values: &Values<'_, 't>) -> Option<Arc<Instance<'t>>> {
    let module = ground.module(unit.module.as_ref()?)?;
    let inputs = inputs(unit);
    let mut given = HashMap::new();
    if !inputs.is_empty() {
        let names = module.variables.iter().map(|variable| variable.label(0));
        let shared: Arc<[_]> = inputs.into();
        given.extend(names.map(|name| (name, Given::Inputs(shared.clone()))));
    }
    let loaded = values.given(ground, module).into_iter().filter(|(_, one)| matches!(one, Given::File(..)));
    let (files, vars) = extra_arguments(ground, unit);
    let value = |name: &str, value: Value| {
        let variable = module.variables.get(module.variable(name)?)?;
        Some((variable.label(0), Given::Runs(vec![Alternative::Value(runs::Given(value))])))
    };
    given.extend(vars.iter().filter(|(_, _, flag)| !flag).filter_map(|(name, text, _)| value(name, text.clone())));
    given.extend(loaded);
    for path in files {
        given.extend(values.in_file(&path));
    }
    given.extend(vars.iter().filter(|(_, _, flag)| *flag).filter_map(|(name, text, _)| value(name, text.clone())));
    Some(Instance::of_unit(module, &unit.folder, given))
}

/// A variable, its value, and whether a flag gives it (else the environment).
type Extra = (String, Value, bool);

/// The variable files and variables that `extra_arguments` of a unit and its includes name, in order.
fn extra_arguments<'t>(ground: &Ground<'t>, unit: &Unit<'t>) -> (Vec<String>, Vec<Extra>) {
    let (mut paths, mut vars) = (Vec::new(), Vec::new());
    for instance in unit.includes.iter().rev().chain([&unit.instance]) {
        for (file, block) in instance.module.setting_blocks("extra_arguments") {
            let env = Env { file, ..Env::new(ground, instance) };
            let value = |name: &str| {
                let attribute = block.body.attribute(name);
                attribute.map(|attribute| env.value(&attribute.value, &mut Work::default())).unwrap_or_default()
            };
            let listed = |name: &str| value(name).as_list().map(|list| list.items.clone()).unwrap_or_default();
            let files = listed("required_var_files").into_iter().chain(listed("optional_var_files"));
            paths.extend(files.filter_map(|path| located(&unit.folder, path.as_str()?)));
            let environment = value("env_vars");
            for (name, value) in environment.as_map().into_iter().flat_map(|map| &map.entries) {
                vars.extend(name.strip_prefix("TF_VAR_").map(|name| (name.to_owned(), value.clone(), false)));
            }
            let arguments = listed("arguments");
            for (at, argument) in arguments.iter().enumerate() {
                let Some(text) = argument.as_str() else { continue };
                let (flag, inline) = text.split_once('=').map_or((text, None), |(flag, rest)| (flag, Some(rest)));
                let next = || arguments.get(at + 1).and_then(Value::as_str);
                match (flag, inline.or_else(next)) {
                    ("-var-file", Some(path)) => paths.extend(located(&unit.folder, path)),
                    ("-var", Some(pair)) => {
                        vars.extend(
                            pair.split_once('=').map(|(name, value)| (name.to_owned(), Value::known(value), true)),
                        );
                    }
                    _ => {}
                }
            }
        }
    }
    (paths, vars)
}

impl<'t> Env<'_, 't> {
    /// What the `inputs` of a unit and its includes give for a variable; what lies nearer wins.
    pub(super) fn input(
        &self,
        inputs: &[(Arc<Instance<'t>>, FileId, &'t Expr)],
        name: &str,
        work: &mut Work,
    ) -> Option<Value> {
        for (unit, file, expr) in inputs {
            let env = Env { at: unit, file: *file, ..*self };
            if let crate::syntax::hcl::ExprKind::Object(members) = &expr.kind {
                let member = members.iter().rev().find(|(key, _)| constant(&key.expr) == Some(name));
                if let Some((_, value)) = member {
                    return Some(env.value(value, work));
                }
                if members.iter().all(|(key, _)| constant(&key.expr).is_some()) {
                    continue;
                }
            }
            let whole = env.value(expr, work);
            let found = super::view::argument(whole.get(name));
            // An unknown map may hold it or not.
            if !found.is_absent() || matches!(whole.data(), Some(Data::Map(map)) if map.get(name).is_some()) {
                return Some(found);
            }
        }
        None
    }
}
