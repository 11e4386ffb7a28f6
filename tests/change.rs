//! `--staged` and `--since`: what a change brings fails the run, what was there before it does not.

mod support;

use std::path::Path;
use std::process::Command;
use support::{Folder, Run};

const UNLOCK: &str = "#!/bin/sh\nterraform force-unlock -force 1234\n";
const VOLUME: &str =
    "resource \"docker_volume\" \"pg\" {\n  name = \"pg\"\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n";
const LOST: &str = "data-resource-removed-in-change";

/// Runs Git as nobody in particular; what it says.
fn git(at: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    command
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"])
        .args(["-c", "init.defaultBranch=main", "-c", "core.autocrlf=false", "-c", "core.hooksPath=/dev/null"])
        .args(arguments)
        .current_dir(at)
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    let done = command.output().expect("git starts");
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

/// Whether Git is there to be asked; without it there is nothing to test.
fn no_git() -> bool {
    let missing = Command::new("git").arg("--version").output().is_err();
    if missing {
        println!("git is not installed: nothing is tested");
    }
    missing
}

fn repository(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new(files);
    git(folder.path(), &["init", "--quiet"]);
    commit(&folder);
    folder
}

fn add(folder: &Folder) {
    git(folder.path(), &["add", "--all"]);
}

fn commit(folder: &Folder) {
    add(folder);
    git(folder.path(), &["commit", "--quiet", "--allow-empty", "--message", "change"]);
}

/// Rule, path and whether it is new, of the findings of some rules.
fn found(run: &Run, rules: &[&str]) -> Vec<(String, String, bool)> {
    let report = run.json();
    let findings = report["findings"].as_array().expect("findings").iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
    findings
        .filter(|finding| rules.iter().any(|rule| finding["rule"] == *rule))
        .map(|finding| (text(&finding["rule"]), text(&finding["path"]), finding["new"] == true))
        .collect()
}

fn json(folder: &Folder, arguments: &[&str]) -> Run {
    folder.run(&[&["check", "--format", "json"], arguments].concat())
}

fn unlocks(folder: &Folder, arguments: &[&str]) -> Vec<(String, bool)> {
    let run = json(folder, arguments);
    found(&run, &["force-unlock"]).into_iter().map(|(_, path, new)| (path, new)).collect()
}

fn of(path: &str, new: bool) -> (String, bool) {
    (path.to_owned(), new)
}

#[test]
fn what_was_committed_before_does_not_fail_a_commit() {
    if no_git() {
        return;
    }
    let folder = repository(&[("old.sh", UNLOCK)]);
    folder.write("notes.txt", "nothing\n");
    add(&folder);
    let run = folder.run(&["check", "--staged"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{}", run.out);
    assert!(run.out.contains("No new findings in 1 file; 1 older than the change"), "{}", run.out);
    assert_eq!(unlocks(&folder, &["--staged"]), [of("old.sh", false)]);

    folder.write("new.sh", UNLOCK);
    add(&folder);
    let run = folder.run(&["check", "--staged"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("new.sh:2") && !run.out.contains("old.sh:2"), "{}", run.out);
    let annotations = folder.run(&["check", "--staged", "--format", "github"]);
    assert!(annotations.out.contains("new.sh") && !annotations.out.contains("old.sh"), "{}", annotations.out);
}

#[test]
fn the_index_is_judged_and_not_the_work_tree() {
    if no_git() {
        return;
    }
    let folder = repository(&[("a.sh", "#!/bin/sh\nls\n"), ("b.sh", UNLOCK), ("c.sh", UNLOCK)]);
    folder.write("a.sh", UNLOCK);
    add(&folder);
    // What happened after `git add` is not part of the commit.
    folder.write("a.sh", "#!/bin/sh\nls\n");
    folder.write("untracked.sh", UNLOCK);
    std::fs::remove_file(folder.path().join("b.sh")).unwrap();
    assert_eq!(unlocks(&folder, &["--staged"]), [of("a.sh", true), of("b.sh", false), of("c.sh", false)]);
}

#[test]
fn without_a_difference_or_a_commit_everything_is_new() {
    if no_git() {
        return;
    }
    let folder = repository(&[("a.sh", UNLOCK)]);
    assert_eq!(unlocks(&folder, &["--staged"]), [of("a.sh", true)]);
    assert_eq!(folder.run(&["check", "--staged"]).code, 1);
    let first = Folder::in_git(&[("a.sh", UNLOCK)]);
    assert_eq!(unlocks(&first, &["--staged"]), [of("a.sh", true)]);
}

#[test]
fn since_a_branch_left_another() {
    if no_git() {
        return;
    }
    let folder = repository(&[("a.sh", UNLOCK), ("main.tf", VOLUME)]);
    git(folder.path(), &["checkout", "--quiet", "-b", "topic"]);
    folder.write("b.sh", UNLOCK);
    commit(&folder);
    git(folder.path(), &["checkout", "--quiet", "main"]);
    folder.write("c.sh", UNLOCK);
    commit(&folder);
    git(folder.path(), &["checkout", "--quiet", "topic"]);
    folder.write("untracked.sh", UNLOCK);
    let all = [of("a.sh", false), of("b.sh", true), of("untracked.sh", true)];
    assert_eq!(unlocks(&folder, &["--since", "main"]), all);
    // pre-commit names the beginning of a range.
    let mut hook = folder.stateward();
    hook.args(["check", "--staged", "--format", "json"]).env("PRE_COMMIT_FROM_REF", "main");
    let run: Run = hook.output().expect("the program starts").into();
    assert_eq!(found(&run, &["force-unlock"]).iter().filter(|(.., new)| *new).count(), 2);

    let sarif = folder.run(&["check", "--since", "main", "--format", "sarif"]);
    let sarif: serde_json::Value = serde_json::from_str(&sarif.out).unwrap();
    let states = sarif["runs"][0]["results"].as_array().unwrap().iter().map(|result| result["baselineState"].as_str());
    let states: Vec<&str> = states.flatten().collect();
    assert!(states.contains(&"new") && states.contains(&"unchanged"), "{states:?}");
}

#[test]
fn a_file_under_another_name_is_not_new() {
    if no_git() {
        return;
    }
    let folder = repository(&[("scripts/unlock.sh", UNLOCK)]);
    git(folder.path(), &["mv", "scripts", "tools"]);
    assert_eq!(unlocks(&folder, &["--staged"]), [of("tools/unlock.sh", false)]);
    assert_eq!(unlocks(&folder, &["--since", "HEAD"]), [of("tools/unlock.sh", false)]);
}

#[test]
fn data_that_a_change_takes_away() {
    if no_git() {
        return;
    }
    let folder = repository(&[("main.tf", VOLUME), ("outputs.tf", "output \"a\" {\n  value = 1\n}\n")]);
    let lost = |arguments: &[&str]| {
        let run = json(&folder, arguments);
        found(&run, &[LOST]).into_iter().map(|(_, path, new)| (path, new)).collect::<Vec<_>>()
    };
    assert!(lost(&[]).is_empty() && lost(&["--staged"]).is_empty());
    // Renamed in the work tree: the next commit does not have it yet.
    folder.write("main.tf", &VOLUME.replace("\"pg\" {", "\"postgres\" {"));
    assert_eq!(lost(&["--since", "HEAD"]), [of("main.tf", true)]);
    assert!(lost(&["--staged"]).is_empty());
    add(&folder);
    assert_eq!(lost(&["--staged"]), [of("main.tf", true)]);
    let run = folder.run(&["check", "--staged", "-q", "--select", LOST]);
    assert!(run.code == 1 && run.out.contains("moved { from = docker_volume.pg, to = docker_volume.postgres }"));
    // The file is gone: it is told in another of the module's.
    std::fs::remove_file(folder.path().join("main.tf")).unwrap();
    add(&folder);
    assert_eq!(lost(&["--staged"]), [of("outputs.tf", true)]);
    folder.write(".stateward.yaml", "suppress:\n  - {rule: data-resource-removed-in-change, address: docker_volume.pg, reason: moved to another root}\n");
    add(&folder);
    assert!(lost(&["--staged"]).is_empty());
}

#[test]
fn suppressions_and_configuration_are_part_of_the_change() {
    if no_git() {
        return;
    }
    let excused = "#!/bin/sh\n# stateward:ignore[force-unlock] reason=\"once\"\nterraform force-unlock -force 1234\n";
    let folder = repository(&[("a.sh", excused), ("b.sh", UNLOCK)]);
    folder.write("a.sh", UNLOCK);
    add(&folder);
    assert_eq!(unlocks(&folder, &["--staged"]), [of("a.sh", true), of("b.sh", false)]);
    commit(&folder);
    // Both sides are judged by the configuration of today: a rule that is switched on is no reason to stop a commit.
    folder.write(".stateward.yaml", "profile: strict\n");
    add(&folder);
    assert_eq!(folder.run(&["check", "--staged", "--fail-on", "info"]).code, 0);
    // An exception without a reason is a change all the same; the one that was there is not.
    let exception = |rule: &str| format!("  - {{rule: {rule}, path: a.sh}}\n");
    folder.write(".stateward.yaml", &format!("suppress:\n{}", exception("force-unlock")));
    commit(&folder);
    folder
        .write(".stateward.yaml", &format!("suppress:\n{}{}", exception("force-unlock"), exception("state-file-edit")));
    add(&folder);
    let run = json(&folder, &["--staged"]);
    let new: Vec<bool> =
        found(&run, &["exception-without-reason-or-expiry"]).into_iter().map(|(.., new)| new).collect();
    assert_eq!(new, [false, true], "{}", run.out);
}

#[test]
fn a_configuration_that_git_does_not_know_yet_holds_on_both_sides() {
    if no_git() {
        return;
    }
    let folder =
        repository(&[("stack/main.tf", VOLUME), ("main.tf", "module \"stack\" {\n  source = \"./stack\"\n}\n")]);
    folder.write(".stateward.yaml", "terraform:\n  roots: [stack]\n");
    let run = json(&folder, &["--since", "HEAD"]);
    let local = found(&run, &["state-not-ignored"]);
    assert!(local.iter().any(|(_, path, _)| path == "stack/main.tf"), "{}", run.out);
    assert!(local.iter().all(|(.., new)| !new), "{}", run.out);
}

#[test]
fn what_goes_to_another_file_or_folder_is_not_new() {
    if no_git() {
        return;
    }
    let open = |name: &str| format!("resource \"docker_volume\" \"{name}\" {{\n  name = \"{name}\"\n}}\n");
    let both = open("a") + &open("b");
    let folder = repository(&[("prod/main.tf", &both), ("prod/run.sh", UNLOCK)]);
    let new = |arguments: &[&str]| {
        let report = json(&folder, arguments).json();
        let findings = report["findings"].as_array().expect("findings").clone();
        assert!(findings.len() > 3, "{report}");
        let new = findings.iter().filter(|finding| finding["new"] == true);
        new.map(|finding| format!("{} {}", finding["rule"], finding["path"])).collect::<Vec<_>>()
    };
    // A folder under another name, and what is said of the folder as a whole.
    git(folder.path(), &["mv", "prod", "live"]);
    assert_eq!(new(&["--staged"]), [""; 0]);
    commit(&folder);
    // A resource in another file, which now is the first of its module.
    folder.write("live/main.tf", &open("b"));
    folder.write("live/a.tf", &open("a"));
    folder.write("live/again.sh", UNLOCK);
    commit(&folder);
    assert_eq!(new(&["--since", "HEAD~1"]), [r#""force-unlock" "live/again.sh""#]);
    // What stands elsewhere as before is no excuse for what comes beside it, whatever is asked for.
    folder.write("live/more.sh", UNLOCK);
    add(&folder);
    let run = json(&folder, &["--staged", "live/more.sh"]);
    assert_eq!(found(&run, &["force-unlock"]), [("force-unlock".to_owned(), "live/more.sh".to_owned(), true)]);
}

#[cfg(unix)]
#[test]
fn links_show_what_they_showed() {
    if no_git() {
        return;
    }
    let open = VOLUME.replace("pg", "mail");
    let folder =
        repository(&[("common/main.tf", &(VOLUME.to_owned() + &open)), ("prod/own.tf", "locals {\n  a = 1\n}\n")]);
    std::os::unix::fs::symlink("../common/main.tf", folder.path().join("prod/main.tf")).unwrap();
    commit(&folder);
    let lost = |arguments: &[&str]| {
        let run = json(&folder, arguments);
        found(&run, &[LOST]).into_iter().map(|(_, path, new)| (path, new)).collect::<Vec<_>>()
    };
    folder.write("common/main.tf", &open);
    assert_eq!(lost(&["--since", "HEAD"]), [of("prod/main.tf", true)]);
    // Not staged yet.
    folder.write("note.txt", "a\n");
    git(folder.path(), &["add", "note.txt"]);
    assert!(lost(&["--staged"]).is_empty());
    add(&folder);
    assert_eq!(lost(&["--staged"]), [of("prod/main.tf", true)]);
}

#[test]
fn what_a_sparse_work_tree_lacks_is_not_gone() {
    if no_git() {
        return;
    }
    let folder = repository(&[("prod/main.tf", VOLUME), ("prod/mail.tf", &VOLUME.replace("pg", "mail"))]);
    folder.write("prod/mail.tf", &VOLUME.replace("pg", "mail").replace("lifecycle", "\n  lifecycle"));
    commit(&folder);
    git(folder.path(), &["sparse-checkout", "set", "--no-cone", "/prod/main.tf"]);
    assert!(!folder.path().join("prod/mail.tf").exists());
    let run = json(&folder, &["--since", "HEAD~1"]);
    assert_eq!(found(&run, &[LOST]), [], "{}", run.out);
}

#[test]
fn what_could_not_be_read_before_does_not_stop_a_commit() {
    if no_git() {
        return;
    }
    let broken = "locals {\n  a = \n}\n}\n";
    let folder = repository(&[("old.tf", broken)]);
    folder.write("a.sh", "#!/bin/sh\nls\n");
    add(&folder);
    assert_eq!(folder.run(&["check", "--staged", "--select", "meta"]).code, 0);
    folder.write("new.tf", broken);
    add(&folder);
    assert_eq!(folder.run(&["check", "--staged", "--select", "meta"]).code, 3);
}

#[test]
fn a_project_in_a_folder_sees_its_own_part() {
    if no_git() {
        return;
    }
    let folder =
        repository(&[("infra/.stateward.yaml", "root: true\n"), ("infra/a.sh", UNLOCK), ("app/run.sh", UNLOCK)]);
    let within = folder.path().join("infra");
    let run = |arguments: &[&str]| -> Run {
        let mut command = folder.stateward();
        command.args(["check", "--format", "json"]).args(arguments).current_dir(&within);
        command.output().expect("the program starts").into()
    };
    // Something else is committed: nothing of this project is new.
    folder.write("app/other.sh", UNLOCK);
    add(&folder);
    assert_eq!(found(&run(&["--staged"]), &["force-unlock"]), [("force-unlock".to_owned(), "a.sh".to_owned(), false)]);
    // What comes from outside of it is.
    git(folder.path(), &["mv", "app/run.sh", "infra/run.sh"]);
    let unlocks = found(&run(&["--since", "HEAD"]), &["force-unlock"]);
    assert_eq!(
        unlocks.iter().map(|(_, path, new)| of(path, *new)).collect::<Vec<_>>(),
        [of("a.sh", false), of("run.sh", true)]
    );
}

#[cfg(unix)]
#[test]
fn a_hook_sees_the_index_that_git_hands_it() {
    if no_git() {
        return;
    }
    let quiet = "#!/bin/sh\nls\n";
    let folder = repository(&[("infra/.stateward.yaml", "root: true\n"), ("infra/a.sh", quiet), ("b.sh", quiet)]);
    let tree = Folder::new(&[]);
    let linked = tree.path().join("linked");
    git(folder.path(), &["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    std::fs::write(linked.join("infra/a.sh"), UNLOCK).unwrap();
    std::fs::write(linked.join("b.sh"), UNLOCK).unwrap();
    let (hooks, said) = (tree.path().join("hooks"), tree.path().join("said"));
    std::fs::create_dir(&hooks).unwrap();
    let program = env!("CARGO_BIN_EXE_stateward");
    let (root, infra) = (format!("'{program}' check --staged -q ."), format!("'{program}' check --staged -q infra"));
    let script = format!("#!/bin/sh\n{{ {root}; {infra}; }} >'{}' 2>&1\nexit 0\n", said.display());
    std::fs::write(hooks.join("pre-commit"), script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(hooks.join("pre-commit"), mode).unwrap();
    let hooks = format!("core.hooksPath={}", hooks.display());
    // A commit of one path has an index of its own.
    git(&linked, &["-c", &hooks, "commit", "--quiet", "--message", "one", "infra/a.sh"]);
    let said = std::fs::read_to_string(said).unwrap();
    let places: Vec<&str> = said.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(places, ["a.sh:2:1"], "{said}");
}

#[test]
fn what_cannot_be_compared_is_said() {
    let plain = Folder::new(&[("a.sh", UNLOCK)]);
    for arguments in
        [&["check", "--staged"][..], &["check", "--since", "main"], &["check", "--staged", "--since", "main"]]
    {
        let run = plain.run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.err);
        assert!(run.out.is_empty() && !run.err.is_empty());
    }
    if no_git() {
        return;
    }
    let folder = repository(&[("a.sh", UNLOCK)]);
    let run = folder.run(&["check", "--since", "no-such-branch"]);
    assert!(run.code == 2 && run.err.contains("`no-such-branch` is no commit of this clone"), "{}", run.err);
    let run = folder.run(&["check", "--since", "--output=/etc/passwd"]);
    assert_eq!(run.code, 2, "{}", run.err);
    git(folder.path(), &["checkout", "--quiet", "--orphan", "other"]);
    folder.write("b.sh", UNLOCK);
    commit(&folder);
    let run = folder.run(&["check", "--since", "main"]);
    assert!(run.code == 2 && run.err.contains("have in common"), "{}", run.err);
    // Of a clone without contents only the commit that is checked out has been fetched.
    for lock in ["5678", "9012"] {
        folder.write("b.sh", &UNLOCK.replace("1234", lock));
        commit(&folder);
    }
    git(folder.path(), &["config", "uploadpack.allowFilter", "true"]);
    let elsewhere = Folder::new(&[]);
    let address = format!("file://{}", folder.path().display());
    git(elsewhere.path(), &["clone", "--quiet", "--filter=blob:none", &address, "clone"]);
    let mut command = folder.stateward();
    command.args(["check", "--since", "HEAD~1"]).current_dir(elsewhere.path().join("clone"));
    let run: Run = command.output().expect("the program starts").into();
    assert!(run.code == 2 && run.err.contains("clone without `--filter`"), "{}", run.err);
}

#[test]
fn the_answer_does_not_hang_on_threads() {
    if no_git() {
        return;
    }
    let folder = repository(&[("a.sh", UNLOCK), ("main.tf", VOLUME), ("b/c.sh", UNLOCK)]);
    folder.write("main.tf", &VOLUME.replace("\"pg\" {", "\"postgres\" {"));
    folder.write("d.sh", UNLOCK);
    add(&folder);
    let out = |threads: &str| {
        let mut report = json(&folder, &["--staged", "--threads", threads]).json();
        report["summary"]["elapsed_ms"] = 0.into();
        report
    };
    assert_eq!(out("1"), out("4"));
}

#[test]
fn what_says_nothing_of_itself_is_not_what_went() {
    if no_git() {
        return;
    }
    let rule = "agent-instructions-without-state-rule";
    let folder = repository(&[
        ("main.tf", VOLUME),
        ("CLAUDE.md", "# Work\n\nRun `terraform plan` in envs before a commit, and read it.\n"),
    ]);
    std::fs::remove_file(folder.path().join("CLAUDE.md")).unwrap();
    folder.write("AGENTS.md", "Agents here\n===========\n\nTerraform lives beside this file. Keep lines short.\n");
    add(&folder);
    let run = json(&folder, &["--staged"]);
    assert_eq!(found(&run, &[rule]), [(rule.to_owned(), "AGENTS.md".to_owned(), true)], "{}", run.out);
}

#[test]
fn a_picture_that_is_not_in_the_clone_is_no_obstacle() {
    if no_git() {
        return;
    }
    let folder = repository(&[("demo.gif", "GIF89a, more or less\n"), ("a.sh", UNLOCK)]);
    let forget = |path: &str| {
        let blob = git(folder.path(), &["rev-parse", &format!("HEAD:{path}")]);
        let object = folder.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
        std::fs::remove_file(object).expect("the object is loose");
        std::fs::remove_file(folder.path().join(path)).unwrap();
    };
    forget("demo.gif");
    assert_eq!(unlocks(&folder, &["--since", "HEAD"]), [of("a.sh", false)]);
    forget("a.sh");
    let run = folder.run(&["check", "--since", "HEAD"]);
    assert!(run.code == 2 && run.err.contains("clone without"), "{}", run.err);
}
