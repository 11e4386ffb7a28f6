//! The join: hosts, services, data, storage and its fate, owners.
