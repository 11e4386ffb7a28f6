//! Texts that tasks write to hosts: where each goes, what it is, and what it says as far as that is known.

use super::{Ansible, ArgumentValue, PROJECT, Rendered, Task, Turn};
use crate::model::kind::{Kind, is_shell_script};
use crate::source::{file_name, folder, join};
use crate::syntax::jinja::{self, Expr, Literal};
use crate::text::FileId;
use crate::value::Value;
use std::collections::HashSet;

/// Texts of one task that are looked at.
const MAX_TEXTS: usize = 64;

/// What a text is to what reads it on its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// A compose file.
    Compose,
    /// A unit of systemd, or a part of one.
    Unit,
    /// A unit of Podman that makes a container.
    Quadlet,
    /// A shell script.
    Shell,
    /// Lines of cron.
    Crontab {
        /// They name a user before the command.
        user: bool,
    },
    /// Variables for the environment of a program, `NAME=value` a line.
    Environment,
}

/// A text that a task writes.
#[derive(Clone, Debug)]
pub struct Text {
    /// The task, by index.
    pub task: usize,
    /// What it is.
    pub kind: TextKind,
    /// Where it goes, as far as that is known.
    pub dest: Value,
    /// The name of the file on its host; of the source, where that is not known.
    pub name: String,
    /// What it says.
    pub rendered: Rendered,
    /// It is a file of the repository, not a part of a playbook.
    pub of_file: bool,
}

impl<'a> Ansible<'a> {
    /// The texts that a task writes and that something here can read: one for each turn of its loop that gives another.
    #[must_use]
    pub fn texts(&self, at: usize) -> Vec<Text> {
        let Some(task) = self.tasks.get(at).filter(|task| writes(task)) else { return Vec::new() };
        let mut texts = Vec::new();
        let mut seen = HashSet::new();
        for text in self.in_turns(task, |turn| self.texts_of(at, task, turn)).into_iter().flatten() {
            if seen.insert((text.rendered.file, text.rendered.text.text.clone())) {
                texts.push(text);
            }
            if texts.len() >= MAX_TEXTS {
                break;
            }
        }
        texts
    }

    /// What one turn writes: one text, or one for each file that its source may be.
    fn texts_of(&self, at: usize, task: &Task<'a>, turn: &Turn<'_, '_, 'a>) -> Vec<Text> {
        let source = turn.argument("src");
        let crate::value::Kind::OneOf(sources) = &source.kind else {
            return self.text(at, task, turn).into_iter().collect();
        };
        let dest = ["dest", "path"].iter().map(|name| turn.argument(name)).find(|value| !value.is_absent());
        let dest = dest.unwrap_or_default();
        let remote = turn.argument("remote_src").as_bool() == Some(true);
        let template = task.short() == "template";
        let sources = sources.iter().filter(|_| !remote).map(|source| Value::known(source.clone()));
        sources.filter_map(|source| self.of_file(at, task, turn, dest.clone(), source.as_str()?, template)).collect()
    }

    fn text(&self, at: usize, task: &Task<'a>, turn: &Turn<'_, '_, 'a>) -> Option<Text> {
        if turn.argument("state").as_str() == Some("absent") {
            return None;
        }
        let dest = ["dest", "path", "destfile", "name"].iter().map(|name| turn.argument(name));
        let dest = dest.into_iter().find(|value| !value.is_absent()).unwrap_or_default();
        let shown = dest.display();
        for name in ["content", "block", "definition"] {
            let Some(ArgumentValue::Node(node)) = task.argument(name).map(|argument| &argument.value) else { continue };
            let written = node.as_str()?;
            if let Some(source) = looked_up(written) {
                return self.of_file(at, task, turn, dest, &source, true);
            }
            let rendered = turn.render_node(*node);
            let (kind, name) = kind(&[&shown], &rendered.text.text)?;
            return Some(Text { task: at, kind, name, dest, rendered, of_file: false });
        }
        if turn.argument("remote_src").as_bool() == Some(true) {
            return None;
        }
        let source = turn.argument("src");
        self.of_file(at, task, turn, dest, source.as_str()?, task.short() == "template")
    }

    /// The text of a file of the repository: rendered, or as it is.
    fn of_file(
        &self,
        at: usize,
        task: &Task<'a>,
        turn: &Turn<'_, '_, 'a>,
        dest: Value,
        source: &str,
        template: bool,
    ) -> Option<Text> {
        let file = self.source(task, if template { "templates" } else { "files" }, source)?;
        let text = self.documents.tree.text(file);
        let (kind, name) = kind(&[&dest.display(), source], text)?;
        if !template && self.is_read(file, kind) {
            return None;
        }
        let rendered = if template {
            turn.render_file(file)
        } else {
            Rendered::verbatim(crate::text::Mapped::verbatim(text, 0), file)
        };
        Some(Text { task: at, kind, dest, name, rendered, of_file: true })
    }

    /// Whether a file is judged by itself as what it is written as.
    fn is_read(&self, file: FileId, kind: TextKind) -> bool {
        let own = self.documents.document(file).map(|document| document.kind);
        match kind {
            TextKind::Compose => own == Some(Kind::Compose),
            TextKind::Unit => own == Some(Kind::SystemdUnit),
            TextKind::Shell => own == Some(Kind::Shell),
            TextKind::Quadlet => own == Some(Kind::Quadlet),
            TextKind::Crontab { .. } | TextKind::Environment => false,
        }
    }

