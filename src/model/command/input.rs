//! What a command reads on its standard input, as far as the text around it says so.

use super::resolve::{Arg, Variables, merge};
use crate::syntax::shell::{Joined, Script, Simple, Word, WordPiece};
use crate::text::{FileId, Mapped};
use crate::value::Value;
use std::sync::Arc;

/// How far back the other end of a pipe is looked for.
const MAX_BACK: usize = 40;
/// How far back a script is looked for that the text writes.
const MAX_WRITTEN: usize = 400;

/// What comes in.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// A text that is written here: a here-document, what `echo` prints.
    Text(Arc<Mapped>),
    /// The content of a file.
    File,
    /// Names of files, one a line.
    Names(Vec<Value>),
}

/// The text a script stands in, for resolving its words.
pub(super) struct Source<'a> {
    pub(super) script: &'a Script,
    pub(super) text: &'a Mapped,
    pub(super) file: FileId,
    pub(super) variables: &'a Variables,
}

/// The name of a command's program, `sudo` taken off, and the words after it.
pub(super) fn program(command: &Simple) -> Option<(String, &[Word])> {
    let at = usize::from(command.words.first()?.literal().is_some_and(|word| word == "sudo"));
    let name = command.words.get(at)?.literal()?;
    let name = name.rsplit('/').next().unwrap_or(&name).to_owned();
    Some((name, command.words.get(at + 1..).unwrap_or_default()))
}

impl Source<'_> {
    /// The input of the command at `index`, with a redirection that says the same of a pipe.
    pub(super) fn input(&self, index: usize) -> (Option<Input>, Option<(Box<str>, Value)>) {
        let Some(command) = self.script.commands.get(index) else { return (None, None) };
        if let Some(text) = self.here(command) {
            return (Some(Input::Text(Arc::new(text))), None);
        }
        let input = if command.joined == Joined::Pipe { self.piped(index, command) } else { None };
        let Some((input, value)) = input else { return (None, None) };
        let redirect = match &input {
            Input::Text(_) => Some(("|<<".into(), value)),
            Input::File => Some(("|<".into(), value)),
            Input::Names(_) => None,
        };
        (Some(input), redirect)
    }

    /// The text of its here-document or here-string.
    fn here(&self, command: &Simple) -> Option<Mapped> {
        let redirect = command.redirects.iter().rev().find(|redirect| redirect.op.contains("<<"))?;
        Some(self.mapped(std::slice::from_ref(&redirect.target)))
    }

    /// What a word that is nothing but `$(cat <<EOF …)` or `$(printf …)` stands for.
    pub(super) fn substituted(&self, word: &Word) -> Option<Mapped> {
        let [WordPiece::Opaque] = word.pieces.as_slice() else { return None };
        let first = self.script.commands.partition_point(|it| it.span.start < word.span.start);
        let mut inside = self.script.commands.get(first..)?.iter().take_while(|it| it.span.end <= word.span.end);
        let (command, None) = (inside.next()?, inside.next()) else { return None };
        let (name, words) = program(command)?;
        match &*name {
            "cat" if words.is_empty() => self.here(command),
            "echo" | "printf" => {
                Some(self.mapped(&words.iter().filter(|word| !is_flag(word)).cloned().collect::<Vec<_>>()))
            }
            _ => None,
        }
    }

    /// The here-document that `cat` or `tee` writes to a file of this name before `start`.
    pub(super) fn written(&self, name: &str, start: u32) -> Option<Mapped> {
        let same = |word: &Word| word.literal().is_some_and(|text| text.trim_start_matches("./") == name);
        let writes = |it: &&Simple| {
            it.span.end <= start
                && it.redirects.iter().any(|redirect| redirect.op.contains("<<"))
                && program(it).is_some_and(|(program, words)| match &*program {
                    "cat" => it.redirects.iter().any(|redirect| &*redirect.op == ">" && same(&redirect.target)),
                    "tee" => words.iter().any(same),
                    _ => false,
                })
        };
        let first = self.script.commands.partition_point(|it| it.span.start < start);
        self.here(self.script.commands.get(..first)?.iter().rev().take(MAX_WRITTEN).find(writes)?)
    }

    fn mapped(&self, words: &[Word]) -> Mapped {
        let arg = |word: &Word| Arg {
            value: self.variables.one(word, self.text, self.file),
            span: word.span,
            word: Some(word.clone()),
        };
        self.variables.nested(&words.iter().map(arg).collect::<Vec<_>>(), self.text)
    }

    fn values(&self, words: &[Word]) -> Vec<Value> {
        words.iter().map(|word| self.variables.one(word, self.text, self.file)).collect()
    }

    fn piped(&self, index: usize, command: &Simple) -> Option<(Input, Value)> {
        let from = index.saturating_sub(MAX_BACK);
        let at = (from..index).rev().find(|at| {
            self.script.commands.get(*at).is_some_and(|it| {
                let depth = it.around.len() == command.around.len();
                it.span.end <= command.span.start && it.followed == Joined::Pipe && depth
            })
        })?;
        let writer = self.script.commands.get(at)?;
        let (name, words) = program(writer)?;
        let operands: Vec<Word> = words.iter().filter(|word| !is_flag(word)).cloned().collect();
        let text = |words: &[Word]| (Input::Text(Arc::new(self.mapped(words))), merge(spaced(self.values(words))));
        Some(match &*name {
            // Of a format that is nothing but one, what it is given counts.
            "printf" if operands.len() > 1 && operands[0].literal().is_some_and(|it| it.starts_with('%')) => {
                text(operands.get(1..)?)
            }
            "echo" | "printf" => text(&operands),
            "yes" if !operands.is_empty() => text(&operands),
            "cat" if operands.is_empty() => {
                let here = self.here(writer)?;
                let value = writer.redirects.iter().rev().find(|redirect| redirect.op.contains("<<"));
                let value = value.map(|it| self.variables.one(&it.target, self.text, self.file))?;
                (Input::Text(Arc::new(here)), value)
            }
            // In the middle of a chain: what comes in there.
            "gunzip" | "zcat" | "gzip" | "xz" | "pv" | "tee"
                if operands.is_empty() && writer.joined == Joined::Pipe =>
            {
                self.piped(at, writer)?
            }
            "cat" | "zcat" | "gunzip" | "gzip" | "bzcat" | "xzcat" | "xz" | "zstdcat" | "pv" => {
                let file = self.values(&operands).pop()?;
                (Input::File, file)
            }
            "find" => {
                let at =
                    words.iter().position(|word| word.literal().is_some_and(|it| it == "-name" || it == "-iname"))?;
                (Input::Names(self.values(words.get(at + 1..at + 2)?)), Value::default())
            }
            // `kubectl get pvc -o name`: each name says what it is.
            "kubectl" | "oc"
                if words.iter().any(|word| word.literal().is_some_and(|it| it == "name" || it == "-oname")) =>
            {
                let at = words.iter().position(|word| word.literal().is_some_and(|it| it == "get"))?;
                (Input::Names(self.values(words.get(at + 1..at + 2)?)), Value::default())
            }
            "ls" => (Input::Names(self.values(&operands)), Value::default()),
            _ => return None,
        })
    }
}

fn is_flag(word: &Word) -> bool {
    !word.quoted && word.literal().is_some_and(|text| text.starts_with('-') && text.len() > 1)
}

/// Values with a blank between them.
fn spaced(values: Vec<Value>) -> Vec<Value> {
    let mut out = Vec::new();
    for value in values {
        if !out.is_empty() {
            out.push(Value::known(" "));
        }
        out.push(value);
    }
    out
}
