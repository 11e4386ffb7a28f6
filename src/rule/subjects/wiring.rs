//! What expressions and blocks of Terraform bring in, and what Terraform writes.

use crate::estate::Estate;
use crate::estate::habit::{self, ImplicitStorage, WrittenFile};
use crate::estate::root::RootFacts;
use crate::estate::task::is_test_path;
use crate::estate::tie::{self, Tie};
use crate::estate::variable_file::{self, VariableFile};
use crate::estate::wiring::{self, FileRead, Impure, Removal};
use crate::knowledge::ansible as known_files;
use crate::knowledge::terraform as known;
use crate::model::terraform::{Mode, Resource, Role};
use crate::rule::subject::Row;
use crate::source::join;
use crate::subject;
use crate::value::Value;
use std::collections::HashSet;
use std::sync::Arc;

fn data_class(ty: &str) -> &'static str {
    known::data_type(ty).map_or("none", |row| row.data.as_str())
}

/// A call of an impure function.
pub(super) struct ImpureRow<'m> {
    estate: &'m Estate<'m>,
    call: Impure<'m>,
}

subject! {
    /// A call of a function that gives something else at every plan, in an argument of a managed resource.
    ImpureRow<'m> as "tf.impure_call" (row) {
        /// The function.
        function: Str certain => row.call.function;
        /// The resource, type and name.
        resource: Str certain => row.call.resource.clone();
        /// Its type.
        r#type: Str certain => row.call.ty;
        /// What losing the resource loses; `none` when it holds no data.
        data: Word(&["authoritative", "secret", "queue", "state", "copy", "cache", "metadata", "none"]) certain => data_class(row.call.ty);
        /// The argument or block that it reaches.
        argument: Str certain => row.call.argument;
        /// Whether the resource ignores changes of that argument.
        ignored: Bool certain => row.call.ignored;
        /// Whether it stands among tests.
        in_tests: Bool certain => is_test_path(row.estate.documents.tree.path(row.call.loc.file));
        /// Whether it makes the argument change; what it stands in may come to something that is known.
        changes: Bool => row.call.changes.clone();
        /// Where the resource is declared.
        declaration: Loc => row.call.declared;
    }
    loc => row.call.loc;
    label => "this call".to_owned();
    address => Some(row.call.resource.clone());
    identity => format!("{} {} {}", row.call.resource, row.call.argument, row.call.function);
}

/// Rows of `tf.impure_call`.
pub(super) fn impure_calls<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    wiring::impure(estate).into_iter().map(|call| Arc::new(ImpureRow { estate, call }) as Row<'m>).collect()
}

/// A file that a function or data source reads.
pub(super) struct FileReadRow<'m> {
    read: FileRead<'m>,
}

/// Folders whose content a running system makes.
const RUNTIME: [&str; 8] = ["/tmp/", "/var/tmp/", "/run/", "/var/run/", "/proc/", "/sys/", "/var/lib/", "/dev/shm/"];

impl FileReadRow<'_> {
    fn reader(&self) -> String {
        self.read.name.map_or_else(|| format!("{}()", self.read.by), |name| format!("data.{}.{name}", self.read.by))
    }

    fn runtime(&self) -> bool {
        let path = &self.read.path;
        in_runtime_folder(path) || path.ends_with(".retry").is_true()
    }
}

fn in_runtime_folder(path: &Value) -> bool {
    RUNTIME.iter().any(|folder| path.starts_with(folder).is_true())
}

subject! {
    /// A file that a function or data source of Terraform reads.
    FileReadRow<'m> as "tf.file_read" (row) {
        /// What reads it: `file()`, `data.local_file.a`.
        reader: Str certain => row.reader();
        /// The path.
        path: Dyn => row.read.path.clone();
        /// Whether it lies where only a running system writes.
        runtime: Bool => row.runtime();
        /// Whether it is a state file.
        state: Bool => row.read.path.ends_with(".tfstate");
    }
    loc => row.read.loc;
    label => "this call".to_owned();
    address => None;
    identity => format!("{} {}", row.reader(), row.read.path.display());
}

