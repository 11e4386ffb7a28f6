//! What state and plans look like, whatever their files are called: by the members at the top of a JSON object, by the
//! first entry of an archive.

/// What a state file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateContent {
    /// State with resources.
    State,
    /// State that lists none.
    EmptyState,
    /// State as `terraform show -json` prints it.
    Shown,
    /// State or a plan that OpenTofu has encrypted.
    Encrypted,
    /// What `init` notes of a backend, its credentials among it.
    BackendCache,
    /// A plan.
    Plan,
    /// A pointer to what Git LFS keeps.
    Pointer,
    /// No byte at all.
    Nothing,
    /// Something else of that name.
    Other,
}

/// Every word for what a state file holds.
pub const STATE_CONTENTS: [&str; 9] =
    ["state", "empty-state", "shown-state", "encrypted", "backend-cache", "plan", "pointer", "nothing", "other"];

impl StateContent {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::EmptyState => "empty-state",
            Self::Shown => "shown-state",
            Self::Encrypted => "encrypted",
            Self::BackendCache => "backend-cache",
            Self::Plan => "plan",
            Self::Pointer => "pointer",
            Self::Nothing => "nothing",
            Self::Other => "other",
        }
    }
}

/// The first line of every pointer of Git LFS.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Whether these are the first bytes of a pointer of Git LFS.
#[must_use]
pub fn is_pointer(head: &[u8]) -> bool {
    head.starts_with(POINTER)
}

/// How many bytes a pointer of Git LFS stands for.
#[must_use]
pub fn pointer_size(head: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(head).ok().filter(|_| is_pointer(head))?;
    text.lines().find_map(|line| line.strip_prefix("size ")?.trim().parse().ok())
}

/// What a file with a name of state or of a plan holds, by its beginning (or all of it).
#[must_use]
pub fn of_named(head: &[u8], plan: bool) -> StateContent {
    if head.is_empty() {
        return StateContent::Nothing;
    }
    if is_pointer(head) {
        return StateContent::Pointer;
    }
    recognise(head).unwrap_or_else(|| {
        let text = String::from_utf8_lossy(head);
        let printed = plan && text.contains("Terraform will perform the following actions");
        if printed { StateContent::Plan } else { StateContent::Other }
    })
}

/// State or a plan, by its beginning (or all of it), whatever the file is called.
#[must_use]
pub fn recognise(bytes: &[u8]) -> Option<StateContent> {
    if is_plan_archive(bytes) {
        return Some(StateContent::Plan);
    }
    // A shell of Windows writes what it redirects in two bytes a character.
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let narrow: Vec<u8> = bytes[2..].iter().copied().filter(|byte| *byte != 0).collect();
        return of_text(&String::from_utf8_lossy(&narrow));
    }
    of_text(&String::from_utf8_lossy(bytes))
}

/// A plan is an archive whose first entry is `tfplan`; before release 0.12 it began with that word.
fn is_plan_archive(bytes: &[u8]) -> bool {
    const ENTRY_NAME: usize = 30;
    let archive = bytes.starts_with(b"PK\x03\x04")
        && bytes
            .get(ENTRY_NAME..)
            .is_some_and(|name| [&b"tfplan"[..], b"tfstate", b"tfconfig/"].iter().any(|entry| name.starts_with(entry)));
    archive || bytes.starts_with(b"tfplan\x01") || bytes.starts_with(b"tfplan\x02")
}

/// The same for a text.
#[must_use]
pub fn of_text(text: &str) -> Option<StateContent> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let has = |needle: &str| memchr::memmem::find(text.as_bytes(), needle.as_bytes()).is_some();
    let likely = ["\"lineage\"", "\"serial\"", "\"encrypted_data\"", "\"format_version\""].iter().any(|key| has(key));
    if !text.starts_with('{') || !likely {
        return None;
    }
    let members = members(text);
    let named = |name: &str| members.iter().any(|(key, _)| *key == name);
    if named("encrypted_data") && (named("encryption_version") || named("meta")) {
        return Some(StateContent::Encrypted);
    }
    if named("format_version") {
        if named("planned_values") || named("resource_changes") {
            return Some(StateContent::Plan);
        }
        return (named("terraform_version") && named("values")).then_some(StateContent::Shown);
    }
    let numbered = named("version") && named("serial");
    let current = named("lineage") && (named("terraform_version") || named("resources") || named("modules"));
    if !numbered || !current && !named("modules") {
        return None;
    }
    let resources = lists_resources(text, &members);
    Some(match (resources, named("backend")) {
        (true, _) => StateContent::State,
        (false, true) => StateContent::BackendCache,
        (false, false) => StateContent::EmptyState,
    })
}

