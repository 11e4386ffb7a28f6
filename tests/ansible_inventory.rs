//! Inventories against Ansible: hosts, groups, the variables that each host is given, and what patterns choose.
//!
//! Each folder of `tests/inventories` is a project: `inventory` in it is the source, or the lines of `sources`; `site.yml` means
//! that it is read as for a playbook in the folder. `inventory.json` beside them is what `ansible-inventory` said, `patterns.json`
//! what `ansible --list-hosts` chose; both are written by this test with `STATEWARD_UPDATE=1`. Where Ansible is at hand it is asked
//! again; `STATEWARD_ORACLES=required` makes its absence a failure. `STATEWARD_CORPUS` names a folder of repositories whose
//! inventories are compared too, and counted. Ansible works on a copy and runs neither scripts nor plugins that look for hosts.

use serde_json::{Map, Value as Json, json};
use stateward::model::ansible::{Merged, Pattern, Setting, layers, merge};
use stateward::model::load::{Documents, Options};
use stateward::syntax::yaml::{Node, NodeKind, Scalar};
use stateward::value::{Data, Kind, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const VAULTED: &str = "(vaulted)";

fn updating() -> bool {
    std::env::var_os("STATEWARD_UPDATE").is_some()
}

/// Whole numbers as such, so that `1` and `1.0` are the same.
fn number(value: f64) -> Json {
    #[expect(clippy::cast_possible_truncation, reason = "only whole numbers that fit are cut")]
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

fn of_value(value: &Value) -> Json {
    match &value.kind {
        Kind::Absent | Kind::Known(Data::Null) => Json::Null,
        Kind::Known(Data::Bool(value)) => json!(value),
        Kind::Known(Data::Number(value)) => number(*value),
        Kind::Known(Data::Str(text)) => json!(&**text),
        Kind::Known(Data::List(list)) => list.items.iter().map(of_value).collect(),
        Kind::Known(Data::Map(map)) => {
            map.entries.iter().map(|(key, value)| (key.to_string(), of_value(value))).collect::<Map<_, _>>().into()
        }
        _ => json!("(not known)"),
    }
}

fn of_node(node: Node<'_>) -> Json {
    match node.kind() {
        NodeKind::Seq(_) => node.items().map(of_node).collect(),
        NodeKind::Map(_) => {
            let key = |node: Node<'_>| match node.resolve() {
                Scalar::Null => "null".to_owned(),
                Scalar::Bool(value) => value.to_string(),
                Scalar::Number(value) => number(value).to_string(),
                Scalar::Str => node.as_str().unwrap_or("").to_owned(),
            };
            node.entries().into_iter().map(|(name, value)| (key(name), of_node(value))).collect::<Map<_, _>>().into()
        }
        _ if matches!(node.tag(), Some("!vault" | "!vault-encrypted")) => json!(VAULTED),
        _ => match node.resolve() {
            Scalar::Null => Json::Null,
            Scalar::Bool(value) => json!(value),
            Scalar::Number(value) => number(value),
            Scalar::Str => json!(node.as_str().unwrap_or("")),
        },
    }
}

/// What is compared: `hosts` with their variables, `groups` with their hosts and children.
fn shape(hosts: BTreeMap<String, Json>, groups: &BTreeMap<String, [BTreeSet<String>; 2]>) -> Json {
    let groups: Map<String, Json> = groups
        .iter()
        .filter(|(_, [hosts, children])| !hosts.is_empty() || !children.is_empty())
        .map(|(name, [hosts, children])| (name.clone(), json!({"hosts": hosts, "children": children})))
        .collect();
    json!({"hosts": hosts.into_iter().collect::<Map<_, _>>(), "groups": groups})
}

/// As this project reads it.
fn ours(documents: &Documents<'_>, inventory: &Merged<'_>, playbook: Option<&str>) -> Json {
    let listed = inventory.members(0).into_iter().map(|host| &inventory.hosts[host].name);
    let hosts = listed.map(|name| {
        let layers = layers(documents, inventory, name, playbook);
        let variables = layers.all().into_iter().map(|(name, (setting, _))| {
            let value = match setting {
                Setting::Node(node) => of_node(node),
                Setting::Value(value) => of_value(&value),
            };
            (name, value)
        });
        (name.clone(), variables.collect::<Map<_, _>>().into())
    });
    let groups = inventory.groups.iter().map(|group| {
        let hosts = group.hosts.iter().map(|host| inventory.hosts[*host].name.clone());
        let children = group.children.iter().map(|child| inventory.groups[*child].name.clone());
        (group.name.clone(), [if group.name == "all" { BTreeSet::new() } else { hosts.collect() }, children.collect()])
    });
    let mut groups: BTreeMap<String, [BTreeSet<String>; 2]> = groups.collect();
    // Of an inventory that Ansible refuses as a whole, groups may hang in the air: they are not shown.
    let (mut open, mut shown) = (vec!["all".to_owned()], BTreeSet::new());
    while let Some(name) = open.pop() {
        open.extend(groups[&name][1].iter().filter(|child| !shown.contains(*child)).cloned());
        shown.insert(name);
    }
    groups.retain(|name, _| shown.contains(name));
    if shown.len() == 2 && groups["ungrouped"][0].is_empty() {
        groups.clear();
    }
    shape(hosts.collect(), &groups)
}

/// JSON of Ansible with the marks of its own types taken off.
fn plain(value: &Json) -> Json {
    match value {
        Json::Number(value) => number(value.as_f64().unwrap_or(f64::NAN)),
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Object(members) => {
            if members.contains_key("__ansible_vault") {
                return json!(VAULTED);
            }
            if let Some(text) = members.get("__ansible_unsafe") {
                return text.clone();
            }
            members.iter().map(|(key, value)| (key.clone(), plain(value))).collect::<Map<_, _>>().into()
        }
        value => value.clone(),
    }
}

fn theirs(listed: &Json) -> Json {
    let texts = |value: &Json| -> BTreeSet<String> {
        value.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
    };
    let mut groups = BTreeMap::new();
    for (name, group) in listed.as_object().into_iter().flatten().filter(|(name, _)| *name != "_meta") {
        groups.insert(name.clone(), [texts(&group["hosts"]), texts(&group["children"])]);
    }
    if groups.len() == 1 && groups["all"][1].len() == 1 {
        groups.clear();
    }
    let given = listed["_meta"]["hostvars"].as_object().cloned().unwrap_or_default();
    // A host without variables is only in its groups.
    let named = groups.values().flat_map(|[hosts, _]| hosts).cloned();
    let hosts = named.map(|name| {
        let variables = given.get(&name).map_or_else(|| json!({}), plain);
        (name, variables)
    });
    shape(hosts.collect(), &groups)
}

/// A copy of a project with settings of its own; removed at the end.
struct Copy(PathBuf);

impl Copy {
    fn new(name: &str, from: &Path) -> Self {
        let root = std::env::temp_dir().join(format!("stateward-inventory-{}-{name}", std::process::id()));
        copy_folder(from, &root.join("project"));
        fs::create_dir_all(root.join("home")).unwrap();
        let settings = "[defaults]\nlocalhost_warning = False\n[inventory]\nenable_plugins = host_list, yaml, ini\n";
        fs::write(root.join("ansible.cfg"), settings).unwrap();
        Self(root)
    }

    fn project(&self) -> PathBuf {
        self.0.join("project")
    }

    /// What a program of Ansible prints; an error is what it says of it.
    fn run(&self, program: &str, arguments: &[&str]) -> Option<Result<String, String>> {
        let mut command = Command::new(program);
        command.current_dir(self.0.join("home")).args(arguments).env("ANSIBLE_CONFIG", self.0.join("ansible.cfg"));
        command.env("HOME", self.0.join("home")).env("ANSIBLE_LOCALHOST_WARNING", "False").env("LC_ALL", "C.UTF-8");
        let output = command.output().ok()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) })
    }

    /// What `ansible-inventory` says of these sources; none where there is no Ansible.
    fn listed(&self, sources: &[String], playbook: Option<&str>) -> Option<Result<Json, String>> {
        let path = |path: &str| self.project().join(path).to_string_lossy().into_owned();
        let mut arguments = vec!["--list".to_owned()];
        arguments.extend(sources.iter().flat_map(|source| ["-i".to_owned(), path(source)]));
        arguments.extend(playbook.iter().flat_map(|folder| ["--playbook-dir".to_owned(), path(folder)]));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = self.run("ansible-inventory", &arguments)?;
        Some(output.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_symlink() {
            if let Ok(link) = fs::read_link(&path) {
                let _ = std::os::unix::fs::symlink(link, target);
            }
        } else if kind.is_dir() && entry.file_name() != ".git" {
            copy_folder(&path, &target);
        } else if kind.is_file() {
            // Nobody here has the key of a vault: its file is as good as empty.
            let bytes = fs::read(&path).unwrap_or_default();
            fs::write(target, if bytes.starts_with(b"$ANSIBLE_VAULT") { Vec::new() } else { bytes }).unwrap();
        }
    }
}

