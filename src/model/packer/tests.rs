use super::*;
use crate::model::load::Options;
use crate::source::File;
use crate::value::Tri;

fn tree(files: &[(&str, &str)]) -> Tree {
    Tree::new(files.iter().map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true)).collect(), None)
}

fn with<T>(files: &[(&str, &str)], check: impl FnOnce(&Packer<'_>, &Tree) -> T) -> T {
    let tree = tree(files);
    let documents = Documents::load(&tree, &Options::default());
    check(&Packer::build(&documents), &tree)
}

const NATIVE: &str = r#"packer {
  required_plugins {
    docker = {
      source  = "github.com/hashicorp/docker"
      version = ">= 1.1.0"
    }
    qemu = { source = "github.com/hashicorp/qemu", version = ">= 1.0, < 2.0" }
  }
}
variable "image" { default = "ubuntu@sha256:00" }
variable "url" {}
variable "sum" {}
variable "version" { default = 3 }
locals { name = "base-v${var.version}" }
source "docker" "root" {
  image       = var.image
  export_path = "${local.name}.tar"
}
source "proxmox-clone" "x" {
  clone_vm      = "prod-db"
  template_name = local.name
}
source "qemu" "disc" {
  iso_url      = var.url
  iso_checksum = var.sum
}
source "amazon-ebs" "a" {
  source_ami_filter {
    most_recent = true
    owners      = ["099720109477"]
  }
  ami_name = "base"
}
build {
  name    = "all"
  sources = ["source.docker.root", source.qemu.disc]
  source "proxmox-clone.x" {
    template_name = "golden"
  }
  provisioner "shell" {
    inline = [
      "echo ${local.name}",
      "apt-get install -y openssh-server ${var.url}",
    ]
    scripts = ["${path.root}/scripts/cleanup.sh"]
  }
  post-processors {
    post-processor "shell-local" { inline = ["gzip x"] }
  }
}
"#;

#[test]
fn a_folder_is_one_template() {
    let variables = "url = \"https://x/current/disk.img\"\nsum = \"none\"\n";
    let files = [
        ("img/a.pkr.hcl", NATIVE),
        ("img/x.auto.pkrvars.hcl", variables),
        ("img/scripts/cleanup.sh", "#!/bin/sh\ntruncate -s 0 /etc/machine-id\n"),
    ];
    with(&files, |packer, tree| {
        let [template] = packer.templates.as_slice() else { panic!("one template") };
        let addresses: Vec<&str> = template.sources.iter().map(|source| source.address.as_str()).collect();
        assert_eq!(
            addresses,
            ["source.docker.root", "source.proxmox-clone.x", "source.qemu.disc", "source.amazon-ebs.a"]
        );
        let source = |name: &str| template.sources.iter().find(|source| &*source.builder == name).unwrap();
        assert_eq!(source("docker").floating(), Tri::False);
        assert_eq!(source("docker").get("export_path").as_str(), Some("base-v3.tar"));
        assert_eq!(tree.slice(source("docker").place("image")), "image       = var.image");
        assert_eq!(source("proxmox-clone").clone_of().as_str(), Some("prod-db"));
        assert_eq!(source("proxmox-clone").artefact().as_str(), Some("golden"));
        assert_eq!(source("proxmox-clone").constant_name(), Tri::True);
        assert_eq!((source("qemu").checksum_none(), source("qemu").floating()), (Tri::True, Tri::True));
        assert_eq!(tree.slice(source("qemu").checksum_place()), "iso_checksum = var.sum");
        assert_eq!((source("amazon-ebs").most_recent(), source("amazon-ebs").constant_name()), (Tri::True, Tri::True));
        assert_eq!(tree.slice(source("amazon-ebs").floating_place()), "most_recent = true");
        let floats: Vec<(Tri, &str)> =
            template.plugins.iter().map(|plugin| (plugin.floating(), tree.slice(plugin.loc))).collect();
        assert_eq!(floats, [(Tri::True, "version = \">= 1.1.0\""), (Tri::False, "version = \">= 1.0, < 2.0\"")]);
    });
}

