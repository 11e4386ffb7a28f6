//! The map as one page that needs nothing else: no network, no other file.

use super::{Atlas, json};
use std::io::{self, Write};

/// The page; what is between the marks is put in.
const PAGE: &str = include_str!("page.html");
const MARK: &str = "{{map}}";

/// Writes the page.
///
/// # Errors
/// When `out` refuses.
pub fn write(atlas: &Atlas<'_>, out: &mut impl Write) -> io::Result<()> {
    let (before, after) = PAGE.split_once(MARK).unwrap_or((PAGE, ""));
    out.write_all(before.as_bytes())?;
    out.write_all(json::embedded(atlas)?.as_bytes())?;
    out.write_all(after.as_bytes())
}
