//! Roots, resources and what protects them, provisioners, requirements, module calls.

use super::idle::{is_idle, writes};
use crate::estate::Estate;
use crate::estate::guard::is_guard;
use crate::estate::root::{self, Requirement, RootFacts};
use crate::estate::task::is_test_path;
use crate::estate::{state_backend, store};
use crate::knowledge::terraform::{self as known, AppDataGrade, Role as ProtectionRole};
use crate::model::command::Command;
use crate::model::terraform::{CallView, Mode, Provisioner, Resource, Role, When};
use crate::rule::subject::{Fact, Row};
use crate::subject;
use crate::syntax::hcl::ExprKind;
use crate::text::{HOLE, Loc};
use crate::value::{Tri, Value};
use std::collections::HashSet;
use std::sync::Arc;

/// A root, library or example.
pub(super) struct RootRow<'m> {
    facts: RootFacts<'m>,
}

subject! {
    /// A Terraform configuration that is applied by itself, or made to be called by others.
    RootRow<'m> as "tf.root" (row) {
        /// Its folder.
        folder: Str certain => match row.facts.instance.environment() { "" => ".", folder => folder };
        /// What it is for.
        role: Word(&["root", "child", "library", "example"]) certain => row.facts.role();
        /// The type of its backend; empty without one.
        backend: Str certain => row.facts.backend_type();
        /// Whether several people and jobs can share its state.
        remote: Bool certain => row.facts.remote();
        /// Whether the rest of its backend's configuration is given at init.
        partial: Bool certain => row.facts.backend().is_some_and(|backend| backend.partial);
        /// Whether OpenTofu encrypts its state and plans before they leave the machine.
        encrypted: Bool certain => row.facts.encrypted();
        /// Whether two runs exclude each other.
        locks: Bool => row.facts.locks();
        /// Whether more than its resources shows that somebody applies it.
        evident: Bool => row.facts.evident();
        /// Whether a template below it makes its backend.
        generated_backend: Bool => row.facts.generated_backend();
        /// Whether it manages anything.
        manages: Bool certain => row.facts.manages();
        /// Whether several people or jobs work on it, by its path or because CI applies.
        shared: Bool => row.facts.shared();
        /// Whether a lock file stands beside it.
        locked: Bool certain => row.facts.locked();
        /// Whether an ignore rule keeps a lock file there out of Git.
        lock_ignored: Bool certain => row.facts.lock_ignored();
        /// Whether it sets up providers of which it says neither source nor version.
        undeclared_providers: Bool certain => row.facts.uses_undeclared_providers();
        /// Whether Terragrunt runs it.
        terragrunt: Bool certain => row.facts.terragrunt();
        /// Whether a comment says that it creates what the others keep their state in.
        bootstrap: Bool => row.facts.bootstrap();
        /// Whether its environment is thrown away.
        ephemeral: Bool => row.facts.ephemeral();
        /// Its backend, else its `terraform` block, else a provider.
        declaration: Loc => row.facts.declaration();
    }
    loc => row.facts.declaration();
    label => "this root module".to_owned();
    address => None;
    identity => row.facts.folder().to_owned();
}

/// Rows of `tf.root`.
pub(super) fn roots<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let terraform = estate.terraform;
    // Of a unit whose module lies elsewhere, Terragrunt says where its state is kept.
    let outside = terraform.units.iter().filter(|unit| unit.module.is_none() && terraform.unit_backend(unit).is_some());
    terraform
        .tops()
        .chain(outside.map(|unit| &unit.instance))
        .map(|instance| Arc::new(RootRow { facts: RootFacts { estate, instance } }) as Row<'m>)
        .collect()
}

/// A managed resource of one module instance.
pub(super) struct ResourceRow<'m> {
    estate: &'m Estate<'m>,
    pub(super) resource: Resource<'m, 'm>,
}

