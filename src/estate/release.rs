//! Releases of Helm that Terraform, tasks and Flux install: their charts, and what their values say of persistence.

use super::Estate;
use super::cluster::{Object, at};
use super::container::members;
use super::data;
use super::task::{is_test_path, runs_nowhere};
use crate::knowledge::services::{self, Service};
use crate::model::ansible::{Task, Turn};
use crate::model::terraform::{BlockView, Resource};
use crate::source::folder;
use crate::syntax::yaml::Yaml;
use crate::text::{HOLE, Loc};
use crate::value::{Data, Kind, Piece, Reason, Value};
use std::collections::BTreeMap;

/// Deeper members of values are not looked at.
const MAX_DEPTH: usize = 10;
/// Texts of values of one release that are looked at.
const MAX_VALUES: usize = 32;
/// Releases of one task that are looked at.
const MAX_RELEASES: usize = 64;

/// A release of Helm.
pub struct Release {
    /// Its name, as far as known.
    pub name: Value,
    /// What installs it: `terraform`, `ansible` or `flux`.
    pub tool: &'static str,
    /// The chart, as it is named.
    pub chart: Value,
    /// Where it is declared.
    pub loc: Loc,
    /// What its values say.
    pub persistence: Persistence,
    /// It stands among tests.
    pub in_tests: bool,
}

/// What the values of a release say of where its data lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It is switched off: data lies in the pod.
    Off(Loc),
    /// A claim is asked for.
    Claim(Loc),
    /// A claim is named that somebody else makes.
    Existing(String, Loc),
    /// Some parts have it switched off and some not.
    Both,
    /// Nothing: the chart decides.
    Silent,
    /// Not known, with the reason.
    Unknown(Reason),
}

impl Release {
    /// The data service that the chart installs, when it is a chart of one.
    #[must_use]
    pub fn service(&self) -> Option<&'static Service> {
        services::by_chart(self.chart.as_str()?)
    }
}

/// The options of persistence by their paths, and why there may be more.
#[derive(Default)]
struct Said {
    options: BTreeMap<String, (Value, Loc)>,
    open: Option<Reason>,
}

/// Names under which charts keep what is said of persistence.
const SECTIONS: [&str; 4] = ["persistence", "persistentvolume", "datastorage", "primarypersistence"];
/// Parts of charts that hold no data of the service itself.
const ASIDE: [&str; 8] =
    ["backup", "metrics", "volumepermissions", "readreplicas", "replica", "sentinel", "secondary", "tmp"];

impl Said {
    fn value(&mut self, value: &Value, path: &str, place: Loc, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value.data() {
            Some(Data::Map(map)) => {
                self.open = self.open.take().or_else(|| map.open.clone());
                for (key, member) in &map.entries {
                    let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                    self.value(member, &path, member.origin.unwrap_or(place), depth + 1);
                }
            }
            Some(Data::List(_)) => {}
            _ if path.is_empty() => self.open = self.open.take().or_else(|| value.reason()),
            _ => self.option(path, value.clone(), place),
        }
    }

    fn option(&mut self, path: &str, value: Value, place: Loc) {
        let lower = path.to_lowercase();
        let mut steps = lower.split('.').rev();
        let (last, section) = (steps.next().unwrap_or(""), steps.next().unwrap_or(""));
        let wanted = matches!(last, "enabled" | "existingclaim") && SECTIONS.contains(&section);
        // Charts with several volumes name each (`persistence.dataDir.enabled`): that one of them is off says little.
        let one_of_many = || {
            let named = last == "enabled" && !ASIDE.contains(&section) && value.scalar().as_deref() == Some("true");
            named && steps.clone().next().is_some_and(|step| SECTIONS.contains(&step))
        };
        if (wanted || one_of_many()) && !steps.any(|step| ASIDE.contains(&step)) {
            self.options.insert(lower, (value, place));
        }
    }

