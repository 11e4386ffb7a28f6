//! The join: hosts, services, data, storage and its fate, owners.

pub mod machine;
pub mod placement;
