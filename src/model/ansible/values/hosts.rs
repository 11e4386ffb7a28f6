//! The hosts of a play with what each is given, and what Ansible itself says of them.

use super::super::inventory::{Content, Merged, Setting, layers};
use super::super::{Ansible, Pattern, Play};
use super::context::Context;
use super::lookup::At;
use super::scope::{Scope, Work};
use super::val::Val;
use crate::source::folder;
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc};
use crate::value::{Reason, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Hosts of one play that are looked at one by one.
const MAX_HOSTS: usize = 64;

/// What a host is given, each variable in its strongest setting.
#[derive(Default)]
pub(super) struct Given<'a> {
    pub(super) variables: BTreeMap<String, (Setting<'a>, Loc)>,
    /// Why it may be given more: a file that cannot be read.
    pub(super) unread: Option<Reason>,
}

/// A host in one of the inventories.
pub(super) struct PlayHost<'a> {
    /// Which of the inventories.
    pub(super) inventory: usize,
    pub(super) name: String,
    pub(super) given: Arc<Given<'a>>,
}

/// What the hosts of a play have in common.
pub(super) enum Common<'a> {
    /// All are given the same.
    Same(Setting<'a>, Loc),
    /// They are given different settings, or not all of them any.
    Differs,
}

/// The hosts of a play, in every inventory that it may be run with.
#[derive(Default)]
pub(super) struct PlayHosts<'a> {
    pub(super) hosts: Vec<PlayHost<'a>>,
    /// Why there may be more.
    pub(super) open: Option<Reason>,
    pub(super) common: HashMap<String, Common<'a>>,
    /// Without any known host: the files of the groups and hosts that `hosts:` names, strongest first, then those of `all`.
    pub(super) named: Vec<(FileId, Node<'a>)>,
    /// Whether a host may be in groups that are not named.
    pub(super) any: bool,
}

