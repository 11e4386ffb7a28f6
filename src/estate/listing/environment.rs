//! Whether two paths are of different environments: what is production's is not the test's, whatever its name.

/// Words for each environment in paths.
const WORDS: [&[&str]; 4] = [
    &["prod", "production", "prd", "live"],
    &["staging", "stage", "stg", "preprod", "uat"],
    &["dev", "devel", "development"],
    &["test", "testing", "tst", "qa"],
];

fn named(path: &str) -> [bool; WORDS.len()] {
    let mut found = [false; WORDS.len()];
    for word in path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() > 1) {
        let word = word.to_ascii_lowercase();
        for (at, words) in WORDS.iter().enumerate() {
            found[at] |= words.contains(&word.as_str());
        }
    }
    found
}

/// Whether both paths name environments, and none in common.
pub(in crate::estate) fn differ(a: &str, b: &str) -> bool {
    let (a, b) = (named(a), named(b));
    let any = |found: &[bool]| found.iter().any(|one| *one);
    any(&a) && any(&b) && !a.iter().zip(&b).any(|(a, b)| *a && *b)
}

#[cfg(test)]
mod tests {
    use super::differ;

    #[test]
    fn environments_by_their_words() {
        for (a, b, expected) in [
            ("inventories/prod/hosts.ini", "terraform/envs/dev", true),
            ("inventories/production.yml", "terraform/envs/acme-prod", false),
            ("inventory/hosts.ini", "terraform/envs/dev", false),
            ("inventory/staging", "terraform/uat", false),
            ("inventory/stages/hosts", "terraform/dev", false),
            ("inventory/prod-and-dev", "terraform/dev", false),
        ] {
            assert_eq!(differ(a, b), expected, "{a} {b}");
        }
    }
}
