//! How the commands of a repository run Packer: on which templates, with which variables and variable files.

use crate::model::command::path::{self, Bound, MAX_FITTING, Place, fitting, multiply};
use crate::model::command::{Command, Flag, Site};
use crate::model::terraform::assignment;
use crate::source;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One command line that a template is built or checked with: its variables, the last one wins.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub(super) arguments: Vec<Argument>,
    /// A variable file that it names is not here: what it is given is not known.
    lost: bool,
}

/// What gives a variable its value.
#[derive(Clone, Debug)]
pub(super) enum Argument {
    /// A variable file, by its path in the tree.
    File(String),
    /// A variable and its value.
    Value(String, Value),
}

/// Folders of HCL templates and paths of JSON templates, each with how it is run.
pub(super) type Runs = BTreeMap<String, Vec<Run>>;

/// The runs that commands make; `templates` are the paths of template files, `path` gives the path of a command's file.
pub(super) fn runs<'a>(
    commands: &'a [Command],
    templates: &[&'a str],
    var_files: &[&'a str],
    path: &dyn Fn(&Command) -> &'a str,
) -> Runs {
    let mut places: Vec<&str> = templates.to_vec();
    places.extend(templates.iter().filter(|path| path.ends_with(".pkr.hcl")).map(|path| source::folder(path)));
    places.sort_unstable();
    places.dedup();
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    for template in templates {
        let mut folder = source::folder(template);
        folders.insert(folder);
        while !folder.is_empty() {
            folder = source::folder(folder);
            folders.insert(folder);
        }
    }
    let reader = Reader { places, folders, var_files };
    let mut found = Runs::new();
    for scope in commands.chunk_by(|a, b| a.loc.file == b.loc.file && a.scope == b.scope) {
        if let Some(first) = scope.iter().find(|command| builds(command)) {
            reader.scope(scope, path(first), &mut found);
        }
    }
    for runs in found.values_mut() {
        runs.retain(|run| !run.lost);
    }
    found.retain(|_, runs| !runs.is_empty());
    found
}

/// Whether a command reads a template with its values.
fn builds(command: &Command) -> bool {
    let sub = command.sub.first().map_or("", |sub| &**sub);
    &*command.program == "packer"
        && !command.nested()
        && matches!(sub, "build" | "validate" | "inspect" | "console")
        && command.flag("syntax-only").is_none()
}

struct Reader<'a, 'v> {
    places: Vec<&'a str>,
    folders: BTreeSet<&'a str>,
    var_files: &'v [&'a str],
}

impl Reader<'_, '_> {
    fn scope(&self, commands: &[Command], path: &str, found: &mut Runs) {
        let own = source::folder(path);
        let bases = match commands.first().map(|command| &command.site) {
            Some(Site::Ci { .. }) => ["", own],
            _ => [own, ""],
        };
        let bases: Vec<Place> =
            bases.iter().map(|folder| Place { folder: (*folder).to_owned(), bound: Bound::new() }).collect();
        let mut here: Vec<Place> = Vec::new();
        let to = |from: &[Place], path: &Value, command: &Command| {
            path::folders(&self.folders, &str::to_owned, from, path, &command.defaults)
        };
        for command in commands {
            if let Some(folder) = &command.folder {
                here = to(&bases, folder, command);
            }
            match &*command.program {
                "cd" | "pushd" => {
                    let Some(path) = command.operands.first() else { continue };
                    let next = to(&here, path, command);
                    here = if next.is_empty() { to(&bases, path, command) } else { next };
                }
                "popd" => here = Vec::new(),
                _ if builds(command) => {
                    let at = if here.is_empty() { &bases } else { &here };
                    self.command(command, at, &bases, found);
                }
                _ => {}
            }
        }
    }

    fn command(&self, command: &Command, at: &[Place], bases: &[Place], found: &mut Runs) {
        let Some(template) = command.operands.last() else { return };
        let Some(place) = at.first() else { return };
        let templates = fitting(template, place, &place.bound, bases, &command.defaults, &self.places);
        for (template, bound) in templates {
            let mut runs = vec![(Run::default(), bound)];
            for (name, value) in &command.env {
                let Some(name) = name.strip_prefix("PKR_VAR_") else { continue };
                for (run, _) in &mut runs {
                    run.arguments.push(Argument::Value(name.to_owned(), value.clone()));
                }
            }
            for flag in &command.flags {
                self.flag(flag, place, bases, command, &mut runs);
            }
            let key = if template.ends_with(".pkr.hcl") { source::folder(&template).to_owned() } else { template };
            let all = found.entry(key).or_default();
            for (mut run, bound) in runs.into_iter().take(MAX_FITTING.saturating_sub(all.len())) {
                for argument in &mut run.arguments {
                    if let Argument::Value(_, value) = argument {
                        *value = path::settled(value, &command.defaults, &bound);
                    }
                }
                all.push(run);
            }
        }
    }

    fn flag(&self, flag: &Flag, place: &Place, bases: &[Place], command: &Command, runs: &mut Vec<(Run, Bound)>) {
        match flag.name.trim_start_matches('-') {
            "var" => {
                let Some((name, value)) = assignment(&flag.value) else { return };
                for (run, _) in runs {
                    run.arguments.push(Argument::Value(name.clone(), value.clone()));
                }
            }
            "var-file" => multiply(
                runs,
                |bound| fitting(&flag.value, place, bound, bases, &command.defaults, self.var_files),
                |run, path| match path {
                    Some(path) => run.arguments.push(Argument::File(path)),
                    None => run.lost = true,
                },
            ),
            _ => {}
        }
    }
}
