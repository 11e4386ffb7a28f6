//! Playbooks against Ansible: the plays and tasks that `ansible-playbook --list-hosts --list-tasks` prints, in order.
//!
//! Each folder of `tests/playbooks` is a project; `tasks.json` beside its files is what Ansible listed, written by this test with
//! `STATEWARD_UPDATE=1`. Where `ansible-playbook` is at hand it is asked again; `STATEWARD_ORACLES=required` makes its absence a
//! failure. `STATEWARD_CORPUS` names a folder of repositories whose playbooks are compared too; `STATEWARD_LISTED` one with
//! answers for them, `<repository>.json`, to use instead of asking.

mod support;

use serde_json::Value as Json;
use stateward::model::ansible::{Ansible, Run};
use stateward::model::kind::{Kind, Skip};
use stateward::model::load::{Documents, Options, Outcome};
use stateward::source::Tree;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{ROOT, ansible_python};

const RECORD: &str = "tasks.json";

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// What Ansible lists for each playbook of a folder.
fn listed(python: &Path, folder: &Path) -> Json {
    let name = name(folder);
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("listed-{name}-{}.json", std::process::id()));
    let script = Path::new(ROOT).join("tests/oracle/ansible_tasks.py");
    let status = Command::new(python).arg(script).arg(folder).arg(&out).status().unwrap();
    assert!(status.success(), "{name}: the listing fails");
    let text = fs::read_to_string(&out).unwrap();
    fs::remove_file(&out).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// How playbooks agree.
#[derive(Default)]
struct Count {
    playbooks: usize,
    loaded: usize,
    /// Not judged, because the path says that it is an archive or somebody else's.
    passed: usize,
    equal: usize,
    tasks: usize,
    agreed: usize,
    tags: usize,
    causes: BTreeMap<&'static str, usize>,
    found: Vec<String>,
}

impl Count {
    fn differs(&mut self, cause: &'static str, count: usize, text: &str) {
        *self.causes.entry(cause).or_default() += count;
        self.found.push(format!("{cause}: {text}"));
    }

    fn add(&mut self, other: Self) {
        self.playbooks += other.playbooks;
        self.loaded += other.loaded;
        self.passed += other.passed;
        self.equal += other.equal;
        self.tasks += other.tasks;
        self.agreed += other.agreed;
        self.tags += other.tags;
        for (cause, count) in other.causes {
            *self.causes.entry(cause).or_default() += count;
        }
        self.found.extend(other.found);
    }

    fn summary(&self) -> String {
        format!(
            "{} of {} playbooks loaded by Ansible, {} passed over, {} equal; {} of {} tasks agree, tags too of {}; by cause {:?}",
            self.loaded, self.playbooks, self.passed, self.equal, self.agreed, self.tasks, self.tags, self.causes
        )
    }
}

fn compare(folder: &Path, listed: &Json) -> Count {
    let tree = stateward::source::disk::tree(folder).unwrap();
    let documents = Documents::load(&tree, &Options::default());
    let ansible = Ansible::build(&documents);
    let mut count = Count::default();
    for (path, listing) in listed.as_object().unwrap() {
        count.playbooks += 1;
        let Some(plays) = listing["plays"].as_array() else { continue };
        count.loaded += 1;
        let label = format!("{}/{path}", name(folder));
        let before = count.found.len();
        let file = tree.find(path);
        // What is passed over on purpose is not compared.
        let outcome = file.map(|file| &documents.outcomes[file.0 as usize]);
        if matches!(outcome, Some(Outcome::Skipped(Skip::Archived | Skip::Vendored))) {
            count.passed += 1;
            continue;
        }
        let known = file.and_then(|file| documents.document(file)).is_some_and(|own| own.kind == Kind::Playbook);
        if let Some(file) = file.filter(|_| known) {
            compare_plays(&mut count, &label, &ansible.runs(file), plays);
        } else {
            let tasks: usize = plays.iter().map(|play| play["tasks"].as_array().unwrap().len()).sum();
            count.tasks += tasks;
            count.differs(why_unknown(&tree, path), tasks, &label);
        }
        count.equal += usize::from(count.found.len() == before);
    }
    count
}

fn why_unknown(tree: &Tree, path: &str) -> &'static str {
    match tree.find(path) {
        Some(file) if tree.file(file).symlink.is_some() => "the file is a link",
        Some(_) => "the file is no playbook here",
        None => "the file is ignored here",
    }
}

