//! Applying rules to facts.

pub mod suppress;
