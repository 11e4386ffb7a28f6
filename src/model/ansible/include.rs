//! The files that an include may mean: its name with known variables put in, and where Ansible looks for it.

use super::task::{ArgumentValue, Task};
use super::values::PROJECT;
use super::{Ansible, Role};
use crate::source::{Tree, file_name, folder, join};
use crate::syntax::jinja::{self, Expr, Piece as Part};
use crate::syntax::yaml::Node;
use crate::text::FileId;
use crate::value::{Data, Kind, Piece, Value};

/// Turns of a loop, and lists of `first_found`, that are followed.
const MAX_TURNS: usize = 64;

/// A name as far as it is known: its parts in order, none for what is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(Vec<Option<String>>);

impl Name {
    /// A name that is wholly known.
    pub(super) fn known(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Some(text)] => Some(text),
            _ => None,
        }
    }

    fn literal(text: &str) -> Self {
        Self(vec![Some(text.to_owned())])
    }

    fn of(value: &Value) -> Vec<Self> {
        let text = |data: &Data| data.scalar().map(|text| Self::literal(&text));
        match &value.kind {
            Kind::Known(Data::List(list)) => list.items.iter().take(MAX_TURNS).flat_map(Self::of).collect(),
            Kind::Known(data) => text(data).into_iter().collect(),
            Kind::OneOf(all) => all.iter().filter_map(text).collect(),
            Kind::Text(pieces) => vec![Self(pieces.iter().map(part).collect())],
            Kind::Absent | Kind::Unknown(_) => vec![Self(vec![None])],
        }
    }

    /// Whether a path fits: what is not known has no slash.
    fn fits(&self, path: &str) -> bool {
        let literals = self.0.iter().flatten();
        if literals.clone().map(|text| text.matches('/').count()).sum::<usize>() != path.matches('/').count() {
            return false;
        }
        let (first, last) = (self.0.first(), self.0.last());
        let mut rest = path;
        if let Some(Some(text)) = first {
            let Some(after) = rest.strip_prefix(text.as_str()) else { return false };
            rest = after;
        }
        if let Some(Some(text)) = last.filter(|_| self.0.len() > 1) {
            let Some(before) = rest.strip_suffix(text.as_str()) else { return false };
            rest = before;
        }
        let inner = self.0.get(1..self.0.len().saturating_sub(1)).unwrap_or(&[]);
        inner.iter().flatten().all(|text| match rest.find(text.as_str()) {
            Some(at) => {
                rest = &rest[at + text.len()..];
                true
            }
            None => false,
        })
    }

    /// Without a folder in front of it; whether one was there.
    fn inside(&self) -> (Self, bool) {
        let project = self.0.first().and_then(Option::as_deref).and_then(|text| text.strip_prefix(PROJECT));
        let Some(rest) = project else { return (self.clone(), false) };
        let mut parts = self.0.clone();
        parts[0] = Some(rest.trim_start_matches('/').to_owned());
        (Self(parts), true)
    }
}

fn part(piece: &Piece) -> Option<String> {
    match piece {
        Piece::Lit(text) => Some(text.to_string()),
        Piece::Hole(_) => None,
    }
}

/// The names of the file that an `include_vars` may read.
pub(super) fn variable_names<'a>(ansible: &Ansible<'a>, task: &Task<'a>, play: Option<usize>) -> Vec<Name> {
    let argument = ["file", "_raw_params"].into_iter().find(|name| task.argument(name).is_some());
    names(ansible, task, play, argument.unwrap_or("file"))
}

