//! What is written has the value that Terraform gives it.

mod support;

use serde_json::Value as Json;
use stateward::model::terraform::{Options, Source, SourceKind, Terraform};
use stateward::source::{File, Tree};
use stateward::syntax::hcl;
use stateward::text::FileId;
use stateward::value::{Data, Value};
use support::Folder;
use support::hcl::terraform;

/// What the values may refer to.
const GIVEN: &str = "locals {\n  s = \"str\"\n  n = 3\n  t = true\n  none = null\n  l = [\"x\", \"y\"]\n  m = { b = 2, a = 1 }\n  \
                     objs = [{ n = 1, in = [5, 6] }, { n = 2, in = [7] }]\n}\n";

/// Values as they stand after `=`, the last line break included where that matters.
const VALUES: &[&str] = &[
    // Directives in strings.
    r#""%{if local.t}${local.s}%{endif}""#,
    r#""%{ if local.t }a${local.s}b%{ else }c%{ endif }d""#,
    r#""%{if !local.t}a%{else}b%{endif}""#,
    r#""%{if local.s == "str"}eq%{endif}""#,
    r#""%{ for x in local.l }${x},%{ endfor }""#,
    r#""%{ for k, v in local.m ~} ${k}=${v} %{~ endfor }""#,
    r#""%{if local.t}%{for x in local.l}%{if x == "x"}[${x}]%{endif}%{endfor}%{endif}""#,
    r#"" ${~ local.s ~} ""#,
    r#""a ${~ local.s} b ${local.s ~} c""#,
    // Conditions over several lines.
    "(\n    local.t\n    ? 1\n    : 2\n  )",
    "(local.t ?\n    1 :\n    2)",
    "(\n    # why\n    local.t # which\n    ? 1 /* yes */\n    // no\n    : 2\n  )",
    "(\n    local.t\n    && local.n == 3\n    && local.s != \"x\" ? \"yes\" : \"no\"\n  )",
    "(\n    !local.t ? \"a\"\n    : local.n > 5 ? \"b\"\n    : \"c\"\n  )",
    "local.t ? {\n    a = 1\n  } : {\n    a = 2\n  }",
    "local.n + 1 == 4 ? local.l[\n    0\n  ] : \"z\"",
    // Comments in objects, lists, calls and `for`.
    "{\n    # a\n    a = 1 # b\n    // c\n    b = 2 // d\n    /* e */ c = /* f */ 3 /* g */, d = 4\n    # h\n  }",
    "[ # a\n    1, # b\n    2 # c\n    , 3 /* d */, // e\n  ]",
    "merge( # a\n    { a = 1 }, # b\n    # c\n    { b = 2 } # d\n  )",
    "{\n    # a\n    for k, v in local.m : # b\n    # c\n    k => v # d\n    # e\n    if v > 1 # f\n  }",
    "[\n    for o in local.objs : # a\n    # b\n    o.n # c\n    if o.n > 1\n  ]",
    "flatten([for o in local.objs : [\n    # a\n    for i in o.in : \"${o.n}-${i}\" # b\n  ]])",
    // `for` over lines.
    "{ for k, v in local.m :\n    k => v\n    / 2 }",
    "{ for k, v in local.m : k =>\n    v > 1\n    ? \"big\"\n    : \"small\" }",
    "{ for x in\n    local.t\n    ? local.l\n    : [] :\n    x\n    => x... }",
    "{ for o in local.objs : o.n => {\n    # a\n    in = o.in\n    n = o.n\n  } }",
    "{ for o in local.objs : \"k${o.n}\" => [for i in o.in :\n    i * 2] if o.n\n    == 1 }",
    "{for x in concat(local.l, local.l) : x => 1...}",
    // Objects.
    "{ a = 1, a = 2 }",
    "{ a = 1, b = 2, \"a\" = 3 }",
    "{ a = { b = 1 }, \"${\"a\"}\" = 5 }",
    "{ a = 1, b = 2, A = 3, _ = 4, a = 5, b = 6, a = 7 }",
    "{ \"a b\" = 1, \"ä\" = 2, \"a b\" = 3, \"ä\" = 4 }",
    "{ (local.s) = 1, (local.s) = 2 }",
    "{ \"${local.s}\" = 1, \"${local.s}\" = 2, \"a\" = 3, \"a\" : 4 }",
    "local.t ? { a = { b = 1, b = 2 } } : {}",
    "[for x in local.l : { x = x, x = upper(x) }]",
    "\"  ${ { a = 1, a = 2 }.a }  \"",
    "{ a : 1, \"b c\" : 2, (local.s) : 3, \"${local.s}x\" = 4, 5 = 6, true = 7, null = 8 }",
    "{ for_each = 1, if = 2, in = 3, format = 4 }",
    "{\n    a = 1,\n    b = 2\n    c = 3, }",
    "{}",
    "{\n\n  }",
    // Heredocs.
    "<<EOT\nEOT\n",
    "<<-EOT\nEOT\n",
    "<<-EOT\n  EOT\n",
    "<<EOT\n\nEOT\n",
    "<<EOT\n  a\n    b\n  EOT\n",
    "<<-EOT\n  a\n    b\n  EOT\n",
    "<<-EOT\n    a\n\n  b\n   \n  EOT\n",
    "<<-EOT\n\ta\n\t  b\n EOT\n",
    "<<-EOT\n    ${local.s}\n      b\n  EOT\n",
    "<<-EOT\n  ${local.s}\n${local.s}\n  EOT\n",
    "<<-EOT\n  %{ if local.t }\n  a\n  %{ endif }\n  b\n  EOT\n",
    "<<-EOT\n  %{ if local.t ~}\n  a\n  %{ else ~}\n  c\n  %{ endif ~}\n  b\n  EOT\n",
    "<<-EOT\n    %{ for x in local.l ~}\n    x = ${x}\n    %{ endfor ~}\n    end\n  EOT\n",
    "<<EOT\n%{ for x in local.l }${x}\n%{ endfor }EOT\nEOT\n",
    "<<EOT\n  leading\n trailing  \n\n\nEOT\n",
    "<<EOT\nEOT\"\n EOTX\nEOT.\n\"EOT\nEOT-1\n EOT\n",
    "<<EOF\n#!/bin/sh\ncat <<EOT\n$HOME ${local.s} $${x} %%{y} 100% $1\n\\n \"q\" \\\\\nEOT\nEOF\n",
    "<<EOT\n$\n%\n$$\nx$\n%%\nEOT\n",
    "<<ÄÖ\na\nÄÖ\n",
    "<<A-B\na\nA\nA-B\n",
    "<<EOT\na   ${~ local.s ~}   \n  b\nEOT\n",
    "<<EOT\r\na\r\n  ${local.s}\r\nEOT\r\n",
    "<<-EOT\r\n    a\r\n      b\r\n  EOT\r\n",
    "[<<A\none\nA\n, <<-B\n    two\n    B\n  , \"three\"]",
    "{\n    a = <<A\none\nA\n    b = 2\n  }",
    "upper(<<A\none\nA\n  )",
    "<<A\n${upper(<<B\ninner\nB\n)}\nA\n",
    // Text.
    r#""   leading and trailing   ""#,
    r#""  ${local.s}  ""#,
    r#""\t${local.s}\n""#,
    r#""${local.s} ${local.s}""#,
    r#""$${local.s} %%{if} $$ %% $a %a $ %""#,
    r#""$$${local.s}""#,
    r#""$$$${local.s}""#,
    r#""%%%%{x}""#,
    r#""\n\r\t\"\\\u00e4\U0001F600""#,
    r#""\\${local.s}\\n""#,
    r#""a\"b${"c\"d"}e""#,
    "\"# no // comment /* here */\"",
    r#""<<EOT""#,
    r#""${"${"deep"}"}""#,
    r#""${local.n}""#,
    r#""${local.l}""#,
    r#""${local.n}${""}""#,
    "\"\u{1f600} ä \u{2028}\"",
    "\"\"",
    // Numbers and operators.
    "1e10",
    "1.5E-3",
    "1E+2",
    "007",
    "-1.5",
    "- - 2",
    "!!local.t",
    "(1 + -\n    local.n)",
    "(!\n    # why\n    local.t)",
    "[-\n    local.n, local\n    .\n    m\n    .a]",
    "\"${\n    -\n    local.n\n  }\"",
    "1 - -1",
    "2 + 3 * 4 - 10 / 5 % 3",
    "(2 + 3) * 4",
    "-2 + 3",
    "!local.t == false",
    "1 < 2 == true",
    "1 == 1 && 2 != 3 || false",
    "true || false && false",
    "1 + 2 > 2 && 3 >= 3",
    "local.t ? local.t ? 1 : 2 : 3",
    "local.n == 1 ? \"a\" : local.n == 3 ? \"b\" : \"c\"",
    // Traversals.
    "local.objs.0.n",
    "local.objs.0.in.1",
    "local.objs[0].in[1]",
    "local.objs[*].n",
    "local.objs.*.n",
    "local.objs[*].in[0]",
    "local.objs.*.in[0]",
    "local.objs.*.in.0",
    "local.objs[*].in[*]",
    "local.objs[local.n - 2].n",
    "local.m[\"a\"]",
    "local.m[\"${\"a\"}\"]",
    "local . m . a",
    "local.none[*]",
    "local.s[*]",
    "{ a = { b = 1 } }.a.b",
    "[1, 2][1]",
    "{ a = [1] }[\"a\"][0]",
    "\"x\" == \"x\" ? [1] : []",
    "max([1, 5, 3]...)",
    "max(1,\n    2,\n  )",
    "tolist([])",
];

