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
        /// What it is given as `$0`, `$1`…
        given: Vec<Arg>,
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
        at += if takes_next(&text, values) { 2 } else { 1 };
    }
    at
}

/// Whether a flag takes the next word; of letters in one word (`-iu`) the first that takes anything decides.
fn takes_next(flag: &str, values: &[&str]) -> bool {
    if flag.starts_with("--") || values.contains(&flag) {
        return values.contains(&flag);
    }
    let letters: Vec<char> = flag.chars().skip(1).collect();
    let first = letters.iter().position(|letter| values.contains(&&*format!("-{letter}")));
    first.is_some_and(|at| at + 1 == letters.len())
}

/// The value of a flag, as the next word or behind `=`.
fn value_of(args: &[Arg], names: &[&str]) -> Option<Arg> {
    args.iter().enumerate().skip(1).find_map(|(at, arg)| {
        let text = arg.text();
        if names.contains(&&*text) {
            return args.get(at + 1).cloned();
        }
        let (name, value) = text.split_once('=')?;
        let value = names.contains(&name).then(|| super::read::after(&arg.value, &text[..=name.len()], value))?;
        Some(Arg { value, span: arg.span, word: None })
    })
}

fn rest(args: &[Arg], from: usize) -> Vec<Arg> {
    args.get(from..).unwrap_or_default().to_vec()
}

fn argv(args: &[Arg], from: usize, through: &str, outer: bool) -> Inner {
    let inner = rest(args, from);
    if inner.is_empty() { Inner::No } else { Inner::Argv { args: inner, through: Some(through.to_owned()), outer } }
}

fn text(args: Vec<Arg>, through: &str, outer: bool, visible: bool) -> Inner {
    let (through, given) = (Some(through.to_owned()), Vec::new());
    if args.is_empty() { Inner::No } else { Inner::Text { args, through, outer, visible, given } }
}

/// Words of a command, or one word that holds a whole command line.
fn either(args: &[Arg], from: usize, through: &str, outer: bool) -> Inner {
    match args.get(from..) {
        Some([one]) if one.text().trim().contains([' ', '\n']) => text(vec![one.clone()], through, outer, false),
        _ => argv(args, from, through, outer),
    }
}

const SSH: [&str; 22] = [
    "-i", "-o", "-p", "-l", "-F", "-J", "-L", "-R", "-D", "-b", "-c", "-E", "-e", "-I", "-m", "-O", "-Q", "-S", "-W",
    "-w", "-B", "-P",
];
const SUDO: [&str; 9] = ["-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "--user"];
const ENV: [&str; 4] = ["-u", "-C", "--unset", "--chdir"];
const XARGS: [&str; 13] = [
    "-I",
    "-n",
    "-P",
    "-L",
    "-d",
    "-a",
    "-s",
    "-E",
    "--max-procs",
    "--max-args",
    "--max-lines",
    "--delimiter",
    "--arg-file",
];
const PARALLEL: [&str; 16] = [
    "-j",
    "--jobs",
    "-a",
    "--arg-file",
    "--colsep",
    "--delay",
    "--halt",
    "--joblog",
    "--results",
    "--retries",
    "-I",
    "-N",
    "-n",
    "-L",
    "-S",
    "--sshlogin",
];

/// Programs that run the words after them: names, flags that take a word, words before the command.
type Prefix = (&'static [&'static str], &'static [&'static str], usize);
const PREFIXES: [Prefix; 17] = [
    (&["nohup", "setsid", "builtin", "unbuffer", "chronic", "fakeroot", "proot", "coproc", "busybox"], &[], 0),
    (&["dumb-init", "noglob", "caffeinate", "torsocks", "bunx", "eatmydata"], &[], 0),
    (&["time"], &["-f", "-o"], 0),
    (&["tini"], &["-p", "-e"], 0),
    (&["stdbuf"], &["-i", "-o", "-e"], 0),
    (&["nice", "ionice", "chrt", "taskset"], &["-n", "-c", "-p", "--adjustment", "--class", "--classdata"], 0),
    (&["timeout", "gtimeout"], &["-k", "-s", "--kill-after", "--signal"], 1),
    (&["gosu", "su-exec", "setuidgid"], &[], 1),
    (
        &["systemd-run"],
        &[
            "-p",
            "--property",
            "-u",
            "--unit",
            "--uid",
            "--gid",
            "--slice",
            "-E",
            "--setenv",
            "-M",
            "--machine",
            "-H",
            "--host",
            "--description",
            "--on-calendar",
            "--on-active",
            "--working-directory",
            "--nice",
        ],
        0,
    ),
    (&["systemd-inhibit"], &["--what", "--who", "--why", "--mode"], 0),
    (&["setpriv"], &["--reuid", "--regid", "--groups", "--inh-caps", "--bounding-set"], 0),
    (&["strace", "ltrace"], &["-o", "-e", "-s", "-u", "-E", "-P", "-b"], 0),
    (&["nsenter", "unshare"], &["-t", "--target", "-S", "-G", "--setuid", "--setgid"], 0),
    (&["sshpass"], &["-p", "-f", "-d", "-P"], 0),
    (&["exec"], &["-a"], 0),
    (&["xargs"], &XARGS, 0),
    (&["arch-chroot"], &["-u"], 1),
];
/// Flags of `uv run` and its kin that take a word.
const RUN: [&str; 12] = [
    "--with",
    "--python",
    "-p",
    "--project",
    "--directory",
    "--env-file",
    "--extra",
    "--group",
    "--package",
    "-C",
    "--from",
    "--dir",
];

