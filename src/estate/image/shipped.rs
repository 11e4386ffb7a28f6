//! Files that an image gets from the repository: data of a service, and state or keys of the tools that control machines.

use super::deed::Content;
use crate::knowledge::{commands, packer, services};
use crate::model::command::{Command, text_of};
use crate::source::{Tree, file_name, folder};

/// Files of one folder that are looked at.
const MAX_FILES: usize = 5000;

/// What is wrong with something that goes into an image, and the file that shows it.
pub(super) struct Shipped {
    pub(super) what: Content,
    pub(super) evidence: String,
}

/// Judges what is taken from `from` (a path of the tree where it is one, else as written) to `to` in the guest; `kept` says which
/// files of a folder go along.
pub(super) fn judge(tree: &Tree, from: &str, to: &str, kept: &dyn Fn(&str) -> bool) -> Option<Shipped> {
    let is_file = tree.find(from).is_some();
    let mut inside = tree.below(from).filter(|(_, file)| kept(&file.path)).take(MAX_FILES).peekable();
    if !is_file && (from.is_empty() || inside.peek().is_some()) {
        let state = inside.find(|(_, file)| is_control_state(&file.path));
        return state.map(|(_, file)| Shipped { what: Content::ControlState, evidence: file.path.to_string() });
    }
    let name = file_name(from.trim_end_matches('/'));
    let at = if to.ends_with('/') { format!("{to}{name}") } else { to.to_owned() };
    if is_control_state(from) || is_control_state(&at) {
        return Some(Shipped { what: Content::ControlState, evidence: from.to_owned() });
    }
    let lower = name.to_ascii_lowercase();
    if at.contains("authorized_keys") {
        return Some(Shipped { what: Content::Key, evidence: from.to_owned() });
    }
    is_data(tree, from, &lower, &at).then(|| Shipped { what: Content::Data, evidence: from.to_owned() })
}

/// Whether a path is state of a tool that controls machines, or what it reaches them with.
pub(super) fn is_control_state(path: &str) -> bool {
    let shown = path.split('/').any(|part| {
        ["example", "sample"].iter().any(|word| part.contains(word)) || matches!(part, "testdata" | "fixtures" | "docs")
    });
    !shown && (commands::is_state_object(path) || packer::is_control_state(path))
}

fn is_data(tree: &Tree, from: &str, name: &str, at: &str) -> bool {
    let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    if matches!(
        suffix,
        "conf" | "cnf" | "cfg" | "ini" | "yml" | "yaml" | "toml" | "xml" | "properties" | "sh" | "j2" | "tpl"
    ) {
        return false;
    }
    let text = tree.find(from).map(|file| tree.text(file));
    let schema = name.contains("schema") || name.contains("ddl") || name.contains("init");
    let rows = |unknown: bool| text.map_or(unknown, |text| super::super::artifact::rows(text) > 0);
    if folder(at).ends_with("docker-entrypoint-initdb.d") || at.ends_with("docker-entrypoint-initdb.d") {
        return suffix == "sql" && rows(false) || matches!(suffix, "dump" | "gz") && !schema;
    }
    // A dump of a cache is a dump; its directory alone says nothing.
    let dump = matches!(suffix, "dump" | "rdb" | "aof" | "pgdump" | "ibd" | "sql");
    let kept = services::by_path(at).is_some_and(|service| dump || crate::estate::placement::weight(service.data) > 1);
    let stored = matches!(
        suffix,
        "dump" | "rdb" | "aof" | "pgdump" | "ibd" | "sql" | "sqlite" | "sqlite3" | "db" | "snap" | "bak" | "gz" | "tar"
    );
    kept && stored && if suffix == "sql" { rows(!schema) } else { true }
}

/// Whether a command makes the files of a new database, with its identity.
pub(super) fn makes_cluster(command: &Command) -> bool {
    let words = || command.operands.iter().map(text_of).chain(command.sub.iter().map(ToString::to_string));
    match &*command.program {
        "initdb" | "mysql_install_db" | "mariadb-install-db" | "pg_createcluster" => true,
        "mysqld" | "mariadbd" => command.flags.iter().any(|flag| flag.name.starts_with("--initialize")),
        "pg_ctl" | "pg_ctlcluster" => words().any(|word| matches!(word.as_str(), "init" | "initdb")),
        program => program.starts_with("postgresql") && program.ends_with("-setup") && command.text.contains("initdb"),
    }
}
