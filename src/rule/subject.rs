//! How facts are seen by conditions: typed tables ([`Schema`]), their rows ([`Subject`]) and cells ([`Fact`]).

use crate::text::{HOLE, Loc};
use crate::value::{Piece, Reason, Tri, Value};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What a field holds.
#[derive(Clone, Copy)]
pub enum Ty {
    /// A truth value.
    Bool,
    /// A whole number.
    Int,
    /// Text.
    Str,
    /// Text out of a closed list of words.
    Word(&'static [&'static str]),
    /// A value whose type is only known when it is read.
    Dyn,
    /// A list.
    List(&'static Ty),
    /// A row of another table (a function, so that tables may speak of each other).
    Node(fn() -> &'static Schema),
    /// A place, without facts.
    Loc,
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Str => f.write_str("string"),
            Self::Word(words) => write!(f, "one of {}", words.join(", ")),
            Self::Dyn => f.write_str("dyn"),
            Self::List(item) => write!(f, "list of {item}"),
            Self::Node(schema) => f.write_str(schema().name),
            Self::Loc => f.write_str("place"),
        }
    }
}

/// One column of a table.
pub struct Field {
    /// As conditions write it.
    pub name: &'static str,
    /// What it holds.
    pub ty: Ty,
    /// What it means, for the reference.
    pub doc: &'static str,
    /// Never unknown, so that `where` may use it.
    pub certain: bool,
}

/// A typed table of facts.
pub struct Schema {
    /// As cards write it after `for:` (`tf.resource`).
    pub name: &'static str,
    /// What one row is, for the reference.
    pub doc: &'static str,
    /// The columns.
    pub fields: &'static [Field],
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Schema {
    /// The name that conditions give to the row: the last part of the table's (`resource`).
    #[must_use]
    pub fn root(&self) -> &'static str {
        self.name.rsplit_once('.').map_or(self.name, |(_, last)| last)
    }

    /// The position of a column.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

/// A row that is shared between facts.
pub type Row<'m> = Arc<dyn Subject<'m> + 'm>;

/// One cell: what a field holds for one row. `'m` is the life of the model that it is read from.
#[derive(Clone)]
pub enum Fact<'m> {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text.
    Str(Cow<'m, str>),
    /// Whatever a file said, known or not.
    Value(Cow<'m, Value>),
    /// Members, and why there may be more of them.
    List(Vec<Fact<'m>>, Option<Reason>),
    /// A row of another table.
    Node(Row<'m>),
    /// A place.
    Loc(Loc),
    /// There is none.
    Absent,
    /// Not to be told from the files.
    Unknown(Reason),
}

impl<'m> Fact<'m> {
    /// Text in which [`HOLE`]s stand for what is not known, for that reason.
    #[must_use]
    pub fn with_holes(text: &'m str, reason: impl FnOnce() -> Reason) -> Self {
        if !text.contains(HOLE) {
            return text.into();
        }
        let hole = Piece::Hole(reason());
        let mut pieces = Vec::new();
        for (index, part) in text.split(HOLE).enumerate() {
            if index > 0 {
                pieces.push(hole.clone());
            }
            if !part.is_empty() {
                pieces.push(Piece::Lit(part.into()));
            }
        }
        Value::text(pieces).into()
    }
}

/// A row of a table. Implemented by [`subject!`](crate::subject).
pub trait Subject<'m>: Send + Sync {
    /// The table.
    fn schema(&self) -> &'static Schema;
    /// The cell of a column, by position; absent when there is no such column.
    fn get(&self, field: usize) -> Fact<'m>;
    /// The declaration that a person would edit.
    fn loc(&self) -> Loc;
    /// A clause for a related location ("this task runs `pg_dump`").
    fn label(&self) -> String;
    /// The address that the owning tool prints for it.
    fn address(&self) -> Option<String>;
    /// The text that a fingerprint is made from: an address or normalised content, no line numbers.
    fn identity(&self) -> String;
    /// The folder of the environment that it is part of, when that is another than its file's: what a shared module makes
    /// belongs to the root that calls it.
    fn environment(&self) -> Option<String> {
        None
    }
    /// Why it may not exist, where the files alone do not make it: a switch that somebody may set.
    fn doubt(&self) -> Option<String> {
        None
    }
    /// Whether it surely never runs, so that there is nothing to say of it.
    fn never(&self) -> bool {
        false
    }
}

impl<'m, T: Subject<'m> + 'm> From<T> for Fact<'m> {
    fn from(row: T) -> Self {
        Self::Node(Arc::new(row))
    }
}

impl<'m> From<Row<'m>> for Fact<'m> {
    fn from(row: Row<'m>) -> Self {
        Self::Node(row)
    }
}

impl<'m, T: Into<Fact<'m>>> From<Option<T>> for Fact<'m> {
    fn from(fact: Option<T>) -> Self {
        fact.map_or(Self::Absent, Into::into)
    }
}

/// A fact, or why it is not known.
impl<'m, T: Into<Fact<'m>>> From<Result<T, Reason>> for Fact<'m> {
    fn from(fact: Result<T, Reason>) -> Self {
        fact.map_or_else(Self::Unknown, Into::into)
    }
}

