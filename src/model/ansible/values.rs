//! Values of tasks: variables by precedence, Jinja expressions as far as files can tell, unknown with the reason.

use super::task::{ArgumentValue, Task};
use super::{Ansible, Pattern};
use crate::source::folder;
use crate::syntax::jinja::{self, BinaryOp, Expr, Literal, Piece as Part};
use crate::syntax::yaml::{Node, NodeKind};
use crate::text::{FileId, Loc};
use crate::value::{Data, Kind, Piece, Reason, Tri, Value};
use std::sync::Arc;

/// Stands for the project's folder at the start of paths that `playbook_dir` and its kin make.
pub const PROJECT: &str = "{project}";
/// Variables that refer to each other deeper than this are given up.
const MAX_DEPTH: usize = 12;
/// Members of one value that are evaluated.
const MAX_MEMBERS: usize = 512;

/// Where names are looked up: layers of variables, strongest first.
pub struct Scope<'s, 'a> {
    ansible: &'s Ansible<'a>,
    layers: Vec<(FileId, Node<'a>)>,
    /// For `playbook_dir`, `role_path`.
    file: FileId,
    role: Option<usize>,
    registered: Vec<&'a str>,
    /// What `item` is, when one turn of a loop is looked at.
    item: Option<Value>,
}

impl<'a> Ansible<'a> {
    /// The scope of a task in the first play that reaches it.
    #[must_use]
    pub fn scope<'s>(&'s self, task: &Task<'a>) -> Scope<'s, 'a> {
        self.scope_in(task, task.plays.first().copied())
    }

    /// The scope of a task in one of the plays that reach it.
    fn scope_in<'s>(&'s self, task: &Task<'a>, play: Option<usize>) -> Scope<'s, 'a> {
        let mut layers: Vec<(FileId, Node<'a>)> = task.vars.iter().map(|node| (task.file, *node)).collect();
        let play = play.map(|index| &self.plays[index]);
        if let (Some(play), Some(role)) = (play, task.role) {
            let parameters = play.roles.iter().filter(|used| used.role == Some(role)).filter_map(|used| used.node);
            layers.extend(
                parameters.flat_map(|node| [node.get("vars"), Some(node)]).flatten().map(|node| (play.file, node)),
            );
        }
        if let Some(role) = task.role {
            layers.extend(self.roles[role].vars.iter().copied());
        }
        if let Some(play) = play {
            layers.extend(self.play_layers(play.file, play.node));
            layers.extend(self.group_layers(&play.hosts));
        }
        if let Some(role) = task.role {
            layers.extend(self.roles[role].defaults.iter().rev().copied());
        }
        let file = play.map_or(task.file, |play| play.file);
        let registered = self.registered(task);
        Scope { ansible: self, layers, file, role: task.role, registered, item: None }
    }