    /// A text of values; what is not known in it is a hole.
    fn text(&mut self, value: &Value, place: Loc) {
        let text = if let Kind::Text(pieces) = &value.kind {
            let piece = |piece: &Piece| match piece {
                Piece::Lit(literal) => literal.to_string(),
                Piece::Hole(_) => HOLE.to_string(),
            };
            pieces.iter().map(piece).collect()
        } else if let Some(text) = value.as_str() {
            text.to_owned()
        } else {
            self.open = self.open.take().or_else(|| value.reason());
            return;
        };
        let yaml = Yaml::parse(&text);
        if let Some(root) = yaml.root() {
            self.value(&data::of_node(root, &|_| place), "", place, 0);
        }
    }

    fn conclude(&self) -> Persistence {
        let mut claim: Option<(String, Loc)> = None;
        let (mut on, mut off): (Option<Loc>, Option<Loc>) = (None, None);
        for (path, (value, loc)) in &self.options {
            if path.ends_with("existingclaim") {
                let named = value.scalar().filter(|name| !name.is_empty());
                claim = claim.or(named.map(|name| (name.to_string(), *loc)));
                continue;
            }
            match value.scalar().as_deref() {
                Some("true") => on = on.or(Some(*loc)),
                Some("false") => off = off.or(Some(*loc)),
                _ => return Persistence::Unknown(value.reason().unwrap_or_else(|| "it is no switch".into())),
            }
        }
        match (on, off, claim, &self.open) {
            (Some(_), Some(_), ..) => Persistence::Both,
            (None, Some(off), ..) => Persistence::Off(off),
            (_, None, Some((claim, loc)), _) => Persistence::Existing(claim, loc),
            (Some(on), ..) => Persistence::Claim(on),
            (.., Some(reason)) => Persistence::Unknown(reason.clone()),
            _ => Persistence::Silent,
        }
    }
}

/// The release that a resource of Terraform is.
#[must_use]
pub fn of_resource<'m>(estate: &Estate<'m>, resource: &Resource<'m, 'm>) -> Option<Release> {
    if resource.ty() != "helm_release" {
        return None;
    }
    let loc = resource.loc();
    let mut said = Said::default();
    let values = resource.arg("values");
    said.open = values.reason().filter(|_| values.as_list().is_none());
    for text in members(&values).iter().take(MAX_VALUES) {
        said.text(text, text.origin.unwrap_or(loc));
    }
    for kind in ["set", "set_sensitive"] {
        let blocks = resource.blocks(kind);
        let blocks = blocks.iter().map(|block| (BlockView::to_value(block), block.loc));
        let listed = resource.arg(kind);
        let listed = if blocks.len() == 0 { members(&listed) } else { Vec::new() };
        let listed = listed.into_iter().map(|one| (one.clone(), one.origin.unwrap_or(loc)));
        for (set, place) in blocks.chain(listed) {
            if let Some(path) = set.get("name").scalar() {
                said.option(&path, set.get("value"), place);
            }
        }
    }
    Some(Release {
        name: resource.arg("name"),
        tool: "terraform",
        chart: resource.arg("chart"),
        loc,
        persistence: said.conclude(),
        in_tests: is_test_path(estate.documents.tree.path(loc.file)),
    })
}

/// The releases that tasks and objects of Flux install, in this order.
#[must_use]
pub fn others(estate: &Estate<'_>) -> Vec<Release> {
    let tasks = estate.ansible.tasks.iter().enumerate().filter(|(_, task)| task.short() == "helm");
    let mut found: Vec<Release> = tasks.flat_map(|(at, task)| of_task(estate, at, task)).collect();
    for object in estate.cluster.iter().filter(|object| object.kind == "HelmRelease") {
        let spec = object.body.get("spec");
        let chart = chart_of(estate, object, &spec);
        // A patch of a release elsewhere names no chart.
        if chart.is_absent() {
            continue;
        }
        let mut said = Said::default();
        if !spec.get("valuesFrom").is_absent() {
            said.open = Some("values come from objects of the cluster".into());
        }
        said.value(&spec.get("values"), "", object.loc, 0);
        found.push(Release {
            name: object.name.clone(),
            tool: "flux",
            chart,
            loc: object.loc,
            persistence: said.conclude(),
            in_tests: object.in_tests,
        });
    }
    found
}

