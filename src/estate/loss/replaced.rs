//! Arguments whose change makes an object anew.

use super::{How, Loss, Thing};
use crate::estate::wiring;
use crate::model::terraform::Resource;
use crate::text::Loc;
use crate::value::{Data, Kind, Value};

/// So deep values are compared.
const MAX_DEPTH: usize = 8;
/// Longer lists are compared by their length alone.
const MAX_ITEMS: usize = 64;

/// The loss of what is still declared, when an argument makes it anew.
pub(super) fn loss<'m>(thing: &'m Thing, resource: &Resource<'m, 'm>) -> Option<Loss<'m>> {
    let changed: Vec<&str> = thing
        .arguments
        .iter()
        .filter(|argument| {
            let first = argument.path.split('.').next().unwrap_or(argument.path);
            let attribute = resource.decl.decl.attribute(first).is_some();
            !wiring::ignores(resource.decl, first)
                && differs(&argument.value, &resource.arg(argument.path), attribute, 0)
        })
        .map(|argument| argument.path)
        .collect();
    let first = changed.first()?;
    let (verb, names) = (if changed.len() == 1 { "changes" } else { "change" }, changed.join(", "));
    Some(Loss {
        thing,
        lost: thing.existed.clone(),
        how: How::Replaced,
        because: format!("{names} {verb}, and another is made in its place"),
        loc: place(resource, first),
        declaration: Some(resource.loc()),
        decommission: false,
    })
}

/// Where an argument is written, else the declaration.
fn place(resource: &Resource<'_, '_>, path: &str) -> Loc {
    let first = path.split('.').next().unwrap_or(path);
    let declared = &resource.decl.decl;
    let attribute = declared.attribute(first).map(|(file, attribute)| Loc { file, span: attribute.name_span });
    let block = declared.blocks.iter().find(|(_, block)| &*block.kind == first || block.label(0) == Some(first));
    let block = block.map(|(file, block)| Loc { file: *file, span: block.header });
    // In an installed module there is nothing that one could change.
    attribute.or(block).filter(|_| resource.loc() == declared.loc()).unwrap_or_else(|| resource.loc())
}

/// Whether two values surely are not the same. What is not given has a default that the files do not tell; only a switch that is
/// turned on, and a block that is added, cannot be that.
fn differs(before: &Value, after: &Value, attribute: bool, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    match (&before.kind, &after.kind) {
        (Kind::Known(before), Kind::Known(after)) => data_differs(before, after, attribute, depth),
        (Kind::Absent, Kind::Known(data)) | (Kind::Known(data), Kind::Absent) => match data {
            Data::Bool(on) => *on && depth == 0,
            Data::Map(map) => depth == 0 && !map.entries.is_empty(),
            Data::List(list) => depth == 0 && list.items.iter().any(|item| item.as_map().is_some()),
            _ => false,
        },
        _ => false,
    }
}

fn data_differs(before: &Data, after: &Data, attribute: bool, depth: usize) -> bool {
    match (before, after) {
        (Data::List(before), Data::List(after)) => {
            let closed = before.open.is_none() && after.open.is_none();
            // Many lists are sets, whose order is none.
            let lacks = |some: &[Value], other: &[Value]| {
                let others = some.len() <= MAX_ITEMS && other.len() <= MAX_ITEMS;
                others && some.iter().any(|a| other.iter().all(|b| differs(a, b, attribute, depth + 1)))
            };
            closed
                && (before.items.len() != after.items.len()
                    || lacks(&before.items, &after.items)
                    || lacks(&after.items, &before.items))
        }
        (Data::Map(before), Data::Map(after)) => {
            let closed = attribute && before.open.is_none() && after.open.is_none();
            closed && before.entries.len() != after.entries.len()
                || before.entries.iter().any(|(key, value)| {
                    let other = after.entries.iter().find(|(name, _)| name == key);
                    other.is_some_and(|(_, other)| differs(value, other, attribute, depth + 1))
                })
        }
        // One block is a map, several are a list of them.
        (Data::Map(_), Data::List(list)) | (Data::List(list), Data::Map(_)) => list.open.is_none(),
        (Data::Null, _) | (_, Data::Null) => false,
        (before, after) => match (before.scalar(), after.scalar()) {
            (Some(before), Some(after)) => !is_same_text(&before, &after),
            _ => false,
        },
    }
}

/// Whether texts say the same: ends of lines are a matter of the checkout, and names of places are often taken in any case
/// (`West Europe`, `westeurope`).
fn is_same_text(before: &str, after: &str) -> bool {
    if before == after {
        return true;
    }
    let is_name = |text: &str| !text.contains('\n');
    let name = |text: &str| text.replace(' ', "").to_lowercase();
    let lines = |text: &str| text.replace("\r\n", "\n");
    is_name(before) && is_name(after) && name(before) == name(after) || lines(before) == lines(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_sure_differs() {
        let known = |text: &str| Value::known(text);
        let list = |items: &[&str]| Value::list(items.iter().map(|item| known(item)).collect());
        let differ = |a: &Value, b: &Value| differs(a, b, true, 0);
        assert!(differ(&known("a"), &known("b")) && !differ(&known("a"), &known("a")));
        assert!(!differ(&known("1"), &Value::known(1.0)), "a number is as good as its spelling");
        assert!(!differ(&known("a"), &Value::unknown("no default")) && !differ(&Value::absent(), &known("a")));
        assert!(differ(&Value::absent(), &Value::known(true)) && !differ(&Value::absent(), &Value::known(false)));
        assert!(differ(&list(&["a"]), &list(&["a", "b"])) && !differ(&list(&["a"]), &list(&["a"])));
        assert!(differ(&list(&["a", "b"]), &list(&["c", "a"])) && !differ(&list(&["a", "b"]), &list(&["b", "a"])));
        assert!(!differ(&known("West Europe"), &known("westeurope")) && differ(&known("eu-a"), &known("eu-b")));
        assert!(!differ(&known("a\r\nb\r\n"), &known("a\nb\n")) && differ(&known("a\nB"), &known("a\nb")));
        let map = |key: &str| Value::map(vec![(key.into(), known("x"))]);
        assert!(differ(&Value::absent(), &map("a")) && !differ(&map("a"), &map("a")));
        assert!(differ(&map("a"), &Value::list(vec![map("a"), map("b")])));
    }
}
