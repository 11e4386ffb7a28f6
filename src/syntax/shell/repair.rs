//! Forms that Bash takes and the grammar does not, written differently at equal length so that offsets stay.

use super::mask::PAINT;
use regex::Regex;
use std::sync::OnceLock;

/// A here-document is looked for over so many lines.
const MAX_BODY: usize = 5000;
/// So many lines are looked at in all.
const MAX_LOOKED: usize = 200_000;

/// The text in forms that the grammar takes.
pub(super) fn repair(text: String) -> String {
    let mut out = text;
    if out.contains("<<") {
        out = without_bodies(&out);
    }
    if out.contains('\\') || out.contains("<>") || out.contains("=~") {
        out = by_line(&out);
    }
    out
}

/// The operators of here-documents in a line: where each stands, whether tabs count, and its last line.
fn operators(line: &str) -> Vec<(std::ops::Range<usize>, bool, &str)> {
    static OPERATOR: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern = r#"<<(-?)[ \t]*(?:'(\w+)'|"(\w+)"|\\?(\w+))"#;
    let Some(operator) = OPERATOR.get_or_init(|| Regex::new(pattern).ok()) else { return Vec::new() };
    let found = operator.captures_iter(line).filter_map(|found| {
        let whole = found.get(0)?;
        let here_string = line[..whole.start()].ends_with('<');
        let name = found.get(2).or(found.get(3)).or(found.get(4))?.as_str();
        (!here_string).then_some((whole.range(), !found[1].is_empty(), name))
    });
    found.collect()
}

/// Blanks here-documents where something other than redirections follows on the line of the operator (`<<EOF; then`), or where
/// one line has several: the grammar loses the rest of the file there.
fn without_bodies(text: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut out = String::with_capacity(text.len());
    let (mut at, mut looked) = (0, 0);
    while let Some(line) = lines.get(at) {
        at += 1;
        let found = if looked < MAX_LOOKED && line.contains("<<") { operators(line) } else { Vec::new() };
        let mut end = at;
        for (_, tabs, name) in &found {
            let is_last = |line: &&str| {
                let line = line.trim_end_matches(['\n', '\r']);
                (if *tabs { line.trim_start_matches('\t') } else { line }) == *name
            };
            // Where none ends it, it was none, such as a shift in arithmetic.
            (end, looked) = match lines.iter().skip(end).take(MAX_BODY).position(is_last) {
                Some(length) => (end + length + 1, looked + length),
                None => (0, looked + MAX_BODY.min(lines.len() - at)),
            };
            if end == 0 {
                break;
            }
        }
        let rest = found.last().map_or("", |(range, ..)| &line[range.end..]);
        let ends = rest.find(';').is_some_and(|at| !rest[..at].contains(['"', '\'', '|', '#']));
        if end <= at || !(ends || found.len() > 1) {
            // The body of another one is copied whole: what looks like an operator in it is text.
            let end = end.max(at);
            out.extend(lines[at - 1..end].iter().copied());
            at = end;
            continue;
        }
        let mut from = 0;
        for (range, ..) in &found {
            out.push_str(&line[from..range.start]);
            out.extend(std::iter::repeat_n(' ', range.len()));
            from = range.end;
        }
        out.push_str(&line[from..]);
        for line in &lines[at..end] {
            out.extend(line.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        }
        at = end;
    }
    out
}

fn by_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut goes_on = false;
    for line in text.split_inclusive('\n') {
        let start = line.len() - line.trim_start().len();
        let (indent, rest) = line.split_at(start);
        out.push_str(indent);
        // `\name` at the start of a line only keeps an alias out of it.
        match rest.strip_prefix('\\').filter(|rest| !goes_on && rest.starts_with(|c: char| c.is_ascii_lowercase())) {
            Some(rest) => {
                out.push(' ');
                out.push_str(rest);
            }
            None => out.push_str(&within_line(rest)),
        }
        goes_on = line.trim_end().ends_with('\\');
    }
    out
}

/// `3<>file` as `3< file`; what is not balanced in a regular expression painted.
fn within_line(line: &str) -> String {
    let digit = |at: usize| line[..at].ends_with(|c: char| c.is_ascii_digit());
    let opened: Vec<usize> = line.match_indices("<>").map(|(at, _)| at).filter(|at| digit(*at)).collect();
    let mut line = line.to_owned();
    for at in opened {
        line.replace_range(at + 1..at + 2, " ");
    }
    let Some(start) = line.find("=~ ").map(|at| at + 3) else { return line };
    let end = [" ]]", " &&", " ||"].iter().filter_map(|end| line[start..].find(end)).min();
    let Some(end) = end.map(|end| start + end).filter(|end| !line[start..*end].contains(['"', '\'', '$', '`'])) else {
        return balanced_before_dollar(line, start);
    };
    paint_loose(&mut line, start, end);
    line
}

/// As a whole a pattern with `$` in it may hold variables; one that only ends with it holds none.
fn balanced_before_dollar(mut line: String, start: usize) -> String {
    let Some(end) = line[start..].find("$ ]]").map(|end| start + end) else { return line };
    if !line[start..end].contains(['"', '\'', '$', '`', ' ']) {
        paint_loose(&mut line, start, end);
    }
    line
}

/// Paints `]` that nothing opened, and `|` that nothing stands before.
fn paint_loose(line: &mut String, start: usize, end: usize) {
    let mut open = false;
    let mut before = ' ';
    let mut out = String::with_capacity(end - start);
    for c in line[start..end].chars() {
        let loose = c == ']' && !open || c == '|' && before == '(';
        open = (open || c == '[') && c != ']';
        out.push(if loose { PAINT } else { c });
        before = c;
    }
    line.replace_range(start..end, &out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_stay_and_forms_change() {
        for (text, expected) in [
            ("if a <<'X'; then\nb ä\nX\nc\nfi\n", "if a      ; then\n    \n \nc\nfi\n"),
            ("a <<A <<B\n1\nA\n2\nB\nc\n", "a        \n \n \n \n \nc\n"),
            ("a <<A\nb <<B; c\nA\n", "a <<A\nb <<B; c\nA\n"),
            ("a <<< \"x\"; b\n", "a <<< \"x\"; b\n"),
            ("a <<A | b; c\nx\nA\n", "a <<A | b; c\nx\nA\n"),
            ("a=$((1<<n)); b\n", "a=$((1<<n)); b\n"),
            ("exec 3<>/dev/x\n", "exec 3< /dev/x\n"),
            ("  \\ls a\n", "   ls a\n"),
            ("a \\\n\\b\n", "a \\\n\\b\n"),
            ("[[ $a =~ ^(b])$ ]]\n", "[[ $a =~ ^(b\u{1})$ ]]\n"),
            ("[[ $a =~ ^[yY]$ ]]\n", "[[ $a =~ ^[yY]$ ]]\n"),
            ("[[ $a =~ x(|y) ]]\n", "[[ $a =~ x(\u{1}y) ]]\n"),
        ] {
            let repaired = repair(text.to_owned());
            assert_eq!((repaired.as_str(), repaired.len()), (expected, text.len()), "{text}");
        }
    }
}
