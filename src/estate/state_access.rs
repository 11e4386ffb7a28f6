//! Who may read or write the places in which backends keep state, as far as policies in Terraform say so.

use super::Estate;
use super::state_backend::kept_in;
use crate::model::command::text_of;
use crate::model::terraform::{Declaration, Mode, Resource};
use crate::text::{HOLE, Loc};
use crate::value::Value;
use serde_json::Value as Json;
use std::collections::HashMap;

/// A right to a store of state that goes further than automation needs.
pub struct Grant {
    /// Who has it, in words.
    pub principal: String,
    /// What it allows, in words.
    pub right: String,
    /// Whether everybody has it.
    pub everybody: bool,
    /// Whether it is a right to write.
    pub writes: bool,
    /// The address of what grants it.
    pub address: String,
    /// Where that is declared.
    pub loc: Loc,
    /// The folders whose state it is.
    pub folders: Vec<String>,
}

/// The stores of state among the declared resources.
struct Stores<'m> {
    estate: &'m Estate<'m>,
    by_declaration: HashMap<Declaration, &'m [String]>,
}

/// Every right that goes too far.
#[must_use]
pub fn grants<'m>(estate: &'m Estate<'m>) -> Vec<Grant> {
    if estate.state_stores.is_empty() {
        return Vec::new();
    }
    let stores = Stores {
        estate,
        by_declaration: estate
            .terraform
            .resources()
            .map(|resource| (resource.declaration(), kept_in(estate, &resource)))
            .filter(|(_, folders)| !folders.is_empty())
            .collect(),
    };
    let mut found = Vec::new();
    for resource in estate.terraform.resources() {
        match resource.ty() {
            "aws_s3_bucket_policy" | "minio_s3_bucket_policy" => bucket_policy(&stores, &resource, &mut found),
            "aws_iam_policy"
            | "aws_iam_role_policy"
            | "aws_iam_user_policy"
            | "aws_iam_group_policy"
            | "minio_iam_policy" => identity_policy(&stores, &resource, &mut found),
            "aws_s3_bucket" | "aws_s3_bucket_acl" | "minio_s3_bucket" | "digitalocean_spaces_bucket" => {
                access_list(&stores, &resource, &mut found);
            }
            "azurerm_storage_container" => public_container(&stores, &resource, &mut found),
            "azurerm_role_assignment" => role_assignment(&stores, &resource, &mut found),
            ty if ty.starts_with("google_storage_bucket_iam_") => bucket_role(&stores, &resource, &mut found),
            _ => {}
        }
    }
    found
}

impl<'m> Stores<'m> {
    /// The folders whose state lies in what an argument names, by reference or by its text.
    fn named(&self, resource: &Resource<'m, 'm>, argument: &str, provider: &str) -> Vec<String> {
        if let Some(name) = resource.arg(argument).scalar()
            && let Some(folders) = self.estate.state_stores.get(&format!("{provider} {name}"))
        {
            return folders.clone();
        }
        let referred = self.estate.terraform.referred(resource, argument);
        let folders = referred.iter().find_map(|declaration| self.by_declaration.get(declaration));
        folders.map(|folders| folders.to_vec()).unwrap_or_default()
    }

    /// The statements of a policy: its own text, or the documents that it refers to.
    fn statements(&self, resource: &Resource<'m, 'm>) -> Vec<Statement> {
        let text = text_of(&resource.arg("policy"));
        let policy = serde_json::from_str::<Json>(&filled(&text)).ok();
        if let Some(statements) = policy.as_ref().and_then(|policy| policy.get("Statement")) {
            return each(Some(statements)).filter_map(Statement::of_json).collect();
        }
        let referred = self.estate.terraform.referred(resource, "policy");
        let documents = self.estate.terraform.resources_of(resource.instance).filter(|data| {
            data.decl.mode == Mode::Data
                && matches!(data.ty(), "aws_iam_policy_document" | "minio_iam_policy_document")
                && referred.contains(&data.declaration())
        });
        documents.flat_map(|data| data.blocks("statement")).filter_map(|block| Statement::of_block(&block)).collect()
    }
}

