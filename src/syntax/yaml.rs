//! YAML (and, through [`super::json`], JSON) as one arena of nodes with byte spans; tags, anchors and every key kept.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

use super::SyntaxError;
use crate::text::{Mapped, Span};

/// Levels of collections, of each notation, that are read.
const MAX_DEPTH: usize = 100;
/// Nodes that all aliases of a text together may stand for.
const MAX_ALIASED: u64 = 200_000;
/// Mappings that are visited to follow the merge keys of one.
const MAX_SOURCES: usize = 200;
/// Entries that merge keys may bring into one mapping.
const MAX_MERGED: usize = 10_000;

/// Index of a node in its [`Yaml`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// A parsed text: all its documents.
#[derive(Debug, Default)]
pub struct Yaml {
    nodes: Vec<NodeData>,
    /// The root node of each document.
    pub roots: Vec<NodeId>,
    /// What could not be parsed; later documents are still read.
    pub errors: Vec<SyntaxError>,
}

#[derive(Debug)]
struct NodeData {
    span: Span,
    tag: Option<Box<str>>,
    kind: NodeKind,
}

/// What a node is.
#[derive(Debug)]
pub enum NodeKind {
    /// A scalar, its text with quotes, escapes and folding resolved.
    Scalar(Box<str>, Style),
    /// A sequence.
    Seq(Vec<NodeId>),
    /// A mapping, duplicate keys and merge keys (`<<`) left visible, in source order.
    Map(Vec<(NodeId, NodeId)>),
    /// An alias whose anchor is known stands for that node.
    Alias(NodeId),
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Bare.
    Plain,
    /// In single or double quotes.
    Quoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// What a scalar means by the YAML 1.1 rules that Ansible follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// `null`, `~`, nothing.
    Null,
    /// `true`, `yes`, `off`…
    Bool(bool),
    /// `8`, `0644` (octal), `0x1f`, `1_000`, `1.5`.
    Number(f64),
    /// Anything else: its text.
    Str,
}

/// A node of a text.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    yaml: &'a Yaml,
    id: NodeId,
}

impl Yaml {
    /// Parses a text. What precedes an error in a document stays, and reading goes on at the next `---`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let options = granit_parser::options! {
            emit_comments: false,
            block_scalar_eof_without_line_feed: true,
            bom_inside_document_as_content: true,
            emit_anchor_events: true,
            emit_unresolved_aliases: true,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        let mut parser = Parser::new_from_str_with_options(text, options);
        let mut builder = Builder::default();
        loop {
            match parser.next_event() {
                None => break,
                Some(Ok((event, span))) => builder.event(text, event, &span),
                Some(Err(error)) => {
                    let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
                    builder.error(Span::new(at, at), error.info());
                    builder.end_document();
                    if !matches!(parser.proceed_next_document(), Ok(true)) {
                        break;
                    }
                }
            }
        }
        builder.finish()
    }

    /// A node by its index; an index of another text gives some other node or an empty one.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Node<'_> {
        Node { yaml: self, id }
    }

    /// The root of the first document.
    #[must_use]
    pub fn root(&self) -> Option<Node<'_>> {
        self.roots.first().map(|id| self.node(*id))
    }

    /// The root of each document.
    pub fn documents(&self) -> impl Iterator<Item = Node<'_>> {
        self.roots.iter().map(|id| self.node(*id))
    }
}

/// Stands for nodes that do not exist.
static NOTHING: NodeData = NodeData { span: Span { start: 0, end: 0 }, tag: None, kind: NodeKind::Seq(Vec::new()) };

