//! What is known of values that are partly not known.

use crate::model::ansible::Ansible;
use crate::model::load::{Documents, Options};
use crate::source::{File, Tree};
use crate::value::Value;

const PLAYBOOK: &str = "- hosts: all
  vars:
    name: web
    ports: [80, '{{ ansible_port }}']
    loop_a: '{{ loop_b }}'
    loop_b: '{{ loop_a }}'
    self: {x: 1, y: '{{ self.x + 1 }}'}
  tasks:
    - debug: {msg: x}
";

fn with(check: impl Fn(&dyn Fn(&str) -> Value)) {
    let tree = Tree::new(vec![File::in_memory("site.yml", PLAYBOOK.as_bytes().to_vec(), true)], None);
    let documents = Documents::load(&tree, &Options::default());
    let ansible = Ansible::build(&documents);
    check(&|text| ansible.evaluate_text(&ansible.tasks[0], text));
}

#[test]
fn holes_stay_holes() {
    with(|of| {
        for (text, shown) in [
            ("/srv/{{ not_set }}/a.conf", "/srv/…/a.conf"),
            ("{{ '/SRV/' ~ ansible_x ~ '/A' }}", "/SRV/…/A"),
            ("{{ ('/SRV/' ~ ansible_x ~ '/A') | lower }}", "/srv/…/a"),
            ("{{ '%s:%s' | format(name, ansible_x) }}", "web:…"),
            ("{{ [name, ansible_x] | join('-') }}", "web-…"),
            ("{{ ['/a', name, ansible_x ~ ''] | path_join }}", "an unknown value"),
            ("{{ ('/etc/' ~ ansible_x ~ '/a.conf') | basename }}", "a.conf"),
            ("{{ ('/etc/' ~ ansible_x ~ '/a.conf') | dirname }}", "/etc/…"),
            ("a{% if ansible_x %}b{% endif %}c", "a…c"),
            ("{{ 'a' if ansible_x else 'b' }}", "a or b"),
            ("x{{ 'a' if ansible_x else 'b' }}", "xa or xb"),
            ("{{ ports | first }}", "80"),
            ("{{ ports | length }}", "2"),
            ("{{ self.y }}", "2"),
        ] {
            assert_eq!(of(text).display(), shown, "{text}");
        }
    });
}

#[test]
fn what_is_not_known_says_why() {
    with(|of| {
        for (text, reason) in [
            ("{{ loop_a }}", "it refers to itself"),
            ("{{ ansible_os_family }}", "a fact of the host"),
            ("{{ lookup('pipe', 'id') }}", "`pipe`"),
            ("{{ lookup('env', 'HOME') }}", "`HOME`"),
            ("{{ name | ipaddr }}", "`ipaddr`"),
            ("{{ name is exists }}", "on the controller"),
            ("{% macro f() %}x{% endmacro %}{{ f() }}", "`f()`"),
        ] {
            let value = of(text);
            let given = value.reason().unwrap_or_default();
            assert!(given.contains(reason), "{text}: {given}");
        }
    });
}

#[test]
fn work_is_bounded() {
    with(|of| {
        let deep =
            "{% set ns = namespace(x=[]) %}{% for i in range(4000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}";
        let wide = "{% set ns = namespace(x='abcdefgh') %}{% for i in range(400) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}";
        let long = "{% for a in range(4000) %}{% for b in range(4000) %}{{ a * b }}{% endfor %}{% endfor %}";
        for text in
            [deep, wide, long, "{{ range(100000) | product(range(100000)) }}", "{{ 'a' * 99999999 }}", "{{ 9 ** 99 }}"]
        {
            assert!(of(text).reason().is_some(), "{text}");
        }
        for bad in ["(", "not ", "-", "[", "a.", "a[", "a|b", "{% if a %}", "{% for a in a %}", "{{ "] {
            of(&format!("{{{{ {} }}}}", bad.repeat(300)));
            of(&bad.repeat(3000));
        }
    });
}

/// A repository in memory.
fn within(files: &[(&str, &str)], check: impl Fn(&Ansible<'_>)) {
    let files = files.iter().map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true));
    let tree = Tree::new(files.collect(), None);
    let documents = Documents::load(&tree, &Options::default());
    let commands = crate::model::command::of_documents(&documents);
    check(&Ansible::run_by(&documents, &commands));
}

