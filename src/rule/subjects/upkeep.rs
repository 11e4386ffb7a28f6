//! Machines with data in daily work, and inventories beside Terraform.

use crate::estate::Estate;
use crate::estate::left_out::{self, LeftOut};
use crate::estate::lifecycle;
use crate::estate::reconciler::{self, Reconciler};
use crate::estate::repair::{self, Repair};
use crate::estate::roster::{self, Mismatch, Roster, Stray};
use crate::estate::upkeep::{self, Fragile, Uncopied};
use crate::rule::subject::Row;
use crate::subject;
use crate::text::HOLE;
use std::sync::Arc;

/// A machine with data that a routine change replaces.
pub(super) struct FragileRow<'m> {
    estate: &'m Estate<'m>,
    fragile: Fragile,
}

subject! {
    /// A machine with data on its own storage that a routine change replaces.
    FragileRow<'m> as "fragile_machine" (row) {
        /// The machine's address.
        machine: Str certain => row.estate.machines[row.fragile.machine].address.clone();
        /// The arguments that replace it.
        arguments: List(Str) => row.fragile.arguments.clone();
        /// Services or paths whose data goes along.
        holds: List(Str) => row.fragile.holds.clone();
        /// Where the machine is declared.
        declaration: Loc => row.estate.machines[row.fragile.machine].resource.loc();
    }
    loc => row.fragile.loc;
    label => "this argument".to_owned();
    address => Some(row.estate.machines[row.fragile.machine].address.clone());
    identity => row.estate.machines[row.fragile.machine].address.clone();
    environment => Some(row.estate.machines[row.fragile.machine].resource.instance.environment().to_owned());
}

/// Rows of `fragile_machine`.
pub(super) fn fragile<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    // An argument that changes by itself is a row of its own.
    let told = lifecycle::moving(estate).into_iter().map(|one| (one.loc.file, one.loc.span.start)).collect();
    upkeep::fragile(estate, &told)
        .into_iter()
        .map(|fragile| Arc::new(FragileRow { estate, fragile }) as Row<'m>)
        .collect()
}

/// A command that repairs an object.
pub(super) struct RepairRow<'m> {
    estate: &'m Estate<'m>,
    repair: Repair,
}

subject! {
    /// A command of a script or pipeline that changes live what Terraform declares for a machine, a database, a bucket, a group of rules.
    RepairRow<'m> as "repair" (row) {
        /// As one reads it.
        text: Str certain => row.estate.invocations[row.repair.at].command.text.replace(HOLE, "…");
        /// The object's address.
        object: Str certain => row.repair.address.clone();
        /// Where the object is declared.
        declaration: Loc => row.repair.declared;
        /// Whether it stands among tests.
        in_tests: Bool certain => crate::estate::task::is_test_path(row.estate.documents.tree.path(row.estate.invocations[row.repair.at].command.loc.file));
    }
    loc => row.estate.invocations[row.repair.at].command.loc;
    label => "this command".to_owned();
    address => Some(row.repair.address.clone());
    identity => row.estate.invocations[row.repair.at].command.text.clone();
}

/// Rows of `repair`.
pub(super) fn repairs<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    repair::repairs(estate).into_iter().map(|repair| Arc::new(RepairRow { estate, repair }) as Row<'m>).collect()
}

/// Data that a backup job leaves out.
pub(super) struct LeftOutRow<'m> {
    estate: &'m Estate<'m>,
    left_out: LeftOut,
}

subject! {
    /// A data directory of a guest that a backup job of its hypervisor leaves out by name.
    LeftOutRow<'m> as "left_out_of_backup" (row) {
        /// The machine's address.
        machine: Str certain => row.estate.machines[row.left_out.machine].address.clone();
        /// The path that is left out.
        path: Str certain => row.left_out.path.clone();
        /// What lies there: services, or the mounted directory.
        holds: List(Str) => row.left_out.holds.clone();
        /// Where the machine is declared.
        declaration: Loc => row.estate.machines[row.left_out.machine].resource.loc();
    }
    loc => row.left_out.loc;
    label => "this job".to_owned();
    address => Some(row.estate.machines[row.left_out.machine].address.clone());
    identity => format!("{} {}", row.estate.machines[row.left_out.machine].address, row.left_out.path);
}

/// Rows of `left_out_of_backup`.
pub(super) fn left_out<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let all = left_out::left_out(estate).into_iter();
    all.map(|left_out| Arc::new(LeftOutRow { estate, left_out }) as Row<'m>).collect()
}

/// What applies drift away by itself.
pub(super) struct ReconcilerRow<'m> {
    estate: &'m Estate<'m>,
    reconciler: Reconciler,
}

subject! {
    /// A declaration by which whatever has drifted is applied away, without a person who decides.
    ReconcilerRow<'m> as "reconciler" (row) {
        /// What it is, by name.
        name: Str certain => row.reconciler.name.clone();
        /// The setting that says so, as written.
        setting: Str certain => row.reconciler.setting.clone();
        /// Its path.
        path: Str certain => row.estate.documents.tree.path(row.reconciler.declared.file).to_owned();
        /// Where it is declared.
        declaration: Loc => row.reconciler.declared;
        /// Whether it stands among tests.
        in_tests: Bool certain => row.reconciler.in_tests;
        /// Whether its environment is thrown away.
        ephemeral: Bool certain => (row.estate.ephemeral)(row.estate.documents.tree.path(row.reconciler.declared.file));
    }
    loc => row.reconciler.loc;
    label => "this setting".to_owned();
    address => row.reconciler.address.clone();
    identity => row.reconciler.name.clone();
}

