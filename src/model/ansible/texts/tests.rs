//! Which texts tasks write, and what they are.

use super::{TextKind, kind, looked_up};
use crate::model::ansible::Ansible;
use crate::model::load::{Documents, Options};
use crate::source::{File, Tree};

#[test]
fn kinds_by_name_and_shape() {
    let compose = "services:\n  a:\n    image: b\n";
    for (paths, text, expected) in [
        (&["/opt/x/docker-compose.yml"] as &[&str], compose, Some((TextKind::Compose, "docker-compose.yml"))),
        (&["/opt/x/", "stack.yml.j2"], compose, Some((TextKind::Compose, "stack.yml"))),
        (&["an unknown value", "stack.yml.j2"], "a: b\n", None),
        (&["/etc/systemd/system/a.service"], "[Unit]\n", Some((TextKind::Unit, "a.service"))),
        (&["/etc/systemd/system/a.service.d/x.conf"], "[Service]\n", Some((TextKind::Unit, "x.conf"))),
        (&["/etc/nginx/conf.d/x.conf"], "[Service]\n", None),
        (&["/etc/containers/systemd/db.container"], "[Container]\n", Some((TextKind::Quadlet, "db.container"))),
        (&["/usr/local/bin/dump", "dump.j2"], "#!/bin/sh\n", Some((TextKind::Shell, "dump"))),
        (&["/usr/local/bin/dump"], "#jinja2: lstrip_blocks: True\n#!/bin/bash\n", Some((TextKind::Shell, "dump"))),
        (&["/usr/local/bin/dump"], "#!/usr/bin/python3\n", None),
        (&["/opt/dump.sh"], "pg_dump\n", Some((TextKind::Shell, "dump.sh"))),
        (&["/etc/cron.d/dump"], "@daily root x\n", Some((TextKind::Crontab { user: true }, "dump"))),
        (&["/etc/cron.d/dump"], "#!/usr/bin/perl\n", None),
        (&["/opt/x/.env"], "A=b\n", Some((TextKind::Environment, ".env"))),
        (&["/etc/hosts"], "127.0.0.1 a\n", None),
    ] {
        let found = kind(paths, text);
        assert_eq!(found.as_ref().map(|(kind, name)| (*kind, name.as_str())), expected, "{paths:?}");
    }
}

#[test]
fn a_template_that_is_looked_up() {
    assert_eq!(looked_up("{{ lookup('template', 'a.yml.j2') | from_yaml }}").as_deref(), Some("a.yml.j2"));
    assert_eq!(looked_up("{{ lookup('ansible.builtin.template', 'a.j2') }}").as_deref(), Some("a.j2"));
    for other in ["{{ lookup('file', 'a') }}", "{{ lookup('template', a) }}", "x {{ lookup('template', 'a') }}", "a"] {
        assert_eq!(looked_up(other), None, "{other}");
    }
}

#[test]
fn texts_are_found_where_ansible_looks() {
    let unit = "[Service]\nExecStart=/bin/{{ item }}\n";
    let files = [
        (
            "site.yml",
            "- hosts: all\n  roles: [a]\n  tasks:\n    - template: {src: own.service, dest: /etc/systemd/system/}\n",
        ),
        ("templates/own.service", "[Service]\nExecStart=/bin/own\n"),
        ("templates/shared.sh.j2", "echo shared\n"),
        (
            "roles/a/tasks/main.yml",
            "- template: {src: unit.j2, dest: '/etc/systemd/system/{{ item }}.service'}\n  loop: [x, y, x]\n\
             - copy: {src: read.sh, dest: /opt/read.sh}\n\
             - copy: {src: job, dest: /etc/cron.d/job}\n\
             - template: {src: '{{ role_path }}/templates/unit.j2', dest: /x.timer}\n\
             - template: {src: shared.sh.j2, dest: /x.sh}\n\
             - template: {src: missing.sh.j2, dest: /x.sh}\n\
             - template: {src: shared.sh.j2, dest: /x.sh, state: absent}\n",
        ),
        ("roles/a/templates/unit.j2", unit),
        ("roles/a/files/read.sh", "#!/bin/sh\nrm x\n"),
        ("roles/a/files/job", "@daily root rm x\n"),
    ];
    let files = files.map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true));
    let tree = Tree::new(files.into(), None);
    let documents = Documents::load(&tree, &Options::default());
    let ansible = Ansible::build(&documents);
    let mut found: Vec<(String, String)> = Vec::new();
    for at in 0..ansible.tasks.len() {
        for text in ansible.texts(at) {
            let path = tree.path(text.rendered.file).to_owned();
            found.push((path, text.rendered.text.text.lines().last().unwrap_or("").to_owned()));
        }
    }
    found.sort();
    let shown: Vec<(&str, &str)> = found.iter().map(|(path, line)| (path.as_str(), line.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("roles/a/files/job", "@daily root rm x"),
            ("roles/a/templates/unit.j2", "ExecStart=/bin/x"),
            ("roles/a/templates/unit.j2", "ExecStart=/bin/y"),
            ("roles/a/templates/unit.j2", "ExecStart=/bin/\u{F8FF}"),
            ("templates/own.service", "ExecStart=/bin/own"),
            ("templates/shared.sh.j2", "echo shared"),
        ]
    );
}
