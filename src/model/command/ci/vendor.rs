//! What single vendors do in their own way: steps that run Terraform by name, workflows of Atlantis, containers of Tekton and Argo.

use super::other::words;
use super::values::{self, value_of};
use super::{Context, Walk};
use crate::model::command::read::{self, Frame};
use crate::model::command::wrapper::terraform_of;
use crate::model::command::{Guard, Site, next_scope, of_environment};
use crate::model::kind::is_shell_script;
use crate::syntax::yaml::Node;
use crate::text::{Loc, Mapped};

/// Who runs the file, where that changes what its words mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Vendor {
    #[default]
    Any,
    /// Task files: entries are recipes, `{{.X}}` their variables.
    Task,
    /// `<< parameters.x >>` is an expression.
    CircleCi,
    Atlantis,
    /// Hooks are named after the phases that they come before or after.
    Spacelift,
    /// Tekton, Argo Workflows: containers with `command` and `args`.
    Kubernetes,
}

impl Vendor {
    pub(super) fn of(path: &str, root: Node<'_>) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        if name.starts_with("taskfile") {
            Self::Task
        } else if path.contains(".circleci/") {
            Self::CircleCi
        } else if name.starts_with("atlantis") || root.get("repos").is_some() && !path.contains(".github/") {
            Self::Atlantis
        } else if path.contains(".spacelift/") {
            Self::Spacelift
        } else if root.get("apiVersion").is_some() {
            Self::Kubernetes
        } else {
            Self::Any
        }
    }
}

/// Steps of Atlantis that it runs itself, and the arguments that it puts behind.
const ATLANTIS: [(&str, &str); 5] =
    [("init", "init"), ("plan", "plan"), ("apply", "apply $PLANFILE"), ("import", "import"), ("state_rm", "state rm")];

/// Actions that run Terraform and approve for themselves: the program, and the input that says what it does.
const APPROVING: [(&str, &str, &str); 3] = [
    ("gruntwork-io/terragrunt-action", "terragrunt", "tg_command"),
    ("hashicorp/terraform-github-actions", "terraform", "tf_actions_subcommand"),
    ("hashicorp/tfc-workflows-github/actions/apply-run", "terraform", ""),
];

