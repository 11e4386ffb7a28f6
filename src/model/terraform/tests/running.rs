//! Runs of Terraform that commands make, end to end: from scripts, recipes and pipelines to values.

use super::*;
use crate::model::command;
use crate::model::load::{Documents, Options as Reading};

/// The values of expressions in the one root, as the commands of the tree run it.
fn run(files: &[(&str, &str)], root: &str, variables: &[&str]) -> Vec<String> {
    let terraform = commanded(files);
    let instance = terraform.tops().find(|top| top.module.folder == root).unwrap();
    variables.iter().map(|name| show(&terraform.variable(instance, name))).collect()
}

fn commanded(files: &[(&str, &str)]) -> Terraform<'static> {
    let files = files.iter().map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true)).collect();
    let tree: &'static Tree = Box::leak(Box::new(Tree::new(files, None)));
    let documents: &'static Documents<'static> = Box::leak(Box::new(Documents::load(tree, &Reading::default())));
    let commands: &'static [command::Command] = Box::leak(command::of_documents(documents).into_boxed_slice());
    let sources = sources(documents);
    let runs = runs(commands, &sources, tree, &|command| tree.path(command.loc.file));
    Terraform::build(&sources, Options { runs, ..Options::default() }, tree)
}

const MAIN: &str = "variable \"env\" { default = \"none\" }\nvariable \"size\" { default = 1 }\n";

#[test]
fn flags_and_files_of_scripts() {
    let script = "#!/bin/bash\nset -e\ncd \"$(dirname \"$0\")/../infra\"\nterraform init\nterraform apply -var-file=prod.tfvars -var 'size=9'\n";
    let files =
        [("scripts/deploy.sh", script), ("infra/main.tf", MAIN), ("infra/prod.tfvars", "env = \"prod\"\nsize = 2\n")];
    assert_eq!(run(&files, "infra", &["env", "size"]), ["\"prod\"", "\"9\""]);
    let chdir = "terraform -chdir=infra plan -var-file prod.tfvars -out=p\nterraform -chdir=infra apply p\n";
    let files = [("deploy.sh", chdir), files[1], files[2]];
    assert_eq!(run(&files, "infra", &["env", "size"]), ["\"prod\"", "2"]);
    let both = "cd infra\nterraform plan -var-file=prod.tfvars\nterraform plan\n";
    let files = [("deploy.sh", both), files[1], files[2]];
    assert_eq!(run(&files, "infra", &["env", "size"]), ["\"prod\"|\"none\"", "2|1"]);
}

#[test]
fn what_is_left_open_fits_what_is_there() {
    let vars = [("vars/dev.tfvars", "env = \"dev\"\n"), ("vars/prod.tfvars", "env = \"prod\"\n")];
    let make = "ENV ?= dev\nplan:\n\tcd stacks/$(STACK) && terraform plan -var-file=../../vars/$(WHERE).tfvars\n";
    let files = [("Makefile", make), ("stacks/db/main.tf", MAIN), vars[0], vars[1]];
    assert_eq!(run(&files, "stacks/db", &["env"]), ["\"dev\"|\"prod\""]);
    let make = "DIR = stacks/db\nTF := terraform -chdir=$(DIR)\nplan:\n\t$(TF) plan -var env=made\n";
    assert_eq!(run(&[("Makefile", make), ("stacks/db/main.tf", MAIN)], "stacks/db", &["env"]), ["\"made\""]);
    // The folder and the file hang on one variable.
    let script = "ENV=$1\nterraform -chdir=\"envs/$ENV\" plan -var-file=\"../../vars/$ENV.tfvars\"\n";
    let files = [("go.sh", script), ("envs/dev/main.tf", MAIN), ("envs/prod/main.tf", MAIN), vars[0], vars[1]];
    assert_eq!(run(&files, "envs/prod", &["env"]), ["\"prod\""]);
    assert_eq!(run(&files, "envs/dev", &["env"]), ["\"dev\""]);
    // A default is one of several values, and so is each turn of a loop.
    let make = "ENV ?= dev\nplan:\n\tterraform -chdir=infra plan -var-file=../vars/$(ENV).tfvars\n";
    let files = [("Makefile", make), ("infra/main.tf", MAIN), vars[0], vars[1]];
    assert_eq!(run(&files, "infra", &["env"]), ["\"dev\"|\"prod\""]);
    let script = "ENV=\"${1:-dev}\"\nterraform -chdir=infra plan -var-file=\"../vars/${ENV}.tfvars\"\n";
    let files = [("go.sh", script), ("infra/main.tf", MAIN), vars[0], vars[1]];
    assert_eq!(run(&files, "infra", &["env"]), ["\"dev\"|\"prod\""]);
    let script = "for dir in envs/dev envs/prod; do\n  (cd \"$dir\" && terraform plan -var env=x)\ndone\n";
    let files = [("go.sh", script), ("envs/dev/main.tf", MAIN), ("envs/prod/main.tf", MAIN)];
    assert_eq!(run(&files, "envs/prod", &["env"]), ["\"x\""]);
    assert_eq!(run(&files, "envs/dev", &["env"]), ["\"x\""]);
    // A file that is nowhere: its values are not known, the defaults are no better.
    let script = "cd envs/dev && terraform plan -var-file=secret.tfvars\n";
    assert_eq!(run(&[("go.sh", script), ("envs/dev/main.tf", MAIN)], "envs/dev", &["env"]), ["\"none\""]);
}

