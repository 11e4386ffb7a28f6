//! Lookups: what the repository itself answers; the others are known only when the play runs.

use super::eval::Eval;
use super::val::{Res, V, Val};
use super::{PROJECT, ops};
use crate::source::{folder, join};
use crate::value::Tri;

/// `lookup(name, …)`; `list` for `query`, which always gives a list.
pub(super) fn call(eval: &Eval<'_, '_, '_>, args: &[Val], kwargs: &[(Box<str>, Val)], list: bool) -> Res {
    let (name, terms) = args.split_first().ok_or("a lookup without a name")?;
    let name = ops::plain(name)?;
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(&name);
    let option = |wanted: &str| kwargs.iter().find(|(own, _)| **own == *wanted).map(|(_, value)| value);
    let found = looked_up(eval, short, terms, kwargs)?;
    let as_list = match option("wantlist").map(ops::truth) {
        None => list,
        Some(Tri::Unknown(reason)) => return Err(reason),
        Some(wanted) => wanted.is_true() || list,
    };
    match found.len() {
        _ if as_list => Ok(Val::list(found)),
        1 => Ok(found.into_iter().next().unwrap_or_else(Val::null)),
        // Several texts come with commas between them, several others as a list.
        _ if found.iter().all(|value| matches!(value.v, V::Str(_))) => {
            let words = found.iter().map(ops::plain).collect::<Res<Vec<_>>>()?;
            super::filters::within(words.join(","))
        }
        _ => Ok(Val::list(found)),
    }
}

/// What a lookup finds for its terms.
pub(super) fn looked_up(
    eval: &Eval<'_, '_, '_>,
    name: &str,
    terms: &[Val],
    kwargs: &[(Box<str>, Val)],
) -> Res<Vec<Val>> {
    let option = |wanted: &str| kwargs.iter().find(|(own, _)| **own == *wanted).map(|(_, value)| value);
    Ok(match name {
        "vars" => terms.iter().map(|term| variable(eval, term, option("default"))).collect::<Res<Vec<_>>>()?,
        "dict" => dictionaries(terms)?,
        "file" => terms.iter().map(|term| file(eval, term, kwargs)).collect::<Res<Vec<_>>>()?,
        "community.general.flattened" | "flattened" if kwargs.is_empty() => {
            let flat = super::filters::apply(&eval.scope.work, "flatten", &Val::list(terms.to_vec()), &[], &[])?;
            super::filters::lists::items(&flat)?
        }
        "items" if kwargs.is_empty() => flat(terms)?,
        "list" if kwargs.is_empty() => terms.to_vec(),
        "nested" | "cartesian" if kwargs.is_empty() => super::loops::nested(terms)?,
        "together" if kwargs.is_empty() => super::filters::lists::zipped(terms, Some(&Val::null()))?,
        "indexed_items" => {
            let numbered = flat(terms)?.into_iter().enumerate();
            numbered.map(|(at, item)| Val::list(vec![super::filters::lists::number(at), item])).collect()
        }
        "community.general.filetree" | "filetree" => {
            // A file of tasks may be taken for several folders, one after the other.
            let each = terms.iter().flat_map(|term| match &term.v {
                V::OneOf(values) => values.to_vec(),
                _ => vec![term.clone()],
            });
            each.map(|term| tree(eval, &term)).collect::<Res<Vec<_>>>()?.concat()
        }
        "env" => return Err(format!("the environment{} is only known when the play runs", named(terms)).into()),
        _ => return Err(format!("the lookup `{name}` is only known when the play runs").into()),
    })
}

fn named(terms: &[Val]) -> String {
    terms.first().and_then(|term| ops::plain(term).ok()).map(|name| format!(" variable `{name}`")).unwrap_or_default()
}

fn variable(eval: &Eval<'_, '_, '_>, name: &Val, default: Option<&Val>) -> Res {
    let name = ops::plain(name)?;
    let value = eval.scope.variable(&name);
    Ok(match (&value.v, default) {
        (V::Undefined(_), Some(default)) => default.clone(),
        _ => value,
    })
}

fn dictionaries(terms: &[Val]) -> Res<Vec<Val>> {
    let mut found = Vec::new();
    for term in terms {
        let (entries, open) = super::filters::maps::pairs(term)?;
        if let Some(reason) = open {
            return Err(reason);
        }
        for (key, value) in entries {
            found.push(Val::map(vec![("key".into(), key), ("value".into(), value)], None));
        }
    }
    Ok(found)
}

