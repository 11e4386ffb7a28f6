//! The statements about state that rules refer to by number.

use super::{index, load};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::OnceLock;

/// A statement of the doctrine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Its number: `2.4.2`, `A5`, `S10`.
    pub number: String,
    /// `must`, `must-not`, `principle`, `procedure`, `rejected`, ….
    pub kind: String,
    /// One sentence.
    pub text: String,
    /// The profile it belongs to, if not all.
    #[serde(default)]
    pub profile: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    statements: Vec<Statement>,
}

/// All statements, in the order of the documents.
#[must_use]
pub fn statements() -> &'static [Statement] {
    static FILE: OnceLock<File> = OnceLock::new();
    &FILE.get_or_init(|| load(include_str!(concat!(env!("OUT_DIR"), "/doctrine.json")))).statements
}

/// The statement with a number.
#[must_use]
pub fn statement(number: &str) -> Option<&'static Statement> {
    static INDEX: OnceLock<HashMap<&str, &Statement>> = OnceLock::new();
    INDEX.get_or_init(|| index(statements(), |row| &row.number)).get(number).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_statements() {
        let file: File = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/doctrine.json"))).unwrap();
        assert_eq!(file.statements.len(), 136);
        assert_eq!(file.statements.iter().filter(|row| row.number.starts_with(['A', 'S'])).count(), 48);
        assert!(file.statements.iter().all(|row| row.text.ends_with('.') && !row.kind.contains(' ')));
        assert_eq!(statement("2.4.2").map(|row| row.text.as_str()), Some("Persistent data survives rebuilds."));
        assert_eq!(statement("A5").map(|row| row.kind.as_str()), Some("must-not"));
        assert_eq!(statement("A11").and_then(|row| row.profile.as_deref()), Some("samakia"));
        assert!(statement("9.3").is_some() && statement("S10").is_some() && statement("12.1").is_none());
    }
}
