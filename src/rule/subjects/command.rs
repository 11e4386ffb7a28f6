//! Commands, wherever they stand: one row for each class that a command belongs to.

use super::ansible::TaskRow;
use super::terraform::ResourceRow;
use crate::estate::Estate;
use crate::estate::container::Declared;
use crate::estate::fleet::untagged;
use crate::estate::invocation::Invocation;
use crate::estate::live_value::{self, Fed};
use crate::estate::recreation;
use crate::estate::task::{is_image_path, is_test_path, runs_nowhere};
use crate::knowledge::commands::{Class, Row as Known};
use crate::knowledge::compute::compute_type;
use crate::model::command::{Command, Guard, Site, is_temporary};
use crate::rule::subject::{Fact, Row};
use crate::source::{file_name, folder};
use crate::subject;
use crate::text::{HOLE, Loc};
use crate::value::Tri;
use crate::value::Value;
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// A command and one of its classes.
pub(super) struct CommandRow<'m> {
    estate: &'m Estate<'m>,
    at: usize,
    known: &'static Known,
}

impl<'m> CommandRow<'m> {
    fn invocation(&self) -> &'m Invocation<'m> {
        &self.estate.invocations[self.at]
    }

    fn starts_container(&self) -> bool {
        let own = self.invocation().command.loc;
        let within = |place: Loc| place.file == own.file && own.span.contains(place.span);
        self.estate.containers.iter().any(|it| it.declared == Declared::Command && within(it.image_place))
    }

