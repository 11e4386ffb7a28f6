//! Turns `knowledge/*.yaml` and `rules/*/*.yaml` into compact JSON for `include_str!`, so that start-up parses no YAML.
//! Nothing is checked here: cards and rows are type-checked by the code that loads a user's.

use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Keys of knowledge rows that are for people only.
const PROSE: [&str; 5] = ["note", "source", "verified", "why", "meta"];

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo::rerun-if-changed=knowledge");
    println!("cargo::rerun-if-changed=rules");
    for path in yaml_files(Path::new("knowledge")) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        write(&out.join(format!("{name}.json")), &without_prose(read(&path)));
    }
    let (mut cards, mut examples) = (Vec::new(), Map::new());
    for family in folders(Path::new("rules")) {
        for path in yaml_files(&family) {
            let text = fs::read_to_string(&path).expect("a rule file is text");
            let Value::Object(mut card) = read(&path) else { panic!("{} is no mapping", path.display()) };
            let id = card.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            examples.insert(id, json!({ "path": path.to_string_lossy(), "text": text }));
            card.remove("fails");
            card.remove("passes");
            let name = family.file_name().unwrap_or_default().to_string_lossy().into_owned();
            card.insert("family".to_owned(), Value::String(name));
            cards.push(Value::Object(card));
        }
    }
    write(&out.join("rules.json"), &Value::Array(cards));
    write(&out.join("rule-files.json"), &Value::Object(examples));
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a source file is text");
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, value: &Value) {
    fs::write(path, value.to_string()).expect("OUT_DIR is writable");
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default();
    paths.sort();
    paths
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "yaml")).collect()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_dir()).collect()
}

fn without_prose(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(key, _)| !PROSE.contains(&key.as_str()))
                .map(|(key, value)| (key, without_prose(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_prose).collect()),
        scalar => scalar,
    }
}