impl<'m> ResourceRow<'m> {
    /// A resource.
    pub(super) fn new(estate: &'m Estate<'m>, resource: Resource<'m, 'm>) -> Self {
        Self { estate, resource }
    }

    pub(super) fn kind(&self) -> &'static known::DataType {
        static NONE: std::sync::OnceLock<known::DataType> = std::sync::OnceLock::new();
        known::data_type(self.resource.ty()).unwrap_or_else(|| {
            NONE.get_or_init(|| known::DataType {
                ty: String::new(),
                kind: String::new(),
                data: known::DataClass::Metadata,
                protections: Vec::new(),
                replace_on: Vec::new(),
                companions: Vec::new(),
                kept_when_full: false,
                image_from: Vec::new(),
            })
        })
    }

    fn data(&self) -> &'static str {
        known::data_type(self.resource.ty()).map_or("none", |ty| ty.data.as_str())
    }

    fn guarded(&self) -> Tri {
        self.estate.guarded(&self.resource)
    }

    fn guard_off(&self) -> Tri {
        let switches = self
            .kind()
            .protections
            .iter()
            .filter(|protection| is_guard(protection.role) || protection.role == ProtectionRole::Purge);
        let off = self.resource.arg("lifecycle.prevent_destroy").equals(&false.into());
        switches.fold(off, |so_far, switch| {
            let value = self.resource.arg(&switch.path);
            so_far.or(|| value.has().and(|| switch.is_unsafe(&value)))
        })
    }

    /// Whether a resource beside it protects it in one way.
    fn protected_by(&self, role: impl Fn(ProtectionRole) -> bool) -> Tri {
        self.estate.guards.protects(&self.resource, role)
    }

    /// The folders whose state it keeps.
    fn state_of(&self) -> &'m [String] {
        state_backend::kept_in(self.estate, &self.resource)
    }

    fn prevent_destroy(&self) -> Tri {
        self.resource.arg("lifecycle.prevent_destroy").equals(&true.into())
    }

    /// Whether what is deleted can be had back for a while.
    fn recoverable(&self) -> Tri {
        store::holds_by(&self.resource, self.kind(), ProtectionRole::SoftDelete)
    }

    /// What guards it against being deleted, and `ignore_changes` lists.
    fn ignored_guards(&self) -> Vec<&'static str> {
        let guards = known::data_type(self.resource.ty()).into_iter().flat_map(|ty| &ty.protections);
        let guards = guards.filter(|guard| is_guard(guard.role));
        let ignored = |guard: &&str| crate::estate::wiring::ignores(self.resource.decl, guard);
        guards.map(|guard| guard.path.as_str()).filter(ignored).collect()
    }

    /// The list of `ignore_changes`.
    fn ignored_list(&self) -> Option<Loc> {
        let (file, expr) = self.resource.blocks("lifecycle").into_iter().next()?.expr("ignore_changes")?;
        Some(Loc { file, span: expr.span })
    }

    fn ignore_changes(&self) -> Option<Loc> {
        let lifecycle = self.resource.blocks("lifecycle").into_iter().next()?;
        let (file, expr) = lifecycle.expr("ignore_changes")?;
        let all = |kind: &ExprKind| matches!(kind, ExprKind::Name(name) | ExprKind::Str(name) if &**name == "all" || &**name == "*");
        let hides = match &expr.kind {
            ExprKind::List(items) => items.iter().any(|item| all(&item.kind)),
            kind => all(kind),
        };
        hides.then_some(Loc { file, span: expr.span })
    }

    fn app_data(&self) -> &'static str {
        known::app_data(self.resource.ty()).map_or("none", |row| match (row.grade, &row.statements) {
            (AppDataGrade::Data, Some(path)) if !moves_rows(&self.resource.arg(path)) => "mixed",
            (AppDataGrade::Data, _) => "data",
            _ => "mixed",
        })
    }
}

