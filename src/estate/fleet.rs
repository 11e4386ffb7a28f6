//! Every container that the repository declares: compose files and texts, units, tasks, resources.

use super::Estate;
use super::cluster;
use super::container::{self, Container, Declared, Group, Setting};
use super::data;
use super::deployed::{Deployment, deployed};
use super::kube_play;
use super::task::{is_test_path, runs_nowhere};
use super::uploaded::uploaded;
use crate::model::ansible::{ArgumentValue, Rendered, Task, Text, TextKind, Turn};
use crate::model::command::Command;
use crate::model::kind::Kind;
use crate::model::load::{Document, Documents};
use crate::model::nomad;
use crate::model::terraform::{BlockView, Resource};
use crate::source::{file_name, folder, join};
use crate::syntax::jinja;
use crate::syntax::yaml::{Node, Yaml};
use crate::text::{FileId, Loc, Mapped, Span};
use crate::value::Value;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

/// Containers of one task that are looked at.
const MAX_CONTAINERS: usize = 64;

/// All containers of an estate.
pub(super) struct Fleet {
    /// By kind of place, and then in path order.
    pub(super) containers: Vec<Container>,
    /// Where those of each task stand among them.
    pub(super) by_task: Vec<Range<usize>>,
    /// Container → the machines that start it by themselves or by a provisioner.
    pub(super) deployed: BTreeMap<usize, Deployment>,
    /// The images (without `:latest`) that commands and tasks build here.
    pub(super) built: HashSet<String>,
}

/// Gathers the containers of everything that declares or starts any.
#[must_use]
pub(super) fn fleet(estate: &Estate<'_>) -> Fleet {
    // What a task renders is read as it is rendered, not as the template stands there.
    let rendered: HashSet<FileId> =
        estate.texts.iter().filter(|text| text.of_file).map(|text| text.rendered.file).collect();
    let mut all: Vec<Container> = Vec::new();
    for document in estate.documents.of(&[Kind::Compose, Kind::SystemdUnit, Kind::Quadlet]) {
        if !rendered.contains(&document.file) {
            all.extend(of_file(estate.documents, document));
        }
    }
    for task in nomad::tasks(estate.documents) {
        let in_tests = is_test_path(estate.documents.tree.path(task.loc.file));
        all.extend(container::of_job_task(&task, &Setting { in_tests, ..Setting::unknown() }));
    }
    let of_tasks: Vec<Vec<Container>> =
        estate.ansible.tasks.par_iter().enumerate().map(|(at, task)| of_task(estate, at, task)).collect();
    let mut by_task = Vec::with_capacity(of_tasks.len());
    for containers in of_tasks {
        by_task.push(all.len()..all.len() + containers.len());
        all.extend(containers);
    }
    for resource in estate.terraform.resources() {
        let mut own = of_declared(estate, &resource);
        for container in &mut own {
            container.address = Some(resource.address());
        }
        all.extend(own);
    }
    // What a task or Terraform applies from a file is that file's object, seen twice.
    let seen: HashSet<Loc> = all.iter().filter_map(|container| container.owner).collect();
    for object in estate.cluster.iter().filter(|object| !seen.contains(&object.loc)) {
        all.extend(container::of_object(object, &Setting { in_tests: object.in_tests, ..Setting::unknown() }));
    }
    let seen: HashSet<Loc> = all.iter().map(|container| container.declaration).collect();
    let written =
        estate.documents.of(&[Kind::TaskDefinition]).flat_map(|document| of_definition(estate.documents, document));
    all.extend(written.filter(|container| !seen.contains(&container.declaration)));
    let deployed = by_machines(estate, &mut all);
    let built = built_images(estate);
    for container in all.iter_mut().filter(|_| !built.is_empty()) {
        container.built_here |= container.image.scalar().is_some_and(|image| built.contains(untagged(&image)));
    }
    for container in &mut all {
        if let Some(base) = base_image(estate.documents, container) {
            container.built_on(&base);
        }
    }
    Fleet { containers: all, by_task, deployed, built }
}

