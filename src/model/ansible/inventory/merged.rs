//! One inventory as Ansible builds it: hosts and groups in the order in which files name them, with what each is given.

use super::address;
use crate::source::File;
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc};
use crate::value::{Reason, Value};
use std::collections::{BTreeSet, HashMap};

/// Hosts and groups of one inventory beyond this are left out.
const MAX_MEMBERS: usize = 20_000;
/// Mentions of hosts, ranges expanded, beyond this are left out.
const MAX_MENTIONS: usize = 100_000;

/// What a variable is set to.
#[derive(Clone)]
pub enum Setting<'a> {
    /// A node of a YAML file.
    Node(Node<'a>),
    /// A value of an INI file, typed as a literal of Python; a text may hold Jinja.
    Value(Value),
}

impl<'a> Setting<'a> {
    /// The node, in YAML.
    #[must_use]
    pub fn node(&self) -> Option<Node<'a>> {
        if let Self::Node(node) = self { Some(*node) } else { None }
    }
}

/// A variable of a host or group.
#[derive(Clone)]
pub struct Variable<'a> {
    /// Its name.
    pub name: String,
    /// Its text, when it is a scalar.
    pub text: String,
    /// What it is set to.
    pub setting: Setting<'a>,
    /// Where the value stands.
    pub loc: Loc,
    /// The host that it is written beside, although it is a group of that name that gets it.
    pub(super) beside: Option<usize>,
}

/// A host of an inventory.
pub struct Member<'a> {
    /// Its name.
    pub name: String,
    /// Where it is first named.
    pub loc: Loc,
    /// The groups that list it, by index, and not their parents.
    pub groups: BTreeSet<usize>,
    /// What it is given itself.
    pub variables: Vec<Variable<'a>>,
}

/// A group of an inventory.
pub struct Group<'a> {
    /// Its name.
    pub name: String,
    /// Its child groups, by index, in order.
    pub children: Vec<usize>,
    /// Its parents, by index.
    pub parents: Vec<usize>,
    /// The hosts that it lists, by index, in order.
    pub hosts: Vec<usize>,
    /// What its hosts are given.
    pub variables: Vec<Variable<'a>>,
    /// `ansible_group_priority`.
    pub priority: i64,
    /// The longest way from `all`.
    pub depth: usize,
}

/// A part of an inventory that cannot be told from the files, or that Ansible would refuse.
pub struct Unread {
    /// The file.
    pub file: FileId,
    /// Why.
    pub reason: Reason,
    /// Whether it makes hosts when it is run (a plugin or a script), so that there are more than the files tell.
    pub dynamic: bool,
}

/// An inventory: what one or several `-i` name.
#[derive(Default)]
pub struct Merged<'a> {
    /// Files or folders, in the order in which they are read.
    pub sources: Vec<String>,
    /// The files that were read.
    pub files: Vec<FileId>,
    /// Every host, in the order of first mention.
    pub hosts: Vec<Member<'a>>,
    /// Every group, `all` and `ungrouped` first.
    pub groups: Vec<Group<'a>>,
    /// Whether Ansible would take any of the files; else it has no hosts at all, whatever stands in them.
    pub parsed: bool,
    /// What was not read.
    pub unread: Vec<Unread>,
    /// Children that a file names and never declares, with the parent.
    pub(super) undeclared: Vec<(String, usize)>,
    pub(super) looked: usize,
    mentions: usize,
    pub(super) by_host: HashMap<String, usize>,
    pub(super) by_group: HashMap<String, usize>,
}

pub(super) const ALL: usize = 0;
const UNGROUPED: usize = 1;

impl<'a> Merged<'a> {
    pub(super) fn new(sources: &[&str]) -> Self {
        let mut merged = Self { sources: sources.iter().map(|path| (*path).to_owned()).collect(), ..Self::default() };
        for name in ["all", "ungrouped"] {
            merged.group(name);
        }
        merged.link(ALL, UNGROUPED);
        merged
    }

