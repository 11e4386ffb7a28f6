//! The persistent data that tasks destroy: directories removed, mounts taken away, volumes and databases dropped.

use super::placement::weight;
use super::service::{data_mounts, on_host};
use super::task::TaskFacts;
use crate::knowledge::ansible::ModuleRole;
use crate::knowledge::services;
use crate::model::ansible::{Task, Turn};
use crate::model::command::{self, Command, Site, Variables};
use crate::syntax::jinja;
use crate::value::Value;

impl TaskFacts<'_> {
    /// The persistent data that it destroys, if it does; a value that is not known when it cannot be told which.
    #[must_use]
    pub fn destroyed(&self) -> Option<Value> {
        // Whether it ever runs takes longer to tell.
        self.destroys().filter(|_| !self.dead())
    }

    /// The option by which it formats or makes anew what is there already, at every run.
    #[must_use]
    pub fn formats(&self) -> Option<String> {
        let (option, wanted): (_, &[&str]) = match self.task.short() {
            "filesystem" | "luks_device" | "zpool" => ("force", &["true", "yes"]),
            "docker_volume" | "podman_volume" => ("recreate", &["always", "true", "yes"]),
            _ => return None,
        };
        // A swap area holds nothing.
        if self.argument("state").as_str() == Some("absent") || self.argument("fstype").as_str() == Some("swap") {
            return None;
        }
        let given = self.argument(option);
        let set = given.as_bool() == Some(true) || given.as_str().is_some_and(|given| wanted.contains(&given));
        (set && !self.dead()).then(|| format!("{option}: {}", given.display()))
    }

    fn destroys(&self) -> Option<Value> {
        match self.task.short() {
            "file" | "file_remove" | "win_file" => self.removed_by_file(),
            "mount" => {
                let gone = matches!(self.argument("state").as_str(), Some("absent"));
                if gone { self.paths(&["path", "name"]).into_iter().find(is_data_directory) } else { None }
            }
            "command" | "shell" | "raw" | "win_command" | "win_shell" => self.removed_by_command(),
            "synchronize" => {
                let deletes = self.argument("delete").as_bool() == Some(true);
                if deletes { self.paths(&["dest"]).into_iter().find(is_data_directory) } else { None }
            }
            "docker_volume" | "podman_volume" | "docker_compose_v2" | "docker_compose" | "docker_prune"
            | "podman_prune" => self.destroyed_volumes(),
            _ => self.destroyed_by_module(),
        }
    }

    /// The volumes of a container engine that it destroys: one, those of a project, or all that nothing uses.
    fn destroyed_volumes(&self) -> Option<Value> {
        let is = |name: &str| self.argument(name).as_bool() == Some(true);
        let absent = || self.argument("state").as_str() == Some("absent");
        match self.task.short() {
            "docker_volume" | "podman_volume" if absent() => self.paths(&["volume_name", "name"]).into_iter().next(),
            "docker_compose_v2" | "docker_compose" if absent() && is("remove_volumes") => {
                self.paths(&["project_name", "project_src"]).into_iter().next()
            }
            "docker_prune" if is("volumes") => Some(Value::known("every volume that nothing uses")),
            "podman_prune" if is("volume") => Some(Value::known("every volume that nothing uses")),
            _ => None,
        }
    }

    fn destroyed_by_module(&self) -> Option<Value> {
        let module = self.module().filter(|module| module.has(ModuleRole::DataDestruction))?;
        // A container is not its data: its volumes are objects of their own.
        let container = matches!(module.group.as_str(), "docker" | "podman" | "containers")
            && !self.task.short().contains("volume")
            && !self.task.short().contains("prune");
        let file = module.has(ModuleRole::WriteBack);
        // A swap area holds nothing.
        let swap = self.argument("fstype").as_str() == Some("swap")
            || self.argument("lv").as_str().is_some_and(|lv| lv.to_lowercase().contains("swap"));
        // Loading data into a store is another matter, and slots, links and users are not data.
        let loads = matches!(self.argument("state").as_str(), Some("restore" | "import" | "dump"));
        let link = ["slot", "publication", "subscription", "replication", "user", "privs", "role"]
            .iter()
            .any(|word| self.task.short().contains(word));
        // A partition that is added to a disk leaves the others alone.
        let adds = self.task.short() == "parted"
            && !self.argument("number").is_absent()
            && self.argument("state").as_str() != Some("absent");
        if container || file || swap || loads || link || adds {
            return None;
        }
        // That a play removes infrastructure is one matter, that it takes the content or the last copy along another.
        let dangers = self.dangers();
        let removes = dangers.iter().any(|danger| danger.starts_with("state:"));
        let purges = || removes && dangers.iter().any(|danger| !danger.starts_with("state:"));
        if dangers.is_empty() || module.has(ModuleRole::Infrastructure) && !purges() {
            return None;
        }
        // What is removed is the volume, what is shrunk a part of the group.
        let volume = if self.argument("state").as_str() == Some("absent") { ["lv", "vg"] } else { ["vg", "lv"] };
        let target = ["name", "db", "dev", "device"].into_iter().chain(volume);
        let target =
            target.chain(["path", "volume", "volume_name", "pool", "identifier", "id", "db_instance_identifier"]);
        let named = target.map(|key| self.argument(key)).find(|value| !value.is_absent());
        // The test database that some packages bring is nobody's data.
        let named = named.filter(|value| value.as_str() != Some("test"));
        named.or_else(|| (module.group == "storage").then(|| Value::known(module.effect.as_str())))
    }

    /// The directory that `state: absent` removes, in each turn, or what an earlier `find` has found in one.
    fn removed_by_file(&self) -> Option<Value> {
        let removes = |turn: &Turn<'_, '_, '_>| {
            turn.argument("state").equals(&"absent".into()).is_true() || self.task.short() == "file_remove"
        };
        let path = |turn: &Turn<'_, '_, '_>| {
            let names = ["path", "dest", "name"].iter().map(|name| turn.argument(name));
            names.into_iter().find(|value| !value.is_absent()).filter(|_| removes(turn))
        };
        let paths: Vec<Value> = self.estate.ansible.in_turns(self.task, path).into_iter().flatten().collect();
        let known = paths.iter().find(|path| is_data_directory(path) || self.is_of_container(path)).cloned();
        known.or_else(|| self.found_before().filter(|_| paths.iter().any(|path| path.reason().is_some())))
    }

    /// Whether a container that the repository declares keeps the data of its service in this very directory of its host.
    fn is_of_container(&self, value: &Value) -> bool {
        let Some(path) = value.as_str().map(|path| path.trim_end_matches('/')) else { return false };
        if !path.starts_with('/') || path.matches('/').count() < 2 || services::is_made_again(path) {
            return false;
        }
        let own = self.estate.containers.iter().filter(|own| !own.in_ci && !own.in_tests && !own.oneshot());
        let mut own = own.filter(|own| own.service().is_some_and(|service| weight(service.data) > 0));
        own.any(|own| data_mounts(own).filter_map(on_host).any(|source| source.trim_end_matches('/') == path))
    }

    /// The data directory of which a task before it in the same file lists everything, when its loop goes through that list.
    fn found_before(&self) -> Option<Value> {
        let text = self.task.repeat.and_then(|(_, list)| list.as_str())?;
        // A part of the list is not all that is there either.
        if !text.contains(".files") || ["select", "reject", "["].iter().any(|part| text.contains(part)) {
            return None;
        }
        let template = jinja::parse(text);
        let names = jinja::names(template.single()?);
        let ansible = self.estate.ansible;
        let finds = |task: &&Task<'_>| {
            task.file == self.task.file
                && task.short() == "find"
                && task.register.is_some_and(|name| names.contains(&name))
        };
        let find = ansible.tasks.iter().find(finds)?;
        // What is old, large or of a certain name is not all that is there.
        let narrow = ["age", "size", "patterns", "pattern", "contains", "excludes", "exclude"];
        if narrow.iter().any(|name| find.argument(name).is_some()) {
            return None;
        }
        let paths = ["paths", "path", "name"].iter().map(|name| ansible.argument(find, name));
        let paths = paths.into_iter().find(|value| !value.is_absent())?;
        let list = paths.as_list().map_or_else(|| vec![paths.clone()], |list| list.items.clone());
        list.into_iter().find(is_data_directory)
    }

    /// The directory that `rm -r` removes, its templates evaluated in each turn.
    fn removed_by_command(&self) -> Option<Value> {
        let removing = |command: &&Command| match &*command.program {
            "rm" => command.flags.iter().any(|flag| flag.name.contains(['r', 'R'])),
            // What is old, large or of a certain name is not all that is there.
            "find" => {
                let narrow = ["name", "path", "regex", "time", "min", "newer", "size", "empty"];
                let narrow = |name: &str| narrow.iter().any(|word| name.contains(word) && name != "-mindepth");
                command.flag("delete").is_some() && !command.flags.iter().any(|flag| narrow(&flag.name))
            }
            _ => false,
        };
        let mut open = false;
        for operand in self.estate.invocations_of(self.at).filter(removing).flat_map(|command| &command.operands) {
            open |= operand.reason().is_some();
            let value = if operand.reason().is_some() { self.evaluated(operand) } else { operand.clone() };
            if is_data_directory(&value) {
                return Some(value);
            }
        }
        if !open || self.task.repeat.is_none() {
            return None;
        }
        self.rendered_commands()
            .iter()
            .filter(removing)
            .flat_map(|command| &command.operands)
            .find(|it| is_data_directory(it))
            .cloned()
    }

    /// A word of its command as its templates make it.
    fn evaluated(&self, word: &Value) -> Value {
        let Some(origin) = word.origin.filter(|origin| origin.file == self.task.file) else { return Value::absent() };
        let source = origin.span.slice(self.estate.documents.tree.text(origin.file));
        // What a lone template gives is still known by the variables that it comes from.
        self.estate.ansible.evaluate_text(self.task, unquoted(source).trim_end_matches(['/', '*']))
    }

    /// The commands that it runs, its text rendered in each turn.
    fn rendered_commands(&self) -> Vec<Command> {
        let Some(free) = self.task.free else { return Vec::new() };
        let mut found = Vec::new();
        for rendered in self.estate.ansible.in_turns(self.task, |turn| turn.render_node(free)) {
            command::commands(&rendered.text, rendered.file, &Site::Ansible, &Variables::default(), &mut found);
        }
        found
    }
}

/// A word of a shell without its quotes, what stands in templates left as it is.
fn unquoted(word: &str) -> String {
    let mut depth = 0_usize;
    let keeps = |c: &char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > 0 || !matches!(c, '"' | '\'')
    };
    word.chars().filter(keeps).collect()
}

/// Whether a path is a directory of persistent data: a service's own, or what a variable calls so.
fn is_data_directory(value: &Value) -> bool {
    let Some(path) = value.as_str() else {
        return false;
    };
    if !services::may_be_data_directory(path) {
        return false;
    }
    let named = value.via.iter().flat_map(|via| via.iter()).any(|step| {
        ["data_dir", "datadir", "data_path", "data_directory", "data_root"].iter().any(|word| step.what.contains(word))
    });
    named || services::by_path(services::bare(path)).is_some()
}
