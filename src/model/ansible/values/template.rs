//! What comes out of a template.

use super::Scope;
use super::eval::{Eval, Frames, NOTHING};
use super::ops;
use super::val::{MAX_TEXT, Res, V, Val};
use crate::syntax::jinja::{self, Block, Branch, Expr, Loop, Target};
use crate::text::{Loc, Span};
use crate::value::{Piece, Reason, Tri};

impl Scope<'_, '_> {
    /// A text with Jinja: an expression alone keeps its type.
    pub(super) fn text(&self, text: &str, loc: Loc) -> Val {
        if !jinja::contains_template(text) {
            return Val::from(text).at(loc);
        }
        if let Err(reason) = self.work.enter() {
            return Val::unknown(reason).at(loc);
        }
        let value = self.rendered(text, loc);
        self.work.leave();
        value.at(loc)
    }

    fn rendered(&self, text: &str, loc: Loc) -> Val {
        // One line break at the end is not the template's; a text that ends with fewer gets them back.
        let body = text.strip_suffix('\n').unwrap_or(text);
        let template = jinja::parse(body);
        let eval = Eval::new(self, loc);
        let value = match template.single() {
            Some(expr) => eval.expr(expr),
            None => match jinja::blocks(body, &template) {
                Ok(blocks) => eval.blocks(body, &blocks),
                Err(error) => return Val::unknown(format!("the template cannot be read: {error}")),
            },
        };
        let end = match &value.v {
            V::Str(own) => breaks(own),
            V::Text(pieces) => match pieces.last() {
                Some(Piece::Lit(own)) => breaks(own),
                _ => 0,
            },
            _ => return value,
        };
        match breaks(text).saturating_sub(end) {
            0 => value,
            missing => ops::concat(&[value, "\n".repeat(missing).into()]),
        }
    }
}

/// Line breaks at the end of a text.
pub(super) fn breaks(text: &str) -> usize {
    text.len() - text.trim_end_matches('\n').len()
}

/// What comes out of blocks, part by part.
pub(super) struct Out {
    pub(super) parts: Vec<Part>,
    /// A text is wanted of which as much stays as can be read: both branches of a condition that is not decided, one turn of
    /// a loop over what is not known. Else such a part is a hole.
    reading: bool,
}

/// A value that comes out, and where the template says so.
pub(super) struct Part {
    pub(super) val: Val,
    pub(super) span: Span,
    /// It is the text that stands there.
    pub(super) exact: bool,
}

impl Out {
    fn new(reading: bool) -> Self {
        Self { parts: Vec::new(), reading }
    }

    fn push(&mut self, val: impl Into<Val>, span: Span) {
        self.parts.push(Part { val: val.into(), span, exact: false });
    }

    fn values(self) -> Vec<Val> {
        self.parts.into_iter().map(|part| part.val).collect()
    }

    /// Whether text with a line break in it comes out.
    fn has_lines(&self) -> bool {
        self.parts.iter().any(|part| match &part.val.v {
            V::Str(text) if part.exact => text.contains('\n'),
            _ => false,
        })
    }
}

