//! Every command that the repository runs, wherever it stands, with what runs it.

use super::instruction;
use super::task::runs_nowhere;
use crate::model::ansible::{Ansible, PROJECT, Task, Text, TextKind, Turn};
use crate::model::command::{self, Command, Site, Variables};
use crate::model::kind::Kind;
use crate::model::load::Documents;
use crate::model::packer::Packer;
use crate::model::terraform::{Rendered, Resource, Terraform};
use crate::syntax::hcl::{Expr, ExprKind};
use crate::syntax::yaml::Yaml;
use crate::text::{FileId, Mapped, Span};
use crate::value::Value;
use rayon::prelude::*;
use std::collections::HashSet;

/// A command with what runs it.
pub struct Invocation<'m> {
    /// The command.
    pub command: Command,
    /// The task that runs it, by index.
    pub task: Option<usize>,
    /// The resource whose provisioner or first boot runs it.
    pub resource: Option<Resource<'m, 'm>>,
    /// Which of the resource's provisioners.
    pub provisioner: Option<usize>,
    /// An instruction to agents, not something that a tool runs.
    pub instruction: bool,
    /// On first boot of a machine (`user_data`).
    pub first_boot: bool,
    /// A step of a build of images.
    pub image: bool,
}

impl Invocation<'_> {
    fn plain(command: Command) -> Self {
        Self {
            command,
            task: None,
            resource: None,
            provisioner: None,
            instruction: false,
            first_boot: false,
            image: false,
        }
    }

    /// Where it stands, as cards say it.
    #[must_use]
    pub fn site(&self) -> &'static str {
        if self.instruction {
            return "agent-instructions";
        }
        if self.first_boot {
            return "user-data";
        }
        if self.image {
            return "image";
        }
        match self.command.site.as_str() {
            "cloud-init" => "user-data",
            site => site,
        }
    }
}

/// All commands, in path and source order of each kind of place.
#[must_use]
pub fn gather<'m>(
    documents: &'m Documents<'m>,
    commands: Vec<Command>,
    terraform: &'m Terraform<'m>,
    ansible: &'m Ansible<'m>,
    packer: &'m Packer<'m>,
    texts: &[Text],
) -> Vec<Invocation<'m>> {
    // What a task renders is read as it is rendered, not as the template stands there.
    let rendered: HashSet<FileId> =
        texts.iter().filter(|text| text.of_file && has_commands(text.kind)).map(|text| text.rendered.file).collect();
    let commands = commands.into_iter().filter(|command| !rendered.contains(&command.loc.file));
    let mut all: Vec<Invocation<'m>> = commands.map(Invocation::plain).collect();
    for document in documents.of(&[Kind::AgentInstructions]) {
        let orders = instruction::read(document.file, documents.tree.text(document.file)).into_iter();
        all.extend(orders.map(|command| Invocation { instruction: true, ..Invocation::plain(command) }));
    }
    let of_tasks: Vec<Vec<Invocation<'m>>> =
        ansible.tasks.par_iter().enumerate().map(|(at, task)| of_task(ansible, at, task)).collect();
    all.extend(of_tasks.into_iter().flatten());
    all.extend(of_texts(ansible, texts).into_iter().map(Invocation::plain));
    all.extend(of_images(packer));
    let mut seen = HashSet::new();
    for resource in terraform.data().filter(|data| data.ty() == "external") {
        let header = resource.loc();
        if seen.insert((header.file, header.span.start)) {
            all.extend(of_lists(terraform, &resource));
        }
    }
    for resource in terraform.resources() {
        of_resource(terraform, &resource, &mut seen, &mut all);
    }
    all
}

