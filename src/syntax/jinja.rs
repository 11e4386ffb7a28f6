//! Jinja templates and expressions with spans.

mod convert;
mod scan;
mod statement;

pub use statement::{Block, Branch, Loop, Target, blocks};

use crate::text::Span;

/// Bytes of one expression that are read.
const MAX_EXPRESSION: usize = 16 * 1024;
/// Words and signs of one expression that are read: each may be a level of the tree.
const MAX_TOKENS: usize = 1500;

/// A parsed template. All spans are offsets in the text that was parsed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    /// Its parts in order, whitespace control applied: what no piece covers does not come out.
    pub pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Text that comes out as it is.
    Lit(Span),
    /// `{{ … }}`, the span with its braces.
    Output(Expr, Span),
    /// `{% … %}`, the span with its braces; [`inner`] gives what it says.
    Statement(Span),
    /// `{# … #}`
    Comment(Span),
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A literal.
    Const(Literal),
    /// A variable or function.
    Name(Box<str>),
    /// `a.b`
    Attr(Box<Expr>, Box<str>),
    /// `a[b]`, `a.0`
    Item(Box<Expr>, Box<Expr>),
    /// `a | name(args)`
    Filter {
        /// What is filtered.
        of: Box<Expr>,
        /// `default`, `ansible.builtin.to_json`
        name: Box<str>,
        /// What it is called with.
        args: Vec<Expr>,
        /// What it is called with by name.
        kwargs: Vec<(Box<str>, Expr)>,
    },
    /// `a is name(args)`, `a is not name`
    Test {
        /// Whether it is denied, by `is not` or by `not` before it.
        negated: bool,
        /// What is tested.
        of: Box<Expr>,
        /// `defined`, `version`
        name: Box<str>,
        /// What it is called with.
        args: Vec<Expr>,
        /// What it is called with by name.
        kwargs: Vec<(Box<str>, Expr)>,
    },
    /// `f(args)`, `a.f(args)`
    Call {
        /// What is called: a name or an attribute.
        callee: Box<Expr>,
        /// What it is called with.
        args: Vec<Expr>,
        /// What it is called with by name.
        kwargs: Vec<(Box<str>, Expr)>,
    },
    /// `a == b`
    Binary(BinaryOp, Box<[Expr; 2]>),
    /// `not a`
    Not(Box<Expr>),
    /// `-a`
    Neg(Box<Expr>),
    /// `then if test else otherwise`
    Cond {
        /// The condition.
        test: Box<Expr>,
        /// The value when it holds.
        then: Box<Expr>,
        /// The value when it does not; undefined when left out.
        otherwise: Option<Box<Expr>>,
    },
    /// `[a, b]`
    List(Vec<Expr>),
    /// `(a, b)`
    Tuple(Vec<Expr>),
    /// `{a: b}`
    Map(Vec<(Expr, Expr)>),
    /// `a[b:c:d]`
    Slice(Box<Expr>, Box<[Option<Expr>; 3]>),
    /// Not understood, with the reason.
    Other(Box<str>),
}

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `none`
    Null,
    /// `true`
    Bool(bool),
    /// `8`
    Int(i64),
    /// `8.5`
    Number(f64),
    /// `'text'`, escapes resolved.
    Str(Box<str>),
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BinaryOp {
    Or,
    And,
    Eq,
    NotEq,
    Less,
    LessEq,
    Greater,
    GreaterEq,
    In,
    NotIn,
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Pow,
    /// `~`
    Concat,
}

/// Whether a text holds Jinja at all.
#[must_use]
pub fn contains_template(text: &str) -> bool {
    scan::opening(text, 0).is_some()
}

/// Parses a template that stands in YAML; what is not understood is [`Expr::Other`]. Ansible takes the backslashes of
/// strings in `{{ … }}` as they are, since YAML has escapes of its own.
#[must_use]
pub fn parse(text: &str) -> Template {
    Template { pieces: scan::pieces(text, 0, Style::default()) }
}

/// How a template is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// The line break after a statement or comment goes.
    pub trim_blocks: bool,
    /// What stands between the start of a line and a statement or comment goes.
    pub lstrip_blocks: bool,
    /// Backslashes in strings of `{{ … }}` stand for themselves.
    pub raw: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { trim_blocks: true, lstrip_blocks: false, raw: true }
    }
}