/// Whether statements of Kusto that are known take rows in, move or delete them; what makes and alters tables does not.
fn moves_rows(statements: &Value) -> bool {
    const OF_ROWS: [&str; 9] =
        [".ingest", ".set ", ".set-or-", ".append", ".move", ".replace", ".delete", ".clear", ".purge"];
    statements.as_str().is_some_and(|text| {
        text.lines()
            .map(|line| line.trim_start().to_lowercase())
            .any(|line| OF_ROWS.iter().any(|word| line.starts_with(word)))
    })
}

subject! {
    /// A managed resource, one row an instance.
    ResourceRow<'m> as "tf.resource" (row) {
        /// Whether it stands among tests.
        in_tests: Bool certain => is_test_path(row.estate.documents.tree.path(row.resource.loc().file));
        /// Its type.
        r#type: Str certain => row.resource.ty();
        /// Its name.
        name: Str certain => row.resource.name();
        /// Its address.
        address: Str certain => row.resource.address();
        /// What losing it loses; `none` when it holds no data.
        data: Word(&["authoritative", "secret", "queue", "state", "copy", "cache", "metadata", "none"]) certain => row.data();
        /// What it is (`relational-db`, `block-volume`…); empty when it holds no data.
        kind: Str certain => &row.kind().kind;
        /// Whether a deletion guard is in force.
        guarded: Bool => row.guarded();
        /// Whether a guard is switched off, or emptying allowed, by an argument of its own: findings of their own.
        guard_off: Bool => row.guard_off();
        /// Whether it is a table for state locks.
        lock_table: Bool => row.resource.arg("hash_key").equals(&"LockID".into());
        /// Whether Terraform refuses to destroy it.
        prevent_destroy: Bool => row.prevent_destroy();
        /// Whether the service refuses to delete it while anything is in it.
        refuses_when_full: Bool => store::refuses_when_full(&row.resource, row.kind());
        /// Whether what is on it stays when it is deleted.
        outlived: Bool => store::holds_by(&row.resource, row.kind(), ProtectionRole::SurvivesCompute);
        /// Whether it is the claim of one volume of a cluster, by its name.
        claims_by_name: Bool certain => !row.resource.arg("spec.volume_name").is_absent();
        /// Whether it is made of an image: what a machine starts from.
        of_image: Bool certain => row.kind().is_of_image(|path| row.resource.arg(path));
        /// Whether what is deleted can be had back for a while.
        recoverable: Bool => row.recoverable();
        /// Whether a backup plan beside it makes copies of it.
        backed_up: Bool => row.protected_by(|role| role == ProtectionRole::Backup);
        /// Whether a backend of this repository keeps its state in it.
        keeps_state: Bool => !row.state_of().is_empty();
        /// The folders whose state it keeps.
        state_of: List(Str) => row.state_of().iter().map(String::as_str).collect::<Vec<_>>();
        /// The folders whose locks it keeps; none: no table of a backend.
        locks_of: Str => Some(state_backend::locked_in(row.estate, &row.resource).join(", ")).filter(|folders| !folders.is_empty());
        /// Whether it is a copy of another store.
        replica: Bool => store::is_replica(&row.resource);
        /// Whether its name says that its content can be made again.
        temporary: Bool => store::is_temporary(&row.resource);
        /// Whether a comment says that its data can be made again.
        rebuildable: Bool certain => row.estate.is_rebuildable(row.resource.loc());
        /// Whether a comment says what its data is, or who owns it.
        explained: Bool certain => ["data", "owner"].iter().any(|key| row.estate.annotation(row.resource.loc(), key).is_some());
        /// Whether it belongs to a module that nothing here calls.
        in_library: Bool certain => matches!(row.resource.instance.role, Role::Library | Role::Example);
        /// Whether it puts application data under Terraform.
        app_data: Word(&["data", "mixed", "none"]) certain => row.app_data();
        /// Whether it ignores every change.
        ignore_all: Bool certain => row.ignore_changes().is_some();
        /// `ignore_changes`
        ignore_changes: Loc => row.ignore_changes();
        /// Guards against deletion that it ignores by name.
        ignored_guards: List(Str) => row.ignored_guards().into_iter().map(Fact::from).collect::<Vec<Fact<'m>>>();
        /// `ignore_changes`, whatever it lists.
        ignored_list: Loc => row.ignored_list();
        /// Its arguments and blocks.
        args: Dyn => row.resource.view().to_value();
    }
    loc => row.resource.loc();
    label => format!("the resource {}", row.resource.address());
    address => Some(row.resource.address());
    identity => row.resource.address();
    environment => Some(row.resource.instance.environment().to_owned());
    doubt => row.resource.switch().map(|reason| reason.to_string());
}

