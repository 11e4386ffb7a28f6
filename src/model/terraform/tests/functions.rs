use super::expressions::{U, table};
use super::*;
use std::fmt::Write as _;

/// What only `OpenTofu` has.
#[test]
fn functions_of_opentofu() {
    table(&[
        ("cidrcontains(\"10.1.0.0/16\", \"10.1.200.7\")", "true"),
        ("cidrcontains(\"10.1.0.0/16\", \"10.2.0.1\")", "false"),
        ("cidrcontains(\"10.1.0.0/16\", \"10.1.4.0/22\")", "true"),
        ("cidrcontains(\"10.1.0.0/16\", \"10.0.0.0/8\")", "false"),
        ("cidrcontains(\"fd00::/16\", \"fd00::1\")", "true"),
        ("try(cidrcontains(\"10.0.0.0/8\", \"fd00::1\"), \"refused\")", "\"refused\""),
        ("try(cidrcontains(\"10.0.0.0/8\", \"x\"), \"refused\")", "\"refused\""),
        ("urldecode(\"a+b%26c%3D%C3%A9\")", "\"a b&c=é\""),
        ("urldecode(urlencode(\"a b/ü~\"))", "\"a b/ü~\""),
        ("try(urldecode(\"50%\"), \"refused\")", "\"refused\""),
        ("try(urldecode(\"%ff\"), \"refused\")", "\"refused\""),
        ("base64gunzip(\"H4sI\")", "?base64gunzip() is not evaluated"),
        ("core::lower(\"A\")", "\"a\""),
        ("provider::aws::arn_parse(\"x\")", "?provider::aws::arn_parse() is a function of a provider"),
        ("type(1)", "?type() is not evaluated"),
    ]);
}

#[test]
fn what_is_known_of_unknown_arguments() {
    table(&[
        ("length([var.u, 1])", "2"),
        ("length(toset([var.u, 1]))", U),
        ("length(distinct([var.u, 1, 1]))", U),
        ("distinct([var.u])", &format!("[{U}]")),
        ("contains(distinct([var.u, \"a\"]), \"a\")", "true"),
        ("length(concat([var.u], [1]))", "2"),
        ("concat([1], var.u)[0]", U),
        ("tolist([var.u, 1, \"a\"])", &format!("[{U}, \"1\", \"a\"]")),
        ("true ? [var.u, 1] : []", &format!("[{U}, 1]")),
        ("coalesce(\"x\", var.u)", "\"x\""),
        ("coalesce(var.u, \"x\")", U),
        ("coalesce(\"${var.u}-x\", \"y\")", "~…-x"),
        ("alltrue([var.u, false])", "false"),
        ("anytrue([var.u, true])", "true"),
        ("sum([var.u, 1])", U),
        ("md5(var.u)", U),
        ("formatdate(\"YYYY\", timestamp())", "?timestamp() changes at every plan"),
        ("yamlencode({ a = var.u, b = \"${var.u}!\" })", "~\"a\": …\n\"b\": \"…!\"\n"),
        ("format(\"%s-%d\", \"a\", var.u)", "~a-…"),
        ("zipmap([\"a\"], [var.u])", &format!("{{a={U}}}")),
        ("setunion([var.u], [\"a\"])", &format!("[\"a\", {U}]")),
        ("setsubtract([var.u], [\"a\"])", "?a member of a set is not known"),
        ("lookup({ a = var.u }, \"a\", 1)", U),
        ("jsonencode(1 / 3)", "?a number has more digits than are computed here"),
    ]);
}

#[test]
fn several_possible_values_are_combined() {
    table(&[
        ("(var.flag ? 1 : 2) + (var.flag ? 10 : 20)", "11|21|12|22"),
        ("\"${var.flag ? \"a\" : \"b\"}${var.flag ? \"x\" : \"y\"}\"", "\"ax\"|\"bx\"|\"ay\"|\"by\""),
        ("format(\"%s-%s\", var.flag ? \"a\" : \"b\", var.flag ? 1 : 2)", "\"a-1\"|\"a-2\"|\"b-1\"|\"b-2\""),
        ("(var.flag ? \"a\" : \"b\") == (var.flag ? \"c\" : \"d\")", "false"),
        ("(var.flag ? \"a\" : \"b\") != (var.flag ? \"a\" : \"d\")", "?it has several possible values"),
        ("var.flag ? 1 : \"a\"", "\"1\"|\"a\""),
        ("var.flag ? [1] : [\"a\", \"b\"]", "[\"1\"]|[\"a\", \"b\"]"),
        ("max(var.flag ? 1 : 2, var.flag ? 3 : 4)", "3|4"),
        ("upper(var.flag ? \"é\" : \"É\")", "\"É\""),
    ]);
}

