//! Expressions as `terraform console` evaluates them and as Stateward does: `tests/oracle/cases` over the files of
//! `tests/oracle/folder`. Without Terraform the comparison is left out, unless `STATEWARD_ORACLES=required` is set.

mod support;

use base64::prelude::{BASE64_STANDARD as STANDARD, Engine as _};
use rayon::prelude::*;
use serde_json::Value as Json;
use stateward::model::terraform::{Options, Source, SourceKind, Terraform};
use stateward::source::{File, Tree};
use stateward::syntax::hcl;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// How many expressions one process evaluates.
const BATCH: usize = 64;

/// What Terraform's answer is where it refuses an expression.
const REFUSED: &str = "@refused";

const NOT_FOLLOWED: &str = "whether a value is sensitive is not followed";
const DIGITS: &str = "numbers are doubles: further digits are not known";
const NULLS: &str = "a null among others has no type";
const FROM_THE_END: &str = "later versions count from the end";
const LEFT_SIDE: &str = "the left side decides, as it does from Terraform 1.12 on";

/// Where the answers differ, and why.
const KNOWN: [(&str, &str); 23] = [
    ("issensitive(\"a\")", NOT_FOLLOWED),
    ("issensitive(sensitive(\"a\"))", NOT_FOLLOWED),
    ("issensitive([sensitive(\"a\")])", NOT_FOLLOWED),
    ("base64gzip(\"hello\")", "compressed bytes differ from one implementation to the other"),
    ("textencodebase64(\"日本\", \"Shift_JIS\")", "only Unicode and Latin-1 are known"),
    ("cidrhost(\"::ffff:10.0.0.0/120\", 1)", "Terraform shifts a mapped address by two bytes"),
    ("cidrsubnet(\"10.0.0.0/16\", -1, 0)", "Terraform lets negative numbers through"),
    ("cidrsubnet(\"10.0.0.0/16\", 8, -1)", "Terraform lets negative numbers through"),
    ("format(\"%.3f\", -0.0005)", DIGITS),
    ("format(\"%.2f%%\", 12.345)", DIGITS),
    ("9007199254740993 - 9007199254740992", DIGITS),
    ("element([\"a\", \"b\", \"c\"], -1)", FROM_THE_END),
    ("element([\"a\", \"b\", \"c\"], -4)", FROM_THE_END),
    ("true || nosuch(\"x\")", LEFT_SIDE),
    ("tolist([null, [1]])", NULLS),
    ("tolist([{ a = null }, { a = [1] }])", NULLS),
    ("length(\"नमस्ते\")", "which letters make one cluster hangs on the version of Unicode"),
    ("regex(\"(?P<a>x)(?P<a>y)\", \"xy\")", "groups of one name are not understood"),
    ("terraform.workspace", "it is chosen when Terraform runs"),
    ("yamlencode({ \"a\\nb\" = 1 })", "such a key has a form of its own"),
    ("\"n=${-0}\"", "the sign of a zero is lost"),
    ("\"n=${3 * 1.1}\"", DIGITS),
    ("\"n=${1 - 0.9}\"", DIGITS),
];

/// Functions whose result changes from run to run.
const IMPURE: [(&str, &str); 4] = [
    ("bcrypt", "bcrypt(\"x\")"),
    ("plantimestamp", "plantimestamp()"),
    ("timestamp", "timestamp()"),
    ("uuid", "uuid()"),
];

/// What an expression comes to.
#[derive(Debug)]
enum Answer {
    Known(Json),
    /// Refused, or not known.
    None(String),
}

/// One expression a line; between `<<<` and `>>>` one of several lines.
fn cases() -> Vec<String> {
    let mut paths: Vec<_> = fs::read_dir(Path::new(support::ROOT).join("tests/oracle/cases"))
        .expect("the cases are there")
        .map(|entry| entry.expect("they can be listed").path())
        .collect();
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let text = fs::read_to_string(path).expect("the cases can be read");
        let mut block: Option<String> = None;
        for line in text.lines() {
            match (line, &mut block) {
                ("<<<", None) => block = Some(String::new()),
                (">>>", Some(_)) => cases.extend(block.take()),
                (line, Some(block)) => writeln!(block, "{line}").expect("a string takes all"),
                (line, None) if line.is_empty() || line.starts_with('#') => {}
                (line, None) => cases.push(line.to_owned()),
            }
        }
    }
    cases
}

