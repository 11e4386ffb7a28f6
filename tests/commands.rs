//! Commands wherever they hide: each line of the tables in `tests/commands` stands in a file of its kind, which is read as a
//! repository is, and must be found as what it is, or not be found at all.
//!
//! With `STATEWARD_CORPUS=folder` the lines of the repositories in it that name Terraform, a hypervisor or state are listed, with
//! what is made of each.

use rayon::prelude::*;
use stateward::diag::Severity;
use stateward::estate::{Estate, Parts};
use stateward::knowledge::commands::Row;
use stateward::model::agents::Agents;
use stateward::model::ansible::Ansible;
use stateward::model::git::Repository;
use stateward::model::kind::Kind;
use stateward::model::load::{Documents, Options};
use stateward::model::packer::Packer;
use stateward::model::terraform::{self, Terraform};
use stateward::model::{annotation, command};
use stateward::source::{File, Tree, disk};
use std::collections::BTreeMap;

/// One line of a table.
struct Case<'t> {
    /// The row that must hold; empty in the tables of what is no command.
    expected: &'t str,
    /// The kind of file that the text stands in; empty: a script.
    container: &'t str,
    text: String,
}

fn cases(table: &str, expected: bool) -> Vec<Case<'_>> {
    let lines = table.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    let case = |line| {
        let (expected, rest) = if expected { str::split_once(line, '|')? } else { ("", line) };
        let (container, text) = rest.split_once('|')?;
        Some(Case { expected, container, text: text.replace('⏎', "\n").replace('→', "\t") })
    };
    let cases: Vec<_> = lines.clone().filter_map(case).collect();
    assert_eq!(cases.len(), lines.count(), "a line has too few columns");
    cases
}

/// The text with `by` before every line but the first.
fn indented(text: &str, by: &str) -> String {
    text.replace('\n', &format!("\n{by}"))
}

/// The text in quotes that JSON, HCL, Python and YAML all take.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn words(text: &str) -> String {
    text.split_whitespace().map(quoted).collect::<Vec<_>>().join(", ")
}

const PIPELINES: [(&str, &str, &str); 11] = [
    (
        "powershell",
        ".github/workflows/a.yml",
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - shell: pwsh\n        run: |\n          @",
    ),
    ("taskfile", "Taskfile.yml", "version: '3'\ntasks:\n  a:\n    cmds:\n      - |\n        @"),
    (
        "github",
        ".github/workflows/a.yml",
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: actions/checkout\n      - name: b\n        run: |\n          @",
    ),
    ("gitlab", ".gitlab-ci.yml", "a:\n  image: x\n  script:\n    - ls\n    - |\n      @"),
    (
        "circleci",
        ".circleci/config.yml",
        "version: 2.1\njobs:\n  a:\n    docker: [{image: x}]\n    steps:\n      - checkout\n      - run:\n          name: b\n          command: |\n            @",
    ),
    ("azure", "azure-pipelines.yml", "steps:\n  - script: |\n      @\n    displayName: b"),
    ("drone", ".drone.yml", "kind: pipeline\nsteps:\n  - name: a\n    image: x\n    commands:\n      - |\n        @"),
    ("woodpecker", ".woodpecker/a.yml", "steps:\n  a:\n    image: x\n    commands:\n      - |\n        @"),
    (
        "bitbucket",
        "bitbucket-pipelines.yml",
        "pipelines:\n  default:\n    - step:\n        script:\n          - |\n            @",
    ),
    (
        "write-files",
        "cloud-init.yml",
        "#cloud-config\nwrite_files:\n  - path: /x\n    content: |\n      #!/bin/sh\n      @",
    ),
    ("ansible-shell", "roles/a/tasks/main.yml", "- name: a\n  ansible.builtin.shell: |\n    @\n  register: b"),
];

