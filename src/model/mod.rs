//! What each tool declares, resolved as that tool would.

pub mod agents;
pub mod annotation;
pub mod ansible;
pub mod command;
pub mod git;
pub mod kind;
pub mod load;
pub mod nomad;
pub mod packer;
pub mod terraform;
