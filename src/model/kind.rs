//! What a file is: by its path what it may be, by its shape what it is.

use crate::source::{self, file_name, folder};
use crate::syntax::yaml::{Node, Yaml};

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
    Workflow,
    CloudInit,
    Shell,
    Makefile,
    Justfile,
    Dockerfile,
    SystemdUnit,
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
            Self::Workflow => "CI workflows",
            Self::CloudInit => "cloud-init files",
            Self::Shell => "shell scripts",
            Self::Makefile | Self::Justfile => "makefiles",
            Self::Dockerfile => "Dockerfiles",
            Self::SystemdUnit => "systemd units",
            Self::IgnoreFile => "ignore files",
            Self::AgentSettings => "agent settings",
            Self::AgentInstructions => "agent instructions",
            Self::Configuration => "Stateward configurations",
        }
    }

    /// Whether its own tool would have to read it, so that failing to is a finding.
    pub fn must_parse(self) -> bool {
        !matches!(self, Self::IgnoreFile | Self::AgentInstructions | Self::LockFile | Self::Plan | Self::CloudInit)
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
    /// A script if its first line says so.
    Shebang,
    /// INI in an inventory folder, or a file without suffix that may be an inventory.
    Inventory,
    /// Surely not judged.
    Not(Skip),
}

/// Folders whose content came from elsewhere.
const VENDORED: [&str; 7] =
    ["node_modules", ".terraform", ".terragrunt-cache", "ansible_collections", ".git", "vendor", ".venv"];
/// Folders for what is no longer used.
const ARCHIVED: [&str; 6] = ["archive", "archived", "attic", ".archive", ".archived", "_archive"];
/// Suffixes of templates of other engines.
const TEMPLATES: [&str; 11] =
    [".j2", ".jinja", ".jinja2", ".tftpl", ".tpl", ".tmpl", ".erb", ".gotmpl", ".pkrtpl", ".mustache", ".template"];

/// What the path allows the file to be; no file is opened.
pub fn by_path(path: &str) -> Candidate {
    let name = file_name(path);
    let lower = name.to_ascii_lowercase();
    if is_state_name(&lower) {
        return Candidate::Is(Kind::State);
    }
    if let Some(skip) = by_folder(path) {
        return Candidate::Not(skip);
    }
    if let Some(kind) = by_name(path, &lower) {
        return Candidate::Is(kind);
    }
    if TEMPLATES.iter().any(|suffix| lower.ends_with(suffix)) {
        return Candidate::Not(Skip::Template);
    }
    by_suffix(path, &lower)
}

/// Whether a file name is one that Terraform gives to state.
pub fn is_state_name(lower: &str) -> bool {
    let suffix = |suffix: &str| lower.ends_with(suffix);
    suffix(".tfstate")
        || suffix(".tfstate.backup")
        || lower.contains(".tfstate.")
            && !TEMPLATES.iter().any(|template| lower.ends_with(template))
            && !suffix(".tf")
            && !suffix(".md")
            && !suffix(".sh")
}

fn by_folder(path: &str) -> Option<Skip> {
    let mut folders = folder(path).split('/');
    folders.find_map(|part| {
        if VENDORED.contains(&part) {
            Some(Skip::Vendored)
        } else if ARCHIVED.contains(&part.to_ascii_lowercase().as_str()) {
            Some(Skip::Archived)
        } else {
            None
        }
    })
}

/// Files whose name alone says what they are.
const NAMES: [(&str, Kind); 12] = [
    (".gitignore", Kind::IgnoreFile),
    (".stateward.yaml", Kind::Configuration),
    (".terraform.lock.hcl", Kind::LockFile),
    ("terragrunt.hcl", Kind::Terragrunt),
    ("root.hcl", Kind::Terragrunt),
    ("ansible.cfg", Kind::AnsibleConfig),
    (".ansible.cfg", Kind::AnsibleConfig),
    ("makefile", Kind::Makefile),
    ("gnumakefile", Kind::Makefile),
    ("justfile", Kind::Justfile),
    (".justfile", Kind::Justfile),
    ("tfplan", Kind::Plan),
];