/// The image that the Dockerfile beside a compose file builds on: that of its last stage.
fn base_image(documents: &Documents<'_>, container: &Container) -> Option<String> {
    let (context, name) = container.build.as_ref().filter(|_| container.image.is_absent())?;
    let tree = documents.tree;
    let from = join(folder(tree.path(container.declaration.file)), context)?;
    let file = join(&from, name).and_then(|path| tree.find(&path))?;
    let stages: Vec<(&str, Option<&str>)> = tree
        .text(file)
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().filter(|word| !word.starts_with("--"));
            let first = words.next().filter(|word| word.eq_ignore_ascii_case("from"));
            first.and_then(|_| Some((words.next()?, words.nth(1))))
        })
        .collect();
    let (mut base, _) = *stages.last()?;
    // A stage may go on from another.
    for (image, own) in stages.iter().rev() {
        if own.is_some_and(|own| own.eq_ignore_ascii_case(base)) {
            base = image;
        }
    }
    (!base.contains('$')).then(|| base.to_owned())
}

/// Adds what machines start without a task; each that is new with its machines.
fn by_machines(estate: &Estate<'_>, all: &mut Vec<Container>) -> BTreeMap<usize, Deployment> {
    let mut known: HashMap<(Loc, String), usize> =
        all.iter().enumerate().map(|(at, own)| ((own.declaration, own.name.clone()), at)).collect();
    let mut found: BTreeMap<usize, Deployment> = BTreeMap::new();
    for (container, to) in deployed(estate) {
        let at = *known.entry((container.declaration, container.name.clone())).or_insert(all.len());
        if at == all.len() {
            all.push(container);
        }
        found.entry(at).or_default().add(to);
    }
    for (at, machines) in uploaded(estate, all) {
        found.entry(at).or_default().add(Deployment { machines, ..Deployment::default() });
    }
    found
}

/// An image without the tag that means the newest.
#[must_use]
pub fn untagged(image: &str) -> &str {
    image.strip_suffix(":latest").unwrap_or(image)
}

/// The names that tasks and commands of the repository give to images that they build: no registry decides what those are.
fn built_images(estate: &Estate<'_>) -> HashSet<String> {
    let mut built: HashSet<String> = estate.ansible.tasks.iter().flat_map(|task| built_by(estate, task)).collect();
    let builders = estate.invocations.iter().filter(|invocation| {
        let command = &invocation.command;
        matches!(&*command.program, "docker" | "podman" | "buildah" | "nerdctl")
            && command.sub.iter().any(|sub| matches!(&**sub, "build" | "bud"))
    });
    for builder in builders {
        let tags = builder.command.flags.iter().filter(|flag| matches!(&*flag.name, "-t" | "--tag"));
        for flag in tags {
            // In a task the name may be a template.
            let given = flag.value.scalar().or_else(|| {
                let text = estate.documents.tree.text(builder.command.loc.file);
                let name = word(text.get(flag.span.start as usize + flag.name.len()..)?);
                estate.ansible.evaluate_text(&estate.ansible.tasks[builder.task?], name).scalar()
            });
            built.extend(given.map(|name| untagged(&name).to_owned()));
        }
    }
    // `docker tag own registry/own`: the same image.
    for invocation in &estate.invocations {
        let command = &invocation.command;
        let tags =
            matches!(&*command.program, "docker" | "podman") && command.sub.last().is_some_and(|sub| &**sub == "tag");
        let names = command.operands.iter().filter(|_| tags).map(Value::scalar);
        if let [Some(from), Some(to)] = names.collect::<Vec<_>>().as_slice()
            && built.contains(untagged(from))
        {
            built.insert(untagged(to).to_owned());
        }
    }
    built
}

/// The value that stands behind a flag, templates in it whole.
fn word(text: &str) -> &str {
    let text = text.trim_start_matches(['=', ' ', '"', '\'']);
    let mut depth = 0_usize;
    let end = text.find(|c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && (c.is_whitespace() || matches!(c, '"' | '\''))
    });
    &text[..end.unwrap_or(text.len())]
}

