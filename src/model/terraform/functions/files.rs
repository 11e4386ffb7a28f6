//! Functions that read files of the repository, and functions on paths.

use super::super::eval::{Env, Scope, Work};
use super::super::refs::Node;
use super::super::types;
use super::{Args, Returned, Stop, encoding, hash, text};
use crate::source;
use crate::syntax::hcl;
use crate::value::{Data, List, Value};

impl<'t> Env<'_, 't> {
    pub(super) fn file_function(&self, name: &str, args: &Args<'_>, work: &mut Work) -> Option<Returned> {
        Some(match name {
            "file" => self.read(args).map(|(_, content)| text(content)),
            "filebase64" => self.read(args).and_then(|(_, content)| {
                let values = [Value::known(content)];
                encoding::call("base64encode", &Args::new(&values)).unwrap_or(Err("it is not text".into()))
            }),
            "filemd5" | "filesha1" | "filesha256" | "filesha512" | "filebase64sha256" | "filebase64sha512" => self
                .read(args)
                .and_then(|(_, content)| hash::of_text(name.strip_prefix("file").unwrap_or(name), content)),
            "fileexists" => args.text(0).and_then(|path| {
                if path.starts_with(['/', '~']) {
                    return Err(outside(&path));
                }
                let found = self.locate(&path).is_some_and(|path| self.ground.files.find(&path).is_some());
                if found {
                    return Ok(Value::known(true));
                }
                // What is ignored by Git may well be there when Terraform runs.
                Err(Stop::Unknown(format!("{path} is not in this repository").into()))
            }),
            "templatefile" => self.template_file(args, work),
            "templatestring" => args
                .value(0)
                .and_then(|template| self.template_text(template, args.value(1)?, work).map_err(Stop::Error)),
            "fileset" => self.file_set(args),
            "basename" => args.text(0).map(|path| match path.trim_end_matches('/') {
                "" => text(if path.is_empty() { "." } else { "/" }),
                path => text(source::file_name(path)),
            }),
            "dirname" => args.text(0).map(|path| {
                text(&clean(path.rsplit_once('/').map_or("", |(folder, _)| match folder {
                    "" => "/",
                    folder => folder,
                })))
            }),
            "abspath" => args.text(0).and_then(|path| {
                if path.starts_with('/') {
                    return Ok(text(&clean(&path)));
                }
                Err(Stop::Unknown("abspath() depends on where the repository lies".into()))
            }),
            "pathexpand" => args.text(0).and_then(|path| {
                if path.starts_with('~') {
                    return Err(Stop::Unknown("the home folder depends on who runs Terraform".into()));
                }
                Ok(text(&path))
            }),
            _ => return None,
        })
    }

    fn read(&self, args: &Args<'_>) -> Result<(crate::text::FileId, &str), Stop> {
        let path = args.text(0)?;
        let located = self.locate(&path).ok_or_else(|| outside(&path))?;
        self.ground
            .files
            .find(&located)
            .ok_or_else(|| Stop::Unknown(format!("{path} is not in this repository").into()))
    }

    fn template_file(&self, args: &Args<'_>, work: &mut Work) -> Returned {
        let (file, content) = self.read(args)?;
        let parts = hcl::parse_template(content, 0);
        let names: Vec<(&str, Node<'t>)> = match args.data(1) {
            Ok(Data::Map(map)) if !map.entries.iter().all(|(name, _)| is_name(name)) => {
                return Err("a template variable needs a valid name".into());
            }
            Ok(Data::Map(map)) => {
                map.entries.iter().map(|(name, value)| (&**name, Node::Value(value.clone()))).collect()
            }
            Ok(_) => return Err("templatefile() needs a map".into()),
            Err(stop) => return Err(stop),
        };
        let scope = Scope { names: &names, outer: None };
        let env = Env { file, scope: Some(&scope), closed: true, ..*self };
        env.template(&parts, work).map_err(Stop::Error)
    }

    fn file_set(&self, args: &Args<'_>) -> Returned {
        let (folder, pattern) = (args.text(0)?, args.text(1)?);
        let folder = self.locate(&folder).ok_or_else(|| outside(&folder))?;
        let glob = globset::GlobBuilder::new(&pattern)
            .literal_separator(true)
            .build()
            .map_err(|_| Stop::Error("the pattern is not understood".into()))?
            .compile_matcher();
        let found = self.ground.files.below(&folder).into_iter().filter(|path| glob.is_match(path));
        Ok(types::set(&List { items: found.map(Value::known).collect(), ..List::default() }))
    }
}

/// Whether a variable of a template can have that name.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// A path without what leads nowhere: `a//b/../c` is `a/c`.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        match (part, parts.last()) {
            ("..", Some(last)) if *last != ".." => drop(parts.pop()),
            ("..", None) if rooted => {}
            _ => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

fn outside(path: &str) -> Stop {
    Stop::Unknown(format!("{path} lies outside this repository").into())
}
