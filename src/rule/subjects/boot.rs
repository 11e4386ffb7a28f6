//! First boots of machines: what they install, what they format.

use super::terraform::ResourceRow;
use crate::estate::Estate;
use crate::estate::first_boot::{self, FirstBoot, Format};
use crate::estate::task::{is_image_path, is_test_path};
use crate::model::terraform::Resource;
use crate::rule::subject::{Fact, Row};
use crate::subject;
use std::sync::Arc;

/// The first boot of a machine.
pub(super) struct FirstBootRow<'m> {
    estate: &'m Estate<'m>,
    boot: FirstBoot<'m>,
}

impl<'m> FirstBootRow<'m> {
    fn path(&self) -> &'m str {
        self.estate.documents.tree.path(self.boot.loc.file)
    }

    /// Whether machines come and go with the load, so that nobody configures a single one.
    fn scales(&self) -> bool {
        const GROUPS: [&str; 6] =
            ["launch_template", "launch_configuration", "instance_template", "scale_set", "autoscal", "node_group"];
        self.boot.resource.as_ref().is_some_and(|resource| GROUPS.iter().any(|word| resource.ty().contains(word)))
    }
}

subject! {
    /// What a machine is told to do when it first boots (`user_data`, cloud-init), beyond letting somebody in.
    FirstBootRow<'m> as "first_boot" (row) {
        /// The machine's address, or the file.
        machine: Str certain => row.boot.resource.as_ref().map_or_else(|| row.path().to_owned(), Resource::address);
        /// Packages beyond agents, certificates and tools.
        installs: List(Str) => row.boot.installs.clone();
        /// Data services that it brings.
        services: List(Str) => row.boot.services.iter().copied().map(Fact::from).collect::<Vec<Fact<'m>>>();
        /// Whether it belongs to machines that come and go with the load (launch templates, scale sets).
        scales: Bool certain => row.scales();
        /// The argument that holds it, or the file.
        place: Loc => row.boot.place;
        /// Whether a comment says that nothing on the machine has to be kept.
        disposable: Bool certain => row.estate.is_rebuildable(row.boot.loc);
        /// Whether it stands among tests.
        in_tests: Bool certain => is_test_path(row.path());
        /// Whether it belongs to a build of images.
        in_image_build: Bool certain => is_image_path(row.path());
        /// The resource.
        resource: Node(ResourceRow) => row.boot.resource.as_ref().map(|resource| ResourceRow::new(row.estate, resource.clone()));
    }
    loc => row.boot.loc;
    label => "this machine".to_owned();
    address => row.boot.resource.as_ref().map(Resource::address);
    identity => row.boot.resource.as_ref().map_or_else(|| row.path().to_owned(), Resource::address);
    environment => row.boot.resource.as_ref().map(|resource| resource.instance.environment().to_owned());
}

/// Rows of `first_boot`.
pub(super) fn first_boots<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let boots = first_boot::first_boots(estate).into_iter();
    boots.map(|boot| Arc::new(FirstBootRow { estate, boot }) as Row<'m>).collect()
}

/// A disk that a first boot formats.
pub(super) struct FormatRow<'m> {
    estate: &'m Estate<'m>,
    format: Format,
}

subject! {
    /// A disk that a first boot partitions or formats whatever is on it (`overwrite: true`, `wipe_table: true`).
    FormatRow<'m> as "boot_format" (row) {
        /// The device.
        device: Str certain => row.format.device.clone();
        /// What does so: `disk_setup` and `fs_setup` of cloud-init, `wipe_table` and `wipe_filesystem` of Ignition.
        by: Str certain => row.format.by;
        /// Whether it stands among tests.
        in_tests: Bool certain => is_test_path(row.estate.documents.tree.path(row.format.loc.file));
        /// Whether it belongs to a build of images.
        in_image_build: Bool certain => is_image_path(row.estate.documents.tree.path(row.format.loc.file));
    }
    loc => row.format.loc;
    label => "this disk".to_owned();
    address => None;
    identity => format!("{} {}", row.format.by, row.format.device);
}

/// Rows of `boot_format`.
pub(super) fn formats<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let formats = first_boot::formats(estate).into_iter();
    formats.map(|format| Arc::new(FormatRow { estate, format }) as Row<'m>).collect()
}
