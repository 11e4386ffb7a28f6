//! Packer: sources, plugins, builds, and what builds leave in images.

use super::join::MachineRow;
use crate::estate::Estate;
use crate::model::packer::{Baked, Build, Plugin, Source, Template};
use crate::rule::subject::Row;
use crate::subject;
use crate::value::Tri;
use std::sync::Arc;

/// A source.
#[derive(Clone, Copy)]
pub(super) struct SourceRow<'m> {
    estate: &'m Estate<'m>,
    source: &'m Source,
}

impl SourceRow<'_> {
    /// The machine of Terraform that it copies, and whether it copies one at all.
    fn copied(&self) -> (Tri, Option<usize>) {
        let clone = self.source.clone_of();
        if clone.is_absent() {
            return (Tri::False, None);
        }
        let Some(data) = clone.data() else {
            return (Tri::Unknown(clone.reason().unwrap_or_else(|| "what it copies is not known".into())), None);
        };
        let is = |at: &usize| {
            let machine = self.estate.machines.get(*at);
            machine
                .is_some_and(|machine| machine.names.iter().chain(&machine.ids).any(|name| name.equals(data).is_true()))
        };
        let found = (0..self.estate.machines.len()).find(is);
        (found.is_some().into(), found)
    }
}

subject! {
    /// A source (JSON: builder) of a Packer template, or a data source that looks an image up.
    SourceRow<'m> as "packer.source" (row) {
        /// The builder: `proxmox-clone`, `docker`…
        builder: Str certain => &row.source.builder;
        /// Its name.
        name: Str certain => &row.source.name;
        /// Its address.
        address: Str certain => &row.source.address;
        /// What it starts from.
        base: Dyn => row.source.base();
        /// The checksum of what it downloads.
        checksum: Dyn => row.source.checksum();
        /// Whether it is fetched from elsewhere, and not a file that somebody brings.
        downloads: Bool => row.source.downloads();
        /// Whether nothing checks what it starts from.
        checksum_none: Bool => row.source.checksum_none();
        /// Whether the base changes without a commit.
        floating: Bool => row.source.floating();
        /// Whether the newest of several images is taken.
        most_recent: Bool => row.source.most_recent();
        /// Whether it copies a machine that Terraform declares.
        clones_guest: Bool => row.copied().0;
        /// That machine.
        machine: Node(MachineRow) => row.copied().1.map(|at| MachineRow::new(row.estate, at));
        /// The machine or disk that it copies.
        clone: Dyn => row.source.clone_of();
        /// Whether its builder only works on a machine that exists.
        mutates_machine: Bool certain => row.source.mutates_machine();
        /// What the artefact is called.
        artefact: Dyn => row.source.artefact();
        /// Whether an artefact of the same name is deleted by order.
        replaces_artefact: Bool => row.source.replaces_artefact();
        /// Whether the artefact is always called the same.
        constant_name: Bool => row.source.constant_name();
        /// The argument that names what it copies.
        clone_place: Loc => row.source.clone_place();
        /// The argument that makes the base float.
        floating_place: Loc => row.source.floating_place();
        /// The checksum, else what it downloads.
        checksum_place: Loc => row.source.checksum_place();
        /// The argument that replaces or names the artefact.
        artefact_place: Loc => row.source.artefact_place();
    }
    loc => row.source.loc;
    label => "this source".to_owned();
    address => Some(row.source.address.clone());
    identity => row.source.address.clone();
}

/// Rows of `packer.source`.
pub(super) fn sources<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let every = estate.packer.templates.iter().flat_map(|template| template.sources.iter().chain(&template.data));
    every.map(|source| Arc::new(SourceRow { estate, source }) as Row<'m>).collect()
}

/// A plugin.
pub(super) struct PluginRow<'m> {
    plugin: &'m Plugin,
}

subject! {
    /// A plugin that a Packer template requires.
    PluginRow<'m> as "packer.plugin" (row) {
        /// The name that the template gives it.
        name: Str certain => &row.plugin.name;
        /// The version constraint.
        version: Dyn => &row.plugin.version;
        /// Whether the version may change without a commit.
        floating: Bool => row.plugin.floating();
        /// The constraint, else the plugin's entry.
        place: Loc => row.plugin.loc;
    }
    loc => row.plugin.loc;
    label => "this plugin".to_owned();
    address => None;
    identity => row.plugin.name.to_string();
}

/// Rows of `packer.plugin`.
pub(super) fn plugins<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let every = estate.packer.templates.iter().flat_map(|template| &template.plugins);
    every.map(|plugin| Arc::new(PluginRow { plugin }) as Row<'m>).collect()
}

/// A build.
#[derive(Clone, Copy)]
pub(super) struct BuildRow<'m> {
    estate: &'m Estate<'m>,
    template: &'m Template<'m>,
    build: &'m Build,
}

subject! {
    /// A build of a Packer template.
    BuildRow<'m> as "packer.build" (row) {
        /// Its name, else its first source.
        label: Str certain => row.build.label();
        /// Its first source.
        source: Node(SourceRow) => row.template.sources_of(row.build).next().map(|source| SourceRow { estate: row.estate, source });
        /// Whether every machine made from the image has the same machine id.
        keeps_machine_id: Bool => row.template.keeps_machine_id(row.build);
        /// Whether every machine made from the image has the same SSH host keys.
        keeps_host_keys: Bool => row.template.keeps_host_keys(row.build);
        /// What surely stays, in words.
        kept: Str => row.template.kept(row.build);
    }
    loc => row.build.loc;
    label => "this build".to_owned();
    address => None;
    identity => row.build.label();
}

/// Rows of `packer.build`.
pub(super) fn builds<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    estate.packer.builds().map(|(template, build)| Arc::new(BuildRow { estate, template, build }) as Row<'m>).collect()
}

/// Something personal in an image.
pub(super) struct BakedRow<'m> {
    build: BuildRow<'m>,
    baked: Baked,
}

subject! {
    /// A command by which a build puts a user, key, password or privilege into an image.
    BakedRow<'m> as "packer.baked" (row) {
        /// What it puts there.
        what: Word(&["user", "key", "password", "privilege"]) certain => row.baked.what.label();
        /// The user, when the command names one.
        user: Str => row.baked.user.as_deref().map(str::to_owned);
        /// The command.
        text: Str => row.baked.text.to_string();
        /// The build that runs it.
        build: Node(BuildRow) => row.build;
    }
    loc => row.baked.loc;
    label => "this command".to_owned();
    address => None;
    identity => row.baked.text.to_string();
}

/// Rows of `packer.baked`.
pub(super) fn baked<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let mut rows: Vec<Row<'m>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (template, build) in estate.packer.builds() {
        let row = BuildRow { estate, template, build };
        for baked in template.bakes(build) {
            // A script that several builds run is told once.
            if seen.insert(baked.loc) {
                rows.push(Arc::new(BakedRow { build: row, baked }));
            }
        }
    }
    rows
}
