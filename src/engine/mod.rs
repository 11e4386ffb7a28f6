//! Applying rules to facts: reading, joining, judging, excepting, in that order.

pub mod earlier;
pub mod examples;
pub mod meta;
mod run;
pub mod select;
pub mod suppress;

use crate::chart::Chart;
use crate::config::{Config, ConfigError};
use crate::diag::{Finding, Undecided};
use crate::estate::{Estate, Parts, chart};
use crate::model::agents::Agents;
use crate::model::annotation::{self, Remark};
use crate::model::ansible::Ansible;
use crate::model::command::{self, Command};
use crate::model::git::Repository;
use crate::model::load::{Documents, Options, Outcome as Read};
use crate::model::packer::Packer;
use crate::model::terraform::{self, Source, Terraform};
use crate::rule::card::{Card, CardError};
use crate::rule::subject::{Row, Schema};
use crate::rule::subjects::TABLES;
use crate::source::Tree;
use rayon::prelude::*;
use run::{Ground, Outcome};
pub use select::Request;
use std::collections::BTreeMap;

/// What a run found.
#[derive(Debug, Default)]
pub struct Analysis {
    /// Findings in path and line order, suppressed ones marked.
    pub findings: Vec<Finding>,
    /// What tells each of them apart wherever in its folder it stands.
    traces: Vec<Option<u64>>,
    /// What could not be decided, by rule and reason.
    pub undecided: Vec<Undecided>,
    /// How many files were judged.
    pub judged: usize,
    /// How many files were skipped.
    pub skipped: usize,
    /// How many files could not be read (whole or in part).
    pub unreadable: usize,
    /// Skipped files by reason.
    pub by_reason: BTreeMap<&'static str, usize>,
    /// Judged and unreadable files by kind.
    pub by_kind: BTreeMap<&'static str, usize>,
    /// Whether a file that its own tool has to read could not be read.
    pub incomplete: bool,
    /// The ownership map, when it was asked for.
    pub chart: Option<Chart>,
}

/// The built-in cards.
///
/// # Errors
/// What is wrong with them; tests hold that nothing is.
pub fn built_in() -> Result<Vec<Card>, Vec<CardError>> {
    Card::built_in(&meta::catalog())
}

/// Judges a tree.
///
/// # Errors
/// What is wrong with the configuration: then nothing is judged.
pub fn analyse(tree: &Tree, cards: &[Card], config: Config, request: &Request) -> Result<Analysis, Vec<ConfigError>> {
    with_estate(tree, cards, config, request, &mut |estate, mut analysis| {
        analysis.chart = request.chart.then(|| chart::draw(estate));
        analysis
    })
}

/// The same, and what `then` makes of the estate and the analysis.
fn with_estate<T>(
    tree: &Tree,
    cards: &[Card],
    mut config: Config,
    request: &Request,
    then: &mut dyn FnMut(&Estate<'_>, Analysis) -> T,
) -> Result<T, Vec<ConfigError>> {
    let options = Options { exclude: config.exclude.clone() };
    let documents = Documents::load(tree, &options);
    config.add_nested(&documents);
    let mut errors = std::mem::take(&mut config.errors);
    errors.extend(select::check(&config, cards));
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.loc);
        return Err(errors);
    }
    let sources = terraform::sources(&documents);
    let ephemeral = |path: &str| config.is_ephemeral(path);
    let ((commands, ansible), ((repository, agents), remarks)) = rayon::join(
        || {
            let commands = command::of_documents(&documents);
            let ansible = Ansible::run_by(&documents, &commands);
            (commands, ansible)
        },
        || rayon::join(|| (Repository::new(&documents), Agents::read(&documents)), || annotation::remarks(&documents)),
    );
    let options = terraform_options(&config, &documents, &commands, &sources);
    let terraform = Terraform::build(&sources, options, tree);
    let packer = Packer::run_by(&documents, &commands);
    let parts = Parts {
        documents: &documents,
        repository: &repository,
        agents: &agents,
        remarks: &remarks,
        terraform: &terraform,
        ansible: &ansible,
        packer: &packer,
        ephemeral: &ephemeral,
        commands,
        before: request.earlier.as_ref().map(|earlier| &earlier.held),
    };
    let estate = Estate::join(parts);
    let ground = Ground { tree, documents: &documents, config: &config, request };
    let outcome = judge(&ground, cards, &estate, &documents);
    let analysis = conclude(&ground, cards, outcome, &remarks, &documents);
    Ok(then(&estate, analysis))
}

