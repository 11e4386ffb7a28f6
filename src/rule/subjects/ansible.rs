//! Tasks, requirements and switches of Ansible.

use super::habit::FactCacheRow;
use crate::estate::Estate;
use crate::estate::container::{Container, Declared};
use crate::estate::load;
use crate::estate::reset_switch::{self, ResetSwitch};
use crate::estate::state_kept;
use crate::estate::task::{TaskFacts, is_test_path, runs_nowhere};
use crate::knowledge::ansible::ModuleRole;
use crate::model::ansible::{PROJECT, Requirement};
use crate::rule::subject::Row;
use crate::subject;
use crate::syntax::jinja;
use crate::syntax::yaml::Node;
use crate::value::Kind;
use std::sync::Arc;

/// A task.
#[derive(Clone, Copy)]
pub(super) struct TaskRow<'m> {
    facts: TaskFacts<'m>,
}

impl<'m> TaskRow<'m> {
    /// A task by index.
    pub(super) fn new(estate: &'m Estate<'m>, at: usize) -> Self {
        Self { facts: TaskFacts { estate, task: &estate.ansible.tasks[at], at } }
    }

    fn group(&self) -> &'static str {
        self.facts.module().map_or("", |module| module.group.as_str())
    }

    fn edits_hypervisor(&self) -> crate::value::Tri {
        const WRITERS: [&str; 7] = ["lineinfile", "blockinfile", "replace", "copy", "template", "file", "ini_file"];
        if !WRITERS.contains(&self.facts.task.short()) {
            return false.into();
        }
        let path = ["path", "dest"].iter().map(|name| self.facts.argument(name)).find(|value| !value.is_absent());
        let Some(path) = path else { return false.into() };
        ["/etc/pve/lxc/", "/etc/pve/qemu-server/", "/etc/pve/nodes/", "/etc/pve/storage.cfg"]
            .iter()
            .fold(crate::value::Tri::False, |so_far, prefix| so_far.or(|| path.starts_with(prefix)))
    }

    /// Whether a condition is about more than which host this is.
    pub(super) fn conditional(&self) -> bool {
        const WHO: [&str; 8] = [
            "inventory_hostname",
            "groups",
            "group_names",
            "ansible_play_hosts",
            "ansible_play_hosts_all",
            "play_hosts",
            "ansible_facts",
            "ansible_os_family",
        ];
        let about_more = |text: &str| {
            jinja::expression(text).is_ok_and(|expr| jinja::names(&expr).iter().any(|name| !WHO.contains(name)))
        };
        let conditions = self.facts.estate.ansible.conditions(self.facts.task);
        let creates = !self.facts.argument("creates").is_absent() || !self.facts.argument("removes").is_absent();
        let mut texts = conditions.iter().filter_map(|(_, when)| when.as_str());
        creates || self.facts.task.handler || texts.any(about_more)
    }

    /// Whether the file's path speaks of recovery.
    fn in_recovery(&self) -> bool {
        let path = self.facts.estate.documents.tree.path(self.facts.task.file).to_lowercase();
        let words = ["restore", "recover", "disaster", "runbook", "break-glass"];
        words.iter().any(|word| path.contains(word)) || path.split(['/', '_', '-', '.']).any(|part| part == "dr")
    }

    fn power_action(&self) -> bool {
        const STATES: [&str; 6] = ["active", "inactive", "rebooted", "restarted", "paused", "hibernated"];
        self.facts.has(ModuleRole::Infrastructure)
            && self.facts.state().as_str().is_some_and(|state| STATES.contains(&state))
    }

    /// Whether a state is only asked for (`state: get`).
    fn only_looks(&self) -> bool {
        matches!(self.facts.state().as_str(), Some("get" | "list" | "query" | "gathered"))
    }

    /// Whether Terraform here runs containers too.
    /// Whether it names an object of a cluster and says nothing of what it should be.
    fn asks_the_cluster(&self) -> bool {
        let task = self.facts.task;
        let given = |name: &str| task.argument(name).is_some();
        let said = ["definition", "resource_definition", "inline", "src", "template", "resource", "state"];
        task.module == "kubernetes.core.k8s" && given("kind") && task.register.is_some() && !said.into_iter().any(given)
    }

    /// Whether Terraform makes containers on the platform that the task speaks to.
    fn containers_in_terraform(&self) -> bool {
        let estate = self.facts.estate;
        match self.group() {
            "docker_podman" => estate.terraform.resources().any(|resource| resource.ty().starts_with("docker_")),
            // A cluster is everybody's; two owners of what runs in it are not.
            "kubernetes" => {
                let own = |it: &Container| it.declared == Declared::Kubernetes && it.address.is_some();
                estate.containers.iter().any(own)
            }
            _ => false,
        }
    }

    /// Whether the path that it writes is ignored by Git.
    fn repository_path_ignored(&self) -> bool {
        let value = self.facts.repository_path();
        let inside =
            value.as_str().and_then(|path| path.strip_prefix(PROJECT)).and_then(|path| crate::source::join("", path));
        inside.is_some_and(|path| self.facts.estate.repository.ignores.ignores(&path))
    }
}

