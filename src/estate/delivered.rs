//! Data services that come to a machine without a play: by its first boot, by provisioners that log in to it, by commands that are
//! sent into it, by the image that it starts from.

use super::brought::{self, Brought};
use super::invocation::{FIRST_BOOT, Invocation, is_script};
use super::listing::Ground;
use super::machine::Machine;
use super::placement::{Use, weight};
use super::service::{data_mounts, on_host};
use super::{Estate, alias, sealed, started};
use crate::knowledge::services::{self, Service};
use crate::model::command::{self, Command, Site, Variables};
use crate::model::terraform::{Rendered, Resource, When};
use crate::syntax::yaml::{Node, Yaml};
use crate::text::Loc;
use crate::value::Value;
use std::collections::{BTreeSet, HashMap};

/// What came to a machine.
pub(super) struct Delivery {
    /// The service, its directories, and what shows it.
    pub(super) used: Use,
    /// Paths on which the same text mounts something.
    pub(super) mounted: Vec<String>,
    /// Whether it surely runs there.
    pub(super) sure: bool,
}

/// What comes to each machine; `uses` are those of the plays that bring any.
pub(super) fn deliveries(estate: &Estate<'_>, uses: &[(usize, Vec<Use>)]) -> Vec<Vec<Delivery>> {
    let mut found: Vec<Vec<Delivery>> = estate.machines.iter().map(|_| Vec::new()).collect();
    if estate.machines.is_empty() {
        return found;
    }
    let mut by_declaration: HashMap<_, Vec<usize>> = HashMap::new();
    for (at, machine) in estate.machines.iter().enumerate() {
        by_declaration.entry(machine.resource.declaration()).or_default().push(at);
    }
    for machines in by_declaration.values() {
        let Some(first) = machines.first().and_then(|at| estate.machines.get(*at)) else { continue };
        for (argument, text) in first_boots(estate, first) {
            give(&mut found, machines, &of_text(argument, &text), true);
        }
    }
    by_provisioners(estate, &mut found);
    by_commands(estate, &mut found);
    by_containers(estate, &mut found);
    by_images(estate, uses, &mut found);
    by_sealed(estate, &mut found);
    for own in &mut found {
        own.sort_by(|a, b| (a.used.loc, &a.used.clause).cmp(&(b.used.loc, &b.used.clause)));
        let mut seen = BTreeSet::new();
        own.retain(|one| seen.insert((one.used.label.clone(), one.used.clause.clone())));
    }
    found
}

/// A service that a text brings, where, and the verb for it.
struct Found {
    service: &'static Service,
    loc: Loc,
    clause: String,
    mounted: Vec<String>,
}

fn give(found: &mut [Vec<Delivery>], machines: &[usize], brought: &[Found], sure: bool) {
    for at in machines {
        let Some(own) = found.get_mut(*at) else { continue };
        for one in brought {
            let used = Use {
                label: one.service.label.clone(),
                data: one.service.data,
                directories: one.service.dirs_package.first().cloned().into_iter().collect(),
                loc: one.loc,
                clause: one.clause.clone(),
                role: None,
            };
            own.push(Delivery { used, mounted: one.mounted.clone(), sure });
        }
    }
}

/// Whether losing what the service keeps loses anything. An engine, and a node of a cluster, keeps what runs on it, which is looked
/// at itself.
fn counts(service: &Service) -> bool {
    weight(service.data) > 0 && !matches!(service.name.as_str(), "docker-host" | "k3s-kubernetes-nodes")
}

fn found((service, verb): Brought, loc: Loc, who: &str, mounted: &[String]) -> Option<Found> {
    let verb = verb.rsplit(' ').next().unwrap_or(verb);
    let clause = format!("{who} {verb} {}", service.label);
    counts(service).then(|| Found { service, loc, clause, mounted: mounted.to_vec() })
}

/// Arguments that name a resource with such a text, its type, and where the text stands in it.
const SNIPPETS: [(&str, &str, &str); 3] = [
    ("initialization", "proxmox_virtual_environment_file", "source_raw.data"),
    ("cloudinit", "libvirt_cloudinit_disk", "user_data"),
    ("cicustom", "proxmox_cloud_init_disk", "user_data"),
];

