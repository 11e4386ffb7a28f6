//! Services of a compose file.

use super::interpolate::Reader;
use super::mount::{Mount, MountKind};
use super::{Container, Declared, Setting};
use crate::syntax::compose;
use crate::syntax::yaml::Node;
use crate::text::{Loc, Span};
use crate::value::{Reason, Value};
use std::collections::HashSet;
use std::sync::Arc;

/// How far `extends` is followed.
const MAX_EXTENDS: usize = 8;

/// Members of one list of a service that are read.
const MAX_ITEMS: usize = 1000;

/// The containers of a compose file whose root node is given; `place` says where a span of its text lies.
#[must_use]
pub fn of_compose(root: Node<'_>, place: &dyn Fn(Span) -> Loc, setting: &Setting<'_>) -> Vec<Container> {
    read(root, place, &Reader { setting: *setting, holes: &[], templates: false }, Declared::Compose)
}

/// The containers of a compose definition inside a playbook (`docker_compose_v2: definition:`), template expressions in its scalars.
#[must_use]
pub fn of_definition(definition: Node<'_>, place: &dyn Fn(Span) -> Loc, setting: &Setting<'_>) -> Vec<Container> {
    read(definition, place, &Reader { setting: *setting, holes: &[], templates: true }, Declared::Ansible)
}

/// The containers of a compose text, whatever it stands in.
pub(super) fn read(
    root: Node<'_>,
    place: &dyn Fn(Span) -> Loc,
    reader: &Reader<'_>,
    declared: Declared,
) -> Vec<Container> {
    let Some(services) = compose::services(root) else { return Vec::new() };
    let file = File { root, services, place, reader };
    let is_service = |node: Node<'_>| ["image", "build", "extends"].iter().any(|key| node.get(key).is_some());
    let mut seen = HashSet::new();
    let mut containers = Vec::new();
    // Of a repeated key the last counts.
    for (key, node) in services.entries().into_iter().rev() {
        let Some(name) = key.as_str().filter(|name| is_service(node) && seen.insert(*name)) else { continue };
        containers.push(file.container(name, key, node, declared));
    }
    containers.reverse();
    let built: HashSet<Arc<str>> =
        containers.iter().filter(|own| own.built_here).filter_map(|own| own.image.scalar()).collect();
    let awaited = awaited(services);
    for container in &mut containers {
        container.removed_at_end |= awaited.contains(container.name.as_str());
        container.built_here |= container.image.scalar().is_some_and(|image| built.contains(&image));
    }
    containers
}

/// The services for whose end others wait: they do one thing.
fn awaited(services: Node<'_>) -> HashSet<&str> {
    let each = services.entries().into_iter().filter_map(|(_, node)| node.get("depends_on"));
    let ended = |node: Node<'_>| node.get("condition").and_then(Node::as_str) == Some("service_completed_successfully");
    each.flat_map(Node::entries).filter(|(_, node)| ended(*node)).filter_map(|(key, _)| key.as_str()).collect()
}

struct File<'a, 'n> {
    root: Node<'n>,
    services: Node<'n>,
    place: &'a dyn Fn(Span) -> Loc,
    reader: &'a Reader<'a>,
}

/// A service with what it extends, the strongest first.
struct Layers<'n> {
    nodes: Vec<Node<'n>>,
    /// Why more may be said elsewhere.
    open: Option<Reason>,
}

impl<'n> Layers<'n> {
    fn get(&self, key: &str) -> Option<Node<'n>> {
        self.nodes.iter().find_map(|node| node.get(key))
    }

    /// The values of a key in every layer, the weakest first.
    fn all(&self, key: &str) -> Vec<Node<'n>> {
        self.nodes.iter().rev().filter_map(|node| node.get(key)).collect()
    }
}

