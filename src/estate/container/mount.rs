//! Mounts, whatever notation declares them.

use super::flat::Flat;
use crate::text::{HOLE, Loc};
use crate::value::Value;

/// What is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountKind {
    /// A volume with a name.
    Named,
    /// A place of the host by its absolute path, or by one that is not known.
    Bind,
    /// A place of the host relative to the declaration.
    RelativeBind,
    /// A volume without a name: it goes with the container.
    Anonymous,
    /// Memory.
    Memory,
    /// A directory that a cluster makes for one pod: it goes with it.
    EmptyDir,
    /// A claim of a cluster.
    Claim,
    /// Not to be told.
    Unknown,
}

impl MountKind {
    /// Whether what is kept there outlives the container; `None` when that cannot be told.
    #[must_use]
    pub const fn durable(self) -> Option<bool> {
        match self {
            Self::Named | Self::Bind | Self::RelativeBind | Self::Claim => Some(true),
            Self::Anonymous | Self::Memory | Self::EmptyDir => Some(false),
            Self::Unknown => None,
        }
    }

    /// As cards spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Bind => "bind",
            Self::RelativeBind => "relative-bind",
            Self::Anonymous => "anonymous",
            Self::Memory => "memory",
            Self::EmptyDir => "empty-dir",
            Self::Claim => "claim",
            Self::Unknown => "unknown",
        }
    }
}

/// One mount of a container.
#[derive(Clone, Debug)]
pub struct Mount {
    /// The path in the container.
    pub target: Value,
    /// The volume's name or the path on the host.
    pub source: Value,
    /// What is mounted.
    pub kind: MountKind,
    /// Where it is declared.
    pub loc: Loc,
}

impl Mount {
    /// A mount in the short notation `source:target:options`, or `target` alone.
    pub(super) fn short(value: &Value, loc: Loc) -> Option<Self> {
        let flat = Flat::of(value)?;
        let mut parts = flat.between_colons();
        // A drive letter is no source of its own.
        let drive = parts.first().is_some_and(|part| {
            flat.text[part.clone()].len() == 1 && flat.text[part.clone()].chars().all(|c| c.is_ascii_alphabetic())
        });
        if drive && parts.len() > 2 && flat.text[parts[1].clone()].starts_with(['/', '\\']) {
            parts[1] = parts[0].start..parts[1].end;
            parts.remove(0);
        }
        let unknown =
            || Self { target: Value::unknown(reason(value)), source: Value::absent(), kind: MountKind::Unknown, loc };
        let [first, rest @ ..] = parts.as_slice() else { return None };
        let source = &flat.text[first.clone()];
        let Some(target) = rest.first() else {
            if source.starts_with('/') {
                let target = flat.part(first.clone());
                return Some(Self { target, source: Value::absent(), kind: MountKind::Anonymous, loc });
            }
            return source.contains(HOLE).then(unknown);
        };
        let path = &flat.text[target.clone()];
        if !path.starts_with(['/', HOLE]) && path.len() != 1 {
            return Some(unknown()).filter(|_| flat.text.contains(HOLE));
        }
        Some(Self { target: flat.part(target.clone()), source: flat.part(first.clone()), kind: kind_of(source), loc })
    }

    /// A mount whose parts are given one by one; `kind` is `bind`, `volume`, `tmpfs`… or absent.
    pub(super) fn long(kind: &Value, source: Value, target: Value, loc: Loc) -> Option<Self> {
        if target.is_absent() {
            return None;
        }
        let flat = Flat::of(&source).map(|flat| flat.text).unwrap_or_default();
        let kind = match kind.scalar().as_deref() {
            Some("tmpfs" | "ramfs") => MountKind::Memory,
            Some("volume") if flat.is_empty() => MountKind::Anonymous,
            Some("volume") => MountKind::Named,
            Some("bind") if flat.starts_with('.') => MountKind::RelativeBind,
            Some("bind" | "nfs" | "cluster" | "glob" | "npipe") => MountKind::Bind,
            None if kind.is_absent() && flat.is_empty() => MountKind::Anonymous,
            None if kind.is_absent() => kind_of(&flat),
            _ => MountKind::Unknown,
        };
        Some(Self { target, source, kind, loc })
    }

