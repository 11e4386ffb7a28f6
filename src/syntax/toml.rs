//! TOML, into the YAML tree.

use super::yaml::{Builder, MAX_DEPTH, Style, Yaml};
use crate::text::Span;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Parses TOML. What can be made out beside an error stays.
#[must_use]
pub fn parse(text: &str) -> Yaml {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut builder = Builder::default();
    for error in errors {
        builder.error(span(error.span().unwrap_or(0..0)), error.message());
    }
    let whole = Span::new(0, text.len());
    map(&mut builder, table.get_ref(), whole);
    builder.finish()
}

fn span(range: Range<usize>) -> Span {
    Span::new(range.start, range.end)
}

fn map(builder: &mut Builder, table: &DeTable<'_>, at: Span) {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| (key.span().start, key.span().end));
    builder.open(at.start, true, None);
    for (key, entry) in entries {
        builder.scalar(span(key.span()), key.get_ref(), Style::Quoted, None);
        value(builder, entry);
    }
    builder.close(None);
}

fn value(builder: &mut Builder, value: &Spanned<DeValue<'_>>) {
    let at = span(value.span());
    let plain = |builder: &mut Builder, text: &str| _ = builder.scalar(at, text, Style::Plain, None);
    match value.get_ref() {
        DeValue::String(text) => _ = builder.scalar(at, text, Style::Quoted, None),
        DeValue::Boolean(value) => plain(builder, if *value { "true" } else { "false" }),
        DeValue::Integer(number) => plain(builder, number.as_str()),
        DeValue::Float(number) => plain(builder, number.as_str()),
        DeValue::Datetime(time) => plain(builder, &time.to_string()),
        // The parser bounds depth too; this holds for whatever it bounds it to.
        DeValue::Array(_) | DeValue::Table(_) if builder.depth() >= MAX_DEPTH => {
            builder.error(at, "values are nested too deeply");
            plain(builder, "null");
        }
        DeValue::Array(items) => {
            builder.open(at.start, false, None);
            for item in items {
                self::value(builder, item);
            }
            builder.close(None);
        }
        DeValue::Table(table) => map(builder, table, at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::Node;

    #[test]
    fn tables_arrays_and_places() {
        let text = "a = \"x\" # c\n[b.c]\nd = [1, true]\n[[e]]\nf = 1979-05-27\n[b.g]\nh = { i = 'j' }\n";
        let tree = parse(text);
        assert!(tree.errors.is_empty());
        let root = tree.root().unwrap();
        assert_eq!(root.get("a").and_then(Node::as_str), Some("x"));
        let d = root.get("b").and_then(|b| b.get("c")).and_then(|c| c.get("d")).unwrap();
        assert_eq!(d.items().map(|item| item.as_str().unwrap()).collect::<Vec<_>>(), ["1", "true"]);
        let (key, _) = root.get("b").and_then(|b| b.get("g")).and_then(|g| g.entry("h")).unwrap();
        assert_eq!(key.span().slice(text), "h");
        assert_eq!(root.get("e").map(|e| e.items().len()), Some(1));
        let i = root.get("b").and_then(|b| b.get("g")).and_then(|g| g.get("h")).and_then(|h| h.get("i"));
        assert_eq!(i.unwrap().span().slice(text), "'j'");
    }

    #[test]
    fn what_is_wrong_is_told_and_the_rest_kept() {
        let tree = parse("a = \"x\"\nb = = 1\n");
        assert!(!tree.errors.is_empty());
        assert_eq!(tree.root().and_then(|root| root.get("a")).and_then(Node::as_str), Some("x"));
        assert!(parse("").errors.is_empty());
    }
}
