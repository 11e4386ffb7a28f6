//! Packer: templates with their sources, plugins and builds, as Packer would resolve them.

mod input;
mod legacy;
mod native;
mod runs;
mod script;
#[cfg(test)]
mod tests;
mod text;

pub use script::{Inline, Script};
pub use text::{Text, Upload};

use super::ansible::Pattern;
use super::command::Command;
use super::kind::Kind;
use super::load::Documents;
use crate::source::Tree;
use crate::text::{FileId, Loc};
use crate::value::{Data, Reason, Value};

/// All Packer templates of a tree.
#[derive(Debug, Default)]
pub struct Packer<'a> {
    /// One for each folder of `*.pkr.hcl` and one for each JSON template, in path order.
    pub templates: Vec<Template<'a>>,
}

/// What `packer build` reads as one.
#[derive(Debug)]
pub struct Template<'a> {
    /// Its folder (`""`: the root of the tree).
    pub folder: &'a str,
    /// Its files, in path order.
    pub files: Vec<FileId>,
    /// Whether it is written in the older JSON form.
    pub json: bool,
    /// The sources (JSON: builders), those that a build overrides with what it overrides.
    pub sources: Vec<Source>,
    /// `data` blocks.
    pub data: Vec<Source>,
    /// What `required_plugins` asks for.
    pub plugins: Vec<Plugin>,
    /// The builds; a JSON template has exactly one.
    pub builds: Vec<Build>,
    /// The tree that its scripts lie in.
    tree: &'a Tree,
}

/// A `source` block, a JSON builder, or a `data` block.
#[derive(Clone, Debug)]
pub struct Source {
    /// `proxmox-clone`, `docker`, `amazon-ebs`…
    pub builder: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// `source.proxmox-clone.base`
    pub address: String,
    /// The header of the block.
    pub loc: Loc,
    /// All arguments and nested blocks.
    arguments: Value,
    /// Where arguments are written, by path.
    places: Vec<(String, Loc)>,
}

/// A plugin that a template asks for.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// The name that the template gives it.
    pub name: Box<str>,
    /// Where it comes from.
    pub source: Value,
    /// The version constraint; absent when there is none.
    pub version: Value,
    /// The constraint, else the plugin's entry.
    pub loc: Loc,
}

/// A `build` block.
#[derive(Clone, Debug)]
pub struct Build {
    /// Its name; absent when it has none.
    pub name: Value,
    /// The header of the block.
    pub loc: Loc,
    /// The addresses of the sources that it builds.
    pub sources: Vec<String>,
    /// Why there may be more sources.
    pub open: Option<Reason>,
    /// What runs in the guest (and on the build host), in order.
    pub provisioners: Vec<Provisioner>,
    /// What is done with the artefact, in order.
    pub post_processors: Vec<Provisioner>,
}

/// A provisioner or post-processor.
#[derive(Clone, Debug)]
pub struct Provisioner {
    /// `shell`, `file`, `ansible`, `docker-tag`…
    pub kind: Box<str>,
    /// The header of the block.
    pub loc: Loc,
    /// The sources that it is limited to.
    pub only: Value,
    /// The sources that it is left out for.
    pub except: Value,
    /// The commands written in it, one text for each file that they stand in.
    pub inline: Vec<Inline>,
    /// The scripts that it runs.
    pub scripts: Vec<Script>,
    /// The playbooks that it runs.
    pub playbooks: Vec<Script>,
    /// What a `file` provisioner takes (`source`, `sources`).
    pub taken: Vec<Value>,
    /// Where it puts it.
    pub destination: Value,
    /// The content it writes.
    pub content: Value,
    /// All arguments and nested blocks.
    pub arguments: Value,
}

/// Arguments that give the guest other groups, or another inventory, than `groups` says.
const OTHER_HOSTS: [&str; 4] = ["inventory_file", "inventory_directory", "inventory_file_template", "inventory_groups"];

impl Provisioner {
    /// Whether a play with this pattern runs on the guest: as `ansible` names it, and in the groups that it is put into. Where the
    /// inventory is another, it may.
    #[must_use]
    pub fn plays_on(&self, pattern: &Pattern) -> bool {
        let groups = self.arguments.get("groups");
        let listed = groups.as_list().map(|list| list.items.iter().map(Value::as_str).collect::<Option<Vec<&str>>>());
        let alias = self.arguments.get("host_alias");
        let (Some(Some(groups)), "ansible") = (listed, &*self.kind) else { return true };
        let extra = self.arguments.get("extra_arguments");
        let inventory = extra.as_list().is_some_and(|list| {
            list.items
                .iter()
                .any(|item| item.as_str().is_none_or(|text| text == "-i" || text.starts_with("--inventory")))
        });
        let other = inventory || OTHER_HOSTS.iter().any(|name| !self.arguments.get(name).is_absent());
        let alias = if alias.is_absent() { Some("default") } else { alias.as_str() };
        other || pattern.dynamic || alias.is_none_or(|alias| pattern.matches(alias, &groups))
    }
}