/// The chart of a release of Flux: by its name, or by the address of the repository that it refers to in its folder.
fn chart_of(estate: &Estate<'_>, object: &Object, spec: &Value) -> Value {
    let named = at(spec, &["chart", "spec", "chart"]);
    let referred = at(spec, &["chartRef", "name"]);
    if !named.is_absent() || referred.is_absent() {
        return named;
    }
    let here = |own: &Object| folder(estate.documents.tree.path(own.loc.file));
    let is_it = |own: &&Object| {
        own.kind == "OCIRepository" && here(own) == here(object) && own.name.as_str() == referred.as_str()
    };
    let address = estate.cluster.iter().find(is_it).map(|own| at(&own.body, &["spec", "url"]));
    address.filter(|address| !address.is_absent()).unwrap_or(referred)
}

fn of_task<'m>(estate: &Estate<'m>, at: usize, task: &Task<'m>) -> Vec<Release> {
    let in_tests = is_test_path(estate.documents.tree.path(task.file));
    let one = |turn: &Turn<'_, '_, 'm>| {
        let argument = |names: &[&str]| {
            let given = names.iter().map(|name| turn.argument(name)).find(|value| !value.is_absent());
            given.unwrap_or_default()
        };
        if argument(&["release_state", "state"]).as_str() == Some("absent") {
            return None;
        }
        let mut said = Said::default();
        if !turn.argument("values_files").is_absent() {
            said.open = Some("values come from files".into());
        }
        said.value(&argument(&["release_values", "values"]), "", task.loc, 0);
        for set in members(&turn.argument("set_values")).iter().take(MAX_VALUES) {
            let text = set.get("value").scalar();
            if let Some((path, value)) = text.as_deref().and_then(|text| text.split_once('=')) {
                said.option(path, Value::known(value), task.loc);
            }
        }
        Some(Release {
            name: argument(&["release_name", "name"]),
            tool: "ansible",
            chart: argument(&["chart_ref"]),
            loc: task.loc,
            persistence: said.conclude(),
            in_tests,
        })
    };
    let mut found: Vec<Release> = Vec::new();
    for release in estate.ansible.in_turns(task, one).into_iter().flatten().take(MAX_RELEASES) {
        if !found
            .iter()
            .any(|own| own.name.display() == release.name.display() && own.chart.display() == release.chart.display())
        {
            found.push(release);
        }
    }
    // Asked last, since the answer takes long.
    if !found.is_empty() && runs_nowhere(estate.ansible, at) {
        found.clear();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{FileId, Span};

    #[test]
    fn what_values_say_of_persistence() {
        let place = Loc { file: FileId(0), span: Span::default() };
        let of = |text: &str, sets: &[(&str, &str)]| {
            let mut said = Said::default();
            said.text(&Value::known(text), place);
            for (path, value) in sets {
                said.option(path, Value::known(*value), place);
            }
            said.conclude()
        };
        let claim = Persistence::Existing("pg-data".to_owned(), place);
        for (text, sets, expected) in [
            ("auth: {database: app}", &[][..], Persistence::Silent),
            ("primary: {persistence: {enabled: false}}", &[], Persistence::Off(place)),
            (
                "primary: {persistence: {enabled: false}}",
                &[("primary.persistence.enabled", "true")],
                Persistence::Claim(place),
            ),
            ("server: {dataStorage: {enabled: true}}", &[], Persistence::Claim(place)),
            ("primary: {persistence: {existingClaim: pg-data}}", &[], claim),
            ("persistence: {dataDir: {enabled: true}}", &[], Persistence::Claim(place)),
            ("persistence: {dataDir: {enabled: false}, backup: {enabled: true}}", &[], Persistence::Silent),
            (
                "master: {persistence: {enabled: true}}",
                &[("replica.persistence.enabled", "false")],
                Persistence::Claim(place),
            ),
            (
                "controller: {persistence: {enabled: true}}\nbroker: {persistence: {enabled: false}}",
                &[],
                Persistence::Both,
            ),
        ] {
            assert_eq!(of(text, sets), expected, "{text}");
        }
    }
}
