//! What a file is: by its path what it may be, by its shape what it is.

mod inventory;
mod path;
pub mod state;

use inventory::in_inventory;
pub use inventory::{is_ini_inventory, may_be_inventory};

use crate::source::{file_name, folder};
use crate::syntax::compose;
use crate::syntax::hcl;
use crate::syntax::yaml::{Node, Yaml};
pub use path::{DATA_SUFFIXES, PACKED_SUFFIXES, WORKING, by_path, is_state_name, may_hold_state, pattern};

/// What a file is to the tools that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it; `label` gives the words")]
pub enum Kind {
    Terraform,
    TerraformJson,
    TerraformVariables,
    TerraformVariablesJson,
    Terragrunt,
    LockFile,
    State,
    Plan,
    Packer,
    PackerVariables,
    PackerJson,
    Playbook,
    Tasks,
    AnsibleVariables,
    RoleMeta,
    Requirements,
    InventoryYaml,
    InventoryIni,
    InventoryPlugin,
    AnsibleConfig,
    Compose,
    Manifest,
    Workflow,
    CloudInit,
    Ignition,
    Shell,
    PowerShell,
    Program,
    Mise,
    Makefile,
    Justfile,
    Jenkinsfile,
    Dockerfile,
    SystemdUnit,
    Crontab,
    Quadlet,
    Nomad,
    TaskDefinition,
    IgnoreFile,
    AgentSettings,
    AgentInstructions,
    Configuration,
}

/// Why a file is not judged. A closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Skip {
    /// None of the tools reads it.
    NoKind,
    /// A template (Jinja, Helm, ERB, Go…) that is only whole once rendered.
    Template,
    /// Encrypted by `ansible-vault`.
    Vaulted,
    /// Brought in from elsewhere (`node_modules`, `.terraform`, collections).
    Vendored,
    /// Excluded by the configuration.
    Excluded,
    /// Below a folder for what is no longer used.
    Archived,
    /// Larger than we read.
    TooLarge,
    /// Not text.
    Binary,
    /// A submodule.
    Submodule,
}

impl Skip {
    /// The words for it.
    pub fn label(self) -> &'static str {
        match self {
            Self::NoKind => "no kind",
            Self::Template => "template",
            Self::Vaulted => "vaulted",
            Self::Vendored => "vendored",
            Self::Excluded => "excluded",
            Self::Archived => "archived",
            Self::TooLarge => "too large",
            Self::Binary => "binary",
            Self::Submodule => "submodule",
        }
    }
}

impl Kind {
    /// The words for it, plural.
    pub fn label(self) -> &'static str {
        match self {
            Self::Terraform | Self::TerraformJson => "Terraform configurations",
            Self::TerraformVariables | Self::TerraformVariablesJson => "Terraform variable files",
            Self::Terragrunt => "Terragrunt units",
            Self::LockFile => "dependency lock files",
            Self::State => "Terraform states",
            Self::Plan => "Terraform plans",
            Self::Packer | Self::PackerJson => "Packer templates",
            Self::PackerVariables => "Packer variable files",
            Self::Playbook => "playbooks",
            Self::Tasks => "task files",
            Self::AnsibleVariables => "Ansible variable files",
            Self::RoleMeta => "role metadata",
            Self::Requirements => "Ansible requirements",
            Self::InventoryYaml | Self::InventoryIni | Self::InventoryPlugin => "inventories",
            Self::AnsibleConfig => "Ansible configurations",
            Self::Compose => "Compose files",
            Self::Manifest => "Kubernetes manifests",
            Self::Workflow => "CI workflows",
            Self::CloudInit => "cloud-init files",
            Self::Ignition => "Ignition and Butane configurations",
            Self::Shell => "shell scripts",
            Self::PowerShell => "PowerShell scripts",
            Self::Program => "Python and Node programs",
            Self::Makefile | Self::Justfile => "makefiles",
            Self::Mise => "mise tasks",
            Self::Jenkinsfile => "Jenkins pipelines",
            Self::Dockerfile => "Dockerfiles",
            Self::SystemdUnit => "systemd units",
            Self::Crontab => "crontabs",
            Self::Quadlet => "Quadlet units",
            Self::Nomad => "Nomad jobs",
            Self::TaskDefinition => "ECS task definitions",
            Self::IgnoreFile => "ignore files",
            Self::AgentSettings => "agent settings",
            Self::AgentInstructions => "agent instructions",
            Self::Configuration => "Stateward configurations",
        }
    }

    /// Whether its own tool would have to read it, so that failing to is a finding.
    pub fn must_parse(self) -> bool {
        !matches!(
            self,
            Self::IgnoreFile
                | Self::AgentInstructions
                | Self::LockFile
                | Self::Plan
                | Self::CloudInit
                | Self::Ignition
                | Self::Manifest
                | Self::TaskDefinition
        )
    }
}

