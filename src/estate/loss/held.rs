//! What Terraform holds that has data in it, kept beyond the life of the estate.

use super::{Argument, Held, Place, Thing, Traits};
use crate::estate::guard::is_guard;
use crate::estate::machine::Machine;
use crate::estate::{Estate, store, upkeep};
use crate::knowledge::terraform::{DataType, Role as Protection, data_type, well_known_module};
use crate::model::terraform::{Call, CallView, Declared, Mode, Module, Resource, Role};
use crate::syntax::hcl::Attribute;
use crate::text::{FileId, Loc};
use crate::value::Tri;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// So many blocks on each side tell where a block stood.
const MAX_AROUND: usize = 12;

impl Held {
    /// What an estate holds.
    #[must_use]
    pub fn of(estate: &Estate<'_>) -> Self {
        let (mut held, blocks) = (Self::default(), Blocks::default());
        let machines: HashMap<(&str, &str), usize> = estate
            .machines
            .iter()
            .enumerate()
            .map(|(at, machine)| ((machine.resource.instance.environment(), machine.address.as_str()), at))
            .collect();
        let examples = |role: Role| role == Role::Example;
        let managed = estate.terraform.resources().filter(|resource| resource.decl.mode == Mode::Managed);
        for resource in managed.filter(|resource| !examples(resource.instance.role)) {
            let (environment, address) = (resource.instance.environment().to_owned(), resource.address());
            let machine = machines.get(&(environment.as_str(), address.as_str())).copied();
            let machine = machine.map(|at| (&estate.machines[at], upkeep::holds(estate, at, &estate.machines[at])));
            let thing = match machine {
                Some((machine, holds)) if !holds.is_empty() => Some(of_machine(estate, &blocks, machine, holds)),
                _ => data_type(resource.ty()).map(|ty| of_store(estate, &blocks, &resource, ty)),
            };
            held.things.extend(thing);
            held.declared.insert((environment, super::after::bare(&address)), String::new());
        }
        for instance in estate.terraform.instances.iter().filter(|instance| !examples(instance.role)) {
            for call in estate.terraform.calls_of(instance) {
                let environment = instance.environment().to_owned();
                held.declared.insert((environment, super::after::bare(&call.address())), called(call.call).to_owned());
                held.things.extend(of_call(estate, &blocks, &call));
            }
        }
        held
    }
}

/// The arguments of a declaration as they are written, spaces left out.
pub(super) fn body_of(estate: &Estate<'_>, declared: &Declared<'_>) -> Vec<String> {
    let written = |(file, attribute): &(FileId, &Attribute)| {
        let text = estate.documents.tree.slice(Loc { file: *file, span: attribute.value.span });
        format!("{}={}", attribute.name, text.split_whitespace().collect::<String>())
    };
    declared.attributes.iter().map(written).collect()
}

/// What a call calls: the folder, else the source as it is written.
pub(super) fn called<'c>(call: &'c Call<'_>) -> &'c str {
    call.folder.as_deref().or(call.source).unwrap_or_default()
}

fn sure(reason: Option<crate::value::Reason>) -> Tri {
    reason.map_or(Tri::True, Tri::Unknown)
}

fn of_store<'m>(estate: &Estate<'m>, blocks: &Blocks, resource: &Resource<'m, 'm>, ty: &'static DataType) -> Thing {
    let traits = Traits {
        refuses_when_full: store::refuses_when_full(resource, ty),
        recoverable: store::holds_by(resource, ty, Protection::SoftDelete),
        outlived: store::holds_by(resource, ty, Protection::SurvivesCompute),
        replica: store::is_replica(resource),
        temporary: store::is_temporary(resource),
        of_image: ty.is_of_image(|path| resource.arg(path)),
        lock_table: resource.arg("hash_key").equals(&"LockID".into()),
        ..Traits::of(estate, resource)
    };
    Thing {
        kind: &ty.kind,
        data: ty.data.as_str(),
        guarded: estate.guarded_by_service(resource),
        arguments: arguments(resource, &ty.replace_on),
        traits,
        ..Thing::of(estate, blocks, resource)
    }
}

fn of_machine(estate: &Estate<'_>, blocks: &Blocks, machine: &Machine<'_>, holds: Vec<String>) -> Thing {
    let resource = &machine.resource;
    let refusing = machine.ty.guards.iter().filter(|guard| is_guard(guard.role));
    Thing {
        kind: &machine.ty.kind,
        holds,
        guarded: refusing.fold(Tri::False, |so_far, guard| so_far.or(|| guard.is_safe(&resource.arg(&guard.path)))),
        arguments: arguments(resource, &machine.ty.replace_on),
        ..Thing::of(estate, blocks, resource)
    }
}