/// Rows of `tf.file_read`.
pub(super) fn file_reads<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    wiring::file_reads(estate).into_iter().map(|read| Arc::new(FileReadRow { read }) as Row<'m>).collect()
}

/// A file of variables that a play or task names by its path.
pub(super) struct VariableFileRow<'m> {
    estate: &'m Estate<'m>,
    read: VariableFile,
}

impl VariableFileRow<'_> {
    /// Secrets are handed over there, and controllers of Ansible keep their checkouts there.
    fn handed_over(&self) -> bool {
        // What Terraform uploads from the repository is not the running system's word.
        let uploaded = |path: &str| self.estate.ansible.uploaded_from(path).is_some();
        if self.read.path.as_str().is_some_and(uploaded) {
            return true;
        }
        ["/run/secrets/", "/var/run/secrets/", "/var/lib/awx/"]
            .iter()
            .any(|it| self.read.path.starts_with(it).is_true())
    }
}

subject! {
    /// A file of variables that a play or task names by its path.
    VariableFileRow<'m> as "ansible.variable_file" (row) {
        /// What reads it: `vars_files`, `include_vars`.
        by: Str certain => row.read.by;
        /// The path.
        path: Dyn => row.read.path.clone();
        /// Whether it lies where only a running system writes.
        runtime: Bool => in_runtime_folder(&row.read.path) && !row.handed_over();
        /// Whether it stands among tests.
        in_tests: Bool certain => row.read.in_tests;
        /// Whether its environment is thrown away.
        ephemeral: Bool certain => (row.estate.ephemeral)(row.estate.documents.tree.path(row.read.loc.file));
    }
    loc => row.read.loc;
    label => "this file".to_owned();
    address => None;
    identity => format!("{} {}", row.read.by, row.read.path.display());
}

/// Rows of `ansible.variable_file`.
pub(super) fn variable_files<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let all = variable_file::variable_files(estate).into_iter();
    all.map(|read| Arc::new(VariableFileRow { estate, read }) as Row<'m>).collect()
}

/// An argument of a store of data that comes from a machine.
pub(super) struct TieRow<'m> {
    tie: Tie<'m>,
}

subject! {
    /// An argument of a store of data whose value comes from a machine.
    TieRow<'m> as "tf.data_tie" (row) {
        /// The store, type and name.
        store: Str certain => row.tie.data.clone();
        /// What losing the store loses.
        data: Word(&["authoritative", "secret", "queue", "state", "copy", "cache", "metadata", "none"]) certain => row.tie.class.as_str();
        /// The argument (`replace_triggered_by` for the lifecycle's).
        argument: Str certain => row.tie.argument;
        /// The machine's attribute, as written.
        source: Str certain => row.tie.source.clone();
        /// Whether that is a machine; else something else triggers.
        machine: Bool certain => row.tie.machine;
        /// Whether the machine's declaration leaves the attribute to the provider: it is only known once the machine is made.
        computed: Bool certain => row.tie.computed;
        /// Whether a change of it replaces the store.
        replaces: Bool certain => row.tie.replaces;
        /// Where the store is declared.
        declaration: Loc => row.tie.declared;
    }
    loc => row.tie.loc;
    label => "this argument".to_owned();
    address => Some(row.tie.data.clone());
    identity => format!("{} {} {}", row.tie.data, row.tie.argument, row.tie.source);
}

/// Rows of `tf.data_tie`.
pub(super) fn data_ties<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    tie::ties(estate).into_iter().map(|tie| Arc::new(TieRow { tie }) as Row<'m>).collect()
}

/// A `removed` block.
pub(super) struct RemovedRow<'m> {
    estate: &'m Estate<'m>,
    removal: Removal,
}