/// What a path alone allows a file to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// Surely this, if it parses.
    Is(Kind),
    /// YAML: its shape decides.
    Yaml,
    /// JSON: its shape decides.
    Json,
    /// HCL of some tool: its shape decides.
    Hcl,
    /// A script if its first line says so, or an inventory if its first lines are one's.
    Shebang,
    /// INI in an inventory folder, or a file without suffix that may be an inventory.
    Inventory,
    /// Surely not judged.
    Not(Skip),
}

/// Whether the first line names a shell.
pub fn is_shell_script(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
    let line = String::from_utf8_lossy(line);
    line.starts_with("#!")
        && line.split(['/', ' ']).any(|word| matches!(word.trim(), "sh" | "bash" | "dash" | "ksh" | "zsh"))
}

/// Whether the first line names Python or Node.
pub fn is_program(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
    let line = String::from_utf8_lossy(line);
    line.starts_with("#!") && line.split(['/', ' ']).any(|word| word.starts_with("python") || word.trim() == "node")
}

/// Whether a file in HCL is a job of Nomad.
pub fn is_nomad(file: &hcl::File) -> bool {
    let mut jobs = file.body.blocks_of("job").peekable();
    jobs.peek().is_some() && jobs.all(|job| job.body.blocks_of("group").next().is_some())
}

/// Whether a file in HCL is one of Terragrunt: it has nothing but what Terragrunt knows.
pub fn is_terragrunt(file: &hcl::File) -> bool {
    const BLOCKS: [&str; 12] = [
        "catalog",
        "dependencies",
        "dependency",
        "engine",
        "errors",
        "exclude",
        "feature",
        "generate",
        "include",
        "locals",
        "remote_state",
        "terraform",
    ];
    const ATTRIBUTES: [&str; 7] = [
        "inputs",
        "skip",
        "prevent_destroy",
        "iam_role",
        "download_dir",
        "terraform_version_constraint",
        "terragrunt_version_constraint",
    ];
    let body = &file.body;
    (!body.blocks.is_empty() || body.attribute("inputs").is_some())
        && body.blocks.iter().all(|block| BLOCKS.contains(&&*block.kind))
        && body.attributes.iter().all(|attribute| ATTRIBUTES.contains(&&*attribute.name))
}

/// What a YAML file is, by its shape and then its path.
pub fn of_yaml(path: &str, yaml: &Yaml) -> Result<Kind, Skip> {
    let name = file_name(path);
    let Some(root) = yaml.root() else { return empty_yaml(path) };
    if let Some(kind) = workflow(path, name) {
        return Ok(kind);
    }
    let kind = if root.is_seq() {
        of_sequence(path, root)
    } else if root.is_map() {
        of_mapping(path, name, root)
    } else {
        None
    };
    kind.ok_or(Skip::NoKind)
}

/// An empty role file is still a role file.
fn empty_yaml(path: &str) -> Result<Kind, Skip> {
    if is_variables_path(path) {
        Ok(Kind::AnsibleVariables)
    } else if is_tasks_path(path) {
        Ok(Kind::Tasks)
    } else {
        Err(Skip::NoKind)
    }
}

/// Files of pipelines, without the end of their names.
const PIPELINES: [&str; 10] = [
    "azure-pipelines",
    ".drone",
    ".woodpecker",
    "atlantis",
    "taskfile",
    "bitbucket-pipelines",
    ".travis",
    "buildspec",
    "buildkite",
    ".buildkite",
];

