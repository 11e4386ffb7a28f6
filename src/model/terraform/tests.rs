use super::*;
use crate::source::{File, Tree};
use crate::value::{Data, Kind};

/// A tree kept for the whole test, with its parsed Terraform files.
fn terraform(files: &[(&str, &str)], options: Options) -> Terraform<'static> {
    let files = files.iter().map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true)).collect();
    let tree: &'static Tree = Box::leak(Box::new(Tree::new(files, None)));
    let sources: Vec<Source<'static>> = tree
        .iter()
        .filter_map(|(file, content)| {
            let kind = match &*content.path {
                path if path.contains(".tfvars") => SourceKind::Variables,
                path if path.ends_with(".tf") || path.ends_with(".tofu") || path.ends_with(".tf.json") => SourceKind::Configuration,
                path if path.ends_with("terragrunt.hcl") || path.ends_with("root.hcl") => SourceKind::Terragrunt,
                _ => return None,
            };
            let text = tree.text(file);
            let parsed = if content.path.ends_with(".json") { hcl::parse_json(text) } else { hcl::parse(text) };
            assert!(parsed.errors.is_empty(), "{}: {:?}", content.path, parsed.errors);
            Some(Source { file, path: &content.path, tree: Box::leak(Box::new(parsed)), kind })
        })
        .collect();
    Terraform::build(&sources, options, tree)
}

fn build(files: &[(&str, &str)]) -> Terraform<'static> {
    terraform(files, Options::default())
}

/// How the tests write a value down: its kinds visible.
fn show(value: &Value) -> String {
    fn data(data: &Data) -> String {
        match data {
            Data::Null => "null".into(),
            Data::Str(text) => format!("{text:?}"),
            Data::List(list) => {
                let mut items: Vec<String> = list.items.iter().map(show).collect();
                items.extend(list.open.iter().map(|reason| format!("..{reason}")));
                format!("[{}]", items.join(", "))
            }
            Data::Map(map) => {
                let mut items: Vec<String> = map.entries.iter().map(|(key, value)| format!("{key}={}", show(value))).collect();
                items.extend(map.open.iter().map(|reason| format!("..{reason}")));
                format!("{{{}}}", items.join(", "))
            }
            scalar => scalar.scalar().unwrap().to_string(),
        }
    }
    match &value.kind {
        Kind::Absent => "absent".into(),
        Kind::Unknown(reason) => format!("?{reason}"),
        Kind::OneOf(values) => values.iter().map(data).collect::<Vec<_>>().join("|"),
        Kind::Known(known) => data(known),
        Kind::Text(_) => format!("~{}", value.display()),
    }
}

fn local(terraform: &Terraform<'static>, name: &str) -> String {
    show(&terraform.local(&terraform.instances[0], name))
}

fn addresses(terraform: &Terraform<'static>) -> Vec<String> {
    terraform.resources().map(|resource| resource.address()).collect()
}

fn resource<'a>(terraform: &'a Terraform<'static>, address: &str) -> Resource<'a, 'static> {
    terraform
        .resources()
        .find(|resource| resource.address() == address)
        .unwrap_or_else(|| panic!("no {address} in {:?}", addresses(terraform)))
}

