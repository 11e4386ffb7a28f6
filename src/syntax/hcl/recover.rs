//! Bodies, and what is left of refused ones: a fault in one block must not hide the others.

use super::template::Place;
use super::{Body, File, convert, fallback, mask};
use crate::syntax::SyntaxError;
use crate::text::Span;

/// Larger texts do not go to tree-sitter, which needs hundreds of bytes of memory for each byte.
const MAX_FALLBACK: usize = 1 << 20;

/// No more errors than this are kept for a file.
const MAX_ERRORS: usize = 100;

/// Parses a body, by pieces where it is refused as a whole.
pub(super) fn parse(text: &str) -> File {
    let error = match whole(Place { text, base: 0 }) {
        Ok(body) => return File { body, errors: Vec::new() },
        Err(error) => error,
    };
    let mut file = File::default();
    let mut refused = false;
    let chunks = chunks(text);
    for (index, start) in chunks.iter().enumerate() {
        let end = chunks.get(index + 1).copied().unwrap_or(text.len());
        let chunk = Chunk { text, start: *start, end };
        refused |= chunk.parse(&mut file);
    }
    // Pieces that are right each by itself: the fault is in how they stand together.
    if !refused && let Some(error) = error {
        file.errors.push(error.at(text, 0));
    }
    file.errors.truncate(MAX_ERRORS);
    file
}

/// Why a text was refused.
struct Refusal {
    offset: usize,
    message: String,
}

impl Refusal {
    /// As an error on the line it is at, in the file.
    fn at(&self, text: &str, base: usize) -> SyntaxError {
        let mut at = (base + self.offset).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        let line = text[line_start..line_end].trim_end();
        let end = line_start + line.len();
        let start = if at < end { at } else { line_start + (line.len() - line.trim_start().len()) };
        SyntaxError { span: Span::new(start, end), message: self.message.clone() }
    }

    /// Whether Terraform refuses the text for this as well, although tree-sitter accepts it.
    fn is_certain(&self) -> bool {
        self.message.contains("redefined attribute") || self.message.contains("expected newline")
    }
}

/// Parses a text in one go. `Err(None)`: it was not tried, an object in it being too wide.
fn whole(place: Place) -> Result<Body, Option<Refusal>> {
    match mask::parsed(place.text, hcl_edit::parser::parse_body) {
        None => Err(None),
        Some(Ok(body)) => Ok(convert::body(place, &body, 0)),
        Some(Err(error)) => {
            Err(Some(Refusal { offset: error.location().offset(), message: error.message().to_owned() }))
        }
    }
}

/// Parses a refused text without the lines that the refusals name, at most three.
fn mended(place: Place, mut offset: usize) -> Option<Body> {
    let mut text = place.text.to_owned();
    let mut brackets = Vec::new();
    for _ in 0..3 {
        let at = offset.min(text.len());
        let start = memchr::memrchr(b'\n', &text.as_bytes()[..at])? + 1;
        let end = memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |newline| at + newline);
        let line = text.get(start..end).filter(|line| !line.trim().is_empty())?;
        brackets.push(opened(line));
        text.replace_range(start..end, &" ".repeat(end - start));
        // Lines that open and close something: what is between them would seem to belong to the block.
        let hoists = brackets.iter().sum::<i32>() == 0 && brackets.iter().any(|count| *count != 0);
        match whole(Place { text: &text, base: place.base }) {
            Ok(body) => return (!hoists).then_some(body),
            Err(refusal) => offset = mask::open_quote(&text).unwrap_or(refusal?.offset),
        }
    }
    None
}

/// A part of a file, from a line that begins a block or attribute to the next such line.
struct Chunk<'a> {
    text: &'a str,
    start: usize,
    end: usize,
}

impl Chunk<'_> {
    /// Adds what it holds to the file; true when it was refused.
    fn parse(&self, file: &mut File) -> bool {
        let Some(text) = self.text.get(self.start..self.end).filter(|text| !text.trim().is_empty()) else {
            return false;
        };
        let place = Place { text, base: i64::try_from(self.start).unwrap_or(i64::MAX) };
        let refusal = match whole(place) {
            Ok(body) => {
                extend(&mut file.body, body);
                return false;
            }
            Err(refusal) => refusal,
        };
        if text.len() > MAX_FALLBACK {
            let refusal = refusal.unwrap_or(Refusal {
                offset: 0,
                message: "an object with more than 4000 members in over 1 MiB of text is not read".into(),
            });
            file.errors.push(refusal.at(self.text, self.start));
            return true;
        }
        let (mut body, clean) = fallback::body(place);
        let mut refusal = refusal.unwrap_or(Refusal { offset: 0, message: "unexpected token".into() });
        if !clean {
            if let Some(offset) = mask::open_quote(text) {
                refusal = Refusal { offset, message: "expected `\"` before the end of the line".into() };
            }
            if let Some(mended) = mended(place, refusal.offset) {
                body = mended;
            } else if let Some(header) = header(text) {
                fallback::keep_block(place, header, &mut body);
            }
        }
        extend(&mut file.body, body);
        if !clean || refusal.is_certain() {
            file.errors.push(refusal.at(self.text, self.start));
        }
        true
    }
}

