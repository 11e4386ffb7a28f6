//! The shell steps of a Jenkins pipeline. Groovy itself is not read: strings, comments and the words before them are enough.

use crate::text::{Mapped, Span};

/// A step that hands its text to a shell.
#[derive(Debug)]
pub struct Step {
    /// The script, `${…}` left to the shell's eye.
    pub script: Mapped,
    /// The stage around it, as far as its name is written.
    pub stage: Box<str>,
    /// Whether an `input` step asks a person earlier in the file.
    pub asked: bool,
    /// `bat` or `powershell`, not `sh`.
    pub windows: bool,
}

/// What a pipeline runs.
#[derive(Debug, Default)]
pub struct Pipeline {
    /// The shell steps, in source order.
    pub steps: Vec<Step>,
    /// Strings that names are set to: variables of Groovy, `environment` blocks, `withEnv`.
    pub variables: Vec<(Box<str>, Mapped)>,
}

/// What the last word was about.
#[derive(Clone, Copy, PartialEq)]
enum Wants {
    Nothing,
    /// `sh '…'`, or `script: '…'` among its arguments.
    Script {
        windows: bool,
    },
    Stage,
    /// `withEnv(['A=b'])`.
    Environment,
}

/// So many strings of a pipeline are kept by name.
const MAX_VARIABLES: usize = 500;
/// So many parts of a sum are put together.
const MAX_PARTS: usize = 64;

struct Scan<'t> {
    text: &'t str,
    at: usize,
    found: Pipeline,
    /// The name that is about to be set.
    set: &'t str,
    stage: Box<str>,
    asked: bool,
}

/// Reads a pipeline.
#[must_use]
pub fn parse(text: &str) -> Pipeline {
    let mut scan = Scan { text, at: 0, found: Pipeline::default(), set: "", stage: "".into(), asked: false };
    scan.run();
    scan.found
}

