//! Where a container keeps its data, and on what that lies.

use super::Container;
use super::flat::Flat;
use super::mount::{Mount, MountKind};
use crate::knowledge::services::Service;
use crate::text::{HOLE, Loc};
use crate::value::{Reason, Value};

/// On what a container's data lies.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The first data directory that goes with the container; absent when none does.
    pub directory: Value,
    /// The kind of mount (`none`, `anonymous`, `memory`, `empty-dir`, or the durable kind); absent when it keeps no data.
    pub kind: Value,
    /// Where the durable mount is declared.
    pub mount: Option<Loc>,
}

/// A data directory.
#[derive(Clone, Debug, PartialEq)]
struct Directory {
    /// As people name it.
    shown: String,
    /// Where the files are in the end: a mount that covers this covers the data.
    written: String,
}

impl Directory {
    fn at(path: &str) -> Self {
        Self { shown: path.to_owned(), written: path.to_owned() }
    }
}

/// Where the data goes.
enum Written {
    /// To any of these, whichever the image takes.
    To(Vec<Directory>),
    /// Not to be told.
    Unknown(Reason),
}

/// On what one directory lies.
enum Ground {
    Durable(MountKind, Loc),
    Loose(&'static str),
    Unknown(Reason),
}

impl Container {
    /// The data directories that the image, its tag, the environment and the command make; empty for software that keeps none.
    #[must_use]
    pub fn directories(&self) -> Vec<String> {
        match self.service().map(|service| self.written(service)) {
            Some(Written::To(directories)) => directories.into_iter().map(|directory| directory.shown).collect(),
            _ => Vec::new(),
        }
    }

    /// The data directory that no durable mount covers, and what it lies on.
    #[must_use]
    pub fn unmounted(&self) -> Keeping {
        let unknown = |reason: Reason| Keeping {
            directory: Value::unknown(reason.clone()),
            kind: Value::unknown(reason),
            mount: None,
        };
        let nothing = || Keeping { directory: Value::absent(), kind: Value::absent(), mount: None };
        let Some(service) = self.service() else {
            let known = self.image_reference.as_ref().is_some_and(|reference| reference.lookup().is_some());
            return self.image.reason().filter(|_| !known).map_or_else(nothing, unknown);
        };
        let directories = match self.written(service) {
            Written::To(directories) if directories.is_empty() => return nothing(),
            Written::To(directories) => directories,
            // Without any lasting mount the data is lost wherever it is written.
            Written::Unknown(reason) if self.has_durable() || self.hides_mounts().is_some() => return unknown(reason),
            Written::Unknown(_) => service.dirs_image.iter().take(1).map(|path| Directory::at(path)).collect(),
        };
        self.judge(service, &directories).unwrap_or_else(unknown)
    }

    /// A lasting mount that holds nothing of the data: whoever wrote it meant it to.
    #[must_use]
    pub fn misplaced(&self) -> Option<&Mount> {
        if self.unmounted().kind.as_str() != Some("none") {
            return None;
        }
        self.mounts.iter().find(|mount| {
            mount.kind.durable() == Some(true) && mount.path().is_some_and(|path| !is_configuration(&path))
        })
    }

    /// The directory that its files are written to in the end.
    #[must_use]
    pub fn writes_to(&self) -> Option<String> {
        let Written::To(directories) = self.written(self.service()?) else { return None };
        directories.into_iter().next().map(|directory| directory.written)
    }

