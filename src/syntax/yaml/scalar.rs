//! What a plain scalar means.

/// What a scalar means by the YAML 1.1 rules that Ansible follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// `null`, `~`, nothing.
    Null,
    /// `true`, `yes`, `off`…
    Bool(bool),
    /// `8`, `0644` (octal), `0x1f`, `1_000`, `1.5`.
    Number(f64),
    /// Anything else: its text.
    Str,
}

/// The scalar rules of YAML 1.1 as `PyYAML` implements them.
pub(super) fn resolve_plain(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        _ => resolve_number(text).map_or(Scalar::Str, Scalar::Number),
    }
}

fn resolve_number(text: &str) -> Option<f64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if let ".inf" | ".Inf" | ".INF" = digits {
        return Some(sign * f64::INFINITY);
    }
    if let ".nan" | ".NaN" | ".NAN" = text {
        return Some(f64::NAN);
    }
    let first = digits.bytes().next()?;
    if !first.is_ascii_digit() && first != b'.' || digits.len() > 64 {
        return None;
    }
    let plain: String = digits.chars().filter(|c| *c != '_').collect();
    let number = if digits.contains(':') {
        sexagesimal(&plain)
    } else if digits.contains('.') {
        decimal(digits, &plain, first == b'.' && digits.len() != text.len())
    } else {
        integer(&plain)
    };
    number.map(|number| sign * number)
}

fn decimal(digits: &str, plain: &str, signed_point: bool) -> Option<f64> {
    let (whole, rest) = digits.split_once('.')?;
    let exponent = rest.find(['e', 'E']);
    let fraction = &rest[..exponent.unwrap_or(rest.len())];
    let digit = |c: u8| c.is_ascii_digit() || c == b'_';
    // `.` needs a digit after it when none stands before it; an exponent needs its sign.
    let starts = !whole.is_empty() || fraction.bytes().next().is_some_and(|c| c.is_ascii_digit()) && !signed_point;
    let scaled = exponent.is_none_or(|at| {
        let power = &rest[at + 1..];
        power.len() > 1 && power.starts_with(['+', '-']) && power.bytes().skip(1).all(|c| c.is_ascii_digit())
    });
    (starts && scaled && whole.bytes().all(digit) && fraction.bytes().all(digit)).then(|| plain.parse().ok()).flatten()
}

#[expect(clippy::cast_precision_loss, reason = "numbers are compared, not computed with, beyond 2^53")]
fn integer(plain: &str) -> Option<f64> {
    let radix = |digits: &str, radix| u64::from_str_radix(digits, radix).ok().map(|n| n as f64);
    if let Some(bits) = plain.strip_prefix("0b") {
        return radix(bits, 2);
    }
    if let Some(hex) = plain.strip_prefix("0x") {
        return radix(hex, 16);
    }
    match plain.strip_prefix('0') {
        Some("") => Some(0.0),
        Some(octal) => radix(octal, 8),
        None if plain.bytes().all(|c| c.is_ascii_digit()) => plain.parse().ok(),
        None => None,
    }
}

fn sexagesimal(plain: &str) -> Option<f64> {
    let mut parts = plain.split(':');
    let first = parts.next()?;
    let whole = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    let fraction = plain.contains('.');
    if !whole(first) || first.starts_with('0') && !fraction {
        return None;
    }
    let mut total: f64 = first.parse().ok()?;
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        let (units, after) = if last { part.split_once('.').unwrap_or((part, "")) } else { (part, "") };
        if !whole(units)
            || units.len() > 2
            || units.len() == 2 && units.as_bytes()[0] > b'5'
            || !after.bytes().all(|c| c.is_ascii_digit())
        {
            return None;
        }
        total = total * 60.0 + part.parse::<f64>().ok()?;
    }
    Some(total)
}

/// Whether a bare word is a number.
pub(crate) fn is_number(text: &str) -> bool {
    resolve_number(text).is_some()
}
