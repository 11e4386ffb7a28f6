//! Commands of YAML and JSON files: pipelines of any vendor, task files, packages, compose services, user data.
//!
//! Vendors differ in names, not in shape: lists of steps hold strings of shell. One walk reads them all; what it takes for
//! a script is a fixed set of keys.

use super::read::{self, Frame};
use super::resolve::{Variables, push_exact};
use super::{Command, Guard, Site, guard, next_scope};
use crate::syntax::shell;
use crate::syntax::yaml::{Node, Yaml};
use crate::text::{FileId, Loc, Mapped, Span};
use crate::value::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use values::{lists, of_matrix, texts, value_of, with_holes};
use vendor::Vendor;

mod approval;
mod other;
mod values;
mod vendor;

pub use other::{line, of_cloud_init, of_compose, of_package};

/// Keys whose text (or list of texts) is shell, in the order in which they run.
const SCRIPTS: [&str; 14] = [
    "before_script",
    "run",
    "script",
    "inlineScript",
    "bash",
    "commands",
    "command",
    "cmds",
    "cmd",
    "sh",
    "defer",
    "install",
    "after_script",
    "after-script",
];
/// Keys whose text is PowerShell.
const CMDLETS: [&str; 2] = ["pwsh", "powershell"];
/// Keys that hold variables.
const ENVIRONMENTS: [&str; 3] = ["env", "variables", "environment"];
/// Keys that say in which folder a step runs.
const FOLDERS: [&str; 4] = ["working-directory", "working_directory", "workingDirectory", "dir"];
/// Aliases repeat nodes: a file is left after this many.
const MAX_NODES: u32 = 60_000;
const MAX_DEPTH: u32 = 40;
/// So many jobs extend each other.
const MAX_EXTENDS: u32 = 6;

/// What holds around a step.
#[derive(Clone, Default)]
struct Context {
    job: Box<str>,
    /// The scope that steps share; none outside of jobs.
    scope: Option<u32>,
    env: Variables,
    /// The folder that steps run in, from the repository's root.
    folder: Option<Value>,
    /// The lists of a matrix, by name.
    matrix: Vec<(Box<str>, Vec<Box<str>>)>,
    guard: Guard,
    /// What jobs and steps around ask for (`if`).
    conditions: Vec<Arc<str>>,
    tolerated: bool,
    powershell: bool,
    other_shell: bool,
}

struct Walk<'a> {
    file: FileId,
    text: &'a str,
    vendor: Vendor,
    /// Jobs and stages that wait for a person.
    approved: HashSet<Box<str>>,
    nodes: u32,
    /// What the steps of each scope have asked for so far.
    asked: HashMap<u32, Guard>,
    root: Option<Node<'a>>,
    /// What a task file sets for all its tasks.
    vars: Vec<(&'a str, &'a str)>,
    out: Vec<Command>,
}

/// The commands of a pipeline (GitHub, GitLab, `CircleCI`, Azure, Drone, Woodpecker, Tekton, Bitbucket, Buildkite…) or task file.
#[must_use]
pub fn of_ci(file: FileId, path: &str, text: &str, yaml: &Yaml) -> Vec<Command> {
    of_roots(file, path, text, yaml.documents())
}

/// The commands of what a cluster runs by the clock; other manifests run services, not changes.
#[must_use]
pub fn of_cron_jobs(file: FileId, path: &str, text: &str, yaml: &Yaml) -> Vec<Command> {
    let is_cron = |root: &Node<'_>| root.get("kind").and_then(Node::as_str) == Some("CronJob");
    of_roots(file, path, text, yaml.documents().filter(is_cron))
}

fn of_roots<'a>(file: FileId, path: &str, text: &'a str, roots: impl Iterator<Item = Node<'a>>) -> Vec<Command> {
    let (asked, approved) = (HashMap::new(), HashSet::new());
    let vendor = Vendor::default();
    let mut walk =
        Walk { file, text, vendor, approved, nodes: 0, asked, root: None, vars: Vec::new(), out: Vec::new() };
    for root in roots {
        walk.root = Some(root);
        walk.vendor = Vendor::of(path, root);
        walk.approved = approval::approved(root);
        if walk.vendor == Vendor::Task {
            walk.vars = texts(root.get("vars"));
        }
        walk.node(root, &Context::default(), 0);
    }
    walk.out
}

fn append(out: &mut Mapped, text: &Mapped) {
    push_exact(out, &text.text, Span::new(0, text.text.len()), text);
}

