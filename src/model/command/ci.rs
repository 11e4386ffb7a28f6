//! Commands of YAML and JSON files: pipelines of any vendor, task files, packages, compose services, user data.
//!
//! Vendors differ in names, not in shape: lists of steps hold strings of shell. One walk reads them all; what it takes for
//! a script is a fixed set of keys.

use super::read::{self, Frame};
use super::resolve::{Variables, push_exact};
use super::wrapper::terraform_of;
use super::{Command, Guard, Site, guard, next_scope};
use crate::syntax::shell;
use crate::syntax::yaml::{Node, Yaml};
use crate::text::{FileId, Loc, Mapped, Span};
use crate::value::{Data, Kind, Piece, Value};
use std::collections::HashMap;

/// Keys whose text (or list of texts) is shell, in the order in which they run.
const SCRIPTS: [&str; 12] = [
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
    "install",
    "after_script",
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
    tolerated: bool,
    powershell: bool,
    other_shell: bool,
}

struct Walk<'a> {
    file: FileId,
    text: &'a str,
    /// A task file: its entries are recipes.
    tasks: bool,
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
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let tasks = name.starts_with("taskfile");
    let (asked, vars) = (HashMap::new(), Vec::new());
    let mut walk = Walk { file, text, tasks, nodes: 0, asked, root: None, vars, out: Vec::new() };
    for root in yaml.documents() {
        walk.root = Some(root);
        if tasks {
            walk.vars = texts(root.get("vars"));
        }
        walk.node(root, &Context::default(), 0);
    }
    walk.out
}

/// The entries of a mapping that are plain texts.
fn texts(node: Option<Node<'_>>) -> Vec<(&str, &str)> {
    let pairs = node.map(Node::entries).unwrap_or_default().into_iter();
    let pairs = pairs.filter_map(|(key, value)| Some((key.as_str()?, value.as_str()?)));
    pairs.filter(|(_, value)| !value.contains("{{")).collect()
}

/// `scripts` of a `package.json`.
#[must_use]
pub fn of_package(file: FileId, text: &str, yaml: &Yaml) -> Vec<Command> {
    let mut out = Vec::new();
    let scripts = yaml.root().and_then(|root| root.get("scripts"));
    for (key, value) in scripts.map(Node::entries).unwrap_or_default() {
        let site = Site::PackageScript { name: key.as_str().unwrap_or_default().into() };
        super::commands(&value.mapped(text), file, &site, &Variables::default(), &mut out);
    }
    out
}

/// `command`, `entrypoint` and health checks of compose services.
#[must_use]
pub fn of_compose(file: FileId, text: &str, yaml: &Yaml) -> Vec<Command> {
    let mut out = Vec::new();
    let services = yaml.root().and_then(|root| root.get("services"));
    for (key, service) in services.map(Node::entries).unwrap_or_default() {
        let name = key.as_str().unwrap_or_default();
        let site = Site::Compose { service: name.into() };
        let image = service.get("image").and_then(Node::as_str).unwrap_or_default();
        let own = service.get("entrypoint").is_none().then(|| terraform_of(image)).flatten();
        match (service.get("entrypoint"), service.get("command")) {
            // The command is what the entry point is given.
            (Some(entry), Some(command)) if !entry.is_null() && !command.is_null() => {
                let mut whole = line(text, entry);
                whole.push_for(" ", command.span());
                append(&mut whole, &line(text, command));
                super::commands(&whole, file, &site, &Variables::default(), &mut out);
            }
            (Some(entry), _) => words(file, text, entry, None, &site, &mut out),
            (None, Some(command)) => words(file, text, command, own, &site, &mut out),
            (None, None) => {}
        }
        let check = service.get("healthcheck").and_then(|check| check.get("test"));
        if let Some(check) = check.filter(|check| check.as_str().is_some()) {
            super::commands(&check.mapped(text), file, &site, &Variables::default(), &mut out);
        }
    }
    out
}

/// `runcmd`, `bootcmd` and scripts in `write_files` of cloud-init user data.
#[must_use]
pub fn of_cloud_init(file: FileId, text: &str, yaml: &Yaml) -> Vec<Command> {
    let mut out = Vec::new();
    let Some(root) = yaml.root() else { return out };
    for item in ["bootcmd", "runcmd"].iter().filter_map(|key| root.get(key)).flat_map(Node::items) {
        words(file, text, item, None, &Site::CloudInit, &mut out);
    }
    for item in root.get("write_files").iter().flat_map(|files| files.items()) {
        let script = item.get("content").filter(|content| content.as_str().is_some_and(|it| it.starts_with("#!/")));
        if let Some(content) = script {
            super::commands(&content.mapped(text), file, &Site::CloudInit, &Variables::default(), &mut out);
        }
    }
    out
}