#[test]
fn pipelines_say_where_and_with_what() {
    let workflow = "on: push\njobs:\n  plan:\n    defaults:\n      run:\n        working-directory: infra\n    env:\n      TF_VAR_env: ci\n      TF_WORKSPACE: blue\n    steps:\n      - run: terraform init\n      - run: terraform plan\n";
    let main =
        format!("{MAIN}variable \"w\" {{ default = \"x\" }}\nlocals {{ name = \"db-${{terraform.workspace}}\" }}\n");
    let terraform = commanded(&[(".github/workflows/ci.yml", workflow), ("infra/main.tf", &main)]);
    let root = terraform.tops().next().unwrap();
    assert_eq!(show(&terraform.variable(root, "env")), "\"ci\"");
    assert_eq!(show(&terraform.local(root, "name")), "\"db-blue\"");
}

#[test]
fn backend_arguments_of_init() {
    let main = "terraform {\n  backend \"s3\" {}\n}\n";
    let script = "for env in dev prod; do\n  terraform -chdir=infra init -backend-config=\"backend/$env.tfbackend\" -backend-config=use_lockfile=true\ndone\n";
    let terraform = commanded(&[
        ("init.sh", script),
        ("infra/main.tf", main),
        ("infra/backend/dev.tfbackend", "bucket = \"state\"\nkey = \"dev\"\n"),
        ("infra/backend/prod.tfbackend", "bucket = \"state\"\nkey = \"prod\"\n"),
    ]);
    let root = terraform.tops().next().unwrap();
    let backend = terraform.backend(root).unwrap();
    assert!(!backend.partial);
    assert_eq!(show(&backend.arg("bucket")), "\"state\"");
    assert_eq!(show(&backend.arg("key")), "\"dev\"|\"prod\"");
    assert_eq!(show(&backend.arg("use_lockfile")), "\"true\"");
}

#[test]
fn a_cloud_block_names_its_workspace() {
    let main = "terraform {\n  cloud {\n    organization = \"o\"\n    workspaces { name = \"shop\" }\n  }\n}\nlocals { w = terraform.workspace }\n";
    assert_eq!(local(&build(&[("main.tf", main)]), "w"), "\"shop\"");
}

