//! Whole configurations against Terraform: the addresses that a plan prints, and what each resource would be given.
//!
//! Each folder of `tests/plans` is a root; `plan.json` beside its files is what Terraform planned, written by this test with
//! `STATEWARD_UPDATE=1`. Where `terraform` is at hand it is asked again; `STATEWARD_ORACLES=required` makes its absence a failure.
//! The provider is the one that Terraform has built in: nothing is fetched.

use serde_json::{Map, Value as Json, json};
use stateward::model::command;
use stateward::model::load::{Documents, Options as Reading};
use stateward::model::terraform::{self, Options, Terraform};
use stateward::value::{Data, Kind, Value};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const RECORD: &str = "plan.json";

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// What is not known is a text that no plan holds.
fn shown(value: &Value) -> Json {
    match &value.kind {
        Kind::Absent | Kind::Known(Data::Null) => Json::Null,
        Kind::Known(Data::Bool(value)) => json!(value),
        Kind::Known(Data::Number(value)) => number(*value),
        Kind::Known(Data::Str(text)) => json!(&**text),
        Kind::Known(Data::List(list)) if list.open.is_none() => list.items.iter().map(shown).collect(),
        Kind::Known(Data::Map(map)) if map.open.is_none() => {
            map.entries.iter().map(|(key, value)| (key.to_string(), shown(value))).collect::<Map<_, _>>().into()
        }
        _ => json!(format!("not known: {}: {:?}", value.display(), value.reason())),
    }
}

fn number(value: f64) -> Json {
    json!(value)
}

/// Numbers as floating point, so that `1` and `1.0` are the same.
fn floated(value: &Json) -> Json {
    match value {
        Json::Number(value) => number(value.as_f64().unwrap_or(f64::NAN)),
        Json::Array(items) => items.iter().map(floated).collect(),
        Json::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), floated(value))).collect::<Map<_, _>>().into()
        }
        value => value.clone(),
    }
}

/// Address to input, as this project resolves the folder.
fn resolved(folder: &Path) -> Json {
    let tree = stateward::source::disk::tree(folder).unwrap();
    let documents = Documents::load(&tree, &Reading::default());
    let commands = command::of_documents(&documents);
    let sources = terraform::sources(&documents);
    let runs = terraform::runs(&commands, &sources, &tree, &|command| tree.path(command.loc.file));
    let terraform = Terraform::build(&sources, Options { runs, ..Options::default() }, &tree);
    let certain = terraform.resources().filter(|resource| resource.uncertain().is_none());
    let inputs = certain.map(|resource| (resource.address(), shown(&resource.arg("input"))));
    // Sorted, as plans are.
    let sorted: std::collections::BTreeMap<String, Json> = inputs.collect();
    sorted.into_iter().collect::<Map<_, _>>().into()
}

/// Address to input, as Terraform plans a copy of the folder; none when there is no Terraform.
fn planned(folder: &Path) -> Option<Json> {
    let name = folder.file_name().unwrap().to_string_lossy();
    let copy = std::env::temp_dir().join(format!("stateward-plan-{}-{name}", std::process::id()));
    copy_folder(folder, &copy);
    let settings = copy.join("terraform.rc");
    fs::write(&settings, "disable_checkpoint = true\n").unwrap();
    let terraform = |arguments: &[&str]| {
        let mut command = Command::new("terraform");
        command.current_dir(&copy).args(arguments).env("TF_CLI_CONFIG_FILE", &settings).env("TF_IN_AUTOMATION", "1");
        command.output().ok()
    };
    let version = terraform(&["version"]);
    if version.is_none() {
        fs::remove_dir_all(&copy).unwrap();
        return None;
    }
    for step in [&["init", "-no-color", "-input=false"][..], &["plan", "-no-color", "-input=false", "-out=planned"]] {
        let output = terraform(step).unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let output = terraform(&["show", "-json", "planned"]).unwrap();
    fs::remove_dir_all(&copy).unwrap();
    let plan: Json = serde_json::from_slice(&output.stdout).unwrap();
    let mut inputs = std::collections::BTreeMap::new();
    gather(&plan["planned_values"]["root_module"], &mut inputs);
    Some(inputs.into_iter().collect::<Map<_, _>>().into())
}

fn gather(module: &Json, inputs: &mut std::collections::BTreeMap<String, Json>) {
    for resource in module["resources"].as_array().into_iter().flatten() {
        inputs.insert(resource["address"].as_str().unwrap().to_owned(), floated(&resource["values"]["input"]));
    }
    for child in module["child_modules"].as_array().into_iter().flatten() {
        gather(child, inputs);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The differences between two plans, one a line.
fn differences(ours: &Json, theirs: &Json, at: &str, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Json::Object(a), Json::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let none = json!("(nothing)");
                let (ours, theirs) = (a.get(key).unwrap_or(&none), b.get(key).unwrap_or(&none));
                differences(ours, theirs, &format!("{at} {key}"), found);
            }
        }
        _ if ours != theirs => found.push(format!("{at}: {ours} here, {theirs} by Terraform")),
        _ => {}
    }
}

#[test]
fn what_is_resolved_is_what_terraform_plans() {
    let mut found = Vec::new();
    let (mut resources, mut asked) = (0, 0);
    for folder in cases() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let record = folder.join(RECORD);
        let planned = planned(&folder);
        asked += usize::from(planned.is_some());
        if let Some(planned) = planned.as_ref().filter(|_| std::env::var_os("STATEWARD_UPDATE").is_some()) {
            fs::write(&record, format!("{planned:#}\n")).unwrap();
        }
        let recorded: Json = serde_json::from_str(&fs::read_to_string(&record).unwrap()).unwrap();
        if let Some(planned) = planned {
            differences(&recorded, &planned, &format!("{name}/{RECORD}:"), &mut found);
        }
        resources += recorded.as_object().unwrap().len();
        differences(&resolved(&folder), &recorded, &format!("{name}:"), &mut found);
    }
    println!("{resources} resources compared; Terraform was asked {asked} times");
    assert!(resources > 30, "only {resources} resources are compared");
    let required = std::env::var("STATEWARD_ORACLES").is_ok_and(|value| value == "required");
    assert!(asked > 0 || !required, "terraform is not installed");
    assert!(found.is_empty(), "{}", found.join("\n"));
}