    fn path(&self) -> &'m str {
        self.estate.documents.tree.path(self.invocation().command.loc.file)
    }

    /// An endpoint that is given is another than the cloud's, unless it names one of the cloud's own.
    fn own_endpoint(&self) -> Tri {
        let Some(flag) = self.invocation().command.flag("endpoint-url") else { return Tri::False };
        match flag.value.as_str() {
            Some(url) => (!url.contains(".amazonaws.com")).into(),
            None => Tri::True,
        }
    }

    /// Whether the same script applies the whole configuration afterwards.
    fn then_whole(&self) -> bool {
        let own = &self.invocation().command;
        let whole = |other: &Invocation<'m>| {
            let command = &other.command;
            command.loc.file == own.loc.file
                && command.scope == own.scope
                && command.index > own.index
                && command.program == own.program
                && command.guard <= own.guard
                && command.sub.first().is_some_and(|sub| &**sub == "apply")
                && ["target", "refresh", "exclude"].iter().all(|flag| command.flag(flag).is_none())
        };
        self.estate.invocations.iter().any(whole)
    }

    /// Whether what it writes outlives it: always, but in a job of a pipeline only if something there commits.
    fn committed(&self) -> bool {
        const COMMITTING: [&str; 3] = ["/git-auto-commit-action", "/add-and-commit", "/create-pull-request"];
        let own = &self.invocation().command;
        if !matches!(own.site, Site::Ci { .. }) || &*own.program == "git" {
            return true;
        }
        let commits = |other: &Invocation<'m>| {
            let other = &other.command;
            other.loc.file == own.loc.file
                && other.site == own.site
                && &*other.program == "git"
                && other.sub.first().is_some_and(|sub| matches!(&**sub, "commit" | "push"))
        };
        let text = self.estate.documents.tree.text(own.loc.file);
        COMMITTING.iter().any(|action| text.contains(action)) || self.estate.invocations.iter().any(commits)
    }

    /// Whether the plan that it applies was made in the same job of a pipeline, so that nobody can have looked at it in between.
    fn own_plan(&self) -> bool {
        let own = &self.invocation().command;
        let saved = own.operands.iter().any(|operand| operand.as_str().is_some());
        if !saved || !matches!(own.site, Site::Ci { .. }) || own.sub.first().is_none_or(|sub| &**sub != "apply") {
            return false;
        }
        let made = |other: &Invocation<'m>| {
            let other = &other.command;
            other.loc.file == own.loc.file
                && other.loc.span.start < own.loc.span.start
                && other.site == own.site
                && other.program == own.program
                && other.sub.first().is_some_and(|sub| &**sub == "plan")
                && other.flag("out").is_some_and(|out| own.operands.iter().any(|plan| plan.same(&out.value)))
        };
        self.estate.invocations.iter().any(made)
    }

    /// Classes of the commands before (or after) it in the same script, recipe or step.
    fn neighbours(&self, before: bool) -> Vec<&'static str> {
        let own = &self.invocation().command;
        let same = |other: &&Invocation<'m>| {
            other.command.loc.file == own.loc.file
                && other.command.scope == own.scope
                && (other.command.index < own.index) == before
                && other.command.index != own.index
        };
        let classes: BTreeSet<&'static str> = self
            .estate
            .invocations
            .iter()
            .filter(same)
            .flat_map(|other| other.command.rows.iter().map(|row| row.class.as_str()))
            .collect();
        classes.into_iter().collect()
    }

    /// Whether the container that its task enters is removed by a later task of the same file.
    fn scratch_container(&self) -> bool {
        let ansible = self.estate.ansible;
        let Some(own) = self.invocation().task.and_then(|at| ansible.tasks.get(at)) else { return false };
        let name = ["container", "name"].into_iter().find(|name| own.argument(name).is_some());
        let Some(name) = name.map(|name| ansible.argument(own, name).display()) else { return false };
        let after =
            ansible.tasks.iter().filter(|task| task.file == own.file && task.loc.span.start > own.loc.span.start);
        after.filter(|task| matches!(task.short(), "docker_container" | "podman_container")).any(|task| {
            ansible.argument(task, "state").as_str() == Some("absent")
                && ansible.argument(task, "name").display() == name
        })
    }

    /// Whether it applies because a plan has just shown drift.
    fn on_drift(&self) -> bool {
        let own = &self.invocation().command;
        let before = self.estate.invocations[..self.at].iter().rev().map(|it| &it.command);
        let mut before = before.take_while(|it| it.loc.file == own.loc.file).filter(|it| it.scope == own.scope);
        let place = [self.path(), own.function.as_deref().unwrap_or_default()];
        let job = if let Site::Ci { job } = &own.site { job } else { "" };
        let said = place.into_iter().chain([job]).chain(own.conditions.iter().map(|it| &**it));
        let mut said = said.map(str::to_lowercase);
        let speaks = said.any(|text| ["drift", "reconcil", "remediat"].iter().any(|word| text.contains(word)));
        speaks
            && before
                .any(|it| it.sub.last().is_some_and(|sub| &**sub == "plan") && it.flag("detailed-exitcode").is_some())
    }

    /// Where its output or last operand goes.
    fn target(&self) -> Option<&'m Value> {
        written(&self.invocation().command)
    }

    /// Whether no command before it in the file writes the same target.
    fn first_of_target(&self) -> bool {
        let own = self.invocation();
        let target = self.target().map(Value::display);
        let class = self.known.class;
        !self.estate.invocations[..self.at]
            .iter()
            .rev()
            .take_while(|other| other.command.loc.file == own.command.loc.file)
            .any(|other| {
                other.command.rows.iter().any(|row| row.class == class)
                    && written(&other.command).map(Value::display) == target
            })
    }

    /// Whether what it writes may lie in the repository, and is not ignored there.
    fn target_in_repository(&self) -> bool {
        let Some(target) = self.target() else { return true };
        if target.starts_with("/").is_true() || is_temporary(target) {
            return false;
        }
        let shown = target.display();
        // A folder that the repository does not have belongs to something else.
        let lead = shown.split('…').next().unwrap_or("").trim_start_matches("./");
        if let Some((lead, _)) = lead.rsplit_once('/') {
            let exists = |path: &str| self.estate.documents.tree.below(path).next().is_some();
            if !lead.starts_with("..")
                && !exists(lead)
                && crate::source::join(folder(self.path()), lead).is_none_or(|path| !exists(&path))
            {
                return false;
            }
        }
        if lead.is_empty() && !self.unknown_folder_may_be_here(target, &shown) {
            return false;
        }
        let known = shown.rsplit('…').next().unwrap_or("").trim_start_matches(['/', '.']).to_owned();
        let here = folder(self.path());
        let ignores = &self.estate.repository.ignores;
        known.is_empty()
            || !ignores.ignores(&known) && crate::source::join(here, &known).is_none_or(|path| !ignores.ignores(&path))
    }

    /// Whether a path that begins with what is not known can be one of the repository: what follows is a folder of it, seen from the
    /// script or from above it; a bare name can be anywhere, so there the script must at least set the folder itself.
    fn unknown_folder_may_be_here(&self, target: &Value, shown: &str) -> bool {
        let mut rest = shown.trim_start_matches('…').split('…').next().unwrap_or("").trim_start_matches('/');
        while let Some(up) = rest.strip_prefix("../") {
            rest = up;
        }
        let Some((below, _)) = rest.rsplit_once('/') else {
            let reason = target.reason().unwrap_or_default();
            return !reason.contains("is not assigned");
        };
        let mut place = folder(self.path());
        loop {
            let path = if place.is_empty() { below.to_owned() } else { format!("{place}/{below}") };
            if self.estate.documents.tree.below(&path).next().is_some() {
                return true;
            }
            if place.is_empty() {
                return false;
            }
            place = folder(place);
        }
    }

    /// Whether it goes for the configuration beside its file, and that declares no backend.
    fn no_backend_here(&self) -> bool {
        let here = folder(self.path());
        let module = self.estate.terraform.modules().iter().find(|module| module.folder == here);
        let elsewhere = self.invocation().command.flag("chdir").is_some();
        !elsewhere && module.is_some_and(|module| module.backend().is_none())
    }

    /// Whether it stands among tests, or in a pipeline of tests.
    fn in_tests(&self) -> bool {
        is_test_path(self.path())
    }

    /// Whether it belongs to a build of images: by its path, or served to an installer from the folder `http` beside templates.
    fn in_image_build(&self) -> bool {
        let path = self.path();
        let own = folder(path);
        let served = || {
            let beside = own.strip_suffix("http").filter(|rest| rest.is_empty() || rest.ends_with('/'))?;
            Some(self.estate.packer.templates.iter().any(|it| it.folder.starts_with(beside.trim_end_matches('/'))))
        };
        is_image_path(path) || served() == Some(true)
    }

    /// Whether it drops a database that the same script has made, to look at a backup or to try something.
    fn own_database(&self) -> bool {
        let command = &self.invocation().command;
        let text = self.estate.documents.tree.text(command.loc.file);
        let own = |command: &Command| database_of(command.loc.span.slice(text));
        let Some((false, name)) = own(command) else { return false };
        let others = || {
            let all = self.estate.invocations.iter().map(|it| &it.command);
            all.filter(|it| it.loc.file == command.loc.file && it.scope == command.scope)
        };
        // One that is dropped first and then made is emptied.
        others().filter(|it| own(it) == Some((true, name))).any(|made| {
            others().filter(|it| own(it) == Some((false, name))).any(|drop| {
                let trapped =
                    |name: &str| text.contains(&format!("trap {name} ")) || text.contains(&format!("trap '{name}"));
                match (&drop.function, &made.function) {
                    (Some(function), other) if other.as_ref() != Some(function) => trapped(function),
                    (None, Some(_)) => false,
                    _ => drop.loc.span.start > made.loc.span.start,
                }
            })
        })
    }

    /// Whether it takes down what only tests use: the containers that the same job has started, or those of a compose file of tests.
    fn own_containers(&self) -> bool {
        let command = &self.invocation().command;
        let is = |it: &Command, verb: &str| {
            matches!(&*it.program, "docker" | "docker-compose" | "podman" | "podman-compose")
                && it.sub.last().is_some_and(|sub| &**sub == verb)
        };
        let of_tests =
            |name: &str| name.split(['/', '.', '-', '_']).any(|word| matches!(word, "test" | "tests" | "e2e"));
        let files = command.flags.iter().filter(|flag| matches!(&*flag.name, "-f" | "--file"));
        let earlier = || {
            let all = self.estate.invocations.iter().map(|it| &it.command);
            all.filter(|it| it.loc.file == command.loc.file && it.scope == command.scope && it.index < command.index)
                .any(|it| is(it, "up"))
        };
        is(command, "down")
            && (files.into_iter().any(|flag| flag.value.as_str().is_some_and(of_tests))
                || matches!(command.site, Site::Ci { .. }) && earlier())
    }

    /// Whether a copy takes the place of a state object.
    fn onto_state(&self) -> bool {
        let command = &self.invocation().command;
        let [.., source, target] = command.operands.as_slice() else { return false };
        let is_state =
            |value: &Value| [".tfstate", ".tfstate.backup"].iter().any(|suffix| value.ends_with(suffix).is_true());
        is_state(source) && is_state(target) && !target.contains("backup").is_true()
    }

    /// Whether a command shortly before looks whether anything is on the device; of a task that makes something on a disk, whether
    /// what an earlier one found decides.
    fn checked_first(&self) -> bool {
        let own = &self.invocation().command;
        let makes = own.program.starts_with("mkfs") || matches!(&*own.program, "zpool" | "pvcreate" | "mke2fs");
        if makes && self.invocation().task.is_some_and(|at| TaskRow::new(self.estate, at).conditional()) {
            return true;
        }
        let before =
            self.estate.invocations[..self.at].iter().rev().take_while(|other| other.command.loc.file == own.loc.file);
        before.take(12).any(|other| {
            let other = &other.command;
            let looks =
                matches!(&*other.program, "blkid" | "lsblk" | "findmnt" | "file") || other.text.contains("isLuks");
            looks && other.scope == own.scope
        })
    }

    /// Whether it runs when a member of a group first boots: the member's disks are as new as itself, unless it takes one that was
    /// there before.
    fn on_new_disks(&self) -> bool {
        let own = self.invocation();
        let grouped = own.resource.as_ref().is_some_and(|resource| {
            compute_type(resource.ty()).is_some_and(|row| matches!(row.kind.as_str(), "vm-template" | "vm-group"))
        });
        let attaches = |other: &Invocation<'_>| {
            let place = |it: &Invocation<'_>| it.resource.as_ref().map(crate::model::terraform::Resource::loc);
            place(other) == place(own)
                && ["attach-volume", "attach-disk"].iter().any(|word| other.command.text.contains(word))
        };
        own.first_boot && grouped && !self.estate.invocations.iter().any(attaches)
    }

    /// What its output becomes, of one that asks what is live.
    fn fed(&self) -> Option<Fed> {
        let asks = self.known.class == Class::RuntimeQuery;
        asks.then(|| live_value::fed(self.estate.documents.tree, &self.invocation().command))?
    }

    fn first_in_task(&self) -> bool {
        let Some(task) = self.invocation().task else { return true };
        let class = self.known.class;
        let before = self.estate.invocations[..self.at].iter().rev().take_while(|other| other.task == Some(task));
        !before.into_iter().any(|other| other.command.rows.iter().any(|row| row.class == class))
    }

    fn only_backups(&self) -> bool {
        let paths = self.invocation().command.state_paths();
        !paths.is_empty() && paths.into_iter().all(|path| path.ends_with(".backup").is_true())
    }

    /// Whether it works on a scratch copy.
    fn scratch(&self) -> bool {
        let command = &self.invocation().command;
        let scratch =
            |value: &Value| value.starts_with("/tmp/").is_true() || value.display().to_lowercase().contains("tmp");
        {
            let paths = command.state_paths();
            !paths.is_empty() && paths.into_iter().all(scratch)
        }
    }
}

