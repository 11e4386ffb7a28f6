//! Jobs of Nomad, as far as they say where containers keep what they write.

use super::kind::Kind;
use super::load::{Document, Documents};
use super::terraform::{self, BlockView, SourceKind, Terraform};
use crate::text::{FileId, Loc};
use crate::value::Value;

/// A task of a job that keeps running.
#[derive(Debug)]
pub struct Task {
    /// The job's name.
    pub job: String,
    /// The task's name.
    pub name: String,
    /// The header of the task's block.
    pub loc: Loc,
    /// What runs it (`docker`, `podman`, `exec`…).
    pub driver: Value,
    /// The driver's configuration.
    pub config: Value,
    /// Environment variables.
    pub env: Value,
    /// What it mounts of its group's volumes.
    pub mounts: Vec<Mount>,
}

/// A volume of a group that a task mounts.
#[derive(Debug)]
pub struct Mount {
    /// The path in the task.
    pub destination: Value,
    /// `host` or `csi`; absent when the group declares no such volume.
    pub kind: Value,
    /// The volume's name in the cluster.
    pub source: Value,
    /// Where it is mounted.
    pub loc: Loc,
}

/// Every task of every job file that is there to serve.
#[must_use]
pub fn tasks(documents: &Documents<'_>) -> Vec<Task> {
    documents.of(&[Kind::Nomad]).flat_map(|document| of_file(documents, document)).collect()
}

fn of_file(documents: &Documents<'_>, document: &Document) -> Vec<Task> {
    let Some(tree) = document.hcl() else { return Vec::new() };
    let path = documents.tree.path(document.file);
    // A job file stands alone: its variables are its own. Nomad's language is that of Terraform, with names of its own.
    let source = terraform::Source { file: document.file, path, tree, kind: SourceKind::Configuration };
    let sources = [source];
    let read = Terraform::build(&sources, terraform::Options::default(), documents.tree);
    let Some(instance) = read.tops().next() else { return Vec::new() };
    let jobs = tree.body.blocks_of("job").map(|block| read.block(instance, document.file, block));
    jobs.flat_map(|job| of_job(document.file, &job)).collect()
}

fn of_job(file: FileId, job: &BlockView<'_, '_>) -> Vec<Task> {
    if matches!(job.arg("type").as_str(), Some("batch" | "sysbatch")) {
        return Vec::new();
    }
    let name = job.label(0).unwrap_or("job");
    let mut found = Vec::new();
    for group in job.blocks("group") {
        let volumes = group.blocks("volume");
        for task in group.blocks("task") {
            // Before or behind the others, and not beside them.
            let hook = task.blocks("lifecycle");
            let once =
                hook.iter().any(|hook| !hook.arg("hook").is_absent() && hook.arg("sidecar").as_bool() != Some(true));
            if !once {
                found.push(of_task(file, name, &task, &volumes));
            }
        }
    }
    found
}

fn of_task(file: FileId, job: &str, task: &BlockView<'_, '_>, volumes: &[BlockView<'_, '_>]) -> Task {
    let block = |name: &str| {
        let found = task.blocks(name);
        found.first().map_or_else(|| task.arg(name), BlockView::to_value)
    };
    let mount = |mount: &BlockView<'_, '_>| {
        let name = mount.arg("volume").scalar();
        let volume = volumes.iter().find(|volume| volume.label(0) == name.as_deref());
        let of_volume = |key: &str| volume.map(|volume| volume.arg(key)).unwrap_or_default();
        Mount {
            destination: mount.arg("destination"),
            kind: of_volume("type"),
            source: of_volume("source"),
            loc: mount.loc,
        }
    };
    Task {
        job: job.to_owned(),
        name: task.label(0).unwrap_or(job).to_owned(),
        loc: Loc { file, span: task.loc.span },
        driver: task.arg("driver"),
        config: block("config"),
        env: block("env"),
        mounts: task.blocks("volume_mount").iter().map(mount).collect(),
    }
}
