//! Images: what the builds of Packer do to the guests that they make images of, step by step and for each source, with the tasks of
//! the playbooks that they run; and what Dockerfiles take from the repository.

mod answer;
mod deed;
mod dockerfile;
mod played;
mod shipped;
mod step;

pub use deed::{Content, Trace};
pub use dockerfile::copies;

use super::Estate;
use crate::model::packer::{Build, Source, Template};
use crate::source::Tree;
use crate::text::Loc;
use crate::value::{Data, Reason, Tri};
use deed::{Deed, Does};
use std::collections::HashSet;
use step::Step;

/// A build with what its steps do.
pub struct Image<'m> {
    /// The template.
    pub template: &'m Template<'m>,
    /// The build.
    pub build: &'m Build,
    steps: Vec<Step<'m>>,
}

/// Something that does not belong in an image.
#[derive(Clone, Debug)]
pub struct Baked {
    /// What it is.
    pub what: Content,
    /// The user or path that it is about.
    pub about: Option<Box<str>>,
    /// What shows it, or what it does.
    pub evidence: Option<Box<str>>,
    /// The command, task or instruction, on one line.
    pub text: Box<str>,
    /// Where it stands.
    pub loc: Loc,
}

/// What is left of a [`Trace`].
struct Left<'i> {
    stays: Tri,
    remade: Option<&'i Deed>,
}

/// Every build of Packer, in order.
#[must_use]
pub fn images<'m>(estate: &Estate<'m>) -> Vec<Image<'m>> {
    let builds = estate.packer.builds();
    builds.map(|(template, build)| Image { template, build, steps: step::steps(estate, template, build) }).collect()
}

impl<'m> Image<'m> {
    /// The sources that the template declares.
    pub fn sources(&self) -> impl Iterator<Item = &'m Source> + use<'m> {
        self.template.sources_of(self.build)
    }

    fn ships(&self, source: &Source) -> Tri {
        let mentions = |word: &str| self.steps.iter().any(|step| step.mentions(word));
        self.template.ships(self.build, source, &mentions)
    }

