//! What provisioners run: the commands in the template, scripts, and the scripts that these take in or call.

use super::input::pattern;
use super::{Build, Provisioner, Source, Template};
use crate::knowledge::packer::Guest;
use crate::source;
use crate::text::{FileId, Mapped};
use crate::value::{Reason, Tri, Value};
use std::borrow::Cow;
use std::sync::OnceLock;

/// Scripts that one provisioner runs: they may call each other.
const MAX_TEXTS: usize = 64;

/// A text that a provisioner runs.
pub struct Text<'t> {
    /// The file that it stands in.
    pub file: FileId,
    /// The text, with the way back.
    pub text: Cow<'t, Mapped>,
}

/// A file or folder of the tree that a build has put into the guest.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its path in the tree.
    pub path: String,
    /// Where it lies in the guest.
    pub to: String,
}

impl Provisioner {
    /// Whether it runs on the build host.
    #[must_use]
    pub fn on_host(&self) -> bool {
        &*self.kind == "shell-local"
    }

    /// Whether it runs for a source; a rule of a build's own names it by its type and name, one of JSON by its name.
    #[must_use]
    pub fn applies(&self, source: &Source) -> Tri {
        let address = source.address.strip_prefix("source.").unwrap_or(&source.address);
        let named = |list: &Value| -> Tri {
            let Some(list) = list.as_list() else {
                return if list.is_absent() {
                    Tri::False
                } else {
                    Tri::Unknown(list.reason().unwrap_or_else(|| "it is no list".into()))
                };
            };
            let own = |item: &Value| {
                let is = |name: &str| item.equals(&crate::value::Data::from(name));
                is(address).or(|| is(&source.name)).or(|| is(&source.address))
            };
            let found = list.items.iter().fold(Tri::False, |found, item| found.or(|| own(item)));
            found.or(|| list.open.clone().map_or(Tri::False, Tri::Unknown))
        };
        let only = if self.only.is_absent() { Tri::True } else { named(&self.only) };
        only.and(|| !named(&self.except))
    }

    /// The arguments of `override` that hold for a source.
    #[must_use]
    pub fn override_for(&self, source: &Source) -> Value {
        let all = self.arguments.get("override");
        let own = all.get(&source.name);
        if own.is_absent() { all.get(source.address.strip_prefix("source.").unwrap_or("")) } else { own }
    }
}

