//! What expressions of Terraform bring in: functions that give something new each time, files that only a running system has,
//! and `removed` blocks.

use super::Estate;
use crate::model::terraform::{Changing, Instance, Mode, Module, Resource, ResourceDecl, alike, changing, reader};
use crate::syntax::hcl::{Attribute, Block, Expr, ExprKind, Part};
use crate::text::{FileId, Loc};
use crate::value::{Tri, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Expressions nested deeper than this are not followed.
const MAX_DEPTH: usize = 64;

/// A call of an impure function that reaches an argument of a resource.
pub struct Impure<'m> {
    /// The function.
    pub function: &'m str,
    /// Where it is called.
    pub loc: Loc,
    /// The resource, `type.name`.
    pub resource: String,
    /// Its type.
    pub ty: &'m str,
    /// The argument or block that it reaches.
    pub argument: &'m str,
    /// Whether the resource ignores changes of that argument.
    pub ignored: bool,
    /// Whether it makes the argument change.
    pub changes: Tri,
    /// Where the resource is declared.
    pub declared: Loc,
}

/// A file that a function or data source reads.
pub struct FileRead<'m> {
    /// The function, or the type of the data source.
    pub by: &'m str,
    /// The name of the data source.
    pub name: Option<&'m str>,
    /// The path, as far as known.
    pub path: Value,
    /// Where that is said.
    pub loc: Loc,
}

/// A `removed` block.
pub struct Removal {
    /// The address that it drops.
    pub address: String,
    /// The type in it.
    pub ty: String,
    /// `destroy`, as far as it is given.
    pub destroy: Value,
    /// Whether a provisioner in it logs in to a machine.
    pub provisions: bool,
    /// The block.
    pub loc: Loc,
}

/// Calls `visit` for an expression and everything inside it.
pub(super) fn walk<'e>(expr: &'e Expr, depth: usize, visit: &mut dyn FnMut(&'e Expr)) {
    if depth > MAX_DEPTH {
        return;
    }
    visit(expr);
    let mut next = |inner: &'e Expr| walk(inner, depth + 1, visit);
    match &expr.kind {
        ExprKind::Template(parts) => parts_walk(parts, depth + 1, visit),
        ExprKind::List(items) | ExprKind::Call { args: items, .. } => items.iter().for_each(next),
        ExprKind::Object(members) => members.iter().for_each(|(key, value)| {
            next(&key.expr);
            next(value);
        }),
        ExprKind::Get(inner, _) | ExprKind::Not(inner) | ExprKind::Minus(inner) => next(inner),
        ExprKind::Index(a, b) | ExprKind::Splat(a, b) => {
            next(a);
            next(b);
        }
        ExprKind::Cond(three) => three.iter().for_each(next),
        ExprKind::Binary(_, two) => two.iter().for_each(next),
        ExprKind::For(inner) => {
            next(&inner.collection);
            inner.result_key.iter().for_each(&mut next);
            next(&inner.result);
            inner.condition.iter().for_each(next);
        }
        _ => {}
    }
}

fn parts_walk<'e>(parts: &'e [Part], depth: usize, visit: &mut dyn FnMut(&'e Expr)) {
    if depth > MAX_DEPTH {
        return;
    }
    for part in parts {
        match part {
            Part::Lit(..) => {}
            Part::Interp(expr) => walk(expr, depth + 1, visit),
            Part::If(condition, then, other) => {
                walk(condition, depth + 1, visit);
                parts_walk(then, depth + 1, visit);
                parts_walk(other, depth + 1, visit);
            }
            Part::For(_, _, collection, body) => {
                walk(collection, depth + 1, visit);
                parts_walk(body, depth + 1, visit);
            }
        }
    }
}

/// The names of a traversal, indices left out: `a.b[0].c` is `[a, b, c]`.
pub(super) fn traversal(expr: &Expr) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    let mut at = expr;
    for _ in 0..MAX_DEPTH {
        match &at.kind {
            ExprKind::Name(name) => {
                names.push(&**name);
                names.reverse();
                return Some(names);
            }
            ExprKind::Get(inner, name) => {
                names.push(&**name);
                at = inner;
            }
            ExprKind::Index(inner, _) => at = inner,
            _ => return None,
        }
    }
    None
}

