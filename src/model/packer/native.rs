//! Templates in HCL: all `*.pkr.hcl` of a folder together, variables from defaults and variable files.

use super::runs::{self, Run, Runs};
use super::script::{Lines, Script};
use super::{Build, Plugin, Provisioner, Source, Template};
use crate::model::kind::Kind;
use crate::model::load::{Document, Documents};
use crate::model::terraform::{self, BlockView, Instance, SourceKind, Terraform};
use crate::source::{self, Tree};
use crate::syntax::hcl::{Block, Expr, ExprKind};
use crate::text::{FileId, Loc};
use crate::value::{self, Data, Reason, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A variable of a template and the file that gives it a value.
type Given<'a> = (FileId, &'a Expr);

/// Every template of `*.pkr.hcl` files.
pub(super) fn templates<'a>(documents: &'a Documents<'a>, runs: &Runs) -> Vec<Template<'a>> {
    let sources = sources(documents, Kind::Packer, SourceKind::Configuration);
    if sources.is_empty() {
        return Vec::new();
    }
    let given = sources_of_values(documents);
    let plain = Terraform::build(&sources, terraform::Options::default(), documents.tree);
    let options = options(&plain, &given, runs);
    let resolved = Terraform::build(&sources, options, documents.tree);
    resolved
        .tops()
        .map(|instance| Reader { tree: documents.tree, documents, all: &resolved, instance }.template())
        .collect()
}

fn sources<'a>(documents: &'a Documents<'a>, kind: Kind, role: SourceKind) -> Vec<terraform::Source<'a>> {
    let of_kind = documents.list.iter().filter(|document| document.kind == kind);
    let source = |document: &'a Document| {
        let tree = document.hcl()?;
        Some(terraform::Source { file: document.file, path: documents.tree.path(document.file), tree, kind: role })
    };
    of_kind.filter_map(source).collect()
}

fn sources_of_values<'a>(documents: &'a Documents<'a>) -> Vec<terraform::Source<'a>> {
    sources(documents, Kind::PackerVariables, SourceKind::Variables)
}

/// What the variable files of the tree give to each template's variables.
fn options<'a>(plain: &Terraform<'a>, files: &[terraform::Source<'a>], told: &Runs) -> terraform::Options {
    let mut by_folder: BTreeMap<String, Vec<(String, terraform::Given)>> = BTreeMap::new();
    let mut by_command: BTreeMap<String, Vec<terraform::Run>> = BTreeMap::new();
    let folders: Vec<&str> = plain.tops().map(|instance| instance.module.folder.as_str()).collect();
    for instance in plain.tops() {
        let folder = instance.module.folder.as_str();
        if let Some(own) = told.get(folder) {
            let own = own.iter().map(|run| given_by(plain, instance, files, run)).collect();
            by_command.insert(folder.to_owned(), own);
            continue;
        }
        let near: Vec<&terraform::Source<'a>> =
            files.iter().filter(|file| belongs(folder, &folders, file.path)).collect();
        for variable in &instance.module.variables {
            let name = variable.label(0);
            let default = variable.attribute("default").is_some();
            let value = |(file, expr): Given<'a>| {
                plain.evaluate(instance, file, expr).step("variable file", Loc { file, span: expr.span })
            };
            let (automatic, chosen): (Vec<&&terraform::Source<'a>>, Vec<_>) = near
                .iter()
                .partition(|file| file.path.ends_with(".auto.pkrvars.hcl") && source::folder(file.path) == folder);
            let gives = |file: &&&terraform::Source<'a>| {
                file.tree.body.attribute(name).map(|attribute| value((file.file, &attribute.value)))
            };
            let mut values: Vec<Value> = chosen.iter().filter_map(gives).collect();
            let fixed = automatic.iter().filter_map(gives).next_back();
            // A file that `-var-file` may name does not have to be named.
            if values.len() < chosen.len() || !values.is_empty() && (default || fixed.is_some()) {
                values.extend(fixed.clone().or_else(|| default.then(|| plain.variable(instance, name))));
            }
            let value = match (values.is_empty(), fixed) {
                (true, Some(fixed)) => fixed,
                (true, None) if default => continue,
                (true, None) => Value::unknown(format!("var.{name} has no default and no variable file gives it")),
                (false, _) => one_of(values, name),
            };
            by_folder.entry(folder.to_owned()).or_default().push((name.to_owned(), terraform::Given(value)));
        }
    }
    let run = |vars: Vec<(String, terraform::Given)>| {
        let arguments = vars.into_iter().map(|(name, value)| terraform::Argument::Value(name, value)).collect();
        vec![terraform::Run { evaluates: true, arguments, ..terraform::Run::default() }]
    };
    let runs = by_folder.into_iter().map(|(folder, vars)| (folder, run(vars))).chain(by_command).collect();
    terraform::Options { runs, ..terraform::Options::default() }
}

