//! Applying rules to facts.
