//! What a clock starts: jobs of pipelines by their schedules, units by their timers, lines of crontabs, and what these run in turn.

use super::invocation::Invocation;
use crate::model::command::Site;
use crate::model::kind::Kind;
use crate::model::load::{Document, Documents};
use crate::source::{Tree, file_name, folder, join};
use crate::syntax::yaml::{Node, Yaml};
use crate::text::{FileId, Span};
use crate::value::{Tri, Value};
use regex::Regex;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A schedule runs a script that runs a script…, so many times at most.
const MAX_ROUNDS: usize = 6;
/// A command lies at most so deep in its pipeline.
const MAX_DEPTH: usize = 40;

/// How the file of a pipeline is started.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trigger {
    /// By the schedule that it has.
    Clock,
    /// By whatever starts those who use it.
    Caller,
    /// A job at a time says so.
    Jobs,
    /// By something else.
    Other,
}

/// Which commands a clock starts: one flag for each invocation.
#[must_use]
pub(super) fn clocked(documents: &Documents<'_>, invocations: &[Invocation<'_>]) -> Vec<bool> {
    let pipelines = Pipelines::new(documents);
    let timers = timers(documents.tree);
    let scripts = Scripts::new(invocations, documents.tree);
    let mut clocked = vec![false; invocations.len()];
    for (at, invocation) in invocations.iter().enumerate() {
        let path = documents.tree.path(invocation.command.loc.file);
        clocked[at] = match &invocation.command.site {
            Site::Cron => true,
            Site::Unit => timers.contains(unit_name(path)),
            Site::Ci { .. } => pipelines.starts(invocation.command.loc.file, invocation.command.loc.span),
            _ => false,
        } && !invocation.instruction;
    }
    let mut fresh: Vec<usize> = (0..clocked.len()).filter(|at| clocked[*at]).collect();
    for _ in 0..MAX_ROUNDS {
        let run: Vec<usize> = fresh.iter().flat_map(|at| scripts.run_by(&invocations[*at], documents.tree)).collect();
        fresh = run.into_iter().filter(|at| !std::mem::replace(&mut clocked[*at], true)).collect();
        if fresh.is_empty() {
            break;
        }
    }
    clocked
}

/// The name of a unit without its kind; templates of units are named as the unit with one more ending.
fn unit_name(path: &str) -> &str {
    let name = file_name(path);
    let name = name.strip_suffix(".j2").unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(name, _)| name).trim_end_matches('@')
}

fn timers(tree: &Tree) -> HashSet<&str> {
    let is_timer = |path: &str| [".timer", ".timer.j2"].iter().any(|end| path.ends_with(end));
    tree.iter().map(|(_, file)| &*file.path).filter(|path| is_timer(path)).map(unit_name).collect()
}

/// The commands of scripts and recipes, by what runs them.
struct Scripts<'a> {
    of_file: HashMap<FileId, Vec<usize>>,
    of_target: HashMap<(&'a str, &'a str), Vec<usize>>,
    /// Scripts by name; none where several have it.
    named: HashMap<String, Option<FileId>>,
}

