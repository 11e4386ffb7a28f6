//! What images take from the repository: `COPY` and `ADD`.

use super::files::instruction;
use crate::text::Span;

/// A `COPY` or `ADD` from the folder of the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// What it takes, as written.
    pub sources: Vec<String>,
    /// Where it lies in the image.
    pub to: String,
    /// The instruction.
    pub span: Span,
    /// Whether an image that is built has it: its stage is the last one, or one that no other takes things from.
    pub shipped: bool,
}

struct Stage {
    name: String,
    base: String,
}

/// Every `COPY` and `ADD` of a Dockerfile that takes something from its folder.
#[must_use]
pub fn copied(text: &str) -> Vec<Copied> {
    let mut stages: Vec<Stage> = Vec::new();
    let mut taken_from: Vec<String> = Vec::new();
    let mut found: Vec<(usize, Copied)> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (word, end) = instruction(text, at);
        let word = word.to_ascii_uppercase();
        let body = text.get(at..end).unwrap_or("");
        let start = at + body.len() - body.trim_start().len();
        let rest = body.trim().get(word.len()..).unwrap_or("").replace("\\\n", " ");
        at = end;
        match word.as_str() {
            "FROM" => {
                let mut words = rest.split_whitespace().filter(|word| !word.starts_with("--"));
                let base = words.next().unwrap_or("").to_owned();
                let name = words.nth(1).map_or_else(|| stages.len().to_string(), str::to_owned);
                stages.push(Stage { name, base });
            }
            "COPY" | "ADD" => {
                let mut words = operands(&rest);
                let flags: Vec<String> = words.iter().take_while(|word| word.starts_with("--")).cloned().collect();
                words.drain(..flags.len());
                if let Some(from) = flags.iter().find_map(|flag| flag.strip_prefix("--from=")) {
                    taken_from.push(from.to_owned());
                    continue;
                }
                let Some(to) = words.pop().filter(|_| !words.is_empty()) else { continue };
                let span = Span::new(start, start + body.trim().len());
                found.push((stages.len(), Copied { sources: words, to, span, shipped: true }));
            }
            _ => {}
        }
    }
    let leaf = |stage: &Stage| !taken_from.contains(&stage.name);
    let mut shipped: Vec<bool> =
        (0..stages.len()).map(|index| index + 1 == stages.len() || leaf(&stages[index])).collect();
    // What a stage that is shipped starts from is shipped as well.
    for index in (0..stages.len()).rev().filter(|index| *index > 0) {
        if let Some(base) = stages[..index].iter().position(|stage| stage.name == stages[index].base) {
            let alone = !stages.iter().any(|stage| stage.base == stages[base].name);
            shipped[base] = shipped[index] || alone && shipped[base];
        }
    }
    found
        .into_iter()
        .map(|(stage, copied)| Copied {
            shipped: stage.checked_sub(1).and_then(|at| shipped.get(at)) != Some(&false),
            ..copied
        })
        .collect()
}

/// The words of an instruction, in either form.
fn operands(rest: &str) -> Vec<String> {
    let body = rest.trim();
    let flags: Vec<&str> = body.split_whitespace().take_while(|word| word.starts_with("--")).collect();
    let after = body.get(body.find('[').unwrap_or(body.len())..).unwrap_or("");
    let in_list = body.split_whitespace().nth(flags.len()).is_some_and(|word| word.starts_with('['));
    let listed: Option<Vec<String>> = in_list.then(|| serde_json::from_str(after).ok()).flatten();
    match listed {
        Some(words) => flags.into_iter().map(str::to_owned).chain(words).collect(),
        None => body.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::copied;

    #[test]
    fn stages_that_are_shipped() {
        let text = "FROM a AS one\nCOPY x /x\nFROM b AS two\nCOPY --chown=1 y z /y/\nFROM two\nCOPY --from=one /x /x\nADD [\"q w\", \"/q\"]\n";
        let found: Vec<(String, String, bool)> =
            copied(text).into_iter().map(|it| (it.sources.join("+"), it.to, it.shipped)).collect();
        let row = |sources: &str, to: &str, shipped| (sources.to_owned(), to.to_owned(), shipped);
        assert_eq!(found, [row("x", "/x", false), row("y+z", "/y/", true), row("q w", "/q", true)]);
    }

    #[test]
    fn odd_files_are_survived() {
        for text in ["COPY", "COPY a\nFROM\n", "FROM a\nCOPY --from=\nCOPY [\"a\n", "ADD a \\\n"] {
            assert!(copied(text).len() <= 1);
        }
    }
}