/// What one command line gives to the variables of a template: files that are taken by themselves first.
fn given_by<'a>(
    plain: &Terraform<'a>,
    instance: &Arc<Instance<'a>>,
    files: &[terraform::Source<'a>],
    run: &Run,
) -> terraform::Run {
    let folder = instance.module.folder.as_str();
    let automatic =
        |file: &&terraform::Source<'a>| file.path.ends_with(".auto.pkrvars.hcl") && source::folder(file.path) == folder;
    let mut arguments = Vec::new();
    let file = |file: &terraform::Source<'a>, arguments: &mut Vec<terraform::Argument>| {
        for attribute in &file.tree.body.attributes {
            let loc = Loc { file: file.file, span: attribute.value.span };
            let value = plain.evaluate(instance, file.file, &attribute.value).step("variable file", loc);
            arguments.push(terraform::Argument::Value(attribute.name.to_string(), terraform::Given(value)));
        }
    };
    files.iter().filter(automatic).for_each(|it| file(it, &mut arguments));
    for argument in &run.arguments {
        match argument {
            runs::Argument::File(path) => {
                files.iter().filter(|it| it.path == path).for_each(|it| file(it, &mut arguments));
            }
            runs::Argument::Value(name, value) => {
                arguments.push(terraform::Argument::Value(name.clone(), terraform::Given(value.clone())));
            }
        }
    }
    terraform::Run { evaluates: true, arguments, ..terraform::Run::default() }
}

/// Whether a variable file is meant for a template: it lies beside or below it, or below none and somewhere near.
fn belongs(template: &str, templates: &[&str], path: &str) -> bool {
    let folder = source::folder(path);
    let below = |above: &str| {
        above.is_empty() || folder == above || folder.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
    };
    below(template) || !templates.iter().any(|other| below(other)) && below(source::folder(template))
}

/// One of several values; unknown when there are too many.
pub(super) fn one_of(values: Vec<Value>, name: &str) -> Value {
    let mut distinct: Vec<Data> = Vec::new();
    let mut first = None;
    for value in values {
        match &value.kind {
            value::Kind::Known(data) => {
                if !distinct.contains(data) {
                    distinct.push(data.clone());
                }
                first.get_or_insert(value);
            }
            _ => return Value::unknown(format!("var.{name} depends on the variable file that is chosen")),
        }
    }
    match (distinct.len(), first) {
        (1, Some(value)) => value,
        (2..=8, _) => Value { kind: value::Kind::OneOf(distinct.into()), ..Value::default() },
        _ => Value::unknown(format!("var.{name} has another value in each of many variable files")),
    }
}

/// Reads the template of one folder.
struct Reader<'r, 'a> {
    tree: &'a Tree,
    documents: &'a Documents<'a>,
    all: &'r Terraform<'a>,
    instance: &'r Arc<Instance<'a>>,
}