subject! {
    /// A task or handler.
    TaskRow<'m> as "ansible.task" (row) {
        /// Its module's full name.
        module: Str certain => row.facts.task.module.to_string();
        /// The module without its collection.
        short: Str certain => row.facts.task.short().to_owned();
        /// Its name.
        name: Str => row.facts.task.name;
        /// What the module belongs to (`proxmox`, `aws`, `docker`…); empty when it is not known.
        group: Str certain => row.group();
        /// Whether the module creates, changes or destroys infrastructure.
        infrastructure: Bool certain => row.facts.has(ModuleRole::Infrastructure);
        /// Whether the module runs Terraform.
        terraform_control: Bool certain => row.facts.has(ModuleRole::TerraformControl);
        /// Whether the task says itself that it only looks what it would do.
        check_mode: Bool certain => row.facts.task.node.get("check_mode").and_then(Node::as_str).is_some_and(|text| matches!(text, "true" | "yes" | "True" | "on"));
        /// Whether the module changes nothing.
        read_only: Bool certain => row.facts.module().is_some_and(|module| module.read_only) || row.only_looks() || row.asks_the_cluster();
        /// How bad the module's use is for a host that Terraform declares.
        grade: Word(&["ok", "info", "warning", "error"]) certain => row.facts.grade();
        /// Its arguments.
        args: Dyn => row.facts.estate.ansible.arguments(row.facts.task);
        /// `state`, the module's default standing in for an absent one.
        state: Dyn => row.facts.state();
        /// Whether it only looks until something has come about.
        waits: Bool certain => row.facts.task.node.get("until").is_some() && row.facts.task.argument("state").is_none();
        /// Whether it writes or removes a file of the hypervisor's own configuration.
        edits_hypervisor: Bool => row.edits_hypervisor();
        /// Whether it surely only starts, stops or pauses something.
        power_action: Bool certain => row.power_action();
        /// Whether the repository has Terraform.
        terraform_here: Bool certain => row.facts.estate.has_terraform();
        /// Whether it runs on the controller.
        local: Bool => row.facts.local();
        /// Whether it belongs to a test of a role.
        molecule: Bool certain => row.facts.estate.documents.tree.path(row.facts.task.file).contains("molecule/");
        /// Whether it stands among tests.
        in_tests: Bool certain => row.facts.in_tests();
        /// Whether it belongs to a build of images.
        image_build: Bool certain => row.facts.image_build();
        /// Whether a switch that is off by default decides whether it runs.
        guarded: Bool certain => row.facts.guarded();
        /// Whether something that it finds, and not just which host it is, decides whether it runs.
        conditional: Bool certain => row.conditional();
        /// Whether its path says that it is there for recovery.
        in_recovery: Bool certain => row.in_recovery();
        /// Options whose values destroy or overwrite (`state: absent`).
        dangers: List(Str) => row.facts.dangers();
        /// Whether it destroys persistent data.
        destroys_data: Bool => match row.facts.destroyed() {
            None => crate::value::Tri::False,
            Some(target) => target.reason().filter(|_| matches!(target.kind, Kind::Unknown(_))).map_or(crate::value::Tri::True, crate::value::Tri::Unknown),
        };
        /// The option by which it formats or makes anew what is there already (`force: true`, `recreate: always`).
        formats: Str => row.facts.formats();
        /// The statement or fixture by which it writes rows, on one line.
        loads: Str => load::loads(row.facts.estate, row.facts.task);
        /// The data that it destroys.
        data_target: Dyn => row.facts.destroyed();
        /// The file of the repository that it writes on the controller.
        repository_path: Dyn => row.facts.repository_path();
        /// Whether Git ignores that file.
        repository_path_ignored: Bool => row.repository_path_ignored();
        /// Whether its command works in the repository on the controller.
        in_repository: Bool => row.facts.in_repository();
        /// What that file declares.
        declared_kind: Word(&["terraform", "inventory", "other"]) => row.facts.declared_kind();
        /// Whether what it writes comes from facts, registered results or other hosts' variables.
        from_runtime: Bool => row.facts.from_runtime();
        /// Whether it reads a state file.
        reads_state: Bool => row.facts.reads_state();
        /// What its module does to control state: edits, removes or copies a state file, or writes an object of a backend.
        state_deed: Word(&state_kept::DEEDS) certain => row.facts.state_deed().map_or("none", |deed| deed.kind);
        /// That state.
        state_path: Str => row.facts.state_deed().map(|deed| deed.path);
        /// Whether a copy takes the place of another state.
        onto_state: Bool => row.facts.state_deed().is_some_and(|deed| deed.onto);
        /// The cache in which it keeps facts for later runs.
        fact_cache: Node(FactCacheRow) => FactCacheRow::of_task(row.facts.estate, row.facts.at);
        /// The data service that it installs in whatever version is newest.
        latest_service: Str => row.facts.latest_service();
        /// The address of a download that is not pinned.
        floating_download: Dyn => row.facts.floating_download();
        /// Whether Terraform declares objects of the same platform.
        owned_by_terraform: Bool => row.containers_in_terraform();
    }
    loc => row.facts.task.loc;
    label => row.facts.task.name.map_or_else(|| format!("this {} task", row.facts.task.short()), |name| format!("the task \"{name}\""));
    address => None;
    identity => format!("{} {}", row.facts.task.module, row.facts.task.name.unwrap_or(""));
    never => runs_nowhere(row.facts.estate.ansible, row.facts.at);
}

