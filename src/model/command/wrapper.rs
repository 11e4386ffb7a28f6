//! Programs that run other programs: which of their words are the inner command.

use super::resolve::Arg;
use crate::knowledge::commands as known;
use crate::text::Span;
use crate::value::Value;

/// What is inside a wrapper.
pub(super) enum Inner {
    /// Nothing: it is a command of its own.
    No,
    /// Words of a command.
    Argv {
        args: Vec<Arg>,
        through: Option<String>,
        /// Whether the wrapper is a command of interest too.
        outer: bool,
    },
    /// Shell text, several words joined by blanks.
    Text {
        args: Vec<Arg>,
        through: Option<String>,
        outer: bool,
        /// Whether the variables around it hold inside.
        visible: bool,
    },
}

/// The index of the first word from `from` that is no flag; `values` are flags that take a word.
fn skip(args: &[Arg], from: usize, values: &[&str]) -> usize {
    let mut at = from;
    while let Some(arg) = args.get(at) {
        let text = arg.text();
        if !text.starts_with('-') || text == "-" {
            break;
        }
        if text == "--" {
            return at + 1;
        }
        at += if values.contains(&&*text) { 2 } else { 1 };
    }
    at
}

fn rest(args: &[Arg], from: usize) -> Vec<Arg> {
    args.get(from..).unwrap_or_default().to_vec()
}

fn argv(args: &[Arg], from: usize, through: &str, outer: bool) -> Inner {
    let inner = rest(args, from);
    if inner.is_empty() { Inner::No } else { Inner::Argv { args: inner, through: Some(through.to_owned()), outer } }
}

fn text(args: Vec<Arg>, through: &str, outer: bool, visible: bool) -> Inner {
    if args.is_empty() { Inner::No } else { Inner::Text { args, through: Some(through.to_owned()), outer, visible } }
}

const SSH: [&str; 22] = [
    "-i", "-o", "-p", "-l", "-F", "-J", "-L", "-R", "-D", "-b", "-c", "-E", "-e", "-I", "-m", "-O", "-Q", "-S", "-W",
    "-w", "-B", "-P",
];
const SUDO: [&str; 9] = ["-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "--user"];
const XARGS: [&str; 9] = ["-I", "-n", "-P", "-L", "-d", "-a", "-s", "-E", "--max-procs"];

/// What the wrapper `program` (base name of the first word) runs.
pub(super) fn inner(program: &str, args: &[Arg]) -> Inner {
    match program {
        "sudo" | "doas" => {
            let at = skip(args, 1, &SUDO);
            argv(args, assignments(args, at), program, false)
        }
        "env" => {
            let at = skip(args, 1, &["-u", "-C", "--unset", "--chdir"]);
            argv(args, assignments(args, at), program, false)
        }
        "nohup" | "setsid" | "builtin" | "stdbuf" | "time" | "unbuffer" | "chronic" | "fakeroot" | "proot" => {
            argv(args, skip(args, 1, &["-f", "-o", "-i", "-e"]), program, false)
        }
        "command" => match args.get(1).map(Arg::text).as_deref() {
            Some("-v" | "-V") => Inner::No,
            _ => argv(args, skip(args, 1, &[]), program, false),
        },
        "exec" => argv(args, skip(args, 1, &["-a"]), program, false),
        "nice" | "ionice" | "chrt" | "taskset" => {
            argv(args, skip(args, 1, &["-n", "-c", "-p", "--adjustment", "--class"]), program, false)
        }
        "timeout" | "gtimeout" => argv(args, skip(args, 1, &["-k", "-s"]) + 1, program, false),
        "xargs" | "parallel" => argv(args, skip(args, 1, &XARGS), program, false),
        "flock" => flock(args),
        "chroot" => argv(args, skip(args, 1, &[]) + 1, program, true),
        "nsenter" | "unshare" => argv(args, skip(args, 1, &["-t", "--target"]), program, false),
        "ssh" | "autossh" | "mosh" => text(rest(args, skip(args, 1, &SSH) + 1), "ssh", true, false),
        "sshpass" => argv(args, skip(args, 1, &["-p", "-f", "-e", "-P"]), program, false),
        "su" | "runuser" | "script" => after_flag(args, &["-c", "--command", "-qc"], program),
        "bash" | "sh" | "zsh" | "dash" | "ksh" | "ash" => shell(args, program),
        "eval" => Inner::Text { args: rest(args, 1), through: None, outer: false, visible: true },
        "trap" => text(rest(args, 1).into_iter().take(1).collect(), program, false, true),
        "watch" => text(rest(args, skip(args, 1, &["-n", "--interval"])), program, false, false),
        "find" => find(args),
        "docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose" => container(program, args),
        "kubectl" | "oc" => dashed(args, "exec", "kubectl exec"),
        "lxc" | "incus" => dashed(args, "exec", &format!("{program} exec")),
        "pct" => dashed(args, "exec", "pct exec"),
        "aws-vault" | "op" | "doppler" | "terramate" | "chamber" | "teller" | "infisical" | "mise" | "dotenv"
        | "nix" => separated(program, args),
        "poetry" | "uv" | "pipenv" | "asdf" | "direnv" | "tfenv" | "tofuenv" | "bundle" => {
            match args.get(1).map(Arg::text).as_deref() {
                Some("run" | "exec") => argv(args, 2, program, false),
                _ => Inner::No,
            }
        }
        "python" | "python3" => module(args),
        "atmos" => match args.get(1).map(Arg::text).as_deref() {
            Some("terraform") => argv(args, 1, program, false),
            _ => Inner::No,
        },
        _ => foreign(program, args),
    }
}

/// Skips `A=1 B=2`.
fn assignments(args: &[Arg], from: usize) -> usize {
    from + args.iter().skip(from).take_while(|arg| assigned(&arg.text()).is_some()).count()
}

/// The name that `A=1` sets.
fn assigned(text: &str) -> Option<&str> {
    let (name, _) = text.split_once('=')?;
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).then_some(name)
}

