//! What other parsers read otherwise than Terraform does.

use super::*;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// A file in a compact notation: an item a line.
fn outline(text: &str) -> String {
    fn inside(body: &Body, indent: usize, out: &mut String) {
        for attribute in &body.attributes {
            writeln!(out, "{:indent$}{} = {}", "", attribute.name, show(&attribute.value)).unwrap();
        }
        for block in &body.blocks {
            write!(out, "{:indent$}{}", "", block.kind).unwrap();
            block.labels.iter().for_each(|(label, _)| write!(out, " {label:?}").unwrap());
            out.push('\n');
            inside(&block.body, indent + 1, out);
        }
    }
    let file = parse(text);
    assert!(file.errors.is_empty(), "{:?}\n{text}", file.errors);
    let mut out = String::new();
    inside(&file.body, 0, &mut out);
    out
}

#[test]
fn expressions_over_lines() {
    for (text, expected) in [
        ("\"%{if a}x-${b}-%{endif}\"", "`%if a<x-·${b}·-|>`"),
        ("\"%{ if a == \"b\" ~}  ${c} %{~ else }d%{ endif }\"", "`%if (Eq a \"b\")<${c}|d>`"),
        ("(\n  a\n  ? b\n  : c\n)", "(a ? b : c)"),
        ("(\n  a ?\n  b\n  : # why\n  c ? d :\n e\n)", "(a ? b : (c ? d : e))"),
        ("(\n  a\n  && b\n  || !c # why\n  && d\n)", "(Or (And a b) (And !c d))"),
        (
            "alltrue([\n  for a in b : (\n    a == 1 ||\n    a == 2\n  )\n])",
            "alltrue(<a in b: (Or (Eq a 1) (Eq a 2))>)",
        ),
        ("a ? {\n  b = 1 # c\n} : {\n  # d\n}", "(a ? {\"b\"=1} : {})"),
        ("{\n  # a\n  b = 1 // c\n  /* d */ \"e\" : 2, /* f */\n  (g) = 3 # h\n}", "{\"b\"=1 \"e\"=2 g=3}"),
        ("{\n  # a\n  for b, c in d : # e\n  # f\n  b => c # g\n  if c # h\n}", "<b,c in d: b=>c if c>"),
        ("[\n  # a\n  for b in c : # d\n  b # e\n]", "<b in c: b>"),
        ("{ for a in b :\n a => a\n / 2\n ... }", "<a in b: a=>(Div a 2)...>"),
        ("{ for a in\n b\n ? c\n : d : a\n => a }", "<a in (b ? c : d): a=>a>"),
        ("merge( # a\n  b, # c\n  # d\n  e... # f\n)", "merge(b e...)"),
        ("a[\n  0\n].b", "a[0].b"),
        ("a.*.b.0[1]", "a*(_.b[0])[1]"),
        ("-a.b + -\"c\"", "(Add -a.b -\"c\")"),
        ("{ a = 1, b = 2, a = 3, \"a\" = 4 }", "{\"a\"=1 \"b\"=2 \"a\"=3 \"a\"=4}"),
        (
            "f({ a = 1, a = 2 } == b ? [{ c = 1, c = 2 }] : d)",
            "f(((Eq {\"a\"=1 \"a\"=2} b) ? [{\"c\"=1 \"c\"=2}] : d))",
        ),
        ("{ null = 1, true : 2, for_ = 3 }", "{\"null\"=1 \"true\"=2 \"for_\"=3}"),
        ("1e10", "10000000000"),
        ("1.5E-3", "0.0015"),
    ] {
        assert_eq!(outline(&format!("x = {text}\n")), format!("x = {expected}\n"), "{text}");
        assert_eq!(show(&parse_expr(text, 0).unwrap()), expected, "{text}");
        let lines = text.replace('\n', "\r\n");
        assert_eq!(outline(&format!("x = {lines}\r\n")), format!("x = {expected}\n"), "{text}");
    }
}

#[test]
fn a_heredoc_ends_where_terraform_ends_it() {
    for (text, value) in [
        ("<<EOT\nEOT", "\"\""),
        ("<<-EOT\nEOT", "\"\""),
        ("<<-EOT\n    EOT", "\"\""),
        ("<<EOT\r\nEOT\r", "\"\""),
        ("<<EOT\n\nEOT", "\"\\n\""),
        ("<<EOT\n EOT\"\n EOTX\nEOT.\n EOT  ", "` EOT\"\\n· EOTX\\n·EOT.\\n`"),
        ("<<ÄÖ\nx\n  ÄÖ", "\"x\\n\""),
        ("<<A-B\nA\nA-B", "\"A\\n\""),
        ("<<A\n$\n%\n$${b} %%{c}\nA", "`$\\n·%\\n·${·b} ·%{·c}\\n`"),
        ("f(<<A\nA\n, <<B\nB\n)", "f(\"\" \"\")"),
        ("{\n  b = <<A\nA\n  c = <<-B\n  B\n}", "{\"b\"=\"\" \"c\"=\"\"}"),
    ] {
        let file = format!("a {{\n  x = {text}\n}}\nb {{\n  y = <<EOT\nEOT\n}}\nc {{\n}}\n");
        assert_eq!(outline(&file), format!("a\n x = {value}\nb\n y = \"\"\nc\n"), "{text}");
        let value = &parse(&file).body.blocks[0].body.attributes[0].value;
        assert_eq!(value.span.slice(&file).trim_end(), text.trim_end(), "{text}");
    }
}

