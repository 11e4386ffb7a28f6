//! Every container that the repository declares, as one row type, whatever declares it.

mod arguments;
mod compose;
mod definition;
mod flat;
mod interpolate;
mod job;
mod keep;
mod mount;
mod pod;
mod reference;
mod run;
mod template;
mod unit;

use crate::knowledge::services::{self, Service, ServiceData};
use crate::text::Loc;
use crate::value::{Kind, Reason, Tri, Value};

pub use arguments::{MODULES, of_arguments, of_resource, of_service};
pub use compose::{of_compose, of_definition};
pub use definition::{Group, of_container_app, of_container_group, of_task_definition};
pub use flat::members;
pub use job::of_job_task;
pub use keep::{Keeping, is_file};
pub use mount::{Mount, MountKind};
pub use pod::of_object;
pub use reference::Reference;
pub use run::of_run;
pub use template::of_compose_text;
pub use unit::{of_quadlet, of_shell, of_unit};

use flat::{Flat, words};

/// What declares a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    /// A compose file.
    Compose,
    /// Compose text in a playbook or a template.
    Text,
    /// A Terraform resource.
    Terraform,
    /// An Ansible task.
    Ansible,
    /// A `docker run`.
    Command,
    /// A Quadlet unit of Podman.
    Quadlet,
    /// A task of a Nomad job.
    Nomad,
    /// A task definition of ECS, in Terraform or in a file of its own.
    Ecs,
    /// An object of Kubernetes, in a manifest, in Terraform or in what a task applies.
    Kubernetes,
}

impl Declared {
    /// As cards spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Compose => "compose",
            Self::Text => "text",
            Self::Terraform => "terraform",
            Self::Ansible => "ansible",
            Self::Command => "command",
            Self::Quadlet => "quadlet",
            Self::Nomad => "nomad",
            Self::Ecs => "ecs",
            Self::Kubernetes => "kubernetes",
        }
    }
}

/// What surrounds the declarations that are read.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// Only a pipeline starts it.
    pub in_ci: bool,
    /// It stands among tests.
    pub in_tests: bool,
    /// What an environment variable holds where compose interpolates it; absent when no file tells.
    pub variable: &'a dyn Fn(&str) -> Value,
    /// What a template expression (without its braces) gives; absent or unknown when no file tells.
    pub expression: &'a dyn Fn(&str) -> Value,
}

impl Setting<'_> {
    /// Nothing is known about the surroundings.
    #[must_use]
    pub fn unknown() -> Self {
        Self { in_ci: false, in_tests: false, variable: &|_| Value::absent(), expression: &|_| Value::absent() }
    }
}

/// A declared container.
#[derive(Clone, Debug)]
pub struct Container {
    /// Its name (in compose the service's).
    pub name: String,
    /// The address of the resource of Terraform that declares it.
    pub address: Option<String>,
    /// The service key, the task's module, the resource's header, the command.
    pub declaration: Loc,
    /// The image.
    pub image: Value,
    /// Where the image is said, else the declaration.
    pub image_place: Loc,
    /// The image, taken apart; `None` when nothing is known of it.
    pub image_reference: Option<Reference>,
    /// What is mounted.
    pub mounts: Vec<Mount>,
    /// Why there may be mounts that the files do not show.
    pub more_mounts: Option<Reason>,
    /// Environment variables in source order.
    pub environment: Vec<(String, Value)>,
    /// Why there may be variables that the files do not show.
    pub more_environment: Option<Reason>,
    /// Arguments for the entry point, a string or a list.
    pub command: Option<Value>,
    /// What starts instead of the image's own program.
    pub entrypoint: Option<Value>,
    /// The image is built from this repository.
    pub built_here: bool,
    /// The folder that its image is built in and the name of the Dockerfile, where the declaration tells.
    pub build: Option<(String, String)>,
    /// What declares it.
    pub declared: Declared,
    /// Only a pipeline starts it.
    pub in_ci: bool,
    /// It stands among tests.
    pub in_tests: bool,
    /// It takes the mounts of another container.
    pub volumes_from: bool,
    /// It is removed when its program ends (`--rm`), or others wait for that end.
    pub removed_at_end: bool,
    /// A command starts it so that it starts again when it ends.
    pub restarts: bool,
    /// The object of Kubernetes that makes it.
    pub owner: Option<Loc>,
    /// What kind of object that is (`Deployment`); empty for others.
    pub workload: &'static str,
    /// How many of it that object makes; absent when it does not say.
    pub members: Value,
    /// Compose profiles that start it; empty when it always starts.
    pub profiles: Vec<String>,
}

/// Programs that serve.
const SERVERS: &str = "postgres mysqld mysqld_safe mariadbd mongod redis-server valkey-server docker-entrypoint.sh vault \
    bao etcd influxd rabbitmq-server server";

/// Programs that do one thing and end, or only wait.
const CLIENTS: &str = "pg_dump pg_dumpall pg_restore pg_isready psql createdb mysqldump mysql mysqladmin mariadb mariadb- \
    dump mariadb-backup mongodump mongorestore mongoimport mongosh mongo redis-cli valkey-cli etcdctl \
    influx mc migrate alembic flyway liquibase restic borg crond sleep chown true echo until";

/// Whether a list of words apart by blanks has this one.
fn one_of(list: &str, word: &str) -> bool {
    list.split(' ').any(|own| own == word)
}

