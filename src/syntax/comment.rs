//! Comments of every language, for suppressions and annotations.

use crate::text::Span;

/// How a file writes comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `#` where a word could start, line by line (YAML, INI, Dockerfile); in block scalars too.
    Hash,
    /// `#`, `//` and `/* */` outside strings and heredocs.
    Hcl,
    /// `#` where a word could start, outside quotes and here-documents.
    Shell,
    /// `#` where a word could start, recipes included.
    Make,
    /// `//` and `/* */` outside strings.
    Json,
    /// `<!-- -->` outside fenced code.
    Markdown,
}

/// A comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment<'t> {
    /// From its first mark to its end, line break left out.
    pub span: Span,
    /// What it says, marks and the blanks around left out.
    pub text: &'t str,
    /// Whether nothing stands before it on its line.
    pub own_line: bool,
}

/// All comments of a text.
#[must_use]
pub fn comments(text: &str, language: Language) -> Vec<Comment<'_>> {
    let mut scan = Scan { text, at: 0, comments: Vec::new(), endless: false };
    match language {
        Language::Hash | Language::Make => scan.lines(),
        Language::Hcl => scan.braces(true),
        Language::Json => scan.braces(false),
        Language::Markdown => scan.markdown(),
        Language::Shell => {
            if !scan.shell() {
                // A quote that never closes: better comments too many than a lost suppression.
                scan.at = 0;
                scan.comments.clear();
                scan.lines();
            }
        }
    }
    scan.comments
}

/// The comments that hold `needle`; costs next to nothing when the text does not.
#[must_use]
pub fn find<'t>(text: &'t str, language: Language, needle: &str) -> Vec<Comment<'t>> {
    if memchr::memmem::find(text.as_bytes(), needle.as_bytes()).is_none() {
        return Vec::new();
    }
    let mut found = comments(text, language);
    found.retain(|comment| comment.text.contains(needle));
    found
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    comments: Vec<Comment<'t>>,
    /// A heredoc that never ends was met: what looks like one from here on is not searched for its end again.
    endless: bool,
}

