//! What a task runs and with what: the module's key, `action` and `local_action`, mappings, `key=value` strings, free text.

use super::task::{Argument, ArgumentValue};
use crate::knowledge::ansible as known;
use crate::syntax::yaml::Node;
use std::borrow::Cow;
use std::ops::Range;

/// Keywords of tasks and blocks: every other key is the module.
pub(super) const KEYWORDS: [&str; 50] = [
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
    "static",
    "loop_with",
];

/// Modules whose string is one command and not `key=value` pairs.
pub(super) const FREE_FORM: [&str; 8] =
    ["command", "shell", "raw", "script", "win_command", "win_shell", "expect", "meta"];
/// What stands in the string of a command and is no part of it.
const BESIDE_COMMAND: [&str; 8] =
    ["creates", "removes", "chdir", "executable", "warn", "stdin", "stdin_add_newline", "strip_empty_ends"];

/// The module of a task and what it is given.
pub(super) struct Call<'a> {
    /// The key that names it.
    pub key: Node<'a>,
    /// The module as written.
    pub written: &'a str,
    /// Its full name.
    pub module: Cow<'a, str>,
    /// Its arguments.
    pub arguments: Vec<Argument<'a>>,
    /// The string that it is given.
    pub free: Option<Node<'a>>,
    /// Parts of that string which are no part of a command.
    pub beside: Vec<Range<usize>>,
}