/// The value with a number as the local value of that name.
fn local(index: usize) -> String {
    let value = VALUES[index];
    let end = if value.ends_with('\n') { "" } else { "\n" };
    format!("locals {{\n  c{index} = {value}{end}}}\n")
}

/// A file for each value.
fn files() -> Vec<(String, String)> {
    let values = (0..VALUES.len()).map(|index| (format!("c{index}.tf"), local(index)));
    std::iter::once(("given.tf".to_owned(), GIVEN.to_owned())).chain(values).collect()
}

/// All values in one file.
fn whole() -> String {
    files().into_iter().map(|(_, text)| text).collect()
}

fn json(value: &Value) -> Json {
    match value.data() {
        None if value.is_absent() => Json::Null,
        None => Json::String(format!("?{}", value.display())),
        Some(Data::Null) => Json::Null,
        Some(Data::Bool(value)) => Json::Bool(*value),
        Some(Data::Number(value)) => Json::from(*value),
        Some(Data::Str(text)) => Json::String(text.to_string()),
        Some(Data::List(list)) => list.items.iter().map(json).collect(),
        Some(Data::Map(map)) => map.entries.iter().map(|(key, value)| (key.to_string(), json(value))).collect(),
    }
}

fn parsed(id: FileId, tree: &Tree) -> (FileId, SourceKind, hcl::File) {
    let (path, text) = (tree.path(id), tree.text(id));
    match path.split_once('.').map_or("", |(_, kind)| kind) {
        "tfvars.json" => (id, SourceKind::Variables, hcl::parse_json_values(text)),
        "tfvars" => (id, SourceKind::Variables, hcl::parse(text)),
        "tf.json" => (id, SourceKind::Configuration, hcl::parse_json(text)),
        _ => (id, SourceKind::Configuration, hcl::parse(text)),
    }
}

