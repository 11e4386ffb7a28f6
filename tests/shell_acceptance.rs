//! Scripts that Bash accepts are read without an error.
//!
//! With `STATEWARD_CORPUS=folder` the shell scripts of that folder are compared with `bash -n`, too.

use rayon::prelude::*;
use stateward::syntax::shell::{self, Script};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use walkdir::WalkDir;

/// Whether Bash takes a text for a script. None: there is no Bash.
fn accepts(text: &str) -> Option<bool> {
    let mut bash =
        Command::new("bash").args(["--norc", "-n"]).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    // Bash may stop reading at an error: what it then says is what counts.
    let _ = bash.stdin.take()?.write_all(text.as_bytes());
    bash.wait().ok().map(|status| status.success())
}

/// How a text was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Read {
    Fully,
    Partly,
    Not,
}

fn read(script: &Script) -> Read {
    match (script.errors.is_empty(), script.commands.is_empty() && script.assignments.is_empty()) {
        (true, _) => Read::Fully,
        (false, false) => Read::Partly,
        (false, true) => Read::Not,
    }
}

/// Forms that scripts are written in, each accepted by Bash.
const ACCEPTED: [&str; 40] = [
    "a=1 b=2 cmd --x=y -z\n",
    "if [[ $a == b* && -n ${c:-} ]]; then x; elif (( n > 1 )); then y; else z; fi\n",
    "for i in \"${list[@]}\"; do x \"$i\"; done < <(y)\n",
    "for ((i = 0; i < 3; i++)); do x; done\n",
    "while IFS= read -r line || [ -n \"$line\" ]; do x; done <<< \"$text\"\n",
    "until x; do sleep 1; done\n",
    "case \"$1\" in\n  a|b) x ;;\n  -*) y ;&\n  *) z\nesac\n",
    "select a in b c; do x; done\n",
    "f() { x; }\nfunction g { y; }\nfunction h() ( z )\n",
    "x <<EOF\n$a ${b:-c} $(d)\nEOF\n",
    "x <<'EOF' | y\n$a `b`\nEOF\n",
    "x <<-EOF > out\n\ta\n\tEOF\n",
    "x <<A <<B\n1\nA\n2\nB\n",
    "echo $'a\\'b' $\"c\" \"d\\\"e\" 'f'\n",
    "a=(b \"c d\" [5]=e)\na+=(f)\necho \"${a[@]:1:2}\" \"${#a[@]}\" \"${!a[@]}\"\n",
    "declare -A m=([k]=v [\"a b\"]=c)\necho \"${m[k]}\"\n",
    "echo ${a%%.*} ${a##*/} ${a/b/c} ${a//b} ${a^^} ${a,,} ${a:0:3} ${a:-$(b)} ${!a} ${a@Q}\n",
    "echo $((1 + 2 * (a - 1))) $[1 + 2]\n",
    "((a++)) || true\nlet a=1\n",
    "x && y || z; ! w\n",
    "{ x; y; } > out 2>&1\n( x; y ) &\nwait $!\n",
    "x 2>/dev/null >&2 &>>log <in 3<>f >|g\n",
    "exec 3>&1 4<&0 5>&-\n",
    "x |& y\n",
    "coproc x\n",
    "time -p x | y\n",
    "[ \"$a\" = b -a ! -f c ] && d\n",
    "[[ $a =~ ^(b|c)[0-9]+$ ]] && d\n",
    "[[ ! ( -f a || -d b ) ]]\n",
    "if ! x; then y; fi\n",
    "trap 'rm -f \"$t\"' EXIT INT\n",
    "a=\"$(b \"$(c \"d\")\")\"\n",
    "a=`b \\`c\\``\n",
    "echo a{b,c}d {1..3}\n",
    "if x <<'A' >y; then\n  a;\nA\n  b\nfi\n",
    "x \\\n  --y \\\n  z\n",
    "# only a comment\n",
    "export A=\"b\" C\nlocal d\nreadonly e=1\nunset f\n",
    "set -euo pipefail\n[[ -n \"${x:-}\" ]] || { echo y >&2; exit 1; }\n",
    "printf '%s\\n' \"${a:?no a}\" \"${b:+-c \"$b\"}\"\n",
];

#[test]
fn what_bash_accepts_is_read() {
    let mut wrong = Vec::new();
    for text in ACCEPTED {
        let script = shell::parse(text);
        if !script.errors.is_empty() {
            wrong.push(format!("{text:?}: {:?}", script.errors));
        }
        if accepts(text) == Some(false) {
            wrong.push(format!("Bash refuses {text:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a file is a script for Bash or the plain shell.
fn is_script(path: &Path, text: &str) -> bool {
    let first = text.lines().next().unwrap_or("");
    let named = path.extension().is_some_and(|end| end == "sh" || end == "bash");
    if first.starts_with("#!") {
        return first.split(['/', ' ']).any(|word| matches!(word, "sh" | "bash" | "dash"));
    }
    named
}

fn scripts(folder: &str) -> Vec<(PathBuf, String)> {
    let files = WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    let files = files
        .filter(|entry| entry.file_type().is_file() && !entry.path().components().any(|it| it.as_os_str() == ".git"));
    let named = |path: &Path| path.extension().is_none_or(|end| end == "sh" || end == "bash");
    let paths = files.map(walkdir::DirEntry::into_path).filter(|path| named(path));
    paths
        .filter_map(|path| fs::read_to_string(&path).ok().map(|text| (path, text)))
        .filter(|(path, text)| is_script(path, text))
        .collect()
}

#[test]
fn scripts_of_a_corpus_are_read() {
    let Ok(folder) = std::env::var("STATEWARD_CORPUS") else { return };
    let scripts = scripts(&folder);
    let judged: Vec<(bool, Read, String)> = scripts
        .par_iter()
        .filter_map(|(path, text)| {
            let script = shell::parse(text);
            let first = script.errors.first().map(|error| format!("{error:?}")).unwrap_or_default();
            let line =
                script.errors.first().map_or(0, |error| text[..error.span.start as usize].matches('\n').count() + 1);
            Some((accepts(text)?, read(&script), format!("{}:{line}: {first}", path.display())))
        })
        .collect();
    let count = |bash: bool, ours: Read| judged.iter().filter(|it| it.0 == bash && it.1 == ours).count();
    for bash in [true, false] {
        println!(
            "{} by Bash: {} read fully, {} partly, {} not",
            if bash { "accepted" } else { "refused" },
            count(bash, Read::Fully),
            count(bash, Read::Partly),
            count(bash, Read::Not)
        );
    }
    for (_, _, place) in judged.iter().filter(|(bash, ours, _)| *bash && *ours != Read::Fully) {
        println!("only Bash reads all of {place}");
    }
    let accepted = judged.iter().filter(|it| it.0).count();
    assert!(count(true, Read::Fully) * 100 >= accepted * 97, "of {accepted}");
    assert_eq!(count(true, Read::Not), 0);
}
