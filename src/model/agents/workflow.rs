//! Jobs of pipelines: what they run agents with, and what they give them.

use super::{Bypass, Decision, Grant, Mutation, claude, texts};
use crate::knowledge::agents::{self, Action, Program, Shell};
use crate::model::load::{Document, Documents};
use crate::syntax::json;
use crate::syntax::yaml::{Node, Yaml};
use crate::text::Loc;
use regex::Regex;
use std::sync::OnceLock;

/// A job of a pipeline.
#[derive(Debug)]
pub struct Job {
    /// Its header.
    pub loc: Loc,
    /// Its name.
    pub name: String,
    /// What it gives to every step, in words: credentials, logins, a runner of one's own.
    pub credentials: Vec<String>,
    /// It may ask for an identity token.
    pub token: bool,
    /// Its token of the repository may write to it.
    pub writes: bool,
    /// Anyone can start it, and nothing in it asks who did.
    pub open: bool,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// A step.
#[derive(Debug)]
pub struct Step {
    /// All of it.
    pub loc: Loc,
    /// What it is given alone.
    pub credentials: Vec<String>,
    /// The agent that it runs by an action.
    pub agent: Option<Agent>,
}

/// How a step runs an agent.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Where.
    pub loc: Loc,
    /// Whose it is.
    pub name: &'static str,
    /// What it may run.
    pub shell: Shell,
    /// The worst of it.
    pub mutation: Option<Mutation>,
    /// What switches approval off.
    pub bypass: Option<Bypass>,
    /// It asks for an identity token for itself.
    pub own_token: bool,
    /// Who cannot write to the repository cannot start it.
    pub checks_author: bool,
    /// Its model is reached by the cloud that the job logs in to.
    pub cloud_model: bool,
}

impl Agent {
    /// One that a program runs, with what its arguments permit.
    #[must_use]
    pub fn by_program(program: &'static Program, words: &[String], loc: Loc) -> Self {
        let (grants, bypass) = super::cli(program, words, loc);
        let default = if bypass.is_some() || program.tools.is_empty() { Shell::Any } else { Shell::None };
        let (shell, mutation) = shell(&grants, default);
        let (own_token, checks_author, cloud_model) = (false, false, false);
        Self { loc, name: &program.agent, shell, mutation, bypass, own_token, checks_author, cloud_model }
    }
}

/// What permissions come to, over what holds when nothing is said.
fn shell(grants: &[Grant], default: Shell) -> (Shell, Option<Mutation>) {
    let mutation = grants.iter().find_map(|grant| grant.mutation.clone());
    let allowed = || grants.iter().filter(|grant| grant.decision == Decision::Allow);
    let shell = if default == Shell::Any && allowed().count() == 0 || grants.iter().any(|grant| grant.any_command) {
        Shell::Any
    } else if mutation.is_some() {
        Shell::Mutating
    } else if allowed().any(|grant| grant.tool == "shell") {
        Shell::Reading
    } else {
        default
    };
    (shell, mutation)
}

/// The jobs of a pipeline of GitHub or GitLab.
pub(super) fn jobs(documents: &Documents<'_>, document: &Document) -> Vec<Job> {
    let Some(root) = document.yaml().and_then(Yaml::root) else { return Vec::new() };
    let walk = Walk { documents, document, root };
    if let Some(jobs) = root.get("jobs").filter(|jobs| jobs.is_map()) {
        return jobs.entries().into_iter().filter_map(|(key, job)| walk.github(key, job)).collect();
    }
    // The steps of an action: what they may do, whoever uses them.
    if let Some((key, runs)) = root.entry("runs").filter(|(_, runs)| runs.get("steps").is_some()) {
        return walk.github(key, runs).into_iter().collect();
    }
    let scripts = |job: &Node<'_>| job.get("script").is_some() && job.get("steps").is_none();
    root.entries().into_iter().filter(|(_, job)| scripts(job)).map(|(key, job)| walk.gitlab(key, job)).collect()
}

struct Walk<'d, 't> {
    documents: &'d Documents<'t>,
    document: &'d Document,
    root: Node<'d>,
}

impl Walk<'_, '_> {
    fn loc(&self, node: Node<'_>) -> Loc {
        Loc { file: self.document.file, span: node.span() }
    }

    fn gitlab(&self, key: Node<'_>, job: Node<'_>) -> Job {
        let mut credentials = variables(self.root.get("variables"));
        credentials.extend(variables(job.get("variables")));
        let step = Step { loc: self.loc(job), credentials: Vec::new(), agent: None };
        let name = key.as_str().unwrap_or("").to_owned();
        let token = job.get("id_tokens").is_some();
        Job { loc: self.loc(key), name, credentials, token, writes: false, open: false, steps: vec![step] }
    }

