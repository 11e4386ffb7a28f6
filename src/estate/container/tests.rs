use super::*;
use crate::model::ansible::{Ansible, Rendered};
use crate::model::load::{Documents, Options};
use crate::source::{File, Tree};
use crate::syntax::yaml::Yaml;
use crate::text::{FileId, Span};
use crate::value::{Data, Piece};
use std::sync::Arc;

fn place(span: Span) -> Loc {
    Loc { file: FileId(0), span }
}

fn compose(text: &str) -> Vec<Container> {
    let yaml = Yaml::parse(text);
    assert!(yaml.errors.is_empty(), "{:?}", yaml.errors);
    of_compose(yaml.root().unwrap(), &place, &Setting::unknown())
}

fn service(lines: &[&str]) -> Container {
    let text = lines.iter().fold("services:\n  db:\n".to_owned(), |text, line| text + "    " + line + "\n");
    compose(&text).remove(0)
}

/// `directory kind`, `ok kind`, `no data` or `? reason`.
fn keeps(container: &Container) -> String {
    let keeping = container.unmounted();
    match (&keeping.directory.kind, keeping.kind.as_str()) {
        (Kind::Unknown(reason), _) => format!("? {reason}"),
        (Kind::Known(_), Some(kind)) => format!("{} {kind}", keeping.directory.display()),
        (_, Some(kind)) => format!("ok {kind}"),
        _ => "no data".to_owned(),
    }
}

#[test]
fn databases_in_compose() {
    for (lines, expected) in [
        (&["image: postgres:16"] as &[&str], "/var/lib/postgresql/data none"),
        (&["image: postgres:16", "volumes: [pg:/var/lib/postgresql/data/]"], "ok named"),
        (&["image: postgres:16", "volumes: ['/srv/pg:/var/lib/postgresql']"], "ok bind"),
        (&["image: postgres:16", "volumes: ['./pg:/var/lib/postgresql/data']"], "ok relative-bind"),
        (&["image: postgres:16", "volumes: [/var/lib/postgresql/data]"], "/var/lib/postgresql/data anonymous"),
        (&["image: postgres:16", "tmpfs: /var/lib/postgresql/data"], "/var/lib/postgresql/data memory"),
        (
            &["image: postgres:16", "volumes: ['./init.sql:/docker-entrypoint-initdb.d/init.sql:ro']"],
            "/var/lib/postgresql/data none",
        ),
        (&["image: postgres:18", "volumes: [pg:/var/lib/postgresql/data]"], "/var/lib/postgresql none"),
        (&["image: postgres:18-alpine", "volumes: [pg:/var/lib/postgresql]"], "ok named"),
        (&["image: postgres", "volumes: [pg:/var/lib/postgresql/data]"], "ok named"),
        (&["image: 'postgres:${TAG}'", "volumes: [pg:/var/lib/postgresql]"], "ok named"),
        (&["image: postgres:16", "volumes: ['pg:/data']", "environment: {PGDATA: /data/pg}"], "ok named"),
        (&["image: postgres:16", "volumes: ['pg:/var/lib/postgresql/data']", "environment: [PGDATA=/pg]"], "/pg none"),
        (
            &["image: postgres:16", "volumes: ['pg:/data']", "env_file: .env"],
            "? its env_file may set more than the repository shows",
        ),
        (&["image: postgres:16", "env_file: .env"], "/var/lib/postgresql/data none"),
        (&["image: mysql:8.4", "volumes: ['db:/data']"], "/var/lib/mysql none"),
        (&["image: consul:1.15", "command: agent -bind=10.0.0.5"], "no data"),
        (&["image: consul:1.15", "command: agent -server -bind=10.0.0.5"], "/consul/data none"),
        (&["image: ghcr.io/ferretdb/postgres-documentdb:17-0.105"], "/var/lib/postgresql/data none"),
        (&["image: mysql:8.4", "volumes: ['db:/data']", "command: mysqld --datadir=/data"], "ok named"),
        (&["image: bitnami/postgresql:16", "volumes: ['db:/bitnami/postgresql']"], "ok named"),
        (&["image: bitnami/postgresql:16", "volumes: ['db:/var/lib/postgresql/data']"], "/bitnami/postgresql none"),
        (&["image: mongo:7", "volumes: ['${DIR}/mongo:/data/db']"], "ok bind"),
        (&["image: minio/minio:RELEASE.1", "command: server /export", "volumes: ['m:/export']"], "ok named"),
        (&["image: minio/minio:RELEASE.1", "command: server /export", "volumes: ['m:/data']"], "/export none"),
        (&["image: wordpress:6", "volumes: ['w:/var/www/html/wp-content']"], "ok named"),
        (
            &["image: smallstep/step-ca:1", "volumes: ['./ca:/etc/ca']", "environment: {STEPPATH: /etc/ca}"],
            "ok relative-bind",
        ),
        (&["image: smallstep/step-ca:1", "volumes: ['./a.json:/etc/ca/a.json']"], "/home/step none"),
        (&["image: nginx:1"], "no data"),
        (&["image: '${IMAGE}'"], "? the environment variable IMAGE is set outside the repository"),
        (
            &["image: postgres:16", "volumes: ['pg:${DIR}']"],
            "? the environment variable DIR is set outside the repository",
        ),
        (&["image: postgres:16", "volumes_from: [other]"], "? it takes its volumes from another container"),
        (
            &["image: postgres:16", "volumes: [{type: bind, source: ./a, target: /var/lib/postgresql/data}]"],
            "ok relative-bind",
        ),
        (
            &["image: postgres:16", "volumes: [{type: tmpfs, target: /var/lib/postgresql/data}]"],
            "/var/lib/postgresql/data memory",
        ),
        (
            &["image: postgres:16", "volumes: [{type: volume, target: /var/lib/postgresql/data}]"],
            "/var/lib/postgresql/data anonymous",
        ),
    ] {
        assert_eq!(keeps(&service(lines)), expected, "{lines:?}");
    }
}

