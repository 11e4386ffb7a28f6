//! Types of conditions: a tree to an expression that fits its subject.

use super::parser::{Ast, Comparison, Kind};
use super::{ConditionError, Expr, Operand, Path, Pattern, Quantifier, Root, Scope, Step, TextTest, Type};
use crate::rule::subject::Ty;
use crate::rule::suggest::hint;
use crate::text::Span;
use crate::value::Data;

type Checked<T> = Result<T, ConditionError>;

fn fail<T>(span: Span, message: impl Into<String>) -> Checked<T> {
    Err(ConditionError::new(span, message))
}

/// Checks against the names in scope.
pub(super) struct Checker<'s> {
    text: &'s str,
    scope: &'s mut Scope,
}

const FUNCTIONS: [&str; 8] = ["has", "size", "startsWith", "endsWith", "contains", "matches", "exists", "all"];

impl<'s> Checker<'s> {
    pub(super) fn new(text: &'s str, scope: &'s mut Scope) -> Self {
        Self { text, scope }
    }

    fn slice(&self, span: Span) -> &'s str {
        span.slice(self.text)
    }

    /// An expression that is true, false or unknown.
    pub(super) fn truth(&mut self, ast: &Ast) -> Checked<Expr> {
        match &ast.kind {
            Kind::Bool(value) => Ok(Expr::Literal(*value)),
            Kind::Not(inner) => Ok(Expr::Not(Box::new(self.truth(inner)?))),
            Kind::And(parts) => Ok(Expr::And(self.each(parts)?)),
            Kind::Or(parts) => Ok(Expr::Or(self.each(parts)?)),
            Kind::Compare(operator, left, right) => self.compare(*operator, left, right),
            Kind::In(item, list) => self.member(item, list),
            Kind::Call(receiver, name, span, args) => self.call(receiver.as_deref(), name, *span, args, ast.span),
            Kind::Name(_) | Kind::Select(..) | Kind::Index(..) => {
                let (path, ty) = self.path(ast)?;
                match ty {
                    Type::Bool | Type::Dyn => Ok(Expr::Path(path)),
                    Type::Row(_) | Type::List(_) => {
                        fail(ast.span, format!("`{}` is {ty}, not a truth value; did you mean `has(…)`?", path.text))
                    }
                    _ => fail(ast.span, format!("`{}` is {ty}, not a truth value", path.text)),
                }
            }
            Kind::Null | Kind::Int(_) | Kind::Str(_) | Kind::List(_) => fail(ast.span, "this is no condition"),
        }
    }

    fn each(&mut self, parts: &[Ast]) -> Checked<Vec<Expr>> {
        parts.iter().map(|part| self.truth(part)).collect()
    }

    /// A path, with its type.
    pub(super) fn path(&mut self, ast: &Ast) -> Checked<(Path, Type)> {
        let mut steps = Vec::new();
        let (root, ty) = self.walk(ast, &mut steps)?;
        let text = self.slice(ast.span).into();
        Ok((Path { root, steps: steps.into(), text }, ty))
    }

    fn walk(&mut self, ast: &Ast, steps: &mut Vec<Step>) -> Checked<(Root, Type)> {
        match &ast.kind {
            Kind::Name(name) => self.root(name, ast.span),
            Kind::Select(of, name, span) if matches!(&of.kind, Kind::Name(root) if root == "option") => {
                self.option(name, *span)
            }
            Kind::Select(of, name, span) => {
                let (root, ty) = self.walk(of, steps)?;
                Ok((root, self.select(of, ty, name, *span, steps)?))
            }
            Kind::Index(of, index) => {
                if let (Kind::Name(root), Kind::Str(name)) = (&of.kind, &index.kind)
                    && root == "option"
                {
                    return self.option(name, index.span);
                }
                let (root, ty) = self.walk(of, steps)?;
                Ok((root, self.index(of, ty, index, steps)?))
            }
            _ => fail(ast.span, "expected a path, such as `resource.type`"),
        }
    }

    fn root(&self, name: &str, span: Span) -> Checked<(Root, Type)> {
        let Some(slot) = self.scope.names.iter().position(|(known, _)| known == name) else {
            if name == "option" {
                return fail(span, "write `option.NAME`");
            }
            let names = self.scope.names.iter().map(|(name, _)| name.as_str());
            return fail(span, format!("nothing is called `{name}` here{}", hint(name, names)));
        };
        let root = slot.checked_sub(1).map_or(Root::Subject, Root::Element);
        Ok((root, self.scope.names[slot].1))
    }

    fn option(&self, name: &str, span: Span) -> Checked<(Root, Type)> {
        // A name with dashes is written with underscores: `option.allow_local`.
        let same = |known: &str| known == name || known.replace('-', "_") == name;
        if let Some(index) = self.scope.options.iter().position(|(known, _)| same(known)) {
            return Ok((Root::Option(index), self.scope.options[index].1));
        }
        let names = self.scope.options.iter().map(|(name, _)| name.as_str());
        fail(span, format!("the card has no option `{name}`{}", hint(name, names)))
    }

    fn select(&self, of: &Ast, ty: Type, name: &str, span: Span, steps: &mut Vec<Step>) -> Checked<Type> {
        match ty {
            Type::Row(schema) => {
                let Some(index) = schema.field(name) else {
                    let names = schema.fields.iter().map(|field| field.name);
                    return fail(span, format!("no field `{name}` on {}{}", schema.root(), hint(name, names)));
                };
                steps.push(Step::Field(index));
                Ok(schema.fields[index].ty.into())
            }
            Type::Dyn => {
                steps.push(Step::Key(name.into()));
                Ok(Type::Dyn)
            }
            Type::List(_) => {
                let of = self.slice(of.span);
                fail(span, format!("`{of}` is a list; write `{of}.exists(x, …)` or `{of}.all(x, …)`"))
            }
            _ => fail(span, format!("`{}` is {ty} and has no fields", self.slice(of.span))),
        }
    }

    fn index(&self, of: &Ast, ty: Type, index: &Ast, steps: &mut Vec<Step>) -> Checked<Type> {
        let (step, item) = match (&index.kind, ty) {
            (Kind::Str(key), Type::Dyn) => (Step::Key(key.as_str().into()), Type::Dyn),
            (Kind::Int(at), Type::Dyn) => (Step::Index(*at), Type::Dyn),
            (Kind::Int(at), Type::List(item)) => (Step::Index(*at), (*item).into()),
            (Kind::Str(_) | Kind::Int(_), _) => {
                return fail(index.span, format!("`{}` is {ty} and has no such member", self.slice(of.span)));
            }
            _ => return fail(index.span, "only a string or a number can stand here"),
        };
        steps.push(step);
        Ok(item)
    }

    /// A side of a comparison; `None` as type for null and list literals.
    fn operand(&mut self, ast: &Ast) -> Checked<(Operand, Option<Type>)> {
        Ok(match &ast.kind {
            Kind::Null => (Operand::Null, None),
            Kind::Bool(_) | Kind::Int(_) | Kind::Str(_) => {
                let (data, ty) = self.literal(ast)?;
                (Operand::Data(data), Some(ty))
            }
            Kind::List(items) => {
                let items = items.iter().map(|item| Ok(self.literal(item)?.0)).collect::<Checked<_>>()?;
                (Operand::List(items), None)
            }
            Kind::Call(None, name, _, args) if name == "size" => {
                let [arg] = args.as_slice() else { return fail(ast.span, "size() takes one path") };
                let (path, ty) = self.path(arg)?;
                if !matches!(ty, Type::List(_) | Type::Dyn | Type::Str | Type::Word(_)) {
                    return fail(arg.span, format!("`{}` is {ty} and has no size", path.text));
                }
                (Operand::Size(path), Some(Type::Int))
            }
            Kind::Call(Some(receiver), name, ..) if name == "size" => {
                let of = self.slice(receiver.span);
                return fail(ast.span, format!("write `size({of})`"));
            }
            Kind::Name(_) | Kind::Select(..) | Kind::Index(..) => {
                let (path, ty) = self.path(ast)?;
                (Operand::Path(path), Some(ty))
            }
            _ => {
                return fail(
                    ast.span,
                    "only a path, a literal or size() can be compared; join tests with `&&` and `!`",
                );
            }
        })
    }

    #[allow(clippy::cast_precision_loss, reason = "nobody compares with 2^53")]
    fn literal(&self, ast: &Ast) -> Checked<(Data, Type)> {
        match &ast.kind {
            Kind::Bool(value) => Ok((Data::Bool(*value), Type::Bool)),
            Kind::Int(value) => Ok((Data::Number(*value as f64), Type::Int)),
            Kind::Str(text) => Ok((Data::from(text.as_str()), Type::Str)),
            _ => fail(ast.span, format!("`{}` is no string, number or truth value", self.slice(ast.span))),
        }
    }

    fn compare(&mut self, operator: Comparison, left: &Ast, right: &Ast) -> Checked<Expr> {
        let (a, a_type) = self.operand(left)?;
        let (b, b_type) = self.operand(right)?;
        let equality = matches!(operator, Comparison::Equal | Comparison::NotEqual);
        let span = left.span.to(right.span);
        match (a_type, b_type) {
            (Some(a_type), Some(b_type)) if equality => self.comparable(left, a_type, right, b_type)?,
            (None, _) | (_, None) => {
                let literal = |operand: &Operand| matches!(operand, Operand::List(_));
                if !equality || literal(&a) || literal(&b) {
                    return fail(span, "these cannot be compared; a list stands after `in`");
                }
            }
            (Some(a_type), Some(b_type)) => {
                for (side, ty) in [(left, a_type), (right, b_type)] {
                    if !matches!(ty, Type::Int | Type::Dyn) {
                        return fail(
                            side.span,
                            format!("`{}` is {ty}; only numbers have an order", self.slice(side.span)),
                        );
                    }
                }
            }
        }
        Ok(Expr::Compare(operator, a, b))
    }

    fn comparable(&self, left: &Ast, a: Type, right: &Ast, b: Type) -> Checked<()> {
        match (a, b) {
            (Type::Word(words), Type::Str) => return Self::word(words, right),
            (Type::Str, Type::Word(words)) => return Self::word(words, left),
            (Type::Row(a), Type::Row(b)) if std::ptr::eq(a, b) => return Ok(()),
            (Type::Dyn, Type::Bool | Type::Int | Type::Str | Type::Word(_) | Type::Dyn)
            | (Type::Bool | Type::Int | Type::Str | Type::Word(_), Type::Dyn)
            | (Type::Bool, Type::Bool)
            | (Type::Int, Type::Int)
            | (Type::Str, Type::Str)
            | (Type::Word(_), Type::Word(_)) => return Ok(()),
            _ => {}
        }
        let message =
            format!("`{}` is {a} and `{}` is {b}: they are never equal", self.slice(left.span), self.slice(right.span));
        fail(left.span.to(right.span), message)
    }

    /// A literal that is compared with a closed list of words must be one of them.
    fn word(words: &'static [&'static str], literal: &Ast) -> Checked<()> {
        match &literal.kind {
            Kind::Str(text) if !words.contains(&text.as_str()) => {
                fail(literal.span, format!("it is never {text:?}{}", hint(text, words.iter().copied())))
            }
            _ => Ok(()),
        }
    }

    fn member(&mut self, item: &Ast, list: &Ast) -> Checked<Expr> {
        let (operand, Some(item_type)) = self.operand(item)? else {
            return fail(item.span, "this cannot be a member of a list");
        };
        let (members, ty) = self.operand(list)?;
        match (ty, &list.kind) {
            (None, Kind::List(items)) => {
                for literal in items {
                    let ty = self.literal(literal)?.1;
                    self.comparable(item, item_type, literal, ty)?;
                }
            }
            (Some(Type::Dyn), _) => {}
            (Some(Type::List(of)), _) => self.comparable(item, item_type, list, (*of).into())?,
            _ => return fail(list.span, "a list stands after `in`"),
        }
        Ok(Expr::In(operand, members))
    }

    fn call(&mut self, receiver: Option<&Ast>, name: &str, name_span: Span, args: &[Ast], span: Span) -> Checked<Expr> {
        match (receiver, name, args) {
            (None, "has", [arg]) => Ok(Expr::Has(self.path(arg)?.0)),
            (None, "has", _) => fail(span, "has() takes one path"),
            (_, "size", _) => fail(span, "a size is a number; compare it"),
            (Some(of), "startsWith", [arg]) => self.text_test(TextTest::StartsWith, of, arg),
            (Some(of), "endsWith", [arg]) => self.text_test(TextTest::EndsWith, of, arg),
            (Some(of), "contains", [arg]) => self.text_test(TextTest::Contains, of, arg),
            (Some(of), "matches", [arg]) => self.matches(of, arg),
            (Some(of), "exists", [name, body]) => self.quantified(Quantifier::Exists, of, name, body),
            (Some(of), "all", [name, body]) => self.quantified(Quantifier::All, of, name, body),
            (_, "exists" | "all", _) => fail(span, format!("write `list.{name}(x, condition on x)`")),
            (_, "startsWith" | "endsWith" | "contains" | "matches", _) => {
                fail(span, format!("write `path.{name}(\"…\")`"))
            }
            _ => fail(name_span, format!("no function `{name}`{}", hint(name, FUNCTIONS.into_iter()))),
        }
    }

    fn text_test(&mut self, test: TextTest, of: &Ast, arg: &Ast) -> Checked<Expr> {
        let (path, ty) = self.path(of)?;
        let listed = matches!(ty, Type::List(Ty::Str | Ty::Word(_) | Ty::Dyn)) && test == TextTest::Contains;
        if !listed && !matches!(ty, Type::Str | Type::Word(_) | Type::Dyn) {
            return fail(of.span, format!("`{}` is {ty}, not a string", path.text));
        }
        let (operand, Some(Type::Str | Type::Word(_) | Type::Dyn)) = self.operand(arg)? else {
            return fail(arg.span, "expected a string");
        };
        Ok(Expr::Text(test, path, operand))
    }

    fn matches(&mut self, of: &Ast, arg: &Ast) -> Checked<Expr> {
        let (path, ty) = self.path(of)?;
        if !matches!(ty, Type::Str | Type::Word(_) | Type::Dyn) {
            return fail(of.span, format!("`{}` is {ty}, not a string", path.text));
        }
        let Kind::Str(text) = &arg.kind else { return fail(arg.span, "expected a pattern in quotes") };
        match Pattern::new(text, self.scope.eager) {
            Ok(pattern) => Ok(Expr::Matches(path, pattern)),
            Err(message) => fail(arg.span, message),
        }
    }

    fn quantified(&mut self, quantifier: Quantifier, of: &Ast, name: &Ast, body: &Ast) -> Checked<Expr> {
        let (path, ty) = self.path(of)?;
        let item = match ty {
            Type::List(item) => (*item).into(),
            Type::Dyn => Type::Dyn,
            _ => return fail(of.span, format!("`{}` is {ty}, not a list", path.text)),
        };
        let Kind::Name(element) = &name.kind else { return fail(name.span, "expected a name for the element") };
        if let Err(message) = self.scope.bind(element, item) {
            return fail(name.span, message);
        }
        let body = self.truth(body);
        self.scope.names.pop();
        Ok(Expr::Quantified(quantifier, path, Box::new(body?)))
    }
}
