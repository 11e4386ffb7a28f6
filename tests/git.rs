//! What Git keeps, in real repositories: the index against the work tree, links, pointers, submodules, and what `--history` finds.

mod support;

use std::path::Path;
use std::process::Command;
use support::{Folder, Run, run};

const STATE: &str = "{\"version\": 4, \"terraform_version\": \"1.9.0\", \"serial\": 12, \"lineage\": \"7d1f\", \
                     \"resources\": [{\"mode\": \"managed\", \"type\": \"proxmox_lxc\"}]}\n";
const EMPTY: &str =
    "{\"version\": 4, \"terraform_version\": \"1.9.0\", \"serial\": 13, \"lineage\": \"7d1f\", \"resources\": []}\n";
const ROOT: (&str, &str) = (
    "main.tf",
    "terraform {\n  backend \"gcs\" {\n    bucket = \"tf-state\"\n  }\n}\nresource \"null_resource\" \"a\" {}\n",
);
const IGNORE: (&str, &str) = (".gitignore", "*.tfstate\n*.tfstate.*\n.terraform/\n");

/// Whether Git is there to be asked; without it there is nothing to test.
fn no_git() -> bool {
    let missing = Command::new("git").arg("--version").output().is_err();
    if missing {
        println!("git is not installed: nothing is tested");
    }
    missing
}

