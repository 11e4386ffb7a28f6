//! A [`Tree`] of files: from the disk, the Git index, a commit or memory. Everything above sees only Trees.

use crate::text::{FileId, LineIndex, Loc, Position, Span};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

pub mod change;
pub mod disk;
pub mod git;
pub mod history;
pub mod ignored;

/// Files beyond this size are not read (a state file or dump is judged by name and head).
pub const MAX_BYTES: u64 = 4 << 20;

/// How many bytes of a file are enough to tell what it is.
pub const HEAD_BYTES: usize = 4096;

/// One file of a tree.
#[derive(Debug)]
pub struct File {
    /// Relative to the tree's root, with `/`.
    pub path: Box<str>,
    /// In the Git index (always true outside Git and in memory unless said otherwise).
    pub tracked: bool,
    /// Matched by an ignore rule (only interesting for untracked files named by rules; such files are not read).
    pub executable: bool,
    /// Where a symbolic link points, as written.
    pub symlink: Option<Box<str>>,
    content: Content,
    text: OnceLock<Result<Text, Unreadable>>,
}

#[derive(Clone, Debug)]
enum Content {
    Memory(Vec<u8>),
    Disk(PathBuf),
    /// A symbolic link out of the tree: what lies there is not the project's to judge.
    Outside,
}

/// The text of a file with its lines.
#[derive(Debug)]
pub struct Text {
    /// The text; UTF-16 is converted, invalid UTF-8 is refused.
    pub text: String,
    lines: OnceLock<LineIndex>,
}

impl Text {
    /// The lines.
    pub fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(&self.text))
    }
}

/// Why the text of a file cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The system's words.
    Io(String),
    /// Bytes that are no text.
    Binary,
    /// Larger than [`MAX_BYTES`].
    TooLarge(u64),
}

/// A set of files, sorted by path.
#[derive(Debug, Default)]
pub struct Tree {
    /// Shared with the tree of another revision where nothing changed, so that each is read once.
    files: Vec<Arc<File>>,
    /// Where it stands on disk, if it does.
    pub root: Option<PathBuf>,
    /// Paths that Git knows as submodules.
    pub submodules: Vec<Box<str>>,
    /// What the index names and the work tree lacks.
    pub absent: Vec<disk::Absent>,
    /// Files of earlier commits, in path order: they have ids and paths, and are no part of the tree.
    past: Vec<history::Past>,
    /// Folders that are projects of their own.
    pub nested: Vec<Box<str>>,
    /// Whether Git said what is tracked.
    pub git: bool,
}

impl File {
    /// A file on disk.
    #[must_use]
    pub fn on_disk(path: &str, full: PathBuf, tracked: bool) -> Self {
        Self::new(path, Content::Disk(full), tracked)
    }

    /// A symbolic link that leaves the tree; it is never followed.
    #[must_use]
    pub fn outside(path: &str, tracked: bool) -> Self {
        Self::new(path, Content::Outside, tracked)
    }

    /// Whether it is a symbolic link out of the tree.
    #[must_use]
    pub fn leaves(&self) -> bool {
        matches!(self.content, Content::Outside)
    }

    /// A file in memory.
    #[must_use]
    pub fn in_memory(path: &str, bytes: Vec<u8>, tracked: bool) -> Self {
        Self::new(path, Content::Memory(bytes), tracked)
    }

    fn new(path: &str, content: Content, tracked: bool) -> Self {
        Self { path: path.into(), tracked, executable: false, symlink: None, content, text: OnceLock::new() }
    }

    /// A file with the same content under another path.
    fn shown_at(&self, path: &str) -> Self {
        Self { executable: self.executable, ..Self::new(path, self.content.clone(), self.tracked) }
    }

    /// The text, read at the first call.
    ///
    /// # Errors
    /// When it cannot be read, is no text, or is too large.
    pub fn text(&self) -> Result<&Text, &Unreadable> {
        self.text.get_or_init(|| self.read()).as_ref()
    }