/// The texts that a machine runs when it first boots, each with the argument that holds it.
pub(super) fn first_boots<'m>(estate: &Estate<'m>, machine: &Machine<'m>) -> Vec<(&'static str, Rendered)> {
    let own =
        FIRST_BOOT.iter().flat_map(|name| machine.resource.scripts(name).into_iter().map(move |text| (*name, text)));
    let mut found: Vec<(&'static str, Rendered)> = own.collect();
    found.extend(held(estate, machine).filter_map(|(argument, path, one)| Some((argument, one.mapped(path)?))));
    found
}

/// The resources that hold such a text of a machine, each with the argument that names it and where the text stands.
fn held<'e, 'm>(
    estate: &'e Estate<'m>,
    machine: &'e Machine<'m>,
) -> impl Iterator<Item = (&'static str, &'static str, Resource<'m, 'm>)> + 'e {
    SNIPPETS.into_iter().flat_map(move |(argument, ty, path)| {
        let named = estate.terraform.referred(&machine.resource, argument);
        let near = estate.terraform.resources_of(machine.resource.instance).filter(move |one| one.ty() == ty);
        near.filter(move |one| named.contains(&one.declaration())).map(move |one| (argument, path, one))
    })
}

/// The resources that hold what a machine runs when it first boots.
pub(super) fn held_boots<'m>(estate: &Estate<'m>, machine: &Machine<'m>) -> Vec<Resource<'m, 'm>> {
    held(estate, machine).map(|(_, _, resource)| resource).collect()
}

fn of_text(argument: &str, rendered: &Rendered) -> Vec<Found> {
    const WHO: &str = "this first boot";
    let (file, text) = (rendered.file, &rendered.text);
    let mut commands: Vec<Command> = Vec::new();
    let mut brought: Vec<Found> = Vec::new();
    let moved = moves_data(&text.text);
    if moved {
        return brought;
    }
    if text.text.starts_with("#cloud-config") {
        let yaml = Yaml::parse(&text.text);
        let mounted = mounts(&text.text);
        let packages = yaml.root().and_then(|root| root.get("packages"));
        for item in packages.into_iter().flat_map(Node::items) {
            let name = item.as_str().or_else(|| item.items().next()?.as_str());
            let Some(service) = name.and_then(services::by_package) else { continue };
            let loc = Loc { file, span: text.span(item.span()) };
            brought.extend(found((service, "installs"), loc, WHO, &mounted));
        }
        commands = command::of_cloud_init(file, &text.text, &yaml);
        for command in &mut commands {
            command.loc.span = text.span(command.loc.span);
        }
    } else if is_script(argument, &text.text) {
        command::commands(text, file, &Site::CloudInit, &Variables::default(), &mut commands);
    }
    let mounted = mounts(&text.text);
    for command in &commands {
        let all = brought::by_command(command).into_iter();
        brought.extend(all.filter_map(|one| found(one, command.loc, WHO, &mounted)));
    }
    brought.retain(|one| !is_agent(one.service, &text.text));
    brought
}

/// Programs whose one package is server and agent alike: an agent on each machine keeps nothing that cannot be made again.
const AGENTS: [&str; 3] = ["consul", "nomad", "vault"];

/// Whether nothing in a text says that such a program is to be a server.
pub(super) fn is_agent(service: &Service, text: &str) -> bool {
    const SERVES: [&str; 8] = [
        "server = true",
        "server=true",
        "\"server\": true",
        "\"server\":true",
        " -server",
        "bootstrap_expect",
        "bootstrap-expect",
        "vault server",
    ];
    AGENTS.contains(&service.name.as_str()) && !SERVES.iter().any(|word| text.contains(word))
}

/// Whether a text sets where a service keeps its data: then the package's own directory is not it.
fn moves_data(text: &str) -> bool {
    ["data_directory", "datadir", "PGDATA", "dbPath", "path.data", "initdb"].iter().any(|word| text.contains(word))
}

/// The paths that lines of a text speak of which mount something.
pub(super) fn mounts(text: &str) -> Vec<String> {
    let mut listed = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if !line.starts_with([' ', '-', '\t']) {
            listed = line.starts_with("mounts:");
        }
        if listed || line.contains("mount") || line.contains("fstab") || line.contains("/dev/") {
            let words = line.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '[' | ']' | ';'));
            found.extend(
                words
                    .filter(|word| word.len() > 3 && word.starts_with('/') && !word.starts_with("/dev"))
                    .map(str::to_owned),
            );
        }
    }
    found.truncate(64);
    found
}