/// The file that a line of a table makes.
fn file(container: &str, text: &str) -> (String, String) {
    if let Some(path) = container.strip_prefix("file:") {
        return (path.to_owned(), format!("{text}\n"));
    }
    if let Some((_, path, around)) = PIPELINES.iter().find(|(name, ..)| *name == container) {
        let (before, after) = around.split_once('@').unwrap();
        let margin = before.len() - before.trim_end_matches(' ').len();
        return ((*path).to_owned(), format!("{before}{}{after}\n", indented(text, &" ".repeat(margin))));
    }
    let quoted = quoted(text);
    let (path, content) = match container {
        "" => ("run.sh", format!("#!/usr/bin/env bash\nset -eu\n{text}\n")),
        "extensionless" => ("bin/run", format!("#!/usr/bin/env bash\n{text}\n")),
        "makefile" => ("Makefile", format!(".PHONY: a\na:\n\t{text}\n")),
        "justfile" => ("justfile", format!("a addr:\n    {text}\n")),
        "package" => ("package.json", format!("{{\"name\": \"x\", \"scripts\": {{\"a\": {quoted}}}}}\n")),
        "dockerfile" => ("Dockerfile", format!("FROM alpine:3.20\nRUN {text}\n")),
        "jenkins" => ("Jenkinsfile", format!("node {{\n  stage('a') {{\n    sh '{text}'\n  }}\n}}\n")),
        "compose" => {
            ("compose.yaml", format!("services:\n  a:\n    image: tools:1\n    command: [sh, -c, {quoted}]\n"))
        }
        "terragrunt-hook" => (
            "live/a/terragrunt.hcl",
            format!(
                "terraform {{\n  source = \"../m\"\n  before_hook \"a\" {{\n    commands = [\"apply\"]\n    execute  = [{}]\n  }}\n}}\n",
                words(text)
            ),
        ),
        "systemd" => ("a.service", format!("[Unit]\nDescription=a\n[Service]\nExecStart={text}\n")),
        "cron" => ("cron.d/a", format!("PATH=/bin\n5 4 * * * root {text}\n")),
        "cloud-init" => ("cloud-init.yml", format!("#cloud-config\nruncmd:\n  - {quoted}\n")),
        _ => return of_tools(container, text, &quoted),
    };
    (path.to_owned(), content)
}

fn of_tools(container: &str, text: &str, quoted: &str) -> (String, String) {
    let (path, content) = match container {
        "ansible-command" => ("roles/a/tasks/main.yml", format!("- name: a\n  ansible.builtin.command: {quoted}\n")),
        "ansible-raw" => ("roles/a/tasks/main.yml", format!("- name: a\n  ansible.builtin.raw: {quoted}\n")),
        "ansible-argv" => {
            ("roles/a/tasks/main.yml", format!("- name: a\n  ansible.builtin.command:\n    argv: [{}]\n", words(text)))
        }
        "ansible-expect" => (
            "roles/a/tasks/main.yml",
            format!("- name: a\n  ansible.builtin.expect:\n    command: {quoted}\n    responses: {{Password: x}}\n"),
        ),
        "ansible-cron" => (
            "roles/a/tasks/main.yml",
            format!("- name: a\n  ansible.builtin.cron:\n    name: a\n    hour: 4\n    job: {quoted}\n"),
        ),
        "ansible-adhoc" => ("run.sh", format!("#!/bin/sh\nansible all -m shell -a '{text}'\n")),
        "packer" => (
            "images/a.pkr.hcl",
            format!(
                "source \"null\" \"a\" {{}}\nbuild {{\n  sources = [\"source.null.a\"]\n  provisioner \"shell\" {{\n    inline = [{quoted}]\n  }}\n}}\n"
            ),
        ),
        "packer-json" => (
            "images/a.json",
            format!(
                "{{\"builders\": [{{\"type\": \"null\"}}], \"provisioners\": [{{\"type\": \"shell\", \"inline\": [{quoted}]}}]}}\n"
            ),
        ),
        "local-exec" => (
            "main.tf",
            format!(
                "resource \"null_resource\" \"a\" {{\n  provisioner \"local-exec\" {{\n    command = {quoted}\n  }}\n}}\n"
            ),
        ),
        "remote-exec" => (
            "main.tf",
            format!(
                "resource \"null_resource\" \"a\" {{\n  provisioner \"remote-exec\" {{\n    inline = [\"ls\", {quoted}]\n  }}\n}}\n"
            ),
        ),
        "user-data" => (
            "main.tf",
            format!(
                "resource \"aws_instance\" \"a\" {{\n  ami       = \"ami-1\"\n  user_data = <<-EOT\n    #!/bin/bash\n    {text}\n  EOT\n}}\n"
            ),
        ),
        other => panic!("no such container: {other}"),
    };
    (path.to_owned(), content)
}