/// What we make of the local values `c0`, `c1`… of a configuration.
fn ours(files: &[(String, String)], count: usize) -> Vec<Json> {
    let in_memory = files.iter().map(|(name, text)| File::in_memory(name, text.as_bytes().to_vec(), true));
    let tree = Tree::new(in_memory.collect(), None);
    let parsed: Vec<(FileId, SourceKind, hcl::File)> = tree.iter().map(|(id, _)| parsed(id, &tree)).collect();
    let sources = parsed.iter().map(|(file, kind, parsed)| {
        assert!(parsed.errors.is_empty(), "{}: {:?}", tree.path(*file), parsed.errors);
        Source { file: *file, path: tree.path(*file), tree: parsed, kind: *kind }
    });
    let terraform = Terraform::build(&sources.collect::<Vec<_>>(), Options::default(), &tree);
    let instance = terraform.instances[0].clone();
    (0..count).map(|index| json(&terraform.local(&instance, &format!("c{index}")))).collect()
}

/// What Terraform makes of them. None: it is not installed.
fn theirs(files: &[(String, String)], count: usize) -> Option<Vec<Json>> {
    let folder = Folder::new(&files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>());
    let all: Vec<String> = (0..count).map(|index| format!("local.c{index}")).collect();
    // `$` and `%` as JSON escapes: the console doubles them before a brace.
    let asked =
        format!("replace(replace(jsonencode([{}]), \"$\", \"\\\\u0024\"), \"%\", \"\\\\u0025\")\n", all.join(", "));
    let output = terraform(&folder, &["console", "-no-color"], &asked)?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let quoted: String = serde_json::from_str(out.trim()).unwrap_or_else(|error| panic!("{error}\n{out}\n{err}"));
    Some(serde_json::from_str(&quoted).unwrap_or_else(|error| panic!("{error}\n{quoted}")))
}

