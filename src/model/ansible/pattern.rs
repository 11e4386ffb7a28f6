//! Host patterns, as `hosts:` and `--limit` take them: `all`, names, globs, `~regex`, `a:b`, `a,b`, `!x`, `&x`, `group[0]`.

use super::inventory::{Merged, is_one};
use regex::Regex;
use std::collections::HashSet;
use std::sync::LazyLock;

/// A parsed host pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// In the order in which Ansible applies them: what is added, what is required, what is taken away.
    terms: Vec<Term>,
    /// Whether a part of it is a template, or a regular expression that is not understood, and thus unknown.
    pub dynamic: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    Or,
    And,
    Not,
}

#[derive(Debug, Clone)]
struct Term {
    sign: Sign,
    /// As written, without its sign.
    text: String,
    test: Test,
    /// `[0]`, `[1:3]`: which of the hosts in order.
    part: Option<(i64, Option<i64>)>,
}

#[derive(Debug, Clone)]
enum Test {
    All,
    Name(String),
    Regex(Regex),
}

/// Names that Ansible knows without any inventory.
const LOCALHOST: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

static PARTS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?:[^\s:\[\]]|\[[^\]]*\])+").ok());

static SUBSCRIPT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(.+)\[(?:(-?[0-9]+)|([0-9]+)[:-]([0-9]*))\]$").ok());

impl Pattern {
    /// Parses a pattern that is one text.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::of([text])
    }

    /// Parses the entries of a list, each of which may itself be several patterns.
    #[must_use]
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let (mut terms, mut dynamic) = (Vec::new(), false);
        for part in texts.into_iter().flat_map(split) {
            let term = term(part).filter(|_| !part.contains("{{"));
            dynamic |= term.is_none();
            terms.extend(term);
        }
        terms.sort_by_key(|term: &Term| term.sign);
        // With nothing added, the others choose among all.
        if !dynamic && terms.first().is_some_and(|term| term.sign != Sign::Or) {
            terms.insert(0, Term { sign: Sign::Or, text: "all".to_owned(), test: Test::All, part: None });
        }
        Self { terms, dynamic }
    }

    /// Whether a host of this name and these groups is meant. Which members `group[0]` means is not told without an inventory:
    /// all are.
    #[must_use]
    pub fn matches(&self, host: &str, groups: &[&str]) -> bool {
        let hit = |term: &Term| term.test.fits(host) || groups.iter().any(|group| term.test.fits(group));
        let of = |sign: Sign| self.terms.iter().filter(move |term| term.sign == sign);
        of(Sign::Or).any(hit) && of(Sign::And).all(hit) && !of(Sign::Not).any(|term| term.part.is_none() && hit(term))
    }

    /// The hosts of an inventory that are meant, in the order in which Ansible takes them, as far as no template chooses them.
    #[must_use]
    pub fn select(&self, inventory: &Merged<'_>) -> Vec<String> {
        let mut hosts: Vec<String> = Vec::new();
        for term in &self.terms {
            if term.sign == Sign::Or && term.part.is_none() && inventory.host(&term.text).is_some() {
                hosts.push(term.text.clone());
                continue;
            }
            // One that is out of range: Ansible refuses the whole pattern.
            let Some(found) = term.select(inventory) else { return Vec::new() };
            if term.sign == Sign::Or {
                hosts.extend(found);
            } else {
                let found: HashSet<String> = found.into_iter().collect();
                hosts.retain(|host| found.contains(host) == (term.sign == Sign::And));
            }
        }
        let mut seen = HashSet::new();
        hosts.retain(|host| seen.insert(host.clone()));
        hosts
    }

    /// Whether it means every host.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.terms.iter().any(|term| term.sign == Sign::Or && term.part.is_none() && matches!(term.test, Test::All))
    }

    /// The plain names in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(|term| match &term.test {
            Test::Name(name) if term.sign == Sign::Or => Some(name.as_str()),
            _ => None,
        })
    }
}

impl Test {
    fn fits(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Name(own) => own == name,
            Self::Regex(regex) => regex.is_match(name),
        }
    }
}

impl Term {
    fn select(&self, inventory: &Merged<'_>) -> Option<Vec<String>> {
        let groups: Vec<usize> = match &self.test {
            Test::All => vec![0],
            test => (0..inventory.groups.len()).filter(|at| test.fits(&inventory.groups[*at].name)).collect(),
        };
        let name = |host: usize| inventory.hosts[host].name.clone();
        let mut found: Vec<String> = groups.iter().flat_map(|group| inventory.members(*group)).map(name).collect();
        let several = matches!(self.test, Test::Regex(_)) || self.text.contains('.');
        if groups.is_empty() || several {
            found.extend(inventory.hosts.iter().map(|host| &host.name).filter(|name| self.test.fits(name)).cloned());
        }
        if let Test::Name(name) = &self.test
            && found.is_empty()
            && LOCALHOST.contains(&name.as_str())
        {
            found.push(name.clone());
        }
        match self.part {
            Some(part) => slice(&found, part),
            None => Some(found),
        }
    }
}