/// The names that an argument of an include may have, seen from a play.
pub(super) fn names<'a>(ansible: &Ansible<'a>, task: &Task<'a>, play: Option<usize>, argument: &str) -> Vec<Name> {
    let Some(given) = task.argument(argument) else { return Vec::new() };
    let text = match &given.value {
        ArgumentValue::Node(node) => node.as_str().unwrap_or(""),
        ArgumentValue::Text(text, _) => text,
    };
    if !jinja::contains_template(text) {
        let name = super::arguments::unquoted(text);
        let uploaded = ansible.uploaded_from(name).map(|path| format!("{PROJECT}/{path}"));
        return vec![Name::literal(uploaded.as_deref().unwrap_or(name))];
    }
    let reader = Reader { ansible, task, play };
    if text.contains("first_found") {
        let found = reader.first_found(text);
        if !found.is_empty() {
            return found;
        }
    }
    let variable = task.node.get("loop_control").and_then(|control| control.get("loop_var")).and_then(Node::as_str);
    let turns = task.repeat.map(|(keyword, list)| match keyword {
        "with_first_found" | "with_ansible.builtin.first_found" => reader.lists(list),
        _ => reader.turns(list),
    });
    match turns.filter(|turns| !turns.is_empty()) {
        Some(turns) => {
            turns.iter().flat_map(|turn| reader.text(text, variable.unwrap_or("item"), Some(turn))).collect()
        }
        None => reader.text(text, "", None),
    }
}

/// An argument that is written without any template.
pub(super) fn literal<'t>(task: &'t Task<'_>, argument: &str) -> Option<&'t str> {
    let text = match &task.argument(argument)?.value {
        ArgumentValue::Node(node) => node.as_str()?,
        ArgumentValue::Text(text, _) => super::arguments::unquoted(text),
    };
    (!jinja::contains_template(text)).then_some(text)
}

/// The files that a name with templates in it may mean, in the part of a folder (`vars`) or in the folder itself.
pub(super) fn fitting(tree: &Tree, base: &str, part: &str, text: &str) -> Vec<FileId> {
    let template = jinja::parse(text);
    let pieces = template.pieces.iter().filter_map(|piece| match piece {
        Part::Lit(span) => Some(Name::literal(span.slice(text))),
        Part::Comment(_) => None,
        Part::Output(..) | Part::Statement(_) => Some(Name(vec![None])),
    });
    within(tree, base, part, &pieces.fold(Name(Vec::new()), |name, piece| append(&name, &piece)))
}