/// What the tools of a repository say together, joined as a run joins it.
fn with_estate<T>(tree: &Tree, of: impl FnOnce(&Estate<'_>) -> T) -> T {
    let documents = Documents::load(tree, &Options::default());
    let commands = command::of_documents(&documents);
    let ansible = Ansible::run_by(&documents, &commands);
    let sources = terraform::sources(&documents);
    let terraform = Terraform::build(&sources, terraform::Options::default(), tree);
    let (repository, agents) = (Repository::new(&documents), Agents::read(&documents));
    let (packer, remarks) = (Packer::build(&documents), annotation::remarks(&documents));
    of(&Estate::join(Parts {
        documents: &documents,
        repository: &repository,
        agents: &agents,
        remarks: &remarks,
        terraform: &terraform,
        ansible: &ansible,
        packer: &packer,
        ephemeral: &|_| false,
        commands,
        before: None,
    }))
}

/// The ids and severities of all rows that hold in the file of a line.
fn rows(case: &Case<'_>) -> Vec<(&'static str, Severity)> {
    let (path, content) = file(case.container, &case.text);
    let tree = Tree::new(vec![File::in_memory(&path, content.into_bytes(), true)], None);
    let mut rows: Vec<&'static Row> =
        with_estate(&tree, |estate| estate.invocations.iter().flat_map(|it| it.command.rows.clone()).collect());
    rows.sort_by_key(|row| &row.id);
    rows.dedup_by_key(|row| &row.id);
    rows.into_iter().map(|row| (&*row.id, row.severity)).collect()
}

/// Judges a table; what is wrong, and how many lines each container has right and in all.
fn judge(cases: &[Case<'_>], right: impl Fn(&Case<'_>, &[(&'static str, Severity)]) -> bool + Sync) {
    let judged: Vec<(bool, String)> = cases
        .par_iter()
        .map(|case| {
            let rows = rows(case);
            let shown: Vec<_> = rows.iter().map(|(id, _)| *id).collect();
            let text = format!("{} [{}] {:?}: {}", case.expected, case.container, case.text, shown.join(" "));
            (right(case, &rows), text)
        })
        .collect();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (case, (right, _)) in cases.iter().zip(&judged) {
        let container = if case.container.is_empty() { "script" } else { case.container };
        let count = counts.entry(container).or_default();
        count.0 += usize::from(*right);
        count.1 += 1;
    }
    let right = judged.iter().filter(|(right, _)| *right).count();
    println!("{right} of {} right", cases.len());
    for (container, (right, all)) in counts {
        println!("  {container}: {right} of {all}");
    }
    let wrong: Vec<_> = judged.into_iter().filter(|(right, _)| !right).map(|(_, text)| text).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_are_found_as_what_they_are() {
    let cases = cases(include_str!("commands/found.txt"), true);
    let known = cases.iter().all(|case| stateward::knowledge::commands::row(case.expected).is_some());
    assert!(known && cases.len() >= 700);
    judge(&cases, |case, rows| rows.iter().any(|(id, _)| *id == case.expected));
}

#[test]
fn every_row_is_shown() {
    let cases = cases(include_str!("commands/found.txt"), true);
    let rows =
        include_str!("../knowledge/commands.yaml").lines().filter_map(|line| line.trim().strip_prefix("- {id: "));
    let ids: Vec<&str> = rows.filter_map(|row| row.split(',').next()).collect();
    let missing: Vec<_> = ids.iter().filter(|id| cases.iter().all(|case| case.expected != **id)).collect();
    assert!(ids.len() > 200 && missing.is_empty(), "{missing:?}");
}

#[test]
fn what_is_not_found_is_told() {
    let cases = cases(include_str!("commands/undecided.txt"), true);
    judge(&cases, |case, rows| rows.iter().all(|(id, _)| *id != case.expected));
}

#[test]
fn words_are_no_commands() {
    let cases = cases(include_str!("commands/words.txt"), false);
    assert!(cases.len() >= 380);
    judge(&cases, |_, rows| rows.is_empty());
}

#[test]
fn harmless_commands_are_no_more_than_that() {
    let cases = cases(include_str!("commands/harmless.txt"), false);
    judge(&cases, |_, rows| rows.iter().all(|(_, severity)| *severity == Severity::Info));
}

#[test]
fn commands_are_found_wherever_they_hide() {
    let cases = cases(include_str!("commands/places.txt"), true);
    let known = cases.iter().all(|case| stateward::knowledge::commands::row(case.expected).is_some());
    assert!(known && cases.len() >= 100);
    judge(&cases, |case, rows| rows.iter().any(|(id, _)| *id == case.expected));
}

#[test]
fn look_alikes_of_hidden_commands_are_none() {
    let cases = cases(include_str!("commands/places-quiet.txt"), false);
    assert!(cases.len() >= 70);
    judge(&cases, |_, rows| rows.iter().all(|(_, severity)| *severity == Severity::Info));
}

#[test]
fn what_a_person_confirms_is_known_as_that() {
    let cases = cases(include_str!("commands/confirmed.txt"), true);
    let asked: Vec<bool> = cases.iter().map(asked).collect();
    let wrong = cases.iter().zip(&asked).filter(|(_, asked)| !**asked).map(|(case, _)| (case.container, &case.text));
    let wrong: Vec<_> = wrong.collect();
    println!("{} of {} right", cases.len() - wrong.len(), cases.len());
    assert!(wrong.is_empty() && cases.len() >= 20, "{wrong:#?}");
}

/// Whether the row holds in the file of a line, and never without a confirmation.
fn asked(case: &Case<'_>) -> bool {
    let (path, content) = file(case.container, &case.text);
    let tree = Tree::new(vec![File::in_memory(&path, content.into_bytes(), true)], None);
    with_estate(&tree, |estate| {
        let all = estate.invocations.iter().map(|it| &it.command);
        let mut own = all.filter(|it| it.rows.iter().any(|row| &*row.id == case.expected)).peekable();
        own.peek().is_some() && own.all(|it| it.guard == command::Guard::Confirmed)
    })
}

/// Files that hold commands, but for configurations of Terraform, whose every line would name it.
const WITH_COMMANDS: [Kind; 13] = [
    Kind::Shell,
    Kind::Makefile,
    Kind::Justfile,
    Kind::Jenkinsfile,
    Kind::Dockerfile,
    Kind::SystemdUnit,
    Kind::Crontab,
    Kind::Workflow,
    Kind::Compose,
    Kind::CloudInit,
    Kind::Playbook,
    Kind::Tasks,
    Kind::Packer,
];

/// Lists the lines of a repository; how many are commands, and how many are there.
fn listed(root: &std::path::Path, word: &regex::Regex) -> (usize, usize) {
    let tree = disk::tree(root).unwrap();
    with_estate(&tree, |estate| {
        let (mut commands, mut all) = (0, 0);
        for document in estate.documents.of(&WITH_COMMANDS) {
            let (path, text) = (tree.path(document.file), tree.text(document.file));
            let lines = tree.file(document.file).text().map(stateward::source::Text::lines).unwrap();
            for (at, line) in text.lines().enumerate().filter(|(_, line)| word.is_match(line)) {
                let span = lines.line_span(text, u32::try_from(at + 1).unwrap());
                let here = estate.invocations.iter().map(|it| &it.command).filter(|command| {
                    let own = command.loc;
                    own.file == document.file && own.span.start < span.end && own.span.end > span.start
                });
                let made: Vec<String> = here
                    .map(|it| {
                        let rows: Vec<&str> = it.rows.iter().map(|row| &*row.id).collect();
                        format!("{} {}<{}>", it.program, it.sub.join(" "), rows.join(","))
                    })
                    .collect();
                commands += usize::from(!made.is_empty());
                all += 1;
                println!("{}/{path}:{} {}\n      {}", root.display(), at + 1, line.trim(), made.join("; "));
            }
        }
        (commands, all)
    })
}

#[test]
fn a_corpus_is_listed() {
    let Some(folder) = std::env::var_os("STATEWARD_CORPUS") else { return };
    let word = regex::Regex::new(r"\b(terraform|tofu|terragrunt|pct|qm|tfstate)\b").unwrap();
    let mut roots: Vec<_> = std::fs::read_dir(folder).unwrap().filter_map(|it| Some(it.ok()?.path())).collect();
    roots.sort();
    let counts = roots.iter().filter(|root| root.is_dir()).map(|root| listed(root, &word));
    let (commands, all) = counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    println!("{commands} of {all} lines hold commands");
    assert!(all > 0);
}
