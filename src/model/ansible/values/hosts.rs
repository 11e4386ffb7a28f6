//! The hosts of a play with what each is given, and what Ansible itself says of them.

use super::super::inventory::{Content, Merged, Setting, layers};
use super::super::invoked::{Invoked, Source};
use super::super::{Ansible, Pattern, Play};
use super::lookup::At;
use super::scope::{Scope, Work};
use super::val::Val;
use crate::source::folder;
use crate::syntax::jinja;
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc};
use crate::value::{Reason, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
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
    /// Which of the commands that run the playbook.
    pub(super) way: Option<usize>,
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
    /// The commands that run the playbook, each with other extra variables.
    pub(super) ways: Vec<usize>,
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
            Some(known) => known.get_or_init(|| self.find_hosts(play)),
            None => &self.known.nobody,
        }
    }

    /// `hosts:` with its templates evaluated, if they can be: no host is known yet.
    pub(in crate::model::ansible) fn pattern_of(&self, play: usize, way: Option<usize>) -> Option<Pattern> {
        let mut contexts = self.of_play(play);
        for context in &mut contexts {
            context.settle(self);
        }
        let hosts = PlayHosts { ways: way.into_iter().collect(), ..PlayHosts::default() };
        let at = contexts.iter().map(|context| At { context, hosts: &hosts, host: None }).collect();
        let scope = Scope::new(self, None, at, Work::default());
        let play = &self.plays[play];
        let hosts = play.node.get("hosts")?;
        let value = scope.node(play.file, hosts).into_value();
        match (value.as_str(), value.as_list()) {
            (Some(text), _) => Some(Pattern::parse(text)),
            (None, Some(list)) if list.open.is_none() => {
                let names: Option<Vec<&str>> = list.items.iter().map(Value::as_str).collect();
                names.map(Pattern::of)
            }
            _ => None,
        }
    }

    /// Why the hosts of a play are not all known, if they are not.
    #[must_use]
    pub fn open_hosts(&self, play: usize) -> Option<&Reason> {
        self.play_hosts(play).open.as_ref()
    }

    fn find_hosts(&self, index: usize) -> PlayHosts<'a> {
        let play = &self.plays[index];
        let from = folder(self.documents.tree.path(play.file));
        let mut found = PlayHosts { ways: self.ways_of(play.file), ..PlayHosts::default() };
        let templates = play.node.get("hosts").is_some_and(has_template);
        let mut named = Vec::new();
        let mut inventories = self.inventories_of(play, &found.ways);
        if inventories.is_empty() {
            // `localhost` is there without any.
            inventories.push((usize::MAX, None));
        }
        for (at, way) in inventories {
            let own = way.filter(|_| templates).and_then(|way| self.pattern_of(index, Some(way)));
            let pattern = own.as_ref().unwrap_or(&play.pattern);
            found.any |= pattern.dynamic || pattern.is_all();
            let inventory = self.merged(at);
            // Which hosts others are is open then, not which this is.
            found.open = found.open.or_else(|| inventory.open().filter(|_| at != usize::MAX).cloned());
            let limit = way.and_then(|way| self.invoked(play.file)[way].limit.as_ref()?.as_str().map(Pattern::parse));
            let limit = limit.map(|limit| limit.select(inventory));
            for name in pattern.select(inventory) {
                if limit.as_ref().is_some_and(|limit| !limit.contains(&name)) {
                    continue;
                }
                if found.hosts.len() >= MAX_HOSTS {
                    found.open = Some("the play has more hosts than are looked at one by one".into());
                    break;
                }
                let given = self.given(at, &name, from);
                found.hosts.push(PlayHost { inventory: at, name, given, way });
            }
            named = if named.is_empty() { self.named_variables(pattern) } else { named };
            if self.may_gain_hosts(index, pattern) {
                found.open = Some("tasks add hosts to the play".into());
            }
            if pattern.dynamic {
                found.open = Some("a template chooses the hosts of the play".into());
            }
        }
        if found.hosts.is_empty() {
            let dynamic = play.pattern.dynamic;
            found.any |= dynamic || play.pattern.is_all();
            found.named = if named.is_empty() { self.named_variables(&play.pattern) } else { named };
            let reason = if dynamic {
                "a template chooses the hosts of the play"
            } else {
                "no inventory here has a host of the play"
            };
            found.open = found.open.or_else(|| Some(reason.into()));
        }
        found.common = common(&found.hosts);
        found
    }

    /// The commands that run a playbook, one for each of what they set.
    fn ways_of(&self, file: FileId) -> Vec<usize> {
        let all = self.invoked(file);
        let key = |way: &Invoked| format!("{:?} {:?} {:?} {}", way.inventories, way.limit, way.extra, way.check);
        let mut seen = HashSet::new();
        all.iter().enumerate().filter(|(_, way)| seen.insert(key(way))).map(|(at, _)| at).collect()
    }

    /// The inventories that a play may be run with: those that commands name; where none names any, those of its project.
    fn inventories_of(&self, play: &Play<'a>, ways: &[usize]) -> Vec<(usize, Option<usize>)> {
        let from = folder(self.documents.tree.path(play.file));
        let own = || {
            let seen = self.inventory.merged_from(from);
            let all = self.inventory.merged.iter().enumerate();
            all.filter(|(_, merged)| seen.iter().any(|own| std::ptr::eq(*own, *merged)))
                .map(|(at, _)| at)
                .collect::<Vec<_>>()
        };
        if ways.is_empty() {
            return own().into_iter().map(|at| (at, None)).collect();
        }
        let mut found = Vec::new();
        for way in ways {
            let invoked = &self.invoked(play.file)[*way];
            let unknown = invoked.inventories.iter().all(|source| matches!(source, Source::Unknown(_)));
            match self.inventory_at(invoked).filter(|_| !unknown) {
                Some(at) => found.push((self.inventory.merged.len() + at, Some(*way))),
                None => found.extend(own().into_iter().map(|at| (at, Some(*way)))),
            }
        }
        found
    }

    /// An inventory by its index: those of the repository first, then those that commands put together.
    pub(super) fn merged(&self, at: usize) -> &Merged<'a> {
        let own = self.inventory.merged.len();
        let given = at.checked_sub(own).and_then(|at| self.given_inventory(at));
        given.or_else(|| self.inventory.merged.get(at)).unwrap_or(&self.known.none)
    }

    /// What a host of an inventory is given.
    pub(super) fn given(&self, inventory: usize, host: &str, playbook: &str) -> Arc<Given<'a>> {
        let key = (inventory, playbook.to_owned(), host.to_owned());
        if let Some(known) = self.known.given.read().ok().and_then(|known| known.get(&key).cloned()) {
            return known;
        }
        let all = layers(self.documents, self.merged(inventory), host, Some(playbook));
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
        let merged = self.merged(inventory);
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
        let merged = self.merged(host.inventory);
        let mut names: Vec<&str> =
            merged.groups_of(&host.name).into_iter().map(|group| merged.groups[group].name.as_str()).collect();
        names.retain(|name| *name != "all");
        names.sort_unstable();
        Val::seq(names.into_iter().map(Val::from).collect(), merged.open().cloned(), false)
    }
}

fn has_template(node: Node<'_>) -> bool {
    node.as_str().map_or_else(|| node.items().any(has_template), jinja::contains_template)
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
