//! What a change makes Terraform destroy: objects with data that were declared before it and are not after, or that an
//! argument makes anew. The declaration takes its guard along, so that only the two revisions together show it.

mod after;
mod held;
mod replaced;
mod successor;

use super::Estate;
use crate::model::annotation::{Remark, Saying};
use crate::source::folder;
use crate::text::Loc;
use crate::value::{Tri, Value};
use after::{After, Gone, Search};
use std::collections::HashMap;
use successor::Exchange;

/// What Terraform held before a change, as plain data.
#[derive(Debug, Default)]
pub struct Held {
    things: Vec<Thing>,
    /// Environment and address without keys of whatever was declared; of a module call what it calls, else nothing.
    declared: HashMap<(String, String), String>,
}

/// An object with data.
#[derive(Debug)]
pub struct Thing {
    /// The folder that it was applied in.
    pub environment: String,
    /// As Terraform prints it: `module.a["x"].aws_db_instance.b[0]`, or a call of a well-known module.
    pub address: String,
    /// The type; of a call the source.
    pub ty: String,
    /// What it is (`relational-db`, `vm`…).
    pub kind: &'static str,
    /// What losing it loses; `none` for a machine.
    pub data: &'static str,
    /// Services and paths whose data goes with a machine.
    pub holds: Vec<String>,
    /// Whether it is sure to have been there.
    pub existed: Tri,
    /// Whether the service or provider refuses to delete it, whatever is declared.
    pub guarded: Tri,
    /// Whether Terraform refused to destroy it as long as it was declared.
    pub prevented: Tri,
    /// What can be said of the store.
    pub traits: Traits,
    /// Where it was declared.
    place: Place,
    /// Whether it is a call, and no resource.
    is_call: bool,
    /// Its arguments as they were written, by which it is known again.
    body: Vec<String>,
    /// What makes it anew when it changes.
    arguments: Vec<Argument>,
}

/// What tells how much the loss of a store weighs.
#[derive(Debug)]
pub struct Traits {
    /// Whether the service refuses to delete it while anything is in it.
    pub refuses_when_full: Tri,
    /// Whether what is deleted can be had back for a while.
    pub recoverable: Tri,
    /// Whether what is on it stays when it is deleted.
    pub outlived: Tri,
    /// Whether it is a copy of another store.
    pub replica: Tri,
    /// Whether its name says that its content can be made again.
    pub temporary: bool,
    /// Whether it is made of an image.
    pub of_image: bool,
    /// Whether it is a table for state locks.
    pub lock_table: Tri,
    /// Whether nothing here calls the module that declares it.
    pub in_library: bool,
    /// Whether a comment gave it up on purpose.
    pub decommission: bool,
}

/// An argument whose change makes an object anew.
#[derive(Debug)]
struct Argument {
    path: &'static str,
    value: Value,
}

/// Where something was declared, told so that the place can be found again.
#[derive(Debug)]
struct Place {
    path: String,
    line: u32,
    /// The blocks behind it in its file, nearest first: kind and labels.
    following: Vec<String>,
    /// The blocks in front of it, nearest first.
    preceding: Vec<String>,
}

/// An object with data that the change makes Terraform destroy.
pub struct Loss<'m> {
    /// What is lost.
    pub thing: &'m Thing,
    /// Whether that is sure.
    pub lost: Tri,
    /// How.
    pub how: How,
    /// How, in words.
    pub because: String,
    /// Where to look, in the revision after.
    pub loc: Loc,
    /// What is still declared of it.
    pub declaration: Option<Loc>,
    /// Whether a comment gives it up on purpose.
    pub decommission: bool,
}

/// How an object is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Its block is gone.
    Removed,
    /// The module that declares it is no longer called.
    CallRemoved,
    /// Its key, or that of its module, is gone from `count` or `for_each`.
    KeyRemoved,
    /// An argument changes that makes it anew.
    Replaced,
}

impl How {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::CallRemoved => "call-removed",
            Self::KeyRemoved => "key-removed",
            Self::Replaced => "replaced",
        }
    }
}

/// What a change makes Terraform destroy; nothing without a revision before.
#[must_use]
pub fn losses<'m>(estate: &'m Estate<'m>) -> Vec<Loss<'m>> {
    let Some(held) = estate.before else { return Vec::new() };
    let after = After::of(estate);
    let mut found: Vec<(Loss<'m>, Option<Gone<'m>>)> = Vec::new();
    for thing in &held.things {
        let (gone, lost) = match after.search(thing) {
            Search::Here(Some(resource)) => {
                found.extend(replaced::loss(thing, &resource).map(|loss| (loss, None)));
                continue;
            }
            Search::Here(None) | Search::Elsewhere => continue,
            Search::Unknown(it, reason) => (it, Tri::Unknown(reason)),
            Search::Gone(it) => (it, thing.existed.clone()),
        };
        found.push((after.loss(thing, &gone, lost), Some(gone)));
    }
    let went: Vec<(&Thing, &Gone<'m>)> =
        found.iter().filter_map(|(loss, gone)| Some((loss.thing, gone.as_ref()?))).collect();
    let mut exchange = Exchange::of(&after, &held.declared, &went);
    for (loss, gone) in &mut found {
        let kept = gone.as_ref().filter(|_| loss.lost.is_true()).and_then(|gone| exchange.kept(loss.thing, gone));
        if let Some(kept) = kept {
            loss.because = format!("{}; {} would keep it", loss.because, kept.how);
            loss.loc = kept.loc;
        }
        loss.decommission = loss.thing.traits.decommission || given_up(estate, loss);
    }
    found.into_iter().map(|(loss, _)| loss).collect()
}

/// Whether a comment gives up what is lost: where it stood, or anywhere by its address (`decommission=docker_volume.pg`).
fn given_up(estate: &Estate<'_>, loss: &Loss<'_>) -> bool {
    let address = &loss.thing.address;
    let named = |remark: &Remark| {
        let Saying::Annotate(pairs) = &remark.saying else { return false };
        pairs.iter().any(|(name, value)| name == "decommission" && (value == address || *value == after::bare(address)))
    };
    estate.annotation(loss.loc, "decommission").is_some_and(str::is_empty) || estate.remarks.iter().any(named)
}

impl<'m> After<'m> {
    fn loss(&self, thing: &'m Thing, gone: &Gone<'m>, lost: Tri) -> Loss<'m> {
        let (loc, mut because) = self.told(thing, gone);
        // What several roots share is told in a folder that says nothing of them.
        let of = folder(self.estate.documents.tree.path(loc.file));
        if !thing.environment.is_empty() && of != thing.environment {
            because = format!("{because}; the root is {}", thing.environment);
        }
        Loss { thing, lost, how: gone.how, because, loc, declaration: gone.left, decommission: false }
    }
}