fn extend(body: &mut Body, more: Body) {
    body.attributes.extend(more.attributes);
    body.blocks.extend(more.blocks);
}

/// The header of a block: the kind and the labels as ranges, quotes included, and the offset after the brace.
pub(super) struct Header {
    pub(super) kind: (usize, usize),
    pub(super) labels: Vec<(usize, usize)>,
    pub(super) inside: usize,
}

/// Reads the header that a text begins with, all on one line.
pub(super) fn header(text: &str) -> Option<Header> {
    let bytes = text.as_bytes();
    let name = |from: usize| {
        let length = bytes.get(from..).unwrap_or(&[]).iter().take_while(|byte| mask::is_name_byte(**byte)).count();
        (length > 0 && !bytes[from].is_ascii_digit() && bytes[from] != b'-').then_some((from, from + length))
    };
    let kind = name(0)?;
    let (mut at, mut labels) = (kind.1, Vec::new());
    loop {
        at += bytes.get(at..)?.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let label = match bytes.get(at)? {
            b'{' => return Some(Header { kind, labels, inside: at + 1 }),
            b'"' => {
                let length = memchr::memchr2(b'"', b'\n', bytes.get(at + 1..)?)?;
                (bytes.get(at + 1 + length) == Some(&b'"')).then_some((at, at + length + 2))?
            }
            _ => name(at)?,
        };
        labels.push(label);
        at = label.1;
    }
}

/// Blocks that are never at the top: at the first column they are badly indented.
const INNER: &[&str] = &[
    "lifecycle",
    "provisioner",
    "connection",
    "dynamic",
    "content",
    "validation",
    "precondition",
    "postcondition",
    "backend",
    "required_providers",
    "timeouts",
    "metadata",
    "spec",
];

/// Whether a line begins a block or attribute of the top at the first column; `open`: a brace before it is not closed.
fn begins(line: &str, open: bool) -> bool {
    if let Some(header) = header(line) {
        return !open || line.get(header.kind.0..header.kind.1).is_some_and(|kind| !INNER.contains(&kind));
    }
    let length = line.bytes().take_while(|byte| mask::is_name_byte(*byte)).count();
    let rest = line.get(length..).unwrap_or("").trim_start();
    !open && length > 0 && rest.starts_with('=') && !rest.starts_with("==") && !rest.starts_with("=>")
}

/// How many more brackets a line opens than it closes, as far as that can be told without the lines before.
fn opened(line: &str) -> i32 {
    let bytes = line.as_bytes();
    let (mut depth, mut quoted, mut at) = (0, false, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => quoted = !quoted,
            b'\\' => at += 1,
            _ if quoted => {}
            b'#' => break,
            b'/' if bytes.get(at + 1) == Some(&b'/') => break,
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    depth
}

/// The offsets where the chunks of a text start; heredocs and comments that close are not looked into.
fn chunks(text: &str) -> Vec<usize> {
    // A byte order mark belongs to no chunk.
    let start = if text.starts_with('\u{FEFF}') { 3 } else { 0 };
    let mut starts = vec![start];
    let (mut at, mut depth) = (start, 0);
    // Looking for an end that is not there reads the whole rest: not too often.
    let mut searches = 100_u32;
    while at < text.len() {
        let rest = &text[at..];
        let line_len = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |newline| newline + 1);
        let line = &rest[..line_len];
        if at > start && begins(line, depth > 0) {
            starts.push(at);
            depth = 0;
        }
        depth += opened(line);
        at += line_len;
        if searches > 0 {
            match skipped(line.trim(), &text[at..]) {
                Some(length) => at += length,
                None => searches -= 1,
            }
        }
    }
    starts
}

/// How much of the text after a line belongs to a heredoc or comment that the line opens; nothing when it does not close.
fn skipped(line: &str, after: &str) -> Option<usize> {
    if line.starts_with('#') || line.starts_with("//") {
        return Some(0);
    }
    if line.starts_with("/*") && !line.contains("*/") {
        let end = memchr::memmem::find(after.as_bytes(), b"*/")?;
        return Some(end + memchr::memchr(b'\n', &after.as_bytes()[end..]).map_or(2, |newline| newline + 1));
    }
    let marker = line.rsplit_once("<<").map_or("", |(_, marker)| marker.strip_prefix('-').unwrap_or(marker));
    if marker.is_empty() || !marker.bytes().all(mask::is_name_byte) {
        return Some(0);
    }
    let mut length = 0;
    for line in after.split_inclusive('\n') {
        length += line.len();
        if line.trim() == marker {
            return Some(length);
        }
    }
    None
}
