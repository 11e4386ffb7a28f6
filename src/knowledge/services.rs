//! Software that keeps data on disk: how to tell it, and where its data lies.

use super::{glob, load};
use crate::source::file_name;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::OnceLock;

/// What losing a service's data directory loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceData {
    /// The only copy of data.
    Authoritative,
    /// Keys and secrets, with what they encrypt.
    Secret,
    /// Messages under way.
    Queue,
    /// Configuration or history that code may not bring back.
    State,
    /// An index or replica of another store.
    Copy,
    /// A cache, unless persistence is switched on.
    Cache,
    /// Never more than a cache.
    PureCache,
    /// Nothing.
    None,
}

impl ServiceData {
    /// As findings and cards spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authoritative => "authoritative",
            Self::Secret => "secret",
            Self::Queue => "queue",
            Self::State => "state",
            Self::Copy => "copy",
            Self::Cache => "cache",
            Self::PureCache => "pure-cache",
            Self::None => "none",
        }
    }
}

/// A service.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Service {
    /// Its name among the services (`postgresql`).
    pub name: String,
    /// Its proper name, for messages (`PostgreSQL`).
    pub label: String,
    /// What losing its data loses.
    pub data: ServiceData,
    /// Packages that install it.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Addresses of scripts that install it when they are handed to a shell.
    #[serde(default)]
    pub installers: Vec<String>,
    /// Container images of it, without tag.
    #[serde(default)]
    pub images: Vec<String>,
    /// Its systemd units, without `.service`; `*` stands for anything.
    #[serde(default)]
    pub units: Vec<String>,
    /// Ansible roles that install it.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Where its data lies when it is installed from packages.
    #[serde(default)]
    pub dirs_package: Vec<String>,
    /// Where its data lies in a container.
    #[serde(default)]
    pub dirs_image: Vec<String>,
    /// Whether its image declares a volume (data is then in an anonymous volume unless mounted, else in the writable layer).
    #[serde(default)]
    pub image_volume: Option<bool>,
    /// Ports it listens on.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Settings and environment variables that move the data directory.
    #[serde(default, rename = "settings")]
    pub data_settings: Vec<String>,
    /// Words that give it away in a role's name (`=`: only as the whole name); none given: its own name.
    #[serde(default)]
    stems: Option<Vec<String>>,
}

/// What is kept at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PathClass {
    /// Data.
    Data,
    /// What a restart or rebuild may lose.
    Volatile,
    /// Logs.
    Logs,
    /// Spooled mail and jobs.
    Spool,
    /// Configuration.
    Configuration,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Paths {
    data: Vec<String>,
    volatile: Vec<String>,
    logs: Vec<String>,
    spool: Vec<String>,
    configuration: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    services: Vec<Service>,
    role_words_of_others: Vec<String>,
    databases: Vec<String>,
    role_words_of_databases: Vec<String>,
    package_prefixes_of_others: Vec<String>,
    package_suffixes_of_others: Vec<String>,
    image_mirrors: Vec<String>,
    paths: Paths,
}

fn file() -> &'static File {
    static FILE: OnceLock<File> = OnceLock::new();
    FILE.get_or_init(|| load(include_str!(concat!(env!("OUT_DIR"), "/services.json"))))
}

type ByName = HashMap<&'static str, &'static Service>;

#[derive(Default)]
struct Names {
    own: ByName,
    packages: ByName,
    images: ByName,
    units: ByName,
    unit_patterns: Vec<(&'static str, &'static Service)>,
    roles: ByName,
    stems: ByName,
    /// Data directories of packages.
    dirs: ByName,
}

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = Names::default();
        for row in &file().services {
            names.own.entry(&row.name).or_insert(row);
            row.packages.iter().for_each(|package| _ = names.packages.entry(package).or_insert(row));
            row.images.iter().for_each(|image| _ = names.images.entry(repository(image).0).or_insert(row));
            for unit in &row.units {
                if unit.contains('*') {
                    names.unit_patterns.push((unit, row));
                } else {
                    names.units.entry(unit).or_insert(row);
                }
            }
            row.roles.iter().for_each(|role| _ = names.roles.entry(role).or_insert(row));
            match &row.stems {
                Some(stems) => stems.iter().for_each(|stem| _ = names.stems.entry(stem).or_insert(row)),
                None => _ = names.stems.entry(&row.name).or_insert(row),
            }
            // Places that any service may use say nothing about which one it is.
            let own = |dir: &&String| {
                let general = ["/mnt/", "/var/www/", "/srv/nfs", "/srv/backup", "/etc/kubernetes", "/etc/dns"];
                dir.matches('/').count() > 1 && !general.iter().any(|start| dir.starts_with(start))
            };
            row.dirs_package.iter().filter(own).for_each(|dir| _ = names.dirs.entry(dir).or_insert(row));
        }
        names
    })
}

