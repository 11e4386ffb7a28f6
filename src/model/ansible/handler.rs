//! Which tasks notify which handlers: by name, by role and name, and by the topics that handlers listen to.
//!
//! A play has the handlers of its roles, its own, then those of roles that its tasks import, then those of roles that they include.
//! Of several with one name the last block of them counts, and in it the first: handlers beside one another are one block.

use super::walk::{At, By, Visit, Walk};
use super::{Ansible, Section, Task};
use crate::syntax::jinja;
use crate::syntax::yaml::Node;
use crate::text::FileId;
use crate::value::{Data, Kind, Piece, Reason, Tri, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Handlers that include files with handlers, within one another.
const MAX_DEPTH: usize = 20;

/// The other ends of notifications.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notified {
    /// Those that surely belong together, by index.
    pub tasks: BTreeSet<usize>,
    /// Those that do when what is not known of a name turns out so.
    pub possible: BTreeSet<usize>,
    /// Why there may be others.
    pub open: Option<Reason>,
}

impl Notified {
    fn add(&mut self, other: &Self) {
        self.tasks.extend(&other.tasks);
        self.possible.extend(&other.possible);
        if self.open.is_none() {
            self.open.clone_from(&other.open);
        }
    }
}

/// All notifications.
#[derive(Default)]
pub(super) struct Links {
    /// The handlers of each task that notifies.
    told: HashMap<usize, Notified>,
    /// The tasks by which each handler is notified.
    by: HashMap<usize, Notified>,
    /// Handlers in files that tasks open as any other: they run without being notified.
    plain: HashSet<usize>,
    none: Notified,
}

impl<'a> Ansible<'a> {
    /// The handlers that a task notifies when it changes something, in any play.
    #[must_use]
    pub fn notifies(&self, task: usize) -> &Notified {
        let links = self.links();
        links.told.get(&task).unwrap_or(&links.none)
    }

    /// The tasks that notify a handler, in any play.
    #[must_use]
    pub fn notified_by(&self, handler: usize) -> &Notified {
        let links = self.links();
        links.by.get(&handler).unwrap_or(&links.none)
    }

    /// Whether a handler is notified when the tasks that name it change something; one that nobody names never runs.
    #[must_use]
    pub fn notified(&self, handler: usize) -> Tri {
        let by = self.notified_by(handler);
        if !by.tasks.is_empty() || self.runs_unnotified(handler) {
            return Tri::True;
        }
        match &by.open {
            Some(reason) => Tri::Unknown(reason.clone()),
            None if !by.possible.is_empty() => Tri::Unknown("a name that is only partly known may notify it".into()),
            None => Tri::False,
        }
    }

    /// Whether a handler stands in a file that a task opens as any other.
    #[must_use]
    pub fn runs_unnotified(&self, handler: usize) -> bool {
        self.links().plain.contains(&handler)
    }

    fn links(&self) -> &Links {
        self.links.get_or_init(|| Links::find(self))
    }

    /// The include or import by which the file of a task is entered, on the first way of its first play.
    fn entered_from(&self, task: &Task<'a>) -> Option<usize> {
        let levels = self.around(task, self.plays_of(task).next()?);
        let own = |node: Node<'a>| task.blocks.iter().any(|block| block.id() == node.id());
        let level = levels.iter().rev().find(|level| level.file != task.file || !own(level.node))?;
        let first = self.tasks.partition_point(|other| other.file < level.file);
        let beside = self.tasks[first..].iter().take_while(|other| other.file == level.file);
        let at = beside.into_iter().position(|other| other.node.id() == level.node.id())?;
        let opens = matches!(self.tasks[first + at].short(), "include_tasks" | "import_tasks" | "include");
        opens.then_some(first + at)
    }
}

/// What sees the same handlers: a play, or a role or file that no play reaches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Play(usize),
    Role(usize),
    File(FileId),
}

#[derive(Default)]
struct Group {
    handlers: Vec<usize>,
    notifiers: Vec<usize>,
    open: Option<Reason>,
}

