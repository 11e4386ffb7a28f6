//! Data sources that ask what runs right now, and what of a declaration hangs on their answers.

use super::Estate;
use crate::knowledge::compute::compute_type;
use crate::knowledge::terraform::{Grade, data_type, runtime_read};
use crate::model::terraform::{BlockView, Declaration, Mode, Resource};
use crate::text::Loc;
use crate::value::{Data, Value};
use std::collections::HashSet;

/// An argument whose value is an answer of what runs.
pub struct LiveInput<'m> {
    /// The resource.
    pub resource: Resource<'m, 'm>,
    /// The argument.
    pub argument: String,
    /// The data source, `data.http.me`.
    pub source: String,
    /// What it asks: an address, or the type's own words.
    pub asks: String,
    /// It asks for the address of whoever runs the plan.
    pub own_address: bool,
    /// `count` or `for_each`: it decides how many there are.
    pub decides: bool,
    /// It asks only which templates there are.
    pub catalogue: bool,
    /// Where the data source is declared.
    pub declared: Loc,
    /// Where the argument stands.
    pub loc: Loc,
}

/// What a live data source is.
struct Source {
    declaration: Declaration,
    name: String,
    asks: String,
    own_address: bool,
    /// It asks only for templates.
    catalogue: bool,
    /// It has a `count` or `for_each` of its own.
    repeated: bool,
    declared: Loc,
}

/// Whether a `count` or `for_each` takes a data source as a whole, or its keys, and nothing of its answers.
fn only_counts(text: &str, source: &str) -> bool {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let value = text.split_once('=').map_or("", |(_, value)| value);
    let value = value.strip_prefix("toset(").unwrap_or(value);
    let value = ["keys(", "length("].iter().find_map(|call| value.strip_prefix(call)).unwrap_or(value);
    value.trim_end_matches(')') == source
}

/// Services that tell a caller its own address.
const OWN_ADDRESS: [&str; 14] = [
    "ifconfig.me",
    "ifconfig.co",
    "icanhazip.com",
    "ipify.org",
    "checkip.amazonaws.com",
    "ipinfo.io",
    "ident.me",
    "ipecho.net",
    "whatismyip",
    "myexternalip.com",
    "ip.sb",
    "myip.",
    "ifconfig.io",
    "checkip.",
];

/// Every argument that hangs on an answer of what runs, once for each declaration and data source.
#[must_use]
pub fn live_inputs<'m>(estate: &'m Estate<'m>) -> Vec<LiveInput<'m>> {
    let sources = sources(estate);
    if sources.is_empty() {
        return Vec::new();
    }
    let mut seen: HashSet<(Loc, &str)> = HashSet::new();
    let mut found = Vec::new();
    let mut walked: HashSet<Loc> = HashSet::new();
    for resource in estate.terraform.resources() {
        if !walked.insert(resource.decl.decl.loc()) {
            continue;
        }
        for Argument { name: argument, shown, loc, decisive } in arguments(&resource) {
            for declaration in estate.terraform.referred(&resource, argument) {
                let Some(source) = sources.iter().find(|source| source.declaration == declaration) else { continue };
                // How many there are of what is asked for each of a given set is given as well.
                let counted = matches!(argument, "count" | "for_each");
                if counted && source.repeated && only_counts(estate.documents.tree.slice(loc), &source.name) {
                    continue;
                }
                if !(decisive || source.own_address) || !seen.insert((resource.decl.decl.loc(), argument)) {
                    continue;
                }
                found.push(LiveInput {
                    argument: shown.to_owned(),
                    source: source.name.clone(),
                    asks: source.asks.clone(),
                    own_address: source.own_address,
                    catalogue: source.catalogue,
                    decides: matches!(argument, "count" | "for_each"),
                    declared: source.declared,
                    loc,
                    resource: resource.clone(),
                });
            }
        }
    }
    found
}

/// An argument or block of a resource.
struct Argument<'m> {
    name: &'m str,
    /// As one says it: a `dynamic` block by what it makes.
    shown: &'m str,
    loc: Loc,
    /// Whether it decides how many there are, which one it is, or whether it is replaced.
    decisive: bool,
}

