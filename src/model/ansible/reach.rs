//! Which plays reach which tasks and by which ways: roles, their dependencies, includes and imports followed.

use super::walk::{At, By, Level, Visit, Walk};
use super::{Ansible, Play, Task};
use crate::syntax::yaml::Node;
use crate::text::FileId;
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};

/// Files on one way into a task that are followed.
pub(super) const MAX_WAY: usize = 40;

/// A task that names no file or role of the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The task.
    pub task: usize,
    /// Why.
    pub why: &'static str,
}

/// How the plays come into each file with tasks.
#[derive(Default)]
pub(super) struct Ways {
    pub(super) into: HashMap<FileId, Vec<(usize, By)>>,
    /// The roles that each role depends on, in order, with the entry that names each.
    pub(super) dependencies: HashMap<usize, Vec<(usize, usize)>>,
    /// The roles of each play whose variables all of its tasks see, in order, with the task that brings one in.
    pub(super) public: HashMap<usize, Vec<(usize, Option<usize>)>>,
}

/// Marks every task with the plays that reach it.
pub(super) fn follow(ansible: &mut Ansible<'_>) {
    let seen: Vec<Reached> = (0..ansible.plays.len())
        .into_par_iter()
        .map(|play| Walk::new(ansible, play, Vec::new(), Reached::default()).run())
        .collect();
    let mut lost: Vec<Lost> = Vec::new();
    for (play, reached) in seen.into_iter().enumerate() {
        let mut tasks = reached.tasks;
        tasks.sort_unstable();
        tasks.dedup();
        for task in tasks {
            let plays = &mut ansible.tasks[task].plays;
            if plays.last() != Some(&play) {
                plays.push(play);
            }
        }
        for (file, by) in reached.ways {
            ansible.ways.into.entry(file).or_default().push((play, by));
        }
        for (role, by) in reached.entered {
            ansible.enter(play, role, by);
        }
        lost.extend(reached.lost);
    }
    lost.sort_by_key(|lost| lost.task);
    lost.dedup_by_key(|lost| lost.task);
    ansible.lost = lost;
}

#[derive(Default)]
struct Reached {
    tasks: Vec<usize>,
    ways: Vec<(FileId, By)>,
    seen: HashSet<FileId>,
    roles: HashSet<usize>,
    entered: Vec<(usize, By)>,
    lost: Vec<Lost>,
}

impl<'a> Visit<'a> for Reached {
    const DYNAMIC: bool = true;

    fn task(&mut self, _: &At<'_, 'a>, index: usize) {
        self.tasks.push(index);
    }

    fn known(&mut self, role: usize) -> bool {
        !self.roles.insert(role)
    }

    fn role(&mut self, role: usize, by: By) {
        if !self.entered.contains(&(role, by)) {
            self.entered.push((role, by));
        }
    }

    fn enter(&mut self, file: FileId, by: By) -> bool {
        if !self.ways.contains(&(file, by)) {
            self.ways.push((file, by));
        }
        self.seen.insert(file)
    }

    fn lost(&mut self, task: usize, why: &'static str) {
        self.lost.push(Lost { task, why });
    }
}

impl<'a> Ansible<'a> {
    /// Remembers what a role that a play enters means for the variables of others.
    fn enter(&mut self, play: usize, role: usize, by: By) {
        let task = match by {
            By::Dependency(parent, at) => {
                let list = self.ways.dependencies.entry(parent).or_default();
                if !list.contains(&(at, role)) {
                    list.push((at, role));
                }
                return;
            }
            By::Task(task) if !is_public(&self.tasks[task]) => return,
            By::Task(task) => Some(task),
            By::Use(_) => None,
        };
        let list = self.ways.public.entry(play).or_default();
        if !list.contains(&(role, task)) {
            list.push((role, task));
        }
    }