impl<'a> Node<'a> {
    fn own(self) -> &'a NodeData {
        self.yaml.nodes.get(self.id.0 as usize).unwrap_or(&NOTHING)
    }

    fn data(self) -> &'a NodeData {
        let own = self.own();
        match own.kind {
            // An anchor never stands on an alias: one step is enough.
            NodeKind::Alias(target) => self.at(target).own(),
            _ => own,
        }
    }

    fn at(self, id: NodeId) -> Self {
        Self { yaml: self.yaml, id }
    }

    fn pairs(self) -> &'a [(NodeId, NodeId)] {
        match self.kind() {
            NodeKind::Map(pairs) => pairs,
            _ => &[],
        }
    }

    /// Its index in its text.
    #[must_use]
    pub fn id(self) -> NodeId {
        self.id
    }

    /// Where it stands: a scalar with its quotes or from its `|`, a collection from its first key, dash or bracket to the
    /// end of its last value or bracket, an alias itself.
    #[must_use]
    pub fn span(self) -> Span {
        self.own().span
    }

    /// Its tag as written (`!vault`, `!unsafe`, `!!str`).
    #[must_use]
    pub fn tag(self) -> Option<&'a str> {
        self.data().tag.as_deref()
    }

    /// What it is; an alias is what it stands for.
    #[must_use]
    pub fn kind(self) -> &'a NodeKind {
        &self.data().kind
    }

    /// The text of a scalar.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        match self.kind() {
            NodeKind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// How a scalar is written; `None` for collections.
    #[must_use]
    pub fn style(self) -> Option<Style> {
        match self.kind() {
            NodeKind::Scalar(_, style) => Some(*style),
            _ => None,
        }
    }

    /// Whether it is a scalar that means null.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.resolve() == Scalar::Null
    }

    /// Whether it is a mapping.
    #[must_use]
    pub fn is_map(self) -> bool {
        matches!(self.kind(), NodeKind::Map(_))
    }

    /// Whether it is a sequence.
    #[must_use]
    pub fn is_seq(self) -> bool {
        matches!(self.kind(), NodeKind::Seq(_))
    }

    /// The items of a sequence; none for anything else.
    pub fn items(self) -> impl DoubleEndedIterator<Item = Node<'a>> + ExactSizeIterator {
        let items: &[NodeId] = match self.kind() {
            NodeKind::Seq(items) => items,
            _ => &[],
        };
        items.iter().map(move |id| self.at(*id))
    }

    /// The entries of a mapping: its own in source order (a repeated key each time), then those that `<<` brings in and that
    /// nothing before overrides.
    #[must_use]
    pub fn entries(self) -> Vec<(Node<'a>, Node<'a>)> {
        let pairs = self.pairs();
        let mut entries = Vec::with_capacity(pairs.len());
        entries.extend(pairs.iter().map(|(key, value)| (self.at(*key), self.at(*value))).filter(|(key, _)| !key.is_merge()));
        if entries.len() < pairs.len() {
            let mut known: HashSet<&str> = entries.iter().filter_map(|(key, _)| key.as_str()).collect();
            self.merge(&mut entries, &mut known, 0, &mut 0);
        }
        entries
    }

    fn merge(self, entries: &mut Vec<(Node<'a>, Node<'a>)>, known: &mut HashSet<&'a str>, depth: usize, visited: &mut usize) {
        for source in self.merged() {
            *visited += 1;
            for (key, value) in source.pairs().iter().rev().map(|(key, value)| (self.at(*key), self.at(*value))) {
                if entries.len() >= MAX_MERGED {
                    return;
                }
                if !key.is_merge() && key.as_str().is_none_or(|text| known.insert(text)) {
                    entries.push((key, value));
                }
            }
            if depth < 8 && *visited < MAX_SOURCES {
                source.merge(entries, known, depth + 1, visited);
            }
        }
    }

    /// The mappings that `<<` names, the strongest first.
    fn merged(self) -> impl Iterator<Item = Node<'a>> {
        let values = self.pairs().iter().rev().filter(move |(key, _)| self.at(*key).is_merge());
        values.map(move |(_, value)| self.at(*value)).flat_map(|value| value.is_map().then_some(value).into_iter().chain(value.items()))
    }

    fn is_merge(self) -> bool {
        matches!(self.kind(), NodeKind::Scalar(text, Style::Plain) if &**text == "<<")
    }

    /// The value of a key; of a repeated key the last, as PyYAML takes it; merge keys are followed.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The key and value of a key; of a repeated key the last.
    #[must_use]
    pub fn entry(self, key: &str) -> Option<(Node<'a>, Node<'a>)> {
        self.find(key, 0, &mut 0)
    }

    fn find(self, key: &str, depth: usize, visited: &mut usize) -> Option<(Node<'a>, Node<'a>)> {
        *visited += 1;
        let own = self.pairs().iter().rev().find(|(name, _)| self.at(*name).as_str() == Some(key));
        if let Some((name, value)) = own {
            return Some((self.at(*name), self.at(*value)));
        }
        if depth > 8 || *visited > MAX_SOURCES {
            return None;
        }
        self.merged().find_map(|source| source.find(key, depth + 1, visited))
    }

    /// The keys of a mapping that repeat an earlier one.
    #[must_use]
    pub fn duplicates(self) -> Vec<Node<'a>> {
        let keys = || self.pairs().iter().map(|(key, _)| self.at(*key)).filter(|key| !key.is_merge());
        let mut seen = HashSet::new();
        keys().filter(|key| key.as_str().is_some_and(|text| !seen.insert(text))).collect()
    }

    /// What a scalar means; `Str` for collections too.
    #[must_use]
    pub fn resolve(self) -> Scalar {
        let data = self.data();
        let NodeKind::Scalar(text, style) = &data.kind else {
            return Scalar::Str;
        };
        match data.tag.as_deref() {
            None if *style == Style::Plain => resolve_plain(text),
            Some("!!int" | "!!float") => match resolve_plain(text) {
                Scalar::Str => text.parse().map_or(Scalar::Str, Scalar::Number),
                scalar => scalar,
            },
            Some("!!bool" | "!!null") => resolve_plain(text),
            _ => Scalar::Str,
        }
    }

    /// The text of a scalar with its way back to `source`, the text that was parsed; empty for collections.
    #[must_use]
    pub fn mapped(self, source: &str) -> Mapped {
        let data = self.data();
        let NodeKind::Scalar(text, style) = &data.kind else {
            return Mapped::default();
        };
        let raw = data.span.slice(source);
        match style {
            Style::Plain if raw == &**text => Mapped::verbatim(text, data.span.start),
            Style::Plain => Align::new(text, raw, data.span).run(0),
            Style::Quoted => Align::new(text, raw.get(1..raw.len().saturating_sub(1)).unwrap_or(""), data.span)
                .run(raw.as_bytes().first().copied().unwrap_or(b'"')),
            Style::Literal => map_literal(text, source, data.span),
            Style::Folded => map_folded(text, source, data.span),
        }
    }
}

