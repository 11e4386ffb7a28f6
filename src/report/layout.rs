//! Paragraphs and colours for a terminal.

/// The width that running text is wrapped at, in characters.
pub(super) const WIDTH: usize = 100;

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// A help text or a link.
    Help,
    /// A heading.
    Strong,
    /// Of less interest.
    Faint,
}

/// `text` in its colour, or as it is.
pub(super) fn paint(color: bool, paint: Paint, text: &str) -> String {
    if !color {
        return text.to_owned();
    }
    let code = match paint {
        Paint::Error => "31",
        Paint::Warning => "33",
        Paint::Help => "36",
        Paint::Strong => "1",
        Paint::Faint => "2",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// Breaks running text between words at [`WIDTH`]; each line of `text` starts a line of its own.
/// `first` stands before the first line, `rest` before the others; both count as wide as `rest` is.
pub(super) fn wrap(text: &str, first: &str, rest: &str) -> String {
    let room = WIDTH.saturating_sub(rest.chars().count()).max(20);
    let mut out = String::from(first);
    for (index, line) in text.trim_end().lines().enumerate() {
        if index > 0 {
            out.push('\n');
            out.push_str(if line.trim().is_empty() { "" } else { rest });
        }
        wrap_line(line, room, rest, &mut out);
    }
    out.push('\n');
    out
}

fn wrap_line(line: &str, room: usize, rest: &str, out: &mut String) {
    // What is indented is laid out already: lists go on below their text, code stays as it is.
    let indent = line.len() - line.trim_start().len();
    if indent >= 4 {
        out.push_str(line);
        return;
    }
    let item = if line.trim_start().starts_with(['-', '*']) { indent + 2 } else { indent };
    out.push_str(line.get(..indent).unwrap_or(""));
    let mut used = indent;
    let mut fresh = true;
    for word in line.split_whitespace() {
        let width = word.chars().count();
        if !fresh && used + 1 + width > room {
            out.push('\n');
            out.push_str(rest);
            out.extend(std::iter::repeat_n(' ', item));
            used = item;
            fresh = true;
        }
        if !fresh {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += width;
        fresh = false;
    }
}

/// Markdown as paragraphs: the lines of a paragraph are joined, items and fenced code stay apart.
pub(super) fn reflow(markdown: &str) -> String {
    let mut out = String::new();
    let mut fenced = false;
    let mut open = false;
    for line in markdown.trim_end().lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            open = false;
            continue;
        }
        let text = line.trim();
        let item = text.starts_with("- ") || text.starts_with("* ");
        if fenced || text.is_empty() || item || !open {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(if fenced { "    " } else { "" });
            out.push_str(if fenced { line } else { text });
            open = !fenced && !text.is_empty();
        } else {
            out.push(' ');
            out.push_str(text);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_code_is_not() {
        let long = "word ".repeat(30);
        let wrapped = wrap(&long, "  help: ", "        ");
        assert_eq!(wrapped.lines().count(), 2);
        assert!(wrapped.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(wrapped.lines().nth(1).unwrap().starts_with("        word"));
        let code = format!("    {}", "x ".repeat(80));
        assert_eq!(wrap(&code, "", "").lines().count(), 1);
        assert_eq!(wrap("", "a: ", "   "), "a: \n");
    }

    #[test]
    fn paragraphs_are_joined() {
        assert_eq!(reflow("a\nb\n\n- c\n  d\n- e\n```hcl\nx = 1\n```\nf\n"), "a b\n\n- c d\n- e\n    x = 1\nf");
    }

    #[test]
    fn colours_only_when_told() {
        assert_eq!(paint(false, Paint::Error, "x"), "x");
        assert_eq!(paint(true, Paint::Error, "x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
