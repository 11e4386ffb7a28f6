//! Loops: the members that `loop:` and `with_…:` go through, as far as they are known.

use super::super::Task;
use super::MAX_MEMBERS;
use super::eval::Eval;
use super::scope::{Scope, Work};
use super::val::{Seq, V, Val, alike};
use super::{lookups, ops};
use crate::syntax::yaml::Node;
use crate::text::Loc;
use crate::value::Reason;

/// What a loop goes through.
pub(super) struct Items {
    pub(super) items: Vec<Val>,
    /// Why there may be more, or others.
    pub(super) open: Option<Reason>,
}

/// The names of a loop's variables.
pub(super) struct Names<'a> {
    pub(super) item: &'a str,
    pub(super) index: Option<&'a str>,
}

/// The names that a task gives to the variables of its loop.
pub(super) fn names<'a>(task: &Task<'a>) -> Names<'a> {
    let control = task.node.get("loop_control");
    let said = |key: &str| control.and_then(|control| control.get(key)).and_then(Node::as_str);
    Names { item: said("loop_var").unwrap_or("item"), index: said("index_var") }
}

impl<'a> Scope<'_, 'a> {
    /// The members that a task's loop goes through.
    pub(super) fn turns(&self, task: &Task<'a>) -> Items {
        let unknown = |reason: Reason| Items { items: Vec::new(), open: Some(reason) };
        let Some((keyword, node)) = task.repeat else { return unknown("it is no loop".into()) };
        let value = self.node(task.file, node);
        let loc = Loc { file: task.file, span: node.span() };
        let value =
            match keyword.strip_prefix("with_").map(|name| name.strip_prefix("ansible.builtin.").unwrap_or(name)) {
                None => value,
                Some(lookup) => match (lookup, &value.v) {
                    (_, V::Unknown(reason) | V::Undefined(reason)) => return unknown(reason.clone()),
                    ("items", V::List(list)) => flat(list),
                    (
                        "items" | "list" | "flattened" | "dict" | "together" | "indexed_items" | "nested" | "cartesian",
                        _,
                    ) => {
                        let terms = match &value.v {
                            V::List(list) => match &list.open {
                                Some(reason) => return unknown(reason.clone()),
                                None => list.items.clone(),
                            },
                            _ => vec![value],
                        };
                        match lookups::looked_up(&Eval::new(self, loc), lookup, &terms, &[]) {
                            Ok(items) => Val::list(items),
                            Err(reason) => return unknown(reason),
                        }
                    }
                    ("subelements", V::List(list)) => {
                        let [of, key, flags @ ..] = list.items.as_slice() else {
                            return unknown("`with_subelements` needs a list and a key".into());
                        };
                        let skip = flags
                            .first()
                            .map_or_else(|| false.into(), |flags| ops::item(flags, &"skip_missing".into()));
                        match super::filters::apply(&self.work, "subelements", of, &[key.clone(), skip], &[]) {
                            Ok(value) => without_key(value, key),
                            Err(reason) => return unknown(reason),
                        }
                    }
                    _ => return unknown(format!("what `{keyword}` goes through is not evaluated").into()),
                },
            };
        match &value.v {
            V::List(list) if list.items.len() <= MAX_MEMBERS => {
                Items { items: list.items.clone(), open: list.open.clone() }
            }
            V::List(list) => {
                let items = list.items.iter().take(MAX_MEMBERS).cloned().collect();
                Items { items, open: Some("the loop has more turns than are looked at".into()) }
            }
            _ => unknown(value.not("list")),
        }
    }

    /// The scope in one turn of a loop.
    pub(super) fn in_turn(&self, names: &Names<'_>, at: usize, item: Val) -> Self {
        let mut turn = self.again();
        turn.locals.push((names.item.into(), item));
        turn.locals.extend(names.index.map(|name| (Box::from(name), super::filters::lists::number(at))));
        turn
    }

    /// The same scope, nothing having been evaluated in it yet; what is found to differ counts for both.
    pub(super) fn again(&self) -> Self {
        let mut again = Self::new(self.ansible, self.task, self.places().collect(), Work::default());
        (again.locals, again.early) = (self.locals.clone(), self.early);
        (again.differs, again.open_to_change) = (self.differs.clone(), self.open_to_change.clone());
        again
    }
}

/// The pairs of `with_subelements`: the first member of each has its list no more.
fn without_key(pairs: Val, key: &Val) -> Val {
    let V::List(list) = &pairs.v else { return pairs };
    let pair = |pair: &Val| {
        let V::List(own) = &pair.v else { return pair.clone() };
        let [of, member] = own.items.as_slice() else { return pair.clone() };
        let V::Map(map) = &of.v else { return pair.clone() };
        let kept = map.entries.iter().filter(|(own, _)| !alike(own, key)).cloned().collect();
        Val::tuple(vec![Val::map(kept, map.open.clone()), member.clone()])
    };
    Val::seq(list.items.iter().map(pair).collect(), list.open.clone(), list.tuple)
}

/// The members of a list, those of lists in it for the lists; one that is not known may be one or several.
fn flat(list: &Seq) -> Val {
    let (mut found, mut open) = (Vec::new(), list.open.clone());
    for item in &list.items {
        match &item.v {
            V::List(inner) => {
                found.extend(inner.items.iter().cloned());
                open = open.or_else(|| inner.open.clone());
            }
            V::Unknown(reason) | V::Undefined(reason) => open = open.or_else(|| Some(reason.clone())),
            _ => found.push(item.clone()),
        }
    }
    Val::seq(found, open, false)
}

/// Every member of one list with every member of the next, the first list the slowest.
pub(super) fn nested(terms: &[Val]) -> Result<Vec<Val>, Reason> {
    let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
    for term in terms {
        let members = match &term.v {
            V::List(_) => super::filters::lists::items(term)?,
            V::Unknown(reason) | V::Undefined(reason) => return Err(reason.clone()),
            _ => vec![term.clone()],
        };
        let joined = rows.iter().flat_map(|row| {
            members.iter().map(move |member| {
                let mut row = row.clone();
                match &member.v {
                    V::List(list) if list.open.is_none() => row.extend(list.items.iter().cloned()),
                    _ => row.push(member.clone()),
                }
                row
            })
        });
        rows = joined.take(MAX_MEMBERS + 1).collect();
        if rows.len() > MAX_MEMBERS {
            return Err("the lists have too many combinations".into());
        }
    }
    Ok(rows.into_iter().map(Val::list).collect())
}

/// Whether a text may speak of the variables of a task's loop.
pub(super) fn uses(task: &Task<'_>, text: &str) -> bool {
    let names = names(task);
    text.contains(names.item) || names.index.is_some_and(|name| text.contains(name))
}
