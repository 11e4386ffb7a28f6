//! Every file of a tree read once and parsed once, in parallel: judged, skipped with a reason, or unreadable.

mod named;

use super::kind::{self, Candidate, Kind, Skip, state};
use crate::source::{self, File, MAX_BYTES, Tree, Unreadable};
use crate::syntax::yaml::{Node, Scalar};
use crate::syntax::{SyntaxError, hcl, ini, json, toml, yaml};
use crate::text::{FileId, Loc, Span};
use crate::value::Data;
use rayon::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A parsed file.
#[derive(Debug)]
pub struct Document {
    /// The file.
    pub file: FileId,
    /// What it is.
    pub kind: Kind,
    /// Its tree.
    pub syntax: Syntax,
    /// A module that `terraform init` has put there: it is followed, and not judged.
    pub installed: bool,
}

/// The tree of a file.
#[derive(Debug)]
pub enum Syntax {
    /// HCL, native or JSON.
    Hcl(hcl::File),
    /// YAML or JSON.
    Yaml(yaml::Yaml),
    /// INI.
    Ini(ini::Ini),
    /// Text that its model parses (shell, make, ignore files…), or content that nobody parses (state, plans).
    Text,
}

/// A file, or a place in it, that its own tool could not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub loc: Loc,
    /// What the file is.
    pub kind: Kind,
    /// What is wrong with it.
    pub message: String,
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Judged as this kind.
    Judged(Kind),
    /// Not judged, for this reason.
    Skipped(Skip),
    /// Could not be read; `Problem` says why.
    Unreadable(Kind),
}

/// All files of a tree after reading.
#[derive(Debug)]
pub struct Documents<'t> {
    /// The tree.
    pub tree: &'t Tree,
    /// The parsed files, in path order.
    pub list: Vec<Document>,
    /// What became of each file, by file id.
    pub outcomes: Vec<Outcome>,
    /// What could not be read, in path order.
    pub problems: Vec<Problem>,
}

/// What configuration decides for reading.
#[derive(Debug, Default)]
pub struct Options {
    /// Paths that are not judged.
    pub exclude: Option<globset::GlobSet>,
}

struct Read {
    document: Option<Document>,
    outcome: Outcome,
    problems: Vec<Problem>,
}

impl<'t> Documents<'t> {
    /// Reads a tree.
    #[must_use]
    pub fn load(tree: &'t Tree, options: &Options) -> Self {
        let ids: Vec<(FileId, &File)> = tree.iter().collect();
        let read: Vec<Read> =
            ids.par_iter().with_min_len(16).map(|(id, file)| read(*id, file, options, tree)).collect();
        let mut documents =
            Self { tree, list: Vec::new(), outcomes: Vec::with_capacity(read.len()), problems: Vec::new() };
        for one in read {
            documents.list.extend(one.document);
            documents.outcomes.push(one.outcome);
            documents.problems.extend(one.problems);
        }
        named::read(&mut documents);
        documents
    }

    /// The documents of some kinds, in path order.
    pub fn of<'a>(&'a self, kinds: &'a [Kind]) -> impl Iterator<Item = &'a Document> {
        self.list.iter().filter(|document| kinds.contains(&document.kind))
    }

    /// The document of a file.
    #[must_use]
    pub fn document(&self, file: FileId) -> Option<&Document> {
        let index = self.list.binary_search_by_key(&file, |document| document.file).ok()?;
        self.list.get(index)
    }

    /// Whether a file belongs to a module that `terraform init` has put there.
    #[must_use]
    pub fn is_installed(&self, file: FileId) -> bool {
        self.document(file).is_some_and(|document| document.installed)
    }

    /// The YAML tree of a path, if that is what it holds.
    #[must_use]
    pub fn yaml(&self, path: &str) -> Option<(FileId, &yaml::Yaml)> {
        let document = self.document(self.tree.find(path)?)?;
        Some((document.file, document.yaml()?))
    }
}

impl Document {
    /// The YAML tree.
    #[must_use]
    pub fn yaml(&self) -> Option<&yaml::Yaml> {
        if let Syntax::Yaml(yaml) = &self.syntax { Some(yaml) } else { None }
    }

    /// The HCL tree.
    #[must_use]
    pub fn hcl(&self) -> Option<&hcl::File> {
        if let Syntax::Hcl(file) = &self.syntax { Some(file) } else { None }
    }

    /// The INI tree.
    #[must_use]
    pub fn ini(&self) -> Option<&ini::Ini> {
        if let Syntax::Ini(ini) = &self.syntax { Some(ini) } else { None }
    }
}