/// Runs Git at a place and a day, as nobody in particular.
fn git(at: &Path, day: &str, arguments: &[&str]) {
    let mut command = Command::new("git");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    let date = format!("{day}T12:00:00+0000");
    command
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"])
        .args(["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", "-c", "core.autocrlf=false"])
        .args(arguments)
        .current_dir(at)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_DATE", &date)
        .env("GIT_COMMITTER_DATE", &date);
    let done = command.output().expect("git starts");
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A repository of these files, committed.
fn repository(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new(files);
    git(folder.path(), "2024-01-01", &["init", "--quiet"]);
    commit(&folder, "2024-01-01");
    folder
}

/// Commits everything as it lies there, what is ignored too.
fn commit(folder: &Folder, day: &str) {
    git(folder.path(), day, &["add", "--all", "--force"]);
    git(folder.path(), day, &["commit", "--quiet", "--message", "change"]);
}

/// The findings of a rule: path, severity, message.
fn found(run: &Run, rule: &str) -> Vec<(String, String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
    let report = run.json();
    let findings = report["findings"].as_array().expect("findings").iter();
    findings
        .filter(|finding| finding["rule"] == rule)
        .map(|finding| (text(&finding["path"]), text(&finding["severity"]), text(&finding["message"])))
        .collect()
}

fn paths(run: &Run, rule: &str) -> Vec<String> {
    found(run, rule).into_iter().map(|(path, ..)| path).collect()
}

fn committed(folder: &Folder) -> Vec<String> {
    paths(&folder.run(&["check", "--format", "json"]), "state-file-committed")
}

fn past(folder: &Folder) -> Vec<(String, String, String)> {
    found(&folder.run(&["check", "--history", "--format", "json"]), "state-in-history")
}

#[test]
fn the_index_decides_and_not_the_work_tree() {
    if no_git() {
        return;
    }
    let folder = repository(&[ROOT, IGNORE]);
    folder.write("terraform.tfstate", STATE);
    assert!(committed(&folder).is_empty(), "ignored");
    git(folder.path(), "2024-01-02", &["add", "--force", "terraform.tfstate"]);
    assert_eq!(committed(&folder), ["terraform.tfstate"], "added by force");
    std::fs::remove_file(folder.path().join("terraform.tfstate")).unwrap();
    assert_eq!(committed(&folder), ["terraform.tfstate"], "deleted on disk, and still in the index");
    folder.write("terraform.tfstate", STATE);
    git(folder.path(), "2024-01-02", &["rm", "--quiet", "--cached", "terraform.tfstate"]);
    assert!(committed(&folder).is_empty(), "taken out of the index, kept on disk");
}

#[test]
fn links_hold_nothing_and_pointers_stand_for_state() {
    if no_git() {
        return;
    }
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 48211\n";
    let folder = repository(&[
        ROOT,
        IGNORE,
        ("envs/prod.tfstate", pointer),
        ("playbook.yml", pointer),
        ("inventory/hosts", pointer),
        ("modules/big.tf", pointer),
        ("plan.json", pointer),
        ("scripts/tool.sh", pointer),
    ]);
    #[cfg(unix)]
    std::os::unix::fs::symlink("envs/prod.tfstate", folder.path().join("current.tfstate")).unwrap();
    commit(&folder, "2024-01-02");
    let done = folder.run(&["check", "--format", "json"]);
    let states = found(&done, "state-file-committed");
    assert_eq!(states.len(), 1, "{states:?}");
    assert!(states[0].0 == "envs/prod.tfstate" && states[0].2.contains("Git LFS"), "{states:?}");
    assert!(paths(&done, "unreadable-file").is_empty(), "a pointer is no broken file: {}", done.out);
}

#[test]
fn history_tells_what_the_tree_no_longer_has() {
    if no_git() {
        return;
    }
    let folder = repository(&[ROOT, IGNORE, ("old/terraform.tfstate", STATE), ("notes/infra-state.txt", STATE)]);
    folder.write("old/terraform.tfstate", &STATE.replace("12", "14"));
    commit(&folder, "2024-02-01");
    for path in ["old/terraform.tfstate", "notes/infra-state.txt"] {
        std::fs::remove_file(folder.path().join(path)).unwrap();
    }
    commit(&folder, "2024-03-01");
    let states = past(&folder);
    let shown: Vec<&str> = states.iter().map(|(path, ..)| path.as_str()).collect();
    assert_eq!(shown, ["notes/infra-state.txt", "old/terraform.tfstate"]);
    let message = &states[1].2;
    for part in ["2024-01-01", "last changed by", "2024-02-01", "taken away by", "2024-03-01", "serial 14"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(states[1].1, "warning");
    // What is judged without history is judged the same with it.
    let others = |arguments: &[&str]| {
        let report = folder.run(arguments).json();
        let findings = report["findings"].as_array().unwrap().clone();
        let others = findings.into_iter().filter(|finding| finding["rule"] != "state-in-history").collect::<Vec<_>>();
        (others, report["summary"]["files"].clone(), report["undecided"].clone())
    };
    assert_eq!(others(&["check", "--format", "json"]), others(&["check", "--history", "--format", "json"]));
    assert!(paths(&folder.run(&["check", "--format", "json"]), "state-in-history").is_empty());
    // Twice the same bytes, and a place in every format.
    for format in ["human", "sarif", "github", "markdown"] {
        let bytes = || folder.run(&["check", "--history", "--format", format, "--threads", "3"]).out;
        let report = bytes();
        assert!(report.contains("old/terraform.tfstate"), "{format}: {report}");
        assert_eq!(report, bytes(), "{format}");
    }
}

#[test]
fn a_path_that_still_holds_state_is_told_once() {
    if no_git() {
        return;
    }
    let folder = repository(&[ROOT, ("terraform.tfstate", STATE), ("a/moved.tfstate", STATE)]);
    folder.write("terraform.tfstate", &STATE.replace("12", "15"));
    git(folder.path(), "2024-02-01", &["mv", "a/moved.tfstate", "b.tfstate"]);
    commit(&folder, "2024-02-01");
    assert_eq!(committed(&folder), ["b.tfstate", "terraform.tfstate"]);
    assert!(past(&folder).is_empty(), "what was only renamed is told where it lies: {:?}", past(&folder));
    // Emptied and renamed: the older version is nowhere else.
    folder.write("b.tfstate", EMPTY);
    git(folder.path(), "2024-03-01", &["mv", "b.tfstate", "c.tfstate"]);
    commit(&folder, "2024-03-01");
    let shown: Vec<String> = past(&folder).into_iter().map(|(path, ..)| path).collect();
    assert_eq!(shown, ["a/moved.tfstate", "b.tfstate"]);
}

#[test]
fn branches_that_were_merged_are_history_too() {
    if no_git() {
        return;
    }
    let folder = repository(&[ROOT, IGNORE]);
    git(folder.path(), "2024-02-01", &["checkout", "--quiet", "-b", "topic"]);
    folder.write("errored.tfstate", STATE);
    commit(&folder, "2024-02-01");
    std::fs::remove_file(folder.path().join("errored.tfstate")).unwrap();
    commit(&folder, "2024-02-02");
    git(folder.path(), "2024-02-03", &["checkout", "--quiet", "main"]);
    folder.write("README.md", "ours\n");
    commit(&folder, "2024-02-03");
    assert!(past(&folder).is_empty(), "another branch is not what is checked out");
    git(folder.path(), "2024-02-04", &["merge", "--quiet", "--no-edit", "topic"]);
    let states = past(&folder);
    assert_eq!(states.len(), 1, "{states:?}");
    assert!(states[0].2.contains("2024-02-01") && states[0].2.contains("2024-02-02"), "{states:?}");
}

#[test]
fn exceptions_hold_for_history() {
    if no_git() {
        return;
    }
    let folder = repository(&[
        ROOT,
        IGNORE,
        ("old/a.tfstate", STATE),
        ("empty.tfstate", EMPTY),
        ("skipped/b.tfstate", STATE),
        ("tests/fixtures/c.tfstate", &STATE.replace("12", "1")),
        ("inner/.stateward.yaml", "root: true\n"),
        ("inner/d.tfstate", STATE),
    ]);
    for path in ["old/a.tfstate", "empty.tfstate", "skipped/b.tfstate", "tests/fixtures/c.tfstate", "inner/d.tfstate"] {
        std::fs::remove_file(folder.path().join(path)).unwrap();
    }
    folder.write(".stateward.yaml", "exclude: [\"skipped/**\"]\n");
    commit(&folder, "2024-02-01");
    let shown: Vec<(String, String)> = past(&folder).into_iter().map(|(path, severity, _)| (path, severity)).collect();
    let of = |path: &str, severity: &str| (path.to_owned(), severity.to_owned());
    assert_eq!(shown, [of("empty.tfstate", "info"), of("old/a.tfstate", "warning")]);
    // A project below the top of the repository sees its own paths.
    let inner = run(&["check", "--history", "--format", "json", folder.path().join("inner").to_str().unwrap()]);
    assert_eq!(paths(&inner, "state-in-history"), ["d.tfstate"]);
}

#[test]
fn work_trees_submodules_and_shallow_clones() {
    if no_git() {
        return;
    }
    let library = repository(&[("main.tf", "variable \"a\" {}\n"), ("own.tfstate", STATE)]);
    let folder = repository(&[ROOT, IGNORE, ("old.tfstate", STATE)]);
    let library_path = library.path().to_str().unwrap().to_owned();
    git(folder.path(), "2024-01-02", &["submodule", "--quiet", "add", &library_path, "library"]);
    std::fs::remove_file(folder.path().join("old.tfstate")).unwrap();
    commit(&folder, "2024-01-03");
    assert!(committed(&folder).is_empty(), "what a submodule tracks is its own repository's");
    let elsewhere = Folder::new(&[]);
    let tree = elsewhere.path().join("tree");
    git(folder.path(), "2024-01-04", &["worktree", "add", "--quiet", tree.to_str().unwrap(), "HEAD", "--detach"]);
    let done = run(&["check", "--history", "--format", "json", tree.to_str().unwrap()]);
    assert_eq!(paths(&done, "state-in-history"), ["old.tfstate"], "a work tree has the history of its repository");
    assert_eq!(done.err, "");
    let shallow = elsewhere.path().join("shallow");
    let url = format!("file://{}", folder.path().to_str().unwrap());
    git(elsewhere.path(), "2024-01-04", &["clone", "--quiet", "--depth", "1", &url, shallow.to_str().unwrap()]);
    let done = run(&["check", "--history", "--format", "json", shallow.to_str().unwrap()]);
    assert!(paths(&done, "state-in-history").is_empty() && done.err.contains("shallow"), "{}", done.err);
}

#[test]
fn without_a_history_it_is_said() {
    let folder = Folder::new(&[(".stateward.yaml", "root: true\n"), ROOT]);
    let done = folder.run(&["check", "--history", "--format", "json"]);
    assert!(done.err.contains("no Git history"), "{}", done.err);
    // Nor without the program.
    let mut command = folder.stateward();
    let done: Run = command.args(["check", "--history", "-q"]).env("PATH", "").output().expect("it starts").into();
    assert!(done.err.contains("no Git history") && done.code != 2, "{}", done.err);
}

#[test]
fn nothing_of_the_repository_is_run_while_history_is_read() {
    if no_git() {
        return;
    }
    let folder = repository(&[ROOT, IGNORE, ("old.tfstate", STATE), (".gitattributes", "* diff=own filter=own\n")]);
    std::fs::remove_file(folder.path().join("old.tfstate")).unwrap();
    commit(&folder, "2024-02-01");
    let mark = folder.path().join("ran");
    let program = format!("touch {}", mark.to_str().unwrap());
    for name in
        ["diff.own.textconv", "diff.own.command", "diff.external", "core.fsmonitor", "core.pager", "gpg.program"]
    {
        git(folder.path(), "2024-02-01", &["config", name, &program]);
    }
    git(folder.path(), "2024-02-01", &["config", "log.showSignature", "true"]);
    assert_eq!(past(&folder).len(), 1);
    assert!(!mark.exists(), "a program of the repository ran");
}
