//! What each tool declares, resolved as that tool would.
