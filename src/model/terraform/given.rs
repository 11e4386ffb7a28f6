//! What roots are given for their variables: variable files and flags.

use super::instance::{Alternative, Given};
use super::module::Module;
use super::runs::{Argument, Run};
use super::{Ground, Source, SourceKind};
use crate::source;
use crate::syntax::hcl::{self, Expr};
use crate::text::FileId;
use std::collections::HashMap;

/// The variable files of a tree.
pub(super) struct Values<'s, 't> {
    /// Those that Terraform loads by itself, in the order of loading within each folder.
    automatic: Vec<&'s Source<'t>>,
    others: Vec<&'s Source<'t>>,
}

fn rank(path: &str) -> Option<u8> {
    match source::file_name(path) {
        "terraform.tfvars" => Some(0),
        "terraform.tfvars.json" => Some(1),
        name if name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json") => Some(2),
        _ => None,
    }
}

/// Whether a path lies in a folder or below it.
fn lies_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a variable file elsewhere carries the root's name and fills nothing but its variables: `vars/db.tfvars` of `stacks/db`.
fn is_namesake(source: &Source<'_>, module: &Module<'_>) -> bool {
    let name = source::file_name(source.path);
    let stem = name.strip_suffix(".json").unwrap_or(name).trim_end_matches(".tfvars");
    let attributes = &source.tree.body.attributes;
    stem == source::file_name(&module.folder)
        && !attributes.is_empty()
        && attributes.iter().all(|attribute| module.variable(&attribute.name).is_some())
}

type Found<'t> = HashMap<&'t str, Vec<(FileId, &'t Expr)>>;

fn collect<'s, 't: 's>(files: impl Iterator<Item = &'s Source<'t>>) -> Found<'t> {
    let mut found = Found::new();
    for source in files {
        for attribute in &source.tree.body.attributes {
            found.entry(&*attribute.name).or_default().push((source.file, &attribute.value));
        }
    }
    found
}

impl<'s, 't> Values<'s, 't> {
    pub(super) fn new(sources: &'s [Source<'t>]) -> Self {
        let values = sources.iter().filter(|source| source.kind == SourceKind::Variables);
        let (mut automatic, others): (Vec<&Source<'t>>, Vec<&Source<'t>>) =
            values.partition(|source| rank(source.path).is_some());
        automatic.sort_by_key(|source| (source::folder(source.path), rank(source.path), source.path));
        Self { automatic, others }
    }

    /// The folders with files that Terraform loads by itself.
    pub(super) fn folders(&self) -> Vec<&'t str> {
        self.automatic.iter().map(|source| source::folder(source.path)).collect()
    }

    /// What a root is given; later ones win.
    pub(super) fn given(&self, ground: &Ground<'t>, module: &Module<'t>) -> HashMap<&'t str, Given<'t>> {
        let folder = module.folder.as_str();
        let mut given = HashMap::new();
        let runs = ground.options.runs.get(folder).map_or(&[][..], Vec::as_slice);
        let runs: Vec<&Run> = runs.iter().filter(|run| run.evaluates).collect();
        if !runs.iter().any(|run| run.has_files()) {
            let near = self
                .others
                .iter()
                .copied()
                .filter(|source| lies_below(source.path, folder) || is_namesake(source, module));
            given.extend(collect(near).into_iter().map(|(name, values)| (name, Given::Perhaps(values))));
        }
        let first = self.automatic.partition_point(|source| source::folder(source.path) < folder);
        let beside = self.automatic.get(first..).unwrap_or(&[]);
        for source in beside.iter().take_while(|source| source::folder(source.path) == folder) {
            for attribute in &source.tree.body.attributes {
                given.insert(&*attribute.name, Given::File(source.file, &attribute.value));
            }
        }
        for variable in &module.variables {
            let name = variable.label(0);
            let alternatives = self.by_runs(&runs, name, given.get(name));
            if !alternatives.is_empty() {
                given.insert(name, Given::Runs(alternatives));
            }
        }
        given
    }

    /// What one variable file gives.
    pub(super) fn in_file(&self, path: &str) -> Vec<(&'t str, Given<'t>)> {
        let source = self.automatic.iter().chain(&self.others).find(|source| source.path == path);
        let attributes = source.into_iter().flat_map(|source| {
            let tree: &'t hcl::File = source.tree;
            tree.body.attributes.iter().map(|attribute| (source.file, attribute))
        });
        attributes.map(|(file, attribute)| (&*attribute.name, Given::File(file, &attribute.value))).collect()
    }

    /// What each run gives for a variable, each once; nothing when no run gives it.
    fn by_runs(&self, runs: &[&Run], name: &str, base: Option<&Given<'t>>) -> Vec<Alternative<'t>> {
        let mut found: Vec<Alternative<'t>> = Vec::new();
        let mut given = false;
        for run in runs {
            let alternative = self.by_run(run, name);
            given |= alternative.is_some();
            let by_environment = || run.environment.iter().rev().find(|(variable, _)| variable == name);
            let alternative = alternative.unwrap_or_else(|| match (base, by_environment()) {
                (Some(Given::File(file, expr)), _) => Alternative::File(*file, expr),
                (_, Some((_, value))) => {
                    given = true;
                    Alternative::Value(value.clone())
                }
                _ => Alternative::Default,
            });
            if !found.contains(&alternative) {
                found.push(alternative);
            }
        }
        if given { found } else { Vec::new() }
    }

    /// What the command line of one run gives: the last one that speaks of the variable.
    fn by_run(&self, run: &Run, name: &str) -> Option<Alternative<'t>> {
        run.arguments.iter().rev().find_map(|argument| match argument {
            Argument::Value(variable, value) => (variable == name).then(|| Alternative::Value(value.clone())),
            Argument::File(path) => {
                let source = self.automatic.iter().chain(&self.others).find(|source| source.path == path)?;
                let attribute = source.tree.body.attribute(name)?;
                Some(Alternative::File(source.file, &attribute.value))
            }
        })
    }
}
