//! Containers that come to a machine without a task: its first boot or a provisioner starts them, or writes the files that declare
//! them. Scripts of the repository do so too, on machines that nothing tells.

use super::container::{self, Container, Setting};
use super::delivered::{first_boots, mounts};
use super::invocation::is_script;
use super::listing::Ground;
use super::task::is_test_path;
use super::{Estate, Machine};
use crate::model::ansible::Rendered;
use crate::model::command;
use crate::model::kind::Kind;
use crate::model::load::Documents;
use crate::model::terraform::{self, When};
use crate::source::file_name;
use crate::syntax::yaml::{Node, Yaml};
use crate::text::Mapped;
use std::collections::{BTreeSet, HashMap};

/// Scripts that write scripts are followed so far.
const MAX_DEPTH: usize = 3;

/// Where a container comes to.
#[derive(Clone, Default)]
pub(super) struct Deployment {
    /// The machines that it runs on, by index; none where nothing tells.
    pub(super) machines: BTreeSet<usize>,
    /// Paths on which the same text mounts something.
    pub(super) mounted: BTreeSet<String>,
}

impl Deployment {
    /// The machines of another one too.
    pub(super) fn add(&mut self, other: Self) {
        self.machines.extend(other.machines);
        self.mounted.extend(other.mounted);
    }
}

type Deployed = Vec<(Container, Deployment)>;

/// What first boots, provisioners and scripts start and hand over.
pub(super) fn deployed(estate: &Estate<'_>) -> Deployed {
    let mut found = Vec::new();
    by_first_boots(estate, &mut found);
    by_provisioners(estate, &mut found);
    by_scripts(estate.documents, &mut found);
    found
}

fn setting(documents: &Documents<'_>, text: &terraform::Rendered) -> Setting<'static> {
    Setting { in_tests: is_test_path(documents.tree.path(text.file)), ..Setting::unknown() }
}

fn by_first_boots(estate: &Estate<'_>, found: &mut Deployed) {
    let mut by_declaration: HashMap<_, Vec<usize>> = HashMap::new();
    for (at, machine) in estate.machines.iter().enumerate() {
        by_declaration.entry(machine.resource.declaration()).or_default().push(at);
    }
    let mut declared: Vec<Vec<usize>> = by_declaration.into_values().collect();
    declared.sort_unstable();
    for machines in declared {
        let first: Option<&Machine<'_>> = machines.first().and_then(|at| estate.machines.get(*at));
        for (argument, text) in first.into_iter().flat_map(|first| first_boots(estate, first)) {
            let own = of_first_boot(argument, &text, &setting(estate.documents, &text));
            let to = Deployment {
                machines: machines.iter().copied().collect(),
                mounted: mounts(&text.text.text).into_iter().collect(),
            };
            found.extend(own.into_iter().map(|container| (container, to.clone())));
        }
    }
}

fn by_provisioners(estate: &Estate<'_>, found: &mut Deployed) {
    let ground = Ground::new(estate.documents, estate.terraform, estate.ansible, &estate.machines);
    for resource in estate.terraform.resources() {
        for provisioner in resource.provisioners().into_iter().filter(|one| one.when != When::Destroy) {
            let (mut own, mut mounted) = (Vec::<Container>::new(), BTreeSet::new());
            match provisioner.kind {
                "remote-exec" => {
                    for text in provisioner.commands() {
                        let setting = setting(estate.documents, &text);
                        mounted.extend(mounts(&text.text.text));
                        own.extend(of_script(&Rendered::verbatim(text.text, text.file), 0, &setting));
                    }
                }
                "file" => {
                    let Some(text) = provisioner.block.mapped("content") else { continue };
                    let (setting, path) = (setting(estate.documents, &text), provisioner.block.arg("destination"));
                    let text = Rendered::verbatim(text.text, text.file);
                    own.extend(of_file(path.as_str().unwrap_or_default(), &text, 0, &setting));
                }
                _ => continue,
            }
            if own.is_empty() {
                continue;
            }
            let machine = ground.set_up_by(&resource, &provisioner);
            let to = Deployment { machines: machine.into_iter().collect(), mounted };
            found.extend(own.into_iter().map(|container| (container, to.clone())));
        }
    }
}

/// What scripts do that set up a machine, and no developer's own.
const SETS_UP: [&str; 7] =
    ["apt-get install", "apt install", "dnf install", "yum install", "apk add", "systemctl enable", "get.docker.com"];

/// Scripts are run for many reasons: a container that they start counts in one that sets up a machine, when it is to start again
/// whatever happens.
fn by_scripts(documents: &Documents<'_>, found: &mut Deployed) {
    for document in documents.of(&[Kind::Shell]) {
        let (text, path) = (documents.tree.text(document.file), documents.tree.path(document.file));
        let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
        let composes = has("<<") && has("services:");
        if !(composes || has("--restart")) || !SETS_UP.iter().any(|word| has(word)) {
            continue;
        }
        let setting = Setting { in_tests: is_test_path(path), ..Setting::unknown() };
        let all = of_script(&Rendered::verbatim(Mapped::verbatim(text, 0), document.file), 0, &setting);
        let lasting = all.into_iter().filter(|own| own.restarts || own.declared != container::Declared::Command);
        found.extend(lasting.map(|container| (container, Deployment::default())));
    }
}

fn of_first_boot(argument: &str, text: &terraform::Rendered, setting: &Setting<'_>) -> Vec<Container> {
    let whole = &text.text;
    if !whole.text.starts_with("#cloud-config") {
        let script = Rendered::verbatim(whole.clone(), text.file);
        return if is_script(argument, &whole.text) { of_script(&script, 0, setting) } else { Vec::new() };
    }
    let yaml = Yaml::parse(&whole.text);
    let Some(root) = yaml.root() else { return Vec::new() };
    let rendered = |part: Mapped| Rendered::verbatim(part.through(whole), text.file);
    let mut found = Vec::new();
    for item in ["bootcmd", "runcmd"].iter().filter_map(|key| root.get(key)).flat_map(Node::items) {
        found.extend(of_script(&rendered(command::line(&whole.text, item)), 0, setting));
    }
    for item in root.get("write_files").into_iter().flat_map(Node::items) {
        let path = item.get("path").and_then(Node::as_str).unwrap_or_default();
        let content = item.get("content").filter(|_| item.get("encoding").is_none());
        let Some(content) = content.filter(|content| content.as_str().is_some()) else { continue };
        found.extend(of_file(path, &rendered(content.mapped(&whole.text)), 0, setting));
    }
    found
}

/// The containers that a file declares or starts, by its name and what is in it.
fn of_file(path: &str, text: &Rendered, depth: usize, setting: &Setting<'_>) -> Vec<Container> {
    let name = file_name(path);
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("yml" | "yaml") => container::of_compose_text(text, setting),
        Some("service") => container::of_unit(text, setting),
        Some("container") => container::of_quadlet(text, name, setting).into_iter().collect(),
        _ if text.text.text.starts_with("#!") => of_script(text, depth + 1, setting),
        _ => Vec::new(),
    }
}