impl<'t> Scan<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// Whether a word could start at `at`.
    fn word_start(&self, at: usize, also: &[u8]) -> bool {
        let Some(before) = at.checked_sub(1).map(|before| self.byte(before)) else { return true };
        before.is_ascii_whitespace() || also.contains(&before)
    }

    /// Takes the comment from here to `end`.
    fn take(&mut self, end: usize) {
        let start = self.at;
        let whole = self.text.get(start..end).unwrap_or("");
        let whole = whole.trim_end_matches(['\r', '\n']);
        let inner = match whole.as_bytes() {
            [b'/', b'*', ..] => whole.trim_start_matches(['/', '*']).trim_end_matches(['/', '*']),
            [b'<', ..] => {
                let inner = whole.strip_prefix("<!--").unwrap_or(whole);
                inner.strip_suffix("-->").unwrap_or(inner)
            }
            _ => whole.trim_start_matches(['#', '/']),
        };
        let before = self.text.get(..start).unwrap_or("").trim_end_matches([' ', '\t', '\u{FEFF}']);
        let own_line = before.is_empty() || before.ends_with('\n');
        self.comments.push(Comment { span: Span::new(start, start + whole.len()), text: inner.trim(), own_line });
        self.at = end;
    }

    fn take_line(&mut self) {
        let end = self.line_end();
        self.take(end);
    }

    /// Offset of the next line break, or of the end.
    fn line_end(&self) -> usize {
        self.at + memchr::memchr(b'\n', self.rest().as_bytes()).unwrap_or(self.rest().len())
    }

    /// Line by line; a quote counts only when it opens a word and closes on its line.
    fn lines(&mut self) {
        while self.at < self.text.len() {
            let end = self.line_end();
            if memchr::memchr(b'#', &self.text.as_bytes()[self.at..end]).is_some() {
                self.line(end);
            }
            self.at = end + 1;
        }
    }

    fn line(&mut self, end: usize) {
        let bytes = self.text.as_bytes();
        while self.at < end {
            match bytes[self.at] {
                b'#' if self.word_start(self.at, b"") => return self.take(end),
                quote @ (b'\'' | b'"') if self.word_start(self.at, b"[{(,:=") => {
                    let inside = &bytes[self.at + 1..end];
                    self.at += closing(inside, quote, quote == b'"').map_or(1, |at| at + 2);
                }
                _ => self.at += 1,
            }
        }
    }

    /// HCL, or JSON without its own additions.
    fn braces(&mut self, hcl: bool) {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() {
            match (bytes[self.at], self.byte(self.at + 1)) {
                (b'#', _) if hcl => self.take_line(),
                (b'/', b'/') => self.take_line(),
                (b'/', b'*') => {
                    let end = self.rest().get(2..).and_then(|rest| rest.find("*/"));
                    self.take(end.map_or(self.text.len(), |end| self.at + end + 4));
                }
                (b'"', _) if hcl => self.template(),
                (b'"', _) => {
                    let inside = &bytes[self.at + 1..];
                    self.at += closing(inside, b'"', true).map_or(inside.len() + 1, |end| end + 2);
                }
                (b'<', b'<') if hcl => {
                    let (marker, after) = heredoc(self.rest());
                    self.at += after;
                    if let Some(marker) = marker {
                        self.at = self.line_end() + 1;
                        self.skip_heredocs(vec![marker]);
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// Skips an HCL string; strings inside its interpolations nest.
    fn template(&mut self) {
        let bytes = self.text.as_bytes();
        // What is open: `"` for a string, `{` for an interpolation or an object in it.
        let mut open = vec![b'"'];
        self.at += 1;
        while let Some(top) = open.last().copied() {
            let inside = top == b'"';
            match (self.byte(self.at), self.byte(self.at + 1)) {
                _ if self.at >= bytes.len() => return,
                // A quoted string ends with its line: one that does not close hides no more than that.
                (b'\n', _) if inside => return,
                (b'\\', _) if inside => self.at += 1,
                (b'$', b'$') | (b'%', b'%') if inside && self.byte(self.at + 2) == b'{' => self.at += 2,
                (b'$' | b'%', b'{') if inside => {
                    open.push(b'{');
                    self.at += 1;
                }
                (b'"', _) if inside => _ = open.pop(),
                (b'"', _) => open.push(b'"'),
                (b'{', _) if !inside => open.push(b'{'),
                (b'}', _) if !inside => _ = open.pop(),
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Returns whether every quote closes.
    fn shell(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        let mut heredocs = Vec::new();
        // What is open: `"`, or `(` for a substitution.
        let mut open: Vec<u8> = Vec::new();
        while self.at < bytes.len() {
            let quoted = open.last() == Some(&b'"');
            match (bytes[self.at], self.byte(self.at + 1)) {
                (b'\\', _) => self.at += 1,
                (b'$', b'(') => {
                    open.push(b'(');
                    self.at += 1;
                }
                (b'"', _) if quoted => _ = open.pop(),
                (b'"', _) => open.push(b'"'),
                (b'\n', _) if !heredocs.is_empty() => {
                    self.at += 1;
                    self.skip_heredocs(std::mem::take(&mut heredocs));
                    continue;
                }
                _ if quoted => {}
                (b'(', _) => open.push(b'('),
                (b')', _) => _ = open.pop(),
                (b'\'', _) => {
                    let escapes = self.at > 0 && bytes[self.at - 1] == b'$';
                    let Some(end) = closing(&bytes[self.at + 1..], b'\'', escapes) else { return false };
                    self.at += end + 1;
                }
                (b'#', _) if self.word_start(self.at, b";&|()`") => {
                    self.take_line();
                    continue;
                }
                (b'<', b'<') => {
                    let (marker, after) = heredoc(self.rest());
                    heredocs.extend(marker);
                    self.at += after;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        !open.contains(&b'"')
    }

    /// Skips the bodies of heredocs that begin on this line; one that never ends is not one.
    fn skip_heredocs(&mut self, markers: Vec<&str>) {
        for marker in markers {
            let start = self.at;
            loop {
                if self.endless || self.at >= self.text.len() {
                    self.endless = true;
                    self.at = start;
                    return;
                }
                let end = self.line_end();
                let line = self.text.get(self.at..end).unwrap_or("");
                self.at = end + 1;
                if line.trim() == marker {
                    break;
                }
            }
        }
    }

    fn markdown(&mut self) {
        let mut fence: Option<&str> = None;
        while self.at < self.text.len() {
            let end = self.line_end();
            let line = self.text.get(self.at..end).unwrap_or("").trim();
            let mark = ["```", "~~~"].into_iter().find(|mark| line.starts_with(mark));
            match (fence, mark) {
                (Some(open), Some(mark)) if open == mark => fence = None,
                (Some(_), _) => {}
                (None, Some(mark)) => fence = Some(mark),
                (None, None) => {
                    let Some(at) = self.text.get(self.at..end).and_then(|line| line.find("<!--")) else {
                        self.at = end + 1;
                        continue;
                    };
                    self.at += at;
                    let close = self.rest().find("-->").map_or(self.text.len(), |close| self.at + close + 3);
                    self.take(close);
                    continue;
                }
            }
            self.at = end + 1;
        }
    }
}

/// Where the quote closes.
fn closing(inside: &[u8], quote: u8, escapes: bool) -> Option<usize> {
    if !escapes {
        return memchr::memchr(quote, inside);
    }
    let mut at = 0;
    loop {
        at += memchr::memchr2(quote, b'\\', inside.get(at..)?)?;
        if inside[at] == quote {
            return Some(at);
        }
        at += 2;
    }
}

/// The end marker of the heredoc that `rest` (from its `<<`) begins, if it is one, and how much that takes.
fn heredoc(rest: &str) -> (Option<&str>, usize) {
    let after = rest.trim_start_matches('<');
    let arrows = rest.len() - after.len();
    let word = after.strip_prefix(['-', '~']).unwrap_or(after).trim_start_matches([' ', '\t']);
    let bare = word.trim_start_matches(['\'', '"', '\\']);
    let length = bare.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(bare.len());
    let marker =
        bare.get(..length).filter(|marker| arrows == 2 && marker.starts_with(|c: char| c.is_alphabetic() || c == '_'));
    match marker {
        Some(marker) => {
            let quote = usize::from(bare[length..].starts_with(['\'', '"']));
            (Some(marker), rest.len() - bare.len() + length + quote)
        }
        None => (None, arrows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, language: Language, expected: &[(&str, bool)]) {
        let found: Vec<_> = comments(text, language).iter().map(|comment| (comment.text, comment.own_line)).collect();
        assert_eq!(found, expected, "{text}");
        for comment in comments(text, language) {
            assert!(comment.span.slice(text).contains(comment.text));
        }
    }

    #[test]
    fn yaml_and_make() {
        let yaml = "# one\na: 'x # no' # two\nb: it's # three\nc: x#no\nd: |\n  echo \"it's\n  # stateward: four\n  e='#no'\r\nf: [\"# no\", '#no'] ## five\r\n";
        check(
            yaml,
            Language::Hash,
            &[("one", true), ("two", false), ("three", false), ("stateward: four", true), ("five", false)],
        );
        check("all: x # a\n\t@echo a#b # c\n", Language::Make, &[("a", false), ("c", false)]);
        assert_eq!(find(yaml, Language::Hash, "stateward:").len(), 1);
        assert_eq!(find(yaml, Language::Hash, "other:").len(), 0);
    }

    #[test]
    fn hcl_and_json() {
        let hcl = "a = \"# no ${f(\"// no\", {b = \"}\"})} // no\" # one\nb = <<-EOT\n  # no\n  EOT\n// two\n/* three\n * four */ c = \"$${\" # five\nd = \"open # no\ne = 1 << 2 # six\n";
        check(
            hcl,
            Language::Hcl,
            &[("one", false), ("two", true), ("three\n * four", true), ("five", false), ("six", false)],
        );
        check(
            "{\"a\": \"// no \\\" // no\", // one\n/* two */ \"b\": 1}",
            Language::Json,
            &[("one", false), ("two", true)],
        );
        check("/*", Language::Json, &[("", true)]);
    }

    #[test]
    fn shell_and_markdown() {
        let shell = "#!/bin/sh\nx=${#y} # one\necho \"a # no $(echo \"b # no\") c # no\" 'd\n# no' a#b \\# no;# two\ncat <<'EOF' <<B # three\n# no\nEOF\n# no\nB\necho $((1<<2)) $'it\\'s # no' # four\ncase x in a) # five\nesac\n";
        let found =
            [("!/bin/sh", true), ("one", false), ("two", false), ("three", false), ("four", false), ("five", false)];
        check(shell, Language::Shell, &found);
        check("echo 'open # a\n# b\n", Language::Shell, &[("a", false), ("b", true)]);
        check("echo <<EOF\n# a\n", Language::Shell, &[("a", true)]);
        let markdown = "<!-- one\n two --> x <!-- three -->\n```\n<!-- no -->\n```\n<!-- open";
        check(markdown, Language::Markdown, &[("one\n two", true), ("three", false), ("open", true)]);
    }
}
