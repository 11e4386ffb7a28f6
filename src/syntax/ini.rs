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
        let name = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name);
        // In an inventory a line such as `[2001:db8::1]:22` is a host.
        if let Some(name) = name.filter(|_| continued || header(trimmed).is_some()) {
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

/// Splits a host line of an inventory as Ansible does, by the rules of a POSIX shell: words with their quotes resolved and where
/// each stands in `text`. A `#` outside quotes begins a comment, in the middle of a word too.
///
/// # Errors
/// When a quote is not closed, or a backslash ends the line.
pub fn words(text: &str) -> Result<Vec<(String, Span)>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<(String, usize)> = None;
    let mut quote = None;
    let mut chars = text.char_indices();
    let mut end = text.len();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (None, '#') => {
                end = at;
                break;
            }
            (None, ' ' | '\t' | '\r' | '\n') => {
                words.extend(word.take().map(|(word, start)| (word, Span::new(start, at))));
                continue;
            }
            _ => {}
        }
        let (word, _) = word.get_or_insert_with(|| (String::new(), at));
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None | Some('"'), '\\') => match chars.next() {
                Some((_, next)) if quote.is_none() || matches!(next, '"' | '\\') => word.push(next),
                Some((_, next)) => word.extend(['\\', next]),
                None => return Err("a backslash ends the line"),
            },
            (_, c) => word.push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed");
    }
    words.extend(word.map(|(word, start)| (word, Span::new(start, end))));
    Ok(words)
}

/// The name and the kind of an inventory's section header: `[web:vars]` → `web`, `vars`.
#[must_use]
pub fn header(line: &str) -> Option<(&str, Option<&str>)> {
    let (inner, after) = line.strip_prefix('[')?.split_once(']')?;
    let after = after.trim_start();
    let (name, kind) = match inner.split_once(':') {
        Some((name, kind)) => (name, Some(kind)),
        None => (inner, None),
    };
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let fits = !name.is_empty() && !name.contains(char::is_whitespace) && kind.is_none_or(word);
    (fits && (after.is_empty() || after.starts_with('#'))).then_some((name, kind))
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
        let line = &web.lines[0].text;
        let read: Vec<_> = words(line).unwrap();
        let texts: Vec<_> = read.iter().map(|(word, _)| word.as_str()).collect();
        assert_eq!(texts, ["a", "ansible_host=10.0.0.1", "opts=-o \"X y\"", "note=a \"b\""]);
        assert_eq!(read[2].1.slice(line), "opts='-o \"X y\"'");
        assert_eq!(&*ini.sections[2].lines[0].value, "y");
        assert_eq!(words("").unwrap(), []);
        assert!(words("h a='open").is_err() && words("h a=b\\").is_err());
        assert_eq!(words("h a=b#c").unwrap()[1].0, "a=b");
        assert_eq!(header("[web:children]  # all"), Some(("web", Some("children"))));
        assert_eq!((header("[2001:db8::1]:22"), header("[a b]")), (None, None));
    }
}
