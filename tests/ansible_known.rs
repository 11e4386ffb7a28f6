//! How much of each task the files decide: on which hosts it can run, its module, its arguments, and why not.
//!
//! `STATEWARD_CORPUS=<folder>` measures the repository there, or each repository in it, and prints them with `--nocapture`;
//! `STATEWARD_SHOW=<part of path:line>` prints the tasks of that place with what is known of them.

use stateward::knowledge::ansible as known;
use stateward::model::ansible::{Ansible, Task};
use stateward::model::command;
use stateward::model::load::{Documents, Options};
use stateward::value::{Data, Kind, Piece, Reason, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Default)]
struct Count {
    tasks: usize,
    reached: usize,
    hosts: usize,
    module: usize,
    arguments: usize,
    all: usize,
    /// Single arguments, and how many of them are known, wholly or as one of several.
    given: usize,
    given_known: usize,
    conditions: [usize; 3],
    reasons: BTreeMap<String, (usize, String)>,
}

/// Why a value is not known, all the way down.
fn unknown(value: &Value) -> Option<Reason> {
    match &value.kind {
        Kind::Known(Data::List(list)) => list.open.clone().or_else(|| list.items.iter().find_map(unknown)),
        Kind::Known(Data::Map(map)) => {
            map.open.clone().or_else(|| map.entries.iter().find_map(|(_, own)| unknown(own)))
        }
        Kind::OneOf(_) | Kind::Known(_) | Kind::Absent => None,
        Kind::Unknown(reason) => Some(reason.clone()),
        Kind::Text(pieces) => pieces.iter().find_map(|piece| match piece {
            Piece::Hole(reason) => Some(reason.clone()),
            Piece::Lit(_) => None,
        }),
    }
}

/// The kind of a reason: names in it replaced.
fn kind(reason: &str) -> String {
    let mut kind = String::new();
    for (at, part) in reason.split('`').enumerate() {
        kind.push_str(if at % 2 == 0 { part } else { "…" });
    }
    kind
}

fn add<'a>(ansible: &Ansible<'a>, task: &Task<'a>, count: &mut Count) {
    let mut because = |reason: &str| {
        let entry = count.reasons.entry(kind(reason)).or_default();
        entry.0 += 1;
        if entry.1.is_empty() {
            let path = ansible.documents.tree.path(task.file);
            entry.1 = format!("{reason} ({path}:{})", ansible.documents.tree.line(task.loc));
        }
    };
    let reached = !task.plays.is_empty();
    let open = task.plays.iter().find_map(|play| ansible.open_hosts(*play));
    match open {
        _ if !reached => because("no play here reaches the task"),
        Some(reason) => because(reason),
        None => {}
    }
    let hosts = reached && open.is_none();
    let module = known::module(&task.module).is_some() || task.module.contains('.');
    let mut arguments = true;
    for argument in &task.arguments {
        count.given += 1;
        let reason = ansible.each(task, &argument.name).iter().find_map(unknown);
        count.given_known += usize::from(reason.is_none());
        if let Some(reason) = reason {
            arguments = false;
            because(&reason);
        }
    }
    let truths: Vec<_> = ansible.views(task, None).iter().map(stateward::model::ansible::View::runs).collect();
    // Where no include leads, nothing runs.
    let which = if truths.iter().all(stateward::value::Tri::is_false) {
        2
    } else {
        usize::from(!truths.iter().all(stateward::value::Tri::is_true))
    };
    count.conditions[which] += 1;
    count.tasks += 1;
    count.reached += usize::from(reached);
    count.hosts += usize::from(hosts);
    count.module += usize::from(module);
    count.arguments += usize::from(arguments);
    count.all += usize::from(hosts && module && arguments);
}

fn measure(folder: &Path) -> Count {
    let tree = stateward::source::disk::tree(folder).unwrap();
    let documents = Documents::load(&tree, &Options::default());
    let ansible = Ansible::run_by(&documents, &command::of_documents(&documents));
    let mut count = Count::default();
    let show = std::env::var("STATEWARD_SHOW").ok();
    for task in &ansible.tasks {
        let place = || format!("{}:{}", tree.path(task.file), tree.line(task.loc));
        if show.as_ref().is_some_and(|show| place().contains(show.as_str())) {
            println!("{} {} plays {:?}", place(), task.module, task.plays);
            for argument in &task.arguments {
                let value = ansible.argument(task, &argument.name);
                println!("  {}: {} {:?}", argument.name, value.display(), unknown(&value));
                println!(
                    "    each {:?}",
                    ansible.each(task, &argument.name).iter().map(Value::display).collect::<Vec<_>>()
                );
            }
            for view in ansible.views(task, None).iter().take(5) {
                println!("  play {:?} host {:?} runs {:?}", view.play(), view.host(), view.runs());
            }
        }
        add(&ansible, task, &mut count);
    }
    count
}

fn share(part: usize, whole: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let share = if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    format!("{part} ({share:.1} %)")
}

fn print(name: &str, count: &Count) {
    let of = |part| share(part, count.tasks);
    println!("{name}: {} tasks; reached {}; hosts known {}", count.tasks, of(count.reached), of(count.hosts));
    println!(
        "  module known {}; arguments known {}; all three {}",
        of(count.module),
        of(count.arguments),
        of(count.all)
    );
    println!("  arguments one by one: {} of {}", share(count.given_known, count.given), count.given);
    let [yes, maybe, no] = count.conditions;
    println!("  runs {}; conditional {}; never {}", of(yes), of(maybe), of(no));
    let mut reasons: Vec<_> = count.reasons.iter().collect();
    reasons.sort_by_key(|(_, (times, _))| std::cmp::Reverse(*times));
    for (kind, (times, first)) in reasons.into_iter().take(12) {
        println!("  {times:6} {kind}\n         first: {first}");
    }
}

/// The fixtures of this repository say most of what their tasks do; the hosts of one come from a script.
#[test]
fn tasks_of_the_fixtures_are_known() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for (name, arguments, hosts) in [("platform/violating", 90, 60), ("platform/clean", 90, 0)] {
        let count = measure(&fixtures.join(name));
        print(name, &count);
        assert!(count.tasks > 5, "{name}: {} tasks", count.tasks);
        assert!(count.given_known * 100 >= count.given * arguments, "{name}: {} of {}", count.given_known, count.given);
        assert!(count.hosts * 100 >= count.tasks * hosts, "{name}: hosts of {} of {}", count.hosts, count.tasks);
    }
}

#[test]
fn tasks_of_a_corpus_are_counted() {
    let Some(corpus) = std::env::var_os("STATEWARD_CORPUS").map(PathBuf::from) else { return };
    let one = corpus.join(".git").exists();
    let mut folders: Vec<PathBuf> = if one {
        vec![corpus]
    } else {
        std::fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    folders.sort();
    for folder in folders {
        let count = measure(&folder);
        if count.tasks > 0 {
            print(&folder.file_name().unwrap_or_default().to_string_lossy(), &count);
        }
    }
}
