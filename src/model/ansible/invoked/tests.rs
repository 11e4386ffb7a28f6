use super::*;
use crate::model::command;
use crate::model::load::Options;
use crate::source::{File, Tree};
use crate::value::{Data, Kind as Known};
use serde_json::{Map, Value as Json, json};

fn of_value(value: &Value) -> Json {
    match &value.kind {
        Known::Known(Data::Null) => Json::Null,
        Known::Known(Data::Bool(value)) => json!(value),
        Known::Known(Data::Number(value)) => json!(value),
        Known::Known(Data::Str(text)) => json!(&**text),
        Known::Known(Data::List(list)) => list.items.iter().map(of_value).collect(),
        Known::Known(Data::Map(map)) => {
            map.entries.iter().map(|(key, value)| (key.to_string(), of_value(value))).collect::<Map<_, _>>().into()
        }
        _ => json!(format!("?{}", value.display())),
    }
}

/// Numbers as floating ones.
fn even(value: &Json) -> Json {
    match value {
        Json::Number(number) => json!(number.as_f64()),
        Json::Array(items) => items.iter().map(even).collect(),
        Json::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), even(value))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// What `load_extra_vars` of ansible-core 2.19.14 makes of each; empty where it refuses.
#[test]
fn extra_variables_are_what_ansible_makes_of_them() {
    for (given, expected) in [
        ("a=1", r#"{"a": "1"}"#),
        ("a=1 b=two", r#"{"a": "1", "b": "two"}"#),
        (r#"a='x y' b="z w""#, r#"{"a": "x y", "b": "z w"}"#),
        ("a=true b=yes c=null d=1.5", r#"{"a": "true", "b": "yes", "c": "null", "d": "1.5"}"#),
        ("a=", r#"{"a": ""}"#),
        ("a=b=c", r#"{"a": "b=c"}"#),
        (r#"a="it is" b=1"#, r#"{"a": "it is", "b": "1"}"#),
        ("a={{ b }} b=2", r#"{"a": "{{ b }}", "b": "2"}"#),
        ("a='{{ b | default(3) }}'", r#"{"a": "{{ b | default(3) }}"}"#),
        (r#"{"a": 1, "b": [true, null, "x"]}"#, r#"{"a": 1, "b": [true, null, "x"]}"#),
        (r#"{"a": "1"}"#, r#"{"a": "1"}"#),
        ("{a: 1, b: yes, c: 'yes'}", r#"{"a": 1, "b": true, "c": "yes"}"#),
        (r#"{"a": 1e3}"#, r#"{"a": 1000.0}"#),
        ("{a: 1e3}", r#"{"a": "1e3"}"#),
        (r#"{"a": {"b": {"c": 2.5}}}"#, r#"{"a": {"b": {"c": 2.5}}}"#),
        (r#"{"a": "{{ 1 + 1 }}"}"#, r#"{"a": "{{ 1 + 1 }}"}"#),
        ("{a: 010, b: 0x10, c: 1_000}", r#"{"a": 8, "b": 16, "c": 1000}"#),
        ("word", r#"{"_raw_params": "word"}"#),
        ("a=1 word other", r#"{"a": "1", "_raw_params": "word other"}"#),
        (r"a\=b", r#"{"_raw_params": "a=b"}"#),
        (r"a=x\ty", r#"{"a": "x\ty"}"#),
        (r"a='x\'y'", r#"{"a": "x'y"}"#),
        (r"a=1\=2", r#"{"a": "1\\=2"}"#),
        ("a=1 a=2", r#"{"a": "2"}"#),
        (" a=1", r#"{"a": "1"}"#),
        ("a=[1,2]", r#"{"a": "[1,2]"}"#),
        (r#"a={"k":1}"#, r#"{"a": "{\"k\":1}"}"#),
        (r"a=\u0041", r#"{"a": "A"}"#),
        ("=a", r#"{"_raw_params": "=a"}"#),
        ("/a.yml", ""),
        ("./a.yml", ""),
        ("[1, 2]", ""),
        ("a=it's", ""),
        (r#"{"a": 1, "a": 2}"#, r#"{"a": 2}"#),
        ("{a: ~, b: 'x: y'}", r#"{"a": null, "b": "x: y"}"#),
        (r#"a="b"c"#, r#"{"a": "\"b\"c"}"#),
        (r#"a='' b="""#, r#"{"a": "", "b": ""}"#),
        ("a = 1", r#"{"_raw_params": "a = 1"}"#),
        ("x-y=1 x.y=2", r#"{"x-y": "1", "x.y": "2"}"#),
    ] {
        let loc = Loc { file: FileId(0), span: crate::text::Span::new(0, 0) };
        let found = extra::given(&Value::known(given), loc);
        let mut ours = Map::new();
        let mut refused = false;
        for extra in &found {
            match extra {
                Extra::Set { name, value, .. } => drop(ours.insert(name.clone(), of_value(value))),
                Extra::Open { .. } => refused = true,
            }
        }
        assert_eq!(refused, expected.is_empty(), "{given}: {found:?}");
        if !refused {
            let theirs: Json = serde_json::from_str(expected).unwrap();
            assert_eq!(even(&ours.into()), even(&theirs), "{given}");
        }
    }
}

const FILES: [(&str, &str); 20] = [
    ("site.yml", "- hosts: all\n- import_playbook: playbooks/web.yml\n"),
    ("playbooks/web.yml", "- hosts: web\n  tasks: []\n"),
    ("playbooks/db.yml", "- hosts: db\n  tasks: []\n"),
    ("ansible/site.yml", "- hosts: all\n"),
    ("ansible/ansible.cfg", "[defaults]\ninventory = hosts.ini, more\n"),
    ("ansible/hosts.ini", "[web]\nw1\n"),
    ("inventories/prod/hosts", "[web]\np1\n"),
    ("inventories/dev/hosts", "[web]\nd1\n"),
    ("inventories/dyn.py", "#!/usr/bin/env python\n"),
    ("vars/prod.yml", "size: 3\nname: prod\n"),
    ("vars/dev.yml", "size: 1\nname: dev\n"),
    ("vars/typed.json", "{\"a\": true}\n"),
    ("vars/secret.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n"),
    ("cfg/ansible.cfg", "[defaults]\ninventory = ../inventories/prod\n"),
    ("collections/ansible_collections/my/own/galaxy.yml", "namespace: my\nname: own\n"),
    ("collections/ansible_collections/my/own/playbooks/all.yml", "- hosts: all\n"),
    ("shared/common.yml", "a: 1\n"),
    ("local.yml", "- hosts: localhost\n"),
    ("scripts/keep.sh", "true\n"),
    ("ansible/scripts/keep.sh", "true\n"),
];

/// What a file of commands makes run, a line a way.
fn ways(path: &str, text: &str) -> Vec<String> {
    let mut files: Vec<File> =
        FILES.iter().map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true)).collect();
    files.retain(|file| &*file.path != path);
    files.push(File::in_memory(path, text.as_bytes().to_vec(), true));
    let tree = Tree::new(files, None);
    let documents = Documents::load(&tree, &Options::default());
    let commands = command::of_documents(&documents);
    let ansible = Ansible::run_by(&documents, &commands);
    let shown = ansible.invocations().flat_map(|(_, ways)| ways).map(|way| show(&tree, way));
    shown.collect()
}

fn show(tree: &Tree, way: &Invoked) -> String {
    let mut words = vec![format!("{}@{}", tree.path(way.playbook), way.folder)];
    words.extend(way.inventories.iter().map(|source| match source {
        Source::Path(path) => format!("-i {path}"),
        Source::Hosts(hosts) => format!("-i {},", hosts.iter().map(Value::display).collect::<Vec<_>>().join(",")),
        Source::Unknown(_) => "-i ?".to_owned(),
    }));
    words.extend(way.extra.iter().map(|extra| match extra {
        Extra::Set { name, value, .. } => format!("{name}={}", of_value(value)),
        Extra::Open { .. } => "-e ?".to_owned(),
    }));
    words.extend(way.limit.iter().map(|limit| format!("-l {}", limit.display())));
    words.extend(way.tags.iter().map(|tag| format!("+{}", tag.display())));
    words.extend(way.skip_tags.iter().map(|tag| format!("-{}", tag.display())));
    words.extend(way.start_at.iter().map(|task| format!("from {}", task.display())));
    words.extend(way.connection.iter().map(|connection| format!("by {}", connection.display())));
    words.extend(way.user.iter().map(|user| format!("as {}", user.display())));
    words.extend(way.check.then(|| "check".to_owned()));
    words.extend(way.becomes.then(|| "become".to_owned()));
    words.extend(way.open.iter().map(|_| "open".to_owned()));
    words.join(" ")
}

/// Command lines, and what each makes run, a line a way.
const LINES: &[(&str, &[&str])] = &[
    ("ansible-playbook playbooks/db.yml", &["playbooks/db.yml@ -i ?"]),
    (
        "ansible-playbook site.yml -i inventories/prod",
        &["playbooks/web.yml@ -i inventories/prod", "site.yml@ -i inventories/prod"],
    ),
    (
        "ansible-playbook playbooks/db.yml playbooks/web.yml -C",
        &["playbooks/db.yml@ -i ? check", "playbooks/web.yml@ -i ? check"],
    ),
    ("cd ansible && ansible-playbook site.yml", &["ansible/site.yml@ansible -i ansible/hosts.ini -i ?"]),
    ("(cd ansible; ansible-playbook -i a,b, site.yml)", &["ansible/site.yml@ansible -i a,b,"]),
    ("ansible-playbook -i \"$IP,\" playbooks/db.yml", &["playbooks/db.yml@ -i an unknown value,"]),
    ("ansible-playbook -i localhost, -c local playbooks/db.yml", &["playbooks/db.yml@ -i localhost, by local"]),
    (
        "ansible-playbook -i inventories/prod/hosts -i inventories/dyn.py playbooks/db.yml",
        &["playbooks/db.yml@ -i inventories/prod/hosts -i inventories/dyn.py"],
    ),
    ("ansible-playbook --inventory-file=/etc/ansible/hosts playbooks/db.yml", &["playbooks/db.yml@ -i ?"]),
    (
        "ansible-playbook -i x, playbooks/db.yml -e @vars/prod.yml -e size=4",
        &["playbooks/db.yml@ -i x, size=3.0 name=\"prod\" size=\"4\""],
    ),
    (
        "ansible-playbook -i x, playbooks/db.yml -e @vars/typed.json --extra-vars '{\"b\": [1]}'",
        &["playbooks/db.yml@ -i x, a=true b=[1.0]"],
    ),
    ("ansible-playbook -i x, playbooks/db.yml -e @vars/secret.yml", &["playbooks/db.yml@ -i x, -e ?"]),
    ("ansible-playbook -i x, playbooks/db.yml -e @/tmp/x.yml", &["playbooks/db.yml@ -i x, -e ?"]),
    (
        "ansible-playbook -i x, playbooks/db.yml -e \"a=$A b=2\"",
        &["playbooks/db.yml@ -i x, a=\"?an unknown value\" b=\"2\""],
    ),
    ("ansible-playbook -i x, playbooks/db.yml -e \"$VARS\"", &["playbooks/db.yml@ -i x, -e ?"]),
    ("A=1\nansible-playbook -i x, playbooks/db.yml -e \"a=$A\"", &["playbooks/db.yml@ -i x, a=\"1\""]),
    (
        "ansible-playbook -i inventories/$ENV -e @vars/$ENV.yml -e env=$ENV playbooks/db.yml",
        &[
            "playbooks/db.yml@ -i inventories/dev size=1.0 name=\"dev\" env=\"dev\"",
            "playbooks/db.yml@ -i inventories/prod size=3.0 name=\"prod\" env=\"prod\"",
        ],
    ),
    ("ansible-playbook -i x, playbooks/$1.yml", &["playbooks/db.yml@ -i x,", "playbooks/web.yml@ -i x,"]),
    (
        "for p in db web; do ansible-playbook -i x, playbooks/$p.yml; done",
        &["playbooks/db.yml@ -i x,", "playbooks/web.yml@ -i x,"],
    ),
    (
        "ansible-playbook -i x, playbooks/db.yml -l 'web:!w1' -t a,b --skip-tags c -bK -u root",
        &["playbooks/db.yml@ -i x, -l web:!w1 +a +b -c as root become"],
    ),
    (
        "ansible-playbook -i x, playbooks/db.yml --start-at-task 'a b' --limit @db.retry",
        &["playbooks/db.yml@ -i x, -l @db.retry from a b"],
    ),
    ("ansible-playbook -i x, playbooks/db.yml --syntax-check", &[]),
    ("ansible-playbook -i x, playbooks/db.yml --list-hosts", &[]),
    ("ansible-playbook -i x, playbooks/db.yml \"$@\"", &["playbooks/db.yml@ -i x, open"]),
    ("ANSIBLE_INVENTORY=inventories/dev ansible-playbook playbooks/db.yml", &["playbooks/db.yml@ -i inventories/dev"]),
    (
        "export ANSIBLE_CONFIG=cfg/ansible.cfg\nansible-playbook playbooks/db.yml",
        &["playbooks/db.yml@ -i inventories/prod"],
    ),
    ("ANSIBLE_CONFIG=/x/ansible.cfg ansible-playbook playbooks/db.yml", &["playbooks/db.yml@ -i ?"]),
    ("poetry run ansible-playbook -i x, playbooks/db.yml", &["playbooks/db.yml@ -i x,"]),
    (
        "sudo -E env ANSIBLE_INVENTORY=inventories/dev python3 -m ansible playbook playbooks/db.yml",
        &["playbooks/db.yml@ -i inventories/dev"],
    ),
    (
        "docker run -v $PWD:/w -w /w image ansible-playbook -i /w/inventories/prod /w/playbooks/db.yml",
        &["playbooks/db.yml@ -i inventories/prod"],
    ),
    ("ssh host 'cd /srv/x && ansible-playbook -i x, playbooks/db.yml'", &["playbooks/db.yml@ -i x,"]),
    ("ansible-playbook -i x, my.own.all", &["collections/ansible_collections/my/own/playbooks/all.yml@ -i x,"]),
    ("ansible-navigator run playbooks/db.yml -m stdout --eei image -i x,", &["playbooks/db.yml@ -i x,"]),
    ("ansible-pull -U https://x/y -C main", &["local.yml@ -i localhost,"]),
    (
        "ansible-playbook -i x, -e @shared/common.yml -e @shared/$FILE playbooks/db.yml",
        &["playbooks/db.yml@ -i x, a=1.0 -e ?"],
    ),
    ("ansible-playbook missing.yml", &[]),
    ("ansible-playbook web.yml -i x,", &["playbooks/web.yml@playbooks -i x,"]),
    ("ansible-playbook \"$PLAYBOOK\"", &[]),
    ("cd \"$(dirname \"$0\")/..\"\nansible-playbook -i x, playbooks/db.yml", &["playbooks/db.yml@ -i x,"]),
];

#[test]
fn command_lines() {
    let mut wrong = Vec::new();
    for (line, expected) in LINES {
        let found = ways("run.sh", line);
        wrong.extend((found != *expected).then(|| format!("{line}\n  {found:#?}, not {expected:#?}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn places_of_commands() {
    let db = &["playbooks/db.yml@ -i x,"][..];
    for (path, text, expected) in [
        ("scripts/keep.sh", "ansible-playbook -i x, playbooks/db.yml", db),
        (
            "ansible/scripts/keep.sh",
            "ansible-playbook site.yml",
            &["ansible/site.yml@ansible -i ansible/hosts.ini -i ?"],
        ),
        (
            "Makefile",
            "ENV ?= dev\na:\n\tcd ansible && ls\n\tansible-playbook -i inventories/$(ENV) -e env=$(ENV) playbooks/db.yml\n",
            &["playbooks/db.yml@ -i inventories/dev env=\"dev\"", "playbooks/db.yml@ -i inventories/prod env=\"prod\""],
        ),
        (
            ".github/workflows/a.yml",
            "on: push\njobs:\n  a:\n    env: {ANSIBLE_INVENTORY: 'hosts.ini'}\n    steps:\n      - run: ansible-playbook site.yml\n        working-directory: ansible\n      - run: ansible-playbook -i x, playbooks/db.yml\n",
            &["ansible/site.yml@ansible -i ansible/hosts.ini", "playbooks/db.yml@ -i x,"],
        ),
        (
            "justfile",
            "env := \"prod\"\ndeploy:\n    ansible-playbook -i inventories/{{ env }} playbooks/db.yml\n",
            &["playbooks/db.yml@ -i inventories/prod"],
        ),
        ("Makefile", "a:\n\tansible-playbook -i x, web.yml\n", &[]),
        (
            "Makefile",
            "a:\n\tcd $(shell pwd)/$(X) && ansible-playbook -i x, web.yml\n",
            &["playbooks/web.yml@playbooks -i x,"],
        ),
        ("package.json", "{\"scripts\": {\"deploy\": \"ansible-playbook -i x, playbooks/db.yml\"}}", db),
    ] {
        assert_eq!(ways(path, text), expected, "{text}");
    }
}

#[test]
fn the_last_one_wins_and_inventories_are_merged() {
    let text =
        "ansible-playbook playbooks/db.yml -i inventories/prod -i x, -i \"$MORE\" -e a=1 -e \"$V\" -e b=1 -e b=2\n";
    let files = FILES.into_iter().chain([("run.sh", text)]);
    let tree =
        Tree::new(files.map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true)).collect(), None);
    let documents = Documents::load(&tree, &Options::default());
    let commands = command::of_documents(&documents);
    let ansible = Ansible::run_by(&documents, &commands);
    let [way] = ansible.invoked(tree.find("playbooks/db.yml").unwrap()) else { panic!("one command runs it") };
    assert_eq!(way.extra("b").and_then(|value| value.as_str().map(str::to_owned)).as_deref(), Some("2"));
    assert!(way.extra("a").unwrap().reason().unwrap().contains("`V`"), "it may be set again");
    let inventory = ansible.inventory_of(way).unwrap();
    let hosts: Vec<&str> = inventory.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(hosts, ["p1", "x"]);
    assert!(inventory.open().unwrap().contains("`MORE`"));
    assert_eq!(tree.slice(way.loc), text.trim_end());
}