/// What the wrapper `program` (base name of the first word) runs.
pub(super) fn inner(program: &str, args: &[Arg]) -> Inner {
    if let Some((_, values, words)) = PREFIXES.iter().find(|(names, ..)| names.contains(&program)) {
        return argv(args, skip(args, 1, values) + words, program, false);
    }
    let second = args.get(1).map(Arg::text).unwrap_or_default();
    match program {
        "sudo" | "doas" => {
            let at = skip(args, 1, &SUDO);
            argv(args, assignments(args, at), program, false)
        }
        "env" => match value_of(args, &["-S", "--split-string", "-vS"]) {
            Some(line) => text(vec![line], program, false, false),
            None => argv(args, assignments(args, skip(args, 1, &ENV)), program, false),
        },
        "command" if matches!(&*second, "-v" | "-V") => Inner::No,
        "command" => argv(args, skip(args, 1, &[]), program, false),
        "parallel" => {
            let end = args.iter().position(|arg| arg.text().starts_with(":::")).unwrap_or(args.len());
            either(&args[..end], skip(&args[..end], 1, &PARALLEL), program, false)
        }
        "flock" => flock(args),
        "chroot" => argv(args, skip(args, 1, &[]) + 1, program, true),
        "ssh" | "autossh" | "mosh" => ssh(args, 1),
        "tsh" if second == "ssh" => ssh(args, 2),
        "su" | "script" => after_flag(args, &["-c", "--command", "-qc"], program),
        "runuser" => match after_flag(args, &["-c", "--command"], program) {
            Inner::No => argv(args, skip(args, 1, &["-u", "-g", "-G"]), program, false),
            found => found,
        },
        "bash" | "sh" | "zsh" | "dash" | "ksh" | "ash" => shell(args, program),
        "eval" => Inner::Text { args: rest(args, 1), through: None, outer: false, visible: true, given: Vec::new() },
        "trap" => text(rest(args, 1).into_iter().take(1).collect(), program, false, true),
        "watch" => text(rest(args, skip(args, 1, &["-n", "--interval"])), program, false, false),
        "find" => find(args),
        "docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose" => container(program, args),
        "kubectl" | "oc" => cluster(args),
        "lxc" | "incus" => dashed(args, "exec", &format!("{program} exec")),
        "multipass" => dashed(args, "exec", "multipass exec"),
        "pct" => dashed(args, "exec", "pct exec"),
        _ => tool(program, &second, args),
    }
}

