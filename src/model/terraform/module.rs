//! A module: the Terraform files of one folder, overrides merged, before any value is looked at.

use super::{Source, SourceKind};
use crate::source;
use crate::syntax::hcl::{Attribute, Block, Body, Expr, ExprKind, File};
use crate::text::{FileId, Loc};
use std::collections::HashMap;

/// Whether a declaration manages something or only reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// `resource`
    Managed,
    /// `data`
    Data,
    /// `ephemeral`
    Ephemeral,
}

/// A block with everything that override files put into it.
#[derive(Debug)]
pub struct Declared<'t> {
    /// The file of the first declaration.
    pub file: FileId,
    /// The first declaration.
    pub block: &'t Block,
    /// The arguments in force, each name once.
    pub attributes: Vec<(FileId, &'t Attribute)>,
    /// The nested blocks in force.
    pub blocks: Vec<(FileId, &'t Block)>,
}

/// A resource, data source or ephemeral resource as declared, before `count` and `for_each`.
#[derive(Debug)]
pub struct ResourceDecl<'t> {
    /// Whether it manages or reads.
    pub mode: Mode,
    /// The type.
    pub ty: &'t str,
    /// The name.
    pub name: &'t str,
    /// The block.
    pub decl: Declared<'t>,
}

/// A `module` block.
#[derive(Debug)]
pub struct Call<'t> {
    /// The name.
    pub name: &'t str,
    /// The block.
    pub decl: Declared<'t>,
    /// `source` as written, when it is a constant.
    pub source: Option<&'t str>,
    /// The folder that a relative `source` names, when it lies in this repository.
    pub folder: Option<String>,
}

/// A local value.
#[derive(Debug)]
pub struct Local<'t> {
    /// The file.
    pub file: FileId,
    /// Its name and expression.
    pub attribute: &'t Attribute,
}