fn compare_plays(count: &mut Count, label: &str, ours: &[Run<'_>], theirs: &[Json]) {
    if ours.len() != theirs.len() {
        count.differs("another number of plays", 0, &format!("{label}: {} here, {} there", ours.len(), theirs.len()));
    }
    for (at, play) in theirs.iter().enumerate() {
        let tasks = play["tasks"].as_array().unwrap();
        count.tasks += tasks.len();
        let Some(run) = ours.get(at) else {
            count.differs("a play is missing", tasks.len(), &format!("{label}: play {}", at + 1));
            continue;
        };
        let label = format!("{label} play {}", at + 1);
        for (what, ours, theirs) in [("name", &run.name, &play["name"]), ("hosts", &run.hosts, &play["hosts"])] {
            // Ansible has put variables in.
            if Some(ours.trim()) != theirs.as_str().map(str::trim) && !ours.contains("{{") {
                count.differs("a play's name or hosts differ", 0, &format!("{label}: {what} {ours:?}, {theirs}"));
            }
        }
        compare_tasks(count, &label, run, tasks);
    }
}

fn compare_tasks(count: &mut Count, label: &str, run: &Run<'_>, theirs: &[Json]) {
    let shown = |role: &Option<String>, name: &str| match role {
        Some(role) => format!("{role} : {name}"),
        None => name.to_owned(),
    };
    let ours: Vec<String> = run.steps.iter().map(|step| shown(&step.role, &step.name)).collect();
    let names: Vec<&str> = theirs.iter().map(|task| task["name"].as_str().unwrap()).collect();
    let pairs = common(&ours, &names);
    count.agreed += pairs.len();
    for (a, b) in &pairs {
        let tags: Vec<&str> = theirs[*b]["tags"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
        let own: Vec<&str> = run.steps[*a].tags.iter().copied().collect();
        if own == tags || own.iter().any(|tag| tag.contains("{{")) {
            count.tags += 1;
        } else {
            count.differs("tags differ", 1, &format!("{label}: {}: {own:?} here, {tags:?} there", ours[*a]));
        }
    }
    for at in (0..ours.len()).filter(|at| pairs.iter().all(|(a, _)| a != at)) {
        count.differs("a task more here", 1, &format!("{label}: {at} {:?}", ours[at]));
    }
    for at in (0..names.len()).filter(|at| pairs.iter().all(|(_, b)| b != at)) {
        count.differs("a task is missing", 1, &format!("{label}: {at} {:?}", names[at]));
    }
}

/// The pairs of equal members that stand in the same order on both sides: what is equal at both ends, and the longest way between.
fn common(ours: &[String], theirs: &[&str]) -> Vec<(usize, usize)> {
    let head = ours.iter().zip(theirs).take_while(|(a, b)| a.trim_end() == b.trim_end()).count();
    let mut pairs: Vec<(usize, usize)> = (0..head).map(|at| (at, at)).collect();
    let (a, b) = (&ours[head..], &theirs[head..]);
    if a.is_empty() || b.is_empty() || a.len() * b.len() > 50_000_000 {
        return pairs;
    }
    let mut best = vec![vec![0_u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            best[i][j] = if a[i].trim_end() == b[j].trim_end() {
                best[i + 1][j + 1] + 1
            } else {
                best[i + 1][j].max(best[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i].trim_end() == b[j].trim_end() {
            pairs.push((head + i, head + j));
            (i, j) = (i + 1, j + 1);
        } else if best[i + 1][j] >= best[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[test]
fn playbooks_run_what_ansible_lists() {
    let python = ansible_python();
    let mut all = Count::default();
    for folder in folders(&Path::new(ROOT).join("tests/playbooks")) {
        let record = folder.join(RECORD);
        let asked = python.as_ref().map(|python| listed(python, &folder));
        if let Some(asked) = asked.as_ref().filter(|_| std::env::var_os("STATEWARD_UPDATE").is_some()) {
            fs::write(&record, format!("{asked:#}\n")).unwrap();
        }
        let recorded: Json = serde_json::from_str(&fs::read_to_string(&record).unwrap()).unwrap();
        if let Some(asked) = asked {
            assert_eq!(asked, recorded, "{}: Ansible lists something else now", folder.display());
        }
        all.add(compare(&folder, &recorded));
    }
    println!("{}", all.summary());
    assert!(all.loaded == all.playbooks && all.tasks > 100, "{}", all.summary());
    assert!(all.found.is_empty(), "{}", all.found.join("\n"));
}

#[test]
fn playbooks_of_other_repositories() {
    let Some(corpus) = std::env::var_os("STATEWARD_CORPUS") else { return };
    let answers = std::env::var_os("STATEWARD_LISTED").map(PathBuf::from);
    let python = ansible_python();
    let mut all = Count::default();
    for folder in folders(Path::new(&corpus)) {
        let name = name(&folder);
        let answer = answers.as_ref().map(|answers| answers.join(format!("{name}.json")));
        let known =
            answer.and_then(|path| fs::read_to_string(path).ok()).and_then(|text| serde_json::from_str(&text).ok());
        let listed: Json = match (known, &python) {
            (Some(known), _) => known,
            (None, Some(python)) if answers.is_none() => listed(python, &folder),
            _ => continue,
        };
        let count = compare(&folder, &listed);
        if count.playbooks > 0 {
            println!("{name}: {}", count.summary());
        }
        all.add(count);
    }
    for line in &all.found {
        println!("{line}");
    }
    println!("all: {}", all.summary());
    assert!(all.agreed * 100 >= all.tasks * 98, "{}", all.summary());
}
