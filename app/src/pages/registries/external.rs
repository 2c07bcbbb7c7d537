//! A registry that somebody else runs: its form, and its page.

use super::{badge, default_badge, place, platforms, typed_platforms, users};
use crate::api::registries::{MakeDefaultRegistry, UpdateRegistry};
use crate::model::credential::Credential;
use crate::model::registry::{Registry, RegistryUser};
use crate::pages::Page;
use crate::paths;
use crate::ui::{Age, Card, Checkbox, Fact, Facts, Field, Form, Icon, More, Name, Note, PageHead, Select, Submit};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The fields, for a new registry and for an edit.
pub(super) fn fields(of: Option<&Registry>, credentials: Vec<Credential>, is_first: bool) -> impl IntoView + use<> {
    // One that belongs to a managed registry signs in there alone.
    let options = credentials
        .into_iter()
        .filter(|credential| credential.owned_by.is_none())
        .map(|credential| {
            let words = format!("{} ({} at {})", credential.name, credential.username, credential.url.host);
            (credential.id.to_string(), words)
        })
        .collect();
    let name = of.map(|of| of.name.clone()).unwrap_or_default();
    let chosen = of.map(|of| of.credential.to_string()).unwrap_or_default();
    let base = of.and_then(|of| of.base_path.as_ref()).map(ToString::to_string).unwrap_or_default();
    let is_default = of.map_or(is_first, |of| of.is_default);
    let platforms = of.map(typed_platforms).unwrap_or_default();
    let open = !platforms.is_empty();
    view! {
        <Field field="name" label="Name" value=name required=true hint="What you call it, like “internal”."/>
        <Select field="credential" label="Credential" options=options value=chosen hint="It decides the host and the account."/>
        <Field field="base_path" label="Base path" value=base mono=true
            hint="Optional. Comes before <project>/<service>: your organisation at GHCR, your Docker ID at Docker Hub."/>
        <Checkbox field="is_default" label="Use as default" checked=is_default
            hint="Services that don't name a registry push here."/>
        <More title="Platforms" fields=&["platforms"] open=open>
            <Field field="platforms" label="Platforms" value=platforms mono=true
                hint="Leave it empty, and builds produce the platform of the engine that builds. Several, like linux/amd64, \
                      linux/arm64: each one builds again, and what no builder runs natively is emulated, several times slower."/>
        </More>
        <Submit text="Save registry" class="primary"/>
    }
}

/// The page.
pub(super) fn page(registry: Registry, credentials: Vec<Credential>, used_by: &[RegistryUser]) -> Page {
    let id = registry.id.clone();
    let hidden = vec![("id", id.to_string()), ("version", registry.version.to_string())];
    let badges = view! { {badge(&registry)} {default_badge(&registry)} }.into_any();
    let make_default = (!registry.is_default).then(|| {
        view! {
            <Form to=MakeDefaultRegistry::PATH class="row" flat=true hidden=vec![("id", id.to_string())]>
                <Submit text="Make default" icon=Name::Star/>
            </Form>
        }
    });
    let broken_credential = paths::credential(&registry.credential);
    let broken = (!registry.credential_works).then(|| {
        view! {
            <Note tone="bad" title="The registry refused the credential when it was last tested.">
                <p><a href=broken_credential>"Open the credential"</a></p>
            </Note>
        }
    });
    let credential = paths::credential(&registry.credential);
    let below = registry.base_path.as_ref().map(|base| format!("{base}/")).unwrap_or_default();
    let images = paths::images(&below, Some(&registry.credential), &[]);
    let name = format!("{}/<project>/<service>:<commit>", place(&registry));
    let produced = platforms(&registry);
    let users = users(used_by);
    let edited = registry.clone();
    Page::new(
        format!("{}, Registries", registry.name),
        view! {
            <PageHead title=registry.name.clone() under=(paths::REGISTRIES.into(), "Registries".into()) badge=badges>
                <a class="button quiet" href=images><Icon name=Name::Image/>"Browse images"</a>
                <a class="button quiet" href=paths::registry_retention(&id)>"Retention"</a>
                {make_default}
                <a class="button" href=paths::delete_registry(&id)><Icon name=Name::Trash/>"Delete"</a>
            </PageHead>
            {broken}
            <Card title="Facts">
                <Facts>
                    <Fact name="Host"><code>{registry.host.to_string()}</code></Fact>
                    <Fact name="Images are called"><code>{name}</code></Fact>
                    <Fact name="Platforms">{produced}</Fact>
                    <Fact name="Credential"><a href=credential>{registry.credential_name}</a></Fact>
                    <Fact name="Kind">"External: somebody else runs it"</Fact>
                    <Fact name="Created"><Age seconds=registry.created_at/></Fact>
                </Facts>
            </Card>
            <Card title="Used by" flush=true>{users}</Card>
            <Card title="Edit">
                <Form to=UpdateRegistry::PATH hidden=hidden>{fields(Some(&edited), credentials, false)}</Form>
            </Card>
        },
    )
}
