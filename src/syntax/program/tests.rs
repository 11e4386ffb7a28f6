use super::*;
use crate::text::HOLE;

fn shown(expr: &Expr) -> String {
    match expr {
        Expr::Text(text) => format!("'{}'", text.text.replace(HOLE, "?")),
        Expr::List(items, _) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Expr::Name(name, _) => name.to_string(),
        Expr::Sum(items) => items.iter().map(shown).collect::<Vec<_>>().join(" + "),
        Expr::Spread(inner) => format!("*{}", shown(inner)),
        Expr::Split(inner) => format!("{}.split()", shown(inner)),
        Expr::Other(_) => "…".to_owned(),
    }
}

fn calls(text: &str, language: Language) -> Vec<String> {
    let program = parse(text, language, |name| matches!(name, "run" | "system" | "spawn" | "exec"));
    let all = program.calls.iter();
    all.map(|call| format!("{}({})", call.name, call.args.iter().map(shown).collect::<Vec<_>>().join(", "))).collect()
}

#[test]
fn calls_of_python() {
    let text = "import subprocess\n# run('no')\ndef go(a, *rest):\n    '''run('no')'''\n    subprocess.run(['a', f'b{a}', *rest, x[0]] + more, check=True)\n    run('a b'.split(), cwd=d)\n    os.system('a '\n        \"b\")\n\ngo(r'\\d', {'k': 1})\n";
    assert_eq!(
        calls(text, Language::Python),
        ["subprocess.run(['a', 'b?', *rest, …] + more)", "run('a b'.split())", "os.system('a b')", "go('\\d', …)"]
    );
    let program = parse(text, Language::Python, |name| name == "run");
    assert_eq!((&*program.functions[0].name, program.functions[0].parameters.len()), ("go", 2));
    let first = &program.calls[0];
    assert!(first.span.slice(text).starts_with("subprocess.run(") && first.indent == 4);
    assert!(program.function(first.span.start).is_some() && program.function(0).is_none());
}

#[test]
fn calls_of_javascript() {
    let text = "const c = ['a'];\nc.push('b');\nif (x) {\n  spawn('t', [...c, `p ${q}`], { cwd: d });\n} // exec('no')\n/* exec('no') */ exec('y');\n";
    assert_eq!(calls(text, Language::JavaScript), ["spawn('t', [*c, 'p ?'], …)", "exec('y')"]);
    let program = parse(text, Language::JavaScript, |name| name == "spawn");
    let set: Vec<_> = program.assignments.iter().map(|it| (&*it.name, it.adds, shown(&it.value))).collect();
    assert_eq!(set, [("c", false, "['a']".to_owned()), ("c", true, "['b']".to_owned())]);
}

#[test]
fn broken_text_ends() {
    for text in [
        "run(",
        "run('",
        "run(['a'",
        "run(f'{",
        "run('''",
        "x = ",
        "def f(",
        "run(a +",
        "é(ä",
        "run)",
        "`${",
        "run([[[[[[[[[[[[[[[",
    ] {
        for language in [Language::Python, Language::JavaScript] {
            assert!(calls(text, language).len() <= 1, "{text}");
        }
    }
}