/// The scalar rules of YAML 1.1 as PyYAML implements them.
fn resolve_plain(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        _ => resolve_number(text).map_or(Scalar::Str, Scalar::Number),
    }
}

fn resolve_number(text: &str) -> Option<f64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if let ".inf" | ".Inf" | ".INF" = digits {
        return Some(sign * f64::INFINITY);
    }
    if let ".nan" | ".NaN" | ".NAN" = text {
        return Some(f64::NAN);
    }
    let first = digits.bytes().next()?;
    if !first.is_ascii_digit() && first != b'.' || digits.len() > 64 {
        return None;
    }
    let plain: String = digits.chars().filter(|c| *c != '_').collect();
    let number = if digits.contains(':') {
        sexagesimal(&plain)
    } else if digits.contains('.') {
        decimal(digits, &plain, first == b'.' && digits.len() != text.len())
    } else {
        integer(&plain)
    };
    number.map(|number| sign * number)
}

fn decimal(digits: &str, plain: &str, signed_point: bool) -> Option<f64> {
    let (whole, rest) = digits.split_once('.')?;
    let exponent = rest.find(['e', 'E']);
    let fraction = &rest[..exponent.unwrap_or(rest.len())];
    let digit = |c: u8| c.is_ascii_digit() || c == b'_';
    // `.` needs a digit after it when none stands before it; an exponent needs its sign.
    let starts = !whole.is_empty() || fraction.bytes().next().is_some_and(|c| c.is_ascii_digit()) && !signed_point;
    let scaled = exponent.is_none_or(|at| {
        let power = &rest[at + 1..];
        power.len() > 1 && power.starts_with(['+', '-']) && power.bytes().skip(1).all(|c| c.is_ascii_digit())
    });
    (starts && scaled && whole.bytes().all(digit) && fraction.bytes().all(digit)).then(|| plain.parse().ok()).flatten()
}

#[expect(clippy::cast_precision_loss, reason = "numbers are compared, not computed with, beyond 2^53")]
fn integer(plain: &str) -> Option<f64> {
    let radix = |digits: &str, radix| u64::from_str_radix(digits, radix).ok().map(|n| n as f64);
    if let Some(bits) = plain.strip_prefix("0b") {
        return radix(bits, 2);
    }
    if let Some(hex) = plain.strip_prefix("0x") {
        return radix(hex, 16);
    }
    match plain.strip_prefix('0') {
        Some("") => Some(0.0),
        Some(octal) => radix(octal, 8),
        None if plain.bytes().all(|c| c.is_ascii_digit()) => plain.parse().ok(),
        None => None,
    }
}

