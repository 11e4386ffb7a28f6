//! Files of the index that some run left behind, and files that hold data.

use super::Estate;
use super::task::is_test_path;
use crate::model::git::is_fixture;
use crate::model::kind::{self, Candidate};
use crate::source::{File, file_name, folder};
use crate::text::FileId;

/// A tracked file that is no intent.
pub struct Artifact {
    /// The file.
    pub file: FileId,
    /// What it is, a word of [`KINDS`].
    pub kind: &'static str,
    /// What shows it.
    pub evidence: String,
    /// Whether it is data that an application wrote.
    pub data: bool,
    /// Whether it stands among tests or examples.
    pub fixture: bool,
}

/// Every kind of artifact.
pub const KINDS: [&str; 9] = [
    "retry",
    "fact-cache",
    "crash-log",
    "socket",
    "disk-image",
    "kubeconfig",
    "database-file",
    "dump",
    "terraform-output",
];

/// This many lines of rows make a SQL file a dump; fewer are seed data of a migration.
const MANY_ROWS: usize = 20;

/// Every artifact, in path order.
#[must_use]
pub fn artifacts(estate: &Estate<'_>) -> Vec<Artifact> {
    estate
        .documents
        .tree
        .iter()
        .filter(|(_, file)| file.tracked && file.symlink.is_none())
        .filter_map(|(id, file)| artifact(id, file))
        .collect()
}

fn artifact(id: FileId, file: &File) -> Option<Artifact> {
    let path = &*file.path;
    let lower = file_name(path).to_ascii_lowercase();
    if folder(path)
        .split('/')
        .any(|part| matches!(part, "node_modules" | "vendor" | ".git" | ".venv" | "site-packages"))
    {
        return None;
    }
    let (kind, evidence) = runtime(path, &lower, file).or_else(|| data(path, &lower, file))?;
    let data = matches!(kind, "database-file" | "dump");
    let fixture = is_fixture(path)
        || is_test_path(path)
        || folder(path).split('/').any(|part| matches!(part, "examples" | "example" | "samples" | "sample"));
    Some(Artifact { file: id, kind, evidence, data, fixture })
}

/// What a run of a tool left behind.
fn runtime(path: &str, lower: &str, file: &File) -> Option<(&'static str, String)> {
    let suffix = lower.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    let within = |names: &[&str]| folder(path).split('/').any(|part| names.contains(&part));
    if suffix == "retry" {
        return Some(("retry", "the hosts on which a play failed".to_owned()));
    }
    if within(&[".fact_cache", "fact_cache", "facts_cache", ".ansible_cache"])
        && !lower.starts_with('.')
        && suffix != "md"
    {
        return Some(("fact-cache", "facts that Ansible gathered".to_owned()));
    }
    if lower == "crash.log" || lower.starts_with("crash.") && suffix == "log" {
        return Some(("crash-log", "the log of a crash".to_owned()));
    }
    if matches!(suffix, "pid" | "sock") && file.text().is_ok_and(|text| text.text.trim().parse::<u32>().is_ok()) {
        return Some(("socket", "the number of a process".to_owned()));
    }
    if matches!(suffix, "qcow2" | "vmdk" | "vdi" | "vhdx") || within(&["packer_cache"]) {
        return Some(("disk-image", "an image that a build makes".to_owned()));
    }
    if matches!(lower, "terraform-output.json" | "terraform_output.json" | "tf-output.json" | "tf_output.json") {
        return Some(("terraform-output", "what Terraform printed".to_owned()));
    }
    let cluster =
        matches!(lower, "kubeconfig" | "kubeconfig.yaml" | "kubeconfig.yml" | "admin.conf") || suffix == "kubeconfig";
    if cluster && file.text().is_ok_and(|text| text.text.contains("client-key-data:") && !text.text.contains("{{")) {
        return Some(("kubeconfig", "keys of a cluster's administrator".to_owned()));
    }
    None
}

/// Data that an application or database wrote, by content: a name alone proves nothing.
fn data(path: &str, lower: &str, file: &File) -> Option<(&'static str, String)> {
    if matches!(kind::by_path(path), Candidate::Is(_)) {
        return None;
    }
    let suffix = lower.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    let magic = match suffix {
        "sqlite" | "sqlite3" | "db" | "db3" | "dump" | "rdb" | "aof" | "bak" | "pgdump" | "ibd" | "snap" => {
            magic(&file.head())
        }
        _ => None,
    };
    if let Some(evidence) = magic {
        let kind = if matches!(suffix, "dump" | "bak" | "pgdump") { "dump" } else { "database-file" };
        return Some((kind, evidence.to_owned()));
    }
    if !matches!(suffix, "sql" | "dump" | "bak") {
        return None;
    }
    let seed = path.split('/').any(|part| matches!(part, "migrations" | "migration" | "seeds" | "seed" | "schema"));
    let rows = if seed { 0 } else { rows(&file.text().ok()?.text) };
    (rows >= MANY_ROWS).then(|| ("dump", format!("{rows} statements or lines of rows")))
}

fn magic(head: &[u8]) -> Option<&'static str> {
    let starts: [(&[u8], &str); 4] = [
        (b"SQLite format 3\0", "a SQLite database"),
        (b"PGDMP", "a dump by pg_dump"),
        (b"REDIS0", "a dump of Redis"),
        (b"TAPE", "a backup of SQL Server"),
    ];
    starts.iter().find(|(start, _)| head.starts_with(start)).map(|(_, words)| *words)
}

/// Statements that insert rows, and the lines of `COPY … FROM stdin`.
pub(super) fn rows(text: &str) -> usize {
    let (mut rows, mut copying) = (0, false);
    for line in text.lines() {
        if copying {
            copying = line != "\\.";
            rows += usize::from(copying);
        } else if line.starts_with("COPY ") && line.trim_end().ends_with("FROM stdin;") {
            copying = true;
        } else if line.len() > 12 && line.is_char_boundary(12) && line[..12].eq_ignore_ascii_case("insert into ") {
            // An extended insert holds many rows in one line.
            rows += 1 + line.matches("),(").count();
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_dumps() {
        assert_eq!(rows("CREATE TABLE a (x int);\nINSERT INTO a VALUES (1),(2),(3);\ninsert into a values (4);\n"), 4);
        assert_eq!(rows("COPY a FROM stdin;\n1\n2\n\\.\nSELECT 1;\n"), 2);
    }

    #[test]
    fn by_content() {
        let file = |path: &str, bytes: &[u8]| File::in_memory(path, bytes.to_vec(), true);
        let kind = |file: &File| artifact(FileId(0), file).map(|artifact| artifact.kind);
        assert_eq!(kind(&file("a/site.retry", b"db-1\n")), Some("retry"));
        assert_eq!(kind(&file("a/app.db", b"SQLite format 3\0...")), Some("database-file"));
        assert_eq!(kind(&file("a/app.db", b"key = value\n")), None);
        assert_eq!(kind(&file("a/schema.sql", b"CREATE TABLE a (x int);\n")), None);
    }
}
