//! What the life of data hangs on, and what Terraform writes into the stores of applications.

use super::terraform::ResourceRow;
use crate::estate::Estate;
use crate::estate::content::{self, Content, SecretValue, Shared};
use crate::estate::lifecycle::{self, Moving, NodeStore, Switch};
use crate::estate::live::{self, LiveInput};
use crate::estate::load_job::{self, LoadJob};
use crate::rule::subject::Row;
use crate::subject;
use std::sync::Arc;

/// A variable that decides about a store of data.
pub(super) struct SwitchRow<'m> {
    switch: Switch<'m>,
}

impl SwitchRow<'_> {
    fn store(&self) -> String {
        format!("{}.{}", self.switch.store.ty, self.switch.store.name)
    }
}

subject! {
    /// A variable that decides whether a store of data exists, or whether it may be destroyed.
    SwitchRow<'m> as "tf.delete_switch" (row) {
        /// The store, type and name.
        store: Str certain => row.store();
        /// What losing the store loses.
        data: Word(&["authoritative", "secret", "queue", "state", "copy", "cache", "metadata", "none"]) certain => row.switch.class.as_str();
        /// The argument that the variable stands in.
        argument: Word(&["count", "for_each", "prevent_destroy"]) certain => row.switch.argument;
        /// The variable.
        variable: Str certain => row.switch.variable.clone();
        /// Whether the variable's name speaks of deleting.
        deletes: Bool certain => row.switch.deletes;
        /// Whether the files switch it off, while the default has it.
        off: Bool certain => row.switch.off;
        /// Whether Terraform or the service refuses to delete it.
        guarded: Bool => row.switch.guarded.clone();
        /// Where the store is declared.
        declaration: Loc => row.switch.store.decl.loc();
    }
    loc => row.switch.loc;
    label => "this argument".to_owned();
    address => Some(row.store());
    identity => format!("{} {}", row.store(), row.switch.argument);
}

/// Rows of `tf.delete_switch`.
pub(super) fn switches<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    lifecycle::switches(estate).into_iter().map(|switch| Arc::new(SwitchRow { switch }) as Row<'m>).collect()
}

/// A store of data that goes with a machine of a list.
pub(super) struct NodeStoreRow<'m> {
    estate: &'m Estate<'m>,
    found: NodeStore<'m>,
}

subject! {
    /// A disk or volume that is made together with each machine of a list.
    NodeStoreRow<'m> as "tf.node_store" (row) {
        /// The store.
        store: Node(ResourceRow) => ResourceRow::new(row.estate, row.found.store.clone());
        /// What the list is, as written.
        list: Str certain => row.found.list.clone();
        /// Whether Terraform or the service refuses to delete it.
        guarded: Bool => row.found.guarded.clone();
        /// Where the store is declared.
        declaration: Loc => row.found.store.decl.decl.loc();
        /// Where the machine is declared.
        machine: Loc => row.found.machine;
    }
    loc => row.found.loc;
    label => "this is made for each member".to_owned();
    address => Some(row.found.store.address());
    identity => format!("{} {}", row.found.store.ty(), row.found.list);
    environment => Some(row.found.store.instance.environment().to_owned());
}

/// Rows of `tf.node_store`.
pub(super) fn node_stores<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    lifecycle::node_stores(estate)
        .into_iter()
        .map(|found| Arc::new(NodeStoreRow { estate, found }) as Row<'m>)
        .collect()
}

/// An argument that replaces data and changes by itself.
pub(super) struct MovingRow<'m> {
    moving: Moving<'m>,
}

subject! {
    /// An argument that replaces data and whose value changes without any change here.
    MovingRow<'m> as "tf.moving_argument" (row) {
        /// The store, or the machine with data.
        resource: Str certain => row.moving.resource.address();
        /// What goes with it.
        holds: List(Str) => row.moving.holds.clone();
        /// The argument.
        argument: Str certain => row.moving.argument.clone();
        /// What its value comes from.
        source: Str certain => row.moving.source.clone();
        /// Whether Terraform or the service refuses to delete it.
        guarded: Bool => row.moving.guarded.clone();
        /// Where the resource is declared.
        declaration: Loc => row.moving.resource.loc();
    }
    loc => row.moving.loc;
    label => "this argument".to_owned();
    address => Some(row.moving.resource.address());
    identity => format!("{} {} {}", row.moving.resource.address(), row.moving.argument, row.moving.source);
    environment => Some(row.moving.resource.instance.environment().to_owned());
}

/// Rows of `tf.moving_argument`.
pub(super) fn moving<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    lifecycle::moving(estate).into_iter().map(|moving| Arc::new(MovingRow { moving }) as Row<'m>).collect()
}

/// An argument whose value is an answer of what runs.
pub(super) struct LiveInputRow<'m> {
    input: LiveInput<'m>,
}