    fn judge(&self, service: &Service, directories: &[Directory]) -> Result<Keeping, Reason> {
        let (mut loose, mut reason) = (None, None);
        for directory in directories {
            match self.ground(service, directory) {
                Ground::Durable(kind, place) => {
                    return Ok(Keeping {
                        directory: Value::absent(),
                        kind: Value::known(kind.as_str()),
                        mount: Some(place),
                    });
                }
                // What is said about a directory tells more than that nothing is.
                Ground::Loose(kind) if loose.is_none_or(|(_, before)| before == "none" && kind != "none") => {
                    loose = Some((directory, kind));
                }
                Ground::Loose(_) => {}
                Ground::Unknown(why) => reason = reason.or(Some(why)),
            }
        }
        if let Some(reason) = reason.or_else(|| self.hides_mounts()).or_else(|| self.may_write_elsewhere(service)) {
            return Err(reason);
        }
        let (directory, kind) = loose.ok_or("the image's data directories are not known")?;
        Ok(Keeping { directory: Value::known(directory.shown.as_str()), kind: Value::known(kind), mount: None })
    }

    /// The deepest mount over a directory decides.
    fn ground(&self, service: &Service, directory: &Directory) -> Ground {
        let over = |mount: &&Mount| mount.path().is_some_and(|path| covers(&path, &directory.written));
        if let Some(mount) = self.mounts.iter().filter(over).max_by_key(|mount| mount.path().map(|path| path.len())) {
            return match mount.kind.durable() {
                Some(true) => Ground::Durable(mount.kind, mount.loc),
                Some(false) => Ground::Loose(mount.kind.as_str()),
                None => Ground::Unknown("the kind of a mount is not known".into()),
            };
        }
        // Applications keep what matters in a part of their directory, databases need all of theirs.
        let inside = |mount: &&Mount| {
            mount.kind.durable() == Some(true)
                && mount.path().is_some_and(|path| covers(&directory.written, &path) && !is_file(&path))
        };
        match self.mounts.iter().find(inside) {
            Some(mount) if !is_database(service) => Ground::Durable(mount.kind, mount.loc),
            _ => Ground::Loose("none"),
        }
    }

    /// Why mounts may exist that are not seen.
    fn hides_mounts(&self) -> Option<Reason> {
        if self.volumes_from {
            return Some("it takes its volumes from another container".into());
        }
        let unknown = |mount: &Mount| (mount.path().is_none()).then(|| mount.target.reason()).flatten();
        self.more_mounts.clone().or_else(|| self.mounts.iter().find_map(unknown))
    }

    fn has_durable(&self) -> bool {
        self.mounts.iter().any(|mount| {
            mount.kind.durable() != Some(false) && mount.path().is_none_or(|path| !is_configuration(&path))
        })
    }

    /// Why the data may be written to a mount elsewhere.
    fn may_write_elsewhere(&self, service: &Service) -> Option<Reason> {
        if !self.has_durable() {
            return None;
        }
        if let Some(reason) = &self.more_environment {
            return Some(reason.clone());
        }
        // What the declaration itself says is where it writes.
        (!is_database(service) && self.configured(service).is_none())
            .then(|| format!("a configuration file may make {} write to another mount", service.label).into())
    }

    fn written(&self, service: &Service) -> Written {
        if let Some(written) = self.configured(service) {
            return written;
        }
        if let Some(path) = self.sent_to(service) {
            return Written::To(vec![Directory::at(&path)]);
        }
        let Some(reference) = &self.image_reference else { return Written::To(Vec::new()) };
        let repository = reference.repository.as_str();
        if repository.ends_with("/ferretdb") {
            return Written::To(Vec::new());
        }
        if self.is_client_agent(service) {
            return Written::To(Vec::new());
        }
        let bitnami = repository.contains("bitnami");
        let special = match service.name.as_str() {
            _ if bitnami => None,
            "postgresql" => Some(postgres(repository, self.major())),
            "mongodb" => Some(vec![Directory::at("/data/db")]),
            "influxdb" => self.major().and_then(influx),
            _ => None,
        };
        Written::To(special.unwrap_or_else(|| of_image(service, repository, bitnami)))
    }

