//! Filters of strings.

use super::super::ops::{float, number, pieces, plain, whole};
use super::super::val::{MAX_TEXT, Res, V, Val};
use super::{Args, Row, not_so, string, within};
use crate::value::{Piece, Reason};
use std::sync::Arc;

pub(super) const FILTERS: &[Row] = &[
    ("string", &[], |of, _| text(of)),
    ("lower", &[], |of, _| cased(of, false)),
    ("upper", &[], |of, _| cased(of, true)),
    ("capitalize", &[], |of, _| Ok(capitalized(&plain(of)?).into())),
    ("title", &[], |of, _| Ok(title(&plain(of)?).into())),
    ("trim", &["chars"], trim),
    ("replace", &["old", "new", "count"], replace),
    ("split", &["sep", "maxsplit"], split),
    ("indent", &["width", "first", "blank"], indent),
    ("truncate", &["length", "killwords", "end", "leeway"], truncate),
    ("wordcount", &[], |of, _| {
        Ok(super::lists::number(
            plain(of)?.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).count(),
        ))
    }),
    ("center", &["width"], |of, args| {
        let width = args.int("width")?.unwrap_or(80);
        Ok(centred(&plain(of)?, usize::try_from(width).unwrap_or(0).min(4096)).into())
    }),
    ("format", &["*", "**"], format),
    ("quote", &[], |of, _| quote(of)),
    (
        "comment",
        &["style", "decoration", "prefix", "prefix_count", "postfix", "postfix_count", "beginning", "end", "newline"],
        comment,
    ),
    ("escape", &[], |of, _| escape(of)),
    ("e", &[], |of, _| escape(of)),
    ("forceescape", &[], |of, _| escape(of)),
    ("safe", &[], |of, _| text(of)),
];

fn text(of: &Val) -> Res {
    match &of.v {
        V::Str(_) | V::Text(_) => Ok(of.clone()),
        _ => Ok(V::Str(plain(of)?).into()),
    }
}

/// In capitals or in small letters; what is not known stays not known.
pub(in super::super) fn cased(of: &Val, upper: bool) -> Res {
    let change = |text: &str| if upper { text.to_uppercase() } else { text.to_lowercase() };
    match &of.v {
        V::Text(pieces) => Ok(Val::text(
            pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Lit(text) => Piece::Lit(change(text).into()),
                    hole @ Piece::Hole(_) => hole.clone(),
                })
                .collect(),
        )),
        _ => Ok(change(&plain(of)?).into()),
    }
}

pub(in super::super) fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + &chars.as_str().to_lowercase())
        .unwrap_or_default()
}

/// Each word with a capital; Jinja's words begin after a blank, a hyphen or an opening bracket.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut start = true;
    for c in text.chars() {
        if start {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        start = c.is_whitespace() || matches!(c, '-' | '(' | '{' | '[' | '<');
    }
    out
}

fn trim(of: &Val, args: &Args<'_>) -> Res {
    let chars = args.text("chars")?;
    let strip = |c: char| chars.as_ref().map_or(c.is_whitespace(), |chars| chars.contains(c));
    match &of.v {
        V::Text(pieces) => {
            let last = pieces.len().saturating_sub(1);
            let trimmed = pieces.iter().enumerate().map(|(at, piece)| match piece {
                Piece::Lit(text) => {
                    let text = if at == 0 { text.trim_start_matches(strip) } else { text };
                    Piece::Lit(if at == last { text.trim_end_matches(strip) } else { text }.into())
                }
                hole @ Piece::Hole(_) => hole.clone(),
            });
            Ok(Val::text(trimmed.collect()))
        }
        _ => Ok(plain(of)?.trim_matches(strip).into()),
    }
}

