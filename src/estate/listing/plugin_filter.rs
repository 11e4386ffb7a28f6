//! How plugins write which machines they take: the filters of AWS and Google, and selectors by labels.

use crate::model::ansible::Variables;
use crate::value::{Tri, Value};

/// One filter of AWS: any of the values, in which `*` and `?` stand for anything.
pub(super) fn aws(name: &str, wanted: &[&str], tags: &Value, variables: &Variables) -> Tri {
    let variable = |name: &str| {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let own = variables.iter().find(|(own, _)| **own == *first).map(|(_, value)| value.clone()).unwrap_or_default();
        if rest.is_empty() { own } else { own.get(rest) }
    };
    let own = match name {
        "instance-state-name" | "instance-state-code" => return Tri::True,
        "instance-type" => variable("instance_type"),
        "image-id" => variable("image_id"),
        "key-name" => variable("key_name"),
        "subnet-id" => variable("subnet_id"),
        "availability-zone" => variable("placement.availability_zone"),
        "tag-key" => {
            return wanted.iter().fold(Tri::False, |any, key| any.or(|| has(tags, key)));
        }
        _ => match name.strip_prefix("tag:") {
            Some(tag) => return is_any(tags, tag, wanted),
            None => return Tri::Unknown(format!("the filter `{name}` is not evaluated").into()),
        },
    };
    any(&own, wanted)
}

fn any(own: &Value, wanted: &[&str]) -> Tri {
    match own.scalar() {
        Some(text) => wanted.iter().any(|pattern| fits(pattern, &text)).into(),
        None => Tri::Unknown("the value is not known".into()),
    }
}

fn has(tags: &Value, key: &str) -> Tri {
    match tags.as_map() {
        _ if tags.is_absent() => Tri::False,
        Some(map) if map.get(key).is_some() => Tri::True,
        Some(map) if map.open.is_none() => Tri::False,
        _ => Tri::Unknown("the tags are not all known".into()),
    }
}

fn is_any(tags: &Value, key: &str, wanted: &[&str]) -> Tri {
    has(tags, key).and(|| any(&tags.get(key), wanted))
}

/// Whether a pattern with `*` and `?` fits the whole text.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read, mut star): (usize, usize, Option<(usize, usize)>) = (0, 0, None);
    while read < text.len() {
        if at < pattern.len() && (pattern[at] == '?' || pattern[at] == text[read]) && pattern[at] != '*' {
            (at, read) = (at + 1, read + 1);
        } else if at < pattern.len() && pattern[at] == '*' {
            star = Some((at, read));
            at += 1;
        } else if let Some((from, begun)) = star {
            star = Some((from, begun + 1));
            (at, read) = (from + 1, begun + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// One filter of Google, parts of which are joined by `AND`: `labels.role = db`, `labels.env:*`, `status = RUNNING`.
pub(super) fn gcp(filter: &str, labels: &Value) -> Tri {
    if filter.contains(" OR ") {
        return Tri::Unknown("alternatives are not evaluated".into());
    }
    filter.split(" AND ").fold(Tri::True, |all, part| {
        let part = part.trim().trim_start_matches('(').trim_end_matches(')');
        let found = ["!=", "=", ":", " eq ", " ne "].iter().find_map(|sign| Some((*sign, part.split_once(*sign)?)));
        let Some((sign, (name, value))) = found else {
            return all.and(|| Tri::Unknown(format!("the filter `{part}` is not evaluated").into()));
        };
        let value = value.trim().trim_matches(['"', '\'']);
        let holds = match name.trim().strip_prefix("labels.") {
            Some(label) => is_any(labels, label, &[value]),
            None if name.trim() == "status" => Tri::True,
            None => Tri::Unknown(format!("the filter `{part}` is not evaluated").into()),
        };
        all.and(|| if matches!(sign, "!=" | " ne ") { !holds } else { holds })
    })
}

/// A selector by labels: `role=db,env in (a,b),!old,tier!=web`.
pub(super) fn selector(text: &str, labels: &Value) -> Tri {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth <= 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    let one = |part: &str| {
        let part = part.trim();
        let set = |rest: &str| -> Vec<String> {
            rest.trim().trim_matches(['(', ')']).split(',').map(|one| one.trim().to_owned()).collect()
        };
        let among = |key: &str, rest: &str| {
            let wanted = set(rest);
            let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
            is_any(labels, key.trim(), &wanted)
        };
        if let Some((key, rest)) = part.split_once(" notin ") {
            return !among(key, rest);
        }
        if let Some((key, rest)) = part.split_once(" in ") {
            return among(key, rest);
        }
        if let Some((key, value)) = part.split_once("!=") {
            return !is_any(labels, key.trim(), &[value.trim()]);
        }
        if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            return is_any(labels, key.trim(), &[value.trim()]);
        }
        match part.strip_prefix('!') {
            Some(key) => !has(labels, key.trim()),
            None => has(labels, part),
        }
    };
    parts.into_iter().filter(|part| !part.trim().is_empty()).fold(Tri::True, |all, part| all.and(|| one(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Value {
        Value::map(vec![("role".into(), Value::known("db")), ("env".into(), Value::known("prod"))])
    }

    #[test]
    fn selectors_and_filters() {
        for (text, expected) in [
            ("role=db", true),
            ("role==db,env in (prod, dev)", true),
            ("role=web", false),
            ("env notin (prod)", false),
            ("!old", true),
            ("role", true),
            ("role!=db", false),
        ] {
            assert_eq!(selector(text, &labels()), expected.into(), "{text}");
        }
        for (text, expected) in [("labels.role = db", true), ("labels.role = web", false), ("labels.env:*", true)] {
            assert_eq!(gcp(text, &labels()), expected.into(), "{text}");
        }
        assert!(matches!(gcp("scheduling.preemptible = true", &labels()), Tri::Unknown(_)));
        for (name, wanted, expected) in
            [("tag:role", "d*", true), ("tag:role", "web", false), ("tag-key", "env", true), ("tag:x", "*", false)]
        {
            assert_eq!(aws(name, &[wanted], &labels(), &[]), expected.into(), "{name} {wanted}");
        }
        assert!(fits("a*c?", "abbcd") && !fits("a*c", "abcd") && fits("*", ""));
    }
}