/// Reads how a task names its module.
pub(super) fn call(node: Node<'_>) -> Option<Call<'_>> {
    for keyword in ["action", "local_action"] {
        if let Some((key, value)) = node.entry(keyword) {
            return old_style(key, value);
        }
    }
    let (key, value) = node
        .entries()
        .into_iter()
        .find(|(key, _)| key.as_str().is_some_and(|key| !KEYWORDS.contains(&key) && !key.starts_with("with_")))?;
    let written = key.as_str()?;
    let mut call = Call::new(key, written);
    if value.is_map() {
        call.arguments = pairs(value).collect();
        call.free =
            ["cmd", "_raw_params"].iter().find_map(|key| value.get(key)).filter(|_| FREE_FORM.contains(&call.short()));
    } else {
        call.text(value, 0);
    }
    Some(call)
}

/// `action: copy src=a dest=b`, `local_action: {module: copy, src: a}`.
fn old_style<'a>(key: Node<'a>, value: Node<'a>) -> Option<Call<'a>> {
    if let Some(text) = value.as_str() {
        let first = words(text).into_iter().next()?;
        let mut call = Call::new(key, text.get(first.clone())?);
        call.text(value, first.end);
        return Some(call);
    }
    let module = value.get("module")?;
    let text = module.as_str()?;
    let first = words(text).into_iter().next()?;
    let mut call = Call::new(key, text.get(first.clone())?);
    call.text(module, first.end);
    let given = pairs(value).filter(|argument| !matches!(&*argument.name, "module" | "args"));
    call.arguments.extend(given);
    call.arguments.extend(value.get("args").into_iter().flat_map(pairs));
    let raw = ["cmd", "_raw_params"].iter().find_map(|key| value.get(key));
    if let Some(raw) = raw.filter(|_| FREE_FORM.contains(&call.short())) {
        (call.free, call.beside) = (Some(raw), Vec::new());
    }
    Some(call)
}

impl<'a> Call<'a> {
    fn new(key: Node<'a>, written: &'a str) -> Self {
        let module = known::canonical(written);
        Self { key, written, module, arguments: Vec::new(), free: None, beside: Vec::new() }
    }

    fn short(&self) -> &str {
        self.module.rsplit('.').next().unwrap_or(&self.module)
    }

    /// Takes what a string gives the module, from `skip` on.
    fn text(&mut self, node: Node<'a>, skip: usize) {
        let Some(text) = node.as_str() else {
            self.free = Some(node).filter(|node| !node.is_null());
            return;
        };
        let short = self.short();
        let command = FREE_FORM.contains(&short);
        let file = matches!(short, "include_tasks" | "import_tasks" | "include" | "include_vars" | "import_playbook");
        let mut rest: Vec<Range<usize>> = Vec::new();
        for word in words(text).into_iter().filter(|word| word.start >= skip) {
            match pair(&text[word.clone()]).filter(|(name, _)| !command || BESIDE_COMMAND.contains(name)) {
                Some((name, value)) => {
                    let value = ArgumentValue::Text(unquoted(value).into(), node.span());
                    self.arguments.push(Argument { name: Cow::Owned(name.to_owned()), value });
                    self.beside.push(word);
                }
                // A folded text has blanks for line ends: Ansible drops the backslashes before them.
                None if command && &text[word.clone()] == "\\" && text[word.end..].starts_with(' ') => {
                    self.beside.push(word);
                }
                None => rest.push(word),
            }
        }
        if let (true, Some(first), Some(last)) = (file, rest.first(), rest.last()) {
            let value = if skip == 0 && self.beside.is_empty() {
                ArgumentValue::Node(node)
            } else {
                ArgumentValue::Text(unquoted(&text[first.start..last.end]).into(), node.span())
            };
            self.arguments.push(Argument { name: Cow::Borrowed("file"), value });
        }
        if skip > 0 {
            self.beside.insert(0, 0..skip);
        }
        self.free = Some(node).filter(|_| !rest.is_empty() || skip == 0);
    }
}

/// The entries of a mapping as arguments.
pub(super) fn pairs(map: Node<'_>) -> impl Iterator<Item = Argument<'_>> {
    map.entries().into_iter().filter_map(|(key, value)| {
        Some(Argument { name: Cow::Borrowed(key.as_str()?), value: ArgumentValue::Node(value) })
    })
}

/// `name=value`; an equals sign after a backslash is text.
fn pair(word: &str) -> Option<(&str, &str)> {
    let at = word.match_indices('=').map(|(at, _)| at).find(|at| *at > 0 && word.as_bytes()[at - 1] != b'\\')?;
    let name = word[..at].trim();
    name.chars().all(|c| c.is_alphanumeric() || c == '_').then(|| (name, word[at + 1..].trim()))
}

/// Without the quotes around it, if the same stand at both ends.
pub(super) fn unquoted(text: &str) -> &str {
    let inside = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

/// Splits at blanks outside quotes and the braces of templates.
pub(super) fn words(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let (mut words, mut start, mut quote, mut depth) = (Vec::new(), None, None, 0_usize);
    for (at, c) in bytes.iter().copied().enumerate() {
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        match (quote, c, next) {
            (_, b'"' | b'\'', _) if at > 0 && bytes[at - 1] == b'\\' => {}
            (Some(open), c, _) if c == open => quote = None,
            (None, b'"' | b'\'', _) => quote = Some(c),
            (_, b'{', b'{' | b'%' | b'#') => depth += 1,
            (_, b'}' | b'%' | b'#', b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        let gap = matches!(c, b' ' | b'\n' | b'\t' | b'\r') && quote.is_none() && depth == 0;
        match (gap, start) {
            (true, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    words.extend(start.map(|from| from..text.len()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::Yaml;

    #[test]
    fn words_keep_templates_together() {
        let text = "a=1 b='x y' c={{ d | e }} {% if f %} g {% endif %}";
        let words: Vec<&str> = words(text).into_iter().map(|word| &text[word]).collect();
        assert_eq!(words, ["a=1", "b='x y'", "c={{ d | e }}", "{% if f %}", "g", "{% endif %}"]);
    }

    #[test]
    fn strings_give_arguments_and_a_command() {
        let shown = |text: &str| {
            let yaml = Yaml::parse(text);
            let call = call(yaml.root().unwrap()).unwrap();
            let arguments: Vec<String> = call
                .arguments
                .iter()
                .map(|argument| match &argument.value {
                    ArgumentValue::Node(node) => format!("{}:{}", argument.name, node.as_str().unwrap_or("-")),
                    ArgumentValue::Text(text, _) => format!("{}={text}", argument.name),
                })
                .collect();
            format!("{} {} {}", call.module, arguments.join(","), call.beside.len())
        };
        for (text, expected) in [
            ("shell: make install chdir=/src creates='/a b' FLAG=1", "ansible.builtin.shell chdir=/src,creates=/a b 2"),
            ("shell: >\n  docker run \\\n  --name a \\\n  b", "ansible.builtin.shell  2"),
            ("shell: |\n  docker run \\\n  --name a", "ansible.builtin.shell  0"),
            ("local_action: command rm -rf x chdir=/y", "ansible.builtin.command chdir=/y 2"),
            ("action: {module: copy, dest: /a, args: {mode: '1'}}", "ansible.builtin.copy dest:/a,mode:1 1"),
            ("action:\n  module: file path=/x state=absent", "ansible.builtin.file path=/x,state=absent 3"),
            ("include_tasks: a.yml", "ansible.builtin.include_tasks file:a.yml 0"),
            ("import_tasks: 'a.yml b=1'", "ansible.builtin.import_tasks b=1,file=a.yml 1"),
            (
                "lineinfile: path=/x line=\"a = b\" regexp='^a\\s*='",
                "ansible.builtin.lineinfile path=/x,line=a = b,regexp=^a\\s*= 3",
            ),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}
