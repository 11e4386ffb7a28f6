//! Names to variables: the strongest layer that sets one, on one host or on all that a task may run on.

use super::super::arguments::KEYWORDS;
use super::super::inventory::Setting;
use super::super::invoked::Extra;
use super::super::{Ansible, Task};
use super::PROJECT;
use super::context::{Context, Layer};
use super::hosts::{Common, Given, PlayHost, PlayHosts};
use super::scope::Scope;
use super::setters::Set;
use super::val::{Val, alike};
use crate::source::{file_name, folder};
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc};
use crate::value::{Reason, Tri, Value};
use std::collections::HashMap;

/// What a name stands for.
pub(super) enum Hit<'a> {
    /// A node, with the place of its name.
    Node(FileId, Node<'a>, Loc),
    /// A value of an INI file.
    Value(Value, Loc),
    /// What Ansible itself says.
    Said(Val),
    /// One of several nodes, or what else it is.
    Maybe(Vec<(FileId, Node<'a>)>, Box<Hit<'a>>),
    /// A variable of the loop of an include.
    Turns(usize),
    Unknown(Reason),
    /// Nothing sets it.
    Undefined(Reason),
    /// It is not the same wherever the task runs.
    Differs,
}

/// Where a task is looked at: by one way, and on one host or on all that the play has.
#[derive(Clone, Copy)]
pub(super) struct At<'s, 'a> {
    pub(super) context: &'s Context<'a>,
    pub(super) hosts: &'s PlayHosts<'a>,
    pub(super) host: Option<&'s PlayHost<'a>>,
}

impl Hit<'_> {
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Node(file, node, _), Self::Node(other_file, other, _)) => {
                file == other_file && node.id() == other.id()
            }
            (Self::Value(a, _), Self::Value(b, _)) => a.same(b),
            (Self::Said(a), Self::Said(b)) => alike(a, b),
            (Self::Maybe(a, rest), Self::Maybe(b, other)) => {
                let ids = |list: &[(FileId, Node<'_>)]| {
                    list.iter().map(|(file, node)| (*file, node.id())).collect::<Vec<_>>()
                };
                ids(a) == ids(b) && rest.same(other)
            }
            (Self::Turns(a), Self::Turns(b)) => a == b,
            (Self::Unknown(_), Self::Unknown(_)) | (Self::Undefined(_), Self::Undefined(_)) => true,
            _ => false,
        }
    }
}

/// Names that stand for the run, not for a variable.
const OF_THE_RUN: [&str; 10] = [
    "item",
    "inventory_hostname",
    "inventory_hostname_short",
    "groups",
    "group_names",
    "hostvars",
    "environment",
    "inventory_file",
    "inventory_dir",
    "ansible_check_mode",
];

