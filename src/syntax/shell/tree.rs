//! The grammar's tree to lists of commands, without recursion over statements.

use super::mask::PAINT;
use super::{Around, Assignment, Function, Joined, Redirect, Script, Simple, Word};
use crate::syntax::SyntaxError;
use crate::text::Span;
use std::sync::Arc;
use tree_sitter::{Node, Parser};

/// What a command stands in is told up to this many levels.
const MAX_AROUND: u16 = 48;
/// Later commands of a text are left out.
const MAX_COMMANDS: usize = 50_000;
/// So many errors are told.
const MAX_ERRORS: usize = 20;
/// Longer conditions are cut.
const MAX_CONDITION: usize = 300;

/// The state of one walk.
pub(super) struct Walk<'t> {
    pub(super) text: &'t str,
    script: Script,
    work: Vec<Item<'t>>,
    /// What commands stand in, as a tree: the enclosing entry, how deep, and the structure.
    contexts: Vec<(u32, u16, Around)>,
}

struct Item<'t> {
    node: Node<'t>,
    /// 0: top level; else one more than an index of `contexts`.
    context: u32,
    joined: Joined,
    followed: Joined,
    /// Redirections around it, for the last command in it.
    redirects: Vec<Redirect>,
}

/// Reads masked text.
pub(super) fn script(text: &str) -> Script {
    let mut parser = Parser::new();
    let tree = match parser.set_language(&tree_sitter_bash::LANGUAGE.into()) {
        Ok(()) => parser.parse(text, None),
        Err(_) => None,
    };
    let Some(tree) = tree else {
        let errors = vec![SyntaxError { span: Span::default(), message: "could not be read as shell".to_owned() }];
        return Script { errors, ..Script::default() };
    };
    let mut walk = Walk { text, script: Script::default(), work: Vec::new(), contexts: Vec::new() };
    walk.later(tree.root_node(), 0);
    while let Some(item) = walk.work.pop() {
        walk.visit(item);
    }
    let mut script = walk.script;
    script.commands.sort_by_key(|command| (command.span.start, std::cmp::Reverse(command.span.end)));
    script.assignments.sort_by_key(|assignment| assignment.span.start);
    script.functions.sort_by_key(|function| function.span.start);
    script.errors.sort_by_key(|error| error.span.start);
    script
}

fn span(node: Node<'_>) -> Span {
    Span::from(node.byte_range())
}

fn is_word(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "word"
            | "command_name"
            | "string"
            | "raw_string"
            | "ansi_c_string"
            | "translated_string"
            | "string_expansion"
            | "concatenation"
            | "simple_expansion"
            | "expansion"
            | "command_substitution"
            | "process_substitution"
            | "arithmetic_expansion"
            | "brace_expression"
            | "extglob_pattern"
            | "number"
            | "regex"
            | "variable_name"
    )
}

fn operator(token: &str) -> Option<Joined> {
    Some(match token {
        "&&" => Joined::And,
        "||" => Joined::Or,
        "|" | "|&" => Joined::Pipe,
        _ => return None,
    })
}

impl<'t> Walk<'t> {
    fn later(&mut self, node: Node<'t>, context: u32) {
        let (joined, followed) = (Joined::Then, Joined::Then);
        self.work.push(Item { node, context, joined, followed, redirects: Vec::new() });
    }

    /// Notes the commands of a substitution.
    pub(super) fn substituted(&mut self, node: Node<'t>, context: u32) {
        let inside = self.enter(context, Around::Substitution);
        self.statements(node, inside);
    }

    fn enter(&mut self, context: u32, around: Around) -> u32 {
        let depth = (context as usize).checked_sub(1).and_then(|at| self.contexts.get(at)).map_or(0, |it| it.1);
        if depth >= MAX_AROUND {
            return context;
        }
        self.contexts.push((context, depth + 1, around));
        u32::try_from(self.contexts.len()).unwrap_or(0)
    }

    fn around(&self, mut context: u32) -> Vec<Around> {
        let mut around = Vec::new();
        while let Some((outer, _, it)) = (context as usize).checked_sub(1).and_then(|at| self.contexts.get(at)) {
            around.push(it.clone());
            context = *outer;
        }
        around.reverse();
        around
    }

