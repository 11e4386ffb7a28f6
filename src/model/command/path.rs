//! Folders and files that commands name, as far as they are known: what a path leaves open (`envs/$ENV`) stands for every one
//! that fits, and means the same wherever it is open for the same reason.

use crate::source;
use crate::text::HOLE;
use crate::value::{Data, Kind, Piece, Value};
use regex::Regex;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// So many folders or files stand for one that is left open.
pub const MAX_FITTING: usize = 32;
/// What a Jinja expression or its like was replaced by, letter by letter.
const MASK: char = '\u{1}';

/// Variables that may be set from outside, with their defaults.
pub type Defaults = [(Box<str>, Box<str>)];

/// What a left-open piece stands for, by the reason that it is open.
pub type Bound = HashMap<Arc<str>, String>;

/// A folder that commands stand in, and what that says of open pieces.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder.
    pub folder: String,
    /// What open pieces stand for there.
    pub bound: Bound,
}

/// The folders, of all of these, that a path leads to; `real` follows links to folders.
#[must_use]
pub fn folders(
    all: &BTreeSet<&str>,
    real: &dyn Fn(&str) -> String,
    from: &[Place],
    path: &Value,
    defaults: &Defaults,
) -> Vec<Place> {
    let listed: Vec<&str> = all.iter().copied().collect();
    let mut found: Vec<Place> = Vec::new();
    for base in from {
        for pieces in possible(path, defaults) {
            for (folder, bound) in fit(&base.folder, &pieces, &base.bound, &listed) {
                if found.len() < MAX_FITTING && found.iter().all(|place| place.folder != folder) {
                    found.push(Place { folder, bound });
                }
            }
        }
        if found.is_empty()
            && let Some(linked) = path.as_str().and_then(|path| source::join(&base.folder, path))
        {
            // A link to a folder is where the program runs as well.
            let real = real(&linked);
            let known = all.contains(&*real);
            found.extend(known.then(|| Place { folder: real, bound: base.bound.clone() }));
        }
        if !found.is_empty() {
            break;
        }
    }
    found
}

/// The files that a path leads to from a run's folder, else from where the command is written.
#[must_use]
pub fn fitting(
    path: &Value,
    place: &Place,
    bound: &Bound,
    bases: &[Place],
    defaults: &Defaults,
    all: &[&str],
) -> Vec<(String, Bound)> {
    for base in std::iter::once(place).chain(bases) {
        let pieces = possible(path, defaults).into_iter();
        let mut found: Vec<(String, Bound)> =
            pieces.flat_map(|pieces| fit(&base.folder, &pieces, bound, all)).collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found.dedup_by(|(a, _), (b, _)| a == b);
        if !found.is_empty() && found.len() <= MAX_FITTING {
            return found;
        }
    }
    Vec::new()
}

/// The texts that a path may be, in pieces: what is only a default is left open.
#[must_use]
pub fn possible(path: &Value, defaults: &Defaults) -> Vec<Vec<Piece>> {
    let texts: Vec<Vec<Piece>> = match &path.kind {
        Kind::OneOf(values) => values.iter().filter_map(|data| Some(vec![Piece::Lit(data.scalar()?)])).collect(),
        _ => pieces(path).into_iter().collect(),
    };
    texts.into_iter().map(|pieces| pieces.into_iter().flat_map(|piece| opened(piece, defaults)).collect()).collect()
}

/// A piece of a path with each name in it that is the default of a variable left open.
fn opened(piece: Piece, defaults: &Defaults) -> Vec<Piece> {
    let Piece::Lit(text) = &piece else { return vec![piece] };
    let mut out = Vec::new();
    let mut literal = String::new();
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_') {
        let name = word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_');
        match defaults.iter().find(|(_, default)| !name.is_empty() && &**default == name) {
            Some((variable, _)) => {
                out.push(Piece::Lit(std::mem::take(&mut literal).into()));
                out.push(Piece::Hole(format!("`{variable}` may be set where it is run").into()));
                literal.push_str(&word[name.len()..]);
            }
            None => literal.push_str(word),
        }
    }
    out.push(Piece::Lit(literal.into()));
    out.retain(|piece| *piece != Piece::Lit("".into()));
    out
}

