//! What an Ansible task does to data, to the repository and to infrastructure: facts that need more than the task's own text.

use super::Estate;
use crate::knowledge::ansible::{self as known, Module, ModuleRole};
use crate::knowledge::services;
use crate::model::ansible::{Ansible, ArgumentValue, PROJECT, Play, Task};
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

/// Whether a task runs on no host: by a condition that holds nowhere whatever is set, or as a handler that nothing notifies.
#[must_use]
pub fn runs_nowhere(ansible: &Ansible<'_>, at: usize) -> bool {
    ansible.tasks.get(at).is_some_and(|task| task.handler && ansible.notified(at).is_false() || ansible.never(task))
}

/// The variables that a play asks for (`vars_prompt`).
fn names_asked(play: Node<'_>) -> impl Iterator<Item = &str> {
    play.get("vars_prompt").into_iter().flat_map(Node::items).filter_map(|one| one.get("name").and_then(Node::as_str))
}

/// Whether a task ends the run unless a variable says what it must.
fn stops_on(task: &Task<'_>, name: &str) -> bool {
    let when = || task.node.get("when");
    let said = match (task.short(), task.node.get("meta").and_then(Node::as_str)) {
        ("fail", _) => when(),
        ("meta", Some(what)) if what.starts_with("end_") => when(),
        ("assert", _) => task.argument("that").and_then(|that| match &that.value {
            ArgumentValue::Node(node) => Some(*node),
            ArgumentValue::Text(..) => None,
        }),
        _ => None,
    };
    let texts = said.into_iter().flat_map(|said| said.items().chain([said])).filter_map(Node::as_str);
    texts.into_iter().any(|text| text.contains(name))
}

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
        let prompted = |node: Node<'_>| names_asked(node).any(asks);
        // What is asked in a play of the file is asked before those that stand behind it.
        let paused = |play: &Play<'_>| {
            let before =
                ansible.plays.iter().filter(|own| own.file == play.file && own.loc.span.start <= play.loc.span.start);
            before.flat_map(|own| own.tasks.iter().map(move |at| (own, &ansible.tasks[*at]))).any(|(own, task)| {
                let waits = ["seconds", "minutes"].iter().any(|name| task.argument(name).is_some());
                // Whoever keeps the answer looks at it.
                task.short() == "pause" && task.argument("prompt").is_some() && !waits && task.register.is_some()
                    || names_asked(own.node).any(|name| stops_on(task, name))
            })
        };
        if self.task.blocks.iter().chain([&self.task.node]).any(|node| never(*node)) {
            return true;
        }
        let mut plays = ansible.plays_of(self.task).peekable();
        let around = |play| {
            paused(play)
                || ansible.around(self.task, play).iter().any(|level| never(level.node) || prompted(level.node))
        };
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
        runs_nowhere(self.estate.ansible, self.at) || self.of_each_notifier(&Self::switched_off, &mut HashSet::new())
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
        let Some(module) = self.module() else {
            let removes = self.estate.invocations_of(self.at).any(|command| &*command.program == "rm");
            return removes.then(|| "rm".to_owned()).into_iter().collect();
        };
        let mut dangers = Vec::new();
        for (option, values) in &module.danger {
            let hits = |given: &Value| {
                values.iter().any(|value| match value.as_str() {
                    Some("*") => given.has().is_true(),
                    _ => given.equals(&crate::knowledge::test::data(value)).is_true(),
                })
            };
            let given = self.estate.ansible.each(self.task, option);
            dangers
                .extend(given.iter().find(|given| hits(given)).map(|given| format!("{option}: {}", given.display())));
        }
        dangers
    }

    /// The known or partly known values of the first of some arguments that is given, loops opened.
    pub(super) fn paths(&self, names: &[&str]) -> Vec<Value> {
        let each = names.iter().map(|name| self.estate.ansible.each(self.task, name));
        each.into_iter().find(|values| !values.is_empty()).unwrap_or_default()
    }

    /// The path inside the repository that it writes on the controller, in any turn of its loop.
    #[must_use]
    pub fn repository_path(&self) -> Value {
        let short = self.task.short();
        let writes = self.has(ModuleRole::WriteBack) || matches!(short, "file" | "get_url" | "uri");
        if !writes || short == "file" && self.argument("state").as_str() != Some("absent") {
            return Value::absent();
        }
        let paths = self.paths(&["dest", "path"]);
        paths.into_iter().find(|path| self.is_declared(path)).unwrap_or_default()
    }

    /// Whether a path that it writes is declared intent: of the repository, or Terraform's wherever it stands.
    fn is_declared(&self, path: &Value) -> bool {
        let suffix = known_suffix(path).unwrap_or("");
        // `fetch` writes beside the playbook; others where the run was started, in the repository.
        let relative = known_prefix(path).is_some_and(|prefix| !prefix.is_empty() && !prefix.starts_with(['/', '~']));
        let inside = path.starts_with(PROJECT).is_true() || relative || self.names_repository();
        let local = || self.task.short() == "fetch" || self.local().is_true();
        let here = inside && known::intent_file(&path.display().replace('…', "x")) && local();
        here || is_terraform(suffix)
    }

    /// Whether the path that it writes starts with a variable that stands for a folder of the repository, whichever that is.
    fn names_repository(&self) -> bool {
        let argument = ["dest", "path"].iter().find_map(|name| self.task.argument(name));
        let written = argument.and_then(|argument| match &argument.value {
            ArgumentValue::Node(node) => node.as_str(),
            ArgumentValue::Text(text, _) => Some(&**text),
        });
        let first = written.and_then(|text| text.trim_start().strip_prefix("{{")?.split("}}").next());
        first.is_some_and(|name| known::write_back().intent_variables.iter().any(|own| own == name.trim()))
    }

    /// Whether its command works in the repository on the controller: started there, or sent there.
    #[must_use]
    pub fn in_repository(&self) -> Tri {
        let folder = self.argument("chdir");
        let inside = || if folder.is_absent() { Tri::True } else { folder.starts_with(PROJECT) };
        self.local().and(inside)
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
        let installs = !updates && super::brought::installs_packages(self.task.short());
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

/// The known start of a path.
fn known_prefix(value: &Value) -> Option<&str> {
    match &value.kind {
        Kind::Known(Data::Str(text)) => Some(text),
        Kind::Text(pieces) => match pieces.first() {
            Some(Piece::Lit(text)) => Some(text),
            _ => None,
        },
        _ => None,
    }
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

/// Whether a path stands among tests, or is a pipeline or script of tests.
#[must_use]
pub fn is_test_path(path: &str) -> bool {
    // A pipeline of tests stands among the other pipelines, a script of tests beside the others.
    let name = file_name(path).split('.').next().unwrap_or("");
    folder(path)
        .split('/')
        .any(|part| matches!(part, "test" | "tests" | "molecule" | "testdata" | "spec" | "e2e" | "integration"))
        || name.split(['-', '_']).any(|word| matches!(word, "e2e" | "drill"))
        || is_pipeline_path(path) && is_called_test(file_name(path))
}

/// Whether the name of a pipeline is one of tests. A bare `test` is as often an environment.
fn is_called_test(name: &str) -> bool {
    let words = ["e2e", "integration", "acceptance", "smoke", "tests", "selftest"];
    name.to_ascii_lowercase().split(['.', '-', '_']).any(|part| words.contains(&part))
}

/// Whether a path is one that pipelines have.
fn is_pipeline_path(path: &str) -> bool {
    const HOLDERS: [&str; 13] = [
        "workflows",
        ".github",
        ".gitlab",
        ".gitlab-ci",
        ".circleci",
        ".buildkite",
        ".woodpecker",
        ".azure",
        ".tekton",
        "ci",
        ".ci",
        "pipelines",
        ".azure-pipelines",
    ];
    const NAMES: [&str; 5] = [".gitlab-ci", "jenkinsfile", "azure-pipelines", "bitbucket-pipelines", ".drone"];
    let name = file_name(path).to_ascii_lowercase();
    folder(path).split('/').any(|part| HOLDERS.contains(&part)) || NAMES.iter().any(|begin| name.starts_with(begin))
}

/// Whether a path belongs to a build of images.
#[must_use]
pub fn is_image_path(path: &str) -> bool {
    folder(path)
        .split('/')
        .any(|part| matches!(part, "packer" | "images" | "image" | "image-builder" | "templates-build"))
        || ["packer", "pkr"].iter().any(|word| file_name(path).contains(word))
}