    /// What stands around a task on the first way that a play has into it, outermost first: the play, entries of `roles:`,
    /// imports, includes, blocks.
    #[must_use]
    pub fn around(&self, task: &Task<'a>, play: &Play<'a>) -> Vec<Level<'a>> {
        let index = self.plays.iter().position(|other| std::ptr::eq(other, play));
        let mut levels: Vec<Level<'a>> = blocks(task).rev().collect();
        let mut file = task.file;
        for _ in 0..MAX_WAY {
            let way = self.ways.into.get(&file).and_then(|ways| ways.iter().find(|(play, _)| Some(*play) == index));
            let Some((_, by)) = way.filter(|_| file != play.file) else { break };
            match *by {
                By::Task(other) => {
                    let other = &self.tasks[other];
                    levels.push(own(other));
                    levels.extend(blocks(other).rev());
                    file = other.file;
                }
                By::Use(at) => {
                    levels.push(Level { file: play.file, node: play.roles[at].item, dynamic: false });
                    break;
                }
                By::Dependency(role, at) => {
                    let role = &self.roles[role];
                    let dependency = role.dependencies[at];
                    levels.push(Level { file: dependency.file, node: dependency.node, dynamic: false });
                    let Some(main) = role.main.filter(|main| *main != file) else { break };
                    file = main;
                }
            }
        }
        levels.push(Level { file: play.file, node: play.node, dynamic: false });
        levels.reverse();
        levels
    }

    /// Every `when:` that decides whether a task runs on whatever way it is reached, outermost first, with its file.
    #[must_use]
    pub fn conditions(&self, task: &Task<'a>) -> Vec<(FileId, Node<'a>)> {
        let mut conditions = self.entered_by(task.file, &mut Vec::new()).unwrap_or_default();
        conditions.extend(whens(task));
        conditions
    }

    /// The conditions that all ways into a file have in common; none for a way that leads back into what is being entered.
    fn entered_by(&self, file: FileId, seen: &mut Vec<FileId>) -> Option<Vec<(FileId, Node<'a>)>> {
        if seen.contains(&file) || seen.len() >= MAX_WAY {
            return None;
        }
        let Some(ways) = self.ways.into.get(&file) else { return Some(Vec::new()) };
        seen.push(file);
        let mut all: Option<Vec<(FileId, Node<'a>)>> = None;
        let mut tried: Vec<(usize, By)> = Vec::new();
        for way in ways {
            // Tasks and dependencies are the same whatever play comes by them.
            let same = |(play, by): &(usize, By)| *by == way.1 && (*play == way.0 || !matches!(by, By::Use(_)));
            if tried.iter().any(same) {
                continue;
            }
            tried.push(*way);
            let Some(own) = self.along(*way, file, seen) else { continue };
            all = Some(match all {
                None => own,
                Some(all) => {
                    all.into_iter().filter(|(file, node)| own.iter().any(|one| is(*one, *file, *node))).collect()
                }
            });
            if all.as_ref().is_some_and(Vec::is_empty) {
                break;
            }
        }
        seen.pop();
        all.or_else(|| Some(Vec::new()))
    }

    /// The conditions along one way into a file.
    fn along(&self, (play, by): (usize, By), file: FileId, seen: &mut Vec<FileId>) -> Option<Vec<(FileId, Node<'a>)>> {
        match by {
            By::Task(other) => {
                let other = &self.tasks[other];
                let mut conditions = self.entered_by(other.file, seen)?;
                conditions.extend(whens(other));
                Some(conditions)
            }
            By::Use(at) => {
                let play = &self.plays[play];
                Some(conditions_of(play.file, play.roles[at].item).collect())
            }
            By::Dependency(role, at) => {
                let role = &self.roles[role];
                let outer = role.main.filter(|main| *main != file);
                let mut conditions = outer.map_or_else(|| Some(Vec::new()), |main| self.entered_by(main, seen))?;
                conditions.extend(conditions_of(role.dependencies[at].file, role.dependencies[at].node));
                Some(conditions)
            }
        }
    }

    /// A keyword as it applies to a task: its own, or that of the nearest thing around it, on the first way of its first play.
    #[must_use]
    pub fn keyword(&self, task: &Task<'a>, name: &str) -> Option<Node<'a>> {
        let around = || {
            let levels = self.around(task, self.plays_of(task).next()?);
            levels.iter().rev().find_map(|level| level.keyword(name))
        };
        task.keyword(name).or_else(around)
    }

    /// Whether on every way into a task some `when:` decides whether it runs.
    #[must_use]
    pub fn conditional(&self, task: &Task<'a>) -> bool {
        !task.when.is_empty() || self.entered_conditionally(task.file, &mut HashSet::new())
    }

    fn entered_conditionally(&self, file: FileId, seen: &mut HashSet<FileId>) -> bool {
        let Some(ways) = self.ways.into.get(&file).filter(|_| seen.len() < MAX_WAY) else { return false };
        // A way that leads through the file itself says nothing of its own.
        if !seen.insert(file) {
            return true;
        }
        let result = ways.iter().all(|(play, by)| match *by {
            By::Task(other) => {
                let other = &self.tasks[other];
                !other.when.is_empty() || self.entered_conditionally(other.file, seen)
            }
            By::Use(at) => self.plays[*play].roles[at].item.get("when").is_some(),
            By::Dependency(role, at) => {
                let role = &self.roles[role];
                role.dependencies[at].node.get("when").is_some()
                    || role.main.is_some_and(|main| main != file && self.entered_conditionally(main, seen))
            }
        });
        seen.remove(&file);
        result
    }
}

/// Whether the variables of a role that a task brings in are seen by the whole play: those of an import are, unless it says
/// otherwise.
fn is_public(task: &Task<'_>) -> bool {
    let said = super::include::literal(task, "public").and_then(crate::value::truth);
    said.unwrap_or_else(|| task.short() == "import_role")
}

pub(super) fn own<'a>(task: &Task<'a>) -> Level<'a> {
    let dynamic = matches!(task.short(), "include_tasks" | "include" | "include_role");
    Level { file: task.file, node: task.node, dynamic }
}

