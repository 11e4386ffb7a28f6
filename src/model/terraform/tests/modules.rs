use super::*;
use std::fmt::Write as _;

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
    assert_eq!(
        way,
        ["variable `name`", "argument of module.vm", "variable `node`", "argument of module.db", "local `nodes`"]
    );
    let root = &terraform.instances[0];
    assert_eq!(show(&terraform.output(root, "ips")), "{one=\"10.0.0.1/24\", two=\"10.0.0.2/24\"}");
    assert_eq!(show(&terraform.output(root, "one")), "\"10.0.0.1/24\"");
    assert_eq!(terraform.role("modules/db").unwrap().role, Role::Child);
    assert_eq!(terraform.role("envs/prod").unwrap().role, Role::Root);
}

#[test]
fn variables_come_from_files_in_order() {
    let files = [
        (
            "main.tf",
            "variable \"a\" { default = 1 }\nvariable \"b\" { default = 1 }\nvariable \"c\" { default = 1 }\nvariable \"d\" { default = 1 }\nvariable \"e\" {}\nlocals { all = [var.a, var.b, var.c, var.d] }\n",
        ),
        ("terraform.tfvars", "b = 2\nc = 2\n"),
        ("x.auto.tfvars", "c = 3\n"),
        ("prod.tfvars", "d = 9\n"),
    ];
    assert_eq!(local(&build(&files), "all"), "[1, 2, 3, 1|9]");
    let run = Run {
        evaluates: true,
        arguments: vec![Argument::File("prod.tfvars".into()), Argument::Value("a".into(), Given(Value::known("cli")))],
        ..Run::default()
    };
    let options = Options { runs: Runs::from([(String::new(), vec![run])]), ..Options::default() };
    let terraform = terraform(&files, options);
    assert_eq!(local(&terraform, "all"), "[\"cli\", 2, 3, 9]");
    assert_eq!(show(&terraform.variable(&terraform.instances[0], "e")), "?var.e has no default and no tfvars names it");
}

#[test]
fn a_switch_is_open_only_while_nothing_sets_it() {
    let child = "variable \"on\" { default = false }\nresource \"t\" \"x\" { for_each = var.on ? toset([\"a\"]) : toset([]) }\n";
    let root = "variable \"dns\" { default = false }\nmodule \"m\" {\n  source = \"./m\"\n  on = var.dns\n}\nmodule \"n\" {\n  source = \"./m\"\n}\n";
    let files = [("main.tf", root), ("m/main.tf", child)];
    assert_eq!(addresses(&build(&files)), ["module.m.t.x[\"a\"]"]);
    let set = [("main.tf", root), ("m/main.tf", child), ("terraform.tfvars", "dns = false\n")];
    assert_eq!(addresses(&build(&set)), Vec::<String>::new());
}

#[test]
fn a_variable_file_elsewhere_belongs_to_its_namesake() {
    let main = "variable \"a\" {}\nlocals { all = var.a }\n";
    let terraform = build(&[("stacks/db/main.tf", main), ("stacks/web/main.tf", main), ("vars/db.tfvars", "a = 2\n")]);
    let shown: Vec<String> =
        terraform.instances.iter().map(|instance| show(&terraform.variable(instance, "a"))).collect();
    assert_eq!(shown, ["2", "?var.a has no default and no tfvars names it"]);
    let other = build(&[("stacks/db/main.tf", main), ("vars/db.tfvars", "a = 2\nb = 3\n")]);
    assert_eq!(show(&other.variable(&other.instances[0], "a")), "?var.a has no default and no tfvars names it");
}

