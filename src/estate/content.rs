//! What Terraform writes into the stores of applications: objects that look like data, values of secrets, content with two owners.

use super::Estate;
use super::wiring::ignores;
use crate::knowledge::services;
use crate::knowledge::terraform::{Holding, app_data};
use crate::model::terraform::Resource;
use crate::source::file_name;
use crate::text::Loc;
use crate::value::{Kind, Tri, Value};
use std::collections::HashSet;

/// An object or file of which Terraform manages the content.
pub struct Content<'m> {
    /// The resource.
    pub resource: Resource<'m, 'm>,
    /// The file or name that tells what it is.
    pub what: String,
    /// It is a dump, an archive of a database, or a database itself.
    pub dump: bool,
    /// Where that is said.
    pub loc: Loc,
}

/// The value of a secret that Terraform writes.
pub struct SecretValue<'m> {
    /// The resource.
    pub resource: Resource<'m, 'm>,
    /// The argument.
    pub argument: &'static str,
    /// Terraform makes the value itself (`random_password.db.result`).
    pub made_by: Option<String>,
    /// It stands in the files.
    pub literal: Tri,
    /// Changes of it are ignored: somebody else writes it.
    pub ignored: bool,
    /// Where it stands.
    pub loc: Loc,
}

/// Ends of names of what databases leave behind.
const DUMPS: [&str; 10] =
    [".sql", ".dump", ".bak", ".sqlite", ".sqlite3", ".rdb", ".pgdump", ".mysqldump", ".mdb", ".bson"];
/// Ends of names of tables and records.
const RECORDS: [&str; 4] = [".csv", ".parquet", ".avro", ".ndjson"];
/// Ends that only say how the rest is packed.
const PACKED: [&str; 5] = [".gz", ".xz", ".bz2", ".zst", ".zip"];
/// Schemas and settings with the names of dumps.
const SCHEMA: [&str; 8] = ["schema", "init", "migration", "migrations", "grants", "ddl", "query", "queries"];
/// Archives, and the words by which one is known to hold what something looked like once.
const ARCHIVES: [&str; 4] = [".tar", ".tgz", ".tar.zst", ".7z"];
const COPIES: [&str; 4] = ["backup", "backups", "dump", "dumps"];

/// Every object that looks like data, once for each declaration.
#[must_use]
pub fn contents<'m>(estate: &'m Estate<'m>) -> Vec<Content<'m>> {
    let mut seen: HashSet<Loc> = HashSet::new();
    let mut found = Vec::new();
    for resource in estate.terraform.resources() {
        if app_data(resource.ty()).and_then(|row| row.holds) != Some(Holding::Object) {
            continue;
        }
        let data = if resource.ty() == "docker_container" { uploaded(&resource) } else { object(&resource) };
        if let Some((what, dump, loc)) = data
            && seen.insert(loc)
        {
            found.push(Content { resource, what, dump, loc });
        }
    }
    found
}

/// What an object's source, else its name, says that it is.
fn object(resource: &Resource<'_, '_>) -> Option<(String, bool, Loc)> {
    // What a program reads once, and no application changes: it is written where it is used.
    for argument in ["source", "file", "key", "name"] {
        let Some((file, attribute)) = resource.decl.decl.attribute(argument) else { continue };
        let value = resource.arg(argument);
        let loc = Loc { file, span: attribute.name_span.to(attribute.value.span) };
        if let Some((what, dump)) = value.scalar().and_then(|text| looks_like_data(&text)) {
            return Some((what, dump, loc));
        }
    }
    None
}

/// A file that is put into a data directory of a container.
fn uploaded(resource: &Resource<'_, '_>) -> Option<(String, bool, Loc)> {
    resource.blocks("upload").into_iter().find_map(|block| {
        let path = block.arg("file").scalar()?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        services::by_path(folder)?;
        Some((path.to_string(), looks_like_data(&path).is_some_and(|(_, dump)| dump), block.loc))
    })
}