/// Provisioners that log in to a machine and run commands there.
fn by_provisioners(estate: &Estate<'_>, all: &mut [Vec<Delivery>]) {
    let ground = Ground::new(estate.documents, estate.terraform, estate.ansible, &estate.machines);
    for resource in estate.terraform.resources() {
        for provisioner in resource.provisioners() {
            if provisioner.kind != "remote-exec" || provisioner.when == When::Destroy {
                continue;
            }
            let Some(at) = ground.set_up_by(&resource, &provisioner) else { continue };
            let texts = provisioner.commands();
            let whole: String = texts.iter().map(|text| text.text.text.as_str()).collect::<Vec<_>>().join("\n");
            if moves_data(&whole) {
                continue;
            }
            let mounted = mounts(&whole);
            let mut commands = Vec::new();
            for text in &texts {
                command::commands(&text.text, text.file, &Site::Provisioner, &Variables::default(), &mut commands);
            }
            let brought: Vec<Found> = commands
                .iter()
                .flat_map(|command| brought::by_command(command).into_iter().map(|one| (one, command.loc)))
                .filter_map(|(one, loc)| found(one, loc, "this provisioner", &mounted))
                .collect();
            give(all, &[at], &brought, true);
        }
    }
}

/// Containers that a machine starts by itself or by a provisioner, with their data on its own disks.
fn by_containers(estate: &Estate<'_>, all: &mut [Vec<Delivery>]) {
    for (at, to) in &estate.deployed {
        let Some(container) = estate.containers.get(*at).filter(|own| !own.oneshot() && !own.in_tests) else {
            continue;
        };
        let Some(service) = container.service().filter(|service| counts(service)) else { continue };
        for directory in data_mounts(container).filter_map(on_host) {
            let used = Use {
                label: service.label.clone(),
                data: service.data,
                directories: vec![directory],
                loc: container.declaration,
                clause: format!("this container is {}", service.label),
                role: None,
            };
            for machine in &to.machines {
                let Some(own) = all.get_mut(*machine) else { continue };
                own.push(Delivery { used: used.clone(), mounted: to.mounted.iter().cloned().collect(), sure: true });
            }
        }
    }
}

/// Commands that another program sends into a machine: `pct exec 301 -- …`, `ssh root@10.0.0.5 '…'`.
fn by_commands(estate: &Estate<'_>, all: &mut [Vec<Delivery>]) {
    let sent = |invocation: &&Invocation<'_>| {
        let through = &invocation.command.through;
        !invocation.instruction
            && !invocation.command.in_test
            && through
                .iter()
                .any(|one| matches!(&**one, "pct exec" | "lxc exec" | "incus exec" | "qm guest exec" | "ssh"))
    };
    let mut openers: HashMap<_, Vec<&Command>> = HashMap::new();
    for invocation in &estate.invocations {
        if matches!(&*invocation.command.program, "pct" | "lxc" | "incus" | "qm" | "ssh") {
            openers.entry(invocation.command.loc.file).or_default().push(&invocation.command);
        }
    }
    for invocation in estate.invocations.iter().filter(sent) {
        let command = &invocation.command;
        let around = openers.get(&command.loc.file).into_iter().flatten();
        let opener = around.filter(|opener| opener.loc.span.contains(command.loc.span) && opener.loc != command.loc);
        let Some(opener) = opener.min_by_key(|opener| opener.loc.span.end - opener.loc.span.start) else { continue };
        let Some(at) = target(estate, opener) else { continue };
        let brought: Vec<Found> = brought::by_command_within(command)
            .into_iter()
            .filter_map(|one| found(one, command.loc, &format!("`{}` sends a command that", opener.program), &[]))
            .collect();
        give(all, &[at], &brought, true);
    }
}

