//! Services, disks and buckets of providers that hold data.

use super::Drawing;
use crate::chart::{Datum, Deed, Object, Owner, Sort, Verdict};
use crate::diag::Confidence;
use crate::estate::machine::waits_for;
use crate::knowledge::compute::{attachment, compute_type};
use crate::knowledge::terraform::{DataClass, DataType, Role, data_type};
use crate::model::terraform::Resource;
use crate::value::{Tri, Value};

/// Adds every resource that holds data and is no machine.
pub(super) fn draw(drawing: &mut Drawing<'_, '_>) {
    let estate = drawing.estate;
    for resource in estate.terraform.resources() {
        let Some(ty) = data_type(resource.ty()).filter(|_| compute_type(resource.ty()).is_none()) else { continue };
        if !matches!(ty.data, DataClass::Authoritative | DataClass::Secret | DataClass::Queue | DataClass::State) {
            continue;
        }
        // An image that is downloaded, and a root disk that is made from one: what lies there is told with its machine.
        if ty.is_of_image(|path| resource.arg(path)) {
            continue;
        }
        let guarded = estate.guarded(&resource);
        let (guarded, mut fate, mut because) = becomes(&guarded);
        if outlives(&resource, ty) {
            (fate, because) = ("survives", "what is stored stays when this is deleted");
        }
        let named = ["identifier", "bucket", "cluster_identifier", "name", "db_name", "hostname"];
        let name = named.iter().find_map(|name| resource.arg(name).scalar().map(|text| text.to_string()));
        let address = resource.address();
        let owner = Owner {
            tool: "terraform",
            does: Deed::Makes,
            what: address.clone(),
            roles: Vec::new(),
            because: "Terraform declares it".to_owned(),
            confidence: Confidence::High,
            dormant: false,
            run: true,
            loc: resource.loc(),
        };
        let datum = Datum {
            service: ty.kind.clone(),
            class: ty.data.as_str(),
            path: None,
            storage: Some("managed"),
            fate,
            because: because.to_owned(),
            dormant: false,
            evidence: Vec::new(),
        };
        let root = &resource.instance.root;
        let index = drawing.add(Object {
            id: format!("terraform:{root}:{address}"),
            name: name.unwrap_or_else(|| address.clone()),
            sort: Sort::Store,
            kind: resource.ty().to_owned(),
            environment: resource.instance.environment().to_owned(),
            address: Some(address),
            loc: resource.loc(),
            places: Vec::new(),
            addresses: Vec::new(),
            groups: tags(&resource.arg("tags")),
            owners: vec![owner],
            identity: Vec::new(),
            storage: Vec::new(),
            data: vec![datum],
            guarded,
            verdict: Verdict::NoData,
        });
        drawing.declared.entry(resource.declaration()).or_default().push(index);
    }
    attach(drawing);
}

/// Whether an argument surely says that deletion leaves what is stored: a volume that is retained, or one that is only read.
fn outlives(resource: &Resource<'_, '_>, ty: &DataType) -> bool {
    let mut ways = ty.protections.iter().filter(|way| way.role == Role::SurvivesCompute).peekable();
    ways.peek().is_some() && ways.all(|way| way.is_safe(&resource.arg(&way.path)).is_true())
}

/// Whether deletion is refused, what becomes of the data, and why.
fn becomes(guarded: &Tri) -> (Option<bool>, &'static str, &'static str) {
    match guarded {
        Tri::True => (Some(true), "destroyed", "deleting it is refused"),
        Tri::False => (Some(false), "destroyed", "nothing stops a plan from deleting it"),
        Tri::Unknown(_) => {
            (None, "depends", "whether deleting it is refused depends on values that are not known here")
        }
    }
}

/// Links volumes to the machines that they hang on.
fn attach(drawing: &mut Drawing<'_, '_>) {
    let terraform = drawing.estate.terraform;
    for resource in terraform.resources() {
        let Some(row) = attachment(resource.ty()) else { continue };
        let volumes = if row.volume.is_empty() {
            let own = drawing.declared.get(&resource.declaration()).cloned().unwrap_or_default();
            same_key(drawing, own, instance_key(&resource.address()))
        } else {
            named(drawing, &resource, &row.volume)
        };
        let machines = named(drawing, &resource, &row.machine);
        for volume in &volumes {
            for machine in &machines {
                drawing.link(*volume, *machine, "attached-to");
            }
        }
    }
}

/// The objects that an argument names: the one of several instances that it waits for, if that is known.
fn named<'m>(drawing: &Drawing<'_, 'm>, resource: &Resource<'m, 'm>, argument: &str) -> Vec<usize> {
    let declared = drawing.estate.terraform.referred(resource, argument);
    let all: Vec<usize> = declared.iter().filter_map(|one| drawing.declared.get(one)).flatten().copied().collect();
    let at =
        |address: &str| all.iter().copied().find(|object| drawing.objects[*object].address.as_deref() == Some(address));
    let value = resource.arg(argument);
    match waits_for(&value, &|address| at(address).is_some()).and_then(at) {
        Some(one) => vec![one],
        None => same_key(drawing, all, instance_key(&resource.address())),
    }
}

/// `["a"]` or `[0]` of an address that ends so, else nothing.
fn instance_key(address: &str) -> &str {
    let at = address.rfind('[').filter(|_| address.ends_with(']'));
    at.map_or("", |at| &address[at..])
}

/// Of several instances that with the attachment's own key, where there is one.
fn same_key(drawing: &Drawing<'_, '_>, objects: Vec<usize>, key: &str) -> Vec<usize> {
    let has = |at: &&usize| {
        let address = drawing.objects[**at].address.as_deref();
        address.is_some_and(|address| instance_key(address) == key)
    };
    match objects.iter().find(has) {
        Some(same) if !key.is_empty() => vec![*same],
        _ => objects,
    }
}

/// Names of tags are no groups of an inventory; a list of plain tags is read as such.
fn tags(value: &Value) -> Vec<String> {
    let items = value.as_list().map(|list| list.items.as_slice()).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