/// Files by which agents are permitted or instructed: a folder somewhere above (none: anywhere), a name or `*` and its end.
const AGENT_FILES: [(&str, &str, Kind); 22] = [
    (".claude", "settings.json", Kind::AgentSettings),
    (".claude", "settings.local.json", Kind::AgentSettings),
    (".cursor", "cli.json", Kind::AgentSettings),
    (".cursor", "mcp.json", Kind::AgentSettings),
    (".gemini", "settings.json", Kind::AgentSettings),
    (".codex", "config.toml", Kind::AgentSettings),
    (".codex", "*.rules", Kind::AgentSettings),
    (".vscode", "settings.json", Kind::AgentSettings),
    (".vscode", "mcp.json", Kind::AgentSettings),
    ("", ".mcp.json", Kind::AgentSettings),
    ("", "opencode.json", Kind::AgentSettings),
    ("", "claude.md", Kind::AgentInstructions),
    ("", "agents.md", Kind::AgentInstructions),
    ("", "gemini.md", Kind::AgentInstructions),
    ("", "copilot-instructions.md", Kind::AgentInstructions),
    ("", ".cursorrules", Kind::AgentInstructions),
    ("", ".windsurfrules", Kind::AgentInstructions),
    ("", ".clinerules", Kind::AgentInstructions),
    (".claude", "*.md", Kind::AgentInstructions),
    (".cursor", "*.mdc", Kind::AgentInstructions),
    ("", "*.agent.md", Kind::AgentInstructions),
    ("", "*.instructions.md", Kind::AgentInstructions),
];

/// What a suffix allows a file to be; the first that fits decides.
const SUFFIXES: [(&str, Candidate); 20] = [
    (".tf", Candidate::Is(Kind::Terraform)),
    (".tofu", Candidate::Is(Kind::Terraform)),
    (".tf.json", Candidate::Is(Kind::TerraformJson)),
    (".tofu.json", Candidate::Is(Kind::TerraformJson)),
    (".tfvars", Candidate::Is(Kind::TerraformVariables)),
    (".tfvars.json", Candidate::Is(Kind::TerraformVariablesJson)),
    (".pkr.hcl", Candidate::Is(Kind::Packer)),
    (".pkrvars.hcl", Candidate::Is(Kind::PackerVariables)),
    (".tfplan", Candidate::Is(Kind::Plan)),
    (".yml", Candidate::Yaml),
    (".yaml", Candidate::Yaml),
    (".json", Candidate::Json),
    (".jsonc", Candidate::Json),
    (".sh", Candidate::Is(Kind::Shell)),
    (".bash", Candidate::Is(Kind::Shell)),
    (".ksh", Candidate::Is(Kind::Shell)),
    (".mk", Candidate::Is(Kind::Makefile)),
    (".dockerfile", Candidate::Is(Kind::Dockerfile)),
    (".service", Candidate::Is(Kind::SystemdUnit)),
    (".ini", Candidate::Inventory),
];

fn by_name(path: &str, lower: &str) -> Option<Kind> {
    if let Some(kind) = agent_file(path, lower) {
        return Some(kind);
    }
<<<<<<< HEAD
    if let Some((_, kind)) = NAMES.iter().find(|(name, _)| *name == lower) {
        return Some(*kind);
    }
    let recipe = |name: &str| lower.strip_prefix(name).is_some_and(|rest| rest.is_empty() || name == "dockerfile" && rest.starts_with('.'));
    let template = TEMPLATES.iter().any(|suffix| lower.ends_with(suffix));
    (!template && ["dockerfile", "containerfile"].into_iter().any(recipe)).then_some(Kind::Dockerfile)
}

fn agent_file(path: &str, lower: &str) -> Option<Kind> {
    let within = |part: &str| part.is_empty() || folder(path).split('/').any(|folder| folder == part);
    let named = |name: &str| name.strip_prefix('*').map_or(lower == name, |end| lower.ends_with(end));
    AGENT_FILES.iter().find(|(part, name, _)| named(name) && within(part)).map(|(.., kind)| *kind)
=======
    Some(match lower {
        ".gitignore" => Kind::IgnoreFile,
        ".stateward.yaml" => Kind::Configuration,
        ".terraform.lock.hcl" => Kind::LockFile,
        "terragrunt.hcl" | "root.hcl" => Kind::Terragrunt,
        "ansible.cfg" | ".ansible.cfg" => Kind::AnsibleConfig,
        "makefile" | "gnumakefile" => Kind::Makefile,
        "justfile" | ".justfile" => Kind::Justfile,
        "dockerfile" | "containerfile" => Kind::Dockerfile,
        _ if lower.starts_with("dockerfile.") && !TEMPLATES.iter().any(|suffix| lower.ends_with(suffix)) => {
            Kind::Dockerfile
        }
        _ => return None,
    })
}

