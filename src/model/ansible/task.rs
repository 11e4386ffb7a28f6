//! Tasks: blocks opened, with what they hand down.

use super::arguments::{self, Call, FREE_FORM, pairs};
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc, Mapped, Span};
use std::borrow::Cow;
use std::ops::Range;

/// A task (or handler) as it is declared.
pub struct Task<'a> {
    /// The file.
    pub file: FileId,
    /// The whole mapping.
    pub node: Node<'a>,
    /// The module key: where a finding on the task points.
    pub loc: Loc,
    /// Its name.
    pub name: Option<&'a str>,
    /// The module's FQCN, redirects resolved as far as known (`apt` → `ansible.builtin.apt`).
    pub module: Cow<'a, str>,
    /// The module as it is written.
    pub written: &'a str,
    /// The arguments.
    pub arguments: Vec<Argument<'a>>,
    /// The free-form text (`shell: …`), when the module takes one.
    pub free: Option<Node<'a>>,
    /// Parts of that text which are no part of a command (`chdir=/x`).
    beside: Vec<Range<usize>>,
    /// The blocks around it, outermost first.
    pub blocks: Vec<Node<'a>>,
    /// Every `when:` around and on it, outermost first.
    pub when: Vec<Node<'a>>,
    /// `vars:` on it and on the blocks around it, innermost first.
    pub vars: Vec<Node<'a>>,
    /// `loop:` or `with_…:`.
    pub repeat: Option<(&'a str, Node<'a>)>,
    /// `delegate_to:`, its own or a block's.
    pub delegate_to: Option<Node<'a>>,
    /// `register:`
    pub register: Option<&'a str>,
    /// Whether failure is ignored.
    pub ignore_errors: bool,
    /// A handler.
    pub handler: bool,
    /// In the `rescue:` of a block.
    pub rescue: bool,
    /// In the `always:` of a block.
    pub always: bool,
    /// The role whose file it stands in.
    pub role: Option<usize>,
    /// The plays that reach it, in order.
    pub plays: Vec<usize>,
    /// Which of all tasks it is.
    pub(super) index: usize,
    /// Whether it stands in a list of a play itself.
    pub(super) of_play: bool,
}

/// An argument of a task.
#[derive(Clone)]
pub struct Argument<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its value.
    pub value: ArgumentValue<'a>,
}

/// How an argument is written.
#[derive(Clone)]
pub enum ArgumentValue<'a> {
    /// A YAML node.
    Node(Node<'a>),
    /// A part of a `key=value` string.
    Text(Box<str>, Span),
}

impl ArgumentValue<'_> {
    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Node(node) => node.span(),
            Self::Text(_, span) => *span,
        }
    }
}

/// The lists of a block, in the order in which they are written most.
const BLOCK: [&str; 3] = ["block", "rescue", "always"];

#[derive(Clone, Default)]
struct Around<'a> {
    when: Vec<Node<'a>>,
    vars: Vec<Node<'a>>,
    delegate_to: Option<Node<'a>>,
    ignore_errors: bool,
    rescue: bool,
    always: bool,
    blocks: Vec<Node<'a>>,
}

/// Reads a task list, adds its tasks (blocks opened) and returns their indexes.
pub(super) fn read<'a>(tasks: &mut Vec<Task<'a>>, file: FileId, list: Node<'a>, handler: bool) -> Vec<usize> {
    let first = tasks.len();
    read_list(tasks, file, list, handler, &Around::default());
    (first..tasks.len()).collect()
}

fn read_list<'a>(tasks: &mut Vec<Task<'a>>, file: FileId, list: Node<'a>, handler: bool, around: &Around<'a>) {
    // Deeper blocks than anybody writes.
    if around.blocks.len() > 32 {
        return;
    }
    for node in list.items().filter(|item| item.is_map()) {
        let mut here = around.clone();
        here.when.extend(node.get("when"));
        if let Some(vars) = node.get("vars") {
            here.vars.insert(0, vars);
        }
        here.delegate_to = node.get("delegate_to").or(around.delegate_to);
        if let Some(ignored) = node.get("ignore_errors") {
            here.ignore_errors = ignored.as_str().and_then(crate::value::truth) == Some(true);
        }
        if BLOCK.iter().any(|key| node.get(key).is_some()) {
            here.blocks.push(node);
            for key in BLOCK {
                let Some(list) = node.get(key) else { continue };
                let rescue = here.rescue || key == "rescue";
                let always = here.always || key == "always";
                read_list(tasks, file, list, handler, &Around { rescue, always, ..here.clone() });
            }
        } else if let Some(task) = read_task(file, node, handler, here) {
            tasks.push(Task { index: tasks.len(), ..task });
        }
    }
}

