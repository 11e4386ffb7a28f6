//! What people say in comments: suppressions of findings, and annotations, which are facts about the declaration below them.

use super::kind::Kind;
use super::load::Documents;
use crate::source::Tree;
use crate::syntax::comment::{self, Language};
use crate::text::{FileId, Loc, Span};

/// A `stateward:` comment.
#[derive(Clone, Debug)]
pub struct Remark {
    /// Where it stands.
    pub loc: Loc,
    /// What it says.
    pub saying: Saying,
    /// The bytes of the file that it speaks of.
    pub covers: Span,
}

/// What a comment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saying {
    /// `stateward:ignore[rule] reason="…" until=…`
    Suppress {
        /// The rules.
        rules: Vec<String>,
        /// Why.
        reason: Option<String>,
        /// The last day, `YYYY-MM-DD`.
        until: Option<String>,
    },
    /// `stateward: data=cache owner=dba`
    Annotate(Vec<(String, String)>),
}

const NEEDLE: &str = "stateward:";
/// `ignore-file` counts in these lines only.
const HEAD_LINES: u32 = 10;

/// Every remark of every document, in path and line order.
#[must_use]
pub fn remarks(documents: &Documents<'_>) -> Vec<Remark> {
    let mut found = Vec::new();
    for document in &documents.list {
        if matches!(document.kind, Kind::State | Kind::Plan | Kind::AgentInstructions) {
            continue;
        }
        let text = documents.tree.text(document.file);
        if memchr::memmem::find(text.as_bytes(), NEEDLE.as_bytes()).is_some() {
            read(documents.tree, document.file, document.kind, text, &mut found);
        }
    }
    found
}

fn language(kind: Kind, path: &str) -> Language {
    match kind {
        _ if path.rsplit('.').next() == Some("json") => Language::Json,
        Kind::Terraform
        | Kind::TerraformVariables
        | Kind::Terragrunt
        | Kind::Packer
        | Kind::PackerVariables
        | Kind::LockFile
        | Kind::Jenkinsfile => Language::Hcl,
        Kind::Shell => Language::Shell,
        Kind::Makefile | Kind::Justfile => Language::Make,
        _ => Language::Hash,
    }
}

fn read(tree: &Tree, file: FileId, kind: Kind, text: &str, found: &mut Vec<Remark>) {
    let language = language(kind, tree.path(file));
    for comment in comment::find(text, language, NEEDLE) {
        let Some(at) = comment.text.find(NEEDLE) else { continue };
        let Some((saying, whole_file)) = parse(&comment.text[at + NEEDLE.len()..]) else { continue };
        let loc = Loc { file, span: comment.span };
        let covers = if whole_file {
            if tree.line(loc) > HEAD_LINES { comment.span } else { Span::new(0, text.len()) }
        } else {
            scope(text, comment.span, comment.own_line)
        };
        found.push(Remark { loc, saying, covers });
    }
    if language == Language::Json {
        members(file, text, found);
    }
}

/// JSON has no comments: a member `"//"` covers the object that it stands in.
fn members(file: FileId, text: &str, found: &mut Vec<Remark>) {
    for at in memchr::memmem::find_iter(text.as_bytes(), b"\"//\"") {
        let rest = &text[at + 4..];
        let Some(open) = rest.find('"') else { continue };
        let Some(value) = rest[open + 1..].split('"').next() else { continue };
        let quoted: String = rest[open + 1..].chars().take_while(|c| *c != '\n').collect();
        let text_of_member = if quoted.contains("\\\"") { quoted.replace("\\\"", "\"") } else { value.to_owned() };
        let Some(needle) = text_of_member.find(NEEDLE) else { continue };
        let Some((saying, _)) = parse(&text_of_member[needle + NEEDLE.len()..]) else { continue };
        let covers = object_around(text, at);
        found.push(Remark { loc: Loc { file, span: Span::new(at, at + 4) }, saying, covers });
    }
}

fn object_around(text: &str, at: usize) -> Span {
    let mut depth = 0_i32;
    let mut start = 0;
    for (index, byte) in text.bytes().enumerate().take(at).collect::<Vec<_>>().into_iter().rev() {
        match byte {
            b'}' => depth += 1,
            b'{' if depth == 0 => {
                start = index;
                break;
            }
            b'{' => depth -= 1,
            _ => {}
        }
    }
    let mut depth = 0_i32;
    for (index, byte) in text.bytes().enumerate().skip(start) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Span::new(start, index + 1);
                }
            }
            _ => {}
        }
    }
    Span::new(start, text.len())
}

