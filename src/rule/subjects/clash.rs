//! What two declarations claim, and what lies where it should not.

use crate::estate::Estate;
use crate::estate::artifact::{self, Artifact};
use crate::estate::backend_secret::{self, Credential};
use crate::estate::collision::{self, Collision, SharedState};
use crate::rule::subject::Row;
use crate::subject;
use crate::text::{Loc, Span};
use std::sync::Arc;

/// Two machines with one identity.
pub(super) struct CollisionRow<'m> {
    estate: &'m Estate<'m>,
    collision: Collision,
}

subject! {
    /// Two machines of different declarations that claim one identity.
    CollisionRow<'m> as "collision" (row) {
        /// What both claim.
        claims: List(Str) => row.collision.claims.clone();
        /// The later machine's address.
        machine: Str certain => row.estate.machines[row.collision.machine].address.clone();
        /// The earlier machine's address.
        other: Str certain => row.estate.machines[row.collision.other].address.clone();
        /// The root of the later machine.
        root: Str certain => row.estate.machines[row.collision.machine].resource.instance.root.to_string();
        /// The root of the earlier machine.
        other_root: Str certain => row.estate.machines[row.collision.other].resource.instance.root.to_string();
        /// Whether one of the two environments is thrown away.
        ephemeral: Bool certain => [row.collision.machine, row.collision.other].iter().any(|at| {
            (row.estate.ephemeral)(&format!("{}/x", row.estate.machines[*at].resource.instance.root))
        });
        /// Whether both are one declaration that stands in two roots.
        copy: Bool certain => row.estate.machines[row.collision.machine].address == row.estate.machines[row.collision.other].address;
        /// Whether both claim one hardware address, which is given once in the world.
        hardware: Bool certain => row.collision.claims.iter().any(|claim| claim.starts_with("hardware"));
        /// The earlier machine's declaration.
        earlier: Loc => row.estate.machines[row.collision.other].resource.loc();
    }
    loc => row.collision.loc;
    label => "this claim".to_owned();
    address => Some(row.estate.machines[row.collision.machine].address.clone());
    identity => format!("{} {}", row.estate.machines[row.collision.machine].address, row.collision.claims.join(" "));
}

/// Rows of `collision`.
pub(super) fn collisions<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    collision::machines(estate)
        .into_iter()
        .map(|collision| Arc::new(CollisionRow { estate, collision }) as Row<'m>)
        .collect()
}

/// Two roots with one state.
pub(super) struct SharedStateRow<'m> {
    estate: &'m Estate<'m>,
    shared: SharedState,
}

subject! {
    /// Two roots that keep their state in one object.
    SharedStateRow<'m> as "shared_state" (row) {
        /// The later root's folder.
        folder: Str certain => row.shared.folder.clone();
        /// The earlier root's folder.
        other: Str certain => row.shared.other.clone();
        /// The object.
        location: Str certain => row.shared.location.clone();
        /// Where the earlier root names it.
        earlier: Loc => row.shared.earlier;
        /// Whether the repository has Terraform.
        terraform_here: Bool certain => row.estate.has_terraform();
    }
    loc => row.shared.loc;
    label => "this backend".to_owned();
    address => None;
    identity => format!("{} {}", row.shared.folder, row.shared.location);
}

/// Rows of `shared_state`.
pub(super) fn shared_states<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    collision::states(estate).into_iter().map(|shared| Arc::new(SharedStateRow { estate, shared }) as Row<'m>).collect()
}

/// A secret of a backend in plain text.
pub(super) struct CredentialRow<'m> {
    estate: &'m Estate<'m>,
    credential: Credential,
}

subject! {
    /// A secret that the configuration of a backend holds in plain text.
    CredentialRow<'m> as "backend_credential" (row) {
        /// The backend's type.
        backend: Str certain => row.credential.backend.clone();
        /// The argument.
        argument: Str certain => row.credential.argument.clone();
        /// Whether it stands among tests.
        in_tests: Bool certain => crate::estate::task::is_test_path(row.estate.documents.tree.path(row.credential.loc.file));
    }
    loc => row.credential.loc;
    label => "this argument".to_owned();
    address => None;
    identity => format!("{} {}", row.credential.backend, row.credential.argument);
}

/// Rows of `backend_credential`.
pub(super) fn credentials<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    backend_secret::credentials(estate)
        .into_iter()
        .map(|credential| Arc::new(CredentialRow { estate, credential }) as Row<'m>)
        .collect()
}

/// A tracked file that is no intent.
pub(super) struct ArtifactRow<'m> {
    estate: &'m Estate<'m>,
    artifact: Artifact,
}

subject! {
    /// A file of the index that a run left behind, or that holds data.
    ArtifactRow<'m> as "artifact" (row) {
        /// Its path.
        path: Str certain => row.estate.documents.tree.path(row.artifact.file).to_owned();
        /// What it is.
        kind: Word(&artifact::KINDS) certain => row.artifact.kind;
        /// What shows it.
        evidence: Str certain => row.artifact.evidence.clone();
        /// Whether it is data that an application wrote.
        data: Bool certain => row.artifact.data;
        /// Whether it stands among tests or examples.
        fixture: Bool certain => row.artifact.fixture;
    }
    loc => Loc { file: row.artifact.file, span: Span::new(0, 0) };
    label => "this file".to_owned();
    address => None;
    identity => row.estate.documents.tree.path(row.artifact.file).to_owned();
}

/// Rows of `artifact`.
pub(super) fn artifacts<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    artifact::artifacts(estate)
        .into_iter()
        .map(|artifact| Arc::new(ArtifactRow { estate, artifact }) as Row<'m>)
        .collect()
}
