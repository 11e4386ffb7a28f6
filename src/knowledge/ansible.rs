//! Ansible modules that own, move or destroy something, what short names mean, and where identity, intent and drift show.

use super::terraform::Grade;
use super::test::Test;
use super::{glob, load};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

/// What a module does that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModuleRole {
    /// Creates, changes or destroys infrastructure.
    Infrastructure,
    /// Sets a host's name or addresses (the general file modules: when the file is an identity file).
    Identity,
    /// Runs Terraform or reads its state.
    TerraformControl,
    /// Can destroy or overwrite data.
    DataDestruction,
    /// Can write into files that hold intent.
    WriteBack,
    /// Builds images.
    ImageBuild,
}

/// A module.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Module {
    /// Today's full name.
    pub fqcn: String,
    /// What it belongs to (`proxmox`, `aws`, `docker`, `storage`, `files`, …).
    pub group: String,
    /// What it does, the most telling first.
    pub roles: Vec<ModuleRole>,
    /// How bad its mere use is for a host that Terraform declares.
    pub grade: Grade,
    /// What it does, in a few words.
    #[serde(default)]
    pub effect: String,
    /// Whether it changes nothing.
    #[serde(default)]
    pub read_only: bool,
    /// The values of `state`.
    #[serde(default)]
    pub states: Vec<String>,
    /// Option values when absent.
    #[serde(default)]
    pub defaults: Map<String, Json>,
    /// Option values that destroy or overwrite; `"*"` is any value.
    #[serde(default)]
    pub danger: BTreeMap<String, Vec<Json>>,
    /// Options that protect, and how.
    #[serde(default)]
    pub guards: BTreeMap<String, Test>,
    /// Options that hold a host's identity.
    #[serde(default)]
    pub identity_options: Vec<String>,
    /// Options that hold storage.
    #[serde(default)]
    pub volume_options: Vec<String>,
    /// Options that hold what Terraform would declare as attributes.
    #[serde(default)]
    pub attribute_options: Vec<String>,
    /// Options that name the file or directory it writes.
    #[serde(default)]
    pub path_options: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    old: Vec<String>,
}

impl Module {
    /// Whether it has the role.
    #[must_use]
    pub fn has(&self, role: ModuleRole) -> bool {
        self.roles.contains(&role)
    }
}

/// Where an inventory plugin reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// Terraform's outputs or state, through Terraform.
    Terraform,
    /// A state file, behind Terraform's back.
    StateFile,
    /// The interface of a provider.
    Live,
    /// Files written by hand.
    Static,
    /// What a program prints.
    Program,
}

/// An inventory plugin.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryPlugin {
    /// Its full name.
    pub name: String,
    /// Full names that redirect here.
    #[serde(default)]
    pub old: Vec<String>,
    /// Where it reads.
    pub reads: Reads,
    /// How bad that is.
    pub grade: Grade,
    /// Option values that make it worse.
    #[serde(default)]
    pub danger: BTreeMap<String, Vec<Json>>,
    /// Options that may hold secrets.
    #[serde(default)]
    pub secrets: Vec<String>,
}

/// Where later runs read intent, on the controller.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WriteBack {
    /// Globs of files that hold intent.
    pub intent: Vec<String>,
    /// Variables that hold a directory of the repository.
    pub intent_variables: Vec<String>,
    /// Globs of files that may be written.
    pub harmless: Vec<String>,
    /// Words that tell that the content comes from the running world.
    pub runtime_content: Vec<String>,
}

/// What tells of drift being mended.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// Words of names and tags.
    pub words: Vec<String>,
    /// Request methods that change something.
    pub methods: Vec<String>,
    /// Parts of the addresses of provider interfaces (globs).
    pub interfaces: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    modules: Vec<Module>,
    redirects: BTreeMap<String, Vec<String>>,
    full_name_only: Vec<String>,
    builtin: Vec<String>,
    inventory_plugins: Vec<InventoryPlugin>,
    identity_files: Vec<String>,
    write_back: WriteBack,
    drift: Drift,
    fact_caches: Vec<String>,
}

fn file() -> &'static File {
    static FILE: OnceLock<File> = OnceLock::new();
    FILE.get_or_init(|| load(include_str!(concat!(env!("OUT_DIR"), "/ansible.json"))))
}

