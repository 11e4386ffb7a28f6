//! Whole plays against Ansible: which tasks run on which hosts, with what arguments, turn by turn.
//!
//! Each folder of `tests/plays` is a project whose `deploy.sh` runs `ansible-playbook`; `answers.json` beside its files is what every
//! named task did on every host, written by this test with `STATEWARD_UPDATE=1`. Where Ansible is at hand it runs the plays again;
//! `STATEWARD_ORACLES=required` makes its absence a failure. What stays unknown here is a snapshot, by project, task and reason.
//! `STATEWARD_CORPUS=<folder>` compares the projects in another folder.

mod support;

use serde_json::{Map, Value as Json};
use stateward::model::ansible::{Ansible, Task, Turn};
use stateward::model::command;
use stateward::model::load::{Documents, Options};
use stateward::value::Tri;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{ROOT, ansible_python, as_json};

const RECORD: &str = "answers.json";
/// The arguments of `debug`, the module of most tasks.
const ARGUMENTS: [&str; 3] = ["msg", "var", "verbosity"];
/// Known answers that differ: why, and the tasks by project.
const KNOWN: &[(&str, &[(&str, &str)])] = &[(
    "what fails, ends early or notifies in the run is not followed",
    &[
        ("rescue", "After it may fail"),
        ("rescue", "Rescued"),
        ("rescue", "Some end early"),
        ("rescue", "Tell a handler"),
        ("rescue", "Who is left"),
    ],
)];

fn folders() -> Vec<PathBuf> {
    let listed = fs::read_dir(Path::new(ROOT).join("tests/plays")).expect("the projects are there");
    let mut folders: Vec<PathBuf> = listed.map(|entry| entry.expect("they can be listed").path()).collect();
    folders.sort();
    folders
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What Ansible does in a project.
fn asked(python: &Path, folder: &Path) -> Json {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("plays-{}-{}", name(folder), std::process::id()));
    let script = Path::new(ROOT).join("tests/oracle/ansible_plays.py");
    let output = Command::new(python).arg(script).arg(folder).arg(&out).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(&out).expect("the answers were written");
    fs::remove_file(&out).expect("they can be removed");
    serde_json::from_str(&text).expect("they are JSON")
}

fn recorded(folder: &Path) -> Json {
    let text = fs::read_to_string(folder.join(RECORD)).expect("STATEWARD_UPDATE=1 records the answers");
    serde_json::from_str(&text).expect("the record is JSON")
}

/// What one turn did: in Ansible, or here as far as it is known.
#[derive(Clone, Debug, Default, PartialEq)]
struct Did {
    /// Whether it ran.
    runs: Option<bool>,
    /// The arguments that it ran with, `None` for one that is not known.
    arguments: BTreeMap<&'static str, Option<Json>>,
    /// Why something is not known.
    reasons: BTreeSet<String>,
    /// Whether Ansible finds its condition or an argument wrong.
    refused: bool,
}

impl Did {
    fn is_known(&self) -> bool {
        self.runs == Some(false) || self.runs.is_some() && self.arguments.values().all(Option::is_some)
    }

    /// For people: what it did in a few words.
    fn shown(&self) -> String {
        let said = |(name, value): (&&str, &Option<Json>)| match value {
            Some(Json::Null) => None,
            Some(value) => Some(format!("{name} {value}")),
            None => Some(format!("{name} unknown")),
        };
        let said: Vec<String> = self.arguments.iter().filter_map(said).collect();
        match self.runs {
            _ if self.refused => "fails".to_owned(),
            Some(false) => "skipped".to_owned(),
            Some(true) => format!("runs {}", said.join(" ")),
            None => format!("perhaps {}", said.join(" ")),
        }
    }

    /// Whether both may be the same turn.
    fn fits(&self, theirs: &Self) -> bool {
        if theirs.refused {
            return !self.is_known();
        }
        let same = |(name, value): (&&str, &Option<Json>)| match (value, self.arguments.get(name)) {
            (Some(theirs), Some(Some(ours))) => same(ours, theirs),
            _ => true,
        };
        (self.runs.is_none() || theirs.runs.is_none() || self.runs == theirs.runs)
            && (theirs.runs != Some(true) || theirs.arguments.iter().all(same))
    }
}

fn shown(turns: &[Did]) -> String {
    turns.iter().map(Did::shown).collect::<Vec<_>>().join(" / ")
}

/// One answer of Ansible as turns: one, or one for each member of a loop.
fn theirs(answer: &Json) -> Vec<Did> {
    if let Some(items) = answer["items"].as_array() {
        return items.iter().flat_map(theirs).collect();
    }
    // A loop over nothing has no turn.
    if answer["reason"] == "No items in the list" {
        return Vec::new();
    }
    let mut did = Did { refused: answer["failed"].is_boolean(), ..Did::default() };
    // Other reasons not to do anything are no conditions.
    if !did.refused && answer["reason"].is_null() {
        did.runs = Some(answer["skipped"].is_null());
    }
    if let Some(given) = answer["arguments"].as_object() {
        // What is not given is omitted.
        did.arguments.extend(ARGUMENTS.map(|name| (name, Some(given.get(name).cloned().unwrap_or(Json::Null)))));
    }
    vec![did]
}

fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}

fn turn(task: &Task<'_>, turn: &Turn<'_, '_, '_>) -> Did {
    let mut did = Did::default();
    match turn.runs() {
        Tri::Unknown(reason) => _ = did.reasons.insert(reason.to_string()),
        runs => did.runs = Some(runs.is_true()),
    }
    if task.short() == "debug" && did.runs != Some(false) {
        for name in ARGUMENTS {
            let value = as_json(&turn.argument(name));
            did.reasons.extend(value.as_ref().err().cloned());
            did.arguments.insert(name, value.ok());
        }
    }
    did
}

/// What a task does on a host, as far as it is known; why there may be more.
fn ours<'a>(ansible: &Ansible<'a>, task: &Task<'a>, host: &str) -> (Vec<Did>, Vec<String>) {
    let mut all = Vec::new();
    let hosts = task.plays.iter().filter_map(|play| ansible.open_hosts(*play));
    let mut open: Vec<String> = hosts.map(ToString::to_string).collect();
    // A place that is not known may be any.
    let elsewhere = ansible.views(task, None).iter().any(|view| view.play().is_none());
    open.extend(elsewhere.then(|| "there are more ways than are followed".to_owned()));
    for view in ansible.views(task, Some(host)) {
        let turns = view.turns();
        open.extend(turns.open.map(|reason| reason.to_string()));
        all.extend(turns.list.iter().map(|own| turn(task, own)));
    }
    (all, open)
}

#[derive(Default)]
struct Count {
    answers: usize,
    equal: usize,
    unknown: usize,
    /// Hosts on which Ansible does not run a task, and that are known not to run it.
    idle: usize,
    /// Of them, those that might run it as far as is known here.
    perhaps: usize,
    /// The reasons of what is unknown, with the hosts.
    reasons: BTreeMap<String, BTreeSet<String>>,
    /// What differs, by project and task.
    wrong: BTreeMap<(String, String), String>,
}

impl Count {
    fn unknown(&mut self, label: &str, host: &str, reasons: impl IntoIterator<Item = String>) {
        let reasons: BTreeSet<String> = reasons.into_iter().collect();
        let reasons = reasons.into_iter().collect::<Vec<_>>().join("; ");
        self.reasons.entry(format!("{label}: {reasons}")).or_default().insert(host.to_owned());
    }

    fn wrong(&mut self, project: &str, task: &str, text: &str) {
        let all = self.wrong.entry((project.to_owned(), task.to_owned())).or_default();
        let _ = writeln!(all, "    {text}");
    }

    /// A host on which Ansible ran the task, or skipped it.
    fn answer(&mut self, [project, task, host]: [&str; 3], theirs: &[Did], ours: &[Did], open: &[String]) {
        self.answers += 1;
        let missing = theirs.iter().find(|theirs| open.is_empty() && !ours.iter().any(|ours| ours.fits(theirs)));
        let more = |ours: &&Did| ours.is_known() && !theirs.iter().any(|theirs| ours.fits(theirs));
        // Ansible may run less than the ways say: roles that have run already.
        let more = ours.iter().find(more).filter(|_| theirs.len() >= ours.len() || theirs.is_empty());
        if missing.is_some() || more.is_some() {
            self.wrong(project, task, &format!("{host}: ansible {}; here {} {open:?}", shown(theirs), shown(ours)));
            return;
        }
        let known = |theirs: &Did| ours.iter().any(|ours| ours.is_known() && ours.fits(theirs));
        let known = theirs.iter().all(|theirs| theirs.refused || known(theirs));
        let closed = open.is_empty() && (!theirs.is_empty() || ours.iter().all(Did::is_known));
        if known && closed {
            self.equal += 1;
            return;
        }
        self.unknown += 1;
        let reasons = ours.iter().flat_map(|did| did.reasons.iter().cloned()).chain(open.iter().cloned());
        self.unknown(&format!("{project}: {task}"), host, reasons);
    }

    /// A host on which Ansible did not come to the task.
    fn none(&mut self, [project, task, host]: [&str; 3], ours: &[Did]) {
        self.idle += 1;
        let runs: Vec<&Did> = ours.iter().filter(|did| did.runs != Some(false)).collect();
        if runs.iter().any(|did| did.runs == Some(true)) {
            self.wrong(project, task, &format!("{host}: ansible does not come to it; here {}", shown(ours)));
        } else if !runs.is_empty() {
            self.perhaps += 1;
            let reasons = runs.iter().flat_map(|did| did.reasons.iter().cloned());
            self.unknown(&format!("{project}: {task} (not run)"), host, reasons);
        }
    }

    fn summary(&self) -> String {
        format!(
            "{} of {} answers equal, {} unknown; {} of {} hosts that do not come to a task might; {} tasks differ",
            self.equal,
            self.answers,
            self.unknown,
            self.perhaps,
            self.idle,
            self.wrong.len()
        )
    }
}

