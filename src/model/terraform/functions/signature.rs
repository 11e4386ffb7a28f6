//! How many arguments each function takes.

use super::super::types::{self, Ty};

/// Any number from the first on.
const MANY: usize = usize::MAX;

/// The functions of Terraform and `OpenTofu` by the fewest and most arguments; a row holds names of one kind.
const ARITIES: [(usize, usize, &str); 11] = [
    (0, 0, "timestamp plantimestamp uuid"),
    (
        1,
        1,
        "abs abspath alltrue anytrue base64decode base64encode base64gunzip base64gzip base64sha256 base64sha512 basename can \
         ceil chomp cidrnetmask compact csvdecode dirname distinct ephemeralasnull file filebase64 filebase64sha256 \
         filebase64sha512 fileexists filemd5 filesha1 filesha256 filesha512 flatten floor issensitive jsondecode jsonencode \
         keys length lower md5 nonsensitive one pathexpand reverse sensitive sha1 sha256 sha512 signum sort strrev sum title \
         tobool tolist tomap tonumber toset tostring transpose trimspace type upper urldecode urlencode values yamldecode \
         yamlencode",
    ),
    (
        2,
        2,
        "chunklist cidrcontains cidrhost contains element endswith fileset formatdate indent index log parseint pow regex \
         regexall rsadecrypt split startswith strcontains templatestring textdecodebase64 textencodebase64 timeadd timecmp \
         trim trimprefix trimsuffix uuidv5 zipmap",
    ),
    (3, 3, "cidrsubnet matchkeys replace slice substr"),
    (1, 2, "bcrypt templatefile"),
    (2, 3, "lookup"),
    (1, 3, "range"),
    (0, MANY, "list map merge"),
    (1, MANY, "cidrsubnets coalesce coalescelist concat format formatlist max min setunion setintersection try"),
    (2, MANY, "join setproduct"),
    (2, 2, "setsubtract"),
];

/// Functions that always give a scalar of one type.
const RESULTS: [(&str, &str); 3] = [
    (
        "string",
        "abspath base64decode base64encode base64sha256 base64sha512 basename chomp cidrhost cidrnetmask cidrsubnet dirname \
         file filebase64 filemd5 filesha1 filesha256 filesha512 format formatdate indent join jsonencode lower md5 pathexpand \
         replace sha1 sha256 sha512 strrev substr timeadd timestamp title tostring trim trimprefix trimspace trimsuffix upper \
         urlencode uuid uuidv5 yamlencode",
    ),
    ("number", "abs ceil floor index length log max min parseint pow signum sum timecmp tonumber"),
    ("bool", "alltrue anytrue can contains endswith fileexists issensitive startswith strcontains tobool"),
];

/// The type of what a function gives, when it does not hang on its arguments.
pub(in super::super) fn returns(name: &str) -> Option<Ty> {
    let row = RESULTS.iter().find(|(_, names)| names.split_ascii_whitespace().any(|other| other == name))?;
    types::simple(row.0)
}

/// Every function by its name.
#[cfg(test)]
pub(in super::super) fn names() -> impl Iterator<Item = &'static str> {
    ARITIES.iter().flat_map(|(.., names)| names.split_ascii_whitespace())
}

/// Whether a function may be called with that many arguments; `None`: there is no such function.
pub(super) fn takes(name: &str, count: usize) -> Option<bool> {
    let row = ARITIES.iter().find(|(.., names)| names.split_ascii_whitespace().any(|other| other == name))?;
    Some((row.0..=row.1).contains(&count))
}