#[test]
fn builds_run_texts_with_a_way_back() {
    let files = [("img/a.pkr.hcl", NATIVE), ("img/scripts/cleanup.sh", "rm /etc/machine-id\n")];
    with(&files, |packer, tree| {
        let (template, build) = packer.builds().next().unwrap();
        assert_eq!(build.label(), "all");
        assert_eq!(build.sources, ["source.docker.root", "source.qemu.disc", "source.proxmox-clone.x"]);
        let [inline] = build.provisioners[0].inline.as_slice() else { panic!("one text") };
        assert!(inline.text.text.starts_with("echo base-v3\napt-get install -y openssh-server \u{F8FF}\n"));
        let at = inline.text.text.find("apt-get install").unwrap();
        let span = inline.text.span(crate::text::Span::new(at, at + 15));
        assert_eq!(span.slice(tree.text(inline.file)), "apt-get install");
        assert!(build.provisioners[0].scripts[0].file.is_some());
        assert_eq!(&*build.post_processors[0].kind, "shell-local");
        let disc = template.source("source.qemu.disc").unwrap();
        assert_eq!(disc.base().reason().as_deref(), Some("var.url has no default and no variable file gives it"));
        assert!(matches!(disc.checksum_none(), Tri::Unknown(_)));
    });
}

#[test]
fn variable_files_that_may_be_chosen() {
    let template = "variable \"sum\" {}\nvariable \"image\" { default = \"debian:12\" }\nsource \"qemu\" \"a\" {\n  iso_url = \"u\"\n  iso_checksum = var.sum\n}\nsource \"docker\" \"b\" { image = var.image }\n";
    let files = [
        ("p/t/a.pkr.hcl", template),
        ("p/vars/one.pkrvars.hcl", "sum = \"none\"\n"),
        ("p/vars/two.pkrvars.hcl", "sum = \"none\"\nimage = \"x@sha256:1\"\n"),
    ];
    with(&files, |packer, _| {
        let sources = &packer.templates[0].sources;
        assert_eq!(sources[0].checksum_none(), Tri::True);
        assert!(matches!(sources[1].floating(), Tri::Unknown(_)));
    });
}