/// The containers that a script starts, and those of the files that it writes by here-documents.
fn of_script(text: &Rendered, depth: usize, setting: &Setting<'_>) -> Vec<Container> {
    if depth > MAX_DEPTH {
        return Vec::new();
    }
    let (code, files) = parts(&text.text);
    let mut found = container::of_shell(&Rendered::verbatim(code, text.file), setting);
    for (path, body) in files {
        found.extend(of_file(&path, &Rendered::verbatim(body, text.file), depth + 1, setting));
    }
    found
}

/// A script without its here-documents, and those that go to a file, by its path.
fn parts(text: &Mapped) -> (Mapped, Vec<(String, Mapped)>) {
    let (mut code, mut files) = (Mapped::default(), Vec::new());
    // The end mark that is waited for, where the body begins, and where it goes.
    let mut open: Option<(&str, usize, Option<&str>)> = None;
    let mut at = 0;
    for line in text.text.split_inclusive('\n') {
        let end = at + line.len();
        match open {
            Some((mark, start, path)) if line.trim() == mark => {
                files.extend(path.map(|path| (path.to_owned(), text.part(start..at))));
                open = None;
            }
            Some(_) => {}
            None => {
                code.append(&text.part(at..end));
                open = here(line).map(|(mark, path)| (mark, end, path));
            }
        }
        at = end;
    }
    (code, files)
}

/// The mark that ends the here-document which a line opens, and the file that it goes to.
fn here(line: &str) -> Option<(&str, Option<&str>)> {
    let trimmed = line.trim_start();
    if trimmed.starts_with('#') {
        return None;
    }
    let (before, after) = line.split_once("<<")?;
    let after = after.strip_prefix('-').unwrap_or(after).trim_start();
    // `<<<` gives one word, `1 << 3` is a number.
    let after = after.strip_prefix(['\'', '"', '\\']).unwrap_or(after);
    let length = after.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(after.len());
    let mark = after.get(..length).filter(|mark| mark.starts_with(|c: char| c.is_alphabetic() || c == '_'))?;
    let rest = after.get(length..).unwrap_or_default();
    let words = || before.split_whitespace().chain(rest.split_whitespace());
    let tee = words().skip_while(|word| *word != "tee").skip(1).find(|word| !word.starts_with('-'));
    let redirected = |part: &'static str| words().skip_while(move |word| *word != part).nth(1);
    let joined = words().find_map(|word| word.strip_prefix('>').map(|path| path.trim_start_matches('>')));
    let path =
        tee.or_else(|| joined.filter(|path| !path.is_empty())).or_else(|| redirected(">")).or_else(|| redirected(">>"));
    Some((mark, path.map(|path| path.trim_matches(['"', '\'']))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn here_documents() {
        for (line, expected) in [
            ("cat > /opt/compose.yml <<EOF\n", Some(("EOF", Some("/opt/compose.yml")))),
            ("cat <<'END' >/opt/a.yml\n", Some(("END", Some("/opt/a.yml")))),
            ("  cat <<-\"X_1\" | sudo tee -a /etc/a.service >/dev/null\n", Some(("X_1", Some("/etc/a.service")))),
            ("psql <<SQL\n", Some(("SQL", None))),
            ("# cat <<EOF > a\n", None),
            ("read x <<< \"$y\"\n", None),
            ("echo $((1 << 3))\n", None),
        ] {
            assert_eq!(here(line), expected, "{line}");
        }
    }

    #[test]
    fn scripts_and_the_files_that_they_write() {
        let script = "a\ncat > x.yml <<EOF\nservices:\nEOF\nb\ncat <<EOF\ndocker run x\nEOF\n";
        let (code, files) = parts(&Mapped::verbatim(script, 0));
        assert_eq!(code.text, "a\ncat > x.yml <<EOF\nb\ncat <<EOF\n");
        let files: Vec<(&str, &str)> = files.iter().map(|(path, body)| (path.as_str(), body.text.as_str())).collect();
        assert_eq!(files, [("x.yml", "services:\n")]);
        // A body that nothing ends is no code.
        assert_eq!(parts(&Mapped::verbatim("cat <<E\nrm x\n", 0)).0.text, "cat <<E\n");
    }
}