impl<'s, 'a> Scope<'s, 'a> {
    /// What a name stands for wherever the task runs; what differs is marked as such.
    pub(super) fn find(&self, name: &str) -> Hit<'a> {
        let mut all = self.places().map(|at| self.find_at(at, name));
        let Some(first) = all.next() else { return Hit::Undefined("nothing runs it".into()) };
        if matches!(first, Hit::Differs) || all.any(|other| !first.same(&other)) {
            self.differs.set(true);
            return Hit::Unknown(format!("`{name}` is not the same wherever the task runs").into());
        }
        first
    }

    /// What a name stands for at one place. Where mappings of one name are merged, what one layer says is not all of it.
    fn find_at(&self, at: At<'s, 'a>, name: &str) -> Hit<'a> {
        match self.find_strongest(at, name) {
            Hit::Node(_, node, _) if at.context.merges && node.is_map() => {
                Hit::Unknown(format!("`{name}` may be merged of several mappings").into())
            }
            Hit::Value(value, _) if at.context.merges && value.as_map().is_some() => {
                Hit::Unknown(format!("`{name}` may be merged of several mappings").into())
            }
            hit => hit,
        }
    }

    fn find_strongest(&self, at: At<'s, 'a>, name: &str) -> Hit<'a> {
        let ansible = self.ansible;
        if let Some(said) = self.magic(at, name) {
            return said;
        }
        if let Some(hit) = self.extra(at, name).or_else(|| ansible.in_layers(&at.context.params, name)) {
            return hit;
        }
        if let Some(task) = self.task {
            match ansible.set_before(task, at.context, name, self.early) {
                Set::Run => return Hit::Unknown(format!("`{name}` is only known when the play runs").into()),
                Set::File(file, node) => return Hit::Node(file, node, Loc { file, span: node.span() }),
                Set::Maybe(nodes) => return self.chosen(at, task, &nodes, name),
                Set::Nothing => {}
            }
        }
        // Of another host, whatever any host may have been set.
        if let Some((task, context)) = self.before
            && !matches!(ansible.set_before(task, context, name, false), Set::Nothing)
        {
            return Hit::Unknown(format!("`{name}` is only known when the play runs").into());
        }
        self.find_declared(at, name)
    }

    /// What the commands that run the playbook set by `-e`.
    fn extra(&self, at: At<'s, 'a>, name: &str) -> Option<Hit<'a>> {
        let all = self.ansible.invoked(self.ansible.plays[at.context.play?].file);
        let set = |way: usize| {
            all.get(way)?.extra.iter().rev().find_map(|extra| match extra {
                Extra::Set { name: own, value, loc } if own == name => Some(Hit::Value(value.clone(), *loc)),
                _ => None,
            })
        };
        if let Some(host) = at.host {
            return set(host.way?);
        }
        let mut given = at.hosts.ways.iter().map(|way| set(*way));
        let first = given.next()?;
        let alike = given.all(|other| match (&first, &other) {
            (Some(first), Some(other)) => first.same(other),
            (None, None) => true,
            _ => false,
        });
        match first {
            _ if !alike && !at.hosts.hosts.is_empty() => Some(Hit::Differs),
            _ if !alike => Some(Hit::Unknown(format!("commands set `{name}` each in another way").into())),
            first => first,
        }
    }

    /// What one of several files says that tasks read, those left out whose names are known to be others.
    fn chosen(&self, at: At<'s, 'a>, task: &Task<'a>, nodes: &[(usize, FileId, Node<'a>)], name: &str) -> Hit<'a> {
        let ansible = self.ansible;
        let (mut sure, mut always) = (true, false);
        let mut chosen = Vec::new();
        for (index, file, node) in nodes {
            let setter = &ansible.tasks[*index];
            match self.reads(at, setter, *file) {
                Tri::False => continue,
                Tri::True => {}
                Tri::Unknown(_) => sure = false,
            }
            let before = ansible.precedes(setter, task);
            // A file that does not set it may be the one that is read.
            let all =
                nodes.iter().filter(|(other, ..)| other == index).count() >= ansible.setters().alternatives(*index);
            (sure, always) = (sure && before, always || before && all);
            chosen.push((*file, *node));
        }
        // Where one of the files is read in any case, what has no other value has one of theirs.
        let unset = || {
            if always {
                Hit::Undefined("no file sets it".into())
            } else {
                Hit::Unknown(format!("`{name}` is set by `include_vars` if that runs").into())
            }
        };
        let declared = || self.declared(at, name).unwrap_or_else(unset);
        match chosen.as_slice() {
            [] => self.find_declared(at, name),
            [(file, node)] if sure => Hit::Node(*file, *node, Loc { file: *file, span: node.span() }),
            _ => Hit::Maybe(chosen, Box::new(declared())),
        }
    }

    /// What the files declare, nothing having been set since.
    fn find_declared(&self, at: At<'s, 'a>, name: &str) -> Hit<'a> {
        self.declared(at, name).unwrap_or_else(|| self.nowhere(at, name))
    }

    fn declared(&self, at: At<'s, 'a>, name: &str) -> Option<Hit<'a>> {
        let ansible = self.ansible;
        let own = self.task.into_iter().flat_map(|task| task.vars.iter().map(|vars| (task.file, *vars)));
        let strong =
            || ansible.in_layers(&at.context.vars, name).or_else(|| ansible.in_layers(&at.context.strong, name));
        let hit = of_maps(own, name).or_else(strong).or_else(|| self.of_host(at, name));
        hit.or_else(|| {
            self.open_to_change.set(true);
            ansible.in_layers(&at.context.weak, name)
        })
    }

    /// What the host is given, or all hosts of the play alike.
    fn of_host(&self, at: At<'s, 'a>, name: &str) -> Option<Hit<'a>> {
        if !self.early && at.context.play.is_some_and(|play| self.ansible.may_gain_variable(play, name)) {
            return Some(Hit::Unknown(format!("`{name}` is set for a group into which tasks put hosts").into()));
        }
        if let Some(host) = at.host {
            return of_given(&host.given, name);
        }
        match at.hosts.common.get(name) {
            Some(Common::Same(setting, loc)) if at.hosts.open.is_none() || !self.elsewhere(name) => {
                return Some(hit(setting, *loc));
            }
            Some(Common::Differs) if at.hosts.open.is_none() => return Some(Hit::Differs),
            Some(Common::Same(setting, loc)) => {
                return Some(if self.only_for_all(name) { hit(setting, *loc) } else { of_others(name) });
            }
            Some(Common::Differs) => return Some(of_others(name)),
            None => {}
        }
        if !at.hosts.hosts.is_empty() {
            return (at.hosts.open.is_some() && self.elsewhere(name)).then(|| of_others(name));
        }
        let named = of_maps(at.hosts.named.iter().copied(), name);
        named.or_else(|| (at.hosts.any && at.context.play.is_some() && self.elsewhere(name)).then(|| of_others(name)))
    }

    /// Whether some group or host is given the variable.
    fn elsewhere(&self, name: &str) -> bool {
        self.ansible.set_elsewhere().contains_key(name)
    }

    fn only_for_all(&self, name: &str) -> bool {
        self.ansible.set_elsewhere().get(name).is_some_and(|all| *all)
    }

    /// Why nothing is known of a name that no file sets.
    fn nowhere(&self, at: At<'s, 'a>, name: &str) -> Hit<'a> {
        let ansible = self.ansible;
        if let (Some(host), Some(task), "ansible_host") = (at.host, self.task, name) {
            let own = task.blocks.iter().chain([&task.node]).any(|node| node.get("delegate_to").is_some());
            let delegated = own || at.context.levels().any(|level| level.keyword("delegate_to").is_some());
            return match host.name.as_str() {
                // The address is that of the other host.
                _ if delegated => {
                    Hit::Unknown("`ansible_host` is that of the host which the task is delegated to".into())
                }
                // The one that no inventory lists is reached by its number.
                "localhost" => Hit::Unknown("`ansible_host` of the local host is not said".into()),
                name => Hit::Said(name.into()),
            };
        }
        if name.starts_with("ansible_") {
            return Hit::Unknown(format!("`{name}` is a fact of the host").into());
        }
        if OF_THE_RUN.contains(&name) || at.host.is_none() && at.hosts.open.is_some() && self.elsewhere(name) {
            return Hit::Unknown(
                format!("`{name}` differs from host to host or is only known when the play runs").into(),
            );
        }
        let unread = at.context.strong.iter().any(|layer| matches!(layer, Layer::Unread));
        let given = at.host.map(|host| &host.given).or_else(|| at.hosts.hosts.first().map(|host| &host.given));
        if unread || given.is_some_and(|given| given.unread.is_some()) {
            return Hit::Unknown(format!("`{name}` may be set in a file that cannot be read").into());
        }
        if self.task.is_some_and(|task| !self.early && ansible.set_from_unread(task, at.context)) {
            return Hit::Unknown(
                format!("`{name}` may be set by `include_vars`, from a file that is not known").into(),
            );
        }
        Hit::Undefined(format!("`{name}` is not set in this repository").into())
    }

    /// Variables that Ansible itself sets.
    fn magic(&self, at: At<'s, 'a>, name: &str) -> Option<Hit<'a>> {
        let ansible = self.ansible;
        let tree = ansible.documents.tree;
        let role = || ansible.roles.get(at.context.role?);
        let place = |path: &str| Some(Hit::Said(format!("{PROJECT}/{path}").trim_end_matches('/').into()));
        let said = |value: Val| Some(Hit::Said(value));
        let file =
            at.context.play.map_or_else(|| self.task.map(|task| task.file), |play| Some(ansible.plays[play].file));
        match name {
            "playbook_dir" => place(folder(tree.path(file?))),
            "role_path" => place(&role()?.folder),
            "role_name" | "ansible_role_name" if at.context.role_by_path(ansible) => {
                Some(Hit::Unknown(format!("`{name}` is the path by which the role is named").into()))
            }
            "role_name" | "ansible_role_name" => said(file_name(&role()?.folder).into()),
            "inventory_hostname"
            | "inventory_hostname_short"
            | "group_names"
            | "groups"
            | "inventory_dir"
            | "inventory_file" => {
                let regrouped = !self.early && matches!(name, "groups" | "group_names");
                if regrouped && at.context.play.is_some_and(|play| ansible.may_change_groups(play)) {
                    return Some(Hit::Unknown("tasks put hosts into groups".into()));
                }
                let Some(host) = at.host else { return self.of_all(at, name) };
                let source = || {
                    let sources = &ansible.merged(host.inventory).sources;
                    sources.first().filter(|source| sources.len() == 1 && tree.find(source).is_some())
                };
                match name {
                    "inventory_hostname" => said(host.name.as_str().into()),
                    "inventory_hostname_short" => said(host.name.split('.').next().unwrap_or("").into()),
                    "group_names" => said(ansible.group_names(host)),
                    "groups" => said(ansible.groups_value(host.inventory)),
                    "inventory_file" => source().map_or_else(|| Some(first_listed(name)), |source| place(source)),
                    _ => source().map_or_else(|| Some(first_listed(name)), |source| place(folder(source))),
                }
            }
            // What a rehearsal does changes nothing; what counts is the run.
            "ansible_check_mode" => {
                let ways = self.ansible.invoked(ansible.plays[at.context.play?].file);
                let way = at.host.and_then(|host| ways.get(host.way?));
                match way {
                    Some(way) => said(way.check.into()),
                    None if ways.iter().all(|way| !way.check) => said(false.into()),
                    None => None,
                }
            }
            // Which hosts are in one batch is not counted out.
            "play_hosts" | "ansible_play_batch" if ansible.plays[at.context.play?].node.get("serial").is_some() => {
                Some(Hit::Unknown(format!("`{name}` differs from batch to batch").into()))
            }
            "play_hosts" | "ansible_play_hosts" | "ansible_play_hosts_all" | "ansible_play_batch" => {
                let inventory = at.host.map(|host| host.inventory);
                let names = at.hosts.hosts.iter().filter(|host| inventory.is_none_or(|own| own == host.inventory));
                let names = names.map(|host| Val::from(host.name.as_str())).collect();
                said(Val::seq(names, at.hosts.open.clone(), false)).filter(|_| inventory.is_some())
            }
            _ => None,
        }
    }

    /// What all hosts of the play have in common of what Ansible says of them.
    fn of_all(&self, at: At<'s, 'a>, name: &str) -> Option<Hit<'a>> {
        let hosts = &at.hosts.hosts;
        let inventory = hosts.first()?.inventory;
        let one = hosts.iter().all(|host| host.inventory == inventory);
        if at.hosts.open.is_some() {
            return None;
        }
        match name {
            "groups" if one => Some(Hit::Said(self.ansible.groups_value(inventory))),
            "inventory_dir" | "inventory_file" if one => self.magic(At { host: hosts.first(), ..at }, name),
            _ => Some(Hit::Differs),
        }
    }

    /// A variable as another host has it, by `hostvars`.
    pub(super) fn of_other_host(&self, host: &str, name: &str) -> Val {
        let ansible = self.ansible;
        let mut found = Vec::new();
        for at in self.places() {
            let inventory = at.host.or_else(|| at.hosts.hosts.first()).map(|host| host.inventory);
            let Some((inventory, play)) = inventory.zip(at.context.play) else {
                return Val::unknown(format!("the host `{host}` is in no inventory that is known"));
            };
            if ansible.merged(inventory).host(host).is_none() {
                return Val::unknown(format!("the host `{host}` is in no inventory that is known"));
            }
            let from = folder(ansible.documents.tree.path(ansible.plays[play].file));
            let given = ansible.given(inventory, host, from);
            let hosts = PlayHosts {
                hosts: vec![PlayHost {
                    inventory,
                    name: host.to_owned(),
                    given,
                    way: at.host.and_then(|host| host.way),
                }],
                ..PlayHosts::default()
            };
            let mut context = Context::default();
            context.play = Some(play);
            let before = self.before.or_else(|| Some((self.task?, at.context)).filter(|_| !self.early));
            found.push(self.on(&context, &hosts, before, name));
        }
        Val::several(found)
    }

    /// A variable in a scope of its own, that of a host and no play.
    fn on<'t>(
        &self,
        context: &'t Context<'a>,
        hosts: &'t PlayHosts<'a>,
        before: Option<(&'t Task<'a>, &'t Context<'a>)>,
        name: &str,
    ) -> Val
    where
        's: 't,
    {
        let at = At { context, hosts, host: hosts.hosts.first() };
        let mut scope = Scope::new(self.ansible, None, vec![at], self.work.inner());
        scope.before = before;
        let value = scope.variable(name);
        match self.work.spend(scope.work.since(&self.work)) {
            Ok(()) => value,
            Err(reason) => Val::unknown(reason),
        }
    }
}