/// The arguments and blocks of a resource.
fn arguments<'m>(resource: &Resource<'m, 'm>) -> Vec<Argument<'m>> {
    let compute = compute_type(resource.ty());
    let replace_on = data_type(resource.ty()).map(|row| &row.replace_on).or(compute.map(|row| &row.replace_on));
    let identity = compute.map(|row| row.ids.iter().chain(&row.names).chain(&row.addresses)).into_iter().flatten();
    let heads: HashSet<&str> = replace_on
        .into_iter()
        .flatten()
        .chain(identity)
        .map(|path| path.split(['.', '[']).next().unwrap_or(path))
        .collect();
    let attributes = resource.decl.decl.attributes.iter().map(|(file, attribute)| {
        (&*attribute.name, &*attribute.name, Loc { file: *file, span: attribute.name_span.to(attribute.value.span) })
    });
    let mut blocks: Vec<(&'m str, &'m str, Loc)> = Vec::new();
    for (file, block) in &resource.decl.decl.blocks {
        if !matches!(&*block.kind, "provisioner" | "connection" | "lifecycle" | "timeouts")
            && !blocks.iter().any(|(kind, ..)| *kind == &*block.kind)
        {
            let made = block.labels.first().filter(|_| &*block.kind == "dynamic");
            let shown = made.map_or(&*block.kind, |(label, _)| &**label);
            blocks.push((&block.kind, shown, Loc { file: *file, span: block.header }));
        }
    }
    let decisive = |name: &str| matches!(name, "count" | "for_each") || heads.contains(name);
    attributes.chain(blocks).map(|(name, shown, loc)| Argument { name, shown, loc, decisive: decisive(name) }).collect()
}

fn sources(estate: &Estate<'_>) -> Vec<Source> {
    let mut found = Vec::new();
    for instance in &estate.terraform.instances {
        for data in estate.terraform.resources_of(instance).filter(|it| it.decl.mode == Mode::Data) {
            let Some(row) = runtime_read(data.ty()) else { continue };
            let url = data.arg("url");
            let http = matches!(data.ty(), "http" | "http_http");
            // Programs and files have rules of their own; what a hypervisor lists is mostly a check before the plan.
            if row.grade != Grade::Warning && !data.ty().starts_with("proxmox_")
                || data.ty().starts_with("local_")
                || http && !is_runtime(&url)
            {
                continue;
            }
            found.push(Source {
                declaration: data.declaration(),
                name: format!("data.{}.{}", data.ty(), data.name()),
                asks: if http { url.display() } else { data.ty().replace('_', " ") },
                own_address: http && asks_own_address(&url),
                catalogue: only_templates(&data),
                repeated: ["count", "for_each"].iter().any(|name| data.decl.decl.attribute(name).is_some()),
                declared: data.loc(),
            });
        }
    }
    found
}

/// Whether a data source asks for nothing but templates: a catalogue, as that of images is.
fn only_templates(data: &Resource<'_, '_>) -> bool {
    let filters = data.blocks("filter");
    let mut wanted = filters.iter().filter(|it| it.arg("name").as_str() == Some("template"));
    let is_true = |value: &Data| matches!(value.scalar().as_deref(), Some("true" | "1"));
    let lists = |it: &BlockView<'_, '_>| {
        let values = it.arg("values");
        let all = values.as_list().map(|list| list.items.clone()).unwrap_or_default();
        !all.is_empty() && all.iter().all(|value| value.data().is_some_and(is_true))
    };
    wanted.any(lists) || data.arg("template").data().is_some_and(is_true)
}

fn asks_own_address(url: &Value) -> bool {
    let text = url.display().to_lowercase();
    OWN_ADDRESS.iter().any(|host| text.contains(host))
}

/// Whether an address is answered by what runs: whoever asks, a machine of one's own network, the metadata of an instance.
fn is_runtime(url: &Value) -> bool {
    let text = url.display().to_lowercase();
    let host = text.split("://").nth(1).unwrap_or("").split(['/', ':']).next().unwrap_or("");
    let private =
        host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_private() || ip.is_loopback() || ip.is_link_local());
    private
        || asks_own_address(url)
        || host == "localhost"
        || matches!(host.rsplit('.').next(), Some("local" | "consul" | "internal"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_what_runs_answers() {
        for url in [
            "https://ifconfig.me",
            "http://169.254.169.254/latest/meta-data",
            "http://10.0.0.5:8500/v1/kv",
            "https://api.ipify.org?format=json",
        ] {
            assert!(is_runtime(&Value::known(url)), "{url}");
        }
        for url in [
            "https://raw.githubusercontent.com/acme/crds/v1.2.0/crds.yaml",
            "https://www.cloudflare.com/ips-v4",
            "https://8.8.8.8/",
        ] {
            assert!(!is_runtime(&Value::known(url)), "{url}");
        }
    }
}
