//! Machines of Terraform that inventories list without anybody writing them there: by plugins, by files that Terraform writes, by
//! resources for hosts, by what a provisioner hands to a playbook, by scripts that read Terraform's outputs.

mod echoed;
pub(super) mod environment;
mod handed;
mod output;
mod plugin;
mod plugin_filter;
mod provided;
mod script;
mod written;

use super::alias::Because;
use super::invocation::Invocation;
use super::machine::Machine;
use crate::model::ansible::{Ansible, Source};
use crate::model::load::Documents;
use crate::model::terraform::{Instance, Provisioner, Resource, Terraform, awaited};
use crate::text::{FileId, Loc};
use crate::value::{Kind, Piece, Value};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

/// A machine as such an inventory lists it.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The machine, by index.
    pub machine: usize,
    /// Its name there; none where only the platform knows it.
    pub name: Option<String>,
    /// Why it is that host.
    pub because: Because,
    /// Its groups with all their parents, without `all`.
    pub groups: BTreeSet<String>,
    /// The folder of the project whose inventory it is; none: it is anybody's.
    pub project: Option<String>,
    /// The only playbook that is run with it.
    pub playbook: Option<FileId>,
}

/// A machine is listed no more often than this in any real project.
const MAX_LISTINGS: usize = 64;

/// What is listed, and which playbooks are run by what lists it.
#[derive(Default)]
pub struct Listings {
    /// Every listing, by machine.
    pub listed: Vec<Vec<Listing>>,
    /// Playbooks that resources and provisioners run.
    pub run: BTreeSet<FileId>,
    /// Terraform itself, or a command, says which hosts there are, of some machines at least.
    pub told: bool,
}

/// What listings are made from.
pub(super) struct Ground<'e, 'm> {
    documents: &'m Documents<'m>,
    terraform: &'m Terraform<'m>,
    ansible: &'e Ansible<'m>,
    machines: &'e [Machine<'m>],
    /// Root and address → machine.
    by_address: HashMap<(&'e str, &'e str), usize>,
}

/// Everything that is listed.
pub(super) fn listings<'m>(
    documents: &'m Documents<'m>,
    terraform: &'m Terraform<'m>,
    ansible: &Ansible<'m>,
    machines: &[Machine<'m>],
    invocations: &[Invocation<'m>],
) -> Listings {
    let mut found = Listings { listed: vec![Vec::new(); machines.len()], run: BTreeSet::new(), told: false };
    if machines.is_empty() || ansible.plays.is_empty() {
        return found;
    }
    let ground = Ground::new(documents, terraform, ansible, machines);
    plugin::list(&ground, &mut found);
    written::list(&ground, &mut found);
    echoed::list(&ground, &mut found);
    provided::list(&ground, &mut found);
    handed::list(&ground, &mut found);
    output::list(&ground, &mut found);
    script::list(&ground, invocations, &mut found);
    // A command that lists hosts is another word on which there are.
    let mut ways = ansible.invocations().flat_map(|(_, ways)| ways).flat_map(|way| &way.inventories);
    found.told |= ways.any(|source| matches!(source, Source::Hosts(_)))
        || !found.run.is_empty()
        || found.listed.iter().any(|listed| !listed.is_empty())
        || terraform.resources().any(|resource| resource.ty() == "ansible_host");
    found
}

/// A text with a mark for each unknown part, and those parts.
fn marked(value: &Value) -> (String, Vec<Value>) {
    let mut holes = Vec::new();
    let text = marks(value, &mut holes);
    (text, holes)
}

/// The same, its unknown parts behind those of other texts.
fn marks(value: &Value, holes: &mut Vec<Value>) -> String {
    let mut text = String::new();
    match &value.kind {
        Kind::Text(pieces) => {
            for piece in pieces.iter() {
                match piece {
                    Piece::Lit(literal) => text.push_str(literal),
                    Piece::Hole(reason) => {
                        let _ = write!(text, "hole{}hole", holes.len());
                        holes.push(Value::unknown(reason.clone()));
                    }
                }
            }
        }
        Kind::Unknown(reason) => {
            let _ = write!(text, "hole{}hole", holes.len());
            holes.push(Value::unknown(reason.clone()));
        }
        _ => text.push_str(value.as_str().unwrap_or("")),
    }
    text
}

/// Which unknown part a text is, if it is one and nothing else.
fn hole<'h>(text: &str, holes: &'h [Value]) -> Option<&'h Value> {
    let at: usize = text.strip_prefix("hole")?.strip_suffix("hole")?.parse().ok()?;
    holes.get(at)
}

impl Listings {
    fn add(&mut self, listing: Listing) {
        let Some(own) = self.listed.get_mut(listing.machine) else { return };
        let same = |one: &&mut Listing| {
            (&one.name, one.because, &one.project, one.playbook)
                == (&listing.name, listing.because, &listing.project, listing.playbook)
        };
        if let Some(one) = own.iter_mut().find(same) {
            one.groups.extend(listing.groups);
        } else if own.len() < MAX_LISTINGS {
            own.push(listing);
        }
    }
}

