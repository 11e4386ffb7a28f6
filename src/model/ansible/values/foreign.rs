//! Expressions outside of any task: what inventory plugins say over the variables that they give a host, and what a host of a play is
//! given itself.

use super::super::Ansible;
use super::lookup::At;
use super::scope::{self, Scope, Work};
use crate::syntax::yaml::Node;
use crate::text::{FileId, Loc};
use crate::value::{Tri, Value};

/// Variables of a host, by name.
pub type Variables = [(Box<str>, Value)];

impl<'a> Ansible<'a> {
    /// What an expression of an inventory plugin comes to.
    #[must_use]
    pub fn expression_over(&self, variables: &Variables, text: &str, loc: Loc) -> Value {
        let scope = self.with(variables);
        scope::expression(&scope, text, loc).into_value()
    }

    /// What a text of an inventory plugin comes to, its templates evaluated.
    #[must_use]
    pub fn text_over(&self, variables: &Variables, text: &str, loc: Loc) -> Value {
        self.with(variables).text(text, loc).into_value()
    }

    /// What a condition of an inventory plugin says.
    #[must_use]
    pub fn condition_over(&self, variables: &Variables, text: &str, loc: Loc) -> Tri {
        scope::condition(&self.with(variables), text, loc)
    }

    /// What a node of an inventory comes to, of which nothing else is known.
    pub(in super::super) fn node_over(&self, file: FileId, node: Node<'a>) -> Value {
        Scope::new(self, None, Vec::new(), Work::default()).node(file, node).into_value()
    }

    fn with(&self, variables: &Variables) -> Scope<'_, 'a> {
        let mut scope = Scope::new(self, None, Vec::new(), Work::default());
        scope.locals =
            variables.iter().map(|(name, value)| (name.clone(), super::val::Val::from_value(value))).collect();
        scope
    }

    /// A variable of a host of a play, its templates evaluated; unknown when the host is none of the play's.
    #[must_use]
    pub fn variable_of_host(&self, play: usize, host: &str, name: &str) -> Value {
        let hosts = self.play_hosts(play);
        let own = hosts.hosts.iter().find(|own| own.name == host);
        let Some(own) = own else { return Value::unknown("the play is not for this host") };
        let mut contexts = self.of_play(play);
        for context in &mut contexts {
            context.settle(self);
        }
        let at = contexts.iter().map(|context| At { context, hosts, host: Some(own) }).collect();
        Scope::new(self, None, at, Work::default()).variable(name).into_value()
    }
}
