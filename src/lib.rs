//! Stateward: who owns which state, judged over Terraform, Ansible, Packer and the commands around them.
//!
//! Data flows one way: [`source`] → [`syntax`] → [`model`] → [`estate`] → [`engine`] (with the [`rule`]s) → [`report`].

pub mod chart;
pub mod cli;
pub mod config;
pub mod diag;
pub mod engine;
pub mod estate;
pub mod knowledge;
pub mod model;
pub mod report;
pub mod rule;
pub mod source;
pub mod syntax;
pub mod text;
pub mod value;
