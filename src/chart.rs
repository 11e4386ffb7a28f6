//! The ownership map as plain data: which tool owns which machine, container and store, what data they hold, and what becomes of it.

use crate::diag::Confidence;
use crate::text::Loc;

/// Everything that the repository's tools declare, joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chart {
    /// Machines first, then containers and stores, each in the order of their environments and names.
    pub objects: Vec<Object>,
    /// What hangs on what.
    pub links: Vec<Link>,
    /// What is written for whom: each play with its tasks, and the hosts on which they run.
    pub plays: Vec<Reached>,
}

/// Places, and the objects to which they reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Whole plays' heads and tasks: what stands in one of them concerns each of the objects.
    pub places: Vec<Loc>,
    /// The objects, by index.
    pub objects: Vec<usize>,
}

/// Something that tools own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Unique in a map, and the same as long as the object is declared at the same place of the same file or module.
    pub id: String,
    /// The name by which people know it.
    pub name: String,
    /// What it is.
    pub sort: Sort,
    /// The kind of machine (`lxc`, `vm`…), the image, or the resource type.
    pub kind: String,
    /// The folder of the root module, inventory or file that declares it.
    pub environment: String,
    /// Its address as its tool prints it, if it has one: findings name it.
    pub address: Option<String>,
    /// Where it is declared.
    pub loc: Loc,
    /// Where else its declaration speaks of it, and where its identity is written again: what is found there concerns it too.
    pub places: Vec<Loc>,
    /// Network addresses.
    pub addresses: Vec<String>,
    /// Inventory groups, without `all` and `ungrouped`.
    pub groups: Vec<String>,
    /// Who makes, configures, changes and destroys it.
    pub owners: Vec<Owner>,
    /// What other tools write down of its identity too.
    pub identity: Vec<Statement>,
    /// Its disks and mounts, root first.
    pub storage: Vec<Storage>,
    /// The data that it holds.
    pub data: Vec<Datum>,
    /// Whether Terraform or the provider refuses to destroy it; `None` where that is not known.
    pub guarded: Option<bool>,
    /// Whether its data would survive it.
    pub verdict: Verdict,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A machine that a tool here makes, or a host that an inventory lists.
    Host,
    /// A container of an engine (Docker, Podman, Swarm).
    Container,
    /// A service, disk or bucket of a provider that holds data.
    Store,
    /// An image that Packer builds.
    Image,
}

impl Sort {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Container => "container",
            Self::Store => "store",
            Self::Image => "image",
        }
    }
}

/// A tool that has a hand in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// `terraform`, `ansible`, `packer`, `compose`, `script`…
    pub tool: &'static str,
    /// What it does to the object.
    pub does: Deed,
    /// The address, play, template or command.
    pub what: String,
    /// The roles that a play applies.
    pub roles: Vec<String>,
    /// Why it is taken to mean this object.
    pub because: String,
    /// How sure that is.
    pub confidence: Confidence,
    /// Nothing in the repository runs the playbook, while another play applies the same role.
    pub dormant: bool,
    /// Whether something in the repository runs it: a command, an import, an apply.
    pub run: bool,
    /// Where it says so.
    pub loc: Loc,
}

/// What a tool does to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// Creates it, and destroys it when the declaration goes.
    Makes,
    /// Configures what runs on it.
    Configures,
    /// Sets attributes of the object itself.
    Adjusts,
    /// Destroys it.
    Destroys,
}

impl Deed {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Makes => "makes",
            Self::Configures => "configures",
            Self::Adjusts => "adjusts",
            Self::Destroys => "destroys",
        }
    }
}

/// An attribute of identity that a second tool writes down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `name`, `address`, `vmid` or `mac`.
    pub attribute: &'static str,
    /// As it is written there.
    pub value: String,
    /// The name of the variable.
    pub variable: String,
    /// Whether Terraform says the same.
    pub agrees: bool,
    /// Where it is written.
    pub loc: Loc,
}

/// A disk or mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The path in the guest; `None` when nothing says where it is mounted.
    pub path: Option<String>,
    /// `root`, `owned-volume`, `anonymous`, `memory`, `bind`, `managed`, `remote`.
    pub kind: &'static str,
    /// `destroyed`, `survives`, `depends`.
    pub fate: &'static str,
    /// Where it is declared.
    pub loc: Loc,
}

/// Data of one service in one directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datum {
    /// The service's proper name.
    pub service: String,
    /// `authoritative`, `secret`, `queue`, `state`, `copy`, `cache`, `none`.
    pub class: &'static str,
    /// The directory; `None` where the whole object is the data.
    pub path: Option<String>,
    /// The kind of storage that it lies on; `None` when that is not known.
    pub storage: Option<&'static str>,
    /// `destroyed`, `survives`, `depends`.
    pub fate: &'static str,
    /// The sentence that says what becomes of it.
    pub because: String,
    /// Only a play that nothing runs brings it.
    pub dormant: bool,
    /// What shows it, each with a clause.
    pub evidence: Vec<(Loc, String)>,
}

/// Whether an object's data would survive it; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is destroyed with the object.
    Lost,
    /// It is a store by itself, and nothing stops a plan from deleting it.
    Exposed,
    /// Nobody here says.
    Unknown,
    /// It would be destroyed with the object, but deletion is refused.
    Guarded,
    /// It lies where the object's end does not reach.
    Kept,
    /// There is none that is known.
    NoData,
}

impl Verdict {
    /// All, the worst first.
    pub const ALL: [Self; 6] = [Self::Lost, Self::Exposed, Self::Unknown, Self::Guarded, Self::Kept, Self::NoData];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Exposed => "exposed",
            Self::Unknown => "unknown",
            Self::Guarded => "guarded",
            Self::Kept => "kept",
            Self::NoData => "no-data",
        }
    }

    /// What it means, for a legend.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Lost => "its data is destroyed with it",
            Self::Exposed => "it holds data, and nothing stops a plan from deleting it",
            Self::Unknown => "it holds data, and nothing here says what becomes of it",
            Self::Guarded => "its data would be destroyed with it, but deletion is refused",
            Self::Kept => "its data survives it",
            Self::NoData => "no data is known here",
        }
    }
}

/// A relation of two objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The id of the object that depends.
    pub from: String,
    /// The id of the object that it depends on.
    pub to: String,
    /// `runs-on`, `made-from`, `attached-to`.
    pub kind: &'static str,
}