/// Every expression that an argument takes its value from: its own, and those of the locals that it names.
pub(super) fn sources<'m>(module: &'m Module<'m>, file: FileId, expr: &'m Expr) -> Vec<(FileId, &'m Expr)> {
    let mut all = vec![(file, expr)];
    let mut seen: HashSet<usize> = HashSet::new();
    let mut next = 0;
    while let Some((_, expr)) = all.get(next).copied() {
        next += 1;
        let mut found = Vec::new();
        walk(expr, 0, &mut |inner| {
            if let ExprKind::Get(space, name) = &inner.kind
                && matches!(&space.kind, ExprKind::Name(word) if &**word == "local")
            {
                found.extend(module.local(name));
            }
        });
        for at in found {
            if let Some(local) = module.locals.get(at).filter(|_| seen.insert(at)) {
                all.push((local.file, &local.attribute.value));
            }
        }
    }
    all
}

/// The arguments of a declaration, nested blocks included: the name at the top, and the expression.
fn arguments<'m>(decl: &'m ResourceDecl<'m>) -> Vec<(FileId, &'m str, &'m Expr)> {
    fn inside<'m>(
        file: FileId,
        top: &'m str,
        block: &'m Block,
        depth: usize,
        found: &mut Vec<(FileId, &'m str, &'m Expr)>,
    ) {
        if depth > MAX_DEPTH {
            return;
        }
        found.extend(block.body.attributes.iter().map(|attribute| (file, top, &attribute.value)));
        for block in &block.body.blocks {
            inside(file, top, block, depth + 1, found);
        }
    }
    let mut found: Vec<(FileId, &'m str, &'m Expr)> =
        decl.decl.attributes.iter().map(|(file, attribute)| (*file, &*attribute.name, &attribute.value)).collect();
    for (file, block) in &decl.decl.blocks {
        let block: &'m Block = block;
        if matches!(&*block.kind, "provisioner" | "connection" | "lifecycle" | "timeouts") {
            continue;
        }
        let top = if &*block.kind == "dynamic" { block.label(0).unwrap_or("dynamic") } else { &*block.kind };
        inside(*file, top, block, 0, &mut found);
    }
    found
}

/// An argument of `lifecycle`.
pub(super) fn lifecycle<'m>(decl: &'m ResourceDecl<'m>, name: &str) -> Option<(FileId, &'m Attribute)> {
    let blocks = decl.decl.blocks.iter().filter(|(_, block)| &*block.kind == "lifecycle");
    blocks.into_iter().find_map(|(file, block)| {
        let block: &'m Block = block;
        Some((*file, block.body.attribute(name)?))
    })
}

/// Whether `ignore_changes` names an argument, or all.
pub fn ignores(decl: &ResourceDecl<'_>, argument: &str) -> bool {
    let Some((_, attribute)) = lifecycle(decl, "ignore_changes") else { return false };
    let names = |expr: &Expr| match &expr.kind {
        ExprKind::Str(name) => matches!(&**name, "all" | "*") || &**name == argument,
        _ => traversal(expr)
            .is_some_and(|names| names.first().is_some_and(|first| *first == "all" || *first == argument)),
    };
    match &attribute.value.kind {
        ExprKind::List(items) => items.iter().any(names),
        _ => names(&attribute.value),
    }
}