/// Each expression as a local beside some variables, and what it comes to.
fn table(cases: &[(&str, &str)]) {
    let mut text = String::from(
        "variable \"u\" {}\nvariable \"flag\" { type = bool }\nvariable \"s\" { default = \"abc\" }\nvariable \"n\" { default = 3 }\n\
         variable \"objs\" { default = { b = { size = 2 }, a = { size = 1 } } }\n\
         resource \"t\" \"r\" {\n  name = \"known\"\n  disk { size = 5 }\n}\nresource \"t\" \"many\" {\n  count = 2\n  name = \"m${count.index}\"\n}\n\
         data \"d\" \"x\" {}\n",
    );
    for (index, (expr, _)) in cases.iter().enumerate() {
        text += &format!("locals {{\n  c{index} = {expr}\n}}\n");
    }
    let files = [("main.tf", &*text), ("t.tftpl", "%{ for x in xs ~}\n${x}-${n}\n%{ endfor ~}\n"), ("d.json", r#"{"a": [1, {"b": null}]}"#)];
    let terraform = build(&files);
    for (index, (expr, expected)) in cases.iter().enumerate() {
        assert_eq!(local(&terraform, &format!("c{index}")), *expected, "{expr}");
    }
}

const U: &str = "?var.u has no default and no tfvars names it";

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
        ("var.objs[var.u]", U),
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
        ("t.many.*.id", "[?only known after apply: t.many.id, ?only known after apply: t.many.id]"),
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
        ("title(\"hello wORLD\")", "\"Hello WORLD\""),
        ("trimprefix(\"refs/heads/x\", \"refs/\")", "\"heads/x\""),
        ("substr(\"hello\", -2, 2)", "\"lo\""),
        ("merge({ a = 1 }, { a = 2, b = 3 })", "{a=2, b=3}"),
        ("merge({ a = 1 }, var.u, { b = 3 })", "{a=?var.u has no default and no tfvars names it, b=3, ..var.u has no default and no tfvars names it}"),
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
        ("tostring(8)", "\"8\""),
        ("parseint(\"ff\", 16)", "255"),
        ("cidrhost(\"10.0.1.0/24\", 5)", "\"10.0.1.5\""),
        ("cidrhost(\"10.0.1.0/24\", -1)", "\"10.0.1.255\""),
        ("cidrsubnet(\"10.0.0.0/16\", 8, 2)", "\"10.0.2.0/24\""),
        ("cidrsubnets(\"10.1.0.0/16\", 4, 4, 8)", "[\"10.1.0.0/20\", \"10.1.16.0/20\", \"10.1.32.0/24\"]"),
        ("cidrnetmask(\"172.16.0.0/12\")", "\"255.240.0.0\""),
        ("cidrsubnet(\"fd00::/48\", 16, 1)", "\"fd00:0:0:1::/64\""),
        ("jsonencode({ b = [1, true, null], a = \"x\\\"\" })", "\"{\\\"a\\\":\\\"x\\\\\\\"\\\",\\\"b\\\":[1,true,null]}\""),
        ("jsonencode({ a = var.u })", "~{\"a\":…}"),
        ("jsondecode(file(\"${path.module}/d.json\")).a[0]", "1"),
        ("yamldecode(\"a: [1, x]\").a[1]", "\"x\""),
        ("templatefile(\"t.tftpl\", { xs = [\"p\", \"q\"], n = 1 })", "\"p-1\\nq-1\\n\""),
        ("file(\"missing\")", "?missing is not in this repository"),
        ("base64encode(\"hello\")", "\"aGVsbG8=\""),
        ("base64decode(\"aGVsbG8=\")", "\"hello\""),
        ("basename(\"a/b.c\")", "\"b.c\""),
        ("timestamp()", "?timestamp() changes at every plan"),
        ("md5(\"x\")", "?md5() is not evaluated"),
        ("alltrue([true, var.u == 1, false])", "false"),
        ("index([\"a\", \"b\"], \"b\")", "1"),
        ("chunklist([1, 2, 3], 2)", "[[1, 2], [3]]"),
    ]);
}

#[test]
fn calls_give_arguments_down_and_outputs_up() {
    let terraform = build(&[
        (
            "envs/prod/main.tf",
            r#"
provider "p" {}
locals { nodes = { one = { host = "pg-1", ip = "10.0.0.1" }, two = { host = "pg-2", ip = "10.0.0.2" } } }
module "db" {
  source   = "../../modules/db"
  for_each = local.nodes
  node     = each.value
  prefix   = "24"
}
output "ips" { value = { for k, m in module.db : k => m.address } }
output "one" { value = module.db["one"].address }
"#,
        ),
        (
            "modules/db/main.tf",
            r#"
variable "node" { type = object({ host = string, ip = string, size = optional(number, 8) }) }
variable "prefix" {}
module "vm" {
  source = "./vm"
  name   = var.node.host
  size   = var.node.size
}
output "address" { value = "${var.node.ip}/${var.prefix}" }
"#,
        ),
        (
            "modules/db/vm/main.tf",
            "variable \"name\" {}\nvariable \"size\" { type = string }\nresource \"vm\" \"this\" {\n  count = 1\n  name = var.name\n  size = var.size\n}\n",
        ),
    ]);
    assert_eq!(
        addresses(&terraform),
        ["module.db[\"one\"].module.vm.vm.this[0]", "module.db[\"two\"].module.vm.vm.this[0]"]
    );
    let vm = resource(&terraform, "module.db[\"two\"].module.vm.vm.this[0]");
    assert_eq!(show(&vm.arg("name")), "\"pg-2\"");
    assert_eq!(show(&vm.arg("size")), "\"8\"");
    let way: Vec<String> = vm.arg("name").via.unwrap().iter().map(|step| step.what.to_string()).collect();
    assert_eq!(way, ["variable `name`", "argument of module.vm", "variable `node`", "argument of module.db", "local `nodes`"]);
    let root = &terraform.instances[0];
    assert_eq!(show(&terraform.output(root, "ips")), "{one=\"10.0.0.1/24\", two=\"10.0.0.2/24\"}");
    assert_eq!(show(&terraform.output(root, "one")), "\"10.0.0.1/24\"");
    assert_eq!(terraform.role("modules/db").unwrap().role, Role::Child);
    assert_eq!(terraform.role("envs/prod").unwrap().role, Role::Root);
}