fn replace(of: &Val, args: &Args<'_>) -> Res {
    let (text, old, new) = (plain(of)?, plain(args.need("old")?)?, plain(args.need("new")?)?);
    let count = match args.int("count")? {
        Some(count) if count >= 0 => usize::try_from(count).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let matches = text.matches(&*old).take(count).count();
    if matches.saturating_mul(new.len()) > MAX_TEXT {
        return Err("the text grows too long".into());
    }
    within(text.replacen(&*old, &new, matches))
}

fn split(of: &Val, args: &Args<'_>) -> Res {
    let separator = args.get("sep").cloned().into_iter();
    let most = args.get("maxsplit").cloned().into_iter();
    super::super::methods::call(&V::Str(string(of)?).into(), "split", &separator.chain(most).collect::<Vec<_>>(), &[])
}

fn indent(of: &Val, args: &Args<'_>) -> Res {
    let text = string(of)?;
    let width = match args.get("width").map(|width| &width.v) {
        Some(V::Str(text)) => text.to_string(),
        Some(_) => " ".repeat(usize::try_from(args.int("width")?.unwrap_or(4)).unwrap_or(0).min(1024)),
        None => " ".repeat(4),
    };
    let (first, blank) = (args.flag("first", false)?, args.flag("blank", false)?);
    let mut out = String::with_capacity(text.len() * 2);
    // Jinja adds a line break and cuts it off again, so the last line may be empty.
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if (at > 0 || first) && (blank || !line.is_empty()) {
            out.push_str(&width);
        }
        out.push_str(line);
        if out.len() > MAX_TEXT {
            return Err("the text grows too long".into());
        }
    }
    Ok(out.into())
}

fn truncate(of: &Val, args: &Args<'_>) -> Res {
    let text = string(of)?;
    let length = usize::try_from(args.int("length")?.unwrap_or(255)).unwrap_or(0);
    let leeway = usize::try_from(args.int("leeway")?.unwrap_or(5)).unwrap_or(0);
    let end = args.text("end")?.unwrap_or_else(|| "...".into());
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= length + leeway {
        return Ok(V::Str(text).into());
    }
    let kept: String = chars[..length.saturating_sub(end.chars().count()).min(chars.len())].iter().collect();
    let kept = if args.flag("killwords", false)? {
        &*kept
    } else {
        kept.rsplit_once(' ').map_or(&*kept, |(before, _)| before)
    };
    Ok(format!("{kept}{end}").into())
}

pub(in super::super) fn centred(text: &str, width: usize) -> String {
    let length = text.chars().count();
    let missing = width.saturating_sub(length);
    // As Python does it: the odd blank goes left where the width is odd.
    let left = missing / 2 + (missing & width & 1);
    format!("{}{text}{}", " ".repeat(left), " ".repeat(missing - left))
}

/// A word for a shell.
fn quote(of: &Val) -> Res {
    let text = if let V::Null = of.v { "".into() } else { plain(of)? };
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return Ok(V::Str(text).into());
    }
    within(format!("'{}'", text.replace('\'', "'\"'\"'")))
}

fn escape(of: &Val) -> Res {
    let text = plain(of)?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    within(out)
}

fn comment(of: &Val, args: &Args<'_>) -> Res {
    let text = string(of)?;
    let style = args.text("style")?.unwrap_or_else(|| "plain".into());
    let (beginning, decoration, end) = match &*style {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        _ => return Err(format!("`{style}` is no style of comment").into()),
    };
    let or = |name: &str, default: &str| Ok::<_, Reason>(args.text(name)?.unwrap_or_else(|| default.into()));
    let decoration = or("decoration", decoration)?;
    let edge = decoration.trim_end();
    let (beginning, end, newline) = (or("beginning", beginning)?, or("end", end)?, or("newline", "\n")?);
    let (prefix, postfix) = (or("prefix", edge)?, or("postfix", edge)?);
    let times = |name: &str| Ok::<_, Reason>(usize::try_from(args.int(name)?.unwrap_or(1)).unwrap_or(0).min(64));
    let mut out = String::new();
    if !beginning.is_empty() {
        out.extend([&*beginning, &*newline]);
    }
    if !prefix.is_empty() {
        out += &if prefix == newline { newline.to_string() } else { format!("{prefix}{newline}") }
            .repeat(times("prefix_count")?);
    }
    let lines = format!("{decoration}{}", text.replace(&*newline, &format!("{newline}{decoration}")));
    out += &lines.replace(&format!("{decoration}{newline}"), &format!("{}{newline}", decoration.trim_end()));
    out += &format!("{newline}{postfix}").repeat(times("postfix_count")?);
    if !end.is_empty() {
        out.extend([&*newline, &*end]);
    }
    within(out)
}