fn sexagesimal(plain: &str) -> Option<f64> {
    let mut parts = plain.split(':');
    let first = parts.next()?;
    let whole = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    let fraction = plain.contains('.');
    if !whole(first) || first.starts_with('0') && !fraction {
        return None;
    }
    let mut total: f64 = first.parse().ok()?;
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        let (units, after) = if last { part.split_once('.').unwrap_or((part, "")) } else { (part, "") };
        if !whole(units) || units.len() > 2 || units.len() == 2 && units.as_bytes()[0] > b'5' || !after.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        total = total * 60.0 + part.parse::<f64>().ok()?;
    }
    Some(total)
}

/// Walks a one- or many-line flow scalar and its text side by side.
struct Align<'t> {
    text: &'t str,
    raw: &'t str,
    /// Where the whole scalar stands.
    span: Span,
    /// Offset of `raw` in the file.
    base: u32,
    mapped: Mapped,
}

impl<'t> Align<'t> {
    fn new(text: &'t str, raw: &'t str, span: Span) -> Self {
        let quoted = raw.len() < span.len();
        Self { text, raw, span, base: span.start + u32::from(quoted), mapped: Mapped::default() }
    }

    /// `quote` is the quote byte, 0 for a plain scalar.
    fn run(mut self, quote: u8) -> Mapped {
        if self.raw == self.text {
            return Mapped::verbatim(self.text, self.base);
        }
        let (mut at, mut done) = (0, 0);
        while let Some(rest) = self.raw.get(at..).filter(|rest| !rest.is_empty()) {
            let wanted = self.text.as_bytes().get(done..).unwrap_or(&[]);
            let same = rest.bytes().zip(wanted).take_while(|(a, b)| a == *b && !special(*a, quote)).count();
            // Never inside a character.
            let same = (0..=same).rev().find(|n| rest.is_char_boundary(*n) && self.text.is_char_boundary(done + n)).unwrap_or(0);
            if same > 0 {
                self.mapped.push(&rest[..same], self.base + Span::new(at, at).start);
                at += same;
                done += same;
                continue;
            }
            let (length, stands_for) = self.odd(rest, done, quote);
            if length == 0 || !self.text.is_char_boundary(done + stands_for) {
                break;
            }
            let source = Span::new(self.base as usize + at, self.base as usize + at + length);
            let part = &self.text[done..done + stands_for];
            if rest.get(..length) == Some(part) {
                self.mapped.push(part, source.start);
            } else {
                self.mapped.push_for(part, source);
            }
            at += length;
            done += stands_for;
        }
        if let Some(rest) = self.text.get(done..) {
            self.mapped.push_for(rest, self.span);
        }
        self.mapped
    }

    /// Lengths, in the file and in the text, of what stands for something else; 0 when it cannot be told.
    fn odd(&self, rest: &str, done: usize, quote: u8) -> (usize, usize) {
        let next = self.text.get(done..).unwrap_or("");
        let one = next.chars().next().map_or(0, char::len_utf8);
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        match rest.as_bytes() {
            [b'\'', b'\'', ..] if quote == b'\'' => (2, one),
            [b'\\', b'\n' | b'\r', ..] if quote == b'"' => (1 + rest[1..].len() - rest[1..].trim_start_matches([' ', '\t', '\r', '\n']).len(), 0),
            [b'\\', escape, after @ ..] if quote == b'"' => {
                let surrogates = *escape == b'u' && matches!(after, [b'd' | b'D', b'8'..=b'9' | b'a'..=b'b' | b'A'..=b'B', ..]);
                let length = match escape {
                    b'x' => 4,
                    b'u' if surrogates => 12,
                    b'u' => 6,
                    b'U' => 10,
                    _ => 2,
                };
                (length.min(rest.len()), one)
            }
            _ if blank > 0 => {
                let breaks = rest[..blank].matches('\n').count();
                match breaks {
                    // Blanks inside a line stand for themselves.
                    0 if next.starts_with(&rest[..blank]) => (blank, blank),
                    0 => (0, 0),
                    1 => (blank, usize::from(next.starts_with(' '))),
                    _ => (blank, (breaks - 1).min(next.len() - next.trim_start_matches('\n').len())),
                }
            }
            _ => (0, 0),
        }
    }
}

/// Bytes of a flow scalar that may stand for something else.
fn special(byte: u8, quote: u8) -> bool {
    match byte {
        b' ' | b'\t' | b'\r' | b'\n' => true,
        b'\\' => quote == b'"',
        b'\'' => quote == b'\'',
        _ => false,
    }
}