pub(super) fn managed<'m>(estate: &'m Estate<'m>) -> impl Iterator<Item = Resource<'m, 'm>> {
    estate.terraform.resources().filter(|resource| resource.decl.mode == Mode::Managed)
}

/// Rows of `tf.resource`.
pub(super) fn resources<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    managed(estate).map(|resource| Arc::new(ResourceRow::new(estate, resource)) as Row<'m>).collect()
}

/// Classes of commands that change infrastructure, data or state.
const CHANGING: [&str; 9] = [
    "hypervisor-change",
    "cloud-change",
    "data-load",
    "data-destroy",
    "state-mutation",
    "state-edit",
    "state-remove",
    "cluster-data-delete",
    "container-data-delete",
];

fn has_class(command: &Command, classes: &[&str]) -> bool {
    command.rows.iter().any(|row| classes.contains(&row.class.as_str()))
}

/// A provisioner of a resource.
pub(super) struct ProvisionerRow<'m> {
    estate: &'m Estate<'m>,
    resource: Resource<'m, 'm>,
    at: usize,
    provisioner: Provisioner<'m, 'm>,
}

impl<'m> ProvisionerRow<'m> {
    fn commands(&self) -> impl Iterator<Item = &'m Command> {
        let header = self.resource.loc();
        let own = self.at;
        let of_resource = self.estate.invocations.iter().filter(move |invocation| {
            invocation.provisioner == Some(own)
                && invocation.resource.as_ref().is_some_and(|resource| resource.loc() == header)
        });
        of_resource.map(|invocation| &invocation.command)
    }

    /// The command that tells most: one that changes what others declare, else no talk, no tidying up, else one that writes something.
    fn weighty(&self) -> Option<&Command> {
        const TIDYING: [&str; 8] = ["rm", "trap", "umask", "command", "shift", "local", "declare", "readonly"];
        let tidies = |command: &Command| TIDYING.contains(&&*command.program);
        let mut ways = [
            self.commands().find(|command| has_class(command, &CHANGING)),
            self.commands().find(|command| !is_idle(command) && !tidies(command)),
            self.commands().find(|command| command.redirects.iter().any(writes)),
            self.commands().find(|command| !is_idle(command)),
            self.commands().next(),
        ];
        // What another language's text looks like in a shell's eyes is no program.
        let named = |it: &&Command| {
            it.program.starts_with(|c: char| c.is_ascii_alphabetic() || "./~$_@".contains(c) || c == HOLE)
                && !it.program.contains(',')
        };
        ways.iter_mut().find_map(|way| way.take().filter(named))
    }

    fn habit(&self) -> String {
        let script = |word: &&str| [".sh", ".py", ".ps1", ".pl", ".rb"].iter().any(|suffix| word.ends_with(suffix));
        let text = self.text();
        text.split_whitespace().find(script).map_or_else(|| text.clone(), str::to_owned)
    }

    fn text(&self) -> String {
        let text = self.weighty().map_or_else(|| "a script".to_owned(), |command| command.text.replace(HOLE, "…"));
        match text.char_indices().nth(80) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text,
        }
    }

    /// Whether nothing but waiting and talking is done.
    fn waits_only(&self) -> bool {
        // What a shell elsewhere is told is judged by itself.
        let there = self.commands().any(|command| command.through.iter().any(|it| &**it == "ssh"));
        let idle = |command: &Command| is_idle(command) || there && &*command.program == "ssh";
        let mut commands = self.commands().peekable();
        commands.peek().is_some() && commands.all(|command| idle(command) && !command.redirects.iter().any(writes))
    }

    fn has_class(&self, classes: &[&str]) -> bool {
        self.commands().any(|command| has_class(command, classes))
    }

    /// Whether a command in the block itself, and not in a script that it runs, is one of those that make and change machines.
    fn changes_live(&self) -> bool {
        let here = |command: &&Command| command.loc.file == self.provisioner.block.loc.file;
        self.commands().filter(here).any(|command| has_class(command, &["hypervisor-change"]))
    }

    fn on_hypervisor(&self) -> bool {
        let Some((file, expr)) = self.provisioner.connection().and_then(|connection| connection.expr("host")) else {
            return false;
        };
        let written = self.estate.documents.tree.slice(Loc { file, span: expr.span }).to_lowercase();
        ["proxmox", "pve", "hypervisor", "esxi", "vcenter"].iter().any(|word| written.contains(word))
    }
}

