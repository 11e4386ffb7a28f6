//! The examples of a card: small repositories that are at once its tests and its documentation.

use super::card::CardError;
use super::marker::{self, Pin};
use super::record::{Reader, Record};
use crate::diag::{Finding, Severity};
use crate::source::history::{Commit, Past};
use crate::source::{File, Tree, file_name};
use crate::syntax::yaml::{Node, NodeKind, Yaml};
use crate::text::LineIndex;
use globset::{Glob, GlobSet, GlobSetBuilder};

/// A small repository and what a rule says of it.
#[derive(Debug)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// The line of the rule file where it begins.
    pub line: u32,
    /// The files, marks cut out.
    pub files: Vec<ExampleFile>,
    /// What Git does not track.
    pub untracked: Vec<String>,
    /// How files were in the revision before; `None` as content: not there.
    pub before: Option<Vec<(String, Option<ExampleFile>)>>,
    /// Where rules must fire, in the order of the file.
    pub expect: Vec<Expectation>,
    /// Other rules that may fire.
    pub also: Vec<String>,
    /// Whether it stands under `fails`.
    pub should_fail: bool,
}

/// A file of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleFile {
    /// Relative to the repository.
    pub path: String,
    /// What is in it.
    pub content: Content,
    /// Has an execute bit.
    pub executable: bool,
}

/// What a file of an example holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text, marks cut out.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// It is a symbolic link to this.
    Symlink(String),
}

/// A finding that must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The rule's id.
    pub rule: String,
    /// The file.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// First column and the one after the last, from 1.
    pub columns: Option<(u32, u32)>,
    /// How bad.
    pub severity: Option<Severity>,
    /// A part of the message.
    pub message: Option<String>,
}

/// A finding as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The rule's id.
    pub rule: String,
    /// The file.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// First column and the one after the last on that line.
    pub columns: (u32, u32),
    /// How bad.
    pub severity: Severity,
    /// The message.
    pub message: String,
}

impl Found {
    /// A finding of a run over `tree`.
    #[must_use]
    pub fn new(finding: &Finding, tree: &Tree) -> Self {
        let (start, end) = tree.positions(finding.loc);
        let text = tree.text(finding.loc.file);
        // A place of several lines ends, for a test, with its first.
        let last = if end.line == start.line {
            end.column
        } else {
            let lines = LineIndex::new(text);
            lines.position(text, lines.line_span(text, start.line).end).column
        };
        Self {
            rule: finding.rule.clone(),
            path: tree.path(finding.loc.file).to_owned(),
            line: start.line,
            columns: (start.column, last),
            severity: finding.severity,
            message: finding.message.clone(),
        }
    }
}

impl Example {
    /// Its files as one text, each under its path: for `explain`.
    #[must_use]
    pub fn display(&self) -> String {
        let mut shown = String::new();
        for file in &self.files {
            let Content::Text(text) = &file.content else { continue };
            for part in ["# ", &file.path, "\n", text.trim_end(), "\n"] {
                shown.push_str(part);
            }
        }
        shown
    }