/// Every call of an impure function that reaches a managed resource, once for each resource: what its arguments come to tells.
#[must_use]
pub fn impure<'m>(estate: &'m Estate<'m>) -> Vec<Impure<'m>> {
    let terraform = estate.terraform;
    let called = terraform
        .modules()
        .iter()
        .any(|module| expressions(module).iter().any(|(_, expr)| calls(expr, |name| changing(name).is_some())));
    if !called && terraform.units.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<Impure<'m>> = Vec::new();
    let mut written: HashMap<Loc, Vec<(&'m str, Changing)>> = HashMap::new();
    for resource in terraform.resources() {
        let near = written.entry(resource.decl.decl.loc()).or_insert_with(|| written_calls(&resource));
        for (argument, value) in argument_values(&resource) {
            let (calls, other) = terraform.changing_in(&value);
            let mut row = |call: Changing, changes: Tri| {
                let declared = resource.loc();
                let same = |row: &&mut Impure<'m>| row.loc == call.loc && row.declared == declared;
                match found.iter_mut().find(same) {
                    Some(row) if changes.is_true() && !row.changes.is_true() => {
                        (row.argument, row.ignored, row.changes) =
                            (argument, ignores(resource.decl, argument), changes);
                    }
                    Some(_) => {}
                    None => found.push(Impure {
                        function: call.function,
                        loc: call.loc,
                        resource: format!("{}.{}", resource.ty(), resource.name()),
                        ty: resource.ty(),
                        argument,
                        ignored: ignores(resource.decl, argument),
                        changes,
                        declared,
                    }),
                }
            };
            for call in &calls {
                row(*call, Tri::True);
            }
            // What is written there and not seen in the value may yet be in what is not known of it.
            let hidden = near.iter().filter(|(name, call)| *name == argument && !calls.contains(call));
            if let Some(reason) = other {
                hidden.for_each(|(_, call)| row(*call, Tri::Unknown(reason.clone())));
            }
        }
    }
    found
}

/// Whether a function of such a name is called in an expression.
fn calls(expr: &Expr, test: fn(&str) -> bool) -> bool {
    let mut found = false;
    walk(expr, 0, &mut |inner| found |= matches!(&inner.kind, ExprKind::Call { name, .. } if test(name)));
    found
}

/// The calls that the arguments of a resource name, themselves or through locals.
fn written_calls<'m>(resource: &Resource<'m, 'm>) -> Vec<(&'m str, Changing)> {
    let mut found = Vec::new();
    for (file, argument, expr) in arguments(resource.decl) {
        for (file, expr) in sources(&resource.instance.module, file, expr) {
            walk(expr, 0, &mut |inner| {
                let ExprKind::Call { name, .. } = &inner.kind else { return };
                let call = changing(name).map(|function| Changing { function, loc: Loc { file, span: inner.span } });
                found.extend(call.map(|call| (argument, call)));
            });
        }
    }
    found
}

/// The arguments and blocks of a resource by name, with what they come to.
fn argument_values<'m>(resource: &Resource<'m, 'm>) -> Vec<(&'m str, Value)> {
    let attributes = resource.decl.decl.attributes.iter().map(|(_, attribute)| &*attribute.name);
    let given = attributes.filter(|name| !matches!(*name, "count" | "for_each" | "provider" | "depends_on"));
    let mut found: Vec<(&'m str, Value)> = given.map(|name| (name, resource.arg(name))).collect();
    for kind in resource.view().kinds() {
        if !matches!(kind, "provisioner" | "connection" | "lifecycle" | "timeouts") {
            found.extend(resource.blocks(kind).iter().map(|block| (kind, block.to_value())));
        }
    }
    found
}

/// Every file that functions and data sources read, once for each place and path; what the plan itself makes is left out.
#[must_use]
pub fn file_reads<'m>(estate: &'m Estate<'m>) -> Vec<FileRead<'m>> {
    let terraform = estate.terraform;
    let made = archives(estate);
    let reading: HashSet<&str> = terraform
        .modules()
        .iter()
        .filter(|module| expressions(module).iter().any(|(_, expr)| calls(expr, |name| reader(name).is_some())))
        .map(|module| module.folder.as_str())
        .collect();
    let mut found: BTreeMap<Loc, Vec<FileRead<'m>>> = BTreeMap::new();
    for instance in &terraform.instances {
        let reads = if reading.contains(&*instance.module.folder) { terraform.reads(instance) } else { Vec::new() };
        let reads = reads.into_iter();
        let reads = reads.map(|read| FileRead { by: read.function, name: None, path: read.path, loc: read.loc });
        for read in reads.chain(data_files(estate, instance)) {
            let text = read.path.as_str();
            let archive = text.is_some_and(|text| made.contains(&(&*instance.root, text.to_owned())));
            let here = found.entry(read.loc).or_default();
            if !archive
                && !comes_from(&read.path, "`output_path` of data.archive_file.")
                && !here.iter().any(|other| alike(&other.path, &read.path))
            {
                here.push(read);
            }
        }
    }
    let unreached = unreached(estate, &found);
    found.into_values().flatten().chain(unreached).collect()
}

/// What `archive_file` data sources write while Terraform plans, by root and path.
fn archives<'m>(estate: &Estate<'m>) -> HashSet<(&'m str, String)> {
    let terraform = estate.terraform;
    let mut found = HashSet::new();
    for instance in &terraform.instances {
        let archives = terraform.resources_of(instance).filter(|data| data.decl.mode == Mode::Data);
        for archive in archives.filter(|data| data.ty() == "archive_file") {
            found.extend(archive.arg("output_path").as_str().map(|path| (&*instance.root, path.to_owned())));
        }
    }
    found
}

