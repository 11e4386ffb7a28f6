//! Words of the grammar to pieces.

use super::mask::PAINT;
use super::tree::Walk;
use super::{Word, WordPiece};
use crate::text::Span;
use tree_sitter::Node;

/// Words nest only through braces and defaults; deeper ones are unknown.
const MAX_DEPTH: u32 = 24;

impl<'t> Walk<'t> {
    /// The word that `node` is; commands substituted in it are noted for the walk.
    pub(super) fn word(&mut self, node: Node<'t>, context: u32) -> Word {
        let span = Span::from(node.byte_range());
        let mut word = Word { pieces: Vec::new(), spans: Vec::new(), span, quoted: false };
        self.pieces(node, context, &mut word, 0);
        word
    }

    /// The text of a here-document or the inside of double quotes as a word.
    pub(super) fn body_word(&mut self, node: Node<'t>, context: u32) -> Word {
        let span = Span::from(node.byte_range());
        let mut word = Word { pieces: Vec::new(), spans: Vec::new(), span, quoted: true };
        self.quoted(node, span, context, &mut word, 0);
        word
    }

    fn pieces(&mut self, node: Node<'t>, context: u32, word: &mut Word, depth: u32) {
        let span = tight(node, self.text);
        if depth > MAX_DEPTH {
            word.add(WordPiece::Opaque, span);
            return;
        }
        match node.kind() {
            "command_name" | "concatenation" | "translated_string" | "string_expansion" => {
                let mut cursor = node.walk();
                for child in node.children(&mut cursor) {
                    // The `$` of `$"…"` is no text.
                    if node.kind() == "concatenation" || child.is_named() {
                        self.pieces(child, context, word, depth + 1);
                    }
                }
            }
            "string" => {
                word.quoted = true;
                let inner = Span::new(span.start as usize + 1, (span.end as usize).saturating_sub(1));
                self.quoted(node, inner, context, word, depth);
            }
            "raw_string" => {
                word.quoted = true;
                let inner = Span::new(span.start as usize + 1, (span.end as usize).saturating_sub(1));
                word.literal_text(inner.slice(self.text), inner, &|_| false);
            }
            "ansi_c_string" => {
                word.quoted = true;
                let inner = Span::new(span.start as usize + 2, (span.end as usize).saturating_sub(1));
                word.literal_text(inner.slice(self.text), inner, &|_| true);
            }
            "simple_expansion" => {
                let name = span.slice(self.text).trim_start_matches('$');
                let all = matches!(name, "@" | "*");
                word.add(WordPiece::Var { name: name.into(), default: None, all }, span);
            }
            "expansion" => {
                self.substitutions(node, context);
                word.add(expansion(span.slice(self.text)), span);
            }
            "command_substitution" | "process_substitution" => {
                self.substituted(node, context);
                word.add(WordPiece::Opaque, span);
            }
            "arithmetic_expansion" => {
                self.substitutions(node, context);
                word.add(WordPiece::Opaque, span);
            }
            _ => word.literal_text(span.slice(self.text), span, &|_| true),
        }
    }

    /// Text in double quotes (or a here-document): what the grammar names is an expansion, all between is literal.
    fn quoted(&mut self, node: Node<'t>, inner: Span, context: u32, word: &mut Word, depth: u32) {
        let escapes = |c: char| matches!(c, '"' | '\\' | '$' | '`' | '\n');
        let mut at = inner.start;
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            let span = tight(child, self.text);
            let expands = matches!(
                child.kind(),
                "simple_expansion"
                    | "expansion"
                    | "command_substitution"
                    | "process_substitution"
                    | "arithmetic_expansion"
            );
            if !expands || span.start < at {
                continue;
            }
            let before = Span { start: at, end: span.start };
            word.literal_text(before.slice(self.text), before, &escapes);
            self.pieces(child, context, word, depth + 1);
            at = span.end;
        }
        let last = Span { start: at, end: inner.end.max(at) };
        word.literal_text(last.slice(self.text), last, &escapes);
    }

    /// Notes every command substitution below `node`.
    fn substitutions(&mut self, node: Node<'t>, context: u32) {
        let mut below = vec![node];
        while let Some(node) = below.pop() {
            if matches!(node.kind(), "command_substitution" | "process_substitution") {
                self.substituted(node, context);
                continue;
            }
            let mut cursor = node.walk();
            below.extend(node.named_children(&mut cursor));
        }
    }
}

/// Where a node stands; the grammar counts blanks before an expansion in a string to the expansion.
fn tight(node: Node<'_>, text: &str) -> Span {
    let span = Span::from(node.byte_range());
    let blanks = span.slice(text).len() - span.slice(text).trim_start().len();
    Span::new(span.start as usize + blanks, span.end as usize)
}

impl Word {
    fn add(&mut self, piece: WordPiece, span: Span) {
        self.pieces.push(piece);
        self.spans.push(span);
    }

    /// Adds literal text: painted parts are unknown, a backslash before a character that `escapes` is taken off.
    fn literal_text(&mut self, text: &str, span: Span, escapes: &dyn Fn(char) -> bool) {
        let base = span.start as usize;
        let mut from = 0;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c == PAINT {
                self.add_text(text, from, at, base);
                let mut end = at + 1;
                while chars.next_if(|(_, next)| *next == PAINT).is_some() {
                    end += 1;
                }
                self.add(WordPiece::Opaque, Span::new(base + at, base + end));
                from = end;
            } else if c == '\\'
                && let Some((_, next)) = chars.next_if(|(_, next)| escapes(*next))
            {
                self.add_text(text, from, at, base);
                from = at + 1 + next.len_utf8();
                if next != '\n' {
                    let resolved = next.encode_utf8(&mut [0; 4]).into();
                    self.add(WordPiece::Lit(resolved), Span::new(base + at, base + from));
                }
            }
        }
        self.add_text(text, from, text.len(), base);
    }

    fn add_text(&mut self, text: &str, from: usize, to: usize, base: usize) {
        if let Some(part) = text.get(from..to).filter(|part| !part.is_empty()) {
            self.add(WordPiece::Lit(part.into()), Span::new(base + from, base + to));
        }
    }
}

/// What `${…}` stands for.
fn expansion(text: &str) -> WordPiece {
    parameter(text).unwrap_or(WordPiece::Opaque)
}

fn parameter(text: &str) -> Option<WordPiece> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    let named = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
    let length = if named == 0 && inner.starts_with(['@', '*']) { 1 } else { named };
    if length == 0 {
        return None;
    }
    let (name, mut rest) = inner.split_at(length);
    let mut all = matches!(name, "@" | "*");
    for index in ["[@]", "[*]"] {
        if let Some(after) = rest.strip_prefix(index) {
            (all, rest) = (true, after);
        }
    }
    let default = match rest.trim_start_matches(':') {
        "" => None,
        after if after.starts_with(['-', '=']) => literal_default(&after[1..]),
        after if after.starts_with('?') => None,
        _ => return None,
    };
    Some(WordPiece::Var { name: name.into(), default, all })
}

fn literal_default(text: &str) -> Option<Box<str>> {
    let plain = text
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'))
        .or_else(|| text.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')))
        .unwrap_or(text);
    (!plain.contains(['$', '`', '"', '\'', '\\', PAINT])).then(|| plain.into())
}