impl Container {
    /// A container of which nothing else is known yet.
    fn new(name: String, declaration: Loc, declared: Declared, setting: &Setting<'_>) -> Self {
        Self {
            name,
            address: None,
            declaration,
            image: Value::absent(),
            image_place: declaration,
            image_reference: None,
            mounts: Vec::new(),
            more_mounts: None,
            environment: Vec::new(),
            more_environment: None,
            command: None,
            entrypoint: None,
            built_here: false,
            build: None,
            declared,
            in_ci: setting.in_ci,
            in_tests: setting.in_tests,
            volumes_from: false,
            removed_at_end: false,
            restarts: false,
            owner: None,
            workload: "",
            members: Value::absent(),
            profiles: Vec::new(),
        }
    }

    /// A name that may be partly known, as messages show it.
    fn shown(name: &Value) -> String {
        if name.reason().is_some()
            && Flat::of(name).is_some_and(|flat| flat.text.chars().all(|c| c == crate::text::HOLE))
        {
            return "…".to_owned();
        }
        name.display()
    }

    /// A container of which only its image and its environment are known.
    #[must_use]
    pub fn of_image(image: Value, environment: Vec<(String, Value)>, place: Loc) -> Self {
        let own = Self::new(String::new(), place, Declared::Terraform, &Setting::unknown());
        let mut own = Self { environment, ..own };
        own.set_image(image, place);
        own
    }

    fn set_image(&mut self, image: Value, place: Loc) {
        self.image_reference = Flat::of(&image).and_then(|flat| Reference::parse(&flat));
        self.image = image;
        self.image_place = place;
    }

    /// Takes the image that its own is built on for what it is, where it names none of a registry.
    pub fn built_on(&mut self, base: &str) {
        if self.image.is_absent() && self.image_reference.is_none() {
            self.image_reference = Flat::of(&Value::known(base)).and_then(|flat| Reference::parse(&flat));
        }
    }

    /// The data service in it; `None` when it is none or the image is unknown.
    #[must_use]
    pub fn service(&self) -> Option<&'static Service> {
        services::by_image(&self.image_reference.as_ref()?.lookup()?)
    }

    /// What losing its data loses, as cards spell it (`none` for software that keeps none); unknown with the image.
    #[must_use]
    pub fn data(&self) -> Value {
        let Some(service) = self.service() else {
            let known = self.image_reference.as_ref().is_some_and(|reference| reference.lookup().is_some());
            let reason = self.image.reason().filter(|_| !known);
            return reason.map_or_else(|| Value::known("none"), Value::unknown);
        };
        Value::known(match service.data {
            ServiceData::Cache if self.persists_cache() => "authoritative",
            ServiceData::PureCache | ServiceData::Copy => "cache",
            other => other.as_str(),
        })
    }

    /// Whether the command switches persistence on in what is a cache by default.
    fn persists_cache(&self) -> bool {
        // Snapshots (`--save`) are on by default, so asking for them says little.
        self.words().windows(2).any(|pair| pair[0] == "--appendonly" && pair[1] == "yes")
    }

    /// The words of entry point and command; an unknown one is a hole.
    fn words(&self) -> Vec<String> {
        [&self.entrypoint, &self.command].into_iter().flatten().flat_map(words).collect()
    }

    /// An environment variable; absent when it is not set here.
    #[must_use]
    pub fn variable(&self, name: &str) -> Value {
        self.environment
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map_or_else(Value::absent, |(_, value)| value.clone())
    }

    /// Whether what the image's tag names changes over time.
    #[must_use]
    pub fn floating(&self) -> Tri {
        if self.built_here {
            return Tri::False;
        }
        if let Kind::OneOf(values) = &self.image.kind {
            let mut each = values.iter().map(|data| reference::floating(&Value::known(data.clone())));
            let first = each.next().unwrap_or(Tri::False);
            return if each.all(|other| other == first) {
                first
            } else {
                Tri::Unknown("the image has several possible values".into())
            };
        }
        reference::floating(&self.image)
    }

    /// Whether a digest fixes the image.
    #[must_use]
    pub fn pinned(&self) -> Tri {
        match &self.image_reference {
            Some(reference) if reference.digest.is_some() => Tri::True,
            Some(reference) => reference.unknown_end().map_or(Tri::False, Tri::Unknown),
            None => self.image.reason().map_or(Tri::False, Tri::Unknown),
        }
    }

    /// Whether it does one thing and ends (a dump, a migration, a client), rather than serve.
    #[must_use]
    pub fn oneshot(&self) -> bool {
        const PROFILES: [&str; 12] = [
            "tools",
            "tool",
            "test",
            "tests",
            "testing",
            "backup",
            "migrate",
            "migration",
            "debug",
            "seed",
            "init",
            "cli",
        ];
        self.removed_at_end
            || self.profiles.iter().any(|profile| PROFILES.contains(&profile.as_str()))
            || self.is_client()
    }

    fn is_client(&self) -> bool {
        let words: Vec<String> = self
            .words()
            .iter()
            .flat_map(|word| {
                word.split(|c: char| c.is_whitespace() || ";&|()'\"$`".contains(c))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .map(|word| word.rsplit('/').next().unwrap_or_default().to_owned())
            .filter(|word| !word.is_empty())
            .collect();
        let Some(program) = words.first() else { return false };
        if words.iter().any(|word| one_of(SERVERS, word)) {
            // The image's own start program runs whatever it is given.
            return program == "docker-entrypoint.sh" && words.get(1).is_some_and(|word| one_of(CLIENTS, word));
        }
        let shell = matches!(program.as_str(), "sh" | "bash" | "ash");
        if shell { words.iter().any(|word| one_of(CLIENTS, word)) } else { one_of(CLIENTS, program) }
    }
}

#[cfg(test)]
mod tests;
