//! What the repository itself keeps: state and other runtime artefacts in the index, patterns of ignore files.

pub mod past;

pub use super::kind::state::StateContent;
use super::kind::{Kind, state};
use super::load::Documents;
use crate::source::ignored::{Ignores, Pattern};
use crate::source::{file_name, folder};
use crate::text::{FileId, Loc, Span};
use past::PastState;

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
    /// How many bytes Git LFS keeps in its place.
    pub bytes: Option<u64>,
    /// Whether its lineage is one that somebody made up.
    pub made_up: bool,
    /// Whether what it notes of a backend has a secret in it.
    pub secrets: bool,
}

impl StateFile {
    /// The facts of a state file by what is in it; `whole`: all of it is there, so that its resources can be counted.
    fn new(loc: Loc, content: StateContent, text: &str, whole: bool) -> Self {
        let count = || Some(managed(text)).filter(|count| *count > 0);
        Self {
            file: loc.file,
            loc,
            content,
            serial: number_after(text, "\"serial\""),
            resources: if whole && content == StateContent::State { count() } else { None },
            bytes: state::pointer_size(text.as_bytes()),
            made_up: text_after(text, "\"lineage\"").is_none_or(is_made_up),
            secrets: content == StateContent::BackendCache && has_secrets(text),
        }
    }

    /// What it holds, in words.
    #[must_use]
    pub fn evidence(&self) -> String {
        let serial = self.serial.map(|serial| format!("serial {serial}"));
        let resources =
            self.resources.map(|count| format!("{count} {}", if count == 1 { "resource" } else { "resources" }));
        let details: Vec<String> = serial.into_iter().chain(resources).collect();
        let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
        match self.content {
            StateContent::State => format!("control state{details}"),
            StateContent::EmptyState => format!("control state without resources{details}"),
            StateContent::Shown => "control state as `terraform show -json` prints it".to_owned(),
            StateContent::Encrypted => "encrypted control state".to_owned(),
            StateContent::BackendCache if self.secrets => {
                "what `terraform init` noted of the backend, credentials among it".to_owned()
            }
            StateContent::BackendCache => "what `terraform init` noted of the backend".to_owned(),
            StateContent::Plan => "a plan, which holds a copy of the control state".to_owned(),
            StateContent::Pointer => match self.bytes {
                Some(bytes) => format!("control state by way of Git LFS, which keeps its {bytes} bytes for everybody"),
                None => "control state by way of Git LFS, which keeps it for everybody".to_owned(),
            },
            StateContent::Nothing => "nothing".to_owned(),
            StateContent::Other => "something else".to_owned(),
        }
    }
}

/// What Git keeps and leaves out.
#[derive(Debug, Default)]
pub struct Repository {
    /// State and plan files.
    pub states: Vec<StateFile>,
    /// Those of earlier commits, when history was asked for.
    pub past: Vec<PastState>,
    /// The ignore files.
    pub ignores: Ignores,
    /// Their patterns.
    pub patterns: Vec<Pattern>,
}

impl Repository {
    /// Looks at the documents.
    #[must_use]
    pub fn new(documents: &Documents<'_>) -> Self {
        let states: Vec<StateFile> = documents
            .of(&[Kind::State, Kind::Plan])
            // In Git, a link is a path and nothing else.
            .filter(|document| documents.tree.file(document.file).symlink.is_none())
            .map(|document| state_file(documents, document.file, document.kind))
            .collect();
        let ignores = Ignores::new(documents.tree);
        let patterns = ignores.patterns(documents.tree).collect();
        let past = past::states(documents.tree, &states);
        Self { states, past, ignores, patterns }
    }
}

fn state_file(documents: &Documents<'_>, id: FileId, kind: Kind) -> StateFile {
    let file = documents.tree.file(id);
    let head = file.head();
    // Members may stand in any order; what is too large to be read shows its beginning.
    let whole = file.text().ok().map(|text| text.text.as_str());
    let beginning = String::from_utf8_lossy(&head);
    let text = whole.unwrap_or(&beginning);
    let content = state::of_named(whole.map_or(&head, str::as_bytes), kind == Kind::Plan);
    let line = text.find('\n').unwrap_or(text.len()).min(1);
    StateFile::new(Loc { file: id, span: Span::new(0, line) }, content, text, whole.is_some())
}

/// How many managed resources a state of the current format lists.
fn managed(text: &str) -> usize {
    let modes = memchr::memmem::find_iter(text.as_bytes(), b"\"mode\"");
    let value = |at: usize| text[at + "\"mode\"".len()..].trim_start_matches([':', ' ', '\t', '\r', '\n']);
    modes.filter(|at| value(*at).starts_with("\"managed\"")).count()
}

/// Terraform gives a random UUID to each state.
fn is_made_up(lineage: &str) -> bool {
    let groups: Vec<usize> = lineage.split('-').map(str::len).collect();
    let digits: std::collections::BTreeSet<char> = lineage.chars().filter(char::is_ascii_hexdigit).collect();
    groups != [8, 4, 4, 4, 12] || digits.len() < 6 || lineage.starts_with("12345678") || lineage.starts_with("01234567")
}

/// Whether a member by which backends are given secrets has a value.
fn has_secrets(text: &str) -> bool {
    const SECRETS: [&str; 14] = [
        "access_key",
        "secret_key",
        "token",
        "password",
        "client_secret",
        "client_certificate_password",
        "sas_token",
        "conn_str",
        "credentials",
        "access_token",
        "encryption_key",
        "sse_customer_key",
        "private_key",
        "security_token",
    ];
    SECRETS.iter().any(|name| text_after(text, &format!("\"{name}\"")).is_some_and(|value| !value.is_empty()))
}

/// The text behind a key.
fn text_after<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let rest = &text[text.find(key)? + key.len()..];
    let rest = rest.trim_start_matches([':', ' ', '\t', '\n', '\r']).strip_prefix('"')?;
    rest.split('"').next()
}

fn number_after(text: &str, key: &str) -> Option<u64> {
    let rest = &text[text.find(key)? + key.len()..];
    let digits: String =
        rest.trim_start_matches([':', ' ', '\t', '\n', '\r']).chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Whether a path is a place for test data.
pub fn is_fixture(path: &str) -> bool {
    let part = |part: &str| {
        matches!(
            part,
            "testdata"
                | "test-data"
                | "test_data"
                | "fixture"
                | "fixtures"
                | "tests"
                | "test"
                | "__tests__"
                | "examples"
        )
    };
    let part = |it: &str| part(it) || it.ends_with("-tests") || it.ends_with("_tests");
    folder(path).split('/').any(part) || file_name(path).starts_with("test_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::load::Options;
    use crate::source::{File, Tree};

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