    fn github(&self, key: Node<'_>, job: Node<'_>) -> Option<Job> {
        let name = key.as_str()?.to_owned();
        let mut credentials = variables(self.root.get("env"));
        credentials.extend(variables(job.get("env")));
        if job.get("runs-on").is_some_and(self_hosted) {
            credentials.push("a runner of one's own".to_owned());
        }
        let steps: Vec<Node<'_>> = job.get("steps").into_iter().flat_map(Node::items).collect();
        credentials.extend(steps.iter().filter_map(|step| login(*step)));
        let token = self.permits(job, "id-token");
        let steps: Vec<Step> = steps.iter().map(|step| self.step(*step)).collect();
        let mut job_of = Job {
            loc: self.loc(key),
            name,
            credentials,
            token,
            writes: self.permits(job, "contents"),
            open: self.open(job),
            steps,
        };
        // What the setup of a hosted agent logs in to, the agent has.
        if job_of.name == "copilot-setup-steps" {
            let loc = job_of.loc;
            job_of.steps.push(Step { loc, credentials: Vec::new(), agent: Some(hosted(loc)) });
        }
        Some(job_of)
    }

    /// Whether the job's token may write something: by its own permissions, else by those of the workflow.
    fn permits(&self, job: Node<'_>, what: &str) -> bool {
        let Some(permissions) = job.get("permissions").or_else(|| self.root.get("permissions")) else { return false };
        permissions.as_str() == Some("write-all")
            || permissions.get(what).is_some_and(|level| level.as_str() == Some("write"))
    }

    fn open(&self, job: Node<'_>) -> bool {
        let Some(on) = self.root.get("on") else { return false };
        let open = |name: &str| agents::agents().open_events.iter().any(|event| event == name);
        let events = texts(Some(on)).into_iter().chain(on.entries().into_iter().map(|(key, _)| key));
        let open = events.into_iter().filter_map(Node::as_str).any(open);
        let asks = |node: Node<'_>| {
            let test = node.get("if").and_then(Node::as_str).unwrap_or("");
            ["author_association", "github.actor", "sender.login", "permission", "user.login", "head.repo"]
                .iter()
                .any(|word| test.contains(word))
        };
        open && !asks(job) && !job.get("steps").into_iter().flat_map(Node::items).any(asks)
    }

    fn step(&self, step: Node<'_>) -> Step {
        let uses = step.get("uses").and_then(Node::as_str).unwrap_or("");
        let repository = uses.split('@').next().unwrap_or(uses);
        let action = agents::agents().actions.iter().find(|action| action.uses == repository);
        let agent = action.map(|action| self.action(action, step));
        Step { loc: self.loc(step), credentials: variables(step.get("env")), agent }
    }

    fn action(&self, action: &'static Action, step: Node<'_>) -> Agent {
        let with = step.get("with");
        let input = |name: &str| with.and_then(|with| with.get(name)).and_then(Node::as_str).unwrap_or("");
        let loc = step.get("uses").map_or(self.loc(step), |uses| self.loc(uses));
        let program = agents::agents().programs.iter().find(|program| program.agent == action.agent);
        let words = [input("claude_args"), input("codex-args")].into_iter().flat_map(arguments).collect::<Vec<_>>();
        let (mut grants, mut bypass) = program.map(|it| super::cli(it, &words, loc)).unwrap_or_default();
        let lists = [("allowed_tools", Decision::Allow), ("disallowed_tools", Decision::Deny)];
        for (name, decision) in lists {
            grants.extend(claude::list(input(name)).into_iter().map(|text| claude::standing(text, decision, loc)));
        }
        let mut default = action.shell;
        self.settings(input("settings"), loc, &mut grants, &mut default);
        for name in ["sandbox", "permission-profile"] {
            match input(name).trim_start_matches(':') {
                "read-only" => default = Shell::None,
                profile if profile.starts_with("danger-") => {
                    bypass = Some(Bypass { loc, text: format!("{name}: {}", input(name)), sure: true });
                }
                _ => {}
            }
        }
        if bypass.is_some() {
            default = Shell::Any;
            grants.clear();
        }
        super::judge::judge(&mut grants);
        let (shell, mutation) = shell(&grants, default);
        let given = |name: &str| !matches!(input(name), "" | "false");
        Agent {
            loc,
            name: &action.agent,
            shell,
            mutation,
            bypass,
            own_token: action.own_token,
            checks_author: action.checks_author && !given("allowed_non_write_users") && input("allow-users") != "*",
            cloud_model: ["use_bedrock", "use_vertex", "use_foundry"].into_iter().any(given),
        }
    }

    /// Settings that are handed over: JSON, or the path of a file that holds it.
    fn settings(&self, text: &str, loc: Loc, grants: &mut Vec<Grant>, default: &mut Shell) {
        let inline = text.trim_start().starts_with('{').then(|| json::parse(text));
        let file = || self.documents.yaml(text.trim().trim_start_matches("./")).map(|(_, yaml)| yaml);
        let Some(root) = inline.as_ref().or_else(file).and_then(Yaml::root) else { return };
        for decision in [Decision::Allow, Decision::Ask, Decision::Deny] {
            let list = root.get("permissions").and_then(|it| it.get(decision.as_str()));
            let entries = texts(list).into_iter().filter_map(Node::as_str);
            grants.extend(entries.map(|text| claude::standing(text, decision, loc)));
        }
        // Gemini: the tools that there are at all.
        let core = root.get("tools").and_then(|tools| tools.get("core")).or_else(|| root.get("coreTools"));
        let Some(core) = core else { return };
        *default = Shell::None;
        for text in texts(Some(core)).into_iter().filter_map(Node::as_str) {
            let Some(rest) = text.strip_prefix("run_shell_command").or_else(|| text.strip_prefix("ShellTool")) else {
                continue;
            };
            let command = rest.trim_matches(['(', ')']);
            let entry = if command.is_empty() { "Bash".to_owned() } else { format!("Bash({command}:*)") };
            grants.push(claude::standing(&entry, Decision::Allow, loc));
        }
    }
}