    /// The file of the repository that a task copies or renders, by what it gives as `src`.
    #[must_use]
    pub fn written_from(&self, task: &Task<'a>, name: &str) -> Option<FileId> {
        self.applied_from(task, name, task.short() == "template")
    }

    /// The file of the repository whose manifests a task applies.
    #[must_use]
    pub fn applied_from(&self, task: &Task<'a>, name: &str, template: bool) -> Option<FileId> {
        self.source(task, if template { "templates" } else { "files" }, name).filter(|_| !name.is_empty())
    }

    /// The file of the repository that a task means by `src`, looked for where Ansible looks.
    fn source(&self, task: &Task<'a>, part: &str, name: &str) -> Option<FileId> {
        let tree = self.documents.tree;
        if let Some(path) = name.strip_prefix(PROJECT) {
            return tree.find(path.trim_start_matches('/'));
        }
        if name.starts_with(['/', '~']) {
            return tree.find(&self.uploaded_from(name)?);
        }
        let role = task.role.map(|role| self.roles[role].folder.as_str());
        let here = folder(tree.path(task.file));
        let plays = task.plays.iter().take(1).map(|play| folder(tree.path(self.plays[*play].file)));
        let bases = role.into_iter().chain([here]).chain(plays);
        bases
            .flat_map(|base| [join(base, &format!("{part}/{name}")), join(base, name)])
            .flatten()
            .find_map(|path| tree.find(&path).or_else(|| tree.find(&tree.real(&path))))
    }
}

/// Whether a task writes a text to a file.
fn writes(task: &Task<'_>) -> bool {
    let definition = |task: &Task<'_>| task.argument("definition").is_some();
    match task.short() {
        "template" | "copy" | "blockinfile" | "podman_quadlet" => true,
        "docker_compose" | "docker_compose_v2" => definition(task),
        _ => false,
    }
}

/// The template that a text is nothing but the content of: `{{ lookup('template', 'a.j2') | from_yaml }}`.
fn looked_up(text: &str) -> Option<String> {
    if !text.contains("lookup") {
        return None;
    }
    let template = jinja::parse(text.trim());
    let mut expr = template.single()?;
    while let Expr::Filter { of, .. } = expr {
        expr = of;
    }
    let Expr::Call { callee, args, .. } = expr else { return None };
    let lookup = matches!(&**callee, Expr::Name(name) if matches!(&**name, "lookup" | "query"));
    match args.as_slice() {
        [Expr::Const(Literal::Str(plugin)), Expr::Const(Literal::Str(name))] if lookup => {
            (plugin.rsplit('.').next() == Some("template")).then(|| name.to_string())
        }
        _ => None,
    }
}

/// What a text is, by the paths that it is known by, the best first, and its shape; with its name.
fn kind(paths: &[&str], text: &str) -> Option<(TextKind, String)> {
    let name = |path: &str| {
        let name = file_name(path);
        [".j2", ".jinja2", ".jinja"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    };
    let known = paths.iter().filter(|path| !path.ends_with('/'));
    let mut names: Vec<(&str, String)> = known.map(|path| (*path, name(path))).collect();
    names.retain(|(_, name)| !name.is_empty());
    let found = names.iter().find_map(|(path, name)| Some((of_name(path, name, text)?, name.clone())));
    found.or_else(|| {
        // A comment to the template engine may stand before the line that names the shell.
        let first = text.strip_prefix("#jinja2:").and_then(|rest| rest.split_once('\n')).map_or(text, |(_, rest)| rest);
        is_shell_script(first.as_bytes())
            .then(|| (TextKind::Shell, names.first().map_or_else(String::new, |it| it.1.clone())))
    })
}

/// Units of systemd that can hold a command or mount something.
const UNITS: [&str; 4] = ["service", "mount", "socket", "timer"];

fn of_name(path: &str, name: &str, text: &str) -> Option<TextKind> {
    let has = |needle: &str| memchr::memmem::find(text.as_bytes(), needle.as_bytes()).is_some();
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let drop_in = || end == "conf" && folder(path).rsplit('/').next().is_some_and(|name| name.contains(".service.d"));
    match end {
        "yml" | "yaml" if has("services:") && (has("image:") || has("build:")) => Some(TextKind::Compose),
        "container" if has("[Container]") => Some(TextKind::Quadlet),
        "sh" | "bash" => Some(TextKind::Shell),
        "env" => Some(TextKind::Environment),
        _ if UNITS.contains(&end) && has("[") => Some(TextKind::Unit),
        _ if drop_in() => Some(TextKind::Unit),
        _ if has("#!") && text.trim_start().starts_with("#!") => None,
        _ if path.starts_with("/etc/cron.d/") => Some(TextKind::Crontab { user: true }),
        _ if path == "/etc/crontab" => Some(TextKind::Crontab { user: true }),
        _ if path.starts_with("/var/spool/cron/") => Some(TextKind::Crontab { user: false }),
        _ if path.starts_with("/etc/default/") || path.starts_with("/etc/sysconfig/") => Some(TextKind::Environment),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