subject! {
    /// A `removed` block.
    RemovedRow<'m> as "tf.removed" (row) {
        /// The address that it drops.
        from: Str certain => row.removal.address.clone();
        /// The resource type in it; `module` for a whole module.
        r#type: Str certain => row.removal.ty.clone();
        /// What losing it loses; `none` when it holds no data.
        data: Word(&["authoritative", "secret", "queue", "state", "copy", "cache", "metadata", "none"]) certain => data_class(&row.removal.ty);
        /// `destroy`, where it is given.
        destroy: Dyn => row.removal.destroy.clone();
        /// Whether a comment says that the object is given up on purpose.
        decommission: Bool => row.estate.annotation(row.removal.loc, "decommission").is_some();
        /// Whether a provisioner in it logs in to a machine.
        provisions: Bool certain => row.removal.provisions;
    }
    loc => row.removal.loc;
    label => "this block".to_owned();
    address => Some(row.removal.address.clone());
    identity => row.removal.address.clone();
}

/// Rows of `tf.removed`.
pub(super) fn removed<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    wiring::removals(estate).into_iter().map(|removal| Arc::new(RemovedRow { estate, removal }) as Row<'m>).collect()
}

/// A data source.
pub(super) struct DataRow<'m> {
    estate: &'m Estate<'m>,
    resource: Resource<'m, 'm>,
}

impl DataRow<'_> {
    /// The words of the program that it runs.
    fn program(&self) -> Vec<Value> {
        let program =
            ["program", "command"].iter().map(|name| self.resource.arg(name)).find(|value| !value.is_absent());
        program
            .map(|value| value.as_list().map_or_else(|| vec![value.clone()], |list| list.items.clone()))
            .unwrap_or_default()
    }

    /// Its words in one line; of a script that stands among them the beginning.
    fn shown(&self) -> String {
        let words: Vec<String> = self.program().iter().map(Value::display).collect();
        let line = words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ").replace(crate::text::HOLE, "…");
        match line.char_indices().nth(120) {
            Some((at, _)) => format!("{}…", &line[..at]),
            None => line,
        }
    }

    fn first(&self) -> String {
        let program = self.program();
        let first = program.first().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
        crate::source::file_name(&first).to_owned()
    }

    /// Whether the program is given a committed file to read.
    fn reads_committed(&self) -> bool {
        let instance = self.resource.instance;
        let committed = |text: &str| {
            [&*instance.root, instance.module.folder.as_str()]
                .iter()
                .any(|folder| join(folder, text).is_some_and(|path| self.estate.documents.tree.find(&path).is_some()))
        };
        let program = self.program();
        let script =
            |text: &str| [".sh", ".py", ".rb", ".js", ".pl", ".ps1"].iter().any(|suffix| text.ends_with(suffix));
        program.iter().skip(1).filter_map(Value::as_str).any(|text| !script(text) && committed(text))
    }

    /// Whether the program only looks at what is committed.
    fn about_commit(&self) -> bool {
        let text: Vec<String> = self.program().iter().map(Value::display).collect();
        let text = text.join(" ");
        self.first() == "git"
            || text.contains("git rev-parse")
            || text.contains("git describe")
            || text.contains("git log")
    }
}

subject! {
    /// A data source, one row a declaration.
    DataRow<'m> as "tf.data" (row) {
        /// Its type.
        r#type: Str certain => row.resource.ty();
        /// Its name.
        name: Str certain => row.resource.name();
        /// Whether it runs a program and gives its output.
        runs_program: Bool certain => matches!(row.resource.ty(), "external" | "local_command" | "shell_script" | "shell_data" | "exec" | "program");
        /// The program that it runs, its words.
        program: Str => row.shown();
        /// Whether the program only reads and reshapes what it is given.
        pure: Bool => matches!(row.first().as_str(), "jq" | "yq" | "cat" | "base64" | "echo" | "printf");
        /// Whether the program is given a committed file to read.
        reads_committed: Bool => row.reads_committed();
        /// Whether the program only tells which commit this is.
        about_commit: Bool => row.about_commit();
        /// Whether it belongs to a module that nothing here calls.
        in_library: Bool certain => matches!(row.resource.instance.role, Role::Library | Role::Example);
        /// Its arguments and blocks.
        args: Dyn => row.resource.view().to_value();
    }
    loc => row.resource.loc();
    label => "this data source".to_owned();
    address => Some(row.resource.address());
    identity => row.resource.address();
}

