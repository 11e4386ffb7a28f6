//! What stands for hosts in an inventory: a name or address with an optional port, and ranges in it.

use regex::Regex;
use std::sync::LazyLock;

/// No range is expanded beyond this.
pub(super) const MAX_RANGE: usize = 4096;

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static PORTS: LazyLock<[Option<Regex>; 2]> = LazyLock::new(|| {
    [r"^\[(.+)\]:([0-9]+)$", r"^((?:[^:\[\]]|\[[^\]]*\])*):([0-9]+)$"].map(|text| Regex::new(text).ok())
});

/// IPv4, IPv6 and names, each with ranges, as Ansible knows them.
static ADDRESSES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let four = r"(?:[01]?[0-9]{1,2}|2[0-4][0-9]|25[0-5]|\[(?:[0-9]+:[0-9]+)(?::[0-9]+)?\])";
    let six = r"(?:[0-9a-f]{1,4}|\[(?:[0-9a-f]+:[0-9a-f]+)(?::[0-9]+)?\])";
    let range = r"\[(?:[a-z]:[a-z]|[0-9]+:[0-9]+)(?::[0-9]+)?\]";
    // A label may hold `_` and `-`, and ends with neither.
    let last = format!(r"(?:[\w--_]|{range})");
    let label = format!(r"(?:(?:\w|{range})(?:[\w-]|{range})*{last}|{last})");
    let shapes = [
        format!("{six}(?::{six}){{7}}"),
        format!("(?:{six}:){{1,6}}:"),
        format!("(?:{six}:)(?::{six}){{1,6}}"),
        format!("(?:{six}:){{2}}(?::{six}){{1,5}}"),
        format!("(?:{six}:){{3}}(?::{six}){{1,4}}"),
        format!("(?:{six}:){{4}}(?::{six}){{1,3}}"),
        format!("(?:{six}:){{5}}(?::{six}){{1,2}}"),
        format!("(?:{six}:){{6}}(?::{six})"),
        format!(":(?::{six}){{1,6}}"),
        format!("{six}?::"),
        format!(r"(?:0:){{6}}(?:{six}\.){{3}}{six}"),
        format!(r"::(?:ffff:)?(?:{six}\.){{3}}{six}"),
        format!(r"(?:0:){{5}}ffff:(?:{six}\.){{3}}{six}"),
    ];
    let all = [
        format!(r"(?i)^(?:{four}\.){{3}}{four}$"),
        format!("(?i)^(?:{})$", shapes.join("|")),
        format!(r"(?i)^{label}(?:\.{label})*$"),
    ];
    all.iter().filter_map(|text| Regex::new(text).ok()).collect()
});

/// Whether Ansible takes the text for one host, ranges and a port allowed, not for several joined by `:`.
pub(crate) fn is_one(text: &str) -> bool {
    let (bare, _) = without_port(text);
    ADDRESSES.iter().any(|regex| regex.is_match(bare))
}

fn without_port(text: &str) -> (&str, Option<u32>) {
    let (mut bare, mut port) = (text, None);
    for regex in PORTS.iter().flatten() {
        let found = regex.captures(bare).and_then(|found| Some((found.get(1)?.as_str(), found.get(2)?.as_str())));
        if let Some((host, digits)) = found {
            (bare, port) = (host, digits.parse().ok());
        }
    }
    (bare, port)
}

/// The hosts that a pattern stands for, and their port.
pub(super) fn hosts(pattern: &str) -> Result<(Vec<String>, Option<u32>), String> {
    let (bare, port) = without_port(pattern);
    let known = ADDRESSES.iter().any(|regex| regex.is_match(bare));
    let (bare, port) = if known { (bare, port) } else { (pattern, None) };
    let mut names = Vec::new();
    expand(bare, &mut names)?;
    Ok((names, port))
}

/// `db[01:03].lan` → `db01.lan`, `db02.lan`, `db03.lan`; letters too, and steps.
fn expand(pattern: &str, names: &mut Vec<String>) -> Result<(), String> {
    if !pattern.contains('[') {
        names.push(pattern.to_owned());
        return Ok(());
    }
    let open = || format!("`{pattern}` has a bracket that makes no range");
    let (head, rest) = pattern.split_once('[').ok_or_else(open)?;
    let (range, tail) = rest.split_once(']').ok_or_else(open)?;
    let bounds: Vec<&str> = range.split(':').collect();
    let (first, last, step) = match bounds[..] {
        [first, last] => (first, last, "1"),
        [first, last, step] => (first, last, step),
        _ => return Err(format!("the range `[{range}]` is no `first:last` or `first:last:step`")),
    };
    let first = if first.is_empty() { "0" } else { first };
    let width = if first.starts_with('0') && first.len() > 1 { first.len() } else { 0 };
    if last.is_empty() || width > 0 && width != last.len() {
        return Err(format!("the range `[{range}]` lacks its end, or the two have different lengths"));
    }
    let step: usize = step.parse().ok().filter(|step| *step > 0).ok_or_else(|| format!("`{step}` is no step"))?;
    let each: Vec<String> = match (LETTERS.find(first), LETTERS.find(last)) {
        (Some(from), Some(to)) if from > to => return Err(format!("the range `[{range}]` begins after its end")),
        (Some(from), Some(to)) => LETTERS[from..=to].chars().step_by(step).map(String::from).collect(),
        _ => {
            let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is no number"));
            let numbers = (number(first)?..=number(last)?).step_by(step).take(MAX_RANGE);
            numbers.map(|number| format!("{number:0width$}")).collect()
        }
    };
    for part in each {
        if names.len() >= MAX_RANGE {
            break;
        }
        expand(&format!("{head}{part}{tail}"), names)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pattern: &str) -> Vec<String> {
        hosts(pattern).unwrap().0
    }

    #[test]
    fn ranges() {
        assert_eq!(names("db[01:03].lan"), ["db01.lan", "db02.lan", "db03.lan"]);
        assert_eq!(names("db-[a:e:2]"), ["db-a", "db-c", "db-e"]);
        assert_eq!(names("r[1:2]-[x:y]"), ["r1-x", "r1-y", "r2-x", "r2-y"]);
        assert_eq!(names("n[:2]"), ["n0", "n1", "n2"]);
        assert_eq!(names("plain"), ["plain"]);
        assert_eq!(names("x[1:9999999]").len(), MAX_RANGE);
        assert_eq!(names("x[1:99999][1:99999]").len(), MAX_RANGE);
        for wrong in ["x[1]", "x[01:3]", "x[1:]", "x[1:3:0]", "x[c:a]", "x["] {
            assert!(hosts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ports() {
        for (pattern, host, port) in [
            ("web:2222", "web", Some(2222)),
            ("10.0.0.1:22", "10.0.0.1", Some(22)),
            ("[2001:db8::1]:22", "2001:db8::1", Some(22)),
            ("2001:db8::1", "2001:db8::1", None),
            ("odd_:22", "odd_:22", None),
            ("a_b-c.example.org", "a_b-c.example.org", None),
        ] {
            assert_eq!(hosts(pattern), Ok((vec![host.to_owned()], port)), "{pattern}");
        }
        assert!(is_one("db[1:3]:22") && !is_one("web:db") && !is_one("web*"));
    }
}