impl<'a> Ansible<'a> {
    /// The hosts of a play.
    pub(super) fn play_hosts(&self, play: usize) -> &PlayHosts<'a> {
        match self.known.hosts.get(play) {
            Some(known) => known.get_or_init(|| self.find_hosts(&self.plays[play])),
            None => &self.known.nobody,
        }
    }

    /// `hosts:` with its templates evaluated, if they can be: no host is known yet.
    pub(in crate::model::ansible) fn pattern_of(&self, play: usize) -> Option<Pattern> {
        let mut context = Context::default();
        context.play = Some(play);
        context.settle(self);
        let at = At { context: &context, hosts: &self.known.nobody, host: None };
        let scope = Scope::new(self, None, vec![at], Work::default());
        let play = &self.plays[play];
        let hosts = play.node.get("hosts")?;
        let value = scope.node(play.file, hosts).into_value();
        match (value.as_str(), value.as_list()) {
            (Some(text), _) => Some(Pattern::parse(text)),
            (None, Some(list)) if list.open.is_none() => {
                let names: Option<Vec<&str>> = list.items.iter().map(Value::as_str).collect();
                names.map(|names| Pattern::parse(&names.join(":")))
            }
            _ => None,
        }
    }

    /// Why the hosts of a play are not all known, if they are not.
    #[must_use]
    pub fn open_hosts(&self, play: usize) -> Option<&Reason> {
        self.play_hosts(play).open.as_ref()
    }

    fn find_hosts(&self, play: &Play<'a>) -> PlayHosts<'a> {
        let pattern = &play.pattern;
        let mut found = PlayHosts { any: pattern.dynamic || pattern.is_all(), ..PlayHosts::default() };
        let from = folder(self.documents.tree.path(play.file));
        for (at, inventory) in self.inventories_of(play) {
            found.open = found.open.or_else(|| inventory.open().cloned());
            for name in pattern.select(inventory) {
                if found.hosts.len() >= MAX_HOSTS {
                    found.open = Some("the play has more hosts than are looked at one by one".into());
                    break;
                }
                let given = self.given(at, &name, from);
                found.hosts.push(PlayHost { inventory: at, name, given });
            }
        }
        if pattern.dynamic {
            found.open = Some("a template chooses the hosts of the play".into());
        }
        if found.hosts.is_empty() {
            found.named = self.named_variables(pattern);
            found.open = found.open.or_else(|| Some("no inventory here has a host of the play".into()));
        }
        found.common = common(&found.hosts);
        found
    }

    /// The inventories that a play may be run with, by index.
    pub(super) fn inventories_of(&self, play: &Play<'a>) -> Vec<(usize, &Merged<'a>)> {
        let from = folder(self.documents.tree.path(play.file));
        let seen = self.inventory.merged_from(from);
        let all = self.inventory.merged.iter().enumerate();
        all.filter(|(_, merged)| seen.iter().any(|own| std::ptr::eq(*own, *merged))).collect()
    }

    /// What a host of an inventory is given.
    pub(super) fn given(&self, inventory: usize, host: &str, playbook: &str) -> Arc<Given<'a>> {
        let key = (inventory, playbook.to_owned(), host.to_owned());
        if let Some(known) = self.known.given.read().ok().and_then(|known| known.get(&key).cloned()) {
            return known;
        }
        let all = layers(self.documents, &self.inventory.merged[inventory], host, Some(playbook));
        let unread = all.layers.iter().find_map(|layer| match &layer.content {
            Content::Unknown(_, reason) => Some(reason.clone()),
            _ => None,
        });
        let given = Arc::new(Given { variables: all.all(), unread });
        if let Ok(mut known) = self.known.given.write() {
            known.insert(key, given.clone());
        }
        given
    }

    /// Variables of the hosts and groups that a pattern names, then those of all.
    fn named_variables(&self, pattern: &Pattern) -> Vec<(FileId, Node<'a>)> {
        let names: Vec<&str> = pattern.names().collect();
        let of = |host: bool, wanted: &dyn Fn(&str) -> bool| {
            let own = self.host_variables.iter().filter(|own| own.host == host && wanted(&own.name));
            own.map(|variables| (variables.file, variables.node)).collect::<Vec<_>>()
        };
        let mut found = of(true, &|name| names.contains(&name));
        found.extend(of(false, &|name| name != "all" && names.contains(&name)));
        found.extend(of(false, &|name| name == "all"));
        found
    }

    /// Every group of an inventory with its hosts, as `groups` has it.
    pub(super) fn groups_value(&self, inventory: usize) -> Val {
        let merged = &self.inventory.merged[inventory];
        let open = merged.open().cloned();
        let hosts = |group: usize| {
            let names = merged.members(group).into_iter().map(|host| Val::from(merged.hosts[host].name.as_str()));
            Val::seq(names.collect(), open.clone(), false)
        };
        let entries = merged.groups.iter().enumerate().map(|(at, group)| (group.name.as_str().into(), hosts(at)));
        Val::map(entries.collect(), open.clone())
    }

    /// The groups of a host, as `group_names` has them.
    pub(super) fn group_names(&self, host: &PlayHost<'a>) -> Val {
        let merged = &self.inventory.merged[host.inventory];
        let mut names: Vec<&str> =
            merged.groups_of(&host.name).into_iter().map(|group| merged.groups[group].name.as_str()).collect();
        names.retain(|name| *name != "all");
        names.sort_unstable();
        Val::seq(names.into_iter().map(Val::from).collect(), merged.open().cloned(), false)
    }
}

/// What hosts have in common, for each variable that any of them is given.
fn common<'a>(hosts: &[PlayHost<'a>]) -> HashMap<String, Common<'a>> {
    let mut all: HashMap<String, (usize, Common<'a>)> = HashMap::new();
    for host in hosts {
        for (name, (setting, loc)) in &host.given.variables {
            match all.get_mut(name) {
                None => {
                    all.insert(name.clone(), (1, Common::Same(setting.clone(), *loc)));
                }
                Some((count, own)) => {
                    *count += 1;
                    if matches!(own, Common::Same(other, at) if !same(other, *at, setting, *loc)) {
                        *own = Common::Differs;
                    }
                }
            }
        }
    }
    let whole = |(count, own)| if count == hosts.len() { own } else { Common::Differs };
    all.into_iter().map(|(name, counted)| (name, whole(counted))).collect()
}

/// Whether two settings are one and the same.
pub(super) fn same(a: &Setting<'_>, at: Loc, b: &Setting<'_>, other: Loc) -> bool {
    match (a, b) {
        (Setting::Node(a), Setting::Node(b)) => at.file == other.file && a.id() == b.id(),
        (Setting::Value(a), Setting::Value(b)) => a.same(b),
        _ => false,
    }
}