#[derive(Default)]
struct Names {
    full: HashMap<&'static str, &'static Module>,
    /// None: several collections have it and none is what the bare name has always meant.
    short: HashMap<&'static str, Option<&'static Module>>,
    builtin: HashMap<&'static str, String>,
    redirects: HashMap<&'static str, String>,
    prefixes: Vec<(&'static str, &'static str)>,
}

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        let file = file();
        let mut names = Names::default();
        for module in &file.modules {
            for full in module.old.iter().chain([&module.fqcn]) {
                names.full.insert(full, module);
            }
            let (collection, last) = module.fqcn.rsplit_once('.').unwrap_or_default();
            let last = Some(last).filter(|_| !file.full_name_only.iter().any(|only| only == collection));
            for short in module.names.iter().map(String::as_str).chain(last) {
                let general = module.fqcn.starts_with("community.general.");
                names
                    .short
                    .entry(short)
                    .and_modify(|known| match known {
                        _ if general => *known = Some(module),
                        Some(known) if known.fqcn.starts_with("community.general.") => {}
                        _ => *known = None,
                    })
                    .or_insert(Some(module));
            }
        }
        names.builtin = file.builtin.iter().map(|name| (name.as_str(), format!("ansible.builtin.{name}"))).collect();
        for (collection, list) in &file.redirects {
            for name in list {
                match name.strip_suffix('*') {
                    Some(prefix) => names.prefixes.push((prefix, collection)),
                    None => _ = names.redirects.insert(name, format!("{collection}.{name}")),
                }
            }
        }
        names
    })
}

/// What is known of a module, by today's or an old full name, or by a short name.
#[must_use]
pub fn module(name: &str) -> Option<&'static Module> {
    let names = names();
    if name.contains('.') {
        if let Some(module) = names.full.get(name) {
            return Some(module);
        }
        let short = name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy."))?;
        return if short.contains('.') { None } else { module(short) };
    }
    match names.builtin.get(name) {
        Some(full) => names.full.get(full.as_str()).copied(),
        None => names.short.get(name).copied().flatten(),
    }
}

/// The full name that a module's name stands for; a name that nothing is known of stays as it is.
#[must_use]
pub fn canonical(name: &str) -> Cow<'_, str> {
    let names = names();
    if name.contains('.') {
        if let Some(module) = names.full.get(name).filter(|module| !module.fqcn.starts_with("ansible.builtin.")) {
            return Cow::Borrowed(&module.fqcn);
        }
        let short = name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy."));
        return match short {
            Some(short) if !short.contains('.') => {
                let full = canonical(short);
                if full.contains('.') { full } else { Cow::Borrowed(name) }
            }
            _ => Cow::Borrowed(name),
        };
    }
    if let Some(full) = names.builtin.get(name).or_else(|| names.redirects.get(name)) {
        return Cow::Borrowed(full);
    }
    if let Some(Some(module)) = names.short.get(name) {
        return Cow::Borrowed(&module.fqcn);
    }
    match names.prefixes.iter().find(|(prefix, _)| name.starts_with(prefix)) {
        Some((_, collection)) => Cow::Owned(format!("{collection}.{name}")),
        None => Cow::Borrowed(name),
    }
}

/// What is known of an inventory plugin, by full or short name.
#[must_use]
pub fn inventory_plugin(name: &str) -> Option<&'static InventoryPlugin> {
    file().inventory_plugins.iter().find(|plugin| {
        plugin.name == name
            || plugin.old.iter().any(|old| old == name)
            || (!name.contains('.') && plugin.name.rsplit('.').next() == Some(name))
    })
}

/// What tells of drift being mended.
#[must_use]
pub fn drift() -> &'static Drift {
    &file().drift
}

/// Where later runs read intent.
#[must_use]
pub fn write_back() -> &'static WriteBack {
    &file().write_back
}

/// Whether a file's content is a host's identity.
#[must_use]
pub fn identity_file(path: &str) -> bool {
    file().identity_files.iter().any(|pattern| glob(pattern, path))
}

/// Whether a file holds intent that later runs read (a path within the repository).
#[must_use]
pub fn intent_file(path: &str) -> bool {
    let rows = write_back();
    rows.intent.iter().any(|pattern| glob(pattern, path)) && !rows.harmless.iter().any(|pattern| glob(pattern, path))
}

/// Whether an address belongs to a provider's interface.
#[must_use]
pub fn provider_interface(url: &str) -> bool {
    file()
        .drift
        .interfaces
        .iter()
        .any(|part| if part.contains('*') { glob(&format!("**{part}**"), url) } else { url.contains(part.as_str()) })
}