/// The images that a task builds, in each turn of its loop.
fn built_by<'m>(estate: &Estate<'m>, task: &Task<'m>) -> Vec<String> {
    let ansible = estate.ansible;
    let builds = match task.short() {
        "docker_image" | "podman_image" => {
            task.argument("build").is_some()
                || task.argument("path").is_some()
                || ansible.argument(task, "source").as_str() == Some("build")
        }
        "docker_image_build" => true,
        _ => false,
    };
    if !builds {
        return Vec::new();
    }
    let (names, tags) = (ansible.each(task, "name"), ansible.each(task, "tag"));
    let image = |(at, name): (usize, &Value)| {
        let name = name.scalar()?;
        // A tag in the name wins; without any it is the latest.
        let tag = tags.get(at).or(tags.first()).filter(|_| !file_name(&name).contains([':', '@']));
        let name = match tag {
            Some(tag) => format!("{name}:{}", tag.scalar()?),
            None => name.to_string(),
        };
        Some(untagged(&name).to_owned())
    };
    names.iter().enumerate().filter_map(image).collect()
}

fn of_file(documents: &Documents<'_>, document: &Document) -> Vec<Container> {
    let path = documents.tree.path(document.file);
    let in_ci = path.contains("ci") && path.split(['/', '.', '-', '_']).any(|part| part == "ci");
    let in_tests = is_test_path(path)
        || path.split(['/', '.', '-', '_']).any(|part| matches!(part, "test" | "tests" | "testing" | "e2e"));
    let setting = Setting { in_ci, in_tests, ..Setting::unknown() };
    if document.kind == Kind::Compose {
        let Some(root) = document.yaml().and_then(crate::syntax::yaml::Yaml::root) else { return Vec::new() };
        let mut found = container::of_compose(root, &|span| Loc { file: document.file, span }, &setting);
        override_beside(documents, path, &mut found);
        return found;
    }
    let text = Rendered::verbatim(Mapped::verbatim(documents.tree.text(document.file), 0), document.file);
    if document.kind == Kind::Quadlet {
        return container::of_quadlet(&text, file_name(path), &setting).into_iter().collect();
    }
    container::of_unit(&text, &setting)
}

/// Compose reads an override file beside the first one without being told: what that says of a service is not seen in the first.
fn override_beside(documents: &Documents<'_>, path: &str, containers: &mut [Container]) {
    let Some((stem, suffix)) = path.rsplit_once('.') else { return };
    if !matches!(file_name(stem), "docker-compose" | "compose") || containers.is_empty() {
        return;
    }
    let beside =
        [suffix, "yml", "yaml"].iter().find_map(|suffix| documents.tree.find(&format!("{stem}.override.{suffix}")));
    let Some(file) = beside else { return };
    let yaml = Yaml::parse(documents.tree.text(file));
    let Some(services) = yaml.root().and_then(|root| root.get("services")) else { return };
    for container in containers {
        let Some(service) = services.get(&container.name) else { continue };
        let says = |key: &str| service.get(key).is_some();
        let reason = || Some(format!("{} says more of it", file_name(documents.tree.path(file))).as_str().into());
        if says("volumes") || says("tmpfs") || says("extends") {
            container.more_mounts = reason();
        }
        if says("environment") || says("env_file") || says("extends") {
            container.more_environment = reason();
        }
    }
}

/// The containers that a resource of Terraform declares: of Docker, of a swarm, of a workload of Kubernetes by blocks or as a
/// manifest.
fn of_declared<'m>(estate: &Estate<'m>, resource: &Resource<'m, 'm>) -> Vec<Container> {
    let in_tests = || is_test_path(estate.documents.tree.path(resource.loc().file));
    let setting = || Setting { in_tests: in_tests(), ..Setting::unknown() };
    let place = (resource.loc(), resource.name());
    match resource.ty() {
        "docker_container" => {
            let blocks = |kind: &str| resource.blocks(kind).iter().map(|block| (block.loc, block.to_value())).collect();
            let argument = |name: &str| if name == "image" { image_of(estate, resource) } else { resource.arg(name) };
            container::of_resource(&argument, &blocks, place, &setting()).into_iter().collect()
        }
        "docker_service" => {
            let task = resource.blocks("task_spec").first().map(BlockView::to_value).unwrap_or_default();
            container::of_service(&resource.arg("name"), &task, place, &setting()).into_iter().collect()
        }
        "portainer_stack" => {
            let text = resource.mapped("stack_file_content");
            let text = text.map(|text| Rendered::verbatim(text.text, text.file));
            text.iter().flat_map(|text| container::of_compose_text(text, &setting())).collect()
        }
        "aws_ecs_task_definition" | "azurerm_container_group" | "azurerm_container_app" => {
            of_group(resource, &setting())
        }
        _ => Vec::new(),
    }
}