#[test]
fn services_for_whose_end_others_wait() {
    let containers = compose(
        "services:\n  db:\n    image: postgres:18\n  bootstrap:\n    image: postgres:18\n    entrypoint: [bash, -c]\n    command: [psql --host postgres]\n    depends_on: {db: {condition: service_healthy}}\n  app:\n    image: me/app:1\n    depends_on: {bootstrap: {condition: service_completed_successfully}}\n",
    );
    let oneshot: Vec<&str> = containers.iter().filter(|own| own.oneshot()).map(|own| own.name.as_str()).collect();
    assert_eq!(oneshot, ["bootstrap"]);
}

#[test]
fn what_compose_shares() {
    let containers = compose(
        "x-common: &common\n  environment: {A: '1'}\n  volumes: [pg:/var/lib/postgresql/data]\nservices:\n  base:\n    image: postgres:16\n    volumes: [ram:/var/lib/postgresql/data]\n  merged:\n    <<: *common\n    image: postgres:${TAG:-17}\n  extended:\n    extends: base\n    profiles: [tools]\n  elsewhere:\n    extends: {file: other.yml, service: x}\n  own:\n    image: me/app\n    build: .\n  again:\n    image: me/app\n  web:\n    image: nginx\nvolumes:\n  ram:\n    driver_opts: {type: tmpfs, device: tmpfs}\n  pg:\n",
    );
    let by = |name: &str| containers.iter().find(|container| container.name == name).unwrap();
    assert_eq!(containers.len(), 7);
    assert_eq!(keeps(by("base")), "/var/lib/postgresql/data memory");
    assert_eq!(keeps(by("merged")), "ok named");
    assert_eq!((by("merged").image.as_str(), by("merged").variable("A").as_str()), (Some("postgres:17"), Some("1")));
    assert_eq!(keeps(by("extended")), "/var/lib/postgresql/data memory");
    assert!(by("extended").oneshot() && !by("base").oneshot());
    assert!(matches!(by("elsewhere").floating(), Tri::Unknown(_)));
    assert_eq!(
        (by("own").floating(), by("again").floating(), by("web").floating()),
        (Tri::False, Tri::False, Tri::True)
    );
    assert_eq!(compose("services: [a]\n").len() + compose("services:\n  a: {x: 1}\n").len(), 0);
}

#[test]
fn what_serves_and_what_ends() {
    for (lines, expected) in [
        (&["image: postgres:16", "command: pg_dump -h db app"] as &[&str], true),
        (
            &["image: postgres:16", "entrypoint: ['sh', '-c', 'until pg_isready; do sleep 1; done; psql -f /a.sql']"],
            true,
        ),
        (&["image: postgres:16", "command: postgres -c shared_buffers=1GB"], false),
        (&["image: postgres:16", "command: bash -c 'pg_basebackup -D /d && exec postgres'"], false),
        (&["image: postgres:16", "command: ['-c', 'max_connections=9']"], false),
        (&["image: mysql:8", "command: --default-authentication-plugin=mysql_native_password"], false),
        (&["image: redis:7", "command: redis-server --appendonly yes"], false),
    ] {
        assert_eq!(service(lines).oneshot(), expected, "{lines:?}");
    }
    let data = |lines: &[&str]| service(lines).data().display();
    assert_eq!(data(&["image: redis:7", "command: redis-server --appendonly yes"]), "authoritative");
    assert_eq!((data(&["image: redis:7"]), data(&["image: nginx:1"])), ("cache".to_owned(), "none".to_owned()));
    assert_eq!(data(&["image: '${R}/postgres:16'"]), "authoritative");
    assert!(service(&["image: '${X}'"]).data().reason().is_some());
}

