//! Secrets of backends in plain text: in the block, in what `init` is given, in Terragrunt's `remote_state`, in tasks that run
//! Terraform, in data sources that read state, and in files that are there to be given to `init`.

use super::Estate;
use super::root::RootFacts;
use crate::knowledge::terraform as known;
use crate::model::kind::Kind;
use crate::model::terraform::{Backend, Mode};
use crate::source::file_name;
use crate::syntax::hcl::{self, ExprKind};
use crate::text::Loc;
use crate::value::Value;

/// An argument of a backend that holds a secret in plain text.
pub struct Credential {
    /// The backend's type.
    pub backend: String,
    /// The argument.
    pub argument: String,
    /// Where it is written.
    pub loc: Loc,
}

/// Arguments of the list of secrets whose values are none.
const HARMLESS: [&str; 5] =
    ["username", "key_file", "assume_role", "ado_pipeline_service_connection_id", "client_certificate"];

/// Secrets that backends hold in plain text.
#[must_use]
pub fn credentials<'m>(estate: &'m Estate<'m>) -> Vec<Credential> {
    let mut found: Vec<Credential> = Vec::new();
    for instance in estate.terraform.tops() {
        let facts = RootFacts { estate, instance };
        if let Some(backend) = facts.backend() {
            of_backend(&facts.backend_type(), &backend, &mut found);
        }
    }
    // Units whose module lies elsewhere.
    for unit in estate.terraform.units.iter().filter(|unit| unit.module.is_none()) {
        if let Some(backend) = estate.terraform.unit_backend(unit) {
            of_backend(&backend.ty.scalar().unwrap_or_default(), &backend, &mut found);
        }
    }
    of_readers(estate, &mut found);
    of_tasks(estate, &mut found);
    of_files(estate, &mut found);
    found
}

fn of_backend(ty: &str, backend: &Backend<'_, '_>, found: &mut Vec<Credential>) {
    look(ty, &|name| backend.arg(name), backend.loc, found);
}

/// Looks at each argument that holds a secret.
fn look(ty: &str, arg: &dyn Fn(&str) -> Value, at: Loc, found: &mut Vec<Credential>) {
    for name in secret_arguments(ty) {
        let value = arg(name);
        if value.as_str().is_some_and(|text| is_secret(name, text)) {
            note(ty, name, value.origin.unwrap_or(at), found);
        }
    }
}

fn secret_arguments(ty: &str) -> impl Iterator<Item = &'static String> {
    let row = known::backend(ty);
    row.into_iter().flat_map(|row| &row.credential_args).filter(|name| !HARMLESS.contains(&name.as_str()))
}

fn note(ty: &str, argument: &str, loc: Loc, found: &mut Vec<Credential>) {
    if !found.iter().any(|other| other.loc == loc && other.argument == *argument) {
        found.push(Credential { backend: ty.to_owned(), argument: argument.to_owned(), loc });
    }
}

/// Data sources that read the state of another root.
fn of_readers(estate: &Estate<'_>, found: &mut Vec<Credential>) {
    for instance in &estate.terraform.instances {
        let data = estate.terraform.resources_of(instance).filter(|one| one.decl.mode == Mode::Data);
        for one in data.filter(|one| one.ty() == "terraform_remote_state") {
            let config = one.arg("config");
            let member = |name: &str| if config.is_absent() { Value::absent() } else { config.get(name) };
            look(&one.arg("backend").scalar().unwrap_or_default(), &member, one.loc(), found);
        }
    }
}

/// Tasks that run Terraform and say what its backend is.
fn of_tasks(estate: &Estate<'_>, found: &mut Vec<Credential>) {
    for task in estate.ansible.tasks.iter().filter(|task| task.short() == "terraform") {
        let config = estate.ansible.argument(task, "backend_config");
        let Some(map) = config.as_map() else { continue };
        for (name, value) in &map.entries {
            let ty = type_of(&|wanted| map.entries.iter().any(|(own, _)| &**own == wanted));
            let secret = ty.is_some_and(|ty| secret_arguments(ty).any(|known| **known == **name));
            if let Some(ty) = ty.filter(|_| secret && value.as_str().is_some_and(|text| is_secret(name, text))) {
                note(ty, name, value.origin.unwrap_or(task.loc), found);
            }
        }
    }
}

