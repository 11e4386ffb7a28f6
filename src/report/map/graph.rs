//! The map as a drawing: DOT for Graphviz, Mermaid for Markdown. Owners stand left of what they own, data right of it.

use super::Atlas;
use crate::chart::{Object, Sort, Verdict};
use crate::text::HOLE;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

/// The nodes and edges of a drawing, in any notation.
struct Graph<'a> {
    /// By environment: number, object.
    environments: BTreeMap<&'a str, Vec<(usize, &'a Object)>>,
    /// Number, name and tool of each owner.
    owners: Vec<(String, &'static str)>,
    /// Owner, object, what it does.
    owns: BTreeSet<(usize, usize, &'static str)>,
    /// Object, object, relation.
    links: Vec<(usize, usize, &'static str)>,
}

/// How an owner is called in a drawing: its play, root or template, not each address.
fn title(atlas: &Atlas<'_>, object: &Object, owner: &crate::chart::Owner) -> String {
    match owner.tool {
        "terraform" if object.environment.is_empty() => "Terraform".to_owned(),
        "terraform" => format!("Terraform {}", object.environment),
        "ansible" => format!("Ansible {}", owner.what),
        tool => format!("{tool} {}", super::place(atlas.tree, owner.loc).path),
    }
}

impl<'a> Graph<'a> {
    fn of(atlas: &Atlas<'a>) -> Self {
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut owners: Vec<(String, &'static str)> = Vec::new();
        let mut owns = BTreeSet::new();
        for (at, object) in atlas.chart.objects.iter().enumerate() {
            for owner in &object.owners {
                let name = title(atlas, object, owner);
                let number = *numbers.entry(name.clone()).or_insert_with(|| {
                    owners.push((name, owner.tool));
                    owners.len() - 1
                });
                owns.insert((number, at, owner.does.as_str()));
            }
        }
        let ids: HashMap<&str, usize> =
            atlas.chart.objects.iter().enumerate().map(|(at, object)| (object.id.as_str(), at)).collect();
        let link =
            |link: &crate::chart::Link| Some((*ids.get(link.from.as_str())?, *ids.get(link.to.as_str())?, link.kind));
        let links = atlas.chart.links.iter().filter_map(link).collect();
        Self { environments: atlas.environments(), owners, owns, links }
    }
}

/// The lines of an object: name, kind, and its data.
fn label(object: &Object) -> Vec<String> {
    let mut lines = vec![object.name.clone(), object.kind.clone()];
    for datum in object.data.iter().filter(|datum| !datum.dormant) {
        let path = datum.path.as_ref().map_or_else(String::new, |path| format!(" {path}"));
        lines.push(format!("{}{path}: {}", datum.service, datum.fate));
    }
    lines
}

/// Fill and border of a verdict; both readable on white and on black.
fn colors(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Lost | Verdict::Exposed => ("#fde2e1", "#b42318"),
        Verdict::Unknown => ("#fef0c7", "#93370d"),
        Verdict::Guarded | Verdict::Kept => ("#d1fadf", "#05603a"),
        Verdict::NoData => ("#f2f4f7", "#475467"),
    }
}

/// Writes the map in the language of Graphviz.
///
/// # Errors
/// When `out` refuses.
pub fn write_dot(atlas: &Atlas<'_>, out: &mut impl Write) -> io::Result<()> {
    let graph = Graph::of(atlas);
    let quoted = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace(HOLE, "…");
        format!("\"{}\"", text.chars().filter(|c| !c.is_control()).collect::<String>())
    };
    writeln!(out, "digraph stateward {{\n  rankdir=LR;\n  node [fontname=\"sans-serif\", style=filled];")?;
    for (at, (name, _)) in graph.owners.iter().enumerate() {
        writeln!(out, "  t{at} [label={}, shape=box, fillcolor=\"#e0eaff\", fontcolor=\"#1d2939\"];", quoted(name))?;
    }
    for (nth, (environment, objects)) in graph.environments.iter().enumerate() {
        let name = if environment.is_empty() { "." } else { environment };
        writeln!(out, "  subgraph cluster_{nth} {{\n    label={};", quoted(name))?;
        for (at, object) in objects {
            let lines: Vec<String> =
                label(object).iter().map(|line| quoted(line).trim_matches('"').to_owned()).collect();
            let shape = if object.sort == Sort::Store { "cylinder" } else { "box" };
            let (fill, border) = colors(object.verdict);
            let text = lines.join("\\n");
            writeln!(
                out,
                "    o{at} [label=\"{text}\", shape={shape}, fillcolor=\"{fill}\", color=\"{border}\", fontcolor=\"#1d2939\"];"
            )?;
        }
        writeln!(out, "  }}")?;
    }
    for (owner, object, does) in &graph.owns {
        writeln!(out, "  t{owner} -> o{object} [label=\"{does}\"];")?;
    }
    for (from, to, kind) in &graph.links {
        writeln!(out, "  o{from} -> o{to} [label=\"{kind}\", style=dashed];")?;
    }
    writeln!(out, "}}")
}

/// Writes the map in the language of Mermaid.
///
/// # Errors
/// When `out` refuses.
pub fn write_mermaid(atlas: &Atlas<'_>, out: &mut impl Write) -> io::Result<()> {
    let graph = Graph::of(atlas);
    // Entities of HTML stand for what the notation takes for itself.
    let quoted = |text: &str| {
        let mut shown = String::new();
        for c in text.chars() {
            match c {
                '"' => shown.push_str("#quot;"),
                '#' => shown.push_str("#35;"),
                '<' => shown.push_str("#lt;"),
                '>' => shown.push_str("#gt;"),
                '&' => shown.push_str("#amp;"),
                '`' => shown.push_str("#96;"),
                HOLE => shown.push('…'),
                c if c.is_control() => {}
                c => shown.push(c),
            }
        }
        shown
    };
    writeln!(out, "flowchart LR")?;
    for (at, (name, _)) in graph.owners.iter().enumerate() {
        writeln!(out, "  t{at}[\"{}\"]:::tool", quoted(name))?;
    }
    for (nth, (environment, objects)) in graph.environments.iter().enumerate() {
        let name = if environment.is_empty() { "." } else { environment };
        writeln!(out, "  subgraph e{nth}[\"{}\"]", quoted(name))?;
        for (at, object) in objects {
            let text: Vec<String> = label(object).iter().map(|line| quoted(line)).collect();
            let (open, close) = if object.sort == Sort::Store { ("[(\"", "\")]") } else { ("[\"", "\"]") };
            writeln!(out, "    o{at}{open}{}{close}:::{}", text.join("<br/>"), object.verdict.as_str())?;
        }
        writeln!(out, "  end")?;
    }
    for (owner, object, does) in &graph.owns {
        writeln!(out, "  t{owner} -->|{does}| o{object}")?;
    }
    for (from, to, kind) in &graph.links {
        writeln!(out, "  o{from} -.->|{kind}| o{to}")?;
    }
    writeln!(out, "  classDef tool fill:#e0eaff,stroke:#3538cd,color:#1d2939")?;
    for verdict in Verdict::ALL {
        let (fill, border) = colors(verdict);
        writeln!(out, "  classDef {} fill:{fill},stroke:{border},color:#1d2939", verdict.as_str())?;
    }
    Ok(())
}
