//! `stateward map`

use super::check::Color;
use super::{USAGE, catalogue, written};
use crate::config::Config;
use crate::diag::Finding;
use crate::engine::{self, Request};
use crate::report::map::{Atlas, graph, html, json, text};
use crate::source::disk;
use clap::{Args as ClapArgs, ValueEnum};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `map`.
#[derive(ClapArgs)]
pub(super) struct Args {
    /// A path in the project
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The form of the map
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A tree
    Text,
    /// For programs
    Json,
    /// For Graphviz
    Dot,
    /// For Markdown
    Mermaid,
    /// A page to look at, in one file
    Html,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    match draw(args) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("{}", message.trim_end());
            ExitCode::from(USAGE)
        }
    }
}

fn draw(args: &Args) -> Result<ExitCode, String> {
    let unreadable = |error: io::Error| format!("stateward: {}: {error}", args.path.display());
    let root = disk::project(&args.path).map_err(unreadable)?;
    let tree = disk::tree(&root).map_err(unreadable)?;
    let mut cards = catalogue::built_in()?;
    let config = Config::at_root(&tree);
    catalogue::add_user_rules(&mut cards, &config, &tree)?;
    let request = Request { today: super::check::today(), chart: true, ..Request::default() };
    let analysis =
        engine::analyse(&tree, &cards, config, &request).map_err(|errors| super::check::show(&tree, &errors))?;
    let findings: Vec<Finding> = analysis.findings.into_iter().filter(|finding| finding.suppressed.is_none()).collect();
    let chart = analysis.chart.unwrap_or_default();
    let project = root.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let atlas = Atlas {
        project: &project,
        tree: &tree,
        chart: &chart,
        findings: &findings,
        color: args.output.is_none() && args.color.wanted(),
        tool_version: env!("CARGO_PKG_VERSION"),
    };
    let Some(file) = &args.output else {
        let mut out = BufWriter::new(io::stdout().lock());
        let result = write(args.format, &atlas, &mut out).and_then(|()| out.flush());
        return Ok(written(result, 0));
    };
    let result = std::fs::File::create(file).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(args.format, &atlas, &mut out)?;
        out.flush()
    });
    result.map_err(|error| format!("stateward: {}: {error}", file.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn write(format: Format, atlas: &Atlas<'_>, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(atlas, out),
        Format::Json => json::write(atlas, out),
        Format::Dot => graph::write_dot(atlas, out),
        Format::Mermaid => graph::write_mermaid(atlas, out),
        Format::Html => html::write(atlas, out),
    }
}