/// The files that a name may mean, in the part of a folder or in the folder itself.
pub(super) fn within(tree: &Tree, base: &str, part: &str, name: &Name) -> Vec<FileId> {
    let (name, inside) = name.inside();
    let folders = [join(base, part), Some(base.to_owned())];
    let folders = if inside { [Some(String::new()), None] } else { folders };
    for folder in folders.into_iter().flatten() {
        let found = below(tree, &folder, &name, |_| true);
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// The files below a folder whose paths a name fits.
fn below(tree: &Tree, base: &str, name: &Name, wanted: impl Fn(&str) -> bool) -> Vec<FileId> {
    let fitting = tree.below(base).filter(|(_, file)| {
        let relative = file.path.strip_prefix(base).unwrap_or("").trim_start_matches('/');
        name.fits(relative) && wanted(relative)
    });
    fitting.map(|(id, _)| id).take(MAX_TURNS).collect()
}

struct Reader<'r, 'a> {
    ansible: &'r Ansible<'a>,
    task: &'r Task<'a>,
    play: Option<usize>,
}

impl<'a> Reader<'_, 'a> {
    fn value(&self, node: Node<'a>) -> Value {
        self.ansible.evaluate_early(self.task, self.play, node)
    }

    fn turns(&self, list: Node<'a>) -> Vec<Value> {
        let value = self.value(list);
        value.as_list().map(|list| list.items.iter().take(MAX_TURNS).cloned().collect()).unwrap_or_default()
    }

    /// A text in one turn of a loop, whose variable may stand in it.
    fn text(&self, text: &str, variable: &str, turn: Option<&Value>) -> Vec<Name> {
        let template = jinja::parse(text);
        let mut names = vec![Name(Vec::new())];
        for part in &template.pieces {
            let more = match part {
                Part::Lit(span) => vec![Name::literal(span.slice(text))],
                Part::Output(expr, span) => match turn.and_then(|turn| of_turn(expr, variable, turn)) {
                    Some(value) => Name::of(&value),
                    None => Name::of(&self.ansible.evaluate_text_early(self.task, self.play, span.slice(text))),
                },
                Part::Statement(_) => vec![Name(vec![None])],
                Part::Comment(_) => continue,
            };
            let joined = names.iter().flat_map(|name| more.iter().map(move |more| append(name, more)));
            names = joined.take(MAX_TURNS).collect();
        }
        names
    }

    /// `lookup('first_found', variable)`: the files of the variable, in each of its paths.
    fn first_found(&self, text: &str) -> Vec<Name> {
        let template = jinja::parse(text);
        let mut names = Vec::new();
        for part in &template.pieces {
            if let Part::Output(expr, _) = part {
                names.extend(jinja::names(expr));
            }
        }
        let known = names.iter().find_map(|name| self.task.vars.iter().find_map(|vars| vars.get(name)));
        known.map(|node| self.lists(node).iter().flat_map(Name::of).collect()).unwrap_or_default()
    }

    /// What `first_found` would look for, in its order: a list of files, or of mappings with `files` and `paths`.
    fn lists(&self, node: Node<'a>) -> Vec<Value> {
        let mut all = Vec::new();
        let items: Vec<Node<'a>> = if node.is_seq() { node.items().collect() } else { vec![node] };
        for item in items.into_iter().take(MAX_TURNS) {
            let Some(files) = item.get("files") else {
                all.push(self.value(item));
                continue;
            };
            let several = |node: Node<'a>| if node.is_seq() { self.turns(node) } else { vec![self.value(node)] };
            let paths = item.get("paths").map(several).unwrap_or_default();
            for file in several(files) {
                if paths.is_empty() {
                    all.push(file.clone());
                }
                for path in &paths {
                    let mut pieces = pieces(path);
                    pieces.push(Piece::Lit("/".into()));
                    pieces.extend(self::pieces(&file));
                    all.push(Value::text(pieces));
                }
            }
        }
        all
    }
}

fn pieces(value: &Value) -> Vec<Piece> {
    match (&value.kind, value.scalar()) {
        (_, Some(text)) => vec![Piece::Lit(text)],
        (Kind::Text(pieces), _) => pieces.to_vec(),
        _ => vec![Piece::Hole("it is not known".into())],
    }
}

fn append(name: &Name, more: &Name) -> Name {
    let mut parts = name.0.clone();
    for part in &more.0 {
        match (parts.last_mut(), part) {
            (Some(Some(last)), Some(text)) => last.push_str(text),
            (Some(None), None) => {}
            _ => parts.push(part.clone()),
        }
    }
    Name(parts)
}

/// `item`, `item.key`
fn of_turn(expr: &Expr, variable: &str, turn: &Value) -> Option<Value> {
    match expr {
        Expr::Name(name) => (&**name == variable).then(|| turn.clone()),
        Expr::Attr(of, key) => of_turn(of, variable, turn).map(|value| value.get(key)),
        _ => None,
    }
}

/// Where a file with tasks stands: what its includes are relative to.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// The folder of the playbook.
    pub base: String,
    /// The collection in which the playbook lies.
    pub collection: Option<String>,
    /// The role to which the tasks belong.
    pub role: Option<usize>,
    /// The name of the role as Ansible shows it.
    pub shown: Option<String>,
    /// The folders of the includes by which it was reached, the outermost first; a role starts anew.
    pub includes: Vec<String>,
    /// Whether the tasks are handlers.
    pub handlers: bool,
}