fn workflow(path: &str, name: &str) -> Option<Kind> {
    let lower = name.to_ascii_lowercase();
    let stem = lower.strip_suffix(".yml").or_else(|| lower.strip_suffix(".yaml")).unwrap_or(&lower);
    let ci = path.contains(".github/workflows/")
        || path.contains(".gitea/workflows/")
        || path.contains(".forgejo/workflows/")
        || name == ".gitlab-ci.yml"
        || name.ends_with(".gitlab-ci.yml")
        || path.contains(".circleci/")
        || path.ends_with(".spacelift/config.yml")
        || stem.starts_with("taskfile.")
        || PIPELINES.contains(&stem)
        || path.contains(".woodpecker/")
        || path.contains(".buildkite/");
    ci.then_some(Kind::Workflow)
}

fn of_sequence(path: &str, root: Node<'_>) -> Option<Kind> {
    let items: Vec<Node<'_>> = root.items().filter(|item| item.is_map()).take(20).collect();
    let any = |key: &str| items.iter().any(|item| item.get(key).is_some());
    // An EDA rulebook has plays' `hosts` beside `sources` and `rules`.
    if any("rules") && any("sources") {
        return None;
    }
    if any("hosts") && items.iter().any(|item| is_play(*item))
        || any("import_playbook")
        || any("ansible.builtin.import_playbook")
    {
        return Some(Kind::Playbook);
    }
    if requirements_name(path)
        && items.iter().any(|item| ["src", "name", "role"].iter().any(|key| item.get(key).is_some()))
    {
        return Some(Kind::Requirements);
    }
    let tasks = items.iter().filter(|item| is_task(**item)).count();
    let likely = is_tasks_path(path);
    (tasks > 0 && (likely || tasks * 2 >= items.len() && items.iter().any(|item| surely_task(*item))))
        .then_some(Kind::Tasks)
}

/// Keys of the metadata of a role.
const ROLE_META: [&str; 5] = ["galaxy_info", "dependencies", "allow_duplicates", "argument_specs", "collections"];

const PLAY_KEYS: [&str; 9] =
    ["tasks", "roles", "pre_tasks", "post_tasks", "become", "gather_facts", "vars", "vars_files", "handlers"];

fn is_play(item: Node<'_>) -> bool {
    item.get("hosts").is_some() && PLAY_KEYS.iter().any(|key| item.get(key).is_some())
}

/// Keys that stand beside the module in a task.
const TASK_KEYS: [&str; 12] = [
    "register",
    "when",
    "notify",
    "become",
    "tags",
    "loop",
    "with_items",
    "changed_when",
    "failed_when",
    "delegate_to",
    "block",
    "args",
];

fn is_task(item: Node<'_>) -> bool {
    item.get("hosts").is_none()
        && item.entries().into_iter().any(|(key, _)| {
            key.as_str().is_some_and(|key| {
                TASK_KEYS.contains(&key)
                    || crate::knowledge::ansible::module(key).is_some()
                    || crate::knowledge::ansible::canonical(key).split('.').count() == 3
            })
        })
        || item.entries().len() <= 8 && item.get("name").is_some() && item.entries().len() > 1
}

/// A key that nothing but a task has: a fully qualified or builtin module, or an old short name with a mapping.
fn surely_task(item: Node<'_>) -> bool {
    let module = |key: &str, value: Node<'_>| {
        let full = crate::knowledge::ansible::canonical(key);
        let short = !key.contains('.') && !full.starts_with("ansible.builtin.");
        full.split('.').count() >= 3 && !key.contains(['/', ' ']) && (!short || value.is_map())
    };
    item.entries().into_iter().any(|(key, value)| key.as_str().is_some_and(|key| module(key, value)))
        && ["name", "register", "when", "tags", "become", "notify"].iter().any(|key| item.get(key).is_some())
        || item.get("block").is_some_and(Node::is_seq)
}

fn is_tasks_path(path: &str) -> bool {
    let folder = folder(path);
    folder.split('/').any(|part| matches!(part, "tasks" | "handlers"))
}

fn is_variables_path(path: &str) -> bool {
    let folder = folder(path);
    let parts: Vec<&str> = folder.split('/').collect();
    parts.iter().any(|part| matches!(*part, "group_vars" | "host_vars" | "defaults"))
        || parts.contains(&"vars") && !parts.contains(&"locals")
}

fn requirements_name(path: &str) -> bool {
    let name = file_name(path);
    name.starts_with("requirements") || name.starts_with("roles_requirements") || name.contains("galaxy-requirements")
}

