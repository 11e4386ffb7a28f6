//! Makefiles: variables, targets, recipes.