/// JSON with unknown parts as a string where a value is unknown as a whole.
fn filled(text: &str) -> String {
    let (mut out, mut inside, mut escaped) = (String::with_capacity(text.len()), false, false);
    for c in text.chars() {
        match c {
            '"' if !escaped => inside = !inside,
            HOLE if !inside => {
                out.push_str("\"?\"");
                continue;
            }
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        out.push(if c == HOLE { '?' } else { c });
    }
    out
}

/// One or several.
fn each(node: Option<&Json>) -> impl Iterator<Item = &Json> {
    let list = node.and_then(Json::as_array);
    list.into_iter().flatten().chain(node.filter(|node| !node.is_array()))
}

/// A statement of a policy of AWS that allows something, without conditions.
struct Statement {
    actions: Vec<String>,
    /// `*`, ARNs; empty when the policy belongs to an identity.
    principals: Vec<String>,
    resources: Vec<String>,
}

impl Statement {
    fn of_json(node: &Json) -> Option<Self> {
        let texts = |key: &str| each(node.get(key)).filter_map(Json::as_str).map(str::to_owned).collect::<Vec<_>>();
        if node.get("Effect").and_then(Json::as_str) != Some("Allow") || node.get("Condition").is_some() {
            return None;
        }
        let principal = node.get("Principal");
        let named = principal.and_then(|principal| principal.get("AWS"));
        let principals = each(named.or(principal)).filter_map(Json::as_str).map(str::to_owned).collect();
        Some(Self { actions: texts("Action"), principals, resources: texts("Resource") })
    }

    fn of_block(block: &crate::model::terraform::BlockView<'_, '_>) -> Option<Self> {
        let effect = block.arg("effect");
        let allows = effect.is_absent() || effect.as_str() == Some("Allow");
        if !allows || !block.blocks("condition").is_empty() {
            return None;
        }
        let texts = |value: Value| -> Vec<String> {
            let items = value.as_list().map(|list| list.items.clone()).unwrap_or_default();
            items.iter().map(|item| text_of(item).replace(HOLE, "?")).collect()
        };
        let principals = block.blocks("principals").into_iter().flat_map(|one| texts(one.arg("identifiers"))).collect();
        Some(Self { actions: texts(block.arg("actions")), principals, resources: texts(block.arg("resources")) })
    }

    /// The strongest right to objects that it gives.
    fn right(&self) -> Option<(&str, bool)> {
        const WRITES: [&str; 6] = ["s3:*", "*", "s3:put", "s3:delete", "s3:putobject", "s3:deleteobject"];
        const READS: [&str; 3] = ["s3:get*", "s3:getobject", "s3:getobjectversion"];
        let lower = |action: &String| action.to_ascii_lowercase();
        let strong = |action: &&String| {
            let action = lower(action);
            WRITES.contains(&action.as_str()) || action == "s3:put*" || action == "s3:delete*"
        };
        let all = |action: &&String| matches!(lower(action).as_str(), "s3:*" | "*");
        let whole = self.actions.iter().find(all).or_else(|| self.actions.iter().find(strong));
        let read = || self.actions.iter().find(|action| READS.contains(&lower(action).as_str()));
        whole.map(|action| (action.as_str(), true)).or_else(|| read().map(|action| (action.as_str(), false)))
    }

    fn gives_everything(&self) -> bool {
        self.actions.iter().any(|action| matches!(action.to_ascii_lowercase().as_str(), "s3:*" | "*"))
    }
}

/// Words by which users of programs are called.
const PROGRAMS: [&str; 18] = [
    "bot",
    "bots",
    "ci",
    "cd",
    "cicd",
    "svc",
    "service",
    "services",
    "terraform",
    "tofu",
    "atlantis",
    "deploy",
    "deployer",
    "automation",
    "pipeline",
    "runner",
    "github",
    "gitlab",
];

/// A person, by the name of AWS: a user or group, unless its path or name is one of a program.
fn is_person(principal: &str) -> bool {
    let named = [":user/", ":group/"].iter().find_map(|kind| principal.split_once(kind)).map(|(_, name)| name);
    named.is_some_and(|name| {
        !name.to_ascii_lowercase().split(['/', '-', '_', '.', '@']).any(|word| PROGRAMS.contains(&word))
    })
}

fn bucket_policy<'m>(stores: &Stores<'m>, resource: &Resource<'m, 'm>, found: &mut Vec<Grant>) {
    let folders = stores.named(resource, "bucket", "");
    if folders.is_empty() {
        return;
    }
    for statement in stores.statements(resource) {
        let Some((right, writes)) = statement.right() else { continue };
        let everybody = statement.principals.iter().any(|principal| principal == "*");
        let person = statement.principals.iter().find(|principal| is_person(principal));
        let known = statement.principals.iter().find(|principal| !principal.contains('?'));
        let principal = if everybody {
            "everybody".to_owned()
        } else if let Some(person) = person.filter(|_| writes) {
            format!("a person ({person})")
        } else if let Some(principal) = known.filter(|_| statement.gives_everything()) {
            principal.clone()
        } else {
            continue;
        };
        found.push(grant(resource, principal, format!("`{right}`"), everybody, writes, folders.clone()));
    }
}

