//! Compose text with template expressions in it: made plain YAML, each expression a mark, and every span led back.

use super::interpolate::{FIRST_MARK, MAX_MARKS, Reader};
use super::{Container, Declared, Setting, compose};
use crate::syntax::yaml::Yaml;
use crate::text::{FileId, HOLE, Loc, Mapped, Span};

/// The containers of a compose text with Jinja in it (a block scalar of a playbook, a template file); none when it is no compose text.
#[must_use]
pub fn of_compose_text(text: &Mapped, file: FileId, setting: &Setting<'_>) -> Vec<Container> {
    let has_services = text.text.lines().any(|line| line.trim_end() == "services:" || line.starts_with("services: "));
    if !has_services || !(text.text.contains("image:") || text.text.contains("build:")) {
        return Vec::new();
    }
    let mut plain = Plain::default();
    plain.make(&text.text);
    let yaml = Yaml::parse(&plain.text.text);
    let place = |span: Span| Loc { file, span: text.span(plain.text.span(span)) };
    let reader = Reader { setting: *setting, expressions: &plain.expressions, templates: false };
    yaml.documents().flat_map(|root| compose::read(root, &place, &reader, Declared::Text)).collect()
}

/// A text whose template parts are taken out.
#[derive(Default)]
struct Plain {
    text: Mapped,
    expressions: Vec<String>,
    raw: bool,
}

/// A part of a template.
enum Part<'t> {
    Text(&'t str),
    Expression(&'t str),
    Statement,
    Comment,
}

impl Plain {
    fn make(&mut self, source: &str) {
        let mut at = 0;
        let mut parts: Vec<(usize, usize, Part<'_>)> = Vec::new();
        while at < source.len() {
            let (length, part) = self.next(&source[at..]);
            // Text is cut at line breaks: what stands on a line of its own is told from what stands between text.
            if let Part::Text(text) = part {
                let mut start = at;
                for line in text.split_inclusive('\n') {
                    parts.push((start, line.len(), Part::Text(line)));
                    start += line.len();
                }
            } else {
                parts.push((at, length, part));
            }
            at += length.max(1);
        }
        let mut line = Vec::new();
        for part in parts {
            let ends = matches!(&part.2, Part::Text(text) if text.ends_with('\n'));
            line.push(part);
            if ends {
                self.line(&line);
                line.clear();
            }
        }
        self.line(&line);
    }

    /// The first part of a text, and its length.
    fn next<'t>(&mut self, text: &'t str) -> (usize, Part<'t>) {
        let close = |end: &str| text[2..].find(end).map(|at| 2 + at);
        let inner = |at: usize| text[2..at].trim_matches(['-', '+']).trim();
        if self.raw {
            let end = text
                .match_indices("{%")
                .find(|(at, _)| text[at + 2..].trim_start_matches(['-', '+', ' ']).starts_with("endraw"));
            if let Some((0, _)) = end {
                self.raw = false;
                let length = text.find("%}").map_or(text.len(), |at| at + 2);
                return (length, Part::Statement);
            }
            let length = end.map_or(text.len(), |(at, _)| at);
            return (length, Part::Text(&text[..length]));
        }
        let opens = text.starts_with("{{") || text.starts_with("{%") || text.starts_with("{#");
        let part = match text.as_bytes() {
            [b'{', b'{', ..] => close("}}").map(|at| (at + 2, Part::Expression(inner(at)))),
            [b'{', b'%', ..] => close("%}").map(|at| {
                self.raw = inner(at) == "raw";
                (at + 2, Part::Statement)
            }),
            [b'{', b'#', ..] => close("#}").map(|at| (at + 2, Part::Comment)),
            _ => None,
        };
        part.unwrap_or_else(|| {
            if opens {
                // Never closed: no template that could be read.
                return (text.len(), Part::Text(text));
            }
            let skip = usize::from(text.starts_with('{'));
            let opens = text[skip..].match_indices('{').map(|(at, _)| skip + at);
            let mut opens = opens.filter(|at| matches!(text.as_bytes().get(at + 1), Some(b'{' | b'%' | b'#')));
            let length = opens.next().unwrap_or(text.len());
            (length, Part::Text(&text[..length]))
        })
    }

    /// Adds one line.
    fn line(&mut self, parts: &[(usize, usize, Part<'_>)]) {
        let blank = |part: &Part<'_>| matches!(part, Part::Text(text) if text.trim().is_empty());
        let said = || parts.iter().map(|(_, _, part)| part).filter(|part| !blank(part));
        let has_text = said().any(|part| matches!(part, Part::Text(_)));
        let expressions = said().filter(|part| matches!(part, Part::Expression(_))).count();
        if !has_text && expressions == 0 {
            // Nothing but statements and comments: both branches of a condition stay, its own lines go.
            if let Some((at, length, Part::Text(text))) = parts.last()
                && text.ends_with('\n')
            {
                self.text.push("\n", Span::new(at + length - 1, 0).start);
            }
            return;
        }
        let alone = !has_text && expressions == 1;
        for (at, length, part) in parts {
            let source = Span::new(*at, at + length);
            match part {
                Part::Text(text) => self.text.push(text, source.start),
                Part::Comment => {}
                Part::Statement if alone => {}
                Part::Statement => self.text.push_hole(source),
                Part::Expression(inner) => {
                    self.mark(inner, source);
                    if alone {
                        // Entries that an expression adds to a mapping.
                        self.text.push_for(":", source);
                    }
                }
            }
        }
    }

    fn mark(&mut self, expression: &str, source: Span) {
        let number = u32::try_from(self.expressions.len()).unwrap_or(u32::MAX);
        match char::from_u32(FIRST_MARK.saturating_add(number)).filter(|_| self.expressions.len() < MAX_MARKS) {
            Some(mark) => {
                self.expressions.push(expression.to_owned());
                self.text.push_for(mark.encode_utf8(&mut [0; 4]), source);
            }
            None => self.text.push_for(HOLE.encode_utf8(&mut [0; 4]), source),
        }
    }
}
