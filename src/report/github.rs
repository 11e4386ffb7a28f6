//! Workflow commands: GitHub shows them as annotations on the lines of a pull request.

use super::{Place, Report, count, note, place};
use crate::diag::{Finding, Severity};
use std::io::{self, Write};

/// Writes a command for each new finding that counts, the most severe first (GitHub shows ten of a level a step),
/// and a summary.
///
/// # Errors
/// When `out` refuses.
pub fn write(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut shown: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.new && finding.suppressed.is_none()).collect();
    shown.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in &shown {
        writeln!(out, "{}", command(report, finding))?;
    }
    let counts = report.counts();
    let found = [count(counts.error, "error"), count(counts.warning, "warning"), format!("{} info", counts.info)];
    writeln!(out, "{} in {}", found.join(", "), count(report.files.judged, "file"))
}

fn command(report: &Report<'_>, finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let Place { path, start, end } = place(report.tree, finding.loc);
    let mut message = vec![finding.message.clone()];
    message.extend(finding.related.iter().map(|related| note(report.tree, related)));
    if !finding.help.is_empty() {
        message.push(format!("help: {}", finding.help.trim_end()));
    }
    message.push(format!("stateward explain {}", finding.rule));
    format!(
        "::{level} file={},line={},endLine={},col={},endColumn={},title={}::{}",
        property(path),
        start.line,
        end.line,
        start.column,
        end.column,
        property(&format!("stateward: {}", finding.rule)),
        data(&message.join("\n")),
    )
}

/// Text after the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Data;
    use super::*;

    #[test]
    fn commands() {
        let data = Data::new();
        let mut out = Vec::new();
        write(&data.report(), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        ::error file=infra/main.tf,line=4,endLine=4,col=1,endColumn=30,title=stateward%3A data-on-root::PostgreSQL keeps /var/lib/postgresql in the root filesystem of pg-ä-1%0Ainfra/main.tf:5: its root filesystem%0Asite.yml:1: this play configures it%0Aroles/pg sql/tasks/main.yml:1: this task installs PostgreSQL%0Ahelp: Mount a volume that outlives the container.%0Astateward explain data-on-root
        ::warning file=infra/main.tf,line=6,endLine=6,col=14,endColumn=22,title=stateward%3A literal-name::pg-ä-1 is written twice: 100%25%0Ahelp: Mount a volume that outlives the container.%0Astateward explain literal-name
        1 error, 1 warning, 0 info in 3 files
        "#);
    }

    #[test]
    fn properties_are_escaped() {
        assert_eq!(property("a,b:c%\r\n"), "a%2Cb%3Ac%25%0D%0A");
        assert_eq!(data("a,b:c%\n"), "a,b:c%25%0A");
    }
}
