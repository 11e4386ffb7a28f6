//! What a change makes Terraform destroy.

use crate::estate::Estate;
use crate::estate::loss::{self, Loss};
use crate::rule::subject::Row;
use crate::subject;
use std::sync::Arc;

/// An object with data that a change makes Terraform destroy.
pub(super) struct LossRow<'m> {
    loss: Loss<'m>,
}

subject! {
    /// An object with data that was declared before a change, and that the change makes Terraform destroy. There are none without a
    /// revision before (`--staged`, `--since`).
    LossRow<'m> as "tf.loss" (row) {
        /// Its address.
        address: Str certain => row.loss.thing.address.as_str();
        /// Its type; of a call of a public module the source.
        r#type: Str certain => row.loss.thing.ty.as_str();
        /// What it is (`relational-db`, `vm`…).
        kind: Str certain => row.loss.thing.kind;
        /// What losing it loses; `none` for a machine.
        data: Word(&["authoritative", "secret", "queue", "state", "copy", "cache", "metadata", "none"]) certain => row.loss.thing.data;
        /// Services and paths whose data goes with a machine.
        holds: List(Str) => row.loss.thing.holds.clone();
        /// How it is lost.
        how: Word(&["removed", "call-removed", "key-removed", "replaced"]) certain => row.loss.how.as_str();
        /// How, in words, with the `moved` block that would keep it where something new looks like the same object.
        because: Str certain => row.loss.because.clone();
        /// Whether it was there for sure, and is lost for sure.
        lost: Bool => row.loss.lost.clone();
        /// Whether Terraform refused to destroy it as long as it was declared.
        prevented: Bool => row.loss.thing.prevented.clone();
        /// Whether the service or provider refuses to delete it, whatever is declared.
        guarded: Bool => row.loss.thing.guarded.clone();
        /// Whether the service refuses to delete it while anything is in it.
        refuses_when_full: Bool => row.loss.thing.traits.refuses_when_full.clone();
        /// Whether what is deleted can be had back for a while.
        recoverable: Bool => row.loss.thing.traits.recoverable.clone();
        /// Whether what is on it stays when it is deleted.
        outlived: Bool => row.loss.thing.traits.outlived.clone();
        /// Whether it is a copy of another store.
        replica: Bool => row.loss.thing.traits.replica.clone();
        /// Whether its name says that its content can be made again.
        temporary: Bool certain => row.loss.thing.traits.temporary;
        /// Whether it is made of an image: what a machine starts from.
        of_image: Bool certain => row.loss.thing.traits.of_image;
        /// Whether it is a table for state locks.
        lock_table: Bool => row.loss.thing.traits.lock_table.clone();
        /// Whether it belongs to a module that nothing here calls.
        in_library: Bool certain => row.loss.thing.traits.in_library;
        /// Whether a comment gives it up on purpose.
        decommission: Bool certain => row.loss.decommission;
        /// What is still declared of it.
        declaration: Loc => row.loss.declaration;
    }
    loc => row.loss.loc;
    label => "what the change leaves".to_owned();
    address => Some(row.loss.thing.address.clone());
    identity => row.loss.thing.address.clone();
    environment => Some(row.loss.thing.environment.clone());
}

/// Rows of `tf.loss`.
pub(super) fn losses<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    loss::losses(estate).into_iter().map(|loss| Arc::new(LossRow { loss }) as Row<'m>).collect()
}
