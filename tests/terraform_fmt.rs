//! What Terraform's parser accepts is accepted, and what it refuses is refused.
//!
//! With `STATEWARD_CORPUS=folder` the Terraform files of that folder are compared as well.

mod support;

use stateward::syntax::hcl;
use stateward::text::LineIndex;
use support::hcl::{Text, corpus, own_texts, refused};

/// Prints where we and Terraform differ; how many texts that are.
fn disagreements(texts: &[Text]) -> Option<usize> {
    let refused = refused(texts)?;
    let (mut accepted, mut lax, mut strict, mut same_line) = (0, 0, 0, 0);
    for (at, Text { name, text }) in texts.iter().enumerate() {
        let errors = hcl::parse(text).errors;
        match (refused.get(&at), errors.first()) {
            (None, None) => accepted += 1,
            (Some(lines), Some(_)) => {
                let index = LineIndex::new(text);
                same_line += usize::from(errors.iter().any(|error| lines.contains(&index.line(error.span.start))));
            }
            (Some(_), None) => {
                lax += 1;
                println!("only Terraform refuses {name}");
            }
            (None, Some(error)) => {
                strict += 1;
                println!("only Terraform accepts {name}: {error:?}");
            }
        }
    }
    let both = texts.len() - accepted - lax - strict;
    println!(
        "{} texts: {accepted} accepted by both, {both} refused by both ({same_line} on a line that Terraform names), \
         {lax} refused by Terraform only, {strict} accepted by Terraform only",
        texts.len()
    );
    Some(lax + strict)
}

#[test]
fn own_texts_are_judged_alike() {
    if let Some(count) = disagreements(&own_texts()) {
        assert_eq!(count, 0);
    }
}

#[test]
fn a_corpus_is_judged_alike() {
    let Some(texts) = corpus() else { return };
    if let Some(count) = disagreements(&texts) {
        assert!(count * 1000 <= texts.len(), "{count} of {}", texts.len());
    }
}

/// Files that both must accept.
const FILES: &[&str] = &[
    // Comments where anything may stand.
    "# a\n// b\n/* c\n d */ a /* e */ = /* f */ 1 # g\n/* h */",
    "a = 1 // no line break at the end",
    "a {} # b",
    "a {\n  # b\n}\n/**/c {}//d",
    "a = { # b\n  /* c */ d /* e */ = /* f */ 1 /* g */, // h\n  # i\n  j = 2 # k\n}\n",
    "a = [ # b\n  1, # c\n  /* d */ 2 // e\n  , 3\n]\n",
    "a = f( # b\n  c, # d\n  e... # f\n)\n",
    "a = { for b, c in d : # e\n  # f\n  b => c # g\n  if c # h\n}\n",
    "a = [ # b\n  for c in d : # e\n  c\n]\n",
    "a = (\n  b # c\n  ? d # e\n  : f /* g */\n)\n",
    "# \r in a comment\na = 1\n",
    // Line breaks.
    "a = (\n  b\n  && c\n  || !d\n)\n",
    "a = (b\n? c\n: d)\n",
    "a = {\n  b = (\n    c\n    ? d\n    : e\n  )\n}\n",
    "a = b ? {\n  c = 1\n} : {}\n",
    "a = { for b in c\n:\nb\n=>\nb\n...\nif\nb }\n",
    "a = { for b in c : b => b / \n 2 ? 1\n: 2 }\n",
    "a = [for b in c\n: b\n]\n",
    "a = b[\n0\n].c[\"d\"]\n",
    "a = \"${\nb\n}\"\n",
    "a = f(\n)\n",
    "a = {\n\n\n}\n",
    "a = { b = 1\n c = 2, }\n",
    "a = { b : 1, c = 2,\n }\n\n",
    "a = 1\r\nb {\r\n  c = 2\r\n}\r\n",
    "a = <<EOT\r\nb\r\nEOT\r\nc = 1\r\n",
    "a\t=\t1\n\tb\t\"c\"\t{\t}\t\n",
    "\u{feff}a = 1\n",
    "\u{feff}",
    "",
    "\n\n",
    // Blocks.
    "a {}\nb c {}\nd \"e\" f \"g\" {}\nh { i = 1 }\n",
    "a \"b $${c} %%{d} \\u00e4 \\\"\" {\n}\n",
    "a { b = {\n  c = 1\n} }\n",
    "a-b_c \"d\" {\n}\né = 1\nb2 = 1\n_ = 1\n",
    "for = 1\nif = for\nnull = true\nin {\n}\n",
    // Heredocs.
    "a = <<EOT\nEOT\nb {\n}\n",
    "a = <<-EOT\n  EOT\nb {\n}\n",
    "a = <<-EOT\nEOT\nb = <<EOT\n\nEOT\n",
    "a = <<EOT\nEOT\"\n EOTX\nEOT.\nEOT\n",
    "a = <<EOT\nb\n   EOT   \nc = 1\n",
    "a = <<-É\n  b\n  É\n",
    "a = <<A-B\nb\nA-B\n",
    "a = f(<<A\n1\nA\n, <<B\n2\nB\n)\n",
    "a = [<<A\n1\nA\n]\n",
    "a = { b = <<A\n1\nA\nc = 1 }\n",
    "a = <<A\n${<<B\nA\nB\n}\nA\n",
    "a = <<A\n$\n%\n$$\nx$\nA\nb = 1\n",
    "a = <<A\n%{ if b }\nA ${c}\n%{ else }A\n%{ endif }\nA\n",
];

