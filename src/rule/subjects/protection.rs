//! Arguments that protect data, or take protection away: of resources, and of calls of well-known modules.

use super::terraform::{ResourceRow, managed};
use crate::estate::Estate;
use crate::estate::guard::{Guard, is_guard};
use crate::knowledge::terraform::{self as known, Lock, Protection, Role};
use crate::model::terraform::{CallView, Unit};
use crate::rule::subject::{Fact, Row};
use crate::subject;
use crate::text::Loc;
use crate::value::{Data, Kind, Tri, Value};
use std::sync::Arc;

/// An argument that protects what holds data, or takes protection away.
pub(super) struct ProtectionRow<'m> {
    estate: &'m Estate<'m>,
    holder: Holder<'m>,
    known: Known,
}

/// What protects.
#[derive(Clone, Copy)]
enum Known {
    /// Terraform's own `prevent_destroy`.
    Lifecycle,
    /// An argument of the resource or module call.
    Argument(&'static Protection),
    /// A resource beside it.
    Beside(&'static Lock),
}

/// What holds the data.
#[derive(Clone)]
enum Holder<'m> {
    Resource(Arc<ResourceRow<'m>>),
    /// A call of a public module, and what kind of data the module makes.
    Call(CallView<'m, 'm>, &'static str),
    /// A unit of Terragrunt that runs a public module, and what kind of data that makes.
    Unit(&'m Unit<'m>, &'static str),
}

impl<'m> Holder<'m> {
    fn address(&self) -> String {
        match self {
            Self::Resource(row) => row.resource.address(),
            Self::Call(call, _) => call.address(),
            Self::Unit(unit, _) => unit.folder.clone(),
        }
    }

    fn arg(&self, estate: &Estate<'m>, path: &str) -> Value {
        match self {
            Self::Resource(row) => row.resource.arg(path),
            Self::Call(call, _) => call.arg(path),
            Self::Unit(unit, _) => estate.terraform.input(unit, path),
        }
    }

    fn loc(&self) -> Loc {
        match self {
            Self::Resource(row) => row.resource.loc(),
            Self::Call(call, _) => call.loc(),
            Self::Unit(unit, _) => unit.loc(),
        }
    }

    fn doubt(&self) -> Option<String> {
        match self {
            Self::Resource(row) => row.resource.switch().map(|reason| reason.to_string()),
            Self::Call(..) | Self::Unit(..) => None,
        }
    }

    fn environment(&self) -> &str {
        match self {
            Self::Resource(row) => row.resource.instance.environment(),
            Self::Call(call, _) => call.instance.environment(),
            Self::Unit(unit, _) => &unit.folder,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Resource(row) => &row.kind().kind,
            Self::Call(_, kind) | Self::Unit(_, kind) => kind,
        }
    }

    /// Where an argument is written, if it is.
    fn written(&self, path: &str) -> Option<Loc> {
        let (file, expr) = match self {
            Self::Resource(row) => match path.rsplit_once('.') {
                None => row.resource.expr(path)?,
                // An argument of the only block of its kind.
                Some((kind, name)) if !kind.contains('.') => match row.resource.blocks(kind).as_slice() {
                    [block] => block.expr(name)?,
                    _ => return None,
                },
                Some(_) => return None,
            },
            Self::Call(call, _) => call.view().expr(path)?,
            Self::Unit(..) => return None,
        };
        Some(Loc { file, span: expr.span })
    }

    fn resource(&self) -> Fact<'m> {
        match self {
            Self::Resource(row) => Fact::Node(row.clone()),
            Self::Call(..) | Self::Unit(..) => Fact::Absent,
        }
    }
}

impl<'m> ProtectionRow<'m> {
    fn path(&self) -> &'static str {
        match self.known {
            Known::Lifecycle => "lifecycle.prevent_destroy",
            Known::Argument(known) => &known.path,
            Known::Beside(lock) => &lock.ty,
        }
    }

    /// The resources beside it that may protect it in this way.
    fn beside(&self) -> impl Iterator<Item = &'m Guard<'m>> {
        let (lock, holder) = match (self.known, &self.holder) {
            (Known::Beside(lock), Holder::Resource(row)) => (Some(lock), Some(row)),
            _ => (None, None),
        };
        let guards = holder.into_iter().flat_map(|row| self.estate.guards.of(&row.resource, |_| true));
        guards.filter(move |guard| lock.is_some_and(|lock| std::ptr::eq(guard.lock, lock)))
    }

    fn value(&self) -> Value {
        match self.known {
            Known::Beside(_) => self.beside().next().map_or_else(Value::absent, Guard::value),
            _ => self.holder.arg(self.estate, self.path()),
        }
    }

    fn role(&self) -> &'static str {
        match self.known {
            Known::Lifecycle => "delete-guard",
            Known::Argument(known) if is_guard(known.role) => "delete-guard",
            Known::Argument(known) => known.role.as_str(),
            Known::Beside(lock) => lock.role.as_str(),
        }
    }

    fn is_unsafe(&self) -> Tri {
        match self.known {
            // Whose default is not known is not unsafe by default.
            Known::Argument(known)
                if known.default.is_none()
                    && self.value().is_absent()
                    && !matches!(self.holder, Holder::Resource(_)) =>
            {
                Tri::False
            }
            Known::Argument(known) => known.is_unsafe(&self.value()),
            Known::Lifecycle => self.value().equals(&Data::Bool(false)),
            Known::Beside(_) => !self.beside().fold(Tri::False, |so_far, guard| so_far.or(|| guard.holds())),
        }
    }

    /// Whether it is dangerous in some of the cases that are known to be possible, and not in all.
    fn is_unsafe_in_some(&self) -> bool {
        let value = self.value();
        let (Known::Argument(known), Kind::OneOf(cases)) = (self.known, &value.kind) else { return false };
        let unsafe_cases =
            cases.iter().filter(|case| known.is_unsafe(&Value::known((*case).clone())).is_true()).count();
        (1..cases.len()).contains(&unsafe_cases)
    }

    /// The argument, else what holds the data.
    fn place(&self) -> Loc {
        let here = |loc: &Loc| !self.estate.documents.is_installed(loc.file);
        let written = self.holder.written(self.path());
        written.filter(here).or_else(|| self.value().origin.filter(here)).unwrap_or_else(|| self.holder.loc())
    }

    /// Whether the same is done in another way: old versions are kept if one of the ways does it.
    fn elsewhere(&self) -> Tri {
        let Holder::Resource(row) = &self.holder else { return Tri::False };
        let role = self.role();
        let arguments = row.kind().protections.iter().filter(|known| known.role.as_str() == role);
        let by_argument =
            arguments.fold(Tri::False, |so_far, known| so_far.or(|| known.is_safe(&row.resource.arg(&known.path))));
        let mut beside = self.estate.guards.of(&row.resource, move |own| own.as_str() == role);
        by_argument.or(|| beside.by_ref().fold(Tri::False, |so_far, guard| so_far.or(|| guard.holds())))
    }
}

subject! {
    /// An argument that protects the data of a resource or of a well-known module, or takes protection away.
    ProtectionRow<'m> as "protection" (row) {
        /// How it protects.
        role: Word(&["delete-guard", "final-copy", "backup", "pitr", "versioning", "soft-delete", "purge", "survives-compute", "persistence"]) certain => row.role();
        /// The argument's path.
        path: Str certain => row.path();
        /// Its value; absent when it is not given.
        value: Dyn => row.value();
        /// Whether it is given at all.
        given: Bool => row.value().has();
        /// Whether its value, or the default, is surely dangerous.
        r#unsafe: Bool => row.is_unsafe();
        /// Whether its value has several possibilities, of which some are dangerous and others not.
        unsafe_in_some: Bool => row.is_unsafe_in_some();
        /// Whether another argument, or a resource beside it, does what this one does not.
        elsewhere: Bool => row.elsewhere();
        /// The argument where it is written, else what holds the data.
        place: Loc => row.place();
        /// The address of the resource or module call.
        holder: Str certain => row.holder.address();
        /// Where that is declared.
        declaration: Loc => row.holder.loc();
        /// What kind of data it is (`relational-db`, `block-volume`…).
        kind: Str certain => row.holder.kind();
        /// The resource; absent for a module call.
        resource: Node(ResourceRow) => row.holder.resource();
    }
    loc => row.place();
    label => format!("the argument {}", row.path());
    address => Some(row.holder.address());
    identity => format!("{} {}", row.holder.address(), row.path());
    environment => Some(row.holder.environment().to_owned());
    doubt => row.holder.doubt();
}