/// The words of an input that is a command line, or a list in JSON.
fn arguments(text: &str) -> Vec<String> {
    let listed = text.trim_start().starts_with('[').then(|| json::parse(text));
    let items = listed.as_ref().and_then(Yaml::root).filter(|root| root.is_seq()).map(|root| texts(Some(root)));
    items.map_or_else(
        || claude::words(text),
        |items| items.into_iter().filter_map(Node::as_str).map(str::to_owned).collect(),
    )
}

/// The agent that a job sets the machine up for.
fn hosted(loc: Loc) -> Agent {
    Agent {
        loc,
        name: "Copilot coding agent",
        shell: Shell::Any,
        mutation: None,
        bypass: None,
        own_token: false,
        checks_author: true,
        cloud_model: false,
    }
}

/// The variables of an environment that carry credentials.
fn variables(env: Option<Node<'_>>) -> Vec<String> {
    let known = &agents::agents().credentials;
    let carries = |name: &str| known.iter().any(|begin| name.starts_with(begin.as_str()));
    let entries = env.map(Node::entries).unwrap_or_default().into_iter();
    let set = entries.filter(|(_, value)| value.is_map() || value.as_str().is_some_and(|text| !text.is_empty()));
    set.filter_map(|(key, _)| key.as_str()).filter(|name| carries(name)).map(str::to_owned).collect()
}

/// A step that logs in to where infrastructure lies, unless what it logs in as says that it only reads, or only asks models.
fn login(step: Node<'_>) -> Option<String> {
    static MILD: OnceLock<Option<Regex>> = OnceLock::new();
    let mild = MILD.get_or_init(|| {
        Regex::new(
            r"(?i)(^|[-_/.@:])(plan|planner|read-?only|reader|viewer|ro|bedrock|vertex|claude|gemini)([-_/.@:]|$)",
        )
        .ok()
    });
    let uses = step.get("uses").and_then(Node::as_str)?;
    let repository = uses.split('@').next()?;
    let known = agents::agents().logins.iter().any(|login| login == repository);
    let inputs = step.get("with").map(Node::entries).unwrap_or_default();
    let named = |(key, _): &&(Node<'_>, Node<'_>)| {
        key.as_str().is_some_and(|key| key.contains("role") || key.contains("account") || key.contains("client"))
    };
    let is_mild = |text: &str| mild.as_ref().is_some_and(|mild| mild.is_match(text));
    let only_reads = inputs.iter().filter(named).filter_map(|(_, value)| value.as_str()).any(is_mild);
    (known && !only_reads).then(|| repository.to_owned())
}

fn self_hosted(runs_on: Node<'_>) -> bool {
    let labels = texts(Some(runs_on)).into_iter().chain(texts(runs_on.get("labels")));
    labels.into_iter().any(|label| label.as_str() == Some("self-hosted"))
}
