//! What Terraform starts while it applies and that is not written as a command of its own: jobs of a cluster, invocations of functions.

use super::Estate;
use super::cluster::{Object, at, member};
use super::container::members;
use crate::knowledge::commands::Class;
use crate::model::command::{self, Site, text_of};
use crate::model::terraform::{Mode, Resource};
use crate::text::Loc;
use crate::value::Value;
use std::collections::HashSet;

/// A job or invocation that loads or migrates application data.
pub struct LoadJob {
    /// The resource's address.
    pub address: String,
    /// What it runs, as far as known, else the name that tells.
    pub text: String,
    /// It changes the schema and brings no rows of its own.
    pub migration: bool,
    /// Where it is declared.
    pub loc: Loc,
}

/// Images whose only purpose is to migrate, without registry and tag.
const MIGRATORS: [&str; 7] = [
    "migrate/migrate",
    "flyway/flyway",
    "redgate/flyway",
    "liquibase/liquibase",
    "liquibase",
    "amacneil/dbmate",
    "atlas",
];
/// Words that name a job for what it does.
const MIGRATING: [&str; 6] = ["migrate", "migration", "migrations", "dbmigrate", "migrator", "schema"];
const LOADING: [&str; 5] = ["seed", "seeds", "seeding", "sql", "loaddata"];

/// Every such job and invocation, once for each declaration.
#[must_use]
pub fn load_jobs(estate: &Estate<'_>) -> Vec<LoadJob> {
    let jobs = estate.cluster.iter().filter(|object| object.kind == "Job" && !object.in_tests);
    let jobs = jobs.filter_map(|job| of_job(job, job.address.clone()?));
    let invoked = estate.terraform.resources();
    let invoked = invoked.filter(|it| it.decl.mode == Mode::Managed && it.ty() == "aws_lambda_invocation");
    let mut seen = HashSet::new();
    let all = jobs.chain(invoked.filter_map(|invocation| of_invocation(&invocation)));
    all.filter(|job| seen.insert(job.loc)).collect()
}

fn of_job(job: &Object, address: String) -> Option<LoadJob> {
    let pod = at(&job.body, &["spec", "template", "spec"]);
    let own = ["container", "containers"].into_iter().map(|name| pod_member(&pod, name)).find(|it| !it.is_absent())?;
    let name = words(&format!("{} {address}", job.name.as_str().unwrap_or_default()));
    members(&own)
        .iter()
        .find_map(|container| of_container(container, job.loc, &name))
        .map(|(text, migration)| LoadJob { address, text, migration, loc: job.loc })
}

/// A member of the pod's specification, all blocks of that name.
fn pod_member(pod: &Value, name: &str) -> Value {
    let first = pod.as_list().and_then(|list| list.items.first()).unwrap_or(pod);
    first.get(name)
}

fn of_container(container: &Value, loc: Loc, name: &[String]) -> Option<(String, bool)> {
    let argv: Vec<Value> = ["command", "args"]
        .iter()
        .flat_map(|part| members(&member(container, part)))
        .filter(|it| !it.is_absent())
        .collect();
    let text = argv.iter().map(text_of).collect::<Vec<_>>().join(" ");
    let short = || text.split_whitespace().take(12).collect::<Vec<_>>().join(" ");
    let mut commands = Vec::new();
    if !argv.is_empty() {
        command::of_argv(
            argv.into_iter().map(|word| (word, loc.span)).collect(),
            loc.file,
            &Site::Provisioner,
            &mut commands,
        );
    }
    let loads = commands.iter().filter(|command| command.does(Class::DataLoad));
    let loads: Vec<bool> = loads
        .map(|command| {
            command
                .rows
                .iter()
                .any(|row| matches!(&*row.id, "application-migration" | "framework-migration" | "dotnet-migration"))
        })
        .collect();
    if !loads.is_empty() {
        let shown = commands.iter().find(|command| command.does(Class::DataLoad));
        return Some((shown.map_or_else(short, |command| command.text.clone()), loads.iter().all(|it| *it)));
    }
    let image = member(container, "image");
    let image = image.as_str().unwrap_or_default();
    let repository = image.split([':', '@']).next().unwrap_or_default();
    let migrator = MIGRATORS.iter().any(|own| repository == *own || repository.ends_with(&format!("/{own}")));
    let told = |list: &[&str]| name.iter().any(|word| list.contains(&word.as_str()));
    // A name alone tells enough where a job has nothing else to do.
    if migrator || told(&MIGRATING) || told(&LOADING) {
        let text = if text.is_empty() { image.to_owned() } else { short() };
        return Some((text, migrator || told(&MIGRATING)));
    }
    None
}

fn of_invocation(invocation: &Resource<'_, '_>) -> Option<LoadJob> {
    let input = invocation.arg("input");
    let given = input.display();
    let mut told = words(&given);
    told.extend(words(invocation.name()));
    told.extend(invocation.arg("function_name").as_str().map(words).unwrap_or_default());
    let has = |list: &[&str]| told.iter().any(|word| list.contains(&word.as_str()));
    let (migrates, loads) = (has(&MIGRATING[..5]), has(&LOADING));
    let text = if input.is_absent() { invocation.name().to_owned() } else { given };
    (migrates || loads).then(|| LoadJob {
        address: invocation.address(),
        text,
        migration: migrates,
        loc: invocation.loc(),
    })
}

/// The words of a name or text, in lower case.
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_ascii_lowercase).collect()
}
