//! What applies Terraform by itself whenever something has drifted: objects of Flux, stacks and environments of platforms.

use super::Estate;
use super::cluster::at;
use crate::model::terraform::Resource;
use crate::text::Loc;
use crate::value::Value;
use std::collections::HashSet;

/// A declaration by which drift is applied away without a decision.
pub struct Reconciler {
    /// What it is, by name: `Terraform network`, `spacelift_stack.prod`.
    pub name: String,
    /// The setting that says so, as written.
    pub setting: String,
    /// Where the setting stands, else the declaration.
    pub loc: Loc,
    /// The declaration.
    pub declared: Loc,
    /// The address in Terraform.
    pub address: Option<String>,
    /// It stands among tests.
    pub in_tests: bool,
}

/// Every declaration of that kind, those of manifests first, each once.
#[must_use]
pub fn reconcilers<'m>(estate: &'m Estate<'m>) -> Vec<Reconciler> {
    let mut found: Vec<Reconciler> = estate.cluster.iter().filter_map(of_flux).collect();
    let mut seen: HashSet<Loc> = HashSet::new();
    for resource in estate.terraform.resources() {
        if let Some(one) = of_platform(estate, &resource).filter(|it| seen.insert(it.declared)) {
            found.push(one);
        }
    }
    found
}

/// `Terraform` of the controller for Flux: it plans at each interval, and applies what it planned when the approval is automatic.
fn of_flux(object: &super::cluster::Object) -> Option<Reconciler> {
    if object.kind != "Terraform" || !object.body.get("apiVersion").contains("contrib.fluxcd.io").is_true() {
        return None;
    }
    let approval = at(&object.body, &["spec", "approvePlan"]);
    let on = |name: &str| at(&object.body, &["spec", name]).as_bool() == Some(true);
    if approval.as_str() != Some("auto") || on("disableDriftDetection") || on("suspend") {
        return None;
    }
    Some(Reconciler {
        name: format!("Terraform {}", object.name.display()),
        setting: "approvePlan: auto".to_owned(),
        loc: approval.origin.unwrap_or(object.loc),
        declared: object.loc,
        address: object.address.clone(),
        in_tests: object.in_tests,
    })
}

/// Drift detection of Spacelift and env0 that repairs what it finds.
fn of_platform<'m>(estate: &'m Estate<'m>, resource: &Resource<'m, 'm>) -> Option<Reconciler> {
    let (argument, value) = match resource.ty() {
        // The run that it starts waits for a person unless the stack deploys by itself.
        "spacelift_drift_detection" if deploys(estate, resource) => ("reconcile", resource.arg("reconcile")),
        "env0_environment_drift_detection" | "env0_environment" => {
            ("auto_drift_remediation", resource.arg("auto_drift_remediation"))
        }
        _ => return None,
    };
    let on = value.as_bool() == Some(true) || matches!(value.as_str(), Some("CODE_TO_CLOUD" | "SMART_REMEDIATION"));
    let loc = || value.origin.filter(|it| it.file == resource.loc().file);
    on.then(|| Reconciler {
        name: resource.address(),
        setting: format!("{argument} = {}", value.display()),
        loc: loc().unwrap_or_else(|| resource.loc()),
        declared: resource.loc(),
        address: Some(resource.address()),
        in_tests: super::task::is_test_path(estate.documents.tree.path(resource.loc().file)),
    })
}

/// Whether the stack of a drift detection applies by itself, as far as it is declared here.
fn deploys<'m>(estate: &'m Estate<'m>, detection: &Resource<'m, 'm>) -> bool {
    let meant = estate.terraform.referred(detection, "stack_id");
    let stacks = estate.terraform.resources().filter(|it| it.ty() == "spacelift_stack");
    stacks.filter(|stack| meant.contains(&stack.declaration())).any(|stack| is_on(&stack.arg("autodeploy")))
}

fn is_on(value: &Value) -> bool {
    value.as_bool() == Some(true)
}
