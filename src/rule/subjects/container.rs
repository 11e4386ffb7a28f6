//! Containers, whoever declares them.

use crate::estate::Estate;
use crate::estate::container::Container;
use crate::rule::subject::Row;
use crate::subject;
use std::sync::Arc;

/// A container.
pub(super) struct ContainerRow<'m> {
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
        /// Whether it belongs to CI.
        in_ci: Bool certain => row.container.in_ci;
        /// Whether it belongs to tests.
        in_tests: Bool certain => row.container.in_tests;
        /// Whether it runs one command and ends.
        oneshot: Bool certain => row.container.oneshot();
        /// What declares it.
        declared: Word(&["compose", "text", "terraform", "ansible", "command", "quadlet", "nomad", "kubernetes"]) certain => row.container.declared.as_str();
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
    estate.containers.iter().map(|container| Arc::new(ContainerRow { container }) as Row<'m>).collect()
}
