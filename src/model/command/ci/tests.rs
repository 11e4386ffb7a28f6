use super::*;
use crate::knowledge::commands::Class;

fn ci(path: &str, text: &str) -> Vec<Command> {
    of_ci(FileId(0), path, text, &Yaml::parse(text))
}

fn line(command: &Command) -> String {
    format!("{:?} {} {} {}", command.site, command.text, command.guard.as_str(), command.tolerated)
}

#[test]
fn github() {
    let text = "on: push\nenv:\n  TF_CLI_ARGS_apply: -lock=false\njobs:\n  deploy:\n    runs-on: x\n    environment: prod\n    env: {DIR: envs/a}\n    steps:\n      - uses: a/b@v1\n        with: {script: 'x'}\n      - run: terraform -chdir=$DIR apply -auto-approve\n        continue-on-error: true\n      - run: |\n          terraform state rm ${{ inputs.x }}\n      - shell: pwsh\n        run: New-VM x\n      - shell: python\n        run: terraform apply\n";
    let found = ci(".github/workflows/a.yml", text);
    let lines: Vec<_> = found.iter().filter(|it| !it.rows.is_empty()).map(line).collect();
    assert_eq!(
        lines,
        [
            "Ci { job: \"\" } export TF_CLI_ARGS_apply -lock=false none false",
            "Ci { job: \"deploy\" } terraform -chdir=envs/a apply -auto-approve confirmed true",
            "Ci { job: \"deploy\" } terraform state rm … confirmed false",
            "Ci { job: \"deploy\" } New-VM x confirmed false",
        ]
    );
    let rm = found.iter().find(|it| it.does(Class::StateMutation)).unwrap();
    assert_eq!(rm.loc.span.slice(text), "terraform state rm ${{ inputs.x }}");
}

#[test]
fn other_vendors() {
    for (path, text) in [
        (".gitlab-ci.yml", "a:\n  before_script: [cd x]\n  script:\n    - T=state\n    - terraform $T rm x\n"),
        (
            ".circleci/config.yml",
            "jobs:\n  a:\n    steps:\n      - checkout\n      - run: {name: n, command: terraform state rm x}\n",
        ),
        (
            "azure-pipelines.yml",
            "stages:\n- stage: a\n  jobs:\n  - deployment: d\n    strategy: {runOnce: {deploy: {steps: [{bash: terraform state rm x}]}}}\n",
        ),
        (".drone.yml", "kind: pipeline\nsteps:\n- name: a\n  commands:\n  - terraform state rm x\n"),
        ("Taskfile.yml", "tasks:\n  a:\n    cmds:\n      - terraform state rm {{.X}}\n      - task: b\n"),
        ("bitbucket-pipelines.yml", "pipelines:\n  default:\n  - step:\n      script: [terraform state rm x]\n"),
    ] {
        let found = ci(path, text);
        assert!(found.iter().any(|it| it.does(Class::StateMutation)), "{path}: {found:?}");
    }
    let manual =
        ci(".gitlab-ci.yml", "a:\n  when: manual\n  allow_failure: true\n  script: terraform apply -auto-approve\n");
    assert_eq!(line(&manual[0]), "Ci { job: \"a\" } terraform apply -auto-approve confirmed true");
}

#[test]
fn packages_services_and_user_data() {
    let text = "{\"scripts\": {\"down\": \"docker compose down -v\"}}";
    let found = of_package(FileId(0), text, &Yaml::parse(text));
    assert!(found[0].does(Class::ContainerDataDelete));
    assert_eq!(found[0].loc.span.slice(text), "docker compose down -v");
    let text = "services:\n  a:\n    image: hashicorp/terraform:1.9\n    command: apply -auto-approve\n  b:\n    image: x\n    command: [sh, -c, terraform destroy -auto-approve]\n";
    let found = of_compose(FileId(0), text, &Yaml::parse(text));
    assert!(found[0].does(Class::UnattendedApply) && found[1].does(Class::UnattendedDestroy));
    let text = "runcmd:\n- [mkfs.ext4, /dev/sdb]\n- psql -f x.sql\nwrite_files:\n- path: /a\n  content: |\n    #!/bin/sh\n    dropdb x\n";
    let found = of_cloud_init(FileId(0), text, &Yaml::parse(text));
    let programs: Vec<_> = found.iter().map(|it| &*it.program).collect();
    assert_eq!(programs, ["mkfs.ext4", "psql", "dropdb"]);
}
