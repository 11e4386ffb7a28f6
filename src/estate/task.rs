//! What an Ansible task does to data, to the repository and to infrastructure: facts that need more than the task's own text.

use super::Estate;
use crate::knowledge::ansible::{self as known, Module, ModuleRole};
use crate::knowledge::services::{self, PathClass};
use crate::model::ansible::{PROJECT, Task};
use crate::source::{file_name, folder};
use crate::syntax::jinja::{self, Expr};
use crate::syntax::yaml::Node;
use crate::value::{Data, Kind, Piece, Tri, Value};
use std::collections::HashSet;

/// A task in its estate.
#[derive(Clone, Copy)]
pub struct TaskFacts<'m> {
    /// The estate.
    pub estate: &'m Estate<'m>,
    /// The task.
    pub task: &'m Task<'m>,
    /// Its index.
    pub at: usize,
}

/// Words of a switch that lets something be destroyed.
const SWITCH_WORDS: [&str; 11] =
    ["reset", "wipe", "purge", "destroy", "recreate", "reinit", "force", "confirm", "delete", "cleanup", "drop"];

/// Tasks by which one handler is notified that are looked at.
const MAX_NOTIFIERS: usize = 64;

impl TaskFacts<'_> {
    /// What is known of its module.
    #[must_use]
    pub fn module(&self) -> Option<&'static Module> {
        known::module(&self.task.module)
    }

    /// Whether the module has a role.
    #[must_use]
    pub fn has(&self, role: ModuleRole) -> bool {
        self.module().is_some_and(|module| module.has(role))
    }

    /// An argument.
    #[must_use]
    pub fn argument(&self, name: &str) -> Value {
        self.estate.ansible.argument(self.task, name)
    }

    /// `state`, the module's default standing in for an absent one.
    #[must_use]
    pub fn state(&self) -> Value {
        let given = self.argument("state");
        let default = || self.module()?.defaults.get("state").map(crate::knowledge::test::known);
        if given.is_absent() { default().unwrap_or(given) } else { given }
    }

    /// Whether it runs on the controller.
    #[must_use]
    pub fn local(&self) -> Tri {
        let ansible = &self.estate.ansible;
        if let Some(node) = self.task.delegate_to.or_else(|| ansible.keyword(self.task, "delegate_to")) {
            let Some(text) = node.as_str() else { return Tri::False };
            if matches!(text, "localhost" | "127.0.0.1" | "local_action") {
                return Tri::True;
            }
            return if jinja::contains_template(text) {
                Tri::Unknown("delegate_to is a template".into())
            } else {
                Tri::False
            };
        }
        let local = |node: Node<'_>| node.as_str() == Some("local");
        if let Some(connection) = self.task.keyword("connection") {
            return local(connection).into();
        }
        let mut plays = ansible.plays_of(self.task).peekable();
        if plays.peek().is_none() {
            return Tri::Unknown("no play here reaches the task".into());
        }
        let near =
            |play| ansible.around(self.task, play).into_iter().rev().find_map(|level| level.keyword("connection"));
        plays.all(|play| play.local || near(play).is_some_and(local)).into()
    }

    /// Whether a switch that is off unless somebody sets it decides whether it runs; of a handler, whether one decides of each task
    /// that notifies it.
    #[must_use]
    pub fn guarded(&self) -> bool {
        self.of_each_notifier(&Self::switched, &mut HashSet::new())
    }

    fn switched(&self) -> bool {
        self.asked_for() || self.switched_by_condition()
    }

    /// Whether it runs only when somebody names a tag of it (`tags: never`), or is asked first.
    fn asked_for(&self) -> bool {
        let ansible = &self.estate.ansible;
        let never = |node: Node<'_>| {
            let tags = node.get("tags");
            let listed = tags.into_iter().flat_map(Node::items).filter_map(Node::as_str);
            let written = tags.and_then(Node::as_str).into_iter().flat_map(|text| text.split(','));
            listed.chain(written).any(|tag| tag.trim() == "never")
        };
        let asks = |name: &str| name.split('_').any(|part| SWITCH_WORDS.contains(&part));
        let prompted = |node: Node<'_>| {
            let mut asked = node.get("vars_prompt").into_iter().flat_map(Node::items);
            asked.any(|one| one.get("name").and_then(Node::as_str).is_some_and(asks))
        };
        if self.task.blocks.iter().chain([&self.task.node]).any(|node| never(*node)) {
            return true;
        }
        let mut plays = ansible.plays_of(self.task).peekable();
        let around =
            |play| ansible.around(self.task, play).iter().any(|level| never(level.node) || prompted(level.node));
        plays.peek().is_some() && plays.all(around)
    }

    fn switched_by_condition(&self) -> bool {
        self.estate.ansible.conditions(self.task).into_iter().any(|(_, when)| {
            let Some(text) = when.as_str() else { return false };
            let Ok(expr) = jinja::expression(text) else { return false };
            let names = jinja::names(&expr);
            let switch =
                names.iter().any(|name| SWITCH_WORDS.iter().any(|word| name.split('_').any(|part| part == *word)));
            let off = !names.is_empty() && self.estate.ansible.condition(self.task, when).is_false();
            off || switch && !matches!(expr, Expr::Not(_))
        })
    }

    /// Whether it runs nowhere: by a condition without any variable, by what every host of its plays is given, or as a handler
    /// that nothing notifies.
    #[must_use]
    pub fn dead(&self) -> bool {
        let never = self.task.handler && self.estate.ansible.notified(self.at).is_false();
        never || self.estate.ansible.never(self.task) || self.of_each_notifier(&Self::switched_off, &mut HashSet::new())
    }

    fn switched_off(&self) -> bool {
        let conditions = self.estate.ansible.conditions(self.task);
        conditions.iter().any(|(_, when)| when.as_str().and_then(crate::value::truth) == Some(false))
    }

    /// Whether something holds of the task, or of a handler's every notifier when they are all known.
    fn of_each_notifier(&self, holds: &dyn Fn(&Self) -> bool, seen: &mut HashSet<usize>) -> bool {
        // Handlers that only notify one another bring nothing of their own.
        if holds(self) || !seen.insert(self.at) {
            return true;
        }
        let ansible = self.estate.ansible;
        if !self.task.handler || ansible.runs_unnotified(self.at) || seen.len() > MAX_NOTIFIERS {
            return false;
        }
        let by = ansible.notified_by(self.at);
        let of = |at: usize| TaskFacts { estate: self.estate, task: &ansible.tasks[at], at };
        let known = by.open.is_none() && !by.tasks.is_empty();
        known && by.tasks.union(&by.possible).all(|at| of(*at).of_each_notifier(holds, seen))
    }

    /// The options whose values destroy or overwrite (`state: absent`).
    #[must_use]
    pub fn dangers(&self) -> Vec<String> {
        let Some(module) = self.module() else { return Vec::new() };
        let mut dangers = Vec::new();
        for (option, values) in &module.danger {
            let given = self.argument(option);
            let hit = values.iter().any(|value| match value.as_str() {
                Some("*") => given.has().is_true(),
                _ => given.equals(&crate::knowledge::test::data(value)).is_true(),
            });
            if hit {
                dangers.push(format!("{option}: {}", given.display()));
            }
        }
        dangers
    }

    /// The persistent data that it destroys, if it does; a value that is not known when it cannot be told which.
    #[must_use]
    pub fn destroyed(&self) -> Option<Value> {
        if self.dead() {
            return None;
        }
        match self.task.short() {
            "file" | "file_remove" => {
                let absent = self.argument("state").equals(&"absent".into()).is_true();
                if absent { self.paths(&["path", "dest", "name"]).into_iter().find(is_data_directory) } else { None }
            }
            "mount" => {
                let gone = matches!(self.argument("state").as_str(), Some("absent"));
                if gone { self.paths(&["path", "name"]).into_iter().find(is_data_directory) } else { None }
            }
            "command" | "shell" | "raw" | "win_command" | "win_shell" => self.removed_by_command(),
            "synchronize" => {
                let deletes = self.argument("delete").as_bool() == Some(true);
                if deletes { self.paths(&["dest"]).into_iter().find(is_data_directory) } else { None }
            }
            _ => self.destroyed_by_module(),
        }
    }

    fn destroyed_by_module(&self) -> Option<Value> {
        let module = self.module().filter(|module| module.has(ModuleRole::DataDestruction))?;
        // A container is not its data: its volumes are objects of their own.
        let container = matches!(module.group.as_str(), "docker" | "podman" | "containers")
            && !self.task.short().contains("volume")
            && !self.task.short().contains("prune");
        let file = module.has(ModuleRole::WriteBack);
        // Loading data into a store is another matter, and slots, links and users are not data.
        let loads = matches!(self.argument("state").as_str(), Some("restore" | "import" | "dump"));
        let link = ["slot", "publication", "subscription", "replication", "user", "privs", "role"]
            .iter()
            .any(|word| self.task.short().contains(word));
        // A partition that is added to a disk leaves the others alone.
        let adds = self.task.short() == "parted"
            && !self.argument("number").is_absent()
            && self.argument("state").as_str() != Some("absent");
        if container
            || file
            || loads
            || link
            || adds
            || module.has(ModuleRole::Infrastructure)
            || self.dangers().is_empty()
        {
            return None;
        }
        let target = ["name", "db", "dev", "device", "vg", "lv", "path", "volume", "volume_name", "pool", "identifier"];
        let named = target.iter().map(|key| self.argument(key)).find(|value| !value.is_absent());
        // The test database that some packages bring is nobody's data.
        let named = named.filter(|value| value.as_str() != Some("test"));
        named.or_else(|| (module.group == "storage").then(|| Value::known(module.effect.as_str())))
    }

    fn removed_by_command(&self) -> Option<Value> {
        let commands = self.estate.invocations_of(self.at);
        commands
            .filter(|command| &*command.program == "rm")
            .filter(|command| command.flags.iter().any(|flag| flag.name.contains(['r', 'R'])))
            .flat_map(|command| &command.operands)
            .find(|operand| is_data_directory(operand))
            .cloned()
    }

    /// The known or partly known values of the first of some arguments that is given, loops opened.
    fn paths(&self, names: &[&str]) -> Vec<Value> {
        let each = names.iter().map(|name| self.estate.ansible.each(self.task, name));
        each.into_iter().find(|values| !values.is_empty()).unwrap_or_default()
    }

    /// The path inside the repository that it writes on the controller.
    #[must_use]
    pub fn repository_path(&self) -> Value {
        if !self.has(ModuleRole::WriteBack)
            || self.task.short() == "file" && self.argument("state").as_str() != Some("absent")
        {
            return Value::absent();
        }
        let paths = self.paths(&["dest", "path"]);
        let Some(value) = paths.into_iter().next() else { return Value::absent() };
        let inside = value.starts_with(PROJECT).is_true();
        let relative = value.starts_with("../").is_true() || value.starts_with("./").is_true();
        let names_intent =
            known_suffix(&value).is_some_and(|suffix| known::intent_file(suffix) || is_terraform(suffix));
        let declares = is_terraform(known_suffix(&value).unwrap_or(""));
        // A file of Terraform is declared intent wherever it stands.
        let here = (inside || relative) && names_intent && (self.local().is_true() || self.task.short() == "fetch");
        if here || declares { value } else { Value::absent() }
    }

    /// What the path that it writes holds.
    #[must_use]
    pub fn declared_kind(&self) -> &'static str {
        let value = self.repository_path();
        let suffix = known_suffix(&value).unwrap_or("");
        if is_terraform(suffix) {
            "terraform"
        } else if suffix.contains("host_vars")
            || suffix.contains("group_vars")
            || suffix.contains("inventor")
            || suffix.contains("hosts")
        {
            "inventory"
        } else {
            "other"
        }
    }

    /// Whether what it writes or sends comes from facts, registered results or other hosts' variables.
    #[must_use]
    pub fn from_runtime(&self) -> bool {
        let source = self.estate.documents.tree.text(self.task.file);
        let text = self.task.node.span().slice(source);
        let registered = self
            .estate
            .ansible
            .tasks
            .iter()
            .filter(|task| task.file == self.task.file)
            .filter_map(|task| task.register);
        ["ansible_facts", "ansible_default_ipv4", "ansible_hostname", "hostvars[", ".stdout"]
            .iter()
            .any(|word| text.contains(word))
            || registered.into_iter().any(|name| text.contains(&format!("{{{{ {name}")))
    }

    /// Whether it reads a state file.
    #[must_use]
    pub fn reads_state(&self) -> bool {
        let source = self.estate.documents.tree.text(self.task.file);
        let text = self.task.node.span().slice(source);
        if !text.contains(".tfstate") {
            return false;
        }
        let by_lookup = text.contains("lookup(") || text.contains("query(");
        by_lookup || matches!(self.task.short(), "slurp" | "include_vars" | "tf_state")
    }

    /// The address of a download that is not pinned; absent when it is, or nothing is downloaded.
    #[must_use]
    pub fn floating_download(&self) -> Value {
        if self.task.short() == "git" {
            return self.floating_checkout();
        }
        let option = match self.task.short() {
            "get_url" | "uri" | "win_get_url" => "url",
            "unarchive" => "src",
            _ => return Value::absent(),
        };
        if self.task.short() == "uri" && self.argument("dest").is_absent() {
            return Value::absent();
        }
        let urls = self.paths(&[option]);
        let pinned = !self.argument("checksum").is_absent();
        urls.into_iter().find(|url| !pinned && is_floating_url(&url.display())).unwrap_or_default()
    }

    /// The repository of a checkout whose version is a branch, or not said.
    fn floating_checkout(&self) -> Value {
        let version = self.argument("version");
        let branch = matches!(version.as_str(), Some("master" | "main" | "HEAD" | "develop" | "devel" | "trunk"));
        let repository = self.argument("repo");
        // An empty default waits for whoever wants the checkout.
        let named = repository.as_str().is_none_or(|text| !text.trim().is_empty());
        if named && branch || version.is_absent() && repository.starts_with("http").is_true() {
            repository
        } else {
            Value::absent()
        }
    }

    /// The data service that a package task installs in whatever version is newest.
    #[must_use]
    pub fn latest_service(&self) -> Option<&'static str> {
        // To bring up to date is what a role or playbook for updates is there for.
        let path = self.estate.documents.tree.path(self.task.file);
        let updates = path.split(['/', '_', '-', '.']).any(|word| matches!(word, "update" | "updates" | "upgrade"));
        let installs = !updates && super::service::installs_packages(self.task.short());
        if !installs || self.argument("state").as_str() != Some("latest") {
            return None;
        }
        let names = ["name", "pkg"].iter().flat_map(|name| self.estate.ansible.each(self.task, name));
        names.into_iter().flat_map(|value| super::service::words(&value)).find_map(|name| {
            services::by_package(&name)
                .filter(|service| super::placement::weight(service.data) > 1)
                .map(|service| service.label.as_str())
        })
    }

    /// Whether the file stands among tests.
    #[must_use]
    pub fn in_tests(&self) -> bool {
        is_test_path(self.estate.documents.tree.path(self.task.file))
    }

    /// Whether the file belongs to a build of images.
    #[must_use]
    pub fn image_build(&self) -> bool {
        is_image_path(self.estate.documents.tree.path(self.task.file))
    }

    /// The module's grade, as a word.
    #[must_use]
    pub fn grade(&self) -> &'static str {
        self.module().map_or("ok", |module| match module.grade {
            crate::knowledge::terraform::Grade::Ok => "ok",
            crate::knowledge::terraform::Grade::Info => "info",
            crate::knowledge::terraform::Grade::Warning => "warning",
            crate::knowledge::terraform::Grade::Error => "error",
        })
    }
}

