//! Looking for what was held before in the revision after.

use super::held::Blocks;
use super::{How, Place, Thing};
use crate::estate::Estate;
use crate::model::load::Outcome;
use crate::model::terraform::{Instance, Key, Mode, Module, Resource};
use crate::source::{file_name, folder};
use crate::text::{FileId, Loc, Span};
use crate::value::Reason;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// So often an address is moved on.
const MAX_MOVES: usize = 16;
/// Below a root with so many module instances not all are looked at.
const CROWDED: usize = 1000;

/// Stands for all keys that are not known: where the declaration is still there, so are some of them.
const UNKNOWN_KEY: &str = "[\"…\"]";

/// The revision after, made ready to be asked.
pub(super) struct After<'m> {
    pub(super) estate: &'m Estate<'m>,
    /// By environment and address.
    pub(super) instances: HashMap<(&'m str, &'m str), &'m Arc<Instance<'m>>>,
    /// How many module instances there are, by environment.
    counts: HashMap<&'m str, usize>,
    /// `moved` blocks by environment: from and to, as full addresses.
    pub(super) moved: BTreeMap<&'m str, Vec<(String, String)>>,
    /// What `removed` blocks drop, by environment: full addresses without keys.
    removed: BTreeMap<&'m str, HashSet<String>>,
    blocks: Blocks,
}

/// What became of a thing.
pub(super) enum Search<'m> {
    /// It is there (a call of another's module: by its name alone).
    Here(Option<Resource<'m, 'm>>),
    /// Another finding, or another tool, speaks of it: its root is gone, or a `removed` block names it.
    Elsewhere,
    /// It is gone.
    Gone(Gone<'m>),
    /// It cannot be told whether it is there.
    Unknown(Gone<'m>, Reason),
}

/// What of its address is gone.
pub(super) struct Gone<'m> {
    /// How.
    pub(super) how: How,
    /// The module instance that lacks it.
    pub(super) within: &'m Arc<Instance<'m>>,
    /// What it lacks: `module.db["x"]`, `aws_db_instance.main[1]`.
    pub(super) step: String,
    /// What is still there of it: the declaration that lost a key.
    pub(super) left: Option<Loc>,
}

impl<'m> After<'m> {
    pub(super) fn of(estate: &'m Estate<'m>) -> Self {
        let terraform = estate.terraform;
        let mut after = Self {
            estate,
            instances: HashMap::new(),
            counts: HashMap::new(),
            moved: BTreeMap::new(),
            removed: BTreeMap::new(),
            blocks: Blocks::default(),
        };
        for instance in &terraform.instances {
            let environment = instance.environment();
            after.instances.entry((environment, &instance.address)).or_insert(instance);
            *after.counts.entry(environment).or_default() += 1;
            let full = |address: &str| join(&instance.address, address);
            for (file, block) in instance.module.others_of("moved") {
                let view = terraform.block(instance, file, block);
                if let (Some(from), Some(to)) = (view.arg("from").as_str(), view.arg("to").as_str()) {
                    after.moved.entry(environment).or_default().push((full(from), full(to)));
                }
            }
            for (file, block) in instance.module.others_of("removed") {
                if let Some(from) = terraform.block(instance, file, block).arg("from").as_str() {
                    after.removed.entry(environment).or_default().insert(bare(&full(from)));
                }
            }
        }
        after
    }