/// What follows `stateward:`, and whether it speaks of the whole file.
fn parse(text: &str) -> Option<(Saying, bool)> {
    let text = text.trim_end_matches("*/").trim_end_matches("-->").trim_end();
    let file = text.starts_with("ignore-file");
    if let Some(rest) = text.strip_prefix("ignore-file").or_else(|| text.strip_prefix("ignore")) {
        let (rules, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((rules, rest)) => {
                (rules.split(',').map(|rule| rule.trim().to_owned()).filter(|rule| !rule.is_empty()).collect(), rest)
            }
            None => (Vec::new(), rest),
        };
        let pairs = pairs(rest);
        let get = |key: &str| {
            pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        return Some((Saying::Suppress { rules, reason: get("reason"), until: get("until") }, file));
    }
    // Prose may say the name too: an annotation begins with a space and has a key or the one flag.
    let pairs = pairs(text.strip_prefix(' ')?);
    let known =
        |key: &str| ["data", "owner", "backup", "bootstrap-root", "decommission", "reason", "until"].contains(&key);
    let pairs: Vec<(String, String)> = pairs.into_iter().filter(|(key, _)| known(key)).collect();
    (!pairs.is_empty()).then_some((Saying::Annotate(pairs), false))
}

/// `a=1 b="x y" flag`
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let key = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            if let Some(quoted) = after.strip_prefix('"') {
                let end = quoted.find('"').unwrap_or(quoted.len());
                quoted[..end].clone_into(&mut value);
                rest = quoted.get(end + 1..).unwrap_or("");
            } else {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                after[..end].clone_into(&mut value);
                rest = &after[end..];
            }
        }
        if !key.is_empty() {
            pairs.push((key, value));
        }
        rest = rest.trim_start();
    }
    pairs
}

/// What a comment covers: its own line, or, on a line of its own, the block, task or command that begins below it. Every
/// language here shows by indentation where that ends.
fn scope(text: &str, comment: Span, own_line: bool) -> Span {
    let line_end = |from: usize| memchr::memchr(b'\n', &text.as_bytes()[from..]).map_or(text.len(), |at| from + at);
    let end = line_end(comment.end as usize);
    if !own_line {
        let start = text[..comment.start as usize].rfind('\n').map_or(0, |at| at + 1);
        return Span::new(start, end);
    }
    let mut at = (end + 1).min(text.len());
    let mut first: Option<(usize, usize)> = None;
    let mut covered = end;
    while at < text.len() {
        let next = line_end(at);
        let line = &text[at..next];
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        let blank = trimmed.is_empty() || first.is_none() && trimmed.starts_with(['#', '/']);
        match first {
            _ if blank => {}
            None => {
                first = Some((at, indent));
                covered = next;
            }
            Some((_, own)) if indent > own || text[..at].ends_with("\\\n") => covered = next,
            Some((_, own)) if indent == own && trimmed.starts_with(['}', ']', ')']) => {
                covered = next;
                break;
            }
            Some(_) => break,
        }
        at = next + 1;
    }
    first.map_or(comment, |(start, _)| Span::new(start, covered))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::load::Options;
    use crate::source::File;

    fn remarks_of(path: &str, text: &str) -> Vec<(Saying, String)> {
        let tree = Tree::new(vec![File::in_memory(path, text.as_bytes().to_vec(), true)], None);
        let documents = Documents::load(&tree, &Options::default());
        remarks(&documents).into_iter().map(|remark| (remark.saying, remark.covers.slice(text).to_owned())).collect()
    }

    #[test]
    fn suppressions_cover_what_is_below() {
        let text =
            "# stateward:ignore[a, b] reason=\"x y\" until=2027-01-01\nresource \"a\" \"b\" {\n  c = 1\n}\nd = 2\n";
        let found = remarks_of("main.tf", text);
        let Saying::Suppress { rules, reason, until } = &found[0].0 else { panic!("a suppression") };
        assert_eq!((rules.len(), reason.as_deref(), until.as_deref()), (2, Some("x y"), Some("2027-01-01")));
        assert_eq!(found[0].1, "resource \"a\" \"b\" {\n  c = 1\n}");
        let found =
            remarks_of("x.yml", "- hosts: a\n  tasks:\n    # stateward:ignore[a]\n    - x:\n        y: 1\n    - z:\n");
        assert_eq!(found[0].1, "    - x:\n        y: 1");
        let found = remarks_of("x.sh", "a\nrm b # stateward:ignore[a] reason=c\nd\n");
        assert_eq!(found[0].1, "rm b # stateward:ignore[a] reason=c");
    }

    #[test]
    fn annotations_and_files() {
        let found = remarks_of("main.tf", "# stateward: bootstrap-root reason=\"first\"\nterraform {\n}\n");
        let pairs = vec![("bootstrap-root".to_owned(), String::new()), ("reason".to_owned(), "first".to_owned())];
        assert_eq!(found[0].0, Saying::Annotate(pairs));
        let text = "# stateward:ignore-file[a] reason=b\nx = 1\ny = 2\n";
        assert_eq!(remarks_of("main.tf", text)[0].1, text);
        assert_eq!(remarks_of("main.tf", "# stateward: is a linter\n").len(), 0);
    }
}
