//! Files of the index that some run left behind, and files that hold data.

use super::Estate;
use super::task::is_test_path;
use crate::model::git::is_fixture;
use crate::model::kind::{self, Candidate, DATA_SUFFIXES, Kind, PACKED_SUFFIXES, WORKING, is_state_name, state};
use crate::source::{File, Unreadable, file_name, folder};
use crate::syntax::json;
use crate::syntax::yaml::Node;
use crate::text::FileId;
use std::collections::HashSet;

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
pub const KINDS: [&str; 12] = [
    "retry",
    "fact-cache",
    "crash-log",
    "socket",
    "disk-image",
    "kubeconfig",
    "database-file",
    "dump",
    "terraform-output",
    "working-folder",
    "root-filesystem",
    "inventory",
];

/// This many lines of rows make a SQL file a dump; fewer are seed data of a migration.
const MANY_ROWS: usize = 20;

/// Every artifact, in path order; of a working folder the first file.
#[must_use]
pub fn artifacts(estate: &Estate<'_>) -> Vec<Artifact> {
    let mut folders: HashSet<&str> = HashSet::new();
    let tracked = estate.documents.tree.iter().filter(|(_, file)| file.tracked && file.symlink.is_none());
    tracked
        .filter_map(|(id, file)| match working_folder(&file.path) {
            Some(folder) => folders.insert(folder).then(|| working(id, folder, &file.path)),
            None => artifact(id, file).or_else(|| generated_inventory(estate, id, file)),
        })
        .collect()
}

/// The working folder that a path lies in; a plug-in's source may have a folder of that name in vendored code.
fn working_folder(path: &str) -> Option<&str> {
    let ends = path.match_indices('/').map(|(at, _)| &path[..at]);
    ends.into_iter()
        .find(|folder| WORKING.contains(&file_name(folder)))
        .filter(|_| !path.split('/').any(|part| VENDORED.contains(&part)))
        .filter(|_| !is_state_name(&file_name(path).to_ascii_lowercase()))
}

fn working(file: FileId, folder: &str, path: &str) -> Artifact {
    let program = if file_name(folder) == WORKING[0] { "Terraform" } else { "Terragrunt" };
    let evidence = format!("in {folder}, the working folder of {program}");
    Artifact { file, kind: "working-folder", evidence, data: false, fixture: is_sample(path) }
}

/// Code that came from elsewhere.
const VENDORED: [&str; 5] = ["node_modules", "vendor", ".git", ".venv", "site-packages"];

/// Whether a path lies among tests or examples.
fn is_sample(path: &str) -> bool {
    is_fixture(path)
        || is_test_path(path)
        || folder(path).split('/').any(|part| matches!(part, "examples" | "example" | "samples" | "sample"))
}

/// An inventory whose first lines say that Terraform wrote it.
fn generated_inventory(estate: &Estate<'_>, id: FileId, file: &File) -> Option<Artifact> {
    let document = estate.documents.document(id)?;
    if !matches!(document.kind, Kind::InventoryIni | Kind::InventoryYaml) {
        return None;
    }
    let says = |line: &str| {
        let line = line.to_ascii_lowercase();
        let written = ["generated", "created", "written"].iter().any(|word| line.contains(word));
        line.starts_with(['#', ';'])
            && written
            && ["terraform", "opentofu"].iter().any(|word| line.contains(&format!("by {word}")))
    };
    let text = &file.text().ok()?.text;
    text.lines().map(str::trim).take(8).any(says).then(|| Artifact {
        file: id,
        kind: "inventory",
        evidence: "an inventory that says that Terraform wrote it".to_owned(),
        data: false,
        fixture: is_sample(&file.path),
    })
}

fn artifact(id: FileId, file: &File) -> Option<Artifact> {
    let path = &*file.path;
    let lower = file_name(path).to_ascii_lowercase();
    if folder(path).split('/').any(|part| VENDORED.contains(&part)) {
        return None;
    }
    let (kind, evidence) = runtime(path, &lower, file).or_else(|| data(path, &lower, file))?;
    let data = matches!(kind, "database-file" | "dump");
    let fixture = is_sample(path);
    Some(Artifact { file: id, kind, evidence, data, fixture })
}