    /// What is left of a trace in the image of one source.
    fn left_in(&self, source: &Source, trace: Trace) -> Left<'_> {
        let (mut sealed, mut open, mut remade) = (false, None::<Reason>, None);
        if trace == Trace::MachineId && !self.template.has_machine_id(source) {
            return Left { stays: Tri::False, remade };
        }
        for step in &self.steps {
            let applies = step.provisioner.applies(source);
            if applies.is_false() {
                // What another source of the build is cleaned by: this one may be no more than what that one starts from.
                let elsewhere = self.sources().any(|other| !step.provisioner.applies(other).is_false());
                if elsewhere && step.seals(trace) {
                    open = Some("the cleanup of the build's other sources leaves it out".into());
                }
                continue;
            }
            if let Tri::Unknown(reason) = &applies {
                open = Some(reason.clone());
            }
            for deed in step.deeds.iter().filter(|_| applies.is_true()) {
                match deed.does {
                    Does::Seals(own) if own == trace => (sealed, remade, open) = (true, None, None),
                    Does::Remakes(own) if own == trace && sealed && !deed.conditional => {
                        (sealed, remade) = (false, Some(deed));
                    }
                    _ => {}
                }
            }
            if applies.is_true() && step.may_seal(trace) {
                (sealed, remade, open) = (true, None, None);
            }
            if let Some(reason) = step.open.as_ref().or(step.overridden(source).as_ref()) {
                open = Some(reason.clone());
            }
        }
        let stays = match open {
            _ if sealed => Tri::False,
            Some(reason) => Tri::Unknown(reason),
            None => Tri::True,
        };
        Left { stays, remade }
    }

    /// Whether every machine made from the image would have this of the build's machine.
    #[must_use]
    pub fn keeps(&self, trace: Trace) -> Tri {
        let mut found = Tri::False;
        if trace == Trace::HostKeys && self.is_box() {
            return found;
        }
        for source in self.sources().filter(|source| trace != Trace::HostKeys || !gets_new_keys(source)) {
            found = found.or(|| self.ships(source).and(|| self.left_in(source, trace).stays));
        }
        match &self.build.open {
            Some(reason) => found.or(|| Tri::Unknown(reason.clone())),
            None => found,
        }
    }

    /// The step that makes a trace anew after it was taken away.
    #[must_use]
    pub fn remade(&self, trace: Trace) -> Option<(&str, Loc)> {
        let surely = self.sources().filter(|source| self.ships(source).is_true());
        let mut left = surely.map(|source| self.left_in(source, trace)).filter(|left| left.stays.is_true());
        left.find_map(|left| left.remade).map(|deed| (&*deed.text, deed.loc))
    }

    /// The first source whose image surely keeps something of the build's machine.
    #[must_use]
    pub fn kept_in(&self) -> Option<&'m Source> {
        let keeps = |source: &&Source| {
            let stays = |trace| self.left_in(source, trace).stays.is_true();
            self.ships(source).is_true()
                && (stays(Trace::MachineId) || !self.is_box() && !gets_new_keys(source) && stays(Trace::HostKeys))
        };
        self.sources().find(keeps)
    }

    /// What surely stays of the build's machine, for a message; empty when nothing does.
    #[must_use]
    pub fn kept(&self) -> &'static str {
        match (self.keeps(Trace::MachineId).is_true(), self.keeps(Trace::HostKeys).is_true()) {
            (true, true) => "the machine id and the SSH host keys",
            (true, false) => "the machine id",
            (false, true) => "the SSH host keys",
            (false, false) => "",
        }
    }

    /// Whether it becomes a box for development: the account in it, and the key to that, are public by design.
    #[must_use]
    pub fn is_box(&self) -> bool {
        self.build.post_processors.iter().any(|step| step.kind.starts_with("vagrant") || step.kind.ends_with("vagrant"))
    }

    /// Whether the image may be more than an application's.
    fn is_system(&self) -> bool {
        let made = self.sources().any(|source| !self.ships(source).is_false()) || self.build.open.is_some();
        !self.is_box() && made
    }

    /// Whether anything is made at all.
    fn makes_image(&self) -> bool {
        self.sources().any(|source| source.row().is_some_and(|row| row.guest != crate::knowledge::packer::Guest::None))
    }

    /// What the steps put into the image and do not take out again.
    #[must_use]
    pub fn baked(&self, tree: &Tree) -> Vec<Baked> {
        let deeds = || self.steps.iter().flat_map(|step| &step.deeds);
        let (system, makes) = (self.is_system(), self.makes_image());
        let mut found = Vec::new();
        for (at, deed) in deeds().enumerate() {
            let Does::Bakes(what, about, evidence) = &deed.does else { continue };
            let wanted = if matches!(what, Content::Data | Content::ControlState) { makes } else { system };
            if !wanted || deeds().skip(at + 1).any(|later| takes_out(&later.does, *what, about.as_deref())) {
                continue;
            }
            let (about, evidence) = (about.clone(), evidence.clone());
            found.push(Baked { what: *what, about, evidence, text: deed.text.clone(), loc: deed.loc });
        }
        if system {
            let answers = self.sources().flat_map(|source| answer::baked(tree, self.template, source));
            let gone = |one: &Baked| deeds().any(|later| takes_out(&later.does, one.what, one.about.as_deref()));
            let mut seen: HashSet<Loc> = HashSet::new();
            found.extend(answers.filter(|one| !gone(one) && seen.insert(one.loc)));
        }
        found
    }
}

/// Whether the platform gives each machine keys of its own.
fn gets_new_keys(source: &Source) -> bool {
    source.row().is_some_and(|row| row.agent) || source.get("cloud_init").equals(&Data::Bool(true)).is_true()
}

/// Whether a later deed takes out what an earlier one put in.
fn takes_out(does: &Does, what: Content, about: Option<&str>) -> bool {
    match (does, what) {
        (Does::Removes(content, name), Content::User | Content::Password) => {
            let same = about.is_none_or(|about| about == &**name);
            same && (*content == what || *content == Content::User)
        }
        (Does::RemovesPath(path), Content::Key) => {
            path.contains("authorized_keys") || path.trim_end_matches(['*', '/']).ends_with("/.ssh")
        }
        (Does::RemovesPath(path), Content::Enrolment) => {
            covers(path, about) || about.is_some_and(|about| path.starts_with(about))
        }
        (Does::RemovesPath(path), _) => covers(path, about),
        _ => false,
    }
}

fn covers(path: &str, about: Option<&str>) -> bool {
    let whole = path.trim_end_matches(['*', '/']);
    about.is_some_and(|about| {
        !whole.is_empty()
            && about
                .strip_prefix(whole)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || path.ends_with('*'))
    })
}
