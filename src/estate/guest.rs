//! What tasks change of a guest that Terraform declares: its name and its addresses.

use super::Estate;
use super::machine::Machine;
use super::placement::Reach;
use crate::model::ansible::{ArgumentValue, Task, View};
use crate::text::{FileId, Loc};
use crate::value::{Tri, Value};
use std::collections::HashSet;

/// A task that sets the name or the addresses of a guest.
pub struct GuestChange {
    /// The task, by index.
    pub task: usize,
    /// The machine, by index.
    pub machine: usize,
    /// It sets the name; else addresses.
    pub name: bool,
    /// What it sets, as far as known.
    pub value: Value,
    /// What Terraform declares.
    pub declared: String,
    /// Whether it sets something else than Terraform declares.
    pub differs: Tri,
    /// Whether it takes the value from what the running system says.
    pub from_facts: bool,
    /// Whether Terraform's name is that of the system inside, and not only a label.
    pub inside: bool,
}

/// Every change of a guest's name or addresses, once for each task and declaration of a machine.
#[must_use]
pub fn changes(estate: &Estate<'_>) -> Vec<GuestChange> {
    let mut found = Vec::new();
    let mut seen: HashSet<(usize, Loc)> = HashSet::new();
    for (at, task) in estate.ansible.tasks.iter().enumerate() {
        let Some(writes) = Writes::of(estate, at, task) else { continue };
        for reach in estate.joined.reaches.iter().filter(|reach| !reach.vague && task.plays.contains(&reach.play)) {
            let machine = &estate.machines[reach.machine];
            if seen.contains(&(at, machine.resource.loc())) {
                continue;
            }
            if let Some(change) = change(estate, (at, task), reach, machine, &writes) {
                seen.insert((at, machine.resource.loc()));
                found.push(change);
            }
        }
    }
    found
}

/// What a task writes.
enum Writes {
    /// The name, by this argument of its module.
    Name(&'static str),
    /// The name, by a command that gives it so.
    NameText(String),
    /// Addresses, by these arguments of its module.
    Addresses(&'static [&'static str]),
    /// Addresses, by a file with this text.
    File(String),
}

/// Folders and files that say which addresses a system has.
const NETWORK: [&str; 5] = [
    "/etc/netplan/",
    "/etc/network/interfaces",
    "/etc/systemd/network/",
    "/etc/sysconfig/network-scripts/ifcfg-",
    "/etc/NetworkManager/system-connections/",
];
/// Keys of such files that hold an address.
const KEYS: [&str; 6] = ["addresses:", "address ", "Address=", "IPADDR", "address1=", "macaddress:"];

impl Writes {
    fn of<'a>(estate: &Estate<'a>, at: usize, task: &Task<'a>) -> Option<Self> {
        match task.short() {
            "hostname" => Some(Self::Name("name")),
            "nmcli" => {
                let gone = estate.ansible.argument(task, "state").as_str() == Some("absent");
                (!gone).then_some(Self::Addresses(&["ip4", "ip6"]))
            }
            "copy" | "template" | "lineinfile" | "blockinfile" | "replace" => Self::of_file(estate, task),
            _ => estate.invocations_of(at).find_map(|command| {
                let words: Vec<String> = command
                    .sub
                    .iter()
                    .map(ToString::to_string)
                    .chain(command.operands.iter().map(Value::display))
                    .collect();
                match (&*command.program, words.as_slice()) {
                    ("hostnamectl", [verb, name, ..]) if matches!(verb.as_str(), "set-hostname" | "hostname") => {
                        Some(Self::NameText(name.clone()))
                    }
                    ("hostname", [name]) => Some(Self::NameText(name.clone())),
                    _ => None,
                }
            }),
        }
    }

    fn of_file<'a>(estate: &Estate<'a>, task: &Task<'a>) -> Option<Self> {
        let ansible = estate.ansible;
        let path = ["dest", "path"].iter().map(|name| ansible.argument(task, name)).find(|value| !value.is_absent())?;
        let whole = || {
            let own = ["content", "line", "block", "replace"];
            let text = own.iter().find_map(|name| {
                let value = &task.argument(name)?.value;
                let written = || estate.documents.tree.slice(Loc { file: task.file, span: value.span() });
                let text = match value {
                    ArgumentValue::Node(node) => node.as_str(),
                    ArgumentValue::Text(text, _) => Some(&**text),
                };
                Some(text.unwrap_or_else(written).to_owned())
            });
            text.or_else(|| {
                let source = ansible.argument(task, "src").scalar()?;
                let file: FileId = ansible.written_from(task, &source)?;
                Some(estate.documents.tree.text(file).to_owned())
            })
        };
        if path.as_str() == Some("/etc/hostname") {
            let text = whole()?;
            return Some(Self::NameText(text.trim().trim_matches(['"', '\'']).to_owned()));
        }
        if !NETWORK.iter().any(|place| path.starts_with(place).is_true()) {
            return None;
        }
        whole().filter(|text| KEYS.iter().any(|key| text.contains(key))).map(Self::File)
    }
}