/// Wrappers that know an environment, a version or a machine, each with a subcommand of its own.
fn tool(program: &str, second: &str, args: &[Arg]) -> Inner {
    match program {
        "aws-vault" if second == "exec" && !args.iter().any(|arg| arg.text() == "--") => {
            argv(args, skip(args, 2, &["-d", "--duration", "-r", "--region"]) + 1, program, false)
        }
        "nix" if second == "run" => flake(args),
        "nix-shell" => after_flag(args, &["--run", "--command"], program),
        "aws-vault" | "op" | "doppler" | "terramate" | "chamber" | "teller" | "infisical" | "mise" | "dotenv"
        | "dotenv-cli" | "nix" | "saml2aws" | "granted" | "assume" | "aws-okta" | "envchain" => {
            separated(program, args)
        }
        "direnv" if second == "exec" => argv(args, 3, program, false),
        "ip" if matches!(second, "netns" | "vrf") && args.get(2).is_some_and(|arg| arg.text() == "exec") => {
            argv(args, 4, program, false)
        }
        "sops" if matches!(second, "exec-env" | "exec-file") => {
            either(args, skip(args, 2, &["--user"]) + 1, program, false)
        }
        "tfenv" | "tofuenv" if second == "exec" => {
            let mut inner = rest(args, 2);
            if inner.first().is_some_and(|first| terraform_of(&first.text()).is_none()) {
                let binary = if program == "tfenv" { "terraform" } else { "tofu" };
                inner.insert(0, Arg::made(binary, args[1].span));
            }
            argv(&inner, 0, program, false)
        }
        "poetry" | "uv" | "pipenv" | "pdm" | "hatch" | "rye" | "pixi" | "asdf" | "bundle" | "pnpm" | "yarn"
        | "pipx"
            if matches!(second, "run" | "exec" | "dlx") =>
        {
            argv(args, skip(args, 2, &RUN), program, false)
        }
        "npx" => argv(args, skip(args, 1, &["-p", "--package"]), program, false),
        "python" | "python3" => module(args),
        "php" | "ruby" | "node" => interpreted(args, &["-d", "-c", "-r"]),
        "atmos" if second == "terraform" => argv(args, 1, program, false),
        "ansible" => ad_hoc(args),
        "vagrant" if second == "ssh" => after_flag(args, &["-c", "--command"], "ssh"),
        "gcloud" if args.iter().any(|arg| arg.text() == "ssh") => match value_of(args, &["--command"]) {
            Some(line) => text(vec![line], "ssh", true, false),
            None => dashed(args, "ssh", "ssh"),
        },
        "az" if args.iter().any(|arg| arg.text() == "run-command") => {
            text(value_of(args, &["--scripts"]).into_iter().collect(), "az vm run-command", true, false)
        }
        _ => foreign(program, args),
    }
}

/// `ssh host command…`: the words are joined and read by a shell over there.
fn ssh(args: &[Arg], from: usize) -> Inner {
    let mut at = skip(args, from, &SSH) + 1;
    at += usize::from(args.get(at).is_some_and(|arg| arg.text() == "--"));
    text(rest(args, at), "ssh", true, false)
}

/// `nix run nixpkgs#terraform -- …`
fn flake(args: &[Arg]) -> Inner {
    let named = args.iter().position(|arg| arg.text().contains('#'));
    let dashes = args.iter().position(|arg| arg.text() == "--");
    let (Some(named), Some(dashes)) = (named, dashes) else { return Inner::No };
    let mut inner = rest(args, dashes);
    let (arg, whole) = (&args[named], args[named].text());
    inner[0] = Arg::made(whole.rsplit('#').next().unwrap_or(""), arg.span);
    argv(&inner, 0, "nix", false)
}

/// `php artisan …`: the script is the program, where its name is one that is known.
fn interpreted(args: &[Arg], values: &[&str]) -> Inner {
    let at = skip(args, 1, values);
    let known = args.get(at).is_some_and(|script| {
        let text = script.text();
        known::is_known(text.rsplit('/').next().unwrap_or(&text))
    });
    if known { Inner::Argv { args: rest(args, at), through: None, outer: false } } else { Inner::No }
}

