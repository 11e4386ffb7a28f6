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
        assert_eq!(template.keeps_machine_id(build), Tri::False);
        assert_eq!((template.keeps_host_keys(build), template.kept(build)), (Tri::True, "the SSH host keys"));
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
fn identity_is_unknown_when_a_script_is_not_there() {
    let template = |step: &str| {
        format!(
            "source \"qemu\" \"a\" {{\n  communicator = \"ssh\"\n}}\nbuild {{\n  sources = [\"qemu.a\"]\n  {step}\n}}\n"
        )
    };
    let keeps = |step: &str| {
        let text = template(step);
        let files = [
            ("a.pkr.hcl", text.as_str()),
            ("site.yml", "- hosts: all\n  tasks:\n    - command: truncate -s0 /etc/machine-id\n"),
        ];
        with(&files, |packer, _| {
            let (template, build) = packer.builds().next().unwrap();
            template.keeps_machine_id(build)
        })
    };
    assert_eq!(keeps(""), Tri::True);
    assert!(matches!(keeps("provisioner \"shell\" { script = \"nowhere.sh\" }"), Tri::Unknown(_)));
    assert_eq!(keeps("provisioner \"shell\" { inline = [\"cloud-init clean --machine-id\"] }"), Tri::False);
    assert_eq!(
        keeps("provisioner \"shell\" { inline = [\"cat /etc/machine-id\", \"# rm /etc/machine-id\"] }"),
        Tri::True
    );
    assert_eq!(keeps("provisioner \"ansible\" { playbook_file = \"site.yml\" }"), Tri::False);
    assert!(matches!(keeps("provisioner \"ansible\" { playbook_file = \"other.yml\" }"), Tri::Unknown(_)));
    assert_eq!(keeps("provisioner \"powershell\" { inline = [\"dir\"] }"), Tri::False);
}

#[test]
fn users_and_keys_are_found_where_they_stand() {
    let text = "source \"qemu\" \"a\" {\n}\nbuild {\n  sources = [\"source.qemu.a\"]\n  provisioner \"shell\" {\n    inline = [\n      \"sudo useradd -m alice\",\n      \"useradd -r svc\",\n      \"useradd tmp\",\n      \"echo root:x | chpasswd\",\n      \"echo key >> /root/.ssh/authorized_keys\",\n      \"userdel -r tmp\",\n    ]\n  }\n}\n";
    with(&[("a.pkr.hcl", text)], |packer, tree| {
        let (template, build) = packer.builds().next().unwrap();
        let baked = template.bakes(build);
        let found: Vec<(Bakes, &str)> = baked.iter().map(|baked| (baked.what, tree.slice(baked.loc))).collect();
        assert_eq!(
            found,
            [
                (Bakes::User, "sudo useradd -m alice"),
                (Bakes::Password, "echo root:x | chpasswd"),
                (Bakes::Key, "echo key >> /root/.ssh/authorized_keys"),
            ]
        );
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
