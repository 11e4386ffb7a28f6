//! Units of systemd and Podman: sections, keys that may stand several times, values over several lines.

use crate::text::Span;

/// One setting of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'t> {
    /// The section, without its brackets.
    pub section: &'t str,
    /// The key.
    pub key: &'t str,
    /// Where the value stands: to the end of its last line, with the backslashes that continue it.
    pub value: Span,
}

/// The settings of a unit, in order; whatever is none is left out.
#[must_use]
pub fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    let (mut at, mut section) = (0, "");
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let start = at;
        let first = rest.split_inclusive('\n').next().unwrap_or(rest);
        at += first.len();
        let line = first.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
            continue;
        }
        if continues(first) {
            for line in rest[first.len()..].split_inclusive('\n') {
                at += line.len();
                // A comment between continued lines ends nothing.
                if !continues(line) && !line.trim_start().starts_with(['#', ';']) {
                    break;
                }
            }
        }
        let whole = text.get(start..at).unwrap_or("");
        let Some((key, value)) = whole.split_once('=') else { continue };
        let end = start + whole.trim_end().len();
        let value = start + whole.len() - value.trim_start_matches([' ', '\t']).len();
        entries.push(Entry { section, key: key.trim(), value: Span::new(value.min(end), end) });
    }
    entries
}

fn continues(line: &str) -> bool {
    line.trim_end_matches(['\n', '\r']).ends_with('\\')
}

/// Whether a setting runs a command.
#[must_use]
pub fn runs(key: &str) -> bool {
    matches!(
        key,
        "ExecCondition" | "ExecStart" | "ExecStartPre" | "ExecStartPost" | "ExecReload" | "ExecStop" | "ExecStopPost"
    )
}

/// The command of a setting that runs one: what stands before the program says how it is run.
#[must_use]
pub fn command(text: &str, value: Span) -> Span {
    let command = value.slice(text).trim_start_matches(['-', '@', '+', '!', ':', '|']);
    Span { start: value.end - Span::new(0, command.len()).end, end: value.end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_repeat_and_values_go_on() {
        let text = "# a\n[Unit]\nAfter = b\n\n[Service]\nExecStartPre=-/bin/a \\\n  b \\\n# c\n  d\nExecStart=\nodd\nExecStart=/bin/e";
        let found: Vec<(&str, &str, &str)> =
            entries(text).iter().map(|entry| (entry.section, entry.key, entry.value.slice(text))).collect();
        assert_eq!(
            found,
            [
                ("Unit", "After", "b"),
                ("Service", "ExecStartPre", "-/bin/a \\\n  b \\\n# c\n  d"),
                ("Service", "ExecStart", ""),
                ("Service", "ExecStart", "/bin/e"),
            ]
        );
        let value = entries(text)[1].value;
        assert!(command(text, value).slice(text).starts_with("/bin/a"));
        assert!(runs("ExecStop") && !runs("ExecSearchPath") && !runs("Environment"));
        assert!(entries("").is_empty() && entries("[\n=\\").len() == 1);
    }
}
