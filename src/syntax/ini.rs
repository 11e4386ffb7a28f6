//! INI as Ansible reads it: `ansible.cfg` and inventories.

use crate::text::Span;

/// A parsed file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ini {
    /// The sections in order; lines before the first header are in a section without a name.
    pub sections: Vec<Section>,
}

/// `[name]` and what follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// The name, such as `defaults` or `web:children`.
    pub name: Box<str>,
    /// The header with its brackets.
    pub span: Span,
    /// Its lines, blank lines and comments left out.
    pub lines: Vec<Line>,
}

/// A line of a section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What stands before the first `=` or `:`; without one the whole text.
    pub key: Box<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// What stands after it, comment left out, continuation lines joined by line breaks; empty without a `=` or `:`.
    pub value: Box<str>,
    /// Where the value stands, continuation lines included.
    pub value_span: Span,
    /// The line as written, without the blanks around it.
    pub text: Box<str>,
    /// Where that text stands.
    pub span: Span,
}

impl Ini {
    /// The last value of a key in the sections of that name.
    #[must_use]
    pub fn get(&self, section: &str, key: &str) -> Option<&Line> {
        let sections = self.sections.iter().rev().filter(|candidate| &*candidate.name == section);
        sections.flat_map(|section| section.lines.iter().rev()).find(|line| &*line.key == key)
    }
}

/// Parses `ansible.cfg`: an indented line continues the value above it.
#[must_use]
pub fn parse(text: &str) -> Ini {
    read(text, true)
}

/// Parses an inventory: every line stands for itself.
#[must_use]
pub fn parse_inventory(text: &str) -> Ini {
    read(text, false)
}

fn read(text: &str, continued: bool) -> Ini {
    let mut ini = Ini::default();
    let mut at = 0;
    for raw in text.split_inclusive('\n') {
        let bare = if at == 0 { raw.trim_start_matches('\u{FEFF}') } else { raw };
        let trimmed = bare.trim();
        let start = at + raw.len() - bare.trim_start().len();
        at += raw.len();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        let span = Span::new(start, start + trimmed.len());
        if continued && bare.starts_with([' ', '\t']) && continue_line(&mut ini, trimmed, span) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name) {
            let span = Span::new(start, start + name.len() + 2);
            ini.sections.push(Section { name: name.trim().into(), span, lines: Vec::new() });
            continue;
        }
        if ini.sections.is_empty() {
            ini.sections.push(Section::default());
        }
        if let Some(section) = ini.sections.last_mut() {
            section.lines.push(line(trimmed, span));
        }
    }
    ini
}

fn line(text: &str, span: Span) -> Line {
    let bare = without_comment(text);
    let (key, after) = match bare.find(['=', ':']) {
        Some(at) => (bare[..at].trim_end(), &bare[at + 1..]),
        None => (bare, ""),
    };
    let value = after.trim_start();
    let start = span.start as usize;
    let value_start = start + bare.len() - value.len();
    Line {
        key: key.into(),
        key_span: Span::new(start, start + key.len()),
        value: value.into(),
        value_span: Span::new(value_start, value_start + value.len()),
        text: text.into(),
        span,
    }
}

fn continue_line(ini: &mut Ini, text: &str, span: Span) -> bool {
    let Some(line) = ini.sections.last_mut().and_then(|section| section.lines.last_mut()) else {
        return false;
    };
    let text = without_comment(text);
    let value = if line.value.is_empty() { text.into() } else { [&*line.value, "\n", text].concat().into() };
    let first = if line.value.is_empty() { span.start } else { line.value_span.start };
    line.value = value;
    line.value_span = Span { start: first, end: span.start + Span::new(text.len(), 0).start };
    true
}

/// Cuts off a comment that follows a blank.
fn without_comment(text: &str) -> &str {
    let marks = text.match_indices(['#', ';']).map(|(at, _)| at);
    let comment = { marks }.find(|at| text[..*at].ends_with([' ', '\t']));
    comment.map_or(text, |at| text[..at].trim_end())
}

