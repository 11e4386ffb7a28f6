//! What of the machine that an image was built on stays in it: identity, users, keys.

use super::input::pattern;
use super::{Build, Provisioner, Source, Template};
use crate::knowledge::packer::Guest;
use crate::source;
use crate::text::{FileId, Loc, Mapped, Span};
use crate::value::{Data, Reason, Tri};
use regex::Regex;
use std::sync::OnceLock;

/// Something personal that a build puts into the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baked {
    /// What it is.
    pub what: Bakes,
    /// The user, when the command names one.
    pub user: Option<Box<str>>,
    /// The command, on one line.
    pub text: Box<str>,
    /// Where it stands.
    pub loc: Loc,
}

/// Kinds of [`Baked`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it; `label` gives the words")]
pub enum Bakes {
    User,
    Key,
    Password,
    Privilege,
}

impl Bakes {
    /// The words for it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Key => "key",
            Self::Password => "password",
            Self::Privilege => "privilege",
        }
    }
}

/// A text that a build runs.
struct Text<'a> {
    file: FileId,
    content: &'a str,
    /// The way back, when it is not a file of its own.
    mapped: Option<&'a Mapped>,
}

impl Text<'_> {
    /// Lines that are no comments, with their offset.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.content.split_inclusive('\n').scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line))
        });
        lines.filter(|(_, line)| !line.trim_start().starts_with('#'))
    }

    fn loc(&self, at: usize, line: &str) -> Loc {
        let indent = line.len() - line.trim_start().len();
        let span = Span::new(at + indent, at + indent + line.trim().len());
        Loc { file: self.file, span: self.mapped.map_or(span, |mapped| mapped.span(span)) }
    }
}

/// Shells whose text is read.
const SHELLS: [&str; 2] = ["shell", "shell-local"];

