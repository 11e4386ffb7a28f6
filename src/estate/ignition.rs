//! Disks that Ignition wipes when a machine first boots: in its own files and Butane's, in data sources of Terraform that make them.

use super::Estate;
use super::first_boot::Format;
use crate::model::kind::Kind;
use crate::model::terraform::{Mode, Resource};
use crate::syntax::yaml::{Node, Scalar, Yaml};
use crate::text::{Loc, Span};

/// Data sources that turn a text of Butane into Ignition.
const TRANSPILERS: [&str; 3] = ["ct_config", "butane_config", "ignition_config"];

/// Labels of what the system itself lies on: that is new with each machine, whatever happens to its data.
const SYSTEM: [&str; 6] = ["root", "boot", "efi-system", "oem", "usr-a", "usr-b"];

/// Adds every disk and filesystem that is wiped whatever is on it.
pub(super) fn formats<'m>(estate: &'m Estate<'m>, found: &mut Vec<Format>) {
    for document in estate.documents.of(&[Kind::Ignition]) {
        let Some(yaml) = document.yaml() else { continue };
        of_yaml(yaml, &|span| Loc { file: document.file, span }, found);
    }
    for instance in &estate.terraform.instances {
        let data = estate.terraform.resources_of(instance).filter(|it| it.decl.mode == Mode::Data);
        for data in data {
            of_data(&data, found);
        }
    }
}

fn of_data(data: &Resource<'_, '_>, found: &mut Vec<Format>) {
    let wiped = |path: &str| data.arg(path).as_bool() == Some(true);
    let device = |path: &str| data.arg(path).display();
    match data.ty() {
        "ignition_disk" if wiped("wipe_table") => {
            let labels = data.blocks("partition").iter().any(|part| is_system(part.arg("label").as_str()));
            if !labels {
                found.push(Format { loc: data.loc(), device: device("device"), by: "wipe_table" });
            }
        }
        "ignition_filesystem" => {
            // Earlier versions of the provider keep it in a block.
            let above = if data.blocks("mount").is_empty() { "" } else { "mount." };
            let given = |name: &str| format!("{above}{name}");
            let kind = data.arg(&given("format"));
            let system = is_system(data.arg(&given("label")).as_str()) || kind.as_str() == Some("swap");
            if wiped(&given("wipe_filesystem")) && !system {
                found.push(Format { loc: data.loc(), device: device(&given("device")), by: "wipe_filesystem" });
            }
        }
        ty if TRANSPILERS.contains(&ty) => {
            let Some(rendered) = data.mapped("content") else { return };
            let place = |span: Span| Loc { file: rendered.file, span: rendered.text.span(span) };
            of_yaml(&Yaml::parse(&rendered.text.text), &place, found);
        }
        _ => {}
    }
}

fn is_system(label: Option<&str>) -> bool {
    label.is_some_and(|label| SYSTEM.iter().any(|own| label.eq_ignore_ascii_case(own)))
}

fn of_yaml(yaml: &Yaml, place: &dyn Fn(Span) -> Loc, found: &mut Vec<Format>) {
    let Some(storage) = yaml.root().and_then(|root| root.get("storage")) else { return };
    let wiped = |node: Node<'_>, names: [&str; 2]| {
        let (key, value) = names.iter().find_map(|name| node.entry(name))?;
        matches!(value.resolve(), Scalar::Bool(true)).then(|| place(key.span()))
    };
    let text = |node: Node<'_>, name: &str| node.get(name).and_then(Node::as_str).unwrap_or_default().to_owned();
    // A filesystem on a disk that is wiped as a whole is no second thing to lose.
    let mut gone: Vec<String> = Vec::new();
    for disk in storage.get("disks").into_iter().flat_map(Node::items) {
        let Some(loc) = wiped(disk, ["wipe_table", "wipeTable"]) else { continue };
        let device = text(disk, "device");
        let parts: Vec<Node<'_>> = disk.get("partitions").into_iter().flat_map(Node::items).collect();
        if parts.iter().any(|part| is_system(part.get("label").and_then(Node::as_str))) || device.contains("boot-disk")
        {
            continue;
        }
        gone.extend(parts.iter().map(|part| format!("/{}", text(*part, "label"))));
        found.push(Format { loc, device, by: "wipe_table" });
    }
    for own in storage.get("filesystems").into_iter().flat_map(Node::items) {
        // Container Linux kept all of it one level deeper.
        let own = own.get("mount").unwrap_or(own);
        let Some(loc) = wiped(own, ["wipe_filesystem", "wipeFilesystem"]) else { continue };
        let device = text(own, "device");
        let last = device.rsplit('/').next();
        let system = is_system(own.get("label").and_then(Node::as_str)) || is_system(last);
        let known = gone.iter().any(|end| end.len() > 1 && device.ends_with(end.as_str()));
        if !system && !known && text(own, "format") != "swap" {
            found.push(Format { loc, device, by: "wipe_filesystem" });
        }
    }
}
