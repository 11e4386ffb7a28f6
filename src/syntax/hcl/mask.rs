//! Same-length changes to a text before `hcl-edit` parses it. They take away what it reads otherwise than Terraform does;
//! offsets stay right, and literals are cut from the unchanged text.

use hcl_edit::parser::Error;
use std::borrow::Cow;
use std::ops::Range;

/// More members than this in one object take `hcl-edit` (quadratic in them) too long.
const MAX_MEMBERS: u32 = 4000;

/// No more keys than this are renamed in one text, and none in a long one: each costs a parse.
const MAX_RENAMED: usize = 50;
const MAX_REPEATED: usize = 1 << 18;

/// What a walk over the tokens of a text found.
#[derive(Debug, Default)]
struct Scan {
    edits: Vec<Edit>,
    /// An object has more members than `hcl-edit` parses in reasonable time.
    wide: bool,
}

#[derive(Debug)]
enum Edit {
    /// Spaces instead of these bytes.
    Blank(usize, usize),
    /// An empty heredoc: a string of spaces that is as long, line breaks kept.
    Empty(usize, usize),
    /// Content of a heredoc that `hcl-edit` would take for its end.
    NoEnd(usize, usize),
}

#[derive(Clone, Copy, PartialEq)]
enum Frame {
    Block,
    Object { members: u32, is_for: bool },
    Paren,
    Bracket,
    Interp,
    Quote,
    Heredoc { start: usize, end: usize },
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Frame>,
    /// The token before can stand before the brace of a block: a name or a label.
    after_name: bool,
    found: Scan,
}

/// Walks a text. The cost is small against a parse, but most texts can do without: see [`needed`].
fn scan(text: &str) -> Scan {
    let mut scanner =
        Scanner { bytes: text.as_bytes(), at: 0, stack: Vec::new(), after_name: false, found: Scan::default() };
    if text.starts_with('\u{FEFF}') {
        scanner.found.edits.push(Edit::Blank(0, 3));
        scanner.at = 3;
    }
    while scanner.at < scanner.bytes.len() {
        match scanner.stack.last().copied() {
            Some(Frame::Quote) => scanner.quote(),
            Some(Frame::Heredoc { start, end }) => scanner.heredoc(start, end),
            top => scanner.code(top),
        }
    }
    scanner.found
}

/// Parses a text with `parser`, changed where that is needed. None: an object in it is too wide to try.
pub(super) fn parsed<T>(text: &str, parser: impl Fn(&str) -> Result<T, Error>) -> Option<Result<T, Error>> {
    if needed(text) {
        let scan = scan(text);
        return (!scan.wide).then(|| distinct(apply(text, &scan), &parser));
    }
    let first = match parser(text) {
        Err(error) if is_twice(&error) => distinct(text.into(), &parser),
        result => result,
    };
    if first.is_err() {
        let scan = scan(text);
        if !scan.edits.is_empty() {
            // A second refusal is told in the first one's words: both texts have the same lines.
            return Some(distinct(apply(text, &scan), &parser).or(first));
        }
    }
    Some(first)
}

/// Whether the parser refuses a text for a key that an object has twice. For Terraform the last one counts.
fn is_twice(error: &Error) -> bool {
    error.message().contains("redefined object key")
}

/// Parses a text, and where the parser refuses the second of two keys gives that one another name for it.
fn distinct<T>(mut text: Cow<'_, str>, parser: &impl Fn(&str) -> Result<T, Error>) -> Result<T, Error> {
    for number in 0..MAX_RENAMED {
        match parser(&text) {
            Err(error) if is_twice(&error) && text.len() <= MAX_REPEATED => {
                let Some(range) = renamed(&text, error.location().offset()) else { return Err(error) };
                text.to_mut().replace_range(range.clone(), &name(number, range.len()));
            }
            result => return result,
        }
    }
    parser(&text)
}

/// What of the key at an offset can be another name: the key, or what is in its quotes. Only a key that is nothing else:
/// in `a.b = 1` the name is read.
fn renamed(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let (start, key, after) = if let Some(inside) = rest.strip_prefix('"') {
        inside.split_once('"').map(|(key, after)| (at + 1, key, after))?
    } else {
        let length = rest.bytes().take_while(|byte| is_name_byte(*byte)).count();
        (at, rest.get(..length)?, rest.get(length..)?)
    };
    let after = after.trim_start_matches([' ', '\t']).as_bytes();
    let is_key = matches!(after.first(), Some(b'=' | b':')) && !matches!(after.get(1), Some(b'=' | b':'));
    let is_plain = !key.is_empty() && !key.contains(['\\', '$', '%']);
    (is_key && is_plain).then(|| start..start + key.len())
}

