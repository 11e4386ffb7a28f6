//! The page of the map of a project, as a file that a browser opens.

use super::{Folder, ROOT, stateward};
use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};

const VIOLATING: &str = "fixtures/platform/violating";

/// A folder with the page of a project, and the map in it.
pub(crate) struct Page {
    /// Where it lies.
    pub(crate) folder: Folder,
    /// What is in it.
    pub(crate) map: Json,
}

impl Page {
    /// The page of a project, by its path from here.
    pub(crate) fn of(project: &Path) -> Self {
        let folder = Folder::new(&[]);
        let file = folder.path().join("map.html");
        let output =
            stateward().args(["map", "--format", "html", "--output"]).arg(&file).arg(project).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = fs::read_to_string(file).unwrap();
        let map = serde_json::from_str(split(&text).1).unwrap();
        Self { folder, map }
    }

    /// The page of the platform that violates the doctrine.
    pub(crate) fn violating() -> Self {
        Self::of(&Path::new(ROOT).join(VIOLATING))
    }

    /// The file of the page.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("map.html")
    }

    /// Puts another map into the page.
    pub(crate) fn replace(&mut self, map: Json) {
        let text = fs::read_to_string(self.file()).unwrap();
        let (before, _, after) = split(&text);
        let new = map.to_string().replace('<', "\\u003c");
        self.folder.write("map.html", &format!("{before}{new}{after}"));
        self.map = map;
    }

    /// The objects of its map.
    pub(crate) fn objects(&self) -> &[Json] {
        self.map["objects"].as_array().unwrap()
    }

    /// The ids of the objects of which something holds, sorted.
    pub(crate) fn ids(&self, holds: impl Fn(&Json) -> bool) -> Vec<String> {
        let mut ids: Vec<String> =
            self.objects().iter().filter(|it| holds(it)).map(|it| it["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }

    /// The ids of all objects, sorted.
    pub(crate) fn all(&self) -> Vec<String> {
        self.ids(|_| true)
    }
}

/// What stands before, in and after the map of a page.
pub(crate) fn split(page: &str) -> (&str, &str, &str) {
    let from = page.find("id=\"data\">").unwrap() + "id=\"data\">".len();
    let to = from + page[from..].find("</script>").unwrap();
    (&page[..from], &page[from..to], &page[to..])
}