#[test]
fn installed_modules_are_followed_and_not_judged() {
    let manifest = r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"db","Source":"registry.terraform.io/acme/db/aws","Version":"1.0.0","Dir":".terraform/modules/db"},{"Key":"db.log","Source":"registry.terraform.io/acme/log/aws","Dir":".terraform/modules/db.log"}]}"#;
    let terraform = commanded(&[
        ("infra/.terraform/modules/modules.json", manifest),
        (
            "infra/.terraform/modules/db/main.tf",
            "variable \"guard\" { default = false }\nresource \"t\" \"x\" { guard = var.guard }\nmodule \"in\" { source = \"./modules/in\" }\nmodule \"log\" {\n  source = \"acme/log/aws\"\n}\noutput \"id\" { value = \"db-1\" }\n",
        ),
        ("infra/.terraform/modules/db/modules/in/main.tf", "resource \"t\" \"y\" {}\n"),
        ("infra/.terraform/modules/db/examples/basic/main.tf", "provider \"aws\" {}\nresource \"t\" \"example\" {}\n"),
        ("infra/.terraform/modules/db.log/main.tf", "resource \"t\" \"z\" {}\n"),
        (
            "infra/main.tf",
            "module \"db\" {\n  source = \"acme/db/aws\"\n  guard = true\n}\nlocals { id = module.db.id }\n",
        ),
        ("other/main.tf", "module \"db\" {\n  source = \"acme/db/aws\"\n}\nlocals { id = module.db.id }\n"),
    ]);
    assert_eq!(addresses(&terraform), ["module.db.t.x", "module.db.module.in.t.y", "module.db.module.log.t.z"]);
    let x = resource(&terraform, "module.db.t.x");
    assert_eq!(show(&x.arg("guard")), "true");
    // A finding points at the call, the file that somebody here can edit.
    let call = terraform.module("infra").unwrap().calls[0].decl.loc();
    assert_eq!(x.loc(), call);
    assert_eq!(resource(&terraform, "module.db.module.log.t.z").loc(), call);
    let other = terraform.tops().find(|top| top.module.folder == "other").unwrap();
    assert_eq!(
        show(&terraform.local(other, "id")),
        "?module.db comes from acme/db/aws, which is not in this repository"
    );
}

#[test]
fn folders_behind_symbolic_links() {
    let mut link = File::in_memory("app/modules", b"../shared".to_vec(), true);
    link.symlink = Some("../shared".into());
    let files = [
        ("app/main.tf", "module \"n\" {\n  source = \"./modules/net\"\n}\n"),
        ("shared/net/main.tf", "resource \"t\" \"x\" {}\n"),
    ];
    let mut all: Vec<File> =
        files.iter().map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true)).collect();
    all.push(link);
    let tree: &'static Tree = Box::leak(Box::new(Tree::new(all, None)));
    assert_eq!(tree.real("app/modules/net"), "shared/net");
    let documents: &'static Documents<'static> = Box::leak(Box::new(Documents::load(tree, &Reading::default())));
    let terraform = Terraform::build(&sources(documents), Options::default(), tree);
    assert_eq!(addresses(&terraform), ["module.n.t.x"]);
}

#[test]
fn the_later_argument_wins_and_files_win_over_the_environment() {
    let files = |script: &'static str| {
        vec![
            ("go.sh", script),
            ("infra/main.tf", MAIN),
            ("infra/prod.tfvars", "env = \"file\"\n"),
            ("infra/terraform.tfvars", "size = 5\n"),
        ]
    };
    let flag_first = "terraform -chdir=infra plan -var env=flag -var-file=prod.tfvars\n";
    assert_eq!(run(&files(flag_first), "infra", &["env"]), ["\"file\""]);
    let file_first = "terraform -chdir=infra plan -var-file=prod.tfvars -var env=flag\n";
    assert_eq!(run(&files(file_first), "infra", &["env"]), ["\"flag\""]);
    let environment = "export TF_VAR_size=7 TF_VAR_env=e\nterraform -chdir=infra plan\n";
    assert_eq!(run(&files(environment), "infra", &["env", "size"]), ["\"e\"", "5"]);
    let extra = "export TF_CLI_ARGS_plan=\"-var-file=prod.tfvars\"\nterraform -chdir=infra plan\n";
    assert_eq!(run(&files(extra), "infra", &["env"]), ["\"file\""]);
}

