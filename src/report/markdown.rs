//! Markdown: the summary of a CI job, or a comment.

use super::{Report, count, place, printable};
use crate::diag::Finding;
use std::io::{self, Write};

/// Rows of the table; GitHub cuts a job summary at one mebibyte.
const MAX_ROWS: usize = 500;

/// Writes the counts, and a table of the new findings, the most severe first.
///
/// # Errors
/// When `out` refuses.
pub fn write(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let counts = report.counts();
    writeln!(out, "## Stateward\n")?;
    let found = [count(counts.error, "error"), count(counts.warning, "warning"), format!("{} info", counts.info)];
    let files = &report.files;
    let judged = count(files.judged, "file");
    writeln!(out, "{} in {judged}; {} skipped, {} unreadable", found.join(", "), files.skipped, files.unreadable)?;
    let mut shown: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.new && finding.suppressed.is_none()).collect();
    if shown.is_empty() {
        return Ok(());
    }
    shown.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    writeln!(out, "\n| severity | rule | place | message |\n|---|---|---|---|")?;
    for finding in shown.iter().take(MAX_ROWS) {
        let place = place(report.tree, finding.loc);
        let (severity, rule) = (finding.severity.as_str(), cell(&finding.rule));
        writeln!(
            out,
            "| {severity} | {rule} | {}:{} | {} |",
            cell(place.path),
            place.start.line,
            cell(&finding.message)
        )?;
    }
    if let Some(more) = shown.len().checked_sub(MAX_ROWS).filter(|more| *more > 0) {
        writeln!(out, "\n{more} more are left out of this table.")?;
    }
    Ok(())
}

/// Text that stays in its cell and is no markup.
fn cell(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            '\n' | '\t' => shown.push(' '),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '@' | '#' | '&' | '!' | '$' => {
                shown.extend(['\\', character]);
            }
            _ => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Data;
    use super::*;

    #[test]
    fn a_table() {
        let data = Data::new();
        let mut out = Vec::new();
        write(&data.report(), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        ## Stateward

        1 error, 1 warning, 0 info in 3 files; 2 skipped, 1 unreadable

        | severity | rule | place | message |
        |---|---|---|---|
        | error | data-on-root | infra/main.tf:4 | PostgreSQL keeps /var/lib/postgresql in the root filesystem of pg-ä-1 |
        | warning | literal-name | infra/main.tf:6 | pg-ä-1 is written twice: 100% |
        ");
    }

    #[test]
    fn cells_hold_no_markup() {
        assert_eq!(cell("a|b\n`c` <img>"), "a\\|b \\`c\\` \\<img\\>");
    }
}