impl<'a> Template<'a> {
    /// What the provisioners of some kinds run, and why that may not be all.
    fn texts<'b>(&self, steps: impl Iterator<Item = &'b Provisioner>, kinds: &[&str]) -> (Vec<Text<'b>>, Option<Reason>)
    where
        'a: 'b,
    {
        let (mut texts, mut open) = (Vec::new(), None);
        for step in steps.filter(|step| kinds.contains(&&*step.kind)) {
            texts.extend(step.inline.iter().map(|inline| Text {
                file: inline.file,
                content: &inline.text.text,
                mapped: Some(&inline.text),
            }));
            for script in &step.scripts {
                if let Some(file) = script.file {
                    texts.push(Text { file, content: self.tree.text(file), mapped: None });
                } else {
                    let missing = || format!("the script {} is not in this repository", script.path.display()).into();
                    open.get_or_insert_with(|| script.path.reason().unwrap_or_else(missing));
                }
            }
        }
        self.follow(&mut texts, &mut open);
        (texts, open)
    }

    /// Adds the scripts that the texts take in or call (`source`, `.`, `bash x.sh`), by their place beside the template or the
    /// text; one that is read into the shell and not there leaves the question open.
    fn follow<'b>(&self, texts: &mut Vec<Text<'b>>, open: &mut Option<Reason>)
    where
        'a: 'b,
    {
        static TAKES: OnceLock<Option<Regex>> = OnceLock::new();
        let Some(takes) =
            pattern(&TAKES, r#"(?m)(?:^|[;&|]|\bsudo)\s*(source|\.|bash|sh)\s+["']?((?:[\w.-]+/|\.\.?/)*[\w.-]+)"#)
        else {
            return;
        };
        let mut seen: Vec<FileId> = texts.iter().filter(|text| text.mapped.is_none()).map(|text| text.file).collect();
        let mut at = 0;
        // So many scripts at most: they may call each other.
        while at < texts.len() && texts.len() < 64 {
            let folder = source::folder(self.tree.path(texts[at].file));
            let named: Vec<(String, String)> = takes
                .captures_iter(texts[at].content)
                .map(|found| (found[1].to_owned(), found[2].to_owned()))
                .collect();
            for (how, path) in named {
                let file =
                    [self.folder, folder].iter().find_map(|folder| self.tree.find(&source::join(folder, &path)?));
                match file {
                    Some(file) if !seen.contains(&file) => {
                        seen.push(file);
                        texts.push(Text { file, content: self.tree.text(file), mapped: None });
                    }
                    None if how == "source" => {
                        open.get_or_insert_with(|| format!("{path} is not in this repository").into());
                    }
                    _ => {}
                }
            }
            at += 1;
        }
    }

    /// The sources of a build that this template declares.
    pub fn sources_of<'b>(&'b self, build: &'b Build) -> impl Iterator<Item = &'b Source> {
        build.sources.iter().filter_map(|address| self.source(address))
    }

    /// Whether the build makes a Linux system (no application container, no Windows) of which copies will run.
    #[must_use]
    pub fn ships_system(&self, build: &Build) -> Tri {
        if build.provisioners.iter().any(is_for_windows) {
            return Tri::False;
        }
        let mut found = Tri::False;
        for source in self.sources_of(build) {
            found = found.or(|| self.ships(build, source));
        }
        match &build.open {
            Some(reason) => found.or(|| Tri::Unknown(reason.clone())),
            None => found,
        }
    }

    fn ships(&self, build: &Build, source: &Source) -> Tri {
        let Some(row) = source.row() else { return Tri::False };
        let communicator = source.get("communicator");
        let skipped = ["skip_create_ami", "skip_create_image", "discard"]
            .iter()
            .any(|name| source.get(name).as_bool() == Some(true));
        if skipped || communicator.as_str() == Some("winrm") || is_windows(source) {
            return Tri::False;
        }
        let unread = || Tri::Unknown("the image is set up by its installer's answer file alone".into());
        match row.guest {
            Guest::None => Tri::False,
            Guest::System if communicator.as_str() == Some("none") => unread(),
            Guest::System if !source.get("rescue").is_absent() => {
                Tri::Unknown("the image is written from a rescue system".into())
            }
            Guest::System => match communicator.reason() {
                Some(reason) => Tri::Unknown(reason),
                None => Tri::True,
            },
            Guest::Container => {
                let exported = row.exports.iter().any(|path| !source.get(path).is_absent());
                let tagged = build
                    .post_processors
                    .iter()
                    .any(|step| matches!(&*step.kind, "docker-tag" | "docker-push" | "docker-import"));
                let system = self.mentions(build, &["systemd", "openssh-server"]);
                (exported && !tagged && system).into()
            }
        }
    }

    fn mentions(&self, build: &Build, words: &[&str]) -> bool {
        let (texts, _) = self.texts(build.provisioners.iter(), &SHELLS);
        texts.iter().any(|text| words.iter().any(|word| text.content.contains(word)))
    }

    /// Whether a line of what the build runs (or of a post-processor on the build host) does `pattern` and not `harmless`;
    /// unknown when not all of it can be read.
    fn does(&self, build: &Build, wanted: &Regex, harmless: &Regex) -> Tri {
        let steps = || build.provisioners.iter().chain(&build.post_processors);
        let (texts, open) = self.texts(steps(), &SHELLS);
        let does = |text: &str| wanted.is_match(text) && !harmless.is_match(text);
        if texts.iter().any(|text| text.lines().any(|(_, line)| does(line))) {
            return Tri::True;
        }
        let mut open = open;
        for step in steps().filter(|step| !SHELLS.contains(&&*step.kind)) {
            for playbook in &step.playbooks {
                if playbook.file.is_some_and(|file| self.beside(file, &does)) {
                    return Tri::True;
                }
                open.get_or_insert_with(|| format!("the playbook {} may do it", playbook.path.display()).into());
            }
            if matches!(
                &*step.kind,
                "chef-client" | "chef-solo" | "puppet-masterless" | "puppet-server" | "salt-masterless" | "converge"
            ) {
                open.get_or_insert_with(|| format!("the {} provisioner may do it", step.kind).into());
            }
        }
        open.map_or(Tri::False, Tri::Unknown)
    }

    /// Whether a YAML or shell file in a playbook's folder does it.
    fn beside(&self, playbook: FileId, does: &dyn Fn(&str) -> bool) -> bool {
        let own = self.tree.path(playbook);
        let folder = source::folder(own);
        let folder = if source::file_name(folder) == "playbooks" { source::folder(folder) } else { folder };
        let files = self.tree.below(folder).filter(|(id, file)| {
            *id == playbook
                || !folder.is_empty() && [".yml", ".yaml", ".sh"].iter().any(|suffix| file.path.ends_with(suffix))
        });
        files.take(2000).any(|(_, file)| {
            file.text()
                .is_ok_and(|text| text.text.lines().any(|line| !line.trim_start().starts_with('#') && does(line)))
        })
    }

    /// Whether every machine made from the image would have the same machine id.
    #[must_use]
    pub fn keeps_machine_id(&self, build: &Build) -> Tri {
        static WANTED: OnceLock<Option<Regex>> = OnceLock::new();
        static HARMLESS: OnceLock<Option<Regex>> = OnceLock::new();
        let wanted = pattern(
            &WANTED,
            r"machine[-_]id|virt-sysprep|systemd-firstboot.*--reset|waagent.*-deprovision|cloud-init clean.*--machine-id",
        );
        let harmless = pattern(
            &HARMLESS,
            r"systemd-machine-id-setup|\b(cat|grep|test|stat|ls)\s+[^|>;&]*machine-id|\[\[?\s+[^\]]*machine-id[^\]]*\]\]?\s*$",
        );
        let (Some(wanted), Some(harmless)) = (wanted, harmless) else { return Tri::False };
        self.ships_system(build).and(|| !self.does(build, wanted, harmless))
    }

    /// Whether every machine made from the image would have the same SSH host keys.
    #[must_use]
    pub fn keeps_host_keys(&self, build: &Build) -> Tri {
        static WANTED: OnceLock<Option<Regex>> = OnceLock::new();
        static HARMLESS: OnceLock<Option<Regex>> = OnceLock::new();
        let wanted = pattern(
            &WANTED,
            r"ssh_host_|/etc/ssh/\S*key|cloud-init clean|/var/lib/cloud|virt-sysprep|waagent.*-deprovision|ssh_deletekeys",
        );
        let harmless = pattern(&HARMLESS, r"ssh-keygen\s+-[tfA]|HostKey\s");
        let (Some(wanted), Some(harmless)) = (wanted, harmless) else { return Tri::False };
        let fresh = |source: &Source| {
            source.row().is_some_and(|row| row.agent) || source.get("cloud_init").equals(&Data::Bool(true)).is_true()
        };
        if self.sources_of(build).all(fresh) {
            return Tri::False;
        }
        self.ships_system(build).and(|| !self.does(build, wanted, harmless))
    }

    /// What surely stays of the build's machine, for a message; empty when nothing does.
    #[must_use]
    pub fn kept(&self, build: &Build) -> &'static str {
        match (self.keeps_machine_id(build).is_true(), self.keeps_host_keys(build).is_true()) {
            (true, true) => "the machine id and the SSH host keys",
            (true, false) => "the machine id",
            (false, true) => "the SSH host keys",
            (false, false) => "",
        }
    }

    /// Users, keys, passwords and privileges that the build's shell provisioners put into the image and do not take out
    /// again. Boxes for development (`vagrant`) carry theirs by design and have none here.
    #[must_use]
    pub fn bakes(&self, build: &Build) -> Vec<Baked> {
        if build.post_processors.iter().any(|step| step.kind.starts_with("vagrant"))
            || self.ships_system(build).is_false()
        {
            return Vec::new();
        }
        let (texts, _) = self.texts(build.provisioners.iter(), &["shell"]);
        let mut found: Vec<Baked> = Vec::new();
        let (mut users_gone, mut keys_gone) = (Vec::new(), false);
        for text in &texts {
            for (at, line) in text.lines() {
                let trimmed = line.trim();
                if let Some(user) = removed_user(trimmed) {
                    users_gone.push(user);
                }
                keys_gone |= removes_keys(trimmed);
                if let Some((what, user)) = baked(trimmed) {
                    let shown = trimmed.replace(crate::text::HOLE, "…");
                    found.push(Baked { what, user: user.map(Into::into), text: shown.into(), loc: text.loc(at, line) });
                }
            }
        }
        found.retain(|baked| match (&baked.what, &baked.user) {
            (Bakes::Key, _) => !keys_gone,
            (Bakes::User, Some(user)) => !users_gone.contains(&&**user),
            _ => true,
        });
        found
    }
}

