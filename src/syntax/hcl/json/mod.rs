//! The JSON syntax of Terraform: one tree with the native one.

mod reader;
mod strings;

use super::{Attribute, Block, Body, Expr, ExprKind, File, Key};
use crate::text::Span;
use reader::{Node, Value};
use strings::Strings;

/// Top-level names that declare blocks, and how many labels those have.
const TOP: &[(&str, usize)] = &[
    ("resource", 2),
    ("data", 2),
    ("ephemeral", 2),
    ("source", 2),
    ("module", 1),
    ("variable", 1),
    ("output", 1),
    ("provider", 1),
    ("check", 1),
    ("locals", 0),
    ("terraform", 0),
    ("packer", 0),
    ("build", 0),
    ("moved", 0),
    ("import", 0),
    ("removed", 0),
];

/// The blocks in a block: in JSON nothing but the name tells them from attributes.
fn nested(kind: &str) -> &'static [(&'static str, usize)] {
    match kind {
        "resource" | "data" | "ephemeral" => &[("lifecycle", 0), ("provisioner", 1), ("connection", 0), ("dynamic", 1)],
        "terraform" => &[("backend", 1), ("required_providers", 0), ("cloud", 0), ("provider_meta", 1)],
        "packer" => &[("required_plugins", 0)],
        "build" => &[("source", 1), ("provisioner", 1), ("post-processor", 1)],
        "cloud" => &[("workspaces", 0)],
        "provisioner" => &[("connection", 0)],
        "lifecycle" => &[("precondition", 0), ("postcondition", 0)],
        "output" => &[("precondition", 0)],
        "variable" => &[("validation", 0)],
        "check" => &[("data", 2), ("assert", 0)],
        "removed" => &[("lifecycle", 0), ("provisioner", 1), ("connection", 0)],
        _ => &[],
    }
}

/// Attributes whose strings are references, not templates.
fn holds_references(kind: &str, name: &str) -> bool {
    match kind {
        "resource" | "data" | "ephemeral" | "module" | "output" => {
            matches!(name, "depends_on" | "provider" | "providers")
        }
        "lifecycle" => matches!(name, "ignore_changes" | "replace_triggered_by"),
        "moved" | "import" | "removed" => matches!(name, "from" | "to" | "provider"),
        "variable" => name == "type",
        _ => false,
    }
}

/// Parses a file in the JSON syntax (`.tf.json`, `.pkr.json`); spans point into the JSON text.
#[must_use]
pub fn parse_json(text: &str) -> File {
    let (root, errors) = reader::read(text);
    let mut file = File { body: Body::default(), errors };
    let converter = Converter { strings: Strings::new(text) };
    for members in objects(&root) {
        converter.members("", TOP, members, &mut file.body);
    }
    file.errors.extend(converter.strings.into_errors().into_iter().take(super::recover::MAX_ERRORS));
    file
}

/// Parses variable values in the JSON syntax (`.tfvars.json`): no member is a block, and no string a template.
#[must_use]
pub fn parse_json_values(text: &str) -> File {
    let (root, errors) = reader::read(text);
    let mut file = File { body: Body::default(), errors };
    let converter = Converter { strings: Strings::new(text) };
    for members in objects(&root) {
        for (key, node) in members {
            let name = converter.strings.plain(*key);
            if &*name != "//" {
                file.body.attributes.push(Attribute { name, name_span: *key, value: converter.literal(node) });
            }
        }
    }
    file
}

/// The members of an object, or of each object of an array.
fn objects(node: &Node) -> impl Iterator<Item = &[(Span, Node)]> {
    let nodes = match &node.value {
        Value::Array(items) => &items[..],
        _ => std::slice::from_ref(node),
    };
    nodes.iter().filter_map(|node| if let Value::Object(members) = &node.value { Some(&members[..]) } else { None })
}

struct Converter<'a> {
    strings: Strings<'a>,
}

