use super::*;

fn of(text: &str) -> Vec<Command> {
    of_script(FileId(0), text)
}

/// `program sub…` of every command with its row ids.
fn rows(text: &str) -> Vec<String> {
    of(text).iter().flat_map(|command| command.rows.iter().map(|row| row.id.to_string())).collect()
}

fn has(text: &str, id: &str) {
    let found = rows(text);
    assert!(found.iter().any(|it| it == id), "{text}: {found:?}, not {id}");
}

#[test]
fn state_commands_are_found_through_everything() {
    for text in [
        "terraform state rm x",
        "terraform -chdir=envs/a state rm x",
        "tofu state rm x",
        "sudo -u tf env A=1 nohup terraform state rm x",
        "bash -euo pipefail -c 'cd a && terraform state rm x'",
        "ssh -i key host 'cd /x; terraform state rm y'",
        "ssh host cd /x \\&\\& terraform state rm y",
        "docker run --rm -v $PWD:/w -w /w hashicorp/terraform:1.9 state rm x",
        "docker compose run --rm -T terraform state rm \"$r\"",
        "docker compose run --rm --entrypoint sh terraform -c \"terraform state rm x\"",
        "args=(state rm)\nargs+=(\"$r\")\nterraform \"${args[@]}\"",
        "TF=terraform\n$TF state rm x",
        "TF=\"terraform -chdir=a\"\n$TF state rm x",
        "${TERRAFORM_BIN:-terraform} state rm x",
        "tf() { terraform -chdir=\"$DIR\" \"$@\"; }\ntf state rm x",
        "run() { echo \"+ $*\"; \"$@\"; }\nrun terraform state rm x",
        "on() { local host=$1; shift; ssh \"$host\" \"$*\"; }\non db terraform state rm x",
        "alias tf='terraform -chdir=a'\ntf state rm x",
        "for i in a b; do terraform state rm $i; done",
        "terraform state list | while read -r x; do terraform state rm \"$x\"; done",
        "x=$(terraform state rm y)",
        "eval \"terraform state rm $x\"",
        "echo a | xargs -n1 terraform state rm",
        "timeout -k 5 60 terraform state rm x",
        "bash <<EOF\nterraform state rm x\nEOF",
        "$SUDO terraform state rm x",
        "if ! terraform state rm x; then :; fi",
        "retry 3 terraform state rm x",
        "sshRun \"$u\" \"$ip\" \"terraform state rm x || true\"",
    ] {
        has(text, "state-rm");
    }
}

