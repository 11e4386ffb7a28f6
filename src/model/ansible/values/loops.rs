//! Loops: the members that `loop:` and `with_…:` go through, as far as they are known.

use super::super::Task;
use super::MAX_MEMBERS;
use super::eval::Eval;
use super::scope::{Scope, Work};
use super::val::{Res, Seq, V, Val, alike};
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
        let value = match keyword.strip_prefix("with_") {
            None => value,
            Some(lookup) => {
                let lookup = lookup.strip_prefix("ansible.builtin.").unwrap_or(lookup);
                let loc = Loc { file: task.file, span: node.span() };
                match self.looked_up(lookup, &value, loc) {
                    Ok(value) => value,
                    Err(reason) => return unknown(reason),
                }
            }
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

    /// The list that a lookup makes of what stands behind `with_…:`.
    fn looked_up(&self, lookup: &str, value: &Val, loc: Loc) -> Res {
        let terms = match &value.v {
            V::Unknown(reason) | V::Undefined(reason) => return Err(reason.clone()),
            V::List(list) if lookup == "items" => return Ok(flat(list)),
            V::List(list) => match &list.open {
                Some(reason) => return Err(reason.clone()),
                None => list.items.clone(),
            },
            _ => vec![value.clone()],
        };
        match lookup {
            "items" | "list" | "flattened" | "dict" | "together" | "indexed_items" | "nested" | "cartesian"
            | "file" => lookups::looked_up(&Eval::new(self, loc), lookup, &terms, &[]).map(Val::list),
            "sequence" => {
                let texts = terms.iter().map(ops::plain).collect::<Res<Vec<_>>>()?;
                let parts = texts.iter().map(|text| sequence(&self.work, text)).collect::<Res<Vec<_>>>()?;
                Ok(Val::list(parts.into_iter().flatten().collect()))
            }
            "subelements" => {
                let [of, key, flags @ ..] = terms.as_slice() else {
                    return Err("`with_subelements` needs a list and a key".into());
                };
                let missing = |flags: &Val| ops::item(flags, &"skip_missing".into());
                let skip = flags.first().map_or_else(|| false.into(), missing);
                let pairs = super::filters::apply(&self.work, "subelements", of, &[key.clone(), skip], &[])?;
                Ok(without_key(pairs, key))
            }
            _ => Err(format!("what `with_{lookup}` goes through is not evaluated").into()),
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

/// The texts that `with_sequence` counts: `start=1 end=9 stride=2 format=x%02d`, `count=3`, or `1-9/2:x%02d` in short.
fn sequence(work: &Work, term: &str) -> Res<Vec<Val>> {
    let (mut start, mut end, mut stride, mut count, mut format) = (1, None, 1, None, "%d".to_owned());
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| Reason::from("it is no whole number"));
    if term.contains('=') {
        for (name, value) in term.split_whitespace().filter_map(|word| word.split_once('=')) {
            match name {
                "start" => start = number(value)?,
                "end" => end = Some(number(value)?),
                "stride" => stride = number(value)?,
                "count" => count = Some(number(value)?),
                "format" => value.clone_into(&mut format),
                _ => return Err(format!("`with_sequence` has no `{name}`").into()),
            }
        }
    } else {
        let (numbers, given) = term.split_once(':').map_or((term, None), |(numbers, format)| (numbers, Some(format)));
        given.unwrap_or("%d").clone_into(&mut format);
        let (range, by) = numbers.split_once('/').map_or((numbers, None), |(range, by)| (range, Some(by)));
        stride = by.map_or(Ok(1), number)?;
        let bounds = range.split_once('-').filter(|(first, _)| !first.is_empty());
        start = bounds.map_or(Ok(1), |(first, _)| number(first))?;
        end = Some(number(bounds.map_or(range, |(_, last)| last))?);
    }
    if count == Some(0) || stride == 0 {
        return Ok(Vec::new());
    }
    let counted = |count: i64| count.checked_mul(stride)?.checked_add(start)?.checked_sub(1);
    let end = end.or_else(|| counted(count?)).ok_or("`with_sequence` says neither count nor end")?;
    let inside = |at: &i64| if stride > 0 { *at <= end } else { *at >= end };
    let numbers = std::iter::successors(Some(start), |at| at.checked_add(stride)).take_while(inside);
    let numbers = numbers.take(MAX_MEMBERS + 1);
    numbers.map(|at| super::filters::apply(work, "format", &format.as_str().into(), &[at.into()], &[])).collect()
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

/// Whether anything in a node may speak of the variables of a task's loop, or of `vars:` of the task, which may.
pub(super) fn used_in(task: &Task<'_>, node: Node<'_>, depth: usize) -> bool {
    match node.as_str() {
        Some(text) => uses(task, text) || !task.vars.is_empty() && text.contains("{{"),
        None if depth > 20 => false,
        None => {
            node.items().any(|item| used_in(task, item, depth + 1))
                || node.entries().into_iter().any(|(_, value)| used_in(task, value, depth + 1))
        }
    }
}

/// Whether a text may speak of the variables of a task's loop.
pub(super) fn uses(task: &Task<'_>, text: &str) -> bool {
    let names = names(task);
    text.contains(names.item) || names.index.is_some_and(|name| text.contains(name))
}
