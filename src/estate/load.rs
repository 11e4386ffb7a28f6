//! Rows that Ansible writes through modules of databases and applications.

use super::Estate;
use crate::model::ansible::{Task, Turn};
use crate::text::HOLE;
use crate::value::Value;
use regex::Regex;
use std::sync::LazyLock;

/// Modules that run a text in a database, and the arguments that hold it.
const STATEMENTS: [(&str, &[&str]); 6] = [
    ("postgresql_query", &["query"]),
    ("mysql_query", &["query"]),
    ("mssql_script", &["script"]),
    ("mongodb_shell", &["eval"]),
    ("sqlite_query", &["query"]),
    ("clickhouse_client", &["execute"]),
];

/// Statements that write rows or documents. Words inside others (`select … for update`) are not at the beginning of any.
static WRITES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let sql =
        r"(?:^|;)\s*(?:insert\s+into|update\s+\S+\s+set|delete\s+from|truncate\b|replace\s+into|copy\s+\S+\s+from)";
    let documents = r"\.(?:insert(?:one|many)?|update(?:one|many)?|replaceone|delete(?:one|many)|remove)\(";
    Regex::new(&format!("(?i){sql}|{documents}")).ok()
});

/// Tables of the database itself: who may log in, what is installed.
const OWN_TABLES: [&str; 8] =
    ["mysql.", "pg_catalog", "information_schema", "sys.", "performance_schema", "system.users", "pg_", "admin."];

/// The statement or fixture by which a task writes rows, in any turn of its loop.
pub fn loads<'m>(estate: &Estate<'m>, task: &Task<'m>) -> Option<String> {
    let short = task.short();
    if short == "django_manage" {
        return estate.ansible.in_turns(task, fixture).into_iter().flatten().next();
    }
    let (_, arguments) = STATEMENTS.iter().find(|(module, _)| *module == short)?;
    let written = |turn: &Turn<'_, '_, '_>| {
        let given = arguments.iter().map(|name| turn.argument(name)).find(|value| !value.is_absent())?;
        let texts = given.as_list().map_or_else(|| vec![given.clone()], |list| list.items.clone());
        texts.iter().find_map(statement)
    };
    estate.ansible.in_turns(task, written).into_iter().flatten().next()
}

fn fixture(turn: &Turn<'_, '_, '_>) -> Option<String> {
    let command = turn.argument("command");
    let command = command.as_str()?;
    command.starts_with("loaddata").then(|| command.to_owned())
}

fn statement(value: &Value) -> Option<String> {
    let text = value.display();
    let found = WRITES.as_ref()?.find(&text)?;
    let rest = text.get(found.start()..)?.trim_start_matches([';', ' ', '\n']);
    if OWN_TABLES
        .iter()
        .any(|own| rest.to_ascii_lowercase().split_whitespace().take(4).any(|word| word.starts_with(own)))
    {
        return None;
    }
    let shown: Vec<&str> = rest.split_whitespace().take(6).collect();
    Some(shown.join(" ").replace(HOLE, "…"))
}
