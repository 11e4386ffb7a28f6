//! Where state is kept, and who may reach it.

use crate::estate::Estate;
use crate::estate::state_access::{self, Grant};
use crate::estate::state_backend::{self, SelfDependency, StateBackend};
use crate::estate::state_kept::{self, Kept};
use crate::rule::subject::Row;
use crate::subject;
use std::sync::Arc;

fn shown(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

/// The backend of a root.
pub(super) struct StateBackendRow<'m> {
    estate: &'m Estate<'m>,
    one: StateBackend<'m>,
    insecure: Vec<String>,
}

subject! {
    /// The backend of a root or of a Terragrunt unit: how its state is protected on its way and where it lies.
    StateBackendRow<'m> as "state_backend" (row) {
        /// The folder whose state it is.
        folder: Str certain => shown(row.one.folder);
        /// Its type.
        r#type: Str certain => row.one.ty.clone();
        /// What lets others read the state on its way or in its place, in words.
        insecure: List(Str) => row.insecure.clone();
        /// Whether there is any such thing.
        exposed: Bool certain => !row.insecure.is_empty();
        /// Whether nothing encrypts the state where it lies.
        unencrypted: Bool => row.one.unencrypted(row.estate);
        /// Whether the store is one of a cloud that encrypts everything by itself.
        encrypted_by_cloud: Bool => row.one.encrypted_by_cloud();
        /// What OpenTofu's `encryption` block leaves as it is: the state itself, or what it still reads.
        plain: Word(&["method", "fallback", "nothing"]) certain => row.one.plain();
        /// Whether it stands among tests, examples or templates.
        sample: Bool certain => state_backend::is_sample(row.estate, row.one.backend.loc);
    }
    loc => row.one.backend.loc;
    label => "this backend".to_owned();
    address => None;
    identity => row.one.folder.to_owned();
}

/// Rows of `state_backend`.
pub(super) fn backends<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let row = |one: StateBackend<'m>| {
        let insecure = one.insecure();
        Arc::new(StateBackendRow { estate, one, insecure }) as Row<'m>
    };
    state_backend::backends(estate).into_iter().map(row).collect()
}

/// A root that needs what it makes.
pub(super) struct SelfDependencyRow<'m> {
    estate: &'m Estate<'m>,
    dependency: SelfDependency<'m>,
}

impl SelfDependencyRow<'_> {
    fn way(&self) -> String {
        let names: Vec<&str> = self.dependency.through.iter().map(|folder| shown(folder)).collect();
        names.join(", which needs ")
    }
}

subject! {
    /// A root whose state lies in something that it makes itself, or that needs its state.
    SelfDependencyRow<'m> as "self_dependency" (row) {
        /// The root's folder.
        folder: Str certain => shown(row.dependency.folder);
        /// What its backend needs.
        needs: Str certain => row.dependency.what.clone();
        /// Where that is declared.
        made: Loc => row.dependency.made;
        /// Whether another root makes it, which needs the state of this one.
        through_others: Bool certain => !row.dependency.through.is_empty();
        /// The roots on the way back, in words.
        way: Str certain => row.way();
        /// Whether a comment says that this root comes first, and how.
        bootstrap: Bool certain => row.dependency.bootstrap;
        /// Whether it stands among tests, examples or templates.
        sample: Bool certain => state_backend::is_sample(row.estate, row.dependency.loc);
    }
    loc => row.dependency.loc;
    label => "this backend".to_owned();
    address => None;
    identity => row.dependency.folder.to_owned();
}

/// Rows of `self_dependency`.
pub(super) fn self_dependencies<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let all = state_backend::self_dependencies(estate).into_iter();
    all.map(|dependency| Arc::new(SelfDependencyRow { estate, dependency }) as Row<'m>).collect()
}

/// A right to a store of state.
pub(super) struct GrantRow<'m> {
    estate: &'m Estate<'m>,
    grant: Grant,
}

subject! {
    /// A right to a store of state that goes further than automation needs.
    GrantRow<'m> as "state_grant" (row) {
        /// Who has it.
        principal: Str certain => row.grant.principal.clone();
        /// What it allows.
        right: Str certain => row.grant.right.clone();
        /// Whether everybody has it.
        everybody: Bool certain => row.grant.everybody;
        /// Whether it is a right to write.
        writes: Bool certain => row.grant.writes;
        /// The folders whose state it is.
        state_of: List(Str) => row.grant.folders.clone();
        /// Whether it stands among tests, examples or templates.
        sample: Bool certain => state_backend::is_sample(row.estate, row.grant.loc);
        /// What grants it.
        address: Str certain => row.grant.address.clone();
    }
    loc => row.grant.loc;
    label => "this grant".to_owned();
    address => Some(row.grant.address.clone());
    identity => format!("{} {}", row.grant.address, row.grant.principal);
}

/// Rows of `state_grant`.
pub(super) fn grants<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    state_access::grants(estate).into_iter().map(|grant| Arc::new(GrantRow { estate, grant }) as Row<'m>).collect()
}

/// A step of a pipeline that keeps state.
pub(super) struct KeptRow<'m> {
    estate: &'m Estate<'m>,
    kept: Kept,
}

subject! {
    /// A step of a pipeline that keeps control state beyond its job.
    KeptRow<'m> as "kept_state" (row) {
        /// The path as written; none where the step is made for state.
        path: Str => Some(row.kept.path.clone()).filter(|path| !path.is_empty());
        /// What it is kept as, with an article.
        kept_as: Str certain => row.kept.kept_as;
        /// Whether the pipeline is one of tests.
        in_tests: Bool certain => row.kept.in_tests(row.estate);
    }
    loc => row.kept.loc;
    label => "this step".to_owned();
    address => None;
    identity => format!("{} {}", row.kept.kept_as, row.kept.path);
}

/// Rows of `kept_state`.
pub(super) fn kept_states<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    state_kept::kept(estate).into_iter().map(|kept| Arc::new(KeptRow { estate, kept }) as Row<'m>).collect()
}