impl<'n> File<'_, 'n> {
    fn container(&self, name: &str, key: Node<'n>, node: Node<'n>, declared: Declared) -> Container {
        let layers = self.layers(node);
        let shown = Container::shown(&self.reader.read(name));
        let mut own = Container::new(shown, (self.place)(key.span()), declared, &self.reader.setting);
        if let Some(image) = layers.get("image") {
            own.set_image(self.scalar(image), (self.place)(image.span()));
        } else if let Some(reason) = &layers.open {
            own.set_image(Value::unknown(reason.clone()), own.declaration);
        }
        let local =
            layers.get("pull_policy").and_then(Node::as_str).is_some_and(|policy| matches!(policy, "build" | "never"));
        own.built_here = local || layers.get("build").is_some_and(|build| !build.is_null());
        own.build = layers.get("build").and_then(|build| {
            let text = |name: &str| build.get(name).and_then(Node::as_str);
            let context = build.as_str().or_else(|| text("context")).unwrap_or(".");
            // Of several stages one that is no last may be meant.
            let whole = build.get("target").is_none() && build.get("dockerfile_inline").is_none();
            whole.then(|| (context.to_owned(), text("dockerfile").unwrap_or("Dockerfile").to_owned()))
        });
        own.command = layers.get("command").map(|node| self.value(node)).filter(|value| !value.is_absent());
        own.entrypoint = layers.get("entrypoint").map(|node| self.value(node)).filter(|value| !value.is_absent());
        own.volumes_from = layers.get("volumes_from").is_some_and(|from| !from.is_null());
        own.profiles = layers
            .get("profiles")
            .into_iter()
            .flat_map(Node::items)
            .filter_map(Node::as_str)
            .map(str::to_owned)
            .collect();
        own.more_mounts.clone_from(&layers.open);
        own.more_environment.clone_from(&layers.open);
        for volumes in layers.all("volumes") {
            self.volumes(volumes, &mut own);
        }
        for memory in layers.all("tmpfs") {
            let nodes: Vec<Node<'n>> =
                if memory.is_seq() { memory.items().take(MAX_ITEMS).collect() } else { vec![memory] };
            own.mounts.extend(
                nodes.into_iter().filter_map(|node| Mount::memory(&self.scalar(node), (self.place)(node.span()))),
            );
        }
        for environment in layers.all("environment") {
            self.environment(environment, &mut own);
        }
        if own.more_environment.is_none() && layers.get("env_file").is_some_and(|file| !file.is_null()) {
            own.more_environment = Some("its env_file may set more than the repository shows".into());
        }
        own
    }

    fn layers(&self, node: Node<'n>) -> Layers<'n> {
        let mut layers = Layers { nodes: vec![node], open: None };
        let mut at = node;
        for _ in 0..MAX_EXTENDS {
            let has_marks = |node: Node<'n>| {
                node.entries().iter().any(|(key, _)| key.as_str().is_some_and(|key| self.reader.marked(key)))
            };
            if layers.open.is_none() && has_marks(at) {
                layers.open = Some("a template adds to it".into());
            }
            let Some(extends) = at.get("extends") else { break };
            let name = extends.as_str().or_else(|| extends.get("service").and_then(Node::as_str));
            let elsewhere = extends.get("file").is_some();
            let base =
                name.and_then(|name| self.services.get(name)).filter(|base| !elsewhere && base.id() != node.id());
            let Some(base) = base else {
                layers.open = Some("it extends a service of another file".into());
                break;
            };
            layers.nodes.push(base);
            at = base;
        }
        layers
    }

    fn scalar(&self, node: Node<'n>) -> Value {
        if node.is_null() {
            return Value::absent();
        }
        node.as_str().map_or_else(Value::absent, |text| self.reader.read(text)).at((self.place)(node.span()))
    }

    /// A scalar, or a list of scalars.
    fn value(&self, node: Node<'n>) -> Value {
        if node.is_seq() {
            return Value::list(node.items().take(MAX_ITEMS).map(|item| self.scalar(item)).collect())
                .at((self.place)(node.span()));
        }
        self.scalar(node)
    }

    fn volumes(&self, node: Node<'n>, own: &mut Container) {
        if let Some(text) = node.as_str().filter(|_| !node.is_null()) {
            own.more_mounts = own.more_mounts.take().or_else(|| self.reader.read(text).reason());
        }
        for item in node.items().take(MAX_ITEMS) {
            let loc = (self.place)(item.span());
            let mount = if item.is_map() {
                let part = |key: &str| item.get(key).map_or_else(Value::absent, |node| self.scalar(node));
                let source = if part("source").is_absent() { part("src") } else { part("source") };
                let target =
                    [part("target"), part("destination"), part("dst")].into_iter().find(|value| !value.is_absent());
                Mount::long(&part("type"), source, target.unwrap_or_default(), loc)
            } else {
                Mount::short(&self.scalar(item), loc)
            };
            own.mounts.extend(mount.map(|mount| self.named(mount)));
        }
    }

    /// A named volume is what the file says about it.
    fn named(&self, mut mount: Mount) -> Mount {
        if mount.kind != MountKind::Named {
            return mount;
        }
        let volume = mount.source.as_str().and_then(|name| self.root.get("volumes")?.get(name));
        let options = volume.and_then(|volume| volume.get("driver_opts"));
        let in_memory = |node: Node<'_>| node.get("type").and_then(Node::as_str) == Some("tmpfs");
        if options.is_some_and(in_memory) {
            mount.kind = MountKind::Memory;
        }
        mount
    }

    fn environment(&self, node: Node<'n>, own: &mut Container) {
        if let Some(text) = node.as_str().filter(|_| !node.is_null()) {
            own.more_environment = own.more_environment.take().or_else(|| self.reader.read(text).reason());
        }
        for (key, value) in node.entries().into_iter().take(MAX_ITEMS) {
            let Some(name) = key.as_str() else { continue };
            if self.reader.marked(name) {
                own.more_environment.get_or_insert_with(|| "a template adds to its environment".into());
            }
            own.environment.push((name.to_owned(), given(name, self.scalar(value))));
        }
        for item in node.items().take(MAX_ITEMS) {
            let Some(text) = item.as_str() else { continue };
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, self.reader.read(value).at((self.place)(item.span()))),
                None => (text, given(text, Value::absent())),
            };
            if self.reader.marked(name) {
                own.more_environment.get_or_insert_with(|| "a template adds to its environment".into());
                continue;
            }
            own.environment.push((name.to_owned(), value));
        }
    }
}

/// A variable without value takes that of the shell.
fn given(name: &str, value: Value) -> Value {
    if value.is_absent() {
        Value::unknown(format!("the environment variable {name} is set outside the repository"))
    } else {
        value
    }
}
