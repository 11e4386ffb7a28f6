//! In which order plays run, what tasks have changed in the inventory by then.

use super::super::list::IMPORT;
use super::super::{Ansible, Pattern, Task};
use crate::model::kind::Kind;
use crate::syntax::yaml::{Node, NodeId};
use crate::text::FileId;
use crate::value::{self, Data, Piece, Value};
use std::collections::HashMap;

/// Playbooks within playbooks that are followed.
const MAX_DEPTH: usize = 20;
/// Plays of one playbook, with those that it imports.
const MAX_PLAYS: usize = 5000;

/// Which plays may have run when another runs: a row of bits for each play.
#[derive(Default)]
pub(super) struct Order {
    rows: Vec<Box<[u64]>>,
}

/// A task that puts hosts into groups while the play runs.
pub(super) struct Regroup {
    task: usize,
    /// It adds hosts.
    adds: bool,
    /// The groups: each as it begins, and whether that is the whole name.
    groups: Vec<(String, bool)>,
}

impl Order {
    fn find(ansible: &Ansible<'_>) -> Self {
        let plays = ansible.plays.len();
        let mut rows = vec![vec![0_u64; plays.div_ceil(64)].into_boxed_slice(); plays];
        let by_node: HashMap<(FileId, NodeId), usize> =
            ansible.plays.iter().enumerate().map(|(at, play)| ((play.file, play.node.id()), at)).collect();
        for document in ansible.documents.of(&[Kind::Playbook]) {
            let mut run = Vec::new();
            ansible.add_order(document.file, &by_node, (0, &mut 0), &mut run);
            let mut seen = vec![0_u64; plays.div_ceil(64)];
            for play in run {
                seen[play / 64] |= 1 << (play % 64);
                rows[play].iter_mut().zip(&seen).for_each(|(own, seen)| *own |= seen);
            }
        }
        Self { rows }
    }

    /// Whether a play may have run, or may be running, when another runs.
    pub(super) fn may_precede(&self, first: usize, then: usize) -> bool {
        self.rows.get(then).and_then(|row| row.get(first / 64)).is_some_and(|bits| bits >> (first % 64) & 1 == 1)
    }
}

impl Ansible<'_> {
    pub(super) fn order(&self) -> &Order {
        self.known.order.get_or_init(|| Order::find(self))
    }

    fn add_order(
        &self,
        file: FileId,
        by_node: &HashMap<(FileId, NodeId), usize>,
        (depth, imports): (usize, &mut usize),
        run: &mut Vec<usize>,
    ) {
        let root = self.documents.document(file).and_then(|document| document.yaml()?.root());
        for node in root.into_iter().flat_map(Node::items) {
            if run.len() >= MAX_PLAYS {
                return;
            }
            let target = IMPORT.iter().find_map(|key| node.get(key));
            match target.and_then(|target| self.imported(file, target)) {
                Some(file) if depth < MAX_DEPTH && *imports < MAX_PLAYS => {
                    *imports += 1;
                    self.add_order(file, by_node, (depth + 1, imports), run);
                }
                _ => run.extend(by_node.get(&(file, node.id()))),
            }
        }
    }

    /// The tasks that put hosts into groups before a play has run to its end.
    fn regroups_before(&self, play: usize) -> impl Iterator<Item = &Regroup> {
        let all = self.known.regroups.get_or_init(|| self.find_regroups());
        let before =
            move |own: &&Regroup| self.tasks[own.task].plays.iter().any(|other| self.order().may_precede(*other, play));
        all.iter().filter(before)
    }

    fn find_regroups(&self) -> Vec<Regroup> {
        let mut found = Vec::new();
        for (index, task) in self.tasks.iter().enumerate() {
            let names: &[&str] = match task.short() {
                "add_host" => &["groups", "group", "groupname", "name", "host", "hostname"],
                "group_by" => &["key"],
                _ => continue,
            };
            let given = names.iter().filter_map(|name| task.argument(name));
            let mut groups = Vec::new();
            for value in given.flat_map(|argument| self.early_turns(task, argument)) {
                add_names(&value, &mut groups);
            }
            found.push(Regroup { task: index, adds: task.short() == "add_host", groups });
        }
        found
    }

    /// Whether tasks may have added hosts that a pattern chooses before a play runs.
    pub(super) fn may_gain_hosts(&self, play: usize, pattern: &Pattern) -> bool {
        let earlier = |own: &Regroup| self.tasks[own.task].plays.iter().any(|other| *other != play);
        self.regroups_before(play).filter(|own| earlier(own)).any(|own| {
            let named = pattern.names().any(|name| own.names(name));
            named || own.adds && pattern.is_all() || pattern.dynamic
        })
    }

    /// Whether tasks may have changed the groups by the time that a play runs.
    pub(super) fn may_change_groups(&self, play: usize) -> bool {
        self.regroups_before(play).next().is_some()
    }

    /// Whether a file of a group into which tasks may have put hosts sets a variable.
    pub(super) fn may_gain_variable(&self, play: usize, name: &str) -> bool {
        self.regroups_before(play).any(|own| {
            // All hosts are in `all` from the start.
            let mut groups = self.host_variables.iter().filter(|variables| !variables.host && variables.name != "all");
            groups.any(|group| own.names(&group.name) && group.node.get(name).is_some())
        })
    }
}

impl Regroup {
    fn names(&self, group: &str) -> bool {
        let group = group.replace('-', "_");
        self.groups.iter().any(|(known, whole)| if *whole { group == *known } else { group.starts_with(&**known) })
    }
}

/// The names of groups in a value: each as it begins, and whether that is all of it.
fn add_names(named: &Value, groups: &mut Vec<(String, bool)>) {
    // What stands for something else in a name becomes `_`.
    let plain = |text: &str| text.trim().replace([' ', '-'], "_");
    match (&named.kind, named.as_list()) {
        (_, Some(list)) if list.open.is_none() => list.items.iter().for_each(|item| add_names(item, groups)),
        (value::Kind::Known(Data::Str(text)), _) => groups.extend(text.split(',').map(|text| (plain(text), true))),
        (value::Kind::OneOf(all), _) => {
            groups.extend(all.iter().filter_map(Data::scalar).map(|text| (plain(&text), true)));
        }
        (value::Kind::Text(pieces), _) => match pieces.first() {
            Some(Piece::Lit(text)) if !text.contains(',') => groups.push((plain(text), false)),
            _ => groups.push((String::new(), false)),
        },
        (value::Kind::Absent, _) => {}
        _ => groups.push((String::new(), false)),
    }
}

/// Whether the arguments of a task are what a template gives.
pub(super) fn templated_arguments(task: &Task<'_>) -> bool {
    let template = |node: Node<'_>| node.as_str().is_some_and(crate::syntax::jinja::contains_template);
    task.node.get("args").is_some_and(template)
        || task.arguments.is_empty()
            && task.free.is_some_and(template)
            && !super::super::arguments::FREE_FORM.contains(&task.short())
}
