//! Findings to bytes, a file a format.