fn skipped(skip: Skip) -> Read {
    Read { document: None, outcome: Outcome::Skipped(skip), problems: Vec::new() }
}

/// Whether a path is a Terraform file of an installed module, listed in the manifest beside it.
fn is_installed(tree: &Tree, path: &str) -> bool {
    const MODULES: &str = ".terraform/modules/";
    let suffix = [".tf", ".tofu", ".tf.json", ".tofu.json"].iter().any(|suffix| path.ends_with(suffix));
    let at = path.find(MODULES).filter(|at| suffix && (*at == 0 || path[..*at].ends_with('/')));
    at.is_some_and(|at| tree.find(&format!("{}{MODULES}modules.json", &path[..at])).is_some())
}

/// A file of an installed module: what cannot be parsed of it is nobody's fault here.
fn installed_module(id: FileId, file: &File) -> Read {
    let json = file.path.ends_with(".json");
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let text = file.text().ok()?;
        Some(if json { hcl::parse_json(&text.text) } else { hcl::parse(&text.text) })
    }));
    let kind = if json { Kind::TerraformJson } else { Kind::Terraform };
    let document = |tree| Document { file: id, kind, syntax: Syntax::Hcl(tree), installed: true };
    Read { document: parsed.ok().flatten().map(document), ..skipped(Skip::Vendored) }
}

/// The path within a collection that is written here: `galaxy.yml` stands in it, and no manifest of an installation.
fn in_own_collection<'p>(tree: &Tree, path: &'p str) -> Option<&'p str> {
    const COLLECTIONS: &str = "ansible_collections/";
    let at = path.find(COLLECTIONS).filter(|at| *at == 0 || path[..*at].ends_with('/'))?;
    let inside = &path[at + COLLECTIONS.len()..];
    let end = inside.match_indices('/').nth(1)?.0;
    let root = &path[..at + COLLECTIONS.len() + end];
    let has = |name: &str| tree.find(&format!("{root}/{name}")).is_some();
    (has("galaxy.yml") && !has("MANIFEST.json")).then(|| &inside[end + 1..])
}

fn read(id: FileId, file: &File, options: &Options, tree: &Tree) -> Read {
    if options.exclude.as_ref().is_some_and(|globs| globs.is_match(&*file.path)) {
        return skipped(Skip::Excluded);
    }
    let mut candidate = kind::by_path(&file.path);
    if let (Candidate::Not(Skip::Vendored), Some(inside)) = (candidate, in_own_collection(tree, &file.path)) {
        candidate = kind::by_path(inside);
    }
    match candidate {
        Candidate::Not(Skip::Vendored) if is_installed(tree, &file.path) => return installed_module(id, file),
        Candidate::Not(Skip::NoKind) if kind::may_hold_state(&file.path) => return by_head(id, file, Skip::NoKind),
        Candidate::Not(skip) => return skipped(skip),
        // State and plans are judged by name and head; their content is nobody's source.
        Candidate::Is(kind @ (Kind::State | Kind::Plan)) => return whole(id, kind),
        // The `user-data` of a seed has no suffix.
        Candidate::Shebang if file.head().starts_with(b"#cloud-config") => candidate = Candidate::Yaml,
        Candidate::Shebang => match of_head(&file.head()) {
            Some(better) => candidate = better,
            None => return by_head(id, file, Skip::NoKind),
        },
        _ => {}
    }
    let parsed = catch_unwind(AssertUnwindSafe(|| match file.text() {
        Err(Unreadable::Io(_)) if file.symlink.is_some() && !file.leaves() => skipped(Skip::NoKind),
        Err(Unreadable::Binary) if file.head().starts_with(b"\0GITCRYPT") => skipped(Skip::Vaulted),
        // What Git LFS keeps is not here.
        Ok(text) if state::is_pointer(text.text.as_bytes()) => skipped(Skip::Binary),
        Ok(text) => parse(id, file, candidate, &text.text),
        Err(Unreadable::TooLarge(_)) if candidate == Candidate::Json => by_head(id, file, Skip::TooLarge),
        Err(error) => unreadable(id, candidate, error),
    }));
    parsed.unwrap_or_else(|_| {
        let kind = if let Candidate::Is(kind) = candidate { kind } else { Kind::Configuration };
        problem(id, kind, "reading it failed inside Stateward; please report this file".to_owned())
    })
}

