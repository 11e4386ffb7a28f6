//! `.stateward.yaml`: what a project decides for itself. Nearest wins; unknown keys are errors with their place.

use crate::diag::Severity;
use crate::model::kind::Kind;
use crate::model::load::Documents;
use crate::source::{Tree, folder};
use crate::syntax::yaml::{Node, Yaml};
use crate::text::{FileId, Loc};
use globset::{Glob, GlobSet, GlobSetBuilder};
use std::collections::BTreeMap;

/// A mistake in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where.
    pub loc: Loc,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A set of rules by strictness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// What nearly every team wants.
    #[default]
    Recommended,
    /// Everything that the doctrine says.
    Strict,
    /// The doctrine's own platform too.
    Samakia,
}

impl Profile {
    const ALL: [(&'static str, Self); 3] =
        [("recommended", Self::Recommended), ("strict", Self::Strict), ("samakia", Self::Samakia)];

    /// Whether a rule that names these profiles belongs to it: each profile holds those before it.
    #[must_use]
    pub fn holds(self, profiles: &[String]) -> bool {
        let reached = Self::ALL.iter().take_while(|(_, profile)| *profile as usize <= self as usize);
        reached.into_iter().any(|(name, _)| profiles.iter().any(|own| own == name))
    }
}

/// One exception of the configuration.
#[derive(Clone, Debug)]
pub struct Suppression {
    /// The rule's id.
    pub rule: String,
    /// A glob over addresses, or over paths when there is no address.
    pub address: Option<Glob>,
    /// A glob over paths.
    pub path: Option<Glob>,
    /// Why.
    pub reason: Option<String>,
    /// The last day that it holds, `YYYY-MM-DD`.
    pub until: Option<String>,
    /// Where it stands.
    pub loc: Loc,
}

/// One configuration file.
#[derive(Debug, Default)]
pub struct Layer {
    /// Its folder.
    pub folder: String,
    /// `profile`
    pub profile: Option<Profile>,
    /// `select`
    pub select: Vec<(String, Loc)>,
    /// `ignore`
    pub ignore: Vec<(String, Loc)>,
    /// `severity`
    pub severity: BTreeMap<String, (Severity, Loc)>,
    /// `environments.ephemeral`
    pub ephemeral: Option<GlobSet>,
    /// `options`: rule → option → value, as text.
    pub options: BTreeMap<String, (BTreeMap<String, OptionValue>, Loc)>,
    /// `suppress`
    pub suppress: Vec<Suppression>,
}

/// The value of an option.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// A scalar as YAML resolves it.
    Scalar(crate::value::Data),
    /// A list of strings.
    List(Vec<String>),
}

/// All configuration of a project.
#[derive(Debug, Default)]
pub struct Config {
    /// Every layer, outermost first.
    pub layers: Vec<Layer>,
    /// `fail-on` (`None`: never).
    pub fail_on: Option<Severity>,
    /// Whether `fail-on` was given.
    pub fail_on_given: bool,
    /// `exclude`
    pub exclude: Option<GlobSet>,
    /// `terraform.var-files`
    pub var_files: Vec<String>,
    /// `terraform.roots`
    pub roots: Option<GlobSet>,
    /// `rules`
    pub rules: Vec<(String, Loc)>,
    /// `knowledge`
    pub knowledge: Vec<(String, Loc)>,
    /// What is wrong in it.
    pub errors: Vec<ConfigError>,
}

impl Config {
    /// Reads the root's configuration before anything else is read: excludes decide what that is.
    #[must_use]
    pub fn at_root(tree: &Tree) -> Self {
        let mut config = Self { fail_on: Some(Severity::Warning), ..Self::default() };
        if let Some(file) = tree.find(crate::source::disk::CONFIG) {
            let yaml = Yaml::parse(tree.text(file));
            config.add(file, "", &yaml);
        }
        config
    }

