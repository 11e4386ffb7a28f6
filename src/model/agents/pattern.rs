//! What an entry of a permission file holds for: patterns over command lines and paths.

use globset::GlobBuilder;
use regex::Regex;

/// A pattern over command lines or paths.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// The line starts with these words.
    Prefix(String),
    /// The first word is this.
    Program(String),
    /// The whole line; `*` is anything.
    Wildcard(String),
    /// A path as in ignore files.
    Path(String),
    /// A regular expression; none: one that we cannot read.
    Regex(Option<Regex>),
    /// One of these words at each place, from the first.
    Words(Vec<Vec<String>>),
}

impl Pattern {
    /// A regular expression, as products written in JavaScript take it.
    pub(super) fn regex(text: &str, ignore_case: bool) -> Self {
        let regex = regex::RegexBuilder::new(text).case_insensitive(ignore_case).size_limit(1 << 20).build();
        Self::Regex(regex.ok())
    }

    /// Whether a command line or path falls under it; what cannot be read covers nothing.
    #[must_use]
    pub fn covers(&self, line: &str) -> bool {
        match self {
            Self::Prefix(prefix) => {
                line.strip_prefix(prefix.trim()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            }
            Self::Program(program) => line.split(' ').next().is_some_and(|word| wildcard(program, word)),
            // A blank before the last star is a border between words: `ls *` holds for `ls` too.
            Self::Wildcard(text) => {
                wildcard(text, line) || text.strip_suffix(" *").is_some_and(|text| wildcard(text, line))
            }
            Self::Path(glob) => path(glob, line),
            Self::Regex(regex) => regex.as_ref().is_some_and(|regex| regex.is_match(line)),
            Self::Words(places) => {
                let mut words = line.split(' ');
                places.iter().all(|place| words.next().is_some_and(|word| place.iter().any(|it| it == word)))
            }
        }
    }

    /// The command that it names itself, without what may follow.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        match self {
            Self::Prefix(text) => vec![text.trim().to_owned()],
            Self::Wildcard(text) => {
                let named = text.trim_end_matches(['*', ' ']);
                if named.contains('*') { Vec::new() } else { vec![named.to_owned()] }
            }
            Self::Program(_) | Self::Path(_) => Vec::new(),
            Self::Regex(regex) => regex.as_ref().map(|regex| literal(regex.as_str())).into_iter().collect(),
            Self::Words(places) => every(places),
        }
    }
}

/// So many combinations of alternatives are looked at.
const MAX_COMBINATIONS: usize = 64;

/// Every line that a list of alternatives begins; a word with blanks in it is quoted.
fn every(places: &[Vec<String>]) -> Vec<String> {
    let mut lines = vec![String::new()];
    for place in places {
        let longer = |line: &String, word: &String| {
            let word = if word.contains(' ') { format!("'{}'", word.replace('\'', "'\\''")) } else { word.clone() };
            if line.is_empty() { word } else { format!("{line} {word}") }
        };
        lines = lines.iter().flat_map(|line| place.iter().map(move |word| longer(line, word))).collect();
        lines.truncate(MAX_COMBINATIONS);
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// The words that a regular expression begins with.
fn literal(regex: &str) -> String {
    let text = regex.trim_start_matches('^').replace("\\s+", " ").replace("\\s", " ").replace("\\b", "");
    let end = text.find(|c: char| !(c.is_alphanumeric() || " -_./".contains(c))).unwrap_or(text.len());
    text[..end].trim().to_owned()
}

/// Whether `pattern` fits the whole of `text`; `*` is anything. Linear but for the last star, which is tried again.
fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            again = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((star, from)) = again {
            again = Some((star, from + 1));
            (p, t) = (star + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Whether a path of the repository falls under a glob: without a slash it is a name at any depth.
fn path(glob: &str, path: &str) -> bool {
    let glob = glob.strip_prefix("./").unwrap_or(glob);
    // Two slashes lead to the root of the machine, and a tilde home.
    if glob.starts_with("//") || glob.starts_with('~') {
        return false;
    }
    let rooted = glob.strip_prefix('/').unwrap_or(glob);
    let whole = |glob: &str| {
        GlobBuilder::new(glob).literal_separator(true).build().is_ok_and(|glob| glob.compile_matcher().is_match(path))
    };
    let folder = rooted.strip_suffix('/').unwrap_or(rooted);
    whole(rooted)
        || rooted.ends_with('/') && whole(&format!("{folder}/**"))
        || !glob.contains('/') && whole(&format!("**/{rooted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, fits) in [
            ("terraform *", "terraform apply", true),
            ("terraform *", "terraform", false),
            ("* --help", "terraform apply --help", true),
            ("terraform * apply*", "terraform -chdir=x apply -auto-approve", true),
            ("a*b*c", "abbbc", true),
            ("a*b*c", "abbbd", false),
            ("", "", true),
        ] {
            assert_eq!(wildcard(pattern, text), fits, "{pattern} {text}");
        }
        assert!(Pattern::Wildcard("terraform *".to_owned()).covers("terraform"));
        assert!(!Pattern::Prefix("terraform".to_owned()).covers("terraformer apply"));
    }

    #[test]
    fn paths_as_in_ignore_files() {
        assert!(path("*.tfstate", "envs/prod/terraform.tfstate"));
        assert!(path("**/*.tfstate*", "terraform.tfstate"));
        assert!(path("/envs/**", "envs/prod/terraform.tfstate"));
        assert!(!path("docs/**", "envs/prod/terraform.tfstate"));
        assert!(!path("//etc/**", "etc/x"));
    }

    #[test]
    fn what_an_entry_names() {
        let words = Pattern::Words(vec![vec!["terraform".to_owned(), "tofu".to_owned()], vec!["apply".to_owned()]]);
        assert_eq!(words.commands(), ["terraform apply", "tofu apply"]);
        assert_eq!(Pattern::regex("^terraform\\s+(apply|plan)\\b", false).commands(), ["terraform"]);
        assert!(Pattern::Wildcard("* x".to_owned()).commands().is_empty());
    }
}