#[test]
fn variables_come_from_files_in_order() {
    let files = [
        ("main.tf", "variable \"a\" { default = 1 }\nvariable \"b\" { default = 1 }\nvariable \"c\" { default = 1 }\nvariable \"d\" { default = 1 }\nvariable \"e\" {}\nlocals { all = [var.a, var.b, var.c, var.d] }\n"),
        ("terraform.tfvars", "b = 2\nc = 2\n"),
        ("x.auto.tfvars", "c = 3\n"),
        ("prod.tfvars", "d = 9\n"),
    ];
    assert_eq!(local(&build(&files), "all"), "[1, 2, 3, 1]");
    let options = Options {
        var_files: vec![(String::new(), "prod.tfvars".into())],
        vars: vec![(String::new(), "a".into(), Value::known("cli"))],
        ..Options::default()
    };
    let terraform = terraform(&files, options);
    assert_eq!(local(&terraform, "all"), "[\"cli\", 2, 3, 9]");
    assert_eq!(show(&terraform.variable(&terraform.instances[0], "e")), "?var.e has no default and no tfvars names it");
}

#[test]
fn repetition() {
    let terraform = build(&[(
        "main.tf",
        r#"
variable "on" { default = false }
variable "maybe" { type = bool }
variable "names" {}
resource "t" "off" { count = var.on ? 1 : 0 }
resource "t" "maybe" { count = var.maybe ? 1 : 0 }
resource "t" "keys" {
  for_each = toset(["b", "a"])
  name     = "n-${each.key}"
}
resource "t" "unknown" {
  for_each = var.names
  name     = each.value
}
resource "t" "some" { for_each = merge({ a = 1 }, var.names, { b = 2 }) }
"#,
    )]);
    assert_eq!(
        addresses(&terraform),
        ["t.maybe[0]", "t.keys[\"a\"]", "t.keys[\"b\"]", "t.unknown[\"…\"]", "t.some[\"a\"]", "t.some[\"b\"]", "t.some[\"…\"]"]
    );
    assert!(resource(&terraform, "t.maybe[0]").uncertain().is_some());
    assert!(resource(&terraform, "t.keys[\"a\"]").uncertain().is_none());
    assert_eq!(show(&resource(&terraform, "t.keys[\"b\"]").arg("name")), "\"n-b\"");
    assert_eq!(show(&resource(&terraform, "t.unknown[\"…\"]").arg("name")), "?var.names has no default and no tfvars names it");
}

#[test]
fn nested_and_dynamic_blocks() {
    let terraform = build(&[(
        "main.tf",
        r#"
variable "mounts" { default = [{ path = "/data", size = "8G" }, { path = "/log" }] }
variable "more" {}
resource "t" "x" {
  gone = null
  rootfs { size = "4G" }
  network { ip = "10.0.0.1" }
  network { ip = "10.0.0.2" }
  dynamic "mountpoint" {
    for_each = var.mounts
    iterator = it
    content {
      path = it.value.path
      size = lookup(it.value, "size", "1G")
      slot = it.key
    }
  }
  dynamic "extra" {
    for_each = var.more
    content { name = extra.value }
  }
  volumes = [{ a = 1 }, { a = 2 }]
  lifecycle { prevent_destroy = true }
}
"#,
    )]);
    let x = resource(&terraform, "t.x");
    assert_eq!(show(&x.arg("rootfs.size")), "\"4G\"");
    assert_eq!(show(&x.arg("network[1].ip")), "\"10.0.0.2\"");
    assert_eq!(show(&x.arg("network[2].ip")), "absent");
    assert_eq!(show(&x.arg("lifecycle.prevent_destroy")), "true");
    assert_eq!(show(&x.arg("gone")), "absent");
    assert_eq!(show(&x.arg("nothing.at.all")), "absent");
    assert_eq!(show(&x.arg("volumes[1].a")), "2");
    assert_eq!(show(&x.arg("mountpoint")), "[{path=\"/data\", size=\"8G\", slot=0}, {path=\"/log\", size=\"1G\", slot=1}]");
    let mounts = x.blocks("mountpoint");
    assert_eq!(mounts.len(), 2);
    assert!(mounts[0].uncertain.is_none());
    assert_eq!(x.blocks("extra").len(), 1);
    assert!(x.blocks("extra")[0].uncertain.is_some());
    assert_eq!(x.blocks("volumes").len(), 2);
}