impl<'e, 'm> Ground<'e, 'm> {
    pub(super) fn new(
        documents: &'m Documents<'m>,
        terraform: &'m Terraform<'m>,
        ansible: &'e Ansible<'m>,
        machines: &'e [Machine<'m>],
    ) -> Self {
        let address = |(at, machine): (usize, &'e Machine<'m>)| {
            ((&*machine.resource.instance.root, machine.address.as_str()), at)
        };
        let by_address = machines.iter().enumerate().map(address).collect();
        Self { documents, terraform, ansible, machines, by_address }
    }

    /// The machine of a root at an address.
    pub(super) fn at(&self, root: &str, address: &str) -> Option<usize> {
        self.by_address.get(&(root, address)).copied()
    }

    /// The machine of a root that a value names by an attribute which is only known after apply.
    fn awaiting(&self, root: &str, value: &Value) -> Option<usize> {
        let reasons: Vec<&str> = match &value.kind {
            Kind::Unknown(reason) => vec![reason],
            Kind::Text(pieces) => pieces
                .iter()
                .filter_map(|piece| if let Piece::Hole(reason) = piece { Some(&**reason) } else { None })
                .collect(),
            _ => Vec::new(),
        };
        reasons.into_iter().find_map(|reason| self.awaited(root, reason))
    }

    /// The machine of a root whose attribute is awaited; an attribute may be a path of several steps.
    fn awaited(&self, root: &str, reason: &str) -> Option<usize> {
        let (mut address, _) = awaited(reason)?;
        for _ in 0..8 {
            if let Some(at) = self.by_address.get(&(root, address)) {
                return Some(*at);
            }
            address = address.rsplit_once('.')?.0;
        }
        None
    }

    /// The one machine of a root that has this name or address.
    fn known(&self, root: &str, text: &str) -> Option<usize> {
        let bare = text.split('/').next().unwrap_or(text);
        let own = |machine: &&Machine<'m>| {
            &*machine.resource.instance.root == root
                && (machine.addresses.iter().any(|address| super::alias::same_address(address, bare))
                    || machine.names.iter().any(|name| name.as_str() == Some(text)))
        };
        let mut all = self.machines.iter().enumerate().filter(|(_, machine)| own(machine));
        let (at, _) = all.next()?;
        all.next().is_none().then_some(at)
    }

    /// The machine that a value names, by what it is or by what it waits for.
    pub(super) fn named(&self, root: &str, value: &Value) -> Option<usize> {
        self.awaiting(root, value).or_else(|| self.known(root, value.as_str()?))
    }

    /// The machine that a provisioner sets up: that of its own resource, else the one that it logs in to.
    pub(super) fn set_up_by(&self, resource: &Resource<'m, 'm>, provisioner: &Provisioner<'m, 'm>) -> Option<usize> {
        let root = &*resource.instance.root;
        let host = provisioner.host();
        self.at(root, &resource.address())
            .or_else(|| self.named(root, &host))
            .or_else(|| self.alike(resource.instance, &host))
            .or_else(|| self.spelled(resource, provisioner))
    }

    /// The one machine of a module that the address of a connection is written with.
    fn spelled(&self, resource: &Resource<'m, 'm>, provisioner: &Provisioner<'m, 'm>) -> Option<usize> {
        let (file, expr) = provisioner.connection()?.expr("host")?;
        let text = self.documents.tree.slice(Loc { file, span: expr.span });
        let written = |machine: &Machine<'m>| {
            let name = format!("{}.{}", machine.resource.ty(), machine.resource.name());
            let ends =
                |at: usize| !text[at + name.len()..].starts_with(|c: char| c.is_alphanumeric() || "_-".contains(c));
            text.match_indices(name.as_str()).any(|(at, _)| ends(at))
        };
        let own =
            |machine: &&Machine<'m>| Arc::ptr_eq(machine.resource.instance, resource.instance) && written(machine);
        let mut all = self.machines.iter().enumerate().filter(|(_, machine)| own(machine));
        let (at, _) = all.next()?;
        all.next().is_none().then_some(at)
    }

    /// The one machine of a module whose address is unknown for the reason for which a value is: both are what the caller gives.
    fn alike(&self, instance: &Arc<Instance<'m>>, value: &Value) -> Option<usize> {
        let Kind::Unknown(reason) = &value.kind else { return None };
        if !self.is_text(instance, reason) {
            return None;
        }
        let begins = |address: &Value| match &address.kind {
            Kind::Unknown(own) => own == reason,
            Kind::Text(pieces) => matches!(pieces.first(), Some(Piece::Hole(own)) if own == reason),
            _ => false,
        };
        let own = |machine: &&Machine<'m>| {
            Arc::ptr_eq(machine.resource.instance, instance) && machine.written_addresses().iter().any(begins)
        };
        let mut all = self.machines.iter().enumerate().filter(|(_, machine)| own(machine));
        let (at, _) = all.next()?;
        all.next().is_none().then_some(at)
    }

    /// Whether a reason speaks of a variable that is one text: two parts of a larger one need not be the same.
    fn is_text(&self, instance: &Arc<Instance<'m>>, reason: &str) -> bool {
        let rest = reason.strip_prefix("var.").or_else(|| reason.strip_prefix("variable `"));
        let Some(name) = rest.and_then(|rest| rest.split([' ', '`']).next()) else { return false };
        let mut next = Some(instance.clone());
        while let Some(at) = next {
            if let Some(variable) = at.module.variable(name).and_then(|variable| at.module.variables.get(variable)) {
                return variable.attribute("type").is_none_or(|(file, ty)| {
                    self.documents.tree.slice(Loc { file, span: ty.value.span }).trim() == "string"
                });
            }
            next = at.caller().map(|(caller, _)| caller);
        }
        false
    }

    /// A file that a root names, by its path from the folder of the module or of the root.
    pub(super) fn path_of(instance: &Instance<'m>, path: &str) -> Option<String> {
        let path = path.trim_start_matches("./");
        crate::source::join(&instance.root, path)
    }
}