/// The one machine that a command is sent to.
fn target(estate: &Estate<'_>, opener: &Command) -> Option<usize> {
    let named = opener.operands.iter().filter_map(Value::scalar);
    let words: Vec<String> =
        named.map(|word| word.to_string()).filter(|word| word != "exec" && word != "guest").collect();
    let word = words.first()?;
    let one = |test: &dyn Fn(&Machine<'_>) -> bool| {
        let mut all = estate.machines.iter().enumerate().filter(|(_, machine)| test(machine));
        let (at, _) = all.next()?;
        all.next().is_none().then_some(at)
    };
    match &*opener.program {
        "pct" | "qm" => one(&|machine| machine.ids.iter().any(|id| id.scalar().is_some_and(|id| *id == **word))),
        "lxc" | "incus" => {
            one(&|machine| machine.ty.kind == "lxc" && machine.names.iter().any(|name| name.as_str() == Some(word)))
        }
        _ => {
            let host = word.rsplit('@').next().unwrap_or(word);
            one(&|machine| {
                machine.addresses.iter().any(|address| alias::same_address(address, host))
                    || machine.names.iter().any(|name| name.as_str() == Some(host))
            })
        }
    }
}

/// What the image brings that a machine starts from.
fn by_images(estate: &Estate<'_>, uses: &[(usize, Vec<Use>)], all: &mut [Vec<Delivery>]) {
    let mut known: HashMap<(usize, usize), Vec<Delivery>> = HashMap::new();
    for start in started::starts(estate) {
        let key = (start.template, start.source);
        known.entry(key).or_insert_with(|| of_image(estate, uses, start.template, start.source));
        let Some(own) = all.get_mut(start.machine) else { continue };
        own.extend(known.get(&key).into_iter().flatten().map(|one| Delivery {
            used: one.used.clone(),
            mounted: one.mounted.clone(),
            sure: false,
        }));
    }
}

/// The application that an instance's image is.
fn by_sealed(estate: &Estate<'_>, all: &mut [Vec<Delivery>]) {
    for one in sealed::sealed(estate).into_iter().filter(|one| counts(one.service)) {
        let used = Use {
            label: one.service.label.clone(),
            data: one.service.data,
            directories: vec![one.directory],
            loc: one.loc,
            clause: format!("this image is {}", one.service.label),
            role: None,
        };
        let Some(own) = all.get_mut(one.machine) else { continue };
        own.push(Delivery { used, mounted: Vec::new(), sure: true });
    }
}

fn of_image(estate: &Estate<'_>, uses: &[(usize, Vec<Use>)], template: usize, source: usize) -> Vec<Delivery> {
    let Some(template) = estate.packer.templates.get(template) else { return Vec::new() };
    let Some(source) = template.sources.get(source) else { return Vec::new() };
    let mut brought: Vec<Found> = Vec::new();
    let mut found_uses: Vec<Delivery> = Vec::new();
    let builds = template.builds.iter().filter(|build| build.sources.contains(&source.address));
    for step in builds.flat_map(|build| &build.provisioners) {
        let mut commands = Vec::new();
        for inline in &step.inline {
            command::commands(&inline.text, inline.file, &Site::Provisioner, &Variables::default(), &mut commands);
        }
        for command in &commands {
            let all = brought::by_command(command).into_iter();
            brought.extend(all.filter_map(|one| found(one, command.loc, "the image's build", &[])));
        }
        let scripts: BTreeSet<_> = step.scripts.iter().filter_map(|script| script.file).collect();
        for invocation in estate.invocations.iter().filter(|one| scripts.contains(&one.command.loc.file)) {
            let all = brought::by_command(&invocation.command).into_iter();
            brought
                .extend(all.filter_map(|one| found(one, invocation.command.loc, "a script of the image's build", &[])));
        }
        let playbooks = step.playbooks.iter().filter_map(|playbook| playbook.file).collect();
        let playbooks = estate.ansible.and_imported(&playbooks);
        let own = uses.iter().filter(|(play, _)| {
            let play = &estate.ansible.plays[*play];
            playbooks.contains(&play.file) && step.plays_on(&play.pattern)
        });
        for one in own.flat_map(|(_, uses)| uses) {
            let told = Use { clause: format!("{} in the image's build", one.clause), ..one.clone() };
            found_uses.push(Delivery { used: told, mounted: Vec::new(), sure: false });
        }
    }
    let mut one = vec![found_uses];
    give(&mut one, &[0], &brought, false);
    one.pop().unwrap_or_default()
}