    /// `consul agent` without a word of a server: what it keeps it gets again from the servers.
    fn is_client_agent(&self, service: &Service) -> bool {
        let words = self.words();
        let serves = |word: &String| ["server", "bootstrap", "dev"].iter().any(|own| word.contains(own));
        matches!(service.name.as_str(), "consul" | "nomad")
            && words.iter().any(|word| word == "agent")
            && !words.iter().any(serves)
    }

    /// A directory on a lasting mount that the environment names: applications have many names for it.
    fn sent_to(&self, service: &Service) -> Option<String> {
        const OTHER: [&str; 12] =
            ["LOG", "CONF", "CERT", "BACKUP", "INIT", "SSL", "TLS", "SECRET", "PLUGIN", "CACHE", "TMP", "TEMP"];
        if is_database(service) {
            return None;
        }
        self.environment.iter().filter(|(name, _)| !OTHER.iter().any(|other| name.contains(other))).find_map(
            |(_, value)| {
                let path = value.scalar().filter(|path| path.starts_with('/') && !is_file(path))?;
                let holds = |mount: &Mount| {
                    mount.kind.durable() == Some(true) && mount.path().is_some_and(|over| covers(&over, &path))
                };
                self.mounts.iter().any(holds).then(|| path.trim_end_matches('/').to_owned())
            },
        )
    }

    /// The major version that the tag names (`16-alpine`, `v2.7`, `latest-pg16`).
    fn major(&self) -> Option<u32> {
        let tag = self.image_reference.as_ref()?.tag.as_ref()?;
        let text = Flat::of(tag)?.text;
        let number = |text: &str| {
            let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            // A number that an unknown part may prolong is none.
            (!text[digits..].starts_with(HOLE)).then(|| text[..digits].parse().ok()).flatten()
        };
        let named = text.match_indices("pg").find_map(|(at, _)| number(&text[at + 2..]));
        named.or_else(|| number(text.strip_prefix('v').unwrap_or(&text)))
    }

    /// Where an environment variable or an option of the command sends the data.
    fn configured(&self, service: &Service) -> Option<Written> {
        const OPTIONS: [&str; 9] = [
            "datadir",
            "dbpath",
            "data-dir",
            "data_dir",
            "storage.tsdb.path",
            "storageDataPath",
            "store_dir",
            "path.data",
            "data_directory",
        ];
        // Some images take their settings as variables by their own names (`path.data`).
        let variable = |name: &&String| name.starts_with(|c: char| c.is_ascii_uppercase()) || name.contains('.');
        let variables = service.data_settings.iter().filter(variable);
        if let Some(value) = variables.map(|name| self.variable(name)).find(|value| !value.is_absent()) {
            return Some(paths(&value));
        }
        let words = self.words();
        for (at, word) in words.iter().enumerate() {
            let bare = word.trim_start_matches('-');
            let dashed = bare.len() < word.len();
            let (name, value) = match bare.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None if dashed => (bare, words.get(at + 1).map(String::as_str)),
                None => continue,
            };
            let known =
                OPTIONS.contains(&name) || (dashed && service.data_settings.iter().any(|setting| setting == name));
            if let Some(value) = value.filter(|value| known && value.starts_with(['/', HOLE])) {
                return Some(named(value));
            }
        }
        let server = words.iter().position(|word| word == "server").filter(|_| service.name == "minio")?;
        let operands: Vec<&str> =
            words[server + 1..].iter().map(String::as_str).filter(|word| word.starts_with(['/', HOLE])).collect();
        (!operands.is_empty()).then(|| named(&operands.join(" ")))
    }
}

/// Directories given in a variable.
fn paths(value: &Value) -> Written {
    let text = Flat::of(value).map(|flat| flat.text).unwrap_or_default();
    match value.reason() {
        Some(reason) => Written::Unknown(reason),
        None => named(&text),
    }
}