    /// Where a thing is now.
    pub(super) fn search(&self, thing: &Thing) -> Search<'m> {
        let environment = thing.environment.as_str();
        // Without its root nothing is planned any more, and so nothing destroyed.
        let Some(top) = self.instances.get(&(environment, "")) else { return Search::Elsewhere };
        let dropped = self.removed.get(environment);
        if dropped.is_some_and(|dropped| prefixes(&bare(&thing.address)).any(|prefix| dropped.contains(prefix))) {
            return Search::Elsewhere;
        }
        let address = self.moved_on(environment, &thing.address);
        let mut within: &'m Arc<Instance<'m>> = top;
        let mut steps = steps(&address).into_iter().peekable();
        while let Some(step) = steps.next() {
            let last = steps.peek().is_none();
            if !step.starts_with("module.") {
                return self.resource(within, &step);
            }
            if last && thing.is_call {
                return self.call(within, &step, &thing.ty);
            }
            match self.child(within, &step) {
                Ok(child) => within = child,
                Err(search) => return search,
            }
        }
        Search::Elsewhere
    }

    /// An address with the `moved` blocks followed.
    fn moved_on(&self, environment: &str, address: &str) -> String {
        let mut address = address.to_owned();
        let moves = self.moved.get(environment).map_or(&[][..], Vec::as_slice);
        let mut used = vec![false; moves.len()];
        for _ in 0..MAX_MOVES {
            let step = moves.iter().enumerate().find_map(|(at, (from, to))| {
                let rest = address.strip_prefix(from.as_str()).filter(|_| !used[at])?;
                // Without keys it speaks of all instances, with one of a single one.
                let whole = !from.ends_with(']') && !to.ends_with(']');
                let applies = rest.is_empty() || rest.starts_with('.') || whole && rest.starts_with('[');
                applies.then(|| (at, format!("{to}{rest}")))
            });
            let Some((at, next)) = step else { break };
            used[at] = true;
            address = next;
        }
        address
    }

    fn gone(within: &'m Arc<Instance<'m>>, how: How, step: &str, left: Option<Loc>) -> Gone<'m> {
        Gone { how, within, step: step.to_owned(), left }
    }

    fn child(&self, within: &'m Arc<Instance<'m>>, step: &str) -> Result<&'m Arc<Instance<'m>>, Search<'m>> {
        let environment = within.environment();
        let (name, key) = named(step);
        let at = |key: &str| {
            let address = join(&within.address, &format!("{name}{key}"));
            self.instances.get(&(environment, address.as_str())).copied()
        };
        // Terraform takes one that is repeated for the one that was not, and the other way round.
        if let Some(child) = at(key).or_else(|| alias(key).and_then(at)) {
            return Ok(child);
        }
        let Some(call) = within.module.calls.iter().find(|call| name.strip_prefix("module.") == Some(call.name)) else {
            return Err(self.gone_for_sure(within, How::CallRemoved, step));
        };
        if key == UNKNOWN_KEY {
            return Err(Search::Elsewhere);
        }
        let left = Some(call.decl.loc());
        let unknown = |reason: &str| Search::Unknown(Self::gone(within, How::KeyRemoved, step, left), reason.into());
        let view = self.estate.terraform.calls_of(within).find(|view| std::ptr::eq(view.call, call));
        if view.and_then(|view| view.target()).is_none() {
            return Err(unknown("the files of the module that is called now are not at hand"));
        }
        if at(UNKNOWN_KEY).is_some() {
            return Err(unknown("which keys its module is called with is not known"));
        }
        if self.counts.get(environment).is_some_and(|count| *count >= CROWDED) {
            return Err(unknown("there are too many module instances to look at all of them"));
        }
        Err(Search::Gone(Self::gone(within, How::KeyRemoved, step, left)))
    }

    fn call(&self, within: &'m Arc<Instance<'m>>, step: &str, source: &str) -> Search<'m> {
        let (name, _) = named(step);
        match within.module.calls.iter().find(|call| name.strip_prefix("module.") == Some(call.name)) {
            None => self.gone_for_sure(within, How::CallRemoved, step),
            // What another source, or another version of it, makes is not known.
            Some(call) if call.source == Some(source) => Search::Here(None),
            Some(_) => Search::Elsewhere,
        }
    }

    fn resource(&self, within: &'m Arc<Instance<'m>>, step: &str) -> Search<'m> {
        let (name, key) = named(step);
        let Some((ty, label)) = name.split_once('.') else { return Search::Elsewhere };
        let decl = within.module.resource(Mode::Managed, ty, label).and_then(|at| within.module.resources.get(at));
        let Some(decl) = decl else { return self.gone_for_sure(within, How::Removed, step) };
        let slots = self.estate.terraform.resource(within, Mode::Managed, ty, label);
        let has = |key: &str| slots.iter().position(|slot| slot.key().suffix() == key);
        if let Some(at) = has(key).or_else(|| alias(key).and_then(has)) {
            return Search::Here(slots.into_iter().nth(at));
        }
        if key == UNKNOWN_KEY {
            return Search::Elsewhere;
        }
        let open = |slot: &Resource<'_, '_>| matches!(slot.key(), Key::Unknown(_));
        let gone = Self::gone(within, How::KeyRemoved, step, Some(decl.decl.loc()));
        match slots.iter().find(|slot| open(slot)).map(Resource::key) {
            Some(Key::Unknown(reason)) => Search::Unknown(gone, reason),
            _ => Search::Gone(gone),
        }
    }

    /// What a module lacks is gone when all of its files could be read.
    fn gone_for_sure(&self, within: &'m Arc<Instance<'m>>, how: How, step: &str) -> Search<'m> {
        let gone = Self::gone(within, how, step, None);
        let documents = self.estate.documents;
        let unread = documents.tree.below(&within.module.folder).find(|(id, file)| {
            folder(&file.path) == within.module.folder
                && [".tf", ".tofu", ".tf.json", ".tofu.json"].iter().any(|end| file.path.ends_with(end))
                && matches!(documents.outcomes.get(id.0 as usize), Some(Outcome::Unreadable(_)))
        });
        match unread {
            Some((_, file)) => Search::Unknown(gone, format!("{} could not be read", file.path).into()),
            None => Search::Gone(gone),
        }
    }

    /// Where to look for what is gone, and how it went.
    pub(super) fn told(&self, thing: &Thing, gone: &Gone<'m>) -> (Loc, String) {
        let Place { path, line, .. } = &thing.place;
        match (gone.how, gone.left) {
            (How::KeyRemoved, Some(header)) => {
                let why = format!("{} is no longer among those of its `count` or `for_each`", gone.step);
                (self.repetition(gone, header), why)
            }
            (How::CallRemoved, _) => {
                let loc = self.anchor(&thing.place, &gone.within.module);
                (loc, format!("{} is no longer called", join(&gone.within.address, &gone.step)))
            }
            _ => {
                let loc = self.anchor(&thing.place, &gone.within.module);
                let guard = if thing.prevented.is_true() { ", and its `prevent_destroy` with it" } else { "" };
                (loc, format!("its block is gone{guard}; it stood at {path}:{line}"))
            }
        }
    }

    /// Where the keys of what lost one are given: in a file of variables or of data, else at its `count` or `for_each`.
    fn repetition(&self, gone: &Gone<'m>, header: Loc) -> Loc {
        let module = &gone.within.module;
        let resources = module.resources.iter().map(|resource| &resource.decl);
        let mut declared = resources.chain(module.calls.iter().map(|call| &call.decl));
        let Some(declared) = declared.find(|declared| declared.loc() == header) else { return header };
        let repeats = ["for_each", "count"].into_iter().find_map(|name| Some((name, declared.attribute(name)?)));
        let Some((name, (file, attribute))) = repeats else { return header };
        let view = self.estate.terraform.block(gone.within, declared.file, declared.block);
        let given =
            view.arg(name).origin.filter(|loc| loc.file != file && !self.estate.documents.is_installed(loc.file));
        given.unwrap_or(Loc { file, span: attribute.name_span })
    }

    /// The place in a module that is nearest to where something stood: the block behind it, else the one in front.
    fn anchor(&self, place: &Place, module: &Module<'m>) -> Loc {
        let file = self.estate.documents.tree.find(&place.path).filter(|file| module.files.contains(file));
        let main = |file: &&FileId| file_name(self.estate.documents.tree.path(**file)).starts_with("main.");
        let other = || module.files.iter().find(main).or(module.files.first()).copied();
        let Some(file) = file.or_else(other) else {
            return Loc::default();
        };
        let blocks = self.blocks.of(module, file);
        let of = |label: &String| blocks.by_label.get(label).copied();
        let near = place.following.iter().chain(&place.preceding).find_map(of);
        let tree = self.estate.documents.tree;
        // In another file its line means nothing.
        let least = if tree.path(file) == place.path { place.line } else { 1 };
        let blocks = &blocks.in_order;
        let behind = || blocks.get(blocks.partition_point(|(_, loc)| tree.line(*loc) < least));
        let near = near.or_else(|| behind().or(blocks.last()).map(|(_, loc)| *loc));
        near.unwrap_or(Loc { file, span: Span::default() })
    }
}

