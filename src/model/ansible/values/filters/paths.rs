//! Filters of paths: what they say by their text.

use super::super::ops::plain;
use super::super::val::{Res, V, Val};
use super::{Args, Row, lists, string, within};
use crate::value::Piece;
use std::sync::Arc;

pub(super) const FILTERS: &[Row] = &[
    ("basename", &[], |of, _| basename(of)),
    ("dirname", &[], |of, _| dirname(of)),
    ("splitext", &[], |of, _| splitext(of)),
    ("path_join", &[], |of, _| path_join(of)),
    ("normpath", &[], |of, _| Ok(normal(&string(of)?).into())),
    ("commonpath", &[], |of, _| commonpath(of)),
    ("relpath", &["start"], relpath),
    ("win_basename", &[], |of, _| windows(of, true)),
    ("win_dirname", &[], |of, _| windows(of, false)),
];

/// The last part of a path; the text after the last `/` may be known where the rest is not.
fn basename(of: &Val) -> Res {
    if let V::Text(pieces) = &of.v {
        let at = pieces.iter().rposition(|piece| matches!(piece, Piece::Lit(text) if text.contains('/')));
        let after = &pieces[at.ok_or_else(|| of.not("known path"))?..];
        // A hole may hold a `/` itself.
        if let [Piece::Lit(text)] = after {
            return Ok(text.rsplit('/').next().unwrap_or("").into());
        }
        return Err(of.not("known path"));
    }
    let path = plain(of)?;
    Ok(path.rsplit('/').next().unwrap_or("").into())
}

fn dirname(of: &Val) -> Res {
    if let V::Text(pieces) = &of.v {
        if let Some((Piece::Lit(last), before)) = pieces.split_last()
            && let Some((folder, _)) = last.rsplit_once('/')
        {
            let folder = folder.trim_end_matches('/');
            let whole = before.iter().cloned().chain([Piece::Lit(folder.into())]);
            return Ok(Val::text(whole.collect()));
        }
        return Err(of.not("known path"));
    }
    let path = plain(of)?;
    let Some(at) = path.rfind('/') else { return Ok("".into()) };
    let head = &path[..=at];
    let trimmed = head.trim_end_matches('/');
    Ok(if trimmed.is_empty() { head } else { trimmed }.into())
}

fn splitext(of: &Val) -> Res {
    let path = string(of)?;
    let start = path.rfind('/').map_or(0, |at| at + 1);
    let name = &path[start..];
    let leading = name.len() - name.trim_start_matches('.').len();
    let (root, extension) = match name[leading..].rfind('.') {
        Some(at) => path.split_at(start + leading + at),
        None => (&*path, ""),
    };
    Ok(Val::tuple(vec![root.into(), extension.into()]))
}

fn path_join(of: &Val) -> Res {
    if let V::Str(_) = of.v {
        return Ok(of.clone());
    }
    let mut path: Vec<Piece> = Vec::new();
    for (at, part) in lists::items(of)?.iter().enumerate() {
        let own = match &part.v {
            V::Str(text) => vec![Piece::Lit(text.clone())],
            // Nothing can be told of what comes before a part that may begin with `/`.
            V::Unknown(_) | V::Text(_) if at > 0 && !matches!(&part.v, V::Text(pieces) if begins_known(pieces)) => {
                return Err(part.not("known path"));
            }
            V::Unknown(_) | V::Text(_) => super::super::ops::pieces(part),
            _ => return Err(part.not("string")),
        };
        let absolute = matches!(own.first(), Some(Piece::Lit(text)) if text.starts_with('/'));
        if absolute {
            path.clear();
        }
        let ended = match path.last() {
            None => true,
            Some(Piece::Lit(text)) => text.is_empty() && path.len() == 1 || text.ends_with('/'),
            Some(Piece::Hole(reason)) => return Err(reason.clone()),
        };
        if !ended {
            path.push(Piece::Lit("/".into()));
        }
        path.extend(own);
        merge(&mut path);
    }
    Ok(Val::text(path))
}

fn begins_known(pieces: &[Piece]) -> bool {
    matches!(pieces.first(), Some(Piece::Lit(text)) if !text.is_empty())
}

/// Makes one piece of known texts side by side.
fn merge(path: &mut Vec<Piece>) {
    let mut merged: Vec<Piece> = Vec::new();
    for piece in path.drain(..) {
        match (merged.last_mut(), piece) {
            (Some(Piece::Lit(before)), Piece::Lit(text)) => *before = format!("{before}{text}").into(),
            (_, piece) => merged.push(piece),
        }
    }
    *path = merged;
}

fn normal(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let root = if path.starts_with("//") && !path.starts_with("///") {
        "//"
    } else if absolute {
        "/"
    } else {
        ""
    };
    let joined = format!("{root}{}", parts.join("/"));
    if joined.is_empty() { ".".to_owned() } else { joined }
}

fn commonpath(of: &Val) -> Res {
    let paths: Vec<Arc<str>> = lists::items(of)?.iter().map(string).collect::<Res<_>>()?;
    let Some(first) = paths.first() else { return Err("there is no path".into()) };
    let absolute = first.starts_with('/');
    if paths.iter().any(|path| path.starts_with('/') != absolute) {
        return Err("some paths are absolute and some are not".into());
    }
    let parts = |path: &Arc<str>| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
    };
    let all: Vec<Vec<String>> = paths.iter().map(parts).collect();
    let same = |at: usize| all.iter().all(|parts| parts.get(at).is_some() && parts.get(at) == all[0].get(at));
    let common: Vec<String> = (0..all[0].len()).take_while(|at| same(*at)).map(|at| all[0][at].clone()).collect();
    within(format!("{}{}", if absolute { "/" } else { "" }, common.join("/")))
}

fn relpath(of: &Val, args: &Args<'_>) -> Res {
    let (path, start) = (string(of)?, string(args.need("start")?)?);
    if path.starts_with('/') != start.starts_with('/') {
        return Err("the folder that Ansible runs in is not known".into());
    }
    let (path, start) = (normal(&path), normal(&start));
    if path.starts_with("..") || start.starts_with("..") {
        return Err("the folder that Ansible runs in is not known".into());
    }
    let parts = |path: &str| {
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect::<Vec<_>>()
    };
    let (path, start) = (parts(&path), parts(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), start.len() - common);
    let joined = up.chain(path[common..].iter().cloned()).collect::<Vec<_>>().join("/");
    Ok(if joined.is_empty() { ".".into() } else { joined.into() })
}

fn windows(of: &Val, last: bool) -> Res {
    let path = string(of)?;
    if path.contains('/')
        || path.contains("\\\\")
        || path.ends_with('\\')
        || path.matches('\\').count() < 2
        || path.starts_with('\\')
    {
        return Err("the path is not evaluated".into());
    }
    let (folder, name) = path.rsplit_once('\\').unwrap_or(("", &path));
    Ok(if last { name } else { folder }.into())
}