/// The Terraform files of one folder.
#[derive(Debug, Default)]
pub struct Module<'t> {
    /// Relative to the tree's root; `""` at the root.
    pub folder: String,
    /// Its configuration files, in path order.
    pub files: Vec<FileId>,
    /// `variable` blocks.
    pub variables: Vec<Declared<'t>>,
    /// Every entry of every `locals` block.
    pub locals: Vec<Local<'t>>,
    /// `resource`, `data` and `ephemeral` blocks.
    pub resources: Vec<ResourceDecl<'t>>,
    /// `module` blocks.
    pub calls: Vec<Call<'t>>,
    /// `output` blocks.
    pub outputs: Vec<Declared<'t>>,
    /// `provider` blocks.
    pub providers: Vec<Declared<'t>>,
    /// `terraform` blocks.
    pub settings: Vec<(FileId, &'t Block)>,
    /// All else: `moved`, `removed`, `import`, `check`, `action`…
    pub others: Vec<(FileId, &'t Block)>,
    /// Attributes outside any block (Terragrunt's `inputs`).
    pub attributes: Vec<(FileId, &'t Attribute)>,
    index: HashMap<(Table, &'t str), usize>,
    resource_index: HashMap<(Mode, &'t str, &'t str), usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Table {
    Variable,
    Local,
    Call,
    Output,
}

impl<'t> Declared<'t> {
    fn new(file: FileId, block: &'t Block) -> Self {
        let mut attributes: Vec<(FileId, &'t Attribute)> = Vec::with_capacity(block.body.attributes.len());
        attributes.extend(block.body.attributes.iter().map(|attribute| (file, attribute)));
        Self { file, block, attributes, blocks: block.body.blocks.iter().map(|block| (file, block)).collect() }
    }

    /// Puts an override over it: arguments replace arguments, nested blocks replace all of their kind; `lifecycle` merges.
    fn override_with(&mut self, file: FileId, block: &'t Block) {
        for attribute in &block.body.attributes {
            match self.attributes.iter_mut().find(|(_, old)| old.name == attribute.name) {
                Some(old) => *old = (file, attribute),
                None => self.attributes.push((file, attribute)),
            }
        }
        self.blocks.retain(|(_, old)| {
            &*old.kind == "lifecycle" || !block.body.blocks.iter().any(|new| shown_kind(new) == shown_kind(old))
        });
        // The later `lifecycle` is asked first.
        self.blocks.splice(0..0, block.body.blocks.iter().map(|block| (file, block)));
    }

    /// An argument in force.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<(FileId, &'t Attribute)> {
        self.attributes.iter().find(|(_, attribute)| &*attribute.name == name).copied()
    }

    /// Where a finding on it points.
    #[must_use]
    pub fn loc(&self) -> Loc {
        Loc { file: self.file, span: self.block.header }
    }

    /// A label, `""` when it is missing.
    #[must_use]
    pub fn label(&self, index: usize) -> &'t str {
        self.block.label(index).unwrap_or("")
    }
}

/// What a block is in the result: `dynamic "disk"` makes `disk`.
fn shown_kind(block: &Block) -> &str {
    if &*block.kind == "dynamic" { block.label(0).unwrap_or("dynamic") } else { &block.kind }
}

/// The constant string of an expression.
pub(super) fn constant(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Str(text) => Some(text),
        _ => None,
    }
}

impl<'t> Module<'t> {
    /// A variable by name.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<usize> {
        self.index.get(&(Table::Variable, name)).copied()
    }

    /// A local value by name.
    #[must_use]
    pub fn local(&self, name: &str) -> Option<usize> {
        self.index.get(&(Table::Local, name)).copied()
    }

    /// A module call by name.
    #[must_use]
    pub fn call(&self, name: &str) -> Option<usize> {
        self.index.get(&(Table::Call, name)).copied()
    }

    /// An output by name.
    #[must_use]
    pub fn output(&self, name: &str) -> Option<usize> {
        self.index.get(&(Table::Output, name)).copied()
    }

    /// A resource, data source or ephemeral resource.
    #[must_use]
    pub fn resource(&self, mode: Mode, ty: &str, name: &str) -> Option<usize> {
        self.resource_index.get(&(mode, ty, name)).copied()
    }

    /// Blocks of one kind inside the `terraform` blocks (`backend`, `cloud`, `required_providers`…).
    pub fn setting_blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (FileId, &'t Block)> + 'a {
        self.settings.iter().flat_map(move |(file, block)| {
            let block: &'t Block = block;
            block.body.blocks.iter().filter(move |block| &*block.kind == kind).map(|block| (*file, block))
        })
    }

    /// An argument of the `terraform` blocks (`required_version`).
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<(FileId, &'t Attribute)> {
        self.settings.iter().find_map(|(file, block)| Some((*file, block.body.attribute(name)?)))
    }

    /// The `backend` or `cloud` block in force: the last one, as override files come last.
    #[must_use]
    pub fn backend(&self) -> Option<(FileId, &'t Block)> {
        let mut blocks = self.settings.iter().flat_map(|(file, block)| {
            let block: &'t Block = block;
            block.body.blocks.iter().map(move |block| (*file, block))
        });
        blocks.rfind(|(_, block)| matches!(&*block.kind, "backend" | "cloud" | "state_store"))
    }

    /// The `required_providers` entries.
    pub fn required_providers(&self) -> impl Iterator<Item = (FileId, &'t Attribute)> + '_ {
        self.setting_blocks("required_providers")
            .flat_map(|(file, block)| block.body.attributes.iter().map(move |attribute| (file, attribute)))
    }

    /// The blocks of a kind that has no list of its own (`moved`, `removed`, `import`, `check`…).
    pub fn others_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (FileId, &'t Block)> + 'a {
        self.others.iter().filter(move |(_, block)| &*block.kind == kind).copied()
    }

    fn declare(&mut self, table: Table, name: &'t str, file: FileId, block: &'t Block, overriding: bool) {
        let found = self.index.get(&(table, name)).copied();
        let list = match table {
            Table::Variable => &mut self.variables,
            Table::Output => &mut self.outputs,
            Table::Local | Table::Call => return,
        };
        match found.and_then(|at| list.get_mut(at)) {
            Some(declared) if overriding => declared.override_with(file, block),
            Some(_) => {}
            None => {
                self.index.insert((table, name), list.len());
                list.push(Declared::new(file, block));
            }
        }
    }

    fn declare_resource(&mut self, mode: Mode, file: FileId, block: &'t Block, overriding: bool) {
        let (Some(ty), Some(name)) = (block.label(0), block.label(1)) else { return };
        let found = self.resource_index.get(&(mode, ty, name)).copied();
        match found.and_then(|at| self.resources.get_mut(at)) {
            Some(resource) if overriding => resource.decl.override_with(file, block),
            Some(_) => {}
            None => {
                self.resource_index.insert((mode, ty, name), self.resources.len());
                self.resources.push(ResourceDecl { mode, ty, name, decl: Declared::new(file, block) });
            }
        }
    }

    fn declare_call(&mut self, file: FileId, block: &'t Block, overriding: bool) {
        let Some(name) = block.label(0) else { return };
        let found = self.index.get(&(Table::Call, name)).copied();
        match found.and_then(|at| self.calls.get_mut(at)) {
            Some(call) if overriding => call.decl.override_with(file, block),
            Some(_) => {}
            None => {
                self.index.insert((Table::Call, name), self.calls.len());
                let decl = Declared::new(file, block);
                self.calls.push(Call { name, decl, source: None, folder: None });
            }
        }
    }

    fn declare_locals(&mut self, file: FileId, body: &'t Body, overriding: bool) {
        for attribute in &body.attributes {
            match self.index.get(&(Table::Local, &*attribute.name)).copied().and_then(|at| self.locals.get_mut(at)) {
                Some(local) if overriding => *local = Local { file, attribute },
                Some(_) => {}
                None => {
                    self.index.insert((Table::Local, &attribute.name), self.locals.len());
                    self.locals.push(Local { file, attribute });
                }
            }
        }
    }

    fn declare_provider(&mut self, file: FileId, block: &'t Block, overriding: bool) {
        let alias = |block: &'t Block| block.body.attribute("alias").and_then(|alias| constant(&alias.value));
        let same =
            |old: &&mut Declared<'t>| old.label(0) == block.label(0).unwrap_or("") && alias(old.block) == alias(block);
        match self.providers.iter_mut().find(same) {
            Some(declared) if overriding => declared.override_with(file, block),
            _ => self.providers.push(Declared::new(file, block)),
        }
    }

    fn add(&mut self, file: FileId, tree: &'t File, overriding: bool) {
        self.files.push(file);
        self.attributes.extend(tree.body.attributes.iter().map(|attribute| (file, attribute)));
        for block in &tree.body.blocks {
            let name = block.label(0).unwrap_or("");
            match &*block.kind {
                "variable" => self.declare(Table::Variable, name, file, block, overriding),
                "output" => self.declare(Table::Output, name, file, block, overriding),
                "locals" => self.declare_locals(file, &block.body, overriding),
                "resource" => self.declare_resource(Mode::Managed, file, block, overriding),
                "data" => self.declare_resource(Mode::Data, file, block, overriding),
                "ephemeral" => self.declare_resource(Mode::Ephemeral, file, block, overriding),
                "module" => self.declare_call(file, block, overriding),
                "provider" => self.declare_provider(file, block, overriding),
                "terraform" => self.settings.push((file, block)),
                _ => self.others.push((file, block)),
            }
        }
    }

    /// Whether `terraform init` has put it there.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        super::installed::is_installed(&self.folder)
    }

    /// Resolves where the calls lead.
    fn resolve_calls(&mut self) {
        for call in &mut self.calls {
            call.source = call.decl.attribute("source").and_then(|(_, attribute)| constant(&attribute.value));
            let relative = call.source.filter(|source| {
                source.starts_with("./") || source.starts_with("../") || matches!(*source, "." | "..")
            });
            call.folder = relative.and_then(|relative| source::join(&self.folder, relative));
        }
    }

    /// A module of one file that stands for itself (a Terragrunt unit).
    pub(super) fn single(source: &Source<'t>) -> Self {
        let mut module = Self { folder: source::folder(source.path).to_owned(), ..Self::default() };
        module.add(source.file, source.tree, false);
        module
    }
}

/// Calls whose folder is reached through a symbolic link lead to where it points.
pub(super) fn follow_links(modules: &mut [Module<'_>], files: &dyn super::Files) {
    let known: std::collections::HashSet<String> = modules.iter().map(|module| module.folder.clone()).collect();
    for call in modules.iter_mut().flat_map(|module| &mut module.calls) {
        if let Some(folder) = call.folder.as_mut().filter(|folder| !known.contains(folder.as_str())) {
            *folder = files.real(folder);
        }
    }
}

/// `name` and whether it is an override, for a configuration file name (`main_override.tf.json`).
fn stem(file_name: &str) -> (&str, &str) {
    let base = file_name.strip_suffix(".json").unwrap_or(file_name);
    base.strip_suffix(".tofu")
        .map(|stem| (stem, "tofu"))
        .or_else(|| base.strip_suffix(".tf").map(|stem| (stem, "tf")))
        .unwrap_or((base, ""))
}

/// Every folder's module, in path order.
pub(super) fn gather<'t>(sources: &[Source<'t>]) -> Vec<Module<'t>> {
    let mut configuration: Vec<&Source<'t>> =
        sources.iter().filter(|source| source.kind == SourceKind::Configuration).collect();
    configuration.sort_by_key(|source| (source::folder(source.path), source.path));
    let mut modules = Vec::new();
    for group in configuration.chunk_by(|a, b| source::folder(a.path) == source::folder(b.path)) {
        let Some(first) = group.first() else { continue };
        let mut module = Module { folder: source::folder(first.path).to_owned(), ..Module::default() };
        let names: Vec<&str> = group.iter().map(|source| source::file_name(source.path)).collect();
        // OpenTofu reads `main.tofu` instead of `main.tf`.
        let hidden = |name: &str| {
            name.contains(".tf") && names.iter().any(|other| stem(other).1 == "tofu" && stem(other).0 == stem(name).0)
        };
        let overrides = |name: &str| stem(name).0 == "override" || stem(name).0.ends_with("_override");
        for overriding in [false, true] {
            for (source, name) in group.iter().zip(&names) {
                if overrides(name) == overriding && !(stem(name).1 == "tf" && hidden(name)) {
                    module.add(source.file, source.tree, overriding);
                }
            }
        }
        module.resolve_calls();
        modules.push(module);
    }
    modules
}