/// A name of a length; another one for each number, as far as there are some. One that the object has is refused again.
fn name(mut number: usize, length: usize) -> String {
    let letters = b"_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut name = String::new();
    for _ in 0..length {
        name.push(char::from(letters[number % letters.len()]));
        number /= letters.len();
    }
    name
}

/// Whether a text must be scanned before the first parse: what `hcl-edit` would misread without an error, or read too slowly.
fn needed(text: &str) -> bool {
    text.len() > 4 * MAX_MEMBERS as usize
        || text.starts_with('\u{FEFF}')
        || memchr::memmem::find(text.as_bytes(), b"<<").is_some()
}

/// The text with the changes made; of the same length.
fn apply<'a>(text: &'a str, scan: &Scan) -> Cow<'a, str> {
    if scan.edits.is_empty() {
        return text.into();
    }
    let mut bytes = text.as_bytes().to_vec();
    for edit in &scan.edits {
        let (Edit::Blank(start, end) | Edit::Empty(start, end) | Edit::NoEnd(start, end)) = *edit;
        let Some(part) = bytes.get_mut(start..end) else { continue };
        match edit {
            Edit::Blank(..) => part.fill(b' '),
            Edit::NoEnd(..) => part.fill(b'_'),
            Edit::Empty(..) => {
                for byte in part.iter_mut().filter(|byte| **byte != b'\n') {
                    *byte = b' ';
                }
                if let [first, .., last] = part {
                    (*first, *last) = (b'"', b'"');
                }
            }
        }
    }
    String::from_utf8(bytes).map_or_else(|_| text.into(), Cow::Owned)
}

/// Whether a byte can stand in a name; every byte of a character beyond ASCII can.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte >= 0x80
}

impl Scanner<'_> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or(&[])
    }

    /// Steps over a template introduction or its escape at the cursor; false when there is none.
    fn template_start(&mut self) -> bool {
        let rest = self.rest();
        if rest.starts_with(b"$${") || rest.starts_with(b"%%{") {
            self.at += 3;
        } else if rest.starts_with(b"${") || rest.starts_with(b"%{") {
            self.at += 2;
            self.stack.push(Frame::Interp);
            self.after_name = false;
        } else {
            return false;
        }
        true
    }

    fn quote(&mut self) {
        match self.bytes[self.at] {
            b'\\' => self.at += 2,
            b'"' => {
                self.at += 1;
                self.stack.pop();
                self.after_name = true;
            }
            // A string ends with its line: what follows an open quote is found again on the next one.
            b'\n' => drop(self.stack.pop()),
            b'$' | b'%' => {
                if !self.template_start() {
                    self.at += 1;
                }
            }
            _ => self.at += 1,
        }
    }

    fn heredoc(&mut self, start: usize, end: usize) {
        if self.at > 0 && self.bytes[self.at - 1] == b'\n' {
            let line = line_at(self.bytes, self.at);
            let trimmed = line.trim_ascii_start();
            let marker = &self.bytes[start..end];
            if trimmed.trim_ascii_end() == marker {
                self.at += line.len() - trimmed.len() + marker.len();
                self.stack.pop();
                self.after_name = false;
                return;
            }
            if trimmed.starts_with(marker) && trimmed.get(marker.len()).is_some_and(|byte| !is_name_byte(*byte)) {
                let from = self.at + line.len() - trimmed.len();
                self.found.edits.push(Edit::NoEnd(from, from + marker.len()));
            }
        }
        while let Some(next) = memchr::memchr3(b'\n', b'$', b'%', self.rest()) {
            self.at += next;
            if self.bytes[self.at] == b'\n' {
                self.at += 1;
                return;
            }
            if self.template_start() {
                return;
            }
            self.at += 1;
        }
        self.at = self.bytes.len();
    }

    fn code(&mut self, top: Option<Frame>) {
        // Line breaks do not count here; `hcl-edit` minds some of them.
        let free =
            matches!(top, Some(Frame::Object { is_for: true, .. } | Frame::Paren | Frame::Bracket | Frame::Interp));
        let byte = self.bytes[self.at];
        let next = self.bytes.get(self.at + 1).copied();
        match byte {
            b' ' | b'\t' => self.at += 1,
            b'\n' | b'\r' => {
                if free {
                    self.found.edits.push(Edit::Blank(self.at, self.at + 1));
                }
                self.after_name = false;
                self.at += 1;
            }
            b'#' => self.line_comment(free),
            b'/' if next == Some(b'/') => self.line_comment(free),
            b'/' if next == Some(b'*') => {
                let from = self.at + 2;
                let close = memchr::memmem::find(self.bytes.get(from..).unwrap_or(&[]), b"*/");
                self.at = close.map_or(self.bytes.len(), |close| from + close + 2);
            }
            b'"' => {
                self.at += 1;
                self.stack.push(Frame::Quote);
            }
            b'<' if next == Some(b'<') => self.heredoc_start(),
            byte if is_name_byte(byte) => {
                while self.bytes.get(self.at).is_some_and(|byte| is_name_byte(*byte)) {
                    self.at += 1;
                }
                self.after_name = true;
            }
            _ => self.punctuation(byte, next, top),
        }
    }

    fn punctuation(&mut self, byte: u8, next: Option<u8>, top: Option<Frame>) {
        self.at += 1;
        match byte {
            b'{' => {
                let frame = if self.after_name && matches!(top, None | Some(Frame::Block)) {
                    Frame::Block
                } else {
                    Frame::Object { members: 0, is_for: starts_for(self.rest()) }
                };
                self.stack.push(frame);
            }
            b'(' => self.stack.push(Frame::Paren),
            b'[' => self.stack.push(Frame::Bracket),
            b'}' if matches!(top, Some(Frame::Block | Frame::Object { .. } | Frame::Interp)) => {
                self.stack.pop();
            }
            b')' if top == Some(Frame::Paren) => {
                self.stack.pop();
            }
            b']' if top == Some(Frame::Bracket) => {
                self.stack.pop();
            }
            b'=' | b':' if next != Some(byte) => {
                if let Some(Frame::Object { members, is_for: false }) = self.stack.last_mut() {
                    *members += 1;
                    self.found.wide |= *members > MAX_MEMBERS;
                }
            }
            _ => {}
        }
        self.after_name = false;
    }

    fn line_comment(&mut self, free: bool) {
        let end = memchr::memchr(b'\n', self.rest()).map_or(self.bytes.len(), |next| self.at + next);
        if free {
            self.found.edits.push(Edit::Blank(self.at, end));
        }
        self.at = end;
    }

    fn heredoc_start(&mut self) {
        let from = self.at;
        let start = from + if self.bytes.get(from + 2) == Some(&b'-') { 3 } else { 2 };
        let mut end = start;
        while self.bytes.get(end).is_some_and(|byte| is_name_byte(*byte)) {
            end += 1;
        }
        let line = line_at(self.bytes, end);
        let content = end + line.len() + 1;
        self.at = end.max(from + 2);
        self.after_name = false;
        if start == end || !line.trim_ascii().is_empty() || content > self.bytes.len() {
            return;
        }
        let first = line_at(self.bytes, content);
        let marker = &self.bytes[start..end];
        if first.trim_ascii() == marker {
            let indent = first.len() - first.trim_ascii_start().len();
            self.at = content + indent + marker.len();
            self.found.edits.push(Edit::Empty(from, self.at));
        } else {
            self.at = content;
            self.stack.push(Frame::Heredoc { start, end });
        }
    }
}