    /// The examples of a rule file, failing ones first.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn load(path: &str, text: &str) -> Result<Vec<Self>, Vec<CardError>> {
        let yaml = Yaml::parse(text);
        let stem = file_name(path);
        let rule = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        let mut loader = Loader { reader: Reader::new(path, text), lines: LineIndex::new(text), rule };
        let mut examples = Vec::new();
        if let Some(card) = loader.reader.root(&yaml).and_then(|root| loader.reader.map(root, "a card")) {
            for (key, should_fail) in [("fails", true), ("passes", false)] {
                let Some(node) = card.get(key) else { continue };
                let items = loader.reader.items(node, &format!("`{key}`"));
                examples.extend(items.into_iter().filter_map(|item| loader.example(item, should_fail)));
            }
        }
        if loader.reader.errors.is_empty() { Ok(examples) } else { Err(loader.reader.errors) }
    }

    /// The files; those that only the revision before has are its past.
    #[must_use]
    pub fn tree(&self) -> Tree {
        let tree = self.tree_of(self.files.iter());
        let before = self.before.iter().flatten().filter_map(|(_, file)| file.as_ref());
        let gone = before.filter(|file| !self.files.iter().any(|other| other.path == file.path));
        let past = gone.filter_map(|file| {
            let commit = |id: &str, date: &str| Commit { id: id.into(), date: date.into() };
            let content = match &file.content {
                Content::Text(text) => text.clone().into_bytes(),
                Content::Bytes(bytes) => bytes.clone(),
                Content::Symlink(_) => return None,
            };
            let (first, removed) = (commit("1111111111", "2024-01-01"), commit("2222222222", "2024-02-01"));
            let file = File::in_memory(&file.path, Vec::new(), false);
            Some(Past { file, content, last: first.clone(), first, removed: Some(removed) })
        });
        let past = past.collect();
        tree.after(past)
    }

    /// The revision before, for rules that look at a change.
    #[must_use]
    pub fn tree_before(&self) -> Option<Tree> {
        let before = self.before.as_ref()?;
        let changed = |path: &str| before.iter().any(|(name, _)| name == path);
        let kept = self.files.iter().filter(|file| !changed(&file.path));
        Some(self.tree_of(kept.chain(before.iter().filter_map(|(_, file)| file.as_ref()))))
    }

    fn tree_of<'a>(&self, files: impl Iterator<Item = &'a ExampleFile>) -> Tree {
        let untracked = globs(&self.untracked);
        let files = files.map(|file| {
            let bytes = match &file.content {
                Content::Text(text) => text.clone().into_bytes(),
                Content::Bytes(bytes) => bytes.clone(),
                Content::Symlink(_) => Vec::new(),
            };
            let mut made = File::in_memory(&file.path, bytes, !untracked.is_match(&file.path));
            made.executable = file.executable;
            if let Content::Symlink(target) = &file.content {
                made.symlink = Some(target.as_str().into());
            }
            made
        });
        let mut tree = Tree::new(files.collect(), None);
        tree.git = true;
        tree
    }

    /// What differs from what must be, one sentence each; empty when all is well.
    #[must_use]
    pub fn compare(&self, found: &[Found]) -> Vec<String> {
        compare(&self.expect, &self.also, found)
    }
}

/// What differs between what must be found and what was; rules in `also` may fire anywhere.
#[must_use]
pub fn compare(expected: &[Expectation], also: &[String], found: &[Found]) -> Vec<String> {
    let mut left: Vec<&Found> = found.iter().collect();
    let mut missing = Vec::new();
    // The more an expectation says, the sooner it chooses.
    let mut ordered: Vec<&Expectation> = expected.iter().collect();
    ordered.sort_by_key(|expectation| {
        [expectation.columns.is_none(), expectation.message.is_none(), expectation.severity.is_none()]
    });
    for expectation in ordered {
        match left.iter().position(|found| expectation.fits(found)) {
            Some(index) => {
                left.swap_remove(index);
            }
            None => missing.push(expectation),
        }
    }
    let mut differences = Vec::new();
    for expectation in missing {
        let near = left.iter().position(|found| expectation.is_near(found));
        let instead = near.map(|index| left.swap_remove(index));
        differences.push((expectation.path.clone(), expectation.line, expectation.missing(instead)));
    }
    for found in left.into_iter().filter(|found| !also.contains(&found.rule)) {
        let what = format!("unexpected {} ({}): {}", found.rule, found.severity.as_str(), found.message);
        differences.push((found.path.clone(), found.line, what));
    }
    differences.sort();
    differences.into_iter().map(|(path, line, what)| format!("{path}:{line}: {what}")).collect()
}

impl Expectation {
    fn is_near(&self, found: &Found) -> bool {
        self.rule == found.rule && self.path == found.path && self.line == found.line
    }

    fn fits(&self, found: &Found) -> bool {
        self.is_near(found)
            && self.columns.is_none_or(|columns| columns == found.columns)
            && self.severity.is_none_or(|severity| severity == found.severity)
            && self.message.as_ref().is_none_or(|part| found.message.contains(part.as_str()))
    }