/// The image of a container; of one that is only known by its number, what it was pulled as.
fn image_of<'m>(estate: &Estate<'m>, resource: &Resource<'m, 'm>) -> Value {
    let image = resource.arg("image");
    if image.reason().is_none() {
        return image;
    }
    let pulled = estate.terraform.referred(resource, "image");
    match pulled.as_slice() {
        [one] if estate.terraform.type_of(*one) == Some("docker_image") => {
            let place = resource.expr("image").map(|(file, expr)| Loc { file, span: expr.span });
            let name = estate.terraform.name_of(*one).map(|name| Value::known(name.as_str()));
            name.map_or(image, |name| place.map_or(name.clone(), |place| name.at(place)))
        }
        _ => image,
    }
}

/// The containers of what a cloud runs as one task, group or app.
fn of_group(resource: &Resource<'_, '_>, setting: &Setting<'_>) -> Vec<Container> {
    let values = |blocks: Vec<BlockView<'_, '_>>| blocks.iter().map(BlockView::to_value).collect::<Vec<_>>();
    let group = |name: &str, declared, volumes| Group {
        loc: resource.loc(),
        name: resource.arg(name),
        declared,
        volumes,
        setting,
    };
    match resource.ty() {
        "aws_ecs_task_definition" => {
            let containers = data::of_argument(resource, "container_definitions");
            let group = group("family", Declared::Ecs, values(resource.blocks("volume")));
            container::of_task_definition(&containers, &group)
        }
        "azurerm_container_group" => {
            let group = group("name", Declared::Terraform, Vec::new());
            container::of_container_group(&values(resource.blocks("container")), &group)
        }
        _ => {
            let templates = resource.blocks("template");
            let template = |kind: &str| values(templates.iter().flat_map(|template| template.blocks(kind)).collect());
            let group = group("name", Declared::Terraform, template("volume"));
            container::of_container_app(&template("container"), &group)
        }
    }
}

/// The containers of a task definition in a file of its own, as `register-task-definition` takes it.
fn of_definition(documents: &Documents<'_>, document: &Document) -> Vec<Container> {
    let Some(root) = document.yaml().and_then(crate::syntax::yaml::Yaml::root) else { return Vec::new() };
    let place = |span: Span| Loc { file: document.file, span };
    let whole = data::of_node(root, &place);
    // What `describe-task-definition` prints has it one level down.
    let inner = whole.get("taskDefinition");
    let body = if inner.is_absent() { whole } else { inner };
    let setting = Setting { in_tests: is_test_path(documents.tree.path(document.file)), ..Setting::unknown() };
    let group = Group {
        loc: place(root.span()),
        name: body.get("family"),
        declared: Declared::Ecs,
        volumes: container::members(&body.get("volumes")),
        setting: &setting,
    };
    container::of_task_definition(&body.get("containerDefinitions"), &group)
}

/// The containers of the manifests that a task applies.
fn applied<'m>(estate: &Estate<'m>, task: &Task<'m>, setting: &Setting<'_>) -> Vec<Container> {
    let ansible = estate.ansible;
    let pods =
        |objects: &[cluster::Object]| objects.iter().flat_map(|object| container::of_object(object, setting)).collect();
    let of_turn = |turn: &Turn<'_, '_, 'm>| -> Vec<Container> {
        if turn.argument("state").as_str() == Some("absent") {
            return Vec::new();
        }
        for name in ["definition", "resource_definition", "inline"] {
            let given = turn.argument(name);
            let objects = match turn.render_argument(name) {
                Some(text) => cluster::of_text(&text, setting.in_tests),
                None if given.is_absent() => continue,
                None => cluster::of_value(&given, task.loc, setting.in_tests),
            };
            return pods(&objects);
        }
        for (name, template) in [("template", true), ("src", false)] {
            let given = turn.argument(name);
            let path = given.as_str().map(str::to_owned).or_else(|| given.get("path").as_str().map(str::to_owned));
            let Some(file) = path.and_then(|path| ansible.applied_from(task, &path, template)) else { continue };
            let text = if template {
                turn.render_file(file)
            } else {
                Rendered::verbatim(Mapped::verbatim(estate.documents.tree.text(file), 0), file)
            };
            return pods(&cluster::of_text(&text, setting.in_tests));
        }
        Vec::new()
    };
    ansible.in_turns(task, of_turn).into_iter().flatten().take(MAX_CONTAINERS).collect()
}

