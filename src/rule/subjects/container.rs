//! Containers, whoever declares them.

use crate::estate::Estate;
use crate::estate::cluster::{self, Reclaim};
use crate::estate::container::Container;
use crate::rule::subject::Row;
use crate::subject;
use crate::value::Value;
use std::sync::Arc;

/// A container.
pub(super) struct ContainerRow<'m> {
    estate: &'m Estate<'m>,
    container: &'m Container,
}

subject! {
    /// A container that a compose file or text, a task, a resource or a unit declares.
    ContainerRow<'m> as "container" (row) {
        /// Its name.
        name: Str certain => &row.container.name;
        /// Its image, as written.
        image: Dyn => &row.container.image;
        /// The data service that the image is; empty when it is none that is known.
        service: Str => row.container.service().map_or("", |service| service.label.as_str());
        /// What losing its data loses.
        data: Dyn => row.container.data();
        /// Whether the image is whatever is newest.
        floating: Bool => row.container.floating();
        /// Whether the image is pinned by digest.
        pinned: Bool => row.container.pinned();
        /// The first data directory that lies on no durable mount.
        unmounted: Dyn => row.container.unmounted().directory;
        /// What that directory lies on: `none`, `anonymous`, `memory`, `empty-dir`, or a durable kind.
        mount_kind: Dyn => row.container.unmounted().kind;
        /// Where the durable mount of its data is declared.
        mount: Loc => row.container.unmounted().mount;
        /// Where a lasting mount is that holds nothing of the data, while the data lies on none.
        misplaced: Loc => row.container.misplaced().map(|mount| mount.loc);
        /// The path of that mount.
        misplaced_path: Dyn => row.container.misplaced().map(|mount| mount.target.clone());
        /// The directory that its files are written to in the end.
        writes_to: Dyn => row.container.writes_to().map(|path| Value::known(path.as_str()));
        /// The kind of the object of Kubernetes that makes it; empty for others.
        workload: Str certain => row.container.workload;
        /// How many of it that object makes.
        members: Dyn => &row.container.members;
        /// Whether a comment says that its data can be made again.
        rebuildable: Bool certain => row.estate.is_rebuildable(row.container.declaration);
        /// Whether it belongs to CI.
        in_ci: Bool certain => row.container.in_ci;
        /// Whether it belongs to tests.
        in_tests: Bool certain => row.container.in_tests;
        /// Whether it runs one command and ends.
        oneshot: Bool certain => row.container.oneshot();
        /// What declares it.
        declared: Word(&["compose", "text", "terraform", "ansible", "command", "quadlet", "nomad", "ecs", "kubernetes"]) certain => row.container.declared.as_str();
        /// Where it is declared.
        declaration: Loc => row.container.declaration;
        /// Where its image is named.
        image_place: Loc => row.container.image_place;
    }
    loc => row.container.declaration;
    label => "this container".to_owned();
    address => row.container.address.clone();
    identity => format!("{} {}", row.container.name, row.container.image.display());
}

/// Rows of `container`.
pub(super) fn containers<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    estate.containers.iter().map(|container| Arc::new(ContainerRow { estate, container }) as Row<'m>).collect()
}

/// A policy of volumes.
pub(super) struct ReclaimRow<'m> {
    estate: &'m Estate<'m>,
    reclaim: Reclaim,
}

subject! {
    /// What becomes of volumes of a cluster when their claims are deleted.
    ReclaimRow<'m> as "reclaim" (row) {
        /// What declares it.
        kind: Word(&["StorageClass", "PersistentVolume", "StatefulSet"]) certain => row.reclaim.kind;
        /// The object's name.
        name: Str certain => row.reclaim.name.clone();
        /// The argument.
        argument: Str certain => row.reclaim.argument;
        /// Its value; absent when the default holds.
        policy: Dyn => row.reclaim.policy.clone();
        /// The data service that is seen to keep its data there; empty when none is.
        used_by: Str certain => row.reclaim.used_by.clone().unwrap_or_default();
        /// Whether it stands among tests.
        in_tests: Bool certain => row.reclaim.in_tests;
        /// Whether its environment is thrown away.
        ephemeral: Bool certain => (row.estate.ephemeral)(row.estate.documents.tree.path(row.reclaim.loc.file));
    }
    loc => row.reclaim.loc;
    label => "this policy".to_owned();
    address => row.reclaim.address.clone();
    identity => format!("{} {} {}", row.reclaim.kind, row.reclaim.name, row.reclaim.argument);
}

/// Rows of `reclaim`.
pub(super) fn reclaims<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    cluster::reclaims(estate).into_iter().map(|reclaim| Arc::new(ReclaimRow { estate, reclaim }) as Row<'m>).collect()
}