#[test]
fn what_surely_never_runs() {
    let files = [
        ("hosts", "[db]\ndb1\ndb2 wiped=true\n[web]\nweb1\n"),
        ("group_vars/all.yml", "wipe: false\nowner: '{{ inventory_hostname_short }}'\n"),
        ("roles/x/defaults/main.yml", "clean: false\nnumber: 1\n"),
        (
            "roles/x/tasks/main.yml",
            "- name: By an inventory\n  ping:\n  when: wipe\n- name: By a default\n  ping:\n  when: clean\n- name: By no setting\n  ping:\n  when: gone | default(false)\n- name: On one\n  ping: {data: '{{ owner }}:{{ number }}'}\n  when: wiped | default(false)\n- name: In no turn\n  ping:\n  loop: [1, 2]\n  when: item > 2\n- name: In a turn\n  ping: {data: '{{ item }}'}\n  loop: [1, 2]\n  when: item > 1\n",
        ),
        ("site.yml", "- hosts: db\n  roles: [{role: x, number: 2}]\n"),
        ("Makefile", "deploy:\n\tansible-playbook -i hosts site.yml\n"),
    ];
    within(&files, |ansible| {
        let task = |name: &str| ansible.tasks.iter().find(|task| task.name == Some(name)).unwrap();
        let never = |name: &str| ansible.never(task(name));
        assert!(never("By an inventory") && never("In no turn"));
        // Defaults are there to be set, and so is what nothing sets.
        assert!(!never("By a default") && !never("By no setting"));
        assert!(!never("On one") && !never("In a turn"));
        let runs = |name: &str| {
            let views = ansible.views(task(name), None);
            views.iter().map(|view| format!("{} {:?}", view.host().unwrap_or("-"), view.runs())).collect::<Vec<_>>()
        };
        assert_eq!(
            runs("On one"),
            ["db1 False", "db2 Unknown(\"a string is no truth value, which a condition must be\")"]
        );
        assert_eq!(ansible.argument(task("On one"), "data").display(), "db1:2 or db2:2");
        let each = |name: &str| ansible.each(task(name), "data").iter().map(Value::display).collect::<Vec<_>>();
        assert_eq!(each("In a turn"), ["2"]);
        assert!(ansible.views(task("On one"), Some("web1")).is_empty());
    });
}

#[test]
fn variables_of_other_hosts_are_bounded() {
    let files = [
        ("hosts", "[all]\na\nb\nc\n"),
        ("host_vars/a.yml", "x: \"{{ hostvars['b'].x }}\"\n"),
        ("host_vars/b.yml", "x: \"{{ hostvars['a'].x }}\"\n"),
        ("host_vars/c.yml", "y: \"{{ hostvars['a'].z | default('none') }}\"\n"),
        (
            "site.yml",
            "- hosts: all\n  tasks:\n    - name: Round\n      debug: {msg: '{{ x }}'}\n    - name: Over all\n      debug: {msg: \"{{ groups['all'] | map('extract', hostvars, 'inventory_hostname') | join(',') }}\"}\n    - name: Of one\n      debug: {msg: \"{{ hostvars['c'].y }}\"}\n",
        ),
    ];
    within(&files, |ansible| {
        let said = |name: &str| {
            let task = ansible.tasks.iter().find(|task| task.name == Some(name)).unwrap();
            ansible.argument(task, "msg").display()
        };
        assert_eq!(
            [said("Round"), said("Over all"), said("Of one")],
            ["an unknown value", "a,b,c", "none"],
            "{:?}",
            ansible.tasks.iter().map(|task| ansible.argument(task, "msg").reason()).collect::<Vec<_>>()
        );
    });
}

#[test]
fn localhost_needs_no_inventory() {
    let playbook = "- hosts: localhost\n  vars: {cloud: none}\n  tasks:\n    - name: Never\n      ping:\n      when: cloud == 'aws'\n    - name: Who knows\n      ping:\n      when: groups['db'] is defined\n    - name: Here\n      debug: {msg: '{{ inventory_hostname }} {{ place }}'}\n";
    let shown = "[lab]\nlocalhost place=lab\n";
    let files = [("site.yml", playbook), ("group_vars/all.yml", "place: all\n"), ("docs/lab/hosts", shown)];
    within(&files, |ansible| {
        let task = |name: &str| ansible.tasks.iter().find(|task| task.name == Some(name)).unwrap();
        assert!(ansible.never(task("Never")) && !ansible.never(task("Who knows")));
        assert_eq!(ansible.argument(task("Here"), "msg").display(), "localhost all");
    });
}

#[test]
fn variables_are_read_before_they_count() {
    let debug = "- debug: {msg: '{{ place }}'}\n";
    let early = format!("{debug}  name: Before\n");
    let late = "- include_vars: other.yml\n- import_tasks: install.yml\n";
    let install = format!("{debug}  name: After\n");
    let files = [
        ("hosts", "[db]\ndb1\n"),
        ("site.yml", "- hosts: db\n  vars: {place: play}\n  roles: [a, b]\n"),
        ("roles/a/tasks/main.yml", &*early),
        ("roles/b/tasks/main.yml", late),
        ("roles/b/tasks/install.yml", &*install),
        ("roles/b/vars/other.yml", "place: file\n"),
    ];
    within(&files, |ansible| {
        let said = |name: &str| {
            let task = ansible.tasks.iter().find(|task| task.name == Some(name)).unwrap();
            ansible.argument(task, "msg").display()
        };
        assert_ne!(said("Before"), "file");
        assert_eq!(said("After"), "file");
    });
}