fn of_mapping(path: &str, name: &str, root: Node<'_>) -> Option<Kind> {
    let has = |key: &str| root.get(key).is_some();
    if is_cluster_pipeline(root) || is_repositories(root) {
        return Some(Kind::Workflow);
    }
    if has("apiVersion") && has("kind") {
        return root.get("kind").and_then(Node::as_str).is_some().then_some(Kind::Manifest);
    }
    if has("variant") && has("version") && ["storage", "systemd", "passwd"].into_iter().any(has) {
        return Some(Kind::Ignition);
    }
    if has("AWSTemplateFormatVersion") || has("site_name") || has("lockfileVersion") {
        return None;
    }
    if is_pipeline(root) {
        return Some(Kind::Workflow);
    }
    // The first form has no mark of its own but the file's name.
    let composed = root.get("services").is_some() || file_name(path).contains("compose");
    let services = compose::services(root).filter(|_| composed);
    if services.is_some() && !is_variables_path(path) {
        return Some(Kind::Compose);
    }
    if has("plugin") && root.get("plugin").is_some_and(|plugin| plugin.as_str().is_some()) && !is_variables_path(path) {
        return Some(Kind::InventoryPlugin);
    }
    if requirements_name(path) && (has("roles") || has("collections")) {
        return Some(Kind::Requirements);
    }
    if folder(path).ends_with("meta") && ROLE_META.iter().any(|key| has(key)) {
        return Some(Kind::RoleMeta);
    }
    if is_variables_path(path) {
        return Some(Kind::AnsibleVariables);
    }
    if is_yaml_inventory(path, root) {
        return Some(Kind::InventoryYaml);
    }
    if is_vars_name(name) {
        return Some(Kind::AnsibleVariables);
    }
    None
}

/// Tasks of Tekton and workflows of Argo.
fn is_cluster_pipeline(root: Node<'_>) -> bool {
    let word = |key: &str| root.get(key).and_then(Node::as_str).unwrap_or_default();
    let (version, kind) = (word("apiVersion"), word("kind"));
    version.starts_with("tekton.dev/")
        || version.starts_with("argoproj.io/") && (kind.ends_with("Workflow") || kind.ends_with("WorkflowTemplate"))
}

/// The repositories of an Atlantis server, with its workflows.
fn is_repositories(root: Node<'_>) -> bool {
    const OWN: [&str; 4] = ["workflow", "pre_workflow_hooks", "allowed_overrides", "allow_custom_workflows"];
    root.get("repos").is_some_and(|repos| repos.items().any(|repo| OWN.iter().any(|key| repo.get(key).is_some())))
}

/// Azure Pipelines and their templates, whatever their name; composite actions of GitHub; parts of GitLab CI that another file
/// includes.
fn is_pipeline(root: Node<'_>) -> bool {
    const PARTS: [(&str, &[&str]); 3] = [
        ("stages", &["stage", "jobs"]),
        ("jobs", &["job", "deployment", "steps"]),
        ("steps", &["script", "bash", "pwsh", "task", "checkout"]),
    ];
    let azure = PARTS.iter().any(|(list, members)| {
        let has = |item: Node<'_>| item.is_map() && members.iter().any(|member| item.get(member).is_some());
        root.get(list).is_some_and(|items| items.items().any(has))
    });
    let job = |node: Node<'_>| {
        let scripts = node.get("script").is_some_and(|script| script.is_seq() || script.as_str().is_some());
        scripts && node.get("stage").is_some_and(|stage| stage.as_str().is_some())
    };
    let action = root.get("runs").is_some_and(|runs| runs.get("steps").is_some());
    // Phases of CodeBuild, whatever the file is called.
    let phase = |(_, phase): (Node<'_>, Node<'_>)| phase.get("commands").is_some_and(Node::is_seq);
    let build = root.get("phases").is_some_and(|phases| phases.entries().into_iter().any(phase));
    azure || action || build || root.entries().into_iter().any(|(_, node)| node.is_map() && job(node))
}

fn is_vars_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    stem == "vars" || stem == "variables" || stem.ends_with("_vars") || stem.ends_with("-vars")
}

