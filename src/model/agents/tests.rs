use super::*;
use crate::model::load::Options;
use crate::source::{File, Tree};

fn read<T>(path: &str, text: &str, shown: impl Fn(&Agents) -> T) -> T {
    let tree = Tree::new(vec![File::in_memory(path, text.as_bytes().to_vec(), true)], None);
    shown(&Agents::read(&Documents::load(&tree, &Options::default())))
}

fn of_claude(text: &str) -> Vec<(String, bool, bool, bool)> {
    read(".claude/settings.json", text, |agents| {
        let shown = agents.grants.iter();
        shown.map(|it| (it.text.clone(), it.mutation.is_some(), it.any_command, it.writes_state)).collect()
    })
}

#[test]
fn grants_are_tried() {
    let shown = of_claude(
        r#"{"permissions": {"allow": ["Bash(terraform:*)", "Bash(terraform plan:*)", "Bash(qm:*)", "Bash(bash:*)", "Write", "Read(**)"],
            "deny": ["Bash(qm:*)"]}}"#,
    );
    let expected = [
        ("Bash(terraform:*)", true, false, false),
        ("Bash(terraform plan:*)", false, false, false),
        ("Bash(qm:*)", false, false, false),
        ("Bash(bash:*)", false, true, false),
        ("Write", false, false, true),
        ("Read(**)", false, false, false),
    ];
    for (shown, (text, mutates, any, state)) in shown.iter().zip(expected) {
        assert_eq!(*shown, (text.to_owned(), mutates, any, state));
    }
}

#[test]
fn places_in_the_file() {
    let text = "---\nname: x\npermissionMode: bypassPermissions\n---\nText\n";
    let place = read(".claude/agents/x.md", text, |agents| agents.bypasses[0].loc.span.slice(text).to_owned());
    assert_eq!(place, "permissionMode: bypassPermissions");
    let rules = "# a\nprefix_rule(\n  pattern = ['terraform', [\"plan\", 'apply']],  # b\n  decision = \"allow\",\n)\nprefix_rule(pattern=[x])\n";
    let found = read(".codex/rules/a.rules", rules, |agents| {
        agents.grants.iter().map(|it| (it.text.clone(), it.loc.span.slice(rules).to_owned())).collect::<Vec<_>>()
    });
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "prefix_rule(terraform plan|apply)");
    assert!(found[0].1.starts_with("prefix_rule(") && found[0].1.ends_with(')'), "{}", found[0].1);
}

#[test]
fn words_and_lists() {
    assert_eq!(
        claude::list("Read,Bash(git log:*), Bash(a, b) Edit"),
        ["Read", "Bash(git log:*)", "Bash(a, b)", "Edit"]
    );
    assert_eq!(words("--a \"b c\" d\\ e ''"), ["--a", "b c", "d e", ""]);
}

#[test]
fn a_shell_in_words() {
    let line = "bash -lc 'terraform apply -auto-approve'";
    assert!(judge::of_line(line).is_some());
}
