use super::*;
use std::fmt::Write as _;

/// Each expression as a local beside some variables, and what it comes to.
pub(super) fn table(cases: &[(&str, &str)]) {
    let mut text = String::from(
        "variable \"u\" {}\nvariable \"flag\" { type = bool }\nvariable \"s\" { default = \"abc\" }\nvariable \"n\" { default = 3 }\n\
         variable \"objs\" { default = { b = { size = 2 }, a = { size = 1 } } }\n\
         resource \"t\" \"r\" {\n  name = \"known\"\n  disk { size = 5 }\n}\nresource \"t\" \"many\" {\n  count = 2\n  name = \"m${count.index}\"\n}\n\
         resource \"t\" \"l\" {\n  list = [\"a\"]\n}\ndata \"d\" \"x\" {}\n",
    );
    for (index, (expr, _)) in cases.iter().enumerate() {
        write!(text, "locals {{\n  c{index} = {expr}\n}}\n").unwrap();
    }
    let files = [
        ("main.tf", &*text),
        ("t.tftpl", "%{ for x in xs ~}\n${x}-${n}\n%{ endfor ~}\n"),
        ("d.json", r#"{"a": [1, {"b": null}]}"#),
    ];
    let terraform = build(&files);
    for (index, (expr, expected)) in cases.iter().enumerate() {
        assert_eq!(local(&terraform, &format!("c{index}")), *expected, "{expr}");
    }
}

pub(super) const U: &str = "?var.u has no default and no tfvars names it";

#[test]
fn operators_and_templates() {
    table(&[
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3 % 4", "1"),
        ("-var.n", "-3"),
        ("var.n >= 3 && !(var.s == \"x\")", "true"),
        ("var.u == 1 && false", "false"),
        ("var.u == 1 || true", "true"),
        ("var.u == 1", U),
        ("\"1\" == 1", "false"),
        ("[1, 2] == [1, 2]", "true"),
        ("null == null", "true"),
        ("\"${var.s}-${var.n}\"", "\"abc-3\""),
        ("\"${var.n}\"", "3"),
        ("\"${var.u}-db\"", "~…-db"),
        ("\"${var.u}-db\" == \"x-web\"", "false"),
        ("\"${var.u}-db\" == \"x-db\"", U),
        ("\"${var.u}\"", U),
        ("var.flag ? \"a\" : \"b\"", "\"a\"|\"b\""),
        ("\"x-${var.flag ? \"a\" : \"b\"}\"", "\"x-a\"|\"x-b\""),
        ("var.flag ? \"a\" : \"a\"", "\"a\""),
        ("var.flag ? var.u : \"a\"", "?var.flag has no default and no tfvars names it"),
        ("(var.flag ? 1 : 2) + 1", "2|3"),
        ("upper(var.flag ? \"a\" : \"b\")", "\"A\"|\"B\""),
        ("var.n > 2 ? \"big\" : var.u", "\"big\""),
        ("\"%{ if var.n > 2 }big%{ else }small%{ endif }\"", "\"big\""),
        ("\"%{ for k, v in var.objs }${k}=${v.size} %{ endfor }\"", "\"a=1 b=2 \""),
        ("<<-EOT\n    a\n      ${var.s}\n  EOT", "\"a\\n  abc\\n\""),
        ("1 / 0", "?division by zero"),
    ]);
}

#[test]
fn collections_and_references() {
    table(&[
        ("[for k, v in var.objs : \"${k}${v.size}\"]", "[\"a1\", \"b2\"]"),
        ("{ for k, v in var.objs : k => v.size if v.size > 1 }", "{b=2}"),
        ("{ for k in [\"x\", \"y\", \"xx\"] : substr(k, 0, 1) => k... }", "{x=[\"x\", \"xx\"], y=[\"y\"]}"),
        ("values(var.objs)[*].size", "[1, 2]"),
        ("var.objs.a.size", "1"),
        ("var.objs[\"b\"].size", "2"),
        ("var.objs[var.u].size", "2|1"),
        ("{ prod = \"big\", dev = \"big\" }[terraform.workspace]", "\"big\""),
        ("lookup({ a = 1 }, var.u, 2)", "1|2"),
        ("[var.u, 1][var.u]", U),
        ("var.objs.c", "?there is no member `c`"),
        ("try(var.objs.c.size, 9)", "9"),
        ("can(var.objs.c)", "false"),
        ("can(var.objs.a)", "true"),
        ("try(var.u.x, 1)", U),
        ("lookup(var.objs, \"z\", 4)", "4"),
        ("t.r.name", "\"known\""),
        ("t.r.id", "?only known after apply: t.r.id"),
        ("t.r.disk[0].size", "5"),
        ("t.many[1].name", "\"m1\""),
        ("t.many[*].name", "[\"m0\", \"m1\"]"),
        ("t.many.*.id", "[?only known after apply: t.many[0].id, ?only known after apply: t.many[1].id]"),
        ("length(t.many)", "2"),
        ("[for r in t.many : r.name]", "[\"m0\", \"m1\"]"),
        ("data.d.x.id", "?read from the provider when Terraform plans: data.d.x.id"),
        ("terraform.workspace", "?terraform.workspace is chosen when Terraform runs"),
        ("path.module", "\".\""),
        ("{ (var.u) = 1, b = 2 }.b", "2"),
        ("null[*]", "[]"),
        ("var.s[*]", "[\"abc\"]"),
    ]);
}

#[test]
fn functions() {
    table(&[
        ("format(\"%s-%02d-%5.1f|%-3s|%%|%q\", \"a\", 7, 1.25, \"b\", \"c\")", "\"a-07-  1.2|b  |%|\\\"c\\\"\""),
        ("format(\"%s/%s\", var.u, \"x\")", "~…/x"),
        ("formatlist(\"%s.%s\", [\"a\", \"b\"], \"org\")", "[\"a.org\", \"b.org\"]"),
        ("join(\",\", [\"a\", var.u])", "~a,…"),
        ("split(\",\", \"a,b\")", "[\"a\", \"b\"]"),
        ("replace(\"a-b\", \"-\", \"_\")", "\"a_b\""),
        ("replace(\"a1b22\", \"/[0-9]+/\", \"#\")", "\"a#b#\""),
        ("regex(\"-(v[0-9]+)\\\\.tar\", \"x-v12.tar.gz\")[0]", "\"v12\""),
        ("can(regex(\"^a\", \"b\"))", "false"),
        ("regexall(\"[a-z]\", \"a1b\")", "[\"a\", \"b\"]"),
    ]);
}

#[test]
fn functions_on_encodings_and_lists() {
    table(&[
        ("title(\"hello wORLD\")", "\"Hello WORLD\""),
        ("trimprefix(\"refs/heads/x\", \"refs/\")", "\"heads/x\""),
        ("substr(\"hello\", -2, 2)", "\"lo\""),
        ("merge({ a = 1 }, { a = 2, b = 3 })", "{a=2, b=3}"),
        (
            "merge({ a = 1 }, var.u, { b = 3 })",
            "{a=?var.u has no default and no tfvars names it, b=3, ..var.u has no default and no tfvars names it}",
        ),
        ("merge({ a = 1 }, null)", "{a=1}"),
        ("concat([1], [2, 3])[2]", "3"),
        ("element([\"a\", \"b\"], 3)", "\"b\""),
        ("flatten([[1, [2]], 3])", "[1, 2, 3]"),
        ("keys(var.objs)", "[\"a\", \"b\"]"),
        ("toset([\"b\", \"a\", \"b\"])", "[\"a\", \"b\"]"),
        ("distinct([1, 2, 1])", "[1, 2]"),
        ("contains([\"a\", var.u], \"a\")", "true"),
        ("contains([\"a\", var.u], \"b\")", U),
        ("coalesce(null, \"\", \"x\")", "\"x\""),
        ("compact([\"a\", \"\", null])", "[\"a\"]"),
        ("zipmap([\"a\", \"b\"], [1, 2])", "{a=1, b=2}"),
        ("setproduct([\"a\", \"b\"], [1])", "[[\"a\", 1], [\"b\", 1]]"),
        ("sum([1, 2.5])", "3.5"),
        ("max([1, 5, 2]...)", "5"),
        ("range(3)", "[0, 1, 2]"),
        ("one([])", "null"),
        ("tonumber(\"8\") + 1", "9"),
        ("try(tonumber(\"x\"), 0)", "0"),
        ("can(tostring([1]))", "false"),
        ("tostring(8)", "\"8\""),
        ("parseint(\"ff\", 16)", "255"),
        ("cidrhost(\"10.0.1.0/24\", 5)", "\"10.0.1.5\""),
        ("cidrhost(\"10.0.1.0/24\", -1)", "\"10.0.1.255\""),
        ("cidrsubnet(\"10.0.0.0/16\", 8, 2)", "\"10.0.2.0/24\""),
        ("cidrsubnets(\"10.1.0.0/16\", 4, 4, 8)", "[\"10.1.0.0/20\", \"10.1.16.0/20\", \"10.1.32.0/24\"]"),
        ("cidrnetmask(\"172.16.0.0/12\")", "\"255.240.0.0\""),
        ("cidrsubnet(\"fd00::/48\", 16, 1)", "\"fd00:0:0:1::/64\""),
        (
            "jsonencode({ b = [1, true, null], a = \"x\\\"\" })",
            "\"{\\\"a\\\":\\\"x\\\\\\\"\\\",\\\"b\\\":[1,true,null]}\"",
        ),
        ("jsonencode({ a = var.u })", "~{\"a\":…}"),
        ("jsondecode(file(\"${path.module}/d.json\")).a[0]", "1"),
        ("yamldecode(\"a: &x {k: 1}\\nb:\\n  <<: *x\\n  m: [1, x]\").b", "{m=[1, \"x\"], k=1}"),
        ("templatefile(\"t.tftpl\", { xs = [\"p\", \"q\"], n = 1 })", "\"p-1\\nq-1\\n\""),
        ("file(\"missing\")", "?missing is not in this repository"),
        ("base64encode(\"hello\")", "\"aGVsbG8=\""),
        ("base64decode(\"aGVsbG8=\")", "\"hello\""),
        ("basename(\"a/b.c\")", "\"b.c\""),
        ("timestamp()", "?timestamp() changes at every plan"),
        ("md5(\"x\")", "\"9dd4e461268c8034f5c8564e155c67a6\""),
        ("base64gzip(\"x\")", "?base64gzip() is not evaluated"),
        ("alltrue([true, var.u == 1, false])", "false"),
        ("index([\"a\", \"b\"], \"b\")", "1"),
        ("chunklist([1, 2, 3], 2)", "[[1, 2], [3]]"),
    ]);
}