/// What a run of a tool left behind.
fn runtime(path: &str, lower: &str, file: &File) -> Option<(&'static str, String)> {
    let suffix = lower.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    let within = |names: &[&str]| folder(path).split('/').any(|part| names.contains(&part));
    if suffix == "retry" {
        return Some(("retry", "the hosts on which a play failed".to_owned()));
    }
    let cached = within(&[".fact_cache", "fact_cache", "facts_cache", ".ansible_cache"]);
    // A folder of that name may also hold a role's own facts: what was gathered has the names that Ansible gives.
    let gathered = || {
        within(&["ansible_facts"])
            && file.text().is_ok_and(|text| text.text.trim_start().starts_with('{') && text.text.contains("\"ansible_"))
    };
    if !lower.starts_with('.') && suffix != "md" && (cached || gathered()) {
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
    if lower.contains("rootfs")
        && [".tar.gz", ".tgz", ".tar.xz", ".tar.zst", ".squashfs"].iter().any(|end| lower.ends_with(end))
    {
        return Some(("root-filesystem", "a root file system that a build makes".to_owned()));
    }
    if suffix == "json" && printed_outputs(file) {
        return Some(("terraform-output", "what `terraform output -json` printed".to_owned()));
    }
    let cluster =
        matches!(lower, "kubeconfig" | "kubeconfig.yaml" | "kubeconfig.yml" | "admin.conf") || suffix == "kubeconfig";
    if cluster && file.text().is_ok_and(|text| text.text.contains("client-key-data:") && !text.text.contains("{{")) {
        return Some(("kubeconfig", "keys of a cluster's administrator".to_owned()));
    }
    None
}

/// Whether every member is an output as Terraform prints it: with a value, its type, and whether it is secret.
fn printed_outputs(file: &File) -> bool {
    let head = file.head();
    let head = String::from_utf8_lossy(&head);
    if !["\"sensitive\"", "\"type\"", "\"value\""].iter().all(|key| head.contains(key)) {
        return false;
    }
    let Ok(text) = file.text() else { return false };
    let json = json::parse(&text.text);
    let outputs = json.root().map(Node::entries).unwrap_or_default();
    let output = |output: Node<'_>| {
        let has = |key: &str| output.get(key).is_some();
        output.is_map() && output.entries().len() == 3 && has("sensitive") && has("type") && has("value")
    };
    json.errors.is_empty() && !outputs.is_empty() && outputs.into_iter().all(|(_, node)| output(node))
}

/// Of these suffixes nobody keeps anything but data, so that a pointer of Git LFS tells enough.
const SURELY_DATA: [&str; 8] = ["sqlite", "sqlite3", "db3", "rdb", "aof", "pgdump", "ibd", "accdb"];

/// Data that an application or database wrote, by content: a name alone proves nothing.
fn data(path: &str, lower: &str, file: &File) -> Option<(&'static str, String)> {
    if matches!(kind::by_path(path), Candidate::Is(_)) {
        return None;
    }
    let (name, suffix) = lower.rsplit_once('.').unwrap_or((lower, ""));
    if PACKED_SUFFIXES.contains(&suffix) {
        return packed(path, name, file);
    }
    let (_, dump) = DATA_SUFFIXES.iter().find(|(known, _)| *known == suffix)?;
    let kind = if *dump { "dump" } else { "database-file" };
    let head = file.head();
    if let Some(evidence) = magic(&head) {
        return Some((kind, evidence.to_owned()));
    }
    if let Some(bytes) = state::pointer_size(&head).filter(|_| SURELY_DATA.contains(&suffix)) {
        return Some((kind, format!("{bytes} bytes of a database, by way of Git LFS")));
    }
    if !matches!(suffix, "sql" | "dump" | "bak" | "backup") {
        return None;
    }
    if of_schema(path) {
        return None;
    }
    let (rows, more) = rows_of(file)?;
    let dumped =
        ["-- PostgreSQL database dump", "-- MySQL dump", "-- MariaDB dump"].iter().any(|mark| contains(&head, mark));
    let enough = if dumped { 1 } else { MANY_ROWS };
    let least = if more { "at least " } else { "" };
    (rows >= enough).then(|| ("dump", format!("{least}{rows} row{}", if rows == 1 { "" } else { "s" })))
}