fn format(of: &Val, args: &Args<'_>) -> Res {
    let named: Vec<(&str, &Val)> = args.bound.clone();
    if !named.is_empty() && !args.rest.is_empty() {
        return Err(not_so("format"));
    }
    printf(&string(of)?, &args.rest, &named)
}

/// `format % value`
pub(in super::super) fn percent(of: &Val, value: &Val) -> Res {
    let format = string(of)?;
    match &value.v {
        V::List(list) if list.tuple => printf(&format, &list.items.iter().collect::<Vec<_>>(), &[]),
        V::Map(map) if format.contains("%(") => {
            let named: Vec<(Arc<str>, &Val)> =
                map.entries.iter().map(|(key, value)| Ok((plain(key)?, value))).collect::<Res<_>>()?;
            let named: Vec<(&str, &Val)> = named.iter().map(|(name, value)| (&**name, *value)).collect();
            printf(&format, &[], &named)
        }
        _ => printf(&format, &[value], &[]),
    }
}

/// Python's `%`: what is not known leaves a hole where it goes.
fn printf(format: &str, args: &[&Val], named: &[(&str, &Val)]) -> Res {
    let mut out: Vec<Piece> = Vec::new();
    let mut args = args.iter();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push(Piece::Lit(rest[..at].into()));
        rest = &rest[at + 1..];
        let mut own = None;
        if let Some(inside) = rest.strip_prefix('(') {
            let (name, after) = inside.split_once(')').ok_or("a bracket is not closed in the format")?;
            own =
                Some(named.iter().find(|(own, _)| *own == name).ok_or("the format names a value that is not given")?.1);
            rest = after;
        }
        let end = rest.find(|c: char| c.is_ascii_alphabetic() || c == '%').ok_or("the format ends too early")?;
        let (spec, conversion) = (&rest[..end], rest.as_bytes()[end]);
        rest = &rest[end + 1..];
        if conversion == b'%' {
            out.push(Piece::Lit("%".into()));
            continue;
        }
        let value = match own {
            Some(value) => value,
            None => args.next().ok_or("there are not enough values for the format")?,
        };
        match (&value.v, spec) {
            (V::Text(_) | V::Unknown(_) | V::Undefined(_), "") => out.extend(pieces(value)),
            _ => out.push(Piece::Lit(conversion_of(value, spec, conversion)?.into())),
        }
    }
    if args.next().is_some() {
        return Err("there are more values than the format takes".into());
    }
    out.push(Piece::Lit(rest.into()));
    Ok(Val::text(out))
}

