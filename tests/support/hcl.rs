//! HCL texts to test with, and Terraform itself as the one who knows.

pub(crate) mod tables;

use super::{Folder, ROOT};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A text and where it is from.
pub(crate) struct Text {
    pub(crate) name: String,
    pub(crate) text: String,
}

const HCL: [&str; 4] = ["tf", "tofu", "tfvars", "hcl"];

/// The HCL files of the fixtures, and those in the examples of the cards.
pub(crate) fn own_texts() -> Vec<Text> {
    texts_of(&HCL)
}

/// The files with these extensions of the fixtures, and those in the examples of the cards.
pub(crate) fn texts_of(extensions: &[&str]) -> Vec<Text> {
    let mut texts = files_below(&Path::new(ROOT).join("fixtures"), extensions);
    for entry in walkdir::WalkDir::new(Path::new(ROOT).join("rules")).sort_by_file_name().into_iter().flatten() {
        if entry.path().extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let card = fs::read_to_string(entry.path()).expect("cards can be read");
        let card: serde_yaml::Value = serde_yaml::from_str(&card).expect("cards are YAML");
        for example in ["fails", "passes"].iter().filter_map(|key| card.get(key)?.as_sequence()).flatten() {
            for (name, text) in example.get("files").and_then(serde_yaml::Value::as_mapping).into_iter().flatten() {
                let (name, text) = (name.as_str().unwrap_or(""), text.as_str().unwrap_or(""));
                if has_extension(Path::new(name), extensions) {
                    let name = format!("{}: {name}", entry.path().display());
                    texts.push(Text { name, text: text.to_owned() });
                }
            }
        }
    }
    texts
}

/// The Terraform files below the folder that the environment names; none when it names no folder.
pub(crate) fn corpus() -> Option<Vec<Text>> {
    corpus_of(&HCL)
}

/// The files with these extensions below that folder.
pub(crate) fn corpus_of(extensions: &[&str]) -> Option<Vec<Text>> {
    let folder = std::env::var_os("STATEWARD_CORPUS")?;
    Some(files_below(Path::new(&folder), extensions))
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().and_then(|own| own.to_str()).is_some_and(|own| extensions.contains(&own))
}

/// The files with these extensions below a folder. Links are followed; those that lead back are left out, and what is not UTF-8 as well.
pub(crate) fn files_below(folder: &Path, extensions: &[&str]) -> Vec<Text> {
    let walk = walkdir::WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    walk.filter_entry(|entry| entry.file_name() != ".git")
        .flatten()
        .filter(|entry| entry.file_type().is_file() && has_extension(entry.path(), extensions))
        .filter_map(|entry| {
            let text = String::from_utf8(fs::read(entry.path()).ok()?).ok()?;
            Some(Text { name: entry.path().display().to_string(), text })
        })
        .collect()
}

/// Runs Terraform in a folder with this on its standard input. None: it is not installed, which is told.
pub(crate) fn terraform(folder: &Folder, arguments: &[&str], input: &str) -> Option<Output> {
    let mut command = Command::new("terraform");
    command.args(arguments).current_dir(folder.path());
    command.env("CHECKPOINT_DISABLE", "1").env("TF_IN_AUTOMATION", "1").env_remove("TF_CLI_ARGS");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    match command.spawn() {
        Ok(mut child) => {
            let mut stdin = child.stdin.take().expect("it is piped");
            stdin.write_all(input.as_bytes()).expect("terraform reads its input");
            drop(stdin);
            Some(child.wait_with_output().expect("terraform ends"))
        }
        Err(error) if std::env::var_os("STATEWARD_ORACLES").is_some_and(|value| value == "required") => {
            panic!("terraform is required, but does not start: {error}")
        }
        Err(error) => {
            println!("left out: terraform does not start: {error}");
            None
        }
    }
}

/// How many texts one process gets.
const BATCH: usize = 100;

/// The texts that Terraform's parser refuses, by index, and the lines that it names. None: Terraform is not installed.
pub(crate) fn refused(texts: &[Text]) -> Option<BTreeMap<usize, BTreeSet<u32>>> {
    let batches: Vec<_> = texts.chunks(BATCH).enumerate().collect();
    let refused = batches.par_iter().map(|(batch, texts)| {
        let places: Vec<usize> = (batch * BATCH..batch * BATCH + texts.len()).collect();
        refused_of(texts, &places)
    });
    Some(refused.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
}

fn refused_of(texts: &[Text], places: &[usize]) -> Option<BTreeMap<usize, BTreeSet<u32>>> {
    let files: Vec<(String, &str)> =
        places.iter().zip(texts).map(|(at, text)| (format!("{at}.tf"), text.text.as_str())).collect();
    let folder = Folder::new(&files.iter().map(|(name, text)| (name.as_str(), *text)).collect::<Vec<_>>());
    let mut arguments = vec!["fmt", "-check", "-list=false", "-no-color"];
    arguments.extend(files.iter().map(|(name, _)| name.as_str()));
    let output = terraform(&folder, &arguments, "")?;
    // 3: some are not formatted. Anything but the known codes is a crash: then each text gets its own process.
    if !matches!(output.status.code(), Some(0 | 2 | 3)) {
        if let [only] = places {
            println!("terraform crashes on {}", texts[0].name);
            return Some(BTreeMap::from([(*only, BTreeSet::new())]));
        }
        let each = texts.chunks(1).zip(places.chunks(1)).map(|(text, place)| refused_of(text, place));
        return Some(each.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect());
    }
    // "  on 7.tf line 3, in locals:"
    let errors = String::from_utf8_lossy(&output.stderr);
    let mut named: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
    for line in errors.lines() {
        let place = line.trim_start().strip_prefix("on ").and_then(|rest| rest.split_once(".tf line "));
        let Some((Ok(file), line)) = place.map(|(file, line)| (file.parse(), line)) else { continue };
        let digits = line.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
        named.entry(file).or_default().extend(digits.parse::<u32>());
    }
    assert_eq!(named.is_empty(), output.status.code() != Some(2), "{errors}");
    Some(named)
}