    fn missing(&self, instead: Option<&Found>) -> String {
        let Some(found) = instead else { return format!("expected {}, but it does not fire here", self.rule) };
        let mut parts = vec![format!("{} fires", self.rule)];
        if let Some(should) = self.columns.filter(|columns| *columns != found.columns) {
            let shown = |(first, end): (u32, u32)| format!("{first}-{}", end.saturating_sub(1));
            parts.push(format!("at columns {} instead of {}", shown(found.columns), shown(should)));
        }
        if let Some(severity) = self.severity.filter(|severity| *severity != found.severity) {
            parts.push(format!("as {} instead of {}", found.severity.as_str(), severity.as_str()));
        }
        if let Some(part) = self.message.as_ref().filter(|part| !found.message.contains(part.as_str())) {
            parts.push(format!("saying {:?}, without {part:?}", found.message));
        }
        parts.join(" ")
    }
}

/// Patterns that do not parse match nothing; loading refuses them.
fn globs(patterns: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for glob in patterns.iter().filter_map(|pattern| Glob::new(pattern).ok()) {
        set.add(glob);
    }
    set.build().unwrap_or_default()
}

struct Loader<'t> {
    reader: Reader<'t>,
    lines: LineIndex,
    rule: &'t str,
}

const KEYS: [&str; 6] = ["name", "files", "untracked", "before", "expect", "also"];