/// By what a handler can be called.
struct Called<'a> {
    /// Its name, alone and after that of its role.
    names: Vec<Value>,
    /// What it listens to, alike.
    topics: Vec<String>,
    own: Option<&'a str>,
}

impl Links {
    fn find(ansible: &Ansible<'_>) -> Self {
        let given = notifications(ansible);
        let mut called: HashMap<usize, Called<'_>> = HashMap::new();
        let mut links = Self::default();
        let mut outer: Vec<(usize, usize)> = Vec::new();
        for (index, task) in ansible.tasks.iter().enumerate().filter(|(_, task)| task.handler) {
            called.insert(index, Called::of(ansible, task));
            match ansible.entered_from(task) {
                Some(from) if !ansible.tasks[from].handler => {
                    links.plain.insert(index);
                }
                Some(from) if ansible.tasks[from].short() != "import_tasks" => outer.push((index, from)),
                _ => {}
            }
        }
        for (place, group) in groups(ansible, &given) {
            let scope = InPlace::new(ansible, place, &group, &called);
            for task in &group.notifiers {
                for value in &given[task] {
                    links.join(*task, &scope.meant(value));
                }
            }
            // Whoever is not known may notify any of them.
            let vague = group.notifiers.iter().flat_map(|task| &given[task]).find_map(whole_reason);
            for handler in &group.handlers {
                let by = links.by.entry(*handler).or_default();
                by.open = by.open.take().or_else(|| group.open.clone()).or_else(|| vague.clone());
            }
        }
        links.hand_down(&outer);
        links
    }

    fn join(&mut self, task: usize, meant: &Notified) {
        self.told.entry(task).or_default().add(meant);
        for handler in &meant.tasks {
            self.by.entry(*handler).or_default().tasks.insert(task);
        }
        for handler in &meant.possible {
            self.by.entry(*handler).or_default().possible.insert(task);
        }
    }

    /// What a handler includes is notified together with it.
    fn hand_down(&mut self, outer: &[(usize, usize)]) {
        for _ in 0..MAX_DEPTH {
            let mut changed = false;
            for (inner, from) in outer.iter().filter(|(inner, from)| inner != from) {
                let Some(by) = self.by.get(from).cloned() else { continue };
                let own = self.by.entry(*inner).or_default();
                let before = own.clone();
                own.add(&by);
                changed |= *own != before;
            }
            if !changed {
                return;
            }
        }
    }
}

/// Why a name is not known at all.
fn whole_reason(value: &Value) -> Option<Reason> {
    match &value.kind {
        Kind::Unknown(reason) => Some(format!("a task notifies a name that is not known: {reason}").into()),
        _ => None,
    }
}

/// The names that each task notifies.
fn notifications(ansible: &Ansible<'_>) -> HashMap<usize, Vec<Value>> {
    let opens = |task: &Task<'_>| {
        matches!(task.short(), "include_tasks" | "import_tasks" | "include" | "include_role" | "import_role")
    };
    let handed = |task: &Task<'_>| {
        let applied = task.argument("apply").is_some_and(
            |given| matches!(&given.value, super::ArgumentValue::Node(node) if node.get("notify").is_some()),
        );
        opens(task) && (applied || task.keyword("notify").is_some())
    };
    let around = ansible.tasks.iter().any(handed);
    let mut given = HashMap::new();
    // Opening a file changes nothing.
    for (index, task) in ansible.tasks.iter().enumerate().filter(|(_, task)| !opens(task)) {
        let node = if around { ansible.keyword(task, "notify") } else { task.keyword("notify") };
        let Some(node) = node else { continue };
        let value = ansible.evaluate(task, node);
        let mut values = Vec::new();
        flatten(&value, &mut values);
        if !values.is_empty() {
            given.insert(index, values);
        }
    }
    given
}

/// The entries of a list, or the one value.
fn flatten(value: &Value, values: &mut Vec<Value>) {
    match &value.kind {
        Kind::Known(Data::List(list)) => {
            values.extend(list.items.iter().filter(|item| !item.is_absent()).cloned());
            values.extend(list.open.clone().map(Value::unknown));
        }
        Kind::Absent | Kind::Known(Data::Null) => {}
        _ => values.push(value.clone()),
    }
}