/// What a task makes of a template, the variables of its play given.
fn with_rendered(template: &str, check: impl Fn(&Rendered)) {
    let play = "- hosts: all\n  vars: {tag: '16.4', docker: /usr/bin/docker}\n  tasks:\n    - template: {src: a.j2, dest: /a}\n";
    let files = [("site.yml", play), ("templates/a.j2", template)];
    let files = files.map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true));
    let tree = Tree::new(files.into(), None);
    let documents = Documents::load(&tree, &Options::default());
    let ansible = Ansible::build(&documents);
    let file = tree.find("templates/a.j2").unwrap();
    check(&ansible.in_turns(&ansible.tasks[0], |turn| turn.render_file(file))[0]);
}

#[test]
fn text_with_template_expressions() {
    let text = "{# stack #}\nservices:\n{% if db %}\n  db:\n    image: \"postgres:{{ v | default('16.4') }}\"\n    volumes:\n      - {{ dir }}/pg:/var/lib/postgresql/data\n{% for v in more %}\n      - {{ v }}\n{% endfor %}\n{% endif %}\n  {{ name }}-web:\n    image: {{ registry }}/web:latest\n    labels:\n      - \"a={% raw %}{{ .Name }}{% endraw %}\"\n  known:\n    image: postgres:{{ tag }}\n  cache:\n    image: mariadb:11.4{% if slim %}-slim{% endif %}\n\n    {{ extra | indent(4) }}\n";
    with_rendered(text, |rendered| {
        let containers = of_compose_text(rendered, &Setting::unknown());
        let names: Vec<&str> = containers.iter().map(|container| container.name.as_str()).collect();
        assert_eq!(names, ["db", "…-web", "known", "cache"]);
        assert_eq!(containers[0].image.as_str(), Some("postgres:16.4"));
        assert_eq!(keeps(&containers[0]), "ok bind");
        assert_eq!(containers[0].declaration.span.slice(text), "db");
        assert!(containers[0].image_place.span.slice(text).starts_with("\"postgres:{{ v"));
        assert_eq!(containers[1].floating(), Tri::True);
        assert_eq!(containers[1].image_place.span.slice(text), "{{ registry }}/web:latest");
        assert_eq!(containers[2].image.as_str(), Some("postgres:16.4"));
        assert_eq!(containers[2].image_place.span.slice(text), "postgres:{{ tag }}");
        assert_eq!(keeps(&containers[3]), "? a template adds to it");
    });
    with_rendered("a: {{ b }}\n", |rendered| assert!(of_compose_text(rendered, &Setting::unknown()).is_empty()));
    for odd in
        ["services:\n  a:\n    image: {{ x", "services:\n{% raw %}\n image:", "services:\n  image: {%", "services:\n{"]
    {
        with_rendered(odd, |rendered| assert!(of_compose_text(rendered, &Setting::unknown()).len() < 2, "{odd}"));
    }
}