/// Files by which agents are permitted or instructed.
#[expect(clippy::case_sensitive_file_extension_comparisons, reason = "the name is in lower case")]
fn agent_file(path: &str, lower: &str) -> Option<Kind> {
    let within = |part: &str| folder(path).split('/').any(|folder| folder == part);
    let settings = within(".claude") && (lower == "settings.json" || lower == "settings.local.json")
        || within(".cursor") && (lower == "cli.json" || lower == "mcp.json")
        || within(".gemini") && lower == "settings.json"
        || within(".codex") && (lower == "config.toml" || lower.ends_with(".rules"))
        || within(".vscode") && (lower == "settings.json" || lower == "mcp.json")
        || lower == ".mcp.json"
        || lower == "opencode.json";
    if settings {
        return Some(Kind::AgentSettings);
    }
    let instructions = matches!(
        lower,
        "claude.md"
            | "agents.md"
            | "gemini.md"
            | "copilot-instructions.md"
            | ".cursorrules"
            | ".windsurfrules"
            | ".clinerules"
    ) || within(".claude") && lower.ends_with(".md")
        || within(".cursor") && lower.ends_with(".mdc")
        || lower.ends_with(".agent.md")
        || lower.ends_with(".instructions.md");
    instructions.then_some(Kind::AgentInstructions)
>>>>>>> main
}

fn by_suffix(path: &str, lower: &str) -> Candidate {
    if let Some((_, candidate)) = SUFFIXES.iter().find(|(suffix, _)| lower.ends_with(suffix)) {
        return *candidate;
    }
    if lower.contains('.') {
        return Candidate::Not(Skip::NoKind);
    }
    if lower == "hosts" || in_inventory(path) { Candidate::Inventory } else { Candidate::Shebang }
}

/// A regular expression, in verbose form and for Rust and Python alike, that every path matches that could be judged.
/// It is made from the tables above; a file without suffix may be a script or an inventory, so all of these match.
pub fn pattern() -> String {
    let suffixes: Vec<String> = SUFFIXES.iter().map(|(suffix, _)| regex::escape(&suffix[1..])).collect();
    let names: Vec<String> = NAMES.iter().map(|(name, _)| regex::escape(name)).collect();
    let mut lines = vec![
        format!(r"\.({})$", suffixes.join("|")),
        r"\.tfstate(\.[^/]*)?$".to_owned(),
        format!("(^|/)({})$", names.join("|")),
        r"(^|/)dockerfile\.[^/]*$".to_owned(),
        r"(^|/)[^./]+$".to_owned(),
    ];
    let agents = |with: &str| {
        let own = AGENT_FILES.iter().filter(|(part, ..)| *part == with);
        own.map(|(_, name, _)| name.strip_prefix('*').map_or_else(|| regex::escape(name), |end| format!("[^/]*{}", regex::escape(end))))
            .collect::<Vec<_>>()
            .join("|")
    };
    let mut folders: Vec<&str> = AGENT_FILES.iter().map(|(part, ..)| *part).collect();
    folders.sort_unstable();
    folders.dedup();
    for part in folders {
        let above = if part.is_empty() { String::new() } else { format!("{}/(.*/)?", regex::escape(part)) };
        lines.push(format!("(^|/){above}({})$", agents(part)));
    }
    format!("(?xi)\n{}\n", lines.join("\n|"))
}

fn in_inventory(path: &str) -> bool {
    folder(path).split('/').any(|part| matches!(part, "inventory" | "inventories"))
}

/// Whether the first line names a shell.
pub fn is_shell_script(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
    let line = String::from_utf8_lossy(line);
    line.starts_with("#!")
        && line.split(['/', ' ']).any(|word| matches!(word.trim(), "sh" | "bash" | "dash" | "ksh" | "zsh"))
}