fn blocks<'t, 'a>(task: &'t Task<'a>) -> impl DoubleEndedIterator<Item = Level<'a>> + 't {
    task.blocks.iter().map(|node| Level { file: task.file, node: *node, dynamic: false })
}

/// The conditions of a task and of the blocks around it.
fn whens<'t, 'a>(task: &'t Task<'a>) -> impl Iterator<Item = (FileId, Node<'a>)> + 't {
    task.blocks.iter().chain([&task.node]).flat_map(|node| conditions_of(task.file, *node))
}

/// The conditions that `when:` gives: one, or each of a list.
pub(super) fn conditions_of(file: FileId, node: Node<'_>) -> impl Iterator<Item = (FileId, Node<'_>)> {
    let when = node.get("when");
    let one = when.filter(|when| !when.is_seq());
    one.into_iter().chain(when.into_iter().flat_map(Node::items)).map(move |when| (file, when))
}

fn is((file, node): (FileId, Node<'_>), other: FileId, same: Node<'_>) -> bool {
    file == other && node.id() == same.id()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::load::{Documents, Options};
    use crate::source::{File, Tree};

    #[test]
    fn what_comes_down_to_a_task() {
        let files = [
            (
                "site.yml",
                "- hosts: all\n  connection: local\n  roles:\n    - {role: a, when: by_role, become: true}\n  tasks:\n    - include_tasks: other.yml\n      when: first\n      become: false\n    - block:\n        - include_tasks: \"{{ unknown }}/gone.yml\"\n        - import_tasks: other.yml\n      when: [second, third]\n",
            ),
            ("other.yml", "- name: Reached twice\n  ansible.builtin.ping:\n  when: own\n"),
            ("roles/a/tasks/main.yml", "- name: In the role\n  ping:\n  delegate_to: localhost\n"),
            ("roles/a/meta/main.yml", "dependencies: [{role: b, when: by_dependency}]\n"),
            ("roles/b/tasks/main.yml", "- name: Before it\n  ping:\n"),
        ];
        let files = files.map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true));
        let tree = Tree::new(files.into(), None);
        let documents = Documents::load(&tree, &Options::default());
        let ansible = Ansible::build(&documents);
        let shown = |name: &str| {
            let task = ansible.tasks.iter().find(|task| task.name == Some(name)).unwrap();
            let conditions = ansible.conditions(task);
            let conditions: Vec<&str> = conditions.iter().filter_map(|(_, when)| when.as_str()).collect();
            let keyword = |name| ansible.keyword(task, name).and_then(Node::as_str).unwrap_or("-");
            let (r#become, connection) = (keyword("become"), keyword("connection"));
            format!("{} {} {} {connection}", conditions.join("+"), ansible.conditional(task), r#become)
        };
        // Two ways with different conditions have none in common; an include hands no `become` down.
        assert_eq!(shown("Reached twice"), "own true - local");
        assert_eq!(shown("In the role"), "by_role true true local");
        assert_eq!(shown("Before it"), "by_role+by_dependency true true local");
        assert_eq!(ansible.lost.len(), 1);
    }
}
