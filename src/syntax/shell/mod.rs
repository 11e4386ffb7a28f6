//! Shell text to simple commands: argument words with their known pieces, redirections, and what each command stands in.

use super::SyntaxError;
use crate::text::Span;
use std::borrow::Cow;
use std::sync::Arc;

mod mask;
mod repair;
mod tree;
mod word;

/// Longer texts are refused, with an error in [`Script::errors`].
pub const MAX_BYTES: usize = 512 << 10;

/// Parses Bash (or POSIX shell) text; template expressions in it count as unknown parts of words.
#[must_use]
pub fn parse(text: &str) -> Script {
    if text.len() > MAX_BYTES {
        let message = "longer than 512 KiB, not read as shell".to_owned();
        let errors = vec![SyntaxError { span: Span::new(0, 0), message }];
        return Script { errors, ..Script::default() };
    }
    tree::script(&mask::mask(text))
}

/// A parsed script or command string. All spans are offsets in the text that was parsed.
#[derive(Debug, Default)]
pub struct Script {
    /// Every simple command, in source order, also those inside substitutions, functions and control structures.
    pub commands: Vec<Simple>,
    /// Every assignment that stands alone (`A=1`, `local A=1`, `export A=1`, `for A in 1 2`), in source order.
    pub assignments: Vec<Assignment>,
    /// Every function definition.
    pub functions: Vec<Function>,
    /// What could not be parsed.
    pub errors: Vec<SyntaxError>,
}

/// `name=value`.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The variable.
    pub name: Box<str>,
    /// Its value; for `a=(x y)` and `a+=(x y)` one word an element, for the variable of a `for` loop one word a turn.
    pub values: Vec<Word>,
    /// Whether it is an array.
    pub array: bool,
    /// Whether it appends (`+=`).
    pub append: bool,
    /// The whole assignment.
    pub span: Span,
}

/// A function definition.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: Box<str>,
    /// From its name to its end.
    pub span: Span,
}

/// A word of a command line.
#[derive(Clone, Debug)]
pub struct Word {
    /// The pieces, quotes and escapes resolved.
    pub pieces: Vec<WordPiece>,
    /// Where each piece stands; a literal piece as long as its span stands there byte for byte.
    pub spans: Vec<Span>,
    /// Where it stands, quotes included.
    pub span: Span,
    /// Whether any part of it was quoted.
    pub quoted: bool,
}

impl Word {
    /// The text of a word without variables and unknown parts.
    #[must_use]
    pub fn literal(&self) -> Option<Cow<'_, str>> {
        match self.pieces.as_slice() {
            [] => Some(Cow::Borrowed("")),
            [WordPiece::Lit(text)] => Some(Cow::Borrowed(text)),
            pieces => pieces
                .iter()
                .map(|piece| match piece {
                    WordPiece::Lit(text) => Some(&**text),
                    _ => None,
                })
                .collect::<Option<String>>()
                .map(Cow::Owned),
        }
    }
}

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordPiece {
    /// Known text; every escape is a piece of its own.
    Lit(Box<str>),
    /// `$name`, `${name}`, `${name:-word}`, `"${name[@]}"`.
    Var {
        /// The variable; positional parameters are `1`, `@`, `*`…
        name: Box<str>,
        /// The default of `${name:-default}` or `${name-default}`, when it is literal.
        default: Option<Box<str>>,
        /// All elements of an array (`[@]`, `[*]`), or `$@`.
        all: bool,
    },
    /// Command substitution, arithmetic, a hole, a transformation of a variable…: unknown.
    Opaque,
}

/// A redirection.
#[derive(Clone, Debug)]
pub struct Redirect {
    /// `>`, `>>`, `<`, `&>`, `<<`, `<<<`…
    pub op: Box<str>,
    /// The file; for a here-document or here-string its text as one word.
    pub target: Word,
    /// From the operator to the target.
    pub span: Span,
}

/// How a command is joined to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Joined {
    /// New line or `;`.
    #[default]
    Then,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
}

/// A condition or structure around a command, innermost last.
#[derive(Clone, Debug)]
pub enum Around {
    /// In the body of `if`/`elif`/`case`/`while`: the text of the condition (or `case` word and pattern).
    Condition {
        /// The condition's text.
        text: Arc<str>,
        /// In the `else` part.
        negated: bool,
    },
    /// In the condition itself.
    Test,
    /// In a function of that name.
    Function(Arc<str>),
    /// In a loop.
    Loop,
    /// In `$(…)` or backquotes.
    Substitution,
    /// In `( … )`.
    Subshell,
}

