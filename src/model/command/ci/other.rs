//! Commands of YAML and JSON files that are no pipelines: packages, compose services, user data.

use super::append;
use super::values::value_of;
use crate::model::command::wrapper::terraform_of;
use crate::model::command::{Command, Site, Variables, commands, of_argv};
use crate::syntax::compose;
use crate::syntax::yaml::{Node, Yaml};
use crate::text::{FileId, Mapped, Span};
use crate::value::Value;

/// `scripts` of a `package.json`.
#[must_use]
pub fn of_package(file: FileId, text: &str, yaml: &Yaml) -> Vec<Command> {
    let mut out = Vec::new();
    let scripts = yaml.root().and_then(|root| root.get("scripts"));
    for (key, value) in scripts.map(Node::entries).unwrap_or_default() {
        let site = Site::PackageScript { name: key.as_str().unwrap_or_default().into() };
        commands(&value.mapped(text), file, &site, &Variables::default(), &mut out);
    }
    out
}

/// `command`, `entrypoint` and health checks of compose services.
#[must_use]
pub fn of_compose(file: FileId, text: &str, yaml: &Yaml) -> Vec<Command> {
    let mut out = Vec::new();
    let services = yaml.root().and_then(compose::services);
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
                commands(&whole, file, &site, &Variables::default(), &mut out);
            }
            (Some(entry), _) => words(file, text, entry, None, &site, &mut out),
            (None, Some(command)) => words(file, text, command, own, &site, &mut out),
            (None, None) => {}
        }
        let check = service.get("healthcheck").and_then(|check| check.get("test"));
        if let Some(check) = check.filter(|check| check.as_str().is_some()) {
            commands(&check.mapped(text), file, &site, &Variables::default(), &mut out);
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
            commands(&content.mapped(text), file, &Site::CloudInit, &Variables::default(), &mut out);
        }
    }
    out
}

/// A command as one text, the words of a list quoted.
#[must_use]
pub fn line(text: &str, node: Node<'_>) -> Mapped {
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
pub(super) fn words(
    file: FileId,
    text: &str,
    node: Node<'_>,
    binary: Option<&str>,
    site: &Site,
    out: &mut Vec<Command>,
) {
    let first = node.items().next().and_then(Node::as_str).or(node.as_str()).unwrap_or_default();
    let first = first.split_whitespace().next().unwrap_or_default();
    let binary = binary.filter(|it| !first.ends_with(it) && !matches!(first, "sh" | "bash" | "/bin/sh" | "-c"));
    if node.as_str().is_some() {
        let mut whole = Mapped::default();
        if let Some(binary) = binary {
            whole.push_for(&format!("{binary} "), node.span());
        }
        append(&mut whole, &node.mapped(text));
        commands(&whole, file, site, &Variables::default(), out);
        return;
    }
    let mut argv: Vec<(Value, Span)> = binary.iter().map(|it| (Value::known(*it), node.span())).collect();
    for word in node.items() {
        let value = word.as_str().map_or_else(|| Value::unknown("it is no text"), value_of);
        argv.push((value, word.span()));
    }
    of_argv(argv, file, site, out);
}