    /// The first bytes, without keeping the file.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        self.beginning(HEAD_BYTES)
    }

    /// So many of its first bytes, without keeping the file.
    #[must_use]
    pub fn beginning(&self, limit: usize) -> Vec<u8> {
        use std::io::Read as _;
        match &self.content {
            Content::Memory(bytes) => bytes[..bytes.len().min(limit)].to_vec(),
            Content::Outside => Vec::new(),
            Content::Disk(path) => {
                let mut head = Vec::new();
                if let Ok(file) = std::fs::File::open(path) {
                    // What cannot be read here is reported when the text is asked for.
                    let _ = file.take(limit as u64).read_to_end(&mut head);
                }
                head
            }
        }
    }

    fn read(&self) -> Result<Text, Unreadable> {
        let bytes = match &self.content {
            Content::Memory(bytes) => bytes.clone(),
            Content::Outside => return Err(Unreadable::Io("it is a symbolic link out of the project".to_owned())),
            Content::Disk(path) => {
                let meta = std::fs::metadata(path).map_err(|error| Unreadable::Io(error.to_string()))?;
                if !meta.is_file() {
                    return Err(Unreadable::Io("not a regular file".to_owned()));
                }
                if meta.len() > MAX_BYTES {
                    return Err(Unreadable::TooLarge(meta.len()));
                }
                std::fs::read(path).map_err(|error| Unreadable::Io(error.to_string()))?
            }
        };
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Unreadable::TooLarge(bytes.len() as u64));
        }
        Ok(Text { text: decode(bytes)?, lines: OnceLock::new() })
    }
}

fn decode(bytes: Vec<u8>) -> Result<String, Unreadable> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map_err(|_| Unreadable::Binary)
    };
    match bytes.get(..2) {
        Some([0xFF, 0xFE]) => wide(u16::from_le_bytes),
        Some([0xFE, 0xFF]) => wide(u16::from_be_bytes),
        _ if memchr::memchr(0, &bytes).is_some() => Err(Unreadable::Binary),
        _ => String::from_utf8(bytes).map_err(|_| Unreadable::Binary),
    }
}

impl Tree {
    /// A tree of these files.
    #[must_use]
    pub fn new(files: Vec<File>, root: Option<PathBuf>) -> Self {
        Self::of(files.into_iter().map(Arc::new).collect(), root)
    }

    fn of(mut files: Vec<Arc<File>>, root: Option<PathBuf>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Self { files, root, ..Self::default() }
    }

    /// Every file with its id, in path order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (FileId, &File)> {
        self.files.iter().enumerate().map(|(index, file)| (FileId(Span::new(index, index).start), &**file))
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// A file by id.
    #[must_use]
    pub fn file(&self, id: FileId) -> &File {
        let index = id.0 as usize;
        match self.files.get(index) {
            Some(file) => file,
            None => &self.past[index - self.files.len()].file,
        }
    }

    /// The path of a file.
    #[must_use]
    pub fn path(&self, id: FileId) -> &str {
        &self.file(id).path
    }

    /// The tree with more files.
    #[must_use]
    pub fn with(mut self, more: Vec<File>) -> Self {
        self.files.extend(more.into_iter().map(Arc::new));
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.files.dedup_by(|a, b| a.path == b.path);
        self
    }

    /// The same tree without some of its files, and with others.
    fn exchanged(&self, without: &dyn Fn(&File) -> bool, with: Vec<File>) -> Self {
        let kept = self.files.iter().filter(|file| !without(file)).cloned();
        let files = kept.chain(with.into_iter().map(Arc::new)).collect();
        Self {
            submodules: self.submodules.clone(),
            nested: self.nested.clone(),
            git: self.git,
            ..Self::of(files, self.root.clone())
        }
    }

    /// The same tree, in which links show the files of this tree: on disk they show those of the work tree.
    fn relinked(mut self) -> Self {
        let shown: Vec<(usize, Arc<File>)> = self
            .files
            .iter()
            .enumerate()
            .filter(|(_, link)| link.symlink.is_some())
            .filter_map(|(at, link)| {
                let target = self.file(self.find(&self.real(&link.path))?);
                let is_other = link.leaves() || matches!(target.content, Content::Memory(_));
                is_other.then(|| (at, Arc::new(File { symlink: link.symlink.clone(), ..target.shown_at(&link.path) })))
            })
            .collect();
        for (at, file) in shown {
            self.files[at] = file;
        }
        self
    }