/// Rows of `tf.data`.
pub(super) fn data_sources<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let mut seen = HashSet::new();
    let all = estate.terraform.instances.iter().flat_map(|instance| estate.terraform.resources_of(instance));
    all.filter(|resource| resource.decl.mode == Mode::Data && seen.insert(resource.loc()))
        .map(|resource| Arc::new(DataRow { estate, resource }) as Row<'m>)
        .collect()
}

/// A file that Terraform writes.
pub(super) struct WrittenFileRow<'m> {
    written: WrittenFile<'m>,
}

subject! {
    /// A file inside the repository that a resource of Terraform writes.
    WrittenFileRow<'m> as "tf.written_file" (row) {
        /// The resource.
        resource: Str certain => row.written.resource.address();
        /// The path in the repository, `x` for an unknown part.
        path: Str certain => row.written.path.clone();
        /// Whether Git ignores it.
        ignored: Bool certain => row.written.ignored;
        /// Whether it holds declared intent of Terraform or Ansible.
        intent: Bool certain => known_files::intent_file(&row.written.path) || [".tf", ".tfvars", ".tf.json", ".tfvars.json"].iter().any(|suffix| row.written.path.ends_with(suffix));
    }
    loc => row.written.resource.loc();
    label => "this resource".to_owned();
    address => Some(row.written.resource.address());
    identity => format!("{} {}", row.written.resource.address(), row.written.path);
}

/// Rows of `tf.written_file`.
pub(super) fn written_files<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    habit::written_files(estate).into_iter().map(|written| Arc::new(WrittenFileRow { written }) as Row<'m>).collect()
}

/// Storage of a guest that nobody names.
pub(super) struct ImplicitStorageRow<'m> {
    storage: ImplicitStorage<'m>,
}

subject! {
    /// Storage of a guest that is left to a default.
    ImplicitStorageRow<'m> as "implicit_storage" (row) {
        /// The guest's address.
        guest: Str certain => row.storage.resource.address();
        /// The argument that names the storage.
        argument: Str certain => row.storage.argument;
        /// The storage.
        default: Str certain => row.storage.default;
        /// Whether the argument is given.
        given: Bool certain => row.storage.given;
    }
    loc => row.storage.loc;
    label => "this block".to_owned();
    address => Some(row.storage.resource.address());
    identity => format!("{} {}", row.storage.resource.address(), row.storage.argument);
}

/// Rows of `implicit_storage`.
pub(super) fn implicit_storage<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    habit::implicit_storage(estate)
        .into_iter()
        .map(|storage| Arc::new(ImplicitStorageRow { storage }) as Row<'m>)
        .collect()
}

/// A root whose state Git would take in.
pub(super) struct ExposedRow<'m> {
    root: RootFacts<'m>,
    names: Vec<&'static str>,
}

subject! {
    /// A root whose state or working folder Git does not ignore.
    ExposedRow<'m> as "exposed_state" (row) {
        /// The root's folder.
        folder: Str certain => if row.root.folder().is_empty() { "." } else { row.root.folder() };
        /// What `git add .` takes in.
        names: List(Str) => row.names.clone();
        /// Whether a state file that comes to lie there, and not just the working folder, is taken in.
        state: Bool certain => row.names.contains(&"terraform.tfstate") || row.root.remote() && row.names.contains(&"errored.tfstate");
        /// Whether its state is kept elsewhere, so that no state file comes to lie there.
        remote: Bool certain => row.root.remote();
        /// Whether it manages anything.
        manages: Bool certain => row.root.manages();
        /// Where it is declared.
        declaration: Loc => row.root.declaration();
    }
    loc => row.root.declaration();
    label => "this root module".to_owned();
    address => None;
    identity => row.root.folder().to_owned();
}

/// Rows of `exposed_state`.
pub(super) fn exposed<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    habit::exposed(estate)
        .into_iter()
        .map(|exposed| Arc::new(ExposedRow { root: exposed.root, names: exposed.names }) as Row<'m>)
        .collect()
}
