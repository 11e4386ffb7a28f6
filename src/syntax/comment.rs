//! Comments of every language, for suppressions and annotations.
