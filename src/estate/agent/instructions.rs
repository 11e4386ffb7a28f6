//! What instructions say about state.

use crate::estate::Estate;
use crate::model::agents::PermissionFile;
use crate::source::{file_name, folder};
use regex::Regex;
use std::sync::OnceLock;

/// A file of instructions that agents read before anything else.
pub struct Instructions<'m> {
    /// The file.
    pub file: &'m PermissionFile,
    /// Whether it, or one that is read with it, says who writes state.
    pub rules_state: bool,
}

/// The files of instructions that hold where Terraform is.
#[must_use]
pub fn instructions<'m>(estate: &'m Estate<'m>) -> Vec<Instructions<'m>> {
    let tree = estate.documents.tree;
    let files: Vec<(&PermissionFile, &str)> =
        estate.agents.files.iter().map(|file| (file, tree.path(file.file))).filter(|(_, path)| is_main(path)).collect();
    let says = |at: &PermissionFile| speaks(tree.text(at.file));
    let holds = |path: &str| {
        let own = scope(path);
        let below = |module: &str| own.is_empty() || module == own || module.starts_with(&format!("{own}/"));
        estate.terraform.modules().iter().any(|module| below(&module.folder))
    };
    // Rules of one folder are read together, and those of the folders above too.
    let with = |path: &str, other: &str| {
        let rules = is_rule(path);
        if rules {
            folder(path) == folder(other)
        } else {
            file_name(path).eq_ignore_ascii_case(file_name(other)) && above(scope(other), scope(path))
        }
    };
    let mut seen: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    for (file, path) in &files {
        if !holds(path) || is_rule(path) && seen.contains(&folder(path)) {
            continue;
        }
        seen.push(folder(path));
        let rules_state = files.iter().any(|(other, at)| (at == path || with(path, at)) && says(other));
        found.push(Instructions { file, rules_state });
    }
    found
}

fn above(upper: &str, lower: &str) -> bool {
    upper.is_empty() || upper == lower || lower.starts_with(&format!("{upper}/"))
}

/// The folder that a file speaks for.
fn scope(path: &str) -> &str {
    let at = path.split('/').take_while(|part| !part.starts_with('.')).map(|part| part.len() + 1).sum::<usize>();
    let own = folder(path);
    own.get(..at.saturating_sub(1).min(own.len())).unwrap_or(own)
}

/// A rule of Cursor, of which there are several.
fn is_rule(path: &str) -> bool {
    path.rsplit('.').next() == Some("mdc")
}

fn is_main(path: &str) -> bool {
    const NAMES: [&str; 10] = [
        "agents.md",
        "agents.override.md",
        "claude.md",
        "gemini.md",
        "copilot-instructions.md",
        ".cursorrules",
        ".windsurfrules",
        ".clinerules",
        ".goosehints",
        "guidelines.md",
    ];
    NAMES.contains(&file_name(path).to_ascii_lowercase().as_str())
        || is_rule(path) && format!("/{path}").contains("/.cursor/rules/")
}

/// Whether a text says who writes state, or hands over to a file that may.
fn speaks(text: &str) -> bool {
    static RULE: OnceLock<Option<Regex>> = OnceLock::new();
    let rule = RULE.get_or_init(|| {
        let object = r"(tf-?state|\bstate\b|\bdrift|\b(terraform|tofu|terragrunt)\b|\bapply\b|\bdestroy\b)";
        let order = r"(never|not|n't\b|no\b|only|read-?only|forbid|prohibit|must|without|ask|approv|review|confirm|human|pull request|merge request|pipeline|in git)";
        let pattern = format!(r"(?i)({object}[^\n]*{order}|{order}[^\n]*{object})|(@|\[|`|see |read |follow )[^\n]*\b(AGENTS|CLAUDE|GEMINI|copilot-instructions|CONTRIBUTING)\.md");
        Regex::new(&pattern).ok()
    });
    // Other languages have other words for it.
    let letters = text.chars().filter(|letter| letter.is_alphabetic());
    let (all, foreign) =
        letters.fold((0_usize, 0_usize), |(all, foreign), it| (all + 1, foreign + usize::from(!it.is_ascii())));
    foreign * 5 > all || rule.as_ref().is_none_or(|rule| rule.is_match(text))
}