fn compare(count: &mut Count, folder: &Path, runs: &Json) {
    let project = name(folder);
    let tree = stateward::source::disk::tree(folder).expect("the project can be read");
    let documents = Documents::load(&tree, &Options::default());
    let ansible = Ansible::run_by(&documents, &command::of_documents(&documents));
    for run in runs.as_array().expect("a list of runs") {
        let hosts: Vec<&str> = run["hosts"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        for (title, answers) in run["tasks"].as_object().expect("tasks by name") {
            let mut tasks = ansible.tasks.iter().filter(|task| task.name == Some(title.as_str()));
            let Some(task) = tasks.next() else {
                count.answers += answers.as_object().map_or(0, Map::len);
                count.wrong(&project, title, "the task is not found");
                continue;
            };
            assert!(tasks.next().is_none(), "{project}: two tasks are named {title}");
            for host in &hosts {
                let (ours, open) = ours(&ansible, task, host);
                match answers[host].as_array() {
                    Some(times) => {
                        let theirs: Vec<Did> = times.iter().flat_map(theirs).collect();
                        count.answer([&project, title, host], &theirs, &ours, &open);
                    }
                    None => count.none([&project, title, host], &ours),
                }
            }
        }
    }
}

/// Fails with the first task that now does something else.
fn differs(project: &str, asked: &Json, recorded: &Json) {
    for (now, before) in asked.as_array().into_iter().flatten().zip(recorded.as_array().into_iter().flatten()) {
        for (task, hosts) in now["tasks"].as_object().expect("tasks by name") {
            assert_eq!(hosts, &before["tasks"][task], "{project}: {task}: STATEWARD_UPDATE=1 records anew");
        }
    }
    assert!(asked == recorded, "{project}: runs, tasks or hosts are gone");
}

#[test]
fn the_record_is_what_ansible_does() {
    let (mut answers, mut differing) = (0, 0);
    let python = ansible_python();
    for folder in folders() {
        if let Some(python) = &python {
            let asked = asked(python, &folder);
            if std::env::var_os("STATEWARD_UPDATE").is_some() {
                fs::write(folder.join(RECORD), format!("{asked:#}\n")).expect("it can be written");
            }
            differs(&name(&folder), &asked, &recorded(&folder));
        }
        for run in recorded(&folder).as_array().expect("a list of runs") {
            for (_, hosts) in run["tasks"].as_object().expect("tasks by name") {
                let hosts: Vec<&Json> = hosts.as_object().into_iter().flatten().map(|(_, times)| times).collect();
                answers += hosts.len();
                differing += if hosts.iter().any(|times| *times != hosts[0]) { hosts.len() } else { 0 };
            }
        }
    }
    println!("{answers} answers, {differing} of tasks that do not do the same on every host");
    assert!(answers > 1000 && differing > 400, "{answers} answers, {differing} that differ between hosts");
}

#[test]
fn tasks_do_what_they_do_in_ansible() {
    let mut count = Count::default();
    for folder in folders() {
        compare(&mut count, &folder, &recorded(&folder));
    }
    for ((project, task), text) in &count.wrong {
        print!("{project}: {task}\n{text}");
    }
    println!("{}", count.summary());
    let mut shown = String::new();
    for (what, hosts) in &count.reasons {
        let _ = writeln!(shown, "{what} [{}]", hosts.iter().map(String::as_str).collect::<Vec<_>>().join(" "));
    }
    insta::assert_snapshot!("plays_unknown", shown);
    let listed: BTreeSet<(&str, &str)> = KNOWN.iter().flat_map(|(_, tasks)| tasks.iter().copied()).collect();
    let wrong: BTreeSet<(&str, &str)> = count.wrong.keys().map(|(project, task)| (&**project, &**task)).collect();
    let new: Vec<_> = wrong.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&wrong).collect();
    assert!(new.is_empty() && gone.is_empty(), "differ, and are not listed: {new:#?}; listed, but agree: {gone:#?}");
    assert!(count.equal * 100 >= count.answers * 70, "{}", count.summary());
}

/// Projects of another folder, asked anew where they have no record.
#[test]
fn corpus() {
    let Some(corpus) = std::env::var_os("STATEWARD_CORPUS") else { return };
    let python = ansible_python().expect("Ansible is at hand");
    let mut count = Count::default();
    let listed =
        fs::read_dir(corpus).expect("the corpus is there").map(|entry| entry.expect("it can be listed").path());
    let mut folders: Vec<PathBuf> = listed.filter(|path| path.join("deploy.sh").is_file()).collect();
    folders.sort();
    for folder in folders {
        let record = folder.join(RECORD);
        if !record.is_file() {
            fs::write(&record, format!("{:#}\n", asked(&python, &folder))).expect("it can be written");
        }
        compare(&mut count, &folder, &recorded(&folder));
    }
    for ((project, task), text) in &count.wrong {
        print!("{project}: {task}\n{text}");
    }
    for (what, hosts) in &count.reasons {
        println!("unknown {what} {hosts:?}");
    }
    println!("{}", count.summary());
    assert!(count.wrong.is_empty(), "{} tasks differ", count.wrong.len());
}
