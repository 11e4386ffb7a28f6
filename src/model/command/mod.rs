//! Commands wherever they are written: scripts, recipes, pipelines, images; unwrapped, resolved and classified.

use crate::knowledge::commands::{self as known, Call, Class, Row};
pub use crate::syntax::shell::Joined;
use crate::text::{FileId, HOLE, Loc, Mapped, Span};
use crate::value::{Kind, Piece, Value};
use std::sync::Arc;

mod ci;
mod copy;
mod document;
mod files;
mod guard;
mod input;
mod mise;
pub mod path;
mod powershell;
mod program;
mod read;
mod resolve;
mod wrapper;

pub(crate) use resolve::is_temporary;

pub use ci::{line, of_ci, of_cloud_init, of_compose, of_cron_jobs, of_package};
pub use copy::{Copied, copied};
pub use document::of_documents;
pub use files::{of_crontab, of_dockerfile, of_jenkinsfile, of_justfile, of_makefile, of_script, of_unit};
pub use mise::of_mise;
pub use powershell::{of_powershell, powershell};
pub use program::of_program;
pub use resolve::Variables;

/// One call of a program.
#[derive(Clone, Debug)]
pub struct Command {
    /// From its program word to its last word; of a call through a function, the call.
    pub loc: Loc,
    /// Base name of the program that really runs, lower case.
    pub program: Box<str>,
    /// The subcommand path by the program's grammar.
    pub sub: Vec<Box<str>>,
    /// Its flags.
    pub flags: Vec<Flag>,
    /// The other words.
    pub operands: Vec<Value>,
    /// Operators and targets; of a here-document the target is its text. `|<<` is a text that is piped in, `|<` a file, `|>` the file
    /// of a `tee` behind it.
    pub redirects: Vec<(Box<str>, Value)>,
    /// Where it is written.
    pub site: Site,
    /// As one reads it, unknown parts as `…`, at most 160 characters.
    pub text: String,
    /// The wrappers it runs through, outermost first (`ssh`, `docker exec`, `sudo`).
    pub through: Vec<Box<str>>,
    /// What must be said before it runs.
    pub guard: Guard,
    /// How it is joined to the command before it in its text.
    pub joined: Joined,
    /// The conditions that it stands in, outermost first, as written; those of an `else` after `not `.
    pub conditions: Vec<Arc<str>>,
    /// The function of its script that it is written in.
    pub function: Option<Arc<str>>,
    /// Its failure stops nothing.
    pub tolerated: bool,
    /// Commands of one scope of one file follow each other.
    pub scope: u32,
    /// Position in its scope.
    pub index: u32,
    /// It is the condition of an `if` or `while`.
    pub in_test: bool,
    /// Its output is substituted (`$(…)`).
    pub in_substitution: bool,
    /// The program that reads its output.
    pub piped_into: Option<Box<str>>,
    /// Variables set for it alone; for Terraform and Ansible also those of theirs that are set around it.
    pub env: Vec<(Box<str>, Value)>,
    /// For Terraform and Ansible: variables of the text that may be set from outside, with what they are otherwise.
    pub defaults: Vec<(Box<str>, Box<str>)>,
    /// The folder that its step is said to run in (`working-directory`).
    pub folder: Option<Value>,
    /// What it does, as far as the knowledge says.
    pub rows: Vec<&'static Row>,
}

/// A flag as written.
#[derive(Clone, Debug)]
pub struct Flag {
    /// With its dashes, without its value.
    pub name: Box<str>,
    /// Its value; true when it stands alone.
    pub value: Value,
    /// Where it stands in the file.
    pub span: Span,
}

/// Where a command is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// A script file.
    Script,
    /// A recipe of a makefile, justfile or task file.
    Recipe {
        /// The target.
        target: Box<str>,
    },
    /// A step of a pipeline.
    Ci {
        /// The job.
        job: Box<str>,
    },
    /// `RUN`, `CMD`, `ENTRYPOINT`.
    Dockerfile,
    /// `command:` or `entrypoint:` of a compose service.
    Compose {
        /// The service.
        service: Box<str>,
    },
    /// A task.
    Ansible,
    /// A provisioner of Terraform or Packer.
    Provisioner,
    /// User data.
    CloudInit,
    /// A unit of systemd.
    Unit,
    /// A line of a crontab.
    Cron,
    /// `scripts` of a package.
    PackageScript {
        /// Its name.
        name: Box<str>,
    },
}

impl Site {
    /// The word for it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::Recipe { .. } => "recipe",
            Self::Ci { .. } => "ci",
            Self::Dockerfile => "dockerfile",
            Self::Compose { .. } => "compose",
            Self::Ansible => "ansible",
            Self::Provisioner => "provisioner",
            Self::CloudInit => "cloud-init",
            Self::Unit => "unit",
            Self::Cron => "cron",
            Self::PackageScript { .. } => "package-script",
        }
    }
}