/// Whether a text without suffix reads as an INI inventory: a group header with a name, then host lines.
pub fn is_ini_inventory(path: &str, text: &str) -> bool {
    let group = text.lines().any(|line| {
        let line = line.trim();
        line.starts_with('[') && line.ends_with(']') && !line.contains(' ')
    });
    let hosts = text.contains("ansible_host")
        || text.contains("ansible_connection")
        || text.contains(":children]")
        || text.contains(":vars]");
    let bare = |line: &str| {
        !line.is_empty() && !line.contains('=') && line.chars().all(|c| c.is_alphanumeric() || "._-[]:".contains(c))
    };
    let listed = in_inventory(path) || file_name(path) == "hosts" || file_name(path).contains("inventory");
    group
        && (hosts || listed && text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';', '['])).any(bare))
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

fn workflow(path: &str, name: &str) -> Option<Kind> {
    let ci = path.contains(".github/workflows/")
        || path.contains(".gitea/workflows/")
        || path.contains(".forgejo/workflows/")
        || name == ".gitlab-ci.yml"
        || name.ends_with(".gitlab-ci.yml")
        || path.ends_with(".circleci/config.yml")
        || matches!(
            name,
            "azure-pipelines.yml"
                | ".drone.yml"
                | ".woodpecker.yml"
                | "atlantis.yaml"
                | "Taskfile.yml"
                | "Taskfile.yaml"
                | "bitbucket-pipelines.yml"
        )
        || path.contains(".woodpecker/");
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
                    || key.contains("ansible.builtin.")
                    || key.split('.').count() == 3
            })
        })
        || item.entries().len() <= 8 && item.get("name").is_some() && item.entries().len() > 1
}

