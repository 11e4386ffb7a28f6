mod traps;

use super::*;

fn only(text: &str) -> Expr {
    let file = parse(text);
    assert!(file.errors.is_empty(), "{:?}\n{text}", file.errors);
    file.body.attributes.into_iter().next().expect("an attribute").value
}

/// An expression in a compact notation.
fn show(expr: &Expr) -> String {
    let list = |items: &[Expr]| items.iter().map(show).collect::<Vec<_>>().join(" ");
    match &expr.kind {
        ExprKind::Null => "null".into(),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Number(value) => value.to_string(),
        ExprKind::Str(text) => format!("{text:?}"),
        ExprKind::Template(parts) => format!("`{}`", show_parts(parts)),
        ExprKind::List(items) => format!("[{}]", list(items)),
        ExprKind::Object(members) => {
            let members = members.iter().map(|(key, value)| format!("{}={}", show(&key.expr), show(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(" "))
        }
        ExprKind::Name(name) => name.to_string(),
        ExprKind::Get(base, name) => format!("{}.{name}", show(base)),
        ExprKind::Index(base, index) => format!("{}[{}]", show(base), show(index)),
        ExprKind::Splat(base, member) => format!("{}*({})", show(base), show(member)),
        ExprKind::Each => "_".into(),
        ExprKind::Call { name, args, expand } => format!("{name}({}{})", list(args), if *expand { "..." } else { "" }),
        ExprKind::Cond(parts) => format!("({} ? {} : {})", show(&parts[0]), show(&parts[1]), show(&parts[2])),
        ExprKind::Binary(operator, parts) => format!("({:?} {} {})", operator, show(&parts[0]), show(&parts[1])),
        ExprKind::Not(operand) => format!("!{}", show(operand)),
        ExprKind::Minus(operand) => format!("-{}", show(operand)),
        ExprKind::For(walk) => {
            let key = walk.key.as_ref().map_or(String::new(), |key| format!("{key},"));
            let result_key = walk.result_key.as_ref().map_or(String::new(), |key| format!("{}=>", show(key)));
            let condition =
                walk.condition.as_ref().map_or(String::new(), |condition| format!(" if {}", show(condition)));
            let group = if walk.group { "..." } else { "" };
            format!(
                "<{key}{} in {}: {result_key}{}{group}{condition}>",
                walk.value,
                show(&walk.collection),
                show(&walk.result)
            )
        }
        ExprKind::Opaque(reason) => format!("?{reason}?"),
    }
}

fn show_parts(parts: &[Part]) -> String {
    let show_part = |part: &Part| match part {
        Part::Lit(text, _) => text.replace('\n', "\\n").replace('\t', "\\t"),
        Part::Interp(expr) => format!("${{{}}}", show(expr)),
        Part::If(condition, then, other) => {
            format!("%if {}<{}|{}>", show(condition), show_parts(then), show_parts(other))
        }
        Part::For(key, value, collection, body) => {
            format!(
                "%for {}{value} in {}<{}>",
                key.as_deref().map_or(String::new(), |key| format!("{key},")),
                show(collection),
                show_parts(body)
            )
        }
    };
    parts.iter().map(show_part).collect::<Vec<_>>().join("·")
}

#[test]
fn expressions_of_every_kind() {
    for (text, expected) in [
        ("null", "null"),
        ("-1.5e1", "-15"),
        (r#""a\n\"\u00e4 $${x} %%{y}""#, r#""a\n\"ä ${x} %{y}""#),
        ("[a, (b), true]", "[a b true]"),
        ("{ a = 1, \"b\" : 2, (c) = 3, \"${d}\" = 4, \"x.y\" = [] }", r#"{"a"=1 "b"=2 c=3 `${d}`=4 "x.y"=[]}"#),
        ("a.b[\"c\"][0][d].1.e", "a.b.c[0][d][1].e"),
        ("a.b[*].c[0].d", "a.b*(_.c[0].d)"),
        ("a.*.c[0]", "a*(_.c)[0]"),
        ("a[*].b[*].c", "a*(_.b*(_.c))"),
        ("merge(a, b...)", "merge(a b...)"),
        ("provider::aws::arn(x)", "provider::aws::arn(x)"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("!a && -b + 2 * 3 >= 4 || c", "(Or (And !a (GreaterEq (Add -b (Mul 2 3)) 4)) c)"),
        ("[for v in c : v if v != null]", "<v in c: v if (NotEq v null)>"),
        ("{for k, v in c : k => v...}", "<k,v in c: k=>v...>"),
        (
            r#""a${b}c%{ if d }e%{ else }f%{ endif }%{ for k, v in g }${v}%{ endfor }""#,
            "`a·${b}·c·%if d<e|f>·%for k,v in g<${v}>`",
        ),
        (r#""x  ${~ b ~}  \n y""#, "`x·${b}·y`"),
        ("(a\n  == b) # c", "(Eq a b)"),
    ] {
        let source = format!("x = {text}\n");
        let value = only(&source);
        assert_eq!(show(&value), expected, "{text}");
        let (mut tree, clean) = fallback::body(Place { text: &source, base: 0 });
        assert!(clean, "{text}");
        assert_eq!(show(&tree.attributes.remove(0).value), expected, "tree-sitter: {text}");
        assert_eq!(show(&parse_expr(text, 7).unwrap()), expected);
    }
    assert!(parse_expr("a b", 3).unwrap_err().span.start >= 3);
    assert!(parse_expr("a) + (b", 0).is_err());
}

#[test]
fn heredocs_are_terraforms() {
    for (text, expected) in [
        (
            "<<-EOT\n    %{ for ip in l ~}\n    server ${ip}\n      deeper\n    %{ endfor ~}\n    end\n  EOT\n",
            "`%for ip in l<    server ·${ip}·\\n·  deeper\\n>·    end\\n`",
        ),
        (
            "<<EOT\none ~}\n  %{~ if true ~}\n\n    two ${~ \"z\" ~}\n      three\n  %{ endif }\nEOT\n",
            "`one ~}\\n·%if true<\\n·    two·${\"z\"}·      three\\n·  |>·\\n`",
        ),
        ("<<-EOT\n      $${a} x\n\n    %%{b}\n\t  tab\n  EOT\n", "`   ·${·a} x\\n·\\n· ·%{·b}\\n·tab\\n`"),
        ("<<-EOT\n  ${\"a\"}\n    b\nEOT\n", "`${\"a\"}·\\n·  b\\n`"),
        ("<<-EOT\n  one\n  EOT\n", "\"one\\n\""),
        ("<<EOT\nEOT\n", "\"\""),
        ("<<EOF\nEOF\"\n x\nEOF\n", "`EOF\"\\n· x\\n`"),
        ("f(<<A\n1\nA\n, <<B\n2\nB\n)\n", "f(\"1\\n\" \"2\\n\")"),
    ] {
        assert_eq!(show(&only(&format!("x = {text}"))), expected, "{text}");
    }
    let text = "x = <<-EOT\n    ä ${v} b\n      c\n  EOT\n";
    let value = only(text);
    assert!(value.span.slice(text).starts_with("<<-EOT") && value.span.slice(text).ends_with("EOT"));
    let ExprKind::Template(parts) = &value.kind else { panic!() };
    for part in parts {
        if let Part::Lit(line, span) = part {
            assert_eq!(&**line, span.slice(text));
        }
    }
}

#[test]
fn template_files() {
    let text = "a\n%{ if b ~}\n\n    c\n  %{~ endif ~}\n d $${x} ${f({a = \"}\"})}\n%{ for k, v in inner ~}\n${v}%{ endfor }${ bad bad }";
    assert_eq!(
        show_parts(&parse_template(text, 0)),
        "a\\n·%if b<\\n·    c\\n|>· d ·${·x} ·${f({\"a\"=\"}\"})}·\\n·%for k,v in inner<${v}>·${?an expression is not understood: expected the end of the expression?}"
    );
    let parts = parse_template("x${ a.b }", 100);
    assert!(
        matches!(&parts[..], [Part::Lit(_, lit), Part::Interp(expr)] if *lit == Span::new(100, 101) && expr.span == Span::new(104, 107)),
        "{parts:?}"
    );
    for text in [
        "${",
        "%{",
        "%{ if",
        "%{ endif }%{ else }",
        "%{ if a }x",
        "${\"",
        "$",
        "%",
        "\\",
        "%{ for in x }",
        "%{ for a in }",
        "${~}",
        "%{~",
        "~}",
    ] {
        let _ = parse_template(text, 0);
    }
    let _ = parse_template(&"%{ if a }".repeat(100_000), 0);
    let _ = parse_template(&"${[".repeat(20_000), 0);
}

const SAMPLE: &str = "terraform {\n  required_version = \"1\"\n}\n\nresource \"aws_x\" \"a\" {\n  n = 1\n  t = { Name = \"a\" }\n  inner {\n    k = <<-E\n      x ${var.a}\n    E\n  }\n}\n\nmodule \"m\" {\n  source = \"./m\"\n  l = [for k, v in var.l : \"${k}-${v}\" if v != null]\n}\n";

#[test]
fn spans_of_blocks_and_keys() {
    let file = parse(SAMPLE);
    let block = &file.body.blocks[1];
    assert_eq!(block.header.slice(SAMPLE), "resource \"aws_x\" \"a\"");
    assert!(block.span.slice(SAMPLE).ends_with("  }\n}"));
    assert_eq!((block.label(1), block.labels[1].1.slice(SAMPLE)), (Some("a"), "\"a\""));
    let ExprKind::Object(members) = &block.body.attribute("t").unwrap().value.kind else { panic!() };
    assert_eq!(members[0].0.expr.span.slice(SAMPLE), "Name");
    let text = "x = {\n a = (1) # , b\n /* c */ b = { d = 1 }, c = 2 // e\n}\n";
    let ExprKind::Object(members) = only(text).kind else { panic!() };
    let keys: Vec<&str> = members.iter().map(|(key, _)| key.expr.span.slice(text)).collect();
    assert_eq!(keys, ["a", "b", "c"]);
}

#[test]
fn valid_files_that_the_parser_refuses() {
    for text in [
        "\u{feff}x = 1\n".to_owned(),
        "x = {\n  for k, v in c :\n  k => # why\n    v\n    ? 1\n    : 2\n  if true }\n".to_owned(),
        "x = { a = 1, a = 2 }\n".to_owned(),
        format!("x = {}1{}\n", "[".repeat(80), "]".repeat(80)),
        format!("x = {}1{}\n", "[".repeat(3000), "]".repeat(3000)),
        format!("x = 1{}\n", " + 1".repeat(3000)),
        format!("x = a{}\n", ".b".repeat(30_000)),
        format!("x = {{\n{}}}\n", (0..6000).fold(String::new(), |text, n| text + &format!("k{n} = {n}\n"))),
        "x = \"%{ if a == \"b\" }${c}…%{ endif }\"\n".to_owned(),
        "x = (\n  a\n  ? b\n  : c\n  # why\n  && d\n)\n".to_owned(),
        "x = { for k in c : # why\n k => k }\n".to_owned(),
    ] {
        let file = parse(&text);
        assert!(file.errors.is_empty(), "{:?} {}", file.errors, &text[..60.min(text.len())]);
        assert_eq!(file.body.attributes.len(), 1);
        assert_eq!(file.body.attributes[0].name_span.slice(&text), "x");
    }
}

#[test]
fn an_empty_heredoc_hides_nothing() {
    let file = parse("a {\n  x = <<EOT\nEOT\n}\nresource \"b\" \"c\" {\n}\nd {\n  x = <<EOT\nEOT\n}\n");
    assert_eq!(file.body.blocks.len(), 3);
}

#[test]
fn a_broken_block_leaves_the_others() {
    for broken in [
        "  x = = 1\n}",
        "  x = 1\n",
        "  x = @\n}",
        "  x = \"a\n}",
        "  x = {\n}",
        "  x = (\n}",
        "  x = \"${\"\n}",
        "  x = ]\n}",
        "  x = <<EOT\n}",
        "  x = 1 y = 2\n}",
        "  x = 1\n  x = 2\n}",
    ] {
        let text = format!("a \"l\" {{\n  n = 1\n}}\n\nbad \"k\" {{\n  good = 1\n{broken}\n\nc {{\n  n = 1\n}}\n");
        let file = parse(&text);
        assert!(!file.errors.is_empty(), "{broken}");
        let lines = crate::text::LineIndex::new(&text);
        let line = lines.line(file.errors[0].span.start);
        assert!((5..=11).contains(&line), "{broken}: line {line}");
        let kinds: Vec<&str> = file.body.blocks.iter().map(|block| &*block.kind).collect();
        assert_eq!(kinds, ["a", "bad", "c"], "{broken}");
        assert_eq!(file.body.blocks[1].label(0), Some("k"), "{broken}");
        let kept = file.body.blocks[1].body.attribute("good").is_some();
        assert!(kept || broken.contains("x = {"), "{broken}");
        assert_eq!(file.body.blocks[2].header.slice(&text), "c");
    }
}

#[test]
fn recovery_looks_into_neither_heredocs_nor_comments() {
    let text = "a {\n  x = <<EOT\nnot {\n}\nEOT\n}\n/*\nno {\n}\n*/\nb {\n  x = = 1\n}\n";
    let kinds: Vec<String> = parse(text).body.blocks.iter().map(|block| block.kind.to_string()).collect();
    assert_eq!(kinds, ["a", "b"]);
    let file = parse("a {\nx = 1\nlifecycle {\ny = 2\n}\n}\nb {\n  x = = 1\n}\n");
    assert_eq!((file.errors.len(), file.body.blocks.len(), file.body.blocks[0].body.blocks.len()), (1, 2, 1));
}

#[test]
fn no_input_makes_it_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % limit as u64).unwrap()
    };
    let pieces = [
        "\"", "{", "}", "<<E\n", "${", "%{", "\n", "=", "~}", "(", "[", "\\", "ä", "$${", "/*", "for ", "\u{feff}",
        ".*", "[*]",
    ];
    for _ in 0..300 {
        let mut text: Vec<char> = SAMPLE.chars().collect();
        for _ in 0..=next(3) {
            let at = next(text.len());
            match next(3) {
                0 => drop(text.remove(at)),
                1 => drop(text.splice(at..at, pieces[next(pieces.len())].chars())),
                _ => text.truncate(at.max(1)),
            }
        }
        let text: String = text.into_iter().collect();
        let _ = parse(&text);
        let _ = parse_json(&text);
        let _ = parse_template(&text, 0);
        let _ = parse_expr(&text, 0);
    }
}