impl Eval<'_, '_, '_> {
    fn blocks(&self, text: &str, blocks: &[Block<'_>]) -> Val {
        let mut out = Out::new(false);
        match self.render(text, blocks, &mut out) {
            Ok(()) => joined(out.values()),
            Err(reason) => Val::unknown(reason),
        }
    }

    /// What comes out of a template that is read for what can be known of it.
    pub(super) fn reading(&self, text: &str, blocks: &[Block<'_>]) -> Res<Vec<Part>> {
        let mut out = Out::new(true);
        self.render(text, blocks, &mut out).map(|()| out.parts)
    }

    /// Adds what the blocks give to `out`: each output its value.
    fn render(&self, text: &str, blocks: &[Block<'_>], out: &mut Out) -> Res<()> {
        for block in blocks {
            self.scope.work.spend(1)?;
            match block {
                Block::Lit(span) => {
                    out.parts.push(Part { val: span.slice(text).into(), span: *span, exact: true });
                }
                Block::Output(expr, span) => {
                    let value = self.expr(expr);
                    match &value.v {
                        V::Undefined(reason) if **reason == *NOTHING => out.push("", *span),
                        // It may be set by whoever runs the play: the text around it stands.
                        V::Undefined(_) => out.push(hole(&value), *span),
                        _ => out.push(value, *span),
                    }
                }
                Block::If(branches, span) => self.branches(text, branches, *span, out)?,
                Block::For(each, span) => self.each(text, each, *span, out)?,
                Block::Set(target, value) => self.set(target, value),
                Block::Capture(name, body) => {
                    let mut inside = Out::new(false);
                    match self.render(text, body, &mut inside) {
                        Ok(()) => self.assign(name, joined_text(inside.values())),
                        Err(reason) if out.reading => self.assign(name, Val::unknown(reason)),
                        Err(reason) => return Err(reason),
                    }
                }
                Block::Macro(name) => self.assign(name, Val::unknown(format!("`{name}` is a macro"))),
                Block::Other(word, span, body) => self.other(text, word, *span, body, out)?,
            }
        }
        Ok(())
    }

    /// A statement that is not followed: what it holds is read all the same, where a text is.
    fn other(&self, text: &str, word: &str, span: Span, body: &[Block<'_>], out: &mut Out) -> Res<()> {
        let reason: Reason = format!("`{{% {word} %}}` is not followed").into();
        if !out.reading {
            return Err(reason);
        }
        match word {
            "do" => {}
            // They leave the text between them as it is.
            "with" | "block" | "autoescape" => return self.render(text, body, out),
            _ => out.push(hole(&Val::unknown(reason)), span),
        }
        Ok(())
    }

    fn branches(&self, text: &str, branches: &[Branch<'_>], span: Span, out: &mut Out) -> Res<()> {
        let Some((first, rest)) = branches.split_first() else { return Ok(()) };
        let taken = first.test.as_ref().map_or(Tri::True, |test| ops::truth(&self.expr(test)));
        match taken {
            Tri::True => self.render(text, &first.body, out),
            Tri::False => self.branches(text, rest, span, out),
            Tri::Unknown(reason) => {
                let before = self.frames.borrow().clone();
                let (mut yes, mut no) = (Out::new(out.reading), Out::new(out.reading));
                self.render(text, &first.body, &mut yes)?;
                let after = self.frames.replace(before);
                self.branches(text, rest, span, &mut no)?;
                self.merge(&after, &reason);
                if out.reading && (yes.has_lines() || no.has_lines()) {
                    out.parts.extend(yes.parts);
                    out.parts.extend(no.parts);
                    return Ok(());
                }
                let (yes, no) = (joined_text(yes.values()), joined_text(no.values()));
                // What both give is given; else it is not known which.
                let given = if ops::equal(&yes, &no).is_true() { yes } else { Val::unknown(reason) };
                out.push(if matches!(given.v, V::Unknown(_)) { hole(&given) } else { given }, span);
                Ok(())
            }
        }
    }

    /// Keeps of the variables that two branches set what both agree on.
    fn merge(&self, other: &Frames, reason: &Reason) {
        let mut frames = self.frames.borrow_mut();
        for (frame, other) in frames.iter_mut().zip(other) {
            for (name, value) in frame.iter_mut() {
                let theirs = other.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value);
                let same = theirs.is_some_and(|theirs| ops::equal(theirs, value).is_true());
                if !same {
                    *value = theirs.map_or_else(
                        || Val::unknown(reason.clone()),
                        |theirs| super::eval::either(theirs.clone(), value.clone(), reason),
                    );
                }
            }
            let missing: Vec<Box<str>> = other.iter().map(|(name, _)| name.clone()).collect();
            for name in missing {
                if !frame.iter().any(|(own, _)| *own == name) {
                    frame.push((name, Val::unknown(reason.clone())));
                }
            }
        }
    }

    fn each(&self, text: &str, each: &Loop<'_>, span: Span, out: &mut Out) -> Res<()> {
        let turns = match self.turns(each)? {
            Ok(turns) => turns,
            Err(reason) => return self.unknown_turns(text, each, span, &reason, out),
        };
        if turns.is_empty() {
            return self.render(text, &each.otherwise, out);
        }
        for (at, item) in turns.iter().enumerate() {
            self.frames.borrow_mut().push(vec![("loop".into(), turn(&turns, at))]);
            let done = self.bind(&each.targets, item).and_then(|()| self.render(text, &each.body, out));
            self.frames.borrow_mut().pop();
            done?;
            if out.parts.len() > MAX_TEXT / 16 {
                return Err("the template gives too much".into());
            }
        }
        Ok(())
    }

    /// The members that a loop goes through; inside, the reason why they are not known.
    fn turns(&self, each: &Loop<'_>) -> Res<Res<Vec<Val>>> {
        let items = match super::filters::lists::items(&self.expr(&each.over)) {
            Ok(items) => items,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut turns = Vec::new();
        for item in items {
            let Some(filter) = &each.filter else {
                turns.push(item);
                continue;
            };
            self.frames.borrow_mut().push(Vec::new());
            let kept = self.bind(&each.targets, &item).map(|()| ops::truth(&self.expr(filter)));
            self.frames.borrow_mut().pop();
            match kept? {
                Tri::True => turns.push(item),
                Tri::False => {}
                Tri::Unknown(reason) => return Ok(Err(reason)),
            }
        }
        Ok(Ok(turns))
    }

    /// A loop over what is not known: a hole, or one turn of it where a text is read.
    fn unknown_turns(&self, text: &str, each: &Loop<'_>, span: Span, reason: &Reason, out: &mut Out) -> Res<()> {
        let unknown = || Val::unknown(reason.clone());
        if out.reading {
            let locals = each.targets.iter().map(|name| (name.clone(), unknown()));
            let locals = locals.chain([("loop".into(), unknown())]).collect();
            self.frames.borrow_mut().push(locals);
            let mut once = Out::new(true);
            let done = self.render(text, &each.body, &mut once);
            self.frames.borrow_mut().pop();
            done?;
            // What comes out between words may come out any number of times.
            if once.has_lines() {
                out.parts.extend(once.parts);
            } else {
                out.push(hole(&unknown()), span);
            }
        } else {
            out.push(hole(&unknown()), span);
        }
        // What the turns set is not known any more.
        self.forget(&each.body, reason);
        Ok(())
    }

    /// Gives the names of a loop a member, or its parts.
    fn bind(&self, targets: &[Box<str>], item: &Val) -> Res<()> {
        if let [name] = targets {
            self.assign(name, item.clone());
            return Ok(());
        }
        let parts = match super::filters::lists::items(item) {
            Ok(parts) if parts.len() == targets.len() => parts,
            Ok(_) => return Err("there are not as many values as names".into()),
            Err(_) if matches!(item.v, V::Unknown(_)) => vec![item.clone(); targets.len()],
            Err(reason) => return Err(reason),
        };
        for (name, part) in targets.iter().zip(parts) {
            self.assign(name, part);
        }
        Ok(())
    }

    fn assign(&self, name: &str, value: Val) {
        let mut frames = self.frames.borrow_mut();
        let Some(frame) = frames.last_mut() else { return };
        match frame.iter_mut().find(|(own, _)| **own == *name) {
            Some((_, old)) => *old = value,
            None => frame.push((name.into(), value)),
        }
    }

    fn set(&self, target: &Target, value: &Expr) {
        let value = self.expr(value);
        match target {
            Target::Names(names) => {
                if let Err(reason) = self.bind(names, &value) {
                    for name in names {
                        self.assign(name, Val::unknown(reason.clone()));
                    }
                }
            }
            Target::Member(of, member) => {
                let Some(V::Map(map)) = self.local(of).map(|value| value.v) else { return };
                let mut entries = map.entries.clone();
                super::val::insert(&mut entries, member.as_ref().into(), value);
                self.change(of, Val::map(entries, map.open.clone()));
            }
        }
    }

    /// Makes unknown whatever the blocks may set or change.
    fn forget(&self, blocks: &[Block<'_>], reason: &Reason) {
        for block in blocks {
            match block {
                Block::Set(target, value) => {
                    if let Target::Member(of, _) = target {
                        self.change(of, Val::unknown(reason.clone()));
                    }
                    self.forget_changed(value, reason);
                }
                Block::Output(expr, _) => self.forget_changed(expr, reason),
                Block::If(branches, _) => branches.iter().for_each(|branch| self.forget(&branch.body, reason)),
                Block::For(each, _) => {
                    self.forget(&each.body, reason);
                    self.forget(&each.otherwise, reason);
                }
                Block::Capture(_, body) | Block::Other(_, _, body) => self.forget(body, reason),
                Block::Lit(_) | Block::Macro(_) => {}
            }
        }
    }

    /// `a.append(b)` inside an expression.
    fn forget_changed(&self, expr: &Expr, reason: &Reason) {
        if let Expr::Call { callee, .. } = expr
            && let Expr::Attr(of, method) = &**callee
            && let Expr::Name(name) = &**of
            && super::methods::changes(method)
        {
            self.change(name, Val::unknown(reason.clone()));
        }
    }
}

/// What `loop` is in one turn.
fn turn(turns: &[Val], at: usize) -> Val {
    let number = |at: usize| Val::from(i64::try_from(at).unwrap_or(i64::MAX));
    let beside = |at: Option<usize>| match at.and_then(|at| turns.get(at)) {
        Some(value) => value.clone(),
        None => Val::undefined("there is no such turn"),
    };
    let members = [
        ("index", number(at + 1)),
        ("index0", number(at)),
        ("revindex", number(turns.len() - at)),
        ("revindex0", number(turns.len() - at - 1)),
        ("first", (at == 0).into()),
        ("last", (at + 1 == turns.len()).into()),
        ("length", number(turns.len())),
        ("previtem", beside(at.checked_sub(1))),
        ("nextitem", beside(Some(at + 1))),
        ("depth", 1.into()),
        ("depth0", 0.into()),
    ];
    let members = members.into_iter().map(|(name, value)| (Val::from(name), value));
    Val::map(members.collect(), Some("the loop has no such member".into()))
}

/// What a template gives: its one value, or all as text. What is null or omitted leaves nothing.
fn joined(mut out: Vec<Val>) -> Val {
    out.retain(|value| !matches!(value.v, V::Null | V::Omit));
    match out.len() {
        0 => Val::null(),
        1 => out.remove(0),
        _ => joined_text(out),
    }
}

fn joined_text(out: Vec<Val>) -> Val {
    ops::concat(&out.into_iter().map(shown).collect::<Vec<_>>())
}

pub(super) fn shown(value: Val) -> Val {
    match value.v {
        V::Null | V::Omit => "".into(),
        _ => untupled(value),
    }
}

/// What comes out of an expression has lists where it had tuples.
fn untupled(value: Val) -> Val {
    match &value.v {
        V::List(list) => Val::seq(list.items.iter().cloned().map(untupled).collect(), list.open.clone(), false),
        V::Map(map) => {
            let entries = map.entries.iter().map(|(key, value)| (key.clone(), untupled(value.clone())));
            Val::map(entries.collect(), map.open.clone())
        }
        _ => value,
    }
}

/// A piece of text that is not known.
fn hole(value: &Val) -> Val {
    let reason = value.not("text");
    // With an empty text beside it, it stays a text with a hole.
    V::Text(vec![Piece::Hole(reason)].into()).into()
}
