//! Terragrunt's files as Terragrunt reads them.

use super::*;

const ROOT: &str = r#"
locals {
  account = read_terragrunt_config(find_in_parent_folders("account.hcl"))
  env     = read_terragrunt_config(find_in_parent_folders("env.hcl", "none.hcl"), { locals = { env = "shared" } })
  name    = local.account.locals.name
  prefix  = get_env("PREFIX", "acme")
}
remote_state {
  backend = "s3"
  config = {
    bucket       = "${local.prefix}-${local.name}"
    key          = "${path_relative_to_include()}/terraform.tfstate"
    use_lockfile = true
  }
}
inputs = merge(local.account.locals, { env = local.env.locals.env, size = 1 })
"#;

fn live(more: &[(&'static str, &'static str)]) -> Terraform<'static> {
    let mut files = vec![
        ("live/root.hcl", ROOT),
        ("live/prod/account.hcl", "locals {\n  name = \"prod\"\n  guard = true\n}\n"),
        ("live/dev/account.hcl", "locals {\n  name = \"dev\"\n  guard = false\n}\n"),
        ("live/prod/eu/env.hcl", "locals { env = \"eu\" }\n"),
        (
            "modules/db/main.tf",
            "terraform {\n  backend \"s3\" {}\n}\nvariable \"name\" {}\nvariable \"guard\" { type = bool }\nvariable \"env\" {}\nvariable \"size\" { default = 9 }\nvariable \"tier\" { default = \"t\" }\n\
             resource \"t\" \"x\" {\n  all = \"${var.name} ${var.guard} ${var.env} ${var.size} ${var.tier}\"\n}\n",
        ),
    ];
    files.extend(more);
    build(&files)
}

fn seen(terraform: &Terraform<'static>) -> Vec<(String, String)> {
    let unit = |resource: &Resource<'_, '_>| resource.instance.unit.clone().unwrap_or_default();
    terraform.resources().map(|resource| (unit(&resource), show(&resource.arg("all")))).collect()
}

const UNIT: &str = "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n  expose = true\n}\n\
                    terraform { source = \"${get_repo_root()}/modules//db?ref=v1\" }\n";

#[test]
fn inputs_come_through_chains_of_files() {
    let terraform = live(&[
        ("live/prod/eu/db/terragrunt.hcl", UNIT),
        (
            "live/dev/db/terragrunt.hcl",
            "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n  expose = true\n}\n\
             include \"common\" { path = \"${dirname(find_in_parent_folders(\"root.hcl\"))}/_common/db.hcl\" }\n\
             inputs = { size = 3, name = \"db-${include.root.locals.name}\" }\n",
        ),
        (
            "live/_common/db.hcl",
            "terraform { source = \"${get_terragrunt_dir()}/../../../modules/db\" }\ninputs = { tier = \"big\" }\n",
        ),
    ]);
    let expected = [("live/dev/db", "\"db-dev false shared 3 big\""), ("live/prod/eu/db", "\"prod true eu 1 t\"")];
    assert_eq!(seen(&terraform), expected.map(|(unit, all)| (unit.to_owned(), all.to_owned())));
}

#[test]
fn each_unit_has_a_state_of_its_own() {
    let terraform = live(&[("live/prod/eu/db/terragrunt.hcl", UNIT), ("live/dev/db/terragrunt.hcl", UNIT)]);
    let backend = |folder: &str| {
        let backend = terraform.unit_backend(terraform.unit(folder).unwrap()).unwrap();
        (show(&backend.arg("bucket")), show(&backend.arg("key")))
    };
    assert_eq!(backend("live/prod/eu/db"), ("\"acme-prod\"".into(), "\"prod/eu/db/terraform.tfstate\"".into()));
    assert_eq!(backend("live/dev/db"), ("\"acme-dev\"".into(), "\"dev/db/terraform.tfstate\"".into()));
}

