//! What a path alone says: tables of names, folders and suffixes, and the pattern that hooks are triggered by.

use super::inventory::in_inventory;
use super::{Candidate, Kind, Skip};
use crate::knowledge::agents::{self, AgentFile, FileKind};
use crate::source::{file_name, folder};

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

/// Whether a file name is one that Terraform gives to state, or a copy of one.
pub fn is_state_name(lower: &str) -> bool {
    const OF_OTHERS: [&str; 10] =
        [".tf", ".tofu", ".md", ".sh", ".yml", ".yaml", ".hcl", ".py", ".tfvars", ".dockerfile"];
    let Some(at) = lower.find(".tfstate") else { return false };
    let rest = &lower[at + ".tfstate".len()..];
    rest.is_empty()
        || rest.starts_with(['.', '~', '-', '_', ' '])
            && !TEMPLATES.iter().chain(&OF_OTHERS).any(|suffix| lower.ends_with(suffix))
}

/// Suffixes under which people keep a copy of state or a plan; what is in such a file decides.
const KEPT_SUFFIXES: [&str; 14] = [
    ".txt", ".bak", ".backup", ".old", ".orig", ".save", ".state", ".plan", ".out", ".copy", ".prev", ".dat", ".bin",
    ".log",
];

/// Whether a file of no kind of ours may hold state or a plan, by its name.
pub fn may_hold_state(path: &str) -> bool {
    let lower = file_name(path).to_ascii_lowercase();
    KEPT_SUFFIXES.iter().any(|suffix| lower.ends_with(suffix))
}

fn by_folder(path: &str) -> Option<Skip> {
    let mut folders = folder(path).split('/');
    folders.find_map(|part| {
        if VENDORED.contains(&part) {
            Some(Skip::Vendored)
        } else if ARCHIVED.contains(&part.to_ascii_lowercase().as_str())
            || KEPT.contains(&part.to_ascii_lowercase().as_str()) && is_copy(file_name(path))
        {
            Some(Skip::Archived)
        } else {
            None
        }
    })
}

/// Folders whose dated files are what something looked like before.
const KEPT: [&str; 5] = ["backup", "backups", "old", "legacy", "snapshots"];

/// Whether a file name carries a date, or an end that editors give to copies.
fn is_copy(name: &str) -> bool {
    let dated = name.as_bytes().windows(10).any(|part| {
        part.iter().enumerate().all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() })
    });
    dated || [".bak", ".orig", ".old"].iter().any(|end| name.ends_with(end))
}

/// Files whose name alone says what they are.
const NAMES: [(&str, Kind); 16] = [
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
    ("jenkinsfile", Kind::Jenkinsfile),
    (".envrc", Kind::Shell),
    ("mise.toml", Kind::Mise),
    (".mise.toml", Kind::Mise),
    ("tfplan", Kind::Plan),
];

/// What a suffix allows a file to be; the first that fits decides.
const SUFFIXES: [(&str, Candidate); 38] = [
    (".tf", Candidate::Is(Kind::Terraform)),
    (".tofu", Candidate::Is(Kind::Terraform)),
    (".tf.json", Candidate::Is(Kind::TerraformJson)),
    (".tofu.json", Candidate::Is(Kind::TerraformJson)),
    (".tfvars", Candidate::Is(Kind::TerraformVariables)),
    (".tfvars.json", Candidate::Is(Kind::TerraformVariablesJson)),
    (".pkr.hcl", Candidate::Is(Kind::Packer)),
    (".pkrvars.hcl", Candidate::Is(Kind::PackerVariables)),
    (".hcl", Candidate::Hcl),
    (".nomad", Candidate::Hcl),
    (".tfplan", Candidate::Is(Kind::Plan)),
    (".yml", Candidate::Yaml),
    (".yaml", Candidate::Yaml),
    (".json", Candidate::Json),
    (".jsonc", Candidate::Json),
    (".sh", Candidate::Is(Kind::Shell)),
    (".bash", Candidate::Is(Kind::Shell)),
    (".ksh", Candidate::Is(Kind::Shell)),
    (".ps1", Candidate::Is(Kind::PowerShell)),
    (".psm1", Candidate::Is(Kind::PowerShell)),
    (".py", Candidate::Is(Kind::Program)),
    (".js", Candidate::Is(Kind::Program)),
    (".mjs", Candidate::Is(Kind::Program)),
    (".cjs", Candidate::Is(Kind::Program)),
    (".ts", Candidate::Is(Kind::Program)),
    (".mk", Candidate::Is(Kind::Makefile)),
    (".just", Candidate::Is(Kind::Justfile)),
    (".dockerfile", Candidate::Is(Kind::Dockerfile)),
    (".jenkinsfile", Candidate::Is(Kind::Jenkinsfile)),
    (".groovy", Candidate::Is(Kind::Jenkinsfile)),
    (".service", Candidate::Is(Kind::SystemdUnit)),
    (".cron", Candidate::Is(Kind::Crontab)),
    (".crontab", Candidate::Is(Kind::Crontab)),
    (".container", Candidate::Is(Kind::Quadlet)),
    (".bu", Candidate::Is(Kind::Ignition)),
    (".ign", Candidate::Is(Kind::Ignition)),
    (".ini", Candidate::Inventory),
    (".inventory", Candidate::Inventory),
];