#[test]
fn circles_end() {
    let terraform = build(&[
        ("main.tf", "locals {\n  a = local.b\n  b = local.a\n  deep = [local.deep]\n}\nmodule \"m\" { source = \"./m\" }\nresource \"t\" \"r\" { count = t.r[0].n }\n"),
        ("m/main.tf", "module \"again\" { source = \"../m\" }\n"),
    ]);
    assert_eq!(local(&terraform, "a"), "?it refers to itself in a circle");
    assert_eq!(local(&terraform, "deep"), "[?it refers to itself in a circle]");
    assert!(terraform.instances.len() < 8);
    assert!(addresses(&terraform).len() < 3);
}

#[test]
fn work_is_bounded() {
    let mut text = String::from("locals {\n  l0 = [1, 2]\n  t0 = \"ab\"\n");
    for index in 1..60 {
        let before = index - 1;
        text += &format!("  l{index} = [local.l{before}, local.l{before}]\n  t{index} = \"${{local.t{before}}}${{local.t{before}}}\"\n");
    }
    text += "  flat = flatten(local.l59)\n  same = local.l58 == local.l59[0]\n  json = jsonencode(local.l59)\n";
    let names = (0..150).map(|index| format!("  chain{} = local.chain{index}\n", index + 1)).collect::<String>();
    text += &format!("  chain0 = 1\n{names}  nest = {}1{}\n", "[".repeat(9), "]".repeat(9));
    text += "  many = [for a in range(1000) : [for b in range(1000) : a * b]]\n}\n";
    let terraform = build(&[("main.tf", &text)]);
    for name in ["flat", "t59", "same", "json", "many", "chain150", "nest"] {
        println!("{name}");
        // Only that an answer comes is of interest.
        let _ = local(&terraform, name).len();
    }
    assert_eq!(local(&terraform, "chain20"), "1");
    assert_eq!(local(&terraform, "t59"), "?the text is too long");
}

#[test]
fn old_syntax() {
    let terraform = build(&[(
        "main.tf",
        "variable \"list\" {\n  type = \"list\"\n  default = [\"a\", \"b\"]\n}\nlocals {\n  kept = \"${var.list}\"\n  first = \"${var.list[0]}\"\n  joined = \"${join(\",\", var.list)}\"\n  m = \"${map(\"k\", \"v\")}\"\n}\n\
         resource \"t\" \"x\" {\n  count = \"${length(var.list)}\"\n  name = \"${element(var.list, count.index)}\"\n}\n",
    )]);
    assert_eq!(local(&terraform, "kept"), "[\"a\", \"b\"]");
    assert_eq!(local(&terraform, "joined"), "\"a,b\"");
    assert_eq!(local(&terraform, "m"), "{k=\"v\"}");
    assert_eq!(show(&resource(&terraform, "t.x[1]").arg("name")), "\"b\"");
}

#[test]
fn overrides_and_opentofu() {
    let terraform = build(&[
        ("main.tf", "resource \"t\" \"x\" {\n  a = 1\n  b = 1\n  disk { size = 1 }\n  lifecycle { prevent_destroy = true }\n}\nresource \"t\" \"old\" {}\nlocals { l = 1 }\n"),
        ("main_override.tf", "resource \"t\" \"x\" {\n  b = 2\n  disk { size = 2 }\n  lifecycle { ignore_changes = [a] }\n}\nlocals { l = 2 }\n"),
        ("other.tf", "resource \"t\" \"hidden\" {}\n"),
        ("other.tofu", "resource \"t\" \"shown\" {}\n"),
    ]);
    let x = resource(&terraform, "t.x");
    assert_eq!(show(&x.arg("a")), "1");
    assert_eq!(show(&x.arg("b")), "2");
    assert_eq!(show(&x.arg("disk.size")), "2");
    assert_eq!(show(&x.arg("lifecycle.prevent_destroy")), "true");
    assert_eq!(local(&terraform, "l"), "2");
    assert_eq!(addresses(&terraform), ["t.x", "t.old", "t.shown"]);
}