/// All services.
#[must_use]
pub fn all() -> &'static [Service] {
    &file().services
}

/// The service with a name of this table.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Service> {
    names().own.get(name).copied()
}

/// The service that a chart of Helm installs: a chart that is called as the service's image is (`bitnami/postgresql`).
#[must_use]
pub fn by_chart(chart: &str) -> Option<&'static Service> {
    let name = chart.trim_end_matches('/').rsplit('/').next()?;
    // An archive has its version behind its name.
    let packed = name.strip_suffix(".tgz").and_then(|name| name.rsplit_once('-'));
    let name = packed.map_or(name, |(name, _)| name);
    by_image(&format!("bitnami/{name}")).or_else(|| by_image(name))
}

/// The service that a package installs; a version may end the name (`postgresql-16`), and `name=version` is accepted.
#[must_use]
pub fn by_package(package: &str) -> Option<&'static Service> {
    // A version or architecture may follow.
    let package = package.split(['=', ' ', ':', '<', '>', '~', '@', '!']).next()?;
    let packages = &names().packages;
    if let Some(service) = packages.get(package) {
        return Some(service);
    }
    let bare = package.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let bare = if bare.len() < package.len() { bare.strip_suffix('-').unwrap_or(bare) } else { return None };
    let other = file().package_prefixes_of_others.iter().any(|prefix| package.starts_with(prefix.as_str()))
        || file().package_suffixes_of_others.iter().any(|suffix| bare.ends_with(suffix.as_str()));
    if other || bare.is_empty() { None } else { packages.get(bare).copied() }
}

/// The service that the script at an address installs.
#[must_use]
pub fn by_installer(address: &str) -> Option<&'static Service> {
    let bare = address.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    file().services.iter().find(|row| row.installers.iter().any(|own| own == bare))
}

/// An image's repository without registry, tag and digest, and whether it named a registry.
fn repository(reference: &str) -> (&str, bool) {
    let reference = reference.split('@').next().unwrap_or_default();
    let last = reference.rfind('/').map_or(0, |at| at + 1);
    let end = reference[last..].find(':').map_or(reference.len(), |at| last + at);
    let repository = &reference[..end];
    match repository.split_once('/') {
        Some((registry, rest)) if registry.contains(['.', ':']) || registry == "localhost" => (rest, true),
        _ => (repository, false),
    }
}

/// The service in a container image, whatever registry, mirror, tag or digest the reference names.
#[must_use]
pub fn by_image(reference: &str) -> Option<&'static Service> {
    let reference = reference.trim().strip_prefix("docker://").unwrap_or(reference.trim());
    let (repository, registry) = repository(reference);
    let images = &names().images;
    if let Some(service) = images.get(repository) {
        return Some(service);
    }
    // A mirror puts its own directories before the repository, or only keeps the last name.
    let mut rest = repository;
    while let Some((namespace, inner)) = rest.split_once('/') {
        let mirror =
            registry || rest.len() < repository.len() || file().image_mirrors.iter().any(|name| name == namespace);
        if mirror && let Some(service) = images.get(inner) {
            return Some(service);
        }
        if file().image_mirrors.iter().any(|name| name == namespace)
            && let Some(service) = by_name(inner)
        {
            return Some(service);
        }
        rest = inner;
    }
    None
}

/// The service that a systemd unit runs (`.service` and the instance of a template may be there or not).
#[must_use]
pub fn by_unit(unit: &str) -> Option<&'static Service> {
    let unit = unit.strip_suffix(".service").unwrap_or(unit);
    let names = names();
    if let Some(service) = names.units.get(unit) {
        return Some(service);
    }
    let found = names.unit_patterns.iter().find(|(pattern, _)| glob(pattern, unit));
    found.map(|(_, service)| *service).or_else(|| names.units.get(unit.split_once('@')?.0).copied())
}

