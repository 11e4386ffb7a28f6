//! The steps of a build, each with what it does.

use super::deed::{self, Content, Deed, Does, Trace};
use super::{played, shipped};
use crate::estate::Estate;
use crate::model::command::{self, Site, Variables};
use crate::model::packer::{Build, Provisioner, Source, Template, Upload};
use crate::value::Reason;
use regex::Regex;
use std::sync::OnceLock;

/// A provisioner, or a post-processor that works on the artefact on the build host.
pub(super) struct Step<'m> {
    pub(super) provisioner: &'m Provisioner,
    pub(super) deeds: Vec<Deed>,
    /// Why it may do more.
    pub(super) open: Option<Reason>,
    /// Everything that it runs, to look words up in.
    texts: String,
}

/// Provisioners that run what is not read here.
const OTHERS: [&str; 9] = [
    "chef-client",
    "chef-solo",
    "puppet-masterless",
    "puppet-server",
    "salt-masterless",
    "converge",
    "saltstack",
    "itamae",
    "goss",
];

/// The steps of a build in order, post-processors last.
pub(super) fn steps<'m>(estate: &Estate<'m>, template: &'m Template<'m>, build: &'m Build) -> Vec<Step<'m>> {
    let mut uploads: Vec<Upload> = Vec::new();
    let mut steps = Vec::new();
    let inside = build.provisioners.iter().map(|step| (step, step.on_host()));
    for (provisioner, on_host) in inside.chain(build.post_processors.iter().map(|step| (step, true))) {
        let mut step = Step { provisioner, deeds: Vec::new(), open: None, texts: String::new() };
        match &*provisioner.kind {
            "shell" | "shell-local" => step.run(template, on_host, &uploads),
            "file" if !on_host => {
                step.copy(estate, template);
                uploads.extend(template.uploads(provisioner));
            }
            kind if !on_host && OTHERS.contains(&kind) => {
                step.open = Some(format!("the {kind} provisioner may do it").into());
            }
            _ => {}
        }
        if !on_host {
            step.play(estate);
        }
        steps.push(step);
    }
    steps
}

impl<'m> Step<'m> {
    fn run(&mut self, template: &'m Template<'m>, on_host: bool, uploads: &[Upload]) {
        let (texts, open) = template.texts(self.provisioner, uploads);
        self.open = open;
        for text in &texts {
            let mut found = Vec::new();
            command::commands(&text.text, text.file, &Site::Provisioner, &Variables::default(), &mut found);
            let mut own = Vec::new();
            for command in &found {
                deed::of_command(command, on_host, &mut own);
            }
            // The commands of a function stand where it is defined, not where it is called: then a cleanup has the last word.
            if defines_functions(&text.text.text) {
                last_word(&mut own);
            }
            self.deeds.append(&mut own);
            let lines = text.text.text.lines().filter(|line| !line.trim_start().starts_with('#'));
            for line in lines {
                self.texts.push_str(line);
                self.texts.push('\n');
            }
        }
    }

    /// What a `file` provisioner puts into the guest.
    fn copy(&mut self, estate: &Estate<'m>, template: &'m Template<'m>) {
        let step = self.provisioner;
        let Some(to) =
            step.destination.as_str().filter(|_| step.arguments.get("direction").as_str() != Some("download"))
        else {
            return;
        };
        for written in step.taken.iter().filter_map(|taken| taken.as_str()) {
            let tree = estate.documents.tree;
            let from = template.place(written).unwrap_or_else(|| written.to_owned());
            if let Some(found) = shipped::judge(tree, &from, to, &|_| true) {
                let does = Does::Bakes(found.what, Some(to.into()), Some(found.evidence.into()));
                let text = format!("file {written} {to}").into();
                self.deeds.push(Deed { does, text, loc: step.loc, conditional: false });
            }
        }
    }

    fn play(&mut self, estate: &Estate<'m>) {
        for playbook in &self.provisioner.playbooks {
            if let Some(file) = playbook.file {
                let open = played::play(estate, self.provisioner, file, &mut self.deeds, &mut self.texts);
                self.open = self.open.take().or(open);
            } else {
                let missing = || format!("the playbook {} is not in this repository", playbook.path.display()).into();
                self.open.get_or_insert_with(|| playbook.path.reason().unwrap_or_else(missing));
            }
        }
    }

    pub(super) fn mentions(&self, word: &str) -> bool {
        self.texts.contains(word)
    }

    /// Whether it has other commands for a source.
    pub(super) fn overridden(&self, source: &Source) -> Option<Reason> {
        let own = self.provisioner.override_for(source);
        let other = ["inline", "script", "scripts", "playbook_file"].iter().any(|name| !own.get(name).is_absent());
        other.then(|| "it runs something else for this source".into())
    }

    /// Whether it takes a trace away, as far as one can tell.
    pub(super) fn seals(&self, trace: Trace) -> bool {
        self.may_seal(trace) || self.deeds.iter().any(|deed| deed.does == Does::Seals(trace))
    }

    /// Whether it speaks of a trace in a way that no command was understood by, and that does not only read it.
    pub(super) fn may_seal(&self, trace: Trace) -> bool {
        static MACHINE_ID: OnceLock<Option<Regex>> = OnceLock::new();
        static HOST_KEYS: OnceLock<Option<Regex>> = OnceLock::new();
        static READS: OnceLock<Option<Regex>> = OnceLock::new();
        let understood =
            self.deeds.iter().any(|deed| deed.does == Does::Seals(trace) || deed.does == Does::Remakes(trace));
        let pattern = |memory: &'static OnceLock<Option<Regex>>, text: &str| {
            memory.get_or_init(|| Regex::new(text).ok()).as_ref()
        };
        let wanted = match trace {
            Trace::MachineId => {
                pattern(&MACHINE_ID, r"machine[-_]id|virt-sysprep|systemd-firstboot.*--reset|waagent.*-deprovision")
            }
            Trace::HostKeys => pattern(
                &HOST_KEYS,
                r"ssh_host_|/etc/ssh/\S*key|cloud-init clean|/var/lib/cloud|virt-sysprep|waagent.*-deprovision|ssh_deletekeys",
            ),
        };
        let reads = pattern(
            &READS,
            r"systemd-machine-id-setup|\b(cat|grep|test|stat|ls)\s+[^|>;&]*(machine-id|ssh_host_)|\[\[?\s+[^\]]*machine-id[^\]]*\]\]?\s*$|ssh-keygen\s+-[tfA]|HostKey\s",
        );
        let (Some(wanted), Some(reads)) = (wanted, reads) else { return false };
        !understood && self.texts.lines().any(|line| wanted.is_match(line) && !reads.is_match(line))
    }
}

/// Whether a script defines functions.
fn defines_functions(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| {
        line.starts_with("function ")
            || line.split_once("()").is_some_and(|(name, _)| !name.is_empty() && !name.contains([' ', '$', '"', '\'']))
    })
}

/// Takes out what makes a trace anew where the same deeds take it away: their order is not sure.
pub(super) fn last_word(deeds: &mut Vec<Deed>) {
    for trace in [Trace::MachineId, Trace::HostKeys] {
        if deeds.iter().any(|deed| deed.does == Does::Seals(trace)) {
            deeds.retain(|deed| deed.does != Does::Remakes(trace));
        }
    }
}

impl Deed {
    /// A task that bakes something.
    pub(super) fn baking(what: Content, about: Option<&str>, text: String, loc: crate::text::Loc) -> Self {
        let does = Does::Bakes(what, about.map(Into::into), None);
        Self { does, text: text.into(), loc, conditional: false }
    }
}
