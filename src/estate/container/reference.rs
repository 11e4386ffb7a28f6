//! Image references: their parts, and whether what they name changes over time.

use super::flat::Flat;
use crate::text::HOLE;
use crate::value::{Reason, Tri, Value};

/// Tags, or first words of tags, that name whatever is newest.
const FLOATING: &str = "latest stable main master edge nightly release rolling dev develop development devel lts current \
    production prod beta alpha canary next trunk head unstable testing snapshot staging preview daily \
    weekly mainline alpine slim fpm ci insiders experimental unsupported";

/// An image reference.
#[derive(Clone, Debug)]
pub struct Reference {
    /// `ghcr.io`; `None` when it names none.
    pub registry: Option<String>,
    /// `immich-app/postgres`, a hole for each unknown part.
    pub repository: String,
    /// What stands after the colon.
    pub tag: Option<Value>,
    /// What stands after the `@`.
    pub digest: Option<Value>,
    end: Option<Reason>,
}

impl Reference {
    /// Takes a reference apart; `None` when nothing of it is known.
    pub(super) fn parse(image: &Flat) -> Option<Self> {
        let text = image.text.strip_prefix("docker://").unwrap_or(&image.text).trim();
        if text.is_empty() || text.chars().all(|c| c == HOLE) {
            return None;
        }
        let offset = image.text.find(text)?;
        let (name, digest) = match text.split_once('@') {
            Some((name, _)) => (name, Some(image.part(offset + name.len() + 1..offset + text.len()))),
            None => (text, None),
        };
        let last = name.rfind('/').map_or(0, |at| at + 1);
        let colon = name[last..].find(':').map(|at| last + at);
        let tag = colon.map(|at| image.part(offset + at + 1..offset + name.len()));
        let path = &name[..colon.unwrap_or(name.len())];
        let (registry, repository) = match path.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':', HOLE]) || first == "localhost" => {
                (Some(first.to_owned()), rest)
            }
            _ => (None, path),
        };
        // A last part that ends in something unknown may hold tag and digest.
        let end = (tag.is_none() && path.ends_with(HOLE))
            .then(|| image.part(offset + path.len() - HOLE.len_utf8()..offset + path.len()).reason())
            .flatten();
        Some(Self { registry, repository: repository.to_owned(), tag, digest, end })
    }

    /// The reference that the table of services is asked for; `None` when the repository is not known well enough.
    pub(super) fn lookup(&self) -> Option<String> {
        let last = self.repository.rsplit('/').next().unwrap_or_default();
        if last.contains(HOLE) {
            return None;
        }
        let repository = self.repository.trim_start_matches(HOLE).trim_start_matches('/');
        let known = repository.rsplit(HOLE).next().unwrap_or_default().trim_start_matches('/');
        match &self.registry {
            Some(registry) if !registry.contains(HOLE) => Some(format!("{registry}/{known}")),
            None if known.len() == self.repository.len() => Some(known.to_owned()),
            _ => Some(format!("registry.invalid/{known}")),
        }
    }

    /// Why tag and digest are not known, if their place is not.
    pub(super) fn unknown_end(&self) -> Option<Reason> {
        self.end.clone()
    }
}

/// Whether an image floats.
pub(super) fn floating(image: &Value) -> Tri {
    let Some(flat) = Flat::of(image) else { return Tri::False };
    let Some(reference) = Reference::parse(&flat) else {
        return image.reason().map_or(Tri::False, Tri::Unknown);
    };
    // What a content address names is fixed; what lies only on the host was built there.
    let is_id = flat.text.starts_with("sha256:") || reference.registry.as_deref() == Some("localhost");
    if reference.digest.is_some() || is_id || reference.repository == "scratch" {
        return Tri::False;
    }
    let Some(tag) = &reference.tag else {
        return reference.end.map_or(Tri::True, Tri::Unknown);
    };
    match tag.scalar() {
        Some(tag) => floats(&tag).into(),
        None => partly(tag),
    }
}

