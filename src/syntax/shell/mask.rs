//! Template expressions inside shell text, painted over at equal length so that offsets stay.

use super::repair::repair;
use crate::text::HOLE;

/// What stands for each byte of a painted expression: a word character to the grammar, absent from real scripts.
pub(super) const PAINT: char = '\u{1}';

/// How far an expression may reach before it is taken for ordinary text.
const REACH: usize = 2000;

/// The text with `{{ … }}`, `${{ … }}`, Terraform's `${a.b}` and [`HOLE`]s painted, and statements and comments of
/// templates blanked.
pub(super) fn mask(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '$', '%', HOLE]) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let escaped = out.ends_with('$') || out.ends_with('\\');
        let (length, paint) = expression(tail, escaped).unwrap_or((0, PAINT));
        if length == 0 {
            let width = tail.chars().next().map_or(1, char::len_utf8);
            out.push_str(&tail[..width]);
            rest = &tail[width..];
            continue;
        }
        for byte in tail[..length].bytes() {
            // Blanked statements keep their line breaks: what follows is a new command.
            out.push(if paint == ' ' && byte == b'\n' { '\n' } else { paint });
        }
        rest = &tail[length..];
    }
    out.push_str(rest);
    repair(out)
}

/// The length of the template expression that `tail` begins with, and what to paint it with.
fn expression(tail: &str, after_dollar: bool) -> Option<(usize, char)> {
    if tail.starts_with(HOLE) {
        return Some((HOLE.len_utf8(), PAINT));
    }
    if tail.starts_with("${{") {
        return Some((until(tail, "}}")?, PAINT));
    }
    if let Some(inner) = tail.strip_prefix("${") {
        return Some((terraform(inner)? + 2, PAINT));
    }
    if tail.starts_with("{{") && !after_dollar {
        return Some((until(tail, "}}")?, PAINT));
    }
    if tail.starts_with("{%") && !after_dollar {
        return Some((until(tail, "%}")?, ' '));
    }
    if tail.starts_with("{#") && !after_dollar {
        return Some((until(tail, "#}")?, ' '));
    }
    let directive = tail.strip_prefix("%{")?.trim_start_matches(['~', ' ']);
    let known = ["if ", "else", "endif", "for ", "endfor"].iter().any(|word| directive.starts_with(word));
    if known { Some((until(tail, "}")?, ' ')) } else { None }
}

fn until(tail: &str, close: &str) -> Option<usize> {
    let end = tail.find(close)? + close.len();
    (end <= REACH).then_some(end)
}

/// The length of `a.b…}` or `f(…)}` after `${`; shell expansions have no dot or parenthesis after the name.
fn terraform(inner: &str) -> Option<usize> {
    let name = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    if name == 0 || !inner[name..].starts_with(['.', '(']) {
        return None;
    }
    let mut depth = 0_u32;
    for (at, byte) in inner.bytes().enumerate().take(REACH) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at + 1),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_stay() {
        for text in [
            "a {{ b }} c",
            "${{ x }}",
            "${var.a}/b",
            "{% if x %}\ny",
            "ä{{ö}}ü",
            "${f({a=1})}",
            "a\u{F8FF}b",
            "{{ open",
            "%{ if x }y%{ endif }",
        ] {
            let masked = mask(text);
            assert_eq!(masked.len(), text.len(), "{text}");
        }
        assert_eq!(mask("${a:-{b}} ${#x} ${x[0]} %{http_code}"), "${a:-{b}} ${#x} ${x[0]} %{http_code}");
        assert_eq!(mask("{% if x %}\ny"), "          \ny");
        assert_eq!(mask("-{{ x }}-"), format!("-{}-", "\u{1}".repeat(7)));
    }
}