/// Whether a provisioner runs on Windows only.
fn is_for_windows(step: &Provisioner) -> bool {
    let windows_script = |path: &str| [".bat", ".cmd", ".ps1"].iter().any(|suffix| path.ends_with(suffix));
    step.kind.starts_with("windows-")
        || &*step.kind == "powershell"
        || step.scripts.iter().any(|script| script.path.as_str().is_some_and(windows_script))
}

/// Whether the guest is declared to be Windows.
fn is_windows(source: &Source) -> bool {
    let named =
        |name: &&str| source.get(name).as_str().is_some_and(|text| text.to_ascii_lowercase().starts_with("win"));
    ["guest_os_type", "guest_os", "os", "os_type"].iter().any(named)
        || source.get("shutdown_command").contains("shutdown /").is_true()
}

/// The commands of a line, without `sudo`.
fn commands(line: &str) -> impl Iterator<Item = Vec<&str>> {
    line.split(['|', ';', '&']).map(|part| {
        let words = part.split_whitespace();
        words
            .skip_while(|word| matches!(*word, "sudo" | "-E" | "-n" | "then" | "do" | "if" | "!") || word.contains('='))
            .collect()
    })
}

/// The user that a line removes.
fn removed_user(line: &str) -> Option<&str> {
    let words = commands(line).find(|words| matches!(words.first(), Some(&("userdel" | "deluser"))))?;
    words.last().copied()
}