impl Converter<'_> {
    /// The members of an object as the inside of a block of a kind; `blocks` names those that are blocks.
    fn members(&self, kind: &str, blocks: &[(&str, usize)], members: &[(Span, Node)], body: &mut Body) {
        for (key, node) in members {
            let name = self.strings.plain(*key);
            if &*name == "//" {
                continue;
            }
            let block = blocks.iter().find(|(block, _)| *block == &*name);
            if let Some((_, labels)) = block
                && matches!(node.value, Value::Object(_) | Value::Array(_) | Value::Null)
            {
                // `null` is no block at all.
                self.blocks(&name, *key, *labels, &mut Vec::new(), node, body);
            } else {
                let value = match kind {
                    _ if holds_references(kind, &name) => self.references(node),
                    // What a variable says of itself refers to nothing.
                    "variable" => self.literal(node),
                    _ => self.expr(node),
                };
                body.attributes.push(Attribute { name, name_span: *key, value });
            }
        }
    }

    /// The blocks of a kind below a node, `missing` labels away.
    fn blocks(
        &self,
        kind: &str,
        key: Span,
        missing: usize,
        labels: &mut Vec<(Box<str>, Span)>,
        node: &Node,
        body: &mut Body,
    ) {
        for members in objects(node) {
            if missing > 0 {
                for (label, inner) in members {
                    let name = self.strings.plain(*label);
                    if &*name != "//" {
                        labels.push((name, *label));
                        self.blocks(kind, key, missing - 1, labels, inner, body);
                        labels.pop();
                    }
                }
                continue;
            }
            // The kind and the first label are shared by many blocks: the last label stands for this one.
            let header = labels.last().map_or(key, |(_, last)| *last);
            let mut block = Block {
                kind: kind.into(),
                labels: labels.clone(),
                header,
                span: header.to(node.span),
                body: Body::default(),
            };
            self.members(kind, nested(kind), members, &mut block.body);
            body.blocks.push(block);
        }
    }

    fn expr(&self, node: &Node) -> Expr {
        let kind = match &node.value {
            Value::Null => ExprKind::Null,
            Value::Bool(value) => ExprKind::Bool(*value),
            Value::Number(value) => ExprKind::Number(*value),
            Value::Str => return self.strings.template(node.span),
            Value::Array(items) => ExprKind::List(items.iter().map(|item| self.expr(item)).collect()),
            Value::Object(members) => ExprKind::Object(self.object(members, |node| self.expr(node))),
        };
        Expr { kind, span: node.span }
    }

    /// A value in which strings are no templates.
    fn literal(&self, node: &Node) -> Expr {
        let string = |span: Span| Expr { kind: ExprKind::Str(self.strings.plain(span)), span };
        let kind = match &node.value {
            Value::Str => return string(node.span),
            Value::Array(items) => ExprKind::List(items.iter().map(|item| self.literal(item)).collect()),
            Value::Object(members) => {
                let members = members.iter().map(|(key, node)| (Key { expr: string(*key) }, self.literal(node)));
                ExprKind::Object(members.collect())
            }
            _ => return self.expr(node),
        };
        Expr { kind, span: node.span }
    }

    /// The members of a value; `"//"` is one as any other there.
    fn object(&self, members: &[(Span, Node)], value: impl Fn(&Node) -> Expr) -> Vec<(Key, Expr)> {
        members.iter().map(|(key, node)| (Key { expr: self.strings.template(*key) }, value(node))).collect()
    }

    fn references(&self, node: &Node) -> Expr {
        let kind = match &node.value {
            Value::Str => return self.strings.reference(node.span),
            Value::Array(items) => ExprKind::List(items.iter().map(|item| self.references(item)).collect()),
            Value::Object(members) => ExprKind::Object(self.object(members, |node| self.references(node))),
            _ => return self.expr(node),
        };
        Expr { kind, span: node.span }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Part;
    use super::*;

    #[test]
    fn blocks_have_their_labels_and_spans() {
        let text = r#"{"//": "note", "resource": {"aws_x": {"a": {"n": 1, "//": 2, "lifecycle": {"ignore_changes": ["tags"]},
            "provisioner": [{"local-exec": {"command": "echo ${self.id}"}}], "depends_on": ["aws_x.b"]}, "b": [{}, {}]}},
            "module": [{"m": {"source": "./m"}}, {"n": {"source": "./n"}}], "terraform": {"backend": {"s3": {"key": "k"}}},
            "locals": {"x": true}, "unknown": [null, -1.5e1]}"#;
        let file = parse_json(text);
        assert!(file.errors.is_empty(), "{:?}", file.errors);
        let names: Vec<String> = file
            .body
            .blocks
            .iter()
            .map(|block| format!("{} {}", block.kind, block.label(block.labels.len().saturating_sub(1)).unwrap_or("-")))
            .collect();
        assert_eq!(
            names,
            ["resource a", "resource b", "resource b", "module m", "module n", "terraform -", "locals -"]
        );
        let first = &file.body.blocks[0];
        assert_eq!(first.header.slice(text), "\"a\"");
        assert!(first.span.slice(text).starts_with("\"a\": {") && first.span.slice(text).ends_with("[\"aws_x.b\"]}"));
        let provisioner = first.body.blocks_of("provisioner").next().unwrap();
        assert_eq!(provisioner.label(0), Some("local-exec"));
        let ExprKind::Template(parts) = &provisioner.body.attribute("command").unwrap().value.kind else { panic!() };
        let [Part::Lit(echo, _), Part::Interp(id)] = &parts[..] else { panic!("{parts:?}") };
        assert_eq!((&**echo, id.span.slice(text)), ("echo ", "self.id"));
        let ExprKind::List(on) = &first.body.attribute("depends_on").unwrap().value.kind else { panic!() };
        assert!(matches!(&on[0].kind, ExprKind::Get(_, name) if &**name == "b"));
        assert_eq!(on[0].span.slice(text), "aws_x.b");
        assert_eq!(first.body.attributes.len(), 2);
        assert_eq!(file.body.blocks[5].body.blocks[0].label(0), Some("s3"));
        assert_eq!(file.body.attributes.len(), 1);
    }

    #[test]
    fn escapes_in_templates_keep_their_place() {
        let text = r#"{"locals": {"x": "a\n\u00e4${f(\"k\") == \"v\"}\ud83d\ude00 $${y}"}}"#;
        let file = parse_json(text);
        let ExprKind::Template(parts) = &file.body.blocks[0].body.attributes[0].value.kind else { panic!("{file:?}") };
        let texts: Vec<String> = parts
            .iter()
            .map(|part| match part {
                Part::Lit(text, _) => text.to_string(),
                Part::Interp(expr) => expr.span.slice(text).to_owned(),
                _ => String::new(),
            })
            .collect();
        assert_eq!(texts, ["a\n", "ä", r#"f(\"k\") == \"v\""#, "😀 ", "${", "y}"]);
    }

    #[test]
    fn values_of_variables_are_no_templates() {
        let text = r#"{"data": {"a": "${x}"}, "//": 1, "locals": ["%{if", {"//": null}]}"#;
        let file = parse_json_values(text);
        assert!(file.errors.is_empty() && file.body.blocks.is_empty());
        let shown: Vec<String> = file.body.attributes.iter().map(|own| format!("{:?}", own.value.kind)).collect();
        assert!(shown.len() == 2 && shown[0].contains(r#"Str("${x}")"#), "{shown:?}");
        assert!(shown[1].contains(r#"Str("%{if")"#) && shown[1].contains(r#"Str("//")"#), "{shown:?}");
        let file = parse_json(r#"{"variable": {"v": {"default": "${x}", "type": "list(string)"}}, "locals": null}"#);
        let body = &file.body.blocks[0].body;
        assert!(matches!(&body.attributes[0].value.kind, ExprKind::Str(text) if &**text == "${x}"));
        assert!(matches!(&body.attributes[1].value.kind, ExprKind::Call { .. }));
        assert_eq!((file.body.blocks.len(), file.body.attributes.len()), (1, 0));
    }

    #[test]
    fn broken_templates_are_told_where_they_are() {
        for (value, at) in [
            ("a ${", 4),
            ("a ${b c} d", 6),
            ("%{ if a }b", 0),
            ("${\\\"a}", 6),
            ("\\n${a b}", 6),
            ("%{ unless a }%{ end }", 0),
        ] {
            let text = format!("{{\"locals\": {{\"x\": \"{value}\", \"y\": 1}}}}");
            let file = parse_json(&text);
            assert_eq!((file.errors.len(), file.body.blocks[0].body.attributes.len()), (1, 2), "{value}");
            assert_eq!(file.errors[0].span.start as usize, 18 + at, "{value}: {:?}", file.errors);
        }
        assert!(parse_json_values("{\"x\": \"${\"}").errors.is_empty());
    }

    #[test]
    fn broken_json_keeps_what_came_before() {
        let file = parse_json("{\"locals\": {\"x\": 1}, \"output\": {\"o\": {\"value\": tru}}}");
        assert_eq!(file.errors.len(), 1);
        assert_eq!(file.errors[0].span.start, 47);
        assert_eq!(file.body.blocks_of("locals").count(), 1);
        for text in [
            "",
            "{",
            "[",
            "{\"",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":\"\\",
            "{\"a\":\"\\u12",
            "nul",
            "{\"a\": 01}",
            "{\"a\": 1.}",
            "{\"a\": -}",
            "{\"a\": 1e}",
            "{\"a\": \"\t\"}",
            "{\"a\": [1,]}",
            "{} x",
            &"[".repeat(100_000),
            &"{\"a\":".repeat(100_000),
        ] {
            assert_eq!(parse_json(text).errors.len(), 1, "{}", &text[..text.len().min(9)]);
        }
    }
}
