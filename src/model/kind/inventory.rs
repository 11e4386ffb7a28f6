//! What an INI inventory looks like; Ansible takes any file that it is pointed at.

use crate::source::{file_name, folder};

pub(super) fn in_inventory(path: &str) -> bool {
    folder(path).split('/').any(|part| matches!(part, "inventory" | "inventories"))
}

/// Whether a text reads as an INI inventory: a group header with a name, then host lines; or hosts alone, where that is plain.
pub fn is_ini_inventory(path: &str, text: &str) -> bool {
    let group = text.lines().any(|line| header(line.trim()).is_some());
    let spoken = text.contains("ansible_host")
        || text.contains("ansible_connection")
        || text.contains(":children]")
        || text.contains(":vars]");
    let named =
        in_inventory(path) || matches!(file_name(path), "hosts" | "hosts.ini") || file_name(path).contains("inventory");
    // Hosts that are in no group.
    let bare = || lines(text).all(|line| host(line).is_some()) && text.contains("ansible_host=");
    !group && named && bare()
        || group && (spoken || named && lines(text).any(|line| host(line).is_some()) || lists_machines(text))
}

/// Whether the first bytes of a file whose name says nothing may be an inventory's; a look at all of it decides.
pub fn may_be_inventory(head: &[u8]) -> bool {
    let Some(first) = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).find(|line| {
        // A file that begins otherwise is dismissed without decoding it.
        !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b";")
    }) else {
        return false;
    };
    std::str::from_utf8(first).is_ok_and(|line| header(line).is_some() || host(line).is_some_and(is_machine))
}

/// Whether a text is nothing but groups with hosts, of which one is surely a machine's name.
fn lists_machines(text: &str) -> bool {
    let mut found = false;
    for line in lines(text) {
        match host(line) {
            _ if header(line).is_some() => {}
            Some(name) => found |= is_machine(name),
            None => return false,
        }
    }
    found
}

/// The lines that are neither empty nor remarks.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']))
}

/// The name of a group that a line begins.
fn header(line: &str) -> Option<&str> {
    line.strip_prefix('[')?.strip_suffix(']').filter(|name| !name.is_empty() && !name.contains(' '))
}

/// The name of the host that a line is: alone, or with variables behind it.
fn host(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let named =
        !name.is_empty() && !name.starts_with('[') && name.chars().all(|c| c.is_alphanumeric() || "._-[]:".contains(c));
    let rest = rest.trim();
    (named && (rest.is_empty() || rest.find('=').is_some_and(|at| at > 0))).then_some(name)
}

/// Whether a name is an address, or a name with a domain, and no version or file.
fn is_machine(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let domain = labels.len() >= 3
        && labels.iter().all(|label| !label.is_empty())
        && labels.last().is_some_and(|top| top.len() >= 2 && top.chars().all(|c| c.is_ascii_alphabetic()));
    domain || name.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inventories_without_suffix() {
        assert!(is_ini_inventory("production", "[db]\ndb-1 ansible_host=10.0.0.5\n"));
        assert!(is_ini_inventory("inventory/hosts", "[db]\ndb-1\n") && is_ini_inventory("hosts.ini", "[db]\ndb-1\n"));
        assert!(is_ini_inventory("app/inventory", "[db]\n192.168.56.2\n"));
        assert!(is_ini_inventory("staging", "# the rack\n[web]\n10.1.7.6\n10.1.7.7  port=22\n"));
        assert!(is_ini_inventory("lab", "[web]\nweb1.example.net\n"));
        assert!(is_ini_inventory("inventory.ini", "# two\ndb-1 ansible_host=10.0.0.5\ndb-2 ansible_host=10.0.0.6\n"));
        assert!(!is_ini_inventory("inventory.ini", "db-1\n") && !is_ini_inventory("notes.ini", "a ansible_host=b\n"));
        assert!(!is_ini_inventory("setup.cfg", "[metadata]\nname = x\n"));
        assert!(!is_ini_inventory("Pipfile", "[packages]\nflask = \"*\"\n\n[requires]\npython_version = \"3.12\"\n"));
        assert!(!is_ini_inventory("CODEOWNERS", "[docs]\n*.md @writers\n"));
        assert!(!is_ini_inventory("words", "[colours]\nred\ngreen\n"));
        assert!(!is_ini_inventory("pins", "[tools]\nmake 4.4.1\n"));
    }

    #[test]
    fn heads_of_inventories() {
        assert!(may_be_inventory(b"# all\n\n[db]\ndb-1\n") && may_be_inventory(b"10.0.0.5 a=b\n[db]\n"));
        assert!(!may_be_inventory(b"") && !may_be_inventory(b"MIT License\n") && !may_be_inventory(b"\xff\xfe[db]\n"));
    }
}
