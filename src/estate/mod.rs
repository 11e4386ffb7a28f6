//! The join: hosts, services, data, storage and its fate, owners.

pub mod agent;
pub mod alias;
pub mod artifact;
pub mod backend_secret;
mod brought;
mod carried;
pub mod chart;
mod clock;
pub mod cluster;
pub mod collision;
pub mod container;
pub mod content;
pub mod data;
mod delivered;
mod deployed;
mod destruction;
pub mod fact_cache;
pub mod fact_flow;
pub mod first_boot;
pub mod fleet;
pub mod fungible;
pub mod guard;
pub mod guest;
pub mod habit;
pub mod identity;
mod ignition;
pub mod image;
mod instruction;
pub mod invocation;
mod kept;
mod kube_play;
pub mod left_out;
pub mod lifecycle;
mod listing;
pub mod live;
pub mod live_value;
pub mod load;
pub mod load_job;
pub mod loss;
pub mod machine;
mod mount;
pub mod pinning;
pub mod placement;
pub mod reconciler;
pub mod recreation;
pub mod release;
pub mod repair;
pub mod reset_switch;
pub mod root;
pub mod roster;
mod sealed;
mod service;
mod started;
pub mod state_access;
pub mod state_backend;
pub mod state_kept;
pub mod store;
pub mod task;
pub mod tie;
mod twin;
pub mod upkeep;
mod uploaded;
pub mod variable_file;
pub mod wiring;

use crate::model::agents::Agents;
use crate::model::annotation::{Remark, Saying};
use crate::model::ansible::{Ansible, Text};
use crate::model::command::Command;
use crate::model::git::Repository;
use crate::model::load::Documents;
use crate::model::packer::Packer;
use crate::model::terraform::Terraform;
use crate::text::Loc;
use guard::Guards;
use identity::{Adjustment, IdentityFact, Ownership};
use invocation::Invocation;
use loss::Held;
use machine::Machine;
use placement::{Joined, Placement};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashSet};

/// What the tools of a repository say together.
pub struct Estate<'m> {
    /// The files.
    pub documents: &'m Documents<'m>,
    /// What Git keeps.
    pub repository: &'m Repository,
    /// What agents may do.
    pub agents: &'m Agents,
    /// `stateward:` comments.
    pub remarks: &'m [Remark],
    /// Terraform.
    pub terraform: &'m Terraform<'m>,
    /// Ansible.
    pub ansible: &'m Ansible<'m>,
    /// Packer.
    pub packer: &'m Packer<'m>,
    /// Whether a path belongs to an environment that is thrown away.
    pub ephemeral: &'m (dyn Fn(&str) -> bool + Sync),
    /// The texts that tasks write to hosts, in the order of the tasks.
    pub texts: Vec<Text>,
    /// What Terraform held before the change that is judged.
    pub before: Option<&'m Held>,
    /// Every command.
    pub invocations: Vec<Invocation<'m>>,
    /// For each command, whether a clock starts it.
    pub clocked: Vec<bool>,
    /// Every build of an image by Packer.
    pub images: Vec<image::Image<'m>>,
    /// Every machine of Terraform.
    pub machines: Vec<Machine<'m>>,
    /// What protects resources from beside them.
    pub guards: Guards<'m>,
    /// The buckets and accounts that backends keep state in.
    pub state_stores: state_backend::Stores,
    /// Every object of Kubernetes.
    pub cluster: Vec<cluster::Object>,
    /// Every container.
    pub containers: Vec<container::Container>,
    /// The images that are built here, without the tag that means the newest.
    pub built: HashSet<String>,
    /// Plays, machines and data, joined.
    pub joined: Joined,
    /// Data services on machines.
    pub placements: Vec<Placement>,
    /// Identity in variables.
    pub identities: Vec<IdentityFact>,
    /// Objects with two owners.
    pub ownerships: Vec<Ownership>,
    /// Attributes that Ansible sets on Terraform's machines.
    pub adjustments: Vec<Adjustment>,
    /// Task index → its containers, as a range of `containers`.
    containers_by_task: Vec<std::ops::Range<usize>>,
    /// Container, by index → the machines that start it by themselves or by a provisioner.
    deployed: BTreeMap<usize, deployed::Deployment>,
    /// Task index → its commands, as a range of `invocations`.
    by_task: Vec<std::ops::Range<usize>>,
}