/// Rows of `protection`.
pub(super) fn protections<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let mut rows: Vec<Row<'m>> = Vec::new();
    for resource in managed(estate) {
        let Some(ty) = known::data_type(resource.ty()) else { continue };
        let holder = Holder::Resource(Arc::new(ResourceRow::new(estate, resource)));
        let beside =
            ty.companions.iter().filter_map(|ty| known::lock(ty)).filter(|lock| lock.role == Role::Versioning).take(1);
        let arguments = ty.protections.iter().map(Known::Argument);
        for known in std::iter::once(Known::Lifecycle).chain(arguments).chain(beside.map(Known::Beside)) {
            rows.push(Arc::new(ProtectionRow { estate, holder: holder.clone(), known }) as Row<'m>);
        }
    }
    for call in estate.terraform.instances.iter().flat_map(|instance| estate.terraform.calls_of(instance)) {
        // What is at hand speaks for itself.
        let source = call.call.source.filter(|_| call.target().is_none());
        let Some(module) = source.and_then(known::well_known_module) else { continue };
        let holder = Holder::Call(call, &module.kind);
        for known in module.protections.iter().map(Known::Argument) {
            rows.push(Arc::new(ProtectionRow { estate, holder: holder.clone(), known }) as Row<'m>);
        }
    }
    for unit in &estate.terraform.units {
        let Some(module) = unit.source.as_str().and_then(known::well_known_module) else { continue };
        let holder = Holder::Unit(unit, &module.kind);
        for known in module.protections.iter().map(Known::Argument) {
            rows.push(Arc::new(ProtectionRow { estate, holder: holder.clone(), known }) as Row<'m>);
        }
    }
    rows
}
