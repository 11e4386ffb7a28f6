//! Base64 and hashes.

use super::super::ops::plain;
use super::super::val::{Res, V, Val};
use super::{Args, Row, string, within};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, Engine as _};
use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::{Sha224, Sha256, Sha384, Sha512};
use std::fmt::Write as _;

pub(super) const FILTERS: &[Row] = &[
    ("b64encode", &["encoding", "urlsafe"], b64encode),
    ("b64decode", &["encoding", "urlsafe"], b64decode),
    ("hash", &["hashtype"], |of, args| {
        let kind = args.text("hashtype")?.unwrap_or_else(|| "sha1".into());
        hash(of, &kind)
    }),
    ("md5", &[], |of, _| hash(of, "md5")),
    ("sha1", &[], |of, _| hash(of, "sha1")),
    ("checksum", &[], |of, _| hash(of, "sha1")),
    ("to_uuid", &["namespace"], uuid),
];

fn utf8(args: &Args<'_>) -> Res<()> {
    match args.text("encoding")?.as_deref() {
        None | Some("utf-8" | "utf8" | "UTF-8") => Ok(()),
        Some(other) => Err(format!("the encoding `{other}` is not evaluated").into()),
    }
}

fn b64encode(of: &Val, args: &Args<'_>) -> Res {
    utf8(args)?;
    let text = plain(of)?;
    within(if args.flag("urlsafe", false)? { BASE64_URL_SAFE.encode(&*text) } else { BASE64_STANDARD.encode(&*text) })
}

fn b64decode(of: &Val, args: &Args<'_>) -> Res {
    utf8(args)?;
    let text = string(of)?;
    // Python leaves out what is no letter of the alphabet.
    let text: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || "+/=-_".contains(*c)).collect();
    let decoded =
        if args.flag("urlsafe", false)? { BASE64_URL_SAFE.decode(text) } else { BASE64_STANDARD.decode(text) };
    let decoded = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.map(Into::into).ok_or_else(|| "it is no Base64 of a text".into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn hash(of: &Val, kind: &str) -> Res {
    let text = match &of.v {
        V::List(_) | V::Map(_) => return Err(of.not("string")),
        _ => plain(of)?,
    };
    let bytes = text.as_bytes();
    Ok(match kind {
        "md5" => hex(&Md5::digest(bytes)),
        "sha1" => hex(&Sha1::digest(bytes)),
        "sha224" => hex(&Sha224::digest(bytes)),
        "sha256" => hex(&Sha256::digest(bytes)),
        "sha384" => hex(&Sha384::digest(bytes)),
        "sha512" => hex(&Sha512::digest(bytes)),
        _ => return Err(format!("the hash `{kind}` is not evaluated").into()),
    }
    .into())
}

/// A UUID of version 5, in Ansible's namespace unless another one is named.
fn uuid(of: &Val, args: &Args<'_>) -> Res {
    let namespace = args.text("namespace")?.unwrap_or_else(|| "361E6D51-FAEC-444A-9079-341386DA8E2E".into());
    let digits: String = namespace.chars().filter(|c| *c != '-').collect();
    let namespace =
        u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32).ok_or("the namespace is no UUID")?;
    let text = plain(of)?;
    let mut bytes = [&namespace.to_be_bytes()[..], text.as_bytes()].concat();
    bytes = Sha1::digest(&bytes).to_vec();
    bytes.truncate(16);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes);
    Ok(format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]).into())
}