/// The database that a command makes (true) or drops, as written: `createdb "$name"`, `psql -c 'DROP DATABASE IF EXISTS name'`.
fn database_of(text: &str) -> Option<(bool, &str)> {
    static STATEMENT: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern = r#"(?i)\b(create|drop)\s+database\s+(?:if\s+(?:not\s+)?exists\s+)?[\\"'`]*([\w${}.-]+)"#;
    let statement = STATEMENT.get_or_init(|| Regex::new(pattern).ok()).as_ref()?;
    if let Some(found) = statement.captures(text) {
        return Some((found[1].eq_ignore_ascii_case("create"), found.get(2)?.as_str()));
    }
    let makes = text.split_whitespace().find_map(|word| match word.rsplit('/').next() {
        Some("createdb") => Some(true),
        Some("dropdb") => Some(false),
        _ => None,
    })?;
    let words =
        text.split_whitespace().take_while(|word| !word.starts_with(['>', '|', ';', '&']) && !word.starts_with("2>"));
    let name = words.last()?.trim_matches(['"', '\'']);
    (!name.starts_with('-') && !name.is_empty()).then_some((makes, name))
}

/// The file that a command writes: a redirection's, else its last operand.
fn written(command: &Command) -> Option<&Value> {
    command
        .redirects
        .iter()
        .find(|(op, _)| op.trim_start_matches('|').starts_with(['>', '&']))
        .map(|(_, value)| value)
        .or(command.operands.last())
}