/// A command as one text, the words of a list quoted.
fn line(text: &str, node: Node<'_>) -> Mapped {
    if node.as_str().is_some() {
        return node.mapped(text);
    }
    let mut line = Mapped::default();
    for word in node.items() {
        let quoted = word.as_str().unwrap_or("").replace('\'', "'\\''");
        line.push_for(&format!("'{quoted}' "), word.span());
    }
    line
}

/// A command as one text or as a list of words, `binary` before it when the text does not name it.
fn words(file: FileId, text: &str, node: Node<'_>, binary: Option<&str>, site: &Site, out: &mut Vec<Command>) {
    let first = node.items().next().and_then(Node::as_str).or(node.as_str()).unwrap_or_default();
    let first = first.split_whitespace().next().unwrap_or_default();
    let binary = binary.filter(|it| !first.ends_with(it) && !matches!(first, "sh" | "bash" | "/bin/sh" | "-c"));
    if node.as_str().is_some() {
        let mut whole = Mapped::default();
        if let Some(binary) = binary {
            whole.push_for(&format!("{binary} "), node.span());
        }
        append(&mut whole, &node.mapped(text));
        super::commands(&whole, file, site, &Variables::default(), out);
        return;
    }
    let mut argv: Vec<(Value, Span)> = binary.iter().map(|it| (Value::known(*it), node.span())).collect();
    for word in node.items() {
        let value = word.as_str().map_or_else(|| Value::unknown("it is no text"), value_of);
        argv.push((value, word.span()));
    }
    super::of_argv(argv, file, site, out);
}

/// How pipelines call the folder that the repository is checked out in, where commands start.
const CHECKOUTS: [&str; 6] = [
    "${CI_PROJECT_DIR}",
    "$CI_PROJECT_DIR",
    "${{ github.workspace }}",
    "$GITHUB_WORKSPACE",
    "$(Build.SourcesDirectory)",
    "$(System.DefaultWorkingDirectory)",
];

fn value_of(text: &str) -> Value {
    if let Some(rest) = CHECKOUTS.iter().find_map(|name| text.strip_prefix(name)) {
        return value_of(&format!(".{rest}"));
    }
    if text.contains("${{") || text.contains("{{") {
        Value::unknown("it is an expression of the pipeline")
    } else {
        Value::known(text)
    }
}

/// The values that a matrix lists for each of its names, those of `include` too.
fn lists(matrix: Node<'_>) -> Vec<(Box<str>, Vec<Box<str>>)> {
    let mut lists: Vec<(Box<str>, Vec<Box<str>>)> = Vec::new();
    let mut add = |name: &str, value: &str| match lists.iter_mut().find(|(known, _)| &**known == name) {
        Some((_, values)) => values.push(value.into()),
        None => lists.push((name.into(), vec![value.into()])),
    };
    for (key, value) in matrix.entries() {
        for item in value.items() {
            match (key.as_str(), item.as_str()) {
                (Some(name), Some(text)) => add(name, text),
                _ => {
                    for (key, value) in item.entries() {
                        if let (Some(name), Some(text)) = (key.as_str(), value.as_str()) {
                            add(name, text);
                        }
                    }
                }
            }
        }
    }
    lists
}

/// What `${{ matrix.x }}` alone may be.
fn of_matrix(text: &str, matrix: &[(Box<str>, Vec<Box<str>>)]) -> Option<Value> {
    let name = text.trim().strip_prefix("${{")?.strip_suffix("}}")?.trim().strip_prefix("matrix.")?;
    let (_, values) = matrix.iter().find(|(known, _)| &**known == name)?;
    match values.as_slice() {
        [one] => Some(Value::known(&**one)),
        several if several.len() <= 8 => {
            let data = several.iter().map(|value| Data::from(&**value)).collect::<Vec<_>>();
            Some(Value { kind: Kind::OneOf(data.into()), ..Value::default() })
        }
        _ => None,
    }
}

