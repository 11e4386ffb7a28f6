//! Marks in examples: `#^ rule-id` at a line's end pins the line, a following line `# ^^^^ rule-id` the columns.

use crate::diag::Severity;

/// What a mark says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) rule: String,
    /// In the text without marks, from 1.
    pub(super) line: u32,
    /// First column and the one after the last, from 1, in code points.
    pub(super) columns: Option<(u32, u32)>,
    /// `#^ rule-id (warning)`
    pub(super) severity: Option<Severity>,
}

/// The text without its marks, and what they say.
pub(super) fn cut(text: &str) -> (String, Vec<Pin>) {
    let mut plain = String::with_capacity(text.len());
    let mut pins = Vec::new();
    let mut line = 0;
    for whole in text.split_inclusive('\n') {
        if let Some((columns, names)) = alone(whole) {
            pins.extend(names.into_iter().map(|(rule, severity)| Pin { rule, line: line.max(1), columns, severity }));
            continue;
        }
        line += 1;
        if let Some((kept, names)) = at_end(whole) {
            plain.push_str(kept);
            plain.push_str(if whole.ends_with('\n') { "\n" } else { "" });
            pins.extend(names.into_iter().map(|(rule, severity)| Pin { rule, line, columns: None, severity }));
        } else {
            plain.push_str(whole);
        }
    }
    (plain, pins)
}

type Names = Vec<(String, Option<Severity>)>;

/// A line that is nothing but a mark. With carets right behind the comment sign and only one of them it pins the line
/// above, for lines that take no comment.
fn alone(line: &str) -> Option<(Option<(u32, u32)>, Names)> {
    let trimmed = line.trim_start();
    let after = trimmed.strip_prefix("//").or_else(|| trimmed.strip_prefix('#'))?;
    let carets = after.trim_start();
    let count = carets.bytes().take_while(|byte| *byte == b'^').count();
    let names = names(carets.get(count..)?)?;
    if count == 0 {
        return None;
    }
    if count == 1 && after.len() == carets.len() {
        return Some((None, names));
    }
    let before = line.get(..line.len() - carets.len())?.chars().count();
    let column = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    Some((Some((column(before), column(before + count))), names))
}

/// A line that ends in a mark: what stands before it.
fn at_end(line: &str) -> Option<(&str, Names)> {
    ["#^", "//^"].iter().find_map(|sign| {
        let (before, after) = line.split_once(sign)?;
        Some((before.trim_end(), names(after)?))
    })
}

/// Rule ids, each perhaps with a severity in parentheses.
fn names(text: &str) -> Option<Names> {
    if !text.starts_with(' ') {
        return None;
    }
    let mut names: Names = Vec::new();
    for word in text.split_whitespace() {
        let severity = match word {
            "#^" | "//^" => continue,
            "(error)" => Severity::Error,
            "(warning)" => Severity::Warning,
            "(info)" => Severity::Info,
            word => {
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                if !word.chars().all(plain) || !word.starts_with(|c: char| c.is_ascii_lowercase()) {
                    return None;
                }
                names.push((word.to_owned(), None));
                continue;
            }
        };
        names.last_mut()?.1 = Some(severity);
    }
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_cut_out() {
        let text =
            "a {   #^ one two (info)\n  ü = 1\n  # ^ three\n} //^ four\nx\n#^ five\n# ^^ no Rule\n#^x\nlast #^ six";
        let (plain, pins) = cut(text);
        assert_eq!(plain, "a {\n  ü = 1\n}\nx\n# ^^ no Rule\n#^x\nlast");
        let said: Vec<_> = pins.iter().map(|pin| (&*pin.rule, pin.line, pin.columns, pin.severity)).collect();
        assert_eq!(
            said,
            [
                ("one", 1, None, None),
                ("two", 1, None, Some(Severity::Info)),
                ("three", 2, Some((5, 6)), None),
                ("four", 3, None, None),
                ("five", 4, None, None),
                ("six", 7, None, None),
            ]
        );
        assert_eq!(cut("// ^^^ a").1, [Pin { rule: "a".into(), line: 1, columns: Some((4, 7)), severity: None }]);
        assert_eq!(cut(""), (String::new(), vec![]));
    }
}
