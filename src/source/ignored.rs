//! `.gitignore` semantics.
