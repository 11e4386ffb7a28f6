//! Provisioners: what Terraform runs on machines, as text that can be read as commands.

use super::eval::Work;
use super::mapped::Rendered;
use super::resource::Resource;
use super::view::BlockView;
use crate::syntax::hcl::ExprKind;
use crate::value::Value;

/// When a provisioner runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// After the resource is made.
    Create,
    /// Before it is destroyed.
    Destroy,
}

/// A `provisioner` block of a resource.
#[derive(Clone)]
pub struct Provisioner<'a, 't> {
    /// `local-exec`, `remote-exec`, `file`…
    pub kind: &'t str,
    /// The block.
    pub block: BlockView<'a, 't>,
    /// When it runs.
    pub when: When,
    connection: Option<BlockView<'a, 't>>,
}

impl<'a, 't> Resource<'a, 't> {
    /// Its provisioners, in order.
    #[must_use]
    pub fn provisioners(&self) -> Vec<Provisioner<'a, 't>> {
        let shared = self.connection();
        self.blocks("provisioner")
            .into_iter()
            .filter_map(|block| {
                let kind = block.label(0)?;
                let when = match block.expr("when").map(|(_, expr)| &expr.kind) {
                    Some(ExprKind::Name(name) | ExprKind::Str(name)) if &**name == "destroy" => When::Destroy,
                    _ => When::Create,
                };
                let connection = block.blocks("connection").into_iter().next().or_else(|| shared.clone());
                Some(Provisioner { kind, block, when, connection })
            })
            .collect()
    }

    /// The `connection` block of the resource itself.
    #[must_use]
    pub fn connection(&self) -> Option<BlockView<'a, 't>> {
        self.blocks("connection").into_iter().next()
    }
}

impl<'a, 't> Provisioner<'a, 't> {
    /// The connection that it uses: its own, else the resource's.
    #[must_use]
    pub fn connection(&self) -> Option<&BlockView<'a, 't>> {
        self.connection.as_ref()
    }

    /// The machine that it logs in to; absent without a connection.
    #[must_use]
    pub fn host(&self) -> Value {
        self.connection.as_ref().map_or_else(Value::absent, |connection| connection.arg("host"))
    }

    /// The commands written in it: `command`, or each line of `inline`.
    #[must_use]
    pub fn commands(&self) -> Vec<Rendered> {
        let mut commands: Vec<Rendered> = self.block.mapped("command").into_iter().collect();
        if let Some((file, expr)) = self.block.expr("inline") {
            commands.extend(self.block.within(file, |env| env.mapped_list(expr, &mut Work::default())));
        }
        commands
    }

    /// The paths of the scripts that it runs (`script`, `scripts`), relative to where Terraform runs.
    #[must_use]
    pub fn scripts(&self) -> Vec<Value> {
        let one = self.block.arg("script");
        let several = self.block.arg("scripts");
        let listed = several.as_list().map(|list| list.items.clone()).unwrap_or_default();
        one.has().is_true().then_some(one).into_iter().chain(listed).collect()
    }
}