#[derive(Default)]
struct Tally {
    hosts: [usize; 2],
    groups: [usize; 2],
    variables: [usize; 2],
    found: Vec<String>,
}

impl Tally {
    fn one(&mut self, what: fn(&mut Self) -> &mut [usize; 2], same: bool, message: impl FnOnce() -> String) {
        let count = what(self);
        count[0] += usize::from(same);
        count[1] += 1;
        if !same {
            self.found.push(message());
        }
    }

    fn compare(&mut self, at: &str, ours: &Json, theirs: &Json) {
        let keys = |a: &Json, b: &Json| -> BTreeSet<String> {
            let keys =
                |value: &Json| value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect::<Vec<_>>();
            keys(a).into_iter().chain(keys(b)).collect()
        };
        for name in keys(&ours["groups"], &theirs["groups"]) {
            let (a, b) = (&ours["groups"][&name], &theirs["groups"][&name]);
            self.one(|tally| &mut tally.groups, a == b, || format!("{at} [{name}]: {a} here, {b} by Ansible"));
        }
        for host in keys(&ours["hosts"], &theirs["hosts"]) {
            let (a, b) = (ours["hosts"].get(&host), theirs["hosts"].get(&host));
            let same = a.is_some() && b.is_some();
            let missing = if a.is_none() { "here" } else { "by Ansible" };
            self.one(|tally| &mut tally.hosts, same, || format!("{at} {host}: no such host {missing}"));
            let (Some(a), Some(b)) = (a, b) else { continue };
            for name in keys(a, b) {
                let (a, b) = (a.get(&name), b.get(&name));
                let text = |value: Option<&Json>| value.map_or_else(|| "(nothing)".to_owned(), Json::to_string);
                let message = || format!("{at} {host} {name}: {} here, {} by Ansible", text(a), text(b));
                self.one(|tally| &mut tally.variables, a == b, message);
            }
        }
    }
}