impl<'a> Scripts<'a> {
    fn new(invocations: &'a [Invocation<'_>], tree: &'a Tree) -> Self {
        let mut all = Self { of_file: HashMap::new(), of_target: HashMap::new(), named: HashMap::new() };
        for (at, invocation) in invocations.iter().enumerate() {
            let file = invocation.command.loc.file;
            match &invocation.command.site {
                Site::Script => all.of_file.entry(file).or_default().push(at),
                Site::Recipe { target } => {
                    all.of_target.entry((folder(tree.path(file)), &**target)).or_default().push(at);
                }
                _ => {}
            }
        }
        for file in all.of_file.keys() {
            let name = file_name(tree.path(*file)).to_lowercase();
            let slot = all.named.entry(name).or_insert(Some(*file));
            if *slot != Some(*file) {
                *slot = None;
            }
        }
        all
    }

    /// The commands that one runs: those of a script of the repository, of a recipe of its makefile.
    fn run_by(&self, invocation: &Invocation<'_>, tree: &Tree) -> Vec<usize> {
        let command = &invocation.command;
        let here = command.folder.as_ref().and_then(Value::as_str).unwrap_or("").trim_start_matches("./");
        if matches!(&*command.program, "make" | "gmake" | "just" | "task") {
            let folder = command.flag("C").and_then(|flag| join(here, flag.value.as_str()?));
            let folder = folder.unwrap_or_else(|| here.trim_end_matches('/').to_owned());
            let words = command.sub.iter().map(ToString::to_string);
            let words = words.chain(command.operands.iter().filter_map(|word| word.as_str().map(str::to_owned)));
            let recipes = |word: String| self.of_target.get(&(&*folder, &*word)).cloned().unwrap_or_default();
            return words.flat_map(recipes).collect();
        }
        let Some(Some(file)) = self.named.get(&*command.program) else { return Vec::new() };
        // Where the repository lies on the machine that runs it is not known: one script of that name is the one.
        let script = command.loc.file != *file && tree.path(*file).contains('.');
        if script { self.of_file.get(file).cloned().unwrap_or_default() } else { Vec::new() }
    }
}

/// The pipelines of a repository, with how each is started.
struct Pipelines<'a> {
    documents: &'a Documents<'a>,
    triggers: HashMap<FileId, Trigger>,
}

impl<'a> Pipelines<'a> {
    fn new(documents: &'a Documents<'a>) -> Self {
        let triggers = documents
            .of(&[Kind::Workflow, Kind::Manifest, Kind::Jenkinsfile])
            .map(|document| (document.file, trigger(document, documents.tree)))
            .collect();
        let mut all = Self { documents, triggers };
        for _ in 0..MAX_ROUNDS {
            let called = all.called();
            let before = all.triggers.values().filter(|it| **it == Trigger::Clock).count();
            for file in called {
                let callable = all.triggers.get(&file).is_some_and(|it| *it == Trigger::Caller);
                if callable {
                    all.triggers.insert(file, Trigger::Clock);
                }
            }
            if all.triggers.values().filter(|it| **it == Trigger::Clock).count() == before {
                break;
            }
        }
        all
    }

    /// The workflows and actions of the repository that what a clock starts uses.
    fn called(&self) -> Vec<FileId> {
        let mut found = Vec::new();
        for (file, _) in self.triggers.iter().filter(|(_, trigger)| **trigger == Trigger::Clock) {
            let Some(root) = self.documents.document(*file).and_then(Document::yaml).and_then(Yaml::root) else {
                continue;
            };
            let jobs = root.get("jobs").into_iter().flat_map(Node::entries).map(|(_, job)| job);
            let steps = |job: Node<'a>| job.get("steps").into_iter().flat_map(Node::items);
            let nodes = jobs.filter(|job| allows(*job)).flat_map(|job| steps(job).chain(Some(job)));
            let composite = root.get("runs").into_iter().flat_map(steps);
            for node in nodes.chain(composite).filter(|node| allows(*node)) {
                let Some(path) = node.get("uses").and_then(Node::as_str).and_then(|it| it.strip_prefix("./")) else {
                    continue;
                };
                let path = path.trim_end_matches('/');
                let names = [path.to_owned(), format!("{path}/action.yml"), format!("{path}/action.yaml")];
                found.extend(names.iter().find_map(|name| self.documents.tree.find(name)));
            }
        }
        found
    }

    /// Whether a clock starts what stands at a place of a pipeline.
    fn starts(&self, file: FileId, span: Span) -> bool {
        let trigger = self.triggers.get(&file).copied().unwrap_or(Trigger::Other);
        let jenkins = || self.documents.document(file).is_some_and(|document| document.kind == Kind::Jenkinsfile);
        match trigger {
            Trigger::Other | Trigger::Caller => false,
            Trigger::Clock if jenkins() => true,
            Trigger::Clock | Trigger::Jobs => {
                let Some(yaml) = self.documents.document(file).and_then(Document::yaml) else { return false };
                let Some(root) = yaml.documents().find(|root| root.span().contains(span)) else { return false };
                let chain = chain(root, span);
                chain.iter().all(|(_, node)| allows(*node))
                    && (trigger == Trigger::Clock || chain.iter().any(|(name, node)| by_schedule(root, name, *node)))
            }
        }
    }
}