    fn play_layers(&self, file: FileId, node: Node<'a>) -> Vec<(FileId, Node<'a>)> {
        let mut layers: Vec<(FileId, Node<'a>)> = Vec::new();
        let from = folder(self.documents.tree.path(file));
        let named: Vec<Node<'a>> = node.get("vars_files").map(|list| list.items().collect()).unwrap_or_default();
        for name in named.iter().rev().filter_map(|item| item.as_str()) {
            let path = crate::source::join(from, name);
            if let Some((file, yaml)) = path.and_then(|path| self.documents.yaml(&path)) {
                layers.extend(yaml.root().map(|root| (file, root)));
            }
        }
        layers.extend(node.get("vars").map(|vars| (file, vars)));
        layers
    }

    /// Variables of the hosts and groups that a pattern names, then those of all.
    fn group_layers(&self, hosts: &str) -> Vec<(FileId, Node<'a>)> {
        let pattern = Pattern::parse(hosts);
        let names: Vec<&str> = pattern.names().collect();
        let of = |host: bool| {
            let own = self.host_variables.iter().filter(move |variables| variables.host == host);
            own.filter(|variables| names.contains(&variables.name.as_str()))
                .map(|variables| (variables.file, variables.node))
                .collect::<Vec<_>>()
        };
        let mut layers = of(true);
        layers.extend(of(false));
        let all = self.host_variables.iter().filter(|variables| !variables.host && variables.name == "all");
        layers.extend(all.map(|variables| (variables.file, variables.node)));
        layers
    }

    /// Names that tasks of the same file register or set: known only when they run.
    fn registered(&self, task: &Task<'a>) -> Vec<&'a str> {
        // Tasks stand in the order of their files.
        let first = self.tasks.partition_point(|other| other.file < task.file);
        let beside = self.tasks[first..].iter().take_while(|other| other.file == task.file);
        let mut names = Vec::new();
        for other in beside {
            names.extend(other.register);
            if other.short() == "set_fact" {
                names.extend(other.arguments.iter().filter_map(|argument| match &argument.name {
                    std::borrow::Cow::Borrowed(name) => Some(*name),
                    std::borrow::Cow::Owned(_) => None,
                }));
            }
        }
        names
    }

    /// An argument of a task, evaluated; absent when it is not given.
    #[must_use]
    pub fn argument(&self, task: &Task<'a>, name: &str) -> Value {
        let Some(argument) = task.argument(name) else { return Value::absent() };
        let scope = self.scope(task);
        match &argument.value {
            ArgumentValue::Node(node) => scope.node(task.file, *node, 0),
            ArgumentValue::Text(text, span) => scope.text(text, Loc { file: task.file, span: *span }, 0),
        }
    }

    /// An argument in each turn of the task's loop, as far as the loop is known; else its one value.
    #[must_use]
    pub fn each(&self, task: &Task<'a>, name: &str) -> Vec<Value> {
        let Some(argument) = task.argument(name) else { return Vec::new() };
        let text = match &argument.value {
            ArgumentValue::Node(node) => node.as_str(),
            ArgumentValue::Text(text, _) => Some(&**text),
        };
        let turns = task.repeat.filter(|_| text.is_some_and(|text| text.contains("item")));
        let turns = turns.map(|(_, node)| self.evaluate(task, node));
        let Some(list) = turns.as_ref().and_then(Value::as_list) else { return vec![self.argument(task, name)] };
        let mut scope = self.scope(task);
        let turn = |item: &Value| {
            scope.item = Some(item.clone());
            match &argument.value {
                ArgumentValue::Node(node) => scope.node(task.file, *node, 0),
                ArgumentValue::Text(text, span) => scope.text(text, Loc { file: task.file, span: *span }, 0),
            }
        };
        list.items.iter().take(MAX_MEMBERS).map(turn).collect()
    }

    /// All arguments of a task as one map.
    #[must_use]
    pub fn arguments(&self, task: &Task<'a>) -> Value {
        let scope = self.scope(task);
        let entries = task.arguments.iter().map(|argument| {
            let value = match &argument.value {
                ArgumentValue::Node(node) => scope.node(task.file, *node, 0),
                ArgumentValue::Text(text, span) => scope.text(text, Loc { file: task.file, span: *span }, 0),
            };
            (Arc::from(&*argument.name), value)
        });
        Value::map(entries.collect())
    }

    /// A node of a task's file, evaluated in the task's scope.
    #[must_use]
    pub fn evaluate(&self, task: &Task<'a>, node: Node<'a>) -> Value {
        self.scope(task).node(task.file, node, 0)
    }

    /// A text with Jinja, evaluated in a task's scope.
    #[must_use]
    pub fn evaluate_text(&self, task: &Task<'a>, text: &str) -> Value {
        self.scope(task).text(text, task.loc, 0)
    }

    /// A node of a task's file, as one of the plays that reach it sees it.
    pub(super) fn evaluate_in(&self, task: &Task<'a>, play: Option<usize>, node: Node<'a>) -> Value {
        self.scope_in(task, play).node(task.file, node, 0)
    }

    /// A text with Jinja, as one of the plays that reach the task sees it.
    pub(super) fn evaluate_text_in(&self, task: &Task<'a>, play: Option<usize>, text: &str) -> Value {
        self.scope_in(task, play).text(text, task.loc, 0)
    }

    /// A bare expression (`when:`) in a task's scope, as a truth value.
    #[must_use]
    pub fn condition(&self, task: &Task<'a>, node: Node<'a>) -> Tri {
        let Some(text) = node.as_str() else { return Tri::Unknown("it is no expression".into()) };
        let loc = Loc { file: task.file, span: node.span() };
        match jinja::expression(text) {
            Ok(expr) => truthy(&self.scope(task).expr(&expr, loc, 0)),
            Err(error) => Tri::Unknown(format!("`{text}` cannot be parsed: {error}").into()),
        }
    }

    /// A default of a role, evaluated among the role's own defaults and variables.
    #[must_use]
    pub fn role_variable(&self, role: &super::Role<'a>, file: FileId, name: &str) -> Value {
        let layers = role.vars.iter().chain(role.defaults.iter().rev()).copied().collect();
        let scope = Scope { ansible: self, layers, file, role: None, registered: Vec::new(), item: None };
        scope.variable(name, 0)
    }
}

impl<'a> Scope<'_, 'a> {
    /// A variable by name.
    fn variable(&self, name: &str, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::unknown(format!("`{name}` refers to too many other variables"));
        }
        if let Some(value) = self.special(name) {
            return value;
        }
        if let Some(item) = self.item.as_ref().filter(|_| name == "item") {
            return item.clone();
        }
        for (file, layer) in &self.layers {
            if let Some((key, value)) = layer.entry(name) {
                let loc = Loc { file: *file, span: key.span() };
                return self.node(*file, value, depth + 1).step(format!("variable `{name}`"), loc);
            }
        }
        if self.registered.contains(&name) {
            return Value::unknown(format!("`{name}` is only known when the play runs"));
        }
        if name.starts_with("ansible_") {
            return Value::unknown(format!("`{name}` is a fact of the host"));
        }
        let elsewhere = self.ansible.host_variables.iter().any(|variables| variables.node.get(name).is_some());
        if elsewhere || matches!(name, "item" | "inventory_hostname" | "groups" | "hostvars" | "omit") {
            return Value::unknown(format!("`{name}` differs from host to host or is only known when the play runs"));
        }
        Value::unknown(format!("`{name}` is not set in this repository"))
    }