/// The containers of a text that a task writes.
fn of_text(text: &Text, setting: &Setting<'_>) -> Vec<Container> {
    match text.kind {
        TextKind::Compose => container::of_compose_text(&text.rendered, setting),
        TextKind::Quadlet => container::of_quadlet(&text.rendered, &text.name, setting).into_iter().collect(),
        TextKind::Unit => container::of_unit(&text.rendered, setting),
        TextKind::Shell | TextKind::Crontab { .. } | TextKind::Environment => Vec::new(),
    }
}

/// The containers that the command of a task runs, its text rendered in each turn.
fn run_by(estate: &Estate<'_>, at: usize, setting: &Setting<'_>) -> Vec<Container> {
    let task = &estate.ansible.tasks[at];
    let runs = |command: &Command| {
        matches!(&*command.program, "docker" | "podman")
            && command.sub.iter().any(|sub| matches!(&**sub, "run" | "create"))
    };
    let Some(text) = task.free.filter(|_| estate.invocations_of(at).any(runs)) else { return Vec::new() };
    let mut rendered = estate.ansible.in_turns(task, |turn| turn.render_node(text));
    for one in &mut rendered {
        // Ansible drops the backslashes of a folded text, as `Task::command` does.
        let words = &mut one.text.text;
        while let Some(at) = words.find(" \\ ") {
            words.replace_range(at + 1..at + 2, " ");
        }
    }
    let mut seen = HashSet::new();
    let other = |rendered: &&Rendered| seen.insert(rendered.text.text.clone());
    rendered
        .iter()
        .filter(other)
        .take(MAX_CONTAINERS)
        .flat_map(|rendered| container::of_shell(rendered, setting))
        .collect()
}

fn of_task<'m>(estate: &Estate<'m>, at: usize, task: &Task<'m>) -> Vec<Container> {
    let short = task.short();
    let in_tests = is_test_path(estate.documents.tree.path(task.file));
    let expression = |text: &str| match jinja::expression(text) {
        Ok(_) => estate.ansible.evaluate_text(task, &format!("{{{{ {text} }}}}")),
        Err(error) => Value::unknown(error),
    };
    let unknown = Setting::unknown();
    let setting = Setting { in_ci: false, in_tests, variable: unknown.variable, expression: &expression };
    let mut found: Vec<Container> = estate.texts_of(at).iter().flat_map(|text| of_text(text, &setting)).collect();
    let place = |span: Span| Loc { file: task.file, span };
    let node = |name: &str| match task.argument(name).map(|argument| &argument.value) {
        Some(ArgumentValue::Node(node)) => Some(*node),
        Some(ArgumentValue::Text(..)) | None => None,
    };
    match short {
        "docker_compose_v2" | "docker_compose" => {
            let definition = node("definition").into_iter();
            found.extend(definition.flat_map(|node| container::of_definition(node, &place, &setting)));
        }
        "docker_stack" => {
            let definitions = node("compose").into_iter().flat_map(Node::items).filter(|item| item.is_map());
            found.extend(definitions.flat_map(|node| container::of_definition(node, &place, &setting)));
        }
        "command" | "shell" => {
            found.extend(run_by(estate, at, &setting));
            found.extend(kube_play::by_commands(estate, at, &setting));
        }
        "podman_play" => found.extend(kube_play::containers(estate, task, &setting)),
        "k8s" => found.extend(applied(estate, task, &setting)),
        module if container::MODULES.contains(&module) => {
            let of_turn = |turn: &Turn<'_, '_, 'm>| {
                container::of_arguments(short, &|name| turn.argument(name), task.loc, &setting)
            };
            let all = estate.ansible.in_turns(task, of_turn);
            let mut seen = HashSet::new();
            let other = |container: &Container| {
                let mounts = format!("{:?}", container.mounts);
                seen.insert((container.name.clone(), container.image.display(), mounts))
            };
            found.extend(all.into_iter().flatten().filter(other).take(MAX_CONTAINERS));
        }
        _ => {}
    }
    // Asked last: most tasks declare none, and the answer takes long.
    if !found.is_empty() && runs_nowhere(estate.ansible, at) {
        found.clear();
    }
    found
}
