//! Templates as they are rendered in the scope of a task.

use super::Rendered;
use crate::model::ansible::Ansible;
use crate::model::load::{Documents, Options};
use crate::source::{File, Tree};
use crate::text::{HOLE, Span};

const PLAYBOOK: &str = "- hosts: all
  vars:
    name: web
    ports: [80, 443]
    more: '{{ ports + [ansible_port] }}'
    on: true
    tag: \"{{ '16' if ansible_x else '17' }}\"
  tasks:
    - template: {src: a.j2, dest: /a}
    - copy:
        dest: /b
        content: |
          one {{ name }}
          {% for port in ports %}
          port {{ port }}
          {% endfor %}
    - template: {src: '{{ item }}.j2', dest: '/{{ item }}', lstrip_blocks: true}
      loop: [a, b]
";

fn with(template: &str, check: impl Fn(&Ansible<'_>)) {
    let files = [("site.yml", PLAYBOOK), ("templates/a.j2", template)];
    let files = files.map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true));
    let tree = Tree::new(files.into(), None);
    let documents = Documents::load(&tree, &Options::default());
    check(&Ansible::build(&documents));
}

/// What the first task makes of a template, holes shown as `…`.
fn rendered(template: &str, check: impl Fn(&Rendered)) {
    with(template, |ansible| {
        let file = ansible.documents.tree.find("templates/a.j2").unwrap();
        check(&ansible.in_turns(&ansible.tasks[0], |turn| turn.render_file(file))[0]);
    });
}

fn shows(template: &str, expected: &str) {
    rendered(template, |rendered| {
        assert_eq!(rendered.text.text.replace(HOLE, "…"), expected, "{template}");
        assert_eq!(rendered.text.text.matches(HOLE).count(), rendered.holes.len(), "{template}");
    });
}

#[test]
fn what_is_known_is_put_in() {
    shows("# {{ ansible_managed }}\na={{ name }}:{{ ports | first }}\n\n", "# Ansible managed\na=web:80\n\n");
    shows("{{ not_set }}/{{ name }}{{ '-' ~ ansible_x }}", "…/web-…");
    shows("{% if on %}\nyes\n{% else %}\nno\n{% endif %}\nend", "yes\nend");
    shows("{% for p in ports %}\n- {{ p }}\n{% endfor %}\n", "- 80\n- 443\n");
    shows("{% set x = name ~ '1' %}{{ x }}{# none #}{% raw %}{{ x }}{% endraw %}", "web1{{ x }}");
    shows("{{ ports | join('\\n') }}\n", "80\n443\n");
    shows("  {%- if on %}a{% endif %}", "a");
    shows("#jinja2: lstrip_blocks: True\na\n  {% if on %}\n  b\n  {% endif %}\n", "a\n  b\n");
    shows("#jinja2: trim_blocks: False\n{% if on %}\nb\n{% endif %}\n", "\nb\n");
    shows("x{% if on %}-a{% endif %}\n\n", "x-a\n\n");
    shows(
        "#jinja2: lstrip_blocks: True\nx  {% if on %}a{% endif %}\n\t{# c #}y {# d #}\n{% if on %} {% endif %}\n  {%+ if on %}z{% endif %}\n",
        "x  ay    z\n",
    );
    shows("a\n  {% if on %}\n  b\n  {% endif %}\nc\n", "a\n    b\n  c\n");
}

#[test]
fn what_is_undecided_stays() {
    shows("{% if ansible_x %}\na\n{% elif on %}\nb\n{% else %}\nc\n{% endif %}\n", "a\nb\n");
    shows("x{% if ansible_x %}-a{% endif %}\ny\n", "x…y\n");
    shows("x{% if ansible_x %}-a{% endif %}\n\n", "x…\n\n");
    shows("{% for p in not_set %}\n- {{ p }} {{ loop.index }} {{ name }}\n{% endfor %}\n", "- … … web\n");
    shows("a{% for p in not_set %} {{ p }}{% endfor %}.\n", "a….\n");
    shows("{% set x = 'a' %}{% if ansible_x %}{% set x = 'b' %}{% endif %}[{{ x }}]", "[…]");
    shows("{% include 'b.j2' %}\n{% block a %}\n{{ name }}\n{% endblock %}\n", "…web\n");
    shows("{% macro m() %}x{% endmacro %}{{ m() }}", "…");
    rendered("{{ tag }}", |rendered| assert_eq!(rendered.holes[0].value.display(), "16 or 17"));
    rendered("a{{ ansible_x | int }}b", |rendered| {
        assert_eq!(rendered.holes[0].expression.as_deref(), Some("ansible_x | int"));
        assert!(rendered.holes[0].value.reason().unwrap().contains("ansible_x"));
        assert_eq!(rendered.value(Span::new(0, 5)).display(), "a…b");
    });
}

#[test]
fn what_cannot_be_read_is_no_lost_file() {
    for (template, shown, reason) in [
        ("a {% if on %}\n{{ name }}\n", "a …\n", "`{% endif %}` is missing"),
        ("{% odd %}\nb\n", "b\n", "`{% odd %}` is not understood"),
        ("{% if on or %}\nb\n{% endif %}", "b\n", "cannot be read"),
    ] {
        rendered(template, |rendered| {
            assert_eq!(rendered.text.text.replace(HOLE, "…"), shown);
            assert!(rendered.unread.as_ref().unwrap().contains(reason), "{:?}", rendered.unread);
        });
    }
    rendered("#jinja2: variable_start_string: '[['\n[[ name ]]\n", |rendered| {
        assert!(rendered.unread.as_ref().unwrap().contains("variable_start_string"));
    });
    for odd in ["{{", "{% raw %}", "#jinja2:", "{% for a in b %}", "{# a", "{% set x %}", "\u{F8FF}{{ \u{F8FF} }}"] {
        rendered(odd, |rendered| {
            assert_eq!(rendered.text.text.matches(HOLE).count(), rendered.holes.len(), "{odd}");
        });
    }
}

#[test]
fn spans_lead_back() {
    let template = "x={{ name }}\n{% for p in ports %}\nport {{ p }}\n{% endfor %}\n";
    rendered(template, |rendered| {
        let place = |needle: &str| {
            let at = rendered.text.text.rfind(needle).unwrap();
            rendered.text.span(Span::new(at, at + needle.len())).slice(template)
        };
        assert_eq!(place("web"), "{{ name }}");
        assert_eq!(place("port"), "port");
        assert_eq!(place("443"), "{{ p }}");
        assert_eq!(place("x=web"), "x={{ name }}");
    });
    with("", |ansible| {
        let turns = ansible.in_turns(&ansible.tasks[1], |turn| turn.render_argument("content"));
        let rendered = turns[0].as_ref().unwrap();
        assert_eq!(rendered.text.text, "one web\nport 80\nport 443\n");
        let place = |needle: &str| {
            let at = rendered.text.text.find(needle).unwrap();
            rendered.text.span(Span::new(at, at + needle.len())).slice(PLAYBOOK)
        };
        assert_eq!((place("one"), place("web"), place("443")), ("one", "{{ name }}", "{{ port }}"));
        let turns: Vec<String> = ansible.in_turns(&ansible.tasks[2], |turn| turn.argument("dest").display());
        assert_eq!(turns, ["/a", "/b"]);
    });
}