    /// Variables that Ansible itself sets and that the files tell.
    fn special(&self, name: &str) -> Option<Value> {
        let tree = self.ansible.documents.tree;
        let path = match name {
            "playbook_dir" => folder(tree.path(self.file)).to_owned(),
            "role_path" => self.ansible.roles.get(self.role?)?.folder.clone(),
            "inventory_dir" => {
                let file = self.ansible.inventory.hosts.first().map(|host| host.loc.file)?;
                folder(tree.path(file)).to_owned()
            }
            _ => return None,
        };
        Some(Value::known(format!("{PROJECT}/{path}").trim_end_matches('/')))
    }

    /// A YAML node with the Jinja in it.
    fn node(&self, file: FileId, node: Node<'a>, depth: usize) -> Value {
        let loc = Loc { file, span: node.span() };
        if depth > MAX_DEPTH {
            return Value::unknown("it is nested too deeply").at(loc);
        }
        let value = match node.kind() {
            NodeKind::Scalar(..) if node.tag() == Some("!vault") => Value::unknown("it is vaulted"),
            NodeKind::Scalar(text, _) if node.tag() != Some("!unsafe") && jinja::contains_template(text) => {
                return self.text(text, loc, depth);
            }
            NodeKind::Scalar(..) => Value { kind: Kind::Known(crate::model::load::scalar(node)), ..Value::default() },
            NodeKind::Seq(_) => {
                Value::list(node.items().take(MAX_MEMBERS).map(|item| self.node(file, item, depth + 1)).collect())
            }
            NodeKind::Map(_) => {
                let entries = node.entries().into_iter().take(MAX_MEMBERS);
                Value::map(
                    entries
                        .filter_map(|(key, value)| Some((Arc::from(key.as_str()?), self.node(file, value, depth + 1))))
                        .collect(),
                )
            }
            NodeKind::Alias(_) => Value::unknown("its anchor is not defined"),
        };
        value.at(loc)
    }

    /// A text with Jinja: one expression alone keeps its type.
    fn text(&self, text: &str, loc: Loc, depth: usize) -> Value {
        if !jinja::contains_template(text) {
            return Value::known(text).at(loc);
        }
        let template = jinja::parse(text);
        if let [Part::Output(expr, _)] = template.pieces.as_slice() {
            return self.expr(expr, loc, depth).at(loc);
        }
        let mut pieces = Vec::new();
        let mut conditional: Option<Reason> = None;
        for part in &template.pieces {
            match part {
                Part::Lit(span) => pieces.push(Piece::Lit(span.slice(text).into())),
                Part::Output(expr, _) => pieces.extend(as_pieces(&self.expr(expr, loc, depth))),
                Part::Statement(_) => {
                    conditional.get_or_insert_with(|| "it is made by template statements".into());
                }
                Part::Comment(_) => {}
            }
        }
        match conditional {
            // What stands between statements may come out or not.
            Some(reason) => Value::unknown(reason).at(loc),
            None => Value::text(pieces).at(loc),
        }
    }

