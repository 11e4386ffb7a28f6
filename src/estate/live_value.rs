//! Where what a command finds out at run time ends up: in variables of Terraform, or in files that declare intent.

use crate::model::command::Command;
use crate::source::{Tree, folder, join};
use regex::Regex;
use std::sync::OnceLock;

/// What a live value becomes.
pub struct Fed {
    /// As one reads it: `TF_VAR_ip`, `-var`, a path.
    pub into: String,
    /// The file of the repository that is written.
    pub tracked: bool,
}

/// So many lines after an assignment are looked at.
const MAX_LINES: usize = 400;
/// A document in a command begins at most so many lines before the line that is looked at.
const MAX_DOCUMENT: usize = 40;

fn pattern(cell: &'static OnceLock<Option<Regex>>, text: &str) -> Option<&'static Regex> {
    cell.get_or_init(|| Regex::new(text).ok()).as_ref()
}

/// What the output of a command becomes, as far as the lines around it say.
#[must_use]
pub fn fed(tree: &Tree, command: &Command) -> Option<Fed> {
    let text = tree.text(command.loc.file);
    let start = text.get(..command.loc.span.start as usize)?.rfind('\n').map_or(0, |at| at + 1);
    let rest = text.get(start..)?;
    let mut lines = rest.lines();
    // A command goes on over lines that end so.
    let mut whole = String::new();
    for line in lines.by_ref() {
        whole.push_str(line.trim_end_matches('\\'));
        if !line.ends_with('\\') || whole.len() > 4096 {
            break;
        }
    }
    let before = text.get(start..command.loc.span.start as usize)?;
    let path = tree.path(command.loc.file);
    if let Some(fed) = variable(before).or_else(|| written(tree, path, &whole)) {
        return Some(fed);
    }
    let name = assigned(before)?;
    let mut recent: Vec<&str> = Vec::new();
    for line in lines.take(MAX_LINES) {
        if mentions(line, name) {
            let passes =
                line.contains("-var ") || line.contains("-var=") || line.contains("-var '") || line.contains("-var \"");
            if passes || line.trim_start().trim_start_matches("export ").starts_with("TF_VAR_") {
                let into = if passes { "`-var`".to_owned() } else { "a `TF_VAR_` variable".to_owned() };
                return Some(Fed { into, tracked: false });
            }
            let document = recent.iter().rev().take(MAX_DOCUMENT).find(|line| line.contains("<<"));
            let open = document.filter(|head| !ended(head, &recent));
            if let Some(fed) = written(tree, path, line).or_else(|| open.and_then(|head| written(tree, path, head))) {
                return Some(fed);
            }
        }
        // Set to something else, it is another value.
        if assigned(line) == Some(name) {
            return None;
        }
        recent.push(line);
    }
    None
}

/// `TF_VAR_x=$(…`, `-var x=$(…` before the command.
fn variable(before: &str) -> Option<Fed> {
    static INTO: OnceLock<Option<Regex>> = OnceLock::new();
    let found = pattern(&INTO, r#"(TF_VAR_\w+=|-var[= ]['"]?\w+=)[^;&|]*\$\([^)]*$"#)?.captures(before)?;
    let into = found.get(1)?.as_str().trim_end_matches('=');
    let into = if into.starts_with("-var") { "`-var`".to_owned() } else { format!("`{into}`") };
    Some(Fed { into, tracked: false })
}

/// The variable that a command's output is kept in.
fn assigned(before: &str) -> Option<&str> {
    static NAME: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern = pattern(&NAME, r#"^\s*(?:export\s+|local\s+|readonly\s+)?([A-Za-z_]\w*)=["']?\$\("#)?;
    Some(pattern.captures(before)?.get(1)?.as_str())
}

fn mentions(line: &str, name: &str) -> bool {
    line.split('$').skip(1).any(|rest| {
        let rest = rest.trim_start_matches('{');
        rest.strip_prefix(name).is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// The file of declared values that a line writes: by redirection, by `tee`, by `sed -i`.
fn written(tree: &Tree, path: &str, line: &str) -> Option<Fed> {
    static INTO: OnceLock<Option<Regex>> = OnceLock::new();
    let declared = r#"((?:[^\s"'<>|;&]*(?:host_vars|group_vars|inventory|inventories)/[^\s"'<>|;&]+)|[^\s"'<>|;&]+\.(?:tfvars(?:\.json)?|tf)|(?:[^\s"'<>|;&]*/)?(?:inventory(?:\.ini|\.ya?ml|\.cfg)?|hosts\.(?:ini|ya?ml))(?:["'\s;&|]|$))"#;
    let found =
        pattern(&INTO, &format!(r#"(?:>>?\s*|\btee\s+(?:-a\s+)?|\bsed\s+-i\b.*\s)["']?{declared}"#))?.captures(line)?;
    let into = found.get(1)?.as_str().trim_end_matches(['"', '\'', ' ', '\t', ';', '&', '|']);
    let name = into.rsplit('}').next().unwrap_or(into).trim_start_matches("./").trim_start_matches('/');
    let tracked = tree.find(name).is_some() || join(folder(path), name).is_some_and(|path| tree.find(&path).is_some());
    Some(Fed { into: into.to_owned(), tracked })
}

/// Whether the document that a line begins has ended before.
fn ended(head: &str, recent: &[&str]) -> bool {
    let mark = head.split("<<").nth(1).unwrap_or("").trim_start_matches(['-', '~']).trim_start();
    let mark = mark.split_whitespace().next().unwrap_or("").trim_matches(['"', '\'']);
    let at = recent.iter().rposition(|line| *line == head).unwrap_or(0);
    mark.is_empty() || recent[at + 1..].iter().any(|line| line.trim() == mark)
}