/// A text whose `${{ … }}` and `$x` are not known; the same expression is the same hole.
fn with_holes(text: &str) -> Value {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$').or_else(|| rest.find("{{")) {
        let (before, after) = rest.split_at(at);
        let end = if after.contains("}}") && (after.starts_with("${{") || after.starts_with("{{")) {
            after.find("}}").map(|end| end + 2)
        } else if after.starts_with("${") || after.starts_with("$(") {
            after.find(['}', ')']).map(|end| end + 1)
        } else {
            let name = after.char_indices().skip(1).find(|(_, c)| !c.is_alphanumeric() && *c != '_');
            name.map(|(end, _)| end)
        };
        let (expression, after) = after.split_at(end.unwrap_or(after.len()));
        pieces.push(Piece::Lit(before.into()));
        pieces.push(Piece::Hole(format!("`{expression}` is an expression of the pipeline").into()));
        rest = after;
    }
    pieces.push(Piece::Lit(rest.into()));
    pieces.retain(|piece| !matches!(piece, Piece::Lit(text) if text.is_empty()));
    Value::text(pieces)
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
            for item in node.items() {
                self.node(item, context, depth + 1);
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
        if has_scripts {
            self.scripts(node, &context);
        }
        if node.get("task").or(node.get("uses")).is_some() {
            self.action(node, &context);
        }
        if let Some(tasks) = node.get("tasks").filter(|_| self.tasks) {
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
            let inner =
                Context { job: if names_job(value) { name.into() } else { context.job.clone() }, ..context.clone() };
            self.node(value, &inner, depth + 1);
        }
    }

    /// Steps that run Terraform by name: Azure's `TerraformTask`, the actions of `dflook`.
    fn action(&mut self, node: Node<'_>, context: &Context) {
        let of = |key: &str, within: &str| node.get(within).and_then(|it| it.get(key)).and_then(Node::as_str);
        let mut line = String::new();
        let named = node.get("task").and_then(Node::as_str).unwrap_or_default();
        if named.starts_with("TerraformTask") || named.starts_with("TerraformCLI") {
            let options = of("commandOptions", "inputs").unwrap_or_default();
            line = format!("terraform {} {options}", of("command", "inputs").unwrap_or_default());
        }
        let used = node.get("uses").and_then(Node::as_str).unwrap_or_default();
        let used = used.strip_prefix("dflook/").and_then(|it| it.split('@').next()).and_then(|it| it.split_once('-'));
        if let Some((program @ ("terraform" | "tofu"), verb @ ("apply" | "destroy" | "refresh" | "unlock-state"))) =
            used
        {
            let verb = if verb == "unlock-state" { "force-unlock" } else { verb };
            // Without it, the plan is one that a person approved.
            let approved = of("auto_approve", "with") == Some("true") || verb == "destroy";
            line = format!("{program} {verb}{}", if approved { " -auto-approve" } else { "" });
        }
        if !line.is_empty() {
            let mut text = Mapped::default();
            text.push_for(&line, node.span());
            let scope = context.scope.unwrap_or_else(|| next_scope(&self.out, self.file));
            let frame = Frame { scope, guard: context.guard, tolerated: context.tolerated, ..Frame::default() };
            read::read(&text, self.file, &self.site(context), &context.env, &frame, &mut self.out);
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

    /// What jobs of GitLab take from the defaults and from those that they extend: variables, and what scripts before theirs set.
    fn inherited(&self, node: Node<'_>, env: &mut Variables, depth: u32) {
        let Some(root) = self.root.filter(|_| depth < MAX_EXTENDS) else { return };
        let names = node.get("extends").into_iter().flat_map(|it| it.items().chain(Some(it)));
        let mut from: Vec<Node<'_>> = names.filter_map(Node::as_str).filter_map(|name| root.get(name)).collect();
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
        let steps = node.get("steps").is_some() || node.get("script").is_some();
        let names = |it: Node<'_>| it.as_str().is_some() || it.get("name").is_some();
        if holds("when", "manual") || (steps && node.get("environment").is_some_and(names)) {
            context.guard = Guard::Confirmed;
        }
        if let Some(condition) = node.get("if").and_then(Node::as_str) {
            context.guard = context.guard.max(guard::judge_text(condition));
        }
        let yes = |key: &str| node.get(key).and_then(Node::as_str).is_some_and(|it| matches!(it, "true" | "yes"));
        context.tolerated |=
            yes("continue-on-error") || yes("allow_failure") || yes("continueOnError") || yes("ignore_error");
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

    fn site(&self, context: &Context) -> Site {
        if self.tasks { Site::Recipe { target: context.job.clone() } } else { Site::Ci { job: context.job.clone() } }
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

    /// Adds a text, `{{.NAME}}` of a task file put in where it is said.
    fn filled(&self, text: &Mapped, out: &mut Mapped) {
        let mut from = 0;
        while let Some(open) = text.text[from..].find("{{").map(|at| from + at).filter(|_| !self.vars.is_empty()) {
            let Some(close) = text.text[open..].find("}}").map(|at| open + at + 2) else { break };
            let name = text.text[open + 2..close - 2].trim().trim_start_matches('.');
            append(out, &text.part(from..open));
            match self.vars.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => out.push_for(value, text.span(Span::new(open, close))),
                None => append(out, &text.part(open..close)),
            }
            from = close;
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

/// Whether a mapping is a job: it has steps or a script of its own.
fn names_job(node: Node<'_>) -> bool {
    ["steps", "script", "runs-on", "cmds", "commands"].iter().any(|key| node.get(key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::commands::Class;

    fn ci(path: &str, text: &str) -> Vec<Command> {
        of_ci(FileId(0), path, text, &Yaml::parse(text))
    }

    fn line(command: &Command) -> String {
        format!("{:?} {} {} {}", command.site, command.text, command.guard.as_str(), command.tolerated)
    }

    #[test]
    fn github() {
        let text = "on: push\nenv:\n  TF_CLI_ARGS_apply: -lock=false\njobs:\n  deploy:\n    runs-on: x\n    environment: prod\n    env: {DIR: envs/a}\n    steps:\n      - uses: a/b@v1\n        with: {script: 'x'}\n      - run: terraform -chdir=$DIR apply -auto-approve\n        continue-on-error: true\n      - run: |\n          terraform state rm ${{ inputs.x }}\n      - shell: pwsh\n        run: New-VM x\n      - shell: python\n        run: terraform apply\n";
        let found = ci(".github/workflows/a.yml", text);
        let lines: Vec<_> = found.iter().filter(|it| !it.rows.is_empty()).map(line).collect();
        assert_eq!(
            lines,
            [
                "Ci { job: \"\" } export TF_CLI_ARGS_apply -lock=false none false",
                "Ci { job: \"deploy\" } terraform -chdir=envs/a apply -auto-approve confirmed true",
                "Ci { job: \"deploy\" } terraform state rm … confirmed false",
                "Ci { job: \"deploy\" } New-VM x confirmed false",
            ]
        );
        let rm = found.iter().find(|it| it.does(Class::StateMutation)).unwrap();
        assert_eq!(rm.loc.span.slice(text), "terraform state rm ${{ inputs.x }}");
    }

    #[test]
    fn other_vendors() {
        for (path, text) in [
            (".gitlab-ci.yml", "a:\n  before_script: [cd x]\n  script:\n    - T=state\n    - terraform $T rm x\n"),
            (
                ".circleci/config.yml",
                "jobs:\n  a:\n    steps:\n      - checkout\n      - run: {name: n, command: terraform state rm x}\n",
            ),
            (
                "azure-pipelines.yml",
                "stages:\n- stage: a\n  jobs:\n  - deployment: d\n    strategy: {runOnce: {deploy: {steps: [{bash: terraform state rm x}]}}}\n",
            ),
            (".drone.yml", "kind: pipeline\nsteps:\n- name: a\n  commands:\n  - terraform state rm x\n"),
            ("Taskfile.yml", "tasks:\n  a:\n    cmds:\n      - terraform state rm {{.X}}\n      - task: b\n"),
            ("bitbucket-pipelines.yml", "pipelines:\n  default:\n  - step:\n      script: [terraform state rm x]\n"),
        ] {
            let found = ci(path, text);
            assert!(found.iter().any(|it| it.does(Class::StateMutation)), "{path}: {found:?}");
        }
        let manual = ci(
            ".gitlab-ci.yml",
            "a:\n  when: manual\n  allow_failure: true\n  script: terraform apply -auto-approve\n",
        );
        assert_eq!(line(&manual[0]), "Ci { job: \"a\" } terraform apply -auto-approve confirmed true");
    }

    #[test]
    fn packages_services_and_user_data() {
        let text = "{\"scripts\": {\"down\": \"docker compose down -v\"}}";
        let found = of_package(FileId(0), text, &Yaml::parse(text));
        assert!(found[0].does(Class::ContainerDataDelete));
        assert_eq!(found[0].loc.span.slice(text), "docker compose down -v");
        let text = "services:\n  a:\n    image: hashicorp/terraform:1.9\n    command: apply -auto-approve\n  b:\n    image: x\n    command: [sh, -c, terraform destroy -auto-approve]\n";
        let found = of_compose(FileId(0), text, &Yaml::parse(text));
        assert!(found[0].does(Class::UnattendedApply) && found[1].does(Class::UnattendedDestroy));
        let text = "runcmd:\n- [mkfs.ext4, /dev/sdb]\n- psql -f x.sql\nwrite_files:\n- path: /a\n  content: |\n    #!/bin/sh\n    dropdb x\n";
        let found = of_cloud_init(FileId(0), text, &Yaml::parse(text));
        let programs: Vec<_> = found.iter().map(|it| &*it.program).collect();
        assert_eq!(programs, ["mkfs.ext4", "psql", "dropdb"]);
    }
}
