//! Variables that are set while a play runs: what tasks register, set and read from files.

use super::super::task::ArgumentValue;
use super::super::walk::By;
use super::super::{Ansible, Section, Task, include};
use super::context::Context;
use crate::source::{folder, join};
use crate::syntax::yaml::Node;
use crate::text::FileId;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Includes on the ways to a task.
const MAX_SEEN: usize = 64;
/// Files of one folder that `include_vars` reads.
const MAX_FILES: usize = 200;

/// What tasks set, by name.
#[derive(Default)]
pub(super) struct Setters<'a> {
    /// Tasks that register a result or set a fact.
    facts: HashMap<Cow<'a, str>, Vec<usize>>,
    /// Tasks that read variables from files.
    files: HashMap<&'a str, Vec<Read<'a>>>,
    /// Tasks that read a file that is not known, or not readable.
    unread: Vec<usize>,
    /// Of how many files a task that reads variables reads one at least; of a whole folder each one is read.
    alternatives: HashMap<usize, usize>,
}

/// A variable that a task reads from a file.
#[derive(Clone, Copy)]
struct Read<'a> {
    task: usize,
    file: FileId,
    value: Node<'a>,
    /// Whether the task reads this very file, always.
    sure: bool,
}

/// What may have set a variable before a task runs.
pub(super) enum Set<'a> {
    /// Nothing.
    Nothing,
    /// What a task finds out.
    Run,
    /// Exactly this.
    File(FileId, Node<'a>),
    /// One of these, or what else it is: each with the task that reads its file.
    Maybe(Vec<(usize, FileId, Node<'a>)>),
}

impl<'a> Setters<'a> {
    pub(super) fn find(ansible: &Ansible<'a>) -> Self {
        let mut setters = Self::default();
        for (index, task) in ansible.tasks.iter().enumerate() {
            if let Some(name) = task.register {
                setters.facts.entry(Cow::Borrowed(name)).or_default().push(index);
            }
            match task.short() {
                "set_fact" => {
                    for name in task.arguments.iter().map(|argument| &argument.name).filter(|name| *name != "cacheable")
                    {
                        setters.facts.entry(name.clone()).or_default().push(index);
                    }
                }
                "include_vars" => setters.read(ansible, index, task),
                _ => {}
            }
        }
        setters
    }

    /// Adds what an `include_vars` reads.
    fn read(&mut self, ansible: &Ansible<'a>, index: usize, task: &Task<'a>) {
        let (files, sure) = files(ansible, task);
        let under = task.argument("name").map(|argument| match &argument.value {
            ArgumentValue::Node(node) => node.as_str(),
            ArgumentValue::Text(..) => None,
        });
        if files.is_empty() {
            self.unread.push(index);
        }
        let whole = sure && task.argument("dir").is_some();
        self.alternatives.insert(index, if whole { 1 } else { files.len() });
        for file in files {
            let Some(root) = ansible.mapping(file) else {
                self.unread.push(index);
                continue;
            };
            let read = |value| Read { task: index, file, value, sure };
            match under {
                Some(Some(name)) => self.files.entry(name).or_default().push(read(root)),
                Some(None) => {}
                None => {
                    for (key, value) in root.entries() {
                        let Some(name) = key.as_str() else { continue };
                        self.files.entry(name).or_default().push(read(value));
                    }
                }
            }
        }
    }

    /// What may have set a variable before a task of the context runs.
    pub(super) fn of(&self, ansible: &Ansible<'a>, task: &Task<'a>, context: &Context<'a>, name: &str) -> Set<'a> {
        let before = |setter: usize| ansible.may_precede(&ansible.tasks[setter], task, context);
        if self.facts.get(name).is_some_and(|setters| setters.iter().any(|setter| before(*setter))) {
            return Set::Run;
        }
        let read: Vec<&Read<'a>> =
            self.files.get(name).into_iter().flatten().filter(|read| before(read.task)).collect();
        match read.as_slice() {
            [] => Set::Nothing,
            [one] if one.sure && ansible.precedes(&ansible.tasks[one.task], task) => Set::File(one.file, one.value),
            several => Set::Maybe(several.iter().map(|read| (read.task, read.file, read.value)).collect()),
        }
    }

    /// Of how many files a task reads one at least.
    pub(super) fn alternatives(&self, task: usize) -> usize {
        self.alternatives.get(&task).copied().unwrap_or(usize::MAX)
    }

    /// Whether a task reads variables from a file that nobody can tell before the other runs.
    pub(super) fn unread(&self, ansible: &Ansible<'a>, task: &Task<'a>, context: &Context<'a>) -> bool {
        self.unread.iter().any(|setter| ansible.may_precede(&ansible.tasks[*setter], task, context))
    }
}

impl<'a> Ansible<'a> {
    /// Whether what a task sets may be there when another runs: both in one play, or in plays of one playbook.
    fn may_precede(&self, setter: &Task<'a>, task: &Task<'a>, context: &Context<'a>) -> bool {
        // A task that hands its own result to itself does so in a loop only.
        if std::ptr::eq(setter, task) {
            return task.repeat.is_some() || task.keyword("until").is_some();
        }
        let Some(play) = context.play else {
            return setter.file == task.file || setter.role.is_some() && setter.role == task.role;
        };
        setter.plays.iter().any(|other| self.order().may_precede(*other, play))
    }

    /// Whether a task has run on the same hosts whenever another runs: it stands before it, or before all by which its file is
    /// entered.
    pub(super) fn precedes(&self, setter: &Task<'a>, task: &Task<'a>) -> bool {
        let shared = task.plays.iter().all(|play| setter.plays.contains(play));
        let alone = setter.repeat.is_none() && setter.blocks.iter().all(|block| block.get("when").is_none());
        let always = alone && self.conditions(setter).is_empty() && !setter.rescue && !setter.handler;
        shared && always && self.stands_before(setter, task, &mut HashSet::new())
    }

    /// Tasks are in the order of their lists, and the lists of a play in the order in which they run.
    fn stands_before(&self, setter: &Task<'a>, task: &Task<'a>, seen: &mut HashSet<usize>) -> bool {
        if setter.file == task.file {
            return setter.index < task.index;
        }
        let ways = self.ways.into.get(&task.file).map_or(&[][..], Vec::as_slice);
        let room = seen.len() < MAX_SEEN;
        let before = |(play, by): &(usize, By)| match *by {
            // What is looked at already says no more by another play, or on the way round.
            By::Task(by) => !seen.insert(by) || self.stands_before(setter, &self.tasks[by], seen),
            By::Use(_) => self.plays[*play].section(Section::Before).contains(&setter.index),
            By::Dependency(..) => false,
        };
        room && !ways.is_empty() && ways.iter().all(before)
    }
}

/// The files that an `include_vars` may read, and whether it reads just these.
fn files<'a>(ansible: &Ansible<'a>, task: &Task<'a>) -> (Vec<FileId>, bool) {
    let tree = ansible.documents.tree;
    let role = task.role.map(|role| ansible.roles[role].folder.as_str());
    let here = folder(tree.path(task.file));
    let play = task.plays.first().map(|play| folder(tree.path(ansible.plays[*play].file)));
    let folders: Vec<&str> = role.into_iter().chain([here]).chain(play).collect();
    if task.argument("dir").is_some() {
        let Some(name) = include::literal(task, "dir") else { return (Vec::new(), false) };
        let paths = folders.iter().flat_map(|folder| [join(folder, &format!("vars/{name}")), join(folder, name)]);
        let found = paths.flatten().map(|path| tree.real(&path)).find(|path| tree.below(path).next().is_some());
        let within = found
            .iter()
            .flat_map(|path| tree.below(path))
            .filter(|(_, file)| [".yml", ".yaml", ".json"].iter().any(|end| file.path.ends_with(end)));
        let narrows = ["files_matching", "ignore_files", "extensions", "depth", "ignore_unknown_extensions"];
        let all = narrows.iter().all(|name| task.argument(name).is_none());
        return (within.map(|(file, _)| file).take(MAX_FILES).collect(), all);
    }
    let first = task.plays.first().copied();
    let names = include::variable_names(ansible, task, first);
    if let ([name], None) = (names.as_slice(), task.repeat)
        && let Some(name) = name.known()
    {
        return (ansible.variable_file(&folders, name).into_iter().collect(), true);
    }
    let mut found: BTreeSet<FileId> = BTreeSet::new();
    for name in &names {
        let files = match name.known() {
            Some(name) => ansible.variable_file(&folders, name).into_iter().collect(),
            None => folders
                .iter()
                .map(|folder| include::within(tree, folder, "vars", name))
                .find(|found| !found.is_empty())
                .unwrap_or_default(),
        };
        found.extend(files);
    }
    (found.into_iter().take(MAX_FILES).collect(), false)
}
