//! Bytes, spans and lines: the coordinates that everything above speaks in.

use std::fmt;
use std::ops::Range;

/// A half-open range of byte offsets in one file.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from `start` to `end`; offsets beyond `u32` saturate (files are bounded far below).
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { start: clamp(start), end: clamp(end.max(start)) }
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Whether `other` lies inside.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether the span holds no byte.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// As a range for slicing.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The part of `source` that the span covers; empty when it does not fit.
    #[must_use]
    pub fn slice(self, source: &str) -> &str {
        source.get(self.range()).unwrap_or("")
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A file of the [`Tree`](crate::source::Tree), by position in path order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A place: a span of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Loc {
    /// The file.
    pub file: FileId,
    /// The bytes in it.
    pub span: Span,
}

/// A position for people: both count from 1, columns in Unicode code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// Where each line of a text starts.
#[derive(Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
    /// Bytes that begin no code point: few in the texts that we read, and a column is told without walking its line.
    continuations: Vec<u32>,
}

impl LineIndex {
    /// Finds the lines of `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| Span::new(at + 1, at + 1).start));
        let bytes = if text.is_ascii() { &[][..] } else { text.as_bytes() };
        let continuations = bytes.iter().zip(0_u32..).filter(|(byte, _)| **byte & 0xC0 == 0x80).map(|(_, at)| at);
        Self { starts, continuations: continuations.collect() }
    }

    /// The line of a byte offset, from 1.
    #[must_use]
    pub fn line(&self, offset: u32) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }

    /// The position of a byte offset in `text`, the text that the index was made from.
    #[must_use]
    pub fn position(&self, text: &str, offset: u32) -> Position {
        let line = self.line(offset);
        let start = self.starts[line as usize - 1];
        let end = offset.min(u32::try_from(text.len()).unwrap_or(u32::MAX)).max(start);
        let until = |at: u32| u32::try_from(self.continuations.partition_point(|own| *own < at)).unwrap_or(u32::MAX);
        Position { line, column: end - start - (until(end) - until(start)) + 1 }
    }

    /// The bytes of a line (from 1), its line break left out.
    #[must_use]
    pub fn line_span(&self, text: &str, line: u32) -> Span {
        let index = (line.max(1) as usize - 1).min(self.starts.len() - 1);
        let start = self.starts[index] as usize;
        let end = self.starts.get(index + 1).map_or(text.len(), |next| *next as usize - 1);
        let end = if text.as_bytes().get(end.wrapping_sub(1)) == Some(&b'\r') && end > start { end - 1 } else { end };
        Span::new(start, end)
    }

    /// How many lines there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }
}

/// Stands in a [`Mapped`] text for a part whose value is not known (an interpolation, a template expression):
/// an ordinary word character to every parser, never found in real text (Unicode private use).
pub const HOLE: char = '\u{F8FF}';

/// A text taken or rendered out of a file (a heredoc, a block scalar, a recipe), with the way back to the file.
#[derive(Clone, Debug, Default)]
pub struct Mapped {
    /// The text, [`HOLE`] for each unknown part.
    pub text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    /// Offset in the text.
    at: u32,
    /// Offset in the file.
    source: Span,
    /// Each byte stands for the same byte of the file; else the whole segment stands for the whole of `source`.
    exact: bool,
}

impl Mapped {
    /// A whole file or slice, one to one.
    #[must_use]
    pub fn verbatim(text: &str, start: u32) -> Self {
        let mut mapped = Self::default();
        mapped.push(text, start);
        mapped
    }

    /// Adds text that stands in the file as it is, from offset `start`.
    pub fn push(&mut self, text: &str, start: u32) {
        if text.is_empty() {
            return;
        }
        let at = Span::new(self.text.len(), 0).start;
        let source = Span::new(start as usize, start as usize + text.len());
        match self.segments.last_mut() {
            Some(last) if last.exact && last.source.end == start => last.source.end = source.end,
            _ => self.segments.push(Segment { at, source, exact: true }),
        }
        self.text.push_str(text);
    }

    /// Adds text that `source` stands for without being equal to it (an escape, a resolved variable).
    pub fn push_for(&mut self, text: &str, source: Span) {
        if text.is_empty() {
            return;
        }
        let at = Span::new(self.text.len(), 0).start;
        self.segments.push(Segment { at, source, exact: false });
        self.text.push_str(text);
    }

    /// Adds a [`HOLE`] for `source`.
    pub fn push_hole(&mut self, source: Span) {
        self.push_for(HOLE.encode_utf8(&mut [0; 4]), source);
    }

    /// Adds another text, each part led back to its own place.
    pub fn append(&mut self, text: &Self) {
        text.copy(Span::new(0, text.text.len()), self);
    }

