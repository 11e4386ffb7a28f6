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

/// What the last word was about.
#[derive(Clone, Copy, PartialEq)]
enum Wants {
    Nothing,
    /// `sh '…'`, or `script: '…'` among its arguments.
    Script {
        windows: bool,
    },
    Stage,
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    steps: Vec<Step>,
    stage: Box<str>,
    asked: bool,
}

/// The shell steps, in source order.
#[must_use]
pub fn steps(text: &str) -> Vec<Step> {
    let mut scan = Scan { text, at: 0, steps: Vec::new(), stage: "".into(), asked: false };
    scan.run();
    scan.steps
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
            } else if c == '\'' || c == '"' {
                let string = self.string(c);
                if key.is_empty() || key == "script" {
                    self.use_string(wants, string);
                    wants = Wants::Nothing;
                }
                key = "";
            } else if c.is_alphabetic() || c == '_' {
                let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                let word = &rest[..len];
                self.at += len;
                if self.rest().trim_start().starts_with(':') {
                    key = word;
                } else {
                    wants = self.word(word, wants);
                }
            } else {
                if matches!(c, '{' | '}' | ';' | ')') {
                    (wants, key) = (Wants::Nothing, "");
                } else if c == ',' {
                    key = "";
                }
                self.at += c.len_utf8();
            }
        }
    }

    fn word(&mut self, word: &str, wants: Wants) -> Wants {
        match word {
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

    fn use_string(&mut self, wants: Wants, string: Mapped) {
        match wants {
            Wants::Nothing => {}
            Wants::Stage => self.stage = string.text.as_str().into(),
            Wants::Script { windows } => {
                self.steps.push(Step { script: string, stage: self.stage.clone(), asked: self.asked, windows });
            }
        }
    }

    /// Takes a string in any of the four quotings; one that never ends goes on to the end of its line or file.
    fn string(&mut self, quote: char) -> Mapped {
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        let long = self.rest().starts_with(&triple);
        let end = if long { triple.as_str() } else { &triple[..1] };
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
            let Some(escaped) = rest.strip_prefix('\\').and_then(|rest| rest.chars().next()) else {
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
        steps(text).into_iter().map(|step| (step.stage.to_string(), step.script.text, step.asked)).collect()
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
    fn broken_text_ends() {
        for text in ["sh '", "sh '''x", "sh \"\\", "/* sh 'a'", "stage(", "sh(script:", "é sh 'ä\\é'", "#!"] {
            assert!(shown(text).len() <= 1, "{text}");
        }
    }

    #[test]
    fn spans_lead_back() {
        let text = "sh 'a\\'b terraform'";
        let step = &steps(text)[0];
        let at = step.script.text.find("terraform").unwrap();
        assert_eq!(step.script.span(Span::new(at, at + 9)).slice(text), "terraform");
    }
}