#[test]
fn repetition() {
    let terraform = build(&[(
        "main.tf",
        r#"
variable "on" { default = false }
variable "maybe" { type = bool }
variable "names" {}
variable "size" { default = 0 }
resource "t" "off" { count = var.size }
resource "t" "switched" { count = var.on ? 1 : 0 }
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
        [
            "t.switched[0]",
            "t.maybe[0]",
            "t.keys[\"a\"]",
            "t.keys[\"b\"]",
            "t.unknown[\"…\"]",
            "t.some[\"a\"]",
            "t.some[\"b\"]",
            "t.some[\"…\"]"
        ]
    );
    assert!(resource(&terraform, "t.maybe[0]").uncertain().is_some());
    assert!(resource(&terraform, "t.switched[0]").uncertain().is_some());
    assert!(resource(&terraform, "t.keys[\"a\"]").uncertain().is_none());
    assert_eq!(show(&resource(&terraform, "t.keys[\"b\"]").arg("name")), "\"n-b\"");
    assert_eq!(
        show(&resource(&terraform, "t.unknown[\"…\"]").arg("name")),
        "?var.names has no default and no tfvars names it"
    );
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
    assert_eq!(
        show(&x.arg("mountpoint")),
        "[{path=\"/data\", size=\"8G\", slot=0}, {path=\"/log\", size=\"1G\", slot=1}]"
    );
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
        (
            "main.tf",
            "locals {\n  a = local.b\n  b = local.a\n  deep = [local.deep]\n}\nmodule \"m\" { source = \"./m\" }\nresource \"t\" \"r\" { count = t.r[0].n }\n",
        ),
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
        write!(text, "  l{index} = [local.l{before}, local.l{before}]\n  t{index} = \"${{local.t{before}}}${{local.t{before}}}\"\n").unwrap();
    }
    text += "  flat = flatten(local.l59)\n  same = local.l58 == local.l59[0]\n  json = jsonencode(local.l59)\n";
    let mut names = String::new();
    for index in 0..150 {
        writeln!(names, "  chain{} = local.chain{index}", index + 1).unwrap();
    }
    write!(text, "  chain0 = 1\n{names}  nest = {}1{}\n", "[".repeat(90), "]".repeat(90)).unwrap();
    for index in 1..80 {
        let before = index - 1;
        writeln!(
            text,
            "  w{index} = merge({{ for k, v in {{ a = 1 }} : k => \"x${{join(\"\", [for x in [1] : try(local.w{before}.a, 0)])}}\" }}, {{}})"
        ).unwrap();
    }
    text += "  w0 = {}\n  big = [for a in range(1000) : \"${local.t18}${a}\"]\n  fl = formatlist(\"%s%d\", local.t18, range(1000))\n";
    text += "  ind = indent(200, join(\"\\n\", split(\"\", local.t18)))\n  rep = replace(local.t18, \"/.*/\", join(\"\", [for a in range(1000) : \"$0\"]))\n";
    text += "  many = [for a in range(1000) : [for b in range(1000) : a * b]]\n}\n";
    let terraform = build(&[("main.tf", &text)]);
    for name in ["flat", "t59", "same", "json", "many", "chain150", "nest", "w79", "big", "fl", "ind", "rep"] {
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
        (
            "main.tf",
            "resource \"t\" \"x\" {\n  a = 1\n  b = 1\n  disk { size = 1 }\n  lifecycle { prevent_destroy = true }\n}\nresource \"t\" \"old\" {}\nlocals { l = 1 }\n",
        ),
        (
            "main_override.tf",
            "resource \"t\" \"x\" {\n  b = 2\n  disk { size = 2 }\n  lifecycle { ignore_changes = [a] }\n}\nlocals { l = 2 }\n",
        ),
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
            (
                "envs/a/main.tf",
                "terraform {\n  required_version = \">= 1.10\"\n  backend \"s3\" { bucket = \"b\" }\n}\n",
            ),
            ("envs/a/.terraform.lock.hcl", ""),
            (
                "live/root.hcl",
                "remote_state {\n  backend = \"s3\"\n  config = {\n    bucket = \"tg\"\n    encrypt = true\n  }\n}\n",
            ),
            (
                "live/prod/db/terragrunt.hcl",
                "include \"root\" { path = find_in_parent_folders(\"root.hcl\") }\nterraform { source = \"../../../modules//db\" }\ninputs = { size = 1 }\n",
            ),
            ("modules/db/main.tf", "variable \"size\" {}\noutput \"o\" { value = var.size }\n"),
            ("modules/db/examples/basic/main.tf", "module \"db\" {\n  source = \"../..\"\n  size = 2\n}\n"),
            ("modules/alone/main.tf", "variable \"size\" {}\noutput \"o\" { value = var.size }\n"),
            ("modules/called/main.tf", "terraform {}\n"),
            ("stack/main.tf", "module \"c\" { source = \"../modules/called\" }\n"),
        ],
        Options {
            runs: Runs::from([(
                "envs/a".into(),
                vec![Run {
                    initialises: true,
                    backend: vec![("use_lockfile".into(), Given(Value::known(true)))],
                    ..Run::default()
                }],
            )]),
            ..Options::default()
        },
    );
    let root = terraform.tops().find(|instance| instance.module.folder == "envs/a").unwrap();
    let backend = terraform.backend(root).unwrap();
    assert_eq!(
        (show(&backend.ty), show(&backend.arg("bucket")), show(&backend.arg("use_lockfile"))),
        ("\"s3\"".into(), "\"b\"".into(), "true".into())
    );
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
    let run = terraform.tops().find(|instance| instance.module.folder == "modules/db").unwrap();
    assert_eq!(show(&terraform.output(run, "o")), "1");
    let library = terraform.tops().find(|instance| instance.module.folder == "modules/alone").unwrap();
    assert_eq!(
        show(&terraform.output(library, "o")),
        "?variable `size` is an input of this module and nothing here calls it"
    );
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
    assert_eq!(
        web.references(),
        [("module".to_owned(), "net".to_owned()), ("data.aws_ami".to_owned(), "x".to_owned())]
    );
}

