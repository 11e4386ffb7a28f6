//! Whether what brings something to the hosts of a play runs on one of them.

use super::super::reach::conditions_of;
use super::super::{Ansible, Task};
use super::lookup::At;
use super::scope::{Scope, Work};
use super::view::holds;
use crate::syntax::jinja;
use crate::value::Tri;

impl<'a> Ansible<'a> {
    /// Whether a play applies one of its roles to a host, as far as the `when:` of the entry says; unknown for a host of
    /// which no inventory knows.
    #[must_use]
    pub fn applies(&self, play: usize, entry: usize, host: &str) -> Tri {
        let Some(used) = self.plays[play].roles.get(entry) else { return Tri::False };
        let mut any = None;
        for mut context in self.of_play(play) {
            context.settle(self);
            let hosts = self.hosts_at(&context);
            if let Some(reason) = &hosts.open {
                return Tri::Unknown(reason.clone());
            }
            for own in hosts.hosts.iter().filter(|own| own.name == host) {
                let at = At { context: &context, hosts, host: Some(own) };
                let scope = Scope::new(self, None, vec![at], Work::default());
                // Among a role's own defaults the condition may say something else.
                let file = self.plays[play].file;
                let said = conditions_of(file, used.item);
                let all = said.fold(Tri::True, |all, (file, node)| all.and(|| holds(&scope, file, node)));
                any = Some(any.unwrap_or(Tri::False).or(|| all));
            }
        }
        any.unwrap_or_else(|| Tri::Unknown("no inventory here has the host".into()))
    }

    /// Whether a task works on a host in a play: its conditions hold there, and it is not delegated to another.
    #[must_use]
    pub fn works_on(&self, task: &Task<'a>, play: usize, host: &str) -> Tri {
        let delegated = |node: crate::syntax::yaml::Node<'a>| node.get("delegate_to");
        let to = task.blocks.iter().chain([&task.node]).rev().find_map(|node| delegated(*node));
        if let Some(to) = to.and_then(crate::syntax::yaml::Node::as_str) {
            let known = !jinja::contains_template(to);
            let reason = "it is delegated to a host that is not known";
            return if known { (to == host).into() } else { Tri::Unknown(reason.into()) };
        }
        let views = self.views(task, Some(host));
        let own: Vec<Tri> = views.iter().filter(|view| view.play() == Some(play)).map(super::View::runs).collect();
        let hosts = self.play_hosts(play);
        if hosts.open.is_some() || !hosts.hosts.iter().any(|own| own.name == host) {
            return Tri::Unknown("not all hosts of the play are known".into());
        }
        own.into_iter().fold(Tri::False, |any, runs| any.or(|| runs))
    }
}