fn read_task<'a>(file: FileId, node: Node<'a>, handler: bool, around: Around<'a>) -> Option<Task<'a>> {
    let Call { key, written, module, mut arguments, free, beside } = arguments::call(node)?;
    if let Some(args) = node.get("args") {
        // What stands with the module wins.
        let more: Vec<Argument<'_>> =
            pairs(args).filter(|more| arguments.iter().all(|given| given.name != more.name)).collect();
        arguments.extend(more);
    }
    let repeat = node
        .entries()
        .into_iter()
        .filter_map(|(key, value)| Some((key.as_str()?, value)))
        .find(|(key, _)| *key == "loop" || key.starts_with("with_"));
    let local = node.get("local_action").is_some();
    Some(Task {
        file,
        node,
        loc: Loc { file, span: key.span() },
        name: node.get("name").and_then(Node::as_str),
        module,
        written,
        arguments,
        free,
        beside,
        blocks: around.blocks,
        when: around.when,
        vars: around.vars,
        repeat,
        delegate_to: if local { Some(key) } else { around.delegate_to },
        register: node.get("register").and_then(Node::as_str),
        ignore_errors: around.ignore_errors,
        handler,
        rescue: around.rescue,
        always: around.always,
        role: None,
        plays: Vec::new(),
        index: 0,
        of_play: false,
    })
}

impl<'a> Task<'a> {
    /// An argument by name.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&Argument<'a>> {
        self.arguments.iter().find(|argument| argument.name == name)
    }

    /// A keyword of the task, its own or that of the nearest block around it.
    #[must_use]
    pub fn keyword(&self, name: &str) -> Option<Node<'a>> {
        self.node.get(name).or_else(|| self.blocks.iter().rev().find_map(|block| block.get(name)))
    }

    /// What `notify:` (a handler: `listen:`) names: one text or a list.
    pub fn topics(&self, keyword: &str) -> impl Iterator<Item = &'a str> {
        let value = self.node.get(keyword);
        value.into_iter().flat_map(|value| value.as_str().into_iter().chain(value.items().filter_map(Node::as_str)))
    }

    /// The module without its collection.
    #[must_use]
    pub fn short(&self) -> &str {
        self.module.rsplit('.').next().unwrap_or(&self.module)
    }

    /// The command text that the task runs, mapped to the file; `None` for modules that run none.
    #[must_use]
    pub fn command(&self, source: &str) -> Option<Mapped> {
        // `expect` has its command, and `cron` its job, in an argument.
        let named = match self.short() {
            "expect" => Some("command"),
            "cron" => Some("job"),
            _ => None,
        };
        if let Some(Argument { value: ArgumentValue::Node(node), .. }) = named.and_then(|name| self.argument(name)) {
            return Some(node.mapped(source));
        }
        if !FREE_FORM.contains(&self.short()) || self.short() == "meta" {
            return None;
        }
        if let Some(free) = self.free {
            let mut mapped = free.mapped(source);
            for part in &self.beside {
                // Blanks instead, so that every offset stays.
                if let Some(old) = mapped.text.get(part.clone()) {
                    let blanks = " ".repeat(old.len());
                    mapped.text.replace_range(part.clone(), &blanks);
                }
            }
            return Some(mapped);
        }
        // `command: {argv: [a, b]}` is one line of quoted words.
        let Some(Argument { value: ArgumentValue::Node(argv), .. }) = self.argument("argv") else { return None };
        let mut mapped = Mapped::default();
        for word in argv.items() {
            let text = word.as_str().unwrap_or("");
            mapped.push_for(&format!("'{}' ", text.replace('\'', "'\\''")), word.span());
        }
        Some(mapped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::Yaml;

    fn tasks(yaml: &Yaml) -> Vec<Task<'_>> {
        let mut tasks = Vec::new();
        read(&mut tasks, FileId(0), yaml.root().unwrap(), false);
        tasks
    }

    #[test]
    fn every_form_of_module_and_arguments() {
        let yaml = Yaml::parse(
            "- apt: name=postgresql state=present\n- local_action: file path=/x state=absent\n- action: {module: copy, dest: /a}\n- shell: |\n    rm x\n  args: {chdir: /y}\n- name: b\n  when: on\n  block:\n    - community.general.proxmox: {vmid: 1}\n      when: two\n  rescue:\n    - debug: msg=x\n",
        );
        let tasks = tasks(&yaml);
        let shown: Vec<(&str, usize)> = tasks.iter().map(|task| (&*task.module, task.arguments.len())).collect();
        assert_eq!(shown[0], ("ansible.builtin.apt", 2));
        assert_eq!(shown[1], ("ansible.builtin.file", 2));
        assert!(tasks[1].delegate_to.is_some());
        assert_eq!(shown[2], ("ansible.builtin.copy", 1));
        assert_eq!(shown[3], ("ansible.builtin.shell", 1));
        assert_eq!(tasks[4].when.len(), 2);
        assert!(tasks[5].rescue);
    }
}
