//! What agents may do here: permissions with what they lead to, jobs that run agents, and what agents are told.

mod follow;
mod instructions;
mod tools;

use super::Estate;
use super::root::RootFacts;
use crate::knowledge::agents::{self, Shell, Writes};
use crate::model::agents::{Agent, Bypass, Decision, Grant, Job, Mutation, PermissionFile, Server, Step};
use crate::model::command::Site;
use crate::model::kind::Kind;
use crate::source::folder;
pub use instructions::{Instructions, instructions};

/// Whether there is anything here that must not be changed by the way.
#[must_use]
pub fn has_control(estate: &Estate<'_>) -> bool {
    const KINDS: [Kind; 6] =
        [Kind::Terragrunt, Kind::Packer, Kind::Playbook, Kind::Tasks, Kind::InventoryYaml, Kind::InventoryIni];
    estate.has_terraform() || estate.documents.of(&KINDS).next().is_some()
}

/// The folders in which Terraform keeps its state as a file.
fn local_roots<'m>(estate: &'m Estate<'m>) -> Vec<&'m str> {
    let facts = estate.terraform.tops().map(|instance| RootFacts { estate, instance });
    let applied = facts.filter(|root| matches!(root.role(), "root") && root.backend().is_none_or(|_| !root.remote()));
    applied.filter(|root| !root.generated_backend()).map(|root| root.folder()).collect()
}

/// A permission with what it comes to in this repository.
pub struct Permission<'m> {
    /// The entry.
    pub grant: &'m Grant,
    /// What it leads to.
    pub mutation: Option<Mutation>,
    /// Whether every command is permitted, and there is something to lose.
    pub any_command: bool,
    /// Whether state files may be written that there are, or are named.
    pub writes_state: bool,
}

/// The folder of the project that a permission file belongs to.
fn project<'m>(estate: &'m Estate<'m>, grant: &Grant) -> &'m str {
    let path = folder(estate.documents.tree.path(grant.loc.file));
    let at = path.split('/').position(|part| part.starts_with('.'));
    let Some(at) = at else { return path };
    path.split('/').take(at).last().map_or("", |last| {
        let end = last.as_ptr() as usize - path.as_ptr() as usize + last.len();
        &path[..end]
    })
}

/// Every permission, judged against what there is here.
#[must_use]
pub fn permissions<'m>(estate: &'m Estate<'m>) -> Vec<Permission<'m>> {
    let control = has_control(estate);
    let local = local_roots(estate);
    estate.agents.grants.iter().map(|grant| permission(estate, grant, control, &local)).collect()
}

fn permission<'m>(estate: &'m Estate<'m>, grant: &'m Grant, control: bool, local: &[&str]) -> Permission<'m> {
    let allowed = grant.decision == Decision::Allow;
    let known = || grant.mutation.clone().or_else(|| follow::follow(estate, grant, project(estate, grant)));
    let mutation = (allowed && !grant.any_command).then(known).flatten().filter(|mutation| match mutation.writes {
        Writes::State | Writes::History => true,
        Writes::Files => !local.is_empty() || mutation.example.contains("tfstate") && names_state(grant),
        _ => control,
    });
    let mutation =
        mutation.filter(|_| !estate.agents.servers.iter().any(|it| names(grant, it) && tools::only_reads(estate, it)));
    let denied = |path: &str| {
        let own =
            estate.agents.grants.iter().filter(|it| it.loc.file == grant.loc.file && it.decision != Decision::Allow);
        own.filter(|it| it.tool == "edit").any(|it| it.covers(path))
    };
    let in_root = |root: &&str| {
        let path = if root.is_empty() { "terraform.tfstate".to_owned() } else { format!("{root}/terraform.tfstate") };
        let inside = path.strip_prefix(project(estate, grant)).unwrap_or(&path).trim_start_matches('/');
        grant.covers(inside) && !denied(inside)
    };
    let edits = allowed && grant.tool == "edit";
    let writes_state = edits && (grant.writes_state && names_state(grant) || local.iter().any(in_root));
    Permission { grant, mutation, any_command: grant.any_command && control, writes_state }
}

/// Whether a permission is one for the tools of a server.
fn names(grant: &Grant, server: &Server) -> bool {
    let rest = grant.text.strip_prefix("mcp__").and_then(|rest| rest.strip_prefix(&*server.name));
    grant.tool == "mcp" && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("__") || rest.starts_with('('))
}

fn names_state(grant: &Grant) -> bool {
    grant.text.contains("tfstate") || grant.text.contains(".terraform")
}

/// Permission files of a team that leave state files open, when there may be such.
#[must_use]
pub fn open_files<'m>(estate: &'m Estate<'m>) -> Vec<(&'m PermissionFile, bool)> {
    if !estate.has_terraform() {
        return Vec::new();
    }
    let local = !local_roots(estate).is_empty();
    let silent = |file: &&PermissionFile| file.denies_paths && !file.denies_state;
    // What permits to write them is told by itself.
    let permissions = permissions(estate);
    let told = |file: &&PermissionFile| permissions.iter().any(|it| it.writes_state && it.grant.loc.file == file.file);
    estate.agents.files.iter().filter(silent).filter(|file| !told(file)).map(|file| (file, local)).collect()
}