/// Parses a template file. A first line `#jinja2: lstrip_blocks: True` says how it is read, and does not come out; what it
/// says that is not understood is given with the template.
#[must_use]
pub fn parse_file(text: &str, mut style: Style) -> (Template, Option<String>) {
    style.raw = false;
    let Some(rest) = text.strip_prefix(OVERRIDE) else {
        return (Template { pieces: scan::pieces(text, 0, style) }, None);
    };
    let line = rest.split('\n').next().unwrap_or("");
    let start = (OVERRIDE.len() + line.len() + 1).min(text.len());
    let mut odd = None;
    for pair in line.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(':').unwrap_or((pair, ""));
        match (key.trim(), value.trim().trim_matches(['"', '\''])) {
            ("trim_blocks", value) => style.trim_blocks = value.eq_ignore_ascii_case("true"),
            ("lstrip_blocks", value) => style.lstrip_blocks = value.eq_ignore_ascii_case("true"),
            ("newline_sequence" | "keep_trailing_newline", _) => {}
            (key, _) => odd = Some(format!("its first line sets `{key}`")),
        }
    }
    (Template { pieces: scan::pieces(text, start, style) }, odd)
}

/// How a template begins that says how it is read.
const OVERRIDE: &str = "#jinja2:";

/// Parses a bare expression as in `when:`; braces around the whole of it are left out. The error says what is wrong.
pub fn expression(text: &str) -> Result<Expr, String> {
    let trimmed = text.trim();
    let bare = trimmed.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).filter(|bare| !bare.contains("{{"));
    read(bare.unwrap_or(trimmed).trim(), false)
}

/// Parses an expression without braces; `raw` if backslashes in its strings stand for themselves.
fn read(bare: &str, raw: bool) -> Result<Expr, String> {
    if bare.len() > MAX_EXPRESSION || scan::tokens(bare)? > MAX_TOKENS {
        return Err("the expression is too long".into());
    }
    let bare = &*scan::separate(bare);
    // String contents are read from the source, as Python reads them, and must not confuse the parser.
    let masked = scan::mask(bare);
    let parsed = minijinja::machinery::parse_expr(&masked).map_err(|error| match error.detail() {
        Some(detail) => detail.to_owned(),
        None => error.kind().to_string(),
    })?;
    Ok(convert::expr(convert::Source { text: bare, raw }, &parsed, 0))
}

/// The text inside `{{ … }}`, `{% … %}` or `{# … #}` and its offset.
#[must_use]
pub fn inner(text: &str, piece: Span) -> (&str, u32) {
    let whole = piece.slice(text);
    let inside = whole.get(2..whole.len().saturating_sub(2)).unwrap_or("");
    let inside = inside.strip_prefix(['-', '+']).unwrap_or(inside);
    let inside = inside.strip_suffix(['-', '+']).unwrap_or(inside).trim_end();
    let start = inside.trim_start();
    let at = whole.find(start).filter(|_| !start.is_empty()).unwrap_or(0);
    (start, piece.start + Span::new(at, at).start)
}

/// The names an expression takes from outside, each once, in order.
#[must_use]
pub fn names(expr: &Expr) -> Vec<&str> {
    let mut names = Vec::new();
    collect(expr, &mut names);
    names
}

fn collect<'e>(expr: &'e Expr, names: &mut Vec<&'e str>) {
    let mut all = |exprs: &[&'e [Expr]]| exprs.iter().copied().flatten().for_each(|expr| collect(expr, names));
    match expr {
        Expr::Const(_) | Expr::Other(_) => {}
        Expr::Name(name) => {
            if !names.contains(&&**name) {
                names.push(name);
            }
        }
        Expr::Attr(of, _) | Expr::Not(of) | Expr::Neg(of) => collect(of, names),
        Expr::Slice(of, bounds) => {
            collect(of, names);
            bounds.iter().flatten().for_each(|bound| collect(bound, names));
        }
        Expr::Item(of, item) => {
            collect(of, names);
            collect(item, names);
        }
        Expr::Filter { of, args, kwargs, .. }
        | Expr::Test { of, args, kwargs, .. }
        | Expr::Call { callee: of, args, kwargs } => {
            all(&[std::slice::from_ref(of), args]);
            for (_, value) in kwargs {
                collect(value, names);
            }
        }
        Expr::Binary(_, sides) => all(&[&sides[..]]),
        Expr::Cond { test, then, otherwise } => {
            all(&[std::slice::from_ref(test), std::slice::from_ref(then)]);
            if let Some(otherwise) = otherwise {
                collect(otherwise, names);
            }
        }
        Expr::List(items) | Expr::Tuple(items) => all(&[items]),
        Expr::Map(entries) => {
            for (key, value) in entries {
                collect(key, names);
                collect(value, names);
            }
        }
    }
}

