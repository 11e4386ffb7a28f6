//! JSON and JSON with comments, into the YAML tree.