/// The service that an Ansible role installs: a known role, or one whose name holds the service's name and no word of something else.
#[must_use]
pub fn by_role(role: &str) -> Option<&'static Service> {
    let names = names();
    if let Some(service) = names.roles.get(role) {
        return Some(service);
    }
    let last = role.rsplit(['.', '/']).next()?;
    let last = last.strip_suffix("_role").unwrap_or(last);
    let last = last.strip_prefix("ansible-role-").or_else(|| last.strip_prefix("ansible_role_")).unwrap_or(last);
    let words: Vec<String> =
        last.split(['_', '-', ' ']).map(str::to_ascii_lowercase).filter(|w| !w.is_empty()).collect();
    // A name of many words says more than which service it installs.
    if words.len() > 8 || words.iter().any(|word| file().role_words_of_others.contains(word)) {
        return None;
    }
    if let Some(service) = names.stems.get(format!("={}", words.join("-")).as_str()) {
        return Some(service);
    }
    let by_words = |window: &[String]| {
        let joined = window.join("-");
        let bare = joined.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').trim_end_matches('-');
        names.stems.get(joined.as_str()).or_else(|| names.stems.get(bare)).copied()
    };
    let all: Vec<&Service> = (1..=3).rev().flat_map(|length| words.windows(length)).filter_map(by_words).collect();
    let database = all.iter().find(|service| file().databases.contains(&service.name));
    let meant = words.iter().any(|word| file().role_words_of_databases.contains(word));
    database.or_else(|| all.first().filter(|_| !meant)).copied()
}

/// The service whose packages keep their data at or below a path, or whose data lies right there.
#[must_use]
pub fn by_path(path: &str) -> Option<&'static Service> {
    let dirs = &names().dirs;
    let mut path = path.trim_end_matches('/');
    while !path.is_empty() {
        if let Some(service) = dirs.get(path) {
            return Some(service);
        }
        path = path.rsplit_once('/')?.0;
    }
    None
}

/// A directory without what stands for everything in it.
#[must_use]
pub fn bare(path: &str) -> &str {
    path.trim_end_matches("/*").trim_end_matches('/')
}

/// Whether a path is a directory where a service keeps data.
#[must_use]
pub fn is_data_directory(path: &str) -> bool {
    may_be_data_directory(path) && by_path(bare(path)).is_some()
}

/// Whether a path may be a directory of persistent data: absolute, no single file, and nothing that is made again.
#[must_use]
pub fn may_be_data_directory(path: &str) -> bool {
    let path = bare(path);
    // One file of a directory (a lock, a configuration) is not the data.
    let file = file_name(path).rsplit_once('.').is_some_and(|(stem, suffix)| {
        !stem.is_empty() && suffix.chars().all(|c| c.is_ascii_alphabetic()) && suffix.len() <= 6
    });
    // Nor is what a run keeps hidden for itself, nor what programs are extended by.
    let file = file || file_name(path).starts_with('.') || path.split('/').any(|part| part == "plugins");
    let absolute = path.starts_with('/') || path.get(1..3) == Some(":\\");
    let passing = || matches!(data_path(path), Some(PathClass::Volatile | PathClass::Logs | PathClass::Configuration));
    !file && absolute && !is_made_again(path) && !passing()
}

/// Whether a directory is an index that its service makes again from its database: `es8` of `SonarQube`.
#[must_use]
pub fn is_made_again(path: &str) -> bool {
    let version = file_name(path).strip_prefix("es");
    path.contains("sonar") && version.is_some_and(|digits| digits.chars().all(|c| c.is_ascii_digit()))
}