/// Whether a state lists resources, or is cut off before one could tell.
fn lists_resources(text: &str, members: &[(&str, usize)]) -> bool {
    let value = |name: &str| members.iter().find(|(key, _)| *key == name).map(|(_, at)| &text[*at..]);
    let compact = |name: &str| {
        value(name).map(|value| value.chars().filter(|c| !c.is_whitespace()).take(65_536).collect::<String>())
    };
    if let Some(resources) = compact("resources") {
        return !resources.starts_with("[]") && !resources.starts_with("{}");
    }
    // Up to release 0.11 by module, each resource with its `type`.
    compact("modules").is_none_or(|modules| modules.contains("\"type\":") && modules.contains("\"primary\":"))
}

/// The members at the top of a JSON object and where their values begin; the text may be cut off.
fn members(text: &str) -> Vec<(&str, usize)> {
    let bytes = text.as_bytes();
    let (mut found, mut depth, mut at) = (Vec::new(), 0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let start = at + 1;
                let Some(end) = string_end(bytes, start) else { break };
                at = end;
                let after = text[end + 1..].trim_start();
                if depth == 1 && after.starts_with(':') {
                    found.push((&text[start..end], text.len() - after[1..].trim_start().len()));
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Where a string ends whose first byte is at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_content() {
        let of = |text: &str| recognise(text.as_bytes());
        let state = "{\"version\": 4, \"terraform_version\": \"1.9.0\", \"serial\": 3, \"lineage\": \"x\"";
        assert_eq!(of(&format!("{state}, \"resources\": [{{\"mode\": \"managed\"}}]}}")), Some(StateContent::State));
        assert_eq!(of(&format!("{state}, \"outputs\": {{}}, \"resources\": []}}")), Some(StateContent::EmptyState));
        assert_eq!(of(&format!("{state}, \"outputs\": {{\"a\":")), Some(StateContent::State), "cut off");
        assert_eq!(
            of("{\"lineage\":\"x\",\"resources\":[{}],\"serial\":3,\"version\":4}"),
            Some(StateContent::State),
            "sorted"
        );
        assert_eq!(
            of(
                "{\"version\":3,\"serial\":1,\"lineage\":\"x\",\"backend\":{\"type\":\"s3\"},\"modules\":[{\"resources\":{}}]}"
            ),
            Some(StateContent::BackendCache)
        );
        assert_eq!(
            of(
                "{\"version\": 1, \"serial\": 9, \"modules\": [{\"resources\": {\"a.b\": {\"type\": \"a\", \"primary\": {}}}}]}"
            ),
            Some(StateContent::State)
        );
        assert_eq!(
            of(
                "{\"meta\":{\"key_provider.pbkdf2.k\":\"eA==\"},\"encrypted_data\":\"eA==\",\"encryption_version\":\"v0\"}"
            ),
            Some(StateContent::Encrypted)
        );
        assert_eq!(
            of("{\"format_version\":\"1.0\",\"terraform_version\":\"1.9.0\",\"values\":{\"root_module\":{}}}"),
            Some(StateContent::Shown)
        );
        assert_eq!(
            of("{\"format_version\":\"1.2\",\"terraform_version\":\"1.9.0\",\"planned_values\":{}}"),
            Some(StateContent::Plan)
        );
    }

    #[test]
    fn lookalikes() {
        for text in [
            "{\"version\": 4}",
            "{\"properties\": {\"version\": {}, \"serial\": {}, \"lineage\": {}, \"terraform_version\": {}}}",
            "{\"format_version\": \"1.0\", \"provider_schemas\": {}}",
            "{\"serial\": 2024010101, \"version\": 1, \"records\": []}",
            "version: 4\nserial: 3\nlineage: x\n",
            "{\"a\\",
        ] {
            assert_eq!(recognise(text.as_bytes()), None, "{text}");
        }
        assert_eq!(recognise(b"PK\x03\x04 any other archive, long enough for a name"), None);
    }

    #[test]
    fn plans_and_pointers() {
        let mut plan = b"PK\x03\x04".to_vec();
        plan.resize(30, 0);
        plan.extend_from_slice(b"tfplan");
        assert_eq!(recognise(&plan), Some(StateContent::Plan));
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
        assert_eq!(of_named(pointer, false), StateContent::Pointer);
        assert_eq!(pointer_size(pointer), Some(12_345));
        assert_eq!(of_named(b"", false), StateContent::Nothing);
        assert_eq!(of_named(b"#!/bin/sh\n", false), StateContent::Other);
    }

    #[test]
    fn two_bytes_a_character() {
        let text = "{\"format_version\":\"1.0\",\"terraform_version\":\"1.9.0\",\"values\":{}}";
        let wide: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.bytes().flat_map(|byte| [byte, 0])).collect();
        assert_eq!(recognise(&wide), Some(StateContent::Shown));
    }
}