fn groups(ansible: &Ansible<'_>, given: &HashMap<usize, Vec<Value>>) -> BTreeMap<Place, Group> {
    let mut groups: BTreeMap<Place, Group> = BTreeMap::new();
    for (index, task) in ansible.tasks.iter().enumerate() {
        let notifier = given.contains_key(&index);
        if !task.handler && !notifier {
            continue;
        }
        let mut places: Vec<Place> = task.plays.iter().map(|play| Place::Play(*play)).collect();
        if places.is_empty() {
            places.push(task.role.map_or(Place::File(task.file), Place::Role));
        }
        for place in places {
            let group = groups.entry(place).or_default();
            if task.handler {
                group.handlers.push(index);
            }
            if notifier {
                group.notifiers.push(index);
            }
        }
    }
    let lost = ansible.lost.iter().flat_map(|lost| &ansible.tasks[lost.task].plays);
    let lost: HashSet<usize> = lost.copied().collect();
    for (place, group) in &mut groups {
        group.open = match place {
            Place::Play(play) if lost.contains(play) => Some("what an include of the play opens is not known".into()),
            Place::Play(play) if ansible.plays[*play].roles.iter().any(|used| used.role.is_none()) => {
                Some("a role of the play is not in the repository".into())
            }
            Place::Play(_) => None,
            Place::Role(_) | Place::File(_) => Some("no play here reaches it".into()),
        };
    }
    groups
}

impl<'a> Called<'a> {
    fn of(ansible: &Ansible<'a>, task: &Task<'a>) -> Self {
        let name = task.name.filter(|name| !name.is_empty()).map(|name| {
            if jinja::contains_template(name) { ansible.evaluate_text(task, name) } else { Value::known(name) }
        });
        let roles = task.role.map(|role| role_names(ansible, role)).unwrap_or_default();
        let after = |role: &String| format!("{role} : ");
        let mut names: Vec<Value> = name.iter().cloned().collect();
        for role in &roles {
            names.extend(name.iter().map(|name| behind(after(role), name)));
        }
        let mut topics: Vec<String> = task.topics("listen").map(str::to_owned).collect();
        for topic in topics.clone() {
            topics.extend(roles.iter().map(|role| format!("{}{topic}", after(role))));
        }
        Self { names, topics, own: task.name }
    }
}

/// The names of a role before its handlers: short, and with its collection.
fn role_names(ansible: &Ansible<'_>, role: usize) -> Vec<String> {
    let role = &ansible.roles[role];
    let mut names = vec![role.name.clone()];
    let mut parts = role.folder.split('/').skip_while(|part| *part != "ansible_collections").skip(1);
    if let (Some(namespace), Some(collection), Some("roles")) = (parts.next(), parts.next(), parts.next()) {
        names.push(format!("{namespace}.{collection}.{}", role.name));
    }
    names
}

fn behind(prefix: String, name: &Value) -> Value {
    let mut pieces = vec![Piece::Lit(prefix.into())];
    match (&name.kind, name.scalar()) {
        (_, Some(text)) => pieces.push(Piece::Lit(text)),
        (Kind::Text(more), _) => pieces.extend(more.iter().cloned()),
        _ => pieces.push(Piece::Hole(name.reason().unwrap_or_else(|| "it is not known".into()))),
    }
    Value::text(pieces)
}

/// The handlers of one place, by what they are called.
struct InPlace<'g> {
    called: &'g HashMap<usize, Called<'g>>,
    handlers: Vec<usize>,
    by_name: HashMap<String, Vec<usize>>,
    by_topic: HashMap<&'g str, Vec<usize>>,
    /// Those whose names are not wholly known.
    vague: Vec<usize>,
}

impl<'g> InPlace<'g> {
    fn new(ansible: &Ansible<'_>, place: Place, group: &Group, called: &'g HashMap<usize, Called<'g>>) -> Self {
        let mut all = Self {
            called,
            handlers: group.handlers.clone(),
            by_name: HashMap::new(),
            by_topic: HashMap::new(),
            vague: Vec::new(),
        };
        all.index();
        let several = |named: &Vec<usize>| named.len() > 1;
        if let Place::Play(play) = place
            && (all.by_name.values().any(several) || all.by_topic.values().any(several))
        {
            all.sort(&order(ansible, play));
            all.index();
        }
        all
    }