impl<'m, T: Into<Fact<'m>>> From<Vec<T>> for Fact<'m> {
    fn from(facts: Vec<T>) -> Self {
        Self::List(facts.into_iter().map(Into::into).collect(), None)
    }
}

/// Members, and why there may be more.
impl<'m, T: Into<Fact<'m>>> From<(Vec<T>, Option<Reason>)> for Fact<'m> {
    fn from((facts, open): (Vec<T>, Option<Reason>)) -> Self {
        Self::List(facts.into_iter().map(Into::into).collect(), open)
    }
}

impl From<Tri> for Fact<'_> {
    fn from(truth: Tri) -> Self {
        match truth {
            Tri::True => Self::Bool(true),
            Tri::False => Self::Bool(false),
            Tri::Unknown(reason) => Self::Unknown(reason),
        }
    }
}

macro_rules! fact_from {
    ($($type:ty, $value:ident => $fact:expr;)*) => {$(
        impl<'m> From<$type> for Fact<'m> {
            fn from($value: $type) -> Self { $fact }
        }
    )*};
}

fact_from! {
    bool, value => Self::Bool(value);
    i64, value => Self::Int(value);
    u32, value => Self::Int(i64::from(value));
    usize, value => Self::Int(i64::try_from(value).unwrap_or(i64::MAX));
    &'m str, value => Self::Str(Cow::Borrowed(value));
    &'m String, value => Self::Str(Cow::Borrowed(value));
    &'m Box<str>, value => Self::Str(Cow::Borrowed(value));
    &'m Arc<str>, value => Self::Str(Cow::Borrowed(value));
    Arc<str>, value => Self::Str(Cow::Owned(value.to_string()));
    String, value => Self::Str(Cow::Owned(value));
    Cow<'m, str>, value => Self::Str(value);
    Value, value => Self::Value(Cow::Owned(value));
    &'m Value, value => Self::Value(Cow::Borrowed(value));
    Cow<'m, Value>, value => Self::Value(value);
    Loc, value => Self::Loc(value);
}

