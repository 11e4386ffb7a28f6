//! The ways by which a task is reached, and the variables that each puts around it, in Ansible's order of strength.

use super::super::reach::MAX_WAY;
use super::super::task::{Argument, ArgumentValue};
use super::super::walk::{By, Level};
use super::super::{Ansible, Task, include};
use crate::source::{folder, join};
use crate::syntax::jinja;
use crate::syntax::yaml::{Node, Yaml};
use crate::text::FileId;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

/// Ways into one file that are followed.
const MAX_WAYS: usize = 24;
/// Chains of such that are gone through.
const MAX_LOOKED: usize = 1000;
/// Playbooks that import one another.
const MAX_IMPORTS: usize = 4;
/// Roles that one depends on.
const MAX_ROLES: usize = 64;

/// Variables of one strength.
#[derive(Clone)]
pub(in crate::model::ansible) enum Layer<'a> {
    /// A mapping of variables.
    Map(FileId, Node<'a>),
    /// A file of variables.
    File(Arc<Mapping<'a>>),
    /// An entry of `roles:` or `dependencies:`: what is no keyword is a variable.
    Params(FileId, Node<'a>),
    /// What the loop of an include hands on, by the task.
    Turns(usize),
    /// `vars_prompt:`
    Asked(Node<'a>),
    /// One of several files, or none: which is not known.
    OneOf(Arc<[(FileId, Node<'a>)]>),
    /// A file that is read once a role has been included.
    Perhaps(Arc<Mapping<'a>>),
    /// A file that is there and cannot be read.
    Unread,
}

/// A file of variables, by their names.
pub(in crate::model::ansible) struct Mapping<'a> {
    pub(super) file: FileId,
    pub(super) entries: HashMap<&'a str, (Node<'a>, Node<'a>)>,
}

/// What stands around a task.
#[derive(Clone, Copy)]
struct Step<'a> {
    level: Level<'a>,
    /// The task that imports or includes what follows.
    task: Option<usize>,
    /// The file that it leads to.
    into: Option<FileId>,
    /// The role that starts here, and whether keys of the mapping that are no keywords are its variables.
    role: Option<(usize, bool)>,
}

/// One way to a file with tasks.
#[derive(Clone, Default)]
pub(in crate::model::ansible) struct Context<'a> {
    /// The play; none for what nothing reaches.
    pub(super) play: Option<usize>,
    steps: Vec<Step<'a>>,
    /// Whether mappings of one name are merged.
    pub(super) merges: bool,
    /// The role to which the tasks belong.
    pub(super) role: Option<usize>,
    /// The includes on the way that hang on something, each with the file that this way enters by it, as they are seen.
    included: OnceLock<Arc<[(usize, FileId, Context<'a>)]>>,
    /// Parameters of includes and roles, strongest first: over what is set while the play runs.
    pub(super) params: Vec<Layer<'a>>,
    /// `vars:` around the file, strongest first.
    pub(super) vars: Vec<Layer<'a>>,
    /// Variables of roles and of the play, strongest first.
    pub(super) strong: Vec<Layer<'a>>,
    /// Defaults of roles, strongest first: under what hosts and groups are given.
    pub(super) weak: Vec<Layer<'a>>,
}

/// What has been looked at for ways into one file.
#[derive(Default)]
struct Looked {
    /// The files on the way.
    seen: Vec<FileId>,
    files: usize,
    /// Whether there are more ways than were followed.
    left: bool,
}

impl Layer<'_> {
    /// The same, or what may be so.
    fn perhaps(self, perhaps: bool) -> Self {
        match self {
            Self::File(mapping) if perhaps => Self::Perhaps(mapping),
            layer => layer,
        }
    }
}

impl<'a> Context<'a> {
    /// What hands keywords down, the outermost first.
    pub(super) fn levels(&self) -> impl DoubleEndedIterator<Item = Level<'a>> {
        self.steps.iter().map(|step| step.level)
    }

    /// The tasks that include what follows when they run, if that hangs on anything: each with the file that this way enters
    /// by it, and with what stands around itself.
    pub(super) fn included(&self, ansible: &Ansible<'a>) -> Arc<[(usize, FileId, Self)]> {
        let find = || {
            let steps = self.steps.iter().enumerate().filter(|(_, step)| step.level.dynamic);
            let tasks = steps.filter_map(|(at, step)| Some((at, step.task?, step.into?)));
            let hangs = tasks.filter(|(_, task, _)| hangs_on_something(&ansible.tasks[*task]));
            hangs.map(|(at, task, file)| (task, file, self.before(ansible, at))).collect()
        };
        self.included.get_or_init(find).clone()
    }

    /// What stands around an include of this way, as it is seen itself.
    pub(super) fn around_include(&self, ansible: &Ansible<'a>, task: usize) -> Option<Self> {
        let at = self.steps.iter().position(|step| step.level.dynamic && step.task == Some(task))?;
        Some(self.before(ansible, at))
    }

    /// Whether the role is named by a path.
    pub(super) fn role_by_path(&self, ansible: &Ansible<'a>) -> bool {
        let Some(step) = self.steps.iter().rev().find(|step| step.role.is_some()) else { return false };
        let node = step.level.node;
        let entry = || node.as_str().or_else(|| ["role", "name"].iter().find_map(|key| node.get(key)?.as_str()));
        let named = |task| ["name", "role"].iter().find_map(|name| include::literal(&ansible.tasks[task], name));
        step.task.map_or_else(entry, named).is_some_and(|name| name.contains('/'))
    }

    fn before(&self, ansible: &Ansible<'a>, at: usize) -> Self {
        let mut context = Self { play: self.play, ..Self::default() };
        for step in &self.steps[..at] {
            context.role = step.role.map(|(role, _)| role).or(context.role);
            context.steps.push(*step);
        }
        let entered = self.steps[..at].iter().rev().find_map(|step| step.into);
        context.role = context.role.or_else(|| ansible.role_of(entered?));
        context.settle(ansible);
        context
    }

    fn step(&mut self, level: Level<'a>, task: Option<usize>, role: Option<(usize, bool)>) {
        self.steps.push(Step { level, task, into: None, role });
        if let Some((role, _)) = role {
            self.role = Some(role);
        }
    }

    /// Puts the layers in order, when all that stands around is known.
    pub(super) fn settle(&mut self, ansible: &Ansible<'a>) {
        self.add_around(ansible);
        let roles: Vec<(usize, Step<'a>)> =
            self.steps.iter().filter_map(|step| Some((step.role?.0, *step))).rev().collect();
        for (_, step) in roles.iter().filter(|(_, step)| step.role.is_some_and(|(_, params)| params)) {
            self.params.push(Layer::Params(step.level.file, step.level.node));
        }
        for (at, (role, step)) in roles.iter().enumerate() {
            let from = |part| step.task.and_then(|task| ansible.part_of(*role, task, part));
            let given = step.level.node.get("vars").map(|vars| Layer::Map(step.level.file, vars));
            let own = from("vars").unwrap_or_else(|| ansible.role_layers(&ansible.roles[*role].vars));
            let defaults = from("defaults").unwrap_or_else(|| ansible.role_layers(&ansible.roles[*role].defaults));
            self.weak.extend(defaults);
            if at == 0 {
                self.strong.extend(given);
                self.strong.extend(own);
                for other in &*ansible.depended(*role, false) {
                    self.strong.extend(ansible.role_layers(&ansible.roles[*other].vars));
                }
            } else {
                self.strong.extend(own);
                self.strong.extend(given);
            }
        }
        if let Some((role, _)) = roles.first() {
            for other in &*ansible.depended(*role, true) {
                self.weak.extend(ansible.role_layers(&ansible.roles[*other].defaults));
            }
        }
        if let Some(play) = self.play {
            self.add_play(ansible, play);
        }
    }

    /// `vars:` of blocks, imports and includes; those of includes count as parameters too.
    fn add_around(&mut self, ansible: &Ansible<'a>) {
        let mut inside: Option<Step<'a>> = None;
        for step in &self.steps {
            let Level { file, node, dynamic } = step.level;
            let entry = step.role.is_some() && step.task.is_none();
            if entry || node.get("hosts").is_some() || node.get("import_playbook").is_some() {
                inside = if step.role.is_some() { Some(*step) } else { inside };
                continue;
            }
            let vars = node.get("vars").map(|vars| Layer::Map(file, vars));
            self.vars.extend(vars.clone());
            if step.task.is_some() && dynamic {
                self.vars.extend(step.level.applied("vars").map(|vars| Layer::Map(file, vars)));
                self.params.extend(vars);
                self.params.extend(step.task.filter(|task| ansible.tasks[*task].repeat.is_some()).map(Layer::Turns));
            }
            if let (Some(outer), true) = (inside, step.role.is_some())
                && outer.role.is_some_and(|(_, params)| params)
            {
                self.params.push(Layer::Params(outer.level.file, outer.level.node));
            }
            inside = if step.role.is_some() { Some(*step) } else { inside };
        }
        self.vars.reverse();
        self.params.reverse();
    }

    /// What the play and the roles that are public in it add.
    fn add_play(&mut self, ansible: &Ansible<'a>, index: usize) {
        let play = &ansible.plays[index];
        self.merges = ansible.finder.merges(folder(ansible.documents.tree.path(play.file)));
        let publics = ansible.ways.public.get(&index).map_or(&[][..], Vec::as_slice);
        for (role, task) in publics.iter().rev() {
            // What is included is seen from then on, and nobody can tell when that is.
            let included = task.is_some_and(|task| ansible.tasks[task].short() == "include_role");
            let seen = |layers: Vec<Layer<'a>>| layers.into_iter().map(move |layer| layer.perhaps(included));
            let from = |part: &str| task.and_then(|task| ansible.part_of(*role, task, part));
            let of = |role: usize| &ansible.roles[role];
            self.strong.extend(seen(from("vars").unwrap_or_else(|| ansible.role_layers(&of(*role).vars))));
            self.weak.extend(seen(from("defaults").unwrap_or_else(|| ansible.role_layers(&of(*role).defaults))));
            for other in &*ansible.depended(*role, false) {
                self.strong.extend(seen(ansible.role_layers(&of(*other).vars)));
            }
            for other in &*ansible.depended(*role, true) {
                self.weak.extend(seen(ansible.role_layers(&of(*other).defaults)));
            }
        }
        self.strong.extend(ansible.variable_files(index));
        self.strong.extend(play.node.get("vars_prompt").map(Layer::Asked));
        // The import of a playbook goes over what its plays say, the outermost over all.
        let imports =
            self.steps.iter().map(|step| step.level).filter(|level| level.node.get("import_playbook").is_some());
        self.strong.extend(imports.filter_map(|level| Some(Layer::Map(level.file, level.node.get("vars")?))));
        self.strong.extend(play.node.get("vars").map(|vars| Layer::Map(play.file, vars)));
    }
}

/// Whether an include has a condition, a loop or a name that is a template.
fn hangs_on_something(task: &Task<'_>) -> bool {
    let templated = |argument: &Argument<'_>| match &argument.value {
        ArgumentValue::Node(node) => node.as_str().is_some_and(jinja::contains_template),
        ArgumentValue::Text(text, _) => jinja::contains_template(text),
    };
    !task.when.is_empty() || task.repeat.is_some() || task.arguments.iter().any(templated)
}

impl<'a> Ansible<'a> {
    /// The ways into a file.
    pub(super) fn contexts(&self, file: FileId) -> Arc<[Context<'a>]> {
        if let Some(known) = self.known.contexts.read().ok().and_then(|known| known.get(&file).cloned()) {
            return known;
        }
        let mut looked = Looked::default();
        let mut found = self.ways_to(file, None, &mut looked);
        if found.is_empty() {
            found.push(self.unreached(file));
        } else if looked.left {
            found.push(Context { strong: vec![Layer::Unread], ..Context::default() });
        }
        for context in &mut found {
            context.settle(self);
        }
        let found: Arc<[Context<'a>]> = found.into();
        if let Ok(mut known) = self.known.contexts.write() {
            known.insert(file, found.clone());
        }
        found
    }

    /// The ways of a task: those of its file, or of the play whose own it is.
    pub(super) fn contexts_of(&self, task: &Task<'a>) -> Arc<[Context<'a>]> {
        match task.plays.as_slice() {
            plays if task.of_play => {
                let found = plays.iter().flat_map(|play| self.of_play(*play)).map(|mut context| {
                    context.settle(self);
                    context
                });
                found.collect()
            }
            _ => self.contexts(task.file),
        }
    }

    /// What stands around a task of a play before it is known how files are reached.
    pub(super) fn early_context(&self, task: &Task<'a>, play: Option<usize>) -> Context<'a> {
        let mut context = Context { play, ..Context::default() };
        let played = play.map(|play| &self.plays[play]);
        let used = played.and_then(|play| play.roles.iter().find(|used| used.role.is_some() && used.role == task.role));
        if let Some(role) = task.role {
            let (file, node) = match (played, used) {
                (Some(play), Some(used)) => (play.file, used.item),
                _ => (task.file, task.node),
            };
            context.step(
                Level { file, node, dynamic: false },
                None,
                Some((role, used.is_some_and(|used| used.item.is_map()))),
            );
        }
        context.settle(self);
        context
    }

    fn role_of(&self, file: FileId) -> Option<usize> {
        self.tasks_of(file).first().and_then(|task| self.tasks[*task].role)
    }

    /// The ways to a file, in one play or in all.
    fn ways_to(&self, file: FileId, only: Option<usize>, looked: &mut Looked) -> Vec<Context<'a>> {
        let mut all = Vec::new();
        if looked.seen.contains(&file) {
            return all;
        }
        looked.files += 1;
        if looked.seen.len() >= MAX_WAY || looked.files > MAX_LOOKED {
            looked.left = true;
            return all;
        }
        looked.seen.push(file);
        let ways = self.ways.into.get(&file).into_iter().flatten();
        for (play, by) in ways.filter(|(play, _)| only.is_none_or(|only| only == *play)) {
            all.extend(self.contexts_along(*play, *by, file, looked));
            if all.len() > MAX_WAYS {
                looked.left = true;
                all.truncate(MAX_WAYS);
                break;
            }
        }
        looked.seen.pop();
        all
    }

    /// A file that no play reaches.
    fn unreached(&self, file: FileId) -> Context<'a> {
        let mut context = Context::default();
        let root = self.documents.document(file).and_then(|document| document.yaml()?.root());
        if let (Some(role), Some(node)) = (self.role_of(file), root) {
            context.step(Level { file, node, dynamic: false }, None, Some((role, false)));
        }
        context
    }

    /// A play, as it is and as other playbooks import it.
    pub(super) fn of_play(&self, index: usize) -> Vec<Context<'a>> {
        let play = &self.plays[index];
        let mut chains: Vec<Vec<(FileId, Node<'a>)>> = Vec::new();
        self.add_imports(play.file, &mut Vec::new(), &mut chains, &mut 0);
        let of = |chain: Vec<(FileId, Node<'a>)>| {
            let mut context = Context { play: Some(index), ..Context::default() };
            for (file, node) in chain.into_iter().chain([(play.file, play.node)]) {
                context.step(Level { file, node, dynamic: false }, None, None);
            }
            context
        };
        chains.into_iter().map(of).collect()
    }

    /// The chains of imports that lead to a playbook, the outermost first, each with what says anything of its own.
    fn add_imports(
        &self,
        file: FileId,
        inner: &mut Vec<(FileId, Node<'a>)>,
        chains: &mut Vec<Vec<(FileId, Node<'a>)>>,
        looked: &mut usize,
    ) {
        *looked += 1;
        let imports = self.imports.get(&file).map_or(&[][..], Vec::as_slice);
        if imports.is_empty() || inner.len() >= MAX_IMPORTS || *looked > MAX_LOOKED {
            let said = |(_, node): &&(FileId, Node<'a>)| node.get("vars").is_some() || node.get("when").is_some();
            let chain: Vec<(FileId, Node<'a>)> = inner.iter().rev().filter(said).copied().collect();
            let ids = |chain: &[(FileId, Node<'a>)]| chain.iter().map(|(_, node)| node.id()).collect::<Vec<_>>();
            if chains.len() < MAX_WAYS && !chains.iter().any(|other| ids(other) == ids(&chain)) {
                chains.push(chain);
            }
            return;
        }
        for import in imports.iter().take(MAX_WAYS) {
            inner.push(*import);
            self.add_imports(import.0, inner, chains, looked);
            inner.pop();
        }
    }

    fn contexts_along(&self, play: usize, by: By, file: FileId, looked: &mut Looked) -> Vec<Context<'a>> {
        let role = self.role_of(file);
        let (mut all, level, task) = match by {
            By::Use(at) => {
                let level =
                    Level { file: self.plays[play].file, node: self.plays[play].roles[at].item, dynamic: false };
                (self.of_play(play), level, None)
            }
            By::Dependency(parent, at) => {
                let dependency = self.roles[parent].dependencies[at];
                let level = Level { file: dependency.file, node: dependency.node, dynamic: false };
                let outer = match self.roles[parent].main.filter(|main| *main != file) {
                    Some(main) => self.ways_to(main, Some(play), looked),
                    None => self.of_play(play),
                };
                (outer, level, None)
            }
            By::Task(index) => {
                let task = &self.tasks[index];
                let outer = if task.of_play { self.of_play(play) } else { self.ways_to(task.file, Some(play), looked) };
                (outer, super::super::reach::own(task), Some(index))
            }
        };
        all.retain(|context| context.play == Some(play));
        let entered = match task.map(|task| self.tasks[task].short()) {
            None => role.map(|role| (role, level.node.is_map())),
            Some("include_role" | "import_role") => role.map(|role| (role, false)),
            Some(_) => None,
        };
        for context in &mut all {
            for node in task.into_iter().flat_map(|task| &self.tasks[task].blocks) {
                context.step(Level { file: level.file, node: *node, dynamic: false }, None, None);
            }
            context.step(level, task, entered);
            if let Some(step) = context.steps.last_mut() {
                step.into = Some(file);
            }
            context.role = context.role.or(role);
        }
        all
    }

    /// The roles that a role depends on, all the way down, the strongest first. Of one that is needed twice the last place
    /// counts, or the first.
    fn depended(&self, role: usize, last: bool) -> Arc<[usize]> {
        if let Some(known) = self.known.depended.read().ok().and_then(|known| known.get(&(role, last)).cloned()) {
            return known;
        }
        let found: Arc<[usize]> = self.find_depended(role, last).into();
        if let Ok(mut known) = self.known.depended.write() {
            known.insert((role, last), found.clone());
        }
        found
    }

    fn find_depended(&self, role: usize, last: bool) -> Vec<usize> {
        let mut all = Vec::new();
        self.add_depended(role, &mut all, &mut vec![role]);
        let mut seen = HashSet::new();
        if !last {
            all.retain(|role| seen.insert(*role));
        }
        all.reverse();
        let mut seen = HashSet::new();
        all.retain(|role| seen.insert(*role));
        all
    }

    fn add_depended(&self, role: usize, all: &mut Vec<usize>, around: &mut Vec<usize>) {
        for (_, next) in self.ways.dependencies.get(&role).into_iter().flatten() {
            if all.len() < MAX_ROLES && !around.contains(next) {
                around.push(*next);
                self.add_depended(*next, all, around);
                around.pop();
                all.push(*next);
            }
        }
    }

    /// The variables that `vars_from` or `defaults_from` of a task name instead of the role's usual ones.
    fn part_of(&self, role: usize, task: usize, part: &str) -> Option<Vec<Layer<'a>>> {
        let task = &self.tasks[task];
        let name = include::literal(task, &format!("{part}_from"))?;
        let file = self.roles[role].part(self.documents.tree, part, Some(name))?;
        Some(self.layer_of(file).into_iter().collect())
    }

    pub(super) fn role_layers(&self, files: &[(FileId, Node<'a>)]) -> Vec<Layer<'a>> {
        let maps = files.iter().rev().filter(|(_, node)| node.is_map());
        maps.map(|(file, node)| Layer::File(self.by_name(*file, *node))).collect()
    }

    /// The variables of a file by their names, put in order once.
    fn by_name(&self, file: FileId, root: Node<'a>) -> Arc<Mapping<'a>> {
        if let Some(known) = self.known.mappings.read().ok().and_then(|known| known.get(&file).cloned()) {
            return known;
        }
        let mut entries = HashMap::new();
        for (key, value) in root.entries() {
            if let Some(name) = key.as_str() {
                // Of a name that is there twice the last counts; what `<<` brings in stands behind and yields.
                let merged = entries.contains_key(name) && root.get(name).is_some_and(|own| own.id() != value.id());
                if !merged {
                    entries.insert(name, (key, value));
                }
            }
        }
        let mapping = Arc::new(Mapping { file, entries });
        if let Ok(mut known) = self.known.mappings.write() {
            known.insert(file, mapping.clone());
        }
        mapping
    }

    /// `vars_files:` of a play, the strongest first.
    fn variable_files(&self, play: usize) -> Vec<Layer<'a>> {
        let play = &self.plays[play];
        let from = folder(self.documents.tree.path(play.file));
        let several = |node: Node<'a>| if node.is_seq() { node.items().collect() } else { vec![node] };
        let mut layers = Vec::new();
        for item in play.node.get("vars_files").into_iter().flat_map(several) {
            let names: Vec<&str> = several(item).into_iter().filter_map(Node::as_str).collect();
            if names.iter().any(|name| jinja::contains_template(name)) {
                let fitting = names.iter().flat_map(|name| include::fitting(self.documents.tree, from, "vars", name));
                layers.push(Layer::OneOf(fitting.filter_map(|file| Some((file, self.mapping(file)?))).collect()));
                continue;
            }
            let found = names.iter().find_map(|name| self.variable_file(&[from], name));
            layers.extend(found.and_then(|file| self.layer_of(file)));
        }
        layers.reverse();
        layers
    }

    /// A file of variables as Ansible looks for it: in `vars` of each folder, then in the folder.
    pub(super) fn variable_file(&self, folders: &[&str], name: &str) -> Option<FileId> {
        let tree = self.documents.tree;
        if let Some(path) = self.uploaded_from(name) {
            return tree.find(&path);
        }
        folders.iter().find_map(|folder| {
            let paths = [format!("vars/{name}"), name.to_owned()];
            paths.iter().filter_map(|path| join(folder, path)).find_map(|path| tree.find(&tree.real(&path)))
        })
    }

    pub(super) fn mapping(&self, file: FileId) -> Option<Node<'a>> {
        self.documents.document(file).and_then(|document| document.yaml()?.root()).filter(|root| root.is_map())
    }

    /// What a file of variables holds.
    pub(super) fn layer_of(&self, file: FileId) -> Option<Layer<'a>> {
        match self.documents.document(file).and_then(|document| document.yaml()).map(Yaml::root) {
            Some(Some(root)) if root.is_map() => Some(Layer::File(self.by_name(file, root))),
            Some(root) if root.is_none_or(Node::is_null) => None,
            _ => Some(Layer::Unread),
        }
    }
}