    /// Puts those first that are looked at first.
    fn sort(&mut self, order: &HashMap<usize, usize>) {
        self.handlers.sort_by_key(|handler| (order.get(handler).copied().unwrap_or(usize::MAX), *handler));
    }

    fn index(&mut self) {
        self.by_name.clear();
        self.by_topic.clear();
        self.vague.clear();
        for handler in &self.handlers {
            let called = &self.called[handler];
            let names: BTreeSet<_> = called.names.iter().filter_map(Value::scalar).collect();
            for name in &names {
                self.by_name.entry(name.to_string()).or_default().push(*handler);
            }
            if called.names.iter().any(|name| name.scalar().is_none()) {
                self.vague.push(*handler);
            }
            for topic in &called.topics {
                let listening = self.by_topic.entry(topic).or_default();
                if listening.last() != Some(handler) {
                    listening.push(*handler);
                }
            }
        }
    }

    /// The handlers that a notification means.
    fn meant(&self, value: &Value) -> Notified {
        let mut meant = Notified::default();
        if let Some(text) = value.scalar() {
            // What comes later in the list, but may have the name too, is not sure.
            meant.tasks.extend(self.by_name.get(&*text).and_then(|named| named.first()));
            let may = |handler: &&usize| self.called[*handler].names.iter().any(|name| undecided(name, &text));
            meant.possible.extend(self.vague.iter().filter(may));
            let mut seen: HashSet<&str> = HashSet::new();
            let listening = self.by_topic.get(&*text).into_iter().flatten();
            let first = |handler: &&usize| self.called[*handler].own.is_none_or(|name| seen.insert(name));
            meant.tasks.extend(listening.filter(first));
        } else if matches!(value.kind, Kind::Unknown(_)) {
            meant.open = whole_reason(value);
        } else {
            let may = |handler: &&usize| {
                let called = &self.called[*handler];
                let names = called.names.iter().map(Value::scalar);
                let mut all = names.chain(called.topics.iter().map(|topic| Some(topic.as_str().into())));
                all.any(|name| name.is_none_or(|name| undecided(value, &name)))
            };
            meant.possible.extend(self.handlers.iter().filter(may));
        }
        meant
    }
}

fn undecided(value: &Value, text: &str) -> bool {
    matches!(value.equals(&Data::from(text)), Tri::Unknown(_) | Tri::True)
}

/// Where each handler of a play stands in the order in which Ansible looks for a name.
fn order(ansible: &Ansible<'_>, play: usize) -> HashMap<usize, usize> {
    let found = Walk::new(ansible, play, Vec::new(), Found::new(ansible)).run();
    let mut blocks = found.blocks;
    blocks.sort_by_key(|block| (block.rank, block.seen));
    let looked_at = blocks.iter().rev().flat_map(|block| &block.handlers);
    let mut order = HashMap::new();
    for (at, handler) in looked_at.enumerate() {
        order.entry(*handler).or_insert(at);
    }
    order
}

/// Handlers that stand together.
struct Block {
    rank: u8,
    seen: usize,
    /// The file and the block in it.
    key: (FileId, Option<usize>),
    handlers: Vec<usize>,
}

struct Found<'w, 'a> {
    ansible: &'w Ansible<'a>,
    blocks: Vec<Block>,
    files: HashSet<FileId>,
    roles: HashSet<usize>,
    entered: bool,
}

impl<'w, 'a> Found<'w, 'a> {
    fn new(ansible: &'w Ansible<'a>) -> Self {
        Self { ansible, blocks: Vec::new(), files: HashSet::new(), roles: HashSet::new(), entered: true }
    }
}

impl<'a> Visit<'a> for Found<'_, 'a> {
    const DYNAMIC: bool = true;

