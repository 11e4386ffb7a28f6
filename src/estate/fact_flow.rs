//! Arguments of infrastructure whose values a running system gives: facts, other hosts' facts, what commands print.

use super::task::TaskFacts;
use crate::knowledge::ansible::ModuleRole;
use crate::model::ansible::{Argument, ArgumentValue, Task};
use crate::syntax::yaml::Node;
use crate::text::Loc;
use std::sync::LazyLock;

/// An argument with what it comes from.
pub struct FactFlow {
    /// The argument, or the variable that Terraform is given.
    pub argument: String,
    /// The fact, as written.
    pub source: String,
    /// Where it stands.
    pub loc: Loc,
}

/// Platforms whose objects live on the very host that the facts are of.
const OF_THE_HOST: [&str; 4] = ["docker_podman", "kubernetes", "libvirt", "lxc_lxd"];

/// Facts that change with where and when a task runs; those of the distribution and of the time of the run choose no machine.
static FACT: LazyLock<regex::Regex> = LazyLock::new(|| {
    let facts = "default_ipv[46]|all_ipv[46]_addresses|hostname|fqdn|nodename|domain|interfaces|e(?:th|ns?)[0-9a-z]*|processor[a-z_]*|memtotal_mb|memory_mb|\
                 memfree_mb|devices|mounts|ec2_[a-z_]*|product_serial|machine_id";
    let pattern = format!(
        r#"hostvars\[[^\]]+\](?:\.|\[['"])ansible_(?:{facts})\b[\w.\[\]'"]*|\bansible_(?:{facts})\b[\w.\[\]'"]*|\bansible_facts(?:\.|\[['"])(?:{facts})\b[\w.\[\]'"]*"#
    );
    regex::Regex::new(&pattern).unwrap_or_else(|_| unreachable!("a constant pattern"))
});

/// Every argument of a task on infrastructure that a running system gives.
#[must_use]
pub fn flows(facts: &TaskFacts<'_>) -> Vec<FactFlow> {
    let (task, tree) = (facts.task, facts.estate.documents.tree);
    let module = facts.module();
    let infrastructure = facts.has(ModuleRole::Infrastructure)
        && module.is_some_and(|module| !module.read_only && !OF_THE_HOST.contains(&module.group.as_str()));
    let mut found = Vec::new();
    if infrastructure || facts.has(ModuleRole::TerraformControl) {
        for argument in &task.arguments {
            let (text, span) = match &argument.value {
                ArgumentValue::Node(node) => {
                    (tree.slice(Loc { file: task.file, span: node.span() }).to_owned(), node.span())
                }
                ArgumentValue::Text(text, span) => (text.to_string(), *span),
            };
            found.extend(fact_in(facts, &text).map(|source| FactFlow {
                argument: argument.name.to_string(),
                source,
                loc: Loc { file: task.file, span },
            }));
        }
    }
    found.extend(of_commands(facts));
    found
}

/// Variables that a command of the task hands to Terraform.
fn of_commands(facts: &TaskFacts<'_>) -> Vec<FactFlow> {
    let (estate, tree) = (facts.estate, facts.estate.documents.tree);
    let runs = |program: &str| matches!(program, "terraform" | "tofu" | "terragrunt");
    let mut found = Vec::new();
    let own = facts.task.node.get("environment").into_iter().flat_map(Node::entries);
    let own = own.filter(|_| estate.invocations_of(facts.at).any(|command| runs(&command.program)));
    for (name, value) in own.filter_map(|(key, value)| Some((key.as_str()?, value))) {
        let loc = Loc { file: facts.task.file, span: value.span() };
        let source = name.starts_with("TF_VAR_").then(|| fact_in(facts, tree.slice(loc))).flatten();
        found.extend(source.map(|source| FactFlow { argument: name.to_owned(), source, loc }));
    }
    for command in estate.invocations_of(facts.at).filter(|command| runs(&command.program)) {
        for flag in command.flags.iter().filter(|flag| flag.name.trim_start_matches('-') == "var") {
            let text = tree.text(command.loc.file);
            // The flag's own words, to the end of the line at most.
            let start = flag.span.start as usize;
            let rest = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or("");
            let end = rest[1.min(rest.len())..].find(" -").map_or(rest.len(), |at| at + 1);
            let own = rest.get(..end).unwrap_or(rest);
            found.extend(fact_in(facts, own).map(|source| FactFlow {
                argument: "-var".to_owned(),
                source,
                loc: Loc { file: command.loc.file, span: flag.span },
            }));
        }
    }
    found
}

/// The fact, or the printed result of a command, that templates in a text name.
fn fact_in(facts: &TaskFacts<'_>, text: &str) -> Option<String> {
    let mut rest = text;
    for _ in 0..64 {
        let start = rest.find("{{")?;
        let inside = &rest[start + 2..];
        let end = inside.find("}}").unwrap_or(inside.len());
        let template = &inside[..end];
        if let Some(fact) = FACT.find(template) {
            return Some(fact.as_str().to_owned());
        }
        if let Some(printed) = printed(facts, template) {
            return Some(printed);
        }
        rest = &inside[end..];
    }
    None
}

/// `registered.stdout` of a command that asks what runs, `registered.json` of a request that only reads.
fn printed(facts: &TaskFacts<'_>, template: &str) -> Option<String> {
    let by_command =
        |short: &str| matches!(short, "command" | "shell" | "raw" | "script" | "win_shell" | "win_command");
    registered(facts, template, ".stdout", &|task| by_command(task.short())).or_else(|| {
        // What a request has made has a number of its own, and that one is its answer's.
        let reads = |task: &Task<'_>| {
            let only_reads = |argument: &Argument<'_>| match &argument.value {
                ArgumentValue::Node(node) => node.as_str() == Some("GET"),
                ArgumentValue::Text(text, _) => &**text == "GET",
            };
            task.short() == "uri" && task.argument("method").is_none_or(only_reads)
        };
        registered(facts, template, ".json", &reads)
    })
}

/// A part of what a task of the same file has registered, where the task is of a kind.
fn registered(
    facts: &TaskFacts<'_>,
    template: &str,
    part: &str,
    of_kind: &dyn Fn(&Task<'_>) -> bool,
) -> Option<String> {
    let at = template.find(part)?;
    let start = template[..at].rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
    let name = template.get(start..at).filter(|name| !name.is_empty())?;
    let same = |file| file == facts.task.file;
    let registers =
        facts.estate.ansible.tasks.iter().any(|task| same(task.file) && task.register == Some(name) && of_kind(task));
    registers.then(|| format!("{name}{part}"))
}