subject! {
    /// An argument of a managed resource whose value is an answer of what runs right now.
    LiveInputRow<'m> as "tf.live_input" (row) {
        /// The resource.
        resource: Str certain => row.input.resource.address();
        /// The argument.
        argument: Str certain => row.input.argument.clone();
        /// The data source.
        source: Str certain => row.input.source.clone();
        /// What it asks.
        asks: Str certain => row.input.asks.clone();
        /// Whether it asks for the address of whoever runs the plan.
        own_address: Bool certain => row.input.own_address;
        /// Whether it asks only which templates there are.
        catalogue: Bool certain => row.input.catalogue;
        /// Whether it decides how many there are.
        decides: Bool certain => row.input.decides;
        /// Where the data source is declared.
        declaration: Loc => row.input.declared;
    }
    loc => row.input.loc;
    label => "this argument".to_owned();
    address => Some(row.input.resource.address());
    identity => format!("{} {} {}", row.input.resource.address(), row.input.argument, row.input.source);
    environment => Some(row.input.resource.instance.environment().to_owned());
}

/// Rows of `tf.live_input`.
pub(super) fn live_inputs<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    live::live_inputs(estate).into_iter().map(|input| Arc::new(LiveInputRow { input }) as Row<'m>).collect()
}

/// An object of which Terraform manages the content.
pub(super) struct ContentRow<'m> {
    content: Content<'m>,
}

subject! {
    /// An object or file that looks like data, and of which Terraform manages the content.
    ContentRow<'m> as "tf.content" (row) {
        /// The resource.
        resource: Str certain => row.content.resource.address();
        /// The file or name that tells what it is.
        what: Str certain => row.content.what.clone();
        /// Whether it is a dump, an archive of a database, or a database itself.
        dump: Bool certain => row.content.dump;
        /// Where the resource is declared.
        declaration: Loc => row.content.resource.loc();
    }
    loc => row.content.loc;
    label => "this argument".to_owned();
    address => Some(row.content.resource.address());
    identity => format!("{} {}", row.content.resource.address(), row.content.what);
    environment => Some(row.content.resource.instance.environment().to_owned());
}

/// Rows of `tf.content`.
pub(super) fn contents<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    content::contents(estate).into_iter().map(|content| Arc::new(ContentRow { content }) as Row<'m>).collect()
}

/// The value of a secret.
pub(super) struct SecretValueRow<'m> {
    secret: SecretValue<'m>,
}

subject! {
    /// The value of a secret that Terraform writes, and so keeps in its state.
    SecretValueRow<'m> as "tf.secret_value" (row) {
        /// The resource.
        resource: Str certain => row.secret.resource.address();
        /// The argument.
        argument: Str certain => row.secret.argument;
        /// The type of the resource that makes it; empty when none is seen to.
        made_by: Str certain => row.secret.made_by.clone().unwrap_or_default();
        /// Whether it stands in the files.
        literal: Bool => row.secret.literal.clone();
        /// Whether changes of it are ignored.
        ignored: Bool certain => row.secret.ignored;
        /// Where the resource is declared.
        declaration: Loc => row.secret.resource.loc();
    }
    loc => row.secret.loc;
    label => "this argument".to_owned();
    address => Some(row.secret.resource.address());
    identity => format!("{} {}", row.secret.resource.address(), row.secret.argument);
    environment => Some(row.secret.resource.instance.environment().to_owned());
}

/// Rows of `tf.secret_value`.
pub(super) fn secret_values<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    content::secret_values(estate).into_iter().map(|secret| Arc::new(SecretValueRow { secret }) as Row<'m>).collect()
}

/// Content with two owners.
pub(super) struct SharedRow<'m> {
    shared: Shared<'m>,
}

subject! {
    /// Content that Terraform writes first and somebody else from then on.
    SharedRow<'m> as "tf.shared_content" (row) {
        /// The resource.
        resource: Str certain => row.shared.resource.address();
        /// The argument of which changes are ignored.
        argument: Str certain => row.shared.argument;
        /// Whether a comment or tag names who owns it.
        explained: Bool certain => row.shared.explained;
        /// Where the resource is declared.
        declaration: Loc => row.shared.resource.loc();
    }
    loc => row.shared.loc;
    label => "this argument".to_owned();
    address => Some(row.shared.resource.address());
    identity => format!("{} {}", row.shared.resource.address(), row.shared.argument);
    environment => Some(row.shared.resource.instance.environment().to_owned());
}

/// Rows of `tf.shared_content`.
pub(super) fn shared<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    content::shared(estate).into_iter().map(|shared| Arc::new(SharedRow { shared }) as Row<'m>).collect()
}

/// A job or invocation that Terraform starts while it applies.
pub(super) struct LoadJobRow<'m> {
    job: LoadJob,
    estate: &'m Estate<'m>,
}

subject! {
    /// A job of a cluster, or an invocation of a function, by which Terraform loads or migrates application data.
    LoadJobRow<'m> as "tf.load_job" (row) {
        /// The resource's address.
        resource: Str certain => row.job.address.clone();
        /// What it runs, as far as known.
        text: Str certain => row.job.text.replace(crate::text::HOLE, "…");
        /// Whether it changes the schema and brings no rows of its own.
        migration: Bool certain => row.job.migration;
        /// Whether its environment is thrown away.
        ephemeral: Bool certain => (row.estate.ephemeral)(row.estate.documents.tree.path(row.job.loc.file));
    }
    loc => row.job.loc;
    label => "this resource".to_owned();
    address => Some(row.job.address.clone());
    identity => row.job.address.clone();
}

/// Rows of `tf.load_job`.
pub(super) fn load_jobs<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    load_job::load_jobs(estate).into_iter().map(|job| Arc::new(LoadJobRow { job, estate }) as Row<'m>).collect()
}