/// The nodes around a place, outermost first, each with its name.
fn chain(root: Node<'_>, span: Span) -> Vec<(&str, Node<'_>)> {
    let mut found = vec![("", root)];
    let mut at = root;
    for _ in 0..MAX_DEPTH {
        let named = at.entries().into_iter().map(|(key, value)| (key.as_str().unwrap_or_default(), value));
        let listed = at.items().map(|item| ("", item));
        let Some((name, inner)) = named.chain(listed).find(|(_, node)| node.span().contains(span)) else { break };
        found.push((name, inner));
        at = inner;
    }
    found
}

fn trigger(document: &Document, tree: &Tree) -> Trigger {
    if document.kind == Kind::Jenkinsfile {
        static CRON: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r"(?m)^[^/\n]*\b(?:triggers\s*\{\s*cron|cron)\s*\(").ok());
        let text = tree.text(document.file);
        let by_clock = text.contains("triggers") && CRON.as_ref().is_some_and(|cron| cron.is_match(text));
        return if by_clock { Trigger::Clock } else { Trigger::Other };
    }
    let Some(root) = document.yaml().and_then(Yaml::root) else { return Trigger::Other };
    if root.get("apiVersion").is_some() {
        return Trigger::Jobs;
    }
    if let Some(on) = root.get("on") {
        let named = |name: &str| {
            on.as_str() == Some(name) || on.get(name).is_some() || on.items().any(|event| event.as_str() == Some(name))
        };
        return match () {
            () if named("schedule") => Trigger::Clock,
            () if named("workflow_call") => Trigger::Caller,
            () => Trigger::Other,
        };
    }
    if root.get("runs").is_some_and(|runs| runs.get("using").is_some()) {
        return Trigger::Caller;
    }
    // Azure.
    if root.get("schedules").is_some_and(|all| all.items().any(|one| one.get("cron").is_some())) {
        return Trigger::Clock;
    }
    // Drone; pipelines of GitLab, CircleCI and Woodpecker say it of their jobs and steps.
    if has_event(root.get("trigger"), "cron") { Trigger::Clock } else { Trigger::Jobs }
}

fn has_event(condition: Option<Node<'_>>, wanted: &str) -> bool {
    let Some(condition) = condition else { return false };
    let one = condition.is_map().then_some(condition);
    condition.items().chain(one).any(|it| {
        it.get("event").is_some_and(|event| {
            event.as_str() == Some(wanted) || event.items().any(|word| word.as_str() == Some(wanted))
        })
    })
}

/// Whether a job says that a clock starts it: GitLab's rules, events of Woodpecker, workflows of `CircleCI`.
fn by_schedule(root: Node<'_>, name: &str, job: Node<'_>) -> bool {
    let only = job.get("only");
    let refs = only.and_then(|only| only.get("refs")).or(only);
    let listed = refs.is_some_and(|refs| {
        refs.as_str() == Some("schedules") || refs.items().any(|it| it.as_str() == Some("schedules"))
    });
    let by_rule = |rule: Node<'_>| {
        let when = rule.get("when").and_then(Node::as_str);
        rule.get("if").and_then(Node::as_str).is_some_and(is_schedule) && !matches!(when, Some("never" | "manual"))
    };
    let mut ways = std::iter::once(job).chain(extended(root, job));
    listed
        || is_cron_object(root)
        || ways.any(|it| it.get("rules").is_some_and(|rules| rules.items().any(by_rule)))
        || has_event(job.get("when"), "cron")
        || scheduled_workflows(root).any(|workflow| {
            let jobs = workflow.get("jobs").into_iter().flat_map(Node::items);
            !name.is_empty() && jobs.into_iter().any(|it| it.as_str() == Some(name) || it.get(name).is_some())
        })
}