/// The backend that a set of arguments belongs to, where one of them is no other's.
fn type_of(has: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    let telling =
        [("conn_str", "pg"), ("storage_account_name", "azurerm"), ("secret_key", "s3"), ("lock_address", "http")];
    telling.into_iter().find(|(argument, _)| has(argument)).map(|(_, ty)| ty)
}

/// Files for `-backend-config` that no command here names: people name them by hand.
fn of_files(estate: &Estate<'_>, found: &mut Vec<Credential>) {
    let tree = estate.documents.tree;
    for (id, file) in tree.iter().filter(|(_, file)| file.tracked && is_backend_file(&file.path)) {
        // A configuration of Terraform's or Terragrunt's own is read as that.
        let own = estate.documents.document(id).is_some_and(|it| matches!(it.kind, Kind::Terraform | Kind::Terragrunt));
        let Ok(text) = file.text() else { continue };
        if own || found.iter().any(|other| other.loc.file == id) {
            continue;
        }
        let parsed = hcl::parse(&text.text);
        let attributes = &parsed.body.attributes;
        let Some(ty) = type_of(&|wanted| attributes.iter().any(|it| &*it.name == wanted)) else { continue };
        for attribute in attributes {
            let ExprKind::Str(value) = &attribute.value.kind else { continue };
            if secret_arguments(ty).any(|name| **name == *attribute.name) && is_secret(&attribute.name, value) {
                let span = attribute.name_span.to(attribute.value.span);
                note(ty, &attribute.name, Loc { file: id, span }, found);
            }
        }
    }
}

/// Whether a file is called one for `-backend-config`.
fn is_backend_file(path: &str) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    let suffix = [".hcl", ".conf", ".config", ".tfvars", ".tfbackend"].iter().any(|suffix| name.ends_with(suffix));
    suffix && (name.contains("backend") || name.ends_with(".tfbackend"))
}

/// Whether a text is a secret and neither a path to one nor something to fill in.
fn is_secret(name: &str, text: &str) -> bool {
    let lower = text.to_lowercase();
    if name == "conn_str" {
        let login = text.split_once("://").and_then(|(_, rest)| rest.split_once('@')).map(|(login, _)| login);
        let password = login.and_then(|login| login.split_once(':')).map(|(_, password)| password);
        return password.is_some_and(|password| !password.is_empty() && !is_placeholder(&password.to_lowercase()))
            || lower.contains("password=");
    }
    let path = text.starts_with(['/', '~', '.'])
        || [".json", ".pem", ".key", ".crt"].iter().any(|suffix| lower.ends_with(suffix));
    !text.is_empty() && !path && !is_placeholder(&lower)
}

fn is_placeholder(lower: &str) -> bool {
    lower.starts_with(['<', '$', '{', '%'])
        || ["replace", "change", "your", "example", "xxx", "todo", "dummy", "placeholder", "mock"]
            .iter()
            .any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_secret() {
        assert!(is_secret("secret_key", "p8Jk2vWq") && is_secret("conn_str", "postgres://tf:pw@db/x"));
        assert!(!is_secret("secret_key", "<your key>") && !is_secret("credentials", "account.json"));
        assert!(!is_secret("conn_str", "postgres://tf@db/x") && !is_secret("conn_str", "postgres://tf:@db/x"));
    }

    #[test]
    fn files_for_init() {
        assert!(is_backend_file("envs/prod.s3.tfbackend") && is_backend_file("infra/backend-dev.hcl"));
        assert!(!is_backend_file("infra/backend.tf") && !is_backend_file("infra/prod.tfvars"));
    }
}