#[test]
fn commands_say_which_values_a_template_has() {
    let template = "variable \"sum\" { default = \"none\" }\nvariable \"tag\" { type = string }\nsource \"qemu\" \"a\" {\n  iso_checksum = var.sum\n  vm_name = var.tag\n}\n";
    let json = r#"{"variables": {"sum": "none"}, "builders": [{"type": "qemu", "iso_checksum": "{{user `sum`}}"}]}"#;
    let files = [
        ("img/a.pkr.hcl", template),
        ("img/one.pkrvars.hcl", "sum = \"sha256:1\"\ntag = \"v1\"\n"),
        ("img/two.pkrvars.hcl", "sum = \"sha256:2\"\n"),
        ("old/t.json", json),
        ("old/v.json", r#"{"sum": "sha256:9"}"#),
        (
            "build.sh",
            "cd img\npacker build -var-file=one.pkrvars.hcl -var tag=v2 .\ncd ..\npacker build -var-file old/v.json old/t.json\n",
        ),
    ];
    let tree = tree(&files);
    let documents = Documents::load(&tree, &Options::default());
    let commands = crate::model::command::of_documents(&documents);
    let packer = Packer::run_by(&documents, &commands);
    let get = |at: usize, path: &str| packer.templates[at].sources[0].get(path).display();
    assert_eq!((get(0, "iso_checksum"), get(0, "vm_name")), ("sha256:1".to_owned(), "v2".to_owned()));
    assert_eq!(get(1, "iso_checksum"), "sha256:9");
}

#[test]
fn dynamic_steps_are_there_unless_they_are_for_nothing() {
    let step = |each: &str| {
        format!(
            "build {{\n  sources = [\"qemu.a\"]\n  dynamic \"provisioner\" {{\n    labels   = [\"shell\"]\n    for_each = {each}\n    content {{\n      inline = [\"true\"]\n    }}\n  }}\n}}\n"
        )
    };
    let count = |each: &str| {
        with(&[("a.pkr.hcl", &step(each))], |packer, _| {
            packer.templates[0].builds[0].provisioners.iter().filter(|step| &*step.kind == "shell").count()
        })
    };
    assert_eq!((count("[1]"), count("[]"), count("var.nowhere")), (1, 0, 1));
}

#[test]
fn steps_hold_for_some_sources() {
    let text = "source \"qemu\" \"a\" {}\nsource \"qemu\" \"b\" {}\nbuild {\n  sources = [\"qemu.a\", \"qemu.b\"]\n  provisioner \"shell\" {\n    only   = [\"qemu.a\"]\n    inline = [\"true\"]\n    override = { a = { inline = [\"false\"] } }\n  }\n  provisioner \"file\" {\n    source      = \"scripts\"\n    destination = \"/tmp\"\n  }\n  provisioner \"shell\" {\n    inline = [\"sudo bash /tmp/scripts/x.sh\"]\n  }\n}\n";
    with(&[("a.pkr.hcl", text), ("scripts/x.sh", "true\n")], |packer, tree| {
        let (template, build) = packer.builds().next().unwrap();
        let [first, second] = template.sources.as_slice() else { panic!("two sources") };
        let [shell, file, last] = build.provisioners.as_slice() else { panic!("three steps") };
        assert_eq!(
            (shell.applies(first), shell.applies(second), last.applies(second)),
            (Tri::True, Tri::False, Tri::True)
        );
        assert!(!shell.override_for(first).is_absent() && shell.override_for(second).is_absent());
        let uploads = template.uploads(file);
        assert_eq!((uploads[0].path.as_str(), uploads[0].to.as_str()), ("scripts", "/tmp/scripts"));
        let (texts, open) = template.texts(last, &uploads);
        let paths: Vec<&str> = texts.iter().map(|text| tree.path(text.file)).collect();
        assert_eq!((paths, open), (vec!["a.pkr.hcl", "scripts/x.sh"], None));
    });
}

#[test]
fn json_templates_resolve_their_variables() {
    let text = r#"{
  "variables": {"iso": "https://x/a.iso", "sum": "none", "name": "{{ user `iso` }}-{{timestamp}}", "empty": ""},
  "builders": [
    {"type": "qemu", "iso_url": "{{user `iso`}}", "iso_checksum": "{{ user `sum` }}", "vm_name": "{{user `name`}}"},
    {"type": "docker", "name": "d", "image": "{{user `empty`}}"}
  ],
  "provisioners": [{"type": "shell", "only": ["d"], "inline": ["useradd bob", "echo {{user `iso`}}"], "script": "{{template_dir}}/s.sh"}],
  "post-processors": ["vagrant", [{"type": "docker-tag", "repository": "r"}]]
}"#;
    with(&[("p/t.json", text), ("p/s.sh", "true\n")], |packer, tree| {
        let template = &packer.templates[0];
        assert!(template.json);
        let [disc, docker] = template.sources.as_slice() else { panic!("two sources") };
        assert_eq!((disc.address.as_str(), docker.address.as_str()), ("source.qemu.qemu", "source.docker.d"));
        assert_eq!((disc.base().as_str(), disc.checksum_none()), (Some("https://x/a.iso"), Tri::True));
        assert_eq!(disc.get("vm_name").starts_with("https://x/a.iso-"), Tri::True);
        assert!(matches!(docker.floating(), Tri::Unknown(_)));
        assert_eq!(tree.slice(disc.place("iso_checksum")), "\"iso_checksum\": \"{{ user `sum` }}\"");
        let step = &template.builds[0].provisioners[0];
        let inline = &step.inline[0].text;
        assert!(inline.text.starts_with("useradd bob\necho https://x/a.iso\n"));
        assert_eq!(inline.span(crate::text::Span::new(0, 11)).slice(tree.text(step.inline[0].file)), "useradd bob");
        assert_eq!(step.scripts[0].file.map(|file| tree.path(file)), Some("p/s.sh"));
        let kinds: Vec<&str> = template.builds[0].post_processors.iter().map(|step| &*step.kind).collect();
        assert_eq!(kinds, ["vagrant", "docker-tag"]);
    });
}

#[test]
fn bad_input_is_survived() {
    for text in [
        "source \"a\" {}\nbuild { sources = 3 }\n",
        "build { provisioner {} source \"x\" {} }\n",
        "packer { required_plugins { a = 1 } }\n",
    ] {
        with(&[("a.pkr.hcl", text)], |packer, _| assert!(packer.sources().next().is_none()));
    }
    with(&[("a.json", "{\"builders\": [{\"type\": \"x\"}, 3, {\"name\": []}], \"type\": [{{")], |packer, _| {
        assert!(packer.templates.len() <= 1);
    });
}