impl<'a> Packer<'a> {
    /// Reads every template of the documents; no command is known to build it.
    #[must_use]
    pub fn build(documents: &'a Documents<'a>) -> Self {
        Self::run_by(documents, &[])
    }

    /// The same, run as these commands run it.
    #[must_use]
    pub fn run_by(documents: &'a Documents<'a>, commands: &[Command]) -> Self {
        let tree = documents.tree;
        let named = |kinds: &[Kind]| -> Vec<&'a str> { documents.of(kinds).map(|it| tree.path(it.file)).collect() };
        let paths = named(&[Kind::Packer, Kind::PackerJson]);
        if paths.is_empty() {
            return Self::default();
        }
        let mut files = named(&[Kind::PackerVariables]);
        // Those of JSON templates are JSON files like any other.
        files.extend(
            tree.iter()
                .map(|(_, file)| &*file.path)
                .filter(|path| path.rsplit_once('.').is_some_and(|(_, suffix)| suffix == "json")),
        );
        let runs = runs::runs(commands, &paths, &files, &|command| tree.path(command.loc.file));
        let mut templates = native::templates(documents, &runs);
        for document in documents.of(&[Kind::PackerJson]) {
            if let Some(yaml) = document.yaml() {
                let runs = runs.get(tree.path(document.file)).map_or(&[][..], Vec::as_slice);
                templates.extend(legacy::template(tree, document.file, yaml, runs));
            }
        }
        templates.sort_by_key(|template| template.files.first().copied());
        Self { templates }
    }

    /// Every source with its template.
    pub fn sources(&self) -> impl Iterator<Item = (&Template<'a>, &Source)> {
        self.templates.iter().flat_map(|template| template.sources.iter().map(move |source| (template, source)))
    }

    /// Every build with its template.
    pub fn builds(&self) -> impl Iterator<Item = (&Template<'a>, &Build)> {
        self.templates.iter().flat_map(|template| template.builds.iter().map(move |build| (template, build)))
    }
}

impl Template<'_> {
    /// A source by its address.
    #[must_use]
    pub fn source(&self, address: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.address == address)
    }
}

impl Source {
    /// An argument by dotted path; through a repeated block, of its first.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        path.split('.').fold(self.arguments.clone(), |value, key| within(&value, key))
    }

    /// All arguments and nested blocks.
    #[must_use]
    pub fn arguments(&self) -> &Value {
        &self.arguments
    }

    /// Where an argument is written (name and value); the header of the source when it is not.
    #[must_use]
    pub fn place(&self, path: &str) -> Loc {
        self.places.iter().find(|(own, _)| own == path).map_or(self.loc, |(_, loc)| *loc)
    }

    /// The same source with what a build says differently.
    fn overridden(&self, by: &Self) -> Self {
        let mut merged = self.clone();
        let (Some(own), Some(new)) = (self.arguments.as_map(), by.arguments.as_map()) else { return merged };
        let kept = own.entries.iter().filter(|(name, _)| new.get(name).is_none());
        let open = own.open.clone().or_else(|| new.open.clone());
        let entries = kept.chain(&new.entries).cloned().collect();
        merged.arguments.kind =
            crate::value::Kind::Known(Data::Map(crate::value::Map { entries, open, ..Default::default() }.into()));
        merged.places = by.places.iter().chain(&self.places).cloned().collect();
        merged
    }
}

/// A member of a map, or of the first map of a list.
fn within(value: &Value, key: &str) -> Value {
    match value.as_list() {
        Some(list) => match (list.items.first(), &list.open) {
            (Some(first), _) => first.get(key),
            (None, Some(reason)) => Value::unknown(reason.clone()),
            (None, None) => Value::absent(),
        },
        None => value.get(key),
    }
}

impl Build {
    /// The name, else the first source.
    #[must_use]
    pub fn label(&self) -> String {
        match self.name.as_str() {
            Some(name) => name.to_owned(),
            None => self.sources.first().cloned().unwrap_or_else(|| "this build".to_owned()),
        }
    }
}