    /// The tree with files of earlier commits beside it.
    #[must_use]
    pub fn after(mut self, mut past: Vec<history::Past>) -> Self {
        past.sort_by(|a, b| a.file.path.cmp(&b.file.path));
        self.past = past;
        self
    }

    /// The files of earlier commits, in path order.
    pub fn past(&self) -> impl ExactSizeIterator<Item = (FileId, &history::Past)> {
        let first = self.files.len();
        self.past.iter().enumerate().map(move |(index, past)| (FileId(Span::new(first + index, 0).start), past))
    }

    /// A file by path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<FileId> {
        let index = self.files.binary_search_by(|file| (*file.path).cmp(path)).ok()?;
        Some(FileId(Span::new(index, index).start))
    }

    /// A path with the symbolic links to folders on its way followed.
    #[must_use]
    pub fn real(&self, path: &str) -> String {
        let mut path = path.to_owned();
        // Links may lead to links, or round in a circle.
        for _ in 0..8 {
            let mut ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            let followed = ends.find_map(|end| {
                let (prefix, rest) = path.split_at(end);
                let target = self.file(self.find(prefix)?).symlink.as_deref()?;
                join(folder(prefix), target).map(|target| format!("{target}{rest}"))
            });
            match followed {
                Some(next) => path = next,
                None => break,
            }
        }
        path
    }

    /// The files whose path lies below `folder` (`""`: all), in path order.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (FileId, &'a File)> {
        let inside =
            move |path: &str| folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let first = self.files.partition_point(|file| *file.path < *folder);
        self.files[first..]
            .iter()
            .enumerate()
            .map(move |(index, file)| (FileId(Span::new(first + index, 0).start), &**file))
            .take_while(move |(_, file)| folder.is_empty() || file.path.starts_with(folder))
            .filter(move |(_, file)| inside(&file.path))
    }

    /// The text of a file; empty when it cannot be had.
    #[must_use]
    pub fn text(&self, id: FileId) -> &str {
        self.file(id).text().map_or("", |text| &text.text)
    }

    /// The text that a place covers.
    #[must_use]
    pub fn slice(&self, loc: Loc) -> &str {
        loc.span.slice(self.text(loc.file))
    }

    /// The line of a place, from 1.
    #[must_use]
    pub fn line(&self, loc: Loc) -> u32 {
        self.file(loc.file).text().map_or(1, |text| text.lines().line(loc.span.start))
    }

    /// First and end position of a place.
    #[must_use]
    pub fn positions(&self, loc: Loc) -> (Position, Position) {
        match self.file(loc.file).text() {
            Ok(text) => {
                let lines = text.lines();
                (lines.position(&text.text, loc.span.start), lines.position(&text.text, loc.span.end))
            }
            Err(_) => (Position { line: 1, column: 1 }, Position { line: 1, column: 1 }),
        }
    }
}

/// The folder of a path; `""` at the root.
#[must_use]
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last component of a path.
#[must_use]
pub fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// `folder/relative` with `.` and `..` resolved; `None` when it leaves the tree.
#[must_use]
pub fn join(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(relative.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_is_exact() {
        let names = ["a.tf", "a/b.tf", "a/c/d.tf", "a-b/e.tf", "b.tf"];
        let tree = Tree::new(names.map(|name| File::in_memory(name, Vec::new(), true)).into(), None);
        let below: Vec<&str> = tree.below("a").map(|(_, file)| &*file.path).collect();
        assert_eq!(below, ["a/b.tf", "a/c/d.tf"]);
        assert!(tree.below("a").all(|(id, file)| tree.path(id) == &*file.path));
        assert_eq!(tree.below("").count(), 5);
    }

    #[test]
    fn joining_stays_inside() {
        assert_eq!(join("a/b", "../c").as_deref(), Some("a/c"));
        assert_eq!(join("a", "./x/./y").as_deref(), Some("a/x/y"));
        assert_eq!(join("a", "../../x"), None);
    }

    #[test]
    fn text_is_refused_or_decoded() {
        assert!(matches!(File::in_memory("a", vec![0, 1], true).text(), Err(Unreadable::Binary)));
        let wide = File::in_memory("a", vec![0xFF, 0xFE, b'h', 0, b'i', 0], true);
        assert_eq!(wide.text().unwrap().text, "hi");
    }
}