    /// A host by name.
    #[must_use]
    pub fn host(&self, name: &str) -> Option<&Member<'a>> {
        self.hosts.get(*self.by_host.get(name)?)
    }

    /// Why there may be more hosts than these.
    #[must_use]
    pub fn open(&self) -> Option<&Reason> {
        self.unread.iter().find(|unread| unread.dynamic).map(|unread| &unread.reason)
    }

    /// The groups of a host with all their parents, by index; the strongest last.
    #[must_use]
    pub fn groups_of(&self, host: &str) -> Vec<usize> {
        let Some(host) = self.host(host) else { return Vec::new() };
        let mut groups = BTreeSet::from([ALL]);
        let mut open: Vec<usize> = host.groups.iter().copied().collect();
        while let Some(group) = open.pop() {
            if groups.insert(group) {
                open.extend(&self.groups[group].parents);
            }
        }
        let mut groups: Vec<usize> = groups.into_iter().collect();
        groups.sort_by_key(|at| {
            let group = &self.groups[*at];
            (*at != ALL, group.depth, group.priority, &group.name)
        });
        groups
    }

    /// The hosts of a group and of all below it, by index: its own first, then level by level.
    #[must_use]
    pub fn members(&self, group: usize) -> Vec<usize> {
        let mut order = vec![group];
        let mut seen = BTreeSet::from([group]);
        let mut at = 0;
        while let Some(group) = order.get(at).and_then(|group| self.groups.get(*group)) {
            order.extend(group.children.iter().filter(|child| seen.insert(**child)));
            at += 1;
        }
        let mut listed = BTreeSet::new();
        let hosts = order.iter().filter_map(|group| self.groups.get(*group)).flat_map(|group| &group.hosts);
        hosts.copied().filter(|host| listed.insert(*host)).collect()
    }

    pub(super) fn group(&mut self, name: &str) -> usize {
        if let Some(known) = self.by_group.get(name) {
            return *known;
        }
        if self.groups.len() >= MAX_MEMBERS {
            return UNGROUPED;
        }
        let name = name.to_owned();
        self.by_group.insert(name.clone(), self.groups.len());
        let (children, parents, hosts, variables) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        self.groups.push(Group { name, children, parents, hosts, variables, priority: 1, depth: 0 });
        self.groups.len() - 1
    }

    /// Makes a group the child of another; refused when it would go round in a circle.
    pub(super) fn link(&mut self, parent: usize, child: usize) -> bool {
        if self.groups[parent].children.contains(&child) {
            return true;
        }
        let (mut open, mut seen) = (vec![parent], BTreeSet::new());
        while let Some(at) = open.pop() {
            if at == child {
                return false;
            }
            if seen.insert(at) {
                open.extend(&self.groups[at].parents);
            }
        }
        self.groups[parent].children.push(child);
        self.groups[child].parents.push(parent);
        true
    }

    /// Adds the hosts that a pattern stands for to a group, and gives each the variables.
    pub(super) fn add(
        &mut self,
        (pattern, loc): (&str, Loc),
        group: usize,
        variables: &[Variable<'a>],
    ) -> Result<(), String> {
        if self.mentions > MAX_MENTIONS {
            return Ok(());
        }
        let (names, port) = address::hosts(pattern)?;
        self.mentions += names.len();
        for name in names {
            if name.is_empty() {
                return Err("a host has no name".to_owned());
            }
            let known = self.by_host.get(&name).copied();
            if known.is_none() && self.hosts.len() >= MAX_MEMBERS {
                break;
            }
            let host = known.unwrap_or_else(|| self.new_host(&name, loc, port));
            if self.hosts[host].groups.insert(group) {
                self.groups[group].hosts.push(host);
            }
            for variable in variables {
                // What is written beside a host goes to the group of the same name, if there is one by then.
                match self.by_group.get(&name).copied() {
                    Some(group) => self.set(group, Variable { beside: Some(host), ..variable.clone() })?,
                    None => put(&mut self.hosts[host].variables, variable.clone()),
                }
            }
        }
        Ok(())
    }

    fn new_host(&mut self, name: &str, loc: Loc, port: Option<u32>) -> usize {
        self.by_host.insert(name.to_owned(), self.hosts.len());
        let port = port.filter(|port| *port != 0).map(|port| Variable {
            name: "ansible_port".to_owned(),
            text: port.to_string(),
            setting: Setting::Value(Value::known(f64::from(port)).at(loc)),
            loc,
            beside: None,
        });
        let variables = port.into_iter().collect();
        self.hosts.push(Member { name: name.to_owned(), loc, groups: BTreeSet::new(), variables });
        self.hosts.len() - 1
    }

    /// Gives a group a variable.
    pub(super) fn set(&mut self, group: usize, variable: Variable<'a>) -> Result<(), String> {
        if variable.name == "ansible_group_priority" {
            let priority = variable.text.trim().parse();
            self.groups[group].priority = priority.map_err(|_| format!("`{}` is no priority", variable.text))?;
        } else {
            put(&mut self.groups[group].variables, variable);
        }
        Ok(())
    }

    /// What Ansible does when all is read: groups without parents go below `all`, hosts without groups into `ungrouped`.
    pub(super) fn reconcile(&mut self) {
        for group in 1..self.groups.len() {
            if self.groups[group].parents.is_empty() {
                self.link(ALL, group);
            }
        }
        let (mut misplaced, mut namesakes) = (BTreeSet::new(), Vec::new());
        for (at, host) in self.hosts.iter_mut().enumerate() {
            let ungrouped = host.groups.contains(&UNGROUPED);
            let others = host.groups.iter().any(|group| !matches!(*group, ALL | UNGROUPED));
            if ungrouped && others {
                host.groups.remove(&UNGROUPED);
                misplaced.insert(at);
            } else if !ungrouped && !others && self.by_group.contains_key(&host.name) {
                namesakes.extend(self.by_group.get(&host.name).copied());
            } else if !ungrouped && !others {
                host.groups.insert(UNGROUPED);
                self.groups[UNGROUPED].hosts.push(at);
            }
        }
        self.groups[UNGROUPED].hosts.retain(|host| !misplaced.contains(host));
        // Of a host without groups that bears a group's name, Ansible takes the group instead.
        for group in namesakes {
            self.link(UNGROUPED, group);
        }
        // The longest way down, group by group: one round a level, and there are no circles.
        let mut open = vec![ALL];
        while !open.is_empty() {
            let mut next = BTreeSet::new();
            for group in open {
                let depth = self.groups[group].depth + 1;
                for child in self.groups[group].children.clone() {
                    if self.groups[child].depth < depth {
                        self.groups[child].depth = depth;
                        next.insert(child);
                    }
                }
            }
            open = next.into_iter().collect();
        }
    }
}

fn put<'a>(variables: &mut Vec<Variable<'a>>, variable: Variable<'a>) {
    match variables.iter_mut().find(|known| known.name == variable.name) {
        Some(known) => *known = variable,
        None => variables.push(variable),
    }
}

/// Whether Ansible would run the file instead of reading it.
pub(super) fn is_script(file: &File) -> bool {
    file.head().starts_with(b"#!")
}