/// The files that the expressions read.
fn folder_files() -> Vec<(String, String)> {
    let folder = Path::new(support::ROOT).join("tests/oracle/folder");
    let mut files: Vec<(String, String)> = walkdir::WalkDir::new(&folder)
        .into_iter()
        .map(|entry| entry.expect("the folder can be listed"))
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(&folder).expect("it lies there").to_string_lossy().into_owned();
            (path, fs::read_to_string(entry.path()).expect("it is text"))
        })
        .collect();
    files.sort();
    files
}

fn terraform() -> Command {
    let mut command = Command::new("terraform");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TF_") {
            command.env_remove(name);
        }
    }
    command.env("CHECKPOINT_DISABLE", "1").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Whether the comparison can be made.
fn has_terraform() -> bool {
    let found = terraform().arg("version").output().is_ok_and(|output| output.status.success());
    let required = std::env::var("STATEWARD_ORACLES").is_ok_and(|value| value == "required");
    assert!(found || !required, "STATEWARD_ORACLES=required, and there is no terraform");
    if !found {
        println!("skipped: there is no terraform to compare with");
    }
    found
}

/// What Terraform makes of some expressions; None when it refuses them together, or does not know one of them.
fn console(cases: &[&str], files: &[(String, String)]) -> Option<Vec<Json>> {
    let mut text = String::from("locals {\n  all = {\n");
    for (index, case) in cases.iter().enumerate() {
        writeln!(text, "c{index} = try(nonsensitive(jsonencode(\n{case}\n)), \"{REFUSED}\")")
            .expect("a string takes all");
    }
    text.push_str("  }\n}\n");
    let files = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).chain([("cases.tf", text.as_str())]);
    let folder = support::Folder::new(&files.collect::<Vec<_>>());
    let mut child =
        terraform().args(["console", "-no-color"]).current_dir(folder.path()).spawn().expect("terraform starts");
    let mut input = child.stdin.take().expect("it was piped");
    input.write_all(b"base64encode(jsonencode(local.all))\n").expect("terraform reads");
    drop(input);
    let output = child.wait_with_output().expect("terraform ends");
    if !output.status.success() {
        return None;
    }
    // As Base64, because the console quotes strings as HCL does. What is known only after an apply is no string.
    let encoded: String = serde_json::from_slice(&output.stdout).ok()?;
    let decoded = STANDARD.decode(encoded).expect("what base64encode() made");
    let all: BTreeMap<String, Json> = serde_json::from_slice(&decoded).expect("what jsonencode() made");
    Some((0..cases.len()).map(|index| all[&format!("c{index}")].clone()).collect())
}

/// The answers to some expressions; what is refused together is asked again in halves.
fn answers(cases: &[&str], files: &[(String, String)]) -> Vec<Json> {
    if let Some(answers) = console(cases, files) {
        return answers;
    }
    if cases.len() == 1 {
        return vec![Json::from(REFUSED)];
    }
    let (first, second) = cases.split_at(cases.len() / 2);
    let (mut first, second) = rayon::join(|| answers(first, files), || answers(second, files));
    first.extend(second);
    first
}

fn theirs(cases: &[String], files: &[(String, String)]) -> Vec<Answer> {
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    let answers: Vec<Json> = cases.par_chunks(BATCH).flat_map(|batch| answers(batch, files)).collect();
    let answer = |answer: &Json| match answer.as_str() {
        Some(REFUSED) | None => Answer::None("refused".into()),
        Some(text) => Answer::Known(serde_json::from_str(text).expect("what jsonencode() made")),
    };
    answers.iter().map(answer).collect()
}

fn ours(cases: &[String], files: &[(String, String)]) -> Vec<Answer> {
    let locals = cases.iter().enumerate();
    let locals = locals.map(|(at, case)| (format!("case-{at:04}.tf"), format!("locals {{\nc{at} = {case}\n}}\n")));
    let all = files.iter().cloned().chain(locals);
    let tree = Tree::new(all.map(|(path, text)| File::in_memory(&path, text.into_bytes(), true)).collect(), None);
    let parsed: Vec<_> =
        tree.iter().map(|(file, content)| (file, &content.path, hcl::parse(tree.text(file)))).collect();
    let refused: Vec<&str> =
        parsed.iter().filter(|(_, _, tree)| !tree.errors.is_empty()).map(|(_, path, _)| &***path).collect();
    let sources: Vec<Source<'_>> = parsed
        .iter()
        .filter_map(|(file, path, tree)| {
            let kind = match path.rsplit_once('.')?.1 {
                "tf" => SourceKind::Configuration,
                "tfvars" => SourceKind::Variables,
                _ => return None,
            };
            Some(Source { file: *file, path, tree, kind })
        })
        .collect();
    let terraform = Terraform::build(&sources, Options::default(), &tree);
    let root = terraform.tops().next().expect("the folder is a root");
    let answer = |at: usize| {
        if refused.contains(&&*format!("case-{at:04}.tf")) {
            return Answer::None("a syntax error".into());
        }
        match support::as_json(&terraform.local(root, &format!("c{at}"))) {
            Ok(json) => Answer::Known(json),
            Err(reason) => Answer::None(reason),
        }
    };
    (0..cases.len()).map(answer).collect()
}