/// What an estate is made of.
pub struct Parts<'m> {
    /// The files.
    pub documents: &'m Documents<'m>,
    /// What Git keeps.
    pub repository: &'m Repository,
    /// What agents may do.
    pub agents: &'m Agents,
    /// `stateward:` comments.
    pub remarks: &'m [Remark],
    /// Terraform.
    pub terraform: &'m Terraform<'m>,
    /// Ansible.
    pub ansible: &'m Ansible<'m>,
    /// Packer.
    pub packer: &'m Packer<'m>,
    /// Whether a path belongs to an environment that is thrown away.
    pub ephemeral: &'m (dyn Fn(&str) -> bool + Sync),
    /// The commands of scripts, recipes, pipelines and their like.
    pub commands: Vec<Command>,
    /// What Terraform held before the change that is judged.
    pub before: Option<&'m Held>,
}

impl<'m> Estate<'m> {
    /// Joins what the tools declare.
    #[must_use]
    pub fn join(parts: Parts<'m>) -> Self {
        let Parts { documents, repository, agents, remarks, terraform, ansible, packer, ephemeral, commands, before } =
            parts;
        let texts: Vec<Vec<Text>> = (0..ansible.tasks.len()).into_par_iter().map(|task| ansible.texts(task)).collect();
        let texts: Vec<Text> = texts.into_iter().flatten().collect();
        let invocations = invocation::gather(documents, commands, terraform, ansible, packer, &texts);
        let clocked = clock::clocked(documents, &invocations);
        let machines = machine::machines(terraform);
        let mut by_task = vec![0..0; ansible.tasks.len()];
        for (at, task) in invocations.iter().enumerate().filter_map(|(at, invocation)| Some((at, invocation.task?))) {
            let range = &mut by_task[task];
            *range = if range.start == range.end { at..at + 1 } else { range.start..at + 1 };
        }
        let mut estate = Self {
            documents,
            repository,
            agents,
            remarks,
            terraform,
            ansible,
            packer,
            ephemeral,
            texts,
            before,
            invocations,
            clocked,
            images: Vec::new(),
            machines,
            state_stores: state_backend::stores(terraform),
            guards: Guards::join(terraform),
            cluster: cluster::objects(documents, terraform),
            containers: Vec::new(),
            built: HashSet::new(),
            joined: Joined::default(),
            placements: Vec::new(),
            identities: Vec::new(),
            ownerships: Vec::new(),
            adjustments: Vec::new(),
            by_task,
            containers_by_task: Vec::new(),
            deployed: BTreeMap::new(),
        };
        estate.images = image::images(&estate);
        let fleet = fleet::fleet(&estate);
        (estate.containers, estate.containers_by_task) = (fleet.containers, fleet.by_task);
        (estate.deployed, estate.built) = (fleet.deployed, fleet.built);
        estate.joined = placement::join(&estate);
        estate.placements = placement::placements(&estate.joined.lodgings);
        estate.identities = identity::facts(&estate);
        estate.ownerships = identity::ownerships(&estate);
        estate.ownerships.extend(twin::ownerships(&estate));
        estate.adjustments = identity::adjustments(&estate);
        estate
    }

    /// The containers that a task declares.
    pub fn containers_of(&self, task: usize) -> &[container::Container] {
        let range = self.containers_by_task.get(task).cloned().unwrap_or(0..0);
        self.containers.get(range).unwrap_or(&[])
    }

    /// The texts that a task writes.
    pub fn texts_of(&self, task: usize) -> &[Text] {
        let first = self.texts.partition_point(|text| text.task < task);
        let end = self.texts.partition_point(|text| text.task <= task);
        self.texts.get(first..end).unwrap_or(&[])
    }

    /// The commands that a task runs.
    pub fn invocations_of(&self, task: usize) -> impl Iterator<Item = &Command> {
        let range = self.by_task.get(task).cloned().unwrap_or(0..0);
        self.invocations[range].iter().map(|invocation| &invocation.command)
    }

    /// Whether anything here is managed by Terraform.
    #[must_use]
    pub fn has_terraform(&self) -> bool {
        !self.terraform.modules().is_empty()
    }

    /// Whether a comment on the declaration at a place says that its data can be made again.
    #[must_use]
    pub fn is_rebuildable(&self, loc: Loc) -> bool {
        matches!(self.annotation(loc, "data"), Some("cache" | "rebuildable" | "ephemeral"))
    }

    /// The value of an annotation on the declaration at a place; `""` for a bare flag.
    #[must_use]
    pub fn annotation(&self, loc: Loc, key: &str) -> Option<&str> {
        self.remarks.iter().filter(|remark| remark.loc.file == loc.file && remark.covers.contains(loc.span)).find_map(
            |remark| {
                let Saying::Annotate(pairs) = &remark.saying else { return None };
                pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
            },
        )
    }
}
