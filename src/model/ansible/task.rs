//! Tasks: blocks opened, modules told from keywords, arguments in every form that Ansible takes.

use crate::knowledge::ansible as known;
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc, Mapped, Span};
use std::borrow::Cow;

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
    /// The arguments.
    pub arguments: Vec<Argument<'a>>,
    /// The free-form text (`shell: …`), when the module takes one.
    pub free: Option<Node<'a>>,
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
    /// The role whose file it stands in.
    pub role: Option<usize>,
    /// The plays that reach it, in order.
    pub plays: Vec<usize>,
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

/// Keywords of tasks and blocks: every other key is the module.
const KEYWORDS: [&str; 48] = [
    "action",
    "any_errors_fatal",
    "args",
    "async",
    "become",
    "become_exe",
    "become_flags",
    "become_method",
    "become_user",
    "block",
    "always",
    "rescue",
    "changed_when",
    "check_mode",
    "collections",
    "connection",
    "debugger",
    "delay",
    "delegate_facts",
    "delegate_to",
    "diff",
    "environment",
    "failed_when",
    "ignore_errors",
    "ignore_unreachable",
    "listen",
    "local_action",
    "loop",
    "loop_control",
    "module_defaults",
    "name",
    "no_log",
    "notify",
    "poll",
    "port",
    "register",
    "remote_user",
    "retries",
    "run_once",
    "tags",
    "throttle",
    "timeout",
    "until",
    "vars",
    "when",
    "with",
    "gather_facts",
    "become_pass",
];

/// Modules whose string is one command and not `key=value` pairs.
const FREE_FORM: [&str; 8] = ["command", "shell", "raw", "script", "win_command", "win_shell", "expect", "meta"];

#[derive(Clone, Default)]
struct Around<'a> {
    when: Vec<Node<'a>>,
    vars: Vec<Node<'a>>,
    delegate_to: Option<Node<'a>>,
    ignore_errors: bool,
    rescue: bool,
    depth: usize,
}

/// Reads a task list, adds its tasks (blocks opened) and returns their indexes.
pub(super) fn read<'a>(tasks: &mut Vec<Task<'a>>, file: FileId, list: Node<'a>, handler: bool) -> Vec<usize> {
    let first = tasks.len();
    read_list(tasks, file, list, handler, &Around::default());
    (first..tasks.len()).collect()
}

fn read_list<'a>(tasks: &mut Vec<Task<'a>>, file: FileId, list: Node<'a>, handler: bool, around: &Around<'a>) {
    // Deeper blocks than anybody writes.
    if around.depth > 32 {
        return;
    }
    for node in list.items().filter(|item| item.is_map()) {
        let mut here = around.clone();
        here.depth += 1;
        here.when.extend(node.get("when"));
        if let Some(vars) = node.get("vars") {
            here.vars.insert(0, vars);
        }
        here.delegate_to = node.get("delegate_to").or(around.delegate_to);
        here.ignore_errors |=
            node.get("ignore_errors").and_then(Node::as_str).and_then(crate::value::truth) == Some(true);
        if let Some(block) = node.get("block") {
            read_list(tasks, file, block, handler, &here);
            for (key, rescue) in [("rescue", true), ("always", false)] {
                if let Some(list) = node.get(key) {
                    read_list(tasks, file, list, handler, &Around { rescue, ..here.clone() });
                }
            }
        } else if let Some(task) = read_task(file, node, handler, here) {
            tasks.push(task);
        }
    }
}

fn read_task<'a>(file: FileId, node: Node<'a>, handler: bool, around: Around<'a>) -> Option<Task<'a>> {
    let (key, module, mut arguments, free) = module(node)?;
    if let Some(args) = node.get("args") {
        arguments.extend(pairs(args));
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
        arguments,
        free,
        when: around.when,
        vars: around.vars,
        repeat,
        delegate_to: around.delegate_to.or(local.then_some(key)),
        register: node.get("register").and_then(Node::as_str),
        ignore_errors: around.ignore_errors,
        handler,
        rescue: around.rescue,
        role: None,
        plays: Vec::new(),
    })
}

