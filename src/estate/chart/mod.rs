//! The ownership map, drawn from the join: every machine, container, store and image, with its owners, its data and their fate.

mod container;
mod host;
mod image;
mod job;
mod machine;
mod name;
mod release;
mod store;

use super::Estate;
use super::machine::Machine;
use super::mount::Bound;
use super::placement::{play_is_dormant, weight};
use crate::chart::{Chart, Datum, Link, Object, Reached, Sort, Storage, Verdict};
use crate::knowledge::compute::Fate;
use crate::knowledge::services::ServiceData;
use crate::model::ansible::Play;
use crate::model::terraform::Declaration;
use crate::text::{FileId, Loc};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What the parts of a drawing share.
struct Drawing<'e, 'm> {
    estate: &'e Estate<'m>,
    objects: Vec<Object>,
    links: Vec<Link>,
    /// What is told of each play, by index.
    plays: Vec<Told>,
    /// Play → the objects that it means, by index.
    meant: BTreeMap<usize, Vec<usize>>,
    ids: HashSet<String>,
    /// Object → the machine of the estate that it is, both by index.
    machines: BTreeMap<usize, usize>,
    /// Declaration of Terraform → the objects that it makes.
    declared: HashMap<Declaration, Vec<usize>>,
    /// Files of jobs → the machine of the estate that submits each.
    jobs: BTreeMap<FileId, usize>,
}

/// What an owner tells of its play.
struct Told {
    /// Its name, else its hosts.
    title: String,
    /// The roles that it applies, each once.
    roles: Vec<String>,
    /// Nothing runs it, while a play that is run applies one of its roles.
    dormant: bool,
    /// Whether anything runs it.
    run: bool,
}

/// What is told of every play.
fn told(estate: &Estate<'_>) -> Vec<Told> {
    let (ansible, runs) = (estate.ansible, &estate.joined.runs);
    let one = |(at, play): (usize, &Play<'_>)| Told {
        title: play.name.map_or_else(|| format!("hosts: {}", play.hosts), str::to_owned),
        roles: play
            .roles
            .iter()
            .map(|entry| entry.role.map_or(entry.name, |role| &ansible.roles[role].name).to_owned())
            .collect(),
        dormant: play_is_dormant(ansible, at, runs),
        run: runs.get(at).copied().unwrap_or(true),
    };
    let mut plays: Vec<Told> = ansible.plays.iter().enumerate().map(one).collect();
    // `include_role` and `import_role` bring roles too.
    let brought = ansible.tasks.iter().filter_map(|task| Some((task, &ansible.roles[task.role?].name)));
    for (task, role) in brought {
        for play in &task.plays {
            if !plays[*play].roles.contains(role) {
                plays[*play].roles.push(role.clone());
            }
        }
    }
    plays
}

/// Draws the map.
#[must_use]
pub fn draw(estate: &Estate<'_>) -> Chart {
    let mut drawing = Drawing {
        estate,
        objects: Vec::new(),
        links: Vec::new(),
        plays: told(estate),
        meant: BTreeMap::new(),
        ids: HashSet::new(),
        machines: BTreeMap::new(),
        declared: HashMap::new(),
        jobs: job::submitted(estate),
    };
    machine::draw(&mut drawing);
    host::draw(&mut drawing);
    container::draw(&mut drawing);
    release::draw(&mut drawing);
    store::draw(&mut drawing);
    image::draw(&mut drawing);
    let plays = reached(&drawing);
    let Drawing { mut objects, mut links, .. } = drawing;
    for object in &mut objects {
        by_weight(&mut object.data);
        object.verdict = verdict(object);
        object.owners.sort_by(|a, b| (a.does, a.tool, a.loc, &a.what).cmp(&(b.does, b.tool, b.loc, &b.what)));
        object.owners.dedup();
    }
    let mut order: Vec<(usize, Object)> = objects.into_iter().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| {
        (a.sort, &a.environment, &a.name, &a.id).cmp(&(b.sort, &b.environment, &b.name, &b.id))
    });
    let stands: HashMap<usize, usize> = order.iter().enumerate().map(|(now, (was, _))| (*was, now)).collect();
    let moved = |play: Reached| {
        let mut objects: Vec<usize> = play.objects.iter().filter_map(|was| stands.get(was).copied()).collect();
        objects.sort_unstable();
        objects.dedup();
        Reached { objects, ..play }
    };
    let plays = plays.into_iter().map(moved).collect();
    links.sort();
    links.dedup();
    Chart { objects: order.into_iter().map(|(_, object)| object).collect(), links, plays }
}

