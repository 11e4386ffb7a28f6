//! Parser events to a tree, bounded in depth and in what aliases stand for.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

use super::{NodeData, NodeId, NodeKind, Style, Yaml};
use crate::syntax::SyntaxError;
use crate::text::Span;

/// Levels of collections, of each notation, that are read.
pub(crate) const MAX_DEPTH: usize = 100;
/// Nodes that all aliases of a text together may stand for.
const MAX_ALIASED: u64 = 200_000;

/// Reads all documents of a text.
pub(super) fn parse(text: &str) -> Yaml {
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
        self.open.push(Frame {
            node,
            map,
            children: Vec::new(),
            end: start,
            size: Size { nodes: 1, height: 1 },
            anchor: 0,
        });
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
            Event::UnresolvedAlias(name) => {
                self.lost_alias(at, &format!("alias `*{name}` names no anchor before it"), text);
            }
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