/// Every alternative with every path that fits it; none fits: told as none.
pub fn multiply<T: Clone>(
    runs: &mut Vec<(T, Bound)>,
    fitting: impl Fn(&Bound) -> Vec<(String, Bound)>,
    put: impl Fn(&mut T, Option<String>),
) {
    for (mut run, bound) in std::mem::take(runs) {
        let paths = fitting(&bound);
        if paths.is_empty() || runs.len() + paths.len() > MAX_FITTING {
            put(&mut run, None);
            runs.push((run, bound));
            continue;
        }
        for (path, bound) in paths {
            let mut run = run.clone();
            put(&mut run, Some(path));
            runs.push((run, bound));
        }
    }
}

/// A value as far as it is known for one way in which a command is run: a default that may be set from outside is open,
/// unless a path told which it is.
#[must_use]
pub fn settled(value: &Value, defaults: &Defaults, bound: &Bound) -> Value {
    let Some(pieces) = pieces(value) else { return value.clone() };
    let opened = pieces.into_iter().flat_map(|piece| opened(piece, defaults));
    let known = opened.map(|piece| match &piece {
        Piece::Hole(reason) => bound.get(reason).map_or(piece.clone(), |text| Piece::Lit(text.as_str().into())),
        Piece::Lit(_) => piece,
    });
    Value { kind: Value::text(known.collect()).kind, ..value.clone() }
}

/// The pieces of a text; none when it is wholly unknown.
#[must_use]
pub fn pieces(value: &Value) -> Option<Vec<Piece>> {
    let whole: Vec<Piece> = match &value.kind {
        Kind::Known(Data::Str(text)) => vec![Piece::Lit(text.clone())],
        Kind::Text(pieces) => pieces.to_vec(),
        Kind::Unknown(reason) => vec![Piece::Hole(reason.clone())],
        _ => return None,
    };
    // A masked expression is a hole as well.
    let mut out = Vec::with_capacity(whole.len());
    for piece in whole {
        match piece {
            Piece::Lit(text) if text.contains([MASK, HOLE]) => {
                let mut rest = &*text;
                while let Some(at) = rest.find([MASK, HOLE]) {
                    let (before, after) = rest.split_at(at);
                    let after = after.trim_start_matches([MASK, HOLE]);
                    out.push(Piece::Lit(before.into()));
                    out.push(Piece::Hole("it is filled in when the text is rendered".into()));
                    rest = after;
                }
                out.push(Piece::Lit(rest.into()));
            }
            piece => out.push(piece),
        }
    }
    out.retain(|piece| *piece != Piece::Lit("".into()));
    Some(out)
}

/// Which of `all` a path leads to from a folder. A hole at the start is the folder of the script or repository; another
/// one is a part of a name, the same wherever it is open for the same reason.
#[must_use]
pub fn fit(from: &str, pieces: &[Piece], bound: &Bound, all: &[&str]) -> Vec<(String, Bound)> {
    let pieces = match pieces {
        [Piece::Hole(reason), rest @ ..] if !bound.contains_key(reason) => match rest {
            [Piece::Lit(text), ..] if text.starts_with('/') => rest,
            _ => pieces,
        },
        pieces => pieces,
    };
    let mut text = String::new();
    let mut holes: Vec<&Arc<str>> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Lit(lit) => text.push_str(lit),
            Piece::Hole(reason) => {
                if let Some(known) = bound.get(reason) {
                    text.push_str(known);
                } else {
                    text.push(HOLE);
                    holes.push(reason);
                }
            }
        }
    }
    let Some(path) = source::join(from, text.trim_start_matches("./")) else { return Vec::new() };
    if holes.is_empty() {
        let exact = all.iter().find(|known| **known == path);
        return exact.map(|known| ((*known).to_owned(), bound.clone())).into_iter().collect();
    }
    // A path of nothing but an open name fits everything, which says nothing.
    if path.chars().all(|c| matches!(c, HOLE | '/')) {
        return Vec::new();
    }
    let pattern = regex::escape(&path).replace(HOLE, "([^/]+)");
    let Ok(pattern) = Regex::new(&format!("^{pattern}$")) else { return Vec::new() };
    let mut found = Vec::new();
    for known in all {
        let Some(captures) = pattern.captures(known) else { continue };
        let mut bound = bound.clone();
        let agree = holes.iter().zip(captures.iter().skip(1).flatten()).all(|(reason, segment)| {
            bound.entry((*reason).clone()).or_insert_with(|| segment.as_str().to_owned()) == segment.as_str()
        });
        if agree {
            found.push(((*known).to_owned(), bound));
        }
    }
    found
}
