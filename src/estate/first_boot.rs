//! What machines do to themselves when they first boot: packages that they install, data services that they bring, disks that
//! they format.

use super::Estate;
use super::brought;
use super::delivered::is_agent;
use super::invocation::{FIRST_BOOT, Invocation};
use crate::knowledge::services::{self, Service, ServiceData};
use crate::model::command::Command;
use crate::model::kind::Kind;
use crate::model::terraform::Resource;
use crate::syntax::yaml::{Node, Scalar, Yaml};
use crate::text::{FileId, Loc, Mapped};
use crate::value::Value;
use std::collections::HashSet;

/// The first boot of a machine that a resource declares, or of whatever a file of user data is given to.
pub struct FirstBoot<'m> {
    /// The resource.
    pub resource: Option<Resource<'m, 'm>>,
    /// The resource, or the file.
    pub loc: Loc,
    /// The argument that holds it, or the file.
    pub place: Loc,
    /// Packages beyond what a machine needs to be reached.
    pub installs: Vec<String>,
    /// Data services that it brings.
    pub services: Vec<&'static str>,
}

/// A disk that a first boot formats whatever is on it.
pub struct Format {
    /// Where that is said.
    pub loc: Loc,
    /// The device.
    pub device: String,
    /// `disk_setup` or `fs_setup`; `wipe_table` or `wipe_filesystem`.
    pub by: &'static str,
}

/// Beginnings of the names of packages that only let somebody in, look around, reach storage, or fetch what comes next.
const BOOTSTRAP: [&str; 40] = [
    "qemu-guest-agent",
    "open-vm-tools",
    "hyperv-daemons",
    "python",
    "cloud-",
    "ca-certificates",
    "openssh",
    "sudo",
    "curl",
    "wget",
    "gnupg",
    "gpg",
    "apt-transport-https",
    "software-properties-common",
    "lsb-release",
    "amazon-",
    "aws",
    "google-cloud",
    "azure-cli",
    "walinuxagent",
    "jq",
    "unzip",
    "git",
    "vim",
    "nano",
    "htop",
    "bash-completion",
    "ansible",
    "sshpass",
    "dnf-plugins",
    "tcpdump",
    "iftop",
    "tmux",
    "net-tools",
    "dnsutils",
    "nfs-common",
    "nfs-utils",
    "open-iscsi",
    "iscsi-initiator-utils",
    "cifs-utils",
];

fn is_bootstrap(package: &str) -> bool {
    package.is_empty()
        || package.starts_with(['/', '.', '-', '$'])
        || BOOTSTRAP.iter().any(|it| package.starts_with(it))
}

/// The packages that a command installs by the system's own means.
fn installed(command: &Command) -> Vec<String> {
    let manager =
        matches!(&*command.program, "apt-get" | "apt" | "dnf" | "yum" | "microdnf" | "zypper" | "apk" | "tdnf");
    let words = command.sub.iter().map(ToString::to_string);
    let words = words.chain(command.operands.iter().filter_map(Value::scalar).map(|word| word.to_string()));
    let words: Vec<String> = words.collect();
    let installs = words.first().is_some_and(|verb| matches!(verb.as_str(), "install" | "add" | "in"));
    if manager && installs && !command.nested() { words.into_iter().skip(1).collect() } else { Vec::new() }
}

/// A text of user data, with the way back to where it is written.
struct Data {
    file: FileId,
    text: Mapped,
    yaml: Yaml,
}

impl Data {
    fn packages(&self) -> Vec<String> {
        let listed = self.yaml.root().and_then(|root| root.get("packages"));
        let name = |item: Node<'_>| item.as_str().or_else(|| item.items().next()?.as_str()).map(str::to_owned);
        listed.into_iter().flat_map(Node::items).filter_map(name).collect()
    }

    fn formats(&self, found: &mut Vec<Format>) {
        let Some(root) = self.yaml.root() else { return };
        let yes = |node: Node<'_>| matches!(node.get("overwrite").map(Node::resolve), Some(Scalar::Bool(true)));
        let mut add = |node: Node<'_>, device: &str, by| {
            // What a cloud gives as scratch or swap is empty at each start.
            if !["ephemeral", "swap"].iter().any(|it| device.contains(it)) {
                let loc = Loc { file: self.file, span: self.text.span(node.span()) };
                found.push(Format { loc, device: device.to_owned(), by });
            }
        };
        for (key, disk) in root.get("disk_setup").map(Node::entries).unwrap_or_default() {
            if yes(disk) {
                add(key, key.as_str().unwrap_or("a disk"), "disk_setup");
            }
        }
        for disk in root.get("fs_setup").into_iter().flat_map(Node::items).filter(|disk| yes(*disk)) {
            let kind = disk.get("filesystem").and_then(Node::as_str).unwrap_or_default();
            let device = disk.get("device").and_then(Node::as_str).unwrap_or("a disk");
            if kind != "swap" {
                add(disk, device, "fs_setup");
            }
        }
    }
}

