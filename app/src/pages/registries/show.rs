//! One registry: where it is, who pushes there, and its form.

use crate::api::registries::{MakeDefaultRegistry, UpdateRegistry};
use crate::model::id::RegistryId;
use crate::pages::{Page, PageResult};
use crate::ui::{Age, Badge, Card, Fact, Facts, Form, Icon, Name, Note, PageHead, Submit, Tone};
use crate::{paths, request};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: RegistryId = request::id("registry")?;
    let registry = backend.registries.get(&actor, &id).await?;
    let credentials = backend.credentials.list(&actor).await?;
    let hidden = vec![("id", id.to_string()), ("version", registry.version.to_string())];
    let badges = view! {
        {super::badge(&registry)}
        {registry.is_default.then(|| view! { <Badge tone=Tone::Idle text="Default"/> })}
    }
    .into_any();
    let make_default = (!registry.is_default).then(|| {
        view! {
            <Form to=MakeDefaultRegistry::PATH class="row" flat=true hidden=vec![("id", id.to_string())]>
                <Submit text="Make default" icon=Name::Star/>
            </Form>
        }
    });
    let place = match &registry.base_path {
        Some(base) => format!("{}/{base}/<project>/<service>:<commit>", registry.host),
        None => format!("{}/<project>/<service>:<commit>", registry.host),
    };
    let broken_credential = paths::credential(&registry.credential);
    let broken = (!registry.credential_works).then(|| {
        view! {
            <Note tone="bad" title="The registry refused the credential when it was last tested.">
                <p><a href=broken_credential>"Open the credential"</a></p>
            </Note>
        }
    });
    let title = format!("{}, Registries", registry.name);
    let credential = paths::credential(&registry.credential);
    let below = registry.base_path.as_ref().map(|base| format!("{base}/")).unwrap_or_default();
    let images = paths::images(&below, Some(&registry.credential), &[]);
    let edited = registry.clone();
    Ok(Page::new(
        title,
        view! {
            <PageHead title=registry.name.clone() under=(paths::REGISTRIES.into(), "Registries".into()) badge=badges>
                <a class="button quiet" href=images><Icon name=Name::Image/>"Browse images"</a>
                {make_default}
                <a class="button" href=paths::delete_registry(&id)><Icon name=Name::Trash/>"Delete"</a>
            </PageHead>
            {broken}
            <Card title="Facts">
                <Facts>
                    <Fact name="Host"><code>{registry.host.to_string()}</code></Fact>
                    <Fact name="Images are called"><code>{place}</code></Fact>
                    <Fact name="Credential"><a href=credential>{registry.credential_name}</a></Fact>
                    <Fact name="Kind">"External: somebody else runs it"</Fact>
                    <Fact name="Created"><Age seconds=registry.created_at/></Fact>
                </Facts>
            </Card>
            <Card title="Edit">
                <Form to=UpdateRegistry::PATH hidden=hidden>{super::fields(Some(&edited), credentials, false)}</Form>
            </Card>
        },
    ))
}