#[test]
fn a_generated_file_declares_the_backend() {
    let terraform = build(&[
        (
            "root.hcl",
            "generate \"backend\" {\n  path = \"backend.tf\"\n  if_exists = \"overwrite\"\n  contents = <<-EOF\n    terraform {\n      backend \"gcs\" {\n        bucket = \"state-${get_env(\"TEAM\")}\"\n        prefix = \"${path_relative_to_include()}\"\n      }\n    }\n  EOF\n}\n",
        ),
        ("app/terragrunt.hcl", "include {\n  path = find_in_parent_folders(\"root.hcl\")\n}\n"),
        ("app/main.tf", "resource \"t\" \"x\" {}\n"),
    ]);
    let unit = terraform.unit("app").unwrap();
    let backend = terraform.unit_backend(unit).unwrap();
    assert_eq!((show(&backend.ty), show(&backend.arg("prefix"))), ("\"gcs\"".into(), "\"app\"".into()));
    assert_eq!(show(&backend.arg("bucket")), "~state-…");
    // The module in the unit's own folder is the one that is run.
    assert_eq!(terraform.tops().map(|top| top.unit.clone()).collect::<Vec<_>>(), [Some("app".to_owned())]);
}

#[test]
fn what_is_told_at_run_time_is_unknown_and_says_so() {
    let terraform = build(&[
        (
            "terragrunt.hcl",
            "terraform { source = \"./m\" }\ndependency \"net\" { config_path = \"../net\" }\ninputs = {\n  id = get_aws_account_id()\n  net = dependency.net.outputs.id\n  self = read_terragrunt_config(\"terragrunt.hcl\")\n}\n",
        ),
        ("m/main.tf", "variable \"id\" {}\nvariable \"net\" {}\nvariable \"self\" {}\n"),
    ]);
    let top = terraform.tops().next().unwrap();
    assert_eq!(show(&terraform.variable(top, "id")), "?get_aws_account_id() is answered when Terragrunt runs");
    assert_eq!(show(&terraform.variable(top, "net")), "?`dependency` comes from Terragrunt at run time");
    // A file that reads itself ends.
    assert!(matches!(terraform.variable(top, "self").kind, Kind::Known(_) | Kind::Unknown(_)));
}

#[test]
fn variable_files_of_extra_arguments_win_over_inputs() {
    let terraform = live(&[
        (
            "live/prod/eu/db/terragrunt.hcl",
            "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\nterraform {\n  source = \"${get_repo_root()}/modules//db\"\n  extra_arguments \"vars\" {\n    commands = [\"plan\"]\n    required_var_files = [\"${get_terragrunt_dir()}/../common.tfvars\", \"own.tfvars\"]\n  }\n}\ninputs = { tier = \"input\" }\n",
        ),
        ("live/prod/eu/common.tfvars", "size = 7\ntier = \"common\"\n"),
        ("live/prod/eu/db/own.tfvars", "tier = \"own\"\n"),
    ]);
    assert_eq!(seen(&terraform), [("live/prod/eu/db".to_owned(), "\"prod true eu 7 own\"".to_owned())]);
}

#[test]
fn variables_of_extra_arguments() {
    let unit = |arguments: &str| {
        format!(
            "include \"root\" {{\n  path = find_in_parent_folders(\"root.hcl\")\n}}\nterraform {{\n  source = \"${{get_repo_root()}}/modules//db\"\n  extra_arguments \"x\" {{\n    commands = [\"plan\"]\n    {arguments}\n  }}\n}}\ninputs = {{ tier = \"input\" }}\n"
        )
    };
    let text: &'static str = Box::leak(unit("arguments = [\"-var\", \"tier=flag\", \"-var=size=4\"]").into_boxed_str());
    let terraform = live(&[("live/prod/eu/db/terragrunt.hcl", text)]);
    assert_eq!(seen(&terraform)[0].1, "\"prod true eu 4 flag\"");
    let text: &'static str = Box::leak(unit("env_vars = { TF_VAR_tier = \"environment\" }").into_boxed_str());
    let terraform = live(&[("live/prod/eu/db/terragrunt.hcl", text)]);
    assert_eq!(seen(&terraform)[0].1, "\"prod true eu 1 environment\"");
}