/// Whether a partly known tag floats: a known version number in it decides that it does not.
fn partly(tag: &Value) -> Tri {
    let reason = tag.reason().unwrap_or_else(|| "its tag is not known".into());
    let text = Flat::of(tag).map(|flat| flat.text).unwrap_or_default();
    if text.ends_with("-latest") {
        return Tri::True;
    }
    let version = text.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()) && text.contains('.');
    if version { Tri::False } else { Tri::Unknown(reason) }
}

/// Whether a tag names whatever is newest.
fn floats(tag: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    if tag.is_empty() {
        return true;
    }
    let mut words = tag.split(['-', '_', '.']);
    let Some(first) = words.next() else { return false };
    if matches!(tag.rsplit(['-', '_', '.']).next(), Some("latest" | "nightly")) {
        return true;
    }
    if !FLOATING.split(' ').any(|word| word == first) {
        return false;
    }
    // `release-1.2`, `main-20240131` and `nightly.3f2a91c` name one build.
    !words.any(|word| {
        let bare = word.strip_prefix('v').unwrap_or(word);
        bare.starts_with(|c: char| c.is_ascii_digit())
            || (word.len() >= 6
                && word.chars().all(|c| c.is_ascii_hexdigit())
                && word.contains(|c: char| c.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Piece;

    fn value(text: &str) -> Value {
        let pieces = text.split('?').enumerate().flat_map(|(at, literal)| {
            let hole = (at > 0).then(|| Piece::Hole("unset".into()));
            hole.into_iter().chain((!literal.is_empty()).then(|| Piece::Lit(literal.into())))
        });
        Value::text(pieces.collect())
    }

    #[test]
    fn parts() {
        let parse = |text| Reference::parse(&Flat::of(&value(text)).unwrap());
        let reference = parse("registry.local:5000/a/pg:16@sha256:00").unwrap();
        assert_eq!(reference.registry.as_deref(), Some("registry.local:5000"));
        assert_eq!(
            (reference.repository.as_str(), reference.tag.as_ref().and_then(Value::as_str)),
            ("a/pg", Some("16"))
        );
        assert_eq!(reference.digest.unwrap().as_str(), Some("sha256:00"));
        assert_eq!(parse("?/postgres:16").unwrap().lookup().as_deref(), Some("registry.invalid/postgres"));
        assert_eq!(
            parse("ghcr.io/immich-app/postgres:14").unwrap().lookup().as_deref(),
            Some("ghcr.io/immich-app/postgres")
        );
        assert!(parse("me/?:16").unwrap().lookup().is_none());
        assert!(parse("?").is_none() && parse("").is_none());
    }

    #[test]
    fn floating_images() {
        for image in [
            "nginx",
            "nginx:latest",
            "a/b:stable-alpine",
            "ghcr.io/x/y:main",
            "timescale/timescaledb:latest-pg16",
            "mssql/server:2022-latest",
            "redis:alpine",
            "?/app",
            "?:latest",
            "registry:5000/app",
            "jenkins/jenkins:lts-jdk17",
            "ghcr.io/immich-app/server:release",
        ] {
            assert_eq!(floating(&value(image)), Tri::True, "{image}");
        }
        for image in [
            "nginx:1.27.2",
            "postgres:16",
            "a@sha256:00",
            "a:latest@sha256:00",
            "a:main-3f2a91c",
            "a:release-1.2",
            "minio/minio:RELEASE.2024-01-01T00-00-00Z",
            "localhost/own",
            "a:nightly-20240102",
            "traefik:v3",
            "redis:7-alpine",
            "?:16",
            "a@?",
            "a:v1.2.?",
            "ubuntu:jammy",
            "sha256:0123",
        ] {
            assert_eq!(floating(&value(image)), Tri::False, "{image}");
        }
        for image in ["?", "a:?", "app?", "?/?", "a:16?"] {
            assert!(matches!(floating(&value(image)), Tri::Unknown(_)), "{image}");
        }
        assert_eq!(floating(&Value::absent()), Tri::False);
    }
}