fn of_task<'m>(ansible: &Ansible<'m>, at: usize, task: &Task<'m>) -> Vec<Invocation<'m>> {
    if matches!(task.short(), "uri" | "win_uri") {
        let calls = of_request(ansible, task).into_iter();
        return calls.map(|command| Invocation { task: Some(at), ..Invocation::plain(command) }).collect();
    }
    if let Some(line) = into_container(ansible, task) {
        let (mut text, mut found) = (Mapped::default(), Vec::new());
        text.push_for(&line, task.loc.span);
        command::commands(&text, task.file, &Site::Ansible, &Variables::default(), &mut found);
        return found.into_iter().map(|command| Invocation { task: Some(at), ..Invocation::plain(command) }).collect();
    }
    let Some(text) = task.command(ansible.documents.tree.text(task.file)) else { return Vec::new() };
    let text = programs_filled_in(ansible, task, text);
    let mut found = Vec::new();
    if task.short().starts_with("win_") {
        command::powershell(&text, task.file, &Site::Ansible, &mut found);
    } else {
        let site = if task.short() == "cron" { Site::Cron } else { Site::Ansible };
        command::commands(&text, task.file, &site, &Variables::default(), &mut found);
    }
    if found.iter().any(|command| command.program.starts_with("ansible")) {
        let folder = ansible.argument(task, "chdir");
        let inside = folder.as_str().and_then(|folder| folder.strip_prefix(PROJECT)).map(|path| path.trim_matches('/'));
        let folder =
            inside.map_or_else(|| folder.clone(), |path| Value::known(if path.is_empty() { "." } else { path }));
        for command in found.iter_mut().filter(|_| !folder.is_absent()) {
            command.folder = Some(folder.clone());
        }
    }
    found.into_iter().map(|command| Invocation { task: Some(at), ..Invocation::plain(command) }).collect()
}

/// What stands before the place of a program, besides the beginning of a line.
const BEFORE_PROGRAM: [&str; 6] = ["&&", "||", ";", "|", "(", "sudo"];
/// So many expressions of one task are looked at.
const MAX_PROGRAMS: usize = 32;

/// The text of a task with expressions in the place of a program put in, where the play says what they are (`{{ tf }} state rm`).
fn programs_filled_in<'m>(ansible: &Ansible<'m>, task: &Task<'m>, text: Mapped) -> Mapped {
    let mut filled: Option<Mapped> = None;
    let mut from = 0;
    for _ in 0..MAX_PROGRAMS {
        let Some(open) = text.text[from..].find("{{").map(|at| from + at) else { break };
        let Some(close) = text.text[open..].find("}}").map(|at| open + at + 2) else { break };
        // The quote of a word of `argv`.
        let before = text.text[..open].trim_end_matches([' ', '\t', '\'']);
        let first = before.is_empty() || before.ends_with('\n') || BEFORE_PROGRAM.iter().any(|it| before.ends_with(it));
        let value = if first { ansible.evaluate_text(task, &text.text[open..close]) } else { Value::default() };
        let out = filled.get_or_insert_default();
        out.append(&text.part(from..open));
        match value.as_str() {
            Some(known) => out.push_for(known, text.span(Span::new(open, close))),
            None => out.append(&text.part(open..close)),
        }
        from = close;
    }
    let Some(mut filled) = filled else { return text };
    filled.append(&text.part(from..text.text.len()));
    filled
}

/// The command line that a module stands for which enters a running container: a command there, a file into it.
fn into_container<'m>(ansible: &Ansible<'m>, task: &Task<'m>) -> Option<String> {
    let shown = |name: &str| ansible.argument(task, name);
    let words = || {
        let argv = shown("argv").as_list().map(|list| {
            list.items.iter().map(|word| format!("'{}'", word.display().replace('\'', "'\\''"))).collect::<Vec<_>>()
        });
        argv.map_or_else(|| shown("command").display(), |argv| argv.join(" "))
    };
    let line = match task.short() {
        "docker_container_exec" => format!("docker exec {} {}", shown("container").display(), words()),
        "podman_container_exec" => format!("podman exec {} {}", shown("name").display(), words()),
        "k8s_exec" => format!("kubectl exec {} -- {}", shown("pod").display(), words()),
        "docker_container_copy_into" => {
            let (container, path) = (shown("container").display(), shown("container_path").display());
            format!("docker cp '{}' '{container}:{path}'", shown("path").display())
        }
        "k8s_cp" if shown("state").as_str() != Some("from_pod") => {
            let (pod, path) = (shown("pod").display(), shown("remote_path").display());
            format!("kubectl cp '{}' '{pod}:{path}'", shown("local_path").display())
        }
        _ => return None,
    };
    Some(line)
}