fn by_name(path: &str, lower: &str) -> Option<Kind> {
    if let Some(row) = agents::agent_file(path) {
        return Some(agent_kind(row));
    }
    if let Some((_, kind)) = NAMES.iter().find(|(name, _)| *name == lower) {
        return Some(*kind);
    }
    let recipe = |name: &str| {
        lower.strip_prefix(name).is_some_and(|rest| rest.is_empty() || name != "containerfile" && rest.starts_with('.'))
    };
    if lower == "crontab" || !lower.contains('.') && folder(path).split('/').next_back() == Some("cron.d") {
        return Some(Kind::Crontab);
    }
    let template = TEMPLATES.iter().any(|suffix| lower.ends_with(suffix));
    let named =
        [("dockerfile", Kind::Dockerfile), ("containerfile", Kind::Dockerfile), ("jenkinsfile", Kind::Jenkinsfile)];
    named.into_iter().find(|(name, _)| !template && recipe(name)).map(|(_, kind)| kind)
}

fn agent_kind(row: &AgentFile) -> Kind {
    if row.kind == FileKind::Instructions { Kind::AgentInstructions } else { Kind::AgentSettings }
}

/// Whether Ansible reads the file as variables of a host or group, whatever is in it: YAML, JSON, or no suffix at all.
fn is_host_variables(path: &str, lower: &str) -> bool {
    lower.rsplit_once('.').is_none_or(|(_, end)| end == "json")
        && folder(path).split('/').any(|part| matches!(part, "group_vars" | "host_vars"))
}

fn by_suffix(path: &str, lower: &str) -> Candidate {
    if is_host_variables(path, lower) {
        return Candidate::Yaml;
    }
    if let Some((_, candidate)) = SUFFIXES.iter().find(|(suffix, _)| lower.ends_with(suffix)) {
        return *candidate;
    }
    if lower.contains('.') {
        return Candidate::Not(Skip::NoKind);
    }
    if lower == "hosts" || in_inventory(path) { Candidate::Inventory } else { Candidate::Shebang }
}

/// Suffixes of files that databases write, and whether such a file is called a dump.
pub const DATA_SUFFIXES: [(&str, bool); 19] = [
    ("sqlite", false),
    ("sqlite3", false),
    ("db", false),
    ("db3", false),
    ("rdb", false),
    ("aof", false),
    ("ibd", false),
    ("mdb", false),
    ("accdb", false),
    ("snap", false),
    ("snapshot", false),
    ("etcd", false),
    ("dump", true),
    ("bak", true),
    ("pgdump", true),
    ("backup", true),
    ("custom", true),
    ("bson", true),
    ("sql", true),
];

/// Suffixes of files that are packed.
pub const PACKED_SUFFIXES: [&str; 6] = ["gz", "xz", "zst", "bz2", "lz4", "zip"];

/// Suffixes of what runs leave behind.
const LEFT_BEHIND: [&str; 8] = ["retry", "pid", "sock", "qcow2", "vmdk", "vdi", "vhdx", "kubeconfig"];

/// Folders in which Terraform and Terragrunt work.
pub const WORKING: [&str; 2] = [".terraform", ".terragrunt-cache"];