/// A policy of a role or user that allows everything with the objects of the store.
fn identity_policy<'m>(stores: &Stores<'m>, resource: &Resource<'m, 'm>, found: &mut Vec<Grant>) {
    for statement in stores.statements(resource).into_iter().filter(Statement::gives_everything) {
        let bucket = |arn: &String| {
            let name = arn.strip_prefix("arn:aws:s3:::")?.split('/').next()?;
            stores.estate.state_stores.get(&format!(" {name}"))
        };
        let Some(folders) = statement.resources.iter().find_map(bucket) else { continue };
        let right = "every action, the deletion of old versions among them".to_owned();
        let whose = "whoever has this policy".to_owned();
        found.push(grant(resource, whose, right, false, true, folders.clone()));
    }
}

fn access_list<'m>(stores: &Stores<'m>, resource: &Resource<'m, 'm>, found: &mut Vec<Grant>) {
    let acl = resource.arg("acl");
    let Some(acl) = acl.as_str().filter(|acl| acl.starts_with("public") || *acl == "authenticated-read") else {
        return;
    };
    let own = kept_in(stores.estate, resource).to_vec();
    let folders =
        if own.is_empty() && resource.ty().ends_with("_acl") { stores.named(resource, "bucket", "") } else { own };
    if !folders.is_empty() {
        let writes = acl.contains("write") || acl == "public";
        found.push(grant(resource, "everybody".to_owned(), format!("`{acl}`"), true, writes, folders));
    }
}

fn public_container<'m>(stores: &Stores<'m>, resource: &Resource<'m, 'm>, found: &mut Vec<Grant>) {
    let access = resource.arg("container_access_type");
    let folders = kept_in(stores.estate, resource);
    if let Some(access) =
        access.as_str().filter(|access| matches!(*access, "blob" | "container") && !folders.is_empty())
    {
        let right = format!("`container_access_type = \"{access}\"`");
        found.push(grant(resource, "everybody".to_owned(), right, true, false, folders.to_vec()));
    }
}

/// Roles with which somebody changes objects.
const WRITING_ROLES: [&str; 9] = [
    "roles/storage.admin",
    "roles/storage.objectAdmin",
    "roles/storage.objectUser",
    "roles/storage.objectCreator",
    "roles/storage.legacyBucketWriter",
    "roles/storage.legacyBucketOwner",
    "roles/storage.legacyObjectOwner",
    "roles/owner",
    "roles/editor",
];