impl Template<'_> {
    /// What a provisioner puts into the guest, by the files of the tree that it takes.
    #[must_use]
    pub fn uploads(&self, step: &Provisioner) -> Vec<Upload> {
        let to = step.destination.as_str();
        let Some(to) =
            to.filter(|_| &*step.kind == "file" && step.arguments.get("direction").as_str() != Some("download"))
        else {
            return Vec::new();
        };
        let upload = |taken: &Value| {
            let written = taken.as_str()?;
            let path = self.place(written)?;
            // What ends in a slash is its content; a folder without one lies in the destination by its name.
            let folder = self.tree.find(&path).is_none() && !written.ends_with('/');
            let inside = folder || to.ends_with('/') && self.tree.find(&path).is_some();
            let name = source::file_name(&path);
            let to = if inside { format!("{}/{name}", to.trim_end_matches('/')) } else { to.to_owned() };
            Some(Upload { path, to })
        };
        step.taken.iter().filter_map(upload).collect()
    }

    /// The file or folder of the tree that a path of the template means.
    #[must_use]
    pub fn place(&self, path: &str) -> Option<String> {
        let mut from = self.folder;
        loop {
            let found = source::join(from, path.trim_end_matches('/'));
            if let Some(found) = found.filter(|path| {
                !path.is_empty() && (self.tree.find(path).is_some() || self.tree.below(path).next().is_some())
            }) {
                return Some(found);
            }
            if from.is_empty() || path.starts_with(['/', '~']) {
                return None;
            }
            from = source::folder(from);
        }
    }

    /// What a provisioner runs, and why that may not be all.
    #[must_use]
    pub fn texts<'t>(&'t self, step: &'t Provisioner, uploads: &[Upload]) -> (Vec<Text<'t>>, Option<Reason>) {
        let (mut texts, mut open) = (Vec::new(), None);
        texts.extend(step.inline.iter().map(|inline| Text { file: inline.file, text: Cow::Borrowed(&inline.text) }));
        for script in &step.scripts {
            if let Some(file) = script.file {
                texts.push(self.script(file));
            } else {
                let missing = || format!("the script {} is not in this repository", script.path.display()).into();
                open.get_or_insert_with(|| script.path.reason().unwrap_or_else(missing));
            }
        }
        let mut seen: Vec<FileId> = step.scripts.iter().filter_map(|script| script.file).collect();
        let mut at = 0;
        while at < texts.len() && texts.len() < MAX_TEXTS {
            for (how, path) in called(&texts[at].text.text) {
                let own = source::folder(self.tree.path(texts[at].file));
                match self.called(own, &path, uploads) {
                    Some(file) if !seen.contains(&file) => {
                        seen.push(file);
                        texts.push(self.script(file));
                    }
                    None if how == "source" => {
                        open.get_or_insert_with(|| format!("{path} is not in this repository").into());
                    }
                    _ => {}
                }
            }
            at += 1;
        }
        (texts, open)
    }

    fn script(&self, file: FileId) -> Text<'_> {
        Text { file, text: Cow::Owned(Mapped::verbatim(self.tree.text(file), 0)) }
    }

    /// The script that a path in a text of folder `own` means: one that was uploaded, else one beside the template or the text.
    fn called(&self, own: &str, path: &str, uploads: &[Upload]) -> Option<FileId> {
        let uploaded = uploads.iter().rev().find_map(|upload| {
            let rest = path.strip_prefix(upload.to.trim_end_matches('/'))?;
            let inside = rest.is_empty() || rest.starts_with('/');
            inside.then(|| self.tree.find(&format!("{}{rest}", upload.path)))?
        });
        uploaded.or_else(|| [self.folder, own].iter().find_map(|folder| self.tree.find(&source::join(folder, path)?)))
    }

    /// The sources of a build that this template declares.
    pub fn sources_of<'b>(&'b self, build: &'b Build) -> impl Iterator<Item = &'b Source> {
        build.sources.iter().filter_map(|address| self.source(address))
    }

    /// Whether what a source installs has a machine id at all, by the names of the template, the source and what it starts from.
    #[must_use]
    pub fn has_machine_id(&self, source: &Source) -> bool {
        const NAMES: [&str; 9] = [
            "guest_os_type",
            "iso_url",
            "iso_urls",
            "iso_file",
            "boot_iso.iso_file",
            "vm_name",
            "template_name",
            "clone_vm",
            "image",
        ];
        let paths = self.files.iter().map(|file| self.tree.path(*file).to_owned());
        let given = NAMES.iter().map(|name| source.get(name).display());
        let mut told = paths.chain(given).chain([source.name.to_string()]);
        !told.any(|text| {
            let lower = text.to_ascii_lowercase();
            let mut words = lower.split(|c: char| !c.is_ascii_alphabetic());
            words.any(|word| WITHOUT_MACHINE_ID.contains(&word))
        })
    }

    /// Whether a source makes a Linux system (no application container, no Windows) of which copies will run; `mentions` says
    /// whether what the build runs speaks of a word.
    #[must_use]
    pub fn ships(&self, build: &Build, source: &Source, mentions: &dyn Fn(&str) -> bool) -> Tri {
        let Some(row) = source.row() else { return Tri::False };
        let communicator = source.get("communicator");
        let skipped = ["skip_create_ami", "skip_create_image", "discard"]
            .iter()
            .any(|name| source.get(name).as_bool() == Some(true));
        let windows = communicator.as_str() == Some("winrm") || is_windows(source);
        let for_windows = |step: &Provisioner| is_for_windows(step) && !step.applies(source).is_false();
        if skipped || windows || build.provisioners.iter().any(for_windows) {
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
                (exported && !tagged && (mentions("systemd") || mentions("openssh-server"))).into()
            }
        }
    }
}

/// The scripts that a text takes in or calls (`source`, `.`, `bash x.sh`, `./x.sh`): how, and the path.
fn called(text: &str) -> Vec<(String, String)> {
    static TAKES: OnceLock<Option<regex::Regex>> = OnceLock::new();
    let takes = pattern(
        &TAKES,
        r#"(?m)(?:^|[;&|]|\bsudo|\bthen|\bdo)\s*(?:-[EHn]+\s+)*(?:(source|\.|bash|sh)\s+(?:-[a-z]+\s+)*["']?((?:[\w.-]*/)*[\w.-]+)|((?:\.{0,2}/)(?:[\w.-]+/)*[\w-]+\.(?:sh|bash)))"#,
    );
    let Some(takes) = takes else { return Vec::new() };
    let found = takes.captures_iter(text).filter_map(|found| {
        let path = found.get(2).or_else(|| found.get(3))?;
        Some((found.get(1).map_or("", |how| how.as_str()).to_owned(), path.as_str().to_owned()))
    });
    found.collect()
}

/// Whether a provisioner runs on Windows only.
fn is_for_windows(step: &Provisioner) -> bool {
    let windows_script = |path: &str| [".bat", ".cmd", ".ps1"].iter().any(|suffix| path.ends_with(suffix));
    step.kind.starts_with("windows-")
        || &*step.kind == "powershell"
        || step.scripts.iter().any(|script| script.path.as_str().is_some_and(windows_script))
}

/// Systems that have no machine id: none of them runs systemd.
const WITHOUT_MACHINE_ID: [&str; 18] = [
    "alpine",
    "openbsd",
    "freebsd",
    "netbsd",
    "dragonfly",
    "dragonflybsd",
    "tinycore",
    "tinycorelinux",
    "devuan",
    "voidlinux",
    "slackware",
    "pfsense",
    "opnsense",
    "openwrt",
    "omnios",
    "solaris",
    "macos",
    "darwin",
];

/// Whether the guest is declared to be Windows.
fn is_windows(source: &Source) -> bool {
    let named =
        |name: &&str| source.get(name).as_str().is_some_and(|text| text.to_ascii_lowercase().starts_with("win"));
    ["guest_os_type", "guest_os", "os", "os_type"].iter().any(named)
        || source.get("shutdown_command").contains("shutdown /").is_true()
}