/// The lines after the one where a block scalar's indicator stands, with their offsets, line breaks left out.
fn lines_after(source: &str, span: Span) -> impl Iterator<Item = (usize, &str)> {
    let header = span.start as usize;
    let rest = source.get(header..).unwrap_or("");
    let mut at = header + rest.find('\n').map_or(rest.len(), |n| n + 1);
    source.get(at..).unwrap_or("").split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line)))
    })
}

fn map_literal(text: &str, source: &str, span: Span) -> Mapped {
    let mut mapped = Mapped::default();
    let mut lines = lines_after(source, span);
    for line in text.split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        let Some((start, raw)) = lines.next().filter(|(_, raw)| raw.ends_with(content)) else {
            mapped.push_for(line, span);
            continue;
        };
        let end = start + raw.len();
        mapped.push(content, Span::new(end - content.len(), end).start);
        if content.len() < line.len() {
            push_break(&mut mapped, "\n", source, end);
        }
    }
    mapped
}

/// Adds what the line break at `at` of the file stands for.
fn push_break(mapped: &mut Mapped, text: &str, source: &str, at: usize) {
    let after = source.as_bytes().get(at..).unwrap_or(&[]);
    if text == "\n" && after.first() == Some(&b'\n') {
        mapped.push(text, Span::new(at, at).start);
    } else {
        let length = if after.first() == Some(&b'\r') { 2 } else { 1 };
        mapped.push_for(text, Span::new(at, (at + length).min(source.len())));
    }
}

fn map_folded(text: &str, source: &str, span: Span) -> Mapped {
    let mut mapped = Mapped::default();
    let (mut done, mut last_end) = (0, span.start as usize + 1);
    for (start, raw) in lines_after(source, span) {
        let content = raw.trim_matches([' ', '\t']);
        if content.is_empty() {
            continue;
        }
        let rest = &text[done..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n']).len();
        if !rest[blank..].starts_with(content) {
            break;
        }
        let at = start + raw.len() - raw.trim_start_matches([' ', '\t']).len();
        push_break(&mut mapped, &rest[..blank], source, last_end);
        mapped.push(content, Span::new(at, at).start);
        done += blank + content.len();
        last_end = at + content.len();
    }
    push_break(&mut mapped, &text[done..], source, last_end);
    mapped
}

/// Puts a tree together from events.
#[derive(Default)]
pub(crate) struct Builder {
    yaml: Yaml,
    open: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    aliased: u64,
}

/// A collection that is not closed yet.
struct Frame {
    node: NodeId,
    map: bool,
    children: Vec<NodeId>,
    end: u32,
    size: Size,
    anchor: usize,
}

/// How much a node holds, aliases expanded.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: u64,
    height: usize,
}

struct Anchored {
    node: NodeId,
    /// `None` while the node is still open.
    size: Option<Size>,
}

impl Builder {
    /// Records what could not be read.
    pub(crate) fn error(&mut self, span: Span, message: impl Into<String>) {
        self.yaml.errors.push(SyntaxError { span, message: message.into() });
    }

    /// How many collections are open.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Adds a scalar.
    pub(crate) fn scalar(&mut self, span: Span, text: &str, style: Style, tag: Option<Box<str>>) -> NodeId {
        self.leaf(span, tag, NodeKind::Scalar(text.into(), style), Size { nodes: 1, height: 0 })
    }

    /// Opens a mapping or sequence.
    pub(crate) fn open(&mut self, start: u32, map: bool, tag: Option<Box<str>>) {
        let node = self.node(Span { start, end: start }, tag, NodeKind::Seq(Vec::new()));
        self.open.push(Frame { node, map, children: Vec::new(), end: start, size: Size { nodes: 1, height: 1 }, anchor: 0 });
    }