subject! {
    /// A provisioner of a resource.
    ProvisionerRow<'m> as "tf.provisioner" (row) {
        /// `local-exec`, `remote-exec`, `file`…
        kind: Str certain => row.provisioner.kind;
        /// Whether it runs where Terraform runs.
        local: Bool certain => row.provisioner.kind == "local-exec";
        /// Whether it runs before the resource is destroyed.
        at_destroy: Bool certain => row.provisioner.when == When::Destroy;
        /// The resource.
        resource: Node(ResourceRow) => ResourceRow::new(row.estate, row.resource.clone());
        /// Its first command.
        text: Str => row.text();
        /// The script that it runs, or else the command.
        habit: Str => row.habit();
        /// Whether it logs in to a hypervisor.
        on_hypervisor: Bool => row.on_hypervisor();
        /// Whether a command enters or changes a guest.
        changes_guest: Bool => row.has_class(&["guest-exec-write", "hypervisor-change"])
            || row.commands().any(|command| matches!(&*command.program, "pct" | "qm") && command.sub.first().is_some_and(|sub| matches!(&**sub, "exec" | "push" | "enter")))
            || row.commands().any(|command| command.through.iter().any(|wrapper| wrapper.contains("exec")));
        /// Whether a command changes infrastructure, data or state.
        changes_infrastructure: Bool => row.has_class(&CHANGING);
        /// Whether a command that stands in it changes machines or services beside Terraform.
        changes_live: Bool => row.changes_live();
        /// Whether it stands among tests.
        in_tests: Bool certain => is_test_path(row.estate.documents.tree.path(row.provisioner.block.loc.file));
        /// Whether it only waits or prints.
        waits_only: Bool => row.waits_only();
    }
    loc => row.provisioner.block.loc;
    label => "this provisioner".to_owned();
    address => Some(row.resource.address());
    identity => format!("{} {} {}", row.resource.address(), row.provisioner.kind, row.at);
}

/// Rows of `tf.provisioner`: those of one instance of each declaration.
pub(super) fn provisioners<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let mut rows: Vec<Row<'m>> = Vec::new();
    let mut seen = HashSet::new();
    for resource in managed(estate) {
        if !seen.insert(resource.loc()) {
            continue;
        }
        for (at, provisioner) in resource.provisioners().into_iter().enumerate() {
            rows.push(Arc::new(ProvisionerRow { estate, resource: resource.clone(), at, provisioner }) as Row<'m>);
        }
    }
    rows
}

/// A provider that a module requires.
pub(super) struct RequirementRow<'m> {
    requirement: Requirement<'m>,
}