/// Names of facts that tell what a system is called or where it is.
const FACTS: [&str; 8] = [
    "ansible_facts",
    "ansible_default_ipv4",
    "ansible_default_ipv6",
    "ansible_all_ipv4_addresses",
    "ansible_hostname",
    "ansible_fqdn",
    "ansible_nodename",
    "ansible_product_serial",
];

fn change<'a>(
    estate: &Estate<'a>,
    (at, task): (usize, &Task<'a>),
    reach: &Reach,
    machine: &Machine<'_>,
    writes: &Writes,
) -> Option<GuestChange> {
    let view = look(estate, task, reach);
    if view.as_ref().is_some_and(|view| view.runs().is_false()) {
        return None;
    }
    let ask = |name: &str| match &view {
        Some(view) => view.turns().list.first().map_or_else(Value::absent, |turn| turn.argument(name)),
        None => estate.ansible.argument(task, name),
    };
    let written = |name: &str| {
        task.argument(name).map(|own| estate.documents.tree.slice(Loc { file: task.file, span: own.value.span() }))
    };
    let row = |name: bool, text: &str, value: Value, (declared, differs): (String, Tri)| GuestChange {
        task: at,
        machine: reach.machine,
        name,
        // A condition may ask what the system says; and an inventory may set what is called like a fact.
        from_facts: value.scalar().is_none() && FACTS.iter().any(|fact| text.contains(fact)),
        value,
        declared,
        differs,
        inside: is_name_inside(machine),
    };
    match writes {
        Writes::Name(argument) => {
            let value = ask(argument);
            let named = named(machine, &value)?;
            Some(row(true, written(argument).unwrap_or_default(), value, named))
        }
        Writes::NameText(text) => {
            let value = estate.ansible.evaluate_text(task, text);
            let named = named(machine, &value)?;
            Some(row(true, text, value, named))
        }
        Writes::Addresses(arguments) => {
            let (name, value) = arguments.iter().map(|name| (name, ask(name))).find(|(_, value)| !value.is_absent())?;
            // Which interface it is stands beside the address.
            let interfaces = ["ifname", "conn_name"].map(|name| ask(name).scalar().unwrap_or_default());
            let text = format!("{} {}", value.display(), interfaces.join(" "));
            let addressed = addressed(machine, &text, value.reason().is_some())?;
            Some(row(false, written(name).unwrap_or_default(), value, addressed))
        }
        Writes::File(text) => {
            let addressed = addressed(machine, text, text.contains("{{"))?;
            Some(row(false, text, Value::absent(), addressed))
        }
    }
}

/// The task as the machine meets it.
fn look<'s, 'a>(estate: &'s Estate<'a>, task: &'s Task<'a>, reach: &Reach) -> Option<View<'s, 'a>> {
    reach.names.iter().find_map(|(name, _)| {
        estate.ansible.views(task, Some(name)).into_iter().find(|view| view.play() == Some(reach.play))
    })
}

/// What Terraform calls the machine, and whether a value is another name.
fn named(machine: &Machine<'_>, value: &Value) -> Option<(String, Tri)> {
    let known: Vec<String> = machine.names.iter().filter_map(Value::scalar).map(|name| name.to_string()).collect();
    let declared = known.first()?.clone();
    let short = |name: &str| name.split('.').next().unwrap_or(name).to_lowercase();
    let differs = match (value.scalar(), value.reason()) {
        // The file of the name ends with a line break.
        (Some(name), _) => (!known.iter().any(|own| short(own) == short(name.trim()))).into(),
        (None, Some(reason)) => Tri::Unknown(reason),
        (None, None) => return None,
    };
    Some((declared, differs))
}

/// The addresses that Terraform declares, and whether a text sets others; nothing when the text is about another interface.
fn addressed(machine: &Machine<'_>, text: &str, open: bool) -> Option<(String, Tri)> {
    let known: Vec<String> = machine.addresses.iter().filter_map(Value::scalar).map(|one| one.to_string()).collect();
    let declared = known.first()?.clone();
    let words = |text: &str, word: &str| {
        text.split(|c: char| !(c.is_alphanumeric() || "._:-".contains(c))).any(|own| own.trim_end_matches(':') == word)
    };
    if known.iter().any(|address| words(text, address)) {
        return Some((declared, Tri::False));
    }
    // The interface that Terraform gives the address to is named in the text.
    let interfaces = machine.resource.blocks("network");
    let same = interfaces.iter().any(|block| block.arg("name").scalar().is_some_and(|name| words(text, &name)));
    match (same, open) {
        (true, false) => Some((declared, Tri::True)),
        (true, true) => Some((declared, Tri::Unknown("the address is only known on the host".into()))),
        _ => None,
    }
}

/// Whether the name in Terraform becomes the name of the system: a label of a cloud does not.
fn is_name_inside(machine: &Machine<'_>) -> bool {
    machine.ty.kind == "lxc"
        || machine.ty.names.iter().any(|name| name.contains("hostname") || name.contains("computer_name"))
        || ["hcloud_", "digitalocean_", "openstack_", "google_", "proxmox_"]
            .iter()
            .any(|provider| machine.resource.ty().starts_with(provider))
}