    /// Closes the innermost collection at `end`, or where its last member ends.
    pub(crate) fn close(&mut self, end: Option<u32>) {
        let Some(frame) = self.open.last() else { return };
        let end = end.unwrap_or(frame.end).max(frame.end);
        if frame.map && frame.children.len() % 2 == 1 {
            self.scalar(Span { start: end, end }, "", Style::Plain, None);
        }
        let Some(frame) = self.open.pop() else { return };
        if let Some(data) = self.yaml.nodes.get_mut(frame.node.0 as usize) {
            data.span.end = end;
            data.kind = if frame.map {
                NodeKind::Map(frame.children.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
            } else {
                NodeKind::Seq(frame.children)
            };
        }
        if let Some(anchored) = self.anchors.get_mut(&frame.anchor) {
            anchored.size = Some(frame.size);
        }
        self.attach(frame.node, end, frame.size);
    }

    /// Closes everything that is open.
    pub(crate) fn end_document(&mut self) {
        while !self.open.is_empty() {
            self.close(None);
        }
        self.anchors.clear();
    }

    /// The tree.
    pub(crate) fn finish(mut self) -> Yaml {
        self.end_document();
        self.yaml
    }

    fn node(&mut self, span: Span, tag: Option<Box<str>>, kind: NodeKind) -> NodeId {
        let id = NodeId(Span::new(self.yaml.nodes.len(), 0).start);
        self.yaml.nodes.push(NodeData { span, tag, kind });
        id
    }

    fn leaf(&mut self, span: Span, tag: Option<Box<str>>, kind: NodeKind, size: Size) -> NodeId {
        let id = self.node(span, tag, kind);
        self.attach(id, span.end, size);
        id
    }

    fn attach(&mut self, id: NodeId, end: u32, size: Size) {
        let Some(frame) = self.open.last_mut() else {
            self.yaml.roots.push(id);
            return;
        };
        frame.children.push(id);
        frame.end = frame.end.max(end);
        frame.size.nodes = frame.size.nodes.saturating_add(size.nodes);
        frame.size.height = frame.size.height.max(size.height + 1);
    }

    fn event(&mut self, text: &str, event: Event<'_>, span: &granit_parser::Span) {
        let at = bytes(span);
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let (span, style, value) = scalar(text, at, style, &value);
                let id = self.scalar(span, value, style, tag.map(|tag| tag.original().into()));
                if anchor > 0 {
                    self.anchors.insert(anchor, Anchored { node: id, size: Some(Size { nodes: 1, height: 0 }) });
                }
            }
            Event::SequenceStart(style, anchor, tag) => {
                let in_map = self.open.last().is_some_and(|frame| frame.map);
                let start = if style == StructureStyle::Block && in_map { dash(text, at.start) } else { at.start };
                self.open(start, false, tag.map(|tag| tag.original().into()));
                self.anchor(anchor);
            }
            Event::MappingStart(_, anchor, tag) => {
                self.open(at.start, true, tag.map(|tag| tag.original().into()));
                self.anchor(anchor);
            }
            // The end of a block collection has no text of its own.
            Event::SequenceEnd | Event::MappingEnd => self.close((!at.is_empty()).then_some(at.end)),
            Event::Alias(anchor) => self.alias(anchor, at, text),
            Event::UnresolvedAlias(name) => self.lost_alias(at, &format!("alias `*{name}` names no anchor before it"), text),
            Event::DocumentEnd => self.end_document(),
            _ => {}
        }
    }

    fn anchor(&mut self, anchor: usize) {
        if let Some(frame) = self.open.last_mut().filter(|_| anchor > 0) {
            frame.anchor = anchor;
            self.anchors.insert(anchor, Anchored { node: frame.node, size: None });
        }
    }

    fn alias(&mut self, anchor: usize, at: Span, text: &str) {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return self.lost_alias(at, "alias names no anchor before it", text);
        };
        let (node, size) = (anchored.node, anchored.size);
        let Some(size) = size else {
            return self.lost_alias(at, "alias stands inside what it names", text);
        };
        self.aliased = self.aliased.saturating_add(size.nodes);
        if self.aliased > MAX_ALIASED || self.open.len() + size.height > 2 * MAX_DEPTH {
            return self.lost_alias(at, "aliases stand for too many nodes", text);
        }
        self.leaf(at, None, NodeKind::Alias(node), size);
    }

    /// Keeps an alias that cannot be followed as the text it is.
    fn lost_alias(&mut self, at: Span, message: &str, text: &str) {
        self.error(at, message);
        self.scalar(at, at.slice(text), Style::Plain, None);
    }
}

fn bytes(span: &granit_parser::Span) -> Span {
    let start = span.start.byte_offset().unwrap_or(0);
    Span::new(start, span.end.byte_offset().unwrap_or(start))
}

/// Where, how and with which text a scalar stands.
fn scalar<'t>(text: &str, at: Span, style: ScalarStyle, value: &'t str) -> (Span, Style, &'t str) {
    match style {
        // Nothing is reported as `~`.
        ScalarStyle::Plain => (at, Style::Plain, if at.is_empty() { "" } else { value }),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => (at, Style::Quoted, value),
        ScalarStyle::Literal => (block(text, at), Style::Literal, value),
        ScalarStyle::Folded => (block(text, at), Style::Folded, value),
    }
}