    fn expr(&self, expr: &Expr, loc: Loc, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::unknown("the expression is nested too deeply");
        }
        let next = depth + 1;
        match expr {
            Expr::Const(Literal::Null) => Value { kind: Kind::Known(Data::Null), ..Value::default() },
            Expr::Const(Literal::Bool(value)) => Value::known(*value),
            Expr::Const(Literal::Number(value)) => Value::known(*value),
            Expr::Const(Literal::Str(text)) => Value::known(&**text),
            Expr::Name(name) => self.variable(name, next),
            Expr::Attr(of, name) => self.expr(of, loc, next).get(name),
            Expr::Item(of, key) => {
                let (of, key) = (self.expr(of, loc, next), self.expr(key, loc, next));
                item(&of, &key)
            }
            Expr::Filter { of, name, args, .. } => self.filter(of, name, args, loc, next),
            Expr::Test { negated, of, name, args } => {
                let truth = self.test(of, name, args, loc, next);
                from_tri(if *negated { !truth } else { truth })
            }
            Expr::Binary(op, sides) => self.binary(*op, &sides[0], &sides[1], loc, next),
            Expr::Not(of) => from_tri(!truthy(&self.expr(of, loc, next))),
            Expr::Neg(of) => self
                .expr(of, loc, next)
                .as_number()
                .map_or_else(|| Value::unknown("it is no number"), |n| Value::known(-n)),
            Expr::Cond { test, then, otherwise } => match truthy(&self.expr(test, loc, next)) {
                Tri::True => self.expr(then, loc, next),
                Tri::False => otherwise.as_ref().map_or_else(Value::absent, |other| self.expr(other, loc, next)),
                Tri::Unknown(reason) => {
                    let (a, b) =
                        (self.expr(then, loc, next), otherwise.as_ref().map(|other| self.expr(other, loc, next)));
                    either(&a, &b.unwrap_or_default(), reason)
                }
            },
            Expr::List(items) => {
                Value::list(items.iter().take(MAX_MEMBERS).map(|item| self.expr(item, loc, next)).collect())
            }
            Expr::Map(entries) => {
                let pairs = entries.iter().take(MAX_MEMBERS);
                Value::map(
                    pairs
                        .filter_map(|(key, value)| {
                            Some((self.expr(key, loc, next).scalar()?, self.expr(value, loc, next)))
                        })
                        .collect(),
                )
            }
            Expr::Call { callee, .. } => match &**callee {
                Expr::Name(name) if matches!(&**name, "lookup" | "query" | "q") => {
                    Value::unknown("a lookup is only known when the play runs")
                }
                _ => Value::unknown("a call is only known when the play runs"),
            },
            Expr::Slice(_) => Value::unknown("it is a slice"),
            Expr::Other(reason) => Value::unknown(&**reason),
        }
    }

    fn filter(&self, of: &Expr, name: &str, args: &[Expr], loc: Loc, depth: usize) -> Value {
        let short = name.rsplit('.').next().unwrap_or(name);
        let value = self.expr(of, loc, depth);
        if matches!(short, "default" | "d") {
            return self.default(of, value, args, loc, depth);
        }
        let text = |change: &dyn Fn(&str) -> String| match value.scalar() {
            Some(text) => Value::known(change(&text).as_str()),
            None => Value {
                kind: Kind::Unknown(value.reason().unwrap_or_else(|| "it is no text".into())),
                ..Value::default()
            },
        };
        match short {
            "bool" => value.as_bool().map_or_else(|| value.clone(), Value::known),
            "int" | "float" => value.as_number().map_or_else(|| value.clone(), Value::known),
            "string" | "mandatory" | "trim" if value.as_str().is_none_or(|text| text.trim() == text) => value,
            "trim" => text(&|text| text.trim().to_owned()),
            "lower" => text(&str::to_lowercase),
            "upper" => text(&str::to_uppercase),
            "basename" => text(&|text| crate::source::file_name(text).to_owned()),
            "dirname" => text(&|text| folder(text).to_owned()),
            "list" | "unique" | "flatten" if value.as_list().is_some() => value,
            "first" => value
                .as_list()
                .and_then(|list| list.items.first().cloned())
                .unwrap_or_else(|| Value::unknown("its first member is not known")),
            "last" => value
                .as_list()
                .and_then(|list| list.items.last().cloned())
                .unwrap_or_else(|| Value::unknown("its last member is not known")),
            "join" => {
                let separator = args
                    .first()
                    .map(|arg| self.expr(arg, loc, depth))
                    .and_then(|value| value.scalar())
                    .unwrap_or_else(|| "".into());
                let words: Option<Vec<Arc<str>>> =
                    value.as_list().and_then(|list| list.items.iter().map(Value::scalar).collect());
                words.map_or_else(
                    || Value::unknown("not all members are known"),
                    |words| Value::known(words.join(&separator).as_str()),
                )
            }
            "ternary" => match (truthy(&value), args) {
                (Tri::True, [yes, ..]) => self.expr(yes, loc, depth),
                (Tri::False, [_, no, ..]) => self.expr(no, loc, depth),
                (Tri::Unknown(reason), [yes, no, ..]) => {
                    either(&self.expr(yes, loc, depth), &self.expr(no, loc, depth), reason)
                }
                _ => Value::unknown("the filter `ternary` lacks an argument"),
            },
            _ => {
                Value::unknown(value.reason().unwrap_or_else(|| format!("the filter `{name}` is not evaluated").into()))
            }
        }
    }

    /// `x | default(y)`: a variable that nothing here sets may still come from a command line, but its default is what the
    /// files say.
    fn default(&self, of: &Expr, value: Value, args: &[Expr], loc: Loc, depth: usize) -> Value {
        let unset = match of {
            Expr::Name(name) => self.is_unset(name),
            _ => value.is_absent(),
        };
        if !unset && !value.is_absent() {
            return value;
        }
        match args.first() {
            Some(Expr::Name(name)) if &**name == "omit" => Value::absent(),
            Some(fallback) => self.expr(fallback, loc, depth),
            None => Value::known(""),
        }
    }

    fn is_unset(&self, name: &str) -> bool {
        self.special(name).is_none()
            && !self.layers.iter().any(|(_, layer)| layer.get(name).is_some())
            && !self.registered.contains(&name)
            && !name.starts_with("ansible_")
            && !matches!(name, "item" | "inventory_hostname" | "groups" | "hostvars")
            && !self.ansible.host_variables.iter().any(|variables| variables.node.get(name).is_some())
    }

    fn test(&self, of: &Expr, name: &str, args: &[Expr], loc: Loc, depth: usize) -> Tri {
        match name {
            "defined" | "undefined" => {
                let set = match of {
                    Expr::Name(name) if self.is_unset(name) => Tri::False,
                    _ => self.expr(of, loc, depth).has(),
                };
                if name == "defined" { set } else { !set }
            }
            "none" => !self.expr(of, loc, depth).has(),
            "true" | "truthy" => truthy(&self.expr(of, loc, depth)),
            "false" | "falsy" => !truthy(&self.expr(of, loc, depth)),
            "string" => {
                self.expr(of, loc, depth).data().map_or_else(unknown_test, |data| matches!(data, Data::Str(_)).into())
            }
            "in" => args
                .first()
                .map_or_else(unknown_test, |list| contains(&self.expr(list, loc, depth), &self.expr(of, loc, depth))),
            "match" | "search" => {
                let pattern = args.first().map(|arg| self.expr(arg, loc, depth)).and_then(|value| value.scalar());
                let pattern =
                    pattern.map(|text| if name == "match" { format!("^(?:{text})") } else { text.to_string() });
                match pattern.and_then(|text| regex::Regex::new(&text).ok()) {
                    Some(regex) => self.expr(of, loc, depth).matches(&regex),
                    None => unknown_test(),
                }
            }
            _ => Tri::Unknown(format!("the test `{name}` is not evaluated").into()),
        }
    }

    fn binary(&self, op: BinaryOp, left: &Expr, right: &Expr, loc: Loc, depth: usize) -> Value {
        let a = self.expr(left, loc, depth);
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            let b = || truthy(&self.expr(right, loc, depth));
            return from_tri(if op == BinaryOp::And { truthy(&a).and(b) } else { truthy(&a).or(b) });
        }
        let b = self.expr(right, loc, depth);
        let numbers = a.as_number().zip(b.as_number());
        let compare = |test: fn(f64, f64) -> bool| {
            from_tri(numbers.map_or_else(
                || Tri::Unknown(a.reason().or_else(|| b.reason()).unwrap_or_else(|| "it is no number".into())),
                |(a, b)| test(a, b).into(),
            ))
        };
        match op {
            BinaryOp::Eq => from_tri(equal(&a, &b)),
            BinaryOp::NotEq => from_tri(!equal(&a, &b)),
            BinaryOp::Less => compare(|a, b| a < b),
            BinaryOp::LessEq => compare(|a, b| a <= b),
            BinaryOp::Greater => compare(|a, b| a > b),
            BinaryOp::GreaterEq => compare(|a, b| a >= b),
            BinaryOp::In => from_tri(contains(&b, &a)),
            BinaryOp::NotIn => from_tri(!contains(&b, &a)),
            BinaryOp::Concat => Value::text([as_pieces(&a), as_pieces(&b)].concat()),
            BinaryOp::Add => match (a.as_list(), b.as_list(), a.as_str(), b.as_str(), numbers) {
                (Some(x), Some(y), ..) => {
                    Value::list(x.items.iter().chain(&y.items).take(MAX_MEMBERS).cloned().collect())
                }
                (.., Some(_), Some(_), _) => Value::text([as_pieces(&a), as_pieces(&b)].concat()),
                (.., Some((x, y))) => Value::known(x + y),
                _ => Value::unknown(a.reason().or_else(|| b.reason()).unwrap_or_else(|| "the sum is not known".into())),
            },
            BinaryOp::Sub => numbers.map_or_else(|| Value::unknown("it is no number"), |(x, y)| Value::known(x - y)),
            BinaryOp::Mul => numbers.map_or_else(|| Value::unknown("it is no number"), |(x, y)| Value::known(x * y)),
            _ => Value::unknown("the operation is not evaluated"),
        }
    }
}

