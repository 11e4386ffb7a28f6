//! Switches of provider blocks that decide about many objects.

use crate::estate::Estate;
use crate::knowledge::terraform as known;
use crate::model::terraform::{Mode, Resource};
use crate::rule::subject::Row;
use crate::subject;
use crate::text::Loc;
use crate::value::{Tri, Value};
use std::sync::Arc;

/// A switch of a provider that decides about many objects.
pub(super) struct ProviderSettingRow<'m> {
    estate: &'m Estate<'m>,
    provider: crate::model::terraform::BlockView<'m, 'm>,
    known: &'static known::ProviderSetting,
    /// Whether the root declares something that it decides about.
    declares: bool,
    /// Whether nothing else keeps some of that from being deleted for good.
    exposes: bool,
    /// The root, or a module of it, is not known to its end.
    open: bool,
}

impl ProviderSettingRow<'_> {
    fn value(&self) -> Value {
        self.provider.arg(&self.known.path)
    }

    fn place(&self) -> Loc {
        self.value().origin.unwrap_or(self.provider.loc)
    }
}

subject! {
    /// A switch of a provider block that decides about many objects.
    ProviderSettingRow<'m> as "tf.provider_setting" (row) {
        /// The provider.
        provider: Str certain => row.provider.label(0).unwrap_or("");
        /// The switch's path.
        path: Str certain => &row.known.path;
        /// Its value; absent when it is not given.
        value: Dyn => row.value();
        /// Whether it is given at all.
        given: Bool => row.value().has();
        /// Whether its value does not protect.
        r#unsafe: Bool => row.known.safe.as_ref().map_or(Tri::False, |safe| !safe.holds(&row.value()));
        /// Whether leaving it out does not protect.
        unsafe_by_default: Bool certain => row.known.safe.as_ref().zip(row.known.default.as_ref()).is_some_and(|(safe, default)| safe.holds(&crate::knowledge::test::known(default)).is_false());
        /// Whether the root declares something that it decides about.
        declares: Bool certain => row.declares;
        /// Whether nothing else, as far as the root shows, keeps some of that from being deleted for good.
        exposes: Bool certain => row.exposes;
        /// Whether the root may have more of that, in modules that are not here.
        open: Bool certain => row.open;
        /// Whether the environment is thrown away.
        ephemeral: Bool certain => (row.estate.ephemeral)(row.estate.documents.tree.path(row.provider.loc.file));
    }
    loc => row.place();
    label => "this setting".to_owned();
    address => None;
    identity => format!("{} {}", row.provider.label(0).unwrap_or(""), row.known.path);
}

/// Rows of `tf.provider_setting`.
pub(super) fn provider_settings<'m>(estate: &'m Estate<'m>) -> Vec<Row<'m>> {
    let mut rows: Vec<Row<'m>> = Vec::new();
    let terraform = estate.terraform;
    for top in terraform.tops() {
        for provider in terraform.providers_of(top) {
            let mut settings = known::provider_settings(provider.label(0).unwrap_or("")).peekable();
            if settings.peek().is_none() {
                continue;
            }
            let within = || terraform.instances.iter().filter(|instance| instance.root == top.root);
            let open = within().flat_map(|instance| terraform.calls_of(instance)).any(|call| call.target().is_none());
            let own: Vec<Resource<'m, 'm>> = within()
                .flat_map(|instance| terraform.resources_of(instance))
                .filter(|resource| resource.decl.mode == Mode::Managed)
                .collect();
            let vaults = own.iter().filter(|resource| resource.ty() == "azurerm_key_vault").any(is_purgeable);
            for known in settings {
                let of_it = |resource: &&Resource<'m, 'm>| known.affects.iter().any(|ty| ty == resource.ty());
                let declares = known.affects.is_empty() || own.iter().any(|resource| of_it(&resource));
                // What lies in a vault is as safe as the vault, which may be declared elsewhere.
                let exposes = own
                    .iter()
                    .filter(of_it)
                    .any(|it| if it.ty().starts_with("azurerm_key_vault_") { vaults } else { is_purgeable(it) });
                let row = ProviderSettingRow { estate, provider: provider.clone(), known, declares, exposes, open };
                rows.push(Arc::new(row));
            }
        }
    }
    rows
}

/// Whether what a resource deletes can be purged at once. With purge protection the service refuses whatever the provider asks for.
fn is_purgeable(resource: &Resource<'_, '_>) -> bool {
    resource.arg("purge_protection_enabled").as_bool() != Some(true)
}
