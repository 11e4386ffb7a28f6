//! What the tests of the program share: running it in a scrubbed environment, and folders to run it in.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod browser;
pub(crate) mod hcl;
pub(crate) mod page;

use serde_json::Value as Json;
use stateward::value::{Data, Kind, Value};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The repository.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The program, with nothing in its environment that could change what it says.
pub(crate) fn stateward() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stateward"));
    command.current_dir(ROOT);
    for name in
        ["NO_COLOR", "CI", "GITHUB_ACTIONS", "SOURCE_DATE_EPOCH", "COLUMNS", "RAYON_NUM_THREADS", "PRE_COMMIT_FROM_REF"]
    {
        command.env_remove(name);
    }
    scrub_git(&mut command);
    command
}

/// Takes away what a hook of this repository's own Git would pass on.
fn scrub_git(command: &mut Command) {
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
}

/// The Python that has Ansible and `PyYAML`: the one that `ansible-playbook` names in its first line. None: it is not installed,
/// which is told.
pub(crate) fn ansible_python() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program =
        std::env::split_paths(&path).map(|folder| folder.join("ansible-playbook")).find(|path| path.is_file());
    let text = program.and_then(|program| fs::read_to_string(program).ok());
    let python = text.as_deref().and_then(|text| text.lines().next()?.strip_prefix("#!")?.split_whitespace().next());
    if python.is_none() {
        let required = std::env::var("STATEWARD_ORACLES").is_ok_and(|value| value == "required");
        assert!(!required, "ansible-playbook is required, but is not installed");
        println!("ansible-playbook is not installed: nothing is asked");
    }
    python.map(PathBuf::from)
}

/// What a run said.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The rules of a `-q` report, in order.
    pub(crate) fn rules(&self) -> Vec<&str> {
        let rule = |line: &'_ str| line.find('[').and_then(|from| Some((from + 1, from + line[from..].find(']')?)));
        self.out.lines().filter_map(|line| rule(line).map(|(from, to)| &line[from..to])).collect()
    }

    /// The report as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.out, self.err))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("reports are UTF-8");
        let code = output.status.code().expect("the program ends by itself");
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Runs the program in the repository.
pub(crate) fn run(arguments: &[&str]) -> Run {
    stateward().args(arguments).output().expect("the program starts").into()
}

/// A folder of its own, gone with the value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A folder with files, outside of every Git work tree.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("stateward-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder can be written");
        let folder = Self(folder.canonicalize().expect("it was just made"));
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    /// A folder that is a Git work tree, its files in the index.
    pub(crate) fn in_git(files: &[(&str, &str)]) -> Self {
        let folder = Self::new(files);
        folder.git(&["init", "--quiet"]);
        folder.git(&["add", "--all"]);
        folder
    }

    /// Runs Git there.
    pub(crate) fn git(&self, arguments: &[&str]) {
        let mut command = Command::new("git");
        scrub_git(&mut command);
        let status = command.args(arguments).current_dir(&self.0).status().expect("git is installed");
        assert!(status.success(), "git {arguments:?}");
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the temporary folder can be written");
        fs::write(path, text).expect("the temporary folder can be written");
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The program, to be run there.
    pub(crate) fn stateward(&self) -> Command {
        let mut command = stateward();
        command.current_dir(&self.0);
        command
    }

    /// Runs the program there.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.stateward().args(arguments).output().expect("the program starts").into()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is the system's to clean.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A value as JSON; the reason when some of it is not known. What is absent is null.
pub(crate) fn as_json(value: &Value) -> Result<Json, String> {
    match &value.kind {
        Kind::Absent | Kind::Known(Data::Null) => Ok(Json::Null),
        Kind::Known(Data::Bool(value)) => Ok((*value).into()),
        Kind::Known(Data::Number(value)) => Ok((*value).into()),
        Kind::Known(Data::Str(text)) => Ok((**text).into()),
        Kind::Known(Data::List(list)) => match &list.open {
            Some(reason) => Err(reason.to_string()),
            None => list.items.iter().map(as_json).collect(),
        },
        Kind::Known(Data::Map(map)) => match &map.open {
            Some(reason) => Err(reason.to_string()),
            None => map.entries.iter().map(|(key, value)| Ok((key.to_string(), as_json(value)?))).collect(),
        },
        _ => Err(value.reason().unwrap_or_default().to_string()),
    }
}