/// Whether a value came by a step that begins so.
fn comes_from(value: &Value, step: &str) -> bool {
    value.via.iter().flat_map(|via| via.iter()).any(|one| one.what.starts_with(step))
}

/// The files of `local_file` data sources.
fn data_files<'m>(estate: &'m Estate<'m>, instance: &'m Arc<Instance<'m>>) -> Vec<FileRead<'m>> {
    let data = estate.terraform.resources_of(instance).filter(|resource| resource.decl.mode == Mode::Data);
    let files = data.filter(|resource| matches!(resource.ty(), "local_file" | "local_sensitive_file"));
    // Read once a resource has written it.
    let written = |path: &Value| {
        ["local_file", "local_sensitive_file"].iter().any(|ty| comes_from(path, &format!("`filename` of {ty}.")))
    };
    let read = |resource: Resource<'m, 'm>| {
        let (file, expr) = resource.expr("filename")?;
        Some(FileRead {
            by: resource.ty(),
            name: Some(resource.name()),
            path: resource.arg("filename"),
            loc: Loc { file, span: expr.span },
        })
    };
    files.filter_map(read).filter(|read| !written(&read.path)).collect()
}

/// Calls that stand where nothing is known to come to them: in a loop over nothing, in what is made zero times.
fn unreached<'m>(estate: &'m Estate<'m>, reached: &BTreeMap<Loc, Vec<FileRead<'m>>>) -> Vec<FileRead<'m>> {
    let mut found = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for instance in estate.terraform.instances.iter().filter(|instance| seen.insert(&instance.module.folder)) {
        for (file, expr) in expressions(&instance.module) {
            walk(expr, 0, &mut |inner| {
                let ExprKind::Call { name, args, .. } = &inner.kind else { return };
                let loc = Loc { file, span: inner.span };
                let Some((function, path)) = reader(name).zip(args.first()).filter(|_| !reached.contains_key(&loc))
                else {
                    return;
                };
                let path = estate.terraform.evaluate(instance, file, path);
                let open = || Value::unknown("whether the call is made, and with which path, is not known");
                let path = if path.reason().is_some() { open() } else { path };
                found.push(FileRead { by: function, name: None, path, loc });
            });
        }
    }
    found
}

/// Every expression of a module.
fn expressions<'m>(module: &'m Module<'m>) -> Vec<(FileId, &'m Expr)> {
    let mut found: Vec<(FileId, &'m Expr)> =
        module.locals.iter().map(|local| (local.file, &local.attribute.value)).collect();
    for decl in &module.resources {
        found.extend(arguments(decl).into_iter().map(|(file, _, expr)| (file, expr)));
    }
    let calls = module.calls.iter().map(|call| &call.decl);
    for declared in calls.chain(&module.outputs).chain(&module.providers) {
        found.extend(declared.attributes.iter().map(|(file, attribute)| (*file, &attribute.value)));
    }
    found
}

/// Every `removed` block.
#[must_use]
pub fn removals(estate: &Estate<'_>) -> Vec<Removal> {
    let mut found = Vec::new();
    for instance in &estate.terraform.instances {
        for (file, block) in instance.module.others_of("removed") {
            let loc = Loc { file, span: block.header };
            if found.iter().any(|other: &Removal| other.loc == loc) {
                continue;
            }
            let Some(names) = block.body.attribute("from").and_then(|from| traversal(&from.value)) else { continue };
            let mut rest = names.as_slice();
            while let ["module", _, inner @ ..] = rest {
                rest = inner;
            }
            let destroy = block.body.blocks_of("lifecycle").find_map(|lifecycle| lifecycle.body.attribute("destroy"));
            let destroy = destroy
                .map_or_else(Value::absent, |attribute| estate.terraform.evaluate(instance, file, &attribute.value));
            let ty = rest.first().copied().unwrap_or("module").to_owned();
            let mut provisioners = block.body.blocks_of("provisioner");
            let provisions = provisioners.any(|one| one.label(0).is_some_and(|kind| kind != "local-exec"));
            found.push(Removal { address: names.join("."), ty, destroy, provisions, loc });
        }
    }
    found
}