/// Whether a path is that of a maintainer script of Debian: what a purge of the package takes away is said by its name.
fn is_maintainer_script(path: &str) -> bool {
    const NAMES: [&str; 4] = ["preinst", "postinst", "prerm", "postrm"];
    let name = file_name(path);
    let within = folder(path).rsplit('/').next().is_some_and(|part| matches!(part, "debian" | "DEBIAN"));
    within && NAMES.iter().any(|known| name == *known || name.ends_with(&format!(".{known}")))
}

subject! {
    /// A command, once for each class that it belongs to.
    CommandRow<'m> as "command" (row) {
        /// What kind of command it is (`knowledge/commands.yaml`).
        class: Str certain => row.known.class.as_str();
        /// Whether the same script applies the whole configuration afterwards.
        then_whole: Bool => row.then_whole();
        /// How bad the class takes it to be: `info`, `warning` or `error`.
        severity: Str certain => row.known.severity.as_str();
        /// Whether stored data is lost.
        data_loss: Bool certain => row.known.data_loss;
        /// The row of the knowledge that says so (`state-rm`).
        row: Str certain => &row.known.id;
        /// What it does, a clause.
        effect: Str => &row.known.effect;
        /// As one reads it, `…` for what is unknown.
        text: Str certain => row.invocation().command.text.replace(HOLE, "…");
        /// The program, after wrappers.
        program: Str certain => &row.invocation().command.program;
        /// The subcommand (`state rm`).
        sub: Str certain => row.invocation().command.sub.join(" ");
        /// What it stands in: script, recipe, ci, ansible, provisioner, user-data, image, dockerfile, compose, cron, unit, package-script, agent-instructions.
        site: Str certain => row.invocation().site();
        /// The script, recipe or step that it stands in, by number in its file.
        scope: Int certain => row.invocation().command.scope;
        /// How many words it has beside flags and the subcommand.
        words: Int certain => row.invocation().command.operands.len();
        /// Whether something has to be confirmed before it runs.
        guard: Word(&["none", "dry-run", "confirmed"]) certain => match row.invocation().command.guard {
            Guard::None => "none",
            Guard::Dry => "dry-run",
            Guard::Confirmed => "confirmed",
        };
        /// Whether its failure is ignored.
        tolerated: Bool certain => row.invocation().command.tolerated;
        /// What it was unwrapped from (`ssh`, `docker exec`).
        wrappers: List(Str) => row.invocation().command.through.iter().map(Fact::from).collect::<Vec<Fact<'m>>>();
        /// The state objects among its words.
        state_paths: List(Dyn) => row.invocation().command.state_paths().into_iter().map(Fact::from).collect::<Vec<Fact<'m>>>();
        /// The file that it writes, or its last operand.
        target: Dyn => row.target();
        /// Whether no command before it in the file writes the same target.
        first_of_target: Bool => row.first_of_target();
        /// Whether what it writes may lie in the repository, and is not ignored there.
        target_in_repository: Bool => row.target_in_repository();
        /// Whether a command shortly before looks whether anything is on the device.
        checked_first: Bool => row.checked_first();
        /// Whether it runs when a member of a group first boots, with disks as new as the member.
        on_new_disks: Bool certain => row.on_new_disks();
        /// Whether the file is the executor of a CI runner: what it makes lives for one job.
        per_job: Bool => row.estate.documents.tree.text(row.invocation().command.loc.file).contains("CUSTOM_ENV_CI");
        /// Whether it is the first of its class in its task (always, outside tasks).
        first_in_task: Bool => row.first_in_task();
        /// Whether all the state that it touches is Terraform's own backup file.
        only_backups: Bool => row.only_backups();
        /// Whether a copy takes the place of a state object.
        onto_state: Bool => row.onto_state();
        /// Whether the state that it touches is a scratch copy.
        scratch: Bool => row.scratch();
        /// Why it creates again what may exist: `state-test`, `state-removed`, `state-unread`, `failed-apply`, `destroy`, `failed-import`.
        recreates: Str => recreation::cause(row.estate, row.at).map(recreation::Cause::as_str);
        /// The same as a clause.
        recreates_because: Str => recreation::cause(row.estate, row.at).map(recreation::Cause::clause);
        /// Whether it stands among tests.
        in_tests: Bool certain => row.in_tests();
        /// Whether it speaks to a service of one's own by the cloud's protocol (`--endpoint-url`).
        own_endpoint: Bool => row.own_endpoint();
        /// Whether it belongs to a build of images.
        in_image_build: Bool certain => row.in_image_build();
        /// Whether it drops a database that the same script has made.
        own_database: Bool certain => row.own_database();
        /// Whether it takes down containers that only tests use.
        own_containers: Bool certain => row.own_containers();
        /// Whether it stands in a script that a package runs when it is installed or removed.
        in_package: Bool certain => is_maintainer_script(row.path());
        /// Whether it stands in documentation.
        in_docs: Bool certain => folder(row.path()).split('/').any(|part| part == "docs" || part == "doc");
        /// Whether it starts a container that is read as such.
        starts_container: Bool certain => row.starts_container();
        /// Whether the image that it runs or pulls is one that is built here.
        built_here: Bool certain => row.invocation().command.operands.first().and_then(Value::scalar).is_some_and(|image| row.estate.built.contains(untagged(&image)));
        /// Whether its environment is thrown away.
        ephemeral: Bool certain => (row.estate.ephemeral)(row.path());
        /// Whether a clock starts it: the schedule of a pipeline, a timer, a crontab, directly or through a script.
        scheduled: Bool certain => row.estate.clocked[row.at];
        /// Whether the container that its task enters is removed by a later task of the same file.
        scratch_container: Bool certain => row.scratch_container();
        /// Whether it applies because a plan before it has just shown drift.
        on_drift: Bool => row.on_drift();
        /// Its classes, this one among them.
        classes: List(Str) => row.invocation().command.rows.iter().map(|row| row.class.as_str()).map(Fact::from).collect::<Vec<Fact<'m>>>();
        /// Whether what it writes outlives it: in a job of a pipeline, whether something there commits.
        committed: Bool => row.committed();
        /// Whether it applies a plan that the same job of a pipeline has made.
        own_plan: Bool => row.own_plan();
        /// Classes of the commands before it in the same script, recipe or step.
        earlier: List(Str) => row.neighbours(true);
        /// Classes of the commands after it.
        later: List(Str) => row.neighbours(false);
        /// What its output becomes: a variable of Terraform, a file that declares intent.
        feeds: Str => row.fed().map(|fed| fed.into);
        /// Whether that is a file of the repository.
        feeds_tracked: Bool => row.fed().is_some_and(|fed| fed.tracked);
        /// Whether the repository has Terraform.
        terraform_here: Bool certain => row.estate.has_terraform();
        /// Whether Terraform lies beside its file, and nothing of it declares a backend.
        no_backend_here: Bool certain => row.no_backend_here();
        /// The resource whose provisioner or first boot runs it.
        owner: Node(ResourceRow) => row.invocation().resource.as_ref().map(|resource| ResourceRow::new(row.estate, resource.clone()));
        /// The task that runs it.
        task: Node(TaskRow) => row.invocation().task.map(|at| TaskRow::new(row.estate, at));
    }
    loc => row.invocation().command.loc;
    label => "this command".to_owned();
    address => None;
    identity => format!("{} {}", row.known.class.as_str(), row.invocation().command.text);
    never => row.invocation().task.is_some_and(|at| runs_nowhere(row.estate.ansible, at));
}

/// Rows of `command`.
pub(super) fn commands<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let mut rows: Vec<Row<'m>> = Vec::new();
    for (at, invocation) in estate.invocations.iter().enumerate() {
        rows.extend(invocation.command.rows.iter().map(|known| Arc::new(CommandRow { estate, at, known }) as Row<'m>));
    }
    rows
}
