//! Which machines start from which images of Packer.

use super::Estate;
use super::machine::Machine;
use crate::model::packer::Source;
use crate::model::terraform::{Mode, Resource};
use crate::source::file_name;
use crate::value::{Kind, Piece, Value};
use regex::Regex;
use std::collections::HashMap;

/// Arguments of machines that name the image they start from.
const BASES: [&str; 13] = [
    "clone",
    "clone_id",
    "clone.vm_id",
    "ostemplate",
    "operating_system.template_file_id",
    "template_file_id",
    "template",
    "image",
    "image_name",
    "ami",
    "source_image_id",
    "boot_disk.initialize_params.image",
    "source_image",
];

/// A machine that starts from an image.
pub(super) struct Start {
    /// The machine, by index.
    pub(super) machine: usize,
    /// The template, by index.
    pub(super) template: usize,
    /// The source in the template, by index.
    pub(super) source: usize,
}

/// Every machine that starts from an image that a template here builds.
pub(super) fn starts(estate: &Estate<'_>) -> Vec<Start> {
    let templates = estate.packer.templates.iter().enumerate();
    let sources: Vec<(usize, usize, &Source)> = templates
        .flat_map(|(template, own)| own.sources.iter().enumerate().map(move |(at, source)| (template, at, source)))
        .collect();
    let mut found = Vec::new();
    if sources.is_empty() {
        return found;
    }
    let numbers = numbers(&sources);
    for (at, machine) in estate.machines.iter().enumerate() {
        let bases: Vec<Value> =
            BASES.iter().map(|base| machine.resource.arg(base)).filter(|value| !value.is_absent()).collect();
        let looked = if bases.is_empty() { Vec::new() } else { lookups(estate, machine) };
        for (template, source, own) in &sources {
            let direct = bases.iter().any(|base| is_base(base, own, &numbers));
            if direct || looked.iter().any(|data| finds(data, own)) {
                found.push(Start { machine: at, template: *template, source: *source });
            }
        }
    }
    found
}

/// The numbers that tell one artefact. Files of one folder that are built each for itself may set one variable in their own ways:
/// a number that several artefacts would have is that of none.
fn numbers(sources: &[(usize, usize, &Source)]) -> HashMap<String, Option<String>> {
    let mut found: HashMap<String, Option<String>> = HashMap::new();
    for (_, _, source) in sources {
        let Some(number) = source.get("vm_id").scalar() else { continue };
        let name = source.artefact().scalar().map_or_else(|| source.address.clone(), |name| name.to_string());
        let known = found.entry(number.to_string()).or_insert_with(|| Some(name.clone()));
        if known.as_ref() != Some(&name) {
            *known = None;
        }
    }
    found
}

/// Whether an argument names the artefact, by its name, its number, or by a file of it in a store.
fn is_base(value: &Value, source: &Source, numbers: &HashMap<String, Option<String>>) -> bool {
    let Some(text) = value.scalar() else { return false };
    let file = file_name(text.rsplit(':').next().unwrap_or(&text));
    let named = |artefact: &str| {
        *text == *artefact || file == artefact || file.split_once(".tar").is_some_and(|(stem, _)| stem == artefact)
    };
    let one = |id: &str| id != "0" && numbers.get(id).is_some_and(Option::is_some);
    let number = source.get("vm_id").scalar().is_some_and(|id| *id == *text && one(&id));
    source.artefact().scalar().is_some_and(|artefact| named(&artefact)) || number
}

/// The data sources in which a machine's image is looked up.
fn lookups<'m>(estate: &Estate<'m>, machine: &Machine<'m>) -> Vec<Resource<'m, 'm>> {
    let terraform = estate.terraform;
    let named: Vec<_> = BASES
        .iter()
        .map(|base| base.split('.').next().unwrap_or(base))
        .flat_map(|base| terraform.referred(&machine.resource, base))
        .collect();
    if named.is_empty() {
        return Vec::new();
    }
    let data = terraform.instances.iter().flat_map(|instance| terraform.resources_of(instance));
    data.filter(|data| data.decl.mode == Mode::Data && named.contains(&data.declaration())).collect()
}

/// The artefact's name as far as it is known from its beginning, and whether that is all of it.
fn beginning(value: &Value) -> Option<(String, bool)> {
    match &value.kind {
        Kind::Text(pieces) => match pieces.first()? {
            Piece::Lit(text) => Some((text.to_string(), false)),
            Piece::Hole(_) => None,
        },
        _ => Some((value.as_str()?.to_owned(), true)),
    }
}

/// Whether a data source finds what a source of Packer builds.
fn finds(data: &Resource<'_, '_>, source: &Source) -> bool {
    let owners = data.arg("owners");
    let foreign = owners.as_list().is_some_and(|list| {
        let names: Vec<_> = list.items.iter().filter_map(Value::scalar).collect();
        names.len() == list.items.len() && !names.iter().any(|name| &**name == "self")
    });
    let Some((name, whole)) = beginning(&source.artefact()).filter(|(name, _)| !foreign && name.len() > 2) else {
        return false;
    };
    let family = source.get("image_family").scalar();
    if family.is_some() && data.arg("family").scalar() == family {
        return true;
    }
    let fits = |pattern: &str| match pattern.split_once('*') {
        Some((before, _)) if whole => before.len() > 2 && name.starts_with(before),
        Some((before, _)) => before.len() > 2 && (name.starts_with(before) || before == name),
        None => whole && pattern == name,
    };
    let by_regex = data.arg("name_regex").as_str().and_then(|text| Regex::new(text).ok());
    let by_filter = data.blocks("filter").iter().any(|filter| {
        let values = filter.arg("values");
        let texts: Vec<Value> = values.as_list().map(|list| list.items.clone()).unwrap_or_default();
        filter.arg("name").as_str() == Some("name") && texts.iter().filter_map(Value::as_str).any(fits)
    });
    by_filter
        || data.arg("name").as_str().is_some_and(fits)
        || by_regex.is_some_and(|regex| whole && regex.is_match(&name))
}