#[test]
fn units_that_start_containers() {
    let text = "[Service]\nType=simple\nExecStartPre=-{{ docker }} rm pg\nExecStartPre={{ docker }} create --rm --name=pg \\\n\
                {% for arg in extra %}\n  {{ arg }} \\\n{% endfor %}\n  --mount type=bind,src={{ dir }},dst=/x \\\n\
                  docker.io/postgres:{{ tag }}\nExecStart={{ docker }} start --attach pg\n";
    with_rendered(text, |rendered| {
        let containers = of_unit(rendered, &Setting::unknown());
        let [own] = containers.as_slice() else { panic!("{containers:?}") };
        assert_eq!((own.name.as_str(), own.image.as_str()), ("pg", Some("docker.io/postgres:16.4")));
        assert_eq!(own.image_place.span.slice(text), "docker.io/postgres:{{ tag }}");
        assert_eq!((own.oneshot(), own.declared), (false, Declared::Command));
        // The arguments that are not known may mount anything.
        assert!(own.more_mounts.is_some() && keeps(own).starts_with('?'), "{}", keeps(own));
    });
    for (unit, expected) in [
        (
            "[Service]\nExecStart=/usr/bin/podman run --rm --name %N -v data:/var/lib/postgresql/data postgres:16\n",
            "… ok named",
        ),
        ("[Service]\nExecStart=/usr/bin/podman run --rm --name pg postgres:16\n", "pg /var/lib/postgresql/data none"),
        (
            "[Service]\nExecStart=/usr/bin/env A=b docker run --name pg postgres:16\n",
            "pg /var/lib/postgresql/data none",
        ),
        (
            "[Service]\nExecStart=/bin/sh -c 'docker rm -f pg; docker run --name \"pg\" postgres:16'\n",
            "pg /var/lib/postgresql/data none",
        ),
        ("[Service]\nExecStart={{ the_docker }} run --name pg postgres:16\n", "pg /var/lib/postgresql/data none"),
        ("[Service]\nExecStart={{ a }} run --name pg postgres:16\n", ""),
        (
            "[Service]\nExecStart=/usr/bin/docker run {{ options }} {{ image }}\n",
            "container ? `options` is not set in this repository",
        ),
        ("[Service]\nExecStart=/usr/bin/docker start pg\nExecStop=/usr/bin/docker run postgres:16\n", ""),
    ] {
        with_rendered(unit, |rendered| {
            let shown: Vec<String> = of_unit(rendered, &Setting::unknown())
                .iter()
                .map(|own| format!("{} {}", own.name, keeps(own)))
                .collect();
            assert_eq!(shown.join("; "), expected, "{unit}");
        });
    }
    let job = "[Service]\nType=oneshot\nExecStart=/usr/bin/docker run --rm postgres:16 backup\n";
    with_rendered(job, |rendered| assert!(of_unit(rendered, &Setting::unknown())[0].oneshot()));
}

#[test]
fn quadlet_units() {
    let text = "[Unit]\nAfter=x\n[Container]\nImage=docker.io/library/postgres:{{ tag }}\nEnvironment=A=b \"PGDATA=/data/{{ dir }}\"\n\
                Volume=old:/old\nVolume=\nVolume=pg.volume:/var/lib/postgresql/data:Z\nTmpfs=/run\nExec=postgres -c 'a b'\n";
    with_rendered(text, |rendered| {
        let own = of_quadlet(rendered, "db.container", &Setting::unknown()).unwrap();
        assert_eq!((own.name.as_str(), own.image.as_str()), ("db", Some("docker.io/library/postgres:16.4")));
        let mounts: Vec<String> = own.mounts.iter().map(|mount| mount.target.display()).collect();
        assert_eq!(mounts, ["/var/lib/postgresql/data", "/run"]);
        assert_eq!((own.variable("A").as_str(), own.variable("PGDATA").display()), (Some("b"), "/data/…".to_owned()));
        assert_eq!(own.command.as_ref().and_then(Value::as_list).map(|list| list.items.len()), Some(3));
        assert_eq!(own.declaration.span.slice(text), "docker.io/library/postgres:{{ tag }}");
    });
    for (unit, expected) in [
        ("Image=postgres:16", "db /var/lib/postgresql/data none"),
        ("Image=postgres:16\nContainerName=pg\nVolume=%h/pg:/var/lib/postgresql/data", "pg ok bind"),
        ("Image=postgres:16\nPodmanArgs=--memory 1g", "db ? it may mount more than its own settings say"),
        ("Image=postgres:16\n{{ mounts }}", "db ? a template adds to it"),
        ("Image=db.build", "db no data"),
        ("Image=db.image", "db ? another unit says which image it is"),
    ] {
        with_rendered(&format!("[Container]\n{unit}\n"), |rendered| {
            let own = of_quadlet(rendered, "db.container", &Setting::unknown()).unwrap();
            assert_eq!(format!("{} {}", own.name, keeps(&own)), expected, "{unit}");
        });
    }
    with_rendered("[Unit]\nImage=postgres\n", |rendered| {
        assert!(of_quadlet(rendered, "a.container", &Setting::unknown()).is_none());
    });
}