/// Whether a line takes authorized keys away.
fn removes_keys(line: &str) -> bool {
    line.contains("authorized_keys")
        && commands(line).any(|words| {
            matches!(words.first(), Some(&("rm" | "truncate" | "shred" | "unlink"))) || line.contains("/dev/null")
        })
}

/// Whether a command of `line` writes a file whose path contains `part`.
fn writes_to(line: &str, words: &[&str], part: &str) -> bool {
    let redirected = || {
        line.split('>').skip(1).any(|after| after.split_whitespace().next().is_some_and(|target| target.contains(part)))
    };
    match words.first() {
        Some(&("tee" | "curl" | "wget")) => words.iter().any(|word| word.contains(part)),
        Some(&("cp" | "install" | "mv")) => words.last().is_some_and(|word| word.contains(part)),
        Some(&("echo" | "printf" | "cat")) => redirected(),
        _ => false,
    }
}

/// What a line puts into the image.
fn baked(line: &str) -> Option<(Bakes, Option<&str>)> {
    for words in commands(line) {
        let system = words.iter().any(|word| matches!(*word, "-r" | "--system" | "-S" | "-rm" | "-rU" | "-Mr" | "-rs"));
        match words.first() {
            Some(&("useradd" | "adduser")) if !system && words.len() > 1 => {
                return Some((Bakes::User, words.iter().rev().find(|word| !word.starts_with('-')).copied()));
            }
            Some(&"chpasswd") => return Some((Bakes::Password, None)),
            Some(_)
                if writes_to(line, &words, "authorized_keys") && !removes_keys(line) && !line.contains("insecure") =>
            {
                return Some((Bakes::Key, None));
            }
            Some(_) if writes_to(line, &words, "/etc/sudoers") => return Some((Bakes::Privilege, None)),
            _ => {}
        }
    }
    None
}