impl<'a> Ansible<'a> {
    /// What has been set before a task runs; before all is read, only what tasks of its own file set is known.
    fn set_before(&self, task: &Task<'a>, context: &Context<'a>, name: &str, early: bool) -> Set<'a> {
        if early {
            let own = |other: &Task<'a>| {
                let facts = || other.short() == "set_fact" && other.argument(name).is_some();
                !std::ptr::eq(other, task) && (other.register == Some(name) || facts())
            };
            return if self.beside(task).any(own) { Set::Run } else { Set::Nothing };
        }
        self.setters().of(self, task, context, name)
    }

    /// The names that files of groups and hosts set.
    fn set_elsewhere(&self) -> &HashMap<&'a str, bool> {
        self.known.elsewhere.get_or_init(|| {
            let mut names = HashMap::new();
            for variables in &self.host_variables {
                let all = !variables.host && variables.name == "all";
                for name in variables.node.entries().into_iter().filter_map(|(key, _)| key.as_str()) {
                    *names.entry(name).or_insert(true) &= all;
                }
            }
            names
        })
    }

    fn set_from_unread(&self, task: &Task<'a>, context: &Context<'a>) -> bool {
        self.setters().unread(self, task, context)
    }

    /// The tasks of the same file.
    fn beside(&self, task: &Task<'a>) -> impl Iterator<Item = &Task<'a>> {
        // Tasks stand in the order of their files.
        let file = task.file;
        let first = self.tasks.partition_point(|other| other.file < file);
        self.tasks[first..].iter().take_while(move |other| other.file == file)
    }

    fn in_layers(&self, layers: &[Layer<'a>], name: &str) -> Option<Hit<'a>> {
        layers.iter().enumerate().find_map(|(at, layer)| match layer {
            Layer::Map(file, node) => of_map(*file, *node, name),
            Layer::File(mapping) => {
                let (key, value) = mapping.entries.get(name)?;
                Some(Hit::Node(mapping.file, *value, Loc { file: mapping.file, span: key.span() }))
            }
            Layer::Params(file, node) if !KEYWORDS.contains(&name) && name != "role" => of_map(*file, *node, name),
            Layer::Turns(task) => {
                let control = self.tasks[*task].node.get("loop_control");
                let said = |key: &str| control.and_then(|control| control.get(key)).and_then(Node::as_str);
                let item = said("loop_var").unwrap_or("item") == name;
                let index = said("index_var") == Some(name);
                if index {
                    return Some(Hit::Unknown(format!("`{name}` counts the turns of a loop").into()));
                }
                item.then_some(Hit::Turns(*task))
            }
            Layer::Asked(list) => {
                let asked = list.items().any(|item| item.get("name").and_then(Node::as_str) == Some(name));
                asked.then(|| Hit::Unknown(format!("`{name}` is asked for when the play starts").into()))
            }
            Layer::OneOf(files) => {
                let found: Vec<(FileId, Node<'a>)> =
                    files.iter().filter_map(|(file, node)| Some((*file, node.get(name)?))).collect();
                let below = || self.in_layers(&layers[at + 1..], name);
                let below = || below().unwrap_or_else(|| Hit::Undefined("no file sets it".into()));
                (!found.is_empty()).then(|| Hit::Maybe(found, Box::new(below())))
            }
            Layer::Perhaps(mapping) => {
                let may = mapping.entries.contains_key(name);
                may.then(|| Hit::Unknown(format!("`{name}` is set once a role has been included").into()))
            }
            Layer::Params(..) | Layer::Unread => None,
        })
    }
}

/// Of several files, the one that lists a host first is meant.
fn first_listed<'a>(name: &str) -> Hit<'a> {
    Hit::Unknown(format!("`{name}` is of the file that lists the host first").into())
}

fn of_others<'a>(name: &str) -> Hit<'a> {
    Hit::Unknown(format!("`{name}` differs from host to host, and not all hosts are known").into())
}

fn of_given<'a>(given: &Given<'a>, name: &str) -> Option<Hit<'a>> {
    given.variables.get(name).map(|(setting, loc)| hit(setting, *loc))
}

fn hit<'a>(setting: &Setting<'a>, loc: Loc) -> Hit<'a> {
    match setting {
        Setting::Node(node) => Hit::Node(loc.file, *node, loc),
        Setting::Value(value) => Hit::Value(value.clone(), loc),
    }
}

fn of_map<'a>(file: FileId, node: Node<'a>, name: &str) -> Option<Hit<'a>> {
    let (key, value) = node.entry(name)?;
    Some(Hit::Node(file, value, Loc { file, span: key.span() }))
}

fn of_maps<'a>(maps: impl Iterator<Item = (FileId, Node<'a>)>, name: &str) -> Option<Hit<'a>> {
    let mut maps = maps;
    maps.find_map(|(file, node)| of_map(file, node, name))
}
