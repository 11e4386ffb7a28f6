//! What an image is made from, and what of that floats.

use super::{Plugin, Source};
use crate::knowledge::packer::{self, Builder, Floating, Floats};
use crate::text::Loc;
use crate::value::{Data, Kind, Piece, Tri, Value};
use regex::Regex;
use std::sync::OnceLock;

/// A pattern that is part of the program; one that did not compile would match nothing.
pub(super) fn pattern(memory: &'static OnceLock<Option<Regex>>, text: &str) -> Option<&'static Regex> {
    memory.get_or_init(|| Regex::new(text).ok()).as_ref()
}

impl Source {
    /// What is known of its builder.
    #[must_use]
    pub fn row(&self) -> Option<&'static Builder> {
        packer::builder(&self.builder)
    }

    /// The first of some arguments that is given (or may be).
    fn first(&self, paths: &'static [String]) -> Option<(&'static str, Value)> {
        paths.iter().map(|path| (path.as_str(), self.get(path))).find(|(_, value)| !value.is_absent())
    }

    /// The argument that names what it starts from, and its value.
    #[must_use]
    pub fn base_argument(&self) -> Option<(&'static str, Value)> {
        self.first(&self.row()?.bases)
    }

    /// What it starts from; absent when the builder needs nothing or is not known.
    #[must_use]
    pub fn base(&self) -> Value {
        self.base_argument().map_or_else(Value::absent, |(_, value)| value)
    }

    /// The checksum of what it downloads.
    #[must_use]
    pub fn checksum(&self) -> Value {
        self.row().and_then(|row| self.first(&row.checksums)).map_or_else(Value::absent, |(_, value)| value)
    }

    /// Whether what it downloads is not checked: `none`, or no checksum at all.
    #[must_use]
    pub fn checksum_none(&self) -> Tri {
        let Some(row) = self.row().filter(|row| !row.checksums.is_empty()) else { return Tri::False };
        match self.first(&row.checksums) {
            Some((path, value)) => {
                // An empty default is a blank to be filled in.
                if value.as_str() == Some("") {
                    return Tri::Unknown(format!("{path} is empty").into());
                }
                value.equals(&Data::from("none"))
            }
            None => self.first(&row.downloads).map_or(Tri::False, |(_, download)| match download.as_list() {
                Some(list) if list.items.is_empty() => Tri::False,
                _ if download.as_str() == Some("") => Tri::False,
                _ => download.has(),
            }),
        }
    }

    /// Whether what it starts from is fetched from elsewhere, and not a file that somebody brings.
    #[must_use]
    pub fn downloads(&self) -> Tri {
        let download = self.row().and_then(|row| self.first(&row.downloads));
        let Some((_, download)) = download else { return Tri::False };
        let download = download.as_list().and_then(|list| list.items.first().cloned()).unwrap_or(download);
        ["https://", "http://", "ftp://"]
            .iter()
            .fold(Tri::False, |found, scheme| found.or(|| download.starts_with(scheme)))
    }

    /// Whether "the newest" is taken of several images.
    #[must_use]
    pub fn most_recent(&self) -> Tri {
        let truths = self.row().map(|row| row.floats.iter().filter(|float| float.is == Floats::True));
        truths.into_iter().flatten().fold(Tri::False, |found, float| found.or(|| self.floats_by(float)))
    }

    /// Whether the base changes without a commit.
    #[must_use]
    pub fn floating(&self) -> Tri {
        let Some(row) = self.row() else { return Tri::False };
        let found = row.floats.iter().fold(Tri::False, |found, float| found.or(|| self.floats_by(float)));
        found.or(|| self.download_floats(row))
    }

    fn floats_by(&self, float: &Floating) -> Tri {
        let value = self.get(&float.path);
        match float.is {
            Floats::Given => value.has(),
            Floats::True => value.equals(&Data::Bool(true)),
            Floats::Latest if value.is_absent() => match &float.beside {
                Some(beside) => self.get(beside).has(),
                None => Tri::False,
            },
            Floats::Latest => value.equals(&Data::from("latest")),
            Floats::Undigested => value.has().and(|| !value.contains("@sha256:")),
        }
    }

    /// An address that says "the current one", unless a digest pins what comes.
    fn download_floats(&self, row: &'static Builder) -> Tri {
        static WORDS: OnceLock<Option<Regex>> = OnceLock::new();
        static DIGEST: OnceLock<Option<Regex>> = OnceLock::new();
        let Some((_, download)) = self.first(&row.downloads) else { return Tri::False };
        let download = download.as_list().and_then(|list| list.items.first().cloned()).unwrap_or(download);
        let Some(words) = pattern(&WORDS, r"[/_.-](current|latest|daily|rolling)[/_.-]") else { return Tri::False };
        // What is only partly known says "current" in a known part or is taken for a version.
        let says = match &download.kind {
            Kind::Text(pieces) => {
                pieces.iter().any(|piece| matches!(piece, Piece::Lit(text) if words.is_match(text))).into()
            }
            _ => download.matches(words),
        };
        let pinned = || match pattern(&DIGEST, r"^((sha(1|256|512)|md5):)?[0-9a-fA-F]{32,128}$") {
            Some(digest) => self.checksum().matches(digest),
            None => Tri::False,
        };
        says.and(|| !pinned())
    }

    /// The argument to point at when the base floats: the one that makes it float, else the base.
    #[must_use]
    pub fn floating_place(&self) -> Loc {
        let row = self.row();
        let floats = row.into_iter().flat_map(|row| &row.floats).find(|float| self.floats_by(float).is_true());
        let path = floats.map(|float| float.path.as_str()).filter(|path| !self.get(path).is_absent());
        self.place(path.or_else(|| self.base_argument().map(|(path, _)| path)).unwrap_or(""))
    }

    /// The argument to point at when nothing checks a download: the checksum, else the download.
    #[must_use]
    pub fn checksum_place(&self) -> Loc {
        let row = self.row();
        let checksum = row.and_then(|row| self.first(&row.checksums));
        self.place(checksum.or_else(|| row.and_then(|row| self.first(&row.downloads))).map_or("", |(path, _)| path))
    }

    /// The machine or disk that it is copied from; absent when it starts from an image or disc.
    #[must_use]
    pub fn clone_of(&self) -> Value {
        self.row().and_then(|row| self.first(&row.live)).map_or_else(Value::absent, |(_, value)| value)
    }

    /// The argument that names [`Source::clone_of`].
    #[must_use]
    pub fn clone_place(&self) -> Loc {
        self.place(self.row().and_then(|row| self.first(&row.live)).map_or("", |(path, _)| path))
    }

    /// Whether the builder can only work on a machine that exists already.
    #[must_use]
    pub fn mutates_machine(&self) -> bool {
        self.row().is_some_and(|row| row.always_live)
    }

    /// Whether the machine that it builds on stays as one.
    #[must_use]
    pub fn keeps_machine(&self) -> Tri {
        let paths = self.row().map_or(&[] as &[String], |row| &row.keeps);
        paths.iter().fold(Tri::False, |found, path| found.or(|| self.get(path).equals(&Data::Bool(true))))
    }

    /// The snapshot of a disk that goes into the image; absent when there is none.
    #[must_use]
    pub fn data_snapshot(&self) -> Value {
        self.row().and_then(|row| self.first(&row.snapshots)).map_or_else(Value::absent, |(_, value)| value)
    }

    /// The machine that exists and is worked on; absent when there is none, or when it is the build host.
    #[must_use]
    pub fn existing_host(&self) -> Value {
        let host = self.row().and_then(|row| self.first(&row.hosts)).map_or_else(Value::absent, |(_, value)| value);
        let own = matches!(host.as_str(), Some("localhost" | "127.0.0.1" | "::1" | ""));
        if own || self.get("communicator").as_str() == Some("none") { Value::absent() } else { host }
    }

    /// The argument to point at for what makes an image of something that runs.
    #[must_use]
    pub fn live_place(&self) -> Loc {
        let Some(row) = self.row() else { return self.loc };
        let keeps = row.keeps.iter().find(|path| self.get(path).equals(&Data::Bool(true)).is_true());
        let first = self.first(&row.snapshots).or_else(|| self.first(&row.hosts)).map(|(path, _)| path);
        self.place(keeps.map(String::as_str).or(first).unwrap_or(""))
    }

    /// What the artefact is called; absent when nothing says so.
    #[must_use]
    pub fn artefact(&self) -> Value {
        self.row().and_then(|row| self.first(&row.names)).map_or_else(Value::absent, |(_, value)| value)
    }

    /// Whether an existing artefact of that name is replaced by order.
    #[must_use]
    pub fn replaces_artefact(&self) -> Tri {
        let paths = self.row().map_or(&[] as &[String], |row| &row.overwrites);
        paths.iter().fold(Tri::False, |found, path| found.or(|| self.get(path).equals(&Data::Bool(true))))
    }

    /// The argument to point at for [`Source::replaces_artefact`] and [`Source::constant_name`].
    #[must_use]
    pub fn artefact_place(&self) -> Loc {
        let Some(row) = self.row() else { return self.loc };
        let replaces = row.overwrites.iter().find(|path| self.get(path).equals(&Data::Bool(true)).is_true());
        self.place(replaces.map(String::as_str).or_else(|| self.first(&row.names).map(|(path, _)| path)).unwrap_or(""))
    }

    /// Whether the artefact has the same name whenever it is built: a literal without version.
    #[must_use]
    pub fn constant_name(&self) -> Tri {
        static VERSION: OnceLock<Option<Regex>> = OnceLock::new();
        let name = self.artefact();
        if name.is_absent() || name.via.is_some() {
            // What comes through a variable may be given for each build.
            return Tri::False;
        }
        match (name.as_str(), pattern(&VERSION, r"(?i)(^|[-_.])(v\d+|r\d+|\d{6,}|\d+\.\d+\.\d+)([-_.]|$)|\{\{")) {
            (Some(text), Some(version)) => (!version.is_match(text)).into(),
            _ => Tri::False,
        }
    }
}

impl Plugin {
    /// Whether its version may change without a commit: no constraint, or none with an upper bound.
    #[must_use]
    pub fn floating(&self) -> Tri {
        match (self.version.as_str(), self.version.is_absent()) {
            (_, true) => Tri::True,
            (Some(text), _) => {
                let bounded = |part: &str| !part.is_empty() && !part.starts_with(['>', '!']);
                (!text.split(',').map(str::trim).any(bounded)).into()
            }
            (None, false) => Tri::Unknown(self.version.reason().unwrap_or_else(|| "it is no version".into())),
        }
    }
}