/// `type` for `r#type`: the name of a field as conditions write it.
#[doc(hidden)]
#[must_use]
pub const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// Makes a table out of a row type: schema, columns and cells from one list, so that nothing is written twice.
///
/// ```text
/// subject! {
///     /// A command that some file runs.
///     CommandRow<'m> as "command" (row) {
///         /// The program, without its folder.
///         program: Str certain => row.command.program();
///         /// Where the data lives.
///         kind: Word(&["root", "bind"]) => row.kind;
///         /// The machine it runs on.
///         host: Node(HostRow) => row.host();
///         /// Everything it mounts.
///         mounts: List(Node(MountRow)) => row.mounts();
///     }
///     loc => row.loc;
///     label => "this command".to_owned();
///     address => None;
///     identity => row.command.text();
/// }
/// ```
/// The type has exactly one lifetime parameter, that of the model. The right sides are anything that converts into a
/// [`Fact`]. The table itself is `CommandRow::schema()`.
#[macro_export]
macro_rules! subject {
    (
        $(#[doc = $doc:expr])+
        $row:ident<$life:lifetime> as $name:literal ($this:ident) {
            $( $(#[doc = $field_doc:expr])+
               $field:ident : $ty:ident $(($($inner:tt)*))? $($certain:ident)? => $fact:expr; )*
        }
        loc => $loc:expr;
        label => $label:expr;
        address => $address:expr;
        identity => $identity:expr;
        $(environment => $environment:expr;)?
        $(doubt => $doubt:expr;)?
        $(never => $never:expr;)?
    ) => {
        impl<$life> $row<$life> {
            /// The table that such rows make up.
            #[must_use]
            #[allow(unreachable_pub, reason = "a row type may be private to its module")]
            pub fn schema() -> &'static $crate::rule::subject::Schema {
                static SCHEMA: $crate::rule::subject::Schema = $crate::rule::subject::Schema {
                    name: $name,
                    doc: concat!($($doc),+).trim_ascii(),
                    fields: &[$($crate::rule::subject::Field {
                        name: $crate::rule::subject::plain(stringify!($field)),
                        ty: $crate::subject!(@ty $ty $(($($inner)*))?),
                        doc: concat!($($field_doc),+).trim_ascii(),
                        certain: $crate::subject!(@certain $($certain)?),
                    }),*],
                };
                &SCHEMA
            }
        }

        impl<$life> $crate::rule::subject::Subject<$life> for $row<$life> {
            fn schema(&self) -> &'static $crate::rule::subject::Schema {
                Self::schema()
            }
            fn get(&self, field: usize) -> $crate::rule::subject::Fact<$life> {
                #[allow(non_camel_case_types)]
                enum Column { $($field),* }
                #[allow(unused_variables)]
                let $this = self;
                match field {
                    $(index if index == Column::$field as usize => $crate::rule::subject::Fact::from($fact),)*
                    _ => $crate::rule::subject::Fact::Absent,
                }
            }
            fn loc(&self) -> $crate::text::Loc {
                #[allow(unused_variables)]
                let $this = self;
                $loc
            }
            fn label(&self) -> String {
                #[allow(unused_variables)]
                let $this = self;
                $label
            }
            fn address(&self) -> Option<String> {
                #[allow(unused_variables)]
                let $this = self;
                $address
            }
            fn identity(&self) -> String {
                #[allow(unused_variables)]
                let $this = self;
                $identity
            }
            $(fn environment(&self) -> Option<String> {
                let $this = self;
                $environment
            })?
            $(fn doubt(&self) -> Option<String> {
                let $this = self;
                $doubt
            })?
            $(fn never(&self) -> bool {
                let $this = self;
                $never
            })?
        }
    };
    (@ty Bool) => { $crate::rule::subject::Ty::Bool };
    (@ty Int) => { $crate::rule::subject::Ty::Int };
    (@ty Str) => { $crate::rule::subject::Ty::Str };
    (@ty Dyn) => { $crate::rule::subject::Ty::Dyn };
    (@ty Loc) => { $crate::rule::subject::Ty::Loc };
    (@ty Word($words:expr)) => { $crate::rule::subject::Ty::Word($words) };
    (@ty Node($row:ident)) => { $crate::rule::subject::Ty::Node($row::schema) };
    (@ty List($ty:ident $(($($inner:tt)*))?)) => {
        $crate::rule::subject::Ty::List(&$crate::subject!(@ty $ty $(($($inner)*))?))
    };
    (@certain) => { false };
    (@certain certain) => { true };
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::text::{FileId, Span};
    use crate::value::{Data, List};

    /// A machine with storage that speaks of the machine: tables that name each other.
    pub(crate) struct Host {
        pub(crate) name: &'static str,
        pub(crate) protected: Tri,
        pub(crate) mounts: Vec<&'static str>,
        pub(crate) open: Option<Reason>,
    }

    #[derive(Clone, Copy)]
    pub(crate) struct HostRow<'m>(pub(crate) &'m Host);

    pub(crate) struct StorageRow<'m> {
        pub(crate) host: Option<&'m Host>,
        pub(crate) kind: &'m str,
        pub(crate) holds_data: Tri,
        pub(crate) args: Value,
    }

    subject! {
        /// A machine.
        HostRow<'m> as "host" (row) {
            /// Its name.
            name: Str certain => row.0.name;
            /// Whether it cannot be destroyed
            /// by accident.
            protected: Bool => row.0.protected.clone();
            /// Every storage on it.
            storage: List(Node(StorageRow)) => row.0.mounts.iter().map(|kind| storage(row.0, kind)).collect::<Vec<_>>();
            /// Mounted paths.
            mounts: List(Str) => (row.0.mounts.clone(), row.0.open.clone());
        }
        loc => Loc { file: FileId(0), span: Span::new(0, 4) };
        label => format!("this is {}", row.0.name);
        address => Some(row.0.name.to_owned());
        identity => row.0.name.to_owned();
    }

    subject! {
        /// Something that keeps bytes.
        StorageRow<'m> as "estate.storage" (row) {
            /// How it is made.
            kind: Word(&["root", "bind", "owned-volume"]) certain => row.kind;
            /// Whether data is in it.
            holds_data: Bool => row.holds_data.clone();
            /// The machine.
            host: Node(HostRow) => row.host.map(HostRow);
            /// Its arguments.
            args: Dyn => row.args.clone();
            /// Its size.
            r#type: Int certain => 7_i64;
            /// Where it is written.
            declaration: Loc => row.loc();
        }
        loc => Loc { file: FileId(0), span: Span::new(10, 14) };
        label => "this keeps data".to_owned();
        address => Some(format!("storage.{}", row.kind));
        identity => row.kind.to_owned();
    }

    fn storage<'m>(host: &'m Host, kind: &'m str) -> StorageRow<'m> {
        StorageRow { host: Some(host), kind, holds_data: Tri::True, args: Value::default() }
    }

    pub(crate) fn host() -> Host {
        Host { name: "db-1", protected: Tri::True, mounts: vec!["root", "bind"], open: None }
    }

    pub(crate) fn args() -> Value {
        let open =
            List { items: vec![Value::known("a")], open: Some("the rest is computed".into()), ..List::default() };
        Value::map(vec![
            ("size".into(), Value::known(8.0)),
            ("path".into(), Value::known("/var/lib/x")),
            ("flag".into(), Value::known(true)),
            ("what".into(), Value::unknown("var.what has no default")),
            ("none".into(), Value::known(Data::Null)),
            ("list".into(), Value::list(vec![Value::known("a"), Value::known("b")])),
            ("open".into(), Value::known(Data::List(open.into()))),
            ("my-tags".into(), Value::map(vec![("owner".into(), Value::known("dba"))])),
        ])
    }

    #[test]
    fn holes_are_unknown_pieces() {
        let fact = Fact::with_holes("cp \u{F8FF} /srv", || "$x is set elsewhere".into());
        let Fact::Value(value) = fact else { panic!("partly known") };
        assert_eq!((value.display().as_str(), value.starts_with("cp ")), ("cp … /srv", Tri::True));
        assert!(matches!(Fact::with_holes("cp", || "".into()), Fact::Str(_)));
        assert!(matches!(Fact::from(Err::<bool, Reason>("why".into())), Fact::Unknown(_)));
    }

    #[test]
    fn one_list_makes_schema_and_cells() {
        let schema = StorageRow::schema();
        assert_eq!((schema.name, schema.root()), ("estate.storage", "storage"));
        assert_eq!(schema.field("type"), Some(4));
        assert_eq!(HostRow::schema().fields[1].doc, "Whether it cannot be destroyed by accident.");
        assert!(schema.fields[0].certain && !schema.fields[1].certain);
        assert_eq!(HostRow::schema().fields[2].ty.to_string(), "list of estate.storage");
        let host = host();
        let Fact::List(rows, None) = HostRow(&host).get(2) else { panic!("a list") };
        let Some(Fact::Node(first)) = rows.first() else { panic!("a row") };
        assert!(matches!(first.get(2), Fact::Node(back) if back.identity() == "db-1"));
        assert!(matches!(first.get(99), Fact::Absent));
    }
}