/// The servers that matter here.
#[must_use]
pub fn servers<'m>(estate: &'m Estate<'m>) -> Vec<&'m Server> {
    let control = has_control(estate);
    let local = local_roots(estate);
    let reaches = |server: &Server| {
        local.iter().any(|root| {
            let beside = |folder: &String| {
                folder == "." || folder.is_empty() || root == folder || root.starts_with(&format!("{folder}/"))
            };
            server.folders.iter().any(beside)
        })
    };
    let servers = estate.agents.servers.iter();
    let matters = |it: &&Server| if it.writes == Writes::Files { reaches(it) } else { control };
    servers.filter(matters).filter(|it| !tools::only_reads(estate, it)).collect()
}

/// An agent in a job.
pub struct JobAgent<'m> {
    /// The job.
    pub job: &'m Job,
    /// The agent.
    pub agent: Agent,
    /// What it could use, in words.
    pub credentials: Vec<String>,
}

impl JobAgent<'_> {
    /// Whether the token of the job is more than what the agent's action asks for itself.
    #[must_use]
    pub fn token(&self) -> bool {
        self.job.token && !self.agent.own_token
    }

    /// Whether strangers can tell it what to do.
    #[must_use]
    pub fn open(&self) -> bool {
        self.job.open && !self.agent.checks_author
    }
}

/// Every agent that a job runs, by an action or by a program.
#[must_use]
pub fn job_agents<'m>(estate: &'m Estate<'m>) -> Vec<JobAgent<'m>> {
    let control = has_control(estate);
    let mut found = Vec::new();
    for job in &estate.agents.jobs {
        for step in &job.steps {
            let by_program = || runs_in(estate, job, step);
            let agents: Vec<Agent> = step.agent.clone().map_or_else(by_program, |agent| vec![agent]);
            for agent in agents {
                let mut credentials: Vec<String> = job.credentials.iter().chain(&step.credentials).cloned().collect();
                // Where the model itself is asked through a cloud, the login is for that.
                if !control || agent.cloud_model && agent.shell < Shell::Any {
                    credentials.clear();
                }
                credentials.sort_unstable();
                credentials.dedup();
                found.push(JobAgent { job, agent, credentials });
            }
        }
    }
    found
}

/// The agents that the commands of a step run.
fn runs_in(estate: &Estate<'_>, job: &Job, step: &Step) -> Vec<Agent> {
    let here = estate.invocations.iter().filter(|it| {
        it.command.loc.file == step.loc.file
            && step.loc.span.contains(it.command.loc.span)
            && matches!(&it.command.site, Site::Ci { job: name } if **name == *job.name)
    });
    here.filter_map(|it| {
        let (program, words) = run(estate, it)?;
        Some(Agent::by_program(program, &words, it.command.loc))
    })
    .collect()
}

/// The program of an agent that a command runs, with its words.
fn run(
    estate: &Estate<'_>,
    invocation: &super::invocation::Invocation<'_>,
) -> Option<(&'static agents::Program, Vec<String>)> {
    let command = &invocation.command;
    let program = agents::agents().programs.iter().find(|known| *known.program == *command.program)?;
    let words = crate::model::agents::words(estate.documents.tree.slice(command.loc));
    let runs = words.iter().skip(1).any(|word| {
        program
            .runs
            .iter()
            .any(|it| word == it || word.strip_prefix(it.as_str()).is_some_and(|rest| rest.starts_with('=')))
    });
    // What switches approval off starts the agent too, for a person who sits before it.
    let unasked = || crate::model::agents::cli(program, &words, command.loc).1.is_some();
    (!invocation.instruction && (runs || unasked())).then_some((program, words))
}

/// Every setting and every flag that switches approval off. In an image or a job without credentials there is nothing to lose.
#[must_use]
pub fn bypasses<'m>(estate: &'m Estate<'m>) -> Vec<Bypass> {
    let mut found = estate.agents.bypasses.clone();
    let jobs = job_agents(estate);
    let armed = jobs.iter().filter(|it| !it.credentials.is_empty() || it.token());
    found.extend(armed.filter_map(|it| it.agent.bypass.clone()));
    for invocation in &estate.invocations {
        let site = matches!(
            invocation.command.site,
            Site::Script | Site::Recipe { .. } | Site::Cron | Site::Unit | Site::PackageScript { .. }
        );
        if !site {
            continue;
        }
        let Some((program, words)) = run(estate, invocation) else { continue };
        found.extend(crate::model::agents::cli(program, &words, invocation.command.loc).1);
    }
    found.sort_by_key(|bypass| bypass.loc);
    found.dedup_by_key(|bypass| bypass.loc);
    found
}