/// Splits a host line of an inventory: the host pattern, then each `key=value` with its quotes resolved and where the pair
/// stands in `text`. A word without `=` has an empty value.
#[must_use]
pub fn host_line(text: &str) -> (String, Vec<(String, String, Span)>) {
    let mut words = Words { text, at: 0 };
    let name = words.next().map_or_else(String::new, |(word, _)| word);
    let pairs = words.map(|(word, span)| match word.split_once('=') {
        Some((key, value)) => (key.to_owned(), value.to_owned(), span),
        None => (word, String::new(), span),
    });
    (name, pairs.collect())
}

/// The words of a line as a shell splits them, up to a comment.
struct Words<'t> {
    text: &'t str,
    at: usize,
}

impl Iterator for Words<'_> {
    type Item = (String, Span);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..)?;
        let start = self.at + rest.len() - rest.trim_start().len();
        let mut word = String::new();
        let mut quote = None;
        let mut chars = self.text.get(start..)?.char_indices();
        let mut end = self.text.len();
        while let Some((at, c)) = chars.next() {
            match (quote, c) {
                (None, '#') if at == 0 => {
                    self.at = self.text.len();
                    return None;
                }
                (None, c) if c.is_whitespace() => {
                    end = start + at;
                    break;
                }
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                (None | Some('"'), '\\') => match chars.next() {
                    Some((_, next)) if quote.is_none() || matches!(next, '"' | '\\') => word.push(next),
                    Some((_, next)) => word.extend(['\\', next]),
                    None => word.push('\\'),
                },
                (_, c) => word.push(c),
            }
        }
        self.at = end;
        (start < end).then_some((word, Span::new(start, end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration() {
        let source = "\u{FEFF}top = 1\n# note\n[defaults]\r\ninventory = hosts ; the hosts\r\nroles_path: a:b # two\nssh_args =\n  -o A=b\n  -o C ; x\n\n[ssh_connection]\nempty\nhash = a#b\n";
        let ini = parse(source);
        let names: Vec<_> = ini.sections.iter().map(|section| &*section.name).collect();
        assert_eq!(names, ["", "defaults", "ssh_connection"]);
        assert_eq!(ini.sections[1].span.slice(source), "[defaults]");
        let inventory = ini.get("defaults", "inventory").unwrap();
        assert_eq!((&*inventory.value, inventory.value_span.slice(source)), ("hosts", "hosts"));
        assert_eq!(inventory.key_span.slice(source), "inventory");
        assert_eq!(inventory.span.slice(source), "inventory = hosts ; the hosts");
        assert_eq!(&*ini.get("defaults", "roles_path").unwrap().value, "a:b");
        let args = ini.get("defaults", "ssh_args").unwrap();
        assert_eq!((&*args.value, args.value_span.slice(source)), ("-o A=b\n-o C", "-o A=b\n  -o C"));
        assert_eq!(&*ini.get("ssh_connection", "hash").unwrap().value, "a#b");
        assert_eq!(ini.get("", "top").unwrap().key_span.slice(source), "top");
    }

    #[test]
    fn inventory() {
        let source = "lone\n[web]\na ansible_host=10.0.0.1 opts='-o \"X y\"' note=\"a \\\"b\\\"\" # why\n  b-[1:3].example.org:22\n[web:vars]\nx = y\n";
        let ini = parse_inventory(source);
        let web = &ini.sections[1];
        assert_eq!(web.lines.len(), 2);
        let (name, pairs) = host_line(&web.lines[0].text);
        assert_eq!(name, "a");
        let values: Vec<_> = pairs.iter().map(|(key, value, _)| (key.as_str(), value.as_str())).collect();
        assert_eq!(values, [("ansible_host", "10.0.0.1"), ("opts", "-o \"X y\""), ("note", "a \"b\"")]);
        assert_eq!(pairs[1].2.slice(&web.lines[0].text), "opts='-o \"X y\"'");
        assert_eq!(host_line(&web.lines[1].text).0, "b-[1:3].example.org:22");
        assert_eq!(&*ini.sections[2].lines[0].value, "y");
        assert_eq!(host_line("").0, "");
        assert_eq!(host_line("h a='open").1[0].1, "open");
    }
}