/// What `env A=1`, `sudo A=1` and `docker run -e A=1` set for the command in them.
pub(super) fn environment(program: &str, args: &[Arg]) -> Vec<(Box<str>, Value)> {
    let words: Vec<&Arg> = match program {
        "env" | "sudo" | "doas" => {
            let at = skip(args, 1, if program == "env" { &["-u", "-C", "--unset", "--chdir"] } else { &SUDO });
            args.iter().take(assignments(args, at)).skip(at).collect()
        }
        "docker" | "podman" | "nerdctl" => {
            let flags = args.iter().zip(args.iter().skip(1));
            flags.filter(|(flag, _)| matches!(&*flag.text(), "-e" | "--env")).map(|(_, word)| word).collect()
        }
        _ => return Vec::new(),
    };
    let set = |arg: &&Arg| {
        let text = arg.text();
        let name = assigned(&text).filter(|name| name.starts_with("ANSIBLE_"))?;
        Some((name.into(), super::read::after(&arg.value, &text[..=name.len()], &text[name.len() + 1..])))
    };
    words.iter().filter_map(set).collect()
}

/// `python -m ansible playbook …`
fn module(args: &[Arg]) -> Inner {
    let at = skip(args, 1, &["-W", "-X", "-m"]);
    let named = args
        .get(1..at)
        .unwrap_or_default()
        .windows(2)
        .any(|pair| pair[0].text() == "-m" && pair[1].text() == "ansible");
    let Some(sub) = args.get(at).filter(|_| named) else { return Inner::No };
    let program = match &*sub.text() {
        "adhoc" => "ansible".to_owned(),
        sub => format!("ansible-{sub}"),
    };
    let mut inner = rest(args, at);
    inner[0] = Arg::made(&program, sub.span);
    Inner::Argv { args: inner, through: None, outer: false }
}

fn flock(args: &[Arg]) -> Inner {
    let at = skip(args, 1, &["-w", "--timeout", "-E"]) + 1;
    match args.get(at).map(Arg::text).as_deref() {
        Some("-c" | "--command") => text(rest(args, at + 1), "flock", false, false),
        _ => argv(args, at, "flock", false),
    }
}

fn after_flag(args: &[Arg], flags: &[&str], program: &str) -> Inner {
    match args.iter().position(|arg| flags.contains(&&*arg.text())) {
        Some(at) => text(rest(args, at + 1).into_iter().take(1).collect(), program, false, false),
        None => Inner::No,
    }
}

/// `bash -euo pipefail -c '…'`.
fn shell(args: &[Arg], program: &str) -> Inner {
    let mut at = 1;
    while let Some(arg) = args.get(at) {
        let word = arg.text();
        if !word.starts_with(['-', '+']) {
            return Inner::No;
        }
        let short = !word.starts_with("--");
        if short && word.contains('c') {
            let takes = usize::from(word.ends_with('o'));
            return text(rest(args, at + 1 + takes).into_iter().take(1).collect(), program, false, true);
        }
        at += if short && word.ends_with(['o', 'O']) { 2 } else { 1 };
    }
    Inner::No
}

fn find(args: &[Arg]) -> Inner {
    let Some(at) = args.iter().position(|arg| matches!(&*arg.text(), "-exec" | "-execdir" | "-ok" | "-okdir")) else {
        return Inner::No;
    };
    let mut inner: Vec<Arg> =
        args.iter().skip(at + 1).take_while(|arg| !matches!(&*arg.text(), ";" | "+")).cloned().collect();
    // What `{}` stands for is what `-name` says.
    let name = args.iter().position(|arg| matches!(&*arg.text(), "-name" | "-iname" | "-path"));
    if let Some(name) = name.and_then(|at| args.get(at + 1)) {
        for arg in inner.iter_mut().filter(|arg| arg.text() == "{}") {
            arg.value = name.value.clone();
            arg.word = None;
        }
    }
    if inner.is_empty() {
        Inner::No
    } else {
        Inner::Argv { args: inner, through: Some("find".to_owned()), outer: true }
    }
}