/// Rows of `ansible.task`.
pub(super) fn tasks<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    (0..estate.ansible.tasks.len()).map(|at| Arc::new(TaskRow::new(estate, at)) as Row<'m>).collect()
}

/// A role or collection to install.
pub(super) struct RequirementRow<'m> {
    estate: &'m Estate<'m>,
    requirement: &'m Requirement<'m>,
}

subject! {
    /// A role or collection of a requirements file.
    RequirementRow<'m> as "ansible.requirement" (row) {
        /// Its name or source.
        name: Str certain => row.requirement.name;
        /// Its version.
        version: Str => row.requirement.version;
        /// Whether it is a collection.
        collection: Bool certain => row.requirement.collection;
        /// Whether it lies in the repository.
        local: Bool certain => row.requirement.local;
        /// Whether the file stands among tests.
        in_tests: Bool certain => is_test_path(row.estate.documents.tree.path(row.requirement.loc.file));
        /// Whether it comes in whatever version is newest.
        floating: Bool certain => row.requirement.version.is_none_or(|version| {
            matches!(version, "*" | "latest" | "main" | "master" | "HEAD") || version.starts_with('>') && !version.contains('<')
        });
    }
    loc => row.requirement.loc;
    label => "this requirement".to_owned();
    address => None;
    identity => row.requirement.name.to_owned();
}

/// Rows of `ansible.requirement`.
pub(super) fn requirements<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    estate
        .ansible
        .requirements
        .iter()
        .map(|requirement| Arc::new(RequirementRow { estate, requirement }) as Row<'m>)
        .collect()
}

/// A variable that guards a destructive task.
pub(super) struct ResetSwitchRow<'m> {
    estate: &'m Estate<'m>,
    switch: ResetSwitch,
}

subject! {
    /// A variable that guards a task that destroys data.
    ResetSwitchRow<'m> as "reset_switch" (row) {
        /// Its name.
        name: Str certain => row.switch.name.clone();
        /// Its committed value, or the default that the condition gives it.
        value: Dyn => row.switch.value.clone();
        /// Whether it lets the task run.
        on: Bool => match row.switch.value.kind {
            Kind::Known(_) => crate::value::Tri::from(row.switch.value.as_bool() == Some(!row.switch.inverted)),
            _ => crate::value::Tri::Unknown("its value is not known".into()),
        };
        /// Whether it or the task stands among tests.
        in_tests: Bool certain => [row.switch.loc.file, row.estate.ansible.tasks[row.switch.task].file].into_iter().any(|file| is_test_path(row.estate.documents.tree.path(file)));
        /// The task.
        task: Node(TaskRow) => TaskRow::new(row.estate, row.switch.task);
    }
    loc => row.switch.loc;
    label => "this switch".to_owned();
    address => None;
    identity => row.switch.name.clone();
}

/// Rows of `reset_switch`.
pub(super) fn reset_switches<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let all = reset_switch::reset_switches(estate).into_iter();
    all.map(|switch| Arc::new(ResetSwitchRow { estate, switch }) as Row<'m>).collect()
}
