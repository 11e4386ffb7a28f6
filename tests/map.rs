//! `stateward map`: what it draws of a project, in every form.

mod support;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const VIOLATING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/platform/violating");

fn map(folder: &str, format: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_stateward"))
        .args(["map", folder, "--format", format, "--color", "never"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(folder: &str) -> Value {
    serde_json::from_str(&map(folder, "json")).unwrap()
}

#[test]
fn the_tree_of_a_platform() {
    insta::assert_snapshot!(map(VIOLATING, "text"));
}

#[test]
fn every_link_and_verdict_holds() {
    let map = json(VIOLATING);
    let objects = map["objects"].as_array().unwrap();
    let ids: BTreeSet<&str> = objects.iter().filter_map(|object| object["id"].as_str()).collect();
    assert_eq!(ids.len(), objects.len(), "ids are unique");
    for link in map["links"].as_array().unwrap() {
        assert!(ids.contains(link["from"].as_str().unwrap()) && ids.contains(link["to"].as_str().unwrap()), "{link}");
    }
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for object in objects {
        *counted.entry(object["verdict"].as_str().unwrap()).or_default() += 1;
    }
    for (verdict, count) in map["summary"]["verdicts"].as_object().unwrap() {
        assert_eq!(counted.get(verdict.as_str()).copied().unwrap_or(0), count.as_u64().unwrap(), "{verdict}");
    }
    assert!(counted.get("lost").is_some_and(|count| *count > 0), "the platform loses data: {counted:?}");
}

/// What a container keeps on a mount from elsewhere outlives its host, and what it keeps beside that does not.
#[test]
fn containers_on_mounts_from_elsewhere() {
    let folder = support::Folder::new(&[
        (".stateward.yaml", "root: true\n"),
        (
            "main.tf",
            "resource \"proxmox_lxc\" \"db\" {\n  hostname = \"db-1\"\n  rootfs {\n    size = \"8G\"\n  }\n}\n",
        ),
        (
            "site.yml",
            "- hosts: db-1\n  tasks:\n    - ansible.posix.mount: {path: /srv, src: 'nas:/export', fstype: nfs, state: mounted}\n    \
             - community.docker.docker_container: {name: far, image: 'postgres:16.4', volumes: ['/srv/pg:/var/lib/postgresql/data']}\n    \
             - community.docker.docker_container: {name: near, image: 'mariadb:11.4', volumes: ['/srvdata:/var/lib/mysql']}\n",
        ),
    ]);
    let map = folder.run(&["map", "--format", "json"]).json();
    let objects = map["objects"].as_array().unwrap();
    let verdict = |name: &str| &objects.iter().find(|object| object["name"] == name).unwrap()["verdict"];
    assert_eq!((verdict("far"), verdict("near"), verdict("db-1")), (&"kept".into(), &"lost".into(), &"lost".into()));
    let host = objects.iter().find(|object| object["name"] == "db-1").unwrap();
    let kinds: Vec<&Value> = host["storage"].as_array().unwrap().iter().map(|storage| &storage["kind"]).collect();
    assert_eq!(kinds, ["root", "remote"]);
}

/// A project: `(path, text)` of each file; the map of it.
fn of(files: &[(&str, &str)]) -> Value {
    let files: Vec<(&str, &str)> = [(".stateward.yaml", "root: true\n")].iter().chain(files).copied().collect();
    let run = support::Folder::new(&files).run(&["map", "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    run.json()
}

fn ids(map: &Value) -> Vec<&str> {
    map["objects"].as_array().unwrap().iter().filter_map(|object| object["id"].as_str()).collect()
}

fn object<'m>(map: &'m Value, id: &str) -> &'m Value {
    map["objects"].as_array().unwrap().iter().find(|object| object["id"] == id).unwrap_or_else(|| panic!("{id}"))
}

const DB: &str = "resource \"proxmox_lxc\" \"db\" {\n  hostname = \"db-1\"\n  network {\n    name = \"eth0\"\n    ip = \"10.0.1.5/24\"\n  }\n}\n";

/// One name in two projects is two hosts where their addresses differ, and one where they do not.
#[test]
fn namesakes_of_two_projects() {
    let play = "- name: Databases\n  hosts: db-1\n  tasks: [{ansible.builtin.debug: {msg: hello}}]\n";
    let with = |address: &str| {
        let far = format!("[db]\ndb-1 ansible_host={address}\n");
        of(&[
            ("shop/terraform/main.tf", DB),
            ("shop/ansible/inventory/hosts.ini", "[db]\ndb-1 ansible_host=10.0.1.5\n"),
            ("shop/ansible/site.yml", play),
            ("blog/ansible/inventory/hosts.ini", &far),
            ("blog/ansible/site.yml", play),
        ])
    };
    let owners = |map: &Value, id: &str| {
        let owners = object(map, id)["owners"].as_array().unwrap().iter();
        owners.map(|owner| owner["place"]["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (machine, host) = ("terraform:shop/terraform:proxmox_lxc.db", "ansible:blog/ansible/inventory:db-1");
    let two = with("10.0.2.5");
    assert_eq!(ids(&two), [host, machine]);
    assert_eq!(owners(&two, host), ["blog/ansible/site.yml"]);
    assert_eq!(owners(&two, machine), ["shop/terraform/main.tf", "shop/ansible/site.yml"]);
    let one = with("10.0.1.5");
    assert_eq!(ids(&one), [machine]);
    assert_eq!(owners(&one, machine), ["shop/terraform/main.tf", "blog/ansible/site.yml", "shop/ansible/site.yml"]);
}

/// Several projects list a host that nothing here makes: it is drawn once where name and address are the same.
#[test]
fn a_host_that_two_projects_list() {
    let listed = |address: &str| format!("[dns]\nns1 ansible_host={address}\n");
    let play = "- hosts: dns\n  tasks: [{ansible.builtin.debug: {msg: hello}}]\n";
    for (second, expected) in [("10.0.0.2", 1), ("10.0.0.3", 2)] {
        let map = of(&[
            ("patching/inventory/hosts.ini", &listed("10.0.0.2")),
            ("patching/site.yml", play),
            ("logging/inventory/hosts.ini", &listed(second)),
            ("logging/site.yml", play),
        ]);
        assert_eq!(ids(&map).len(), expected, "{second}");
        let plays = map["objects"][0]["owners"].as_array().unwrap().len();
        assert_eq!(plays, if expected == 1 { 2 } else { 1 }, "{second}");
    }
}

/// A private address says less than a name: each project's test network has its own `.2`; `hosts` need not be called so.
#[test]
fn private_addresses_of_two_projects() {
    let play = |group: &str| format!("- hosts: {group}\n  tasks: [{{ansible.builtin.debug: {{msg: hello}}}}]\n");
    for (address, second, expected) in
        [("192.168.56.2", "web", 1), ("192.168.56.2", "db", 2), ("198.51.100.2", "db", 1)]
    {
        let listed = |group: &str| format!("# vagrant\n[{group}]\n{address}\n");
        let map = of(&[
            ("patching/staging", &listed("web")),
            ("patching/site.yml", &play("web")),
            ("logging/inventory", &listed(second)),
            ("logging/site.yml", &play(second)),
        ]);
        assert_eq!(ids(&map).len(), expected, "{address} {second}");
        let plays = map["objects"][0]["owners"].as_array().unwrap().len();
        assert_eq!(plays, if expected == 1 { 2 } else { 1 }, "{address} {second}");
    }
}

/// An inventory of so many hosts.
fn inventory(number: usize) -> String {
    (1..=number).fold("[app]\n".to_owned(), |text, nth| text + &format!("app-{nth} ansible_host=10.0.0.{nth}\n"))
}

/// What a play on all hosts brings is not said to be on each host of a larger inventory.
#[test]
fn plays_on_all_hosts() {
    let play = "- hosts: all\n  tasks:\n    - ansible.builtin.apt: {name: postgresql}\n";
    for (number, verdict, confidence) in [(3, "unknown", "high"), (9, "no-data", "low")] {
        let hosts = inventory(number);
        let map = of(&[("inventory/hosts.ini", &hosts), ("site.yml", play)]);
        let host = object(&map, "ansible:inventory:app-1");
        assert_eq!((&host["verdict"], &host["owners"][0]["confidence"]), (&verdict.into(), &confidence.into()));
    }
}

/// What is found at a mount or an image of a container, or at a volume of a machine, is shown with it.
#[test]
fn findings_stand_at_their_objects() {
    let map = json(VIOLATING);
    let rules = |id: &str| {
        let found = object(&map, id)["findings"].as_array().unwrap().iter();
        found.map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(rules("container:compose/wiki/compose.yml:db").contains(&"data-path-mismatch".to_owned()));
    assert!(!rules("container:compose/wiki/compose.yml:wiki").contains(&"data-path-mismatch".to_owned()));
    let lab = object(&map, "terraform:terraform/envs/prod:proxmox_lxc.lab");
    assert!(rules("terraform:terraform/envs/prod:proxmox_lxc.lab").contains(&"container-owned-data-volume".to_owned()));
    assert_eq!((&lab["verdict"], &lab["data"][0]["path"]), (&"lost".into(), &"/var/lib/mysql".into()));
}

/// What is found in a play or task is shown with the hosts on which that runs, and not with those where others do.
#[test]
fn findings_stand_at_the_hosts_that_their_place_reaches() {
    let play = "- hosts: db\n  tasks:\n    - community.docker.docker_container: {name: pg, image: 'postgres:16.4'}\n    \
                - community.docker.docker_container: {name: other, image: 'mariadb:11.4'}\n      delegate_to: elsewhere\n\
                - hosts: web\n  tasks:\n    - community.docker.docker_container: {name: site, image: 'nginx:1.27'}\n";
    let map = of(&[("hosts.ini", "[db]\ndb-1\ndb-2\n[web]\nweb-1\n"), ("site.yml", play)]);
    let lines = |name: &str| -> Vec<u64> {
        let found = object(&map, &format!("ansible::{name}"))["findings"].as_array().unwrap().iter();
        let found = found.filter(|finding| finding["rule"] == "data-image-without-volume");
        found.map(|finding| finding["place"]["line"].as_u64().unwrap()).collect()
    };
    let none: Vec<u64> = Vec::new();
    assert_eq!((lines("db-1"), lines("db-2"), lines("web-1")), (vec![3], vec![3], none));
}

/// Releases of Helm hold data when their chart is a data service; what becomes of it, their values say or nobody.
#[test]
fn releases_of_helm() {
    let terraform = "resource \"helm_release\" \"ledger\" {\n  name = \"ledger\"\n  chart = \"oci://registry-1.docker.io/bitnamicharts/postgresql\"\n  \
        values = [yamlencode({ primary = { persistence = { enabled = false } } })]\n}\n\
        resource \"helm_release\" \"queue\" {\n  name = \"queue\"\n  chart = \"rabbitmq\"\n  repository = \"https://charts.bitnami.com/bitnami\"\n  \
        set {\n    name = \"persistence.size\"\n    value = \"8Gi\"\n  }\n}\n\
        resource \"helm_release\" \"racks\" {\n  name = \"racks\"\n  chart = \"netbox\"\n  \
        values = [yamlencode({ persistence = { enabled = false } })]\n}\n\
        resource \"helm_release\" \"ingress\" {\n  name = \"ingress\"\n  chart = \"ingress-nginx\"\n}\n";
    let play = "- hosts: localhost\n  connection: local\n  tasks:\n    - kubernetes.core.helm:\n        name: shop\n        chart_ref: bitnami/mariadb\n        \
        release_namespace: shop\n        values:\n          primary:\n            persistence: {existingClaim: shop-data}\n    \
        - kubernetes.core.helm: {name: old, chart_ref: bitnami/mongodb, release_namespace: shop, state: absent}\n";
    let flux = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: events\nspec:\n  interval: 1h\n  chart:\n    spec:\n      \
        chart: mongodb\n      sourceRef: {kind: HelmRepository, name: bitnami}\n  values:\n    persistence:\n      enabled: true\n";
    let repository = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata:\n  name: bus\nspec:\n  \
        url: oci://registry-1.docker.io/bitnamicharts/nats\n";
    let referring = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: bus\nspec:\n  \
        chartRef: {kind: OCIRepository, name: bus}\n  values:\n    config: {jetstream: {enabled: true}}\n    persistence: {enabled: false}\n";
    let patch = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: patched\nspec:\n  values: {replicas: 2}\n";
    let map = of(&[
        ("main.tf", terraform),
        ("site.yml", play),
        ("apps/events.yaml", flux),
        ("apps/bus/repository.yaml", repository),
        ("apps/bus/release.yaml", referring),
        ("overlays/patch.yaml", patch),
    ]);
    let objects = map["objects"].as_array().unwrap();
    let told = |name: &str| {
        let own = objects.iter().find(|object| object["name"] == name).unwrap_or_else(|| panic!("{name}: {map}"));
        let datum = &own["data"][0];
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        [&own["kind"], &own["owners"][0]["tool"], &own["verdict"], &datum["service"], &datum["storage"]].map(text)
    };
    for (name, expected) in [
        ("ledger", ["helm-release", "terraform", "lost", "PostgreSQL", "anonymous"]),
        ("queue", ["helm-release", "terraform", "unknown", "RabbitMQ", "-"]),
        ("racks", ["helm-release", "terraform", "unknown", "NetBox", "-"]),
        ("ingress", ["helm-release", "terraform", "no-data", "-", "-"]),
        ("shop", ["helm-release", "ansible", "kept", "MariaDB", "managed"]),
        ("events", ["helm-release", "flux", "unknown", "MongoDB", "managed"]),
        ("bus", ["helm-release", "flux", "lost", "NATS", "anonymous"]),
    ] {
        assert_eq!(told(name), expected, "{name}");
    }
    for name in ["old", "patched"] {
        assert!(!objects.iter().any(|object| object["name"] == name), "{name} is no release here");
    }
}

/// Units that a play copies, and pods that it plays, run on the hosts of the play; what nothing brings there does not.
#[test]
fn units_and_pods_run_where_plays_bring_them() {
    let unit = |image: &str| {
        format!("[Container]\nImage={image}\nVolume=data.volume:/var/lib/data\n[Install]\nWantedBy=default.target\n")
    };
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ pod_name }}\nspec:\n  containers:\n    - name: db\n      image: docker.io/library/mariadb:11.4\n      \
               volumeMounts: [{mountPath: /var/lib/mysql, name: data}]\n  volumes:\n    - name: data\n      persistentVolumeClaim: {claimName: shop}\n";
    let play = "- hosts: db-1\n  vars: {pod_name: shop}\n  tasks:\n    - ansible.builtin.copy: {src: ledger.container, dest: /etc/containers/systemd/}\n    \
                - ansible.builtin.template: {src: shop.yml.j2, dest: /opt/shop/shop.yml}\n    \
                - containers.podman.podman_play: {kube_file: /opt/shop/shop.yml, state: started}\n    \
                - ansible.builtin.template: {src: wiki.yml.j2, dest: /opt/wiki/wiki.yml}\n    \
                - ansible.builtin.command: podman kube play --replace /opt/wiki/wiki.yml\n    \
                - ansible.builtin.template: {src: blog.yml.j2, dest: /opt/blog/blog.yml}\n    \
                - ansible.builtin.command: podman play kube /opt/blog/blog.yml\n    \
                - ansible.builtin.template: {src: other.yml.j2, dest: /opt/other/other.yml}\n    \
                - containers.podman.podman_play: {kube_file: /srv/elsewhere.yml, state: started}\n";
    let pods = |name: &str| pod.replace("{{ pod_name }}", name);
    let (wiki, blog, other) = (pods("wiki"), pods("blog"), pods("other"));
    let map = of(&[
        (
            "main.tf",
            "resource \"proxmox_lxc\" \"db\" {\n  hostname = \"db-1\"\n  rootfs {\n    size = \"8G\"\n  }\n}\n",
        ),
        ("site.yml", play),
        ("files/ledger.container", &unit("docker.io/library/postgres:16.4")),
        ("files/idle.container", &unit("docker.io/library/postgres:16.4")),
        ("templates/shop.yml.j2", pod),
        ("templates/wiki.yml.j2", &wiki),
        ("templates/blog.yml.j2", &blog),
        ("templates/other.yml.j2", &other),
    ]);
    let runs = |name: &str| {
        let ends =
            |link: &&Value| link["kind"] == "runs-on" && link["from"].as_str().unwrap().ends_with(&format!(":{name}"));
        map["links"].as_array().unwrap().iter().filter(ends).count()
    };
    assert_eq!(["ledger", "shop", "wiki", "blog", "idle", "other"].map(runs), [1, 1, 1, 1, 0, 0]);
    let host = object(&map, "terraform::proxmox_lxc.db")["data"].as_array().unwrap();
    let held: BTreeSet<&str> = host.iter().map(|datum| datum["service"].as_str().unwrap()).collect();
    assert_eq!(held, BTreeSet::from(["MariaDB", "PostgreSQL"]), "{host:?}");
}

/// Names that an inventory or a task writes down again are told, with whether Terraform gives the same; a second name for a machine is none.
#[test]
fn names_that_are_written_again() {
    let machine = |label: &str, name: &str, ip: &str| {
        format!(
            "resource \"proxmox_lxc\" \"{label}\" {{\n  hostname = \"{name}\"\n  network {{\n    name = \"eth0\"\n    ip = \"{ip}/24\"\n  }}\n}}\n"
        )
    };
    let all = [
        machine("db", "prod-db-01", "10.0.0.5"),
        machine("web", "web-1", "10.0.0.6"),
        machine("mail", "mail-1", "10.0.0.7"),
    ];
    let hosts = "[all]\ndb ansible_host=10.0.0.5\nweb-1 ansible_host=10.0.0.6\nledger ansible_host=10.0.0.7\n";
    let play = "- hosts: web-1\n  tasks:\n    - ansible.builtin.hostname: {name: front-1}\n";
    let map = of(&[("main.tf", &all.concat()), ("inventory/hosts.ini", hosts), ("site.yml", play)]);
    let names = |label: &str| -> Vec<(String, String, bool)> {
        let object = object(&map, &format!("terraform::proxmox_lxc.{label}"));
        let said = object["identity"].as_array().unwrap().iter().filter(|said| said["attribute"] == "name");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        said.map(|said| (text(&said["variable"]), text(&said["value"]), said["agrees"] == true)).collect()
    };
    let said = |variable: &str, value: &str, agrees| (variable.to_owned(), value.to_owned(), agrees);
    assert_eq!(names("db"), []);
    assert_eq!(names("web"), [said("host", "web-1", true), said("hostname", "front-1", false)]);
    assert_eq!(names("mail"), [said("host", "ledger", false)]);
}

/// A volume hangs on the one machine of `for_each` that it names.
#[test]
fn attachments_name_their_instance() {
    let map = of(&[(
        "main.tf",
        "resource \"hcloud_server\" \"node\" {\n  for_each = toset([\"a\", \"b\", \"c\"])\n  name = each.key\n}\n\
         resource \"hcloud_volume\" \"data\" {\n  name = \"data\"\n  size = 10\n  server_id = hcloud_server.node[\"b\"].id\n}\n",
    )]);
    let links: Vec<(&str, &str)> = map["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| (link["from"].as_str().unwrap(), link["to"].as_str().unwrap()))
        .collect();
    assert_eq!(links, [("terraform::hcloud_volume.data", "terraform::hcloud_server.node[\"b\"]")]);
    let disks = |key: &str| {
        let id = format!("terraform::hcloud_server.node[\"{key}\"]");
        object(&map, &id)["storage"].as_array().unwrap().len()
    };
    assert_eq!((disks("a"), disks("b"), disks("c")), (1, 2, 1));
}

/// Who sets a machine up when its own declaration does not: a provisioner elsewhere, or a first boot that another resource holds.
#[test]
fn who_sets_a_machine_up_from_elsewhere() {
    let map = of(&[(
        "main.tf",
        "resource \"digitalocean_droplet\" \"video\" {\n  name = \"video\"\n}\n\
         resource \"null_resource\" \"setup\" {\n  connection {\n    host = digitalocean_droplet.video.ipv4_address\n  }\n  \
         provisioner \"remote-exec\" {\n    inline = [\"apt-get update\"]\n  }\n}\n\
         resource \"digitalocean_droplet\" \"idle\" {\n  name = \"idle\"\n}\n\
         resource \"libvirt_cloudinit_disk\" \"init\" {\n  name = \"init.iso\"\n  user_data = var.user_data\n}\n\
         resource \"libvirt_domain\" \"guest\" {\n  name = \"guest\"\n  cloudinit = libvirt_cloudinit_disk.init.id\n}\n",
    )]);
    let by = |id: &str| -> Vec<String> {
        let owners = object(&map, &format!("terraform::{id}"))["owners"].as_array().unwrap().iter();
        let does = owners.filter(|owner| owner["does"] == "configures");
        does.map(|owner| owner["what"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(by("digitalocean_droplet.video"), ["provisioner of null_resource.setup"]);
    assert_eq!(by("digitalocean_droplet.idle"), [""; 0]);
    assert_eq!(by("libvirt_domain.guest"), ["first boot (user data)"]);
}

/// Two calls of one module make two machines that first boots set up alike.
#[test]
fn first_boots_of_a_module_that_is_called_twice() {
    let call = |name: &str| format!("module \"{name}\" {{\n  source = \"./server\"\n  name = \"{name}\"\n}}\n");
    let server = "variable \"name\" {}\nresource \"hcloud_server\" \"this\" {\n  name = var.name\n  \
                  user_data = \"#!/bin/sh\\napt-get install -y nginx\\n\"\n}\n";
    let map = of(&[("main.tf", &format!("{}{}", call("blue"), call("green"))), ("server/main.tf", server)]);
    for name in ["blue", "green"] {
        let owners =
            object(&map, &format!("terraform::module.{name}.hcloud_server.this"))["owners"].as_array().unwrap();
        assert!(owners.iter().any(|owner| owner["what"] == "first boot (user data)"), "{name}: {owners:?}");
    }
}

/// An image and a disk that is made from one are no stores beside their machine; a disk that starts empty is.
#[test]
fn images_are_no_stores() {
    let map = of(&[(
        "main.tf",
        "resource \"libvirt_volume\" \"base\" {\n  name = \"base\"\n  source = \"https://example.org/debian.qcow2\"\n}\n\
         resource \"libvirt_volume\" \"root\" {\n  name = \"root\"\n  base_volume_id = libvirt_volume.base.id\n}\n\
         resource \"libvirt_volume\" \"data\" {\n  name = \"data\"\n  size = 1000\n}\n",
    )]);
    assert_eq!(ids(&map), ["terraform::libvirt_volume.data"]);
}

/// A job whose file Terraform submits is drawn once, as its containers; one whose text is not known stays.
#[test]
fn jobs_are_drawn_as_their_containers() {
    let job = "job \"notes\" {\n  group \"notes\" {\n    volume \"data\" {\n      type = \"host\"\n      source = \"notes\"\n    }\n    \
               task \"web\" {\n      driver = \"docker\"\n      config {\n        image = \"vaultwarden/server:1.32.0\"\n      }\n      \
               volume_mount {\n        volume = \"data\"\n        destination = \"/data\"\n      }\n    }\n  }\n}\n";
    let map = of(&[
        ("jobs/notes.nomad.hcl", job),
        (
            "main.tf",
            "resource \"nomad_job\" \"notes\" {\n  jobspec = file(\"${path.module}/jobs/notes.nomad.hcl\")\n}\n\
             resource \"nomad_job\" \"other\" {\n  jobspec = var.other\n}\n\
             resource \"nomad_dynamic_host_volume\" \"films\" {\n  name = \"films\"\n  capability {\n    \
             access_mode = \"single-node-reader-only\"\n  }\n}\n",
        ),
    ]);
    let owners: Vec<&str> = object(&map, "container:jobs/notes.nomad.hcl:notes/web")["owners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|owner| owner["what"].as_str().unwrap())
        .collect();
    assert_eq!(owners, ["notes/web", "nomad_job.notes"]);
    assert!(ids(&map).contains(&"terraform::nomad_job.other"));
    assert!(!ids(&map).contains(&"terraform::nomad_job.notes"));
    assert_eq!(object(&map, "terraform::nomad_dynamic_host_volume.films")["verdict"], "kept");
}

/// A container that runs on many hosts names a few of them.
#[test]
fn many_hosts_are_counted() {
    let hosts = inventory(9);
    let play = "- hosts: app\n  tasks:\n    - community.docker.docker_container: {name: web, image: 'nginx:1.27'}\n";
    let folder =
        support::Folder::new(&[(".stateward.yaml", "root: true\n"), ("hosts.ini", &hosts), ("site.yml", play)]);
    let run = folder.run(&["map", "--color", "never"]);
    assert!(run.out.contains("runs on app-1, app-2, app-3 and 6 more"), "{}", run.out);
}