#[test]
fn backends_units_and_roles() {
    let terraform = terraform(
        &[
            ("envs/a/main.tf", "terraform {\n  required_version = \">= 1.10\"\n  backend \"s3\" { bucket = \"b\" }\n}\n"),
            ("envs/a/.terraform.lock.hcl", ""),
            ("live/root.hcl", "remote_state {\n  backend = \"s3\"\n  config = {\n    bucket = \"tg\"\n    encrypt = true\n  }\n}\n"),
            ("live/prod/db/terragrunt.hcl", "include \"root\" { path = find_in_parent_folders(\"root.hcl\") }\nterraform { source = \"../../../modules//db\" }\ninputs = { size = 1 }\n"),
            ("modules/db/main.tf", "variable \"size\" {}\noutput \"o\" { value = var.size }\n"),
            ("modules/db/examples/basic/main.tf", "module \"db\" {\n  source = \"../..\"\n  size = 2\n}\n"),
            ("modules/called/main.tf", "terraform {}\n"),
            ("stack/main.tf", "module \"c\" { source = \"../modules/called\" }\n"),
        ],
        Options { backend_configs: vec![("envs/a".into(), "use_lockfile".into(), Value::known(true))], ..Options::default() },
    );
    let root = terraform.tops().find(|instance| instance.module.folder == "envs/a").unwrap();
    let backend = terraform.backend(root).unwrap();
    assert_eq!((show(&backend.ty), show(&backend.arg("bucket")), show(&backend.arg("use_lockfile"))), ("\"s3\"".into(), "\"b\"".into(), "true".into()));
    assert!(backend.partial);
    assert!(terraform.lock_file_beside("envs/a") && !terraform.lock_file_beside("stack"));
    let unit = terraform.unit("modules/db").unwrap();
    assert_eq!(unit.folder, "live/prod/db");
    let backend = terraform.unit_backend(unit).unwrap();
    assert_eq!((show(&backend.ty), show(&backend.arg("bucket"))), ("\"s3\"".into(), "\"tg\"".into()));
    let role = |folder: &str| terraform.role(folder).unwrap().role;
    assert_eq!(role("envs/a"), Role::Root);
    assert_eq!(role("modules/db"), Role::Library);
    assert_eq!(role("modules/db/examples/basic"), Role::Example);
    assert_eq!(role("modules/called"), Role::Child);
    assert_eq!(role("stack"), Role::Root);
    let library = terraform.tops().find(|instance| instance.module.folder == "modules/db").unwrap();
    assert_eq!(show(&terraform.output(library, "o")), "?variable `size` is an input of this module and nothing here calls it");
}

#[test]
fn provisioners_are_text_with_a_way_back() {
    let text = r#"
variable "user" { default = "root" }
resource "null_resource" "x" {
  connection { host = aws_instance.web.public_ip }
  provisioner "remote-exec" {
    inline = [
      "apt-get install -y ${var.user}-nginx",
      "echo ${aws_instance.web.id}",
    ]
  }
  provisioner "local-exec" {
    when    = destroy
    command = <<-EOT
      set -e
      rm -rf ${self.triggers.dir}
    EOT
  }
  triggers = { dir = "/srv" }
}
resource "aws_instance" "web" {
  user_data = local.script
  depends_on = [module.net, data.aws_ami.x]
}
locals { script = templatefile("${path.module}/init.sh", { pkg = "nginx" }) }
"#;
    let terraform = build(&[("main.tf", text), ("init.sh", "#!/bin/sh\napt install ${pkg}\n")]);
    let carrier = resource(&terraform, "null_resource.x");
    let provisioners = carrier.provisioners();
    assert_eq!(provisioners.len(), 2);
    assert_eq!((provisioners[0].kind, provisioners[0].when), ("remote-exec", When::Create));
    assert_eq!(show(&provisioners[0].host()), "?only known after apply: aws_instance.web.public_ip");
    let inline = provisioners[0].commands();
    assert_eq!(inline[0].text.text, "apt-get install -y root-nginx");
    let at = inline[0].text.span(crate::text::Span::new(0, 7));
    assert_eq!(at.slice(text), "apt-get");
    assert_eq!(inline[1].text.text, format!("echo {}", crate::text::HOLE));
    assert_eq!(provisioners[1].when, When::Destroy);
    let command = &provisioners[1].commands()[0].text;
    assert_eq!(command.text, "set -e\nrm -rf /srv\n");
    let rm = command.text.find("rm").unwrap();
    assert_eq!(command.span(crate::text::Span::new(rm, rm + 6)).slice(text), "rm -rf");
    let web = resource(&terraform, "aws_instance.web");
    let rendered = web.mapped("user_data").unwrap();
    assert_eq!(rendered.text.text, "#!/bin/sh\napt install nginx\n");
    assert_eq!(rendered.file.0, 0);
    assert_eq!(web.references(), [("module".to_owned(), "net".to_owned()), ("data.aws_ami".to_owned(), "x".to_owned())]);
}