/// What the first bytes of a file whose name says nothing make of it.
fn of_head(head: &[u8]) -> Option<Candidate> {
    let program = || kind::is_program(head).then_some(Candidate::Is(Kind::Program));
    let script = kind::is_shell_script(head).then_some(Candidate::Is(Kind::Shell));
    script.or_else(program).or_else(|| kind::may_be_inventory(head).then_some(Candidate::Inventory))
}

/// A file of no kind of ours, which may hold state all the same; a link holds nothing.
fn by_head(id: FileId, file: &File, otherwise: Skip) -> Read {
    let content = if file.symlink.is_some() { None } else { state::recognise(&file.head()) };
    content.map_or_else(|| skipped(otherwise), |content| whole(id, kind::of_state(content)))
}

fn whole(id: FileId, kind: Kind) -> Read {
    let document = Document { file: id, kind, syntax: Syntax::Text, installed: false };
    Read { document: Some(document), outcome: Outcome::Judged(kind), problems: Vec::new() }
}

fn problem(id: FileId, kind: Kind, message: String) -> Read {
    let problem = Problem { loc: Loc { file: id, span: Span::default() }, kind, message };
    Read { document: None, outcome: Outcome::Unreadable(kind), problems: vec![problem] }
}

fn unreadable(id: FileId, candidate: Candidate, error: &Unreadable) -> Read {
    match (error, candidate) {
        (Unreadable::Io(message), Candidate::Is(kind)) => problem(id, kind, format!("cannot be read: {message}")),
        (Unreadable::TooLarge(bytes), Candidate::Is(kind)) if kind.must_parse() => {
            problem(id, kind, format!("{bytes} bytes are more than the {MAX_BYTES} that are read"))
        }
        (Unreadable::Binary, Candidate::Is(kind)) if kind.must_parse() => {
            problem(id, kind, "is not UTF-8 text".to_owned())
        }
        (Unreadable::TooLarge(_), _) => skipped(Skip::TooLarge),
        (Unreadable::Binary, _) => skipped(Skip::Binary),
        (Unreadable::Io(_), _) => skipped(Skip::NoKind),
    }
}

fn parse(id: FileId, file: &File, candidate: Candidate, text: &str) -> Read {
    if kind::is_vaulted(text) {
        return skipped(Skip::Vaulted);
    }
    match candidate {
        Candidate::Is(kind @ Kind::AgentSettings) => agent_settings(id, kind, &file.path, text),
        Candidate::Is(kind) => parse_as(id, kind, text),
        Candidate::Yaml => parse_yaml(id, &file.path, text),
        Candidate::Json => match kind::of_json(&file.path, text) {
            Some(kind @ (Kind::State | Kind::Plan)) => whole(id, kind),
            Some(kind) => parse_as(id, kind, text),
            None => skipped(Skip::NoKind),
        },
        Candidate::Hcl => {
            let mut file = hcl::parse(text);
            let errors = std::mem::take(&mut file.errors);
            if errors.is_empty() && kind::is_terragrunt(&file) {
                finish(id, Kind::Terragrunt, Syntax::Hcl(file), errors)
            } else if kind::is_nomad(&file) {
                finish(id, Kind::Nomad, Syntax::Hcl(file), errors)
            } else {
                skipped(Skip::NoKind)
            }
        }
        Candidate::Inventory if kind::is_shell_script(text.as_bytes()) => parse_as(id, Kind::Shell, text),
        Candidate::Inventory if text.starts_with("#!") => skipped(Skip::NoKind),
        Candidate::Inventory => inventory(id, &file.path, text),
        Candidate::Shebang => {
            of_head(text.as_bytes()).map_or_else(|| skipped(Skip::NoKind), |is| parse(id, file, is, text))
        }
        Candidate::Not(skip) => skipped(skip),
    }
}

fn inventory(id: FileId, path: &str, text: &str) -> Read {
    if kind::is_ini_inventory(path, text) {
        return parse_as(id, Kind::InventoryIni, text);
    }
    let yaml = yaml::Yaml::parse(text);
    match kind::of_yaml(path, &yaml) {
        Ok(kind @ Kind::InventoryYaml) => finish(id, kind, Syntax::Yaml(yaml), Vec::new()),
        _ => skipped(Skip::NoKind),
    }
}

