//! Hashes, of strings and of files.

use super::{Args, Returned, Stop, text};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::fmt::Write as _;

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Returned> {
    if name == "uuidv5" {
        return Some(uuidv5(args));
    }
    hashes(name).then(|| args.text(0).and_then(|plain| of_text(name, &plain)))
}

fn hashes(name: &str) -> bool {
    matches!(name, "md5" | "sha1" | "sha256" | "sha512" | "base64sha256" | "base64sha512")
}

/// A text hashed by the function of that name.
pub(super) fn of_text(name: &str, plain: &str) -> Returned {
    let plain = plain.as_bytes();
    let hashed = match name {
        "md5" => hex(&Md5::digest(plain)),
        "sha1" => hex(&Sha1::digest(plain)),
        "sha256" => hex(&Sha256::digest(plain)),
        "sha512" => hex(&Sha512::digest(plain)),
        "base64sha256" => BASE64_STANDARD.encode(Sha256::digest(plain)),
        "base64sha512" => BASE64_STANDARD.encode(Sha512::digest(plain)),
        _ => return Err(Stop::Unknown(format!("{name}() is not evaluated").into())),
    };
    Ok(text(&hashed))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The bytes of a UUID: as usual, in braces, as a URN, or without hyphens.
fn parsed(uuid: &str) -> Option<[u8; 16]> {
    let braced = uuid.strip_prefix('{').and_then(|inner| inner.strip_suffix('}'));
    let urn = uuid.get(..9).filter(|prefix| prefix.eq_ignore_ascii_case("urn:uuid:")).and_then(|_| uuid.get(9..));
    let plain = braced.or(urn).unwrap_or(uuid);
    let groups: Vec<&str> = plain.split('-').collect();
    let bare = groups.len() == 1 && plain.len() == uuid.len();
    let fits = bare || groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]);
    let digits = groups.concat();
    let hexadecimal = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !fits || !hexadecimal {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

fn uuidv5(args: &Args<'_>) -> Returned {
    let namespace = args.text(0)?;
    let well_known = |last: &str| parsed(&format!("6ba7b81{last}-9dad-11d1-80b4-00c04fd430c8"));
    let namespace = match &*namespace {
        "dns" => well_known("0"),
        "url" => well_known("1"),
        "oid" => well_known("2"),
        "x500" => well_known("4"),
        other => parsed(other),
    };
    let namespace = namespace.ok_or(Stop::Error("the namespace is no UUID".into()))?;
    let hash = Sha1::new().chain_update(namespace).chain_update(args.text(1)?.as_bytes()).finalize();
    let bytes = hash.iter().take(16).enumerate().map(|(at, byte)| match at {
        // The version and the variant.
        6 => byte & 0x0f | 0x50,
        8 => byte & 0x3f | 0x80,
        _ => *byte,
    });
    let digits = hex(&bytes.collect::<Vec<u8>>());
    let group = |from: usize, to: usize| digits.get(from..to).unwrap_or("");
    Ok(text(&[group(0, 8), group(8, 12), group(12, 16), group(16, 20), group(20, 32)].join("-")))
}