fn conversion_of(value: &Val, spec: &str, conversion: u8) -> Res<String> {
    let flags = spec.trim_start_matches(['-', '+', ' ', '0', '#']);
    let (flags, sizes) = spec.split_at(spec.len() - flags.len());
    let (width, precision) = sizes.split_once('.').map_or((sizes, None), |(width, precision)| (width, Some(precision)));
    let size = |text: &str| {
        if text.is_empty() {
            Ok(0)
        } else {
            text.parse::<usize>().ok().filter(|size| *size <= 4096).ok_or("the format is not understood")
        }
    };
    let (width, precision) = (size(width)?, precision.map(size).transpose()?);
    let integer = || match number(value) {
        #[expect(clippy::cast_possible_truncation, reason = "as Python cuts it")]
        Some(number) => Ok(whole(value).unwrap_or(number.trunc() as i64)),
        None => Err(value.not("number")),
    };
    let mut text = match conversion {
        b's' => {
            let text = plain(value)?;
            precision.map_or_else(|| text.to_string(), |most| text.chars().take(most).collect())
        }
        b'd' | b'i' => integer()?.to_string(),
        b'x' => format!("{}{:x}", if flags.contains('#') { "0x" } else { "" }, integer()?),
        b'X' => format!("{:X}", integer()?),
        b'o' => format!("{:o}", integer()?),
        b'f' => format!("{:.*}", precision.unwrap_or(6), number(value).ok_or_else(|| value.not("number"))?),
        _ => return Err("the format is not evaluated".into()),
    };
    let numeric = conversion != b's';
    if numeric && !text.starts_with('-') && flags.contains(['+', ' ']) {
        text.insert(0, if flags.contains('+') { '+' } else { ' ' });
    }
    let missing = width.saturating_sub(text.chars().count());
    Ok(if flags.contains('-') {
        format!("{text}{}", " ".repeat(missing))
    } else if numeric && flags.contains('0') {
        let digits = text.trim_start_matches(['+', '-', ' ']);
        format!("{}{}{digits}", &text[..text.len() - digits.len()], "0".repeat(missing))
    } else {
        format!("{}{text}", " ".repeat(missing))
    })
}

/// Python's `str.format()` with plain fields.
pub(in super::super) fn braces(format: &str, args: &[Val], kwargs: &[(Box<str>, Val)]) -> Res {
    let mut out: Vec<Piece> = Vec::new();
    let (mut rest, mut next) = (format, 0_usize);
    while let Some(at) = rest.find(['{', '}']) {
        out.push(Piece::Lit(rest[..at].into()));
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push(Piece::Lit(brace.into()));
            rest = after;
            continue;
        }
        let (field, after) =
            rest.split_once('}').filter(|_| brace == "{").ok_or("a brace of the format is not closed")?;
        rest = after;
        let (field, spec) = field.split_once(':').unwrap_or((field, ""));
        let value = if field.is_empty() {
            next += 1;
            args.get(next - 1)
        } else if let Ok(at) = field.parse::<usize>() {
            args.get(at)
        } else {
            kwargs.iter().find(|(name, _)| **name == *field).map(|(_, value)| value)
        };
        let value = value.ok_or("the format names a value that is not given")?;
        match (&value.v, spec) {
            (_, "") => out.extend(pieces(value)),
            _ => out.push(Piece::Lit(field_of(value, spec)?.into())),
        }
    }
    out.push(Piece::Lit(rest.into()));
    Ok(Val::text(out))
}

/// A field with a format: numbers padded or with digits, texts padded.
fn field_of(value: &Val, spec: &str) -> Res<String> {
    let refused = || Reason::from("the format is not evaluated");
    if let (Some(digits), Some(number)) =
        (spec.strip_prefix('.').and_then(|spec| spec.strip_suffix('f')), number(value))
    {
        return Ok(format!(
            "{number:.*}",
            digits.parse::<usize>().ok().filter(|digits| *digits < 64).ok_or_else(refused)?
        ));
    }
    let (align, width) = match spec.chars().next() {
        Some(align @ ('<' | '>' | '^')) => (Some(align), &spec[1..]),
        _ => (None, spec),
    };
    let (zeros, width) = (width.starts_with('0') && align.is_none(), width.trim_end_matches(['d', 's']));
    let width: usize = width.parse().ok().filter(|width| *width <= 4096).ok_or_else(refused)?;
    let text = match &value.v {
        V::Str(text) if !zeros => text.to_string(),
        V::Int(number) => number.to_string(),
        V::Float(number) => float(*number),
        _ => return Err(refused()),
    };
    let missing = width.saturating_sub(text.chars().count());
    let align = align.unwrap_or(if matches!(value.v, V::Str(_)) { '<' } else { '>' });
    let (left, right) = match align {
        '<' => (0, missing),
        '>' => (missing, 0),
        _ => (missing / 2, missing - missing / 2),
    };
    if zeros && text.starts_with('-') {
        return Err(refused());
    }
    Ok(format!("{}{text}{}", if zeros { "0" } else { " " }.repeat(left), " ".repeat(right)))
}
