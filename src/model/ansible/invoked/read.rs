//! Command lines to the ways in which they run playbooks.

use super::super::Ansible;
use super::extra::{self, Extra};
use super::place::{At, Names, Stand, Start};
use super::{Invoked, LISTING, Source};
use crate::model::command::path::{self, Bound, Defaults, Place, multiply};
use crate::model::command::{Command, Flag, Site};
use crate::model::kind::Kind;
use crate::model::load::Document;
use crate::source::folder;
use crate::syntax::yaml::Yaml;
use crate::text::{HOLE, Loc};
use crate::value::{Data, Kind as Known, Piece, Reason, Value};
use std::sync::Arc;

/// So many ways to run playbooks are followed in all.
const MAX_ALL: usize = 4_000;

/// The ways in which commands run playbooks, in the order of the commands.
pub(super) fn commands(ansible: &Ansible<'_>, commands: &[Command]) -> Vec<Invoked> {
    if !commands.iter().any(runs_playbooks) {
        return Vec::new();
    }
    let mut reader = Reader { names: Names::of(ansible), ways: Vec::new() };
    for scope in commands.chunk_by(|a, b| a.loc.file == b.loc.file && a.scope == b.scope) {
        if scope.iter().any(runs_playbooks) {
            reader.scope(scope);
        }
    }
    reader.ways
}

fn runs_playbooks(command: &Command) -> bool {
    match &*command.program {
        "ansible-playbook" | "ansible-pull" => true,
        "ansible-navigator" => command.sub.first().is_some_and(|sub| &**sub == "run"),
        _ => false,
    }
}

struct Reader<'r, 'a> {
    names: Names<'r, 'a>,
    ways: Vec<Invoked>,
}

impl Reader<'_, '_> {
    /// The commands of one script, recipe or job, in order.
    fn scope(&mut self, commands: &[Command]) {
        let Some(first) = commands.first() else { return };
        let own = folder(self.names.ansible.documents.tree.path(first.loc.file));
        let mut bases: Vec<&str> =
            std::iter::successors(Some(own), |path| (!path.is_empty()).then(|| folder(path))).collect();
        if matches!(first.site, Site::Ci { .. }) {
            bases.insert(0, "");
        }
        let place = |folder: &&str| Place { folder: (*folder).to_owned(), bound: Bound::new() };
        let bases: Vec<Place> = bases.iter().map(place).collect();
        let defaults = commands.iter().find(|command| runs_playbooks(command)).map_or(&[][..], |it| &it.defaults);
        let mut here: Vec<Place> = Vec::new();
        // A script is started from anywhere; steps and recipes are not, unless they go where nobody knows.
        let rooted = matches!(first.site, Site::Ci { .. } | Site::Recipe { .. } | Site::PackageScript { .. });
        let mut adrift = !rooted;
        let mut before: Option<&Command> = None;
        for command in commands {
            if before.is_some_and(|before| self.starts_anew(before, command)) {
                here.clear();
                adrift = !rooted;
            }
            before = Some(command);
            if let Some(folder) = &command.folder {
                here = self.names.folders(&bases, folder, defaults);
                adrift = here.is_empty();
            }
            match &*command.program {
                "cd" | "pushd" => {
                    let Some(to) = command.operands.first() else { continue };
                    let next = self.names.folders(&here, to, defaults);
                    here = if next.is_empty() { self.names.folders(&bases, to, defaults) } else { next };
                    adrift = here.is_empty();
                }
                "popd" => here = Vec::new(),
                _ if runs_playbooks(command) => self.command(command, &Stand { here: &here, bases: &bases, adrift }),
                _ => {}
            }
        }
    }

    /// Whether a command runs in a shell of its own: the next line of a makefile, the next step.
    fn starts_anew(&self, before: &Command, command: &Command) -> bool {
        if before.folder.is_some() && command.folder.is_none() {
            return true;
        }
        let documents = self.names.ansible.documents;
        let file = documents.document(command.loc.file).filter(|document| document.kind == Kind::Makefile);
        let between = file.and_then(|document| {
            let text = documents.tree.text(document.file);
            text.get(before.loc.span.end as usize..command.loc.span.start as usize)
        });
        let mut lines = between.unwrap_or("").split('\n');
        let last = lines.next_back();
        last.is_some() && lines.any(|line| !line.trim_end().ends_with('\\'))
    }

