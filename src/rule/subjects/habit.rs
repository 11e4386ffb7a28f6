//! Runs of Terraform, settings of Ansible, databases in files.

use crate::estate::Estate;
use crate::estate::habit::{self, AnsibleSetting, EmbeddedDatabase, Run};
use crate::estate::invocation::Invocation;
use crate::estate::task::is_test_path;
use crate::rule::subject::Row;
use crate::source::join;
use crate::subject;
use crate::text::HOLE;
use std::sync::Arc;

/// A run of Terraform.
pub(super) struct RunRow<'m> {
    estate: &'m Estate<'m>,
    run: Run<'m>,
}

impl<'m> RunRow<'m> {
    fn invocation(&self) -> &'m Invocation<'m> {
        &self.estate.invocations[self.run.at]
    }
}

subject! {
    /// A run of Terraform, `OpenTofu` or Terragrunt.
    RunRow<'m> as "tf.run" (row) {
        /// Its first word: `init`, `plan`, `apply`…
        step: Str certain => row.run.step;
        /// As one reads it.
        text: Str certain => row.invocation().command.text.replace(HOLE, "…");
        /// What it stands in.
        site: Str certain => row.invocation().site();
        /// Whether its failure stops nothing.
        tolerated: Bool certain => row.run.tolerated;
        /// Whether something that changes infrastructure or machines runs after it.
        then_changes: Bool certain => row.run.then_changes;
        /// Whether it stands among tests.
        in_tests: Bool certain => is_test_path(row.estate.documents.tree.path(row.invocation().command.loc.file));
    }
    loc => row.invocation().command.loc;
    label => "this run".to_owned();
    address => None;
    identity => row.invocation().command.text.clone();
}

/// Rows of `tf.run`.
pub(super) fn runs<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    habit::runs(estate).into_iter().map(|run| Arc::new(RunRow { estate, run }) as Row<'m>).collect()
}

/// A setting of an `ansible.cfg`.
pub(super) struct SettingRow<'m> {
    estate: &'m Estate<'m>,
    setting: AnsibleSetting<'m>,
}

impl SettingRow<'_> {
    /// How long cached facts live, in seconds; zero is forever.
    fn timeout(&self) -> i64 {
        self.setting.beside("fact_caching_timeout").trim().parse().unwrap_or(86400)
    }

    /// Whether the cache lies in the repository where Git takes it in.
    fn cache_in_git(&self) -> bool {
        let path = self.setting.beside("fact_caching_connection").trim();
        if path.is_empty() || path.starts_with(['/', '~', '$', '{']) || path.contains(':') {
            return false;
        }
        let Some(path) = join(self.setting.folder, path) else { return false };
        let ignored = |path: &str| self.estate.repository.ignores.ignores(path);
        !ignored(&path) && !ignored(&format!("{path}/x"))
    }
}

subject! {
    /// A setting of an `ansible.cfg`.
    SettingRow<'m> as "ansible.setting" (row) {
        /// Its section.
        section: Str certain => row.setting.section;
        /// Its name.
        key: Str certain => &row.setting.line.key;
        /// Its value.
        value: Str certain => &row.setting.line.value;
        /// How long the same file lets cached facts live, in seconds; 0 is forever.
        cache_timeout: Int => row.timeout();
        /// Whether the same file keeps cached facts in the repository where Git takes them in.
        cache_in_git: Bool => row.cache_in_git();
        /// When the same file lets facts be gathered; empty when it does not say.
        gathering: Str => row.setting.beside("gathering").to_owned();
    }
    loc => row.setting.loc;
    label => "this setting".to_owned();
    address => None;
    identity => format!("{} {}", row.setting.section, row.setting.line.key);
}

/// Rows of `ansible.setting`.
pub(super) fn settings<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    habit::settings(estate).into_iter().map(|setting| Arc::new(SettingRow { estate, setting }) as Row<'m>).collect()
}

/// A database in a file.
pub(super) struct EmbeddedRow<'m> {
    database: EmbeddedDatabase<'m>,
}

subject! {
    /// A database in a file that goes with its container.
    EmbeddedRow<'m> as "embedded_database" (row) {
        /// The container's name.
        container: Str certain => &row.database.container.name;
        /// The variable that names the file.
        variable: Str certain => row.database.variable;
        /// The file.
        path: Str certain => row.database.path.clone();
        /// Whether it belongs to CI or tests, or runs one command and ends.
        passing: Bool certain => row.database.container.in_ci || row.database.container.in_tests || row.database.container.oneshot();
        /// Where the container is declared.
        declaration: Loc => row.database.container.declaration;
    }
    loc => row.database.container.declaration;
    label => "this container".to_owned();
    address => None;
    identity => format!("{} {}", row.database.container.name, row.database.path);
}

/// Rows of `embedded_database`.
pub(super) fn embedded<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    habit::embedded_databases(estate)
        .into_iter()
        .map(|database| Arc::new(EmbeddedRow { database }) as Row<'m>)
        .collect()
}