/// Whether it is an object that a cluster runs by the clock, and not suspended.
fn is_cron_object(root: Node<'_>) -> bool {
    let suspended = root.get("spec").and_then(|it| it.get("suspend")).and_then(Node::as_str) == Some("true");
    matches!(root.get("kind").and_then(Node::as_str), Some("CronJob" | "CronWorkflow")) && !suspended
}

/// The jobs of GitLab that a job takes its rules from.
fn extended<'n>(root: Node<'n>, job: Node<'n>) -> impl Iterator<Item = Node<'n>> {
    let names = job.get("extends").into_iter().flat_map(|it| it.items().chain(Some(it)));
    names.filter_map(Node::as_str).filter_map(move |name| root.get(name)).filter(move |_| job.get("rules").is_none())
}

fn scheduled_workflows(root: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let all = root.get("workflows").into_iter().flat_map(Node::entries).map(|(_, workflow)| workflow);
    all.filter(|workflow| {
        let triggers = workflow.get("triggers");
        triggers.is_some_and(|it| it.items().any(|trigger| trigger.get("schedule").is_some()))
    })
}

/// Whether a rule of GitLab asks for a schedule.
fn is_schedule(test: &str) -> bool {
    static ASKS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"CI_PIPELINE_SOURCE\s*==\s*["']schedule["']"#).ok());
    ASKS.as_ref().is_some_and(|asks| asks.is_match(test))
}

/// Whether the condition of a job or step lets a run by a clock through.
fn allows(node: Node<'_>) -> bool {
    let condition = node.get("if").or_else(|| node.get("condition")).and_then(Node::as_str);
    condition.is_none_or(|test| !by_clock(test).is_false())
}

/// Whether a condition holds when a clock is what started the run.
fn by_clock(test: &str) -> Tri {
    static EVENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?:github\.event_name\s*(==|!=)\s*'([a-z_]+)'|(eq|ne)\(\s*variables\[?\.?'?Build\.Reason'?\]?\s*,\s*'(\w+)'\))")
            .ok()
    });
    let mut compared = Vec::new();
    for found in EVENT.iter().flat_map(|event| event.captures_iter(test)) {
        let part = |at: usize| found.get(at).map(|it| it.as_str());
        let equal = matches!(part(1).or(part(3)), Some("==" | "eq"));
        let event = part(2).or(part(4)).unwrap_or_default();
        compared.push((equal, event.eq_ignore_ascii_case("schedule")));
    }
    // What only another kind of event brings is empty in a run by a clock.
    let others = ["inputs.", "github.event.pull_request", "github.event.issue", "github.event.comment", "refs/tags/"];
    let listed = test.contains("event_name") && compared.is_empty();
    if compared.contains(&(true, true)) || listed && test.contains("schedule") || test.contains("event.schedule") {
        Tri::True
    } else if compared.contains(&(false, true))
        || compared.iter().any(|(equal, _)| *equal)
        || listed
        || others.iter().any(|word| test.contains(word))
    {
        Tri::False
    } else {
        Tri::Unknown("it hangs on the run".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_in_a_run_by_a_clock() {
        for (test, allowed) in [
            ("github.event_name == 'schedule'", true),
            ("github.event_name != 'pull_request' && github.ref == 'refs/heads/main'", true),
            ("github.event_name == 'push' || github.event_name == 'schedule'", true),
            ("contains(fromJSON('[\"schedule\", \"push\"]'), github.event_name)", true),
            ("needs.plan.outputs.changes == 'true'", true),
            ("steps.plan.outcome == 'success' && github.ref == 'refs/heads/main'", true),
            ("eq(variables['Build.Reason'], 'Schedule')", true),
            ("ne(variables['Build.Reason'], 'PullRequest')", true),
            ("github.event_name == 'push'", false),
            ("github.event_name != 'schedule'", false),
            ("contains(fromJSON('[\"push\"]'), github.event_name)", false),
            ("inputs.apply == true", false),
            ("github.event.inputs.action == 'apply'", false),
            ("startsWith(github.ref, 'refs/tags/v')", false),
            ("eq(variables['Build.Reason'], 'Manual')", false),
        ] {
            assert_eq!(!by_clock(test).is_false(), allowed, "{test}");
        }
    }
}