    fn command(&mut self, command: &Command, stand: &Stand<'_>) {
        if command.flags.iter().any(|flag| LISTING.contains(&&*flag.name)) {
            return;
        }
        let local = [Value::known("local.yml")];
        let pulls = &*command.program == "ansible-pull";
        let operands = if pulls && command.operands.is_empty() { &local[..] } else { &command.operands };
        let mut starts: Vec<Start> = Vec::new();
        let mut open: Option<Reason> = None;
        for operand in operands {
            let found = self.names.playbooks(operand, stand, &command.defaults);
            if found.is_empty() {
                open = open.or_else(|| operand.reason());
            }
            starts.extend(found);
        }
        for start in &starts {
            let ways = self.ways(command, start, stand.bases, open.as_ref());
            self.ways.extend(ways.into_iter().take(MAX_ALL.saturating_sub(self.ways.len())));
        }
    }

    /// The ways in which a command runs one playbook; several when an inventory or a file of variables is left open.
    fn ways(&self, command: &Command, start: &Start, bases: &[Place], open: Option<&Reason>) -> Vec<Invoked> {
        let way = Invoked {
            playbook: start.playbook,
            through: None,
            folder: start.place.folder.clone(),
            inventories: Vec::new(),
            extra: Vec::new(),
            limit: None,
            tags: Vec::new(),
            skip_tags: Vec::new(),
            check: false,
            start_at: None,
            connection: None,
            user: None,
            becomes: false,
            environment: Vec::new(),
            open: open.cloned(),
            loc: command.loc,
            merged: 0,
        };
        let mut ways = vec![(way, start.place.bound.clone())];
        let others =
            command.flags.iter().filter_map(|flag| extra::file(&flag.value)?.as_str().map(str::to_owned)).collect();
        let from = From { start, bases, defaults: &command.defaults, file: command.loc, others };
        for flag in &command.flags {
            self.flag(flag, &from, &command.program, &mut ways);
        }
        let finished = ways.into_iter().map(|(mut way, bound)| {
            self.finish(&mut way, command, &from, &bound);
            settle(&mut way, &command.defaults, &bound);
            way
        });
        finished.collect()
    }

    fn flag(&self, flag: &Flag, from: &From<'_>, program: &str, ways: &mut Vec<(Invoked, Bound)>) {
        if flag.name.contains(HOLE) {
            let reason: Reason = "an option is filled in when it is run".into();
            each(ways, |way| way.open = Some(reason.clone()));
            return;
        }
        let given = flag.value.as_bool() != Some(true) || flag.value.as_str().is_some();
        let value = Some(flag.value.clone()).filter(|_| given);
        match &*flag.name {
            "-i" | "--inventory" | "--inventory-file" if given => self.inventory(&flag.value, from, ways),
            "-e" | "--extra-vars" | "--extra-var" if given => self.extra(flag, from, ways),
            "-l" | "--limit" => each(ways, |way| way.limit.clone_from(&value)),
            "-t" | "--tags" | "--tag" => each(ways, |way| way.tags.extend(value.iter().flat_map(listed))),
            "--skip-tags" | "--skip-tag" => each(ways, |way| way.skip_tags.extend(value.iter().flat_map(listed))),
            "--start-at-task" => each(ways, |way| way.start_at.clone_from(&value)),
            "-c" | "--connection" => each(ways, |way| way.connection.clone_from(&value)),
            "-u" | "--user" => each(ways, |way| way.user.clone_from(&value)),
            "--check" => each(ways, |way| way.check = true),
            "--become" => each(ways, |way| way.becomes = true),
            bundle if bundle.starts_with('-') && !bundle.starts_with("--") => {
                // `-C` of `ansible-pull` is something else, and takes a value.
                let check = bundle.contains('C') && program != "ansible-pull";
                let becomes = bundle.contains('b');
                each(ways, |way| {
                    way.check |= check;
                    way.becomes |= becomes;
                });
            }
            _ => {}
        }
    }