fn parse_as(id: FileId, kind: Kind, text: &str) -> Read {
    let (syntax, errors) = match kind {
        Kind::Terraform
        | Kind::TerraformVariables
        | Kind::Terragrunt
        | Kind::Packer
        | Kind::PackerVariables
        | Kind::LockFile => {
            let mut file = hcl::parse(text);
            let errors = std::mem::take(&mut file.errors);
            (Syntax::Hcl(file), errors)
        }
        Kind::TerraformJson | Kind::TerraformVariablesJson => {
            let is_values = kind == Kind::TerraformVariablesJson;
            let mut file = if is_values { hcl::parse_json_values(text) } else { hcl::parse_json(text) };
            let errors = std::mem::take(&mut file.errors);
            (Syntax::Hcl(file), errors)
        }
        Kind::Ignition => {
            // Butane is YAML, what it makes is JSON.
            let mut tree = if text.starts_with('{') { json::parse(text) } else { yaml::Yaml::parse(text) };
            tree.errors.clear();
            (Syntax::Yaml(tree), Vec::new())
        }
        Kind::PackerJson | Kind::Workflow | Kind::InventoryYaml | Kind::TaskDefinition => {
            let mut tree = json::parse(text);
            let errors = std::mem::take(&mut tree.errors);
            (Syntax::Yaml(tree), errors)
        }
        Kind::Configuration => {
            let mut tree = yaml::Yaml::parse(text);
            // The configuration's own loader reports what is wrong in it.
            tree.errors.clear();
            (Syntax::Yaml(tree), Vec::new())
        }
        Kind::AnsibleConfig => (Syntax::Ini(ini::parse(text)), Vec::new()),
        Kind::InventoryIni => (Syntax::Ini(ini::parse_inventory(text)), Vec::new()),
        _ => (Syntax::Text, Vec::new()),
    };
    if !errors.is_empty() && text.contains("{%") {
        return skipped(Skip::Template);
    }
    finish(id, kind, syntax, errors)
}

/// Settings of an agent are JSON with comments, TOML, YAML, or rules that its model reads; an empty file is none.
fn agent_settings(id: FileId, kind: Kind, path: &str, text: &str) -> Read {
    let suffix = source::file_name(path).rsplit_once('.').map_or("", |(_, suffix)| suffix);
    let mut tree = match suffix {
        "toml" => toml::parse(text),
        "yml" | "yaml" => yaml::Yaml::parse(text),
        "rules" => return whole(id, kind),
        _ => json::parse(text),
    };
    let errors = std::mem::take(&mut tree.errors);
    let blank = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with("//"));
    finish(id, kind, Syntax::Yaml(tree), if blank { Vec::new() } else { errors })
}

/// Marks of templates of other engines in files with a plain YAML suffix.
fn is_foreign_template(text: &str) -> bool {
    let has = |needle: &str| memchr::memmem::find(text.as_bytes(), needle.as_bytes()).is_some();
    has("{{-")
        || has("{{ .")
        || has("{{.")
        || has("-}}")
        || has("<%")
        || has("{%")
        || has("%{ ")
        || has("{{ if")
        || has("{{ range")
        || has("{{ define")
}

fn parse_yaml(id: FileId, path: &str, text: &str) -> Read {
    // `#cloud-config` and role templates may be Jinja as a whole.
    let mut tree = yaml::Yaml::parse(text);
    let errors = std::mem::take(&mut tree.errors);
    if text.starts_with("#cloud-config") {
        return finish(id, Kind::CloudInit, Syntax::Yaml(tree), Vec::new());
    }
    match kind::of_yaml(path, &tree) {
        _ if !errors.is_empty() && (is_foreign_template(text) || path.contains("/templates/")) => {
            skipped(Skip::Template)
        }
        Ok(kind) => finish(id, kind, Syntax::Yaml(tree), errors),
        Err(skip) => skipped(skip),
    }
}

fn finish(id: FileId, kind: Kind, syntax: Syntax, errors: Vec<SyntaxError>) -> Read {
    let errors = if kind.must_parse() { errors } else { Vec::new() };
    let outcome = if errors.is_empty() { Outcome::Judged(kind) } else { Outcome::Unreadable(kind) };
    let problems = errors
        .into_iter()
        .map(|error| Problem { loc: Loc { file: id, span: error.span }, kind, message: error.message })
        .collect();
    Read { document: Some(Document { file: id, kind, syntax, installed: false }), outcome, problems }
}

/// A YAML scalar as the data that it stands for (YAML 1.1, as Ansible reads it).
#[must_use]
pub fn scalar(node: Node<'_>) -> Data {
    match node.resolve() {
        Scalar::Null => Data::Null,
        Scalar::Bool(value) => Data::Bool(value),
        Scalar::Number(value) => Data::Number(value),
        Scalar::Str => Data::from(node.as_str().unwrap_or("")),
    }
}
