//! `stateward check`

use super::catalogue::{self, rule_infos};
use super::{USAGE, written};
use crate::config::{Config, ConfigError};
use crate::diag::{Finding, Severity};
use crate::engine::earlier::Earlier;
use crate::engine::{self, Analysis, Request};
use crate::model::git::past;
use crate::model::kind::{self, Candidate};
use crate::report::{self, Files, Report, RuleInfo};
use crate::rule::card::Card;
use crate::source::change::{self, Change};
use crate::source::{Tree, disk};
use clap::{ArgAction, Args as ClapArgs, ValueEnum};
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

/// Arguments of `check`.
#[derive(ClapArgs)]
pub(super) struct Args {
    /// Files and folders to report on; everything around them is read all the same
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// The form of the report on standard output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Also write a report to a file, such as `sarif=stateward.sarif` (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = output)]
    output: Vec<(Format, PathBuf)>,
    /// The least severity that fails the run
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
    /// Only these rules or families
    #[arg(long, value_name = "RULE|FAMILY", value_delimiter = ',')]
    select: Vec<String>,
    /// None of these rules or families
    #[arg(long, value_name = "RULE|FAMILY", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Report what suppressions hide, and judge as if there were none
    #[arg(long)]
    no_ignores: bool,
    /// Show suppressed findings, marked as such
    #[arg(long)]
    show_suppressed: bool,
    /// Use this configuration file instead of the project's own
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,
    /// Use no configuration file
    #[arg(long)]
    no_config: bool,
    /// A variable file that Terraform is run with, instead of those that scripts name (repeatable)
    #[arg(long, value_name = "FILE")]
    var_file: Vec<PathBuf>,
    /// Judge the index, as the next commit will be; what the last commit had already does not fail the run
    #[arg(long, conflicts_with_all = ["since", "history"])]
    staged: bool,
    /// What was there when the work tree left REF does not fail the run
    #[arg(long, value_name = "REF", conflicts_with = "history")]
    since: Option<String>,
    /// Also look for state in earlier commits of the branch that is checked out
    #[arg(long)]
    history: bool,
    /// How many threads to use (default: one for each core)
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Print what became of every file, and what could not be decided
    #[arg(long)]
    stats: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
    /// One line a finding; twice: nothing
    #[arg(short, long, action = ArgAction::Count)]
    quiet: u8,
    /// Show instances and the doctrine's sentences
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
    Sarif,
    Github,
    Markdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Whether standard output gets colours.
    pub(super) fn wanted(self) -> bool {
        let quiet = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self {
            Self::Auto => io::stdout().is_terminal() && !quiet,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

fn output(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("expected FORMAT=FILE")?;
    Ok((Format::from_str(format, true)?, PathBuf::from(file)))
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let started = Instant::now();
    if let Some(threads) = args.threads {
        // A second pool in one process cannot be, and is no matter.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    }
    match analyse(args) {
        Ok(done) => finish(args, &done, started),
        Err(message) => {
            eprintln!("{}", message.trim_end());
            ExitCode::from(USAGE)
        }
    }
}

struct Done {
    tree: Tree,
    analysis: Analysis,
    cards: Vec<Card>,
    fail_on: Option<Severity>,
    /// Whether there was a revision before.
    changed: bool,
}

fn analyse(args: &Args) -> Result<Done, String> {
    let first = args.paths.first().map_or(Path::new("."), PathBuf::as_path);
    let unreadable = |path: &Path, error: io::Error| format!("stateward: {}: {error}", path.display());
    let root = disk::project(first).map_err(|error| unreadable(first, error))?;
    let inside = |path: &PathBuf| {
        let full = path.canonicalize().map_err(|error| unreadable(path, error))?;
        let relative = full
            .strip_prefix(&root)
            .map_err(|_| format!("stateward: {} lies outside the project {}", path.display(), root.display()))?;
        Ok::<String, String>(relative.to_string_lossy().replace('\\', "/"))
    };
    let paths = args.paths.iter().map(inside).collect::<Result<Vec<String>, String>>()?;
    let var_files = args.var_file.iter().map(inside).collect::<Result<Vec<String>, String>>()?;
    let Change { after: mut tree, before } = revisions(args, &root)?;
    let mut cards = catalogue::built_in()?;
    let mut config = load_config(args, &tree)?;
    config.var_files.extend(var_files.iter().cloned());
    catalogue::add_user_rules(&mut cards, &config, &tree)?;
    check_names(args, &cards)?;
    if !config.knowledge.is_empty() {
        eprintln!("stateward: `knowledge:` is not read by this release; the built-in tables are used");
    }
    match args.fail_on {
        Some(FailOn::Error) => config.fail_on = Some(Severity::Error),
        Some(FailOn::Warning) => config.fail_on = Some(Severity::Warning),
        Some(FailOn::Info) => config.fail_on = Some(Severity::Info),
        Some(FailOn::Never) => config.fail_on = None,
        None => {}
    }
    if args.history {
        tree = with_history(tree, &root, &config);
    }
    let (fail_on, changed) = (config.fail_on, before.is_some());
    let mut request = Request {
        select: args.select.clone(),
        ignore: args.ignore.clone(),
        no_ignores: args.no_ignores,
        today: today(),
        paths,
        ..Request::default()
    };
    if let Some(before) = before {
        let load = |tree: &Tree| {
            let mut config = load_config(args, tree).unwrap_or_default();
            config.var_files.extend(var_files.iter().cloned());
            config
        };
        let earlier = Earlier::of(&before, &cards, &load, &request).map_err(|errors| show(&before.tree, &errors))?;
        request.earlier = Some(Arc::new(earlier));
    }
    let analysis = engine::analyse(&tree, &cards, config, &request).map_err(|errors| show(&tree, &errors))?;
    Ok(Done { tree, analysis, cards, fail_on, changed })
}

/// What is judged, and what was there before it when only a change counts.
fn revisions(args: &Args, root: &Path) -> Result<Change, String> {
    // Of what no tool would read, the beginning tells enough.
    let keep = |path: &str| !matches!(kind::by_path(path), Candidate::Not(_));
    // For a range of commits pre-commit says where it begins, and checks out its end.
    let from = std::env::var("PRE_COMMIT_FROM_REF").ok().filter(|from| args.staged && !from.is_empty());
    let since = args.since.clone().or(from);
    if args.staged && since.is_none() {
        return change::staged(root, &keep);
    }
    let tree = disk::tree(root).map_err(|error| format!("stateward: {}: {error}", root.display()))?;
    let tree = past::with_absent(tree);
    match since {
        Some(since) => change::since(root, tree, &since, &keep),
        None => Ok(Change { after: tree, before: None }),
    }
}

/// The tree with its history beside it; what history cannot tell is said.
fn with_history(tree: Tree, root: &Path, config: &Config) -> Tree {
    let excluded = |path: &str| config.exclude.as_ref().is_some_and(|globs| globs.is_match(path));
    let (tree, found) = past::with_history(tree, root, &excluded);
    match found {
        None => eprintln!("stateward: --history: there is no Git history here"),
        Some(found) => {
            if found.shallow {
                eprintln!(
                    "stateward: --history: the clone is shallow; older commits were not seen (`git fetch --unshallow`)"
                );
            }
            if found.cut {
                eprintln!(
                    "stateward: --history: some contents are too large, too many or not in this clone; they were not read"
                );
            }
        }
    }
    tree
}

fn load_config(args: &Args, tree: &Tree) -> Result<Config, String> {
    if args.no_config {
        return Ok(Config { fail_on: Some(Severity::Warning), ..Config::default() });
    }
    let Some(file) = &args.config else { return Ok(Config::at_root(tree)) };
    let bytes = std::fs::read(file).map_err(|error| format!("stateward: {}: {error}", file.display()))?;
    let own = Tree::new(vec![crate::source::File::in_memory(disk::CONFIG, bytes, true)], None);
    let config = Config::at_root(&own);
    if config.errors.is_empty() { Ok(config) } else { Err(show(&own, &config.errors)) }
}

/// A misspelt rule on the command line would otherwise select nothing, silently.
fn check_names(args: &Args, cards: &[Card]) -> Result<(), String> {
    let known = |name: &String| cards.iter().any(|card| card.id == *name || card.family == *name);
    match args.select.iter().chain(&args.ignore).find(|name| !known(name)) {
        Some(name) => Err(format!("stateward: there is no rule or family `{name}`; `stateward rules` lists them")),
        None => Ok(()),
    }
}

/// Mistakes in configuration files, with line and caret.
pub(super) fn show(tree: &Tree, errors: &[ConfigError]) -> String {
    use std::fmt::Write as _;
    let mut shown = String::new();
    for error in errors {
        let (start, end) = tree.positions(error.loc);
        let text = tree.text(error.loc.file);
        let line = tree
            .file(error.loc.file)
            .text()
            .map_or("", |text| text.lines().line_span(&text.text, start.line).slice(&text.text));
        let width = if end.line == start.line { (end.column - start.column).max(1) as usize } else { 1 };
        let indent = " ".repeat(start.column as usize - 1);
        let _ = writeln!(shown, "{}:{}:{}: {}", tree.path(error.loc.file), start.line, start.column, error.message);
        if !text.is_empty() {
            let _ = writeln!(shown, "  | {line}\n  | {indent}{}", "^".repeat(width));
        }
    }
    shown
}

/// The day of the run: that of `SOURCE_DATE_EPOCH`, else today (UTC).
pub(super) fn today() -> String {
    let set = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.trim().parse::<u64>().ok());
    let now =
        || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
    day(set.unwrap_or_else(now) / 86_400)
}

/// A day by its number since 1970-01-01, by the proleptic Gregorian calendar.
fn day(number: u64) -> String {
    let mut days = number;
    let mut year = 1970_u64;
    let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", days + 1)
}

fn finish(args: &Args, done: &Done, started: Instant) -> ExitCode {
    let analysis = &done.analysis;
    let suppressed = analysis.findings.iter().filter(|finding| finding.suppressed.is_some()).count();
    let shown: Vec<Finding> = analysis
        .findings
        .iter()
        .filter(|finding| args.show_suppressed || finding.suppressed.is_none())
        .cloned()
        .collect();
    let rules = rule_infos(&done.cards);
    let counts = |map: &std::collections::BTreeMap<&'static str, usize>| {
        map.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    let report = Report {
        tree: &done.tree,
        findings: &shown,
        undecided: &analysis.undecided,
        rules: &rules,
        files: Files {
            judged: analysis.judged,
            skipped: analysis.skipped,
            unreadable: analysis.unreadable,
            by_reason: counts(&analysis.by_reason),
            by_kind: counts(&analysis.by_kind),
        },
        suppressed,
        elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        stats: args.stats,
        verbose: args.verbose,
        quiet: args.quiet,
        color: args.color.wanted(),
        tool_version: env!("CARGO_PKG_VERSION"),
    };
    if analysis.judged + analysis.unreadable == 0 {
        eprintln!("stateward: nothing here to judge");
    }
    for (format, file) in &args.output {
        let plain = Report { color: false, ..report.clone() };
        let result = File::create(file).and_then(|file| {
            let mut out = BufWriter::new(file);
            write(*format, &plain, &mut out)?;
            out.flush()
        });
        if let Err(error) = result {
            eprintln!("stateward: {}: {error}", file.display());
            return ExitCode::from(USAGE);
        }
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let result = write(args.format, &report, &mut out).and_then(|()| out.flush());
    written(result, code(done))
}

fn write(format: Format, report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Human => report::human::write(report, out),
        Format::Json => report::json::write(report, out),
        Format::Sarif => report::sarif::write(report, out),
        Format::Github => report::github::write(report, out),
        Format::Markdown => report::markdown::write(report, out),
    }
}

/// An unreadable file alone gives 3, never 1: it is said by the exit code that the judgement is not whole. One that was so before
/// the change is no reason to stop it.
fn code(done: &Done) -> u8 {
    let unread = |finding: &Finding| finding.rule == "unreadable-file" && finding.new;
    let incomplete = done.analysis.incomplete && (!done.changed || done.analysis.findings.iter().any(unread));
    let fails = |finding: &Finding| {
        finding.suppressed.is_none()
            && finding.new
            && finding.rule != "unreadable-file"
            && done.fail_on.is_some_and(|least| finding.severity >= least)
    };
    match (done.analysis.findings.iter().any(fails), incomplete) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => 0,
    }
}

/// Rules with their documentation, for reports.
pub(super) type Rules = Vec<RuleInfo>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(19_782), "2024-02-29");
        assert_eq!(day(20_454), "2026-01-01");
    }
}
