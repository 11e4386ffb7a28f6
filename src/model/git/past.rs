//! State outside of the work tree: in earlier commits, and in files that the index names though they are gone.

use super::{StateContent, StateFile, is_fixture};
use crate::model::kind::{self, Candidate, Kind, Skip, is_state_name, may_hold_state, state};
use crate::source::history::{self, Commit, Found, Look, Wanted};
use crate::source::{File, HEAD_BYTES, Tree, file_name, git};
use crate::text::{FileId, Loc, Span};
use std::path::Path;

/// A state or plan of earlier commits.
#[derive(Debug)]
pub struct PastState {
    /// What the last version was; its file is a path of the past.
    pub state: StateFile,
    /// The first commit that brought it.
    pub first: Commit,
    /// The last one.
    pub last: Commit,
    /// The one that took it away, if it stayed away.
    pub removed: Option<Commit>,
}

/// The tree with what the index still names: a state that was only deleted on disk goes into the next commit all the same.
#[must_use]
pub fn with_absent(mut tree: Tree) -> Tree {
    let absent = std::mem::take(&mut tree.absent);
    let states: Vec<_> = absent.iter().filter(|absent| is_state(&absent.path)).collect();
    let Some(root) = tree.root.clone().filter(|_| !states.is_empty()) else { return tree };
    let ids: Vec<&str> = states.iter().map(|absent| &*absent.blob).collect();
    let mut files = Vec::new();
    let limit = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
    // Without an answer of Git there is nothing to add.
    let _ = git::blobs(&root, &ids, limit, &mut |at, _, bytes| {
        files.push(File::in_memory(&states[at].path, bytes.to_vec(), true));
    });
    tree.with(files)
}

/// Whether the name is one of state or of a plan.
fn is_state(path: &str) -> bool {
    is_state_name(&file_name(path).to_ascii_lowercase()) || kind::by_path(path) == Candidate::Is(Kind::Plan)
}

/// The tree with the states of earlier commits beside it, and what was found; none without a history.
#[must_use]
pub fn with_history(tree: Tree, root: &Path, excluded: &dyn Fn(&str) -> bool) -> (Tree, Option<Found>) {
    let nested = |path: &str| {
        tree.nested.iter().any(|folder| path.strip_prefix(&**folder).is_some_and(|rest| rest.starts_with('/')))
    };
    let look = |path: &str| if excluded(path) || nested(path) { Look::Never } else { look(path) };
    let Some(mut found) = history::search(root, &Wanted { look: &look, counts: &counts }) else { return (tree, None) };
    let past = std::mem::take(&mut found.past);
    (tree.after(past), Some(found))
}

/// How a path of history is looked at: what is no state by its name is read only where the path speaks of infrastructure.
fn look(path: &str) -> Look {
    const WORDS: [&str; 9] = ["state", "plan", "terraform", "tofu", "infra", "tf", "backup", "bak", "old"];
    if is_state(path) {
        return Look::Named;
    }
    let lower = path.to_ascii_lowercase();
    let spoken = lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| WORDS.contains(&word));
    let readable = match kind::by_path(path) {
        Candidate::Json | Candidate::Shebang => true,
        Candidate::Not(Skip::NoKind) => may_hold_state(path),
        _ => false,
    };
    let holds = readable && (spoken || lower.contains("state") || lower.contains("terraform"));
    if holds { Look::Content } else { Look::Never }
}

fn counts(path: &str, bytes: &[u8]) -> bool {
    let content = content(path, bytes);
    !matches!(content, StateContent::Other | StateContent::Nothing)
}

fn content(path: &str, bytes: &[u8]) -> StateContent {
    if is_state(path) {
        state::of_named(bytes, kind::by_path(path) == Candidate::Is(Kind::Plan))
    } else {
        state::recognise(bytes).unwrap_or(StateContent::Other)
    }
}

/// The states of earlier commits whose paths hold none today.
#[must_use]
pub(super) fn states(tree: &Tree, today: &[StateFile]) -> Vec<PastState> {
    let held = |path: &str| today.iter().any(|state| tree.path(state.file) == path && tree.file(state.file).tracked);
    tree.past()
        .filter(|(_, past)| !held(&past.file.path))
        .map(|(id, past)| PastState {
            state: state_of(id, &past.file.path, &past.content),
            first: past.first.clone(),
            last: past.last.clone(),
            removed: past.removed.clone(),
        })
        .filter(|past| !matches!(past.state.content, StateContent::Other | StateContent::Nothing))
        .collect()
}

fn state_of(file: FileId, path: &str, bytes: &[u8]) -> StateFile {
    let text = String::from_utf8_lossy(bytes);
    StateFile::new(Loc { file, span: Span::default() }, content(path, bytes), &text, false)
}

impl PastState {
    /// Which commits hold it, in words.
    #[must_use]
    pub fn when(&self) -> String {
        let (first, last) = (&self.first, &self.last);
        let brought = if first == last {
            format!("brought by commit {} of {}", first.id, first.date)
        } else {
            format!("brought by commit {} of {}, last changed by {} of {}", first.id, first.date, last.id, last.date)
        };
        match &self.removed {
            Some(removed) => format!("{brought}, taken away by {} of {}", removed.id, removed.date),
            None => brought,
        }
    }

    /// Whether it was test data.
    #[must_use]
    pub fn fixture(&self, tree: &Tree) -> bool {
        is_fixture(tree.path(self.state.file))
    }
}