fn flat(terms: &[Val]) -> Res<Vec<Val>> {
    let mut found = Vec::new();
    for term in terms {
        match &term.v {
            V::List(_) => found.extend(super::filters::lists::items(term)?),
            V::Unknown(reason) | V::Undefined(reason) => return Err(reason.clone()),
            _ => found.push(term.clone()),
        }
    }
    Ok(found)
}

/// So many entries of a folder are gone through.
const MAX_ENTRIES: usize = 500;

/// What lies below a folder of the role or the playbook: its folders and files, each with its path from there.
fn tree(eval: &Eval<'_, '_, '_>, term: &Val) -> Res<Vec<Val>> {
    let name = ops::plain(term)?;
    let scope = eval.scope;
    let files = scope.ansible.documents.tree;
    let unknown = || format!("the folder `{name}` is not in this repository");
    let (role, playbook) = scope.folders();
    let role = role.and_then(|role| scope.ansible.roles.get(role)).map(|role| &*role.folder);
    let bases = role.into_iter().chain(playbook.map(|file| folder(files.path(file))));
    let paths: Vec<String> = match name.strip_prefix(PROJECT) {
        Some(inside) => vec![inside.trim_matches('/').to_owned()],
        None if name.starts_with(['/', '~']) => return Err(unknown().into()),
        None => {
            let name = name.trim_end_matches('/');
            bases.flat_map(|base| [join(base, &format!("files/{name}")), join(base, name)]).flatten().collect()
        }
    };
    let base = paths.iter().find(|path| !path.is_empty() && files.below(path).next().is_some()).ok_or_else(unknown)?;
    let mut found: Vec<Val> = Vec::new();
    let mut last = String::new();
    for (_, file) in files.below(base).take(MAX_ENTRIES) {
        let inside = file.path.get(base.len() + 1..).unwrap_or_default();
        let own = folder(inside);
        if !own.is_empty() && own != last {
            found.push(entry(base, own, "directory"));
            own.clone_into(&mut last);
        }
        found.push(entry(base, inside, "file"));
    }
    Ok(found)
}

fn entry(base: &str, inside: &str, state: &str) -> Val {
    let members = vec![
        ("root".into(), format!("{PROJECT}/{base}").as_str().into()),
        ("path".into(), inside.into()),
        ("src".into(), format!("{PROJECT}/{base}/{inside}").as_str().into()),
        ("state".into(), state.into()),
    ];
    Val::map(members, None)
}

/// The text of a file of the repository, looked for where Ansible looks: in `files` of the role and of the playbook's
/// folder, then beside them.
fn file(eval: &Eval<'_, '_, '_>, term: &Val, kwargs: &[(Box<str>, Val)]) -> Res {
    let name = ops::plain(term)?;
    let scope = eval.scope;
    let tree = scope.ansible.documents.tree;
    let mut folders: Vec<&str> = Vec::new();
    let (role, playbook) = scope.folders();
    folders.extend(role.and_then(|role| scope.ansible.roles.get(role)).map(|role| &*role.folder));
    folders.push(folder(tree.path(eval.loc.file)));
    folders.extend(playbook.map(|file| folder(tree.path(file))));
    let mut paths: Vec<String> = Vec::new();
    match name.strip_prefix(PROJECT) {
        Some(inside) => paths.push(inside.trim_start_matches('/').to_owned()),
        None if name.starts_with(['/', '~']) => {
            return Err(format!("the file `{name}` is not in this repository").into());
        }
        None => {
            for folder in folders {
                paths.extend(join(folder, &format!("files/{name}")));
                paths.extend(join(folder, &name));
            }
        }
    }
    let found = paths.iter().find_map(|path| tree.find(path));
    let found = found.ok_or_else(|| format!("the file `{name}` is not in this repository"))?;
    let text = tree.text(found);
    let strip = |name: &str, default: bool| {
        let given = kwargs.iter().find(|(own, _)| **own == *name);
        given.map_or(default, |(_, value)| ops::truth(value).is_true())
    };
    let text = if strip("rstrip", true) { text.trim_end() } else { text };
    let text = if strip("lstrip", false) { text.trim_start() } else { text };
    super::filters::within(text.to_owned())
}