/// The name of a file of data, and whether it is a dump.
fn looks_like_data(path: &str) -> Option<(String, bool)> {
    let name = file_name(path).to_lowercase();
    let bare = PACKED.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let ends = |list: &[&str]| list.iter().any(|end| bare.ends_with(end) && bare.len() > end.len());
    let words = || bare.split(|c: char| !c.is_ascii_alphanumeric());
    let copy = || ends(&ARCHIVES) && words().any(|word| COPIES.contains(&word));
    let dump = ends(&DUMPS) || copy();
    if !dump && !ends(&RECORDS) || words().any(|word| SCHEMA.contains(&word) || word.ends_with("schema")) {
        return None;
    }
    Some((file_name(path).to_owned(), dump))
}

/// Values that stand in until the true one is put there.
const PLACEHOLDERS: [&str; 12] = [
    "change",
    "placeholder",
    "dummy",
    "replace",
    "todo",
    "tbc",
    "tbd",
    "example",
    "default",
    "override",
    "empty",
    "initial",
];

/// Every value of a secret that Terraform writes, once for each declaration.
#[must_use]
pub fn secret_values<'m>(estate: &'m Estate<'m>) -> Vec<SecretValue<'m>> {
    let mut seen: HashSet<Loc> = HashSet::new();
    let mut found = Vec::new();
    for resource in estate.terraform.resources() {
        let Some(row) = app_data(resource.ty()).filter(|row| row.holds == Some(Holding::Secret)) else { continue };
        if !is_secret(&resource).is_true() {
            continue;
        }
        for argument in &row.inspect {
            let Some((file, attribute)) = resource.decl.decl.attribute(argument) else { continue };
            let value = resource.arg(argument);
            let loc = Loc { file, span: attribute.name_span.to(attribute.value.span) };
            let written = estate.documents.tree.slice(Loc { file, span: attribute.value.span });
            if value.is_absent() || is_placeholder(&value) || is_name(written) || !seen.insert(loc) {
                continue;
            }
            found.push(SecretValue {
                argument,
                made_by: made_by(estate, &resource, argument),
                literal: literal(&value),
                ignored: ignores(resource.decl, argument),
                loc,
                resource: resource.clone(),
            });
        }
    }
    found
}

/// Whether such a resource holds a secret in this case: parameters are of several kinds, and what a cluster makes itself is its own.
fn is_secret(resource: &Resource<'_, '_>) -> Tri {
    match resource.ty() {
        "aws_ssm_parameter" => resource.arg("type").equals(&"SecureString".into()),
        ty if ty.starts_with("kubernetes_secret") => {
            let kind = resource.arg("type");
            let opaque = kind.is_absent().into();
            Tri::or(opaque, || kind.equals(&"Opaque".into()))
        }
        _ => Tri::True,
    }
}

/// Whether an expression is nothing but what an object is called or where it is reached.
fn is_name(written: &str) -> bool {
    const NAMES: [&str; 10] =
        ["id", "arn", "name", "user", "user_name", "username", "endpoint", "address", "fqdn", "port"];
    let plain = written.chars().all(|c| c.is_alphanumeric() || "._-[]*\"".contains(c));
    plain && written.rsplit_once('.').is_some_and(|(_, last)| NAMES.contains(&last))
}

/// Whether nothing secret can be in it: an empty one, or one that waits for the true one.
fn is_placeholder(value: &Value) -> bool {
    match &value.kind {
        Kind::Known(_) => {
            let text = value.display().to_lowercase();
            is_empty(&text) || PLACEHOLDERS.iter().any(|word| text.contains(word)) || has_no_member(value)
        }
        _ => false,
    }
}

/// Nothing at all, in words or in JSON (`{"": ""}`).
fn is_empty(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || "{}[]\":,".contains(c))
}

fn has_no_member(value: &Value) -> bool {
    value.as_map().is_some_and(|map| map.entries.is_empty() && map.open.is_none())
}

/// Members of a value deeper than this are not looked at.
const MAX_DEPTH: usize = 8;