fn unknown_test() -> Tri {
    Tri::Unknown("the test cannot be evaluated".into())
}

fn from_tri(truth: Tri) -> Value {
    match truth {
        Tri::True => Value::known(true),
        Tri::False => Value::known(false),
        Tri::Unknown(reason) => Value::unknown(reason),
    }
}

/// Truth as Jinja takes it.
pub(super) fn truthy(value: &Value) -> Tri {
    match &value.kind {
        Kind::Absent | Kind::Known(Data::Null) => Tri::False,
        Kind::Known(Data::Bool(value)) => (*value).into(),
        Kind::Known(Data::Number(value)) => (*value != 0.0).into(),
        Kind::Known(Data::Str(text)) => crate::value::truth(text).unwrap_or(!text.is_empty()).into(),
        Kind::Known(Data::List(list)) => (!list.items.is_empty()).into(),
        Kind::Known(Data::Map(map)) => (!map.entries.is_empty()).into(),
        Kind::Text(_) => Tri::True,
        Kind::Unknown(reason) => Tri::Unknown(reason.clone()),
        Kind::OneOf(_) => Tri::Unknown("it has several possible values".into()),
    }
}

fn equal(a: &Value, b: &Value) -> Tri {
    match (&a.kind, &b.kind) {
        (_, Kind::Known(data)) => a.equals(data),
        (Kind::Known(data), _) => b.equals(data),
        _ => Tri::Unknown(a.reason().or_else(|| b.reason()).unwrap_or_else(|| "it is not known".into())),
    }
}