impl Loader<'_> {
    fn example(&mut self, node: Node<'_>, should_fail: bool) -> Option<Example> {
        let record = self.reader.record(node, "an example", &KEYS)?;
        let name = self.reader.need(&record, "name", "an example");
        let name = name.and_then(|node| self.reader.text(node, "`name`")).unwrap_or_default().to_owned();
        let mut pins = Vec::new();
        let files = self.reader.need(&record, "files", "an example").map_or_else(Vec::new, |node| {
            let files = self.files(node, false, &mut pins);
            files.into_iter().filter_map(|(_, file)| file).collect()
        });
        let before = record.get("before").and_then(|node| {
            let record = self.reader.record(node, "`before`", &["files"])?;
            let files = self.reader.need(&record, "files", "`before`")?;
            Some(self.files(files, true, &mut Vec::new()))
        });
        let mut expect = pins;
        if let Some(node) = record.get("expect") {
            let items = self.reader.items(node, "`expect`");
            expect.extend(items.into_iter().filter_map(|item| self.expectation(item)));
        }
        let marked = expect.iter().any(|expectation| expectation.rule == self.rule);
        if marked != should_fail {
            let message = if marked { "a passing example marks the rule" } else { "a failing example marks no line" };
            self.reader.fail(super::record::first_line(self.reader.text, record.span), message);
        }
        let untracked = self.texts(&record, "untracked");
        for pattern in untracked.iter().filter(|pattern| Glob::new(pattern).is_err()) {
            self.reader.fail(record.span, format!("`{pattern}` is no pattern"));
        }
        let line = self.lines.line(node.span().start);
        let also = self.texts(&record, "also");
        Some(Example { name, line, files, untracked, before, expect, also, should_fail })
    }

    fn texts(&mut self, record: &Record<'_>, key: &str) -> Vec<String> {
        let Some(node) = record.get(key) else { return Vec::new() };
        let what = format!("`{key}`");
        let items = self.reader.items(node, &what);
        items.into_iter().filter_map(|item| self.reader.text(item, &what).map(str::to_owned)).collect()
    }

    /// Files by path; in the revision before a null content says that there is none.
    fn files(
        &mut self,
        node: Node<'_>,
        before: bool,
        expect: &mut Vec<Expectation>,
    ) -> Vec<(String, Option<ExampleFile>)> {
        let Some(record) = self.reader.map(node, "`files`") else { return Vec::new() };
        let mut files = Vec::new();
        for (path, span, node) in record.iter() {
            if path.starts_with('/') || path.split('/').any(|part| ["", ".", ".."].contains(&part)) {
                self.reader.fail(span, format!("`{path}` is no path inside the repository"));
            }
            let file = if node.is_null() { None } else { self.file(path, node, expect) };
            if node.is_null() && !before {
                self.reader.fail(span, format!("`{path}` has no content; write \"\" for an empty file"));
            }
            files.push((path.to_owned(), file));
        }
        files
    }

    fn file(&mut self, path: &str, node: Node<'_>, expect: &mut Vec<Expectation>) -> Option<ExampleFile> {
        let path = path.to_owned();
        if let Some(text) = node.as_str() {
            let content = Content::Text(marked(&path, text, expect));
            return Some(ExampleFile { path, content, executable: false });
        }
        let record = self.reader.record(node, "a file", &["text", "base64", "symlink", "mode"])?;
        let mode = record.get("mode").and_then(|node| self.reader.text(node, "`mode`"));
        let executable = mode.and_then(|mode| u32::from_str_radix(mode, 8).ok()).is_some_and(|mode| mode & 0o111 != 0);
        let content = if let Some(text) = record.get("text") {
            Content::Text(marked(&path, text.as_str().unwrap_or_default(), expect))
        } else if let Some(target) = record.get("symlink") {
            Content::Symlink(self.reader.text(target, "`symlink`")?.to_owned())
        } else {
            let node = self.reader.need(&record, "base64", "a file")?;
            let bytes = decode(self.reader.text(node, "`base64`")?);
            if bytes.is_none() {
                self.reader.fail(node.span(), "this is no base64");
            }
            Content::Bytes(bytes?)
        };
        Some(ExampleFile { path, content, executable })
    }

    fn expectation(&mut self, node: Node<'_>) -> Option<Expectation> {
        let keys = ["rule", "path", "line", "columns", "severity", "message"];
        let record = self.reader.record(node, "an expectation", &keys)?;
        let path = self.reader.need(&record, "path", "an expectation")?;
        let path = self.reader.text(path, "`path`")?.to_owned();
        let line = record.get("line").map_or(Some(1), |node| self.number(node));
        let columns = match record.get("columns") {
            Some(node) => Some(self.columns(node)?),
            None => None,
        };
        let severities = [("error", Severity::Error), ("warning", Severity::Warning), ("info", Severity::Info)];
        let severity = record.get("severity").and_then(|node| self.reader.word(node, "severity", &severities));
        let message = record.get("message").and_then(|node| self.reader.text(node, "`message`")).map(str::to_owned);
        let rule = record.get("rule").and_then(|node| self.reader.text(node, "`rule`")).unwrap_or(self.rule).to_owned();
        Some(Expectation { rule, path, line: line?, columns, severity, message })
    }

    fn number(&mut self, node: Node<'_>) -> Option<u32> {
        let number = node.as_str().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
        if number.is_none() {
            self.reader.fail(node.span(), "lines and columns count from 1");
        }
        number
    }

    /// `[first, last]`, both included.
    fn columns(&mut self, node: Node<'_>) -> Option<(u32, u32)> {
        if let (NodeKind::Seq(_), [first, last]) = (node.kind(), node.items().collect::<Vec<_>>().as_slice()) {
            return Some((self.number(*first)?, self.number(*last)?.saturating_add(1)));
        }
        self.reader.fail(node.span(), "write columns as [first, last]");
        None
    }
}

/// The text without marks, which become expectations.
fn marked(path: &str, text: &str, expect: &mut Vec<Expectation>) -> String {
    let (plain, pins) = marker::cut(text);
    expect.extend(pins.into_iter().map(|Pin { rule, line, columns, severity }| Expectation {
        rule,
        path: path.to_owned(),
        line,
        columns,
        severity,
        message: None,
    }));
    plain
}