/// Requests of one task that are looked at.
const MAX_REQUESTS: usize = 16;

/// The requests of a task that change something, each as the call of `curl` that it stands for.
fn of_request<'m>(ansible: &Ansible<'m>, task: &Task<'m>) -> Vec<Command> {
    let request = |turn: &Turn<'_, '_, 'm>| (turn.argument("method"), turn.argument("url"));
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut found = Vec::new();
    for (method, url) in ansible.in_turns(task, request) {
        let Some(method) = method.as_str().map(str::to_uppercase) else { continue };
        let key = (method.clone(), url.display());
        if matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS") || seen.contains(&key) || seen.len() >= MAX_REQUESTS {
            continue;
        }
        let shown = format!("{method} {}", url.display());
        let words = [Value::known("curl"), Value::known("-X"), Value::known(method.as_str()), url];
        let words = words.into_iter().map(|word| (word, task.loc.span)).collect();
        let first = found.len();
        command::of_argv(words, task.file, &Site::Ansible, &mut found);
        for command in &mut found[first..] {
            command.text.clone_from(&shown);
        }
        seen.push(key);
    }
    found
}

fn has_commands(kind: TextKind) -> bool {
    matches!(kind, TextKind::Unit | TextKind::Shell | TextKind::Crontab { .. })
}

/// The commands of the texts that tasks write. What several tasks or turns of a loop render is there once.
fn of_texts(ansible: &Ansible<'_>, texts: &[Text]) -> Vec<Command> {
    let read = |(at, text): (usize, &Text)| {
        let (file, mapped) = (text.rendered.file, &text.rendered.text);
        let mut found = match text.kind {
            TextKind::Unit => command::of_unit(file, mapped),
            TextKind::Crontab { user } => command::of_crontab(file, mapped, user),
            TextKind::Shell => {
                let mut found = Vec::new();
                command::commands(mapped, file, &Site::Script, &Variables::default(), &mut found);
                found
            }
            TextKind::Compose | TextKind::Quadlet | TextKind::Environment => Vec::new(),
        };
        if !found.is_empty() && runs_nowhere(ansible, text.task) {
            found.clear();
        }
        // Its commands follow each other, not those of the playbook around it or of another text.
        let first = u32::try_from(at + 1).unwrap_or(u32::MAX).saturating_mul(SCOPES);
        for command in &mut found {
            command.scope = command.scope.saturating_add(first);
        }
        found
    };
    let found: Vec<Vec<Command>> = texts.par_iter().enumerate().map(read).collect();
    let mut seen = HashSet::new();
    found.into_iter().flatten().filter(|command| seen.insert((command.loc, command.program.clone()))).collect()
}

/// The commands that builds of images run, those of each provisioner in one go.
fn of_images<'m>(packer: &Packer<'_>) -> Vec<Invocation<'m>> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for (_, build) in packer.builds() {
        for step in build.provisioners.iter().chain(&build.post_processors) {
            for inline in &step.inline {
                let first = found.len();
                command::commands(&inline.text, inline.file, &Site::Provisioner, &Variables::default(), &mut found);
                // One that several builds share is there once.
                if found.get(first).is_some_and(|command| !seen.insert((command.loc, command.program.clone()))) {
                    found.truncate(first);
                }
            }
        }
    }
    found.into_iter().map(|command| Invocation { image: true, ..Invocation::plain(command) }).collect()
}

/// Scopes that are kept for the commands of one text.
const SCOPES: u32 = 1 << 12;

/// Arguments whose text a machine runs when it first boots.
pub(super) const FIRST_BOOT: [&str; 7] = [
    "user_data",
    "user_data_base64",
    "custom_data",
    "metadata_startup_script",
    "metadata.startup-script",
    "metadata.user-data",
    "startup_script",
];

