//! Where a permitted command leads: recipes of makefiles, scripts of the repository and of packages.

use crate::estate::Estate;
use crate::estate::invocation::Invocation;
use crate::knowledge::agents::Writes;
use crate::model::agents::{Decision, Grant, Mutation, Pattern, mutation};
use crate::model::command::{Command, Guard, Site};
use crate::source::{self, file_name, folder};
use crate::syntax::make;
use crate::text::FileId;

/// The worst that a permitted command leads to; `project` is the folder that it runs in.
pub(super) fn follow(estate: &Estate<'_>, grant: &Grant, project: &str) -> Option<Mutation> {
    if grant.tool != "shell" {
        return None;
    }
    let lines = match grant.pattern.as_ref()? {
        Pattern::Program(program) => vec![program.clone()],
        pattern => pattern.commands(),
    };
    let open = match grant.pattern.as_ref()? {
        Pattern::Wildcard(text) => text.ends_with('*'),
        _ => true,
    };
    let denied = |line: &str| {
        let own =
            estate.agents.grants.iter().filter(|it| it.loc.file == grant.loc.file && it.decision != Decision::Allow);
        own.filter(|it| it.tool == "shell").any(|it| it.covers(line))
    };
    let lead = |line: &String| {
        let found = Line::new(line, open)?.leads(estate, project)?;
        (!denied(&found.example) && !denied(line)).then_some(found)
    };
    lines.iter().take(16).find_map(lead)
}

/// A permitted line.
struct Line<'l> {
    words: Vec<&'l str>,
    open: bool,
}

impl<'l> Line<'l> {
    fn new(line: &'l str, open: bool) -> Option<Self> {
        let wrapper = |word: &&str| matches!(*word, "sudo" | "env" | "time" | "command") || word.contains('=');
        let words: Vec<&str> = line.split_whitespace().skip_while(wrapper).collect();
        (!words.is_empty()).then_some(Self { words, open })
    }

    fn leads(&self, estate: &Estate<'_>, project: &str) -> Option<Mutation> {
        let name = self.words[0].rsplit('/').next().unwrap_or("");
        match name {
            "make" | "gmake" => self.recipe(estate, project, "make", &["makefile", "gnumakefile"]),
            "just" => self.recipe(estate, project, "just", &["justfile", ".justfile"]),
            "task" | "go-task" => self.recipe(estate, project, "task", &["taskfile.yml", "taskfile.yaml"]),
            "npm" | "pnpm" | "yarn" => self.package(estate, project),
            "bash" | "sh" | "zsh" | "source" | "." => {
                let script = self.words[1..].iter().find(|word| !word.starts_with('-'))?;
                Self::script(estate, project, script)
            }
            _ => Self::script(estate, project, self.words[0]),
        }
    }

    /// The recipes of its targets, with what they need; without a target any, when any may follow.
    fn recipe(&self, estate: &Estate<'_>, project: &str, program: &str, names: &[&str]) -> Option<Mutation> {
        let at = self.words.iter().position(|word| *word == "-C").and_then(|at| self.words.get(at + 1));
        let from = at.and_then(|at| source::join(project, at)).unwrap_or_else(|| project.to_owned());
        let tree = estate.documents.tree;
        let fits = |path: &str| names.contains(&file_name(path).to_ascii_lowercase().as_str());
        let file = estate.documents.list.iter().map(|document| document.file).find(|file| {
            let path = tree.path(*file);
            folder(path) == from && fits(path)
        })?;
        let plain = |word: &&&str| !word.starts_with('-') && !word.contains('=') && Some(**word) != at.copied();
        let targets: Vec<&str> = self.words[1..].iter().filter(plain).copied().collect();
        if targets.is_empty() && !self.open {
            return None;
        }
        let needed = if program == "make" { needs(tree.text(file), &targets) } else { Vec::new() };
        let wanted = |target: &str| {
            targets.is_empty()
                || target.split_whitespace().any(|own| targets.contains(&own) || needed.iter().any(|it| it == own))
        };
        found(estate, file, |site| match site {
            Site::Recipe { target } if wanted(target) => {
                Some(format!("{program} {}", targets.first().copied().unwrap_or(target)))
            }
            _ => None,
        })
    }

    fn package(&self, estate: &Estate<'_>, project: &str) -> Option<Mutation> {
        let mut words = self.words[1..].iter().filter(|word| !word.starts_with('-') && **word != "run");
        let wanted = words.next().copied();
        let path = source::join(project, "package.json")?;
        let file = estate.documents.tree.find(&path)?;
        let runs = self.words.get(1).is_some_and(|word| *word == "run");
        found(estate, file, |site| match site {
            Site::PackageScript { name } if wanted.map_or(runs && self.open, |wanted| **name == *wanted) => {
                Some(format!("{} run {name}", self.words[0]))
            }
            _ => None,
        })
    }

    fn script(estate: &Estate<'_>, project: &str, script: &str) -> Option<Mutation> {
        let path = source::join(project, script)?;
        let file = estate.documents.tree.find(&path)?;
        found(estate, file, |site| (*site == Site::Script).then(|| script.to_owned()))
    }
}

/// The worst command of a file at the sites that `example` names, unless a person is asked before it. Scripts that it calls are
/// looked into, and no further.
fn found(estate: &Estate<'_>, file: FileId, example: impl Fn(&Site) -> Option<String>) -> Option<Mutation> {
    let base = folder(estate.documents.tree.path(file));
    commands(estate, file).find_map(|it| {
        let example = example(&it.command.site)?;
        let called = || {
            let script = it.command.text.split(' ').next().filter(|word| word.contains('/'))?;
            let script = estate.documents.tree.find(&source::join(base, script)?)?;
            commands(estate, script).find_map(|it| grave(&it.command))
        };
        let worst = grave(&it.command).or_else(called)?;
        let effect = format!("runs `{}`, which {}", worst.example, worst.effect);
        Some(Mutation { example, effect, writes: worst.writes })
    })
}

/// The commands of a file before which nobody is asked.
fn commands<'e, 'm>(estate: &'e Estate<'m>, file: FileId) -> impl Iterator<Item = &'e Invocation<'m>> {
    let here = estate.invocations.iter().filter(move |it| it.command.loc.file == file && !it.instruction);
    here.filter(|it| it.command.guard == Guard::None)
}

fn grave(command: &Command) -> Option<Mutation> {
    mutation(command).filter(|it| matches!(it.writes, Writes::State | Writes::Infrastructure | Writes::Data))
}

/// All that targets of a makefile need.
fn needs(text: &str, targets: &[&str]) -> Vec<String> {
    let makefile = make::parse(text);
    let mut needed: Vec<String> = targets.iter().map(|target| (*target).to_owned()).collect();
    let mut at = 0;
    while let Some(target) = needed.get(at).cloned().filter(|_| at < 256) {
        let rules = makefile.targets.iter().filter(|rule| rule.name.split_whitespace().any(|name| name == target));
        for name in rules.flat_map(|rule| &rule.prerequisites) {
            if !needed.iter().any(|known| **known == **name) {
                needed.push(name.to_string());
            }
        }
        at += 1;
    }
    needed
}