/// Whether a name is one that decides the shell.
fn shell_of(node: Node<'_>) -> Option<&str> {
    let text = node.as_str()?;
    let first = text.split_whitespace().next()?;
    Some(first.rsplit('/').next().unwrap_or(first))
}

impl Walk<'_> {
    fn node(&mut self, node: Node<'_>, context: &Context, depth: u32) {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return;
        }
        if node.is_seq() {
            let mut context = context.clone();
            for item in node.items() {
                if let Some(name) = item.as_str() {
                    self.orb(name, item, &context);
                }
                self.node(item, &context, depth + 1);
                context.guard = context.guard.max(vendor::asks(item));
            }
        } else if node.is_map() {
            self.map(node, context, depth);
        }
    }

    fn map(&mut self, node: Node<'_>, outer: &Context, depth: u32) {
        let mut context = outer.clone();
        self.surroundings(node, &mut context);
        let has_scripts = SCRIPTS.iter().chain(&CMDLETS).any(|key| node.get(key).is_some());
        if context.scope.is_none() && (has_scripts || node.get("steps").is_some()) {
            context.scope = Some(next_scope(&self.out, self.file));
        }
        if let Some(env) = node.get("env").or_else(|| node.get("variables")) {
            self.environment(env, &context);
        }
        match self.vendor {
            Vendor::Kubernetes => self.container(node, &context),
            _ if has_scripts => self.scripts(node, &context),
            Vendor::Spacelift => self.hooks(node, &context),
            Vendor::Atlantis => self.atlantis(node, &context),
            _ => {}
        }
        if node.get("task").or(node.get("uses")).is_some() {
            self.action(node, &context);
        }
        if let Some(tasks) = node.get("tasks").filter(|_| self.vendor == Vendor::Task) {
            self.short_tasks(tasks, &context);
        }
        for (key, value) in node.entries() {
            let name = key.as_str().unwrap_or_default();
            if value.as_str().is_some() || ENVIRONMENTS.contains(&name) {
                continue;
            }
            // The inputs of a step that names its tool are no script.
            if name == "inputs" && node.get("task").and_then(Node::as_str).is_some_and(|it| it.starts_with("Terraform"))
            {
                continue;
            }
            let mut inner = context.clone();
            if names_job(value) {
                inner.job = name.into();
                // What Atlantis applies somebody has asked for in a comment.
                if self.approved.contains(name) || self.vendor == Vendor::Atlantis && name == "apply" {
                    inner.guard = Guard::Confirmed;
                }
            }
            self.orb(name, value, &inner);
            self.node(value, &inner, depth + 1);
        }
    }

    /// Tasks of a task file that are no more than their lines.
    fn short_tasks(&mut self, tasks: Node<'_>, context: &Context) {
        for (key, task) in tasks.entries() {
            let mut text = Mapped::default();
            for line in task.items().chain(Some(task)).filter(|line| line.as_str().is_some()) {
                self.gather(line, &mut text, 0);
            }
            if !text.text.trim().is_empty() {
                let site = Site::Recipe { target: key.as_str().unwrap_or_default().into() };
                let frame = Frame { scope: next_scope(&self.out, self.file), ..Frame::default() };
                read::read(&text, self.file, &site, &context.env, &frame, &mut self.out);
            }
        }
    }

    /// Hooks of Spacelift (`before_apply`).
    fn hooks(&mut self, node: Node<'_>, context: &Context) {
        for (key, value) in node.entries() {
            if key.as_str().is_some_and(|key| key.starts_with("before_") || key.starts_with("after_")) {
                let mut text = Mapped::default();
                self.gather(value, &mut text, 0);
                let frame = Frame { scope: next_scope(&self.out, self.file), ..Frame::default() };
                read::read(&text, self.file, &self.site(context), &context.env, &frame, &mut self.out);
            }
        }
    }

    /// The jobs of GitLab that a job extends.
    fn extended<'n>(&'n self, node: Node<'n>) -> Vec<Node<'n>> {
        let Some(root) = self.root else { return Vec::new() };
        let names = node.get("extends").into_iter().flat_map(|it| it.items().chain(Some(it)));
        names.filter_map(Node::as_str).filter_map(|name| root.get(name)).collect()
    }

    /// What jobs of GitLab take from the defaults and from those that they extend: variables, and what scripts before theirs set.
    fn inherited(&self, node: Node<'_>, env: &mut Variables, depth: u32) {
        let Some(root) = self.root.filter(|_| depth < MAX_EXTENDS) else { return };
        let mut from = self.extended(node);
        for it in &from {
            self.inherited(*it, env, depth + 1);
        }
        if depth == 0 && node.get("before_script").is_none() {
            from.extend(root.get("default").into_iter().chain(Some(root)));
        }
        for it in from {
            for (name, text) in it.get("variables").map(|it| texts(Some(it))).unwrap_or_default() {
                env.set(name, value_of(text));
            }
            let mut text = Mapped::default();
            for line in it.get("before_script").into_iter().flat_map(Node::items) {
                append(&mut text, &line.mapped(self.text));
                text.push_for("\n", line.span());
            }
            if !text.text.is_empty() {
                env.learn(&shell::parse(&text.text), &text, self.file);
            }
        }
    }

    /// Takes in what a mapping says about everything below it.
    fn surroundings(&self, node: Node<'_>, context: &mut Context) {
        if node.get("script").is_some() || node.get("extends").is_some() {
            self.inherited(node, &mut context.env, 0);
        }
        for (key, value) in ENVIRONMENTS.iter().filter_map(|key| node.get(key)).flat_map(Node::entries) {
            if let (Some(name), Some(text)) = (key.as_str(), value.as_str()) {
                let loc = Loc { file: self.file, span: value.span() };
                context.env.set(name, value_of(text).at(loc));
            }
        }
        let holds = |key: &str, wanted: &str| node.get(key).and_then(Node::as_str).is_some_and(|it| it == wanted);
        let steps = node.get("steps").or(node.get("script")).or(node.get("deployment")).is_some();
        let names = |it: Node<'_>| it.as_str().is_some() || it.get("name").is_some();
        let waits = |key: &str| node.get(key).and_then(Node::as_str).is_some_and(|it| self.approved.contains(it));
        if holds("when", "manual")
            || holds("trigger", "manual")
            || (steps && node.get("environment").is_some_and(names))
            || self.vendor == Vendor::Task && node.get("prompt").is_some()
            || ["job", "deployment", "stage"].into_iter().any(waits)
            || vendor::started_by_hand(node)
            || vendor::manual_rules(node)
            || self.extended(node).into_iter().any(|it| vendor::manual_rules(it) || by_hand(it))
        {
            context.guard = Guard::Confirmed;
        }
        if let Some(condition) = node.get("if").and_then(Node::as_str) {
            context.guard = context.guard.max(guard::judge_text(condition));
            context.conditions.push(condition.into());
        }
        let yes = |key: &str| node.get(key).and_then(Node::as_str).is_some_and(|it| matches!(it, "true" | "yes"));
        context.tolerated |= yes("continue-on-error") && !self.is_looked_at(node)
            || yes("allow_failure")
            || yes("continueOnError")
            || yes("ignore_error");
        let defaults = node.get("defaults").and_then(|it| it.get("run"));
        if let Some(matrix) = node.get("strategy").and_then(|strategy| strategy.get("matrix")) {
            context.matrix = lists(matrix);
        }
        let folder = FOLDERS.iter().find_map(|key| node.get(key).or(defaults.and_then(|it| it.get(key))));
        if let Some(folder) = folder.and_then(Node::as_str) {
            context.folder = Some(of_matrix(folder, &context.matrix).unwrap_or_else(|| with_holes(folder)));
        }
        if let Some(kind) = node.get("scriptType").and_then(Node::as_str) {
            context.powershell = matches!(kind, "ps" | "pscore");
            context.other_shell = kind == "batch";
        }
        if let Some(shell) = node.get("shell").or(defaults.and_then(|it| it.get("shell"))).and_then(shell_of) {
            context.powershell = matches!(shell, "pwsh" | "powershell");
            context.other_shell = matches!(shell, "python" | "python3" | "node" | "cmd" | "ruby" | "perl");
        }
        if context.job.is_empty()
            && let Some(name) = node.get("name").and_then(Node::as_str).filter(|_| steps)
        {
            context.job = name.into();
        }
    }

    /// Whether a condition asks how a step ended: it may fail, and yet somebody sees to it.
    fn is_looked_at(&self, step: Node<'_>) -> bool {
        let Some(id) = step.get("id").and_then(Node::as_str) else { return false };
        let asked = format!("steps.{id}.outcome");
        let asks = |line: &str| line.trim_start_matches([' ', '-']).starts_with("if:") && line.contains(&asked);
        self.text.lines().any(asks)
    }

    fn site(&self, context: &Context) -> Site {
        if self.vendor == Vendor::Task {
            Site::Recipe { target: context.job.clone() }
        } else {
            Site::Ci { job: context.job.clone() }
        }
    }

    fn environment(&mut self, node: Node<'_>, context: &Context) {
        for (key, value) in node.entries() {
            if let (Some(name), Some(text)) = (key.as_str(), value.as_str()) {
                let loc = Loc { file: self.file, span: value.span() };
                super::of_environment(name, &value_of(text), loc, &self.site(context), &mut self.out);
            }
        }
    }

    /// The scripts of one step or job, read as one text.
    fn scripts(&mut self, node: Node<'_>, context: &Context) {
        let mut text = Mapped::default();
        for value in SCRIPTS.iter().filter_map(|key| node.get(key)) {
            self.gather(value, &mut text, 0);
        }
        for value in CMDLETS.iter().filter_map(|key| node.get(key)) {
            self.cmdlets(&value.mapped(self.text), context);
        }
        if context.other_shell || text.text.trim().is_empty() {
            return;
        }
        let site = self.site(context);
        if context.powershell {
            self.cmdlets(&text, context);
            return;
        }
        let scope = context.scope.unwrap_or_else(|| next_scope(&self.out, self.file));
        let frame = Frame {
            scope,
            guard: context.guard.max(self.asked.get(&scope).copied().unwrap_or_default()),
            conditions: context.conditions.clone(),
            tolerated: context.tolerated,
            folder: context.folder.clone(),
            ..Frame::default()
        };
        let left = read::read(&text, self.file, &site, &context.env, &frame, &mut self.out);
        // A step that fails unless somebody confirmed holds back the steps after it.
        if !context.tolerated {
            let asked = self.asked.entry(scope).or_default();
            *asked = left.max(*asked);
        }
    }

    fn cmdlets(&mut self, text: &Mapped, context: &Context) {
        let before = self.out.len();
        super::powershell(text, self.file, &self.site(context), &mut self.out);
        for command in self.out.iter_mut().skip(before) {
            command.guard = context.guard;
            command.tolerated = context.tolerated;
        }
    }

    /// Adds a text, `{{.NAME}}` of a task file put in where it is said, and `<< x >>` of `CircleCI` taken for what it is: not known.
    fn filled(&self, text: &Mapped, out: &mut Mapped) {
        let (open, close) = match self.vendor {
            Vendor::CircleCi => ("<<", ">>"),
            Vendor::Task if !self.vars.is_empty() => ("{{", "}}"),
            _ => return append(out, text),
        };
        let mut from = 0;
        while let Some(start) = text.text[from..].find(open).map(|at| from + at) {
            let Some(end) = text.text[start..].find(close).map(|at| start + at + 2) else { break };
            let name = text.text[start + 2..end - 2].trim().trim_start_matches('.');
            append(out, &text.part(from..start));
            match self.vars.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => out.push_for(value, text.span(Span::new(start, end))),
                None if self.vendor == Vendor::CircleCi && is_expression(name) => {
                    out.push_hole(text.span(Span::new(start, end)));
                }
                None => append(out, &text.part(start..end)),
            }
            from = end;
        }
        append(out, &text.part(from..text.text.len()));
    }

    /// Adds a text, a list of texts, or the text of `{command: …}`.
    fn gather(&mut self, node: Node<'_>, out: &mut Mapped, depth: u32) {
        self.nodes += 1;
        if depth > 6 || self.nodes > MAX_NODES || out.text.len() > shell::MAX_BYTES {
            return;
        }
        if node.as_str().is_some() {
            if !node.is_null() {
                self.filled(&node.mapped(self.text), out);
                out.push_for("\n", node.span());
            }
        } else if node.is_seq() {
            // `["sh", "-c", "x"]` on one line is a command in words; a block of lines is a script.
            for item in node.items() {
                self.gather(item, out, depth + 1);
            }
        } else if let Some(inner) = ["command", "cmd"].iter().find_map(|key| node.get(key)) {
            self.gather(inner, out, depth + 1);
        }
    }
}

/// Whether a job of GitLab waits for a person.
fn by_hand(job: Node<'_>) -> bool {
    job.get("when").and_then(Node::as_str) == Some("manual")
}

/// Whether `<< … >>` holds the name of a parameter, not a document.
fn is_expression(text: &str) -> bool {
    text.contains('.') && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ' '))
}

/// Whether a mapping is a job: it has steps or a script of its own.
fn names_job(node: Node<'_>) -> bool {
    ["steps", "script", "runs-on", "cmds", "commands"].iter().any(|key| node.get(key).is_some())
}

#[cfg(test)]
mod tests;