#[test]
fn several_variable_files_are_possibilities() {
    let files = [
        (
            "main.tf",
            "variable \"env\" {}\nvariable \"size\" { default = 1 }\nlocals { all = \"${var.env}-${var.size}\" }\n",
        ),
        ("vars/dev.tfvars", "env = \"dev\"\nsize = 2\n"),
        ("vars/prod.tfvars", "env = \"prod\"\n"),
    ];
    let terraform_alone = build(&files);
    assert_eq!(show(&terraform_alone.variable(&terraform_alone.instances[0], "env")), "\"dev\"|\"prod\"");
    assert_eq!(show(&terraform_alone.variable(&terraform_alone.instances[0], "size")), "1|2");
    let run = |path: &str| Run { evaluates: true, arguments: vec![Argument::File(path.into())], ..Run::default() };
    let both = Runs::from([(String::new(), vec![run("vars/dev.tfvars"), run("vars/prod.tfvars")])]);
    let named = terraform(&files, Options { runs: both, ..Options::default() });
    assert_eq!(show(&named.variable(&named.instances[0], "env")), "\"dev\"|\"prod\"");
    assert_eq!(show(&named.variable(&named.instances[0], "size")), "2|1");
    assert_eq!(local(&named, "all"), "\"dev-2\"|\"prod-2\"|\"dev-1\"|\"prod-1\"");
}

#[test]
fn terragrunt_gives_inputs() {
    let terraform = build(&[
        ("live/root.hcl", "inputs = {\n  region = \"eu\"\n  name = \"root\"\n}\n"),
        (
            "live/prod/db/terragrunt.hcl",
            "include \"root\" { path = find_in_parent_folders(\"root.hcl\") }\nlocals { n = \"db\" }\nterraform { source = \"${get_repo_root()}/modules//db\" }\ninputs = { name = \"${local.n}-prod\" }\n",
        ),
        (
            "live/dev/db/terragrunt.hcl",
            "include \"root\" { path = find_in_parent_folders(\"root.hcl\") }\nterraform { source = \"../../../modules/db\" }\n",
        ),
        (
            "modules/db/main.tf",
            "variable \"region\" {}\nvariable \"name\" {}\nresource \"t\" \"x\" {\n  name = var.name\n  region = var.region\n}\n",
        ),
    ]);
    let shown: Vec<(Option<String>, String, String)> = terraform
        .resources()
        .map(|resource| (resource.instance.unit.clone(), show(&resource.arg("name")), show(&resource.arg("region"))))
        .collect();
    assert_eq!(
        shown,
        [
            (Some("live/dev/db".into()), "\"root\"".into(), "\"eu\"".into()),
            (Some("live/prod/db".into()), "\"db-prod\"".into(), "\"eu\"".into()),
        ]
    );
}

#[test]
fn references_are_names_where_terraform_wants_names() {
    let terraform = build(&[(
        "main.tf",
        "resource \"t\" \"x\" {\n  depends_on = [t.y]\n  provider = aws.eu\n  lifecycle {\n    ignore_changes = [tags, network[0].ip]\n  }\n}\nresource \"t\" \"y\" {\n  lifecycle { ignore_changes = all }\n}\nremoved {\n  from = t.gone\n  lifecycle { destroy = false }\n}\nmoved {\n  from = t.y[\"k\"]\n  to = module.m[0].t.y\n}\n",
    )]);
    let x = resource(&terraform, "t.x");
    assert_eq!(show(&x.arg("lifecycle.ignore_changes")), "[\"tags\", \"network[0].ip\"]");
    assert_eq!(show(&x.arg("provider")), "\"aws.eu\"");
    assert_eq!(show(&x.arg("depends_on")), "[\"t.y\"]");
    assert_eq!(show(&resource(&terraform, "t.y").arg("lifecycle.ignore_changes")), "\"all\"");
    let instance = &terraform.instances[0];
    let (file, block) = instance.module.others_of("removed").next().unwrap();
    let (moved_file, moved) = instance.module.others_of("moved").next().unwrap();
    let moved = terraform.block(instance, moved_file, moved);
    assert_eq!(
        (show(&moved.arg("from")), show(&moved.arg("to"))),
        ("\"t.y[\\\"k\\\"]\"".into(), "\"module.m[0].t.y\"".into())
    );
    let removed = terraform.block(instance, file, block);
    assert_eq!(show(&removed.arg("from")), "\"t.gone\"");
    assert_eq!(show(&removed.arg("lifecycle.destroy")), "false");
}