impl<'t> Scan<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn run(&mut self) {
        let mut wants = Wants::Nothing;
        // `label: '…'` among the arguments of a step is not its script.
        let mut key = "";
        while let Some(c) = self.rest().chars().next() {
            let rest = self.rest();
            if rest.starts_with("//") || rest.starts_with("#!") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.at += rest.find("*/").map_or(rest.len(), |end| end + 2);
            } else if c == '\'' || c == '"' || rest.starts_with("$/") {
                let string = self.string(c);
                if key.is_empty() || key == "script" {
                    wants = self.use_string(wants, string);
                }
                key = "";
            } else if c.is_alphabetic() || c == '_' {
                let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                let word = &rest[..len];
                self.at += len;
                let next = self.rest().trim_start();
                if next.starts_with(':') {
                    key = word;
                } else if next.starts_with('=') && !next.starts_with("==") {
                    self.set = word;
                    wants = Wants::Nothing;
                } else {
                    wants = self.word(word, wants, key.is_empty() || key == "script");
                }
            } else {
                if matches!(c, '{' | '}' | ';' | ')') {
                    (wants, key) = (Wants::Nothing, "");
                    self.set = "";
                } else if c == ',' {
                    key = "";
                } else if c == '\n' && wants == Wants::Nothing {
                    self.set = "";
                }
                self.at += c.len_utf8();
            }
        }
    }

    fn word(&mut self, word: &'t str, wants: Wants, argument: bool) -> Wants {
        match word {
            _ if argument && matches!(wants, Wants::Script { .. }) && self.known(word).is_some() => {
                let string = self.known(word).cloned().unwrap_or_default();
                self.use_string(wants, string)
            }
            "withEnv" => Wants::Environment,
            "sh" => Wants::Script { windows: false },
            "bat" | "powershell" | "pwsh" => Wants::Script { windows: true },
            "stage" => Wants::Stage,
            "input" => {
                self.asked = true;
                Wants::Nothing
            }
            "true" | "false" | "returnStdout" | "returnStatus" => wants,
            _ => Wants::Nothing,
        }
    }

    /// The string that a name was last set to.
    fn known(&self, name: &str) -> Option<&Mapped> {
        self.found.variables.iter().rev().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }

    fn keep(&mut self, name: &str, value: Mapped) {
        if self.found.variables.len() < MAX_VARIABLES {
            self.found.variables.push((name.into(), value));
        }
    }

    /// Does with a string what it was wanted for; what is wanted next.
    fn use_string(&mut self, wants: Wants, string: Mapped) -> Wants {
        match wants {
            Wants::Nothing if self.set.is_empty() => {}
            Wants::Nothing => {
                let (name, value) = (self.set, self.sum(string));
                self.keep(name, value);
                self.set = "";
            }
            Wants::Environment => {
                if let Some((name, _)) = string.text.split_once('=') {
                    let value = string.part(name.len() + 1..string.text.len());
                    self.keep(name, value);
                }
                return Wants::Environment;
            }
            Wants::Stage => self.stage = string.text.as_str().into(),
            Wants::Script { windows } => {
                let script = self.sum(string);
                self.found.steps.push(Step { script, stage: self.stage.clone(), asked: self.asked, windows });
            }
        }
        Wants::Nothing
    }

    /// The string with what is added to it: `'a' + b + 'c'`.
    fn sum(&mut self, mut whole: Mapped) -> Mapped {
        for _ in 0..MAX_PARTS {
            let rest = self.rest();
            let Some(after) = rest.trim_start_matches([' ', '\t']).strip_prefix('+') else { break };
            let after = after.trim_start();
            let start = self.at + rest.len() - after.len();
            match after.chars().next() {
                Some(quote @ ('\'' | '"')) => {
                    self.at = start;
                    let next = self.string(quote);
                    whole.append(&next);
                }
                Some(c) if c.is_alphabetic() || c == '_' => {
                    let len = after.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').unwrap_or(after.len());
                    self.at = start + len;
                    match self.known(&after[..len]).cloned() {
                        Some(value) => whole.append(&value),
                        None => whole.push_hole(Span::new(start, start + len)),
                    }
                }
                _ => break,
            }
        }
        whole
    }

    /// Takes a string in any of the four quotings; one that never ends goes on to the end of its line or file.
    fn string(&mut self, quote: char) -> Mapped {
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        let slashes = self.rest().starts_with("$/");
        let long = slashes || self.rest().starts_with(&triple);
        let end = match (slashes, long) {
            (true, _) => "/$",
            (false, true) => triple.as_str(),
            _ => &triple[..1],
        };
        self.at += end.len();
        let mut mapped = Mapped::default();
        while let Some(c) = self.rest().chars().next() {
            let rest = self.rest();
            if rest.starts_with(end) {
                self.at += end.len();
                break;
            }
            if !long && c == '\n' {
                break;
            }
            let start = Span::new(self.at, self.at).start;
            let Some(escaped) = rest.strip_prefix('\\').filter(|_| !slashes).and_then(|rest| rest.chars().next())
            else {
                self.at += c.len_utf8();
                mapped.push(&rest[..c.len_utf8()], start);
                continue;
            };
            let span = Span::new(self.at, self.at + 1 + escaped.len_utf8());
            self.at = span.end as usize;
            match escaped {
                'n' => mapped.push_for("\n", span),
                't' => mapped.push_for("\t", span),
                // The line goes on.
                '\n' => {}
                // `\$x` keeps Groovy from filling it in: the shell does.
                other => mapped.push_for(other.encode_utf8(&mut [0; 4]), span),
            }
        }
        mapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(String, String, bool)> {
        parse(text).steps.into_iter().map(|step| (step.stage.to_string(), step.script.text, step.asked)).collect()
    }

    #[test]
    fn steps_in_every_quoting() {
        let text = r#"
pipeline {
  // sh 'rm -rf /'
  stages {
    stage('Plan') { steps { sh 'terraform plan' ; echo 'sh me' } }
    stage("Apply") {
      steps {
        input message: 'Apply?'
        sh(label: 'go', returnStdout: true, script: "terraform apply \"\$PLAN\"")
        sh """
          terraform init
          terraform apply ${args}
        """
      }
    }
  }
}
"#;
        assert_eq!(
            shown(text),
            [
                ("Plan".into(), "terraform plan".into(), false),
                ("Apply".into(), "terraform apply \"$PLAN\"".into(), true),
                (
                    "Apply".into(),
                    "\n          terraform init\n          terraform apply ${args}\n        ".into(),
                    true
                ),
            ]
        );
    }

    #[test]
    fn strings_by_name() {
        let text = "def tf = 'terraform'\nenvironment { A = 'b' + c }\nwithEnv(['X=y', \"Z=1\"]) { sh tf; sh(script: 'a ' + tf + x) }\nif (a == 'b') { sh $/p '\\q/$ }";
        let pipeline = parse(text);
        let set: Vec<_> = pipeline.variables.iter().map(|(name, value)| (&**name, value.text.as_str())).collect();
        assert_eq!(set, [("tf", "terraform"), ("A", "b\u{F8FF}"), ("X", "y"), ("Z", "1")]);
        let run: Vec<_> = pipeline.steps.iter().map(|step| step.script.text.as_str()).collect();
        assert_eq!(run, ["terraform", "a terraform\u{F8FF}", "p '\\q"]);
    }

    #[test]
    fn broken_text_ends() {
        for text in ["sh '", "sh '''x", "sh \"\\", "/* sh 'a'", "stage(", "sh(script:", "é sh 'ä\\é'", "#!"] {
            assert!(shown(text).len() <= 1, "{text}");
        }
    }

    #[test]
    fn spans_lead_back() {
        let text = "sh 'a\\'b terraform'";
        let step = &parse(text).steps[0];
        let at = step.script.text.find("terraform").unwrap();
        assert_eq!(step.script.span(Span::new(at, at + 9)).slice(text), "terraform");
    }
}