/// Whether a path says that the schema is in it, or what every installation begins with.
fn of_schema(path: &str) -> bool {
    let says = |part: &str| {
        matches!(part, "migrations" | "migration" | "migrate" | "seeds" | "seed" | "schema" | "structure.sql")
    };
    let name = file_name(path).to_ascii_lowercase();
    path.split('/').any(says) || ["seed", "populate", "fixture"].iter().any(|word| name.contains(word))
}

/// A packed SQL file of so many bytes holds more than a schema.
const MORE_THAN_A_SCHEMA: usize = 16 << 10;

/// Data that is packed: by the suffix below that of the packer, and by the packer's first bytes.
fn packed(path: &str, name: &str, file: &File) -> Option<(&'static str, String)> {
    let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    let (_, dump) = DATA_SUFFIXES.iter().find(|(known, _)| *known == suffix)?;
    let marks: [&[u8]; 6] =
        [b"\x1F\x8B", b"\xFD7zXZ\0", b"\x28\xB5\x2F\xFD", b"BZh", b"\x04\x22\x4D\x18", b"PK\x03\x04"];
    let beginning = file.beginning(MORE_THAN_A_SCHEMA);
    if !marks.iter().any(|mark| beginning.starts_with(mark)) {
        return None;
    }
    let of_schema = of_schema(path) || ["schema", "structure", "ddl"].iter().any(|word| name.contains(word));
    if suffix == "sql" && (of_schema || beginning.len() < MORE_THAN_A_SCHEMA) {
        return None;
    }
    let evidence = if suffix == "sql" { "a packed dump, too large for a schema" } else { "packed data" };
    Some((if *dump { "dump" } else { "database-file" }, evidence.to_owned()))
}

fn contains(bytes: &[u8], needle: &str) -> bool {
    memchr::memmem::find(bytes, needle.as_bytes()).is_some()
}

/// How many rows a file inserts, and whether it has more that were not read.
fn rows_of(file: &File) -> Option<(usize, bool)> {
    const BEGINNING: usize = 1 << 20;
    match file.text() {
        Ok(text) => Some((rows(&text.text), false)),
        Err(Unreadable::TooLarge(_)) => Some((rows(&String::from_utf8_lossy(&file.beginning(BEGINNING))), true)),
        Err(_) => None,
    }
}