#[test]
fn old_template_files_and_modules_that_are_never_made() {
    let terraform = build(&[
        (
            "main.tf",
            "data \"template_file\" \"init\" {\n  template = file(\"${path.module}/init.tpl\")\n  vars = { name = \"db\" }\n}\nresource \"vm\" \"x\" { user_data = data.template_file.init.rendered }\nmodule \"off\" {\n  source = \"./off\"\n  count = 0\n}\nlocals { id = try(module.off[0].id, \"none\") }\n",
        ),
        ("init.tpl", "hostnamectl set-hostname ${name}\n"),
        ("off/main.tf", "resource \"t\" \"x\" {}\noutput \"id\" { value = t.x.id }\n"),
    ]);
    let vm = resource(&terraform, "vm.x");
    assert_eq!(show(&vm.arg("user_data")), "\"hostnamectl set-hostname db\\n\"");
    let rendered = vm.mapped("user_data").unwrap();
    assert_eq!(rendered.text.text, "hostnamectl set-hostname db\n");
    assert_eq!(rendered.file.0, 0);
    assert_eq!(local(&terraform, "id"), "\"none\"");
    assert_eq!(addresses(&terraform), ["vm.x", "t.x"]);
    assert_eq!(terraform.instances[1].role, Role::Library);
}

#[test]
fn json_syntax() {
    let terraform = build(&[(
        "main.tf.json",
        r#"{"variable": {"n": {"default": "x"}}, "resource": {"t": {"r": {"name": "${var.n}-1", "disk": [{"size": 4}], "lifecycle": {"prevent_destroy": true}}}}}"#,
    )]);
    let r = resource(&terraform, "t.r");
    assert_eq!(show(&r.arg("name")), "\"x-1\"");
    assert_eq!(show(&r.arg("disk.size")), "4");
    assert_eq!(r.blocks("disk").len(), 1);
    assert_eq!(show(&r.arg("lifecycle.prevent_destroy")), "true");
}

#[test]
fn decoded_files_keep_their_places() {
    let data = "db:\n  ip: 10.0.0.5\n";
    let terraform = build(&[
        ("data.yaml", data),
        (
            "main.tf",
            "locals { hosts = yamldecode(file(\"${path.module}/data.yaml\")) }\nresource \"t\" \"x\" {\n  for_each = local.hosts\n  ip = each.value.ip\n}\n",
        ),
    ]);
    let ip = resource(&terraform, "t.x[\"db\"]").arg("ip");
    assert_eq!(show(&ip), "\"10.0.0.5\"");
    let origin = ip.origin.unwrap();
    assert_eq!((origin.file.0, origin.span.slice(data)), (0, "10.0.0.5"));
}

#[test]
fn rules_may_run_in_parallel() {
    fn shared<T: Send + Sync>(_: &T) {}
    let terraform = build(&[("main.tf", "resource \"t\" \"x\" {}\n")]);
    shared(&terraform);
    shared(&resource(&terraform, "t.x"));
    shared(&resource(&terraform, "t.x").view());
}

#[test]
fn cloud_init_parts_and_mentions_through_locals() {
    let text = "data \"cloudinit_config\" \"c\" {\n  part {\n    content = <<-EOT\n      apt install x\n    EOT\n  }\n  part { content = \"b\" }\n}\n\
                resource \"vm\" \"x\" {\n  user_data = base64encode(data.cloudinit_config.c.rendered)\n  bucket = local.b\n}\n\
                locals {\n  b = local.c\n  c = s3.logs.id\n}\n";
    let terraform = build(&[("main.tf", text)]);
    let vm = resource(&terraform, "vm.x");
    let scripts: Vec<String> = vm.scripts("user_data").into_iter().map(|script| script.text.text).collect();
    assert_eq!(scripts, ["apt install x\n", "b"]);
    let found = vm.references();
    assert_eq!(found, [("data.cloudinit_config".to_owned(), "c".to_owned()), ("s3".to_owned(), "logs".to_owned())]);
}

#[test]
fn opentofu_says_how_it_encrypts() {
    let main = "variable \"pass\" { default = \"long enough\" }\nterraform {\n  encryption {\n    key_provider \"pbkdf2\" \"k\" {\n      passphrase = var.pass\n    }\n    method \"aes_gcm\" \"m\" {\n      keys = key_provider.pbkdf2.k\n    }\n    state {\n      method   = method.aes_gcm.m\n      enforced = true\n    }\n  }\n}\n";
    let terraform = build(&[("main.tofu", main), ("plain/main.tf", "terraform {}\nresource \"t\" \"x\" {}\n")]);
    let root = |folder: &str| terraform.tops().find(|top| top.module.folder == folder).unwrap();
    let encryption = terraform.encryption(root("")).unwrap();
    assert_eq!(show(&encryption.arg("state.enforced")), "true");
    assert_eq!(show(&encryption.arg("key_provider.passphrase")), "\"long enough\"");
    assert!(terraform.encryption(root("plain")).is_none());
}