fn contains(list: &Value, item: &Value) -> Tri {
    match item.scalar() {
        Some(text) => list.contains(&text),
        None => Tri::Unknown(item.reason().unwrap_or_else(|| "it is not known".into())),
    }
}

fn item(of: &Value, key: &Value) -> Value {
    if let (Some(list), Some(index)) = (of.as_list(), key.as_number()) {
        let found = list.items.iter().enumerate().find(|(at, _)| at.to_string() == crate::value::number(index));
        return found.map(|(_, value)| value.clone()).unwrap_or_default();
    }
    match key.scalar() {
        Some(key) => of.get(&key),
        None => Value::unknown(key.reason().unwrap_or_else(|| "the key is not known".into())),
    }
}

fn as_pieces(value: &Value) -> Vec<Piece> {
    match &value.kind {
        Kind::Text(pieces) => pieces.to_vec(),
        Kind::Absent => Vec::new(),
        Kind::Known(data) => match data.scalar() {
            Some(text) => vec![Piece::Lit(text)],
            None => vec![Piece::Hole("it is no text".into())],
        },
        Kind::Unknown(_) | Kind::OneOf(_) => {
            vec![Piece::Hole(value.reason().unwrap_or_else(|| "it is not known".into()))]
        }
    }
}

/// One of two values, when it cannot be told which.
fn either(a: &Value, b: &Value, reason: Reason) -> Value {
    match (a.data(), b.data()) {
        (Some(x), Some(y)) if x == y => a.clone(),
        (Some(x), Some(y)) => Value { kind: Kind::OneOf(vec![x.clone(), y.clone()].into()), ..Value::default() },
        _ => Value::unknown(reason),
    }
}
