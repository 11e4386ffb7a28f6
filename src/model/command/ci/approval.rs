//! Which jobs and stages run only after one in which a person says yes.

use super::vendor;
use crate::model::command::Guard;
use crate::syntax::yaml::Node;
use std::collections::HashSet;

/// A file with more jobs than this is not followed.
const MAX_JOBS: usize = 2000;

/// A job or stage with what it waits for.
struct Job<'a> {
    name: &'a str,
    /// The job that it is a use of.
    of: &'a str,
    needs: Vec<&'a str>,
    asks: bool,
}

/// The jobs and stages that run only after an approval, by name.
pub(super) fn approved(root: Node<'_>) -> HashSet<Box<str>> {
    let mut jobs = Vec::new();
    of_workflows(root, &mut jobs);
    of_mapping(root, &mut jobs);
    of_lists(root, &mut jobs);
    if jobs.len() > MAX_JOBS || !jobs.iter().any(|job| job.asks) {
        return HashSet::new();
    }
    let mut after: HashSet<&str> = HashSet::new();
    loop {
        let held = |job: &&Job<'_>| {
            let waits = |name: &&str| after.contains(name) || jobs.iter().any(|it| it.asks && it.name == *name);
            !after.contains(job.name) && job.needs.iter().any(waits)
        };
        let Some(next) = jobs.iter().find(held) else { break };
        after.insert(next.name);
    }
    // A job that is used twice waits only if it waits both times.
    let every = |of: &str| jobs.iter().filter(|job| job.of == of).all(|job| after.contains(job.name));
    jobs.iter().filter(|job| every(job.of)).map(|job| job.of.into()).collect()
}

fn names<'a>(node: Node<'a>, key: &str) -> Vec<&'a str> {
    let needs = node.get(key).into_iter().flat_map(|it| it.items().chain(Some(it)));
    needs.filter_map(|it| it.as_str().or_else(|| it.get("job").and_then(Node::as_str))).collect()
}

fn is(node: Node<'_>, key: &str, word: &str) -> bool {
    node.get(key).and_then(Node::as_str) == Some(word)
}

/// Workflows of `CircleCI`: jobs that are used, some of them nothing but an approval.
fn of_workflows<'a>(root: Node<'a>, jobs: &mut Vec<Job<'a>>) {
    let workflows = root.get("workflows").map(Node::entries).unwrap_or_default();
    for item in workflows.into_iter().filter_map(|(_, workflow)| workflow.get("jobs")).flat_map(Node::items) {
        if let Some(name) = item.as_str() {
            jobs.push(Job { name, of: name, needs: Vec::new(), asks: false });
        }
        for (key, job) in item.entries() {
            let Some(of) = key.as_str() else { continue };
            let name = job.get("name").and_then(Node::as_str).unwrap_or(of);
            jobs.push(Job { name, of, needs: names(job, "requires"), asks: is(job, "type", "approval") });
        }
    }
}

/// Jobs of GitHub. One that has an environment and is called an approval is there to be waited for.
fn of_mapping<'a>(root: Node<'a>, jobs: &mut Vec<Job<'a>>) {
    let listed = root.get("jobs").filter(|jobs| jobs.is_map() && root.get("workflows").is_none());
    for (key, job) in listed.map(Node::entries).unwrap_or_default() {
        let Some(name) = key.as_str() else { continue };
        let lower = name.to_ascii_lowercase();
        let called = ["approv", "gate", "hold", "manual", "confirm"].iter().any(|word| lower.contains(word));
        let asks = called && job.get("environment").is_some() || steps_ask(job);
        jobs.push(Job { name, of: name, needs: names(job, "needs"), asks });
    }
}

/// Stages and jobs of Azure. A stage waits for the one before it unless it says for which.
fn of_lists<'a>(root: Node<'a>, jobs: &mut Vec<Job<'a>>) {
    let of_list = |list: Node<'a>, jobs: &mut Vec<Job<'a>>| {
        for job in list.items() {
            let name = ["job", "deployment"].iter().find_map(|key| job.get(key)?.as_str());
            let Some(name) = name else { continue };
            jobs.push(Job { name, of: name, needs: names(job, "dependsOn"), asks: steps_ask(job) });
        }
    };
    let mut before: Option<&str> = None;
    for stage in root.get("stages").into_iter().flat_map(Node::items) {
        let Some(name) = stage.get("stage").and_then(Node::as_str) else { continue };
        let listed = stage.get("jobs");
        let asks = listed.is_some_and(|jobs| jobs.items().any(steps_ask));
        let needs = match stage.get("dependsOn") {
            Some(_) => names(stage, "dependsOn"),
            None => before.into_iter().collect(),
        };
        jobs.push(Job { name, of: name, needs, asks });
        before = Some(name);
        if let Some(list) = listed {
            of_list(list, jobs);
        }
    }
    if let Some(list) = root.get("jobs").filter(|jobs| jobs.is_seq()) {
        of_list(list, jobs);
    }
}

fn steps_ask(job: Node<'_>) -> bool {
    job.get("steps").is_some_and(|steps| steps.items().any(|step| vendor::asks(step) == Guard::Confirmed))
}