    /// A part of it.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        let mut part = Self::default();
        self.copy(Span::from(range), &mut part);
        part
    }

    /// The same text with the way back to the file of `outer`, the text that this one was made from.
    #[must_use]
    pub fn through(&self, outer: &Self) -> Self {
        let mut whole = Self::default();
        for (at, segment) in self.segments.iter().enumerate() {
            if segment.exact {
                outer.copy(segment.source, &mut whole);
            } else {
                let end = self.segments.get(at + 1).map_or(self.text.len(), |next| next.at as usize);
                let text = self.text.get(segment.at as usize..end).unwrap_or("");
                whole.push_for(text, outer.span(segment.source));
            }
        }
        whole
    }

    /// Adds a part of it to another text.
    fn copy(&self, part: Span, to: &mut Self) {
        let first = self.segments.partition_point(|segment| segment.at <= part.start).saturating_sub(1);
        for (at, segment) in self.segments.iter().enumerate().skip(first) {
            if segment.at >= part.end {
                break;
            }
            let end = self.segments.get(at + 1).map_or(part.end, |next| next.at.min(part.end));
            let start = segment.at.max(part.start);
            let text = Span { start, end: end.max(start) }.slice(&self.text);
            if segment.exact {
                to.push(text, segment.source.start + (start - segment.at));
            } else {
                to.push_for(text, segment.source);
            }
        }
    }

    /// Where an offset of the text lies in the file.
    #[must_use]
    pub fn offset(&self, offset: u32) -> Span {
        let next = self.segments.partition_point(|segment| segment.at <= offset);
        let Some(segment) = next.checked_sub(1).map(|index| self.segments[index]) else {
            return Span::default();
        };
        if !segment.exact {
            return segment.source;
        }
        let at = (segment.source.start + (offset - segment.at)).min(segment.source.end);
        Span { start: at, end: at }
    }

    /// Where a span of the text lies in the file.
    #[must_use]
    pub fn span(&self, span: Span) -> Span {
        if span.is_empty() {
            return self.offset(span.start);
        }
        let first = self.offset(span.start);
        let last = self.offset(span.end - 1);
        let end = if last.is_empty() { last.end + 1 } else { last.end };
        Span { start: first.start, end: end.max(first.start) }
    }
}

/// A stable 64-bit hash (FNV-1a) for fingerprints: the same on every machine and in every release.
#[derive(Clone, Copy)]
pub struct Hash64(u64);

impl Default for Hash64 {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash64 {
    /// Adds bytes, and a mark that they end here.
    #[must_use]
    pub fn with(mut self, bytes: &[u8]) -> Self {
        for byte in bytes.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self
    }

    /// The hash.
    #[must_use]
    pub fn finish(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_code_points() {
        let text = "ä b\r\nc\n";
        let lines = LineIndex::new(text);
        assert_eq!(lines.position(text, 3), Position { line: 1, column: 3 });
        assert_eq!(lines.position(text, 6), Position { line: 2, column: 1 });
        assert_eq!(lines.line_span(text, 1).slice(text), "ä b");
        assert_eq!(lines.line_span(text, 2).slice(text), "c");
        assert_eq!(lines.line_span(text, 9).slice(text), "");
    }

    #[test]
    fn mapped_text_finds_its_way_back() {
        let mut mapped = Mapped::default();
        mapped.push("echo ", 10);
        mapped.push_hole(Span::new(15, 25));
        mapped.push(" done\n", 25);
        mapped.push("next", 40);
        assert_eq!(mapped.span(Span::new(0, 4)), Span::new(10, 14));
        let hole = mapped.text.find(HOLE).unwrap();
        assert_eq!(mapped.span(Span::new(hole, hole + 3)), Span::new(15, 25));
        let next = mapped.text.find("next").unwrap();
        assert_eq!(mapped.span(Span::new(next, next + 4)), Span::new(40, 44));
        let part = mapped.part(hole - 2..next + 2);
        assert_eq!(part.text, mapped.text[hole - 2..next + 2]);
        assert_eq!(part.span(Span::new(0, 2)), Span::new(13, 15));
        assert_eq!(part.span(Span::new(part.text.len() - 2, part.text.len())), Span::new(40, 42));
        assert_eq!(mapped.part(40..90).text, "");
    }

    #[test]
    fn a_text_made_from_a_text() {
        // `ab` and `cd` stand apart in the file; of the text `abcd` a template makes `b_c`.
        let mut outer = Mapped::default();
        outer.push("ab", 100);
        outer.push("cd", 110);
        let mut inner = Mapped::default();
        inner.push("b", 1);
        inner.push_for("_", Span::new(1, 3));
        inner.push("cd", 2);
        let whole = inner.through(&outer);
        assert_eq!(whole.text, "b_cd");
        assert_eq!(whole.span(Span::new(0, 1)), Span::new(101, 102));
        assert_eq!(whole.span(Span::new(1, 2)), Span::new(101, 111));
        assert_eq!(whole.span(Span::new(2, 4)), Span::new(110, 112));
        let both = Mapped::verbatim("bc", 1).through(&outer);
        assert_eq!((both.text.as_str(), both.span(Span::new(0, 2))), ("bc", Span::new(101, 111)));
    }
}
