//! Images as the rules see them: each line of `tests/packer/images.txt` is a small template (or Dockerfile), and says which rules of
//! the images family must say something about it.
//!
//! With `STATEWARD_CORPUS=folder` the templates of the repositories in it are listed: their builders, and how much of what their
//! sources are given is known.

use stateward::config::Config;
use stateward::engine::{self, Request};
use stateward::model::command;
use stateward::model::load::{Documents, Options};
use stateward::model::packer::Packer;
use stateward::rule::card::Card;
use stateward::source::{File, Tree, disk};
use stateward::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

struct Case<'t> {
    name: &'t str,
    expected: BTreeSet<&'static str>,
    files: Vec<(String, String)>,
}

const RULES: [(&str, &str); 7] = [
    ("id", "image-keeps-identity"),
    ("users", "image-bakes-users-or-keys"),
    ("data", "image-bakes-data"),
    ("state", "image-bakes-control-state"),
    ("live", "image-from-running-instance"),
    ("pins", "image-inputs-unpinned"),
    ("over", "image-overwrite"),
];

const SUM: &str = "\"sha256:c35e29c9450151419d9448b0fd75374fec4fff364a27f176fb458d472dfc9e54\"";

/// Arguments with which a builder has nothing wrong.
fn usual(builder: &str) -> Vec<(&'static str, String)> {
    let text = |value: &str| format!("\"{value}\"");
    match builder {
        "qemu" | "virtualbox-iso" | "proxmox-iso" => {
            vec![("iso_url", text("https://mirror.example.net/debian-12.9.0.iso")), ("iso_checksum", SUM.to_owned())]
        }
        "docker" => vec![("image", text(&format!("debian@{}", SUM.trim_matches('"')))), ("commit", "true".to_owned())],
        "proxmox-clone" => {
            vec![("clone_vm", text("tmpl-debian-12-v7")), ("template_name", text("base-v8"))]
        }
        "amazon-ebs" => vec![("source_ami", text("ami-0123456789abcdef0")), ("ami_name", text("base-v7"))],
        "googlecompute" => {
            vec![("source_image", text("debian-12-bookworm-v20250610")), ("image_name", text("base-v7"))]
        }
        "azure-arm" => {
            vec![("custom_managed_image_name", text("debian-12-v3")), ("managed_image_name", text("base-v7"))]
        }
        "null" | "virtualbox-vm" => vec![],
        other => panic!("no such builder: {other}"),
    }
}

fn shell(kind: &str, command: &str) -> String {
    format!("  {kind} {{\n    inline = [{}]\n  }}\n", serde_json::to_string(command).unwrap().replace("${", "$${"))
}

fn case(line: &str) -> Case<'_> {
    let columns: Vec<&str> = line.splitn(4, '|').collect();
    let [name, rules, source, steps] = columns.as_slice() else { panic!("a line has too few columns: {line}") };
    let rule =
        |short: &str| RULES.iter().find(|(own, _)| *own == short).unwrap_or_else(|| panic!("no such rule: {short}")).1;
    let expected = rules.split_whitespace().filter(|short| *short != "-").map(rule).collect();
    let mut given = source.split("; ");
    let builder = given.next().unwrap_or("").trim();
    let (mut files, mut build, mut top, mut lines) = (Vec::new(), String::new(), String::new(), String::new());
    for step in steps.split(" ⏎ ").map(str::trim) {
        let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
        if let Some(path) = word.strip_prefix('@').and_then(|path| path.strip_suffix(':')) {
            let path = path.strip_prefix("../").map_or_else(|| format!("p/{path}"), str::to_owned);
            files.push((path, format!("{}\n", rest.replace('↵', "\n").replace('→', "\t"))));
            continue;
        }
        match (builder, word) {
            ("dockerfile", _) => writeln!(lines, "{step}").unwrap(),
            (_, "$") => build.push_str(&shell("provisioner \"shell\"", rest)),
            (_, "host$") => build.push_str(&shell("provisioner \"shell-local\"", rest)),
            (_, "post$") => build.push_str(&shell("post-processor \"shell-local\"", rest)),
            (_, "script") => writeln!(build, "  provisioner \"shell\" {{\n    script = \"{rest}\"\n  }}").unwrap(),
            (_, "ansible") => {
                writeln!(build, "  provisioner \"ansible\" {{\n    playbook_file = \"{rest}\"\n  }}").unwrap();
            }
            (_, "file") => {
                let (from, to) = rest.split_once(' ').expect("file from to");
                writeln!(
                    build,
                    "  provisioner \"file\" {{\n    source      = \"{from}\"\n    destination = \"{to}\"\n  }}"
                )
                .unwrap();
            }
            (_, "seal") => {
                build.push_str(&shell("provisioner \"shell\"", "cloud-init clean --machine-id --logs"));
                build.push_str(&shell("provisioner \"shell\"", "rm -f /etc/ssh/ssh_host_*"));
            }
            (_, "hcl") => writeln!(build, "  {}", blocks(rest)).unwrap(),
            (_, "top") => writeln!(top, "{}", blocks(rest)).unwrap(),
            _ => panic!("no such step: {step}"),
        }
    }
    if builder == "dockerfile" {
        files.push(("p/Dockerfile".to_owned(), lines));
    } else {
        let given: Vec<&str> = given.collect();
        let own = |name: &str| given.iter().any(|it| it.split_whitespace().next() == Some(name));
        let mut arguments = String::new();
        for (name, value) in usual(builder).into_iter().filter(|(name, _)| !own(name)) {
            writeln!(arguments, "  {name} = {value}").unwrap();
        }
        for argument in &given {
            writeln!(arguments, "  {}", blocks(argument)).unwrap();
        }
        let template = format!(
            "{top}source \"{builder}\" \"base\" {{\n{arguments}}}\nbuild {{\n  sources = [\"source.{builder}.base\"]\n{build}}}\n"
        );
        files.push(("p/base.pkr.hcl".to_owned(), template));
    }
    Case { name, expected, files }
}

