//! Runs of Terraform, settings of Ansible, databases in files.

use crate::estate::Estate;
use crate::estate::fact_cache::{self, FactCache};
use crate::estate::habit::{self, AnsibleSetting, EmbeddedDatabase, Run};
use crate::estate::invocation::Invocation;
use crate::estate::task::is_test_path;
use crate::rule::subject::Row;
use crate::subject;
use crate::text::HOLE;
use crate::value::Tri;
use std::collections::HashSet;
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
    setting: AnsibleSetting<'m>,
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
    habit::settings(estate).into_iter().map(|setting| Arc::new(SettingRow { setting }) as Row<'m>).collect()
}

/// A cache of facts.
pub(super) struct FactCacheRow<'m> {
    estate: &'m Estate<'m>,
    cache: FactCache,
}

impl<'m> FactCacheRow<'m> {
    /// The cache in which a task keeps facts.
    pub(super) fn of_task(estate: &'m Estate<'m>, at: usize) -> Option<Self> {
        fact_cache::kept_by(estate, at).map(|cache| Self { estate, cache })
    }

    fn brief(&self) -> Tri {
        let day = |seconds: f64| (seconds > 0.0 && seconds <= 86400.0).into();
        let reason = || Tri::Unknown(self.cache.timeout.reason().unwrap_or_default());
        let ends = self.cache.timeout.as_number().map_or_else(reason, day);
        if self.cache.in_git(self.estate) { Tri::False } else { ends }
    }
}

subject! {
    /// A cache of facts that outlives the run, switched on by an `ansible.cfg` or by the environment of a command.
    FactCacheRow<'m> as "ansible.fact_cache" (row) {
        /// The plugin that keeps it.
        plugin: Dyn => row.cache.plugin.clone();
        /// Where it is kept.
        connection: Dyn => row.cache.connection.clone();
        /// How long facts live, in seconds; 0 is forever.
        timeout: Dyn => row.cache.timeout.clone();
        /// Whether it lies in the repository where Git takes it in.
        in_git: Bool => row.cache.in_git(row.estate);
        /// A file of it that Git holds.
        committed: Str => row.cache.committed(row.estate);
        /// Whether it ends within a day, and Git does not take it in.
        brief: Bool => row.brief();
        /// Whether a command switches it on.
        by_command: Bool certain => row.cache.playbook.is_some();
    }
    loc => row.cache.loc;
    label => "this cache".to_owned();
    address => None;
    identity => row.cache.plugin.display();
}

/// Rows of `ansible.fact_cache`, one for each place that says so.
pub(super) fn fact_caches<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let mut seen = HashSet::new();
    let caches = fact_cache::caches(estate).into_iter().filter(|cache| seen.insert(cache.loc));
    caches.map(|cache| Arc::new(FactCacheRow { estate, cache }) as Row<'m>).collect()
}

/// A database in a file.
pub(super) struct EmbeddedRow<'m> {
    estate: &'m Estate<'m>,
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
        /// Whether a comment says that its data can be made again.
        rebuildable: Bool certain => row.estate.is_rebuildable(row.database.container.declaration);
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
        .map(|database| Arc::new(EmbeddedRow { estate, database }) as Row<'m>)
        .collect()
}