const CONTAINER: [&str; 36] = [
    "-e",
    "--env",
    "--env-file",
    "-v",
    "--volume",
    "--mount",
    "-w",
    "--workdir",
    "-u",
    "--user",
    "--name",
    "--network",
    "--net",
    "-p",
    "--publish",
    "-l",
    "--label",
    "--entrypoint",
    "-h",
    "--hostname",
    "--add-host",
    "--cap-add",
    "--cap-drop",
    "-m",
    "--memory",
    "--cpus",
    "--restart",
    "--platform",
    "--tmpfs",
    "--dns",
    "--ip",
    "--log-driver",
    "--volumes-from",
    "--pull",
    "--index",
    "--gpus",
];
const GLOBAL: [&str; 12] = [
    "-f",
    "--file",
    "-p",
    "--project-name",
    "--profile",
    "--env-file",
    "--project-directory",
    "-H",
    "--host",
    "--context",
    "-c",
    "-l",
];

fn container(program: &str, args: &[Arg]) -> Inner {
    let mut at = skip(args, 1, &GLOBAL);
    let mut word = args.get(at).map(Arg::text).unwrap_or_default();
    let mut compose = program.ends_with("-compose");
    if !compose && matches!(&*word, "compose" | "container") {
        compose = word == "compose";
        at = skip(args, at + 1, &GLOBAL);
        word = args.get(at).map(Arg::text).unwrap_or_default();
    }
    if !matches!(&*word, "run" | "exec") {
        return Inner::No;
    }
    let place = skip(args, at + 1, &CONTAINER);
    let through = if compose { format!("docker compose {word}") } else { format!("docker {word}") };
    let Some(target) = args.get(place) else { return Inner::No };
    let mut inner = rest(args, place + 1);
    let entry = args.get(at..place).unwrap_or_default().iter().any(|arg| arg.text().starts_with("--entrypoint"));
    let first = inner.first().map(Arg::text).unwrap_or_default();
    if first == "-c" {
        return text(inner.split_off(1), &through, true, false);
    }
    let name = target.text();
    let binary = terraform_of(&name).filter(|_| word == "run" && !entry && !inner.is_empty());
    if let Some(binary) =
        binary.filter(|_| !matches!(&*first, "sh" | "bash" | "/bin/sh" | "/bin/bash") && terraform_of(&first).is_none())
    {
        inner.insert(0, Arg::made(binary, target.span));
    }
    if inner.is_empty() { Inner::No } else { Inner::Argv { args: inner, through: Some(through), outer: true } }
}

/// The Terraform-like program that an image or service of this name runs.
pub(super) fn terraform_of(name: &str) -> Option<&'static str> {
    let base = name.rsplit('/').next().unwrap_or(name);
    let base = base.split([':', '@']).next().unwrap_or(base);
    ["terragrunt", "opentofu", "tofu", "terraform"]
        .into_iter()
        .find(|it| base == *it || base.starts_with(&format!("{it}-")))
}

/// `kubectl exec pod -- command`.
fn dashed(args: &[Arg], verb: &str, through: &str) -> Inner {
    let verb_at = args.iter().position(|arg| arg.text() == verb);
    let dashes = args.iter().position(|arg| arg.text() == "--");
    match (verb_at, dashes) {
        (Some(verb), Some(dashes)) if verb < dashes => argv(args, dashes + 1, through, true),
        // Without dashes the first word names the guest.
        (Some(verb), None) if verb == 1 => argv(args, verb + 2, through, true),
        _ => Inner::No,
    }
}

/// `tool … -- command`.
fn separated(program: &str, args: &[Arg]) -> Inner {
    match args.iter().position(|arg| matches!(&*arg.text(), "--" | "-c" | "--command")) {
        Some(at) => argv(args, at + 1, program, false),
        None => Inner::No,
    }
}

/// A function or script that is not in sight: by its name, one that runs what it is given.
fn foreign(program: &str, args: &[Arg]) -> Inner {
    let lower = program.to_ascii_lowercase();
    let remote = lower.contains("ssh") || lower.contains("remote");
    let runs = ["run", "exec", "retry", "with", "try", "do_"].iter().any(|start| lower.starts_with(start));
    let tool = lower.starts_with("ssh-") || lower == "sshd" || known::is_known(&lower) || lower.contains("rsync");
    if tool || !(remote || runs) {
        return Inner::No;
    }
    for (at, arg) in args.iter().enumerate().skip(1) {
        let value = arg.text();
        let first = value.split_whitespace().next().unwrap_or("");
        let several = value.contains([' ', '\n']);
        let named = known::is_known(first.rsplit('/').next().unwrap_or(first)) || matches!(first, "sudo" | "docker");
        if several && (named || remote) {
            return text(vec![arg.clone()], program, false, false);
        }
        if named {
            return argv(args, at, program, false);
        }
    }
    Inner::No
}

/// The span from the first to the last word.
pub(super) fn span(args: &[Arg]) -> Span {
    match (args.first(), args.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::default(),
    }
}