/// Groups with `hosts`, `children` or `vars` below them, every group being a mapping.
fn is_yaml_inventory(path: &str, root: Node<'_>) -> bool {
    let group = |node: Node<'_>| {
        let known = |key: &str| node.get(key).is_some_and(|value| value.is_map() || value.is_null());
        node.is_map() && (known("hosts") || known("children"))
    };
    let groups = root.entries().into_iter().filter(|(_, value)| group(*value)).count();
    let all = root.get("all").is_some_and(group);
    // Nothing but groups, whatever the file is called.
    let bare = |node: Node<'_>| {
        let keys = || node.entries().into_iter().map(|(key, _)| key.as_str());
        node.is_null() || node.is_map() && keys().all(|key| matches!(key, Some("hosts" | "children" | "vars")))
    };
    let only = groups > 0 && root.entries().into_iter().all(|(_, value)| bare(value));
    all || only
        || groups > 0
            && (in_inventory(path) || file_name(path).starts_with("hosts") || file_name(path).contains("inventory"))
}

/// What a JSON file is, by its shape.
pub fn of_json(path: &str, text: &str) -> Option<Kind> {
    let has = |needle: &str| memchr::memmem::find(text.as_bytes(), needle.as_bytes()).is_some();
    let name = file_name(path);
    if has("\"builders\"") && !has("\"packer_run_uuid\"") && has("\"type\"") {
        return Some(Kind::PackerJson);
    }
    if let Some(content) = state::of_text(text) {
        return Some(of_state(content));
    }
    if name == "package.json" && has("\"scripts\"") {
        return Some(Kind::Workflow);
    }
    if has("\"containerDefinitions\"") && has("\"image\"") {
        return Some(Kind::TaskDefinition);
    }
    let listed = (in_inventory(path) || name.starts_with("hosts") || name.contains("inventory")) && has("\"hosts\"");
    (listed && Yaml::parse(text).root().is_some_and(|root| is_yaml_inventory(path, root)))
        .then_some(Kind::InventoryYaml)
}

/// The kind of a file that holds this.
pub fn of_state(content: state::StateContent) -> Kind {
    if content == state::StateContent::Plan { Kind::Plan } else { Kind::State }
}

/// Whether a text is encrypted by `ansible-vault`.
pub fn is_vaulted(text: &str) -> bool {
    text.starts_with("$ANSIBLE_VAULT;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_shapes() {
        let kind = |path: &str, text: &str| of_yaml(path, &Yaml::parse(text));
        assert_eq!(kind("site.yml", "- hosts: all\n  roles: [a]\n"), Ok(Kind::Playbook));
        assert_eq!(kind("roles/a/tasks/main.yml", "- name: x\n  apt: {name: y}\n"), Ok(Kind::Tasks));
        assert_eq!(kind("compose.yml", "services:\n  terraform:\n    image: hashicorp/terraform\n"), Ok(Kind::Compose));
        assert_eq!(kind("k8s/x.yml", "apiVersion: v1\nkind: Service\n"), Ok(Kind::Manifest));
        assert_eq!(kind("inv/aws_ec2.yml", "plugin: amazon.aws.aws_ec2\n"), Ok(Kind::InventoryPlugin));
        assert_eq!(kind("inventory.yml", "all:\n  hosts:\n    a:\n"), Ok(Kind::InventoryYaml));
        assert_eq!(
            kind("samples/kafka.yml", "all:\n  vars: {a: 1}\nbroker:\n  hosts:\n    a:\n"),
            Ok(Kind::InventoryYaml)
        );
        assert_eq!(kind("samples/x.yml", "a:\n  hosts: {b: }\nc: {d: 1}\n"), Err(Skip::NoKind));
        assert_eq!(kind("requirements.yml", "roles:\n  - src: a.b\n"), Ok(Kind::Requirements));
        assert_eq!(kind("mkdocs.yml", "site_name: x\nnav: []\n"), Err(Skip::NoKind));
        assert_eq!(kind(".github/workflows/ci.yml", "jobs:\n  terraform:\n    steps: []\n"), Ok(Kind::Workflow));
        assert_eq!(kind("ci/deploy.yml", "steps:\n  - bash: make\n"), Ok(Kind::Workflow));
        let phases = "version: 0.2\nphases:\n  build:\n    commands: [make]\n";
        assert_eq!(kind("builds/apply-prod.yml", phases), Ok(Kind::Workflow));
        assert_eq!(kind("ci/jobs.yml", "apply:\n  stage: deploy\n  script: [make]\n"), Ok(Kind::Workflow));
        assert_eq!(kind("notes.yml", "steps:\n  - {title: one}\nstages: [a, b]\n"), Err(Skip::NoKind));
    }
}