/// Blocks of one line with each argument on a line of its own, as HCL wants them.
fn blocks(text: &str) -> String {
    let Some((head, rest)) = text.split_once('{').filter(|(head, _)| !head.contains('=')) else {
        return text.to_owned();
    };
    let Some((body, _)) = rest.rsplit_once('}') else { return text.to_owned() };
    let mut out = format!("{head}{{\n");
    let mut depth = 0_i32;
    let mut line = String::new();
    let words: Vec<&str> = body.split_whitespace().collect();
    for (at, word) in words.iter().enumerate() {
        if depth == 0 && words.get(at + 1) == Some(&"=") && !line.is_empty() {
            writeln!(out, "{line}").unwrap();
            line.clear();
        }
        let count = |open: char, close: char| {
            i32::try_from(word.matches(open).count()).unwrap() - i32::try_from(word.matches(close).count()).unwrap()
        };
        depth += count('[', ']') + count('{', '}') + count('(', ')');
        write!(line, "{word} ").unwrap();
    }
    writeln!(out, "{line}\n}}").unwrap();
    out
}

fn found(case: &Case<'_>, cards: &[Card]) -> BTreeSet<String> {
    let file = |(path, text): &(String, String)| File::in_memory(path, text.clone().into_bytes(), true);
    let tree = Tree::new(case.files.iter().map(file).collect(), None);
    let analysis = engine::analyse(&tree, cards, Config::default(), &Request::default());
    let Ok(analysis) = analysis else { panic!("{}: the configuration is right", case.name) };
    let rules = analysis.findings.iter().map(|finding| finding.rule.clone());
    rules.filter(|rule| rule.starts_with("image-") || rule == "unreadable-file").collect()
}

#[test]
fn images_are_judged_by_what_their_builds_do() {
    let table = include_str!("packer/images.txt");
    let lines: Vec<&str> = table.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).collect();
    let cards = engine::built_in().expect("the cards are right");
    let mut wrong = String::new();
    let mut silent = 0;
    for line in &lines {
        let case = case(line);
        silent += usize::from(case.expected.is_empty());
        let found = found(&case, &cards);
        let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        if found != case.expected {
            writeln!(wrong, "{}: expected {:?}, found {found:?}", case.name, case.expected).unwrap();
        }
    }
    assert!(lines.len() >= 80 && silent * 2 >= lines.len(), "{} lines, {silent} of look-alikes", lines.len());
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Counts what is known of a value and of its members, and why the rest is not.
fn count(value: &Value, known: &mut usize, unknown: &mut BTreeMap<String, usize>) {
    match (value.as_map(), value.as_list()) {
        (Some(map), _) => map.entries.iter().for_each(|(_, value)| count(value, known, unknown)),
        (_, Some(list)) => list.items.iter().for_each(|value| count(value, known, unknown)),
        _ => match value.reason() {
            Some(reason) => *unknown.entry(reason.to_string()).or_default() += 1,
            None => *known += 1,
        },
    }
}

#[test]
fn templates_of_other_repositories_are_read() {
    let Ok(corpus) = std::env::var("STATEWARD_CORPUS") else { return };
    let mut folders: Vec<_> = std::fs::read_dir(corpus).unwrap().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let (mut known, mut unknown) = (0, BTreeMap::new());
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        let Ok(tree) = disk::tree(folder) else { continue };
        let documents = Documents::load(&tree, &Options::default());
        let packer = Packer::run_by(&documents, &command::of_documents(&documents));
        for template in &packer.templates {
            let (mut own, mut lost) = (0, BTreeMap::new());
            template.sources.iter().for_each(|source| count(source.arguments(), &mut own, &mut lost));
            let builders: BTreeSet<&str> = template.sources.iter().map(|source| &*source.builder).collect();
            let missing: usize = lost.values().sum();
            let path = template.files.first().map_or("", |file| tree.path(*file));
            println!("{}/{path}: {builders:?}, {own} known, {missing} not", folder.display());
            known += own;
            for (reason, times) in lost {
                *unknown.entry(reason).or_default() += times;
            }
        }
    }
    let missing: usize = unknown.values().sum();
    let mut reasons: Vec<(usize, String)> = unknown.into_iter().map(|(reason, times)| (times, reason)).collect();
    reasons.sort_by(|a, b| b.cmp(a));
    println!("{known} known, {missing} not");
    reasons.iter().take(40).for_each(|(times, reason)| println!("{times:5} {reason}"));
    assert!(known > missing, "most of what sources are given is known");
}