/// Each play that means objects, with its tasks that run on these: what is delegated runs elsewhere.
fn reached(drawing: &Drawing<'_, '_>) -> Vec<Reached> {
    let ansible = drawing.estate.ansible;
    let mut found: BTreeMap<usize, Reached> = BTreeMap::new();
    for (play, objects) in &drawing.meant {
        found.insert(*play, Reached { places: vec![ansible.plays[*play].loc], objects: objects.clone() });
    }
    for task in ansible.tasks.iter().filter(|task| task.delegate_to.is_none()) {
        let loc = Loc { file: task.file, span: task.node.span() };
        for play in &task.plays {
            if let Some(play) = found.get_mut(play) {
                play.places.push(loc);
            }
        }
    }
    found.into_values().collect()
}

impl<'e, 'm> Drawing<'e, 'm> {
    /// The machine of Terraform that an object is.
    fn machine(&self, object: usize) -> Option<&'e Machine<'m>> {
        self.machines.get(&object).and_then(|at| self.estate.machines.get(*at))
    }

    /// What is mounted on such a machine that its declaration does not place.
    fn mounted(&self, object: usize) -> Option<&'e Bound> {
        self.machines.get(&object).and_then(|at| self.estate.joined.mounted.get(*at))
    }

    /// Adds what a container holds to what its host holds, once a service and path.
    fn hold(&mut self, host: usize, data: Vec<Datum>, container: &str) {
        let held = &mut self.objects[host].data;
        for mut datum in data {
            datum.because = format!("in container {container}: {}", datum.because);
            // A task that brings the service has told where it keeps its data on the host.
            if !held.iter().any(|own| !own.dormant && own.service == datum.service && own.fate == datum.fate) {
                held.push(datum);
            }
        }
    }

    /// Adds an object; its id gets a number where another one has the same.
    fn add(&mut self, mut object: Object) -> usize {
        let wished = object.id.clone();
        let mut count = 1;
        while !self.ids.insert(object.id.clone()) {
            count += 1;
            object.id = format!("{wished} ({count})");
        }
        self.objects.push(object);
        self.objects.len() - 1
    }

    fn link(&mut self, from: usize, to: usize, kind: &'static str) {
        if from != to {
            let (from, to) = (self.objects[from].id.clone(), self.objects[to].id.clone());
            self.links.push(Link { from, to, kind });
        }
    }
}

/// The worst of what becomes of an object's data.
fn verdict(object: &Object) -> Verdict {
    let counted = object.data.iter().filter(|datum| !datum.dormant && is_kept_on_purpose(datum.class));
    let one = |datum: &Datum| match (datum.fate, object.sort, object.guarded) {
        ("destroyed", _, Some(true)) => Verdict::Guarded,
        ("destroyed", Sort::Store, _) => Verdict::Exposed,
        ("destroyed", ..) => Verdict::Lost,
        ("survives", ..) => Verdict::Kept,
        _ => Verdict::Unknown,
    };
    counted.map(one).min().unwrap_or(Verdict::NoData)
}

/// Whether losing it loses anything.
fn is_kept_on_purpose(class: &str) -> bool {
    matches!(class, "authoritative" | "secret" | "queue" | "state")
}

/// The interface's word for a class of data.
fn class(data: ServiceData) -> &'static str {
    match data {
        ServiceData::PureCache => "cache",
        data => data.as_str(),
    }
}

/// The interface's word for a fate.
fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Destroyed => "destroyed",
        Fate::Survives => "survives",
        Fate::Depends => "depends",
    }
}

/// Root first, then by path.
fn by_path(storage: &mut [Storage]) {
    storage.sort_by(|a, b| (a.kind != "root", &a.path, a.loc).cmp(&(b.kind != "root", &b.path, b.loc)));
}

/// Data whose loss weighs most first.
fn by_weight(data: &mut [Datum]) {
    let rank = |datum: &Datum| match datum.class {
        "authoritative" => weight(ServiceData::Authoritative),
        "secret" => weight(ServiceData::Secret),
        "queue" => weight(ServiceData::Queue),
        "state" => weight(ServiceData::State),
        _ => 0,
    };
    data.sort_by(|a, b| {
        (a.dormant, std::cmp::Reverse(rank(a)), &a.service, &a.path).cmp(&(
            b.dormant,
            std::cmp::Reverse(rank(b)),
            &b.service,
            &b.path,
        ))
    });
}