/// Whether a fact cache plugin keeps facts for later runs.
#[must_use]
pub fn persistent_fact_cache(plugin: &str) -> bool {
    file().fact_caches.iter().any(|name| name == plugin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_parses_and_is_large_enough() {
        let file: File = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/ansible.json"))).unwrap();
        assert!(file.modules.len() >= 370 && file.inventory_plugins.len() >= 20 && file.builtin.len() > 60);
        for row in &file.modules {
            assert_eq!(row.fqcn.split('.').count(), 3, "{}", row.fqcn);
            assert!(!row.roles.is_empty() && !row.effect.is_empty(), "{}", row.fqcn);
            let options = row.identity_options.iter().chain(&row.volume_options).chain(&row.attribute_options);
            let options =
                options.chain(&row.path_options).chain(&row.states).chain(row.danger.keys()).chain(row.guards.keys());
            for option in options.chain(row.defaults.keys()).chain(&row.names) {
                assert!(
                    option.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'),
                    "{}: {option}",
                    row.fqcn
                );
            }
            let values = row.danger.values().flatten().chain(row.defaults.values()).filter_map(Json::as_str);
            assert!(values.clone().all(|value| !value.contains(' ')), "{}", row.fqcn);
        }
    }

    #[test]
    fn modules_by_any_name() {
        for (name, fqcn) in [
            ("proxmox", "community.proxmox.proxmox"),
            ("community.general.proxmox_kvm", "community.proxmox.proxmox_kvm"),
            ("docker_container", "community.docker.docker_container"),
            ("file", "ansible.builtin.file"),
            ("ansible.legacy.copy", "ansible.builtin.copy"),
            ("ansible.builtin.mount", "ansible.posix.mount"),
            ("systemd", "ansible.builtin.systemd_service"),
            ("terraform", "community.general.terraform"),
            ("cloud.terraform.terraform", "cloud.terraform.terraform"),
            ("community.mysql.mysql_db", "ansible.mysql.mysql_db"),
            ("filesystem", "community.general.filesystem"),
            ("hcloud_server", "hetzner.hcloud.server"),
        ] {
            assert_eq!(module(name).map(|row| row.fqcn.as_str()), Some(fqcn), "{name}");
        }
        for name in ["apt", "ansible.builtin.user", "proxmox_vm_info", "my.own.module", "server", "volume", "", "."] {
            assert!(module(name).is_none(), "{name}");
        }
        let lxc = module("proxmox").unwrap();
        assert!(lxc.has(ModuleRole::Infrastructure) && lxc.grade == Grade::Error && !lxc.volume_options.is_empty());
        assert_eq!(lxc.danger["purge"], [Json::Bool(true)]);
        let rds = module("rds_instance").unwrap();
        assert_eq!(rds.roles, [ModuleRole::Infrastructure, ModuleRole::DataDestruction]);
        assert!(module("cloud.terraform.terraform_output").unwrap().read_only);
        assert!(module("copy").unwrap().has(ModuleRole::WriteBack));
    }

    #[test]
    fn canonical_names() {
        for (name, full) in [
            ("apt", "ansible.builtin.apt"),
            ("systemd", "ansible.builtin.systemd"),
            ("ansible.builtin.systemd_service", "ansible.builtin.systemd_service"),
            ("include_role", "ansible.builtin.include_role"),
            ("mount", "ansible.posix.mount"),
            ("ansible.builtin.mount", "ansible.posix.mount"),
            ("ansible.legacy.shell", "ansible.builtin.shell"),
            ("postgresql_user", "community.postgresql.postgresql_user"),
            ("community.general.proxmox", "community.proxmox.proxmox"),
            ("win_shell", "ansible.windows.win_shell"),
            ("name", "name"),
            ("my.own.module", "my.own.module"),
        ] {
            assert_eq!(canonical(name), full);
        }
    }

    #[test]
    fn inventories_files_and_drift() {
        assert_eq!(inventory_plugin("community.general.proxmox").map(|row| row.reads), Some(Reads::Live));
        assert_eq!(inventory_plugin("aws_ec2").map(|row| row.name.as_str()), Some("amazon.aws.aws_ec2"));
        assert_eq!(inventory_plugin("cloud.terraform.terraform_state").map(|row| row.grade), Some(Grade::Ok));
        assert!(identity_file("/etc/netplan/50-x.yaml") && identity_file("/etc/pve/lxc/101.conf"));
        assert!(!identity_file("/etc/nginx/nginx.conf"));
        assert!(intent_file("inventory/host_vars/db.yml") && !intent_file("/tmp/inventory/host_vars/db.yml"));
        assert!(intent_file("envs/prod/prod.auto.tfvars") && !intent_file("docs/readme.md"));
        assert!(
            provider_interface("https://pve:8006/api2/json/nodes/pve/lxc") && !provider_interface("https://x.org/")
        );
        assert!(provider_interface("https://ec2.eu-west-1.amazonaws.com/") && persistent_fact_cache("jsonfile"));
        assert!(drift().words.iter().any(|word| word == "drift") && !persistent_fact_cache("memory"));
    }
}