/// `ansible hosts -m shell -a '…'`.
fn ad_hoc(args: &[Arg]) -> Inner {
    let module = value_of(args, &["-m", "--module-name"]).map_or_else(|| "command".to_owned(), |it| it.text());
    let runs = matches!(module.rsplit('.').next().unwrap_or(""), "command" | "shell" | "raw");
    let line = value_of(args, &["-a", "--args"]).filter(|_| runs);
    text(line.into_iter().collect(), "ansible", true, false)
}

/// `kubectl exec`, `kubectl run` of an image, `oc rsh`.
fn cluster(args: &[Arg]) -> Inner {
    let verb = |verb: &str| args.iter().position(|arg| arg.text() == verb);
    if let (Some(run), Some(dashes)) = (verb("run"), verb("--"))
        && run < dashes
    {
        let image = value_of(args, &["--image"]).map(|image| image.text()).unwrap_or_default();
        let mut inner = rest(args, dashes + 1);
        let first = inner.first().map(Arg::text).unwrap_or_default();
        if let Some(binary) = terraform_of(&image).filter(|_| !is_shell(&first) && terraform_of(&first).is_none()) {
            inner.insert(0, Arg::made(binary, args[run].span));
        }
        return argv(&inner, 0, "kubectl run", true);
    }
    match verb("rsh") {
        Some(rsh) => argv(args, skip(args, rsh + 1, &["-c", "-n", "--shell", "--timeout"]) + 1, "kubectl exec", true),
        None => dashed(args, "exec", "kubectl exec"),
    }
}

fn is_shell(word: &str) -> bool {
    matches!(word, "sh" | "bash" | "/bin/sh" | "/bin/bash")
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
            let at = skip(args, 1, if program == "env" { &ENV } else { &SUDO });
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
    let Some(sub) = args.get(at).filter(|_| named) else { return interpreted(args, &["-W", "-X", "-m", "-c"]) };
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
    text(value_of(args, flags).into_iter().collect(), program, false, false)
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
            let mut given = rest(args, at + 1 + takes);
            if given.is_empty() {
                return Inner::No;
            }
            let args = vec![given.remove(0)];
            return Inner::Text { args, through: Some(program.to_owned()), outer: false, visible: true, given };
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
    let entry = value_of(args.get(at..place).unwrap_or_default(), &["--entrypoint"]);
    let first = inner.first().map(Arg::text).unwrap_or_default();
    let name = target.text();
    if let Some(entry) = entry.filter(|entry| !entry.text().is_empty()) {
        inner.insert(0, entry);
    } else if first == "-c" {
        return text(inner.split_off(1), &through, true, false);
    } else if let Some(binary) = terraform_of(&name).filter(|_| word == "run" && !inner.is_empty())
        && !is_shell(&first)
        && terraform_of(&first).is_none()
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
        Some(at) => either(args, at + 1, program, false),
        None => after_flag(args, &["--command"], program),
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
    let named_line = args.iter().any(|arg| several(&arg.text()) && names_program(&arg.text()));
    for (at, arg) in args.iter().enumerate().skip(1) {
        let value = arg.text();
        let several = several(&value) && (names_program(&value) || !named_line);
        let first = value.split_whitespace().next().unwrap_or("");
        let named = names_program(first);
        if several && (named || remote) {
            return text(vec![arg.clone()], program, false, false);
        }
        if named {
            return argv(args, at, program, false);
        }
    }
    Inner::No
}

fn several(text: &str) -> bool {
    text.contains([' ', '\n'])
}

/// Whether the first word of a line is a program that is known.
fn names_program(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or("");
    known::is_known(first.rsplit('/').next().unwrap_or(first)) || matches!(first, "sudo" | "docker")
}

/// The span from the first to the last word.
pub(super) fn span(args: &[Arg]) -> Span {
    match (args.first(), args.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::default(),
    }
}
