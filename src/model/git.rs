//! What the repository itself keeps: state and other runtime artefacts in the index, patterns of ignore files.

use super::kind::{self, Kind};
use super::load::Documents;
use crate::source::ignored::{Ignores, Pattern};
use crate::source::{File, file_name, folder};
use crate::text::{FileId, Loc, Span};

/// A Terraform state (or plan) file of the tree.
#[derive(Debug)]
pub struct StateFile {
    /// The file.
    pub file: FileId,
    /// Where a finding points: its first line.
    pub loc: Loc,
    /// What it holds, by its content.
    pub content: StateContent,
    /// `serial`, when it can be read.
    pub serial: Option<u64>,
    /// How many resources it lists.
    pub resources: Option<usize>,
}

/// What a state file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateContent {
    /// State with resources.
    State,
    /// State that lists none.
    EmptyState,
    /// OpenTofu's encrypted state.
    Encrypted,
    /// A plan.
    Plan,
    /// No byte at all.
    Nothing,
    /// Something else of that name.
    Other,
}

impl StateContent {
    /// The words for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::EmptyState => "empty-state",
            Self::Encrypted => "encrypted",
            Self::Plan => "plan",
            Self::Nothing => "nothing",
            Self::Other => "other",
        }
    }
}

/// What Git keeps and leaves out.
#[derive(Debug, Default)]
pub struct Repository {
    /// State and plan files.
    pub states: Vec<StateFile>,
    /// The ignore files.
    pub ignores: Ignores,
    /// Their patterns.
    pub patterns: Vec<Pattern>,
}

impl Repository {
    /// Looks at the documents.
    #[must_use]
    pub fn new(documents: &Documents<'_>) -> Self {
        let states = documents
            .of(&[Kind::State, Kind::Plan])
            .map(|document| state_file(documents, document.file, document.kind))
            .collect();
        let ignores = Ignores::new(documents.tree);
        let patterns = ignores.patterns(documents.tree).collect();
        Self { states, ignores, patterns }
    }
}

fn state_file(documents: &Documents<'_>, id: FileId, kind: Kind) -> StateFile {
    let file = documents.tree.file(id);
    let head = file.head();
    let text = String::from_utf8_lossy(&head);
    let content = content(kind, file, &head, &text);
    let serial = number_after(&text, "\"serial\"");
    let resources = (content == StateContent::State).then(|| {
        let whole = file.text().map_or("", |text| &text.text);
        memchr::memmem::find_iter(whole.as_bytes(), b"\"mode\": \"managed\"").count()
    });
    let line = text.find('\n').unwrap_or(text.len()).min(1);
    StateFile { file: id, loc: Loc { file: id, span: Span::new(0, line) }, content, serial, resources }
}

fn content(kind: Kind, file: &File, head: &[u8], text: &str) -> StateContent {
    if head.is_empty() {
        StateContent::Nothing
    } else if kind == Kind::Plan || head.starts_with(b"PK\x03\x04") {
        StateContent::Plan
    } else if text.contains("\"encrypted_data\"") {
        StateContent::Encrypted
    } else if kind::is_state_text(text) || text.contains("\"version\"") && text.contains("\"lineage\"") {
        let whole = file.text().map_or(text, |text| &text.text);
        let compact: String = whole.chars().filter(|c| !c.is_whitespace()).take(8192).collect();
        let empty = compact.contains("\"resources\":[]")
            || compact.contains("\"resources\":{}") && !compact.contains("\"type\":");
        if empty { StateContent::EmptyState } else { StateContent::State }
    } else {
        StateContent::Other
    }
}

fn number_after(text: &str, key: &str) -> Option<u64> {
    let rest = &text[text.find(key)? + key.len()..];
    let digits: String =
        rest.trim_start_matches([':', ' ', '\t', '\n', '\r']).chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Whether a path is a place for test data.
pub fn is_fixture(path: &str) -> bool {
    let part = |part: &str| matches!(part, "testdata" | "fixtures" | "tests" | "test" | "examples");
    folder(path).split('/').any(part) || file_name(path).starts_with("test_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::load::Options;
    use crate::source::Tree;

    #[test]
    fn states_by_content() {
        let state = "{\n  \"version\": 4,\n  \"terraform_version\": \"1.9.0\",\n  \"serial\": 7,\n  \"lineage\": \"x\",\n  \"resources\": [\n    {\"mode\": \"managed\"}\n  ]\n}\n";
        let file = |path: &str, text: &str| File::in_memory(path, text.as_bytes().to_vec(), true);
        let tree =
            Tree::new(vec![file("a/terraform.tfstate", state), file("b.tfstate", ""), file("c.json", state)], None);
        let documents = Documents::load(&tree, &Options::default());
        let repository = Repository::new(&documents);
        let shown: Vec<(StateContent, Option<u64>)> =
            repository.states.iter().map(|state| (state.content, state.serial)).collect();
        assert_eq!(
            shown,
            [(StateContent::State, Some(7)), (StateContent::Nothing, None), (StateContent::State, Some(7))]
        );
        assert_eq!(repository.states[0].resources, Some(1));
    }
}
