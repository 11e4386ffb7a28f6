//! YAML (and, through [`super::json`], JSON) as one arena of nodes with byte spans; tags, anchors and every key kept.

mod build;
mod map;
mod scalar;

use std::collections::{HashMap, HashSet};

use super::SyntaxError;
use crate::text::{Mapped, Span};

pub(crate) use build::{Builder, MAX_DEPTH};
pub use scalar::Scalar;
pub(crate) use scalar::is_number;
use scalar::resolve_plain;

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
        build::parse(text)
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
        entries.extend(
            pairs.iter().map(|(key, value)| (self.at(*key), self.at(*value))).filter(|(key, _)| !key.is_merge()),
        );
        if entries.len() < pairs.len() {
            let mut known: HashSet<&str> = entries.iter().filter_map(|(key, _)| key.as_str()).collect();
            self.merge(&mut entries, &mut known, 0, &mut 0);
        }
        entries
    }

    fn merge(
        self,
        entries: &mut Vec<(Node<'a>, Node<'a>)>,
        known: &mut HashSet<&'a str>,
        depth: usize,
        visited: &mut usize,
    ) {
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

    /// The same in the order in which `PyYAML` has them: what `<<` brings in stands before what is written.
    #[must_use]
    pub fn entries_in_order(self) -> Vec<(Node<'a>, Node<'a>)> {
        let mut entries = self.entries();
        if self.pairs().iter().any(|(key, _)| self.at(*key).is_merge()) {
            let (mut names, mut order) = (Vec::new(), HashMap::new());
            self.name_in_order(&mut names, 0, &mut 0);
            for (at, name) in names.into_iter().enumerate() {
                order.entry(name).or_insert(at);
            }
            entries.sort_by_key(|(key, _)| key.as_str().and_then(|name| order.get(name)).copied());
        }
        entries
    }

    fn name_in_order(self, names: &mut Vec<&'a str>, depth: usize, visited: &mut usize) {
        let merges = self.pairs().iter().filter(|(key, _)| self.at(*key).is_merge());
        for (_, value) in merges {
            let value = self.at(*value);
            let sources: Vec<Node<'a>> = if value.is_map() { vec![value] } else { value.items().collect() };
            for source in sources.into_iter().rev() {
                *visited += 1;
                if depth < 8 && *visited < MAX_SOURCES {
                    source.name_in_order(names, depth + 1, visited);
                }
            }
        }
        let own = self.pairs().iter().map(|(key, _)| self.at(*key)).filter(|key| !key.is_merge());
        names.extend(own.filter_map(Node::as_str).take(MAX_MERGED));
    }

    /// The mappings that `<<` names, the strongest first.
    fn merged(self) -> impl Iterator<Item = Node<'a>> {
        let values = self.pairs().iter().rev().filter(move |(key, _)| self.at(*key).is_merge());
        values
            .map(move |(_, value)| self.at(*value))
            .flat_map(|value| value.is_map().then_some(value).into_iter().chain(value.items()))
    }

    fn is_merge(self) -> bool {
        matches!(self.kind(), NodeKind::Scalar(text, Style::Plain) if &**text == "<<")
    }

    /// The value of a key; of a repeated key the last, as `PyYAML` takes it; merge keys are followed.
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
        let (mut own, mut merges) = (None, false);
        for (name, value) in self.pairs() {
            // Variable files have many keys and few of them are asked for: one pass over the texts decides.
            match self.at(*name).as_str() {
                Some(text) if text == key => own = Some((self.at(*name), self.at(*value))),
                Some("<<") => merges = true,
                _ => {}
            }
        }
        if own.is_some() || !merges {
            return own;
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
        map::scalar(text, *style, source, data.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::LineIndex;

    fn text(node: Option<Node<'_>>) -> &str {
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
        let yaml = Yaml::parse(
            "a: !unsafe '{{ x }}'\nb: !reference [.job, script]\nc: pre {{ y | d('z') }} post\nd: !!str yes\n",
        );
        let root = yaml.root().unwrap();
        assert_eq!((root.get("a").unwrap().tag(), text(root.get("a"))), (Some("!unsafe"), "{{ x }}"));
        assert_eq!(
            root.get("b").unwrap().items().map(|item| item.as_str().unwrap()).collect::<Vec<_>>(),
            [".job", "script"]
        );
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
        let entries: Vec<_> =
            all.entries().into_iter().map(|(key, value)| (key.as_str().unwrap(), value.as_str().unwrap())).collect();
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
            let line = format!("a{level}: &a{level} [{}]\n", alias.repeat(9));
            bomb += &line;
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
        for (text, value) in [
            ("0644", 420.0),
            ("0x1F", 31.0),
            ("0b11", 3.0),
            ("1_000", 1000.0),
            ("-1.5e+3", -1500.0),
            ("1:30", 90.0),
            (".5", 0.5),
        ] {
            assert!((number(text) - value).abs() < 1e-9, "{text}");
        }
        for text in ["1e3", "0o17", "08", "y", "n", "1.2.3", "-", ".", "+.5", "01:30", "é", "1:99", "12ab", "_1", "0x"]
        {
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
        check_mapping(
            "a: >-\n\n  one\n  two\n\n  three  \n    more in\n  four\n",
            "a",
            &[("one", 3), ("two", 4), ("three", 6), ("more in", 7), ("four", 8)],
        );
        check_mapping("a: one two\n   three\n\n   four\n", "a", &[("one two", 1), ("three", 2), ("four", 4)]);
        check_mapping("a: 'it''s one\n   two'\n", "a", &[("s one", 1), ("two", 2)]);
        check_mapping(r#"a: "x\ty \u00e4 \x41 end é""#, "a", &[("x", 1), ("y ", 1), (" end é", 1)]);
        check_mapping(
            "a: \"one \\\n   two\n   three  \\  four\"\n",
            "a",
            &[("one ", 1), ("two", 2), ("three", 3), ("four", 3)],
        );
        check_mapping("a: plain\n", "a", &[("plain", 1)]);
    }
}