#[test]
fn blocks_of_every_form() {
    let text = "\u{feff}a{}\nb \"c $${d} \\\"\" e{f=1}# g\n/* h */ i /* j */ \"k\" /* l */ { // m\n\tn\t=\t1 /* o */\n\n  p {\n}} \n";
    let error = &parse(text).errors[0];
    assert_eq!(error.message, "expected newline after the block");
    assert_eq!(outline(&text.replace("}}", "}\n}")), "a\nb \"c ${d} \\\"\" \"e\"\n f = 1\ni \"k\"\n n = 1\n p\n");
    assert_eq!(outline("a = 1"), "a = 1\n");
    assert_eq!(outline("a {}"), "a\n");
    assert_eq!(outline("a = \"\u{0}\"\n"), "a = \"\\0\"\n");
    assert_eq!(outline(""), "");
    assert!(!parse("a = \u{0}\n").errors.is_empty());
}

/// Where `hcl-edit` gives up, tree-sitter has the structure and the text of templates is read again: nothing of its white
/// space may be lost.
#[test]
fn the_fallback_keeps_white_space() {
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    for (text, expected) in [
        ("\"   foo ${b}  bar \"", "`   foo ·${b}·  bar `"),
        ("\" \\t ${b} \\n\"", "` ·\\t· ·${b}· ·\\n`"),
        ("<<EOT\n\n  a ${b}\n\n  c  \n\nEOT\n", "`\\n·  a ·${b}·\\n·\\n·  c  \\n·\\n`"),
        ("<<-EOT\n\n    a ${b}\n      c  \n  EOT\n", "`\\n·a ·${b}·\\n·  c  \\n`"),
        ("\"%{ if a ~}  b %{ endif }  \"", "`%if a<b |>·  `"),
        ("a ? \" b \" : c", "(a ? \" b \" : c)"),
    ] {
        let value = only(&format!("x = [{deep}, {text}]\n"));
        let ExprKind::List(items) = &value.kind else { panic!("{value:?}") };
        assert_eq!(show(&items[1]), expected, "{text}");
        // With something in it that `hcl-edit` does not take, the template itself is read by the fallback.
        let (text, expected) = (text.replace("${b}", &format!("${{{deep}}}")), expected.replace("${b}", "${…}"));
        let value = only(&format!("x = {text}\n"));
        let shown = show(&value).replace(&format!("{}1{}", "[".repeat(70), "]".repeat(70)), "…");
        assert_eq!(shown, expected, "{text}");
    }
}

#[test]
fn depth_is_followed_to_a_limit() {
    for (open, close) in [("[", "]"), ("{ a = ", " }"), ("f(", ")"), ("(", ")")] {
        let nested = |depth: usize| format!("x = {}1{}\ny = 2\n", open.repeat(depth), close.repeat(depth));
        // A parenthesis is no level for what walks the tree, but one for what makes it.
        for depth in [10, 60, 70, 95] {
            let shown = outline(&nested(depth));
            assert!(!shown.contains('?') && shown.ends_with("y = 2\n"), "{open} {depth}: {shown}");
        }
        for depth in [200, 400, 20_000] {
            let file = parse(&nested(depth));
            assert!(file.errors.is_empty(), "{open} {depth}: {:?}", file.errors);
            assert_eq!(file.body.attributes.len(), 2, "{open} {depth}");
        }
    }
    let blocks = format!("{}x = 1\n{}y = 2\n", "a {\n".repeat(90), "}\n".repeat(90));
    assert!(outline(&blocks).contains("x = 1"));
    let chain = outline(&format!("x = a{}\ny = 2\n", " + 1".repeat(95)));
    assert!(!chain.contains('?') && chain.ends_with("y = 2\n"), "{chain}");
    for operators in [130, 1000] {
        assert!(outline(&format!("x = a{}\ny = 2\n", " || b".repeat(operators))).ends_with("y = 2\n"));
    }
}

#[test]
fn wide_objects_take_no_long_time() {
    let members = (0..20_000).fold(String::new(), |text, n| text + &format!("  k{n} = \"v{n}\"\n"));
    for (before, after) in [("{\n", "}"), ("merge({\n", "}, b)"), ("a ? {\n", "} : {}"), ("[{\n", "}]")] {
        let text = format!("x = {before}{members}{after}\ny = 2\n");
        let start = Instant::now();
        let shown = outline(&text);
        assert!(start.elapsed() < Duration::from_secs(20), "{before}: {:?}", start.elapsed());
        assert!(shown.contains("\"k19999\"=\"v19999\"") && shown.ends_with("y = 2\n"), "{before}");
    }
    let text = format!("x {{\n{members}}}\n");
    assert_eq!(parse(&text).body.blocks[0].body.attributes.len(), 20_000);
}
