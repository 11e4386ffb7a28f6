//! Commands of scripts and pipelines that change live what Terraform declares.

use super::Estate;
use super::machine::Machine;
use crate::model::command::Command;
use crate::model::terraform::{Mode, Resource};
use crate::text::Loc;
use crate::value::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// A command outside Ansible that sets something on an object of Terraform.
pub struct Repair {
    /// The invocation, by index.
    pub at: usize,
    /// The object's address.
    pub address: String,
    /// Where it is declared.
    pub declared: Loc,
}

/// Objects that are no machines, the argument that names each, and the flags by which commands name them.
const NAMED: [(&str, &str, &[&str]); 8] = [
    ("aws_db_instance", "identifier", &["db-instance-identifier"]),
    ("aws_rds_cluster", "cluster_identifier", &["db-cluster-identifier"]),
    ("aws_s3_bucket", "bucket", &["bucket"]),
    ("aws_security_group", "name", &["group-name"]),
    ("google_sql_database_instance", "name", &[]),
    ("azurerm_postgresql_flexible_server", "name", &["name", "n"]),
    ("azurerm_mysql_flexible_server", "name", &["name", "n"]),
    ("azurerm_mssql_server", "name", &["name", "n"]),
];

/// Addresses and places by type and name.
type Objects = HashMap<(&'static str, Arc<str>), (String, Loc)>;

/// Every command of a script or pipeline that changes live what Terraform declares for an object.
#[must_use]
pub fn repairs(estate: &Estate<'_>) -> Vec<Repair> {
    let mut found = Vec::new();
    let mut named: Option<Objects> = None;
    for (at, invocation) in estate.invocations.iter().enumerate() {
        let command = &invocation.command;
        if invocation.task.is_some()
            || invocation.instruction
            || invocation.resource.is_some()
            || !command.rows.iter().any(|row| row.repairs)
            || taken_back(estate, command)
        {
            continue;
        }
        let object = machine_of(estate, command).map(|it| (it.address.clone(), it.resource.loc())).or_else(|| {
            let named = named.get_or_insert_with(|| objects(estate));
            let of_type = |(ty, _, flags): &(&'static str, &str, &[&str])| {
                let given = flags.iter().find_map(|flag| command.flag(flag)?.value.scalar());
                let given = given.or_else(|| last_word(command).filter(|_| flags.is_empty()))?;
                named.get(&(*ty, given)).cloned()
            };
            NAMED.iter().filter(|(ty, ..)| speaks_to(command, ty)).find_map(of_type)
        });
        found.extend(object.map(|(address, declared)| Repair { at, address, declared }));
    }
    found
}

/// Whether the same script opens a group of rules and closes it again, as runners of pipelines do for the time of a job.
fn taken_back(estate: &Estate<'_>, command: &Command) -> bool {
    let verb = |it: &Command| it.sub.last().and_then(|sub| sub.split_once('-')).map(|(verb, _)| verb.to_owned());
    let other = match verb(command).as_deref() {
        Some("authorize") => "revoke",
        Some("revoke") => "authorize",
        _ => return false,
    };
    let same = |it: &Command| it.loc.file == command.loc.file && it.program == command.program;
    estate.invocations.iter().any(|it| same(&it.command) && verb(&it.command).as_deref() == Some(other))
}

/// Whether a program speaks to the platform of a type.
fn speaks_to(command: &Command, ty: &str) -> bool {
    let platform = ty.split('_').next().unwrap_or(ty);
    match &*command.program {
        "aws" => platform == "aws",
        "gcloud" => platform == "google",
        "az" => platform == "azurerm",
        "hcloud" => platform == "hcloud",
        "openstack" => platform == "openstack",
        "virsh" => platform == "libvirt",
        "pct" | "qm" => platform == "proxmox",
        // Cmdlets and others do not tell: their machines are known by name.
        "kubectl" | "oc" | "helm" | "docker" => false,
        _ => true,
    }
}

/// The machine that a command names: by its number, by its name among the words or in a flag.
fn machine_of<'e, 'm>(estate: &'e Estate<'m>, command: &Command) -> Option<&'e Machine<'m>> {
    let by_number = matches!(&*command.program, "pct" | "qm");
    let flag = |name: &str| command.flag(name).and_then(|flag| flag.value.scalar());
    let target = match &*command.program {
        "az" => flag("name").or_else(|| flag("n"))?,
        "gcloud" => last_word(command)?,
        _ => command.operands.first().and_then(Value::scalar)?,
    };
    let is_target = |value: &Value| value.scalar().is_some_and(|own| own == target && &*own != "0");
    estate.machines.iter().find(|machine| {
        let own = if by_number { &machine.ids } else { &machine.names };
        speaks_to(command, machine.resource.ty()) && own.iter().any(is_target)
    })
}

/// The object of a command whose subcommands end with it.
fn last_word(command: &Command) -> Option<Arc<str>> {
    let operand = command.operands.first().and_then(Value::scalar);
    operand.or_else(|| command.sub.get(2..)?.last().map(|word| Arc::from(&**word)))
}

/// Named objects that are no machines.
fn objects(estate: &Estate<'_>) -> Objects {
    let mut found = HashMap::new();
    let managed = estate.terraform.resources().filter(|it| it.decl.mode == Mode::Managed);
    for resource in managed {
        let resource: Resource<'_, '_> = resource;
        let Some((ty, argument, _)) = NAMED.iter().find(|(ty, ..)| *ty == resource.ty()) else { continue };
        if let Some(name) = resource.arg(argument).scalar() {
            found.entry((*ty, name)).or_insert_with(|| (resource.address(), resource.loc()));
        }
    }
    found
}
