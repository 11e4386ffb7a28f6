//! Packer's builders: what an image is made from, and what of that floats.

use super::{glob, load};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::OnceLock;

/// What a builder makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guest {
    /// A whole operating system.
    System,
    /// A container image, or a root file system when it is exported.
    Container,
    /// Nothing that runs.
    #[default]
    None,
}

/// When an argument lets the base change without a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Floats {
    /// When it is given.
    Given,
    /// When it is true.
    True,
    /// When it is `latest`, or absent while [`Floating::beside`] is given.
    Latest,
    /// When it is a container image without digest.
    Undigested,
}

/// An argument that may let the base float.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Floating {
    /// Dotted path.
    pub path: String,
    /// When.
    pub is: Floats,
    /// The argument without which its absence means nothing.
    #[serde(default)]
    pub beside: Option<String>,
}

/// A builder (or a data source that looks an image up). Paths are dotted; of a list the first that is given counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Builder {
    /// Its names.
    pub types: Vec<String>,
    /// What it makes.
    #[serde(default)]
    pub guest: Guest,
    /// Whether the platform's agent gives each machine fresh host keys.
    #[serde(default)]
    pub agent: bool,
    /// Arguments that name what the image starts from.
    #[serde(default)]
    pub bases: Vec<String>,
    /// Arguments that need a checksum.
    #[serde(default)]
    pub downloads: Vec<String>,
    /// What pins a download.
    #[serde(default)]
    pub checksums: Vec<String>,
    /// Arguments that let the base float.
    #[serde(default)]
    pub floats: Vec<Floating>,
    /// Arguments that name a machine that may be running.
    #[serde(default)]
    pub live: Vec<String>,
    /// Whether it only works on an existing machine.
    #[serde(default)]
    pub always_live: bool,
    /// Arguments that name the artefact.
    #[serde(default)]
    pub names: Vec<String>,
    /// Arguments that replace an existing artefact when true.
    #[serde(default)]
    pub overwrites: Vec<String>,
    /// Arguments that leave the machine that was built on in place when true.
    #[serde(default)]
    pub keeps: Vec<String>,
    /// Arguments that put a disk of data in.
    #[serde(default)]
    pub snapshots: Vec<String>,
    /// Arguments that name an existing machine which is worked on.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Whether it makes volumes and no image.
    #[serde(default)]
    pub volumes: bool,
    /// Arguments that turn a container into a root file system.
    #[serde(default)]
    pub exports: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    builders: Vec<Builder>,
    control_state: Vec<String>,
    enrolments: Vec<Enrolment>,
}

/// A command by which a machine becomes a member of something.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Enrolment {
    /// The program.
    pub program: String,
    /// The words that follow, any of these.
    #[serde(default)]
    pub words: Vec<String>,
    /// The unit whose first start does it.
    #[serde(default)]
    pub unit: Option<String>,
    /// Where it keeps who it is.
    pub state: String,
    /// What it becomes, in words.
    pub what: String,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| load::<Table>(include_str!(concat!(env!("OUT_DIR"), "/packer.json"))))
}

/// What a command makes of the machine that it runs on; `text` is the command as written.
#[must_use]
pub fn enrolment(program: &str, text: &str) -> Option<&'static Enrolment> {
    let (_, rest) = text.split_once(program)?;
    let mut words = rest.split_whitespace().filter(|word| !word.starts_with('-'));
    let first = words.next().unwrap_or("");
    if program == "systemctl" || program == "service" {
        let starts = ["start", "restart", "--now"].iter().any(|word| rest.split_whitespace().any(|it| it == *word));
        let names = |unit: &str| rest.split_whitespace().any(|word| word.trim_end_matches(".service") == unit);
        return table().enrolments.iter().find(|row| starts && row.unit.as_deref().is_some_and(names));
    }
    table().enrolments.iter().find(|row| row.program == program && row.words.iter().any(|word| word == first))
}

/// Whether a path is what a tool that controls machines keeps for itself, or reaches them with.
#[must_use]
pub fn is_control_state(path: &str) -> bool {
    table().control_state.iter().any(|pattern| glob(pattern, path))
}

/// The row of a builder.
#[must_use]
pub fn builder(name: &str) -> Option<&'static Builder> {
    static BY_NAME: OnceLock<HashMap<&'static str, &'static Builder>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| {
        table().builders.iter().flat_map(|row| row.types.iter().map(move |name| (name.as_str(), row))).collect()
    });
    by_name.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::{Floats, Guest, builder, enrolment, is_control_state};

    #[test]
    fn what_does_not_belong_in_images() {
        for path in
            ["terraform.tfvars", "/opt/a/prod.tfvars", "/root/.kube/config", "~/.aws/credentials", "a/.terraform/x"]
        {
            assert!(is_control_state(path), "{path}");
        }
        for path in ["terraform.tfvars.example", "etc/kube/config.yaml", "awscli", "terraform/main.tf"] {
            assert!(!is_control_state(path), "{path}");
        }
        assert_eq!(
            enrolment("tailscale", "sudo tailscale up --ssh").map(|row| &*row.state),
            Some("/var/lib/tailscale")
        );
        assert!(enrolment("tailscale", "tailscale version").is_none());
        assert!(enrolment("systemctl", "sudo systemctl enable --now glusterd.service").is_some());
        assert!(enrolment("systemctl", "systemctl enable glusterd").is_none());
    }

    #[test]
    fn rows_are_found_by_any_name() {
        let docker = builder("docker").unwrap();
        assert_eq!((docker.guest, docker.floats[0].is), (Guest::Container, Floats::Undigested));
        assert!(builder("amazon-ebssurrogate").is_some_and(|row| row.agent));
        assert!(builder("virtualbox-vm").is_some_and(|row| row.always_live));
        assert!(builder("no-such-builder").is_none());
    }
}