impl Walk<'_> {
    /// Steps that run Terraform by name: Azure's `TerraformTask`, the actions of `dflook` and others, the orb of `CircleCI`.
    pub(super) fn action(&mut self, node: Node<'_>, context: &Context) {
        let of = |key: &str, within: &str| node.get(within).and_then(|it| it.get(key)).and_then(Node::as_str);
        let named = node.get("task").and_then(Node::as_str).unwrap_or_default();
        if named.starts_with("TerraformTask") || named.starts_with("TerraformCLI") {
            let options = of("commandOptions", "inputs").unwrap_or_default();
            let line = format!("terraform {} {options}", of("command", "inputs").unwrap_or_default());
            self.made(&line, node, context);
        }
        let used = node.get("uses").and_then(Node::as_str).unwrap_or_default();
        let bare = used.split('@').next().unwrap_or(used);
        if let Some((_, program, input)) = APPROVING.iter().find(|(action, ..)| *action == bare) {
            let verb = if input.is_empty() { "apply" } else { of(input, "with").unwrap_or_default() };
            // These approve by themselves what changes something.
            let changes = verb.split(' ').any(|word| matches!(word, "apply" | "destroy"));
            self.made(&format!("{program} {verb}{}", if changes { " -auto-approve" } else { "" }), node, context);
        }
        let used = used.strip_prefix("dflook/").and_then(|it| it.split('@').next()).and_then(|it| it.split_once('-'));
        if let Some((program @ ("terraform" | "tofu"), verb @ ("apply" | "destroy" | "refresh" | "unlock-state"))) =
            used
        {
            let verb = if verb == "unlock-state" { "force-unlock" } else { verb };
            // Without it, the plan is one that a person approved.
            let approved = of("auto_approve", "with") == Some("true") || verb == "destroy";
            self.made(&format!("{program} {verb}{}", if approved { " -auto-approve" } else { "" }), node, context);
        }
    }

    /// Reads a command line that a step stands for.
    pub(super) fn made(&mut self, line: &str, node: Node<'_>, context: &Context) {
        let mut text = Mapped::default();
        text.push_for(line, node.span());
        let scope = context.scope.unwrap_or_else(|| next_scope(&self.out, self.file));
        let guard = context.guard.max(self.asked.get(&scope).copied().unwrap_or_default());
        let frame = Frame { scope, guard, tolerated: context.tolerated, ..Frame::default() };
        read::read(&text, self.file, &self.site(context), &context.env, &frame, &mut self.out);
    }

    /// `terraform/apply` of the orb `circleci/terraform`, as a step or as a job of a workflow.
    pub(super) fn orb(&mut self, name: &str, node: Node<'_>, context: &Context) {
        let Some((orb, verb)) = name.split_once('/').filter(|_| self.vendor == Vendor::CircleCi) else { return };
        let source = self.root.and_then(|root| root.get("orbs")?.get(orb)?.as_str()).unwrap_or_default();
        if source.starts_with("circleci/terraform@") && matches!(verb, "apply" | "destroy") {
            self.made(&format!("terraform {verb} -auto-approve"), node, context);
        }
    }

    /// Steps of Atlantis' own with arguments of the repository's, and what its steps put into the environment.
    pub(super) fn atlantis(&mut self, node: Node<'_>, context: &Context) {
        for (name, line) in ATLANTIS {
            let Some(given) = node.get(name).and_then(|step| step.get("extra_args")) else { continue };
            let words: Vec<&str> = given.items().filter_map(Node::as_str).collect();
            self.made(&format!("terraform {line} {}", words.join(" ")), given, context);
        }
        let env = node.get("env").and_then(|env| Some((env.get("name")?.as_str()?, env.get("value")?)));
        if let Some((name, value)) = env
            && let Some(text) = value.as_str()
        {
            let loc = Loc { file: self.file, span: value.span() };
            of_environment(name, &value_of(text), loc, &self.site(context), &mut self.out);
        }
    }

    /// A container of Tekton or Argo: a script, or a command with its arguments.
    pub(super) fn container(&mut self, node: Node<'_>, context: &Context) {
        let command = node.get("command");
        let shell = command.and_then(|it| it.items().next()).and_then(Node::as_str).unwrap_or("sh");
        let script = node.get("script").or_else(|| node.get("source"));
        let script = script.filter(|it| it.as_str().is_some_and(|text| is_script(text, shell)));
        if let Some(script) = script {
            let scope = next_scope(&self.out, self.file);
            let text = script.mapped(self.text);
            let frame = Frame { scope, guard: context.guard, ..Frame::default() };
            read::read(&text, self.file, &self.site(context), &context.env, &frame, &mut self.out);
            return;
        }
        let image = node.get("image").and_then(Node::as_str);
        let (Some(_), Some(given)) = (image, node.get("args").or(command)) else { return };
        let site = Site::Ci { job: context.job.clone() };
        match command {
            Some(command) if node.get("args").is_some() => {
                let all = command.items().chain(given.items());
                let all = all.map(|word| (word.as_str().map_or_else(values::no_text, value_of), word.span()));
                crate::model::command::of_argv(all.collect(), self.file, &site, &mut self.out);
            }
            Some(_) => words(self.file, self.text, given, None, &site, &mut self.out),
            None => {
                words(self.file, self.text, given, image.and_then(terraform_of), &site, &mut self.out);
            }
        }
    }
}

/// Whether a text is for a shell, by its first line or else by the program that it is given to.
fn is_script(text: &str, program: &str) -> bool {
    if text.starts_with("#!") {
        return is_shell_script(text.as_bytes());
    }
    matches!(program.rsplit('/').next().unwrap_or(program), "sh" | "bash" | "ash" | "dash" | "zsh")
}

/// Whether everything that starts a pipeline or step of Drone or Woodpecker is a person.
pub(super) fn started_by_hand(node: Node<'_>) -> bool {
    let by_hand = |word: &str| matches!(word, "promote" | "rollback" | "custom" | "manual" | "deployment");
    ["trigger", "when"].iter().filter_map(|key| node.get(key)).any(|when| {
        let one = when.is_map().then_some(when);
        let mut events = when.items().chain(one).map(|condition| condition.get("event")).peekable();
        let all = |event: Node<'_>| {
            let one = event.as_str().is_some().then_some(event);
            let mut words = event.items().chain(one).map(Node::as_str).peekable();
            words.peek().is_some() && words.all(|word| word.is_some_and(by_hand))
        };
        events.peek().is_some() && events.all(|event| event.is_some_and(all))
    })
}

/// Whether all the rules by which GitLab takes a job in make it wait for a person.
pub(super) fn manual_rules(node: Node<'_>) -> bool {
    let Some(rules) = node.get("rules") else { return false };
    let mut taken = rules.items().filter(|rule| rule.get("when").and_then(Node::as_str) != Some("never")).peekable();
    taken.peek().is_some() && taken.all(|rule| rule.get("when").and_then(Node::as_str) == Some("manual"))
}

/// Whether a step waits for a person before those after it.
pub(super) fn asks(step: Node<'_>) -> Guard {
    let waits = ["block", "input"].iter().any(|key| step.get(key).is_some()) && step.get("command").is_none();
    let word = |key: &str| step.get(key).and_then(Node::as_str).unwrap_or_default();
    let named = word("uses").starts_with("trstringer/manual-approval")
        || word("task").starts_with("ManualValidation")
        || word("task").starts_with("ManualIntervention");
    if waits || named { Guard::Confirmed } else { Guard::None }
}
