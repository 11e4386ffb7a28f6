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