/// From an offset to the end of its line, the line break left out.
fn line_at(bytes: &[u8], at: usize) -> &[u8] {
    let rest = bytes.get(at..).unwrap_or(&[]);
    memchr::memchr(b'\n', rest).and_then(|end| rest.get(..end)).unwrap_or(rest)
}

/// Whether the text after a brace begins a `for` expression.
fn starts_for(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    rest.starts_with(b"for") && rest.get(3).is_some_and(|byte| b" \t\r\n#/".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let masked = apply(text, &scan(text));
        assert_eq!(masked.len(), text.len());
        masked.into_owned()
    }

    #[test]
    fn empty_heredocs_become_empty_strings() {
        assert_eq!(masked("a = <<EOT\nEOT\nb = 1"), "a = \"    \n  \"\nb = 1");
        assert_eq!(masked("a = <<-EOT\n  EOT\n"), "a = \"     \n    \"\n");
        let inner = "a = <<EOF\ncat <<EOF\nEOF\n# <<X\nX\nb = \"<<X\"\n";
        assert_eq!(masked(inner), inner);
    }

    #[test]
    fn line_breaks_free_objects_are_blanked() {
        assert_eq!(
            masked("a = { for k in x : k => # c\n k\n ? [\n1] : {\n} }"),
            "a = { for k in x : k =>      k  ? [ 1] : {\n} }"
        );
    }

    #[test]
    fn ends_of_heredocs_are_terraforms() {
        assert_eq!(
            masked("a = <<EOF\n EOF\"\n${\"EOF\"}\nEOF\nb {\n}\n"),
            "a = <<EOF\n ___\"\n${\"EOF\"}\nEOF\nb {\n}\n"
        );
    }

    #[test]
    fn wide_objects_are_seen_and_wide_bodies_are_not() {
        let members = "a = 1\n".repeat(5000);
        assert!(scan(&format!("x = {{\n{members}}}")).wide);
        assert!(!scan(&format!("x {{\n{members}}}")).wide);
    }
}
