//! What the answer file of an installer puts into an image: accounts beside the one that Packer logs in with, and addresses.
//! Preseed (Debian), Kickstart (Red Hat) and autoinstall (Ubuntu) are read, as far as they say it in so many words.

use super::Baked;
use super::deed::Content;
use crate::model::packer::{Source, Template};
use crate::source::{Tree, file_name, folder};
use crate::syntax::yaml::{Node, Yaml};
use crate::text::{FileId, Loc, Span};
use crate::value::Value;

/// Answer files of one source that are read.
const MAX_FILES: usize = 16;

/// Arguments that name files or folders which an installer is given.
const GIVEN: [&str; 7] = [
    "http_directory",
    "http_dir",
    "floppy_files",
    "floppy_dirs",
    "cd_files",
    "additional_iso_files.cd_files",
    "boot_command",
];

/// What the answer files of a source bake into its image.
pub(super) fn baked(tree: &Tree, template: &Template<'_>, source: &Source) -> Vec<Baked> {
    let login = source.get("ssh_username");
    let Some(login) = login.as_str() else { return Vec::new() };
    let mut found = Vec::new();
    for file in files(tree, template, source) {
        let text = tree.text(file);
        if text.lines().any(|line| line.starts_with("d-i ")) {
            lines(file, text, &|line| preseed(line, login), &mut found);
        } else if text.starts_with("#cloud-config") {
            autoinstall(file, &Yaml::parse(text), login, &mut found);
        } else if text.contains("%packages") || text.lines().any(|line| line.starts_with("rootpw")) {
            lines(file, text, &|line| kickstart(line, login), &mut found);
        }
    }
    found
}

/// The files that lie in what the source serves, and that its boot command names if it names any of them.
fn files(tree: &Tree, template: &Template<'_>, source: &Source) -> Vec<FileId> {
    let mut found: Vec<FileId> = Vec::new();
    for name in GIVEN.iter().filter(|name| **name != "boot_command") {
        let given = source.get(name);
        let listed = given.as_list().map_or_else(|| vec![given.clone()], |list| list.items.clone());
        for path in listed.iter().filter_map(Value::as_str) {
            let path = path.trim_end_matches(['*', '/']);
            let Some(place) = template.place(path).or_else(|| tree.find(path).map(|_| path.to_owned())) else {
                continue;
            };
            if let Some(file) = tree.find(&place) {
                found.push(file);
            }
            found.extend(tree.below(&place).filter(|(_, file)| folder(&file.path) == place).map(|(id, _)| id));
        }
    }
    let boot = source.get("boot_command").display();
    let names = |file: &FileId| boot.contains(file_name(tree.path(*file)));
    if found.iter().any(names) {
        found.retain(names);
    }
    found.sort_unstable();
    found.dedup();
    found.truncate(MAX_FILES);
    found
}

type Told = (Content, Option<String>);

fn lines(file: FileId, text: &str, judge: &dyn Fn(&str) -> Option<Told>, found: &mut Vec<Baked>) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let shown = line.trim();
        // What the installed system runs is a script.
        if matches!(shown, "%post" | "%pre") || shown.starts_with("%post ") || shown.starts_with("%pre ") {
            break;
        }
        if let Some((what, about)) = judge(shown) {
            let at = start + (line.len() - line.trim_start().len());
            let span = Span::new(at, at + shown.len());
            found.push(entry(what, about, hidden(shown), Loc { file, span }));
        }
        start += line.len();
    }
}

fn entry(what: Content, about: Option<String>, text: String, loc: Loc) -> Baked {
    Baked { what, about: about.map(Into::into), evidence: None, text: text.into(), loc }
}

/// A line without the secret in it.
fn hidden(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let secret = |at: usize, word: &str| {
        word.contains("password=")
            || word.starts_with('$')
            || at > 0 && word.len() > 40
            || line.contains("-password") && at > 2
    };
    let shown = words.iter().enumerate().map(|(at, word)| if secret(at, word) { "…" } else { word });
    shown.take(8).collect::<Vec<_>>().join(" ")
}

fn preseed(line: &str, login: &str) -> Option<Told> {
    let rest = line.strip_prefix("d-i ")?;
    let mut words = rest.split_whitespace();
    let (question, _, value) = (words.next()?, words.next()?, words.next().unwrap_or_default());
    match question {
        "passwd/username" if !value.is_empty() && value != login => Some((Content::User, Some(value.to_owned()))),
        "passwd/root-password" | "passwd/root-password-crypted"
            if login != "root" && !matches!(value, "" | "!" | "*") =>
        {
            Some((Content::Password, Some("root".to_owned())))
        }
        "netcfg/get_ipaddress" if is_address(value) => Some((Content::Address, None)),
        _ => None,
    }
}

fn kickstart(line: &str, login: &str) -> Option<Told> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    let option = |name: &str| {
        let given = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        given.map(|value| value.trim_matches('"').to_owned())
    };
    match first {
        "rootpw" if login != "root" && !line.contains("--lock") => Some((Content::Password, Some("root".to_owned()))),
        "user" => option("--name").filter(|name| name != login).map(|name| (Content::User, Some(name))),
        "sshkey" => {
            let user = option("--username").filter(|name| name != login)?;
            Some((Content::Key, Some(user)))
        }
        "network" if option("--ip").is_some_and(|ip| is_address(&ip)) => Some((Content::Address, None)),
        _ => None,
    }
}

fn autoinstall(file: FileId, yaml: &Yaml, login: &str, found: &mut Vec<Baked>) {
    let Some(root) = yaml.root().and_then(|root| root.get("autoinstall")) else { return };
    let loc = |node: Node<'_>| Loc { file, span: node.span() };
    if let Some((key, name)) = root.get("identity").and_then(|identity| identity.entry("username")) {
        let user = name.as_str().unwrap_or(login);
        if user != login {
            found.push(entry(Content::User, Some(user.to_owned()), format!("username: {user}"), loc(key)));
        }
    }
    let users = root.get("user-data").and_then(|data| data.get("users"));
    for user in users.into_iter().flat_map(Node::items) {
        let Some((key, name)) = user.entry("name") else { continue };
        let named = name.as_str().unwrap_or(login);
        if named != login && named != "default" {
            found.push(entry(Content::User, Some(named.to_owned()), format!("name: {named}"), loc(key)));
        }
    }
    let network = root.get("network").map(|network| network.get("network").unwrap_or(network));
    let devices = network.and_then(|network| network.get("ethernets")).map(Node::entries).unwrap_or_default();
    for (_, device) in devices {
        let Some((key, listed)) = device.entry("addresses") else { continue };
        if let Some(address) = listed.items().filter_map(Node::as_str).find(|it| is_address(it)) {
            found.push(entry(Content::Address, None, format!("addresses: {address}"), loc(key)));
        }
    }
}

fn is_address(text: &str) -> bool {
    let bare = text.split('/').next().unwrap_or(text);
    bare.parse::<std::net::IpAddr>().is_ok_and(|ip| !ip.is_unspecified() && !ip.is_loopback())
}