/// Values that both must accept.
const VALUES: &[&str] = &[
    // Strings and templates.
    r#""%{if a}${b}%{endif}""#,
    r#""%{ if a == "b" }c%{ else }${d}%{ endif }e""#,
    r#""%{~ for a, b in c ~}${a}=${b}%{~ endfor ~}""#,
    r#""%{if a}%{for b in c}%{if d}e%{endif}%{endfor}%{else}%{endif}""#,
    r#""$${a} %%{b} $$$${c} $${""#,
    r#""$$${a}""#,
    r#""$ % $a 100% $""#,
    r#""%""#,
    r#""$\"""#,
    r#""\n\r\t\"\\\u00e4\U0001F600""#,
    r#""${"${"${a}"}"}""#,
    r#""${ { b = 1 } }""#,
    r#""${~ a ~}""#,
    "\"\u{0}\"",
    "\"\u{2028}\u{1f600}\"",
    // Numbers.
    "1e10",
    "1.5E-3",
    "1.e5",
    "00012",
    "1E+2",
    "1e400",
    "123456789012345678901234567890.123456789012345678901234567890",
    // Operators and traversals.
    "-1 - -1",
    "- - 1",
    "!-!a",
    "a == -b",
    "a % {}",
    "a ? b : c ? d : e",
    "a ? b ? c : d : e",
    "a.0.b",
    "a.0",
    "a.*.b.0.c[0]",
    "a[*].b[*].c.0",
    "a[*][0][*]",
    "a.*.b[0].*.c",
    "a . b [ 0 ]",
    "a[b[c[0]]]",
    "a.b-c.d_e",
    "a.0e1",
    "f (a)",
    "f(a, b...)",
    "f(a, )",
    "a::b::c(d)",
    "provider :: a :: b (c)",
    "true.a",
    "\"a\".b",
    "{ a = 1 }.a",
    "[1, 2][0]",
    "{ a = 1, a = 2 }",
    "{ \"a\" : 1, (b) = 2, \"${c}\" = 3, d.e = 4, 5 = 6, f() = 7, [] = 8 }",
    "{ null = 1, true : 2 }",
];

