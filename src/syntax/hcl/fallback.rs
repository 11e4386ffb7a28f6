//! What tree-sitter can give of a text that `hcl-edit` refuses.

use super::recover::Header;
use super::template::{self, Place, opaque};
use super::{Attribute, Block, Body, Expr, ExprKind, Key, MAX_DEPTH, TOO_DEEP};
use crate::text::Span;
use tree_sitter::Node;

/// Larger texts do not go to tree-sitter, which needs hundreds of bytes of memory for each byte.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// The reason of an expression inside which there is a fault.
const BROKEN: &str = "it has a syntax error";

/// Parses a body; true when there is no fault in it.
pub(super) fn body(place: Place) -> (Body, bool) {
    let mut body = Body::default();
    let mut parser = tree_sitter::Parser::new();
    if parser.set_language(&tree_sitter_hcl::LANGUAGE.into()).is_err() {
        return (body, false);
    }
    let Some(tree) = parser.parse(place.text, None) else { return (body, false) };
    let root = tree.root_node();
    Tree { place, values: true }.body(root, 0, &mut body);
    (body, !root.has_error())
}

/// The blocks and attributes of a text without fault, of the values nothing but where they stand.
pub(super) fn places(text: &str) -> Option<Body> {
    let mut body = Body::default();
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_hcl::LANGUAGE.into()).ok()?;
    let tree = parser.parse(text, None)?;
    let root = tree.root_node();
    Tree { place: Place { text, base: 0 }, values: false }.body(root, 0, &mut body);
    (!root.has_error()).then_some(body)
}

/// Parses the value of an attribute that stands in its file where `span` says.
pub(super) fn value(text: &str, span: Span) -> Expr {
    let intro = "x = ";
    let whole = format!("{intro}{text}\n");
    let base = i64::from(span.start) - i64::try_from(intro.len()).unwrap_or(0);
    let (body, _) = body(Place { text: &whole, base });
    let found = body.attributes.into_iter().next();
    found.map_or_else(|| opaque("it is not followed", span), |attribute| attribute.value)
}

/// Makes sure that the block whose header is intact is in what was recovered of its text: where the tree has no such block,
/// what was recovered is its inside.
pub(super) fn keep_block(place: Place, header: Header, body: &mut Body) {
    let start = place.span(0, 0).start;
    let kind = place.span(header.kind.0, header.kind.1);
    let text = |range: (usize, usize)| place.text.get(range.0..range.1).unwrap_or("").trim_matches('"').into();
    let labels: Vec<(Box<str>, Span)> =
        header.labels.into_iter().map(|range| (text(range), place.span(range.0, range.1))).collect();
    let inside = place.span(header.inside, header.inside).start;
    let inner = if let Some(at) = body.blocks.iter().position(|block| block.span.start == start) {
        // The tree may have taken more or less for the header.
        body.blocks.remove(at).body
    } else {
        Body {
            attributes: body.attributes.extract_if(.., |attribute| attribute.name_span.start >= inside).collect(),
            blocks: body.blocks.extract_if(.., |block| block.span.start >= inside).collect(),
        }
    };
    body.blocks.insert(
        0,
        Block {
            kind: text(header.kind),
            header: labels.last().map_or(kind, |(_, last)| kind.to(*last)),
            labels,
            span: place.span(0, place.text.trim_end().len()),
            body: inner,
        },
    );
}

#[derive(Clone, Copy)]
struct Tree<'a> {
    place: Place<'a>,
    /// Values are looked into.
    values: bool,
}

impl<'t> Tree<'t> {
    fn span(self, node: Node) -> Span {
        self.place.span(node.start_byte(), node.end_byte())
    }