#[test]
fn providers_make_lists_or_sets_of_what_they_are_given() {
    table(&[
        ("t.l.list == [\"a\"]", "?a member is not known"),
        ("t.l.list == [\"b\"]", "false"),
        ("[for k, v in t.l.list : v]", "[\"a\"]"),
        ("[for k, v in t.l.list : k]", "[?whether it is a list or a set is for the provider to say]"),
    ]);
}

/// No call panics, whatever it is given, and each ends.
#[test]
fn odd_arguments() {
    let odd = [
        "null",
        "-1",
        "1e300",
        "0.5",
        "\"\"",
        "\"é%[\"",
        "[]",
        "[null, \"a\"]",
        "{}",
        "{ a = [1] }",
        "toset([\"b\", \"a\"])",
        "var.u",
        "var.flag ? 1 : \"x\"",
        "\"${var.u}x\"",
        "true",
        "9007199254740993",
    ];
    let mut text = String::from("variable \"u\" {}\nvariable \"flag\" { type = bool }\nlocals {\n");
    let mut count = 0;
    let names = crate::model::terraform::functions::names();
    for name in names {
        for (at, first) in odd.iter().enumerate() {
            for (step, second) in odd.iter().enumerate() {
                let third = odd[(at * 7 + step * 3) % odd.len()];
                let arguments = match (at + step) % 4 {
                    0 => (*first).to_owned(),
                    1 | 2 => format!("{first}, {second}"),
                    _ => format!("{first}, {second}, {third}"),
                };
                writeln!(text, "c{count} = {name}({arguments})").unwrap();
                count += 1;
            }
        }
    }
    text.push_str("}\n");
    let terraform = build(&[("main.tf", &text)]);
    for index in 0..count {
        local(&terraform, &format!("c{index}"));
    }
    assert!(count > 20_000);
}

/// Values that build on each other are nested as deeply as there are locals.
#[test]
fn deep_values() {
    let mut text = String::from("locals {\n  a0 = [1]\n");
    for index in 1..3000 {
        writeln!(text, "  a{index} = [local.a{}, local.a{}]", index - 1, index - 1).unwrap();
    }
    text.push_str("  same = [for i in [1, 2] : true ? local.a2999 : [local.a2998]]\n  set = length(toset([local.a2999, local.a2998]))\n}\n");
    let terraform = build(&[("main.tf", &text)]);
    for index in 0..3000 {
        drop(terraform.local(&terraform.instances[0], &format!("a{index}")));
    }
    drop(terraform.local(&terraform.instances[0], "same"));
    drop(terraform.local(&terraform.instances[0], "set"));
}

#[test]
fn members_of_typed_variables_may_be_null_or_empty() {
    let terraform = build(&[(
        "main.tf",
        "variable \"a\" {\n  type = list(list(string))\n  default = [null, [], [1]]\n}\n\
         variable \"b\" {\n  type = map(object({ x = optional(list(number)) }))\n  default = { p = {}, q = { x = [\"1\"] } }\n}\n\
         variable \"c\" {\n  type = set(string)\n  default = [\"b\", 1]\n}\n\
         variable \"d\" {\n  type = list(string)\n  default = { a = 1 }\n}\n\
         variable \"e\" {\n  type = number\n  default = \"many\"\n}\n",
    )]);
    let shown = |name: &str| show(&terraform.variable(&terraform.instances[0], name));
    assert_eq!(shown("a"), "[null, [], [\"1\"]]");
    assert_eq!(shown("b"), "{p={x=null}, q={x=[1]}}");
    assert_eq!(shown("c"), "[\"1\", \"b\"]");
    assert_eq!(shown("d"), "?it is no list");
    assert_eq!(shown("e"), "?a number is needed");
}