/// Files that both must refuse.
const BAD_FILES: &[&str] = &[
    "a = 1 b = 2\n",
    "a = 1\na = 2\n",
    "b {\n  a = 1\n  a = 2\n}\n",
    "a = 1,\n",
    "a =\n  1\n",
    "a\n= 1\n",
    "a = b\n  ? c\n  : d\n",
    "a = b +\n  c\n",
    "a = b\n.c\n",
    "a = b.\nc\n",
    "a = f\n(1)\n",
    "b\n{\n}\n",
    "b \"c\"\n{\n}\n",
    "b {} c {}\n",
    "b { c = 1\n}\n",
    "b { c = 1, d = 2 }\n",
    "b { c {} }\n",
    "b { c = <<EOT\nd\nEOT\n}\n",
    "b {\n",
    "b {\n}}\n",
    "}\n",
    "b \"${c}\" {\n}\n",
    "b \"c%{if d}\" {\n}\n",
    "b \"c\nd\" {\n}\n",
    "b 1 {\n}\n",
    "b = {\n",
    "b = [\n",
    "\"a\" = 1\n",
    "{\"a\": 1}\n",
    "a = <<EOT\nb\nEOT",
    "a = <<EOT\nb\nEOTX\n",
    "a = <<EOT\nb\n",
    "a = <<EOT \nb\nEOT\n",
    "a = <<\"EOT\"\nb\nEOT\n",
    "a = <<EOT\n${\nEOT\n",
    "a = <<EOT\n%{ if b }\nEOT\n",
    "a = <<EOT\n%{ if b }\nEOT\n%{ endif }\nEOT\n",
    "a = f(<<EOT\nb\nEOT)\n",
    "a = <<EOT\nb\rc\nEOT\n",
    "a = \"b\nc\"\n",
    "a = \"b\\\nc\"\n",
    "a = \"b\n",
    "a = \"b\r\"\n",
    "a = \"${b\"\n",
    "a = 1\rb = 2\n",
    "/* a\n",
    "a = 1 /* b\n",
    "a\u{a0}= 1\n",
    "a = { b = 1 c = 2 }\n",
    "a = { b = 1,\n, c = 2 }\n",
    "a = { b =\n 1 }\n",
    "a = { b = 1\n, c = 2 }\n",
    "a = { b\n = 1 }\n",
    "a = {{ b }}\n",
    "{% if a %}\nb = 1\n{% endif %}\n",
    "a = {{ .Values.b }}\n",
];

/// Values that both must refuse.
const BAD_VALUES: &[&str] = &[
    r#""\d""#,
    r#""\u12""#,
    r#""\uD800""#,
    r#""\U00110000""#,
    r#""${}""#,
    r#""${a b}""#,
    r#""%{}""#,
    r#""%{if a}""#,
    r#""%{endif}""#,
    r#""%{if a}%{endfor}""#,
    r#""%{for a in b}%{else}%{endfor}""#,
    r#""%{if a}%{else}%{else}%{endif}""#,
    r#""%{unless a}%{endif}""#,
    "'a'",
    "`a`",
    "“a”",
    "a;",
    "a & b",
    "a ** b",
    "a ^ b",
    "~a",
    "a === b",
    "a !",
    "(a",
    "(a,)",
    "f(,)",
    "f(a b)",
    "f(a..., b)",
    "[a b]",
    "[,]",
    "[a...]",
    "a[]",
    "a[*",
    "a.",
    "a..b",
    "a.*.*",
    "a.*.b.*",
    "a.0.0",
    "a.-1",
    "a.\"b\"",
    "a::b",
    "a::(b)",
    "10.0.0.1",
    "10.0.0.0/8",
    "0x1F",
    "1_000",
    "1e",
    "1e5e3",
    "1..2",
    "1e9999999999",
    ".5",
    "+1",
    "a ? b",
    "a ? : b",
    "{for=1}",
    "[for a : a]",
    "[for a in b : a => a]",
    "[for a in b : a...]",
    "[for a in b : a...c]",
    "[for a in b : a if c...]",
    "{for a in b : a}",
    "{for a, b, c in d : a => b}",
    "{for a in b : a => a if}",
    "a => b",
];

/// Whole files, and values as the one attribute of a file.
fn texts(files: &[&str], values: &[&str]) -> Vec<Text> {
    let files = files.iter().map(|text| (*text).to_owned());
    let texts = files.chain(values.iter().map(|value| format!("x = {value}\n")));
    texts.map(|text| Text { name: format!("{text:?}"), text }).collect()
}

#[test]
fn the_tables_are_right() {
    for (texts, accepted) in [(texts(FILES, VALUES), true), (texts(BAD_FILES, BAD_VALUES), false)] {
        let refused = refused(&texts);
        let mut wrong = Vec::new();
        for (at, Text { name, text }) in texts.iter().enumerate() {
            let errors = hcl::parse(text).errors;
            if errors.is_empty() != accepted {
                wrong.push(format!("we: {name}: {errors:?}"));
            }
            if refused.as_ref().is_some_and(|refused| refused.contains_key(&at) == accepted) {
                wrong.push(format!("Terraform: {name}"));
            }
        }
        assert!(wrong.is_empty(), "accepted: {accepted}\n{}", wrong.join("\n"));
    }
}