    fn text(self, node: Node) -> &'t str {
        self.place.text.get(node.byte_range()).unwrap_or("")
    }

    /// Attributes and blocks below a node, the outermost ones.
    fn body(self, node: Node, depth: usize, out: &mut Body) {
        if depth > MAX_DEPTH {
            return;
        }
        for child in children(node) {
            match child.kind() {
                "attribute" => out.attributes.extend(self.attribute(child)),
                "block" => out.blocks.push(self.block(child, depth)),
                "body" | "ERROR" => self.body(child, depth + 1, out),
                _ => {}
            }
        }
    }

    fn attribute(self, node: Node) -> Option<Attribute> {
        let parts = children(node);
        let name = parts.first().filter(|name| name.kind() == "identifier")?;
        let value = parts.iter().find(|part| part.kind() == "expression");
        let value = value.map_or_else(
            || opaque(BROKEN, self.span(node)),
            |value| {
                if self.values {
                    self.parsed(*value).unwrap_or_else(|| self.expr(*value, 0))
                } else {
                    opaque("it is not looked into", self.span(*value))
                }
            },
        );
        Some(Attribute { name: self.text(*name).into(), name_span: self.span(*name), value })
    }

    fn block(self, node: Node, depth: usize) -> Block {
        let mut kind = Span { start: self.span(node).start, end: self.span(node).start };
        let mut name = "";
        let mut labels = Vec::new();
        let mut body = Body::default();
        for child in children(node) {
            match child.kind() {
                "identifier" if name.is_empty() => {
                    name = self.text(child);
                    kind = self.span(child);
                }
                "identifier" => labels.push((self.text(child).into(), self.span(child))),
                "string_lit" => {
                    let label = match self.quoted(child) {
                        ExprKind::Str(text) => text,
                        _ => self.text(child).trim_matches('"').into(),
                    };
                    labels.push((label, self.span(child)));
                }
                "body" | "ERROR" => self.body(child, depth + 1, &mut body),
                _ => {}
            }
        }
        let header = labels.last().map_or(kind, |(_, last): &(_, Span)| kind.to(*last));
        Block { kind: name.into(), labels, header, span: self.span(node), body }
    }

    /// Literals, lists, objects, calls and conditions as the tree has them; anything else is parsed by itself, because the grammar ranks
    /// `a == b.c` as `(a == b).c`.
    fn expr(self, node: Node, depth: usize) -> Expr {
        let span = self.span(node);
        if depth > MAX_DEPTH {
            return opaque(TOO_DEEP, span);
        }
        let parts = children(node);
        let kind = match (node.kind(), &parts[..]) {
            ("expression" | "collection_value" | "template_expr" | "literal_value", [only]) => {
                // A level of the grammar only.
                return self.expr(*only, depth);
            }
            ("expression", [open, inner, _]) if open.kind() == "(" => return self.expr(*inner, depth + 1),
            ("tuple", _) => ExprKind::List(self.expressions(&parts, depth)),
            ("object", _) => self.object(&parts, depth),
            ("function_call", _) => self.call(&parts, depth),
            ("conditional", [test, _, yes, _, no]) => {
                ExprKind::Cond(Box::new([test, yes, no].map(|part| self.expr(*part, depth + 1))))
            }
            (kind, _) => match (self.parsed(node), kind) {
                (Some(expr), _) => return expr,
                (None, "string_lit" | "quoted_template") if !node.has_error() => self.quoted(node),
                (None, "heredoc_template") if !node.has_error() => self.heredoc(node),
                _ => ExprKind::Opaque(if node.has_error() { BROKEN } else { TOO_DEEP }.into()),
            },
        };
        Expr { kind, span }
    }

    fn parsed(self, node: Node) -> Option<Expr> {
        super::edit_expr(self.text(node), self.span(node).start).ok()
    }

    fn expressions(self, nodes: &[Node], depth: usize) -> Vec<Expr> {
        nodes
            .iter()
            .filter(|node| node.kind() == "expression" || node.is_error())
            .map(|node| self.expr(*node, depth + 1))
            .collect()
    }

    fn quoted(self, node: Node) -> ExprKind {
        let (start, end) = (node.start_byte() + 1, node.end_byte().saturating_sub(1));
        let mut tokens = template::read(self.place, start, end.max(start), true);
        template::strip(&mut tokens);
        template::finish(template::assemble(tokens), false)
    }

    fn heredoc(self, node: Node) -> ExprKind {
        let text = self.text(node);
        let start = node.start_byte() + text.find('\n').map_or(text.len(), |newline| newline + 1);
        let end = node.start_byte() + text.rfind('\n').map_or(text.len(), |newline| newline + 1);
        let mut tokens = template::read(self.place, start, end.max(start), false);
        template::strip(&mut tokens);
        if text.starts_with("<<-") {
            template::dedent(&mut tokens);
        }
        template::finish(template::assemble(tokens), true)
    }

    fn object(self, parts: &[Node], depth: usize) -> ExprKind {
        let mut members = Vec::new();
        for element in parts.iter().filter(|part| part.kind() == "object_elem") {
            let (Some(key), Some(value)) = (element.child_by_field_name("key"), element.child_by_field_name("val"))
            else {
                continue;
            };
            // `null = 1` and `true = 1` are words as any other there.
            let bare = matches!(&children(key)[..], [only] if only.kind() == "variable_expr")
                || matches!(self.text(key), "null" | "true" | "false");
            let key = if bare {
                Expr { kind: ExprKind::Str(self.text(key).into()), span: self.span(key) }
            } else {
                self.expr(key, depth + 1)
            };
            members.push((Key { expr: key }, self.expr(value, depth + 1)));
        }
        ExprKind::Object(members)
    }

    fn call(self, parts: &[Node], depth: usize) -> ExprKind {
        let name = parts.first().map_or("", |name| self.text(*name));
        let (mut args, mut expand) = (Vec::new(), false);
        if let Some(list) = parts.iter().find(|part| part.kind() == "function_arguments") {
            let list = children(*list);
            args = self.expressions(&list, depth);
            expand = list.last().is_some_and(|last| last.kind() == "ellipsis");
        }
        ExprKind::Call { name: name.into(), args, expand }
    }
}

fn children(node: Node) -> Vec<Node> {
    let mut cursor = node.walk();
    node.children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}
