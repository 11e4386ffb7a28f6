//! The map as one page that needs nothing else: no network, no library, no other file.

use super::{Atlas, json};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::io::{self, Write};

/// The page; each `{{name}}` in it is a part that is put in.
const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
/// One module, in the order of the files: what a file names stands in those before it.
const SCRIPT: [&str; 5] = [
    include_str!("page/data.js"),
    include_str!("page/state.js"),
    include_str!("page/rows.js"),
    include_str!("page/panel.js"),
    include_str!("page/main.js"),
];

/// Writes the page.
///
/// # Errors
/// When `out` refuses.
pub fn write(atlas: &Atlas<'_>, out: &mut impl Write) -> io::Result<()> {
    let script = SCRIPT.join("\n");
    let mut rest = PAGE;
    // Each mark is looked for in the page only, never in what was put in: data cannot name a part.
    while let Some((before, (name, after))) = rest.split_once("{{").and_then(|(a, b)| Some((a, b.split_once("}}")?))) {
        out.write_all(before.as_bytes())?;
        out.write_all(part(name, &script, atlas)?.as_bytes())?;
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

fn part<'a>(name: &str, script: &'a str, atlas: &Atlas<'_>) -> io::Result<Cow<'a, str>> {
    Ok(match name {
        "style" => Cow::Borrowed(STYLE),
        "script" => Cow::Borrowed(script),
        "style-hash" => Cow::Owned(digest(STYLE)),
        "script-hash" => Cow::Owned(digest(script)),
        "map" => Cow::Owned(json::embedded(atlas)?),
        _ => Cow::Borrowed(""),
    })
}

/// The hash by which the page's policy names its own style or script, and so nothing else.
fn digest(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text.as_bytes())))
}
