//! For people at a terminal: what, where with the source, why related, what to do.

use super::layout::{Paint, paint, wrap};
use super::snippet::{Window, line_of};
use super::{Report, count, note, place, printable};
use crate::diag::{Finding, Severity};
use crate::text::Loc;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use std::fmt;
use std::io::{self, Write};

/// More related places than this are only counted.
const MAX_NOTES: usize = 12;

/// Writes every new finding with its source, and a summary.
///
/// # Errors
/// When `out` refuses.
pub fn write(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    if report.quiet > 1 {
        return Ok(());
    }
    let mut shown: Vec<&Finding> = report.findings.iter().filter(|finding| finding.new).collect();
    shown.sort_by_key(|finding| finding.loc.file);
    if report.quiet > 0 {
        return shown.iter().try_for_each(|finding| writeln!(out, "{}", one_line(report, finding)));
    }
    let theme = if report.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(super::layout::WIDTH)
        .with_break_words(false)
        .with_urls(false)
        .without_cause_chain()
        .without_syntax_highlighting();
    for finding in shown {
        card(report, &handler, finding, out)?;
    }
    if report.stats {
        statistics(report, out)?;
    }
    writeln!(out, "{}", summary(report))
}

/// A finding for miette.
#[derive(Debug)]
struct Shown {
    code: String,
    message: String,
    severity: miette::Severity,
    window: Option<Window>,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.window.as_ref().map(|window| window as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.window.as_ref().map(|window| Box::new(window.labels.iter().cloned()) as Box<dyn Iterator<Item = _>>)
    }
}

fn card(
    report: &Report<'_>,
    handler: &GraphicalReportHandler,
    finding: &Finding,
    out: &mut impl Write,
) -> io::Result<()> {
    let others: Vec<(Loc, &str)> =
        finding.related.iter().map(|related| (related.loc, related.message.as_str())).collect();
    let (window, labelled) = Window::new(report.tree, finding.loc, label(finding).as_deref(), &others).unzip();
    let mut code = code(finding);
    if window.is_none() {
        code = format!("{code} {}", printable(report.tree.path(finding.loc.file)));
    }
    let message = printable(&finding.message).into_owned();
    let severity = match finding.severity {
        _ if finding.suppressed.is_some() => miette::Severity::Advice,
        Severity::Error => miette::Severity::Error,
        Severity::Warning => miette::Severity::Warning,
        Severity::Info => miette::Severity::Advice,
    };
    let mut text = String::new();
    // Only a formatter that refuses could fail, and a string never does.
    let _ = handler.render_report(&mut text, &Shown { code, message, severity, window });
    out.write_all(text.as_bytes())?;
    notes(report, finding, &labelled.unwrap_or_default(), out)?;
    remedy(report, finding, out)?;
    writeln!(out)
}

/// `error[rule]`.
fn code(finding: &Finding) -> String {
    let covered = if finding.suppressed.is_some() { "suppressed " } else { "" };
    format!("{covered}{}[{}]", finding.severity.as_str(), finding.rule)
}

/// The address, and how many more instances there are.
fn label(finding: &Finding) -> Option<String> {
    let address = finding.address.as_deref()?;
    match finding.instances.len() {
        0 | 1 => Some(address.to_owned()),
        all => Some(format!("{address} and {} more", all - 1)),
    }
}

/// Related places that have no label in the excerpt.
fn notes(report: &Report<'_>, finding: &Finding, labelled: &[usize], out: &mut impl Write) -> io::Result<()> {
    let faint = |line: &str| paint(report.color, Paint::Faint, line);
    let rest = finding.related.iter().enumerate().filter(|(index, _)| !labelled.contains(index));
    for (_, related) in rest.clone().take(MAX_NOTES) {
        let first = format!("  {} ", paint(report.color, Paint::Strong, "note:"));
        write!(out, "{}", wrap(&printable(&note(report.tree, related)), &first, "        "))?;
        if let Some(line) = line_of(report.tree, related.loc) {
            writeln!(out, "        {} {line}", faint("│"))?;
        }
    }
    let left = rest.count().saturating_sub(MAX_NOTES);
    if left > 0 {
        writeln!(out, "  note: and {left} more (--format json lists all)")?;
    }
    Ok(())
}