/// Base64 with the standard alphabet; white space and padding are skipped.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for c in text.bytes().filter(|c| !c.is_ascii_whitespace() && *c != b'=') {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.extend(u8::try_from(bits >> count & 0xFF));
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"id: a-rule
fails:
  - name: all at once
    files:
      a.tf: |
        resource {   #^ a-rule
          x = 1      #^ other (info)
          # ^^^ a-rule
        }
      run.sh: {text: "exit\n", mode: "755"}
      logo.png: {base64: "AP9h"}
      link: {symlink: a.tf}
    untracked: ["*.png"]
    before: {files: {a.tf: null, old.tf: "y"}}
    expect:
      - {path: run.sh, line: 1, columns: [1, 4], severity: warning, message: leaves}
    also: [third]
passes:
  - name: nothing
    files: {a.tf: "x = 1"}
"#;

    fn found(rule: &str, path: &str, line: u32, columns: (u32, u32), severity: Severity) -> Found {
        Found { rule: rule.into(), path: path.into(), line, columns, severity, message: "it leaves".into() }
    }

    #[test]
    fn an_example_is_a_repository() {
        let examples = Example::load("rules/f/a-rule.yaml", FILE).unwrap();
        let [fails, passes] = examples.as_slice() else { panic!("two") };
        assert!(fails.should_fail && !passes.should_fail && passes.expect.is_empty());
        assert_eq!((fails.line, passes.line), (3, 19));
        let tree = fails.tree();
        let text = |tree: &Tree, path: &str| tree.find(path).map(|id| tree.text(id).to_owned());
        assert_eq!(text(&tree, "a.tf").as_deref(), Some("resource {\n  x = 1\n}\n"));
        assert!(tree.iter().all(|(_, file)| file.tracked == (&*file.path != "logo.png")));
        assert!(tree.find("run.sh").is_some_and(|id| tree.file(id).executable));
        assert!(tree.find("logo.png").is_some_and(|id| tree.file(id).head() == [0, 255, b'a']));
        assert!(tree.find("link").is_some_and(|id| tree.file(id).symlink.as_deref() == Some("a.tf")));
        let before = fails.tree_before().unwrap();
        assert_eq!(text(&before, "old.tf").as_deref(), Some("y"));
        assert_eq!((before.find("a.tf"), before.len()), (None, 4));
        assert!(passes.tree_before().is_none());
    }

    #[test]
    fn differences_are_said() {
        let examples = Example::load("rules/f/a-rule.yaml", FILE).unwrap();
        let mut all = vec![
            found("a-rule", "a.tf", 1, (1, 9), Severity::Error),
            found("other", "a.tf", 2, (3, 8), Severity::Info),
            found("a-rule", "a.tf", 2, (5, 8), Severity::Error),
            found("a-rule", "run.sh", 1, (1, 5), Severity::Warning),
            found("third", "a.tf", 3, (1, 2), Severity::Info),
        ];
        assert_eq!(examples[0].compare(&all), Vec::<String>::new());
        all[1].rule = "fourth".into();
        all[2].columns = (3, 8);
        all[3].severity = Severity::Error;
        assert_eq!(
            examples[0].compare(&all),
            [
                "a.tf:2: a-rule fires at columns 3-7 instead of 5-7",
                "a.tf:2: expected other, but it does not fire here",
                "a.tf:2: unexpected fourth (info): it leaves",
                "run.sh:1: a-rule fires as error instead of warning",
            ]
        );
    }

    #[test]
    fn bad_examples_are_refused() {
        let text = "fails:\n  - name: x\n    files: {/a: b, c: {base64: '?'}, d: }\n    expct: []\npasses:\n  - name: y\n    files: {a: 'x #^ r'}\n";
        let errors = Example::load("rules/f/r.yaml", text).unwrap_err();
        let said: Vec<&str> = errors.iter().map(|error| &*error.message).collect();
        assert_eq!(
            said,
            [
                "an example has no key `expct`; did you mean `expect`?",
                "`/a` is no path inside the repository",
                "this is no base64",
                "`d` has no content; write \"\" for an empty file",
                "a failing example marks no line",
                "a passing example marks the rule",
            ]
        );
        assert!(errors[0].render(text).ends_with("4 |     expct: []\n  |     ^^^^^"));
    }
}
