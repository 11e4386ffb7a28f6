//! Jobs of Nomad that Terraform submits: the file that one hands over declares its containers.

use crate::estate::Estate;
use crate::estate::container::Declared;
use crate::estate::machine::Machine;
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet};

/// Files of jobs → the resource that submits each, by machine; only files whose containers are known.
pub(super) fn submitted(estate: &Estate<'_>) -> BTreeMap<FileId, usize> {
    let declared = estate.containers.iter().filter(|own| own.declared == Declared::Nomad);
    let files: BTreeSet<FileId> = declared.map(|own| own.declaration.file).collect();
    if files.is_empty() {
        return BTreeMap::new();
    }
    let job = |(at, machine): (usize, &Machine<'_>)| {
        let text = machine.resource.mapped("jobspec")?;
        (machine.ty.kind == "container" && files.contains(&text.file)).then_some((text.file, at))
    };
    estate.machines.iter().enumerate().filter_map(job).collect()
}
