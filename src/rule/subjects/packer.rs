//! Packer: sources, plugins, builds, and what builds leave in images.

use super::join::MachineRow;
use crate::estate::Estate;
use crate::estate::image::{Baked, Content, Image, Trace, copies};
use crate::model::packer::{Plugin, Source};
use crate::rule::subject::Row;
use crate::subject;
use crate::text::Loc;
use crate::value::Tri;
use std::sync::Arc;

/// A source.
#[derive(Clone, Copy)]
pub(super) struct SourceRow<'m> {
    estate: &'m Estate<'m>,
    source: &'m Source,
}

/// Arguments by which a machine of Terraform says what it is made from.
const MADE_FROM: [&str; 9] = [
    "clone",
    "clone.vm_id",
    "ostemplate",
    "template_file_id",
    "operating_system.template_file_id",
    "ami",
    "image",
    "source_image_id",
    "boot_disk.initialize_params.image",
];

impl SourceRow<'_> {
    /// Whether a provisioner of a build works on a machine that exists.
    fn provisions_host(&self) -> Tri {
        let works = |image: &&crate::estate::image::Image<'_>| {
            let own = image.sources().any(|source| std::ptr::eq(source, self.source));
            own && image.build.provisioners.iter().any(|step| !step.on_host() && !step.applies(self.source).is_false())
        };
        let host = self.source.existing_host();
        let known = if host.is_absent() { Tri::False } else { host.has() };
        known.and(|| match host.reason() {
            Some(reason) => Tri::Unknown(reason),
            None => self.estate.images.iter().any(|image| works(&image)).into(),
        })
    }

    /// A machine of Terraform that is made from the artefact by its name.
    fn user(&self) -> Option<usize> {
        let name = self.source.artefact();
        let name = name.as_str().filter(|name| !name.is_empty())?;
        let is = |value: &str| value == name || crate::source::file_name(value).split('.').next() == Some(name);
        let made_from = |at: &usize| {
            let machine = self.estate.machines.get(*at);
            machine
                .is_some_and(|machine| MADE_FROM.iter().any(|path| machine.resource.arg(path).as_str().is_some_and(is)))
        };
        (0..self.estate.machines.len()).find(made_from)
    }

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
        /// Whether the machine that it builds on stays as one.
        keeps_machine: Bool => row.source.keeps_machine();
        /// Whether a snapshot of a disk goes into the image.
        adds_snapshot: Bool => row.source.data_snapshot().has();
        /// That snapshot.
        data_snapshot: Dyn => row.source.data_snapshot();
        /// Whether a build works on a machine that exists, and makes no image of it.
        provisions_host: Bool => row.provisions_host();
        /// That machine.
        host: Dyn => row.source.existing_host();
        /// Whether it makes volumes and no image.
        makes_volumes: Bool certain => row.source.row().is_some_and(|own| own.volumes);
        /// Whether machines of Terraform are made from the artefact's name.
        machines_use_it: Bool certain => row.user().is_some();
        /// One of them.
        user: Node(MachineRow) => row.user().map(|at| MachineRow::new(row.estate, at));
        /// What makes an image of something that runs.
        live_place: Loc => row.source.live_place();
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
    image: &'m Image<'m>,
}

impl<'m> BuildRow<'m> {
    fn remade(&self) -> Option<(&'m str, Loc)> {
        self.image.remade(Trace::MachineId).or_else(|| self.image.remade(Trace::HostKeys))
    }
}

subject! {
    /// A build of a Packer template.
    BuildRow<'m> as "packer.build" (row) {
        /// Its name, else its first source.
        label: Str certain => row.image.build.label();
        /// Its first source.
        source: Node(SourceRow) => row.image.sources().next().map(|source| SourceRow { estate: row.estate, source });
        /// Whether every machine made from the image has the same machine id.
        keeps_machine_id: Bool => row.image.keeps(Trace::MachineId);
        /// Whether every machine made from the image has the same SSH host keys.
        keeps_host_keys: Bool => row.image.keeps(Trace::HostKeys);
        /// The first source whose image surely keeps it, else the build's name.
        kept_in: Str certain => row.image.kept_in().map_or_else(|| row.image.build.label(), |source| source.address.clone());
        /// What surely stays, in words.
        kept: Str => row.image.kept();
        /// Whether it becomes a box of Vagrant.
        vagrant_box: Bool certain => row.image.is_box();
        /// Whether a step after the cleanup makes it anew.
        remakes: Bool certain => row.remade().is_some();
        /// That step.
        remade_by: Str => row.remade().map(|(text, _)| text.to_owned());
        /// Where it stands.
        remade_at: Loc => row.remade().map_or(row.image.build.loc, |(_, loc)| loc);
    }
    loc => row.image.build.loc;
    label => "this build".to_owned();
    address => None;
    identity => row.image.build.label();
}

/// Rows of `packer.build`.
pub(super) fn builds<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    estate.images.iter().map(|image| Arc::new(BuildRow { estate, image }) as Row<'m>).collect()
}

/// Something in an image that does not belong there.
pub(super) struct BakedRow<'m> {
    build: Option<BuildRow<'m>>,
    baked: Baked,
}

subject! {
    /// A step of a build, or an instruction of a Dockerfile, that puts into an image what does not belong there.
    BakedRow<'m> as "image.baked" (row) {
        /// What it puts there.
        what: Word(&Content::WORDS) certain => row.baked.what.as_str();
        /// The user or path that it is about, when that is known.
        about: Str => row.baked.about.as_deref().map(str::to_owned);
        /// What shows it: a file, or what the command does.
        evidence: Str => row.baked.evidence.as_deref().map(str::to_owned);
        /// Whether that file holds values that variables of Terraform are given, and no state.
        values: Bool certain => row.baked.evidence.as_deref().is_some_and(|path| path.contains(".tfvars"));
        /// The command, task or instruction.
        text: Str => row.baked.text.to_string();
        /// The build that runs it.
        build: Node(BuildRow) => row.build;
    }
    loc => row.baked.loc;
    label => "this step".to_owned();
    address => None;
    identity => row.baked.text.to_string();
}

/// Rows of `image.baked`.
pub(super) fn baked<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let mut rows: Vec<Row<'m>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for image in &estate.images {
        let build = BuildRow { estate, image };
        for baked in image.baked(estate.documents.tree) {
            // A script that several builds run is told once.
            if seen.insert((baked.loc, baked.what)) {
                rows.push(Arc::new(BakedRow { build: Some(build), baked }));
            }
        }
    }
    let copied = copies(estate).into_iter().filter(|baked| seen.insert((baked.loc, baked.what)));
    rows.extend(copied.map(|baked| Arc::new(BakedRow { build: None, baked }) as Row<'m>));
    rows
}