/// Directories given in a text, apart by commas or blanks.
fn named(text: &str) -> Written {
    if text.contains([HOLE, '{', '*', '$']) || text.contains("://") {
        return Written::Unknown("the data directory is set to something that only the container knows".into());
    }
    let paths = text.split([',', ' ']).filter(|path| path.starts_with('/'));
    Written::To(
        paths
            .map(|path| Directory::at(path.trim_end_matches('/')))
            .filter(|directory| !directory.shown.is_empty())
            .collect(),
    )
}

/// From 18 on, the image of the project keeps its files one level higher, in a directory for each major version.
fn postgres(repository: &str, major: Option<u32>) -> Vec<Directory> {
    let old = || Directory::at("/var/lib/postgresql/data");
    let new = |major: u32| Directory {
        shown: "/var/lib/postgresql".to_owned(),
        written: format!("/var/lib/postgresql/{major}/docker"),
    };
    let last = repository.rsplit('/').next().unwrap_or_default();
    let same_layout = matches!(repository, "postgres" | "library/postgres" | "pgvector/pgvector" | "postgis/postgis")
        || last == "postgres" && !repository.contains("supabase") && !repository.contains("immich");
    if last.starts_with("spilo") || last.contains("-ha") {
        return vec![Directory::at("/home/postgres/pgdata")];
    }
    match major {
        Some(major) if same_layout && major >= 18 => vec![new(major)],
        Some(major) if same_layout && major > 0 => vec![old()],
        // The tag does not tell: either place will do.
        Some(major) => vec![old(), new(major), Directory::at("/var/lib/postgresql")],
        None => vec![old(), Directory::at("/var/lib/postgresql")],
    }
}

fn influx(major: u32) -> Option<Vec<Directory>> {
    let path = match major {
        1 => "/var/lib/influxdb",
        2 => "/var/lib/influxdb2",
        _ => return None,
    };
    Some(vec![Directory::at(path)])
}

/// The directories of the table that belong to this maker's image.
fn of_image(service: &Service, repository: &str, bitnami: bool) -> Vec<Directory> {
    let linuxserver = repository.starts_with("linuxserver/") || repository.starts_with("hotio/");
    let all = || service.dirs_image.iter().map(String::as_str);
    let own = |path: &&str| {
        if bitnami {
            path.contains("/bitnami")
        } else {
            !path.contains("/bitnami") && (linuxserver || !path.starts_with("/config/"))
        }
    };
    let mut chosen: Vec<&str> = all().filter(own).collect();
    if linuxserver && chosen.iter().any(|path| path.starts_with("/config")) {
        chosen.retain(|path| path.starts_with("/config"));
    }
    if chosen.is_empty() { all().map(Directory::at).collect() } else { chosen.into_iter().map(Directory::at).collect() }
}

/// Whether something mounted at `outer` holds `inner`.
fn covers(outer: &str, inner: &str) -> bool {
    let outer = outer.trim_end_matches('/');
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path whose last name has an extension is taken for a file.
#[must_use]
pub fn is_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty() && extension.len() <= 5 && !extension.chars().all(|c| c.is_ascii_digit())
    })
}

/// A mount that holds no data: configuration, start scripts, sockets, time zones.
fn is_configuration(path: &str) -> bool {
    is_file(path)
        || [
            "/etc",
            "/run",
            "/var/run",
            "/tmp",
            "/docker-entrypoint",
            "/usr/share/zoneinfo",
            "/opt/bitnami/scripts",
            "/certs",
            "/ssl",
            "/var/log",
        ]
        .iter()
        .any(|folder| path.starts_with(folder))
        || [
            "initdb",
            "conf",
            "config",
            "certs",
            "scripts",
            "init",
            "logs",
            "log",
            "docker-entrypoint-initdb.d",
            "conf.d",
            "backup",
            "backups",
        ]
        .contains(&path.rsplit('/').next().unwrap_or_default())
}

/// Databases whose directory is all or nothing and set where we look.
fn is_database(service: &Service) -> bool {
    matches!(service.name.as_str(), "postgresql" | "mysql" | "mariadb" | "mongodb")
}