/// What is kept at an absolute path, if its place tells: by the services' data directories, then by the general ones.
#[must_use]
pub fn data_path(path: &str) -> Option<PathClass> {
    let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    if by_path(path).is_some_and(|service| !matches!(service.data, ServiceData::None | ServiceData::PureCache)) {
        return Some(PathClass::Data);
    }
    let paths = &file().paths;
    let fits = |patterns: &[String]| patterns.iter().any(|pattern| glob(pattern, path));
    [
        (&paths.volatile, PathClass::Volatile),
        (&paths.logs, PathClass::Logs),
        (&paths.spool, PathClass::Spool),
        (&paths.data, PathClass::Data),
        (&paths.configuration, PathClass::Configuration),
    ]
    .into_iter()
    .find_map(|(patterns, class)| fits(patterns).then_some(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(service: Option<&'static Service>) -> Option<&'static str> {
        service.map(|row| row.name.as_str())
    }

    #[test]
    fn table_parses_and_is_large_enough() {
        let file: File = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/services.json"))).unwrap();
        assert!(file.services.len() >= 118);
        for row in &file.services {
            let names = row.packages.iter().chain(&row.images).chain(&row.units).chain(&row.roles).chain([&row.name]);
            assert!(names.clone().all(|text| !text.is_empty() && !text.contains(' ')), "{}", row.name);
            let dirs = row.dirs_package.iter().chain(&row.dirs_image);
            assert!(dirs.clone().all(|dir| dir.starts_with('/') && !dir.contains(' ')), "{}", row.name);
            assert!(!row.label.is_empty());
        }
    }

    #[test]
    fn packages() {
        assert_eq!(name(by_package("postgresql")), Some("postgresql"));
        assert_eq!(name(by_package("postgresql-13")), Some("postgresql"));
        assert_eq!(name(by_package("mariadb-server-10.6")), Some("mariadb"));
        assert_eq!(name(by_package("postgresql=16+257")), Some("postgresql"));
        assert_eq!(name(by_package("redis-server")), Some("redis"));
        for package in [
            "postgresql-client",
            "postgresql-client-16",
            "libpq5",
            "python3-psycopg2",
            "redis-tools",
            "nginx2x",
            "",
            "-",
            "16",
        ] {
            assert!(by_package(package).is_none(), "{package}");
        }
    }

    #[test]
    fn images() {
        for (image, service) in [
            ("postgres", "postgresql"),
            ("postgres:16-alpine", "postgresql"),
            ("docker.io/bitnami/postgresql:16@sha256:0123", "postgresql"),
            ("docker.io/library/redis:7", "redis"),
            ("registry.local:5000/mirror/postgres:16", "postgresql"),
            ("ghcr.io/zalando/spilo-16:3.2", "postgresql"),
            ("lscr.io/linuxserver/mariadb", "mariadb"),
            ("lscr.io/linuxserver/sonarr:latest", "sonarr"),
            ("bitnami/etcd:3.5", "etcd"),
            ("ghcr.io/home-assistant/home-assistant:stable", "home-assistant"),
            ("minio/minio:RELEASE.2024", "minio"),
            ("localhost/vault", "vault"),
        ] {
            assert_eq!(name(by_image(image)), Some(service), "{image}");
        }
        for image in [
            "prom/node-exporter",
            "prometheuscommunity/postgres-exporter",
            "alpine:3",
            "",
            ":",
            "@",
            "/",
            "me/app:postgres",
        ] {
            assert!(by_image(image).is_none(), "{image}");
        }
    }

    #[test]
    fn units_and_roles() {
        assert_eq!(name(by_unit("postgresql@16-main.service")), Some("postgresql"));
        assert_eq!(name(by_unit("thanos-store")), Some("thanos"));
        assert_eq!(name(by_unit("mysqld")), Some("mysql"));
        assert!(by_unit("sshd").is_none() && by_unit("").is_none());
        for (role, service) in [
            ("postgres_patroni", "postgresql"),
            ("vault_server", "vault"),
            ("geerlingguy.postgresql", "postgresql"),
            ("debops.debops.postgresql_server", "postgresql"),
            ("prometheus.prometheus.prometheus", "prometheus"),
            ("home_assistant", "home-assistant"),
            ("minio_cluster", "minio"),
            ("ansible-role-mariadb", "mariadb"),
            ("loki", "loki"),
            ("jenkins-master", "jenkins"),
            ("docker", "docker-host"),
            ("gitea-postgres", "postgresql"),
            ("nextcloud_mariadb", "mariadb"),
            ("postgres-db", "postgresql"),
        ] {
            assert_eq!(name(by_role(role)), Some(service), "{role}");
        }
        for role in [
            "minio_edge_lb",
            "ntp_chrony_server",
            "postgres_exporter",
            "vault_agent",
            "mailpit_docker",
            "gitlab_runner",
            "consul_client",
            "pg-gitea",
            "keycloak_db",
            "common",
            "",
            ".",
        ] {
            assert!(by_role(role).is_none(), "{role}");
        }
    }

    #[test]
    fn paths() {
        assert_eq!(name(by_path("/var/lib/postgresql/16/main")), Some("postgresql"));
        assert!(by_path("/data1/x").is_none() && by_path("/var/www/html").is_none() && by_path("relative").is_none());
        assert_eq!(data_path("/var/lib/postgresql/16/main/"), Some(PathClass::Data));
        assert_eq!(data_path("/srv/app"), Some(PathClass::Data));
        assert_eq!(data_path("/data1"), Some(PathClass::Data));
        assert_eq!(data_path("/tmp/x"), Some(PathClass::Volatile));
        assert_eq!(data_path("/var/lib/apt/lists"), Some(PathClass::Volatile));
        assert_eq!(data_path("/etc/nginx/nginx.conf"), Some(PathClass::Configuration));
        assert_eq!(data_path("/opt/app/app.sqlite"), Some(PathClass::Data));
        assert!(data_path("/usr/bin/x").is_none() && data_path("").is_none() && data_path("/").is_none());
    }
}
