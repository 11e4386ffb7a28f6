//! The map as a tree of text: environments, the objects of each, who owns them, what they hold and what becomes of it.

use super::Atlas;
use crate::chart::{Datum, Object, Owner, Statement, Verdict};
use crate::diag::Confidence;
use crate::report::{count, printable};
use std::collections::HashMap;
use std::io::{self, Write};

/// Writes the map.
///
/// # Errors
/// When `out` refuses.
pub fn write(atlas: &Atlas<'_>, out: &mut impl Write) -> io::Result<()> {
    let findings = atlas.findings();
    let hangs = hangs(atlas);
    for (environment, objects) in atlas.environments() {
        let shown = if environment.is_empty() { "." } else { environment };
        writeln!(out, "{}", printable(shown))?;
        let last = objects.len().saturating_sub(1);
        for (nth, (at, object)) in objects.into_iter().enumerate() {
            let (branch, stem) = if nth == last { ("└─", "  ") } else { ("├─", "│ ") };
            writeln!(out, "{branch} {}", head(atlas, object))?;
            let lines = lines(atlas, object, &hangs, findings[at].len());
            for (nth, line) in lines.iter().enumerate() {
                let twig = if nth + 1 == lines.len() { "└─" } else { "├─" };
                writeln!(out, "{stem} {twig} {}", printable(line))?;
            }
        }
        writeln!(out)?;
    }
    legend(atlas, out)
}

/// What each object hangs on, by its id: the relation, and the other's name.
type Hangs<'a> = HashMap<&'a str, Vec<(&'static str, &'a str)>>;

fn hangs<'a>(atlas: &Atlas<'a>) -> Hangs<'a> {
    let objects = atlas.chart.objects.iter();
    let names: HashMap<&str, &str> = objects.map(|object| (object.id.as_str(), object.name.as_str())).collect();
    let mut found = Hangs::new();
    for link in &atlas.chart.links {
        let to = names.get(link.to.as_str()).map(|name| (link.kind, *name));
        found.entry(link.from.as_str()).or_default().extend(to);
    }
    found
}

/// A line for each relation: the first few by name, the others by their number.
fn hanging(hangs: &[(&'static str, &str)]) -> Vec<String> {
    const SHOWN: usize = 3;
    let line = |own: &[(&'static str, &str)]| {
        let mut names: Vec<String> = Vec::new();
        // Namesakes, of other folders, stand together and are told by their number.
        for alike in own.chunk_by(|a, b| a.1 == b.1) {
            let name = alike.first().map_or("", |(_, name)| name);
            names.push(if alike.len() > 1 {
                format!("{name} ({} of that name)", alike.len())
            } else {
                name.to_owned()
            });
        }
        if names.len() > SHOWN {
            let more = names.len() - SHOWN;
            names.truncate(SHOWN);
            names.push(format!("{more} more"));
        }
        let last = names.pop().unwrap_or_default();
        let names = if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) };
        format!("{} {names}", own.first().map_or("", |(kind, _)| kind).replace('-', " "))
    };
    let mut own = hangs.to_vec();
    own.sort_unstable();
    own.chunk_by(|a, b| a.0 == b.0).map(line).collect()
}

fn head(atlas: &Atlas<'_>, object: &Object) -> String {
    let mut parts = vec![object.name.clone(), format!("({}, {})", object.sort.as_str(), object.kind)];
    parts.extend(object.addresses.first().cloned());
    let name = printable(&parts.join(" ")).into_owned();
    if object.verdict == Verdict::NoData { name } else { format!("{name}  {}", paint(atlas, object.verdict)) }
}

/// The verdict, coloured by how bad it is.
fn paint(atlas: &Atlas<'_>, verdict: Verdict) -> String {
    let word = verdict.as_str().to_uppercase();
    if !atlas.color {
        return word;
    }
    let code = match verdict {
        Verdict::Lost | Verdict::Exposed => "1;31",
        Verdict::Unknown => "1;33",
        Verdict::Guarded | Verdict::Kept => "32",
        Verdict::NoData => "2",
    };
    format!("\u{1b}[{code}m{word}\u{1b}[0m")
}

fn lines(atlas: &Atlas<'_>, object: &Object, hangs: &Hangs<'_>, findings: usize) -> Vec<String> {
    // What is for every host, or for nobody, says little about this one.
    let (own, common): (Vec<&Owner>, Vec<&Owner>) =
        object.owners.iter().partition(|owner| !owner.dormant && owner.confidence != Confidence::Low);
    let mut lines: Vec<String> = own.into_iter().map(|owner| owner_line(atlas, owner)).collect();
    let dormant = common.iter().filter(|owner| owner.dormant).count();
    for (number, what) in [(common.len() - dormant, "for all hosts"), (dormant, "that nothing here runs")] {
        if number > 0 {
            lines.push(format!("and {} {what}", count(number, "play")));
        }
    }
    lines.extend(object.identity.iter().map(|said| statement_line(atlas, said)));
    lines.extend(object.data.iter().filter(|datum| !datum.dormant).map(datum_line));
    lines.extend(hanging(hangs.get(object.id.as_str()).map_or(&[], Vec::as_slice)));
    if findings > 0 {
        lines.push(count(findings, "finding"));
    }
    lines
}

fn owner_line(atlas: &Atlas<'_>, owner: &Owner) -> String {
    let roles = if owner.roles.is_empty() { String::new() } else { format!(" (roles: {})", owner.roles.join(", ")) };
    format!("{} {} it: {}{roles}  {}", owner.tool, owner.does.as_str(), owner.what, atlas.at(owner.loc))
}

fn statement_line(atlas: &Atlas<'_>, said: &Statement) -> String {
    let agrees = if said.agrees { "as Terraform does" } else { "Terraform does not agree" };
    format!("{} {} is written down again, {agrees}  {}", said.variable, said.value, atlas.at(said.loc))
}

fn datum_line(datum: &Datum) -> String {
    let path = datum.path.as_ref().map_or_else(String::new, |path| format!(" in {path}"));
    format!("data: {}{path} ({}): {}", datum.service, datum.class, datum.because)
}

fn legend(atlas: &Atlas<'_>, out: &mut impl Write) -> io::Result<()> {
    if atlas.chart.objects.is_empty() {
        return writeln!(out, "nothing here is a machine, a container or a store of data");
    }
    for (verdict, number) in atlas.verdicts().into_iter().filter(|(_, number)| *number > 0) {
        writeln!(out, "{number:>5}  {:<8} {}", verdict.as_str(), verdict.meaning())?;
    }
    Ok(())
}
