use super::*;
use crate::text::HOLE;

fn recipes(file: &Makefile) -> Vec<String> {
    file.targets.iter().flat_map(|target| &target.recipe).map(|recipe| recipe.text.text.replace(HOLE, "?")).collect()
}

#[test]
fn variables_are_filled_in() {
    let text = "TF := terraform -chdir=$(DIR)\nDIR ?= envs/a\nX = 1\nifeq (a,b)\nX = 2\nendif\nFLAGS = -a\nFLAGS += -b\n\napply: init ## doc\n\t@$(TF) apply $(FLAGS) $(X) $(NONE) $$HOME \\\n\t  -x; $(MAKE) $@\n\t-rm -f ${DIR}/a\n";
    let file = parse(text);
    assert_eq!(
        recipes(&file),
        ["terraform -chdir=${DIR:-envs/a} apply -a -b ? ${NONE} $HOME \\\n  -x; make apply", "rm -f ${DIR:-envs/a}/a"]
    );
    let target = &file.targets[0];
    assert_eq!((&*target.name, &*target.prerequisites), ("apply", &["init".into()][..]));
    assert_eq!((target.recipe[0].tolerated, target.recipe[1].tolerated), (false, true));
    let mapped = &target.recipe[0].text;
    let at = mapped.text.find("apply").unwrap();
    assert_eq!(mapped.span(Span::new(at, at + 5)).slice(text), "apply");
    assert_eq!(mapped.span(Span::new(0, 9)).slice(text), "$(TF)");
}

#[test]
fn odd_files_are_survived() {
    let file = parse(
        "A = $(A)\nall: ; echo $(A) $(\n\techo $(foreach x,$(A),$(x)) ${\n.RECIPEPREFIX = >\nb:\n> echo hi\ndefine D\nx\ny\nendef\nc: D = 1\n",
    );
    assert_eq!(recipes(&file), ["echo ? ?", "echo ? ?", "echo hi"]);
    assert_eq!(file.targets.len(), 2);
    for text in ["\t\\", "\\", "a:\n\t\\", "$", "a: $", "a:\n\té$é"] {
        let _ = parse(text);
        let _ = parse_just(text);
    }
}

#[test]
fn justfiles() {
    let file = parse_just(
        "env := \"prod\"\nset shell := ['bash']\napply target='x': build\n    @terraform -chdir={{env}} apply {{target}}\n    -rm x\nscript:\n    #!/bin/bash\n    a\n    b\n",
    );
    assert_eq!(recipes(&file), ["terraform -chdir=prod apply ?", "rm x", "#!/bin/bash\n    a\n    b"]);
    assert!(file.targets[0].recipe[1].tolerated);
}
