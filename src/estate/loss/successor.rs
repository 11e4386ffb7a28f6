//! What stands in the place of what went: the same object under another name, or a data source that reads it.

use super::after::{After, Gone, bare, bare_end, join, named};
use super::held::{body_of, called};
use super::{How, Thing};
use crate::model::terraform::{Declared, Mode};
use crate::text::Loc;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What would keep what went.
#[derive(Clone)]
pub(super) struct Kept {
    /// A `moved` or `removed` block.
    pub(super) how: String,
    /// What is there instead.
    pub(super) loc: Loc,
}

/// What is declared, by environment and address without keys; of a call what it calls.
type Declarations = HashMap<(String, String), String>;
/// An environment, and a type of resource or what a module call calls.
type Like<'m> = (&'m str, String);

/// What went and what came with a change, by what may be the same.
pub(super) struct Exchange<'e, 'm> {
    after: &'e After<'m>,
    /// What was declared before.
    declared: &'m Declarations,
    /// Addresses without keys.
    went: HashMap<Like<'m>, HashSet<String>>,
    came: HashMap<Like<'m>, BTreeMap<String, &'m Declared<'m>>>,
    /// The answers by environment and address without keys: the instances of a declaration have one successor.
    known: HashMap<(&'m str, String), Option<Kept>>,
}

impl<'e, 'm> Exchange<'e, 'm> {
    pub(super) fn of(after: &'e After<'m>, declared: &'m Declarations, went: &[(&'m Thing, &Gone<'m>)]) -> Self {
        let mut exchange = Self { after, declared, went: HashMap::new(), came: HashMap::new(), known: HashMap::new() };
        if went.is_empty() {
            return exchange;
        }
        for (thing, gone) in went {
            let address = bare(&from(thing, gone));
            for like in exchange.source(thing, gone).into_iter().chain([thing.ty.clone()]) {
                exchange.went.entry((&thing.environment, like)).or_default().insert(address.clone());
            }
        }
        exchange.came = came(after, declared);
        exchange
    }

    /// What a call that went called.
    fn source(&self, thing: &Thing, gone: &Gone<'m>) -> Option<String> {
        let place = || (thing.environment.clone(), bare(&from(thing, gone)));
        (gone.how == How::CallRemoved).then(|| self.declared.get(&place()).cloned())?
    }

    /// What would keep a thing.
    pub(super) fn kept(&mut self, thing: &'m Thing, gone: &Gone<'m>) -> Option<Kept> {
        let key = (thing.environment.as_str(), bare(&thing.address));
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let kept = self.successor(thing, gone).or_else(|| read_instead(thing, gone));
        self.known.insert(key, kept.clone());
        kept
    }

    /// The only new resource of a type that looks like the only one of it that went; the only new call of a module, where one
    /// call of it went.
    fn successor(&self, thing: &'m Thing, gone: &Gone<'m>) -> Option<Kept> {
        let like = match gone.how {
            How::Removed => thing.ty.clone(),
            How::CallRemoved => self.source(thing, gone)?,
            How::KeyRemoved | How::Replaced => return None,
        };
        let place = (thing.environment.as_str(), like);
        self.went.get(&place).filter(|went| went.len() == 1)?;
        let fits = |declared: &Declared<'m>| gone.how == How::CallRemoved || is_like(self.after, thing, declared);
        let mut came = self.came.get(&place)?.iter().filter(|(_, declared)| fits(declared));
        let (to, declared) = came.next()?;
        let how = format!("`moved {{ from = {}, to = {to} }}`", from(thing, gone));
        came.next().is_none().then(|| Kept { how, loc: declared.loc() })
    }
}

/// What was not declared before, and is not the goal of a move.
fn came<'m>(after: &After<'m>, declared: &Declarations) -> HashMap<Like<'m>, BTreeMap<String, &'m Declared<'m>>> {
    let mut came: HashMap<Like<'m>, BTreeMap<String, &'m Declared<'m>>> = HashMap::new();
    let targets: HashSet<(&str, String)> =
        after.moved.iter().flat_map(|(of, moves)| moves.iter().map(|(_, to)| (*of, bare(to)))).collect();
    for instance in after.instances.values() {
        let environment = instance.environment();
        let resources = instance.module.resources.iter().filter(|decl| decl.mode == Mode::Managed);
        let resources = resources.map(|decl| (decl.ty, format!("{}.{}", decl.ty, decl.name), &decl.decl));
        let calls = instance.module.calls.iter();
        let calls = calls.map(|call| (called(call), format!("module.{}", call.name), &call.decl));
        for (like, name, declaration) in resources.chain(calls) {
            let address = join(&instance.address, &name);
            let place = (environment.to_owned(), bare(&address));
            if !declared.contains_key(&place) && !targets.contains(&(environment, place.1)) {
                came.entry((environment, like.to_owned())).or_default().insert(address, declaration);
            }
        }
    }
    came
}

/// What went, as a `moved` block calls it.
fn from(thing: &Thing, gone: &Gone<'_>) -> String {
    match gone.how {
        How::CallRemoved => bare_end(&join(&gone.within.address, &gone.step)),
        _ => bare_end(&thing.address),
    }
}

/// Whether half of the arguments that one has and the other has too are the same.
fn is_like(after: &After<'_>, thing: &Thing, declared: &Declared<'_>) -> bool {
    let body = body_of(after.estate, declared);
    let same = body.iter().filter(|argument| thing.body.contains(argument)).count();
    2 * same >= body.len().max(thing.body.len())
}

/// What a data source reads now: that does not keep Terraform from destroying it.
fn read_instead(thing: &Thing, gone: &Gone<'_>) -> Option<Kept> {
    let name = named(&gone.step).0.split_once('.').filter(|_| gone.how == How::Removed)?.1;
    let data = gone.within.module.resource(Mode::Data, &thing.ty, name)?;
    let loc = gone.within.module.resources.get(data)?.decl.loc();
    let from = bare(&thing.address);
    let how =
        format!("a data source reads it now, and only `removed {{ from = {from} lifecycle {{ destroy = false }} }}`");
    Some(Kept { how, loc })
}