/// A block scalar from its indicator to the last thing in it; `content` begins at its first line that is not blank.
fn block(text: &str, content: Span) -> Span {
    let before = text.get(..content.start as usize).unwrap_or("");
    let line = before.rfind('\n').map_or(0, |n| n + 1);
    // The indicator ends the last line before that holds anything.
    let above = before.get(..line).unwrap_or("").trim_end();
    let header = above.rfind('\n').map_or(0, |n| n + 1);
    let indicator = indicator(above.get(header..).unwrap_or("")).map(|n| header + n);
    let inside = content.slice(text).trim_end().len();
    let start = indicator.unwrap_or(content.start as usize);
    let end = if inside == 0 { start + 1 } else { content.start as usize + inside };
    Span::new(start, end)
}

/// Where in a line the indicator of a block scalar stands.
fn indicator(line: &str) -> Option<usize> {
    line.match_indices(['|', '>']).map(|(at, _)| at).find(|at| {
        let rest = line[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '+' || c == '-');
        let open = line[..*at].ends_with([' ', '\t']) || *at == 0;
        open && (rest.trim_start().is_empty() || rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#'))
    })
}

/// The first dash of a block sequence under a key; one that is not indented is reported after it.
fn dash(text: &str, at: u32) -> u32 {
    let before = text.get(..at as usize).unwrap_or("").trim_end();
    let Some(rest) = before.strip_suffix('-') else { return at };
    let alone = rest.trim_end_matches([' ', '\t']);
    if alone.is_empty() || alone.ends_with('\n') { Span::new(rest.len(), 0).start } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::LineIndex;

    fn text<'a>(node: Option<Node<'a>>) -> &'a str {
        node.and_then(Node::as_str).unwrap_or("(none)")
    }

    #[test]
    fn spans_cover_what_is_written() {
        let source = "tasks:\n- name: 'one'\n  shell: |  # why\n\n    echo a\n    echo b\n\n- &x !vault\n  - [1, 2]\nlast: {a: \"b\"}  \n";
        let yaml = Yaml::parse(source);
        assert!(yaml.errors.is_empty());
        let root = yaml.root().unwrap();
        assert_eq!(root.span().slice(source), source.trim_end());
        let tasks = root.get("tasks").unwrap();
        assert!(tasks.span().slice(source).starts_with("- name") && tasks.span().slice(source).ends_with("2]"));
        let items: Vec<_> = tasks.items().collect();
        assert_eq!(items[0].get("name").unwrap().span().slice(source), "'one'");
        assert_eq!(items[0].get("shell").unwrap().span().slice(source), "|  # why\n\n    echo a\n    echo b");
        assert_eq!(items[1].span().slice(source), "- [1, 2]");
        assert_eq!(items[1].tag(), Some("!vault"));
        assert_eq!(root.get("last").unwrap().span().slice(source), "{a: \"b\"}");
    }

    #[test]
    fn tags_and_templates_stay_text() {
        let yaml = Yaml::parse("a: !unsafe '{{ x }}'\nb: !reference [.job, script]\nc: pre {{ y | d('z') }} post\nd: !!str yes\n");
        let root = yaml.root().unwrap();
        assert_eq!((root.get("a").unwrap().tag(), text(root.get("a"))), (Some("!unsafe"), "{{ x }}"));
        assert_eq!(root.get("b").unwrap().items().map(|item| item.as_str().unwrap()).collect::<Vec<_>>(), [".job", "script"]);
        assert_eq!(text(root.get("c")), "pre {{ y | d('z') }} post");
        assert_eq!(root.get("d").unwrap().resolve(), Scalar::Str);
    }

    #[test]
    fn an_error_keeps_what_came_before_and_after() {
        let yaml = Yaml::parse("a: 1\nb:\n  - c: [2, 3\n  d: }\n---\ne: 4\n---\n'f\n");
        let documents: Vec<_> = yaml.documents().collect();
        assert_eq!(text(documents[0].get("a")), "1");
        assert_eq!(documents[0].get("b").unwrap().items().next().unwrap().get("c").unwrap().items().count(), 1);
        assert_eq!(text(documents[1].get("e")), "4");
        assert_eq!(documents.len(), 2);
    }

    #[test]
    fn merge_keys_yield_to_own_keys() {
        let source = "base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\nall:\n  <<: [*b, *m]\n  x: 0\n  x: 9\n";
        let yaml = Yaml::parse(source);
        let all = yaml.root().unwrap().get("all").unwrap();
        let entries: Vec<_> = all.entries().into_iter().map(|(key, value)| (key.as_str().unwrap(), value.as_str().unwrap())).collect();
        assert_eq!(entries, [("x", "0"), ("x", "9"), ("y", "2"), ("z", "4")]);
        assert_eq!((text(all.get("x")), text(all.get("y")), text(all.get("z"))), ("9", "2", "4"));
        assert_eq!(all.duplicates().len(), 1);
        assert_eq!(all.entry("z").unwrap().0.span().slice(source), "z");
    }

    #[test]
    fn aliases_are_bounded() {
        let yaml = Yaml::parse("a: &a 1\na2: &a 2\nb: *a\nc: *none\nd: &d [*d]\n");
        let root = yaml.root().unwrap();
        assert_eq!(text(root.get("b")), "2");
        assert_eq!(text(root.get("c")), "*none");
        assert_eq!(yaml.errors.len(), 2);
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..20 {
            let alias = format!("*a{}, ", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", alias.repeat(9));
        }
        assert!(!Yaml::parse(&bomb).errors.is_empty());
        let deep = "[".repeat(5000) + &"- ".repeat(5000);
        assert_eq!(Yaml::parse(&deep).errors.len(), 1);
    }

    #[test]
    fn plain_scalars_follow_yaml_1_1() {
        let number = |text| match resolve_plain(text) {
            Scalar::Number(number) => number,
            other => panic!("{text}: {other:?}"),
        };
        for (text, value) in [("0644", 420.0), ("0x1F", 31.0), ("0b11", 3.0), ("1_000", 1000.0), ("-1.5e+3", -1500.0), ("1:30", 90.0), (".5", 0.5)] {
            assert!((number(text) - value).abs() < 1e-9, "{text}");
        }
        for text in ["1e3", "0o17", "08", "y", "n", "1.2.3", "-", ".", "+.5", "01:30", "é", "1:99", "12ab", "_1", "0x"] {
            assert_eq!(resolve_plain(text), Scalar::Str, "{text}");
        }
        let yaml = Yaml::parse("[yes, Off, 'yes', ~, '', , null]");
        let root = Yaml::parse("- yes\n- Off\n- 'no'\n- ~\n-\n- ''\n- |\n  no\n");
        let scalars: Vec<_> = root.root().unwrap().items().map(Node::resolve).collect();
        assert_eq!(yaml.errors.len(), 1);
        let (yes, null, str) = (Scalar::Bool(true), Scalar::Null, Scalar::Str);
        assert_eq!(scalars, [yes, Scalar::Bool(false), str, null, null, str, str]);
    }

    fn check_mapping(source: &str, key: &str, parts: &[(&str, u32)]) {
        let yaml = Yaml::parse(source);
        let node = yaml.root().unwrap().get(key).unwrap();
        let mapped = node.mapped(source);
        assert_eq!(Some(mapped.text.as_str()), node.as_str());
        let lines = LineIndex::new(source);
        for (part, line) in parts {
            let at = mapped.text.find(part).unwrap();
            let span = mapped.span(Span::new(at, at + part.len()));
            assert_eq!((span.slice(source), lines.line(span.start)), (*part, *line), "{source:?}");
        }
    }

    #[test]
    fn mapped_text_leads_back() {
        check_mapping("a: |2+\n\n     one ä\n\n    two\n\nb: 1\n", "a", &[("one ä", 3), ("two", 5)]);
        check_mapping("a: |\r\n  one\r\n  two three\r\n", "a", &[("one", 2), ("three", 3)]);
        check_mapping("a: >-\n\n  one\n  two\n\n  three  \n    more in\n  four\n", "a", &[("one", 3), ("two", 4), ("three", 6), ("more in", 7), ("four", 8)]);
        check_mapping("a: one two\n   three\n\n   four\n", "a", &[("one two", 1), ("three", 2), ("four", 4)]);
        check_mapping("a: 'it''s one\n   two'\n", "a", &[("s one", 1), ("two", 2)]);
        check_mapping(r#"a: "x\ty \u00e4 \x41 end é""#, "a", &[("x", 1), ("y ", 1), (" end é", 1)]);
        check_mapping("a: \"one \\\n   two\n   three  \\  four\"\n", "a", &[("one ", 1), ("two", 2), ("three", 3), ("four", 3)]);
        check_mapping("a: plain\n", "a", &[("plain", 1)]);
    }
}