#[test]
fn words_are_no_commands() {
    for text in [
        "echo terraform state rm x",
        "echo 'terraform apply -auto-approve'",
        "printf 'docker compose down -v\\n'",
        "cat <<EOF\nterraform state rm x\nEOF",
        "grep -R 'terraform apply' .",
        "# terraform state rm x",
        "info \"terraform apply -auto-approve next\"",
        "die \"run terraform state rm first\"",
        "command -v terraform",
        "if [[ $x == 'terraform apply' ]]; then :; fi",
    ] {
        assert_eq!(rows(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn look_alikes_have_no_bad_row() {
    use Class::{Apply, HypervisorPower, HypervisorRead, PlanLockOff, RuntimeQuery, StateRead};
    let text = include_str!("lookalikes.sh");
    for command in of(text) {
        for row in &command.rows {
            let fine =
                matches!(row.class, Apply | HypervisorPower | HypervisorRead | PlanLockOff | RuntimeQuery | StateRead)
                    || (row.class == Class::BackendSwitch && row.severity == crate::diag::Severity::Info);
            assert!(fine, "{}: {}", command.text, row.id);
        }
    }
}

#[test]
fn rows_by_example() {
    for (text, id) in [
        ("terraform apply -auto-approve", "unattended-apply"),
        ("terraform apply -lock=false -auto-approve tfplan", "lock-off"),
        ("terraform destroy --auto-approve", "unattended-destroy"),
        ("terragrunt run-all apply --terragrunt-non-interactive", "unattended-apply"),
        ("terraform apply -target=module.x", "partial-apply"),
        ("terraform apply -target module.x", "partial-apply"),
        ("terraform init -force-copy", "init-force-copy"),
        ("terraform state pull > x.json", "state-pull-to-file"),
        ("export TF_CLI_ARGS_apply='-lock=false'", "lock-off-environment"),
        ("TF_CLI_ARGS_apply=-auto-approve terraform apply", "unattended-apply-environment"),
        ("jq 'del(.x)' terraform.tfstate | sponge terraform.tfstate", "state-editor"),
        ("sed -i s/a/b/ envs/a/terraform.tfstate", "state-in-place"),
        ("f=x/terraform.tfstate\nrm -f \"$f\"", "state-remove"),
        ("rm -f \"$dir\"/*.tfstate*", "state-remove"),
        ("for f in terraform.tfstate terraform.tfstate.backup; do rm -f $f; done", "state-remove"),
        ("find . -name '*.tfstate*' -delete", "state-find-delete"),
        ("find . -name '*.tfstate' -exec rm {} \\;", "state-remove"),
        ("cp envs/a/terraform.tfstate envs/b/", "state-copy"),
        ("cat x > terraform.tfstate", "state-redirect"),
        ("jq -r .resources terraform.tfstate", "state-raw-read"),
        ("aws s3 cp terraform.tfstate s3://b/prod/terraform.tfstate", "s3-state-write"),
        ("aws s3 rm s3://b/prod/terraform.tfstate.tflock", "s3-state-remove"),
        ("aws --profile p dynamodb delete-item --table-name tf --key '{\"LockID\": 1}'", "lock-table-write"),
        ("mc rm alias/b/terraform.tfstate", "mc-state-remove"),
        ("pct destroy $id --purge", "pct-destroy"),
        ("pct set 101 -memory 4096", "pct-set"),
        ("qm disk resize 100 scsi0 +1G", "qm-set"),
        ("pvesh create /nodes/n1/lxc -vmid 1", "pvesh-write"),
        ("az group delete --yes -n x", "az-delete"),
        ("gcloud compute instances delete vm --quiet", "gcloud-delete"),
        ("hcloud server create --name x", "hcloud-write"),
        ("docker compose down -v", "compose-down-volumes"),
        ("docker-compose -f a.yml down --volumes", "compose-down-volumes"),
        ("docker rm -fv x", "container-remove-volumes"),
        ("kubectl -n a delete pvc data", "kubectl-delete-data"),
        ("docker exec web sed -i s/a/b/ /app/conf", "guest-edit"),
        ("pct exec 101 -- apt-get install -y nginx", "guest-package"),
        ("docker cp a.txt web:/app/", "container-copy-in"),
        ("psql -U u -f seed.sql", "psql-load"),
        ("psql <<SQL\nINSERT INTO a VALUES (1);\nSQL", "sql-inline"),
        ("mysql -u root db < dump.sql", "sql-input"),
        ("redis-cli FLUSHALL", "redis-flush"),
        ("mkfs.ext4 /dev/sdb", "make-filesystem"),
        ("dd if=/dev/zero of=/dev/sdb", "dd-device"),
        ("packer build -force .", "packer-force"),
        ("curl -sSL https://github.com/a/b/releases/latest/download/c", "floating-download"),
        ("docker pull redis", "floating-image"),
        ("docker run -d --name r -p 1:1 redis:latest", "floating-image"),
        ("curl -XPOST https://pve:8006/api2/json/nodes/n/lxc -d vmid=1", "proxmox-api-write"),
        ("git add group_vars/all.yml", "git-add-runtime"),
    ] {
        has(text, id);
    }
    for text in [
        "docker pull redis:7.4",
        "docker run redis@sha256:abc",
        "docker compose up -d",
        "rm -f .terraform/terraform.tfstate",
    ] {
        assert_eq!(rows(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn circumstances() {
    let find = |text: &str, program: &str| of(text).into_iter().find(|command| &*command.program == program).unwrap();
    let init = find("terraform init || true\nterraform apply x", "terraform");
    assert!(init.tolerated);
    assert!(!find("terraform init || exit 1", "terraform").tolerated);
    assert!(find("pct stop 1 || pct destroy 1 || true", "pct").tolerated);
    for (text, tolerated) in [
        ("terraform init || { echo failed; exit 1; }\nterraform apply x", false),
        ("terraform init \\\n  >log 2>&1 || {\n  grep Error log || true\n  exit 1\n}\necho done", false),
        ("terraform init || (echo failed && exit 1)\necho done", false),
        ("terraform init || { echo failed; if [ -n \"$CI\" ]; then exit 1; fi; }", false),
        ("terraform init || { echo failed; exit 0; }", true),
        ("terraform init || { grep Error log; echo failed; }\nexit 1", true),
        ("terraform init || ( echo failed )\nexit 1", true),
    ] {
        assert_eq!(find(text, "terraform").tolerated, tolerated, "{text}");
    }
    let guard = |text: &str| find(text, "pct").guard;
    assert_eq!(guard("pct destroy 1"), Guard::None);
    assert_eq!(guard("EXECUTE=0\nif [[ $EXECUTE == 1 ]]; then pct destroy 1; fi"), Guard::Confirmed);
    assert_eq!(guard("FORCE=${FORCE:-0}\n[[ $FORCE == 1 ]] && pct destroy 1"), Guard::Confirmed);
    assert_eq!(guard("read -rp 'sure?' a\n[[ $a == y ]] || exit 1\npct destroy 1"), Guard::Confirmed);
    assert_eq!(guard("if [[ $DRY_RUN != 1 ]]; then pct destroy 1; fi"), Guard::Dry);
    assert_eq!(guard("case $1 in --execute) pct destroy 1;; esac"), Guard::Confirmed);
    assert_eq!(guard("cat x | while read -r id; do pct destroy $id; done"), Guard::None);
    let cat = find("a=$(cat terraform.tfstate | jq .x)", "cat");
    assert_eq!((cat.piped_into.as_deref(), cat.in_substitution), (Some("jq"), true));
    assert!(find("if terraform plan; then :; fi", "terraform").in_test);
    let temp = rows("d=$(mktemp -d)\nrm -f \"$d/terraform.tfstate\"");
    assert_eq!(temp, Vec::<String>::new());
    let apply = find("terraform apply \"$PLAN\"", "terraform");
    assert_eq!(apply.operands[0].reason().as_deref(), Some("variable `PLAN` is not assigned in this script"));
    assert_eq!(apply.text, "terraform apply …");
}

#[test]
fn places() {
    let text = "x\nssh h \"cd a; terraform state rm b\"\n";
    let command = of(text).into_iter().find(|command| &*command.program == "terraform").unwrap();
    assert_eq!(command.loc.span.slice(text), "terraform state rm b");
    assert_eq!(command.through, ["ssh".into()]);
    let text = "T = terraform\na: b\n\t@bash -c 'set -e; \\\n\t\t$(T) state \\\n\t\trm x'\n\t-docker compose down -v\n";
    let found = of_makefile(FileId(0), text);
    let command = found.iter().find(|command| &*command.program == "terraform").unwrap();
    assert_eq!(command.sub, ["state".into(), "rm".into()]);
    assert_eq!(command.loc.span.slice(text), "$(T) state \\\n\t\trm x");
    assert!(found.iter().any(|command| command.does(Class::ContainerDataDelete) && command.tolerated));
    assert!(found.iter().all(|command| command.scope == found[0].scope));
}

#[test]
fn dockerfiles() {
    let text = "FROM x\nRUN --mount=type=cache,target=/a apt-get install \\\n  # why\n  curl && \\\n  curl -L https://x/releases/latest/y\nCMD [\"terraform\", \"apply\", \"-auto-approve\"]\nRUN <<EOF\nterraform state rm x\nEOF\n";
    let found = of_dockerfile(FileId(0), text);
    let programs: Vec<_> = found.iter().map(|command| &*command.program).collect();
    assert_eq!(programs, ["apt-get", "curl", "terraform", "terraform"]);
    assert!(found[2].does(Class::UnattendedApply) && found[3].does(Class::StateMutation));
}

#[test]
fn cmdlets() {
    let text = "$vm = Get-VM x\nif (!$vm) { New-VM -Name $n -MemoryStartupBytes 1GB }\n# Remove-VM x\nGet-VM | Remove-VM -Force\nWrite-Host 'New-VM'\n";
    let mut found = Vec::new();
    powershell(&Mapped::verbatim(text, 0), FileId(0), &Site::Script, &mut found);
    let changes: Vec<_> =
        found.iter().filter(|command| command.does(Class::VmCmdletChange)).map(|it| &*it.program).collect();
    assert_eq!(changes, ["new-vm", "remove-vm"]);
}

#[test]
fn hostile_text_ends() {
    for text in
        ["f() { f \"$@\"; f \"$@\"; }\nf a", "a=$a$a\na=$a$a\n$a", "eval eval eval eval x", "alias a=b\nalias b=a\na"]
    {
        let _ = of(text);
    }
    for text in ["cat <<A\n", "1<>", "[[ a =~ (|", "$(cat <<E", "echo x | sh <<", "cat > ./a <<E\n./a\nE\n./a\n"] {
        let _ = of(&text.repeat(3000));
    }
    let turns = "'eval \"$c\"; eval \"$c\"' ".repeat(8);
    let _ = of(&format!("for c in {turns}'$c $c'; do eval \"$c\"; $c; done\n"));
    let calls = format!(
        "f = $(call f,$(1)$(1)){}\na:\n\t$(call f,x)\n",
        "$(call f,$(foreach i,1 2 3,$(i)$(call f)))".repeat(200)
    );
    let _ = of_makefile(FileId(0), &calls);
    let mut doubling = String::from("a0=xxxxxxxxxxxxxxxx\n");
    for i in 0..60 {
        doubling.extend(["a", &(i + 1).to_string(), "=$a", &i.to_string(), "$a", &i.to_string(), "\n"]);
    }
    let _ = of(&doubling);
}

#[test]
fn confirmations_reach_functions_and_later_steps() {
    let guard = |text: &str| of(text).iter().find(|it| &*it.program == "qm").map(|it| it.guard);
    let body = "wipe() {\n  qm destroy 101\n}\n";
    let ask = "GO=0\nread -rp 'Really? ' GO\n";
    assert_eq!(guard(&format!("{body}wipe\n")), Some(Guard::None));
    assert_eq!(guard(&format!("{body}{ask}if (( GO == 1 )); then\n  wipe\nfi\n")), Some(Guard::Confirmed));
    assert_eq!(guard(&format!("{body}{ask}if (( GO == 1 )); then\n  wipe\nfi\nwipe\n")), Some(Guard::None));
    let text = "jobs:\n  a:\n    steps:\n      - run: |\n          if [ \"$CONFIRM\" != true ]; then\n            exit 1\n          fi\n      - run: qm destroy 101\n";
    let found = of_ci(FileId(0), ".github/workflows/a.yml", text, &crate::syntax::yaml::Yaml::parse(text));
    assert_eq!(found.last().map(|it| (&*it.program, it.guard)), Some(("qm", Guard::Confirmed)));
}

#[test]
fn jenkins_pipelines() {
    let text =
        "stage('a') { sh 'terraform apply -auto-approve' }\ninput 'sure?'\nstage('b') { sh 'terraform state rm x' }\n";
    let found = of_jenkinsfile(FileId(0), text);
    let seen: Vec<(&str, Guard)> = found.iter().map(|it| (&*it.program, it.guard)).collect();
    assert_eq!(seen, [("terraform", Guard::None), ("terraform", Guard::Confirmed)]);
    assert_eq!(found[1].site, Site::Ci { job: "b".into() });
}

#[test]
fn units_crontabs_and_recipes() {
    let unit = of_unit(
        FileId(0),
        &Mapped::verbatim("[Service]\nExecStartPre=-/usr/bin/docker volume \\\n  rm x\nExecStart=/bin/true\n", 0),
    );
    assert!(unit[0].does(Class::ContainerDataDelete) && unit.len() == 2);
    let text = "MAILTO=x\n# c\n*/5 * * * * root terraform apply -auto-approve\n@daily root true\n";
    let cron = of_crontab(FileId(0), &Mapped::verbatim(text, 0), true);
    assert_eq!(cron[0].loc.span.slice(text), "terraform apply -auto-approve");
    assert_eq!(&*cron[1].program, "true");
    let text = "YES ?= 0\na:\n\t@test \"$(YES)\" = 1 || exit 1\n\tterraform -chdir=$(DIR) destroy -auto-approve\n";
    let destroy = of_makefile(FileId(0), text).pop().unwrap();
    assert_eq!((destroy.guard, &*destroy.text), (Guard::Confirmed, "terraform -chdir=… destroy -auto-approve"));
}

#[test]
fn conditions_are_told() {
    let found =
        of("if [ ! -f terraform.tfstate ]; then\n terraform apply\nelse a; fi\n[ -f x.tfstate ] || terraform apply");
    let applies: Vec<_> = found.iter().filter(|it| it.does(Class::Apply)).collect();
    assert_eq!(applies[0].conditions, ["[ ! -f terraform.tfstate ]".into()]);
    assert_eq!(applies[1].joined, Joined::Or);
    let before = found.iter().find(|it| it.scope == applies[1].scope && it.index + 1 == applies[1].index).unwrap();
    assert_eq!((&*before.program, before.state_paths().len()), ("[", 1));
    let a = found.iter().find(|it| &*it.program == "a").unwrap();
    assert_eq!(a.conditions, ["not [ ! -f terraform.tfstate ]".into()]);
}

#[test]
fn calls_of_ansible() {
    let shown = |text: &str| {
        let found = of(text);
        let command = found.iter().find(|command| command.program.starts_with("ansible")).unwrap();
        let flags =
            command.flags.iter().map(|flag| format!("{}:{}", flag.name, text_of(&flag.value).replace(HOLE, "…")));
        let env = command.env.iter().map(|(name, value)| format!("{name}={}", text_of(value)));
        let operands = command.operands.iter().map(text_of);
        let words: Vec<String> = flags.chain(env).chain(operands).collect();
        format!("{} {}", command.program, words.join(" "))
    };
    for (text, expected) in [
        ("ansible-playbook -i hosts a.yml -e a=1 -bK", "ansible-playbook -i:hosts -e:a=1 -bK:true a.yml"),
        (
            "ansible-playbook -ihosts -ea=1 --extra-vars=b=2 a.yml",
            "ansible-playbook -i:hosts -e:a=1 --extra-vars:b=2 a.yml",
        ),
        ("ansible-playbook -i=hosts -e\"a=$X\" a.yml", "ansible-playbook -i:hosts -e:a=… a.yml"),
        ("python3 -m ansible playbook a.yml", "ansible-playbook a.yml"),
        ("poetry run ansible-playbook a.yml", "ansible-playbook a.yml"),
        ("sudo -E ANSIBLE_CONFIG=x ansible-playbook a.yml", "ansible-playbook ANSIBLE_CONFIG=x a.yml"),
        ("export ANSIBLE_INVENTORY=h\nA=1 ansible-playbook a.yml", "ansible-playbook A=1 ANSIBLE_INVENTORY=h a.yml"),
        ("docker run -e ANSIBLE_X=1 -v a:b image ansible-playbook a.yml", "ansible-playbook ANSIBLE_X=1 a.yml"),
        ("ansible-navigator run a.yml -m stdout --eei x -i h", "ansible-navigator -m:stdout --eei:x -i:h a.yml"),
        ("ansible all -m ping -a 'x=1'", "ansible -m:ping -a:x=1 all"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}