/// Whether all of a value stands in the files, and there is anything in it.
fn literal(value: &Value) -> Tri {
    fn within(value: &Value, depth: usize) -> Tri {
        if depth > MAX_DEPTH {
            return Tri::False;
        }
        let members: Vec<&Value> = match (value.as_map(), value.as_list()) {
            (Some(map), _) if map.open.is_none() => map.entries.iter().map(|(_, member)| member).collect(),
            (_, Some(list)) if list.open.is_none() => list.items.iter().collect(),
            (None, None) => return matches!(value.kind, Kind::Known(_)).into(),
            _ => return Tri::False,
        };
        members.into_iter().fold(Tri::True, |so_far, member| so_far.and(|| within(member, depth + 1)))
    }
    within(value, 0)
}

/// The resource of Terraform whose result the value is.
fn made_by<'m>(estate: &'m Estate<'m>, resource: &Resource<'m, 'm>, argument: &str) -> Option<String> {
    // A `random_string` is as often a part of a name.
    const MAKERS: [&str; 4] = ["random_password", "random_bytes", "tls_private_key", "google_service_account_key"];
    let referred = estate.terraform.referred(resource, argument);
    referred
        .into_iter()
        .filter_map(|declaration| estate.terraform.type_of(declaration))
        .find(|ty| MAKERS.contains(ty) || ty.ends_with("_access_key"))
        .map(str::to_owned)
}

/// Content that Terraform writes first and somebody else from then on.
pub struct Shared<'m> {
    /// The resource.
    pub resource: Resource<'m, 'm>,
    /// The argument of which changes are ignored.
    pub argument: &'static str,
    /// Whether a comment or tag names who owns it.
    pub explained: bool,
    /// Where the argument stands.
    pub loc: Loc,
}

/// Every content that Terraform declares and of which it ignores changes, once for each declaration.
#[must_use]
pub fn shared<'m>(estate: &'m Estate<'m>) -> Vec<Shared<'m>> {
    let mut seen: HashSet<Loc> = HashSet::new();
    let mut found = Vec::new();
    for resource in estate.terraform.resources() {
        let Some(row) = app_data(resource.ty()).filter(|row| !row.inspect.is_empty()) else { continue };
        // Images and file names are no content.
        let argument = row.inspect.iter().find(|argument| {
            !matches!(argument.as_str(), "filename" | "upload" | "name" | "key") && ignores(resource.decl, argument)
        });
        let Some((argument, (file, attribute))) =
            argument.and_then(|argument| Some((argument, resource.decl.decl.attribute(argument)?)))
        else {
            continue;
        };
        let loc = Loc { file, span: attribute.name_span.to(attribute.value.span) };
        if seen.insert(loc) {
            let explained = is_explained(estate, &resource);
            found.push(Shared { resource, argument, explained, loc });
        }
    }
    found
}

/// Whether a comment, a tag or a label names an owner.
fn is_explained(estate: &Estate<'_>, resource: &Resource<'_, '_>) -> bool {
    let said = ["owner", "data"].iter().any(|key| estate.annotation(resource.loc(), key).is_some());
    let tagged = ["tags", "labels"].iter().any(|name| {
        let tags = resource.arg(name);
        tags.as_map().is_some_and(|map| map.entries.iter().any(|(key, _)| key.eq_ignore_ascii_case("owner")))
    });
    said || tagged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_data() {
        let dump = looks_like_data;
        assert_eq!(dump("backup/app.sql.gz"), Some(("app.sql.gz".to_owned(), true)));
        assert_eq!(dump("users.CSV"), Some(("users.CSV".to_owned(), false)));
        for path in
            ["lambda.zip", "schema.sql", "01-init.sql", ".sql", "index.html", "queries/query_a.sql", "app.tar.gz"]
        {
            assert!(dump(path).is_none(), "{path}");
        }
    }

    #[test]
    fn placeholders() {
        for text in ["", "{\"\": \"\"}", "CHANGE_ME", "placeholder", "to be replaced by hand"] {
            assert!(is_placeholder(&Value::known(text)), "{text}");
        }
        let holes = Value::map(vec![("token".into(), Value::unknown("var.token"))]);
        assert!(!literal(&holes).is_true() && literal(&Value::known("hunter2")).is_true());
        assert!(!is_placeholder(&Value::known("hunter2")) && !is_placeholder(&Value::unknown("var.password")));
    }
}