/// Rows of `reconciler`.
pub(super) fn reconcilers<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let all = reconciler::reconcilers(estate).into_iter();
    all.map(|reconciler| Arc::new(ReconcilerRow { estate, reconciler }) as Row<'m>).collect()
}

/// A machine without backup.
pub(super) struct UncopiedRow<'m> {
    estate: &'m Estate<'m>,
    uncopied: Uncopied,
}

subject! {
    /// A machine with persistent data of which nothing in the repository makes copies.
    UncopiedRow<'m> as "uncopied_machine" (row) {
        /// The machine's address.
        machine: Str certain => row.estate.machines[row.uncopied.machine].address.clone();
        /// Its data services.
        services: List(Str) => row.uncopied.services.clone();
        /// Whether a comment names what makes its backups, or says that its data can be made again.
        explained: Bool => {
            let loc = row.estate.machines[row.uncopied.machine].resource.loc();
            row.estate.annotation(loc, "backup").is_some() || row.estate.is_rebuildable(loc)
        };
        /// Whether its environment is thrown away.
        ephemeral: Bool certain => {
            let machine = &row.estate.machines[row.uncopied.machine];
            (row.estate.ephemeral)(&format!("{}/x", machine.resource.instance.root))
        };
        /// What shows the service.
        evidence: Loc => row.uncopied.evidence;
    }
    loc => row.estate.machines[row.uncopied.machine].resource.loc();
    label => "this machine".to_owned();
    address => Some(row.estate.machines[row.uncopied.machine].address.clone());
    identity => row.estate.machines[row.uncopied.machine].address.clone();
    environment => Some(row.estate.machines[row.uncopied.machine].resource.instance.environment().to_owned());
}

/// Rows of `uncopied_machine`.
pub(super) fn uncopied<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    upkeep::uncopied(estate).into_iter().map(|uncopied| Arc::new(UncopiedRow { estate, uncopied }) as Row<'m>).collect()
}

/// A static inventory.
pub(super) struct RosterRow<'m> {
    estate: &'m Estate<'m>,
    roster: Roster,
}

subject! {
    /// A static inventory that lists machines of Terraform.
    RosterRow<'m> as "static_inventory" (row) {
        /// Its path.
        path: Str certain => row.estate.documents.tree.path(row.roster.file).to_owned();
        /// How many of its hosts Terraform makes.
        joined: Int certain => row.roster.joined;
        /// One of them.
        example: Str certain => row.roster.example.clone();
        /// Whether the repository has an inventory plugin as well.
        plugin: Bool certain => row.roster.plugin;
        /// Whether its first lines say that a program writes it.
        generated: Bool certain => row.roster.generated;
        /// Whether it belongs to tests.
        in_tests: Bool certain => crate::estate::task::is_test_path(row.estate.documents.tree.path(row.roster.file));
        /// Whether Git tracks it.
        tracked: Bool certain => row.estate.documents.tree.file(row.roster.file).tracked;
    }
    loc => row.roster.loc;
    label => "this inventory".to_owned();
    address => None;
    identity => row.estate.documents.tree.path(row.roster.file).to_owned();
}

/// Rows of `static_inventory`.
pub(super) fn rosters<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    roster::rosters(estate).into_iter().map(|roster| Arc::new(RosterRow { estate, roster }) as Row<'m>).collect()
}

/// A host on which inventory and Terraform disagree.
pub(super) struct MismatchRow<'m> {
    estate: &'m Estate<'m>,
    mismatch: Mismatch,
}

subject! {
    /// A host of which the inventory and Terraform say different things.
    MismatchRow<'m> as "inventory_mismatch" (row) {
        /// The host.
        host: Str certain => row.mismatch.host.clone();
        /// What they disagree about.
        attribute: Word(&["address", "vmid", "node", "MAC address"]) certain => row.mismatch.attribute;
        /// What the inventory says.
        listed: Str certain => row.mismatch.listed.clone();
        /// What Terraform says.
        declared: Str certain => row.mismatch.declared.clone();
        /// The machine's address.
        machine: Str certain => row.estate.machines[row.mismatch.machine].address.clone();
        /// Where Terraform says it.
        place: Loc => row.mismatch.place;
    }
    loc => row.mismatch.loc;
    label => "the inventory says otherwise".to_owned();
    address => Some(row.estate.machines[row.mismatch.machine].address.clone());
    identity => format!("{} {}", row.mismatch.host, row.mismatch.listed);
}

/// A machine of one side only.
pub(super) struct StrayRow<'m> {
    estate: &'m Estate<'m>,
    stray: Stray,
}

subject! {
    /// A machine that only an inventory lists, or only Terraform makes, while others of its numbered row stand in both.
    StrayRow<'m> as "inventory_stray" (row) {
        /// Its name.
        name: Str certain => row.stray.name.clone();
        /// Whether it is the inventory that has it.
        listed: Bool certain => row.stray.listed;
        /// Whether an address tells that both speak of the same machines.
        sure: Bool certain => row.stray.sure;
        /// A machine of its row that both have.
        like: Str certain => row.stray.like.clone();
        /// Where that one is listed.
        place: Loc => row.stray.place;
    }
    loc => row.stray.loc;
    label => "one side has it alone".to_owned();
    address => Some(row.estate.machines[row.stray.machine].address.clone());
    identity => row.stray.name.clone();
}

/// Rows of `inventory_stray`.
pub(super) fn strays<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    roster::strays(estate).into_iter().map(|stray| Arc::new(StrayRow { estate, stray }) as Row<'m>).collect()
}

/// Rows of `inventory_mismatch`.
pub(super) fn mismatches<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    roster::mismatches(estate)
        .into_iter()
        .map(|mismatch| Arc::new(MismatchRow { estate, mismatch }) as Row<'m>)
        .collect()
}