    fn statements(&mut self, node: Node<'t>, context: u32) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            self.later(child, context);
        }
    }

    fn visit(&mut self, item: Item<'t>) {
        let (node, context) = (item.node, item.context);
        match node.kind() {
            "command" => self.command(item),
            "test_command" => self.test(&item),
            "declaration_command" | "unset_command" => self.declaration(item),
            "variable_assignment" => {
                if let Some(assignment) = self.assignment(node, context) {
                    self.script.assignments.push(assignment);
                }
            }
            "list" | "pipeline" => self.joined(item),
            "redirected_statement" => self.redirected(item),
            "negated_command" => {
                if let Some(inner) = node.named_child(0) {
                    self.work.push(Item { node: inner, ..item });
                }
            }
            "if_statement" | "elif_clause" | "while_statement" => self.conditional(node, context),
            "else_clause" => self.statements(node, context),
            "for_statement" | "c_style_for_statement" => self.counted_loop(node, context),
            "case_statement" => self.case(node, context),
            "function_definition" => self.function(node, context),
            "subshell" => {
                let inside = self.enter(context, Around::Subshell);
                self.statements(node, inside);
            }
            "ERROR" => self.broken(node, context),
            "comment" | "heredoc_body" | "heredoc_start" | "heredoc_end" => {}
            _ if node.is_missing() => self.error(node),
            _ if is_word(node) => {
                // A word outside a command: only what it substitutes counts.
                let _ = self.word(node, context);
            }
            _ => self.statements(node, context),
        }
    }

    fn error(&mut self, node: Node<'t>) {
        if self.script.errors.len() < MAX_ERRORS {
            let at = span(node);
            let line = at.slice(self.text).lines().next().unwrap_or("");
            let message = if node.is_missing() {
                format!("expected `{}`", node.kind())
            } else {
                format!("no shell syntax: `{}`", line.chars().filter(|c| *c != PAINT).take(40).collect::<String>())
            };
            self.script.errors.push(SyntaxError { span: at, message });
        }
    }

    /// What the grammar could not place: statements in it are kept, loose words of one line are a command.
    fn broken(&mut self, node: Node<'t>, context: u32) {
        self.error(node);
        let mut loose: Vec<Node<'t>> = Vec::new();
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            let row = child.start_position().row;
            let goes_on = loose.last().is_none_or(|last| last.end_position().row == row);
            if is_word(child) && goes_on {
                loose.push(child);
                continue;
            }
            self.loose(&mut loose, context);
            if is_word(child) {
                loose.push(child);
            } else if child.is_named() {
                self.later(child, context);
            }
        }
        self.loose(&mut loose, context);
    }

    fn loose(&mut self, nodes: &mut Vec<Node<'t>>, context: u32) {
        let words: Vec<Word> = nodes.drain(..).map(|node| self.word(node, context)).collect();
        let (Some(first), Some(last)) = (words.first(), words.last()) else { return };
        let span = first.span.to(last.span);
        self.push(words, Vec::new(), Vec::new(), span, context, (Joined::Then, Joined::Then));
    }

    fn push(
        &mut self,
        words: Vec<Word>,
        env: Vec<Assignment>,
        redirects: Vec<Redirect>,
        span: Span,
        context: u32,
        (joined, followed): (Joined, Joined),
    ) {
        if !words.is_empty() && self.script.commands.len() < MAX_COMMANDS {
            let around = self.around(context);
            self.script.commands.push(Simple { words, env, redirects, span, joined, followed, around });
        }
    }

    fn command(&mut self, item: Item<'t>) {
        let (mut words, mut env) = (Vec::new(), Vec::new());
        let mut redirects = Vec::new();
        let mut cursor = item.node.walk();
        for child in item.node.children(&mut cursor) {
            match child.kind() {
                "variable_assignment" if words.is_empty() => env.extend(self.assignment(child, item.context)),
                "file_redirect" | "herestring_redirect" | "heredoc_redirect" => {
                    self.redirect(child, item.context, &mut redirects, &mut words);
                }
                "subshell" | "comment" | "ERROR" => self.later(child, item.context),
                _ => words.push(self.word(child, item.context)),
            }
        }
        redirects.extend(item.redirects);
        let end = redirects.iter().filter(|it| !it.op.starts_with("<<")).map(|it| it.span.end).max().unwrap_or(0);
        let mut at = span(item.node);
        at.end = at.end.max(end);
        self.push(words, env, redirects, at, item.context, (item.joined, item.followed));
    }

    /// `[ … ]` and `[[ … ]]`: a command whose words are the tokens.
    fn test(&mut self, item: &Item<'t>) {
        let mut words = Vec::new();
        let mut below = vec![item.node];
        while let Some(node) = below.pop() {
            if is_word(node) || node.child_count() == 0 {
                words.push(self.word(node, item.context));
                continue;
            }
            let mut cursor = node.walk();
            let children: Vec<Node<'t>> = node.children(&mut cursor).collect();
            below.extend(children.into_iter().rev());
        }
        if words.last().is_some_and(|word| matches!(word.literal().as_deref(), Some("]" | "]]"))) {
            words.pop();
        }
        let within = (item.context as usize).checked_sub(1).and_then(|at| self.contexts.get(at));
        let inside = match within {
            Some((_, _, Around::Test)) => item.context,
            _ => self.enter(item.context, Around::Test),
        };
        self.push(words, Vec::new(), Vec::new(), span(item.node), inside, (item.joined, item.followed));
    }

    /// `export A=1`, `local x`: its assignments stand alone, and it is a command too.
    fn declaration(&mut self, item: Item<'t>) {
        let mut words = Vec::new();
        let mut cursor = item.node.walk();
        for child in item.node.children(&mut cursor) {
            if child.kind() == "variable_assignment" {
                if let Some(assignment) = self.assignment(child, item.context) {
                    self.script.assignments.push(assignment);
                }
            } else {
                words.push(self.word(child, item.context));
            }
        }
        let joined = (item.joined, item.followed);
        self.push(words, Vec::new(), item.redirects, span(item.node), item.context, joined);
    }

    fn assignment(&mut self, node: Node<'t>, context: u32) -> Option<Assignment> {
        let name_node = node.child_by_field_name("name")?;
        let name = span(name_node).slice(self.text);
        let element = name.contains('[');
        let name = name.split('[').next().unwrap_or(name);
        let append = node.child(1).is_some_and(|operator| operator.kind() == "+=");
        let value = node.child_by_field_name("value");
        let mut values = Vec::new();
        let array = element || value.is_some_and(|value| value.kind() == "array");
        match value {
            Some(value) if value.kind() == "array" => {
                let mut cursor = value.walk();
                for child in value.named_children(&mut cursor).filter(|child| child.kind() != "comment") {
                    values.push(self.word(child, context));
                }
            }
            Some(value) => values.push(self.word(value, context)),
            None => {}
        }
        Some(Assignment { name: name.into(), values, array, append: append || element, span: span(node) })
    }

    fn joined(&mut self, item: Item<'t>) {
        let mut cursor = item.node.walk();
        let children: Vec<Node<'t>> = item.node.children(&mut cursor).collect();
        let last = children.iter().rposition(Node::is_named);
        let mut joined = item.joined;
        let mut redirects = Some(item.redirects);
        for (index, child) in children.iter().enumerate() {
            if !child.is_named() {
                joined = operator(child.kind()).unwrap_or(joined);
                continue;
            }
            let next = children.get(index + 1).and_then(|next| operator(next.kind()));
            self.work.push(Item {
                node: *child,
                context: item.context,
                joined,
                followed: next.unwrap_or(item.followed),
                redirects: if Some(index) == last { redirects.take().unwrap_or_default() } else { Vec::new() },
            });
        }
    }

    fn redirected(&mut self, item: Item<'t>) {
        let mut redirects = Vec::new();
        let mut extra = Vec::new();
        let mut body = None;
        let mut followed = item.followed;
        let mut cursor = item.node.walk();
        for child in item.node.named_children(&mut cursor) {
            match child.kind() {
                "file_redirect" | "herestring_redirect" | "heredoc_redirect" => {
                    let after = self.redirect(child, item.context, &mut redirects, &mut extra);
                    followed = after.unwrap_or(followed);
                }
                _ => body = Some(child),
            }
        }
        redirects.extend(item.redirects);
        if let Some(node) = body {
            let before = self.script.commands.len();
            let inner = Item { node, context: item.context, joined: item.joined, followed, redirects };
            if node.kind() == "command" && !extra.is_empty() {
                // `cat <<EOF file`: the words after the operator belong to the command.
                self.command(inner);
                if let Some(command) = self.script.commands.get_mut(before..).and_then(<[Simple]>::last_mut) {
                    command.words.extend(extra);
                }
            } else {
                self.work.push(inner);
            }
        }
    }

    /// Reads a redirection; returns how a command that stands behind a here-document's operator is joined.
    fn redirect(
        &mut self,
        node: Node<'t>,
        context: u32,
        redirects: &mut Vec<Redirect>,
        words: &mut Vec<Word>,
    ) -> Option<Joined> {
        let mut op = String::new();
        let mut after = None;
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            match child.kind() {
                "file_descriptor" => op.push_str(span(child).slice(self.text)),
                "heredoc_start" | "heredoc_end" => {}
                "heredoc_body" => {
                    let target = self.body_word(child, context);
                    redirects.push(Redirect { op: op.as_str().into(), target, span: span(child) });
                }
                "file_redirect" | "herestring_redirect" => {
                    self.redirect(child, context, redirects, words);
                }
                "pipeline" => {
                    after = Some(Joined::Pipe);
                    self.follow(child, context, Joined::Pipe);
                }
                token if operator(token).is_some() => after = operator(token),
                _ if is_word(child) && node.kind() == "heredoc_redirect" => words.push(self.word(child, context)),
                _ if is_word(child) => {
                    let target = self.word(child, context);
                    let at = Span { start: span(node).start, end: target.span.end };
                    if redirects.last().is_some_and(|last| last.span.start == at.start) {
                        // The grammar takes every word behind a redirection; only the first is its file.
                        words.push(target);
                    } else {
                        redirects.push(Redirect { op: op.as_str().into(), target, span: at });
                    }
                }
                _ if child.is_named() => self.follow(child, context, after.unwrap_or_default()),
                token if token.trim().is_empty() => {}
                token => op.push_str(token),
            }
        }
        after
    }

    fn follow(&mut self, node: Node<'t>, context: u32, joined: Joined) {
        let mut cursor = node.walk();
        let nodes: Vec<Node<'t>> =
            if node.kind() == "pipeline" { node.named_children(&mut cursor).collect() } else { vec![node] };
        let count = nodes.len();
        for (index, node) in nodes.into_iter().enumerate() {
            let joined = if index == 0 { joined } else { Joined::Pipe };
            let followed = if index + 1 < count { Joined::Pipe } else { Joined::Then };
            self.work.push(Item { node, context, joined, followed, redirects: Vec::new() });
        }
    }

    fn condition(&self, at: Span) -> Arc<str> {
        let text = at.slice(self.text).trim().trim_end_matches(';').trim_end();
        text.chars()
            .map(|c| if c == PAINT { crate::text::HOLE } else { c })
            .take(MAX_CONDITION)
            .collect::<String>()
            .into()
    }

    fn conditional(&mut self, node: Node<'t>, context: u32) {
        let mut cursor = node.walk();
        let children: Vec<Node<'t>> = node.children(&mut cursor).collect();
        let body_at = children.iter().position(|child| matches!(child.kind(), "then" | "do_group")).unwrap_or(0);
        let condition = self.enter(context, Around::Test);
        let mut tested = Span::default();
        for child in children.iter().take(body_at).skip(1).filter(|child| child.is_named()) {
            tested = if tested.is_empty() { span(*child) } else { tested.to(span(*child)) };
            self.later(*child, condition);
        }
        let text = self.condition(tested);
        let mut holds = self.enter(context, Around::Condition { text: text.clone(), negated: false });
        if node.kind() == "while_statement" {
            holds = self.enter(holds, Around::Loop);
        }
        let otherwise = self.enter(context, Around::Condition { text, negated: true });
        for child in children.iter().skip(body_at).filter(|child| child.is_named()) {
            let inside = if matches!(child.kind(), "elif_clause" | "else_clause") { otherwise } else { holds };
            self.later(*child, inside);
        }
    }

    fn counted_loop(&mut self, node: Node<'t>, context: u32) {
        let inside = self.enter(context, Around::Loop);
        let mut values = Vec::new();
        let mut cursor = node.walk();
        let variable = node.child_by_field_name("variable");
        for child in node.named_children(&mut cursor) {
            if variable.is_some_and(|variable| variable.id() == child.id()) || child.kind() == "comment" {
                continue;
            }
            if matches!(child.kind(), "do_group" | "compound_statement" | "ERROR") {
                self.later(child, inside);
            } else if node.kind() == "for_statement" {
                values.push(self.word(child, context));
            }
        }
        if let Some(variable) = variable {
            let at = span(variable);
            let name = at.slice(self.text).into();
            self.script.assignments.push(Assignment { name, values, array: false, append: false, span: at });
        }
    }

    fn case(&mut self, node: Node<'t>, context: u32) {
        let subject = node.child_by_field_name("value").map(span).unwrap_or_default();
        let mut cursor = node.walk();
        for item in node.named_children(&mut cursor).filter(|child| child.kind() == "case_item") {
            let mut inner = item.walk();
            let mut pattern = Span::default();
            let children: Vec<Node<'t>> = item.children(&mut inner).collect();
            let close = children.iter().position(|child| child.kind() == ")").unwrap_or(0);
            for child in children.iter().take(close).filter(|child| child.is_named()) {
                pattern = if pattern.is_empty() { span(*child) } else { pattern.to(span(*child)) };
            }
            let text = format!("case {} in {}", self.condition(subject), self.condition(pattern)).into();
            let inside = self.enter(context, Around::Condition { text, negated: false });
            for child in children.iter().skip(close + 1).filter(|child| child.is_named()) {
                self.later(*child, inside);
            }
        }
    }

    fn function(&mut self, node: Node<'t>, context: u32) {
        let name: Box<str> = node.child_by_field_name("name").map(span).unwrap_or_default().slice(self.text).into();
        self.script.functions.push(Function { name: name.clone(), span: span(node) });
        let inside = self.enter(context, Around::Function(Arc::from(name)));
        if let Some(body) = node.child_by_field_name("body") {
            self.later(body, inside);
        }
    }
}
