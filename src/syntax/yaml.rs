//! YAML (and, through [`super::json`], JSON) as one arena of nodes with byte spans; tags, anchors and every key kept.

use super::SyntaxError;
use crate::text::{Mapped, Span};

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

/// A node of a text.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    yaml: &'a Yaml,
    id: NodeId,
}