#[test]
fn definitions_in_playbooks() {
    let yaml = Yaml::parse(
        "services:\n  pg:\n    image: \"postgres:{{ v | default('16') }}\"\n    volumes: ['{{ dir }}:/var/lib/postgresql/data']\n    environment: '{{ env }}'\n  x:\n    image: '{{ image }}'\n",
    );
    let expression = |text: &str| if text == "image" { Value::known("nginx:1") } else { Value::absent() };
    let setting = Setting { expression: &expression, ..Setting::unknown() };
    let containers = of_definition(yaml.root().unwrap(), &place, &setting);
    assert_eq!((containers[0].image.as_str(), keeps(&containers[0])), (Some("postgres:16"), "ok bind".to_owned()));
    assert!(containers[0].more_environment.is_some());
    assert_eq!((containers[1].image.as_str(), containers[1].floating()), (Some("nginx:1"), Tri::False));
}

fn arguments(pairs: &[(&str, Value)]) -> Option<Container> {
    let get =
        |key: &str| pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone()).unwrap_or_default();
    of_arguments("docker_container", &get, Loc::default(), &Setting::unknown()).into_iter().next()
}

#[test]
fn ansible_tasks() {
    let image = || ("image", Value::known("postgres:16"));
    let list = |items: &[&str]| Value::list(items.iter().map(|item| Value::known(*item)).collect());
    assert_eq!(keeps(&arguments(&[image()]).unwrap()), "/var/lib/postgresql/data none");
    assert_eq!(keeps(&arguments(&[image(), ("volumes", list(&["pg:/var/lib/postgresql/data"]))]).unwrap()), "ok named");
    assert_eq!(
        keeps(&arguments(&[image(), ("volumes", Value::known("a:/b,pg:/var/lib/postgresql/data"))]).unwrap()),
        "ok named"
    );
    assert_eq!(
        keeps(&arguments(&[image(), ("tmpfs", list(&["/var/lib/postgresql/data:size=1g"]))]).unwrap()),
        "/var/lib/postgresql/data memory"
    );
    assert_eq!(keeps(&arguments(&[image(), ("volumes", Value::unknown("no default"))]).unwrap()), "? no default");
    let host = Value::text(vec![Piece::Hole("unset".into()), Piece::Lit(":/var/lib/postgresql/data".into())]);
    assert_eq!(keeps(&arguments(&[image(), ("volumes", Value::list(vec![host]))]).unwrap()), "ok bind");
    assert!(arguments(&[image(), ("state", Value::known("absent"))]).is_none() && arguments(&[]).is_none());
}

#[test]
fn terraform_resources() {
    let of = |image: &str, volume: Option<Vec<(&str, &str)>>| {
        let get = |key: &str| if key == "image" { Value::known(image) } else { Value::absent() };
        let map = |pairs: &Vec<(&str, &str)>| {
            Value::map(pairs.iter().map(|(key, value)| (Arc::from(*key), Value::known(Data::from(*value)))).collect())
        };
        let blocks = |name: &str| match (name, &volume) {
            ("volumes", Some(pairs)) => vec![(Loc::default(), map(pairs))],
            _ => Vec::new(),
        };
        of_resource(&get, &blocks, (Loc::default(), "pg"), &Setting::unknown()).unwrap()
    };
    let target = ("container_path", "/var/lib/postgresql/data");
    assert_eq!(keeps(&of("postgres:16", None)), "/var/lib/postgresql/data none");
    assert_eq!(keeps(&of("postgres:16", Some(vec![("host_path", "/srv/pg"), target]))), "ok bind");
    assert_eq!(keeps(&of("postgres:16", Some(vec![("volume_name", "pg"), target]))), "ok named");
    assert_eq!(keeps(&of("postgres:16", Some(vec![target]))), "/var/lib/postgresql/data anonymous");
    assert_eq!(keeps(&of("postgres:18", Some(vec![("volume_name", "pg"), target]))), "/var/lib/postgresql none");
    assert_eq!(of("postgres:16", None).name, "pg");
}

#[test]
fn docker_run() {
    let run = |text: &str| {
        of_run(&text.split(' ').map(Value::known).collect::<Vec<_>>(), Loc::default(), &Setting::unknown())
    };
    let own = run("docker run -d --name pg -e A=b -v /srv/pg:/var/lib/postgresql/data -p5432:5432 postgres:16 -c x=y")
        .unwrap();
    assert_eq!(
        (own.name.as_str(), own.image.as_str(), own.variable("A").as_str()),
        ("pg", Some("postgres:16"), Some("b"))
    );
    assert_eq!((keeps(&own), own.oneshot()), ("ok bind".to_owned(), false));
    assert!(run("podman run --rm postgres:16 pg_dump").unwrap().oneshot());
    assert_eq!(run("docker run -dit --mount=type=tmpfs,target=/x nginx").unwrap().floating(), Tri::True);
    assert!(run("docker ps").is_none() && run("docker").is_none() && run("docker run -d").is_none());
}