/// Whether what such an argument holds is run by a shell: what is only called a script needs no first line that says so.
pub(super) fn is_script(argument: &str, text: &str) -> bool {
    text.starts_with("#!") || argument.ends_with("script") && !text.starts_with('#') && !text.trim().is_empty()
}

/// Lists of commands that Spacelift runs around a stack's phases.
const HOOKS: [&str; 11] = [
    "before_init",
    "after_init",
    "before_plan",
    "after_plan",
    "before_apply",
    "after_apply",
    "before_perform",
    "after_perform",
    "before_destroy",
    "after_destroy",
    "after_run",
];

/// What a resource or data source runs that lists it: the program of `external`, the hooks of a stack.
fn of_lists<'m>(terraform: &'m Terraform<'m>, resource: &Resource<'m, 'm>) -> Vec<Invocation<'m>> {
    let mut found = Vec::new();
    let hooks: &[&str] = match resource.ty() {
        "external" => &["program"],
        "spacelift_stack" => &HOOKS,
        _ => return Vec::new(),
    };
    for name in hooks {
        let Some((file, Expr { kind: ExprKind::List(items), .. })) = resource.expr(name) else { continue };
        let word = |item: &Expr| (terraform.evaluate(resource.instance, file, item), item.span);
        if *name == "program" {
            command::of_argv(items.iter().map(word).collect(), file, &Site::Provisioner, &mut found);
            continue;
        }
        let mut text = Mapped::default();
        for (value, span) in items.iter().map(word) {
            text.push_for(&command::text_of(&value), span);
            text.push_for("\n", span);
        }
        command::commands(&text, file, &Site::Ci { job: (*name).into() }, &Variables::default(), &mut found);
    }
    let one = |command| Invocation { resource: Some(resource.clone()), ..Invocation::plain(command) };
    found.into_iter().map(one).collect()
}

fn of_resource<'m>(
    terraform: &'m Terraform<'m>,
    resource: &Resource<'m, 'm>,
    seen: &mut HashSet<(FileId, u32)>,
    all: &mut Vec<Invocation<'m>>,
) {
    let header = resource.loc();
    // Every instance of a declaration runs the same text: once is enough.
    if !seen.insert((header.file, header.span.start)) {
        return;
    }
    for (at, provisioner) in resource.provisioners().iter().enumerate() {
        let mut found = Vec::new();
        for rendered in provisioner.commands() {
            command::commands(&rendered.text, rendered.file, &Site::Provisioner, &Variables::default(), &mut found);
        }
        // The lines of one provisioner run in one go, each in a shell of its own.
        let scope = found.first().map_or(0, |first| first.scope);
        for (index, command) in found.iter_mut().enumerate() {
            (command.scope, command.index) = (scope, u32::try_from(index).unwrap_or(u32::MAX));
        }
        all.extend(found.into_iter().map(|command| Invocation {
            resource: Some(resource.clone()),
            provisioner: Some(at),
            ..Invocation::plain(command)
        }));
    }
    all.extend(of_lists(terraform, resource));
    for name in FIRST_BOOT {
        let texts = resource.scripts(name);
        let mut found = Vec::new();
        for rendered in &texts {
            first_boot(name, rendered, &mut found);
        }
        all.extend(found.into_iter().map(|command| Invocation {
            resource: Some(resource.clone()),
            first_boot: true,
            ..Invocation::plain(command)
        }));
    }
}

/// The commands of a text that a machine runs when it first boots.
fn first_boot(argument: &str, rendered: &Rendered, found: &mut Vec<Command>) {
    let (file, text) = (rendered.file, &rendered.text);
    if is_script(argument, &text.text) {
        command::commands(text, file, &Site::CloudInit, &Variables::default(), found);
    } else if text.text.starts_with("#cloud-config") {
        let mut own = command::of_cloud_init(file, &text.text, &Yaml::parse(&text.text));
        for command in &mut own {
            command.loc.span = text.span(command.loc.span);
            command.flags.iter_mut().for_each(|flag| flag.span = text.span(flag.span));
        }
        found.extend(own);
    }
}