impl Template {
    /// The one expression a template consists of, if it holds nothing else: its value keeps its type.
    #[must_use]
    pub fn single(&self) -> Option<&Expr> {
        match self.pieces.as_slice() {
            [Piece::Output(expr, _)] => Some(expr),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let show = |piece: &Piece| match piece {
            Piece::Lit(span) => span.slice(text).to_owned(),
            Piece::Output(Expr::Other(_), span) => format!("?{}", span.slice(text)),
            Piece::Output(_, span) => format!("={}", inner(text, *span).0),
            Piece::Statement(span) => format!("%{}", inner(text, *span).0),
            Piece::Comment(span) => format!("#{}", inner(text, *span).0),
        };
        parse(text).pieces.iter().map(show).collect()
    }

    fn name(name: &str) -> Expr {
        Expr::Name(name.into())
    }

    fn text(text: &str) -> Expr {
        Expr::Const(Literal::Str(text.into()))
    }

    #[test]
    fn templates_fall_into_pieces() {
        assert_eq!(shown("a {{ b }} c"), ["a ", "=b", " c"]);
        assert_eq!(shown("{{ {'a': {'b': 1}} }}{{ '}}' }}"), ["={'a': {'b': 1}}", "='}}'"]);
        assert_eq!(shown("{% if x %}\ny {{- z -}} \n{% endif %}\nw"), ["%if x", "y", "=z", "%endif", "w"]);
        assert_eq!(shown("{# note #}{% raw %}{{ no }}{% endraw %}!"), ["#note", "{{ no }}", "!"]);
        assert_eq!(shown("x {{ 1 + }} y {{ open"), ["x ", "?{{ 1 + }}", " y ", "?{{ open"]);
        assert_eq!(shown("{ a } ${b} é"), ["{ a } ${b} é"]);
        assert!(contains_template("x {% y") && contains_template("{#") && !contains_template("{ {x} }"));
        assert_eq!(parse("{{ x }}").single(), Some(&name("x")));
        assert_eq!(inner("a{%-  set b = 1 +%}", Span::new(1, 19)), ("set b = 1", 6));
    }

    #[test]
    fn expressions_keep_their_shape() {
        let test = |negated| Expr::Test {
            negated,
            of: Box::new(name("x")),
            name: "defined".into(),
            args: vec![],
            kwargs: vec![],
        };
        assert_eq!(expression("x is defined"), Ok(test(false)));
        assert_eq!(expression("{{ x is not defined }}"), Ok(test(true)));
        assert_eq!(expression("not x is not defined"), Ok(test(false)));
        assert_eq!(expression("a not in b"), Ok(Expr::Binary(BinaryOp::NotIn, Box::new([name("a"), name("b")]))));
        let filter = expression(r"x.y[0] | ansible.builtin.regex_replace('^v(\d+)\n', '\\1', multiline=True)").unwrap();
        let Expr::Filter { of, name: filter, args, kwargs } = filter else { panic!() };
        assert_eq!(
            *of,
            Expr::Item(Box::new(Expr::Attr(Box::new(name("x")), "y".into())), Box::new(Expr::Const(Literal::Int(0))))
        );
        assert_eq!((&*filter, args), ("ansible.builtin.regex_replace", vec![text("^v(\\d+)\n"), text("\\1")]));
        assert_eq!(kwargs, [("multiline".into(), Expr::Const(Literal::Bool(true)))]);
        assert_eq!(expression("'a' 'é' \"it's\""), Ok(text("aéit's")));
        assert!(matches!(expression("a < b <= c"), Ok(Expr::Binary(BinaryOp::And, _))));
        assert!(matches!(expression("a if b"), Ok(Expr::Cond { otherwise: None, .. })));
        assert!(matches!(expression("a[1:]"), Ok(Expr::Slice(..))));
        assert!(expression("a b").is_err() && expression("").is_err() && expression("'a").is_err());
    }

    #[test]
    fn names_are_the_roots() {
        let expr = expression("(a.b | d(c, x=e) ~ [f, {'k': g}] if h is in i else j(k)[l]) and not a").unwrap();
        assert_eq!(names(&expr), ["h", "i", "a", "c", "e", "f", "g", "j", "k", "l"]);
    }

    #[test]
    fn size_is_bounded() {
        for bad in
            ["not ".repeat(100_000), "(".repeat(5000), "a~".repeat(700) + "a", "a|b".repeat(8000), "- ".repeat(1400)]
        {
            _ = expression(&bad);
            _ = parse(&format!("{{{{ {bad} }}}} {{{{ {bad}"));
        }
        let deep = expression(&("a~".repeat(700) + "a")).unwrap();
        assert_eq!(names(&deep), ["a"]);
        assert_eq!(parse(&"{{(}}".repeat(20_000)).pieces.len(), 20_000);
    }
}