/// Numbers are compared as the program knows them.
fn as_floats(value: &Json) -> Json {
    match value {
        Json::Number(number) => Json::from(number.as_f64()),
        Json::Array(items) => items.iter().map(as_floats).collect(),
        Json::Object(members) => members.iter().map(|(key, value)| (key.clone(), as_floats(value))).collect(),
        other => other.clone(),
    }
}

/// Compares the two; what each value is written as tells which one differs.
fn compare(files: &[(String, String)], written: &[&str]) {
    let Some(theirs) = theirs(files, written.len()) else { return };
    let ours = ours(files, written.len());
    let wrong: Vec<String> = written
        .iter()
        .zip(ours.iter().zip(&theirs))
        .filter(|(_, (ours, theirs))| as_floats(ours) != as_floats(theirs))
        .map(|(value, (ours, theirs))| format!("{value}\n  ours:   {ours}\n  theirs: {theirs}"))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), ours.len(), wrong.join("\n"));
    println!("{} values compared with terraform console", ours.len());
}

#[test]
fn values_are_terraforms() {
    let files = files();
    let shown = VALUES.iter().zip(ours(&files, VALUES.len()));
    let shown = shown.map(|(value, json)| format!("{}\n  => {json}\n", value.trim_end()));
    insta::assert_snapshot!("values", shown.collect::<String>());
    compare(&files, VALUES);
}

/// Values in the JSON syntax.
const JSON_VALUES: &[&str] = &[
    r#"{"//": "a member as any other", "a": 1, "${local.s}": 2, "$${x}": 3}"#,
    r#"["${local.s}", "a ${local.n} b", "${local.l}", "%{ if local.t }x%{ endif }", "$${x} %%{y} 100% $5"]"#,
    r#""a\nb\u00e4\ud83d\ude00 \"q\" \\n \/""#,
    r#""${local.m[\"a\"]} ${join(\",\", local.l)}""#,
    r#""${[for o in local.objs : o.n if o.n > 1]}""#,
    r#""  ${ local.s }  ""#,
    r#""${~ local.s ~}""#,
    r#""${\n local.t\n ? 1 # why\n : 2\n}""#,
    r#""<<EOT\nx\nEOT\n""#,
    r#""local.s""#,
    r"[1, -1.5e1, 0.5, 1E2, true, false, null, {}, []]",
    r#""${var.plain}""#,
    r#""${var.block}""#,
    r#""${var.data}""#,
    r#""${var.resource}""#,
];

#[test]
fn json_values_are_terraforms() {
    let locals: Vec<String> = JSON_VALUES.iter().enumerate().map(|(at, value)| format!("\"c{at}\": {value}")).collect();
    // Locals as a list of objects, a block that is null, labels in one object and in several, notes.
    let config = format!(
        r#"{{"//": "note", "locals": [{{"//": "note"}}, {{{}}}], "output": {{"o": null}}, "variable": [
            {{"plain": {{"default": ["${{x}}", "%{{if", "a\\nb"], "//": "note"}}, "block": [{{"default": {{"//": 1}}}}]}},
            {{"data": {{}}}}, {{"resource": {{"type": "any"}}}}]}}"#,
        locals.join(",")
    );
    let given = r#"{"data": {"a": "${1 + 1}", "//": [null]}, "//": "note", "resource": "%{ no template"}"#;
    let files: Vec<(String, String)> =
        [("given.tf", GIVEN), ("main.tf.json", &config), ("terraform.tfvars.json", given)]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into();
    compare(&files, JSON_VALUES);
    assert_eq!(ours(&files, JSON_VALUES.len())[13].to_string(), r#"{"a":"${1 + 1}","//":[null]}"#);
}

#[test]
fn what_is_around_them_changes_no_value() {
    let ours = |files: &[(String, String)]| ours(files, VALUES.len());
    let alone = ours(&files());
    let file = |text: String| vec![("main.tf".to_owned(), text)];
    assert_eq!(ours(&file(whole())), alone);
    assert_eq!(ours(&file(format!("\u{feff}{}", whole()))), alone);
    assert_eq!(ours(&file(whole().trim_end().to_owned())), alone);
    // The line breaks of a heredoc are text.
    let texts = |values: Vec<Json>| values.iter().map(without_returns).collect::<Vec<_>>();
    let returns = whole().replace("\r\n", "\n").replace('\n', "\r\n");
    assert_eq!(texts(ours(&file(returns))), texts(alone));
}

fn without_returns(value: &Json) -> String {
    value.to_string().replace("\\r\\n", "\\n")
}