fn is_terraform(path: &str) -> bool {
    let name = file_name(path);
    [".tf", ".tofu", ".tfvars", ".tf.json", ".tfvars.json"].iter().any(|suffix| name.ends_with(suffix))
}

/// The known end of a path.
fn known_suffix(value: &Value) -> Option<&str> {
    match &value.kind {
        Kind::Known(Data::Str(text)) => Some(text),
        Kind::Text(pieces) => match pieces.last() {
            Some(Piece::Lit(text)) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a path is a directory of persistent data: a service's own, or what a variable calls so.
fn is_data_directory(value: &Value) -> bool {
    let Some(path) = value.as_str() else {
        return false;
    };
    let path = path.trim_end_matches("/*").trim_end_matches('/');
    // One file of a directory (a lock, a configuration) is not the data.
    let file = file_name(path).rsplit_once('.').is_some_and(|(stem, suffix)| {
        !stem.is_empty() && suffix.chars().all(|c| c.is_ascii_alphabetic()) && suffix.len() <= 6
    });
    if file || !path.starts_with('/') {
        return false;
    }
    if matches!(services::data_path(path), Some(PathClass::Volatile | PathClass::Logs | PathClass::Configuration)) {
        return false;
    }
    let named = value.via.iter().flat_map(|via| via.iter()).any(|step| {
        ["data_dir", "datadir", "data_path", "data_directory", "data_root"].iter().any(|word| step.what.contains(word))
    });
    named || services::by_path(path).is_some()
}

/// Whether an address means whatever is newest.
#[must_use]
pub fn is_floating_url(url: &str) -> bool {
    let branch = |part: &str| ["/main/", "/master/", "/HEAD/", "/develop/"].iter().any(|name| part.contains(name));
    url.contains("/releases/latest/")
        || url.contains("/latest/download/")
        || url.contains("raw.githubusercontent.com/") && branch(url)
        || url.contains("github.com/")
            && (url.contains("/raw/main/")
                || url.contains("/raw/master/")
                || url.contains("/archive/refs/heads/")
                || url.contains("/archive/master")
                || url.contains("/archive/main"))
}

/// Whether a path stands among tests.
#[must_use]
pub fn is_test_path(path: &str) -> bool {
    folder(path)
        .split('/')
        .any(|part| matches!(part, "test" | "tests" | "molecule" | "testdata" | "spec" | "e2e" | "integration"))
}

/// Whether a path belongs to a build of images.
#[must_use]
pub fn is_image_path(path: &str) -> bool {
    folder(path)
        .split('/')
        .any(|part| matches!(part, "packer" | "images" | "image" | "image-builder" | "templates-build"))
        || ["packer", "pkr"].iter().any(|word| file_name(path).contains(word))
}