struct Case {
    name: String,
    folder: PathBuf,
    sources: Vec<String>,
    playbook: Option<&'static str>,
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inventories");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let case = |folder: PathBuf| {
        let sources = fs::read_to_string(folder.join("sources")).unwrap_or_else(|_| "inventory".to_owned());
        Case {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            sources: sources.split_whitespace().map(str::to_owned).collect(),
            playbook: folder.join("site.yml").exists().then_some(""),
            folder,
        }
    };
    folders.into_iter().map(case).collect()
}

fn recorded(path: &Path) -> Json {
    fs::read_to_string(path).map_or(Json::Null, |text| serde_json::from_str(&text).unwrap())
}

/// Asks Ansible again, and with `STATEWARD_UPDATE` writes down what it says; whether it was there.
fn ask(case: &Case, tally: &mut Tally) -> bool {
    let copy = Copy::new(&case.name, &case.folder);
    let Some(listed) = copy.listed(&case.sources, case.playbook) else { return false };
    let listed = theirs(&listed.unwrap_or_else(|error| panic!("{}: {error}", case.name)));
    let record = case.folder.join("inventory.json");
    if updating() {
        fs::write(&record, format!("{listed:#}\n")).unwrap();
    }
    tally.compare(&format!("{} (record)", case.name), &recorded(&record), &listed);
    let patterns = case.folder.join("patterns.json");
    let mut chosen = recorded(&patterns);
    for (pattern, record) in chosen.as_object_mut().into_iter().flatten() {
        let mut arguments: Vec<String> = vec!["--list-hosts".to_owned(), pattern.clone()];
        let path = |source: &String| copy.project().join(source).to_string_lossy().into_owned();
        arguments.extend(case.sources.iter().flat_map(|source| ["-i".to_owned(), path(source)]));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = copy.run("ansible", &arguments).unwrap().unwrap_or_default();
        let hosts: Json = output.lines().skip(1).map(|line| json!(line.trim())).collect();
        if updating() {
            *record = hosts;
        } else if *record != hosts {
            tally.found.push(format!("{} (record) {pattern}: {record}, {hosts} by Ansible", case.name));
        }
    }
    if updating() && chosen.is_object() {
        fs::write(patterns, format!("{chosen:#}\n")).unwrap();
    }
    true
}

#[test]
fn inventories_are_what_ansible_makes_of_them() {
    let (mut tally, mut asked) = (Tally::default(), 0);
    let cases = cases();
    for case in &cases {
        asked += usize::from(ask(case, &mut tally));
    }
    if asked == 0 {
        println!("ansible-inventory is not installed: only what it said before is compared");
    }
    let required = std::env::var("STATEWARD_ORACLES").is_ok_and(|value| value == "required");
    assert!(asked > 0 || !required, "ansible-inventory is not installed");
    let mut chosen = 0;
    let stale = std::mem::take(&mut tally).found;
    assert!(stale.is_empty(), "{}", stale.join("\n"));
    for case in &cases {
        let tree = stateward::source::disk::tree(&case.folder).unwrap();
        let documents = Documents::load(&tree, &Options::default());
        let sources: Vec<&str> = case.sources.iter().map(String::as_str).collect();
        let inventory = merge(&documents, &sources);
        let own = ours(&documents, &inventory, case.playbook);
        tally.compare(&case.name, &own, &recorded(&case.folder.join("inventory.json")));
        for (pattern, record) in recorded(&case.folder.join("patterns.json")).as_object().into_iter().flatten() {
            let hosts = json!(Pattern::parse(pattern).select(&inventory));
            chosen += 1;
            if hosts != *record {
                tally.found.push(format!("{} {pattern}: {hosts} here, {record} by Ansible", case.name));
            }
        }
    }
    println!(
        "{} hosts, {} groups, {} variables, {chosen} patterns compared; Ansible was asked of {asked} projects",
        tally.hosts[1], tally.groups[1], tally.variables[1]
    );
    assert!(tally.hosts[1] > 60 && tally.variables[1] > 300, "too little is compared");
    assert!(tally.found.is_empty(), "{}", tally.found.join("\n"));
}