/// A regular expression, in verbose form and for Rust and Python alike, that every path matches that could be judged.
/// It is made from the tables above; a file without suffix may be a script or an inventory, so all of these match.
pub fn pattern() -> String {
    let suffixes: Vec<String> = SUFFIXES.iter().map(|(suffix, _)| regex::escape(&suffix[1..])).collect();
    let names: Vec<String> = NAMES.iter().map(|(name, _)| regex::escape(name)).collect();
    let kept: Vec<&str> = KEPT_SUFFIXES.iter().map(|suffix| &suffix[1..]).collect();
    let left: Vec<&str> = DATA_SUFFIXES
        .iter()
        .map(|(suffix, _)| *suffix)
        .chain(LEFT_BEHIND)
        .filter(|suffix| !kept.contains(suffix))
        .collect();
    let mut lines = vec![
        format!(r"\.({})$", suffixes.join("|")),
        r"\.tfstate([.~_\ -][^/]*)?$".to_owned(),
        format!(r"\.({})$", kept.join("|")),
        format!(r"\.({})$", left.join("|")),
        format!(r"\.({})\.({})$", DATA_SUFFIXES.map(|(suffix, _)| suffix).join("|"), PACKED_SUFFIXES.join("|")),
        format!("(^|/)({})/", WORKING.map(regex::escape).join("|")),
        r"rootfs[^/]*$".to_owned(),
        format!("(^|/)({})$", names.join("|")),
        r"(^|/)(dockerfile|jenkinsfile)\.[^/]*$".to_owned(),
        r"(^|/)[^./]+$".to_owned(),
    ];
    let agents = |with: &str| {
        let own = agents::agents().files.iter().filter(|row| row.folder == with);
        own.map(|AgentFile { name, .. }| {
            name.strip_prefix('*').map_or_else(|| regex::escape(name), |end| format!("[^/]*{}", regex::escape(end)))
        })
        .collect::<Vec<_>>()
        .join("|")
    };
    let mut folders: Vec<&str> = agents::agents().files.iter().map(|row| &*row.folder).collect();
    folders.sort_unstable();
    folders.dedup();
    for part in folders {
        let above = if part.is_empty() { String::new() } else { format!("{}/(.*/)?", regex::escape(part)) };
        lines.push(format!("(^|/){above}({})$", agents(part)));
    }
    format!("(?xi)\n{}\n", lines.join("\n|"))
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
            ("Backups/docker-compose-2025-05-01.yml", Candidate::Not(Skip::Archived)),
            ("backups/nightly.yml", Candidate::Yaml),
            ("web/node_modules/x/main.tf", Candidate::Not(Skip::Vendored)),
            ("inventories/prod/hosts", Candidate::Inventory),
            ("inventory/production", Candidate::Inventory),
            ("inventory/group_vars/all/main", Candidate::Yaml),
            ("host_vars/db1.json", Candidate::Yaml),
            ("live/account.hcl", Candidate::Hcl),
            (".claude/settings.local.json", Candidate::Is(Kind::AgentSettings)),
            ("bin/deploy", Candidate::Shebang),
            ("etc/cron.d/backup", Candidate::Is(Kind::Crontab)),
            ("files/crontab", Candidate::Is(Kind::Crontab)),
            ("x.png", Candidate::Not(Skip::NoKind)),
        ] {
            assert_eq!(by_path(path), expected, "{path}");
        }
    }

    #[test]
    fn no_judged_path_escapes_the_pattern() {
        let pattern = regex::Regex::new(&pattern()).unwrap();
        let mut paths: Vec<String> = [
            "hosts",
            "inventory/production",
            "bin/deploy",
            "a/Dockerfile.prod",
            "Jenkinsfile.deploy",
            "x.tfstate.1690000000.backup",
        ]
        .map(str::to_owned)
        .into();
        paths.extend(SUFFIXES.iter().map(|(suffix, _)| format!("a/b{suffix}")));
        paths.extend(NAMES.iter().map(|(name, _)| format!("a/{name}")));
        paths.extend(
            agents::agents()
                .files
                .iter()
                .map(|row| format!("a/{}/b/{}", row.folder, row.name.replace('*', "c")).replace("//", "/")),
        );
        paths.extend(["Makefile", "GNUmakefile", "CLAUDE.md", "Containerfile", "a/MAIN.TF"].map(str::to_owned));
        for path in paths {
            assert!(!matches!(by_path(&path), Candidate::Not(_)), "{path} is not judged");
            assert!(pattern.is_match(&path), "{path}");
        }
        for path in
            ["backup/prod.sql", "a/dump.rdb", "a/x.sqlite3", "site.retry", "a/.terraform/x.md", "notes/state.txt"]
        {
            assert!(pattern.is_match(path), "{path}");
        }
        for path in ["README.md", "a/x.png", "main.go", "a/x.tf.j2", "Cargo.toml"] {
            assert!(!pattern.is_match(path), "{path}");
        }
    }
}