    /// Adds the configurations of folders below the root.
    pub fn add_nested(&mut self, documents: &Documents<'_>) {
        for document in documents.of(&[Kind::Configuration]) {
            let folder = folder(documents.tree.path(document.file));
            if let (false, Some(yaml)) = (folder.is_empty(), document.yaml()) {
                self.add(document.file, folder, yaml);
            }
        }
    }

    fn add(&mut self, file: FileId, folder: &str, yaml: &Yaml) {
        for error in &yaml.errors {
            self.errors.push(ConfigError { loc: Loc { file, span: error.span }, message: error.message.clone() });
        }
        let Some(root) = yaml.root().filter(|root| !root.is_null()) else { return };
        let mut reader = Reader { config: self, file, layer: Layer { folder: folder.to_owned(), ..Layer::default() } };
        if root.is_map() {
            for (key, value) in root.entries() {
                reader.key(key, value);
            }
        } else {
            reader.error(root, "the configuration is a mapping of keys");
        }
        let layer = reader.layer;
        self.layers.push(layer);
    }

    /// The layers that speak of a path, outermost first.
    pub fn layers_for<'a>(&'a self, path: &'a str) -> impl DoubleEndedIterator<Item = &'a Layer> {
        self.layers.iter().filter(move |layer| {
            layer.folder.is_empty() || path.strip_prefix(&layer.folder).is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// The profile for a path.
    #[must_use]
    pub fn profile(&self, path: &str) -> Profile {
        self.layers_for(path).filter_map(|layer| layer.profile).next_back().unwrap_or_default()
    }

    /// Whether data below this path is made to be thrown away: by configuration, else by a word of a path segment.
    #[must_use]
    pub fn is_ephemeral(&self, path: &str) -> bool {
        match self.layers_for(path).filter_map(|layer| layer.ephemeral.as_ref()).next_back() {
            Some(globs) => globs.is_match(path),
            None => folder(path).split('/').any(|segment| segment.split(['-', '_']).any(is_ephemeral_word)),
        }
    }
}

fn is_ephemeral_word(word: &str) -> bool {
    const WORDS: [&str; 10] =
        ["dev", "test", "tests", "ci", "preview", "sandbox", "example", "examples", "molecule", "kitchen"];
    WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

const KEYS: [&str; 13] = [
    "root",
    "fail-on",
    "profile",
    "select",
    "ignore",
    "severity",
    "exclude",
    "environments",
    "options",
    "terraform",
    "rules",
    "knowledge",
    "suppress",
];
const NESTING: [&str; 7] = ["profile", "select", "ignore", "severity", "environments", "suppress", "options"];

struct Reader<'c> {
    config: &'c mut Config,
    file: FileId,
    layer: Layer,
}

impl Reader<'_> {
    fn error(&mut self, node: Node<'_>, message: impl Into<String>) {
        let loc = self.loc(node);
        self.config.errors.push(ConfigError { loc, message: message.into() });
    }

    fn loc(&self, node: Node<'_>) -> Loc {
        Loc { file: self.file, span: node.span() }
    }

    fn key(&mut self, key: Node<'_>, value: Node<'_>) {
        let name = key.as_str().unwrap_or("");
        if !KEYS.contains(&name) {
            let known = nearest(name, &KEYS);
            self.error(key, format!("unknown key `{name}`{known}"));
            return;
        }
        if !self.layer.folder.is_empty() && !NESTING.contains(&name) && name != "root" {
            self.error(key, format!("`{name}` stands only in the configuration at the project's root"));
            return;
        }
        match name {
            "fail-on" => self.fail_on(value),
            "profile" => match Profile::ALL.iter().find(|(name, _)| value.as_str() == Some(name)) {
                Some((_, profile)) => self.layer.profile = Some(*profile),
                None => self.error(value, "`profile` is recommended, strict or samakia"),
            },
            "select" => self.layer.select = self.names(value),
            "ignore" => self.layer.ignore = self.names(value),
            "severity" => self.severities(value),
            "exclude" => self.config.exclude = self.globs(value),
            "environments" => self.environments(value),
            "options" => self.options(value),
            "terraform" => self.terraform(value),
            "rules" => self.config.rules = self.names(value),
            "knowledge" => self.config.knowledge = self.names(value),
            "suppress" => self.suppressions(value),
            _ => {}
        }
    }

    fn fail_on(&mut self, value: Node<'_>) {
        match (value.as_str().and_then(severity), value.as_str()) {
            (Some(severity), _) => self.config.fail_on = Some(severity),
            (None, Some("never")) => self.config.fail_on = None,
            _ => self.error(value, "`fail-on` is error, warning, info or never"),
        }
        self.config.fail_on_given = true;
    }

    fn names(&mut self, value: Node<'_>) -> Vec<(String, Loc)> {
        if !value.is_seq() && !value.is_null() {
            self.error(value, "expected a list");
        }
        value.items().filter_map(|item| Some((item.as_str()?.to_owned(), self.loc(item)))).collect()
    }

    fn globs(&mut self, value: Node<'_>) -> Option<GlobSet> {
        let mut builder = GlobSetBuilder::new();
        for (pattern, loc) in self.names(value) {
            match Glob::new(&pattern) {
                Ok(glob) => {
                    builder.add(glob);
                }
                Err(error) => self.config.errors.push(ConfigError { loc, message: error.to_string() }),
            }
        }
        builder.build().ok()
    }

    fn severities(&mut self, value: Node<'_>) {
        for (key, value) in value.entries() {
            match value.as_str().and_then(severity) {
                Some(severity) => {
                    let loc = self.loc(key);
                    self.layer.severity.insert(key.as_str().unwrap_or("").to_owned(), (severity, loc));
                }
                None => self.error(value, "a severity is error, warning or info"),
            }
        }
    }

    fn environments(&mut self, value: Node<'_>) {
        for (key, value) in value.entries() {
            match key.as_str() {
                Some("ephemeral") => self.layer.ephemeral = self.globs(value),
                other => {
                    let message = format!("unknown environment class `{}`; there is `ephemeral`", other.unwrap_or(""));
                    self.error(key, message);
                }
            }
        }
    }

    fn options(&mut self, value: Node<'_>) {
        for (rule, switches) in value.entries() {
            let values = switches.entries().into_iter().filter_map(|(name, value)| {
                let value = if value.is_seq() {
                    OptionValue::List(value.items().filter_map(|item| item.as_str().map(str::to_owned)).collect())
                } else {
                    OptionValue::Scalar(crate::model::load::scalar(value))
                };
                Some((name.as_str()?.to_owned(), value))
            });
            let (values, loc) = (values.collect(), self.loc(rule));
            self.layer.options.insert(rule.as_str().unwrap_or("").to_owned(), (values, loc));
        }
    }

    fn terraform(&mut self, value: Node<'_>) {
        for (key, value) in value.entries() {
            match key.as_str() {
                Some("var-files") => {
                    self.config.var_files = self.names(value).into_iter().map(|(name, _)| name).collect();
                }
                Some("roots") => self.config.roots = self.globs(value),
                other => {
                    self.error(
                        key,
                        format!("unknown key `{}`; there are `var-files` and `roots`", other.unwrap_or("")),
                    );
                }
            }
        }
    }

    fn suppressions(&mut self, value: Node<'_>) {
        for item in value.items() {
            let text = |key: &str| item.get(key).and_then(Node::as_str).map(str::to_owned);
            for (key, _) in item.entries() {
                let name = key.as_str().unwrap_or("");
                if !["rule", "address", "path", "reason", "until", "owner"].contains(&name) {
                    self.error(
                        key,
                        format!("unknown key `{name}`; there are rule, address, path, reason, owner and until"),
                    );
                }
            }
            let Some(rule) = text("rule") else {
                self.error(item, "a suppression names its `rule`");
                continue;
            };
            let mut glob = |key: &str| match text(key).map(|pattern| Glob::new(&pattern)) {
                Some(Ok(glob)) => Some(glob),
                Some(Err(error)) => {
                    self.error(item, error.to_string());
                    None
                }
                None => None,
            };
            let (address, path) = (glob("address"), glob("path"));
            let until = text("until");
            if until.as_deref().is_some_and(|until| !is_date(until)) {
                self.error(item, "`until` is a day such as 2027-03-01");
            }
            let loc = self.loc(item.get("rule").unwrap_or(item));
            self.layer.suppress.push(Suppression { rule, address, path, reason: text("reason"), until, loc });
        }
    }
}

/// A severity by its word.
#[must_use]
pub fn severity(word: &str) -> Option<Severity> {
    [Severity::Info, Severity::Warning, Severity::Error].into_iter().find(|severity| severity.as_str() == word)
}

/// Whether a text is a day as `YYYY-MM-DD`.
#[must_use]
pub fn is_date(text: &str) -> bool {
    let shape: Vec<usize> = text.split('-').map(str::len).collect();
    let number = |part: &str| part.parse::<u32>().unwrap_or(0);
    let parts: Vec<u32> = text.split('-').map(number).collect();
    shape == [4, 2, 2] && (1..=12).contains(&parts[1]) && (1..=31).contains(&parts[2])
}

/// "; did you mean `x`?" when one of the words is near.
fn nearest(word: &str, words: &[&str]) -> String {
    let near = words.iter().map(|known| (distance(word, known), known)).min();
    near.filter(|(distance, _)| *distance <= 3)
        .map_or_else(|| format!("; there are {}", words.join(", ")), |(_, known)| format!("; did you mean `{known}`?"))
}

/// How many letters differ (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let next = (diagonal + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::File;

    fn config(text: &str) -> (Tree, Config) {
        let tree = Tree::new(vec![File::in_memory(".stateward.yaml", text.as_bytes().to_vec(), true)], None);
        let config = Config::at_root(&tree);
        (tree, config)
    }

    #[test]
    fn reads_every_key() {
        let (_, config) = config(
            "root: true\nfail-on: error\nprofile: strict\nselect: [a]\nignore: [b]\nseverity: {c: info}\nexclude: ['**/x/**']\n\
             environments: {ephemeral: ['envs/dev/**']}\noptions: {d: {allow: true}}\nterraform: {var-files: [p.tfvars]}\n\
             suppress:\n  - {rule: e, address: 'module.s.*', reason: r, until: 2027-03-01}\n",
        );
        assert_eq!(config.errors, []);
        assert_eq!(config.fail_on, Some(Severity::Error));
        assert_eq!(config.profile("a/b"), Profile::Strict);
        assert!(config.is_ephemeral("envs/dev/main.tf") && !config.is_ephemeral("test/main.tf"));
        assert_eq!(config.layers[0].suppress[0].until.as_deref(), Some("2027-03-01"));
        let option = &config.layers[0].options["d"].0["allow"];
        assert_eq!(*option, OptionValue::Scalar(crate::value::Data::Bool(true)));
    }

    #[test]
    fn mistakes_have_places() {
        let (tree, config) = config("fail_on: error\nprofile: loose\n");
        let shown: Vec<(u32, &str)> =
            config.errors.iter().map(|error| (tree.line(error.loc), &*error.message)).collect();
        assert_eq!(shown[0], (1, "unknown key `fail_on`; did you mean `fail-on`?"));
        assert_eq!(shown[1], (2, "`profile` is recommended, strict or samakia"));
    }

    #[test]
    fn environments_by_word() {
        let config = Config::default();
        assert!(config.is_ephemeral("envs/my-dev/main.tf"));
        assert!(config.is_ephemeral("molecule/default/converge.yml"));
        assert!(!config.is_ephemeral("devices/main.tf"));
    }

    #[test]
    fn profiles_nest() {
        assert!(Profile::Strict.holds(&["recommended".to_owned()]));
        assert!(!Profile::Recommended.holds(&["strict".to_owned()]));
    }
}
