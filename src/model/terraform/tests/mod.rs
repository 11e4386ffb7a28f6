mod expressions;
mod functions;
mod modules;
mod running;
mod terragrunt;

use super::*;
use crate::source::{File, Tree};
use crate::value::{Data, Kind, Value};

/// A tree kept for the whole test, with its parsed Terraform files.
fn terraform(files: &[(&str, &str)], options: Options) -> Terraform<'static> {
    let files = files.iter().map(|(path, text)| File::in_memory(path, text.as_bytes().to_vec(), true)).collect();
    let tree: &'static Tree = Box::leak(Box::new(Tree::new(files, None)));
    let sources: Vec<Source<'static>> = tree
        .iter()
        .filter_map(|(file, content)| {
            let kind = match &*content.path {
                path if path.contains(".tfvars") => SourceKind::Variables,
                path if path.contains(".tf.") || path.split('.').any(|part| matches!(part, "tf" | "tofu")) => {
                    SourceKind::Configuration
                }
                path if path.split('.').next_back() == Some("hcl") && !path.contains(".terraform.") => {
                    SourceKind::Terragrunt
                }
                _ => return None,
            };
            let text = tree.text(file);
            let parsed = if content.path.contains(".json") { hcl::parse_json(text) } else { hcl::parse(text) };
            assert!(parsed.errors.is_empty(), "{}: {:?}", content.path, parsed.errors);
            Some(Source { file, path: &content.path, tree: Box::leak(Box::new(parsed)), kind })
        })
        .collect();
    Terraform::build(&sources, options, tree)
}

fn build(files: &[(&str, &str)]) -> Terraform<'static> {
    terraform(files, Options::default())
}

/// How the tests write a value down: its kinds visible.
fn show(value: &Value) -> String {
    fn data(data: &Data) -> String {
        match data {
            Data::Null => "null".into(),
            Data::Str(text) => format!("{text:?}"),
            Data::List(list) => {
                let mut items: Vec<String> = list.items.iter().map(show).collect();
                items.extend(list.open.iter().map(|reason| format!("..{reason}")));
                format!("[{}]", items.join(", "))
            }
            Data::Map(map) => {
                let mut items: Vec<String> =
                    map.entries.iter().map(|(key, value)| format!("{key}={}", show(value))).collect();
                items.extend(map.open.iter().map(|reason| format!("..{reason}")));
                format!("{{{}}}", items.join(", "))
            }
            scalar => scalar.scalar().unwrap().to_string(),
        }
    }
    match &value.kind {
        Kind::Absent => "absent".into(),
        Kind::Unknown(reason) => format!("?{reason}"),
        Kind::OneOf(values) => values.iter().map(data).collect::<Vec<_>>().join("|"),
        Kind::Known(known) => data(known),
        Kind::Text(_) => format!("~{}", value.display()),
    }
}

fn local(terraform: &Terraform<'static>, name: &str) -> String {
    show(&terraform.local(&terraform.instances[0], name))
}

fn addresses(terraform: &Terraform<'static>) -> Vec<String> {
    terraform.resources().map(|resource| resource.address()).collect()
}

fn resource<'a>(terraform: &'a Terraform<'static>, address: &str) -> Resource<'a, 'static> {
    terraform
        .resources()
        .find(|resource| resource.address() == address)
        .unwrap_or_else(|| panic!("no {address} in {:?}", addresses(terraform)))
}