impl<'a> Reader<'_, 'a> {
    fn template(&self) -> Template<'a> {
        let files = self.instance.module.files.clone();
        let folder = files.first().map_or("", |file| source::folder(self.tree.path(*file)));
        let mut template = Template {
            folder,
            files,
            json: false,
            sources: Vec::new(),
            data: Vec::new(),
            plugins: Vec::new(),
            builds: Vec::new(),
            tree: self.tree,
        };
        let blocks: Vec<(FileId, &'a Block)> = template.files.iter().flat_map(|file| self.blocks(*file)).collect();
        for (file, block) in &blocks {
            match &*block.kind {
                "source" => template.sources.extend(self.source(*file, block, "source.")),
                "data" => template.data.extend(self.source(*file, block, "data.")),
                "packer" => block
                    .body
                    .blocks_of("required_plugins")
                    .for_each(|plugins| self.plugins(*file, plugins, &mut template)),
                _ => {}
            }
        }
        for (file, block) in blocks.iter().filter(|(_, block)| &*block.kind == "build") {
            let build = self.build(*file, block, &mut template);
            template.builds.push(build);
        }
        template
    }

    fn blocks(&self, file: FileId) -> Vec<(FileId, &'a Block)> {
        let document = self.documents.document(file).and_then(Document::hcl);
        document.into_iter().flat_map(|tree| &tree.body.blocks).map(|block| (file, block)).collect()
    }

    fn view(&self, file: FileId, block: &'a Block) -> BlockView<'_, 'a> {
        self.all.block(self.instance, file, block)
    }

    fn source(&self, file: FileId, block: &'a Block, prefix: &str) -> Option<Source> {
        let (builder, name) = (block.label(0)?, block.label(1)?);
        Some(self.source_of(file, block, builder, name, prefix))
    }

    fn source_of(&self, file: FileId, block: &'a Block, builder: &str, name: &str, prefix: &str) -> Source {
        let mut places = Vec::new();
        written(file, block, "", 0, &mut places);
        Source {
            builder: builder.into(),
            name: name.into(),
            address: format!("{prefix}{builder}.{name}"),
            loc: Loc { file, span: block.header },
            arguments: self.view(file, block).to_value(),
            places,
        }
    }

    fn plugins(&self, file: FileId, block: &'a Block, template: &mut Template<'a>) {
        for attribute in &block.body.attributes {
            let value = self.all.evaluate(self.instance, file, &attribute.value);
            let entry = attribute.name_span.to(attribute.value.span);
            let span = match &attribute.value.kind {
                ExprKind::Object(members) => members
                    .iter()
                    .find(|(key, _)| matches!(&key.expr.kind, ExprKind::Str(name) if &**name == "version"))
                    .map_or(entry, |(key, value)| key.expr.span.to(value.span)),
                _ => entry,
            };
            let (origin, version) = if value.as_map().is_some() {
                (value.get("source"), value.get("version"))
            } else {
                (Value::absent(), value)
            };
            template.plugins.push(Plugin {
                name: attribute.name.clone(),
                source: origin,
                version,
                loc: Loc { file, span },
            });
        }
    }

    fn build(&self, file: FileId, block: &'a Block, template: &mut Template<'a>) -> Build {
        let view = self.view(file, block);
        let mut build = Build {
            name: view.arg("name"),
            loc: Loc { file, span: block.header },
            sources: Vec::new(),
            open: None,
            provisioners: Vec::new(),
            post_processors: Vec::new(),
        };
        if let Some((file, expr)) = view.expr("sources") {
            self.built(file, expr, &mut build);
        }
        for inner in &block.body.blocks {
            match &*inner.kind {
                "dynamic" => self.dynamic(file, inner, &mut build, template.folder),
                "source" => self.override_source(file, inner, &mut build, template),
                "provisioner" => {
                    build.provisioners.extend(self.provisioner(file, inner, inner.label(0), template.folder));
                }
                "post-processor" => {
                    build.post_processors.extend(self.provisioner(file, inner, inner.label(0), template.folder));
                }
                "post-processors" => {
                    let chain = inner.body.blocks_of("post-processor");
                    build.post_processors.extend(
                        chain.filter_map(|inner| self.provisioner(file, inner, inner.label(0), template.folder)),
                    );
                }
                _ => {}
            }
        }
        build
    }

    /// `sources`: strings or references.
    fn built(&self, file: FileId, expr: &'a Expr, build: &mut Build) {
        let mut add = |text: &str| {
            build.sources.push(if text.starts_with("source.") { text.to_owned() } else { format!("source.{text}") });
        };
        let mut open: Option<Reason> = None;
        let items: Vec<&Expr> =
            if let ExprKind::List(items) = &expr.kind { items.iter().collect() } else { vec![expr] };
        for item in items {
            if let ExprKind::Get(..) = &item.kind {
                let text = item.span.slice(self.tree.text(file));
                if text.starts_with("source.") {
                    add(text);
                    continue;
                }
            }
            let value = self.all.evaluate(self.instance, file, item);
            match (value.as_str(), value.as_list()) {
                (Some(text), _) => add(text),
                (_, Some(list)) => {
                    list.items.iter().filter_map(Value::as_str).for_each(&mut add);
                    open = open.or_else(|| list.open.clone()).or_else(|| list.items.iter().find_map(Value::reason));
                }
                _ => open = open.or_else(|| value.reason()),
            }
        }
        build.open = open;
    }

    /// `source "source.docker.base" { … }` in a build.
    fn override_source(&self, file: FileId, block: &'a Block, build: &mut Build, template: &mut Template<'a>) {
        let label = block.label(0).unwrap_or("");
        let label = label.strip_prefix("source.").unwrap_or(label);
        let Some((builder, name)) = label.split_once('.') else { return };
        let changed = self.source_of(file, block, builder, name, "source.");
        build.sources.push(changed.address.clone());
        if let Some(source) = template.sources.iter_mut().find(|source| source.address == changed.address) {
            *source = source.overridden(&changed);
        }
    }

    /// `dynamic "provisioner" { labels = ["shell"] … }`: once, unless it is for nothing.
    fn dynamic(&self, file: FileId, block: &'a Block, build: &mut Build, folder: &str) {
        let each = block.body.attribute("for_each").map(|each| self.all.evaluate(self.instance, file, &each.value));
        let none =
            each.as_ref().and_then(Value::as_list).is_some_and(|list| list.items.is_empty() && list.open.is_none());
        let Some(content) = block.body.blocks_of("content").next().filter(|_| !none) else { return };
        let label = match block.body.attribute("labels").map(|labels| &labels.value.kind) {
            Some(ExprKind::List(labels)) => match labels.first().map(|label| &label.kind) {
                Some(ExprKind::Str(label)) => Some(&**label),
                _ => None,
            },
            _ => None,
        };
        let step = self.provisioner(file, content, label, folder);
        match block.label(0) {
            Some("provisioner") => build.provisioners.extend(step),
            Some("post-processor") => build.post_processors.extend(step),
            _ => {}
        }
    }

    fn provisioner(&self, file: FileId, block: &'a Block, kind: Option<&str>, folder: &str) -> Option<Provisioner> {
        let view = self.view(file, block);
        let mut lines = Lines::default();
        for name in ["inline", "command"] {
            if let Some((file, expr)) = view.expr(name) {
                lines.expression(file, expr, &|expr| self.all.evaluate(self.instance, file, expr));
            }
        }
        let named = |names: &[&str]| -> Vec<Value> { names.iter().flat_map(|name| several(view.arg(name))).collect() };
        let found = |names: &[&str]| -> Vec<Script> {
            named(names).into_iter().map(|path| Script::find(self.tree, folder, path)).collect()
        };
        Some(Provisioner {
            kind: kind?.into(),
            loc: Loc { file, span: block.header },
            only: view.arg("only"),
            except: view.arg("except"),
            inline: lines.finish(),
            scripts: found(&["script", "scripts"]),
            playbooks: found(&["playbook_file", "playbook_files"]),
            taken: named(&["source", "sources"]),
            destination: view.arg("destination"),
            content: view.arg("content"),
            arguments: view.to_value(),
        })
    }
}

/// A list's members, or the value itself when it is given.
pub(super) fn several(value: Value) -> Vec<Value> {
    match value.as_list() {
        Some(list) => {
            let more = list.open.clone().map(Value::unknown);
            list.items.iter().cloned().chain(more).collect()
        }
        None if value.is_absent() => Vec::new(),
        None => vec![value],
    }
}

/// Where the arguments of a block and its nested blocks are written.
fn written(file: FileId, block: &Block, prefix: &str, depth: usize, places: &mut Vec<(String, Loc)>) {
    for attribute in &block.body.attributes {
        let span = attribute.name_span.to(attribute.value.span);
        places.push((format!("{prefix}{}", attribute.name), Loc { file, span }));
    }
    if depth > 8 {
        return;
    }
    for inner in &block.body.blocks {
        places.push((format!("{prefix}{}", inner.kind), Loc { file, span: inner.header }));
        written(file, inner, &format!("{prefix}{}.", inner.kind), depth + 1, places);
    }
}
