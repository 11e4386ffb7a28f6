//! Which commands only wait, look, print or prepare.

use crate::model::command::{Command, is_temporary};
use crate::value::Value;

/// Programs that change nothing but what their output is sent to.
const IDLE: [&str; 63] = [
    "[",
    "[[",
    "awk",
    "base64",
    "basename",
    "break",
    "cat",
    "cd",
    "chmod",
    "command",
    "continue",
    "curl",
    "cut",
    "date",
    "declare",
    "dig",
    "dirname",
    "echo",
    "exit",
    "export",
    "false",
    "fping",
    "getent",
    "grep",
    "head",
    "host",
    "jq",
    "let",
    "local",
    "ls",
    "md5sum",
    "mkdir",
    "mktemp",
    "nc",
    "nslookup",
    "ping",
    "ping6",
    "printf",
    "pwd",
    "read",
    "readonly",
    "return",
    "seq",
    "set",
    "sha256sum",
    "shift",
    "showmount",
    "sleep",
    "sort",
    "ssh-keyscan",
    "tail",
    "test",
    "tr",
    "trap",
    "true",
    "type",
    "uniq",
    "unset",
    "until",
    "wait",
    "wc",
    "wget",
    "which",
];
/// Programs of many verbs, with those that look.
const LOOKING: [(&[&str], &[&str]); 9] = [
    // Credentials of a cluster, for whoever runs this.
    (&["aws"], &["eks update-kubeconfig"]),
    (&["gcloud"], &["container clusters get-credentials"]),
    (&["az"], &["aks get-credentials"]),
    (&["doctl"], &["kubernetes cluster kubeconfig save", "k8s cluster kubeconfig save"]),
    (
        &["kubectl", "oc"],
        &[
            "get",
            "wait",
            "rollout",
            "describe",
            "version",
            "cluster-info",
            "diff",
            "explain",
            "logs",
            "top",
            "config view",
            "config current-context",
            "config get-contexts",
            "api-resources",
        ],
    ),
    (&["git"], &["rev-parse", "describe", "log", "status", "diff"]),
    (&["qm", "pct"], &["status", "config", "list", "pending"]),
    (&["pvesm"], &["status", "list", "path"]),
    (&["talosctl"], &["health", "version", "get", "dmesg", "logs", "services", "members"]),
];

/// Whether a command only waits, looks, prints or prepares.
pub(super) fn is_idle(command: &Command) -> bool {
    let program = &*command.program;
    IDLE.contains(&program) || looks(command) || only_temporary(command)
}

fn looks(command: &Command) -> bool {
    let program = &*command.program;
    let sub = command.sub.join(" ");
    let verb = |verb: &&str| sub == *verb || sub.strip_prefix(*verb).is_some_and(|rest| rest.starts_with(' '));
    if LOOKING.iter().any(|(programs, verbs)| programs.contains(&program) && verbs.iter().any(verb)) {
        return true;
    }
    match program {
        "kubectl" | "oc" => command.flag("dry-run").is_some_and(|flag| flag.value.as_str() != Some("none")),
        "aws" => command.sub.get(1).is_some_and(|sub| {
            &**sub == "wait" || &**sub == "ls" || ["describe-", "get-", "list-"].iter().any(|it| sub.starts_with(it))
        }),
        "sed" | "yq" => {
            command.flag("i").is_none() && command.flag("in-place").is_none() && command.flag("inplace").is_none()
        }
        "openssl" => command.flag("noout").is_some() && command.flag("out").is_none(),
        // Whether a program compiles.
        "python" | "python3" => command.flag("m").is_some_and(|flag| flag.value.as_str() == Some("py_compile")),
        _ => false,
    }
}

/// Whether it makes or removes only what the script itself keeps in a temporary folder.
fn only_temporary(command: &Command) -> bool {
    let all = || !command.operands.is_empty() && command.operands.iter().all(is_temporary);
    match &*command.program {
        "rm" => all(),
        "talosctl" => command.sub.first().is_some_and(|sub| &**sub == "kubeconfig") && all(),
        _ => false,
    }
}

/// Whether a redirection puts something into a file that stays: not one stream into another, not into nothing.
pub(super) fn writes((op, target): &(Box<str>, Value)) -> bool {
    let stream =
        op.contains('&') && target.scalar().is_some_and(|to| to.chars().all(|c| c.is_ascii_digit() || c == '-'));
    !stream && !op.starts_with('<') && target.as_str() != Some("/dev/null") && !is_temporary(target)
}