    fn inventory(&self, value: &Value, from: &From<'_>, ways: &mut Vec<(Invoked, Bound)>) {
        if let Some(hosts) = hosts(value) {
            each(ways, |way| way.inventories.push(Source::Hosts(hosts.clone())));
            return;
        }
        let missing: Reason = match (value.reason(), value.as_str()) {
            (Some(reason), _) => reason,
            (None, Some(text)) => format!("`{text}` is not in the repository").into(),
            (None, None) => "it is not in the repository".into(),
        };
        multiply(
            ways,
            |bound| self.names.inventories(value, &from.at(bound)),
            |way, path| way.inventories.push(path.map_or_else(|| Source::Unknown(missing.clone()), Source::Path)),
        );
    }

    fn extra(&self, flag: &Flag, from: &From<'_>, ways: &mut Vec<(Invoked, Bound)>) {
        let loc = Loc { file: from.file.file, span: flag.span };
        let Some(path) = extra::file(&flag.value) else {
            let given = extra::given(&flag.value, loc);
            each(ways, |way| way.extra.extend(given.iter().cloned()));
            return;
        };
        let missing =
            || path.reason().unwrap_or_else(|| format!("`{}` is not in the repository", path.display()).into());
        multiply(
            ways,
            |bound| self.names.variables(&path, &from.at(bound), &from.others),
            |way, found| match found {
                Some(path) => way.extra.extend(self.of_file(&path, loc)),
                None => way.extra.push(Extra::Open { reason: missing(), loc }),
            },
        );
    }

    /// What a file of variables gives.
    fn of_file(&self, path: &str, loc: Loc) -> Vec<Extra> {
        let documents = self.names.ansible.documents;
        let Some(file) = documents.tree.find(&documents.tree.real(path)) else {
            return vec![Extra::Open { reason: format!("`{path}` is no file").into(), loc }];
        };
        let text = documents.tree.text(file);
        if text.starts_with("$ANSIBLE_VAULT") || text.is_empty() {
            return vec![Extra::Open { reason: format!("`{path}` is vaulted, or no text").into(), loc }];
        }
        let parsed;
        let yaml = if let Some(yaml) = documents.document(file).and_then(Document::yaml) {
            yaml
        } else {
            parsed = Yaml::parse(text);
            &parsed
        };
        match yaml.root().filter(|root| root.is_map()) {
            Some(root) => extra::of_file(root, file),
            None => vec![Extra::Open { reason: format!("Ansible makes no mapping of `{path}`").into(), loc }],
        }
    }

    /// What the environment and `ansible.cfg` say where the command says nothing.
    fn finish(&self, way: &mut Invoked, command: &Command, from: &From<'_>, bound: &Bound) {
        let mut environment: Vec<(Box<str>, Value)> = Vec::new();
        for (name, value) in command.env.iter().filter(|(name, _)| name.starts_with("ANSIBLE_")) {
            match environment.iter_mut().find(|(known, _)| known == name) {
                Some(entry) => entry.1 = value.clone(),
                None => environment.push((name.clone(), value.clone())),
            }
        }
        environment.sort_by(|(a, _), (b, _)| a.cmp(b));
        let set = |name: &str| environment.iter().find(|(own, _)| &**own == name).map(|(_, value)| value);
        if way.tags.is_empty() {
            way.tags = set("ANSIBLE_RUN_TAGS").map(listed).unwrap_or_default();
        }
        if way.skip_tags.is_empty() {
            way.skip_tags = set("ANSIBLE_SKIP_TAGS").map(listed).unwrap_or_default();
        }
        if way.inventories.is_empty() && &*command.program == "ansible-pull" {
            way.inventories.push(Source::Hosts(vec![Value::known("localhost")]));
        }
        if way.inventories.is_empty() {
            if let Some(named) = set("ANSIBLE_INVENTORY") {
                let mut ways = vec![(way.clone(), bound.clone())];
                for path in &listed(named) {
                    self.inventory(path, from, &mut ways);
                }
                if let [(one, _)] = ways.as_slice() {
                    way.inventories.clone_from(&one.inventories);
                } else {
                    way.inventories.push(Source::Unknown("`ANSIBLE_INVENTORY` may be one of several".into()));
                }
            } else {
                let config = self.names.config(set("ANSIBLE_CONFIG"), &from.at(bound));
                way.inventories = self.names.configured(config, &way.folder);
            }
        }
        way.environment = environment;
    }
}