    fn task(&mut self, at: &At<'_, 'a>, index: usize) {
        if !at.place.handlers {
            return;
        }
        let task = &self.ansible.tasks[index];
        let names = |name: &str| at.levels.iter().any(|level| opens(level.node, name));
        let rank = match at.section {
            _ if names("include_role") => 3,
            _ if names("import_role") => 2,
            Section::Roles => 0,
            _ => 1,
        };
        let key = (task.file, task.blocks.first().map(|block| block.span().start as usize));
        let seen = self.blocks.len();
        match self.blocks.last_mut().filter(|last| last.key == key && !self.entered) {
            Some(block) => block.handlers.push(index),
            None => self.blocks.push(Block { rank, seen, key, handlers: vec![index] }),
        }
        self.entered = false;
    }

    fn known(&mut self, role: usize) -> bool {
        !self.roles.insert(role)
    }

    /// A role that comes again brings its handlers again, its tasks need no second look.
    fn enter(&mut self, file: FileId, _: By) -> bool {
        self.entered = true;
        let first = self.ansible.tasks_of(file).first();
        self.files.insert(file) || first.is_some_and(|task| self.ansible.tasks[*task].handler)
    }
}

/// Whether a mapping is a task of the module.
fn opens(node: Node<'_>, module: &str) -> bool {
    node.entries().iter().any(|(key, _)| key.as_str().is_some_and(|key| key.rsplit('.').next() == Some(module)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::load::{Documents, Options};
    use crate::source::{File, Tree};

    fn with<T>(files: &[(&str, &str)], look: impl FnOnce(&Ansible<'_>) -> T) -> T {
        let files = files.iter().map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true));
        let tree = Tree::new(files.collect(), None);
        let documents = Documents::load(&tree, &Options::default());
        look(&Ansible::build(&documents))
    }

    /// The `msg` of each handler that a notification means, with `?` after those that it may mean.
    fn meant(ansible: &Ansible<'_>, name: &str) -> String {
        let task = ansible.tasks.iter().position(|task| task.name == Some(name)).unwrap();
        let told = ansible.notifies(task);
        let shown = |handler: &usize| ansible.argument(&ansible.tasks[*handler], "msg").display();
        let sure = told.tasks.iter().map(shown);
        sure.chain(told.possible.iter().map(|handler| shown(handler) + "?")).collect::<Vec<_>>().join(" ")
    }

    // What `ansible-playbook` runs for these notifications, of ansible-core 2.19.
    const SITE: &str = "- hosts: localhost
  roles: [a, b]
  vars: {svc: nginx, several: [x1, x2]}
  tasks:
    - {import_role: {name: c}}
    - {include_role: {name: d}}
    - {name: t1, command: x, notify: same in file}
    - {name: t2, command: x, notify: everywhere}
    - {name: t3, command: x, notify: 'a : everywhere'}
    - {name: t4, command: x, notify: topic}
    - {name: t5, command: x, notify: 'restart {{ svc }}'}
    - {name: t6, command: x, notify: 'a : roletopic'}
    - {name: t7, command: x, notify: '{{ several }}'}
    - {name: t8, command: x, notify: 'loop {{ ansible_facts.x }}'}
    - {name: t9, command: x, notify: includer}
    - {name: t10, command: x, notify: [nobody, in block]}
    - block:
        - {name: t11, command: x}
      notify: x1
  handlers:
    - {name: same in file, debug: {msg: first}}
    - {name: same in file, debug: {msg: second}}
    - {name: everywhere, debug: {msg: play}}
    - {name: 'restart nginx', debug: {msg: nginx}}
    - {name: one, listen: topic, debug: {msg: one}}
    - {name: one, listen: topic, debug: {msg: again}}
    - {listen: topic, debug: {msg: nameless}}
    - {name: x1, debug: {msg: x1}}
    - {name: x2, debug: {msg: x2}}
    - {name: loop 1, debug: {msg: l1}}
    - {name: loop 2, debug: {msg: l2}}
    - {name: never, debug: {msg: never}}
    - {name: includer, include_tasks: more.yml}
    - name: the block
      block:
        - {name: in block, debug: {msg: block}}
    - {name: same in file, debug: {msg: after}}
";

    fn site() -> Vec<(String, String)> {
        let mut files = vec![
            ("site.yml".to_owned(), SITE.to_owned()),
            ("more.yml".to_owned(), "- {name: included, debug: {msg: included}}\n".to_owned()),
        ];
        for role in ["a", "b", "c", "d"] {
            let text = format!(
                "- {{name: everywhere, debug: {{msg: {role}}}}}\n- {{name: only {role}, listen: roletopic, debug: {{msg: only-{role}}}}}\n"
            );
            files.push((format!("roles/{role}/handlers/main.yml"), text));
            files.push((format!("roles/{role}/tasks/main.yml"), "- {debug: {msg: hi}}\n".to_owned()));
        }
        files
    }

    #[test]
    fn handlers_are_found_as_ansible_finds_them() {
        let files = site();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        with(&files, |ansible| {
            for (name, expected) in [
                ("t1", "after"),
                ("t2", "d"),
                ("t3", "a"),
                ("t4", "one nameless"),
                ("t5", "nginx"),
                ("t6", "only-a"),
                ("t7", "x1 x2"),
                ("t8", "l1? l2?"),
                ("t9", "nothing"),
                ("t10", "block"),
                ("t11", "x1"),
            ] {
                assert_eq!(meant(ansible, name), expected, "{name}");
            }
            let at = |name: &str| ansible.tasks.iter().position(|task| task.name == Some(name)).unwrap();
            assert_eq!(ansible.notified(at("never")), Tri::False);
            assert_eq!(ansible.notified(at("x2")), Tri::True);
            assert!(matches!(ansible.notified(at("loop 1")), Tri::Unknown(_)));
            assert_eq!(ansible.notified_by(at("x1")).tasks, BTreeSet::from([at("t7"), at("t11")]));
        });
    }

    #[test]
    fn who_notifies_is_unknown_where_something_is() {
        let handlers = "  handlers:\n    - {name: h, debug: {msg: h}}\n";
        let notified = |tasks: &str| {
            let text = format!("- hosts: all\n{tasks}{handlers}");
            with(&[("site.yml", text.as_str())], |ansible| {
                let handler = ansible.tasks.iter().position(|task| task.handler).unwrap();
                ansible.notified(handler)
            })
        };
        assert_eq!(notified("  tasks:\n    - {command: x, notify: other}\n"), Tri::False);
        assert_eq!(notified("  tasks:\n    - {command: x, notify: h}\n"), Tri::True);
        for unknown in [
            "  tasks:\n    - {command: x, notify: '{{ who_knows }}'}\n",
            "  tasks:\n    - {include_tasks: '{{ who_knows }}/x.yml'}\n",
            "  roles: [somebody.elses]\n  tasks:\n    - {command: x, notify: other}\n",
        ] {
            assert!(matches!(notified(unknown), Tri::Unknown(_)), "{unknown}");
        }
    }

    #[test]
    fn a_file_of_handlers_may_be_opened_as_tasks() {
        let files = [
            ("site.yml", "- hosts: all\n  tasks:\n    - {include_tasks: handlers/main.yml}\n"),
            ("handlers/main.yml", "- {name: h, debug: {msg: h}}\n"),
        ];
        with(&files, |ansible| {
            let handler = ansible.tasks.iter().position(|task| task.name == Some("h")).unwrap();
            assert_eq!(ansible.notified(handler), Tri::True);
        });
    }

    #[test]
    fn handlers_that_include_one_another_end() {
        let files = [
            (
                "site.yml",
                "- hosts: all\n  tasks: [{command: x, notify: h}]\n  handlers:\n    - {name: h, include_tasks: handlers/a.yml}\n",
            ),
            ("handlers/a.yml", "- {name: a, include_tasks: b.yml}\n"),
            ("handlers/b.yml", "- {name: b, include_tasks: a.yml}\n- {name: end, debug: {msg: end}}\n"),
        ];
        with(&files, |ansible| {
            let end = ansible.tasks.iter().position(|task| task.name == Some("end")).unwrap();
            assert_eq!(ansible.notified(end), Tri::True);
        });
    }
}