#[test]
fn a_default_is_not_the_value() {
    let make = "ENV ?= dev\nplan:\n\tterraform -chdir=infra workspace select $(ENV)\n\tterraform -chdir=infra plan -var env=$(ENV)\n";
    let main = format!("{MAIN}locals {{ w = terraform.workspace }}\n");
    let terraform = commanded(&[("Makefile", make), ("infra/main.tf", &main)]);
    let root = terraform.tops().next().unwrap();
    assert_eq!(show(&terraform.variable(root, "env")), "?`ENV` may be set where it is run");
    assert_eq!(show(&terraform.local(root, "w")), "?terraform.workspace is chosen when Terraform runs");
    // A file tells which one it is, and another flag's file is not meant.
    let script = "ENV=${1:-dev}\nterraform -chdir=infra plan -var-file=../vars/common.tfvars -var-file=../vars/$ENV.tfvars -var \"env=$ENV\"\n";
    let files = [
        ("go.sh", script),
        ("infra/main.tf", MAIN),
        ("vars/common.tfvars", "size = 2\n"),
        ("vars/dev.tfvars", "size = 3\n"),
        ("vars/prod.tfvars", "size = 4\n"),
    ];
    assert_eq!(run(&files, "infra", &["env", "size"]), ["\"dev\"|\"prod\"", "3|4"]);
}

#[test]
fn where_runs_of_init_differ_each_is_possible() {
    let main = "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    use_lockfile = true\n  }\n}\n";
    let make = "dev:\n\tterraform -chdir=infra init -backend-config=use_lockfile=false\nprod:\n\tterraform -chdir=infra init\n";
    let terraform = commanded(&[("Makefile", make), ("infra/main.tf", main)]);
    let backend = terraform.backend(terraform.tops().next().unwrap()).unwrap();
    assert_eq!(show(&backend.arg("use_lockfile")), "\"false\"|true");
    assert_eq!(show(&backend.arg("bucket")), "\"b\"");
}

#[test]
fn a_matrix_lists_the_folders() {
    let workflow = "on: push\njobs:\n  plan:\n    strategy:\n      matrix:\n        dir: [stacks/a, stacks/b]\n    steps:\n      - run: terraform plan -var env=ci\n        working-directory: ${{ matrix.dir }}\n";
    let files = [(".github/workflows/ci.yml", workflow), ("stacks/a/main.tf", MAIN), ("stacks/b/main.tf", MAIN)];
    assert_eq!(run(&files, "stacks/b", &["env"]), ["\"ci\""]);
    let gitlab = "plan:\n  variables:\n    TF_ROOT: ${CI_PROJECT_DIR}/infra\n  script:\n    - cd ${TF_ROOT}\n    - terraform plan -var env=lab\n";
    assert_eq!(run(&[(".gitlab-ci.yml", gitlab), ("infra/main.tf", MAIN)], "infra", &["env"]), ["\"lab\""]);
}

#[test]
fn files_that_roots_link_to_make_no_root_of_their_own() {
    let link = |path: &str, target: &str| {
        let mut file = File::in_memory(
            path,
            b"variable \"env\" { default = \"none\" }\nresource \"t\" \"x\" { name = var.env }\n".to_vec(),
            true,
        );
        file.symlink = Some(target.into());
        file
    };
    let plain = |path: &str, text: &str| File::in_memory(path, text.as_bytes().to_vec(), true);
    let main = "variable \"env\" { default = \"none\" }\nresource \"t\" \"x\" { name = var.env }\n";
    let files = vec![
        plain("shared/main.tf", main),
        link("prod/main.tf", "../shared/main.tf"),
        plain("prod/terraform.tfvars", "env = \"prod\"\n"),
        plain("stacks/db/main.tf", main),
        link("envs/prod/db", "../../stacks/db"),
        plain("go.sh", "terraform -chdir=envs/prod/db plan -var env=linked\n"),
    ];
    let tree: &'static Tree = Box::leak(Box::new(Tree::new(files, None)));
    let documents: &'static Documents<'static> = Box::leak(Box::new(Documents::load(tree, &Reading::default())));
    let commands: &'static [command::Command] = Box::leak(command::of_documents(documents).into_boxed_slice());
    let sources = sources(documents);
    let runs = runs(commands, &sources, tree, &|command| tree.path(command.loc.file));
    let terraform = Terraform::build(&sources, Options { runs, ..Options::default() }, tree);
    let shown: Vec<(String, String)> = terraform
        .resources()
        .map(|resource| (resource.instance.module.folder.clone(), show(&resource.arg("name"))))
        .collect();
    let expected = [("prod", "\"prod\""), ("stacks/db", "\"linked\"")];
    assert_eq!(shown, expected.map(|(folder, name)| (folder.to_owned(), name.to_owned())));
}