/// What to do and where to read on.
fn remedy(report: &Report<'_>, finding: &Finding, out: &mut impl Write) -> io::Result<()> {
    let help = |word: &str| format!("  {} ", paint(report.color, Paint::Help, word));
    if !finding.help.is_empty() {
        write!(out, "{}", wrap(&printable(&finding.help), &help("help:"), "        "))?;
    }
    if let Some(fix) = &finding.fix {
        let how = if fix.safe { "--fix does it" } else { "review it: it changes live infrastructure" };
        write!(out, "{}", wrap(&printable(&format!("{} ({how})", fix.title)), &help("fix:"), "       "))?;
    }
    if let Some(suppressed) = &finding.suppressed {
        write!(out, "{}", wrap(&printable(&suppressed.reason), &help("because:"), "        "))?;
    }
    if report.verbose > 0 {
        for instance in &finding.instances {
            writeln!(out, "  instance: {}", printable(instance))?;
        }
        let sentences = report.rule(&finding.rule).map_or(&[][..], |rule| &rule.doctrine);
        for (number, sentence) in sentences {
            write!(out, "{}", wrap(sentence, &format!("  doctrine {number}: "), "        "))?;
        }
    }
    let doctrine =
        if finding.doctrine.is_empty() { String::new() } else { format!("doctrine {}; ", finding.doctrine.join(", ")) };
    let more = format!("  = {doctrine}stateward explain {}", finding.rule);
    writeln!(out, "{}", paint(report.color, Paint::Faint, &more))
}

/// `path:line:column: severity[rule] message`.
fn one_line(report: &Report<'_>, finding: &Finding) -> String {
    let here = place(report.tree, finding.loc);
    let (line, column) = (here.start.line, here.start.column);
    let text = format!("{}:{line}:{column}: {} {}", here.path, code(finding), finding.message);
    printable(&text).replace('\n', " ")
}