subject! {
    /// A provider that a module requires.
    RequirementRow<'m> as "tf.provider_requirement" (row) {
        /// Its local name.
        name: Str certain => row.requirement.name;
        /// Its version constraint.
        version: Str => row.requirement.version.clone();
        /// Whether one version alone satisfies the constraint.
        pinned: Bool certain => row.requirement.pinned();
        /// Whether any version constraint is given.
        constrained: Bool certain => row.requirement.version.is_some();
        /// Whether it is the first of its module without an exact version.
        first: Bool certain => row.requirement.first;
        /// Whether an ignore rule keeps a lock file there out of Git.
        lock_ignored: Bool certain => row.requirement.lock_ignored;
        /// Whether the module is applied by somebody.
        root: Bool certain => row.requirement.root;
        /// Whether a lock file stands beside the module.
        locked: Bool certain => row.requirement.locked;
    }
    loc => row.requirement.loc;
    label => "this requirement".to_owned();
    address => None;
    identity => format!("{} {}", row.requirement.module.folder, row.requirement.name);
}

/// Rows of `tf.provider_requirement`.
pub(super) fn requirements<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    root::requirements(estate)
        .into_iter()
        .map(|requirement| Arc::new(RequirementRow { requirement }) as Row<'m>)
        .collect()
}

/// A module call.
pub(super) struct CallRow<'m> {
    estate: &'m Estate<'m>,
    call: CallView<'m, 'm>,
}

impl CallRow<'_> {
    fn known(&self) -> Option<&'static known::WellKnownModule> {
        // What is at hand speaks for itself.
        self.call.call.source.filter(|_| self.call.target().is_none()).and_then(known::well_known_module)
    }

    fn guarded(&self) -> Tri {
        let unknown = || Tri::Unknown("whether the module protects its data is not known".into());
        let Some(module) = self.known() else { return unknown() };
        let mut guards = module.protections.iter().filter(|protection| is_guard(protection.role)).peekable();
        if guards.peek().is_none() {
            return unknown();
        }
        guards.fold(Tri::False, |so_far, guard| {
            so_far.or(|| {
                let value = self.call.arg(&guard.path);
                if value.is_absent() && guard.default.is_none() { unknown() } else { guard.is_safe(&value) }
            })
        })
    }
}

subject! {
    /// A call of a module.
    CallRow<'m> as "tf.module_call" (row) {
        /// Its name.
        name: Str certain => row.call.call.name;
        /// Where the module comes from.
        source: Str certain => row.call.call.source.unwrap_or("");
        /// Whether that is this repository.
        local: Bool certain => root::is_local(row.call.call.source.unwrap_or(""));
        /// Whether it names a folder that is no part of this repository.
        leaves_repository: Bool certain => root::leaves_repository(row.estate, &row.call);
        /// Whether it leads to a module, nowhere, or back to the module that calls.
        leads: Word(&["somewhere", "nowhere", "circle"]) certain => root::leads(row.estate, &row.call);
        /// What losing what a well-known module makes loses; `none` when that is not known.
        data: Str certain => row.known().map_or("none", |module| module.data.as_str());
        /// What kind of data that is; empty when it is not known.
        kind: Str certain => row.known().map_or("", |module| module.kind.as_str());
        /// Whether an input of the module guards it against deletion.
        guarded: Bool => row.guarded();
        /// Whether one version of the module is named.
        pinned: Bool => root::call_is_pinned(&row.call);
    }
    loc => row.call.loc();
    label => "this module call".to_owned();
    address => Some(row.call.address());
    identity => row.call.address();
}

/// Rows of `tf.module_call`.
pub(super) fn calls<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let instances = estate.terraform.instances.iter();
    instances
        .flat_map(|instance| estate.terraform.calls_of(instance))
        .map(|call| Arc::new(CallRow { estate, call }) as Row<'m>)
        .collect()
}