/// What the first bytes of a file show.
fn magic(head: &[u8]) -> Option<&'static str> {
    let marks: [(usize, &[u8], &str); 10] = [
        (0, b"SQLite format 3\0", "a SQLite database"),
        (0, b"PGDMP", "a dump by pg_dump"),
        (0, b"REDIS0", "a dump of Redis"),
        (0, b"*2\r\n$6\r\nSELECT", "the log of writes of Redis"),
        (0, b"TAPE", "a backup of SQL Server"),
        (4, b"Standard Jet DB", "an Access database"),
        (4, b"Standard ACE DB", "an Access database"),
        (16, b"\xED\xDA\x0C\xED", "a snapshot of etcd or another bbolt database"),
        // A document begins with its length, and those of a collection with their key.
        (4, b"\x07_id\0", "a dump by mongodump"),
        (24, b"\0\x08\0\0\0\0\0\0", "a tablespace of InnoDB"),
    ];
    let found = marks.iter().find(|(at, mark, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
    found.map(|(.., words)| *words)
}

/// Tables in which tools that migrate a schema keep what they have done.
const BOOKKEEPING: [&str; 6] = [
    "schema_migrations",
    "ar_internal_metadata",
    "flyway_schema_history",
    "alembic_version",
    "databasechangelog",
    "goose_db_version",
];

/// Statements that insert rows, and the lines of `COPY … FROM stdin`.
pub(super) fn rows(text: &str) -> usize {
    let (mut rows, mut copying) = (0, false);
    let bookkeeping = |line: &str| {
        let into = line.get(..80.min(line.len())).unwrap_or("").to_ascii_lowercase();
        BOOKKEEPING.iter().any(|table| into.contains(table))
    };
    for line in text.lines() {
        if copying {
            copying = line != "\\.";
            rows += usize::from(copying);
        } else if line.starts_with("COPY ") && line.trim_end().ends_with("FROM stdin;") {
            copying = !bookkeeping(line);
        } else if line.len() > 12
            && line.is_char_boundary(12)
            && line[..12].eq_ignore_ascii_case("insert into ")
            && !bookkeeping(line)
        {
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
        assert_eq!(
            rows("INSERT INTO \"schema_migrations\" VALUES ('1');\nCOPY public.schema_migrations (v) FROM stdin;\n"),
            0
        );
    }

    #[test]
    fn by_content() {
        let file = |path: &str, bytes: &[u8]| File::in_memory(path, bytes.to_vec(), true);
        let kind = |file: &File| artifact(FileId(0), file).map(|artifact| artifact.kind);
        assert_eq!(kind(&file("a/site.retry", b"db-1\n")), Some("retry"));
        assert_eq!(kind(&file("a/app.db", b"SQLite format 3\0...")), Some("database-file"));
        assert_eq!(kind(&file("ansible_facts/db-1", b"{\"ansible_hostname\": \"db-1\"}")), Some("fact-cache"));
        assert_eq!(kind(&file("ansible_facts/main.tf", b"output \"ansible_hosts\" {}\n")), None);
        assert_eq!(kind(&file("db/populateDB.sql", "INSERT INTO a VALUES (1);\n".repeat(40).as_bytes())), None);
        assert_eq!(kind(&file("a/app.db", b"key = value\n")), None);
        assert_eq!(kind(&file("a/schema.sql", b"CREATE TABLE a (x int);\n")), None);
        assert_eq!(kind(&file("a/prod.backup", b"PGDMP\x01\x0e")), Some("dump"));
        assert_eq!(kind(&file("a/users.bson", b"\x40\0\0\0\x07_id\0")), Some("dump"));
        assert_eq!(kind(&file("a/dump.rdb", b"REDIS0011")), Some("database-file"));
        assert_eq!(
            kind(&file("a/prod.sql", b"-- PostgreSQL database dump\nCOPY a FROM stdin;\n1\n\\.\n")),
            Some("dump")
        );
        assert_eq!(kind(&file("db/structure.sql", b"-- PostgreSQL database dump\nINSERT INTO a VALUES (1);\n")), None);
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 900\n";
        assert_eq!(kind(&file("a/app.sqlite3", pointer)), Some("database-file"));
        assert_eq!(kind(&file("a/app.db", pointer)), None);
        let outputs = b"{\"ip\": {\"sensitive\": false, \"type\": \"string\", \"value\": \"10.0.0.1\"}}";
        assert_eq!(kind(&file("a/infra.json", outputs)), Some("terraform-output"));
        assert_eq!(kind(&file("a/x.json", b"{\"a\": {\"type\": 1, \"value\": 2}, \"sensitive\": 1}")), None);
        let mut large = b"-- MySQL dump 10.13\nINSERT INTO a VALUES (1),(2);\n".to_vec();
        large.resize(5 << 20, b'\n');
        assert_eq!(kind(&file("a/large.sql", &large)), Some("dump"));
    }

    #[test]
    fn packed_by_their_first_bytes() {
        let kind = |path: &str, begin: &[u8], bytes: usize| {
            let mut content = begin.to_vec();
            content.resize(bytes, 7);
            artifact(FileId(0), &File::in_memory(path, content, true)).map(|artifact| artifact.kind)
        };
        let gzip = b"\x1F\x8B\x08";
        assert_eq!(kind("backup/shop.sql.gz", gzip, 40 << 10), Some("dump"));
        assert_eq!(kind("backup/shop.sql.xz", b"\xFD7zXZ\0", 40 << 10), Some("dump"));
        assert_eq!(kind("backup/app.sqlite3.gz", gzip, 900), Some("database-file"));
        assert_eq!(kind("backup/shop.dump.zst", b"\x28\xB5\x2F\xFD", 900), Some("dump"));
        // As small as a schema, named as one, no packer's bytes, no data.
        assert_eq!(kind("db/shop.sql.gz", gzip, 900), None);
        assert_eq!(kind("db/schema.sql.gz", gzip, 40 << 10), None);
        assert_eq!(kind("db/migrations/004.sql.gz", gzip, 40 << 10), None);
        assert_eq!(kind("db/shop.sql.gz", b"version https://git-lfs", 40 << 10), None);
        assert_eq!(kind("dist/app.js.gz", gzip, 40 << 10), None);
    }
}
