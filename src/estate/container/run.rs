//! Containers that a `docker run` starts.

use super::flat::Flat;
use super::mount::Mount;
use super::unit::is_hole;
use super::{Container, Declared, Setting};
use crate::text::Loc;
use crate::value::Value;

/// Options without a value; every other long option takes one.
const SWITCHES: [&str; 14] = [
    "detach",
    "rm",
    "interactive",
    "tty",
    "privileged",
    "init",
    "publish-all",
    "read-only",
    "no-healthcheck",
    "oom-kill-disable",
    "quiet",
    "replace",
    "with-registry-auth",
    "no-resolve-image",
];

/// The container that `docker run`, `docker create` (or podman's) or `docker service create` starts with these words, the program
/// first; none for other commands.
#[must_use]
pub fn of_run(words: &[Value], loc: Loc, setting: &Setting<'_>) -> Option<Container> {
    let flats: Vec<Flat> = words.iter().map(|word| Flat::of(word).unwrap_or_default()).collect();
    if !is_engine(flats.first()?.text.rsplit('/').next().unwrap_or_default()) {
        return None;
    }
    let mut at = 1;
    let group = flats.get(at)?.text.as_str();
    let service = group == "service";
    if service || group == "container" {
        at += 1;
    }
    let verb = flats.get(at)?.text.as_str();
    if verb != "create" && (service || verb != "run") {
        return None;
    }
    at += 1;
    let mut own = Container::new("container".to_owned(), loc, Declared::Command, setting);
    // A swarm starts what ended anew, in a container of its own.
    own.restarts = service;
    while let Some(flat) = flats.get(at) {
        if is_hole(flat) && options_follow(&flats[at + 1..]) {
            own.more_mounts.get_or_insert_with(|| "its options are not all known".into());
            own.more_environment.get_or_insert_with(|| "its options are not all known".into());
            at += 1;
            continue;
        }
        if !flat.text.starts_with('-') || flat.text.len() < 2 {
            break;
        }
        let (name, value, used) = option(flat, flats.get(at + 1));
        let place = words.get(at).and_then(|word| word.origin).unwrap_or(loc);
        at += used;
        apply(&name, &value, place, &mut own);
    }
    let image = words.get(at)?.clone();
    let place = image.origin.unwrap_or(loc);
    own.set_image(image, place);
    let rest = words.get(at + 1..).unwrap_or(&[]);
    own.command = (!rest.is_empty()).then(|| Value::list(rest.to_vec()));
    Some(own)
}

/// The program of a container engine.
pub(super) fn is_engine(program: &str) -> bool {
    matches!(program, "docker" | "podman" | "nerdctl")
}

/// Whether a word that is not known stands among the options: more of them follow, or after others like it what can only be
/// the image.
fn options_follow(rest: &[Flat]) -> bool {
    let image = |flat: &Flat| {
        let text = flat.text.as_str();
        !text.starts_with(['/', '.', crate::text::HOLE]) && text.contains(['/', ':']) && !text.contains(['=', ' '])
    };
    let next = rest.iter().find(|flat| !is_hole(flat));
    next.is_some_and(|flat| flat.text.starts_with("--") || image(flat))
}

/// An option's long name, its value, and how many words it takes.
fn option(flat: &Flat, next: Option<&Flat>) -> (String, Value, usize) {
    let whole = |flat: &Flat| flat.part(0..flat.text.len());
    let following = || next.map_or_else(Value::absent, whole);
    if let Some(long) = flat.text.strip_prefix("--") {
        return match long.split_once('=') {
            Some((name, _)) => (name.to_owned(), flat.part(2 + name.len() + 1..flat.text.len()), 1),
            None if SWITCHES.contains(&long) => (long.to_owned(), Value::absent(), 1),
            None => (long.to_owned(), following(), 2),
        };
    }
    // Short options may stand together; the first that takes a value takes the rest.
    for (at, letter) in flat.text.char_indices().skip(1) {
        if matches!(letter, 'd' | 'i' | 't' | 'P' | 'q') {
            continue;
        }
        let after = at + letter.len_utf8();
        let rest = flat.text.get(after..).unwrap_or("");
        if rest.is_empty() {
            return (letter.to_string(), following(), 2);
        }
        return (letter.to_string(), flat.part(after + usize::from(rest.starts_with('='))..flat.text.len()), 1);
    }
    (String::new(), Value::absent(), 1)
}

fn apply(name: &str, value: &Value, loc: Loc, own: &mut Container) {
    match name {
        "name" => own.name = Container::shown(value),
        "rm" => own.removed_at_end = value.as_bool() != Some(false),
        "restart" => own.restarts = value.as_str() != Some("no"),
        "v" | "volume" => own.mounts.extend(Mount::short(value, loc)),
        "mount" => own.mounts.extend(Mount::pairs(value, loc)),
        "tmpfs" => own.mounts.extend(Mount::memory(value, loc)),
        "volumes-from" => own.volumes_from = true,
        "entrypoint" => own.entrypoint = Some(value.clone()),
        "env-file" => own.more_environment = Some("its env-file may set more than the repository shows".into()),
        "e" | "env" => {
            let Some(flat) = Flat::of(value) else { return };
            let held = match flat.text.split_once('=') {
                Some((name, _)) => (name.to_owned(), flat.part(name.len() + 1..flat.text.len())),
                None => (flat.text.clone(), Value::unknown("the variable is set outside the repository")),
            };
            own.environment.push(held);
        }
        _ => {}
    }
}
