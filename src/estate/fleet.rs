//! Every container that the repository declares: compose files and texts, tasks, resources.

use super::Estate;
use super::container::{self, Container, Setting};
use super::task::is_test_path;
use crate::model::ansible::Task;
use crate::model::kind::Kind;
use crate::model::load::Documents;
use crate::source::{folder, join};
use crate::syntax::jinja;
use crate::text::{FileId, Loc, Mapped};
use crate::value::Value;
use rayon::prelude::*;
use std::collections::HashSet;
use std::ops::Range;

/// All containers, by kind of place and then in path order, and where those of each task stand among them.
#[must_use]
pub fn containers(estate: &Estate<'_>) -> (Vec<Container>, Vec<Range<usize>>) {
    let documents = estate.documents;
    let mut all: Vec<Container> =
        documents.of(&[Kind::Compose]).flat_map(|document| of_file(documents, document)).collect();
    let of_tasks: Vec<Vec<Container>> = estate.ansible.tasks.par_iter().map(|task| of_task(estate, task)).collect();
    let mut by_task = Vec::with_capacity(of_tasks.len());
    for containers in of_tasks {
        by_task.push(all.len()..all.len() + containers.len());
        all.extend(containers);
    }
    for resource in estate.terraform.resources().filter(|resource| resource.ty() == "docker_container") {
        let path = documents.tree.path(resource.loc().file);
        let setting = Setting { in_tests: is_test_path(path), ..Setting::unknown() };
        let blocks = |kind: &str| resource.blocks(kind).iter().map(|block| (block.loc, block.to_value())).collect();
        all.extend(container::of_resource(
            resource.ty(),
            &|name| resource.arg(name),
            &blocks,
            (resource.loc(), resource.name()),
            &setting,
        ));
    }
    let built = built_images(estate);
    for container in all.iter_mut().filter(|_| !built.is_empty()) {
        container.built_here |= container.image.scalar().is_some_and(|image| built.contains(untagged(&image)));
    }
    (all, by_task)
}

fn untagged(image: &str) -> &str {
    image.strip_suffix(":latest").unwrap_or(image)
}

/// The names that tasks and commands of the repository give to images that they build: no registry decides what those are.
fn built_images(estate: &Estate<'_>) -> HashSet<String> {
    let mut built = HashSet::new();
    for task in &estate.ansible.tasks {
        let builds = match task.short() {
            "docker_image" | "podman_image" => {
                task.argument("build").is_some()
                    || task.argument("path").is_some()
                    || estate.ansible.argument(task, "source").as_str() == Some("build")
            }
            "docker_image_build" => true,
            _ => false,
        };
        if builds {
            built.extend(estate.ansible.argument(task, "name").scalar().map(|name| untagged(&name).to_owned()));
        }
    }
    let builders = estate.invocations.iter().map(|invocation| &invocation.command).filter(|command| {
        matches!(&*command.program, "docker" | "podman" | "buildah" | "nerdctl")
            && command.sub.iter().any(|sub| matches!(&**sub, "build" | "bud"))
    });
    for command in builders {
        let tags = command.flags.iter().filter(|flag| matches!(&*flag.name, "-t" | "--tag"));
        built.extend(tags.filter_map(|flag| flag.value.scalar().map(|name| untagged(&name).to_owned())));
    }
    built
}

fn of_file(documents: &Documents<'_>, document: &crate::model::load::Document) -> Vec<Container> {
    let Some(root) = document.yaml().and_then(crate::syntax::yaml::Yaml::root) else { return Vec::new() };
    let path = documents.tree.path(document.file);
    let in_ci = path.contains("ci") && path.split(['/', '.', '-', '_']).any(|part| part == "ci");
    let in_tests = is_test_path(path)
        || path.split(['/', '.', '-', '_']).any(|part| matches!(part, "test" | "tests" | "testing" | "e2e"));
    let setting = Setting { in_ci, in_tests, ..Setting::unknown() };
    container::of_compose(root, &|span| Loc { file: document.file, span }, &setting)
}

/// Modules that write a text which may be a compose file.
const WRITERS: [&str; 2] = ["copy", "blockinfile"];

/// The template of the repository that a task renders, when it may be a compose file.
fn template<'m>(estate: &Estate<'m>, task: &Task<'m>) -> Option<FileId> {
    let source = estate.ansible.argument(task, "src");
    let name = source.as_str().filter(|name| name.contains(".yml") || name.contains(".yaml"))?;
    let tree = estate.documents.tree;
    let here = folder(tree.path(task.file));
    let of_role = task.role.and_then(|role| estate.ansible.roles[role].path(&format!("templates/{name}")));
    let beside = [format!("templates/{name}"), name.to_owned()].map(|path| join(here, &path));
    let file = of_role.into_iter().chain(beside.into_iter().flatten()).find_map(|path| tree.find(&path))?;
    tree.text(file).contains("services:").then_some(file)
}

fn of_task<'m>(estate: &Estate<'m>, task: &Task<'m>) -> Vec<Container> {
    let short = task.short();
    let path = estate.documents.tree.path(task.file);
    let in_tests = is_test_path(path);
    let expression = |text: &str| match jinja::expression(text) {
        Ok(_) => estate.ansible.evaluate_text(task, &format!("{{{{ {text} }}}}")),
        Err(error) => Value::unknown(error),
    };
    let unknown = Setting::unknown();
    let setting = Setting { in_ci: false, in_tests, variable: unknown.variable, expression: &expression };
    if short == "template" {
        let Some(file) = template(estate, task) else { return Vec::new() };
        let text = Mapped::verbatim(estate.documents.tree.text(file), 0);
        return container::of_compose_text(&text, file, &setting);
    }
    if WRITERS.contains(&short) {
        let written = ["content", "block"].iter().find_map(|name| match &task.argument(name)?.value {
            crate::model::ansible::ArgumentValue::Node(node) => Some(*node),
            crate::model::ansible::ArgumentValue::Text(..) => None,
        });
        let Some(node) = written.filter(|node| node.as_str().is_some_and(|text| text.contains("services:"))) else {
            return Vec::new();
        };
        let mapped = node.mapped(estate.documents.tree.text(task.file));
        return container::of_compose_text(&mapped, task.file, &setting);
    }
    if matches!(short, "docker_compose_v2" | "docker_compose") {
        let Some(argument) = task.argument("definition") else { return Vec::new() };
        let crate::model::ansible::ArgumentValue::Node(node) = &argument.value else { return Vec::new() };
        return container::of_definition(*node, &|span| Loc { file: task.file, span }, &setting);
    }
    if !matches!(short, "docker_container" | "podman_container") {
        return Vec::new();
    }
    let get = |name: &str| estate.ansible.argument(task, name);
    container::of_arguments(short, &get, task.loc, &setting).into_iter().collect()
}