/// A call of a public module that holds data and whose files are not at hand.
fn of_call(estate: &Estate<'_>, blocks: &Blocks, call: &CallView<'_, '_>) -> Option<Thing> {
    let source = call.call.source.filter(|_| call.target().is_none())?;
    let module = well_known_module(source)?;
    let repeated = ["count", "for_each"].iter().any(|name| call.call.decl.attribute(name).is_some());
    let reason = repeated.then(|| "how often the module is called is not followed".into());
    Some(Thing {
        environment: call.instance.environment().to_owned(),
        address: call.address(),
        ty: source.to_owned(),
        kind: &module.kind,
        data: module.data.as_str(),
        holds: Vec::new(),
        existed: sure(reason.or_else(|| call.instance.uncertain.clone())),
        guarded: Tri::False,
        prevented: Tri::False,
        traits: Traits {
            decommission: estate.annotation(call.loc(), "decommission").is_some(),
            in_library: call.instance.role == Role::Library,
            ..Traits::NONE
        },
        place: Place::of(estate, blocks, &call.instance.module, &call.call.decl),
        is_call: true,
        body: Vec::new(),
        arguments: Vec::new(),
    })
}

impl Thing {
    fn of(estate: &Estate<'_>, blocks: &Blocks, resource: &Resource<'_, '_>) -> Self {
        Self {
            environment: resource.instance.environment().to_owned(),
            address: resource.address(),
            ty: resource.ty().to_owned(),
            kind: "",
            data: "none",
            holds: Vec::new(),
            existed: sure(resource.uncertain()),
            guarded: Tri::False,
            prevented: resource.arg("lifecycle.prevent_destroy").equals(&true.into()),
            traits: Traits::of(estate, resource),
            place: Place::of(estate, blocks, &resource.instance.module, &resource.decl.decl),
            is_call: false,
            body: body_of(estate, &resource.decl.decl),
            arguments: Vec::new(),
        }
    }
}

impl Traits {
    const NONE: Self = Self {
        refuses_when_full: Tri::False,
        recoverable: Tri::False,
        outlived: Tri::False,
        replica: Tri::False,
        temporary: false,
        of_image: false,
        lock_table: Tri::False,
        in_library: false,
        decommission: false,
    };

    fn of(estate: &Estate<'_>, resource: &Resource<'_, '_>) -> Self {
        Self {
            in_library: resource.instance.role == Role::Library,
            decommission: estate.annotation(resource.decl.decl.loc(), "decommission").is_some(),
            ..Self::NONE
        }
    }
}

fn arguments(resource: &Resource<'_, '_>, paths: &'static [String]) -> Vec<Argument> {
    paths.iter().map(|path| Argument { path, value: resource.arg(path) }).collect()
}

impl Place {
    fn of(estate: &Estate<'_>, blocks: &Blocks, module: &Module<'_>, declared: &Declared<'_>) -> Self {
        let loc = declared.loc();
        let blocks = &blocks.of(module, loc.file).in_order;
        let at = blocks.partition_point(|(_, other)| other.span.start < loc.span.start);
        let label = |(label, _): &(String, Loc)| label.clone();
        Self {
            path: estate.documents.tree.path(loc.file).to_owned(),
            line: estate.documents.tree.line(loc),
            following: blocks.iter().skip(at + 1).take(MAX_AROUND).map(label).collect(),
            preceding: blocks[..at].iter().rev().take(MAX_AROUND).map(label).collect(),
        }
    }
}

/// The blocks of files, each file's listed once.
#[derive(Default)]
pub(super) struct Blocks(RefCell<HashMap<(*const u8, FileId), Rc<Listed>>>);

/// The blocks of a file: kind and labels, and the header.
pub(super) struct Listed {
    pub(super) in_order: Vec<(String, Loc)>,
    /// The first of each.
    pub(super) by_label: HashMap<String, Loc>,
}

impl Blocks {
    /// The blocks of a module that stand in one file.
    pub(super) fn of(&self, module: &Module<'_>, file: FileId) -> Rc<Listed> {
        let key = (std::ptr::from_ref(module).cast(), file);
        self.0.borrow_mut().entry(key).or_insert_with(|| Rc::new(listed(module, file))).clone()
    }
}

fn listed(module: &Module<'_>, file: FileId) -> Listed {
    let declared = module
        .variables
        .iter()
        .chain(module.resources.iter().map(|resource| &resource.decl))
        .chain(module.calls.iter().map(|call| &call.decl))
        .chain(&module.outputs)
        .chain(&module.providers)
        .map(|declared| (declared.file, declared.block));
    let all = declared.chain(module.settings.iter().chain(&module.others).copied());
    let mut blocks: Vec<(String, Loc)> = all
        .filter(|(of, _)| *of == file)
        .map(|(file, block)| {
            let labels = (0..).map_while(|index| block.label(index));
            let label = std::iter::once(&*block.kind).chain(labels).collect::<Vec<_>>().join(" ");
            (label, Loc { file, span: block.header })
        })
        .collect();
    blocks.sort_by_key(|(_, loc)| loc.span.start);
    let by_label = blocks.iter().rev().cloned().collect();
    Listed { in_order: blocks, by_label }
}
