//! The tables that cards speak of: each row type beside its columns.

mod agent;
mod ansible;
mod backend;
mod boot;
mod clash;
mod command;
mod container;
mod git;
mod guest;
mod habit;
mod idle;
mod join;
mod lifecycle;
mod loss;
mod packer;
mod protection;
mod provider;
mod terraform;
mod upkeep;
mod wiring;

use super::subject::{Row, Schema};
use crate::estate::Estate;

/// One table: its schema, and its rows in an estate.
pub struct Table {
    /// The columns.
    pub schema: fn() -> &'static Schema,
    /// Every row, in a fixed order.
    pub rows: for<'m> fn(&'m Estate<'m>) -> Vec<Row<'m>>,
}

/// Every table that an estate gives.
pub static TABLES: &[Table] = &[
    Table { schema: git::StateFileRow::schema, rows: git::state_files },
    Table { schema: git::PastStateRow::schema, rows: git::past_states },
    Table { schema: git::IgnoreEntryRow::schema, rows: git::ignore_entries },
    Table { schema: git::IgnoredValuesRow::schema, rows: git::ignored_values },
    Table { schema: command::CommandRow::schema, rows: command::commands },
    Table { schema: terraform::RootRow::schema, rows: terraform::roots },
    Table { schema: terraform::ResourceRow::schema, rows: terraform::resources },
    Table { schema: protection::ProtectionRow::schema, rows: protection::protections },
    Table { schema: terraform::ProvisionerRow::schema, rows: terraform::provisioners },
    Table { schema: terraform::RequirementRow::schema, rows: terraform::requirements },
    Table { schema: provider::ProviderSettingRow::schema, rows: provider::provider_settings },
    Table { schema: terraform::CallRow::schema, rows: terraform::calls },
    Table { schema: ansible::TaskRow::schema, rows: ansible::tasks },
    Table { schema: ansible::RequirementRow::schema, rows: ansible::requirements },
    Table { schema: ansible::ResetSwitchRow::schema, rows: ansible::reset_switches },
    Table { schema: container::ContainerRow::schema, rows: container::containers },
    Table { schema: guest::GuestChangeRow::schema, rows: guest::guest_changes },
    Table { schema: guest::FungibleRow::schema, rows: guest::fungible },
    Table { schema: guest::FactFlowRow::schema, rows: guest::fact_flows },
    Table { schema: container::ReclaimRow::schema, rows: container::reclaims },
    Table { schema: join::MachineRow::schema, rows: join::machines },
    Table { schema: join::StorageRow::schema, rows: join::storage },
    Table { schema: join::PlacementRow::schema, rows: join::placements },
    Table { schema: join::IdentityFactRow::schema, rows: join::identity_facts },
    Table { schema: join::OwnershipRow::schema, rows: join::ownerships },
    Table { schema: join::AdjustmentRow::schema, rows: join::adjustments },
    Table { schema: packer::SourceRow::schema, rows: packer::sources },
    Table { schema: packer::PluginRow::schema, rows: packer::plugins },
    Table { schema: packer::BuildRow::schema, rows: packer::builds },
    Table { schema: packer::BakedRow::schema, rows: packer::baked },
    Table { schema: agent::GrantRow::schema, rows: agent::grants },
    Table { schema: agent::BypassRow::schema, rows: agent::bypasses },
    Table { schema: agent::FileRow::schema, rows: agent::files },
    Table { schema: agent::ServerRow::schema, rows: agent::servers },
    Table { schema: agent::JobRow::schema, rows: agent::jobs },
    Table { schema: agent::InstructionsRow::schema, rows: agent::instructions },
    Table { schema: wiring::ImpureRow::schema, rows: wiring::impure_calls },
    Table { schema: wiring::FileReadRow::schema, rows: wiring::file_reads },
    Table { schema: wiring::VariableFileRow::schema, rows: wiring::variable_files },
    Table { schema: wiring::TieRow::schema, rows: wiring::data_ties },
    Table { schema: wiring::RemovedRow::schema, rows: wiring::removed },
    Table { schema: wiring::DataRow::schema, rows: wiring::data_sources },
    Table { schema: wiring::WrittenFileRow::schema, rows: wiring::written_files },
    Table { schema: wiring::ImplicitStorageRow::schema, rows: wiring::implicit_storage },
    Table { schema: wiring::ExposedRow::schema, rows: wiring::exposed },
    Table { schema: clash::CollisionRow::schema, rows: clash::collisions },
    Table { schema: clash::SharedStateRow::schema, rows: clash::shared_states },
    Table { schema: clash::CredentialRow::schema, rows: clash::credentials },
    Table { schema: backend::StateBackendRow::schema, rows: backend::backends },
    Table { schema: backend::SelfDependencyRow::schema, rows: backend::self_dependencies },
    Table { schema: backend::GrantRow::schema, rows: backend::grants },
    Table { schema: backend::KeptRow::schema, rows: backend::kept_states },
    Table { schema: clash::ArtifactRow::schema, rows: clash::artifacts },
    Table { schema: upkeep::FragileRow::schema, rows: upkeep::fragile },
    Table { schema: upkeep::RepairRow::schema, rows: upkeep::repairs },
    Table { schema: upkeep::LeftOutRow::schema, rows: upkeep::left_out },
    Table { schema: upkeep::ReconcilerRow::schema, rows: upkeep::reconcilers },
    Table { schema: upkeep::UncopiedRow::schema, rows: upkeep::uncopied },
    Table { schema: upkeep::RosterRow::schema, rows: upkeep::rosters },
    Table { schema: upkeep::MismatchRow::schema, rows: upkeep::mismatches },
    Table { schema: upkeep::StrayRow::schema, rows: upkeep::strays },
    Table { schema: habit::RunRow::schema, rows: habit::runs },
    Table { schema: habit::SettingRow::schema, rows: habit::settings },
    Table { schema: habit::FactCacheRow::schema, rows: habit::fact_caches },
    Table { schema: boot::FirstBootRow::schema, rows: boot::first_boots },
    Table { schema: boot::FormatRow::schema, rows: boot::formats },
    Table { schema: habit::EmbeddedRow::schema, rows: habit::embedded },
    Table { schema: loss::LossRow::schema, rows: loss::losses },
    Table { schema: lifecycle::SwitchRow::schema, rows: lifecycle::switches },
    Table { schema: lifecycle::NodeStoreRow::schema, rows: lifecycle::node_stores },
    Table { schema: lifecycle::MovingRow::schema, rows: lifecycle::moving },
    Table { schema: lifecycle::LiveInputRow::schema, rows: lifecycle::live_inputs },
    Table { schema: lifecycle::ContentRow::schema, rows: lifecycle::contents },
    Table { schema: lifecycle::SecretValueRow::schema, rows: lifecycle::secret_values },
    Table { schema: lifecycle::SharedRow::schema, rows: lifecycle::shared },
    Table { schema: lifecycle::LoadJobRow::schema, rows: lifecycle::load_jobs },
];
