//! `stateward test`

use super::catalogue::{self, show};
use super::{USAGE, written};
use crate::engine::{examples, meta};
use crate::rule::card::Card;
use clap::Args as ClapArgs;
use rayon::prelude::*;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `test`.
#[derive(ClapArgs)]
pub(super) struct Args {
    /// The folder with rule files
    #[arg(default_value = ".")]
    folder: PathBuf,
}

/// Runs the examples of every rule file below a folder.
pub(super) fn run(args: &Args) -> ExitCode {
    match test(args) {
        Ok((shown, failed)) => written(io::stdout().write_all(shown.as_bytes()), u8::from(failed)),
        Err(message) => {
            eprintln!("{}", message.trim_end());
            ExitCode::from(USAGE)
        }
    }
}

/// What to print, and whether an example failed.
fn test(args: &Args) -> Result<(String, bool), String> {
    let catalog = meta::catalog();
    let mut cards = catalogue::built_in()?;
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(&args.folder).sort_by_file_name() {
        let entry = entry.map_err(|error| format!("stateward: {error}"))?;
        let path = entry.path();
        if path.extension().is_none_or(|suffix| suffix != "yaml") || !entry.file_type().is_file() {
            continue;
        }
        let text = std::fs::read_to_string(path).map_err(|error| format!("stateward: {}: {error}", path.display()))?;
        let shown = path.to_string_lossy().into_owned();
        let card = Card::load(&shown, &text, &catalog).map_err(|errors| show(&errors, &|_| text.clone()))?;
        cards.retain(|other| other.id != card.id);
        cards.push(card);
        files.push((shown, text));
    }
    if files.is_empty() {
        return Err(format!("stateward: no rule file below {}", args.folder.display()));
    }
    cards.sort_by(|a, b| a.id.cmp(&b.id));
    let reports: Vec<Result<Vec<examples::Report>, String>> = files
        .par_iter()
        .map(|(path, text)| examples::run(path, text, &cards).map_err(|errors| show(&errors, &|_| text.clone())))
        .collect();
    let (mut passed, mut failed) = (0, 0);
    let mut shown = String::new();
    for ((path, _), reports) in files.iter().zip(reports) {
        for report in reports? {
            if report.differences.is_empty() {
                passed += 1;
                continue;
            }
            failed += 1;
            let _ = writeln!(shown, "{path}:{}: {}", report.line, report.example);
            for difference in &report.differences {
                let _ = writeln!(shown, "  {difference}");
            }
        }
    }
    let _ = writeln!(shown, "{} rule files, {passed} examples passed, {failed} failed", files.len());
    Ok((shown, failed > 0))
}
