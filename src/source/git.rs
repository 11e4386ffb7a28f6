//! What Git tracks.