/// A simple command.
#[derive(Clone, Debug)]
pub struct Simple {
    /// The words, program first. Never empty.
    pub words: Vec<Word>,
    /// Assignments before the program.
    pub env: Vec<Assignment>,
    /// Redirections.
    pub redirects: Vec<Redirect>,
    /// From the first word (or assignment) to the last word or redirection.
    pub span: Span,
    /// How it is joined to the command before it.
    pub joined: Joined,
    /// How the command after it is joined to this one (`|| true` shows as `Or`).
    pub followed: Joined,
    /// What it stands in, outermost first.
    pub around: Vec<Around>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(command: &Simple) -> Vec<String> {
        let piece = |piece: &WordPiece| match piece {
            WordPiece::Lit(text) => text.to_string(),
            WordPiece::Var { name, default, all } => {
                format!("<{name}{}{}>", default.as_deref().unwrap_or(""), if *all { "*" } else { "" })
            }
            WordPiece::Opaque => "?".to_owned(),
        };
        command.words.iter().map(|word| word.pieces.iter().map(piece).collect()).collect()
    }

    fn all(text: &str) -> Vec<String> {
        parse(text).commands.iter().map(|command| argv(command).join(" ")).collect()
    }

    #[test]
    fn words_are_resolved() {
        let script =
            parse("a 'b c' \"d\\\"e $x\" ${y:-z} \"${arr[@]}\" $(inner one) f\\ g {{ jinja }} ${var.x}-1 ${{ gh }}\n");
        assert_eq!(argv(&script.commands[0])[1..], ["b c", "d\"e <x>", "<yz>", "<arr*>", "?", "f g", "?", "?-1", "?"]);
        assert_eq!(argv(&script.commands[1]), ["inner", "one"]);
        assert!(matches!(script.commands[1].around[..], [Around::Substitution]));
        assert!(script.errors.is_empty(), "{:?}", script.errors);
        assert_eq!(all("docker inspect --format '{{.State}}' x"), ["docker inspect --format ? x"]);
        assert_eq!(all("f ${#a[@]} ${a%%x} ${d:+echo}"), ["f ? ? ?"]);
        assert_eq!(all("f \"$a $b\""), ["f <a> <b>"]);
    }

    #[test]
    fn structure_is_kept() {
        let text = "if [ -f x ]; then a; else b; fi\nf() { c || true; }\ncase $1 in --go) d;; esac\nx | y && z\n";
        let script = parse(text);
        let find = |name: &str| script.commands.iter().find(|command| argv(command)[0] == name).unwrap();
        assert!(matches!(&find("a").around[..], [Around::Condition { text, negated: false }] if &**text == "[ -f x ]"));
        assert!(matches!(&find("b").around[..], [Around::Condition { negated: true, .. }]));
        assert!(matches!(&find("[").around[..], [Around::Test]));
        assert_eq!(argv(find("[")), ["[", "-f", "x"]);
        assert_eq!(find("c").followed, Joined::Or);
        assert!(matches!(&find("c").around[..], [Around::Function(name)] if &**name == "f"));
        assert!(matches!(&find("d").around[..], [Around::Condition { text, .. }] if &**text == "case $1 in --go"));
        assert_eq!(
            (find("x").followed, find("y").joined, find("y").followed),
            (Joined::Pipe, Joined::Pipe, Joined::And)
        );
        assert_eq!(find("z").joined, Joined::And);
        assert_eq!(script.functions.len(), 1);
    }

    #[test]
    fn redirects_and_assignments() {
        let script = parse(
            "A=1 B='2 3' cmd >out 2>&1 <<EOF\nhello $x\nEOF\nC=(a b)\nexport D=${E-4}\nfor f in p q; do r; done\n",
        );
        let cmd = &script.commands[0];
        assert_eq!((cmd.env.len(), argv(cmd)), (2, vec!["cmd".to_owned()]));
        let targets: Vec<_> =
            cmd.redirects.iter().map(|redirect| (&*redirect.op, redirect.target.literal().is_some())).collect();
        assert_eq!(targets, [(">", true), ("2>&", true), ("<<", false)]);
        let names: Vec<_> = script.assignments.iter().map(|it| (&*it.name, it.array, it.values.len())).collect();
        assert_eq!(names, [("C", true, 2), ("D", false, 1), ("f", false, 2)]);
        assert_eq!(all("cat <<E | kubectl apply -f -\nx\nE\n"), ["cat", "kubectl apply -f -"]);
        assert_eq!(all("echo 'terraform apply'"), ["echo terraform apply"]);
    }

    #[test]
    fn bad_text_is_survived() {
        let script = parse("if then fi\nterraform apply\n)) foo\n");
        assert!(!script.errors.is_empty());
        assert!(script.commands.iter().any(|command| argv(command) == ["terraform", "apply"]));
        for (open, close) in [
            ("$(", ")"),
            ("(", ")"),
            ("{ ", "; }"),
            ("a && ", ""),
            ("if a; then ", "; fi"),
            ("\"$(", ")\""),
            ("${a:-", "}"),
        ] {
            let _ = parse(&format!("{}x{}", open.repeat(3000), close.repeat(3000)));
        }
        assert_eq!(parse(&"x".repeat(MAX_BYTES + 1)).errors.len(), 1);
        assert!(parse("").commands.is_empty());
    }
}