/// How Terraform is run: by commands, and as the configuration says.
fn terraform_options<'t>(
    config: &Config,
    documents: &'t Documents<'t>,
    commands: &'t [Command],
    sources: &[Source<'t>],
) -> terraform::Options {
    let path = |command: &Command| documents.tree.path(command.loc.file);
    let mut runs = terraform::runs(commands, sources, documents.tree, &path);
    terraform::name_files(&config.var_files, sources, &mut runs);
    terraform::Options { runs, roots: config.roots.clone() }
}

/// The cards that read a table.
fn reading<'c>(cards: &'c [Card], schema: &'static Schema) -> Vec<&'c Card> {
    cards.iter().filter(|card| card.entries.iter().any(|entry| std::ptr::eq(entry.subject, schema))).collect()
}

fn judge<'m>(ground: &Ground<'_>, cards: &[Card], estate: &'m Estate<'m>, documents: &Documents<'_>) -> Outcome {
    let of_tables: Vec<Outcome> = TABLES
        .par_iter()
        .map(|table| {
            let readers = reading(cards, (table.schema)());
            if readers.is_empty() {
                return Outcome::default();
            }
            run::guarded(&readers, || run::table(ground, &readers, &(table.rows)(estate)))
        })
        .collect();
    let mut whole = Outcome::default();
    for outcome in of_tables {
        add(&mut whole, outcome);
    }
    add(&mut whole, meta_table(ground, cards, &meta::problems(documents)));
    add(&mut whole, meta_table(ground, cards, &meta::exceptions(ground.config, &ground.request.today)));
    whole
}

fn add(whole: &mut Outcome, part: Outcome) {
    whole.findings.extend(part.findings);
    whole.undecided.extend(part.undecided);
}

fn meta_table(ground: &Ground<'_>, cards: &[Card], rows: &[Row<'_>]) -> Outcome {
    let Some(first) = rows.first() else { return Outcome::default() };
    run::table(ground, &reading(cards, first.schema()), rows)
}

fn conclude(
    ground: &Ground<'_>,
    cards: &[Card],
    mut outcome: Outcome,
    remarks: &[Remark],
    documents: &Documents<'_>,
) -> Analysis {
    let (tree, request) = (ground.tree, ground.request);
    let mut comments = suppress::comments(remarks, &request.today);
    if !request.no_ignores {
        suppress::apply(&mut outcome.findings, &mut comments, ground.config, tree, &request.today);
        let known = |rule: &str| cards.iter().any(|card| card.id == rule);
        let rows = meta::suppressions(&comments, known);
        let own = meta_table(ground, cards, &rows);
        outcome.findings.extend(own.findings);
    }
    let mut analysis = Analysis { undecided: outcome.undecided, ..Analysis::default() };
    let today = |path| request.renamed.get(path).map_or(path, |renamed| &**renamed);
    let traces = run::finish(&mut outcome.findings, tree, &today);
    if let Some(earlier) = &request.earlier {
        earlier.mark(&mut outcome.findings, &traces);
    }
    let found = outcome.findings.into_iter().zip(traces);
    (analysis.findings, analysis.traces) =
        found.filter(|(finding, _)| request.reports(tree.path(finding.loc.file))).unzip();
    analysis.undecided.sort_by(|a, b| (&a.rule, &a.because).cmp(&(&b.rule, &b.because)));
    for read in &documents.outcomes {
        match read {
            Read::Judged(kind) => {
                analysis.judged += 1;
                *analysis.by_kind.entry(kind.label()).or_default() += 1;
            }
            Read::Unreadable(kind) => {
                analysis.unreadable += 1;
                *analysis.by_kind.entry(kind.label()).or_default() += 1;
                analysis.incomplete |= kind.must_parse();
            }
            Read::Skipped(skip) => {
                analysis.skipped += 1;
                *analysis.by_reason.entry(skip.label()).or_default() += 1;
            }
        }
    }
    analysis.skipped += tree.submodules.len();
    if !tree.submodules.is_empty() {
        *analysis.by_reason.entry("submodule").or_default() += tree.submodules.len();
    }
    analysis
}
