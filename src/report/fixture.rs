//! A small report for the tests of the formats.

use super::{Files, Report, RuleInfo};
use crate::diag::{Confidence, Edit, Finding, Fix, Related, Severity, Suppressed, Undecided};
use crate::source::{File, Tree};
use crate::text::{Loc, Span};

const MAIN: &str = "\
variable \"name\" {}

# One container for each shard.
resource \"proxmox_lxc\" \"pg\" {
  rootfs   = \"local-lvm\"
  hostname = \"pg-ä-1\"
}
";

const TASKS: &str = "\
- name: Install PostgreSQL
  ansible.builtin.apt: {name: postgresql}
";

/// The data that a [`Report`] borrows.
pub(super) struct Data {
    pub(super) tree: Tree,
    pub(super) findings: Vec<Finding>,
    pub(super) undecided: Vec<Undecided>,
    pub(super) rules: Vec<RuleInfo>,
}

impl Data {
    /// Three places in three files; an error, a fixable warning, an old finding and a suppressed one.
    pub(super) fn new() -> Self {
        let file = |path: &str, text: &str| File::in_memory(path, text.as_bytes().to_vec(), true);
        let files = vec![
            file("infra/main.tf", MAIN),
            file("roles/pg sql/tasks/main.yml", TASKS),
            file("site.yml", "- hosts: pg\n  roles: [pg sql]\n"),
            File::in_memory("terraform.tfstate", vec![0, 1, 2], true),
        ];
        let tree = Tree::new(files, None);
        let findings = findings(&tree);
        let first = at(&tree, "infra/main.tf", "variable");
        let because = "var.environment has no default and no tfvars names it".to_owned();
        let undecided = vec![Undecided { rule: "data-resource-unprotected".into(), because, count: 4, first }];
        Self { tree, findings, undecided, rules: rules() }
    }

    /// The report, without colour.
    pub(super) fn report(&self) -> Report<'_> {
        let files = Files {
            judged: 3,
            skipped: 2,
            unreadable: 1,
            by_reason: vec![("template".into(), 1), ("vaulted".into(), 1)],
            by_kind: vec![("Ansible".into(), 2), ("Terraform".into(), 1)],
        };
        Report {
            tree: &self.tree,
            findings: &self.findings,
            undecided: &self.undecided,
            rules: &self.rules,
            files,
            suppressed: 1,
            elapsed_ms: 31,
            stats: false,
            verbose: 0,
            quiet: 0,
            color: false,
            tool_version: "0.1.0",
        }
    }
}

/// The first place where `needle` stands.
pub(super) fn at(tree: &Tree, path: &str, needle: &str) -> Loc {
    let file = tree.find(path).unwrap();
    let start = tree.text(file).find(needle).unwrap();
    Loc { file, span: Span::new(start, start + needle.len()) }
}

fn finding(rule: &str, family: &str, severity: Severity, loc: Loc, message: &str) -> Finding {
    Finding {
        rule: rule.into(),
        family: family.into(),
        severity,
        confidence: Confidence::High,
        message: message.into(),
        loc,
        address: None,
        instances: Vec::new(),
        related: Vec::new(),
        doctrine: vec!["2.4.2".into()],
        help: "Mount a volume that outlives the container.".into(),
        fingerprint: format!("{:016x}", loc.span.start + 1),
        fix: None,
        suppressed: None,
        new: true,
    }
}

fn findings(tree: &Tree) -> Vec<Finding> {
    let related = |path, needle, message: &str| Related { loc: at(tree, path, needle), message: message.into() };
    let block = at(tree, "infra/main.tf", MAIN.split_once("shard.\n").unwrap().1);
    let mut data = finding(
        "data-on-root",
        "data-placement",
        Severity::Error,
        block,
        "PostgreSQL keeps /var/lib/postgresql in the root filesystem of pg-ä-1",
    );
    data.address = Some("proxmox_lxc.pg[0]".into());
    data.instances = vec!["proxmox_lxc.pg[0]".into(), "proxmox_lxc.pg[1]".into()];
    data.doctrine.push("9.3".into());
    data.related = vec![
        related("infra/main.tf", "rootfs", "its root filesystem"),
        related("site.yml", "hosts: pg", "this play configures it"),
        related("roles/pg sql/tasks/main.yml", "name: Install PostgreSQL", "this task installs PostgreSQL"),
    ];
    let host = at(tree, "infra/main.tf", "\"pg-ä-1\"");
    let mut name = finding("literal-name", "identity", Severity::Warning, host, "pg-ä-1 is written twice: 100%");
    name.confidence = Confidence::Medium;
    name.fix = Some(Fix {
        title: "Use var.name".into(),
        safe: true,
        edits: vec![Edit { loc: host, text: "var.name".into() }],
    });
    let role = at(tree, "roles/pg sql/tasks/main.yml", "postgresql}");
    let mut old = finding("unpinned", "drift", Severity::Info, role, "postgresql has no version");
    old.new = false;
    let state = Loc { file: tree.find("terraform.tfstate").unwrap(), span: Span::default() };
    let mut hidden = finding("committed-state", "control-state", Severity::Error, state, "State is committed");
    hidden.suppressed = Some(Suppressed { reason: "a fixture".into(), loc: Some(at(tree, "site.yml", "roles")) });
    vec![data, name, old, hidden]
}

fn rules() -> Vec<RuleInfo> {
    let rule = |id: &str, family: &str, severity, summary: &str| RuleInfo {
        id: id.into(),
        family: family.into(),
        summary: summary.into(),
        why: "The machine is **replaced** as a whole.\n\n- Its disk goes with it.\n".into(),
        help: "Mount a volume that outlives the container.".into(),
        severity,
        confidence: Confidence::High,
        doctrine: vec![("2.4.2".into(), "Data outlives compute.".into())],
        fails: Some("resource \"proxmox_lxc\" \"pg\" {\n  rootfs = \"local\"\n}".into()),
        passes: Some("mountpoint {\n  volume = \"/data\"\n}".into()),
        help_uri: format!("https://example.org/rules/{id}"),
        security: None,
    };
    let mut state = rule("committed-state", "control-state", Severity::Error, "State in version control.");
    state.security = Some("8.0");
    vec![
        state,
        rule("data-on-root", "data-placement", Severity::Error, "Data on a disposable root filesystem."),
        rule("literal-name", "identity", Severity::Warning, "A name that is written twice."),
        rule("unpinned", "drift", Severity::Info, "A package without a version."),
    ]
}