/// Where a command runs a playbook, before anything in it is known to be open.
struct From<'p> {
    start: &'p Start,
    bases: &'p [Place],
    defaults: &'p Defaults,
    file: Loc,
    /// The files of variables that it names outright.
    others: Vec<String>,
}

impl From<'_> {
    fn at<'b>(&'b self, bound: &'b Bound) -> At<'b> {
        At { start: self.start, bound, bases: self.bases, defaults: self.defaults }
    }
}

/// Does the same to every way.
fn each(ways: &mut [(Invoked, Bound)], mut put: impl FnMut(&mut Invoked)) {
    for (way, _) in ways {
        put(way);
    }
}

/// The parts of a text between commas.
fn listed(value: &Value) -> Vec<Value> {
    let Some(pieces) = path::pieces(value) else { return vec![value.clone()] };
    let mut parts: Vec<Vec<Piece>> = vec![Vec::new()];
    for piece in pieces {
        match piece {
            Piece::Lit(text) => {
                for (at, part) in text.split(',').enumerate() {
                    if at > 0 {
                        parts.push(Vec::new());
                    }
                    let part = part.trim();
                    parts
                        .last_mut()
                        .into_iter()
                        .for_each(|last| last.extend((!part.is_empty()).then(|| Piece::Lit(part.into()))));
                }
            }
            hole @ Piece::Hole(_) => parts.last_mut().into_iter().for_each(|last| last.push(hole.clone())),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.into_iter().map(|part| Value { origin: value.origin, ..Value::text(part) }).collect()
}

/// The hosts that `-i host,` lists.
fn hosts(value: &Value) -> Option<Vec<Value>> {
    let comma = path::pieces(value)?.iter().any(|piece| matches!(piece, Piece::Lit(text) if text.contains(',')));
    comma.then(|| listed(value))
}

/// Says of each value only what holds whatever is set where the command is run.
fn settle(way: &mut Invoked, defaults: &Defaults, bound: &Bound) {
    let one = |value: &mut Value| *value = settled(value, defaults, bound, 0);
    for extra in &mut way.extra {
        // What a file of variables says stands, whatever the command leaves open.
        if let Extra::Set { value, loc, .. } = extra
            && loc.file == way.loc.file
        {
            one(value);
        }
    }
    way.tags.iter_mut().chain(&mut way.skip_tags).for_each(one);
    let single = [&mut way.limit, &mut way.start_at, &mut way.connection, &mut way.user];
    single.into_iter().flatten().for_each(one);
    way.environment.iter_mut().for_each(|(_, value)| one(value));
    for source in &mut way.inventories {
        if let Source::Hosts(hosts) = source {
            hosts.iter_mut().for_each(one);
        }
    }
}

fn settled(value: &Value, defaults: &Defaults, bound: &Bound, depth: usize) -> Value {
    let kind = match &value.kind {
        _ if depth > 32 => return value.clone(),
        Known::Known(Data::List(list)) => {
            Value::list(list.items.iter().map(|item| settled(item, defaults, bound, depth + 1)).collect()).kind
        }
        Known::Known(Data::Map(map)) => {
            let member = |(key, member): &(Arc<str>, Value)| (key.clone(), settled(member, defaults, bound, depth + 1));
            Value::map(map.entries.iter().map(member).collect()).kind
        }
        _ => path::settled(value, defaults, bound).kind,
    };
    Value { kind, ..value.clone() }
}