/// A key that nothing but a task has: a fully qualified or builtin module.
fn surely_task(item: Node<'_>) -> bool {
    item.entries().into_iter().any(|(key, _)| {
        key.as_str().is_some_and(|key| {
            crate::knowledge::ansible::canonical(key).contains('.')
                && !key.contains(['/', ' '])
                && (key.split('.').count() >= 3
                    || crate::knowledge::ansible::canonical(key).starts_with("ansible.builtin."))
        })
    }) && ["name", "register", "when", "tags", "become", "notify"].iter().any(|key| item.get(key).is_some())
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
    if has("apiVersion") && has("kind") || has("AWSTemplateFormatVersion") || has("site_name") || has("lockfileVersion")
    {
        return None;
    }
    let services = root.get("services").filter(|services| {
        services.is_map()
            && services
                .entries()
                .into_iter()
                .any(|(_, service)| ["image", "build", "extends"].iter().any(|key| service.get(key).is_some()))
    });
    if services.is_some() && !is_variables_path(path) {
        return Some(Kind::Compose);
    }
    if has("plugin") && root.get("plugin").is_some_and(|plugin| plugin.as_str().is_some()) && !is_variables_path(path) {
        return Some(Kind::InventoryPlugin);
    }
    if requirements_name(path) && (has("roles") || has("collections")) {
        return Some(Kind::Requirements);
    }
    if folder(path).ends_with("meta") && (has("galaxy_info") || has("dependencies")) {
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
    all || groups > 0
        && (in_inventory(path) || file_name(path).starts_with("hosts") || file_name(path).contains("inventory"))
}

/// What a JSON file is, by its shape.
pub fn of_json(path: &str, text: &str) -> Option<Kind> {
    let has = |needle: &str| memchr::memmem::find(text.as_bytes(), needle.as_bytes()).is_some();
    let name = file_name(path);
    if has("\"builders\"") && !has("\"packer_run_uuid\"") && has("\"type\"") {
        return Some(Kind::PackerJson);
    }
    if is_state_text(text) {
        return Some(Kind::State);
    }
    if name == "package.json" && has("\"scripts\"") {
        return Some(Kind::Workflow);
    }
    None
}

/// Whether a JSON text is Terraform or OpenTofu state, by its members.
pub fn is_state_text(text: &str) -> bool {
    let head = &text[..source::HEAD_BYTES.min(text.len()).min(text.floor_char_boundary(source::HEAD_BYTES))];
    let has = |needle: &str| head.contains(needle);
    has("\"version\"") && has("\"serial\"") && has("\"lineage\"") && has("\"terraform_version\"")
        || has("\"encrypted_data\"") && has("\"encryption_version\"")
}

/// Whether a text is encrypted by `ansible-vault`.
pub fn is_vaulted(text: &str) -> bool {
    text.starts_with("$ANSIBLE_VAULT;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (path, expected) in [
            ("a/main.tf", Candidate::Is(Kind::Terraform)),
            ("a/main.tofu", Candidate::Is(Kind::Terraform)),
            ("a/x.tf.json", Candidate::Is(Kind::TerraformJson)),
            ("a/terraform.tfstate.backup", Candidate::Is(Kind::State)),
            ("a/terraform.tfstate.1690000000.backup", Candidate::Is(Kind::State)),
            ("roles/x/templates/tfstate-policy.json.j2", Candidate::Not(Skip::Template)),
            ("scripts/all-tfstate.sh", Candidate::Is(Kind::Shell)),
            ("a/.archived/x.yml", Candidate::Not(Skip::Archived)),
            ("web/node_modules/x/main.tf", Candidate::Not(Skip::Vendored)),
            ("inventories/prod/hosts", Candidate::Inventory),
            ("inventory/production", Candidate::Inventory),
            ("nomad.hcl", Candidate::Not(Skip::NoKind)),
            (".claude/settings.local.json", Candidate::Is(Kind::AgentSettings)),
            ("bin/deploy", Candidate::Shebang),
            ("x.png", Candidate::Not(Skip::NoKind)),
        ] {
            assert_eq!(by_path(path), expected, "{path}");
        }
    }

    #[test]
    fn no_judged_path_escapes_the_pattern() {
        let pattern = regex::Regex::new(&pattern()).unwrap();
        let mut paths: Vec<String> = ["hosts", "inventory/production", "bin/deploy", "a/Dockerfile.prod", "x.tfstate.1690000000.backup"].map(str::to_owned).into();
        paths.extend(SUFFIXES.iter().map(|(suffix, _)| format!("a/b{suffix}")));
        paths.extend(NAMES.iter().map(|(name, _)| format!("a/{name}")));
        paths.extend(AGENT_FILES.iter().map(|(part, name, _)| format!("a/{part}/b/{}", name.replace('*', "c")).replace("//", "/")));
        paths.extend(["Makefile", "GNUmakefile", "CLAUDE.md", "Containerfile", "a/MAIN.TF"].map(str::to_owned));
        for path in paths {
            assert!(!matches!(by_path(&path), Candidate::Not(_)), "{path} is not judged");
            assert!(pattern.is_match(&path), "{path}");
        }
        for path in ["README.md", "a/x.png", "main.py", "a/x.tf.j2", "Cargo.toml"] {
            assert!(!pattern.is_match(path), "{path}");
        }
    }

    #[test]
    fn yaml_shapes() {
        let kind = |path: &str, text: &str| of_yaml(path, &Yaml::parse(text));
        assert_eq!(kind("site.yml", "- hosts: all\n  roles: [a]\n"), Ok(Kind::Playbook));
        assert_eq!(kind("roles/a/tasks/main.yml", "- name: x\n  apt: {name: y}\n"), Ok(Kind::Tasks));
        assert_eq!(kind("compose.yml", "services:\n  terraform:\n    image: hashicorp/terraform\n"), Ok(Kind::Compose));
        assert_eq!(kind("k8s/x.yml", "apiVersion: v1\nkind: Service\n"), Err(Skip::NoKind));
        assert_eq!(kind("inv/aws_ec2.yml", "plugin: amazon.aws.aws_ec2\n"), Ok(Kind::InventoryPlugin));
        assert_eq!(kind("inventory.yml", "all:\n  hosts:\n    a:\n"), Ok(Kind::InventoryYaml));
        assert_eq!(kind("requirements.yml", "roles:\n  - src: a.b\n"), Ok(Kind::Requirements));
        assert_eq!(kind("mkdocs.yml", "site_name: x\nnav: []\n"), Err(Skip::NoKind));
        assert_eq!(kind(".github/workflows/ci.yml", "jobs:\n  terraform:\n    steps: []\n"), Ok(Kind::Workflow));
    }

    #[test]
    fn inventories_without_suffix() {
        assert!(is_ini_inventory("production", "[db]\ndb-1 ansible_host=10.0.0.5\n"));
        assert!(is_ini_inventory("inventory/hosts", "[db]\ndb-1\n"));
        assert!(!is_ini_inventory("setup.cfg", "[metadata]\nname = x\n"));
    }

    #[test]
    fn state_by_content() {
        assert!(is_state_text("{\"version\": 4, \"terraform_version\": \"1.9.0\", \"serial\": 3, \"lineage\": \"x\"}"));
        assert!(!is_state_text("{\"version\": 4}"));
    }
}