fn bucket_role<'m>(stores: &Stores<'m>, resource: &Resource<'m, 'm>, found: &mut Vec<Grant>) {
    let (role, one) = (resource.arg("role"), resource.arg("member"));
    let Some(role) = role.as_str() else { return };
    let listed = resource.arg("members");
    let listed = listed.as_list().map(|list| list.items.clone()).unwrap_or_default();
    let members = listed.iter().chain(std::iter::once(&one)).filter_map(Value::as_str);
    let writes = WRITING_ROLES.contains(&role);
    let too_far = |member: &str| {
        let everybody = matches!(member, "allUsers" | "allAuthenticatedUsers");
        let people = ["user:", "group:", "domain:"].iter().any(|kind| member.starts_with(kind));
        (everybody || writes && people).then_some(everybody)
    };
    let Some((member, everybody)) =
        members.filter_map(|member| Some((member, too_far(member)?))).max_by_key(|(_, all)| *all)
    else {
        return;
    };
    let folders = stores.named(resource, "bucket", "google");
    if !folders.is_empty() {
        let principal = if everybody { format!("everybody ({member})") } else { format!("people ({member})") };
        found.push(grant(resource, principal, format!("`{role}`"), everybody, writes, folders));
    }
}

fn role_assignment<'m>(stores: &Stores<'m>, resource: &Resource<'m, 'm>, found: &mut Vec<Grant>) {
    const ROLES: [&str; 4] = ["Storage Blob Data Contributor", "Storage Blob Data Owner", "Contributor", "Owner"];
    let (role, kind) = (resource.arg("role_definition_name"), resource.arg("principal_type"));
    let Some(role) = role.as_str().filter(|role| ROLES.contains(role)) else { return };
    // Of a group nobody says whether it holds people, unless it is called what Azure calls people.
    let referred = stores.estate.terraform.referred(resource, "principal_id");
    let person = || {
        let types = referred.iter().filter_map(|declaration| stores.estate.terraform.type_of(*declaration));
        types.into_iter().find_map(|ty| match ty {
            "azuread_user" | "azuread_users" => Some("User"),
            "azuread_group" | "azuread_groups" => Some("Group"),
            _ => None,
        })
    };
    let kind = kind.as_str().map(str::to_owned).or_else(|| person().map(str::to_owned));
    let Some(kind) = kind.filter(|kind| matches!(kind.as_str(), "User" | "Group")) else { return };
    let folders = stores.named(resource, "scope", "azurerm");
    if !folders.is_empty() {
        let principal = format!("people ({})", kind.to_lowercase());
        found.push(grant(resource, principal, format!("`{role}`"), false, true, folders));
    }
}

fn grant(
    resource: &Resource<'_, '_>,
    principal: String,
    right: String,
    everybody: bool,
    writes: bool,
    folders: Vec<String>,
) -> Grant {
    Grant { principal, right, everybody, writes, address: resource.address(), loc: resource.loc(), folders }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_parts_of_a_policy() {
        let text = format!("{{\"a\":{HOLE},\"b\":\"x/{HOLE}\",\"c\":\"\\\"{HOLE}\"}}");
        assert_eq!(filled(&text), "{\"a\":\"?\",\"b\":\"x/?\",\"c\":\"\\\"?\"}");
    }

    #[test]
    fn people_and_programs() {
        assert!(is_person("arn:aws:iam::1:user/carol") && is_person("arn:aws:iam::1:group/developers"));
        assert!(!is_person("arn:aws:iam::1:user/bots/apply") && !is_person("arn:aws:iam::1:user/github-ci"));
        assert!(!is_person("arn:aws:iam::1:role/carol"));
    }

    #[test]
    fn rights_of_statements() {
        let right = |actions: &[&str]| {
            let actions = actions.iter().map(|action| (*action).to_owned()).collect();
            let statement = Statement { actions, principals: Vec::new(), resources: Vec::new() };
            statement.right().map(|(action, writes)| (action.to_owned(), writes))
        };
        assert_eq!(right(&["s3:GetObject", "s3:PutObject"]), Some(("s3:PutObject".to_owned(), true)));
        assert_eq!(right(&["s3:PutObject", "s3:*"]), Some(("s3:*".to_owned(), true)));
        assert_eq!(right(&["s3:GetObject"]), Some(("s3:GetObject".to_owned(), false)));
        assert_eq!(right(&["s3:ListBucket"]), None);
    }
}
