//! Host patterns, as `hosts:` takes them: `all`, names, globs, ranges of characters, `:`/`,`, `!`, `&`, `~regex`.

use globset::{GlobBuilder, GlobMatcher};
use regex::Regex;

/// A parsed host pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    terms: Vec<(Sign, Term)>,
    /// Whether a part of it is a template and thus unknown.
    pub dynamic: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Or,
    And,
    Not,
}

#[derive(Debug, Clone)]
enum Term {
    All,
    Name(String),
    Glob(GlobMatcher),
    Regex(Regex),
}

impl Pattern {
    /// Parses a pattern; a part that cannot be parsed matches nothing.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut terms = Vec::new();
        let mut dynamic = false;
        for part in split(text) {
            if part.contains("{{") {
                dynamic = true;
                continue;
            }
            let (sign, rest) = match part.as_bytes().first() {
                Some(b'!') => (Sign::Not, &part[1..]),
                Some(b'&') => (Sign::And, &part[1..]),
                _ => (Sign::Or, part),
            };
            // `web[0]`, `web[0:2]`: which members is not told without an order; the group is.
            let rest = rest
                .split_once('[')
                .filter(|(_, tail)| {
                    tail.trim_end_matches(']').chars().all(|c| c.is_ascii_digit() || c == ':' || c == '-')
                        && !tail.is_empty()
                        && !rest.contains(['*', '?'])
                })
                .map_or(rest, |(group, _)| group);
            terms.extend(term(rest).map(|term| (sign, term)));
        }
        Self { terms, dynamic }
    }

    /// Whether a host of this name and these groups is meant.
    #[must_use]
    pub fn matches(&self, host: &str, groups: &[&str]) -> bool {
        let hit = |term: &Term| match term {
            Term::All => true,
            Term::Name(name) => name == host || groups.contains(&name.as_str()),
            Term::Glob(glob) => glob.is_match(host) || groups.iter().any(|group| glob.is_match(group)),
            Term::Regex(regex) => regex.is_match(host) || groups.iter().any(|group| regex.is_match(group)),
        };
        let of = |sign: Sign| self.terms.iter().filter(move |(own, _)| *own == sign);
        of(Sign::Or).any(|(_, term)| hit(term))
            && of(Sign::And).all(|(_, term)| hit(term))
            && !of(Sign::Not).any(|(_, term)| hit(term))
    }

    /// Whether it means every host.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.terms.iter().any(|(sign, term)| *sign == Sign::Or && matches!(term, Term::All))
    }

    /// The plain names in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(|(sign, term)| match term {
            Term::Name(name) if *sign == Sign::Or => Some(name.as_str()),
            _ => None,
        })
    }
}

/// Splits at `:` and `,` outside brackets; an address with several colons stays whole.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_i32);
    for (at, c) in text.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            ':' | ',' if depth <= 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn term(text: &str) -> Option<Term> {
    if text == "all" || text == "*" {
        return Some(Term::All);
    }
    if let Some(regex) = text.strip_prefix('~') {
        return Regex::new(&format!("^(?:{regex})")).ok().map(Term::Regex);
    }
    if text.contains(['*', '?', '[']) {
        let glob = GlobBuilder::new(text).literal_separator(false).build().ok()?;
        return Some(Term::Glob(glob.compile_matcher()));
    }
    Some(Term::Name(text.to_owned()))
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
            ("db:!db-2", "db-2", &["db"][..], false),
            ("db:&prod", "db-1", &["db", "prod"][..], true),
            ("db:&prod", "db-1", &["db"][..], false),
            ("web,db", "db", &[][..], true),
            ("~(web|db)\\d", "db1", &[][..], true),
            ("db[0]", "db-9", &["db"][..], true),
        ] {
            assert_eq!(Pattern::parse(pattern).matches(host, groups), expected, "{pattern} {host}");
        }
        assert!(Pattern::parse("{{ target }}").dynamic);
    }
}