/// What must be said before a command runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// Nothing.
    #[default]
    None,
    /// A dry-run switch can hold it back.
    Dry,
    /// A confirmation: a switch that is off by default, or a prompt.
    Confirmed,
}

impl Guard {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Dry => "dry",
            Self::Confirmed => "confirmed",
        }
    }
}

impl Command {
    /// Whether any row says that it does this.
    #[must_use]
    pub fn does(&self, class: Class) -> bool {
        self.rows.iter().any(|row| row.class == class)
    }

    /// A flag by name, one or two dashes.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        let wanted = name.trim_start_matches('-');
        self.flags.iter().find(|flag| flag.name.trim_start_matches('-') == wanted)
    }

    /// The state objects that it names, in operands, flags and redirections.
    #[must_use]
    pub fn state_paths(&self) -> Vec<&Value> {
        let flags = self.flags.iter().map(|flag| &flag.value);
        let redirects = self
            .redirects
            .iter()
            .filter(|(op, _)| !op.contains("<<") && !op.starts_with('|'))
            .map(|(_, target)| target);
        self.operands.iter().chain(flags).chain(redirects).filter(|value| is_state_path(value)).collect()
    }

    /// It runs inside a running guest or container.
    #[must_use]
    pub fn nested(&self) -> bool {
        self.through.iter().any(|wrapper| wrapper.ends_with(" exec") || &**wrapper == "nsenter")
    }

    /// Fills in [`rows`](Self::rows).
    fn classify(&mut self) {
        let sub: Vec<Box<str>> = match &*self.program {
            // The stand-alone program is the plugin.
            "docker-compose" | "podman-compose" => {
                std::iter::once("compose".into()).chain(self.sub.iter().cloned()).collect()
            }
            "terragrunt" if matches!(self.sub.first().map(|sub| &**sub), Some("run" | "run-all")) => {
                self.sub.get(1..).unwrap_or_default().to_vec()
            }
            _ => self.sub.clone(),
        };
        let flag = |flag: &Flag| match flag.value.as_bool() {
            Some(true) if flag.value.as_str().is_none() => None,
            _ => Some(text_of(&flag.value)),
        };
        let call = Call {
            program: &self.program,
            sub: &sub,
            flags: self.flags.iter().map(|it| (&*it.name, flag(it))).collect(),
            operands: self.operands.iter().map(text_of).collect(),
            redirects: self.redirects.iter().map(|(op, target)| (&**op, text_of(target))).collect(),
            nested: self.nested(),
            // A copy from a real place to a temporary one is a copy all the same.
            temporary: self.operands.iter().any(is_state_path)
                && self.operands.iter().filter(|value| is_state_path(value)).all(resolve::is_temporary),
        };
        self.rows = known::classify(&call);
    }
}

/// Lists the commands of shell text. `env` holds variables that are set around it.
pub fn commands(text: &Mapped, file: FileId, site: &Site, env: &Variables, out: &mut Vec<Command>) {
    let scope = next_scope(out, file);
    read::read(text, file, site, env, &read::Frame { scope, ..read::Frame::default() }, out);
}

/// Lists a command that is given as words (`[ "terraform", "apply" ]`), each with its span in the file.
pub fn of_argv(words: Vec<(Value, Span)>, file: FileId, site: &Site, out: &mut Vec<Command>) {
    let scope = next_scope(out, file);
    read::argv(words, file, site, &read::Frame { scope, ..read::Frame::default() }, out);
}

/// Lists what a variable of an environment does to every later run (`TF_CLI_ARGS_apply: -auto-approve`).
pub fn of_environment(name: &str, value: &Value, loc: Loc, site: &Site, out: &mut Vec<Command>) {
    let scope = next_scope(out, loc.file);
    read::environment(name, value, loc, site, &read::Frame { scope, ..read::Frame::default() }, out);
}

fn next_scope(out: &[Command], file: FileId) -> u32 {
    out.last().filter(|last| last.loc.file == file).map_or(0, |last| last.scope.saturating_add(1))
}

/// A value as text, unknown parts as [`HOLE`]s.
#[must_use]
pub fn text_of(value: &Value) -> String {
    match &value.kind {
        Kind::Known(data) => data.scalar().map_or_else(|| HOLE.to_string(), |text| text.to_string()),
        Kind::Absent => String::new(),
        Kind::Unknown(_) => HOLE.to_string(),
        Kind::OneOf(values) => {
            // The first will do where a state object is among them: it is one of those that are touched.
            let texts: Vec<_> = values.iter().filter_map(crate::value::Data::scalar).collect();
            let state = texts.iter().find(|text| known::is_state_object(text));
            state.map_or_else(|| HOLE.to_string(), std::string::ToString::to_string)
        }
        Kind::Text(pieces) => pieces
            .iter()
            .map(|piece| match piece {
                Piece::Lit(text) => text.to_string(),
                Piece::Hole(_) => HOLE.to_string(),
            })
            .collect(),
    }
}

fn is_state_path(value: &Value) -> bool {
    known::is_state_object(&text_of(value))
}

#[cfg(test)]
mod tests;