fn slice(hosts: &[String], (start, end): (i64, Option<i64>)) -> Option<Vec<String>> {
    if hosts.is_empty() {
        return Some(Vec::new());
    }
    let len = i64::try_from(hosts.len()).unwrap_or(i64::MAX);
    let one = |at: i64| (0..len).contains(&at).then_some((at, at + 1));
    let (first, last) = match end {
        Some(-1) => (start, len),
        // Ansible takes the end 0 for none.
        Some(end) if end != 0 => (start, end.saturating_add(1)),
        _ if start < 0 => one(len.saturating_add(start))?,
        _ => one(start)?,
    };
    let bound = |at: i64| usize::try_from(at.clamp(0, len)).unwrap_or(0);
    Some(hosts.get(bound(first)..bound(last)).unwrap_or_default().to_vec())
}

/// The parts of a pattern: at commas if there are any, else at colons and blanks outside brackets; an address or one host stays
/// whole. Commas and colons inside a template part nothing.
pub(super) fn split(text: &str) -> Vec<&str> {
    if text.contains("{{") {
        return around_templates(text);
    }
    let parts: Vec<&str> = if text.contains(',') {
        text.split(',').collect()
    } else if is_one(text) {
        vec![text]
    } else {
        PARTS.as_ref().map(|regex| regex.find_iter(text).map(|part| part.as_str()).collect()).unwrap_or_default()
    };
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn around_templates(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_i32);
    for (at, c) in text.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            ':' | ',' | ' ' | '\n' if depth <= 0 => {
                parts.push(text[start..at].trim());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn term(written: &str) -> Option<Term> {
    let (sign, text) = match written.as_bytes().first()? {
        b'!' => (Sign::Not, &written[1..]),
        b'&' => (Sign::And, &written[1..]),
        _ => (Sign::Or, written),
    };
    if let Some(regex) = text.strip_prefix('~') {
        let regex = Regex::new(&format!("^(?:{regex})")).ok()?;
        return Some(Term { sign, text: text.to_owned(), test: Test::Regex(regex), part: None });
    }
    let (text, part) = subscript(text);
    let meant = match text {
        "" => return None,
        "all" | "*" => Test::All,
        _ if text.contains(['*', '?', '[']) => Test::Regex(glob(text)?),
        _ => Test::Name(text.to_owned()),
    };
    Some(Term { sign, text: text.to_owned(), test: meant, part })
}

fn subscript(text: &str) -> (&str, Option<(i64, Option<i64>)>) {
    let Some(found) = SUBSCRIPT.as_ref().and_then(|regex| regex.captures(text)) else { return (text, None) };
    let number = |at: usize| found.get(at).and_then(|number| number.as_str().parse::<i64>().ok());
    let part = match (number(2), number(3)) {
        (Some(one), _) => Some((one, None)),
        (None, Some(start)) => Some((start, Some(number(4).unwrap_or(-1)))),
        _ => None,
    };
    match (found.get(1), part) {
        (Some(base), Some(part)) => (base.as_str(), Some(part)),
        _ => (text, None),
    }
}

/// A glob as Python's `fnmatch` translates it.
fn glob(text: &str) -> Option<Regex> {
    let mut regex = String::from("(?s)^");
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        let inner = rest.strip_prefix('!').unwrap_or(rest);
        // A bracket right at the beginning is one of the members.
        let close = inner.char_indices().skip(1).find(|(_, c)| *c == ']').map(|(at, _)| at);
        match (c, close) {
            ('*', _) => regex.push_str(".*"),
            ('?', _) => regex.push('.'),
            ('[', Some(close)) => {
                regex.push_str(if inner.len() < rest.len() { "[^" } else { "[" });
                for c in inner[..close].chars() {
                    if matches!(c, '\\' | '[' | ']' | '^' | '&' | '~') {
                        regex.push('\\');
                    }
                    regex.push(c);
                }
                regex.push(']');
                rest = &inner[close + 1..];
            }
            _ => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push('$');
    Regex::new(&regex).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_ansible_does() {
        for (pattern, host, groups, expected) in [
            ("all", "x", &[][..], true),
            ("minio-*", "minio-edge-1", &[][..], true),
            ("minio-[0-9]*", "minio-edge-1", &[][..], false),
            ("minio-[0-9]*", "minio-1", &[][..], true),
            ("minio-[!0-9]*", "minio-1", &[][..], false),
            ("db:!db-2", "db-2", &["db"][..], false),
            ("db:&prod", "db-1", &["db", "prod"][..], true),
            ("db:&prod", "db-1", &["db"][..], false),
            ("web,db", "db", &[][..], true),
            ("web db", "db", &[][..], true),
            ("~(web|db)\\d", "db1", &[][..], true),
            ("db[0]", "db-9", &["db"][..], true),
            ("db:!db[0]", "db-9", &["db"][..], true),
            ("!db", "web-1", &["web"][..], true),
            ("2001:db8::1", "2001:db8::1", &[][..], true),
            ("a{b,c}", "ab", &[][..], false),
        ] {
            assert_eq!(Pattern::parse(pattern).matches(host, groups), expected, "{pattern} {host}");
        }
        assert!(Pattern::parse("{{ target }}").dynamic);
        let partly = Pattern::parse("db:{{ x | default('a:b') }}:!old");
        assert!(partly.dynamic && partly.matches("db", &[]) && !partly.matches("old", &["db"]));
        assert!(!Pattern::parse("{{ x }}:!old").matches("web", &[]));
        assert!(Pattern::of(["web", "!~(?!a)b"]).dynamic);
        let list = Pattern::of(["a", "fe80::1", "!b"]);
        assert!(
            !list.dynamic && list.matches("fe80::1", &[]) && list.matches("a", &["c"]) && !list.matches("a", &["b"])
        );
    }
}