/// The user data of every machine and file, each with the resource that it is given to.
fn all<'m>(estate: &'m Estate<'m>) -> Vec<(Option<Resource<'m, 'm>>, Vec<Data>)> {
    let mut found = Vec::new();
    let (mut seen, mut files) = (HashSet::new(), HashSet::new());
    for resource in estate.terraform.resources() {
        if !FIRST_BOOT.iter().any(|name| resource.expr(name.split('.').next().unwrap_or(name)).is_some())
            || !seen.insert(resource.loc())
        {
            continue;
        }
        let texts = FIRST_BOOT.iter().flat_map(|name| resource.scripts(name));
        let data = texts.map(|rendered| {
            files.insert(rendered.file);
            let config = rendered.text.text.starts_with("#cloud-config");
            let yaml = Yaml::parse(if config { &rendered.text.text } else { "" });
            Data { file: rendered.file, text: rendered.text, yaml }
        });
        let data = data.collect();
        found.push((Some(resource), data));
    }
    for document in estate.documents.of(&[Kind::CloudInit]).filter(|document| !files.contains(&document.file)) {
        let text = estate.documents.tree.text(document.file);
        let data = Data { file: document.file, text: Mapped::verbatim(text, 0), yaml: Yaml::parse(text) };
        found.push((None, vec![data]));
    }
    found
}

/// Where a resource holds what its machine runs at first boot.
fn argument(resource: &Resource<'_, '_>) -> Option<Loc> {
    FIRST_BOOT.iter().find_map(|name| {
        let (file, attribute) = resource.decl.decl.attribute(name.split('.').next().unwrap_or(name))?;
        Some(Loc { file, span: attribute.name_span })
    })
}

/// Every first boot that does more than let somebody in.
#[must_use]
pub fn first_boots<'m>(estate: &'m Estate<'m>) -> Vec<FirstBoot<'m>> {
    let boots: Vec<&Invocation<'m>> =
        estate.invocations.iter().filter(|it| it.first_boot || it.site() == "user-data").collect();
    let mut found = Vec::new();
    for (resource, data) in all(estate) {
        let loc = match &resource {
            Some(resource) => resource.loc(),
            None => Loc { file: data[0].file, span: crate::text::Span::default() },
        };
        let mine = boots.iter().filter(|it| match (&resource, &it.resource) {
            (Some(own), Some(other)) => own.loc() == other.loc(),
            (None, None) => it.command.loc.file == loc.file,
            _ => false,
        });
        let commands: Vec<&Command> = mine.map(|it| &it.command).collect();
        let mut packages: Vec<String> = data.iter().flat_map(Data::packages).collect();
        let by_package: Vec<&Service> = packages.iter().filter_map(|name| services::by_package(name)).collect();
        packages.extend(commands.iter().flat_map(|command| installed(command)));
        let by_command = commands.iter().flat_map(|command| brought::by_command(command)).map(|(service, _)| service);
        let own = by_package
            .into_iter()
            .chain(by_command)
            .filter(|it| matches!(it.data, ServiceData::Authoritative | ServiceData::Secret | ServiceData::Queue))
            .filter(|it| !data.iter().any(|text| is_agent(it, &text.text.text)));
        let mut services: Vec<&'static str> = own.map(|it| it.name.as_str()).collect();
        services.sort_unstable();
        services.dedup();
        packages.retain(|package| !is_bootstrap(package));
        packages.sort_unstable();
        packages.dedup();
        if !(packages.is_empty() && services.is_empty()) {
            let place = resource.as_ref().and_then(argument).unwrap_or(loc);
            found.push(FirstBoot { resource, loc, place, installs: packages, services });
        }
    }
    found
}

/// Every disk that a first boot formats whatever is on it.
#[must_use]
pub fn formats<'m>(estate: &'m Estate<'m>) -> Vec<Format> {
    let mut found = Vec::new();
    for (_, data) in all(estate) {
        for data in &data {
            data.formats(&mut found);
        }
    }
    super::ignition::formats(estate, &mut found);
    let mut seen = HashSet::new();
    found.retain(|format| seen.insert(format.loc));
    found
}
