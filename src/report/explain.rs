//! A rule's card, for a terminal.

use super::RuleInfo;
use super::layout::{Paint, paint, reflow, wrap};
use crate::diag::Severity;
use std::io::{self, Write};

/// Writes what a rule is about: why, what the doctrine says, an example of each kind, the remedy.
///
/// # Errors
/// When `out` refuses.
pub fn explain(rule: &RuleInfo, out: &mut impl Write, color: bool) -> io::Result<()> {
    let strong = |text: &str| paint(color, Paint::Strong, text);
    let severity = match rule.severity {
        Severity::Error => Paint::Error,
        Severity::Warning => Paint::Warning,
        Severity::Info => Paint::Help,
    };
    writeln!(out, "{}", strong(&rule.id))?;
    write!(out, "{}", wrap(&rule.summary, "", ""))?;
    let graded = paint(color, severity, rule.severity.as_str());
    writeln!(out, "{graded}, {} confidence, family {}", rule.confidence.as_str(), rule.family)?;
    section(out, &strong("Why"), &reflow(&rule.why))?;
    if !rule.doctrine.is_empty() {
        writeln!(out, "\n{}", strong("Doctrine"))?;
        for (number, sentence) in &rule.doctrine {
            let first = format!("  {number}  ");
            let rest = " ".repeat(first.len());
            write!(out, "{}", wrap(sentence, &first, &rest))?;
        }
    }
    for (title, example) in [("Fails", &rule.fails), ("Passes", &rule.passes)] {
        if let Some(example) = example {
            writeln!(out, "\n{}", strong(title))?;
            for line in example.trim_end().lines() {
                writeln!(out, "{}", format!("    {line}").trim_end())?;
            }
        }
    }
    section(out, &strong("What to do"), &reflow(&rule.help))?;
    if rule.help_uri.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint(color, Paint::Help, &rule.help_uri))
}

fn section(out: &mut impl Write, title: &str, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    write!(out, "\n{title}\n{}", wrap(text, "  ", "  "))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Data;
    use super::*;

    #[test]
    fn card() {
        let data = Data::new();
        let mut out = Vec::new();
        explain(&data.rules[1], &mut out, false).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        data-on-root
        Data on a disposable root filesystem.
        error, high confidence, family data-placement

        Why
          The machine is **replaced** as a whole.

          - Its disk goes with it.

        Doctrine
          2.4.2  Data outlives compute.

        Fails
            resource "proxmox_lxc" "pg" {
              rootfs = "local"
            }

        Passes
            mountpoint {
              volume = "/data"
            }

        What to do
          Mount a volume that outlives the container.

        https://example.org/rules/data-on-root
        "#);
    }
}