/// Equal but for the digits that a double has not.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
        }
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}

#[test]
fn expressions_come_out_as_in_terraform() {
    if !has_terraform() {
        return;
    }
    let (cases, files) = (cases(), folder_files());
    let (theirs, ours) = (theirs(&cases, &files), ours(&cases, &files));
    let mut differing = Vec::new();
    for ((case, theirs), ours) in cases.iter().zip(&theirs).zip(&ours) {
        let agree = match (theirs, ours) {
            (Answer::Known(theirs), Answer::Known(ours)) => same(theirs, ours),
            (Answer::None(_), Answer::None(_)) => true,
            _ => false,
        };
        if !agree {
            println!("{}\n    terraform: {theirs:?}\n    stateward: {ours:?}", case.trim_end());
            differing.push(case.trim_end());
        }
    }
    let agreed = cases.len() - differing.len();
    let mut known: Vec<&str> = KNOWN.iter().map(|(case, _)| *case).collect();
    known.sort_unstable();
    println!("{agreed} of {} expressions agree; {} differ, {} listed", cases.len(), differing.len(), known.len());
    assert!(agreed * 100 >= cases.len() * 99, "fewer than 99 % agree");
    differing.sort_unstable();
    assert_eq!(differing, known, "what differs and what is listed with its cause");
}

/// What is known although variables are not is what comes out when they are.
#[test]
fn what_is_known_early_stays() {
    let (cases, files) = (cases(), folder_files());
    let unset: Vec<(String, String)> = files
        .iter()
        .filter(|(path, _)| path != "terraform.tfvars")
        .map(|(path, text)| {
            let given = ["\"web\"", "\"3\"", "0.25", "\"true\"", "false", "null", "[\"ann\", \"bob\"]"];
            let lines =
                text.lines().filter(|line| !given.iter().any(|given| line.trim() == format!("default = {given}")));
            let text = if path == "main.tf" { lines.collect::<Vec<_>>().join("\n") } else { text.clone() };
            (path.clone(), text)
        })
        .collect();
    let mut early = 0;
    for ((case, early_answer), answer) in cases.iter().zip(ours(&cases, &unset)).zip(ours(&cases, &files)) {
        if let Answer::Known(known) = early_answer {
            early += usize::from(case.contains("var."));
            assert!(matches!(&answer, Answer::Known(later) if same(&known, later)), "{case}: {known}, then {answer:?}");
        }
    }
    assert!(early > 50, "only {early}");
}

#[test]
fn every_function_has_a_case() {
    if !has_terraform() {
        return;
    }
    let output = terraform().args(["metadata", "functions", "-json"]).output().expect("terraform starts");
    let listed: Json = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let all = cases().join("\n");
    let missing: Vec<&String> = listed["function_signatures"]
        .as_object()
        .expect("functions by name")
        .keys()
        .filter(|name| !name.contains("::") && !IMPURE.iter().any(|(impure, _)| impure == name))
        .filter(|name| {
            let call = format!("{name}(");
            let begins = |at: usize| !all[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':');
            !all.match_indices(&call).any(|(at, _)| begins(at))
        })
        .collect();
    assert!(missing.is_empty(), "no case calls {missing:?}");
}

#[test]
fn impure_functions_are_unknown_by_name() {
    let calls: Vec<String> = IMPURE.iter().map(|(_, call)| (*call).to_owned()).collect();
    for ((name, call), answer) in IMPURE.iter().zip(ours(&calls, &folder_files())) {
        assert!(matches!(&answer, Answer::None(reason) if reason.contains(name)), "{call}: {answer:?}");
    }
}