/// Files that may be inventories: named so, or in a folder of that name, and not ignored in it.
fn candidates(repository: &Path) -> BTreeSet<String> {
    let ignored = ["md", "txt", "rst", "sh", "py", "j2", "cfg", "example", "tf", "tfvars", "tpl", "orig", "tmpl"];
    let folders = ["templates", "tasks", "group_vars", "host_vars", "vars", "node_modules", ".git"];
    let mut found = BTreeSet::new();
    for entry in walkdir::WalkDir::new(repository).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
        let path = entry.path().strip_prefix(repository).unwrap();
        let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let (name, above) = parts.split_last().unwrap();
        let end = path.extension().map_or_else(String::new, |end| end.to_string_lossy().into_owned());
        let named = name.starts_with("hosts") || name.contains("inventor");
        let inside = above.last().is_some_and(|folder| folder.contains("inventor"))
            || above.iter().rev().nth(1).is_some_and(|folder| folder == "inventories");
        let out = above.iter().any(|folder| folders.contains(&folder.as_str())) || name.starts_with('.');
        if (named || inside) && !out && !ignored.contains(&end.as_str()) {
            found.insert(parts.join("/"));
        }
    }
    found
}

/// The folder around an inventory that has variables beside a playbook of its own.
fn playbook(repository: &Path, source: &str) -> Option<String> {
    let around = Path::new(source).parent()?.ancestors().skip(1);
    let mut with = around
        .filter(|folder| ["group_vars", "host_vars"].iter().any(|kind| repository.join(folder).join(kind).is_dir()));
    with.next().map(|folder| folder.to_string_lossy().into_owned())
}

#[test]
fn inventories_of_other_projects_too() {
    let Some(corpus) = std::env::var_os("STATEWARD_CORPUS") else { return };
    let mut repositories: Vec<PathBuf> = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    repositories.sort();
    let (mut tally, mut loaded, mut asked, mut refused) = (Tally::default(), 0, 0, 0);
    for repository in repositories.iter().filter(|path| path.is_dir()) {
        let name = repository.file_name().unwrap().to_string_lossy().into_owned();
        let tree = stateward::source::disk::tree(repository).unwrap();
        let documents = Documents::load(&tree, &Options::default());
        let ansible = stateward::model::ansible::Ansible::build(&documents);
        let mut sources: BTreeSet<Vec<String>> = candidates(repository).into_iter().map(|path| vec![path]).collect();
        sources.extend(ansible.inventory.merged.iter().map(|merged| merged.sources.clone()));
        if sources.is_empty() {
            continue;
        }
        let copy = Copy::new(&name, repository);
        for sources in sources {
            let playbook = playbook(repository, &sources[0]);
            let Some(listed) = copy.listed(&sources, playbook.as_deref()) else { return };
            asked += 1;
            let at = format!("{name}/{}", sources.join(","));
            let listed = match listed {
                Ok(listed) => theirs(&listed),
                Err(error) => {
                    refused += 1;
                    println!("{at}: Ansible fails: {}", error.lines().last().unwrap_or(""));
                    continue;
                }
            };
            let paths: Vec<&str> = sources.iter().map(String::as_str).collect();
            let own = ours(&documents, &merge(&documents, &paths), playbook.as_deref());
            loaded += usize::from(listed["groups"].as_object().is_some_and(|groups| !groups.is_empty()));
            tally.compare(&at, &own, &listed);
        }
    }
    println!("{}", tally.found.join("\n"));
    println!("{asked} possible inventories, of which Ansible loads {loaded} and fails on {refused}");
    for (what, [same, all]) in [("hosts", tally.hosts), ("groups", tally.groups), ("variables", tally.variables)] {
        println!(
            "{what}: {same} of {all} agree, {:.2} %",
            100.0 * f64::from(u32::try_from(same).unwrap()) / f64::from(u32::try_from(all.max(1)).unwrap())
        );
    }
}