    /// Memory at a path (`/run`, `/run:size=64m`).
    pub(super) fn memory(value: &Value, loc: Loc) -> Option<Self> {
        let flat = Flat::of(value)?;
        let target = flat.between_colons().first().cloned()?;
        Some(Self { target: flat.part(target), source: Value::absent(), kind: MountKind::Memory, loc })
    }

    /// A mount in the notation of `--mount`: `type=bind,source=/a,target=/b`.
    pub(super) fn pairs(value: &Value, loc: Loc) -> Option<Self> {
        let flat = Flat::of(value)?;
        let (mut kind, mut source, mut target) = (Value::known("volume"), Value::absent(), Value::absent());
        let mut at = 0;
        for field in flat.text.split(',') {
            let (start, end) = (at, at + field.len());
            at = end + 1;
            let Some((key, _)) = field.split_once('=') else { continue };
            let held = flat.part(start + key.len() + 1..end);
            match key.trim() {
                "type" => kind = held,
                "source" | "src" => source = held,
                "target" | "dst" | "destination" => target = held,
                _ => {}
            }
        }
        if target.is_absent() && flat.text.contains(HOLE) {
            target = Value::unknown(reason(value));
        }
        Self::long(&kind, source, target, loc)
    }

    /// The exactly known target, without a slash at its end.
    pub(super) fn path(&self) -> Option<String> {
        let path = self.target.scalar()?;
        let path = path.trim_end_matches('/');
        Some(if path.is_empty() { "/".to_owned() } else { path.to_owned() })
    }
}

fn reason(value: &Value) -> crate::value::Reason {
    value.reason().unwrap_or_else(|| "a mount is only partly known".into())
}

/// What a source in the short notation names.
fn kind_of(source: &str) -> MountKind {
    if source.starts_with('.') {
        MountKind::RelativeBind
    } else if source.starts_with("/dev/shm") {
        MountKind::Memory
    } else if source.is_empty() {
        MountKind::Anonymous
    } else if source.contains(['/', '\\', HOLE]) || source.starts_with('~') {
        // A source that is not known is a path or a volume's name: both last.
        MountKind::Bind
    } else {
        MountKind::Named
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Piece;

    fn short(text: &str) -> Option<(MountKind, String)> {
        let pieces = text.split('?').enumerate().flat_map(|(at, literal)| {
            let hole = (at > 0).then(|| Piece::Hole("unset".into()));
            hole.into_iter().chain((!literal.is_empty()).then(|| Piece::Lit(literal.into())))
        });
        Mount::short(&Value::text(pieces.collect()), Loc::default()).map(|mount| (mount.kind, mount.target.display()))
    }

    #[test]
    fn short_notation() {
        for (text, kind, target) in [
            ("pg:/var/lib/pg", MountKind::Named, "/var/lib/pg"),
            ("/srv/pg:/var/lib/pg:Z", MountKind::Bind, "/var/lib/pg"),
            ("./pg:/var/lib/pg", MountKind::RelativeBind, "/var/lib/pg"),
            ("../pg:/var/lib/pg:ro", MountKind::RelativeBind, "/var/lib/pg"),
            ("~/pg:/p", MountKind::Bind, "/p"),
            ("/var/lib/pg", MountKind::Anonymous, "/var/lib/pg"),
            ("?:/p", MountKind::Bind, "/p"),
            ("?/pg:/p", MountKind::Bind, "/p"),
            ("?-pg:/p", MountKind::Bind, "/p"),
            ("a:?", MountKind::Named, "an unknown value"),
            ("?", MountKind::Unknown, "an unknown value"),
            ("?:ro", MountKind::Unknown, "an unknown value"),
            ("C:/data:/p", MountKind::Bind, "/p"),
            ("/dev/shm:/p", MountKind::Memory, "/p"),
        ] {
            assert_eq!(short(text), Some((kind, target.to_owned())), "{text}");
        }
        assert!(short("").is_none() && short("name").is_none());
    }

    #[test]
    fn mount_option() {
        let mount = Mount::pairs(&Value::known("type=bind,source=/a,target=/b/"), Loc::default()).unwrap();
        assert_eq!((mount.kind, mount.path().as_deref()), (MountKind::Bind, Some("/b")));
        let mount = Mount::pairs(&Value::known("target=/b"), Loc::default()).unwrap();
        assert_eq!(mount.kind, MountKind::Anonymous);
    }
}