type Module<'a> = (Node<'a>, Cow<'a, str>, Vec<Argument<'a>>, Option<Node<'a>>);

fn module(node: Node<'_>) -> Option<Module<'_>> {
    for keyword in ["action", "local_action"] {
        let Some((key, value)) = node.entry(keyword) else { continue };
        if let Some(text) = value.as_str() {
            let name = text.split_whitespace().next()?;
            return Some((key, known::canonical(name), key_values(value, name.len()), None));
        }
        let name = value.get("module").and_then(Node::as_str)?;
        let arguments = pairs(value).filter(|argument| argument.name != "module").collect();
        return Some((key, known::canonical(name), arguments, None));
    }
    let (key, value) = node
        .entries()
        .into_iter()
        .find(|(key, _)| key.as_str().is_some_and(|key| !KEYWORDS.contains(&key) && !key.starts_with("with_")))?;
    let name = key.as_str()?;
    let canonical = known::canonical(name);
    let short = canonical.rsplit('.').next().unwrap_or(&canonical);
    if value.is_map() {
        let arguments: Vec<Argument<'_>> = pairs(value).collect();
        let free = ["cmd", "_raw_params"].iter().find_map(|key| value.get(key)).filter(|_| FREE_FORM.contains(&short));
        return Some((key, canonical, arguments, free));
    }
    if FREE_FORM.contains(&short) {
        return Some((key, canonical, Vec::new(), Some(value)));
    }
    let arguments = if value.as_str().is_some() { key_values(value, 0) } else { Vec::new() };
    Some((key, canonical, arguments, Some(value)))
}

fn pairs(map: Node<'_>) -> impl Iterator<Item = Argument<'_>> {
    map.entries().into_iter().filter_map(|(key, value)| {
        Some(Argument { name: Cow::Borrowed(key.as_str()?), value: ArgumentValue::Node(value) })
    })
}

/// `name=postgresql state=present`: quotes and `{{ }}` keep spaces together.
fn key_values(node: Node<'_>, skip: usize) -> Vec<Argument<'_>> {
    let text = node.as_str().unwrap_or("");
    let mut arguments = Vec::new();
    for word in words(&text[skip.min(text.len())..]) {
        let Some((name, value)) = word.split_once('=') else { continue };
        if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let value = value.trim_matches(['"', '\'']);
        let name = Cow::Owned(name.to_owned());
        arguments.push(Argument { name, value: ArgumentValue::Text(value.into(), node.span()) });
    }
    arguments
}

/// Splits at spaces outside quotes and template braces.
fn words(text: &str) -> Vec<&str> {
    let (mut words, mut start, mut quote, mut braces) = (Vec::new(), None, None, 0_i32);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => braces += 1,
            (None, '}') => braces -= 1,
            _ => {}
        }
        let gap = c.is_whitespace() && quote.is_none() && braces <= 0;
        match (gap, start) {
            (true, Some(from)) => {
                words.push(&text[from..at]);
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    words.extend(start.map(|from| &text[from..]));
    words
}

impl<'a> Task<'a> {
    /// An argument by name.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&Argument<'a>> {
        self.arguments.iter().find(|argument| argument.name == name)
    }

    /// The module without its collection.
    #[must_use]
    pub fn short(&self) -> &str {
        self.module.rsplit('.').next().unwrap_or(&self.module)
    }

    /// The command text that the task runs, mapped to the file; `None` for modules that run none.
    #[must_use]
    pub fn command(&self, source: &str) -> Option<Mapped> {
        if !FREE_FORM.contains(&self.short()) || self.short() == "meta" {
            return None;
        }
        if let Some(free) = self.free {
            return Some(free.mapped(source));
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

    #[test]
    fn words_keep_templates_together() {
        assert_eq!(words("a=1 b='x y' c={{ d | e }}"), ["a=1", "b='x y'", "c={{ d | e }}"]);
    }
}