/// The files that a name may mean: the first that exists when it is known, all that fit where some do otherwise.
pub(super) fn files(tree: &Tree, role: Option<&Role<'_>>, place: &Place, own: FileId, name: &Name) -> Vec<FileId> {
    let (name, inside) = name.inside();
    if let Some(text) = name.known() {
        if inside {
            return at(tree, text).into_iter().collect();
        }
        let mut found = None;
        candidates(tree, role, place, own, text, &mut |path| {
            found = at(tree, path);
            found.is_some()
        });
        return found.into_iter().collect();
    }
    let stem = |text: &str| text.trim_end_matches(".yml").trim_end_matches(".yaml").is_empty();
    let vague = name.0.iter().flatten().all(|text| stem(text));
    // A file in an unknown folder could be any of that name.
    if name.0.first().is_none_or(Option::is_none)
        && name.0.get(1).is_some_and(|next| next.as_ref().is_some_and(|text| text.starts_with('/')))
    {
        return Vec::new();
    }
    let mut bases = Vec::new();
    if inside {
        bases.push(String::new());
    } else {
        candidates(tree, role, place, own, "", &mut |path| {
            bases.push(path.to_owned());
            false
        });
    }
    for base in bases {
        let mut found = below(tree, &base, &name, |relative| {
            !(vague && (file_name(relative).starts_with("main.") || base.is_empty()))
        });
        found.retain(|id| *id != own);
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// The file at a path, links followed.
fn at(tree: &Tree, path: &str) -> Option<FileId> {
    tree.find(path).or_else(|| tree.find(&tree.real(path)))
}

/// Tries the paths at which Ansible looks for a file of tasks, in its order, until one will do.
fn candidates(
    tree: &Tree,
    role: Option<&Role<'_>>,
    place: &Place,
    own: FileId,
    name: &str,
    found: &mut dyn FnMut(&str) -> bool,
) {
    let part = if place.handlers { "handlers" } else { "tasks" };
    let mut cumulative = String::new();
    for include in place.includes.iter().rev() {
        cumulative = join(include, &cumulative).unwrap_or_default();
        let done = match role {
            Some(role) => {
                let base = join(&role.folder, &format!("{part}/{cumulative}"));
                base.is_some_and(|base| relative(tree, place, &base, part, name, found))
            }
            None => relative(tree, place, &place.base, &cumulative, name, found),
        };
        if done {
            return;
        }
    }
    let done = match role {
        Some(role) => relative(tree, place, &role.folder, part, name, found),
        None => join(&place.base, name).is_some_and(|path| found(&path)),
    };
    // Beside the file itself, where some look although Ansible might not.
    if let Some(path) = join(folder(tree.path(own)), name).filter(|_| !done) {
        found(&path);
    }
}

/// As Ansible looks for a file that is given relative to a folder with a part (`tasks`); whether one will do.
fn relative(
    tree: &Tree,
    place: &Place,
    path: &str,
    part: &str,
    name: &str,
    found: &mut dyn FnMut(&str) -> bool,
) -> bool {
    let mut try_at = |base: &str, relative: &str| join(base, relative).is_some_and(|path| found(&path));
    let in_part = format!("{part}/{name}");
    if try_at(path, &in_part) {
        return true;
    }
    let in_role = is_role(tree, path);
    let base = if in_role && file_name(path) == "tasks" { folder(path) } else { path };
    try_at(base, &in_part)
        || in_role && !name.ends_with(part) && try_at(base, &format!("tasks/{name}"))
        || try_at(base, name)
        || try_at(&place.base, &in_part)
        || try_at(&place.base, name)
}

/// Whether Ansible takes a folder for a role or for the tasks of one.
fn is_role(tree: &Tree, path: &str) -> bool {
    let has = |path: &str, relative: &str| {
        [".yml", ".yaml", ""]
            .iter()
            .any(|suffix| join(path, relative).is_some_and(|path| tree.find(&format!("{path}{suffix}")).is_some()))
    };
    file_name(path) == "tasks" && has(path, "main")
        || [path, folder(path)].iter().any(|path| has(path, "tasks/main") || has(path, "meta/main"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_pieces_of_a_name() {
        let name =
            |parts: &[&str]| Name(parts.iter().map(|part| (!part.is_empty()).then(|| (*part).to_owned())).collect());
        for (parts, path, fits) in [
            (&["setup-", "", ".yml"][..], "setup-debian.yml", true),
            (&["setup-", "", ".yml"], "setup/debian.yml", false),
            (&["setup/", "", ".yml"], "setup/debian.yml", true),
            (&["", "-", "", ".yml"], "a-b.yml", true),
            (&["", "-", "", ".yml"], "ab.yml", false),
        ] {
            assert_eq!(name(parts).fits(path), fits, "{parts:?} {path}");
        }
    }
}
