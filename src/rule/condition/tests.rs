use super::*;
use crate::rule::subject::tests::{Host, StorageRow, args, host};
use crate::value::{Kind, Piece};

fn scope() -> Scope {
    let options = vec![("allow-local".to_owned(), Type::Bool), ("names".to_owned(), Type::List(&Ty::Str))];
    Scope::new(StorageRow::schema(), options, true)
}

fn options() -> Vec<Value> {
    vec![Value::known(true), Value::list(vec![Value::known("x"), Value::known("db-1")])]
}

fn test_on(host: &Host, text: &str) -> Tri {
    let condition = Condition::compile(text, &mut scope()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let row = StorageRow { host: Some(host), kind: "bind", holds_data: Tri::Unknown("why".into()), args: args() };
    let options = options();
    condition.test(&mut Env::new(&row, &options))
}

fn test(text: &str) -> Tri {
    test_on(&host(), text)
}

fn error(text: &str) -> (String, String) {
    let error = Condition::compile(text, &mut scope()).expect_err(text);
    (error.span.slice(text).to_owned(), error.message)
}

#[test]
fn what_is_known_decides() {
    let holding = [
        "storage.kind == 'bind'",
        "storage.kind in ['root', \"bind\"] && storage.type >= 7 && storage.type > -1",
        "storage.host.protected",
        "!(storage.kind != 'bind')",
        "storage.args.size == 8 && storage.args['path'].startsWith('/var') && storage.args.size < 9",
        "storage.args[\"my-tags\"].owner == 'dba' && 'owner' in storage.args['my-tags']",
        "storage.args.path.matches(r'^/var/.*x$') && storage.args.path.endsWith('/x')",
        "'a' in storage.args.list && storage.args.list.contains('b') && storage.args.list[1] == 'b'",
        "storage.args.list.all(x, x in ['a', 'b']) && storage.args.list.exists(x, x == 'b')",
        "storage.host.storage.exists(s, s.kind == 'root' && s.holds_data && s.host == storage.host)",
        "size(storage.args.list) == 2 && size(storage.host.name) == 4 && 2 <= size(storage.host.mounts)",
        "option.allow_local && option['allow-local'] && storage.host.name in option.names",
        "storage.args.flag && has(storage.host) && storage.host != null && has(storage.declaration)",
        "storage.host.mounts.contains('root') && 'bind' in storage.host.mounts",
        "storage.host.name.startsWith(storage.host.name)",
        "true && !false && (true || storage.holds_data)",
    ];
    for text in holding {
        assert_eq!(test(text), Tri::True, "{text}");
    }
}

#[test]
fn what_is_absent_fails_every_test_but_unequal() {
    for path in ["storage.args.missing", "storage.args.none", "storage.args.path.below", "storage.args.list[7]"] {
        for failing in ["has(P)", "P == 'x'", "P", "P < 3", "P in ['x']", "P.startsWith('')", "P.exists(x, true)"] {
            assert_eq!(test(&failing.replace('P', path)), Tri::False, "{failing} {path}");
        }
        for holding in ["P != 'x'", "P == null", "!(P != null)", "!P"] {
            assert_eq!(test(&holding.replace('P', path)), Tri::True, "{holding} {path}");
        }
    }
    let row = StorageRow { host: None, kind: "bind", holds_data: Tri::True, args: Value::default() };
    let lost = Condition::compile("storage.host.protected || storage.host.name == 'x'", &mut scope());
    assert_eq!(lost.unwrap().test(&mut Env::new(&row, &[])), Tri::False);
}

#[test]
fn kleene_table() {
    for (text, expected) in [
        ("U && false", Some(false)),
        ("false && U", Some(false)),
        ("U && true", None),
        ("U || true", Some(true)),
        ("true || U", Some(true)),
        ("U || false", None),
        ("!U", None),
        ("U && U || true", Some(true)),
        ("storage.args.what == 1", None),
        ("storage.args.what != 1", None),
        ("storage.args.what in [1, 2]", None),
        ("has(storage.args.what)", None),
        ("storage.args.what.below > 3", None),
        ("storage.args.what.matches('x')", None),
        ("storage.args.size == storage.args.what", None),
    ] {
        let result = test(&text.replace('U', "storage.holds_data"));
        let decided = match result {
            Tri::Unknown(ref reason) => {
                assert!(["why", "var.what has no default"].contains(&&**reason), "{reason}");
                None
            }
            ref known => Some(known.is_true()),
        };
        assert_eq!(decided, expected, "{text}");
    }
}

#[test]
fn open_lists_may_hold_more() {
    let open = "storage.args.open";
    for (text, expected) in [
        ("O.exists(x, x == 'a')", Some(true)),
        ("O.exists(x, x == 'b')", None),
        ("O.all(x, x == 'a')", None),
        ("O.all(x, x == 'b')", Some(false)),
        ("'a' in O", Some(true)),
        ("'b' in O", None),
        ("O.contains('b')", None),
        ("O[0] == 'a'", Some(true)),
        ("O[1] == 'a'", None),
        ("size(O) > 0", Some(true)),
        ("size(O) == 0", Some(false)),
        ("1 <= size(O)", Some(true)),
        ("size(O) > 1", None),
        ("size(O) < 1", Some(false)),
    ] {
        let result = test(&text.replace('O', open));
        let decided = (!matches!(result, Tri::Unknown(_))).then(|| result.is_true());
        assert_eq!(decided, expected, "{text}");
    }
    let growing = Host { open: Some("a loop".into()), mounts: vec![], ..host() };
    assert_eq!(test_on(&growing, "has(storage.host.mounts)"), Tri::Unknown("a loop".into()));
    assert_eq!(test_on(&growing, "storage.host.mounts.all(m, m == 'x')"), Tri::Unknown("a loop".into()));
    assert_eq!(test_on(&growing, "storage.host.storage.all(m, false)"), Tri::True);
}

#[test]
fn partly_known_text_decides_what_it_can() {
    let pieces: Vec<Piece> = vec![Piece::Lit("postgres:".into()), Piece::Hole("no tag".into())];
    let args = Value::map(vec![
        ("image".into(), Value::text(pieces)),
        ("one".into(), Value { kind: Kind::OneOf(vec![Data::from("a"), Data::from("b")].into()), ..Value::default() }),
    ]);
    let row = StorageRow { host: None, kind: "bind", holds_data: Tri::True, args };
    let test = |text: &str| Condition::compile(text, &mut scope()).unwrap().test(&mut Env::new(&row, &[]));
    assert_eq!(test("storage.args.image.startsWith('postgres:')"), Tri::True);
    assert_eq!(test("storage.args.image == 'mysql:8'"), Tri::False);
    assert_eq!(test("storage.args.image.endsWith('16')"), Tri::Unknown("no tag".into()));
    assert!(matches!(test("storage.args.one == 'a'"), Tri::Unknown(_)));
    assert_eq!(test("storage.args.one in ['c']"), Tri::False);
}

#[test]
fn errors_name_their_place() {
    for (text, span, message) in [
        ("storage.hold_data", "hold_data", "no field `hold_data` on storage; did you mean `holds_data`?"),
        ("storag.kind == 'bind'", "storag", "nothing is called `storag` here; did you mean `storage`?"),
        ("storage.kind == 'bound'", "'bound'", "it is never \"bound\"; did you mean `bind`?"),
        ("storage.kind in ['bind', 'roof']", "'roof'", "it is never \"roof\"; did you mean `root`?"),
        (
            "storage.type == 'x'",
            "storage.type == 'x'",
            "`storage.type` is a number and `'x'` is a string: they are never equal",
        ),
        ("storage.kind", "storage.kind", "`storage.kind` is one of root, bind, owned-volume, not a truth value"),
        ("storage.host", "storage.host", "`storage.host` is a row of host, not a truth value; did you mean `has(…)`?"),
        (
            "storage.host.storage.kind == 'root'",
            "kind",
            "`storage.host.storage` is a list; write `storage.host.storage.exists(x, …)` or `storage.host.storage.all(x, …)`",
        ),
        (
            "storage.kind < 3",
            "storage.kind",
            "`storage.kind` is one of root, bind, owned-volume; only numbers have an order",
        ),
        ("storage.kind = 'root'", "=", "`=` tests nothing; write `==`"),
        ("storage.kind.startWith('x')", "startWith", "no function `startWith`; did you mean `startsWith`?"),
        ("storage.kind.matches('(')", "'('", "bad pattern: unclosed group"),
        (
            "storage.kind.matches('\\.x')",
            "\\.",
            "no such escape; write `\\\\` for a backslash, or the string as r\"…\"",
        ),
        ("option.alow_local", "alow_local", "the card has no option `alow_local`; did you mean `allow-local`?"),
        ("storage.holds_data &&", "", "expected a value, found the end"),
        ("storage.holds_data true", "true", "expected an operator or the end, found `true`"),
        ("(storage.holds_data", "", "expected `)`, found the end"),
        ("storage.kind == 'x", "'x", "the string is not closed"),
        ("storage.args.list.exists(storage, true)", "storage", "`storage` already has a meaning here"),
        ("storage.args.list.exists(x, x.y == 1) && x", "x", "nothing is called `x` here; there are storage"),
        (
            "storage.type in storage.host.mounts",
            "storage.type in storage.host.mounts",
            "`storage.type` is a number and `storage.host.mounts` is a string: they are never equal",
        ),
        ("'x'", "'x'", "this is no condition"),
        ("1 + 1", "+", "there is no arithmetic here"),
        ("storage.args.size == size(storage.type)", "storage.type", "`storage.type` is a number and has no size"),
        ("", "", "expected a value, found the end"),
        ("storage.kind == #", "#", "`#` has no meaning here"),
    ] {
        assert_eq!(error(text), (span.to_owned(), message.to_owned()), "{text}");
    }
}

#[test]
fn size_and_depth_are_bounded() {
    assert!(error(&"true || ".repeat(600)).1.contains("longer than"));
    assert!(error(&"(".repeat(2000)).1.contains("nested too deeply"));
    assert!(error(&"!".repeat(4000)).1.contains("nested too deeply"));
    assert!(error(&format!("storage.args{}", ".a".repeat(1000))).1.contains("too long"));
    assert!(error(&format!("storage.args{}", "[0]".repeat(1000))).1.contains("too long"));
    assert_eq!(test(&format!("{}true", "true && ".repeat(500))), Tri::True);
    let long = Value::list((0..400).map(|n| Value::known(f64::from(n))).collect());
    let row =
        StorageRow { host: None, kind: "bind", holds_data: Tri::True, args: Value::map(vec![("l".into(), long)]) };
    let text = "storage.args.l.all(a, storage.args.l.all(b, storage.args.l.all(c, c != 1000)))";
    let result = Condition::compile(text, &mut scope()).unwrap().test(&mut Env::new(&row, &[]));
    assert!(matches!(result, Tri::Unknown(_)));
}

const WORDS: [&str; 40] = [
    "storage",
    ".",
    ".",
    "kind",
    "host",
    "args",
    "(",
    ")",
    "[",
    "]",
    "==",
    "!=",
    "<",
    ">=",
    "in",
    "&&",
    "||",
    "!",
    "'a'",
    "\"b\"",
    "r'\\d'",
    "7",
    "-",
    "true",
    "null",
    ",",
    "has(",
    "size(",
    ".exists(x, ",
    ".all(y, ",
    "x",
    "y",
    ".matches('",
    "option",
    "names",
    "ä",
    "'",
    "\\",
    "holds_data",
    " ",
];

#[test]
fn token_soup_never_panics() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut compiled = 0;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..state % 23 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(WORDS[usize::try_from(state % 40).unwrap()]);
            if state & 1024 == 0 {
                text.push(' ');
            }
        }
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        match Condition::compile(&text, &mut scope()) {
            Ok(_) => {
                compiled += 1;
                let _ = test(&text);
            }
            Err(error) => assert!(text.get(error.span.range()).is_some(), "{text}"),
        }
    }
    assert!(compiled > 0);
}