/// An address below another.
pub(super) fn join(above: &str, below: &str) -> String {
    let dot = if above.is_empty() { "" } else { "." };
    format!("{above}{dot}{below}")
}

/// What is the same without saying so: `a` and `a[0]`.
fn alias(key: &str) -> Option<&'static str> {
    match key {
        "" => Some("[0]"),
        "[0]" => Some(""),
        _ => None,
    }
}

/// A step without its key, and the key.
pub(super) fn named(step: &str) -> (&str, &str) {
    step.split_at(step.find('[').unwrap_or(step.len()))
}

/// The steps of an address: `module.a["x.y"]`, `aws_db_instance.b[0]`.
fn steps(address: &str) -> Vec<String> {
    let mut parts: Vec<String> = vec![String::new()];
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_usize);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            '.' if !quoted && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.chunks(2).map(|pair| pair.join(".")).collect()
}

/// An address without the keys.
pub(super) fn bare(address: &str) -> String {
    let steps = steps(address);
    steps.iter().map(|step| named(step).0).collect::<Vec<_>>().join(".")
}

/// An address without the key of its resource: what a `moved` block speaks of.
pub(super) fn bare_end(address: &str) -> String {
    let mut steps = steps(address);
    if let Some(last) = steps.last_mut() {
        last.truncate(named(last).0.len());
    }
    steps.join(".")
}

/// An address without keys, and those of the modules around it, each.
fn prefixes(bare: &str) -> impl Iterator<Item = &str> {
    let dots = bare.match_indices('.').map(|(at, _)| at);
    dots.chain([bare.len()]).map(|at| &bare[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_steps() {
        assert_eq!(steps(r#"module.a["x.y"].module.b.t.n[0]"#), [r#"module.a["x.y"]"#, "module.b", "t.n[0]"]);
        assert_eq!(bare(r#"module.a["x\"].z"].t.n[0]"#), "module.a.t.n");
        assert_eq!(bare_end(r#"module.a["x\"].z"].t.n[0]"#), r#"module.a["x\"].z"].t.n"#);
        assert_eq!(bare(""), "");
        assert_eq!(prefixes("module.a.t.n").collect::<Vec<_>>(), ["module", "module.a", "module.a.t", "module.a.t.n"]);
    }
}
