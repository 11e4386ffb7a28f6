//! Bodies, and what is left of refused ones: a fault in one block must not hide the others.

use super::check::{self, Fault};
use super::template::Place;
use super::{Body, File, convert, fallback, mask, outline};
use crate::syntax::SyntaxError;
use crate::text::Span;

/// No more errors than this are kept for a file.
pub(super) const MAX_ERRORS: usize = 100;

/// Parses a body, by pieces where it is refused as a whole.
pub(super) fn parse(text: &str) -> File {
    let place = Place { text, base: 0 };
    let fault = match check::file(text) {
        Ok(()) => return File { body: accepted(place), errors: Vec::new() },
        Err(fault) => fault,
    };
    let mut file = File::default();
    let mut refused = false;
    let starts = chunks(text);
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(text.len());
        refused |= Chunk { text, start: *start, end }.parse(&mut file);
    }
    // Pieces that are right each by itself: the fault is in how they stand together.
    if let (false, Fault::Refused(offset, message)) = (refused, fault) {
        file.errors.push(Refusal::new(offset, message).at(text, 0));
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
    fn new(offset: usize, message: &str) -> Self {
        Self { offset, message: message.to_owned() }
    }

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
}

/// Parses a text in which nothing is wrong. `Err(None)`: it was not tried, an object in it being too wide.
fn edit(place: Place) -> Result<Body, Option<Refusal>> {
    match mask::parsed(place.text, hcl_edit::parser::parse_body) {
        None => Err(None),
        Some(Ok(body)) => Ok(convert::body(place, &body, 0)),
        Some(Err(error)) => Err(Some(Refusal::new(error.location().offset(), error.message()))),
    }
}

/// Parses a text that Terraform accepts.
fn accepted(place: Place) -> Body {
    edit(place).unwrap_or_else(|_| outline::body(place, check::outline(place.text).unwrap_or_default()))
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
        match check::file(&text) {
            Ok(()) if hoists => return None,
            Ok(()) => return Some(accepted(Place { text: &text, base: place.base })),
            Err(Fault::Refused(next, _)) => offset = next,
            Err(Fault::TooDeep) => return None,
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

impl<'a> Chunk<'a> {
    fn place(&self) -> Place<'a> {
        let text = self.text.get(self.start..self.end).unwrap_or("");
        Place { text, base: i64::try_from(self.start).unwrap_or(i64::MAX) }
    }

    /// Adds what it holds to the file; true when it was refused.
    fn parse(&self, file: &mut File) -> bool {
        let text = self.place().text;
        match check::file(text) {
            _ if text.trim().is_empty() => false,
            Err(Fault::Refused(offset, message)) => {
                self.broken(offset, file);
                file.errors.push(Refusal::new(offset, message).at(self.text, self.start));
                true
            }
            Ok(()) => {
                extend(&mut file.body, accepted(self.place()));
                false
            }
            Err(Fault::TooDeep) => {
                self.deep(file);
                false
            }
        }
    }

    /// Adds what it holds, too deep to say whether it is right.
    fn deep(&self, file: &mut File) {
        let place = self.place();
        let refusal = match edit(place) {
            Ok(body) => return extend(&mut file.body, body),
            Err(refusal) => refusal,
        };
        let clean = if place.text.len() > fallback::MAX_TEXT {
            false
        } else {
            let (body, clean) = fallback::body(place);
            extend(&mut file.body, body);
            clean
        };
        if !clean {
            let refusal = refusal
                .unwrap_or_else(|| Refusal::new(0, "an object with more than 4000 members in much text is not read"));
            file.errors.push(refusal.at(self.text, self.start));
        }
    }

    /// Adds what is left of it; the fault is at an offset of it.
    fn broken(&self, offset: usize, file: &mut File) {
        let place = self.place();
        if place.text.len() > fallback::MAX_TEXT {
            return extend(&mut file.body, mended(place, offset).unwrap_or_default());
        }
        let (mut body, clean) = fallback::body(place);
        if !clean {
            if let Some(mended) = mended(place, offset) {
                body = mended;
            } else if let Some(header) = header(place.text) {
                fallback::keep_block(place, header, &mut body);
            }
        }
        extend(&mut file.body, body);
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
