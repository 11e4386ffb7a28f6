//! Inventories that provisioners write with a shell, a line or all of them at once: `echo 'db-1 ansible_host=…' >> hosts`.

use super::written::{enter, is_inventory_path};
use super::{Ground, Listings, hole, marks};
use crate::model::ansible::project_of;
use crate::model::terraform::{Declaration, Resource, When};
use crate::text::FileId;
use crate::value::Value;
use std::collections::BTreeMap;

/// So many resources with such a provisioner are put in order.
const MAX_WRITERS: usize = 128;
/// So many `echo`s of one command are looked at, and of no command that is longer in bytes.
const MAX_ECHOES: usize = 512;
const MAX_COMMAND: usize = 1 << 16;

/// A file as the provisioners of one root write it.
struct Written<'m> {
    text: String,
    /// The file of the first provisioner.
    file: FileId,
    resource: Resource<'m, 'm>,
}

pub(super) fn list(ground: &Ground<'_, '_>, found: &mut Listings) {
    let mut files: BTreeMap<(String, String), Written<'_>> = BTreeMap::new();
    // The unknown parts of all texts, each with the machine in whose own declaration it stands.
    let (mut holes, mut owners) = (Vec::new(), Vec::new());
    for resource in in_order(ground, writers(ground)) {
        let own = ground.at(&resource.instance.root, &resource.address());
        for command in commands(&resource) {
            let text = marks(&command, &mut holes);
            owners.resize(holes.len(), own);
            for (path, line, adds) in echoes(&text) {
                let written = files.entry((resource.instance.root.to_string(), path)).or_insert_with(|| Written {
                    text: String::new(),
                    file: resource.loc().file,
                    resource: resource.clone(),
                });
                if !adds {
                    written.text.clear();
                }
                written.text.push_str(&line);
                written.text.push('\n');
            }
        }
    }
    for ((root, path), written) in &files {
        let said = |text: &str| match hole(text, &holes) {
            Some(hole) => ground.awaiting(root, hole).or_else(|| {
                let at = holes.iter().position(|other| std::ptr::eq(other, hole))?;
                owners.get(at).copied().flatten()
            }),
            None => ground.known(root, text),
        };
        let place = Ground::path_of(written.resource.instance, path).filter(|path| !path.contains("hole"));
        let project = place.as_deref().map(|path| project_of(path).to_owned());
        enter((written.file, path, &written.text), project.as_ref(), &said, found);
    }
}

/// The commands of a resource's provisioners that run where Terraform runs.
fn commands(resource: &Resource<'_, '_>) -> Vec<Value> {
    let here = resource.provisioners().into_iter().filter(|one| one.kind == "local-exec" && one.when != When::Destroy);
    here.map(|provisioner| provisioner.block.arg("command")).collect()
}

/// The resources whose provisioners write an inventory.
fn writers<'m>(ground: &Ground<'_, 'm>) -> Vec<Resource<'m, 'm>> {
    let writes = |resource: &Resource<'_, '_>| {
        commands(resource).iter().any(|command| !echoes(&marks(command, &mut Vec::new())).is_empty())
    };
    ground.terraform.resources().filter(writes).take(MAX_WRITERS).collect()
}

/// Resources so that each comes after those that it depends on, else as they stand.
fn in_order<'m>(ground: &Ground<'_, 'm>, mut left: Vec<Resource<'m, 'm>>) -> Vec<Resource<'m, 'm>> {
    let mut ordered: Vec<Resource<'m, 'm>> = Vec::new();
    while !left.is_empty() {
        let waits = |resource: &Resource<'m, 'm>| {
            let own = resource.declaration();
            let needs: Vec<Declaration> = ground.terraform.referred(resource, "depends_on");
            left.iter().any(|other| other.declaration() != own && needs.contains(&other.declaration()))
        };
        // Those that wait for each other are taken as they stand.
        let next = left.iter().position(|resource| !waits(resource)).unwrap_or(0);
        ordered.push(left.remove(next));
    }
    ordered
}

/// What a command's `echo`s put into inventories: the path, the text, and whether it is added to what is there.
fn echoes(command: &str) -> Vec<(String, String, bool)> {
    let mut found = Vec::new();
    if command.len() > MAX_COMMAND {
        return found;
    }
    let mut rest = command;
    for _ in 0..MAX_ECHOES {
        let Some(at) = rest.find("echo") else { break };
        let starts =
            rest[..at].chars().next_back().is_none_or(|before| before.is_whitespace() || ";&|({".contains(before));
        rest = &rest[at + 4..];
        if !starts || !rest.starts_with([' ', '\t']) {
            continue;
        }
        let Some((line, end)) = words(rest) else { continue };
        let after = &rest[end..];
        let adds = after.starts_with(">>");
        let Some((path, _)) = after.strip_prefix(if adds { ">>" } else { ">" }).and_then(words) else { continue };
        let path = path.split_whitespace().next().unwrap_or_default().to_owned();
        let system = path.ends_with("/etc/hosts") || path.contains("known_hosts");
        if is_inventory_path(&path) && !system {
            found.push((path, line, adds));
        }
        rest = after;
    }
    found
}

/// What a shell takes the words at the beginning of a text for, quotes taken off, and where they end: before a redirection, the next
/// command or the text's end.
fn words(text: &str) -> Option<(String, usize)> {
    let (mut out, mut quote) = (String::new(), None);
    let mut escapes = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => out.push(c),
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if matches!(c, '>' | ';' | '&' | '|' | '\n') => return Some((shown(&out, escapes), at)),
            None => {
                out.push(c);
                escapes = escapes || out.trim_start().starts_with("-e ");
            }
        }
    }
    quote.is_none().then(|| (shown(&out, escapes), text.len()))
}

/// What `echo` prints of its words.
fn shown(words: &str, escapes: bool) -> String {
    let text = words.trim();
    let text = ["-e ", "-n ", "-en ", "-ne "].iter().find_map(|flag| text.strip_prefix(flag)).unwrap_or(text);
    if escapes { text.replace("\\n", "\n") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_echo_writes() {
        let one = |path: &str, text: &str, adds| vec![(path.to_owned(), text.to_owned(), adds)];
        for (command, expected) in [
            ("echo [db] >> ./ansible/hosts", one("./ansible/hosts", "[db]", true)),
            ("echo 'a ansible_host=hole0hole' > hosts.ini", one("hosts.ini", "a ansible_host=hole0hole", false)),
            ("mkdir x && echo \"[db]\nhole0hole\" > x/inventory", one("x/inventory", "[db]\nhole0hole", false)),
            ("echo -e '[db]\\nb' >inventory", one("inventory", "[db]\nb", false)),
            ("echo 10.0.0.5 db >> /etc/hosts", Vec::new()),
            ("echo done", Vec::new()),
            ("echo 'open > hosts", Vec::new()),
            ("noecho a > hosts", Vec::new()),
            ("echo a > notes.txt", Vec::new()),
        ] {
            assert_eq!(echoes(command), expected, "{command}");
        }
        // Each quote opens what the next closes, so that every text goes on to the end.
        assert_eq!(echoes(&"echo \"a ".repeat(2_000)), Vec::new());
        assert_eq!(echoes(&"echo a > hosts\n".repeat(10_000)), Vec::new());
    }
}