fn summary(report: &Report<'_>) -> String {
    let counts = report.counts();
    let mut found = Vec::new();
    for (number, word) in [(counts.error, "error"), (counts.warning, "warning")] {
        if number > 0 {
            found.push(count(number, word));
        }
    }
    if counts.info > 0 {
        found.push(format!("{} info", counts.info));
    }
    let paint_as = match (counts.error, counts.warning) {
        (0, 0) => Paint::Strong,
        (0, _) => Paint::Warning,
        _ => Paint::Error,
    };
    let none = if counts.known > 0 { "No new findings" } else { "No findings" };
    let found = if found.is_empty() { none.to_owned() } else { found.join(", ") };
    let more = if report.stats { "undecided" } else { "undecided (--stats)" };
    let rest = [
        (counts.known, "older than the change"),
        (report.files.skipped, "skipped"),
        (report.files.unreadable, "unreadable"),
        (report.suppressed, "suppressed"),
        (report.undecided_total(), more),
    ];
    let files = count(report.files.judged, "file");
    let mut parts = vec![format!("{} in {files}", paint(report.color, paint_as, &found))];
    parts.extend(rest.into_iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")));
    parts.join("; ")
}

/// Files by kind and by reason, adding up, then what could not be decided.
fn statistics(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let files = &report.files;
    writeln!(out, "{}", paint(report.color, Paint::Strong, "Files"))?;
    parts(&files.by_kind, files.judged, "of other kinds", out)?;
    writeln!(out, "  {:>6}  judged", files.judged)?;
    parts(&files.by_reason, files.skipped, "for other reasons", out)?;
    writeln!(out, "  {:>6}  skipped", files.skipped)?;
    writeln!(out, "  {:>6}  unreadable", files.unreadable)?;
    writeln!(out, "  {:>6}  in all", files.judged + files.skipped + files.unreadable)?;
    if !report.undecided.is_empty() {
        writeln!(out, "{}", paint(report.color, Paint::Strong, "Undecided"))?;
    }
    for undecided in report.undecided {
        let first = place(report.tree, undecided.first);
        let (path, line) = (first.path, first.start.line);
        let entry = format!("{}: {} (first at {path}:{line})", undecided.rule, undecided.because);
        write!(out, "{}", wrap(&printable(&entry), &format!("  {:>6}  ", undecided.count), "          "))?;
    }
    writeln!(out, "{} in {} ms", count(report.rules.len(), "rule"), report.elapsed_ms)
}

/// The parts of a sum, and what is missing to it.
fn parts(parts: &[(String, usize)], sum: usize, other: &str, out: &mut impl Write) -> io::Result<()> {
    for (name, number) in parts {
        writeln!(out, "  {number:>6}    {}", printable(name))?;
    }
    match sum.saturating_sub(parts.iter().map(|(_, number)| number).sum()) {
        left if left > 0 && !parts.is_empty() => writeln!(out, "  {left:>6}    {other}"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Data;
    use super::*;

    fn text(change: impl FnOnce(&mut Report<'_>)) -> String {
        let data = Data::new();
        let mut report = data.report();
        change(&mut report);
        let mut out = Vec::new();
        write(&report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cards() {
        insta::assert_snapshot!(text(|_| ()), @r#"
        error[data-on-root]

          × PostgreSQL keeps /var/lib/postgresql in the root filesystem of pg-ä-1
           ╭─[infra/main.tf:4:1]
         3 │ # One container for each shard.
         4 │ resource "proxmox_lxc" "pg" {
           · ──────────────┬──────────────
           ·               ╰── proxmox_lxc.pg[0] and 1 more
         5 │   rootfs   = "local-lvm"
           ·   ───┬──
           ·      ╰── its root filesystem
         6 │   hostname = "pg-ä-1"
           ╰────
          note: site.yml:1: this play configures it
                │ - hosts: pg
          note: roles/pg sql/tasks/main.yml:1: this task installs PostgreSQL
                │ - name: Install PostgreSQL
          help: Mount a volume that outlives the container.
          = doctrine 2.4.2, 9.3; stateward explain data-on-root

        warning[literal-name]

          ⚠ pg-ä-1 is written twice: 100%
           ╭─[infra/main.tf:6:14]
         5 │   rootfs   = "local-lvm"
         6 │   hostname = "pg-ä-1"
           ·              ────────
         7 │ }
           ╰────
          help: Mount a volume that outlives the container.
          fix: Use var.name (--fix does it)
          = doctrine 2.4.2; stateward explain literal-name

        suppressed error[committed-state] terraform.tfstate

          ☞ State is committed
          help: Mount a volume that outlives the container.
          because: a fixture
          = doctrine 2.4.2; stateward explain committed-state

        1 error, 1 warning in 3 files; 1 older than the change; 2 skipped; 1 unreadable; 1 suppressed; 4 undecided (--stats)
        "#);
    }

    #[test]
    fn figures_add_up() {
        let text = text(|report| {
            report.stats = true;
            report.findings = &[];
        });
        insta::assert_snapshot!(text, @r#"
        Files
               2    Ansible
               1    Terraform
               3  judged
               1    template
               1    vaulted
               2  skipped
               1  unreadable
               6  in all
        Undecided
               4  data-resource-unprotected: var.environment has no default and no tfvars names it (first at
                  infra/main.tf:1)
        4 rules in 31 ms
        No findings in 3 files; 2 skipped; 1 unreadable; 1 suppressed; 4 undecided
        "#);
    }

    #[test]
    fn quiet_is_a_line_each() {
        insta::assert_snapshot!(text(|report| report.quiet = 1), @r#"
        infra/main.tf:4:1: error[data-on-root] PostgreSQL keeps /var/lib/postgresql in the root filesystem of pg-ä-1
        infra/main.tf:6:14: warning[literal-name] pg-ä-1 is written twice: 100%
        terraform.tfstate:1:1: suppressed error[committed-state] State is committed
        "#);
        assert_eq!(text(|report| report.quiet = 2), "");
    }

    #[test]
    fn colours_and_details_when_told() {
        assert!(!text(|_| ()).contains('\u{1b}'));
        let rich = text(|report| {
            report.color = true;
            report.verbose = 1;
        });
        assert!(rich.contains("\u{1b}[31m") && rich.contains("instance: proxmox_lxc.pg[1]"));
        assert!(rich.contains("doctrine 2.4.2: Data outlives compute."));
    }

    #[test]
    fn sources_cannot_steer_the_terminal() {
        let data = Data::new();
        let mut findings = data.findings.clone();
        findings[0].message = "evil \u{1b}]0;title\u{7}".into();
        let mut report = data.report();
        report.findings = &findings;
        let mut out = Vec::new();
        write(&report, &mut out).unwrap();
        assert!(!out.contains(&0x1b) && !out.contains(&7));
    }
}
